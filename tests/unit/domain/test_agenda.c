#include "domain/agenda.h"

#include "unit/cm.h"

static const int64_t NOW = 1606780800 * (int64_t)US_PER_S;

struct stage {
    struct clock       *clock;
    struct agenda      *agenda;
    struct agenda_entry e[8];
    char                fired[64];      /* letters, in order */
    int64_t             at[64];         /* the product time at which each fired */
    size_t              n;
};

struct letter {
    struct stage *s;
    char          c;
    int64_t       due;
};
static struct letter letters[8];

static void note(struct letter *l, int64_t due_us)
{
    l->due = due_us;
    l->s->at[l->s->n] = clock_product_us(l->s->clock);
    l->s->fired[l->s->n++] = l->c;
}

static void on_due(void *arg, int64_t due_us)
{
    note(arg, due_us);
}

static int set_up(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    s->clock = clock_new(0);
    clock_freeze(s->clock, NOW);
    assert_int_equal(agenda_new(&s->agenda, NULL, s->clock), ERR_NONE);
    for (size_t i = 0; i < ARRAY_LEN(letters); i++)
        letters[i] = (struct letter){ s, (char)('a' + i), 0 };
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    agenda_free(s->agenda);
    clock_free(s->clock);
    free(s);
    return 0;
}

static void set(struct stage *s, size_t i, int64_t due)
{
    assert_int_equal(agenda_set(s->agenda, &s->e[i], due, on_due, &letters[i]), ERR_NONE);
}

static void what_is_due_fires_in_order_of_time(void **state)
{
    struct stage *s = *state;
    set(s, 0, NOW - 1);
    set(s, 1, NOW - 3);
    set(s, 2, NOW + 1);
    set(s, 3, NOW - 2);
    set(s, 4, NOW);
    assert_int_equal(agenda_catch_up(s->agenda), 4);
    assert_string_equal(s->fired, "bdae");
    assert_int_equal(letters[1].due, NOW - 3);
    assert_int_equal(agenda_count(s->agenda), 1);
    clock_freeze(s->clock, NOW + 1);
    assert_int_equal(agenda_catch_up(s->agenda), 1);
    assert_string_equal(s->fired, "bdaec");
    assert_int_equal(agenda_catch_up(s->agenda), 0);
}

static void ties_fire_in_order_of_setting(void **state)
{
    struct stage *s = *state;
    for (size_t i = 8; i--;)
        set(s, i, NOW);
    set(s, 6, NOW);                     /* set again: the last now */
    agenda_catch_up(s->agenda);
    assert_string_equal(s->fired, "hfedcbag");
}

static void an_entry_moves_and_goes(void **state)
{
    struct stage *s = *state;
    set(s, 0, NOW - 5);
    set(s, 1, NOW - 4);
    set(s, 2, NOW - 3);
    set(s, 0, NOW - 2);
    agenda_clear(s->agenda, &s->e[1]);
    agenda_clear(s->agenda, &s->e[1]);
    agenda_catch_up(s->agenda);
    assert_string_equal(s->fired, "ca");
    agenda_clear(s->agenda, &s->e[0]);  /* has fired: not set */
    assert_int_equal(agenda_count(s->agenda), 0);
}

/* A firing entry may clear another, set another, and set itself. */
static void on_meddle(void *arg, int64_t due_us)
{
    struct stage *s = ((struct letter *)arg)->s;
    note(arg, due_us);
    agenda_clear(s->agenda, &s->e[1]);
    set(s, 2, due_us);
    if (s->n < 3)
        assert_int_equal(agenda_set(s->agenda, &s->e[0], due_us + 1, on_meddle, arg), ERR_NONE);
}

static void a_firing_entry_may_set_and_clear_any(void **state)
{
    struct stage *s = *state;
    assert_int_equal(agenda_set(s->agenda, &s->e[0], NOW - 9, on_meddle, &letters[0]), ERR_NONE);
    set(s, 1, NOW - 8);
    set(s, 3, NOW - 7);
    agenda_catch_up(s->agenda);
    assert_string_equal(s->fired, "acacd");
}

static void on_every_hour(void *arg, int64_t due_us)
{
    struct letter *l = arg;
    note(l, due_us);
    assert_int_equal(agenda_set(l->s->agenda, &l->s->e[0], agenda_now_us(l->s->agenda) + 3600 * (int64_t)US_PER_S,
                                on_every_hour, l), ERR_NONE);
}

static void advancing_fires_each_at_its_own_product_time(void **state)
{
    struct stage *s = *state;
    clock_freeze(s->clock, 0);          /* the clock runs again */
    int64_t from = agenda_now_us(s->agenda), minute = 60 * (int64_t)US_PER_S, hour = 60 * minute;
    assert_int_equal(agenda_set(s->agenda, &s->e[0], from + hour, on_every_hour, &letters[0]), ERR_NONE);
    set(s, 1, from + 2 * hour + minute);
    assert_int_equal(agenda_advance(s->agenda, from + 4 * hour + hour / 2), 5);
    assert_string_equal(s->fired, "aabaa");
    const int64_t due[] = { hour, 2 * hour, 2 * hour + minute, 3 * hour, 4 * hour };
    for (size_t i = 0; i < 5; i++)
        assert_in_range(s->at[i], from + due[i], from + due[i] + 10 * US_PER_S);
    assert_in_range(agenda_now_us(s->agenda), from + 4 * hour + hour / 2, from + 4 * hour + hour / 2 + 10 * US_PER_S);
    assert_true(clock_offset_us(s->clock) > 4 * hour);
}

static void the_clock_is_never_moved_backwards(void **state)
{
    struct stage *s = *state;
    clock_freeze(s->clock, 0);
    clock_set_offset_us(s->clock, 10 * US_PER_S);
    set(s, 0, 5);
    assert_int_equal(agenda_advance(s->agenda, agenda_now_us(s->agenda) - US_PER_S), 1);
    assert_int_equal(clock_offset_us(s->clock), 10 * US_PER_S);
}

static void a_thousand_at_random_come_out_sorted(void **state)
{
    struct stage *s = *state;
    static struct agenda_entry many[1000];
    static struct letter all[1000];
    uint64_t x = 88172645463325252u;
    memset(many, 0, sizeof many);
    for (size_t i = 0; i < 3000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        size_t k = x % 1000;
        all[k] = (struct letter){ s, 'x', 0 };
        if (x & 0x10000)
            agenda_clear(s->agenda, &many[k]);
        else
            assert_int_equal(agenda_set(s->agenda, &many[k], NOW - (int64_t)(x >> 20) % 100000, on_due, &all[k]), ERR_NONE);
    }
    size_t count = agenda_count(s->agenda);
    assert_in_range(count, 300, 1000);
    int64_t last = 0;
    for (size_t i = 0; i < count; i++) {        /* one at a time, so that the order shows */
        int64_t least = INT64_MAX;
        size_t at = 0;
        for (size_t k = 0; k < 1000; k++)
            if (many[k].at == 1)
                least = many[k].due_us, at = k;
        for (size_t k = 0; k < 1000; k++)
            assert_true(!many[k].at || many[k].due_us >= least);
        assert_true(least >= last);
        last = least;
        agenda_clear(s->agenda, &many[at]);
    }
    assert_int_equal(agenda_count(s->agenda), 0);
}

static void on_due_stop(void *arg, int64_t due_us)
{
    (void)due_us;
    loop_stop(arg);
}

static void on_its_loop_it_wakes_by_itself(void **state)
{
    (void)state;
    struct loop *loop = NULL;
    struct agenda *a = NULL;
    struct clock *clock = clock_new(0);
    struct agenda_entry soon = { 0 }, later = { 0 };
    assert_int_equal(loop_new(&loop, "t", 8, NULL), ERR_NONE);
    assert_int_equal(agenda_new(&a, loop, clock), ERR_NONE);
    int64_t from = agenda_now_us(a);
    assert_int_equal(agenda_set(a, &later, from + 3600 * (int64_t)US_PER_S, on_due_stop, loop), ERR_NONE);
    assert_int_equal(agenda_set(a, &soon, from + 30 * US_PER_MS, on_due_stop, loop), ERR_NONE);
    loop_run_here(loop);
    assert_in_range(agenda_now_us(a) - from, 30 * US_PER_MS, 5 * US_PER_S);
    assert_int_equal(agenda_count(a), 1);
    agenda_free(a);
    assert_int_equal(later.at, 0);
    loop_free(loop);
    clock_free(clock);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_due_fires_in_order_of_time),
        T(ties_fire_in_order_of_setting),
        T(an_entry_moves_and_goes),
        T(a_firing_entry_may_set_and_clear_any),
        T(advancing_fires_each_at_its_own_product_time),
        T(the_clock_is_never_moved_backwards),
        T(a_thousand_at_random_come_out_sorted),
        cmocka_unit_test(on_its_loop_it_wakes_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
