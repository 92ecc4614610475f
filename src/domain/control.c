#include "domain/control.h"

/* A unit on its way to disk. */
struct writing {
    struct db_done      done;
    control_written_fn *then;
    void               *mine;         /* owned */
};

static void writing_free(struct writing *w)
{
    free(w->mine);
    free(w);
}

static void on_written(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct writing *w = container_of(item, struct writing, done.item);
    w->then(w->mine, w->done.err);
    writing_free(w);
}

/* The server stops, and nobody is left to tell. */
static void drop_written(struct inbox_item *item)
{
    writing_free(container_of(item, struct writing, done.item));
}

static const struct inbox_kind written_kind = { "control.written", on_written, drop_written };

enum err control_write(const struct control *c, struct db_unit *u, control_written_fn *then, void *mine)
{
    struct writing *w = mine && u ? malloc(sizeof *w) : NULL;
    enum err err = ERR_NOMEM;
    if (w) {
        *w = (struct writing){ .done = { .item.kind = &written_kind, .to = control_inbox(c) }, .then = then, .mine = mine };
        err = db_post(c->db, u, &w->done);
    }
    if (err) {
        db_unit_free(u);
        free(mine);
        free(w);
    }
    return err;
}

uint64_t control_key(struct control *c)
{
    uint64_t key = c->request;
    c->request = 0;
    return key ? key : ids_next(c->ids);
}
