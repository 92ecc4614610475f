#include "base/inbox.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct inbox {
    _Atomic(struct inbox_item *) top;       /* newest first; drained in one exchange and reversed */
    _Atomic size_t    depth;
    _Atomic uint64_t  refused;
    size_t            bound;
    int               fd;
    void             *owner;
    const char       *name;
};

struct inbox *inbox_new(const char *name, size_t bound, void *owner)
{
    struct inbox *in = calloc(1, sizeof *in);
    if (!in)
        return NULL;
    *in = (struct inbox){ .bound = bound, .owner = owner, .name = name };
    in->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (in->fd < 0) {
        free(in);
        return NULL;
    }
    return in;
}

static struct inbox_item *take_all_in_order(struct inbox *in)
{
    struct inbox_item *item = atomic_exchange(&in->top, NULL), *ordered = NULL;
    while (item) {
        struct inbox_item *next = item->next;
        item->next = ordered;
        ordered = item;
        item = next;
    }
    return ordered;
}

void inbox_free(struct inbox *in)
{
    if (!in)
        return;
    for (struct inbox_item *item = take_all_in_order(in), *next; item; item = next) {
        next = item->next;
        if (item->kind->drop)
            item->kind->drop(item);
        else
            free(item);
    }
    close(in->fd);
    free(in);
}

static void push(struct inbox *in, struct inbox_item *item)
{
    int fd = in->fd;        /* once pushed, a receiver that is told to stop may end the inbox */
    struct inbox_item *top = in->top;
    do
        item->next = top;
    while (!atomic_compare_exchange_weak(&in->top, &top, item));
    if (!top) {
        uint64_t one = 1;
        (void)!write(fd, &one, sizeof one);
    }
}

enum err inbox_post(struct inbox *in, struct inbox_item *item)
{
    if (atomic_fetch_add(&in->depth, 1) >= in->bound) {
        atomic_fetch_sub(&in->depth, 1);
        atomic_fetch_add(&in->refused, 1);
        return ERR_BUSY;
    }
    push(in, item);
    return ERR_NONE;
}

void inbox_post_always(struct inbox *in, struct inbox_item *item)
{
    atomic_fetch_add(&in->depth, 1);
    push(in, item);
}

int inbox_fd(const struct inbox *in)
{
    return in->fd;
}

size_t inbox_drain(struct inbox *in)
{
    uint64_t told;
    size_t n = 0;
    (void)!read(in->fd, &told, sizeof told);
    for (struct inbox_item *item = take_all_in_order(in), *next; item; item = next, n++) {
        next = item->next;
        atomic_fetch_sub(&in->depth, 1);
        item->kind->handle(in->owner, item);
    }
    return n;
}

void inbox_wait(struct inbox *in, int timeout_ms)
{
    struct pollfd p = { .fd = in->fd, .events = POLLIN };
    poll(&p, 1, timeout_ms);
}

size_t inbox_depth(const struct inbox *in)
{
    return in->depth;
}

uint64_t inbox_refused(const struct inbox *in)
{
    return in->refused;
}
