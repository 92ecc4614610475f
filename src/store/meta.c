#include "store/meta.h"

#include <stdio.h>

void meta_row_put_int(struct db_unit *u, struct str name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    db_do(u, DB_META_PUT, 1, DB_T(name), DB_Z(text));
}

enum err meta_load_int(struct db *db, struct str name, int64_t *out)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, DB_META_GET, (const struct db_val[]){ DB_T(name) }, 1, &r);
    if (!err && db_rows_next(r))
        *out = strtoll(db_text(r, 0).p, NULL, 10);
    return err;
}
