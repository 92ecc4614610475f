#include "edge/api/http_route.h"
#include "base/str.h"

#include <stdio.h>

struct segment {
    struct str text;            /* literal, or the parameter's ":verb" (empty: none) */
    bool       param;
};

struct compiled {
    const struct http_route *route;
    size_t                   n;
    struct segment           segments[HTTP_SEGMENTS_MAX];
};

struct http_router {
    size_t          n;
    struct compiled routes[];
};

/* -- escapes ------------------------------------------------------------------------------------------------------- */

enum err http_percent_decode(struct arena *arena, struct str s, bool form, struct str *out)
{
    char *p = arena_alloc(arena, s.n + 1), *to = p;
    if (!p)
        return ERR_NOMEM;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%') {
            int hi = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1, lo = hi >= 0 ? hex_digit(s.p[i + 2]) : -1;
            if (lo < 0)
                return ERR_SYNTAX;
            c = (char)(hi << 4 | lo);
            i += 2;
        } else if (form && c == '+') {
            c = ' ';
        }
        if (!c)
            return ERR_SYNTAX;
        *to++ = c;
    }
    struct str decoded = { p, (size_t)(to - p) };
    if (!utf8_valid(decoded))
        return ERR_SYNTAX;
    *out = decoded;
    return ERR_NONE;
}

enum err http_query_find(struct arena *arena, struct str query, struct str name, struct str *out)
{
    struct str pair, key, value, decoded;
    while (query.n) {
        str_cut(query, '&', &pair, &query);
        str_cut(pair, '=', &key, &value);
        if (!str_eq(key, name)) {       /* the plain spelling is the rule; an escaped one costs a decode */
            if (str_find(key, '%') < 0)
                continue;
            enum err err = http_percent_decode(arena, key, true, &decoded);
            if (err)
                return err;
            if (!str_eq(decoded, name))
                continue;
        }
        return http_percent_decode(arena, value, true, out);
    }
    return ERR_ABSENT;
}

/* -- patterns ------------------------------------------------------------------------------------------------------ */

/* Cut a path that starts with "/" into segments. @return how many; 0: not such a path, or too many */
static size_t split(struct str path, struct str segments[HTTP_SEGMENTS_MAX])
{
    size_t n = 0;
    if (!path.n || path.p[0] != '/')
        return 0;
    struct str rest = str_from(path, 1);
    for (bool more = true; more; n++) {
        if (n == HTTP_SEGMENTS_MAX)
            return 0;
        more = str_cut(rest, '/', &segments[n], &rest);
    }
    return n;
}

static void compile(struct compiled *c, const struct http_route *route)
{
    struct str segments[HTTP_SEGMENTS_MAX];
    *c = (struct compiled){ .route = route, .n = split(str_of(route->path), segments) };
    assert(c->n);
    size_t params = 0;
    for (size_t i = 0; i < c->n; i++) {
        struct str s = segments[i];
        bool param = s.n && s.p[0] == '{';
        ssize_t end = param ? str_find(s, '}') : -1;
        assert(param == (end > 0));
        c->segments[i] = (struct segment){ param ? str_from(s, (size_t)end + 1) : s, param };
        params += param;
    }
    assert(params <= ARRAY_LEN(((struct http_call *)0)->params));
}

enum err http_router_new(struct http_router **out, const struct http_route *const *tables)
{
    size_t n = 0;
    for (size_t t = 0; tables[t]; t++)
        for (const struct http_route *r = tables[t]; r->method; r++)
            n++;
    struct http_router *router = calloc(1, sizeof *router + n * sizeof *router->routes);
    if (!router)
        return ERR_NOMEM;
    for (size_t t = 0; tables[t]; t++)
        for (const struct http_route *r = tables[t]; r->method; r++)
            compile(&router->routes[router->n++], r);
    *out = router;
    return ERR_NONE;
}

void http_router_free(struct http_router *r)
{
    free(r);
}

/* How well one segment fits: 0 not, 1 as a parameter, 2 as a parameter with this verb, 3 literally. */
static unsigned fit(const struct segment *s, struct str got)
{
    if (!s->param)
        return str_eq_nocase(s->text, got) ? 3 : 0;
    if (!s->text.n)
        return got.n && got.p[0] != ':' ? 1 : 0;   /* "/:verb" is nobody's name */
    return got.n > s->text.n && str_eq_nocase(str_from(got, got.n - s->text.n), s->text) ? 2 : 0;
}

/* The fits as digits, leftmost first, so that better patterns have greater numbers; 0: no match. */
static uint32_t score(const struct compiled *c, const struct str *got, size_t n)
{
    uint32_t sum = 0;
    if (c->n != n)
        return 0;
    for (size_t i = 0; i < n; i++) {
        unsigned digit = fit(&c->segments[i], got[i]);
        if (!digit)
            return 0;
        sum = sum << 2 | digit;
    }
    return sum;
}

static enum err take_params(const struct compiled *c, const struct str *got, struct arena *arena,
                            struct http_match *out)
{
    for (size_t i = 0, p = 0; i < c->n; i++) {
        if (!c->segments[i].param)
            continue;
        struct str raw = { got[i].p, got[i].n - c->segments[i].text.n };
        enum err err = http_percent_decode(arena, raw, false, &out->params[p++]);
        if (err)
            return err;
    }
    return ERR_NONE;
}

static void allow_add(char allow[HTTP_ALLOW_SIZE], const char *method)
{
    size_t n = strlen(allow);
    snprintf(allow + n, HTTP_ALLOW_SIZE - n, "%s%s", n ? ", " : "", method);
}

enum err http_router_find(const struct http_router *r, const char *method, struct str path, struct arena *arena,
                          struct http_match *out)
{
    struct str got[HTTP_SEGMENTS_MAX];
    size_t n = split(path, got);
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    const struct compiled *found = NULL;
    uint32_t best = 0;
    *out = (struct http_match){ 0 };
    for (size_t i = 0; n && i < r->n; i++) {
        uint32_t s = score(&r->routes[i], got, n);
        if (!s || s < best)
            continue;
        if (s > best) {                 /* a better pattern: what was found before is another path */
            best = s;
            found = NULL;
            out->allow[0] = '\0';
        }
        allow_add(out->allow, r->routes[i].route->method);
        if (strcmp(r->routes[i].route->method, "GET") == 0)
            allow_add(out->allow, "HEAD");
        if (!found && strcmp(r->routes[i].route->method, wanted) == 0)
            found = &r->routes[i];
    }
    if (!best)
        return ERR_ABSENT;
    allow_add(out->allow, "OPTIONS");
    if (!found)
        return ERR_METHOD;
    out->route = found->route;
    return take_params(found, got, arena, out);
}
