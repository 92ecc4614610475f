/* carrier.h - what messages ask of anything able to carry one, and what a carrier tells them.
 *
 * A carrier (an SMPP bind) lives on its own thread: ops only post there and return at once; news comes by
 * messages_tell(), from any thread. Strings are borrowed for the duration of the call, both ways. */
#pragma once
#include "base/base.h"

struct jw;
struct messages;

struct carrier_message {
    uint64_t   message;             /* its key; comes back in news */
    struct str from, to;            /* E.164 with '+', or a short code / sender id as `from` */
    struct str text;                /* UTF-8 */
    bool       wants_receipt;
    uint32_t   validity_s;          /* 0: the carrier's default */
};

/* How an SMSC writes the id of a message in receipts, beside how it wrote it in its answer. */
#define CARRIER_ID_FORMS(F) F(AUTO, "auto") F(SAME, "same") F(HEX_DEC, "hex-dec") F(DEC_HEX, "dec-hex")
#define CARRIER_ID_ENUM(name, word) CARRIER_ID_##name,
enum carrier_id_form { CARRIER_ID_FORMS(CARRIER_ID_ENUM) };
#undef CARRIER_ID_ENUM
struct carrier_profile {
    struct str           smsc;      /* binds to the same SMSC say the same: a receipt may come by another than its submit */
    enum carrier_id_form ids;       /* AUTO: to be learned */
    int64_t              query_after_us;    /* without a receipt for so long it is asked; 0: never */
};

/* A part of a message that comes in. `body` is the carrier's own writing. */
struct carrier_part {
    uint16_t ref;
    uint8_t  total, number;             /* number: 1 .. total */
};

/* What a carrier may be asked about a segment that it took. */
#define CARRIER_VERBS(V) V(CANCEL, "cancel_sm") V(QUERY, "query_sm") V(REPLACE, "replace_sm")
#define CARRIER_VERB_ENUM(name, word) CARRIER_##name,
enum carrier_verb { CARRIER_VERBS(CARRIER_VERB_ENUM) };
#undef CARRIER_VERB_ENUM
struct carrier_ask {
    enum carrier_verb verb;
    uint64_t          message;
    uint32_t          segment;
    struct str        remote_id;        /* as the carrier wrote it */
    struct str        from, to;         /* as in carrier_message */
    struct str        text;             /* REPLACE: one segment, in the alphabet of the one before */
};

struct carrier_ops {
    /** NULL: it only receives. Start one message. Its outcome comes later by news: exactly one CARRIER_SUBMITTED a segment, or one
     *  CARRIER_REFUSED, or CARRIER_LOST when the link went before the answer (it may or may not have arrived).
     *  @return ERR_NONE; ERR_BUSY: the carrier's inbox is full, try again on CARRIER_ROOM */
    enum err (*submit)(void *carrier, const struct carrier_message *msg);
    /** News with a token has been committed (ERR_NONE) or could not be (then the peer is told to send it again). */
    void (*settle)(void *carrier, uint64_t token, enum err err);
    /** What is known of it; asked once, when it is added. NULL: nothing. `smsc` lives as long as the carrier. */
    void (*profile)(void *carrier, struct carrier_profile *out);
    /** How it does, as members of an open object (JSON). NULL: it has nothing to say. */
    void (*show)(void *carrier, struct jw *w);
    /** Ask it; one CARRIER_ANSWERED follows, whatever happens. NULL: it cannot be asked.
     *  @return ERR_NONE; ERR_BUSY: its link is down, or too much is asked at once; then nothing follows */
    enum err (*ask)(void *carrier, const struct carrier_ask *ask);
    /** Give back, as CARRIER_LOST, what has not left: of `from` to `to`, or all when both are empty. NULL: it keeps nothing back */
    void (*call_back)(void *carrier, struct str from, struct str to);
    /** A part that an earlier run kept (CARRIER_PART): it was answered, and comes no more. NULL: it never told one. */
    void (*recall)(void *carrier, struct str from, struct str to, const struct carrier_part *part, struct str body);
};

enum carrier_news_kind {
    CARRIER_UP,                     /* bound: ready for submits */
    CARRIER_DOWN,                   /* not bound */
    CARRIER_ROOM,                   /* after ERR_BUSY */
    CARRIER_STALLED,                /* bound, but it has taken nothing for long: no submits until CARRIER_UP */
    CARRIER_SUBMITTED,              /* message, segment, segments, billed, remote_id */
    CARRIER_REFUSED,                /* message, status, transient: the last word on it, after the segments that did go */
    CARRIER_LOST,                   /* message, may_have_it: the last word on it. Its link went before an answer, or before it left */
    CARRIER_RECEIPT,                /* token, remote_id, state, status, from, to: as the deliver_sm has them, so `from` is
                                     * the handset the receipt is about and `to` our number */
    CARRIER_PART,                   /* token, from, to, part, text (anything): kept until the message is told, and over a restart */
    CARRIER_INBOUND,                /* token, from, to, text, segments; part.total not 0: what was kept of it is forgotten */
    CARRIER_ANSWERED,               /* message, segment, remote_id, verb, status; of a QUERY with status 0 also state, error */
};
#define CARRIER_NO_ANSWER 0xffffffffu   /* ANSWERED, status: the link went, or it took too long */
enum carrier_state { RECEIPT_DELIVERED, RECEIPT_EXPIRED, RECEIPT_DELETED, RECEIPT_UNDELIVERABLE, RECEIPT_ACCEPTED,
                     RECEIPT_UNKNOWN, RECEIPT_REJECTED, RECEIPT_ENROUTE };

enum { CARRIER_TLVS_SHOWN = 640 };      /* octets of carrier_news.tlvs in a trail */

struct carrier_news {
    enum carrier_news_kind kind;
    unsigned           carrier;     /* what messages_add_carrier() answered */
    uint64_t           message;
    uint32_t           segment, segments;   /* segment from 0: what travels and is answered by itself */
    uint32_t           billed;      /* SUBMITTED: it is charged as so many segments, when the SMSC cuts it; 0: one */
    struct str         remote_id;   /* the SMSC's message_id as it wrote it */
    uint32_t           status;      /* SMPP command_status, or the receipt's err: field */
    bool               transient;   /* REFUSED: worth trying again (throttled, queue full, system error) */
    bool               opted_out;   /* REFUSED, RECEIPT: the carrier says that this recipient wants no texts of this sender */
    struct carrier_busy {           /* SUBMITTED, REFUSED, LOST: how often the peer put it off since the last of these; times are mono */
        uint32_t times, status;     /* the last command_status */
        int64_t  first_us, last_us;
    }                  busy;
    bool               may_have_it; /* LOST: a part of it left and was not answered: the SMSC may have taken it */
    enum carrier_state state;
    enum carrier_verb  verb;        /* ANSWERED */
    uint32_t           error;       /* ANSWERED, QUERY: its error_code */
    struct str         from, to, text;
    struct carrier_part part;       /* PART, INBOUND */
    struct str         tlvs;        /* SUBMITTED, REFUSED, RECEIPT, INBOUND, ANSWERED: optional parameters we do not know, for its trail */
    uint64_t           token;       /* to be settled */
};

/** Thread: control. @return the carrier's number, 1.. ; 0 when out of memory */
unsigned messages_add_carrier(struct messages *m, struct str name, bool simulated, const struct carrier_ops *ops,
                              void *carrier);
/** Thread: control. Another in its place, by the same name and number: what waits for it goes on waiting. It must be there. @return the one before */
void *messages_replace_carrier(struct messages *m, struct str name, const struct carrier_ops *ops, void *carrier, unsigned *number);
/** How many messages wait for it, or are in its hands. */
size_t messages_carrier_busy(const struct messages *m, struct str name);
/** Thread: control. It is there no more: never chosen, never shown. What waits for it lines up elsewhere.
 *  @return what it was added with */
void *messages_remove_carrier(struct messages *m, struct str name);
/** Thread: control. Once the carrier can take them: parts that an earlier run kept, to its recall(). */
void messages_recall(struct messages *m, unsigned carrier);
/** Any thread. Copies. Never refused: a carrier has at most its window of news under way. @return ERR_NOMEM */
MUST_USE enum err messages_tell(struct messages *m, const struct carrier_news *news);
