/* listing.c - reading events back: for `events list` and, by waiting, for `events tail`. */
#include "domain/events/events_priv.h"

#include <stdio.h>

static const int64_t WAIT_MAX_US = 60 * (int64_t)US_PER_S;
enum { LISTINGS_MAX = 1000 };

/* One events_list() call: a read, and when it found nothing, a place among the waiting until an event or the time-out.
 * Waiting counts on the loop's own clock: a client's patience does not move with the product clock. */
struct listing {
    struct db_read     read;
    struct listing    *next;            /* among the waiting */
    struct events     *ev;
    uint64_t           resource, after;
    char              *type, *id;       /* id: of the event to begin behind, until its key is known */
    struct json_doc   *filter;
    struct mono        until;
    struct loop_timer  timer;
    bool               reading, orphan;     /* orphan: the module has gone, the answer has not come */
    uint64_t           asked_at;            /* the newest event when the question was put */
    events_listed_fn  *done;
    void              *arg;
};

static void listing_free(struct listing *l)
{
    loop_timer_done(&l->timer);
    free(l->type);
    free(l->id);
    json_doc_free(l->filter);
    free(l);
}

static void waiting_remove(struct listing *l)
{
    for (struct listing **at = &l->ev->waiting; *at; at = &(*at)->next)
        if (*at == l) {
            *at = l->next;
            return;
        }
}

void event_write(const struct event_row *row, struct jw *w)
{
    jw_text(w, "id", row->id);
    jw_text(w, "eventType", row->type);
    jw_text(w, "subject", row->subject);
    jw_time(w, "eventTime", row->at_us);
    jw_raw(w, "data", row->data);
}

static bool fits(const struct listing *l, const struct event_row *row)
{
    if ((l->resource && row->resource != l->resource) || (l->type[0] && !str_eqz(row->type, l->type)))
        return false;
    const struct json *filter = l->filter ? json_root(l->filter) : NULL;
    scoped(json_doc) struct json_doc *data = NULL;
    if (filter_looks_at_data(filter) && json_read(&data, row->data, NULL))
        return false;
    return filter_admits(filter, row->subject, data ? json_root(data) : NULL);
}

/* Write what fits the question; *last moves over what does not, too. */
static size_t listing_write(const struct listing *l, struct db_rows *rows, uint64_t *last, struct buf *out)
{
    struct event_row row;
    size_t n = 0;
    struct jw w = jw_of(out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    while (event_row_next(rows, &row)) {
        *last = row.key;
        if (!fits(l, &row))
            continue;
        jw_object(&w, NULL);
        event_write(&row, &w);
        jw_end(&w);
        n++;
    }
    jw_end(&w);
    jw_printf(&w, "last", "%llu", (unsigned long long)*last);
    jw_end(&w);
    return n;
}

static void listing_answer(struct listing *l, enum err err, struct str json)
{
    waiting_remove(l);
    l->done(l->arg, err, json);
    listing_free(l);
}

static void on_time_out(void *arg);
static void on_rows(void *owner, struct inbox_item *item);
static void drop_rows(struct inbox_item *item);
static const struct inbox_kind rows_kind = { "events.rows", on_rows, drop_rows };

static void on_found(void *owner, struct inbox_item *item);
static const struct inbox_kind found_kind = { "events.found", on_found, drop_rows };

static void listing_ask(struct listing *l)
{
    struct db *db = l->ev->control->db;
    l->read = (struct db_read){ .item.kind = l->id ? &found_kind : &rows_kind, .to = control_inbox(l->ev->control) };
    l->reading = true;
    l->asked_at = l->ev->last_event;
    enum err err = l->id ? event_row_ask_id(db, str_of(l->id), ids_key_in(l->ev->control->ids, str_of(l->id)), l->resource, &l->read)
                         : event_rows_ask_after(db, l->after, &l->read);
    if (err) {
        l->reading = false;
        listing_answer(l, err, (struct str){ "", 0 });
    }
}

/* The event to begin behind. */
static void on_found(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct listing *l = container_of(item, struct listing, read.item);
    scoped(db_rows) struct db_rows *rows = l->read.rows;
    struct event_row row;
    l->reading = false;
    enum err err = l->read.err ? l->read.err : event_row_next(rows, &row) ? ERR_NONE : ERR_ABSENT;
    if (err) {
        listing_answer(l, err, (struct str){ "", 0 });
        return;
    }
    l->after = row.key;
    free(l->id);
    l->id = NULL;
    listing_ask(l);
}

static void on_rows(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct listing *l = container_of(item, struct listing, read.item);
    scoped(db_rows) struct db_rows *rows = l->read.rows;
    scoped_buf out = { 0 };
    l->reading = false;
    if (l->read.err) {
        listing_answer(l, l->read.err, (struct str){ "", 0 });
        return;
    }
    uint64_t last = l->after;
    size_t n = listing_write(l, rows, &last, &out);
    bool more = last != l->after && db_rows_count(rows) >= 100;
    l->after = last;
    if (n || clock_mono().us >= l->until.us)
        listing_answer(l, buf_err(&out), buf_str(&out));
    else if (more || l->ev->last_event > l->asked_at)
        listing_ask(l);
}

/* The answer of a question whose asker has gone with the module. */
static void drop_rows(struct inbox_item *item)
{
    struct listing *l = container_of(item, struct listing, read.item);
    db_rows_free(l->read.rows);
    if (l->orphan)
        listing_free(l);
}

static void on_time_out(void *arg)
{
    struct listing *l = arg;
    if (!l->reading)
        listing_ask(l);                 /* answers whatever there is, now that its time is over */
}

void listings_wake(struct events *ev)
{
    for (struct listing *l = ev->waiting, *next; l; l = next) {
        next = l->next;
        if (!l->reading)
            listing_ask(l);
    }
}

/* One message to control; when there is no memory for it, who waits is cut off at the end of the drain. */
struct letting_go {
    struct inbox_item item;
    struct events    *ev;
    bool              let_go;
};

static void on_let_go(void *owner, struct inbox_item *item)
{
    (void)owner;
    const struct letting_go *g = container_of(item, struct letting_go, item);
    struct events *ev = g->ev;
    ev->letting_go = g->let_go;
    free(item);
    if (!ev->letting_go)
        return;
    for (struct listing *l = ev->waiting; l; l = l->next)
        l->until = clock_mono();
    listings_wake(ev);
}

static const struct inbox_kind let_go_kind = { "events.let_go", on_let_go, NULL };

static void post_let_go(struct events *ev, bool let_go)
{
    struct letting_go *g = malloc(sizeof *g);
    if (!g)
        return;
    *g = (struct letting_go){ .item.kind = &let_go_kind, .ev = ev, .let_go = let_go };
    inbox_post_always(control_inbox(ev->control), &g->item);
}

void events_let_go(struct events *ev)
{
    post_let_go(ev, true);
}

void events_take_on(struct events *ev)
{
    post_let_go(ev, false);
}

void listings_free(struct events *ev)
{
    while (ev->waiting) {
        struct listing *l = ev->waiting;
        ev->waiting = l->next;
        loop_timer_done(&l->timer);
        l->orphan = l->reading;         /* the store still writes into it */
        if (!l->reading)
            listing_free(l);
    }
}

/* A cursor; what is none is an event's id, and `id` then. */
static void cursor_read(const struct events *ev, struct str after, uint64_t *key, struct str *id)
{
    if (!after.n || str_eqz(after, "0"))
        *key = ev->last_event;
    else if (!str_eqz(after, "all") && str_u64(after, INT64_MAX, key))
        *id = after;
}

/* A copy of the filter that lives as long as the question. */
static enum err filter_copy(const struct json *filter, struct json_doc **out)
{
    scoped_buf text = { 0 };
    if (json_kind(filter) == JSON_IS_ABSENT)
        return ERR_NONE;
    struct jw w = jw_of(&text);
    jw_json(&w, NULL, filter);
    return text.bad ? ERR_NOMEM : json_read(out, buf_str(&text), NULL);
}

enum err events_list(struct events *ev, const struct events_query *q, events_listed_fn *done, void *arg,
                     struct problem *why)
{
    size_t waiting = 0;
    uint64_t after = 0;
    struct str id = { 0 };
    for (const struct listing *l = ev->waiting; l; l = l->next)
        waiting++;
    cursor_read(ev, q->after, &after, &id);
    enum err err = filter_check(q->filter, why);
    if (!err && waiting >= LISTINGS_MAX)
        err = problem_set(why, ERR_BUSY, "TooManyRequests", "%zu clients wait for events already.", waiting);
    if (err)
        return err;
    struct listing *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    int64_t wait = ev->letting_go ? 0 : q->wait_us < WAIT_MAX_US ? q->wait_us : WAIT_MAX_US;
    *l = (struct listing){ .ev = ev, .resource = q->resource, .after = after, .type = str_dup(q->type),
                           .id = id.n ? str_dup(id) : NULL,
                           .until = { clock_mono().us + wait }, .done = done, .arg = arg };
    if (!l->type || (id.n && !l->id) || filter_copy(q->filter, &l->filter) || loop_timer_init(ev->control->loop, &l->timer, on_time_out, l)) {
        listing_free(l);
        return ERR_NOMEM;
    }
    l->next = ev->waiting;
    ev->waiting = l;
    loop_timer_start(&l->timer, wait);
    listing_ask(l);
    return ERR_NONE;
}
