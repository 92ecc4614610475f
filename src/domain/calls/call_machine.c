/* call_machine.c - the life of a call: which news does what in which state. */
#include "base/metric.h"
#include "base/str.h"
#include "domain/calls/calls_priv.h"

#include <stdio.h>

METRIC_COUNTER(calls_made, "carterfone_calls_outbound_total", "Outbound calls begun.");
METRIC_COUNTER(calls_connected, "carterfone_calls_connected_total", "Calls that were answered.");
METRIC_COUNTER(surprises, "carterfone_calls_surprises_total", "Events that a call in that state should not get.");

typedef void act_fn(struct call *call, const struct call_cause *cause);

/* -- what is asked of the edges; an edge that refuses is heard of like any other news ----------------------------- */
static void leg_failed(struct call *call, const char *words)
{
    struct signalling_news news = { .kind = LEG_ENDED, .leg = call->leg, .status = 503 };
    str_copyz(news.words, sizeof news.words, str_of(words));
    if (calls_tell_signalling(call->calls, &news))
        log_error("calls", "no memory to end a leg; its patience will");
}

static void media_failed(struct call *call, enum err err)
{
    struct media_news news = { .kind = MEDIA_FAILED, .leg = call->leg, .err = err };
    if (calls_tell_media(call->calls, &news))
        log_error("calls", "no memory to fail a call; its patience will");
}

static void leg_hangup(struct call *call, int q850)
{
    struct calls *c = call->calls;
    if (call->leg_lives && c->signalling->hangup(c->signalling_arg, call->leg, q850))
        log_warn("calls", "the signalling edge has no room for a hang-up");    /* PATIENCE ends the call */
}

static void media_close(struct call *call)
{
    struct calls *c = call->calls;
    if (!call->media_lives || c->media->close(c->media_arg, call->leg)) {
        call->media_lives = false;
        call_time_start(c, &call->patience, 0);     /* no counters will come */
    }
}

/* -- endings ------------------------------------------------------------------------------------------------------ */
static void notify_end(struct call_step *s, struct call *call, const char *type)
{
    call_notify(s, call, &(struct call_notice){ .type = type, .end = &call->end, .context = call->context });
}

/* createCall and answerCall promise CallConnected or their failure; whoever hung up is promised CallDisconnected. */
static void notify_ends(struct call_step *s, struct call *call)
{
    bool failed = !call->connected_us;
    if (!call_accepted(call))
        return;         /* nobody has ever heard of it by this name */
    if (failed)
        notify_end(s, call, call->outbound ? "CreateCallFailed" : "AnswerFailed");
    if (!failed || call->asked_to_end)
        notify_end(s, call, "CallDisconnected");
}

void call_write_end(struct call_step *s, struct call *call)
{
    const struct call_end *end = &call->end;
    int64_t ended_us = call->cut_us ? call->cut_us : control_now_us(call->calls->control);
    call_row_end(s->unit, &(struct call_row){
        .key = call->key, .ended_us = ended_us, .code = end->code, .subcode = end->subcode,
        .sip = end->sip, .q850 = end->q850, .words = str_of(end->words) });
    call_trail(s, call, "end %d/%d: %s", end->code, end->subcode, end->words);
    call_charge(s, call, ended_us);
    notify_ends(s, call);
}

/* The end is decided and everyone at the edges is told or has told us. */
static void finish(struct call *call)
{
    struct call_step *s = call_step_begin(call->calls, call->key);
    call_media_end(s, call);
    if (call->end.sip)
        call_trail(s, call, "sip %d %s%s", call->end.sip, call->end.sip_words, call->connected_us ? " (end)" : "");
    call_write_end(s, call);
    call_step_post(s);
    call_leave(call);
    media_close(call);
}

static void note_leg_gone(struct call *call, const struct signalling_news *n)
{
    call->leg_lives = false;
    if (n && !call->end.sip) {
        call->end.sip = n->status;
        call->end.q850 = n->q850;
        str_copyz(call->end.sip_words, sizeof call->end.sip_words, str_of(n->words));
    }
}

/* -- actions ------------------------------------------------------------------------------------------------------ */
static void refuse(struct call *call, const struct call_cause *cause)
{
    (void)call, (void)cause;
    metric_add(&surprises, 1);
}

static void stay(struct call *call, const struct call_cause *cause)
{
    (void)call, (void)cause;
}

static void open_media(struct call *call, const struct call_cause *cause)
{
    (void)cause;
    struct calls *c = call->calls;
    metric_add(&calls_made, 1);
    enum err err = c->media ? c->media->open(c->media_arg, call->leg) : ERR_CLOSED;
    call->media_lives = !err;
    if (err)
        media_failed(call, err);
}

static void over_limit(struct call *call, const struct call_cause *cause)
{
    (void)cause;
    call_end_set(&call->end, CALL_OVER_LIMIT);
    finish(call);
}

static void invite(struct call *call, const struct call_cause *cause)
{
    struct calls *c = call->calls;
    struct call_step *s = call_step_begin(c, call->key);
    const struct media_address *local = &cause->media->local;
    struct signalling_invite plan = { .leg = call->leg, .trunk = call->trunk, .from = call->from, .to = call->to,
                                      .display = call->display, .local = *local, .ring_us = c->conf.ring_us };
    enum err err = c->signalling ? c->signalling->invite(c->signalling_arg, &plan) : ERR_CLOSED;
    call->leg_lives = !err;
    call_trail(s, call, "sip INVITE by trunk " STR_FMT " from " STR_FMT " to " STR_FMT ", audio at %s:%u",
               STR_ARG(call->trunk), STR_ARG(call->from), STR_ARG(call->to), local->host, (unsigned)local->port);
    call_step_post(s);
    if (err)
        leg_failed(call, "The signalling edge could not take the call");
}

static void note_ringing(struct call *call, const struct call_cause *cause)
{
    struct call_step *s = call_step_begin(call->calls, call->key);
    call_trail(s, call, "sip %d, ringing", cause->leg->status);
    call_step_post(s);
}

static void connect_call(struct call *call, const struct call_cause *cause)
{
    static const struct call_end fine = { .code = 200 };
    struct calls *c = call->calls;
    const struct media_address *remote = &cause->leg->remote;
    metric_add(&calls_connected, 1);
    call->connected_us = control_now_us(c->control);
    struct call_step *s = call_step_begin(c, call->key);
    call_row_connect(s->unit, call->key, call->connected_us);
    call_alive_start(c);
    call_trail(s, call, "sip answered, audio to %s:%u, %s", remote->host, (unsigned)remote->port,
               remote->payload == 8 ? "PCMA" : "PCMU");
    call_notify(s, call, &(struct call_notice){ .type = "CallConnected", .end = &fine, .context = call->context });
    call_notify_participants(s, call);
    call_step_post(s);
    enum err err = c->media->connect(c->media_arg, call->leg, remote);
    if (err)
        media_failed(call, err);
    else
        call_media_greet(call);
}

static void fail_media(struct call *call, const struct call_cause *cause)
{
    if (cause->media)
        call->media_lives = false;
    call_end_set(&call->end, CALL_NO_MEDIA);
    finish(call);
}

/* The phone refused, or nobody answered until the edge gave up (408), or the edge stops (487). */
static void fail(struct call *call, const struct call_cause *cause)
{
    const struct signalling_news *n = cause->leg;
    call->leg_lives = false;
    if (!n->by_peer && ((call->rang && n->status == 408) || n->status == 487)) {
        call_end_set(&call->end, n->status == 408 ? CALL_UNANSWERED : CALL_CANCELLED);
        note_leg_gone(call, n);
    } else {
        call_end_set_sip(&call->end, n->status, n->q850, str_of(n->words));
    }
    finish(call);
}

static void peer_left(struct call *call, const struct call_cause *cause)
{
    const struct signalling_news *n = cause->leg;
    if (n->by_peer)
        call_end_set(&call->end, CALL_PEER_LEFT);
    else if (n->status == 200)      /* the edge stops: the platform ends the call */
        call_end_set(&call->end, CALL_ENDED_FOR_ALL);
    else
        call_end_set_sip(&call->end, n->status, n->q850, str_of(n->words));
    note_leg_gone(call, n);
    finish(call);
}

static void end_leg(struct call *call, enum call_reason reason)
{
    struct call_step *s = call_step_begin(call->calls, call->key);
    call_end_set(&call->end, reason);
    if (call->connected_us)
        call->hung_up_us = control_now_us(call->calls->control);
    call_trail(s, call, "sip %s sent: %s", call->connected_us ? "BYE" : call->outbound ? "CANCEL" : "480",
               call->end.words);
    call_step_post(s);
    leg_hangup(call, call_reason_q850(reason));
}

static void hang_up(struct call *call, const struct call_cause *cause)
{
    call->asked_to_end = true;
    end_leg(call, !call->connected_us ? CALL_CANCELLED : cause->everyone ? CALL_ENDED_FOR_ALL : CALL_LEFT);
}

static void hang_up_early(struct call *call, const struct call_cause *cause)
{
    (void)cause;
    call->asked_to_end = true;
    call_end_set(&call->end, CALL_CANCELLED);
    finish(call);
}

static void lose_media(struct call *call, const struct call_cause *cause)
{
    if (cause->media && cause->media->kind == MEDIA_CLOSED)
        call->media_lives = false;
    end_leg(call, CALL_NO_MEDIA);
}

static void give_up(struct call *call, const struct call_cause *cause)
{
    (void)cause;
    end_leg(call, CALL_UNANSWERED);
}

/* The answer crossed our CANCEL. */
static void hang_again(struct call *call, const struct call_cause *cause)
{
    (void)cause;
    leg_hangup(call, 16);
}

static void finish_gone(struct call *call, const struct call_cause *cause)
{
    note_leg_gone(call, cause->leg);
    finish(call);
}

static void finish_silent(struct call *call, const struct call_cause *cause)
{
    (void)cause;
    struct call_step *s = call_step_begin(call->calls, call->key);
    call_trail(s, call, "sip the edge did not say that the leg ended");
    call_step_post(s);
    finish(call);
}

/* -- of inbound calls --------------------------------------------------------------------------------------------- */
static void leg_reject(struct call *call, int status, int q850)
{
    struct calls *c = call->calls;
    if (call->leg_lives && c->signalling->reject(c->signalling_arg, call->leg, status, q850))
        log_warn("calls", "the signalling edge has no room for a refusal");
}

/* Refused by us, in SIP's words; the edge's LEG_ENDED will find it ended. */
static void refuse_leg(struct call *call, int status, int q850, enum call_reason reason)
{
    call_end_set(&call->end, reason);
    call->end.sip = status;
    call->end.q850 = q850;
    leg_reject(call, status, q850);
    finish(call);
}

static void take(struct call *call, const struct call_cause *cause)
{
    (void)cause;
    struct calls *c = call->calls;
    enum err err = c->media ? c->media->open(c->media_arg, call->leg) : ERR_CLOSED;
    call->media_lives = !err;
    if (err)
        media_failed(call, err);
}

static void answer_leg(struct call *call, const struct call_cause *cause)
{
    struct calls *c = call->calls;
    const struct media_address *local = &cause->media->local;
    struct call_step *s = call_step_begin(c, call->key);
    enum err err = c->signalling->answer(c->signalling_arg, call->leg, local);
    call_trail(s, call, "sip 200 sent, audio at %s:%u", local->host, (unsigned)local->port);
    call_step_post(s);
    if (err)
        leg_failed(call, "The signalling edge could not answer");
}

static void decline(struct call *call, const struct call_cause *cause)
{
    refuse_leg(call, cause->status, cause->q850, CALL_DECLINED);
}

static void let_go(struct call *call, const struct call_cause *cause)
{
    (void)cause;
    refuse_leg(call, 480, 19, CALL_UNANSWERED);
}

static void fail_take(struct call *call, const struct call_cause *cause)
{
    if (cause->media)
        call->media_lives = false;
    refuse_leg(call, 503, call_reason_q850(CALL_NO_MEDIA), CALL_NO_MEDIA);
}

/* The caller gave up, or the edge could not go on. */
static void caller_gone(struct call *call, const struct call_cause *cause)
{
    const struct signalling_news *n = cause->leg;
    if (n->by_peer)
        call_end_set(&call->end, CALL_CANCELLED);
    else
        call_end_set_sip(&call->end, n->status, n->q850, str_of(n->words));
    note_leg_gone(call, n);
    finish(call);
}

/* Its first unit was not stored: as if it had never been asked for. */
static void abandon(struct call *call, const struct call_cause *cause)
{
    (void)cause;
    leg_hangup(call, 41);
    call_media_free(call);
    call_leave(call);
    media_close(call);
}

static void forget(struct call *call, const struct call_cause *cause)
{
    (void)cause;
    call_free(call);
}

static void count_media(struct call *call, const struct call_cause *cause)
{
    const struct media_news *n = cause->media;
    struct call_step *s = call_step_begin(call->calls, call->key);
    call_row_media(s->unit, call->key, n->sent, n->received, n->lost);
    call_trail(s, call, "audio %llu packets sent, %llu received, %llu lost", (unsigned long long)n->sent,
               (unsigned long long)n->received, (unsigned long long)n->lost);
    call_step_post(s);
    call_free(call);
}

/* -- the table ---------------------------------------------------------------------------------------------------- */
#define RULES(R)                                /* in state, on event, do, then be */                                  \
    R(NEW, OPEN, open_media, OPENING)           R(NEW, OVER_LIMIT, over_limit, ENDED)                                  \
    R(NEW, MEDIA_UP, refuse, NEW)               R(NEW, MEDIA_DOWN, refuse, NEW)                                        \
    R(NEW, MEDIA_SHUT, refuse, NEW)             R(NEW, RINGS, refuse, NEW)                                             \
    R(NEW, ANSWERED, refuse, NEW)               R(NEW, LEG_GONE, refuse, NEW)                                          \
    R(NEW, HANG_UP, refuse, NEW)                R(NEW, PATIENCE, refuse, NEW)                                          \
    R(NEW, UNSTORED, abandon, ENDED)            R(NEW, OFFER, stay, OFFERED)                                           \
    R(NEW, TAKE, refuse, NEW)                   R(NEW, DECLINE, refuse, NEW)                                           \
                                                                                                                       \
    R(OPENING, OPEN, refuse, OPENING)           R(OPENING, OVER_LIMIT, refuse, OPENING)                                \
    R(OPENING, MEDIA_UP, invite, INVITING)      R(OPENING, MEDIA_DOWN, fail_media, ENDED)                              \
    R(OPENING, MEDIA_SHUT, fail_media, ENDED)   R(OPENING, RINGS, refuse, OPENING)                                     \
    R(OPENING, ANSWERED, refuse, OPENING)       R(OPENING, LEG_GONE, refuse, OPENING)                                  \
    R(OPENING, HANG_UP, hang_up_early, ENDED)   R(OPENING, PATIENCE, fail_media, ENDED)                                \
    R(OPENING, UNSTORED, abandon, ENDED)        R(OPENING, OFFER, refuse, OPENING)                                     \
    R(OPENING, TAKE, refuse, OPENING)           R(OPENING, DECLINE, refuse, OPENING)                                   \
                                                                                                                       \
    R(INVITING, OPEN, refuse, INVITING)         R(INVITING, OVER_LIMIT, refuse, INVITING)                              \
    R(INVITING, MEDIA_UP, refuse, INVITING)     R(INVITING, MEDIA_DOWN, lose_media, ENDING)                            \
    R(INVITING, MEDIA_SHUT, lose_media, ENDING) R(INVITING, RINGS, note_ringing, RINGING)                              \
    R(INVITING, ANSWERED, connect_call, CONNECTED) R(INVITING, LEG_GONE, fail, ENDED)                                  \
    R(INVITING, HANG_UP, hang_up, ENDING)       R(INVITING, PATIENCE, give_up, ENDING)                                 \
    R(INVITING, UNSTORED, abandon, ENDED)       R(INVITING, OFFER, refuse, INVITING)                                   \
    R(INVITING, TAKE, refuse, INVITING)         R(INVITING, DECLINE, refuse, INVITING)                                 \
                                                                                                                       \
    R(RINGING, OPEN, refuse, RINGING)           R(RINGING, OVER_LIMIT, refuse, RINGING)                                \
    R(RINGING, MEDIA_UP, refuse, RINGING)       R(RINGING, MEDIA_DOWN, lose_media, ENDING)                             \
    R(RINGING, MEDIA_SHUT, lose_media, ENDING)  R(RINGING, RINGS, note_ringing, RINGING)                               \
    R(RINGING, ANSWERED, connect_call, CONNECTED) R(RINGING, LEG_GONE, fail, ENDED)                                    \
    R(RINGING, HANG_UP, hang_up, ENDING)        R(RINGING, PATIENCE, give_up, ENDING)                                  \
    R(RINGING, UNSTORED, abandon, ENDED)        R(RINGING, OFFER, refuse, RINGING)                                     \
    R(RINGING, TAKE, refuse, RINGING)           R(RINGING, DECLINE, refuse, RINGING)                                   \
                                                                                                                       \
    R(OFFERED, OPEN, refuse, OFFERED)               R(OFFERED, OVER_LIMIT, refuse, OFFERED)                            \
    R(OFFERED, MEDIA_UP, refuse, OFFERED)           R(OFFERED, MEDIA_DOWN, refuse, OFFERED)                            \
    R(OFFERED, MEDIA_SHUT, refuse, OFFERED)         R(OFFERED, RINGS, refuse, OFFERED)                                 \
    R(OFFERED, ANSWERED, refuse, OFFERED)           R(OFFERED, LEG_GONE, caller_gone, ENDED)                           \
    R(OFFERED, HANG_UP, refuse, OFFERED)            R(OFFERED, PATIENCE, let_go, ENDED)                                \
    R(OFFERED, UNSTORED, abandon, ENDED)            R(OFFERED, OFFER, refuse, OFFERED)                                 \
    R(OFFERED, TAKE, take, TAKING)                  R(OFFERED, DECLINE, decline, ENDED)                                \
                                                                                                                       \
    R(TAKING, OPEN, refuse, TAKING)                 R(TAKING, OVER_LIMIT, refuse, TAKING)                              \
    R(TAKING, MEDIA_UP, answer_leg, ANSWERING)      R(TAKING, MEDIA_DOWN, fail_take, ENDED)                            \
    R(TAKING, MEDIA_SHUT, fail_take, ENDED)         R(TAKING, RINGS, refuse, TAKING)                                   \
    R(TAKING, ANSWERED, refuse, TAKING)             R(TAKING, LEG_GONE, caller_gone, ENDED)                            \
    R(TAKING, HANG_UP, hang_up, ENDING)             R(TAKING, PATIENCE, fail_take, ENDED)                              \
    R(TAKING, UNSTORED, abandon, ENDED)             R(TAKING, OFFER, refuse, TAKING)                                   \
    R(TAKING, TAKE, refuse, TAKING)                 R(TAKING, DECLINE, refuse, TAKING)                                 \
                                                                                                                       \
    R(ANSWERING, OPEN, refuse, ANSWERING)           R(ANSWERING, OVER_LIMIT, refuse, ANSWERING)                        \
    R(ANSWERING, MEDIA_UP, refuse, ANSWERING)       R(ANSWERING, MEDIA_DOWN, lose_media, ENDING)                       \
    R(ANSWERING, MEDIA_SHUT, lose_media, ENDING)    R(ANSWERING, RINGS, refuse, ANSWERING)                             \
    R(ANSWERING, ANSWERED, connect_call, CONNECTED) R(ANSWERING, LEG_GONE, caller_gone, ENDED)                         \
    R(ANSWERING, HANG_UP, hang_up, ENDING)          R(ANSWERING, PATIENCE, give_up, ENDING)                            \
    R(ANSWERING, UNSTORED, abandon, ENDED)          R(ANSWERING, OFFER, refuse, ANSWERING)                             \
    R(ANSWERING, TAKE, refuse, ANSWERING)           R(ANSWERING, DECLINE, refuse, ANSWERING)                           \
                                                                                                                       \
    R(CONNECTED, OPEN, refuse, CONNECTED)       R(CONNECTED, OVER_LIMIT, refuse, CONNECTED)                            \
    R(CONNECTED, MEDIA_UP, refuse, CONNECTED)   R(CONNECTED, MEDIA_DOWN, lose_media, ENDING)                           \
    R(CONNECTED, MEDIA_SHUT, lose_media, ENDING) R(CONNECTED, RINGS, refuse, CONNECTED)                                \
    R(CONNECTED, ANSWERED, refuse, CONNECTED)   R(CONNECTED, LEG_GONE, peer_left, ENDED)                               \
    R(CONNECTED, HANG_UP, hang_up, ENDING)      R(CONNECTED, PATIENCE, refuse, CONNECTED)                              \
    R(CONNECTED, UNSTORED, abandon, ENDED)      R(CONNECTED, OFFER, refuse, CONNECTED)                                 \
    R(CONNECTED, TAKE, refuse, CONNECTED)       R(CONNECTED, DECLINE, refuse, CONNECTED)                               \
                                                                                                                       \
    R(ENDING, OPEN, refuse, ENDING)             R(ENDING, OVER_LIMIT, refuse, ENDING)                                  \
    R(ENDING, MEDIA_UP, stay, ENDING)           R(ENDING, MEDIA_DOWN, stay, ENDING)                                    \
    R(ENDING, MEDIA_SHUT, stay, ENDING)         R(ENDING, RINGS, stay, ENDING)                                         \
    R(ENDING, ANSWERED, hang_again, ENDING)     R(ENDING, LEG_GONE, finish_gone, ENDED)                                \
    R(ENDING, HANG_UP, stay, ENDING)            R(ENDING, PATIENCE, finish_silent, ENDED)                              \
    R(ENDING, UNSTORED, abandon, ENDED)         R(ENDING, OFFER, refuse, ENDING)                                       \
    R(ENDING, TAKE, refuse, ENDING)             R(ENDING, DECLINE, refuse, ENDING)                                     \
                                                                                                                       \
    R(ENDED, OPEN, refuse, ENDED)               R(ENDED, OVER_LIMIT, refuse, ENDED)                                    \
    R(ENDED, MEDIA_UP, stay, ENDED)             R(ENDED, MEDIA_DOWN, stay, ENDED)                                      \
    R(ENDED, MEDIA_SHUT, count_media, ENDED)    R(ENDED, RINGS, stay, ENDED)                                           \
    R(ENDED, ANSWERED, hang_again, ENDED)       R(ENDED, LEG_GONE, stay, ENDED)                                        \
    R(ENDED, HANG_UP, stay, ENDED)              R(ENDED, PATIENCE, forget, ENDED)                                      \
    R(ENDED, UNSTORED, stay, ENDED)             R(ENDED, OFFER, refuse, ENDED)                                         \
    R(ENDED, TAKE, refuse, ENDED)               R(ENDED, DECLINE, refuse, ENDED)

#define R_CELL(in, on, act, to) [CALL_ST_##in][CALL_EV_##on] = { act, CALL_ST_##to },
#define R_ONE(in, on, act, to)  + 1
static const struct { act_fn *act; enum call_state to; } rules[N_CALL_STATES][N_CALL_EVENTS] = { RULES(R_CELL) };
static_assert(0 RULES(R_ONE) == N_CALL_STATES * N_CALL_EVENTS, "a state of a call does not answer every event");

#define STATE_WORD(name, ms) #name,
static const char *const state_words[] = { CALL_STATES(STATE_WORD) };
#define STATE_MS(name, ms) ms,
static const int64_t patience_ms[] = { CALL_STATES(STATE_MS) };
#define EVENT_WORD(name) #name,
static const char *const event_words[] = { CALL_EVENTS(EVENT_WORD) };

/* Answers and ends are worth a line each; the steps between only when somebody looks closer. */
static void log_move(const struct call *call, enum call_state to, enum call_event ev, bool refused)
{
    enum log_level level = refused ? LOG_WARN : to == CALL_ST_CONNECTED || to == CALL_ST_ENDED ? LOG_INFO : LOG_DEBUG;
    char ids[64], guid[GUID_SIZE];
    if (!log_wants(level) || (to == call->state && !refused))
        return;
    ids_guid(call->calls->control->ids, ID_CALL, call->key, guid);
    snprintf(ids, sizeof ids, "call=%s", guid);
    log_write(level, "calls", ids, "%s %s -> %s on %s", refused ? "unexpected:" : "call", state_words[call->state],
              state_words[to], event_words[ev]);
}

void call_feed(struct call *call, enum call_event ev, const struct call_cause *cause)
{
    static const struct call_cause none;
    act_fn *act = rules[call->state][ev].act;
    enum call_state was = call->state, to = rules[was][ev].to;
    log_move(call, to, ev, act == refuse);
    call->state = to;
    call->rang |= to == CALL_ST_RINGING;
    if (to != was) {
        call_time_stop(call->calls, &call->patience);
        if (patience_ms[to])
            call_time_start(call->calls, &call->patience, patience_ms[to] * US_PER_MS);
    }
    act(call, cause ? cause : &none);       /* last: it may free the call */
}

void call_leg_news(struct call *call, const struct signalling_news *news)
{
    struct call_cause cause = { .leg = news };
    switch (news->kind) {
    case LEG_RINGING:  call_feed(call, CALL_EV_RINGS, &cause);    break;
    case LEG_ANSWERED: call_feed(call, CALL_EV_ANSWERED, &cause); break;
    case LEG_ENDED:    call_feed(call, CALL_EV_LEG_GONE, &cause); break;
    case LEG_OFFERED:  break;       /* a new leg: call_inbound.c */
    }
}
