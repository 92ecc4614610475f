/* http.h - one HTTP request on its way through the product: read on an http thread, decided on control, answered.
 *
 * A route has two halves. `read` runs on an http thread and turns the body into a struct in hc->arena (no rules there);
 * `run` runs on the control thread, calls one domain function and answers, now or later. An error from either is written
 * as the API's envelope from (err, hc->why). hc lives until it is answered, whether or not the client still waits. */
#pragma once
#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/problem.h"

struct app_api;                 /* what handlers reach: see edge/api/api.h */

enum http_scope {
    HTTP_PUBLIC,                /* no credentials: /healthz, /carterfone/ca.pem */
    HTTP_RESOURCE,              /* an ACS resource's key (HMAC); api-version required */
    HTTP_OPERATOR,              /* the operator's key, or a resource's for its own objects (hc->is_operator tells) */
    HTTP_MANAGER,               /* the operator alone (key or token), as a resource manager's client asks: api-version
                                   required, errors in that envelope */
    HTTP_CONTENT,               /* a recording's bytes: a resource's key, no api-version; may be signed over
                                   x-ms-host and the bare path */
};

struct http_call {
    struct arena          *arena;
    struct app_api        *api;
    const char            *method;          /* "GET" ... */
    struct str             path;            /* as sent, without the query */
    struct str             params[6];       /* percent-decoded {path parameters}, in order */
    struct str             api_version;
    struct str             body;
    const struct json     *json;            /* the parsed body; NULL when there was none */
    void                  *rq;              /* what `read` made */
    uint64_t               resource;        /* the proven resource's key; 0 for the operator */
    bool                   is_operator;
    uint64_t               request_id;      /* id key; said as x-ms-request-id (GUID of kind ID_REQUEST) */
    uint64_t               subject;         /* for explain: key or digits of what it is about, when the path does not say so; 0 */
    bool                   is_told;         /* for explain: what it made tells of it, no row is needed */
    struct problem         why;
    struct buf             out;             /* the answer's body: write JSON here, then http_reply() */
    void                  *user;            /* the handler's own, between run and its answer */
    void                 (*forget)(struct http_call *hc);   /* gives back what rq and user hold beyond the arena, when the call
                                               ends, answered or not; any thread. NULL: nothing */
};

/** Query parameter, form- and percent-decoded into the arena; {NULL,0} when absent. */
struct str http_query(struct http_call *hc, const char *name);
/** A list's nextLink: the path and the query as they came, with `cursor` set to value; of a value that is still to come (empty) all
 *  that stands before it. Relative; in hc's arena; out of memory is an error of hc->out. */
struct str http_next_link(struct http_call *hc, const char *cursor, struct str value);
/** Refuses a query parameter that is none of these (or api-version), naming the nearest. @return ERR_RANGE with `why` */
MUST_USE enum err http_query_known(struct http_call *hc, const char *const *names, size_t n);
#define http_query_only(hc, ...)                                                                \
    http_query_known((hc), (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))
/** A decimal query parameter. @return ERR_RANGE with `why` when it is not a number in min..max */
MUST_USE enum err http_query_int(struct http_call *hc, const char *name, int64_t min, int64_t max, int64_t otherwise,
                                 int64_t *out);
/** Request header, any case; {NULL,0} when absent. */
struct str http_header(struct http_call *hc, const char *name);
/** "https://host:port" as the client spelled the host it called. */
struct str http_base_url(struct http_call *hc);

/** Does the request's api-version have what came with `since`? One that we do not know counts as the newest. */
bool http_is_since(const struct http_call *hc, const char *since);

/** Add an answer header (control or http thread, before http_reply). */
void http_answer_header(struct http_call *hc, const char *name, const char *format, ...) PRINTF(3, 4);
/** Answer with hc->out as JSON (Content-Type application/json; charset=utf-8), or no body when it is empty.
 *  Ends the handler's claim on hc. Any thread; once. A HEAD request gets the same headers and no body. */
void http_reply(struct http_call *hc, int status);
/** Same with another content type. */
void http_reply_as(struct http_call *hc, int status, const char *content_type);
/** Answer with the error envelope made of err and hc->why. */
void http_fail(struct http_call *hc, enum err err);
void http_fail_as(struct http_call *hc, enum err err, int status);         /* where the error has another status */

struct http_route {
    const char     *method;
    const char     *path;           /* "/phoneNumbers/{n}/capabilities", "/calling/callConnections/{id}:play" */
    enum http_scope scope;
    enum err      (*read)(struct http_call *hc);    /* http thread; may be NULL; may answer, then run is skipped */
    enum err      (*run)(struct http_call *hc);     /* control thread; NULL (and read NULL): 501, docs/conformance.md */
    const char     *operation;      /* the published operationId, or "Carterfone_..." for our own */
    const char     *test;           /* the test that shows it; "" while not built */
    const char     *since;          /* the first api-version that has it; NULL: every one of its area */
    const char     *lacking;        /* known ones that have it not, "a, b", whenever it came */
};
/* Each area has one table, ended by a route without a method: edge/api/<area>_api.c. */
extern const struct http_route ops_routes[], numbers_routes[], sms_routes[], optouts_routes[], calling_routes[], identity_routes[],
                               rooms_routes[], sip_routes[], briefs_routes[], management_routes[], operator_routes[],
                               inventory_routes[];
/** All of them, ended by NULL (routes.c). */
extern const struct http_route *const http_route_tables[];
/** "built", "partly" (its `test` starts so) or "not yet": the words of docs/conformance.md. */
const char *http_route_state(const struct http_route *r);
/** The test that shows it, without that start. */
const char *http_route_test(const struct http_route *r);
