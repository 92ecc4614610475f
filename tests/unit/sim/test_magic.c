#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/str.h"
#include "sim/magic.h"
#include "sim/manner.h"

static void the_last_two_digits_choose_in_any_area_code(void **state)
{
    (void)state;
    assert_string_equal(magic_of(STR("+12065550150"))->call, "refuse=486/17");
    assert_string_equal(magic_of(STR("+18335550150"))->call, "refuse=486/17");
    assert_string_equal(magic_of(STR("+12125550151"))->call, "answer-after=never");
    assert_int_equal(magic_of(STR("+12065550160"))->sms, SMSC_LOSES);
}

static void other_numbers_have_no_magic(void **state)
{
    (void)state;
    static const char *const plain[] = {
        "+12065550100", "+12065550149", "+12065550199", "+12065551150", "+1206555015", "+120655501500", "12065550150",
        "+442065550150", "912", "+911", "9111", "",
    };
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        assert_null(magic_of(str_of(plain[i])));
}

static void no_two_rows_share_their_digits(void **state)
{
    (void)state;
    for (size_t i = 0; magic_row(i); i++) {
        assert_in_range(strlen(magic_row(i)->digits), 2, 3);
        assert_true(magic_row(i)->digits[2] || magic_row(i)->digits[0] >= '5');
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(magic_row(i)->digits, magic_row(k)->digits);
        assert_true(magic_row(i)->sms != SMSC_REJECTS || magic_row(i)->command_status);
    }
}

static void emergency_numbers_are_a_desk_of_the_simulator(void **state)
{
    (void)state;
    static const char *const numbers[] = { "911", "112", "999", "933" };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        assert_true(magic_is_emergency(str_of(numbers[i])));
        assert_non_null(magic_of(str_of(numbers[i]))->call);
    }
    assert_false(magic_is_emergency(STR("+12065550150")));
    assert_false(magic_is_emergency(STR("50")));
    assert_false(magic_is_emergency(STR("912")));
}

static void every_call_of_the_list_can_be_carried_out(void **state)
{
    (void)state;
    for (size_t i = 0; magic_row(i); i++) {
        struct manner *m = NULL;
        struct problem why = { 0 };
        if (magic_row(i)->call && manner_of_text(&m, str_of(magic_row(i)->call), &why))
            fail_msg("%s: %s", magic_row(i)->digits, why.text);
        manner_unref(m);
    }
}

/* The unit tests run at the root of the tree. */
static void the_page_for_people_lists_exactly_these(void **state)
{
    (void)state;
    FILE *f = fopen("docs/magic-numbers.md", "r");
    assert_non_null(f);
    char line[512], want[512];
    size_t i = 0;
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, "| `", 3))
            continue;
        assert_non_null(magic_row(i));
        snprintf(want, sizeof want, "| `%s%s` | %s |\n", magic_row(i)->digits[2] ? "" : "555-01", magic_row(i)->digits, magic_row(i)->words);
        assert_string_equal(line, want);
        i++;
    }
    fclose(f);
    assert_null(magic_row(i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_two_digits_choose_in_any_area_code),
        cmocka_unit_test(other_numbers_have_no_magic),
        cmocka_unit_test(no_two_rows_share_their_digits),
        cmocka_unit_test(emergency_numbers_are_a_desk_of_the_simulator),
        cmocka_unit_test(every_call_of_the_list_can_be_carried_out),
        cmocka_unit_test(the_page_for_people_lists_exactly_these),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
