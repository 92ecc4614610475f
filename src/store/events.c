#include "store/events.h"

enum { PURGE_SLICE = 2000 };

void event_subscription_row_insert(struct db_unit *u, const struct event_subscription_row *row)
{
    db_do(u, DB_EVENT_SUBSCRIPTION_INSERT, 1, DB_I(row->key), DB_I(row->resource), DB_T(row->name), DB_T(row->url),
          DB_T(row->types), DB_I(row->cloud), DB_I(row->state), DB_T(row->filter));
}

void event_subscription_row_state(struct db_unit *u, uint64_t key, int state)
{
    db_do(u, DB_EVENT_SUBSCRIPTION_STATE, 1, DB_I(key), DB_I(state));
}

void event_subscription_row_delete(struct db_unit *u, uint64_t key)
{
    db_do(u, DB_EVENT_SUBSCRIPTION_DELETE, 1, DB_I(key));
    db_do(u, DB_DELIVERY_DELETE_OF_SUBSCRIPTION, DB_ANY_ROWS, DB_I(key));
}

void event_row_insert(struct db_unit *u, const struct event_row *row)
{
    db_do(u, DB_EVENT_INSERT, 1, DB_I(row->key), DB_I(row->resource), DB_T(row->id), DB_T(row->type),
          DB_T(row->subject), DB_T(row->data), DB_I(row->at_us));
}

void event_rows_purge(struct db_unit *u, int64_t before_us, bool whole)
{
    db_do(u, DB_EVENT_PURGE, whole ? PURGE_SLICE : DB_ANY_ROWS, DB_I(before_us), DB_I(PURGE_SLICE));
}

void delivery_rows_purge(struct db_unit *u, int64_t before_us)
{
    db_do(u, DB_DELIVERY_PURGE, DB_ANY_ROWS, DB_I(before_us));
}

void delivery_row_insert(struct db_unit *u, const struct delivery_row *row)
{
    db_do(u, DB_DELIVERY_INSERT, 1, DB_I(row->key), DB_I(row->subscription), DB_I(row->event.key), DB_I(row->call),
          DB_T(row->url), DB_T(row->body));
}

void delivery_row_delete(struct db_unit *u, uint64_t key)
{
    db_do(u, DB_DELIVERY_DELETE, DB_ANY_ROWS, DB_I(key));
}

void delivery_row_failed(struct db_unit *u, uint64_t key, int tries, int64_t next_us, bool dead, struct str last)
{
    db_do(u, DB_DELIVERY_FAILED, DB_ANY_ROWS, DB_I(key), DB_I(tries), DB_I(next_us), DB_I(dead), DB_T(last));
}

enum err event_subscription_rows_each(struct db *db, enum err (*fn)(void *arg, const struct event_subscription_row *row),
                                      void *arg)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, DB_EVENT_SUBSCRIPTION_ALL, NULL, 0, &r);
    while (!err && db_rows_next(r)) {
        struct event_subscription_row row = {
            .key = (uint64_t)db_int(r, 0),
            .resource = (uint64_t)db_int(r, 1),
            .name = db_text(r, 2),
            .url = db_text(r, 3),
            .types = db_text(r, 4),
            .cloud = db_int(r, 5) != 0,
            .state = (int)db_int(r, 6),
            .filter = db_text(r, 7),
        };
        err = fn(arg, &row);
    }
    return err;
}

/* The columns of an event start at `c`. */
static struct event_row event_at(const struct db_rows *r, uint64_t key, size_t c)
{
    return (struct event_row){
        .key = key,
        .resource = (uint64_t)db_int(r, c),
        .id = db_text(r, c + 1),
        .type = db_text(r, c + 2),
        .subject = db_text(r, c + 3),
        .data = db_text(r, c + 4),
        .at_us = db_int(r, c + 5),
    };
}

struct each {
    enum err (*fn)(void *arg, const struct delivery_row *row);
    void    *arg;
    enum err err;
};

static bool each_delivery(void *arg, const struct db_rows *r)
{
    struct each *each = arg;
    struct delivery_row row = {
        .key = (uint64_t)db_int(r, 0),
        .subscription = (uint64_t)db_int(r, 1),
        .call = (uint64_t)db_int(r, 3),
        .url = db_text(r, 4),
        .body = db_text(r, 5),
        .tries = (int)db_int(r, 6),
        .next_us = db_int(r, 7),
        .event = event_at(r, (uint64_t)db_int(r, 2), 8),
    };
    each->err = each->fn(each->arg, &row);
    return !each->err;
}

enum err delivery_rows_each(struct db *db, enum err (*fn)(void *arg, const struct delivery_row *row), void *arg)
{
    struct each each = { fn, arg, ERR_NONE };
    enum err err = db_each(db, DB_DELIVERY_UNDELIVERED, NULL, 0, each_delivery, &each);
    return err ? err : each.err;
}

enum err event_row_last(struct db *db, uint64_t *key)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, DB_EVENT_LAST, NULL, 0, &r);
    if (!err)
        *key = db_rows_next(r) ? (uint64_t)db_int(r, 0) : 0;
    return err;
}

enum err event_rows_ask_after(struct db *db, uint64_t key, struct db_read *read)
{
    return db_ask(db, DB_EVENT_AFTER, (const struct db_val[]){ DB_I(key) }, 1, 100, read);
}

bool event_row_next(struct db_rows *rows, struct event_row *row)
{
    if (!db_rows_next(rows))
        return false;
    *row = event_at(rows, (uint64_t)db_int(rows, 0), 1);
    return true;
}
