/* tlvs.c - optional parameters that SMPP_TLVS does not list: vendors' own, and what we have no use for (SMPP 3.4, 3.2.4). */
#include "base/str.h"
#include "codec/smpp/smpp.h"

#include <stdio.h>

static bool is_listed(uint16_t tag)
{
    switch (tag) {
#define TLV_CASE(id, name, octets) case id: return true;
    SMPP_TLVS(TLV_CASE, TLV_CASE, TLV_CASE)
#undef TLV_CASE
    default: return false;
    }
}

bool smpp_further_next(struct rd *r, uint16_t *tag, struct str *value)
{
    while (!r->bad && rd_left(r) >= 4) {
        *tag = rd_u16(r);
        uint16_t n = rd_u16(r);
        const uint8_t *p = rd_take(r, n);
        if (!p || is_listed(*tag))
            continue;
        *value = (struct str){ (const char *)p, n };
        return true;
    }
    return false;
}

static bool is_plain(struct str v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] > '~')
            return false;
    return v.n > 0 && !str_starts(v, STR("hex:"));
}

/* A C-octet string is shown without its NUL. */
static void put_value(struct buf *b, struct str v)
{
    struct str text = v.n && v.p[v.n - 1] == '\0' ? (struct str){ v.p, v.n - 1 } : v;
    if (is_plain(text)) {
        buf_puts(b, text);
        return;
    }
    buf_puts(b, STR("hex:"));
    for (size_t i = 0; i < v.n; i++)
        buf_printf(b, "%02x", (unsigned char)v.p[i]);
}

void smpp_further_words(struct buf *out, const struct smpp_pdu *pdu)
{
    struct rd r = rd_of(pdu->further.p, pdu->further.n);
    uint16_t tag;
    struct str value;
    for (unsigned n = 0; n < SMPP_FURTHER_SHOWN && smpp_further_next(&r, &tag, &value); n++) {
        bool cut = value.n > SMPP_FURTHER_OCTETS;
        buf_printf(out, "%s0x%04x=", n ? " " : "", tag);
        put_value(out, (struct str){ value.p, cut ? SMPP_FURTHER_OCTETS : value.n });
        if (cut)
            buf_puts(out, STR("..."));
    }
}
