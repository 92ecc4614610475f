/* scripted.h - a courier and carriers that do what the test says, beside the world of numbers/world.h. */
#pragma once
#include "domain/events/events.h"
#include "domain/messages/messages.h"
#include "store/meta.h"
#include "unit/domain/numbers/world.h"

#include <stdio.h>

/* -- time ----------------------------------------------------------------------------------------------------------- */

/** Until the store has decided everything, and control has heard and done everything that follows from it. */
static inline void world_settle(struct world *w)
{
    for (int i = 0; i < 5; i++) {
        struct db_unit *u = db_unit_new();
        meta_row_put_int(u, STR("settled"), i);
        assert_int_equal(db_run(w->control.db, u), ERR_NONE);
        inbox_drain(control_inbox(&w->control));
    }
}

static inline void world_stop_running(void *arg)
{
    loop_stop(((struct world *)arg)->control.loop);
}

/** Let the control loop itself run: its own timers and what comes in. */
static inline void world_run(struct world *w, int ms)
{
    struct loop_timer t = { 0 };
    assert_int_equal(loop_timer_init(w->control.loop, &t, world_stop_running, w), ERR_NONE);
    loop_timer_start(&t, ms * (int64_t)US_PER_MS);
    loop_run_here(w->control.loop);
    loop_timer_done(&t);
}

/* -- the courier ---------------------------------------------------------------------------------------------------- */

struct sent {
    uint64_t id;
    char     method[8], url[256], body[4096], headers[COURIER_HEADERS_MAX][160];
    bool     answered;
    void   (*done)(void *arg, const struct courier_outcome *outcome);
    void    *arg;
};

enum { SENT_MAX = 4096 };
struct courier_script {
    struct sent sent[SENT_MAX];
    size_t      n;
    enum err    refuse;                 /* what send() answers; ERR_NONE: takes it */
    size_t      refused;
};

static inline enum err courier_script_send(void *self, const struct courier_request *rq)
{
    struct courier_script *c = self;
    if (c->refuse) {
        c->refused++;
        return c->refuse;
    }
    assert_true(c->n < SENT_MAX);
    struct sent *s = &c->sent[c->n++];
    *s = (struct sent){ .id = rq->id, .done = rq->done, .arg = rq->arg };
    snprintf(s->method, sizeof s->method, "%s", rq->method);
    str_copyz(s->url, sizeof s->url, rq->url);
    str_copyz(s->body, sizeof s->body, rq->body);
    for (size_t i = 0; i < ARRAY_LEN(rq->headers); i++)
        str_copyz(s->headers[i], sizeof s->headers[i], rq->headers[i]);
    return ERR_NONE;
}

static const struct courier_ops courier_script_ops = { courier_script_send };

/** The endpoint answers request i, or (err) does not; then everything that follows from it happens. */
static inline void courier_answer_as(struct world *w, struct courier_script *c, size_t i, enum err err, int status,
                                     const char *body, const char *origin)
{
    assert_true(i < c->n && !c->sent[i].answered);
    c->sent[i].answered = true;
    struct courier_outcome o = { .id = c->sent[i].id, .err = err, .status = status, .body = str_of(body),
                                 .allowed_origin = str_of(origin) };
    c->sent[i].done(c->sent[i].arg, &o);
    inbox_drain(control_inbox(&w->control));
    world_settle(w);
}

static inline void courier_answer(struct world *w, struct courier_script *c, size_t i, int status)
{
    courier_answer_as(w, c, i, ERR_NONE, status, "", "");
}

/** The value of a text member in what was sent, good until the next call; empty when it is not there. */
static inline const char *sent_member(const struct sent *s, const char *name)
{
    static char value[512];
    char key[64];
    snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *at = strstr(s->body, key);
    snprintf(value, sizeof value, "%s", at ? at + strlen(key) : "");
    value[strcspn(value, "\"")] = '\0';
    return value;
}

/* -- a carrier ------------------------------------------------------------------------------------------------------ */

struct submitted {
    uint64_t message;
    char     from[32], to[32], text[4096];
};

enum { SUBMITTED_MAX = 4096 };
struct carrier_script {
    struct messages *messages;
    unsigned         number;
    struct submitted sm[SUBMITTED_MAX];
    size_t           n;
    bool             full;
    struct { uint64_t token; enum err err; } settled[64];
    size_t           n_settled;
    struct { char from[32], body[64]; struct carrier_part part; } recalled[8];
    size_t           n_recalled;
};

static inline enum err carrier_script_submit(void *self, const struct carrier_message *m)
{
    struct carrier_script *c = self;
    if (c->full)
        return ERR_BUSY;
    assert_true(c->n < SUBMITTED_MAX);
    struct submitted *s = &c->sm[c->n++];
    s->message = m->message;
    str_copyz(s->from, sizeof s->from, m->from);
    str_copyz(s->to, sizeof s->to, m->to);
    str_copyz(s->text, sizeof s->text, m->text);
    return ERR_NONE;
}

static inline void carrier_script_settle(void *self, uint64_t token, enum err err)
{
    struct carrier_script *c = self;
    assert_true(c->n_settled < ARRAY_LEN(c->settled));
    c->settled[c->n_settled].token = token;
    c->settled[c->n_settled++].err = err;
}

static inline void carrier_script_recall(void *self, struct str from, struct str to, const struct carrier_part *part, struct str body)
{
    struct carrier_script *c = self;
    (void)to;
    assert_true(c->n_recalled < ARRAY_LEN(c->recalled));
    str_copyz(c->recalled[c->n_recalled].from, sizeof c->recalled[0].from, from);
    str_copyz(c->recalled[c->n_recalled].body, sizeof c->recalled[0].body, body);
    c->recalled[c->n_recalled++].part = *part;
}

static const struct carrier_ops carrier_script_ops = { .submit = carrier_script_submit, .settle = carrier_script_settle, .recall = carrier_script_recall };
