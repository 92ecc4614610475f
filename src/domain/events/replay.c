/* replay.c - sending again: one event, one callback, the events of a time, or dead letters. Ids stay; the day of tries begins anew.
 *
 * In slices: rows are read, those to be sent are written in one unit, and when that is safe they line up. What is still on
 * its way is left alone. */
#include "domain/events/events_priv.h"

enum { COPIES_MAX = EVENT_SUBSCRIPTIONS_MAX, DEAD_SLICE = 200 };
static_assert((int)COPIES_MAX >= (int)EVENT_ROWS_BETWEEN && (int)COPIES_MAX >= (int)DEAD_SLICE, "a slice fits");

/* One delivery of a slice: as it was found, or as it was written and is to be lined up. */
struct copy {
    uint64_t            key, subscription, lane;
    enum delivery_death dead;
};
struct replay {
    struct db_read     read;
    struct events     *ev;
    uint64_t           resource, subscription;
    int64_t            at_us, until_us;     /* of a time: read so far, behind (at_us, key) */
    uint64_t           key;
    uint64_t           callback;            /* of one id: the callback that it would be; 0: none */
    bool               dead;                /* dead letters: read so far, behind key */
    bool               more;
    struct db_rows    *event;               /* of one event: its row */
    struct event_row   row;
    struct db_unit    *unit;
    size_t             n_found, n, total;
    struct copy        found[COPIES_MAX], copies[COPIES_MAX];
    events_replayed_fn *tell;
    void              *arg;
};

static void replay_free(struct replay *r)
{
    db_rows_free(r->event);
    db_unit_free(r->unit);
    free(r);
}

static void finish(struct replay *r, enum err err)
{
    r->tell(r->arg, err, r->total);
    replay_free(r);
}

static void drop_read(struct inbox_item *item)
{
    struct replay *r = container_of(item, struct replay, read.item);
    db_rows_free(r->read.rows);
    replay_free(r);
}

/* -- choosing ------------------------------------------------------------------------------------------------------ */

static void revive(struct replay *r, uint64_t delivery, uint64_t subscription, uint64_t cause, uint64_t lane)
{
    delivery_row_revive(r->unit, delivery, control_now_us(r->ev->control));
    delivery_tries_trim(r->unit, cause);
    r->copies[r->n++] = (struct copy){ .key = delivery, .subscription = subscription, .lane = lane };
}

/* @param delivery  the event's to this subscription; 0: none any more */
static void copy_event(struct replay *r, const struct event_subscription *s, const struct event_row *row, uint64_t delivery,
                       enum delivery_death dead)
{
    if (r->n >= COPIES_MAX || (delivery && !dead))
        return;
    uint64_t lane = event_lane(s->key, row->subject);
    if (delivery) {
        revive(r, delivery, s->key, row->key, lane);
        return;
    }
    const struct delivery_row d = { .key = ids_next(r->ev->control->ids), .subscription = s->key, .resource = s->resource,
                                    .lane = lane, .since_us = control_now_us(r->ev->control), .event = *row };
    delivery_row_insert(r->unit, &d);
    delivery_tries_trim(r->unit, row->key);
    r->copies[r->n++] = (struct copy){ .key = d.key, .subscription = s->key, .lane = lane };
}

/* -- writing ------------------------------------------------------------------------------------------------------- */

static enum err next_slice(struct replay *r);

static void line_up(struct replay *r)
{
    for (size_t i = 0; i < r->n; i++) {
        uint64_t of = r->copies[i].subscription;
        struct event_subscription *s = of ? map_find(r->ev->subscriptions, of) : NULL;
        struct outlet *o = !of ? r->ev->callbacks : s && !s->gone ? outlet_of(s) : NULL;
        if (!o)
            continue;
        outlet_add(o, &(struct delivery_row){ .key = r->copies[i].key, .lane = r->copies[i].lane }, NULL);
        outlet_pump(o);
    }
    r->total += r->n;
    r->n = 0;
}

struct written {
    struct replay *r;
};

static void on_written(void *mine, enum err err)
{
    struct replay *r = ((struct written *)mine)->r;
    if (!err)
        line_up(r);
    if (!err && r->more)
        err = next_slice(r);
    else
        r->more = false;
    if (err || !r->more)
        finish(r, err);
}

/* @return an error; then nothing follows by itself */
static enum err write_slice(struct replay *r)
{
    if (!r->n) {
        db_unit_free(r->unit);
        r->unit = NULL;
        if (r->more)
            return next_slice(r);
        finish(r, ERR_NONE);
        return ERR_NONE;
    }
    struct written *w = malloc(sizeof *w);
    struct db_unit *u = r->unit;
    r->unit = NULL;
    if (w)
        w->r = r;
    return control_write(r->ev->control, u, on_written, w);
}

/* -- the events of a time, dead letters ---------------------------------------------------------------------------- */

static void take_between(struct replay *r, const struct event_subscription *s, struct db_rows *rows)
{
    struct event_row row;
    uint64_t delivery;
    enum delivery_death dead;
    r->more = db_rows_count(rows) >= EVENT_ROWS_BETWEEN;
    while (event_row_between_next(rows, &row, &delivery, &dead)) {
        const struct event_new e = { .resource = row.resource, .type = row.type, .subject = row.subject, .data = row.data };
        struct looked l = { .event = &e };
        if (subscription_wants(s, &l))
            copy_event(r, s, &row, delivery, dead);
        json_doc_free(l.data);
        r->at_us = row.at_us;
        r->key = row.key;
    }
}

static void take_dead(struct replay *r, struct db_rows *rows)
{
    struct delivery_row row;
    r->more = db_rows_count(rows) >= DEAD_SLICE;
    while (delivery_outline_next(rows, &row)) {
        r->key = row.key;
        if (row.since_us >= r->at_us && row.since_us < r->until_us)
            revive(r, row.key, row.subscription, row.event.key, row.lane);
    }
}

static void on_slice(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct replay *r = container_of(item, struct replay, read.item);
    scoped(db_rows) struct db_rows *rows = r->read.rows;
    const struct event_subscription *s = map_find(r->ev->subscriptions, r->subscription);
    enum err err = r->read.err ? r->read.err : !s || s->gone ? ERR_ABSENT : ERR_NONE;
    r->unit = err ? NULL : db_unit_new();
    if (!err && r->dead)
        take_dead(r, rows);
    else if (!err)
        take_between(r, s, rows);
    if (!err)
        err = write_slice(r);
    if (err)
        finish(r, err);
}

static const struct inbox_kind slice_kind = { "events.replay", on_slice, drop_read };

static enum err next_slice(struct replay *r)
{
    struct db *db = r->ev->control->db;
    r->read = (struct db_read){ .item.kind = &slice_kind, .to = control_inbox(r->ev->control) };
    return r->dead ? delivery_rows_ask_dead_after(db, r->subscription, r->key, DEAD_SLICE, &r->read)
                   : event_rows_ask_between(db, r->at_us, r->key, r->until_us, r->subscription, &r->read);
}

/* -- one event ------------------------------------------------------------------------------------------------------ */

static bool copy_to(void *arg, struct event_subscription *s)
{
    struct replay *r = arg;
    const struct copy *had = NULL;
    for (size_t i = 0; i < r->n_found && !had; i++)
        had = r->found[i].subscription == s->key ? &r->found[i] : NULL;
    if (!r->subscription || r->subscription == s->key)
        copy_event(r, s, &r->row, had ? had->key : 0, had ? had->dead : DELIVERY_LIVES);
    return true;
}

static void on_deliveries(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct replay *r = container_of(item, struct replay, read.item);
    scoped(db_rows) struct db_rows *rows = r->read.rows;
    struct delivery_row row;
    enum err err = r->read.err;
    while (!err && r->n_found < COPIES_MAX && delivery_outline_next(rows, &row))
        r->found[r->n_found++] = (struct copy){ .key = row.key, .subscription = row.subscription, .dead = row.dead };
    if (!err) {
        const struct event_new e = { .resource = r->row.resource, .type = r->row.type, .subject = r->row.subject,
                                     .data = r->row.data };
        struct looked l = { .event = &e };
        r->unit = db_unit_new();
        subscriptions_wanting(r->ev, &l, copy_to, r);
        json_doc_free(l.data);
        err = write_slice(r);
    }
    if (err)
        finish(r, err);
}

static const struct inbox_kind deliveries_kind = { "events.replay_of", on_deliveries, drop_read };

/* No event, but a callback, which is its own delivery. One that is not there has been acknowledged. */
static void on_callback(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct replay *r = container_of(item, struct replay, read.item);
    scoped(db_rows) struct db_rows *rows = r->read.rows;
    struct delivery_row row;
    enum err err = r->read.err;
    if (!err && (!delivery_outline_next(rows, &row) || row.subscription || (r->resource && row.resource != r->resource)))
        err = ERR_ABSENT;
    r->unit = err ? NULL : db_unit_new();
    if (!err && row.dead)
        revive(r, row.key, 0, row.call, row.lane);
    if (!err)
        err = write_slice(r);
    if (err)
        finish(r, err);
}

static const struct inbox_kind callback_kind = { "events.replay_callback", on_callback, drop_read };

static enum err ask_callback(struct replay *r)
{
    if (!r->callback || r->subscription)
        return ERR_ABSENT;
    r->read = (struct db_read){ .item.kind = &callback_kind, .to = control_inbox(r->ev->control) };
    return delivery_row_ask(r->ev->control->db, r->callback, &r->read);
}

static void on_event(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct replay *r = container_of(item, struct replay, read.item);
    enum err err = r->read.err;
    r->event = r->read.rows;
    if (!err && !event_row_next(r->event, &r->row)) {
        err = ask_callback(r);
        if (err)
            finish(r, err);
        return;
    }
    r->read = (struct db_read){ .item.kind = &deliveries_kind, .to = control_inbox(r->ev->control) };
    if (!err)
        err = delivery_rows_ask_event(r->ev->control->db, r->row.key, &r->read);
    if (err)
        finish(r, err);
}

static const struct inbox_kind event_kind = { "events.replay_event", on_event, drop_read };

enum err events_replay(struct events *ev, const struct events_replay_query *q, events_replayed_fn *done, void *arg)
{
    struct replay *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    *r = (struct replay){ .ev = ev, .resource = q->resource, .subscription = q->subscription, .at_us = q->since_us,
                          .until_us = q->until_us, .dead = q->dead, .tell = done, .arg = arg };
    enum err err;
    if (q->id.n) {
        if (ids_guid_read(ev->control->ids, ID_EVENT, q->id, &r->callback))
            r->callback = 0;
        r->read = (struct db_read){ .item.kind = &event_kind, .to = control_inbox(ev->control) };
        err = event_row_ask_id(ev->control->db, q->id, ids_key_in(ev->control->ids, q->id), q->resource, &r->read);
    } else {
        err = next_slice(r);
    }
    if (err)
        replay_free(r);
    return err;
}
