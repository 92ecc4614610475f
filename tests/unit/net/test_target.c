#include "net/target.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void addresses_are_sorted_as_the_registries_say(void **state)
{
    (void)state;
    static const struct { const char *address; enum target_sort sort; } cases[] = {
        { "8.8.8.8", TARGET_PUBLIC },          { "127.0.0.1", TARGET_LOCAL },    { "127.255.255.255", TARGET_LOCAL },
        { "126.255.255.255", TARGET_PUBLIC },  { "10.1.2.3", TARGET_LOCAL },     { "172.16.0.1", TARGET_LOCAL },
        { "172.31.255.255", TARGET_LOCAL },    { "172.32.0.0", TARGET_PUBLIC },  { "192.168.9.9", TARGET_LOCAL },
        { "100.64.0.1", TARGET_LOCAL },        { "100.128.0.1", TARGET_PUBLIC }, { "169.254.169.254", TARGET_NEVER },
        { "0.0.0.0", TARGET_NEVER },           { "224.0.0.1", TARGET_NEVER },    { "255.255.255.255", TARGET_NEVER },
        { "192.0.2.1", TARGET_NEVER },         { "::1", TARGET_LOCAL },          { "::", TARGET_NEVER },
        { "fd00::1", TARGET_LOCAL },           { "fe80::1", TARGET_NEVER },      { "ff02::1", TARGET_NEVER },
        { "2606:4700::1111", TARGET_PUBLIC },  { "2001:db8::1", TARGET_NEVER },  { "2001::1", TARGET_NEVER },
        { "::ffff:127.0.0.1", TARGET_LOCAL },  { "::ffff:8.8.8.8", TARGET_PUBLIC },
        { "64:ff9b::a9fe:a9fe", TARGET_NEVER }, { "64:ff9b::808:808", TARGET_PUBLIC },
        { "2002:7f00:1::", TARGET_LOCAL },     { "localhost", TARGET_NEVER },    { "", TARGET_NEVER },
        { "0177.0.0.1", TARGET_NEVER },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(target_sort_of_text(cases[i].address), cases[i].sort);
}

static void an_authority_names_this_machine_or_does_not(void **state)
{
    (void)state;
    static const struct { const char *authority; bool local; } cases[] = {
        { "localhost", true },          { "LOCALHOST:4500", true },   { "shop.localhost:4500", true },
        { "127.0.0.1", true },          { "127.9.9.9:1", true },      { "[::1]:4500", true },
        { "[::1]", true },              { "127.0.0.1.example.com", false }, { "127.example.com:4500", false },
        { "localhost.example.com", false }, { "notlocalhost", false }, { ".localhost", false },
        { "[::2]:1", false },           { "[::1", false },            { "10.0.0.1", false }, { "", false },
        { "127.0.0.1:80@example.com", false }, { "[::1]example.com", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(target_names_loopback(str_of(cases[i].authority)), cases[i].local);
    assert_false(target_is_loopback(STR("localhost")));
    assert_true(target_is_loopback(STR("::1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_sorted_as_the_registries_say),
        cmocka_unit_test(an_authority_names_this_machine_or_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
