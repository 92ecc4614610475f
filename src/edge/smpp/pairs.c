#include "edge/smpp/pairs.h"
#include "base/map.h"

uint32_t pair_of(struct str from, struct str to)
{
    return (uint32_t)(hash_u64(hash_str(from) + 3 * hash_str(to)) % PAIRS);
}

void pairs_join(struct pairs *p, struct paired *one)
{
    struct paired **last = &p->last[one->pair];
    one->behind = NULL;
    *(*last ? &(*last)->behind : &p->first[one->pair]) = one;
    *last = one;
}

struct paired *pairs_leave(struct pairs *p, struct paired *one)
{
    struct paired **at = &p->first[one->pair], *before = NULL;
    while (*at != one) {
        before = *at;
        at = &before->behind;
    }
    *at = one->behind;
    if (p->last[one->pair] == one)
        p->last[one->pair] = before;
    return before ? NULL : *at;
}
