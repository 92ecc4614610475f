/* sink.h - endpoints of webhooks, in a process of their own: what they answer, and what they heard.
 *
 * One thread, one epoll, a listening socket an endpoint (127.0.0.1, ports of their own), so that each is a host of its own to
 * whoever calls. How an endpoint behaves may be changed while it runs, by the process that started it. Events say in their text
 * which they are and when their cause was ("at=<us> n=<number>"); the sink keeps the time each took, and how often it came. */
#pragma once
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SINK_ENDPOINTS_MOST = 2048, SINK_SAMPLES = 1 << 21, SINK_EVENTS_MOST = 1 << 22 };
enum sink_mode { SINK_ANSWERS, SINK_CLOSES /* after each answer */, SINK_SILENT /* reads, never answers */, SINK_REFUSES /* 503 */ };

struct sink_shared {
    uint16_t         port[SINK_ENDPOINTS_MOST];
    _Atomic uint8_t  mode[SINK_ENDPOINTS_MOST];
    _Atomic uint8_t  first[SINK_ENDPOINTS_MOST];    /* deliveries of the first event: has this endpoint heard anything? */
    _Atomic uint64_t requests, events, octets, connections, resumed, handshakes;
    _Atomic uint64_t last_us;                       /* when an event was last heard */
    _Atomic bool     ready;
    _Atomic uint32_t samples;
    float            took_ms[SINK_SAMPLES];
    _Atomic uint8_t  seen[SINK_EVENTS_MOST];        /* how often event n came */
};
struct sink {
    struct sink_shared *shared;
    pid_t               pid;
    size_t              endpoints;
};
struct sink_conn { int fd; bool listens; size_t endpoint; SSL *ssl; bool shaken; char *in; size_t n, size, need; };
struct sink_work { struct sink_shared *shared; int epoll; SSL_CTX *tls; };

static inline void sink_die(const char *what)
{
    perror(what);
    exit(1);
}

static inline void sink_hang_up(struct sink_conn *c)
{
    SSL_free(c->ssl);
    close(c->fd);
    free(c->in);
    free(c);
}

static inline void sink_say(struct sink_conn *c, const char *text, size_t n)
{
    ssize_t sent = c->ssl ? SSL_write(c->ssl, text, (int)n) : send(c->fd, text, n, MSG_NOSIGNAL);
    if (sent != (ssize_t)n)
        c->need = SIZE_MAX;             /* gone: the next read says so */
}

/* Each "at=<us> n=<number>" of the body. */
static inline void sink_count(struct sink_work *w, struct sink_conn *c, struct str body)
{
    struct sink_shared *s = w->shared;
    uint64_t now = (uint64_t)clock_mono().us;
    const char *end = body.p + body.n;
    for (const char *p = body.p; (p = memmem(p, (size_t)(end - p), "at=", 3)); p++) {
        unsigned long long at = 0, n = 0;
        if (sscanf(p, "at=%llu n=%llu", &at, &n) != 2)
            continue;
        uint32_t sample = s->samples;
        if (sample < SINK_SAMPLES && now >= at) {
            s->took_ms[sample] = (float)(now - at) / US_PER_MS;
            s->samples = sample + 1;
        }
        if (n < SINK_EVENTS_MOST && s->seen[n] < UINT8_MAX)
            s->seen[n]++;
        s->events++;
        s->last_us = now;
        if (!s->first[c->endpoint])
            s->first[c->endpoint] = 1;
    }
    s->octets += body.n;
}

/* @return false: hang up */
static inline bool sink_answer(struct sink_work *w, struct sink_conn *c, struct str head, struct str body)
{
    static const char name[] = "\"validationCode\":\"";
    struct sink_shared *s = w->shared;
    char text[512];
    const char *code = memmem(body.p, body.n, name, sizeof name - 1);
    uint8_t mode = s->mode[c->endpoint];
    if (code) {
        int n = snprintf(text, sizeof text, "{\"validationResponse\":\"%.36s\"}", code + sizeof name - 1);
        char whole[700];
        s->handshakes++;
        sink_say(c, whole, (size_t)snprintf(whole, sizeof whole, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                                                 "Content-Length: %d\r\n\r\n%s", n, text));
        return true;
    }
    if (str_starts(head, STR("OPTIONS"))) {
        static const char allowed[] = "HTTP/1.1 200 OK\r\nWebHook-Allowed-Origin: *\r\nContent-Length: 0\r\n\r\n";
        s->handshakes++;
        sink_say(c, allowed, sizeof allowed - 1);
        return true;
    }
    if (mode == SINK_SILENT)
        return true;
    s->requests++;
    if (str_starts(head, STR("GET "))) {      /* another gateway's report: one event, in its target */
        s->last_us = (uint64_t)clock_mono().us;
        s->events++;
    } else if (mode != SINK_REFUSES) {
        sink_count(w, c, body);
    }
    static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                      last[] = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                      busy[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    if (mode == SINK_CLOSES)
        sink_say(c, last, sizeof last - 1);
    else if (mode == SINK_REFUSES)
        sink_say(c, busy, sizeof busy - 1);
    else
        sink_say(c, good, sizeof good - 1);
    return mode != SINK_CLOSES;
}

/* Whole requests in what has come. @return false: hang up */
static inline bool sink_requests(struct sink_work *w, struct sink_conn *c)
{
    while (c->n && c->n >= c->need) {
        const char *end = memmem(c->in, c->n, "\r\n\r\n", 4);
        if (!end)
            return c->n < 65536;
        size_t head = (size_t)(end - c->in) + 4, body = 0;
        const char *length = strcasestr(c->in, "content-length:");
        if (length && length < end)
            body = (size_t)strtoull(length + 15, NULL, 10);
        c->need = head + body;
        if (c->n < c->need)
            return true;
        if (!sink_answer(w, c, (struct str){ c->in, head }, (struct str){ c->in + head, body }))
            return false;
        memmove(c->in, c->in + head + body, c->n - head - body);
        c->n -= head + body;
        c->in[c->n] = '\0';
        if (c->need == SIZE_MAX)
            return false;
        c->need = 0;
    }
    return true;
}

static inline ssize_t sink_read(struct sink_conn *c)
{
    if (c->size - c->n < 16384) {
        c->size = c->size * 2 + 65536;
        c->in = realloc(c->in, c->size + 1);
        if (!c->in)
            sink_die("memory");
    }
    ssize_t n = c->ssl ? SSL_read(c->ssl, c->in + c->n, (int)(c->size - c->n)) : recv(c->fd, c->in + c->n, c->size - c->n, 0);
    if (n > 0) {
        c->n += (size_t)n;
        c->in[c->n] = '\0';
    }
    return n;
}

/* @return false: hang up */
static inline bool sink_hear(struct sink_work *w, struct sink_conn *c)
{
    if (c->ssl && !c->shaken) {
        int ok = SSL_accept(c->ssl);
        if (ok != 1)
            return SSL_get_error(c->ssl, ok) == SSL_ERROR_WANT_READ;
        c->shaken = true;
        if (SSL_session_reused(c->ssl))
            w->shared->resumed++;
    }
    do {
        ssize_t n = sink_read(c);
        if (n <= 0)
            return c->ssl ? SSL_get_error(c->ssl, (int)n) == SSL_ERROR_WANT_READ : n < 0 && errno == EAGAIN;
        if (!sink_requests(w, c))
            return false;
    } while (c->ssl && SSL_pending(c->ssl));
    return true;
}

static inline void sink_watch(struct sink_work *w, struct sink_conn *c)
{
    epoll_ctl(w->epoll, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = c });
}

static inline void sink_accept(struct sink_work *w, const struct sink_conn *door)
{
    for (int fd, one = 1; (fd = accept4(door->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct sink_conn *c = calloc(1, sizeof *c);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        *c = (struct sink_conn){ .fd = fd, .endpoint = door->endpoint };
        if (w->tls && (!(c->ssl = SSL_new(w->tls)) || !SSL_set_fd(c->ssl, fd)))
            sink_die("TLS");
        w->shared->connections++;
        sink_watch(w, c);
    }
}

static inline void sink_run(struct sink_work *w)
{
    struct epoll_event ready[256];
    for (;;) {
        int n = epoll_wait(w->epoll, ready, 256, -1);
        for (int i = 0; i < n; i++) {
            struct sink_conn *c = ready[i].data.ptr;
            if (c->listens)
                sink_accept(w, c);
            else if (!sink_hear(w, c))
                sink_hang_up(c);
        }
    }
}

static inline void sink_listen(struct sink_work *w, size_t endpoint)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    struct sink_conn *c = calloc(1, sizeof *c);
    *c = (struct sink_conn){ .listens = true, .endpoint = endpoint, .fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) };
    if (bind(c->fd, (struct sockaddr *)&a, sizeof a) || listen(c->fd, 1024) || getsockname(c->fd, (struct sockaddr *)&a, &n))
        sink_die("listen");
    w->shared->port[endpoint] = ntohs(a.sin_port);
    sink_watch(w, c);
}

static inline SSL_CTX *sink_tls(const char *cert, const char *key)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    BIO *cert_bio = BIO_new_mem_buf(cert, -1), *key_bio = BIO_new_mem_buf(key, -1);
    X509 *leaf = PEM_read_bio_X509(cert_bio, NULL, NULL, NULL), *more;
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
    if (!leaf || !pkey || SSL_CTX_use_certificate(tls, leaf) != 1 || SSL_CTX_use_PrivateKey(tls, pkey) != 1)
        sink_die("certificate");
    while ((more = PEM_read_bio_X509(cert_bio, NULL, NULL, NULL)))
        SSL_CTX_add_extra_chain_cert(tls, more);
    BIO_free(cert_bio);
    BIO_free(key_bio);
    return tls;
}

/** Before any thread of the caller's. @param cert, key  PEM: the endpoints speak TLS; NULL: plain HTTP */
static inline void sink_start(struct sink *s, size_t endpoints, const char *cert, const char *key)
{
    s->endpoints = endpoints;
    s->shared = mmap(NULL, sizeof *s->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s->shared == MAP_FAILED || endpoints > SINK_ENDPOINTS_MOST)
        sink_die("sink");
    fflush(stdout);
    s->pid = fork();
    if (!s->pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        struct sink_work w = { .shared = s->shared, .epoll = epoll_create1(EPOLL_CLOEXEC), .tls = cert ? sink_tls(cert, key) : NULL };
        for (size_t i = 0; i < endpoints; i++)
            sink_listen(&w, i);
        s->shared->ready = true;
        sink_run(&w);
    }
    while (!s->shared->ready)
        usleep(1000);
}

static inline void sink_stop(struct sink *s)
{
    if (!s->pid)
        return;
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    munmap(s->shared, sizeof *s->shared);
    *s = (struct sink){ 0 };
}

/** Forget the times, not how often each event came. */
static inline void sink_forget_times(struct sink *s)
{
    s->shared->samples = 0;
}
