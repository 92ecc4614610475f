/* phone_priv.h - a call, as phone.c (SIP, RTP, orders, life) and phone_call.c (what happens in a call) share it.
 * All of it lives on the simulator's loop, except that phone_tell() may be called on any thread. */
#pragma once
#include "base/inbox.h"
#include "base/loop.h"
#include "base/map.h"
#include "net/rtp_loop.h"
#include "net/sip_stack.h"
#include "sim/handset.h"
#include "sim/phone.h"

#include <stdatomic.h>

struct phones {
    struct phones_conf conf;
    char               host[46], inbound_host[46];
    uint16_t           inbound_port;
    struct sip_stack  *sip;
    struct rtp_loop   *rtp;
    struct map        *calls;           /* struct call by id */
    _Atomic uint64_t   last_id;         /* the SIP thread numbers the calls that come in */
};

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
#define STATE_ENUM(name, shown) ST_##name,
#define EVENT_ENUM(name) EV_##name,
enum state { STATES(STATE_ENUM) N_STATES };
enum event { EVENTS(EVENT_ENUM) N_EVENTS };

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

/** Post what happened to the simulator's loop; `samples` is given away. Out of memory: it is logged and lost. */
void phone_tell(struct phones *p, const struct news *values);
/** The same, for the caller to post. NULL: out of memory. */
struct news *phone_news_of(struct phones *p, const struct news *values);
/** Make a call and open its RTP leg; what comes of it is told. @param h  NULL is answered with ERR_NOMEM
 *  @return ERR_NOMEM, ERR_BUSY */
MUST_USE enum err phone_call_new(struct call **out, struct phones *p, uint64_t id, struct handset *h, const char *peer,
                                 bool outgoing);
void phone_feed(struct call *c, enum event ev);     /* may free c */
