/* pacer.h - how fast submits may leave a bind: the rate that was given, and the one that an SMSC shows by throttling.
 *
 * Thread: its bind's. Time is passed in. By value; nothing to free.
 * What leaves is spread inside the second: at most 50 ms' worth goes at once, so that an SMSC that counts in tenths of a second
 * does not throttle what its rate allows. A few throttles among many answers are this message's bad luck: it goes again
 * after a moment, the others go on. When more than one in twenty is throttled the rate becomes what was taken lately, and rises again by
 * a twentieth at a time while all is well. When nothing is taken any more everybody stops, for longer each time. */
#pragma once
#include "base/base.h"

enum pacer_verdict { PACER_LATER, PACER_STOP };
struct pacer {
    double      given, learned;         /* a second; 0: none */
    double      level;                  /* of the bucket, in segments */
    struct mono filled;
    unsigned    run_most;               /* throttles without one taken that mean: nothing is taken */
    unsigned    run;
    unsigned    taken, throttled;       /* in the sample */
    struct mono sampled;                /* when it began */
    bool        bound;                  /* the bucket made somebody wait in it */
    int64_t     stop_us;                /* the last stop; 0: none */
};

/** @param rate  segments a second, 0: as fast as the SMSC answers */
void pacer_init(struct pacer *p, uint32_t rate, unsigned window, struct mono now);
/** A new link: what was learned stays, what went wrong is forgotten. */
void pacer_restart(struct pacer *p, struct mono now);
/** May one leave? If not, *wait_us says when: 1... */
bool pacer_take(struct pacer *p, struct mono now, int64_t *wait_us);
/** The SMSC took one. */
void pacer_taken(struct pacer *p, struct mono now);
/** It did not, for now; `times` it has thrown back this one. *wait_us: before this one goes again (PACER_LATER), or anything (PACER_STOP). */
enum pacer_verdict pacer_throttled(struct pacer *p, struct mono now, unsigned times, int64_t *wait_us);
/** Has nothing been taken for so long that the longest stop was reached? */
bool pacer_is_stalled(const struct pacer *p);
/** Segments a second now; 0: no limit. */
uint32_t pacer_rate(const struct pacer *p);
