/* esmes.h - rows of customers' ESMEs: ids they were answered, parts of messages, what waits for a bound receiver. As
 * store/accounts.h: writing adds to a unit, *_each blocks and is for start-up, text borrows. */
#pragma once
#include "store/db.h"

struct esme_message_row {
    uint64_t message, answered, resource;
    int      registered, reference;     /* reference -1: none */
};
struct esme_part_row {
    uint64_t   key, resource;
    struct str from, to, body;
    unsigned   ref, total, part;
    int        registered, reference;
    int64_t    created_us;
};
struct esme_mail_row {
    uint64_t   key, resource, message, answered;
    bool       receipt;
    struct str from, to, body;
    int        state, reference;
    uint32_t   error;
    int64_t    submitted_us, at_us;
};

void esme_message_row_put(struct db_unit *u, const struct esme_message_row *row);
/** Another text for it, while it waits. @param registered  -1: as it is */
void esme_message_row_replace(struct db_unit *u, uint64_t message, struct str text, unsigned segments, int registered, struct str trail);
void esme_message_rows_drop(struct db_unit *u, uint64_t message);
MUST_USE enum err esme_message_rows_each(struct db *db, void (*fn)(void *arg, const struct esme_message_row *row), void *arg);

void esme_part_row_put(struct db_unit *u, const struct esme_part_row *row);
void esme_part_row_drop(struct db_unit *u, uint64_t key);
MUST_USE enum err esme_part_rows_each(struct db *db, void (*fn)(void *arg, const struct esme_part_row *row), void *arg);

void esme_mail_row_put(struct db_unit *u, const struct esme_mail_row *row);
/** It was taken, or never will be: away with it, and a line for the message's trail. */
void esme_mail_row_end(struct db_unit *u, uint64_t key, uint64_t message, struct str trail);
/** As purge_slice_fn (domain/purge.h). */
void esme_mail_rows_purge(struct db_unit *u, int64_t before_us, bool whole);
/** A resource's, the oldest first, behind a key. */
MUST_USE enum err esme_mail_rows_ask(struct db *db, uint64_t resource, uint64_t after, size_t most, struct db_read *read);
bool esme_mail_row_next(struct db_rows *rows, struct esme_mail_row *row);
MUST_USE enum err esme_mail_newest(struct db *db, uint64_t *key);       /* 0: there is none */

void esme_box_row_put(struct db_unit *u, uint64_t resource, bool bound, int64_t at_us);
MUST_USE enum err esme_box_rows_each(struct db *db, void (*fn)(void *arg, uint64_t resource, bool bound, int64_t at_us), void *arg);
/** All of a resource that ends. */
void esme_rows_end(struct db_unit *u, uint64_t resource);
