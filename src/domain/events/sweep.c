/* sweep.c - rows of a subscription that has ended go in slices, so that other units go between. */
#include "domain/events/events_priv.h"

struct sweep {
    struct db_done done;
    struct events *ev;
    uint64_t       subscription;
    bool           whole;
};

static void sweep_slice(struct sweep *sw);

static void sweep_end(struct sweep *sw)
{
    map_take(sw->ev->sweeps, sw->subscription);
    free(sw);
}

static void on_swept(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct sweep *sw = container_of(item, struct sweep, done.item);
    if (sw->whole && (!sw->done.err || sw->done.err == ERR_CONFLICT)) {
        sw->whole = !sw->done.err;
        sweep_slice(sw);
    } else {
        sweep_end(sw);                  /* what the store did not take goes with the hourly purge */
    }
}

static const struct inbox_kind swept_kind = { "events.swept", on_swept, NULL };

static void sweep_slice(struct sweep *sw)
{
    struct db_unit *u = db_unit_new();
    delivery_rows_end(u, sw->subscription, sw->whole);
    sw->done = (struct db_done){ .item.kind = &swept_kind, .to = control_inbox(sw->ev->control) };
    if (db_post(sw->ev->control->db, u, &sw->done)) {
        db_unit_free(u);
        sweep_end(sw);
    }
}

void events_sweep(struct events *ev, uint64_t subscription)
{
    struct sweep *sw = map_find(ev->sweeps, subscription) ? NULL : calloc(1, sizeof *sw);
    if (!sw)
        return;
    *sw = (struct sweep){ .ev = ev, .subscription = subscription, .whole = true };
    if (map_put(ev->sweeps, subscription, sw))
        free(sw);
    else
        sweep_slice(sw);
}
