#include "store/routes.h"

void sms_route_row_insert(struct db_unit *u, const struct sms_route_row *r)
{
    db_do(u, DB_SMS_ROUTE_INSERT, 1, DB_I(r->key), DB_T(r->name), DB_T(r->prefix), DB_T(r->sender), DB_T(r->pool),
          DB_T(r->carrier), DB_I(r->weight), DB_I(r->priority), DB_I(r->cost_micro));
}

void sms_route_row_update(struct db_unit *u, const struct sms_route_row *r)
{
    db_do(u, DB_SMS_ROUTE_UPDATE, 1, DB_T(r->name), DB_T(r->prefix), DB_T(r->sender), DB_T(r->pool), DB_T(r->carrier),
          DB_I(r->weight), DB_I(r->priority), DB_I(r->cost_micro));
}

void sms_route_row_delete(struct db_unit *u, struct str name)
{
    db_do(u, DB_SMS_ROUTE_DELETE, 1, DB_T(name));
}

enum err sms_route_rows_each(struct db *db, enum err (*fn)(void *arg, const struct sms_route_row *row), void *arg)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, DB_SMS_ROUTE_ALL, NULL, 0, &r);
    while (!err && db_rows_next(r)) {
        struct sms_route_row row = { (uint64_t)db_int(r, 0), db_text(r, 1), db_text(r, 2), db_text(r, 3), db_text(r, 4),
                                     db_text(r, 5), db_int(r, 6), db_int(r, 7), db_int(r, 8) };
        err = fn(arg, &row);
    }
    return err;
}
