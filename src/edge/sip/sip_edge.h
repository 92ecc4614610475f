/* sip_edge.h - the SIP edge: trunks, and the calls over them (implements domain/calls/signalling.h).
 *
 * Offer/answer and dialogs are net/sip_stack; this edge knows trunks, decides who may offer us calls, makes ids for their
 * legs, and turns both languages into each other.
 * Thread: sip_edge_new .. sip_edge_free on app.c's thread; trunks and ops from any thread (they only post). What
 * control is told comes from the `sip` thread. */
#pragma once
#include "base/base.h"
#include "base/problem.h"
#include "domain/calls/signalling.h"

struct ids;
struct sip_edge;

struct sip_edge_conf {
    const char *host;               /* numeric address to listen on, UDP and TCP */
    uint16_t    port;               /* 0: a free one */
    const char *advertise;          /* host for Via and Contact; NULL: host */
    uint32_t    t1_ms;              /* RFC 3261 T1; 0: 500 */
    size_t      offered_bound;      /* incoming calls that may wait for an answer at once; beyond: 503. 0: 1000 */
    /* how control is told: app.c puts calls_tell_signalling here */
    enum err  (*tell)(struct calls *calls, const struct signalling_news *news);
};

/** Reserve the address. ids is borrowed and must outlive the edge.
 *  @return ERR_NONE, ERR_NOMEM, ERR_RANGE (host), ERR_CONFLICT (port in use), ERR_IO; why says more */
MUST_USE enum err sip_edge_new(struct sip_edge **out, struct calls *calls, struct ids *ids, const struct sip_edge_conf *conf,
                               struct problem *why);
MUST_USE enum err sip_edge_start(struct sip_edge *e);
/** End every call, wait up to grace_ms for the peers. Each leg's LEG_ENDED has been told when this returns. */
void sip_edge_stop(struct sip_edge *e, int grace_ms);
void sip_edge_free(struct sip_edge *e);
SCOPED_FREE(sip_edge)
uint16_t sip_edge_port(const struct sip_edge *e);

enum { SIP_TRUNK_NAME_SIZE = 64 };
struct sip_trunk_conf {
    struct str  name;               /* 1..63 octets */
    struct str  host;               /* numeric, or "localhost" */
    uint16_t    port;               /* 1..65535 */
    struct str  transport;          /* "udp", "tcp"; empty: udp */
    struct str  user, password;     /* answers its 401 or 407; empty: a challenge ends the call. Up to 71 octets each */
    bool        simulated;
};

/** Add a trunk, or replace the one of this name (calls under way stay as they are). Ops posted after this see it.
 *  INVITEs are taken from its address only; with several trunks at one address the source port decides, else the first real one.
 *  @return ERR_NONE, ERR_RANGE, ERR_UNBUILT (tls), ERR_NOMEM, ERR_BUSY, ERR_CLOSED; why says more */
MUST_USE enum err sip_edge_trunk_add(struct sip_edge *e, const struct sip_trunk_conf *trunk, struct problem *why);
/** @return ERR_NONE also when there is none of this name, ERR_NOMEM, ERR_BUSY, ERR_CLOSED */
MUST_USE enum err sip_edge_trunk_remove(struct sip_edge *e, struct str name);

/** Give control a `struct sip_edge *` as the first argument of each.
 *  invite: an unknown trunk ends the leg with 503. In LEG_OFFERED, `from` is "anonymous" when the caller hides; P-Asserted-
 *  Identity comes before From; North American numbers without '+' get their country code. */
const struct signalling_ops *sip_edge_ops(void);
