/* routes.h - which carriers may take a message, in which order: the operator's routes, as data.
 *
 * A table of its own, without carriers or messages. Thread: its owner's (control). Of the routes that match sender and recipient
 * the lowest priority comes first, then the longest prefix, then the lowest cost; what is equal in all three shares by weight.
 * The share is by sender and recipient alone: a pair has the same order at all times, in every process. */
#pragma once
#include "base/base.h"
#include "base/problem.h"

struct sms_route {
    char     name[64];
    char     prefix[16];                /* digits, without '+'; empty: every recipient */
    char     sender[32];                /* as `from` is written, or its beginning and '*'; empty: every sender */
    char     pool[64];                  /* a tag of the sender's number; empty: any */
    char     carrier[64];
    uint32_t weight;                    /* 1..1000 */
    uint32_t priority;                  /* 1..1000 */
    int64_t  cost_micro;                /* of a segment, in millionths of a US dollar; 0.. */
};
enum { ROUTE_WEIGHT_MOST = 1000, ROUTE_PRIORITY_MOST = 1000, ROUTE_PRIORITY = 100 };

/* -- the table ------------------------------------------------------------------------------------------------------- */
struct routes;
MUST_USE struct routes *routes_new(void);               /* NULL: out of memory */
void routes_free(struct routes *r);
SCOPED_FREE(routes)
/** Copied; in the place of one of its name. @return ERR_NOMEM */
MUST_USE enum err routes_put(struct routes *r, const struct sms_route *route);
void routes_take(struct routes *r, struct str name);
const struct sms_route *routes_find(const struct routes *r, struct str name);   /* until the next change */
size_t routes_count(const struct routes *r);
const struct sms_route *routes_at(const struct routes *r, size_t i);            /* in the order above */

struct route_ask {
    struct str from, to;                /* E.164 with '+'; `from` may be a sender id */
    /** Does the sender's number bear this tag? Asked only where it decides. */
    bool     (*in_pool)(void *arg, const char *pool);
    void      *arg;
};
/** Those that match, the first choice first; each carrier once. @return how many, at most `most` */
size_t routes_match(const struct routes *r, const struct route_ask *ask, const struct sms_route **out, size_t most);

/* -- those of the server (messages) -------------------------------------------------------------------------------------- */
struct jw;
struct messages;
/** After the commit, or when it failed. */
typedef void messages_route_fn(void *arg, enum err err, const struct problem *why);
/**  ERR_RANGE, ERR_BUSY, ERR_NOMEM with `why`; then no done. ERR_CONFLICT (the name is taken) comes by done */
MUST_USE enum err messages_route_add(struct messages *m, const struct sms_route *r, messages_route_fn *done, void *arg,
                                     struct problem *why);
/** All of it but its name. ERR_CONFLICT by done: it is gone.  as above */
MUST_USE enum err messages_route_change(struct messages *m, const struct sms_route *r, messages_route_fn *done, void *arg,
                                        struct problem *why);
/**  ERR_ABSENT too */
MUST_USE enum err messages_route_remove(struct messages *m, struct str name, messages_route_fn *done, void *arg, struct problem *why);
/**  ERR_ABSENT with `why` */
MUST_USE enum err messages_route_get(const struct messages *m, struct str name, struct sms_route *out, struct problem *why);
void sms_route_write(const struct sms_route *r, struct jw *w);                  /* members of an open object */
void messages_write_routes(const struct messages *m, struct jw *w);             /* elements of an open array, in order */
/** Which carriers could take a message, the one that would first: an array `value` into an open object.
 *  @return ERR_RANGE (`from` is not leased) with `why` */
MUST_USE enum err messages_route_why(const struct messages *m, struct str from, struct str to, struct jw *w, struct problem *why);
