/* routes.c - every table of routes there is. A new area adds its line here and its extern in http.h. */
#include "edge/api/http.h"

const struct http_route *const http_route_tables[] = {
    ops_routes, numbers_routes, sms_routes, calling_routes, identity_routes, rooms_routes,
    sip_routes, briefs_routes,  management_routes, operator_routes, NULL,
};
