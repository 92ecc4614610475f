#include "base/nearest.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/control.h"
#include "domain/requests.h"
#include "domain/rules.h"
#include "edge/api/api.h"
#include "edge/api/http_priv.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* -- asking -------------------------------------------------------------------------------------------------------- */

struct str call_header(const struct call *c, struct str name)
{
    for (size_t i = 0; i < c->n_headers; i++)
        if (str_eq_nocase(c->headers[i].name, name))
            return c->headers[i].value;
    return (struct str){ NULL, 0 };
}

struct str http_header(struct http_call *hc, const char *name)
{
    return call_header(call_of(hc), str_of(name));
}

struct str http_query(struct http_call *hc, const char *name)
{
    struct str value = { NULL, 0 };     /* the escapes of the whole query were checked before any handler saw it */
    (void)!http_query_find(hc->arena, call_of(hc)->query, str_of(name), &value);
    return value;
}

struct str http_next_link(struct http_call *hc, const char *cursor, struct str value)
{
    scoped_buf link = { 0 };
    struct str pair, key, old, rest = call_of(hc)->query;
    buf_puts(&link, hc->path);
    char sep = '?';
    while (rest.n) {
        str_cut(rest, '&', &pair, &rest);
        str_cut(pair, '=', &key, &old);
        if (!pair.n || str_eqz(key, cursor))
            continue;
        buf_putc(&link, sep);
        buf_puts(&link, pair);
        sep = '&';
    }
    buf_printf(&link, "%c%s=", sep, cursor);
    buf_put_escaped(&link, value);
    struct str whole = link.bad ? (struct str){ NULL, 0 } : arena_str(hc->arena, buf_str(&link));
    hc->out.bad |= !whole.p;
    return whole;
}

enum err http_query_known(struct http_call *hc, const char *const *names, size_t n)
{
    struct str pair, key, value, rest = call_of(hc)->query;
    while (rest.n) {
        str_cut(rest, '&', &pair, &rest);
        str_cut(pair, '=', &key, &value);
        size_t i = 0;
        while (i < n && !str_eqz(key, names[i]))
            i++;
        if (i < n || !key.n || str_eqz(key, "api-version"))
            continue;
        const char *close = nearest(key, names, n);
        scoped_buf all = { 0 };
        for (i = 0; i < n; i++)
            buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
        if (!n)
            buf_putz(&all, "none");
        rule_problem(&hc->why, ERR_RANGE, RULE_QUERY_UNKNOWN, arena_shown(hc->arena, key), close ? ": did you mean '" : ".",
                     close ? close : "", close ? "'?" : "", arena_str(hc->arena, buf_str(&all)).p);
        problem_target(&hc->why, STR_FMT, STR_ARG(key));
        return ERR_RANGE;
    }
    return ERR_NONE;
}

enum err http_query_int(struct http_call *hc, const char *name, int64_t min, int64_t max, int64_t otherwise,
                        int64_t *out)
{
    struct str text = http_query(hc, name);
    uint64_t v;
    if (!text.p) {
        *out = otherwise;
        return ERR_NONE;
    }
    if (str_u64(text, (uint64_t)max, &v) || (int64_t)v < min) {
        enum err err = problem_set(&hc->why, ERR_RANGE, "BadRequest",
                                   "The query parameter '%s' must be a whole number of %" PRId64 " to %" PRId64 ".",
                                   name, min, max);
        problem_target(&hc->why, "%s", name);
        return err;
    }
    *out = (int64_t)v;
    return ERR_NONE;
}

struct str http_base_url(struct http_call *hc)
{
    struct call *c = call_of(hc);
    return arena_printf(hc->arena, "%s://" STR_FMT, c->tls ? "https" : "http",
                        STR_ARG(call_header(c, STR("host"))));
}

/* -- answering ----------------------------------------------------------------------------------------------------- */

void http_answer_header(struct http_call *hc, const char *name, const char *format, ...)
{
    struct call *c = call_of(hc);
    char text[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    for (char *p = text; *p; p++)
        if (*p == '\r' || *p == '\n')
            *p = ' ';                   /* what a peer chose must not end the header */
    struct answer_header *h = arena_one(hc->arena, struct answer_header);
    if (!h)
        return;
    *h = (struct answer_header){ c->answers, arena_str(hc->arena, str_of(name)), arena_str(hc->arena, str_of(text)) };
    if (h->name.p && h->value.p)
        c->answers = h;
}

/* -- what explain is to know ---------------------------------------------------------------------------------------- */

/* What the path is about: a phone number, or a thing whose GUID is ours. */
static uint64_t subject_of(const struct http_call *hc)
{
    static const enum id_kind kinds[] = { ID_CALL, ID_SEARCH, ID_OPERATION_PURCHASE, ID_OPERATION_RELEASE,
                                          ID_OPERATION_CAPABILITIES, ID_RESERVATION_PURCHASE };
    uint64_t key;
    for (size_t i = 0; !hc->subject && i < ARRAY_LEN(hc->params) && hc->params[i].n; i++) {
        if (!e164_read_plus(hc->params[i], &key))
            return key;
        for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
            if (!ids_guid_read(hc->api->control->ids, kinds[k], hc->params[i], &key))
                return key;
    }
    return hc->subject;
}

static void keep(const struct call *c, int status)
{
    const struct http_call *hc = &c->hc;
    if (!hc->api || !hc->api->requests)
        return;
    requests_keep(hc->api->requests,
                  &(struct request_done){ .key = hc->request_id, .resource = hc->resource, .subject = subject_of(hc),
                                          .operation = c->route ? c->route->operation : "", .status = status,
                                          .took_us = clock_mono().us - c->began.us },
                  &hc->why);
}

/* What was asked for and done, and is not told by what it made. What only looks is not kept. */
static void keep_change(const struct call *c, int status)
{
    const struct http_call *hc = &c->hc;
    bool looks = !strcmp(hc->method, "GET") || !strcmp(hc->method, "HEAD") || !strcmp(hc->method, "OPTIONS");
    if (status < 300 && !looks && !hc->is_told && (hc->resource || hc->is_operator))
        keep(c, status);
}

static void answer(struct call *c, int status, const char *content_type)
{
    c->status = status;
    c->content_type = content_type;
    if (buf_err(&c->hc.out)) {          /* half an answer is none */
        buf_done(&c->hc.out);
        c->status = 503;
    }
    keep_change(c, c->status);
    call_answered(c);
}

void http_reply_as(struct http_call *hc, int status, const char *content_type)
{
    answer(call_of(hc), status, content_type);
}

void http_reply(struct http_call *hc, int status)
{
    answer(call_of(hc), status, "application/json; charset=utf-8");
}

int http_status_of(enum err err)
{
    switch (err) {                      /* no default: -Wswitch brings a new error here */
    case ERR_NONE:          return 500; /* http_fail() with nothing wrong is our own mistake */
    case ERR_RANGE:
    case ERR_SYNTAX:        return 400;
    case ERR_SIZE:          return 413;
    case ERR_ABSENT:        return 404;
    case ERR_CONFLICT:      return 409;
    case ERR_UNPROVEN:      return 401;
    case ERR_FORBIDDEN:     return 403;
    case ERR_UNPROCESSABLE: return 422;
    case ERR_BUSY:          return 429;
    case ERR_NOMEM:
    case ERR_STORE:
    case ERR_IO:
    case ERR_CLOSED:        return 503;
    case ERR_TIMEOUT:       return 504;
    case ERR_UNBUILT:       return 501;
    case ERR_METHOD:        return 405;
    }
    return 500;
}

/* The service's words for a status, used when nobody gave better ones. */
static void default_words(enum err err, const char **code, const char **text)
{
    switch (http_status_of(err)) {
    case 400: *code = "BadRequest";            *text = "The request is not valid.";                                break;
    case 401: *code = "Denied";                *text = "Denied by the resource provider.";                         break;
    case 403: *code = "Forbidden";             *text = "A rule forbids this.";                                     break;
    case 404: *code = "NotFound";              *text = "There is no such thing.";                                  break;
    case 405: *code = "MethodNotAllowed";      *text = "This path does not take that method.";                     break;
    case 409: *code = "Conflict";              *text = "Something else was there first.";                          break;
    case 413: *code = "RequestEntityTooLarge"; *text = "The request is too large.";                                break;
    case 422: *code = "UnprocessableEntity";   *text = "The request contradicts itself or what is there.";         break;
    case 429: *code = "TooManyRequests";       *text = "Too much at once; try again in a moment.";                 break;
    case 501: *code = "NotImplemented";        *text = "This operation is not built yet; see docs/conformance.md.";break;
    case 503: *code = "ServiceUnavailable";    *text = "The server cannot do this now; try again in a moment.";    break;
    case 504: *code = "GatewayTimeout";        *text = "No answer came in time.";                                  break;
    default:  *code = "InternalServerError";   *text = "The server encountered an internal error.";               break;
    }
}

/* A problem's text may have been cut inside a character. */
static struct str whole_characters(const char *z)
{
    struct str s = str_of(z);
    for (int i = 0; i < 4 && s.n && !utf8_valid(s); i++)
        s.n--;
    return utf8_valid(s) ? s : STR("(not text)");
}

/* How a resource manager's SDKs come to see what innererror says: they know no other place for it. */
static void write_additional_info(struct jw *w, const struct problem *why)
{
    jw_array(w, "details");
    jw_end(w);
    jw_array(w, "additionalInfo");
    if (why->rule[0] || why->suggestion[0]) {
        jw_object(w, NULL);
        jw_textz(w, "type", "Rule");
        jw_object(w, "info");
        jw_text(w, "code", whole_characters(why->rule));
        jw_text(w, "message", whole_characters(why->suggestion));
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
}

static void write_envelope(struct buf *out, enum err err, const struct problem *why, bool manager)
{
    const char *code, *text;
    struct jw w = jw_of(out);
    default_words(err, &code, &text);
    buf_clear(out);
    jw_object(&w, NULL);
    jw_object(&w, "error");
    jw_text(&w, "code", why->code[0] ? whole_characters(why->code) : str_of(code));
    jw_text(&w, "message", why->code[0] || why->text[0] ? whole_characters(why->text) : str_of(text));
    if (why->target[0])
        jw_text(&w, "target", whole_characters(why->target));
    if (why->rule[0] || why->suggestion[0]) {
        jw_object(&w, "innererror");
        jw_text(&w, "code", whole_characters(why->rule));
        jw_text(&w, "message", whole_characters(why->suggestion));
        jw_end(&w);
    }
    if (manager)
        write_additional_info(&w, why);
    jw_end(&w);
    jw_end(&w);
}

/* A refusal that nobody gave a rule of its own (a field that is no text, a name that is not there) gets its status's. Only once
 * it is known who asks: what strangers send is neither explained nor kept. */
static void name_rule(struct http_call *hc, enum err err)
{
    struct problem general = { 0 };
    if (hc->why.rule[0] || (!hc->resource && !hc->is_operator))
        return;
    switch (http_status_of(err)) {
    case 400: rule_problem(&general, err, RULE_REQUEST_INVALID, hc->why.target[0] ? hc->why.target : "it"); break;
    case 404: rule_problem(&general, err, RULE_NOTHING_THERE);                                              break;
    case 409: rule_problem(&general, err, RULE_ANOTHER_WAS_FIRST);                                          break;
    default:  return;
    }
    problem_rule(&hc->why, general.rule, "%s", general.suggestion);
}

void http_fail(struct http_call *hc, enum err err)
{
    http_fail_as(hc, err, http_status_of(err));
}

void http_fail_as(struct http_call *hc, enum err err, int status)
{
    int wait_s = hc->why.retry_after_s;
    name_rule(hc, err);
    if (hc->why.rule[0])                /* what a rule refused, and it is known who asked */
        keep(call_of(hc), status);
    if (status == 429 || status == 503)         /* without it the SDKs throw at once on 429 */
        http_answer_header(hc, "Retry-After", "%d", wait_s > 0 ? wait_s : 1);
    write_envelope(&hc->out, err, &hc->why, call_of(hc)->route && call_of(hc)->route->scope == HTTP_MANAGER);
    http_reply(hc, status);
}
