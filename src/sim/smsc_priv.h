/* smsc_priv.h - what smsc.c (links, submits) and smsc_out.c (receipts, replies) share. Thread: the simulator's loop. */
#pragma once
#include "base/buf.h"
#include "base/loop.h"
#include "base/map.h"
#include "net/smpp_session.h"
#include "net/sms_parts.h"
#include "net/tcp.h"
#include "sim/smsc.h"

enum { SYSTEM_ID_SIZE = 64, WAITING_MAX = 100000, WINDOW_OUT = 100 };

/* One deliver_sm on its way to an ESME: a receipt or a part of a reply. */
struct parcel {
    struct parcel *next;
    uint64_t  esme;                         /* the link it should go by; 0: any */
    char      system_id[SYSTEM_ID_SIZE];    /* another link of the same ESME will do; empty: anybody's */
    char      from[SMPP_NUMBER_SIZE], to[SMPP_NUMBER_SIZE];
    uint8_t   esm_class, data_coding;
    uint8_t   octets[SMPP_SHORT_MESSAGE_MAX];
    uint8_t   n;
    char      message_id[24];               /* receipts: receipted_message_id */
    uint8_t   state;                        /* receipts: message_state */
    uint32_t  err;                          /* receipts: network_error_code */
    unsigned  tries;
};
struct parcels { struct parcel *first, *last; };

/* What becomes of an accepted message, when its time has come. */
struct delivery {
    int64_t   due_us;                       /* mono */
    uint64_t  order;                        /* ties in order of arrival */
    struct smsc_outcome outcome;
    uint64_t  esme, message_id;
    char      system_id[SYSTEM_ID_SIZE];
    char      from[SMPP_NUMBER_SIZE], to[SMPP_NUMBER_SIZE], head[21];
    uint8_t   registered;                   /* registered_delivery (SMPP 3.4, 5.2.17) */
    int64_t   submitted_us;                 /* wall */
    char     *text;                         /* the whole message, when this was its last part; else NULL */
};

struct esme {
    struct esme         *next;
    struct smsc         *smsc;
    struct smpp_session *session;
    uint64_t             id;
    char                 system_id[SYSTEM_ID_SIZE];
    struct parcels       queue, sent;       /* to go; under way */
    bool                 up;
};

struct smsc {
    struct smsc_conf     conf;
    struct smsc_hooks    hooks;
    void                *arg;
    struct loop         *loop;
    struct tcp_listener *listener;
    struct esme         *esmes;
    struct sms_joiner   *joiner;
    struct strmap       *senders;           /* number -> id of the link it last sent by: its replies go there */
    int                  log_fd;
    uint64_t             last_esme, last_message, last_order;
    uint8_t              last_ref;
    struct delivery    **heap;              /* least due first */
    size_t               n_heap, heap_room;
    struct parcels       waiting;           /* for somebody to bind */
    struct parcels       retry;             /* answered with an error: again in a second */
    size_t               n_parcels;
    struct loop_timer    due, again;
};

/* smsc_out.c */
MUST_USE enum err smsc_out_init(struct smsc *s);
void smsc_out_done(struct smsc *s);
/** Room for one more, so that smsc_schedule() cannot fail. */
MUST_USE enum err smsc_make_room(struct smsc *s);
/** Takes the delivery. */
void smsc_schedule(struct smsc *s, struct delivery *d);
void smsc_delivery_free(struct delivery *d);
/** Somebody bound: what waits may go. */
void smsc_out_up(struct smsc *s);
/** Its queue waits for somebody else. */
void smsc_out_down(struct esme *e);
void smsc_out_answer(struct esme *e, struct parcel *p, enum err err, uint32_t status);
