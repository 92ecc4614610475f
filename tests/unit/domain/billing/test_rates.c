#include "domain/billing/rates.h"

#include "codec/e164/e164.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void the_longest_prefix_sets_the_price(void **state)
{
    (void)state;
    assert_int_equal(rate_find(12065550100)->micro_a_minute, 13000);
    assert_string_equal(rate_find(12065550100)->country, "US");
    assert_string_equal(rate_find(376345678)->name, "Andorra - Mobile");
    assert_int_equal(rate_find(376345678)->micro_a_minute, 280000);
    assert_string_equal(rate_find(376845678)->name, "Andorra");
    assert_int_equal(rate_find(376845678)->micro_a_minute, 47000);
}

static void what_nobody_priced_has_no_rate(void **state)
{
    (void)state;
    assert_null(rate_find(19005550100));
    assert_null(rate_find(999));
    assert_null(rate_find(0));
}

static void every_prefix_of_the_sheet_finds_itself_and_rises(void **state)
{
    (void)state;
    assert_int_equal(rate_count(), 6592 + 19);              /* the sheet and the overlay */
    uint64_t last = 0;
    for (size_t i = 0; i < rate_count(); i++) {
        const struct rate *rate;
        uint64_t prefix = rate_prefix(i, &rate);
        assert_true(prefix > last);
        assert_ptr_equal(rate_find(prefix), rate);
        assert_non_null(rate_find(prefix * 100 + 99));
        assert_true(rate->micro_a_minute >= 11000 && rate->micro_a_minute <= 708000);
        last = prefix;
    }
}

static void every_american_area_code_in_service_is_priced(void **state)
{
    (void)state;
    size_t n;
    const struct nanp_area *areas = nanp_areas(&n);
    for (size_t i = 0; i < n; i++) {
        bool ours = !strcmp(areas[i].country, "US") || !strcmp(areas[i].country, "CA");
        if (ours && areas[i].kind != NANP_OTHER && !rate_find(nanp_digits(areas[i].npa, 555, 100)))
            fail_msg("%u has no price", areas[i].npa);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_prefix_sets_the_price),
        cmocka_unit_test(what_nobody_priced_has_no_rate),
        cmocka_unit_test(every_prefix_of_the_sheet_finds_itself_and_rises),
        cmocka_unit_test(every_american_area_code_in_service_is_priced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
