/* due.h - what the simulated SMSC will do, at its time: a heap on one timer.
 *
 * Thread: the loop's. A thing that is due is a member of its owner's struct and is the heap's until it runs or is taken
 * out. Two of the same time run in the order they were added. */
#pragma once
#include "base/base.h"

struct loop;
struct dues;
struct due;
typedef void due_fn(void *arg, struct due *d);          /* d is out of the heap when this runs, and may be freed */

struct due {
    int64_t  at_us;             /* mono */
    uint64_t order;
    size_t   place;             /* in the heap, from 1; 0: not in it */
    due_fn  *run;
};

/** @param arg  handed to every run  @return ERR_NOMEM */
MUST_USE enum err dues_new(struct dues **out, struct loop *loop, void *arg);
void dues_free(struct dues *h);                         /* what is in it is its owners' to free before */
SCOPED_FREE(dues)
/** Room for one more, so that dues_add() cannot fail. @return ERR_NOMEM */
MUST_USE enum err dues_room(struct dues *h);
void dues_add(struct dues *h, struct due *d);
void dues_remove(struct dues *h, struct due *d);        /* nothing happens to one that is not in it */
size_t dues_count(const struct dues *h);
/** Walk in no order, from 0; NULL behind the last. */
struct due *dues_at(const struct dues *h, size_t i);
