/* Any datagram: a packet that reads must, written and read again, be the same; the first payload octets are also read
 * as a telephone-event. */
#include "codec/rtp/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void event(const uint8_t *data, size_t n)
{
    struct rtp_event a, b;
    uint8_t out[RTP_EVENT_OCTETS];
    struct rd r = rd_of(data, n);
    if (rtp_event_read(&a, &r))
        return;
    struct wr w = wr_of(out, sizeof out);
    rtp_event_write(&a, &w);
    r = rd_of(out, sizeof out);
    assert(!wr_err(&w) && !rtp_event_read(&b, &r));
    assert(a.event == b.event && a.end == b.end && a.volume == b.volume && a.duration == b.duration);
    assert(!rtp_event_tone(a.event) || rtp_tone_event(rtp_event_tone(a.event)) == a.event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rtp_packet a, b;
    uint8_t out[2048];
    struct rd r = rd_of(data, n);
    if (rtp_read(&a, &r))
        return 0;
    event(a.payload, a.n);

    struct wr w = wr_of(out, sizeof out);
    rtp_write(&a, &w);
    if (wr_err(&w))
        return 0;                   /* longer than any datagram we send */
    r = rd_of(out, wr_len(&w));
    assert(!rtp_read(&b, &r));
    assert(a.marker == b.marker && a.type == b.type && a.sequence == b.sequence && a.timestamp == b.timestamp);
    assert(a.ssrc == b.ssrc && a.n == b.n && !memcmp(a.payload, b.payload, a.n));
    return 0;
}
