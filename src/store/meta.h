/* meta.h - facts the database holds of itself: the clock's offset, the seed. */
#pragma once
#include "store/db.h"

void meta_row_put_int(struct db_unit *u, struct str name, int64_t value);
/** Blocks; for start-up. *out keeps its value when there is no such fact. */
MUST_USE enum err meta_load_int(struct db *db, struct str name, int64_t *out);
