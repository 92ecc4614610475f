/* The same octets as snprintf(), for what it does itself and for what it hands on. */
#include "unit/cm.h"

#include "base/words.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define SAME(size, ...)                                                                                             \
    do {                                                                                                            \
        char ours[64], theirs[64];                                                                                  \
        memset(ours, 'x', sizeof ours);                                                                             \
        memset(theirs, 'x', sizeof theirs);                                                                         \
        int n = snprintf(theirs, (size), __VA_ARGS__);                                                              \
        assert_int_equal(words_put(ours, (size), __VA_ARGS__), n);                                                  \
        assert_memory_equal(ours, theirs, sizeof ours);                                                             \
    } while (0)

static void each_conversion_writes_what_snprintf_writes(void **state)
{
    (void)state;
    SAME(sizeof ours, "nothing to do");
    SAME(sizeof ours, "%s took segment %u of %u", "sim", 1U, 2U);
    SAME(sizeof ours, "%.5s|%.*s|%.*s|%.0s|", "a longer one", 3, "abcdef", -1, "all of it", "x");
    SAME(sizeof ours, "%d %d %u %u", INT_MIN, INT_MAX, 0U, UINT_MAX);
    SAME(sizeof ours, "%lld %lld", LLONG_MIN, LLONG_MAX);
    SAME(sizeof ours, "%llu %zu %%", ULLONG_MAX, SIZE_MAX);
    const char *volatile none = NULL;
    assert_int_equal(words_put((char[8]){ 0 }, 8, "%.*s", 0, none), 0);     /* an empty struct str */
    SAME(sizeof ours, "err:%03u %06u %03u", 7U, 1234567U, 100U);
}

static void what_it_does_not_do_is_handed_on(void **state)
{
    (void)state;
    SAME(sizeof ours, "%s 0x%08x %s", "status", 0x58U, "after");
    SAME(sizeof ours, "%5u|%-4s|%5.2f|%c|%hhu", 7U, "ab", 1.5, 'c', (unsigned char)9);
    SAME(sizeof ours, "%.3d %+d %ld %x", 7, 7, 7L, 255U);
    SAME(sizeof ours, "%010lld", 42LL);
}

static void what_has_no_room_is_cut(void **state)
{
    (void)state;
    for (volatile size_t size = 1; size < 20; size++) {
        SAME(size, "%s-%u", "twelve words", 123456U);
        SAME(size, "%05u%%", 42U);
    }
    assert_int_equal(words_put(NULL, 0, "%s", "abc"), 3);
}

static void a_decimal_has_twenty_octets_at_most(void **state)
{
    (void)state;
    static const struct { int64_t v; const char *text; } rows[] = {
        { 0, "0" }, { -1, "-1" }, { 1234567890, "1234567890" }, { INT64_MAX, "9223372036854775807" }, { INT64_MIN, "-9223372036854775808" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[21] = "";
        assert_int_equal(words_int(text, rows[i].v), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_conversion_writes_what_snprintf_writes),
        cmocka_unit_test(what_it_does_not_do_is_handed_on),
        cmocka_unit_test(what_has_no_room_is_cut),
        cmocka_unit_test(a_decimal_has_twenty_octets_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
