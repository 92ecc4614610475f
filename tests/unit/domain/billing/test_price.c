/* What calling or texting a number costs from each kind of number, and that nothing allowed is without a price. */
#include "domain/billing/price.h"

#include "base/str.h"
#include "codec/e164/e164.h"
#include "unit/cm.h"

static const struct catalogue_row *row_of(enum number_type type)
{
    return catalogue_find("2020-10", STR("US"), type, ASSIGNED_APPLICATION);
}

static void a_local_number_pays_what_the_longest_prefix_says(void **state)
{
    (void)state;
    struct problem why;
    struct call_price p;
    assert_int_equal(price_call(row_of(NUMBER_GEOGRAPHIC), 442071838750, &p, &why), ERR_NONE);
    assert_int_equal(p.prefix, 4420);
    assert_int_equal(p.micro_a_minute, 15000);
    assert_string_equal(p.rate->name, "United Kingdom-London");
    assert_int_equal(price_call(row_of(NUMBER_GEOGRAPHIC), 19075550100, &p, &why), ERR_NONE);
    assert_int_equal(p.micro_a_minute, 90000);
}

static void what_may_not_be_called_has_no_price_but_a_rule(void **state)
{
    (void)state;
    static const struct { enum number_type from; uint64_t to; const char *rule; } cases[] = {
        { NUMBER_TOLL_FREE,  442071838750, "CallDestinationNotAllowed" },
        { NUMBER_TOLL_FREE,  14165550100,  "CallDestinationNotAllowed" },
        { NUMBER_TOLL_FREE,  17875550100,  "CallDestinationNotAllowed" },      /* Puerto Rico is not the US here */
        { NUMBER_TOLL_FREE,  19005550100,  "DestinationClosed" },
        { NUMBER_GEOGRAPHIC, 19005550100,  "DestinationClosed" },
        { NUMBER_GEOGRAPHIC, 8835100012345, "NoRateForDestination" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct problem why = { 0 };
        struct call_price p;
        assert_int_equal(price_call(row_of(cases[i].from), cases[i].to, &p, &why), ERR_FORBIDDEN);
        assert_string_equal(why.rule, cases[i].rule);
        assert_true(why.suggestion[0]);
    }
}

static void a_text_costs_its_segment_and_the_carriers_surcharge(void **state)
{
    (void)state;
    struct problem why = { 0 };
    struct sms_price p;
    assert_int_equal(price_sms(row_of(NUMBER_TOLL_FREE), 12065550100, &p, &why), ERR_NONE);
    assert_int_equal(p.micro_a_segment, 10000);
    assert_int_equal(p.surcharge_micro, 2500);
    assert_int_equal(price_sms_in(row_of(NUMBER_TOLL_FREE), "US"), 8500);
    assert_int_equal(price_sms(row_of(NUMBER_TOLL_FREE), 14165550100, &p, &why), ERR_FORBIDDEN);
    assert_string_equal(why.rule, "SmsDestinationNotAllowed");
    assert_int_equal(price_sms(row_of(NUMBER_GEOGRAPHIC), 12065550100, &p, &why), ERR_RANGE);
    assert_string_equal(why.rule, "SmsNotAvailableForNumberType");
}

/* Every country of a list, through fn. */
static void each_country(const char *list, const struct catalogue_row *row, enum usage_item item)
{
    struct str head, rest = str_of(list);
    while (rest.n) {
        char country[8];
        str_cut(rest, ' ', &head, &rest);
        str_copyz(country, sizeof country, head);
        if (catalogue_usage(row, item, country) < 0)
            fail_msg("%s %s: item %d with %s has no price", row->edition, number_type_word(row->type), (int)item, country);
    }
}

static void nothing_that_the_edition_allows_is_without_a_price(void **state)
{
    (void)state;
    const struct catalogue_row *row;
    size_t seen = 0;
    for (size_t i = 0; (row = catalogue_row("2020-10", i)); i++, seen++) {
        assert_true(row->lease_micro > 0);
        if (row->calling & CAP_OUTBOUND)
            assert_true(catalogue_usage(row, USAGE_CALL_OUT_FROM, "") > 0);
        if (row->calling & CAP_INBOUND)
            assert_true(catalogue_usage(row, USAGE_CALL_IN, "") > 0);
        each_country(row->sms_to, row, USAGE_SMS_OUT);
        each_country(row->sms_from, row, USAGE_SMS_IN);
    }
    assert_int_equal(seen, 3);
    assert_int_equal(catalogue_usage(catalogue_row("2020-10", 0), USAGE_SMS_OUT, "US"), -1);
}

/* "From" is the cheapest: no destination in the number's own country costs less. */
static void the_price_that_calls_begin_at_is_the_cheapest_at_home(void **state)
{
    (void)state;
    const struct rate *rate;
    for (size_t i = 0; i < rate_count(); i++)
        if (rate_prefix(i, &rate) && !strcmp(rate->country, "US"))
            assert_true(rate->micro_a_minute >= catalogue_usage(row_of(NUMBER_GEOGRAPHIC), USAGE_CALL_OUT_FROM, "US"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_local_number_pays_what_the_longest_prefix_says),
        cmocka_unit_test(what_may_not_be_called_has_no_price_but_a_rule),
        cmocka_unit_test(a_text_costs_its_segment_and_the_carriers_surcharge),
        cmocka_unit_test(nothing_that_the_edition_allows_is_without_a_price),
        cmocka_unit_test(the_price_that_calls_begin_at_is_the_cheapest_at_home),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
