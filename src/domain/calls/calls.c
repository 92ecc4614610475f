#include "domain/calls/calls.h"

#include "base/str.h"
#include "domain/calls/calls_priv.h"
#include "domain/rules.h"

#include <stdio.h>

enum { DEFAULT_OUTBOUND_MOST = 2, DEFAULT_RING_S = 60 };

/* -- time --------------------------------------------------------------------------------------------------------- */
static enum err loop_time_init(void *loop, struct loop_timer *t, loop_timer_fn *fn, void *arg)
{
    return loop_timer_init(loop, t, fn, arg);
}

static void loop_time_start(void *loop, struct loop_timer *t, int64_t wait_us)
{
    (void)loop;
    loop_timer_start(t, wait_us);
}

static void loop_time_stop(void *loop, struct loop_timer *t)
{
    (void)loop;
    loop_timer_stop(t);
}

static void loop_time_done(void *loop, struct loop_timer *t)
{
    (void)loop;
    loop_timer_done(t);
}

static const struct call_time_ops loop_time = { loop_time_init, loop_time_start, loop_time_stop, loop_time_done };

enum err call_time_init(struct calls *c, struct loop_timer *t, loop_timer_fn *fn, void *arg)
{
    return c->conf.time->init(c->conf.time_arg, t, fn, arg);
}

void call_time_start(struct calls *c, struct loop_timer *t, int64_t wait_us)
{
    c->conf.time->start(c->conf.time_arg, t, wait_us);
}

void call_time_stop(struct calls *c, struct loop_timer *t)
{
    c->conf.time->stop(c->conf.time_arg, t);
}

void call_time_done(struct calls *c, struct loop_timer *t)
{
    if (t->priv)
        c->conf.time->done(c->conf.time_arg, t);
    t->priv = NULL;
}

/* -- the object --------------------------------------------------------------------------------------------------- */
enum err calls_new(struct calls **out, const struct calls_conf *conf, struct problem *why)
{
    struct calls *c = calloc(1, sizeof *c);
    if (c) {
        *c = (struct calls){ .conf = *conf, .control = conf->control, .by_key = map_new(), .by_leg = map_new(),
                             .busy = map_new(), .repeats = strmap_new(), .sim_trunk = "sim" };
        if (!conf->outbound_most)
            c->conf.outbound_most = DEFAULT_OUTBOUND_MOST;
        if (!conf->ring_us)
            c->conf.ring_us = (int64_t)DEFAULT_RING_S * US_PER_S;
        if (!conf->time) {
            c->conf.time = &loop_time;
            c->conf.time_arg = conf->control->loop;
        }
    }
    if (!c || !c->by_key || !c->by_leg || !c->busy || !c->repeats
        || call_time_init(c, &c->late_timer, call_step_retry, c) || call_time_init(c, &c->alive_timer, call_on_alive, c)) {
        calls_free(c);
        return problem_set(why, ERR_NOMEM, "", "No memory for calls.");
    }
    *out = c;
    return ERR_NONE;
}

void calls_free(struct calls *c)
{
    if (!c)
        return;
    uint64_t key;
    void *call;
    for (size_t at = 0; c->by_key && map_next(c->by_key, &at, &key, &call); at = 0)
        call_free(call);
    call_step_drop_late(c);
    call_requests_drop(c);
    call_time_done(c, &c->late_timer);
    call_time_done(c, &c->alive_timer);
    map_free(c->by_key);
    map_free(c->by_leg);
    map_free(c->busy);
    strmap_free(c->repeats);
    free(c);
}

void calls_set_signalling(struct calls *c, const struct signalling_ops *ops, void *edge)
{
    c->signalling = ops;
    c->signalling_arg = edge;
}

void calls_set_sim_trunk(struct calls *c, struct str name)
{
    str_copyz(c->sim_trunk, sizeof c->sim_trunk, name);
}

void calls_set_media(struct calls *c, const struct media_ops *ops, void *media)
{
    c->media = ops;
    c->media_arg = media;
}

/* -- one call ----------------------------------------------------------------------------------------------------- */
static void on_patience(void *arg)
{
    call_feed(arg, CALL_EV_PATIENCE, NULL);
}

struct call *call_new(struct calls *c, uint64_t resource)
{
    struct call *call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    *call = (struct call){ .calls = c, .resource = resource, .arena = arena_new(), .key = control_key(c->control),
                           .leg = { ids_next(c->control->ids) }, .created_us = control_now_us(c->control) };
    if (!call->arena || call_time_init(c, &call->patience, on_patience, call) || call_media_init(call)) {
        call_free(call);
        return NULL;
    }
    return call;
}

void call_free(struct call *call)
{
    if (!call)
        return;
    struct calls *c = call->calls;
    call_let_go(call);
    call_leave(call);
    if (map_find(c->by_key, call->key) == call)
        map_take(c->by_key, call->key);
    if (map_find(c->by_leg, call->leg.v) == call)
        map_take(c->by_leg, call->leg.v);
    call_media_free(call);
    call_time_done(c, &call->patience);
    arena_free(call->arena);
    free(call);
}

static uint64_t number_key(struct str e164)
{
    uint64_t v = 0;
    if (str_u64(str_from(e164, e164.n && e164.p[0] == '+'), INT64_MAX, &v))
        return 0;
    return v;
}

unsigned call_busy(const struct calls *c, struct str from)
{
    return (unsigned)(uintptr_t)map_find(c->busy, number_key(from));
}

static enum err busy_set(struct calls *c, struct str from, unsigned n)
{
    if (n)
        return map_put(c->busy, number_key(from), (void *)(uintptr_t)n);
    map_take(c->busy, number_key(from));
    return ERR_NONE;
}

enum err call_enter(struct call *call)
{
    struct calls *c = call->calls;
    enum err err = map_put(c->by_key, call->key, call);
    if (!err)
        err = map_put(c->by_leg, call->leg.v, call);
    if (!err && call->outbound && !call->unlimited) {
        err = busy_set(c, call->from, call_busy(c, call->from) + 1);
        call->counted = !err;
    }
    return err;
}

void call_leave(struct call *call)
{
    if (call->counted)
        (void)busy_set(call->calls, call->from, call_busy(call->calls, call->from) - 1);    /* lowering needs no memory */
    call->counted = false;
}

bool call_accepted(const struct call *call)
{
    return call->outbound || call->callback_uri.n;
}

struct call_row call_row_of(const struct call *call)
{
    return (struct call_row){ .key = call->key, .resource = call->resource, .leg = call->leg.v,
                              .outbound = call->outbound, .caller = call->from, .callee = call->to,
                              .display = call->display, .source = call->source, .callback_uri = call->callback_uri,
                              .context = call->context, .trunk = call->trunk, .created_us = call->created_us };
}

/* -- seen from outside -------------------------------------------------------------------------------------------- */
const char *call_progress_word(enum call_progress p)
{
    static const char *const words[] = { "connecting", "connected", "disconnecting", "disconnected" };
    return words[p];
}

enum call_progress call_progress_of(const struct call *call)
{
    switch (call->state) {
    case CALL_ST_NEW: case CALL_ST_OPENING: case CALL_ST_INVITING: case CALL_ST_RINGING: case CALL_ST_OFFERED:
    case CALL_ST_TAKING: case CALL_ST_ANSWERING:
        return CALL_CONNECTING;
    case CALL_ST_CONNECTED:
        return CALL_CONNECTED;
    case CALL_ST_ENDING:
        return CALL_DISCONNECTING;
    case CALL_ST_ENDED: case N_CALL_STATES:
        break;
    }
    return CALL_DISCONNECTED;
}

/* Ids shown outside share the call's key, so none of them needs a table. */
static void view_ids(const struct calls *c, uint64_t key, struct call_view *v)
{
    char guid[GUID_SIZE], url[64];
    ids_guid(c->control->ids, ID_CALL, key, v->id);
    ids_guid(c->control->ids, ID_CORRELATION, key, v->correlation_id);
    ids_guid(c->control->ids, ID_SERVER_CALL, key, guid);
    int n = snprintf(url, sizeof url, "https://conv/%s", guid);
    base64_write(v->server_call_id, url, (size_t)n);
}

void call_view_fill(const struct call *call, struct call_view *v)
{
    *v = (struct call_view){ .key = call->key, .outbound = call->outbound, .progress = call_progress_of(call),
                             .from = call->from, .to = call->to, .display = call->display, .source = call->source,
                             .callback_uri = call->callback_uri, .phone = call->outbound ? call->to : call->from };
    view_ids(call->calls, call->key, v);
}

void call_view_of_row(const struct calls *c, const struct call_row *row, struct call_view *v)
{
    *v = (struct call_view){ .key = row->key, .outbound = row->outbound, .from = row->caller, .to = row->callee,
                             .display = row->display, .source = row->source, .callback_uri = row->callback_uri,
                             .phone = row->outbound ? row->callee : row->caller };
    v->progress = row->ended_us ? CALL_DISCONNECTED : row->connected_us ? CALL_CONNECTED : CALL_CONNECTING;
    view_ids(c, row->key, v);
}

/* The service's own answer for a call that ended or never was. */
enum err call_absent(struct problem *why)
{
    rule_problem(why, ERR_ABSENT, RULE_CALL_NOT_FOUND);
    return ERR_ABSENT;
}

enum err call_find(struct calls *c, uint64_t resource, struct str id, struct call **out, struct problem *why)
{
    uint64_t key;
    if (ids_guid_read(c->control->ids, ID_CALL, id, &key))
        return call_absent(why);
    struct call *call = map_find(c->by_key, key);
    if (!call || call->state == CALL_ST_ENDED || (resource && call->resource != resource))
        return call_absent(why);
    *out = call;
    return ERR_NONE;
}

enum err calls_find(struct calls *c, uint64_t resource, struct str id, struct call_view *out, struct problem *why)
{
    struct call *call;
    enum err err = call_find(c, resource, id, &call, why);
    if (!err)
        call_view_fill(call, out);
    return err;
}

/* -- news from the edges ------------------------------------------------------------------------------------------ */
struct leg_item {
    struct inbox_item      item;
    struct calls          *calls;
    struct signalling_news news;
    char                   text[];      /* what its strings point at */
};

static void on_leg_news(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct leg_item *i = container_of(item, struct leg_item, item);
    if (i->news.kind == LEG_OFFERED) {
        call_offered(i->calls, &i->news);
    } else {
        struct call *call = map_find(i->calls->by_leg, i->news.leg.v);
        if (call)
            call_leg_news(call, &i->news);
        else
            log_debug("calls", "news of a leg that is gone");
    }
    free(i);
}

static const struct inbox_kind leg_kind = { "calls.leg", on_leg_news, NULL };

enum err calls_tell_signalling(struct calls *c, const struct signalling_news *news)
{
    struct leg_item *i = malloc(sizeof *i + news->trunk.n + news->from.n + news->to.n + news->display.n
                                + news->context.n + 5);
    if (!i)
        return ERR_NOMEM;
    *i = (struct leg_item){ .item.kind = &leg_kind, .calls = c, .news = *news };
    char *at = i->text;
    i->news.trunk = str_put(&at, news->trunk);
    i->news.from = str_put(&at, news->from);
    i->news.to = str_put(&at, news->to);
    i->news.display = str_put(&at, news->display);
    i->news.context = str_put(&at, news->context);
    if (news->kind != LEG_OFFERED) {
        inbox_post_always(control_inbox(c->control), &i->item);
        return ERR_NONE;
    }
    enum err err = inbox_post(control_inbox(c->control), &i->item);
    if (err)
        free(i);
    return err;
}

struct media_item {
    struct inbox_item item;
    struct calls     *calls;
    struct media_news news;
};

static void on_media_news(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct media_item *i = container_of(item, struct media_item, item);
    struct call *call = map_find(i->calls->by_leg, i->news.leg.v);
    struct call_cause cause = { .media = &i->news };
    if (call)
        switch (i->news.kind) {
        case MEDIA_OPENED: call_feed(call, CALL_EV_MEDIA_UP, &cause);   break;
        case MEDIA_FAILED: call_feed(call, CALL_EV_MEDIA_DOWN, &cause); break;
        case MEDIA_CLOSED: call_feed(call, CALL_EV_MEDIA_SHUT, &cause); break;
        case MEDIA_PLAYED: case MEDIA_SENT: case MEDIA_TONE:
            call_media_news(call, &i->news);
            break;
        }
    free(i);
}

static const struct inbox_kind media_kind = { "calls.media", on_media_news, NULL };

enum err calls_tell_media(struct calls *c, const struct media_news *news)
{
    struct media_item *i = malloc(sizeof *i);
    if (!i)
        return ERR_NOMEM;
    *i = (struct media_item){ .item.kind = &media_kind, .calls = c, .news = *news };
    inbox_post_always(control_inbox(c->control), &i->item);
    return ERR_NONE;
}
