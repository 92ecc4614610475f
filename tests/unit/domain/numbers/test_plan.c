/* Wishes and answers: what fits, what it costs, what stands in the way, and the nearest thing that works. */
#include "domain/numbers/plan.h"

#include "base/str.h"
#include "domain/accounts/accounts.h"
#include "unit/cm.h"

enum { P = ASSIGNED_PERSON, A = ASSIGNED_APPLICATION };
enum { NO = CAP_NONE, IN = CAP_INBOUND, OUT = CAP_OUTBOUND, BOTH = CAP_BOTH };

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new();
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static const struct plan *plan_of(struct plan_wish wish)
{
    const struct plan *p = NULL;
    wish.edition = "2020-10";
    assert_int_equal(plan_make(&wish, arena, &p), ERR_NONE);
    return p;
}

static void say_fit(char *to, size_t size, const struct plan_fit *f)
{
    size_t n = strlen(to);
    snprintf(to + n, size - n, "%s%s %s %s %lld", n ? "; " : "", f->row->country, number_type_in_words(f->row->type),
             assignment_word(f->row->assignment), (long long)f->micro);
}

/* "US local person 1000000; ..." or "!PlanWithoutSms !TollFreeNotForPerson -> for ...: US toll-free application 2000000" */
static void say_plan(char *to, size_t size, const struct plan *p)
{
    to[0] = 0;
    for (size_t i = 0; i < p->fits_n; i++)
        say_fit(to, size, &p->fits[i]);
    if (p->fits_n)
        return;
    for (size_t i = 0; i < p->obstacles_n; i++)
        snprintf(to + strlen(to), size - strlen(to), "!%s ", p->obstacles[i].why.rule);
    char parts[256] = "";
    for (size_t i = 0; i < p->parts_n; i++)
        say_fit(parts, sizeof parts, &p->parts[i]);
    snprintf(to + strlen(to), size - strlen(to), "-> %s: %s", p->parts_n ? p->change : "", parts);
}

#define TWO "with two numbers: one to call with, and one of an application to text with"
#define NO_TEXTS_FOR_A_PERSON "!PlanWithoutSms !TollFreeNotForPerson -> "
#define LOCAL_AND_TOLL_FREE TWO ": US local person 1000000; US toll-free application 2000000"

static const struct {
    int         who;
    const char *country;
    int         calling, sms;
    int64_t     minutes, messages;
    uint64_t    to;
    const char *answer;
} wishes[] = {
    /* the choosing guide: a person takes a local number, an application that texts a toll-free one, one that calls either */
    { P, "",   NO,   NO,   0, 0, 0, "US local person 1000000" },
    { A, "",   NO,   NO,   0, 0, 0, "US local application 1000000; US toll-free application 2000000" },
    { P, "US", OUT,  NO,   0, 0, 0, "US local person 1000000" },
    { P, "US", IN,   NO,   0, 0, 0, "US local person 1000000" },
    { P, "US", BOTH, NO,   0, 0, 0, "US local person 1000000" },
    { A, "US", BOTH, NO,   0, 0, 0, "US local application 1000000; US toll-free application 2000000" },
    { A, "US", NO,   OUT,  0, 0, 0, "US toll-free application 2000000" },
    { A, "US", BOTH, BOTH, 0, 0, 0, "US toll-free application 2000000" },
    { P, "US", NO,   OUT,  0, 0, 0, NO_TEXTS_FOR_A_PERSON "for an application instead of a person: US toll-free application 2000000" },
    { P, "US", OUT,  OUT,  0, 0, 0, NO_TEXTS_FOR_A_PERSON LOCAL_AND_TOLL_FREE },
    { P, "",   BOTH, BOTH, 0, 0, 0, NO_TEXTS_FOR_A_PERSON LOCAL_AND_TOLL_FREE },
    /* a country that is not sold in */
    { P, "CA", OUT,  NO,   0, 0, 0, "!CountryNotOffered -> in US: US local person 1000000" },
    { A, "PR", NO,   OUT,  0, 0, 0, "!CountryNotOffered -> in US: US toll-free application 2000000" },
    { P, "FR", NO,   IN,   0, 0, 0, "!CountryNotOffered -> in US, for an application instead of a person: US toll-free application 2000000" },
    { P, "??", NO,   NO,   0, 0, 0, "!CountryNotOffered -> in US: US local person 1000000" },
    /* a number to reach: a Canadian one is not a US one, though both begin with +1 */
    { A, "", OUT,  NO,   0, 0, 12065550100, "US local application 1000000; US toll-free application 2000000" },
    { A, "", OUT,  NO,   0, 0, 14165550100, "US local application 1000000" },
    { A, "", OUT,  NO,   0, 0, 442071838750, "US local application 1000000" },
    { A, "", IN,   NO,   0, 0, 442071838750, "US local application 1000000; US toll-free application 2000000" },
    { A, "", NO,   OUT,  0, 0, 12065550100, "US toll-free application 2000000" },
    { A, "", NO,   OUT,  0, 0, 14165550100, "!PlanWithoutSms !SmsDestinationNotAllowed -> without reaching +14165550100: US toll-free application 2000000" },
    { A, "", OUT,  OUT,  0, 0, 442071838750, "!PlanWithoutSms !CallDestinationNotAllowed -> without SMS: US local application 1000000" },
    { P, "", OUT,  OUT,  0, 0, 12065550100, NO_TEXTS_FOR_A_PERSON LOCAL_AND_TOLL_FREE },
    { P, "", OUT,  NO,   0, 0, 19005550100, "!DestinationClosed !TollFreeNotForPerson -> without reaching +19005550100: US local person 1000000" },
    { P, "DE", NO, OUT,  0, 0, 14165550100,
      "!CountryNotOffered -> in US, for an application instead of a person, without reaching +14165550100"
      ": US toll-free application 2000000" },
    /* a month: 0.013 out, 0.0085 or 0.022 in, and 0.004 for the own leg of either; 0.01 a segment out, 0.0085 in; both ways counts half and half */
    { P, "", OUT,  NO,   100, 0, 0, "US local person 2700000" },
    { P, "", IN,   NO,   100, 0, 0, "US local person 2250000" },
    { P, "", BOTH, NO,   101, 0, 0, "US local person 2492000" },
    { P, "", NO,   NO,   100, 0, 0, "US local person 2700000" },
    { A, "", IN,   NO,   100, 0, 0, "US local application 2250000; US toll-free application 4600000" },
    { A, "", NO,   OUT,  0, 1000, 0, "US toll-free application 12000000" },
    { A, "", NO,   IN,   0, 1000, 0, "US toll-free application 10500000" },
    { A, "", NO,   BOTH, 0, 3, 0,    "US toll-free application 2028500" },
    { A, "", NO,   NO,   0, 1000, 0, "US toll-free application 12000000" },
    { A, "", NO,   NO,   500, 1000, 0, "US toll-free application 20500000" },
    { P, "", OUT,  NO,   100, 0, 442071838750, "US local person 2900000" },
    { P, "", OUT,  NO,   10, 0, 19075550100, "US local person 1940000" },         /* Alaska has a price of its own */
    { P, "", NO,   NO,   100, 100, 0, NO_TEXTS_FOR_A_PERSON TWO ": US local person 2700000; US toll-free application 3000000" },
    { P, "", OUT,  NO,   PLAN_UNITS_MOST, 0, 3763000000, "US local person 284000001000000" },
};

static void each_wish_has_its_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
        struct plan_wish w = { .assignment = (enum assignment)wishes[i].who, .calling = (enum capability)wishes[i].calling,
                               .sms = (enum capability)wishes[i].sms, .minutes = wishes[i].minutes,
                               .messages = wishes[i].messages, .to = wishes[i].to };
        str_copyz(w.country, sizeof w.country, str_of(wishes[i].country));
        char said[1024];
        say_plan(said, sizeof said, plan_of(w));
        if (strcmp(said, wishes[i].answer))
            fail_msg("wish %zu: \"%s\" is not \"%s\"", i, said, wishes[i].answer);
    }
}

static bool has(const struct plan *p, enum number_type type)
{
    for (size_t i = 0; i < p->fits_n; i++)
        if (p->fits[i].row->type == type)
            return true;
    return false;
}

static void of_all_capabilities_local_fits_without_sms_and_toll_free_for_applications(void **state)
{
    (void)state;
    for (int who = P; who <= A; who++)
        for (int calling = NO; calling <= BOTH; calling++)
            for (int sms = NO; sms <= BOTH; sms++) {
                const struct plan *p = plan_of((struct plan_wish){ .assignment = (enum assignment)who,
                    .calling = (enum capability)calling, .sms = (enum capability)sms });
                assert_int_equal(has(p, NUMBER_GEOGRAPHIC), sms == NO);
                assert_int_equal(has(p, NUMBER_TOLL_FREE), who == A);
                assert_int_equal(p->fits_n + p->obstacles_n, 2);
                assert_true(p->fits_n || p->parts_n);       /* there is always something near */
                assert_int_equal(p->possible, p->fits_n > 0);
            }
}

static void a_wish_without_capabilities_is_shown_all_there_is(void **state)
{
    (void)state;
    const struct plan *p = plan_of((struct plan_wish){ .assignment = ASSIGNED_APPLICATION });
    assert_int_equal(p->fits[1].calling, CAP_BOTH);
    assert_int_equal(p->fits[1].sms, CAP_BOTH);
    p = plan_of((struct plan_wish){ .assignment = ASSIGNED_APPLICATION, .sms = CAP_OUTBOUND });
    assert_int_equal(p->fits[0].calling, CAP_NONE);
    assert_int_equal(p->fits[0].sms, CAP_OUTBOUND);
}

static void the_estimate_has_its_lines(void **state)
{
    (void)state;
    const struct plan *p = plan_of((struct plan_wish){ .assignment = ASSIGNED_APPLICATION, .calling = CAP_BOTH, .sms = CAP_BOTH,
                                                       .minutes = 3, .messages = 5 });
    static const struct plan_line want[] = {
        { "lease", 1, 2000000, 2000000 }, { "calls out", 2, 13000, 26000 }, { "calls in", 1, 22000, 22000 },
        { "VoIP leg", 3, 4000, 12000 },
        { "texts out", 3, 10000, 30000 }, { "texts in", 2, 8500, 17000 },
    };
    assert_int_equal(p->fits[0].lines_n, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_string_equal(p->fits[0].lines[i].what, want[i].what);
        assert_int_equal(p->fits[0].lines[i].units, want[i].units);
        assert_int_equal(p->fits[0].lines[i].micro_each, want[i].micro_each);
        assert_int_equal(p->fits[0].lines[i].micro, want[i].micro);
    }
    assert_int_equal(p->fits[0].micro, 2107000);
}

/* -- who would buy -------------------------------------------------------------------------------------------------- */

static void an_account_may_buy_or_is_told_the_rule(void **state)
{
    (void)state;
    static const struct { struct subscription account; const char *rule; } cases[] = {
        { { .name = "us", .offer = OFFER_PAYG, .billing_country = "US", .active = true }, "" },
        { { .name = "ea", .offer = OFFER_EA, .billing_country = "US", .active = true }, "" },
        { { .name = "csp", .offer = OFFER_CSP, .billing_country = "US", .active = true }, "" },
        { { .name = "trial", .offer = OFFER_TRIAL, .billing_country = "US", .active = true }, "TrialSubscriptionNotEligible" },
        { { .name = "free", .offer = OFFER_FREE_CREDIT, .billing_country = "US", .active = true }, "TrialSubscriptionNotEligible" },
        { { .name = "gb", .offer = OFFER_PAYG, .billing_country = "GB", .active = true }, "BillingCountryNotEligible" },
        { { .name = "pr", .offer = OFFER_PAYG, .billing_country = "PR", .active = true }, "BillingCountryNotEligible" },
        { { .name = "off", .offer = OFFER_PAYG, .billing_country = "US", .active = false }, "SubscriptionNotActive" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct plan *p = plan_of((struct plan_wish){ .assignment = ASSIGNED_PERSON, .account = &cases[i].account });
        assert_int_equal(p->fits_n, 1);
        assert_int_equal(p->possible, !*cases[i].rule);
        assert_string_equal(p->fits[0].refused ? p->fits[0].refused->rule : "", cases[i].rule);
        assert_true(!p->fits[0].refused || p->fits[0].refused->suggestion[0]);
    }
}

static void an_obstacle_is_told_in_words_for_people(void **state)
{
    (void)state;
    const struct plan *p = plan_of((struct plan_wish){ .assignment = ASSIGNED_PERSON, .sms = CAP_OUTBOUND });
    assert_int_equal(p->obstacles_n, 2);
    assert_int_equal(p->obstacles[0].type, NUMBER_GEOGRAPHIC);
    assert_string_equal(p->obstacles[0].country, "US");
    assert_true(str_starts(str_of(p->obstacles[0].why.text), STR("The most SMS of any local (geographic) number of US in edition 2020-10 is 'none'")));
    assert_true(str_starts(str_of(p->obstacles[1].why.text), STR("A toll-free number is assigned to an application")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wish_has_its_answer),
        cmocka_unit_test(of_all_capabilities_local_fits_without_sms_and_toll_free_for_applications),
        cmocka_unit_test(a_wish_without_capabilities_is_shown_all_there_is),
        cmocka_unit_test(the_estimate_has_its_lines),
        cmocka_unit_test(an_account_may_buy_or_is_told_the_rule),
        cmocka_unit_test(an_obstacle_is_told_in_words_for_people),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
