/* smpp_session.h - one SMPP 3.4 connection, in either role: bind, window, enquire_link, unbind.
 *
 * Thread: the loop's. The owner sends requests and hears their answers, and answers what the peer requests; everything
 * else on the link is handled here. Callbacks come from the loop, never from inside a call of the owner's. The session
 * may be freed in on_down or outside its callbacks, not inside the others (there, smpp_session_drop() ends it).
 * A malformed PDU costs a generic_nack and a count; only a length that cannot be followed costs the link. */
#pragma once
#include "base/base.h"
#include "codec/smpp/smpp.h"

struct loop;
struct smpp_session;
struct tls_context;

enum smpp_role { SMPP_ESME, SMPP_SMSC };
struct smpp_session_conf {
    enum smpp_role role;
    const char *name;               /* of the peer, for logs; copied */
    const char *system_id;          /* ours; as SMPP_SMSC it goes into bind answers; copied, 15 octets at most */
    /* SMPP_ESME only, copied */
    const char *password, *system_type;
    uint32_t    bind;               /* SMPP_bind_transceiver, _transmitter or _receiver */
    const struct tls_context *tls;  /* NULL: plain; outlives the session */
    const char *tls_name;           /* whom we mean; NULL: the host */
    unsigned    window;             /* requests of ours unanswered at once, 1..1000 */
    unsigned    owed;               /* requests of the peer's that may wait for us, 1..1000; more are throttled. 0: 1000 */
    int64_t     answer_us;          /* how long an answer may take; 0: 30 s */
    int64_t     enquire_us;         /* silence before enquire_link; 0: 30 s */
    int64_t     bind_us;            /* for connecting, and again for binding; 0: 10 s */
};

#define SMPP_BIND_LATER 0xffffffffu
struct smpp_session_hooks {
    /** Asked of each PDU before anything is done with it: false, and it never came. NULL: everything counts. */
    bool (*on_heard)(void *arg, const struct smpp_pdu *pdu);
    /** SMPP_SMSC: may it bind? @return ESME_ROK or why not; SMPP_BIND_LATER: smpp_session_welcome() will say */
    uint32_t (*on_bind)(void *arg, const struct smpp_pdu *bind);
    void (*on_up)(void *arg);
    /** A deliver_sm or data_sm (as SMPP_ESME); a submit_sm, data_sm, submit_multi, query_sm, cancel_sm or replace_sm (as SMPP_SMSC). To be
     *  answered once by smpp_session_answer() or smpp_session_reply(). */
    void (*on_request)(void *arg, const struct smpp_pdu *pdu);
    /** What became of a request of ours, once each: ERR_NONE with the answer, which may be a generic_nack;
     *  ERR_TIMEOUT, ERR_CLOSED (the link went first), ERR_SYNTAX (its answer was malformed) without. */
    void (*on_answer)(void *arg, uint64_t tag, enum err err, const struct smpp_pdu *answer);
    /** The end, after every on_answer. ERR_NONE: unbound in good order; ERR_CLOSED, ERR_TIMEOUT, ERR_ABSENT, ERR_IO;
     *  ERR_UNPROVEN: the bind was refused with `status`. */
    void (*on_down)(void *arg, enum err why, uint32_t status);
};

/** Connect and bind as an ESME. @return ERR_NONE, ERR_NOMEM, ERR_IO, ERR_RANGE (conf) */
MUST_USE enum err smpp_session_connect(struct smpp_session **out, struct loop *loop, const char *host, uint16_t port,
                                       const struct smpp_session_conf *conf, const struct smpp_session_hooks *hooks,
                                       void *arg);
/** Serve an accepted socket as an SMSC; `fd` is taken, on error too. @return as above */
MUST_USE enum err smpp_session_serve(struct smpp_session **out, struct loop *loop, int fd,
                                     const struct smpp_session_conf *conf, const struct smpp_session_hooks *hooks,
                                     void *arg);

/** What becomes of the bind that SMPP_BIND_LATER was said to. Callbacks follow as if from the loop, so not from inside them. */
void smpp_session_welcome(struct smpp_session *s, uint32_t status);
/** Send a request; its sequence_number is chosen here.
 *  @return ERR_NONE, ERR_BUSY (the window is full), ERR_CLOSED (not bound), ERR_RANGE, ERR_SIZE (what cannot be written) */
MUST_USE enum err smpp_session_send(struct smpp_session *s, const struct smpp_pdu *request, uint64_t tag);
/** Answer a request of the peer's; nothing happens when the link is gone. message_id: of a submit_sm_resp and its like. */
void smpp_session_answer(struct smpp_session *s, uint32_t command, uint32_t sequence, uint32_t status,
                         struct str message_id);
/** The same with a response that says more; its sequence is the request's. */
void smpp_session_reply(struct smpp_session *s, const struct smpp_pdu *response);
/** One request of the peer's will never be answered. */
void smpp_session_pass(struct smpp_session *s);
/** Read nothing more from the peer until told to go on: not even its answers. Our deadlines run meanwhile. */
void smpp_session_pause(struct smpp_session *s, bool paused);
/** Let what is under way be answered (5 s at most), unbind, end. */
void smpp_session_unbind(struct smpp_session *s);
/** End now; on_answer and on_down follow. */
void smpp_session_drop(struct smpp_session *s);
/** No callback comes any more. */
void smpp_session_free(struct smpp_session *s);
SCOPED_FREE(smpp_session)

bool smpp_session_is_up(const struct smpp_session *s);
unsigned smpp_session_under_way(const struct smpp_session *s);     /* of our requests */
/** Version and cipher of TLS, or why it failed; NULL: none. */
const char *smpp_session_tls_words(const struct smpp_session *s);
/** In on_down: the system's words for it, such as "Connection refused"; static. NULL: it said nothing. */
const char *smpp_session_os_words(const struct smpp_session *s);
/** Which way messages may flow by the kind of bind. */
bool smpp_session_may_submit(const struct smpp_session *s);
bool smpp_session_may_deliver(const struct smpp_session *s);
