#include "domain/retention.h"
#include "store/calls.h"
#include "store/inventory.h"
#include "store/messages.h"
#include "unit/cm.h"
#include "unit/domain/scripted.h"
#include "unit/tmp.h"

#include <sqlite3.h>

struct stage {
    struct tmp               tmp;
    struct world            *w;
    struct retention_purges *p;
    uint64_t                 next;
};

static void start(struct stage *s, const char *text)
{
    struct retention r;
    struct problem why;
    retention_purges_free(s->p);
    s->p = NULL;
    assert_int_equal(retention_read(&r, str_of(text), &why), ERR_NONE);
    assert_int_equal(retention_start(&s->p, &s->w->control, &r), ERR_NONE);
}

static int set_up(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    s->tmp = tmp_new();
    s->w = world_new_at(tmp_file(&s->tmp, "carterfone.db"));
    s->next = 1;
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    retention_purges_free(s->p);
    world_free(s->w);
    tmp_free(&s->tmp);
    free(s);
    return 0;
}

/* -- rows --------------------------------------------------------------------------------------------------------------- */

static void run(struct stage *s, struct db_unit *u)
{
    assert_int_equal(db_run(s->w->control.db, u), ERR_NONE);
}

static void add_messages(struct stage *s, int n, int state)
{
    struct db_unit *u = db_unit_new();
    for (int i = 0; i < n; i++) {
        message_row_insert(u, &(struct message_row){ .key = s->next, .resource = 1, .from = STR("+18005550100"), .to = STR("+12065550100"),
                                                     .text = STR("secret"), .tag = STR(""), .repeat_id = STR(""), .carrier = STR("sim"),
                                                     .trail = STR(""), .state = state, .segments = 1, .created_us = s->w->now_us });
        segment_row_insert(u, &(struct segment_row){ s->next++, 0, STR("sim"), STR("x"), -1 });
    }
    run(s, u);
}

static void add_calls(struct stage *s, int n, bool ended)
{
    struct db_unit *u = db_unit_new();
    for (int i = 0; i < n; i++) {
        struct str none = STR("");
        struct call_row row = { .key = s->next++, .resource = 1, .caller = none, .callee = none, .display = none, .source = none,
                                .callback_uri = none, .context = none, .trunk = none, .words = none, .created_us = s->w->now_us,
                                .ended_us = s->w->now_us };
        char id[32];
        snprintf(id, sizeof id, "%llu", (unsigned long long)row.key);
        call_row_insert(u, &row);
        if (ended)
            call_row_end(u, &row);
        call_trail_insert(u, row.key, 0, row.created_us, STR("sip INVITE"));
        call_repeat_insert(u, 1, str_of(id), row.key, row.created_us, 0);
    }
    run(s, u);
}

static void add_audit(struct stage *s, int n)
{
    struct db_unit *u = db_unit_new();
    for (int i = 0; i < n; i++)
        number_audit_row_insert(u, &(struct number_audit_row){ .digits = 12065550100 + s->next, .key = s->next, .at_us = s->w->now_us,
                                                               .what = STR("noted"), .detail = STR("x") }), s->next++;
    run(s, u);
}

/* Rows there are, seen by another than the store. */
static int64_t count(struct stage *s, const char *what)
{
    sqlite3 *raw = NULL;
    sqlite3_stmt *q = NULL;
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", what);
    assert_int_equal(sqlite3_open(tmp_file(&s->tmp, "carterfone.db"), &raw), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(raw, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(raw);
    return n;
}

static void pass(struct stage *s, int64_t us)
{
    world_sleep(s->w, us);
    for (int i = 0; i < 20; i++)
        world_settle(s->w);
}

/* -- the words ------------------------------------------------------------------------------------------------------------ */

static void untold_each_kind_has_the_age_of_the_manual(void **state)
{
    (void)state;
    struct retention r;
    assert_int_equal(retention_read(&r, STR(""), NULL), ERR_NONE);
    assert_int_equal(r.keep_us[RETAIN_MESSAGES], 90 * DAY);
    assert_int_equal(r.keep_us[RETAIN_BODIES], 30 * DAY);
    assert_int_equal(r.keep_us[RETAIN_EVENTS], 7 * DAY);
    assert_int_equal(r.keep_us[RETAIN_RECORDINGS], 2 * DAY);
    assert_int_equal(r.keep_us[RETAIN_AUDIT], 730 * DAY);
}

static void one_kind_may_be_told_alone(void **state)
{
    (void)state;
    struct retention r;
    assert_int_equal(retention_read(&r, STR("calls=36h, audit=3y"), NULL), ERR_NONE);
    assert_int_equal(r.keep_us[RETAIN_CALLS], 36 * DAY / 24);
    assert_int_equal(r.keep_us[RETAIN_AUDIT], 3 * 365 * DAY);
    assert_int_equal(r.keep_us[RETAIN_MESSAGES], 90 * DAY);
}

static void what_is_misspelt_is_told_with_the_nearest(void **state)
{
    (void)state;
    struct retention r = { .keep_us = { 42 } };
    struct problem why;
    assert_int_equal(retention_read(&r, STR("calls=2d,mesages=90d"), &why), ERR_ABSENT);
    assert_non_null(strstr(why.text, "did you mean 'messages'?"));
    assert_int_equal(r.keep_us[RETAIN_MESSAGES], 42);
    const struct { const char *text; enum err err; const char *said; } bad[] = {
        { "messages", ERR_SYNTAX, "KIND=AGE" },     { "messages=", ERR_SYNTAX, "KIND=AGE" },
        { "messages=soon", ERR_SYNTAX, "48h" },     { "messages=1h", ERR_RANGE, "at least 168 hours" },
        { "audit=101y", ERR_RANGE, "100 years" },   { "audit=-1d", ERR_SYNTAX, "48h" },
        { "bodies=1d", ERR_RANGE, "on its way" },   { "messages=90d,,", ERR_SYNTAX, "KIND=AGE" },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(retention_read(&r, str_of(bad[i].text), &why), bad[i].err);
        assert_non_null(strstr(why.text, bad[i].said));
    }
}

/* -- what goes ------------------------------------------------------------------------------------------------------------ */

static void ended_messages_go_with_their_segments_and_those_on_their_way_stay(void **state)
{
    struct stage *s = *state;
    start(s, "messages=8d");
    add_messages(s, 3, 2);              /* in the way, all the time */
    add_messages(s, 1300, 10);          /* more than two slices */
    pass(s, 5 * DAY);
    add_messages(s, 7, 11);
    assert_int_equal(count(s, "message"), 1310);
    pass(s, 4 * DAY);
    assert_int_equal(count(s, "message"), 10);
    assert_int_equal(count(s, "segment"), 10);
    pass(s, 5 * DAY);
    assert_int_equal(count(s, "message"), 3);
}

static void texts_go_before_their_messages(void **state)
{
    struct stage *s = *state;
    start(s, "bodies=7d");
    add_messages(s, 2100, 10);
    pass(s, 6 * DAY);
    assert_int_equal(count(s, "message WHERE body <> ''"), 2100);
    add_messages(s, 5, 10);
    pass(s, 2 * DAY);
    assert_int_equal(count(s, "message WHERE body <> ''"), 5);
    assert_int_equal(count(s, "message"), 2105);
    pass(s, 6 * DAY);
    assert_int_equal(count(s, "message WHERE body <> ''"), 0);
}

static void ended_calls_go_with_all_that_is_theirs(void **state)
{
    struct stage *s = *state;
    start(s, "calls=2d");
    add_calls(s, 2, false);
    add_calls(s, 250, true);
    pass(s, DAY);
    add_calls(s, 4, true);
    assert_int_equal(count(s, "call"), 256);
    pass(s, DAY + DAY / 4);
    assert_int_equal(count(s, "call"), 6);
    assert_int_equal(count(s, "call_trail"), 6);
    assert_int_equal(count(s, "call_repeat"), 6);
}

static void the_audit_goes_last(void **state)
{
    struct stage *s = *state;
    start(s, "");
    add_audit(s, 1500);
    pass(s, 700 * DAY);
    add_audit(s, 3);
    pass(s, 40 * DAY);
    assert_int_equal(count(s, "number_audit"), 3);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(untold_each_kind_has_the_age_of_the_manual),
        cmocka_unit_test(one_kind_may_be_told_alone),
        cmocka_unit_test(what_is_misspelt_is_told_with_the_nearest),
        T(ended_messages_go_with_their_segments_and_those_on_their_way_stay),
        T(texts_go_before_their_messages),
        T(ended_calls_go_with_all_that_is_theirs),
        T(the_audit_goes_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
