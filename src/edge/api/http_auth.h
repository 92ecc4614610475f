/* http_auth.h - is this request signed, and with which key?  HMAC-SHA256 as the official SDKs make it, or a bearer token.
 *
 * Pure functions over the request's bytes: any thread. What is signed:
 *     METHOD \n path-and-query \n x-ms-date ; host ; x-ms-content-sha256
 * and each client has its own idea of the path and the host; http_auth.c lists the variants it accepts. A signature may
 * come again (SDK retries reuse it), so there is no replay cache; the date may be 15 minutes off.
 * A bearer token (http_token.h) proves the key it was made with; the development key, no secret, may be said as it is. */
#pragma once
#include "base/arena.h"
#include "base/problem.h"
#include "edge/api/keyring.h"

struct http_signed {
    struct str method;
    struct str target;          /* as received: path and query, nothing decoded */
    struct str authorization;   /* the headers, {NULL,0} when absent */
    struct str date;            /* x-ms-date */
    struct str content_hash;    /* x-ms-content-sha256 */
    struct str host;            /* Host */
    struct str ms_host;         /* x-ms-host */
    struct str body;
    bool       content;         /* a recording's bytes: x-ms-host and the bare path may be what was signed */
    bool       tls;             /* the request came over TLS: a token elsewhere would be anybody's who listens */
    int64_t    now_us;          /* wall clock */
};

/** Prove the request with a key of the ring. q is filled by the caller but for fits, arg.
 *  @return ERR_NONE; ERR_UNPROVEN with `why` saying which part is wrong (rule: its name); ERR_NOMEM */
MUST_USE enum err http_auth_prove(struct keyring *ring, const struct http_signed *rq, struct keyring_question *q,
                                  struct arena *arena, struct keyring_proof *out, struct problem *why);

/** The query as application/x-www-form-urlencoded text, decoded and encoded again, as JS URLSearchParams does.
 *  {NULL,0}: out of memory. */
struct str http_auth_form_target(struct arena *arena, struct str target);
