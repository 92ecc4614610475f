/* rtp_ends.h - two RTP loops that talk to each other, and what each told: for the tests of rtp_loop. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "codec/rtp/rtp.h"
#include "hear.h"
#include "net/audio.h"
#include "net/dsp.h"
#include "net/rtp_loop.h"

/* -- an end: a loop, and what it told --------------------------------------------------------------------------------- */

enum kind { OPENED, PLAYED, SENT, TONE, HEARD, RECORDED, CLOSED };
struct told {
    enum kind kind;
    uint64_t  leg, op;
    enum err  err;
    uint16_t  port;
    char      tone;
    int16_t  *samples;
    size_t    n;
    struct rtp_loop_counters counters;
};

enum { TOLD_MAX = 256, PATIENCE_S = 20 };
struct end {
    struct rtp_loop *rl;
    pthread_mutex_t  lock;
    pthread_cond_t   more;
    struct told      told[TOLD_MAX];
    size_t           n;
};

static void tell(void *arg, struct told t)
{
    struct end *e = arg;
    pthread_mutex_lock(&e->lock);
    assert_true(e->n < TOLD_MAX);
    e->told[e->n++] = t;
    pthread_cond_broadcast(&e->more);
    pthread_mutex_unlock(&e->lock);
}

static void on_opened(void *arg, uint64_t leg, enum err err, const char *host, uint16_t port)
{
    (void)host;
    tell(arg, (struct told){ .kind = OPENED, .leg = leg, .err = err, .port = port });
}
static void on_played(void *arg, uint64_t leg, uint64_t op, enum err err)
{
    tell(arg, (struct told){ .kind = PLAYED, .leg = leg, .op = op, .err = err });
}
static void on_sent(void *arg, uint64_t leg, uint64_t op, enum err err)
{
    tell(arg, (struct told){ .kind = SENT, .leg = leg, .op = op, .err = err });
}
static void on_tone(void *arg, uint64_t leg, char tone)
{
    tell(arg, (struct told){ .kind = TONE, .leg = leg, .tone = tone });
}
static void on_heard(void *arg, uint64_t leg)
{
    tell(arg, (struct told){ .kind = HEARD, .leg = leg });
}
static void on_recorded(void *arg, uint64_t leg, int16_t *samples, size_t n)
{
    tell(arg, (struct told){ .kind = RECORDED, .leg = leg, .samples = samples, .n = n });
}
static void on_closed(void *arg, uint64_t leg, const struct rtp_loop_counters *counters)
{
    tell(arg, (struct told){ .kind = CLOSED, .leg = leg, .counters = *counters });
}
static const struct rtp_loop_events events = { on_opened, on_played, on_sent, on_tone, on_heard, on_recorded, on_closed };

static inline void end_init(struct end *e, const char *host, uint16_t port_min, uint16_t port_max)
{
    memset(e, 0, sizeof *e);
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->more, NULL);
    struct rtp_loop_conf conf = { .name = "rtp", .host = host, .port_min = port_min, .port_max = port_max,
                                  .events = &events, .arg = e };
    assert_int_equal(rtp_loop_new(&e->rl, &conf, NULL), ERR_NONE);
    assert_int_equal(rtp_loop_start(e->rl), ERR_NONE);
}

static inline void end_done(struct end *e)
{
    rtp_loop_free(e->rl);
    for (size_t i = 0; i < e->n; i++)
        free(e->told[i].samples);
    pthread_mutex_destroy(&e->lock);
    pthread_cond_destroy(&e->more);
}

/* The nth news of this kind about the leg, 0 the first; waits for it. */
static inline struct told wait_for(struct end *e, enum kind kind, uint64_t leg, size_t nth)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&e->lock);
    for (;;) {
        size_t seen = 0;
        for (size_t i = 0; i < e->n; i++)
            if (e->told[i].kind == kind && e->told[i].leg == leg && seen++ == nth) {
                struct told t = e->told[i];
                pthread_mutex_unlock(&e->lock);
                return t;
            }
        if (pthread_cond_timedwait(&e->more, &e->lock, &until)) {
            pthread_mutex_unlock(&e->lock);
            fail_msg("kind %d of leg %d was not told", (int)kind, (int)leg);
        }
    }
}

static inline size_t count_told(struct end *e, enum kind kind, uint64_t leg)
{
    size_t n = 0;
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < e->n; i++)
        n += e->told[i].kind == kind && e->told[i].leg == leg;
    pthread_mutex_unlock(&e->lock);
    return n;
}

static inline uint16_t open_leg(struct end *e, uint64_t leg)
{
    assert_int_equal(rtp_loop_open(e->rl, leg), ERR_NONE);
    struct told t = wait_for(e, OPENED, leg, 0);
    assert_int_equal(t.err, ERR_NONE);
    return t.port;
}

static inline void connect_leg(struct end *e, uint64_t leg, uint16_t port, uint8_t payload, uint8_t dtmf)
{
    struct rtp_loop_peer peer = { .host = "127.0.0.1", .port = port, .payload = payload, .dtmf_payload = dtmf };
    assert_int_equal(rtp_loop_connect(e->rl, leg, &peer), ERR_NONE);
}

/* -- two ends talk ------------------------------------------------------------------------------------------------------- */

enum { SECOND = 8000 };
static struct end a, b;

static inline int two_ends(void **state)
{
    (void)state;
    end_init(&a, "127.0.0.1", 0, 0);
    end_init(&b, "127.0.0.1", 0, 0);
    return 0;
}

static inline int no_ends(void **state)
{
    (void)state;
    end_done(&a);
    end_done(&b);
    return 0;
}

static inline void join(uint64_t leg, uint8_t payload, uint8_t dtmf)
{
    uint16_t pa = open_leg(&a, leg), pb = open_leg(&b, leg);
    connect_leg(&a, leg, pb, payload, dtmf);
    connect_leg(&b, leg, pa, payload, dtmf);
}
