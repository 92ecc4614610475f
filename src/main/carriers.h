/* carriers.h - the operator's SMSCs and SIP trunks: read from JSON, stored, started; and the wall's doors.
 *
 * Thread: control (start-up: before the threads run). The simulated networks are carriers too, added by app.c. */
#pragma once
#include "base/json.h"
#include "base/problem.h"
#include "edge/api/api.h"

struct carriers;
struct sip_edge;
struct smpp_edge;

struct carriers_conf {
    struct control   *control;
    struct smpp_edge *smpp;
    struct sip_edge  *sip;
    struct messages  *messages;     /* asked which carriers are up */
    struct numbers   *numbers;      /* asked which came with a carrier */
    struct calls     *calls;        /* told which trunk carries simulated numbers: the newest */
    /* Called when the first real carrier is there: the development key and local targets end. */
    void (*real_carrier)(void *arg, const char *name);
    void *arg;
};

MUST_USE enum err carriers_new(struct carriers **out, const struct carriers_conf *conf);
void carriers_free(struct carriers *c);
SCOPED_FREE(carriers)
/** Start what the store holds. @return ERR_STORE, ERR_NOMEM */
MUST_USE enum err carriers_load(struct carriers *c, struct problem *why);

/** {"name","host":"H:P","systemId","password","bind","window","rate","simulated"} for "smsc";
 *  {"name","host":"H:P","transport","simulated"} for "trunk". `simulated`: another simulated network; loopback hosts only.
 *  @return ERR_RANGE, ERR_CONFLICT (name taken), ERR_BUSY, ERR_NOMEM with `why`; then no done */
MUST_USE enum err carriers_add(void *carriers, const char *kind, const struct json *conf, carrier_done_fn *done, void *arg,
                               struct problem *why);
/** An SMSC's settings: what is given replaces, null takes away, the rest stays; its bind is made anew. Answered like carriers_add().
 *  @return ERR_ABSENT, ERR_CONFLICT, too */
MUST_USE enum err carriers_change(void *carriers, struct str name, const struct json *changes, carrier_done_fn *done, void *arg,
                                  struct problem *why);
/** ERR_CONFLICT: something hangs on it. */
MUST_USE enum err carriers_remove(void *carriers, struct str name, carrier_done_fn *done, void *arg, struct problem *why);
/** (app_api.carrier_test) */
MUST_USE enum err carriers_test(void *carriers, const struct carrier_trial *trial, carrier_tested_fn *done, void *arg, struct problem *why);
void carriers_write(void *carriers, const char *kind, struct jw *w);
/** Is there an SMSC or a trunk of this name? Simulated, when nothing real has it. (numbers_carrier_fn) */
bool carriers_known(void *carriers, struct str name, bool *simulated);
/** A carrier of this process, not stored. */
MUST_USE enum err carriers_start_sim(struct carriers *c, const char *smpp_host, uint16_t smpp_port, const char *sip_host,
                                     uint16_t sip_port, struct problem *why);
