#include "domain/messages/optouts.h"

#include "unit/cm.h"

static struct optouts *o;

static int set_up(void **state)
{
    (void)state;
    return optouts_new(&o) != ERR_NONE;
}

static int tear_down(void **state)
{
    (void)state;
    optouts_free(o);
    return 0;
}

static void an_opt_out_is_between_one_sender_and_one_phone(void **state)
{
    (void)state;
    assert_int_equal(optouts_put(o, STR("+18335550100"), STR("+12065550100")), ERR_NONE);
    assert_int_equal(optouts_put(o, STR("+18335550100"), STR("+12065550100")), ERR_NONE);
    assert_int_equal(optouts_count(o), 1);
    assert_true(optouts_has(o, STR("+18335550100"), STR("+12065550100")));
    assert_false(optouts_has(o, STR("+18335550100"), STR("+12065550101")));
    assert_false(optouts_has(o, STR("+18335550101"), STR("+12065550100")));
    optouts_take(o, STR("+18335550100"), STR("+12065550101"));
    assert_int_equal(optouts_count(o), 1);
    optouts_take(o, STR("+18335550100"), STR("+12065550100"));
    assert_false(optouts_has(o, STR("+18335550100"), STR("+12065550100")));
    assert_int_equal(optouts_count(o), 0);
}

static void a_sender_that_goes_takes_its_own_list_alone(void **state)
{
    (void)state;
    assert_int_equal(optouts_put(o, STR("+18335550100"), STR("+12065550100")), ERR_NONE);
    assert_int_equal(optouts_put(o, STR("+18335550100"), STR("+12065550101")), ERR_NONE);
    assert_int_equal(optouts_put(o, STR("+18445550100"), STR("+12065550100")), ERR_NONE);
    optouts_drop_sender(o, STR("+18335550100"));
    optouts_drop_sender(o, STR("+18335550100"));
    assert_int_equal(optouts_count(o), 1);
    assert_false(optouts_has(o, STR("+18335550100"), STR("+12065550101")));
    assert_true(optouts_has(o, STR("+18445550100"), STR("+12065550100")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_opt_out_is_between_one_sender_and_one_phone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sender_that_goes_takes_its_own_list_alone, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
