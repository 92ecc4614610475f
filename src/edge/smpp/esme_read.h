/* esme_read.h - what a customer's ESME submits, from its PDU to what the pipeline takes.
 *
 * Any thread; no link, no store. What is read borrows from the struct and from nothing else: a PDU's octets may go. (SMPP 3.4, 4.4,
 * 4.5, 4.7, 5.2) */
#pragma once
#include "base/buf.h"
#include "codec/smpp/smpp.h"
#include "domain/messages/esmes.h"

enum { UNSUCCESS_OCTETS = (2 + 21 + 4) * SMS_RECIPIENTS_MAX };

struct esme_submitted {
    struct sms_esme     esme;
    struct sms_send     send;
    struct sms_part_in  part;               /* concat.total 0: it is none */
    char                from[SMPP_NUMBER_SIZE];
    struct buf          text;               /* the reader's to free */
    unsigned            n_failed;           /* submit_multi: unsuccess_sme in `failed` */
    size_t              failed_n;
    uint8_t             failed[UNSUCCESS_OCTETS];           /* from here on only what is used is filled */
    char                numbers[SMS_RECIPIENTS_MAX][SMPP_NUMBER_SIZE];
    struct sms_recipient to[SMS_RECIPIENTS_MAX];
};

struct esme_fault {
    uint32_t    status;                     /* ESME_ROK: none */
    const char *text;                       /* static */
};
/** @param out  zero up to `failed`, with send.resource set; its text is to be freed whatever comes back */
struct esme_fault esme_read(struct esme_submitted *out, const struct smpp_pdu *pdu, int64_t now_us);
/** One destination more that could not be sent to. */
void esme_add_failed(struct esme_submitted *g, const struct smpp_addr *addr, struct str list, uint32_t status);
