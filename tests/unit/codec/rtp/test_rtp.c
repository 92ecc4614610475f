#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "codec/rtp/rtp.h"

/* RFC 3550, 5.1, laid out by hand: marker, type 0, sequence 0x1234, timestamp 0x01020304, ssrc 0xdeadbeef. */
static const uint8_t PLAIN[] = { 0x80, 0x80, 0x12, 0x34, 1, 2, 3, 4, 0xde, 0xad, 0xbe, 0xef, 'a', 'b', 'c' };

static enum err read_bytes(struct rtp_packet *p, const void *bytes, size_t n)
{
    struct rd r = rd_of(bytes, n);
    return rtp_read(p, &r);
}

static void a_packet_laid_out_by_hand_reads_as_written_in_the_rfc(void **state)
{
    (void)state;
    struct rtp_packet p;
    assert_int_equal(read_bytes(&p, PLAIN, sizeof PLAIN), ERR_NONE);
    assert_true(p.marker);
    assert_int_equal(p.type, RTP_PCMU);
    assert_int_equal(p.sequence, 0x1234);
    assert_int_equal(p.timestamp, 0x01020304);
    assert_int_equal(p.ssrc, 0xdeadbeef);
    assert_int_equal(p.n, 3);
    assert_memory_equal(p.payload, "abc", 3);
}

static void a_written_packet_is_those_very_bytes(void **state)
{
    (void)state;
    struct rtp_packet p = { .marker = true, .type = 0, .sequence = 0x1234, .timestamp = 0x01020304,
                            .ssrc = 0xdeadbeef, .payload = (const uint8_t *)"abc", .n = 3 };
    uint8_t out[32];
    struct wr w = wr_of(out, sizeof out);
    rtp_write(&p, &w);
    assert_int_equal(wr_err(&w), ERR_NONE);
    assert_int_equal(wr_len(&w), sizeof PLAIN);
    assert_memory_equal(out, PLAIN, sizeof PLAIN);

    w = wr_of(out, RTP_HEADER_OCTETS);
    rtp_write(&p, &w);
    assert_int_equal(wr_err(&w), ERR_SIZE);
}

static void sources_extension_and_padding_are_skipped(void **state)
{
    (void)state;
    static const uint8_t full[] = {
        0xb1, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3,      /* padding, extension, one source */
        9, 9, 9, 9,                                 /* the source */
        0xbe, 0xde, 0, 1, 7, 7, 7, 7,               /* an extension of one word */
        'x', 'y', 0, 0, 3,                          /* payload, three octets of padding */
    };
    struct rtp_packet p;
    assert_int_equal(read_bytes(&p, full, sizeof full), ERR_NONE);
    assert_int_equal(p.type, RTP_PCMA);
    assert_false(p.marker);
    assert_int_equal(p.n, 2);
    assert_memory_equal(p.payload, "xy", 2);
}

static void every_truncation_of_the_header_is_malformed(void **state)
{
    (void)state;
    struct rtp_packet p;
    for (size_t n = 0; n < RTP_HEADER_OCTETS; n++)
        assert_int_equal(read_bytes(&p, PLAIN, n), ERR_SYNTAX);
    assert_int_equal(read_bytes(&p, PLAIN, RTP_HEADER_OCTETS), ERR_NONE);
    assert_int_equal(p.n, 0);
}

static void wrong_versions_and_impossible_padding_are_malformed(void **state)
{
    (void)state;
    uint8_t b[sizeof PLAIN];
    struct rtp_packet p;
    memcpy(b, PLAIN, sizeof b);
    b[0] = 0x40;
    assert_int_equal(read_bytes(&p, b, sizeof b), ERR_SYNTAX);
    b[0] = 0xa0;                                    /* padding */
    b[sizeof b - 1] = 0;
    assert_int_equal(read_bytes(&p, b, sizeof b), ERR_SYNTAX);
    b[sizeof b - 1] = 4;                            /* more than the three octets there are */
    assert_int_equal(read_bytes(&p, b, sizeof b), ERR_SYNTAX);
    b[sizeof b - 1] = 3;
    assert_int_equal(read_bytes(&p, b, sizeof b), ERR_NONE);
    assert_int_equal(p.n, 0);
    assert_int_equal(read_bytes(&p, b, RTP_HEADER_OCTETS), ERR_SYNTAX);     /* padding, but no payload */
    b[0] = 0x8f;                                    /* fifteen sources are not there */
    assert_int_equal(read_bytes(&p, b, sizeof b), ERR_SYNTAX);
    b[0] = 0x90;                                    /* nor is an extension */
    assert_int_equal(read_bytes(&p, b, sizeof b), ERR_SYNTAX);
}

static void a_telephone_event_reads_and_writes_as_in_rfc_4733(void **state)
{
    (void)state;
    static const uint8_t bytes[] = { 11, 0x8a, 0x03, 0x20 };    /* '#', end, -10 dBm0, 800 */
    struct rtp_event e;
    struct rd r = rd_of(bytes, sizeof bytes);
    assert_int_equal(rtp_event_read(&e, &r), ERR_NONE);
    assert_int_equal(e.event, 11);
    assert_true(e.end);
    assert_int_equal(e.volume, 10);
    assert_int_equal(e.duration, 800);

    uint8_t out[RTP_EVENT_OCTETS];
    struct wr w = wr_of(out, sizeof out);
    rtp_event_write(&e, &w);
    assert_memory_equal(out, bytes, sizeof bytes);

    r = rd_of(bytes, 3);
    assert_int_equal(rtp_event_read(&e, &r), ERR_SYNTAX);
}

static void every_tone_has_its_event_and_nothing_else_has(void **state)
{
    (void)state;
    for (int event = 0; event < 256; event++) {
        char tone = rtp_event_tone((uint8_t)event);
        assert_int_equal(tone != 0, event < 16);
        if (tone)
            assert_int_equal(rtp_tone_event(tone), event);
    }
    assert_int_equal(rtp_tone_event('#'), 11);
    assert_int_equal(rtp_tone_event('d'), 15);
    assert_int_equal(rtp_tone_event('E'), -1);
    assert_int_equal(rtp_tone_event('\0'), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_laid_out_by_hand_reads_as_written_in_the_rfc),
        cmocka_unit_test(a_written_packet_is_those_very_bytes),
        cmocka_unit_test(sources_extension_and_padding_are_skipped),
        cmocka_unit_test(every_truncation_of_the_header_is_malformed),
        cmocka_unit_test(wrong_versions_and_impossible_padding_are_malformed),
        cmocka_unit_test(a_telephone_event_reads_and_writes_as_in_rfc_4733),
        cmocka_unit_test(every_tone_has_its_event_and_nothing_else_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
