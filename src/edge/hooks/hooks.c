#include "edge/hooks/hooks.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/metric.h"
#include "base/str.h"
#include "edge/hooks/faulty.h"
#include "edge/hooks/hosts.h"
#include "net/http_client.h"
#include "net/jwt_signer.h"
#include "net/target.h"

#include <stdatomic.h>
#include <stdio.h>

METRIC_COUNTER(answered, "carterfone_hooks_answered_total", "Requests of ours that got an HTTP answer");
METRIC_COUNTER(failed, "carterfone_hooks_failed_total", "Requests of ours that got none");
METRIC_GAUGE(waiting, "carterfone_hooks_waiting", "Requests of ours that wait for their turn");
METRIC_GAUGE(under_way, "carterfone_hooks_under_way", "Requests of ours under way");

enum { HEADERS_MAX = COURIER_HEADERS_MAX, NAME_SIZE = 300,
       SLOW_SLOTS = 3,          /* of four are for slow hosts: each request of theirs may take its whole deadline */
       QUICK_SLOTS = 1 };

/* One request, its strings behind it in the same block. */
struct job {
    struct inbox_item item;
    struct turn       turn;
    struct hooks     *hooks;
    uint64_t          id;
    size_t            octets;
    const char       *token_for;        /* empty: none */
    struct buf        bearer;
    struct http_client_ask ask;
    void            (*done)(void *arg, const struct courier_outcome *outcome);
    void             *arg;
    size_t            n_headers;
    const char       *headers[HEADERS_MAX + 2];      /* the bearer's is the last */
    char              bytes[];
};

struct hooks {
    struct hooks_conf   conf;
    struct loop        *loop;
    struct http_client *client;
    struct faulty      *faulty;         /* in front of the client */
    struct hosts       *hosts;
    struct loop_timer   look;           /* for what becomes late */
    _Atomic size_t      n_waiting, octets;
    _Atomic bool        allow_local, stopping;
    bool                started, looking;
};

/* -- ends ---------------------------------------------------------------------------------------------------------- */

static void tell(struct job *job, const struct http_client_answer *a)
{
    struct courier_outcome outcome = { .id = job->id, .err = a->err, .status = a->status, .body = a->body,
                                       .allowed_origin = a->header, .took_us = a->took_us };
    str_copyz(outcome.words, sizeof outcome.words, str_of(a->words));
    metric_add(a->err ? &failed : &answered, 1);
    job->done(job->arg, &outcome);
    buf_done(&job->bearer);
    free(job);
}

static void tell_refused(struct job *job, enum err err, const char *words)
{
    struct http_client_answer a = { .err = err };
    str_copyz(a.words, sizeof a.words, str_of(words));
    tell(job, &a);
}

/* -- turns --------------------------------------------------------------------------------------------------------- */

static void start_some(struct hooks *h);

static void waits_no_more(struct hooks *h, const struct job *job)
{
    h->n_waiting--;
    h->octets -= job->octets;
    metric_add(&waiting, -1);
}

/* What has become slow gives back what waits over its bound. */
static void give_back(struct hooks *h)
{
    for (struct turn *t; (t = hosts_over(h->hosts));) {
        struct job *job = container_of(t, struct job, turn);
        waits_no_more(h, job);
        tell_refused(job, ERR_BUSY, "its host became slow while too much waited for it");
    }
}

static void on_look(void *arg)
{
    struct hooks *h = arg;
    h->looking = false;
    int64_t wait = hosts_look(h->hosts, clock_mono());
    give_back(h);
    if (wait >= 0) {
        h->looking = true;
        loop_timer_start(&h->look, wait);
    }
    start_some(h);
}

/* Each try has a token of its own, good for minutes. */
static enum err add_token(struct hooks *h, struct job *job)
{
    if (!job->token_for[0])
        return ERR_NONE;
    if (!h->conf.signer)
        return ERR_UNBUILT;
    buf_putz(&job->bearer, "Authorization: Bearer ");
    enum err err = jwt_sign(h->conf.signer, str_of(job->token_for), clock_wall_us(), &job->bearer);
    buf_putc(&job->bearer, '\0');
    job->headers[job->n_headers] = job->bearer.p;
    return err ? err : buf_err(&job->bearer);
}

static void begin(struct hooks *h, struct job *job)
{
    void **site = host_memo(job->turn.host);
    if (!*site && str_starts(str_of(job->ask.url), STR("https:")))
        *site = http_client_site_new();         /* without memory for it: a whole handshake, no more */
    job->ask.site = *site;
    waits_no_more(h, job);
    enum err err = add_token(h, job);
    if (err || (err = faulty_begin(h->faulty, &job->ask))) {
        hosts_undone(h->hosts, &job->turn);
        tell_refused(job, err, err == ERR_NOMEM ? "out of memory" : "it cannot be signed: the key is not there");
        return;
    }
    metric_add(&under_way, 1);
    if (!h->looking) {
        h->looking = true;
        loop_timer_start(&h->look, h->conf.late_us);
    }
}

static void start_some(struct hooks *h)
{
    struct turn *t;
    while (!h->stopping && (t = hosts_next(h->hosts, clock_mono())))
        begin(h, container_of(t, struct job, turn));
}

static void on_answer(void *arg, const struct http_client_answer *a)
{
    struct job *job = arg;
    struct hooks *h = job->hooks;
    metric_add(&under_way, -1);
    if (a->err == ERR_NONE || a->err == ERR_SIZE)
        hosts_ended(h->hosts, &job->turn, clock_mono(), true);
    else if (a->err == ERR_IO || a->err == ERR_TIMEOUT)
        hosts_ended(h->hosts, &job->turn, clock_mono(), false);
    else
        hosts_undone(h->hosts, &job->turn);
    tell(job, a);
    if (h->stopping)
        return;
    give_back(h);
    start_some(h);
}

/* -- coming in ----------------------------------------------------------------------------------------------------- */

/* "https://name:port" of a URL, lower case, without a user, for the log shows it. @return false when it has no such start */
static bool host_name(struct str url, char name[NAME_SIZE])
{
    size_t start = str_starts(url, STR("https://")) ? 8 : str_starts(url, STR("http://")) ? 7 : 0, end = start, n = 0;
    size_t host = start;
    for (; end < url.n && !strchr("/?#", url.p[end]); end++)
        if (url.p[end] == '@')
            host = end + 1;
    if (!start || end == host || end >= NAME_SIZE)
        return false;
    for (size_t i = 0; i < end; i++)
        if (i < start || i >= host)
            name[n++] = (char)(url.p[i] >= 'A' && url.p[i] <= 'Z' ? url.p[i] | 32 : url.p[i]);
    name[n] = '\0';
    return true;
}

static void refuse(struct hooks *h, struct job *job, enum err err, const char *words)
{
    waits_no_more(h, job);
    tell_refused(job, err, words);
}

static enum err line_up(struct hooks *h, struct job *job, const char **words)
{
    char name[NAME_SIZE];
    *words = "the server is stopping";
    if (h->stopping)
        return ERR_CLOSED;
    *words = "the URL is not http:// or https:// with a host";
    if (!host_name(str_of(job->ask.url), name))
        return ERR_SYNTAX;
    *words = "only https targets may be called";
    if (!h->allow_local && !str_starts(str_of(job->ask.url), STR("https://")))
        return ERR_FORBIDDEN;
    enum err err = hosts_line_up(h->hosts, str_of(name), &job->turn, job->octets);
    *words = err == ERR_BUSY ? "too many requests wait for this host" : "out of memory";
    return err;
}

static void on_job(void *owner, struct inbox_item *item)
{
    struct hooks *h = owner;
    struct job *job = container_of(item, struct job, item);
    const char *words;
    enum err err = line_up(h, job, &words);
    if (err) {
        refuse(h, job, err, words);
        return;
    }
    http_client_trust_extra(h->client, h->allow_local);
    start_some(h);
}

static const struct inbox_kind job_kind = { "hook", on_job, NULL };

static const char *copy_text(char **at, struct str s)
{
    char *start = *at;
    if (s.n)
        memcpy(start, s.p, s.n);
    start[s.n] = '\0';
    *at += s.n + 1;
    return start;
}

/* A line break or NUL in a header would be another header. */
static bool header_is_plain(struct str header)
{
    return str_find(header, '\r') < 0 && str_find(header, '\n') < 0 && str_find(header, '\0') < 0;
}

static struct job *job_new(struct hooks *h, const struct courier_request *rq)
{
    size_t n = strlen(rq->method) + rq->url.n + rq->body.n + rq->token_for.n + 4;
    for (size_t i = 0; i < HEADERS_MAX; i++)
        n += rq->headers[i].n + 1;
    struct job *job = calloc(1, sizeof *job + n);
    if (!job)
        return NULL;
    char *at = job->bytes;
    job->octets = sizeof *job + n;
    job->item.kind = &job_kind;
    job->hooks = h;
    job->id = rq->id;
    job->done = rq->done;
    job->arg = rq->arg;
    job->ask = (struct http_client_ask){
        .method = copy_text(&at, str_of(rq->method)), .url = copy_text(&at, rq->url), .headers = job->headers,
        .wanted_header = "WebHook-Allowed-Origin", .timeout_us = rq->timeout_us, .max_body = rq->max_body,
        .done = on_answer, .arg = job,
    };
    job->token_for = copy_text(&at, rq->token_for);
    job->ask.body = (struct str){ copy_text(&at, rq->body), rq->body.n };
    for (size_t i = 0; i < HEADERS_MAX; i++)
        if (rq->headers[i].n && header_is_plain(rq->headers[i]))
            job->headers[job->n_headers++] = copy_text(&at, rq->headers[i]);
    return job;
}

/* struct courier_ops.send: any thread. */
static enum err hooks_send(void *courier, const struct courier_request *rq)
{
    struct hooks *h = courier;
    if (h->stopping || h->n_waiting >= h->conf.waiting_max || h->octets >= h->conf.octets_max)
        return ERR_BUSY;
    struct job *job = job_new(h, rq);
    if (!job)
        return ERR_NOMEM;
    size_t octets = job->octets;        /* a posted job may be gone already */
    h->n_waiting++;
    h->octets += octets;
    metric_add(&waiting, 1);
    enum err err = inbox_post(loop_inbox(h->loop), &job->item);
    if (err) {
        waits_no_more(h, job);
        free(job);
    }
    return err;
}

const struct courier_ops *hooks_courier_ops(void)
{
    static const struct courier_ops ops = { .send = hooks_send };
    return &ops;
}

/* -- life ---------------------------------------------------------------------------------------------------------- */

static bool may_connect(void *arg, const char *address, bool tls)
{
    struct hooks *h = arg;
    switch (target_sort_of_text(address)) {
    case TARGET_PUBLIC: return tls || h->allow_local;
    case TARGET_LOCAL:  return h->allow_local;
    case TARGET_NEVER:  return false;
    }
    return false;
}

static void forget_site(void *memo)
{
    http_client_site_free(memo);
}

static void fill_in(struct hooks_conf *conf)
{
    conf->at_once = conf->at_once ? conf->at_once : 1024;
    conf->per_host = conf->per_host ? conf->per_host : 16;
    conf->waiting_max = conf->waiting_max ? conf->waiting_max : 16384;
    conf->octets_max = conf->octets_max ? conf->octets_max : (size_t)64 << 20;
    conf->late_us = conf->late_us ? conf->late_us : 2 * US_PER_S;
}

enum err hooks_new(struct hooks **out, const struct hooks_conf *conf, struct problem *why)
{
    scoped(hooks) struct hooks *h = calloc(1, sizeof *h);
    if (!h)
        return problem_set(why, ERR_NOMEM, "", "Out of memory for the courier.");
    h->conf = *conf;
    fill_in(&h->conf);
    h->allow_local = conf->allow_local;
    struct http_client_conf client = { .may_connect = may_connect, .arg = h, .extra_ca_pem = conf->local_ca_pem,
                                       .ca_dir = conf->ca_dir, .kept = h->conf.at_once };
    struct hosts_conf hosts = { .quick_max = h->conf.at_once * QUICK_SLOTS / (QUICK_SLOTS + SLOW_SLOTS), .per_host = h->conf.per_host,
                                .waiting_max = h->conf.waiting_max, .octets_max = h->conf.octets_max, .late_us = h->conf.late_us,
                                .forget = forget_site };
    hosts.quick_max += !hosts.quick_max;
    hosts.slow_max = h->conf.at_once > hosts.quick_max ? h->conf.at_once - hosts.quick_max : 1;
    enum err err = hosts_new(&h->hosts, &hosts);
    if (!err)
        err = loop_new(&h->loop, "hooks", h->conf.waiting_max, h);
    if (!err)
        err = loop_timer_init(h->loop, &h->look, on_look, h);
    if (!err)
        err = http_client_new(&h->client, h->loop, &client);
    if (!err)
        err = faulty_new(&h->faulty, h->loop, h->client);
    if (err)
        return problem_set(why, err, "", "The courier cannot be made: %s.", err_words(err));
    h->conf.local_ca_pem = (struct str){ NULL, 0 };
    *out = h;
    h = NULL;
    return ERR_NONE;
}

enum err hooks_start(struct hooks *h)
{
    enum err err = loop_start(h->loop);
    h->started = !err;
    return err;
}

void hooks_set_allow_local(struct hooks *h, bool allowed)
{
    h->allow_local = allowed;
}

/* The loop has stopped: every accepted request hears so. */
static void end_all(struct hooks *h)
{
    faulty_free(h->faulty);
    h->faulty = NULL;
    http_client_free(h->client);
    h->client = NULL;
    for (struct turn *t; h->hosts && (t = hosts_drain(h->hosts));) {
        struct job *job = container_of(t, struct job, turn);
        waits_no_more(h, job);
        tell_refused(job, ERR_CLOSED, "the server is stopping");
    }
    hosts_free(h->hosts);
    h->hosts = NULL;
    loop_timer_done(&h->look);
}

void hooks_stop(struct hooks *h)
{
    if (!h || h->stopping)
        return;
    h->stopping = true;
    if (h->started)
        loop_stop(h->loop);
    end_all(h);
    if (h->loop)
        inbox_drain(loop_inbox(h->loop));   /* what came in the last instant */
}

void hooks_free(struct hooks *h)
{
    if (!h)
        return;
    hooks_stop(h);
    loop_free(h->loop);
    free(h);
}
