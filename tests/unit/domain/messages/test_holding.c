/* Messages that wait for guards or for their time: order, restarts, changes, ends. */
#include "domain/messages/guards.h"
#include "domain/messages/messages.h"
#include "unit/cm.h"
#include "unit/domain/scripted.h"
#include "unit/tmp.h"

struct stage {
    struct world         *w;
    struct events        *ev;
    struct messages      *m;
    struct courier_script courier;
    struct carrier_script sim;
    char                  from[20];
    enum err              err;
    struct problem        why;
    struct sms_result     result;
};

static void begin(struct stage *s)
{
    assert_int_equal(messages_new(&s->m, &s->w->control, s->w->accounts, s->w->numbers, s->ev), ERR_NONE);
    assert_int_equal(messages_load(s->m, &s->why), ERR_NONE);
    s->sim.number = messages_add_carrier(s->m, STR("sim"), true, &carrier_script_ops, &s->sim);
    messages_resume(s->m);
    struct carrier_news up = { .kind = CARRIER_UP, .carrier = s->sim.number };
    assert_int_equal(messages_tell(s->m, &up), ERR_NONE);
    world_settle(s->w);
}

static void restart(struct stage *s)
{
    world_settle(s->w);
    messages_free(s->m);
    world_restart(s->w);            /* the release hook of the old messages goes with its numbers */
    begin(s);
}

static int set_up(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    s->w = world_new_at(NULL);
    assert_int_equal(events_new(&s->ev, &s->w->control, &courier_script_ops, &s->courier), ERR_NONE);
    assert_int_equal(events_load(s->ev, &s->why), ERR_NONE);
    begin(s);
    e164_write(s->from, lease_one(s->w, s->w->us, toll_free_in("833", 1)));
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    messages_free(s->m);
    events_free(s->ev);
    world_free(s->w);
    free(s);
    return 0;
}

static void on_changed(void *arg, enum err err, const struct problem *why)
{
    struct stage *s = arg;
    s->err = err;
    s->why = *why;
}

static void guard(struct stage *s, const char *name, enum guard_kind kind, const char *match, uint32_t count, uint32_t window_s)
{
    struct sms_guard g = { .kind = kind, .on = true, .count = count, .window_s = window_s };
    str_copyz(g.name, sizeof g.name, str_of(name));
    str_copyz(g.match, sizeof g.match, str_of(match));
    assert_int_equal(messages_guard_add(s->m, &g, on_changed, s, &s->why), ERR_NONE);
    world_settle(s->w);
    assert_int_equal(s->err, ERR_NONE);
}

static void on_sent(void *arg, enum err err, const struct sms_result *results, size_t n)
{
    struct stage *s = arg;
    assert_int_equal(n, 1);
    s->err = err;
    s->result = results[0];
}

static void send(struct stage *s, const char *text, int64_t send_at_us, int64_t valid_until_us)
{
    struct sms_recipient to = { STR("+12065550100"), STR("") };
    struct sms_send rq = { .resource = s->w->us, .from = str_of(s->from), .recipients = &to, .n = 1, .text = str_of(text),
                           .send_at_us = send_at_us, .valid_until_us = valid_until_us };
    assert_int_equal(messages_send(s->m, &rq, on_sent, s, &s->why), ERR_NONE);
    world_settle(s->w);
    assert_int_equal(s->err, ERR_NONE);
    assert_int_equal(s->result.status, 202);
}

/* The texts the carrier was given, "a b c". */
static const char *given(const struct stage *s)
{
    static char words[4096];
    words[0] = '\0';
    for (size_t i = 0; i < s->sim.n; i++)
        snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s", words[0] ? " " : "", s->sim.sm[i].text);
    return words;
}

static void sleep_s(struct stage *s, int64_t seconds)
{
    world_sleep(s->w, seconds * SECOND);
    world_settle(s->w);
}

static void nothing_waits_while_no_guard_is_on(void **state)
{
    struct stage *s = *state;
    send(s, "a", 0, 0);
    assert_string_equal(given(s), "a");
}

static void one_after_the_other_through_every_stage_in_order(void **state)
{
    struct stage *s = *state;
    guard(s, "sender", GUARD_SENDER, "*", 1, 10);
    guard(s, "resource", GUARD_RESOURCE, "*", 1, 15);
    guard(s, "prefix", GUARD_PREFIX, "1206", 1, 5);
    guard(s, "carrier", GUARD_CARRIER, "sim", 1, 20);
    static const char *const texts[] = { "a", "b", "c", "d", "e" };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        send(s, texts[i], 0, 0);
    assert_string_equal(given(s), "a");
    sleep_s(s, 19);
    assert_string_equal(given(s), "a");             /* b passed its sender's, and its resource's */
    for (int i = 0; i < 100; i++)
        sleep_s(s, 1);
    assert_string_equal(given(s), "a b c d e");
}

static void a_restart_keeps_order_and_what_has_gone(void **state)
{
    struct stage *s = *state;
    guard(s, "g", GUARD_SENDER, "*", 2, 20);
    send(s, "a", 0, 0);
    send(s, "b", 0, 0);
    send(s, "c", 0, 0);
    send(s, "d", 0, 0);
    assert_string_equal(given(s), "a b");
    sleep_s(s, 1);                                  /* levels are written a second later */
    s->sim.n = 0;
    restart(s);
    send(s, "e", 0, 0);
    sleep_s(s, 8);
    assert_string_equal(given(s), "");              /* two have gone; unanswered, they go again, and count again */
    for (int i = 0; i < 60; i++)
        sleep_s(s, 1);
    assert_string_equal(given(s), "a b c d e");
}

static void its_own_time_comes_before_the_guards_and_outlives_a_restart(void **state)
{
    struct stage *s = *state;
    send(s, "late", s->w->now_us + 3600 * SECOND, 0);
    send(s, "soon", s->w->now_us - SECOND, 0);
    assert_string_equal(given(s), "soon");
    sleep_s(s, 3000);
    restart(s);
    sleep_s(s, 599);
    s->sim.n = 0;
    assert_string_equal(given(s), "");
    sleep_s(s, 2);
    assert_string_equal(given(s), "late");
}

static void what_is_valid_for_less_than_it_waits_ends(void **state)
{
    struct stage *s = *state;
    guard(s, "g", GUARD_SENDER, "*", 1, 600);
    send(s, "a", 0, 0);
    send(s, "b", 0, s->w->now_us + 60 * SECOND);
    send(s, "c", 0, 0);
    sleep_s(s, 61);
    sleep_s(s, 600);
    sleep_s(s, 600);
    assert_string_equal(given(s), "a c");
}

static void a_guard_that_is_removed_lets_all_go_in_order(void **state)
{
    struct stage *s = *state;
    guard(s, "g", GUARD_SENDER, "*", 1, 600);
    static const char *const texts[] = { "a", "b", "c", "d" };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        send(s, texts[i], 0, 0);
    assert_string_equal(given(s), "a");
    assert_int_equal(messages_guard_remove(s->m, STR("g"), on_changed, s, &s->why), ERR_NONE);
    world_settle(s->w);
    assert_string_equal(given(s), "a b c d");
}

static void quiet_hours_hold_and_the_morning_lets_go(void **state)
{
    struct stage *s = *state;                       /* 2020-12-01T00:00Z: 16:00 in Seattle */
    struct sms_guard g = { .name = "night", .kind = GUARD_QUIET, .match = "*", .on = true, .from = 15 * 60, .until = 17 * 60 };
    assert_int_equal(messages_guard_add(s->m, &g, on_changed, s, &s->why), ERR_NONE);
    world_settle(s->w);
    send(s, "a", 0, 0);
    send(s, "b", 0, 0);
    sleep_s(s, 3599);
    assert_string_equal(given(s), "");
    sleep_s(s, 1);
    assert_string_equal(given(s), "a b");
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(nothing_waits_while_no_guard_is_on),
        STAGED(one_after_the_other_through_every_stage_in_order),
        STAGED(a_restart_keeps_order_and_what_has_gone),
        STAGED(its_own_time_comes_before_the_guards_and_outlives_a_restart),
        STAGED(what_is_valid_for_less_than_it_waits_ends),
        STAGED(a_guard_that_is_removed_lets_all_go_in_order),
        STAGED(quiet_hours_hold_and_the_morning_lets_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
