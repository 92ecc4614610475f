/* Edition current: every country and type of it, who may buy, what it reaches, what it costs. */
#include "domain/numbers/catalogue.h"

#include "base/str.h"
#include "domain/accounts/accounts.h"
#include "domain/billing/price.h"
#include "unit/cm.h"

#define EDITION "current"

static const struct catalogue_row *row(const char *country, enum number_type type)
{
    return catalogue_find(EDITION, str_of(country), type, ASSIGNED_APPLICATION);
}

/* "local both/none, toll-free both/both, ..." of an application, in the order of the types */
static void say_country(const char *country, char *to, size_t size)
{
    to[0] = 0;
    for (int t = 0; t < NUMBER_TYPE_COUNT; t++) {
        const struct catalogue_row *r = row(country, (enum number_type)t);
        static const char *const words[] = { "-", "in", "out", "both" };
        if (r)
            snprintf(to + strlen(to), size - strlen(to), "%s%s%s %s/%s", *to ? ", " : "", r->preview ? "(preview) " : "",
                     number_type_in_words(r->type), words[r->calling], words[r->sms]);
    }
}

#define VOICE "local both/-, toll-free both/-"
#define ID "alphanumeric-sender-id -/out"
#define MOBILE "(preview) mobile -/both"
static const struct { const char *country, *has; } countries[] = {
    { "US", "local both/-, toll-free both/both, (preview) 10DLC both/both, short-code -/both, trial both/-" },
    { "PR", "local both/-, toll-free both/both" },
    { "CA", "local both/-, toll-free both/both, short-code -/both" },
    { "GB", VOICE ", " MOBILE ", short-code -/both, " ID },
    { "DK", VOICE ", " MOBILE ", " ID }, { "IE", VOICE ", " MOBILE ", " ID }, { "SE", VOICE ", " MOBILE ", " ID },
    { "NL", VOICE ", " MOBILE ", " ID }, { "BE", VOICE ", " MOBILE },
    { "IT", VOICE ", " ID }, { "DE", VOICE ", " ID }, { "AT", VOICE ", " ID }, { "NO", VOICE ", " ID }, { "PT", VOICE ", " ID },
    { "CH", VOICE ", " ID }, { "SK", VOICE ", " ID }, { "ES", VOICE }, { "LU", VOICE },
    { "FR", "local both/-, " ID },
    { "FI", "toll-free in/-, " MOBILE ", " ID }, { "PL", "toll-free in/-, " MOBILE ", " ID },
    { "AU", "(preview) toll-free in/-, " MOBILE ", " ID },
    { "LV", MOBILE ", " ID },
    { "CN", "toll-free in/-" }, { "SG", "toll-free in/-" }, { "NZ", "toll-free in/-" },
    { "CZ", ID }, { "EE", ID }, { "LT", ID }, { "SI", ID },
};

static void each_country_has_the_types_that_the_documents_give_it(void **state)
{
    (void)state;
    const char *name;
    for (size_t i = 0; i < ARRAY_LEN(countries); i++) {
        char said[256];
        say_country(countries[i].country, said, sizeof said);
        assert_string_equal(said, countries[i].has);
        assert_true(catalogue_serves(EDITION, str_of(countries[i].country)));
    }
    assert_non_null(catalogue_country(EDITION, ARRAY_LEN(countries) - 1, &name));
    assert_null(catalogue_country(EDITION, ARRAY_LEN(countries), &name));
}

static void what_has_no_price_or_no_status_is_not_there(void **state)
{
    (void)state;
    static const char *const none[] = { "JP", "BR", "MX", "HK", "IL", "TW", "TH", "SA", "MY" };
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        assert_false(catalogue_serves(EDITION, str_of(none[i])));
}

static void countries_with_sender_ids_alone_sell_no_numbers(void **state)
{
    (void)state;
    static const char *const ids_only[] = { "CZ", "EE", "LT", "SI" };
    for (size_t i = 0; i < ARRAY_LEN(ids_only); i++)
        assert_false(catalogue_sells_in(EDITION, str_of(ids_only[i])));
    assert_true(catalogue_sells_in(EDITION, STR("LV")));
}

static void only_local_numbers_are_a_persons(void **state)
{
    (void)state;
    const struct catalogue_row *r;
    for (size_t i = 0; (r = catalogue_row(EDITION, i)); i++) {
        const struct catalogue_row *twin = catalogue_find(EDITION, str_of(r->country), r->type,
                                                          r->assignment == ASSIGNED_PERSON ? ASSIGNED_APPLICATION : ASSIGNED_PERSON);
        if (r->type != NUMBER_GEOGRAPHIC) {
            assert_int_equal(r->assignment, ASSIGNED_APPLICATION);
            continue;
        }
        assert_non_null(twin);
        assert_int_equal(twin->calling, r->calling);
        assert_int_equal(twin->sms, CAP_NONE);
        assert_int_equal(twin->lease_micro, r->lease_micro);
        assert_string_equal(twin->billing, r->billing);
    }
}

static void texts_reach_what_the_documents_say(void **state)
{
    (void)state;
    const struct catalogue_row *r;
    for (size_t i = 0; (r = catalogue_row(EDITION, i)); i++) {
        const char *to = !(r->sms & CAP_OUTBOUND) ? "" : r->type == NUMBER_TOLL_FREE ? "US CA PR" : r->country;
        assert_string_equal(r->sms_to, to);
        assert_string_equal(r->sms_from, r->sms & CAP_INBOUND ? to : "");
    }
    assert_string_equal(row("US", SENDER_TEN_DLC)->sms_to, "US");
}

static void calls_reach_the_price_sheet(void **state)
{
    (void)state;
    const struct catalogue_row *r;
    for (size_t i = 0; (r = catalogue_row(EDITION, i)); i++) {
        if (r->type == NUMBER_TRIAL)
            continue;
        assert_string_equal(r->calls_to, r->calling & CAP_OUTBOUND ? "rated" : "");
        assert_string_equal(r->calls_from, r->calling & CAP_INBOUND ? "rated" : "");
    }
}

/* The worked examples of the eligibility pages. */
static void the_billing_country_decides(void **state)
{
    (void)state;
    static const struct { const char *country; enum number_type type; const char *billing; } cases[] = {
        { "US", NUMBER_GEOGRAPHIC, "CA DK IE IT PR SE GB US" }, { "US", NUMBER_TOLL_FREE, "CA DK IE IT PR SE GB US" },
        { "CA", NUMBER_TOLL_FREE, "CA DK IE IT PR SE GB US" }, { "PR", NUMBER_GEOGRAPHIC, "CA DK IE IT PR SE GB US" },
        { "FR", NUMBER_GEOGRAPHIC, "FR IT US" },
        { "BE", NUMBER_GEOGRAPHIC, "BE" }, { "SK", NUMBER_TOLL_FREE, "SK" }, { "AU", NUMBER_TOLL_FREE, "AU" },
        { "PT", NUMBER_GEOGRAPHIC, "PT" },
        { "FI", NUMBER_TOLL_FREE, "AU CA FR DE IT JP ES GB US" }, { "CN", NUMBER_TOLL_FREE, "AU CA FR DE IT JP ES GB US" },
        { "NZ", NUMBER_TOLL_FREE, "AU CA FR DE IT JP ES GB US" },
        { "SE", NUMBER_MOBILE, "AU BE DK FI IE LV NL PL SE GB US" }, { "LV", NUMBER_MOBILE, "AU BE DK FI IE LV NL PL SE GB US" },
        { "CZ", SENDER_ALPHANUMERIC, "CZ" }, { "LV", SENDER_ALPHANUMERIC, "AU AT DK EE FR DE IT LV LT NL PL PT ES SE CH GB US" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(row(cases[i].country, cases[i].type)->billing, cases[i].billing);
}

/* country, type, offer, billing, the agreement -> the rule, or none */
static void who_may_buy_is_told_the_rule(void **state)
{
    (void)state;
    static const struct {
        const char *country; enum number_type type; enum offer offer; const char *billed; bool agrees; const char *rule;
    } cases[] = {
        { "US", NUMBER_GEOGRAPHIC, OFFER_PAYG,        "US", false, "" },
        { "US", NUMBER_GEOGRAPHIC, OFFER_CSP,         "SE", false, "" },
        { "US", NUMBER_GEOGRAPHIC, OFFER_EA,          "DE", false, "BillingCountryNotEligible" },
        { "US", NUMBER_TOLL_FREE,  OFFER_TRIAL,       "US", false, "TrialSubscriptionNotEligible" },
        { "GB", NUMBER_TOLL_FREE,  OFFER_FREE_CREDIT, "GB", false, "TrialSubscriptionNotEligible" },
        { "IT", NUMBER_GEOGRAPHIC, OFFER_PAYG,        "IT", false, "AgreementNotToResellNeeded" },
        { "IT", NUMBER_GEOGRAPHIC, OFFER_PAYG,        "IT", true,  "" },
        { "IT", NUMBER_TOLL_FREE,  OFFER_CSP,         "IT", true,  "OfferNotEligible" },
        { "FR", NUMBER_GEOGRAPHIC, OFFER_EA,          "FR", false, "AgreementNotToResellNeeded" },
        { "AT", NUMBER_TOLL_FREE,  OFFER_CSP,         "AT", true,  "OfferNotEligible" },
        { "PT", NUMBER_GEOGRAPHIC, OFFER_PAYG,        "PT", false, "AgreementNotToResellNeeded" },
        { "NO", NUMBER_GEOGRAPHIC, OFFER_CSP,         "NO", true,  "OfferNotEligible" },
        { "NO", NUMBER_TOLL_FREE,  OFFER_CSP,         "NO", false, "" },
        { "NL", SENDER_ALPHANUMERIC, OFFER_CSP,       "NL", true,  "OfferNotEligible" },
        { "US", SENDER_SHORT_CODE, OFFER_CSP,         "US", false, "OfferNotEligible" },
        { "US", SENDER_SHORT_CODE, OFFER_EA,          "US", false, "" },
        { "US", NUMBER_TRIAL,      OFFER_TRIAL,       "US", false, "" },
        { "US", NUMBER_TRIAL,      OFFER_PAYG,        "US", false, "OfferNotEligible" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct problem why = { 0 };
        struct subscription s = { .name = "us", .offer = cases[i].offer, .active = true };
        str_copyz(s.billing_country, sizeof s.billing_country, str_of(cases[i].billed));
        const struct catalogue_row *r = row(cases[i].country, cases[i].type);
        enum err err = catalogue_eligible(r, &s, &why);
        if (!err)
            err = catalogue_agreed(r, cases[i].agrees, &why);
        if (strcmp(why.rule, cases[i].rule))
            fail_msg("case %zu: '%s', not '%s'", i, why.rule, cases[i].rule);
        assert_true(!err || why.suggestion[0]);
        assert_int_equal(!err, !cases[i].rule[0]);
    }
}

static void registration_is_named_where_it_is_needed(void **state)
{
    (void)state;
    static const struct { const char *country; enum number_type type; const char *needs; } cases[] = {
        { "US", NUMBER_TOLL_FREE, "toll-free verification" }, { "CA", NUMBER_TOLL_FREE, "toll-free verification" },
        { "PR", NUMBER_TOLL_FREE, "toll-free verification" }, { "GB", NUMBER_TOLL_FREE, "" }, { "US", NUMBER_GEOGRAPHIC, "" },
        { "US", SENDER_TEN_DLC, "10DLC brand and campaign" }, { "CA", SENDER_SHORT_CODE, "short code program brief" },
        { "NO", SENDER_ALPHANUMERIC, "sender ID registration" }, { "FI", SENDER_ALPHANUMERIC, "sender ID registration" },
        { "SK", SENDER_ALPHANUMERIC, "sender ID registration" }, { "SI", SENDER_ALPHANUMERIC, "sender ID registration" },
        { "CZ", SENDER_ALPHANUMERIC, "sender ID registration" }, { "GB", SENDER_ALPHANUMERIC, "sender ID registration" },
        { "IE", SENDER_ALPHANUMERIC, "sender ID registration" }, { "DE", SENDER_ALPHANUMERIC, "" }, { "SE", SENDER_ALPHANUMERIC, "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(row(cases[i].country, cases[i].type)->registration, cases[i].needs);
}

/* Every country of a list has a price. */
static void each_has_price(const char *list, const struct catalogue_row *r, enum usage_item item)
{
    struct str head, rest = str_of(list);
    while (rest.n) {
        char country[8];
        str_cut(rest, ' ', &head, &rest);
        str_copyz(country, sizeof country, head);
        if (catalogue_usage(r, item, country) < 0)
            fail_msg("%s %s: %s with %s has no price", r->country, number_type_word(r->type), usage_item_word(item), country);
    }
}

static void nothing_that_the_edition_allows_is_without_a_price(void **state)
{
    (void)state;
    const struct catalogue_row *r;
    size_t seen = 0;
    for (size_t i = 0; (r = catalogue_row(EDITION, i)); i++, seen++) {
        bool free = r->type == SENDER_ALPHANUMERIC || r->type == NUMBER_TRIAL;      /* no lease in the price lists */
        assert_true(free ? r->lease_micro == 0 : r->lease_micro > 0);
        if (r->calling & CAP_OUTBOUND)
            assert_true(catalogue_usage(r, USAGE_CALL_OUT_FROM, "") >= (free ? 0 : 1));
        if (r->calling & CAP_INBOUND)
            assert_true(catalogue_usage(r, USAGE_CALL_IN, "") >= (free ? 0 : 1));
        each_has_price(r->sms_to, r, USAGE_SMS_OUT);
        each_has_price(r->sms_from, r, USAGE_SMS_IN);
    }
    assert_int_equal(seen, 98);
}

/* "From" is the cheapest at home for the types that call. Puerto Rico's numbers are priced as the United States'. */
static void the_price_that_calls_begin_at_is_the_sheets_cheapest_at_home(void **state)
{
    (void)state;
    const struct catalogue_row *r;
    for (size_t i = 0; (r = catalogue_row(EDITION, i)); i++) {
        int64_t cheapest = INT64_MAX, from = catalogue_usage(r, USAGE_CALL_OUT_FROM, "");
        const char *home = strcmp(r->country, "PR") ? r->country : "US";
        const struct rate *rate;
        if (!(r->calling & CAP_OUTBOUND) || r->type == NUMBER_TRIAL)
            continue;
        for (size_t p = 0; p < rate_count(); p++)
            if (rate_prefix(p, &rate) && !strcmp(rate->country, home) && rate->micro_a_minute < cheapest)
                cheapest = rate->micro_a_minute;
        if (from != cheapest)
            fail_msg("%s: calls begin at %lld, the sheet has %lld", r->country, (long long)from, (long long)cheapest);
    }
}

static void prices_are_the_price_pages(void **state)
{
    (void)state;
    static const struct { const char *country; enum number_type type; enum usage_item item; const char *other; int64_t micro; } cases[] = {
        { "US", NUMBER_TOLL_FREE, USAGE_SMS_OUT, "US", 7500 }, { "US", NUMBER_TOLL_FREE, USAGE_SMS_OUT_SURCHARGE, "US", 2500 },
        { "US", NUMBER_TOLL_FREE, USAGE_SMS_OUT, "PR", 40000 }, { "CA", NUMBER_TOLL_FREE, USAGE_SMS_OUT_SURCHARGE, "CA", 8500 },
        { "CA", NUMBER_TOLL_FREE, USAGE_SMS_IN_SURCHARGE, "CA", -1 }, { "US", NUMBER_TOLL_FREE, USAGE_SMS_IN_SURCHARGE, "US", 1000 },
        { "GB", NUMBER_TOLL_FREE, USAGE_CALL_IN, "", 29000 }, { "IT", NUMBER_TOLL_FREE, USAGE_CALL_IN, "", 341500 },
        { "US", SENDER_SHORT_CODE, USAGE_SETUP, "", 650000000 }, { "CA", SENDER_SHORT_CODE, USAGE_SETUP, "", 3000000000 },
        { "US", SENDER_TEN_DLC, USAGE_MONTHLY, "", 10000000 }, { "US", SENDER_TEN_DLC, USAGE_SETUP, "", 4000000 },
        { "GB", NUMBER_MOBILE, USAGE_SMS_OUT, "GB", 40000 }, { "LV", NUMBER_MOBILE, USAGE_SMS_IN, "LV", 6200 },
        { "AT", SENDER_ALPHANUMERIC, USAGE_SMS_OUT, "AT", 93200 }, { "ES", NUMBER_GEOGRAPHIC, USAGE_CALL_OUT_FROM, "", 16500 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(catalogue_usage(row(cases[i].country, cases[i].type), cases[i].item, cases[i].other), cases[i].micro);
    assert_int_equal(row("DK", NUMBER_GEOGRAPHIC)->lease_micro, 820000);
    assert_int_equal(row("GB", SENDER_SHORT_CODE)->lease_micro, 1600000000);
    assert_int_equal(row("CN", NUMBER_TOLL_FREE)->lease_micro, 54000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_country_has_the_types_that_the_documents_give_it),
        cmocka_unit_test(what_has_no_price_or_no_status_is_not_there),
        cmocka_unit_test(countries_with_sender_ids_alone_sell_no_numbers),
        cmocka_unit_test(only_local_numbers_are_a_persons),
        cmocka_unit_test(texts_reach_what_the_documents_say),
        cmocka_unit_test(calls_reach_the_price_sheet),
        cmocka_unit_test(the_billing_country_decides),
        cmocka_unit_test(who_may_buy_is_told_the_rule),
        cmocka_unit_test(registration_is_named_where_it_is_needed),
        cmocka_unit_test(nothing_that_the_edition_allows_is_without_a_price),
        cmocka_unit_test(the_price_that_calls_begin_at_is_the_sheets_cheapest_at_home),
        cmocka_unit_test(prices_are_the_price_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
