/* esme_submit.c - submit_sm, data_sm and submit_multi of customers' ESMEs: read here, decided by the same pipeline as POST /sms, and
 * answered once they are on disk. A refusal is a command_status; its rule is in the log and for `explain`. */
#include "edge/smpp/esme_priv.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "domain/messages/esmes.h"
#include "domain/requests.h"
#include "domain/rules.h"
#include "net/sms_parts.h"

#include <stdio.h>

METRIC_COUNTER(submits_total, "carterfone_esme_submits_total", "submit_sm, data_sm and submit_multi of customers' ESMEs")
METRIC_COUNTER(refused_total, "carterfone_esme_submits_refused_total", "Of them those that were refused")

enum { UNSUCCESS_OCTETS = (2 + 21 + 4) * SMS_RECIPIENTS_MAX };

/* A submit on its way to control and back. Its texts lie behind the recipients. */
struct submit {
    struct inbox_item   item;
    struct esme_server *server;
    uint64_t            link, key;
    uint32_t            command, sequence, status;
    int64_t             began_us;           /* mono */
    struct sms_esme     esme;
    struct sms_send     send;
    struct sms_part_in  part;               /* concat.total 0: it is none */
    char                id[GUID_SIZE];
    char                from[SMPP_NUMBER_SIZE];
    struct buf          text;
    unsigned            n_failed;           /* submit_multi: entries of `failed` */
    size_t              failed_n;
    uint8_t             failed[UNSUCCESS_OCTETS];
    char                numbers[SMS_RECIPIENTS_MAX][SMPP_NUMBER_SIZE];
    struct sms_recipient to[SMS_RECIPIENTS_MAX];
};

static void submit_free(struct submit *g)
{
    atomic_fetch_sub(&g->server->under_way, 1);
    buf_done(&g->text);
    free(g);
}

static void drop_submit(struct inbox_item *item)
{
    submit_free(container_of(item, struct submit, item));
}

/* -- refusals ------------------------------------------------------------------------------------------------------- */
uint32_t esme_status_of(enum err err, const struct problem *why)
{
    switch (err) {                      /* no default: -Wswitch brings a new error here */
    case ERR_NONE:          return ESME_ROK;
    case ERR_UNPROVEN: case ERR_RANGE:
        if (strcmp(why->rule, rule_name(RULE_SCHEDULE_TOO_FAR)) == 0)
            return ESME_RINVSCHED;
        return ESME_RINVSRCADR;         /* the sender is not leased here, or may not send texts */
    case ERR_BUSY:          return why->rule[0] ? ESME_RTHROTTLED : ESME_RMSGQFUL;
    case ERR_SIZE:          return ESME_RMSGQFUL;
    case ERR_NOMEM: case ERR_STORE: case ERR_IO: case ERR_CLOSED: case ERR_TIMEOUT:
        return ESME_RSYSERR;
    case ERR_ABSENT:        return ESME_RINVMSGID;
    case ERR_SYNTAX: case ERR_CONFLICT: case ERR_FORBIDDEN: case ERR_UNPROCESSABLE: case ERR_UNBUILT: case ERR_METHOD:
        return ESME_RSUBMITFAIL;
    }
    return ESME_RUNKNOWNERR;
}

void esme_refused(struct esme_server *s, uint64_t key, uint64_t resource, uint32_t command, uint32_t status, int64_t began_us,
                  const struct problem *why)
{
    const struct request_done done = { .key = key, .resource = resource, .operation = smpp_command_name(command),
                                       .status = REQUEST_OF_SMPP | (int)status, .took_us = clock_mono().us - began_us };
    requests_keep(s->conf.requests, &done, why);
}

static void say_refused(struct esme_link *l, uint64_t key, uint32_t command, uint32_t status)
{
    enum { EVERY = 1000, FIRST = 20 };
    char guid[GUID_SIZE];
    metric_add(&refused_total, 1);
    if (l->refused++ >= FIRST && l->refused % EVERY)
        return;                         /* one that does not learn fills no log */
    ids_guid(l->server->conf.control->ids, ID_REQUEST, key, guid);
    log_info("smpp", "ESME %s (%s): %s refused, %s; why: carterfone explain %s", l->peer, l->name, smpp_command_name(command),
             smpp_status_name(status), guid);
}

static void reply(struct esme_link *l, uint32_t command, uint32_t sequence, uint32_t status, const struct submit *g)
{
    struct smpp_pdu resp;
    memset(&resp, 0, sizeof resp);
    resp.command = smpp_resp_to(command);
    resp.sequence = sequence;
    resp.status = status;
    resp.sm_resp.message_id = str_of(g ? g->id : "");
    if (g && command == SMPP_submit_multi) {
        resp.n_dests = (uint8_t)g->n_failed;
        resp.dests = (struct str){ (const char *)g->failed, g->failed_n };
    }
    smpp_session_reply(l->session, &resp);
}

/* Refused before control was asked. */
static void refuse(struct esme_link *l, const struct smpp_pdu *pdu, uint32_t status, const char *text)
{
    struct problem why = { 0 };
    uint64_t key = ids_next(l->server->conf.control->ids);
    problem_set(&why, ERR_RANGE, smpp_status_name(status), "%s", text);
    esme_refused(l->server, key, l->customer->resource, pdu->command, status, clock_mono().us, &why);
    say_refused(l, key, pdu->command, status);
    reply(l, pdu->command, pdu->sequence, status, NULL);
}

/* -- reading -------------------------------------------------------------------------------------------------------- */
struct fault {
    uint32_t    status;
    const char *text;
};
#define FAULT(status, text) ((struct fault){ (status), (text) })
#define NO_FAULT ((struct fault){ ESME_ROK, NULL })

/* Text in an alphabet we can read: not binary, not compressed, not the Japanese, Cyrillic or Hebrew sets (5.2.19). */
static bool is_text_coding(uint8_t dc)
{
    bool plain = dc == 0 || dc == 1 || dc == 3 || dc == DATA_CODING_UCS2;
    bool classed = (dc >= 0x10 && dc < 0x20) || dc >= 0xf0;
    return plain || (classed && sms_alphabet_of(dc) != SMS_OCTETS);
}

static struct fault check_class(const struct smpp_sm *sm)
{
    enum { MODE_BITS = 0x03, MODE_FORWARD = 0x02, ANSWER_BITS = 0x3c };
    if ((sm->esm_class & MODE_BITS) == MODE_FORWARD)
        return FAULT(ESME_RINVESMCLASS, "esm_class asks for transaction mode; messages are stored and forwarded.");
    if (sm->esm_class & ANSWER_BITS)
        return FAULT(ESME_RINVESMCLASS, "esm_class says that it is a receipt or an acknowledgement, which ESMEs get and do not send here.");
    if ((sm->registered_delivery & 3) == 3)
        return FAULT(ESME_RINVREGDLVFLG, "registered_delivery 3 is reserved.");
    if (sm->replace_if_present_flag)
        return FAULT(ESME_RSUBMITFAIL, "replace_if_present_flag is not served; replace_sm replaces a message by its id.");
    if (sm->sm_default_msg_id)
        return FAULT(ESME_RINVDFTMSGID, "There are no predefined messages.");
    if (!is_text_coding(sm->data_coding))
        return FAULT(ESME_RSUBMITFAIL, "data_coding is not one of text: GSM 03.38 (0), IA5 (1), ISO 8859-1 (3) or UCS-2 (8).");
    return NO_FAULT;
}

static struct fault check_times(struct submit *g, const struct smpp_sm *sm, int64_t now_us)
{
    int64_t at_us;
    if (sm->schedule_delivery_time.n && smpp_time_read(sm->schedule_delivery_time, now_us, &at_us))
        return FAULT(ESME_RINVSCHED, "schedule_delivery_time is not YYMMDDhhmmsstnnp.");
    if (sm->schedule_delivery_time.n && at_us > now_us)
        g->send.send_at_us = at_us;
    if (sm->validity_period.n && (smpp_time_read(sm->validity_period, now_us, &at_us) || at_us <= now_us))
        return FAULT(ESME_RINVEXPIRY, "validity_period is not YYMMDDhhmmsstnnp, or is over.");
    if (sm->validity_period.n)
        g->send.valid_until_us = at_us;
    if (g->send.valid_until_us && g->send.send_at_us >= g->send.valid_until_us)
        return FAULT(ESME_RINVEXPIRY, "validity_period is over before schedule_delivery_time.");
    return NO_FAULT;
}

static struct fault read_text(struct submit *g, const struct smpp_pdu *pdu)
{
    struct sms_part p;
    if (sms_part_read(&p, pdu))
        return FAULT(ESME_RINVMSGLEN, "The user data header is longer than the message.");
    if ((pdu->sm.esm_class & ESM_UDHI) && !p.concat.total)
        return FAULT(ESME_RINVESMCLASS, "The user data header says something other than which part of a message this is.");
    memcpy(g->from, p.from, sizeof g->from);
    g->part.concat = p.concat;
    g->part.alphabet = p.alphabet;
    if (p.concat.total > 1 && p.octets.n > SMPP_SHORT_MESSAGE_MAX)
        return FAULT(ESME_RINVMSGLEN, "A part of a message has 254 octets at most.");
    if (p.concat.total > 1) {
        buf_puts(&g->text, p.octets);   /* as it is: an escape or a surrogate pair may go on in the next part */
        g->part.octets = buf_str(&g->text);
    } else {
        g->part.concat.total = 0;
        sms_text_read(&g->text, p.alphabet, p.octets.p, p.octets.n);
        if (!g->text.bad && utf8_utf16_units(buf_str(&g->text)) > SMS_TEXT_MAX_UNITS)
            return FAULT(ESME_RINVMSGLEN, "The message is longer than 2,048 UTF-16 units.");
    }
    return g->text.bad ? FAULT(ESME_RSYSERR, "Out of memory.") : NO_FAULT;
}

static void add_failed(struct submit *g, const struct smpp_addr *addr, struct str list, uint32_t status)
{
    struct wr w = wr_of(g->failed + g->failed_n, sizeof g->failed - g->failed_n);
    smpp_unsuccess_put(&w, &(struct smpp_dest){ .addr = *addr, .list = list, .status = status });
    if (wr_err(&w))
        return;                         /* as many as there may be recipients have room */
    g->failed_n += wr_len(&w);
    g->n_failed++;
}

static void add_recipient(struct submit *g, const struct smpp_addr *addr)
{
    char *number = g->numbers[g->send.n];
    smpp_addr_number(number, addr->ton, addr->addr);
    g->to[g->send.n++] = (struct sms_recipient){ .to = str_of(number) };
}

static struct fault read_recipients(struct submit *g, const struct smpp_pdu *pdu)
{
    if (pdu->command != SMPP_submit_multi) {
        add_recipient(g, &(struct smpp_addr){ pdu->sm.dest_addr_ton, pdu->sm.dest_addr_npi, pdu->sm.destination_addr });
        return NO_FAULT;
    }
    struct rd r = rd_of(pdu->dests.p, pdu->dests.n);
    struct smpp_dest dest;
    if (!pdu->n_dests || pdu->n_dests > SMS_RECIPIENTS_MAX)
        return FAULT(ESME_RINVNUMDESTS, "A submit_multi has 1 to 100 destinations here.");
    while (smpp_dest_next(&r, &dest)) {
        if (dest.list.n)
            add_failed(g, &dest.addr, dest.list, ESME_RINVDLNAME);
        else
            add_recipient(g, &dest.addr);
    }
    if (r.bad)
        return FAULT(ESME_RINVNUMDESTS, "number_of_dests and dest_addresses do not agree.");
    return g->send.n ? NO_FAULT : FAULT(ESME_RINVDLNAME, "There are no distribution lists.");
}

static struct fault read_submit(struct submit *g, const struct smpp_pdu *pdu, int64_t now_us)
{
    struct fault f = check_class(&pdu->sm);
    if (!f.status)
        f = check_times(g, &pdu->sm, now_us);
    if (!f.status)
        f = read_text(g, pdu);
    if (!f.status)
        f = read_recipients(g, pdu);
    if (!f.status && g->part.concat.total && pdu->command == SMPP_submit_multi)
        f = FAULT(ESME_RINVESMCLASS, "Parts of a message are not served in submit_multi: send it whole, in message_payload.");
    g->esme = (struct sms_esme){ .command = smpp_command_name(pdu->command), .registered = pdu->sm.registered_delivery,
                                 .reference = pdu->tlvs.has_user_message_reference ? pdu->tlvs.user_message_reference : -1 };
    g->send.from = str_of(g->from);
    g->send.recipients = g->to;
    g->send.text = buf_str(&g->text);
    g->send.report = true;
    g->send.esme = &g->esme;
    g->part.resource = g->send.resource;
    g->part.from = g->send.from;
    g->part.to = g->to[0].to;
    g->part.esme = g->esme;
    g->part.send_at_us = g->send.send_at_us;
    g->part.valid_until_us = g->send.valid_until_us;
    return f;
}

/* -- answered ------------------------------------------------------------------------------------------------------- */
static void on_decided(void *owner, struct inbox_item *item)
{
    struct esme_server *s = owner;
    struct submit *g = container_of(item, struct submit, item);
    struct esme_link *l = esme_link_find(s, g->link);
    if (l && g->status)
        say_refused(l, g->key, g->command, g->status);
    if (l)
        reply(l, g->command, g->sequence, g->status, g);
    submit_free(g);
}

static const struct inbox_kind decided_kind = { "esmes.decided", on_decided, drop_submit };

static void answer(struct submit *g, uint32_t status)          /* control */
{
    g->status = status;
    g->item.kind = &decided_kind;
    inbox_post_always(loop_inbox(g->server->loop), &g->item);  /* as many as are under way */
}

static void answer_refused(struct submit *g, uint32_t status, const struct problem *why)
{
    esme_refused(g->server, g->key, g->send.resource, g->command, status, g->began_us, why);
    answer(g, status);
}

static void on_sent(void *arg, enum err err, const struct sms_result *results, size_t n)
{
    struct submit *g = arg;
    struct problem why = { 0 };
    uint32_t status = ESME_ROK;
    size_t taken = 0;
    if (err) {
        problem_set(&why, err, "ServiceUnavailable", "Nothing was accepted: the store failed. Send it again.");
        answer_refused(g, ESME_RSYSERR, &why);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (results[i].status == 202) {
            if (!taken++)
                sms_id_guid(results[i].id, g->id);
            continue;
        }
        const struct smpp_addr to = smpp_addr_of(results[i].to);
        status = str_starts(str_of(results[i].error), STR("Sender blocked")) ? ESME_RSUBMITFAIL : ESME_RINVDSTADR;
        add_failed(g, &to, (struct str){ 0 }, status);
        if (!why.text[0])
            problem_set(&why, ERR_RANGE, "BadRequest", "%s", results[i].error);
    }
    if (taken)
        answer(g, ESME_ROK);
    else
        answer_refused(g, g->command == SMPP_submit_multi ? ESME_RSUBMITFAIL : status, &why);
}

static void on_submit(void *owner, struct inbox_item *item)     /* control */
{
    (void)owner;
    struct submit *g = container_of(item, struct submit, item);
    struct control *control = g->server->conf.control;
    struct messages *m = g->server->conf.messages;
    struct problem why = { 0 };
    control->request = g->key;
    enum err err = g->part.concat.total ? messages_take_part(m, &g->part, on_sent, g, &why)
                                        : messages_send(m, &g->send, on_sent, g, &why);
    control->request = 0;
    if (err)
        answer_refused(g, esme_status_of(err, &why), &why);
}

static const struct inbox_kind submit_kind = { "esmes.submit", on_submit, drop_submit };

void esme_submit(struct esme_link *l, const struct smpp_pdu *pdu)
{
    struct esme_server *s = l->server;
    metric_add(&submits_total, 1);
    struct submit *g = s->under_way < UNDER_WAY_MAX ? malloc(sizeof *g) : NULL;
    if (!g) {
        reply(l, pdu->command, pdu->sequence, ESME_RTHROTTLED, NULL);
        return;
    }
    memset(g, 0, offsetof(struct submit, failed));      /* what lies behind is filled as far as it is used */
    g->item.kind = &submit_kind;
    g->server = s;
    g->link = l->id;
    g->command = pdu->command;
    g->sequence = pdu->sequence;
    g->began_us = clock_mono().us;
    g->send.resource = l->customer->resource;
    atomic_fetch_add(&s->under_way, 1);
    struct fault f = read_submit(g, pdu, clock_product_us(s->conf.control->clock));
    g->key = f.status ? 0 : ids_next(s->conf.control->ids);
    if (f.status)
        refuse(l, pdu, f.status, f.text);
    else if (inbox_post(control_inbox(s->conf.control), &g->item) == ERR_NONE)
        return;
    else
        reply(l, pdu->command, pdu->sequence, ESME_RTHROTTLED, NULL);
    submit_free(g);
}
