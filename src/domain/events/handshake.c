/* handshake.c - proving that an endpoint wants our events.
 *
 * Event Grid schema: POST a SubscriptionValidation event; the endpoint answers 200 {"validationResponse": code}, or
 * somebody opens the validation URL within ten minutes. CloudEvents 1.0: OPTIONS with WebHook-Request-Origin, answered
 * with WebHook-Allowed-Origin (CloudEvents "HTTP 1.1 Web Hooks", 4). */
#include "domain/events/events_priv.h"

#include <stdio.h>

static const int64_t ANSWER_WITHIN_US = 30 * (int64_t)US_PER_S;
enum { MAX_ANSWER = 64 * 1024 };
#define ORIGIN "carterfone.local"

static void validation_event(const struct event_subscription *s, struct buf *out)
{
    char guid[GUID_SIZE];
    struct events *ev = s->ev;
    ids_guid(ev->control->ids, ID_EVENT_SUBSCRIPTION, s->key, guid);
    struct jw w = jw_of(out);
    jw_array(&w, NULL);
    jw_object(&w, NULL);
    jw_textz(&w, "id", s->code);
    jw_textz(&w, "topic", "/carterfone/eventSubscriptions");
    jw_textz(&w, "subject", "");
    jw_object(&w, "data");
    jw_textz(&w, "validationCode", s->code);
    jw_printf(&w, "validationUrl", "%s/carterfone/v1/eventSubscriptions/%s/:validate?code=%s", ev->base_url, guid,
              s->code);
    jw_end(&w);
    jw_textz(&w, "eventType", "Microsoft.EventGrid.SubscriptionValidationEvent");
    jw_time(&w, "eventTime", control_now_us(ev->control));
    jw_textz(&w, "metadataVersion", "1");
    jw_textz(&w, "dataVersion", "2");
    jw_end(&w);
    jw_end(&w);
}

static bool answered_code(const struct event_subscription *s, const struct courier_reply *r)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    return r->status == 200 && !json_read(&doc, r->body, NULL)
        && str_eqz(json_text_of(json_root(doc), "validationResponse"), s->code);
}

static bool allowed_us(const struct courier_reply *r)
{
    struct str origin = str_trim(str_of(r->allowed_origin));
    return r->status >= 200 && r->status < 300 && (str_eqz(origin, "*") || str_eq_nocase(origin, STR(ORIGIN)));
}

static enum err refused(struct problem *why, const char *format, const char *word, int status)
{
    struct problem p;
    problem_set(&p, ERR_RANGE, "EndpointValidationFailed", format, word, status);
    problem_target(&p, "endpointUrl");
    problem_rule(&p, "EndpointMustProveItself",
                 "Answer the validation request of the schema you chose; docs/events.md shows both handshakes.");
    *why = p;
    return ERR_RANGE;
}

static enum err judge(const struct event_subscription *s, const struct courier_reply *r, struct problem *why)
{
    if (r->err) {
        struct problem p;
        problem_set(&p, ERR_RANGE, "EndpointValidationFailed", "The endpoint could not be reached: %s.",
                    r->words[0] ? r->words : err_words(r->err));
        problem_target(&p, "endpointUrl");
        problem_rule(&p, "EndpointMustProveItself", "Start the endpoint first, then subscribe again.");
        *why = p;
        return ERR_RANGE;
    }
    if (s->cloud)
        return allowed_us(r) ? ERR_NONE
                             : refused(why, "The endpoint answered OPTIONS without WebHook-Allowed-Origin: %s (HTTP %d).",
                                       ORIGIN, r->status);
    if (answered_code(s, r))
        return ERR_NONE;
    if (r->status == 200)
        return ERR_BUSY;                /* it may open the validation URL yet */
    return refused(why, "The endpoint did not answer the validation event with 200 and its code (%s, HTTP %d).",
                   "validationResponse", r->status);
}

static void on_handshake(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct courier_reply *r = container_of(item, struct courier_reply, item);
    struct event_subscription *s = map_find(r->ev->subscriptions, r->id);
    if (s) {
        struct problem why = { 0 };
        enum err err = judge(s, r, &why);
        if (s->gone)
            err = ERR_CLOSED;
        events_subscribed(s, err, &why);
    }
    courier_reply_free(r);
}

static void drop_reply(struct inbox_item *item)
{
    courier_reply_free(container_of(item, struct courier_reply, item));
}

static const struct inbox_kind handshake_kind = { "events.handshake", on_handshake, drop_reply };

static void courier_done(void *arg, const struct courier_outcome *o)
{
    courier_reply_post(arg, &handshake_kind, o);
}

enum err handshake_start(struct event_subscription *s)
{
    scoped_buf body = { 0 };
    struct courier_request rq = { .id = s->key, .url = str_of(s->url), .timeout_us = ANSWER_WITHIN_US,
                                  .max_body = MAX_ANSWER, .done = courier_done, .arg = s->ev };
    if (s->cloud) {
        rq.method = "OPTIONS";
        rq.headers[0] = STR("WebHook-Request-Origin: " ORIGIN);
        rq.headers[1] = STR("WebHook-Request-Rate: 1000");
    } else {
        validation_event(s, &body);
        rq.method = "POST";
        rq.body = buf_str(&body);
        rq.headers[0] = STR("Content-Type: application/json; charset=utf-8");
        rq.headers[1] = STR("aeg-event-type: SubscriptionValidation");
    }
    return body.bad ? ERR_NOMEM : s->ev->courier->send(s->ev->courier_self, &rq);
}
