#include "codec/rtp/rtp.h"

enum { TONES = 16 };
static const char tone_of[] = "0123456789*#ABCD";

enum { VERSION = 2 << 6, PADDING = 1 << 5, EXTENSION = 1 << 4, CSRC_COUNT = 15, MARKER = 1 << 7 };

static void skip_sources_and_extension(struct rd *r, uint8_t first)
{
    (void)rd_take(r, 4 * (size_t)(first & CSRC_COUNT));
    if (first & EXTENSION) {
        (void)rd_u16(r);                /* defined by a profile (RFC 3550, 5.3.1) */
        uint16_t words = rd_u16(r);
        (void)rd_take(r, 4 * (size_t)words);
    }
}

enum err rtp_read(struct rtp_packet *p, struct rd *r)
{
    uint8_t first = rd_u8(r), second = rd_u8(r);
    *p = (struct rtp_packet){ .marker = second & MARKER, .type = second & 0x7f };
    p->sequence  = rd_u16(r);
    p->timestamp = rd_u32(r);
    p->ssrc      = rd_u32(r);
    skip_sources_and_extension(r, first);
    if (r->bad || (first & 0xc0) != VERSION)
        return ERR_SYNTAX;

    p->n = rd_left(r);
    p->payload = rd_take(r, p->n);
    if (first & PADDING) {              /* its last octet counts the padding, itself included */
        size_t padding = p->n ? p->payload[p->n - 1] : 0;
        if (!padding || padding > p->n)
            return ERR_SYNTAX;
        p->n -= padding;
    }
    return ERR_NONE;
}

void rtp_write(const struct rtp_packet *p, struct wr *w)
{
    wr_u8(w, VERSION);
    wr_u8(w, (uint8_t)((p->marker ? MARKER : 0) | (p->type & 0x7f)));
    wr_u16(w, p->sequence);
    wr_u32(w, p->timestamp);
    wr_u32(w, p->ssrc);
    wr_put(w, p->payload, p->n);
}

enum err rtp_event_read(struct rtp_event *e, struct rd *r)
{
    *e = (struct rtp_event){ .event = rd_u8(r) };
    uint8_t flags = rd_u8(r);           /* E, R (ignored by receivers), volume */
    e->end      = flags & 0x80;
    e->volume   = flags & 0x3f;
    e->duration = rd_u16(r);
    return rd_err(r);
}

void rtp_event_write(const struct rtp_event *e, struct wr *w)
{
    wr_u8(w, e->event);
    wr_u8(w, (uint8_t)((e->end ? 0x80 : 0) | (e->volume & 0x3f)));
    wr_u16(w, e->duration);
}

char rtp_event_tone(uint8_t event)
{
    return event < TONES ? tone_of[event] : 0;
}

int rtp_tone_event(char tone)
{
    if (tone >= 'a' && tone <= 'd')
        tone = (char)(tone - 'a' + 'A');
    const char *at = memchr(tone_of, tone, TONES);
    return at ? (int)(at - tone_of) : -1;
}
