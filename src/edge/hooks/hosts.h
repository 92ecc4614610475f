/* hosts.h - whose turn is it: requests wait in a line for each host, and hosts take turns, so that a dead one delays itself alone.
 *
 * Thread: the hooks loop; time is passed in. A host is *quick* until a request to it fails or lasts longer than `late`, and *slow*
 * until one is answered in time again. Each sort has slots of its own: whatever slow hosts do, quick ones start at once while
 * fewer than `quick_max` of theirs are under way. Requests to one host at once: `per_host` while it is quick, a quarter of
 * that while it answers late, one until it has answered for the first time and after a failure.
 * What may wait is bounded in number and octets: in all (by the caller), an eighth of it for one host, a half of it for all
 * slow ones, and little for a host whose last request failed. A host that becomes slow gives back what is over its bound. */
#pragma once
#include "base/base.h"

struct hosts;
struct host;

struct hosts_conf {
    unsigned quick_max, slow_max;           /* requests under way, of each sort */
    unsigned per_host;
    size_t   waiting_max, octets_max;
    int64_t  late_us;
    void   (*forget)(void *memo);           /* a host is forgotten: free what was remembered with it; NULL: nothing */
};
/* One request: a member of the owner's, from hosts_line_up() until hosts_next() and hosts_ended(), or hosts_over(). */
struct turn {
    struct turn *next, **at;                /* in the line of its host, then among those under way and in time */
    struct host *host;
    size_t       octets;
    struct mono  began;
};

MUST_USE enum err hosts_new(struct hosts **out, const struct hosts_conf *conf);
void hosts_free(struct hosts *h);           /* nothing waits or is under way any more */
SCOPED_FREE(hosts)

/** Wait in the line of the host of this name. @return ERR_BUSY (its line is full), ERR_NOMEM */
MUST_USE enum err hosts_line_up(struct hosts *h, struct str name, struct turn *t, size_t octets);
/** The next that may begin, which is then under way; NULL: none. */
struct turn *hosts_next(struct hosts *h, struct mono now);
/** Its end. @param answered  by an HTTP answer of whatever status; false: refused, reset, timed out, broken */
void hosts_ended(struct hosts *h, struct turn *t, struct mono now, bool answered);
/** It could not even begin, by no fault of its host. */
void hosts_undone(struct hosts *h, struct turn *t);
/** Notice what is late by now. @return microseconds until the next may become late; -1: none is under way in time */
int64_t hosts_look(struct hosts *h, struct mono now);
/** Take out one that waits over the bounds of its host, which has become slow; NULL: none. */
struct turn *hosts_over(struct hosts *h);
/** Take out any that waits, at the end of everything; NULL: none. */
struct turn *hosts_drain(struct hosts *h);

size_t hosts_waiting(const struct hosts *h);
size_t hosts_waiting_octets(const struct hosts *h);
/** Where the owner keeps what it remembers of the host of a turn (TLS sessions); handed to conf.forget at the end. */
void **host_memo(struct host *host);
