#include "store/esmes.h"

enum { PURGE_SLICE = 2000 };

/* A row callback and its argument, through db_each(). */
struct each {
    void (*on_message)(void *arg, const struct esme_message_row *row);
    void (*on_part)(void *arg, const struct esme_part_row *row);
    void (*on_box)(void *arg, uint64_t resource, bool bound, int64_t at_us);
    void  *arg;
};

void esme_message_row_put(struct db_unit *u, const struct esme_message_row *row)
{
    db_do(u, DB_ESME_MESSAGE_PUT, 1, DB_I(row->message), DB_I(row->answered), DB_I(row->resource), DB_I(row->registered),
          DB_I(row->reference));
}

void esme_message_row_replace(struct db_unit *u, uint64_t message, struct str text, unsigned segments, int registered, struct str trail)
{
    db_do(u, DB_ESME_MESSAGE_REPLACE, 1, DB_I(message), DB_T(text), DB_I(segments), DB_T(trail));
    if (registered >= 0)
        db_do(u, DB_ESME_MESSAGE_REGISTER, DB_ANY_ROWS, DB_I(message), DB_I(registered));
}

void esme_message_rows_drop(struct db_unit *u, uint64_t message)
{
    db_do(u, DB_ESME_MESSAGE_DROP, DB_ANY_ROWS, DB_I(message));
}

static bool each_message(void *arg, const struct db_rows *r)
{
    const struct each *each = arg;
    each->on_message(each->arg, &(struct esme_message_row){ (uint64_t)db_int(r, 0), (uint64_t)db_int(r, 1), (uint64_t)db_int(r, 2),
                                                            (int)db_int(r, 3), (int)db_int(r, 4) });
    return true;
}

enum err esme_message_rows_each(struct db *db, void (*fn)(void *arg, const struct esme_message_row *row), void *arg)
{
    return db_each(db, DB_ESME_MESSAGE_ALL, NULL, 0, each_message, &(struct each){ .on_message = fn, .arg = arg });
}

void esme_part_row_put(struct db_unit *u, const struct esme_part_row *row)
{
    db_do(u, DB_ESME_PART_PUT, 1, DB_I(row->key), DB_I(row->resource), DB_T(row->from), DB_T(row->to), DB_I(row->ref),
          DB_I(row->total), DB_I(row->part), DB_T(row->body), DB_I(row->registered), DB_I(row->reference), DB_I(row->created_us));
}

void esme_part_row_drop(struct db_unit *u, uint64_t key)
{
    db_do(u, DB_ESME_PART_DROP, DB_ANY_ROWS, DB_I(key));
}

static bool each_part(void *arg, const struct db_rows *r)
{
    const struct each *each = arg;
    struct esme_part_row row = {
        .key = (uint64_t)db_int(r, 0), .resource = (uint64_t)db_int(r, 1), .from = db_text(r, 2), .to = db_text(r, 3),
        .ref = (unsigned)db_int(r, 4), .total = (unsigned)db_int(r, 5), .part = (unsigned)db_int(r, 6), .body = db_text(r, 7),
        .registered = (int)db_int(r, 8), .reference = (int)db_int(r, 9), .created_us = db_int(r, 10),
    };
    each->on_part(each->arg, &row);
    return true;
}

enum err esme_part_rows_each(struct db *db, void (*fn)(void *arg, const struct esme_part_row *row), void *arg)
{
    return db_each(db, DB_ESME_PART_ALL, NULL, 0, each_part, &(struct each){ .on_part = fn, .arg = arg });
}

void esme_mail_row_put(struct db_unit *u, const struct esme_mail_row *row)
{
    db_do(u, DB_ESME_MAIL_PUT, 1, DB_I(row->key), DB_I(row->resource), DB_I(row->message), DB_I(row->receipt), DB_I(row->answered),
          DB_T(row->from), DB_T(row->to), DB_T(row->body), DB_I(row->state), DB_I(row->error), DB_I(row->reference),
          DB_I(row->submitted_us), DB_I(row->at_us));
}

void esme_mail_row_end(struct db_unit *u, uint64_t key, uint64_t message, struct str trail)
{
    db_do(u, DB_ESME_MAIL_DROP, DB_ANY_ROWS, DB_I(key));
    db_do(u, DB_ESME_MAIL_NOTE, DB_ANY_ROWS, DB_I(message), DB_T(trail));
}

void esme_mail_rows_purge(struct db_unit *u, int64_t before_us, bool whole)
{
    db_do(u, DB_ESME_MAIL_PURGE, whole ? PURGE_SLICE : DB_ANY_ROWS, DB_I(before_us), DB_I(PURGE_SLICE));
}

enum err esme_mail_rows_ask(struct db *db, uint64_t resource, uint64_t after, size_t most, struct db_read *read)
{
    return db_ask(db, DB_ESME_MAIL_NEXT, (const struct db_val[]){ DB_I(resource), DB_I(after), DB_I(most) }, 3, most, read);
}

bool esme_mail_row_next(struct db_rows *r, struct esme_mail_row *row)
{
    if (!db_rows_next(r))
        return false;
    *row = (struct esme_mail_row){
        .key = (uint64_t)db_int(r, 0), .resource = (uint64_t)db_int(r, 1), .message = (uint64_t)db_int(r, 2),
        .receipt = db_int(r, 3) != 0, .answered = (uint64_t)db_int(r, 4), .from = db_text(r, 5), .to = db_text(r, 6),
        .body = db_text(r, 7), .state = (int)db_int(r, 8), .error = (uint32_t)db_int(r, 9), .reference = (int)db_int(r, 10),
        .submitted_us = db_int(r, 11), .at_us = db_int(r, 12),
    };
    return true;
}

enum err esme_mail_newest(struct db *db, uint64_t *key)
{
    scoped(db_rows) struct db_rows *rows = NULL;
    enum err err = db_load(db, DB_ESME_MAIL_NEWEST, NULL, 0, &rows);
    if (!err)
        *key = db_rows_next(rows) ? (uint64_t)db_int(rows, 0) : 0;
    return err;
}

void esme_box_row_put(struct db_unit *u, uint64_t resource, bool bound, int64_t at_us)
{
    db_do(u, DB_ESME_BOX_PUT, 1, DB_I(resource), DB_I(bound), DB_I(at_us));
}

static bool each_box(void *arg, const struct db_rows *r)
{
    const struct each *each = arg;
    each->on_box(each->arg, (uint64_t)db_int(r, 0), db_int(r, 1) != 0, db_int(r, 2));
    return true;
}

enum err esme_box_rows_each(struct db *db, void (*fn)(void *arg, uint64_t resource, bool bound, int64_t at_us), void *arg)
{
    return db_each(db, DB_ESME_BOX_ALL, NULL, 0, each_box, &(struct each){ .on_box = fn, .arg = arg });
}

void esme_rows_end(struct db_unit *u, uint64_t resource)
{
    db_do(u, DB_ESME_END_BOX, DB_ANY_ROWS, DB_I(resource));
    db_do(u, DB_ESME_END_MAIL, DB_ANY_ROWS, DB_I(resource));
    db_do(u, DB_ESME_END_PARTS, DB_ANY_ROWS, DB_I(resource));
}
