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
