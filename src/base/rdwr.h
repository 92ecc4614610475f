/* rdwr.h - cursors over bytes, big endian, for codecs.
 *
 * A read past the end marks the cursor bad and yields zeros from then on; a codec looks once, at its end (rd_err).
 * Writers likewise: past the end nothing is written and the cursor is bad. Any thread; no allocation. */
#pragma once
#include "base/base.h"

struct rd {
    const uint8_t *p, *end;
    bool           bad;
};

static inline struct rd rd_of(const void *p, size_t n)
{
    return (struct rd){ p, n ? (const uint8_t *)p + n : p, false };
}
static inline size_t   rd_left(const struct rd *r) { return (size_t)(r->end - r->p); }
static inline enum err rd_err(const struct rd *r)  { return r->bad ? ERR_SYNTAX : ERR_NONE; }

/** The next n octets, borrowed; NULL (and bad) when there are fewer. */
static inline const uint8_t *rd_take(struct rd *r, size_t n)
{
    if (r->bad || rd_left(r) < n) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p += n;
    return p;
}
static inline uint8_t rd_u8(struct rd *r)
{
    const uint8_t *p = rd_take(r, 1);
    return p ? p[0] : 0;
}
static inline uint16_t rd_u16(struct rd *r)
{
    const uint8_t *p = rd_take(r, 2);
    return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}
static inline uint32_t rd_u32(struct rd *r)
{
    const uint8_t *p = rd_take(r, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

struct wr {
    uint8_t *start, *p, *end;
    bool     bad;
};

static inline struct wr wr_of(void *p, size_t n)
{
    return (struct wr){ p, p, n ? (uint8_t *)p + n : p, false };
}
static inline size_t   wr_len(const struct wr *w) { return (size_t)(w->p - w->start); }
static inline enum err wr_err(const struct wr *w) { return w->bad ? ERR_SIZE : ERR_NONE; }

static inline void wr_put(struct wr *w, const void *src, size_t n)
{
    if (w->bad || (size_t)(w->end - w->p) < n) {
        w->bad = true;
        return;
    }
    if (n)
        memcpy(w->p, src, n);
    w->p += n;
}
static inline void wr_u8(struct wr *w, uint8_t v)   { wr_put(w, &v, 1); }
static inline void wr_u16(struct wr *w, uint16_t v)
{
    uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };
    wr_put(w, b, 2);
}
static inline void wr_u32(struct wr *w, uint32_t v)
{
    uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };
    wr_put(w, b, 4);
}
