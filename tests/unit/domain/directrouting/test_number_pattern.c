#include "domain/directrouting/number_pattern.h"
#include "base/str.h"
#include "unit/cm.h"

static enum err try_pattern(const char *pattern, const char *number, bool *matched)
{
    scoped(arena) struct arena *a = arena_new();
    struct number_pattern *p;
    char words[96] = "";
    enum err err = number_pattern_read(&p, str_of(pattern), a, words);
    assert_true(!err == !words[0]);
    return err ? err : number_pattern_match(p, str_of(number), a, matched);
}

static void patterns_match_what_they_say(void **state)
{
    (void)state;
    static const struct { const char *pattern, *number; bool matches; } rows[] = {
        { "^+[1-9][0-9]{3,23}$", "+14255550100", true },    { "^+[1-9][0-9]{3,23}$", "14255550100", false },
        { "^\\+[1-9][0-9]{3,23}$", "+123", false },         { "^\\+1.*$", "+14255550100", true },
        { "^\\+1.*$", "+442079460000", false },             { "555", "+14255550100", true },
        { "^555", "+14255550100", false },                  { "0100$", "+14255550100", true },
        { "^\\+(1|44)\\d+$", "+442079460000", true },       { "^\\+(?:1|44)\\d+$", "+332079460000", false },
        { "^\\+(?<cc>1)425", "+14255550100", true },        { "^\\+1[^4]", "+14255550100", false },
        { "^\\+1(425)?555", "+1555", true },                { "^\\+1\\d{10}$", "+1425555010", false },
        { "^(+1|+44)", "+44", true },                       { "\\A\\x2B1\\Z", "+1", true },
        { "", "+1", true },                                 { "(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
        { "^1{2}$", "11", true },                           { "^1{2,}$", "1", false },
        { "^1{,2}$", "11", false },                         { "^[+]?1*?2$", "+1112", true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool matched = !rows[i].matches;
        assert_int_equal(try_pattern(rows[i].pattern, rows[i].number, &matched), ERR_NONE);
        if (matched != rows[i].matches)
            fail_msg("'%s' and %s: %d", rows[i].pattern, rows[i].number, matched);
    }
}

static void what_is_no_pattern_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "(", ")", "(1", "1)", "[1", "[9-1]", "[", "*", "?1", "{2}", "1**", "1{3,2}", "1{2}{3}", "\\", "\\1", "\\b1", "\\p{N}", "(?=1)",
        "(?!1)", "(?<=1)", "(?i)1", "(?<>1)", "\\x4", "[0-9-[5]]", "\xc3\xa9", "1|*",
    };
    bool matched;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (try_pattern(rows[i], "1", &matched) != ERR_SYNTAX)
            fail_msg("'%s' was taken", rows[i]);
}

static void a_pattern_too_large_is_refused_at_once(void **state)
{
    (void)state;
    static const char *const rows[] = { "1{1001}", "(1{1000}){1000}", "(((){1000}){1000}){1000}", "((1{100}){100}){100}" };
    bool matched;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (try_pattern(rows[i], "1", &matched) != ERR_SIZE)
            fail_msg("'%s' was taken", rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_what_they_say),
        cmocka_unit_test(what_is_no_pattern_is_refused),
        cmocka_unit_test(a_pattern_too_large_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
