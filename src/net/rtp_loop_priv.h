/* rtp_loop_priv.h - a leg, as the three files of rtp_loop share it: rtp_loop.c (thread, commands, sockets),
 * rtp_send.c (what a tick says), rtp_hear.c (what a datagram means). All of it lives on the loop's thread. */
#pragma once
#include "base/inbox.h"
#include "base/loop.h"
#include "base/map.h"
#include "codec/rtp/rtp.h"
#include "net/audio.h"
#include "net/dsp.h"
#include "net/rtp_loop.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum {
    FRAME_MS = 20,
    FRAME_SAMPLES = DSP_RATE * FRAME_MS / 1000,
    DATAGRAM_OCTETS = 1500,         /* longer ones are cut by the kernel and counted as malformed */
    SWEEP_DATAGRAMS = 8,            /* a system call takes this many */
    SWEEPS_MAX = 4,                 /* of one leg and tick: a flooded leg must not starve the others */
};

struct endpoint {                   /* a socket address and its length */
    struct sockaddr_storage addr;
    socklen_t               n;
};

struct play {
    uint64_t      op;
    struct audio *audio;            /* one reference */
    size_t        at;               /* octets sent */
    bool          repeat;
};

struct press {
    uint64_t op;
    char     tone;
    bool     last;                  /* of its op: its end is told */
};

struct line;                        /* what is wrong on the way, and what is repeated: rtp_line.c */

/* What a leg says. */
struct sender {
    uint16_t sequence;
    uint32_t timestamp, ssrc;
    bool     fresh;                 /* nothing sent yet: the first packet carries the marker */
    struct play  plays[RTP_LOOP_PLAYS_MAX];         /* [0] plays, the others wait */
    size_t       n_plays;
    struct press presses[RTP_LOOP_TONES_MAX];       /* [0] is being pressed when press_tick > 0 */
    size_t       n_presses;
    unsigned     press_tick;        /* frames of the press already sent */
    uint32_t     press_timestamp;
    int16_t      press_sound[DSP_TONE_SAMPLES];     /* for peers without telephone-event */
};

/* What a leg hears. */
struct hearer {
    bool     begun;                 /* a packet of this ssrc has come */
    uint32_t ssrc;
    uint16_t first, highest;        /* sequence numbers (RFC 3550, A.1) */
    uint32_t cycles;
    uint64_t in_stream;             /* packets of this ssrc */
    bool     pressed;               /* an event has been heard: the next four are its */
    uint32_t event_timestamp;
    uint8_t  event;
    uint16_t event_duration;
    bool     event_ended;
    struct dsp_tones *tones;        /* listens for DTMF as sound when the peer has no telephone-event; else NULL */
    bool     recording;
    int16_t *samples;               /* recorded, `kept` of room for `room` */
    size_t   kept, room;
    bool     placed;                /* `origin` is known: the timestamp of samples[0] */
    uint32_t origin;
    uint64_t listen_samples, sound_samples;     /* listen 0: nobody wants to know */
};

struct leg {
    struct rtp_loop *rl;
    uint64_t id;
    size_t   index;                 /* in rl->legs */
    int      fd;
    uint16_t port;
    bool     connected, latched;
    struct endpoint remote;
    uint8_t  payload, dtmf_payload;
    struct line *line;              /* NULL: all is well with it */
    struct sender send;
    struct hearer hear;
    struct rtp_loop_counters counters;
};

struct rtp_loop {
    struct rtp_loop_conf conf;
    char          host[46];
    struct endpoint bind_to;
    uint16_t      next_port;
    struct loop  *loop;
    struct loop_io timer;
    int           timer_fd;
    struct map   *by_id;
    struct leg  **legs;
    size_t        n_legs, room;
    struct mmsghdr headers[SWEEP_DATAGRAMS];
    struct iovec   vectors[SWEEP_DATAGRAMS];
    struct sockaddr_storage sources[SWEEP_DATAGRAMS];
    uint8_t        datagrams[SWEEP_DATAGRAMS][DATAGRAM_OCTETS];
};

/* rtp_socket.c */
bool endpoint_of(struct endpoint *e, const char *host, uint16_t port);      /* false: not a numeric address */
bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
bool same_port(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
MUST_USE enum err bind_any(struct rtp_loop *rl, int fd, uint16_t *bound);   /* ERR_BUSY: no port of the range is free */

/* rtp_line.c */
void line_set(struct leg *leg, const struct rtp_loop_line *line);
void line_free(struct line *line);
void line_send(struct leg *leg, const uint8_t *datagram, size_t n);         /* now, later or never */
void line_tick(struct leg *leg);                                            /* what was held back and is due goes out */
void line_echo(struct leg *leg, uint8_t type, const uint8_t *sound, size_t n);
bool line_deaf(const struct leg *leg);
bool line_echo_take(struct leg *leg, uint8_t frame[FRAME_SAMPLES]);         /* false: nothing to repeat */

/* rtp_send.c */
void sender_init(struct sender *s);
void sender_done(struct leg *leg);                  /* tells what waits as ERR_CLOSED */
void sender_play(struct leg *leg, uint64_t op, struct audio *a, bool repeat);   /* takes the reference */
void sender_press(struct leg *leg, uint64_t op, struct str tones);
void sender_stop(struct leg *leg, uint64_t op);     /* 0: all */
void sender_tick(struct leg *leg);                  /* one frame */
void sender_skip(struct leg *leg, uint64_t frames); /* time passed in which nothing was sent */

/* rtp_hear.c */
void hearer_done(struct leg *leg);                  /* gives the recording away, sums up losses */
void hearer_datagram(struct leg *leg, const void *datagram, size_t n);

/* Telling. */
void tell_played(const struct rtp_loop *rl, uint64_t leg, uint64_t op, enum err err);
void tell_sent(const struct rtp_loop *rl, uint64_t leg, uint64_t op, enum err err);
