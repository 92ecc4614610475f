/* briefs.h - rows of registrations' briefs and of what is attached to them.
 *
 * Writing adds statements to a unit; *_each read at start-up and block. Text borrows as in store/accounts.h. Enumerations of
 * the domain are stored as their integers. */
#pragma once
#include "store/db.h"

struct brief_row {
    uint64_t   key, resource;
    int        kind, state;
    struct str guid, country, number, content, notes;
    int64_t    submitted_us, updated_us;
};
struct brief_attachment_row {
    uint64_t   brief;
    struct str guid, type, name, file_type;
    int64_t    size;
    struct str content;                 /* base64; not read by brief_attachment_rows_each() */
};

void brief_row_insert(struct db_unit *u, const struct brief_row *row);
void brief_row_update(struct db_unit *u, const struct brief_row *row);      /* what may change; misses when it is gone */
void brief_row_delete(struct db_unit *u, uint64_t key);                     /* with its attachments */
void brief_rows_delete_of(struct db_unit *u, uint64_t resource);           /* all of a resource, with theirs */
void brief_attachment_row_put(struct db_unit *u, const struct brief_attachment_row *row);
void brief_attachment_row_delete(struct db_unit *u, uint64_t brief, struct str guid);

MUST_USE enum err brief_rows_each(struct db *db, enum err (*fn)(void *arg, const struct brief_row *row), void *arg);
MUST_USE enum err brief_attachment_rows_each(struct db *db,
                                             enum err (*fn)(void *arg, const struct brief_attachment_row *row), void *arg);

/** Ask for a page of a brief's attachments, or for one by its GUID. */
MUST_USE enum err brief_attachments_ask(struct db *db, uint64_t brief, struct str guid, int64_t skip, int64_t most,
                                        struct db_read *read);
/** The row that the answer stands on. */
struct brief_attachment_row brief_attachment_row_of(const struct db_rows *rows);
