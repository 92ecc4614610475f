/* phone_priv.h - a call, as phone.c (SIP, RTP, orders, life) and phone_call.c (what happens in a call) share it.
 * All of it lives on the simulator's loop, except that phone_tell() may be called on any thread. */
#pragma once
#include "base/inbox.h"
#include "base/loop.h"
#include "base/map.h"
#include "net/rtp_loop.h"
#include "net/sip_stack.h"
#include "sim/handset.h"
#include "sim/manner.h"
#include "sim/phone.h"

#include <stdatomic.h>

enum { MAGIC_ROWS_MAX = 64 };

struct phones {
    struct phones_conf conf;
    char               host[46], inbound_host[46];
    char              *folder;
    uint16_t           inbound_port;
    struct sip_stack  *sip;
    struct rtp_loop   *rtp;
    struct map        *calls;           /* struct call by id */
    struct manner     *kind;            /* of whom nobody told anything */
    struct manner     *others;          /* of "*"; NULL: untold */
    struct manner     *magic[MAGIC_ROWS_MAX];   /* by row, made when first needed */
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
    char            peer[HANDSET_NUMBER_MAX + 1];   /* empty: an anonymous caller */
    char           *context;            /* outgoing: codec/sip/context.h; NULL: none */
    struct sdp_audio local, remote;
    struct manner  *m;                  /* how it is taken; one reference */
    int             answer_ms;          /* incoming: after 180; MANNER_NEVER: when told */
    int             status, q850;       /* incoming: what it is refused with, refuse_ms after 180 */
    int             refuse_ms;          /* 0: at once, and it does not ring */
    bool            early;              /* 183 is out, sound flows */
    bool            will_press;         /* the keys of its manner are still to come */
    bool            vanishes;           /* ends without a BYE */
    char           *record_path;
    struct loop_timer timer;            /* ringing: to answer or refuse; talking: to press */
    struct loop_timer drop;             /* talking: to hang up */
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
    struct rtp_loop_counters counters;  /* CLOSED */
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
/* phone_manner.c */
/** How a call is taken, before anything is said in it: as its user says, else as it was told, else by magic, else kindly. */
void phone_decide(struct call *c);
/** Sound flows from and to the other end, as the manner and faults have it.  answered  false: early media */
void phone_begin_sound(struct call *c, bool answered);
void phone_connect_sound(struct call *c);       /* the other end is at c->remote now */
/** Answered, and the other end knows: say, press, listen, leave, as the manner has it. */
void phone_talk(struct call *c);
void phone_press(struct call *c);       /* the manner's keys, once */
/** A command that the stack refuses will be followed by the end of the call or of the stack: it is only logged. */
void phone_said(const struct call *c, const char *what, enum err err);

void phone_call_free(struct call *c);   /* its memory and timers alone */
void phone_feed(struct call *c, enum event ev);     /* may free c */
