/* optouts_api.c - opt-outs of an application's numbers (spec sms 2026-01-23), and the operator's look at a sender's list. */
#include "base/str.h"
#include "domain/messages/messages.h"
#include "edge/api/numbers_priv.h"
#include "edge/api/operator_priv.h"

#define TEST "tests/api/optouts.test.mjs"

enum { RECIPIENTS_MOST = 100, LISTED = 100, LISTED_MOST = 1000 };

/* -- the service's three verbs --------------------------------------------------------------------------------------- */

struct optouts_rq {
    struct optout_request rq;
    const struct json    *recipients;
};

static const struct json_field fields[] = {             /* OptOutRequest */
    JSON_TEXT_FIELD(struct optouts_rq, rq.from, "from", true, 1, 64),
    JSON_ANY_FIELD(struct optouts_rq, recipients, "recipients", true),
};
static const struct json_field recipient_fields[] = {   /* OptOutRecipient */
    { "to", JF_TEXT, 0, true, 1, 64 },
};

static enum err recipients_read(struct http_call *hc, struct optouts_rq *o)
{
    size_t n = json_count(o->recipients);
    if (json_kind(o->recipients) != JSON_IS_ARRAY || n < 1 || n > RECIPIENTS_MOST) {
        enum err err = problem_set(&hc->why, ERR_RANGE, "BadRequest", "recipients must be a list of 1 to %d recipients.",
                                   RECIPIENTS_MOST);
        problem_target(&hc->why, "recipients");
        return err;
    }
    struct str *to = arena_array(hc->arena, n, sizeof *to);
    enum err err = to ? ERR_NONE : ERR_NOMEM;
    for (size_t i = 0; !err && i < n; i++) {
        err = json_fill(json_item(o->recipients, i), recipient_fields, ARRAY_LEN(recipient_fields), &to[i], hc->arena, &hc->why);
        if (err == ERR_RANGE || err == ERR_SYNTAX)
            problem_target(&hc->why, "recipients[%zu]", i);
    }
    o->rq.to = to;
    o->rq.n = n;
    return err;
}

static enum err request_read(struct http_call *hc)
{
    struct optouts_rq *o = arena_one(hc->arena, struct optouts_rq);
    if (!o)
        return ERR_NOMEM;
    enum err err = json_fill(hc->json, fields, ARRAY_LEN(fields), o, hc->arena, &hc->why);
    if (!err)
        err = recipients_read(hc, o);
    o->rq.resource = hc->resource;
    hc->rq = o;
    return err;
}

static void on_done(void *arg, enum err err, const struct optout_result *results, size_t n)
{
    struct http_call *hc = arg;
    const struct optouts_rq *o = hc->rq;
    if (operator_unstored(hc, err))
        return;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    for (size_t i = 0; i < n; i++) {
        const struct optout_result *r = &results[i];
        jw_object(&w, NULL);
        jw_text(&w, "to", r->to);
        jw_int(&w, "httpStatusCode", r->status);
        if (r->error)
            jw_textz(&w, "errorMessage", r->error);
        else if (o->rq.verb == OPTOUT_CHECK)
            jw_bool(&w, "isOptedOut", r->opted_out);
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
}

static enum err run(struct http_call *hc, enum optout_verb verb)
{
    struct optouts_rq *o = hc->rq;
    o->rq.verb = verb;
    return messages_optouts(hc->api->messages, &o->rq, on_done, hc, &hc->why);
}

static enum err add_run(struct http_call *hc)
{
    return run(hc, OPTOUT_ADD);
}

static enum err remove_run(struct http_call *hc)
{
    return run(hc, OPTOUT_REMOVE);
}

static enum err check_run(struct http_call *hc)
{
    return run(hc, OPTOUT_CHECK);
}

/* -- a sender's list -------------------------------------------------------------------------------------------------- */

static void on_listed(void *arg, enum err err, const struct optout_entry *list, size_t n, bool more)
{
    struct http_call *hc = arg;
    if (operator_unstored(hc, err))
        return;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    for (size_t i = 0; i < n; i++) {
        jw_object(&w, NULL);
        jw_text(&w, "to", list[i].to);
        jw_time(&w, "optedOutOn", list[i].at_us);
        if (list[i].source.n)
            jw_text(&w, "source", list[i].source);
        if (list[i].about[0])
            jw_textz(&w, "messageId", list[i].about);
        jw_end(&w);
    }
    jw_end(&w);
    if (more)
        jw_text(&w, "nextLink", http_next_link(hc, "after", list[n - 1].to));
    jw_end(&w);
    http_reply(hc, 200);
}

static enum err list_get(struct http_call *hc)
{
    int64_t top;
    struct optout_page page = { .resource = operator_sees(hc), .from = http_query(hc, "from"), .after = http_query(hc, "after") };
    enum err err = http_query_only(hc, "from", "after", "top");
    if (!err)
        err = http_query_int(hc, "top", 1, LISTED_MOST, LISTED, &top);
    if (err)
        return err;
    page.top = (size_t)top;
    return messages_optouts_list(hc->api->messages, &page, on_listed, hc, &hc->why);
}

const struct http_route optouts_routes[] = {
    { "POST", "/sms/optouts:add", HTTP_RESOURCE, request_read, add_run, "OptOuts_Add", TEST, "2024-12-10" },
    { "POST", "/sms/optouts:remove", HTTP_RESOURCE, request_read, remove_run, "OptOuts_Remove", TEST, "2024-12-10" },
    { "POST", "/sms/optouts:check", HTTP_RESOURCE, request_read, check_run, "OptOuts_Check", TEST, "2024-12-10" },
    { "GET", V1 "/optouts", HTTP_OPERATOR, NULL, list_get, "Carterfone_ListOptOuts", TEST },
    { 0 },
};
