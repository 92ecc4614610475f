/* What o'clock it is where an area code is, and when a part of the day is over there. */
#include "codec/e164/zones.h"

#include "base/clock.h"
#include "base/str.h"
#include "unit/cm.h"

static int64_t at(const char *text)
{
    int64_t us = 0;
    assert_int_equal(time_iso8601_read(str_of(text), &us), ERR_NONE);
    return us;
}

static int offset(unsigned npa, const char *when)
{
    const struct nanp_clock *c = nanp_clock(npa);
    assert_non_null(c);
    return nanp_offset(&c->zones[0], at(when));
}

static void summer_begins_and_ends_at_two_by_the_clock(void **state)
{
    (void)state;
    assert_int_equal(offset(212, "2026-03-08T06:59:59Z"), -300);
    assert_int_equal(offset(212, "2026-03-08T07:00:00Z"), -240);
    assert_int_equal(offset(212, "2026-11-01T05:59:59Z"), -240);
    assert_int_equal(offset(212, "2026-11-01T06:00:00Z"), -300);
    assert_int_equal(offset(206, "2020-12-01T00:00:00Z"), -480);
    assert_int_equal(offset(206, "2027-07-04T00:00:00Z"), -420);
    assert_int_equal(offset(902, "2026-07-04T00:00:00Z"), -180);
}

static void arizona_hawaii_and_puerto_rico_have_no_summer_time(void **state)
{
    (void)state;
    assert_int_equal(offset(602, "2026-07-04T00:00:00Z"), -420);
    assert_int_equal(offset(808, "2026-07-04T00:00:00Z"), -600);
    assert_int_equal(offset(787, "2026-07-04T00:00:00Z"), -240);
    assert_int_equal(offset(671, "2026-07-04T00:00:00Z"), 600);
}

static void a_toll_free_code_is_nowhere(void **state)
{
    (void)state;
    assert_null(nanp_clock(833));
    assert_null(nanp_clock(0));
    assert_null(nanp_clock(1000));
}

static int64_t after(unsigned npa, const char *when)
{
    return nanp_after(nanp_clock(npa), (struct day_part){ 21 * 60, 8 * 60 }, at(when));
}

static void a_night_is_over_in_the_morning_of_the_place(void **state)
{
    (void)state;
    assert_int_equal(after(206, "2026-01-10T05:00:00Z"), at("2026-01-10T16:00:00Z"));     /* 21:00 there */
    assert_int_equal(after(206, "2026-01-10T15:59:59Z"), at("2026-01-10T16:00:00Z"));
    assert_int_equal(after(206, "2026-01-10T16:00:00Z"), at("2026-01-10T16:00:00Z"));
    assert_int_equal(after(206, "2026-01-10T04:59:59Z"), at("2026-01-10T04:59:59Z"));
    assert_int_equal(after(212, "2026-07-10T03:30:00Z"), at("2026-07-10T12:00:00Z"));     /* summer: 23:30 there */
}

static void a_night_in_which_the_clocks_change_ends_by_the_new_time(void **state)
{
    (void)state;
    assert_int_equal(after(212, "2026-03-08T03:00:00Z"), at("2026-03-08T12:00:00Z"));     /* 22:00 EST to 8:00 EDT */
    assert_int_equal(after(212, "2026-11-01T02:00:00Z"), at("2026-11-01T13:00:00Z"));     /* 22:00 EDT to 8:00 EST */
}

static void where_a_code_spans_zones_it_must_be_over_in_all_of_them(void **state)
{
    (void)state;
    assert_true(nanp_clock(850)->n == 2);                                                   /* Florida: Eastern and Central */
    assert_int_equal(after(850, "2026-01-10T02:30:00Z"), at("2026-01-10T14:00:00Z"));     /* 21:30 and 20:30 */
    assert_int_equal(after(850, "2026-01-10T13:30:00Z"), at("2026-01-10T14:00:00Z"));
}

static void no_part_at_all_and_one_within_a_day(void **state)
{
    (void)state;
    int64_t noon = at("2026-01-10T17:00:00Z");
    assert_int_equal(nanp_after(nanp_clock(212), (struct day_part){ 600, 600 }, noon), noon);
    assert_int_equal(nanp_after(nanp_clock(212), (struct day_part){ 12 * 60, 13 * 60 }, noon), noon + 3600 * (int64_t)US_PER_S);
}

/* Minute by minute; one zone. */
static int64_t slowly(const struct nanp_zone *z, struct day_part part, int64_t us)
{
    const int64_t minute_us = 60 * (int64_t)US_PER_S;
    for (int64_t t = us;; t = t / minute_us * minute_us + minute_us) {
        int64_t minute = (t / minute_us + nanp_offset(z, t)) % 1440;
        bool in = part.from < part.until ? minute >= part.from && minute < part.until : minute >= part.from || minute < part.until;
        if (!in)
            return t;
    }
}

static void whatever_the_part_it_is_over_when_the_clock_on_the_wall_says_so(void **state)
{
    (void)state;
    static const struct nanp_zone zones[] = { { -300, true, "" }, { -480, true, "" }, { -420, false, "" }, { -210, true, "" } };
    static const char *const nights[] = { "2026-03-07T18:00:00Z", "2026-10-31T18:00:00Z", "2026-06-01T18:00:00Z" };
    static const uint16_t marks[] = { 0, 60, 90, 120, 125, 150, 180, 480, 1260, 1439 };
    for (size_t c = 0; c < ARRAY_LEN(zones); c++)
        for (size_t f = 0; f < ARRAY_LEN(marks); f++)
            for (size_t u = 0; u < ARRAY_LEN(marks); u++)
                for (int h = 0; f != u && h < 24 * (int)ARRAY_LEN(nights); h++) {
                    const struct nanp_clock clock = { .n = 1, .zones = { zones[c] } };
                    struct day_part part = { marks[f], marks[u] };
                    int64_t us = at(nights[h / 24]) + (h % 24) * 3630 * (int64_t)US_PER_S;
                    assert_int_equal(nanp_after(&clock, part, us), slowly(&zones[c], part, us));
                }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(summer_begins_and_ends_at_two_by_the_clock),
        cmocka_unit_test(arizona_hawaii_and_puerto_rico_have_no_summer_time),
        cmocka_unit_test(a_toll_free_code_is_nowhere),
        cmocka_unit_test(a_night_is_over_in_the_morning_of_the_place),
        cmocka_unit_test(a_night_in_which_the_clocks_change_ends_by_the_new_time),
        cmocka_unit_test(where_a_code_spans_zones_it_must_be_over_in_all_of_them),
        cmocka_unit_test(no_part_at_all_and_one_within_a_day),
        cmocka_unit_test(whatever_the_part_it_is_over_when_the_clock_on_the_wall_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
