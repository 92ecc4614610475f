/* bind_out.c - messages out: queue, segments, window, rate, back-off, and what became of them. */
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "edge/smpp/bind_priv.h"

#include <stdio.h>

enum { TRIES_MAX = 5, VALIDITY_MAX_S = 30 * 86400, VALIDITY_SIZE = 17 };
static const int64_t BACK_OFF_US = 100 * US_PER_MS, BACK_OFF_MAX_US = 5 * US_PER_S;

METRIC_COUNTER(submitted, "carterfone_smpp_submits_taken_total", "submit_sm an SMSC answered ESME_ROK")
METRIC_COUNTER(refused_total, "carterfone_smpp_submits_refused_total", "submit_sm an SMSC refused for good")
METRIC_COUNTER(throttled, "carterfone_smpp_submits_throttled_total", "submit_sm an SMSC was too busy for; sent again")
METRIC_COUNTER(lost_total, "carterfone_smpp_messages_lost_total", "Messages whose link went before their answer")

/* -- the list of messages, in order of submission ------------------------------------------------------------------- */
static void list_add(struct smsc_bind *b, struct outgoing *msg)
{
    msg->order = ++b->last_order;
    msg->older = b->newest;
    msg->newer = NULL;
    *(b->newest ? &b->newest->newer : &b->oldest) = msg;
    b->newest = msg;
    if (!b->next_out)
        b->next_out = msg;
}

/* Ends a message; tells of room when the control thread waits for it and half of it is there. */
static void list_drop(struct smsc_bind *b, struct outgoing *msg)
{
    if (b->next_out == msg)
        b->next_out = msg->newer;
    *(msg->older ? &msg->older->newer : &b->oldest) = msg->newer;
    *(msg->newer ? &msg->newer->older : &b->newest) = msg->older;
    free(msg);
    unsigned left = atomic_fetch_sub(&b->admitted, 1) - 1;
    if (left <= b->room / 2 && b->up && atomic_exchange(&b->wants_room, false))
        bind_tell(b, &(struct carrier_news){ .kind = CARRIER_ROOM });
}

static struct outgoing *next_waiting(struct smsc_bind *b)
{
    while (b->next_out && (!b->next_out->waiting || b->next_out->lost || b->next_out->refused))
        b->next_out = b->next_out->newer;
    return b->next_out;
}

/* A segment goes back where it was: before everything that was submitted later. */
static void wait_again(struct smsc_bind *b, struct outgoing *msg, unsigned segment)
{
    msg->state[segment] = SEGMENT_WAITS;
    msg->waiting++;
    if (!b->next_out || msg->order < b->next_out->order)
        b->next_out = msg;
}

/* The last word on a message, once nothing of it is under way. */
static void end_if_over(struct smsc_bind *b, struct outgoing *msg)
{
    if (msg->under_way || (msg->waiting && !msg->lost && !msg->refused))
        return;
    if (msg->lost) {                    /* before refused: a segment may have arrived */
        metric_add(&lost_total, 1);
        bind_tell(b, &(struct carrier_news){ .kind = CARRIER_LOST, .message = msg->message });
    } else if (msg->refused) {
        metric_add(&refused_total, 1);
        bind_tell(b, &(struct carrier_news){ .kind = CARRIER_REFUSED, .message = msg->message, .status = msg->refused,
                                             .transient = msg->transient });
    }
    list_drop(b, msg);
}

static void refuse(struct outgoing *msg, uint32_t status, bool transient)
{
    msg->refused = status;
    msg->transient = transient;
}

/* -- sending -------------------------------------------------------------------------------------------------------- */

/* Relative time (SMPP 3.4, 7.1.1.2): YYMMDDhhmmsstnnR. */
static void validity_write(char dst[VALIDITY_SIZE], uint32_t s)
{
    if (s > VALIDITY_MAX_S)
        s = VALIDITY_MAX_S;
    snprintf(dst, VALIDITY_SIZE, "0000%02u%02u%02u%02u000R", s / 86400 % 32, s / 3600 % 24, s / 60 % 60, s % 60);
}

static enum err send_segment(struct smsc_bind *b, struct outgoing *msg, unsigned segment)
{
    struct sms_split split;
    uint8_t octets[SMS_WHOLE_OCTETS];
    char validity[VALIDITY_SIZE] = "";
    struct smpp_addr from = smpp_addr_of(msg->from), to = smpp_addr_of(msg->to);
    struct smpp_pdu pdu = {
        .command = SMPP_submit_sm,
        .sm = { .source_addr_ton = from.ton, .source_addr_npi = from.npi, .source_addr = from.addr,
                .dest_addr_ton = to.ton, .dest_addr_npi = to.npi, .destination_addr = to.addr,
                .registered_delivery = msg->wants_receipt },
    };
    if (msg->validity_s) {
        validity_write(validity, msg->validity_s);
        pdu.sm.validity_period = (struct str){ validity, VALIDITY_SIZE - 1 };
    }
    enum err err = sms_split_as(&split, msg->text, b->conf.long_as);
    if (!err)
        err = sms_part_fill(&pdu, octets, &split, msg->text, segment, msg->ref);
    if (err)
        return err;
    return smpp_session_send(b->session, &pdu, (uint64_t)b->free_flight);
}

static unsigned first_waiting(const struct outgoing *msg)
{
    unsigned segment = 0;
    while (msg->state[segment] != SEGMENT_WAITS)
        segment++;
    return segment;
}

/* False: nothing more can leave now. */
static bool send_next(struct smsc_bind *b, struct outgoing *msg)
{
    unsigned segment = first_waiting(msg);
    struct flight *f = &b->flights[b->free_flight];
    enum err err = send_segment(b, msg, segment);
    if (err == ERR_BUSY || err == ERR_CLOSED)
        return false;                   /* an answer, or the end of the link, goes on from here */
    if (err) {
        refuse(msg, err == ERR_SYNTAX ? ESME_RINVMSGLEN : ESME_RINVDSTADR, false);      /* what SMPP cannot say */
        end_if_over(b, msg);
        return true;
    }
    b->free_flight = f->next_free;
    *f = (struct flight){ .msg = msg, .segment = segment };
    msg->state[segment] = SEGMENT_UNDER_WAY;
    msg->waiting--;
    msg->under_way++;
    return true;
}

static void pace(struct smsc_bind *b, int64_t wait_us)
{
    b->paced = true;
    loop_timer_start(&b->pace, wait_us);
}

void bind_out_pump(struct smsc_bind *b)
{
    struct outgoing *msg;
    int64_t wait_us;
    while (b->session && b->up && !b->paced && (msg = next_waiting(b))) {
        if (b->free_flight < 0 || smpp_session_under_way(b->session) >= b->window)
            return;
        if (b->throttle && throttle_take(b->throttle, clock_mono(), &wait_us)) {
            pace(b, wait_us);
            return;
        }
        if (!send_next(b, msg))
            return;
    }
}

void bind_out_take(struct smsc_bind *b, struct outgoing *msg)
{
    list_add(b, msg);
    struct sms_split split;
    bool good = !sms_split_as(&split, msg->text, b->conf.long_as);
    msg->segments = msg->waiting = good ? sms_pdus(&split) : 0;
    msg->billed = good ? split.count / msg->segments : 0;
    msg->ref = ++b->last_ref;
    if (!good)
        refuse(msg, ESME_RINVMSGLEN, false);
    else if (!b->up)
        msg->lost = true;               /* the link went while it was in the inbox */
    if (msg->lost || msg->refused)
        end_if_over(b, msg);
    else
        bind_out_pump(b);
}

/* -- answers -------------------------------------------------------------------------------------------------------- */

/* Too busy: everybody waits, then one at a time until it takes one. What was sent meanwhile may overtake. */
static void back_off(struct smsc_bind *b)
{
    if (b->paced && b->window == 1)
        return;                         /* others of the same window were refused with it */
    int64_t next = b->back_off_us ? 2 * b->back_off_us : BACK_OFF_US;
    b->back_off_us = next < BACK_OFF_MAX_US ? next : BACK_OFF_MAX_US;
    b->window = 1;
    pace(b, jittered(b->back_off_us));
}

static void open_window(struct smsc_bind *b)
{
    b->back_off_us = 0;
    b->window = 2 * b->window < b->conf.window ? 2 * b->window : b->conf.window;
}

static void taken(struct smsc_bind *b, struct outgoing *msg, unsigned segment, struct str remote_id)
{
    metric_add(&submitted, 1);
    msg->state[segment] = SEGMENT_TAKEN;
    open_window(b);
    bind_tell(b, &(struct carrier_news){ .kind = CARRIER_SUBMITTED, .message = msg->message, .segment = segment,
                                         .segments = msg->segments, .billed = msg->billed, .remote_id = remote_id });
}

static void refused(struct smsc_bind *b, struct outgoing *msg, unsigned segment, uint32_t status)
{
    bool busy = status == ESME_RTHROTTLED || status == ESME_RMSGQFUL;
    bool passing = status == ESME_RSYSERR || status == ESME_RX_T_APPN;
    if (busy || (passing && ++msg->tries < TRIES_MAX)) {
        metric_add(&throttled, 1);
        wait_again(b, msg, segment);
        back_off(b);
        return;
    }
    log_info("smpp", "%s: submit_sm refused, %s (0x%08x)", b->name, smpp_status_name(status), status);
    refuse(msg, status, passing);
}

void bind_out_answer(struct smsc_bind *b, uint64_t tag, enum err err, const struct smpp_pdu *answer)
{
    struct flight *f = &b->flights[tag];
    struct outgoing *msg = f->msg;
    unsigned segment = f->segment;
    *f = (struct flight){ .next_free = b->free_flight };
    b->free_flight = (int)tag;
    msg->under_way--;
    if (err)
        msg->lost = true;
    else if (answer->status == ESME_ROK && answer->command == SMPP_submit_sm_resp)
        taken(b, msg, segment, answer->sm_resp.message_id);
    else
        refused(b, msg, segment, answer->status ? answer->status : ESME_RUNKNOWNERR);
    if (err == ERR_CLOSED)
        return;                         /* told by bind_out_lose_all(), after CARRIER_DOWN and in order */
    end_if_over(b, msg);
    bind_out_pump(b);
}

/* -- the end of the link -------------------------------------------------------------------------------------------- */
void bind_out_lose_waiting(struct smsc_bind *b)
{
    for (struct outgoing *msg = b->oldest, *newer; msg; msg = newer) {
        newer = msg->newer;
        if (!msg->waiting)
            continue;
        msg->lost = true;
        end_if_over(b, msg);
    }
}

void bind_out_lose_all(struct smsc_bind *b)
{
    loop_timer_stop(&b->pace);
    b->paced = false;
    while (b->oldest) {
        assert(!b->oldest->under_way);              /* the session told each before its end */
        b->oldest->lost = !b->oldest->refused;      /* refused is final, whatever the others would have said */
        end_if_over(b, b->oldest);
    }
}

void bind_out_free(struct smsc_bind *b)
{
    while (b->oldest) {
        struct outgoing *msg = b->oldest;
        b->oldest = msg->newer;
        free(msg);
    }
}
