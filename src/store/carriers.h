/* carriers.h - rows of carriers and trunks: kind ("smsc", "trunk"), name, and the JSON they were made from. */
#pragma once
#include "store/db.h"

struct carrier_row {
    uint64_t   key;
    struct str kind, name, conf;
};

void carrier_row_insert(struct db_unit *u, const struct carrier_row *row);
/** Of that kind and name: it must be there (ERR_CONFLICT). */
void carrier_row_update(struct db_unit *u, const struct carrier_row *row);
void carrier_row_delete(struct db_unit *u, struct str kind, struct str name);
/** Blocks; for start-up. */
MUST_USE enum err carrier_rows_each(struct db *db, enum err (*fn)(void *arg, const struct carrier_row *row), void *arg);
