#include "sim/phone_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "net/audio.h"

#include <stdio.h>

#define RULES(R)                        /* in state, on event, do, then be */                       \
    R(OPENING,   RING,    ring,      RINGING)     R(OPENING,   REFUSE,  refuse,  LEAVING)           \
    R(OPENING,   PLACE,   place,     DIALLING)    R(OPENING,   PICK_UP, hurry,   OPENING)           \
    R(OPENING,   HANG_UP, withdraw,  LEAVING)     R(OPENING,   JOINED,  strange, OPENING)           \
    R(OPENING,   ENDED,   close_leg, CLOSING)     R(OPENING,   CLOSED,  strange, OPENING)           \
    R(RINGING,   RING,    strange,   RINGING)     R(RINGING,   REFUSE,  strange, RINGING)           \
    R(RINGING,   PLACE,   strange,   RINGING)     R(RINGING,   PICK_UP, pick_up, ANSWERING)         \
    R(RINGING,   HANG_UP, refuse,    LEAVING)     R(RINGING,   JOINED,  strange, RINGING)           \
    R(RINGING,   ENDED,   close_leg, CLOSING)     R(RINGING,   CLOSED,  strange, RINGING)           \
    R(ANSWERING, RING,    strange,   ANSWERING)   R(ANSWERING, REFUSE,  strange, ANSWERING)         \
    R(ANSWERING, PLACE,   strange,   ANSWERING)   R(ANSWERING, PICK_UP, stay,    ANSWERING)         \
    R(ANSWERING, HANG_UP, hang_up,   LEAVING)     R(ANSWERING, JOINED,  phone_talk,   TALKING)           \
    R(ANSWERING, ENDED,   close_leg, CLOSING)     R(ANSWERING, CLOSED,  strange, ANSWERING)         \
    R(DIALLING,  RING,    strange,   DIALLING)    R(DIALLING,  REFUSE,  strange, DIALLING)          \
    R(DIALLING,  PLACE,   strange,   DIALLING)    R(DIALLING,  PICK_UP, stay,    DIALLING)          \
    R(DIALLING,  HANG_UP, hang_up,   LEAVING)     R(DIALLING,  JOINED,  join,    TALKING)           \
    R(DIALLING,  ENDED,   close_leg, CLOSING)     R(DIALLING,  CLOSED,  strange, DIALLING)          \
    R(TALKING,   RING,    strange,   TALKING)     R(TALKING,   REFUSE,  strange, TALKING)           \
    R(TALKING,   PLACE,   strange,   TALKING)     R(TALKING,   PICK_UP, stay,    TALKING)           \
    R(TALKING,   HANG_UP, hang_up,   LEAVING)     R(TALKING,   JOINED,  strange, TALKING)           \
    R(TALKING,   ENDED,   close_leg, CLOSING)     R(TALKING,   CLOSED,  strange, TALKING)           \
    R(LEAVING,   RING,    stay,      LEAVING)     R(LEAVING,   REFUSE,  stay,    LEAVING)           \
    R(LEAVING,   PLACE,   stay,      LEAVING)     R(LEAVING,   PICK_UP, stay,    LEAVING)           \
    R(LEAVING,   HANG_UP, stay,      LEAVING)     R(LEAVING,   JOINED,  stay,    LEAVING)           \
    R(LEAVING,   ENDED,   close_leg, CLOSING)     R(LEAVING,   CLOSED,  strange, LEAVING)           \
    R(CLOSING,   RING,    stay,      CLOSING)     R(CLOSING,   REFUSE,  stay,    CLOSING)           \
    R(CLOSING,   PLACE,   stay,      CLOSING)     R(CLOSING,   PICK_UP, stay,    CLOSING)           \
    R(CLOSING,   HANG_UP, stay,      CLOSING)     R(CLOSING,   JOINED,  stay,    CLOSING)           \
    R(CLOSING,   ENDED,   stay,      CLOSING)     R(CLOSING,   CLOSED,  forget,  CLOSING)

#define STATE_NAME(name, shown) #name,
#define STATE_SHOWN(name, shown) shown,
#define EVENT_NAME(name) #name,
static const char *const state_name[] = { STATES(STATE_NAME) };
static const char *const event_name[] = { EVENTS(EVENT_NAME) };
static const enum handset_state state_shown[] = { STATES(STATE_SHOWN) };

typedef void act_fn(struct call *c);

static const struct inbox_kind news_inbox_kind;

struct news *phone_news_of(struct phones *p, const struct news *values)
{
    struct news *n = malloc(sizeof *n);
    if (!n) {
        log_error("sim", "out of memory: news %d of call %llu is lost", (int)values->kind,
                  (unsigned long long)values->call);
        free(values->samples);
        return NULL;
    }
    *n = *values;
    n->p = p;
    n->item.kind = &news_inbox_kind;
    return n;
}

void phone_tell(struct phones *p, const struct news *values)
{
    struct news *n = phone_news_of(p, values);
    if (n)
        inbox_post_always(loop_inbox(p->conf.loop), &n->item);
}

/* -- actions --------------------------------------------------------------- */

static void stay(struct call *c)
{
    (void)c;
}

static void strange(struct call *c)
{
    log_warn("sim", "call %llu: impossible in state %s", (unsigned long long)c->id, state_name[c->state]);
}

static void ring(struct call *c)
{
    if (c->m->early)
        phone_begin_sound(c, false);    /* before the 183, so that no packet comes too early */
    phone_said(c, "180", sip_stack_ring(c->p->sip, c->id, c->early ? &c->local : NULL));
    if (c->status)
        loop_timer_start(&c->timer, (int64_t)c->refuse_ms * US_PER_MS);
    else if (c->answer_ms != MANNER_NEVER)
        loop_timer_start(&c->timer, (int64_t)c->answer_ms * US_PER_MS);
}

static void hurry(struct call *c)
{
    c->answer_ms = 0;
}

static void refuse(struct call *c)
{
    loop_timer_stop(&c->timer);
    phone_said(c, "refusal", sip_stack_reject(c->p->sip, c->id, c->status ? c->status : 603, c->status ? c->q850 : 21));
}

/* Before the socket is open: an outgoing call is unknown to SIP, and ends by itself. */
static void withdraw(struct call *c)
{
    if (c->outgoing)
        phone_tell(c->p, &(struct news){ .kind = NEWS_ENDED, .call = c->id, .status = 487 });
    else
        refuse(c);
}

static void place(struct call *c)
{
    struct sip_invite plan = {
        .call = c->id, .peer = { c->p->inbound_host, c->p->inbound_port, c->m->tcp ? SIP_TCP : SIP_UDP },
        .to = str_of(c->peer), .from = str_of(c->h->number), .local = c->local,
        .context = str_of(c->context),
    };
    enum err err = sip_stack_invite(c->p->sip, &plan);
    phone_said(c, "INVITE", err);
    if (err)
        phone_tell(c->p, &(struct news){ .kind = NEWS_ENDED, .call = c->id, .status = 503 });
}

static void pick_up(struct call *c)
{
    loop_timer_stop(&c->timer);
    phone_begin_sound(c, true);         /* before the 200, so that no packet comes too early */
    phone_said(c, "200", sip_stack_answer(c->p->sip, c->id, &c->local));
}

static void join(struct call *c)
{
    phone_begin_sound(c, true);
    phone_talk(c);
}

static void stop_timers(struct call *c)
{
    loop_timer_stop(&c->timer);
    loop_timer_stop(&c->drop);
}

static void hang_up(struct call *c)
{
    stop_timers(c);
    phone_said(c, "hang-up", c->vanishes ? sip_stack_abandon(c->p->sip, c->id) : sip_stack_hangup(c->p->sip, c->id, 16));
}

static void close_leg(struct call *c)
{
    stop_timers(c);
    if (c->has_leg && !rtp_loop_close(c->p->rtp, c->id))
        return;
    phone_tell(c->p, &(struct news){ .kind = NEWS_CLOSED, .call = c->id });
}

void phone_call_free(struct call *c)
{
    loop_timer_done(&c->timer);
    loop_timer_done(&c->drop);
    manner_unref(c->m);
    free(c->record_path);
    free(c->context);
    free(c);
}

static void forget(struct call *c)
{
    map_take(c->p->calls, c->id);
    c->h->n_calls--;
    phone_call_free(c);
}

#define R_CELL(in, on, act_, to_) [ST_##in][EV_##on] = { act_, ST_##to_ },
#define R_ONE(in, on, act_, to_)  + 1
static const struct { act_fn *act; enum state to; } rules[N_STATES][N_EVENTS] = { RULES(R_CELL) };
static_assert(0 RULES(R_ONE) == N_STATES * N_EVENTS, "a state does not answer every event");

void phone_feed(struct call *c, enum event ev)         /* the only place the state changes */
{
    act_fn    *act = rules[c->state][ev].act;
    enum state to  = rules[c->state][ev].to;
    log_debug("sim", "call %llu: %s on %s -> %s", (unsigned long long)c->id, state_name[c->state], event_name[ev],
              state_name[to]);
    c->state = to;
    if (c->h->call == c->id)
        c->h->state = state_shown[to];
    act(c);                             /* last: it may free c */
}

/* -- decisions before the table --------------------------------------------------------------- */

static void on_timer(void *arg)
{
    struct call *c = arg;
    if (c->state == ST_TALKING)
        phone_press(c);                 /* when it is time, or nothing was heard for long enough */
    else
        phone_feed(c, c->status ? EV_HANG_UP : EV_PICK_UP);
}

static void on_drop(void *arg)
{
    phone_feed(arg, EV_HANG_UP);
}

/* ERR_BUSY: the phone network is full. */
enum err phone_call_new(struct call **out, struct phones *p, uint64_t id, struct handset *h, const char *peer,
                        bool outgoing)
{
    struct call *c = h ? calloc(1, sizeof *c) : NULL;
    if (!c)
        return ERR_NOMEM;
    *c = (struct call){ .p = p, .id = id, .h = h, .outgoing = outgoing };
    str_copyz(c->peer, sizeof c->peer, str_of(peer));
    enum err err = loop_timer_init(p->conf.loop, &c->timer, on_timer, c);
    if (!err)
        err = loop_timer_init(p->conf.loop, &c->drop, on_drop, c);
    if (!err)
        err = map_put(p->calls, id, c);
    if (!err) {
        err = rtp_loop_open(p->rtp, id);
        if (err)
            map_take(p->calls, id);
    }
    if (err) {
        phone_call_free(c);
        return err;
    }
    c->has_leg = true;
    h->n_calls++;
    if (!h->attached || h->state == HANDSET_IDLE) {     /* a second call to a busy handset does not become its call */
        h->call = id;
        h->state = outgoing ? HANDSET_DIALLING : HANDSET_RINGING;
        h->last = (struct handset_call){ .id = id, .outgoing = outgoing, .begun_us = clock_wall_us() };
        str_copyz(h->last.peer, sizeof h->last.peer, str_of(peer));
    }
    phone_decide(c);
    *out = c;
    return ERR_NONE;
}

/* -- news, on the simulator's loop --------------------------------------------------------------- */

static void on_incoming_news(struct phones *p, struct call *none, struct news *n)
{
    struct call *c = NULL;
    (void)none;
    enum err err = phone_call_new(&c, p, n->call, handsets_touch(p->conf.handsets, str_of(n->to)), n->from, false);
    if (err) {
        log_warn("sim", "call %llu cannot be taken: %s", (unsigned long long)n->call, err_words(err));
        (void)!sip_stack_reject(p->sip, n->call, handset_number_ok(str_of(n->to)) ? 503 : 404, 0);
        return;
    }
    c->remote = n->audio;
}

static void on_opened_news(struct phones *p, struct call *c, struct news *n)
{
    (void)p;
    c->local = n->audio;
    if (n->err) {
        c->has_leg = false;
        c->status = 503;
        c->q850 = c->refuse_ms = 0;
    }
    if (!c->outgoing)
        phone_feed(c, c->status && !c->refuse_ms ? EV_REFUSE : EV_RING);
    else
        phone_feed(c, n->err ? EV_ENDED : EV_PLACE);
}

static void on_joined_news(struct phones *p, struct call *c, struct news *n)
{
    (void)p;
    c->remote = n->audio;
    phone_feed(c, EV_JOINED);
}

static void on_changed_news(struct phones *p, struct call *c, struct news *n)
{
    (void)p;
    c->remote = n->audio;
    if (c->state == ST_TALKING && c->remote.port)
        phone_connect_sound(c);
}

static void on_ended_news(struct phones *p, struct call *c, struct news *n)
{
    (void)p;
    if (c->h->call == c->id) {
        c->h->last.status = n->status;
        c->h->last.q850 = n->q850;
        c->h->last.ended_us = clock_wall_us();
    }
    phone_feed(c, EV_ENDED);
    if (c->h->call == c->id)
        c->h->call = 0;
}

static void on_tone_news(struct phones *p, struct call *c, struct news *n)
{
    (void)p;
    char *keys = c->h->last.keys;
    size_t at = strlen(keys);
    if (c->h->call == c->id && at < HANDSET_KEYS_MAX)
        keys[at] = n->tone;
    if (c->m->echo == MANNER_ECHO_DTMF && c->state == ST_TALKING)
        phone_said(c, "echo", rtp_loop_send_tones(p->rtp, c->id, 0, (struct str){ &n->tone, 1 }));
}

static void on_heard_news(struct phones *p, struct call *c, struct news *n)
{
    (void)p, (void)n;
    if (c->state == ST_TALKING)
        phone_press(c);
}

static void on_recorded_news(struct phones *p, struct call *c, struct news *n)
{
    struct problem why = { 0 };
    (void)p;
    if (!c->record_path)
        return;
    if (audio_write_wav(c->record_path, n->samples, n->n, &why)) {
        log_error("sim", "a recording is lost: %s", why.text);
        return;
    }
    free(c->h->recording);
    c->h->recording = c->record_path;
    c->record_path = NULL;
}

static void on_closed_news(struct phones *p, struct call *c, struct news *n)
{
    struct handset_call *last = &c->h->last;
    (void)p;
    if (last->id == c->id) {
        last->counted = true;
        last->sent = n->counters.sent;
        last->received = n->counters.received;
        last->lost = n->counters.lost;
    }
    phone_feed(c, EV_CLOSED);
}

static void news_drop(struct inbox_item *item)
{
    struct news *n = container_of(item, struct news, item);
    free(n->samples);
    free(n);
}

static void on_news(void *owner, struct inbox_item *item)
{
    static void (*const handlers[N_NEWS])(struct phones *, struct call *, struct news *) = {
        [NEWS_INCOMING] = on_incoming_news, [NEWS_OPENED] = on_opened_news, [NEWS_JOINED] = on_joined_news,
        [NEWS_CHANGED] = on_changed_news, [NEWS_ENDED] = on_ended_news, [NEWS_TONE] = on_tone_news,
        [NEWS_HEARD] = on_heard_news, [NEWS_RECORDED] = on_recorded_news, [NEWS_CLOSED] = on_closed_news,
    };
    struct news *n = container_of(item, struct news, item);
    struct call *c = map_find(n->p->calls, n->call);
    (void)owner;
    if (c || n->kind == NEWS_INCOMING)
        handlers[n->kind](n->p, c, n);
    news_drop(item);
}

static const struct inbox_kind news_inbox_kind = { "sim.phone", on_news, news_drop };
