/* sms ...: sending by the ACS API, looking by our own. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "main/ctl_priv.h"

static const struct ctl_column result_columns[] = {
    { "TO", "to" }, { ">STATUS", "httpStatusCode" }, { "MESSAGE", "messageId" }, { "WHY NOT", "errorMessage" }, { 0 },
};
static const struct ctl_column message_columns[] = {
    { "WHEN", "createdAt" }, { "WAY", "direction" }, { "FROM", "from" }, { "TO", "to" }, { "STATE", "state" },
    { ">PARTS", "segments" }, { "TEXT", "message", CTL_BRIEF }, { "MESSAGE", "messageId" }, { 0 },
};
static const struct ctl_column one_columns[] = {
    { "WHEN", "createdAt" }, { "WAY", "direction" }, { "FROM", "from" }, { "TO", "to" }, { "STATE", "state" },
    { ">PARTS", "segments" }, { "TEXT", "message", CTL_BRIEF }, { "MESSAGE", "messageId" }, { "SEND AT", "sendAt", CTL_IF_ANY },
    { "WAITS FOR", "waiting.for", CTL_IF_ANY }, { "GUARD", "waiting.guard", CTL_IF_ANY }, { "CARRIER", "waiting.carrier", CTL_IF_ANY },
    { "DOWN SINCE", "waiting.downSince", CTL_IF_ANY }, { "AHEAD", "waiting.ahead", CTL_IF_ANY }, { "UNTIL", "waiting.until", CTL_IF_ANY }, { "EXPECTED", "waiting.expectedAt", CTL_IF_ANY },
    { "REPORT", "deliveryStatusDetails", CTL_IF_ANY }, { "WHY", "why", CTL_IF_ANY }, { 0 },
};

static int send_sms(struct ctl *c)
{
    int64_t timeout_s;
    int rc = ctl_option_int(c, "report-timeout", 60, 43200, 0, &timeout_s);
    if (rc)
        return rc;
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "from", ctl_option(c, "from"));
    jw_array(&w, "smsRecipients");
    const char *to;
    for (int i = 0; (to = ctl_option_at(c, "to", i)); i++) {
        if (strchr(to, ','))
            return ctl_usage(c, "--to takes one number: say it once for each recipient");
        jw_object(&w, NULL);
        jw_textz(&w, "to", to);
        jw_end(&w);
    }
    if (!ctl_option(c, "to"))
        return ctl_usage(c, "--to NUMBER is needed, once for each recipient");
    jw_end(&w);
    jw_textz(&w, "message", c->args[0]);
    jw_object(&w, "smsSendOptions");
    jw_bool(&w, "enableDeliveryReport", !ctl_option(c, "no-report"));
    if (ctl_option(c, "tag"))
        jw_textz(&w, "tag", ctl_option(c, "tag"));
    if (timeout_s)
        jw_int(&w, "deliveryReportTimeoutInSeconds", timeout_s);
    jw_end(&w);
    jw_end(&w);

    struct ctl_answer answer;
    const char *at = ctl_option(c, "at");
    rc = ctl_ask_this(c, &(struct ctl_question){ .as = CTL_AS_RESOURCE, .method = "POST", .target = STR("/sms"), .body = buf_str(&body),
                                                     .header = at ? "Carterfone-Send-At" : NULL, .header_value = at }, &answer);
    if (rc)
        return rc;
    const struct json *results = json_member(answer.json, "value");
    if (!ctl_say_json(c, answer.body))
        ctl_table(c, results, result_columns, "The answer names no recipient.");
    for (size_t i = 0; i < json_count(results); i++)
        if (!json_bool_of(json_item(results, i), "successful", false))
            rc = CTL_REFUSED;
    fflush(stdout);
    if (rc && !c->json && answer.request.n)
        fprintf(stderr, "  why:  carterfone explain " STR_FMT "\n", STR_ARG(answer.request));
    return rc;
}

static int list(struct ctl *c)
{
    static const char *const filters[] = { "state", "to", "from", "tag", "since", "until", "before" };
    int64_t limit;
    int     rc = ctl_option_int(c, "limit", 1, 1000, 50, &limit);
    struct str target = arena_printf(c->arena, "/carterfone/v1/messages?limit=%lld", (long long)limit);
    for (size_t i = 0; i < ARRAY_LEN(filters); i++)
        if (ctl_option(c, filters[i]))
            target = arena_printf(c->arena, STR_FMT "&%s=" STR_FMT, STR_ARG(target), filters[i], STR_ARG(ctl_target(c, "%e", ctl_option(c, filters[i]))));
    struct ctl_answer answer;
    if (!rc)
        rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", target, (struct str){ 0 }, &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    ctl_table(c, answer.json, message_columns, "No such messages.");
    struct str id, link = json_text_of(answer.json, "nextLink");
    while (str_cut(link, '=', &id, &link))
        ;
    if (id.n)                           /* the link ends in it */
        ctl_say(c, "older ones: --before " STR_FMT, STR_ARG(id));
    return CTL_OK;
}

static int show(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", ctl_target(c, "/carterfone/v1/messages/%e", c->args[0]),
                     (struct str){ 0 }, &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    ctl_facts(c, answer.json, one_columns);
    return CTL_OK;
}

static int cancel(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", ctl_target(c, "/carterfone/v1/messages/%e/:cancel", c->args[0]), (struct str){ 0 }, &answer);
    if (!rc && !c->json)
        ctl_say(c, "cancelled");
    return rc;
}

static void say_parts(struct ctl *c, const struct json *p)
{
    static const struct ctl_column columns[] = { { ">UNITS", "units" }, { "TEXT", "text", CTL_BRIEF }, { 0 } };
    int64_t segments = json_int_of(p, "segments", 0);
    ctl_say(c, "encoding  " STR_FMT ", %lld unit%s, %lld a segment", STR_ARG(json_text_of(p, "encoding")),
            (long long)json_int_of(p, "units", 0), json_int_of(p, "units", 0) == 1 ? "" : "s",
            (long long)json_int_of(p, "unitsPerSegment", 0));
    ctl_say(c, "segments  %lld, room for %lld more unit%s in the last", (long long)segments,
            (long long)json_int_of(p, "unitsLeft", 0), json_int_of(p, "unitsLeft", 0) == 1 ? "" : "s");
    const struct json *unusual = json_member(p, "outsideGsm7");
    if (json_count(unusual)) {
        scoped_buf list = { 0 };
        for (size_t i = 0; i < json_count(unusual); i++)
            buf_printf(&list, " " STR_FMT, STR_ARG(json_text(json_item(unusual, i))));
        ctl_say(c, "outside   " STR_FMT "   these are not in GSM-7 and make it UCS-2", STR_ARG(str_trim(buf_str(&list))));
    }
    if (segments > 1)
        ctl_table(c, json_member(p, "parts"), columns, "");
}

/* What it would be, and be charged; nothing is sent. */
static int preview(struct ctl *c)
{
    static const struct ctl_column columns[] = { { "TO", "to" }, { ">USD", "microUsd", CTL_MICRO }, { "WHY NOT", "errorMessage" }, { 0 } };
    scoped_buf body = { 0 };
    struct jw w = jw_of(&body);
    jw_object(&w, NULL);
    if (ctl_option(c, "from"))
        jw_textz(&w, "from", ctl_option(c, "from"));
    jw_array(&w, "to");
    const char *to;
    for (int i = 0; (to = ctl_option_at(c, "to", i)); i++)
        jw_textz(&w, NULL, to);
    jw_end(&w);
    jw_textz(&w, "message", c->args[0]);
    if (c->resource)
        jw_textz(&w, "resource", c->resource);
    jw_end(&w);
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", STR("/carterfone/v1/messages/:preview"), buf_str(&body), &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    say_parts(c, answer.json);
    if (json_count(json_member(answer.json, "recipients")))
        ctl_table(c, json_member(answer.json, "recipients"), columns, "");
    return CTL_OK;
}

static const struct ctl_option send_options[] = {
    { "from",      "NUMBER", CTL_NEEDED, "a leased number with outbound SMS" },
    { "to",        "NUMBER", CTL_MANY,   "a recipient" },
    { "tag",       "TEXT",   CTL_MAY,    "comes back in the delivery report" },
    { "at",        "TIME",   CTL_MAY,    "not before, such as 2026-11-23T17:30:00Z; at most 31 days ahead" },
    { "report-timeout", "S", CTL_MAY, "60 to 43200 seconds; without a receipt by then the report says failed" },
    { "no-report", NULL,     CTL_MAY,    "no delivery report event" },
    { 0 },
};
static const struct ctl_option preview_options[] = {
    { "from", "NUMBER", CTL_MAY,  "the sender: with --to, who would be refused and what it would cost" },
    { "to",   "NUMBER", CTL_MANY, "a recipient" },
    { 0 },
};
static const struct ctl_option list_options[] = {
    { "limit",  "N",      CTL_MAY, "the newest N [50]" },
    { "state",  "WORD",   CTL_MAY, "queued, submitted, delivered, failed, unknown, or received" },
    { "from",   "NUMBER", CTL_MAY, "its sender" },
    { "to",     "NUMBER", CTL_MAY, "its recipient" },
    { "tag",    "TEXT",   CTL_MAY, "sent with this tag" },
    { "since",  "TIME",   CTL_MAY, "accepted then or later, such as 2026-11-23T17:30:00Z" },
    { "until",  "TIME",   CTL_MAY, "accepted before" },
    { "before", "ID",     CTL_MAY, "older than this message: the next page" },
    { 0 },
};

const struct ctl_command ctl_sms_commands[] = {
    { "sms", "send", "TEXT", 1, 1, send_options, send_sms, "send a text to one or more numbers" },
    { "sms", "preview", "TEXT", 1, 1, preview_options, preview, "encoding, segments and price of a text, before it is sent" },
    { "sms", "list", "", 0, 0, list_options, list, "messages, newest first" },
    { "sms", "show", "MESSAGEID", 1, 1, NULL, show, "one of them; `explain` says more" },
    { "sms", "cancel", "MESSAGEID", 1, 1, NULL, cancel, "take back one that no carrier has yet" },
    { "sms", "explain", "MESSAGEID", 1, 1, NULL, ctl_explain, "its time line, from the request to the webhook" },
    { 0 },
};
