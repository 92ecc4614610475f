/* The planner over edition current: sender types, other countries, who may buy, and the nearest thing in each way of being near. */
#include "domain/numbers/plan.h"

#include "base/str.h"
#include "domain/accounts/accounts.h"
#include "unit/cm.h"

#include <stdio.h>

enum { P = ASSIGNED_PERSON, A = ASSIGNED_APPLICATION };
enum { NO = CAP_NONE, IN = CAP_INBOUND, OUT = CAP_OUTBOUND, BOTH = CAP_BOTH };

static void say_fit(char *to, size_t size, const struct plan_fit *f)
{
    size_t n = strlen(to);
    snprintf(to + n, size - n, "%s%s %s %lld", n ? "; " : "", f->row->country, number_type_in_words(f->row->type), (long long)f->micro);
    if (f->setup_micro)
        snprintf(to + strlen(to), size - strlen(to), "+%lld", (long long)f->setup_micro);
}

/* "DE local 800000; ..." or "!Rule !Rule -> in BE: BE local 700000"; what the account may not buy is in brackets. */
static void say_plan(char *to, size_t size, const struct plan *p)
{
    char parts[256] = "";
    to[0] = 0;
    for (size_t i = 0; i < p->fits_n; i++) {
        say_fit(to, size, &p->fits[i]);
        if (p->fits[i].refused)
            snprintf(to + strlen(to), size - strlen(to), " (%s)", p->fits[i].refused->rule);
    }
    for (size_t i = 0; !p->fits_n && i < p->obstacles_n; i++)
        snprintf(to + strlen(to), size - strlen(to), "!%s ", p->obstacles[i].why.rule);
    for (size_t i = 0; i < p->parts_n; i++)
        say_fit(parts, sizeof parts, &p->parts[i]);
    if (!p->possible)
        snprintf(to + strlen(to), size - strlen(to), "-> %s: %s", p->parts_n ? p->change : "", parts);
}

static const struct {
    int         who;
    const char *country;
    int         calling, sms;
    int64_t     minutes, messages;
    uint64_t    to;
    const char *answer;
} wishes[] = {
    { P, "DE", OUT,  NO,   100, 0,    0, "DE local 2700000" },         /* 0.015 a minute and 0.004 of its own leg */
    { P, "DE", IN,   NO,   0,   0,    0, "DE local 800000" },
    { A, "DE", BOTH, NO,   0,   0,    0, "DE local 800000; DE toll-free 6000000" },
    { A, "DE", NO,   OUT,  0,   1000, 0, "DE alphanumeric-sender-id 89500000" },
    { A, "GB", NO,   OUT,  0,   1000, 0, "GB alphanumeric-sender-id 40000000; GB mobile 41150000; GB short-code 1640000000" },
    { A, "GB", NO,   BOTH, 0,   100,  0, "GB mobile 3525000; GB short-code 1602375000" },
    { A, "US", BOTH, BOTH, 0,   0,    0, "US toll-free 2000000; US 10DLC 11000000+4000000" },
    { A, "US", NO,   BOTH, 0,   0,    0, "US toll-free 2000000; US 10DLC 11000000+4000000; US short-code 1000000000+650000000" },
    { A, "CA", NO,   OUT,  0,   100,  0, "CA toll-free 3600000; CA short-code 1003180000+3000000000" },
    { A, "US", NO,   OUT,  0,   100,  17875550100, "US toll-free 6000000" },         /* 10DLC and the code stay at home */
    /* the rule, and another assignment, type or country */
    { P, "US", NO,   OUT,  0,   0,    0, "!PlanWithoutSms !TollFreeNotForPerson !NumberTypeNotForPerson !NumberTypeNotForPerson "
                                         "-> for an application instead of a person: US toll-free 2000000" },
    { P, "FR", OUT,  OUT,  0,   0,    0, "!PlanWithoutSms !NumberTypeNotOffered !NumberTypeNotForPerson -> with two numbers: one to call "
                                         "with, and one of an application to text with: FR local 1000000; FR alphanumeric-sender-id 0" },
    { A, "FI", OUT,  NO,   0,   0,    0, "!NumberTypeNotOffered !PlanWithoutCalling !PlanWithoutCalling !PlanWithoutCalling -> in BE: BE local 700000" },
    { A, "CZ", NO,   IN,   0,   0,    0, "!NumberTypeNotOffered !NumberTypeNotOffered !PlanWithoutSms -> in LV: LV mobile 1000000" },
    { A, "JP", IN,   NO,   0,   0,    0, "!CountryNotOffered -> in BE: BE local 700000" },
    { A, "ES", NO,   OUT,  0,   0,    0, "!PlanWithoutSms !PlanWithoutSms -> in LV: LV mobile 1000000" },
    { A, "GB", NO,   OUT,  0,   0,    33612345678, "!PlanWithoutSms !PlanWithoutSms !SmsDestinationNotAllowed !SmsDestinationNotAllowed "
                                         "!SmsDestinationNotAllowed -> without reaching +33612345678: GB mobile 1150000" },
    { A, "GB", NO,   OUT,  0,   0,    81312345678, "!PlanWithoutSms !PlanWithoutSms !SmsDestinationNotAllowed !SmsDestinationNotAllowed "
                                         "!SmsDestinationNotAllowed -> without reaching +81312345678: GB mobile 1150000" },
};

static void each_wish_has_its_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
        scoped(arena) struct arena *arena = arena_new();
        const struct plan *p;
        char said[1024];
        struct plan_wish wish = { .edition = "current", .assignment = (enum assignment)wishes[i].who,
                                  .calling = (enum capability)wishes[i].calling, .sms = (enum capability)wishes[i].sms,
                                  .minutes = wishes[i].minutes, .messages = wishes[i].messages, .to = wishes[i].to };
        str_copyz(wish.country, sizeof wish.country, str_of(wishes[i].country));
        assert_int_equal(plan_make(&wish, arena, &p), ERR_NONE);
        say_plan(said, sizeof said, p);
        if (strcmp(said, wishes[i].answer))
            fail_msg("wish %zu: '%s'", i, said);
    }
}

static void an_account_that_may_buy_nothing_is_told_the_nearest_that_it_may(void **state)
{
    (void)state;
    static const struct { enum offer offer; const char *billed, *country; int who, calling; const char *answer; } cases[] = {
        { OFFER_PAYG,  "BE", "BE", P, OUT,  "BE local 700000" },
        { OFFER_PAYG,  "GB", "BE", P, OUT,  "BE local 700000 (BillingCountryNotEligible)-> in GB: GB local 1000000" },
        { OFFER_CSP,   "IT", "IT", P, OUT,  "IT local 2920000 (OfferNotEligible)-> in DE: DE local 800000" },
        { OFFER_TRIAL, "US", "US", A, BOTH, "US trial 0; US local 1000000 (TrialSubscriptionNotEligible); US toll-free 2000000 "
                                            "(TrialSubscriptionNotEligible); US 10DLC 11000000+4000000 (TrialSubscriptionNotEligible)" },
        { OFFER_TRIAL, "GB", "GB", P, OUT,  "GB local 1000000 (TrialSubscriptionNotEligible)-> : " },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        scoped(arena) struct arena *arena = arena_new();
        const struct plan *p;
        char said[1024];
        struct subscription s = { .name = "mine", .offer = cases[i].offer, .active = true };
        struct plan_wish wish = { .edition = "current", .assignment = (enum assignment)cases[i].who,
                                  .calling = (enum capability)cases[i].calling, .account = &s };
        str_copyz(s.billing_country, sizeof s.billing_country, str_of(cases[i].billed));
        str_copyz(wish.country, sizeof wish.country, str_of(cases[i].country));
        memcpy(wish.home, s.billing_country, sizeof wish.home);
        assert_int_equal(plan_make(&wish, arena, &p), ERR_NONE);
        if (!p->possible && !p->parts_n)
            assert_string_equal(p->blocked->rule, "TrialSubscriptionNotEligible");
        else
            assert_null(p->blocked);
        say_plan(said, sizeof said, p);
        if (strcmp(said, cases[i].answer))
            fail_msg("case %zu: '%s'", i, said);
    }
}

/* Anywhere: each rule of each type once, with how many countries more say it. */
static void without_a_country_obstacles_are_counted_and_not_repeated(void **state)
{
    (void)state;
    scoped(arena) struct arena *arena = arena_new();
    const struct plan *p;
    struct plan_wish wish = { .edition = "current", .assignment = ASSIGNED_PERSON, .sms = CAP_OUTBOUND };
    assert_int_equal(plan_make(&wish, arena, &p), ERR_NONE);
    assert_false(p->possible);
    assert_in_range(p->obstacles_n, 5, 8);
    for (size_t i = 0; i < p->obstacles_n; i++)
        for (size_t k = 0; k < i; k++)
            assert_true(p->obstacles[i].type != p->obstacles[k].type || strcmp(p->obstacles[i].why.rule, p->obstacles[k].why.rule));
    assert_int_equal(p->obstacles[0].type, NUMBER_GEOGRAPHIC);
    assert_int_equal(p->obstacles[0].more, 18);         /* 19 countries have local numbers */
    /* nobody said where: what an American may lease comes before a British sender to apply for */
    strcpy(wish.home, "US");
    assert_int_equal(plan_make(&wish, arena, &p), ERR_NONE);
    assert_string_equal(p->parts[0].row->country, "US");
    assert_int_equal(p->parts[0].row->type, NUMBER_TOLL_FREE);
    assert_string_equal(p->change, "for an application instead of a person");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wish_has_its_answer),
        cmocka_unit_test(an_account_that_may_buy_nothing_is_told_the_nearest_that_it_may),
        cmocka_unit_test(without_a_country_obstacles_are_counted_and_not_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
