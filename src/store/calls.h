/* calls.h - the rows of calls, of what happened in them and of repeatable requests.
 *
 * Writers add to a unit of the caller's; readers ask the store and the reply goes where `read` says. Strings of a row
 * that was read live as long as its db_rows. Nobody else knows the columns. */
#pragma once
#include "store/db.h"

struct call_row {
    uint64_t   key, resource, leg;
    bool       outbound;
    struct str caller, callee, display, source, callback_uri, context, trunk;
    int64_t    created_us, connected_us, ended_us;      /* 0: not yet */
    int        code, subcode, sip, q850;
    struct str words;
    uint64_t   sent, received, lost;                    /* RTP packets */
};

void call_row_insert(struct db_unit *u, const struct call_row *row);    /* key .. created_us; the rest is 0 or empty */
/** An inbound call was taken: by whom, and where its callbacks go. */
void call_row_accept(struct db_unit *u, uint64_t key, struct str callback_uri, struct str context);
void call_row_connect(struct db_unit *u, uint64_t key, int64_t at_us);
void call_row_end(struct db_unit *u, const struct call_row *row);       /* key, ended_us, code .. words */
void call_row_media(struct db_unit *u, uint64_t key, uint64_t sent, uint64_t received, uint64_t lost);
void call_trail_insert(struct db_unit *u, uint64_t call, unsigned seq, int64_t at_us, struct str step);
/** The unit fails (ERR_CONFLICT) when the id was used after `floor_us`. */
void call_repeat_insert(struct db_unit *u, uint64_t resource, struct str id, uint64_t call, int64_t at_us,
                        int64_t floor_us);

/* Readers. @return as db_ask() */
MUST_USE enum err call_ask(struct db *db, uint64_t key, struct db_read *read);
/** Newest first, from below `before` (0: from the newest); resource 0: all. */
MUST_USE enum err call_ask_list(struct db *db, uint64_t resource, uint64_t before, size_t limit, struct db_read *read);
MUST_USE enum err call_ask_trail(struct db *db, uint64_t call, struct db_read *read);
/** The call that request id made or ended after `floor_us`. */
MUST_USE enum err call_ask_repeat(struct db *db, uint64_t resource, struct str id, int64_t floor_us, struct db_read *read);
/** Calls that have not ended, for start-up. */
MUST_USE enum err call_load_open(struct db *db, struct db_rows **out);

void call_row_read(const struct db_rows *r, struct call_row *out);      /* the current row of all but the trail */
void call_trail_read(const struct db_rows *r, int64_t *at_us, struct str *step);
