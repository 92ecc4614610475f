#include "domain/agenda.h"

struct agenda {
    struct agenda_entry **heap;         /* least (due, order) first */
    size_t                count, cap;
    uint64_t              orders;
    size_t                held;         /* pieces of work under way */
    struct loop_timer     timer;        /* set for the first entry, at most HORIZON away */
    struct clock         *clock;
};

/* The wall clock may be stepped under the product clock: look again at least this often. */
static const int64_t HORIZON_US = 30 * (int64_t)US_PER_S;

static bool before(const struct agenda_entry *a, const struct agenda_entry *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void place(struct agenda *a, struct agenda_entry *e, size_t i)
{
    a->heap[i] = e;
    e->at = i + 1;
}

static void sift_up(struct agenda *a, struct agenda_entry *e, size_t i)
{
    for (; i && before(e, a->heap[(i - 1) / 2]); i = (i - 1) / 2)
        place(a, a->heap[(i - 1) / 2], i);
    place(a, e, i);
}

static void sift_down(struct agenda *a, struct agenda_entry *e, size_t i)
{
    for (size_t child; (child = 2 * i + 1) < a->count; i = child) {
        if (child + 1 < a->count && before(a->heap[child + 1], a->heap[child]))
            child++;
        if (before(e, a->heap[child]))
            break;
        place(a, a->heap[child], i);
    }
    place(a, e, i);
}

static void remove_at(struct agenda *a, size_t i)
{
    a->heap[i]->at = 0;
    struct agenda_entry *last = a->heap[--a->count];
    if (i == a->count)
        return;
    if (i && before(last, a->heap[(i - 1) / 2]))
        sift_up(a, last, i);
    else
        sift_down(a, last, i);
}

static void arm(struct agenda *a)
{
    if (!a->timer.priv)
        return;                         /* a unit test without a loop */
    if (!a->count) {
        loop_timer_stop(&a->timer);
        return;
    }
    int64_t wait = a->heap[0]->due_us - clock_product_us(a->clock);
    loop_timer_start(&a->timer, wait < HORIZON_US ? wait : HORIZON_US);
}

static void on_timer(void *arg)
{
    agenda_catch_up(arg);
}

enum err agenda_new(struct agenda **out, struct loop *loop, struct clock *clock)
{
    struct agenda *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->clock = clock;
    enum err err = loop ? loop_timer_init(loop, &a->timer, on_timer, a) : ERR_NONE;
    if (err) {
        free(a);
        return err;
    }
    *out = a;
    return ERR_NONE;
}

void agenda_free(struct agenda *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->count; i++)
        a->heap[i]->at = 0;
    loop_timer_done(&a->timer);
    free(a->heap);
    free(a);
}

enum err agenda_set(struct agenda *a, struct agenda_entry *e, int64_t due_us, agenda_fn *fn, void *arg)
{
    if (!e->at && a->count == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : 64;
        struct agenda_entry **heap = realloc(a->heap, cap * sizeof(struct agenda_entry *));
        if (!heap)
            return ERR_NOMEM;
        a->heap = heap;
        a->cap = cap;
    }
    if (e->at)
        remove_at(a, e->at - 1);
    *e = (struct agenda_entry){ .due_us = due_us, .order = ++a->orders, .fn = fn, .arg = arg };
    sift_up(a, e, a->count++);
    if (e->at == 1)
        arm(a);
    return ERR_NONE;
}

void agenda_clear(struct agenda *a, struct agenda_entry *e)
{
    if (e->at)
        remove_at(a, e->at - 1);
}

/* Fire the first entry. */
static void fire(struct agenda *a)
{
    struct agenda_entry *e = a->heap[0];
    remove_at(a, 0);
    e->fn(e->arg, e->due_us);           /* may set or clear any entry, itself too */
}

size_t agenda_catch_up(struct agenda *a)
{
    size_t n = 0;
    int64_t now = clock_product_us(a->clock);
    for (; a->count && a->heap[0]->due_us <= now; n++)
        fire(a);
    arm(a);
    return n;
}

static void clock_move_to(struct agenda *a, int64_t product_us)
{
    int64_t ahead = product_us - clock_product_us(a->clock);
    if (ahead > 0)
        clock_set_offset_us(a->clock, clock_offset_us(a->clock) + ahead);
}

size_t agenda_advance(struct agenda *a, int64_t to_us)
{
    size_t n = 0;
    for (; a->count && a->heap[0]->due_us <= to_us; n++) {
        clock_move_to(a, a->heap[0]->due_us);   /* each fires at its own time: what it sets counts from there */
        fire(a);
    }
    clock_move_to(a, to_us);
    arm(a);
    return n;
}

int64_t agenda_now_us(const struct agenda *a)
{
    return clock_product_us(a->clock);
}

size_t agenda_count(const struct agenda *a)
{
    return a->count;
}

void agenda_hold(struct agenda *a)
{
    a->held++;
}

void agenda_release(struct agenda *a)
{
    assert(a->held);
    a->held--;
}

bool agenda_is_held(const struct agenda *a)
{
    return a->held > 0;
}
