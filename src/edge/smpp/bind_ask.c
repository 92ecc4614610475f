/* bind_ask.c - what an SMSC is asked about messages that it has: cancel_sm, query_sm, replace_sm (SMPP 3.4, 4.8 to 4.10).
 *
 * They share window and rate with submits and go before them, one after another in the order of asking, at most a quarter of the
 * window at once: an SMSC that does not answer them must not keep texts from leaving. Each has its answer told once:
 * the SMSC's, or that none came. */
#include "base/clock.h"
#include "base/metric.h"
#include "base/str.h"
#include "edge/smpp/bind_priv.h"

#include <stdlib.h>

METRIC_COUNTER(asked_total, "carterfone_smpp_asked_total", "cancel_sm, query_sm and replace_sm sent to SMSCs")
METRIC_COUNTER(unanswered_total, "carterfone_smpp_asked_unanswered_total", "Of these, those that no answer came to")

static void tell(struct smsc_bind *b, const struct bind_ask *a, struct carrier_news news)
{
    news.kind = CARRIER_ANSWERED;
    news.verb = a->verb;
    news.message = a->message;
    news.segment = a->segment;
    news.remote_id = a->remote_id;
    metric_add(&unanswered_total, news.status == CARRIER_NO_ANSWER);
    bind_tell(b, &news);
}

static void list_take(struct bind_ask **list, const struct bind_ask *a)
{
    while (*list != a)
        list = &(*list)->next;
    *list = a->next;
}

static void end(struct smsc_bind *b, struct bind_ask *a, struct carrier_news news)
{
    tell(b, a, news);
    free(a);
    atomic_fetch_sub(&b->asks_n, 1);
}

/* -- sending -------------------------------------------------------------------------------------------------------------- */

/* replace_sm cannot say its data_coding: the text is in the alphabet of the one before, as control has seen to. */
static enum err replace_fill(struct smpp_replace *r, const struct bind_ask *a, uint8_t octets[SMS_SEGMENT_OCTETS])
{
    struct smpp_addr from = smpp_addr_of(a->from);
    struct wr w = wr_of(octets, SMS_SEGMENT_OCTETS);
    enum err err = sms_text_write(&w, gsm7_fits(a->text) ? SMS_GSM7 : SMS_UCS2, a->text);
    *r = (struct smpp_replace){ .message_id = a->remote_id, .source_addr_ton = from.ton, .source_addr_npi = from.npi,
                                .source_addr = from.addr, .registered_delivery = 1,
                                .short_message = { (const char *)octets, wr_len(&w) } };
    return err;
}

static enum err fill(struct smpp_pdu *pdu, const struct bind_ask *a, uint8_t octets[SMS_SEGMENT_OCTETS])
{
    struct smpp_addr from = smpp_addr_of(a->from), to = smpp_addr_of(a->to);
    switch (a->verb) {
    case CARRIER_CANCEL:
        pdu->command = SMPP_cancel_sm;
        pdu->cancel = (struct smpp_cancel){ .message_id = a->remote_id, .source_addr_ton = from.ton, .source_addr_npi = from.npi,
                                            .source_addr = from.addr, .dest_addr_ton = to.ton, .dest_addr_npi = to.npi,
                                            .destination_addr = to.addr };
        return ERR_NONE;
    case CARRIER_QUERY:
        pdu->command = SMPP_query_sm;
        pdu->query = (struct smpp_query){ .message_id = a->remote_id, .source_addr_ton = from.ton, .source_addr_npi = from.npi,
                                          .source_addr = from.addr };
        return ERR_NONE;
    case CARRIER_REPLACE:
        pdu->command = SMPP_replace_sm;
        return replace_fill(&pdu->replace, a, octets);
    }
    return ERR_RANGE;
}

static enum err send(struct smsc_bind *b, const struct bind_ask *a)
{
    uint8_t octets[SMS_SEGMENT_OCTETS];
    struct smpp_pdu pdu;
    memset(&pdu, 0, sizeof pdu);
    enum err err = fill(&pdu, a, octets);
    return err ? err : smpp_session_send(b->session, &pdu, BIND_ASK_TAG | (uint64_t)(uintptr_t)a);
}

static bool has_room(const struct smsc_bind *b)
{
    unsigned most = b->window / 4 ? b->window / 4 : 1;
    return b->session && smpp_session_is_up(b->session) && b->asked_n < most && smpp_session_under_way(b->session) < b->window;
}

void bind_ask_pump(struct smsc_bind *b)
{
    int64_t wait_us;
    while (b->asks && !b->paced && has_room(b)) {
        struct bind_ask *a = b->asks;
        if (!pacer_take(&b->pacer, clock_mono(), &wait_us)) {
            bind_out_pace(b, wait_us);
            return;
        }
        enum err err = send(b, a);
        if (err == ERR_BUSY || err == ERR_CLOSED)
            return;
        list_take(&b->asks, a);
        if (err) {                      /* what SMPP cannot say */
            end(b, a, (struct carrier_news){ .status = ESME_RINVMSGID });
            continue;
        }
        metric_add(&asked_total, 1);
        a->next = b->asked;
        b->asked = a;
        b->asked_n++;
    }
}

void bind_ask_take(struct smsc_bind *b, struct bind_ask *a)
{
    struct bind_ask **last = &b->asks;
    if (!b->session || !smpp_session_is_up(b->session)) {       /* the link went while it was in the inbox */
        end(b, a, (struct carrier_news){ .status = CARRIER_NO_ANSWER });
        return;
    }
    while (*last)
        last = &(*last)->next;
    a->next = NULL;
    *last = a;
    bind_ask_pump(b);
}

/* -- answers -------------------------------------------------------------------------------------------------------------- */

static const enum carrier_state states[] = {
    [0] = RECEIPT_UNKNOWN, [SMPP_ENROUTE] = RECEIPT_ENROUTE, [SMPP_DELIVERED] = RECEIPT_DELIVERED, [SMPP_EXPIRED] = RECEIPT_EXPIRED,
    [SMPP_DELETED] = RECEIPT_DELETED, [SMPP_UNDELIVERABLE] = RECEIPT_UNDELIVERABLE, [SMPP_ACCEPTED] = RECEIPT_ACCEPTED,
    [SMPP_UNKNOWN] = RECEIPT_UNKNOWN, [SMPP_REJECTED] = RECEIPT_REJECTED,
};

void bind_ask_answer(struct smsc_bind *b, uint64_t tag, enum err err, const struct smpp_pdu *answer)
{
    struct bind_ask *a = (struct bind_ask *)(uintptr_t)(tag & ~BIND_ASK_TAG);
    struct carrier_news news = { .status = err ? CARRIER_NO_ANSWER : answer->status };
    scoped_buf tlvs = { 0 };
    list_take(&b->asked, a);
    b->asked_n--;
    if (!err)
        smpp_further_words(&tlvs, answer);
    news.tlvs = buf_str(&tlvs);
    if (!err && answer->command == SMPP_generic_nack && !news.status)
        news.status = ESME_RUNKNOWNERR;
    if (!news.status && a->verb == CARRIER_QUERY) {
        unsigned state = answer->query_resp.message_state;
        news.state = state < ARRAY_LEN(states) ? states[state] : RECEIPT_UNKNOWN;
        news.error = answer->query_resp.error_code;
        news.opted_out = news.state != RECEIPT_DELIVERED && bind_error_is_optout(&b->conf, news.error);
    }
    end(b, a, news);
    if (err != ERR_CLOSED)
        bind_out_pump(b);
}

void bind_ask_lose_all(struct smsc_bind *b)
{
    while (b->asks) {
        struct bind_ask *a = b->asks;
        b->asks = a->next;
        end(b, a, (struct carrier_news){ .status = CARRIER_NO_ANSWER });
    }
}

static void free_list(struct bind_ask *a)
{
    for (struct bind_ask *next; a; a = next) {
        next = a->next;
        free(a);
    }
}

void bind_ask_free(struct smsc_bind *b)
{
    free_list(b->asks);
    free_list(b->asked);
    b->asks = b->asked = NULL;
}
