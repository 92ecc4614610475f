/* bind_out.c - messages out: queue, segments, window, rate, back-off, and what became of them. */
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "edge/smpp/bind_priv.h"

#include <stdio.h>

enum { TRIES_MAX = 5, SILENCES_MOST = 10, VALIDITY_MAX_S = 30 * 86400, VALIDITY_SIZE = 17 };
static const int64_t PASSING_US = 100 * US_PER_MS;     /* before the second try of what fails in passing; doubles */

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
    pairs_join(b->pairs, &msg->pair);
    if (!b->next_out)
        b->next_out = msg;
}

/* It may leave now: look at it before all that were submitted later. */
static void wake(struct smsc_bind *b, struct outgoing *msg)
{
    if (!b->next_out || msg->order < b->next_out->order)
        b->next_out = msg;
}

static void later_drop(struct smsc_bind *b, struct outgoing *msg)
{
    struct outgoing **at = &b->laters;
    if (!msg->not_before_us)
        return;
    while (*at != msg)
        at = &(*at)->next_later;
    *at = msg->next_later;
    msg->not_before_us = 0;
}

/* Ends a message; tells of room when the control thread waits for it and half of it is there. */
static void list_drop(struct smsc_bind *b, struct outgoing *msg)
{
    if (b->next_out == msg)
        b->next_out = msg->newer;
    *(msg->older ? &msg->older->newer : &b->oldest) = msg->newer;
    *(msg->newer ? &msg->newer->older : &b->newest) = msg->older;
    struct paired *next = pairs_leave(b->pairs, &msg->pair);
    if (next)
        wake(b, container_of(next, struct outgoing, pair));
    later_drop(b, msg);
    buf_done(&msg->tlvs);
    free(msg);
    unsigned left = atomic_fetch_sub(&b->admitted, 1) - 1;
    if (left <= b->room / 2 && b->up && atomic_exchange(&b->wants_room, false))
        bind_tell(b, &(struct carrier_news){ .kind = CARRIER_ROOM });
}

static bool may_leave(const struct smsc_bind *b, const struct outgoing *msg)
{
    return msg->waiting && !msg->lost && !msg->refused && !msg->not_before_us && pairs_is_first(b->pairs, &msg->pair);
}

static struct outgoing *next_waiting(struct smsc_bind *b)
{
    while (b->next_out && !may_leave(b, b->next_out))
        b->next_out = b->next_out->newer;
    return b->next_out;
}

/* A segment goes back where it was: before everything that was submitted later. */
static void wait_again(struct smsc_bind *b, struct outgoing *msg, unsigned segment)
{
    msg->state[segment] = SEGMENT_WAITS;
    msg->waiting++;
    wake(b, msg);
}

/* No other carrier may be asked, whatever becomes of its other segments. */
static bool is_refused_for_good(const struct outgoing *msg)
{
    return msg->refused && !msg->transient;
}

/* The last word on a message, once nothing of it is under way. */
static void end_if_over(struct smsc_bind *b, struct outgoing *msg)
{
    if (msg->under_way || (msg->waiting && !msg->lost && !msg->refused))
        return;
    if (msg->lost && !is_refused_for_good(msg)) {       /* refused for now: a segment may have arrived */
        metric_add(&lost_total, 1);
        bind_tell(b, &(struct carrier_news){ .kind = CARRIER_LOST, .message = msg->message, .may_have_it = msg->may_have_it, .busy = msg->busy });
    } else if (msg->refused) {
        metric_add(&refused_total, 1);
        bind_tell(b, &(struct carrier_news){ .kind = CARRIER_REFUSED, .message = msg->message, .status = msg->refused,
                                             .transient = msg->transient, .opted_out = msg->opted_out, .tlvs = buf_str(&msg->tlvs),
                                             .busy = msg->busy });
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

/* Its text is a message_payload, whatever its length; how long it is of use is qos_time_to_live (SMPP 3.4, 5.3.2.9).
 * @param octets  room for its further TLVs */
static void as_data_sm(struct smpp_pdu *pdu, uint32_t validity_s, uint8_t *octets, size_t n)
{
    enum { QOS_TIME_TO_LIVE = 0x0017 };
    struct wr w = wr_of(octets, n);
    pdu->command = SMPP_data_sm;
    if (!pdu->tlvs.has_message_payload) {
        pdu->tlvs.message_payload = pdu->sm.short_message;
        pdu->tlvs.has_message_payload = true;
    }
    if (!validity_s)
        return;
    wr_put(&w, pdu->more_tlvs.p, pdu->more_tlvs.n);
    wr_u16(&w, QOS_TIME_TO_LIVE);
    wr_u16(&w, sizeof validity_s);
    wr_u32(&w, validity_s);
    pdu->more_tlvs = (struct str){ (const char *)octets, wr_len(&w) };
}

static enum err send_segment(struct smsc_bind *b, struct outgoing *msg, unsigned segment)
{
    struct sms_split split;
    uint8_t octets[SMS_WHOLE_OCTETS], further[SMPP_TLVS_MOST + 8];
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
    if (split.alphabet == SMS_GSM7)
        pdu.sm.data_coding = b->conf.data_coding;
    pdu.more_tlvs = (struct str){ (const char *)b->conf.tlvs, b->conf.tlvs_n };
    if (b->conf.by_data_sm)
        as_data_sm(&pdu, msg->validity_s, further, sizeof further);
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

void bind_out_pace(struct smsc_bind *b, int64_t wait_us)
{
    b->paced = true;
    loop_timer_start(&b->pace, wait_us);
}

void bind_out_pump(struct smsc_bind *b)
{
    struct outgoing *msg;
    int64_t wait_us;
    bind_ask_pump(b);
    while (b->session && b->up && !b->paced && (msg = next_waiting(b))) {
        if (b->free_flight < 0 || smpp_session_under_way(b->session) >= b->window)
            return;
        if (!pacer_take(&b->pacer, clock_mono(), &wait_us)) {
            bind_out_pace(b, wait_us);
            return;
        }
        if (!send_next(b, msg))
            return;
    }
}

void bind_out_take(struct smsc_bind *b, struct outgoing *msg)
{
    msg->ref = ++b->last_ref;
    msg->pair.pair = pair_of(msg->from, msg->to);
    list_add(b, msg);
    struct sms_split split;
    bool good = !sms_split_as(&split, msg->text, b->conf.long_as);
    msg->segments = msg->waiting = good ? sms_pdus(&split) : 0;
    msg->billed = good ? split.count / msg->segments : 0;
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

/* One message waits by itself; those of other pairs go on. */
static void go_later(struct smsc_bind *b, struct outgoing *msg, int64_t wait_us)
{
    int64_t at_us = clock_mono().us + jittered(wait_us);
    if (!msg->not_before_us) {
        msg->next_later = b->laters;
        b->laters = msg;
    }
    if (at_us > msg->not_before_us)
        msg->not_before_us = at_us;
    bind_out_later(b);
}

/* Those whose moment has come; the timer runs to the next. */
void bind_out_later(void *bind)
{
    struct smsc_bind *b = bind;
    int64_t now = clock_mono().us, next = INT64_MAX;
    bool woken = false;
    for (struct outgoing **at = &b->laters; *at;) {
        struct outgoing *msg = *at;
        if (msg->not_before_us > now) {
            next = msg->not_before_us < next ? msg->not_before_us : next;
            at = &msg->next_later;
            continue;
        }
        *at = msg->next_later;
        msg->not_before_us = 0;
        wake(b, msg);
        woken = true;
    }
    if (b->laters)
        loop_timer_start(&b->later, next - now);
    if (woken)
        bind_out_pump(b);
}

/* Give back what nothing of has left: others may carry it. What has left in part is finished here. */
void bind_out_call_back(struct smsc_bind *b, struct str from, struct str to)
{
    for (struct outgoing *msg = b->oldest, *newer; msg; msg = newer) {
        newer = msg->newer;
        if (msg->waiting != msg->segments || (from.n && (!str_eq(msg->from, from) || !str_eq(msg->to, to))))
            continue;
        msg->lost = true;
        end_if_over(b, msg);
    }
}

static void stop_all(struct smsc_bind *b, int64_t wait_us)
{
    b->window = 1;
    b->stopped = true;
    bind_out_pace(b, jittered(wait_us));
}

/* Not inside an answer's own work: that message may be among those that go. */
static void stall(struct smsc_bind *b)
{
    log_warn("smpp", "%s: it takes nothing", b->name);
    b->stalled = true;
    b->up = false;
    bind_tell(b, &(struct carrier_news){ .kind = CARRIER_STALLED });
    bind_out_call_back(b, STR(""), STR(""));
}

void bind_out_resume(struct smsc_bind *b)
{
    b->paced = b->stopped = false;
    if (b->stalled && !b->edge->stopping) {
        b->stalled = false;
        b->up = true;
        bind_tell(b, &(struct carrier_news){ .kind = CARRIER_UP });
    }
    bind_out_pump(b);
}

/* The link stands, but of all that it was sent in the time that one answer may take none had one. Left alone for as long, then for
 * longer: what goes first then is what it did not answer. */
static void leave_silent(struct smsc_bind *b)
{
    if (b->stalled || clock_mono().us - b->answered.us < b->conf.answer_us)
        return;
    b->silence_us = b->silence_us ? 2 * b->silence_us : b->conf.answer_us;
    if (b->silence_us > SILENCES_MOST * b->conf.answer_us)
        b->silence_us = SILENCES_MOST * b->conf.answer_us;
    stop_all(b, b->silence_us);
    stall(b);
}

static void open_window(struct smsc_bind *b)
{
    b->window = 2 * b->window < b->conf.window ? 2 * b->window : b->conf.window;
}

/* A share of about the last hundred answers. */
static void count(_Atomic uint32_t *share, bool is)
{
    int32_t was = (int32_t)*share;
    *share = (uint32_t)(was + ((is ? 65536 : 0) - was) / 128);
}

static void health_of(struct smsc_bind *b, bool error, bool throttle)
{
    count(&b->health.errors, error);
    count(&b->health.throttles, throttle);
    b->health.under_way = b->session ? smpp_session_under_way(b->session) : 0;
    b->health.window = b->window;
    b->health.rate = pacer_rate(&b->pacer);
}

void bind_out_show(const struct smsc_bind *b, struct jw *w)
{
    const struct bind_health *h = &b->health;
    jw_time(w, "since", h->since_us);
    jw_printf(w, "errors", "%.1f %%", h->errors * 100.0 / 65536);
    jw_printf(w, "throttled", "%.1f %%", h->throttles * 100.0 / 65536);
    jw_int(w, "underWay", h->under_way);
    jw_int(w, "window", h->window);
    jw_int(w, "rate", h->rate);
    jw_int(w, "linksLost", h->losses);
    if (h->bind_status)
        jw_textz(w, "bindRefused", smpp_status_name(h->bind_status));
    const char *why = h->why;
    int64_t next_us = h->next_us;
    if (why)
        jw_textz(w, "why", why);
    if (why && next_us)
        jw_time(w, "nextAttempt", next_us);
}

/* What is told next says how often it was put off. */
static void note_busy(struct outgoing *msg, uint32_t status)
{
    int64_t now_us = clock_mono().us;
    if (!msg->busy.times++)
        msg->busy.first_us = now_us;
    msg->busy.last_us = now_us;
    msg->busy.status = status;
}

static void taken(struct smsc_bind *b, struct outgoing *msg, unsigned segment, const struct smpp_pdu *answer)
{
    scoped_buf tlvs = { 0 };
    smpp_further_words(&tlvs, answer);
    metric_add(&submitted, 1);
    msg->state[segment] = SEGMENT_TAKEN;
    pacer_taken(&b->pacer, clock_mono());
    open_window(b);
    health_of(b, false, false);
    bind_tell(b, &(struct carrier_news){ .kind = CARRIER_SUBMITTED, .message = msg->message, .segment = segment,
                                         .segments = msg->segments, .billed = msg->billed, .remote_id = answer->sm_resp.message_id,
                                         .tlvs = buf_str(&tlvs), .busy = msg->busy });
    msg->busy = (struct carrier_busy){ 0 };
}

static void refused(struct smsc_bind *b, struct outgoing *msg, unsigned segment, const struct smpp_pdu *answer)
{
    uint32_t status = answer->status ? answer->status : ESME_RUNKNOWNERR;
    enum means means = bind_means(&b->conf, status);
    bool busy = means == MEANS_BUSY, passing = means == MEANS_PASSING;
    int64_t wait_us = 0;
    health_of(b, !busy, busy);
    if (busy || (passing && ++msg->tries < TRIES_MAX)) {
        metric_add(&throttled, 1);
        note_busy(msg, status);
        wait_again(b, msg, segment);
        if (b->stopped)
            return;                     /* others of the same window were refused with it */
        if (pacer_throttled(&b->pacer, clock_mono(), ++msg->thrown_back, &wait_us) == PACER_STOP)
            stop_all(b, wait_us);
        else
            go_later(b, msg, busy ? wait_us : PASSING_US << (msg->tries - 1));
        return;
    }
    log_info("smpp", "%s: submit_sm refused, %s (0x%08x)", b->name, smpp_status_name(status), status);
    msg->opted_out |= means == MEANS_OPTED_OUT;
    if (is_refused_for_good(msg))
        return;
    refuse(msg, status, passing);
    buf_done(&msg->tlvs);
    smpp_further_words(&msg->tlvs, answer);
}

void bind_out_answer(struct smsc_bind *b, uint64_t tag, enum err err, const struct smpp_pdu *answer)
{
    struct flight *f = &b->flights[tag];
    struct outgoing *msg = f->msg;
    unsigned segment = f->segment;
    *f = (struct flight){ .next_free = b->free_flight };
    b->free_flight = (int)tag;
    msg->under_way--;
    if (!err)
        b->answered = clock_mono(), b->silence_us = 0;
    if (err)
        msg->lost = msg->may_have_it = true;
    else if (answer->status == ESME_ROK && answer->command != SMPP_generic_nack)
        taken(b, msg, segment, answer);
    else
        refused(b, msg, segment, answer);
    if (err == ERR_CLOSED)
        return;                         /* told by bind_out_lose_all(), after CARRIER_DOWN and in order */
    end_if_over(b, msg);
    if (b->stopped && !b->stalled && pacer_is_stalled(&b->pacer))
        stall(b);
    if (err == ERR_TIMEOUT)
        leave_silent(b);
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
    loop_timer_stop(&b->later);
    b->paced = b->stopped = b->stalled = false;
    while (b->oldest) {
        assert(!b->oldest->under_way);              /* the session told each before its end */
        b->oldest->lost = true;
        end_if_over(b, b->oldest);
    }
}

void bind_out_free(struct smsc_bind *b)
{
    while (b->oldest) {
        struct outgoing *msg = b->oldest;
        b->oldest = msg->newer;
        buf_done(&msg->tlvs);
        free(msg);
    }
}
