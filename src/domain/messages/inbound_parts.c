/* inbound_parts.c - parts of messages that come in from a carrier that does not wait with them: what was answered comes no more, so
 * it is kept until its message is told, and given back to the carrier after a restart. Joining them is the carrier's. */
#include "base/log.h"
#include "base/metric.h"
#include "domain/messages/messages_priv.h"

METRIC_COUNTER(kept_total, "carterfone_inbound_parts_kept_total", "Parts of inbound messages written before they were answered")

struct kept_part {
    struct kept_part   *next;
    struct carrier_part part;
    struct str          carrier, from, to, body;        /* behind the struct */
    char                texts[];
};

/* What is answered when it is on disk. */
struct keeping {
    struct carrier_slot *carrier;
    uint64_t             token;
};

static struct inbound_part_row row_of(const struct carrier_slot *c, const struct carrier_news *n)
{
    return (struct inbound_part_row){ .carrier = str_of(c->name), .from = n->from, .to = n->to, .body = n->text, .ref = n->part.ref,
                                      .total = n->part.total, .part = n->part.number, .at_us = control_now_us(c->m->control) };
}

static void on_written(void *mine, enum err err)
{
    const struct keeping *k = mine;
    k->carrier->ops->settle(k->carrier->self, k->token, err);
}

static void write(struct carrier_slot *c, const struct carrier_news *n, struct db_unit *u)
{
    struct keeping *k = malloc(sizeof *k);
    if (k)
        *k = (struct keeping){ c, n->token };
    enum err err = control_write(c->m->control, u, on_written, k);
    if (err)                            /* the carrier is told to send it again */
        c->ops->settle(c->self, n->token, err);
}

void inbound_part_came(struct carrier_slot *c, const struct carrier_news *n)
{
    struct db_unit *u = db_unit_new();
    struct inbound_part_row row = row_of(c, n);
    metric_add(&kept_total, 1);
    inbound_part_row_put(u, &row);
    write(c, n, u);
}

void inbound_parts_drop(struct carrier_slot *c, const struct carrier_news *n, struct db_unit *u)
{
    struct inbound_part_row row = row_of(c, n);
    inbound_part_rows_drop(u, &row);
}

void inbound_parts_forget(struct carrier_slot *c, const struct carrier_news *n)
{
    struct db_unit *u = db_unit_new();
    inbound_parts_drop(c, n, u);
    write(c, n, u);
}

/* -- start-up ------------------------------------------------------------------------------------------------------- */

static enum err load_part(void *arg, const struct inbound_part_row *row)
{
    struct messages *m = arg;
    struct kept_part *k = malloc(sizeof *k + row->carrier.n + row->from.n + row->to.n + row->body.n + 4);
    if (!k)
        return ERR_NOMEM;
    char *at = k->texts;
    *k = (struct kept_part){ .next = m->kept_parts, .part = { (uint16_t)row->ref, (uint8_t)row->total, (uint8_t)row->part } };
    k->carrier = str_put(&at, row->carrier);
    k->from = str_put(&at, row->from);
    k->to = str_put(&at, row->to);
    k->body = str_put(&at, row->body);
    m->kept_parts = k;
    return ERR_NONE;
}

enum err inbound_parts_load(struct messages *m)
{
    return inbound_part_rows_each(m->control->db, load_part, m);
}

void inbound_parts_recall(struct carrier_slot *c)
{
    for (struct kept_part **at = &c->m->kept_parts, *k = *at; k && c->ops->recall; k = *at) {
        if (!str_eqz(k->carrier, c->name)) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        c->ops->recall(c->self, k->from, k->to, &k->part, k->body);
        free(k);
    }
}

void inbound_parts_free(struct messages *m)
{
    for (struct kept_part *k = m->kept_parts, *next; k; k = next) {
        next = k->next;
        free(k);
    }
}
