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
struct resource_row {
    uint64_t   key, subscription;
    struct str name;
    struct str access_key[2];           /* base64 */
};

void subscription_row_insert(struct db_unit *u, const struct subscription_row *row);
void resource_row_insert(struct db_unit *u, const struct resource_row *row);
void resource_row_set_key(struct db_unit *u, uint64_t resource, unsigned slot, struct str access_key);

/** Call fn for each row, oldest first, until it fails. @return its error, or ERR_STORE, ERR_NOMEM */
MUST_USE enum err subscription_rows_each(struct db *db, enum err (*fn)(void *arg, const struct subscription_row *row),
                                         void *arg);
MUST_USE enum err resource_rows_each(struct db *db, enum err (*fn)(void *arg, const struct resource_row *row), void *arg);
