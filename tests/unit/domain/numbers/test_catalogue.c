/* Each cell of the 2020-10 tables, and the simulated inventory. */
#include "domain/numbers/catalogue.h"

#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/billing/rates.h"
#include "domain/numbers/inventory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define EDITION "2020-10"

static const struct catalogue_row *row(enum number_type type, enum assignment assignment)
{
    return catalogue_find(EDITION, STR("US"), type, assignment);
}

static void only_the_united_states_are_sold_in(void **state)
{
    (void)state;
    const char *name;
    assert_true(catalogue_has_edition(EDITION));
    assert_false(catalogue_has_edition("2019"));
    assert_string_equal(catalogue_country(EDITION, 0, &name), "US");
    assert_string_equal(name, "United States");
    assert_null(catalogue_country(EDITION, 1, &name));
    assert_true(catalogue_sells_in(EDITION, STR("US")));
    assert_false(catalogue_sells_in(EDITION, STR("CA")));
    assert_false(catalogue_sells_in(EDITION, STR("PR")));
    assert_null(catalogue_row(EDITION, 3));
}

static void a_local_number_calls_and_never_texts_for_a_person_or_an_application(void **state)
{
    (void)state;
    static const enum assignment both[] = { ASSIGNED_PERSON, ASSIGNED_APPLICATION };
    for (size_t i = 0; i < 2; i++) {
        const struct catalogue_row *r = row(NUMBER_GEOGRAPHIC, both[i]);
        assert_non_null(r);
        assert_int_equal(r->calling, CAP_BOTH);
        assert_int_equal(r->sms, CAP_NONE);
        assert_string_equal(r->calls_to, "rated");
        assert_string_equal(r->calls_from, "rated");
        assert_string_equal(r->sms_to, "");
        assert_string_equal(r->sms_from, "");
        assert_int_equal(r->lease_micro, 1000000);
        assert_string_equal(r->offers, "payg ea csp");
        assert_string_equal(r->billing, "US");
    }
}

static void a_toll_free_number_is_for_applications_alone(void **state)
{
    (void)state;
    assert_null(row(NUMBER_TOLL_FREE, ASSIGNED_PERSON));
    const struct catalogue_row *r = row(NUMBER_TOLL_FREE, ASSIGNED_APPLICATION);
    assert_non_null(r);
    assert_int_equal(r->calling, CAP_BOTH);
    assert_int_equal(r->sms, CAP_BOTH);
    assert_string_equal(r->calls_to, "US");
    assert_string_equal(r->calls_from, "US");
    assert_string_equal(r->sms_to, "US");
    assert_string_equal(r->sms_from, "US");
    assert_int_equal(r->lease_micro, 2000000);
    assert_string_equal(r->offers, "payg ea csp");
    assert_string_equal(r->billing, "US");
}

static void lists_reach_what_they_name(void **state)
{
    (void)state;
    assert_true(catalogue_reaches("US", 12065550100));
    assert_true(catalogue_reaches("US", 18335550100));
    assert_false(catalogue_reaches("US", 14165550100));     /* a Canadian number is not US, though +1 */
    assert_false(catalogue_reaches("US", 17875550100));     /* nor is a Puerto Rican one */
    assert_false(catalogue_reaches("US", 15555550100));     /* nobody's */
    assert_true(catalogue_reaches("US CA", 14165550100));
    assert_true(catalogue_reaches("rated", 442079460018));
    assert_true(catalogue_reaches("rated", 4930123456));
    assert_true(catalogue_reaches("rated", 33123456789));
    assert_false(catalogue_reaches("rated", 19005550100));
    assert_false(catalogue_reaches("", 12065550100));
}

/* "rated" cannot lack a rate; "US" could. */
static void no_allowed_destination_lacks_a_rate(void **state)
{
    (void)state;
    size_t n;
    const struct nanp_area *areas = nanp_areas(&n);
    for (size_t i = 0; i < n; i++) {
        uint64_t digits = nanp_digits(areas[i].npa, 555, 100);
        bool service = areas[i].kind != NANP_OTHER;         /* 5YY, 710, 900 and the unopened ones are no destinations */
        if (service && catalogue_reaches("US", digits) && !rate_find(digits))
            fail_msg("calls to area code %u are allowed and have no price", areas[i].npa);
    }
}

static void words_are_the_wires_in_any_case(void **state)
{
    (void)state;
    enum number_type type;
    enum assignment assignment;
    enum capability cap;
    assert_int_equal(number_type_read(STR("TollFree"), &type), ERR_NONE);
    assert_int_equal(type, NUMBER_TOLL_FREE);
    assert_int_equal(number_type_read(STR("shortCode"), &type), ERR_RANGE);      /* in the table, but no search finds it */
    assert_int_equal(assignment_read(STR("person"), &assignment), ERR_NONE);
    assert_int_equal(assignment, ASSIGNED_PERSON);
    static const char *const words[] = { "none", "inbound", "outbound", "inbound+outbound" };
    for (int i = 0; i < 4; i++) {
        assert_int_equal(capability_read(str_of(words[i]), &cap), ERR_NONE);
        assert_int_equal(cap, i);
        assert_string_equal(capability_word(cap), words[i]);
    }
    assert_int_equal(capability_read(STR("both"), &cap), ERR_RANGE);
}

static void the_inventory_offers_each_line_once_and_leaves_out_what_it_must(void **state)
{
    (void)state;
    static bool seen[INVENTORY_LINES];
    unsigned offered = 0;
    for (unsigned i = 0; i < INVENTORY_LINES; i++) {
        uint64_t digits = inventory_at(42, 206, i);
        if (!digits)
            continue;
        assert_int_equal(digits / 10000, 1206555);
        assert_false(seen[digits % 10000]);
        assert_true(inventory_has(digits));
        assert_int_equal(e164_check(digits), ERR_NONE);
        seen[digits % 10000] = true;
        offered++;
    }
    assert_int_equal(offered, inventory_pool(206));
    assert_true(!seen[100] && !seen[199] && !seen[1212] && !seen[4334] && seen[99] && seen[200] && seen[0]);
}

static void the_seed_orders_the_inventory(void **state)
{
    (void)state;
    unsigned same = 0, rising = 0;
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(inventory_at(1, 833, i), inventory_at(1, 833, i));
        same += inventory_at(1, 833, i) == inventory_at(2, 833, i);
        rising += inventory_at(1, 833, i + 1) > inventory_at(1, 833, i);
    }
    assert_true(same < 50);                                 /* mostly the left-out ones, which are 0 in both */
    assert_true(rising > 400 && rising < 600);
}

static void the_inventory_of_plus_one_is_in_three_countries(void **state)
{
    (void)state;
    assert_true(inventory_has(18335552000));
    assert_true(inventory_has(12065552000));
    assert_true(inventory_has(14165552000));            /* sold where an edition sells Canada */
    assert_true(inventory_has(17875552000));
    assert_false(inventory_has(18765552000));           /* Jamaica */
    assert_false(inventory_has(19005552000));
    assert_false(inventory_has(12065560000));
    assert_false(inventory_has(12065550100));
    assert_false(inventory_has(442079460018));
}

/* Every leased type of every country that some edition sells has simulated numbers, all possible, and no two areas share one. */
static void every_country_and_type_that_is_sold_has_simulated_numbers(void **state)
{
    (void)state;
    static const char *const editions[] = { "2020-10", "current" };
    const struct catalogue_row *r;
    for (size_t e = 0; e < ARRAY_LEN(editions); e++)
        for (size_t i = 0; (r = catalogue_row(editions[e], i)); i++) {
            struct inventory_area a;
            size_t areas = 0;
            for (size_t k = 0; k < inventory_areas(); k++)
                areas += inventory_area(k, &a) && inventory_area_is(&a, str_of(r->country), r->type);
            if (number_type_is_leased(r->type) != (areas > 0))
                fail_msg("%s %s has %zu areas of simulated numbers", r->country, number_type_word(r->type), areas);
        }
    for (size_t k = 0; k < inventory_areas(); k++) {
        struct inventory_area a, again;
        if (!inventory_area(k, &a))
            continue;
        for (unsigned line = 0; line < INVENTORY_LINES; line += 1111) {
            uint64_t digits = inventory_digits(a.id, line);
            assert_int_equal(e164_check(digits), ERR_NONE);
            assert_true(inventory_area_of(digits, &again));
            assert_int_equal(again.id, a.id);
            if (a.type != NUMBER_TOLL_FREE || a.id < 200)
                assert_string_equal(e164_country(digits), a.country);
        }
        assert_true(a.code[0]);
    }
}

static void an_area_of_another_country_offers_each_of_its_numbers_once(void **state)
{
    (void)state;
    static bool seen[INVENTORY_LINES];
    struct inventory_area a;
    assert_true(inventory_area_coded(STR("GB"), NUMBER_GEOGRAPHIC, STR("121"), &a));
    assert_string_equal(a.place, "Birmingham");
    assert_int_equal(inventory_pool(a.id), INVENTORY_LINES);
    for (unsigned i = 0; i < INVENTORY_LINES; i++) {
        uint64_t digits = inventory_at(7, a.id, i);
        assert_int_equal(digits / INVENTORY_LINES, 44121234);
        assert_true(inventory_has(digits));
        assert_false(seen[digits % INVENTORY_LINES]);
        seen[digits % INVENTORY_LINES] = true;
    }
    assert_false(inventory_area_coded(STR("GB"), NUMBER_TOLL_FREE, STR("121"), &a));
    assert_true(inventory_area_coded(STR("CA"), NUMBER_TOLL_FREE, STR("833"), &a));     /* toll-free codes are shared */
    assert_true(inventory_area_coded(STR("PR"), NUMBER_GEOGRAPHIC, STR("787"), &a));
    assert_false(inventory_area_coded(STR("US"), NUMBER_GEOGRAPHIC, STR("787"), &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_united_states_are_sold_in),
        cmocka_unit_test(a_local_number_calls_and_never_texts_for_a_person_or_an_application),
        cmocka_unit_test(a_toll_free_number_is_for_applications_alone),
        cmocka_unit_test(lists_reach_what_they_name),
        cmocka_unit_test(no_allowed_destination_lacks_a_rate),
        cmocka_unit_test(words_are_the_wires_in_any_case),
        cmocka_unit_test(the_inventory_offers_each_line_once_and_leaves_out_what_it_must),
        cmocka_unit_test(the_seed_orders_the_inventory),
        cmocka_unit_test(the_inventory_of_plus_one_is_in_three_countries),
        cmocka_unit_test(every_country_and_type_that_is_sold_has_simulated_numbers),
        cmocka_unit_test(an_area_of_another_country_offers_each_of_its_numbers_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
