/* One call: a table of states over an nta leg. Decisions (is the answer usable? whose word is it?) come before the
 * table, in the on_*() and sip_call_command() below; actions only do and tell, and never feed their own machine. */
#include "net/sip_stack_priv.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/map.h"
#include "base/str.h"

#include <stdio.h>

enum { STATUS_OK = 200, STATUS_UNAUTHORIZED = 401, STATUS_METHOD = 405, STATUS_PROXY = 407, STATUS_TIMEOUT = 408,
       STATUS_UNAVAILABLE = 480, STATUS_NO_CALL = 481, STATUS_CANCELLED = 487, STATUS_MISFIT = 488, STATUS_FAILED = 500,
       STATUS_SHED = 503 };
enum { Q850_NO_ANSWER = 19, Q850_PROTOCOL = 111 };
enum { RING_DEFAULT_MS = 180000, SOON_MS = 1, T1_DEFAULT_MS = 500, T1_TIMES = 64, RETRY_AFTER_MAX_S = 10 };
enum timer_policy { TIMER_NONE, TIMER_KEEP, TIMER_RING, TIMER_LINGER, TIMER_SOON };

#define STATE_NAME(state, timer)  #state,
#define STATE_TIMER(state, timer) TIMER_##timer,
#define CUE_NAME(cue)             #cue,
static const char *const state_name[] = { SIP_STATES(STATE_NAME) };
static const char *const cue_name[] = { SIP_CUES(CUE_NAME) };
static const enum timer_policy state_timer[] = { SIP_STATES(STATE_TIMER) };

static void feed(struct sip_call *c, struct sip_cue *cue);
static enum err invite_send(struct sip_call *c, const char *credentials);
static int on_request(struct sip_call *c, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip);
static int on_response(struct sip_call *c, nta_outgoing_t *orq, const sip_t *sip);
static int on_bye_response(struct sip_call *c, nta_outgoing_t *orq, const sip_t *sip);
static int on_ack_or_cancel(struct sip_call *c, nta_incoming_t *irq, const sip_t *sip);

/* -- telling the owner --------------------------------------------------------------------------------------------- */

static void tell_end(struct sip_call *c, int status, int q850, bool by_peer, const char *words)
{
    struct sip_stack *s = c->stack;
    if (c->told)
        return;
    c->told = true;
    map_take(s->by_id, c->id);
    const struct sip_end end = { .status = status, .q850 = q850, .by_peer = by_peer, .words = words ? words : "" };
    s->conf.events.on_ended(s->conf.user, c->id, &end);
}

static void tell_answered(struct sip_call *c)
{
    c->stack->conf.events.on_answered(c->stack->conf.user, c->id, &c->remote);
}

/* -- headers that several messages share --------------------------------------------------------------------------- */

static const char *contact_write(char dst[SIP_URI_SIZE + 2], const struct sip_call *c)
{
    char uri[SIP_URI_SIZE];
    sip_uri_write(uri, "", c->stack->conf.advertise, c->stack->port, c->transport, false);
    snprintf(dst, SIP_URI_SIZE + 2, "<%.*s>", SIP_URI_SIZE - 1, uri);
    return dst;
}

static void reply_with_body(struct sip_call *c, nta_incoming_t *irq, int status, const char *phrase, const char *body)
{
    char contact[SIP_URI_SIZE + 2];
    nta_incoming_treply(irq, status, phrase, SIPTAG_CONTACT_STR(contact_write(contact, c)), SIPTAG_ALLOW_STR(sip_allow),
                        SIPTAG_SERVER_STR(c->stack->conf.user_agent),
                        TAG_IF(body, SIPTAG_CONTENT_TYPE_STR("application/sdp")), TAG_IF(body, SIPTAG_PAYLOAD_STR(body)),
                        TAG_END());
}

static void refuse_offered(struct sip_call *c, int status, int q850)
{
    char reason[SIP_REASON_SIZE];
    nta_incoming_treply(c->offered, status, sip_status_phrase(status), SIPTAG_REASON_STR(sip_reason_write(reason, q850)),
                        SIPTAG_SERVER_STR(c->stack->conf.user_agent), TAG_END());
}

static void bye_send(struct sip_call *c, int q850, const char *credentials)
{
    char reason[SIP_REASON_SIZE];
    c->bye = nta_outgoing_tcreate(c->leg, on_bye_response, c, NULL, SIP_METHOD_BYE, NULL,
                                  SIPTAG_REASON_STR(sip_reason_write(reason, q850)),
                                  SIPTAG_USER_AGENT_STR(c->stack->conf.user_agent),
                                  TAG_IF(credentials, SIPTAG_HEADER_STR(credentials)), TAG_END());
}

static void ack_send(struct sip_call *c, const sip_t *sip)
{
    if (!sip)
        return;
    nta_leg_rtag(c->leg, sip->sip_to->a_tag);
    nta_leg_client_route(c->leg, sip->sip_record_route, sip->sip_contact);
    su_home_t *home = su_home_new(sizeof *home);
    sip_cseq_t *cseq = home ? sip_cseq_create(home, sip->sip_cseq->cs_seq, SIP_METHOD_ACK) : NULL;
    nta_outgoing_t *ack = nta_outgoing_tcreate(c->leg, NULL, NULL, NULL, SIP_METHOD_ACK, NULL, SIPTAG_CSEQ(cseq),
                                               TAG_END());
    /* nta keeps it to answer a repeated 2xx */
    nta_outgoing_destroy(ack);
    su_home_unref(home);
}

static void invite_done(struct sip_call *c)
{
    nta_outgoing_destroy(c->invite);
    c->invite = NULL;
}

static void offered_done(struct sip_call *c)
{
    nta_incoming_destroy(c->offered);
    c->offered = NULL;
}

/* -- actions ------------------------------------------------------------------------------------------------------- */

typedef void act_fn(struct sip_call *c, struct sip_cue *cue);

static void stay(struct sip_call *c, struct sip_cue *cue)
{
    (void)c;
    (void)cue;
}

static void refuse(struct sip_call *c, struct sip_cue *cue)
{
    atomic_fetch_add(&c->stack->count.impossible, 1);
    log_warn(c->stack->name, "call=%llx: %s is impossible in %s", (unsigned long long)c->id, cue_name[cue->kind],
             state_name[c->state]);
}

/* A BYE for a call that has none to end: we never sent a tag that it could name. */
static void deny_bye(struct sip_call *c, struct sip_cue *cue)
{
    (void)c;
    nta_incoming_treply(cue->request, SIP_481_NO_CALL, TAG_END());
}

/* RFC 3261, 14.2: an INVITE while another is being handled. */
static void deny_invite(struct sip_call *c, struct sip_cue *cue)
{
    char wait[12];
    snprintf(wait, sizeof wait, "%u", 1 + (unsigned)(random_u64() % RETRY_AFTER_MAX_S));
    nta_incoming_treply(cue->request, SIP_500_INTERNAL_SERVER_ERROR, SIPTAG_RETRY_AFTER_STR(wait),
                        SIPTAG_SERVER_STR(c->stack->conf.user_agent), TAG_END());
}

static void progress(struct sip_call *c, struct sip_cue *cue)
{
    if (cue->has_remote)
        c->remote = cue->remote;
    c->stack->conf.events.on_progress(c->stack->conf.user, c->id, cue->status, cue->has_remote ? &cue->remote : NULL);
}

/* The same INVITE with credentials: a new transaction of the same leg (RFC 3261, 22.2). */
static void authorize(struct sip_call *c, struct sip_cue *cue)
{
    invite_done(c);
    if (invite_send(c, cue->credentials))
        tell_end(c, STATUS_FAILED, 0, false, "the INVITE could not be repeated");   /* freed when the ring time is over */
}

static void connect_call(struct sip_call *c, struct sip_cue *cue)
{
    if (cue->has_remote)
        c->remote = cue->remote;                /* else the early answer stands (RFC 3261, 13.2.1) */
    ack_send(c, cue->sip);
    invite_done(c);
    tell_answered(c);
}

static void ack_and_bye(struct sip_call *c, struct sip_cue *cue)
{
    ack_send(c, cue->sip);
    invite_done(c);
    bye_send(c, 0, NULL);
}

static void misfit(struct sip_call *c, struct sip_cue *cue)
{
    ack_and_bye(c, cue);
    tell_end(c, STATUS_MISFIT, 0, false, "answered without usable media");
}

static void refused(struct sip_call *c, struct sip_cue *cue)
{
    invite_done(c);
    tell_end(c, cue->status, cue->q850, !cue->internal, cue->words);
}

static void cancel_send(struct sip_call *c, int q850)
{
    char reason[SIP_REASON_SIZE];
    nta_outgoing_t *cancel = nta_outgoing_tcancel(c->invite, NULL, NULL,
                                                  SIPTAG_REASON_STR(sip_reason_write(reason, q850)), TAG_END());
    (void)cancel;                               /* without a callback nta owns it */
}

static void give_up(struct sip_call *c, struct sip_cue *cue)
{
    cancel_send(c, cue->q850);
    tell_end(c, STATUS_CANCELLED, cue->q850, false, "cancelled");
}

static void ring_out(struct sip_call *c, struct sip_cue *cue)
{
    (void)cue;
    cancel_send(c, Q850_NO_ANSWER);
    tell_end(c, STATUS_TIMEOUT, Q850_NO_ANSWER, false, "no answer in time");
}

static void ring(struct sip_call *c, struct sip_cue *cue)
{
    if (cue->body)
        reply_with_body(c, c->offered, SIP_183_SESSION_PROGRESS, cue->body);
    else
        reply_with_body(c, c->offered, SIP_180_RINGING, NULL);
}

static void answer(struct sip_call *c, struct sip_cue *cue)
{
    reply_with_body(c, c->offered, SIP_200_OK, cue->body);
}

static void reject(struct sip_call *c, struct sip_cue *cue)
{
    refuse_offered(c, cue->status, cue->q850);
    tell_end(c, cue->status, cue->q850, false, sip_status_phrase(cue->status));
}

static void reject_late(struct sip_call *c, struct sip_cue *cue)
{
    (void)cue;
    refuse_offered(c, STATUS_UNAVAILABLE, Q850_NO_ANSWER);
    tell_end(c, STATUS_UNAVAILABLE, Q850_NO_ANSWER, false, "nobody decided in time");
}

static void cancelled(struct sip_call *c, struct sip_cue *cue)
{
    refuse_offered(c, STATUS_CANCELLED, 0);
    tell_end(c, STATUS_CANCELLED, cue->q850, true, "cancelled by the caller");
}

static void bye_early(struct sip_call *c, struct sip_cue *cue)
{
    nta_incoming_treply(cue->request, SIP_200_OK, TAG_END());
    refuse_offered(c, STATUS_CANCELLED, 0);
    tell_end(c, STATUS_OK, cue->q850, true, "ended by the caller before the answer");
}

static void acked(struct sip_call *c, struct sip_cue *cue)
{
    (void)cue;
    offered_done(c);
    tell_answered(c);
}

static void part(struct sip_call *c, struct sip_cue *cue)
{
    tell_end(c, STATUS_OK, cue->q850, false, "ended here");
}

static void ack_lost(struct sip_call *c, struct sip_cue *cue)
{
    (void)cue;
    bye_send(c, Q850_PROTOCOL, NULL);
    tell_end(c, STATUS_TIMEOUT, Q850_PROTOCOL, false, "no ACK came for our 200");
}

static void hang_up(struct sip_call *c, struct sip_cue *cue)
{
    bye_send(c, cue->q850, NULL);
    tell_end(c, STATUS_OK, cue->q850, false, "ended here");
}

/* No BYE: whoever asks after this call will hear 481. */
static void vanish(struct sip_call *c, struct sip_cue *cue)
{
    tell_end(c, STATUS_OK, cue->q850, false, "gone without a word");
}

static void bye_now(struct sip_call *c, struct sip_cue *cue)
{
    (void)cue;
    bye_send(c, 0, NULL);
}

static void ended(struct sip_call *c, struct sip_cue *cue)
{
    nta_incoming_treply(cue->request, SIP_200_OK, SIPTAG_SERVER_STR(c->stack->conf.user_agent), TAG_END());
    tell_end(c, STATUS_OK, cue->q850, true, "ended by the peer");
}

static void tell_changed(struct sip_call *c, const struct sdp_audio *remote)
{
    c->remote = *remote;
    if (c->stack->conf.events.on_changed)
        c->stack->conf.events.on_changed(c->stack->conf.user, c->id, &c->remote);
}

static void change(struct sip_call *c, struct sip_cue *cue)
{
    if (c->offered)
        offered_done(c);
    c->offered = cue->request;
    nta_incoming_bind(c->offered, on_ack_or_cancel, c);
    reply_with_body(c, c->offered, SIP_200_OK, cue->body);
    if (cue->has_remote)
        tell_changed(c, &cue->remote);
}

/* The ACK of a re-INVITE; it carries their answer when ours was the offer (RFC 3261, 14.1). */
static void change_acked(struct sip_call *c, struct sip_cue *cue)
{
    if (c->offered)
        offered_done(c);
    if (cue->has_remote)
        tell_changed(c, &cue->remote);
}

static void bury(struct sip_call *c, struct sip_cue *cue);

/* -- the table ----------------------------------------------------------------------------------------------------- */

#define RULES(R)            /* in state, on cue, do, then be */                                                        \
    R(CALLING, RING, refuse, CALLING)       R(CALLING, ANSWER, refuse, CALLING)     R(CALLING, REJECT, refuse, CALLING)\
    R(CALLING, HANGUP, give_up, CANCELLED)  R(CALLING, PROVISIONAL, progress, HEARD)                                   \
    R(CALLING, ABANDON, give_up, CANCELLED)                                                                            \
    R(CALLING, ACCEPT, connect_call, UP)    R(CALLING, MISFIT, misfit, LEAVING)     R(CALLING, REFUSE, refused, GONE)  \
    R(CALLING, CHALLENGE, authorize, CALLING)                                                                          \
    R(CALLING, CANCEL, refuse, CALLING)     R(CALLING, ACK, refuse, CALLING)        R(CALLING, ACK_LOST, refuse, CALLING)\
    R(CALLING, BYE, deny_bye, CALLING)      R(CALLING, REINVITE, deny_invite, CALLING)                                 \
    R(CALLING, BYE_DONE, refuse, CALLING)   R(CALLING, TIMER, ring_out, CANCELLED)                                     \
                                                                                                                       \
    R(HEARD, RING, refuse, HEARD)           R(HEARD, ANSWER, refuse, HEARD)         R(HEARD, REJECT, refuse, HEARD)    \
    R(HEARD, HANGUP, give_up, CANCELLED)    R(HEARD, PROVISIONAL, progress, HEARD)                                     \
    R(HEARD, ABANDON, give_up, CANCELLED)                                                                              \
    R(HEARD, ACCEPT, connect_call, UP)      R(HEARD, MISFIT, misfit, LEAVING)       R(HEARD, REFUSE, refused, GONE)    \
    R(HEARD, CHALLENGE, authorize, CALLING)                                                                            \
    R(HEARD, CANCEL, refuse, HEARD)         R(HEARD, ACK, refuse, HEARD)            R(HEARD, ACK_LOST, refuse, HEARD)  \
    R(HEARD, BYE, deny_bye, HEARD)          R(HEARD, REINVITE, deny_invite, HEARD)                                     \
    R(HEARD, BYE_DONE, refuse, HEARD)       R(HEARD, TIMER, ring_out, CANCELLED)                                       \
                                                                                                                       \
    R(CANCELLED, RING, refuse, CANCELLED)   R(CANCELLED, ANSWER, refuse, CANCELLED)                                    \
    R(CANCELLED, REJECT, refuse, CANCELLED) R(CANCELLED, HANGUP, stay, CANCELLED)                                      \
    R(CANCELLED, PROVISIONAL, stay, CANCELLED)      R(CANCELLED, ABANDON, stay, CANCELLED)                             \
    R(CANCELLED, ACCEPT, ack_and_bye, LEAVING)  /* their 200 crossed our CANCEL: RFC 3261, 15 */                       \
    R(CANCELLED, MISFIT, ack_and_bye, LEAVING)                                                                         \
    R(CANCELLED, REFUSE, stay, GONE)        R(CANCELLED, CANCEL, refuse, CANCELLED)                                    \
    R(CANCELLED, CHALLENGE, stay, GONE)                                                                                \
    R(CANCELLED, ACK, refuse, CANCELLED)    R(CANCELLED, ACK_LOST, refuse, CANCELLED)                                  \
    R(CANCELLED, BYE, deny_bye, CANCELLED)  R(CANCELLED, REINVITE, deny_invite, CANCELLED)                             \
    R(CANCELLED, BYE_DONE, refuse, CANCELLED)   R(CANCELLED, TIMER, stay, GONE)                                        \
                                                                                                                       \
    R(OFFERED, CHALLENGE, refuse, OFFERED)                                                                             \
    R(OFFERED, RING, ring, OFFERED)         R(OFFERED, ANSWER, answer, ACCEPTED)    R(OFFERED, REJECT, reject, GONE)   \
    R(OFFERED, HANGUP, reject, GONE)        R(OFFERED, PROVISIONAL, refuse, OFFERED)                                   \
    R(OFFERED, ABANDON, reject, GONE)                                                                                  \
    R(OFFERED, ACCEPT, refuse, OFFERED)     R(OFFERED, MISFIT, refuse, OFFERED)     R(OFFERED, REFUSE, refuse, OFFERED)\
    R(OFFERED, CANCEL, cancelled, GONE)     R(OFFERED, ACK, stay, OFFERED)          R(OFFERED, ACK_LOST, stay, OFFERED)\
    R(OFFERED, BYE, bye_early, GONE)        R(OFFERED, REINVITE, deny_invite, OFFERED)                                 \
    R(OFFERED, BYE_DONE, refuse, OFFERED)   R(OFFERED, TIMER, reject_late, GONE)                                       \
                                                                                                                       \
    R(ACCEPTED, CHALLENGE, refuse, ACCEPTED)                                                                           \
    R(ACCEPTED, RING, stay, ACCEPTED)       R(ACCEPTED, ANSWER, stay, ACCEPTED)     R(ACCEPTED, REJECT, part, PARTING) \
    R(ACCEPTED, HANGUP, part, PARTING)      R(ACCEPTED, PROVISIONAL, refuse, ACCEPTED)                                 \
    R(ACCEPTED, ABANDON, part, PARTING)                                                                                \
    R(ACCEPTED, ACCEPT, refuse, ACCEPTED)   R(ACCEPTED, MISFIT, refuse, ACCEPTED)                                      \
    R(ACCEPTED, REFUSE, refuse, ACCEPTED)   R(ACCEPTED, CANCEL, stay, ACCEPTED)     /* too late: 481 by nta */         \
    R(ACCEPTED, ACK, acked, UP)             R(ACCEPTED, ACK_LOST, ack_lost, LEAVING)                                   \
    R(ACCEPTED, BYE, ended, GONE)           R(ACCEPTED, REINVITE, deny_invite, ACCEPTED)                               \
    R(ACCEPTED, BYE_DONE, refuse, ACCEPTED) R(ACCEPTED, TIMER, refuse, ACCEPTED)                                       \
                                                                                                                       \
    R(PARTING, CHALLENGE, refuse, PARTING)                                                                             \
    R(PARTING, RING, stay, PARTING)         R(PARTING, ANSWER, stay, PARTING)       R(PARTING, REJECT, stay, PARTING)  \
    R(PARTING, HANGUP, stay, PARTING)       R(PARTING, PROVISIONAL, refuse, PARTING)                                   \
    R(PARTING, ABANDON, stay, PARTING)                                                                                 \
    R(PARTING, ACCEPT, refuse, PARTING)     R(PARTING, MISFIT, refuse, PARTING)     R(PARTING, REFUSE, refuse, PARTING)\
    R(PARTING, CANCEL, stay, PARTING)       R(PARTING, ACK, bye_now, LEAVING)       R(PARTING, ACK_LOST, bye_now, LEAVING)\
    R(PARTING, BYE, ended, GONE)            R(PARTING, REINVITE, deny_invite, PARTING)                                 \
    R(PARTING, BYE_DONE, refuse, PARTING)   R(PARTING, TIMER, refuse, PARTING)                                         \
                                                                                                                       \
    R(UP, CHALLENGE, refuse, UP)                                                                                       \
    R(UP, RING, stay, UP)                   R(UP, ANSWER, stay, UP)                 R(UP, REJECT, hang_up, LEAVING)    \
    R(UP, HANGUP, hang_up, LEAVING)         R(UP, PROVISIONAL, refuse, UP)          R(UP, ACCEPT, refuse, UP)          \
    R(UP, ABANDON, vanish, GONE)                                                                                       \
    R(UP, MISFIT, refuse, UP)               R(UP, REFUSE, refuse, UP)               R(UP, CANCEL, stay, UP)            \
    R(UP, ACK, change_acked, UP)            R(UP, ACK_LOST, ack_lost, LEAVING)      R(UP, BYE, ended, GONE)            \
    R(UP, REINVITE, change, UP)             R(UP, BYE_DONE, refuse, UP)             R(UP, TIMER, refuse, UP)           \
                                                                                                                       \
    R(LEAVING, CHALLENGE, refuse, LEAVING)                                                                             \
    R(LEAVING, RING, stay, LEAVING)         R(LEAVING, ANSWER, stay, LEAVING)       R(LEAVING, REJECT, stay, LEAVING)  \
    R(LEAVING, HANGUP, stay, LEAVING)       R(LEAVING, PROVISIONAL, refuse, LEAVING)                                   \
    R(LEAVING, ABANDON, stay, LEAVING)                                                                                 \
    R(LEAVING, ACCEPT, refuse, LEAVING)     R(LEAVING, MISFIT, refuse, LEAVING)     R(LEAVING, REFUSE, refuse, LEAVING)\
    R(LEAVING, CANCEL, stay, LEAVING)       R(LEAVING, ACK, stay, LEAVING)          R(LEAVING, ACK_LOST, stay, LEAVING)\
    R(LEAVING, BYE, ended, LEAVING)         /* the two BYEs crossed */                                                 \
    R(LEAVING, REINVITE, deny_invite, LEAVING)                                                                         \
    R(LEAVING, BYE_DONE, stay, GONE)        R(LEAVING, TIMER, stay, GONE)                                              \
                                                                                                                       \
    R(GONE, CHALLENGE, refuse, GONE)                                                                                   \
    R(GONE, RING, stay, GONE)               R(GONE, ANSWER, stay, GONE)             R(GONE, REJECT, stay, GONE)        \
    R(GONE, HANGUP, stay, GONE)             R(GONE, PROVISIONAL, stay, GONE)        R(GONE, ACCEPT, refuse, GONE)      \
    R(GONE, ABANDON, stay, GONE)                                                                                       \
    R(GONE, MISFIT, refuse, GONE)           R(GONE, REFUSE, stay, GONE)             R(GONE, CANCEL, stay, GONE)        \
    R(GONE, ACK, stay, GONE)                R(GONE, ACK_LOST, stay, GONE)           R(GONE, BYE, deny_bye, GONE)       \
    R(GONE, REINVITE, deny_bye, GONE)       R(GONE, BYE_DONE, stay, GONE)           R(GONE, TIMER, bury, GONE)

#define R_CELL(in, on, act, to) [SIP_##in][CUE_##on] = { act, SIP_##to },
#define R_ONE(in, on, act, to)  + 1
static const struct { act_fn *act; enum sip_state to; } rules[SIP_N_STATES][SIP_N_CUES] = { RULES(R_CELL) };
static_assert(0 RULES(R_ONE) == SIP_N_STATES * SIP_N_CUES, "a state does not answer every cue");

static int64_t linger_ms(const struct sip_call *c)
{
    uint32_t t1 = c->stack->conf.t1_ms ? c->stack->conf.t1_ms : T1_DEFAULT_MS;
    return (int64_t)t1 * T1_TIMES + SOON_MS;
}

static void on_timer(su_root_magic_t *magic, su_timer_t *timer, void *arg)
{
    (void)magic;
    (void)timer;
    feed(arg, &(struct sip_cue){ .kind = CUE_TIMER });
}

static void timer_set(struct sip_call *c, enum timer_policy policy)
{
    switch (policy) {
    case TIMER_KEEP:
        return;
    case TIMER_NONE:
        su_timer_reset(c->timer);
        return;
    case TIMER_RING:
        su_timer_set_interval(c->timer, on_timer, c, (su_duration_t)c->ring_ms);
        return;
    case TIMER_LINGER:
        su_timer_set_interval(c->timer, on_timer, c, (su_duration_t)linger_ms(c));
        return;
    case TIMER_SOON:
        su_timer_set_interval(c->timer, on_timer, c, SOON_MS);
        return;
    }
}

static void feed(struct sip_call *c, struct sip_cue *cue)       /* the only place the state changes */
{
    act_fn *act = rules[c->state][cue->kind].act;
    enum sip_state to = rules[c->state][cue->kind].to;
    if (to != c->state) {
        log_debug(c->stack->name, "call=%llx %s -> %s on %s", (unsigned long long)c->id, state_name[c->state],
                  state_name[to], cue_name[cue->kind]);
        c->state = to;
        timer_set(c, state_timer[to]);
    }
    act(c, cue);
}

/* -- what nta says, decided into cues ------------------------------------------------------------------------------ */

static bool is_sdp(const sip_t *sip)
{
    const sip_content_type_t *type = sip->sip_content_type;
    return sip_body(sip).n && (!type || !type->c_type || !strcasecmp(type->c_type, "application/sdp"));
}

/* Their description in a message; false when there is none, or none that we can use. */
static bool remote_of(const sip_t *sip, struct sdp_audio *remote)
{
    struct sdp *sdp = sip && is_sdp(sip) ? malloc(sizeof *sdp) : NULL;
    bool usable = sdp && !sdp_read(sdp, sip_body(sip)) && !sdp_audio_of(sdp, remote);
    free(sdp);
    return usable;
}

/* Can we answer their challenge? Once for each request: a second one says that our words were wrong. */
static bool credentials_for(struct sip_call *c, nta_outgoing_t *request, const sip_t *sip, bool *tried, struct buf *line)
{
    int status = nta_outgoing_status(request);
    if ((status != STATUS_UNAUTHORIZED && status != STATUS_PROXY) || *tried || !sip || !c->plan || !*c->plan->user)
        return false;
    *tried = true;
    return sip_credentials_write(line, sip, request, c->plan) == ERR_NONE;
}

static enum sip_cue_kind response_kind(const struct sip_call *c, const struct sip_cue *cue, const sip_t *sip)
{
    if (cue->status < 200)
        return CUE_PROVISIONAL;
    if (cue->status >= 300)
        return CUE_REFUSE;
    bool early_stands = sip && !is_sdp(sip) && c->remote.port;
    return cue->has_remote || early_stands ? CUE_ACCEPT : CUE_MISFIT;
}

static int on_response(struct sip_call *c, nta_outgoing_t *orq, const sip_t *sip)
{
    struct sip_cue cue = { .status = nta_outgoing_status(orq), .sip = sip, .internal = !sip || nta_sip_is_internal(sip) };
    if (cue.status <= 100)
        return 0;
    cue.words = sip && sip->sip_status ? sip->sip_status->st_phrase : sip_status_phrase(cue.status);
    cue.q850 = sip ? sip_reason_read(sip->sip_reason) : 0;
    cue.has_remote = remote_of(sip, &cue.remote);
    scoped_buf line = { 0 };
    if (credentials_for(c, orq, sip, &c->challenged, &line)) {
        cue.kind = CUE_CHALLENGE;
        cue.credentials = line.p;
    } else {
        cue.kind = response_kind(c, &cue, sip);
    }
    feed(c, &cue);
    return 0;
}

static int on_bye_response(struct sip_call *c, nta_outgoing_t *orq, const sip_t *sip)
{
    scoped_buf line = { 0 };
    if (nta_outgoing_status(orq) < 200)
        return 0;
    if (credentials_for(c, orq, sip, &c->bye_challenged, &line)) {
        nta_outgoing_destroy(c->bye);
        bye_send(c, 0, line.p);
        return 0;
    }
    feed(c, &(struct sip_cue){ .kind = CUE_BYE_DONE });
    return 0;
}

static int on_ack_or_cancel(struct sip_call *c, nta_incoming_t *irq, const sip_t *sip)
{
    (void)irq;
    struct sip_cue cue = { .kind = CUE_ACK_LOST, .sip = sip };
    if (sip && sip->sip_request) {
        cue.kind = sip->sip_request->rq_method == sip_method_cancel ? CUE_CANCEL : CUE_ACK;
        cue.q850 = sip_reason_read(sip->sip_reason);
        cue.has_remote = remote_of(sip, &cue.remote);
    }
    feed(c, &cue);
    return 0;
}

/* Our description for their re-INVITE; NULL: theirs is of no use. */
static enum err body_for_change(struct sip_call *c, const sip_t *sip, struct sip_cue *cue, struct buf *body)
{
    c->origin.version++;
    if (!sip_body(sip).n)
        return sdp_offer_write(body, &c->origin, &c->local);
    struct sdp *sdp = malloc(sizeof *sdp);
    enum err err = !sdp ? ERR_NOMEM : is_sdp(sip) ? sdp_read(sdp, sip_body(sip)) : ERR_ABSENT;
    if (!err)
        err = sdp_audio_of(sdp, &cue->remote);
    if (!err)
        err = sdp_answer_write(body, sdp, &c->origin, &c->local);
    cue->has_remote = !err;
    free(sdp);
    return err;
}

static int on_reinvite(struct sip_call *c, nta_incoming_t *irq, const sip_t *sip)
{
    struct sip_cue cue = { .kind = CUE_REINVITE, .request = irq, .sip = sip };
    scoped_buf body = { 0 };
    /* an unusable change is refused and changes nothing (RFC 3261, 14.2) */
    if (body_for_change(c, sip, &cue, &body) != ERR_NONE)
        return STATUS_MISFIT;
    buf_putc(&body, 0);
    cue.body = body.p;
    nta_leg_server_route(c->leg, NULL, sip->sip_contact);       /* target refresh: RFC 3261, 12.2.2 */
    feed(c, &cue);
    if (c->offered != irq)
        nta_incoming_destroy(irq);
    return 0;
}

/* A request within the call's dialog. @return the status that nta shall answer, 0: answered, or will be. */
static int on_request(struct sip_call *c, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
    (void)leg;
    struct sip_cue bye = { .kind = CUE_BYE, .request = irq, .sip = sip };
    switch (sip->sip_request->rq_method) {
    case sip_method_invite:
        return on_reinvite(c, irq, sip);
    case sip_method_bye:
        bye.q850 = sip_reason_read(sip->sip_reason);
        feed(c, &bye);
        return STATUS_OK;                       /* answered already: this only releases it */
    case sip_method_ack:
        nta_incoming_destroy(irq);
        return 0;
    case sip_method_cancel:
        return STATUS_NO_CALL;
    case sip_method_options:
        reply_with_body(c, irq, SIP_200_OK, NULL);
        return STATUS_OK;
    default:
        atomic_fetch_add(&c->stack->count.unknown_method, 1);
        nta_incoming_treply(irq, SIP_405_METHOD_NOT_ALLOWED, SIPTAG_ALLOW_STR(sip_allow), TAG_END());
        return STATUS_METHOD;
    }
}

/* -- the owner's commands ------------------------------------------------------------------------------------------ */

/* The body of a 183 or 200: our answer to their offer. */
static enum err answer_body(struct sip_call *c, const struct sdp_audio *local, struct buf *body)
{
    struct sdp *sdp = malloc(sizeof *sdp);
    enum err err = !sdp ? ERR_NOMEM : sdp_read(sdp, str_of(c->offer));
    if (!err)
        err = sdp_answer_write(body, sdp, &c->origin, local);
    buf_putc(body, 0);
    free(sdp);
    return err ? err : buf_err(body);
}

void sip_call_command(struct sip_call *c, enum sip_cue_kind kind, const struct sdp_audio *local, int status, int q850)
{
    scoped_buf body = { 0 };
    struct sip_cue cue = { .kind = kind, .status = status, .q850 = q850 };
    if (kind == CUE_HANGUP || kind == CUE_ABANDON)
        cue.status = STATUS_UNAVAILABLE;            /* what an offered call hears */
    if (local && c->state == SIP_OFFERED) {
        if (answer_body(c, local, &body)) {
            cue = (struct sip_cue){ .kind = CUE_REJECT, .status = STATUS_FAILED };
        } else {
            c->local = *local;
            cue.body = body.p;
        }
    }
    feed(c, &cue);
}

/* -- making and freeing -------------------------------------------------------------------------------------------- */

static void unlink_call(struct sip_call *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        c->stack->calls = c->next;
    if (c->next)
        c->next->prev = c->prev;
}

static void call_free(struct sip_call *c)
{
    struct sip_stack *s = c->stack;
    unlink_call(c);
    s->n_calls--;
    atomic_store(&s->count.calls, s->n_calls);
    if (!c->told)
        map_take(s->by_id, c->id);
    nta_outgoing_destroy(c->invite);
    nta_outgoing_destroy(c->bye);
    nta_incoming_destroy(c->offered);
    nta_leg_destroy(c->leg);
    su_timer_destroy(c->timer);
    free(c->offer);
    free(c->plan);
    free(c);
    if (s->stopping && !s->n_calls)
        su_root_break(s->root);
}

static void bury(struct sip_call *c, struct sip_cue *cue)
{
    (void)cue;
    call_free(c);
}

static struct sip_call *call_new(struct sip_stack *s, uint64_t id, enum sip_state state)
{
    struct sip_call *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    /* o=: 62 bits keep within what signed readers take */
    *c = (struct sip_call){ .stack = s, .id = id, .state = state, .next = s->calls, .ring_ms = RING_DEFAULT_MS,
                            .origin = { .id = random_u64() >> 2, .version = 1 } };
    if (s->calls)
        s->calls->prev = c;
    s->calls = c;
    s->n_calls++;
    atomic_store(&s->count.calls, s->n_calls);
    c->timer = su_timer_create(su_root_task(s->root), 0);
    if (!c->timer || map_put(s->by_id, id, c)) {
        c->told = true;
        call_free(c);
        return NULL;
    }
    return c;
}

static enum err invite_send(struct sip_call *c, const char *credentials)
{
    struct sip_stack *s = c->stack;
    const struct sip_invite_plan *p = c->plan;
    bool anonymous = !*p->from;
    char target[SIP_URI_SIZE], route[SIP_URI_SIZE], from_uri[SIP_URI_SIZE], contact[SIP_URI_SIZE + 2];
    char from[SIP_URI_SIZE + 2 * SIP_DISPLAY_SIZE], to[SIP_URI_SIZE + 2 * SIP_DISPLAY_SIZE];
    sip_uri_write(target, p->to, p->host, p->port, SIP_UDP, true);
    sip_uri_write(route, "", p->host, p->port, p->transport, false);
    sip_uri_write(from_uri, p->from, s->conf.advertise, s->port, SIP_UDP, true);
    sip_name_addr_write(to, sizeof to, "", target);
    sip_name_addr_write(from, sizeof from, anonymous ? "Anonymous" : p->display,
                        anonymous ? "sip:anonymous@anonymous.invalid" : from_uri);

    scoped_buf body = { 0 };
    enum err err = sdp_offer_write(&body, &c->origin, &c->local);
    if (err)
        return err;
    buf_putc(&body, 0);
    if (!c->leg)
        c->leg = nta_leg_tcreate(s->agent, on_request, c, SIPTAG_FROM_STR(from), SIPTAG_TO_STR(to), TAG_END());
    if (!c->leg || body.bad || !nta_leg_tag(c->leg, NULL))
        return ERR_NOMEM;
    c->invite = nta_outgoing_tcreate(c->leg, on_response, c, URL_STRING_MAKE(route), SIP_METHOD_INVITE,
                                     URL_STRING_MAKE(target), SIPTAG_CONTACT_STR(contact_write(contact, c)),
                                     SIPTAG_ALLOW_STR(sip_allow), SIPTAG_USER_AGENT_STR(s->conf.user_agent),
                                     TAG_IF(anonymous, SIPTAG_PRIVACY_STR("id")),
                                     TAG_IF(credentials, SIPTAG_HEADER_STR(credentials)),
                                     TAG_IF(*p->context, SIPTAG_HEADER_STR(p->context)),
                                     SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(body.p), TAG_END());
    return c->invite ? ERR_NONE : ERR_IO;
}

static void fail_unborn(struct sip_stack *s, uint64_t id, int status, const char *words)
{
    const struct sip_end end = { .status = status, .words = words };
    s->conf.events.on_ended(s->conf.user, id, &end);
}

void sip_call_start(struct sip_stack *s, const struct sip_invite_plan *p)
{
    if (s->stopping || s->n_calls >= s->conf.calls_bound || map_find(s->by_id, p->call)) {
        atomic_fetch_add(&s->count.shed, 1);
        fail_unborn(s, p->call, STATUS_SHED, s->stopping ? "stopping" : "too many calls at once here");
        return;
    }
    struct sip_call *c = call_new(s, p->call, SIP_CALLING);
    if (c && !(c->plan = malloc(sizeof *p))) {
        c->told = true;
        map_take(s->by_id, p->call);
        call_free(c);
        c = NULL;
    }
    if (!c) {
        fail_unborn(s, p->call, STATUS_FAILED, err_words(ERR_NOMEM));
        return;
    }
    *c->plan = *p;
    c->transport = p->transport;
    c->local = p->local;
    if (p->ring_us > 0)
        c->ring_ms = p->ring_us / 1000 + 1;
    timer_set(c, TIMER_RING);
    enum err err = invite_send(c, NULL);
    if (err) {
        tell_end(c, STATUS_FAILED, 0, false, err_words(err));
        call_free(c);
    }
}

enum err sip_call_take(struct sip_stack *s, uint64_t id, msg_t *msg, sip_t *sip, struct str offer,
                       const struct sdp_audio *remote)
{
    struct sip_call *c = call_new(s, id, SIP_OFFERED);
    if (!c) {
        nta_msg_treply(s->agent, msg, SIP_500_INTERNAL_SERVER_ERROR, TAG_END());
        return ERR_NOMEM;
    }
    c->remote = *remote;
    c->offer = strndup(offer.p, offer.n);
    c->transport = sip->sip_via->v_protocol && strstr(sip->sip_via->v_protocol, "TCP") ? SIP_TCP : SIP_UDP;
    c->leg = nta_leg_tcreate(s->agent, on_request, c, SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM(sip->sip_to),
                             SIPTAG_TO(sip->sip_from), NTATAG_REMOTE_CSEQ(sip->sip_cseq->cs_seq), TAG_END());
    if (c->leg && nta_leg_tag(c->leg, NULL) && c->offer
        && nta_leg_server_route(c->leg, sip->sip_record_route, sip->sip_contact) >= 0)
        c->offered = nta_incoming_create(s->agent, c->leg, msg, sip, TAG_END());
    else
        nta_msg_treply(s->agent, msg, SIP_500_INTERNAL_SERVER_ERROR, TAG_END());
    if (!c->offered) {
        c->told = true;
        map_take(s->by_id, id);
        call_free(c);
        return ERR_NOMEM;
    }
    nta_incoming_bind(c->offered, on_ack_or_cancel, c);
    timer_set(c, TIMER_RING);
    nta_incoming_treply(c->offered, SIP_100_TRYING, TAG_END());
    return ERR_NONE;
}

void sip_call_free_all(struct sip_stack *s)
{
    for (struct sip_call *c = s->calls, *next; c; c = next) {
        next = c->next;
        tell_end(c, STATUS_FAILED, 0, false, "the stack ended");
        call_free(c);
    }
}
