#include "domain/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void a_rule_fills_code_text_name_and_next_step(void **state)
{
    (void)state;
    struct problem why = { 0 };
    enum err err = rule_problem(&why, ERR_FORBIDDEN, RULE_TRIAL_SUBSCRIPTION_NOT_ELIGIBLE, "mine", "trial");
    assert_int_equal(err, ERR_FORBIDDEN);
    assert_string_equal(why.code, "Forbidden");
    assert_string_equal(why.rule, "TrialSubscriptionNotEligible");
    assert_non_null(strstr(why.text, "'mine' has the offer 'trial'"));
    assert_non_null(strstr(why.suggestion, "account add"));
}

static void arguments_may_be_missing_and_nobody_need_listen(void **state)
{
    (void)state;
    struct problem why = { 0 };
    assert_int_equal(rule_problem(NULL, ERR_RANGE, RULE_OUT_OF_STOCK), ERR_RANGE);
    rule_problem(&why, ERR_RANGE, RULE_NUMBER_NOT_FOUND);
    assert_string_equal(why.text, "Input phoneNumber  cannot be found.");
}

static void what_is_too_long_is_cut(void **state)
{
    (void)state;
    char long_text[1000];
    struct problem why = { 0 };
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    rule_problem(&why, ERR_RANGE, RULE_NUMBER_NOT_FOUND, long_text);
    assert_int_equal(strlen(why.text), sizeof why.text - 1);
}

static void percent_signs_from_outside_are_only_text(void **state)
{
    (void)state;
    struct problem why = { 0 };
    rule_problem(&why, ERR_RANGE, RULE_NUMBER_NOT_FOUND, "%s%n{1}");
    assert_string_equal(why.text, "Input phoneNumber %s%n{1} cannot be found.");
}

static void every_rule_says_what_to_do(void **state)
{
    (void)state;
    for (int r = 0; r < RULE_COUNT; r++) {
        struct problem why = { 0 };
        rule_problem(&why, ERR_RANGE, (enum rule)r, "a", "b", "c", "d", "e");
        assert_true(why.text[0] && why.suggestion[0]);
        assert_string_equal(why.rule, rule_name((enum rule)r));
        assert_null(strchr(why.text, '{'));
        assert_true(strlen(why.suggestion) < sizeof why.suggestion - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_fills_code_text_name_and_next_step),
        cmocka_unit_test(arguments_may_be_missing_and_nobody_need_listen),
        cmocka_unit_test(what_is_too_long_is_cut),
        cmocka_unit_test(percent_signs_from_outside_are_only_text),
        cmocka_unit_test(every_rule_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
