#include "net/tcp.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/loop.h"
#include "net/resolve.h"
#include "net/tls.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

enum { READ_OCTETS = 65536, BACKLOG = 128, ACCEPTS_A_TURN = 64 };

struct tcp_conn {
    struct loop     *loop;
    const struct tcp_ops *ops;
    void            *arg;
    struct resolve  *resolve;       /* while the name is looked up */
    int              fd;            /* -1: not yet, or gone */
    struct loop_io   io;
    struct loop_timer turn;         /* 0 ms: flush at the start of the next turn, or tell a failure */
    struct buf       in, out;
    size_t           sent;          /* of out */
    struct tls      *tls;           /* NULL: plain */
    bool             told_open;     /* on_open was called, or was not to be */
    bool             open, gone;
    bool             paused, left;  /* left: octets wait in `in` since the pause */
    enum err         failed;        /* to be told when `turn` fires */
    int              os_error;      /* errno of what went wrong; 0: nothing did */
    unsigned         busy;          /* callbacks under way */
    bool             freed;         /* by one of them */
};

/* Every callback runs between enter() and leave(); after leave() says false the connection is no more. */
static void enter(struct tcp_conn *c)
{
    c->busy++;
}

static bool leave(struct tcp_conn *c)
{
    if (--c->busy || !c->freed)
        return !c->freed;
    free(c);
    return false;
}

static void shut(struct tcp_conn *c)
{
    resolve_free(c->resolve);
    c->resolve = NULL;
    loop_io_done(&c->io);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->open = false;
}

static void gone(struct tcp_conn *c, enum err why)
{
    if (c->gone)
        return;
    c->gone = true;
    shut(c);
    enter(c);
    c->ops->on_gone(c->arg, why);
    leave(c);
}

static void broke(struct tcp_conn *c, int os_error)
{
    c->os_error = os_error;
    gone(c, ERR_IO);
}

/* Its peer is told that nothing was cut off. */
static void say_end(struct tcp_conn *c)
{
    if (c->open && c->tls && tls_is_open(c->tls) && !tls_end(c->tls, &c->out))
        tcp_flush(c);
}

void tcp_free(struct tcp_conn *c)
{
    if (!c)
        return;
    say_end(c);
    shut(c);
    loop_timer_done(&c->turn);
    buf_done(&c->in);
    tls_free(c->tls);
    c->tls = NULL;
    buf_done(&c->out);
    c->gone = c->freed = true;
    if (!c->busy)
        free(c);
}

/* -- writing -------------------------------------------------------------------------------------------------------- */
static void drop_front(struct buf *b, size_t n)
{
    b->n -= n;
    memmove(b->p, b->p + n, b->n);
}

static void watch(struct tcp_conn *c)
{
    if (c->fd >= 0)
        loop_io_watch(&c->io, !c->paused, !c->open || c->sent < c->out.n);
}

void tcp_flush(struct tcp_conn *c)
{
    while (c->open && c->sent < c->out.n) {
        ssize_t n = send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL);
        if (n > 0)
            c->sent += (size_t)n;
        else if (errno != EINTR)
            break;                  /* full: the loop tells when there is room. Broken: reading will tell */
    }
    if (c->sent == c->out.n) {
        buf_clear(&c->out);
        c->sent = 0;
    } else if (c->sent > c->out.n / 2) {        /* a peer that is always a little behind: what it has had is not kept */
        drop_front(&c->out, c->sent);
        c->sent = 0;
    }
}

void tcp_send(struct tcp_conn *c, const void *p, size_t n)
{
    if (c->gone)
        return;
    if (c->sent == c->out.n)
        loop_timer_start(&c->turn, 0);
    if (c->tls)
        (void)!tls_write(c->tls, p, n, &c->out);    /* broken: reading tells */
    else
        buf_put(&c->out, p, n);
    if (c->out.bad || c->out.n - c->sent > TCP_UNSENT_MAX) {
        c->failed = c->out.bad ? ERR_NOMEM : ERR_SIZE;
        loop_timer_start(&c->turn, 0);
    }
}


/* -- reading -------------------------------------------------------------------------------------------------------- */

/* Hand over what there is and keep what was not used. False: the connection is no more. */
static bool hand_over(struct tcp_conn *c)
{
    enter(c);
    size_t used = c->ops->on_bytes(c->arg, (uint8_t *)c->in.p, c->in.n);
    if (!leave(c))
        return false;
    if (c->gone)
        return true;
    assert(used <= c->in.n);
    drop_front(&c->in, used);
    return true;
}

static void on_turn(void *arg)
{
    struct tcp_conn *c = arg;
    if (c->failed) {
        gone(c, c->failed);
        return;
    }
    if (!c->open)
        return;
    tcp_flush(c);
    if (c->sent < c->out.n)
        watch(c);
    if (c->left && !c->paused) {
        c->left = false;
        hand_over(c);               /* last: it may end c */
    }
}

void tcp_pause(struct tcp_conn *c, bool paused)
{
    if (!c || c->gone || c->paused == paused)
        return;
    c->paused = paused;
    watch(c);
    if (!paused && c->in.n) {
        c->left = true;
        loop_timer_start(&c->turn, 0);
    }
}

/* Octets of TLS: what they hold, what must go back, and whether that opens it. */
static void read_tls(struct tcp_conn *c)
{
    char octets[16384];
    ssize_t n = c->open ? recv(c->fd, octets, sizeof octets, 0) : 0;
    if (n == 0) {
        gone(c, ERR_CLOSED);
        return;
    }
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            broke(c, errno);
        return;
    }
    enum err err = tls_read(c->tls, octets, (size_t)n, &c->in, &c->out);
    tcp_flush(c);
    watch(c);
    if (err && !tls_is_open(c->tls))
        log_warn("tcp", "TLS failed: %s", tls_words(c->tls));
    if (!c->told_open && tls_is_open(c->tls)) {
        c->told_open = true;
        enter(c);
        if (c->ops->on_open)
            c->ops->on_open(c->arg);
        if (!leave(c) || c->gone)
            return;
    }
    if (c->in.n && (!hand_over(c) || c->gone))
        return;
    if (err)
        gone(c, err);
}

static void read_some(struct tcp_conn *c)
{
    if (c->tls) {
        read_tls(c);
        return;
    }
    char *room = buf_room(&c->in, READ_OCTETS);
    if (!room) {
        gone(c, ERR_NOMEM);
        return;
    }
    ssize_t n = recv(c->fd, room, READ_OCTETS, 0);
    if (n > 0) {
        c->in.n += (size_t)n;
        hand_over(c);
    } else if (n == 0) {
        gone(c, ERR_CLOSED);
    } else if (errno != EAGAIN && errno != EINTR) {
        broke(c, errno);
    }
}

static void on_connected(struct tcp_conn *c)
{
    int error = 0;
    socklen_t n = sizeof error;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &n) || error) {
        broke(c, error);
        return;
    }
    c->open = true;
    if (c->tls) {
        if (tls_read(c->tls, NULL, 0, &c->in, &c->out)) {
            gone(c, ERR_NOMEM);
            return;
        }
        tcp_flush(c);
        watch(c);
        return;
    }
    watch(c);
    enter(c);
    if (c->ops->on_open)
        c->ops->on_open(c->arg);
    leave(c);
}

static void on_io(void *arg, bool readable, bool writable)
{
    struct tcp_conn *c = arg;
    if (!c->open) {
        on_connected(c);
        return;
    }
    if (writable && c->sent < c->out.n) {
        tcp_flush(c);
        watch(c);
    }
    if (readable && !c->paused)
        read_some(c);               /* last: it may end c */
}

/* -- making --------------------------------------------------------------------------------------------------------- */
static struct tcp_conn *conn_new(struct loop *loop, const struct tcp_ops *ops, void *arg)
{
    struct tcp_conn *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    *c = (struct tcp_conn){ .loop = loop, .ops = ops, .arg = arg, .fd = -1 };
    if (loop_timer_init(loop, &c->turn, on_turn, c)) {
        free(c);
        return NULL;
    }
    return c;
}

static enum err take_fd(struct tcp_conn *c, int fd)
{
    int one = 1;
    c->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);     /* we gather a turn's writes ourselves */
    enum err err = loop_io_init(c->loop, &c->io, fd, on_io, c);
    if (!err)
        watch(c);
    return err;
}

/* A failure here is told in the next turn: nobody is called back from inside tcp_connect(). */
static void dial(struct tcp_conn *c, const struct resolve_addr *to)
{
    int fd = socket(to->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && (connect(fd, (const struct sockaddr *)&to->addr, to->n) == 0 || errno == EINPROGRESS);
    if (ok && take_fd(c, fd) == ERR_NONE)
        return;
    c->os_error = errno;
    if (fd >= 0 && c->fd < 0)
        close(fd);
    c->failed = ERR_IO;
    loop_timer_start(&c->turn, 0);
}

static void on_resolved(void *arg, enum err err, const struct resolve_addr *addr)
{
    struct tcp_conn *c = arg;
    resolve_free(c->resolve);
    c->resolve = NULL;
    if (err)
        gone(c, err);
    else
        dial(c, addr);
}

enum err tcp_connect(struct tcp_conn **out, struct loop *loop, const char *host, uint16_t port, const struct tcp_ops *ops,
                     void *arg)
{
    struct resolve_addr addr;
    struct tcp_conn *c = conn_new(loop, ops, arg);
    if (!c)
        return ERR_NOMEM;
    if (resolve_at_once(host, port, &addr)) {
        dial(c, &addr);
    } else {
        enum err err = resolve_start(&c->resolve, loop, host, port, on_resolved, c);
        if (err) {
            tcp_free(c);
            return err;
        }
    }
    *out = c;
    return ERR_NONE;
}

enum err tcp_connect_tls(struct tcp_conn **out, struct loop *loop, const char *host, uint16_t port, const struct tls_context *tls,
                         const char *name, const struct tcp_ops *ops, void *arg)
{
    struct tls *t = NULL;
    enum err err = tls_new(&t, tls, name ? name : host);
    if (!err)
        err = tcp_connect(out, loop, host, port, ops, arg);
    if (err)
        tls_free(t);
    else
        (*out)->tls = t;                /* callbacks come later */
    return err;
}

enum err tcp_adopt_tls(struct tcp_conn **out, struct loop *loop, int fd, const struct tls_context *tls, const struct tcp_ops *ops,
                       void *arg)
{
    struct tls *t = NULL;
    enum err err = tls_new(&t, tls, NULL);
    if (err) {
        close(fd);
        return err;
    }
    err = tcp_adopt(out, loop, fd, ops, arg);
    if (err) {
        tls_free(t);
        return err;
    }
    (*out)->tls = t;
    (*out)->told_open = true;           /* as for every adopted socket */
    return ERR_NONE;
}

const char *tcp_os_words(const struct tcp_conn *c)
{
    return c && c->os_error ? strerrordesc_np(c->os_error) : NULL;
}

const char *tcp_tls_words(struct tcp_conn *c)
{
    return c && c->tls ? tls_words(c->tls) : NULL;
}

enum err tcp_adopt(struct tcp_conn **out, struct loop *loop, int fd, const struct tcp_ops *ops, void *arg)
{
    struct tcp_conn *c = conn_new(loop, ops, arg);
    if (!c) {
        close(fd);
        return ERR_NOMEM;
    }
    c->open = true;
    enum err err = take_fd(c, fd);
    if (err)
        tcp_free(c);
    else
        *out = c;
    return err;
}

/* -- listening ------------------------------------------------------------------------------------------------------ */
struct tcp_listener {
    int            fd;
    uint16_t       port;
    struct loop_io io;
    tcp_accept_fn *on_accept;
    void          *arg;
};

static void on_waiting(void *arg, bool readable, bool writable)
{
    struct tcp_listener *l = arg;
    (void)readable, (void)writable;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage from;
        socklen_t n = sizeof from;
        char host[64] = "?", port[8] = "?", peer[80];
        int fd = accept4(l->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        getnameinfo((struct sockaddr *)&from, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
        snprintf(peer, sizeof peer, "%s:%s", host, port);
        l->on_accept(l->arg, fd, peer);
    }
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    char port[8] = "0";
    if (getsockname(fd, (struct sockaddr *)&at, &n) == 0)
        getnameinfo((struct sockaddr *)&at, n, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    return (uint16_t)atoi(port);
}

static int open_listener(const char *host, uint16_t port)
{
    struct resolve_addr addr;
    int one = 1;
    if (!resolve_at_once(host, port, &addr)) {
        errno = EADDRNOTAVAIL;          /* one listens on an address, not on a name to be looked up */
        return -1;
    }
    int fd = socket(addr.addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&addr.addr, addr.n) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

enum err tcp_listen(struct tcp_listener **out, struct loop *loop, const char *host, uint16_t port,
                    tcp_accept_fn *on_accept, void *arg, struct problem *why)
{
    struct tcp_listener *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    *l = (struct tcp_listener){ .fd = open_listener(host, port), .on_accept = on_accept, .arg = arg };
    if (l->fd < 0) {
        enum err err = errno == EADDRINUSE ? ERR_CONFLICT : ERR_IO;
        free(l);
        return problem_set(why, err, "ListenFailed", "cannot listen on %s port %u: %s", host, port, strerror(errno));
    }
    l->port = port_of(l->fd);
    enum err err = loop_io_init(loop, &l->io, l->fd, on_waiting, l);
    if (err) {
        tcp_listener_free(l);
        return err;
    }
    loop_io_watch(&l->io, true, false);
    *out = l;
    return ERR_NONE;
}

uint16_t tcp_listener_port(const struct tcp_listener *l)
{
    return l->port;
}

void tcp_listener_free(struct tcp_listener *l)
{
    if (!l)
        return;
    loop_io_done(&l->io);
    close(l->fd);
    free(l);
}
