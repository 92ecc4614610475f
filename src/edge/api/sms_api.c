/* sms_api.c - messages (spec sms 2026-01-23 and its forerunners), and their delivery reports. */
#include "base/str.h"
#include "domain/messages/messages.h"
#include "domain/rules.h"
#include "edge/api/api.h"
#include "edge/api/http.h"

#include <stdio.h>

enum { TAG_MAX = 1024, VALID_LEAST_S = 60, VALID_MOST_S = 43200, PARTNER_MAX = 64 };
static const char SINCE_CONNECT[] = "2024-12-10", SINCE_PARAMS[] = "2026-01-23";

struct sms_rq {
    struct sms_send    send;
    const struct json *recipients, *options;
    int64_t            valid_s;
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
/* How long it is of use: one name before 2025, another since, and bounds that the first did not have; a version that has neither knows
 * neither. */
static const struct json_field first_field = JSON_INT_FIELD(struct sms_rq, valid_s, "validityPeriodSeconds", false, 1, INT32_MAX);
static const struct json_field validity_field = JSON_INT_FIELD(struct sms_rq, valid_s, "validityPeriodSeconds", false, VALID_LEAST_S, VALID_MOST_S);
static const struct json_field timeout_field = JSON_INT_FIELD(struct sms_rq, valid_s, "deliveryReportTimeoutInSeconds", false, VALID_LEAST_S, VALID_MOST_S);
static const struct json_field *version_field(const struct http_call *hc)
{
    if (str_eqz(hc->api_version, "2022-07-07"))
        return &first_field;
    if (str_starts(hc->api_version, STR("2024-02-05")))
        return &validity_field;
    return http_is_since(hc, SINCE_CONNECT) ? &timeout_field : NULL;
}

static const struct json_field recipient_fields[] = {   /* SmsRecipient, abridged */
    JSON_TEXT_FIELD(struct sms_recipient, to, "to", true, 0, 256),
    JSON_TEXT_FIELD(struct sms_recipient, repeat_id, "repeatabilityRequestId", false, 0, 64),
};

/* What cannot be read is this recipient's own fault. A date without an id means nothing. */
static void repeat_read(const struct json *recipient, struct sms_recipient *to)
{
    char guid[GUID_SIZE];
    struct str date = json_text_of(recipient, "repeatabilityFirstSent");
    if (!to->repeat_id.n)
        return;
    if (guid_lower(to->repeat_id, guid))
        to->repeat_flaw = SMS_REPEAT_ID_BAD;
    else if (json_kind(json_member(recipient, "repeatabilityFirstSent")) != JSON_IS_ABSENT && time_rfc1123_read(date, &to->first_sent_us))
        to->repeat_flaw = SMS_REPEAT_DATE_BAD;
}

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
        repeat_read(json_item(rq->recipients, i), &list[i]);
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

static enum err connect_bad(struct http_call *hc, const char *member, const char *words)
{
    enum err err = problem_set(&hc->why, ERR_RANGE, "BadRequest", "smsSendOptions.messagingConnect.%s must be %s.", member, words);
    problem_target(&hc->why, "smsSendOptions.messagingConnect.%s", member);
    return err;
}

/* A partner brings numbers to the service, and its key or parameters pay for them. Here the operator's carriers carry everything: whom
 * the sender names is told in the message's trail, and the key is not kept. */
static enum err connect_read(struct http_call *hc, struct sms_rq *rq)
{
    const struct json *connect = json_member(rq->options, "messagingConnect");
    if (json_kind(connect) == JSON_IS_ABSENT || !http_is_since(hc, SINCE_CONNECT))
        return ERR_NONE;
    struct str partner = json_text_of(connect, "partner");
    if (!partner.n || partner.n > PARTNER_MAX)
        return connect_bad(hc, "partner", "a name of 1 to 64 octets");
    const struct json *params = json_member(connect, "partnerParams");
    if (http_is_since(hc, SINCE_PARAMS) && (json_kind(params) != JSON_IS_OBJECT || !json_count(params)))
        return connect_bad(hc, "partnerParams", "an object with at least one member");
    if (!http_is_since(hc, SINCE_PARAMS) && !json_text_of(connect, "apiKey").n)
        return connect_bad(hc, "apiKey", "a text");
    rq->send.partner = arena_str(hc->arena, partner);
    return rq->send.partner.p ? ERR_NONE : ERR_NOMEM;
}

static enum err options_read(struct http_call *hc, struct sms_rq *rq)
{
    const struct json_field *validity = version_field(hc);
    enum err err = json_fill(rq->options, option_fields, ARRAY_LEN(option_fields), rq, hc->arena, &hc->why);
    if (!err && validity)
        err = json_fill(rq->options, validity, 1, rq, hc->arena, &hc->why);
    return err ? err : connect_read(hc, rq);
}

/* Counted from when it may leave. */
static void validity_set(const struct http_call *hc, struct sms_rq *rq)
{
    int64_t from_us = control_now_us(hc->api->control);
    if (rq->send.send_at_us > from_us)
        from_us = rq->send.send_at_us;
    if (rq->valid_s)
        rq->send.valid_until_us = from_us + rq->valid_s * US_PER_S;
}

static enum err send_read(struct http_call *hc)
{
    struct sms_rq *rq = arena_one(hc->arena, struct sms_rq);
    if (!rq)
        return ERR_NOMEM;
    enum err err = json_fill(hc->json, send_fields, ARRAY_LEN(send_fields), rq, hc->arena, &hc->why);
    if (!err && !rq->send.text.n) {
        err = rule_problem(&hc->why, ERR_RANGE, RULE_MESSAGE_EMPTY);
        problem_target(&hc->why, "message");
    }
    if (!err)
        err = recipients_read(hc, rq);
    if (!err && rq->options)
        err = options_read(hc, rq);
    if (!err)
        err = time_read(hc, &rq->send);
    if (!err)
        validity_set(hc, rq);
    rq->send.resource = hc->resource;
    hc->rq = rq;
    return err;
}

/* What the messages that were made do not tell: who was refused, who had it before. */
static void say_untold(struct http_call *hc, const struct sms_result *results, size_t n)
{
    size_t again = 0, refused = sms_results_refused(results, n, &hc->why);
    for (size_t i = 0; i < n; i++)
        again += results[i].again;
    hc->is_told = !refused && !again;
    if (again && !refused)
        snprintf(hc->why.text, sizeof hc->why.text, "%zu of %zu recipients were a repetition of an earlier request", again, n);
}

static void on_sent(void *arg, enum err err, const struct sms_result *results, size_t n)
{
    struct http_call *hc = arg;
    if (err) {
        http_fail(hc, rule_problem(&hc->why, ERR_STORE, RULE_STORE_BUSY));
        return;
    }
    struct jw w = jw_of(&hc->out);
    char words[SMS_REFUSAL_WORDS];
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
        else if (r->rejected)
            jw_textz(&w, "repeatabilityResult", "rejected");
        if (!good)
            jw_textz(&w, "errorMessage", sms_refusal_words(r->refusal, words));
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

/* -- the delivery report by the message's id ------------------------------------------------------------------------------- */

/* Its own shape: ErrorResponse, as RFC 7807 has problems. @param state  of a message that has not ended; empty: there is none */
static void no_report(struct http_call *hc, struct str state)
{
    char guid[GUID_SIZE];
    struct jw w = jw_of(&hc->out);
    if (state.n)
        problem_set(&hc->why, ERR_ABSENT, "NotFound", "The message has no delivery report yet: it is " STR_FMT ". Ask again later; "
                    "`carterfone explain ID` says what it waits for.", STR_ARG(state));
    else
        problem_set(&hc->why, ERR_ABSENT, "NotFound", "This resource sent no message of that id, or it is kept no longer.");
    ids_guid(hc->api->control->ids, ID_REQUEST, hc->request_id, guid);
    jw_object(&w, NULL);
    jw_textz(&w, "type", "https://www.rfc-editor.org/rfc/rfc9110#name-404-not-found");
    jw_textz(&w, "title", "Not Found");
    jw_int(&w, "status", 404);
    jw_textz(&w, "detail", hc->why.text);
    jw_textz(&w, "traceId", guid);
    jw_end(&w);
    http_reply_as(hc, 404, "application/problem+json");
}

static void on_report(void *arg, enum err err, struct str json)
{
    struct http_call *hc = arg;
    if (err == ERR_ABSENT) {
        no_report(hc, json);
    } else if (err) {
        problem_set(&hc->why, err, "ServiceUnavailable", "The report could not be read. Ask again.");
        http_fail(hc, err);
    } else {
        buf_puts(&hc->out, json);
        http_reply(hc, 200);
    }
}

static enum err report_run(struct http_call *hc)
{
    return messages_report(hc->api->messages, hc->resource, hc->params[0], on_report, hc);
}

const struct http_route sms_routes[] = {
    { "POST", "/sms", HTTP_RESOURCE, send_read, send_run, "Sms_Send", "tests/api/sms.test.mjs" },
    { "GET", "/deliveryReports/{outgoingMessageId}", HTTP_RESOURCE, NULL, report_run, "DeliveryReports_Get", "tests/api/sms-reports.test.mjs",
      "2025-08-01", "2021-03-07, 2022-07-07, 2024-01-02, 2024-02-05, 2024-02-05-preview, 2024-12-10-preview, 2025-05-29-preview, 2025-09-17" },
    { 0 },
};
