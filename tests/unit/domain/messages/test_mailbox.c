/* What waits for customers' ESMEs: kept until it is taken, in order, again when it came back. */
#include "domain/messages/mailbox.h"
#include "store/esmes.h"
#include "unit/cm.h"
#include "unit/domain/scripted.h"

enum { LETTERS_MAX = 1000 };
struct stage {
    struct world   *w;
    struct mailbox *mb;
    uint64_t        us;
    struct { uint64_t key; char text[32]; } got[LETTERS_MAX];
    size_t          n;
};

static enum err take(void *self, const struct letter *l)
{
    struct stage *s = self;
    assert_true(s->n < LETTERS_MAX);
    s->got[s->n].key = l->key;
    str_copyz(s->got[s->n++].text, sizeof s->got[0].text, l->text);
    return ERR_NONE;
}

static const struct letter_ops ops = { take };

static void open_box(struct stage *s)
{
    assert_int_equal(mailbox_new(&s->mb, &s->w->control), ERR_NONE);
    assert_int_equal(mailbox_load(s->mb), ERR_NONE);
    mailbox_set_postman(s->mb, &ops, s);
}

static int set_up(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    s->w = world_new();
    s->us = s->w->us;
    open_box(s);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    mailbox_free(s->mb);
    world_free(s->w);
    free(s);
    return 0;
}

static void put(struct stage *s, const char *text)
{
    struct db_unit *u = db_unit_new();
    mailbox_put(s->mb, u, &(struct letter){ .resource = s->us, .from = STR("+12065550100"), .to = STR("+18335550100"),
                                            .text = str_of(text), .reference = -1, .at_us = control_now_us(&s->w->control) });
    assert_int_equal(db_run(s->w->control.db, u), ERR_NONE);
    mailbox_go(s->mb, s->us);
}

/* Until so many have been handed out, and nothing more comes. */
static void come(struct stage *s, size_t n)
{
    for (int tries = 1000; tries && s->n < n; tries--)
        world_run(s->w, 2);
    world_settle(s->w);
    assert_int_equal(s->n, n);
}

static void settled(struct stage *s, size_t i, enum letter_outcome outcome)
{
    mailbox_settle(s->mb, s->us, s->got[i].key, 1, outcome, STR("somebody"));
    world_settle(s->w);
}

static int64_t rows(struct stage *s)
{
    scoped(db_rows) struct db_rows *r = NULL;
    assert_int_equal(db_load(s->w->control.db, DB_ESME_MAIL_NEXT, (const struct db_val[]){ DB_I(s->us), DB_I(0), DB_I(10000) }, 3, &r), ERR_NONE);
    return (int64_t)db_rows_count(r);
}

static void a_letter_waits_until_somebody_is_bound_and_goes_when_it_is_taken(void **state)
{
    struct stage *s = *state;
    put(s, "one");
    put(s, "two");
    world_settle(s->w);
    assert_int_equal(s->n, 0);
    mailbox_bound(s->mb, s->us, 1);
    come(s, 2);
    assert_string_equal(s->got[0].text, "one");
    assert_string_equal(s->got[1].text, "two");
    assert_int_equal(rows(s), 2);
    settled(s, 0, LETTER_TAKEN);
    settled(s, 1, LETTER_REFUSED);
    assert_int_equal(rows(s), 0);
    put(s, "three");
    come(s, 3);
}

static void what_came_back_is_handed_out_again_in_its_order_and_nothing_else_is(void **state)
{
    struct stage *s = *state;
    put(s, "one");
    put(s, "two");
    put(s, "three");
    mailbox_bound(s->mb, s->us, 1);
    come(s, 3);
    settled(s, 1, LETTER_RETURNED);
    settled(s, 0, LETTER_TAKEN);
    assert_int_equal(s->n, 3);          /* the third is still out: nobody may have it twice at a time */
    settled(s, 2, LETTER_RETURNED);
    come(s, 5);
    assert_string_equal(s->got[3].text, "two");
    assert_string_equal(s->got[4].text, "three");
}

static void what_is_refused_for_now_comes_after_a_second(void **state)
{
    struct stage *s = *state;
    put(s, "one");
    mailbox_bound(s->mb, s->us, 1);
    come(s, 1);
    settled(s, 0, LETTER_AGAIN);
    world_run(s->w, 100);
    assert_int_equal(s->n, 1);
    come(s, 2);
    assert_string_equal(s->got[1].text, "one");
}

static void no_more_are_out_than_are_read_at_a_time_and_the_rest_follows(void **state)
{
    struct stage *s = *state;
    char text[16];
    for (int i = 0; i < 400; i++) {
        snprintf(text, sizeof text, "%d", i);
        put(s, text);
    }
    mailbox_bound(s->mb, s->us, 1);
    come(s, 128);
    for (size_t i = 0; i < 400; i++) {
        if (i >= s->n)
            come(s, s->n < 272 ? 256 : 400);
        assert_int_equal(atoi(s->got[i].text), (int)i);
        mailbox_settle(s->mb, s->us, s->got[i].key, 1, LETTER_TAKEN, STR("somebody"));
        for (int tries = 1000; tries && i + 1 == s->n && i < 399; tries--)
            world_run(s->w, 2);
    }
    world_settle(s->w);
    assert_int_equal(rows(s), 0);
}

static void what_was_not_taken_is_there_after_a_restart_and_phones_write_on_to_who_was_bound(void **state)
{
    struct stage *s = *state;
    assert_false(mailbox_wants(s->mb, s->us));
    mailbox_bound(s->mb, s->us, 1);
    assert_true(mailbox_wants(s->mb, s->us));
    put(s, "one");
    come(s, 1);
    world_settle(s->w);
    mailbox_free(s->mb);
    open_box(s);
    assert_true(mailbox_wants(s->mb, s->us));
    mailbox_bound(s->mb, s->us, 1);
    come(s, 2);
    assert_string_equal(s->got[1].text, "one");
}

static struct { bool done; enum err err; } ended;
static void on_ended(void *arg, enum err err)
{
    (void)arg;
    ended.done = true;
    ended.err = err;
}

static void with_a_resource_all_that_waits_for_it_ends(void **state)
{
    struct stage *s = *state;
    put(s, "one");
    mailbox_bound(s->mb, s->us, 1);
    come(s, 1);
    assert_int_equal(mailbox_end(s->mb, s->us, on_ended, NULL), ERR_NONE);
    world_settle(s->w);
    assert_true(ended.done && !ended.err);
    assert_int_equal(rows(s), 0);
    assert_false(mailbox_wants(s->mb, s->us));
    settled(s, 0, LETTER_TAKEN);         /* its ESME was slower */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_letter_waits_until_somebody_is_bound_and_goes_when_it_is_taken),
        T(what_came_back_is_handed_out_again_in_its_order_and_nothing_else_is),
        T(what_is_refused_for_now_comes_after_a_second),
        T(no_more_are_out_than_are_read_at_a_time_and_the_rest_follows),
        T(what_was_not_taken_is_there_after_a_restart_and_phones_write_on_to_who_was_bound),
        T(with_a_resource_all_that_waits_for_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
