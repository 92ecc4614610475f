#include "domain/numbers/numbers.h"

#include "unit/domain/numbers/world.h"

#define assert_refused(w, expression, error, rule_name)         \
    do {                                                        \
        assert_int_equal(expression, error);                    \
        assert_string_equal((w)->why.rule, rule_name);          \
        assert_true((w)->why.text[0] && (w)->why.suggestion[0]);\
    } while (0)

static const struct number_search *found(struct world *w, uint64_t resource)
{
    const struct number_search *s = numbers_search_find(w->numbers, resource, w->op.subject);
    assert_non_null(s);
    return s;
}

/* -- search --------------------------------------------------------------------------------------------------------- */

static void a_search_holds_what_was_asked_for_a_quarter_of_an_hour(void **state)
{
    struct world *w = *state;
    assert_int_equal(search(w, w->us, local_in("206", 3)), ERR_NONE);
    assert_int_equal(w->op.kind, OPERATION_SEARCH);
    assert_int_equal(w->op.status, OPERATION_SUCCEEDED);
    const struct number_search *s = found(w, w->us);
    assert_int_equal(s->key, w->op.key);
    assert_int_equal(s->state, SEARCH_HELD);
    assert_int_equal(s->count, 3);
    assert_int_equal(s->expires_us, w->now_us + 15 * MINUTE);
    assert_int_equal(s->lease_micro, 1000000);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(s->numbers[i] / 10000, 1206555);
        assert_null(leased(w, s->numbers[i]));
    }
    assert_null(numbers_search_find(w->numbers, w->other, s->key));
}

static void a_search_without_an_area_code_takes_any_of_the_type(void **state)
{
    struct world *w = *state;
    assert_int_equal(search(w, w->us, toll_free_in("", 2)), ERR_NONE);
    for (size_t i = 0; i < 2; i++) {
        struct nanp_number na;
        assert_true(nanp_read(found(w, w->us)->numbers[i], &na) && nanp_is_toll_free(na.npa));
    }
    assert_int_equal(search(w, w->us, local_in("", 1)), ERR_NONE);
    struct nanp_number na;
    assert_true(nanp_read(found(w, w->us)->numbers[0], &na));
    assert_int_equal(nanp_area(na.npa)->kind, NANP_GEOGRAPHIC);
    assert_string_equal(nanp_area(na.npa)->country, "US");
}

static void the_same_seed_offers_the_same_numbers_in_the_same_order(void **state)
{
    struct world *w = *state, *v = world_new();
    assert_int_equal(search(w, w->us, local_in("212", 5)), ERR_NONE);
    assert_int_equal(search(v, v->us, local_in("212", 5)), ERR_NONE);
    assert_memory_equal(found(w, w->us)->numbers, found(v, v->us)->numbers, 5 * sizeof(uint64_t));
    world_free(v);
}

struct keys { struct world *w; uint64_t at[4]; size_t n; };

static void on_key(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)why;
    struct keys *k = arg;
    assert_int_equal(err, ERR_NONE);
    k->at[k->n++] = op->subject;
    k->w->waiting--;
}

static void no_number_is_in_two_holds(void **state)
{
    struct world *w = *state;
    struct number_search_new rq = local_in("425", 500);
    struct keys k = { .w = w };
    for (int i = 0; i < 4; i++) {       /* all posted before any is committed */
        w->waiting++;
        assert_int_equal(numbers_search(w->numbers, w->us, &rq, on_key, &k, &w->why), ERR_NONE);
    }
    world_pump(w);
    bool seen[10000] = { false };
    for (size_t n = 0; n < 4; n++) {
        const struct number_search *s = numbers_search_find(w->numbers, w->us, k.at[n]);
        assert_int_equal(s->count, 500);
        for (size_t i = 0; i < s->count; i++) {
            assert_false(seen[s->numbers[i] % 10000]);
            seen[s->numbers[i] % 10000] = true;
        }
    }
}

static void what_is_left_is_held_when_less_than_asked_is_left(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 9; i++)
        assert_int_equal(search(w, w->us, local_in("307", 1000)), ERR_NONE);
    assert_int_equal(search(w, w->us, local_in("307", 1000)), ERR_NONE);
    assert_int_equal(found(w, w->us)->count, 898);          /* 10000 - 102 - 9000 */
    assert_refused(w, search(w, w->other, local_in("307", 1)), ERR_RANGE, "OutOfStock");
    world_sleep(w, 15 * MINUTE);
    assert_int_equal(search(w, w->other, local_in("307", 1)), ERR_NONE);
}

static void a_search_that_cannot_be_is_refused_with_its_rule(void **state)
{
    struct world *w = *state;
    struct number_search_new rq = toll_free_in("833", 1);
    rq.assignment = ASSIGNED_PERSON;
    assert_refused(w, search(w, w->us, rq), ERR_RANGE, "TollFreeNotForPerson");
    assert_string_equal(w->why.code, "InternalError");      /* the service's own words stand first */
    assert_string_equal(w->why.text, "The server encountered an internal error.");
    assert_non_null(strstr(w->why.suggestion, "We are unable to find phone plans to match your requested capabilities."));
    rq = local_in("206", 1);
    rq.sms = CAP_OUTBOUND;
    assert_refused(w, search(w, w->us, rq), ERR_RANGE, "PlanWithoutSms");
    rq = local_in("206", 1);
    rq.country = STR("GB");
    assert_refused(w, search(w, w->us, rq), ERR_RANGE, "CountryNotOffered");
    assert_refused(w, search(w, w->us, local_in("206", 0)), ERR_RANGE, "QuantityOutOfRange");
    assert_refused(w, search(w, w->us, local_in("206", -1)), ERR_RANGE, "QuantityOutOfRange");
    assert_refused(w, search(w, w->us, local_in("206", 1001)), ERR_RANGE, "QuantityOutOfRange");
    assert_string_equal(w->why.target, "quantity");
    assert_refused(w, search(w, w->us, local_in("555", 1)), ERR_RANGE, "AreaCodeUnknown");
    assert_refused(w, search(w, w->us, local_in("416", 1)), ERR_RANGE, "AreaCodeUnknown");      /* Toronto */
    assert_refused(w, search(w, w->us, local_in("787", 1)), ERR_RANGE, "AreaCodeUnknown");      /* Puerto Rico */
    assert_refused(w, search(w, w->us, local_in("2o6", 1)), ERR_RANGE, "AreaCodeUnknown");
    assert_refused(w, search(w, w->us, local_in("0206", 1)), ERR_RANGE, "AreaCodeUnknown");
    assert_string_equal(w->why.target, "areaCode");
    assert_refused(w, search(w, w->us, local_in("833", 1)), ERR_RANGE, "AreaCodeNotOfType");
    assert_refused(w, search(w, w->us, toll_free_in("206", 1)), ERR_RANGE, "AreaCodeNotOfType");
    assert_refused(w, search(w, w->us, local_in("900", 1)), ERR_RANGE, "AreaCodeNotOfType");
}

static void only_who_pays_and_is_billed_in_the_united_states_may_search(void **state)
{
    struct world *w = *state;
    assert_refused(w, search(w, w->trial, local_in("206", 1)), ERR_FORBIDDEN, "TrialSubscriptionNotEligible");
    assert_refused(w, search(w, w->canadian, toll_free_in("833", 1)), ERR_FORBIDDEN, "BillingCountryNotEligible");
    uint64_t credit = world_resource(w, "credit", "free-credit", "US");
    assert_refused(w, search(w, credit, local_in("206", 1)), ERR_FORBIDDEN, "TrialSubscriptionNotEligible");
    assert_refused(w, search(w, 12345, local_in("206", 1)), ERR_FORBIDDEN, "SubscriptionNotActive");
}

static void without_the_simulator_there_is_nothing_to_find(void **state)
{
    struct world *w = *state;
    struct numbers *n = NULL;
    struct number_search_new rq = local_in("206", 1);
    assert_int_equal(numbers_new(&n, &w->control, w->accounts, &(struct numbers_conf){ .edition = "2020-10" }, &w->why),
                     ERR_NONE);
    assert_refused(w, numbers_search(n, w->us, &rq, world_done, w, &w->why), ERR_RANGE, "OutOfStock");
    numbers_free(n);
    assert_int_equal(numbers_new(&n, &w->control, w->accounts, &(struct numbers_conf){ .edition = "1999" }, &w->why),
                     ERR_RANGE);
}

/* -- purchase ------------------------------------------------------------------------------------------------------- */

static void a_hold_becomes_a_lease(void **state)
{
    struct world *w = *state;
    assert_int_equal(search(w, w->us, toll_free_in("833", 2)), ERR_NONE);
    const struct number_search *s = found(w, w->us);
    uint64_t first = s->numbers[0], second = s->numbers[1];
    world_sleep(w, MINUTE);
    assert_int_equal(purchase(w, w->us, s->key), ERR_NONE);
    assert_int_equal(w->op.kind, OPERATION_PURCHASE);
    assert_int_equal(s->state, SEARCH_BOUGHT);
    const struct lease *l = leased(w, first);
    assert_non_null(l);
    assert_int_equal(l->number, first);
    assert_int_equal(l->resource, w->us);
    assert_int_equal(l->type, NUMBER_TOLL_FREE);
    assert_int_equal(l->assignment, ASSIGNED_APPLICATION);
    assert_int_equal(l->calling, CAP_NONE);
    assert_int_equal(l->sms, CAP_BOTH);
    assert_string_equal(l->country, "US");
    assert_string_equal(l->carrier, "sim");
    assert_true(l->simulated);
    assert_int_equal(l->purchased_us, w->now_us);
    assert_int_equal(numbers_lease_micro(w->numbers, l), 2000000);
    assert_non_null(leased(w, second));
    world_sleep(w, 40 * DAY);           /* the end of the hold no longer matters */
    assert_non_null(leased(w, first));
}

static void a_purchase_asked_twice_is_one_purchase(void **state)
{
    struct world *w = *state;
    assert_int_equal(search(w, w->us, local_in("206", 1)), ERR_NONE);
    uint64_t key = w->op.subject;
    assert_int_equal(purchase(w, w->us, key), ERR_NONE);
    uint64_t operation = w->op.key;
    assert_int_equal(purchase(w, w->us, key), ERR_NONE);
    assert_int_equal(w->op.key, operation);
    world_restart(w);
    assert_int_equal(purchase(w, w->us, key), ERR_NONE);
    assert_int_equal(w->op.key, operation);
}

static void a_purchase_while_the_first_is_stored_is_told_to_come_again(void **state)
{
    struct world *w = *state;
    assert_int_equal(search(w, w->us, local_in("206", 1)), ERR_NONE);
    uint64_t key = w->op.subject;
    w->waiting++;
    assert_int_equal(numbers_purchase(w->numbers, w->us, key, false, world_done, w, &w->why), ERR_NONE);
    assert_refused(w, numbers_purchase(w->numbers, w->us, key, false, world_done, w, &w->why), ERR_BUSY, "NumberBusy");
    assert_int_equal(w->why.retry_after_s, 1);
    world_pump(w);
    assert_int_equal(w->err, ERR_NONE);
}

static void an_expired_hold_cannot_be_bought_and_says_when_it_ended(void **state)
{
    struct world *w = *state;
    assert_int_equal(search(w, w->us, local_in("206", 1)), ERR_NONE);
    uint64_t key = w->op.subject, digits = found(w, w->us)->numbers[0];
    world_sleep(w, 15 * MINUTE);
    assert_refused(w, purchase(w, w->us, key), ERR_CONFLICT, "ReservationExpired");
    assert_non_null(strstr(w->why.text, "2020-12-01T00:15:00"));
    assert_int_equal(numbers_search_find(w->numbers, w->us, key)->state, SEARCH_EXPIRED);
    world_restart(w);
    assert_refused(w, purchase(w, w->us, key), ERR_CONFLICT, "ReservationExpired");
    assert_int_equal(search(w, w->other, local_in("206", 1)), ERR_NONE);    /* and the number is free again */
    assert_int_equal(found(w, w->other)->numbers[0], digits);
}

static void the_last_second_of_a_hold_still_counts(void **state)
{
    struct world *w = *state;
    assert_int_equal(search(w, w->us, local_in("206", 1)), ERR_NONE);
    world_sleep(w, 15 * MINUTE - 1);
    assert_int_equal(purchase(w, w->us, w->op.subject), ERR_NONE);
}

static void a_hold_that_ends_while_it_is_bought_is_bought(void **state)
{
    struct world *w = *state;
    assert_int_equal(search(w, w->us, local_in("206", 1)), ERR_NONE);
    uint64_t digits = found(w, w->us)->numbers[0];
    w->waiting++;
    assert_int_equal(numbers_purchase(w->numbers, w->us, w->op.subject, false, world_done, w, &w->why), ERR_NONE);
    world_sleep(w, 16 * MINUTE);        /* before control hears of the commit */
    world_pump(w);
    assert_int_equal(w->err, ERR_NONE);
    assert_non_null(leased(w, digits));
    world_restart(w);
    assert_non_null(leased(w, digits));
}

static void somebody_elses_search_is_not_there(void **state)
{
    struct world *w = *state;
    assert_int_equal(search(w, w->us, local_in("206", 1)), ERR_NONE);
    assert_refused(w, purchase(w, w->other, w->op.subject), ERR_ABSENT, "SearchNotFound");
    assert_refused(w, purchase(w, w->us, 99), ERR_ABSENT, "SearchNotFound");
}

/* -- change --------------------------------------------------------------------------------------------------------- */

static void capabilities_change_one_at_a_time_or_together(void **state)
{
    struct world *w = *state;
    uint64_t digits = lease_one(w, w->us, toll_free_in("833", 1));
    assert_int_equal(change(w, w->us, digits, NULL, &(enum capability){ CAP_OUTBOUND }), ERR_NONE);
    assert_int_equal(w->op.kind, OPERATION_CAPABILITIES);
    assert_int_equal(w->op.subject, digits);
    assert_int_equal(leased(w, digits)->sms, CAP_OUTBOUND);
    assert_int_equal(leased(w, digits)->calling, CAP_NONE);
    assert_int_equal(change(w, w->us, digits, &(enum capability){ CAP_BOTH }, &(enum capability){ CAP_NONE }), ERR_NONE);
    world_restart(w);
    assert_int_equal(leased(w, digits)->calling, CAP_BOTH);
    assert_int_equal(leased(w, digits)->sms, CAP_NONE);
}

static void a_local_number_gets_no_sms_later_either(void **state)
{
    struct world *w = *state;
    uint64_t digits = lease_one(w, w->us, local_in("206", 1));
    assert_refused(w, change(w, w->us, digits, NULL, &(enum capability){ CAP_OUTBOUND }), ERR_RANGE, "PlanWithoutSms");
    assert_int_equal(leased(w, digits)->sms, CAP_NONE);
    assert_refused(w, change(w, w->other, digits, NULL, &(enum capability){ CAP_NONE }), ERR_ABSENT, "NumberNotFound");
}

static void one_change_at_a_time(void **state)
{
    struct world *w = *state;
    char text[E164_SIZE];
    uint64_t digits = lease_one(w, w->us, toll_free_in("833", 1));
    e164_write(text, digits);
    w->waiting++;
    assert_int_equal(numbers_change(w->numbers, w->us, str_of(text), NULL, &(enum capability){ CAP_INBOUND }, world_done, w,
                                    &w->why), ERR_NONE);
    assert_int_equal(leased(w, digits)->sms, CAP_BOTH);     /* until it is stored */
    assert_refused(w, numbers_release(w->numbers, w->us, str_of(text), world_done, w, &w->why), ERR_BUSY, "NumberBusy");
    world_pump(w);
    assert_int_equal(leased(w, digits)->sms, CAP_INBOUND);
}

/* -- release -------------------------------------------------------------------------------------------------------- */

/* Is this very number offered, when everything else of its area code is taken? */
static bool offered(struct world *w, const char *area_code, uint64_t digits)
{
    bool seen = false;
    for (int i = 0; i < 10 && !seen; i++) {
        if (search(w, w->other, local_in(area_code, 1000)))
            break;
        const struct number_search *s = found(w, w->other);
        for (size_t k = 0; k < s->count; k++)
            seen |= s->numbers[k] == digits;
    }
    world_sleep(w, 15 * MINUTE);        /* give them back */
    return seen;
}

static void a_released_number_waits_for_its_billing_cycle_and_then_in_quarantine(void **state)
{
    struct world *w = *state;
    uint64_t digits = lease_one(w, w->us, local_in("406", 1));      /* on 2020-12-01 */
    world_sleep(w, 10 * DAY);
    assert_int_equal(release(w, w->us, digits), ERR_NONE);
    assert_int_equal(w->op.kind, OPERATION_RELEASE);
    assert_null(leased(w, digits));
    assert_refused(w, release(w, w->us, digits), ERR_ABSENT, "NumberNotFound");
    assert_false(offered(w, "406", digits));
    world_sleep(w, START_US + 31 * DAY - w->now_us - SECOND);       /* 2020-12-31T23:59:59 */
    assert_false(offered(w, "406", digits));                        /* ends at 00:14:59, in quarantine */
    world_sleep(w, 46 * DAY);                                       /* after 2021-02-15 */
    assert_int_equal(search(w, w->other, local_in("406", 1)), ERR_NONE);
    assert_int_equal(found(w, w->other)->numbers[0], digits);       /* first of its code again */
}

static void a_released_number_keeps_its_place_in_line_over_restarts(void **state)
{
    struct world *w = *state;
    uint64_t digits = lease_one(w, w->us, local_in("406", 1));
    assert_int_equal(release(w, w->us, digits), ERR_NONE);
    world_restart(w);
    assert_null(leased(w, digits));
    assert_int_equal(search(w, w->other, local_in("406", 1)), ERR_NONE);
    assert_int_not_equal(found(w, w->other)->numbers[0], digits);
    world_sleep(w, 31 * DAY);
    world_restart(w);
    assert_int_equal(search(w, w->other, local_in("406", 1)), ERR_NONE);
    assert_int_not_equal(found(w, w->other)->numbers[0], digits);
    world_sleep(w, 45 * DAY);
    world_restart(w);
    assert_int_equal(search(w, w->other, local_in("406", 1)), ERR_NONE);
    assert_int_equal(found(w, w->other)->numbers[0], digits);
}

static void on_left(void *arg, enum err err)
{
    struct world *w = arg;
    w->err = err;
    w->waiting--;
}

static void a_resource_that_is_deleted_leases_and_holds_nothing_more(void **state)
{
    enum { LEASED = 300 };              /* more than a round */
    struct world *w = *state;
    uint64_t first = lease_one(w, w->us, local_in("406", 1)), others = lease_one(w, w->other, local_in("406", 1));
    assert_int_equal(search(w, w->us, local_in("406", LEASED)), ERR_NONE);
    uint64_t bought = w->op.key;
    assert_int_equal(purchase(w, w->us, bought), ERR_NONE);
    assert_int_equal(search(w, w->us, local_in("406", 5)), ERR_NONE);
    uint64_t held = w->op.key;
    w->waiting++;
    assert_int_equal(numbers_release_all(w->numbers, w->us, on_left, w), ERR_NONE);
    world_pump(w);
    assert_int_equal(w->err, ERR_NONE);
    assert_null(leased(w, first));
    assert_non_null(leased(w, others));
    assert_int_equal(numbers_search_find(w->numbers, w->us, held)->state, SEARCH_CANCELED);
    const struct number_search *s = numbers_search_find(w->numbers, w->us, bought);
    for (size_t i = 0; i < s->count; i++)
        assert_null(leased(w, s->numbers[i]));
    world_restart(w);
    assert_null(leased(w, first));
    assert_non_null(leased(w, others));
    w->waiting++;
    assert_int_equal(numbers_release_all(w->numbers, w->us, on_left, w), ERR_NONE);     /* again: nothing is left to do */
    world_pump(w);
    assert_int_equal(w->err, ERR_NONE);
}

static void a_quarantined_number_is_offered_when_nothing_else_is_left(void **state)
{
    struct world *w = *state;
    uint64_t digits = lease_one(w, w->us, local_in("406", 1));
    assert_int_equal(release(w, w->us, digits), ERR_NONE);
    world_sleep(w, 32 * DAY);
    size_t count = 0;
    bool seen = false;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(search(w, w->other, local_in("406", 1000)), ERR_NONE);
        const struct number_search *s = found(w, w->other);
        count += s->count;
        seen |= s->numbers[s->count - 1] == digits;
    }
    assert_int_equal(count, 9898);
    assert_true(seen);                  /* last of all */
    assert_refused(w, search(w, w->us, local_in("406", 1)), ERR_RANGE, "OutOfStock");
    assert_int_equal(purchase(w, w->other, w->op.subject), ERR_NONE);
    assert_int_equal(leased(w, digits)->resource, w->other);
    world_restart(w);
    assert_int_equal(leased(w, digits)->resource, w->other);
}

static void a_restart_finds_holds_and_leases_where_they_were(void **state)
{
    struct world *w = *state;
    uint64_t mine = lease_one(w, w->us, local_in("206", 1));
    assert_int_equal(search(w, w->us, local_in("206", 2)), ERR_NONE);
    uint64_t key = w->op.subject, held = found(w, w->us)->numbers[0];
    world_restart(w);
    assert_int_equal(leased(w, mine)->resource, w->us);
    assert_non_null(numbers_operation_find(w->numbers, w->us, OPERATION_SEARCH, key));
    assert_int_equal(search(w, w->other, local_in("206", 5)), ERR_NONE);
    for (size_t i = 0; i < 5; i++)
        assert_true(found(w, w->other)->numbers[i] != held && found(w, w->other)->numbers[i] != mine);
    assert_int_equal(purchase(w, w->us, key), ERR_NONE);
    assert_non_null(leased(w, held));
}

/* Two memories over one store, as if one of them were wrong: the unit's guards decide. */
static void the_store_stops_a_second_owner_even_when_memory_is_wrong(void **state)
{
    struct world *w = *state;
    struct numbers *right = w->numbers, *wrong = world_numbers(w);
    assert_int_equal(search(w, w->us, local_in("206", 2)), ERR_NONE);
    uint64_t key = w->op.subject, digits = found(w, w->us)->numbers[0];
    w->numbers = wrong;                 /* knows nothing of that hold */
    assert_int_equal(search(w, w->other, local_in("206", 3)), ERR_NONE);
    uint64_t twice = w->op.subject;
    assert_int_equal(found(w, w->other)->numbers[0], digits);
    w->numbers = right;
    assert_int_equal(purchase(w, w->us, key), ERR_NONE);
    w->numbers = wrong;
    assert_int_equal(purchase(w, w->other, twice), ERR_CONFLICT);
    w->numbers = right;
    assert_int_equal(leased(w, digits)->resource, w->us);
    numbers_free(wrong);
}

/* The server died before it could note the end of a hold, and the number went to somebody else meanwhile. */
static void the_end_of_an_old_hold_does_not_touch_its_numbers_new_owner(void **state)
{
    struct world *w = *state;
    assert_int_equal(search(w, w->us, local_in("206", 1)), ERR_NONE);
    uint64_t digits = found(w, w->us)->numbers[0];
    numbers_free(w->numbers);
    w->now_us += 16 * MINUTE;
    clock_freeze(w->control.clock, w->now_us);
    w->numbers = world_numbers(w);      /* and no catching up: the old search still says held */
    struct numbers *late = w->numbers, *other = NULL;
    assert_int_equal(numbers_new(&other, &w->control, w->accounts,
                                 &(struct numbers_conf){ .edition = "2020-10", .seed = 7, .simulator = true }, &w->why),
                     ERR_NONE);
    w->numbers = other;
    assert_int_equal(search(w, w->other, local_in("206", 1)), ERR_NONE);
    uint64_t key = w->op.subject;
    assert_int_equal(found(w, w->other)->numbers[0], digits);
    numbers_free(late);
    w->numbers = world_numbers(w);      /* reads both searches; the number belongs to the new one */
    numbers_free(other);
    agenda_catch_up(w->control.agenda);
    assert_int_equal(search(w, w->us, local_in("206", 1)), ERR_NONE);
    assert_int_not_equal(found(w, w->us)->numbers[0], digits);
    assert_int_equal(purchase(w, w->other, key), ERR_NONE);
    assert_int_equal(leased(w, digits)->resource, w->other);
}

/* -- operations ----------------------------------------------------------------------------------------------------- */

static void canceling_a_search_gives_its_hold_back(void **state)
{
    struct world *w = *state;
    assert_int_equal(search(w, w->us, local_in("206", 1)), ERR_NONE);
    uint64_t key = w->op.key, digits = found(w, w->us)->numbers[0];
    w->waiting++;
    assert_int_equal(settle(w, numbers_cancel(w->numbers, w->us, OPERATION_SEARCH, key, world_done, w, &w->why)), ERR_NONE);
    assert_int_equal(numbers_operation_find(w->numbers, w->us, OPERATION_SEARCH, key)->status, OPERATION_CANCELED);
    assert_refused(w, purchase(w, w->us, key), ERR_CONFLICT, "SearchCanceled");
    assert_int_equal(search(w, w->other, local_in("206", 1)), ERR_NONE);
    assert_int_equal(found(w, w->other)->numbers[0], digits);
    w->waiting++;                       /* again: nothing happens */
    assert_int_equal(settle(w, numbers_cancel(w->numbers, w->us, OPERATION_SEARCH, key, world_done, w, &w->why)), ERR_NONE);
    world_restart(w);
    assert_int_equal(numbers_operation_find(w->numbers, w->us, OPERATION_SEARCH, key)->status, OPERATION_CANCELED);
}

static void what_is_done_cannot_be_canceled_away(void **state)
{
    struct world *w = *state;
    uint64_t digits = lease_one(w, w->us, local_in("206", 1)), key = w->op.key;
    w->waiting++;
    assert_int_equal(settle(w, numbers_cancel(w->numbers, w->us, OPERATION_PURCHASE, key, world_done, w, &w->why)),
                     ERR_NONE);
    assert_non_null(leased(w, digits));
    assert_int_equal(numbers_operation_find(w->numbers, w->us, OPERATION_PURCHASE, key)->status, OPERATION_SUCCEEDED);
    assert_int_equal(numbers_cancel(w->numbers, w->other, OPERATION_PURCHASE, key, world_done, w, &w->why), ERR_ABSENT);
}

static void operations_and_searches_are_kept_for_a_day(void **state)
{
    struct world *w = *state;
    assert_int_equal(search(w, w->us, local_in("206", 1)), ERR_NONE);
    uint64_t key = w->op.key;
    world_sleep(w, DAY - 1);
    assert_non_null(numbers_operation_find(w->numbers, w->us, OPERATION_SEARCH, key));
    assert_non_null(numbers_search_find(w->numbers, w->us, key));
    assert_null(numbers_operation_find(w->numbers, w->us, OPERATION_PURCHASE, key));
    assert_null(numbers_operation_find(w->numbers, w->other, OPERATION_SEARCH, key));
    world_sleep(w, 1);
    assert_null(numbers_operation_find(w->numbers, w->us, OPERATION_SEARCH, key));
    assert_null(numbers_search_find(w->numbers, w->us, key));
    world_restart(w);
    assert_null(numbers_search_find(w->numbers, w->us, key));
}

/* -- look-up and reach ---------------------------------------------------------------------------------------------- */

static void a_lease_is_found_by_either_spelling_and_by_its_owner_alone(void **state)
{
    struct world *w = *state;
    const struct lease *l;
    char text[E164_SIZE];
    uint64_t digits = lease_one(w, w->us, local_in("206", 1));
    e164_write(text, digits);
    assert_non_null(numbers_lease(w->numbers, str_of(text)));
    assert_non_null(numbers_lease(w->numbers, str_of(text + 1)));
    assert_null(numbers_lease(w->numbers, STR("+12065550100")));
    assert_null(numbers_lease(w->numbers, STR("nonsense")));
    assert_int_equal(numbers_lease_of(w->numbers, w->us, str_of(text), &l, &w->why), ERR_NONE);
    assert_refused(w, numbers_lease_of(w->numbers, w->other, str_of(text), &l, &w->why), ERR_ABSENT, "NumberNotFound");
    assert_refused(w, numbers_lease_of(w->numbers, w->us, STR("+14155550100"), &l, &w->why), ERR_ABSENT, "NumberNotFound");
    assert_string_equal(w->why.code, "NotFound");
    assert_string_equal(w->why.text, "Input phoneNumber +14155550100 cannot be found.");
    assert_string_equal(w->why.target, "phonenumber");
    assert_refused(w, numbers_lease_of(w->numbers, w->us, STR("invalid_phone_number"), &l, &w->why), ERR_RANGE,
                   "InvalidPhoneNumber");
    assert_string_equal(w->why.suggestion, "Invalid telephone number 'invalid_phone_number'");
}

static void a_local_number_calls_wherever_there_is_a_price(void **state)
{
    struct world *w = *state;
    const struct lease *l = leased(w, lease_one(w, w->us, local_in("206", 1)));
    static const char *const fine[] = { "+12125550100", "+14165550100", "+17875550100", "+442079460018", "+4930123456",
                                        "+33123456789", "+18005550100" };
    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        if (numbers_may_call(w->numbers, l, str_of(fine[i]), &w->why))
            fail_msg("%s: %s", fine[i], w->why.text);
    assert_refused(w, numbers_may_call(w->numbers, l, STR("+19005550100"), &w->why), ERR_FORBIDDEN, "DestinationClosed");
    assert_refused(w, numbers_may_call(w->numbers, l, STR("+12069761234"), &w->why), ERR_FORBIDDEN, "DestinationClosed");
    assert_refused(w, numbers_may_call(w->numbers, l, STR("+18691234567"), &w->why), ERR_RANGE, "CallDestinationInvalid");
    assert_refused(w, numbers_may_call(w->numbers, l, STR("+18692345678"), &w->why), ERR_FORBIDDEN, "NoRateForDestination");
    assert_refused(w, numbers_may_call(w->numbers, l, STR("12125550100"), &w->why), ERR_RANGE, "CallDestinationInvalid");
    assert_int_equal(numbers_may_be_called(w->numbers, l, STR("+442079460018"), &w->why), ERR_NONE);
    assert_int_equal(numbers_may_be_called(w->numbers, l, STR("anonymous"), &w->why), ERR_NONE);
}

static void a_toll_free_number_calls_and_is_called_within_the_united_states(void **state)
{
    struct world *w = *state;
    struct number_search_new rq = toll_free_in("833", 1);
    rq.calling = CAP_BOTH;
    const struct lease *l = leased(w, lease_one(w, w->us, rq));
    assert_int_equal(numbers_may_call(w->numbers, l, STR("+12125550100"), &w->why), ERR_NONE);
    assert_refused(w, numbers_may_call(w->numbers, l, STR("+14165550100"), &w->why), ERR_FORBIDDEN,
                   "CallDestinationNotAllowed");
    assert_refused(w, numbers_may_call(w->numbers, l, STR("+442079460018"), &w->why), ERR_FORBIDDEN,
                   "CallDestinationNotAllowed");
    assert_int_equal(numbers_may_be_called(w->numbers, l, STR("+12125550100"), &w->why), ERR_NONE);
    assert_refused(w, numbers_may_be_called(w->numbers, l, STR("+14165550100"), &w->why), ERR_FORBIDDEN,
                   "CallOriginNotAllowed");
}

static void a_capability_that_was_not_leased_is_named(void **state)
{
    struct world *w = *state;
    struct number_search_new rq = local_in("206", 1);
    rq.calling = CAP_NONE;
    const struct lease *l = leased(w, lease_one(w, w->us, rq));
    assert_refused(w, numbers_may_call(w->numbers, l, STR("+12125550100"), &w->why), ERR_FORBIDDEN, "CallingNotOutbound");
    assert_refused(w, numbers_may_be_called(w->numbers, l, STR("+12125550100"), &w->why), ERR_FORBIDDEN,
                   "CallingNotInbound");
}

static void texts_go_from_toll_free_numbers_within_the_united_states(void **state)
{
    struct world *w = *state;
    const struct lease *free_ = leased(w, lease_one(w, w->us, toll_free_in("833", 1)));
    const struct lease *local = leased(w, lease_one(w, w->us, local_in("206", 1)));
    assert_int_equal(numbers_may_text(w->numbers, free_, STR("+14255550123"), &w->why), ERR_NONE);
    assert_refused(w, numbers_may_text(w->numbers, free_, STR("+1425555012345"), &w->why), ERR_RANGE,
                   "SmsDestinationInvalid");
    assert_string_equal(w->why.text, "Invalid To phone number format.");
    assert_refused(w, numbers_may_text(w->numbers, free_, STR("+14165550100"), &w->why), ERR_FORBIDDEN,
                   "SmsDestinationNotAllowed");
    assert_refused(w, numbers_may_text(w->numbers, free_, STR("+442079460018"), &w->why), ERR_FORBIDDEN,
                   "SmsDestinationNotAllowed");
    assert_refused(w, numbers_may_text(w->numbers, local, STR("+14255550123"), &w->why), ERR_RANGE,
                   "SmsNotAvailableForNumberType");
    assert_int_equal(numbers_may_send_texts(w->numbers, free_, &w->why), ERR_NONE);
    assert_refused(w, numbers_may_send_texts(w->numbers, local, &w->why), ERR_RANGE, "SmsNotAvailableForNumberType");
    assert_int_equal(numbers_may_be_texted(w->numbers, free_, STR("+14255550123"), &w->why), ERR_NONE);
    assert_refused(w, numbers_may_be_texted(w->numbers, free_, STR("+14165550100"), &w->why), ERR_FORBIDDEN,
                   "SmsOriginNotAllowed");
    assert_refused(w, numbers_may_be_texted(w->numbers, local, STR("+14255550123"), &w->why), ERR_FORBIDDEN,
                   "SmsNotInbound");
    assert_int_equal(change(w, w->us, free_->number, NULL, &(enum capability){ CAP_INBOUND }), ERR_NONE);
    assert_refused(w, numbers_may_text(w->numbers, free_, STR("+14255550123"), &w->why), ERR_RANGE, "SmsNotOutbound");
}

/* -- listing -------------------------------------------------------------------------------------------------------- */

struct listed { struct world *w; uint64_t numbers[10]; size_t count; uint64_t next; };

static void on_listed(void *arg, enum err err, const struct lease *const *leases, size_t count, uint64_t next)
{
    struct listed *l = arg;
    assert_int_equal(err, ERR_NONE);
    assert_true(count <= 10);
    l->count = count;
    l->next = next;
    for (size_t i = 0; i < count; i++)
        l->numbers[i] = leases[i]->number;
    l->w->waiting--;
}

static struct listed list_behind(struct world *w, uint64_t resource, uint64_t after, int64_t skip, int64_t top)
{
    struct listed l = { .w = w };
    w->waiting++;
    assert_int_equal(numbers_list(w->numbers, resource, &(struct number_page){ after, skip, top }, on_listed, &l, &w->why), ERR_NONE);
    world_pump(w);
    return l;
}

static struct listed list(struct world *w, uint64_t resource, int64_t skip, int64_t top)
{
    return list_behind(w, resource, 0, skip, top);
}

static void leases_are_listed_by_number_in_pages(void **state)
{
    struct world *w = *state;
    assert_int_equal(search(w, w->us, local_in("303", 5)), ERR_NONE);
    assert_int_equal(purchase(w, w->us, w->op.subject), ERR_NONE);
    lease_one(w, w->other, local_in("206", 1));
    assert_int_equal(search(w, w->us, local_in("303", 5)), ERR_NONE);       /* holds are not listed */
    struct listed first = list(w, w->us, 0, 3), rest = list(w, w->us, 3, 3), all = list(w, w->us, 0, 10);
    assert_true(first.count == 3 && first.next == first.numbers[2] && rest.count == 2 && !rest.next && all.count == 5 && !all.next);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(all.numbers[i], i < 3 ? first.numbers[i] : rest.numbers[i - 3]);
        assert_true(!i || all.numbers[i] > all.numbers[i - 1]);
    }
    assert_int_equal(list(w, w->us, 5, 3).count, 0);
    assert_int_equal(release(w, w->us, all.numbers[0]), ERR_NONE);
    assert_int_equal(list(w, w->us, 0, 10).count, 4);
    rest = list_behind(w, w->us, first.next, 0, 3);         /* a page by number misses none when an earlier one has gone */
    assert_true(rest.count == 2 && rest.numbers[0] == all.numbers[3] && !rest.next);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(a_search_holds_what_was_asked_for_a_quarter_of_an_hour),
        T(a_search_without_an_area_code_takes_any_of_the_type),
        T(the_same_seed_offers_the_same_numbers_in_the_same_order),
        T(no_number_is_in_two_holds),
        T(what_is_left_is_held_when_less_than_asked_is_left),
        T(a_search_that_cannot_be_is_refused_with_its_rule),
        T(only_who_pays_and_is_billed_in_the_united_states_may_search),
        T(without_the_simulator_there_is_nothing_to_find),
        T(a_hold_becomes_a_lease),
        T(a_purchase_asked_twice_is_one_purchase),
        T(a_purchase_while_the_first_is_stored_is_told_to_come_again),
        T(an_expired_hold_cannot_be_bought_and_says_when_it_ended),
        T(the_last_second_of_a_hold_still_counts),
        T(a_hold_that_ends_while_it_is_bought_is_bought),
        T(somebody_elses_search_is_not_there),
        T(capabilities_change_one_at_a_time_or_together),
        T(a_local_number_gets_no_sms_later_either),
        T(one_change_at_a_time),
        T(a_released_number_waits_for_its_billing_cycle_and_then_in_quarantine),
        T(a_released_number_keeps_its_place_in_line_over_restarts),
        T(a_resource_that_is_deleted_leases_and_holds_nothing_more),
        T(a_quarantined_number_is_offered_when_nothing_else_is_left),
        T(a_restart_finds_holds_and_leases_where_they_were),
        T(the_store_stops_a_second_owner_even_when_memory_is_wrong),
        T(the_end_of_an_old_hold_does_not_touch_its_numbers_new_owner),
        T(canceling_a_search_gives_its_hold_back),
        T(what_is_done_cannot_be_canceled_away),
        T(operations_and_searches_are_kept_for_a_day),
        T(a_lease_is_found_by_either_spelling_and_by_its_owner_alone),
        T(a_local_number_calls_wherever_there_is_a_price),
        T(a_toll_free_number_calls_and_is_called_within_the_united_states),
        T(a_capability_that_was_not_leased_is_named),
        T(texts_go_from_toll_free_numbers_within_the_united_states),
        T(leases_are_listed_by_number_in_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
