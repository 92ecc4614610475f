#include "codec/gsm7/gsm7.h"

#include "base/str.h"

enum { ESC = 0x1b, EXTENDED = 0x100, NOT_THERE = -1, REPLACEMENT = 0xfffd };

/* TS 23.038, 6.2.1: the default alphabet, septet -> code point. */
static const uint16_t plain[128] = {
    '@', 0xa3, '$', 0xa5, 0xe8, 0xe9, 0xf9, 0xec, 0xf2, 0xc7, '\n', 0xd8, 0xf8, '\r', 0xc5, 0xe5,
    0x394, '_', 0x3a6, 0x393, 0x39b, 0x3a9, 0x3a0, 0x3a8, 0x3a3, 0x398, 0x39e, ' ', 0xc6, 0xe6, 0xdf, 0xc9,
    ' ', '!', '"', '#', 0xa4, '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
    0xa1, 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 0xc4, 0xd6, 0xd1, 0xdc, 0xa7,
    0xbf, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0xe4, 0xf6, 0xf1, 0xfc, 0xe0,
};

/* 6.2.1.1: the extension table, behind an escape. */
static const struct { uint8_t septet; uint16_t cp; } extension[] = {
    { 0x0a, '\f' }, { 0x14, '^' }, { 0x28, '{' }, { 0x29, '}' }, { 0x2f, '\\' },
    { 0x3c, '[' }, { 0x3d, '~' }, { 0x3e, ']' }, { 0x40, '|' }, { 0x65, 0x20ac },
};

/* A code point's septet, with EXTENDED set when an escape goes before it, or NOT_THERE. */
static int septet_of(uint32_t cp)
{
    if (cp < 128 && plain[cp] == cp && cp != ESC)   /* most of ASCII stands at its own place */
        return (int)cp;
    for (int i = 0; i < 128; i++)
        if (plain[i] == cp && i != ESC)
            return i;
    for (size_t i = 0; i < ARRAY_LEN(extension); i++)
        if (extension[i].cp == cp)
            return EXTENDED | extension[i].septet;
    return NOT_THERE;
}

static uint32_t extended_cp(uint8_t septet)
{
    for (size_t i = 0; i < ARRAY_LEN(extension); i++)
        if (extension[i].septet == septet)
            return extension[i].cp;
    return plain[septet & 0x7f];        /* unknown: what a phone without the table would show; ESC ESC is a space */
}

bool gsm7_fits(struct str utf8)
{
    size_t at = 0;
    for (uint32_t cp; (cp = utf8_next(utf8, &at)) != UINT32_MAX;)
        if (septet_of(cp) == NOT_THERE)
            return false;
    return at == utf8.n;
}

/* In units of its alphabet (septets or UTF-16 units): 1 or 2. */
static unsigned units_of(enum sms_alphabet alphabet, uint32_t cp)
{
    return (alphabet == SMS_GSM7 ? septet_of(cp) >= EXTENDED : cp > 0xffff) ? 2 : 1;
}

static enum err put_gsm7(struct wr *w, uint32_t cp)
{
    int septet = septet_of(cp);
    if (septet == NOT_THERE)
        return ERR_UNPROCESSABLE;
    if (septet & EXTENDED)
        wr_u8(w, ESC);
    wr_u8(w, (uint8_t)septet);
    return ERR_NONE;
}

static enum err put_ucs2(struct wr *w, uint32_t cp)
{
    if (cp > 0xffff) {
        wr_u16(w, (uint16_t)(0xd800 + ((cp - 0x10000) >> 10)));
        cp = 0xdc00 + (cp & 0x3ff);
    }
    wr_u16(w, (uint16_t)cp);
    return ERR_NONE;
}

enum err sms_text_write(struct wr *w, enum sms_alphabet alphabet, struct str utf8)
{
    size_t at = 0;
    for (uint32_t cp; (cp = utf8_next(utf8, &at)) != UINT32_MAX;) {
        enum err err = alphabet == SMS_UCS2 ? put_ucs2(w, cp) : put_gsm7(w, cp);
        if (err)
            return err;
    }
    return at == utf8.n ? wr_err(w) : ERR_SYNTAX;
}

static void put_cp(struct buf *out, uint32_t cp)
{
    char utf8[4];
    buf_put(out, utf8, utf8_put(utf8, cp ? cp : REPLACEMENT));
}

static void read_gsm7(struct buf *out, struct rd *r)
{
    while (rd_left(r)) {
        uint8_t septet = rd_u8(r) & 0x7f;       /* a set top bit is noise: some gateways leave it in */
        if (septet == ESC && rd_left(r))
            put_cp(out, extended_cp(rd_u8(r) & 0x7f));
        else
            put_cp(out, plain[septet]);
    }
}

static void read_ucs2(struct buf *out, struct rd *r)
{
    while (rd_left(r) >= 2) {
        uint32_t unit = rd_u16(r);
        bool high = unit >= 0xd800 && unit < 0xdc00, low = unit >= 0xdc00 && unit < 0xe000;
        if (high && rd_left(r) >= 2 && (r->p[0] & 0xfc) == 0xdc)
            put_cp(out, 0x10000 + ((unit & 0x3ff) << 10) + (rd_u16(r) & 0x3ff));
        else
            put_cp(out, high || low ? REPLACEMENT : unit);
    }
}

/* npm's smpp and others label septets as data_coding 1: then @, $, _ or an escape show as control characters. */
static bool holds_septets(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < ' ' && p[i] != '\n' && p[i] != '\r' && p[i] != '\t')
            return true;
    return false;
}

void sms_text_read(struct buf *out, enum sms_alphabet alphabet, const void *octets, size_t n)
{
    struct rd r = rd_of(octets, n);
    switch (alphabet) {
    case SMS_GSM7:
        read_gsm7(out, &r);
        return;
    case SMS_UCS2:
        read_ucs2(out, &r);
        return;
    case SMS_IA5:
        if (holds_septets(octets, n)) {
            read_gsm7(out, &r);
            return;
        }
        __attribute__((fallthrough));
    case SMS_LATIN1:
    case SMS_OCTETS:
        while (rd_left(&r))
            put_cp(out, rd_u8(&r));
        return;
    }
}

enum sms_alphabet sms_alphabet_of(uint8_t dc)
{
    switch (dc) {
    case 1:
        return SMS_IA5;
    case 3:
        return SMS_LATIN1;
    case 2:  case 4:
        return SMS_OCTETS;
    case DATA_CODING_UCS2:
        return SMS_UCS2;
    }
    if (dc >= 0xf0)                             /* TS 23.038, 4: message class, bit 2 tells 8-bit data */
        return dc & 4 ? SMS_OCTETS : SMS_GSM7;
    if (dc >= 0x10 && dc < 0x40)                /* general groups that some SMSCs pass through: bits 3 and 2 */
        return (dc & 0x0c) == 8 ? SMS_UCS2 : (dc & 0x0c) == 4 ? SMS_OCTETS : SMS_GSM7;
    return SMS_GSM7;
}

uint8_t sms_data_coding(enum sms_alphabet alphabet)
{
    static const uint8_t codes[] = { [SMS_GSM7] = 0, [SMS_UCS2] = 8, [SMS_LATIN1] = 3, [SMS_IA5] = 1, [SMS_OCTETS] = 4 };
    return codes[alphabet];
}

/* -- segments ------------------------------------------------------------------------------------------------------- */
static const struct { unsigned alone, together[SMS_WAY_COUNT]; } room[] = {
    [SMS_GSM7] = { 160, { [SMS_UDH] = 153, [SMS_UDH16] = 152, [SMS_SAR] = 153, [SMS_PAYLOAD] = 153 } },
    [SMS_UCS2] = { 70, { [SMS_UDH] = 67, [SMS_UDH16] = 66, [SMS_SAR] = 67, [SMS_PAYLOAD] = 67 } },
};

/* All units of the text, counted no further than past one segment. */
static bool fits_one(enum sms_alphabet alphabet, struct str utf8)
{
    unsigned units = 0;
    size_t at = 0;
    for (uint32_t cp; units <= room[alphabet].alone && (cp = utf8_next(utf8, &at)) != UINT32_MAX;)
        units += units_of(alphabet, cp);
    return units <= room[alphabet].alone;
}

static enum err cut(struct sms_split *out, struct str utf8)
{
    unsigned units = 0, most = room[out->alphabet].together[out->way];
    out->part[0] = (struct sms_segment){ 0, 0 };
    out->count = 1;
    for (size_t at = 0, next = 0; at < utf8.n; at = next) {
        unsigned more = units_of(out->alphabet, utf8_next(utf8, &next));
        if (units + more > most) {
            if (out->count == SMS_SEGMENTS_MAX)
                return ERR_SIZE;
            out->part[out->count++] = (struct sms_segment){ at, 0 };
            units = 0;
        }
        units += more;
        out->part[out->count - 1].n += next - at;
    }
    return ERR_NONE;
}

enum err sms_split_as(struct sms_split *out, struct str utf8, enum sms_way way)
{
    if (!utf8_valid(utf8))
        return ERR_SYNTAX;
    out->way = way;
    out->alphabet = gsm7_fits(utf8) ? SMS_GSM7 : SMS_UCS2;
    if (!fits_one(out->alphabet, utf8))
        return cut(out, utf8);
    out->count = 1;
    out->part[0] = (struct sms_segment){ 0, utf8.n };
    return ERR_NONE;
}

enum err sms_split(struct sms_split *out, struct str utf8)
{
    return sms_split_as(out, utf8, SMS_UDH);
}

unsigned sms_units(enum sms_alphabet alphabet, struct str utf8)
{
    unsigned units = 0;
    size_t at = 0;
    for (uint32_t cp; (cp = utf8_next(utf8, &at)) != UINT32_MAX;)
        units += units_of(alphabet, cp);
    return units;
}

unsigned sms_room(const struct sms_split *split)
{
    return split->count == 1 ? room[split->alphabet].alone : room[split->alphabet].together[split->way];
}

unsigned sms_segments(struct str utf8)
{
    struct sms_split split;
    return sms_split(&split, utf8) ? 0 : split.count;
}
