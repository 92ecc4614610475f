/* "Did you mean ...?" */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/nearest.h"
#include "base/str.h"

static const char *const words[] = { "numbers", "sms", "handset", "events", "rtp-ports" };

static const char *nearest_to(const char *typed)
{
    return nearest(str_of(typed), words, ARRAY_LEN(words));
}

static void a_slip_finds_its_word(void **state)
{
    (void)state;
    assert_string_equal(nearest_to("number"), "numbers");
    assert_string_equal(nearest_to("ahndset"), "handset");
    assert_string_equal(nearest_to("Evnets"), "events");
    assert_string_equal(nearest_to("RTP_PORTS"), "rtp-ports");
}

static void another_word_finds_nothing(void **state)
{
    (void)state;
    assert_null(nearest_to("kangaroo"));
    assert_null(nearest_to(""));
    assert_null(nearest_to("xyz"));
    assert_null(nearest_to("a-word-of-more-than-sixty-three-letters-is-far-from-everything-there-is"));
}

static void neighbours_swapped_are_one_slip(void **state)
{
    (void)state;
    assert_int_equal(nearest_distance(STR("listen"), STR("lisetn")), 1);
    assert_int_equal(nearest_distance(STR("listen"), STR("listen")), 0);
    assert_int_equal(nearest_distance(STR("abc"), STR("")), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_finds_its_word),
        cmocka_unit_test(another_word_finds_nothing),
        cmocka_unit_test(neighbours_swapped_are_one_slip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
