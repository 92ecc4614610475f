/* hooks.h - the courier: webhooks, call callbacks, downloads of prompts. Implements domain/events/courier.h.
 *
 * Thread: its own loop, `hooks`; new, start, stop, free on the owner's; the port's send() and the setters from any thread.
 * Requests wait by host and start in turn (hosts.h): a dead or slow endpoint waits for itself alone. Targets: everything
 * the table in net/target.h calls local, and plain http, is refused unless allow_local; link-local and reserved addresses
 * always. */
#pragma once
#include "base/base.h"
#include "base/problem.h"
#include "domain/events/courier.h"

struct hooks;
struct jwt_signer;

/* Zero means the default in brackets, but for the pointers and allow_local. */
struct hooks_conf {
    struct str  local_ca_pem;   /* trusted as well while allow_local; copied; empty: none */
    const char *ca_dir;         /* [/etc/ssl/certs] hashed certificates of the system; outlives hooks */
    struct jwt_signer *signer;  /* for requests that carry a token; NULL: such fail. Outlives hooks */
    bool        allow_local;    /* true while only the simulated carrier exists */
    unsigned    at_once;        /* [1024] requests under way, 2..; three of four of them may be to slow hosts */
    unsigned    per_host;       /* [16] of them to one host */
    size_t      waiting_max;    /* [16384] requests accepted and not yet started */
    size_t      octets_max;     /* [64 MiB] of them */
    int64_t     late_us;        /* [2 s] a host that takes longer is slow */
};
MUST_USE enum err hooks_new(struct hooks **out, const struct hooks_conf *conf, struct problem *why);
/** @return ERR_NOMEM */
MUST_USE enum err hooks_start(struct hooks *h);
/** Stop the thread. Requests under way or waiting end with ERR_CLOSED; later ones are refused with ERR_BUSY. */
void hooks_stop(struct hooks *h);
void hooks_free(struct hooks *h);
SCOPED_FREE(hooks)
/** False as soon as a real carrier exists. */
void hooks_set_allow_local(struct hooks *h, bool allowed);
/** The port; its `courier` argument is the struct hooks. */
const struct courier_ops *hooks_courier_ops(void);
