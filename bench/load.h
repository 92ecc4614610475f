/* load.h - signed JSON requests to a server over keep-alive connections, by clients in a closed loop or at a given rate.
 *
 * One thread, one epoll. A turn is a list of steps on one connection: some are timed, from the last octet of the request (in an
 * open loop: from the moment when the turn was due, so that waiting for the turn before counts) to the head of the answer. An
 * answer that was not expected ends the program: a bench of refusals measures nothing. */
#pragma once
#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"
#include "machine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { LOAD_CONNS_MOST = 256, LOAD_SAMPLES = 1 << 20, LOAD_ANSWER_MOST = 1 << 20 };

struct load_site {
    uint16_t port, port2;                   /* port2: of a second door, where every other connection goes; 0: none */
    uint8_t  key[64];
    size_t   key_n;                         /* 0: nothing is signed */
};
struct load;
struct load_conn {
    int      fd;
    size_t   id;                            /* 0.. */
    uint64_t turn;                          /* how many turns this one has begun */
    size_t   step;
    bool     busy;
    int64_t  due_us, sent_us;
    char     kept[128];                     /* a header of an answer, for the steps behind */
    char    *in;
    size_t   n;
};
struct load_ask { const char *method; char target[1024]; char body[16384]; };
struct load_step {
    bool        timed;
    unsigned    status;
    const char *keep;                       /* name of a header; NULL: none */
    void      (*ask)(void *arg, const struct load_conn *c, struct load_ask *out);
};
struct load_plan {
    const struct load_step *steps;
    size_t   n_steps, conns;
    double   seconds;                       /* 0: until `turns` or `ended` */
    uint64_t turns;                         /* 0: any number */
    double   rate;                          /* turns a second; 0: closed loop */
    bool   (*ended)(void *arg);             /* asked now and then; NULL: never */
    void    *arg;
};
struct load_result { double turns_s, p50_ms, p99_ms, max_ms, seconds; uint64_t turns; size_t samples; };

struct load {
    struct load_site        site;
    const struct load_plan *plan;
    int                     epoll;
    struct load_conn        conns[LOAD_CONNS_MOST];
    double                 *waits_ms;
    size_t                  samples;
    uint64_t                begun, done;
    int64_t                 from_us, signed_s;
    char                    date[RFC1123_SIZE];
};

static inline void load_die(const char *what, struct str said)
{
    fprintf(stderr, "%s: " STR_FMT "\n", what, STR_ARG(said));
    exit(1);
}

/* -- one request ---------------------------------------------------------------------------------------------------- */

static inline size_t load_write(struct load *l, const struct load_ask *a, char *text, size_t size)
{
    char hash[BASE64_SIZE(32)], mac[BASE64_SIZE(32)], to_sign[2048];
    uint8_t octets[32];
    if (!l->site.key_n)
        return (size_t)snprintf(text, size, "%s %s HTTP/1.1\r\nHost: localhost:%u\r\nContent-Length: %zu\r\n\r\n%s", a->method, a->target,
                                l->site.port, strlen(a->body), a->body);
    int64_t now = clock_wall_us();
    if (now / US_PER_S != l->signed_s) {
        l->signed_s = now / US_PER_S;
        time_rfc1123(l->date, now);
    }
    sha256(octets, str_of(a->body));
    base64_write(hash, octets, 32);
    snprintf(to_sign, sizeof to_sign, "%s\n%s\n%s;localhost:%u;%s", a->method, a->target, l->date, l->site.port, hash);
    hmac_sha256(octets, l->site.key, l->site.key_n, str_of(to_sign));
    base64_write(mac, octets, 32);
    return (size_t)snprintf(text, size,
        "%s %s HTTP/1.1\r\nHost: localhost:%u\r\nx-ms-date: %s\r\nx-ms-content-sha256: %s\r\nAuthorization: HMAC-SHA256 "
        "SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=%s\r\nContent-Type: application/json\r\n"
        "Accept: application/json\r\nContent-Length: %zu\r\n\r\n%s",
        a->method, a->target, l->site.port, l->date, hash, mac, strlen(a->body), a->body);
}

static inline void load_ask(struct load *l, struct load_conn *c)
{
    char text[sizeof (struct load_ask) + 2048];
    struct load_ask a;
    a.method = "GET", a.target[0] = a.body[0] = 0;      /* not all of it: it is large */
    l->plan->steps[c->step].ask(l->plan->arg, c, &a);
    size_t n = load_write(l, &a, text, sizeof text);
    c->n = 0;
    if (send(c->fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
        load_die("send", str_of(strerror(errno)));
    c->sent_us = clock_mono().us;
}

static inline struct str load_header(struct str head, const char *name)
{
    struct str line, key, value;
    while (head.n) {
        str_cut(head, '\n', &line, &head);
        if (str_cut(line, ':', &key, &value) && str_eq_nocase(key, str_of(name)))
            return str_trim(value);
    }
    return (struct str){ 0 };
}

/* The head's octets once all of the answer is there; 0: not yet. */
static inline size_t load_whole(const struct load_conn *c)
{
    const char *end = memmem(c->in, c->n, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head = (size_t)(end - c->in) + 4;
    uint64_t body = 0;
    struct str length = load_header((struct str){ c->in, head }, "Content-Length");
    if (length.n ? str_u64(length, LOAD_ANSWER_MOST, &body) != ERR_NONE : memcmp(c->in + 9, "204", 3) != 0)
        load_die("an answer without a length", (struct str){ c->in, head });
    return c->n >= head + body ? head : 0;
}

/* -- turns ---------------------------------------------------------------------------------------------------------- */

static inline bool load_over(const struct load *l, int64_t now)
{
    const struct load_plan *p = l->plan;
    return (p->turns && l->begun >= p->turns) || (p->seconds > 0 && now - l->from_us >= (int64_t)(p->seconds * US_PER_S))
           || (p->ended && p->ended(p->arg));
}

static inline void load_begin(struct load *l, struct load_conn *c, int64_t due_us)
{
    c->step = 0;
    c->busy = true;
    c->due_us = due_us;
    c->turn++;
    l->begun++;
    load_ask(l, c);
}

/* @return true: its turn is over */
static inline bool load_hear(struct load *l, struct load_conn *c)
{
    ssize_t got = recv(c->fd, c->in + c->n, LOAD_ANSWER_MOST - c->n, 0);
    int64_t now = clock_mono().us;
    if (got <= 0)
        load_die("the server hung up", str_of(got ? strerror(errno) : ""));
    c->n += (size_t)got;
    size_t head = load_whole(c);
    if (!head)
        return false;
    const struct load_step *s = &l->plan->steps[c->step];
    if ((unsigned)atoi(c->in + 9) != s->status)
        load_die("not what was expected", (struct str){ c->in, c->n });
    if (s->timed && l->samples < LOAD_SAMPLES)
        l->waits_ms[l->samples++] = (double)(now - (l->plan->rate > 0 && !c->step ? c->due_us : c->sent_us)) / US_PER_MS;
    if (s->keep)
        str_copyz(c->kept, sizeof c->kept, load_header((struct str){ c->in, head }, s->keep));
    if (++c->step < l->plan->n_steps) {
        load_ask(l, c);
        return false;
    }
    c->busy = false;
    l->done++;
    return true;
}

static inline void load_dial(struct load *l, size_t i)
{
    struct load_conn *c = &l->conns[i];
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(i % 2 && l->site.port2 ? l->site.port2 : l->site.port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1;
    *c = (struct load_conn){ .id = i, .in = malloc(LOAD_ANSWER_MOST), .fd = socket(AF_INET, SOCK_STREAM, 0) };
    if (!c->in || connect(c->fd, (struct sockaddr *)&to, sizeof to))
        load_die("connect", str_of(strerror(errno)));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = c });
}

/* In turn, so that none idles until the server ends it. */
static inline struct load_conn *load_idle(struct load *l)
{
    for (size_t i = 0; i < l->plan->conns; i++)
        if (!l->conns[(l->begun + i) % l->plan->conns].busy)
            return &l->conns[(l->begun + i) % l->plan->conns];
    return NULL;
}

/* When the next turn of an open loop is due. */
static inline int64_t load_due(const struct load *l)
{
    return l->from_us + (int64_t)((double)l->begun * US_PER_S / l->plan->rate);
}

static inline void load_wait(struct load *l, int64_t until_us)
{
    struct epoll_event ready[64];
    int64_t gap = until_us - clock_mono().us;
    gap = gap < 0 ? 0 : gap < 100 * US_PER_MS ? gap : 100 * US_PER_MS;
    struct timespec limit = { .tv_nsec = gap * 1000 };
    int n = epoll_pwait2(l->epoll, ready, (int)ARRAY_LEN(ready), &limit, NULL);
    for (int i = 0; i < n; i++)
        if (load_hear(l, ready[i].data.ptr) && l->plan->rate <= 0 && !load_over(l, clock_mono().us))
            load_begin(l, ready[i].data.ptr, 0);
}

static inline void load_drive(struct load *l)
{
    const struct load_plan *p = l->plan;
    for (size_t i = 0; p->rate <= 0 && i < p->conns && !load_over(l, clock_mono().us); i++)
        load_begin(l, &l->conns[i], 0);
    while (!load_over(l, clock_mono().us)) {
        struct load_conn *c;
        while (p->rate > 0 && load_due(l) <= clock_mono().us && !load_over(l, clock_mono().us) && (c = load_idle(l)))
            load_begin(l, c, load_due(l));
        load_wait(l, p->rate > 0 && load_idle(l) ? load_due(l) : INT64_MAX / 2);   /* due meanwhile: it does not wait */
    }
    while (l->done < l->begun)              /* what was begun is finished, and counts */
        load_wait(l, INT64_MAX / 2);
}

static inline struct load_result load_run(struct load_site site, const struct load_plan *plan)
{
    static double waits_ms[LOAD_SAMPLES];
    static struct load load;
    struct load *l = &load;
    *l = (struct load){ .site = site, .plan = plan, .epoll = epoll_create1(EPOLL_CLOEXEC), .waits_ms = waits_ms };
    for (size_t i = 0; i < plan->conns; i++)
        load_dial(l, i);
    l->from_us = clock_mono().us;
    load_drive(l);
    struct load_result r = { .turns = l->done, .samples = l->samples };
    r.seconds = (double)(clock_mono().us - l->from_us) / US_PER_S;
    r.turns_s = (double)l->done / r.seconds;
    r.p50_ms = median(l->waits_ms, l->samples);
    r.p99_ms = l->samples ? l->waits_ms[l->samples * 99 / 100] : 0;
    r.max_ms = l->samples ? l->waits_ms[l->samples - 1] : 0;
    for (size_t i = 0; i < plan->conns; i++) {
        close(l->conns[i].fd);
        free(l->conns[i].in);
    }
    close(l->epoll);
    return r;
}
