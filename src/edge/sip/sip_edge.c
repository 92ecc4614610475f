#include "edge/sip/sip_edge.h"
#include "base/id.h"
#include "base/log.h"
#include "base/map.h"
#include "base/metric.h"
#include "base/str.h"
#include "net/sip_stack.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { OFFERED_DEFAULT = 1000, RETRY_AFTER_S = 2, NUMBER_SIZE = 80, CREDENTIAL_SIZE = 72 };
enum { STATUS_FORBIDDEN = 403, STATUS_SHED = 503 };
static const struct str ANONYMOUS = { "anonymous", 9 };

METRIC_COUNTER(invites_sent, "carterfone_sip_invites_sent_total", "INVITEs given to the SIP stack.");
METRIC_COUNTER(offers_taken, "carterfone_sip_offers_total", "Incoming calls that were taken to control.");
METRIC_COUNTER(offers_shed, "carterfone_sip_offers_shed_total", "Incoming calls answered 503: too many at once.");
METRIC_COUNTER(strangers, "carterfone_sip_strangers_total", "INVITEs from an address of no trunk, answered 403.");

struct trunk {
    struct trunk      *next;
    char               name[SIP_TRUNK_NAME_SIZE], host[SDP_HOST_SIZE], user[CREDENTIAL_SIZE], password[CREDENTIAL_SIZE];
    uint16_t           port;
    enum sip_transport transport;
    bool               simulated;
};

struct sip_edge {
    struct calls        *calls;
    struct ids          *ids;
    struct sip_edge_conf conf;
    struct sip_stack    *stack;
    /* of the sip thread alone: */
    struct trunk        *trunks;        /* oldest first */
    struct map          *offered;       /* legs of incoming calls that are not answered; the value says nothing */
};

static struct media_address address_of(const struct sdp_audio *a)
{
    struct media_address to = { .port = a->port, .payload = a->payload, .dtmf_payload = a->dtmf_payload };
    str_copyz(to.host, sizeof to.host, str_of(a->host));
    return to;
}

static struct sdp_audio audio_of(const struct media_address *m)
{
    struct sdp_audio to = { .port = m->port, .payload = m->payload, .dtmf_payload = m->dtmf_payload };
    str_copyz(to.host, sizeof to.host, str_of(m->host));
    return to;
}

static void tell(struct sip_edge *e, const struct signalling_news *news)
{
    enum err err = e->conf.tell(e->calls, news);
    if (err)
        log_error("sip", "leg=%llx: control could not be told: %s", (unsigned long long)news->leg.v, err_words(err));
}

/* -- trunks, on the sip thread ------------------------------------------------------------------------------------- */

static struct trunk **trunk_at(struct sip_edge *e, struct str name)
{
    struct trunk **at = &e->trunks;
    while (*at && !str_eqz(name, (*at)->name))
        at = &(*at)->next;
    return at;
}

/* Who sends from here? The port tells trunks of one host apart. A stranger's port there (TCP, or a proxy's own) is a real
 * trunk's before a simulated one's: the simulator sends from the port that it listens on. */
static const struct trunk *trunk_from(const struct sip_edge *e, const char *host, uint16_t port)
{
    const struct trunk *real = NULL, *simulated = NULL;
    for (const struct trunk *t = e->trunks; t; t = t->next) {
        if (strcmp(t->host, host))
            continue;
        if (t->port == port)
            return t;
        const struct trunk **first = t->simulated ? &simulated : &real;
        if (!*first)
            *first = t;
    }
    return real ? real : simulated;
}

static void trunk_put(void *user, void *arg)
{
    struct sip_edge *e = user;
    struct trunk *t = arg;
    if (!e) {
        free(t);
        return;
    }
    struct trunk **at = trunk_at(e, str_of(t->name)), *old = *at;
    t->next = old ? old->next : NULL;
    *at = t;
    free(old);
    log_info("sip", "trunk %s: %s port %u over %s%s", t->name, t->host, t->port, t->transport == SIP_TCP ? "TCP" : "UDP",
             t->simulated ? ", simulated" : "");
}

static void trunk_drop(void *user, void *arg)
{
    struct sip_edge *e = user;
    char *name = arg;
    struct trunk **at = e ? trunk_at(e, str_of(name)) : NULL;
    if (at && *at) {
        struct trunk *t = *at;
        *at = t->next;
        free(t);
    }
    free(name);
}

static enum err trunk_check(const struct sip_trunk_conf *conf, struct trunk *t, struct problem *why)
{
    struct in6_addr any;
    struct str host = str_eqz(conf->host, "localhost") ? STR("127.0.0.1") : conf->host;
    if (!conf->name.n || conf->name.n >= sizeof t->name)
        return problem_set(why, ERR_RANGE, "BadRequest", "A trunk's name has 1 to %zu characters.", sizeof t->name - 1);
    str_copyz(t->name, sizeof t->name, conf->name);
    str_copyz(t->host, sizeof t->host, host);
    if (host.n >= sizeof t->host || (inet_pton(AF_INET, t->host, &any) != 1 && inet_pton(AF_INET6, t->host, &any) != 1))
        return problem_set(why, ERR_RANGE, "BadRequest", "The host of a trunk must be a numeric address: '" STR_FMT "'.",
                           STR_ARG(conf->host));
    if (!conf->port)
        return problem_set(why, ERR_RANGE, "BadRequest", "A trunk needs a port, 1 to 65535.");
    if (str_eqz(conf->transport, "tls"))
        return problem_set(why, ERR_UNBUILT, "NotImplemented", "SIP over TLS is not built yet: use udp or tcp.");
    if (conf->transport.n && !str_eqz(conf->transport, "udp") && !str_eqz(conf->transport, "tcp"))
        return problem_set(why, ERR_RANGE, "BadRequest", "The transport of a trunk is udp or tcp.");
    if (conf->user.n >= sizeof t->user || conf->password.n >= sizeof t->password || str_find(conf->user, '"') >= 0)
        return problem_set(why, ERR_RANGE, "BadRequest", "A trunk's user and password have up to %zu characters, no quotes.",
                           sizeof t->user - 1);
    str_copyz(t->user, sizeof t->user, conf->user);
    str_copyz(t->password, sizeof t->password, conf->password);
    t->port = conf->port;
    t->transport = str_eqz(conf->transport, "tcp") ? SIP_TCP : SIP_UDP;
    t->simulated = conf->simulated;
    return ERR_NONE;
}

enum err sip_edge_trunk_add(struct sip_edge *e, const struct sip_trunk_conf *conf, struct problem *why)
{
    struct trunk *t = calloc(1, sizeof *t);
    enum err err = t ? trunk_check(conf, t, why) : ERR_NOMEM;
    if (!err)
        err = sip_stack_run(e->stack, trunk_put, t);
    if (err)
        free(t);
    return err;
}

enum err sip_edge_trunk_remove(struct sip_edge *e, struct str name)
{
    char *copy = strndup(name.p, name.n);
    enum err err = copy ? sip_stack_run(e->stack, trunk_drop, copy) : ERR_NOMEM;
    if (err)
        free(copy);
    return err;
}

/* -- calls to us --------------------------------------------------------------------------------------------------- */

/* Trunks write numbers as their country does: "12065550100" and "2065550100" are both +1 206 555 0100. */
static struct str e164_of(char dst[NUMBER_SIZE], struct str user)
{
    size_t digits = 0;
    while (digits < user.n && user.p[digits] >= '0' && user.p[digits] <= '9')
        digits++;
    bool all = digits == user.n;
    const char *prefix = all && user.n == 11 && user.p[0] == '1' ? "+" : all && user.n == 10 && user.p[0] >= '2' ? "+1" : "";
    snprintf(dst, NUMBER_SIZE, "%s" STR_FMT, prefix, STR_ARG(user));
    return str_of(dst);
}

static struct sip_verdict shed(void)
{
    metric_add(&offers_shed, 1);
    return (struct sip_verdict){ .status = STATUS_SHED, .retry_after_s = RETRY_AFTER_S };
}

static struct sip_verdict on_incoming(void *user, const struct sip_incoming *in)
{
    struct sip_edge *e = user;
    const struct trunk *t = trunk_from(e, in->source_host, in->source_port);
    if (!t) {
        metric_add(&strangers, 1);
        log_debug("sip", "INVITE from %s, which is no trunk's address", in->source_host);
        return (struct sip_verdict){ .status = STATUS_FORBIDDEN };
    }
    if (map_count(e->offered) >= e->conf.offered_bound)
        return shed();
    char to[NUMBER_SIZE], from[NUMBER_SIZE];
    uint64_t leg = ids_next(e->ids);
    struct signalling_news news = { .kind = LEG_OFFERED, .leg = { leg }, .trunk = str_of(t->name),
                                    .simulated = t->simulated, .to = e164_of(to, in->to), .remote = address_of(&in->remote) };
    news.from = in->anonymous ? ANONYMOUS : e164_of(from, in->asserted.n ? in->asserted : in->from);
    news.context = in->context;
    news.display = in->anonymous ? (struct str){ "", 0 } : in->display;
    if (map_put(e->offered, leg, e))
        return shed();
    if (e->conf.tell(e->calls, &news)) {
        map_take(e->offered, leg);
        return shed();
    }
    metric_add(&offers_taken, 1);
    return (struct sip_verdict){ .call = leg };
}

/* -- what the stack tells of calls --------------------------------------------------------------------------------- */

static void on_progress(void *user, uint64_t call, int status, const struct sdp_audio *early)
{
    struct signalling_news news = { .kind = LEG_RINGING, .leg = { call }, .status = status };
    if (early)
        news.remote = address_of(early);
    tell(user, &news);
}

static void on_answered(void *user, uint64_t call, const struct sdp_audio *remote)
{
    struct sip_edge *e = user;
    map_take(e->offered, call);
    tell(e, &(struct signalling_news){ .kind = LEG_ANSWERED, .leg = { call }, .status = 200,
                                       .remote = address_of(remote) });
}

static void on_ended(void *user, uint64_t call, const struct sip_end *end)
{
    struct sip_edge *e = user;
    struct signalling_news news = { .kind = LEG_ENDED, .leg = { call }, .status = end->status, .q850 = end->q850,
                                    .by_peer = end->by_peer };
    map_take(e->offered, call);
    str_copyz(news.words, sizeof news.words, str_of(end->words));
    tell(e, &news);
}

/* -- what control asks: everything is posted, and done on the sip thread ------------------------------------------- */

struct invite_order {
    uint64_t             leg;
    char                 trunk[SIP_TRUNK_NAME_SIZE], from[NUMBER_SIZE], to[NUMBER_SIZE], display[NUMBER_SIZE];
    struct media_address local;
    int64_t              ring_us;
};

static void fail_invite(struct sip_edge *e, const struct invite_order *o, const char *words)
{
    struct signalling_news news = { .kind = LEG_ENDED, .leg = { o->leg }, .status = STATUS_SHED };
    str_copyz(news.words, sizeof news.words, str_of(words));
    log_warn("sip", "leg=%llx over trunk %s: %s", (unsigned long long)o->leg, o->trunk, words);
    tell(e, &news);
}

static void invite_send(struct sip_edge *e, const struct invite_order *o)
{
    const struct trunk *t = *trunk_at(e, str_of(o->trunk));
    if (!t) {
        fail_invite(e, o, "no such trunk");
        return;
    }
    struct sip_invite plan = { .call = o->leg, .peer = { t->host, t->port, t->transport }, .to = str_of(o->to),
                               .from = str_of(o->from), .display = str_of(o->display), .local = audio_of(&o->local),
                               .user = str_of(t->user), .password = str_of(t->password), .ring_us = o->ring_us };
    enum err err = sip_stack_invite_here(e->stack, &plan);
    if (err)
        fail_invite(e, o, err_words(err));
    else
        metric_add(&invites_sent, 1);
}

static void on_invite_order(void *user, void *arg)
{
    if (user)
        invite_send(user, arg);
    free(arg);
}

static enum err op_invite(void *edge, const struct signalling_invite *plan)
{
    struct sip_edge *e = edge;
    struct invite_order *o = malloc(sizeof *o);
    if (!o)
        return ERR_NOMEM;
    *o = (struct invite_order){ .leg = plan->leg.v, .local = plan->local, .ring_us = plan->ring_us };
    str_copyz(o->trunk, sizeof o->trunk, plan->trunk);
    str_copyz(o->from, sizeof o->from, plan->from);
    str_copyz(o->to, sizeof o->to, plan->to);
    str_copyz(o->display, sizeof o->display, plan->display);
    enum err err = sip_stack_run(e->stack, on_invite_order, o);
    if (err)
        free(o);
    return err;
}

static enum err op_ring(void *edge, struct leg_id leg)
{
    return sip_stack_ring(((struct sip_edge *)edge)->stack, leg.v, NULL);
}

static enum err op_answer(void *edge, struct leg_id leg, const struct media_address *local)
{
    struct sdp_audio audio = audio_of(local);
    return sip_stack_answer(((struct sip_edge *)edge)->stack, leg.v, &audio);
}

static enum err op_reject(void *edge, struct leg_id leg, int status, int q850)
{
    return sip_stack_reject(((struct sip_edge *)edge)->stack, leg.v, status, q850);
}

static enum err op_hangup(void *edge, struct leg_id leg, int q850)
{
    return sip_stack_hangup(((struct sip_edge *)edge)->stack, leg.v, q850);
}

const struct signalling_ops *sip_edge_ops(void)
{
    static const struct signalling_ops ops = { op_invite, op_ring, op_answer, op_reject, op_hangup };
    return &ops;
}

/* -- life ---------------------------------------------------------------------------------------------------------- */

enum err sip_edge_new(struct sip_edge **out, struct calls *calls, struct ids *ids, const struct sip_edge_conf *conf,
                      struct problem *why)
{
    assert(conf->tell);
    struct sip_edge *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    *e = (struct sip_edge){ .calls = calls, .ids = ids, .conf = *conf, .offered = map_new() };
    if (!e->conf.offered_bound)
        e->conf.offered_bound = OFFERED_DEFAULT;
    struct sip_stack_conf stack = { .name = "sip", .host = conf->host, .port = conf->port, .advertise = conf->advertise,
                                    .user_agent = "Carterfone", .t1_ms = conf->t1_ms, .user = e,
                                    .events = { .on_incoming = on_incoming, .on_progress = on_progress,
                                                .on_answered = on_answered, .on_ended = on_ended } };
    enum err err = e->offered ? sip_stack_new(&e->stack, &stack, why) : ERR_NOMEM;
    if (err) {
        sip_edge_free(e);
        return err;
    }
    *out = e;
    return ERR_NONE;
}

enum err sip_edge_start(struct sip_edge *e)
{
    return sip_stack_start(e->stack);
}

void sip_edge_stop(struct sip_edge *e, int grace_ms)
{
    sip_stack_stop(e->stack, grace_ms);
}

void sip_edge_free(struct sip_edge *e)
{
    if (!e)
        return;
    sip_stack_free(e->stack);
    for (struct trunk *t = e->trunks, *next; t; t = next) {
        next = t->next;
        free(t);
    }
    map_free(e->offered);
    free(e);
}

uint16_t sip_edge_port(const struct sip_edge *e)
{
    return sip_stack_port(e->stack);
}
