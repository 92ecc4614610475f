/* The pacer against SMSCs that are three lines each. */
#include "edge/smpp/pacer.h"
#include "base/clock.h"
#include "unit/cm.h"

/* An SMSC with a token bucket, `rate` a second, `burst` at once. */
struct smsc { double rate, burst, level; int64_t at_us; unsigned random_percent; uint32_t chance; };

static bool smsc_takes(struct smsc *s, int64_t now_us)
{
    s->level += (double)(now_us - s->at_us) * s->rate / 1e6;
    s->at_us = now_us;
    if (s->level > s->burst)
        s->level = s->burst;
    s->chance = s->chance * 1664525u + 1013904223u;
    if ((s->chance >> 16) % 100 < s->random_percent || s->level < 1)
        return false;
    s->level -= 1;
    return true;
}

struct told { unsigned sent, taken, throttled, stops; int64_t longest_gap_us; };

/* There is always something to send; an answer takes no time; a timer is up to a millisecond late. */
static struct told run(struct pacer *p, struct smsc *s, int64_t from_us, int64_t for_us)
{
    struct told t = { 0 };
    int64_t now = from_us, last = from_us;
    while (now < from_us + for_us) {
        int64_t wait_us = 0;
        if (!pacer_take(p, (struct mono){ now }, &wait_us)) {
            now += wait_us + 700;
            continue;
        }
        t.sent++;
        if (smsc_takes(s, now)) {
            t.taken++;
            pacer_taken(p, (struct mono){ now });
            if (now - last > t.longest_gap_us)
                t.longest_gap_us = now - last;
            last = now;
            now += 20;
        } else if (t.throttled++, pacer_throttled(p, (struct mono){ now }, 1, &wait_us) == PACER_STOP) {
            t.stops++;
            now += wait_us;
        } else {
            now += 20;                  /* others go meanwhile */
        }
    }
    return t;
}

static void a_given_rate_is_spread_inside_the_second(void **state)
{
    (void)state;
    struct pacer p;
    struct smsc s = { .rate = 1e6, .burst = 1e6, .level = 1e6 };
    pacer_init(&p, 300, 100, (struct mono){ 0 });
    struct told t = run(&p, &s, 0, 10 * US_PER_S);
    assert_in_range(t.taken, 2950, 3020);
    assert_in_range(t.longest_gap_us, 0, 60 * US_PER_MS);
    assert_int_equal(t.throttled, 0);
}

static void what_the_carrier_takes_is_given_to_it_and_no_more(void **state)
{
    (void)state;
    struct pacer p;
    struct smsc s = { .rate = 300, .burst = 30, .level = 30 };
    pacer_init(&p, 300, 100, (struct mono){ 0 });
    struct told t = run(&p, &s, 0, 10 * US_PER_S);
    assert_in_range(t.taken, 2850, 3030);
    assert_in_range(t.throttled, 0, 60);
}

static void a_rate_that_nobody_told_is_learned(void **state)
{
    (void)state;
    struct pacer p;
    struct smsc s = { .rate = 300, .burst = 30, .level = 30 };
    pacer_init(&p, 0, 100, (struct mono){ 0 });
    assert_int_equal(pacer_rate(&p), 0);
    run(&p, &s, 0, 2 * US_PER_S);
    struct told t = run(&p, &s, 2 * US_PER_S, 10 * US_PER_S);
    assert_in_range(t.taken, 2850, 3030);
    assert_in_range(t.throttled, 0, 300);           /* one in ten at most */
    assert_in_range(pacer_rate(&p), 280, 340);
    s.rate = 600, s.burst = 60;                     /* it grew */
    run(&p, &s, 12 * US_PER_S, 8 * US_PER_S);
    t = run(&p, &s, 20 * US_PER_S, 5 * US_PER_S);
    assert_in_range(t.taken, 2850, 3060);
}

static void one_throttle_in_a_hundred_teaches_nothing(void **state)
{
    (void)state;
    struct pacer p;
    struct smsc s = { .rate = 1e6, .burst = 1e6, .level = 1e6, .random_percent = 1 };
    pacer_init(&p, 2000, 100, (struct mono){ 0 });
    struct told t = run(&p, &s, 0, 10 * US_PER_S);
    assert_in_range(t.taken, 19000, 20200);
    assert_int_equal(t.stops, 0);
}

static void nothing_taken_stops_everybody_for_longer_each_time(void **state)
{
    (void)state;
    struct pacer p;
    struct smsc s = { 0 };
    int64_t wait_us, last = 0;
    pacer_init(&p, 0, 1, (struct mono){ 0 });
    assert_int_equal(pacer_throttled(&p, (struct mono){ 0 }, 1, &wait_us), PACER_LATER);
    assert_int_equal(wait_us, 20 * US_PER_MS);
    pacer_throttled(&p, (struct mono){ 0 }, 3, &wait_us);
    assert_int_equal(wait_us, 80 * US_PER_MS);
    run(&p, &s, 0, US_PER_S);
    while (!pacer_is_stalled(&p)) {
        assert_int_equal(pacer_throttled(&p, (struct mono){ 0 }, 1, &wait_us), PACER_STOP);
        assert_true(wait_us > last);
        last = wait_us;
    }
    assert_int_equal(wait_us, 2 * US_PER_S);
    pacer_taken(&p, (struct mono){ 0 });
    assert_false(pacer_is_stalled(&p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_given_rate_is_spread_inside_the_second),
        cmocka_unit_test(what_the_carrier_takes_is_given_to_it_and_no_more),
        cmocka_unit_test(a_rate_that_nobody_told_is_learned),
        cmocka_unit_test(one_throttle_in_a_hundred_teaches_nothing),
        cmocka_unit_test(nothing_taken_stops_everybody_for_longer_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
