#include "net/smpp_session.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/metric.h"
#include "base/str.h"
#include "net/tcp.h"

#include <stdio.h>

enum { WINDOW_MAX = 1000, OWED_MAX = 1000, PDU_WRITTEN_MAX = 8192, SEQUENCE_MAX = 0x7fffffff, ALERT_NOTIFICATION = 0x102 };
static const int64_t DRAIN_US = 5 * US_PER_S;

METRIC_COUNTER(pdus_read, "carterfone_smpp_pdus_read_total", "SMPP PDUs received")
METRIC_COUNTER(pdus_written, "carterfone_smpp_pdus_written_total", "SMPP PDUs sent")
METRIC_COUNTER(malformed, "carterfone_smpp_malformed_total", "SMPP PDUs that could not be read")
METRIC_COUNTER(unknown, "carterfone_smpp_unknown_commands_total", "SMPP PDUs of a command we do not serve")
METRIC_COUNTER(strays, "carterfone_smpp_stray_answers_total", "SMPP answers to nothing we asked, or too late")
METRIC_COUNTER(timeouts, "carterfone_smpp_answer_timeouts_total", "SMPP requests that were not answered in time")
METRIC_COUNTER(alerts, "carterfone_smpp_alerts_total", "alert_notification received: a phone is there again; nothing follows from it")
METRIC_COUNTER(refused_events, "carterfone_smpp_refused_events_total", "Events an SMPP session had no use for")

/* A request of ours that waits for its answer. */
struct pending {
    struct pending *older, *newer;
    uint64_t        tag;
    int64_t         deadline_us;
    uint32_t        sequence, command;
};

struct smpp_session {
    struct smpp_session_conf  conf;
    char                      name[64], system_id[16], password[9], system_type[13];
    const struct smpp_session_hooks *hooks;
    void                     *arg;
    struct loop              *loop;
    struct tcp_conn          *tcp;
    int                       state;            /* enum state */
    struct loop_timer         timer, answers;   /* of the state; of the oldest pending request */
    bool                      answers_runs;
    uint32_t                  bind;             /* as what: a bind command; 0: not yet */
    uint32_t                  sequence;         /* last one used */
    uint32_t                  unbind_sequence;  /* of the peer's unbind */
    uint32_t                  asked_bind, asked_sequence;   /* of the peer that waits for our owner, 0: none; as SMPP_ESME of our own bind */
    unsigned                  owed;             /* requests of the peer's that wait for us */
    struct map               *by_sequence;      /* -> struct pending */
    struct pending           *pool, *spare, *oldest, *newest;
    unsigned                  under_way;
    enum err                  why;              /* of the end */
    uint32_t                  why_status;
    bool                      told, paused;
    const char               *os_words;     /* static; NULL: the system said nothing */
};

/* -- the machine ----------------------------------------------------------------------------------------------------
 * state, what its timer is for */
#define STATES(S)                                                                                          \
    S(CONNECTING, bind_us)  S(BINDING, bind_us)     S(WAITING, bind_us)     S(BOUND, enquire_us)           \
    S(PROBING, answer_us)   S(DRAINING, drain_us)   S(UNBINDING, drain_us)  S(LEAVING, drain_us)    \
    S(ENDED, at_once_us)
/* LEAVING: the peer unbinds, and what it asked before is answered first.
 * connected; a bind was accepted, or refused; something came; our owner wants to end, or to end now; nothing that is waited
 * for is under way; unbind or its answer came; the state's timer; the link is gone or cannot be followed */
#define EVENTS(E)                                                                                          \
    E(OPENED)  E(WELCOME)  E(DENIED)  E(ALIVE)  E(STOP)  E(DROP)  E(IDLE)  E(BYE)  E(BYE_RESP)  E(TIMER)  E(GONE)
#define RULES(R)                /* in state, on event, do, then be */                                      \
    R(CONNECTING, OPENED, ask_bind, BINDING)    R(CONNECTING, WELCOME, refuse, CONNECTING)                 \
    R(CONNECTING, DENIED, refuse, CONNECTING)   R(CONNECTING, ALIVE, refuse, CONNECTING)                   \
    R(CONNECTING, STOP, stay, ENDED)            R(CONNECTING, DROP, lose, ENDED)                           \
    R(CONNECTING, IDLE, refuse, CONNECTING)     R(CONNECTING, BYE, refuse, CONNECTING)                     \
    R(CONNECTING, BYE_RESP, refuse, CONNECTING) R(CONNECTING, TIMER, time_out, ENDED)                      \
    R(CONNECTING, GONE, stay, ENDED)                                                                       \
    R(BINDING, OPENED, refuse, BINDING)         R(BINDING, WELCOME, tell_up, BOUND)                        \
    R(BINDING, DENIED, stay, ENDED)             R(BINDING, ALIVE, stay, BINDING)                           \
    R(BINDING, STOP, stay, ENDED)               R(BINDING, DROP, lose, ENDED)                              \
    R(BINDING, IDLE, refuse, BINDING)           R(BINDING, BYE, answer_bye, ENDED)                         \
    R(BINDING, BYE_RESP, refuse, BINDING)       R(BINDING, TIMER, time_out, ENDED)                         \
    R(BINDING, GONE, stay, ENDED)                                                                          \
    R(WAITING, OPENED, refuse, WAITING)         R(WAITING, WELCOME, tell_up, BOUND)                        \
    R(WAITING, DENIED, stay, WAITING)           R(WAITING, ALIVE, stay, WAITING)                           \
    R(WAITING, STOP, stay, ENDED)               R(WAITING, DROP, lose, ENDED)                              \
    R(WAITING, IDLE, refuse, WAITING)           R(WAITING, BYE, answer_bye, ENDED)                         \
    R(WAITING, BYE_RESP, refuse, WAITING)       R(WAITING, TIMER, time_out, ENDED)                         \
    R(WAITING, GONE, stay, ENDED)                                                                          \
    R(BOUND, OPENED, refuse, BOUND)             R(BOUND, WELCOME, refuse, BOUND)                           \
    R(BOUND, DENIED, refuse, BOUND)             R(BOUND, ALIVE, stay, BOUND)                               \
    R(BOUND, STOP, stay, DRAINING)              R(BOUND, DROP, lose, ENDED)                                \
    R(BOUND, IDLE, stay, BOUND)                 R(BOUND, BYE, let_go, LEAVING)                           \
    R(BOUND, BYE_RESP, refuse, BOUND)           R(BOUND, TIMER, probe, PROBING)                            \
    R(BOUND, GONE, stay, ENDED)                                                                            \
    R(PROBING, OPENED, refuse, PROBING)         R(PROBING, WELCOME, refuse, PROBING)                       \
    R(PROBING, DENIED, refuse, PROBING)         R(PROBING, ALIVE, stay, BOUND)                             \
    R(PROBING, STOP, stay, DRAINING)            R(PROBING, DROP, lose, ENDED)                              \
    R(PROBING, IDLE, stay, PROBING)             R(PROBING, BYE, let_go, LEAVING)                         \
    R(PROBING, BYE_RESP, refuse, PROBING)       R(PROBING, TIMER, time_out, ENDED)                         \
    R(PROBING, GONE, stay, ENDED)                                                                          \
    R(DRAINING, OPENED, refuse, DRAINING)       R(DRAINING, WELCOME, refuse, DRAINING)                     \
    R(DRAINING, DENIED, refuse, DRAINING)       R(DRAINING, ALIVE, stay, DRAINING)                         \
    R(DRAINING, STOP, stay, DRAINING)           R(DRAINING, DROP, lose, ENDED)                             \
    R(DRAINING, IDLE, ask_unbind, UNBINDING)    R(DRAINING, BYE, let_go, LEAVING)                        \
    R(DRAINING, BYE_RESP, refuse, DRAINING)     R(DRAINING, TIMER, ask_unbind, UNBINDING)                  \
    R(DRAINING, GONE, stay, ENDED)                                                                         \
    R(UNBINDING, OPENED, refuse, UNBINDING)     R(UNBINDING, WELCOME, refuse, UNBINDING)                   \
    R(UNBINDING, DENIED, refuse, UNBINDING)     R(UNBINDING, ALIVE, stay, UNBINDING)                       \
    R(UNBINDING, STOP, stay, UNBINDING)         R(UNBINDING, DROP, stay, ENDED)                            \
    R(UNBINDING, IDLE, stay, UNBINDING)         R(UNBINDING, BYE, answer_bye, ENDED)                       \
    R(UNBINDING, BYE_RESP, part, ENDED)         R(UNBINDING, TIMER, time_out, ENDED)                       \
    R(UNBINDING, GONE, part, ENDED)                                                                        \
    R(LEAVING, OPENED, refuse, LEAVING)         R(LEAVING, WELCOME, refuse, LEAVING)                       \
    R(LEAVING, DENIED, refuse, LEAVING)         R(LEAVING, ALIVE, stay, LEAVING)                           \
    R(LEAVING, STOP, stay, LEAVING)             R(LEAVING, DROP, lose, ENDED)                              \
    R(LEAVING, IDLE, answer_bye, ENDED)         R(LEAVING, BYE, stay, LEAVING)                             \
    R(LEAVING, BYE_RESP, refuse, LEAVING)       R(LEAVING, TIMER, answer_bye, ENDED)                       \
    R(LEAVING, GONE, stay, ENDED)                                                                          \
    R(ENDED, OPENED, stay, ENDED)   R(ENDED, WELCOME, stay, ENDED)      R(ENDED, DENIED, stay, ENDED)      \
    R(ENDED, ALIVE, stay, ENDED)    R(ENDED, STOP, stay, ENDED)         R(ENDED, DROP, stay, ENDED)        \
    R(ENDED, IDLE, stay, ENDED)     R(ENDED, BYE, stay, ENDED)          R(ENDED, BYE_RESP, stay, ENDED)    \
    R(ENDED, TIMER, tell_end, ENDED)    R(ENDED, GONE, stay, ENDED)

#define S_ENUM(name, timer) ST_##name,
#define S_NAME(name, timer) [ST_##name] = #name,
#define S_TIMER(name, timer) [ST_##name] = timer,
#define E_ENUM(name) EV_##name,
#define E_NAME(name) [EV_##name] = #name,
enum state { STATES(S_ENUM) N_STATES };
enum event { EVENTS(E_ENUM) N_EVENTS };
static const char *const state_name[] = { STATES(S_NAME) };
static const char *const event_name[] = { EVENTS(E_NAME) };

typedef void act_fn(struct smpp_session *s);
static act_fn stay, refuse, ask_bind, tell_up, probe, ask_unbind, let_go, answer_bye, part, lose, time_out, tell_end;
#define R_CELL(in, on, act, to) [ST_##in][EV_##on] = { act, ST_##to },
#define R_ONE(in, on, act, to)  + 1
static const struct { act_fn *act; enum state to; } rules[N_STATES][N_EVENTS] = { RULES(R_CELL) };
static_assert(0 RULES(R_ONE) == (int)N_STATES * (int)N_EVENTS, "a state does not answer every event");

static int64_t wait_us(const struct smpp_session *s, enum state state)
{
    const int64_t bind_us = s->conf.bind_us, enquire_us = s->conf.enquire_us, answer_us = s->conf.answer_us;
    const int64_t drain_us = DRAIN_US, at_once_us = 0;
    const int64_t waits[] = { STATES(S_TIMER) };
    return waits[state];
}

static void feed(struct smpp_session *s, enum event ev)     /* the only place the state changes */
{
    act_fn    *act = rules[s->state][ev].act;
    enum state was = (enum state)s->state, to = rules[was][ev].to;
    if (to != was)
        log_debug("smpp", "%s: %s -> %s on %s", s->name, state_name[was], state_name[to], event_name[ev]);
    s->state = (int)to;
    if (to != was || to == ST_BOUND)        /* staying does not lengthen a deadline; traffic does put off a probe */
        loop_timer_start(&s->timer, wait_us(s, to));
    act(s);                                 /* last: on the end, the owner may free s */
}

/* -- sending -------------------------------------------------------------------------------------------------------- */
static enum err put(struct smpp_session *s, const struct smpp_pdu *pdu)
{
    uint8_t octets[PDU_WRITTEN_MAX];
    struct wr w = wr_of(octets, sizeof octets);
    enum err err = smpp_write(&w, pdu);
    if (err || s->state == ST_ENDED)
        return err ? err : ERR_CLOSED;
    tcp_send(s->tcp, octets, wr_len(&w));
    metric_add(&pdus_written, 1);
    return ERR_NONE;
}

static void put_head(struct smpp_session *s, uint32_t command, uint32_t status, uint32_t sequence)
{
    (void)!put(s, &(struct smpp_pdu){ .command = command, .status = status, .sequence = sequence });
}

static uint32_t next_sequence(struct smpp_session *s)
{
    s->sequence = s->sequence >= SEQUENCE_MAX ? 1 : s->sequence + 1;
    return s->sequence;
}

/* -- requests of ours under way: in a list by age, and by sequence_number ------------------------------------------- */
static void pending_remove(struct smpp_session *s, struct pending *p)
{
    map_take(s->by_sequence, p->sequence);
    *(p->older ? &p->older->newer : &s->oldest) = p->newer;
    *(p->newer ? &p->newer->older : &s->newest) = p->older;
    p->newer = s->spare;
    s->spare = p;
    s->under_way--;
}

static enum err pending_add(struct smpp_session *s, uint32_t command, uint32_t sequence, uint64_t tag)
{
    struct pending *p = s->spare;
    enum err err = map_put(s->by_sequence, sequence, p);
    if (err)
        return err;
    s->spare = p->newer;
    *p = (struct pending){ .older = s->newest, .tag = tag, .sequence = sequence, .command = command,
                           .deadline_us = clock_mono().us + s->conf.answer_us };
    *(s->newest ? &s->newest->newer : &s->oldest) = p;
    s->newest = p;
    s->under_way++;
    if (!s->answers_runs) {
        s->answers_runs = true;
        loop_timer_start(&s->answers, s->conf.answer_us);
    }
    return ERR_NONE;
}

static void pending_tell(struct smpp_session *s, struct pending *p, enum err err, const struct smpp_pdu *answer)
{
    uint64_t tag = p->tag;
    pending_remove(s, p);
    s->hooks->on_answer(s->arg, tag, err, answer);
}

/* Unbinding waits for both sides: our requests and what we still owe the peer; when the peer unbinds, for the latter. */
static void drained(struct smpp_session *s)
{
    if (!s->owed && (s->state == ST_LEAVING || (s->state == ST_DRAINING && !s->under_way)))
        feed(s, EV_IDLE);
}

static void on_answers_timer(void *arg)
{
    struct smpp_session *s = arg;
    int64_t now = clock_mono().us;
    while (s->oldest && s->oldest->deadline_us <= now) {
        metric_add(&timeouts, 1);
        pending_tell(s, s->oldest, ERR_TIMEOUT, NULL);
    }
    s->answers_runs = s->oldest != NULL;
    if (s->answers_runs)
        loop_timer_start(&s->answers, s->oldest->deadline_us - now);
    drained(s);
}

/* -- actions -------------------------------------------------------------------------------------------------------- */
static void stay(struct smpp_session *s)
{
    (void)s;
}

static void refuse(struct smpp_session *s)
{
    metric_add(&refused_events, 1);
    log_debug("smpp", "%s: an event that %s has no use for", s->name, state_name[s->state]);
}

static void ask_bind(struct smpp_session *s)
{
    s->asked_sequence = next_sequence(s);
    struct smpp_pdu pdu = {
        .command = s->conf.bind, .sequence = s->asked_sequence,
        .bind = { .system_id = str_of(s->system_id), .password = str_of(s->password),
                  .system_type = str_of(s->system_type), .interface_version = SMPP_VERSION_34, .address_range = STR("") },
    };
    (void)!put(s, &pdu);            /* the sizes were checked when the session was made */
}

static void tell_up(struct smpp_session *s)
{
    log_info("smpp", "%s: bound", s->name);
    if (s->hooks->on_up)
        s->hooks->on_up(s->arg);
}

static void probe(struct smpp_session *s)
{
    put_head(s, SMPP_enquire_link, 0, next_sequence(s));
}

static void ask_unbind(struct smpp_session *s)
{
    put_head(s, SMPP_unbind, 0, next_sequence(s));
}

static void let_go(struct smpp_session *s)
{
    drained(s);
}

/* Said past put(), which is silent once the state is ENDED: this is the last word. */
static void answer_bye(struct smpp_session *s)
{
    uint8_t octets[SMPP_HEAD_OCTETS];
    struct wr w = wr_of(octets, sizeof octets);
    s->why = ERR_CLOSED;
    if (smpp_write(&w, &(struct smpp_pdu){ .command = SMPP_unbind_resp, .sequence = s->unbind_sequence }) == ERR_NONE) {
        tcp_send(s->tcp, octets, sizeof octets);
        tcp_flush(s->tcp);
    }
}

static void part(struct smpp_session *s)
{
    s->why = ERR_NONE;
}

static void lose(struct smpp_session *s)
{
    s->why = ERR_CLOSED;
}

static void time_out(struct smpp_session *s)
{
    s->why = ERR_TIMEOUT;
}

static void tell_end(struct smpp_session *s)
{
    if (s->told)
        return;
    s->told = true;
    s->os_words = s->why == ERR_IO ? tcp_os_words(s->tcp) : NULL;
    tcp_flush(s->tcp);
    tcp_free(s->tcp);
    s->tcp = NULL;
    while (s->oldest)
        pending_tell(s, s->oldest, ERR_CLOSED, NULL);
    log_info("smpp", "%s: ended, %s%s%s", s->name, s->os_words ? s->os_words : err_words(s->why), s->why_status ? ", " : "",
             s->why_status ? smpp_status_name(s->why_status) : "");
    s->hooks->on_down(s->arg, s->why, s->why_status);
}

static void on_timer(void *arg)
{
    feed(arg, EV_TIMER);
}

/* -- what the peer says --------------------------------------------------------------------------------------------- */
static bool is_bound(const struct smpp_session *s)
{
    return s->state == ST_BOUND || s->state == ST_PROBING || s->state == ST_DRAINING;
}

static void answer_bind(struct smpp_session *s, uint32_t command, uint32_t sequence, uint32_t status)
{
    struct smpp_pdu resp = { .command = smpp_resp_to(command), .sequence = sequence, .status = status,
                             .bind_resp = { .system_id = str_of(s->system_id) } };
    resp.tlvs.has_sc_interface_version = true;
    resp.tlvs.sc_interface_version = SMPP_VERSION_34;
    (void)!put(s, &resp);
}

static void on_bind_request(struct smpp_session *s, const struct smpp_pdu *pdu)
{
    uint32_t status = ESME_ROK;
    bool ours = s->conf.role == SMPP_SMSC && s->state == ST_WAITING && !s->asked_bind;
    if (s->conf.role != SMPP_SMSC)
        status = ESME_RINVCMDID;
    else if (!ours)
        status = ESME_RALYBND;
    else if (s->hooks->on_bind)
        status = s->hooks->on_bind(s->arg, pdu);
    if (status == SMPP_BIND_LATER) {
        s->asked_bind = pdu->command;
        s->asked_sequence = pdu->sequence;
        return;
    }
    answer_bind(s, pdu->command, pdu->sequence, status);
    if (!ours)
        return;
    s->bind = status ? 0 : pdu->command;
    feed(s, status ? EV_DENIED : EV_WELCOME);
}

void smpp_session_welcome(struct smpp_session *s, uint32_t status)
{
    uint32_t command = s->asked_bind;
    s->asked_bind = 0;
    if (!command || s->state != ST_WAITING)
        return;
    answer_bind(s, command, s->asked_sequence, status);
    s->bind = status ? 0 : command;
    feed(s, status ? EV_DENIED : EV_WELCOME);
}

static void on_bind_answer(struct smpp_session *s, const struct smpp_pdu *pdu)
{
    bool ours = pdu->command == SMPP_generic_nack || (pdu->command == smpp_resp_to(s->conf.bind) && pdu->sequence == s->asked_sequence);
    if (s->state != ST_BINDING || !ours) {
        metric_add(&strays, 1);
        return;
    }
    if (pdu->status || pdu->command == SMPP_generic_nack) {
        s->why = ERR_UNPROVEN;
        s->why_status = pdu->status ? pdu->status : ESME_RUNKNOWNERR;   /* a nack is no welcome, whatever it says */
        feed(s, EV_DENIED);
        return;
    }
    s->bind = s->conf.bind;
    feed(s, EV_WELCOME);
}

/* May the peer ask this, here and now? */
static uint32_t request_status(const struct smpp_session *s, uint32_t command)
{
    /* data_sm goes both ways (4.7) */
    bool submit = command != SMPP_deliver_sm && !(command == SMPP_data_sm && s->conf.role == SMPP_ESME);
    if (submit != (s->conf.role == SMPP_SMSC))
        return ESME_RINVCMDID;
    if (!submit && (s->state == ST_UNBINDING || s->state == ST_LEAVING))
        return ESME_RX_T_APPN;          /* the link is being unbound: it is to come again */
    if (!is_bound(s) || !(submit ? smpp_session_may_submit(s) : smpp_session_may_deliver(s)))
        return ESME_RINVBNDSTS;
    if (s->owed >= s->conf.owed)
        return submit ? ESME_RTHROTTLED : ESME_RX_T_APPN;
    return ESME_ROK;
}

static void on_sm(struct smpp_session *s, const struct smpp_pdu *pdu)
{
    uint32_t status = request_status(s, pdu->command);
    s->owed++;
    if (status)
        smpp_session_answer(s, pdu->command, pdu->sequence, status, STR(""));
    else
        s->hooks->on_request(s->arg, pdu);
}

static void on_answer(struct smpp_session *s, const struct smpp_pdu *pdu, enum err err)
{
    struct pending *p = map_find(s->by_sequence, pdu->sequence);
    bool ours = p && (pdu->command == SMPP_generic_nack || pdu->command == smpp_resp_to(p->command));
    if (!ours && pdu->command == SMPP_generic_nack && s->state == ST_BINDING)
        on_bind_answer(s, pdu);
    else if (!ours && pdu->command == SMPP_generic_nack && s->state == ST_UNBINDING)
        feed(s, EV_BYE_RESP);           /* a peer that knows no unbind: it has heard that we go */
    else if (!ours)
        metric_add(&strays, 1);
    else
        pending_tell(s, p, err, err ? NULL : pdu);
}

static void nack(struct smpp_session *s, const struct smpp_pdu *pdu, uint32_t status)
{
    if (!smpp_is_resp(pdu->command))        /* an answer is never answered */
        put_head(s, SMPP_generic_nack, status, pdu->sequence);
}

static void on_pdu(struct smpp_session *s, const struct smpp_pdu *pdu)
{
    switch (pdu->command) {
    case SMPP_bind_receiver: case SMPP_bind_transmitter: case SMPP_bind_transceiver:
        on_bind_request(s, pdu);
        return;
    case SMPP_bind_receiver_resp: case SMPP_bind_transmitter_resp: case SMPP_bind_transceiver_resp:
        on_bind_answer(s, pdu);
        return;
    case SMPP_submit_sm: case SMPP_deliver_sm: case SMPP_data_sm: case SMPP_submit_multi:
    case SMPP_query_sm: case SMPP_cancel_sm: case SMPP_replace_sm:
        on_sm(s, pdu);
        return;
    case SMPP_submit_sm_resp: case SMPP_deliver_sm_resp: case SMPP_data_sm_resp: case SMPP_submit_multi_resp:
    case SMPP_query_sm_resp: case SMPP_cancel_sm_resp: case SMPP_replace_sm_resp: case SMPP_generic_nack:
        on_answer(s, pdu, ERR_NONE);
        return;
    case SMPP_enquire_link:
        put_head(s, SMPP_enquire_link_resp, 0, pdu->sequence);
        return;
    case SMPP_enquire_link_resp:
        return;                             /* that something came was noted already */
    case SMPP_unbind:
        s->unbind_sequence = pdu->sequence;
        feed(s, EV_BYE);
        return;
    case SMPP_unbind_resp:
        feed(s, EV_BYE_RESP);
        return;
    }
}

static void on_frame(struct smpp_session *s, const uint8_t *p, size_t n)
{
    struct smpp_pdu pdu;
    enum err err = smpp_read(&pdu, p, n);
    metric_add(&pdus_read, 1);
    if (!err && s->hooks->on_heard && !s->hooks->on_heard(s->arg, &pdu))
        return;
    if (!err) {
        on_pdu(s, &pdu);
        return;
    }
    if (err == ERR_ABSENT && pdu.command == ALERT_NOTIFICATION && s->conf.role == SMPP_ESME) {
        metric_add(&alerts, 1);         /* it has no response (SMPP 3.4, 4.12) */
        return;
    }
    metric_add(err == ERR_ABSENT ? &unknown : &malformed, 1);
    log_warn("smpp", "%s: %s PDU, command_id 0x%08x, %zu octets", s->name, err == ERR_ABSENT ? "unknown" : "malformed",
             pdu.command, n);
    nack(s, &pdu, err == ERR_ABSENT ? ESME_RINVCMDID : ESME_RINVCMDLEN);
    if (smpp_is_resp(pdu.command))
        on_answer(s, &pdu, ERR_SYNTAX);
}

static size_t on_bytes(void *arg, const uint8_t *p, size_t n)
{
    struct smpp_session *s = arg;
    size_t used = 0, framed = 0;
    feed(s, EV_ALIVE);
    while (s->state != ST_ENDED && !s->paused) {
        if (smpp_frame(p + used, n - used, &framed)) {
            metric_add(&malformed, 1);
            log_warn("smpp", "%s: a command_length that cannot be", s->name);
            put_head(s, SMPP_generic_nack, ESME_RINVCMDLEN, 0);
            s->why = ERR_SYNTAX;
            feed(s, EV_GONE);
            return n;
        }
        if (!framed)
            break;
        on_frame(s, p + used, framed);
        used += framed;
    }
    drained(s);
    return s->state == ST_ENDED ? n : used;
}

static void on_open(void *arg)
{
    feed(arg, EV_OPENED);
}

static void on_gone(void *arg, enum err why)
{
    struct smpp_session *s = arg;
    if (s->state != ST_ENDED)
        s->why = why;
    feed(s, EV_GONE);
}

static const struct tcp_ops tcp_ops = { .on_open = on_open, .on_bytes = on_bytes, .on_gone = on_gone };

/* -- making and using ----------------------------------------------------------------------------------------------- */
static bool fits(const char *text, size_t size)
{
    return !text || strlen(text) < size;
}

static enum err copy_conf(struct smpp_session *s, const struct smpp_session_conf *conf)
{
    if (conf->window < 1 || conf->window > WINDOW_MAX || conf->owed > OWED_MAX || !fits(conf->system_id, sizeof s->system_id)
        || !fits(conf->password, sizeof s->password) || !fits(conf->system_type, sizeof s->system_type))
        return ERR_RANGE;
    s->conf = *conf;
    snprintf(s->name, sizeof s->name, "%s", conf->name ? conf->name : "?");
    snprintf(s->system_id, sizeof s->system_id, "%s", conf->system_id ? conf->system_id : "");
    snprintf(s->password, sizeof s->password, "%s", conf->password ? conf->password : "");
    snprintf(s->system_type, sizeof s->system_type, "%s", conf->system_type ? conf->system_type : "");
    if (!s->conf.owed)
        s->conf.owed = OWED_MAX;
    if (!s->conf.answer_us)
        s->conf.answer_us = 30 * US_PER_S;
    if (!s->conf.enquire_us)
        s->conf.enquire_us = 30 * US_PER_S;
    if (!s->conf.bind_us)
        s->conf.bind_us = 10 * US_PER_S;
    return ERR_NONE;
}

static enum err prepare(struct smpp_session *s)
{
    s->by_sequence = map_new();
    s->pool = calloc(s->conf.window, sizeof *s->pool);
    if (!s->by_sequence || !s->pool)
        return ERR_NOMEM;
    for (unsigned i = 0; i < s->conf.window; i++) {
        s->pool[i].newer = s->spare;
        s->spare = &s->pool[i];
    }
    enum err err = loop_timer_init(s->loop, &s->timer, on_timer, s);
    return err ? err : loop_timer_init(s->loop, &s->answers, on_answers_timer, s);
}

static enum err session_new(struct smpp_session **out, struct loop *loop, const struct smpp_session_conf *conf,
                            const struct smpp_session_hooks *hooks, void *arg)
{
    struct smpp_session *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->loop = loop;
    s->hooks = hooks;
    s->arg = arg;
    enum err err = copy_conf(s, conf);
    if (!err)
        err = prepare(s);
    if (err)
        smpp_session_free(s);
    else
        *out = s;
    return err;
}

static enum err begin(struct smpp_session **out, struct smpp_session *s, enum state first, enum err err)
{
    if (err) {
        smpp_session_free(s);
        return err;
    }
    s->state = (int)first;
    loop_timer_start(&s->timer, wait_us(s, first));
    *out = s;
    return ERR_NONE;
}

enum err smpp_session_connect(struct smpp_session **out, struct loop *loop, const char *host, uint16_t port,
                              const struct smpp_session_conf *conf, const struct smpp_session_hooks *hooks, void *arg)
{
    struct smpp_session *s = NULL;
    enum err err = session_new(&s, loop, conf, hooks, arg);
    if (err)
        return err;
    return begin(out, s, ST_CONNECTING, conf->tls ? tcp_connect_tls(&s->tcp, loop, host, port, conf->tls, conf->tls_name, &tcp_ops, s)
                                                    : tcp_connect(&s->tcp, loop, host, port, &tcp_ops, s));
}

enum err smpp_session_serve(struct smpp_session **out, struct loop *loop, int fd, const struct smpp_session_conf *conf,
                            const struct smpp_session_hooks *hooks, void *arg)
{
    struct smpp_session *s = NULL;
    struct tcp_conn *tcp = NULL;
    enum err err = session_new(&s, loop, conf, hooks, arg);
    enum err adopted = conf->tls ? tcp_adopt_tls(&tcp, loop, fd, conf->tls, &tcp_ops, s)
                                 : tcp_adopt(&tcp, loop, fd, &tcp_ops, s);        /* takes fd whatever happened before */
    if (err) {
        tcp_free(tcp);
        return err;
    }
    s->tcp = tcp;
    return begin(out, s, ST_WAITING, adopted);
}

void smpp_session_free(struct smpp_session *s)
{
    if (!s)
        return;
    tcp_free(s->tcp);
    loop_timer_done(&s->timer);
    loop_timer_done(&s->answers);
    map_free(s->by_sequence);
    free(s->pool);
    free(s);
}

enum err smpp_session_send(struct smpp_session *s, const struct smpp_pdu *request, uint64_t tag)
{
    if (s->state != ST_BOUND && s->state != ST_PROBING)
        return ERR_CLOSED;
    if (!s->spare)
        return ERR_BUSY;
    struct smpp_pdu pdu = *request;
    pdu.sequence = next_sequence(s);
    enum err err = pending_add(s, pdu.command, pdu.sequence, tag);
    if (err)
        return err;
    err = put(s, &pdu);
    if (err)
        pending_remove(s, s->newest);
    return err;
}

void smpp_session_answer(struct smpp_session *s, uint32_t command, uint32_t sequence, uint32_t status,
                         struct str message_id)
{
    struct smpp_pdu pdu;
    memset(&pdu, 0, sizeof pdu);            /* whichever body the response has, the rest of it is empty */
    pdu.command = smpp_resp_to(command);
    pdu.status = status;
    pdu.sequence = sequence;
    pdu.sm_resp.message_id = message_id;
    smpp_session_reply(s, &pdu);
}

void smpp_session_reply(struct smpp_session *s, const struct smpp_pdu *response)
{
    if (s->owed)
        s->owed--;
    (void)!put(s, response);
    drained(s);
}

void smpp_session_pass(struct smpp_session *s)
{
    if (s->owed)
        s->owed--;
    drained(s);
}

void smpp_session_pause(struct smpp_session *s, bool paused)
{
    s->paused = paused;
    tcp_pause(s->tcp, paused);
}

void smpp_session_unbind(struct smpp_session *s)
{
    feed(s, EV_STOP);
    drained(s);
}

void smpp_session_drop(struct smpp_session *s)
{
    feed(s, EV_DROP);
}

bool smpp_session_is_up(const struct smpp_session *s)
{
    return s->state == ST_BOUND || s->state == ST_PROBING;
}

unsigned smpp_session_under_way(const struct smpp_session *s)
{
    return s->under_way;
}

bool smpp_session_may_submit(const struct smpp_session *s)
{
    return s->bind == SMPP_bind_transmitter || s->bind == SMPP_bind_transceiver;
}

bool smpp_session_may_deliver(const struct smpp_session *s)
{
    return s->bind == SMPP_bind_receiver || s->bind == SMPP_bind_transceiver;
}

const char *smpp_session_tls_words(const struct smpp_session *s)
{
    return tcp_tls_words(s->tcp);
}

const char *smpp_session_os_words(const struct smpp_session *s)
{
    return s->os_words;
}
