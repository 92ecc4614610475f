/* What is wrong with a leg's line on purpose: loss, delay and jitter of what it sends, one-way sound, and an echo.
 * A leg whose line is well has none of this. Memory is taken when the line is set, none per packet. */
#include "net/rtp_loop_priv.h"
#include "base/clock.h"

enum { HELD_MAX = 128, ECHO_SAMPLES = 25 * FRAME_SAMPLES, ECHO_CUSHION = 5 * FRAME_SAMPLES, PERMILLE = 1000 };

struct held {
    int64_t  due_us;                    /* monotonic */
    uint16_t n;                         /* octets; 0: a free place */
    uint8_t  datagram[RTP_HEADER_OCTETS + FRAME_SAMPLES];
};

struct line {
    struct rtp_loop_line conf;
    uint64_t    chance;
    unsigned    n_held;
    struct held held[HELD_MAX];
    uint8_t     echo[ECHO_SAMPLES];     /* a ring: echo_n octets from echo_at on */
    size_t      echo_at, echo_n;
    bool        echoing;                /* begins with ECHO_CUSHION, so that a late tick leaves no hole */
};

void line_free(struct line *line)
{
    free(line);
}

void line_set(struct leg *leg, const struct rtp_loop_line *conf)
{
    static const struct rtp_loop_line well;
    bool bad = conf->mute || conf->deaf || conf->echo || conf->loss_permille || conf->delay_ms || conf->jitter_ms;
    if (!leg->line && !bad)
        return;
    if (!leg->line)
        leg->line = calloc(1, sizeof *leg->line);
    if (!leg->line)
        return;                         /* out of memory: the line stays well */
    leg->line->conf = bad ? *conf : well;
    leg->line->chance = hash_u64(conf->seed);
}

/* 0..below-1 */
static uint64_t chance(struct line *line, uint64_t below)
{
    line->chance = hash_u64(line->chance + 1);
    return line->chance % below;
}

static void send_now(struct leg *leg, const uint8_t *datagram, size_t n)
{
    /* a full buffer or an unreachable peer loses a packet, as a network may */
    if (sendto(leg->fd, datagram, n, MSG_DONTWAIT, (struct sockaddr *)&leg->remote.addr, leg->remote.n) >= 0)
        leg->counters.sent++;
}

/* No room: it goes at once, as lines with too little memory do not exist. */
static void hold(struct leg *leg, const uint8_t *datagram, size_t n, int64_t wait_us)
{
    struct line *line = leg->line;
    for (size_t i = 0; i < HELD_MAX; i++) {
        struct held *h = &line->held[i];
        if (h->n)
            continue;
        h->due_us = clock_mono().us + wait_us;
        h->n = (uint16_t)n;
        memcpy(h->datagram, datagram, n);
        line->n_held++;
        return;
    }
    send_now(leg, datagram, n);
}

void line_send(struct leg *leg, const uint8_t *datagram, size_t n)
{
    struct line *line = leg->line;
    if (!line) {
        send_now(leg, datagram, n);
        return;
    }
    const struct rtp_loop_line *c = &line->conf;
    if (c->mute || (c->loss_permille && chance(line, PERMILLE) < c->loss_permille))
        return;
    int64_t wait_us = ((int64_t)c->delay_ms + (c->jitter_ms ? (int64_t)chance(line, c->jitter_ms + 1U) : 0)) * US_PER_MS;
    if (wait_us)
        hold(leg, datagram, n, wait_us);
    else
        send_now(leg, datagram, n);
}

void line_tick(struct leg *leg)
{
    struct line *line = leg->line;
    if (!line || !line->n_held)
        return;
    int64_t now_us = clock_mono().us;
    for (size_t i = 0; i < HELD_MAX; i++) {
        struct held *h = &line->held[i];
        if (!h->n || h->due_us > now_us)
            continue;
        send_now(leg, h->datagram, h->n);
        h->n = 0;
        line->n_held--;
    }
}

bool line_deaf(const struct leg *leg)
{
    return leg->line && leg->line->conf.deaf;
}

/* -- echo: a peer that is ahead of our clock by half a second loses what is oldest --------------------------------------- */

void line_echo(struct leg *leg, uint8_t type, const uint8_t *sound, size_t n)
{
    struct line *line = leg->line;
    if (!line || !line->conf.echo || type != leg->payload || n > ECHO_SAMPLES)
        return;
    for (size_t i = 0; i < n; i++)
        line->echo[(line->echo_at + line->echo_n + i) % ECHO_SAMPLES] = sound[i];
    line->echo_n += n;
    if (line->echo_n > ECHO_SAMPLES) {
        line->echo_at = (line->echo_at + line->echo_n - ECHO_SAMPLES) % ECHO_SAMPLES;
        line->echo_n = ECHO_SAMPLES;
    }
}

bool line_echo_take(struct leg *leg, uint8_t frame[FRAME_SAMPLES])
{
    struct line *line = leg->line;
    if (!line)
        return false;
    line->echoing = line->echo_n >= (line->echoing ? FRAME_SAMPLES : ECHO_CUSHION);
    if (!line->echoing)
        return false;
    for (size_t i = 0; i < FRAME_SAMPLES; i++)
        frame[i] = line->echo[(line->echo_at + i) % ECHO_SAMPLES];
    line->echo_at = (line->echo_at + FRAME_SAMPLES) % ECHO_SAMPLES;
    line->echo_n -= FRAME_SAMPLES;
    return true;
}
