/* calls_priv.h - what the files of this folder share: a call, its steps, its media operations. */
#pragma once
#include "base/arena.h"
#include "base/log.h"
#include "base/map.h"
#include "domain/billing/usage.h"
#include "domain/calls/call_codes.h"
#include "domain/calls/calls.h"
#include "domain/events/events.h"
#include "store/calls.h"

struct call_op;
struct call_watch;

#define CALL_INCOMING STR("Microsoft.Communication.IncomingCall")

/* -- the life of a call (call_machine.c) -------------------------------------------------------------------------- */
/* state, patience in ms (0: for ever): what to do when it runs out stands in the rules */
#define CALL_STATES(S)                                                                                      \
    S(NEW, 0)               /* made, nothing asked of anyone */                                             \
    S(OPENING, 5000)        /* media opens a socket */                                                      \
    S(INVITING, 130000)     /* INVITE sent; the edge gives up ringing long before */                        \
    S(RINGING, 130000)                                                                                      \
    S(OFFERED, 30000)       /* a leg came in: IncomingCall was told, the caller hears ringing */            \
    S(TAKING, 5000)         /* answerCall: media opens a socket */                                          \
    S(ANSWERING, 35000)     /* 200 sent, its ACK is awaited (RFC 3261, 13.3.1.4: 64*T1) */                  \
    S(CONNECTED, 0)                                                                                         \
    S(ENDING, 10000)        /* BYE or CANCEL sent */                                                        \
    S(ENDED, 5000)          /* told; waits for the counters of media, then goes */
#define CALL_EVENTS(E)                                                                                      \
    E(OPEN) E(OVER_LIMIT) E(MEDIA_UP) E(MEDIA_DOWN) E(MEDIA_SHUT) E(RINGS) E(ANSWERED) E(LEG_GONE)          \
    E(HANG_UP) E(PATIENCE) E(UNSTORED) E(OFFER) E(TAKE) E(DECLINE)
#define CALL_STATE_ENUM(name, ms) CALL_ST_##name,
enum call_state { CALL_STATES(CALL_STATE_ENUM) N_CALL_STATES };
#define CALL_EVENT_ENUM(name) CALL_EV_##name,
enum call_event { CALL_EVENTS(CALL_EVENT_ENUM) N_CALL_EVENTS };

struct call {
    struct calls         *calls;
    struct arena         *arena;            /* its strings */
    uint64_t              key, resource;
    enum call_state       state;
    struct leg_id         leg;
    bool                  outbound, unlimited;
    bool                  leg_lives, media_lives;   /* someone at the edge must be told when it ends */
    bool                  counted;          /* among the calls of its number */
    bool                  rang, asked_to_end;
    struct str            from, to, display, source, callback_uri, context, trunk;
    struct str            play;             /* a file to play when it is answered, or empty */
    int64_t               created_us, connected_us;
    int64_t               cut_us;           /* a restart found it: when it was last known to go on; else 0 */
    int64_t               hung_up_us;       /* we began to end it while it was connected; else 0 */
    struct usage_hold     hold;             /* what it will cost, put aside */
    struct loop_timer     patience;
    struct call_end       end;              /* decided once, when ending begins */
    unsigned              trail;            /* steps written */
    int64_t               updates;          /* ParticipantsUpdated sent */
    /* media (call_media.c) */
    struct call_op       *op_first, *op_last;       /* the first one runs */
    unsigned              ops;
    struct loop_timer     op_timer;
    struct call_watch    *watch;            /* continuous tone recognition, or NULL */
    struct call_step     *step;             /* while several operations end in one step */
    uint64_t              repeats[16];      /* of :sendDtmfTones: hashes of the last request ids */
    unsigned              repeats_n;
};

struct calls {
    struct calls_conf            conf;
    struct control              *control;
    const struct signalling_ops *signalling;
    void                        *signalling_arg;
    char                         sim_trunk[64];
    const struct media_ops      *media;
    void                        *media_arg;
    struct map                  *by_key, *by_leg;   /* struct call */
    struct map                  *busy;              /* number -> calls from it now, as an integer */
    struct strmap               *repeats;           /* "resource id" -> struct call_request being decided */
    struct call_step            *late_first, *late_last;    /* units the store had no room for */
    struct loop_timer            late_timer;
    struct loop_timer            alive_timer;       /* runs while a call is connected */
    bool                         alive_runs;
};

/* What the event was about; what it lacks is zero. */
struct call_cause {
    const struct signalling_news *leg;
    const struct media_news      *media;
    bool                          everyone;
    int                           status, q850;     /* DECLINE */
};
/** The only place a call's state changes. The call may be gone afterwards. */
void call_feed(struct call *call, enum call_event ev, const struct call_cause *cause);
void call_leg_news(struct call *call, const struct signalling_news *news);
/** Row, trail and events of an end that is decided (call->end). */
void call_write_end(struct call_step *s, struct call *call);

bool call_accepted(const struct call *call);        /* outbound, or taken by answerCall */
struct call_row call_row_of(const struct call *call);

/** A leg comes in (call_inbound.c). */
void call_offered(struct calls *c, const struct signalling_news *news);

struct call *call_new(struct calls *c, uint64_t resource);      /* NULL: out of memory */
void call_free(struct call *call);                              /* unlinks, stops timers; says nothing to anyone */
MUST_USE enum err call_enter(struct call *call);                /* into the maps and the count of its number */
void call_leave(struct call *call);                             /* out of the count: it no longer occupies its number */
unsigned call_busy(const struct calls *c, struct str from);

enum call_progress call_progress_of(const struct call *call);
void call_view_fill(const struct call *call, struct call_view *v);
void call_view_of_row(const struct calls *c, const struct call_row *row, struct call_view *v);
/** @return ERR_ABSENT: not in progress, or another resource's */
MUST_USE enum err call_find(struct calls *c, uint64_t resource, struct str id, struct call **out, struct problem *why);
enum err call_absent(struct problem *why);

enum err call_time_init(struct calls *c, struct loop_timer *t, loop_timer_fn *fn, void *arg);
void call_time_start(struct calls *c, struct loop_timer *t, int64_t wait_us);
void call_time_stop(struct calls *c, struct loop_timer *t);
void call_time_done(struct calls *c, struct loop_timer *t);

/* -- a step: what happened, in one unit (call_step.c) ------------------------------------------------------------- */
/* Begin, add trail and callbacks and rows, post. Nothing is lost when the store is full: the step waits its turn. */
struct call_step {
    struct db_done     done;
    struct calls      *calls;
    struct db_unit    *unit;
    struct event_batch events;
    uint64_t           call;
    void             (*then)(void *arg, struct calls *c, uint64_t call, enum err err);  /* after commit; may be NULL */
    void              *arg;
    struct call_step  *next;
};
struct call_step *call_step_begin(struct calls *c, uint64_t call);      /* never NULL: aborts when memory is out */
void call_trail(struct call_step *s, struct call *call, const char *format, ...) PRINTF(3, 4);
void call_step_post(struct call_step *s);
void call_step_retry(void *calls);                              /* the late timer */
void call_step_drop_late(struct calls *c);
/** For a step that must be refused, not delayed. @return ERR_BUSY, ERR_NOMEM; then the step is gone, `then` not called */
MUST_USE enum err call_step_try(struct call_step *s);

/* -- money (call_charge.c) ----------------------------------------------------------------------------------------- */
/** Put so many minutes aside. */
void call_hold(struct call *call, int64_t minutes);
void call_let_go(struct call *call);
/** It ended: charge what it cost, if it was answered. */
void call_charge(struct call_step *s, struct call *call, int64_t ended_us);
void call_alive_start(struct calls *c);
void call_on_alive(void *calls);                                /* a loop_timer_fn */
/** When calls were last known to go on; 0: never. */
MUST_USE enum err call_load_alive(struct calls *c, int64_t *alive_us);

/* -- callbacks (call_events.c) ------------------------------------------------------------------------------------ */
struct call_notice {
    const char            *type;            /* without "Microsoft.Communication." */
    const struct call_end *end;             /* code, subcode, words, sip, q850 */
    struct str             context;         /* operationContext */
    struct str             url;             /* empty: the call's */
    void                 (*more)(struct jw *w, struct call *call, const void *arg);     /* further members of data */
    const void            *arg;
};
void call_notify(struct call_step *s, struct call *call, const struct call_notice *n);
void call_notify_participants(struct call_step *s, struct call *call);
void call_write_phone(struct jw *w, const char *name, struct str e164);     /* a full identifier; "anonymous" too */

/* -- media operations (call_media.c) ------------------------------------------------------------------------------ */
void call_media_news(struct call *call, const struct media_news *news);     /* PLAYED, SENT, TONE */
/** The call ends: what runs or waits is cancelled, its events in this step. */
void call_media_fetched(struct call *call, uint64_t media_op, enum err err, int status, const char *words,
                        struct str file);
void call_media_end(struct call_step *s, struct call *call);
void call_media_free(struct call *call);
MUST_USE enum err call_media_init(struct call *call);
/** Play a file that was asked for when the call was made. */
void call_media_greet(struct call *call);

/* -- requests that are answered after their commit, once for every repetition (call_request.c) --------------------- */
/* Requests with the same Repeatability-Request-ID share one of these while it is being decided; afterwards the store
 * knows what the id did. */
struct call_request;
/** Do it: either call_request_answer() comes later, or an error is returned and answered by the caller. */
typedef enum err call_request_go_fn(struct call_request *r, struct problem *why);
struct call_request_waiter {
    struct call_request_waiter *next;
    calls_done_fn              *done;
    void                       *arg;
};
struct call_request {
    struct db_read              read;       /* first: is the id known? */
    bool                        looking_up; /* ... its answer has not come */
    struct calls               *calls;
    struct arena               *arena;
    uint64_t                    resource;
    struct str                  repeat_id, repeat_key;      /* empty: not repeatable */
    call_request_go_fn         *go;
    struct call_request_waiter *waiters;
    uint64_t                    request;    /* of the API: what it makes bears its key */
    struct call_new             create;     /* what createCall asked, copied */
    uint64_t                    call;       /* what it made, or is to end, answer or decline */
    bool                        everyone;
    int                         status, q850;   /* rejectCall */
};
/** @return NULL: out of memory */
struct call_request *call_request_new(struct calls *c, uint64_t resource, struct str repeat_id, call_request_go_fn *go);
/** Decide and do. Owns r from here, success or not. @return ERR_BUSY, ERR_NOMEM with `why`; then no done */
MUST_USE enum err call_request_start(struct call_request *r, calls_done_fn *done, void *arg, struct problem *why);
/** The row that makes a repetition known, in the unit of what it did. */
void call_request_note(struct call_request *r, struct call_step *s, uint64_t call);
/** Tell everyone who asked; ends r. */
void call_request_answer(struct call_request *r, enum err err, const struct call_view *view, const struct problem *why);
void call_request_free(struct call_request *r);     /* one that was never started */
void call_requests_drop(struct calls *c);
