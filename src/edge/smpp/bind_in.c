/* bind_in.c - receipts and messages from the SMSC: told to the domain, answered when they are safe. */
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "edge/smpp/bind_priv.h"

METRIC_COUNTER(receipts, "carterfone_smpp_receipts_total", "Delivery receipts received")
METRIC_COUNTER(nameless, "carterfone_smpp_receipts_without_id_total", "Delivery receipts that name no message")
METRIC_COUNTER(inbound, "carterfone_smpp_inbound_total", "Messages received, whole")
METRIC_COUNTER(partial, "carterfone_smpp_inbound_partial_total", "Messages told without parts that never came")
METRIC_COUNTER(released, "carterfone_smpp_parts_answered_early_total", "Parts answered before their message was whole")
METRIC_COUNTER(put_back, "carterfone_smpp_inbound_put_back_total", "deliver_sm answered ESME_RX_T_APPN, to come again")

static void answer(struct smsc_bind *b, uint64_t handle, uint32_t status)
{
    metric_add(&put_back, status == ESME_RX_T_APPN);
    if (b->session)
        smpp_session_answer(b->session, handle & DATA_SM ? SMPP_data_sm : SMPP_deliver_sm, (uint32_t)handle, status, STR(""));
}

static uint64_t handle_of(const struct smpp_pdu *pdu)
{
    return pdu->sequence | (pdu->command == SMPP_data_sm ? DATA_SM : 0);
}

static const int64_t QUIET_US = US_PER_S;

/* -- what waits to be settled --------------------------------------------------------------------------------------- */

/* @return the token, or 0 when out of memory */
static uint64_t hold(struct smsc_bind *b, const uint64_t *handles, size_t n)
{
    struct held *h = malloc(sizeof *h + n * sizeof h->handle[0]);
    if (!h)
        return 0;
    h->n = n;
    for (size_t i = 0; i < n; i++)
        h->handle[i] = handles[i];
    if (map_put(b->held, ++b->last_token, h)) {
        free(h);
        return 0;
    }
    return b->last_token;
}

static void release(struct smsc_bind *b, struct held *h, uint32_t status)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->handle[i])
            answer(b, h->handle[i], status);
    free(h);
}

void bind_in_settle(struct smsc_bind *b, uint64_t token, enum err err)
{
    struct held *h = map_take(b->held, token);
    if (h)                              /* none: it came by a link that is gone; the SMSC will send it again */
        release(b, h, err ? ESME_RX_T_APPN : ESME_ROK);
}

static void forget_part(void *arg, const struct sms_part *part)
{
    (void)arg, (void)part;             /* of a link that is gone */
}

void bind_in_clear(struct smsc_bind *b)
{
    uint64_t token;
    void *h;
    for (size_t at = 0; map_next(b->held, &at, &token, &h); at = 0)     /* from the start: taking moves the others */
        free(map_take(b->held, token));
    if (!b->joiner)                     /* half made: it never had a link */
        return;
    loop_timer_stop(&b->quiet);
    if (b->early || b->released)        /* what was answered early will not come again: it stays, the others come twice */
        sms_joiner_release(b->joiner, forget_part, b);
    else
        sms_joiner_clear(b->joiner);
}

/* Tell it with a token; when that fails, have it sent again. */
static void tell_held(struct smsc_bind *b, struct carrier_news *news, const uint64_t *handles, size_t n)
{
    news->token = hold(b, handles, n);
    if (news->token && bind_tell(b, news))
        return;
    if (news->token)
        free(map_take(b->held, news->token));
    for (size_t i = 0; i < n; i++)
        if (handles[i])
            answer(b, handles[i], ESME_RX_T_APPN);
}

/* -- receipts ------------------------------------------------------------------------------------------------------- */
static void on_receipt(struct smsc_bind *b, const struct smpp_pdu *pdu)
{
    static const enum carrier_state states[] = {
        [SMPP_ENROUTE] = RECEIPT_ENROUTE, [SMPP_DELIVERED] = RECEIPT_DELIVERED, [SMPP_EXPIRED] = RECEIPT_EXPIRED,
        [SMPP_DELETED] = RECEIPT_DELETED, [SMPP_UNDELIVERABLE] = RECEIPT_UNDELIVERABLE,
        [SMPP_ACCEPTED] = RECEIPT_ACCEPTED, [SMPP_UNKNOWN] = RECEIPT_UNKNOWN, [SMPP_REJECTED] = RECEIPT_REJECTED,
    };
    struct smpp_receipt r;
    char from[SMPP_NUMBER_SIZE], to[SMPP_NUMBER_SIZE];
    const uint64_t handle = handle_of(pdu);
    scoped_buf tlvs = { 0 };
    metric_add(&receipts, 1);
    if (smpp_receipt_read(&r, pdu)) {
        metric_add(&nameless, 1);
        log_warn("smpp", "%s: a receipt that names no message", b->name);
        answer(b, handle, ESME_ROK);     /* it would say no more the next time */
        return;
    }
    smpp_further_words(&tlvs, pdu);
    smpp_addr_number(from, pdu->sm.source_addr_ton, pdu->sm.source_addr);
    smpp_addr_number(to, pdu->sm.dest_addr_ton, pdu->sm.destination_addr);
    struct carrier_news news = { .kind = CARRIER_RECEIPT, .remote_id = r.id, .state = states[r.state], .status = r.err,
                                 .opted_out = r.state != SMPP_DELIVERED && bind_error_is_optout(&b->conf, r.err),
                                 .from = str_of(from), .to = str_of(to), .tlvs = buf_str(&tlvs) };
    tell_held(b, &news, &handle, 1);
}

/* -- messages ------------------------------------------------------------------------------------------------------- */
/* @param last  its TLVs are told, as those of the whole; NULL: none */
static void tell_whole(struct smsc_bind *b, const struct sms_whole *whole, const uint64_t *handles, size_t n, const struct smpp_pdu *last)
{
    scoped_buf tlvs = { 0 };
    if (last)
        smpp_further_words(&tlvs, last);
    struct carrier_news news = { .kind = CARRIER_INBOUND, .from = whole->from, .to = whole->to, .text = whole->text,
                                 .segments = whole->parts, .tlvs = buf_str(&tlvs) };
    if (whole->total > 1 && (b->early || b->released))
        news.part = (struct carrier_part){ whole->ref, (uint8_t)whole->total, 0 };
    metric_add(&inbound, 1);
    tell_held(b, &news, handles, n);
}

/* Kept first, as it will not come again once it is answered: the digit of its alphabet, and its octets in hexadecimal. */
static void keep_part(struct smsc_bind *b, const struct sms_part *part)
{
    scoped_buf body = { 0 };
    buf_printf(&body, "%u", (unsigned)part->alphabet);
    char *hex = buf_room(&body, 2 * part->octets.n + 1);
    if (!hex) {
        answer(b, part->handle, ESME_RX_T_APPN);
        return;
    }
    hex_write(hex, part->octets.p, part->octets.n);
    body.n += 2 * part->octets.n;
    struct carrier_news news = { .kind = CARRIER_PART, .from = str_of(part->from), .to = str_of(part->to), .text = buf_str(&body),
                                 .part = { part->concat.ref, part->concat.total, part->concat.part } };
    tell_held(b, &news, &part->handle, 1);
}

static void wait_for_parts(struct smsc_bind *b)
{
    int64_t wait_us = sms_joiner_wait_us(b->joiner, clock_mono());
    if (wait_us >= 0)
        loop_timer_start(&b->join, wait_us);
}

/* Better a message with a hole than none: after this long the SMSC has given up on our answer, too. */
void bind_in_overdue(void *arg)
{
    struct smsc_bind *b = arg;
    struct sms_whole whole;
    while (sms_joiner_overdue(b->joiner, clock_mono(), &whole)) {
        metric_add(&partial, 1);
        log_warn("smpp", "%s: %u of %u parts came in time", b->name, whole.parts, whole.total);
        tell_whole(b, &whole, whole.handles, whole.n_handles, NULL);
    }
    wait_for_parts(b);
}

/* Nothing has come for a while, and parts wait for others: does the SMSC, which may have one deliver_sm under way at a time, wait
 * for our answer? Then its part is kept, and answered. The joiner has been there since bind_new(), and is as long as the
 * bind. */
static void release_part(void *arg, const struct sms_part *part)
{
    metric_add(&released, 1);
    keep_part(arg, part);
}

void bind_in_quiet(void *arg)
{
    struct smsc_bind *b = arg;
    if (sms_joiner_wait_us(b->joiner, clock_mono()) < 0)
        return;
    b->released = true;
    b->released_at = clock_mono();
    sms_joiner_release(b->joiner, release_part, b);
}

/* The rest came as soon as the first was answered, not merely later: from now on this SMSC need not wait. */
static void learn(struct smsc_bind *b, const struct sms_whole *whole)
{
    if (!b->released || b->early || whole->handles[0] || clock_mono().us - b->released_at.us > QUIET_US)
        return;
    b->early = true;
    log_info("smpp", "%s: it sends one deliver_sm at a time; parts of long messages are answered as they come", b->name);
}

static void on_message(struct smsc_bind *b, const struct smpp_pdu *pdu)
{
    struct sms_part part;
    struct sms_whole whole;
    const uint64_t handle = handle_of(pdu);
    bool early = b->early;
    if (sms_part_read(&part, pdu)) {
        log_warn("smpp", "%s: deliver_sm with a broken user data header", b->name);
        answer(b, handle, ESME_RX_P_APPN);
        return;
    }
    part.handle = early ? 0 : handle;
    if (sms_joiner_put(b->joiner, clock_mono(), &part, &whole)) {
        answer(b, handle, ESME_RX_T_APPN);
        return;
    }
    if (whole.parts && early)
        tell_whole(b, &whole, &handle, 1, pdu);
    else if (whole.parts)
        tell_whole(b, &whole, whole.handles, whole.n_handles, pdu);
    part.handle = handle;
    if (!whole.parts && early)
        keep_part(b, &part);
    if (!whole.parts) {
        wait_for_parts(b);
        loop_timer_start(&b->quiet, QUIET_US);
    } else {
        learn(b, &whole);
    }
}

void bind_in_recall(struct smsc_bind *b, const struct sms_part *part)
{
    struct sms_whole whole;
    b->released = true;
    if (sms_joiner_put(b->joiner, clock_mono(), part, &whole)) {
        log_error("smpp", "%s: a part that was kept cannot be taken up", b->name);
        return;
    }
    if (whole.parts)
        tell_whole(b, &whole, whole.handles, whole.n_handles, NULL);
    wait_for_parts(b);
}

void bind_in_request(struct smsc_bind *b, const struct smpp_pdu *pdu)
{
    if (smpp_is_receipt(pdu))
        on_receipt(b, pdu);
    else
        on_message(b, pdu);
}
