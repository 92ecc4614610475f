/* requests.h - rows of the API's requests, by the request id that was answered. As store/accounts.h. */
#pragma once
#include "store/db.h"

struct request_row {
    uint64_t   key, resource;
    int64_t    at_us, took_us;      /* product time of the answer */
    struct str operation;
    int        status;
    uint64_t   subject;             /* key or digits of what it was about; 0: nothing, or what it made */
    struct str code, text, rule, suggestion;
};

void request_row_insert(struct db_unit *u, const struct request_row *row);
/** Delete the oldest from before that product time, a slice at a time.
 *  @param whole  demand a whole slice: ERR_CONFLICT then says that less was left */
void request_rows_purge(struct db_unit *u, int64_t before_us, bool whole);
/** Delete the oldest, however young: a slice, at most `most`. @return how many, when there are so many */
size_t request_rows_purge_first(struct db_unit *u, int64_t most);

MUST_USE enum err request_row_ask(struct db *db, uint64_t key, struct db_read *read);
/** The first `limit` about a thing, in order; or with `last` the newest, backwards. */
MUST_USE enum err request_rows_ask_about(struct db *db, uint64_t subject, bool last, size_t limit, struct db_read *read);
bool request_row_next(struct db_rows *rows, struct request_row *row);
MUST_USE enum err request_rows_ask_count(struct db *db, struct db_read *read);     /* one row: how many */
/** How many there are; for start-up. */
MUST_USE enum err request_rows_count(struct db *db, int64_t *n);
