/* Search, purchase, change, release and cancel with every allocation of ours failing in turn: an error or success, never
 * a crash, a leak or a number that stays marked for nobody. */
#include "unit/alloc.h"
#include "unit/domain/numbers/world.h"

#include <stdio.h>

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

static void on_reserved(void *arg, enum err err, const struct number_reservation *r, enum reserved how,
                        const struct problem *why)
{
    (void)r;
    (void)how;
    world_done(arg, err, NULL, why);
}

static enum err reserve(const char *id, uint64_t in, uint64_t out)
{
    const struct reservation_wish wishes[] = {
        { .number = in, .country = STR("US"), .type = NUMBER_GEOGRAPHIC, .assignment = ASSIGNED_PERSON, .calling = CAP_BOTH },
        { .number = in + 1, .country = STR("US"), .type = NUMBER_GEOGRAPHIC, .assignment = ASSIGNED_PERSON,
          .calling = CAP_BOTH },
        { .number = out, .out = true },
    };
    w->waiting++;
    return settle(w, numbers_reserve(w->numbers, w->us, str_of(id), wishes, 3, on_reserved, w, &w->why));
}

/* Each try under an id of its own, over numbers that the tries before may still hold. */
static enum err through_a_reservation(void)
{
    static unsigned tries;
    char id[40];
    snprintf(id, sizeof id, "6e0b0e4b-6a35-4d0a-9f5c-%012u", ++tries);
    enum err err = reserve(id, 13075552000 + 4 * tries, 0);
    if (!err)
        err = reserve(id, 13075552002 + 4 * tries, 13075552000 + 4 * tries);
    if (err)
        return err;
    w->waiting++;
    return settle(w, tries % 2 ? numbers_buy_reserved(w->numbers, w->us, str_of(id), false, world_done, w, &w->why)
                               : numbers_unreserve(w->numbers, w->us, str_of(id), world_done, w, &w->why));
}

static void reserving_survives_each_allocation_failing(void **state)
{
    w = *state;
    assert_in_range(alloc_each_failing(through_a_reservation), 10, 200);
    world_sleep(w, 15 * MINUTE);        /* what was left held ends by itself; what was bought stays */
    size_t leases = 0, count = 0;
    for (uint64_t i = 13075550000; i < 13075560000; i++)
        leases += leased(w, i) != NULL;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(search(w, w->us, local_in("307", 1000)), ERR_NONE);
        count += numbers_search_find(w->numbers, w->us, w->op.subject)->count;
    }
    assert_int_equal(count + leases, 9898);
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
        cmocka_unit_test_setup_teardown(reserving_survives_each_allocation_failing, world_set_up, world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
