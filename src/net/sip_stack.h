/* sip_stack.h - SIP calls (RFC 3261) with G.711 offer/answer (RFC 3264): sockets, transactions, dialogs.
 *
 * One stack is one agent on one HOST:PORT (UDP and TCP) with a thread of its own; a process may have several. sofia-sip's
 * `nta` parses and runs transactions; the calls over it are ours, one table of states (sip_call.c).
 *
 * Thread: sip_stack_new/start/stop/free on the owner's thread; the commands (invite .. hangup) on any thread: they only
 * post. Every on_*() is called on the stack's own thread and must not block; it may give commands.
 * A call is a 64-bit id that its owner chose: the id of sip_invite, or the one on_incoming() returns. It must not be in
 * use in this stack. After on_ended() the id is unknown; commands for an unknown call are counted and dropped. */
#pragma once
#include "base/base.h"
#include "base/problem.h"
#include "codec/sip/context.h"
#include "codec/sdp/sdp.h"

struct sip_stack;

enum sip_transport { SIP_UDP, SIP_TCP };

struct sip_peer {
    const char        *host;        /* numeric IPv4 or IPv6 */
    uint16_t           port;
    enum sip_transport transport;
};

/* A call that somebody offers us. Strings live until on_incoming() returns. */
struct sip_incoming {
    const char      *source_host;   /* numeric address the request really came from */
    uint16_t         source_port;
    struct str       to;            /* user part of the Request-URI */
    struct str       from;          /* user part of From; empty when there is none */
    struct str       asserted;      /* user part of P-Asserted-Identity (RFC 3325); empty when absent */
    struct str       display;       /* From's display name without quotes; may be empty */
    struct str       context;       /* codec/sip/context.h: what fits of it */
    bool             anonymous;     /* From is anonymous (RFC 3261, 8.1.1.3), or Privacy: id (RFC 3323) */
    struct sdp_audio remote;        /* where the caller listens */
};

/* What on_incoming() decides. status 0: the call lives as `call` and waits for ring, answer or reject. */
struct sip_verdict {
    uint64_t call;
    int      status;                /* 0, or 400..699: refused at once */
    int      q850;                  /* Reason: Q.850;cause=N; 0: none */
    int      retry_after_s;         /* with 503; 0: none */
    bool     silent;                /* no response at all: every repetition of the INVITE asks again */
};

/* How a call ended. */
struct sip_end {
    int         status;             /* final SIP status; 200 for a BYE; 487 when cancelled, 408 without any answer */
    int         q850;               /* of the peer's Reason header (RFC 3326), or what we gave; 0: none */
    bool        by_peer;
    const char *words;              /* reason phrase; never NULL; lives until the callback returns */
};

struct sip_events {
    /** A new call with a usable offer; 100 has been sent. */
    struct sip_verdict (*on_incoming)(void *user, const struct sip_incoming *in);
    /** Outgoing call: 180..189. early: where early media comes from and goes to, or NULL. */
    void (*on_progress)(void *user, uint64_t call, int status, const struct sdp_audio *early);
    /** Outgoing: 2xx came and was acknowledged. Incoming: the ACK to our 200 came; remote as offered. */
    void (*on_answered)(void *user, uint64_t call, const struct sdp_audio *remote);
    /** The peer changed an established call (re-INVITE; already answered): new address or direction. May be NULL. */
    void (*on_changed)(void *user, uint64_t call, const struct sdp_audio *remote);
    /** Last word on a call, exactly once for each that was not refused by a verdict or by ERR_* of its command. */
    void (*on_ended)(void *user, uint64_t call, const struct sip_end *end);
    /** Status for an OPTIONS outside calls. NULL: 200. */
    int (*on_options)(void *user, const char *source_host, uint16_t source_port);
};

struct sip_stack_conf {
    const char *name;               /* of the thread and in logs, up to 15 characters; a literal */
    const char *host;               /* numeric address to listen on */
    uint16_t    port;               /* 0: a free one, the same for UDP and TCP */
    const char *advertise;          /* host for Via and Contact; NULL: host */
    const char *user_agent;         /* User-Agent and Server; NULL: none */
    uint32_t    t1_ms;              /* RFC 3261 T1, 500 when 0; tests shorten it */
    size_t      inbox_bound;        /* commands that may wait, 4096 when 0 */
    size_t      calls_bound;        /* calls at once, 20000 when 0; beyond: 503 with Retry-After; our INVITE ends with 503 */
    struct sip_events events;       /* copied */
    void       *user;               /* handed to every event */
};

/** Reserve the address. *out is set on success only.
 *  @return ERR_NONE, ERR_NOMEM, ERR_RANGE (host is not numeric), ERR_CONFLICT (port in use), ERR_IO; why says more */
MUST_USE enum err sip_stack_new(struct sip_stack **out, const struct sip_stack_conf *conf, struct problem *why);
/** Start the thread; events may come from here on. @return ERR_NONE, ERR_IO, ERR_NOMEM */
MUST_USE enum err sip_stack_start(struct sip_stack *s);
/** End every call (BYE, CANCEL, 503), wait up to grace_ms for the peers' replies, stop and join the thread. Calls that are
 *  still open get on_ended(). Twice is fine. */
void sip_stack_stop(struct sip_stack *s, int grace_ms);
void sip_stack_free(struct sip_stack *s);       /* stops first, with no grace */
SCOPED_FREE(sip_stack)
uint16_t sip_stack_port(const struct sip_stack *s);

/* A call to make. Borrowed for the duration of sip_stack_invite(). */
struct sip_invite {
    uint64_t         call;
    struct sip_peer  peer;
    struct str       to, from;      /* user parts: E.164 with '+', or empty `from` for an anonymous caller */
    struct str       display;       /* may be empty */
    struct str       context;       /* codec/sip/context.h; may be empty */
    struct str       user, password;    /* to answer a 401 or 407 (digest, MD5 or SHA-256); empty: that ends the call */
    struct sdp_audio local;         /* where we listen; payload is offered first */
    int64_t          ring_us;       /* CANCEL after this without a final answer; 0: 180 s */
};

/** Send an INVITE. on_ended() tells of whatever goes wrong after this returned ERR_NONE.
 *  @return ERR_NONE, ERR_NOMEM, ERR_RANGE (peer, from, to or context), ERR_BUSY (inbox full), ERR_CLOSED */
MUST_USE enum err sip_stack_invite(struct sip_stack *s, const struct sip_invite *plan);
/** The same from within a sip_stack_run(): at once, before commands that wait. on_ended() may come before it returns. */
MUST_USE enum err sip_stack_invite_here(struct sip_stack *s, const struct sip_invite *plan);
/** 180 to an incoming call; with early media (local not NULL) 183 and our SDP. Again is fine.
 *  @return of this and the following: ERR_NONE, ERR_NOMEM, ERR_CLOSED. Never refused for lack of room. */
MUST_USE enum err sip_stack_ring(struct sip_stack *s, uint64_t call, const struct sdp_audio *local);
/** 200 to an incoming call. on_answered() follows with the ACK, or on_ended(). */
MUST_USE enum err sip_stack_answer(struct sip_stack *s, uint64_t call, const struct sdp_audio *local);
/** Refuse an incoming call that is not answered. on_ended(by_peer false) follows.
 *  @param status 400..699  @param q850 0: no Reason header */
MUST_USE enum err sip_stack_reject(struct sip_stack *s, uint64_t call, int status, int q850);
/** BYE, or CANCEL of an outgoing call before its answer, or 480 to an incoming one. on_ended(by_peer false) follows. */
MUST_USE enum err sip_stack_hangup(struct sip_stack *s, uint64_t call, int q850);

/** As hangup, but an established call ends here without a BYE: what the peer still says in it is answered 481. */
MUST_USE enum err sip_stack_abandon(struct sip_stack *s, uint64_t call);

/** Run fn(user, arg) on the stack's own thread, in order with the commands: for what the owner keeps there. When the stack
 *  has been stopped before it came to it, fn is called with user NULL, to free arg.
 *  @return ERR_NONE, ERR_NOMEM, ERR_BUSY (inbox full), ERR_CLOSED; then fn is not called */
MUST_USE enum err sip_stack_run(struct sip_stack *s, void (*fn)(void *user, void *arg), void *arg);

/* What one stack counted since its start; any thread. */
struct sip_counts {
    uint64_t malformed;             /* datagrams and requests that did not parse (answered 400 where possible) */
    uint64_t unknown_dialog;        /* answered 481 */
    uint64_t unknown_method;        /* answered 405 or 501 */
    uint64_t shed;                  /* answered 503 */
    uint64_t refused;               /* INVITEs refused by a verdict or for their offer */
    uint64_t missed_commands;       /* for calls that had gone */
    uint64_t impossible;            /* events that a call's state does not allow */
    uint64_t calls;                 /* calls now */
};
void sip_stack_counts(const struct sip_stack *s, struct sip_counts *out);
