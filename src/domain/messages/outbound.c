/* outbound.c - a stored message on its way: queue, carrier, segments taken, receipts, report. */
#include "base/log.h"
#include "base/metric.h"
#include "domain/messages/messages_priv.h"

#include <stdio.h>

METRIC_COUNTER(submitted_total, "carterfone_sms_submitted_segments_total", "Segments a carrier has taken")
METRIC_COUNTER(delivered_total, "carterfone_sms_delivered_total", "Messages reported delivered")
METRIC_COUNTER(failed_total, "carterfone_sms_failed_total", "Messages that failed for good")
METRIC_COUNTER(again_total, "carterfone_sms_submitted_again_total", "Messages sent again after a link was lost")
METRIC_COUNTER(stray_total, "carterfone_sms_stray_receipts_total", "Receipts that matched no message within 30 s")

static const int64_t RECEIPT_WITHIN_US = 72 * 3600 * (int64_t)US_PER_S;
static const int64_t EARLY_WAITS_US = 30 * (int64_t)US_PER_S;
static const int64_t AGAIN_AFTER_US = 1 * (int64_t)US_PER_S;
static const int64_t AGAIN_MOST_US = 300 * (int64_t)US_PER_S;
static const int64_t GIVE_UP_AFTER_US = 24 * 3600 * (int64_t)US_PER_S;

static void finish(struct message *msg, enum message_state state, const char *step, const char *words, struct messages *m,
                   struct carrier_slot *settle, uint64_t token);

/* -- the struct ------------------------------------------------------------------------------------------------------ */

static struct str copy_to(char **at, struct str s)
{
    struct str copy = { *at, s.n };
    str_copyz(*at, s.n + 1, s);
    *at += s.n + 1;
    return copy;
}

struct message *message_make(const struct message_row *row)
{
    struct message *msg = malloc(sizeof *msg + row->from.n + row->to.n + row->text.n + row->tag.n + 4);
    struct str *ids = calloc(row->segments ? row->segments : 1, sizeof *ids);
    if (!msg || !ids) {
        free(msg);
        free(ids);
        return NULL;
    }
    *msg = (struct message){ .key = row->key, .resource = row->resource, .report = row->report,
                             .state = message_state_read(row->state), .segments = row->segments, .remote_ids = ids };
    char *at = (char *)(msg + 1);
    msg->from = copy_to(&at, row->from);
    msg->to = copy_to(&at, row->to);
    msg->text = copy_to(&at, row->text);
    msg->tag = copy_to(&at, row->tag);
    return msg;
}

static void remote_key(struct buf *b, struct str carrier, struct str remote_id)
{
    buf_printf(b, STR_FMT " " STR_FMT, STR_ARG(carrier), STR_ARG(remote_id));
}

void message_free(struct messages *m, struct message *msg)
{
    agenda_clear(m->control->agenda, &msg->overdue);
    for (unsigned i = 0; i < msg->segments; i++) {
        if (!msg->remote_ids[i].p)
            continue;
        if (m->by_remote && strmap_find(m->by_remote, msg->remote_ids[i]) == msg)
            strmap_take(m->by_remote, msg->remote_ids[i]);
        free((char *)(uintptr_t)msg->remote_ids[i].p);
    }
    free(msg->remote_ids);
    free(msg);
}

static void on_overdue(void *arg, int64_t due_us);

enum err outbound_remember_remote(struct messages *m, struct message *msg, unsigned segment, struct str carrier,
                                  struct str remote_id)
{
    scoped_buf key = { 0 };
    remote_key(&key, carrier, remote_id);
    if (key.bad || segment >= msg->segments)
        return key.bad ? ERR_NOMEM : ERR_RANGE;
    char *copy = malloc(key.n + 1);
    if (!copy || strmap_put(m->by_remote, buf_str(&key), msg)) {
        free(copy);
        return ERR_NOMEM;
    }
    str_copyz(copy, key.n + 1, buf_str(&key));
    if (msg->remote_ids[segment].p)
        free((char *)(uintptr_t)msg->remote_ids[segment].p);
    msg->remote_ids[segment] = (struct str){ copy, key.n };
    msg->overdue.arg = m;
    return agenda_set(m->control->agenda, &msg->overdue, id_time_us(msg->key) + clock_offset_us(m->control->clock)
                      + RECEIPT_WITHIN_US, on_overdue, msg);
}

/* -- queue ----------------------------------------------------------------------------------------------------------- */

/* The wall: a simulated number leaves by a simulated carrier and by no other. Later carriers go before earlier ones, so
 * that a network an operator added is used instead of the built-in. */
static struct carrier_slot *choose(const struct messages *m, const struct message *msg)
{
    const struct lease *lease = numbers_lease(m->numbers, msg->from);
    struct carrier_slot *best = NULL;
    for (struct carrier_slot *c = m->carriers; c; c = c->next) {
        if (lease && c->simulated != lease->simulated)
            continue;
        if (lease && !c->simulated && lease->carrier[0] && strcmp(lease->carrier, c->name) != 0)
            continue;
        if (!best || c->up || !best->up)
            best = c;
    }
    return best;
}

void outbound_queue(struct messages *m, struct message *msg)
{
    struct carrier_slot *c = choose(m, msg);
    msg->state = MSG_QUEUED;
    msg->carrier = c;
    if (!c)
        return;                         /* adopted when a carrier is added */
    msg->next = NULL;
    *c->tail = msg;
    c->tail = &msg->next;
    c->waiting++;
    outbound_pump(c);
}

void outbound_pump(struct carrier_slot *c)
{
    while (c->up && !c->full && c->head) {
        struct message *msg = c->head;
        struct carrier_message out = { .message = msg->key, .from = msg->from, .to = msg->to, .text = msg->text,
                                       .wants_receipt = true };
        if (c->ops->submit(c->self, &out)) {
            c->full = true;
            return;
        }
        msg->state = MSG_SENDING;
        c->head = msg->next;
        if (!c->head)
            c->tail = &c->head;
        c->waiting--;
    }
}

/* -- what the carrier says -------------------------------------------------------------------------------------------- */

/* A step of a message on its way to disk; what must follow the commit. */
struct stepping {
    struct db_done       done;
    struct messages     *m;
    struct event_batch   events;
    struct carrier_slot *settle;
    uint64_t             token;
};

static void on_stepped(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct stepping *g = container_of(item, struct stepping, done.item);
    events_go(g->m->events, &g->events, g->done.err);
    if (g->settle)
        g->settle->ops->settle(g->settle->self, g->token, g->done.err);
    if (g->done.err)
        log_error("messages", "a step could not be stored: %s", err_words(g->done.err));
    free(g);
}

static const struct inbox_kind stepped_kind = { "messages.stepped", on_stepped, NULL };

static struct stepping *stepping_new(struct messages *m, struct carrier_slot *settle, uint64_t token)
{
    struct stepping *g = calloc(1, sizeof *g);
    if (g)
        *g = (struct stepping){ .done = { .item.kind = &stepped_kind, .to = control_inbox(m->control) }, .m = m,
                                .settle = settle, .token = token };
    return g;
}

/* On failure the step is lost from the row, not from memory; the peer is asked to say it again where it can be. */
static void stepping_post(struct stepping *g, struct db_unit *u)
{
    enum err err = g ? db_post(g->m->control->db, u, &g->done) : ERR_NOMEM;
    if (!err)
        return;
    db_unit_free(u);
    log_error("messages", "a step could not be stored: %s", err_words(err));
    if (!g)
        return;
    g->done.err = err;
    on_stepped(NULL, &g->done.item);
}

static struct message *sending_message(struct carrier_slot *c, const struct carrier_news *n)
{
    struct message *msg = map_find(c->m->live, n->message);
    return msg && msg->state == MSG_SENDING ? msg : NULL;
}

static void match_early(struct carrier_slot *c, struct str remote_id);

void outbound_submitted(struct carrier_slot *c, const struct carrier_news *n)
{
    struct message *msg = sending_message(c, n);
    if (!msg)
        return;
    int64_t now = control_now_us(c->m->control);
    struct db_unit *u = db_unit_new();
    scoped_buf trail = { 0 };
    metric_add(&submitted_total, 1);
    (void)!outbound_remember_remote(c->m, msg, n->segment, str_of(c->name), n->remote_id);
    msg->acked++;
    if (msg->acked >= n->segments)
        msg->state = MSG_SUBMITTED;
    trail_line(&trail, now, "smpp", "%s took segment %u of %u: submit_sm_resp message_id " STR_FMT, c->name, n->segment + 1,
               n->segments, STR_ARG(n->remote_id));
    segment_row_insert(u, &(struct segment_row){ msg->key, n->segment, str_of(c->name), n->remote_id });
    message_row_step(u, msg->key, message_state_stored(msg->state), str_of(c->name), now, buf_str(&trail));
    stepping_post(stepping_new(c->m, NULL, 0), u);
    if (msg->state == MSG_SUBMITTED && msg->delivered + msg->failed >= msg->acked)
        finish(msg, msg->failed ? MSG_FAILED : MSG_DELIVERED, "receipt", "all came before the last submit_sm_resp", c->m,
               NULL, 0);
    else
        match_early(c, n->remote_id);
}

static void on_again(void *arg, int64_t due_us)
{
    (void)due_us;
    struct message *msg = arg;
    outbound_queue(msg->carrier->m, msg);
}

/* To the carrier once more: at once when the link went, else after a wait that doubles up to five minutes. */
static void again(struct carrier_slot *c, struct message *msg, bool at_once)
{
    int64_t wait = AGAIN_AFTER_US << (msg->tries < 8 ? msg->tries : 8);
    metric_add(&again_total, 1);
    msg->acked = 0;
    msg->tries++;
    wait = wait < AGAIN_MOST_US ? wait : AGAIN_MOST_US;
    if (at_once || agenda_set(c->m->control->agenda, &msg->overdue, control_now_us(c->m->control) + wait, on_again, msg))
        outbound_queue(c->m, msg);
}

static bool too_old(const struct messages *m, const struct message *msg)
{
    return control_now_us(m->control) - clock_offset_us(m->control->clock) - id_time_us(msg->key) > GIVE_UP_AFTER_US;
}

void outbound_refused(struct carrier_slot *c, const struct carrier_news *n)
{
    struct message *msg = sending_message(c, n);
    char words[128];
    if (!msg)
        return;
    if (n->transient && !too_old(c->m, msg)) {
        again(c, msg, false);
        return;
    }
    snprintf(words, sizeof words, "%s refused it: submit_sm_resp command_status 0x%08x", c->name, n->status);
    msg->last_status = n->status;
    finish(msg, MSG_FAILED, "smpp", words, c->m, NULL, 0);
}

void outbound_lost(struct carrier_slot *c, const struct carrier_news *n)
{
    struct message *msg = sending_message(c, n);
    if (msg)                            /* still up: a submit that was never answered, the peer may be choking */
        again(c, msg, !c->up);
}

/* -- receipts --------------------------------------------------------------------------------------------------------- */

struct early {
    struct early        *next;
    struct carrier_slot *carrier;
    uint64_t             token;
    uint32_t             status;
    enum carrier_state   state;
    struct loop_timer    timer;
    size_t               n;
    char                 remote_id[];
};

static void early_remove(struct messages *m, struct early *e)
{
    for (struct early **at = &m->early; *at; at = &(*at)->next)
        if (*at == e) {
            *at = e->next;
            break;
        }
    loop_timer_done(&e->timer);
    free(e);
}

void early_free(struct messages *m)
{
    while (m->early)
        early_remove(m, m->early);
}

static void on_early_over(void *arg)
{
    struct early *e = arg;
    struct carrier_slot *c = e->carrier;
    metric_add(&stray_total, 1);
    log_warn("messages", "a receipt of %s matched no message: id %.*s", c->name, (int)e->n, e->remote_id);
    c->ops->settle(c->self, e->token, ERR_NONE);
    early_remove(c->m, e);
}

static void early_keep(struct carrier_slot *c, const struct carrier_news *n)
{
    struct early *e = calloc(1, sizeof *e + n->remote_id.n);
    if (!e || loop_timer_init(c->m->control->loop, &e->timer, on_early_over, e)) {
        free(e);
        c->ops->settle(c->self, n->token, ERR_NOMEM);
        return;
    }
    e->carrier = c;
    e->token = n->token;
    e->status = n->status;
    e->state = n->state;
    e->n = n->remote_id.n;
    memcpy(e->remote_id, n->remote_id.p, n->remote_id.n);
    e->next = c->m->early;
    c->m->early = e;
    loop_timer_start(&e->timer, EARLY_WAITS_US);
}

static void match_early(struct carrier_slot *c, struct str remote_id)
{
    for (struct early *e = c->m->early, *next; e; e = next) {
        next = e->next;
        if (e->carrier != c || !str_eq((struct str){ e->remote_id, e->n }, remote_id))
            continue;
        struct carrier_news n = { .kind = CARRIER_RECEIPT, .carrier = c->number, .remote_id = remote_id,
                                  .token = e->token, .status = e->status, .state = e->state };
        early_remove(c->m, e);
        outbound_receipt(c, &n);
        return;
    }
}

static const struct {
    const char *word;
    bool        final, delivered;
} receipts[] = {
    [RECEIPT_DELIVERED] = { "DELIVRD", true, true },      [RECEIPT_EXPIRED] = { "EXPIRED", true, false },
    [RECEIPT_DELETED] = { "DELETED", true, false },       [RECEIPT_UNDELIVERABLE] = { "UNDELIV", true, false },
    [RECEIPT_ACCEPTED] = { "ACCEPTD", false, false },     [RECEIPT_UNKNOWN] = { "UNKNOWN", true, false },
    [RECEIPT_REJECTED] = { "REJECTD", true, false },      [RECEIPT_ENROUTE] = { "ENROUTE", false, false },
};

void outbound_receipt(struct carrier_slot *c, const struct carrier_news *n)
{
    struct messages *m = c->m;
    char words[160];
    scoped_buf key = { 0 };
    remote_key(&key, str_of(c->name), n->remote_id);
    struct message *msg = key.bad ? NULL : strmap_find(m->by_remote, buf_str(&key));
    if (!msg) {
        early_keep(c, n);
        return;
    }
    snprintf(words, sizeof words, "receipt of %s: id %.64s stat:%s err:%03u", c->name, n->remote_id.p,
             receipts[n->state].word, n->status);
    if (receipts[n->state].final) {
        strmap_take(m->by_remote, buf_str(&key));       /* a doubled receipt counts once */
        msg->last_receipt = n->state;
        msg->last_status = n->status;
        *(receipts[n->state].delivered ? &msg->delivered : &msg->failed) += 1;
    }
    bool whole = msg->delivered + msg->failed >= msg->acked && msg->state == MSG_SUBMITTED;
    if (whole && receipts[n->state].final) {
        finish(msg, msg->failed ? MSG_FAILED : MSG_DELIVERED, "receipt", words, m, c, n->token);
        return;
    }
    struct db_unit *u = db_unit_new();
    scoped_buf trail = { 0 };
    int64_t now = control_now_us(m->control);
    trail_line(&trail, now, "receipt", "%s", words);
    message_row_step(u, msg->key, message_state_stored(msg->state), str_of(c->name), now, buf_str(&trail));
    stepping_post(stepping_new(m, c, n->token), u);
}

static void on_overdue(void *arg, int64_t due_us)
{
    (void)due_us;
    struct message *msg = arg;
    if (msg->carrier && msg->state == MSG_SUBMITTED)
        finish(msg, MSG_UNKNOWN, "receipt", "no receipt within 72 hours", msg->carrier->m, NULL, 0);
}

/* -- the end ---------------------------------------------------------------------------------------------------------- */

/* The service's numeric code and words (data of docs/messages.md) for how a message ended. */
static void details_of(const struct message *msg, enum message_state state, char details[96])
{
    int code = 5000;
    const char *text = "Message delivery failed.";
    if (state == MSG_DELIVERED)
        code = 2000, text = "Message Delivered Successfully";
    else if (state == MSG_UNKNOWN)
        code = 5002, text = "The carrier gave no delivery report in time.";
    else if (msg->last_receipt == RECEIPT_REJECTED)
        code = 4005, text = "Message blocked by the destination carrier.";
    else if (msg->last_receipt == RECEIPT_EXPIRED)
        code = 4006, text = "The recipient was not reachable.";
    else if (msg->last_receipt == RECEIPT_UNDELIVERABLE)
        code = 4004, text = "The recipient's number does not exist or cannot be reached.";
    snprintf(details, 96, "%d: %s", code, text);
}

static enum err report_write(struct messages *m, struct db_unit *u, const struct message *msg, enum message_state state,
                             struct event_batch *batch)
{
    char id[SMS_ID_SIZE], subject[64], details[96];
    int64_t now = control_now_us(m->control);
    scoped_buf data = { 0 };
    message_public_id(m, msg->key, false, id);
    details_of(msg, state, details);
    snprintf(subject, sizeof subject, "/phonenumber/%.40s", msg->from.p + (msg->from.n && msg->from.p[0] == '+'));
    struct jw w = jw_of(&data);
    jw_object(&w, NULL);
    jw_textz(&w, "messageId", id);
    jw_text(&w, "from", msg->from);
    jw_text(&w, "to", msg->to);
    jw_textz(&w, "deliveryStatus", state == MSG_DELIVERED ? "Delivered" : "Failed");
    jw_textz(&w, "deliveryStatusDetails", details);
    jw_time(&w, "receivedTimestamp", now);
    jw_array(&w, "deliveryAttempts");
    jw_object(&w, NULL);
    jw_time(&w, "timestamp", now);
    jw_int(&w, "segmentsSucceeded", msg->delivered);
    jw_int(&w, "segmentsFailed", (int64_t)msg->segments - msg->delivered);
    jw_end(&w);
    jw_end(&w);
    jw_text(&w, "tag", msg->tag);
    jw_end(&w);
    struct event_new e = { .resource = msg->resource, .type = STR("Microsoft.Communication.SMSDeliveryReportReceived"),
                           .subject = str_of(subject), .data = buf_str(&data), .id = str_of(id) };
    return data.bad ? ERR_NOMEM : events_write(m->events, u, &e, batch);
}

static void finish(struct message *msg, enum message_state state, const char *step, const char *words, struct messages *m,
                   struct carrier_slot *settle, uint64_t token)
{
    int64_t now = control_now_us(m->control);
    struct db_unit *u = db_unit_new();
    struct stepping *g = stepping_new(m, settle, token);
    scoped_buf trail = { 0 };
    trail_line(&trail, now, step, "%s", words);
    trail_line(&trail, now, "state", "%s", message_state_word(message_state_stored(state)));
    message_row_step(u, msg->key, message_state_stored(state), msg->carrier ? str_of(msg->carrier->name) : STR(""), now,
                     buf_str(&trail));
    if (g && msg->report && report_write(m, u, msg, state, &g->events))
        log_error("messages", "a delivery report could not be written: out of memory");
    metric_add(state == MSG_DELIVERED ? &delivered_total : &failed_total, 1);
    stepping_post(g, u);
    map_take(m->live, msg->key);
    message_free(m, msg);
}
