/* Reservations, whole flows on a clock that stands still: what is held, for how long, by whom, and what it becomes. */
#include "unit/domain/numbers/world.h"

#include <stdio.h>

#define A "6e0b0e4b-6a35-4d0a-9f5c-0d2a6a1f2c11"
#define B "6e0b0e4b-6a35-4d0a-9f5c-0d2a6a1f2c12"

static struct world *w;
static enum reserved how;

static int set_up(void **state)
{
    w = *state = world_new();
    return 0;
}

static void on_reserved(void *arg, enum err err, const struct number_reservation *r, enum reserved what,
                        const struct problem *why)
{
    (void)arg;
    assert_int_equal(r != NULL, err == ERR_NONE);
    w->err = err;
    how = what;
    if (why)
        w->why = *why;
    w->waiting--;
}

static struct reservation_wish in(uint64_t number)
{
    return (struct reservation_wish){ .number = number, .country = STR("US"), .type = NUMBER_GEOGRAPHIC,
                                      .assignment = ASSIGNED_APPLICATION, .calling = CAP_BOTH, .sms = CAP_NONE };
}

static struct reservation_wish out(uint64_t number)
{
    return (struct reservation_wish){ .number = number, .out = true };
}

static enum err reserve_n(uint64_t resource, const char *id, const struct reservation_wish *wishes, size_t n)
{
    w->why = (struct problem){ 0 };
    w->waiting++;
    return settle(w, numbers_reserve(w->numbers, resource, str_of(id), wishes, n, on_reserved, w, &w->why));
}
#define reserve(resource, id, ...)                                                    \
    reserve_n(resource, id, (const struct reservation_wish[]){ __VA_ARGS__ },         \
              sizeof((const struct reservation_wish[]){ __VA_ARGS__ }) / sizeof(struct reservation_wish))

static enum err unreserve(uint64_t resource, const char *id)
{
    w->why = (struct problem){ 0 };
    w->waiting++;
    return settle(w, numbers_unreserve(w->numbers, resource, str_of(id), world_done, w, &w->why));
}

static enum err buy(uint64_t resource, const char *id)
{
    w->why = (struct problem){ 0 };
    w->waiting++;
    return settle(w, numbers_buy_reserved(w->numbers, resource, str_of(id), false, world_done, w, &w->why));
}

static const struct number_reservation *get(uint64_t resource, const char *id)
{
    const struct number_reservation *r = NULL;
    return numbers_reservation_of(w->numbers, resource, str_of(id), &r, &w->why) ? NULL : r;
}

static const struct reserved_number *number_in(const char *id, uint64_t number)
{
    const struct number_reservation *r = get(w->us, id);
    for (size_t i = 0; r && i < r->count; i++)
        if (r->numbers[i].number == number)
            return &r->numbers[i];
    return NULL;
}

static bool holds(const char *id, uint64_t number)
{
    const struct reserved_number *x = number_in(id, number);
    return x && !x->error_code[0];
}

#define assert_refused(err_, want, rule_)                                     \
    do {                                                                      \
        assert_int_equal((err_), (want));                                     \
        assert_string_equal(w->why.rule, (rule_));                            \
        assert_true(w->why.suggestion[0]);                                    \
    } while (0)

/* Numbers of the simulated inventory, by hand. */
enum { SEATTLE = 1206555 };
static uint64_t line(unsigned n) { return (uint64_t)SEATTLE * 10000 + 2000 + n; }

static void a_reservation_holds_numbers_for_a_quarter_of_an_hour(void **state)
{
    (void)state;
    assert_int_equal(reserve(w->us, A, in(line(1)), in(line(2))), ERR_NONE);
    assert_int_equal(how, RESERVED_NEW);
    const struct number_reservation *r = get(w->us, A);
    assert_true(r->count == 2 && r->state == RESERVATION_ACTIVE && r->expires_us == w->now_us + 15 * MINUTE);
    assert_int_equal(r->numbers[0].lease_micro, 1000000);
    assert_string_equal(r->numbers[0].country, "US");
    world_sleep(w, 15 * MINUTE - 1);
    assert_int_equal(get(w->us, A)->state, RESERVATION_ACTIVE);
    world_sleep(w, 1);
    assert_int_equal(get(w->us, A)->state, RESERVATION_EXPIRED);
    assert_int_equal(get(w->us, A)->count, 2);
    assert_int_equal(reserve(w->other, B, in(line(1)), in(line(2))), ERR_NONE);     /* free again */
    assert_int_equal(how, RESERVED_NEW);
}

static void a_change_starts_the_time_again_and_two_hours_are_the_end(void **state)
{
    (void)state;
    assert_int_equal(reserve(w->us, A, in(line(0))), ERR_NONE);
    int64_t made = w->now_us;
    for (unsigned i = 1; i < 12; i++) {
        world_sleep(w, 10 * MINUTE);
        assert_int_equal(reserve(w->us, A, in(line(i))), ERR_NONE);
        assert_int_equal(how, RESERVED_CHANGED);
        int64_t next = w->now_us + 15 * MINUTE, last = made + 120 * MINUTE;
        assert_int_equal(get(w->us, A)->expires_us, next < last ? next : last);
    }
    world_sleep(w, 10 * MINUTE);
    assert_int_equal(get(w->us, A)->state, RESERVATION_EXPIRED);
    assert_refused(reserve(w->us, A, in(line(20))), ERR_CONFLICT, "ReservationOver");
    assert_refused(buy(w->us, A), ERR_CONFLICT, "ReservationOver");
    assert_refused(unreserve(w->us, A), ERR_CONFLICT, "ReservationOver");
    assert_int_equal(reserve(w->other, A, in(line(0))), ERR_NONE);      /* and another's ids are another's */
}

static void asking_again_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(reserve(w->us, A, in(line(1))), ERR_NONE);
    int64_t expires = get(w->us, A)->expires_us;
    world_sleep(w, MINUTE);
    assert_int_equal(reserve(w->us, A, in(line(1))), ERR_NONE);
    assert_int_equal(how, RESERVED_CHANGED);
    assert_int_equal(reserve(w->us, A, in(line(1)), in(line(1)), out(line(9))), ERR_NONE);
    assert_int_equal(reserve_n(w->us, A, NULL, 0), ERR_NONE);
    assert_int_equal(get(w->us, A)->expires_us, expires);
    assert_int_equal(get(w->us, A)->count, 1);
}

static void taking_out_gives_back_and_wins_over_putting_in(void **state)
{
    (void)state;
    assert_int_equal(reserve(w->us, A, in(line(1)), in(line(2)), in(line(3)), out(line(3))), ERR_NONE);
    assert_int_equal(how, RESERVED_NEW);
    assert_int_equal(get(w->us, A)->count, 2);
    world_sleep(w, MINUTE);
    assert_int_equal(reserve(w->us, A, out(line(1)), in(line(1)), in(line(4))), ERR_NONE);
    assert_int_equal(how, RESERVED_CHANGED);
    assert_true(!holds(A, line(1)) && holds(A, line(2)) && holds(A, line(4)));
    assert_int_equal(get(w->us, A)->expires_us, w->now_us + 15 * MINUTE);
    assert_int_equal(reserve(w->other, B, in(line(1)), in(line(3))), ERR_NONE);
    assert_int_equal(how, RESERVED_NEW);
}

static void what_another_holds_stands_in_it_with_an_error(void **state)
{
    (void)state;
    assert_int_equal(reserve(w->other, B, in(line(1))), ERR_NONE);
    assert_int_equal(reserve(w->us, A, in(line(1)), in(line(2))), ERR_NONE);
    assert_int_equal(how, RESERVED_PARTLY);
    assert_true(holds(A, line(2)));
    assert_string_equal(number_in(A, line(1))->error_code, "NumberNotAvailable");
    assert_string_equal(number_in(A, line(1))->error_text, "+12065552001 is not available as a geographic number in US.");
    int64_t expires = get(w->us, A)->expires_us;
    world_sleep(w, MINUTE);
    assert_int_equal(reserve(w->us, A, in(line(1))), ERR_NONE);         /* still so, and no new time for it */
    assert_int_equal(how, RESERVED_PARTLY);
    assert_int_equal(get(w->us, A)->expires_us, expires);
    assert_int_equal(unreserve(w->other, B), ERR_NONE);
    assert_int_equal(reserve(w->us, A, in(line(1))), ERR_NONE);
    assert_int_equal(how, RESERVED_CHANGED);
    assert_true(holds(A, line(1)) && get(w->us, A)->count == 2);
    assert_int_equal(get(w->us, A)->expires_us, w->now_us + 15 * MINUTE);
}

static void what_cannot_be_had_says_why(void **state)
{
    (void)state;
    struct reservation_wish text = in(line(1)), person = in(18335552001), abroad = in(line(2)), magic = in(12065550100);
    text.sms = CAP_BOTH;
    person.type = NUMBER_TOLL_FREE;
    person.assignment = ASSIGNED_PERSON;
    abroad.country = STR("GB");
    struct reservation_wish wrong_type = in(18335552002);
    assert_int_equal(reserve(w->us, A, text, person, abroad, magic, wrong_type), ERR_NONE);
    assert_int_equal(how, RESERVED_PARTLY);
    assert_string_equal(number_in(A, line(1))->error_code, "PlanWithoutSms");
    assert_non_null(strstr(number_in(A, line(1))->error_text, "ask for sms 'none'"));
    assert_string_equal(number_in(A, 18335552001)->error_code, "TollFreeNotForPerson");
    assert_string_equal(number_in(A, line(2))->error_code, "CountryNotOffered");
    assert_string_equal(number_in(A, 12065550100)->error_code, "NumberNotAvailable");
    assert_string_equal(number_in(A, 18335552002)->error_code, "NumberNotAvailable");
    assert_refused(buy(w->us, A), ERR_RANGE, "ReservationEmpty");
    assert_int_equal(reserve(w->us, A, out(line(1)), out(line(2)), out(18335552001), out(18335552002), out(12065550100)),
                     ERR_NONE);
    assert_int_equal(get(w->us, A)->count, 0);
}

static void only_who_pays_and_is_billed_in_the_united_states_may_reserve(void **state)
{
    (void)state;
    assert_refused(reserve(w->trial, A, in(line(1))), ERR_FORBIDDEN, "TrialSubscriptionNotEligible");
    assert_refused(reserve(w->canadian, A, in(line(1))), ERR_FORBIDDEN, "BillingCountryNotEligible");
    assert_null(get(w->trial, A));
    assert_int_equal(reserve(w->us, A, in(line(1))), ERR_NONE);
    assert_int_equal(how, RESERVED_NEW);
}

static void ids_are_guids_and_their_case_does_not_matter(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "x", "6e0b0e4b6a354d0a9f5c0d2a6a1f2c11", A "0",
                                       "6e0b0e4b-6a35-4d0a-9f5c-0d2a6a1f2c1g" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_refused(reserve(w->us, bad[i], in(line(1))), ERR_RANGE, "ReservationIdInvalid");
    assert_int_equal(reserve(w->us, "6E0B0E4B-6A35-4D0A-9F5C-0D2A6A1F2C11", in(line(1))), ERR_NONE);
    assert_string_equal(get(w->us, A)->id, A);
    assert_null(get(w->us, B));
    assert_string_equal(w->why.rule, "ReservationNotFound");
    assert_null(get(w->other, A));
}

static void a_reservation_has_its_measure(void **state)
{
    (void)state;
    static struct reservation_wish many[NUMBERS_RESERVED_MOST + 1];
    for (unsigned i = 0; i < ARRAY_LEN(many); i++)
        many[i] = in(line(i));
    assert_refused(reserve_n(w->us, A, many, ARRAY_LEN(many)), ERR_RANGE, "ReservationTooLarge");
    assert_null(get(w->us, A));
    assert_int_equal(reserve_n(w->us, A, many, NUMBERS_RESERVED_MOST), ERR_NONE);
    assert_int_equal(get(w->us, A)->count, NUMBERS_RESERVED_MOST);
    assert_refused(reserve(w->us, A, in(line(NUMBERS_RESERVED_MOST))), ERR_RANGE, "ReservationTooLarge");
    assert_int_equal(reserve(w->us, A, out(line(0)), in(line(NUMBERS_RESERVED_MOST))), ERR_NONE);
}

static void a_reservation_is_bought_whole_and_once(void **state)
{
    (void)state;
    assert_int_equal(reserve(w->other, B, in(line(3))), ERR_NONE);
    assert_int_equal(reserve(w->us, A, in(line(1)), in(line(2)), in(line(3))), ERR_NONE);
    w->waiting++;
    assert_int_equal(numbers_buy_reserved(w->numbers, w->us, STR(A), false, world_done, w, &w->why), ERR_NONE);
    assert_int_equal(get(w->us, A)->state, RESERVATION_SUBMITTED);
    assert_refused(numbers_buy_reserved(w->numbers, w->us, STR(A), false, world_done, w, &w->why), ERR_BUSY, "NumberBusy");
    world_pump(w);
    assert_int_equal(w->err, ERR_NONE);
    assert_true(w->op.kind == OPERATION_RESERVATION && w->op.status == OPERATION_SUCCEEDED);
    uint64_t operation = w->op.key;
    assert_int_equal(get(w->us, A)->state, RESERVATION_COMPLETED);
    const struct lease *l = leased(w, line(1));
    assert_true(l && l->resource == w->us && l->calling == CAP_BOTH && l->purchased_us == w->now_us && l->simulated);
    assert_true(leased(w, line(2)) && !leased(w, line(3)));
    assert_int_equal(buy(w->us, A), ERR_NONE);
    assert_int_equal(w->op.key, operation);
    assert_refused(reserve(w->us, A, in(line(4))), ERR_CONFLICT, "ReservationNotActive");
    assert_refused(unreserve(w->us, A), ERR_CONFLICT, "ReservationNotActive");
    world_sleep(w, 15 * MINUTE);
    assert_int_equal(get(w->us, A)->state, RESERVATION_COMPLETED);
    assert_non_null(leased(w, line(1)));
    assert_int_equal(release(w, w->us, line(1)), ERR_NONE);             /* a lease like any other */
    assert_refused(buy(w->other, A), ERR_ABSENT, "ReservationNotFound");
}

static void a_hold_that_ends_while_it_is_bought_is_bought(void **state)
{
    (void)state;
    assert_int_equal(reserve(w->us, A, in(line(1))), ERR_NONE);
    w->waiting++;
    assert_int_equal(numbers_buy_reserved(w->numbers, w->us, STR(A), false, world_done, w, &w->why), ERR_NONE);
    world_sleep(w, 15 * MINUTE);
    world_pump(w);
    assert_int_equal(w->err, ERR_NONE);
    assert_int_equal(get(w->us, A)->state, RESERVATION_COMPLETED);
    assert_non_null(leased(w, line(1)));
}

static void deleting_gives_everything_back_and_the_id_is_free_again(void **state)
{
    (void)state;
    assert_refused(unreserve(w->us, A), ERR_ABSENT, "ReservationNotFound");
    assert_int_equal(reserve(w->us, A, in(line(1))), ERR_NONE);
    assert_int_equal(unreserve(w->us, A), ERR_NONE);
    assert_null(get(w->us, A));
    assert_int_equal(reserve(w->other, B, in(line(1))), ERR_NONE);
    assert_int_equal(how, RESERVED_NEW);
    world_restart(w);
    assert_null(get(w->us, A));
    assert_int_equal(reserve(w->us, A, in(line(2))), ERR_NONE);
    assert_int_equal(how, RESERVED_NEW);
}

static void searches_and_reservations_pass_each_other_by(void **state)
{
    (void)state;
    assert_int_equal(search(w, w->us, local_in("206", 1000)), ERR_NONE);
    uint64_t found = numbers_search_find(w->numbers, w->us, w->op.subject)->numbers[0];
    assert_int_equal(reserve(w->us, A, in(found)), ERR_NONE);
    assert_int_equal(how, RESERVED_PARTLY);
    assert_int_equal(search(w, w->other, local_in("307", 1)), ERR_NONE);
    uint64_t next = numbers_search_find(w->numbers, w->other, w->op.subject)->numbers[0];
    world_sleep(w, 15 * MINUTE);
    assert_int_equal(reserve(w->us, B, in(next)), ERR_NONE);            /* the one that a search would find first */
    assert_int_equal(how, RESERVED_NEW);
    assert_int_equal(search(w, w->other, local_in("307", 1)), ERR_NONE);
    assert_true(numbers_search_find(w->numbers, w->other, w->op.subject)->numbers[0] != next);
}

static void a_restart_finds_reservations_where_they_were(void **state)
{
    (void)state;
    assert_int_equal(reserve(w->us, A, in(line(1)), in(line(2)), in(12065550100)), ERR_NONE);
    assert_int_equal(reserve(w->us, B, in(line(3))), ERR_NONE);
    assert_int_equal(buy(w->us, B), ERR_NONE);
    uint64_t operation = w->op.key;
    world_sleep(w, MINUTE);
    assert_int_equal(reserve(w->us, A, out(line(1)), in(line(4))), ERR_NONE);
    int64_t expires = get(w->us, A)->expires_us;
    world_restart(w);
    const struct number_reservation *r = get(w->us, A);
    assert_true(r->count == 3 && r->expires_us == expires && r->state == RESERVATION_ACTIVE);
    assert_true(holds(A, line(2)) && holds(A, line(4)) && !holds(A, line(1)));
    assert_string_equal(number_in(A, 12065550100)->error_code, "NumberNotAvailable");
    assert_int_equal(get(w->us, B)->state, RESERVATION_COMPLETED);
    assert_int_equal(buy(w->us, B), ERR_NONE);
    assert_int_equal(w->op.key, operation);
    assert_non_null(leased(w, line(3)));
    assert_int_equal(reserve(w->other, A, in(line(2))), ERR_NONE);      /* still held for the first */
    assert_int_equal(how, RESERVED_PARTLY);
    assert_int_equal(buy(w->us, A), ERR_NONE);
    assert_true(leased(w, line(2)) && leased(w, line(4)) && !leased(w, line(1)));
}

static void the_store_stops_a_second_owner_even_when_memory_is_wrong(void **state)
{
    (void)state;
    struct numbers *stale = world_numbers(w), *fresh = w->numbers;      /* another memory over the same store */
    assert_int_equal(reserve(w->us, A, in(line(1))), ERR_NONE);
    assert_int_equal(buy(w->us, A), ERR_NONE);
    w->numbers = stale;
    assert_int_equal(reserve(w->other, B, in(line(1)), in(line(2))), ERR_NONE);
    assert_int_equal(buy(w->other, B), ERR_CONFLICT);
    assert_null(leased(w, line(1)));
    assert_null(leased(w, line(2)));                                    /* all of them, or none */
    numbers_free(stale);
    w->numbers = fresh;
    assert_int_equal(leased(w, line(1))->resource, w->us);
    world_restart(w);
    assert_int_equal(leased(w, line(1))->resource, w->us);
}

static void old_ones_disappear_after_a_month(void **state)
{
    (void)state;
    assert_int_equal(reserve(w->us, A, in(line(1))), ERR_NONE);
    assert_int_equal(reserve(w->us, B, in(line(2))), ERR_NONE);
    assert_int_equal(buy(w->us, B), ERR_NONE);
    world_sleep(w, 31 * DAY - 1);
    assert_true(get(w->us, A) && get(w->us, B));
    world_restart(w);
    assert_true(get(w->us, A) && get(w->us, B));
    world_sleep(w, 1);
    assert_true(!get(w->us, A) && !get(w->us, B));
    assert_non_null(leased(w, line(2)));
    world_restart(w);
    assert_true(!get(w->us, A) && !get(w->us, B));
}

static void reservations_are_listed_by_age_in_pages(void **state)
{
    (void)state;
    const struct number_reservation *list[3];
    size_t count;
    bool more;
    for (unsigned i = 0; i < 5; i++) {
        char id[40];
        snprintf(id, sizeof id, "6e0b0e4b-6a35-4d0a-9f5c-0d2a6a1f2c0%u", 9 - i);
        assert_int_equal(reserve(w->us, id, in(line(i))), ERR_NONE);
    }
    assert_int_equal(reserve(w->other, A, in(line(7))), ERR_NONE);
    numbers_reservations(w->numbers, w->us, 0, 3, list, &count, &more);
    assert_true(count == 3 && more && list[0]->key < list[1]->key && list[1]->key < list[2]->key);
    numbers_reservations(w->numbers, w->us, 3, 3, list, &count, &more);
    assert_true(count == 2 && !more);
    numbers_reservations(w->numbers, w->us, 5, 3, list, &count, &more);
    assert_true(count == 0 && !more);
}

static void on_left(void *arg, enum err err)
{
    (void)arg;
    w->err = err;
    w->waiting--;
}

/* Those that have expired are listed before the one that holds, on a page of their own. */
static void a_resource_that_is_deleted_gives_back_what_it_holds_behind_hundreds_of_ended_reservations(void **state)
{
    enum { ENDED = 260 };
    (void)state;
    for (unsigned i = 0; i < ENDED; i++) {
        char id[] = A;
        snprintf(id + sizeof id - 5, 5, "%04x", i);
        assert_int_equal(reserve(w->us, id, in(line(i + 1))), ERR_NONE);
    }
    world_sleep(w, 15 * MINUTE);
    assert_int_equal(reserve(w->us, B, in(line(ENDED + 1))), ERR_NONE);
    w->waiting++;
    assert_int_equal(numbers_release_all(w->numbers, w->us, on_left, w), ERR_NONE);
    world_pump(w);
    assert_int_equal(w->err, ERR_NONE);
    assert_null(get(w->us, B));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(a_reservation_holds_numbers_for_a_quarter_of_an_hour),
        T(a_change_starts_the_time_again_and_two_hours_are_the_end),
        T(asking_again_changes_nothing),
        T(taking_out_gives_back_and_wins_over_putting_in),
        T(what_another_holds_stands_in_it_with_an_error),
        T(what_cannot_be_had_says_why),
        T(only_who_pays_and_is_billed_in_the_united_states_may_reserve),
        T(ids_are_guids_and_their_case_does_not_matter),
        T(a_reservation_has_its_measure),
        T(a_reservation_is_bought_whole_and_once),
        T(a_hold_that_ends_while_it_is_bought_is_bought),
        T(deleting_gives_everything_back_and_the_id_is_free_again),
        T(searches_and_reservations_pass_each_other_by),
        T(a_restart_finds_reservations_where_they_were),
        T(the_store_stops_a_second_owner_even_when_memory_is_wrong),
        T(old_ones_disappear_after_a_month),
        T(reservations_are_listed_by_age_in_pages),
        T(a_resource_that_is_deleted_gives_back_what_it_holds_behind_hundreds_of_ended_reservations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
