#include "base/hostport.h"

#include "base/str.h"
#include "unit/cm.h"

static void a_name_and_a_port_are_told_apart(void **state)
{
    (void)state;
    struct hostport at;
    assert_int_equal(hostport_read(&at, STR("smsc.example.net:2775")), ERR_NONE);
    assert_true(str_eqz(at.host, "smsc.example.net"));
    assert_int_equal(at.port, 2775);
    assert_int_equal(hostport_read(&at, STR("127.0.0.1:0")), ERR_NONE);
    assert_int_equal(at.port, 0);
}

static void an_ipv6_address_stands_in_brackets(void **state)
{
    (void)state;
    struct hostport at;
    assert_int_equal(hostport_read(&at, STR("[::1]:5060")), ERR_NONE);
    assert_true(str_eqz(at.host, "::1"));
    assert_int_equal(at.port, 5060);
    assert_int_equal(hostport_read(&at, STR("::1:5060")), ERR_SYNTAX);
    assert_int_equal(hostport_read(&at, STR("[::1]5060")), ERR_SYNTAX);
    assert_int_equal(hostport_read(&at, STR("[::1")), ERR_SYNTAX);
}

static void what_is_no_port_is_told_from_what_has_none(void **state)
{
    (void)state;
    struct hostport at = { .port = 7 };
    static const char *const no_form[] = { "", "host", ":5060", "[]:5060", "[" };
    static const char *const no_port[] = { "host:", "host:x", "host:65536", "host:-1", "host: 1" };
    for (size_t i = 0; i < ARRAY_LEN(no_form); i++)
        assert_int_equal(hostport_read(&at, str_of(no_form[i])), ERR_SYNTAX);
    for (size_t i = 0; i < ARRAY_LEN(no_port); i++)
        assert_int_equal(hostport_read(&at, str_of(no_port[i])), ERR_RANGE);
    assert_int_equal(at.port, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_and_a_port_are_told_apart),
        cmocka_unit_test(an_ipv6_address_stands_in_brackets),
        cmocka_unit_test(what_is_no_port_is_told_from_what_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
