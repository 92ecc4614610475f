/* calls.h - telephone calls: made and ended by the API, carried by a signalling edge and a media loop.
 *
 * Thread: control, but for the two calls_tell_*() of the ports. A call in progress lives in memory; its row, its trail
 * (what explain shows) and its callbacks are written by the unit of each step. A call does not outlive the process:
 * calls_load() ends those that a restart cut off.
 * Rules: design of calls in ARCHITECTURE.md; codes: docs/calls.md. */
#pragma once
#include "base/json.h"
#include "base/problem.h"
#include "domain/calls/media.h"
#include "domain/calls/signalling.h"
#include "domain/control.h"
#include "domain/events/courier.h"

struct accounts;
struct calls;
struct events;
struct numbers;

/* Deadlines of calls run on the mono clock. NULL ops: timers of control's loop. Replay tests bring their own clock. */
struct call_time_ops {
    enum err (*init)(void *time, struct loop_timer *t, loop_timer_fn *fn, void *arg);
    void     (*start)(void *time, struct loop_timer *t, int64_t wait_us);   /* once; again moves it */
    void     (*stop)(void *time, struct loop_timer *t);
    void     (*done)(void *time, struct loop_timer *t);
};

struct calls_conf {
    struct control           *control;
    struct accounts          *accounts;
    struct numbers           *numbers;
    struct events            *events;
    const struct courier_ops *courier;              /* fetches prompts */
    void                     *courier_arg;
    unsigned                  outbound_most;        /* calls at once from one number; 0: the service's default of 2 */
    int64_t                   ring_us;              /* give up ringing after this; 0: 60 s */
    const struct call_time_ops *time;               /* NULL: control's loop */
    void                     *time_arg;
};

/** @return ERR_NOMEM */
/** 911, 112 and such, bare or after their country's code. Any thread. */
bool calls_is_emergency(struct str to);

MUST_USE enum err calls_new(struct calls **out, const struct calls_conf *conf, struct problem *why);
void calls_free(struct calls *c);
SCOPED_FREE(calls)
/** Before the threads start. */
void calls_set_signalling(struct calls *c, const struct signalling_ops *ops, void *edge);
/** The trunk that simulated numbers call out by; "sim" until told otherwise. Thread: control, or before it runs. */
void calls_set_sim_trunk(struct calls *c, struct str name);
void calls_set_media(struct calls *c, const struct media_ops *ops, void *media);
/** End the calls that the last process left in progress, with their events. @return ERR_STORE, ERR_NOMEM */
MUST_USE enum err calls_load(struct calls *c, struct problem *why);

/* -- what a call looks like from outside -------------------------------------------------------------------------- */
enum call_progress { CALL_CONNECTING, CALL_CONNECTED, CALL_DISCONNECTING, CALL_DISCONNECTED };
const char *call_progress_word(enum call_progress p);       /* the API's callConnectionState */

enum { SERVER_CALL_ID_SIZE = 96, RAW_ID_SIZE = 96 };

/* Strings are borrowed until control returns to its loop. */
struct call_view {
    uint64_t           key;
    bool               outbound;
    enum call_progress progress;
    char               id[GUID_SIZE];                       /* callConnectionId */
    char               correlation_id[GUID_SIZE];
    char               server_call_id[SERVER_CALL_ID_SIZE]; /* base64 */
    struct str         from, to;                            /* E.164 */
    struct str         display, source, callback_uri;
    struct str         phone;                               /* the participant: `to` outbound, `from` inbound */
};

/* Outcome of a request, once what it did is on disk. `view` is NULL on error, `why` without one. */
typedef void calls_done_fn(void *arg, enum err err, const struct call_view *view, const struct problem *why);

/* -- starting and ending ------------------------------------------------------------------------------------------ */
struct call_new {
    uint64_t   resource;            /* 0: the operator, for whichever resource leases `from` */
    struct str from, to;            /* E.164 with '+' */
    struct str display, source;     /* source: raw id; empty: one is made */
    struct str context;             /* operationContext */
    struct str callback_uri;        /* empty: nobody is told */
    struct str repeat_id;           /* Repeatability-Request-ID; empty: none */
    struct str play;                /* own API: a WAV file to play when it is answered; empty: none */
};
/** Call a phone number. Strings are borrowed until `done`. @return ERR_NONE (done will be called, once, maybe before this
 *  returns); ERR_FORBIDDEN, ERR_RANGE, ERR_BUSY, ERR_NOMEM with `why`, and no done */
MUST_USE enum err calls_create(struct calls *c, const struct call_new *rq, calls_done_fn *done, void *arg,
                               struct problem *why);
/** End a call. @param everyone  the service's hangUp(true)  @return as calls_create(), and ERR_ABSENT */
MUST_USE enum err calls_hang_up(struct calls *c, uint64_t resource, struct str id, bool everyone, struct str repeat_id,
                                calls_done_fn *done, void *arg, struct problem *why);
/* Incoming calls are told by the event Microsoft.Communication.IncomingCall, whose incomingCallContext names them here.
 * They ring for 30 s. */
struct call_take {
    uint64_t   resource;
    struct str incoming;            /* incomingCallContext */
    struct str context, callback_uri, repeat_id;
};
/** Answer. Returns and strings as calls_create(); ERR_ABSENT: it rings no more. */
MUST_USE enum err calls_answer(struct calls *c, const struct call_take *rq, calls_done_fn *done, void *arg,
                               struct problem *why);
enum call_decline { DECLINE_NONE, DECLINE_BUSY, DECLINE_FORBIDDEN };
MUST_USE enum err calls_decline(struct calls *c, const struct call_take *rq, enum call_decline reason,
                                calls_done_fn *done, void *arg, struct problem *why);
/** A call in progress. resource 0: any. @return ERR_ABSENT with `why` ("8522"): ended or unknown */
MUST_USE enum err calls_find(struct calls *c, uint64_t resource, struct str id, struct call_view *out,
                             struct problem *why);

/* -- media: one queue of operations a call ------------------------------------------------------------------------ */
enum { PLAY_SOURCES_MOST = 10, STOP_TONES_MOST = 16, TONES_MOST = 64 };

struct call_play {
    struct str uris[PLAY_SOURCES_MOST];     /* audio files, played one after the other */
    size_t     n;
    bool       loop;
    bool       interrupt;                   /* cancel what is playing or waiting first */
    struct str to;                          /* E.164 of the one who hears it; empty: all */
    struct str context, callback_uri;       /* callback_uri: instead of the call's, for this operation */
};
struct call_recognise {
    struct call_play prompt;                /* n 0: none; its interrupt, context and callback_uri are the operation's */
    bool             interruptible;         /* a tone ends the prompt and counts */
    int64_t          silence_us;            /* first tone within this, from the end of the prompt */
    int64_t          gap_us;                /* and each next one within this */
    unsigned         tones_most;            /* 0: no limit but TONES_MOST */
    char             stop_tones[STOP_TONES_MOST + 1];   /* of 0-9 * # A-D */
};
struct call_tones {
    char       tones[TONES_MOST + 1];
    struct str to;
    struct str context, callback_uri;
    struct str repeat_id;
};

/** All of these copy what they are given. @return ERR_ABSENT ("8522"), ERR_RANGE (not in the call; not connected),
 *  ERR_BUSY (too many wait), ERR_NOMEM with `why` */
MUST_USE enum err calls_play(struct calls *c, uint64_t resource, struct str id, const struct call_play *rq,
                             struct problem *why);
MUST_USE enum err calls_recognise(struct calls *c, uint64_t resource, struct str id, const struct call_recognise *rq,
                                  struct problem *why);
MUST_USE enum err calls_send_tones(struct calls *c, uint64_t resource, struct str id, const struct call_tones *rq,
                                   struct problem *why);
MUST_USE enum err calls_cancel_media(struct calls *c, uint64_t resource, struct str id, struct problem *why);
/** Each tone is told from now on (or no more). */
MUST_USE enum err calls_watch_tones(struct calls *c, uint64_t resource, struct str id, bool on, struct str participant,
                                    struct str context, struct str callback_uri, struct problem *why);

/* Tones on the wire are words: "zero".."nine", "a".."d", "pound", "asterisk". */
const char *call_tone_word(char tone);                      /* NULL: not a tone */
char call_tone_of(struct str word);                         /* 0: not a tone */

/* -- looking: answers come on control, once, as JSON text of our own API ------------------------------------------- */
typedef void calls_json_fn(void *arg, enum err err, struct str json);
struct calls_query {
    uint64_t   resource;                        /* 0: of all */
    struct str before;                          /* a call's id, or empty */
    struct str link;                            /* nextLink but for its end, such an id; lives until done */
    size_t     limit;                           /* 1.. */
};
/** {"value":[{call}...],"nextLink"|null}, newest first. @return ERR_RANGE (before), ERR_BUSY, ERR_NOMEM; then no done */
MUST_USE enum err calls_list(struct calls *c, const struct calls_query *q, calls_json_fn *done, void *arg);
/** One call, in progress or ended. @return ERR_ABSENT (no id of ours), ERR_BUSY, ERR_NOMEM; then no done */
MUST_USE enum err calls_show(struct calls *c, uint64_t resource, struct str id, calls_json_fn *done, void *arg);
/** Members of one call, into an open object. */
struct call_row;
void call_row_write(struct jw *w, const struct calls *c, const struct call_row *row);
