/* Any octets as a request target: routing ends, parameters are text, and what JS signs of it is stable. */
#include "base/str.h"
#include "edge/api/http_auth.h"
#include "edge/api/http_route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_query(struct arena *arena, struct str query)
{
    static const struct str names[] = { { "api-version", 11 }, { "skip", 4 }, { "", 0 } };
    struct str value;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (!http_query_find(arena, query, names[i], &value))
            assert(utf8_valid(value) && str_find(value, '\0') < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_router *router;
    static const char *const methods[] = { "GET", "HEAD", "POST", "PATCH", "DELETE", "PUT" };
    if (!router)
        assert(!http_router_new(&router, http_route_tables));
    struct arena *arena = arena_new();
    struct str target = { (const char *)data, size }, path, query;
    struct http_match m;
    assert(arena);
    str_cut(target, '?', &path, &query);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        enum err err = http_router_find(router, methods[i], path, arena, &m);
        assert(err != ERR_NONE || m.route);
        for (size_t p = 0; !err && p < ARRAY_LEN(m.params); p++)
            assert(!m.params[p].p || (m.params[p].n && utf8_valid(m.params[p])));
    }
    check_query(arena, query);
    struct str once = http_auth_form_target(arena, target), twice = http_auth_form_target(arena, once);
    assert(str_eq(once, twice));
    arena_free(arena);
    return 0;
}
