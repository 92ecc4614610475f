#include "domain/billing/rates.h"

#include "codec/e164/e164.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* The whole price sheet as it stands in data/rates, read again by other means: each prefix has the price of its line. */
static void every_prefix_has_the_price_that_its_line_of_the_sheet_says(void **state)
{
    (void)state;
    static const char *const files[] = { "data/rates/pstn.csv", "data/rates/pstn_overlay.csv" };
    static char line[1 << 20];
    size_t seen = 0;
    for (size_t f = 0; f < ARRAY_LEN(files); f++) {
        FILE *in = fopen(files[f], "r");
        if (!in)
            fail_msg("%s cannot be read: run this from the top of the tree, as `make unit` does", files[f]);
        while (fgets(line, sizeof line, in)) {
            if (line[0] == '#' || line[0] == '\n')
                continue;
            char *prefixes = strrchr(line, ',') + 1;        /* names may hold commas, what stands behind them none */
            prefixes[-1] = 0;
            int64_t micro = atoll(strrchr(line, ',') + 1);
            for (char *at, *word = strtok_r(prefixes, " \n", &at); word; word = strtok_r(NULL, " \n", &at), seen++)
                if (!rate_find(strtoull(word, NULL, 10)) || rate_find(strtoull(word, NULL, 10))->micro_a_minute != micro)
                    fail_msg("prefix %s does not cost %lld", word, (long long)micro);
        }
        fclose(in);
    }
    assert_int_equal(seen, rate_count());
}

/* Against a plain search of all prefixes: numbers that go on from each prefix in every way of one digit. */
static void the_longest_prefix_wins_over_the_whole_sheet(void **state)
{
    (void)state;
    size_t step = 37;
    for (size_t i = 0; i < rate_count(); i += step)
        for (uint64_t digit = 0; digit < 10; digit++) {
            const struct rate *rate, *best = NULL;
            uint64_t digits = rate_prefix(i, &rate) * 10 + digit, found, longest = 0;
            for (size_t k = 0; k < rate_count(); k++) {
                const struct rate *other;
                uint64_t prefix = rate_prefix(k, &other), head = digits;
                while (head > prefix)
                    head /= 10;
                if (head == prefix && prefix > longest) {
                    longest = prefix;
                    best = other;
                }
            }
            assert_ptr_equal(rate_find_prefix(digits, &found), best);
            assert_int_equal(found, longest);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_prefix_sets_the_price),
        cmocka_unit_test(what_nobody_priced_has_no_rate),
        cmocka_unit_test(every_prefix_of_the_sheet_finds_itself_and_rises),
        cmocka_unit_test(every_american_area_code_in_service_is_priced),
        cmocka_unit_test(every_prefix_has_the_price_that_its_line_of_the_sheet_says),
        cmocka_unit_test(the_longest_prefix_wins_over_the_whole_sheet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
