/* What a person can set, from where, and what is said when it is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "main/settings.h"

static char *const no_env[] = { NULL };

#define ARGS(...) ARRAY_LEN(((char *[]){ __VA_ARGS__ })), (char *[]){ __VA_ARGS__ }

static void untold_everything_has_its_default(void **state)
{
    (void)state;
    struct settings s;
    struct problem  why;
    assert_int_equal(settings_read(&s, SETTINGS_SERVE, 0, NULL, no_env, &why), ERR_NONE);
    assert_string_equal(s.data, "./carterfone-data");
    assert_int_equal(s.listen_n, 1);
    assert_string_equal(s.listen[0].at.host, "127.0.0.1");
    assert_int_equal(s.listen[0].at.port, 4500);
    assert_false(s.listen[0].at.given);
    assert_int_equal(s.sip.port, 5060);
    assert_false(s.sip.given);
    assert_int_equal(s.rtp_ports.min, 20000);
    assert_int_equal(s.rtp_ports.max, 24999);
    assert_true(s.simulator);
    assert_false(s.in_memory);
    assert_int_equal(s.edition, EDITION_2020_10);
    assert_string_equal(s.sips.host, "");
}

static void a_flag_is_told_from_a_default_and_may_come_either_way(void **state)
{
    (void)state;
    struct settings s;
    struct problem  why;
    assert_int_equal(settings_read(&s, SETTINGS_SERVE,
                                   ARGS("--sip=[::1]:0", "--rtp-ports", "0", "--in-memory", "--clock", "virtual", "--simulator", "off"),
                                   no_env, &why), ERR_NONE);
    assert_string_equal(s.sip.host, "::1");
    assert_int_equal(s.sip.port, 0);
    assert_true(s.sip.given);
    assert_true(s.rtp_ports.given);
    assert_int_equal(s.rtp_ports.max, 0);
    assert_true(s.in_memory);
    assert_int_equal(s.clock, SETTINGS_CLOCK_VIRTUAL);
    assert_false(s.simulator);
}

static void listeners_add_up_within_a_source_and_replace_a_weaker_one(void **state)
{
    (void)state;
    struct settings s;
    struct problem  why;
    char *const     env[] = { "CARTERFONE_LISTEN=127.0.0.1:1, 127.0.0.1:2=acme", "CARTERFONE_SERVICE_HOST=10.0.0.1", NULL };
    assert_int_equal(settings_read(&s, SETTINGS_SERVE, 0, NULL, env, &why), ERR_NONE);
    assert_int_equal(s.listen_n, 2);
    assert_string_equal(s.listen[1].resource, "acme");

    assert_int_equal(settings_read(&s, SETTINGS_SERVE, ARGS("--listen", "127.0.0.1:7", "--listen", "127.0.0.1:8=b"), env, &why),
                     ERR_NONE);
    assert_int_equal(s.listen_n, 2);
    assert_int_equal(s.listen[0].at.port, 7);
    assert_string_equal(s.listen[1].resource, "b");
}

static void a_misspelt_flag_is_answered_with_the_nearest(void **state)
{
    (void)state;
    struct settings s;
    struct problem  why;
    assert_int_equal(settings_read(&s, SETTINGS_SERVE, ARGS("--rtp-prots", "0"), no_env, &why), ERR_ABSENT);
    assert_non_null(strstr(why.text, "did you mean 'rtp-ports'"));
    assert_int_equal(settings_read(&s, SETTINGS_SIM, ARGS("--edition", "current"), no_env, &why), ERR_ABSENT);
}

static void a_bad_value_names_its_flag(void **state)
{
    (void)state;
    static const struct { char *flag, *value; enum err err; const char *said; } bad[] = {
        { "--sip", "5060", ERR_SYNTAX, "--sip: '5060' is not HOST:PORT" },
        { "--sip", "a:70000", ERR_RANGE, "--sip: 'a:70000' ends in no port" },
        { "--rtp-ports", "300-200", ERR_RANGE, "must rise" },
        { "--listen", "127.0.0.1:1=Über", ERR_SYNTAX, "resource's name" },
        { "--clock", "fast", ERR_RANGE, "real|virtual" },
        { "--simulator", "maybe", ERR_RANGE, "neither on nor off" },
        { "--sips", "127.0.0.1:0", ERR_UNBUILT, "not built" },
        { "--store", "postgres://x", ERR_UNBUILT, "not built" },
        { "--store", "mysql", ERR_RANGE, "neither sqlite" },
        { "--tls-cert", "a.pem", ERR_RANGE, "go together" },
        { "--seed", "-1", ERR_SYNTAX, "whole number" },
        { "--smpp-limits", "binds=0", ERR_RANGE, "--smpp-limits: binds: '0' is not 1 to 1000" },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct settings s;
        struct problem  why = { 0 };
        assert_int_equal(settings_read(&s, SETTINGS_SERVE, ARGS(bad[i].flag, bad[i].value), no_env, &why), bad[i].err);
        assert_non_null(strstr(why.text, bad[i].said));
    }
}

static void a_flag_without_its_value_is_a_usage_error(void **state)
{
    (void)state;
    struct settings s;
    struct problem  why;
    assert_int_equal(settings_read(&s, SETTINGS_SERVE, ARGS("--sip"), no_env, &why), ERR_SYNTAX);
    assert_non_null(strstr(why.text, "--sip wants HOST:PORT"));
    assert_int_equal(settings_read(&s, SETTINGS_SERVE, ARGS("serve"), no_env, &why), ERR_SYNTAX);
}

static void yaml_sets_what_flags_set(void **state)
{
    (void)state;
    struct settings s;
    struct problem  why;
    struct str      text = STR("# site\ndata: /srv/x\nlisten:\n  - 127.0.0.1:1\n  - '[::1]:2=acme'\nrtp-ports: 0\nsim_sip: 127.0.0.1:0\n");
    assert_int_equal(settings_read_yaml(&s, SETTINGS_SERVE, text, "site.yaml", &why), ERR_NONE);
    assert_string_equal(s.data, "/srv/x");
    assert_int_equal(s.listen_n, 2);
    assert_string_equal(s.listen[1].resource, "acme");
    assert_true(s.sim_sip.given);
    assert_int_equal(settings_read_yaml(&s, SETTINGS_SERVE, STR(""), "empty.yaml", &why), ERR_NONE);
}

static void yaml_errors_name_the_line(void **state)
{
    (void)state;
    static const struct { const char *text; enum err err; const char *said; } bad[] = {
        { "data: x\nlisen: 127.0.0.1:1\n", ERR_ABSENT, "site.yaml:2: there is no setting 'lisen'; did you mean 'listen'?" },
        { "data: x\n\nclock: fast\n", ERR_RANGE, "site.yaml:3: clock: 'fast' is not one of real|virtual" },
        { "data: x\ndata: y\n", ERR_SYNTAX, "site.yaml:2: this name stands twice" },
        { "data: [a, b]\n", ERR_SYNTAX, "site.yaml:1: this setting takes one value" },
        { "- data\n", ERR_SYNTAX, "site.yaml:1: the file must be a mapping" },
        { "sip: {host: x}\n", ERR_SYNTAX, "site.yaml:1: a plain value" },
        { "data: 'x\n", ERR_SYNTAX, "site.yaml:" },
        { "config: other.yaml\n", ERR_SYNTAX, "cannot name another" },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct settings s;
        struct problem  why = { 0 };
        assert_int_equal(settings_read_yaml(&s, SETTINGS_SERVE, str_of(bad[i].text), "site.yaml", &why), bad[i].err);
        assert_non_null(strstr(why.text, bad[i].said));
    }
}

static void a_flag_beats_the_environment_which_beats_the_file(void **state)
{
    (void)state;
    char path[] = "/tmp/settings-XXXXXX";
    int  fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] = "data: /file\nready-file: /file\nsip: 127.0.0.1:1\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);

    struct settings s;
    struct problem  why;
    char *const     env[] = { "CARTERFONE_READY_FILE=/env", "CARTERFONE_SIP=127.0.0.1:2", NULL };
    assert_int_equal(settings_read(&s, SETTINGS_SERVE, ARGS("--config", path, "--sip", "127.0.0.1:3"), env, &why), ERR_NONE);
    unlink(path);
    assert_string_equal(s.data, "/file");
    assert_string_equal(s.ready_file, "/env");
    assert_int_equal(s.sip.port, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(untold_everything_has_its_default),
        cmocka_unit_test(a_flag_is_told_from_a_default_and_may_come_either_way),
        cmocka_unit_test(listeners_add_up_within_a_source_and_replace_a_weaker_one),
        cmocka_unit_test(a_misspelt_flag_is_answered_with_the_nearest),
        cmocka_unit_test(a_bad_value_names_its_flag),
        cmocka_unit_test(a_flag_without_its_value_is_a_usage_error),
        cmocka_unit_test(yaml_sets_what_flags_set),
        cmocka_unit_test(yaml_errors_name_the_line),
        cmocka_unit_test(a_flag_beats_the_environment_which_beats_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
