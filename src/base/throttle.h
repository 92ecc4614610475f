/* throttle.h - token bucket: how many messages may start per second.
 *
 * Thread: the loop that made it; never shared. Time is passed in, never read, so tests own the clock.
 * Used for account limits and for the rate of an SMPP bind (SMPP 3.4, 5.1.3, ESME_RTHROTTLED). */
#pragma once
#include "base/base.h"

struct throttle;                /* opaque: the fields are throttle.c's business */
struct throttle_conf {
    uint32_t rate;              /* messages per second, 1..100000 */
    uint32_t burst;             /* messages that may start at once, 1..10*rate */
};

/** Make a full bucket. *out is set on success only; the caller frees it.
 *  @return ERR_NONE, ERR_RANGE (conf), ERR_NOMEM */
MUST_USE enum err throttle_new(struct throttle **out, const struct throttle_conf *conf, struct mono now);

void throttle_free(struct throttle *t);         /* NULL is fine, here and in every *_free() */
SCOPED_FREE(throttle)

/** Take one message's worth.
 *  @param wait_us  set on ERR_BUSY only: microseconds until a take can succeed, 1..1000000
 *  @return ERR_NONE, ERR_BUSY */
MUST_USE enum err throttle_take(struct throttle *t, struct mono now, int64_t *wait_us);
