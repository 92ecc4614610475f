#include "store/calls.h"

enum { TRAIL_MOST = 2000 };     /* steps of one call that a reader gets */

void call_row_insert(struct db_unit *u, const struct call_row *row)
{
    db_do(u, DB_CALL_INSERT, 1, DB_I(row->key), DB_I(row->resource), DB_I(row->leg), DB_I(row->outbound),
          DB_T(row->caller), DB_T(row->callee), DB_T(row->display), DB_T(row->source), DB_T(row->callback_uri),
          DB_T(row->context), DB_T(row->trunk), DB_I(row->created_us));
}

void call_row_accept(struct db_unit *u, uint64_t key, struct str callback_uri, struct str context)
{
    db_do(u, DB_CALL_ACCEPT, 1, DB_I(key), DB_T(callback_uri), DB_T(context));
}

void call_row_connect(struct db_unit *u, uint64_t key, int64_t at_us)
{
    db_do(u, DB_CALL_CONNECT, 1, DB_I(key), DB_I(at_us));
}

void call_row_end(struct db_unit *u, const struct call_row *row)
{
    db_do(u, DB_CALL_END, 1, DB_I(row->key), DB_I(row->ended_us), DB_I(row->code), DB_I(row->subcode), DB_I(row->sip),
          DB_I(row->q850), DB_T(row->words));
}

void call_row_media(struct db_unit *u, uint64_t key, uint64_t sent, uint64_t received, uint64_t lost)
{
    db_do(u, DB_CALL_MEDIA, 1, DB_I(key), DB_I(sent), DB_I(received), DB_I(lost));
}

void call_trail_insert(struct db_unit *u, uint64_t call, unsigned seq, int64_t at_us, struct str step)
{
    db_do(u, DB_CALL_TRAIL_INSERT, 1, DB_I(call), DB_I(seq), DB_I(at_us), DB_T(step));
}

void call_repeat_insert(struct db_unit *u, uint64_t resource, struct str id, uint64_t call, int64_t at_us,
                        int64_t floor_us)
{
    db_do(u, DB_CALL_REPEAT_INSERT, 1, DB_I(resource), DB_T(id), DB_I(call), DB_I(at_us), DB_I(floor_us));
}

enum err call_ask(struct db *db, uint64_t key, struct db_read *read)
{
    return db_ask(db, DB_CALL_FIND, (const struct db_val[]){ DB_I(key) }, 1, 1, read);
}

enum err call_ask_list(struct db *db, uint64_t resource, uint64_t before, size_t limit, struct db_read *read)
{
    const struct db_val vals[] = { DB_I(resource), DB_I(before ? before : (uint64_t)INT64_MAX) };
    return db_ask(db, DB_CALL_LIST, vals, ARRAY_LEN(vals), limit, read);
}

enum err call_ask_trail(struct db *db, uint64_t call, struct db_read *read)
{
    return db_ask(db, DB_CALL_TRAIL_OF, (const struct db_val[]){ DB_I(call) }, 1, TRAIL_MOST, read);
}

enum err call_ask_repeat(struct db *db, uint64_t resource, struct str id, int64_t floor_us, struct db_read *read)
{
    const struct db_val vals[] = { DB_I(resource), DB_T(id), DB_I(floor_us) };
    return db_ask(db, DB_CALL_REPEAT_FIND, vals, ARRAY_LEN(vals), 1, read);
}

enum err call_load_open(struct db *db, struct db_rows **out)
{
    return db_load(db, DB_CALL_OPEN, NULL, 0, out);
}

/* The order of the columns in every SELECT of calls.sql that reads `call`. */
void call_row_read(const struct db_rows *r, struct call_row *out)
{
    *out = (struct call_row){
        .key = (uint64_t)db_int(r, 0),
        .resource = (uint64_t)db_int(r, 1),
        .leg = (uint64_t)db_int(r, 2),
        .outbound = db_int(r, 3) != 0,
        .caller = db_text(r, 4),
        .callee = db_text(r, 5),
        .display = db_text(r, 6),
        .source = db_text(r, 7),
        .callback_uri = db_text(r, 8),
        .context = db_text(r, 9),
        .trunk = db_text(r, 10),
        .created_us = db_int(r, 11),
        .connected_us = db_int(r, 12),
        .ended_us = db_int(r, 13),
        .code = (int)db_int(r, 14),
        .subcode = (int)db_int(r, 15),
        .sip = (int)db_int(r, 16),
        .q850 = (int)db_int(r, 17),
        .words = db_text(r, 18),
        .sent = (uint64_t)db_int(r, 19),
        .received = (uint64_t)db_int(r, 20),
        .lost = (uint64_t)db_int(r, 21),
    };
}

void call_trail_read(const struct db_rows *r, int64_t *at_us, struct str *step)
{
    *at_us = db_int(r, 1);
    *step = db_text(r, 2);
}
