#include "edge/smpp/pacer.h"
#include "base/clock.h"

enum { SAMPLE_LEAST = 50, RUN_LEAST = 8, LATER_DOUBLINGS = 5 };
static const double BURST_S = 0.05, MARGIN = 1.02, RISE = 1.05, TOO_MANY = 0.05, FEW = 0.02;
static const int64_t SAMPLE_US = 100 * US_PER_MS, SAMPLE_LONG_US = US_PER_S, FORGET_US = 60 * (int64_t)US_PER_S;
static const int64_t LATER_US = 20 * US_PER_MS, STOP_US = 100 * US_PER_MS, STOP_MAX_US = 2 * US_PER_S;

static double rate_of(const struct pacer *p)
{
    if (p->learned > 0 && (p->given <= 0 || p->learned < p->given))
        return p->learned;
    return p->given;
}

static double burst_of(double rate)
{
    return rate * BURST_S > 1 ? rate * BURST_S : 1;
}

static void sample_anew(struct pacer *p, struct mono now)
{
    p->taken = p->throttled = 0;
    p->bound = false;
    p->sampled = now;
}

void pacer_init(struct pacer *p, uint32_t rate, unsigned window, struct mono now)
{
    *p = (struct pacer){ .given = rate, .filled = now, .run_most = RUN_LEAST + 2 * window };
    p->level = burst_of(rate);
    sample_anew(p, now);
}

void pacer_restart(struct pacer *p, struct mono now)
{
    p->run = 0;
    p->stop_us = 0;
    sample_anew(p, now);
}

bool pacer_take(struct pacer *p, struct mono now, int64_t *wait_us)
{
    double rate = rate_of(p), most = burst_of(rate);
    double level = p->level + (double)(now.us - p->filled.us) * rate / 1e6;
    p->filled = now;
    p->level = level < most ? level : most;
    if (rate <= 0)
        return true;
    if (p->level < 1) {
        int64_t us = (int64_t)((1 - p->level) * 1e6 / rate) + 1;
        *wait_us = us;
        p->bound = true;
        return false;
    }
    p->level -= 1;
    return true;
}

/* A sample that is long enough is judged. Without a throttle a lone message a second is none. */
static void judge(struct pacer *p, struct mono now)
{
    int64_t gap_us = now.us - p->sampled.us;
    unsigned n = p->taken + p->throttled;
    if (gap_us < SAMPLE_US || (n < SAMPLE_LEAST && gap_us < SAMPLE_LONG_US))
        return;
    double share = (double)p->throttled / n, took = (double)p->taken * 1e6 / (double)gap_us;
    if (p->throttled > 1 && share > TOO_MANY) {
        p->learned = took * MARGIN > 1 ? took * MARGIN : 1;
    } else if (p->learned > 0 && share < FEW && p->bound) {
        p->learned *= RISE;
        if (p->given > 0 && p->learned > p->given)
            p->learned = 0;
    } else if (p->learned > 0 && !p->throttled && gap_us > FORGET_US) {
        p->learned = 0;
    }
    sample_anew(p, now);
}

void pacer_taken(struct pacer *p, struct mono now)
{
    p->taken++;
    p->run = 0;
    p->stop_us = 0;
    judge(p, now);
}

enum pacer_verdict pacer_throttled(struct pacer *p, struct mono now, unsigned times, int64_t *wait_us)
{
    unsigned doublings = times > LATER_DOUBLINGS ? LATER_DOUBLINGS : times > 1 ? times - 1 : 0;
    p->throttled++;
    p->run++;
    if (p->run >= p->run_most) {
        p->stop_us = p->stop_us ? 2 * p->stop_us : STOP_US;
        p->stop_us = p->stop_us < STOP_MAX_US ? p->stop_us : STOP_MAX_US;
        *wait_us = p->stop_us;
        sample_anew(p, now);            /* what a stop costs says nothing of the rate */
        return PACER_STOP;
    }
    judge(p, now);
    *wait_us = LATER_US << doublings;
    return PACER_LATER;
}

bool pacer_is_stalled(const struct pacer *p)
{
    return p->stop_us >= STOP_MAX_US;
}

uint32_t pacer_rate(const struct pacer *p)
{
    return (uint32_t)rate_of(p);
}
