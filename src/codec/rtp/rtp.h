/* rtp.h - RTP packets (RFC 3550, 5.1) and telephone-event payloads (RFC 4733, 2.3), bytes <-> structs.
 *
 * Pure functions: any thread, no allocation. What a reader gives borrows from the bytes it read. */
#pragma once
#include "base/base.h"
#include "base/rdwr.h"

enum {
    RTP_PCMU = 0, RTP_PCMA = 8,     /* static payload types (RFC 3551, 6) */
    RTP_HEADER_OCTETS = 12,
    RTP_EVENT_OCTETS  = 4,
};

struct rtp_packet {
    bool           marker;
    uint8_t        type;            /* payload type, 0..127 */
    uint16_t       sequence;
    uint32_t       timestamp, ssrc;
    const uint8_t *payload;         /* borrowed; without padding */
    size_t         n;
};

/** One datagram. Contributing sources, an extension and padding are checked and skipped.
 *  @return ERR_SYNTAX: not version 2, truncated, or padding longer than the payload; *p is then undefined */
MUST_USE enum err rtp_read(struct rtp_packet *p, struct rd *r);
/** Header and payload; no padding, extension or contributing sources. Look at wr_err(). */
void rtp_write(const struct rtp_packet *p, struct wr *w);

struct rtp_event {
    uint8_t  event;                 /* 0..9 digits, 10 '*', 11 '#', 12..15 A..D; others exist */
    bool     end;
    uint8_t  volume;                /* -dBm0, 0..63 */
    uint16_t duration;              /* timestamp units since the press began */
};
/** One telephone-event payload; further octets are ignored (RFC 4733 lets a payload carry several events).
 *  @return ERR_SYNTAX: shorter than RTP_EVENT_OCTETS */
MUST_USE enum err rtp_event_read(struct rtp_event *e, struct rd *r);
void rtp_event_write(const struct rtp_event *e, struct wr *w);

/** '0'..'9' '*' '#' 'A'..'D', or 0 for an event that is no DTMF tone. */
char rtp_event_tone(uint8_t event);
/** The event of a tone, lower case letters too; -1 when it is none. */
int rtp_tone_event(char tone);
