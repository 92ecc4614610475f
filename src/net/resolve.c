#include "net/resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Shared by the asking loop and the resolver thread: whoever lets go last frees it. */
struct question {
    _Atomic int         holders;
    int                 fd;         /* eventfd: written when answered */
    char                host[256], port[8];
    enum err            err;
    struct resolve_addr addr;
};

struct resolve {
    struct question *q;
    struct loop_io   io;
    resolve_fn      *done;
    void            *arg;
};

static void let_go(struct question *q)
{
    if (atomic_fetch_sub(&q->holders, 1) != 1)
        return;
    close(q->fd);
    free(q);
}

static enum err look_up(const char *host, const char *port, int flags, struct resolve_addr *out)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags }, *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) || !found)
        return ERR_ABSENT;
    memcpy(&out->addr, found->ai_addr, found->ai_addrlen);
    out->n = found->ai_addrlen;
    freeaddrinfo(found);
    return ERR_NONE;
}

bool resolve_at_once(const char *host, uint16_t port, struct resolve_addr *out)
{
    char digits[8];
    snprintf(digits, sizeof digits, "%u", port);
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    return look_up(host, digits, AI_NUMERICHOST | AI_NUMERICSERV, out) == ERR_NONE;
}

static void *ask(void *arg)
{
    struct question *q = arg;
    uint64_t one = 1;
    q->err = look_up(q->host, q->port, AI_ADDRCONFIG, &q->addr);
    (void)!write(q->fd, &one, sizeof one);      /* orders q->err and q->addr before the loop's read */
    let_go(q);
    return NULL;
}

static void on_answer(void *arg, bool readable, bool writable)
{
    struct resolve *r = arg;
    uint64_t told;
    (void)readable, (void)writable;
    if (read(r->q->fd, &told, sizeof told) != sizeof told)
        return;
    loop_io_watch(&r->io, false, false);
    struct resolve_addr addr = r->q->addr;
    r->done(r->arg, r->q->err, &addr);          /* last: the listener may free r */
}

static enum err start_thread(struct question *q)
{
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    q->holders = 2;
    int failed = pthread_create(&thread, &attr, ask, q);
    pthread_attr_destroy(&attr);
    if (failed)
        q->holders = 1;
    return failed ? ERR_NOMEM : ERR_NONE;
}

enum err resolve_start(struct resolve **out, struct loop *loop, const char *host, uint16_t port, resolve_fn *done,
                       void *arg)
{
    struct resolve *r = calloc(1, sizeof *r);
    struct question *q = calloc(1, sizeof *q);
    if (!r || !q) {
        free(r);
        free(q);
        return ERR_NOMEM;
    }
    *r = (struct resolve){ .q = q, .done = done, .arg = arg };
    q->holders = 1;
    snprintf(q->host, sizeof q->host, "%s", host);
    snprintf(q->port, sizeof q->port, "%u", port);
    q->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    enum err err = q->fd < 0 ? ERR_IO : loop_io_init(loop, &r->io, q->fd, on_answer, r);
    if (!err) {
        loop_io_watch(&r->io, true, false);
        err = start_thread(q);
    }
    if (err)
        resolve_free(r);
    else
        *out = r;
    return err;
}

void resolve_free(struct resolve *r)
{
    if (!r)
        return;
    loop_io_done(&r->io);
    let_go(r->q);
    free(r);
}
