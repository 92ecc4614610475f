#include "base/clock.h"
#include "base/str.h"
#include "unit/cm.h"

static const int64_t MOMENT = 1795375514123000;     /* 2026-11-22T19:25:14.123Z */

static void the_product_clock_is_the_wall_moved_by_its_offset(void **state)
{
    (void)state;
    scoped(clock) struct clock *c = clock_new(3600 * (int64_t)US_PER_S);
    int64_t before = clock_wall_us(), there = clock_product_us(c), after = clock_wall_us();
    assert_true(there >= before + 3600 * (int64_t)US_PER_S && there <= after + 3600 * (int64_t)US_PER_S);
    clock_set_offset_us(c, 0);
    assert_int_equal(clock_offset_us(c), 0);
    clock_freeze(c, MOMENT);
    assert_int_equal(clock_product_us(c), MOMENT);
    assert_int_equal(clock_product_us(c), MOMENT);
}

static void the_monotonic_clock_does_not_go_back(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t a = clock_mono().us;
        assert_true(clock_mono().us >= a);
    }
}

static void times_are_written_as_the_service_writes_them(void **state)
{
    (void)state;
    char iso[ISO8601_SIZE], rfc[RFC1123_SIZE];
    time_iso8601(iso, MOMENT);
    assert_string_equal(iso, "2026-11-22T19:25:14.1230000+00:00");
    time_rfc1123(rfc, MOMENT);
    assert_string_equal(rfc, "Sun, 22 Nov 2026 19:25:14 GMT");
    time_iso8601(iso, 0);
    assert_string_equal(iso, "1970-01-01T00:00:00.0000000+00:00");
    time_iso8601(iso, -1);
    assert_string_equal(iso, "1969-12-31T23:59:59.9999990+00:00");
    time_iso8601(iso, INT64_MAX);       /* no sense, but no harm either */
    time_iso8601(iso, INT64_MIN);
    time_rfc1123(rfc, INT64_MIN);
    assert_true(strlen(iso) < sizeof iso && strlen(rfc) < sizeof rfc);
}

static void iso_8601_is_read_in_all_its_usual_forms(void **state)
{
    (void)state;
    static const struct { const char *text; int64_t us; } cases[] = {
        { "2026-11-22T19:25:14Z", 1795375514000000 },
        { "2026-11-22t19:25:14z", 1795375514000000 },
        { "2026-11-22T19:25:14.1Z", 1795375514100000 },
        { "2026-11-22T19:25:14.123456Z", 1795375514123456 },
        { "2026-11-22T19:25:14.1234567+00:00", 1795375514123456 },
        { "2026-11-22T20:25:14+01:00", 1795375514000000 },
        { "2026-11-22T11:55:14-07:30", 1795375514000000 },
        { "2024-02-29T00:00:00Z", 1709164800000000 },
        { "2016-12-31T23:59:60Z", 1483228800000000 },
        { "1970-01-01T00:00:00Z", 0 },
        { "9999-12-31T23:59:59Z", 253402300799000000 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = -1;
        if (time_iso8601_read(str_of(cases[i].text), &us) || us != cases[i].us)
            fail_msg("%s gave %lld", cases[i].text, (long long)us);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "2026", "2026-11-22", "2026-11-22T19:25:14", "2026-11-22 19:25:14Z", "2026-13-22T19:25:14Z",
        "2026-00-22T19:25:14Z", "2026-11-31T19:25:14Z", "2026-02-29T00:00:00Z", "2026-11-00T19:25:14Z",
        "2026-11-22T24:25:14Z", "2026-11-22T19:60:14Z", "2026-11-22T19:25:61Z", "2026-11-22T19:25:14.Z",
        "2026-11-22T19:25:14+0100", "2026-11-22T19:25:14+24:00", "2026-11-22T19:25:14+01:60",
        "2026-11-22T19:25:14Zx", "1969-12-31T23:59:59Z", "2026-11-22T19:25:1", "-026-11-22T19:25:14Z",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t us;
        if (time_iso8601_read(str_of(bad[i]), &us) != ERR_SYNTAX)
            fail_msg("%s was read", bad[i]);
    }
    static const char *const bad_dates[] = {
        "", "Sun, 22 Nov 2026 19:25:14", "Sun, 22 Nov 2026 19:25:14 UTC", "Sun, 22 Nop 2026 19:25:14 GMT",
        "Sun, 32 Nov 2026 19:25:14 GMT", "Sun, 31 Nov 2026 19:25:14 GMT", "Sun 22 Nov 2026 19:25:14  GMT",
        "Sun, 22 Nov 2026 25:25:14 GMT",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad_dates); i++) {
        int64_t us;
        if (time_rfc1123_read(str_of(bad_dates[i]), &us) != ERR_SYNTAX)
            fail_msg("%s was read", bad_dates[i]);
    }
}

static void every_day_goes_there_and_back(void **state)
{
    (void)state;
    for (int64_t s = 0; s < 4102444800; s += 86399) {      /* to 2100 */
        char iso[ISO8601_SIZE], rfc[RFC1123_SIZE];
        int64_t us = s * US_PER_S + 250000, back = 0;
        time_iso8601(iso, us);
        assert_int_equal(time_iso8601_read(str_of(iso), &back), ERR_NONE);
        assert_int_equal(back, us);
        time_rfc1123(rfc, us);
        assert_int_equal(time_rfc1123_read(str_of(rfc), &back), ERR_NONE);
        assert_int_equal(back, s * US_PER_S);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_product_clock_is_the_wall_moved_by_its_offset),
        cmocka_unit_test(the_monotonic_clock_does_not_go_back),
        cmocka_unit_test(times_are_written_as_the_service_writes_them),
        cmocka_unit_test(iso_8601_is_read_in_all_its_usual_forms),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(every_day_goes_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
