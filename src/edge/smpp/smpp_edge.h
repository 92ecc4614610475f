/* smpp_edge.h - SMSCs we bind to as a client (ESME): each bind is a carrier of domain/messages.
 *
 * One thread, `smpp`, with its own loop owns every bind: link, window, queue, rate, reassembly. The control thread
 * reaches a bind through carrier_ops alone, which only post; news goes back by messages_tell(). smpp_edge_new, _start, _add,
 * _stop and _free are called by app.c, _add on the control thread (it registers the carrier). (SMPP 3.4) */
#pragma once
#include "base/base.h"
#include "base/problem.h"
#include "codec/gsm7/gsm7.h"
#include "domain/messages/carrier.h"

struct messages;
struct smpp_edge;

enum smpp_bind_type { BIND_TRANSCEIVER, BIND_TRANSMITTER, BIND_RECEIVER };
enum { SMPP_STATUSES_MOST = 16, SMPP_TLVS_MOST = 256 };
struct smpp_statuses { uint32_t v[SMPP_STATUSES_MOST]; unsigned n; };

struct smpp_bind_conf {
    struct str name;                /* of the carrier: unique, 1..63 octets */
    struct str host;                /* name or address */
    uint16_t   port;
    struct str system_id;           /* 1..15 octets */
    struct str password;            /* 0..8 octets (SMPP 3.4, 5.2.2) */
    struct str system_type;         /* 0..12 octets */
    enum smpp_bind_type type;
    unsigned   window;              /* unanswered submit_sm at once, 1..1000; 0: 10 */
    unsigned   rate;                /* segments a second, 1..100000; 0: as fast as the SMSC answers */
    enum sms_way long_as;           /* texts of more than one segment */
    /* its manners: what it means beside what the specification says */
    enum carrier_id_form ids;
    struct smpp_statuses throttles, transients, permanents;     /* ESME_RTHROTTLED, ESME_RMSGQFUL; ESME_RSYSERR, ESME_RX_T_APPN; all others */
    struct smpp_statuses optouts;   /* command statuses that say: this recipient wants no texts of this sender */
    struct smpp_statuses optout_errors;     /* and what the err: of receipts that are not delivered says so */
    uint8_t    data_coding;         /* of GSM-7 texts */
    uint8_t    tlvs[SMPP_TLVS_MOST];    /* in each submit_sm, as on the wire */
    size_t     tlvs_n;
    bool       by_data_sm;          /* texts go as data_sm (SMPP 3.4, 4.7) */
    unsigned   query_after_s;       /* without a receipt for so long query_sm asks; 0: never */
    int64_t    answer_us;           /* within which a submit is answered; 0: 30 s */
    bool       tls;                 /* 1.2 or later, its chain and name proved */
    struct str tls_ca;              /* PEM of authorities to trust; empty: the system's */
    struct str tls_name;            /* in its certificate; empty: the host */
    bool       simulated;           /* the carrier's side of the wall (ARCHITECTURE.md) */
    /* An SMSC that has one deliver_sm under way at a time never sends part 2 while part 1 is unanswered: then parts but
     * the last are answered at once, and a crash before the last one loses them. */
    bool       answer_parts_early;
};

/** @return ERR_NOMEM, ERR_IO */
MUST_USE enum err smpp_edge_new(struct smpp_edge **out, struct messages *messages);
/** Start the thread: what was added before begins to bind now. @return ERR_NOMEM */
MUST_USE enum err smpp_edge_start(struct smpp_edge *edge);
/** Thread: control. Registers the carrier and starts binding, again and again until it stops.
 *  @return ERR_NONE, ERR_RANGE (`why` says which field), ERR_NOMEM */
MUST_USE enum err smpp_edge_add(struct smpp_edge *edge, const struct smpp_bind_conf *conf, struct problem *why);
/** Thread: control. The bind of that name is made anew, of the same kind: it must be there. What is under way may be answered for 5 s,
 *  what waits stays with the carrier. @return as smpp_edge_add(); then it is as it was */
MUST_USE enum err smpp_edge_replace(struct smpp_edge *edge, const struct smpp_bind_conf *conf, struct problem *why);
/** Thread: control. It unbinds for good. @return ERR_NOMEM */
MUST_USE enum err smpp_edge_remove(struct smpp_edge *edge, struct str name, struct problem *why);
struct smpp_probe_conf {
    struct str name;                /* of the carrier */
    struct str from, to;            /* `to` empty: nothing is submitted */
    unsigned   burst;               /* submits to see window and throttling, 0..1000 */
    unsigned   wait_s;              /* for a receipt, 1..60 */
};
/** ERR_NONE with the report as JSON; ERR_ABSENT (no such bind), ERR_NOMEM. On the smpp thread. */
typedef void smpp_probe_fn(void *arg, enum err err, struct str json, const struct problem *why);
/** Thread: control. Try the SMSC of a bind on further links. @return ERR_NOMEM; then no done */
MUST_USE enum err smpp_edge_probe(struct smpp_edge *edge, const struct smpp_probe_conf *conf, smpp_probe_fn *done, void *arg);
/** Unbind everywhere: what is under way may be answered for at most 5 s, what never left is told as refused for now.
 *  Then end the thread. Blocks; `messages` must still take news. Twice is fine. */
void smpp_edge_stop(struct smpp_edge *edge);
void smpp_edge_free(struct smpp_edge *edge);            /* stops first */
SCOPED_FREE(smpp_edge)
