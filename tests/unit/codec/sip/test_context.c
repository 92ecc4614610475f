#include "unit/cm.h"

#include "base/str.h"
#include "codec/sip/context.h"

#include <stdio.h>
#include <string.h>

static void names_are_user_to_user_and_our_customers_own(void **state)
{
    (void)state;
    static const struct { const char *name; bool is; } names[] = {
        { "User-To-User", true }, { "user-to-user", true }, { "X-MS-Custom-Ticket", true }, { "x-ms-custom-1", true },
        { "X-MS-Custom-", false }, { "X-MS-Custom-a b", false }, { "X-MS-Custom-a\r\nVia", false }, { "Via", false }, { "", false },
        { "X-MS-Custom-0123456789012345678901234567890123456789012345678901", true },
        { "X-MS-Custom-01234567890123456789012345678901234567890123456789012", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(sip_context_name(str_of(names[i].name)), names[i].is);
}

static void what_was_added_is_read_in_order(void **state)
{
    (void)state;
    char text[SIP_CONTEXT_SIZE] = "";
    struct str name, value;
    assert_int_equal(sip_context_add(text, STR("User-To-User"), STR("00a1;encoding=hex")), ERR_NONE);
    assert_int_equal(sip_context_add(text, STR("X-MS-Custom-Who"), STR("Zo\303\253: 7")), ERR_NONE);
    assert_int_equal(sip_context_add(text, STR("x-ms-custom-who"), STR("again")), ERR_CONFLICT);
    assert_string_equal(text, "User-To-User: 00a1;encoding=hex\r\nX-MS-Custom-Who: Zo\303\253: 7\r\n");
    struct str rest = str_of(text);
    assert_true(sip_context_next(&rest, &name, &value) && str_eqz(name, "User-To-User") && str_eqz(value, "00a1;encoding=hex"));
    assert_true(sip_context_next(&rest, &name, &value) && str_eqz(name, "X-MS-Custom-Who") && str_eqz(value, "Zo\303\253: 7"));
    assert_false(sip_context_next(&rest, &name, &value));
}

static void nothing_gets_in_that_would_end_a_header(void **state)
{
    (void)state;
    char text[SIP_CONTEXT_SIZE] = "";
    const char *bad[] = { "", "a\r\nVia: x", "a\n", "tab\there", "\177", "\377" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(sip_context_add(text, STR("User-To-User"), str_of(bad[i])), ERR_RANGE);
    assert_int_equal(sip_context_add(text, STR("Contact"), STR("sip:x")), ERR_RANGE);
    assert_string_equal(text, "");
}

static void what_does_not_fit_is_left_out_whole(void **state)
{
    (void)state;
    char text[SIP_CONTEXT_SIZE] = "", long_text[SIP_CONTEXT_SIZE];
    memset(long_text, 'a', sizeof long_text);
    struct str most = { long_text, SIP_CONTEXT_SIZE - 1 - strlen("User-To-User: \r\n") };
    assert_int_equal(sip_context_add(text, STR("User-To-User"), (struct str){ most.p, most.n + 1 }), ERR_BUSY);
    assert_string_equal(text, "");
    assert_int_equal(sip_context_add(text, STR("User-To-User"), most), ERR_NONE);
    assert_int_equal(strlen(text), SIP_CONTEXT_SIZE - 1);
    assert_int_equal(sip_context_add(text, STR("X-MS-Custom-a"), STR("b")), ERR_BUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_user_to_user_and_our_customers_own),
        cmocka_unit_test(what_was_added_is_read_in_order),
        cmocka_unit_test(nothing_gets_in_that_would_end_a_header),
        cmocka_unit_test(what_does_not_fit_is_left_out_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
