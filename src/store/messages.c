#include "store/messages.h"

void message_row_insert(struct db_unit *u, const struct message_row *row)
{
    db_do(u, DB_MESSAGE_INSERT, 1, DB_I(row->key), DB_I(row->resource), DB_I(row->inbound), DB_T(row->from),
          DB_T(row->to), DB_T(row->text), DB_T(row->tag), DB_I(row->report), DB_T(row->repeat_id), DB_I(row->state),
          DB_I(row->segments), DB_T(row->carrier), DB_I(row->created_us), DB_T(row->trail));
}

void message_row_step(struct db_unit *u, uint64_t key, int state, struct str carrier, int64_t at_us, struct str trail)
{
    db_do(u, DB_MESSAGE_STEP, 1, DB_I(key), DB_I(state), DB_T(carrier), DB_I(at_us), DB_T(trail));
}

void message_row_send_at(struct db_unit *u, uint64_t key, int64_t at_us)
{
    db_do(u, DB_MESSAGE_SEND_AT, 1, DB_I(key), DB_I(at_us));
}

void message_row_valid_until(struct db_unit *u, uint64_t key, int64_t until_us)
{
    db_do(u, DB_MESSAGE_VALID_UNTIL, 1, DB_I(key), DB_I(until_us));
}

void segment_row_insert(struct db_unit *u, const struct segment_row *row)
{
    db_do(u, DB_SEGMENT_INSERT, 1, DB_I(row->message), DB_I(row->segment), DB_T(row->carrier), DB_T(row->remote_id));
}

void segment_row_receipt(struct db_unit *u, uint64_t message, unsigned segment, int receipt)
{
    db_do(u, DB_SEGMENT_RECEIPT, DB_ANY_ROWS, DB_I(message), DB_I(segment), DB_I(receipt));
}

void segment_rows_forget(struct db_unit *u, uint64_t message)
{
    db_do(u, DB_SEGMENT_FORGET, DB_ANY_ROWS, DB_I(message));
}

void stray_receipt_row_put(struct db_unit *u, struct str carrier, struct str remote_id, int state, uint32_t status,
                           int64_t at_us)
{
    db_do(u, DB_STRAY_RECEIPT_PUT, 1, DB_T(carrier), DB_T(remote_id), DB_I(state), DB_I(status), DB_I(at_us));
}

void stray_receipt_row_take(struct db_unit *u, struct str carrier, struct str remote_id)
{
    db_do(u, DB_STRAY_RECEIPT_TAKE, DB_ANY_ROWS, DB_T(carrier), DB_T(remote_id));
}

void stray_receipt_rows_purge(struct db_unit *u, int64_t before_us)
{
    db_do(u, DB_STRAY_RECEIPT_PURGE, DB_ANY_ROWS, DB_I(before_us));
}

void inbound_part_row_put(struct db_unit *u, const struct inbound_part_row *row)
{
    db_do(u, DB_INBOUND_PART_PUT, 1, DB_T(row->carrier), DB_T(row->from), DB_T(row->to), DB_I(row->ref), DB_I(row->total), DB_I(row->part),
          DB_T(row->body), DB_I(row->at_us));
}

void inbound_part_rows_drop(struct db_unit *u, const struct inbound_part_row *row)
{
    db_do(u, DB_INBOUND_PART_DROP, DB_ANY_ROWS, DB_T(row->carrier), DB_T(row->from), DB_T(row->to), DB_I(row->ref), DB_I(row->total));
}

void inbound_part_rows_purge(struct db_unit *u, int64_t before_us)
{
    db_do(u, DB_INBOUND_PART_PURGE, DB_ANY_ROWS, DB_I(before_us));
}

void message_row_nothing(struct db_unit *u)
{
    db_unit_add(u, DB_MESSAGE_NOTHING, DB_ANY_ROWS, NULL, 0);
}

void optout_row_add(struct db_unit *u, struct str sender, struct str recipient, int64_t at_us, struct str source, uint64_t about)
{
    db_do(u, DB_OPTOUT_ADD, DB_ANY_ROWS, DB_T(sender), DB_T(recipient), DB_I(at_us), DB_T(source), DB_I(about));
}

void optout_rows_drop(struct db_unit *u, struct str sender)
{
    db_do(u, DB_OPTOUT_DROP, DB_ANY_ROWS, DB_T(sender));
}

void optout_row_remove(struct db_unit *u, struct str sender, struct str recipient)
{
    db_do(u, DB_OPTOUT_REMOVE, DB_ANY_ROWS, DB_T(sender), DB_T(recipient));
}

/* A row callback's error travels through db_each(), which only knows "go on". */
struct each {
    enum err (*on_message)(void *arg, const struct message_row *row);
    enum err (*on_segment)(void *arg, const struct segment_row *row);
    enum err (*on_optout)(void *arg, struct str sender, struct str recipient, struct str source);
    enum err (*on_part)(void *arg, const struct inbound_part_row *row);
    void    *arg;
    enum err err;
};

static bool each_unfinished(void *arg, const struct db_rows *r)
{
    struct each *each = arg;
    struct message_row row = {
        .key = (uint64_t)db_int(r, 0),
        .resource = (uint64_t)db_int(r, 1),
        .from = db_text(r, 2),
        .to = db_text(r, 3),
        .text = db_text(r, 4),
        .tag = db_text(r, 5),
        .report = db_int(r, 6) != 0,
        .state = (int)db_int(r, 7),
        .segments = (unsigned)db_int(r, 8),
        .carrier = db_text(r, 9),
        .created_us = db_int(r, 10),
        .updated_us = db_int(r, 11),
        .send_at_us = db_int(r, 12),
        .valid_until_us = db_int(r, 13),
    };
    each->err = each->on_message(each->arg, &row);
    return !each->err;
}

static bool each_segment(void *arg, const struct db_rows *r)
{
    struct each *each = arg;
    struct segment_row row = { (uint64_t)db_int(r, 0), (unsigned)db_int(r, 1), db_text(r, 2), db_text(r, 3),
                               (int)db_int(r, 4) };
    each->err = each->on_segment(each->arg, &row);
    return !each->err;
}

static bool each_repeat(void *arg, const struct db_rows *r)
{
    struct each *each = arg;
    struct message_row row = { .key = (uint64_t)db_int(r, 0), .resource = (uint64_t)db_int(r, 1),
                               .repeat_id = db_text(r, 2), .from = db_text(r, 3), .to = db_text(r, 4), .text = db_text(r, 5),
                               .tag = db_text(r, 6), .report = db_int(r, 7), .created_us = db_int(r, 8) };
    each->err = each->on_message(each->arg, &row);
    return !each->err;
}

static bool each_inbound_part(void *arg, const struct db_rows *r)
{
    struct each *each = arg;
    struct inbound_part_row row = {
        .carrier = db_text(r, 0), .from = db_text(r, 1), .to = db_text(r, 2), .ref = (unsigned)db_int(r, 3), .total = (unsigned)db_int(r, 4),
        .part = (unsigned)db_int(r, 5), .body = db_text(r, 6), .at_us = db_int(r, 7),
    };
    each->err = each->on_part(each->arg, &row);
    return !each->err;
}

static bool each_optout(void *arg, const struct db_rows *r)
{
    struct each *each = arg;
    each->err = each->on_optout(each->arg, db_text(r, 0), db_text(r, 1), db_text(r, 2));
    return !each->err;
}

static enum err walk(struct db *db, enum db_stmt stmt, const struct db_val *vals, size_t n, db_row_fn *fn, struct each *each)
{
    enum err err = db_each(db, stmt, vals, n, fn, each);
    return err ? err : each->err;
}

enum err message_rows_unfinished(struct db *db, enum err (*fn)(void *arg, const struct message_row *row), void *arg)
{
    return walk(db, DB_MESSAGE_UNFINISHED, NULL, 0, each_unfinished, &(struct each){ .on_message = fn, .arg = arg });
}

enum err segment_rows_unfinished(struct db *db, enum err (*fn)(void *arg, const struct segment_row *row), void *arg)
{
    return walk(db, DB_SEGMENT_UNFINISHED, NULL, 0, each_segment, &(struct each){ .on_segment = fn, .arg = arg });
}

enum err segment_rows_ask(struct db *db, uint64_t message, size_t most, struct db_read *read)
{
    return db_ask(db, DB_SEGMENT_WITHOUT_RECEIPT, (const struct db_val[]){ DB_I(message) }, 1, most, read);
}

bool segment_row_next(struct db_rows *r, struct segment_row *out)
{
    if (!db_rows_next(r))
        return false;
    *out = (struct segment_row){ (uint64_t)db_int(r, 0), (unsigned)db_int(r, 1), db_text(r, 2), db_text(r, 3), (int)db_int(r, 4) };
    return true;
}

enum err message_rows_repeats(struct db *db, uint64_t from_key, int64_t from_us,
                              enum err (*fn)(void *arg, const struct message_row *row),
                              void *arg)
{
    return walk(db, DB_MESSAGE_REPEATS, (const struct db_val[]){ DB_I(from_key), DB_I(from_us) }, 2, each_repeat,
                &(struct each){ .on_message = fn, .arg = arg });
}

static bool each_sent(void *arg, const struct db_rows *r)
{
    struct each *e = arg;
    struct message_row row = { .key = (uint64_t)db_int(r, 0), .from = db_text(r, 1), .created_us = db_int(r, 2) };
    e->err = e->on_message(e->arg, &row);
    return !e->err;
}

enum err message_rows_sent(struct db *db, uint64_t from_key, int64_t after_us,
                           enum err (*fn)(void *arg, const struct message_row *row), void *arg)
{
    return walk(db, DB_MESSAGE_SENT, (const struct db_val[]){ DB_I(from_key), DB_I(after_us) }, 2, each_sent,
                &(struct each){ .on_message = fn, .arg = arg });
}

enum err inbound_part_rows_each(struct db *db, enum err (*fn)(void *arg, const struct inbound_part_row *row), void *arg)
{
    return walk(db, DB_INBOUND_PART_ALL, NULL, 0, each_inbound_part, &(struct each){ .on_part = fn, .arg = arg });
}

enum err optout_rows_each(struct db *db, enum err (*fn)(void *arg, struct str sender, struct str recipient, struct str source), void *arg)
{
    return walk(db, DB_OPTOUT_ALL, NULL, 0, each_optout, &(struct each){ .on_optout = fn, .arg = arg });
}

enum err optout_rows_ask(struct db *db, struct str sender, struct str after, size_t most, struct db_read *read)
{
    return db_ask(db, DB_OPTOUT_LIST, (const struct db_val[]){ DB_T(sender), DB_T(after), DB_I(most) }, 3, most, read);
}

bool optout_row_next(struct db_rows *rows, struct optout_row *out)
{
    if (!db_rows_next(rows))
        return false;
    *out = (struct optout_row){ .recipient = db_text(rows, 0), .at_us = db_int(rows, 1), .source = db_text(rows, 2),
                                .about = (uint64_t)db_int(rows, 3) };
    return true;
}

enum err message_row_ask(struct db *db, uint64_t key, struct db_read *read)
{
    return db_ask(db, DB_MESSAGE_GET, (const struct db_val[]){ DB_I(key) }, 1, 1, read);
}

enum err message_rows_ask_list(struct db *db, const struct message_filter *f, struct db_read *read)
{
    const struct db_val values[] = { DB_I(f->before), DB_I(f->resource), DB_T(f->from), DB_T(f->to), DB_T(f->tag), DB_I(f->inbound),
                                     DB_I(f->state_least), DB_I(f->state_most), DB_I(f->since_us), DB_I(f->until_us), DB_I(f->top) };
    return db_ask(db, DB_MESSAGE_LIST, values, ARRAY_LEN(values), f->top, read);
}

bool message_row_next(struct db_rows *r, struct message_row *row)
{
    if (!db_rows_next(r))
        return false;
    *row = (struct message_row){
        .key = (uint64_t)db_int(r, 0),
        .resource = (uint64_t)db_int(r, 1),
        .inbound = db_int(r, 2) != 0,
        .from = db_text(r, 3),
        .to = db_text(r, 4),
        .text = db_text(r, 5),
        .tag = db_text(r, 6),
        .report = db_int(r, 7) != 0,
        .state = (int)db_int(r, 8),
        .segments = (unsigned)db_int(r, 9),
        .carrier = db_text(r, 10),
        .created_us = db_int(r, 11),
        .updated_us = db_int(r, 12),
        .trail = db_text(r, 13),
        .send_at_us = db_int(r, 14),
        .listed = db_int(r, 15) != 0,
        .stops = db_int(r, 16) != 0,
    };
    return true;
}
