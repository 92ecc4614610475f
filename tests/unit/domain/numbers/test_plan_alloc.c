/* A plan with every allocation of ours failing in turn. */
#include "domain/numbers/plan.h"

#include "domain/accounts/accounts.h"
#include "unit/alloc.h"
#include "unit/cm.h"

static enum err plan_a_hard_one(void)
{
    static const struct subscription poor = { .name = "poor", .offer = OFFER_TRIAL, .billing_country = "US", .active = true };
    struct plan_wish wish = { .edition = "2020-10", .assignment = ASSIGNED_PERSON, .country = "FR", .sms = CAP_OUTBOUND,
                              .to = 442071838750, .account = &poor };
    const struct plan *p;
    scoped(arena) struct arena *arena = arena_new();
    return arena ? plan_make(&wish, arena, &p) : ERR_NOMEM;
}

static void a_plan_survives_each_allocation_failing(void **state)
{
    (void)state;
    assert_in_range(alloc_each_failing(plan_a_hard_one), 1, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_plan_survives_each_allocation_failing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
