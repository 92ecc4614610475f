/* events ...: subscriptions, and following what happens without an endpoint. */
#include <stdio.h>

#include "base/clock.h"
#include "base/str.h"
#include "main/ctl_priv.h"

/* The FIELD of "FIELD=VALUE". */
static struct str field_of(const char *where)
{
    struct str field, value;
    str_cut(str_of(where), '=', &field, &value);
    return field;
}

/* --where with a field that was given before adds a value to it: of those one must be there. */
static void write_condition(const struct ctl *c, int first, struct jw *w)
{
    struct str  field = field_of(ctl_option_at(c, "where", first));
    const char *where;
    for (int i = 0; i < first; i++)
        if (str_eq(field_of(ctl_option_at(c, "where", i)), field))
            return;
    jw_object(w, NULL);
    jw_textz(w, "operatorType", "StringIn");
    jw_text(w, "key", field);
    jw_array(w, "values");
    for (int i = first; (where = ctl_option_at(c, "where", i)); i++)
        if (str_eq(field_of(where), field))
            jw_text(w, NULL, str_from(str_of(where), field.n + 1));
    jw_end(w);
    jw_end(w);
}

static int write_filter(const struct ctl *c, struct jw *w, const char *name)
{
    const char *where, *begins = ctl_option(c, "subject-begins"), *ends = ctl_option(c, "subject-ends");
    if (!begins && !ends && !ctl_option(c, "where"))
        return CTL_OK;
    jw_object(w, name);
    if (begins)
        jw_textz(w, "subjectBeginsWith", begins);
    if (ends)
        jw_textz(w, "subjectEndsWith", ends);
    jw_array(w, "advancedFilters");
    for (int i = 0; (where = ctl_option_at(c, "where", i)); i++) {
        if (!strchr(where, '='))
            return ctl_usage(c, "--where takes FIELD=VALUE, such as data.to.phoneNumber.value=+18445550100");
        write_condition(c, i, w);
    }
    jw_end(w);
    jw_end(w);
    return CTL_OK;
}

/* What may be set when subscribing and changed later. */
static int write_settings(const struct ctl *c, struct jw *w)
{
    const char *type;
    int64_t batch = 0;
    int rc = ctl_option_int(c, "batch", 1, 100, 0, &batch);
    if (rc)
        return rc;
    if (ctl_option(c, "name"))
        jw_textz(w, "name", ctl_option(c, "name"));
    if (batch)
        jw_int(w, "batch", batch);
    if (ctl_option(c, "bearer"))
        jw_textz(w, "bearerToken", ctl_option(c, "bearer"));
    if (ctl_option(c, "hmac-key"))
        jw_textz(w, "hmacKey", ctl_option(c, "hmac-key"));
    if (ctl_option(c, "type")) {
        jw_array(w, "eventTypes");
        for (int i = 0; (type = ctl_option_at(c, "type", i)) && *type; i++)     /* an empty one: all, from now on */
            jw_printf(w, NULL, "%s%s", strchr(type, '.') ? "" : "Microsoft.Communication.", type);
        jw_end(w);
    }
    rc = ctl_write_headers(c, w, "deliveryHeaders");
    return rc ? rc : write_filter(c, w, "filter");
}

static const struct ctl_column subscription_facts[] = {
    { "subscription", "id" }, { "name", "name" }, { "url", "endpointUrl" }, { "types", "eventTypes", CTL_WHOLE, "all" },
    { "filter", "filter", CTL_WHOLE, "none" }, { "schema", "schema" }, { "batch", "batch" }, { "bearer", "bearer" },
    { "signed", "signed" }, { "key, shown this once", "hmacKey", CTL_IF_ANY }, { "headers", "deliveryHeaders", CTL_WHOLE, "none" },
    { "state", "state" }, { "waiting", "waiting" }, { 0 },
};

static int subscribe(struct ctl *c)
{
    const char *schema = ctl_option(c, "schema");
    scoped_buf  body = { 0 };
    struct jw   w = jw_of(&body);
    jw_object(&w, NULL);
    if (c->resource)
        jw_textz(&w, "resource", c->resource);
    jw_textz(&w, "endpointUrl", ctl_option(c, "url"));
    jw_textz(&w, "schema", schema ? schema : "eventgrid");
    int rc = write_settings(c, &w);
    jw_end(&w);
    if (rc)
        return rc;
    struct ctl_answer answer;
    rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", STR("/carterfone/v1/eventSubscriptions"), buf_str(&body), &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    ctl_facts(c, answer.json, subscription_facts);
    if (str_eqz(json_text_of(answer.json, "state"), "awaitingValidation"))
        ctl_say(c, "It answered without its code: open the validationUrl that it was sent, within ten minutes; nothing is delivered before.");
    return CTL_OK;
}

static int update(struct ctl *c)
{
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    int rc = write_settings(c, &w);
    jw_end(&w);
    if (rc)
        return rc;
    struct ctl_answer answer;
    rc = ctl_ask(c, CTL_AS_OPERATOR, "PATCH", ctl_target(c, "/carterfone/v1/eventSubscriptions/%e", c->args[0]), buf_str(&body),
                 &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_facts(c, answer.json, subscription_facts);
    return rc;
}

static int subscription(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", ctl_target(c, "/carterfone/v1/eventSubscriptions/%e", c->args[0]),
                     (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_facts(c, answer.json, subscription_facts);
    return rc;
}

/* -- what became of events ------------------------------------------------------------------------------------------ */

static int show(struct ctl *c)
{
    static const struct ctl_column facts[] = {
        { "event", "id" }, { "type", "eventType" }, { "subject", "subject" }, { "time", "eventTime", CTL_FINE }, { "data", "data" }, { 0 },
    };
    static const struct ctl_column deliveries[] = {
        { "SUBSCRIPTION", "subscription" }, { "NAME", "subscriptionName" }, { "STATE", "state" }, { "TRIES", "deliveryAttempts" },
        { "REASON", "deadLetterReason" }, { "LAST", "lastDeliveryOutcome" }, { "NEXT", "nextDeliveryAttemptTime" }, { 0 },
    };
    static const struct ctl_column tries[] = {
        { "TIME", "time", CTL_FINE }, { "SUBSCRIPTION", "subscriptionName" }, { "TRY", "attempt" }, { "EVENTS", "eventsInRequest" },
        { "HTTP", "httpStatus" }, { "MS", "durationMs" }, { "ANSWER", "answer" }, { "ERROR", "error" }, { 0 },
    };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", ctl_target(c, "/carterfone/v1/events/%e", c->args[0]), (struct str){ 0 }, &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    ctl_facts(c, answer.json, facts);
    ctl_table(c, json_member(answer.json, "deliveries"), deliveries, "Nothing of it is on its way, and nothing is dead.");
    ctl_table(c, json_member(answer.json, "tries"), tries, "It was never tried.");
    return CTL_OK;
}

static int dead(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "EVENT", "eventId" }, { "TYPE", "eventType" }, { "SUBSCRIPTION", "subscription" }, { "TRIES", "deliveryAttempts" },
        { "REASON", "deadLetterReason" }, { "LAST", "lastDeliveryOutcome" }, { "AT", "lastDeliveryAttemptTime" }, { 0 },
    };
    const char *of = ctl_option(c, "subscription"), *before = ctl_option(c, "before");
    int64_t limit = 100;
    char text[24];
    int rc = ctl_option_int(c, "limit", 1, 100, 100, &limit);
    snprintf(text, sizeof text, "%lld", (long long)limit);
    struct ctl_answer answer;
    if (!rc)
        rc = ctl_ask(c, CTL_AS_OPERATOR, "GET",
                     ctl_target(c, "/carterfone/v1/deadLetters?limit=%s%s%e%s%e", text, of ? "&subscription=" : "", of ? of : "",
                                before ? "&before=" : "", before ? before : ""), (struct str){ 0 }, &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    ctl_table(c, json_member(answer.json, "value"), columns, "No dead letters.");
    struct str next = json_text_of(answer.json, "nextLink");
    const char *at = next.n ? strrchr(next.p, '=') : NULL;
    if (at)
        ctl_say(c, "more: --before %s", at + 1);
    return CTL_OK;
}

static int replay(struct ctl *c)
{
    static const char *const texts[] = { "subscription", "since", "until" };
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    if (c->args_n)
        jw_textz(&w, "eventId", c->args[0]);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (ctl_option(c, texts[i]))
            jw_textz(&w, texts[i], ctl_option(c, texts[i]));
    if (ctl_option(c, "dead"))
        jw_bool(&w, "dead", true);
    jw_end(&w);
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", STR("/carterfone/v1/events/:replay"), buf_str(&body), &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, "%lld to be sent again", (long long)json_int_of(answer.json, "deliveries", 0));
    return rc;
}

static int list(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "SUBSCRIPTION", "id" }, { "NAME", "name" }, { "STATE", "state" }, { "SCHEMA", "schema" }, { "URL", "endpointUrl" },
        { "TYPES", "eventTypes", CTL_WHOLE, "all" }, { "FILTER", "filter", CTL_WHOLE, "none" }, { 0 },
    };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", STR("/carterfone/v1/eventSubscriptions"), (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, "Nobody is subscribed; `events tail` needs no subscription.");
    return rc;
}

static int unsubscribe(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "DELETE", ctl_target(c, "/carterfone/v1/eventSubscriptions/%e", c->args[0]),
                     (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, "unsubscribed");
    return rc;
}

/* One line: time, type without its namespace, then the data as it is. */
static void tell_event(const struct ctl *c, const struct json *event)
{
    static const struct str space = { "Microsoft.Communication.", 24 };
    struct str type = json_text_of(event, "eventType"), when = json_text_of(event, "eventTime");
    if (str_starts(type, space) && !c->json)
        type = str_from(type, space.n);
    scoped_buf data = { 0 };
    struct jw  w = jw_of(&data);
    jw_json(&w, NULL, c->json ? event : json_member(event, "data"));
    if (!ctl_say_json(c, buf_str(&data)))
        ctl_say(c, "%.8s " STR_FMT " " STR_FMT, when.n >= 19 ? when.p + 11 : "", STR_ARG(type), STR_ARG(buf_str(&data)));
    fflush(stdout);
}

/* The next events behind the cursor, waiting up to `wait` seconds for one; moves the cursor. */
static int next_events(struct ctl *c, char after[128], int64_t wait, const struct json **events)
{
    const char *type = ctl_option(c, "type");
    char        seconds[24];
    scoped_buf  filter = { 0 };
    struct jw   fw = jw_of(&filter);
    int         rc = write_filter(c, &fw, NULL);
    buf_putc(&filter, '\0');
    if (rc || filter.bad)
        return rc ? rc : CTL_REFUSED;
    snprintf(seconds, sizeof seconds, "%lld", (long long)wait);
    struct ctl_answer answer;
    rc = ctl_ask(c, CTL_AS_OPERATOR, "GET",
                 ctl_target(c, "/carterfone/v1/events?after=%e&wait=%s%s%s%e%s%e", after, seconds, type ? "&type=" : "",
                            !type || strchr(type, '.') ? "" : "Microsoft.Communication.", type ? type : "",
                            filter.p[0] ? "&filter=" : "", filter.p),
                 (struct str){ 0 }, &answer);
    if (rc)
        return rc;
    *events = json_member(answer.json, "value");
    str_copyz(after, 128, json_text_of(answer.json, "last"));
    return CTL_OK;
}

static int tail(struct ctl *c)
{
    enum { ASK_S = 20 };
    int64_t count, wait = 0, told = 0;
    int     rc = ctl_option_int(c, "count", 1, INT32_MAX, INT64_MAX, &count);
    if (!rc)
        rc = ctl_option_int(c, "wait", 0, 86400, INT64_MAX, &wait);
    char after[128];
    snprintf(after, sizeof after, "%s", ctl_option(c, "all") ? "all" : ctl_option(c, "after") ? ctl_option(c, "after") : "");
    int64_t end_us = wait == INT64_MAX ? INT64_MAX : clock_mono().us + wait * US_PER_S;
    for (bool more = true; !rc && more && told < count;) {
        const struct json *events = NULL;
        int64_t left_us = end_us - clock_mono().us;
        int64_t left_s = left_us <= 0 ? 0 : left_us >= (int64_t)ASK_S * US_PER_S ? ASK_S : left_us / US_PER_S + 1;
        rc = next_events(c, after, left_s, &events);
        for (size_t i = 0; i < json_count(events) && told < count; i++, told++)
            tell_event(c, json_item(events, i));
        more = clock_mono().us < end_us;
    }
    if (!rc && count != INT64_MAX && told < count) {
        fprintf(stderr, "carterfone: %lld of %lld events came in time\n", (long long)told, (long long)count);
        rc = CTL_REFUSED;
    }
    return rc;
}

#define SETTINGS                                                                                                          \
    { "type",   "TYPE", CTL_MANY,   "such as SMSReceived; untold: all" },                                                  \
    { "subject-begins", "TEXT", CTL_MAY, "only events whose subject begins so" },                                          \
    { "subject-ends", "TEXT", CTL_MAY, "only events whose subject ends so" },                                              \
    { "where",  "FIELD=VALUE", CTL_MANY, "only events with that in the data: data.to=+18445550100; a field twice: either value" }, \
    { "batch",  "N",    CTL_MAY,    "up to N events that wait go in one POST, 1 to 100 [1]" },                             \
    { "bearer", "TOKEN", CTL_MAY,   "sent with each delivery as Authorization: Bearer; never shown again" },               \
    { "hmac-key", "KEY", CTL_MAY,   "sign each delivery: whsec_ and base64, or 'new' to have one made and shown once" },   \
    { "header", "NAME: VALUE", CTL_MANY, "sent with each delivery, at most 5; the value is never shown again" },           \
    { "name",   "NAME", CTL_MAY,    "its name" }

static const struct ctl_option subscribe_options[] = {
    { "url",    "URL",  CTL_NEEDED, "the endpoint; it must answer the validation handshake" },
    { "schema", "eventgrid|cloudevents", CTL_MAY, "the envelope [eventgrid]" },
    SETTINGS,
    { 0 },
};
static const struct ctl_option update_options[] = { SETTINGS, { 0 } };
static const struct ctl_option dead_options[] = {
    { "subscription", "ID", CTL_MAY, "only of this one" },
    { "limit", "N", CTL_MAY, "at most so many, 1 to 100 [100]" },
    { "before", "CURSOR", CTL_MAY, "go on where an earlier list ended" },
    { 0 },
};
static const struct ctl_option replay_options[] = {
    { "subscription", "ID", CTL_MAY, "send to this one; without an event: what it wants of a time, or its dead letters" },
    { "since", "TIME", CTL_MAY, "events from then on: 2020-12-01T00:00:00Z" },
    { "until", "TIME", CTL_MAY, "events before then" },
    { "dead", NULL, CTL_MAY, "its dead letters" },
    { 0 },
};
static const struct ctl_option tail_options[] = {
    { "type",  "TYPE", CTL_MAY, "only these" },
    { "subject-begins", "TEXT", CTL_MAY, "only events whose subject begins so" },
    { "subject-ends", "TEXT", CTL_MAY, "only events whose subject ends so" },
    { "where", "FIELD=VALUE", CTL_MANY, "only events with that in the data; a field twice: either value" },
    { "all",   NULL,   CTL_MAY, "from the oldest that is kept, instead of from now" },
    { "after", "EVENTID", CTL_MAY, "from behind this event" },
    { "count", "N",    CTL_MAY, "stop after N events" },
    { "wait",  "S",    CTL_MAY, "stop after S seconds; with --count, that many must have come" },
    { 0 },
};

const struct ctl_command ctl_events_commands[] = {
    { "events", "subscribe", "", 0, 0, subscribe_options, subscribe, "have events sent to an endpoint" },
    { "events", "list", "", 0, 0, NULL, list, "who is subscribed" },
    { "events", "subscription", "ID", 1, 1, NULL, subscription, "one subscription, and how much waits for it" },
    { "events", "update", "ID", 1, 1, update_options, update, "change what a subscription wants and how it is sent" },
    { "events", "unsubscribe", "ID", 1, 1, NULL, unsubscribe, "end a subscription" },
    { "events", "tail", "", 0, 0, tail_options, tail, "follow events here" },
    { "events", "show", "EVENTID", 1, 1, NULL, show, "one event: who is still to get it, and every try" },
    { "events", "dead", "", 0, 0, dead_options, dead, "deliveries that were given up, and why" },
    { "events", "replay", "[EVENTID]", 0, 1, replay_options, replay, "send an event again, or those of a time, or dead letters" },
    { 0 },
};
