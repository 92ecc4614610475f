#include "edge/smpp/smpp_edge.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "edge/smpp/bind_priv.h"

#include <errno.h>
#include <time.h>

enum { INBOX_BOUND = 65536, STOP_S = 12, ASKS_MOST = 1000 };

METRIC_COUNTER(untold, "carterfone_smpp_news_lost_total", "Carrier news that could not be told: out of memory")

/* -- from control to the smpp thread -------------------------------------------------------------------------------- */
struct bind_item {
    struct inbox_item item;
    struct smsc_bind *bind;
};

struct settle_item {
    struct inbox_item item;
    struct smsc_bind *bind;
    uint64_t          token;
    enum err          err;
};

static void on_bind_added(void *owner, struct inbox_item *item)
{
    struct smpp_edge *edge = owner;
    struct smsc_bind *b = container_of(item, struct bind_item, item)->bind;
    free(item);
    b->next = edge->binds;
    edge->binds = b;
    if (!edge->stopping)
        bind_start(b);
}

static void drop_bind(struct inbox_item *item)
{
    bind_free(container_of(item, struct bind_item, item)->bind);
    free(item);
}

/* One takes the place of another, or of nothing but it ends. */
struct replace_item {
    struct inbox_item item;
    struct smsc_bind *old, *new;
};

static void on_replace(void *owner, struct inbox_item *item)
{
    struct smpp_edge *edge = owner;
    struct replace_item *it = container_of(item, struct replace_item, item);
    if (it->new) {
        it->new->next = edge->binds;
        edge->binds = it->new;
    }
    if (!edge->stopping)
        bind_retire(it->old, it->new);
    free(it);
}

static void drop_replace(struct inbox_item *item)
{
    struct replace_item *it = container_of(item, struct replace_item, item);
    bind_free(it->new);
    free(it);
}

static void on_submit(void *owner, struct inbox_item *item)
{
    struct outgoing *msg = container_of(item, struct outgoing, item);
    (void)owner;
    bind_out_take(msg->bind, msg);
}

static void on_ask(void *owner, struct inbox_item *item)
{
    struct bind_ask *a = container_of(item, struct bind_ask, item);
    (void)owner;
    bind_ask_take(a->bind, a);
}

static void on_settle(void *owner, struct inbox_item *item)
{
    struct settle_item *s = container_of(item, struct settle_item, item);
    struct smsc_bind *b = s->bind;
    (void)owner;
    while (b->predecessor)              /* it came by a link that is ending, and may be answered there yet */
        b = b->predecessor;
    bind_in_settle(b, s->token, s->err);
    free(s);
}

struct recall_item {
    struct inbox_item item;
    struct smsc_bind *bind;
    struct sms_part   part;
    char              octets[];
};

static void on_recall(void *owner, struct inbox_item *item)
{
    struct smpp_edge *edge = owner;
    struct recall_item *r = container_of(item, struct recall_item, item);
    if (!edge->stopping)                /* else its timers were never made; the row stays */
        bind_in_recall(r->bind, &r->part);
    free(r);
}

struct call_back_item {
    struct inbox_item item;
    struct smsc_bind *bind;
    struct str        from, to;
    char              octets[];
};

static void on_call_back(void *owner, struct inbox_item *item)
{
    struct call_back_item *it = container_of(item, struct call_back_item, item);
    (void)owner;
    bind_out_call_back(it->bind, it->from, it->to);
    free(it);
}

static bool all_ended(const struct smpp_edge *edge)
{
    for (const struct smsc_bind *b = edge->binds; b; b = b->next)
        if (b->session)
            return false;
    return true;
}

void edge_bind_ended(struct smpp_edge *edge)
{
    if (edge->stopping && all_ended(edge))
        sem_post(&edge->stopped);
}

static void on_stop(void *owner, struct inbox_item *item)
{
    struct smpp_edge *edge = owner;
    free(item);
    edge->stopping = true;
    probing_stop_all(edge);
    for (struct smsc_bind *b = edge->binds; b; b = b->next)
        bind_stop(b);
    edge_bind_ended(edge);
}

static const struct inbox_kind added_kind  = { "smpp.added", on_bind_added, drop_bind };
static const struct inbox_kind replace_kind = { "smpp.replace", on_replace, drop_replace };
static const struct inbox_kind submit_kind = { "smpp.submit", on_submit, NULL };
static const struct inbox_kind ask_kind    = { "smpp.ask", on_ask, NULL };
static const struct inbox_kind settle_kind = { "smpp.settle", on_settle, NULL };
static const struct inbox_kind recall_kind = { "smpp.recall", on_recall, NULL };
static const struct inbox_kind call_back_kind = { "smpp.call_back", on_call_back, NULL };
static const struct inbox_kind stop_kind   = { "smpp.stop", on_stop, NULL };

/* -- carrier_ops: on the control thread ----------------------------------------------------------------------------- */
/* Room for one more? If not, CARRIER_ROOM or CARRIER_UP will come. */
static bool admit(struct smsc_bind *b)
{
    if (!b->up)
        return false;
    if (atomic_fetch_add(&b->admitted, 1) < b->room)
        return true;
    b->wants_room = true;
    /* the last one may have left between the two lines, then nobody would tell */
    if (b->admitted <= b->room && atomic_exchange(&b->wants_room, false))
        return true;
    atomic_fetch_sub(&b->admitted, 1);
    return false;
}

static enum err carrier_submit(void *carrier, const struct carrier_message *m)
{
    struct smsc_bind *b = carrier;
    if (!admit(b))
        return ERR_BUSY;
    struct outgoing *msg = malloc(sizeof *msg + m->from.n + m->to.n + m->text.n + 3);
    if (!msg) {
        atomic_fetch_sub(&b->admitted, 1);
        b->wants_room = true;
        return ERR_BUSY;
    }
    char *at = msg->bytes;
    *msg = (struct outgoing){ .item.kind = &submit_kind, .bind = b, .message = m->message,
                              .wants_receipt = m->wants_receipt, .validity_s = m->validity_s };
    msg->from = str_put(&at, m->from);
    msg->to = str_put(&at, m->to);
    msg->text = str_put(&at, m->text);
    inbox_post_always(loop_inbox(b->edge->loop), &msg->item);       /* admitted above */
    return ERR_NONE;
}

static enum err carrier_ask(void *carrier, const struct carrier_ask *ask)
{
    struct smsc_bind *b = carrier;
    struct bind_ask *a = b->up ? malloc(sizeof *a + ask->remote_id.n + ask->from.n + ask->to.n + ask->text.n + 4) : NULL;
    if (!a)
        return ERR_BUSY;
    char *at = a->bytes;
    *a = (struct bind_ask){ .item.kind = &ask_kind, .bind = b, .verb = ask->verb, .message = ask->message, .segment = ask->segment };
    a->remote_id = str_put(&at, ask->remote_id);
    a->from = str_put(&at, ask->from);
    a->to = str_put(&at, ask->to);
    a->text = str_put(&at, ask->text);
    if (atomic_fetch_add(&b->asks_n, 1) >= ASKS_MOST) {
        atomic_fetch_sub(&b->asks_n, 1);
        free(a);
        return ERR_BUSY;
    }
    inbox_post_always(loop_inbox(b->edge->loop), &a->item);         /* counted above */
    return ERR_NONE;
}

static void carrier_settle(void *carrier, uint64_t token, enum err err)
{
    struct smsc_bind *b = carrier;
    struct settle_item *s = malloc(sizeof *s);
    if (!s)
        return;                     /* the SMSC gets no answer, and will send it again */
    *s = (struct settle_item){ .item.kind = &settle_kind, .bind = b, .token = token, .err = err };
    inbox_post_always(loop_inbox(b->edge->loop), &s->item);         /* a session owes a bounded number of answers */
}

static void carrier_show(void *carrier, struct jw *w)
{
    bind_out_show(carrier, w);
}

static void carrier_profile(void *carrier, struct carrier_profile *out)
{
    const struct smsc_bind *b = carrier;
    *out = (struct carrier_profile){ .smsc = str_of(b->account), .ids = b->conf.ids, .query_after_us = b->conf.query_after_s * (int64_t)US_PER_S };
}

static void carrier_call_back(void *carrier, struct str from, struct str to)
{
    struct smsc_bind *b = carrier;
    struct call_back_item *it = malloc(sizeof *it + from.n + to.n + 2);
    if (!it)
        return;                     /* it leaves, as if it had left before */
    char *at = it->octets;
    *it = (struct call_back_item){ .item.kind = &call_back_kind, .bind = b };
    it->from = str_put(&at, from);
    it->to = str_put(&at, to);
    inbox_post_always(loop_inbox(b->edge->loop), &it->item);
}

static void carrier_recall(void *carrier, struct str from, struct str to, const struct carrier_part *part, struct str body)
{
    struct smsc_bind *b = carrier;
    struct recall_item *r = malloc(sizeof *r + body.n);
    size_t n = 0;
    if (!r || body.n < 1 || hex_read(r->octets, body.n, str_from(body, 1), &n)) {
        log_error("smpp", "%s: a part that was kept cannot be read", b->name);
        free(r);
        return;
    }
    *r = (struct recall_item){ .item.kind = &recall_kind, .bind = b,
                               .part = { .concat = { part->ref, part->total, part->number }, .alphabet = (enum sms_alphabet)(body.p[0] - '0'),
                                         .octets = { r->octets, n } } };
    str_copyz(r->part.from, sizeof r->part.from, from);
    str_copyz(r->part.to, sizeof r->part.to, to);
    inbox_post_always(loop_inbox(b->edge->loop), &r->item);         /* so many as an earlier run had room for */
}

static const struct carrier_ops ops = { .submit = carrier_submit, .settle = carrier_settle, .profile = carrier_profile, .show = carrier_show,
                                        .ask = carrier_ask, .call_back = carrier_call_back, .recall = carrier_recall };
static const struct carrier_ops receiver_ops = { .settle = carrier_settle, .profile = carrier_profile, .show = carrier_show, .recall = carrier_recall };

/* -- to control ----------------------------------------------------------------------------------------------------- */
bool bind_tell(struct smsc_bind *b, struct carrier_news *news)
{
    news->carrier = b->number;
    if (messages_tell(b->edge->messages, news) == ERR_NONE)
        return true;
    metric_add(&untold, 1);
    log_error("smpp", "%s: news could not be told: out of memory", b->name);
    return false;
}

int64_t jittered(int64_t us)
{
    return us / 2 + (int64_t)(random_u64() % ((uint64_t)us + 1));
}

/* -- the edge ------------------------------------------------------------------------------------------------------- */
enum err smpp_edge_new(struct smpp_edge **out, struct messages *messages)
{
    struct smpp_edge *edge = calloc(1, sizeof *edge);
    if (!edge)
        return ERR_NOMEM;
    edge->messages = messages;
    sem_init(&edge->stopped, 0, 0);
    enum err err = loop_new(&edge->loop, "smpp", INBOX_BOUND, edge);
    if (err) {
        smpp_edge_free(edge);
        return err;
    }
    *out = edge;
    return ERR_NONE;
}

enum err smpp_edge_start(struct smpp_edge *edge)
{
    enum err err = loop_start(edge->loop);
    edge->started = !err;
    return err;
}

static const struct carrier_ops *ops_of(const struct smpp_bind_conf *conf)
{
    return conf->type == BIND_RECEIVER ? &receiver_ops : &ops;
}

enum err smpp_edge_add(struct smpp_edge *edge, const struct smpp_bind_conf *conf, struct problem *why)
{
    struct smsc_bind *b = NULL;
    enum err err = bind_new(&b, edge, conf, why);
    if (err)
        return err;
    struct bind_item *item = calloc(1, sizeof *item);
    if (item)
        b->number = messages_add_carrier(edge->messages, str_of(b->name), conf->simulated, ops_of(conf), b);
    if (!item || !b->number) {
        free(item);
        bind_free(b);
        return problem_set(why, ERR_NOMEM, "ServiceUnavailable", "out of memory");
    }
    *item = (struct bind_item){ .item.kind = &added_kind, .bind = b };
    unsigned number = b->number;        /* b is the thread's from now on */
    inbox_post_always(loop_inbox(edge->loop), &item->item);
    messages_recall(edge->messages, number);
    return ERR_NONE;
}

enum err smpp_edge_replace(struct smpp_edge *edge, const struct smpp_bind_conf *conf, struct problem *why)
{
    struct smsc_bind *b = NULL;
    enum err err = bind_new(&b, edge, conf, why);
    if (err)
        return err;
    struct replace_item *it = calloc(1, sizeof *it);
    if (!it) {
        bind_free(b);
        return problem_set(why, ERR_NOMEM, "ServiceUnavailable", "out of memory");
    }
    *it = (struct replace_item){ .item.kind = &replace_kind, .new = b };
    it->old = messages_replace_carrier(edge->messages, str_of(b->name), ops_of(conf), b, &b->number);
    inbox_post_always(loop_inbox(edge->loop), &it->item);
    return ERR_NONE;
}

enum err smpp_edge_remove(struct smpp_edge *edge, struct str name, struct problem *why)
{
    struct replace_item *it = calloc(1, sizeof *it);
    if (!it)
        return problem_set(why, ERR_NOMEM, "ServiceUnavailable", "out of memory");
    *it = (struct replace_item){ .item.kind = &replace_kind, .old = messages_remove_carrier(edge->messages, name) };
    inbox_post_always(loop_inbox(edge->loop), &it->item);
    return ERR_NONE;
}

void smpp_edge_stop(struct smpp_edge *edge)
{
    struct timespec until;
    if (!edge->started)
        return;
    edge->started = false;
    struct inbox_item *item = calloc(1, sizeof *item);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STOP_S;
    if (item) {
        item->kind = &stop_kind;
        inbox_post_always(loop_inbox(edge->loop), item);
        while (sem_clockwait(&edge->stopped, CLOCK_MONOTONIC, &until) && errno == EINTR)
            ;
    }
    loop_stop(edge->loop);
}

void smpp_edge_free(struct smpp_edge *edge)
{
    if (!edge)
        return;
    smpp_edge_stop(edge);
    while (edge->binds) {
        struct smsc_bind *b = edge->binds;
        edge->binds = b->next;
        bind_free(b);
    }
    loop_free(edge->loop);
    sem_destroy(&edge->stopped);
    free(edge);
}
