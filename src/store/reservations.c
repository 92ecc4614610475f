#include "store/reservations.h"

void reservation_row_insert(struct db_unit *u, const struct reservation_row *row)
{
    db_do(u, DB_RESERVATION_ITEM_DELETE_OVER, DB_ANY_ROWS, DB_I(row->resource), DB_T(row->guid), DB_I(row->created_us));
    db_do(u, DB_RESERVATION_DELETE_OVER, DB_ANY_ROWS, DB_I(row->resource), DB_T(row->guid), DB_I(row->created_us));
    db_do(u, DB_RESERVATION_INSERT, 1, DB_I(row->key), DB_I(row->resource), DB_T(row->guid), DB_I(row->created_us),
          DB_I(row->expires_us));
}

void reservation_row_extend(struct db_unit *u, uint64_t key, int64_t expires_us)
{
    db_do(u, DB_RESERVATION_EXTEND, 1, DB_I(key), DB_I(expires_us));
}

void reservation_row_end(struct db_unit *u, uint64_t key, int state, uint64_t purchase, bool must)
{
    db_do(u, DB_RESERVATION_END, must ? 1 : DB_ANY_ROWS, DB_I(key), DB_I(state), DB_I(purchase));
}

void reservation_row_delete(struct db_unit *u, uint64_t key)
{
    db_do(u, DB_RESERVATION_ITEM_DELETE_ALL, DB_ANY_ROWS, DB_I(key));
    db_do(u, DB_RESERVATION_DELETE, DB_ANY_ROWS, DB_I(key));
}

void reservation_item_row_put(struct db_unit *u, const struct reservation_item_row *row)
{
    db_do(u, DB_RESERVATION_ITEM_PUT, 1, DB_I(row->reservation), DB_I(row->digits), DB_I(row->type), DB_I(row->assignment),
          DB_I(row->calling), DB_I(row->sms), DB_T(row->country), DB_I(row->lease_micro), DB_T(row->error_code),
          DB_T(row->error_text));
}

void reservation_item_row_delete(struct db_unit *u, uint64_t reservation, uint64_t digits)
{
    db_do(u, DB_RESERVATION_ITEM_DELETE, DB_ANY_ROWS, DB_I(reservation), DB_I(digits));
}

/* -- reading -------------------------------------------------------------------------------------------------------- */

struct walk {
    enum err err;
    enum err (*reservation)(void *arg, const struct reservation_row *row);
    enum err (*item)(void *arg, const struct reservation_item_row *row);
    void *arg;
};

static bool on_reservation(void *arg, const struct db_rows *r)
{
    struct walk *w = arg;
    struct reservation_row row = {
        .key = (uint64_t)db_int(r, 0),
        .resource = (uint64_t)db_int(r, 1),
        .guid = db_text(r, 2),
        .state = (int)db_int(r, 3),
        .created_us = db_int(r, 4),
        .expires_us = db_int(r, 5),
        .purchase = (uint64_t)db_int(r, 6),
    };
    w->err = w->reservation(w->arg, &row);
    return !w->err;
}

static bool on_item(void *arg, const struct db_rows *r)
{
    struct walk *w = arg;
    struct reservation_item_row row = {
        .reservation = (uint64_t)db_int(r, 0),
        .digits = (uint64_t)db_int(r, 1),
        .type = (int)db_int(r, 2),
        .assignment = (int)db_int(r, 3),
        .calling = (int)db_int(r, 4),
        .sms = (int)db_int(r, 5),
        .country = db_text(r, 6),
        .lease_micro = db_int(r, 7),
        .error_code = db_text(r, 8),
        .error_text = db_text(r, 9),
    };
    w->err = w->item(w->arg, &row);
    return !w->err;
}

enum err reservation_rows_each(struct db *db, enum err (*fn)(void *arg, const struct reservation_row *row), void *arg)
{
    struct walk w = { .reservation = fn, .arg = arg };
    enum err err = db_each(db, DB_RESERVATION_ALL, NULL, 0, on_reservation, &w);
    return err ? err : w.err;
}

enum err reservation_item_rows_each(struct db *db, enum err (*fn)(void *arg, const struct reservation_item_row *row),
                                    void *arg)
{
    struct walk w = { .item = fn, .arg = arg };
    enum err err = db_each(db, DB_RESERVATION_ITEM_ALL, NULL, 0, on_item, &w);
    return err ? err : w.err;
}
