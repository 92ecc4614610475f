#include "store/explain.h"

enum { NUMBER_ROWS = 100 };

static enum err ask_key(struct db *db, enum db_stmt stmt, uint64_t key, size_t limit, struct db_read *read)
{
    return db_ask(db, stmt, (const struct db_val[]){ DB_I(key) }, 1, limit, read);
}

static enum err ask_some(struct db *db, enum db_stmt stmt, uint64_t key, struct db_read *read)
{
    return db_ask(db, stmt, (const struct db_val[]){ DB_I(key), DB_I(NUMBER_ROWS) }, 2, NUMBER_ROWS, read);
}

enum err explain_ask_made(struct db *db, uint64_t key, struct db_read *read)
{
    return ask_key(db, DB_EXPLAIN_MADE, key, 5, read);
}

bool explain_made_next(struct db_rows *r, enum explain_made *what)
{
    if (!db_rows_next(r))
        return false;
    *what = (enum explain_made)db_int(r, 0);
    return true;
}

enum err explain_ask_callback(struct db *db, uint64_t key, struct db_read *read)
{
    return ask_key(db, DB_EXPLAIN_CALLBACK, key, 1, read);
}

bool explain_callback_next(struct db_rows *r, uint64_t *call)
{
    if (!db_rows_next(r))
        return false;
    *call = (uint64_t)db_int(r, 0);
    return true;
}

enum err explain_ask_search(struct db *db, uint64_t key, struct db_read *read)
{
    return ask_key(db, DB_EXPLAIN_SEARCH, key, 1, read);
}

bool explain_search_next(struct db_rows *r, struct explain_search_row *row)
{
    if (!db_rows_next(r))
        return false;
    *row = (struct explain_search_row){ .resource = (uint64_t)db_int(r, 0), .state = (int)db_int(r, 1),
                                        .expires_us = db_int(r, 2), .purchase = (uint64_t)db_int(r, 3),
                                        .country = db_text(r, 4), .numbers = db_text(r, 5) };
    return true;
}

enum err explain_ask_operation(struct db *db, uint64_t key, struct db_read *read)
{
    return ask_key(db, DB_EXPLAIN_OPERATION, key, 1, read);
}

bool explain_operation_next(struct db_rows *r, struct explain_operation_row *row)
{
    if (!db_rows_next(r))
        return false;
    *row = (struct explain_operation_row){ .resource = (uint64_t)db_int(r, 0), .kind = (int)db_int(r, 1),
                                           .status = (int)db_int(r, 2), .created_us = db_int(r, 3),
                                           .changed_us = db_int(r, 4), .subject = (uint64_t)db_int(r, 5) };
    return true;
}

enum err explain_ask_reservation(struct db *db, uint64_t key, struct db_read *read)
{
    return ask_key(db, DB_EXPLAIN_RESERVATION, key, 1, read);
}

bool explain_reservation_next(struct db_rows *r, struct explain_reservation_row *row)
{
    if (!db_rows_next(r))
        return false;
    *row = (struct explain_reservation_row){ .resource = (uint64_t)db_int(r, 0), .guid = db_text(r, 1),
                                             .state = (int)db_int(r, 2), .created_us = db_int(r, 3),
                                             .expires_us = db_int(r, 4), .purchase = (uint64_t)db_int(r, 5) };
    return true;
}

enum err explain_ask_reservation_named(struct db *db, struct str guid, uint64_t resource, struct db_read *read)
{
    return db_ask(db, DB_EXPLAIN_RESERVATION_NAMED, (const struct db_val[]){ DB_T(guid), DB_I(resource) }, 2, 1, read);
}

bool explain_reservation_named_next(struct db_rows *r, uint64_t *key)
{
    if (!db_rows_next(r))
        return false;
    *key = (uint64_t)db_int(r, 0);
    return true;
}

enum err explain_ask_number(struct db *db, uint64_t digits, struct db_read *read)
{
    return ask_key(db, DB_EXPLAIN_NUMBER, digits, 1, read);
}

bool explain_number_next(struct db_rows *r, struct explain_number_row *row)
{
    if (!db_rows_next(r))
        return false;
    *row = (struct explain_number_row){ .resource = (uint64_t)db_int(r, 0), .state = (int)db_int(r, 1),
                                        .search = (uint64_t)db_int(r, 2), .calling = (int)db_int(r, 3),
                                        .sms = (int)db_int(r, 4), .purchased_us = db_int(r, 5),
                                        .until_us = db_int(r, 6), .carrier = db_text(r, 7) };
    return true;
}

enum err explain_ask_leases(struct db *db, uint64_t digits, struct db_read *read)
{
    return ask_some(db, DB_EXPLAIN_LEASES, digits, read);
}

bool explain_lease_next(struct db_rows *r, struct explain_lease_row *row)
{
    if (!db_rows_next(r))
        return false;
    *row = (struct explain_lease_row){ .resource = (uint64_t)db_int(r, 0), .since_us = db_int(r, 1),
                                       .cause = (uint64_t)db_int(r, 2), .cause_kind = (int)db_int(r, 3),
                                       .cycles = (unsigned)db_int(r, 4), .ended_us = db_int(r, 5) };
    return true;
}
