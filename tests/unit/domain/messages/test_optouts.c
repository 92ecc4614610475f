#include "domain/messages/optouts.h"
#include "base/str.h"

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
    assert_int_equal(optouts_put(o, STR("+18335550100"), STR("+12065550100"), STR("STOP")), ERR_NONE);
    assert_int_equal(optouts_put(o, STR("+18335550100"), STR("+12065550100"), STR("STOP")), ERR_NONE);
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
    assert_int_equal(optouts_put(o, STR("+18335550100"), STR("+12065550100"), STR("STOP")), ERR_NONE);
    assert_int_equal(optouts_put(o, STR("+18335550100"), STR("+12065550101"), STR("STOP")), ERR_NONE);
    assert_int_equal(optouts_put(o, STR("+18445550100"), STR("+12065550100"), STR("STOP")), ERR_NONE);
    optouts_drop_sender(o, STR("+18335550100"));
    optouts_drop_sender(o, STR("+18335550100"));
    assert_int_equal(optouts_count(o), 1);
    assert_false(optouts_has(o, STR("+18335550100"), STR("+12065550101")));
    assert_true(optouts_has(o, STR("+18445550100"), STR("+12065550100")));
}

static void who_said_so_first_stays(void **state)
{
    (void)state;
    char carrier[] = "carrier acme";
    assert_null(optouts_source(o, STR("+18335550100"), STR("+12065550100")));
    assert_int_equal(optouts_put(o, STR("+18335550100"), STR("+12065550100"), str_of(carrier)), ERR_NONE);
    memset(carrier, 'x', sizeof carrier - 1);
    assert_int_equal(optouts_put(o, STR("+18335550100"), STR("+12065550100"), STR("STOP")), ERR_NONE);
    assert_int_equal(optouts_put(o, STR("+18335550100"), STR("+12065550101"), STR("")), ERR_NONE);
    assert_string_equal(optouts_source(o, STR("+18335550100"), STR("+12065550100")), "carrier acme");
    assert_string_equal(optouts_source(o, STR("+18335550100"), STR("+12065550101")), "");
    optouts_take(o, STR("+18335550100"), STR("+12065550100"));
    assert_null(optouts_source(o, STR("+18335550100"), STR("+12065550100")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_opt_out_is_between_one_sender_and_one_phone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_said_so_first_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sender_that_goes_takes_its_own_list_alone, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
