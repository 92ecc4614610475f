/* refusals.h - rows of refused requests, by the request id that was answered. */
#pragma once
#include "store/db.h"

struct refusal_row {
    uint64_t   request, resource;
    int64_t    at_us;
    struct str what, code, text, rule, suggestion;
    int        status;
};

void refusal_row_insert(struct db_unit *u, const struct refusal_row *row);
/** Delete the oldest from before that product time, a slice at a time.
 *  @param whole  demand a whole slice: ERR_CONFLICT then says that less was left */
void refusal_rows_purge(struct db_unit *u, int64_t before_us, bool whole);
MUST_USE enum err refusal_row_ask(struct db *db, uint64_t request, struct db_read *read);
bool refusal_row_next(struct db_rows *rows, struct refusal_row *row);
