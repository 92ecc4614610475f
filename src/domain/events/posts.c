/* posts.c - one POST: its deliveries read, sent, and what came of it made safe.
 *
 * chosen -> (rows read) -> sent -> answered -> recorded. A full courier or store keeps it in the crowd, which is asked again by
 * the loop's own clock. Lanes move on with the answer; the POST counts as in hand until its record is on disk. */
#include "domain/events/events_priv.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/metric.h"

#include <stdio.h>

METRIC_COUNTER(delivered_total, "carterfone_events_delivered_total", "Events and callbacks an endpoint acknowledged")
METRIC_COUNTER(failed_tries_total, "carterfone_events_failed_tries_total", "Deliveries tried without success")
METRIC_COUNTER(dead_total, "carterfone_events_dead_total", "Deliveries given up")
METRIC_COUNTER(posts_total, "carterfone_events_posts_total", "POSTs of events and callbacks that got an end")

static const int64_t ANSWER_WITHIN_US = 30 * (int64_t)US_PER_S;
static const int64_t GIVE_UP_AFTER_US = 24 * 3600 * (int64_t)US_PER_S;
static const int64_t CROWD_AGAIN_US = 50 * (int64_t)US_PER_MS;
static const int64_t SHED_AGAIN_US = 250 * (int64_t)US_PER_MS;
enum { FAILS_IN_LINE = 2, MAX_ANSWER = 64 * 1024, ANSWER_SHOWN = 120 };

/* Seconds to wait after the n-th failure. Event Grid's published schedule; callbacks: half a second, doubling. */
static const int event_waits_s[] = { 10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600 };
static const int callback_waits_ms[] = { 500, 1000, 2000, 4000, 8000 };

/* -- life ---------------------------------------------------------------------------------------------------------- */

struct post *post_new(struct outlet *o, size_t most)
{
    struct events *ev = o->ev;
    struct post *p = calloc(1, sizeof *p + most * sizeof p->posted[0]);
    if (!p)
        return NULL;
    p->id = ++ev->last_post;
    p->ev = ev;
    p->outlet = o;
    if (map_put(ev->posts, p->id, p)) {
        free(p);
        return NULL;
    }
    return p;
}

/* What it holds of others; its lanes have been given back. */
static void post_release(struct post *p)
{
    if (p->held)
        agenda_release(p->ev->control->agenda);
    p->held = false;
    for (size_t i = 0; i < p->n; i++)
        if (!p->posted[i].lane && map_find(p->ev->apart, p->posted[i].key) == p)
            map_take(p->ev->apart, p->posted[i].key);
}

static void post_destroy(struct post *p)
{
    buf_done(&p->body);
    free(p->url);
    free(p);
}

void post_free(struct post *p)
{
    if (!p)
        return;
    post_release(p);
    map_take(p->ev->posts, p->id);
    post_destroy(p);
}

/* An answer or rows may be on their way to one: what is being read is freed when its rows are dropped. */
void posts_free(struct events *ev)
{
    uint64_t id;
    void *value;
    for (size_t at = 0; ev->posts && map_next(ev->posts, &at, &id, &value);) {
        struct post *p = value;
        if (p->reading)
            p->ev = NULL;
        else
            post_destroy(p);
    }
}

/* It has ended: the outlet may send another. */
static void post_end(struct post *p)
{
    struct outlet *o = p->outlet;
    post_free(p);
    if (!o)
        return;
    o->posts--;
    outlet_pump(o);
}

/* -- the crowd: what a full courier or store would not take waits here, by the loop's own clock ---------------------- */

static void crowd_add(struct post *p)
{
    struct events *ev = p->ev;
    if (!ev->crowd)
        loop_timer_start(&ev->crowd_timer, CROWD_AGAIN_US);
    p->next = NULL;
    p->crowded = true;
    *ev->crowd_tail = p;
    ev->crowd_tail = &p->next;
}

static enum err ask_courier(struct post *p);
static void shed_add(struct post *p);
static enum err record(struct post *p);

static struct post *crowd_take(struct events *ev)
{
    struct post *p = ev->crowd;
    ev->crowd = p->next;
    if (!ev->crowd)
        ev->crowd_tail = &ev->crowd;
    p->next = NULL;
    p->crowded = false;
    return p;
}

/* Its turn comes first again. */
static void crowd_put_back(struct post *p)
{
    struct events *ev = p->ev;
    p->crowded = true;
    p->next = ev->crowd;
    if (!ev->crowd)
        ev->crowd_tail = &p->next;
    ev->crowd = p;
    loop_timer_start(&ev->crowd_timer, CROWD_AGAIN_US);
}

/* Off the list while it is tried: what goes wrong on the way may put it there again. */
void posts_uncrowd(void *arg)
{
    struct events *ev = arg;
    while (ev->crowd) {
        struct post *p = crowd_take(ev);
        if (!p->outlet) {
            post_free(p);
        } else if (p->answered ? record(p) : ask_courier(p)) {
            crowd_put_back(p);
            return;
        }
    }
}

/* -- filling ------------------------------------------------------------------------------------------------------- */

static bool put_body(struct post *p, const char *body, size_t n)
{
    if (p->body.n && p->body.n + n + 3 > POST_OCTETS_MAX)
        return false;
    if (p->body.n)
        buf_putc(&p->body, ',');
    buf_put(&p->body, body, n);
    return true;
}

static bool put_row(struct post *p, const struct delivery_row *row)
{
    const struct event_subscription *s = p->outlet->subscription;
    if (!s) {
        p->url = p->url ? p->url : str_dup(row->url);
        p->resource = row->resource;
        return p->url && put_body(p, row->body.p, row->body.n);
    }
    scoped_buf body = { 0 };
    event_render(p->ev, s, &row->event, &body);
    return !body.bad && put_body(p, body.p, body.n);
}

bool post_put(struct post *p, const struct delivery_row *row)
{
    if (!put_row(p, row))
        return false;
    p->posted[p->n++] = (struct posted){ .key = row->key, .cause = row->event.key ? row->event.key : row->call,
                                         .since_us = row->since_us, .tries = row->tries };
    if (map_put(p->ev->apart, row->key, p))
        p->body.bad = true;
    return true;
}

/* Give places from the i-th on back to their lanes, the last first. */
static void give_back(struct post *p, size_t from)
{
    while (p->n > from) {
        struct lane *lane = p->posted[--p->n].lane;
        lanes_keep(&p->outlet->lanes, lane, lane->in_hand - 1);
    }
}

/* Its row has gone. */
static void strike_out(struct post *p, size_t i)
{
    struct lane *lane = p->posted[i].lane;
    lanes_remove(&p->outlet->lanes, lane, p->posted[i].key);
    if (!lane->in_hand && (lane = lanes_back(&p->outlet->lanes, lane)))
        lanes_wake(&p->outlet->lanes, lane);
    memmove(&p->posted[i], &p->posted[i + 1], (p->n - i - 1) * sizeof p->posted[0]);
    p->n--;
}

static void fill_from_rows(struct post *p, struct db_rows *rows)
{
    struct delivery_row row;
    size_t i = 0;
    while (i < p->n && delivery_row_next(rows, &row)) {
        while (i < p->n && p->posted[i].key != row.key)
            strike_out(p, i);
        if (i == p->n)
            break;
        if (!put_row(p, &row)) {
            give_back(p, i);
            return;
        }
        p->posted[i].cause = row.event.key ? row.event.key : row.call;
        p->posted[i].since_us = row.since_us;
        i++;
    }
    while (p->n > i)
        strike_out(p, p->n - 1);
}

static void on_rows(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct post *p = container_of(item, struct post, read.item);
    scoped(db_rows) struct db_rows *rows = p->read.rows;
    p->reading = false;
    if (!p->outlet) {
        post_free(p);
        return;
    }
    if (!p->read.err)
        fill_from_rows(p, rows);
    if (p->read.err)
        crowd_add(p);                   /* the store failed: soon again */
    else if (p->n)
        post_send(p);
    else
        post_end(p);
}

static void drop_rows(struct inbox_item *item)
{
    struct post *p = container_of(item, struct post, read.item);
    db_rows_free(p->read.rows);
    if (!p->ev)
        post_destroy(p);
}

static const struct inbox_kind rows_kind = { "events.bodies", on_rows, drop_rows };

static enum err read_rows(struct post *p)
{
    struct events *ev = p->ev;
    scoped_buf keys = { 0 };
    bool again = false;
    for (size_t i = 0; i < p->n; i++) {
        buf_printf(&keys, "%c%llu", i ? ',' : '[', (unsigned long long)p->posted[i].key);
        again |= p->posted[i].tries > 0;
        struct delivery *d = map_take(ev->larder, p->posted[i].key);
        if (d)
            ev->larder_octets -= sizeof *d + d->body_n;
        delivery_free(d);
    }
    buf_putc(&keys, ']');
    p->read = (struct db_read){ .item.kind = &rows_kind, .to = control_inbox(ev->control) };
    p->reading = true;
    enum err err = buf_err(&keys);
    if (!err)
        err = delivery_rows_ask_keys(ev->control->db, buf_str(&keys), p->n, &p->read);
    p->reading = !err;
    if (!err && again && !p->held) {
        p->held = true;
        agenda_hold(ev->control->agenda);
    }
    return err;
}

void post_begin(struct post *p)
{
    struct map *larder = p->ev->larder;
    bool all = true;
    for (size_t i = 0; all && i < p->n; i++)
        all = map_find(larder, p->posted[i].key) != NULL;
    if (!all) {
        if (read_rows(p))
            crowd_add(p);               /* with an empty body: it is read when its turn comes */
        return;
    }
    for (size_t i = 0; i < p->n; i++) {
        struct delivery *d = map_find(larder, p->posted[i].key);
        if (!put_body(p, d->bytes, d->body_n)) {
            give_back(p, i);
            break;
        }
        p->url = d->url ? str_dup(str_of(d->url)) : NULL;
        p->body.bad |= d->url && !p->url;
        p->resource = d->resource;
        p->posted[i].cause = d->cause;
        p->posted[i].since_us = d->since_us;
        map_take(larder, d->key);
        p->ev->larder_octets -= sizeof *d + d->body_n;
        delivery_free(d);
    }
    post_send(p);
}

/* -- the end of a try ------------------------------------------------------------------------------------------------ */

/* How long to wait after that many failures, with up to a tenth of jitter; 0: give up. */
static int64_t wait_after(const struct post *p, const struct posted *d, enum delivery_death *why)
{
    size_t n = (size_t)d->tries - 1;
    bool callback = !p->outlet->subscription;
    size_t most = callback ? ARRAY_LEN(callback_waits_ms) : ARRAY_LEN(event_waits_s);
    *why = n >= most ? DELIVERY_TRIED_OUT : DELIVERY_LIVES;
    if (!callback && control_now_us(p->ev->control) - d->since_us > GIVE_UP_AFTER_US)
        *why = DELIVERY_TOO_OLD;
    if (*why)
        return 0;
    if (callback)
        return callback_waits_ms[n] * (int64_t)US_PER_MS;
    int64_t wait = event_waits_s[n] * (int64_t)US_PER_S;
    return wait + (int64_t)(random_u64() % (uint64_t)(wait / 10));
}

/* Event Grid does not try again after these (bad request, unauthorized, forbidden, too large). In a batch they may be about
 * one event only: each is asked alone first. */
static bool is_final(const struct post *p)
{
    return p->outlet->subscription && !p->err && p->n == 1
        && (p->status == 400 || p->status == 401 || p->status == 403 || p->status == 413);
}

static void judge(struct post *p)
{
    p->good = !p->err && p->status >= 200 && p->status <= 204;
    p->alone = !p->good && !p->err;
    for (size_t i = 0; i < p->n; i++) {
        struct posted *d = &p->posted[i];
        d->tries++;
        if (p->good)
            continue;
        int64_t wait = wait_after(p, d, &d->dead);
        if (is_final(p))
            d->dead = DELIVERY_UNWANTED;
        d->next_us = control_now_us(p->ev->control) + (d->dead ? 0 : wait);
    }
}

static bool stays_in_line(const struct post *p, const struct posted *d)
{
    return !p->good && !d->dead && (!p->outlet->subscription || d->tries < FAILS_IN_LINE);
}

/* Lanes go on: what was acknowledged, died or failed twice leaves them. */
static void settle_lanes(struct post *p)
{
    struct outlet *o = p->outlet;
    for (size_t i = 0, next; i < p->n; i = next) {
        struct lane *lane = p->posted[i].lane;
        int64_t rest_us = 0;
        for (next = i; next < p->n && p->posted[next].lane == lane; next++) {
            const struct posted *d = &p->posted[next];
            struct place *place = lane && stays_in_line(p, d) ? lanes_find(lane, d->key) : NULL;
            if (place) {
                place->tries = (uint8_t)d->tries;
                place->alone |= p->alone;
                rest_us = d->next_us > rest_us ? d->next_us : rest_us;
            } else if (lane) {
                lanes_remove(&o->lanes, lane, d->key);
            }
        }
        if (!lane || !(lane = lanes_back(&o->lanes, lane)))
            continue;
        if (rest_us)
            outlet_rest(o, lane, rest_us);
        lanes_wake(&o->lanes, lane);
    }
}

/* A lane that is settled is no longer ours; whether it was one decides what is told after the record. */
static void write_ends(struct post *p, struct db_unit *u)
{
    struct control *c = p->ev->control;
    for (size_t i = 0; i < p->n; i++) {
        const struct posted *d = &p->posted[i];
        struct delivery_try_row tried = { .key = ids_next(c->ids), .cause = d->cause, .delivery = d->key,
                                          .subscription = p->outlet->subscription ? p->outlet->subscription->key : 0,
                                          .n = d->tries, .events = (unsigned)p->n, .at_us = control_now_us(c),
                                          .took_us = p->took_us, .status = p->err ? 0 : p->status,
                                          .words = str_of(p->good ? "" : p->words) };
        delivery_try_insert(u, &tried);
        if (p->good) {
            delivery_row_delete(u, d->key);
            continue;
        }
        char last[224];
        if (p->err)
            snprintf(last, sizeof last, "%s", p->words);
        else
            snprintf(last, sizeof last, "HTTP %d%s%s", p->status, p->words[0] ? ": " : "", p->words);
        delivery_row_failed(u, &(struct delivery_row){ .key = d->key, .tries = d->tries, .next_us = d->next_us,
                                                       .dead = d->dead, .alone = p->alone, .last = str_of(last) });
    }
}

struct recording {
    struct events *ev;
    uint64_t       post;
};

static void on_recorded(void *mine, enum err err)
{
    struct recording *r = mine;
    struct post *p = map_find(r->ev->posts, r->post);
    if (!p)
        return;
    if (err) {
        crowd_add(p);
        return;
    }
    struct outlet *o = p->outlet;
    for (size_t i = 0; o && o->subscription && !p->good && i < p->n; i++)
        if (!p->posted[i].dead && p->posted[i].tries >= FAILS_IN_LINE)
            outlet_due(o, p->posted[i].next_us, p->posted[i].key);
    post_end(p);
}

static enum err record(struct post *p)
{
    struct recording *r = malloc(sizeof *r);
    struct db_unit *u = db_unit_new();
    if (r)
        *r = (struct recording){ p->ev, p->id };
    write_ends(p, u);
    return control_write(p->ev->control, u, on_recorded, r);
}

static void count(const struct post *p)
{
    size_t dead = 0;
    for (size_t i = 0; i < p->n; i++)
        dead += p->posted[i].dead != DELIVERY_LIVES;
    metric_add(&posts_total, 1);
    metric_add(p->good ? &delivered_total : &failed_tries_total, (int64_t)p->n);
    metric_add(&dead_total, (int64_t)dead);
    if (dead)
        log_warn("events", "gave up %zu deliver%s: %s (HTTP %d)", dead, dead == 1 ? "y" : "ies",
                 p->err ? p->words : "the answer", p->status);
}

static void answered(struct post *p)
{
    struct outlet *o = p->outlet;
    judge(p);
    count(p);
    p->answered = true;
    settle_lanes(p);
    outlet_ended(o, p->good);
    if (record(p))
        crowd_add(p);
    outlet_pump(o);
}

/* -- to the courier and back ----------------------------------------------------------------------------------------- */

void courier_reply_free(struct courier_reply *r)
{
    free((char *)(uintptr_t)r->body.p);
    free(r);
}

void courier_reply_post(struct events *ev, const struct inbox_kind *kind, const struct courier_outcome *o)
{
    struct courier_reply *r = calloc(1, sizeof *r);
    if (!r)
        return;                         /* the row stays: delivered after the next start */
    *r = (struct courier_reply){ .item.kind = kind, .ev = ev, .id = o->id, .err = o->err, .status = o->status,
                                 .took_us = o->took_us };
    str_copyz(r->words, sizeof r->words, str_of(o->words));
    str_copyz(r->allowed_origin, sizeof r->allowed_origin, o->allowed_origin);
    char *body = str_dup(o->body);
    r->body = (struct str){ body, body ? o->body.n : 0 };
    inbox_post_always(control_inbox(ev->control), &r->item);
}

/* What went wrong; of an answer its first words, as far as they can be shown. */
static void words_of(struct post *p, const struct courier_reply *r)
{
    if (r->err) {
        str_copyz(p->words, sizeof p->words, str_of(r->words[0] ? r->words : err_words(r->err)));
        return;
    }
    size_t n = 0;
    for (size_t i = 0; i < r->body.n && n < ANSWER_SHOWN; i++) {
        unsigned char c = (unsigned char)r->body.p[i];
        if (c > 126)
            c = '?';
        if (c > ' ' || (c == ' ' && n && p->words[n - 1] != ' '))
            p->words[n++] = (char)c;
    }
    p->words[n] = '\0';
}

static void on_outcome(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct courier_reply *r = container_of(item, struct courier_reply, item);
    struct post *p = map_find(r->ev->posts, r->id);
    if (p && !p->outlet) {
        post_free(p);                   /* unsubscribed meanwhile */
    } else if (p && r->err == ERR_BUSY) {
        shed_add(p);                    /* its line at the courier was full: not tried */
    } else if (p && r->err != ERR_CLOSED) {     /* closed: this process is ending, the next one delivers */
        p->err = r->err;
        p->status = r->status;
        p->took_us = r->took_us;
        words_of(p, r);
        answered(p);
    }
    courier_reply_free(r);
}

static void drop_reply(struct inbox_item *item)
{
    courier_reply_free(container_of(item, struct courier_reply, item));
}

static const struct inbox_kind outcome_kind = { "events.outcome", on_outcome, drop_reply };

static void courier_done(void *arg, const struct courier_outcome *o)
{
    courier_reply_post(arg, &outcome_kind, o);
}

bool post_is_batch(const struct post *p)
{
    return outlet_batch(p->outlet) > 1 || p->n > 1;
}

static enum err ask_courier(struct post *p)
{
    struct post_headers h = { 0 };
    scoped_buf bracketed = { 0 };
    char audience[GUID_SIZE];
    const struct event_subscription *s = p->outlet->subscription;
    if (!p->body.n)                     /* its rows could not be read yet */
        return read_rows(p);
    struct str body = buf_str(&p->body);
    if (!s || !s->cloud || post_is_batch(p)) {
        buf_putc(&bracketed, '[');
        buf_puts(&bracketed, body);
        buf_putc(&bracketed, ']');
        body = buf_str(&bracketed);
    }
    struct courier_request rq = { .id = p->id, .method = "POST", .url = str_of(s ? s->url : p->url), .body = body,
                                  .timeout_us = ANSWER_WITHIN_US, .max_body = MAX_ANSWER, .done = courier_done, .arg = p->ev };
    if (!s) {                           /* whoever gets it can tell that it is from us, and about which resource */
        ids_guid(p->ev->control->ids, ID_RESOURCE, p->resource, audience);
        rq.token_for = str_of(audience);
    }
    post_headers_fill(&h, p, body, &rq);
    bool bad = p->body.bad || bracketed.bad || h.text.bad;
    enum err err = bad ? ERR_NONE : p->ev->courier->send(p->ev->courier_self, &rq);
    buf_done(&h.text);
    if (bad) {                          /* a failed try, which ends well when there is memory again */
        p->err = ERR_NOMEM;
        str_copyz(p->words, sizeof p->words, str_of(err_words(ERR_NOMEM)));
        answered(p);
    }
    return err;
}

void post_send(struct post *p)
{
    if (p->held) {
        agenda_release(p->ev->control->agenda);
        p->held = false;
    }
    if (p->ev->crowd || ask_courier(p))
        crowd_add(p);                   /* soon again, without counting it as a try */
}

/* One host's line was full. Not into the crowd, where everybody would wait for it. */
static void shed_add(struct post *p)
{
    struct events *ev = p->ev;
    if (!ev->shed)
        loop_timer_start(&ev->shed_timer, SHED_AGAIN_US);
    p->next = NULL;
    p->crowded = true;
    *ev->shed_tail = p;
    ev->shed_tail = &p->next;
}

void posts_unshed(void *arg)
{
    struct events *ev = arg;
    struct post *p = ev->shed;
    ev->shed = NULL;
    ev->shed_tail = &ev->shed;
    for (struct post *next; p; p = next) {
        next = p->next;
        p->next = NULL;
        p->crowded = false;
        if (p->outlet)
            post_send(p);
        else
            post_free(p);
    }
}
