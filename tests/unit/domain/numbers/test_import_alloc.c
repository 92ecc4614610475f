/* Imports from first to last, notes, withdrawals and the start with every allocation of ours failing in turn: an error or
 * success, and nothing half done: what an import says that it took is what is there, after a restart too. */
#include "unit/alloc.h"
#include "unit/domain/numbers/import_steps.h"

static struct world *w;
static unsigned tries;
static char id[32];

static uint64_t first_of(unsigned try)
{
    return 12062000000 + try * 1000;
}

static enum err slice_make(struct import_slice **out)
{
    scoped(import_slice) struct import_slice *s = NULL;
    enum err err = import_slice_new(&s, 1);
    for (uint64_t i = 0; i < 500 && !err; i++) {
        char text[E164_SIZE];
        struct import_row row = row_of(e164_write(text, first_of(tries) + i));
        row.line = i + 1;
        row.cost_micro = (int64_t)(i % 3);
        err = import_slice_add(s, &row);
    }
    if (!err)
        err = import_slice_bad(s, 501, RULE_ROW_NUMBER_INVALID, STR("x"), STR(""));
    *out = s;
    if (!err)
        s = NULL;
    return err;
}

/* Each try an import of its own, over numbers of its own. */
static enum err through_an_import(void)
{
    struct heard h;
    scoped(import_slice) struct import_slice *s = NULL;
    tries++;
    snprintf(id, sizeof id, "try-%u", tries);
    enum err err = import_begin(w, id, "sim", &h);
    if (!err && (err = slice_make(&s)))
        s = NULL;
    if (!err)
        err = import_give(w, id, s, &h);
    if (!err)
        err = import_complete(w, id, &h);
    if (!err && tries % 2)
        err = import_roll_back(w, id, &h);
    return err;
}

/* Every import has just what it says. */
static void check(void)
{
    const struct number_import *list[400];
    bool more;
    size_t n = numbers_imports(w->numbers, 0, ARRAY_LEN(list), list, &more);
    assert_true(n && !more);
    for (size_t i = 0; i < n; i++) {
        const struct number_import *im = list[i];
        unsigned try = (unsigned)atoi(im->id + 4);
        size_t there = 0;
        for (uint64_t d = first_of(try); d < first_of(try) + 500; d++) {
            enum stock_state state = stock_state(w, d);
            there += state != STOCK_STATES;
            if (state != STOCK_STATES)
                assert_int_equal(state, im->state == IMPORT_OPEN ? STOCK_IMPORTING : STOCK_AVAILABLE);
        }
        assert_false(im->busy);
        assert_int_equal(there, im->numbers);
        assert_int_equal(there, im->state == IMPORT_ROLLED_BACK ? 0 : im->rows);
        assert_true(im->rows == 0 || im->rows == 500);
    }
}

static void importing_survives_each_allocation_failing(void **state)
{
    w = *state;
    tries = 0;
    assert_in_range(alloc_each_failing(through_an_import), 20, 300);
    check();
    world_restart(w);
    check();
}

static void on_stored(void *arg, enum err err, const struct problem *why)
{
    (void)why;
    ((struct world *)arg)->err = err;
    w->waiting--;
}

static enum err through_a_note_and_a_withdrawal(void)
{
    char text[E164_SIZE];
    struct str note = STR("a note"), tags = STR("a b"), none = STR("");
    struct str number = str_of(e164_write(text, 14252000000 + tries++));
    w->waiting++;
    enum err err = settle(w, numbers_stock_note(w->numbers, number, &note, &tags, on_stored, w, &w->why));
    if (!err) {
        w->waiting++;
        err = settle(w, numbers_stock_note(w->numbers, number, &none, &none, on_stored, w, &w->why));
    }
    if (!err) {
        w->waiting++;
        err = settle(w, numbers_stock_withdraw(w->numbers, number, on_stored, w, &w->why));
    }
    return err;
}

static void notes_and_withdrawals_survive_each_allocation_failing(void **state)
{
    w = *state;
    tries = 0;
    import_all(w, "one", "sim", 14252000000, 200);
    assert_in_range(alloc_each_failing(through_a_note_and_a_withdrawal), 10, 150);
    assert_int_equal(stock_state(w, 14252000000 + tries - 1), STOCK_STATES);    /* the last try had all it wanted */
    for (uint64_t i = tries; i < 200; i++)
        assert_int_equal(stock_state(w, 14252000000 + i), STOCK_AVAILABLE);
}

static enum err through_a_start(void)
{
    struct numbers *n = NULL;
    struct problem why = { 0 };
    struct numbers_conf conf = { .edition = "2020-10", .seed = 7, .simulator = true };
    enum err err = numbers_new(&n, &w->control, w->accounts, &conf, &why);
    if (!err)
        err = numbers_load(n, &why);
    numbers_free(n);
    return err;
}

static void starting_survives_each_allocation_failing(void **state)
{
    w = *state;
    struct heard h;
    import_all(w, "one", "sim", 14252000000, 700);
    assert_int_equal(import_begin(w, "open", "sim", &h), ERR_NONE);
    struct import_slice *s = slice_of(1, 12062000000, 10);
    assert_int_equal(import_give(w, "open", s, &h), ERR_NONE);
    import_slice_free(s);
    lease_one(w, w->us, local_in("425", 1));
    uint64_t back = lease_one(w, w->us, local_in("425", 1));
    assert_int_equal(release(w, w->us, back), ERR_NONE);
    assert_in_range(alloc_each_failing(through_a_start), 20, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(importing_survives_each_allocation_failing, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(notes_and_withdrawals_survive_each_allocation_failing, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(starting_survives_each_allocation_failing, world_set_up, world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
