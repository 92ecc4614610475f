/* Whose turn it is, with a clock of the test's own. */
#include "edge/hooks/hosts.h"
#include "base/log.h"
#include "base/str.h"

#include "unit/cm.h"

#include <stdio.h>

enum { TURNS = 2000 };
static const int64_t LATE_US = 2000000;

struct bench {
    struct hosts *hosts;
    struct turn   turns[TURNS];
    size_t        used;
    int64_t       now_us;
    int           forgotten;
};

static struct bench bench;

static void forget(void *memo)
{
    (*(int *)memo)++;
}

static int set_up(void **state)
{
    struct hosts_conf conf = { .quick_max = 4, .slow_max = 6, .per_host = 8, .waiting_max = 800, .octets_max = 80000,
                               .late_us = LATE_US, .forget = forget };
    log_setup(LOG_ERROR, LOG_TEXT);
    bench = (struct bench){ 0 };
    assert_int_equal(hosts_new(&bench.hosts, &conf), ERR_NONE);
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    while (hosts_drain(b->hosts))
        ;
    hosts_free(b->hosts);
    return 0;
}

static enum err line_up(struct bench *b, const char *name, size_t octets)
{
    assert_in_range(b->used, 0, TURNS - 1);
    enum err err = hosts_line_up(b->hosts, str_of(name), &b->turns[b->used], octets);
    b->used += !err;
    return err;
}

static struct turn *next(struct bench *b)
{
    return hosts_next(b->hosts, (struct mono){ b->now_us });
}

static void end(struct bench *b, struct turn *t, bool answered)
{
    hosts_ended(b->hosts, t, (struct mono){ b->now_us }, answered);
}

static size_t start_all(struct bench *b, struct turn **into)
{
    size_t n = 0;
    for (struct turn *t; (t = next(b)); n++)
        if (into)
            into[n] = t;
    return n;
}

/* A host that has answered once. */
static void prove(struct bench *b, const char *name)
{
    assert_int_equal(line_up(b, name, 1), ERR_NONE);
    struct turn *t = next(b);
    assert_non_null(t);
    end(b, t, true);
}

static void a_new_host_gets_one_request_and_more_when_it_has_answered(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(line_up(b, "a", 1), ERR_NONE);
    struct turn *t = next(b);
    assert_ptr_equal(t, &b->turns[0]);
    assert_null(next(b));
    end(b, t, true);
    assert_ptr_equal(next(b), &b->turns[1]);
    assert_ptr_equal(next(b), &b->turns[2]);
}

static void hosts_take_turns(void **state)
{
    struct bench *b = *state;
    prove(b, "a");
    prove(b, "b");
    struct turn *a = &b->turns[b->used];
    for (int i = 0; i < 2; i++)
        assert_int_equal(line_up(b, "a", 1), ERR_NONE);
    struct turn *other = &b->turns[b->used];
    assert_int_equal(line_up(b, "b", 1), ERR_NONE);
    assert_ptr_equal(next(b), a);
    assert_ptr_equal(next(b), other);
    assert_ptr_equal(next(b), a + 1);
}

static void quick_hosts_start_whatever_black_holes_do(void **state)
{
    struct bench *b = *state;
    char name[24];
    for (int i = 0; i < 40; i++) {              /* each takes a slot and never answers */
        snprintf(name, sizeof name, "hole%d", i);
        assert_int_equal(line_up(b, name, 1), ERR_NONE);
    }
    assert_int_equal(start_all(b, NULL), 4);    /* the quick slots: nobody knows yet */
    assert_int_equal(line_up(b, "good", 1), ERR_NONE);
    assert_null(next(b));
    assert_int_equal(hosts_look(b->hosts, (struct mono){ b->now_us }), LATE_US);
    b->now_us += LATE_US;
    assert_int_equal(hosts_look(b->hosts, (struct mono){ b->now_us }), -1);
    struct turn *t[8];
    assert_int_equal(start_all(b, t), 4);       /* four more of the 36, which have waited longer */
    for (int i = 0; i < 8; i++) {               /* and so on, until all that are slow are known: 40 / 4 times late */
        b->now_us += LATE_US;
        (void)hosts_look(b->hosts, (struct mono){ b->now_us });
        start_all(b, t);
    }
    b->now_us += LATE_US;
    (void)hosts_look(b->hosts, (struct mono){ b->now_us });
    struct turn *good = next(b);
    assert_ptr_equal(good, &b->turns[40]);
    end(b, good, true);
    for (int i = 0; i < 100; i++)               /* from now on at once */
        prove(b, "good");
}

static void a_host_that_failed_gets_one_at_a_time_until_it_answers(void **state)
{
    struct bench *b = *state;
    prove(b, "a");
    for (int i = 0; i < 6; i++)
        assert_int_equal(line_up(b, "a", 1), ERR_NONE);
    struct turn *t[8];
    assert_int_equal(start_all(b, t), 4);
    for (int i = 0; i < 4; i++)
        end(b, t[i], false);
    assert_int_equal(start_all(b, t), 1);
    end(b, t[0], true);
    assert_int_equal(start_all(b, t), 1);       /* what is left */
}

static void a_host_that_answers_late_gets_a_quarter(void **state)
{
    struct bench *b = *state;
    struct turn *t[8];
    assert_int_equal(line_up(b, "a", 1), ERR_NONE);
    assert_int_equal(start_all(b, t), 1);
    b->now_us += LATE_US;
    (void)hosts_look(b->hosts, (struct mono){ b->now_us });
    end(b, t[0], true);
    for (int i = 0; i < 8; i++)
        assert_int_equal(line_up(b, "a", 1), ERR_NONE);
    assert_int_equal(start_all(b, t), 2);
    end(b, t[0], true);                         /* in time: quick again, all of the four slots */
    assert_int_equal(start_all(b, t), 3);
}

static void a_line_is_bounded_in_number_and_octets(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(line_up(b, "many", 1), ERR_NONE);
    assert_int_equal(line_up(b, "many", 1), ERR_BUSY);
    assert_int_equal(line_up(b, "long", 50000), ERR_NONE);      /* the only one may be of any size */
    assert_int_equal(line_up(b, "long", 1), ERR_BUSY);
    assert_int_equal(line_up(b, "wide", 9000), ERR_NONE);
    assert_int_equal(line_up(b, "wide", 1000), ERR_NONE);
    assert_int_equal(line_up(b, "wide", 1), ERR_BUSY);
    assert_int_equal(hosts_waiting(b->hosts), 103);
    assert_int_equal(hosts_waiting_octets(b->hosts), 60100);
}

static void a_host_that_fails_gives_back_the_newest_of_what_waits(void **state)
{
    struct bench *b = *state;
    struct turn *t[8];
    for (int i = 0; i < 100; i++)
        assert_int_equal(line_up(b, "a", 1), ERR_NONE);
    assert_int_equal(start_all(b, t), 1);
    assert_null(hosts_over(b->hosts));
    end(b, t[0], false);
    for (int i = 99; i > 16; i--)
        assert_ptr_equal(hosts_over(b->hosts), &b->turns[i]);
    assert_null(hosts_over(b->hosts));
    assert_int_equal(hosts_waiting(b->hosts), 16);
    assert_int_equal(line_up(b, "a", 1), ERR_BUSY);
    assert_ptr_equal(next(b), &b->turns[1]);
}

static void all_slow_hosts_together_leave_half_of_what_may_wait(void **state)
{
    struct bench *b = *state;
    struct turn *t[8];
    char name[24];
    for (int host = 0; host < 10; host++) {
        snprintf(name, sizeof name, "slow%d", host);
        for (int i = 0; i < 80; i++)
            assert_int_equal(line_up(b, name, 1), ERR_NONE);
    }
    for (int round = 0; round < 3; round++) {
        start_all(b, t);
        b->now_us += LATE_US;
        (void)hosts_look(b->hosts, (struct mono){ b->now_us });
        while (hosts_over(b->hosts))
            ;
    }
    assert_in_range(hosts_waiting(b->hosts), 390, 410);        /* and each may keep one */
    assert_int_equal(line_up(b, "slow0", 1), ERR_BUSY);
    assert_int_equal(line_up(b, "new", 1), ERR_NONE);
}

static void what_is_remembered_of_a_host_outlives_its_requests_and_is_forgotten_at_last(void **state)
{
    struct bench *b = *state;
    prove(b, "a");
    assert_int_equal(line_up(b, "a", 1), ERR_NONE);
    struct turn *t = next(b);
    *host_memo(t->host) = &b->forgotten;
    end(b, t, true);
    assert_int_equal(line_up(b, "a", 1), ERR_NONE);
    t = next(b);
    assert_ptr_equal(*host_memo(t->host), &b->forgotten);
    end(b, t, true);
    for (int i = 0; i < 4000; i++) {
        char name[24];
        snprintf(name, sizeof name, "other%d", i);
        b->used = 0;
        prove(b, name);
    }
    assert_int_equal(b->forgotten, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_new_host_gets_one_request_and_more_when_it_has_answered), T(hosts_take_turns),
        T(quick_hosts_start_whatever_black_holes_do), T(a_host_that_failed_gets_one_at_a_time_until_it_answers),
        T(a_host_that_answers_late_gets_a_quarter), T(a_line_is_bounded_in_number_and_octets),
        T(a_host_that_fails_gives_back_the_newest_of_what_waits), T(all_slow_hosts_together_leave_half_of_what_may_wait),
        T(what_is_remembered_of_a_host_outlives_its_requests_and_is_forgotten_at_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
