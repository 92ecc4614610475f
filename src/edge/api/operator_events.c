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

enum err events_get(struct http_call *hc)
{
    int64_t wait_s = 0;
    enum err err = http_query_int(hc, "wait", 0, WAIT_MAX_S, 0, &wait_s);
    if (err)
        return err;
    struct events_query q = { .resource = operator_sees(hc), .after = http_query(hc, "after"),
                              .type = http_query(hc, "type"), .wait_us = wait_s * US_PER_S };
    return events_list(hc->api->events, &q, operator_answer_json, hc, &hc->why);
}
