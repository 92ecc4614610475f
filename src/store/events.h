/* events.h - rows of event subscriptions, events, their undelivered copies and the log of tries.
 *
 * Writing adds statements to a unit; *_each read at start-up and block; *_ask answers with rows for a *_next. Text borrows as
 * in store/accounts.h. */
#pragma once
#include "store/db.h"

struct event_subscription_row {
    uint64_t   key, resource;
    struct str name, url, types;
    struct str filter;                      /* JSON; empty: none */
    struct str secrets;                     /* JSON; empty: none. What goes into headers */
    bool       cloud;
    int        state;
    unsigned   batch;                       /* events in one POST at most, 1.. */
};
struct event_row {
    uint64_t   key, resource;
    uint64_t   about;               /* the key within its id; 0: none. Written, not read */
    struct str id, type, subject, data;
    int64_t    at_us;
};
/* Why a delivery was given up. Numbers are stored. */
enum delivery_death { DELIVERY_LIVES, DELIVERY_TRIED_OUT, DELIVERY_TOO_OLD, DELIVERY_UNWANTED };
struct delivery_row {
    uint64_t         key, subscription, resource, call;
    uint64_t         lane;                  /* first tries of a subscription and lane leave in order */
    struct str       url, body;             /* callbacks only */
    int              tries;
    int64_t          next_us, since_us;
    bool             alone;                 /* failed in a batch: by itself from now on */
    enum delivery_death dead;               /* next_us is then when */
    struct str       last;                  /* what the last try met */
    struct event_row event;                 /* key 0: a callback */
};
/* One try of one delivery. */
struct delivery_try_row {
    uint64_t   key, delivery, subscription;
    uint64_t   cause;                       /* the event's key; of a callback (subscription 0) the call's */
    int        n;                           /* which try, from 1; a replay begins anew */
    unsigned   events;                      /* how many were in that POST */
    int64_t    at_us, took_us;              /* product time of its end; how long the endpoint took */
    int        status;                      /* HTTP; 0: no answer, words say why */
    struct str words;
};

void event_subscription_row_insert(struct db_unit *u, const struct event_subscription_row *row);
/** Name, types, filter, batch and secrets. */
void event_subscription_row_change(struct db_unit *u, const struct event_subscription_row *row);
void event_subscription_row_state(struct db_unit *u, uint64_t key, int state);
void event_subscription_row_delete(struct db_unit *u, uint64_t key);
/** Delete a slice of its deliveries. @param whole  demand a whole slice: ERR_CONFLICT then says that less was left */
void delivery_rows_end(struct db_unit *u, uint64_t subscription, bool whole);

void event_row_insert(struct db_unit *u, const struct event_row *row);
/** Delete the oldest events of before that product time which nobody waits for: a slice, so that other units go between.
 *  @param whole  as above */
void event_rows_purge(struct db_unit *u, int64_t before_us, bool whole);
/** Delete dead letters of before that product time; with the last slice also what was written for an ended subscription. */
void delivery_rows_purge(struct db_unit *u, int64_t before_us, bool whole);
void delivery_tries_purge(struct db_unit *u, int64_t before_us, bool whole);

void delivery_row_insert(struct db_unit *u, const struct delivery_row *row);
void delivery_row_delete(struct db_unit *u, uint64_t key);
/** By key: tries, next_us, dead, alone, last. */
void delivery_row_failed(struct db_unit *u, const struct delivery_row *row);
/** A dead letter, as if it had never been tried. */
void delivery_row_revive(struct db_unit *u, uint64_t key, int64_t since_us);
void delivery_try_insert(struct db_unit *u, const struct delivery_try_row *row);
/** Keep the newest few of a cause. */
void delivery_tries_trim(struct db_unit *u, uint64_t cause);

MUST_USE enum err event_subscription_rows_each(struct db *db,
                                               enum err (*fn)(void *arg, const struct event_subscription_row *row),
                                               void *arg);
/** What stands in a line, in order of keys: key, subscription, lane, tries, next_us and alone are filled. */
MUST_USE enum err delivery_rows_in_line(struct db *db, enum err (*fn)(void *arg, const struct delivery_row *row), void *arg);
/** When the first one out of line is due; INT64_MAX: there is none. */
MUST_USE enum err delivery_row_first_due(struct db *db, uint64_t subscription, int64_t *due_us);
/** The newest event's key, 0 when there is none. */
MUST_USE enum err event_row_last(struct db *db, uint64_t *key);

/** Ask for up to 100 events after a key; the answer's rows are read with event_row_next(). */
MUST_USE enum err event_rows_ask_after(struct db *db, uint64_t key, struct db_read *read);
/** The newest of that id, of one resource or any (0): at most one. `about`: the key within the id (ids_key_in()); 0: it has none. */
MUST_USE enum err event_row_ask_id(struct db *db, struct str id, uint64_t about, uint64_t resource, struct db_read *read);
bool event_row_next(struct db_rows *rows, struct event_row *row);

enum { EVENT_ROWS_BETWEEN = 200 };
/** Up to EVENT_ROWS_BETWEEN events of every resource, by time, behind (at_us, key), before until_us. With each its delivery
 *  to the subscription: key 0 when there is none (any more). */
MUST_USE enum err event_rows_ask_between(struct db *db, int64_t at_us, uint64_t key, int64_t until_us, uint64_t subscription,
                                         struct db_read *read);
bool event_row_between_next(struct db_rows *rows, struct event_row *row, uint64_t *delivery, enum delivery_death *dead);

/** Deliveries with their events, by keys, in that order; one that has gone is missing. Not filled: lane, dead, last.
 *  @param keys  a JSON array of integers */
MUST_USE enum err delivery_rows_ask_keys(struct db *db, struct str keys, size_t n, struct db_read *read);
/** Those out of line, behind (next_us, key), by when they are due. */
MUST_USE enum err delivery_rows_ask_due(struct db *db, uint64_t subscription, int64_t next_us, uint64_t key, size_t n,
                                        struct db_read *read);
bool delivery_row_next(struct db_rows *rows, struct delivery_row *row);

/* Whose dead letters: of one subscription, else of one resource, else all. */
struct delivery_whose {
    uint64_t subscription, resource;
};
/** Newest first, before a key. Read with delivery_outline_next(). */
MUST_USE enum err delivery_rows_ask_dead(struct db *db, const struct delivery_whose *whose, uint64_t before, size_t n,
                                         struct db_read *read);
/** Oldest first, after a key, of one subscription. */
MUST_USE enum err delivery_rows_ask_dead_after(struct db *db, uint64_t subscription, uint64_t after, size_t n,
                                               struct db_read *read);
/** What is on its way or dead of one event; the event's own columns are empty. */
MUST_USE enum err delivery_rows_ask_event(struct db *db, uint64_t event, struct db_read *read);
/** One of any sort; the event's own columns are empty. */
MUST_USE enum err delivery_row_ask(struct db *db, uint64_t key, struct db_read *read);
/** Without body; of the event id, type and subject. */
bool delivery_outline_next(struct db_rows *rows, struct delivery_row *row);

/** The tries of one event (its key) or of a call's callbacks (the call's key): the newest 200, oldest first. */
MUST_USE enum err delivery_tries_ask(struct db *db, uint64_t cause, struct db_read *read);
bool delivery_try_next(struct db_rows *rows, struct delivery_try_row *row);

/* Either what is on its way or dead of an event, or a try. */
struct delivery_story_row {
    bool                    tried;
    struct delivery_row     delivery;
    struct delivery_try_row try;        /* when tried */
};
/** Both of one event (delivery_rows_ask_event, delivery_tries_ask) as they were at one moment: deliveries, then tries. */
MUST_USE enum err delivery_story_ask(struct db *db, uint64_t event, struct db_read *read);
bool delivery_story_next(struct db_rows *rows, struct delivery_story_row *row);
