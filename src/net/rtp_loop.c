#include "net/rtp_loop_priv.h"

#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { INBOX_BOUND = 4096, CATCH_UP_FRAMES = 25, LINE_MOST = 1000 };

/* -- telling -------------------------------------------------------------------------------------------------------------- */

void tell_played(const struct rtp_loop *rl, uint64_t leg, uint64_t op, enum err err)
{
    if (rl->conf.events->played)
        rl->conf.events->played(rl->conf.arg, leg, op, err);
}

void tell_sent(const struct rtp_loop *rl, uint64_t leg, uint64_t op, enum err err)
{
    if (rl->conf.events->sent)
        rl->conf.events->sent(rl->conf.arg, leg, op, err);
}

static void tell_opened(const struct rtp_loop *rl, uint64_t leg, enum err err, uint16_t port)
{
    if (rl->conf.events->opened)
        rl->conf.events->opened(rl->conf.arg, leg, err, rl->host, port);
}

/* -- the tick --------------------------------------------------------------------------------------------------------------- */

static void tick_every(struct rtp_loop *rl, int ms)      /* 0: never */
{
    struct timespec t = { .tv_nsec = (long)ms * 1000000 };
    struct itimerspec every = { .it_interval = t, .it_value = t };
    timerfd_settime(rl->timer_fd, 0, &every, NULL);
}

/* From the peer's host only; the first valid-looking packet decides the port. */
static bool admit(struct leg *leg, const struct sockaddr_storage *from)
{
    bool ours = leg->connected && same_host(from, &leg->remote.addr)
                && (!leg->latched || same_port(from, &leg->remote.addr));
    if (!ours)
        leg->counters.strangers++;
    return ours;
}

static void hear(struct leg *leg, const struct mmsghdr *m, const uint8_t *datagram)
{
    const struct sockaddr_storage *from = m->msg_hdr.msg_name;
    uint64_t malformed = leg->counters.malformed;
    if (line_deaf(leg) || !admit(leg, from))
        return;
    hearer_datagram(leg, datagram, m->msg_hdr.msg_flags & MSG_TRUNC ? 0 : m->msg_len);
    if (!leg->latched && leg->counters.malformed == malformed) {
        memcpy(&leg->remote.addr, from, leg->remote.n);
        leg->latched = true;
    }
}

static void sweep(struct leg *leg)
{
    struct rtp_loop *rl = leg->rl;
    for (int round = 0, n = SWEEP_DATAGRAMS; round < SWEEPS_MAX && n == SWEEP_DATAGRAMS; round++) {
        for (int i = 0; i < SWEEP_DATAGRAMS; i++)
            rl->headers[i].msg_hdr.msg_namelen = sizeof rl->sources[i];
        n = recvmmsg(leg->fd, rl->headers, SWEEP_DATAGRAMS, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++)
            hear(leg, &rl->headers[i], rl->datagrams[i]);
    }
}

/* A late tick says what it missed, so that sound keeps its pace; after a long stall it leaves a gap instead. */
static void on_tick(void *arg, bool readable, bool writable)
{
    struct rtp_loop *rl = arg;
    uint64_t frames;
    (void)readable, (void)writable;
    if (read(rl->timer_fd, &frames, sizeof frames) != sizeof frames)
        return;
    uint64_t skipped = frames > CATCH_UP_FRAMES ? frames - CATCH_UP_FRAMES : 0;
    for (size_t i = 0; i < rl->n_legs; i++) {
        struct leg *leg = rl->legs[i];
        sweep(leg);
        if (!leg->connected)
            continue;
        line_tick(leg);
        sender_skip(leg, skipped);
        for (uint64_t f = skipped; f < frames; f++)
            sender_tick(leg);
    }
}

/* -- legs ----------------------------------------------------------------------------------------------------------------- */

static struct leg *leg_new(struct rtp_loop *rl, uint64_t id, enum err *err)
{
    struct leg *leg = calloc(1, sizeof *leg);
    *err = ERR_NOMEM;
    if (!leg)
        return NULL;
    leg->rl = rl;
    leg->id = id;
    sender_init(&leg->send);
    leg->fd = socket(rl->bind_to.addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    *err = leg->fd < 0 ? ERR_IO : bind_any(rl, leg->fd, &leg->port);
    if (!*err)
        return leg;
    if (leg->fd >= 0)
        close(leg->fd);
    free(leg);
    return NULL;
}

static enum err leg_list(struct rtp_loop *rl, struct leg *leg)
{
    if (rl->n_legs == rl->room) {
        size_t room = rl->room ? 2 * rl->room : 16;
        struct leg **legs = realloc(rl->legs, room * sizeof(struct leg *));
        if (!legs)
            return ERR_NOMEM;
        rl->legs = legs;
        rl->room = room;
    }
    enum err err = map_put(rl->by_id, leg->id, leg);
    if (err)
        return err;
    leg->index = rl->n_legs;
    rl->legs[rl->n_legs++] = leg;
    if (rl->n_legs == 1)
        tick_every(rl, FRAME_MS);
    return ERR_NONE;
}

static void leg_unlist(struct rtp_loop *rl, struct leg *leg)
{
    map_take(rl->by_id, leg->id);
    rl->legs[leg->index] = rl->legs[--rl->n_legs];
    rl->legs[leg->index]->index = leg->index;
    if (!rl->n_legs)
        tick_every(rl, 0);
}

static void leg_close(struct leg *leg)
{
    struct rtp_loop *rl = leg->rl;
    sweep(leg);                             /* what the peer said until now counts */
    leg_unlist(rl, leg);
    sender_done(leg);
    hearer_done(leg);
    line_free(leg->line);
    close(leg->fd);
    if (rl->conf.events->closed)
        rl->conf.events->closed(rl->conf.arg, leg->id, &leg->counters);
    free(leg);
}

/* -- commands ------------------------------------------------------------------------------------------------------------- */

struct command {
    struct inbox_item item;
    uint64_t      leg, op;
    struct audio *audio;                    /* play: one reference */
    bool          repeat;
    unsigned      sound_ms;
    struct rtp_loop_line line;
    struct endpoint remote;
    uint8_t       payload, dtmf_payload;
    struct str    tones;                    /* behind the struct */
};

static void do_open(struct rtp_loop *rl, const struct command *c)
{
    enum err err = ERR_CONFLICT;
    struct leg *leg = map_find(rl->by_id, c->leg) ? NULL : leg_new(rl, c->leg, &err);
    if (leg && (err = leg_list(rl, leg)) != ERR_NONE) {
        close(leg->fd);
        free(leg);
    }
    tell_opened(rl, c->leg, err, err ? 0 : leg->port);
}

static void do_connect(struct rtp_loop *rl, const struct command *c)
{
    struct leg *leg = map_find(rl->by_id, c->leg);
    if (!leg)
        return;
    leg->remote       = c->remote;
    leg->payload      = c->payload;
    leg->dtmf_payload = c->dtmf_payload;
    leg->connected    = true;
    leg->latched      = false;
    if (!leg->dtmf_payload && !leg->hear.tones)
        leg->hear.tones = dsp_tones_new();  /* out of memory: its keys are not heard */
}

static void do_play(struct rtp_loop *rl, const struct command *c)
{
    struct leg *leg = map_find(rl->by_id, c->leg);
    if (leg)
        sender_play(leg, c->op, audio_ref(c->audio), c->repeat);
    else
        tell_played(rl, c->leg, c->op, ERR_CLOSED);
}

static void do_stop(struct rtp_loop *rl, const struct command *c)
{
    struct leg *leg = map_find(rl->by_id, c->leg);
    if (leg)
        sender_stop(leg, c->op);
}

static void do_tones(struct rtp_loop *rl, const struct command *c)
{
    struct leg *leg = map_find(rl->by_id, c->leg);
    if (leg)
        sender_press(leg, c->op, c->tones);
    else
        tell_sent(rl, c->leg, c->op, ERR_CLOSED);
}

static void do_record(struct rtp_loop *rl, const struct command *c)
{
    struct leg *leg = map_find(rl->by_id, c->leg);
    if (leg)
        leg->hear.recording = true;
}

static void do_listen(struct rtp_loop *rl, const struct command *c)
{
    struct leg *leg = map_find(rl->by_id, c->leg);
    if (!leg)
        return;
    leg->hear.sound_samples = 0;
    leg->hear.listen_samples = (uint64_t)c->sound_ms * DSP_RATE / 1000;
}

static void do_line(struct rtp_loop *rl, const struct command *c)
{
    struct leg *leg = map_find(rl->by_id, c->leg);
    if (leg)
        line_set(leg, &c->line);
}

static void do_close(struct rtp_loop *rl, const struct command *c)
{
    struct leg *leg = map_find(rl->by_id, c->leg);
    if (leg)
        leg_close(leg);
}

static void command_free(struct inbox_item *item)
{
    struct command *c = container_of(item, struct command, item);
    audio_unref(c->audio);
    free(c);
}

/* name, for the inbox; do_<name>() is what it does */
#define COMMANDS(C) C(open) C(connect) C(play) C(stop) C(tones) C(record) C(listen) C(line) C(close)
#define COMMAND_KIND(name)                                                          \
    static void on_##name(void *owner, struct inbox_item *item)                     \
    {                                                                               \
        do_##name(owner, container_of(item, struct command, item));                 \
        command_free(item);                                                         \
    }                                                                               \
    static const struct inbox_kind kind_##name = { "rtp." #name, on_##name, command_free };
COMMANDS(COMMAND_KIND)

static struct command *command_of(const struct inbox_kind *kind, const struct command *values)
{
    struct command *c = malloc(sizeof *c + values->tones.n);
    if (!c)
        return NULL;
    *c = *values;
    c->item.kind = kind;
    if (c->audio)
        audio_ref(c->audio);
    if (values->tones.n) {
        memcpy(c + 1, values->tones.p, values->tones.n);
        c->tones.p = (char *)(c + 1);
    }
    return c;
}

static enum err post(struct rtp_loop *rl, const struct inbox_kind *kind, const struct command *values)
{
    struct command *c = command_of(kind, values);
    if (!c)
        return ERR_NOMEM;
    enum err err = inbox_post(loop_inbox(rl->loop), &c->item);
    if (err)
        command_free(&c->item);
    return err;
}

static enum err post_always(struct rtp_loop *rl, const struct inbox_kind *kind, const struct command *values)
{
    struct command *c = command_of(kind, values);
    if (!c)
        return ERR_NOMEM;
    inbox_post_always(loop_inbox(rl->loop), &c->item);
    return ERR_NONE;
}

enum err rtp_loop_open(struct rtp_loop *rl, uint64_t leg)
{
    return post(rl, &kind_open, &(struct command){ .leg = leg });
}

enum err rtp_loop_connect(struct rtp_loop *rl, uint64_t leg, const struct rtp_loop_peer *peer)
{
    struct command c = { .leg = leg, .payload = peer->payload, .dtmf_payload = peer->dtmf_payload };
    if (!endpoint_of(&c.remote, peer->host, peer->port) || !peer->port
        || c.remote.addr.ss_family != rl->bind_to.addr.ss_family)
        return ERR_RANGE;
    if ((peer->payload != RTP_PCMU && peer->payload != RTP_PCMA) || peer->dtmf_payload > 127)
        return ERR_RANGE;
    return post(rl, &kind_connect, &c);
}

enum err rtp_loop_play(struct rtp_loop *rl, uint64_t leg, uint64_t op, struct audio *a, bool repeat)
{
    return post(rl, &kind_play, &(struct command){ .leg = leg, .op = op, .audio = a, .repeat = repeat });
}

enum err rtp_loop_stop(struct rtp_loop *rl, uint64_t leg, uint64_t op)
{
    return post_always(rl, &kind_stop, &(struct command){ .leg = leg, .op = op });
}

enum err rtp_loop_send_tones(struct rtp_loop *rl, uint64_t leg, uint64_t op, struct str tones)
{
    return post(rl, &kind_tones, &(struct command){ .leg = leg, .op = op, .tones = tones });
}

enum err rtp_loop_record(struct rtp_loop *rl, uint64_t leg)
{
    return post(rl, &kind_record, &(struct command){ .leg = leg });
}

enum err rtp_loop_listen(struct rtp_loop *rl, uint64_t leg, unsigned sound_ms)
{
    return post(rl, &kind_listen, &(struct command){ .leg = leg, .sound_ms = sound_ms });
}

enum err rtp_loop_set_line(struct rtp_loop *rl, uint64_t leg, const struct rtp_loop_line *line)
{
    if (line->loss_permille > LINE_MOST || line->delay_ms > LINE_MOST || line->jitter_ms > LINE_MOST)
        return ERR_RANGE;
    return post(rl, &kind_line, &(struct command){ .leg = leg, .line = *line });
}

enum err rtp_loop_close(struct rtp_loop *rl, uint64_t leg)
{
    return post_always(rl, &kind_close, &(struct command){ .leg = leg });
}

/* -- life ------------------------------------------------------------------------------------------------------------------- */

static enum err check_conf(struct rtp_loop *rl, struct problem *why)
{
    struct rtp_loop_conf *c = &rl->conf;
    if (!endpoint_of(&rl->bind_to, c->host, 0))
        return problem_set(why, ERR_RANGE, "InvalidRtpHost", "'%.60s' is not a numeric address for RTP.", c->host);
    if (!c->port_min && !c->port_max)
        return ERR_NONE;
    c->port_min += c->port_min & 1;         /* RTP has even ports (RFC 3550, 11) */
    if (!c->port_min || c->port_min > c->port_max)
        return problem_set(why, ERR_RANGE, "InvalidRtpPorts", "No even port lies between the RTP ports given.");
    rl->next_port = c->port_min;
    return ERR_NONE;
}

static void lay_out_datagrams(struct rtp_loop *rl)
{
    for (int i = 0; i < SWEEP_DATAGRAMS; i++) {
        rl->vectors[i] = (struct iovec){ rl->datagrams[i], DATAGRAM_OCTETS };
        rl->headers[i].msg_hdr = (struct msghdr){ .msg_name = &rl->sources[i], .msg_iov = &rl->vectors[i],
                                                  .msg_iovlen = 1 };
    }
}

static enum err make_loop(struct rtp_loop *rl)
{
    size_t bound = rl->conf.inbox_bound ? rl->conf.inbox_bound : INBOX_BOUND;
    enum err err = loop_new(&rl->loop, rl->conf.name, bound, rl);
    if (err)
        return err;
    rl->by_id = map_new();
    if (!rl->by_id)
        return ERR_NOMEM;
    rl->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (rl->timer_fd < 0)
        return ERR_IO;
    err = loop_io_init(rl->loop, &rl->timer, rl->timer_fd, on_tick, rl);
    if (!err)
        loop_io_watch(&rl->timer, true, false);
    return err;
}

enum err rtp_loop_new(struct rtp_loop **out, const struct rtp_loop_conf *conf, struct problem *why)
{
    struct rtp_loop *rl = calloc(1, sizeof *rl);
    if (!rl)
        return ERR_NOMEM;
    rl->conf = *conf;
    rl->timer_fd = -1;
    enum err err = check_conf(rl, why);
    if (!err) {
        snprintf(rl->host, sizeof rl->host, "%s", conf->host);
        lay_out_datagrams(rl);
        err = make_loop(rl);
    }
    if (err) {
        rtp_loop_free(rl);
        return err;
    }
    *out = rl;
    return ERR_NONE;
}

enum err rtp_loop_start(struct rtp_loop *rl)
{
    return loop_start(rl->loop);
}

void rtp_loop_free(struct rtp_loop *rl)
{
    if (!rl)
        return;
    if (rl->loop)
        loop_stop(rl->loop);
    while (rl->n_legs)
        leg_close(rl->legs[rl->n_legs - 1]);
    loop_io_done(&rl->timer);
    loop_free(rl->loop);
    if (rl->timer_fd >= 0)
        close(rl->timer_fd);
    map_free(rl->by_id);
    free(rl->legs);
    free(rl);
}
