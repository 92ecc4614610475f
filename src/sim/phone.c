#include "sim/phone.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/str.h"
#include "net/audio.h"
#include "net/rtp_loop.h"
#include "net/sip_stack.h"
#include "sim/handset.h"
#include "sim/magic.h"

#include <stdatomic.h>
#include <stdio.h>

enum { STOP_GRACE_MS = 300, PROMPT_ANSWER_MS = 200 };

struct phones {
    struct phones_conf conf;
    char               host[46], inbound_host[46];
    uint16_t           inbound_port;
    struct sip_stack  *sip;
    struct rtp_loop   *rtp;
    struct map        *calls;           /* struct call by id */
    _Atomic uint64_t   last_id;         /* the SIP thread numbers the calls that come in */
};

/* -- a call --------------------------------------------------------------- */

#define STATES(S)                                                                                   \
    S(OPENING,   HANDSET_RINGING)       /* waits for its RTP socket; nobody knows of it yet */      \
    S(RINGING,   HANDSET_RINGING)       /* 180 is out */                                            \
    S(ANSWERING, HANDSET_CONNECTED)     /* 200 is out, no ACK yet */                                \
    S(DIALLING,  HANDSET_DIALLING)      /* INVITE is out */                                         \
    S(TALKING,   HANDSET_CONNECTED)                                                                 \
    S(LEAVING,   HANDSET_IDLE)          /* BYE, CANCEL or refusal is out */                         \
    S(CLOSING,   HANDSET_IDLE)          /* SIP is over, RTP still counts up */
#define EVENTS(E)                                                                                   \
    E(RING) E(REFUSE) E(PLACE)          /* the socket is open, and this is the kind of call it is */\
    E(PICK_UP) E(HANG_UP)               /* by hand, or by a timer */                                \
    E(JOINED) E(ENDED)                  /* SIP says so */                                           \
    E(CLOSED)                           /* RTP says so */
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

#define STATE_ENUM(name, shown) ST_##name,
#define STATE_NAME(name, shown) #name,
#define STATE_SHOWN(name, shown) shown,
#define EVENT_ENUM(name) EV_##name,
#define EVENT_NAME(name) #name,
enum state { STATES(STATE_ENUM) N_STATES };
enum event { EVENTS(EVENT_ENUM) N_EVENTS };
static const char *const state_name[] = { STATES(STATE_NAME) };
static const char *const event_name[] = { EVENTS(EVENT_NAME) };
static const enum handset_state state_shown[] = { STATES(STATE_SHOWN) };

struct call {
    struct phones  *p;
    uint64_t        id;                 /* of the SIP call and of the RTP leg */
    enum state      state;
    struct handset *h;                  /* stays while it counts this call */
    bool            outgoing, has_leg;
    char            to[HANDSET_NUMBER_MAX + 1];     /* outgoing */
    struct sdp_audio local, remote;
    int             answer_ms;          /* incoming: after 180; MAGIC_RINGS_ON: when told */
    int             status, q850;       /* incoming: what it is refused with */
    const char     *keys;               /* pressed once sound was heard; NULL: none */
    int             hang_up_ms;         /* after the answer; 0: not by itself */
    char           *record_path;
    struct loop_timer timer;
};

typedef void act_fn(struct call *c);

/* A command that the stack refuses will be followed by the end of the call or of the stack. */
static void said(const struct call *c, const char *what, enum err err)
{
    if (err)
        log_warn("sim", "call %llu: %s failed: %s", (unsigned long long)c->id, what, err_words(err));
}

/* What happened, from the SIP and RTP threads, and from a call to itself. */
enum news_kind { NEWS_INCOMING, NEWS_OPENED, NEWS_JOINED, NEWS_CHANGED, NEWS_ENDED, NEWS_TONE, NEWS_HEARD, NEWS_RECORDED,
                 NEWS_CLOSED, N_NEWS };
struct news {
    struct inbox_item item;
    struct phones   *p;
    enum news_kind   kind;
    uint64_t         call;
    char             to[HANDSET_NUMBER_MAX + 1], from[HANDSET_NUMBER_MAX + 1];      /* INCOMING */
    struct sdp_audio audio;             /* INCOMING, JOINED, CHANGED: the other end; OPENED: this one */
    enum err         err;               /* OPENED */
    int              status, q850;      /* ENDED */
    char             tone;              /* TONE */
    int16_t         *samples;           /* RECORDED; owned */
    size_t           n;
};
static const struct inbox_kind news_inbox_kind;

static struct news *news_of(struct phones *p, const struct news *values)
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

static void tell(struct phones *p, const struct news *values)
{
    struct news *n = news_of(p, values);
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
        tell(c->p, &(struct news){ .kind = NEWS_ENDED, .call = c->id, .status = 487 });
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
        tell(c->p, &(struct news){ .kind = NEWS_ENDED, .call = c->id, .status = 503 });
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
    tell(c->p, &(struct news){ .kind = NEWS_CLOSED, .call = c->id });
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

static void feed(struct call *c, enum event ev)         /* the only place the state changes */
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
        feed(c, EV_PICK_UP);
    else if (c->state == ST_TALKING && c->keys)
        press_own_keys(c);              /* has heard nothing for long enough */
    else
        feed(c, EV_HANG_UP);
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
static enum err call_new(struct call **out, struct phones *p, uint64_t id, struct handset *h, const char *peer,
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
    enum err err = call_new(&c, p, n->call, handsets_touch(p->conf.handsets, str_of(n->to)), n->from, false);
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
        feed(c, c->status ? EV_REFUSE : EV_RING);
    else
        feed(c, n->err ? EV_ENDED : EV_PLACE);
}

static void on_joined_news(struct phones *p, struct call *c, struct news *n)
{
    (void)p;
    c->remote = n->audio;
    feed(c, EV_JOINED);
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
    feed(c, EV_ENDED);
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
    feed(c, EV_CLOSED);
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

/* -- the SIP thread --------------------------------------------------------------- */

/* "+1206..." as it is; a bare North American number gets its '+'; what is no number will be refused. */
static void number_copy(char dst[HANDSET_NUMBER_MAX + 1], struct str user)
{
    bool bare = user.n == 11 && user.p[0] == '1' && handset_number_ok(user);
    size_t at = 0;
    if (bare)
        dst[at++] = '+';
    str_copyz(dst + at, HANDSET_NUMBER_MAX + 1 - at, user.n <= HANDSET_NUMBER_MAX ? user : (struct str){ "", 0 });
}

static struct sip_verdict sip_on_incoming(void *user, const struct sip_incoming *in)
{
    struct phones *p = user;
    struct news values = { .kind = NEWS_INCOMING, .call = atomic_fetch_add(&p->last_id, 1) + 1, .audio = in->remote };
    number_copy(values.to, in->to);
    number_copy(values.from, in->asserted.n ? in->asserted : in->from);
    if (!handset_number_ok(str_of(values.to)))
        return (struct sip_verdict){ .status = 404, .q850 = 1 };
    struct news *n = news_of(p, &values);
    if (n && !inbox_post(loop_inbox(p->conf.loop), &n->item))
        return (struct sip_verdict){ .call = values.call };
    free(n);
    return (struct sip_verdict){ .status = 503, .retry_after_s = 1 };
}

static void sip_on_progress(void *user, uint64_t call, int status, const struct sdp_audio *early)
{
    (void)user, (void)call, (void)status, (void)early;      /* a handset that dials just waits */
}

static void sip_on_answered(void *user, uint64_t call, const struct sdp_audio *remote)
{
    tell(user, &(struct news){ .kind = NEWS_JOINED, .call = call, .audio = *remote });
}

static void sip_on_changed(void *user, uint64_t call, const struct sdp_audio *remote)
{
    tell(user, &(struct news){ .kind = NEWS_CHANGED, .call = call, .audio = *remote });
}

static void sip_on_ended(void *user, uint64_t call, const struct sip_end *end)
{
    tell(user, &(struct news){ .kind = NEWS_ENDED, .call = call, .status = end->status, .q850 = end->q850 });
}

/* -- the RTP thread --------------------------------------------------------------- */

static void rtp_on_opened(void *arg, uint64_t leg, enum err err, const char *host, uint16_t port)
{
    struct news n = { .kind = NEWS_OPENED, .call = leg, .err = err };
    n.audio = (struct sdp_audio){ .port = port, .payload = SDP_PCMU, .dtmf_payload = RTP_LOOP_DTMF_PAYLOAD,
                                  .ptime_ms = 20 };
    snprintf(n.audio.host, sizeof n.audio.host, "%s", host);
    tell(arg, &n);
}

static void rtp_on_tone(void *arg, uint64_t leg, char tone)
{
    tell(arg, &(struct news){ .kind = NEWS_TONE, .call = leg, .tone = tone });
}

static void rtp_on_heard(void *arg, uint64_t leg)
{
    tell(arg, &(struct news){ .kind = NEWS_HEARD, .call = leg });
}

static void rtp_on_recorded(void *arg, uint64_t leg, int16_t *samples, size_t n)
{
    tell(arg, &(struct news){ .kind = NEWS_RECORDED, .call = leg, .samples = samples, .n = n });
}

static void rtp_on_closed(void *arg, uint64_t leg, const struct rtp_loop_counters *counters)
{
    (void)counters;
    tell(arg, &(struct news){ .kind = NEWS_CLOSED, .call = leg });
}

static const struct rtp_loop_events rtp_events = {
    .opened = rtp_on_opened, .tone = rtp_on_tone, .heard = rtp_on_heard, .recorded = rtp_on_recorded,
    .closed = rtp_on_closed,
};

/* -- orders --------------------------------------------------------------- */

static struct call *call_of(const struct phones *p, const struct handset *h)
{
    return h->call ? map_find(p->calls, h->call) : NULL;
}

static enum err no_call(const struct handset *h, const char *what, struct problem *why)
{
    return problem_set(why, ERR_CONFLICT, "HandsetHasNoCall", "%s has no call to %s: it is %s.", h->number, what,
                       handset_state_name(h->state));
}

enum err phones_answer(struct phones *p, struct handset *h, struct problem *why)
{
    struct call *c = call_of(p, h);
    h->attached = true;
    if (c && (c->outgoing || h->state == HANDSET_CONNECTED))
        return problem_set(why, ERR_CONFLICT, "HandsetInCall", "%s is %s already.", h->number,
                           handset_state_name(h->state));
    h->will_answer = true;
    if (c)
        feed(c, EV_PICK_UP);
    return ERR_NONE;
}

enum err phones_press(struct phones *p, struct handset *h, struct str keys, struct problem *why)
{
    struct call *c = call_of(p, h);
    if (!c || c->state != ST_TALKING)
        return no_call(h, "press keys in", why);
    for (size_t i = 0; i < keys.n; i++)
        if (!memchr("0123456789*#ABCD", keys.p[i], 16))
            return problem_set(why, ERR_RANGE, "BadKeys", "Keys are 0-9 * # A-D.");
    if (!keys.n || keys.n > RTP_LOOP_TONES_MAX)
        return problem_set(why, ERR_RANGE, "BadKeys", "1 to %d keys can be pressed at once.", RTP_LOOP_TONES_MAX);
    return rtp_loop_send_tones(p->rtp, c->id, 0, keys);
}

enum err phones_hang_up(struct phones *p, struct handset *h, struct problem *why)
{
    struct call *c = call_of(p, h);
    if (!c || h->state == HANDSET_IDLE)
        return no_call(h, "end", why);
    feed(c, EV_HANG_UP);
    return ERR_NONE;
}

enum err phones_dial(struct phones *p, struct handset *h, struct str to, struct problem *why)
{
    struct call *c = NULL;
    if (!p->inbound_port)
        return problem_set(why, ERR_CONFLICT, "NowhereToCall", "The simulated networks have not been told where the "
                           "product takes its calls.");
    if (!handset_number_ok(to))
        return problem_set(why, ERR_RANGE, "BadNumber", "'" STR_FMT "' is not a number to dial.", STR_ARG(to));
    if (h->state != HANDSET_IDLE)
        return problem_set(why, ERR_CONFLICT, "HandsetInCall", "%s is %s already.", h->number,
                           handset_state_name(h->state));
    char peer[HANDSET_NUMBER_MAX + 1];
    str_copyz(peer, sizeof peer, to);
    enum err err = call_new(&c, p, atomic_fetch_add(&p->last_id, 1) + 1, h, peer, true);
    if (!err)
        memcpy(c->to, peer, sizeof peer);
    return err;
}

void phones_set_inbound(struct phones *p, struct str host, uint16_t port)
{
    str_copyz(p->inbound_host, sizeof p->inbound_host, host);
    p->inbound_port = port;
}

/* -- life --------------------------------------------------------------- */

static enum err make_nets(struct phones *p, struct problem *why)
{
    struct sip_stack_conf sip = {
        .name = "sim-sip", .host = p->host, .port = p->conf.sip_port, .user_agent = "Carterfone simulator",
        .events = { .on_incoming = sip_on_incoming, .on_progress = sip_on_progress, .on_answered = sip_on_answered,
                    .on_changed = sip_on_changed, .on_ended = sip_on_ended },
        .user = p,
    };
    struct rtp_loop_conf rtp = { .name = "sim-rtp", .host = p->host, .port_min = p->conf.rtp_min,
                                 .port_max = p->conf.rtp_max, .events = &rtp_events, .arg = p };
    p->calls = map_new();
    if (!p->calls)
        return ERR_NOMEM;
    enum err err = rtp_loop_new(&p->rtp, &rtp, why);
    if (!err)
        err = sip_stack_new(&p->sip, &sip, why);
    return err;
}

enum err phones_new(struct phones **out, const struct phones_conf *conf, struct problem *why)
{
    struct phones *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    p->conf = *conf;
    snprintf(p->host, sizeof p->host, "%s", conf->host);
    enum err err = make_nets(p, why);
    if (err) {
        phones_free(p);
        return err;
    }
    *out = p;
    return ERR_NONE;
}

enum err phones_start(struct phones *p)
{
    enum err err = rtp_loop_start(p->rtp);
    return err ? err : sip_stack_start(p->sip);
}

void phones_stop_sip(struct phones *p)
{
    if (p->sip)
        sip_stack_stop(p->sip, STOP_GRACE_MS);
}

void phones_stop_rtp(struct phones *p)
{
    rtp_loop_free(p->rtp);
    p->rtp = NULL;
}

void phones_free(struct phones *p)
{
    if (!p)
        return;
    sip_stack_free(p->sip);
    phones_stop_rtp(p);
    size_t at = 0;
    uint64_t id;
    void *call;
    while (p->calls && map_next(p->calls, &at, &id, &call)) {
        struct call *c = call;
        loop_timer_done(&c->timer);
        free(c->record_path);
        free(c);
    }
    map_free(p->calls);
    free(p);
}

uint16_t phones_sip_port(const struct phones *p)
{
    return sip_stack_port(p->sip);
}
