#include "codec/gsm7/gsm7.h"

enum { IE_CONCAT_8 = 0x00, IE_CONCAT_16 = 0x08 };      /* TS 23.040, 9.2.3.24 */

void udh_write(struct wr *w, const struct sms_concat *concat)
{
    const uint8_t header[SMS_UDH_OCTETS] = {
        SMS_UDH_OCTETS - 1, IE_CONCAT_8, 3, (uint8_t)concat->ref, concat->total, concat->part,
    };
    wr_put(w, header, sizeof header);
}

void udh16_write(struct wr *w, const struct sms_concat *concat)
{
    const uint8_t header[] = {
        6, IE_CONCAT_16, 4, (uint8_t)(concat->ref >> 8), (uint8_t)concat->ref, concat->total, concat->part,
    };
    wr_put(w, header, sizeof header);
}

struct sms_concat sms_concat_sar(uint16_t ref, uint8_t total, uint8_t part)
{
    if (!part || part > total)
        return (struct sms_concat){ 0 };
    return (struct sms_concat){ ref, total, part };
}

static void read_element(struct rd *r, struct sms_concat *concat)
{
    uint8_t id = rd_u8(r), n = rd_u8(r);
    const uint8_t *v = rd_take(r, n);
    if (!v)
        return;
    if (id == IE_CONCAT_8 && n == 3)
        *concat = sms_concat_sar(v[0], v[1], v[2]);
    else if (id == IE_CONCAT_16 && n == 4)
        *concat = sms_concat_sar((uint16_t)(v[0] << 8 | v[1]), v[2], v[3]);
}

enum err udh_read(struct rd *r, struct sms_concat *concat)
{
    *concat = (struct sms_concat){ 0 };
    uint8_t n = rd_u8(r);
    const uint8_t *p = rd_take(r, n);
    if (!p)
        return ERR_SYNTAX;
    struct rd header = rd_of(p, n);
    while (rd_left(&header) && !header.bad)     /* a broken element ends the header; the text behind it still counts */
        read_element(&header, concat);
    return ERR_NONE;
}
