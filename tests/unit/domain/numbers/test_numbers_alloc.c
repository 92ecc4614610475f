/* Search, purchase, change, release and cancel with every allocation of ours failing in turn: an error or success, never
 * a crash, a leak or a number that stays marked for nobody. */
#include "unit/alloc.h"
#include "unit/domain/numbers/world.h"

static struct world *w;

static enum err through_a_lease(void)
{
    enum err err = search(w, w->us, toll_free_in("833", 2));
    if (err)
        return err;
    uint64_t key = w->op.subject, digits = numbers_search_find(w->numbers, w->us, key)->numbers[0];
    err = purchase(w, w->us, key);
    if (!err)
        err = change(w, w->us, digits, &(enum capability){ CAP_BOTH }, NULL);
    if (!err)
        err = release(w, w->us, digits);
    return err;
}

static enum err through_a_cancel(void)
{
    enum err err = search(w, w->us, local_in("307", 3));
    if (err)
        return err;
    w->waiting++;
    return settle(w, numbers_cancel(w->numbers, w->us, OPERATION_SEARCH, w->op.key, world_done, w, &w->why));
}

static void leasing_survives_each_allocation_failing(void **state)
{
    w = *state;
    assert_in_range(alloc_each_failing(through_a_lease), 10, 200);
}

static void canceling_survives_each_allocation_failing(void **state)
{
    w = *state;
    assert_in_range(alloc_each_failing(through_a_cancel), 8, 100);
    world_sleep(w, 15 * MINUTE);        /* holds whose cancel failed end by themselves: everything is free again */
    size_t count = 0;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(search(w, w->us, local_in("307", 1000)), ERR_NONE);
        count += numbers_search_find(w->numbers, w->us, w->op.subject)->count;
    }
    assert_int_equal(count, 9898);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(leasing_survives_each_allocation_failing, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(canceling_survives_each_allocation_failing, world_set_up, world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
