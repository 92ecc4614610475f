/* sip_api.c - direct routing: a resource's own trunks and routes (spec sip-routing 2023-03-01).
 *
 * Rows without a `run` answer 501: they stand in docs/conformance.md. */
#include "edge/api/http.h"

const struct http_route sip_routes[] = {
    { "GET", "/sip", HTTP_RESOURCE, NULL, NULL, "SipRouting_Get", "" },
    { "PATCH", "/sip", HTTP_RESOURCE, NULL, NULL, "SipRouting_Update", "" },
    { 0 },
};
