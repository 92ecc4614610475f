/* operator_events.c - event subscriptions and reading events back. */
#include "domain/rules.h"
#include "edge/api/operator_priv.h"

enum { WAIT_MAX_S = 60 };

static const struct json_shape settings_shapes[] = {
    { "name", JSON_IS_TEXT },        { "endpointUrl", JSON_IS_TEXT }, { "schema", JSON_IS_TEXT },    { "batch", JSON_IS_INTEGER },
    { "bearerToken", JSON_IS_TEXT }, { "hmacKey", JSON_IS_TEXT },     { "filter", JSON_IS_OBJECT }, { "eventTypes", JSON_IS_ARRAY },
    { "deliveryHeaders", JSON_IS_OBJECT },
};

static enum err subscription_key(struct http_call *hc, uint64_t *key)
{
    if (!ids_guid_read(hc->api->control->ids, ID_EVENT_SUBSCRIPTION, hc->params[0], key))
        return ERR_NONE;
    return problem_set(&hc->why, ERR_ABSENT, "NotFound", "There is no such event subscription.");
}

enum err event_subscriptions_get(struct http_call *hc)
{
    enum err err = http_query_known(hc, NULL, 0);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    events_write_subscriptions(hc->api->events, operator_sees(hc), &w);
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

/* With a signing key that was made for it: shown this once. */
static void subscription_write(struct http_call *hc, uint64_t key)
{
    char made[EVENT_KEY_SIZE];
    struct jw w = jw_of(&hc->out);
    events_take_new_key(hc->api->events, key, made);
    if (!events_write_subscription(hc->api->events, key, &w, NULL) || !made[0] || hc->out.bad)
        return;
    hc->out.n--;                        /* one member more before the brace */
    buf_printf(&hc->out, ",\"hmacKey\":\"%s\"}", made);
    memset(made, 0, sizeof made);
}

static void on_subscribed(void *arg, enum err err, uint64_t key, const struct problem *why)
{
    struct http_call *hc = arg;
    if (err) {
        hc->why = *why;
        http_fail(hc, err);
        return;
    }
    subscription_write(hc, key);
    http_reply(hc, 201);
}

static enum err field_bad(struct http_call *hc, const char *field, const char *text)
{
    enum err err = problem_set(&hc->why, ERR_RANGE, "BadRequest", "%s", text);
    problem_target(&hc->why, "%s", field);
    return err;
}

/* What this server sends. A type that never comes is refused: a subscriber would wait for it in vain. */
static const char *const sent_types[] = { "SMSReceived", "SMSDeliveryReportReceived", "IncomingCall" };

static enum err type_check(struct http_call *hc, struct str type)
{
    static const struct str space = { "Microsoft.Communication.", 24 };
    for (size_t i = 0; i < ARRAY_LEN(sent_types); i++)
        if (str_starts(type, space) && str_eqz(str_from(type, space.n), sent_types[i]))
            return ERR_NONE;
    enum err err = problem_set(&hc->why, ERR_RANGE, "BadRequest", "No event of type '" STR_FMT "' is ever sent by this server.",
                               STR_ARG(type));
    problem_target(&hc->why, "eventTypes");
    problem_rule(&hc->why, "EventTypeUnknown", "Types are Microsoft.Communication.%s, .%s and .%s.", sent_types[0], sent_types[1],
                 sent_types[2]);
    return err;
}

static enum err types_read(struct http_call *hc, struct str *types)
{
    const struct json *list = json_member(hc->json, "eventTypes");
    struct buf joined = { 0 };
    for (size_t i = 0; i < json_count(list); i++) {
        struct str type = json_text(json_item(list, i));
        if (!type.n || str_find(type, ',') >= 0) {
            buf_done(&joined);
            return field_bad(hc, "eventTypes", "eventTypes is a list of full event type names.");
        }
        enum err err = type_check(hc, type);
        if (err) {
            buf_done(&joined);
            return err;
        }
        if (i)
            buf_putc(&joined, ',');
        buf_puts(&joined, type);
    }
    *types = arena_str(hc->arena, buf_str(&joined));
    buf_done(&joined);
    return types->p ? ERR_NONE : ERR_NOMEM;
}

/* 0: not given. */
static enum err batch_read(struct http_call *hc, unsigned *batch)
{
    int64_t n = json_int_of(hc->json, "batch", 1);
    if (n < 1 || n > EVENT_BATCH_MAX) {
        enum err err = rule_problem(&hc->why, ERR_RANGE, RULE_DELIVERY_SETTING_INVALID, "batch", "1 to 100 events in one POST");
        problem_target(&hc->why, "batch");
        return err;
    }
    *batch = json_kind(json_member(hc->json, "batch")) == JSON_IS_ABSENT ? 0 : (unsigned)n;
    return ERR_NONE;
}

enum err event_subscriptions_post(struct http_call *hc)
{
    const struct resource *r = NULL;
    struct str schema = json_text_of(hc->json, "schema");
    struct event_subscription_new n = { .name = json_text_of(hc->json, "name"),
                                        .url = json_text_of(hc->json, "endpointUrl"),
                                        .filter = json_member(hc->json, "filter"),
                                        .settings = hc->json,
                                        .cloud = str_eqz(schema, "cloudevents") };
    enum err err = operator_resource(hc, json_text_of(hc->json, "resource"), &r);
    if (!err)
        err = json_expect(hc->json, settings_shapes, ARRAY_LEN(settings_shapes), &hc->why);
    if (!err && schema.n && !n.cloud && !str_eqz(schema, "eventgrid"))
        err = field_bad(hc, "schema", "schema is eventgrid or cloudevents.");
    if (!err)
        err = batch_read(hc, &n.batch);
    if (!err)
        err = types_read(hc, &n.types);
    if (err)
        return err;
    n.resource = r->key;
    return events_subscribe(hc->api->events, &n, on_subscribed, hc, &hc->why);
}

/* Somebody else's subscription is not there for a resource's key. */
static enum err own_subscription_key(struct http_call *hc, uint64_t *key)
{
    enum err err = subscription_key(hc, key);
    uint64_t resource = err ? 0 : events_subscription_resource(hc->api->events, *key), sees = operator_sees(hc);
    if (!err && (!resource || (sees && sees != resource)))
        err = problem_set(&hc->why, ERR_ABSENT, "NotFound", "There is no such event subscription.");
    return err;
}

static void on_ended(void *arg, enum err err)
{
    struct http_call *hc = arg;
    if (err && err != ERR_CONFLICT) {
        problem_set(&hc->why, err, "ServiceUnavailable", "The end of the subscription could not be stored: %s.", err_words(err));
        http_fail(hc, err);
        return;
    }
    http_reply(hc, 204);
}

enum err event_subscriptions_show(struct http_call *hc)
{
    uint64_t key = 0;
    enum err err = own_subscription_key(hc, &key);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    events_write_subscription(hc->api->events, key, &w, NULL);
    http_reply(hc, 200);
    return ERR_NONE;
}

static void on_changed(void *arg, enum err err)
{
    struct http_call *hc = arg;
    uint64_t key = 0;
    if (!err)
        err = subscription_key(hc, &key);
    if (err) {
        problem_set(&hc->why, err, "ServiceUnavailable", "The change of the subscription could not be stored: %s.", err_words(err));
        http_fail(hc, err);
        return;
    }
    subscription_write(hc, key);
    http_reply(hc, 200);
}

/* What was proved stays: another endpoint or schema is another subscription. */
static enum err fixed_check(struct http_call *hc)
{
    static const char *const fixed[] = { "endpointUrl", "schema", "resource" };
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        if (json_kind(json_member(hc->json, fixed[i])) != JSON_IS_ABSENT) {
            enum err err = rule_problem(&hc->why, ERR_RANGE, RULE_EVENT_SUBSCRIPTION_FIXED, fixed[i]);
            problem_target(&hc->why, "%s", fixed[i]);
            return err;
        }
    return json_expect(hc->json, settings_shapes, ARRAY_LEN(settings_shapes), &hc->why);
}

enum err event_subscriptions_patch(struct http_call *hc)
{
    uint64_t key = 0;
    struct str types = { 0 };
    struct event_subscription_change c = { .name = json_text_of(hc->json, "name"), .filter = json_member(hc->json, "filter"),
                                           .settings = hc->json };
    enum err err = fixed_check(hc);
    if (!err)
        err = own_subscription_key(hc, &key);
    if (!err)
        err = batch_read(hc, &c.batch);
    if (!err && json_kind(json_member(hc->json, "eventTypes")) != JSON_IS_ABSENT) {
        err = types_read(hc, &types);
        c.types = &types;
    }
    return err ? err : events_change(hc->api->events, key, &c, on_changed, hc, &hc->why);
}

enum err event_subscriptions_delete(struct http_call *hc)
{
    uint64_t key = 0;
    enum err err = own_subscription_key(hc, &key);
    return err ? err : events_unsubscribe(hc->api->events, key, on_ended, hc);
}

static enum err validation_bad(struct http_call *hc)
{
    return problem_set(&hc->why, ERR_ABSENT, "NotFound", "This validation address is not valid, or no longer.");
}

static void on_validated(void *arg, enum err err)
{
    struct http_call *hc = arg;
    if (err) {
        if (err == ERR_ABSENT)
            validation_bad(hc);
        http_fail(hc, err);
        return;
    }
    buf_putz(&hc->out, "The event subscription is active.\n");
    http_reply_as(hc, 200, "text/plain; charset=utf-8");
}

enum err event_subscriptions_validate(struct http_call *hc)
{
    uint64_t key = 0;
    struct str code = http_query(hc, "code");
    enum err err = subscription_key(hc, &key);
    if (!err)
        err = events_validate(hc->api->events, key, code, on_validated, hc);
    return err == ERR_ABSENT || err == ERR_UNPROVEN ? validation_bad(hc) : err;
}

/* -- following -------------------------------------------------------------------------------------------------------- */

/* Server-sent events (HTML, 9.2): what came, then where to go on; the client comes back by itself with Last-Event-ID. */
static void sse_write(struct buf *out, const struct json *answer)
{
    const struct json *events = json_member(answer, "value");
    buf_putz(out, "retry: 200\n\n");
    for (size_t i = 0; i < json_count(events); i++) {
        const struct json *e = json_item(events, i);
        buf_printf(out, "id: " STR_FMT "\nevent: " STR_FMT "\ndata: ", STR_ARG(json_text_of(e, "id")),
                   STR_ARG(json_text_of(e, "eventType")));
        struct jw w = jw_of(out);
        jw_json(&w, NULL, e);
        buf_putz(out, "\n\n");
    }
    buf_printf(out, "id: " STR_FMT "\n\n", STR_ARG(json_text_of(answer, "last")));
}

static void answer_sse(void *arg, enum err err, struct str json)
{
    struct http_call *hc = arg;
    scoped(json_doc) struct json_doc *doc = NULL;
    if (!err)
        err = json_read(&doc, json, NULL);
    if (err) {
        operator_answer_json(hc, err, json);
        return;
    }
    sse_write(&hc->out, json_root(doc));
    http_answer_header(hc, "Cache-Control", "no-store");
    http_reply_as(hc, 200, "text/event-stream");
}

static enum err list(struct http_call *hc, struct events_query *q, events_listed_fn *answer)
{
    struct str text = http_query(hc, "filter");
    scoped(json_doc) struct json_doc *filter = NULL;
    if (text.n && json_read(&filter, text, NULL)) {
        enum err err = rule_problem(&hc->why, ERR_RANGE, RULE_QUERY_UNREADABLE, "filter", "JSON, as docs/events.md shows it");
        problem_target(&hc->why, "filter");
        return err;
    }
    q->filter = filter ? json_root(filter) : NULL;
    return events_list(hc->api->events, q, answer, hc, &hc->why);
}

enum err events_get(struct http_call *hc)
{
    enum { SSE_WAIT_S = 20 };
    bool sse = str_starts(http_header(hc, "accept"), STR("text/event-stream"));
    struct str last = sse ? http_header(hc, "last-event-id") : (struct str){ 0 };
    int64_t wait_s = 0;
    enum err err = http_query_only(hc, "after", "type", "filter", "wait");
    if (!err)
        err = http_query_int(hc, "wait", 0, WAIT_MAX_S, sse ? SSE_WAIT_S : 0, &wait_s);
    if (err)
        return err;
    struct events_query q = { .resource = operator_sees(hc), .after = last.n ? last : http_query(hc, "after"),
                              .type = http_query(hc, "type"), .wait_us = wait_s * US_PER_S };
    return list(hc, &q, sse ? answer_sse : operator_answer_json);
}

enum err events_show_get(struct http_call *hc)
{
    return events_show(hc->api->events, hc->params[0], operator_sees(hc), operator_answer_json, hc);
}

/* -- dead letters, and again ---------------------------------------------------------------------------------------- */

/* A subscription that the caller may see. */
static enum err subscription_named(struct http_call *hc, struct str guid, uint64_t *key)
{
    uint64_t sees = operator_sees(hc), resource = 0;
    if (!ids_guid_read(hc->api->control->ids, ID_EVENT_SUBSCRIPTION, guid, key))
        resource = events_subscription_resource(hc->api->events, *key);
    if (resource && (!sees || sees == resource))
        return ERR_NONE;
    problem_set(&hc->why, ERR_ABSENT, "NotFound", "There is no such event subscription.");
    problem_target(&hc->why, "subscription");
    return ERR_ABSENT;
}

enum err events_dead_get(struct http_call *hc)
{
    struct events_dead_query q = { .resource = operator_sees(hc) };
    int64_t limit = 0, before = 0;
    struct str subscription = http_query(hc, "subscription");
    enum err err = http_query_only(hc, "subscription", "limit", "before");
    if (!err)
        err = http_query_int(hc, "limit", 1, 100, 100, &limit);
    if (!err)
        err = http_query_int(hc, "before", 1, INT64_MAX, 0, &before);
    if (!err && subscription.n)
        err = subscription_named(hc, subscription, &q.subscription);
    q.limit = (size_t)limit;
    q.before = (uint64_t)before;
    q.link = http_next_link(hc, "before", STR(""));
    return err ? err : events_dead(hc->api->events, &q, operator_answer_json, hc);
}

static void on_replayed(void *arg, enum err err, size_t n)
{
    struct http_call *hc = arg;
    if (err) {
        problem_set(&hc->why, err, err == ERR_ABSENT ? "NotFound" : "ServiceUnavailable",
                    err == ERR_ABSENT ? "There is no such event, or it is kept no longer."
                                      : "Not all of it could be read or stored; %zu events are sent again.", n);
        http_fail(hc, err);
        return;
    }
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_int(&w, "deliveries", (int64_t)n);
    jw_end(&w);
    http_reply(hc, 202);
}

static enum err time_of(struct http_call *hc, const char *name, int64_t otherwise, int64_t *us)
{
    struct str text = json_text_of(hc->json, name);
    *us = otherwise;
    if (!text.n || !time_iso8601_read(text, us))
        return ERR_NONE;
    enum err err = rule_problem(&hc->why, ERR_RANGE, RULE_QUERY_UNREADABLE, name, "a time such as 2020-12-01T00:00:00Z");
    problem_target(&hc->why, "%s", name);
    return err;
}

enum err events_replay_post(struct http_call *hc)
{
    static const struct json_shape shapes[] = { { "eventId", JSON_IS_TEXT }, { "subscription", JSON_IS_TEXT },
                                                { "since", JSON_IS_TEXT },   { "until", JSON_IS_TEXT },
                                                { "dead", JSON_IS_BOOL } };
    struct events_replay_query q = { .resource = operator_sees(hc), .id = json_text_of(hc->json, "eventId"),
                                     .dead = json_bool_of(hc->json, "dead", false) };
    struct str subscription = json_text_of(hc->json, "subscription");
    bool range = json_text_of(hc->json, "since").n || json_text_of(hc->json, "until").n;
    enum err err = json_expect(hc->json, shapes, ARRAY_LEN(shapes), &hc->why);
    if (!err && (q.id.n ? q.dead || range : !subscription.n || (!q.dead && !range)))
        err = rule_problem(&hc->why, ERR_RANGE, RULE_REPLAY_UNCLEAR);
    if (!err && subscription.n)
        err = subscription_named(hc, subscription, &q.subscription);
    if (!err)
        err = time_of(hc, "since", 0, &q.since_us);
    if (!err)
        err = time_of(hc, "until", INT64_MAX, &q.until_us);
    return err ? err : events_replay(hc->api->events, &q, on_replayed, hc);
}
