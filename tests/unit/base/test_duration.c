#include "unit/cm.h"

#include "base/duration.h"
#include "base/str.h"

static void words_become_microseconds_and_back(void **state)
{
    (void)state;
    static const struct { const char *words; int64_t us; const char *again; } rows[] = {
        { "250ms", 250000, "250ms" }, { "2s", 2000000, "2s" }, { "90s", 90000000, "1m30s" }, { "1h30m", 5400000000, "1h30m" },
        { "45d", 3888000000000, "6w3d" }, { "1500us", 1500, "1ms500us" }, { "0", 0, "0" }, { "0s", 0, "0" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t us = -1;
        char words[DURATION_SIZE];
        assert_int_equal(duration_read(str_of(rows[i].words), &us), ERR_NONE);
        assert_int_equal(us, rows[i].us);
        assert_string_equal(duration_write(words, us), rows[i].again);
        assert_int_equal(duration_read(str_of(words), &us), ERR_NONE);
        assert_int_equal(us, rows[i].us);
    }
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "5", "s", "-1s", "1.5s", "1 s", "2sec", "1s2", "S" };
    int64_t us = 7;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(duration_read(str_of(bad[i]), &us), ERR_SYNTAX);
    assert_int_equal(duration_read(STR("99999999999999999999s"), &us), ERR_RANGE);
    assert_int_equal(duration_read(STR("100w99999d"), &us), ERR_RANGE);
    assert_int_equal(duration_read(STR("5000w1700w"), &us), ERR_RANGE);
    assert_int_equal(us, 7);
}

static void a_span_over_every_unit_fits(void **state)
{
    (void)state;
    char words[DURATION_SIZE];
    int64_t us = 0, most = 100LL * 366 * 86400000000 - 1;
    assert_int_equal(duration_read(str_of(duration_write(words, most)), &us), ERR_NONE);
    assert_int_equal(us, most);
    assert_string_equal(duration_write(words, -5), "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_microseconds_and_back),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(a_span_over_every_unit_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
