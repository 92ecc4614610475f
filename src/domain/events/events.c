#include "domain/events/events_priv.h"

#include <stdio.h>

static const int64_t PURGE_EVERY_US = 3600 * (int64_t)US_PER_S;
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
    ev->subscriptions = map_new();
    ev->deliveries = map_new();
    ev->lanes = strmap_new();
    ev->base_url = str_dup(STR("https://localhost:4500"));
    if (!ev->subscriptions || !ev->deliveries || !ev->lanes || !ev->base_url) {
        events_free(ev);
        return ERR_NOMEM;
    }
    *out = ev;
    return ERR_NONE;
}

static void subscription_free(struct event_subscription *s)
{
    if (!s)
        return;
    free(s->name);
    free(s->url);
    free(s->types);
    free(s);
}

void events_free(struct events *ev)
{
    if (!ev)
        return;
    agenda_clear(ev->control->agenda, &ev->purge);
    listings_free(ev);
    if (ev->deliveries)
        deliveries_free(ev);
    uint64_t key;
    void *value;
    for (size_t at = 0; ev->subscriptions && map_next(ev->subscriptions, &at, &key, &value);)
        subscription_free(value);
    map_free(ev->subscriptions);
    map_free(ev->deliveries);
    strmap_free(ev->lanes);
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

void events_post(struct events *ev, struct db_unit *u)
{
    struct db_done *done = calloc(1, sizeof *done);
    if (!done || db_post(ev->control->db, u, done)) {
        free(done);
        db_unit_free(u);
    }
}

/* -- start-up ------------------------------------------------------------------------------------------------------ */

static struct event_subscription *subscription_make(struct events *ev, const struct event_subscription_row *row)
{
    struct event_subscription *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct event_subscription){ .ev = ev,
                                      .key = row->key,
                                      .resource = row->resource,
                                      .name = str_dup(row->name),
                                      .url = str_dup(row->url),
                                      .types = str_dup(row->types),
                                      .cloud = row->cloud,
                                      .state = (enum event_subscription_state)row->state };
    ids_guid(ev->control->ids, ID_OPERATION_CONTEXT, row->key, s->code);
    if (!s->name || !s->url || !s->types) {
        subscription_free(s);
        return NULL;
    }
    return s;
}

static enum err load_subscription(void *arg, const struct event_subscription_row *row)
{
    struct events *ev = arg;
    struct event_subscription *s = subscription_make(ev, row);
    if (!s || map_put(ev->subscriptions, s->key, s)) {
        subscription_free(s);
        return ERR_NOMEM;
    }
    ids_after(ev->control->ids, row->key);
    return ERR_NONE;
}

static void lane_name_of_event(struct buf *b, uint64_t subscription, struct str subject)
{
    buf_printf(b, "e%llx ", (unsigned long long)subscription);
    buf_puts(b, subject);
}

static void lane_name_of_callback(struct buf *b, uint64_t call, struct str url)
{
    buf_printf(b, "c%llx ", (unsigned long long)call);
    buf_puts(b, url);
}

static enum err load_delivery(void *arg, const struct delivery_row *row)
{
    struct events *ev = arg;
    scoped_buf body = { 0 };
    scoped_buf lane = { 0 };
    ids_after(ev->control->ids, row->key);
    if (row->event.key) {
        const struct event_subscription *s = map_find(ev->subscriptions, row->subscription);
        if (!s)
            return ERR_NONE;            /* its subscription went; the row is swept with the next purge */
        event_render(ev, s, &row->event, &body);
        lane_name_of_event(&lane, row->subscription, row->event.subject);
    } else {
        buf_puts(&body, row->body);
        lane_name_of_callback(&lane, row->call, row->url);
    }
    struct delivery *d = NULL;
    if (body.bad || lane.bad || delivery_new(&d, ev, row->key, row->subscription, row->url, buf_str(&body)))
        return ERR_NOMEM;
    d->tries = row->tries;
    if (row->tries >= 2 && row->event.key)
        delivery_retry_alone(d, row->next_us);
    else
        delivery_line_up(d, buf_str(&lane));
    return ERR_NONE;
}

enum err events_load(struct events *ev, struct problem *why)
{
    enum err err = event_subscription_rows_each(ev->control->db, load_subscription, ev);
    if (!err)
        err = event_row_last(ev->control->db, &ev->last_event);
    if (err)
        return problem_set(why, err, "InternalError", "The event subscriptions cannot be read: %s.", err_words(err));
    ids_after(ev->control->ids, ev->last_event);
    return ERR_NONE;
}

static void on_purge(void *arg, int64_t due_us)
{
    struct events *ev = arg;
    struct db_unit *u = db_unit_new();
    event_rows_purge(u, id_floor(due_us - KEEP_US));
    events_post(ev, u);
    (void)!agenda_set(ev->control->agenda, &ev->purge, due_us + PURGE_EVERY_US, on_purge, ev);
}

void events_resume(struct events *ev)
{
    (void)!delivery_rows_each(ev->control->db, load_delivery, ev);
    (void)!agenda_set(ev->control->agenda, &ev->purge, control_now_us(ev->control) + PURGE_EVERY_US, on_purge, ev);
}

/* -- writing ------------------------------------------------------------------------------------------------------- */

/* "A,B" has type? An empty list has every type. */
static bool types_have(const char *types, struct str type)
{
    struct str rest = str_of(types), one;
    if (!rest.n)
        return true;
    while (rest.n) {
        str_cut(rest, ',', &one, &rest);
        if (str_eq_nocase(str_trim(one), type))
            return true;
    }
    return false;
}

static bool wants(const struct event_subscription *s, uint64_t resource, struct str type)
{
    return s->state == SUBSCRIPTION_ACTIVE && !s->gone && s->resource == resource && types_have(s->types, type);
}

bool events_wanted(const struct events *ev, uint64_t resource, struct str type)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; map_next(ev->subscriptions, &at, &key, &value);)
        if (wants(value, resource, type))
            return true;
    return false;
}

/* The batch keeps deliveries newest first; events_go() turns them round. */
static enum err batch_add(struct events *ev, struct db_unit *u, struct delivery_row *row, struct str body,
                          struct str lane, struct event_batch *batch)
{
    struct delivery *d = NULL;
    row->key = ids_next(ev->control->ids);
    enum err err = delivery_new(&d, ev, row->key, row->subscription, row->url, body);
    if (err)
        return err;
    d->lane = NULL;
    d->next = batch->chain;
    batch->chain = d;
    /* the lane's name travels behind the body's terminator until the commit */
    char *longer = realloc(d->body, body.n + lane.n + 2);
    if (!longer)
        return ERR_NOMEM;
    d->body = longer;
    str_copyz(d->body + body.n + 1, lane.n + 1, lane);
    delivery_row_insert(u, row);
    return ERR_NONE;
}

static enum err write_copy(struct events *ev, struct db_unit *u, const struct event_subscription *s,
                           const struct event_row *row, struct event_batch *batch)
{
    scoped_buf body = { 0 };
    scoped_buf lane = { 0 };
    event_render(ev, s, row, &body);
    lane_name_of_event(&lane, s->key, row->subject);
    if (body.bad || lane.bad)
        return ERR_NOMEM;
    struct delivery_row copy = { .subscription = s->key, .event = *row };
    return batch_add(ev, u, &copy, buf_str(&body), buf_str(&lane), batch);
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
    event_row_insert(u, &row);
    batch->newest = row.key;
    enum err err = ERR_NONE;
    uint64_t key;
    void *value;
    for (size_t at = 0; !err && map_next(ev->subscriptions, &at, &key, &value);)
        if (wants(value, e->resource, e->type))
            err = write_copy(ev, u, value, &row, batch);
    return err;
}

enum err events_write_callback(struct events *ev, struct db_unit *u, const struct callback_new *c,
                               struct event_batch *batch)
{
    char guid[GUID_SIZE];
    scoped_buf body = { 0 };
    scoped_buf lane = { 0 };
    ids_guid(ev->control->ids, ID_EVENT, ids_next(ev->control->ids), guid);
    struct jw w = jw_of(&body);
    jw_array(&w, NULL);
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
    jw_end(&w);
    lane_name_of_callback(&lane, c->call, c->url);
    if (body.bad || lane.bad)
        return ERR_NOMEM;
    struct delivery_row row = { .call = c->call, .url = c->url, .body = buf_str(&body) };
    return batch_add(ev, u, &row, buf_str(&body), buf_str(&lane), batch);
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
        d->next = NULL;
        if (committed)
            delivery_free(d);
        else
            delivery_line_up(d, str_of(d->body + strlen(d->body) + 1));
    }
    if (batch->newest && !committed) {
        ev->last_event = batch->newest > ev->last_event ? batch->newest : ev->last_event;
        listings_wake(ev);
    }
    *batch = (struct event_batch){ 0 };
}

/* -- subscriptions -------------------------------------------------------------------------------------------------- */

/* A subscription's row on its way to disk; then the handshake. */
struct subscribing {
    struct db_done             done;
    struct event_subscription *s;
};

static void subscription_forget(struct event_subscription *s)
{
    map_take(s->ev->subscriptions, s->key);
    deliveries_drop_subscription(s->ev, s->key);
    subscription_free(s);
}

static void on_subscription_stored(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct subscribing *g = container_of(item, struct subscribing, done.item);
    struct event_subscription *s = g->s;
    enum err err = g->done.err;
    free(g);
    struct problem why = { 0 };
    if (!err)
        err = handshake_start(s);
    if (err) {
        problem_set(&why, err, "ServiceUnavailable", "The subscription could not be stored or proved: %s.",
                    err_words(err));
        events_subscribed(s, err == ERR_BUSY ? ERR_STORE : err, &why);
    }
}

static const struct inbox_kind subscription_stored_kind = { "events.subscribed", on_subscription_stored, NULL };

static enum err url_check(struct str url, struct problem *why)
{
    bool good = (str_starts(url, STR("https://")) || str_starts(url, STR("http://"))) && url.n < 2048;
    for (size_t i = 0; good && i < url.n; i++)
        good = (unsigned char)url.p[i] > ' ' && (unsigned char)url.p[i] < 127;
    if (good)
        return ERR_NONE;
    enum err err = problem_set(why, ERR_RANGE, "BadRequest",
                               "endpointUrl must be an http or https address of at most 2047 characters.");
    problem_target(why, "endpointUrl");
    return err;
}

enum err events_subscribe(struct events *ev, const struct event_subscription_new *n, events_subscribed_fn *done,
                          void *arg, struct problem *why)
{
    enum err err = url_check(n->url, why);
    if (err)
        return err;
    char made[32];
    struct event_subscription_row row = { .key = ids_next(ev->control->ids),
                                          .resource = n->resource,
                                          .name = n->name,
                                          .url = n->url,
                                          .types = n->types,
                                          .cloud = n->cloud };
    snprintf(made, sizeof made, "subscription-%zu", map_count(ev->subscriptions) + 1);
    if (!row.name.n)
        row.name = str_of(made);
    struct event_subscription *s = subscription_make(ev, &row);
    struct subscribing *g = calloc(1, sizeof *g);
    struct db_unit *u = db_unit_new();
    err = s && g && u && !map_put(ev->subscriptions, s->key, s) ? ERR_NONE : ERR_NOMEM;
    if (!err) {
        s->done = done;
        s->arg = arg;
        *g = (struct subscribing){ .done = { .item.kind = &subscription_stored_kind, .to = control_inbox(ev->control) },
                                   .s = s };
        event_subscription_row_insert(u, &row);
        err = db_post(ev->control->db, u, &g->done);
    }
    if (err) {
        if (s)
            map_take(ev->subscriptions, s->key);
        subscription_free(s);
        free(g);
        db_unit_free(u);
        return problem_set(why, err, "ServiceUnavailable", "The subscription could not be stored: %s.", err_words(err));
    }
    return ERR_NONE;
}

static void subscription_set_state(struct event_subscription *s, enum event_subscription_state state)
{
    struct db_unit *u = db_unit_new();
    s->state = state;
    event_subscription_row_state(u, s->key, (int)state);
    events_post(s->ev, u);
}

/* The handshake has an outcome: ERR_NONE proved, ERR_BUSY awaits its URL, anything else refused. */
void events_subscribed(struct event_subscription *s, enum err err, const struct problem *why)
{
    events_subscribed_fn *done = s->done;
    s->done = NULL;
    bool awaits = err == ERR_BUSY;
    if (!err)
        subscription_set_state(s, SUBSCRIPTION_ACTIVE);
    uint64_t key = s->key;
    if (done)
        done(s->arg, awaits ? ERR_NONE : err, key, why);
    if (err && !awaits)
        (void)!events_unsubscribe(s->ev, key);
}

enum err events_validate(struct events *ev, uint64_t key, struct str code)
{
    struct event_subscription *s = map_find(ev->subscriptions, key);
    if (!s)
        return ERR_ABSENT;
    if (!str_eqz(code, s->code))
        return ERR_UNPROVEN;
    if (s->state == SUBSCRIPTION_AWAITING)
        subscription_set_state(s, SUBSCRIPTION_ACTIVE);
    return ERR_NONE;
}

enum err events_unsubscribe(struct events *ev, uint64_t key)
{
    struct event_subscription *s = map_find(ev->subscriptions, key);
    if (!s)
        return ERR_ABSENT;
    struct db_unit *u = db_unit_new();
    event_subscription_row_delete(u, key);
    events_post(ev, u);
    if (s->done)
        s->gone = true;                 /* a handshake is out: its reply forgets it */
    else
        subscription_forget(s);
    return ERR_NONE;
}

static const char *const state_words[] = { "awaitingValidation", "active", "failed" };

bool events_write_subscription(const struct events *ev, uint64_t key, struct jw *w, const char *name)
{
    const struct event_subscription *s = map_find(ev->subscriptions, key);
    if (!s)
        return false;
    char guid[GUID_SIZE];
    ids_guid(ev->control->ids, ID_EVENT_SUBSCRIPTION, s->key, guid);
    jw_object(w, name);
    jw_textz(w, "id", guid);
    jw_textz(w, "name", s->name);
    jw_textz(w, "endpointUrl", s->url);
    jw_array(w, "eventTypes");
    for (struct str rest = str_of(s->types), one; rest.n;) {
        str_cut(rest, ',', &one, &rest);
        jw_text(w, NULL, str_trim(one));
    }
    jw_end(w);
    jw_textz(w, "schema", s->cloud ? "cloudevents" : "eventgrid");
    jw_textz(w, "state", state_words[s->state]);
    jw_end(w);
    return true;
}

void events_write_subscriptions(const struct events *ev, uint64_t resource, struct jw *w)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; map_next(ev->subscriptions, &at, &key, &value);)
        if (!resource || ((struct event_subscription *)value)->resource == resource)
            events_write_subscription(ev, key, w, NULL);
}
