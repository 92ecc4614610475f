/* http_route.h - which route a request means, and its path parameters.
 *
 * A router is immutable once made: any thread. Paths are split at "/" and at a literal ":verb" before anything is
 * percent-decoded; "+" in a path is a plus; letters of literal segments compare without case. Where several patterns fit,
 * the one with a literal, then with a verb, at the leftmost difference wins. */
#pragma once
#include "edge/api/http.h"

enum { HTTP_SEGMENTS_MAX = 16, HTTP_ALLOW_SIZE = 64 };

struct http_router;
/** @param tables  as http_route_tables  @return ERR_NOMEM; a path that breaks the rules is asserted */
MUST_USE enum err http_router_new(struct http_router **out, const struct http_route *const *tables);
void http_router_free(struct http_router *r);
SCOPED_FREE(http_router)

struct http_match {
    const struct http_route *route;
    struct str params[6];               /* in the arena */
    char       allow[HTTP_ALLOW_SIZE];  /* methods of this path: "GET, HEAD, OPTIONS"; set on ERR_METHOD too */
};
/** HEAD finds the GET route.
 *  @param path  the request target without its query, as sent
 *  @return ERR_ABSENT (no such path), ERR_METHOD (another method's path), ERR_SYNTAX (bad escape), ERR_NOMEM */
MUST_USE enum err http_router_find(const struct http_router *r, const char *method, struct str path,
                                   struct arena *arena, struct http_match *out);

/** Percent-decoded copy in the arena; form: "+" is a blank. Refuses bad escapes, NUL and what is not UTF-8.
 *  @return ERR_SYNTAX, ERR_NOMEM */
MUST_USE enum err http_percent_decode(struct arena *arena, struct str s, bool form, struct str *out);
/** The first value of a query parameter, form-decoded. @return ERR_ABSENT, ERR_SYNTAX, ERR_NOMEM */
MUST_USE enum err http_query_find(struct arena *arena, struct str query, struct str name, struct str *out);
