/* operator_look.c - messages, calls and why things went as they did. */
#include "domain/rules.h"
#include "edge/api/operator_priv.h"

enum { LISTED = 100, LISTED_MOST = 1000 };

/* An error that a domain function returned at once without words of its own. */
static enum err say(struct http_call *hc, enum err err)
{
    if (err == ERR_ABSENT && !hc->why.code[0])
        problem_set(&hc->why, err, "NotFound", "There is no such thing, or it is not yours.");
    return err;
}

enum err messages_get_all(struct http_call *hc)
{
    static const char *const known[] = { "limit" };
    int64_t  limit;
    enum err err = http_query_known(hc, known, ARRAY_LEN(known));
    if (!err)
        err = http_query_int(hc, "limit", 1, LISTED_MOST, LISTED, &limit);
    return err ? err : say(hc, messages_list(hc->api->messages, operator_sees(hc), (size_t)limit, operator_answer_json, hc));
}

enum err messages_get_one(struct http_call *hc)
{
    return say(hc, messages_show(hc->api->messages, operator_sees(hc), hc->params[0], operator_answer_json, hc));
}

/* -- calls --------------------------------------------------------------------------------------------------------- */

enum err calls_get_all(struct http_call *hc)
{
    static const char *const known[] = { "before", "limit" };
    int64_t  limit;
    enum err err = http_query_known(hc, known, ARRAY_LEN(known));
    if (!err)
        err = http_query_int(hc, "limit", 1, LISTED_MOST, LISTED, &limit);
    if (err)
        return err;
    const struct calls_query q = { .resource = operator_sees(hc), .before = http_query(hc, "before"),
                                   .link = http_next_link(hc, "before", STR("")), .limit = (size_t)limit };
    err = calls_list(hc->api->calls, &q, operator_answer_json, hc);
    if (err == ERR_RANGE) {
        rule_problem(&hc->why, err, RULE_QUERY_UNREADABLE, "before", "the id of a call");
        problem_target(&hc->why, "before");
    }
    return say(hc, err);
}

enum err calls_get_one(struct http_call *hc)
{
    return say(hc, calls_show(hc->api->calls, operator_sees(hc), hc->params[0], operator_answer_json, hc));
}

static void on_call_done(void *arg, enum err err, const struct call_view *view, const struct problem *why)
{
    struct http_call *hc = arg;
    if (err) {
        hc->why = *why;
        http_fail(hc, err);
        return;
    }
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    if (view) {
        jw_textz(&w, "id", view->id);
        jw_textz(&w, "callConnectionId", view->id);
        jw_textz(&w, "kind", "call");
        jw_textz(&w, "direction", view->outbound ? "outbound" : "inbound");
        jw_textz(&w, "state", call_progress_word(view->progress));
        jw_text(&w, "from", view->from);
        jw_text(&w, "to", view->to);
    }
    jw_end(&w);
    http_reply(hc, 200);
}

enum err calls_post(struct http_call *hc)
{
    struct call_new rq = { .resource = operator_sees(hc), .from = json_text_of(hc->json, "from"),
                           .to = json_text_of(hc->json, "to"), .callback_uri = json_text_of(hc->json, "callbackUri"),
                           .play = json_text_of(hc->json, "play") };
    return calls_create(hc->api->calls, &rq, on_call_done, hc, &hc->why);
}

enum err calls_post_hangup(struct http_call *hc)
{
    return calls_hang_up(hc->api->calls, operator_sees(hc), hc->params[0], true, (struct str){ "", 0 }, on_call_done, hc,
                         &hc->why);
}

/* -- explain --------------------------------------------------------------------------------------------------------- */

/* The rows that an id means may be gone, or another's: that is said only now. */
static void on_explained(void *arg, enum err err, struct str json)
{
    struct http_call *hc = arg;
    if (err == ERR_ABSENT) {
        problem_set(&hc->why, err, "NotFound",
                    "Nothing is kept under '" STR_FMT "': it never was, is another resource's, or its retention is over.",
                    STR_ARG(hc->params[0]));
        problem_target(&hc->why, "id");
        http_fail(hc, err);
        return;
    }
    operator_answer_json(arg, err, json);
}

enum err explain_get(struct http_call *hc)
{
    return explain_ask(hc->api->explain, operator_sees(hc), hc->params[0], on_explained, hc, &hc->why);
}
