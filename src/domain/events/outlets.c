/* outlets.c - what waits for whom: lanes of first tries, and the rows out of line that are read when they are due.
 *
 * An event that failed twice stands in no line: only its row knows it, and the outlet when the first of them is due. */
#include "domain/events/events_priv.h"

#include <stdio.h>

static const int64_t FAILING_GAP_US = 20 * (int64_t)US_PER_MS;
static const size_t LARDER_MAX = 16 << 20;
enum { POSTS_SINGLE = 64, POSTS_BATCHED = 8, POSTS_OF_CALLBACKS = 4096, FAILING_FROM = 10, DUE_READ_MAX = 200 };

static unsigned posts_most(const struct outlet *o)
{
    if (!o->subscription)
        return POSTS_OF_CALLBACKS;
    return o->failing >= FAILING_FROM ? 1 : o->subscription->batch > 1 ? POSTS_BATCHED : POSTS_SINGLE;
}

unsigned outlet_batch(const struct outlet *o)
{
    return o->subscription ? o->subscription->batch : 1;
}

static void on_gap_over(void *arg)
{
    struct outlet *o = arg;
    o->gap_runs = false;
    outlet_pump(o);
}

struct outlet *outlet_new(struct events *ev, struct event_subscription *s)
{
    struct outlet *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    *o = (struct outlet){ .ev = ev, .subscription = s };
    o->due_tail = &o->due;
    if (lanes_init(&o->lanes) || loop_timer_init(ev->control->loop, &o->gap, on_gap_over, o)) {
        outlet_free(o);
        return NULL;
    }
    return o;
}

struct outlet *outlet_of(struct event_subscription *s)
{
    if (!s->outlet)
        s->outlet = outlet_new(s->ev, s);
    return s->outlet;
}

/* -- the larder ---------------------------------------------------------------------------------------------------- */

void delivery_free(struct delivery *d)
{
    free(d);
}

static void larder_forget(void *arg, uint64_t key)
{
    struct events *ev = arg;
    struct delivery *d = map_take(ev->larder, key);
    if (d)
        ev->larder_octets -= sizeof *d + d->body_n;
    delivery_free(d);
}

static void larder_add(struct events *ev, struct delivery *d)
{
    size_t octets = sizeof *d + d->body_n;
    if (ev->larder_octets + octets > LARDER_MAX || map_put(ev->larder, d->key, d))
        delivery_free(d);
    else
        ev->larder_octets += octets;
}

/* -- coming and going ---------------------------------------------------------------------------------------------- */

static void orphan_posts(struct outlet *o)
{
    uint64_t id;
    void *value;
    for (size_t at = 0; map_next(o->ev->posts, &at, &id, &value);) {
        struct post *p = value;
        if (p->outlet == o)
            p->outlet = NULL;           /* ends when its answer, its rows or its turn come */
    }
}

void outlet_free(struct outlet *o)
{
    if (!o)
        return;
    orphan_posts(o);
    for (struct post *p = o->due, *next; p; p = next) {
        next = p->next;
        post_free(p);
    }
    agenda_clear(o->ev->control->agenda, &o->next_due);
    loop_timer_done(&o->gap);
    lanes_done(&o->lanes, o->ev->control->agenda, larder_forget, o->ev);
    free(o);
}

static void on_rested(void *arg, int64_t due_us)
{
    (void)due_us;
    struct lane_rest *rest = arg;
    struct outlet *o = rest->owner;
    lanes_rested(&o->lanes, rest->lane);
    outlet_pump(o);
}

void outlet_rest(struct outlet *o, struct lane *lane, int64_t until_us)
{
    lanes_rest(&o->lanes, lane, o->ev->control->agenda, until_us, on_rested, o);
}

void outlet_add(struct outlet *o, const struct delivery_row *row, struct delivery *d)
{
    struct lane *lane = NULL;
    const struct place place = { .key = row->key, .tries = (uint8_t)row->tries, .alone = row->alone || !o->subscription };
    if (lanes_add(&o->lanes, row->lane, &place, &lane)) {
        delivery_free(d);               /* its row stays: the next start delivers it */
        return;
    }
    if (d)
        larder_add(o->ev, d);
    if (row->tries && lane->head->key == row->key)
        outlet_rest(o, lane, row->next_us);
}

/* -- out of line --------------------------------------------------------------------------------------------------- */

/* A read of due rows; an object of its own, because the outlet may end before its answer. */
struct due_reading {
    struct db_read read;
    struct events *ev;
    uint64_t       subscription;
    size_t         limit;
};

static void on_due(void *arg, int64_t due_us)
{
    (void)due_us;
    struct outlet *o = arg;
    o->due_more = true;
    outlet_pump(o);
}

static void due_at(struct outlet *o, int64_t at_us)
{
    if (!o->next_due.at || at_us < o->next_due.due_us)
        (void)!agenda_set(o->ev->control->agenda, &o->next_due, at_us, on_due, o);
}

void outlet_due(struct outlet *o, int64_t next_us, uint64_t key)
{
    if (next_us < o->due_us || (next_us == o->due_us && key <= o->due_key)) {
        o->due_us = next_us;            /* it was not on disk when its turn was read */
        o->due_key = key - 1;
    }
    due_at(o, next_us);
}

static void due_push(struct outlet *o, struct post *p)
{
    p->next = NULL;
    *o->due_tail = p;
    o->due_tail = &p->next;
}

static struct post *due_pop(struct outlet *o)
{
    struct post *p = o->due;
    o->due = p->next;
    if (!o->due)
        o->due_tail = &o->due;
    p->next = NULL;
    return p;
}

/* Into the POST that is being filled, or the next one. @return false: out of memory, later again */
static bool due_put(struct outlet *o, struct post **filling, const struct delivery_row *row)
{
    if (*filling && (row->alone || (*filling)->n >= outlet_batch(o) || !post_put(*filling, row))) {
        due_push(o, *filling);
        *filling = NULL;
    } else if (*filling) {
        return true;
    }
    *filling = post_new(o, row->alone ? 1 : outlet_batch(o));
    bool put = *filling && post_put(*filling, row);
    if (put && row->alone) {
        due_push(o, *filling);
        *filling = NULL;
    } else if (!put) {
        post_free(*filling);
        *filling = NULL;
    }
    return put;
}

static void due_take_rows(struct outlet *o, struct db_rows *rows, size_t limit)
{
    struct delivery_row row;
    struct post *filling = NULL;
    int64_t now = control_now_us(o->ev->control);
    bool more = db_rows_count(rows) >= limit;
    while (delivery_row_next(rows, &row)) {
        if (row.next_us > now) {
            due_at(o, row.next_us);
            more = false;
            break;
        }
        if (!map_find(o->ev->apart, row.key) && !due_put(o, &filling, &row)) {
            due_at(o, now + US_PER_S);
            more = false;
            break;
        }
        o->due_us = row.next_us;
        o->due_key = row.key;
    }
    if (filling)
        due_push(o, filling);
    o->due_more = more;
}

static void on_due_rows(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct due_reading *d = container_of(item, struct due_reading, read.item);
    scoped(db_rows) struct db_rows *rows = d->read.rows;
    struct event_subscription *s = map_find(d->ev->subscriptions, d->subscription);
    struct outlet *o = s ? s->outlet : NULL;
    if (o) {
        o->due_reading = false;
        if (!d->read.err)
            due_take_rows(o, rows, d->limit);
        else
            due_at(o, control_now_us(d->ev->control) + US_PER_S);
        outlet_pump(o);
    }
    agenda_release(d->ev->control->agenda);
    free(d);
}

static void drop_due_rows(struct inbox_item *item)
{
    struct due_reading *d = container_of(item, struct due_reading, read.item);
    db_rows_free(d->read.rows);
    free(d);
}

static const struct inbox_kind due_kind = { "events.due", on_due_rows, drop_due_rows };

static void due_read(struct outlet *o)
{
    struct due_reading *d = calloc(1, sizeof *d);
    o->due_more = false;
    enum err err = d ? ERR_NONE : ERR_NOMEM;
    if (!err) {
        *d = (struct due_reading){ .read = { .item.kind = &due_kind, .to = control_inbox(o->ev->control) }, .ev = o->ev,
                                   .subscription = o->subscription->key, .limit = DUE_READ_MAX };
        err = delivery_rows_ask_due(o->ev->control->db, d->subscription, o->due_us, o->due_key, d->limit, &d->read);
    }
    if (err) {
        free(d);
        due_at(o, control_now_us(o->ev->control) + US_PER_S);
        return;
    }
    o->due_reading = true;
    agenda_hold(o->ev->control->agenda);
}

/* -- sending ------------------------------------------------------------------------------------------------------- */

/* The next POST from the lines; NULL: nothing may be sent. */
static struct post *choose(struct outlet *o)
{
    uint32_t most = outlet_batch(o), n = 0;
    struct post *p = o->lanes.ready ? post_new(o, most) : NULL;
    struct lane *lane = p ? lanes_take(&o->lanes, most, &n) : NULL;
    while (lane) {
        const struct place *place = lane->head;
        for (uint32_t i = 0; i < n; i++, place = place->next)
            p->posted[p->n++] = (struct posted){ .key = place->key, .lane = lane, .tries = place->tries };
        lane = p->n < most && !lane->head->alone ? lanes_take_more(&o->lanes, most - (uint32_t)p->n, &n) : NULL;
    }
    return p;
}

void outlet_pump(struct outlet *o)
{
    while (o->posts < posts_most(o) && !o->gap_runs) {
        struct post *p = o->due ? due_pop(o) : NULL;
        if (p) {
            o->posts++;
            post_send(p);
        } else if ((p = choose(o))) {
            o->posts++;
            post_begin(p);
        } else {
            break;
        }
    }
    if (o->due_more && !o->due_reading && !o->due && o->posts < posts_most(o))
        due_read(o);
}

void outlet_ended(struct outlet *o, bool good)
{
    o->failing = good ? 0 : o->failing + 1;
    if (!o->subscription || o->failing < FAILING_FROM || o->gap_runs)
        return;
    o->gap_runs = true;
    loop_timer_start(&o->gap, FAILING_GAP_US);
}

/* -- start-up ------------------------------------------------------------------------------------------------------ */

static enum err load_one(void *arg, const struct delivery_row *row)
{
    struct events *ev = arg;
    struct event_subscription *s = row->subscription ? map_find(ev->subscriptions, row->subscription) : NULL;
    struct outlet *o = row->subscription ? (s ? outlet_of(s) : NULL) : ev->callbacks;
    ids_after(ev->control->ids, row->key);
    if (o)
        outlet_add(o, row, NULL);
    else if (row->subscription && !s)   /* its end was cut off */
        events_sweep(ev, row->subscription);
    return row->subscription && s && !o ? ERR_NOMEM : ERR_NONE;
}

enum err outlets_load(struct events *ev)
{
    uint64_t key;
    void *value;
    enum err err = delivery_rows_in_line(ev->control->db, load_one, ev);
    for (size_t at = 0; !err && map_next(ev->subscriptions, &at, &key, &value);) {
        int64_t due_us = INT64_MAX;
        err = delivery_row_first_due(ev->control->db, key, &due_us);
        struct outlet *o = !err && due_us != INT64_MAX ? outlet_of(value) : NULL;
        if (o)
            due_at(o, due_us);
    }
    return err;
}
