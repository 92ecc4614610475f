/* What calls cost, against scripted peers: nothing before the answer, minutes until the hang-up, what is put aside meanwhile. */
#include "replay/calls_world.h"
#include "domain/billing/usage_priv.h"

static const int64_t SECOND = US_PER_S;
static const int64_t NOON = 1606824000 * (int64_t)US_PER_S;         /* 2020-12-01T12:00:00Z */

static int make(void **state)
{
    int rc = world_make(state);
    struct world *w = *state;
    clock_freeze(w->control.clock, NOON);
    assert_int_equal(usage_new(&w->control.usage, &w->control, w->accounts, "2020-10"), ERR_NONE);
    return rc;
}

static int end(void **state)
{
    struct world *w = *state;
    struct usage *usage = w->control.usage;
    world_settle(w);
    calls_free(w->calls);
    w->calls = NULL;
    w->control.usage = NULL;
    usage_free(usage);
    return world_end(state);
}

static void at(struct world *w, int64_t us)
{
    clock_freeze(w->control.clock, NOON + us);
}

static struct spend *spend(struct world *w)
{
    return usage_spend_of(w->control.usage, usage_payer(w->control.usage, w->resource));
}

/* "4:2x13000 6:2x4000": kind, minutes, price of each charge. */
static const char *charged(struct world *w)
{
    static char out[512];
    scoped(db_rows) struct db_rows *rows = NULL;
    struct usage_row row;
    const struct db_val of[] = { DB_I(usage_payer(w->control.usage, w->resource)), DB_I(w->resource), DB_I(0), DB_I(0),
                                 DB_I(INT64_MAX), DB_I(100) };
    assert_int_equal(db_load(w->control.db, DB_USAGE_AFTER, of, ARRAY_LEN(of), &rows), ERR_NONE);
    out[0] = 0;
    while (usage_row_next(rows, &row))
        snprintf(out + strlen(out), sizeof out - strlen(out), "%s%s:%lldx%lld", out[0] ? " " : "",
                 charge_word((enum charge_kind)row.kind), (long long)row.quantity, (long long)row.unit_micro);
    return out;
}

static void answered(struct world *w, struct str to)
{
    assert_int_equal(world_create(w, (struct call_new){ .to = to }), ERR_NONE);
    world_settle(w);
    media_opened(w);
    leg_answered(w);
}

static void a_call_counts_from_its_answer_to_the_hang_up(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+12065550110") }), ERR_NONE);
    world_settle(w);
    media_opened(w);
    assert_int_equal(spend(w)->held, 17000);            /* the first minute of both legs */
    at(w, 90 * SECOND);                                 /* it rings, for nothing */
    leg_answered(w);
    at(w, 150 * SECOND);
    assert_int_equal(calls_hang_up(w->calls, w->resource, str_of(w->id), true, (struct str){ 0 }, on_answer, w, &w->why), ERR_NONE);
    world_settle(w);
    assert_string_equal(charged(w), "");
    at(w, 155 * SECOND);                                /* the other end takes its time */
    leg_ended(w, 200, 0, false);
    assert_string_equal(charged(w), "callOut:1x13000 voipLeg:1x4000");
    assert_int_equal(spend(w)->held, 0);
    assert_int_equal(spend(w)->spent, 17000);
}

static void a_call_that_the_other_end_ends_counts_until_then(void **state)
{
    struct world *w = *state;
    answered(w, STR("+442071838750"));
    at(w, 60 * SECOND + 1);
    leg_ended(w, 200, 16, true);
    assert_string_equal(charged(w), "callOut:2x15000 voipLeg:2x4000");
}

static void a_call_that_nobody_answers_costs_nothing(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+12065550150") }), ERR_NONE);
    world_settle(w);
    media_opened(w);
    at(w, 60 * SECOND);
    leg_ended(w, 486, 17, true);
    assert_string_equal(charged(w), "");
    assert_int_equal(spend(w)->held, 0);
}

static void minutes_that_pass_are_put_aside(void **state)
{
    struct world *w = *state;
    answered(w, STR("+12065550110"));
    at(w, 190 * SECOND);
    world_pass(w, 10 * SECOND);
    assert_int_equal(spend(w)->held, 4 * 17000);
    spend(w)->cap = 5 * 17000;
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+12065550111") }), ERR_NONE);   /* its first minute just fits */
    world_settle(w);
    assert_int_equal(w->err, ERR_NONE);
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+12065550112") }), ERR_NONE);
    world_settle(w);
    assert_int_equal(w->err, ERR_FORBIDDEN);
    assert_string_equal(w->why.rule, "SpendCapReached");
}

static void an_emergency_call_is_never_stopped_and_never_charged(void **state)
{
    struct world *w = *state;
    spend(w)->cap = 0;
    answered(w, STR("911"));
    assert_int_equal(w->err, ERR_NONE);
    at(w, 300 * SECOND);
    leg_ended(w, 200, 16, true);
    assert_string_equal(charged(w), "emergency:5x0");
    assert_int_equal(spend(w)->spent, 0);
}

static void a_call_cut_off_by_a_crash_counts_until_it_was_last_noted(void **state)
{
    struct world *w = *state;
    answered(w, STR("+12065550110"));
    at(w, 70 * SECOND);
    world_pass(w, 10 * SECOND);                         /* the note */
    calls_free(w->calls);
    assert_int_equal(spend(w)->held, 0);
    at(w, 24 * 3600 * SECOND);                          /* a day later */
    world_calls(w);
    world_settle(w);
    assert_string_equal(charged(w), "callOut:2x13000 voipLeg:2x4000");
    calls_free(w->calls);
    world_calls(w);                                     /* and not again */
    world_settle(w);
    assert_string_equal(charged(w), "callOut:2x13000 voipLeg:2x4000");
}

static void a_call_cut_off_before_any_note_has_one_minute(void **state)
{
    struct world *w = *state;
    answered(w, STR("+12065550110"));
    calls_free(w->calls);
    at(w, 24 * 3600 * SECOND);
    world_calls(w);
    world_settle(w);
    assert_string_equal(charged(w), "callOut:1x13000 voipLeg:1x4000");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, make, end)
    const struct CMUnitTest tests[] = {
        T(a_call_counts_from_its_answer_to_the_hang_up), T(a_call_that_the_other_end_ends_counts_until_then),
        T(a_call_that_nobody_answers_costs_nothing), T(minutes_that_pass_are_put_aside),
        T(an_emergency_call_is_never_stopped_and_never_charged), T(a_call_cut_off_by_a_crash_counts_until_it_was_last_noted),
        T(a_call_cut_off_before_any_note_has_one_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
