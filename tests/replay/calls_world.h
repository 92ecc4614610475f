/* calls_world.h - a control thread of its own around calls: real store, accounts, numbers and events; a scripted
 * signalling edge, media loop and courier that write down what they are told; a mono clock that moves when told.
 *
 * Everything but the store runs on the test's thread. world_settle() returns when nothing is under way any more. */
#pragma once
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "domain/accounts/accounts.h"
#include "domain/calls/calls.h"
#include "domain/events/events.h"
#include "domain/numbers/numbers.h"

enum { TIMERS_MOST = 64, POSTS_MOST = 256, OUTCOMES_MOST = 64 };

struct fake_timer {
    loop_timer_fn *fn;
    void          *arg;
    int64_t        due_us;          /* 0: not running */
    bool           used;
};

struct pending { struct courier_request rq; int status; struct str body; };

struct world {
    struct control   control;
    struct accounts *accounts;
    struct numbers  *numbers;
    struct events   *events;
    struct calls    *calls;
    uint64_t         resource;
    char             caller[24];            /* a leased number with outbound calling */
    /* the mono clock */
    int64_t           now_us;
    struct fake_timer timers[TIMERS_MOST];
    /* what was asked of the edges, in order: "open; invite +1... ; ..." */
    struct buf        asked;
    struct leg_id     leg;                  /* of the last open */
    uint64_t          media_op;             /* of the last play or send */
    enum err          invite_err, open_err;
    /* the courier */
    struct str        prompt;               /* what a GET finds */
    int               prompt_status;
    enum err          prompt_err;
    struct pending    pending[OUTCOMES_MOST];
    size_t            pending_n;
    char             *posts[POSTS_MOST];    /* bodies of callbacks, in order */
    char              post_urls[POSTS_MOST][128];
    size_t            posts_n;
    int               callback_status;
    /* the last answer of calls_create() or calls_hang_up() */
    unsigned          answers;
    enum err          err;
    struct problem    why;
    struct call_view  view;
    char              id[GUID_SIZE], source[RAW_ID_SIZE];
};

/* -- the mono clock ------------------------------------------------------------------------------------------------ */
static enum err fake_init(void *time, struct loop_timer *t, loop_timer_fn *fn, void *arg)
{
    struct world *w = time;
    for (size_t i = 0; i < TIMERS_MOST; i++)
        if (!w->timers[i].used) {
            w->timers[i] = (struct fake_timer){ fn, arg, 0, true };
            t->priv = &w->timers[i];
            return ERR_NONE;
        }
    return ERR_NOMEM;
}

static void fake_start(void *time, struct loop_timer *t, int64_t wait_us)
{
    ((struct fake_timer *)t->priv)->due_us = ((struct world *)time)->now_us + (wait_us > 0 ? wait_us : 1);
}

static void fake_stop(void *time, struct loop_timer *t)
{
    (void)time;
    if (t->priv)
        ((struct fake_timer *)t->priv)->due_us = 0;
}

static void fake_done(void *time, struct loop_timer *t)
{
    (void)time;
    ((struct fake_timer *)t->priv)->used = false;
    ((struct fake_timer *)t->priv)->due_us = 0;
    t->priv = NULL;
}

static const struct call_time_ops fake_time = { fake_init, fake_start, fake_stop, fake_done };

/* -- the signalling edge ------------------------------------------------------------------------------------------- */
static enum err edge_invite(void *edge, const struct signalling_invite *p)
{
    struct world *w = edge;
    buf_printf(&w->asked, "invite " STR_FMT " " STR_FMT " %s:%u; ", STR_ARG(p->trunk), STR_ARG(p->to), p->local.host,
               (unsigned)p->local.port);
    return w->invite_err;
}

static enum err edge_ring(void *edge, struct leg_id leg)
{
    (void)leg;
    buf_putz(&((struct world *)edge)->asked, "ring; ");
    return ERR_NONE;
}

static enum err edge_answer(void *edge, struct leg_id leg, const struct media_address *local)
{
    (void)leg;
    buf_printf(&((struct world *)edge)->asked, "answer %s:%u; ", local->host, (unsigned)local->port);
    return ERR_NONE;
}

static enum err edge_reject(void *edge, struct leg_id leg, int status, int q850)
{
    (void)leg;
    buf_printf(&((struct world *)edge)->asked, "reject %d/%d; ", status, q850);
    return ERR_NONE;
}

static enum err edge_hangup(void *edge, struct leg_id leg, int q850)
{
    (void)leg;
    buf_printf(&((struct world *)edge)->asked, "hangup %d; ", q850);
    return ERR_NONE;
}

static const struct signalling_ops fake_signalling = { edge_invite, edge_ring, edge_answer, edge_reject, edge_hangup };

/* -- the media loop ------------------------------------------------------------------------------------------------ */
static enum err media_open(void *media, struct leg_id leg)
{
    struct world *w = media;
    w->leg = leg;
    buf_putz(&w->asked, "open; ");
    return w->open_err;
}

static enum err media_connect(void *media, struct leg_id leg, const struct media_address *remote)
{
    (void)leg;
    buf_printf(&((struct world *)media)->asked, "connect %s:%u; ", remote->host, (unsigned)remote->port);
    return ERR_NONE;
}

static enum err media_play(void *media, struct leg_id leg, uint64_t op, struct str file, bool loop)
{
    struct world *w = media;
    (void)leg;
    w->media_op = op;
    buf_printf(&w->asked, "play %zu%s; ", file.n, loop ? " again and again" : "");
    return ERR_NONE;
}

static enum err media_stop(void *media, struct leg_id leg, uint64_t op)
{
    (void)leg, (void)op;
    buf_putz(&((struct world *)media)->asked, "stop; ");
    return ERR_NONE;
}

static enum err media_send(void *media, struct leg_id leg, uint64_t op, struct str tones)
{
    struct world *w = media;
    (void)leg;
    w->media_op = op;
    buf_printf(&w->asked, "send " STR_FMT "; ", STR_ARG(tones));
    return ERR_NONE;
}

static enum err media_close(void *media, struct leg_id leg)
{
    (void)leg;
    buf_putz(&((struct world *)media)->asked, "close; ");
    return ERR_NONE;
}

static const struct media_ops fake_media = { media_open, media_connect, media_play, media_stop, media_send, media_close };

/* -- the courier --------------------------------------------------------------------------------------------------- */
static enum err courier_send(void *courier, const struct courier_request *rq)
{
    struct world *w = courier;
    assert_true(w->pending_n < OUTCOMES_MOST);
    struct pending *p = &w->pending[w->pending_n++];
    *p = (struct pending){ .rq = *rq, .status = w->callback_status };
    if (!strcmp(rq->method, "GET")) {
        p->status = w->prompt_status;
        p->body = w->prompt;
        return ERR_NONE;
    }
    assert_true(w->posts_n < POSTS_MOST);
    str_copyz(w->post_urls[w->posts_n], sizeof w->post_urls[0], rq->url);
    w->posts[w->posts_n] = malloc(rq->body.n + 1);
    str_copyz(w->posts[w->posts_n++], rq->body.n + 1, rq->body);
    return ERR_NONE;
}

static const struct courier_ops fake_courier = { courier_send };

static bool courier_answers(struct world *w)
{
    size_t n = w->pending_n;
    struct pending now[OUTCOMES_MOST];
    memcpy(now, w->pending, sizeof now);
    w->pending_n = 0;
    for (size_t i = 0; i < n; i++) {
        bool get = !strcmp(now[i].rq.method, "GET");
        now[i].rq.done(now[i].rq.arg, &(struct courier_outcome){ .id = now[i].rq.id, .err = get ? w->prompt_err : ERR_NONE,
                                                                 .status = now[i].status, .body = now[i].body,
                                                                 .allowed_origin = STR("*") });
    }
    return n > 0;
}

/* -- running ------------------------------------------------------------------------------------------------------- */
/* Units and reads are done in order: once ours have been, all before them have. */
static void store_barrier(struct world *w)
{
    scoped(db_rows) struct db_rows *rows = NULL;
    struct db_unit *u = db_unit_new();
    db_do(u, DB_META_PUT, DB_ANY_ROWS, DB_Z("barrier"), DB_Z("1"));
    assert_int_equal(db_run(w->control.db, u), ERR_NONE);
    assert_int_equal(db_load(w->control.db, DB_META_GET, (const struct db_val[]){ DB_Z("barrier") }, 1, &rows), ERR_NONE);
}

static void world_settle(struct world *w)
{
    for (int quiet = 0; quiet < 2;) {
        bool moved = inbox_drain(control_inbox(&w->control)) > 0;
        moved |= courier_answers(w);
        store_barrier(w);
        quiet = moved || inbox_depth(control_inbox(&w->control)) ? 0 : quiet + 1;
    }
}

static inline void world_pass(struct world *w, int64_t us)
{
    int64_t end = w->now_us + us;
    for (;;) {
        struct fake_timer *first = NULL;
        for (size_t i = 0; i < TIMERS_MOST; i++) {
            struct fake_timer *t = &w->timers[i];
            if (t->used && t->due_us && t->due_us <= end && (!first || t->due_us < first->due_us))
                first = t;
        }
        if (!first)
            break;
        w->now_us = first->due_us;
        first->due_us = 0;
        first->fn(first->arg);
        world_settle(w);
    }
    w->now_us = end;
}

static void no_resource_news(void *arg, const struct resource *r)
{
    (void)arg, (void)r;
}

static void on_operation(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)why;
    assert_int_equal(err, ERR_NONE);
    *(uint64_t *)arg = op->key;
}

static void world_lease(struct world *w)
{
    struct problem why = { 0 };
    struct number_search_new rq = { .country = STR("US"), .type = NUMBER_GEOGRAPHIC, .assignment = ASSIGNED_APPLICATION,
                                    .calling = CAP_BOTH, .sms = CAP_NONE, .area_code = STR("206"), .quantity = 1 };
    uint64_t search = 0, bought = 0;
    assert_int_equal(numbers_search(w->numbers, w->resource, &rq, on_operation, &search, &why), ERR_NONE);
    world_settle(w);
    const struct number_search *s = numbers_search_find(w->numbers, w->resource, search);
    assert_non_null(s);
    snprintf(w->caller, sizeof w->caller, "+%llu", (unsigned long long)s->numbers[0]);
    assert_int_equal(numbers_purchase(w->numbers, w->resource, search, false, on_operation, &bought, &why), ERR_NONE);
    world_settle(w);
    assert_non_null(numbers_lease(w->numbers, str_of(w->caller)));
}

static void world_calls(struct world *w)
{
    struct problem why = { 0 };
    struct calls_conf conf = { .control = &w->control, .accounts = w->accounts, .numbers = w->numbers,
                               .events = w->events, .courier = &fake_courier, .courier_arg = w, .time = &fake_time,
                               .time_arg = w, .ring_us = 2 * US_PER_S };
    assert_int_equal(calls_new(&w->calls, &conf, &why), ERR_NONE);
    calls_set_signalling(w->calls, &fake_signalling, w);
    calls_set_media(w->calls, &fake_media, w);
    assert_int_equal(calls_load(w->calls, &why), ERR_NONE);
}

static int world_make(void **state)
{
    static const uint8_t key[ID_KEY_OCTETS] = { 7 };
    struct world *w = calloc(1, sizeof *w);
    struct problem why = { 0 };
    log_setup(LOG_ERROR, LOG_TEXT);
    *w = (struct world){ .now_us = 1000000, .prompt_status = 200, .callback_status = 200 };
    w->control.clock = clock_new(0);
    w->control.ids = ids_new(key, 1);
    assert_int_equal(loop_new(&w->control.loop, "control", 10000, NULL), ERR_NONE);
    assert_int_equal(agenda_new(&w->control.agenda, w->control.loop, w->control.clock), ERR_NONE);
    assert_int_equal(db_open(&w->control.db, &(struct db_conf){ .readers = 1, .bound = 10000 }, &why), ERR_NONE);
    assert_int_equal(accounts_new(&w->accounts, &w->control,
                                  (struct accounts_listener){ no_resource_news, NULL }), ERR_NONE);
    assert_int_equal(accounts_make_default(w->accounts), ERR_NONE);
    w->resource = accounts_resource_named(w->accounts, STR("default"))->key;
    assert_int_equal(numbers_new(&w->numbers, &w->control, w->accounts,
                                 &(struct numbers_conf){ .edition = "2020-10", .simulator = true }, &why), ERR_NONE);
    assert_int_equal(numbers_load(w->numbers, &why), ERR_NONE);
    assert_int_equal(events_new(&w->events, &w->control, &fake_courier, w), ERR_NONE);
    world_calls(w);
    world_lease(w);
    *state = w;
    return 0;
}

static int world_end(void **state)
{
    struct world *w = *state;
    world_settle(w);
    calls_free(w->calls);
    events_free(w->events);
    numbers_free(w->numbers);
    accounts_free(w->accounts);
    db_close(w->control.db);
    agenda_free(w->control.agenda);
    loop_free(w->control.loop);
    ids_free(w->control.ids);
    clock_free(w->control.clock);
    for (size_t i = 0; i < w->posts_n; i++)
        free(w->posts[i]);
    buf_done(&w->asked);
    free(w);
    return 0;
}

#define SCRIPT static inline        /* not every test needs each */

/* -- scripts ------------------------------------------------------------------------------------------------------- */
SCRIPT void on_answer(void *arg, enum err err, const struct call_view *v, const struct problem *why)
{
    struct world *w = arg;
    w->answers++;
    w->err = err;
    if (why)
        w->why = *why;
    if (v) {
        w->view = *v;
        memcpy(w->id, v->id, sizeof w->id);
        str_copyz(w->source, sizeof w->source, v->source);
    }
}

SCRIPT enum err world_create(struct world *w, struct call_new rq)
{
    if (!rq.resource)
        rq.resource = w->resource;
    if (!rq.from.n)
        rq.from = str_of(w->caller);
    if (!rq.callback_uri.n)
        rq.callback_uri = STR("http://app.test/cb");
    return calls_create(w->calls, &rq, on_answer, w, &w->why);     /* a refusal comes by on_answer */
}

SCRIPT void leg_says(struct world *w, struct signalling_news news)
{
    news.leg = w->leg;
    assert_int_equal(calls_tell_signalling(w->calls, &news), ERR_NONE);
    world_settle(w);
}

SCRIPT void media_says(struct world *w, struct media_news news)
{
    news.leg = w->leg;
    assert_int_equal(calls_tell_media(w->calls, &news), ERR_NONE);
    world_settle(w);
}

SCRIPT void media_opened(struct world *w)
{
    media_says(w, (struct media_news){ .kind = MEDIA_OPENED, .local = { .host = "127.0.0.1", .port = 20000 } });
}

SCRIPT void leg_answered(struct world *w)
{
    leg_says(w, (struct signalling_news){ .kind = LEG_ANSWERED,
                                          .remote = { .host = "127.0.0.1", .port = 30000, .dtmf_payload = 101 } });
}

SCRIPT void leg_ended(struct world *w, int status, int q850, bool by_peer)
{
    struct signalling_news news = { .kind = LEG_ENDED, .status = status, .q850 = q850, .by_peer = by_peer };
    str_copyz(news.words, sizeof news.words, STR("Said So"));
    leg_says(w, news);
}

SCRIPT void tone(struct world *w, char c)
{
    media_says(w, (struct media_news){ .kind = MEDIA_TONE, .tone = c });
}

/* A call to a phone that answers. */
SCRIPT void connected_call(struct world *w)
{
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+12065550110"), .context = STR("ctx") }), ERR_NONE);
    world_settle(w);
    assert_int_equal(w->err, ERR_NONE);
    media_opened(w);
    leg_says(w, (struct signalling_news){ .kind = LEG_RINGING, .status = 180 });
    leg_answered(w);
}

/* The names of the callbacks told so far, in order, and forget them: "CallConnected ParticipantsUpdated". */
SCRIPT const char *told(struct world *w)
{
    static char names[2048];
    size_t n = 0;
    names[0] = 0;
    for (size_t i = 0; i < w->posts_n; i++) {
        scoped(json_doc) struct json_doc *doc = NULL;
        assert_int_equal(json_read(&doc, str_of(w->posts[i]), NULL), ERR_NONE);
        assert_int_equal(json_count(json_root(doc)), 1);
        struct str type = json_text_of(json_item(json_root(doc), 0), "type");
        assert_true(str_starts(type, STR("Microsoft.Communication.")));
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", n ? " " : "", type.p + 24);
    }
    return names;
}

/* The data of the i-th callback so far. */
SCRIPT const struct json *data_of(struct world *w, size_t i, struct json_doc **doc)
{
    assert_true(i < w->posts_n);
    assert_int_equal(json_read(doc, str_of(w->posts[i]), NULL), ERR_NONE);
    return json_member(json_item(json_root(*doc), 0), "data");
}

SCRIPT void expect_result(struct world *w, size_t i, int code, int subcode)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    const struct json *result = json_member(data_of(w, i, &doc), "resultInformation");
    assert_int_equal(json_int_of(result, "code", -1), code);
    assert_int_equal(json_int_of(result, "subCode", -1), subcode);
}

SCRIPT void forget_told(struct world *w)
{
    for (size_t i = 0; i < w->posts_n; i++)
        free(w->posts[i]);
    w->posts_n = 0;
    buf_clear(&w->asked);
}

/* What was asked of signalling and media since the last time. */
SCRIPT const char *asked(struct world *w)
{
    buf_putc(&w->asked, 0);
    w->asked.n = 0;
    return w->asked.p;
}
