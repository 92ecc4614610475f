#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "edge/smpp/esme_limits.h"

static void what_is_not_named_stays_as_it_is_untold(void **state)
{
    (void)state;
    struct esme_limits l;
    struct problem why;
    assert_int_equal(esme_limits_read(&l, STR(""), &why), ERR_NONE);
    assert_int_equal(l.binds, 32);
    assert_int_equal(l.links, 1000);
    assert_int_equal(l.window, 10);
    assert_int_equal(l.submits, 1000);
    assert_int_equal(l.bind_us, 10 * US_PER_S);
    assert_int_equal(l.enquire_us, 30 * US_PER_S);
    assert_int_equal(l.answer_us, 30 * US_PER_S);
    assert_int_equal(l.idle_us, 0);
    assert_int_equal(esme_limits_read(&l, STR("binds=4, window = 100,idle=1h30m"), &why), ERR_NONE);
    assert_int_equal(l.binds, 4);
    assert_int_equal(l.window, 100);
    assert_int_equal(l.idle_us, 5400 * (int64_t)US_PER_S);
    assert_int_equal(l.submits, 1000);
    assert_int_equal(esme_limits_read(&l, STR("idle=off,answer=1s,binds=1000"), &why), ERR_NONE);
    assert_int_equal(l.idle_us, 0);
    assert_int_equal(l.answer_us, US_PER_S);
}

static void what_is_wrong_is_said_and_nothing_is_changed(void **state)
{
    (void)state;
    static const struct { const char *text; enum err err; const char *said; } bad[] = {
        { "bind=4", ERR_RANGE, "bind: '4' is no time of 1s to 1h" },
        { "binds=0", ERR_RANGE, "binds: '0' is not 1 to 1000" },
        { "window=1001", ERR_RANGE, "window: '1001' is not 1 to 1000" },
        { "submits=many", ERR_RANGE, "submits: 'many' is not" },
        { "widow=3", ERR_ABSENT, "there is no limit 'widow'; did you mean 'window'?" },
        { "binds", ERR_SYNTAX, "'binds' is not NAME=VALUE" },
        { "binds=", ERR_SYNTAX, "'binds=' is not NAME=VALUE" },
        { "binds=3,,window=2", ERR_SYNTAX, "'' is not NAME=VALUE" },
        { "enquire=off", ERR_RANGE, "enquire: 'off' is no time of 1s to 1h" },
        { "answer=10ms", ERR_RANGE, "answer: '10ms' is no time" },
        { "idle=8d", ERR_RANGE, "idle: '8d' is no time of 1s to 7d, nor off" },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct esme_limits l = { .binds = 77 };
        struct problem why = { 0 };
        assert_int_equal(esme_limits_read(&l, str_of(bad[i].text), &why), bad[i].err);
        if (!strstr(why.text, bad[i].said))
            fail_msg("%s: said '%s'", bad[i].text, why.text);
        assert_int_equal(l.binds, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_named_stays_as_it_is_untold),
        cmocka_unit_test(what_is_wrong_is_said_and_nothing_is_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
