/* numbers.h - rows of numbers that are leased or have been, of searches and what they hold, and of operations.
 *
 * Writing adds statements to a unit; *_each read at start-up and block. Text borrows as in store/accounts.h. Enumerations
 * of the domain are stored as their integers. */
#pragma once
#include "store/db.h"

enum number_row_state { NUMBER_ROW_LEASED = 2, NUMBER_ROW_RELEASED, NUMBER_ROW_QUARANTINE };
struct number_row {
    uint64_t              digits, search, resource;
    enum number_row_state state;
    int                   type, assignment, calling, sms;
    struct str            country, carrier;
    bool                  simulated;
    int64_t               purchased_us, until_us;
};
struct number_search_row {
    uint64_t   key, resource, purchase;
    struct str country, numbers;        /* numbers: digits separated by blanks */
    int        type, assignment, calling, sms, state;
    int64_t    expires_us, lease_micro;
};
struct number_operation_row {
    uint64_t key, resource, subject;
    int      kind, status;
    int64_t  created_us, changed_us;
};

/** Lease one; misses when somebody else has it at row->purchased_us. row->state and until_us are not looked at. */
void number_row_lease(struct db_unit *u, const struct number_row *row);
void number_row_retake(struct db_unit *u, uint64_t digits);     /* held again: out of quarantine */
void number_row_change(struct db_unit *u, uint64_t digits, uint64_t resource, int calling, int sms);
void number_row_release(struct db_unit *u, uint64_t digits, uint64_t resource, int64_t until_us);
void number_row_quarantine(struct db_unit *u, uint64_t digits, int64_t until_us);
void number_row_forget(struct db_unit *u, uint64_t digits, int64_t now_us);

void number_search_row_insert(struct db_unit *u, const struct number_search_row *row);
/** From held to `state`; `must`: misses when it is no longer held. */
void number_search_row_end(struct db_unit *u, uint64_t key, int state, uint64_t purchase, bool must);
void number_search_row_delete(struct db_unit *u, uint64_t key);

void number_operation_row_insert(struct db_unit *u, const struct number_operation_row *row);
void number_operation_row_status(struct db_unit *u, uint64_t key, int status, int64_t changed_us);
void number_operation_row_delete(struct db_unit *u, uint64_t key);

MUST_USE enum err number_rows_each(struct db *db, enum err (*fn)(void *arg, const struct number_row *row), void *arg);
MUST_USE enum err number_search_rows_each(struct db *db, enum err (*fn)(void *arg, const struct number_search_row *row),
                                          void *arg);
MUST_USE enum err number_operation_rows_each(struct db *db,
                                             enum err (*fn)(void *arg, const struct number_operation_row *row), void *arg);

/** Ask for a page of a resource's leased numbers by rising number: behind `after` (0: from the first), without the next `skip`.
 *  Each row of the answer is one number. What is skipped costs its walk; what is behind `after` does not. */
MUST_USE enum err number_leases_ask(struct db *db, uint64_t resource, uint64_t after, int64_t skip, int64_t most,
                                    struct db_read *read);
uint64_t number_lease_row(const struct db_rows *rows);
