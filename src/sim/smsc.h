/* smsc.h - the simulated SMSC: an SMPP 3.4 server that takes messages, says what became of them, and sends replies.
 *
 * Thread: the loop it was made with; every function here is called there (or before that loop starts). Any ESME may
 * bind. How it behaves is a table of settings (smsc_ways.h); temporary faults come from base/fault. What becomes of one
 * message is asked of the `outcome` hook; without one, it is delivered. */
#pragma once
#include "base/json.h"
#include "base/problem.h"
#include "sim/smsc_ways.h"

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
    int64_t  after_us;      /* a late receipt is a long wait; 0: as the settings say */
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
    const struct smsc_ways *ways;   /* copied; NULL: the defaults */
    uint64_t    seed;           /* of what happens by chance */
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
/** How many ESMEs are bound now. */
unsigned smsc_bound(const struct smsc *s);

const struct smsc_ways *smsc_ways(const struct smsc *s);
/** Behave so from now on; what is under way ends as it began. */
void smsc_set_ways(struct smsc *s, const struct smsc_ways *ways);

/** An SMS from a handset to the product; waits until a receiver or transceiver is bound. Cut in parts when long, as the
 *  setting longAs says.
 *  @return ERR_NONE, ERR_SYNTAX (not UTF-8, no numbers), ERR_SIZE, ERR_BUSY (too many wait), ERR_NOMEM */
MUST_USE enum err smsc_inject(struct smsc *s, struct str from, struct str to, struct str text);
/* Many of them: "{n}" in the text is their number; from `senders` numbers in turn, the ones from `from` on. */
struct smsc_run {
    struct str from, to, text;
    uint32_t   count, senders;      /* 1..1,000,000 each */
    uint32_t   rate;                /* a second, 1..10,000; 0: as fast as they are taken */
};
/** @return as smsc_inject(); ERR_RANGE, ERR_BUSY (16 runs go on), with `why` */
MUST_USE enum err smsc_inject_run(struct smsc *s, const struct smsc_run *run, struct problem *why);

/** Cut links: of one system_id, or with an empty one all. @return how many */
unsigned smsc_cut(struct smsc *s, struct str system_id);
/** Cut every link and let nobody in for so long; 0 ends an outage. */
void smsc_outage(struct smsc *s, int64_t for_us);
/** Members of an open object: binds, what waits, counters (docs/simulator.md). */
void smsc_show(const struct smsc *s, struct jw *w);

/** Members for a snapshot: messages that are not over, what is on its way, how it behaves. */
void smsc_save(const struct smsc *s, struct jw *w);
/** Take what smsc_save() wrote in the place of what there is; links stay. @return ERR_RANGE, ERR_SYNTAX, ERR_NOMEM: part of it is there */
MUST_USE enum err smsc_load(struct smsc *s, const struct json *saved);
/** As it was made: nothing waits, it behaves as its conf said; links stay. */
void smsc_clear(struct smsc *s);
