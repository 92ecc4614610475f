/* gsm7.h - the text of short messages: GSM 03.38 (3GPP TS 23.038), UCS-2, segments, and the user data header.
 *
 * Septets are carried one an octet, as SMPP does. Any thread; nothing here logs or keeps state. Domain counts segments
 * with it (billing), edges cut and join messages with it, so both always agree. */
#pragma once
#include "base/base.h"
#include "base/buf.h"
#include "base/rdwr.h"

/* What the octets of a message mean (SMPP 3.4, 5.2.19 data_coding; TS 23.038, 4). */
enum sms_alphabet {
    SMS_GSM7,           /* default alphabet with extension table, one septet an octet */
    SMS_UCS2,           /* big-endian UTF-16 */
    SMS_LATIN1,         /* ISO 8859-1 */
    SMS_IA5,            /* data_coding 1: ASCII, or GSM 03.38 when it holds octets that no ASCII text does */
    SMS_OCTETS,         /* binary: shown as ISO 8859-1 for want of better */
};
enum { DATA_CODING_DEFAULT = 0, DATA_CODING_UCS2 = 8 };
enum sms_alphabet sms_alphabet_of(uint8_t data_coding);
uint8_t sms_data_coding(enum sms_alphabet alphabet);

/** Can all of this valid UTF-8 be said in the default alphabet and its extension table? */
bool gsm7_fits(struct str utf8);

/** Write UTF-8 in an alphabet (SMS_GSM7 or SMS_UCS2).
 *  @return ERR_NONE, ERR_UNPROCESSABLE (a character outside the alphabet), ERR_SYNTAX (not UTF-8), ERR_SIZE (w is full) */
MUST_USE enum err sms_text_write(struct wr *w, enum sms_alphabet alphabet, struct str utf8);

/** Append the octets of a received message to `out` as valid UTF-8. Never fails but for memory (out->bad): an unknown
 *  escape shows the plain letter (TS 23.038, 6.2.1.1), a lone surrogate and U+0000 become U+FFFD. */
void sms_text_read(struct buf *out, enum sms_alphabet alphabet, const void *octets, size_t n);

/* -- segments ------------------------------------------------------------------------------------------------------- */
enum { SMS_SEGMENTS_MAX = 255, SMS_SEGMENT_OCTETS = 160, SMS_UDH_OCTETS = 6 };

/* How a text that needs several segments travels: parts with a user data header whose reference has 8 or 16 bits (3GPP TS 23.040,
 * 9.2.3.24.1 and 9.2.3.24.8), parts numbered by SMPP's SAR TLVs, or whole in a message_payload, which the SMSC cuts. */
#define SMS_WAYS(W)     W(UDH, "udh")  W(UDH16, "udh16")  W(SAR, "sar")  W(PAYLOAD, "payload")
#define SMS_WAY_ENUM(name, word) SMS_##name,
enum sms_way { SMS_WAYS(SMS_WAY_ENUM) SMS_WAY_COUNT };
#undef SMS_WAY_ENUM

struct sms_segment {
    size_t at, n;       /* which octets of the UTF-8 text */
};
struct sms_split {
    enum sms_alphabet  alphabet;        /* SMS_GSM7 when everything fits it, else SMS_UCS2 */
    enum sms_way       way;
    unsigned           count;           /* 1..SMS_SEGMENTS_MAX */
    struct sms_segment part[SMS_SEGMENTS_MAX];
};

/** Cut a text as it will be sent: 160 or 70 units in one segment, else 153 or 67 each (152 or 66 beside a 16-bit reference). What
 *  the SMSC cuts (SMS_PAYLOAD) is cut as it will, and is billed: 153 or 67. An extension character counts
 *  two and, like a surrogate pair, is never split. The empty text is one empty segment.
 *  @return ERR_NONE, ERR_SYNTAX (not UTF-8), ERR_SIZE (more than 255 segments) */
MUST_USE enum err sms_split_as(struct sms_split *out, struct str utf8, enum sms_way way);
MUST_USE enum err sms_split(struct sms_split *out, struct str utf8);       /* SMS_UDH */
/** How many segments that is; 0 where sms_split() fails. */
unsigned sms_segments(struct str utf8);

/** How many units a text is: septets (an extension character is two) or UTF-16 units. Of valid UTF-8. */
unsigned sms_units(enum sms_alphabet alphabet, struct str utf8);
/** Room in a segment of it, in units. */
unsigned sms_room(const struct sms_split *split);

/* -- user data header (3GPP TS 23.040, 9.2.3.24) -------------------------------------------------------------------- */
struct sms_concat {
    uint16_t ref;
    uint8_t  total;     /* 0: not a part of anything */
    uint8_t  part;      /* 1..total */
};

/** The 6 octets of an 8-bit reference: 05 00 03 ref total part. */
void udh_write(struct wr *w, const struct sms_concat *concat);
/** The 7 of a 16-bit one: 06 08 04 ref ref total part. */
void udh16_write(struct wr *w, const struct sms_concat *concat);
/** Read a header, length octet first, and leave `r` behind it. 8- and 16-bit references are understood, all else is
 *  skipped; a part of 0 or above the total is as none (9.2.3.24.1).
 *  @return ERR_NONE, ERR_SYNTAX (the header is longer than the message) */
MUST_USE enum err udh_read(struct rd *r, struct sms_concat *concat);
/** The same from SMPP's TLVs (SMPP 3.4, 5.3.2.22-24), with the same rule for nonsense. */
struct sms_concat sms_concat_sar(uint16_t ref, uint8_t total, uint8_t part);
