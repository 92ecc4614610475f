/* Edition 2020-10, the planning page: each cell of both of its tables and each sentence of its rules, over the whole path: the table,
 * the search, the purchase, calls and texts both ways. One test a rule. */
#include "domain/numbers/catalogue.h"
#include "domain/billing/price.h"
#include "domain/numbers/plan.h"
#include "unit/domain/numbers/world.h"

#include <stdio.h>

#define SEATTLE   "+12065550100"
#define TORONTO   "+14165550100"
#define SAN_JUAN  "+17875550100"
#define LONDON    "+442071838750"
#define BERLIN    "+4930123456"
#define PARIS     "+33123456789"
#define TOKYO     "+81312345678"

static struct number_search_new local_for(enum assignment who)
{
    struct number_search_new rq = local_in("206", 1);
    rq.assignment = who;
    return rq;
}

static const struct lease *local(struct world *w)
{
    return leased(w, lease_one(w, w->us, local_for(ASSIGNED_APPLICATION)));
}

static const struct lease *toll_free(struct world *w)
{
    struct number_search_new rq = toll_free_in("833", 1);
    rq.calling = CAP_BOTH;
    return leased(w, lease_one(w, w->us, rq));
}

/* -- the table of availability ---------------------------------------------------------------------------------------- */

static void both_types_are_acquired_in_the_united_states_alone(void **state)
{
    struct world *w = *state;
    static const char *const elsewhere[] = { "CA", "GB", "DE", "FR", "PR", "JP" };
    for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++)
        for (int type = NUMBER_GEOGRAPHIC; type <= NUMBER_MOBILE; type++) {
            struct number_search_new rq = local_for(ASSIGNED_APPLICATION);
            rq.country = str_of(elsewhere[i]);
            rq.type = (enum number_type)type;
            rq.area_code = STR("");
            assert_int_equal(search(w, w->us, rq), ERR_RANGE);
            assert_string_equal(w->why.rule, "CountryNotOffered");
        }
    assert_int_equal(search(w, w->us, local_for(ASSIGNED_APPLICATION)), ERR_NONE);
    assert_int_equal(search(w, w->us, toll_free_in("", 1)), ERR_NONE);
}

/* One destination from one number -> rule of the call out and in, of the text out and in; "" may. */
static void reaches(struct world *w, const struct lease *l, const char *other, const char *out, const char *in, const char *text_out,
                    const char *text_in)
{
    struct problem why[4] = { 0 };
    enum err got[4] = {
        numbers_may_call(w->numbers, l, str_of(other), &why[0]), numbers_may_be_called(w->numbers, l, str_of(other), &why[1]),
        numbers_may_text(w->numbers, l, str_of(other), &why[2]), numbers_may_be_texted(w->numbers, l, str_of(other), &why[3]),
    };
    const char *const wanted[4] = { out, in, text_out, text_in };
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(why[i].rule, wanted[i]) || !got[i] != !wanted[i][0])
            fail_msg("%s, way %zu: '%s', not '%s'", other, i, why[i].rule, wanted[i]);
        assert_true(!got[i] || (why[i].text[0] && why[i].suggestion[0]));
    }
}

static void a_local_number_calls_and_is_called_from_the_named_countries_and_the_price_list(void **state)
{
    struct world *w = *state;
    const struct lease *l = local(w);
    static const char *const named[] = { SEATTLE, TORONTO, LONDON, BERLIN, PARIS, TOKYO, SAN_JUAN };
    for (size_t i = 0; i < ARRAY_LEN(named); i++)
        reaches(w, l, named[i], "", "", "SmsNotAvailableForNumberType", "SmsNotInbound");
    reaches(w, l, "+8835100012345", "NoRateForDestination", "CallOriginNotAllowed", "SmsNotAvailableForNumberType", "SmsNotInbound");
    reaches(w, l, "+19005550100", "DestinationClosed", "CallOriginNotAllowed", "SmsNotAvailableForNumberType", "SmsNotInbound");
}

static void a_local_number_can_have_no_sms_at_all(void **state)
{
    struct world *w = *state;
    for (int cap = CAP_INBOUND; cap <= CAP_BOTH; cap++)
        for (int who = ASSIGNED_PERSON; who <= ASSIGNED_APPLICATION; who++) {
            struct number_search_new rq = local_for((enum assignment)who);
            rq.sms = (enum capability)cap;
            assert_int_equal(search(w, w->us, rq), ERR_RANGE);
            assert_string_equal(w->why.rule, "PlanWithoutSms");
        }
    const struct lease *l = local(w);
    assert_int_equal(change(w, w->us, l->number, NULL, &(enum capability){ CAP_OUTBOUND }), ERR_RANGE);
    assert_string_equal(w->why.rule, "PlanWithoutSms");
}

static void a_toll_free_number_calls_and_texts_the_united_states_alone_both_ways(void **state)
{
    struct world *w = *state;
    const struct lease *l = toll_free(w);
    static const char *const abroad[] = { LONDON, BERLIN, PARIS, TOKYO };
    reaches(w, l, SEATTLE, "", "", "", "");
    for (size_t i = 0; i < ARRAY_LEN(abroad); i++)
        reaches(w, l, abroad[i], "CallDestinationNotAllowed", "CallOriginNotAllowed", "SmsDestinationNotAllowed", "SmsOriginNotAllowed");
}

static void a_canadian_number_and_a_puerto_rican_one_are_not_of_the_united_states(void **state)
{
    struct world *w = *state;
    const struct lease *l = toll_free(w);
    reaches(w, l, TORONTO, "CallDestinationNotAllowed", "CallOriginNotAllowed", "SmsDestinationNotAllowed", "SmsOriginNotAllowed");
    reaches(w, l, SAN_JUAN, "CallDestinationNotAllowed", "CallOriginNotAllowed", "SmsDestinationNotAllowed", "SmsOriginNotAllowed");
}

/* -- the table of types ------------------------------------------------------------------------------------------------ */

static void a_local_number_is_for_a_person_or_an_application(void **state)
{
    struct world *w = *state;
    assert_int_equal(leased(w, lease_one(w, w->us, local_for(ASSIGNED_PERSON)))->assignment, ASSIGNED_PERSON);
    assert_int_equal(leased(w, lease_one(w, w->us, local_for(ASSIGNED_APPLICATION)))->assignment, ASSIGNED_APPLICATION);
}

static void a_toll_free_number_is_for_an_application_and_never_a_person(void **state)
{
    struct world *w = *state;
    struct number_search_new rq = toll_free_in("", 1);
    rq.assignment = ASSIGNED_PERSON;
    assert_int_equal(search(w, w->us, rq), ERR_RANGE);
    assert_string_equal(w->why.rule, "TollFreeNotForPerson");
    assert_string_equal(w->why.target, "assignmentType");
    for (int cap = CAP_NONE; cap <= CAP_BOTH; cap++) {      /* whatever it could do */
        rq.calling = rq.sms = (enum capability)cap;
        assert_int_equal(search(w, w->us, rq), ERR_RANGE);
    }
}

/* The two tables disagree on inbound calls of local numbers; the table of availability wins. */
static void calling_may_be_none_inbound_outbound_or_both(void **state)
{
    struct world *w = *state;
    for (int cap = CAP_NONE; cap <= CAP_BOTH; cap++) {
        struct number_search_new rq = local_for(ASSIGNED_PERSON);
        rq.calling = (enum capability)cap;
        const struct lease *l = leased(w, lease_one(w, w->us, rq));
        struct problem why = { 0 };
        assert_int_equal(l->calling, cap);
        assert_int_equal(!numbers_may_call(w->numbers, l, STR(LONDON), &why), (cap & CAP_OUTBOUND) != 0);
        assert_int_equal(!numbers_may_be_called(w->numbers, l, STR(LONDON), &why), (cap & CAP_INBOUND) != 0);
    }
}

static void sms_of_a_toll_free_number_is_one_way_or_two_way(void **state)
{
    struct world *w = *state;
    for (int cap = CAP_INBOUND; cap <= CAP_BOTH; cap++) {
        struct number_search_new rq = toll_free_in("", 1);
        rq.sms = (enum capability)cap;
        const struct lease *l = leased(w, lease_one(w, w->us, rq));
        struct problem why = { 0 };
        assert_int_equal(!numbers_may_text(w->numbers, l, STR(SEATTLE), &why), (cap & CAP_OUTBOUND) != 0);
        assert_int_equal(!numbers_may_be_texted(w->numbers, l, STR(SEATTLE), &why), (cap & CAP_INBOUND) != 0);
    }
}

/* -- the rules --------------------------------------------------------------------------------------------------------- */

static void only_a_paid_subscription_acquires(void **state)
{
    struct world *w = *state;
    static const struct { const char *offer; bool paid; } offers[] = {
        { "payg", true }, { "ea", true }, { "csp", true }, { "trial", false }, { "free-credit", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(offers); i++) {
        char name[32];
        snprintf(name, sizeof name, "offer-%s", offers[i].offer);
        uint64_t who = world_resource(w, name, offers[i].offer, "US");
        struct number_search_new wishes[] = { local_for(ASSIGNED_PERSON), local_for(ASSIGNED_APPLICATION), toll_free_in("", 1) };
        for (size_t k = 0; k < ARRAY_LEN(wishes); k++) {
            assert_int_equal(search(w, who, wishes[k]), offers[i].paid ? ERR_NONE : ERR_FORBIDDEN);
            assert_string_equal(w->why.rule, offers[i].paid ? "" : "TrialSubscriptionNotEligible");
        }
    }
}

static void only_a_billing_address_in_the_united_states_acquires(void **state)
{
    struct world *w = *state;
    static const char *const billed[] = { "CA", "GB", "DE", "FR", "PR" };
    for (size_t i = 0; i < ARRAY_LEN(billed); i++) {
        char name[32];
        snprintf(name, sizeof name, "in-%c%c", billed[i][0] + 32, billed[i][1] + 32);
        uint64_t who = world_resource(w, name, "payg", billed[i]);
        assert_int_equal(search(w, who, local_for(ASSIGNED_PERSON)), ERR_FORBIDDEN);
        assert_string_equal(w->why.rule, "BillingCountryNotEligible");
        assert_int_equal(search(w, who, toll_free_in("", 1)), ERR_FORBIDDEN);
        assert_string_equal(w->why.rule, "BillingCountryNotEligible");
    }
}

/* The choosing guide: person -> local; application that texts -> toll-free; application that only calls -> either. */
static void the_choosing_guide_is_what_the_planner_answers(void **state)
{
    (void)state;
    static const struct { enum assignment who; enum capability calling, sms; const char *fits; } guide[] = {
        { ASSIGNED_PERSON,      CAP_OUTBOUND, CAP_NONE,     "local" },
        { ASSIGNED_PERSON,      CAP_BOTH,     CAP_NONE,     "local" },
        { ASSIGNED_PERSON,      CAP_NONE,     CAP_OUTBOUND, "" },
        { ASSIGNED_APPLICATION, CAP_NONE,     CAP_OUTBOUND, "toll-free" },
        { ASSIGNED_APPLICATION, CAP_OUTBOUND, CAP_BOTH,     "toll-free" },
        { ASSIGNED_APPLICATION, CAP_OUTBOUND, CAP_NONE,     "local toll-free" },
        { ASSIGNED_APPLICATION, CAP_INBOUND,  CAP_NONE,     "local toll-free" },
    };
    for (size_t i = 0; i < ARRAY_LEN(guide); i++) {
        scoped(arena) struct arena *arena = arena_new();
        const struct plan *p;
        char fits[64] = "";
        struct plan_wish wish = { .edition = "2020-10", .assignment = guide[i].who, .calling = guide[i].calling, .sms = guide[i].sms };
        assert_int_equal(plan_make(&wish, arena, &p), ERR_NONE);
        for (size_t k = 0; k < p->fits_n; k++)
            snprintf(fits + strlen(fits), sizeof fits - strlen(fits), "%s%s", k ? " " : "", number_type_in_words(p->fits[k].row->type));
        assert_string_equal(fits, guide[i].fits);
    }
}

static void there_is_no_other_type_and_nothing_to_register_or_to_agree_to(void **state)
{
    (void)state;
    const struct catalogue_row *r;
    size_t n = 0;
    for (; (r = catalogue_row("2020-10", n)); n++) {
        assert_true(r->type == NUMBER_GEOGRAPHIC || r->type == NUMBER_TOLL_FREE);
        assert_string_equal(r->registration, "");
        assert_false(r->own_use);
        assert_string_equal(r->country, "US");
    }
    assert_int_equal(n, 3);
}

#define OVER_THE_PATH(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_THE_PATH(both_types_are_acquired_in_the_united_states_alone),
        OVER_THE_PATH(a_local_number_calls_and_is_called_from_the_named_countries_and_the_price_list),
        OVER_THE_PATH(a_local_number_can_have_no_sms_at_all),
        OVER_THE_PATH(a_toll_free_number_calls_and_texts_the_united_states_alone_both_ways),
        OVER_THE_PATH(a_canadian_number_and_a_puerto_rican_one_are_not_of_the_united_states),
        OVER_THE_PATH(a_local_number_is_for_a_person_or_an_application),
        OVER_THE_PATH(a_toll_free_number_is_for_an_application_and_never_a_person),
        OVER_THE_PATH(calling_may_be_none_inbound_outbound_or_both),
        OVER_THE_PATH(sms_of_a_toll_free_number_is_one_way_or_two_way),
        OVER_THE_PATH(only_a_paid_subscription_acquires),
        OVER_THE_PATH(only_a_billing_address_in_the_united_states_acquires),
        cmocka_unit_test(the_choosing_guide_is_what_the_planner_answers),
        cmocka_unit_test(there_is_no_other_type_and_nothing_to_register_or_to_agree_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
