/* management_api.c - the resource manager's calls for communication services (spec resource-manager 2025-09-01).
 *
 * Rows without a `run` answer 501: they stand in docs/conformance.md. */
#include "edge/api/http.h"

#define PROVIDER "/providers/Microsoft.Communication"
#define IN_SUB   "/subscriptions/{subscriptionId}"
#define IN_GROUP IN_SUB "/resourceGroups/{resourceGroupName}"
#define SERVICES PROVIDER "/communicationServices"
#define ONE      IN_GROUP SERVICES "/{communicationServiceName}"

#define UNBUILT(method, path, operation) { method, path, HTTP_OPERATOR, NULL, NULL, operation, "" }
const struct http_route management_routes[] = {
    UNBUILT("GET", PROVIDER "/operations", "Operations_List"),
    UNBUILT("POST", IN_SUB PROVIDER "/checkNameAvailability", "CommunicationServices_CheckNameAvailability"),
    UNBUILT("POST", ONE "/linkNotificationHub", "CommunicationServices_LinkNotificationHub"),
    UNBUILT("GET", IN_SUB SERVICES, "CommunicationServices_ListBySubscription"),
    UNBUILT("GET", IN_GROUP SERVICES, "CommunicationServices_ListByResourceGroup"),
    UNBUILT("PATCH", ONE, "CommunicationServices_Update"),
    UNBUILT("GET", ONE, "CommunicationServices_Get"),
    UNBUILT("PUT", ONE, "CommunicationServices_CreateOrUpdate"),
    UNBUILT("DELETE", ONE, "CommunicationServices_Delete"),
    UNBUILT("POST", ONE "/listKeys", "CommunicationServices_ListKeys"),
    UNBUILT("POST", ONE "/regenerateKey", "CommunicationServices_RegenerateKey"),
    { 0 },
};
