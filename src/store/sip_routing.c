#include "store/sip_routing.h"

void sip_routing_row_put(struct db_unit *u, uint64_t resource, struct str conf)
{
    db_do(u, DB_SIP_ROUTING_PUT, 1, DB_I(resource), DB_T(conf));
}

enum err sip_routing_rows_each(struct db *db, enum err (*fn)(void *arg, uint64_t resource, struct str conf), void *arg)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, DB_SIP_ROUTING_ALL, NULL, 0, &r);
    while (!err && db_rows_next(r))
        err = fn(arg, (uint64_t)db_int(r, 0), db_text(r, 1));
    return err;
}

void sip_domain_row_insert(struct db_unit *u, struct str name, uint64_t resource, int64_t since_us)
{
    db_do(u, DB_SIP_DOMAIN_INSERT, 1, DB_T(name), DB_I(resource), DB_I(since_us));
}

void sip_domain_row_delete(struct db_unit *u, struct str name, uint64_t resource)
{
    db_do(u, DB_SIP_DOMAIN_DELETE, 1, DB_T(name), DB_I(resource));
}

enum err sip_domain_rows_each(struct db *db, enum err (*fn)(void *arg, struct str name, uint64_t resource, int64_t since_us),
                              void *arg)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, DB_SIP_DOMAIN_ALL, NULL, 0, &r);
    while (!err && db_rows_next(r))
        err = fn(arg, db_text(r, 0), (uint64_t)db_int(r, 1), db_int(r, 2));
    return err;
}

void sip_routing_rows_delete_of(struct db_unit *u, uint64_t resource)
{
    db_do(u, DB_SIP_ROUTING_DELETE, DB_ANY_ROWS, DB_I(resource));
    db_do(u, DB_SIP_DOMAIN_DELETE_OF_RESOURCE, DB_ANY_ROWS, DB_I(resource));
}
