#include "base/loop.h"

#include <pthread.h>
#include <uv.h>

struct loop {
    uv_loop_t     uv;
    uv_poll_t     inbox_poll;
    uv_async_t    stop_async;
    struct inbox *inbox;
    pthread_t     thread;
    bool          started, running;
    char          name[16];
};

/* What a loop_timer or loop_io points at: freed by libuv's close callback, after its owner may be gone. */
struct timer_priv {
    uv_timer_t     uv;
    loop_timer_fn *fn;
    void          *arg;
};

struct io_priv {
    uv_poll_t   uv;
    loop_io_fn *fn;
    void       *arg;
};

static void on_inbox(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    struct loop *loop = poll->data;
    inbox_drain(loop->inbox);
}

static void on_stop(uv_async_t *async)
{
    struct loop *loop = async->data;
    inbox_drain(loop->inbox);
    uv_stop(&loop->uv);
}

enum err loop_new(struct loop **out, const char *name, size_t inbox_bound, void *owner)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return ERR_NOMEM;
    loop->inbox = inbox_new(name, inbox_bound, owner);
    if (!loop->inbox || uv_loop_init(&loop->uv)) {
        inbox_free(loop->inbox);
        free(loop);
        return ERR_NOMEM;
    }
    strncpy(loop->name, name, sizeof loop->name - 1);
    loop->inbox_poll.data = loop;
    loop->stop_async.data = loop;
    if (uv_poll_init(&loop->uv, &loop->inbox_poll, inbox_fd(loop->inbox))
        || uv_async_init(&loop->uv, &loop->stop_async, on_stop)
        || uv_poll_start(&loop->inbox_poll, UV_READABLE, on_inbox)) {
        loop_free(loop);
        return ERR_IO;
    }
    *out = loop;
    return ERR_NONE;
}

static void run(struct loop *loop)
{
    loop->running = true;
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    loop->running = false;
}

void loop_run_here(struct loop *loop)
{
    loop->thread = pthread_self();
    run(loop);
}

/* `thread` is the starter's to write (pthread_create does so before the thread begins) and its to read. */
static void *loop_main(void *arg)
{
    struct loop *loop = arg;
    pthread_setname_np(pthread_self(), loop->name);
    run(loop);
    return NULL;
}

enum err loop_start(struct loop *loop)
{
    if (pthread_create(&loop->thread, NULL, loop_main, loop))
        return ERR_NOMEM;
    loop->started = true;
    return ERR_NONE;
}

void loop_stop(struct loop *loop)
{
    uv_async_send(&loop->stop_async);
    if (loop->started && !loop_is_here(loop)) {
        pthread_join(loop->thread, NULL);
        loop->started = false;
    }
}

static void close_any(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    uv_walk(&loop->uv, close_any, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
    inbox_free(loop->inbox);
    free(loop);
}

struct inbox *loop_inbox(const struct loop *loop)
{
    return loop->inbox;
}

bool loop_is_here(const struct loop *loop)
{
    return pthread_equal(loop->thread, pthread_self());
}

static void free_handle(uv_handle_t *h)
{
    free(h);        /* the uv handle is the first member of both priv structs */
}

enum err loop_timer_init(struct loop *loop, struct loop_timer *t, loop_timer_fn *fn, void *arg)
{
    struct timer_priv *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    uv_timer_init(&loop->uv, &p->uv);
    p->fn = fn;
    p->arg = arg;
    t->priv = p;
    return ERR_NONE;
}

static void on_timer(uv_timer_t *uv)
{
    struct timer_priv *p = container_of(uv, struct timer_priv, uv);
    p->fn(p->arg);
}

void loop_timer_start(struct loop_timer *t, int64_t wait_us)
{
    struct timer_priv *p = t->priv;
    uint64_t ms = wait_us <= 0 ? 0 : ((uint64_t)wait_us + 999) / 1000;      /* never early */
    uv_update_time(p->uv.loop);
    uv_timer_start(&p->uv, on_timer, ms, 0);
}

void loop_timer_stop(struct loop_timer *t)
{
    struct timer_priv *p = t->priv;
    if (p)
        uv_timer_stop(&p->uv);
}

void loop_timer_done(struct loop_timer *t)
{
    struct timer_priv *p = t->priv;
    t->priv = NULL;
    if (p)
        uv_close((uv_handle_t *)&p->uv, free_handle);
}

static void on_io(uv_poll_t *uv, int status, int events)
{
    struct io_priv *p = container_of(uv, struct io_priv, uv);
    bool broken = status < 0;       /* the owner's next read or write will tell it what */
    p->fn(p->arg, broken || (events & (UV_READABLE | UV_DISCONNECT)), broken || (events & UV_WRITABLE));
}

enum err loop_io_init(struct loop *loop, struct loop_io *io, int fd, loop_io_fn *fn, void *arg)
{
    struct io_priv *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    if (uv_poll_init(&loop->uv, &p->uv, fd)) {
        free(p);
        return ERR_IO;
    }
    p->fn = fn;
    p->arg = arg;
    io->priv = p;
    return ERR_NONE;
}

void loop_io_watch(struct loop_io *io, bool readable, bool writable)
{
    struct io_priv *p = io->priv;
    int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
    if (events)
        uv_poll_start(&p->uv, events, on_io);
    else
        uv_poll_stop(&p->uv);
}

void loop_io_done(struct loop_io *io)
{
    struct io_priv *p = io->priv;
    io->priv = NULL;
    if (p) {
        uv_poll_stop(&p->uv);
        uv_close((uv_handle_t *)&p->uv, free_handle);
    }
}
