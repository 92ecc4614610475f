/* quotas.h - rows of what counts against quotas: an operation, whose, of which sort, when. */
#pragma once
#include "store/db.h"

void quota_row_insert(struct db_unit *u, uint64_t operation, uint64_t subscription, int what, int64_t at_us);
/** Those of before_us and earlier. */
void quota_rows_forget(struct db_unit *u, uint64_t subscription, int what, int64_t before_us);
/** The oldest first. Blocks; for start-up. */
MUST_USE enum err quota_rows_each(struct db *db,
                                  enum err (*fn)(void *arg, uint64_t operation, uint64_t subscription, int what, int64_t at_us),
                                  void *arg);
