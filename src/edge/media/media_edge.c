#include "edge/media/media_edge.h"

#include "base/log.h"
#include "base/loop.h"
#include "base/metric.h"
#include "net/audio.h"
#include "net/rtp_loop.h"

#include <stdio.h>

METRIC_GAUGE(legs_open, "carterfone_media_legs", "RTP legs that are open")
METRIC_COUNTER(packets_sent, "carterfone_media_packets_sent_total", "RTP packets sent on legs that have ended")
METRIC_COUNTER(packets_received, "carterfone_media_packets_received_total", "RTP packets received on legs that have ended")
METRIC_COUNTER(packets_lost, "carterfone_media_packets_lost_total", "RTP packets missing in peers' numbering")
METRIC_COUNTER(packets_malformed, "carterfone_media_packets_malformed_total", "datagrams on RTP ports that were no RTP of ours")
METRIC_COUNTER(packets_strange, "carterfone_media_packets_strange_total", "datagrams on RTP ports from other hosts than the peer")

enum { WORK_BOUND = 4096 };

struct media_edge {
    struct media_edge_conf conf;
    char             host[46], advertise[46];
    struct loop     *work;
    struct rtp_loop *rtp;
    bool             started;
};

static void tell(struct media_edge *e, const struct media_news *news)
{
    enum err err = e->conf.tell(e->conf.calls, news);
    if (err)
        log_error("media", "news kind %d of leg %llx is lost: %s", (int)news->kind, (unsigned long long)news->leg.v,
                  err_words(err));
}

/* -- news of the loop, on its thread ------------------------------------------------------------------------------------ */

static void on_opened(void *arg, uint64_t leg, enum err err, const char *host, uint16_t port)
{
    struct media_edge *e = arg;
    struct media_news news = { .kind = err ? MEDIA_FAILED : MEDIA_OPENED, .leg = { leg }, .err = err };
    (void)host;
    if (err) {
        log_warn("media", "no RTP port for leg %llx: %s", (unsigned long long)leg, err_words(err));
    } else {
        metric_add(&legs_open, 1);
        news.local = (struct media_address){ .port = port, .payload = 0, .dtmf_payload = RTP_LOOP_DTMF_PAYLOAD };
        snprintf(news.local.host, sizeof news.local.host, "%s", e->advertise);
    }
    tell(e, &news);
}

static void tell_done(struct media_edge *e, enum media_news_kind kind, uint64_t leg, uint64_t op, enum err err)
{
    tell(e, &(struct media_news){ .kind = kind, .leg = { leg }, .op = op, .err = err });
}

static void on_played(void *arg, uint64_t leg, uint64_t op, enum err err)
{
    tell_done(arg, MEDIA_PLAYED, leg, op, err);
}

static void on_sent(void *arg, uint64_t leg, uint64_t op, enum err err)
{
    tell_done(arg, MEDIA_SENT, leg, op, err);
}

static void on_tone(void *arg, uint64_t leg, char tone)
{
    tell(arg, &(struct media_news){ .kind = MEDIA_TONE, .leg = { leg }, .tone = tone });
}

static void on_closed(void *arg, uint64_t leg, const struct rtp_loop_counters *c)
{
    metric_add(&legs_open, -1);
    metric_add(&packets_sent, (int64_t)c->sent);
    metric_add(&packets_received, (int64_t)c->received);
    metric_add(&packets_lost, (int64_t)c->lost);
    metric_add(&packets_malformed, (int64_t)c->malformed);
    metric_add(&packets_strange, (int64_t)c->strangers);
    tell(arg, &(struct media_news){ .kind = MEDIA_CLOSED, .leg = { leg }, .sent = c->sent, .received = c->received,
                                    .lost = c->lost });
}

static const struct rtp_loop_events rtp_events = {
    .opened = on_opened, .played = on_played, .sent = on_sent, .tone = on_tone, .closed = on_closed,
};

/* -- jobs, on the work thread --------------------------------------------------------------------------------------------- */

struct job {
    struct inbox_item item;
    struct leg_id leg;
    uint64_t      op;
    struct media_address remote;
    struct str    bytes;            /* a file or tones; behind the struct */
    bool          repeat;
};

/* Each tells the news that its op promised when the loop cannot. */
static void do_open(struct media_edge *e, const struct job *j)
{
    enum err err = rtp_loop_open(e->rtp, j->leg.v);
    if (err)
        tell_done(e, MEDIA_FAILED, j->leg.v, 0, err);
}

static void do_connect(struct media_edge *e, const struct job *j)
{
    struct rtp_loop_peer peer = { .port = j->remote.port, .payload = j->remote.payload,
                                  .dtmf_payload = j->remote.dtmf_payload };
    snprintf(peer.host, sizeof peer.host, "%s", j->remote.host);
    enum err err = rtp_loop_connect(e->rtp, j->leg.v, &peer);
    if (err) {
        log_warn("media", "leg %llx cannot be connected: %s", (unsigned long long)j->leg.v, err_words(err));
        tell_done(e, MEDIA_FAILED, j->leg.v, 0, err);
    }
}

static void do_play(struct media_edge *e, const struct job *j)
{
    struct audio *sound = NULL;
    struct problem why = { 0 };
    enum err err = audio_read(&sound, j->bytes, &why);
    if (err)
        log_info("media", "a prompt of %zu octets cannot be played: %s", j->bytes.n, why.text);
    else
        err = rtp_loop_play(e->rtp, j->leg.v, j->op, sound, j->repeat);
    audio_unref(sound);
    if (err)
        tell_done(e, MEDIA_PLAYED, j->leg.v, j->op, err);
}

static void do_stop(struct media_edge *e, const struct job *j)
{
    enum err err = rtp_loop_stop(e->rtp, j->leg.v, j->op);
    if (err)
        log_warn("media", "leg %llx plays on: %s", (unsigned long long)j->leg.v, err_words(err));
}

static void do_tones(struct media_edge *e, const struct job *j)
{
    enum err err = rtp_loop_send_tones(e->rtp, j->leg.v, j->op, j->bytes);
    if (err)
        tell_done(e, MEDIA_SENT, j->leg.v, j->op, err);
}

static void do_close(struct media_edge *e, const struct job *j)
{
    enum err err = rtp_loop_close(e->rtp, j->leg.v);
    if (err)
        log_error("media", "leg %llx stays open: %s", (unsigned long long)j->leg.v, err_words(err));
}

#define JOBS(J) J(open) J(connect) J(play) J(stop) J(tones) J(close)
#define JOB_KIND(name)                                                              \
    static void on_##name##_job(void *owner, struct inbox_item *item)               \
    {                                                                               \
        struct job *j = container_of(item, struct job, item);                       \
        do_##name(owner, j);                                                        \
        free(j);                                                                    \
    }                                                                               \
    static const struct inbox_kind kind_##name = { "media." #name, on_##name##_job, NULL };
JOBS(JOB_KIND)

/* -- ops, on any thread --------------------------------------------------------------------------------------------------- */

static struct job *job_of(const struct inbox_kind *kind, const struct job *values)
{
    struct job *j = malloc(sizeof *j + values->bytes.n);
    if (!j)
        return NULL;
    *j = *values;
    j->item.kind = kind;
    j->bytes.p = (char *)(j + 1);
    if (values->bytes.n)
        memcpy(j + 1, values->bytes.p, values->bytes.n);
    return j;
}

static enum err post(struct media_edge *e, const struct inbox_kind *kind, const struct job *values)
{
    struct job *j = job_of(kind, values);
    if (!j)
        return ERR_NOMEM;
    enum err err = inbox_post(loop_inbox(e->work), &j->item);
    if (err)
        free(j);
    return err;
}

static enum err op_open(void *media, struct leg_id leg)
{
    return post(media, &kind_open, &(struct job){ .leg = leg });
}

static enum err op_connect(void *media, struct leg_id leg, const struct media_address *remote)
{
    return post(media, &kind_connect, &(struct job){ .leg = leg, .remote = *remote });
}

static enum err op_play(void *media, struct leg_id leg, uint64_t op, struct str file, bool loop)
{
    if (file.n > MEDIA_EDGE_FILE_OCTETS_MAX)
        return ERR_SIZE;
    return post(media, &kind_play, &(struct job){ .leg = leg, .op = op, .bytes = file, .repeat = loop });
}

static enum err op_stop(void *media, struct leg_id leg, uint64_t op)
{
    return post(media, &kind_stop, &(struct job){ .leg = leg, .op = op });
}

static enum err op_send_dtmf(void *media, struct leg_id leg, uint64_t op, struct str tones)
{
    return post(media, &kind_tones, &(struct job){ .leg = leg, .op = op, .bytes = tones });
}

static enum err op_close(void *media, struct leg_id leg)
{
    struct media_edge *e = media;
    struct job *j = job_of(&kind_close, &(struct job){ .leg = leg });
    if (!j)
        return ERR_NOMEM;
    inbox_post_always(loop_inbox(e->work), &j->item);
    return ERR_NONE;
}

const struct media_ops *media_edge_ops(void)
{
    static const struct media_ops ops = {
        .open = op_open, .connect = op_connect, .play = op_play, .stop = op_stop, .send_dtmf = op_send_dtmf,
        .close = op_close,
    };
    return &ops;
}

/* -- life ------------------------------------------------------------------------------------------------------------------- */

enum err media_edge_new(struct media_edge **out, const struct media_edge_conf *conf, struct problem *why)
{
    struct media_edge *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    e->conf = *conf;
    snprintf(e->host, sizeof e->host, "%s", conf->host);
    snprintf(e->advertise, sizeof e->advertise, "%s", conf->advertise ? conf->advertise : conf->host);
    struct rtp_loop_conf rtp = { .name = "media", .host = e->host, .port_min = conf->port_min,
                                 .port_max = conf->port_max, .events = &rtp_events, .arg = e };
    enum err err = loop_new(&e->work, "media-work", WORK_BOUND, e);
    if (!err)
        err = rtp_loop_new(&e->rtp, &rtp, why);
    if (err) {
        media_edge_free(e);
        return err;
    }
    *out = e;
    return ERR_NONE;
}

enum err media_edge_start(struct media_edge *e)
{
    enum err err = rtp_loop_start(e->rtp);
    if (!err)
        err = loop_start(e->work);
    e->started = !err;
    return err;
}

void media_edge_stop(struct media_edge *e)
{
    if (e->started)
        loop_stop(e->work);         /* hands its last jobs to the loop, which does them before it closes the legs */
    e->started = false;
    rtp_loop_free(e->rtp);
    e->rtp = NULL;
}

void media_edge_free(struct media_edge *e)
{
    if (!e)
        return;
    media_edge_stop(e);
    loop_free(e->work);
    free(e);
}
