/* outbound.c - a stored message on its way: queue, carrier, segments taken. Its states are one table; receipts.c has the
 * receipts, steps.c what is written of each step. */
#include "base/log.h"
#include "base/metric.h"
#include "base/words.h"
#include "domain/messages/messages_priv.h"

#include <stdio.h>

METRIC_COUNTER(submitted_total, "carterfone_sms_submitted_segments_total", "Segments a carrier has taken")
METRIC_COUNTER(delivered_total, "carterfone_sms_delivered_total", "Messages reported delivered")
METRIC_COUNTER(failed_total, "carterfone_sms_failed_total", "Messages that failed for good")
METRIC_COUNTER(again_total, "carterfone_sms_submitted_again_total", "Messages sent again after a link was lost")
METRIC_COUNTER(unexpected_total, "carterfone_sms_unexpected_news_total", "News of carriers about messages they did not have")

static const int64_t PATIENCE_US = 72 * 3600 * (int64_t)US_PER_S;       /* for a carrier, and then anew for a receipt */
static const int64_t AGAIN_AFTER_US = 1 * (int64_t)US_PER_S;
static const int64_t AGAIN_MOST_US = 300 * (int64_t)US_PER_S;
static const int64_t GIVE_UP_AFTER_US = 24 * 3600 * (int64_t)US_PER_S;
static const int64_t STORE_AGAIN_US = 1 * (int64_t)US_PER_S;
enum { STEPS_MOST = 4000 };             /* so many on their way to disk: a carrier that is faster than it waits */

/* -- the table -------------------------------------------------------------------------------------------------------- */

typedef void act_fn(struct message *msg, const struct message_cue *cue);
static act_fn refuse, took, acked, note, put_back, line_up, wait_a_while, hold, finish, store_end, store_later, forget;

/* What every ended message answers: it is only kept until its end is on disk. */
#define ENDED(R, S)                                                                                             \
    R(S, TAKEN, refuse, S)           R(S, ACKED, refuse, S)           R(S, ALL_ACKED, refuse, S)                \
    R(S, REFUSED, refuse, S)         R(S, AGAIN, refuse, S)           R(S, LOST, refuse, S)                     \
    R(S, RECEIPT_PART, put_back, S)  R(S, RECEIPT_GOOD, put_back, S)  R(S, RECEIPT_BAD, put_back, S)            \
    R(S, DUE, store_end, S)          R(S, STRANDED, refuse, S)        R(S, STORED, forget, S)                   \
    R(S, UNSTORED, store_later, S)   R(S, HELD, refuse, S)
/* And every one that is still on its way: its end is not being stored, so it was not. */
#define RULES(R)                /* in state, on event, do, then be */                                           \
    R(QUEUED, TAKEN, took, SENDING)              R(QUEUED, ACKED, refuse, QUEUED)                               \
    R(QUEUED, ALL_ACKED, refuse, QUEUED)         R(QUEUED, REFUSED, refuse, QUEUED)                             \
    R(QUEUED, AGAIN, refuse, QUEUED)             R(QUEUED, LOST, refuse, QUEUED)                                \
    R(QUEUED, RECEIPT_PART, note, QUEUED)        R(QUEUED, RECEIPT_GOOD, note, QUEUED)                          \
    R(QUEUED, RECEIPT_BAD, note, QUEUED)         R(QUEUED, DUE, finish, FAILED)                                    \
    R(QUEUED, STRANDED, finish, FAILED)             R(QUEUED, STORED, refuse, QUEUED)                              \
    R(QUEUED, UNSTORED, refuse, QUEUED)          R(QUEUED, HELD, hold, WAITING)                                 \
    R(WAITING, TAKEN, refuse, WAITING)           R(WAITING, ACKED, refuse, WAITING)                             \
    R(WAITING, ALL_ACKED, refuse, WAITING)       R(WAITING, REFUSED, refuse, WAITING)                           \
    R(WAITING, AGAIN, refuse, WAITING)           R(WAITING, LOST, refuse, WAITING)                              \
    R(WAITING, RECEIPT_PART, note, WAITING)      R(WAITING, RECEIPT_GOOD, note, WAITING)                        \
    R(WAITING, RECEIPT_BAD, note, WAITING)       R(WAITING, DUE, line_up, QUEUED)                               \
    R(WAITING, STRANDED, finish, FAILED)            R(WAITING, STORED, refuse, WAITING)                            \
    R(WAITING, UNSTORED, refuse, WAITING)        R(WAITING, HELD, hold, WAITING)                                \
    R(SENDING, TAKEN, refuse, SENDING)           R(SENDING, ACKED, acked, SENDING)                              \
    R(SENDING, ALL_ACKED, acked, SUBMITTED)      R(SENDING, REFUSED, finish, FAILED)                               \
    R(SENDING, AGAIN, wait_a_while, WAITING)           R(SENDING, LOST, line_up, QUEUED)                              \
    R(SENDING, RECEIPT_PART, note, SENDING)      R(SENDING, RECEIPT_GOOD, note, SENDING)                        \
    R(SENDING, RECEIPT_BAD, note, SENDING)       R(SENDING, DUE, refuse, SENDING)                               \
    R(SENDING, STRANDED, finish, FAILED)            R(SENDING, STORED, refuse, SENDING)                            \
    R(SENDING, UNSTORED, refuse, SENDING)        R(SENDING, HELD, refuse, SENDING)                              \
    R(SUBMITTED, TAKEN, refuse, SUBMITTED)       R(SUBMITTED, ACKED, refuse, SUBMITTED)                         \
    R(SUBMITTED, ALL_ACKED, refuse, SUBMITTED)   R(SUBMITTED, REFUSED, refuse, SUBMITTED)                       \
    R(SUBMITTED, AGAIN, refuse, SUBMITTED)       R(SUBMITTED, LOST, refuse, SUBMITTED)                          \
    R(SUBMITTED, RECEIPT_PART, note, SUBMITTED)  R(SUBMITTED, RECEIPT_GOOD, finish, DELIVERED)                     \
    R(SUBMITTED, RECEIPT_BAD, finish, FAILED)       R(SUBMITTED, DUE, finish, UNKNOWN)                                \
    R(SUBMITTED, STRANDED, refuse, SUBMITTED)    R(SUBMITTED, STORED, refuse, SUBMITTED)                        \
    R(SUBMITTED, UNSTORED, refuse, SUBMITTED)    R(SUBMITTED, HELD, refuse, SUBMITTED)                          \
    ENDED(R, DELIVERED)  ENDED(R, FAILED)  ENDED(R, UNKNOWN)
#define R_CELL(in, on, act, to) [MSG_##in][EV_##on] = { act, MSG_##to },
#define R_ONE(in, on, act, to)  + 1
static const struct { act_fn *act; enum message_state to; } rules[MESSAGE_STATE_COUNT][MESSAGE_EVENT_COUNT] = { RULES(R_CELL) };
static_assert(0 RULES(R_ONE) == MESSAGE_STATE_COUNT * MESSAGE_EVENT_COUNT, "a state does not answer every event");

#define EVENT_NAME(name) #name,
static const char *const event_names[] = { MESSAGE_EVENTS(EVENT_NAME) };

void message_feed(struct message *msg, enum message_event event, const struct message_cue *cue)
{
    act_fn *act = rules[msg->state][event].act;
    if (act == refuse)
        log_info("messages", "a %s message heard %s", message_state_word(message_state_stored(msg->state)),
                 event_names[event]);
    enum message_state was = (enum message_state)msg->state, to = rules[was][event].to;
    if (was != to && msg->carrier && (was == MSG_SENDING || to == MSG_SENDING))
        waiting_moved(msg->carrier, to == MSG_SENDING);
    msg->state = (uint8_t)to;
    act(msg, cue);                      /* last: the message may be gone */
}

/* -- the queue ---------------------------------------------------------------------------------------------------------- */

static const struct lease *lease_of(const struct message *msg)
{
    return numbers_lease(msg->m->numbers, msg->texts->from);
}

static void leave_queue(struct message *msg)
{
    if (!msg->at)
        return;
    struct carrier_slot *c = msg->carrier;
    *msg->at = msg->next;
    *(msg->next ? &msg->next->at : &c->tail) = msg->at;
    if (c->returned == &msg->next)
        c->returned = msg->at;
    if (c->sweep == msg)
        c->sweep = msg->next;
    msg->at = NULL;
    c->waiting--;
}

/* Behind all, or behind those that it gave back before. */
static void join_queue(struct message *msg, struct carrier_slot *c, bool returns)
{
    struct message **at = returns ? c->returned : c->tail;
    msg->carrier = c;
    msg->next = *at;
    msg->at = at;
    *at = msg;
    *(msg->next ? &msg->next->at : &c->tail) = &msg->next;
    if (returns)
        c->returned = &msg->next;
    c->waiting++;
}

void outbound_move(struct message *msg, struct carrier_slot *to)
{
    leave_queue(msg);
    join_queue(msg, to, false);
}

static void on_due(void *arg, int64_t due_us);

/* What is on its way hears when it is of no use any more; but an ESME waits for what the carrier that has it says. */
static enum err set_due(struct message *msg, int64_t due_us)
{
    bool hears = msg->state == MSG_QUEUED || msg->state == MSG_WAITING || (msg->state == MSG_SUBMITTED && !msg->esme);
    if (hears && msg->valid_until_us && due_us > msg->valid_until_us)
        due_us = msg->valid_until_us;
    return agenda_set(msg->m->control->agenda, &msg->due, due_us, on_due, msg);
}

enum err outbound_due(struct message *msg, int64_t due_us)
{
    return set_due(msg, due_us);
}

int64_t outbound_leave(struct message *msg)
{
    int64_t due_us = msg->due.due_us;
    leave_queue(msg);
    msg->carrier = NULL;
    agenda_clear(msg->m->control->agenda, &msg->due);
    return due_us;
}

void outbound_return(struct message *msg, int64_t due_us)
{
    if (msg->state == MSG_WAITING)
        (void)!set_due(msg, due_us);
    else
        outbound_queue(msg);
}

/* Patience is for what could leave. */
static int64_t begun_us(const struct message *msg)
{
    return msg->send_at_us > msg->created_us ? msg->send_at_us : msg->created_us;
}

/* Seconds that are left, for the carrier; 0: it decides. */
static uint32_t validity_s(const struct message *msg)
{
    int64_t left_us = msg->valid_until_us - control_now_us(msg->m->control);
    if (!msg->valid_until_us)
        return 0;
    return left_us > US_PER_S ? (uint32_t)(left_us / US_PER_S) : 1;
}

/* Without a carrier it is adopted when one is added. Out of memory for the agenda: patience without end. */
static void line_up(struct message *msg, const struct message_cue *cue)
{
    const struct lease *lease = lease_of(msg);
    struct carrier_slot *was = msg->carrier;
    struct carrier_slot *c = lease ? routing_choose(msg, lease) : NULL;
    (void)!set_due(msg, begun_us(msg) + PATIENCE_US);
    if (cue->from)
        step_note(msg, cue);
    msg->carrier = c;
    if (c)
        join_queue(msg, c, cue->returns && c == was);
}

/* No sender, no carrier could be chosen on the right side of the wall. */
static bool is_stranded(struct message *msg, struct carrier_slot *from)
{
    if (lease_of(msg))
        return false;
    message_feed(msg, EV_STRANDED, &(struct message_cue){ .step = "number", .from = from, .segment = -1,
                                                          .words = "its sender is not leased any more" });
    return true;
}

/* Accepted, but its sender is not registered as its type must be: the service says so in the report. */
static bool is_blocked(struct message *msg)
{
    struct problem why = { 0 };
    char words[sizeof why.text + sizeof why.rule + sizeof why.suggestion + 4];
    const struct lease *lease = lease_of(msg);
    if (!lease || !numbers_is_registered(msg->m->numbers, lease, &why))
        return false;
    snprintf(words, sizeof words, "%s: %s %s", why.rule, why.text, why.suggestion);
    msg->blocked = true;
    message_feed(msg, EV_STRANDED, &(struct message_cue){ .step = "registration", .words = words, .segment = -1 });
    return true;
}

static bool is_over(const struct message *msg)
{
    return msg->valid_until_us && control_now_us(msg->m->control) >= msg->valid_until_us;
}

static bool is_expired(struct message *msg, struct carrier_slot *from)
{
    char words[WAITS_WORDS];
    if (!is_over(msg))
        return false;
    waiting_in_vain(msg, words);
    message_feed(msg, EV_STRANDED, &(struct message_cue){ .step = "validity", .from = from, .segment = -1, .words = words });
    return true;
}

static const struct message_cue again_cue = { .step = "queue", .words = "in line once more", .segment = -1 };

void outbound_queue(struct message *msg)
{
    if (is_stranded(msg, NULL) || is_blocked(msg) || is_expired(msg, NULL) || holding_keeps(msg))
        return;
    line_up(msg, &again_cue);
    if (msg->carrier)
        outbound_pump(msg->carrier);
}

/* It waited in line, and may not leave any more: then it is not there any more. */
static bool is_called_back(struct message *msg)
{
    return holding_doubts(msg) && (is_stranded(msg, NULL) || holding_keeps(msg));
}

void outbound_pump(struct carrier_slot *c)
{
    while (c->up && !c->stalled && !c->full && c->head && !c->m->paused && c->m->steps < STEPS_MOST) {
        struct message *msg = c->head;
        if (is_called_back(msg))
            continue;
        struct carrier_message out = { .message = msg->key, .from = msg->texts->from, .to = message_to(msg), .text = message_text(msg),
                                       .wants_receipt = true, .validity_s = validity_s(msg) };
        if (c->ops->submit(c->self, &out)) {
            c->full = true;
            return;
        }
        message_feed(msg, EV_TAKEN, &(struct message_cue){ .from = c, .segment = -1 });
    }
}

void outbound_stepped(struct messages *m)
{
    if (--m->steps != STEPS_MOST / 2)
        return;
    for (struct carrier_slot *c = m->carriers; c; c = c->next)
        outbound_pump(c);
}

enum err outbound_patience(struct message *msg, int64_t from_us)
{
    msg->patience_s = (uint32_t)((from_us + PATIENCE_US) / US_PER_S);
    return set_due(msg, from_us + PATIENCE_US);
}

void outbound_wake(struct message *msg)
{
    if (is_stranded(msg, NULL) || is_expired(msg, NULL) || holding_keeps(msg))
        return;
    message_feed(msg, EV_DUE, &again_cue);
    if (msg->carrier)
        outbound_pump(msg->carrier);
}

static void on_due(void *arg, int64_t due_us)
{
    (void)due_us;
    struct message *msg = arg;
    struct message_cue cue = { .step = "queue", .words = "no carrier took it within 72 hours", .segment = -1 };
    if (msg->state == MSG_SUBMITTED && !is_over(msg) && asked_instead(msg))
        return;
    if (msg->state == MSG_SUBMITTED)
        cue.step = "receipt", cue.words = is_over(msg) ? "no receipt while it was valid" : "no receipt within 72 hours";
    if (msg->state == MSG_WAITING)
        outbound_wake(msg);
    else if (msg->state != MSG_QUEUED || !is_expired(msg, NULL))
        message_feed(msg, EV_DUE, &cue);
}

/* -- actions ------------------------------------------------------------------------------------------------------------- */

static void refuse(struct message *msg, const struct message_cue *cue)
{
    (void)msg, (void)cue;
    metric_add(&unexpected_total, 1);
}

static void took(struct message *msg, const struct message_cue *cue)
{
    (void)cue;
    leave_queue(msg);
    agenda_clear(msg->m->control->agenda, &msg->due);
    msg->taken_us = control_now_us(msg->m->control);
}

static void acked(struct message *msg, const struct message_cue *cue)
{
    const struct carrier_news *n = cue->news;
    struct db_unit *u = db_unit_new();
    metric_add(&submitted_total, 1);
    if (message_remember_remote(msg, n->segment, str_of(cue->from->name), n->remote_id))
        log_error("messages", "the id %.*s of a segment could not be kept", STR_ARG(n->remote_id));
    msg->acked++;
    if (msg->state == MSG_SUBMITTED) {
        (void)!outbound_patience(msg, control_now_us(msg->m->control));
        msg->queries = 0;
        if (cue->from->query_after_us)
            asked_resume(msg);
    }
    message_charge(msg, u, n->segment, n->billed ? n->billed : 1);
    if (msg->state == MSG_SUBMITTED && n->segments == 1) {
        step_hold(msg, cue, u);
        return;
    }
    segment_row_insert(u, &(struct segment_row){ msg->key, n->segment, str_of(cue->from->name), n->remote_id, -1 });
    step_post(msg, cue, u);
}

static void note(struct message *msg, const struct message_cue *cue)
{
    step_note(msg, cue);
}

/* Its end could not be stored yet. Acknowledged, the receipt would be said again by nobody after a crash. */
static void put_back(struct message *msg, const struct message_cue *cue)
{
    (void)msg;
    if (cue->settles)
        cue->from->ops->settle(cue->from->self, cue->news->token, ERR_BUSY);
}

/* What the carrier took of the failed try counts no more: its receipts are strays. */
static void start_over(struct message *msg, struct message_cue *cue)
{
    cue->starts_over = msg->acked > 0;
    message_forget_remotes(msg);
    msg->acked = msg->delivered = msg->failed = 0;
    msg->tries++;
    metric_add(&again_total, 1);
}

/* A wait that doubles up to five minutes. */
static void wait_a_while(struct message *msg, const struct message_cue *cue)
{
    int64_t us = AGAIN_AFTER_US << (msg->tries < 9 ? msg->tries - 1 : 8);
    step_note(msg, cue);
    (void)!set_due(msg, control_now_us(msg->m->control) + (us < AGAIN_MOST_US ? us : AGAIN_MOST_US));
}

static void hold(struct message *msg, const struct message_cue *cue)
{
    leave_queue(msg);
    (void)!set_due(msg, cue->until_us);
}

static void finish(struct message *msg, const struct message_cue *cue)
{
    leave_queue(msg);
    agenda_clear(msg->m->control->agenda, &msg->due);
    msg->end_step = cue->step;
    msg->end_words = strdup(cue->words);
    metric_add(msg->state == MSG_DELIVERED ? &delivered_total : &failed_total, 1);
    if (step_end(msg, cue))
        store_later(msg, cue);
}

static void store_end(struct message *msg, const struct message_cue *cue)
{
    if (step_end(msg, &(struct message_cue){ .segment = -1 }))
        store_later(msg, cue);
}

/* Its delivery report is in that unit, so it must get there. */
static void store_later(struct message *msg, const struct message_cue *cue)
{
    (void)cue;
    (void)!set_due(msg, control_now_us(msg->m->control) + STORE_AGAIN_US);
}

static void forget(struct message *msg, const struct message_cue *cue)
{
    (void)cue;
    map_take(msg->m->live, msg->key);
    message_free(msg);
}

/* -- what the carrier says ------------------------------------------------------------------------------------------------ */

static bool is_whole(const struct message *msg)
{
    return msg->state == MSG_SUBMITTED && msg->acked && msg->delivered + msg->failed >= msg->acked;
}

/* The last submit_sm_resp may come after all receipts. */
static void end_if_whole(struct message *msg)
{
    if (is_whole(msg))
        message_feed(msg, msg->failed ? EV_RECEIPT_BAD : EV_RECEIPT_GOOD,
                     &(struct message_cue){ .step = "receipt", .words = "all came before the last submit_sm_resp", .segment = -1 });
}

void outbound_resume(struct message *msg)
{
    if (msg->state == MSG_QUEUED)
        outbound_queue(msg);
    else if (is_whole(msg))
        end_if_whole(msg);
    else
        asked_resume(msg);
}

void outbound_submitted(struct carrier_slot *c, const struct carrier_news *n)
{
    struct message *msg = map_find(c->m->live, n->message);
    char words[256 + CARRIER_TLVS_SHOWN];
    if (!msg)
        return;
    words_put(words, sizeof words, "%s took segment %u of %u: submit_sm_resp message_id %.80s%s%.*s", c->name, n->segment + 1,
              n->segments, n->remote_id.p, n->tlvs.n ? ", TLVs " : "", CARRIER_TLVS_SHOWN, n->tlvs.n ? n->tlvs.p : "");
    struct message_cue cue = { .step = "smpp", .words = words, .from = c, .news = n, .segment = -1 };
    message_feed(msg, msg->acked + 1u >= n->segments ? EV_ALL_ACKED : EV_ACKED, &cue);
    if (is_whole(msg))
        end_if_whole(msg);
    else
        early_match(c, n->remote_id);
}

static bool too_old(const struct message *msg)
{
    return control_now_us(msg->m->control) - begun_us(msg) > GIVE_UP_AFTER_US;
}

/* Another try, or the end: decided here, before the table. */
static void failed_try(struct message *msg, enum message_event event, bool for_good, struct message_cue *cue)
{
    if (msg->state != MSG_SENDING) {
        message_feed(msg, event, cue);
        return;
    }
    if (for_good || too_old(msg)) {
        message_feed(msg, EV_REFUSED, cue);
        return;
    }
    if (is_stranded(msg, cue->from) || is_expired(msg, cue->from))
        return;
    start_over(msg, cue);
    message_feed(msg, event, cue);
    if (msg->state == MSG_QUEUED && msg->carrier)
        outbound_pump(msg->carrier);
}

void outbound_refused(struct carrier_slot *c, const struct carrier_news *n)
{
    struct message *msg = map_find(c->m->live, n->message);
    char words[192 + CARRIER_TLVS_SHOWN];
    if (!msg)
        return;
    bool elsewhere = n->transient && msg->state == MSG_SENDING && routing_detour(msg);
    snprintf(words, sizeof words, "%s refused it: submit_sm_resp command_status 0x%08x%s%s%.*s", c->name, n->status,
             n->opted_out ? ", its recipient opted out" : "", n->tlvs.n ? ", TLVs " : "", CARRIER_TLVS_SHOWN, n->tlvs.n ? n->tlvs.p : "");
    msg->last_status = n->status;
    msg->opted_out |= n->opted_out;
    failed_try(msg, elsewhere ? EV_LOST : EV_AGAIN, !n->transient,
               &(struct message_cue){ .step = n->opted_out ? "opt-out" : "smpp", .words = words, .from = c, .news = n, .segment = -1 });
}

/* Still up: a submit that was never answered, the peer may be choking. What never left goes again at once. */
void outbound_lost(struct carrier_slot *c, const struct carrier_news *n)
{
    struct message *msg = map_find(c->m->live, n->message);
    char words[128];
    if (!msg)
        return;
    snprintf(words, sizeof words, n->may_have_it ? "the link to %s went before it answered" : "%s gave it back, it had not left", c->name);
    msg->unsure |= n->may_have_it;
    failed_try(msg, c->up && n->may_have_it ? EV_AGAIN : EV_LOST, false,
               &(struct message_cue){ .step = "smpp", .words = words, .from = c, .news = n, .segment = -1, .returns = true });
}
