#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "domain/control.h"
#include "domain/rules.h"
#include "edge/api/api.h"
#include "edge/api/http_auth.h"
#include "edge/api/http_priv.h"

#include <pthread.h>

METRIC_COUNTER(auth_refusals, "carterfone_http_auth_refusals_total", "Requests refused for want of a valid signature");

/* Versions the official SDKs send, by the first segment of a path; any other is accepted and warned of once. */
#define NUMBERS "2021-03-07, 2022-12-01, 2024-03-01-preview, 2024-03-01, 2025-02-11, 2025-04-01, 2025-06-01"
static const struct { const char *area, *versions; } known_versions[] = {
    { "phoneNumbers",          NUMBERS },
    { "availablePhoneNumbers", NUMBERS },
    { "operatorInformation",   NUMBERS },
    { "sip",                   "2021-05-01, 2021-05-01-preview, 2023-03-01, 2023-04-01-preview" },
    { "sms",                   "2021-03-07, 2022-07-07, 2024-01-02, 2024-02-05, 2024-02-05-preview, 2024-12-10-preview, "
                               "2025-05-29-preview, 2025-08-01-preview, 2025-09-17, 2026-01-23" },
    { "deliveryReports",       "2025-08-01-preview, 2026-01-23" },
    { "identities",            "2021-03-07, 2022-06-01, 2022-10-01, 2023-10-01, 2025-06-30" },
    { "teamsUser",             "2022-06-01, 2022-10-01, 2023-10-01, 2025-06-30" },
    { "access",                "2025-03-02-preview, 2025-06-30" },
    { "calling",               "2023-03-06, 2023-10-15, 2024-04-15, 2024-06-15-preview, 2024-09-15, 2024-11-15-preview, "
                               "2025-06-15, 2026-03-12" },
    { "rooms",                 "2023-06-14, 2024-04-15, 2025-03-13" },
    { "shortCodes",            "2021-10-25-preview" },
    { "subscriptions",         "2023-03-31, 2023-04-01, 2025-05-01, 2025-09-01" },
    { "providers",             "2023-03-31, 2023-04-01, 2025-05-01, 2025-09-01" },
    { "tollfreeVerification",  "2023-01-10-preview1" },
};

static const char *versions_of(struct str path)
{
    struct str area, rest;
    str_cut(str_from(path, 1), '/', &area, &rest);
    str_cut(area, ':', &area, &rest);
    for (size_t i = 0; i < ARRAY_LEN(known_versions); i++)
        if (str_eq_nocase(area, str_of(known_versions[i].area)))
            return known_versions[i].versions;
    return "";
}

/* One of "a, b, c"? */
static bool is_listed(const char *known, struct str version)
{
    struct str one, rest = str_of(known);
    for (bool more = true; more;) {
        more = str_cut(rest, ',', &one, &rest);
        if (str_eq_nocase(str_trim(one), version))
            return true;
    }
    return false;
}

/* api-versions sort as text: 2024-03-01 < 2024-03-01-preview < 2025-06-01. */
bool http_is_since(const struct http_call *hc, const char *since)
{
    size_t n = strlen(since);
    return !is_listed(versions_of(hc->path), hc->api_version)
           || (hc->api_version.n >= n && memcmp(hc->api_version.p, since, n) >= 0);
}

/* Each strange version is said once; past the table's end it is not worth a line. */
static void warn_of_version(const char *known, struct str version)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char warned[32][40];
    static size_t n;
    char z[40];
    str_copyz(z, sizeof z, version);
    if (is_listed(known, version))
        return;
    pthread_mutex_lock(&lock);
    size_t i = 0;
    while (i < n && strcmp(warned[i], z))
        i++;
    bool fresh = i == n && n < ARRAY_LEN(warned);
    if (fresh)
        strcpy(warned[n++], z);
    pthread_mutex_unlock(&lock);
    if (fresh)
        log_warn("http", "api-version %s is not known; the newest known behaviour answers (known: %s)", z, known);
}

/* -- the steps; each returns an error with hc->why filled ---------------------------------------------------------- */

static enum err check_found(struct call *c)
{
    struct problem *why = &c->hc.why;
    switch (c->found) {
    case ERR_NONE:
        break;
    case ERR_ABSENT:
        return problem_set(why, ERR_ABSENT, "NotFound", "There is nothing at this path.");
    case ERR_METHOD:
        http_answer_header(&c->hc, "Allow", "%s", c->match.allow);
        return problem_set(why, ERR_METHOD, "MethodNotAllowed", "This path takes %s.", c->match.allow);
    case ERR_SYNTAX:
        return problem_set(why, ERR_SYNTAX, "BadRequest", "The path has a bad percent escape, or is not UTF-8.");
    default:
        return c->found;
    }
    if (!c->route->run && !c->route->read) {
        enum err err = problem_set(why, ERR_UNBUILT, "NotImplemented",
                                   "%s is not built yet; docs/conformance.md says what is.", c->route->operation);
        problem_target(why, "%s", c->route->operation);
        return err;
    }
    return ERR_NONE;
}

static enum err check_size(struct call *c)
{
    if (!c->too_large)
        return buf_err(&c->body);
    return problem_set(&c->hc.why, ERR_SIZE, "RequestEntityTooLarge", "The body is longer than %zu octets.",
                       call_conf(c)->max_body);
}

static enum err check_query(struct call *c)
{
    struct str decoded;
    enum err err = http_percent_decode(c->hc.arena, c->query, true, &decoded);
    if (err == ERR_SYNTAX)
        return problem_set(&c->hc.why, err, "BadRequest", "The query has a bad percent escape, or is not UTF-8.");
    return err;
}

static bool is_forwarded(const struct call *c)
{
    for (size_t i = 0; i < c->n_headers; i++) {
        struct str name = c->headers[i].name;
        if (str_eq_nocase(name, STR("Forwarded"))
            || (name.n > 12 && str_eq_nocase((struct str){ name.p, 12 }, STR("X-Forwarded-"))))
            return true;
    }
    return false;
}

static enum err check_proof(struct call *c)
{
    struct http_call *hc = &c->hc;
    if (c->route->scope == HTTP_PUBLIC)
        return ERR_NONE;
    struct http_signed rq = {
        .method = str_of(hc->method),
        .target = c->target,
        .authorization = call_header(c, STR("authorization")),
        .date = call_header(c, STR("x-ms-date")),
        .content_hash = call_header(c, STR("x-ms-content-sha256")),
        .host = call_header(c, STR("host")),
        .ms_host = call_header(c, STR("x-ms-host")),
        .body = hc->body,
        .content = c->route->scope == HTTP_CONTENT,
        .tls = c->tls,
        .now_us = clock_wall_us(),
    };
    struct keyring_question q = {
        .host = rq.host,
        .bound = str_of(c->listener->resource),
        .loopback = c->listener->loopback,
        .forwarded = is_forwarded(c),
        .operator_too = c->route->scope == HTTP_OPERATOR || c->route->scope == HTTP_MANAGER,
    };
    struct keyring_proof proof;
    enum err err = http_auth_prove(hc->api->keyring, &rq, &q, hc->arena, &proof, &hc->why);
    if (err) {
        metric_add(&auth_refusals, 1);
        c->refused = true;
        return err;
    }
    hc->resource = proof.resource;
    hc->is_operator = proof.is_operator;
    if (c->route->scope != HTTP_MANAGER || hc->is_operator)
        return ERR_NONE;
    err = problem_set(&hc->why, ERR_FORBIDDEN, "AuthorizationFailed", "Only the operator may do that.");
    problem_rule(&hc->why, rule_name(RULE_OPERATOR_ONLY), "Use a token of the operator's: carterfone token --operator.");
    return err;
}

static enum err check_version(struct call *c)
{
    struct http_call *hc = &c->hc;
    hc->api_version = http_query(hc, "api-version");
    if (c->route->scope != HTTP_RESOURCE && c->route->scope != HTTP_MANAGER)
        return ERR_NONE;
    const char *known = versions_of(hc->path);
    if (!hc->api_version.n) {
        if (*known)
            http_answer_header(hc, "api-supported-versions", "%s", known);
        return rule_problem(&hc->why, ERR_SYNTAX, RULE_API_VERSION_NEEDED);
    }
    if (*known)
        warn_of_version(known, hc->api_version);
    if (!c->route->since || (http_is_since(hc, c->route->since) && !is_listed(c->route->lacking ? c->route->lacking : "", hc->api_version)))
        return ERR_NONE;
    char version[40];
    str_copyz(version, sizeof version, hc->api_version);
    enum err err = rule_problem(&hc->why, ERR_RANGE, RULE_API_VERSION_TOO_OLD, version, c->route->operation, c->route->since, known);
    problem_target(&hc->why, "api-version");
    http_answer_header(hc, "api-supported-versions", "%s", known);
    return err;
}

static bool is_json(struct str type)
{
    struct str rest;
    str_cut(type, ';', &type, &rest);
    type = str_trim(type);
    return !type.n || str_eq_nocase(type, STR("application/json")) || str_eq_nocase(type, STR("text/json"))
           || (type.n > 17 && str_eq_nocase((struct str){ type.p, 12 }, STR("application/"))
               && str_eq_nocase(str_from(type, type.n - 5), STR("+json")));
}

/* 415 has no enum err of its own: it is a 400 that says another number. */
static enum err read_body(struct call *c, int *status)
{
    struct http_call *hc = &c->hc;
    if (!hc->body.n)
        return ERR_NONE;
    if (is_json(call_header(c, STR("content-type")))) {
        enum err err = json_read(&c->doc, hc->body, &hc->why);
        if (!err)
            hc->json = json_root(c->doc);
        return err;
    }
    if (c->route->scope == HTTP_OPERATOR)
        return ERR_NONE;                /* number lists and sounds come as they are: hc->body */
    *status = 415;
    return problem_set(&hc->why, ERR_SYNTAX, "UnsupportedMediaType",
                       "The body must be application/json or application/merge-patch+json.");
}

/* -- the two halves ------------------------------------------------------------------------------------------------ */

void front_head(struct call *c)
{
    struct str path = c->target, rest;
    if (str_starts(path, STR("http://")) || str_starts(path, STR("https://"))) {    /* RFC 9112, 3.2.2 */
        rest = str_from(path, path.p[4] == 's' ? 8 : 7);
        str_cut(rest, '/', &c->authority, &rest);
        path = rest.p > path.p && rest.n ? (struct str){ rest.p - 1, rest.n + 1 } : STR("/");
        c->target = path;
    }
    str_cut(path, '?', &c->hc.path, &c->query);
    c->found = http_router_find(call_router(c), c->hc.method, c->hc.path, c->hc.arena, &c->match);
    c->route = c->match.route;
    memcpy(c->hc.params, c->match.params, sizeof c->hc.params);
}

static bool answer_options(struct call *c)
{
    if (strcmp(c->hc.method, "OPTIONS") || (c->found == ERR_ABSENT && !str_eq(c->target, STR("*"))))
        return false;
    http_answer_header(&c->hc, "Allow", "%s",
                       c->match.allow[0] ? c->match.allow : "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    http_reply(&c->hc, 204);
    return true;
}

bool front_whole(struct call *c)
{
    struct http_call *hc = &c->hc;
    int status = 0;
    hc->body = buf_str(&c->body);
    if (answer_options(c))
        return false;
    enum err err = check_found(c);
    if (!err)
        err = check_size(c);
    if (!err)
        err = check_query(c);
    if (!err)
        err = check_proof(c);
    if (!err)
        err = check_version(c);
    if (!err && http_fault_strikes(c))
        return false;
    if (!err)
        err = read_body(c, &status);
    if (!err && c->route->read)
        err = c->route->read(hc);
    if (err) {
        http_fail_as(hc, err, status ? status : http_status_of(err));
        return false;
    }
    if (c->answered)
        return false;
    assert(c->route->run);
    return true;
}
