#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "domain/calls/call_codes.h"
#include "domain/calls/recognise.h"

/* What a recognise asked of its user. */
struct seen { int stops, overs; int64_t wait_us; enum recognise_outcome outcome; };

static void on_stop(void *arg)
{
    ((struct seen *)arg)->stops++;
}

static void on_wait(void *arg, int64_t us)
{
    ((struct seen *)arg)->wait_us = us;
}

static void on_over(void *arg, enum recognise_outcome outcome)
{
    ((struct seen *)arg)->overs++;
    ((struct seen *)arg)->outcome = outcome;
}

static const struct recognise_ops ops = { on_stop, on_wait, on_over };

static struct recognise begin(struct seen *seen, bool prompted, bool interruptible)
{
    struct recognise r;
    struct recognise_conf conf = { .prompted = prompted, .interruptible = interruptible, .silence_us = 5 * US_PER_S,
                                   .gap_us = 2 * US_PER_S, .tones_most = 3, .stop_tones = "#" };
    *seen = (struct seen){ 0 };
    recognise_init(&r, &conf, &ops, seen);
    return r;
}

static void expect_over(const struct seen *seen, const struct recognise *r, enum recognise_outcome outcome,
                        const char *tones)
{
    assert_int_equal(seen->overs, 1);
    assert_int_equal(seen->outcome, outcome);
    assert_string_equal(r->tones, tones);
}

static void without_a_prompt_it_waits_at_once(void **state)
{
    (void)state;
    struct seen seen;
    struct recognise r = begin(&seen, false, false);
    assert_int_equal(seen.wait_us, 5 * US_PER_S);
    recognise_tone(&r, '1');
    assert_int_equal(seen.wait_us, 2 * US_PER_S);
    recognise_tone(&r, '2');
    recognise_tone(&r, '3');
    expect_over(&seen, &r, RECOGNISED_MOST, "123");
}

static void a_prompt_that_may_not_be_interrupted_deafens(void **state)
{
    (void)state;
    struct seen seen;
    struct recognise r = begin(&seen, true, false);
    recognise_tone(&r, '1');
    assert_int_equal(seen.wait_us, 0);
    recognise_prompted(&r);
    assert_int_equal(seen.wait_us, 5 * US_PER_S);
    recognise_tone(&r, '2');
    recognise_time(&r);
    expect_over(&seen, &r, RECOGNISED_GAP, "2");
    assert_int_equal(seen.stops, 0);
}

static void a_tone_interrupts_the_prompt(void **state)
{
    (void)state;
    struct seen seen;
    struct recognise r = begin(&seen, true, true);
    recognise_tone(&r, '9');
    assert_int_equal(seen.stops, 1);
    assert_int_equal(seen.wait_us, 2 * US_PER_S);
    recognise_tone(&r, '#');
    expect_over(&seen, &r, RECOGNISED_STOP, "9");
}

static void a_stop_tone_during_the_prompt_ends_it_with_nothing(void **state)
{
    (void)state;
    struct seen seen;
    struct recognise r = begin(&seen, true, true);
    recognise_tone(&r, '#');
    assert_int_equal(seen.stops, 1);
    expect_over(&seen, &r, RECOGNISED_STOP, "");
}

static void silence_prompt_failure_and_cancelling_have_their_own_outcomes(void **state)
{
    (void)state;
    struct seen seen;
    struct recognise r = begin(&seen, false, false);
    recognise_time(&r);
    expect_over(&seen, &r, UNRECOGNISED_SILENCE, "");
    r = begin(&seen, true, false);
    recognise_unprompted(&r);
    expect_over(&seen, &r, UNRECOGNISED_PROMPT, "");
    r = begin(&seen, true, false);
    recognise_cancel(&r);
    assert_int_equal(seen.stops, 1);
    expect_over(&seen, &r, UNRECOGNISED_CANCELLED, "");
}

static void once_over_nothing_moves_it(void **state)
{
    (void)state;
    struct seen seen;
    struct recognise r = begin(&seen, false, false);
    recognise_cancel(&r);
    recognise_tone(&r, '1');
    recognise_tone(&r, '#');
    recognise_time(&r);
    recognise_prompted(&r);
    recognise_unprompted(&r);
    recognise_cancel(&r);
    expect_over(&seen, &r, UNRECOGNISED_CANCELLED, "");
}

/* -- codes --------------------------------------------------------------------------------------------------------- */
static void expect_end(int status, int code, int subcode)
{
    struct call_end end;
    call_end_set_sip(&end, status, 0, STR("words"));
    assert_int_equal(end.code, code);
    assert_int_equal(end.subcode, subcode);
    assert_int_equal(end.sip, status);
    assert_string_equal(end.sip_words, "words");
    assert_true(end.words[0]);
}

static void sip_statuses_become_the_published_codes(void **state)
{
    (void)state;
    expect_end(486, 486, 560486);
    expect_end(600, 486, 560486);
    expect_end(404, 404, 560404);
    expect_end(604, 404, 560404);
    expect_end(408, 408, 560408);
    expect_end(480, 480, 560480);
    expect_end(484, 484, 560484);
    expect_end(487, 487, 560487);
    expect_end(403, 403, 560403);
    expect_end(500, 500, 560500);
    expect_end(502, 500, 560500);
    expect_end(503, 503, 560503);
    expect_end(603, 603, 560603);
}

static void every_reason_has_words(void **state)
{
    (void)state;
    for (int i = 0; i < N_CALL_REASONS; i++) {
        struct call_end end;
        call_end_set(&end, (enum call_reason)i);
        assert_true(end.words[0]);
        assert_true(call_reason_q850((enum call_reason)i) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_prompt_it_waits_at_once),
        cmocka_unit_test(a_prompt_that_may_not_be_interrupted_deafens),
        cmocka_unit_test(a_tone_interrupts_the_prompt),
        cmocka_unit_test(a_stop_tone_during_the_prompt_ends_it_with_nothing),
        cmocka_unit_test(silence_prompt_failure_and_cancelling_have_their_own_outcomes),
        cmocka_unit_test(once_over_nothing_moves_it),
        cmocka_unit_test(sip_statuses_become_the_published_codes),
        cmocka_unit_test(every_reason_has_words),
    };
    return cmocka_run_group_tests_name("recognise and codes", tests, NULL, NULL);
}
