#include "domain/purge.h"

static const int64_t EVERY_US = 3600 * (int64_t)US_PER_S;

struct purge {
    struct control     *control;
    purge_slice_fn     *slice;
    struct agenda_entry due;
    int64_t             keep_us, before_us;     /* what is older than before_us may go */
    struct purging     *running;                /* NULL: none */
};

/* A slice on its way; an object of its own, because its answer may outlive the purge. */
struct purging {
    struct db_done done;
    struct purge  *p;                           /* NULL: the purge has ended */
    int64_t        before_us;
    bool           whole;
};

static void slice_post(struct purging *g, bool whole);

static void end(struct purging *g)
{
    if (g->p)
        g->p->running = NULL;
    free(g);
}

/* As long as a whole slice went there may be another; and the hour may have come round meanwhile. */
static void on_sliced(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct purging *g = container_of(item, struct purging, done.item);
    bool grown = g->p && g->before_us < g->p->before_us;
    if (!g->p)
        end(g);
    else if (g->whole && (!g->done.err || g->done.err == ERR_CONFLICT))
        slice_post(g, !g->done.err);
    else if (!g->done.err && grown)
        slice_post(g, true);
    else
        end(g);
}

static const struct inbox_kind sliced_kind = { "purge.sliced", on_sliced, NULL };

static void slice_post(struct purging *g, bool whole)
{
    struct purge *p = g->p;
    struct db_unit *u = db_unit_new();
    g->whole = whole;
    if (whole)                          /* the rest is of the same age as the slice that was not whole: it is less than one */
        g->before_us = p->before_us;
    g->done = (struct db_done){ .item.kind = &sliced_kind, .to = control_inbox(p->control) };
    p->slice(u, g->before_us, whole);
    if (db_post(p->control->db, u, &g->done)) {
        db_unit_free(u);
        end(g);                         /* the next hour's goes on */
    }
}

static void on_due(void *arg, int64_t due_us)
{
    struct purge *p = arg;
    struct purging *g = p->running ? NULL : calloc(1, sizeof *g);
    p->before_us = due_us - p->keep_us;
    if (g) {
        p->running = g;
        g->p = p;
        slice_post(g, true);
    }
    (void)!agenda_set(p->control->agenda, &p->due, due_us + EVERY_US, on_due, p);
}

enum err purge_new(struct purge **out, struct control *control, int64_t keep_us, purge_slice_fn *slice)
{
    struct purge *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    *p = (struct purge){ .control = control, .keep_us = keep_us, .slice = slice };
    *out = p;
    return ERR_NONE;
}

void purge_keep(struct purge *p, int64_t keep_us)
{
    p->keep_us = keep_us;
}

void purge_free(struct purge *p)
{
    if (!p)
        return;
    if (p->running)
        p->running->p = NULL;
    agenda_clear(p->control->agenda, &p->due);
    free(p);
}

enum err purge_start(struct purge *p)
{
    return agenda_set(p->control->agenda, &p->due, control_now_us(p->control) + EVERY_US, on_due, p);
}
