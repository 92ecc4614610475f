#include "base/str.h"
#include "unit/cm.h"

static void strings_compare_by_length_and_bytes(void **state)
{
    (void)state;
    assert_true(str_eq(STR("abc"), STR("abc")));
    assert_false(str_eq(STR("abc"), STR("abd")));
    assert_false(str_eq(STR("abc"), STR("ab")));
    assert_true(str_eq((struct str){ NULL, 0 }, STR("")));
    assert_true(str_eqz(STR("abc"), "abc"));
    assert_true(str_eqz(STR(""), NULL));
    assert_true(str_eq_nocase(STR("AbC-1"), STR("aBc-1")));
    assert_false(str_eq_nocase(STR("abc"), STR("abd")));
}

static void a_string_knows_its_ends(void **state)
{
    (void)state;
    assert_true(str_starts(STR("bearer x"), STR("bearer ")));
    assert_false(str_starts(STR("bear"), STR("bearer")));
    assert_true(str_starts(STR("x"), STR("")));
    assert_true(str_ends(STR("file.wav"), STR(".wav")));
    assert_false(str_ends(STR("wav"), STR(".wav")));
    assert_true(str_ends(STR("x"), STR("")));
}

static void trimming_takes_blanks_from_both_ends(void **state)
{
    (void)state;
    assert_str(str_trim(STR(" \t a b\r\n")), "a b");
    assert_str(str_trim(STR("   ")), "");
    assert_str(str_trim(STR("")), "");
}

static void cutting_gives_what_is_before_and_behind(void **state)
{
    (void)state;
    struct str head, rest;
    assert_true(str_cut(STR("a=b=c"), '=', &head, &rest));
    assert_str(head, "a");
    assert_str(rest, "b=c");
    assert_true(str_cut(STR("a="), '=', &head, &rest));
    assert_str(rest, "");
    assert_false(str_cut(STR("abc"), '=', &head, &rest));
    assert_str(head, "abc");
    assert_str(rest, "");
    assert_int_equal(str_find(STR("abc"), 'c'), 2);
    assert_int_equal(str_find(STR("abc"), 'x'), -1);
    assert_int_equal(str_find((struct str){ NULL, 0 }, 'x'), -1);
    assert_str(str_from(STR("abc"), 1), "bc");
    assert_str(str_from(STR("abc"), 9), "");
}

static void a_number_is_digits_up_to_its_maximum(void **state)
{
    (void)state;
    static const struct { const char *text; uint64_t max; enum err err; uint64_t value; } cases[] = {
        { "0", 10, ERR_NONE, 0 },
        { "10", 10, ERR_NONE, 10 },
        { "11", 10, ERR_RANGE, 0 },
        { "007", 10, ERR_NONE, 7 },
        { "18446744073709551615", UINT64_MAX, ERR_NONE, UINT64_MAX },
        { "18446744073709551616", UINT64_MAX, ERR_RANGE, 0 },
        { "99999999999999999999999", UINT64_MAX, ERR_RANGE, 0 },
        { "", 10, ERR_SYNTAX, 0 },
        { "-1", 10, ERR_SYNTAX, 0 },
        { "+1", 10, ERR_SYNTAX, 0 },
        { " 1", 10, ERR_SYNTAX, 0 },
        { "1a", 10, ERR_SYNTAX, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t v = 77;
        assert_int_equal(str_u64(str_of(cases[i].text), cases[i].max, &v), cases[i].err);
        assert_int_equal(v, cases[i].err ? 77 : cases[i].value);
    }
}

static void a_copy_is_cut_to_fit_and_terminated(void **state)
{
    (void)state;
    char four[4] = "zzz";
    assert_int_equal(str_copyz(four, sizeof four, STR("abcdef")), 3);
    assert_string_equal(four, "abc");
    assert_int_equal(str_copyz(four, sizeof four, STR("")), 0);
    assert_string_equal(four, "");
    assert_int_equal(str_copyz(four, 0, STR("abc")), 0);
}

static void copies_stand_one_behind_the_other(void **state)
{
    (void)state;
    char block[9], *at = block;
    struct str one = str_put(&at, STR("one")), none = str_put(&at, (struct str){ NULL, 0 }), two = str_put(&at, STR("two"));
    assert_true(str_eqz(one, "one") && str_eqz(two, "two"));
    assert_int_equal(none.n, 0);
    assert_ptr_equal(at, block + 9);
    assert_ptr_equal(two.p, block + 5);
    assert_string_equal(one.p, "one");
    assert_string_equal(none.p, "");
}

static void hex_goes_there_and_back(void **state)
{
    (void)state;
    char text[9];
    unsigned char bytes[4] = { 0x00, 0x7f, 0xab, 0xff }, back[4];
    size_t n = 0;
    hex_write(text, bytes, 4);
    assert_string_equal(text, "007fabff");
    assert_int_equal(hex_read(back, sizeof back, STR("007FaBff"), &n), ERR_NONE);
    assert_int_equal(n, 4);
    assert_memory_equal(back, bytes, 4);
    assert_int_equal(hex_read(back, sizeof back, STR("007"), &n), ERR_SYNTAX);
    assert_int_equal(hex_read(back, sizeof back, STR("0g"), &n), ERR_SYNTAX);
    assert_int_equal(hex_read(back, 3, STR("007fabff"), &n), ERR_SIZE);
}

/* RFC 4648, section 10 */
static void base64_matches_the_rfc(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        char text[BASE64_SIZE(6)], back[6];
        size_t n = 99, len = strlen(pairs[i][0]);
        assert_int_equal(base64_write(text, pairs[i][0], len), strlen(pairs[i][1]));
        assert_string_equal(text, pairs[i][1]);
        assert_int_equal(base64_read(back, sizeof back, str_of(text), &n), ERR_NONE);
        assert_int_equal(n, len);
        assert_memory_equal(back, pairs[i][0], n);
    }
    char text[8];
    base64_write(text, "\xfb\xff\xfe", 3);
    assert_string_equal(text, "+//+");
    base64url_write(text, "\xfb\xff\xfe", 3);
    assert_string_equal(text, "-__-");
    assert_int_equal(base64url_write(text, "f", 1), 2);
    assert_string_equal(text, "Zg");
}

static void base64_refuses_what_no_encoder_writes(void **state)
{
    (void)state;
    static const char *const bad[] = { "Z", "Zg", "Zg=", "Zg===", "====", "Z===", "Zg=v", "Zm9v\n", "Zm 9", "Zg==Zg==",
                                       "Zm-v", "Zh==", "Zm9=" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char out[16];
        size_t n;
        if (base64_read(out, sizeof out, str_of(bad[i]), &n) != ERR_SYNTAX)
            fail_msg("%s was read", bad[i]);
    }
    char two[2];
    size_t n;
    assert_int_equal(base64_read(two, sizeof two, STR("Zm9v"), &n), ERR_SIZE);
    assert_int_equal(base64_read(two, sizeof two, STR("Zm8="), &n), ERR_NONE);
}

static void utf8_is_checked_as_the_rfc_says(void **state)
{
    (void)state;
    static const struct { const char *text; bool valid; size_t units; } cases[] = {
        { "", true, 0 }, { "plain", true, 5 }, { "\xc3\xa9", true, 1 }, { "\xe2\x82\xac", true, 1 },
        { "\xf0\x9f\x98\x80", true, 2 }, { "\xf4\x8f\xbf\xbf", true, 2 }, { "\xed\x9f\xbf\xee\x80\x80", true, 2 },
        { "\xc0\x80", false, 0 }, { "\xc1\xbf", false, 0 }, { "\xe0\x80\x80", false, 0 }, { "\xf0\x80\x80\x80", false, 0 },
        { "\xed\xa0\x80", false, 0 }, { "\xf4\x90\x80\x80", false, 0 }, { "\xf8\x88\x80\x80\x80", false, 0 },
        { "\x80", false, 0 }, { "\xe2\x82", false, 0 }, { "\xe2\x82x", false, 0 }, { "\xff", false, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(utf8_valid(str_of(cases[i].text)), cases[i].valid);
        if (cases[i].valid)
            assert_int_equal(utf8_utf16_units(str_of(cases[i].text)), cases[i].units);
    }
}

static void every_code_point_goes_there_and_back(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
        char b[4];
        size_t at = 0, n = utf8_put(b, cp);
        bool surrogate = cp >= 0xd800 && cp <= 0xdfff;
        if (utf8_valid((struct str){ b, n }) == surrogate
            || (!surrogate && (utf8_next((struct str){ b, n }, &at) != cp || at != n)))
            fail_msg("U+%04X", cp);
    }
    size_t at = 0;
    assert_int_equal(utf8_next(STR(""), &at), UINT32_MAX);
}

static void every_error_has_words(void **state)
{
    (void)state;
    assert_string_equal(err_words(ERR_BUSY), "too much at once");
    for (int e = ERR_NONE; e <= ERR_METHOD; e++)
        assert_true(strlen(err_words((enum err)e)) > 3);
    assert_string_equal(err_words((enum err)999), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_compare_by_length_and_bytes),
        cmocka_unit_test(a_string_knows_its_ends),
        cmocka_unit_test(trimming_takes_blanks_from_both_ends),
        cmocka_unit_test(cutting_gives_what_is_before_and_behind),
        cmocka_unit_test(a_number_is_digits_up_to_its_maximum),
        cmocka_unit_test(a_copy_is_cut_to_fit_and_terminated),
        cmocka_unit_test(copies_stand_one_behind_the_other),
        cmocka_unit_test(hex_goes_there_and_back),
        cmocka_unit_test(base64_matches_the_rfc),
        cmocka_unit_test(base64_refuses_what_no_encoder_writes),
        cmocka_unit_test(utf8_is_checked_as_the_rfc_says),
        cmocka_unit_test(every_code_point_goes_there_and_back),
        cmocka_unit_test(every_error_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
