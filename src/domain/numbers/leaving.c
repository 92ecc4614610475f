/* leaving.c - a resource is deleted: everything that it holds is given back, and everything it leases is released.
 *
 * In rounds: holds first, then leases by rising number, a page at a time; a round waits until all it began is on disk. */
#include "base/log.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/numbers_priv.h"

enum { ROUND_MOST = 256 };

struct leaving {
    struct db_read      read;
    struct numbers     *n;
    uint64_t            resource;
    uint64_t            last;           /* leases up to this number have been asked for */
    size_t              begun;          /* of this round, not decided yet; the round itself counts as one */
    size_t              released;
    bool                more;           /* another round is needed */
    enum err            err;            /* the first */
    numbers_left_fn    *then;
    void               *arg;
};

static void next_round(struct leaving *l);

static void decided(struct leaving *l, enum err err)
{
    if (err && !l->err)
        l->err = err;
    if (--l->begun)
        return;
    if (!l->err && l->more) {
        next_round(l);
        return;
    }
    if (!l->err && l->released)
        log_info("numbers", "released %zu numbers of a resource that is being deleted", l->released);
    l->then(l->arg, l->err);
    free(l);
}

static void on_one(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)op;
    (void)why;
    decided(arg, err);
}

/* It was begun, and on_one() follows, or not. Without it the round has met an error, but goes on. */
static void begun(struct leaving *l, enum err err)
{
    if (err)
        decided(l, err == ERR_ABSENT ? ERR_NONE : err);
}

/* Reservations that have ended are listed for a month yet: all pages are looked at, since some may be nothing but those. */
static void drop_reservations(struct leaving *l)
{
    const struct number_reservation *some[ROUND_MOST];
    size_t count, most = l->begun + ROUND_MOST;
    bool more = true;
    for (size_t skip = 0; more; skip += count) {
        numbers_reservations(l->n, l->resource, skip, ROUND_MOST, some, &count, &more);
        for (size_t i = 0; i < count; i++) {
            if (some[i]->state != RESERVATION_ACTIVE)
                continue;
            if (l->begun == most) {
                l->more = true;
                return;
            }
            l->begun++;
            begun(l, numbers_unreserve(l->n, l->resource, str_of(some[i]->id), on_one, l, NULL));
        }
    }
}

static void drop_searches(struct leaving *l)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; map_next(l->n->searches, &at, &key, &value);) {
        struct search *s = value;
        if (s->pub.resource != l->resource || s->pub.state != SEARCH_HELD)
            continue;
        l->begun++;
        begun(l, numbers_cancel(l->n, l->resource, OPERATION_SEARCH, key, on_one, l, NULL));
    }
}

static void on_leases(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct leaving *l = container_of(item, struct leaving, read.item);
    scoped(db_rows) struct db_rows *rows = l->read.err ? NULL : l->read.rows;
    size_t count = rows ? db_rows_count(rows) : 0;
    char text[E164_SIZE];
    while (rows && !l->err && db_rows_next(rows)) {
        const struct lease *lease = lease_in_use(number_find(l->n, number_lease_row(rows)));
        l->last = number_lease_row(rows);
        if (!lease || lease->resource != l->resource)
            continue;
        e164_write(text, lease->number);
        l->begun++;
        l->released++;
        begun(l, numbers_release(l->n, l->resource, str_of(text), on_one, l, NULL));
    }
    l->more |= count == ROUND_MOST;
    decided(l, l->read.err);
}

static void drop_leases(struct inbox_item *item)
{
    struct leaving *l = container_of(item, struct leaving, read.item);
    if (!l->read.err)
        db_rows_free(l->read.rows);
    free(l);
}

static const struct inbox_kind leases_kind = { "numbers.leaving", on_leases, drop_leases };

static void next_round(struct leaving *l)
{
    l->more = false;
    l->begun = 2;                       /* the holds, and the read */
    drop_searches(l);
    drop_reservations(l);
    l->read = (struct db_read){ .item.kind = &leases_kind, .to = control_inbox(l->n->control) };
    enum err err = number_leases_ask(l->n->control->db, l->resource, l->last, 0, ROUND_MOST, &l->read);
    l->begun--;                         /* the read cannot have answered yet, so this is never the last */
    if (err)
        decided(l, err);
}

enum err numbers_release_all(struct numbers *n, uint64_t resource, numbers_left_fn *done, void *arg)
{
    struct leaving *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    *l = (struct leaving){ .n = n, .resource = resource, .then = done, .arg = arg };
    next_round(l);
    return ERR_NONE;
}
