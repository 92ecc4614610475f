#include "store/numbers.h"
#include "store/store_priv.h"

void number_row_lease(struct db_unit *u, const struct number_row *row)
{
    db_do(u, DB_NUMBER_LEASE, 1, DB_I(row->digits), DB_I(row->search), DB_I(row->resource), DB_I(row->type),
          DB_I(row->assignment), DB_I(row->calling), DB_I(row->sms), DB_T(row->country), DB_T(row->carrier),
          DB_I(row->simulated), DB_I(row->purchased_us));
}

void number_row_retake(struct db_unit *u, uint64_t digits)
{
    db_do(u, DB_NUMBER_RETAKE, DB_ANY_ROWS, DB_I(digits));
}

void number_row_change(struct db_unit *u, uint64_t digits, uint64_t resource, int calling, int sms)
{
    db_do(u, DB_NUMBER_CHANGE, 1, DB_I(digits), DB_I(resource), DB_I(calling), DB_I(sms));
}

void number_row_release(struct db_unit *u, uint64_t digits, uint64_t resource, int64_t until_us)
{
    db_do(u, DB_NUMBER_RELEASE, 1, DB_I(digits), DB_I(resource), DB_I(until_us));
}

void number_row_quarantine(struct db_unit *u, uint64_t digits, int64_t until_us)
{
    db_do(u, DB_NUMBER_QUARANTINE, DB_ANY_ROWS, DB_I(digits), DB_I(until_us));
}

void number_row_forget(struct db_unit *u, uint64_t digits, int64_t now_us)
{
    db_do(u, DB_NUMBER_FORGET, DB_ANY_ROWS, DB_I(digits), DB_I(now_us));
}

void number_search_row_insert(struct db_unit *u, const struct number_search_row *row)
{
    db_do(u, DB_NUMBER_SEARCH_INSERT, 1, DB_I(row->key), DB_I(row->resource), DB_T(row->country), DB_I(row->type),
          DB_I(row->assignment), DB_I(row->calling), DB_I(row->sms), DB_I(row->expires_us), DB_I(row->lease_micro),
          DB_T(row->numbers));
}

void number_search_row_end(struct db_unit *u, uint64_t key, int state, uint64_t purchase, bool must)
{
    db_do(u, DB_NUMBER_SEARCH_END, must ? 1 : DB_ANY_ROWS, DB_I(key), DB_I(state), DB_I(purchase));
}

void number_search_row_delete(struct db_unit *u, uint64_t key)
{
    db_do(u, DB_NUMBER_SEARCH_DELETE, DB_ANY_ROWS, DB_I(key));
}

void number_operation_row_insert(struct db_unit *u, const struct number_operation_row *row)
{
    db_do(u, DB_NUMBER_OPERATION_INSERT, 1, DB_I(row->key), DB_I(row->resource), DB_I(row->kind), DB_I(row->status),
          DB_I(row->created_us), DB_I(row->changed_us), DB_I(row->subject));
}

void number_operation_row_status(struct db_unit *u, uint64_t key, int status, int64_t changed_us)
{
    db_do(u, DB_NUMBER_OPERATION_STATUS, 1, DB_I(key), DB_I(status), DB_I(changed_us));
}

void number_operation_row_delete(struct db_unit *u, uint64_t key)
{
    db_do(u, DB_NUMBER_OPERATION_DELETE, DB_ANY_ROWS, DB_I(key));
}

/* -- reading -------------------------------------------------------------------------------------------------------- */

/* Rows are handed on as they come: there may be millions. */
struct walk {
    enum err err;
    union {
        enum err (*number)(void *arg, const struct number_row *row);
        enum err (*search)(void *arg, const struct number_search_row *row);
        enum err (*operation)(void *arg, const struct number_operation_row *row);
    } fn;
    void *arg;
};

static enum err walk(struct db *db, enum db_stmt stmt, db_row_fn *fn, struct walk *w)
{
    enum err err = db_each(db, stmt, NULL, 0, fn, w);
    return err ? err : w->err;
}

static bool on_number(void *arg, const struct db_rows *r)
{
    struct walk *w = arg;
    struct number_row row = {
        .digits = key_at(r, 0),
        .state = (enum number_row_state)db_int(r, 1),
        .search = key_at(r, 2),
        .resource = key_at(r, 3),
        .type = int_at(r, 4),
        .assignment = int_at(r, 5),
        .calling = int_at(r, 6),
        .sms = int_at(r, 7),
        .country = db_text(r, 8),
        .carrier = db_text(r, 9),
        .simulated = db_int(r, 10) != 0,
        .purchased_us = db_int(r, 11),
        .until_us = db_int(r, 12),
    };
    w->err = w->fn.number(w->arg, &row);
    return !w->err;
}

static bool on_search(void *arg, const struct db_rows *r)
{
    struct walk *w = arg;
    struct number_search_row row = {
        .key = key_at(r, 0),
        .resource = key_at(r, 1),
        .country = db_text(r, 2),
        .type = int_at(r, 3),
        .assignment = int_at(r, 4),
        .calling = int_at(r, 5),
        .sms = int_at(r, 6),
        .state = int_at(r, 7),
        .expires_us = db_int(r, 8),
        .lease_micro = db_int(r, 9),
        .purchase = key_at(r, 10),
        .numbers = db_text(r, 11),
    };
    w->err = w->fn.search(w->arg, &row);
    return !w->err;
}

static bool on_operation(void *arg, const struct db_rows *r)
{
    struct walk *w = arg;
    struct number_operation_row row = {
        .key = key_at(r, 0),
        .resource = key_at(r, 1),
        .kind = int_at(r, 2),
        .status = int_at(r, 3),
        .created_us = db_int(r, 4),
        .changed_us = db_int(r, 5),
        .subject = key_at(r, 6),
    };
    w->err = w->fn.operation(w->arg, &row);
    return !w->err;
}

enum err number_rows_each(struct db *db, enum err (*fn)(void *arg, const struct number_row *row), void *arg)
{
    return walk(db, DB_NUMBER_ALL, on_number, &(struct walk){ .fn.number = fn, .arg = arg });
}

enum err number_search_rows_each(struct db *db, enum err (*fn)(void *arg, const struct number_search_row *row), void *arg)
{
    return walk(db, DB_NUMBER_SEARCH_ALL, on_search, &(struct walk){ .fn.search = fn, .arg = arg });
}

enum err number_operation_rows_each(struct db *db, enum err (*fn)(void *arg, const struct number_operation_row *row),
                                    void *arg)
{
    return walk(db, DB_NUMBER_OPERATION_ALL, on_operation, &(struct walk){ .fn.operation = fn, .arg = arg });
}

enum err number_leases_ask(struct db *db, uint64_t resource, uint64_t after, int64_t skip, int64_t most, struct db_read *read)
{
    const struct db_val vals[] = { DB_I(resource), DB_I(after), DB_I(most), DB_I(skip) };
    return db_ask(db, DB_NUMBER_LEASES, vals, 4, (size_t)most, read);
}

uint64_t number_lease_row(const struct db_rows *rows)
{
    return key_at(rows, 0);
}
