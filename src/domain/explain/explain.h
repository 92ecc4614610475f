/* explain.h - why, and what became of it: one time line from the API's request to the webhook's try.
 *
 * Thread: control. Nothing is recorded for it alone but the requests (domain/requests.h): rows of messages, calls, events,
 * their tries, searches, operations, reservations and leases are read by key or index and put in order of time, so an
 * answer costs what belongs to it, however much there is besides. An id leads to what made it and to what it made. */
#pragma once
#include "base/problem.h"
#include "domain/control.h"

struct accounts;
struct calls;
struct events;
struct messages;
struct explain;
struct requests;

struct explain_conf {
    struct control        *control;
    const struct accounts *accounts;
    const struct calls    *calls;
    const struct events   *events;      /* NULL: subscriptions have no names (tests) */
    struct requests       *requests;    /* NULL: none are kept (tests) */
    const struct messages *messages;    /* NULL: nothing waits (tests) */
};
MUST_USE enum err explain_new(struct explain **out, const struct explain_conf *conf);
void explain_free(struct explain *x);
SCOPED_FREE(explain)

typedef void explain_fn(void *arg, enum err err, struct str json);
/** {"id","kind",...,"decision":{...},"things":[{"kind","id"}],"lines":[{"time","offsetMs","of","step","text"}]}
 *  @param resource  whose things may be told; 0: of all
 *  @param id  of a request, message, call, event, search, operation or reservation, or a phone number
 *  @return ERR_ABSENT (no such id; `why` says which there are), ERR_BUSY, ERR_NOMEM; then no done */
MUST_USE enum err explain_ask(struct explain *x, uint64_t resource, struct str id, explain_fn *done, void *arg,
                              struct problem *why);
