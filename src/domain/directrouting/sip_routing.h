/* sip_routing.h - the direct-routing configuration of every resource: in memory, and durable before it is answered.
 *
 * Thread: control. Changes of one resource are made one after another, each from what the one before left; a change is
 * seen by readers once it is on disk. */
#pragma once
#include "domain/control.h"
#include "domain/directrouting/sip_config.h"

struct sip_routing;
struct sip_domains;

MUST_USE enum err sip_routing_new(struct sip_routing **out, struct control *control);
/** Owed answers are dropped: the loop has stopped. */
void sip_routing_free(struct sip_routing *s);
SCOPED_FREE(sip_routing)
/** Read everything from the store, before the threads start. @return ERR_STORE, ERR_NOMEM with `why` */
MUST_USE enum err sip_routing_load(struct sip_routing *s, struct problem *why);

/** Whose domains are (sip_domains.h); belongs to it. */
struct sip_domains *sip_routing_domains(const struct sip_routing *s);
/** Has another resource a trunk in this domain? */
bool sip_routing_uses(const struct sip_routing *s, uint64_t other_than, struct str domain);

/** What is on disk; never NULL. Good until control does something else. */
const struct sip_config *sip_routing_find(const struct sip_routing *s, uint64_t resource);

/** `config` on ERR_NONE, good until it returns. */
typedef void sip_routing_done_fn(void *arg, enum err err, const struct sip_config *config, const struct problem *why);
/** @param patch  lives until done, or until this returns an error  @return ERR_UNPROCESSABLE, ERR_BUSY, ERR_NOMEM with
 *  `why`; then no done */
MUST_USE enum err sip_routing_change(struct sip_routing *s, uint64_t resource, const struct sip_patch *patch,
                                     sip_routing_done_fn *done, void *arg, struct problem *why);

/** A resource is deleted: so is its configuration, and its domains are free (the `end` of an accounts_ender). */
MUST_USE enum err sip_routing_end(void *routing, uint64_t resource, void (*done)(void *arg, enum err err), void *arg);
