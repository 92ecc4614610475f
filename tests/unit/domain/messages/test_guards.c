/* Guards: which one means a message, when its bucket has a place, and when a range of numbers gets too many. */
#include "domain/messages/guards.h"
#include "base/clock.h"
#include "base/str.h"
#include "unit/cm.h"

static const int64_t S = US_PER_S, T0 = 1606780800 * (int64_t)US_PER_S;

static struct sms_guard limit(const char *name, enum guard_kind kind, const char *match, uint32_t count, uint32_t window_s)
{
    struct sms_guard g = { .kind = kind, .on = true, .count = count, .window_s = window_s };
    str_copyz(g.name, sizeof g.name, str_of(name));
    str_copyz(g.match, sizeof g.match, str_of(match));
    return g;
}

static const struct sms_guard *put(struct guards *g, struct sms_guard one)
{
    assert_int_equal(guards_put(g, &one), ERR_NONE);
    return guards_find(g, str_of(one.name));
}

static void those_of_the_data_are_there_and_off(void **state)
{
    (void)state;
    scoped(guards) struct guards *g = guards_new();
    const struct sms_guard *one = guards_find(g, STR("service-toll-free"));
    assert_non_null(one);
    assert_true(one->known && !one->on && one->refuses && one->count == 200 && one->window_s == 60);
    assert_false(guards_any(g, GUARD_SENDER));
    struct sms_guard other = *one;
    other.on = true;
    other.count = 7;
    put(g, other);
    assert_true(guards_any(g, GUARD_SENDER));
    assert_false(guards_hold(g));               /* it refuses */
    guards_take(g, STR("service-toll-free"));
    assert_int_equal(guards_find(g, STR("service-toll-free"))->count, 200);
    assert_false(guards_any(g, GUARD_SENDER));
}

static void the_most_particular_one_is_asked(void **state)
{
    (void)state;
    scoped(guards) struct guards *g = guards_new();
    struct guard_ask ask = { .from = STR("+18335550100"), .type = STR("toll-free"), .to = STR("+12065550100"), .account = STR("acme"),
                             .resource = STR("shop") };
    put(g, limit("all", GUARD_SENDER, "*", 1, 1));
    assert_string_equal(guards_match(g, GUARD_SENDER, &ask)->name, "all");
    put(g, limit("sort", GUARD_SENDER, "toll-free", 1, 1));
    assert_string_equal(guards_match(g, GUARD_SENDER, &ask)->name, "sort");
    put(g, limit("begins", GUARD_SENDER, "+1833*", 1, 1));
    assert_string_equal(guards_match(g, GUARD_SENDER, &ask)->name, "begins");
    put(g, limit("exactly", GUARD_SENDER, "+18335550100", 1, 1));
    assert_string_equal(guards_match(g, GUARD_SENDER, &ask)->name, "exactly");
    put(g, limit("us", GUARD_PREFIX, "1", 1, 1));
    put(g, limit("seattle", GUARD_PREFIX, "1206", 1, 1));
    put(g, limit("elsewhere", GUARD_PREFIX, "44", 1, 1));
    assert_string_equal(guards_match(g, GUARD_PREFIX, &ask)->name, "seattle");
    ask.carrier = STR("sim");
    put(g, limit("a-carrier", GUARD_OPTOUT, "sim/*", 0, 0));
    put(g, limit("any", GUARD_OPTOUT, "*", 0, 0));
    put(g, limit("type", GUARD_OPTOUT, "toll-free", 0, 0));
    assert_string_equal(guards_match(g, GUARD_OPTOUT, &ask)->name, "a-carrier");
    put(g, limit("carriers-type", GUARD_OPTOUT, "sim/toll-free", 0, 0));
    put(g, limit("z-other", GUARD_OPTOUT, "acme/toll-free", 0, 0));
    assert_string_equal(guards_match(g, GUARD_OPTOUT, &ask)->name, "carriers-type");
    put(g, limit("number", GUARD_OPTOUT, "+1833*", 0, 0));
    assert_string_equal(guards_match(g, GUARD_OPTOUT, &ask)->name, "number");
    put(g, limit("night", GUARD_QUIET, "account:acme", 0, 0));
    assert_string_equal(guards_match(g, GUARD_QUIET, &ask)->name, "night");
    ask.account = STR("other");
    assert_null(guards_match(g, GUARD_QUIET, &ask));
    assert_null(guards_match(g, GUARD_CARRIER, &ask));
}

static void a_burst_goes_at_once_and_the_rest_evenly(void **state)
{
    (void)state;
    scoped(guards) struct guards *g = guards_new();
    struct sms_guard ten = limit("ten", GUARD_SENDER, "*", 10, 10);
    ten.burst = 3;
    const struct sms_guard *b = put(g, ten);
    struct str who = STR("+18335550100");
    for (int i = 0; i < 3; i++)
        assert_int_equal(guards_reserve(b, who, T0, 1), T0);
    assert_int_equal(guards_slot(b, who, T0, 1), T0 + S);
    for (int i = 1; i < 6; i++)
        assert_int_equal(guards_reserve(b, who, T0, 1), T0 + i * S);
    assert_int_equal(guards_reserve(b, STR("another"), T0, 1), T0);
    assert_int_equal(guards_reserve(b, who, T0 + 3600 * S, 3), T0 + 3600 * S);
    assert_int_equal(guards_slot(b, who, T0 + 3600 * S, 2), T0 + 3602 * S);
    assert_int_equal(guards_slot(b, who, T0, 4), INT64_MAX);
}

static void in_any_window_no_more_than_the_burst_and_one_window_s_worth_go(void **state)
{
    (void)state;
    scoped(guards) struct guards *g = guards_new();
    const struct sms_guard *b = put(g, limit("g", GUARD_SENDER, "*", 200, 60));
    int64_t at[1000];
    int64_t now = T0;
    for (int i = 0; i < 1000; i++, now += (i * 7919) % 500000)
        at[i] = guards_reserve(b, STR("x"), now, 1);
    for (int i = 0; i + 400 < 1000; i++)
        assert_true(at[i + 400] - at[i] >= 60 * S - 1000);
    for (int i = 1; i < 1000; i++)
        assert_true(at[i] >= at[i - 1]);        /* order */
}

struct kept { struct guard_level level; char guard[64], owner[64]; int n; };

static void keep(void *arg, const struct guard_level *level)
{
    struct kept *k = arg;
    k->n++;
    k->level = *level;
    str_copyz(k->guard, sizeof k->guard, level->guard);
    str_copyz(k->owner, sizeof k->owner, level->owner);
    k->level.guard = str_of(k->guard);
    k->level.owner = str_of(k->owner);
}

static void a_restart_forgets_what_waits_and_not_what_has_gone(void **state)
{
    (void)state;
    scoped(guards) struct guards *g = guards_new(), *again = guards_new();
    struct sms_guard one = limit("g", GUARD_SENDER, "*", 2, 20);
    struct kept kept = { .n = 0 };
    const struct sms_guard *b = put(g, one);
    for (int i = 0; i < 5; i++)
        assert_true(guards_reserve(b, STR("x"), T0, 1) >= T0);
    guards_gone(g, b, STR("x"), T0);
    guards_gone(g, b, STR("x"), T0);
    assert_true(guards_dirty(g));
    guards_levels(g, keep, &kept);
    assert_int_equal(kept.n, 1);
    assert_false(guards_dirty(g));
    const struct sms_guard *c = put(again, one);
    assert_int_equal(guards_restore(again, &kept.level), ERR_NONE);
    for (int i = 1; i <= 3; i++)
        assert_int_equal(guards_reserve(c, STR("x"), T0, 1), T0 + i * 10 * S);
    guards_forget_places(again);
    assert_int_equal(guards_slot(c, STR("x"), T0, 1), T0 + 10 * S);
    put(again, one);                            /* changed: it begins anew */
    assert_int_equal(guards_slot(guards_find(again, STR("g")), STR("x"), T0, 2), T0);
}

static void a_guard_with_many_buckets_begins_anew_at_once(void **state)
{
    (void)state;
    enum { OWNERS = 50000 };
    scoped(guards) struct guards *g = guards_new();
    struct sms_guard one = limit("g", GUARD_SENDER, "*", 1, 3600);
    const struct sms_guard *b = put(g, one);
    char owner[16];
    for (int i = 0; i < OWNERS; i++) {
        snprintf(owner, sizeof owner, "%d", i);
        (void)guards_reserve(b, str_of(owner), T0, 1);
        guards_gone(g, b, str_of(owner), T0);
    }
    b = put(g, one);
    assert_false(guards_dirty(g));
    for (int i = 0; i < OWNERS; i += 997) {
        snprintf(owner, sizeof owner, "%d", i);
        assert_int_equal(guards_slot(b, str_of(owner), T0, 1), T0);
    }
}

static void a_range_that_gets_many_times_its_mean_is_closed(void **state)
{
    (void)state;
    scoped(guards) struct guards *g = guards_new();
    struct sms_guard p = limit("p", GUARD_PUMPING, "", 10, 600);
    struct guard_flow f;
    p.factor = 5;
    const struct sms_guard *b = put(g, p);
    for (int i = 0; i < 10; i++)
        assert_true(guards_flow(g, b, STR("r +120655"), T0, &f));
    assert_false(guards_flow(g, b, STR("r +120655"), T0, &f));
    assert_int_equal(f.now, 11);
    assert_int_equal(f.most, 10);
    assert_true(guards_flow(g, b, STR("r +131255"), T0, &f));
    assert_true(guards_flow(g, b, STR("r +120655"), T0 + 600 * S, &f));     /* a new window */
    /* steady traffic raises what is usual */
    int64_t now = T0 + 600 * S;
    for (int w = 0; w < 40; w++, now += 600 * S)
        for (int i = 0; i < 9; i++)
            assert_true(guards_flow(g, b, STR("r +120655"), now, &f));
    for (int i = 0; i < 30; i++)
        assert_true(guards_flow(g, b, STR("r +120655"), now, &f));
    assert_true(f.most > 30 && f.most < 50);
    /* and silence lets it sink */
    assert_true(guards_flow(g, b, STR("r +120655"), now + 200 * 600 * S, &f));
    assert_int_equal(f.most, 10);
}

/* Whom it counts is picked by who is texted: 300,000 ranges, and the one that is pumped among them. */
static void ranges_without_end_crowd_out_neither_the_one_in_use_nor_other_guards(void **state)
{
    (void)state;
    enum { RANGES = 300000 };
    scoped(guards) struct guards *g = guards_new();
    struct sms_guard p = limit("p", GUARD_PUMPING, "", 10, 600);
    struct guard_flow f;
    char owner[16];
    p.factor = 5;
    put(g, p);
    put(g, limit("s", GUARD_SENDER, "*", 1, 3600));
    const struct sms_guard *flow = guards_find(g, STR("p")), *sender = guards_find(g, STR("s"));
    assert_int_equal(guards_reserve(sender, STR("x"), T0, 1), T0);
    for (int i = 0; i < 10; i++)
        assert_true(guards_flow(g, flow, STR("pumped"), T0, &f));
    for (int i = 0; i < RANGES; i++) {
        snprintf(owner, sizeof owner, "%d", i);
        assert_true(guards_flow(g, flow, str_of(owner), T0, &f));
        if (i % 100000 == 0)
            assert_false(guards_flow(g, flow, STR("pumped"), T0, &f));
    }
    assert_false(guards_flow(g, flow, STR("pumped"), T0, &f));
    assert_int_equal(guards_slot(sender, STR("x"), T0, 1), T0 + 3600 * S);
}

static void what_did_not_go_after_all_counts_no_more(void **state)
{
    (void)state;
    scoped(guards) struct guards *g = guards_new();
    struct sms_guard p = limit("p", GUARD_PUMPING, "", 2, 600);
    struct guard_flow f;
    struct kept kept = { .n = 0 };
    p.factor = 5;
    put(g, p);
    put(g, limit("s", GUARD_SENDER, "*", 3, 30));
    const struct sms_guard *flow = guards_find(g, STR("p")), *sender = guards_find(g, STR("s"));
    assert_int_equal(guards_reserve(sender, STR("x"), T0, 3), T0);
    for (int i = 0; i < 3; i++)
        guards_gone(g, sender, STR("x"), T0);
    guards_return(g, sender, STR("x"), 2);
    assert_int_equal(guards_slot(sender, STR("x"), T0, 2), T0);
    assert_int_equal(guards_slot(sender, STR("x"), T0, 3), T0 + 10 * S);
    guards_levels(g, keep, &kept);
    assert_int_equal(kept.level.a, (T0 + 10 * S) * 1000);
    for (int i = 0; i < 2; i++)
        assert_true(guards_flow(g, flow, STR("r"), T0, &f));
    guards_flow_back(g, flow, STR("r"));
    assert_true(guards_flow(g, flow, STR("r"), T0, &f));
    assert_false(guards_flow(g, flow, STR("r"), T0, &f));
    guards_flow_back(g, flow, STR("nobody"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_of_the_data_are_there_and_off),
        cmocka_unit_test(the_most_particular_one_is_asked),
        cmocka_unit_test(a_burst_goes_at_once_and_the_rest_evenly),
        cmocka_unit_test(in_any_window_no_more_than_the_burst_and_one_window_s_worth_go),
        cmocka_unit_test(a_restart_forgets_what_waits_and_not_what_has_gone),
        cmocka_unit_test(a_guard_with_many_buckets_begins_anew_at_once),
        cmocka_unit_test(a_range_that_gets_many_times_its_mean_is_closed),
        cmocka_unit_test(ranges_without_end_crowd_out_neither_the_one_in_use_nor_other_guards),
        cmocka_unit_test(what_did_not_go_after_all_counts_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
