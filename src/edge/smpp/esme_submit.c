/* esme_submit.c - submit_sm, data_sm and submit_multi of customers' ESMEs: read here, decided by the same pipeline as POST /sms, and
 * answered once they are on disk. A refusal is a command_status; its rule is in the log and for `explain`. */
#include "edge/smpp/esme_priv.h"
#include "edge/smpp/esme_read.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "domain/requests.h"
#include "domain/rules.h"

#include <stdio.h>

METRIC_COUNTER(submits_total, "carterfone_esme_submits_total", "submit_sm, data_sm and submit_multi of customers' ESMEs")
METRIC_COUNTER(refused_total, "carterfone_esme_submits_refused_total", "Of them those that were refused")

/* A submit on its way to control and back. */
struct submit {
    struct inbox_item   item;
    struct esme_server *server;
    uint64_t            link, key;
    uint32_t            command, sequence, status;
    int64_t             began_us;           /* mono */
    char                id[GUID_SIZE];
    struct esme_submitted what;             /* last: much of it is not filled */
};

static void submit_free(struct submit *g)
{
    atomic_fetch_sub(&g->server->under_way, 1);
    buf_done(&g->what.text);
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
        resp.n_dests = (uint8_t)g->what.n_failed;
        resp.dests = (struct str){ (const char *)g->what.failed, g->what.failed_n };
    }
    smpp_session_reply(l->session, &resp);
}

/* Refused before control was asked. */
static void refuse(struct esme_link *l, const struct smpp_pdu *pdu, uint32_t status, const char *text)
{
    struct problem why = { 0 };
    uint64_t key = ids_next(l->server->conf.control->ids);
    (void)rule_problem(&why, ERR_RANGE, RULE_SUBMIT_INVALID, text);
    snprintf(why.code, sizeof why.code, "%s", smpp_status_name(status));
    esme_refused(l->server, key, l->customer->resource, pdu->command, status, clock_mono().us, &why);
    say_refused(l, key, pdu->command, status);
    reply(l, pdu->command, pdu->sequence, status, NULL);
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
    esme_refused(g->server, g->key, g->what.send.resource, g->command, status, g->began_us, why);
    answer(g, status);
}

static void on_sent(void *arg, enum err err, const struct sms_result *results, size_t n)
{
    struct submit *g = arg;
    struct problem why = { 0 };
    uint32_t status = ESME_ROK;
    size_t taken = 0;
    (void)sms_results_refused(results, err ? 0 : n, &why);
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
        status = results[i].refusal->opted_out ? ESME_RSUBMITFAIL : ESME_RINVDSTADR;
        esme_add_failed(&g->what, &to, (struct str){ 0 }, status);
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
    enum err err = g->what.part.concat.total ? messages_take_part(m, &g->what.part, on_sent, g, &why)
                                        : messages_send(m, &g->what.send, on_sent, g, &why);
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
    memset(g, 0, offsetof(struct submit, what.failed));      /* what lies behind is filled as far as it is used */
    g->item.kind = &submit_kind;
    g->server = s;
    g->link = l->id;
    g->command = pdu->command;
    g->sequence = pdu->sequence;
    g->began_us = clock_mono().us;
    g->what.send.resource = l->customer->resource;
    atomic_fetch_add(&s->under_way, 1);
    struct esme_fault f = esme_read(&g->what, pdu, clock_product_us(s->conf.control->clock));
    g->key = f.status ? 0 : ids_next(s->conf.control->ids);
    if (f.status)
        refuse(l, pdu, f.status, f.text);
    else if (inbox_post(control_inbox(s->conf.control), &g->item) == ERR_NONE)
        return;
    else
        reply(l, pdu->command, pdu->sequence, ESME_RTHROTTLED, NULL);
    submit_free(g);
}
