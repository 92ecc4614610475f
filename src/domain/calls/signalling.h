/* signalling.h - what calls ask of a signalling edge (SIP), and what it tells them.
 *
 * The edge lives on the `sip` thread and owns dialogs and offer/answer (RFC 3261, 3264). ops only post there; news comes
 * by calls_tell_signalling(), from any thread. A leg's id is made by control for outbound legs and by the edge (from
 * the same struct ids) for inbound ones. Strings are borrowed for the duration of the call. */
#pragma once
#include "base/base.h"

struct calls;
struct leg_id { uint64_t v; };

struct media_address {
    char     host[46];          /* numeric IPv4 or IPv6 */
    uint16_t port;
    uint8_t  payload;           /* 0 PCMU, 8 PCMA */
    uint8_t  dtmf_payload;      /* RFC 4733 telephone-event; 0: not offered */
};

struct signalling_invite {
    struct leg_id        leg;
    struct str           trunk;     /* name of a trunk */
    struct str           from, to;  /* E.164 with '+' */
    struct str           display;   /* may be empty */
    struct media_address local;     /* where our RTP listens */
    int64_t              ring_us;   /* give up with CANCEL after this without a final answer */
};

struct signalling_ops {
    enum err (*invite)(void *edge, const struct signalling_invite *plan);
    enum err (*ring)(void *edge, struct leg_id leg);                                        /* 180 */
    enum err (*answer)(void *edge, struct leg_id leg, const struct media_address *local);   /* 200 */
    enum err (*reject)(void *edge, struct leg_id leg, int status, int q850);
    enum err (*hangup)(void *edge, struct leg_id leg, int q850);    /* BYE, or CANCEL before the answer */
};

enum signalling_news_kind { LEG_OFFERED, LEG_RINGING, LEG_ANSWERED, LEG_ENDED };
struct signalling_news {
    enum signalling_news_kind kind;
    struct leg_id        leg;
    struct str           trunk;         /* OFFERED */
    bool                 simulated;     /* OFFERED: the trunk's side of the wall */
    struct str           from, to, display;     /* OFFERED */
    struct str           context;       /* OFFERED: codec/sip/context.h */
    struct media_address remote;        /* OFFERED, ANSWERED; RINGING with early media (else port 0) */
    int                  status;        /* RINGING: 180/183; ENDED: the final status, 200 for a BYE */
    int                  q850;          /* ENDED: Reason: Q.850 cause, 0 when none */
    bool                 by_peer;       /* ENDED: the other side ended or refused it */
    char                 words[96];     /* ENDED: reason phrase, for explain */
};
/** Any thread. Copies. @return ERR_BUSY (control is full: the edge sheds with 503), ERR_NOMEM.
 *  Only LEG_OFFERED is ever refused with ERR_BUSY. */
MUST_USE enum err calls_tell_signalling(struct calls *c, const struct signalling_news *news);
