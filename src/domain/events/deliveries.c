/* deliveries.c - trying, retrying and ending the deliveries of the outbox. */
#include "domain/events/events_priv.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/metric.h"

#include <stdio.h>

METRIC_COUNTER(delivered_total, "carterfone_events_delivered_total", "Events and callbacks an endpoint acknowledged")
METRIC_COUNTER(failed_tries_total, "carterfone_events_failed_tries_total", "Deliveries tried without success")
METRIC_COUNTER(dead_total, "carterfone_events_dead_total", "Deliveries given up")

static const int64_t ANSWER_WITHIN_US = 30 * (int64_t)US_PER_S;
static const int64_t GIVE_UP_AFTER_US = 24 * 3600 * (int64_t)US_PER_S;
static const int64_t CROWD_AGAIN_US = 50 * (int64_t)US_PER_MS;
enum { FAILS_IN_LINE = 2, MAX_ANSWER = 64 * 1024 };

/* Seconds to wait after the n-th failure. Event Grid's published schedule; callbacks: half a second, doubling. */
static const int event_waits_s[] = { 10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600 };
static const int callback_waits_ms[] = { 500, 1000, 2000, 4000, 8000 };

static void try_now(struct delivery *d);

enum err delivery_new(struct delivery **out, struct events *ev, const struct delivery_row *row, struct str body)
{
    struct delivery *d = calloc(1, sizeof *d);
    if (!d)
        return ERR_NOMEM;
    *d = (struct delivery){ .ev = ev, .key = row->key, .subscription = row->subscription, .since_us = row->event.at_us };
    d->body = str_dup(body);
    d->url = row->subscription ? NULL : str_dup(row->url);
    if (!d->body || (!row->subscription && !d->url)) {
        delivery_free(d);
        return ERR_NOMEM;
    }
    *out = d;
    return ERR_NONE;
}

/* -- the crowd: what a full courier would not take waits here, by the loop's own clock ------------------------------ */

static void crowd_add(struct delivery *d)
{
    struct events *ev = d->ev;
    if (!ev->crowd)
        loop_timer_start(&ev->crowd_timer, CROWD_AGAIN_US);
    d->crowd_next = NULL;
    d->crowd_at = ev->crowd_tail;
    *ev->crowd_tail = d;
    ev->crowd_tail = &d->crowd_next;
}

static void crowd_remove(struct delivery *d)
{
    if (!d->crowd_at)
        return;
    *d->crowd_at = d->crowd_next;
    *(d->crowd_next ? &d->crowd_next->crowd_at : &d->ev->crowd_tail) = d->crowd_at;
    d->crowd_at = NULL;
}

/* The events themselves may have gone already when this one was in no line. */
void delivery_free(struct delivery *d)
{
    if (!d)
        return;
    if (d->retry.at)
        agenda_clear(d->ev->control->agenda, &d->retry);
    crowd_remove(d);
    free(d->url);
    free(d->body);
    free(d);
}

static struct lane *lane_named(struct events *ev, struct str name)
{
    struct lane *lane = strmap_find(ev->lanes, name);
    if (lane)
        return lane;
    lane = calloc(1, sizeof *lane);
    char *copy = str_dup(name);
    if (!lane || !copy || strmap_put(ev->lanes, name, lane)) {
        free(lane);
        free(copy);
        return NULL;
    }
    lane->name = copy;
    lane->tail = &lane->head;
    return lane;
}

static void lane_end(struct events *ev, struct lane *lane)
{
    strmap_take(ev->lanes, str_of(lane->name));
    free(lane->name);
    free(lane);
}

void delivery_line_up(struct delivery *d, struct str lane_name)
{
    if (map_put(d->ev->deliveries, d->key, d)) {
        delivery_free(d);               /* its row stays: the next start delivers it */
        return;
    }
    struct lane *lane = lane_named(d->ev, lane_name);
    d->lane = lane;
    d->next = NULL;
    if (!lane) {                        /* out of memory: better out of order than not at all */
        try_now(d);
        return;
    }
    *lane->tail = d;
    lane->tail = &d->next;
    if (lane->head == d)
        try_now(d);
}

/* Take a lane's head out and start its successor. */
static void leave_lane(struct delivery *d)
{
    struct lane *lane = d->lane;
    if (!lane)
        return;
    assert(lane->head == d);
    d->lane = NULL;
    lane->head = d->next;
    d->next = NULL;
    if (lane->head) {
        try_now(lane->head);
    } else {
        lane_end(d->ev, lane);
    }
}

static void finish(struct delivery *d)
{
    map_take(d->ev->deliveries, d->key);
    leave_lane(d);
    delivery_free(d);
}

static void delivered(struct delivery *d)
{
    struct db_unit *u = db_unit_new();
    delivery_row_delete(u, d->key);
    events_post(d->ev, u);
    metric_add(&delivered_total, 1);
    finish(d);
}

static void on_retry(void *arg, int64_t due_us)
{
    (void)due_us;
    try_now(arg);
}

void delivery_retry_alone(struct delivery *d, int64_t at_us)
{
    if (map_put(d->ev->deliveries, d->key, d)) {
        delivery_free(d);
        return;
    }
    (void)!agenda_set(d->ev->control->agenda, &d->retry, at_us, on_retry, d);
}

/* How long to wait after d->tries failures, with up to a tenth of jitter; 0: give up. */
static int64_t wait_after(const struct delivery *d)
{
    size_t n = (size_t)d->tries - 1;
    int64_t wait;
    if (!d->subscription) {
        if (n >= ARRAY_LEN(callback_waits_ms))
            return 0;
        wait = callback_waits_ms[n] * (int64_t)US_PER_MS;
        return wait;
    }
    if (control_now_us(d->ev->control) - d->since_us > GIVE_UP_AFTER_US
        || n >= ARRAY_LEN(event_waits_s))
        return 0;
    wait = event_waits_s[n] * (int64_t)US_PER_S;
    return wait + (int64_t)(random_u64() % (uint64_t)(wait / 10));
}

/* Event Grid does not try again after these (bad request, unauthorized, forbidden, too large). */
static bool is_final(int status)
{
    return status == 400 || status == 401 || status == 403 || status == 413;
}

static void failed(struct delivery *d, const struct courier_reply *r)
{
    char last[224];
    metric_add(&failed_tries_total, 1);
    d->tries++;
    if (r->err)
        snprintf(last, sizeof last, "%s", r->words[0] ? r->words : err_words(r->err));
    else
        snprintf(last, sizeof last, "HTTP %d", r->status);
    int64_t wait = d->subscription && !r->err && is_final(r->status) ? 0 : wait_after(d);
    int64_t next = control_now_us(d->ev->control) + wait;
    struct db_unit *u = db_unit_new();
    delivery_row_failed(u, &(struct delivery_row){ .key = d->key, .tries = d->tries, .next_us = next, .last = str_of(last),
                                                .dead = wait ? DELIVERY_LIVES : DELIVERY_TRIED_OUT });
    events_post(d->ev, u);
    if (!wait) {
        metric_add(&dead_total, 1);
        log_warn("events", "gave up a delivery after %d tries: %s", d->tries, last);
        finish(d);
        return;
    }
    if (d->subscription && d->tries >= FAILS_IN_LINE)
        leave_lane(d);
    (void)!agenda_set(d->ev->control->agenda, &d->retry, next, on_retry, d);
}

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
    *r = (struct courier_reply){ .item.kind = kind, .ev = ev, .id = o->id, .err = o->err, .status = o->status };
    str_copyz(r->words, sizeof r->words, str_of(o->words));
    str_copyz(r->allowed_origin, sizeof r->allowed_origin, o->allowed_origin);
    char *body = str_dup(o->body);
    r->body = (struct str){ body, body ? o->body.n : 0 };
    inbox_post_always(control_inbox(ev->control), &r->item);
}

static void on_outcome(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct courier_reply *r = container_of(item, struct courier_reply, item);
    struct delivery *d = map_find(r->ev->deliveries, r->id);
    if (d && d->in_flight) {            /* gone: unsubscribed meanwhile */
        d->in_flight = false;
        if (!r->err && r->status >= 200 && r->status <= 204)
            delivered(d);
        else if (r->err != ERR_CLOSED)  /* closed: this process is ending, the next one delivers */
            failed(d, r);
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

static void request_of(const struct delivery *d, const struct event_subscription *s, struct courier_request *rq,
                       char name_header[160], char count_header[48])
{
    *rq = (struct courier_request){ .id = d->key, .method = "POST", .body = str_of(d->body),
                                    .timeout_us = ANSWER_WITHIN_US, .max_body = MAX_ANSWER,
                                    .done = courier_done, .arg = d->ev };
    if (!s) {
        rq->url = str_of(d->url);
        rq->headers[0] = STR("Content-Type: application/json");
        return;
    }
    rq->url = str_of(s->url);
    rq->headers[0] = s->cloud ? STR("Content-Type: application/cloudevents+json; charset=utf-8")
                              : STR("Content-Type: application/json; charset=utf-8");
    rq->headers[1] = STR("aeg-event-type: Notification");
    snprintf(name_header, 160, "aeg-subscription-name: %.100s", s->name);
    snprintf(count_header, 48, "aeg-delivery-count: %d", d->tries);
    rq->headers[2] = str_of(name_header);
    rq->headers[3] = str_of(count_header);
}

static enum err ask_courier(struct delivery *d)
{
    const struct event_subscription *s = d->subscription ? map_find(d->ev->subscriptions, d->subscription) : NULL;
    char name_header[160], count_header[48];
    struct courier_request rq;
    request_of(d, s, &rq, name_header, count_header);
    d->in_flight = true;                /* before the courier has it: its answer may be quick */
    enum err err = d->ev->courier->send(d->ev->courier_self, &rq);
    if (err)
        d->in_flight = false;
    return err;
}

static void try_now(struct delivery *d)
{
    if (d->in_flight || d->crowd_at || (d->subscription && !map_find(d->ev->subscriptions, d->subscription)))
        return;
    if (d->ev->crowd || ask_courier(d))
        crowd_add(d);                   /* soon again, without counting it as a try */
}

void deliveries_uncrowd(void *arg)
{
    struct events *ev = arg;
    while (ev->crowd) {
        struct delivery *d = ev->crowd;
        if (ask_courier(d)) {
            loop_timer_start(&ev->crowd_timer, CROWD_AGAIN_US);
            return;
        }
        crowd_remove(d);
    }
}

/* Free every delivery of a subscription, or all: lanes first, so that no successor is started. What goes is listed before
 * it is taken, because taking moves the tables. */
static void drop_lanes(struct events *ev, uint64_t subscription, bool all)
{
    struct str name;
    void *value;
    struct lane *doomed = NULL;
    for (size_t at = 0; strmap_next(ev->lanes, &at, &name, &value);) {
        struct lane *lane = value;
        if (all || lane->head->subscription == subscription) {
            lane->doomed = doomed;
            doomed = lane;
        }
    }
    for (struct lane *lane = doomed, *after; lane; lane = after) {
        after = lane->doomed;
        for (struct delivery *d = lane->head, *next; d; d = next) {
            next = d->next;
            map_take(ev->deliveries, d->key);
            delivery_free(d);
        }
        lane_end(ev, lane);
    }
}

static void drop_where(struct events *ev, uint64_t subscription, bool all)
{
    uint64_t key;
    void *value;
    struct delivery *doomed = NULL;
    drop_lanes(ev, subscription, all);
    for (size_t at = 0; map_next(ev->deliveries, &at, &key, &value);) {
        struct delivery *d = value;     /* out of line, so `next` is free */
        if (all || d->subscription == subscription) {
            d->next = doomed;
            doomed = d;
        }
    }
    for (struct delivery *d = doomed, *next; d; d = next) {
        next = d->next;
        map_take(ev->deliveries, d->key);
        delivery_free(d);
    }
}

void deliveries_drop_subscription(struct events *ev, uint64_t subscription)
{
    drop_where(ev, subscription, false);
}

void deliveries_free(struct events *ev)
{
    if (ev->lanes)
        drop_where(ev, 0, true);
}

/* -- how an event looks on the wire ------------------------------------------------------------------------------- */

static void render_topic(const struct events *ev, const struct event_row *row, char topic[160])
{
    char guid[GUID_SIZE];
    ids_guid(ev->control->ids, ID_RESOURCE, row->resource, guid);
    snprintf(topic, 160, "/subscriptions/carterfone/resourceGroups/carterfone/providers/Microsoft.Communication/"
                         "communicationServices/%s", guid);
}

static void render_eventgrid(const struct event_row *row, const char *topic, struct buf *out)
{
    struct jw w = jw_of(out);
    jw_array(&w, NULL);
    jw_object(&w, NULL);
    jw_text(&w, "id", row->id);
    jw_textz(&w, "topic", topic);
    jw_text(&w, "subject", row->subject);
    jw_raw(&w, "data", row->data);
    jw_text(&w, "eventType", row->type);
    jw_textz(&w, "dataVersion", "1.0");
    jw_textz(&w, "metadataVersion", "1");
    jw_time(&w, "eventTime", row->at_us);
    jw_end(&w);
    jw_end(&w);
}

static void render_cloud(const struct event_row *row, const char *topic, struct buf *out)
{
    struct jw w = jw_of(out);
    jw_object(&w, NULL);
    jw_text(&w, "id", row->id);
    jw_textz(&w, "source", topic);
    jw_text(&w, "type", row->type);
    jw_text(&w, "subject", row->subject);
    jw_textz(&w, "specversion", "1.0");
    jw_textz(&w, "datacontenttype", "application/json");
    jw_time(&w, "time", row->at_us);
    jw_raw(&w, "data", row->data);
    jw_end(&w);
}

void event_render(const struct events *ev, const struct event_subscription *s, const struct event_row *row, struct buf *out)
{
    char topic[160];
    render_topic(ev, row, topic);
    if (s->cloud)
        render_cloud(row, topic, out);
    else
        render_eventgrid(row, topic, out);
}
