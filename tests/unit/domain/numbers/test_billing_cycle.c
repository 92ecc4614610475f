/* The private half of release: where a billing month ends. */
#include "base/str.h"
#include "domain/numbers/numbers_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_ends(const char *purchased, const char *now, const char *end)
{
    int64_t a, b, c;
    char got[ISO8601_SIZE];
    assert_int_equal(time_iso8601_read(str_of(purchased), &a), ERR_NONE);
    assert_int_equal(time_iso8601_read(str_of(now), &b), ERR_NONE);
    assert_int_equal(time_iso8601_read(str_of(end), &c), ERR_NONE);
    time_iso8601(got, billing_cycle_end(a, b));
    if (billing_cycle_end(a, b) != c)
        fail_msg("bought %s, now %s: ends %s, not %s", purchased, now, got, end);
}

static void a_cycle_ends_on_the_day_and_at_the_time_of_the_purchase(void **state)
{
    (void)state;
    assert_ends("2020-12-01T10:30:00Z", "2020-12-01T10:30:00Z", "2021-01-01T10:30:00Z");
    assert_ends("2020-12-01T10:30:00Z", "2020-12-31T23:59:59Z", "2021-01-01T10:30:00Z");
    assert_ends("2020-12-01T10:30:00Z", "2021-01-01T10:29:59Z", "2021-01-01T10:30:00Z");
    assert_ends("2020-12-01T10:30:00Z", "2021-01-01T10:30:00Z", "2021-02-01T10:30:00Z");
    assert_ends("2020-12-15T00:00:00.5Z", "2023-06-20T00:00:00Z", "2023-07-15T00:00:00.5Z");
    assert_ends("2020-12-15T00:00:00Z", "2023-06-10T00:00:00Z", "2023-06-15T00:00:00Z");
}

static void a_day_that_a_month_lacks_is_its_last(void **state)
{
    (void)state;
    assert_ends("2021-01-31T08:00:00Z", "2021-02-01T00:00:00Z", "2021-02-28T08:00:00Z");
    assert_ends("2021-01-31T08:00:00Z", "2021-02-28T09:00:00Z", "2021-03-31T08:00:00Z");
    assert_ends("2024-01-31T08:00:00Z", "2024-02-10T00:00:00Z", "2024-02-29T08:00:00Z");
    assert_ends("2021-01-30T08:00:00Z", "2021-04-30T08:00:00Z", "2021-05-30T08:00:00Z");
    assert_ends("2099-12-31T00:00:00Z", "2100-02-10T00:00:00Z", "2100-02-28T00:00:00Z");    /* no leap year */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cycle_ends_on_the_day_and_at_the_time_of_the_purchase),
        cmocka_unit_test(a_day_that_a_month_lacks_is_its_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
