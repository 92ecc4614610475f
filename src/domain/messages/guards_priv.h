/* guards_priv.h - what guards.c and buckets.c share. */
#pragma once
#include "base/map.h"
#include "domain/messages/guards.h"

/* Of a bucket: a, when it is full again if only what has gone counts (ns). Of a flow: a, how many in the window; b, the mean of
 * those before, in thousandths; at_us, when the window began. */
struct level {
    struct level *next_dirty;
    bool          dirty, told;          /* told: of a flow, that it is too much in this window */
    int64_t       a, b, at_us;
    int64_t       full_ns;              /* of a bucket: the same with all that have a place */
    char          key[];                /* "<guard> <owner>" */
};

struct guards {
    struct sms_guard *list;             /* by name */
    size_t            n;
    unsigned          on[GUARD_KINDS], holds;
    struct strmap    *levels;           /* key -> struct level, owned */
    struct level     *dirty;
};

void levels_free(struct guards *g);
void levels_drop(struct guards *g, struct str guard);
