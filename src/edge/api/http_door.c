#include "edge/api/http_door.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

METRIC_COUNTER(accepted, "carterfone_http_connections_total", "Connections accepted");
METRIC_COUNTER(silent, "carterfone_http_silent_connections_total", "Connections closed because they said nothing in time");

enum { LISTENERS_MAX = 8, ACCEPTS_PER_TURN = 64, SWEEP_US = 250 * US_PER_MS, TLS_HANDSHAKE = 0x16 };

/* Accepted, has said nothing yet. */
struct guest {
    struct guest           *prev, *next;
    struct http_door       *door;
    struct loop_io          io;
    struct mono             until;
    int                     fd;
    socklen_t               peer_n;
    struct sockaddr_storage peer;
};

struct ear {
    struct http_door *door;
    struct loop_io    io;
    int               fd;
};

struct http_door {
    struct loop          *loop;
    struct http_door_conf conf;
    struct ear            ears[LISTENERS_MAX];
    size_t                n_ears;
    struct guest         *guests;
    size_t                n_guests;
    struct loop_timer     sweep;
    bool                  paused;
};

enum err http_door_new(struct http_door **out, struct loop *loop, const struct http_door_conf *conf)
{
    struct http_door *d = calloc(1, sizeof *d);
    if (!d)
        return ERR_NOMEM;
    d->loop = loop;
    d->conf = *conf;
    *out = d;
    return ERR_NONE;
}

/* -- listening ----------------------------------------------------------------------------------------------------- */

static bool is_loopback(const struct sockaddr_storage *a)
{
    if (a->ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
    return a->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

static enum err bind_one(const struct addrinfo *ai, int *out)
{
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0)
        return ERR_IO;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, 1024)) {
        enum err err = errno == EADDRINUSE ? ERR_CONFLICT : ERR_IO;
        close(fd);
        return err;
    }
    *out = fd;
    return ERR_NONE;
}

uint16_t http_door_port_of(const struct sockaddr_storage *a)
{
    struct sockaddr_in v4 = { 0 };
    struct sockaddr_in6 v6 = { 0 };
    if (a->ss_family == AF_INET6) {
        memcpy(&v6, a, sizeof v6);
        return ntohs(v6.sin6_port);
    }
    memcpy(&v4, a, sizeof v4);
    return ntohs(v4.sin_port);
}

enum err http_door_listen(struct http_door *d, const char *host, uint16_t *port, bool *loopback, struct problem *why)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *found = NULL;
    char service[8];
    int fd = -1;
    if (d->n_ears == LISTENERS_MAX)
        return problem_set(why, ERR_RANGE, "", "More than %d addresses to listen on.", LISTENERS_MAX);
    snprintf(service, sizeof service, "%u", *port);
    int gai = getaddrinfo(host && *host ? host : NULL, service, &hints, &found);
    if (gai)
        return problem_set(why, ERR_ABSENT, "", "Cannot listen on %s: %s.", host ? host : "", gai_strerror(gai));
    enum err err = bind_one(found, &fd);
    freeaddrinfo(found);
    if (err)
        return problem_set(why, err, "", "Cannot listen on %s:%s: %s.", host ? host : "", service,
                           err == ERR_CONFLICT ? "the address is in use" : "the system refuses");
    struct sockaddr_storage own = { 0 };
    socklen_t n = sizeof own;
    getsockname(fd, (struct sockaddr *)&own, &n);
    *port = http_door_port_of(&own);
    *loopback = is_loopback(&own);
    d->ears[d->n_ears++] = (struct ear){ .door = d, .fd = fd };
    return ERR_NONE;
}

/* -- guests -------------------------------------------------------------------------------------------------------- */

static void guest_unlink(struct guest *g)
{
    struct http_door *d = g->door;
    if (g->prev)
        g->prev->next = g->next;
    else
        d->guests = g->next;
    if (g->next)
        g->next->prev = g->prev;
    d->n_guests--;
    loop_io_done(&g->io);
    free(g);
}

/* 1: entered or closed; 0: nothing said yet. */
static bool try_enter(struct http_door *d, int fd, const struct sockaddr *peer, socklen_t peer_n)
{
    unsigned char first;
    ssize_t n = recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return false;
    if (n == 1)
        d->conf.enter(d->conf.arg, fd, first == TLS_HANDSHAKE, peer, peer_n);
    else
        close(fd);
    return true;
}

static void on_first_byte(void *arg, bool readable, bool writable)
{
    (void)readable, (void)writable;
    struct guest *g = arg;
    struct http_door *d = g->door;
    struct sockaddr_storage peer = g->peer;
    socklen_t peer_n = g->peer_n;
    int fd = g->fd;
    char byte;
    if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    guest_unlink(g);                    /* first: whoever takes the socket may close it at once */
    (void)!try_enter(d, fd, (struct sockaddr *)&peer, peer_n);
}

static void let_wait(struct http_door *d, int fd, const struct sockaddr_storage *peer, socklen_t peer_n)
{
    struct guest *g = d->n_guests < d->conf.waiting_max ? calloc(1, sizeof *g) : NULL;
    if (!g || loop_io_init(d->loop, &g->io, fd, on_first_byte, g)) {
        free(g);
        close(fd);
        return;
    }
    g->door = d;
    g->fd = fd;
    g->peer = *peer;
    g->peer_n = peer_n;
    g->until.us = clock_mono().us + d->conf.first_byte_us;
    g->next = d->guests;
    if (g->next)
        g->next->prev = g;
    d->guests = g;
    d->n_guests++;
    loop_io_watch(&g->io, true, false);
}

static void listen_again(struct http_door *d, bool accept_now)
{
    d->paused = !accept_now;
    for (size_t i = 0; i < d->n_ears; i++)
        loop_io_watch(&d->ears[i].io, accept_now, false);
}

static void on_knock(void *arg, bool readable, bool writable)
{
    (void)readable, (void)writable;
    struct ear *ear = arg;
    struct http_door *d = ear->door;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage peer = { 0 };
        socklen_t n = sizeof peer;
        int one = 1;
        if (d->conf.full(d->conf.arg)) {
            listen_again(d, false);     /* the sweep looks again */
            return;
        }
        int fd = accept4(ear->fd, (struct sockaddr *)&peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE) {
                log_warn("http", "no file descriptor left for another connection; waiting");
                listen_again(d, false);
            }
            return;
        }
        metric_add(&accepted, 1);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (!try_enter(d, fd, (struct sockaddr *)&peer, n))
            let_wait(d, fd, &peer, n);
    }
}

static void on_sweep(void *arg)
{
    struct http_door *d = arg;
    int64_t now = clock_mono().us;
    for (struct guest *g = d->guests, *next; g; g = next) {
        next = g->next;
        if (g->until.us > now)
            continue;
        int fd = g->fd;
        guest_unlink(g);
        close(fd);
        metric_add(&silent, 1);
    }
    if (d->paused && !d->conf.full(d->conf.arg))
        listen_again(d, true);
    loop_timer_start(&d->sweep, SWEEP_US);
}

enum err http_door_open(struct http_door *d)
{
    enum err err = loop_timer_init(d->loop, &d->sweep, on_sweep, d);
    for (size_t i = 0; i < d->n_ears && !err; i++) {
        err = loop_io_init(d->loop, &d->ears[i].io, d->ears[i].fd, on_knock, &d->ears[i]);
        if (!err)
            loop_io_watch(&d->ears[i].io, true, false);
    }
    if (!err)
        loop_timer_start(&d->sweep, SWEEP_US);
    return err;
}

void http_door_free(struct http_door *d)
{
    if (!d)
        return;
    for (struct guest *g = d->guests, *next; g; g = next) {
        int fd = g->fd;
        next = g->next;
        guest_unlink(g);
        close(fd);
    }
    for (size_t i = 0; i < d->n_ears; i++) {
        if (d->ears[i].io.priv)
            loop_io_done(&d->ears[i].io);
        close(d->ears[i].fd);
    }
    loop_timer_done(&d->sweep);
    free(d);
}
