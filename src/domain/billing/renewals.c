/* renewals.c - leases month by month: charged when the next month begins, each missed one in its turn.
 *
 * One entry of the agenda for all leases: when the first of them owes a month. Then slices of those that do are read and
 * charged until none does, so that millions of them cost neither memory nor a timer each, and other writes go on between. */
#include "domain/billing/usage_priv.h"
#include "base/log.h"
#include "base/str.h"

enum { SLICE = 500 };
static const int64_t AGAIN_US = 1 * (int64_t)US_PER_S;

struct renewing {
    struct db_read read;
    struct db_done done;
    struct usage  *m;
    size_t         n;
    struct { uint64_t subscription; int64_t micro, at_us; } charged[SLICE];
};

static void renew(struct renewing *g);

static void on_due(void *arg, int64_t due_us);

static void due_at(struct usage *m, int64_t us)
{
    if (agenda_set(m->control->agenda, &m->renewal, us, on_due, m))
        log_error("usage", "no memory for a timer: leases are renewed at the next purchase or start");
}

void usage_renew_at(struct usage *m, int64_t us)
{
    if (!m->renewal.at || us < m->renewal.due_us)
        due_at(m, us);
}

/* The work is over, for now. */
static void rest(struct renewing *g, int64_t next_us)
{
    struct usage *m = g->m;
    m->renewing = false;
    agenda_release(m->control->agenda);
    if (next_us)
        usage_renew_at(m, next_us);
    db_rows_free(g->read.rows);
    free(g);
}

static void on_next(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct renewing *g = container_of(item, struct renewing, read.item);
    int64_t next_us = 0;
    if (g->read.err)
        next_us = control_now_us(g->m->control) + AGAIN_US;
    else if (db_rows_next(g->read.rows))
        next_us = db_int(g->read.rows, 0);
    rest(g, next_us);
}

static void drop_read(struct inbox_item *item)
{
    struct renewing *g = container_of(item, struct renewing, read.item);
    db_rows_free(g->read.rows);
    free(g);
}

static const struct inbox_kind next_kind = { "usage.next", on_next, drop_read };

static void ask_next(struct renewing *g)
{
    db_rows_free(g->read.rows);
    g->read = (struct db_read){ .item.kind = &next_kind, .to = control_inbox(g->m->control) };
    if (lease_rows_ask_next(g->m->control->db, &g->read))
        rest(g, control_now_us(g->m->control) + AGAIN_US);
}

/* What was counted was not stored. */
static void undo(struct renewing *g)
{
    for (size_t i = 0; i < g->n; i++)
        usage_undo(g->m, g->charged[i].subscription, g->charged[i].micro, g->charged[i].at_us);
    g->n = 0;
}

static void on_charged(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct renewing *g = container_of(item, struct renewing, done.item);
    if (!g->done.err) {
        renew(g);
        return;
    }
    log_error("usage", "leases were not renewed, which is tried again: %s", err_words(g->done.err));
    undo(g);
    rest(g, control_now_us(g->m->control) + AGAIN_US);
}

static void drop_charged(struct inbox_item *item)
{
    free(container_of(item, struct renewing, done.item));
}

static const struct inbox_kind charged_kind = { "usage.charged", on_charged, drop_charged };

/* Today's price; what the edition no longer offers keeps its own. */
static int64_t price_of(const struct usage *m, const struct lease_row *row)
{
    const struct catalogue_row *now = catalogue_find(m->edition, row->country, (enum number_type)row->type,
                                                     (enum assignment)row->assignment);
    return now ? now->lease_micro : row->unit_micro;
}

/* Released before its month began, or all that its resource had ended with it. */
static bool is_over(const struct usage *m, const struct lease_row *row)
{
    return (row->ended_us && row->ended_us <= row->next_us) || !accounts_resource(m->accounts, row->resource);
}

/* One month of one lease. */
static void charge(struct renewing *g, struct db_unit *u, const struct lease_row *row)
{
    struct usage *m = g->m;
    if (is_over(m, row)) {
        lease_row_over(u, row);
        return;
    }
    struct usage_row c = { .cause = row->cause, .cause_kind = row->cause_kind, .kind = CHARGE_LEASE, .number = row->number, .part = row->cycles,
                           .at_us = row->next_us, .until_us = billing_cycle_end(row->since_us, row->next_us),
                           .resource = row->resource, .subscription = row->subscription, .country = row->country,
                           .destination = str_of(number_type_in_words((enum number_type)row->type)), .quantity = 1,
                           .unit_micro = price_of(m, row) };
    lease_row_step(u, row, c.until_us, c.unit_micro);
    g->charged[g->n].micro = usage_charge(m, u, &c);
    g->charged[g->n].subscription = c.subscription;
    g->charged[g->n++].at_us = c.at_us;
}

static void on_owing(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct renewing *g = container_of(item, struct renewing, read.item);
    struct usage *m = g->m;
    struct lease_row row;
    struct db_unit *u = db_unit_new();
    size_t n = 0;
    g->n = 0;
    for (; !g->read.err && lease_row_next(g->read.rows, &row); n++)
        charge(g, u, &row);
    if (!g->read.err && !n) {
        db_unit_free(u);
        ask_next(g);
        return;
    }
    g->done = (struct db_done){ .item.kind = &charged_kind, .to = control_inbox(m->control) };
    db_rows_free(g->read.rows);
    g->read.rows = NULL;
    if (g->read.err || db_post(m->control->db, u, &g->done)) {
        db_unit_free(u);
        undo(g);
        rest(g, control_now_us(m->control) + AGAIN_US);
    }
}

static const struct inbox_kind owing_kind = { "usage.owing", on_owing, drop_read };

static void renew(struct renewing *g)
{
    struct usage *m = g->m;
    g->read = (struct db_read){ .item.kind = &owing_kind, .to = control_inbox(m->control) };
    if (lease_rows_ask_owing(m->control->db, control_now_us(m->control), SLICE, &g->read))
        rest(g, control_now_us(m->control) + AGAIN_US);
}

static void on_due(void *arg, int64_t due_us)
{
    struct usage *m = arg;
    struct renewing *g = m->renewing ? NULL : calloc(1, sizeof *g);
    if (!g) {                           /* when what is under way ends, it asks what is next */
        if (!m->renewing)
            due_at(m, due_us + AGAIN_US);
        return;
    }
    g->m = m;
    m->renewing = true;
    agenda_hold(m->control->agenda);
    renew(g);
}

enum err usage_renewals_load(struct usage *m)
{
    int64_t next_us = 0;
    enum err err = lease_rows_load_next(m->control->db, &next_us);
    if (!err && next_us)
        usage_renew_at(m, next_us);
    return err;
}
