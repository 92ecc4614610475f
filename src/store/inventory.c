#include "store/inventory.h"
#include "store/store_priv.h"

enum { PURGED_AT_ONCE = 200 };

/* -- packed numbers ------------------------------------------------------------------------------------------------- */

void inventory_pack(struct buf *out, const uint64_t *rising, size_t n)
{
    enum { VARINT_MOST = 10 };
    uint64_t last = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t *p = (uint8_t *)buf_room(out, VARINT_MOST);
        if (!p)
            return;
        for (uint64_t v = rising[i] - last; ; v >>= 7, p++) {
            *p = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
            out->n++;
            if (v <= 0x7f)
                break;
        }
        last = rising[i];
    }
}

enum err inventory_unpack(struct str packed, enum err (*fn)(void *arg, uint64_t digits), void *arg)
{
    uint64_t digits = 0;
    enum err err = ERR_NONE;
    for (size_t i = 0; i < packed.n && !err;) {
        uint64_t step = 0;
        unsigned shift = 0;
        bool more = true;
        for (; more && i < packed.n && shift < 63; shift += 7) {
            uint8_t c = (uint8_t)packed.p[i++];
            step |= (uint64_t)(c & 0x7f) << shift;
            more = c & 0x80;
        }
        digits += step;
        err = more || !step ? ERR_STORE : fn(arg, digits);
    }
    return err;
}

/* -- writing -------------------------------------------------------------------------------------------------------- */

void inventory_import_row_insert(struct db_unit *u, const struct inventory_import_row *row)
{
    db_do(u, DB_INVENTORY_IMPORT_INSERT, 1, DB_I(row->key), DB_T(row->id), DB_T(row->file), DB_T(row->carrier),
          DB_I(row->started_us), DB_I(row->dry_run));
}

void inventory_import_row_move(struct db_unit *u, uint64_t key, uint64_t from, uint64_t to, size_t taken, size_t bad,
                               struct str mark)
{
    db_do(u, DB_INVENTORY_IMPORT_MOVE, 1, DB_I(key), DB_I(from), DB_I(to), DB_I(taken), DB_I(bad), DB_T(mark));
}

void inventory_import_row_end(struct db_unit *u, uint64_t key, int from, int to, int64_t ended_us)
{
    db_do(u, DB_INVENTORY_IMPORT_END, 1, DB_I(key), DB_I(from), DB_I(to), DB_I(ended_us));
}

/* Two lots of a list may be one of its import: a row that names the import's carrier, and one that leaves it out. */
void inventory_lot_row_insert(struct db_unit *u, const struct inventory_lot_row *row)
{
    db_do(u, DB_INVENTORY_LOT_INSERT, DB_ANY_ROWS, DB_I(row->key), DB_I(row->import), DB_T(row->carrier), DB_I(row->simulated),
          DB_T(row->country), DB_I(row->type), DB_I(row->calling), DB_I(row->sms), DB_I(row->cost_micro), DB_T(row->tags));
}

void inventory_batch_row_insert(struct db_unit *u, uint64_t key, uint64_t import, uint64_t lot, struct str packed)
{
    db_do(u, DB_INVENTORY_BATCH_INSERT, 1, DB_I(key), DB_I(import), DB_I(lot), DB_B(packed));
}

void inventory_bad_row_insert(struct db_unit *u, uint64_t import, const struct inventory_bad_row *row)
{
    db_do(u, DB_INVENTORY_BAD_INSERT, DB_ANY_ROWS, DB_I(import), DB_I(row->line), DB_T(row->rule), DB_T(row->number),
          DB_T(row->detail));
}

void inventory_withdrawn_row_insert(struct db_unit *u, uint64_t digits, uint64_t lot)
{
    db_do(u, DB_INVENTORY_WITHDRAWN_INSERT, 1, DB_I(digits), DB_I(lot));
}

void inventory_note_row_put(struct db_unit *u, const struct inventory_note_row *row)
{
    if (row->note.n || row->tags.n)
        db_do(u, DB_INVENTORY_NOTE_PUT, 1, DB_I(row->digits), DB_T(row->note), DB_T(row->tags));
    else
        db_do(u, DB_INVENTORY_NOTE_DELETE, DB_ANY_ROWS, DB_I(row->digits));
}

void number_audit_row_insert(struct db_unit *u, const struct number_audit_row *row)
{
    db_do(u, DB_NUMBER_AUDIT_INSERT, 1, DB_I(row->digits), DB_I(row->key), DB_I(row->at_us), DB_T(row->what),
          DB_I(row->resource), DB_T(row->detail));
}

void inventory_purge_slice(struct db_unit *u, int64_t before_us, bool whole)
{
    (void)before_us;
    db_do(u, DB_INVENTORY_BATCH_PURGE, whole ? PURGED_AT_ONCE : DB_ANY_ROWS, DB_I(PURGED_AT_ONCE));
    if (!whole)
        db_do(u, DB_INVENTORY_LOT_PURGE, DB_ANY_ROWS, DB_I(PURGED_AT_ONCE));
}

/* -- reading -------------------------------------------------------------------------------------------------------- */

struct walk {
    enum err err;
    union {
        enum err (*import)(void *arg, const struct inventory_import_row *row);
        enum err (*lot)(void *arg, const struct inventory_lot_row *row);
        enum err (*batch)(void *arg, uint64_t key, uint64_t lot, struct str packed);
        enum err (*withdrawn)(void *arg, uint64_t digits, uint64_t lot);
        enum err (*note)(void *arg, const struct inventory_note_row *row);
    } fn;
    void *arg;
};

static enum err walk(struct db *db, enum db_stmt stmt, db_row_fn *fn, struct walk *w)
{
    enum err err = db_each(db, stmt, NULL, 0, fn, w);
    return err ? err : w->err;
}

static bool on_import(void *arg, const struct db_rows *r)
{
    struct walk *w = arg;
    struct inventory_import_row row = {
        .key = key_at(r, 0), .id = db_text(r, 1), .file = db_text(r, 2), .carrier = db_text(r, 3), .state = int_at(r, 4),
        .next_line = key_at(r, 5), .taken = key_at(r, 6), .bad = key_at(r, 7), .started_us = db_int(r, 8),
        .ended_us = db_int(r, 9), .mark = db_text(r, 10), .dry_run = db_int(r, 11) != 0,
    };
    w->err = w->fn.import(w->arg, &row);
    return !w->err;
}

static bool on_lot(void *arg, const struct db_rows *r)
{
    struct walk *w = arg;
    struct inventory_lot_row row = {
        .key = key_at(r, 0), .import = key_at(r, 1), .carrier = db_text(r, 2), .simulated = db_int(r, 3) != 0,
        .country = db_text(r, 4), .type = int_at(r, 5), .calling = int_at(r, 6), .sms = int_at(r, 7),
        .cost_micro = db_int(r, 8), .tags = db_text(r, 9),
    };
    w->err = w->fn.lot(w->arg, &row);
    return !w->err;
}

static bool on_batch(void *arg, const struct db_rows *r)
{
    struct walk *w = arg;
    w->err = w->fn.batch(w->arg, key_at(r, 0), key_at(r, 1), db_text(r, 2));
    return !w->err;
}

static bool on_withdrawn(void *arg, const struct db_rows *r)
{
    struct walk *w = arg;
    w->err = w->fn.withdrawn(w->arg, key_at(r, 0), key_at(r, 1));
    return !w->err;
}

static bool on_note(void *arg, const struct db_rows *r)
{
    struct walk *w = arg;
    struct inventory_note_row row = { .digits = key_at(r, 0), .note = db_text(r, 1), .tags = db_text(r, 2) };
    w->err = w->fn.note(w->arg, &row);
    return !w->err;
}

enum err inventory_import_rows_each(struct db *db, enum err (*fn)(void *arg, const struct inventory_import_row *row),
                                    void *arg)
{
    return walk(db, DB_INVENTORY_IMPORT_ALL, on_import, &(struct walk){ .fn.import = fn, .arg = arg });
}

enum err inventory_lot_rows_each(struct db *db, enum err (*fn)(void *arg, const struct inventory_lot_row *row), void *arg)
{
    return walk(db, DB_INVENTORY_LOT_ALL, on_lot, &(struct walk){ .fn.lot = fn, .arg = arg });
}

enum err inventory_batch_rows_each(struct db *db, enum err (*fn)(void *arg, uint64_t key, uint64_t lot, struct str packed), void *arg)
{
    return walk(db, DB_INVENTORY_BATCH_ALL, on_batch, &(struct walk){ .fn.batch = fn, .arg = arg });
}

enum err inventory_withdrawn_rows_each(struct db *db, enum err (*fn)(void *arg, uint64_t digits, uint64_t lot), void *arg)
{
    return walk(db, DB_INVENTORY_WITHDRAWN_ALL, on_withdrawn, &(struct walk){ .fn.withdrawn = fn, .arg = arg });
}

enum err inventory_note_rows_each(struct db *db, enum err (*fn)(void *arg, const struct inventory_note_row *row), void *arg)
{
    return walk(db, DB_INVENTORY_NOTE_ALL, on_note, &(struct walk){ .fn.note = fn, .arg = arg });
}

enum err inventory_bad_ask(struct db *db, uint64_t import, uint64_t after_line, size_t most, struct db_read *read)
{
    const struct db_val vals[] = { DB_I(import), DB_I(after_line), DB_I(most) };
    return db_ask(db, DB_INVENTORY_BAD_LIST, vals, 3, most, read);
}

void inventory_bad_row_read(const struct db_rows *r, struct inventory_bad_row *out)
{
    *out = (struct inventory_bad_row){ .line = key_at(r, 0), .rule = db_text(r, 1), .number = db_text(r, 2),
                                       .detail = db_text(r, 3) };
}

enum err number_audit_ask(struct db *db, uint64_t digits, uint64_t before, size_t most, struct db_read *read)
{
    const struct db_val vals[] = { DB_I(digits), DB_I(before), DB_I(most) };
    return db_ask(db, DB_NUMBER_AUDIT_LIST, vals, 3, most, read);
}

void number_audit_row_read(const struct db_rows *r, struct number_audit_row *out)
{
    *out = (struct number_audit_row){ .key = key_at(r, 0), .at_us = db_int(r, 1), .what = db_text(r, 2),
                                      .resource = key_at(r, 3), .detail = db_text(r, 4) };
}
