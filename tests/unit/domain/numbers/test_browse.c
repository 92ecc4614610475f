/* Browsing: what is shown can be reserved, and nothing is held by it. */
#include "unit/domain/numbers/world.h"

static struct world *w;
static struct reserved_number list[NUMBERS_BROWSE_MOST];
static size_t count;

static int set_up(void **state)
{
    w = *state = world_new();
    return 0;
}

static enum err browse(uint64_t resource, struct number_browse rq)
{
    w->why = (struct problem){ 0 };
    count = 0;
    return numbers_browse(w->numbers, resource, &rq, list, &count, &w->why);
}

static struct number_browse locals(void)
{
    return (struct number_browse){ .country = STR("US"), .type = NUMBER_GEOGRAPHIC, .assignment = ASSIGNED_APPLICATION };
}

static struct number_browse under(const char *prefix, struct number_range *range)
{
    struct number_browse rq = locals();
    struct number_range all[NUMBER_RANGES_MOST];
    assert_true(number_ranges_read(str_of(prefix), all) > 0);
    *range = all[0];
    rq.ranges = range;
    rq.n_ranges = 1;
    return rq;
}

static void nothing_is_shown_twice(void)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            assert_true(list[i].number != list[k].number);
}

static void a_browse_shows_a_hundred_from_everywhere_with_all_they_can_do(void **state)
{
    (void)state;
    bool several = false;
    assert_int_equal(browse(w->us, locals()), ERR_NONE);
    assert_int_equal(count, NUMBERS_BROWSE_MOST);
    nothing_is_shown_twice();
    for (size_t i = 0; i < count; i++) {
        assert_true(list[i].calling == CAP_BOTH && list[i].sms == CAP_NONE && list[i].lease_micro == 1000000);
        assert_string_equal(list[i].country, "US");
        several |= list[i].number / 10000000 != list[0].number / 10000000;
    }
    assert_true(several);
}

static void two_browses_differ_and_hold_nothing(void **state)
{
    (void)state;
    struct number_range range;
    struct reserved_number first[NUMBERS_BROWSE_MOST];
    assert_int_equal(browse(w->us, under("1307", &range)), ERR_NONE);
    memcpy(first, list, sizeof first);
    assert_int_equal(browse(w->us, under("1307", &range)), ERR_NONE);
    assert_true(memcmp(first, list, sizeof first) != 0);
    size_t found = 0;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(search(w, w->us, local_in("307", 1000)), ERR_NONE);
        found += numbers_search_find(w->numbers, w->us, w->op.subject)->count;
    }
    assert_int_equal(found, 9898);
}

static void prefixes_limit_what_is_shown(void **state)
{
    (void)state;
    struct number_range range, two[2];
    static const struct { const char *prefix; uint64_t least, most; size_t count; } cases[] = {
        { "1206", 12065550000, 12065559999, 100 },      { "206", 12065550000, 12065559999, 100 },
        { "+12065552", 12065552000, 12065552999, 100 }, { "120655520", 12065552000, 12065552099, 100 },
        { "1206555201", 12065552010, 12065552019, 10 }, { "12065552015", 12065552015, 12065552015, 1 },
        { "12065550", 12065550000, 12065550999, 100 },  { "120655501", 0, 0, 0 },  { "1206888", 0, 0, 0 },
        { "1833", 0, 0, 0 }, { "+44", 0, 0, 0 },         { "120655520150", 0, 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(browse(w->us, under(cases[i].prefix, &range)), ERR_NONE);
        if (count != cases[i].count)
            fail_msg("%s: %zu", cases[i].prefix, count);
        nothing_is_shown_twice();
        for (size_t k = 0; k < count; k++)
            assert_in_range(list[k].number, cases[i].least, cases[i].most);
    }
    struct number_browse rq = under("1206", &two[0]);
    under("425", &two[1]);
    rq.ranges = two;
    rq.n_ranges = 2;
    size_t seattle = 0;
    assert_int_equal(browse(w->us, rq), ERR_NONE);
    for (size_t k = 0; k < count; k++)
        seattle += list[k].number / 10000000 == 1206;
    assert_true(count == 100 && seattle == 50);
}

static void a_prefix_is_digits(void **state)
{
    (void)state;
    struct number_range range[NUMBER_RANGES_MOST];
    static const char *const bad[] = { "", "+", "0", "12a", "+-1", "1 2", "1234567890123456" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(number_ranges_read(str_of(bad[i]), range), 0);
}

static void what_is_held_is_not_shown_until_nothing_else_is_left(void **state)
{
    (void)state;
    struct number_range range;
    uint64_t digits = 0;
    for (int i = 0; i < 10; i++) {                              /* the whole area code */
        assert_int_equal(search(w, w->other, local_in("307", 1000)), ERR_NONE);
        digits = numbers_search_find(w->numbers, w->other, w->op.subject)->numbers[0];
        assert_int_equal(purchase(w, w->other, w->op.subject), ERR_NONE);
    }
    assert_int_equal(browse(w->us, under("1307", &range)), ERR_NONE);
    assert_int_equal(count, 0);
    assert_int_equal(release(w, w->other, digits), ERR_NONE);
    world_sleep(w, 32 * DAY);                                   /* in quarantine now */
    assert_int_equal(browse(w->us, under("1307", &range)), ERR_NONE);
    assert_true(count == 1 && list[0].number == digits);
    assert_int_equal(browse(w->us, under("1206", &range)), ERR_NONE);
    assert_int_equal(count, 100);
}

static void what_no_plan_offers_and_who_may_not_acquire_is_refused(void **state)
{
    (void)state;
    struct number_browse text = locals(), person = locals(), abroad = locals(), free_ = locals();
    text.sms = CAP_OUTBOUND;
    person.type = NUMBER_TOLL_FREE;
    person.assignment = ASSIGNED_PERSON;
    abroad.country = STR("GB");
    assert_int_equal(browse(w->us, text), ERR_RANGE);
    assert_string_equal(w->why.rule, "PlanWithoutSms");
    assert_int_equal(browse(w->us, person), ERR_RANGE);
    assert_string_equal(w->why.rule, "TollFreeNotForPerson");
    assert_int_equal(browse(w->us, abroad), ERR_RANGE);
    assert_string_equal(w->why.rule, "CountryNotOffered");
    assert_int_equal(browse(w->trial, locals()), ERR_FORBIDDEN);
    assert_string_equal(w->why.rule, "TrialSubscriptionNotEligible");
    free_.type = NUMBER_TOLL_FREE;
    free_.sms = CAP_OUTBOUND;
    assert_int_equal(browse(w->us, free_), ERR_NONE);
    assert_true(count == 100 && list[0].sms == CAP_BOTH && list[0].calling == CAP_BOTH);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(a_browse_shows_a_hundred_from_everywhere_with_all_they_can_do),
        T(two_browses_differ_and_hold_nothing),
        T(prefixes_limit_what_is_shown),
        T(a_prefix_is_digits),
        T(what_is_held_is_not_shown_until_nothing_else_is_left),
        T(what_no_plan_offers_and_who_may_not_acquire_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
