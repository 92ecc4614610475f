/* reservations.h - rows of reservations of phone numbers and of what is in them, which is what they hold.
 *
 * As in store/numbers.h: writing adds statements to a unit, *_each read at start-up and block. */
#pragma once
#include "store/db.h"

struct reservation_row {
    uint64_t   key, resource, purchase;
    struct str guid;
    int        state;
    int64_t    created_us, expires_us;
};
struct reservation_item_row {
    uint64_t   reservation, digits;
    int        type, assignment, calling, sms;
    struct str country, error_code, error_text;
    int64_t    lease_micro;
};

/** An active one, in place of an old one of that name that could not be deleted in its time. */
void reservation_row_insert(struct db_unit *u, const struct reservation_row *row);
/** Misses when it is no longer active. */
void reservation_row_extend(struct db_unit *u, uint64_t key, int64_t expires_us);
/** From active to `state`; `must`: misses when it is no longer active. */
void reservation_row_end(struct db_unit *u, uint64_t key, int state, uint64_t purchase, bool must);
void reservation_row_delete(struct db_unit *u, uint64_t key);                           /* and its items */
void reservation_item_row_put(struct db_unit *u, const struct reservation_item_row *row);
void reservation_item_row_delete(struct db_unit *u, uint64_t reservation, uint64_t digits);

MUST_USE enum err reservation_rows_each(struct db *db, enum err (*fn)(void *arg, const struct reservation_row *row),
                                        void *arg);
/** By reservation. */
MUST_USE enum err reservation_item_rows_each(struct db *db,
                                             enum err (*fn)(void *arg, const struct reservation_item_row *row), void *arg);
