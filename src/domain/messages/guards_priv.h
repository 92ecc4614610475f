/* guards_priv.h - what guards.c and buckets.c share. */
#pragma once
#include "base/base.h"
#include "base/map.h"
#include "domain/messages/guards.h"

/* Of a bucket: a, when it is full again if only what has gone counts (ns). Of a flow: a, how many in the window; b, the mean of
 * those before, in thousandths; at_us, when the window began. */
struct level {
    struct guard_slot *of;
    struct level      *newer, *older;   /* by its last use */
    struct level      *next_dirty, **at_dirty;      /* at_dirty NULL: nothing of it is to be stored */
    bool               told;            /* of a flow: that it is too much in this window */
    int64_t            a, b, at_us;
    int64_t            full_ns;         /* of a bucket: as `a`, with all that have a place */
    char               owner[];
};

/* A guard and its levels, which are its own: others' owners do not crowd them out. */
struct guard_slot {
    struct sms_guard guard;
    struct strmap   *levels;            /* owner -> struct level, owned; NULL: none yet */
    struct level    *newest, *oldest;
};

struct guards {
    struct guard_slot **list;           /* by name, owned */
    size_t              n;
    unsigned            on[GUARD_KINDS], holds;
    struct level       *dirty;
};

void levels_drop(struct guard_slot *slot);
