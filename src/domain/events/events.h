/* events.h - Event Grid events and call callbacks: written by the unit that causes them, delivered at least once.
 *
 * Thread: control. An event is an outbox row in the causing unit (events_write); once that unit has committed, the cause
 * says so (events_go) and the courier is asked. After a restart every undelivered row is asked for again, with its id. */
#pragma once
#include "base/json.h"
#include "base/problem.h"
#include "domain/control.h"
#include "domain/events/courier.h"

struct events;

/* One event, by value of the caller; strings borrowed during events_write(). */
struct event_new {
    uint64_t   resource;
    struct str type;                /* "Microsoft.Communication.SMSReceived" */
    struct str subject;             /* "/phonenumber/18005550100" */
    struct str data;                /* JSON object */
    struct str id;                  /* public id; empty: a GUID is made */
    struct str data_version;        /* "1.0" when empty */
};
/* Callback of a call: exactly one CloudEvent, strictly one at a time per (call, url). */
struct callback_new {
    uint64_t   resource;
    uint64_t   call;                /* order key, with url */
    struct str url;
    struct str type, subject, source;
    struct str data;                /* JSON object */
};

/* What events_write() made and events_go() needs; keep it with the unit. */
struct event_batch {
    uint64_t first, last;           /* delivery keys; 0: nothing to deliver */
};

/** Add the rows for one event (and a delivery for each subscription that wants it) to the unit. @return ERR_NOMEM */
MUST_USE enum err events_write(struct events *ev, struct db_unit *u, const struct event_new *e, struct event_batch *batch);
MUST_USE enum err events_write_callback(struct events *ev, struct db_unit *u, const struct callback_new *c,
                                        struct event_batch *batch);
/** The unit committed (ERR_NONE): deliver; or failed: forget. */
void events_go(struct events *ev, const struct event_batch *batch, enum err committed);
