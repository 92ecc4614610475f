/* preview_api.c - what a text would be before it is sent: its alphabet, its segments, which characters cost, what it would cost. */
#include "base/str.h"
#include "codec/gsm7/gsm7.h"
#include "domain/messages/messages.h"
#include "domain/rules.h"
#include "edge/api/operator_priv.h"

enum { UNUSUAL_SHOWN = 20 };

struct preview_rq {
    struct sms_send    send;
    const struct json *to;
    struct str         resource;
};

static const struct json_field fields[] = {
    JSON_TEXT_FIELD(struct preview_rq, send.from, "from", false, 1, 64),
    JSON_TEXT_FIELD(struct preview_rq, send.text, "message", true, 0, SMS_TEXT_MAX_UNITS),
    JSON_TEXT_FIELD(struct preview_rq, resource, "resource", false, 1, 64),
    JSON_ANY_FIELD(struct preview_rq, to, "to", false),
};

static enum err recipients_bad(struct http_call *hc, const char *text)
{
    enum err err = problem_set(&hc->why, ERR_RANGE, "BadRequest", "%s", text);
    problem_target(&hc->why, "to");
    return err;
}

static enum err recipients_read(struct http_call *hc, struct preview_rq *rq)
{
    size_t n = json_count(rq->to);
    if (!rq->to)
        return ERR_NONE;
    if (json_kind(rq->to) != JSON_IS_ARRAY || n > SMS_RECIPIENTS_MAX)
        return recipients_bad(hc, "'to' must be a list of at most 100 numbers.");
    if (n && !rq->send.from.n)
        return recipients_bad(hc, "Who may be texted, and for how much, depends on the sender: say 'from'.");
    struct sms_recipient *list = arena_array(hc->arena, n ? n : 1, sizeof *list);
    if (!list)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        if (json_kind(json_item(rq->to, i)) != JSON_IS_TEXT)
            return recipients_bad(hc, "Each of 'to' must be a number as text.");
        list[i].to = json_text(json_item(rq->to, i));
    }
    rq->send.recipients = list;
    rq->send.n = n;
    return ERR_NONE;
}

enum err preview_read(struct http_call *hc)
{
    struct preview_rq *rq = arena_one(hc->arena, struct preview_rq);
    if (!rq)
        return ERR_NOMEM;
    hc->rq = rq;
    enum err err = json_fill(hc->json, fields, ARRAY_LEN(fields), rq, hc->arena, &hc->why);
    if (!err)
        err = recipients_read(hc, rq);
    if (!err && rq->send.n && !rq->send.text.n) {       /* as sending says */
        err = rule_problem(&hc->why, ERR_RANGE, RULE_MESSAGE_EMPTY);
        problem_target(&hc->why, "message");
    }
    return err;
}

/* -- the text --------------------------------------------------------------------------------------------------------- */

static bool seen(struct str text, size_t before, struct str c)
{
    for (size_t at = 0, next = 0; at < before; at = next) {
        utf8_next(text, &next);
        if (str_eq(c, (struct str){ text.p + at, next - at }))
            return true;
    }
    return false;
}

/* Those that made it UCS-2, in order of appearance, each once. */
static void write_unusual(struct jw *w, struct str text)
{
    unsigned shown = 0;
    jw_array(w, "outsideGsm7");
    for (size_t at = 0, next = 0; at < text.n && shown < UNUSUAL_SHOWN; at = next) {
        utf8_next(text, &next);
        struct str c = { text.p + at, next - at };
        if (gsm7_fits(c) || seen(text, at, c))
            continue;
        jw_text(w, NULL, c);
        shown++;
    }
    jw_end(w);
}

static void write_text(struct jw *w, struct str text, const struct sms_split *split)
{
    unsigned room = sms_room(split), last = 0;
    jw_textz(w, "encoding", split->alphabet == SMS_GSM7 ? "GSM-7" : "UCS-2");
    jw_int(w, "units", sms_units(split->alphabet, text));
    jw_int(w, "unitsPerSegment", room);
    jw_int(w, "segments", split->count);
    jw_array(w, "parts");
    for (unsigned i = 0; i < split->count; i++) {
        struct str part = { text.p + split->part[i].at, split->part[i].n };
        last = sms_units(split->alphabet, part);
        jw_object(w, NULL);
        jw_int(w, "units", last);
        jw_text(w, "text", part);
        jw_end(w);
    }
    jw_end(w);
    jw_int(w, "unitsLeft", room - last);
    if (split->alphabet != SMS_GSM7)
        write_unusual(w, text);
}

static void write_forecast(struct jw *w, const struct sms_forecast *list, size_t n)
{
    char words[SMS_REFUSAL_WORDS];
    int64_t micro = 0;
    jw_array(w, "recipients");
    for (size_t i = 0; i < n; i++) {
        jw_object(w, NULL);
        jw_text(w, "to", list[i].to);
        jw_bool(w, "accepted", !list[i].refused);
        if (list[i].refused)
            jw_textz(w, "errorMessage", sms_refusal_words(&list[i].refusal, words));
        if (list[i].refused && list[i].refusal.why.rule[0])
            jw_textz(w, "rule", list[i].refusal.why.rule);
        if (list[i].refused && list[i].refusal.service)
            jw_textz(w, "suggestion", list[i].refusal.why.suggestion);
        if (!list[i].refused)
            jw_int(w, "microUsd", list[i].micro);
        micro += list[i].micro;
        jw_end(w);
    }
    jw_end(w);
    jw_int(w, "microUsd", micro);
}

enum err preview_post(struct http_call *hc)
{
    struct preview_rq *rq = hc->rq;
    struct sms_split split;
    struct sms_forecast *list = arena_array(hc->arena, rq->send.n + 1, sizeof *list);
    const struct resource *r = NULL;
    enum err err = list ? sms_split(&split, rq->send.text) : ERR_NOMEM;
    if (!err && rq->send.from.n)
        err = operator_resource(hc, rq->resource, &r);
    if (!err && r) {
        rq->send.resource = r->key;
        err = messages_preview(hc->api->messages, &rq->send, list, &hc->why);
    }
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    write_text(&w, rq->send.text, &split);
    if (rq->send.n)
        write_forecast(&w, list, rq->send.n);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}
