/* receipts.c - delivery receipts: matched with segments by carrier and id, whether they come before the submit_sm_resp,
 * doubled, or for nothing we know.
 *
 * One that matches nothing is kept among the strays and acknowledged at once, so that it does not hold up the SMSC's other
 * receipts; for 30 s it also waits in memory for its submit_sm_resp. */
#include "base/log.h"
#include "base/metric.h"
#include "domain/messages/messages_priv.h"

#include <stdio.h>

METRIC_COUNTER(stray_total, "carterfone_sms_stray_receipts_total", "Receipts that matched no message within 30 s")

static const int64_t EARLY_WAITS_US = 30 * (int64_t)US_PER_S;
enum { EARLY_MAX = 100000 };

static const struct {
    const char *word;
    bool        final, delivered;
} receipts[] = {
    [RECEIPT_DELIVERED] = { "DELIVRD", true, true },      [RECEIPT_EXPIRED] = { "EXPIRED", true, false },
    [RECEIPT_DELETED] = { "DELETED", true, false },       [RECEIPT_UNDELIVERABLE] = { "UNDELIV", true, false },
    [RECEIPT_ACCEPTED] = { "ACCEPTD", false, false },     [RECEIPT_UNKNOWN] = { "UNKNOWN", true, false },
    [RECEIPT_REJECTED] = { "REJECTD", true, false },      [RECEIPT_ENROUTE] = { "ENROUTE", false, false },
};

/* -- matched ------------------------------------------------------------------------------------------------------------ */

/* Counts once: a final receipt takes the id away. @return the segment, -1: nothing is decided by it */
static int count(struct message *msg, const struct carrier_news *n, struct str key)
{
    if (!receipts[n->state].final)
        return -1;
    int segment = message_take_remote(msg, key);
    if (segment < 0)
        return -1;
    msg->last_receipt = n->state;
    msg->last_status = n->status;
    *(receipts[n->state].delivered ? &msg->delivered : &msg->failed) += 1;
    return segment;
}

static enum message_event event_of(const struct message *msg, int segment)
{
    if (segment < 0 || msg->state != MSG_SUBMITTED || msg->delivered + msg->failed < msg->acked)
        return EV_RECEIPT_PART;
    return msg->failed ? EV_RECEIPT_BAD : EV_RECEIPT_GOOD;
}

static bool match(struct carrier_slot *c, const struct carrier_news *n, bool was_early)
{
    char words[160];
    scoped_buf key = { 0 };
    remote_key(&key, str_of(c->name), n->remote_id);
    struct message *msg = key.bad ? NULL : strmap_find(c->m->by_remote, buf_str(&key));
    if (!msg)
        return false;
    snprintf(words, sizeof words, "receipt of %s: id %.64s stat:%s err:%03u", c->name, n->remote_id.p,
             receipts[n->state].word, n->status);
    int segment = count(msg, n, buf_str(&key));
    message_feed(msg, event_of(msg, segment), &(struct message_cue){ .step = "receipt", .words = words, .from = c, .news = n,
                                                                     .settles = !was_early, .segment = segment,
                                                                     .was_early = was_early });
    return true;
}

/* -- early, or stray ------------------------------------------------------------------------------------------------------ */

struct early {
    struct early        *next, **at;        /* in order of arrival */
    struct carrier_slot *carrier;
    uint32_t             status;
    enum carrier_state   state;
    struct mono          until;
    size_t               key_n;
    char                 key[];             /* of messages->early; the id stands behind the carrier's name */
};

static void early_remove(struct messages *m, struct early *e)
{
    strmap_take(m->early, (struct str){ e->key, e->key_n });
    *e->at = e->next;
    *(e->next ? &e->next->at : &m->early_tail) = e->at;
    free(e);
}

void early_free(struct messages *m)
{
    while (m->early_first)
        early_remove(m, m->early_first);
    strmap_free(m->early);
    loop_timer_done(&m->early_timer);
}

void on_early_over(void *messages)
{
    struct messages *m = messages;
    int64_t now = clock_mono().us;
    while (m->early_first && m->early_first->until.us <= now) {
        struct early *e = m->early_first;
        metric_add(&stray_total, 1);
        log_warn("messages", "a receipt matched no message: %.*s", (int)e->key_n, e->key);
        early_remove(m, e);
    }
    if (m->early_first)
        loop_timer_start(&m->early_timer, m->early_first->until.us - now);
}

static struct early *early_new(struct carrier_slot *c, struct str key)
{
    struct messages *m = c->m;
    struct early *e = strmap_count(m->early) < EARLY_MAX ? calloc(1, sizeof *e + key.n) : NULL;
    if (!e || strmap_put(m->early, key, e)) {
        free(e);
        return NULL;
    }
    e->carrier = c;
    e->key_n = key.n;
    memcpy(e->key, key.p, key.n);
    e->until = (struct mono){ clock_mono().us + EARLY_WAITS_US };
    if (!m->early_first)
        loop_timer_start(&m->early_timer, EARLY_WAITS_US);
    e->at = m->early_tail;
    *m->early_tail = e;
    m->early_tail = &e->next;
    return e;
}

struct straying {
    struct carrier_slot *carrier;
    uint64_t             token;
};

static void on_strayed(void *mine, enum err err)
{
    const struct straying *g = mine;
    g->carrier->ops->settle(g->carrier->self, g->token, err);
}

static enum err stray_post(struct carrier_slot *c, const struct carrier_news *n)
{
    const struct control *control = c->m->control;
    struct straying *g = malloc(sizeof *g);
    struct db_unit *u = db_unit_new();
    if (g)
        *g = (struct straying){ .carrier = c, .token = n->token };
    stray_receipt_row_put(u, str_of(c->name), n->remote_id, (int)n->state, n->status, control_now_us(control));
    return control_write(control, u, on_strayed, g);
}

/* A second one of the same id takes the first one's place, unless the first was final and it is not. */
static void early_keep(struct carrier_slot *c, const struct carrier_news *n)
{
    scoped_buf key = { 0 };
    remote_key(&key, str_of(c->name), n->remote_id);
    struct early *e = key.bad ? NULL : strmap_find(c->m->early, buf_str(&key));
    enum err err = key.bad ? ERR_NOMEM : ERR_NONE;
    if (e && receipts[e->state].final && !receipts[n->state].final) {
        c->ops->settle(c->self, n->token, ERR_NONE);
        return;
    }
    if (!err && !e && !(e = early_new(c, buf_str(&key))))
        err = ERR_BUSY;
    if (!err)
        err = stray_post(c, n);
    if (err) {                          /* the SMSC keeps it, and sends it again */
        c->ops->settle(c->self, n->token, err);
        return;
    }
    e->status = n->status;
    e->state = n->state;
}

void early_match(struct carrier_slot *c, struct str remote_id)
{
    scoped_buf key = { 0 };
    remote_key(&key, str_of(c->name), remote_id);
    struct early *e = key.bad ? NULL : strmap_find(c->m->early, buf_str(&key));
    if (!e)
        return;
    struct carrier_news n = { .kind = CARRIER_RECEIPT, .carrier = c->number, .remote_id = remote_id, .status = e->status,
                              .state = e->state };
    early_remove(c->m, e);
    (void)match(c, &n, true);
}

void outbound_receipt(struct carrier_slot *c, const struct carrier_news *n)
{
    if (!match(c, n, false))
        early_keep(c, n);
}
