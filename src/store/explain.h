/* explain.h - rows of searches, operations, reservations and numbers, as explain reads them (store/explain.sql). */
#pragma once
#include "store/db.h"

enum explain_made { EXPLAIN_MADE_MESSAGE = 1, EXPLAIN_MADE_CALL, EXPLAIN_MADE_SEARCH, EXPLAIN_MADE_OPERATION,
                    EXPLAIN_MADE_RESERVATION };
MUST_USE enum err explain_ask_made(struct db *db, uint64_t key, struct db_read *read);
bool explain_made_next(struct db_rows *rows, enum explain_made *what);

/** Whose callback a key is. */
MUST_USE enum err explain_ask_callback(struct db *db, uint64_t key, struct db_read *read);
bool explain_callback_next(struct db_rows *rows, uint64_t *call);

struct explain_search_row {
    uint64_t   resource, purchase;
    int        state;               /* 0 held, 1 bought, 2 expired, 3 canceled */
    int64_t    expires_us;
    struct str country, numbers;    /* numbers between blanks */
};
MUST_USE enum err explain_ask_search(struct db *db, uint64_t key, struct db_read *read);
bool explain_search_next(struct db_rows *rows, struct explain_search_row *row);

struct explain_operation_row {
    uint64_t resource, subject;
    int      kind, status;          /* enum operation_kind, enum operation_status of domain/numbers */
    int64_t  created_us, changed_us;
};
MUST_USE enum err explain_ask_operation(struct db *db, uint64_t key, struct db_read *read);
bool explain_operation_next(struct db_rows *rows, struct explain_operation_row *row);

struct explain_reservation_row {
    uint64_t   resource, purchase;
    struct str guid;
    int        state;               /* 0 active, 2 completed, 3 expired */
    int64_t    created_us, expires_us;
};
MUST_USE enum err explain_ask_reservation(struct db *db, uint64_t key, struct db_read *read);
bool explain_reservation_next(struct db_rows *rows, struct explain_reservation_row *row);
/** The newest of that client's id, of one resource or any (0): a row with its key. */
MUST_USE enum err explain_ask_reservation_named(struct db *db, struct str guid, uint64_t resource, struct db_read *read);
bool explain_reservation_named_next(struct db_rows *rows, uint64_t *key);

struct explain_number_row {
    uint64_t   resource, search;
    int        state, calling, sms; /* 2 leased, 3 released, 4 quarantine */
    int64_t    purchased_us, until_us;
    struct str carrier;
};
MUST_USE enum err explain_ask_number(struct db *db, uint64_t digits, struct db_read *read);
bool explain_number_next(struct db_rows *rows, struct explain_number_row *row);

struct explain_lease_row {
    uint64_t resource, cause;       /* cause: the operation that bought it, or the search (cause_kind) */
    int      cause_kind;            /* enum id_kind */
    int64_t  since_us, ended_us;
    unsigned cycles;
};
/** The newest first, as the next one. */
MUST_USE enum err explain_ask_leases(struct db *db, uint64_t digits, struct db_read *read);
bool explain_lease_next(struct db_rows *rows, struct explain_lease_row *row);
