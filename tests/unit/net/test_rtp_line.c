/* Lines that are bad on purpose: what is lost, late, one-way or repeated. */
#include "unit/net/rtp_ends.h"

static void set_line(struct end *e, uint64_t leg, struct rtp_loop_line line)
{
    assert_int_equal(rtp_loop_set_line(e->rl, leg, &line), ERR_NONE);
}

static struct rtp_loop_counters close_leg(struct end *e, uint64_t leg)
{
    assert_int_equal(rtp_loop_close(e->rl, leg), ERR_NONE);
    return wait_for(e, CLOSED, leg, 0).counters;
}

static void play(struct end *e, uint64_t leg, const int16_t *samples, size_t n)
{
    struct audio *a_ = NULL;
    assert_int_equal(audio_of(&a_, samples, n), ERR_NONE);
    assert_int_equal(rtp_loop_play(e->rl, leg, 42, a_, false), ERR_NONE);
    audio_unref(a_);
    assert_int_equal(wait_for(e, PLAYED, leg, 0).err, ERR_NONE);
}

static void a_mute_leg_is_not_heard_and_hears(void **state)
{
    (void)state;
    join(1, RTP_PCMU, 101);
    set_line(&a, 1, (struct rtp_loop_line){ .mute = true });
    assert_int_equal(rtp_loop_send_tones(b.rl, 1, 1, STR("7")), ERR_NONE);
    assert_int_equal(wait_for(&a, TONE, 1, 0).tone, '7');
    assert_int_equal(rtp_loop_send_tones(a.rl, 1, 1, STR("1")), ERR_NONE);
    assert_int_equal(wait_for(&a, SENT, 1, 0).err, ERR_NONE);
    usleep(100000);
    assert_int_equal(count_told(&b, TONE, 1), 0);
    struct rtp_loop_counters c = close_leg(&b, 1);
    assert_true(c.received <= 2 && c.sent > 5);         /* what left before the line was set */
    set_line(&a, 1, (struct rtp_loop_line){ 0 });       /* and is well again */
    assert_true(close_leg(&a, 1).received > 5);
}

static void a_deaf_leg_hears_nothing_and_is_heard(void **state)
{
    (void)state;
    join(1, RTP_PCMU, 101);
    set_line(&a, 1, (struct rtp_loop_line){ .deaf = true });
    assert_int_equal(rtp_loop_send_tones(b.rl, 1, 1, STR("7")), ERR_NONE);
    assert_int_equal(wait_for(&b, SENT, 1, 0).err, ERR_NONE);
    assert_int_equal(rtp_loop_send_tones(a.rl, 1, 1, STR("1")), ERR_NONE);
    assert_int_equal(wait_for(&b, TONE, 1, 0).tone, '1');
    assert_int_equal(count_told(&a, TONE, 1), 0);
    assert_true(close_leg(&a, 1).received <= 2);
}

static void an_echo_repeats_what_it_hears(void **state)
{
    (void)state;
    static int16_t speech[SECOND];
    hear_make_speech(speech, SECOND, SECOND, 3);
    join(1, RTP_PCMU, 101);
    set_line(&b, 1, (struct rtp_loop_line){ .echo = true });
    assert_int_equal(rtp_loop_record(a.rl, 1), ERR_NONE);
    play(&a, 1, speech, SECOND);
    usleep(500000);
    assert_int_equal(rtp_loop_close(a.rl, 1), ERR_NONE);
    struct told t = wait_for(&a, RECORDED, 1, 0);
    double r = hear_correlate(speech, SECOND, t.samples, t.n, NULL);
    print_message("correlation of the echo %.4f\n", r);
    assert_true(r >= 0.9);
}

static void a_bad_line_loses_its_share_and_the_order_of_the_rest(void **state)
{
    (void)state;
    static int16_t silence[3 * SECOND];
    join(1, RTP_PCMU, 101);
    set_line(&a, 1, (struct rtp_loop_line){ .loss_permille = 300, .jitter_ms = 60, .seed = 11 });
    play(&a, 1, silence, ARRAY_LEN(silence));
    struct rtp_loop_counters c = close_leg(&b, 1);
    print_message("received %llu, lost %llu of some 150\n", (unsigned long long)c.received, (unsigned long long)c.lost);
    assert_in_range(c.lost, 20, 80);
    assert_in_range(c.received, 70, 140);
}

static void what_is_delayed_arrives_later_and_whole(void **state)
{
    (void)state;
    static int16_t speech[SECOND];
    hear_make_speech(speech, SECOND, SECOND, 5);
    join(1, RTP_PCMU, 101);
    set_line(&a, 1, (struct rtp_loop_line){ .delay_ms = 400 });
    assert_int_equal(rtp_loop_record(b.rl, 1), ERR_NONE);
    struct mono began = clock_mono();
    assert_int_equal(rtp_loop_send_tones(a.rl, 1, 9, STR("5")), ERR_NONE);
    wait_for(&b, TONE, 1, 0);
    assert_in_range(clock_mono().us - began.us, 400000, 5000000);
    play(&a, 1, speech, SECOND);
    usleep(600000);
    assert_int_equal(rtp_loop_close(b.rl, 1), ERR_NONE);
    struct told t = wait_for(&b, RECORDED, 1, 0);
    assert_true(hear_correlate(speech, SECOND, t.samples, t.n, NULL) >= 0.9);
}

static void a_line_beyond_measure_is_refused(void **state)
{
    (void)state;
    assert_int_equal(rtp_loop_set_line(a.rl, 1, &(struct rtp_loop_line){ .loss_permille = 1001 }), ERR_RANGE);
    assert_int_equal(rtp_loop_set_line(a.rl, 1, &(struct rtp_loop_line){ .delay_ms = 1001 }), ERR_RANGE);
    assert_int_equal(rtp_loop_set_line(a.rl, 1, &(struct rtp_loop_line){ .jitter_ms = 1001 }), ERR_RANGE);
    assert_int_equal(rtp_loop_set_line(a.rl, 1, &(struct rtp_loop_line){ .mute = true }), ERR_NONE);   /* no such leg: forgotten */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, two_ends, no_ends)
    const struct CMUnitTest tests[] = {
        TEST(a_mute_leg_is_not_heard_and_hears),
        TEST(a_deaf_leg_hears_nothing_and_is_heard),
        TEST(an_echo_repeats_what_it_hears),
        TEST(a_bad_line_loses_its_share_and_the_order_of_the_rest),
        TEST(what_is_delayed_arrives_later_and_whole),
        TEST(a_line_beyond_measure_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
