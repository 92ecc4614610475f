/* inbound.c - a message from a phone: stored and announced by one unit, then acknowledged to the carrier. */
#include "base/log.h"
#include "base/metric.h"
#include "domain/messages/mailbox.h"
#include "domain/messages/messages_priv.h"

#include <stdio.h>

METRIC_COUNTER(received_total, "carterfone_sms_received_total", "Messages received for leased numbers")
METRIC_COUNTER(unwanted_total, "carterfone_sms_unwanted_total", "Messages received for numbers that take none")

struct receiving {
    struct db_done       done;
    struct messages     *m;
    struct event_batch   events;
    struct carrier_slot *carrier;
    uint64_t             token;
    bool                 opts_out, opts_in;
    struct message      *reply;             /* of ours; NULL: none */
    struct str           number, phone;     /* ours, and who wrote */
    uint64_t             esmes_of;          /* the resource for whose ESMEs it waits, too; 0: none */
    char                 texts[];
};

static void on_received(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct receiving *g = container_of(item, struct receiving, done.item);
    if (!g->done.err && g->opts_out)
        (void)!optout_known(g->m, g->number, g->phone, STR("STOP"));
    if (!g->done.err && g->opts_in)
        optouts_take(g->m->optouts, g->number, g->phone);
    if (g->esmes_of && !g->done.err)
        mailbox_go(g->m->mailbox, g->esmes_of);
    events_go(g->m->events, &g->events, g->done.err);
    g->carrier->ops->settle(g->carrier->self, g->token, g->done.err);
    if (g->reply)
        reply_go(g->reply, g->done.err);
    free(g);
}

static const struct inbox_kind received_kind = { "messages.received", on_received, NULL };

static enum err event_add(struct messages *m, struct db_unit *u, const struct message_row *row, struct event_batch *batch)
{
    char id[SMS_ID_SIZE], subject[64];
    scoped_buf data = { 0 };
    message_public_id(m, row->key, true, id);
    snprintf(subject, sizeof subject, "/phonenumber/%.40s", row->to.p + (row->to.n && row->to.p[0] == '+'));
    struct jw w = jw_of(&data);
    jw_object(&w, NULL);
    jw_textz(&w, "messageId", id);
    jw_text(&w, "from", row->from);
    jw_text(&w, "to", row->to);
    jw_text(&w, "message", row->text);
    jw_time(&w, "receivedTimestamp", row->created_us);
    jw_int(&w, "segmentCount", row->segments);
    jw_end(&w);
    struct event_new e = { .resource = row->resource, .type = STR("Microsoft.Communication.SMSReceived"),
                           .subject = str_of(subject), .data = buf_str(&data), .id = str_of(id) };
    return data.bad ? ERR_NOMEM : events_write(m->events, u, &e, batch);
}

/* The resource's ESMEs have it as well as its webhooks. */
static void esmes_put(struct receiving *g, struct db_unit *u, const struct message_row *row)
{
    struct mailbox *mb = g->m->mailbox;
    if (!mailbox_wants(mb, row->resource))
        return;
    g->esmes_of = row->resource;
    mailbox_put(mb, u, &(struct letter){ .resource = row->resource, .message = row->key, .from = row->from, .to = row->to,
                                         .text = row->text, .reference = -1, .submitted_us = row->created_us,
                                         .at_us = row->created_us });
}

static struct receiving *receiving_new(struct carrier_slot *c, const struct carrier_news *n)
{
    struct receiving *g = calloc(1, sizeof *g + n->from.n + n->to.n + 2);
    if (!g)
        return NULL;
    *g = (struct receiving){ .done = { .item.kind = &received_kind, .to = control_inbox(c->m->control) }, .m = c->m,
                             .carrier = c, .token = n->token };
    char *at = g->texts;
    g->number = str_put(&at, n->to);
    g->phone = str_put(&at, n->from);
    return g;
}

/* Its text names numbers: only the rule is for the log. */
static bool is_taken(const struct carrier_slot *c, const struct lease *lease, struct str from)
{
    struct problem why = { .rule = "the number is not leased" };
    if (lease && lease->simulated == c->simulated      /* the wall: on the carrier's side there is no such number */
        && !numbers_may_be_texted(c->m->numbers, lease, from, &why))
        return true;
    metric_add(&unwanted_total, 1);
    log_info("messages", "a message of %s was not taken: %s", c->name, why.rule);
    return false;
}

void inbound_arrived(struct carrier_slot *c, const struct carrier_news *n)
{
    struct messages *m = c->m;
    const struct lease *lease = numbers_lease(m->numbers, n->to);
    if (!is_taken(c, lease, n->from)) {
        if (n->part.total)
            inbound_parts_forget(c, n);
        else
            c->ops->settle(c->self, n->token, ERR_NONE);
        return;
    }
    scoped_buf trail = { 0 };
    struct message_row row = { .key = ids_next(m->control->ids), .resource = lease->resource, .inbound = true,
                               .from = n->from, .to = n->to, .text = n->text, .state = 10,
                               .segments = n->segments ? n->segments : 1, .carrier = str_of(c->name),
                               .created_us = control_now_us(m->control) };
    trail_line(&trail, row.created_us, "smpp", "deliver_sm from %s, %u segments", c->name, row.segments);
    if (n->tlvs.n)
        trail_line(&trail, row.created_us, "smpp", "TLVs %.*s", CARRIER_TLVS_SHOWN, n->tlvs.p);
    trail_line(&trail, row.created_us, "number", "leased with inbound SMS");
    struct arrival a = { .m = m, .carrier = c, .lease = lease, .number = n->to, .phone = n->from, .text = n->text, .now_us = row.created_us };
    struct receiving *g = receiving_new(c, n);
    struct db_unit *u = db_unit_new();
    enum err err = g && !trail.bad ? ERR_NONE : ERR_NOMEM;
    if (!err) {
        reply_judge(&a, &trail);
        g->opts_out = a.opts_out;
        g->opts_in = a.opts_in;
        g->reply = reply_add(&a, u, &trail);
        row.trail = buf_str(&trail);
        message_row_insert(u, &row);
        if (n->part.total)
            inbound_parts_drop(c, n, u);
        if (g->opts_out)
            optout_row_add(u, n->to, n->from, row.created_us, STR("STOP"), 0);
        if (g->opts_in)
            optout_row_remove(u, n->to, n->from);
        esmes_put(g, u, &row);
        usage_sms_in(m->control->usage, u, &(struct usage_ends){ lease->resource, lease, n->to, n->from }, row.key, row.segments);
        err = event_add(m, u, &row, &g->events);
    }
    if (!err)
        err = db_post(m->control->db, u, &g->done);
    if (err) {                          /* the carrier keeps it and sends it again */
        db_unit_free(u);
        if (g)
            events_go(m->events, &g->events, err);
        if (g && g->reply)
            reply_go(g->reply, err);
        free(g);
        c->ops->settle(c->self, n->token, err);
        return;
    }
    metric_add(&received_total, 1);
}
