#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"
#include "codec/sdp/sdp.h"

#include <stdio.h>

#define HEAD "v=0\r\no=- 7 3 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

static const struct sdp_origin ORIGIN = { 42, 1 };

static enum err audio_in(const char *text, struct sdp_audio *audio)
{
    struct sdp sdp;
    enum err err = sdp_read(&sdp, str_of(text));
    return err ? err : sdp_audio_of(&sdp, audio);
}

static struct sdp_audio local_end(void)
{
    return (struct sdp_audio){ .host = "192.0.2.9", .port = 4000, .payload = SDP_PCMU };
}

/* Our answer to this offer, as text in `out`. */
static enum err answer_to(const char *offer, const struct sdp_audio *local, struct buf *out)
{
    struct sdp sdp;
    assert_int_equal(sdp_read(&sdp, str_of(offer)), ERR_NONE);
    enum err err = sdp_answer_write(out, &sdp, &ORIGIN, local);
    buf_putc(out, 0);
    return err;
}

static void an_offer_is_written_to_the_letter(void **state)
{
    (void)state;
    scoped_buf out = { 0 };
    struct sdp_audio local = local_end();
    assert_int_equal(sdp_offer_write(&out, &ORIGIN, &local), ERR_NONE);
    buf_putc(&out, 0);
    assert_string_equal(out.p, "v=0\r\no=- 42 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
                               "m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
                               "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n");
}

static void an_offer_prefers_the_codec_we_prefer(void **state)
{
    (void)state;
    scoped_buf out = { 0 };
    struct sdp_audio local = local_end(), back;
    local.payload = SDP_PCMA;
    local.dtmf_payload = 96;
    assert_int_equal(sdp_offer_write(&out, &ORIGIN, &local), ERR_NONE);
    buf_putc(&out, 0);
    assert_int_equal(audio_in(out.p, &back), ERR_NONE);
    assert_int_equal(back.payload, SDP_PCMA);
    assert_int_equal(back.dtmf_payload, 96);
    assert_string_equal(back.host, "192.0.2.9");
}

static void the_first_g711_of_the_peer_wins(void **state)
{
    (void)state;
    struct sdp_audio audio;
    assert_int_equal(audio_in(HEAD "m=audio 5004 RTP/AVP 18 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:30\r\n",
                              &audio), ERR_NONE);
    assert_int_equal(audio.payload, SDP_PCMA);
    assert_int_equal(audio.dtmf_payload, 101);
    assert_int_equal(audio.port, 5004);
    assert_int_equal(audio.ptime_ms, 30);
    assert_string_equal(audio.host, "192.0.2.1");
    assert_int_equal(audio.direction, SDP_SENDRECV);
}

static void telephone_events_at_another_rate_are_not_ours(void **state)
{
    (void)state;
    struct sdp_audio audio;
    assert_int_equal(audio_in(HEAD "m=audio 5004 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/48000\r\n", &audio), ERR_NONE);
    assert_int_equal(audio.dtmf_payload, 0);
}

static void a_stream_without_g711_is_of_no_use(void **state)
{
    (void)state;
    struct sdp_audio audio;
    assert_int_equal(audio_in(HEAD "m=audio 5004 RTP/AVP 18\r\n", &audio), ERR_ABSENT);
    assert_int_equal(audio_in(HEAD "m=audio 0 RTP/AVP 0\r\n", &audio), ERR_ABSENT);
    assert_int_equal(audio_in(HEAD "m=video 5004 RTP/AVP 0\r\n", &audio), ERR_ABSENT);
    assert_int_equal(audio_in(HEAD "m=audio 5004 RTP/SAVP 0\r\n", &audio), ERR_ABSENT);
    assert_int_equal(audio_in(HEAD "m=audio 5004 RTP/AVP 0\r\na=rtpmap:0 G729/8000\r\n", &audio), ERR_ABSENT);
    assert_int_equal(audio_in(HEAD "m=audio 5004 RTP/AVP 0\r\nc=IN IP4 media.example.org\r\n", &audio), ERR_ABSENT);
    assert_int_equal(audio_in(HEAD, &audio), ERR_ABSENT);
}

static void a_stream_may_name_its_own_address(void **state)
{
    (void)state;
    struct sdp_audio audio;
    assert_int_equal(audio_in(HEAD "m=audio 5004/2 RTP/AVP 0\r\nc=IN IP6 2001:db8::7\r\n", &audio), ERR_NONE);
    assert_string_equal(audio.host, "2001:db8::7");
    assert_int_equal(audio.port, 5004);
}

static void hold_is_understood_in_both_dialects(void **state)
{
    (void)state;
    struct sdp_audio audio;
    assert_int_equal(audio_in(HEAD "m=audio 5004 RTP/AVP 0\r\na=sendonly\r\n", &audio), ERR_NONE);
    assert_int_equal(audio.direction, SDP_SENDONLY);
    assert_int_equal(audio_in(HEAD "m=audio 5004 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n", &audio), ERR_NONE);
    assert_int_equal(audio.direction, SDP_SENDONLY);
    assert_int_equal(audio_in(HEAD "a=inactive\r\nm=audio 5004 RTP/AVP 0\r\n", &audio), ERR_NONE);
    assert_int_equal(audio.direction, SDP_INACTIVE);
}

static void lines_may_end_without_a_carriage_return(void **state)
{
    (void)state;
    struct sdp_audio audio;
    assert_int_equal(audio_in("v=0\no=x 18446744073709551616 a IN IP4 h\ns= \nc=IN IP4 192.0.2.1\nt=0 0\n"
                              "m=audio 5004 RTP/AVP 0\n\n", &audio), ERR_NONE);
}

static void malformed_descriptions_are_syntax_errors(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "\r\n", "hello", "v=1\r\n", "o=- 1 1 IN IP4 h\r\nv=0\r\n", "v=0\r\n", "v=0\r\no=-\r\n",
        HEAD "m=audio\r\n", HEAD "m=audio 70000 RTP/AVP 0\r\n", HEAD "m=audio -1 RTP/AVP 0\r\n", HEAD "m=audio 5004 RTP/AVP\r\n",
        HEAD "c=IN\r\n", HEAD "c=ATM X Y\r\n", HEAD "x\r\n", HEAD "s=\x01\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct sdp sdp;
        assert_int_equal(sdp_read(&sdp, str_of(bad[i])), ERR_SYNTAX);
    }
}

static void too_many_streams_are_refused(void **state)
{
    (void)state;
    scoped_buf text = { 0 };
    buf_putz(&text, HEAD);
    for (int i = 0; i <= SDP_STREAMS_MAX; i++)
        buf_putz(&text, "m=audio 5004 RTP/AVP 0\r\n");
    struct sdp sdp;
    assert_int_equal(sdp_read(&sdp, buf_str(&text)), ERR_SIZE);
}

static void an_answer_takes_one_stream_and_refuses_the_rest(void **state)
{
    (void)state;
    scoped_buf out = { 0 };
    struct sdp_audio local = local_end();
    assert_int_equal(answer_to(HEAD "m=video 6000 RTP/AVP 96 97\r\nm=audio 5004 RTP/AVP 3 8 0 97\r\n"
                                    "a=rtpmap:97 Telephone-Event/8000\r\nm=audio 5006 RTP/AVP 0\r\n", &local, &out), ERR_NONE);
    assert_string_equal(out.p, "v=0\r\no=- 42 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
                               "m=video 0 RTP/AVP 96 97\r\nm=audio 4000 RTP/AVP 8 97\r\na=rtpmap:8 PCMA/8000\r\n"
                               "a=rtpmap:97 telephone-event/8000\r\na=fmtp:97 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
                               "m=audio 0 RTP/AVP 0\r\n");
}

static void an_answer_turns_the_direction_round(void **state)
{
    (void)state;
    static const struct { const char *theirs; enum sdp_direction mine; const char *answer; } cases[] = {
        { "sendrecv", SDP_SENDRECV, "a=sendrecv\r\n" }, { "sendonly", SDP_SENDRECV, "a=recvonly\r\n" },
        { "recvonly", SDP_SENDRECV, "a=sendonly\r\n" }, { "inactive", SDP_SENDRECV, "a=inactive\r\n" },
        { "sendrecv", SDP_SENDONLY, "a=sendonly\r\n" }, { "sendonly", SDP_SENDONLY, "a=inactive\r\n" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        scoped_buf out = { 0 };
        char offer[512];
        struct sdp_audio local = local_end();
        local.direction = cases[i].mine;
        snprintf(offer, sizeof offer, HEAD "m=audio 5004 RTP/AVP 0\r\na=%s\r\n", cases[i].theirs);
        assert_int_equal(answer_to(offer, &local, &out), ERR_NONE);
        assert_non_null(strstr(out.p, cases[i].answer));
    }
}

static void an_answer_needs_something_usable_on_both_sides(void **state)
{
    (void)state;
    scoped_buf out = { 0 };
    struct sdp_audio local = local_end();
    assert_int_equal(answer_to(HEAD "m=audio 5004 RTP/AVP 18\r\n", &local, &out), ERR_ABSENT);
    local.port = 0;
    assert_int_equal(answer_to(HEAD "m=audio 5004 RTP/AVP 0\r\n", &local, &out), ERR_RANGE);
    assert_int_equal(sdp_offer_write(&out, &ORIGIN, &local), ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_is_written_to_the_letter),
        cmocka_unit_test(an_offer_prefers_the_codec_we_prefer),
        cmocka_unit_test(the_first_g711_of_the_peer_wins),
        cmocka_unit_test(telephone_events_at_another_rate_are_not_ours),
        cmocka_unit_test(a_stream_without_g711_is_of_no_use),
        cmocka_unit_test(a_stream_may_name_its_own_address),
        cmocka_unit_test(hold_is_understood_in_both_dialects),
        cmocka_unit_test(lines_may_end_without_a_carriage_return),
        cmocka_unit_test(malformed_descriptions_are_syntax_errors),
        cmocka_unit_test(too_many_streams_are_refused),
        cmocka_unit_test(an_answer_takes_one_stream_and_refuses_the_rest),
        cmocka_unit_test(an_answer_turns_the_direction_round),
        cmocka_unit_test(an_answer_needs_something_usable_on_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
