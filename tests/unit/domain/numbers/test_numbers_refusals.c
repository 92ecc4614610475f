/* Refusals that no client of a healthy server can bring about (tests/api/refusals.test.mjs has the others). */
#include "base/problem.h"
#include "unit/domain/numbers/world.h"

/* A store with room for one unit: more come than it takes. */
static void a_store_that_has_no_room_asks_to_come_again(void **state)
{
    struct world *w = *state;
    struct db *whole = w->control.db;
    struct number_search_new rq = { .country = STR("US"), .type = NUMBER_TOLL_FREE, .assignment = ASSIGNED_APPLICATION,
                                    .calling = CAP_NONE, .sms = CAP_BOTH, .quantity = 1 };
    enum err err = ERR_NONE;
    if (db_open(&w->control.db, &(struct db_conf){ .readers = 1, .bound = 1 }, &w->why))
        fail_msg("%s", w->why.text);
    for (int i = 0; i < 10000 && !err; i++) {
        err = numbers_search(w->numbers, w->us, &rq, world_done, w, &w->why);
        w->waiting += !err;
    }
    struct problem why = w->why;
    assert_int_equal(err, ERR_BUSY);
    assert_string_equal(why.rule, "StoreBusy");
    assert_int_equal(why.retry_after_s, 1);
    assert_true(why.text[0] && why.suggestion[0]);
    world_pump(w);
    db_close(w->control.db);
    w->control.db = whole;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_store_that_has_no_room_asks_to_come_again, world_set_up, world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
