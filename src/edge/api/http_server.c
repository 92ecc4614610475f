#include "edge/api/http_server.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "edge/api/http_worker.h"

#include <unistd.h>

enum { SWEEP_US = 100 * US_PER_MS, REFUSALS_A_SECOND = 10, REFUSALS_BURST = 50, HELD_MAX = 1024 };

/* -- the loop: sockets come in, slow ones are cut ------------------------------------------------------------------- */

static void end_retired(struct http_server *srv)
{
    for (size_t i = 0; i < srv->n_workers; i++) {
        struct worker *w = srv->workers[i];
        if (!worker_is_over(w))
            continue;
        srv->workers[i--] = srv->workers[--srv->n_workers];
        worker_free(w);
    }
}

static void on_sweep(void *arg)
{
    struct http_server *srv = arg;
    int64_t now = clock_mono().us;
    refusals_release(srv, now);
    for (size_t i = 0; i < srv->n_workers; i++)
        worker_sweep(srv->workers[i], now);
    end_retired(srv);
    loop_timer_start(&srv->sweep, SWEEP_US);
}

static bool on_full(void *arg)
{
    struct http_server *srv = arg;
    return srv->n_conns >= srv->conf.max_connections;
}

static void on_enter(void *arg, int fd, bool tls, const struct sockaddr *peer, socklen_t peer_n)
{
    struct http_server *srv = arg;
    if (tls && !srv->n_tls) {
        close(fd);                      /* no certificate, no TLS */
        return;
    }
    struct worker *w = tls ? srv->tls[srv->next_tls++ % srv->n_tls] : srv->plain[srv->next_plain++ % srv->n_plain];
    worker_enter(w, fd, peer, peer_n);
}

/* -- start --------------------------------------------------------------------------------------------------------- */

/* As many as conf.threads, or fewer with an error; *n says how many there are. */
static enum err workers_start(struct http_server *srv, const char *cert, const char *key,
                              struct worker *list[THREADS_MAX], size_t *n)
{
    enum err err = ERR_NONE;
    for (*n = 0; *n < srv->conf.threads && !err; *n += !err) {
        err = srv->n_workers < WORKERS_MAX ? worker_new(&list[*n], srv, cert, key) : ERR_BUSY;
        if (!err)
            srv->workers[srv->n_workers++] = list[*n];
    }
    return err;
}

/* -- another certificate ------------------------------------------------------------------------------------------- */

struct reload {
    struct inbox_item item;
    char             *cert, *key;
};

static void reload_free(struct inbox_item *item)
{
    struct reload *r = container_of(item, struct reload, item);
    if (r->key)
        explicit_bzero(r->key, strlen(r->key));
    free(r->cert);
    free(r->key);
    free(r);
}

static void on_reload(void *owner, struct inbox_item *item)
{
    struct http_server *srv = owner;
    struct reload *r = container_of(item, struct reload, item);
    struct worker *fresh[THREADS_MAX];
    size_t n;
    enum err err = workers_start(srv, r->cert, r->key, fresh, &n);
    if (err) {
        log_error("http", "the new certificate is not used, the old one stays: %s", err_words(err));
        for (size_t i = 0; i < n; i++)
            worker_retire(fresh[i]);
    } else {
        for (size_t i = 0; i < srv->n_tls; i++)
            worker_retire(srv->tls[i]);
        memcpy(srv->tls, fresh, n * sizeof *fresh);
        srv->n_tls = n;
        log_info("http", "new connections get the new certificate");
    }
    reload_free(item);
}
static const struct inbox_kind reload_kind = { "reload", on_reload, reload_free };

static char *copy_pem(struct str pem)
{
    return pem.n ? strndup(pem.p, pem.n) : NULL;
}

enum err http_server_reload(struct http_server *srv, struct str cert_pem, struct str key_pem)
{
    struct reload *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->item.kind = &reload_kind;
    r->cert = copy_pem(cert_pem);
    r->key = copy_pem(key_pem);
    enum err err = r->cert && r->key ? inbox_post(loop_inbox(srv->loop), &r->item) : ERR_NOMEM;
    if (err)
        reload_free(&r->item);
    return err;
}

static void set_defaults(struct http_server_conf *conf)
{
    if (!conf->tables)
        conf->tables = http_route_tables;
    if (!conf->threads)
        conf->threads = 2;
    if (conf->threads > THREADS_MAX)
        conf->threads = THREADS_MAX;
    if (!conf->max_connections)
        conf->max_connections = 4096;
    if (!conf->max_body)
        conf->max_body = 1024 * 1024;
    if (!conf->head_us)
        conf->head_us = (int64_t)15 * US_PER_S;
    if (!conf->request_us)
        conf->request_us = (int64_t)30 * US_PER_S;
    if (!conf->answer_us)
        conf->answer_us = (int64_t)60 * US_PER_S;
    if (!conf->idle_us)
        conf->idle_us = (int64_t)120 * US_PER_S;
    if (!conf->drain_us)
        conf->drain_us = (int64_t)10 * US_PER_S;
}

static enum err listen_all(struct http_server *srv, const struct http_server_conf *conf, struct problem *why)
{
    if (!conf->n_listens || conf->n_listens > LISTENS_MAX)
        return problem_set(why, ERR_RANGE, "", "1 to %d addresses to listen on, not %zu.", LISTENS_MAX, conf->n_listens);
    for (size_t i = 0; i < conf->n_listens; i++) {
        struct listener *l = &srv->listeners[i];
        l->port = conf->listens[i].port;
        str_copyz(l->host, sizeof l->host, str_of(conf->listens[i].host));
        str_copyz(l->resource, sizeof l->resource, str_of(conf->listens[i].resource));
        enum err err = http_door_listen(srv->door, l->host, &l->port, &l->loopback, why);
        if (err)
            return err;
        srv->n_listeners++;
    }
    return ERR_NONE;
}

enum err http_server_new(struct http_server **out, const struct http_server_conf *conf, struct problem *why)
{
    scoped(http_server) struct http_server *srv = calloc(1, sizeof *srv);
    if (!srv)
        return ERR_NOMEM;
    pthread_mutex_init(&srv->refusals_lock, NULL);
    pthread_mutex_init(&srv->gate_lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&srv->gate_quiet, &attr);
    pthread_condattr_destroy(&attr);
    srv->conf = *conf;
    set_defaults(&srv->conf);
    srv->pem[0] = copy_pem(conf->cert_pem);
    srv->pem[1] = copy_pem(conf->key_pem);
    srv->pem[2] = copy_pem(conf->ca_pem);
    for (size_t i = 0; i < ARRAY_LEN(srv->pem); i++)
        if (!srv->pem[i] && (struct str[]){ conf->cert_pem, conf->key_pem, conf->ca_pem }[i].n)
            return ERR_NOMEM;
    srv->conf.cert_pem = str_of(srv->pem[0]);
    srv->conf.key_pem = str_of(srv->pem[1]);
    srv->conf.ca_pem = str_of(srv->pem[2]);
    srv->conf.listens = NULL;
    enum err err = http_router_new(&srv->router, srv->conf.tables);
    if (!err)
        err = loop_new(&srv->loop, "http-door", HELD_MAX, srv);
    if (!err)
        err = throttle_new(&srv->refusals, &(struct throttle_conf){ REFUSALS_A_SECOND, REFUSALS_BURST }, clock_mono());
    if (err)
        return err;
    struct http_door_conf door = { .first_byte_us = srv->conf.head_us, .waiting_max = srv->conf.max_connections,
                                   .enter = on_enter, .full = on_full, .arg = srv };
    err = http_door_new(&srv->door, srv->loop, &door);
    if (!err)
        err = listen_all(srv, conf, why);
    if (err)
        return err;
    *out = srv;
    srv = NULL;
    return ERR_NONE;
}

enum err http_server_start(struct http_server *srv, struct problem *why)
{
    enum err err = workers_start(srv, NULL, NULL, srv->plain, &srv->n_plain);
    if (!err && srv->pem[0])
        err = workers_start(srv, srv->pem[0], srv->pem[1], srv->tls, &srv->n_tls);
    if (err == ERR_SYNTAX)
        return problem_set(why, err, "", "The TLS certificate and key cannot be used together.");
    if (!err)
        err = loop_timer_init(srv->loop, &srv->sweep, on_sweep, srv);
    if (!err)
        err = http_door_open(srv->door);
    if (!err) {
        loop_timer_start(&srv->sweep, SWEEP_US);
        err = loop_start(srv->loop);
        srv->started = !err;
    }
    return err ? problem_set(why, err, "", "The HTTP threads cannot start: %s.", err_words(err)) : ERR_NONE;
}

uint16_t http_server_port(const struct http_server *srv, size_t i)
{
    return i < srv->n_listeners ? srv->listeners[i].port : 0;
}

/* -- holding requests ------------------------------------------------------------------------------------------------- */

enum err http_server_hold(struct http_server *srv, int64_t wait_us)
{
    int64_t until = clock_mono().us + wait_us;
    struct timespec at = { .tv_sec = until / US_PER_S, .tv_nsec = until % US_PER_S * 1000 };
    pthread_mutex_lock(&srv->gate_lock);
    srv->gate_shut = true;
    while (srv->n_inside > 1 && clock_mono().us < until)
        pthread_cond_timedwait(&srv->gate_quiet, &srv->gate_lock, &at);
    bool quiet = srv->n_inside <= 1;
    pthread_mutex_unlock(&srv->gate_lock);
    return quiet ? ERR_NONE : ERR_TIMEOUT;
}

void http_server_let_go(struct http_server *srv)
{
    gate_open(srv);
}

/* -- stop ---------------------------------------------------------------------------------------------------------- */

void http_server_stop(struct http_server *srv)
{
    if (!srv || srv->draining)
        return;
    srv->draining = true;
    gate_open(srv);
    pthread_mutex_lock(&srv->refusals_lock);
    srv->no_holding = true;
    pthread_mutex_unlock(&srv->refusals_lock);
    if (srv->started)
        loop_stop(srv->loop);
    refusals_release(srv, INT64_MAX);
    http_door_free(srv->door);
    srv->door = NULL;
    loop_timer_done(&srv->sweep);
    int64_t until = clock_mono().us + srv->conf.drain_us;
    for (size_t i = 0; i < srv->n_workers; i++)
        worker_wait_quiet(srv->workers[i], until);
    for (size_t i = 0; i < srv->n_workers; i++)
        worker_stop(srv->workers[i]);
}

void http_server_free(struct http_server *srv)
{
    if (!srv)
        return;
    http_server_stop(srv);
    for (size_t i = 0; i < srv->n_workers; i++)
        worker_free(srv->workers[i]);
    throttle_free(srv->refusals);
    pthread_mutex_destroy(&srv->refusals_lock);
    pthread_mutex_destroy(&srv->gate_lock);
    pthread_cond_destroy(&srv->gate_quiet);
    loop_free(srv->loop);
    http_router_free(srv->router);
    for (size_t i = 0; i < ARRAY_LEN(srv->pem); i++) {
        if (srv->pem[i])
            explicit_bzero(srv->pem[i], strlen(srv->pem[i]));
        free(srv->pem[i]);
    }
    free(srv);
}
