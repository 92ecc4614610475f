/* bind.c - one bind's link: connect, bind, and again when it is lost. */
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "edge/smpp/bind_priv.h"

#include <stdio.h>

enum { WINDOW_DEFAULT = 10, WINDOW_MAX = 1000, ROOM_LEAST = 256, JOIN_MAX = 10000 };
static const int64_t ANSWER_US = 30 * (int64_t)US_PER_S;
static const int64_t RECONNECT_US = 500 * US_PER_MS, RECONNECT_MAX_US = 30 * US_PER_S, JOIN_US = 60 * (int64_t)US_PER_S;
static const int64_t STEADY_US = 10 * (int64_t)US_PER_S;       /* a link that lives so long was no failure */

METRIC_COUNTER(links, "carterfone_smpp_binds_made_total", "Times an SMSC was bound")
METRIC_COUNTER(losses, "carterfone_smpp_links_lost_total", "Times a link to an SMSC ended, or could not be made")
METRIC_GAUGE(bound, "carterfone_smpp_binds", "SMSCs bound now")

static void try_again_later(struct smsc_bind *b)
{
    int64_t wait_us = jittered(b->reconnect_us);
    log_info("smpp", "%s: next attempt in %lld ms", b->name, (long long)(wait_us / US_PER_MS));
    loop_timer_start(&b->reconnect, wait_us);
    b->health.next_us = clock_wall_us() + wait_us;
    b->reconnect_us = b->reconnect_us * 2 < RECONNECT_MAX_US ? b->reconnect_us * 2 : RECONNECT_MAX_US;
}

static void on_up(void *arg)
{
    struct smsc_bind *b = arg;
    b->window = b->conf.window;
    b->stalled = b->used = false;
    b->silence_us = 0;
    b->answered = clock_mono();
    b->bound_us = b->answered.us;
    pacer_restart(&b->pacer, b->answered);
    b->health.bind_status = 0;
    b->health.why = NULL;
    b->health.since_us = clock_wall_us();
    metric_add(&links, 1);
    metric_add(&bound, 1);
    b->up = smpp_session_may_submit(b->session);        /* a receiver brings receipts and replies */
    b->told_up = true;
    bind_tell(b, &(struct carrier_news){ .kind = CARRIER_UP });
}

static void on_request(void *arg, const struct smpp_pdu *pdu)
{
    ((struct smsc_bind *)arg)->used = true;
    bind_in_request(arg, pdu);
}

static void on_answer(void *arg, uint64_t tag, enum err err, const struct smpp_pdu *answer)
{
    ((struct smsc_bind *)arg)->used |= err == ERR_NONE;
    if (tag & BIND_ASK_TAG)
        bind_ask_answer(arg, tag, err, answer);
    else
        bind_out_answer(arg, tag, err, answer);
}

/* A retired one has no link any more. Parts of messages that it holds go on to its successor: what was answered early comes no more. */
static void ended(struct smsc_bind *b)
{
    struct smsc_bind *next = b->successor;
    struct sms_joiner *none = next ? next->joiner : NULL;
    loop_timer_stop(&b->reconnect);
    loop_timer_stop(&b->pace);
    loop_timer_stop(&b->later);
    loop_timer_stop(&b->join);
    loop_timer_stop(&b->quiet);
    b->successor = NULL;
    if (next) {
        next->predecessor = NULL;
        next->joiner = b->joiner;
        b->joiner = none;
        next->early |= b->early;
        next->released = b->released;
        next->released_at = b->released_at;
        next->last_token = b->last_token;
    }
    if (b->edge->stopping) {
        edge_bind_ended(b->edge);
    } else if (next && next->retired) {         /* changed again before it could start */
        ended(next);
    } else if (next) {
        bind_start(next);
        bind_in_overdue(next);
    }
}

/* In words that live for ever: others read them. */
static const char *reason(const struct smsc_bind *b, enum err why, uint32_t status, bool was_bound)
{
    const char *os = smpp_session_os_words(b->session);
    if (status)
        return "it refused the bind";
    if (os)
        return os;
    switch (why) {
    case ERR_NONE:      return "unbound";
    case ERR_ABSENT:    return "there is no host of that name";
    case ERR_TIMEOUT:   return was_bound ? "it did not answer in time" : "no answer to the connection or the bind in time";
    case ERR_CLOSED:    return was_bound ? "it ended the link" : "it ended the link before the bind was answered";
    case ERR_UNPROVEN: case ERR_SYNTAX:
        return b->tls ? "TLS failed: the log says why" : "its answer to the bind was none";
    default:            return err_words(why);
    }
}

/* CARRIER_DOWN goes first: what is lost must not be given to this bind again before it is up. */
static void on_down(void *arg, enum err why, uint32_t status)
{
    struct smsc_bind *b = arg;
    bool was_bound = b->told_up || smpp_session_may_deliver(b->session);
    b->health.why = reason(b, why, status, b->told_up);
    smpp_session_free(b->session);
    b->session = NULL;
    b->up = false;
    metric_add(&losses, why != ERR_NONE);
    b->health.losses += why != ERR_NONE && was_bound;
    b->health.bind_status = status ? status : b->health.bind_status;
    if (was_bound)
        b->health.since_us = clock_wall_us();
    metric_add(&bound, -(int64_t)was_bound);
    if (status)
        log_warn("smpp", "%s: bind refused, %s (0x%08x)", b->name, smpp_status_name(status), status);
    if (b->told_up)
        bind_tell(b, &(struct carrier_news){ .kind = CARRIER_DOWN });
    if (b->told_up && (b->used || clock_mono().us - b->bound_us >= STEADY_US))
        b->reconnect_us = RECONNECT_US;                 /* else it is bound and lost in a circle: that becomes slower too */
    b->told_up = false;
    bind_ask_lose_all(b);
    bind_out_lose_all(b);
    bind_in_clear(b);
    if (b->retired)
        ended(b);
    else if (b->edge->stopping)
        edge_bind_ended(b->edge);
    else
        try_again_later(b);
}

static const struct smpp_session_hooks hooks = { .on_up = on_up, .on_request = on_request, .on_answer = on_answer,
                                                 .on_down = on_down };

static void on_pace(void *arg)
{
    bind_out_resume(arg);
}

static void connect_now(void *arg)
{
    static const uint32_t commands[] = { [BIND_TRANSCEIVER] = SMPP_bind_transceiver,
                                         [BIND_TRANSMITTER] = SMPP_bind_transmitter,
                                         [BIND_RECEIVER] = SMPP_bind_receiver };
    struct smsc_bind *b = arg;
    const struct smpp_session_conf conf = {
        .role = SMPP_ESME, .name = b->name, .system_id = b->system_id, .password = b->password,
        .tls = b->tls, .tls_name = b->tls_name[0] ? b->tls_name : NULL,
        .system_type = b->system_type, .bind = commands[b->conf.type], .window = b->conf.window,
        .answer_us = b->conf.answer_us,
    };
    b->health.next_us = 0;
    if (smpp_session_connect(&b->session, b->edge->loop, b->host, b->conf.port, &conf, &hooks, b))
        try_again_later(b);
}

/* The loop's own thread makes them: loop_timer_init() is not for others. */
static enum err make_timers(struct smsc_bind *b)
{
    enum err err = loop_timer_init(b->edge->loop, &b->reconnect, connect_now, b);
    if (!err)
        err = loop_timer_init(b->edge->loop, &b->pace, on_pace, b);
    if (!err)
        err = loop_timer_init(b->edge->loop, &b->later, bind_out_later, b);
    if (!err)
        err = loop_timer_init(b->edge->loop, &b->join, bind_in_overdue, b);
    return err ? err : loop_timer_init(b->edge->loop, &b->quiet, bind_in_quiet, b);
}

void bind_start(struct smsc_bind *b)
{
    b->started = true;
    if (make_timers(b)) {
        log_error("smpp", "%s: out of memory, it will never bind", b->name);
        return;
    }
    log_info("smpp", "%s: binding to %s port %u as %s", b->name, b->host, b->conf.port, b->system_id);
    connect_now(b);
}

void bind_retire(struct smsc_bind *b, struct smsc_bind *successor)
{
    b->retired = true;
    b->successor = successor;
    if (successor)
        successor->predecessor = b;
    if (!b->started)                    /* the one before it has not ended */
        return;
    bind_stop(b);
    if (!b->session)
        ended(b);
}

void bind_stop(struct smsc_bind *b)
{
    b->up = false;
    loop_timer_stop(&b->reconnect);
    bind_out_lose_waiting(b);
    if (b->session)
        smpp_session_unbind(b->session);
}

/* -- making --------------------------------------------------------------------------------------------------------- */
static enum err refuse(struct problem *why, const char *field, const char *what)
{
    enum err err = problem_set(why, ERR_RANGE, "BadRequest", "The SMSC's %s %s.", field, what);
    problem_target(why, "%s", field);
    return err;
}

static enum err check(const struct smpp_bind_conf *c, struct problem *why)
{
    if (c->name.n < 1 || c->name.n > 63)
        return refuse(why, "name", "must have 1 to 63 letters");
    if (c->host.n < 1 || c->host.n > 255)
        return refuse(why, "host", "must be a name or an address");
    if (!c->port)
        return refuse(why, "host", "needs a port");
    if (c->system_id.n < 1 || c->system_id.n > 15)
        return refuse(why, "systemId", "must have 1 to 15 octets");
    if (c->password.n > 8)
        return refuse(why, "password", "must not have more than 8 octets (SMPP 3.4, 5.2.2)");
    if (c->system_type.n > 12)
        return refuse(why, "systemType", "must not have more than 12 octets");
    if (c->window > WINDOW_MAX)
        return refuse(why, "window", "must be 1 to 1000");
    if (c->rate > 100000)
        return refuse(why, "rate", "must be 1 to 100000 segments a second");
    return ERR_NONE;
}

static void copy_conf(struct smsc_bind *b, const struct smpp_bind_conf *conf)
{
    b->conf = *conf;
    b->conf.window = conf->window ? conf->window : WINDOW_DEFAULT;
    b->conf.answer_us = conf->answer_us ? conf->answer_us : ANSWER_US;
    str_copyz(b->name, sizeof b->name, conf->name);
    str_copyz(b->host, sizeof b->host, conf->host);
    str_copyz(b->system_id, sizeof b->system_id, conf->system_id);
    str_copyz(b->password, sizeof b->password, conf->password);
    str_copyz(b->system_type, sizeof b->system_type, conf->system_type);
    str_copyz(b->tls_name, sizeof b->tls_name, conf->tls_name);
    snprintf(b->account, sizeof b->account, "%s@%s:%u", b->system_id, b->host, conf->port);
    b->conf.name = b->conf.host = b->conf.system_id = b->conf.password = b->conf.system_type = b->conf.tls_ca = b->conf.tls_name = STR("");
    b->early = conf->answer_parts_early;
    b->window = b->conf.window;
    b->room = 4 * b->conf.window > ROOM_LEAST ? 4 * b->conf.window : ROOM_LEAST;
    b->reconnect_us = RECONNECT_US;
}

static enum err prepare(struct smsc_bind *b)
{
    b->flights = calloc(b->conf.window, sizeof *b->flights);
    b->held = map_new();
    b->pairs = calloc(1, sizeof *b->pairs);
    if (!b->flights || !b->held || !b->pairs)
        return ERR_NOMEM;
    b->free_flight = -1;
    for (unsigned i = 0; i < b->conf.window; i++) {
        b->flights[i].next_free = b->free_flight;
        b->free_flight = (int)i;
    }
    pacer_init(&b->pacer, b->conf.rate, b->conf.window, clock_mono());
    b->health.window = b->conf.window;
    b->health.rate = b->conf.rate;
    b->health.since_us = clock_wall_us();
    return sms_joiner_new(&b->joiner, JOIN_US, JOIN_MAX);
}

static enum err tls_of(struct smsc_bind *b, const struct smpp_bind_conf *conf, struct problem *why)
{
    scoped_buf ca = { 0 };
    buf_put(&ca, conf->tls_ca.p, conf->tls_ca.n);
    buf_putc(&ca, '\0');
    enum err err = ca.bad ? problem_set(why, ERR_NOMEM, "ServiceUnavailable", "out of memory") : tls_context_client(&b->tls, ca.p, why);
    if (err)
        problem_target(why, "tlsCa");
    return err == ERR_SYNTAX ? ERR_RANGE : err;
}

enum err bind_new(struct smsc_bind **out, struct smpp_edge *edge, const struct smpp_bind_conf *conf, struct problem *why)
{
    enum err err = check(conf, why);
    if (err)
        return err;
    struct smsc_bind *b = calloc(1, sizeof *b);
    if (!b)
        return problem_set(why, ERR_NOMEM, "ServiceUnavailable", "out of memory");
    b->edge = edge;
    copy_conf(b, conf);
    err = conf->tls ? tls_of(b, conf, why) : ERR_NONE;
    if (err) {
        bind_free(b);
        return err;
    }
    err = prepare(b);
    if (err) {
        bind_free(b);
        return problem_set(why, err, "ServiceUnavailable", "out of memory");
    }
    *out = b;
    return ERR_NONE;
}

void bind_free(struct smsc_bind *b)
{
    if (!b)
        return;
    smpp_session_free(b->session);
    loop_timer_done(&b->reconnect);
    loop_timer_done(&b->pace);
    loop_timer_done(&b->later);
    loop_timer_done(&b->join);
    loop_timer_done(&b->quiet);
    bind_out_free(b);
    bind_ask_free(b);
    if (b->held)
        bind_in_clear(b);
    map_free(b->held);
    sms_joiner_free(b->joiner);
    tls_context_free(b->tls);
    free(b->pairs);
    free(b->flights);
    free(b);
}
