/* Edition current from search to use: every country and type can be found, bought by who may, and reaches what its row says. */
#include "domain/numbers/catalogue.h"
#include "domain/numbers/inventory.h"
#include "unit/domain/numbers/import_steps.h"

#include <stdio.h>

static int set_up(void **state)
{
    world_edition = "current";
    return world_set_up(state);
}

/* A resource that may buy it: billed in the first country of the row's list, paying by the first of its offers. */
static uint64_t buyer(struct world *w, const struct catalogue_row *r)
{
    char name[32], offer[16], country[3];
    struct str head, rest;
    str_cut(str_of(r->billing), ' ', &head, &rest);
    str_copyz(country, sizeof country, head);
    str_cut(str_of(r->offers), ' ', &head, &rest);
    str_copyz(offer, sizeof offer, head);
    snprintf(name, sizeof name, "b-%c%c", country[0] - 'A' + 'a', country[1] - 'A' + 'a');
    return world_resource(w, name, offer, country);
}

static struct number_search_new wish_of(const struct catalogue_row *r)
{
    return (struct number_search_new){ .country = str_of(r->country), .type = r->type, .assignment = r->assignment,
                                       .calling = r->calling, .sms = r->sms, .quantity = 2 };
}

static enum err buy(struct world *w, uint64_t resource, uint64_t key, bool agrees)
{
    w->why = (struct problem){ 0 };
    w->waiting++;
    return settle(w, numbers_purchase(w->numbers, resource, key, agrees, world_done, w, &w->why));
}

static void every_row_can_be_searched_for_bought_and_released(void **state)
{
    struct world *w = *state;
    const struct catalogue_row *r;
    size_t bought = 0;
    for (size_t i = 0; (r = catalogue_row("current", i)); i++) {
        if (!number_type_is_leased(r->type))
            continue;
        uint64_t who = buyer(w, r);
        if (search(w, who, wish_of(r)))
            fail_msg("%s %s: %s %s", r->country, number_type_word(r->type), w->why.rule, w->why.suggestion);
        const struct number_search *s = numbers_search_find(w->numbers, who, w->op.subject);
        assert_int_equal(s->count, 2);
        assert_int_equal(s->lease_micro, r->lease_micro);
        uint64_t digits = s->numbers[0];
        assert_true(inventory_has(digits));
        if (r->own_use) {
            assert_int_equal(buy(w, who, s->key, false), ERR_RANGE);
            assert_string_equal(w->why.rule, "AgreementNotToResellNeeded");
            assert_string_equal(w->why.target, "agreeToNotResell");
        }
        assert_int_equal(buy(w, who, s->key, true), ERR_NONE);
        const struct lease *l = leased(w, digits);
        assert_non_null(l);
        assert_string_equal(l->country, r->country);
        assert_int_equal(l->type, r->type);
        assert_int_equal(release(w, who, digits), ERR_NONE);
        assert_null(leased(w, digits));
        bought++;
    }
    assert_int_equal(bought, 72);
}

static void an_area_code_of_another_country_narrows_the_search(void **state)
{
    struct world *w = *state;
    static const struct { const char *country; enum number_type type; const char *code; uint64_t head; const char *rule; } cases[] = {
        { "GB", NUMBER_GEOGRAPHIC, "121", 44121234, "" },
        { "SE", NUMBER_GEOGRAPHIC, "8", 46812, "" },
        { "US", NUMBER_GEOGRAPHIC, "206", 1206555, "" },
        { "PR", NUMBER_GEOGRAPHIC, "787", 1787555, "" },
        { "CA", NUMBER_TOLL_FREE, "833", 1833555, "" },
        { "GB", NUMBER_GEOGRAPHIC, "800", 0, "AreaCodeNotOfType" },
        { "GB", NUMBER_GEOGRAPHIC, "999", 0, "AreaCodeUnknown" },
        { "GB", NUMBER_GEOGRAPHIC, "1x1", 0, "AreaCodeUnknown" },
        { "CA", NUMBER_GEOGRAPHIC, "206", 0, "AreaCodeUnknown" },
        { "US", NUMBER_GEOGRAPHIC, "787", 0, "AreaCodeUnknown" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct catalogue_row *r = catalogue_find("current", str_of(cases[i].country), cases[i].type, ASSIGNED_APPLICATION);
        struct number_search_new rq = wish_of(r);
        uint64_t who = world_resource(w, "abroad", "payg", "US");
        rq.area_code = str_of(cases[i].code);
        enum err err = search(w, who, rq);
        assert_string_equal(w->why.rule, cases[i].rule);
        if (!err)
            assert_int_equal(numbers_search_find(w->numbers, who, w->op.subject)->numbers[1] / INVENTORY_LINES, cases[i].head);
    }
}

static void who_may_not_buy_is_refused_at_the_search(void **state)
{
    struct world *w = *state;
    static const struct { const char *name, *offer, *billed, *country; enum number_type type; const char *rule; } cases[] = {
        { "p1", "payg",  "DE", "US", NUMBER_GEOGRAPHIC, "BillingCountryNotEligible" },
        { "p2", "payg",  "US", "BE", NUMBER_GEOGRAPHIC, "BillingCountryNotEligible" },
        { "p3", "csp",   "IT", "IT", NUMBER_GEOGRAPHIC, "OfferNotEligible" },
        { "p4", "csp",   "FR", "FR", NUMBER_GEOGRAPHIC, "OfferNotEligible" },
        { "p5", "trial", "US", "US", NUMBER_TOLL_FREE,  "TrialSubscriptionNotEligible" },
        { "p6", "payg",  "FR", "SE", NUMBER_MOBILE,     "BillingCountryNotEligible" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct catalogue_row *r = catalogue_find("current", str_of(cases[i].country), cases[i].type, ASSIGNED_APPLICATION);
        uint64_t who = world_resource(w, cases[i].name, cases[i].offer, cases[i].billed);
        assert_int_equal(search(w, who, wish_of(r)), ERR_FORBIDDEN);
        assert_string_equal(w->why.rule, cases[i].rule);
        assert_true(w->why.suggestion[0]);
    }
}

/* country, type, for whom, calling, sms -> rule */
static void what_is_not_offered_is_refused_with_the_rule(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *country; enum number_type type; enum assignment who; enum capability calling, sms; const char *rule;
    } cases[] = {
        { "JP", NUMBER_TOLL_FREE,  ASSIGNED_APPLICATION, CAP_INBOUND,  CAP_NONE,     "CountryNotOffered" },
        { "FR", NUMBER_TOLL_FREE,  ASSIGNED_APPLICATION, CAP_INBOUND,  CAP_NONE,     "NumberTypeNotOffered" },
        { "FR", NUMBER_TOLL_FREE,  ASSIGNED_PERSON,      CAP_INBOUND,  CAP_NONE,     "NumberTypeNotOffered" },
        { "GB", NUMBER_TOLL_FREE,  ASSIGNED_PERSON,      CAP_INBOUND,  CAP_NONE,     "TollFreeNotForPerson" },
        { "GB", NUMBER_MOBILE,     ASSIGNED_PERSON,      CAP_NONE,     CAP_OUTBOUND, "NumberTypeNotForPerson" },
        { "GB", NUMBER_MOBILE,     ASSIGNED_APPLICATION, CAP_OUTBOUND, CAP_NONE,     "PlanWithoutCalling" },
        { "GB", NUMBER_TOLL_FREE,  ASSIGNED_APPLICATION, CAP_NONE,     CAP_OUTBOUND, "PlanWithoutSms" },
        { "FI", NUMBER_TOLL_FREE,  ASSIGNED_APPLICATION, CAP_OUTBOUND, CAP_NONE,     "PlanWithoutCalling" },
        { "US", NUMBER_MOBILE,     ASSIGNED_APPLICATION, CAP_NONE,     CAP_BOTH,     "NumberTypeNotOffered" },
        { "CZ", NUMBER_GEOGRAPHIC, ASSIGNED_PERSON,      CAP_OUTBOUND, CAP_NONE,     "NumberTypeNotOffered" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct number_search_new rq = { .country = str_of(cases[i].country), .type = cases[i].type, .assignment = cases[i].who,
                                        .calling = cases[i].calling, .sms = cases[i].sms, .quantity = 1 };
        assert_int_equal(search(w, w->us, rq), ERR_RANGE);
        if (strcmp(w->why.rule, cases[i].rule))
            fail_msg("case %zu: %s, not %s", i, w->why.rule, cases[i].rule);
        assert_true(w->why.suggestion[0]);
    }
    assert_int_equal(numbers_country(w->numbers, STR("JP"), &w->why), ERR_RANGE);
    for (size_t i = 0; i < 26; i++) {       /* all countries that are sold stand in the answer */
        const char *name, *code = catalogue_country("current", i, &name);
        if (catalogue_sells_in("current", str_of(code)) && !strstr(w->why.suggestion, code))
            fail_msg("%s is not in: %s", code, w->why.suggestion);
    }
}

/* From each kind of number: calls and texts to a destination -> rule; "" may. */
static void a_leased_number_reaches_what_its_row_says(void **state)
{
    struct world *w = *state;
    static const struct { const char *country; enum number_type type; const char *to, *call, *text; } cases[] = {
        { "US", NUMBER_TOLL_FREE,  "+442071838750", "",                  "SmsDestinationNotAllowed" },
        { "US", NUMBER_TOLL_FREE,  "+14165550100",  "",                  "" },
        { "US", NUMBER_TOLL_FREE,  "+17875550100",  "",                  "" },
        { "CA", NUMBER_TOLL_FREE,  "+12065550100",  "",                  "" },
        { "PR", NUMBER_TOLL_FREE,  "+18765550100",  "",                  "SmsDestinationNotAllowed" },
        { "US", NUMBER_GEOGRAPHIC, "+4930123456",   "",                  "SmsNotAvailableForNumberType" },
        { "US", NUMBER_GEOGRAPHIC, "+19005550100",  "DestinationClosed", "SmsNotAvailableForNumberType" },
        { "GB", NUMBER_MOBILE,     "+447400123456", "CallingNotOutbound", "" },
        { "GB", NUMBER_MOBILE,     "+33612345678",  "CallingNotOutbound", "SmsDestinationNotAllowed" },
        { "DE", NUMBER_TOLL_FREE,  "+12065550100",  "",                  "SmsNotAvailableForNumberType" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct catalogue_row *r = catalogue_find("current", str_of(cases[i].country), cases[i].type, ASSIGNED_APPLICATION);
        uint64_t who = buyer(w, r);
        const struct lease *l = leased(w, lease_one(w, who, wish_of(r)));
        struct problem why = { 0 };
        enum err err = numbers_may_call(w->numbers, l, str_of(cases[i].to), &why);
        if (strcmp(why.rule, cases[i].call) || !err != !cases[i].call[0])
            fail_msg("case %zu: call '%s', not '%s'", i, why.rule, cases[i].call);
        why = (struct problem){ 0 };
        err = numbers_may_text(w->numbers, l, str_of(cases[i].to), &why);
        if (strcmp(why.rule, cases[i].text) || !err != !cases[i].text[0])
            fail_msg("case %zu: text '%s', not '%s'", i, why.rule, cases[i].text);
    }
}

static void a_prefix_counts_from_the_country_code_or_is_national(void **state)
{
    (void)state;
    static const struct { const char *country, *prefix; uint64_t in, out; } cases[] = {
        { "US", "425",    14255552000, 14265552000 }, { "us", "1425",  14255552000, 14265552000 },
        { "GB", "121",    441212340000, 442071838750 }, { "GB", "44121", 441212340000, 442071838750 },
        { "gb", "+44121", 441212340000, 442071838750 }, { "IT", "02",   390212340000, 39061234567 },
        { "DK", "32",     4532120000, 4544112233 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct number_range r[NUMBER_RANGES_MOST];
        size_t n = number_ranges_of_country(str_of(cases[i].country), str_of(cases[i].prefix), r);
        bool in = false, out = false;
        assert_in_range(n, 1, NUMBER_RANGES_MOST);
        for (size_t k = 0; k < n; k++) {
            in |= r[k].least <= cases[i].in && cases[i].in <= r[k].most;
            out |= r[k].least <= cases[i].out && cases[i].out <= r[k].most;
        }
        if (!in || out)
            fail_msg("%s %s: in %d, out %d", cases[i].country, cases[i].prefix, in, out);
    }
    static const char *const bad[] = { "", "+", "x", "44 1", "+0", "1234567890123456", "-1" };
    struct number_range r[NUMBER_RANGES_MOST];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(number_ranges_of_country(STR("GB"), str_of(bad[i]), r), 0);
    assert_int_equal(number_ranges_of_country(STR("US"), STR("0425"), r), 0);
}

static void browsing_another_country_shows_its_numbers(void **state)
{
    struct world *w = *state;
    struct reserved_number list[NUMBERS_BROWSE_MOST];
    struct number_range ranges[NUMBER_RANGES_MOST];
    size_t n = number_ranges_of_country(STR("DE"), STR("30"), ranges), count = 0;
    uint64_t german = world_resource(w, "german", "payg", "DE");
    struct number_browse rq = { .country = STR("DE"), .type = NUMBER_GEOGRAPHIC, .assignment = ASSIGNED_APPLICATION, .ranges = ranges,
                                .n_ranges = n };
    assert_int_equal(numbers_browse(w->numbers, german, &rq, list, &count, &w->why), ERR_NONE);
    assert_int_equal(count, NUMBERS_BROWSE_MOST);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(list[i].number / INVENTORY_LINES, 493012);
}

/* London's code is in no table of ours: the operator's numbers make it one. One that lies in the simulated range is the operator's. */
static void an_imported_number_of_another_country_is_found_by_its_area_code(void **state)
{
    struct world *w = *state;
    static const char *const own[] = { "+442079460001", "+442079460002", "+441212340005" };
    struct heard h;
    assert_int_equal(import_begin(w, "one", "sim", &h), ERR_NONE);
    struct import_slice *s = slice_new(1);
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        slice_add(s, 1 + i, (struct import_row){ .number = str_of(own[i]), .calling = CAP_BOTH });
    assert_int_equal(import_give(w, "one", s, &h), ERR_NONE);
    assert_int_equal(h.n_bad, 0);
    import_slice_free(s);
    assert_int_equal(import_complete(w, "one", &h), ERR_NONE);

    struct number_search_new rq = { .country = STR("GB"), .type = NUMBER_GEOGRAPHIC, .assignment = ASSIGNED_PERSON, .calling = CAP_BOTH,
                                    .area_code = STR("20"), .quantity = 5 };
    assert_int_equal(search(w, w->us, rq), ERR_NONE);
    const struct number_search *found = numbers_search_find(w->numbers, w->us, w->op.subject);
    assert_int_equal(found->count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(found->numbers[i] / 10, 44207946000);
    rq.area_code = STR("161");
    assert_int_equal(search(w, w->us, rq), ERR_RANGE);
    assert_string_equal(w->why.rule, "AreaCodeUnknown");
    rq.area_code = STR("121");
    assert_int_equal(search(w, w->us, rq), ERR_NONE);
    found = numbers_search_find(w->numbers, w->us, w->op.subject);
    assert_int_equal(found->count, 5);
    size_t theirs = 0;
    for (size_t i = 0; i < found->count; i++)
        theirs += found->numbers[i] == 441212340005;
    assert_int_equal(theirs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_row_can_be_searched_for_bought_and_released, set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(an_area_code_of_another_country_narrows_the_search, set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(who_may_not_buy_is_refused_at_the_search, set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_offered_is_refused_with_the_rule, set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_leased_number_reaches_what_its_row_says, set_up, world_tear_down),
        cmocka_unit_test(a_prefix_counts_from_the_country_code_or_is_national),
        cmocka_unit_test_setup_teardown(browsing_another_country_shows_its_numbers, set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(an_imported_number_of_another_country_is_found_by_its_area_code, set_up, world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
