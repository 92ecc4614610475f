/* routes.c - every table of routes there is. A new area adds its line here and its extern in http.h. */
#include "base/str.h"
#include "edge/api/http.h"

const struct http_route *const http_route_tables[] = {
    ops_routes, numbers_routes, sms_routes, optouts_routes, calling_routes, identity_routes, rooms_routes,
    sip_routes, briefs_routes,  management_routes, operator_routes, inventory_routes, NULL,
};

static bool is_partly(const struct http_route *r)
{
    return str_starts(str_of(r->test), STR("partly: "));
}

const char *http_route_state(const struct http_route *r)
{
    if (!r->run && !r->read)
        return "not yet";
    return is_partly(r) ? "partly" : "built";
}

const char *http_route_test(const struct http_route *r)
{
    return r->test + (is_partly(r) ? sizeof "partly: " - 1 : 0);
}
