/* esme_limits.h - what customers' ESMEs may have and how long things may take: --smpp-limits binds=32,window=10,...
 *
 * Pure; any thread. (SMPP 3.4, 7.2: its timers) */
#pragma once
#include "base/problem.h"

struct esme_limits {
    unsigned binds;                 /* of a resource, 1..1000 */
    unsigned links;                 /* of all, bound or not, 1..1000 */
    unsigned window;                /* deliver_sm unanswered on a link, 1..1000 */
    unsigned submits;               /* requests of a link that wait for our answer, 1..1000 */
    int64_t  bind_us;               /* to bind in */
    int64_t  enquire_us;            /* silence before we ask enquire_link */
    int64_t  answer_us;             /* for enquire_link and deliver_sm to be answered */
    int64_t  idle_us;               /* without a message either way, then unbind; 0: for ever */
};

/** "binds=4,idle=10m": what is not named stays as it is untold; "" is all of that.
 *  @return ERR_ABSENT (no such limit: `why` names the nearest), ERR_SYNTAX, ERR_RANGE */
MUST_USE enum err esme_limits_read(struct esme_limits *out, struct str text, struct problem *why);
