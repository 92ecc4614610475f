/* operator_smsguards.c - what holds text messages back or refuses them; and messages that are to go no more. */
#include "base/str.h"
#include "domain/messages/esmes.h"
#include "domain/messages/guards.h"
#include "domain/rules.h"
#include "edge/api/operator_priv.h"

#include <stdio.h>

static const struct json_shape shapes[] = {
    { "name", JSON_IS_TEXT },     { "kind", JSON_IS_TEXT },             { "match", JSON_IS_TEXT },    { "on", JSON_IS_BOOL },
    { "count", JSON_IS_INTEGER }, { "windowSeconds", JSON_IS_INTEGER }, { "burst", JSON_IS_INTEGER }, { "factor", JSON_IS_INTEGER },
    { "excess", JSON_IS_TEXT },   { "from", JSON_IS_TEXT },             { "until", JSON_IS_TEXT },    { "handling", JSON_IS_TEXT },
    { "language", JSON_IS_TEXT },
};

static enum err invalid(struct problem *why, const char *name, const char *what)
{
    enum err err = rule_problem(why, ERR_RANGE, RULE_GUARD_FIELD_INVALID, name, what);
    problem_target(why, "%s", name);
    return err;
}

static bool is_given(const struct json *j, const char *name)
{
    return json_kind(json_member(j, name)) != JSON_IS_ABSENT;
}

static enum err text_read(const struct json *j, const char *name, char *dst, size_t size, struct problem *why)
{
    struct str text = json_text_of(j, name);
    char most[64];
    if (!is_given(j, name))
        return ERR_NONE;
    if (text.n < size && str_find(text, '\0') < 0) {
        str_copyz(dst, size, text);
        return ERR_NONE;
    }
    snprintf(most, sizeof most, "at most %zu octets long", size - 1);
    return invalid(why, name, most);
}

static uint32_t number(const struct json *j, const char *name, uint32_t otherwise)
{
    int64_t v = json_int_of(j, name, otherwise);
    return v >= 0 && v <= UINT32_MAX ? (uint32_t)v : UINT32_MAX;
}

/* "21:00" */
static enum err minute_read(const struct json *j, const char *name, uint16_t *out, struct problem *why)
{
    struct str text = json_text_of(j, name), hours, minutes;
    uint64_t h = 0, m = 0;
    if (!is_given(j, name))
        return ERR_NONE;
    if (!str_cut(text, ':', &hours, &minutes) || hours.n > 2 || minutes.n != 2 || str_u64(hours, 23, &h) || str_u64(minutes, 59, &m))
        return invalid(why, name, "a time of the day, such as 21:00");
    *out = (uint16_t)(h * 60 + m);
    return ERR_NONE;
}

static enum err kind_read(const struct json *j, struct sms_guard *g, struct problem *why)
{
    struct str excess = json_text_of(j, "excess");
    if (is_given(j, "kind") && guard_kind_read(json_text_of(j, "kind"), &g->kind))
        return invalid(why, "kind", "sender, resource, prefix, carrier, pumping, quiet, optout or reply");
    if (is_given(j, "handling") && optout_handling_read(json_text_of(j, "handling"), &g->handling))
        return invalid(why, "handling", "carrier, platform or none");
    if (is_given(j, "excess") && !str_eqz(excess, "wait") && !str_eqz(excess, "refuse"))
        return invalid(why, "excess", "wait or refuse");
    if (is_given(j, "excess"))
        g->refuses = str_eqz(excess, "refuse");
    return ERR_NONE;
}

/* A prefix may be written with '+'. */
static enum err match_read(const struct json *j, struct sms_guard *g, struct problem *why)
{
    bool digits = g->kind == GUARD_PREFIX || g->kind == GUARD_PUMPING;
    enum err err = text_read(j, "match", g->match, sizeof g->match, why);
    if (!err && digits && g->match[0] == '+')
        memmove(g->match, g->match + 1, strlen(g->match));
    return err;
}

/* What is absent stays as it is. */
static enum err guard_read(struct http_call *hc, struct sms_guard *g)
{
    const struct json *j = hc->json;
    if (json_kind(j) != JSON_IS_OBJECT)
        return rule_problem(&hc->why, ERR_RANGE, RULE_REQUEST_INVALID, "the body: it must be a JSON object");
    enum err err = json_expect(j, shapes, ARRAY_LEN(shapes), &hc->why);
    if (!err)
        err = kind_read(j, g, &hc->why);
    if (!err)
        err = match_read(j, g, &hc->why);
    if (!err)
        err = text_read(j, "language", g->language, sizeof g->language, &hc->why);
    if (!err)
        err = minute_read(j, "from", &g->from, &hc->why);
    if (!err)
        err = minute_read(j, "until", &g->until, &hc->why);
    g->on = json_bool_of(j, "on", g->on);
    g->count = number(j, "count", g->count);
    g->window_s = number(j, "windowSeconds", g->window_s);
    g->burst = number(j, "burst", g->burst);
    g->factor = number(j, "factor", g->factor);
    return err;
}

static void on_changed(void *arg, enum err err, const struct problem *why)
{
    struct http_call *hc = arg;
    const struct sms_guard *g = hc->user;
    struct sms_guard now;
    if (err && !why->rule[0]) {
        operator_unstored(hc, err);
        return;
    }
    if (err) {
        hc->why = *why;
        http_fail(hc, err);
        return;
    }
    if (!g || messages_guard_get(hc->api->messages, str_of(g->name), &now, &hc->why)) {
        http_reply(hc, 204);
        return;
    }
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    sms_guard_write(&now, &w);
    messages_guard_note(hc->api->messages, &now, &w);
    jw_end(&w);
    http_reply(hc, strcmp(hc->method, "POST") == 0 ? 201 : 200);
}

static struct sms_guard *guard_new(struct http_call *hc)
{
    struct sms_guard *g = arena_one(hc->arena, struct sms_guard);
    hc->user = g;
    return g;
}

enum err sms_guards_post(struct http_call *hc)
{
    enum err err = operator_only(hc);
    struct sms_guard *g = err ? NULL : guard_new(hc);
    if (!g)
        return err ? err : ERR_NOMEM;
    *g = (struct sms_guard){ .on = true, .window_s = 60, .factor = 5 };
    err = text_read(hc->json, "name", g->name, sizeof g->name, &hc->why);
    if (!err && !is_given(hc->json, "kind"))
        err = invalid(&hc->why, "kind", "sender, resource, prefix, carrier, pumping, quiet, optout or reply");
    if (!err)
        err = guard_read(hc, g);
    return err ? err : messages_guard_add(hc->api->messages, g, on_changed, hc, &hc->why);
}

enum err sms_guard_patch(struct http_call *hc)
{
    enum err err = operator_only(hc);
    struct sms_guard *g = err ? NULL : guard_new(hc);
    if (!g)
        return err ? err : ERR_NOMEM;
    err = messages_guard_get(hc->api->messages, hc->params[0], g, &hc->why);
    if (!err && is_given(hc->json, "kind") && !str_eqz(json_text_of(hc->json, "kind"), guard_kind_word(g->kind)))
        err = invalid(&hc->why, "kind", "as it was: add another guard instead");
    if (!err)
        err = guard_read(hc, g);
    return err ? err : messages_guard_change(hc->api->messages, g, on_changed, hc, &hc->why);
}

enum err sms_guard_delete(struct http_call *hc)
{
    enum err err = operator_only(hc);
    return err ? err : messages_guard_remove(hc->api->messages, hc->params[0], on_changed, hc, &hc->why);
}

enum err sms_guards_get(struct http_call *hc)
{
    enum err err = operator_only(hc);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    messages_write_guards(hc->api->messages, &w);
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

/* -- a message that is to go no more --------------------------------------------------------------------------------------- */

static void on_cancelled(void *arg, enum err err)
{
    struct http_call *hc = arg;
    if (err == ERR_CONFLICT)
        http_fail(hc, rule_problem(&hc->why, err, RULE_MESSAGE_NOT_CANCELLED));
    else if (err)
        operator_unstored(hc, err);
    else
        http_reply(hc, 204);
}

enum err message_cancel_post(struct http_call *hc)
{
    struct sms_named named = { .resource = operator_sees(hc), .id = hc->params[0], .by = "it was taken back" };
    enum err err = messages_cancel(hc->api->messages, &named, on_cancelled, hc);
    if (err == ERR_CONFLICT)
        return rule_problem(&hc->why, err, RULE_MESSAGE_NOT_WAITING);
    if (err == ERR_ABSENT)
        problem_set(&hc->why, err, "NotFound", "There is no such message, or it is not yours.");
    return err;
}
