#include "codec/e164/e164.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static enum err reads(const char *text, uint64_t *digits)
{
    return e164_read(str_of(text), digits);
}

static void a_number_is_read_with_or_without_its_plus(void **state)
{
    (void)state;
    uint64_t a = 0, b = 0;
    assert_int_equal(reads("+12065550100", &a), ERR_NONE);
    assert_int_equal(reads("12065550100", &b), ERR_NONE);
    assert_int_equal(a, 12065550100);
    assert_int_equal(b, a);
    assert_int_equal(e164_read_plus(STR("12065550100"), &a), ERR_SYNTAX);
    assert_int_equal(e164_read_plus(STR("+12065550100"), &a), ERR_NONE);
}

static void what_is_not_digits_is_malformed_and_leaves_the_result_alone(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "+", "++12065550100", "+1206555010x", "+1 206 555 0100", "tel:+12065550100",
                                       "+02065550100", "0", "+1234567890123456", "+12065550100\n" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t digits = 7;
        assert_int_equal(reads(bad[i], &digits), ERR_SYNTAX);
        assert_int_equal(digits, 7);
    }
}

static void a_north_american_number_has_ten_digits_after_its_one(void **state)
{
    (void)state;
    uint64_t digits;
    assert_int_equal(reads("+1425555012345", &digits), ERR_RANGE);     /* short enough for E.164 */
    assert_int_equal(reads("+1425555012", &digits), ERR_RANGE);
    assert_int_equal(reads("+14255550123", &digits), ERR_NONE);
}

static void the_forms_of_the_north_american_plan_are_kept(void **state)
{
    (void)state;
    static const struct { const char *number; enum err err; } cases[] = {
        { "+11065550100", ERR_RANGE }, { "+10065550100", ERR_RANGE },      /* [2-9]XX */
        { "+12115550100", ERR_RANGE }, { "+19115550100", ERR_RANGE },      /* N11 */
        { "+12905550100", ERR_RANGE }, { "+18995550100", ERR_RANGE },      /* N9X */
        { "+13705550100", ERR_RANGE }, { "+13795550100", ERR_RANGE },      /* 37X */
        { "+19605550100", ERR_RANGE }, { "+19695550100", ERR_RANGE },      /* 96X */
        { "+12061550100", ERR_RANGE }, { "+12060550100", ERR_RANGE },      /* NXX [2-9]XX */
        { "+12069110100", ERR_RANGE }, { "+12064110100", ERR_RANGE },      /* N11 behind a geographic code */
        { "+18009110100", ERR_NONE },  { "+18334110100", ERR_NONE },       /* ... is real behind a toll-free one */
        { "+13615550100", ERR_NONE },  { "+19585550100", ERR_NONE },
    };
    uint64_t digits;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (reads(cases[i].number, &digits) != cases[i].err)
            fail_msg("%s", cases[i].number);
}

static void country_codes_and_lengths_decide_what_is_possible_elsewhere(void **state)
{
    (void)state;
    uint64_t digits;
    assert_int_equal(reads("+442079460018", &digits), ERR_NONE);
    assert_int_equal(reads("+4420794600181234", &digits), ERR_SYNTAX);     /* 16 digits */
    assert_int_equal(reads("+33123456789", &digits), ERR_NONE);
    assert_int_equal(reads("+3312345", &digits), ERR_RANGE);
    assert_int_equal(reads("+2101234567", &digits), ERR_RANGE);            /* 210 is no country code */
    assert_int_equal(reads("+999123456789", &digits), ERR_RANGE);
}

static void the_country_is_told_by_the_longest_code(void **state)
{
    (void)state;
    assert_string_equal(e164_country(442079460018), "GB");
    assert_string_equal(e164_country(4930123456), "DE");
    assert_string_equal(e164_country(77012345678), "KZ");
    assert_string_equal(e164_country(79161234567), "RU");
    assert_string_equal(e164_country(2101234567), "");
}

static void numbers_are_written_as_people_do_where_that_is_known(void **state)
{
    (void)state;
    char text[E164_SIZE];
    assert_string_equal(e164_write_international(text, 12065550100), "+1 206-555-0100");
    assert_string_equal(e164_write_international(text, 442079460018), "+44 2079460018");
    assert_string_equal(e164_write_international(text, 77012345678), "+7 7012345678");
    assert_string_equal(e164_write_international(text, 79161234567), "+7 9161234567");
    assert_string_equal(e164_write_international(text, 2101234567), "+2101234567");
    assert_string_equal(e164_write_international(text, 35312345678), "+353 12345678");
    assert_string_equal(e164_write_international(text, UINT64_MAX), "+1 8446744073709551615");   /* it fits */
    assert_true(e164_write_national(text, 12065550100));
    assert_string_equal(text, "(206) 555-0100");
    assert_false(e164_write_national(text, 442079460018));
    assert_string_equal(text, "");
}

static void plus_one_is_told_apart_by_area_code(void **state)
{
    (void)state;
    assert_string_equal(e164_country(12065550100), "US");
    assert_string_equal(e164_country(18335550100), "US");
    assert_string_equal(e164_country(14165550100), "CA");
    assert_string_equal(e164_country(18765550100), "JM");
    assert_string_equal(e164_country(17875550100), "PR");      /* territories are their own countries */
    assert_string_equal(e164_country(16715550100), "GU");
    assert_string_equal(e164_country(13405550100), "VI");
    assert_string_equal(e164_country(16845550100), "AS");
    assert_string_equal(e164_country(16705550100), "MP");
    assert_string_equal(e164_country(12205550100), "US");
    assert_string_equal(e164_country(15555550100), "");        /* not assigned */
}

static void area_codes_know_their_places(void **state)
{
    (void)state;
    const struct nanp_area *a = nanp_area(206);
    assert_string_equal(a->place, "Seattle");
    assert_string_equal(a->admin, "WA");
    assert_string_equal(a->admin_name, "Washington");
    assert_string_equal(nanp_area(212)->place, "New York");
    assert_string_equal(nanp_area(212)->admin, "NY");
    assert_int_equal(nanp_area(833)->kind, NANP_TOLL_FREE);
    assert_int_equal(nanp_area(900)->kind, NANP_OTHER);
    assert_int_equal(nanp_area(500)->kind, NANP_OTHER);
    assert_null(nanp_area(555));
}

static void every_area_code_in_the_table_is_well_formed(void **state)
{
    (void)state;
    size_t n, toll_free = 0;
    const struct nanp_area *areas = nanp_areas(&n);
    assert_true(n > 400);
    for (size_t i = 0; i < n; i++) {
        assert_true(nanp_npa_possible(areas[i].npa));
        assert_true(!i || areas[i].npa > areas[i - 1].npa);
        assert_int_equal(strlen(areas[i].country), 2);
        assert_true((areas[i].kind == NANP_TOLL_FREE) == nanp_is_toll_free(areas[i].npa));
        assert_true(areas[i].kind != NANP_GEOGRAPHIC || areas[i].place[0]);
        assert_ptr_equal(nanp_area(areas[i].npa), &areas[i]);
        toll_free += areas[i].kind == NANP_TOLL_FREE;
    }
    assert_int_equal(toll_free, 7);
}

static void premium_numbers_are_told(void **state)
{
    (void)state;
    assert_true(nanp_is_premium(19005550100));
    assert_true(nanp_is_premium(12069761234));
    assert_false(nanp_is_premium(18009761234));
    assert_false(nanp_is_premium(12065550100));
    assert_false(nanp_is_premium(442079460018));
}

static void writing_what_was_read_gives_it_back(void **state)
{
    (void)state;
    char text[E164_SIZE];
    assert_string_equal(e164_write(text, 12065550100), "+12065550100");
    assert_int_equal(e164_count(12065550100), 11);
    assert_int_equal(e164_count(0), 1);
    struct nanp_number na;
    assert_true(nanp_read(12065550100, &na));
    assert_int_equal(nanp_digits(na.npa, na.nxx, na.line), 12065550100);
    assert_false(nanp_read(442079460018, &na));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_read_with_or_without_its_plus),
        cmocka_unit_test(what_is_not_digits_is_malformed_and_leaves_the_result_alone),
        cmocka_unit_test(a_north_american_number_has_ten_digits_after_its_one),
        cmocka_unit_test(the_forms_of_the_north_american_plan_are_kept),
        cmocka_unit_test(country_codes_and_lengths_decide_what_is_possible_elsewhere),
        cmocka_unit_test(the_country_is_told_by_the_longest_code),
        cmocka_unit_test(numbers_are_written_as_people_do_where_that_is_known),
        cmocka_unit_test(plus_one_is_told_apart_by_area_code),
        cmocka_unit_test(area_codes_know_their_places),
        cmocka_unit_test(every_area_code_in_the_table_is_well_formed),
        cmocka_unit_test(premium_numbers_are_told),
        cmocka_unit_test(writing_what_was_read_gives_it_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
