/* media.h - what calls ask of the media loop, and what it tells them.
 *
 * The loop owns RTP sockets and the 20 ms tick on the `media` thread; ops only post there. News comes by
 * calls_tell_media(), from any thread. `op` numbers one media operation of a call and comes back in its news. */
#pragma once
#include "domain/calls/signalling.h"

struct media_ops {
    /** Open a socket. MEDIA_OPENED follows with its address, or MEDIA_FAILED. */
    enum err (*open)(void *media, struct leg_id leg);
    /** Where the peer listens; again after a re-INVITE. Sending starts. */
    enum err (*connect)(void *media, struct leg_id leg, const struct media_address *remote);
    /** Play a file's bytes (WAV: PCM 8/16 kHz mono or G.711; copied). MEDIA_PLAYED follows: also when stopped. */
    enum err (*play)(void *media, struct leg_id leg, uint64_t op, struct str file, bool loop);
    /** Stop one operation (its news follows with ERR_CLOSED); op 0: all. */
    enum err (*stop)(void *media, struct leg_id leg, uint64_t op);
    /** RFC 4733 events: "0123456789*#ABCD". MEDIA_SENT follows. */
    enum err (*send_dtmf)(void *media, struct leg_id leg, uint64_t op, struct str tones);
    /** MEDIA_CLOSED follows with the leg's counters. */
    enum err (*close)(void *media, struct leg_id leg);
};

enum media_news_kind { MEDIA_OPENED, MEDIA_FAILED, MEDIA_PLAYED, MEDIA_SENT, MEDIA_TONE, MEDIA_CLOSED };
struct media_news {
    enum media_news_kind kind;
    struct leg_id        leg;
    uint64_t             op;
    enum err             err;           /* PLAYED, SENT: ERR_NONE, ERR_CLOSED (stopped), ERR_SYNTAX (file format) */
    struct media_address local;         /* OPENED */
    char                 tone;          /* TONE: one of 0-9 * # A-D, once per press */
    uint64_t             sent, received, lost;  /* CLOSED: packets */
};
/** Any thread. Copies. Never refused for lack of room. @return ERR_NOMEM */
MUST_USE enum err calls_tell_media(struct calls *c, const struct media_news *news);
