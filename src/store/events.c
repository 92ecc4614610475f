#include "store/events.h"

enum { PURGE_SLICE = 2000, END_SLICE = 1000, OF_EVENT_MAX = 500, TRIES_SHOWN = 200, TRIES_KEPT = 100 };

/* -- writing ------------------------------------------------------------------------------------------------------- */

void event_subscription_row_insert(struct db_unit *u, const struct event_subscription_row *row)
{
    db_do(u, DB_EVENT_SUBSCRIPTION_INSERT, 1, DB_I(row->key), DB_I(row->resource), DB_T(row->name), DB_T(row->url),
          DB_T(row->types), DB_I(row->cloud), DB_I(row->state), DB_T(row->filter), DB_I(row->batch), DB_T(row->secrets));
}

void event_subscription_row_change(struct db_unit *u, const struct event_subscription_row *row)
{
    db_do(u, DB_EVENT_SUBSCRIPTION_CHANGE, 1, DB_I(row->key), DB_T(row->name), DB_T(row->types), DB_T(row->filter),
          DB_I(row->batch), DB_T(row->secrets));
}

void event_subscription_row_state(struct db_unit *u, uint64_t key, int state)
{
    db_do(u, DB_EVENT_SUBSCRIPTION_STATE, 1, DB_I(key), DB_I(state));
}

void event_subscription_row_delete(struct db_unit *u, uint64_t key)
{
    db_do(u, DB_EVENT_SUBSCRIPTION_DELETE, 1, DB_I(key));
}

void delivery_rows_end(struct db_unit *u, uint64_t subscription, bool whole)
{
    db_do(u, DB_DELIVERY_DELETE_OF_SUBSCRIPTION, whole ? END_SLICE : DB_ANY_ROWS, DB_I(subscription), DB_I(END_SLICE));
}

void event_row_insert(struct db_unit *u, const struct event_row *row)
{
    db_do(u, DB_EVENT_INSERT, 1, DB_I(row->key), DB_I(row->resource), DB_T(row->id), DB_T(row->type),
          DB_T(row->subject), DB_T(row->data), DB_I(row->at_us), DB_I(row->about));
}

void event_rows_purge(struct db_unit *u, int64_t before_us, bool whole)
{
    db_do(u, DB_EVENT_PURGE, whole ? PURGE_SLICE : DB_ANY_ROWS, DB_I(before_us), DB_I(PURGE_SLICE));
}

void delivery_rows_purge(struct db_unit *u, int64_t before_us, bool whole)
{
    db_do(u, DB_DELIVERY_PURGE, whole ? PURGE_SLICE : DB_ANY_ROWS, DB_I(before_us), DB_I(PURGE_SLICE));
    if (!whole)
        db_do(u, DB_DELIVERY_SWEEP, DB_ANY_ROWS, DB_I(PURGE_SLICE));
}

void delivery_tries_purge(struct db_unit *u, int64_t before_us, bool whole)
{
    db_do(u, DB_DELIVERY_TRY_PURGE, whole ? PURGE_SLICE : DB_ANY_ROWS, DB_I(before_us), DB_I(PURGE_SLICE));
}

void delivery_row_insert(struct db_unit *u, const struct delivery_row *row)
{
    db_do(u, DB_DELIVERY_INSERT, 1, DB_I(row->key), DB_I(row->subscription), DB_I(row->resource), DB_I(row->event.key),
          DB_I(row->call), DB_T(row->url), DB_T(row->body), DB_I(row->lane), DB_I(row->since_us));
}

void delivery_row_delete(struct db_unit *u, uint64_t key)
{
    db_do(u, DB_DELIVERY_DELETE, DB_ANY_ROWS, DB_I(key));
}

void delivery_row_failed(struct db_unit *u, const struct delivery_row *row)
{
    db_do(u, DB_DELIVERY_FAILED, DB_ANY_ROWS, DB_I(row->key), DB_I(row->tries), DB_I(row->next_us), DB_I(row->dead),
          DB_I(row->alone), DB_T(row->last));
}

void delivery_row_revive(struct db_unit *u, uint64_t key, int64_t since_us)
{
    db_do(u, DB_DELIVERY_REVIVE, DB_ANY_ROWS, DB_I(key), DB_I(since_us));
}

void delivery_try_insert(struct db_unit *u, const struct delivery_try_row *row)
{
    db_do(u, DB_DELIVERY_TRY_INSERT, 1, DB_I(row->key), DB_I(row->cause), DB_I(row->delivery), DB_I(row->subscription),
          DB_I(row->n), DB_I(row->events), DB_I(row->at_us), DB_I(row->took_us), DB_I(row->status), DB_T(row->words));
}

void delivery_tries_trim(struct db_unit *u, uint64_t cause)
{
    db_do(u, DB_DELIVERY_TRY_TRIM, DB_ANY_ROWS, DB_I(cause), DB_I(TRIES_KEPT));
}

/* -- at start-up --------------------------------------------------------------------------------------------------- */

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
            .batch = (unsigned)db_int(r, 8),
            .secrets = db_text(r, 9),
        };
        err = fn(arg, &row);
    }
    return err;
}

struct each {
    enum err (*fn)(void *arg, const struct delivery_row *row);
    void    *arg;
    enum err err;
};

static bool each_in_line(void *arg, const struct db_rows *r)
{
    struct each *each = arg;
    struct delivery_row row = {
        .key = (uint64_t)db_int(r, 0),
        .subscription = (uint64_t)db_int(r, 1),
        .lane = (uint64_t)db_int(r, 2),
        .tries = (int)db_int(r, 3),
        .next_us = db_int(r, 4),
        .alone = db_int(r, 5) != 0,
    };
    each->err = each->fn(each->arg, &row);
    return !each->err;
}

enum err delivery_rows_in_line(struct db *db, enum err (*fn)(void *arg, const struct delivery_row *row), void *arg)
{
    struct each each = { fn, arg, ERR_NONE };
    enum err err = db_each(db, DB_DELIVERY_IN_LINE, NULL, 0, each_in_line, &each);
    return err ? err : each.err;
}

enum err delivery_row_first_due(struct db *db, uint64_t subscription, int64_t *due_us)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, DB_DELIVERY_DUE_FIRST, (const struct db_val[]){ DB_I(subscription) }, 1, &r);
    if (!err)
        *due_us = db_rows_next(r) ? db_int(r, 0) : INT64_MAX;
    return err;
}

enum err event_row_last(struct db *db, uint64_t *key)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, DB_EVENT_LAST, NULL, 0, &r);
    if (!err)
        *key = db_rows_next(r) ? (uint64_t)db_int(r, 0) : 0;
    return err;
}

/* -- events -------------------------------------------------------------------------------------------------------- */

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

enum err event_rows_ask_after(struct db *db, uint64_t key, struct db_read *read)
{
    return db_ask(db, DB_EVENT_AFTER, (const struct db_val[]){ DB_I(key) }, 1, 100, read);
}

enum err event_row_ask_id(struct db *db, struct str id, uint64_t about, uint64_t resource, struct db_read *read)
{
    return db_ask(db, DB_EVENT_BY_ID, (const struct db_val[]){ DB_T(id), DB_I(resource), DB_I(about) }, 3, 1, read);
}

bool event_row_next(struct db_rows *rows, struct event_row *row)
{
    if (!db_rows_next(rows))
        return false;
    *row = event_at(rows, (uint64_t)db_int(rows, 0), 1);
    return true;
}

enum err event_rows_ask_between(struct db *db, int64_t at_us, uint64_t key, int64_t until_us, uint64_t subscription,
                                struct db_read *read)
{
    const struct db_val vals[] = { DB_I(at_us), DB_I(key), DB_I(until_us), DB_I(subscription), DB_I(EVENT_ROWS_BETWEEN) };
    return db_ask(db, DB_EVENT_BETWEEN, vals, ARRAY_LEN(vals), EVENT_ROWS_BETWEEN, read);
}

bool event_row_between_next(struct db_rows *rows, struct event_row *row, uint64_t *delivery, enum delivery_death *dead)
{
    if (!event_row_next(rows, row))
        return false;
    *delivery = (uint64_t)db_int(rows, 7);
    *dead = (enum delivery_death)db_int(rows, 8);
    return true;
}

/* -- deliveries ---------------------------------------------------------------------------------------------------- */

enum err delivery_rows_ask_keys(struct db *db, struct str keys, size_t n, struct db_read *read)
{
    return db_ask(db, DB_DELIVERY_BY_KEYS, (const struct db_val[]){ DB_T(keys) }, 1, n, read);
}

enum err delivery_rows_ask_due(struct db *db, uint64_t subscription, int64_t next_us, uint64_t key, size_t n,
                               struct db_read *read)
{
    const struct db_val vals[] = { DB_I(subscription), DB_I(next_us), DB_I(key), DB_I(n) };
    return db_ask(db, DB_DELIVERY_DUE_AFTER, vals, ARRAY_LEN(vals), n, read);
}

bool delivery_row_next(struct db_rows *r, struct delivery_row *row)
{
    if (!db_rows_next(r))
        return false;
    *row = (struct delivery_row){
        .key = (uint64_t)db_int(r, 0),
        .subscription = (uint64_t)db_int(r, 1),
        .resource = (uint64_t)db_int(r, 10),
        .call = (uint64_t)db_int(r, 3),
        .url = db_text(r, 4),
        .body = db_text(r, 5),
        .tries = (int)db_int(r, 6),
        .next_us = db_int(r, 7),
        .since_us = db_int(r, 8),
        .alone = db_int(r, 9) != 0,
        .event = event_at(r, (uint64_t)db_int(r, 2), 10),
    };
    return true;
}

enum err delivery_rows_ask_dead(struct db *db, const struct delivery_whose *whose, uint64_t before, size_t n,
                                struct db_read *read)
{
    const struct db_val vals[] = { DB_I(before), DB_I(n), DB_I(whose->subscription ? whose->subscription : whose->resource) };
    enum db_stmt stmt = whose->subscription ? DB_DELIVERY_DEAD_OF_SUBSCRIPTION_BEFORE
                        : whose->resource   ? DB_DELIVERY_DEAD_OF_RESOURCE_BEFORE
                                            : DB_DELIVERY_DEAD_BEFORE;
    return db_ask(db, stmt, vals, stmt == DB_DELIVERY_DEAD_BEFORE ? 2 : 3, n, read);
}

enum err delivery_rows_ask_dead_after(struct db *db, uint64_t subscription, uint64_t after, size_t n, struct db_read *read)
{
    const struct db_val vals[] = { DB_I(after), DB_I(n), DB_I(subscription) };
    return db_ask(db, DB_DELIVERY_DEAD_OF_SUBSCRIPTION_AFTER, vals, ARRAY_LEN(vals), n, read);
}

enum err delivery_rows_ask_event(struct db *db, uint64_t event, struct db_read *read)
{
    const struct db_val vals[] = { DB_I(event), DB_I(OF_EVENT_MAX) };
    return db_ask(db, DB_DELIVERY_OF_EVENT, vals, ARRAY_LEN(vals), OF_EVENT_MAX, read);
}

enum err delivery_row_ask(struct db *db, uint64_t key, struct db_read *read)
{
    return db_ask(db, DB_DELIVERY_OF_KEY, (const struct db_val[]){ DB_I(key) }, 1, 1, read);
}

static struct delivery_row outline_of(struct db_rows *r)
{
    return (struct delivery_row){
        .key = (uint64_t)db_int(r, 0),
        .subscription = (uint64_t)db_int(r, 1),
        .call = (uint64_t)db_int(r, 3),
        .url = db_text(r, 4),
        .tries = (int)db_int(r, 5),
        .next_us = db_int(r, 6),
        .dead = (enum delivery_death)db_int(r, 7),
        .last = db_text(r, 8),
        .since_us = db_int(r, 9),
        .lane = (uint64_t)db_int(r, 10),
        .resource = (uint64_t)db_int(r, 11),
        .event = { .key = (uint64_t)db_int(r, 2), .id = db_text(r, 12), .type = db_text(r, 13), .subject = db_text(r, 14) },
    };
}

bool delivery_outline_next(struct db_rows *r, struct delivery_row *row)
{
    if (!db_rows_next(r))
        return false;
    *row = outline_of(r);
    return true;
}

/* -- the log of tries ---------------------------------------------------------------------------------------------- */

enum err delivery_tries_ask(struct db *db, uint64_t cause, struct db_read *read)
{
    const struct db_val vals[] = { DB_I(cause), DB_I(TRIES_SHOWN) };
    return db_ask(db, DB_DELIVERY_TRY_OF, vals, ARRAY_LEN(vals), TRIES_SHOWN, read);
}

bool delivery_try_next(struct db_rows *r, struct delivery_try_row *row)
{
    if (!db_rows_next(r))
        return false;
    *row = (struct delivery_try_row){
        .key = (uint64_t)db_int(r, 0),
        .cause = (uint64_t)db_int(r, 1),
        .delivery = (uint64_t)db_int(r, 2),
        .subscription = (uint64_t)db_int(r, 3),
        .n = (int)db_int(r, 4),
        .events = (unsigned)db_int(r, 5),
        .at_us = db_int(r, 6),
        .took_us = db_int(r, 7),
        .status = (int)db_int(r, 8),
        .words = db_text(r, 9),
    };
    return true;
}

/* -- both, of one event ---------------------------------------------------------------------------------------------- */

enum err delivery_story_ask(struct db *db, uint64_t event, struct db_read *read)
{
    const struct db_val vals[] = { DB_I(event), DB_I(OF_EVENT_MAX), DB_I(TRIES_SHOWN) };
    return db_ask(db, DB_DELIVERY_STORY, vals, ARRAY_LEN(vals), OF_EVENT_MAX + TRIES_SHOWN, read);
}

bool delivery_story_next(struct db_rows *r, struct delivery_story_row *row)
{
    if (!db_rows_next(r))
        return false;
    *row = (struct delivery_story_row){ .tried = db_int(r, 15) };
    if (!row->tried)
        row->delivery = outline_of(r);
    else
        row->try = (struct delivery_try_row){
            .key = (uint64_t)db_int(r, 0),
            .subscription = (uint64_t)db_int(r, 1),
            .cause = (uint64_t)db_int(r, 2),
            .delivery = (uint64_t)db_int(r, 3),
            .n = (int)db_int(r, 5),
            .at_us = db_int(r, 6),
            .status = (int)db_int(r, 7),
            .words = db_text(r, 8),
            .took_us = db_int(r, 9),
            .events = (unsigned)db_int(r, 10),
        };
    return true;
}
