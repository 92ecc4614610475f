/* rtp_loop.h - RTP legs on a thread of their own: one UDP socket each, one 20 ms tick for all.
 *
 * A leg is a number the user chose. Commands come from any thread, post and return; what follows is told by the
 * callbacks, on the loop's thread, which must not block. Commands to a leg that is not there (any more) are
 * forgotten, except that what was to start there is told as ERR_CLOSED. Nothing is allocated per tick.
 *
 * A leg is silent until connected; from then on it sends a packet every 20 ms (RFC 3550, RFC 3551: G.711), silence when
 * there is nothing to say, and takes packets from the peer's host only: the first valid one decides the port, both ways
 * (symmetric RTP, RFC 4961), until the next connect. */
#pragma once
#include "base/base.h"
#include "base/problem.h"

struct audio;
struct rtp_loop;

enum {
    RTP_LOOP_DTMF_PAYLOAD = 101,    /* telephone-event of our own offers and answers; always understood */
    RTP_LOOP_PLAYS_MAX    = 16,     /* operations of one leg that may wait */
    RTP_LOOP_TONES_MAX    = 64,     /* tones of one leg that may wait */
};

struct rtp_loop_peer {
    char     host[46];              /* numeric IPv4 or IPv6 */
    uint16_t port;
    uint8_t  payload;               /* 0 PCMU, 8 PCMA */
    uint8_t  dtmf_payload;          /* what to send telephone-events as; 0: the peer has none, tones go as sound */
};

struct rtp_loop_counters {
    uint64_t sent, received;        /* packets */
    uint64_t lost;                  /* missing in the peer's numbering */
    uint64_t malformed;             /* datagrams that were no RTP, or of an unknown payload type */
    uint64_t strangers;             /* datagrams from elsewhere */
};

/* What is wrong with a line on purpose: simulated telephones, and faults. */
struct rtp_loop_line {
    bool     mute, deaf;            /* nothing leaves; nothing is heard */
    bool     echo;                  /* with nothing else to say, the leg repeats the sound it hears */
    uint16_t loss_permille;         /* of what leaves is lost: 0..1000 */
    uint16_t delay_ms, jitter_ms;   /* what leaves waits delay and 0..jitter more, in steps of 20 ms; 0..1000 */
    uint64_t seed;                  /* of chance */
};

struct rtp_loop_events {            /* each may be NULL; arg is the conf's */
    /** err: ERR_NONE and the local port; ERR_BUSY (no port free), ERR_CONFLICT (the leg exists), ERR_NOMEM, ERR_IO. */
    void (*opened)(void *arg, uint64_t leg, enum err err, const char *host, uint16_t port);
    /** Exactly once a play: ERR_NONE (all of it sent), ERR_CLOSED (stopped), ERR_BUSY (too many wait), ERR_NOMEM. */
    void (*played)(void *arg, uint64_t leg, uint64_t op, enum err err);
    /** Exactly once a send_tones: ERR_NONE, ERR_CLOSED, ERR_BUSY, ERR_RANGE (no such tone, or none at all). */
    void (*sent)(void *arg, uint64_t leg, uint64_t op, enum err err);
    /** The peer pressed a key; once a press. */
    void (*tone)(void *arg, uint64_t leg, char tone);
    /** After listen(): that much sound, in all, has been heard. */
    void (*heard)(void *arg, uint64_t leg);
    /** At close, when record() was asked: what was received, gaps as silence. The receiver frees `samples` (NULL when
     *  nothing came). */
    void (*recorded)(void *arg, uint64_t leg, int16_t *samples, size_t n);
    void (*closed)(void *arg, uint64_t leg, const struct rtp_loop_counters *counters);
};

struct rtp_loop_conf {
    const char *name;               /* of the thread */
    const char *host;               /* numeric address to bind */
    uint16_t    port_min, port_max; /* even ports are used; 0, 0: any free one */
    size_t      inbox_bound;        /* 0: 4096 commands */
    const struct rtp_loop_events *events;
    void       *arg;
};

/** @return ERR_RANGE (host, ports), ERR_NOMEM, ERR_IO */
MUST_USE enum err rtp_loop_new(struct rtp_loop **out, const struct rtp_loop_conf *conf, struct problem *why);
MUST_USE enum err rtp_loop_start(struct rtp_loop *rl);
/** Stops the thread; every leg is closed and told as such, here. */
void rtp_loop_free(struct rtp_loop *rl);
SCOPED_FREE(rtp_loop)

/* Any thread. @return ERR_NONE, ERR_BUSY (inbox full), ERR_NOMEM */
MUST_USE enum err rtp_loop_open(struct rtp_loop *rl, uint64_t leg);
/** @return also ERR_RANGE: the host is not numeric, the port 0 or the payload none of ours */
MUST_USE enum err rtp_loop_connect(struct rtp_loop *rl, uint64_t leg, const struct rtp_loop_peer *peer);
/** Play after what is already waiting. Takes its own reference to `a`. repeat: until stopped. */
MUST_USE enum err rtp_loop_play(struct rtp_loop *rl, uint64_t leg, uint64_t op, struct audio *a, bool repeat);
/** op 0: everything that plays, waits or is being pressed. This and close are never refused for lack of room. */
MUST_USE enum err rtp_loop_stop(struct rtp_loop *rl, uint64_t leg, uint64_t op);
MUST_USE enum err rtp_loop_send_tones(struct rtp_loop *rl, uint64_t leg, uint64_t op, struct str tones);
/** Keep what is received from now on; at most an hour. */
MUST_USE enum err rtp_loop_record(struct rtp_loop *rl, uint64_t leg);
/** Tell `heard` after sound_ms of sound (not silence), counted from now. */
MUST_USE enum err rtp_loop_listen(struct rtp_loop *rl, uint64_t leg, unsigned sound_ms);
/** How the line is from now on; all zero: well. @return also ERR_RANGE */
MUST_USE enum err rtp_loop_set_line(struct rtp_loop *rl, uint64_t leg, const struct rtp_loop_line *line);
MUST_USE enum err rtp_loop_close(struct rtp_loop *rl, uint64_t leg);
