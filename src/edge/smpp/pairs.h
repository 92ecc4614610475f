/* pairs.h - messages of one sender to one recipient leave one after another: the next when the one before has its answer, so
 * that neither a throttle nor a refusal lets a later one overtake. Others are not held up.
 *
 * Thread: the bind's. Pairs that share a place in the table wait for each other, too. */
#pragma once
#include "base/base.h"

enum { PAIRS = 4096 };
struct paired {
    struct paired *behind;
    uint32_t       pair;
};
struct pairs { struct paired *first[PAIRS], *last[PAIRS]; };

uint32_t pair_of(struct str from, struct str to);
static inline bool pairs_is_first(const struct pairs *p, const struct paired *one) { return p->first[one->pair] == one; }
/** one->pair is set. */
void pairs_join(struct pairs *p, struct paired *one);
/** @return who is first now because of it; NULL: nobody new */
struct paired *pairs_leave(struct pairs *p, struct paired *one);
