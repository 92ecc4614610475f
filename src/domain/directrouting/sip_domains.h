/* sip_domains.h - whose a domain is: the service wants ownership proved before an SBC is paired; here the operator confirms it.
 *
 * Thread: control. A confirmed domain, with all names below it, belongs to one resource: others cannot have trunks there. What
 * nobody confirmed is open to everybody. A change is seen once it is on disk. */
#pragma once
#include "domain/control.h"
#include "domain/directrouting/sip_config.h"

struct sip_domains;

MUST_USE enum err sip_domains_new(struct sip_domains **out, struct control *control);
/** Owed answers are dropped: the loop has stopped. */
void sip_domains_free(struct sip_domains *d);
SCOPED_FREE(sip_domains)
/** Before the threads start. @return ERR_STORE, ERR_NOMEM */
MUST_USE enum err sip_domains_load(struct sip_domains *d);

/** May the resource have these trunks? @return ERR_UNPROCESSABLE with `why` */
MUST_USE enum err sip_domains_check(const struct sip_domains *d, uint64_t resource, const struct sip_config *config,
                                    struct problem *why);
/** Is it, or one above it, confirmed as the resource's? */
bool sip_domains_owns(const struct sip_domains *d, uint64_t resource, struct str name);

/** Forget those of a resource, whose rows are gone. */
void sip_domains_drop_of(struct sip_domains *d, uint64_t resource);

struct sip_owned { const char *name; uint64_t resource; int64_t since_us; };
/** In no order; false at the end. Start with *at = 0. */
bool sip_domains_next(const struct sip_domains *d, size_t *at, struct sip_owned *out);

typedef void sip_domains_done_fn(void *arg, enum err err, const struct problem *why);
/** Confirm, or take back. Again is fine.
 *  @return ERR_RANGE (no domain), ERR_CONFLICT (another's: it, one above or one below it), ERR_ABSENT, ERR_BUSY, ERR_NOMEM with
 *  `why`; then no done */
MUST_USE enum err sip_domains_confirm(struct sip_domains *d, uint64_t resource, struct str name, sip_domains_done_fn *done,
                                      void *arg, struct problem *why);
MUST_USE enum err sip_domains_take_back(struct sip_domains *d, uint64_t resource, struct str name, sip_domains_done_fn *done,
                                        void *arg, struct problem *why);
