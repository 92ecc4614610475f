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

/* What was written into one unit and waits for its commit: start with {0}, keep it with the unit. */
struct delivery;
struct event_batch {
    struct delivery *chain;
    uint64_t         newest;        /* the last event written, whether or not somebody is subscribed; 0: none */
};

/** Add the rows for one event (and a delivery for each subscription that wants it) to the unit. @return ERR_NOMEM */
MUST_USE enum err events_write(struct events *ev, struct db_unit *u, const struct event_new *e, struct event_batch *batch);
MUST_USE enum err events_write_callback(struct events *ev, struct db_unit *u, const struct callback_new *c,
                                        struct event_batch *batch);
/** The unit committed (ERR_NONE): deliver; or failed: forget. The batch is empty then. Once for every batch. */
void events_go(struct events *ev, struct event_batch *batch, enum err committed);
/** In the `drop` of an inbox kind that carries a batch: the process ends, the module may be gone already. */
void events_drop(struct event_batch *batch);

/** Would this event go to anybody, by its resource, type, subject and data? (IncomingCall: 180 or 480.) Short of memory: yes. */
bool events_wanted(const struct events *ev, const struct event_new *e);

/* -- set-up ------------------------------------------------------------------------------------------------------ */
MUST_USE enum err events_new(struct events **out, struct control *control, const struct courier_ops *courier,
                             void *courier_self);
void events_free(struct events *ev);
SCOPED_FREE(events)
/** Read subscriptions and what is undelivered, before the threads start. */
MUST_USE enum err events_load(struct events *ev, struct problem *why);
/** Keep events, dead letters and tries for so long; untold a week. */
void events_keep(struct events *ev, int64_t keep_us);
/** Start delivering what events_load() found. Thread: control. */
void events_resume(struct events *ev);
/** Where this server is reached from outside, for validation URLs: "https://localhost:4500". Copied. */
void events_set_base_url(struct events *ev, struct str url);

/* -- subscriptions ------------------------------------------------------------------------------------------------ */
struct event_subscription_new {
    uint64_t   resource;
    struct str name;                /* empty: one is made */
    struct str url;
    struct str types;               /* comma-separated full type names; empty: all */
    const struct json *filter;      /* domain/events/filter.h; NULL: none. Borrowed */
    bool       cloud;               /* CloudEvents 1.0 instead of the Event Grid schema */
    unsigned   batch;               /* events in one POST, 1..EVENT_BATCH_MAX; 0: 1 */
    const struct json *settings;    /* its members bearerToken, hmacKey ("new": one is made) and deliveryHeaders; NULL: none */
};
/* What is to be changed of one. */
struct event_subscription_change {
    struct str         name;        /* empty: stays, as below */
    const struct str  *types;
    const struct json *filter;      /* {} takes it away */
    unsigned           batch;
    const struct json *settings;    /* as above; an empty text or object takes one away */
};
enum event_subscription_state { SUBSCRIPTION_AWAITING, SUBSCRIPTION_ACTIVE, SUBSCRIPTION_FAILED };
enum { EVENT_SUBSCRIPTIONS_MAX = 500 /* a resource */, EVENT_BATCH_MAX = 100, EVENT_KEY_SIZE = 96 };

/** Outcome of subscribing: key and state are valid on ERR_NONE; `why` on any error. Called on control, once. */
typedef void events_subscribed_fn(void *arg, enum err err, uint64_t key, const struct problem *why);
/** Store, then prove the endpoint by the handshake of its schema. An endpoint that answers 200 without the code stays
 *  AWAITING until its validation URL is opened, ten minutes at most; one that cannot be reached or refuses is dropped and
 *  `done` says why.
 *  @return ERR_RANGE, ERR_BUSY, ERR_NOMEM with `why`; then no done */
MUST_USE enum err events_subscribe(struct events *ev, const struct event_subscription_new *s, events_subscribed_fn *done,
                                   void *arg, struct problem *why);
/** A change of a subscription is safe on disk, or could not be stored. Called on control, once. */
typedef void events_changed_fn(void *arg, enum err err);
/** The validation URL was opened. @return ERR_ABSENT, ERR_UNPROVEN, ERR_BUSY, ERR_NOMEM; then no done */
MUST_USE enum err events_validate(struct events *ev, uint64_t key, struct str code, events_changed_fn *done, void *arg);
/** @return ERR_RANGE with `why`; ERR_ABSENT, ERR_BUSY, ERR_NOMEM; then no done */
MUST_USE enum err events_change(struct events *ev, uint64_t key, const struct event_subscription_change *n,
                                events_changed_fn *done, void *arg, struct problem *why);
/** The signing key that was made here for it, once; empty when there is none to show. */
void events_take_new_key(struct events *ev, uint64_t key, char out[EVENT_KEY_SIZE]);
/** Ends it and its undelivered events. @return ERR_ABSENT, ERR_BUSY, ERR_NOMEM; then no done */
MUST_USE enum err events_unsubscribe(struct events *ev, uint64_t key, events_changed_fn *done, void *arg);
/** Ends every subscription of a resource that is being deleted. Done with the first error, or when all are off the disk.
 *  @return ERR_NOMEM, ERR_BUSY; then no done */
MUST_USE enum err events_end_resource(struct events *ev, uint64_t resource, events_changed_fn *done, void *arg);
/** Whose it is; 0: there is none of that key. */
uint64_t events_subscription_resource(const struct events *ev, uint64_t key);
/** What it is called; NULL: there is none of that key. Borrowed until control returns to its loop. */
const char *events_subscription_name(const struct events *ev, uint64_t key);
/** Members of an open JSON array: the subscriptions of one resource, or of all (0). */
void events_write_subscriptions(const struct events *ev, uint64_t resource, struct jw *w);
/** One of them, as an element of an open array or a named member. False when there is none. */
bool events_write_subscription(const struct events *ev, uint64_t key, struct jw *w, const char *name);

/* -- looking ------------------------------------------------------------------------------------------------------- */
/** Events after a cursor ("" or "0": from now on; "all": from the oldest kept; or an event's id), oldest first, waiting up to
 *  wait_us for the first one. ERR_ABSENT to done: no event of that id is kept.
 *  `done` gets {"value":[…],"last":"<cursor>"}; called on control, once. */
typedef void events_listed_fn(void *arg, enum err err, struct str json);
struct events_query {
    uint64_t   resource;            /* 0: all */
    struct str after;
    struct str type;                /* empty: all */
    const struct json *filter;      /* domain/events/filter.h; NULL: none. Borrowed */
    int64_t    wait_us;             /* at most 60 s */
};
/** Any thread: the server is about to stop. Whoever waits for events is answered now, and nobody waits any more. */
void events_let_go(struct events *ev);
/** The opposite: nothing ends after all. Any thread. */
void events_take_on(struct events *ev);
MUST_USE enum err events_list(struct events *ev, const struct events_query *q, events_listed_fn *done, void *arg,
                              struct problem *why);

/* -- what became of them, and again --------------------------------------------------------------------------------- */
struct events_dead_query {
    uint64_t resource, subscription;    /* 0: all */
    uint64_t before;                    /* a number that followed `link` in an earlier answer; 0: from the newest */
    size_t   limit;                     /* 1..100; 0: 100 */
    struct str link;                    /* nextLink but for its end; lives until done */
};
/** Dead letters, newest first: {"value":[…],"nextLink"}. `done` on control, once. @return ERR_BUSY, ERR_NOMEM; then no done */
MUST_USE enum err events_dead(struct events *ev, const struct events_dead_query *q, events_listed_fn *done, void *arg);
/** One event with its deliveries and every try that is kept; ERR_ABSENT to done: no such event. @return as events_dead() */
MUST_USE enum err events_show(struct events *ev, struct str id, uint64_t resource, events_listed_fn *done, void *arg);

/** @param n  so many deliveries wait to be sent again, also when a later slice failed */
typedef void events_replayed_fn(void *arg, enum err err, size_t n);
/* One event (id): to every subscription that wants it, or to one; or one callback, if it is dead. Else of one subscription what it wants of the events of
 * since_us to before until_us, delivered or not; or (dead) its dead letters of that time. */
struct events_replay_query {
    uint64_t   resource;                /* of the event; 0: any */
    struct str id;
    uint64_t   subscription;
    int64_t    since_us, until_us;
    bool       dead;
};
/** `done` on control, once: ERR_ABSENT, when the event or the subscription is not there (any more). @return as events_dead() */
MUST_USE enum err events_replay(struct events *ev, const struct events_replay_query *q, events_replayed_fn *done, void *arg);
