/* fault.h - temporary faults: one registry for every edge, one text form for the API, the command line and `carterfone sim`.
 *
 *     api 429 path=/sms count=3              store slow=50ms for=10s
 *     smsc drop-submit to=+1206555* p=0.01   phone busy number=+12065550100
 *     webhook 503 url=https://shop.test/hook count=2
 * First the edge, then the kind (which may carry its value: slow=50ms), then words key=value in any order: what it matches
 * (a trailing * is any rest; path and url match what is below them too), how often (count=N at most, every=N each N-th,
 * p=0.01 by chance), until when (for=10s), and the values of its kind. docs/faults.md says it at length.
 *
 * One per process, like metrics; any thread. While nothing is armed a question costs one relaxed load. Asking counts: a
 * fault that strikes has struck, so ask where you act upon it, and once. Time here is mono: the product clock moves none. */
#pragma once
#include "base/base.h"
#include "base/problem.h"

#include <stdatomic.h>

/* enum, word */
#define FAULT_EDGES(E) E(API, "api") E(STORE, "store") E(SMSC, "smsc") E(PHONE, "phone") E(WEBHOOK, "webhook")

/* edge, enum, word (#: a status, 400 to 599, stands there), values it takes, code by default, delay by default (ms), what it does.
 * The first value it takes is the one that `kind=value` gives. */
#define FAULT_KINDS(K)                                                                                                       \
    K(API, API_STATUS, "#", FAULT_DELAY, 0, 1000, "answers this status; delay= is its Retry-After")                          \
    K(API, API_DELAY, "delay", FAULT_DELAY, 0, 1000, "the request waits before it is looked at")                             \
    K(API, API_DROP, "drop", 0, 0, 0, "the connection is cut, the request never looked at")                                  \
    K(API, API_DROP_ANSWER, "drop-answer", 0, 0, 0, "the request is done, the connection cut instead of an answer")          \
    K(STORE, STORE_SLOW, "slow", FAULT_DELAY, 0, 50, "each commit takes so much longer")                                     \
    K(STORE, STORE_ERROR, "error", 0, 0, 0, "a unit of writing fails as if the disk did; nothing of it is kept")             \
    K(STORE, STORE_FULL, "full", 0, 0, 0, "the same, in the words of a full disk")                                           \
    K(STORE, STORE_READ_ERROR, "read-error", 0, 0, 0, "a read fails")                                                        \
    K(SMSC, SMSC_DROP_SUBMIT, "drop-submit", 0, 0, 0, "a submit_sm is neither taken nor answered")                           \
    K(SMSC, SMSC_DROP_RESPONSE, "drop-response", 0, 0, 0, "a submit_sm is taken, its answer lost")                           \
    K(SMSC, SMSC_DELAY, "delay", FAULT_DELAY, 0, 1000, "the answer to a submit_sm waits")                                    \
    K(SMSC, SMSC_THROTTLE, "throttle", 0, 0x58, 0, "ESME_RTHROTTLED")                                                        \
    K(SMSC, SMSC_QUEUE_FULL, "queue-full", 0, 0x14, 0, "ESME_RMSGQFUL")                                                      \
    K(SMSC, SMSC_REJECT, "reject", FAULT_CODE, 0x08, 0, "the submit_sm_resp has this command_status")                        \
    K(SMSC, SMSC_UNDELIVERED, "undelivered", FAULT_CODE, 1, 0, "the receipt says UNDELIV with this error")                   \
    K(SMSC, SMSC_NO_RECEIPT, "no-receipt", 0, 0, 0, "a receipt that was asked for never comes")                              \
    K(SMSC, SMSC_TWICE_RECEIPT, "twice-receipt", 0, 0, 0, "the receipt comes twice")                                         \
    K(SMSC, SMSC_EARLY_RECEIPT, "early-receipt", 0, 0, 0, "the receipt comes before the submit_sm_resp")                     \
    K(SMSC, SMSC_LATE_RECEIPT, "late-receipt", FAULT_DELAY, 0, 60000, "the receipt comes so much later")                     \
    K(SMSC, SMSC_DISCONNECT, "disconnect", 0, 0, 0, "the link is cut at a submit_sm, which is not taken")                    \
    K(SMSC, SMSC_REFUSE_BIND, "refuse-bind", FAULT_CODE, 0x0d, 0, "a bind is answered with this command_status")             \
    K(PHONE, PHONE_BUSY, "busy", 0, 486, 0, "486 Busy Here")                                                                 \
    K(PHONE, PHONE_NO_ANSWER, "no-answer", 0, 0, 0, "it rings and nobody answers")                                           \
    K(PHONE, PHONE_REJECT, "reject", FAULT_CODE, 603, 0, "the call is refused with this SIP status, 400 to 699")             \
    K(PHONE, PHONE_SILENT, "silent", 0, 0, 0, "the INVITE gets no response at all")                                          \
    K(PHONE, PHONE_DELAY, "delay", FAULT_DELAY, 0, 5000, "the answer comes so much later")                                   \
    K(PHONE, PHONE_BAD_AUDIO, "bad-audio", FAULT_LOSS, 20, 0, "so many per cent of the packets it sends are lost")           \
    K(PHONE, PHONE_ONE_WAY, "one-way", 0, 0, 0, "an answered call sends no sound")                                           \
    K(PHONE, PHONE_DROP, "drop", FAULT_DELAY, 0, 1000, "an answered call ends without a BYE, so long after the answer")      \
    K(WEBHOOK, WEBHOOK_STATUS, "#", FAULT_DELAY, 0, 0, "the other end seems to answer this status; nothing is sent")         \
    K(WEBHOOK, WEBHOOK_DELAY, "delay", FAULT_DELAY, 0, 1000, "the request leaves so much later")                             \
    K(WEBHOOK, WEBHOOK_REFUSED, "refused", 0, 0, 0, "the connection seems refused; nothing is sent")                         \
    K(WEBHOOK, WEBHOOK_TIMEOUT, "timeout", 0, 0, 0, "nothing is sent, and no answer comes until the request's own deadline")

#define FAULT_EDGE_ENUM(name, word) FAULT_##name,
#define FAULT_KIND_ENUM(edge, name, ...) FAULT_##name,
enum fault_edge { FAULT_EDGES(FAULT_EDGE_ENUM) FAULT_EDGE_COUNT };
enum fault_kind { FAULT_KINDS(FAULT_KIND_ENUM) FAULT_KIND_COUNT };
#undef FAULT_EDGE_ENUM
#undef FAULT_KIND_ENUM
static_assert(FAULT_KIND_COUNT <= 64, "kinds are bits of one word");

enum { FAULT_DELAY = 1, FAULT_CODE = 2, FAULT_LOSS = 4 };          /* values a kind may take */
enum { FAULT_MAX = 256, FAULT_TEXT_SIZE = 512 };
#define FAULT_BIT(kind) (UINT64_C(1) << FAULT_##kind)              /* FAULT_BIT(PHONE_BUSY) | FAULT_BIT(PHONE_REJECT) */

/* What is at hand where a fault may strike; what has no meaning there stays empty, and then matches no word that asks for it.
 * Numbers with or without '+'. `number=` matches number, to or from. */
struct fault_subject {
    struct str number, to, from;            /* smsc: to, from; phone: number (the handset's), from (the other end) */
    struct str system_id;                   /* smsc */
    struct str path, resource, method;      /* api */
    bool only_path;                         /* api: only a fault that names a path is meant for this */
    struct str url, subscription;           /* webhook: the whole URL; the name of the event subscription, if it is one's */
    struct str statement;                   /* store: the names of the statements of a unit, a blank between them */
};
struct fault_hit {
    enum fault_kind kind;
    uint32_t        id;
    int             code;                   /* status or code; FAULT_LOSS: per cent */
    int64_t         delay_us;
};

extern _Atomic uint64_t fault_armed_kinds;
bool fault_look(uint64_t kinds, const struct fault_subject *subject, struct fault_hit *hit);
/** Might one of these kinds strike anything now? For skipping the work of making a subject. */
static inline bool fault_armed(uint64_t kinds)
{
    return atomic_load_explicit(&fault_armed_kinds, memory_order_relaxed) & kinds;
}
/** Does a fault of one of these kinds (FAULT_BIT) strike here? The oldest that matches does; *hit is set then. */
static inline bool fault_strikes(uint64_t kinds, const struct fault_subject *subject, struct fault_hit *hit)
{
    return fault_armed(kinds) && fault_look(kinds, subject, hit);
}

/** Read and arm one. @param edges  bits 1 << FAULT_API ... that may be meant here  @param id  set on success; may be NULL
 *  @return ERR_SYNTAX (`why` says the word, and the nearest one that would do), ERR_FORBIDDEN (an edge that is not here),
 *          ERR_BUSY (FAULT_MAX are armed) */
MUST_USE enum err fault_add(struct str text, unsigned edges, uint32_t *id, struct problem *why);
/** Forget one, or with 0 all. @return how many there were */
size_t fault_clear(uint32_t id);
/** Chance draws from this (p=); each fault has a row of its own, so what else strikes does not disturb it. For faults to come. */
void fault_seed(uint64_t seed);

/* A fault as it stands: for lists, and to be put back as it was. */
struct fault_info {
    uint32_t        id;
    enum fault_kind kind;
    bool            armed;                  /* false: its count or its time is used up; it stays listed until cleared */
    uint64_t        seen, hits;             /* how often it matched, and struck */
    int64_t         left_us;                /* of for=; -1: no end */
    uint64_t        chance;                 /* where its row of draws is */
    char            text[FAULT_TEXT_SIZE];
};
/** All of them, the oldest first. @param room  FAULT_MAX is always enough  @return how many */
size_t fault_list(struct fault_info *out, size_t room);
/** Put these in the place of all there are. @return ERR_SYNTAX (one is no fault; nothing is armed then), ERR_RANGE (over FAULT_MAX) */
MUST_USE enum err fault_put_back(const struct fault_info *infos, size_t n);

const char *fault_edge_word(enum fault_edge edge);
enum fault_edge fault_edge_of(enum fault_kind kind);
/** The kind's word in the table; "429..." kinds: "#". */
const char *fault_kind_word(enum fault_kind kind);
const char *fault_kind_words(enum fault_kind kind);     /* what it does, in words */
