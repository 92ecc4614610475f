#include "edge/hooks/hooks.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/metric.h"
#include "base/str.h"
#include "net/http_client.h"
#include "net/target.h"

#include <stdatomic.h>
#include <stdio.h>

METRIC_COUNTER(answered, "carterfone_hooks_answered_total", "Requests of ours that got an HTTP answer");
METRIC_COUNTER(failed, "carterfone_hooks_failed_total", "Requests of ours that got none");
METRIC_GAUGE(waiting, "carterfone_hooks_waiting", "Requests of ours that wait for their turn");
METRIC_GAUGE(under_way, "carterfone_hooks_under_way", "Requests of ours under way");

enum { HEADERS_MAX = ARRAY_LEN(((struct courier_request *)0)->headers), HOST_SIZE = 300,
       HOST_SHARE = 8,          /* one host may fill an eighth of the queue, */
       WEAK_WAITING_MAX = 256,  /* one that failed last this much */
       HOSTS_KEPT = 1024 };

/* One request, its strings behind it in the same block. */
struct job {
    struct inbox_item item;
    struct job       *next;
    struct hooks     *hooks;
    struct host      *host;
    uint64_t          id;
    struct http_client_ask ask;
    void            (*done)(void *arg, const struct courier_outcome *outcome);
    void             *arg;
    const char       *headers[HEADERS_MAX + 1];
    char              bytes[];
};

/* Where requests go: scheme, name and port. */
struct host {
    struct job  *first, **last;         /* waiting, in order of arrival */
    size_t       n_waiting;
    unsigned     n_active;
    bool         weak;                  /* the last request failed: one at a time */
    bool         in_turn;
    struct host *next_turn;
    char         name[HOST_SIZE];
};

struct hooks {
    struct hooks_conf   conf;
    struct loop        *loop;
    struct http_client *client;
    struct strmap      *hosts;
    struct host        *turn, **turn_end;   /* hosts that may start one more, in turn */
    unsigned            n_active;
    _Atomic size_t      n_waiting;
    _Atomic bool        allow_local, stopping;
    bool                started;
};

/* -- ends ---------------------------------------------------------------------------------------------------------- */

static void tell(struct job *job, const struct http_client_answer *a)
{
    struct courier_outcome outcome = { .id = job->id, .err = a->err, .status = a->status, .body = a->body,
                                       .allowed_origin = a->header, .took_us = a->took_us };
    str_copyz(outcome.words, sizeof outcome.words, str_of(a->words));
    metric_add(a->err ? &failed : &answered, 1);
    job->done(job->arg, &outcome);
    free(job);
}

static void tell_refused(struct job *job, enum err err, const char *words)
{
    struct http_client_answer a = { .err = err };
    str_copyz(a.words, sizeof a.words, str_of(words));
    tell(job, &a);
}

/* -- turns --------------------------------------------------------------------------------------------------------- */

static unsigned limit_of(const struct hooks *h, const struct host *host)
{
    return host->weak ? 1 : h->conf.per_host;
}

static void take_turn(struct hooks *h, struct host *host)
{
    if (host->in_turn || !host->first || host->n_active >= limit_of(h, host))
        return;
    host->in_turn = true;
    host->next_turn = NULL;
    *h->turn_end = host;
    h->turn_end = &host->next_turn;
}

static struct host *next_turn(struct hooks *h)
{
    struct host *host = h->turn;
    h->turn = host->next_turn;
    if (!h->turn)
        h->turn_end = &h->turn;
    host->in_turn = false;
    return host;
}

static void counted(struct hooks *h, int waits, int active)
{
    h->n_waiting += (size_t)waits;
    h->n_active += (unsigned)active;
    metric_add(&waiting, waits);
    metric_add(&under_way, active);
}

static struct job *take_job(struct hooks *h, struct host *host)
{
    struct job *job = host->first;
    host->first = job->next;
    if (!host->first)
        host->last = &host->first;
    host->n_waiting--;
    counted(h, -1, 0);
    return job;
}

static void start_some(struct hooks *h)
{
    while (h->turn && h->n_active < h->conf.at_once) {
        struct host *host = next_turn(h);
        if (!host->first || host->n_active >= limit_of(h, host))
            continue;                   /* it has become weak since */
        struct job *job = take_job(h, host);
        if (http_client_begin(h->client, &job->ask)) {
            tell_refused(job, ERR_NOMEM, "out of memory");
        } else {
            host->n_active++;
            counted(h, 0, 1);
        }
        take_turn(h, host);
    }
}

/* An idle host that answers well needs no memory; of those that do not, a bounded number is remembered. */
static void forget_idle(struct hooks *h, struct host *host)
{
    if (host->n_active || host->first || host->in_turn || (host->weak && strmap_count(h->hosts) <= HOSTS_KEPT))
        return;
    strmap_take(h->hosts, str_of(host->name));
    free(host);
}

static void judge(struct host *host, enum err err)
{
    bool weak = err == ERR_IO || err == ERR_TIMEOUT;
    if (weak != host->weak)
        log_info("hooks", "%s %s", host->name, weak ? "does not answer; one request at a time" : "answers again");
    host->weak = weak;
}

static void on_answer(void *arg, const struct http_client_answer *a)
{
    struct job *job = arg;
    struct hooks *h = job->hooks;
    struct host *host = job->host;
    host->n_active--;
    counted(h, 0, -1);
    if (!h->stopping)
        judge(host, a->err);
    tell(job, a);
    if (h->stopping)
        return;
    take_turn(h, host);
    start_some(h);
    forget_idle(h, host);
}

/* -- coming in ----------------------------------------------------------------------------------------------------- */

/* "https://name:port" of a URL, lower case, without a user, for the log shows it. @return false when it has no such start */
static bool host_name(struct str url, char name[HOST_SIZE])
{
    size_t start = str_starts(url, STR("https://")) ? 8 : str_starts(url, STR("http://")) ? 7 : 0, end = start, n = 0;
    size_t host = start;
    for (; end < url.n && !strchr("/?#", url.p[end]); end++)
        if (url.p[end] == '@')
            host = end + 1;
    if (!start || end == host || end >= HOST_SIZE)
        return false;
    for (size_t i = 0; i < end; i++)
        if (i < start || i >= host)
            name[n++] = (char)(url.p[i] >= 'A' && url.p[i] <= 'Z' ? url.p[i] | 32 : url.p[i]);
    name[n] = '\0';
    return true;
}

static struct host *host_of(struct hooks *h, const char *name)
{
    struct host *host = strmap_find(h->hosts, str_of(name));
    if (host)
        return host;
    host = calloc(1, sizeof *host);
    if (!host)
        return NULL;
    host->last = &host->first;
    str_copyz(host->name, sizeof host->name, str_of(name));
    if (strmap_put(h->hosts, str_of(name), host)) {
        free(host);
        return NULL;
    }
    return host;
}

/* May it wait in this host's line? */
static enum err may_wait(const struct hooks *h, const struct host *host, const char *url, const char **words)
{
    size_t most = host->weak ? WEAK_WAITING_MAX : h->conf.waiting_max / HOST_SHARE + 1;
    if (host->n_waiting >= most) {
        *words = "too many requests wait for this host";
        return ERR_BUSY;
    }
    if (!h->allow_local && !str_starts(str_of(url), STR("https://"))) {
        *words = "only https targets may be called";
        return ERR_FORBIDDEN;
    }
    return ERR_NONE;
}

static void refuse(struct hooks *h, struct job *job, enum err err, const char *words)
{
    counted(h, -1, 0);
    tell_refused(job, err, words);
}

static void on_job(void *owner, struct inbox_item *item)
{
    struct hooks *h = owner;
    struct job *job = container_of(item, struct job, item);
    char name[HOST_SIZE];
    const char *words = NULL;
    if (h->stopping) {
        refuse(h, job, ERR_CLOSED, "the server is stopping");
        return;
    }
    if (!host_name(str_of(job->ask.url), name)) {
        refuse(h, job, ERR_SYNTAX, "the URL is not http:// or https:// with a host");
        return;
    }
    struct host *host = host_of(h, name);
    if (!host) {
        refuse(h, job, ERR_NOMEM, "out of memory");
        return;
    }
    enum err err = may_wait(h, host, job->ask.url, &words);
    if (err) {
        refuse(h, job, err, words);
        forget_idle(h, host);
        return;
    }
    http_client_trust_extra(h->client, h->allow_local);
    job->host = host;
    job->next = NULL;
    *host->last = job;
    host->last = &job->next;
    host->n_waiting++;
    take_turn(h, host);
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
    size_t n = strlen(rq->method) + rq->url.n + rq->body.n + 3;
    for (size_t i = 0; i < HEADERS_MAX; i++)
        n += rq->headers[i].n + 1;
    struct job *job = calloc(1, sizeof *job + n);
    if (!job)
        return NULL;
    char *at = job->bytes;
    size_t n_headers = 0;
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
    job->ask.body = (struct str){ copy_text(&at, rq->body), rq->body.n };
    for (size_t i = 0; i < HEADERS_MAX; i++)
        if (rq->headers[i].n && header_is_plain(rq->headers[i]))
            job->headers[n_headers++] = copy_text(&at, rq->headers[i]);
    return job;
}

/* struct courier_ops.send: any thread. */
static enum err hooks_send(void *courier, const struct courier_request *rq)
{
    struct hooks *h = courier;
    if (h->stopping || h->n_waiting >= h->conf.waiting_max)
        return ERR_BUSY;
    struct job *job = job_new(h, rq);
    if (!job)
        return ERR_NOMEM;
    h->n_waiting++;
    metric_add(&waiting, 1);
    enum err err = inbox_post(loop_inbox(h->loop), &job->item);
    if (err) {
        h->n_waiting--;
        metric_add(&waiting, -1);
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

enum err hooks_new(struct hooks **out, const struct hooks_conf *conf, struct problem *why)
{
    scoped(hooks) struct hooks *h = calloc(1, sizeof *h);
    if (!h)
        return problem_set(why, ERR_NOMEM, "", "Out of memory for the courier.");
    h->conf = *conf;
    h->conf.at_once = conf->at_once ? conf->at_once : 128;
    h->conf.per_host = conf->per_host ? conf->per_host : 6;
    h->conf.waiting_max = conf->waiting_max ? conf->waiting_max : 16384;
    h->allow_local = conf->allow_local;
    h->turn_end = &h->turn;
    h->hosts = strmap_new();
    struct http_client_conf client = { .may_connect = may_connect, .arg = h, .extra_ca_pem = conf->local_ca_pem,
                                       .ca_dir = conf->ca_dir };
    enum err err = h->hosts ? loop_new(&h->loop, "hooks", h->conf.waiting_max, h) : ERR_NOMEM;
    if (!err)
        err = http_client_new(&h->client, h->loop, &client);
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
    struct str name;
    void *host;
    http_client_free(h->client);
    h->client = NULL;
    for (size_t at = 0; h->hosts && strmap_next(h->hosts, &at, &name, &host);) {
        while (((struct host *)host)->first)
            tell_refused(take_job(h, host), ERR_CLOSED, "the server is stopping");
        free(host);
    }
    strmap_free(h->hosts);
    h->hosts = NULL;
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
