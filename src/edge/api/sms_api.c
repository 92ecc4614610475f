/* sms_api.c - messages (spec sms 2026-01-23).
 *
 * Rows without a `run` answer 501: they stand in docs/conformance.md. */
#include "base/str.h"
#include "domain/messages/messages.h"
#include "domain/rules.h"
#include "edge/api/api.h"
#include "edge/api/http.h"

#include <stdio.h>

enum { TAG_MAX = 1024 };

struct sms_rq {
    struct sms_send    send;
    const struct json *recipients, *options;
};

static const struct json_field send_fields[] = {        /* SendMessageRequest */
    JSON_TEXT_FIELD(struct sms_rq, send.from, "from", true, 1, 64),
    JSON_TEXT_FIELD(struct sms_rq, send.text, "message", true, 0, SMS_TEXT_MAX_UNITS),
    JSON_ANY_FIELD(struct sms_rq, recipients, "smsRecipients", true),
    JSON_ANY_FIELD(struct sms_rq, options, "smsSendOptions", false),
};
static const struct json_field option_fields[] = {      /* SmsSendOptions, abridged */
    JSON_BOOL_FIELD(struct sms_rq, send.report, "enableDeliveryReport", true),
    JSON_TEXT_FIELD(struct sms_rq, send.tag, "tag", false, 0, TAG_MAX),
};
static const struct json_field recipient_fields[] = {   /* SmsRecipient, abridged */
    JSON_TEXT_FIELD(struct sms_recipient, to, "to", true, 0, 256),
    JSON_TEXT_FIELD(struct sms_recipient, repeat_id, "repeatabilityRequestId", false, 0, 64),
};

static enum err recipients_bad(struct http_call *hc, const char *text)
{
    enum err err = problem_set(&hc->why, ERR_RANGE, "BadRequest", "%s", text);
    problem_target(&hc->why, "smsRecipients");
    return err;
}

static enum err recipients_read(struct http_call *hc, struct sms_rq *rq)
{
    size_t n = json_count(rq->recipients);
    if (json_kind(rq->recipients) != JSON_IS_ARRAY || n < 1 || n > SMS_RECIPIENTS_MAX)
        return recipients_bad(hc, "smsRecipients must be a list of 1 to 100 recipients.");
    struct sms_recipient *list = arena_array(hc->arena, n, sizeof *list);
    enum err err = list ? ERR_NONE : ERR_NOMEM;
    for (size_t i = 0; !err && i < n; i++) {
        err = json_fill(json_item(rq->recipients, i), recipient_fields, ARRAY_LEN(recipient_fields), &list[i], hc->arena,
                        &hc->why);
        if (err == ERR_RANGE || err == ERR_SYNTAX)
            problem_target(&hc->why, "smsRecipients[%zu]", i);
    }
    rq->send.recipients = list;
    rq->send.n = n;
    return err;
}

/* Our own: when it is to leave. The published API has no such thing. */
static enum err time_read(struct http_call *hc, struct sms_send *send)
{
    struct str at = http_header(hc, "Carterfone-Send-At");
    if (!at.n || !time_iso8601_read(at, &send->send_at_us) || !time_rfc1123_read(at, &send->send_at_us))
        return ERR_NONE;
    char text[64];
    str_copyz(text, sizeof text, at);
    return rule_problem(&hc->why, ERR_RANGE, RULE_SCHEDULE_UNREADABLE, text);
}

static enum err send_read(struct http_call *hc)
{
    struct sms_rq *rq = arena_one(hc->arena, struct sms_rq);
    if (!rq)
        return ERR_NOMEM;
    enum err err = json_fill(hc->json, send_fields, ARRAY_LEN(send_fields), rq, hc->arena, &hc->why);
    if (!err)
        err = recipients_read(hc, rq);
    if (!err && rq->options)
        err = json_fill(rq->options, option_fields, ARRAY_LEN(option_fields), rq, hc->arena, &hc->why);
    if (!err)
        err = time_read(hc, &rq->send);
    rq->send.resource = hc->resource;
    hc->rq = rq;
    return err;
}

/* What the messages that were made do not tell: who was refused, who had it before. */
static void say_untold(struct http_call *hc, const struct sms_result *results, size_t n)
{
    size_t refused = 0, again = 0;
    const char *first = "";
    for (size_t i = 0; i < n; i++) {
        again += results[i].again;
        if (results[i].status != 202 && !refused++)
            first = results[i].error;
    }
    hc->is_told = !refused && !again;
    if (again)
        snprintf(hc->why.text, sizeof hc->why.text, "%zu of %zu recipients were a repetition of an earlier request", again, n);
    if (refused)
        snprintf(hc->why.text, sizeof hc->why.text, "%zu of %zu recipients were refused, the first: %.300s", refused, n, first);
}

static void on_sent(void *arg, enum err err, const struct sms_result *results, size_t n)
{
    struct http_call *hc = arg;
    if (err) {
        problem_set(&hc->why, err, "ServiceUnavailable", "Nothing was accepted: the store failed. Send the same request again.");
        http_fail(hc, ERR_STORE);
        return;
    }
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    say_untold(hc, results, n);
    for (size_t i = 0; i < n; i++) {
        const struct sms_result *r = &results[i];
        bool good = r->status == 202;
        jw_object(&w, NULL);
        jw_text(&w, "to", r->to);
        if (good)
            jw_textz(&w, "messageId", r->id);
        jw_int(&w, "httpStatusCode", r->status);
        if (good)
            jw_textz(&w, "repeatabilityResult", "accepted");
        else
            jw_textz(&w, "errorMessage", r->error);
        jw_bool(&w, "successful", good);
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 202);
}

/* POST /sms. 202 once the batch is on disk. */
static enum err send_run(struct http_call *hc)
{
    struct sms_rq *rq = hc->rq;
    return messages_send(hc->api->messages, &rq->send, on_sent, hc, &hc->why);
}

const struct http_route sms_routes[] = {
    { "POST", "/sms", HTTP_RESOURCE, send_read, send_run, "Sms_Send", "tests/api/sms.test.mjs" },
    { "GET", "/deliveryReports/{outgoingMessageId}", HTTP_RESOURCE, NULL, NULL, "DeliveryReports_Get", "" },
    { 0 },
};
