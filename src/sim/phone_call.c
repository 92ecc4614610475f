#include "sim/phone_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "net/audio.h"
#include "sim/magic.h"

#include <stdio.h>

enum { PROMPT_ANSWER_MS = 200 };

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
    R(ANSWERING, HANG_UP, hang_up,   LEAVING)     R(ANSWERING, JOINED,  talk,    TALKING)           \
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

/* A command that the stack refuses will be followed by the end of the call or of the stack. */
static void said(const struct call *c, const char *what, enum err err)
{
    if (err)
        log_warn("sim", "call %llu: %s failed: %s", (unsigned long long)c->id, what, err_words(err));
}

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
    said(c, "180", sip_stack_ring(c->p->sip, c->id, NULL));
    if (c->answer_ms != MAGIC_RINGS_ON)
        loop_timer_start(&c->timer, (int64_t)c->answer_ms * US_PER_MS);
}

static void hurry(struct call *c)
{
    c->answer_ms = 0;
}

static void refuse(struct call *c)
{
    loop_timer_stop(&c->timer);
    said(c, "refusal", sip_stack_reject(c->p->sip, c->id, c->status ? c->status : 603, c->status ? c->q850 : 21));
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
        .call = c->id, .peer = { c->p->inbound_host, c->p->inbound_port, SIP_UDP },
        .to = str_of(c->to), .from = str_of(c->h->number), .local = c->local,
    };
    enum err err = sip_stack_invite(c->p->sip, &plan);
    said(c, "INVITE", err);
    if (err)
        phone_tell(c->p, &(struct news){ .kind = NEWS_ENDED, .call = c->id, .status = 503 });
}

static void connect_sound(struct call *c)
{
    struct rtp_loop_peer peer = { .port = c->remote.port, .payload = c->remote.payload,
                                  .dtmf_payload = c->remote.dtmf_payload };
    snprintf(peer.host, sizeof peer.host, "%s", c->remote.host);
    said(c, "RTP", rtp_loop_connect(c->p->rtp, c->id, &peer));
}

static void begin_sound(struct call *c)
{
    connect_sound(c);
    c->record_path = c->h->record_path;
    c->h->record_path = NULL;
    c->h->will_answer = false;
    if (c->record_path)
        said(c, "recording", rtp_loop_record(c->p->rtp, c->id));
}

static void pick_up(struct call *c)
{
    loop_timer_stop(&c->timer);
    begin_sound(c);                     /* before the 200, so that no packet comes too early */
    said(c, "200", sip_stack_answer(c->p->sip, c->id, &c->local));
}

static void talk(struct call *c)
{
    if (c->keys)
        said(c, "listening", rtp_loop_listen(c->p->rtp, c->id, MAGIC_SOUND_MS));
    if (c->keys || c->hang_up_ms)
        loop_timer_start(&c->timer, (int64_t)(c->hang_up_ms ? c->hang_up_ms : MAGIC_DEAF_MS) * US_PER_MS);
}

static void join(struct call *c)
{
    begin_sound(c);
    talk(c);
}

static void hang_up(struct call *c)
{
    loop_timer_stop(&c->timer);
    said(c, "hang-up", sip_stack_hangup(c->p->sip, c->id, 16));
}

static void close_leg(struct call *c)
{
    loop_timer_stop(&c->timer);
    if (c->has_leg && !rtp_loop_close(c->p->rtp, c->id))
        return;
    phone_tell(c->p, &(struct news){ .kind = NEWS_CLOSED, .call = c->id });
}

static void forget(struct call *c)
{
    map_take(c->p->calls, c->id);
    loop_timer_done(&c->timer);
    c->h->n_calls--;
    free(c->record_path);
    free(c);
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

static void press_own_keys(struct call *c)
{
    if (c->keys)
        said(c, "keys", rtp_loop_send_tones(c->p->rtp, c->id, 0, str_of(c->keys)));
    c->keys = NULL;
}

static void on_timer(void *arg)
{
    struct call *c = arg;
    if (c->state == ST_RINGING)
        phone_feed(c, EV_PICK_UP);
    else if (c->state == ST_TALKING && c->keys)
        press_own_keys(c);              /* has heard nothing for long enough */
    else
        phone_feed(c, EV_HANG_UP);
}

/* How this phone takes its calls: as its user says, else as its magic says, else kindly. */
static void decide_manners(struct call *c)
{
    struct handset *h = c->h;
    const struct magic *m = magic_of(str_of(h->number));
    c->answer_ms = MAGIC_ANSWER_MS;
    if (h->attached && h->call != c->id) {
        c->status = 486;
        c->q850 = 17;
    } else if (h->attached) {
        c->answer_ms = h->will_answer ? PROMPT_ANSWER_MS : MAGIC_RINGS_ON;
    } else if (m) {
        c->status = m->status;
        c->q850 = m->q850;
        c->answer_ms = m->answer_ms ? m->answer_ms : MAGIC_ANSWER_MS;
        c->keys = m->keys;
        c->hang_up_ms = m->hang_up_ms;
    }
}

/* ERR_BUSY: the phone network is full. */
enum err phone_call_new(struct call **out, struct phones *p, uint64_t id, struct handset *h, const char *peer,
                        bool outgoing)
{
    struct call *c = h ? calloc(1, sizeof *c) : NULL;
    if (!c)
        return ERR_NOMEM;
    *c = (struct call){ .p = p, .id = id, .h = h, .outgoing = outgoing };
    enum err err = loop_timer_init(p->conf.loop, &c->timer, on_timer, c);
    if (!err)
        err = map_put(p->calls, id, c);
    if (!err) {
        err = rtp_loop_open(p->rtp, id);
        if (err)
            map_take(p->calls, id);
    }
    if (err) {
        loop_timer_done(&c->timer);
        free(c);
        return err;
    }
    c->has_leg = true;
    h->n_calls++;
    if (!h->attached || h->state == HANDSET_IDLE) {     /* a second call to a busy handset does not become its call */
        h->call = id;
        h->state = outgoing ? HANDSET_DIALLING : HANDSET_RINGING;
        h->last = (struct handset_call){ .outgoing = outgoing, .begun_us = clock_wall_us() };
        str_copyz(h->last.peer, sizeof h->last.peer, str_of(peer));
    }
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
    decide_manners(c);
}

static void on_opened_news(struct phones *p, struct call *c, struct news *n)
{
    (void)p;
    c->local = n->audio;
    if (n->err) {
        c->has_leg = false;
        c->status = 503;
        c->q850 = 0;
    }
    if (!c->outgoing)
        phone_feed(c, c->status ? EV_REFUSE : EV_RING);
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
        connect_sound(c);
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
}

static void on_heard_news(struct phones *p, struct call *c, struct news *n)
{
    (void)p, (void)n;
    if (c->state == ST_TALKING)
        press_own_keys(c);
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
    (void)p, (void)n;
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
