/* operator_smsroutes.c - routes of text messages: which carrier takes which. */
#include "domain/messages/routes.h"
#include "domain/rules.h"
#include "edge/api/operator_priv.h"

#include <stdio.h>

static const struct json_shape shapes[] = {
    { "name", JSON_IS_TEXT },   { "prefix", JSON_IS_TEXT },      { "sender", JSON_IS_TEXT },      { "pool", JSON_IS_TEXT },
    { "carrier", JSON_IS_TEXT }, { "weight", JSON_IS_INTEGER },  { "priority", JSON_IS_INTEGER }, { "costMicro", JSON_IS_INTEGER },
};

static enum err text_read(const struct json *j, const char *name, char *dst, size_t size, struct problem *why)
{
    struct str text = json_text_of(j, name);
    if (json_kind(json_member(j, name)) == JSON_IS_ABSENT)
        return ERR_NONE;
    if (text.n < size && str_find(text, '\0') < 0) {
        str_copyz(dst, size, text);
        return ERR_NONE;
    }
    char most[64];
    snprintf(most, sizeof most, "at most %zu octets long", size - 1);
    enum err err = rule_problem(why, ERR_RANGE, RULE_ROUTE_FIELD_INVALID, name, most);
    problem_target(why, "%s", name);
    return err;
}

static uint32_t small(const struct json *j, const char *name, uint32_t otherwise)
{
    int64_t v = json_int_of(j, name, otherwise);
    return v >= 0 && v <= UINT32_MAX ? (uint32_t)v : UINT32_MAX;
}

/* What is absent stays as it is. */
static enum err route_read(struct http_call *hc, struct sms_route *r)
{
    const struct json *j = hc->json;
    char prefix[24] = "";
    if (json_kind(j) != JSON_IS_OBJECT)
        return rule_problem(&hc->why, ERR_RANGE, RULE_REQUEST_INVALID, "the body: it must be a JSON object");
    enum err err = json_expect(j, shapes, ARRAY_LEN(shapes), &hc->why);
    if (!err)
        err = text_read(j, "prefix", prefix, sizeof r->prefix + 1, &hc->why);
    if (!err && json_kind(json_member(j, "prefix")) != JSON_IS_ABSENT)
        str_copyz(r->prefix, sizeof r->prefix, str_of(prefix + (prefix[0] == '+')));
    if (!err)
        err = text_read(j, "sender", r->sender, sizeof r->sender, &hc->why);
    if (!err)
        err = text_read(j, "pool", r->pool, sizeof r->pool, &hc->why);
    if (!err)
        err = text_read(j, "carrier", r->carrier, sizeof r->carrier, &hc->why);
    r->weight = small(j, "weight", r->weight);
    r->priority = small(j, "priority", r->priority);
    r->cost_micro = json_int_of(j, "costMicro", r->cost_micro);
    return err;
}

static void on_changed(void *arg, enum err err, const struct problem *why)
{
    struct http_call *hc = arg;
    const struct sms_route *r = hc->user;
    if (err && !why->rule[0]) {
        operator_unstored(hc, err);
        return;
    }
    if (err) {
        hc->why = *why;
        http_fail(hc, err);
        return;
    }
    if (!r) {
        http_reply(hc, 204);
        return;
    }
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    sms_route_write(r, &w);
    jw_end(&w);
    http_reply(hc, strcmp(hc->method, "POST") == 0 ? 201 : 200);
}

static struct sms_route *route_new(struct http_call *hc)
{
    struct sms_route *r = arena_one(hc->arena, struct sms_route);
    hc->user = r;
    return r;
}

enum err sms_routes_post(struct http_call *hc)
{
    enum err err = operator_only(hc);
    struct sms_route *r = err ? NULL : route_new(hc);
    if (!r)
        return err ? err : ERR_NOMEM;
    *r = (struct sms_route){ .weight = 1, .priority = ROUTE_PRIORITY };
    err = text_read(hc->json, "name", r->name, sizeof r->name, &hc->why);
    if (!err)
        err = route_read(hc, r);
    return err ? err : messages_route_add(hc->api->messages, r, on_changed, hc, &hc->why);
}

enum err sms_route_patch(struct http_call *hc)
{
    enum err err = operator_only(hc);
    struct sms_route *r = err ? NULL : route_new(hc);
    if (!r)
        return err ? err : ERR_NOMEM;
    err = messages_route_get(hc->api->messages, hc->params[0], r, &hc->why);
    if (!err)
        err = route_read(hc, r);
    return err ? err : messages_route_change(hc->api->messages, r, on_changed, hc, &hc->why);
}

enum err sms_route_delete(struct http_call *hc)
{
    enum err err = operator_only(hc);
    return err ? err : messages_route_remove(hc->api->messages, hc->params[0], on_changed, hc, &hc->why);
}

enum err sms_routes_get(struct http_call *hc)
{
    enum err err = operator_only(hc);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    messages_write_routes(hc->api->messages, &w);
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

enum err sms_routes_why_get(struct http_call *hc)
{
    static const char *const known[] = { "from", "to" };
    enum err err = operator_only(hc);
    if (!err)
        err = http_query_known(hc, known, ARRAY_LEN(known));
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    err = messages_route_why(hc->api->messages, http_query(hc, "from"), http_query(hc, "to"), &w, &hc->why);
    jw_end(&w);
    if (!err)
        http_reply(hc, 200);
    return err;
}
