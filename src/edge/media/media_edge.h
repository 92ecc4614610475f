/* media_edge.h - the media loop as calls know it: implements struct media_ops (domain/calls/media.h).
 *
 * Threads: `media` (net/rtp_loop.h: sockets, the 20 ms tick) and `work`, which takes every op in order and decodes
 * prompts before the loop gets them; a long prompt delays what was asked after it by its decoding.
 * ops may be called from any thread; news come from either of the two. */
#pragma once
#include "base/problem.h"
#include "domain/calls/media.h"

struct media_edge;
struct media_edge_conf {
    const char *host;               /* numeric address to bind */
    const char *advertise;          /* numeric address to tell peers; NULL: host */
    uint16_t    port_min, port_max; /* 0, 0: any free ones */
    enum err  (*tell)(struct calls *calls, const struct media_news *news);      /* calls_tell_media */
    struct calls *calls;
};

enum { MEDIA_EDGE_FILE_OCTETS_MAX = 64 << 20 };

/** Copies what conf points at. @return ERR_RANGE (host, ports), ERR_NOMEM, ERR_IO */
MUST_USE enum err media_edge_new(struct media_edge **out, const struct media_edge_conf *conf, struct problem *why);
MUST_USE enum err media_edge_start(struct media_edge *e);
/** Does what was asked until now, closes every leg (each tells MEDIA_CLOSED), joins both threads. Twice is fine. */
void media_edge_stop(struct media_edge *e);
void media_edge_free(struct media_edge *e);         /* stops first */
SCOPED_FREE(media_edge)
/** The first argument of every op is the struct media_edge. play answers ERR_SIZE above MEDIA_EDGE_FILE_OCTETS_MAX;
 *  close is never refused for lack of room. */
const struct media_ops *media_edge_ops(void);
