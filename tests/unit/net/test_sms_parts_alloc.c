#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/loop.h"
#include "net/smpp_session.h"
#include "net/sms_parts.h"
#include "sim/smsc.h"
#include "unit/alloc.h"

static enum err join_two_parts(void)
{
    scoped(sms_joiner) struct sms_joiner *j = NULL;
    struct sms_whole whole = { 0 };
    struct sms_part part = { .from = "+1", .to = "+2", .concat = { 1, 2, 1 }, .octets = STR("hello "), .handle = 1 };
    enum err err = sms_joiner_new(&j, 1000, 10);
    if (!err)
        err = sms_joiner_put(j, (struct mono){ 0 }, &part, &whole);
    part.concat.part = 2;
    part.octets = STR("world");
    if (!err)
        err = sms_joiner_put(j, (struct mono){ 0 }, &part, &whole);
    if (!err)
        assert_true(whole.parts == 2 && whole.text.n == 11 && whole.n_handles == 2);
    return err;
}

/* What could not be joined for want of memory is joined when its last part comes again. */
static void a_part_refused_for_memory_may_come_again(void **state)
{
    (void)state;
    for (long n = 1; n < 12; n++) {
        scoped(sms_joiner) struct sms_joiner *j = NULL;
        struct sms_whole whole = { 0 };
        struct sms_part part = { .from = "+1", .to = "+2", .concat = { 1, 2, 1 }, .octets = STR("a"), .handle = 1 };
        assert_int_equal(sms_joiner_new(&j, 1000, 10), ERR_NONE);
        assert_int_equal(sms_joiner_put(j, (struct mono){ 0 }, &part, &whole), ERR_NONE);
        part.concat.part = 2;
        part.handle = 2;
        alloc_countdown = n;
        enum err err = sms_joiner_put(j, (struct mono){ 0 }, &part, &whole);
        alloc_countdown = 0;
        if (err)
            assert_int_equal(sms_joiner_put(j, (struct mono){ 0 }, &part, &whole), ERR_NONE);
        assert_int_equal(whole.parts, 2);
        assert_int_equal(whole.n_handles, 2);
    }
}

static struct loop *loop;

static enum err make_a_session(void)
{
    static const struct smpp_session_hooks hooks = { 0 };
    const struct smpp_session_conf conf = { .role = SMPP_ESME, .name = "n", .system_id = "s", .bind = SMPP_bind_receiver,
                                            .window = 10 };
    struct smpp_session *s = NULL;
    enum err err = smpp_session_connect(&s, loop, "no-such-host.invalid", 1, &conf, &hooks, NULL);
    smpp_session_free(s);
    return err;
}

static enum err make_an_smsc(void)
{
    const struct smsc_conf conf = { .host = "127.0.0.1" };
    scoped(smsc) struct smsc *s = NULL;
    enum err err = smsc_new(&s, loop, &conf, NULL, NULL, NULL);
    if (!err)
        err = smsc_inject(s, STR("+12065550101"), STR("+18005550100"), STR("hello"));
    return err;
}

static void nothing_is_lost_when_memory_is(void **state)
{
    (void)state;
    assert_int_equal(loop_new(&loop, "test", 16, NULL), ERR_NONE);
    assert_true(alloc_each_failing(join_two_parts) > 5);
    assert_true(alloc_each_failing(make_a_session) > 5);
    assert_true(alloc_each_failing(make_an_smsc) > 5);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_when_memory_is),
        cmocka_unit_test(a_part_refused_for_memory_may_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
