/* esme_asked.c - query_sm, cancel_sm, replace_sm of customers' ESMEs (SMPP 3.4, 4.8 to 4.10). */
#include "edge/smpp/esme_priv.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "codec/gsm7/gsm7.h"
#include "domain/messages/esmes.h"

/* On its way to control and back. */
struct asked {
    struct inbox_item   item;
    struct esme_server *server;
    uint64_t            link, resource;
    uint32_t            command, sequence, status;
    struct sms_named    named;
    char                id[66], from[SMPP_NUMBER_SIZE], to[SMPP_NUMBER_SIZE], date[SMPP_TIME_SIZE];
    struct buf          text;           /* replace_sm */
    int                 registered, state;
    uint32_t            error;
};

static void asked_free(struct asked *a)
{
    buf_done(&a->text);
    free(a);
}

static void drop_asked(struct inbox_item *item)
{
    asked_free(container_of(item, struct asked, item));
}

static void reply(struct esme_link *l, const struct asked *a)
{
    enum { ERROR_MOST = 255 };
    struct smpp_pdu resp;
    memset(&resp, 0, sizeof resp);
    resp.command = smpp_resp_to(a->command);
    resp.sequence = a->sequence;
    resp.status = a->status;
    if (a->command == SMPP_query_sm) {
        resp.query_resp.message_id = str_of(a->id);
        resp.query_resp.final_date = str_of(a->date);
        resp.query_resp.message_state = (uint8_t)a->state;
        resp.query_resp.error_code = (uint8_t)(a->error < ERROR_MOST ? a->error : ERROR_MOST);
    }
    smpp_session_reply(l->session, &resp);
}

static void on_told(void *owner, struct inbox_item *item)
{
    struct asked *a = container_of(item, struct asked, item);
    struct esme_link *l = esme_link_find(owner, a->link);
    if (l)
        reply(l, a);
    asked_free(a);
}

static const struct inbox_kind told_kind = { "esmes.told", on_told, drop_asked };

static void tell(struct asked *a, uint32_t status)              /* control */
{
    a->status = status;
    a->item.kind = &told_kind;
    inbox_post_always(loop_inbox(a->server->loop), &a->item);
}

static uint32_t status_of(const struct asked *a, enum err err)
{
    if (!err)
        return ESME_ROK;
    if (err == ERR_ABSENT)
        return ESME_RINVMSGID;
    if (err == ERR_BUSY)
        return ESME_RTHROTTLED;
    if (err == ERR_NOMEM || err == ERR_STORE)
        return ESME_RSYSERR;
    if (err == ERR_SIZE)
        return ESME_RINVMSGLEN;
    return a->command == SMPP_query_sm ? ESME_RQUERYFAIL : a->command == SMPP_cancel_sm ? ESME_RCANCELFAIL : ESME_RREPLACEFAIL;
}

static void on_queried(void *arg, enum err err, int state, int64_t final_us, uint32_t error)
{
    struct asked *a = arg;
    a->state = state;
    a->error = error;
    if (!err && final_us)
        smpp_time_write(a->date, final_us);
    tell(a, status_of(a, err));
}

static void on_changed(void *arg, enum err err)
{
    tell(arg, status_of(arg, err));
}

static void on_asked(void *owner, struct inbox_item *item)      /* control */
{
    (void)owner;
    struct asked *a = container_of(item, struct asked, item);
    struct messages *m = a->server->conf.messages;
    enum err err = a->command == SMPP_query_sm    ? messages_query(m, &a->named, on_queried, a)
                   : a->command == SMPP_cancel_sm ? messages_cancel(m, &a->named, on_changed, a)
                                                  : messages_replace(m, &a->named, buf_str(&a->text), a->registered, on_changed, a);
    if (err)
        tell(a, status_of(a, err));
}

static const struct inbox_kind asked_kind = { "esmes.asked", on_asked, drop_asked };

static void name(struct asked *a, struct str id, uint8_t ton, struct str from)
{
    str_copyz(a->id, sizeof a->id, id);
    smpp_addr_number(a->from, ton, from);
}

/* @return ESME_ROK, or what is wrong with it */
static uint32_t read_replace(struct asked *a, const struct smpp_replace *r, int64_t now_us)
{
    int64_t at_us;
    name(a, r->message_id, r->source_addr_ton, r->source_addr);
    a->registered = r->registered_delivery;
    if (r->sm_default_msg_id)
        return ESME_RINVDFTMSGID;
    if (r->schedule_delivery_time.n && (smpp_time_read(r->schedule_delivery_time, now_us, &at_us) || at_us > now_us))
        return ESME_RINVSCHED;
    if (r->validity_period.n)
        return ESME_RINVEXPIRY;         /* it stays as it was */
    sms_text_read(&a->text, SMS_GSM7, r->short_message.p, r->short_message.n);   /* 4.10: replace_sm has no data_coding */
    return a->text.bad ? ESME_RSYSERR : ESME_ROK;
}

static uint32_t read_asked(struct asked *a, const struct smpp_pdu *pdu, int64_t now_us)
{
    switch (pdu->command) {
    case SMPP_query_sm:
        name(a, pdu->query.message_id, pdu->query.source_addr_ton, pdu->query.source_addr);
        return ESME_ROK;
    case SMPP_cancel_sm:
        name(a, pdu->cancel.message_id, pdu->cancel.source_addr_ton, pdu->cancel.source_addr);
        smpp_addr_number(a->to, pdu->cancel.dest_addr_ton, pdu->cancel.destination_addr);
        return pdu->cancel.message_id.n ? ESME_ROK : ESME_RCANCELFAIL;      /* by addresses alone: not served */
    default:
        return read_replace(a, &pdu->replace, now_us);
    }
}

void esme_asked(struct esme_link *l, const struct smpp_pdu *pdu)
{
    struct esme_server *s = l->server;
    struct asked *a = calloc(1, sizeof *a);
    if (!a) {
        smpp_session_answer(l->session, pdu->command, pdu->sequence, ESME_RSYSERR, STR(""));
        return;
    }
    *a = (struct asked){ .item.kind = &asked_kind, .server = s, .link = l->id, .command = pdu->command, .sequence = pdu->sequence };
    a->status = read_asked(a, pdu, clock_product_us(s->conf.control->clock));
    a->named = (struct sms_named){ .resource = l->customer->resource, .id = str_of(a->id), .from = str_of(a->from), .to = str_of(a->to) };
    if (!a->status && inbox_post(control_inbox(s->conf.control), &a->item) == ERR_NONE)
        return;
    if (!a->status)
        a->status = ESME_RTHROTTLED;
    reply(l, a);
    asked_free(a);
}
