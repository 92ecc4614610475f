#include "store/refusals.h"

enum { PURGE_SLICE = 2000 };

void refusal_row_insert(struct db_unit *u, const struct refusal_row *row)
{
    db_do(u, DB_REFUSAL_INSERT, 1, DB_I(row->request), DB_I(row->resource), DB_I(row->at_us), DB_T(row->what),
          DB_I(row->status), DB_T(row->code), DB_T(row->text), DB_T(row->rule), DB_T(row->suggestion));
}

void refusal_rows_purge(struct db_unit *u, int64_t before_us, bool whole)
{
    db_do(u, DB_REFUSAL_PURGE, whole ? PURGE_SLICE : DB_ANY_ROWS, DB_I(before_us), DB_I(PURGE_SLICE));
}

enum err refusal_row_ask(struct db *db, uint64_t request, struct db_read *read)
{
    return db_ask(db, DB_REFUSAL_GET, (const struct db_val[]){ DB_I(request) }, 1, 1, read);
}

bool refusal_row_next(struct db_rows *r, struct refusal_row *row)
{
    if (!db_rows_next(r))
        return false;
    *row = (struct refusal_row){
        .request = (uint64_t)db_int(r, 0),
        .resource = (uint64_t)db_int(r, 1),
        .at_us = db_int(r, 2),
        .what = db_text(r, 3),
        .status = (int)db_int(r, 4),
        .code = db_text(r, 5),
        .text = db_text(r, 6),
        .rule = db_text(r, 7),
        .suggestion = db_text(r, 8),
    };
    return true;
}
