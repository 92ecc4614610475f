/* operator_look.c - messages, calls and why things went as they did. */
#include "base/clock.h"
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

static enum err unreadable(struct http_call *hc, const char *name, const char *want)
{
    rule_problem(&hc->why, ERR_RANGE, RULE_QUERY_UNREADABLE, name, want);
    problem_target(&hc->why, "%s", name);
    return ERR_RANGE;
}

static enum err query_time(struct http_call *hc, const char *name, int64_t *us)
{
    struct str text = http_query(hc, name);
    if (!text.n || (!time_iso8601_read(text, us) && *us >= 0))
        return ERR_NONE;
    return unreadable(hc, name, "a time such as 2020-12-01T00:00:00Z");
}

enum err messages_get_all(struct http_call *hc)
{
    int64_t top;
    struct sms_query q = { .resource = operator_sees(hc), .from = http_query(hc, "from"), .to = http_query(hc, "to"), .tag = http_query(hc, "tag"),
                           .state = http_query(hc, "state"), .before = http_query(hc, "before"), .link = http_next_link(hc, "before", STR("")) };
    enum err err = http_query_only(hc, "from", "to", "tag", "state", "since", "until", "before", "limit");
    if (!err)
        err = http_query_int(hc, "limit", 1, LISTED_MOST, LISTED, &top);
    if (!err)
        err = query_time(hc, "since", &q.since_us);
    if (!err)
        err = query_time(hc, "until", &q.until_us);
    if (err)
        return err;
    q.top = (size_t)top;
    err = messages_list(hc->api->messages, &q, operator_answer_json, hc);
    if (err == ERR_SYNTAX)
        return unreadable(hc, "state", "queued, submitted, delivered, failed, unknown or received");
    if (err == ERR_RANGE)
        return unreadable(hc, "before", "the id of a message");
    return say(hc, err);
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
    if (err == ERR_RANGE)
        return unreadable(hc, "before", "the id of a call");
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
