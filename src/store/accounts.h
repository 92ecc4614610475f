/* accounts.h - rows of subscriptions and resources.
 *
 * Writing adds statements to a unit; reading is for start-up (it blocks). Text borrows from the caller, or, in a row
 * handed to a callback, from the read until the callback returns. */
#pragma once
#include "store/db.h"

struct subscription_row {
    uint64_t   key;
    struct str name, offer, billing_country;
    bool       active;
};
enum resource_row_state { RESOURCE_ROW_ACTIVE, RESOURCE_ROW_ENDING, RESOURCE_ROW_GONE };
struct resource_row {
    uint64_t   key, subscription;
    struct str name;
    struct str access_key[2];           /* base64; empty once it is being deleted */
    enum resource_row_state state;
    struct str group, location, data_location;
    struct str tags, identity;          /* JSON objects, or empty */
    bool       keys_off;
    int64_t    created_us, changed_us;
};

void subscription_row_insert(struct db_unit *u, const struct subscription_row *row);
/** Offer, billing country and state; the name stays. */
void subscription_row_set(struct db_unit *u, const struct subscription_row *row);
/** state and changed_us are not looked at. */
void resource_row_insert(struct db_unit *u, const struct resource_row *row);
/** tags, identity, keys_off, changed_us; misses when it is no longer active, as does the next. */
void resource_row_set(struct db_unit *u, const struct resource_row *row);
void resource_row_set_key(struct db_unit *u, uint64_t resource, unsigned slot, struct str access_key);
/** From active to being deleted; misses otherwise. */
void resource_row_end(struct db_unit *u, uint64_t resource, int64_t now_us);
/** From being deleted to gone; misses while it leases a number. */
void resource_row_gone(struct db_unit *u, uint64_t resource, int64_t now_us);

/** Call fn for each row, oldest first, until it fails. @return its error, or ERR_STORE, ERR_NOMEM */
MUST_USE enum err subscription_rows_each(struct db *db, enum err (*fn)(void *arg, const struct subscription_row *row),
                                         void *arg);
MUST_USE enum err resource_rows_each(struct db *db, enum err (*fn)(void *arg, const struct resource_row *row), void *arg);
