/* render.c - how a POST looks on the wire: events in their schema, headers, the signature.
 *
 * A signed POST follows the Standard Webhooks specification: webhook-id, webhook-timestamp, and webhook-signature with
 * "v1," and the base64 of HMAC-SHA256 over "<id>.<timestamp>.<body>". The timestamp is the wall clock's. */
#include "domain/events/events_priv.h"
#include "base/crypto.h"
#include "domain/rules.h"

#include <stdio.h>

static const struct str KEY_PREFIX = { "whsec_", 6 };
enum { BEARER_MAX = 4096, HEADER_NAME_MAX = 64, HEADER_VALUE_MAX = 1024 };

/* -- events ---------------------------------------------------------------------------------------------------------- */

static void render_topic(const struct events *ev, const struct event_row *row, char topic[160])
{
    char guid[GUID_SIZE];
    ids_guid(ev->control->ids, ID_RESOURCE, row->resource, guid);
    snprintf(topic, 160, "/subscriptions/carterfone/resourceGroups/carterfone/providers/Microsoft.Communication/"
                         "communicationServices/%s", guid);
}

static void render_eventgrid(const struct event_row *row, const char *topic, struct jw *w)
{
    jw_object(w, NULL);
    jw_text(w, "id", row->id);
    jw_textz(w, "topic", topic);
    jw_text(w, "subject", row->subject);
    jw_raw(w, "data", row->data);
    jw_text(w, "eventType", row->type);
    jw_textz(w, "dataVersion", "1.0");
    jw_textz(w, "metadataVersion", "1");
    jw_time(w, "eventTime", row->at_us);
    jw_end(w);
}

static void render_cloud(const struct event_row *row, const char *topic, struct jw *w)
{
    jw_object(w, NULL);
    jw_text(w, "id", row->id);
    jw_textz(w, "source", topic);
    jw_text(w, "type", row->type);
    jw_text(w, "subject", row->subject);
    jw_textz(w, "specversion", "1.0");
    jw_textz(w, "datacontenttype", "application/json");
    jw_time(w, "time", row->at_us);
    jw_raw(w, "data", row->data);
    jw_end(w);
}

void event_render(const struct events *ev, const struct event_subscription *s, const struct event_row *row, struct buf *out)
{
    char topic[160];
    struct jw w = jw_of(out);
    render_topic(ev, row, topic);
    if (s->cloud)
        render_cloud(row, topic, &w);
    else
        render_eventgrid(row, topic, &w);
}

/* -- secrets of a subscription ------------------------------------------------------------------------------------- */

static enum err bad(struct problem *why, const char *field, const char *must)
{
    enum err err = rule_problem(why, ERR_RANGE, RULE_DELIVERY_SETTING_INVALID, field, must);
    problem_target(why, "%s", field);
    return err;
}

static bool is_printable(struct str s, size_t most)
{
    bool good = s.n >= 1 && s.n <= most;
    for (size_t i = 0; good && i < s.n; i++)
        good = s.p[i] >= ' ' && s.p[i] < 127;
    return good;
}

/* RFC 9110, 5.6.2 */
static bool is_token(struct str s)
{
    bool good = s.n >= 1 && s.n <= HEADER_NAME_MAX;
    for (size_t i = 0; good && i < s.n; i++)
        good = (s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z')
            || (s.p[i] && strchr("!#$%&'*+-.^_`|~", s.p[i]));
    return good;
}

/* Written by us, or by HTTP itself. */
static bool is_taken(struct str name)
{
    static const char *const taken[] = { "content-type", "content-length", "content-encoding", "host", "connection", "expect",
                                         "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "authorization",
                                         "proxy-authorization", "proxy-connection", "cookie" };
    bool found = str_eq_nocase((struct str){ name.p, name.n < 4 ? name.n : 4 }, STR("aeg-"))
              || str_eq_nocase((struct str){ name.p, name.n < 8 ? name.n : 8 }, STR("webhook-"));
    for (size_t i = 0; i < ARRAY_LEN(taken) && !found; i++)
        found = str_eq_nocase(name, str_of(taken[i]));
    return found;
}

/* "whsec_" and base64 of 24 to 64 octets, as Standard Webhooks has it. @return octets, 0: it is none */
static size_t hmac_key_read(struct str text, uint8_t key[HMAC_KEY_MAX])
{
    size_t n = 0;
    if (!str_starts(text, KEY_PREFIX) || base64_read(key, HMAC_KEY_MAX, str_from(text, KEY_PREFIX.n), &n))
        return 0;
    return n >= HMAC_KEY_MIN ? n : 0;
}

static enum err headers_check(const struct json *headers, struct problem *why)
{
    void *at = NULL;
    struct str name;
    const struct json *value;
    if (json_kind(headers) == JSON_IS_ABSENT)
        return ERR_NONE;
    if (json_kind(headers) != JSON_IS_OBJECT || json_count(headers) > OWN_HEADERS_MAX)
        return bad(why, "deliveryHeaders", "an object of at most 5 header names and their values");
    while (json_next(headers, &at, &name, &value)) {
        if (!is_token(name) || is_taken(name))
            return bad(why, "deliveryHeaders", "made of header names that are free; Content-Type, Host, Authorization, Cookie, "
                                               "aeg-*, webhook-* and those of the connection are not");
        if (json_kind(value) != JSON_IS_TEXT || !is_printable(json_text(value), HEADER_VALUE_MAX))
            return bad(why, "deliveryHeaders", "made of values of 1 to 1024 printable ASCII characters");
    }
    return ERR_NONE;
}

enum err secrets_check(const struct json *secrets, struct problem *why)
{
    uint8_t key[HMAC_KEY_MAX];
    const struct json *bearer = json_member(secrets, "bearer"), *hmac = json_member(secrets, "hmacKey");
    enum err err = headers_check(json_member(secrets, "headers"), why);
    if (!err && json_kind(bearer) != JSON_IS_ABSENT
        && (!is_printable(json_text(bearer), BEARER_MAX) || str_find(json_text(bearer), ' ') >= 0))
        err = bad(why, "bearerToken", "a token of 1 to 4096 printable ASCII characters without blanks");
    if (!err && json_kind(hmac) != JSON_IS_ABSENT && !hmac_key_read(json_text(hmac), key))
        err = bad(why, "hmacKey", "\"new\", or whsec_ and the base64 of 24 to 64 octets");
    return err;
}

void secrets_write(const struct json *secrets, struct jw *w)
{
    void *at = NULL;
    struct str name;
    const struct json *value, *headers = json_member(secrets, "headers");
    jw_bool(w, "bearer", json_kind(json_member(secrets, "bearer")) == JSON_IS_TEXT);
    jw_bool(w, "signed", json_kind(json_member(secrets, "hmacKey")) == JSON_IS_TEXT);
    jw_array(w, "deliveryHeaders");
    while (json_next(headers, &at, &name, &value))
        jw_text(w, NULL, name);
    jw_end(w);
}

/* -- headers ------------------------------------------------------------------------------------------------------- */

static void header_end(struct post_headers *h)
{
    assert(h->n < COURIER_HEADERS_MAX);
    h->end[h->n++] = h->text.n;
}

#define HEADER(h, ...) (buf_printf(&(h)->text, __VA_ARGS__), header_end(h))

static void sign(struct post_headers *h, const struct post *p, struct str key_text, struct str body)
{
    uint8_t key[HMAC_KEY_MAX], mac[32];
    char guid[GUID_SIZE], base64[BASE64_SIZE(sizeof mac)];
    scoped_buf text = { 0 };
    size_t key_n = hmac_key_read(key_text, key);
    long long now = clock_wall_us() / US_PER_S;
    ids_guid(p->ev->control->ids, ID_EVENT, p->posted[0].key, guid);
    buf_printf(&text, "msg_%s", guid);
    if (p->n > 1)
        buf_printf(&text, "_%zu", p->n);
    HEADER(h, "webhook-id: " STR_FMT, STR_ARG(buf_str(&text)));
    HEADER(h, "webhook-timestamp: %lld", now);
    buf_printf(&text, ".%lld.", now);
    buf_puts(&text, body);
    h->text.bad |= text.bad || !key_n;
    if (h->text.bad)
        return;
    hmac_sha256(mac, key, key_n, buf_str(&text));
    base64_write(base64, mac, sizeof mac);
    HEADER(h, "webhook-signature: v1,%s", base64);
}

static void own_headers(struct post_headers *h, const struct json *secrets)
{
    void *at = NULL;
    struct str name, bearer = json_text_of(secrets, "bearer");
    const struct json *value, *headers = json_member(secrets, "headers");
    if (bearer.n)
        HEADER(h, "Authorization: Bearer " STR_FMT, STR_ARG(bearer));
    while (json_next(headers, &at, &name, &value))
        HEADER(h, STR_FMT ": " STR_FMT, STR_ARG(name), STR_ARG(json_text(value)));
}

static void subscription_headers(struct post_headers *h, const struct post *p, const struct event_subscription *s, struct str body)
{
    const struct json *secrets = s->secrets ? json_root(s->secrets) : NULL;
    struct str key = json_text_of(secrets, "hmacKey");
    HEADER(h, "Content-Type: application/%s; charset=utf-8",
           !s->cloud ? "json" : post_is_batch(p) ? "cloudevents-batch+json" : "cloudevents+json");
    HEADER(h, "aeg-event-type: Notification");
    HEADER(h, "aeg-subscription-name: %.100s", s->name);
    HEADER(h, "aeg-delivery-count: %d", p->posted[0].tries);
    own_headers(h, secrets);
    if (key.n)
        sign(h, p, key, body);
}

void post_headers_fill(struct post_headers *h, const struct post *p, struct str body, struct courier_request *rq)
{
    const struct event_subscription *s = p->outlet->subscription;
    if (s)
        subscription_headers(h, p, s, body);
    else
        HEADER(h, "Content-Type: application/json");
    for (size_t i = 0, from = 0; !h->text.bad && i < h->n; from = h->end[i++])
        rq->headers[i] = (struct str){ h->text.p + from, h->end[i] - from };
}
