#include "store/carriers.h"

void carrier_row_insert(struct db_unit *u, const struct carrier_row *row)
{
    db_do(u, DB_CARRIER_INSERT, 1, DB_I(row->key), DB_T(row->kind), DB_T(row->name), DB_T(row->conf));
}

void carrier_row_update(struct db_unit *u, const struct carrier_row *row)
{
    db_do(u, DB_CARRIER_UPDATE, 1, DB_T(row->kind), DB_T(row->name), DB_T(row->conf));
}

void carrier_row_delete(struct db_unit *u, struct str kind, struct str name)
{
    db_do(u, DB_CARRIER_DELETE, 1, DB_T(kind), DB_T(name));
}

enum err carrier_rows_each(struct db *db, enum err (*fn)(void *arg, const struct carrier_row *row), void *arg)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, DB_CARRIER_ALL, NULL, 0, &r);
    while (!err && db_rows_next(r)) {
        struct carrier_row row = { (uint64_t)db_int(r, 0), db_text(r, 1), db_text(r, 2), db_text(r, 3) };
        err = fn(arg, &row);
    }
    return err;
}
