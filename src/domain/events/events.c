#include "domain/events/events_priv.h"

static const int64_t KEEP_US = 7 * 24 * 3600 * (int64_t)US_PER_S;      /* --retention events=7d */

char *str_dup(struct str s)
{
    char *z = malloc(s.n + 1);
    if (!z)
        return NULL;
    str_copyz(z, s.n + 1, s);
    return z;
}

enum err events_new(struct events **out, struct control *control, const struct courier_ops *courier, void *courier_self)
{
    struct events *ev = calloc(1, sizeof *ev);
    if (!ev)
        return ERR_NOMEM;
    *ev = (struct events){ .control = control, .courier = courier, .courier_self = courier_self };
    ev->crowd_tail = &ev->crowd;
    ev->shed_tail = &ev->shed;
    ev->subscriptions = map_new();
    ev->interests = strmap_new();
    ev->larder = map_new();
    ev->posts = map_new();
    ev->apart = map_new();
    ev->sweeps = map_new();
    ev->base_url = str_dup(STR("https://localhost:4500"));
    if (!ev->subscriptions || !ev->interests || !ev->larder || !ev->posts || !ev->apart || !ev->sweeps || !ev->base_url
        || purge_new(&ev->purge, control, KEEP_US, event_rows_purge)
        || purge_new(&ev->dead_purge, control, KEEP_US, delivery_rows_purge)
        || purge_new(&ev->tries_purge, control, KEEP_US, delivery_tries_purge)
        || loop_timer_init(control->loop, &ev->crowd_timer, posts_uncrowd, ev)
        || loop_timer_init(control->loop, &ev->shed_timer, posts_unshed, ev)
        || !(ev->callbacks = outlet_new(ev, NULL))) {
        events_free(ev);
        return ERR_NOMEM;
    }
    *out = ev;
    return ERR_NONE;
}

static void larder_free(struct events *ev)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; ev->larder && map_next(ev->larder, &at, &key, &value);)
        delivery_free(value);
    map_free(ev->larder);
}

void events_keep(struct events *ev, int64_t keep_us)
{
    purge_keep(ev->purge, keep_us);
    purge_keep(ev->dead_purge, keep_us);
    purge_keep(ev->tries_purge, keep_us);
}

void events_free(struct events *ev)
{
    if (!ev)
        return;
    purge_free(ev->purge);
    purge_free(ev->dead_purge);
    purge_free(ev->tries_purge);
    listings_free(ev);
    loop_timer_done(&ev->crowd_timer);
    loop_timer_done(&ev->shed_timer);
    outlet_free(ev->callbacks);
    subscriptions_free(ev);
    posts_free(ev);
    larder_free(ev);
    map_free(ev->posts);
    map_free(ev->apart);
    map_free(ev->sweeps);
    free(ev->base_url);
    free(ev);
}

void events_set_base_url(struct events *ev, struct str url)
{
    char *copy = str_dup(url);
    if (!copy)
        return;
    free(ev->base_url);
    ev->base_url = copy;
}

/* -- start-up ------------------------------------------------------------------------------------------------------ */

enum err events_load(struct events *ev, struct problem *why)
{
    enum err err = subscriptions_load(ev);
    if (!err)
        err = event_row_last(ev->control->db, &ev->last_event);
    if (err)
        return problem_set(why, err, "InternalError", "The event subscriptions cannot be read: %s.", err_words(err));
    ids_after(ev->control->ids, ev->last_event);
    return ERR_NONE;
}

void events_resume(struct events *ev)
{
    uint64_t key;
    void *value;
    (void)!outlets_load(ev);
    for (size_t at = 0; map_next(ev->subscriptions, &at, &key, &value);)
        if (((struct event_subscription *)value)->outlet)
            outlet_pump(((struct event_subscription *)value)->outlet);
    outlet_pump(ev->callbacks);
    (void)!purge_start(ev->purge);
    (void)!purge_start(ev->dead_purge);
    (void)!purge_start(ev->tries_purge);
}

/* -- writing ------------------------------------------------------------------------------------------------------- */

static bool somebody(void *arg, struct event_subscription *s)
{
    (void)s;
    *(bool *)arg = true;
    return false;
}

bool events_wanted(const struct events *ev, const struct event_new *e)
{
    struct looked l = { .event = e };
    bool wanted = false;
    subscriptions_wanting(ev, &l, somebody, &wanted);
    json_doc_free(l.data);
    return wanted || l.err == ERR_NOMEM;
}

/* FNV-1a, mixed. */
uint64_t event_lane(uint64_t whose, struct str text)
{
    uint64_t h = 14695981039346656037ull;
    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (unsigned char)text.p[i]) * 1099511628211ull;
    return hash_u64(h ^ hash_u64(whose)) >> 1;
}

/* The batch keeps deliveries newest first; events_go() turns them round. */
static enum err batch_add(struct events *ev, struct db_unit *u, struct delivery_row *row, struct str body,
                          struct event_batch *batch)
{
    struct delivery *d = malloc(sizeof *d + body.n + row->url.n + 2);
    if (!d)
        return ERR_NOMEM;
    if (!row->key)
        row->key = ids_next(ev->control->ids);
    row->since_us = control_now_us(ev->control);
    *d = (struct delivery){ .next = batch->chain, .ev = ev, .key = row->key, .subscription = row->subscription,
                            .resource = row->resource, .cause = row->event.key ? row->event.key : row->call, .lane = row->lane,
                            .since_us = row->since_us, .body_n = body.n };
    str_copyz(d->bytes, body.n + 1, body);
    if (!row->subscription) {
        d->url = d->bytes + body.n + 1;
        str_copyz(d->url, row->url.n + 1, row->url);
    }
    batch->chain = d;
    delivery_row_insert(u, row);
    return ERR_NONE;
}

struct copying {
    struct events          *ev;
    struct db_unit         *unit;
    const struct event_row *event;
    struct event_batch     *batch;
    enum err                err;
};

static bool write_copy(void *arg, struct event_subscription *s)
{
    struct copying *c = arg;
    scoped_buf body = { 0 };
    event_render(c->ev, s, c->event, &body);
    struct delivery_row row = { .subscription = s->key, .resource = s->resource, .event = *c->event,
                                .lane = event_lane(s->key, c->event->subject) };
    c->err = body.bad ? ERR_NOMEM : batch_add(c->ev, c->unit, &row, buf_str(&body), c->batch);
    return !c->err;
}

enum err events_write(struct events *ev, struct db_unit *u, const struct event_new *e, struct event_batch *batch)
{
    char guid[GUID_SIZE];
    struct event_row row = { .key = ids_next(ev->control->ids),
                             .resource = e->resource,
                             .id = e->id,
                             .type = e->type,
                             .subject = e->subject,
                             .data = e->data,
                             .at_us = control_now_us(ev->control) };
    if (!row.id.n) {
        ids_guid(ev->control->ids, ID_EVENT, row.key, guid);
        row.id = str_of(guid);
    }
    row.about = e->id.n ? ids_key_in(ev->control->ids, e->id) : row.key;
    event_row_insert(u, &row);
    batch->newest = row.key;
    struct looked l = { .event = e };
    struct copying c = { ev, u, &row, batch, ERR_NONE };
    subscriptions_wanting(ev, &l, write_copy, &c);
    json_doc_free(l.data);
    return !c.err && l.err == ERR_NOMEM ? l.err : c.err;
}

enum err events_write_callback(struct events *ev, struct db_unit *u, const struct callback_new *c,
                               struct event_batch *batch)
{
    char guid[GUID_SIZE];
    scoped_buf body = { 0 };
    uint64_t key = ids_next(ev->control->ids);      /* of the delivery too: its tries lead from the id to the call */
    ids_guid(ev->control->ids, ID_EVENT, key, guid);
    struct jw w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "id", guid);
    jw_text(&w, "source", c->source);
    jw_text(&w, "type", c->type);
    jw_raw(&w, "data", c->data);
    jw_time(&w, "time", control_now_us(ev->control));
    jw_textz(&w, "specversion", "1.0");
    jw_textz(&w, "datacontenttype", "application/json");
    jw_text(&w, "subject", c->subject);
    jw_end(&w);
    if (body.bad)
        return ERR_NOMEM;
    struct delivery_row row = { .key = key, .call = c->call, .resource = c->resource, .url = c->url, .body = buf_str(&body),
                                .lane = event_lane(c->call, c->url) };
    return batch_add(ev, u, &row, buf_str(&body), batch);
}

/* Where it waits; NULL: its subscription ended after it was written and before it was safe. */
static struct outlet *outlet_for(const struct delivery *d)
{
    struct event_subscription *s = d->subscription ? map_find(d->ev->subscriptions, d->subscription) : NULL;
    return !d->subscription ? d->ev->callbacks : s ? outlet_of(s) : NULL;
}

static void line_up(struct delivery *d)
{
    struct outlet *o = outlet_for(d);
    if (!o) {
        delivery_free(d);               /* a row that was written goes with the next purge */
        return;
    }
    const struct delivery_row row = { .key = d->key, .lane = d->lane };
    outlet_add(o, &row, d);
    outlet_pump(o);
}

void events_go(struct events *ev, struct event_batch *batch, enum err committed)
{
    struct delivery *in_order = NULL;
    for (struct delivery *d = batch->chain, *next; d; d = next) {
        next = d->next;
        d->next = in_order;
        in_order = d;
    }
    for (struct delivery *d = in_order, *next; d; d = next) {
        next = d->next;
        if (committed)
            delivery_free(d);
        else
            line_up(d);
    }
    if (batch->newest && !committed) {
        ev->last_event = batch->newest > ev->last_event ? batch->newest : ev->last_event;
        listings_wake(ev);
    }
    *batch = (struct event_batch){ 0 };
}

void events_drop(struct event_batch *batch)
{
    for (struct delivery *d = batch->chain, *next; d; d = next) {
        next = d->next;
        delivery_free(d);
    }
    *batch = (struct event_batch){ 0 };
}
