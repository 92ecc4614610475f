/* smsc.h - the simulated SMSC: an SMPP 3.4 server that takes messages, says what became of them, and sends replies.
 *
 * Thread: the loop it was made with; every function here is called there (or before that loop starts). Any ESME may
 * bind. What becomes of a message is asked of the `outcome` hook; without one, it is delivered after 100 ms. */
#pragma once
#include "base/base.h"
#include "base/problem.h"

struct loop;
struct smsc;

enum smsc_fate {
    SMSC_DELIVERS,          /* handset gets it, receipt DELIVRD, after after_us */
    SMSC_LOSES,             /* receipt UNDELIV with `err`, after after_us; no handset gets it */
    SMSC_KEEPS_SILENT,      /* handset gets it, no receipt ever comes */
    SMSC_REJECTS,           /* submit_sm_resp with `status` (ESME_RTHROTTLED, ESME_RSUBMITFAIL, ...) */
};
struct smsc_outcome {
    enum smsc_fate fate;
    int64_t  after_us;      /* a late receipt is a long wait */
    uint32_t err;           /* SMSC_LOSES: the receipt's err: field, 1..999 */
    uint32_t status;        /* SMSC_REJECTS: not 0 */
};
/* Numbers are E.164 with '+', short codes as they are; text is UTF-8; all borrowed for the call. */
struct smsc_hooks {
    struct smsc_outcome (*outcome)(void *arg, struct str to);                   /* per submit_sm; NULL: see above */
    void (*on_message)(void *arg, struct str from, struct str to, struct str text);   /* reached the handset, whole */
};
struct smsc_conf {
    const char *host;
    uint16_t    port;           /* 0: a free one */
    const char *password;       /* NULL: any */
    /* One line per accepted submit_sm, written before its submit_sm_resp: "<seconds.us> <from> <to> <message_id> <text
     * in hex>". NULL: none. */
    const char *accepted_log;
};

/** @return ERR_NONE, ERR_CONFLICT (`why`: port taken), ERR_IO (`why`: log not writable), ERR_NOMEM */
MUST_USE enum err smsc_new(struct smsc **out, struct loop *loop, const struct smsc_conf *conf,
                           const struct smsc_hooks *hooks, void *arg, struct problem *why);
void smsc_free(struct smsc *s);             /* drops every link; on the loop's thread, or after it stopped */
SCOPED_FREE(smsc)
uint16_t smsc_port(const struct smsc *s);
/** An SMS from a handset to the product; waits until a receiver or transceiver is bound. Cut in parts when long.
 *  @return ERR_NONE, ERR_SYNTAX (not UTF-8, no numbers), ERR_SIZE, ERR_BUSY (too many wait), ERR_NOMEM */
MUST_USE enum err smsc_inject(struct smsc *s, struct str from, struct str to, struct str text);
/** How many ESMEs are bound now. */
unsigned smsc_bound(const struct smsc *s);
