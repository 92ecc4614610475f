/* events.h - rows of event subscriptions, events and their undelivered copies.
 *
 * Writing adds statements to a unit; *_each read at start-up and block. Text borrows as in store/accounts.h. */
#pragma once
#include "store/db.h"

struct event_subscription_row {
    uint64_t   key, resource;
    struct str name, url, types;
    struct str filter;                      /* JSON; empty: none */
    bool       cloud;
    int        state;
};
struct event_row {
    uint64_t   key, resource;
    struct str id, type, subject, data;
    int64_t    at_us;
};
struct delivery_row {
    uint64_t         key, subscription, call;
    struct str       url, body;             /* callbacks only */
    int              tries;
    int64_t          next_us;
    struct event_row event;                 /* key 0: a callback */
};

void event_subscription_row_insert(struct db_unit *u, const struct event_subscription_row *row);
void event_subscription_row_state(struct db_unit *u, uint64_t key, int state);
/** With everything undelivered to it. */
void event_subscription_row_delete(struct db_unit *u, uint64_t key);
void event_row_insert(struct db_unit *u, const struct event_row *row);
/** Delete the oldest events of before that product time which nobody waits for: a slice, so that other units go between.
 *  @param whole  demand a whole slice: ERR_CONFLICT then says that less was left */
void event_rows_purge(struct db_unit *u, int64_t before_us, bool whole);
/** Delete dead letters of before that product time, and what was written for a subscription that had just ended. */
void delivery_rows_purge(struct db_unit *u, int64_t before_us);
void delivery_row_insert(struct db_unit *u, const struct delivery_row *row);
void delivery_row_delete(struct db_unit *u, uint64_t key);
void delivery_row_failed(struct db_unit *u, uint64_t key, int tries, int64_t next_us, bool dead, struct str last);

MUST_USE enum err event_subscription_rows_each(struct db *db,
                                               enum err (*fn)(void *arg, const struct event_subscription_row *row),
                                               void *arg);
MUST_USE enum err delivery_rows_each(struct db *db, enum err (*fn)(void *arg, const struct delivery_row *row), void *arg);
/** The newest event's key, 0 when there is none. */
MUST_USE enum err event_row_last(struct db *db, uint64_t *key);

/** Ask for up to 100 events after a key; the answer's rows are read with event_row_next(). */
MUST_USE enum err event_rows_ask_after(struct db *db, uint64_t key, struct db_read *read);
bool event_row_next(struct db_rows *rows, struct event_row *row);
