/* bind_priv.h - what the files of the SMPP edge share: smpp_edge.c (thread, inbox), bind.c (the link), bind_out.c
 * (messages out), bind_in.c (receipts and messages in). Thread: smpp, but for what says otherwise. */
#pragma once
#include "base/buf.h"
#include "base/inbox.h"
#include "base/loop.h"
#include "base/json.h"
#include "base/map.h"
#include "domain/messages/carrier.h"
#include "edge/smpp/pacer.h"
#include "edge/smpp/pairs.h"
#include "edge/smpp/smpp_edge.h"
#include "net/smpp_session.h"
#include "net/sms_parts.h"
#include "net/tls.h"

#include <semaphore.h>
#include <stdatomic.h>

enum segment_state { SEGMENT_WAITS, SEGMENT_UNDER_WAY, SEGMENT_TAKEN };

/* A message on its way out: made by the control thread in submit(), posted, from then on the bind's. */
struct outgoing {
    struct inbox_item item;             /* first: an undrained inbox frees it */
    struct smsc_bind *bind;
    struct paired     pair;
    struct outgoing  *older, *newer;    /* in order of submission */
    struct outgoing  *next_later;
    uint64_t          message, order;
    struct str        from, to, text;   /* behind the struct */
    bool              wants_receipt;
    uint32_t          validity_s;
    uint16_t          ref;              /* of its parts */
    unsigned          segments, waiting, under_way;
    unsigned          billed;           /* segments that each of these counts for */
    uint8_t           state[SMS_SEGMENTS_MAX];      /* enum segment_state */
    unsigned          tries;            /* answers of a passing failure */
    unsigned          thrown_back;      /* answers of an SMSC that was too busy */
    struct carrier_busy busy;           /* the same, and passing failures, since something was last told of it */
    int64_t           not_before_us;    /* mono; 0: now. Else it is in the list of those that go later */
    bool              lost;             /* a segment was never answered */
    bool              may_have_it;      /* and it had left */
    uint32_t          refused;          /* command_status; 0: it was not */
    bool              transient, opted_out;
    struct buf        tlvs;             /* of that answer, for people */
    char              bytes[];
};

/* How it does: written by its thread, read by others. */
struct bind_health {
    _Atomic uint32_t  errors, throttles;        /* share of the last hundred or so answers, of 65,536 */
    _Atomic uint32_t  under_way, window, rate;  /* now */
    _Atomic uint32_t  losses;                   /* links lost since the start */
    _Atomic uint32_t  bind_status;              /* of the last bind that was refused; 0: none was since */
    _Atomic int64_t   since_us;                 /* of the state, wall */
    const char *_Atomic why;                    /* it is not bound; static; NULL: it is, or was not tried */
    _Atomic int64_t   next_us;                  /* when it is tried again, wall; 0: it is bound, or being tried */
};

/* Something that the SMSC is asked: made by the control thread in ask(), posted, from then on the bind's. */
struct bind_ask {
    struct inbox_item item;             /* first: an undrained inbox frees it */
    struct smsc_bind *bind;
    struct bind_ask  *next;
    enum carrier_verb verb;
    uint64_t          message;
    uint32_t          segment;
    struct str        remote_id, from, to, text;    /* behind the struct */
    char              bytes[];
};
#define BIND_ASK_TAG (UINT64_C(1) << 63)    /* in the session's tag, with the address of a struct bind_ask; else a flight's index */

struct flight {                         /* a submit_sm under way; its index is the session's tag */
    struct outgoing *msg;
    unsigned         segment;
    int              next_free;
};

/* deliver_sm and data_sm that wait for a token to be settled. A handle is a sequence_number, with DATA_SM where it was that; 0: it was
 * answered before. */
#define DATA_SM (UINT64_C(1) << 32)
struct held {
    size_t   n;
    uint64_t handle[];
};

struct smsc_bind {
    struct smsc_bind *next;
    struct smpp_edge *edge;
    /* written before the bind goes to its thread, read by both from then on */
    struct smpp_bind_conf conf;
    char              name[64], host[256], system_id[16], password[9], system_type[13];
    char              tls_name[256];
    struct tls_context *tls;            /* NULL: plain */
    char              account[288];     /* binds to one SMSC have the same */
    unsigned          number;           /* of the carrier */
    unsigned          room;             /* messages it may hold */
    /* shared */
    _Atomic unsigned  admitted;
    _Atomic bool      up, wants_room;
    _Atomic unsigned  asks_n;           /* asked and not answered yet */
    struct bind_health health;

    struct smpp_session *session;       /* NULL between links */
    struct smsc_bind  *successor;       /* starts when this one has ended */
    struct smsc_bind  *predecessor;     /* until it has ended */
    bool               started;
    bool               retired;         /* it ends, and does not begin again; kept until the edge ends */
    struct loop_timer reconnect, pace, later, join, quiet;
    int64_t           reconnect_us;     /* the next wait, before jitter */
    int64_t           bound_us;         /* mono */
    bool              told_up, used;    /* used: since it is bound something was answered or came */

    struct pacer      pacer;
    struct pairs     *pairs;
    struct outgoing  *laters;           /* that wait for a moment of their own, in no order */
    struct outgoing  *oldest, *newest, *next_out;   /* next_out: the oldest with a waiting segment */
    uint64_t          last_order;
    uint16_t          last_ref;
    struct flight    *flights;
    int               free_flight;
    unsigned          window;           /* now: 1 after throttling, then doubling up to conf.window */
    bool              paced;            /* the pace timer runs: nothing leaves before */
    bool              stopped;          /* by throttles, until the pace timer */
    bool              stalled;          /* told so: it took nothing for long */
    struct mono       answered;         /* the last submit was, or the bind */
    int64_t           silence_us;       /* how long it was left alone for answering none; 0: it answers */

    struct bind_ask  *asks, *asked;     /* that wait in order; that are under way */
    unsigned          asked_n;

    struct sms_joiner *joiner;
    bool               early;           /* parts but the last are answered at once: told so, or learned */
    bool               released;        /* parts were answered before their message was whole */
    struct mono        released_at;     /* ... the last ones */
    struct map        *held;            /* token -> struct held */
    uint64_t           last_token;
};

/* What a command_status means with this SMSC. */
enum means { MEANS_BUSY, MEANS_PASSING, MEANS_OPTED_OUT, MEANS_NEVER };

struct smpp_edge {
    struct messages  *messages;
    struct loop      *loop;
    struct smsc_bind *binds;            /* smpp thread, or after it ended */
    struct probing   *probes;           /* that go on */
    bool              started;          /* its thread runs; the owner's */
    bool              stopping;
    sem_t             stopped;
};

/* smpp_edge.c */
bool bind_tell(struct smsc_bind *b, struct carrier_news *news);     /* false: out of memory */
void edge_bind_ended(struct smpp_edge *edge);
int64_t jittered(int64_t us);                                       /* 50 to 150 % */

/* bind.c */
void bind_start(struct smsc_bind *b);
void bind_stop(struct smsc_bind *b);
/** Stop for good: what is under way may be answered for at most 5 s, what has not left is given back. Then the successor starts, with
 *  what was received in part. @param successor  not started; NULL: none */
void bind_retire(struct smsc_bind *b, struct smsc_bind *successor);
MUST_USE enum err bind_new(struct smsc_bind **out, struct smpp_edge *edge, const struct smpp_bind_conf *conf,
                           struct problem *why);
void bind_free(struct smsc_bind *b);

/* bind_means.c: its profile goes before the specification */
enum means bind_means(const struct smpp_bind_conf *conf, uint32_t status);
bool bind_error_is_optout(const struct smpp_bind_conf *conf, uint32_t err);

/* bind_out.c */
void bind_out_take(struct smsc_bind *b, struct outgoing *msg);
void bind_out_pump(struct smsc_bind *b);
void bind_out_call_back(struct smsc_bind *b, struct str from, struct str to);    /* carrier_ops.call_back */
void bind_out_pace(struct smsc_bind *b, int64_t wait_us);   /* nothing leaves before */
void bind_out_answer(struct smsc_bind *b, uint64_t tag, enum err err, const struct smpp_pdu *answer);
void bind_out_lose_waiting(struct smsc_bind *b);    /* we are stopping: what has not left never will */
void bind_out_lose_all(struct smsc_bind *b);        /* the link is gone; after CARRIER_DOWN */
void bind_out_free(struct smsc_bind *b);

void bind_out_later(void *bind);
void bind_out_resume(struct smsc_bind *b);          /* the pace timer: a stop is over */
void bind_out_show(const struct smsc_bind *b, struct jw *w);    /* any thread */

/* bind_ask.c */
void bind_ask_take(struct smsc_bind *b, struct bind_ask *a);
void bind_ask_pump(struct smsc_bind *b);
void bind_ask_answer(struct smsc_bind *b, uint64_t tag, enum err err, const struct smpp_pdu *answer);
void bind_ask_lose_all(struct smsc_bind *b);        /* the link is gone; those under way were told by the session */
void bind_ask_free(struct smsc_bind *b);

/* bind_in.c */
void bind_in_request(struct smsc_bind *b, const struct smpp_pdu *deliver_sm);
void bind_in_settle(struct smsc_bind *b, uint64_t token, enum err err);
void bind_in_recall(struct smsc_bind *b, const struct sms_part *part);   /* of an earlier run; its handle is 0 */
void bind_in_overdue(void *bind);
void bind_in_quiet(void *bind);
void bind_in_clear(struct smsc_bind *b);            /* the link is gone: nobody waits for these answers */

/* probing.c */
struct inbox_item;
void probing_stop_all(struct smpp_edge *edge);
