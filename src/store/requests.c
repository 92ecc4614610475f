#include "store/requests.h"

enum { PURGE_SLICE = 2000 };

void request_row_insert(struct db_unit *u, const struct request_row *row)
{
    db_do(u, DB_REQUEST_INSERT, DB_ANY_ROWS, DB_I(row->key), DB_I(row->resource), DB_I(row->at_us), DB_I(row->took_us),
          DB_T(row->operation), DB_I(row->status), DB_I(row->subject), DB_T(row->code), DB_T(row->text), DB_T(row->rule),
          DB_T(row->suggestion));
}

void request_rows_purge(struct db_unit *u, int64_t before_us, bool whole)
{
    db_do(u, DB_REQUEST_PURGE, whole ? PURGE_SLICE : DB_ANY_ROWS, DB_I(before_us), DB_I(PURGE_SLICE));
}

size_t request_rows_purge_first(struct db_unit *u, int64_t most)
{
    int64_t n = most < PURGE_SLICE ? most : PURGE_SLICE;
    db_do(u, DB_REQUEST_PURGE_FIRST, DB_ANY_ROWS, DB_I(n));
    return (size_t)n;
}

enum err request_row_ask(struct db *db, uint64_t key, struct db_read *read)
{
    return db_ask(db, DB_REQUEST_GET, (const struct db_val[]){ DB_I(key) }, 1, 1, read);
}

enum err request_rows_ask_about(struct db *db, uint64_t subject, bool last, size_t limit, struct db_read *read)
{
    return db_ask(db, last ? DB_REQUEST_ABOUT_LAST : DB_REQUEST_ABOUT,
                  (const struct db_val[]){ DB_I(subject), DB_I(limit) }, 2, limit, read);
}

bool request_row_next(struct db_rows *r, struct request_row *row)
{
    if (!db_rows_next(r))
        return false;
    *row = (struct request_row){
        .key = (uint64_t)db_int(r, 0),
        .resource = (uint64_t)db_int(r, 1),
        .at_us = db_int(r, 2),
        .took_us = db_int(r, 3),
        .operation = db_text(r, 4),
        .status = (int)db_int(r, 5),
        .subject = (uint64_t)db_int(r, 6),
        .code = db_text(r, 7),
        .text = db_text(r, 8),
        .rule = db_text(r, 9),
        .suggestion = db_text(r, 10),
    };
    return true;
}

enum err request_rows_ask_count(struct db *db, struct db_read *read)
{
    return db_ask(db, DB_REQUEST_COUNT, NULL, 0, 1, read);
}

enum err request_rows_count(struct db *db, int64_t *n)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, DB_REQUEST_COUNT, NULL, 0, &r);
    if (!err)
        *n = db_rows_next(r) ? db_int(r, 0) : 0;
    return err;
}
