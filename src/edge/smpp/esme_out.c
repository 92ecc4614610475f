/* esme_out.c - letters to bound receivers: receipts and messages of phones as deliver_sm, a window of them on each link. A letter
 * is settled when every part of it was answered; what was not goes back to the mailbox, and comes again. */
#include "edge/smpp/esme_priv.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "domain/messages/esmes.h"
#include "domain/messages/mailbox.h"
#include "net/sms_parts.h"

#include <stdio.h>

METRIC_COUNTER(unanswered_total, "carterfone_esme_unbound_total", "ESMEs unbound since another of theirs answers and they did not")

struct parcel {
    struct inbox_item   item;           /* first: an undrained inbox frees it */
    struct esme_server *server;
    struct parcel      *next;
    struct letter       letter;         /* its texts lie behind the struct */
    char                id[GUID_SIZE];          /* receipt: of the message */
    unsigned            parts, sent, unanswered;
    uint16_t            ref;
    uint32_t            status;         /* an ESME's refusal of some part */
    bool                lost;           /* some part was not answered */
    bool                late;           /* it was not in time */
    char                bytes[];
};

/* -- settling ------------------------------------------------------------------------------------------------------- */
struct settled {
    struct inbox_item   item;
    struct esme_server *server;
    uint64_t            resource, key, message;
    enum letter_outcome outcome;
    char                words[PEER_SIZE + 48];
};

static void on_settled(void *owner, struct inbox_item *item)    /* control */
{
    (void)owner;
    struct settled *d = container_of(item, struct settled, item);
    mailbox_settle(messages_mailbox(d->server->conf.messages), d->resource, d->key, d->message, d->outcome, str_of(d->words));
    free(d);
}

static const struct inbox_kind settled_kind = { "esmes.settled", on_settled, NULL };

/* Takes the parcel. */
static void settle(struct parcel *p, enum letter_outcome outcome, const char *words)
{
    struct settled *d = malloc(sizeof *d);
    if (d) {
        *d = (struct settled){ .item.kind = &settled_kind, .server = p->server, .resource = p->letter.resource,
                               .key = p->letter.key, .message = p->letter.message, .outcome = outcome };
        str_copyz(d->words, sizeof d->words, str_of(words));
        inbox_post_always(control_inbox(p->server->conf.control), &d->item);    /* as many as the mailbox has given out */
    } else {
        log_error("smpp", "out of memory: a letter of an ESME goes again after a restart");
    }
    free(p);
}

static bool takes_letters(const struct esme_link *l, const struct customer *c)
{
    return c && l->customer == c && smpp_session_is_up(l->session) && smpp_session_may_deliver(l->session);
}

static bool is_passing(uint32_t status)
{
    return status == ESME_RTHROTTLED || status == ESME_RMSGQFUL || status == ESME_RSYSERR || status == ESME_RX_T_APPN;
}

/* Does another ESME of this customer answer what it is given? */
static bool another_answers(const struct esme_link *l)
{
    for (const struct esme_link *o = l->server->links; o; o = o->next)
        if (o != l && !o->deaf && takes_letters(o, l->customer))
            return true;
    return false;
}

static void settle_answered(struct esme_link *l, struct parcel *p)
{
    char words[PEER_SIZE + 48];
    enum letter_outcome outcome = LETTER_TAKEN;
    if (p->status)
        outcome = is_passing(p->status) ? LETTER_AGAIN : LETTER_REFUSED;
    else if (p->lost)
        outcome = p->late && !another_answers(l) ? LETTER_AGAIN : LETTER_RETURNED;
    if (p->status)
        snprintf(words, sizeof words, "%s by the ESME at %s", smpp_status_name(p->status), l->peer);
    else
        snprintf(words, sizeof words, "the ESME at %s", l->peer);
    settle(p, outcome, words);
}

/* -- sending -------------------------------------------------------------------------------------------------------- */

/* What is not printable ASCII would need an alphabet that a receipt's text has none for. */
static void add_receipt_text(struct buf *out, const struct parcel *p)
{
    char plain[32];
    size_t n = 0, at = 0;
    const struct letter *l = &p->letter;
    for (uint32_t c; n < sizeof plain && (c = utf8_next(l->text, &at)) != UINT32_MAX; n++)
        plain[n] = c >= ' ' && c < 0x7f ? (char)c : '.';
    const struct smpp_receipt r = { .id = str_of(p->id), .state = (enum smpp_state)l->state, .err = l->error };
    smpp_receipt_text_write(out, &r, l->submitted_us, l->at_us, (struct str){ plain, n });
}

static void set_addresses(struct smpp_pdu *pdu, const struct letter *l)
{
    const struct smpp_addr from = smpp_addr_of(l->from), to = smpp_addr_of(l->to);
    pdu->sm.source_addr_ton = from.ton;
    pdu->sm.source_addr_npi = from.npi;
    pdu->sm.source_addr = from.addr;
    pdu->sm.dest_addr_ton = to.ton;
    pdu->sm.dest_addr_npi = to.npi;
    pdu->sm.destination_addr = to.addr;
}

static enum err send_receipt(struct esme_link *l, struct parcel *p, struct smpp_pdu *pdu)
{
    enum { GSM_ERROR = 3 };             /* 5.3.2.31: the network is GSM */
    scoped_buf text = { 0 };
    uint8_t code[3] = { GSM_ERROR, (uint8_t)(p->letter.error >> 8), (uint8_t)p->letter.error };
    add_receipt_text(&text, p);
    pdu->sm.esm_class = ESM_RECEIPT;
    pdu->sm.short_message = buf_str(&text);
    pdu->tlvs.has_receipted_message_id = pdu->tlvs.has_message_state = true;
    pdu->tlvs.receipted_message_id = str_of(p->id);
    pdu->tlvs.message_state = (uint16_t)p->letter.state;
    if (p->letter.error) {
        pdu->tlvs.has_network_error_code = true;
        pdu->tlvs.network_error_code = (struct str){ (const char *)code, sizeof code };
    }
    if (p->letter.reference >= 0) {
        pdu->tlvs.has_user_message_reference = true;
        pdu->tlvs.user_message_reference = (uint16_t)p->letter.reference;
    }
    return text.bad ? ERR_BUSY : smpp_session_send(l->session, pdu, (uint64_t)(uintptr_t)p);
}

static enum err send_part(struct esme_link *l, struct parcel *p)
{
    struct smpp_pdu pdu;
    struct sms_split split;
    uint8_t octets[SMS_SEGMENT_OCTETS];
    memset(&pdu, 0, sizeof pdu);
    pdu.command = SMPP_deliver_sm;
    pdu.sm.short_message = STR("");
    pdu.sm.service_type = pdu.sm.schedule_delivery_time = pdu.sm.validity_period = STR("");
    set_addresses(&pdu, &p->letter);
    if (p->letter.receipt) {
        p->parts = 1;
        return send_receipt(l, p, &pdu);
    }
    enum err err = sms_split(&split, p->letter.text);
    if (err)
        return err;
    p->parts = split.count;
    if (!p->sent)
        p->ref = ++l->customer->last_ref;
    err = sms_part_fill(&pdu, octets, &split, p->letter.text, p->sent, p->ref);
    return err ? err : smpp_session_send(l->session, &pdu, (uint64_t)(uintptr_t)p);
}

static struct parcel *take_head(struct customer *c)
{
    struct parcel *p = c->head;
    if (!p)
        return NULL;
    c->head = p->next;
    if (!c->head)
        c->tail = &c->head;
    p->next = NULL;
    return p;
}

static void put_head(struct customer *c, struct parcel *p)
{
    p->next = c->head;
    if (!c->head)
        c->tail = &p->next;
    c->head = p;
}

/* One PDU more on this link. False: there is nothing to send, or no room. */
static bool step(struct esme_link *l)
{
    struct customer *c = l->customer;
    struct parcel *p = l->current ? l->current : take_head(c);
    if (!p)
        return false;
    enum err err = send_part(l, p);
    l->current = NULL;
    if (!err) {
        p->unanswered++;
        if (++p->sent < p->parts)
            l->current = p;
        return true;
    }
    if (err != ERR_BUSY && err != ERR_CLOSED && err != ERR_NOMEM && !p->sent) {
        settle(p, LETTER_REFUSED, "it cannot be said in SMPP");
        return true;
    }
    if (p->sent)
        l->current = p;
    else
        put_head(c, p);
    return false;
}

/* In turns: the links of a resource share what there is. */
void esme_out_pump(struct customer *c, struct esme_server *s)
{
    for (bool more = true; more;) {
        more = false;
        for (struct esme_link *l = s->links; l; l = l->next)
            if (takes_letters(l, c))
                more |= step(l);
    }
}

/* What one leaves unanswered, another may have at once; what it has beside comes back with the end of its link. */
static void left_unanswered(struct esme_link *l)
{
    l->deaf = true;
    if (!smpp_session_is_up(l->session) || !another_answers(l))
        return;
    log_warn("smpp", "ESME %s (%s): a deliver_sm was not answered in time, and another ESME answers: unbound", l->peer, l->name);
    metric_add(&unanswered_total, 1);
    smpp_session_unbind(l->session);
}

void esme_out_answer(struct esme_link *l, uint64_t tag, enum err err, const struct smpp_pdu *answer)
{
    struct parcel *p = (struct parcel *)(uintptr_t)tag;
    struct customer *c = l->customer;
    p->unanswered--;
    l->deaf = l->deaf && err;
    p->lost |= err != ERR_NONE;
    p->late |= err == ERR_TIMEOUT || err == ERR_SYNTAX;
    if (!err && answer->status)
        p->status = answer->status;
    bool failed = p->lost || p->status;
    if (failed && l->current == p)
        l->current = NULL;
    if (!p->unanswered && (failed || p->sent == p->parts))
        settle_answered(l, p);
    if (err == ERR_TIMEOUT)
        left_unanswered(l);
    if (c)
        esme_out_pump(c, l->server);
}

void esme_out_down(struct esme_link *l)
{
    struct parcel *p = l->current;
    l->current = NULL;
    if (p)
        settle(p, LETTER_RETURNED, "");
}

void esme_out_return(struct customer *c, struct esme_server *s)
{
    (void)s;
    for (struct parcel *p; (p = take_head(c));)
        settle(p, LETTER_RETURNED, "");
}

void esme_out_free(struct customer *c)
{
    for (struct parcel *p; (p = take_head(c));)
        free(p);
}

/* -- from the mailbox: control posts, we take ------------------------------------------------------------------------ */
static void on_letter(void *owner, struct inbox_item *item)
{
    struct esme_server *s = owner;
    struct parcel *p = container_of(item, struct parcel, item);
    struct customer *c = esme_customer(s, p->letter.resource);
    if (!c || !c->receivers) {
        settle(p, LETTER_RETURNED, "");
        return;
    }
    *c->tail = p;
    c->tail = &p->next;
    esme_out_pump(c, s);
}

static const struct inbox_kind letter_kind = { "esmes.letter", on_letter, NULL };

static enum err deliver(void *self, const struct letter *l)     /* control */
{
    struct esme_server *s = self;
    struct parcel *p = malloc(sizeof *p + l->from.n + l->to.n + l->text.n + 3);
    if (!p)
        return ERR_NOMEM;
    *p = (struct parcel){ .item.kind = &letter_kind, .server = s, .letter = *l };
    char *at = p->bytes;
    p->letter.from = str_put(&at, l->from);
    p->letter.to = str_put(&at, l->to);
    p->letter.text = str_put(&at, l->text);
    if (l->receipt)
        ids_guid(s->conf.control->ids, ID_MESSAGE, l->answered, p->id);
    inbox_post_always(loop_inbox(s->loop), &p->item);   /* the mailbox bounds them */
    return ERR_NONE;
}

const struct letter_ops esme_letter_ops = { .deliver = deliver };
