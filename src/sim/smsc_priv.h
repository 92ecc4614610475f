/* smsc_priv.h - what the files of the simulated SMSC share: smsc.c (links, outages), smsc_submit.c (requests and their
 * answers), smsc_message.c (messages, ids, receipts), smsc_out.c (deliver_sm on their way), smsc_inject.c (from handsets).
 * Thread: the simulator's loop. */
#pragma once
#include "base/buf.h"
#include "base/fault.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/throttle.h"
#include "net/smpp_session.h"
#include "net/sms_parts.h"
#include "net/tcp.h"
#include "sim/due.h"
#include "sim/smsc.h"

enum { SYSTEM_ID_SIZE = 64, MESSAGE_ID_SIZE = 66, WAITING_MAX = 100000, WINDOW_OUT_MAX = 1000, MESSAGES_MAX = 200000,
       OVER_MAX = 10000 };

/* All binds of one system_id; lives as long as the SMSC. */
struct account {
    char     system_id[SYSTEM_ID_SIZE];
    unsigned binds;
};

/* One deliver_sm on its way to an ESME: a receipt, or a message or a part of one from a handset. */
struct parcel {
    struct parcel  *next;
    uint64_t        esme;                   /* the link it should go by; 0: any */
    struct account *account;                /* another link of the same ESME will do; NULL: anybody's */
    bool            other;                  /* a receipt that should not go by `esme` */
    char            from[SMPP_NUMBER_SIZE], to[SMPP_NUMBER_SIZE];
    uint8_t         esm_class, data_coding;
    uint8_t         octets[SMPP_SHORT_MESSAGE_MAX];
    uint8_t         n;
    char           *payload;                /* instead of octets; NULL: none */
    size_t          payload_n;
    struct sms_concat sar;                  /* total 0: none */
    char            message_id[MESSAGE_ID_SIZE];    /* receipts with TLVs: receipted_message_id */
    uint8_t         state;                  /* receipts: message_state */
    uint32_t        err;                    /* receipts: network_error_code */
    unsigned        tries;
};
struct parcels { struct parcel *first, *last; };

/* An accepted message, until its end and a while after: it can be asked for. */
struct message {
    struct due      due;
    struct message *next_over;
    struct account *account;
    uint64_t        esme, number;
    struct smsc_outcome outcome;            /* status: SMSC_LOSES, one of LOSS_... */
    char            id[MESSAGE_ID_SIZE];    /* as answered */
    char            from[SMPP_NUMBER_SIZE], to[SMPP_NUMBER_SIZE], head[21], service_type[8];
    uint8_t         registered;             /* registered_delivery (SMPP 3.4, 5.2.17) */
    uint8_t         state;                  /* SMPP_ENROUTE until it is over */
    enum sms_alphabet alphabet;
    bool            half_way;               /* it is due for its intermediate notification first */
    uint32_t        err;
    int64_t         submitted_us, over_us;  /* wall */
    int64_t         end_us;                 /* mono: of the message, when half_way */
    char           *text;                   /* the whole message, when this was its last part; else NULL */
};

struct esme {
    struct esme         *next;
    struct smsc         *smsc;
    struct smpp_session *session;
    struct account      *account;           /* NULL: not bound yet */
    uint64_t             id;
    char                 peer[64];
    uint32_t             bind;              /* SMPP_bind_transceiver, ... */
    int64_t              up_us;             /* wall */
    struct parcels       queue, sent;       /* to go; under way */
    unsigned             queued;
    struct throttle     *throttle;
    uint32_t             throttle_rate, throttle_burst;     /* what it was made for */
    uint64_t             submits;
    unsigned             unanswered;        /* submit_sm taken and not answered yet */
    bool                 up, stalled, resting;
    struct loop_timer    rest;              /* between two PDUs, when it reads slowly */
};

struct smsc_counts {
    uint64_t accepted, refused, delivered, undelivered, receipts, receipts_kept_back, from_handsets, given_up, cuts, outages,
             binds_refused;
};

struct mo_run;
struct smsc {
    struct smsc_conf     conf;
    struct smsc_ways     ways;
    struct smsc_ways     first_ways;    /* as it was made: a state that says nothing of them has these */
    struct smsc_hooks    hooks;
    void                *arg;
    struct loop         *loop;
    struct tcp_listener *listener;
    struct esme         *esmes;
    struct strmap       *accounts;          /* system_id -> struct account */
    struct sms_joiner   *joiner;
    struct strmap       *senders;           /* number -> struct account that last sent from it: its replies go there */
    struct strmap       *messages;          /* id -> struct message; of a submit_multi the last */
    struct message      *oldest_over, *newest_over;
    size_t               n_over, n_live;
    struct dues         *dues;
    int                  log_fd;
    uint64_t             last_esme, last_message, random;
    uint16_t             last_ref;
    struct parcels       waiting;           /* for somebody to bind */
    struct parcels       retry;             /* answered with an error: again in a second */
    size_t               n_parcels;
    struct loop_timer    again, outage_begins, outage_ends;
    int64_t              out_until_us;      /* wall; 0: no outage */
    struct mo_run       *runs, *endless;
    struct smsc_counts   counts;
};

/* smsc.c */
struct account *smsc_account(struct smsc *s, struct str system_id);         /* found or made; NULL: too many */
struct esme *smsc_esme(const struct smsc *s, uint64_t id);                  /* NULL: that link is gone */
bool smsc_chance(struct smsc *s, uint32_t percent);
int64_t smsc_jitter(struct smsc *s, int64_t most_us);                       /* 0..most_us */
void smsc_hold(struct esme *e);                                             /* read, or not, as the window and the pace say */
void smsc_cut_one(struct esme *e);

/* smsc_submit.c */
void smsc_request(struct esme *e, const struct smpp_pdu *pdu);

/* smsc_message.c */
/** Take one message for one recipient. `id` is set, for the answer; it is delivered when it is due.
 *  @param number   of its id: several recipients of one submit_multi share it
 *  @return ESME_ROK or why not */
uint32_t smsc_take(struct esme *e, const struct smpp_pdu *pdu, uint64_t number, char id[MESSAGE_ID_SIZE],
                   struct message **taken);
void smsc_settle_early(struct smsc *s, struct message *m);                  /* its receipt leaves now */
uint32_t smsc_query(struct esme *e, const struct smpp_query *q, struct smpp_query_resp *resp, char date[SMPP_TIME_SIZE]);
uint32_t smsc_cancel(struct esme *e, const struct smpp_cancel *c);
uint32_t smsc_replace(struct esme *e, const struct smpp_replace *r);
void smsc_messages_done(struct smsc *s);
void smsc_messages_clear(struct smsc *s);   /* forget them all; nobody hears of them */
/** The message that is due here; NULL: it is something else. */
struct message *smsc_message_of_due(struct due *d);
/** Takes a message of a snapshot. @return ERR_NOMEM */
MUST_USE enum err smsc_message_put_back(struct smsc *s, struct message *m);

/* smsc_out.c */
MUST_USE enum err smsc_out_init(struct smsc *s);
void smsc_out_done(struct smsc *s);
void smsc_out_clear(struct smsc *s);        /* forget what has not left yet */
/** @return NULL when too many wait, or out of memory */
struct parcel *smsc_parcel_new(struct smsc *s, const char *from, const char *to);
void smsc_parcel_free(struct smsc *s, struct parcel *p);
void smsc_parcels_add(struct parcels *list, struct parcel *p);
struct parcel *smsc_parcels_take(struct parcels *list);
void smsc_route(struct smsc *s, struct parcel *p);                          /* takes the parcel */
void smsc_out_up(struct smsc *s);           /* somebody bound: what waits may go */
void smsc_out_pump(struct smsc *s);         /* a window may be wider now */
void smsc_out_down(struct esme *e);         /* its queue waits for somebody else */
void smsc_out_answer(struct esme *e, struct parcel *p, enum err err, uint32_t status);

/* smsc_inject.c */
void smsc_inject_ways(struct smsc *s);      /* the settings have changed: moRate and its like */
void smsc_inject_done(struct smsc *s);
unsigned smsc_inject_runs(const struct smsc *s);
