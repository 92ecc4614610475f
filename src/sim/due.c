#include "sim/due.h"

#include "base/clock.h"
#include "base/loop.h"

struct dues {
    struct loop_timer timer;
    void        *arg;
    struct due **heap;          /* the least first */
    size_t       n, room;
    uint64_t     last_order;
};

static bool before(const struct due *a, const struct due *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void put(struct dues *h, size_t i, struct due *d)
{
    h->heap[i] = d;
    d->place = i + 1;
}

static void up(struct dues *h, size_t i, struct due *d)
{
    for (; i && before(d, h->heap[(i - 1) / 2]); i = (i - 1) / 2)
        put(h, i, h->heap[(i - 1) / 2]);
    put(h, i, d);
}

static void down(struct dues *h, size_t i, struct due *d)
{
    for (size_t child; (child = 2 * i + 1) < h->n; i = child) {
        if (child + 1 < h->n && before(h->heap[child + 1], h->heap[child]))
            child++;
        if (!before(h->heap[child], d))
            break;
        put(h, i, h->heap[child]);
    }
    put(h, i, d);
}

static void wait_for_next(struct dues *h)
{
    if (h->n)
        loop_timer_start(&h->timer, h->heap[0]->at_us - clock_mono().us);
    else
        loop_timer_stop(&h->timer);
}

static void on_timer(void *arg)
{
    struct dues *h = arg;
    int64_t now = clock_mono().us;
    while (h->n && h->heap[0]->at_us <= now) {
        struct due *d = h->heap[0];
        dues_remove(h, d);
        d->run(h->arg, d);
    }
    wait_for_next(h);
}

enum err dues_new(struct dues **out, struct loop *loop, void *arg)
{
    struct dues *h = calloc(1, sizeof *h);
    if (!h)
        return ERR_NOMEM;
    h->arg = arg;
    enum err err = loop_timer_init(loop, &h->timer, on_timer, h);
    if (err) {
        free(h);
        return err;
    }
    *out = h;
    return ERR_NONE;
}

void dues_free(struct dues *h)
{
    if (!h)
        return;
    loop_timer_done(&h->timer);
    free(h->heap);
    free(h);
}

enum err dues_room(struct dues *h)
{
    if (h->n < h->room)
        return ERR_NONE;
    size_t room = h->room ? 2 * h->room : 256;
    struct due **heap = realloc(h->heap, room * sizeof *heap);
    if (!heap)
        return ERR_NOMEM;
    h->heap = heap;
    h->room = room;
    return ERR_NONE;
}

void dues_add(struct dues *h, struct due *d)
{
    assert(h->n < h->room && !d->place);
    d->order = ++h->last_order;
    up(h, h->n++, d);
    if (h->heap[0] == d)
        wait_for_next(h);
}

void dues_remove(struct dues *h, struct due *d)
{
    if (!d->place)
        return;
    size_t i = d->place - 1;
    struct due *last = h->heap[--h->n];
    d->place = 0;
    if (last == d)
        return;
    if (i && before(last, h->heap[(i - 1) / 2]))
        up(h, i, last);
    else
        down(h, i, last);
}

size_t dues_count(const struct dues *h)
{
    return h->n;
}

struct due *dues_at(const struct dues *h, size_t i)
{
    return i < h->n ? h->heap[i] : NULL;
}
