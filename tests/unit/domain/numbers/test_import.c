#include "domain/numbers/import.h"

#include "unit/domain/numbers/import_steps.h"

#define assert_rule(h, expression, error, rule_name)        \
    do {                                                    \
        assert_int_equal(expression, error);                \
        assert_string_equal((h).why.rule, rule_name);       \
        assert_true((h).why.text[0] && (h).why.suggestion[0]); \
    } while (0)

/* -- slices --------------------------------------------------------------------------------------------------------- */

static void expect_bad(struct import_row row, const char *rule)
{
    struct import_slice *s = slice_new(1);
    slice_add(s, 1, row);
    assert_int_equal(import_slice_count(s), 1);
    struct world *w = world_new();
    struct heard h;
    assert_int_equal(import_begin(w, "one", "sim", &h), ERR_NONE);
    assert_int_equal(import_give(w, "one", s, &h), ERR_NONE);
    assert_int_equal(h.im.rows, 0);
    assert_int_equal(h.im.bad, 1);
    assert_int_equal(h.n_bad, 1);
    assert_int_equal(h.bad[0].line, 1);
    struct problem why;
    import_bad_problem(&h.bad[0], &why);
    assert_string_equal(why.rule, rule);
    assert_non_null(strstr(why.text, h.bad[0].number));
    import_slice_free(s);
    world_free(w);
}

static void a_row_that_cannot_be_is_left_out_with_its_rule(void **state)
{
    (void)state;
    struct import_row row = row_of("12345");
    expect_bad(row, "RowNumberInvalid");
    expect_bad(row_of("+1206555010a"), "RowNumberInvalid");
    row = row_of("+12065550200");
    row.country = STR("CA");
    expect_bad(row, "RowCountryWrong");
    row = row_of("+12065550200");
    row.has_type = true;
    row.type = NUMBER_TOLL_FREE;
    expect_bad(row, "RowTypeWrong");
    row = row_of("+18335550200");
    row.has_type = true;
    row.type = NUMBER_GEOGRAPHIC;
    expect_bad(row, "RowTypeWrong");
    expect_bad(row_of("+19005550200"), "RowTypeWrong");
    row = row_of("+12065550200");
    row.calling = row.sms = CAP_NONE;
    expect_bad(row, "RowWithoutCapability");
    row = row_of("+12065550200");
    row.carrier = STR("nobody");
    expect_bad(row, "CarrierUnknown");
    row = row_of("+12065550200");
    row.tags = (struct str){ "\xff", 1 };
    expect_bad(row, "RowTagsInvalid");
}

static void a_row_without_a_carrier_needs_one_of_its_import(void **state)
{
    struct world *w = *state;
    struct heard h;
    assert_int_equal(import_begin(w, "one", "", &h), ERR_NONE);
    struct import_slice *s = slice_of(1, 12065552000, 2);
    struct import_row row = row_of("+12065553000");
    row.carrier = STR("sim");
    slice_add(s, 3, row);
    assert_int_equal(import_give(w, "one", s, &h), ERR_NONE);
    assert_int_equal(h.im.rows, 1);
    assert_int_equal(h.n_bad, 2);
    assert_int_equal(h.bad[1].rule, RULE_CARRIER_NEEDED);
    import_slice_free(s);
}

static void a_full_slice_takes_no_more(void **state)
{
    (void)state;
    struct import_slice *s = slice_of(1, 12065500000, IMPORT_SLICE_MOST);
    struct import_row row = row_of("+12065553000");
    assert_int_equal(import_slice_add(s, &row), ERR_SIZE);
    assert_int_equal(import_slice_bad(s, 9000, RULE_ROW_NUMBER_INVALID, STR("x"), STR("")), ERR_SIZE);
    import_slice_free(s);
}

/* -- the life of an import ------------------------------------------------------------------------------------------ */

static void numbers_can_be_had_once_their_import_is_complete_and_not_before(void **state)
{
    struct world *w = *state;
    struct heard h;
    assert_int_equal(import_begin(w, "one", "sim", &h), ERR_NONE);
    assert_int_equal(h.im.state, IMPORT_OPEN);
    assert_int_equal(h.im.next_line, 1);
    struct import_slice *s = slice_of(1, 12062000000, 500);
    assert_int_equal(import_give(w, "one", s, &h), ERR_NONE);
    assert_int_equal(h.im.next_line, 501);
    assert_int_equal(h.im.rows, 500);
    assert_int_equal(h.im.numbers, 500);
    assert_int_equal(stock_state(w, 12062000000), STOCK_IMPORTING);
    assert_int_equal(lease_one(w, w->us, local_in("206", 1)) / 10000, 1206555);
    assert_int_equal(import_complete(w, "one", &h), ERR_NONE);
    assert_int_equal(h.im.state, IMPORT_COMPLETE);
    assert_false(h.im.busy);
    assert_int_equal(stock_state(w, 12062000000), STOCK_AVAILABLE);
    assert_int_equal(lease_one(w, w->us, local_in("206", 1)) / 1000, 12062000);
    assert_int_equal(import_complete(w, "one", &h), ERR_NONE);          /* again: done at once */
    assert_rule(h, import_give(w, "one", s, &h), ERR_CONFLICT, "ImportEnded");
    import_slice_free(s);
}

static void a_slice_that_comes_twice_or_too_early_is_refused(void **state)
{
    struct world *w = *state;
    struct heard h;
    assert_int_equal(import_begin(w, "one", "sim", &h), ERR_NONE);
    struct import_slice *first = slice_of(1, 12062000000, 10), *third = slice_of(21, 12062000020, 10);
    assert_rule(h, import_give(w, "one", third, &h), ERR_CONFLICT, "ImportNotAtLine");
    assert_int_equal(import_give(w, "one", first, &h), ERR_NONE);
    assert_rule(h, import_give(w, "one", first, &h), ERR_CONFLICT, "ImportNotAtLine");
    assert_non_null(strstr(h.why.text, "line 11"));
    h = hearing(w);                     /* and one while another is being stored has to wait */
    struct import_slice *second = slice_of(11, 12062000010, 10);
    struct heard early = hearing(w);
    assert_int_equal(numbers_import_slice(w->numbers, STR("one"), second, on_import, &h, &h.why), ERR_NONE);
    assert_int_equal(numbers_import_slice(w->numbers, STR("one"), third, on_import, &early, &early.why), ERR_BUSY);
    w->waiting--;
    world_pump(w);
    assert_int_equal(import_give(w, "one", third, &h), ERR_NONE);
    assert_int_equal(h.im.rows, 30);
    import_slice_free(first);
    import_slice_free(second);
    import_slice_free(third);
}

static void what_is_there_already_is_left_out_and_says_where(void **state)
{
    struct world *w = *state;
    struct heard h;
    import_all(w, "old", "sim", 12062000000, 3);
    uint64_t leased = lease_one(w, w->us, toll_free_in("833", 1));
    assert_int_equal(import_begin(w, "new", "sim", &h), ERR_NONE);
    struct import_slice *s = slice_of(1, 12062000002, 2);
    char text[E164_SIZE];
    slice_add(s, 3, row_of("+12062000003"));
    slice_add(s, 4, row_of(e164_write(text, leased)));
    assert_int_equal(import_slice_bad(s, 5, RULE_ROW_COST_INVALID, STR("+1"), STR("much")), ERR_NONE);
    import_slice_end(s, 8);
    assert_int_equal(import_give(w, "new", s, &h), ERR_NONE);
    assert_int_equal(h.im.rows, 1);
    assert_int_equal(h.im.bad, 4);
    assert_int_equal(h.im.next_line, 8);
    enum rule rules[] = { RULE_INVENTORY_HAS_NUMBER, RULE_ROW_DOUBLED, RULE_NUMBER_IN_USE, RULE_ROW_COST_INVALID };
    uint64_t lines[] = { 1, 3, 4, 5 };
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(h.bad[i].rule, rules[i]);
        assert_int_equal(h.bad[i].line, lines[i]);
    }
    assert_string_equal(h.bad[0].detail, "old");
    assert_string_equal(h.bad[2].detail, "leased");
    import_slice_free(s);
}

struct bad_heard { struct world *w; size_t n; bool more; struct import_bad first; };

static void on_bad(void *arg, enum err err, const struct import_bad *bad, size_t count, bool more)
{
    struct bad_heard *b = arg;
    assert_int_equal(err, ERR_NONE);
    b->n = count;
    b->more = more;
    if (count)
        b->first = bad[0];
    b->w->waiting--;
}

static void an_import_goes_on_where_it_was_after_a_restart_with_its_report(void **state)
{
    struct world *w = *state;
    struct heard h;
    assert_int_equal(import_begin(w, "one", "sim", &h), ERR_NONE);
    struct import_slice *s = slice_of(1, 12062000000, 10);
    slice_add(s, 11, row_of("+1"));
    slice_add(s, 12, row_of("+2"));
    assert_int_equal(import_give(w, "one", s, &h), ERR_NONE);
    import_slice_free(s);
    world_restart(w);
    assert_int_equal(import_begin(w, "one", "sim", &h), ERR_NONE);
    assert_int_equal(h.im.next_line, 13);
    assert_int_equal(h.im.rows, 10);
    assert_int_equal(h.im.bad, 2);
    assert_int_equal(stock_state(w, 12062000005), STOCK_IMPORTING);
    struct bad_heard b = { .w = w };
    w->waiting++;
    assert_int_equal(numbers_import_bad(w->numbers, STR("one"), 0, 1, on_bad, &b, &h.why), ERR_NONE);
    world_pump(w);
    assert_true(b.n == 1 && b.more && b.first.line == 11 && b.first.rule == RULE_ROW_NUMBER_INVALID);
    assert_string_equal(b.first.number, "+1");
    s = slice_of(13, 12062000009, 2);
    assert_int_equal(import_give(w, "one", s, &h), ERR_NONE);
    assert_int_equal(h.im.rows, 11);
    assert_int_equal(h.bad[0].rule, RULE_ROW_DOUBLED);
    import_slice_free(s);
    assert_int_equal(import_complete(w, "one", &h), ERR_NONE);
    world_restart(w);
    for (uint64_t i = 0; i < 11; i++)
        assert_int_equal(stock_state(w, 12062000000 + i), STOCK_AVAILABLE);
    assert_int_equal(lease_one(w, w->us, local_in("206", 1)) / 1000, 12062000);
}

static void an_import_that_is_rolled_back_leaves_nothing(void **state)
{
    struct world *w = *state;
    struct heard h;
    import_all(w, "one", "sim", 12062000000, 12000);
    assert_int_equal(import_roll_back(w, "one", &h), ERR_NONE);
    assert_int_equal(h.im.state, IMPORT_ROLLED_BACK);
    assert_int_equal(h.im.numbers, 0);
    assert_int_equal(stock_state(w, 12062000000), STOCK_STATES);
    assert_int_equal(lease_one(w, w->us, local_in("206", 1)) / 10000, 1206555);
    assert_int_equal(import_roll_back(w, "one", &h), ERR_NONE);         /* again: done at once */
    assert_rule(h, import_complete(w, "one", &h), ERR_CONFLICT, "ImportEnded");
    world_restart(w);
    assert_int_equal(stock_state(w, 12062000000), STOCK_STATES);
    import_all(w, "two", "sim", 12062000000, 5);
    world_sleep(w, 2 * 3600 * SECOND);  /* the purge takes the old batches, and nothing of the new ones */
    w->waiting++;
    assert_int_equal(numbers_import_begin(w->numbers, &(struct import_new){ .id = STR("x") }, on_import,
                                          (h.w = w, &h), &h.why), ERR_NONE);
    world_pump(w);
    world_restart(w);
    assert_int_equal(stock_state(w, 12062000004), STOCK_AVAILABLE);
}

/* A column of costs that differ in each row, say. @return rows left out for want of lots */
static uint64_t import_of_many_lots(struct world *w, const char *id, size_t count)
{
    struct heard h;
    uint64_t left_out = 0;
    assert_int_equal(import_begin(w, id, "sim", &h), ERR_NONE);
    for (size_t done = 0; done < count;) {
        struct import_slice *s = slice_new(done + 1);
        for (size_t i = 0; i < IMPORT_SLICE_MOST && done < count; i++, done++) {
            char text[E164_SIZE];
            struct import_row row = row_of(e164_write(text, 12062000000 + done));
            row.cost_micro = (int64_t)done;
            slice_add(s, done + 1, row);
        }
        assert_int_equal(import_give(w, id, s, &h), ERR_NONE);
        left_out += h.n_bad;
        import_slice_free(s);
    }
    return left_out;
}

static void lots_of_imports_that_were_rolled_back_are_given_again(void **state)
{
    enum { LOTS = 65535 };
    struct world *w = *state;
    struct heard h;
    import_all(w, "before", "sim", 14252000000, 2);
    assert_int_equal(import_of_many_lots(w, "slip", LOTS + 10), 11);        /* one is taken by the import before it */
    assert_int_equal(import_begin(w, "late", "sim", &h), ERR_NONE);
    struct import_slice *s = slice_of(1, 14253000000, 1);
    assert_int_equal(import_give(w, "late", s, &h), ERR_NONE);
    assert_int_equal(h.bad[0].rule, RULE_TOO_MANY_SORTS);
    import_slice_free(s);
    assert_int_equal(import_roll_back(w, "late", &h), ERR_NONE);
    assert_int_equal(import_roll_back(w, "slip", &h), ERR_NONE);
    assert_int_equal(import_of_many_lots(w, "again", LOTS - 1), 0);
    assert_int_equal(import_complete(w, "again", &h), ERR_NONE);
    assert_int_equal(stock_state(w, 14252000000), STOCK_AVAILABLE);
    assert_int_equal(stock_state(w, 12062000000 + LOTS - 2), STOCK_AVAILABLE);
}

static void an_import_whose_numbers_are_in_use_is_not_rolled_back(void **state)
{
    struct world *w = *state;
    struct heard h;
    import_all(w, "one", "sim", 12062000000, 3);
    uint64_t digits = lease_one(w, w->us, local_in("206", 1));
    char text[E164_SIZE];
    assert_rule(h, import_roll_back(w, "one", &h), ERR_CONFLICT, "ImportInUse");
    assert_non_null(strstr(h.why.text, e164_write(text, digits)));
    assert_int_equal(release(w, w->us, digits), ERR_NONE);
    assert_rule(h, import_roll_back(w, "one", &h), ERR_CONFLICT, "ImportInUse");
    world_sleep(w, 80 * DAY);
    assert_int_equal(import_roll_back(w, "one", &h), ERR_NONE);
}

static void who_begins_under_a_bad_id_or_an_unknown_carrier_is_told(void **state)
{
    struct world *w = *state;
    struct heard h;
    assert_rule(h, import_begin(w, "a b", "sim", &h), ERR_RANGE, "ImportIdInvalid");
    assert_rule(h, import_begin(w, "one", "nobody", &h), ERR_RANGE, "CarrierUnknown");
    assert_rule(h, import_complete(w, "none", &h), ERR_ABSENT, "ImportNotFound");
    assert_int_equal(import_begin(w, "", "sim", &h), ERR_NONE);
    assert_int_equal(strlen(h.im.id), 16);
    const struct number_import *list[4];
    bool more;
    assert_int_equal(numbers_imports(w->numbers, 0, 4, list, &more), 1);
    assert_false(more);
}

static void an_import_all_of_whose_rows_were_left_out_ends_as_failed(void **state)
{
    struct world *w = *state;
    struct heard h;
    const struct number_import *im;
    assert_int_equal(import_begin(w, "bad", "sim", &h), ERR_NONE);
    struct import_slice *s = slice_new(1);
    slice_add(s, 1, row_of("+1"));
    slice_add(s, 2, row_of("+2"));
    assert_int_equal(import_give(w, "bad", s, &h), ERR_NONE);
    import_slice_free(s);
    assert_rule(h, import_complete(w, "bad", &h), ERR_CONFLICT, "ImportWithoutRows");
    world_restart(w);
    assert_int_equal(numbers_import_of(w->numbers, STR("bad"), &im, &h.why), ERR_NONE);
    assert_int_equal(im->state, IMPORT_FAILED);
    assert_string_equal(import_state_word(im->state), "failed");
    assert_rule(h, import_complete(w, "bad", &h), ERR_CONFLICT, "ImportEnded");
    assert_int_equal(import_begin(w, "empty", "sim", &h), ERR_NONE);
    assert_int_equal(import_complete(w, "empty", &h), ERR_NONE);
}

static void begin_dry(struct world *w, const char *id, struct heard *h)
{
    *h = hearing(w);
    struct import_new rq = { .id = str_of(id), .carrier = STR("sim"), .dry_run = true };
    assert_int_equal(import_settle(h, numbers_import_begin(w->numbers, &rq, on_import, h, &h->why)), ERR_NONE);
}

static enum import_state state_of(struct world *w, const char *id)
{
    const struct number_import *im;
    struct problem why;
    for (int i = 0; agenda_is_held(w->control.agenda) && i < 1000; i++) {
        inbox_wait(control_inbox(&w->control), 100);
        inbox_drain(control_inbox(&w->control));
    }
    assert_int_equal(numbers_import_of(w->numbers, str_of(id), &im, &why), ERR_NONE);
    return im->state;
}

static void a_dry_run_keeps_nothing_and_goes_by_itself_when_left_alone(void **state)
{
    struct world *w = *state;
    struct heard h;
    const int64_t minute = 60 * (int64_t)US_PER_S;
    begin_dry(w, "dry", &h);
    assert_true(h.im.dry_run);
    world_sleep(w, 14 * minute);
    struct import_slice *s = slice_of(1, 12062000000, 10);
    assert_int_equal(import_slice_mark(s, STR("a digest of ten")), ERR_NONE);
    assert_int_equal(import_slice_mark(s, STR("0123456789012345678901234567890123456789012345678901234567890123")), ERR_SIZE);
    assert_int_equal(import_give(w, "dry", s, &h), ERR_NONE);
    import_slice_free(s);
    assert_string_equal(h.im.mark, "a digest of ten");
    assert_rule(h, import_complete(w, "dry", &h), ERR_CONFLICT, "ImportDryRun");
    world_sleep(w, 14 * minute);
    assert_int_equal(state_of(w, "dry"), IMPORT_OPEN);
    world_restart(w);
    begin_dry(w, "dry", &h);
    assert_true(h.im.dry_run && h.im.next_line == 11);
    assert_string_equal(h.im.mark, "a digest of ten");
    world_sleep(w, 16 * minute);
    assert_int_equal(state_of(w, "dry"), IMPORT_ROLLED_BACK);
    assert_false(agenda_is_held(w->control.agenda));
    assert_int_equal(stock_state(w, 12062000005), STOCK_STATES);        /* nowhere */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_cannot_be_is_left_out_with_its_rule),
        T(a_row_without_a_carrier_needs_one_of_its_import),
        cmocka_unit_test(a_full_slice_takes_no_more),
        T(numbers_can_be_had_once_their_import_is_complete_and_not_before),
        T(a_slice_that_comes_twice_or_too_early_is_refused),
        T(what_is_there_already_is_left_out_and_says_where),
        T(an_import_goes_on_where_it_was_after_a_restart_with_its_report),
        T(an_import_that_is_rolled_back_leaves_nothing),
        T(lots_of_imports_that_were_rolled_back_are_given_again),
        T(an_import_whose_numbers_are_in_use_is_not_rolled_back),
        T(an_import_all_of_whose_rows_were_left_out_ends_as_failed),
        T(a_dry_run_keeps_nothing_and_goes_by_itself_when_left_alone),
        T(who_begins_under_a_bad_id_or_an_unknown_carrier_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
