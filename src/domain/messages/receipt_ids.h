/* receipt_ids.h - the id in a receipt and the one in the answer to its submit: the same message, maybe written otherwise.
 *
 * SMSCs write one of them in hexadecimal and the other in decimal, in another case, or with other zeros in front. Case and
 * zeros are taken out of every id here. Pure, but for the learner, which is its owner's. */
#pragma once
#include "base/base.h"
#include "domain/messages/carrier.h"

enum { RECEIPT_ID_SIZE = 72 };          /* 65 octets are the longest message_id (SMPP 3.4, 5.2.23) */

/** Lower case, no zeros in front. dst is terminated; longer ids are cut. @return its length */
size_t receipt_id_canonical(char dst[RECEIPT_ID_SIZE], struct str id);
/** What the answer said if `form` is how this SMSC writes, canonical. form is not AUTO.
 *  @return ERR_SYNTAX: it cannot be read so (no such number, or above 2^128) */
MUST_USE enum err receipt_id_read(char dst[RECEIPT_ID_SIZE], struct str receipt, enum carrier_id_form form);
/** The other way: what a receipt would say of an answer's id. @return ERR_SYNTAX */
MUST_USE enum err receipt_id_write(char dst[RECEIPT_ID_SIZE], struct str answer, enum carrier_id_form form);

/* One that was told keeps to it; else twenty receipts in a row that agree decide, and twenty in a row that only another form
 * explains begin it anew. */
struct id_learner {
    enum carrier_id_form told, form;    /* form: what holds now; AUTO while not known */
    enum carrier_id_form last;
    unsigned             agree;         /* receipts in a row that were matched by `last` */
};
void id_learner_init(struct id_learner *l, enum carrier_id_form told);
/** A receipt was matched by this form and by no other. */
void id_learner_saw(struct id_learner *l, enum carrier_id_form form);
const char *id_form_word(enum carrier_id_form form);
