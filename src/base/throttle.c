#include "base/throttle.h"      /* own header first: proves it stands alone */

enum { RATE_MAX = 100000, BURST_FACTOR = 10 };
static const int64_t ONE = 1000000;             /* one message, in micro-tokens */

struct throttle {
    struct throttle_conf conf;
    int64_t     level;          /* micro-tokens, 0..burst*ONE; each microsecond adds `rate` of them */
    struct mono filled;         /* when `level` was last brought up to date */
};

/* Microseconds until `level` reaches `goal`, rounded up. */
static int64_t us_until(const struct throttle *t, int64_t goal)
{
    return (goal - t->level + t->conf.rate - 1) / t->conf.rate;
}

static void refill(struct throttle *t, struct mono now)
{
    int64_t full = t->conf.burst * ONE;
    int64_t gap  = now.us - t->filled.us;
    /* compare times before multiplying: a century of silence must not overflow */
    t->level  = gap >= us_until(t, full) ? full : t->level + gap * t->conf.rate;
    t->filled = now;
}

enum err throttle_new(struct throttle **out, const struct throttle_conf *conf, struct mono now)
{
    if (conf->rate < 1 || conf->rate > RATE_MAX
        || conf->burst < 1 || conf->burst > BURST_FACTOR * conf->rate)
        return ERR_RANGE;

    struct throttle *t = malloc(sizeof *t);
    if (!t)
        return ERR_NOMEM;

    *t = (struct throttle){ .conf = *conf, .level = conf->burst * ONE, .filled = now };
    *out = t;
    return ERR_NONE;
}

void throttle_free(struct throttle *t)
{
    free(t);
}

enum err throttle_take(struct throttle *t, struct mono now, int64_t *wait_us)
{
    refill(t, now);
    if (t->level < ONE) {
        *wait_us = us_until(t, ONE);
        return ERR_BUSY;
    }
    t->level -= ONE;
    return ERR_NONE;
}
