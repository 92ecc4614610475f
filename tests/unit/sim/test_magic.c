#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/str.h"
#include "sim/magic.h"

static void the_last_two_digits_choose_in_any_area_code(void **state)
{
    (void)state;
    assert_int_equal(magic_of(STR("+12065550150"))->status, 486);
    assert_int_equal(magic_of(STR("+18335550150"))->status, 486);
    assert_int_equal(magic_of(STR("+12125550151"))->answer_ms, MAGIC_RINGS_ON);
    assert_string_equal(magic_of(STR("+12065550154"))->keys, "123");
}

static void other_numbers_have_no_magic(void **state)
{
    (void)state;
    static const char *const plain[] = {
        "+12065550100", "+12065550149", "+12065550199", "+12065551150", "+1206555015", "+120655501500", "12065550150",
        "+442065550150", "911", "",
    };
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        assert_null(magic_of(str_of(plain[i])));
}

static void no_two_rows_share_their_digits(void **state)
{
    (void)state;
    for (size_t i = 0; magic_row(i); i++) {
        assert_int_equal(strlen(magic_row(i)->digits), 2);
        assert_in_range(magic_row(i)->digits[0], '5', '9');
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(magic_row(i)->digits, magic_row(k)->digits);
        assert_true(magic_row(i)->sms != SMSC_REJECTS || magic_row(i)->command_status);
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
        if (strncmp(line, "| `555-01", 9))
            continue;
        assert_non_null(magic_row(i));
        snprintf(want, sizeof want, "| `555-01%s` | %s |\n", magic_row(i)->digits, magic_row(i)->words);
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
        cmocka_unit_test(the_page_for_people_lists_exactly_these),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
