/* slots.c - the carriers as messages know them: added, made anew, removed, shown. */
#include "base/log.h"
#include "domain/messages/messages_priv.h"

struct carrier_slot *slot_named(const struct messages *m, struct str name)
{
    struct carrier_slot *c = m->carriers;
    while (c && !str_eqz(name, c->name))
        c = c->next;
    return c;
}

/* One that was removed may have a last word. */
struct carrier_slot *slot_numbered(struct messages *m, unsigned number)
{
    struct carrier_slot *c = m->carriers;
    while (c && c->number != number)
        c = c->next;
    for (struct carrier_slot *gone = m->gone; gone && !c; gone = gone->next)
        c = gone->number == number ? gone : NULL;
    return c;
}

/* -- coming and going ------------------------------------------------------------------------------------------------- */

/* Binds of one SMSC share what is learned of it; a receipt may come by any of them. */
static void join_smsc(struct carrier_slot *c)
{
    struct carrier_profile profile = { .ids = CARRIER_ID_AUTO };
    if (c->ops->profile)
        c->ops->profile(c->self, &profile);
    c->account = profile.smsc;
    c->query_after_us = profile.query_after_us;
    c->smsc = c->m->carriers;
    while (c->smsc && !(c->account.n && str_eq(c->smsc->account, c->account)))
        c->smsc = c->smsc->next;
    if (!c->smsc)
        c->smsc = c;
    id_learner_init(&c->ids, profile.ids);
}

unsigned messages_add_carrier(struct messages *m, struct str name, bool simulated, const struct carrier_ops *ops,
                              void *carrier)
{
    struct carrier_slot *c = calloc(1, sizeof *c);
    if (!c)
        return 0;
    *c = (struct carrier_slot){ .m = m, .number = ++m->carrier_count, .simulated = simulated, .ops = ops,
                                .self = carrier };
    str_copyz(c->name, sizeof c->name, name);
    c->tail = c->returned = &c->head;
    join_smsc(c);
    *m->carriers_tail = c;
    m->carriers_tail = &c->next;
    routing_added(c);
    if (m->resumed)
        adopt_waiting(m);
    return c->number;
}

/* Other binds of the SMSC that c was the first of go on with what was learned. */
static void leave_smsc(struct carrier_slot *c)
{
    struct carrier_slot *first = NULL;
    for (struct carrier_slot *other = c->m->carriers; other; other = other->next) {
        if (other == c || other->smsc != c)
            continue;
        if (!first)
            other->ids = c->ids;
        first = first ? first : other;
        other->smsc = first;
    }
}

void *messages_replace_carrier(struct messages *m, struct str name, const struct carrier_ops *ops, void *carrier, unsigned *number)
{
    struct carrier_slot *c = slot_named(m, name);
    void *was = c->self;
    leave_smsc(c);
    c->ops = ops;
    c->self = carrier;
    c->account = STR("");
    join_smsc(c);
    *number = c->number;
    return was;
}

size_t messages_carrier_busy(const struct messages *m, struct str name)
{
    const struct carrier_slot *c = slot_named(m, name);
    return c ? c->waiting + c->sending : 0;
}

static void settle_nothing(void *carrier, uint64_t token, enum err err)
{
    (void)carrier, (void)token, (void)err;
}

/* What waits in its line lines up elsewhere, or waits for a carrier. */
static void empty_line(struct carrier_slot *c)
{
    while (c->head) {
        struct message *msg = c->head;
        (void)outbound_leave(msg);
        outbound_queue(msg);
    }
}

/* Messages that it took point at it until they end. */
void *messages_remove_carrier(struct messages *m, struct str name)
{
    static const struct carrier_ops none = { .settle = settle_nothing };
    struct carrier_slot *c = slot_named(m, name), **at = &m->carriers;
    void *was = c->self;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    if (!c->next)
        m->carriers_tail = at;
    routing_forget(c);
    leave_smsc(c);
    c->ops = &none;
    c->up = c->stalled = false;
    c->gone = true;
    c->next = m->gone;
    m->gone = c;
    empty_line(c);
    log_info("messages", "carrier %s is there no more", c->name);
    return was;
}

void slots_free(struct messages *m)
{
    struct carrier_slot *lists[] = { m->carriers, m->gone };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        for (struct carrier_slot *c = lists[i], *next; c; c = next) {
            next = c->next;
            routing_forget(c);
            free(c);
        }
}

/* -- shown ------------------------------------------------------------------------------------------------------------ */

static void write_state(const struct carrier_slot *c, struct jw *w)
{
    jw_bool(w, "up", c->up);
    jw_bool(w, "busy", c->stalled);
    jw_textz(w, "receiptId", id_form_word(c->smsc->ids.form));
    jw_int(w, "waiting", (int64_t)c->waiting);
    if (c->ops->show)
        c->ops->show(c->self, w);
}

void messages_write_carrier_state(const struct messages *m, const char *name, struct jw *w)
{
    for (const struct carrier_slot *c = m->carriers; c; c = c->next)
        if (strcmp(c->name, name) == 0)
            write_state(c, w);
}

void messages_write_carriers(const struct messages *m, struct jw *w)
{
    for (const struct carrier_slot *c = m->carriers; c; c = c->next) {
        jw_object(w, NULL);
        jw_textz(w, "name", c->name);
        jw_bool(w, "simulated", c->simulated);
        write_state(c, w);
        jw_end(w);
    }
}
