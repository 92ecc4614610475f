/* inventory.h - rows of the operator's numbers: imports, lots, packed batches, rows left out, withdrawals, notes, audit.
 *
 * As in store/numbers.h: writing adds statements to a unit, *_each read at start-up and block, text borrows. */
#pragma once
#include "base/buf.h"
#include "store/db.h"

enum inventory_import_state { INVENTORY_IMPORT_OPEN, INVENTORY_IMPORT_COMPLETE, INVENTORY_IMPORT_ROLLED_BACK,
                              INVENTORY_IMPORT_FAILED };
struct inventory_import_row {
    uint64_t   key, next_line, taken, bad;
    struct str id, file, carrier, mark;
    bool       dry_run;
    int        state;
    int64_t    started_us, ended_us;
};
struct inventory_lot_row {
    uint64_t   key, import;
    struct str carrier, country, tags;
    bool       simulated;
    int        type, calling, sms;
    int64_t    cost_micro;
};
struct inventory_bad_row {
    uint64_t   line;
    struct str rule, number, detail;
};
struct inventory_note_row {
    uint64_t   digits;
    struct str note, tags;
};
struct number_audit_row {
    uint64_t   digits, key, resource;
    int64_t    at_us;
    struct str what, detail;
};

/* -- packed numbers ------------------------------------------------------------------------------------------------- */
void inventory_pack(struct buf *out, const uint64_t *rising, size_t n);
/** @return ERR_STORE (not what was packed), or what fn returned */
MUST_USE enum err inventory_unpack(struct str packed, enum err (*fn)(void *arg, uint64_t digits), void *arg);

/* -- writing -------------------------------------------------------------------------------------------------------- */
void inventory_import_row_insert(struct db_unit *u, const struct inventory_import_row *row);    /* open, at line 1 */
/** A slice was taken; misses unless the import is open and at `from`. */
void inventory_import_row_move(struct db_unit *u, uint64_t key, uint64_t from, uint64_t to, size_t taken, size_t bad,
                               struct str mark);
/** Misses unless it is in the state `from`. */
void inventory_import_row_end(struct db_unit *u, uint64_t key, int from, int to, int64_t ended_us);
void inventory_lot_row_insert(struct db_unit *u, const struct inventory_lot_row *row);
void inventory_batch_row_insert(struct db_unit *u, uint64_t key, uint64_t import, uint64_t lot, struct str packed);
void inventory_bad_row_insert(struct db_unit *u, uint64_t import, const struct inventory_bad_row *row);
void inventory_withdrawn_row_insert(struct db_unit *u, uint64_t digits, uint64_t lot);
void inventory_note_row_put(struct db_unit *u, const struct inventory_note_row *row);   /* both empty: away with it */
void number_audit_row_insert(struct db_unit *u, const struct number_audit_row *row);
/** A slice of what rolled back and failed imports left behind (domain/purge.h). */
void inventory_purge_slice(struct db_unit *u, int64_t before_us, bool whole);

/* -- reading -------------------------------------------------------------------------------------------------------- */
/* What rolled back and failed imports left behind is not shown, but for the imports themselves. */
MUST_USE enum err inventory_import_rows_each(struct db *db, enum err (*fn)(void *arg, const struct inventory_import_row *row),
                                             void *arg);
MUST_USE enum err inventory_lot_rows_each(struct db *db, enum err (*fn)(void *arg, const struct inventory_lot_row *row),
                                          void *arg);
MUST_USE enum err inventory_batch_rows_each(struct db *db, enum err (*fn)(void *arg, uint64_t key, uint64_t lot, struct str packed),
                                            void *arg);
MUST_USE enum err inventory_withdrawn_rows_each(struct db *db, enum err (*fn)(void *arg, uint64_t digits, uint64_t lot),
                                                void *arg);
MUST_USE enum err inventory_note_rows_each(struct db *db, enum err (*fn)(void *arg, const struct inventory_note_row *row),
                                           void *arg);

/** Rows behind a line; inventory_bad_row_read() reads each. @return ERR_BUSY, ERR_NOMEM */
MUST_USE enum err inventory_bad_ask(struct db *db, uint64_t import, uint64_t after_line, size_t most, struct db_read *read);
void inventory_bad_row_read(const struct db_rows *rows, struct inventory_bad_row *out);
/** The newest first, before a key. @return ERR_BUSY, ERR_NOMEM */
MUST_USE enum err number_audit_ask(struct db *db, uint64_t digits, uint64_t before, size_t most, struct db_read *read);
void number_audit_row_read(const struct db_rows *rows, struct number_audit_row *out);
