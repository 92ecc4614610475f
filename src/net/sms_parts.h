/* sms_parts.h - short messages in parts: cutting a text into SMPP messages, and joining what comes in.
 *
 * Shared by the SMPP edge and the simulated SMSC. Thread: its owner's; time is passed in. The joiner keeps octets, not
 * text, until a message is whole: senders that split an escape or a surrogate pair between parts are mended by it. */
#pragma once
#include "base/base.h"
#include "codec/gsm7/gsm7.h"
#include "codec/smpp/smpp.h"

/** In how many PDUs it travels: one a segment, but what the SMSC cuts goes in one. */
unsigned sms_pdus(const struct sms_split *split);
/** Fill esm_class, data_coding, text and TLVs of a submit_sm or deliver_sm for PDU i of `text`.
 *  @param octets  SMS_SEGMENT_OCTETS, or SMS_WHOLE_OCTETS for SMS_PAYLOAD, borrowed by pdu  @param ref  16 bits where the way has them
 *  @return ERR_NONE, or what sms_text_write() says */
enum { SMS_WHOLE_OCTETS = 4096 };               /* 2,048 UTF-16 units */
MUST_USE enum err sms_part_fill(struct smpp_pdu *pdu, uint8_t *octets, const struct sms_split *split, struct str text,
                                unsigned i, uint16_t ref);

struct sms_part {
    char              from[SMPP_NUMBER_SIZE], to[SMPP_NUMBER_SIZE];
    struct sms_concat concat;       /* total 0: whole by itself */
    enum sms_alphabet alphabet;
    struct str        octets;       /* of the text, the header taken off; borrows from the PDU */
    uint64_t          handle;       /* the owner's: what to answer later */
};
/** From a submit_sm or deliver_sm, by its header or its SAR TLVs; handle is 0.
 *  @return ERR_NONE, ERR_SYNTAX (a header longer than the message) */
MUST_USE enum err sms_part_read(struct sms_part *out, const struct smpp_pdu *pdu);

struct sms_joiner;
struct sms_whole {
    struct str      from, to, text;     /* text is UTF-8 */
    unsigned        parts, total;       /* fewer parts than total: given up waiting */
    uint16_t        ref;
    const uint64_t *handles;            /* of every part taken, repeated ones too, in order of arrival */
    size_t          n_handles;
};

/** @param hold_us  how long a message waits for its parts  @param most  messages that may wait at once */
MUST_USE enum err sms_joiner_new(struct sms_joiner **out, int64_t hold_us, size_t most);
void sms_joiner_free(struct sms_joiner *j);
SCOPED_FREE(sms_joiner)
/** Take a part. `whole` is filled when that made one, else whole->parts is 0; it borrows until the next call.
 *  @return ERR_NONE, ERR_BUSY (too many wait), ERR_NOMEM */
MUST_USE enum err sms_joiner_put(struct sms_joiner *j, struct mono now, const struct sms_part *part,
                                 struct sms_whole *whole);
/** Give up on the oldest message whose time is over: what there is of it, joined. False: none is. */
bool sms_joiner_overdue(struct sms_joiner *j, struct mono now, struct sms_whole *whole);
/** Microseconds until the next is overdue; -1 when nothing waits. */
int64_t sms_joiner_wait_us(const struct sms_joiner *j, struct mono now);
/** Let go of every handle that waits: each is handed to fn once, with its part, and stands as 0 in what its message is told with. The part
 *  borrows for the call. */
void sms_joiner_release(struct sms_joiner *j, void (*fn)(void *arg, const struct sms_part *part), void *arg);
/** Forget everything: the link is gone, the peer will send it again. */
void sms_joiner_clear(struct sms_joiner *j);
