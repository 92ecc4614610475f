#include "domain/events/events_priv.h"
#include "base/crypto.h"

#include <stdio.h>

static const int64_t KEEP_US = 7 * 24 * 3600 * (int64_t)US_PER_S;      /* --retention events=7d */
static const int64_t VALIDATE_WITHIN_US = 600 * (int64_t)US_PER_S;

char *str_dup(struct str s)
{
    char *z = malloc(s.n + 1);
    if (!z)
        return NULL;
    str_copyz(z, s.n + 1, s);
    return z;
}

/* Dead letters go with the last, incomplete slice of events. */
static void purge_slice(struct db_unit *u, int64_t before_us, bool whole)
{
    if (!whole)
        delivery_rows_purge(u, before_us, false);
    event_rows_purge(u, before_us, whole);
}

enum err events_new(struct events **out, struct control *control, const struct courier_ops *courier, void *courier_self)
{
    struct events *ev = calloc(1, sizeof *ev);
    if (!ev)
        return ERR_NOMEM;
    *ev = (struct events){ .control = control, .courier = courier, .courier_self = courier_self };
    ev->crowd_tail = &ev->crowd;
    ev->subscriptions = map_new();
    ev->deliveries = map_new();
    ev->lanes = strmap_new();
    ev->base_url = str_dup(STR("https://localhost:4500"));
    if (!ev->subscriptions || !ev->deliveries || !ev->lanes || !ev->base_url
        || purge_new(&ev->purge, control, KEEP_US, purge_slice)
        || loop_timer_init(control->loop, &ev->crowd_timer, deliveries_uncrowd, ev)) {
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
    agenda_clear(s->ev->control->agenda, &s->expiry);
    free(s->name);
    free(s->url);
    free(s->types);
    json_doc_free(s->filter);
    free(s);
}

void events_free(struct events *ev)
{
    if (!ev)
        return;
    purge_free(ev->purge);
    listings_free(ev);
    if (ev->deliveries)
        deliveries_free(ev);
    loop_timer_done(&ev->crowd_timer);
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
    if (!s->name || !s->url || !s->types || (row->filter.n && json_read(&s->filter, row->filter, NULL))) {
        subscription_free(s);
        return NULL;
    }
    return s;
}

static enum err await_validation(struct event_subscription *s);

static enum err load_subscription(void *arg, const struct event_subscription_row *row)
{
    struct events *ev = arg;
    struct event_subscription *s = subscription_make(ev, row);
    if (!s || map_put(ev->subscriptions, s->key, s)) {
        subscription_free(s);
        return ERR_NOMEM;
    }
    ids_after(ev->control->ids, row->key);
    return s->state == SUBSCRIPTION_AWAITING ? await_validation(s) : ERR_NONE;
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
    if (body.bad || lane.bad || delivery_new(&d, ev, row, buf_str(&body)))
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

void events_resume(struct events *ev)
{
    (void)!delivery_rows_each(ev->control->db, load_delivery, ev);
    (void)!purge_start(ev->purge);
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

/* An event and its data read, once somebody looks into them. */
struct looked {
    const struct event_new *event;
    struct json_doc        *data;           /* owned */
    enum err                err;            /* why the data could not be read: ERR_NOMEM, or it is no JSON */
};

static const struct json *look_into(struct looked *l)
{
    if (!l->data && !l->err)
        l->err = json_read(&l->data, l->event->data, NULL);
    return l->data ? json_root(l->data) : NULL;
}

static bool wants(const struct event_subscription *s, struct looked *l)
{
    const struct event_new *e = l->event;
    if (s->state != SUBSCRIPTION_ACTIVE || s->gone || s->resource != e->resource || !types_have(s->types, e->type))
        return false;
    const struct json *filter = s->filter ? json_root(s->filter) : NULL;
    return filter_admits(filter, e->subject, filter_looks_at_data(filter) ? look_into(l) : NULL);
}

bool events_wanted(const struct events *ev, const struct event_new *e)
{
    struct looked l = { .event = e };
    bool wanted = false;
    uint64_t key;
    void *value;
    for (size_t at = 0; !wanted && map_next(ev->subscriptions, &at, &key, &value);)
        wanted = wants(value, &l);
    json_doc_free(l.data);
    return wanted || l.err == ERR_NOMEM;
}

/* The batch keeps deliveries newest first; events_go() turns them round. */
static enum err batch_add(struct events *ev, struct db_unit *u, struct delivery_row *row, struct str body,
                          struct str lane, struct event_batch *batch)
{
    struct delivery *d = NULL;
    row->key = ids_next(ev->control->ids);
    enum err err = delivery_new(&d, ev, row, body);
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
    struct looked l = { .event = e };
    enum err err = ERR_NONE;
    uint64_t key;
    void *value;
    for (size_t at = 0; !err && map_next(ev->subscriptions, &at, &key, &value);) {
        if (wants(value, &l))
            err = write_copy(ev, u, value, &row, batch);
        else if (l.err == ERR_NOMEM)
            err = l.err;
    }
    json_doc_free(l.data);
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

/* Nobody wants it any more: its subscription ended after it was written and before it was safe. */
static bool unwanted(const struct delivery *d)
{
    return d->subscription && !map_find(d->ev->subscriptions, d->subscription);
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
        if (committed || unwanted(d))
            delivery_free(d);           /* a row that was written goes with the next purge */
        else
            delivery_line_up(d, str_of(d->body + strlen(d->body) + 1));
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

/* -- subscriptions -------------------------------------------------------------------------------------------------- */

/* A change of a subscription's row on its way to disk, and what is done when it is there. */
struct changing {
    struct db_done    done;
    struct events    *ev;
    uint64_t          key;
    void            (*then)(struct event_subscription *s, struct changing *c);
    events_changed_fn *tell;
    void             *arg;
};

/* Proving keeps it alive: an end that came meanwhile is carried out here. */
static void subscription_let_go(struct event_subscription *s)
{
    if (!s->ended || s->proving)
        return;
    map_take(s->ev->subscriptions, s->key);
    deliveries_drop_subscription(s->ev, s->key);
    subscription_free(s);
}

static void on_changed(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct changing *c = container_of(item, struct changing, done.item);
    struct event_subscription *s = map_find(c->ev->subscriptions, c->key);
    if (s && c->then)
        c->then(s, c);
    if (c->tell)
        c->tell(c->arg, s ? c->done.err : ERR_ABSENT);
    free(c);
}

static const struct inbox_kind changed_kind = { "events.changed", on_changed, NULL };

static enum err change_post(struct event_subscription *s, struct db_unit *u,
                            void (*then)(struct event_subscription *s, struct changing *c), events_changed_fn *tell, void *arg)
{
    struct events *ev = s->ev;
    struct changing *c = calloc(1, sizeof *c);
    enum err err = c ? ERR_NONE : ERR_NOMEM;
    if (!err) {
        *c = (struct changing){ .done = { .item.kind = &changed_kind, .to = control_inbox(ev->control) }, .ev = ev,
                                .key = s->key, .then = then, .tell = tell, .arg = arg };
        err = db_post(ev->control->db, u, &c->done);
    }
    if (err) {
        db_unit_free(u);
        free(c);
    }
    return err;
}

static enum err state_post(struct event_subscription *s, enum event_subscription_state state,
                           void (*then)(struct event_subscription *s, struct changing *c), events_changed_fn *tell, void *arg)
{
    struct db_unit *u = db_unit_new();
    event_subscription_row_state(u, s->key, (int)state);
    return change_post(s, u, then, tell, arg);
}

static void after_end(struct event_subscription *s, struct changing *c)
{
    s->ended = !c->done.err || c->done.err == ERR_CONFLICT;    /* conflict: it had gone already */
    s->gone = s->ended;
    subscription_let_go(s);
}

enum err events_unsubscribe(struct events *ev, uint64_t key, events_changed_fn *done, void *arg)
{
    struct event_subscription *s = map_find(ev->subscriptions, key);
    if (!s || s->gone)
        return ERR_ABSENT;
    struct db_unit *u = db_unit_new();
    event_subscription_row_delete(u, key);
    delivery_rows_end(u, key, false);
    enum err err = change_post(s, u, after_end, done, arg);
    s->gone = !err;
    return err;
}

/* A resource that is being deleted: one of its subscriptions after another. */
struct ending_all {
    struct events     *ev;
    uint64_t           resource;
    events_changed_fn *then;
    void              *arg;
};

static void end_next(void *arg, enum err err)
{
    struct ending_all *all = arg;
    uint64_t key, found = 0;
    void *value;
    for (size_t at = 0; !err && !found && map_next(all->ev->subscriptions, &at, &key, &value);) {
        const struct event_subscription *s = value;
        if (s->resource == all->resource && !s->gone)
            found = key;
    }
    if (found && !(err = events_unsubscribe(all->ev, found, end_next, all)))
        return;
    all->then(all->arg, err);
    free(all);
}

enum err events_end_resource(struct events *ev, uint64_t resource, events_changed_fn *done, void *arg)
{
    struct ending_all *all = calloc(1, sizeof *all);
    if (!all)
        return ERR_NOMEM;
    *all = (struct ending_all){ ev, resource, done, arg };
    end_next(all, ERR_NONE);
    return ERR_NONE;
}

/* Whoever subscribed is told, and the endpoint counts as proved or not. */
static void proved(struct event_subscription *s, enum err err, const struct problem *why)
{
    events_subscribed_fn *done = s->done;
    s->done = NULL;
    s->proving = false;
    if (done)
        done(s->arg, err, s->key, why);
    if (err && !s->gone && events_unsubscribe(s->ev, s->key, NULL, NULL))
        s->gone = s->ended = true;      /* its row stays: awaiting for ever, never active */
    subscription_let_go(s);
}

static void refuse_to_store(struct event_subscription *s, enum err err)
{
    struct problem why = { 0 };
    err = err == ERR_BUSY ? ERR_STORE : err;
    problem_set(&why, err, "ServiceUnavailable", "The subscription could not be stored or proved: %s.", err_words(err));
    proved(s, err, &why);
}

static void after_stored(struct event_subscription *s, struct changing *c)
{
    enum err err = c->done.err ? c->done.err : s->gone ? ERR_CLOSED : handshake_start(s);
    if (err)
        refuse_to_store(s, err);
}

static void after_activation(struct event_subscription *s, struct changing *c)
{
    if (!c->done.err) {
        s->state = SUBSCRIPTION_ACTIVE;
        agenda_clear(s->ev->control->agenda, &s->expiry);
    }
    if (s->proving && c->done.err)
        refuse_to_store(s, c->done.err);
    else if (s->proving)
        proved(s, ERR_NONE, &(struct problem){ 0 });
}

static void on_expired(void *arg, int64_t due_us)
{
    (void)due_us;
    struct event_subscription *s = arg;
    s->state = SUBSCRIPTION_FAILED;
    (void)!state_post(s, SUBSCRIPTION_FAILED, NULL, NULL, NULL);
}

static enum err await_validation(struct event_subscription *s)
{
    return agenda_set(s->ev->control->agenda, &s->expiry, control_now_us(s->ev->control) + VALIDATE_WITHIN_US, on_expired, s);
}

void events_subscribed(struct event_subscription *s, enum err err, const struct problem *why)
{
    if (s->gone)
        proved(s, ERR_CLOSED, &(struct problem){ .code = "NotFound", .text = "The subscription was ended meanwhile." });
    else if (err && err != ERR_BUSY)
        proved(s, err, why);
    else if (!err)
        err = state_post(s, SUBSCRIPTION_ACTIVE, after_activation, NULL, NULL);
    else if (!(err = await_validation(s)))
        proved(s, ERR_NONE, why);
    else
        refuse_to_store(s, err);
}

static bool is_code(const struct event_subscription *s, struct str code)
{
    return code.n == strlen(s->code) && equal_constant_time(code.p, s->code, code.n);
}

enum err events_validate(struct events *ev, uint64_t key, struct str code, events_changed_fn *done, void *arg)
{
    struct event_subscription *s = map_find(ev->subscriptions, key);
    if (!s || s->gone)
        return ERR_ABSENT;
    if (s->state == SUBSCRIPTION_FAILED || !is_code(s, code))
        return ERR_UNPROVEN;
    enum err err = state_post(s, SUBSCRIPTION_ACTIVE, after_activation, done, arg);
    if (!err)
        agenda_clear(ev->control->agenda, &s->expiry);
    return err;
}

static enum err field_bad(struct problem *why, const char *field, const char *text)
{
    enum err err = problem_set(why, ERR_RANGE, "BadRequest", "%s", text);
    problem_target(why, "%s", field);
    return err;
}

static enum err url_check(struct str url, struct problem *why)
{
    bool good = (str_starts(url, STR("https://")) || str_starts(url, STR("http://"))) && url.n < 2048;
    for (size_t i = 0; good && i < url.n; i++)
        good = (unsigned char)url.p[i] > ' ' && (unsigned char)url.p[i] < 127;
    return good ? ERR_NONE : field_bad(why, "endpointUrl",
                                       "endpointUrl must be an http or https address of at most 2047 characters.");
}

/* It travels in a header of each delivery. */
static enum err name_check(struct str name, struct problem *why)
{
    bool good = name.n <= 64;
    for (size_t i = 0; good && i < name.n; i++)
        good = (unsigned char)name.p[i] >= ' ' && (unsigned char)name.p[i] < 127;
    return good ? ERR_NONE : field_bad(why, "name", "name has at most 64 printable ASCII characters.");
}

static enum err room_check(const struct events *ev, uint64_t resource, struct problem *why)
{
    uint64_t key;
    void *value;
    size_t n = 0;
    for (size_t at = 0; map_next(ev->subscriptions, &at, &key, &value);)
        n += ((struct event_subscription *)value)->resource == resource;
    return n < EVENT_SUBSCRIPTIONS_MAX ? ERR_NONE
                                       : problem_set(why, ERR_RANGE, "BadRequest", "A resource has at most %d event subscriptions.",
                                                     EVENT_SUBSCRIPTIONS_MAX);
}

static enum err subscription_post(struct event_subscription *s, const struct event_subscription_row *row)
{
    struct db_unit *u = db_unit_new();
    event_subscription_row_insert(u, row);
    enum err err = map_put(s->ev->subscriptions, s->key, s);
    if (err)
        db_unit_free(u);
    else if ((err = change_post(s, u, after_stored, NULL, NULL)))
        map_take(s->ev->subscriptions, s->key);
    return err;
}

enum err events_subscribe(struct events *ev, const struct event_subscription_new *n, events_subscribed_fn *done,
                          void *arg, struct problem *why)
{
    enum err err = url_check(n->url, why);
    if (!err)
        err = name_check(n->name, why);
    if (!err)
        err = filter_check(n->filter, why);
    if (!err)
        err = room_check(ev, n->resource, why);
    if (err)
        return err;
    char made[48];
    scoped_buf filter = { 0 };
    if (json_kind(n->filter) != JSON_IS_ABSENT) {
        struct jw w = jw_of(&filter);
        jw_json(&w, NULL, n->filter);
    }
    struct event_subscription_row row = { .key = ids_next(ev->control->ids),
                                          .resource = n->resource,
                                          .name = n->name,
                                          .url = n->url,
                                          .types = n->types,
                                          .filter = buf_str(&filter),
                                          .batch = 1,
                                          .cloud = n->cloud };
    snprintf(made, sizeof made, "subscription-%zu", map_count(ev->subscriptions) + 1);
    if (!row.name.n)
        row.name = str_of(made);
    struct event_subscription *s = filter.bad ? NULL : subscription_make(ev, &row);
    err = s ? ERR_NONE : ERR_NOMEM;
    if (!err) {
        s->done = done;
        s->arg = arg;
        s->proving = true;
        err = subscription_post(s, &row);
    }
    if (err) {
        subscription_free(s);
        return problem_set(why, err, "ServiceUnavailable", "The subscription could not be stored: %s.", err_words(err));
    }
    return ERR_NONE;
}

uint64_t events_subscription_resource(const struct events *ev, uint64_t key)
{
    const struct event_subscription *s = map_find(ev->subscriptions, key);
    return s && !s->gone ? s->resource : 0;
}

static const char *const state_words[] = { "awaitingValidation", "active", "failed" };

bool events_write_subscription(const struct events *ev, uint64_t key, struct jw *w, const char *name)
{
    const struct event_subscription *s = map_find(ev->subscriptions, key);
    if (!s || s->gone)
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
    if (s->filter)
        jw_json(w, "filter", json_root(s->filter));
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
