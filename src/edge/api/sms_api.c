/* sms_api.c - messages and opt-outs (spec sms 2026-01-23).
 *
 * Rows without a `run` answer 501: they stand in docs/conformance.md. */
#include "edge/api/http.h"

const struct http_route sms_routes[] = {
    { "POST", "/sms", HTTP_RESOURCE, NULL, NULL, "Sms_Send", "" },
    { "POST", "/sms/optouts:add", HTTP_RESOURCE, NULL, NULL, "OptOuts_Add", "" },
    { "POST", "/sms/optouts:remove", HTTP_RESOURCE, NULL, NULL, "OptOuts_Remove", "" },
    { "POST", "/sms/optouts:check", HTTP_RESOURCE, NULL, NULL, "OptOuts_Check", "" },
    { "GET", "/deliveryReports/{outgoingMessageId}", HTTP_RESOURCE, NULL, NULL, "DeliveryReports_Get", "" },
    { 0 },
};
