/* subscriptions.c - who wants what: their rows, their proof, their changes and their ends. */
#include "domain/events/events_priv.h"
#include "base/crypto.h"
#include "domain/rules.h"

#include <stdio.h>

static const int64_t VALIDATE_WITHIN_US = 600 * (int64_t)US_PER_S;
enum { NEW_KEY_OCTETS = 32 };

static enum err await_validation(struct event_subscription *s);

/* -- life ------------------------------------------------------------------------------------------------------------ */

/* One that nothing else knows: it has no outlet, and no time to be proved in. */
static void subscription_scrap(struct event_subscription *s)
{
    if (!s)
        return;
    free(s->name);
    free(s->url);
    free(s->types);
    json_doc_free(s->filter);
    json_doc_free(s->secrets);
    free(s);
}

static void subscription_free(struct event_subscription *s)
{
    if (!s)
        return;
    outlet_free(s->outlet);
    agenda_clear(s->ev->control->agenda, &s->expiry);
    subscription_scrap(s);
}

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
                                      .batch = row->batch ? row->batch : 1,
                                      .state = (enum event_subscription_state)row->state };
    ids_guid(ev->control->ids, ID_OPERATION_CONTEXT, row->key, s->code);
    if (!s->name || !s->url || !s->types || (row->filter.n && json_read(&s->filter, row->filter, NULL))
        || (row->secrets.n && json_read(&s->secrets, row->secrets, NULL))) {
        subscription_free(s);
        return NULL;
    }
    return s;
}

static enum err subscription_put(struct event_subscription *s)
{
    enum err err = map_put(s->ev->subscriptions, s->key, s);
    if (!err && (err = interests_add(s))) {
        interests_remove(s);
        map_take(s->ev->subscriptions, s->key);
    }
    return err;
}

static void subscription_take(struct event_subscription *s)
{
    interests_remove(s);
    map_take(s->ev->subscriptions, s->key);
}

static enum err load_subscription(void *arg, const struct event_subscription_row *row)
{
    struct events *ev = arg;
    struct event_subscription *s = subscription_make(ev, row);
    if (!s || subscription_put(s)) {
        subscription_free(s);
        return ERR_NOMEM;
    }
    ids_after(ev->control->ids, row->key);
    return s->state == SUBSCRIPTION_AWAITING ? await_validation(s) : ERR_NONE;
}

enum err subscriptions_load(struct events *ev)
{
    return event_subscription_rows_each(ev->control->db, load_subscription, ev);
}

void subscriptions_free(struct events *ev)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; ev->subscriptions && map_next(ev->subscriptions, &at, &key, &value);)
        subscription_free(value);
    map_free(ev->subscriptions);
    interests_free(ev->interests);
}

/* -- changes --------------------------------------------------------------------------------------------------------- */

/* A change of a subscription's row on its way to disk, and what is done when it is there. */
struct changing {
    struct db_done    done;
    struct events    *ev;
    uint64_t          key;
    void            (*then)(struct event_subscription *s, struct changing *c);
    events_changed_fn *tell;
    void             *arg;
    struct event_subscription *fresh;       /* owned; of a change: what it becomes */
};

/* Proving keeps it alive: an end that came meanwhile is carried out here. */
static void subscription_let_go(struct event_subscription *s)
{
    if (!s->ended || s->proving)
        return;
    subscription_take(s);
    events_sweep(s->ev, s->key);
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
    subscription_scrap(c->fresh);
    free(c);
}

/* The server stops, and there are no subscriptions any more. */
static void drop_changed(struct inbox_item *item)
{
    struct changing *c = container_of(item, struct changing, done.item);
    subscription_scrap(c->fresh);
    free(c);
}

static const struct inbox_kind changed_kind = { "events.changed", on_changed, drop_changed };

/* @param fresh  taken on success */
static enum err change_post_fresh(struct event_subscription *s, struct db_unit *u,
                                  void (*then)(struct event_subscription *s, struct changing *c), events_changed_fn *tell,
                                  void *arg, struct event_subscription *fresh)
{
    struct events *ev = s->ev;
    struct changing *c = calloc(1, sizeof *c);
    enum err err = c ? ERR_NONE : ERR_NOMEM;
    if (!err) {
        *c = (struct changing){ .done = { .item.kind = &changed_kind, .to = control_inbox(ev->control) }, .ev = ev,
                                .key = s->key, .then = then, .tell = tell, .arg = arg, .fresh = fresh };
        err = db_post(ev->control->db, u, &c->done);
    }
    if (err) {
        db_unit_free(u);
        free(c);
    }
    return err;
}

static enum err change_post(struct event_subscription *s, struct db_unit *u,
                            void (*then)(struct event_subscription *s, struct changing *c), events_changed_fn *tell, void *arg)
{
    return change_post_fresh(s, u, then, tell, arg, NULL);
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
    enum err err = subscription_put(s);
    if (err)
        db_unit_free(u);
    else if ((err = change_post(s, u, after_stored, NULL, NULL)))
        subscription_take(s);
    return err;
}

/* What the subscriber sets for its deliveries, laid over what it had: an empty text or object takes one away. */
static void secrets_merge(const struct json *had, const struct json *settings, struct buf *out, char made[96])
{
    static const char *const words[][2] = { { "bearer", "bearerToken" }, { "hmacKey", "hmacKey" }, { "headers", "deliveryHeaders" } };
    struct jw w = jw_of(out);
    size_t n = 0;
    jw_object(&w, NULL);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        const struct json *is = json_member(settings, words[i][1]), *was = json_member(had, words[i][0]);
        const struct json *v = json_kind(is) == JSON_IS_ABSENT ? was : is;
        bool none = json_kind(v) == JSON_IS_ABSENT || (json_kind(v) == JSON_IS_TEXT && !json_text(v).n)
                 || (json_kind(v) == JSON_IS_OBJECT && !json_count(v));
        if (!none && i == 1 && str_eqz(json_text(v), "new")) {
            uint8_t key[NEW_KEY_OCTETS];
            random_bytes(key, sizeof key);
            memcpy(made, "whsec_", 6);
            base64_write(made + 6, key, sizeof key);
            jw_textz(&w, words[i][0], made);
        } else if (!none) {
            jw_json(&w, words[i][0], v);
        }
        n += !none;
    }
    jw_end(&w);
    if (!n)
        buf_clear(out);
}

/* The texts of a row while it is being made. */
struct drafted {
    char       name[48], key[96];
    struct buf filter, secrets;
};

static void drafted_done(struct drafted *d)
{
    buf_done(&d->filter);
    buf_done(&d->secrets);
}

static enum err draft_secrets(struct drafted *d, const struct json *had, const struct json *settings, struct problem *why)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    secrets_merge(had, settings, &d->secrets, d->key);
    if (d->secrets.bad || (d->secrets.n && json_read(&doc, buf_str(&d->secrets), NULL)))
        return ERR_NOMEM;
    return doc ? secrets_check(json_root(doc), why) : ERR_NONE;
}

static void draft_filter(struct drafted *d, const struct json *filter)
{
    struct jw w = jw_of(&d->filter);
    if (json_kind(filter) == JSON_IS_OBJECT && json_count(filter))
        jw_json(&w, NULL, filter);
}

static enum err batch_check(unsigned batch, struct problem *why)
{
    if (batch <= EVENT_BATCH_MAX)
        return ERR_NONE;
    enum err err = rule_problem(why, ERR_RANGE, RULE_DELIVERY_SETTING_INVALID, "batch", "1 to 100 events in one POST");
    problem_target(why, "batch");
    return err;
}

static enum err new_check(const struct events *ev, const struct event_subscription_new *n, struct problem *why)
{
    enum err err = url_check(n->url, why);
    if (!err)
        err = name_check(n->name, why);
    if (!err)
        err = filter_check(n->filter, why);
    if (!err)
        err = batch_check(n->batch, why);
    return err ? err : room_check(ev, n->resource, why);
}

static enum err subscribe(struct events *ev, const struct event_subscription_row *row, struct drafted *d,
                          events_subscribed_fn *done, void *arg)
{
    struct event_subscription *s = d->filter.bad ? NULL : subscription_make(ev, row);
    if (!s)
        return ERR_NOMEM;
    s->done = done;
    s->arg = arg;
    s->proving = true;
    str_copyz(s->new_key, sizeof s->new_key, str_of(d->key));
    enum err err = subscription_post(s, row);
    if (err)
        subscription_free(s);
    return err;
}

enum err events_subscribe(struct events *ev, const struct event_subscription_new *n, events_subscribed_fn *done,
                          void *arg, struct problem *why)
{
    struct drafted d = { 0 };
    enum err err = new_check(ev, n, why);
    if (!err)
        err = draft_secrets(&d, NULL, n->settings, why);
    if (err) {
        drafted_done(&d);
        return err;
    }
    draft_filter(&d, n->filter);
    snprintf(d.name, sizeof d.name, "subscription-%zu", map_count(ev->subscriptions) + 1);
    struct event_subscription_row row = { .key = ids_next(ev->control->ids),
                                          .resource = n->resource,
                                          .name = n->name.n ? n->name : str_of(d.name),
                                          .url = n->url,
                                          .types = n->types,
                                          .filter = buf_str(&d.filter),
                                          .secrets = buf_str(&d.secrets),
                                          .batch = n->batch ? n->batch : 1,
                                          .cloud = n->cloud };
    err = subscribe(ev, &row, &d, done, arg);
    drafted_done(&d);
    return err ? problem_set(why, err, "ServiceUnavailable", "The subscription could not be stored: %s.", err_words(err)) : err;
}

#define SWAP(type, a, b) do { type swapped = (a); (a) = (b); (b) = swapped; } while (0)

static void after_change(struct event_subscription *s, struct changing *c)
{
    struct event_subscription *f = c->fresh;
    if (c->done.err)
        return;
    interests_remove(s);
    SWAP(char *, s->name, f->name);
    SWAP(char *, s->types, f->types);
    SWAP(struct json_doc *, s->filter, f->filter);
    SWAP(struct json_doc *, s->secrets, f->secrets);
    s->batch = f->batch;
    str_copyz(s->new_key, sizeof s->new_key, str_of(f->new_key));
    if (interests_add(s))
        c->done.err = ERR_NOMEM;        /* on disk, and so after the next start */
}

static enum err change_check(const struct event_subscription_change *n, struct problem *why)
{
    enum err err = name_check(n->name, why);
    if (!err)
        err = filter_check(n->filter, why);
    return err ? err : batch_check(n->batch, why);
}

static enum err change(struct event_subscription *s, const struct event_subscription_row *row, const struct drafted *d,
                       events_changed_fn *done, void *arg)
{
    struct event_subscription *fresh = d->filter.bad ? NULL : subscription_make(s->ev, row);
    if (!fresh)
        return ERR_NOMEM;
    str_copyz(fresh->new_key, sizeof fresh->new_key, str_of(d->key));
    struct db_unit *u = db_unit_new();
    event_subscription_row_change(u, row);
    enum err err = change_post_fresh(s, u, after_change, done, arg, fresh);
    if (err)
        subscription_free(fresh);
    return err;
}

enum err events_change(struct events *ev, uint64_t key, const struct event_subscription_change *n, events_changed_fn *done,
                       void *arg, struct problem *why)
{
    struct event_subscription *s = map_find(ev->subscriptions, key);
    struct drafted d = { 0 };
    if (!s || s->gone)
        return ERR_ABSENT;
    enum err err = change_check(n, why);
    if (!err)
        err = draft_secrets(&d, s->secrets ? json_root(s->secrets) : NULL, n->settings, why);
    if (!err) {
        draft_filter(&d, json_kind(n->filter) == JSON_IS_ABSENT && s->filter ? json_root(s->filter) : n->filter);
        struct event_subscription_row row = { .key = key,
                                              .resource = s->resource,
                                              .name = n->name.n ? n->name : str_of(s->name),
                                              .url = str_of(s->url),
                                              .types = n->types ? *n->types : str_of(s->types),
                                              .filter = buf_str(&d.filter),
                                              .secrets = buf_str(&d.secrets),
                                              .batch = n->batch ? n->batch : s->batch,
                                              .state = (int)s->state,
                                              .cloud = s->cloud };
        err = change(s, &row, &d, done, arg);
    }
    drafted_done(&d);
    return err;
}

void events_take_new_key(struct events *ev, uint64_t key, char out[EVENT_KEY_SIZE])
{
    struct event_subscription *s = map_find(ev->subscriptions, key);
    out[0] = '\0';
    if (!s)
        return;
    str_copyz(out, EVENT_KEY_SIZE, str_of(s->new_key));
    memset(s->new_key, 0, sizeof s->new_key);
}

const char *events_subscription_name(const struct events *ev, uint64_t key)
{
    const struct event_subscription *s = map_find(ev->subscriptions, key);
    return s && !s->gone ? s->name : NULL;
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
    jw_int(w, "batch", s->batch);
    secrets_write(s->secrets ? json_root(s->secrets) : NULL, w);
    jw_textz(w, "state", state_words[s->state]);
    jw_int(w, "waiting", s->outlet ? (int64_t)s->outlet->lanes.count : 0);
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
