/* messages.h - rows of messages, of the segments carriers took, and of opt-outs. As store/accounts.h: writing adds to a
 * unit, *_each blocks and is for start-up, text borrows. */
#pragma once
#include "store/db.h"

struct message_row {
    uint64_t   key, resource;
    bool       inbound, report;
    struct str from, to, text, tag, repeat_id, carrier, trail;
    int        state;               /* 10 and above are final */
    unsigned   segments;
    int64_t    created_us, updated_us;
    int64_t    send_at_us;          /* not before; 0: at once. Written by message_row_send_at() */
    int64_t    valid_until_us;      /* of those that are unfinished; 0: no end. Written by message_row_valid_until() */
    bool       listed, stops;       /* false: it comes only because the search stops at it */
};
struct segment_row {
    uint64_t   message;
    unsigned   segment;
    struct str carrier, remote_id;
    int        receipt;             /* the carrier's state of it; -1: none yet */
};
struct inbound_part_row {
    struct str carrier, from, to, body;
    unsigned   ref, total, part;
    int64_t    at_us;
};

void message_row_insert(struct db_unit *u, const struct message_row *row);
/** @param trail  lines to append */
void message_row_step(struct db_unit *u, uint64_t key, int state, struct str carrier, int64_t at_us, struct str trail);
void message_row_send_at(struct db_unit *u, uint64_t key, int64_t at_us);
void message_row_valid_until(struct db_unit *u, uint64_t key, int64_t until_us);
void segment_row_insert(struct db_unit *u, const struct segment_row *row);
void segment_row_receipt(struct db_unit *u, uint64_t message, unsigned segment, int receipt);
void segment_rows_forget(struct db_unit *u, uint64_t message);
/** A receipt that matches nothing (yet): kept, in place of an earlier one of that id. */
void stray_receipt_row_put(struct db_unit *u, struct str carrier, struct str remote_id, int state, uint32_t status,
                           int64_t at_us);
void stray_receipt_row_take(struct db_unit *u, struct str carrier, struct str remote_id);
void stray_receipt_rows_purge(struct db_unit *u, int64_t before_us);
/** A part of a message that comes in, in place of the same one. */
void inbound_part_row_put(struct db_unit *u, const struct inbound_part_row *row);
/** All of its message: carrier, from, to, ref and total say which. */
void inbound_part_rows_drop(struct db_unit *u, const struct inbound_part_row *row);
void inbound_part_rows_purge(struct db_unit *u, int64_t before_us);
/** A statement that changes nothing: its commit says that everything posted before has been decided. */
void message_row_nothing(struct db_unit *u);
/** @param source  who said so: "STOP", "application", "carrier acme"  @param about  the message whose answer or receipt it was; 0 */
void optout_row_add(struct db_unit *u, struct str sender, struct str recipient, int64_t at_us, struct str source, uint64_t about);
void optout_row_remove(struct db_unit *u, struct str sender, struct str recipient);
void optout_rows_drop(struct db_unit *u, struct str sender);            /* all of a sender */

MUST_USE enum err message_rows_unfinished(struct db *db, enum err (*fn)(void *arg, const struct message_row *row), void *arg);
MUST_USE enum err segment_rows_unfinished(struct db *db, enum err (*fn)(void *arg, const struct segment_row *row), void *arg);
/** Of one message, those without a final receipt. */
MUST_USE enum err segment_rows_ask(struct db *db, uint64_t message, size_t most, struct db_read *read);
bool segment_row_next(struct db_rows *rows, struct segment_row *out);
/** Rows with a repeat_id from this key and this time on: key, resource, repeat_id, created_us are filled, and what was asked: from, to,
 *  text, tag, report. */
MUST_USE enum err message_rows_repeats(struct db *db, uint64_t from_key, int64_t from_us,
                                       enum err (*fn)(void *arg, const struct message_row *row), void *arg);
/** Outbound rows from this key on and after this time, the oldest first: key, from and created_us are filled. */
MUST_USE enum err message_rows_sent(struct db *db, uint64_t from_key, int64_t after_us,
                                    enum err (*fn)(void *arg, const struct message_row *row), void *arg);
/** The oldest first. */
MUST_USE enum err inbound_part_rows_each(struct db *db, enum err (*fn)(void *arg, const struct inbound_part_row *row), void *arg);
MUST_USE enum err optout_rows_each(struct db *db, enum err (*fn)(void *arg, struct str sender, struct str recipient, struct str source),
                                   void *arg);

/** A sender's, behind a recipient, by rising recipient. */
MUST_USE enum err optout_rows_ask(struct db *db, struct str sender, struct str after, size_t most, struct db_read *read);
struct optout_row { struct str recipient, source; int64_t at_us; uint64_t about; };
bool optout_row_next(struct db_rows *rows, struct optout_row *out);

MUST_USE enum err message_row_ask(struct db *db, uint64_t key, struct db_read *read);
struct message_filter {
    uint64_t   before, resource;        /* keys below this one; 0: of all resources */
    struct str from, to, tag;           /* empty: any */
    int        inbound;                 /* 0, 1; -1: both */
    int        state_least, state_most;
    int64_t    since_us, until_us;      /* created */
    size_t     top;
};
/** Newest first. A search that is long stops early, at a row that may be none of those looked for (`listed`). */
MUST_USE enum err message_rows_ask_list(struct db *db, const struct message_filter *f, struct db_read *read);
bool message_row_next(struct db_rows *rows, struct message_row *row);
