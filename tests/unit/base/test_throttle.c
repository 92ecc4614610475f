#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/throttle.h"

static struct mono at_us(int64_t us)
{
    return (struct mono){ us };
}

static struct throttle *bucket(uint32_t rate, uint32_t burst)
{
    struct throttle *t = NULL;
    assert_int_equal(throttle_new(&t, &(struct throttle_conf){ rate, burst }, at_us(0)), ERR_NONE);
    return t;
}

static void a_full_bucket_gives_its_burst_at_once(void **state)
{
    (void)state;
    int64_t wait = 0;
    scoped(throttle) struct throttle *t = bucket(10, 30);
    for (int i = 0; i < 30; i++)
        assert_int_equal(throttle_take(t, at_us(0), &wait), ERR_NONE);
    assert_int_equal(throttle_take(t, at_us(0), &wait), ERR_BUSY);
}

static void a_drained_bucket_says_when_to_return(void **state)
{
    (void)state;
    int64_t wait = 0;
    scoped(throttle) struct throttle *t = bucket(3, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(throttle_take(t, at_us(0), &wait), ERR_NONE);
    assert_int_equal(throttle_take(t, at_us(0), &wait), ERR_BUSY);
    assert_int_equal(wait, 333334);                     /* a third of a second, rounded up */
    assert_int_equal(throttle_take(t, at_us(wait - 1), &wait), ERR_BUSY);
    assert_int_equal(wait, 1);
    assert_int_equal(throttle_take(t, at_us(333334), &wait), ERR_NONE);
}

static void a_century_of_silence_fills_it_once(void **state)
{
    (void)state;
    int64_t wait = 0, century = INT64_C(100) * 366 * 86400 * 1000000;
    scoped(throttle) struct throttle *t = bucket(100000, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(throttle_take(t, at_us(century), &wait), ERR_NONE);
    assert_int_equal(throttle_take(t, at_us(century), &wait), ERR_BUSY);
}

static void nonsense_rates_are_refused(void **state)
{
    (void)state;
    struct throttle *t = NULL;
    assert_int_equal(throttle_new(&t, &(struct throttle_conf){ 0, 1 }, at_us(0)), ERR_RANGE);
    assert_int_equal(throttle_new(&t, &(struct throttle_conf){ 100001, 100001 }, at_us(0)), ERR_RANGE);
    assert_int_equal(throttle_new(&t, &(struct throttle_conf){ 10, 0 }, at_us(0)), ERR_RANGE);
    assert_int_equal(throttle_new(&t, &(struct throttle_conf){ 10, 101 }, at_us(0)), ERR_RANGE);
    assert_null(t);
    throttle_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_bucket_gives_its_burst_at_once),
        cmocka_unit_test(a_drained_bucket_says_when_to_return),
        cmocka_unit_test(a_century_of_silence_fills_it_once),
        cmocka_unit_test(nonsense_rates_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
