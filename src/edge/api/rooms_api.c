/* rooms_api.c - rooms (the published package's calls; its spec is not in the tree).
 *
 * Rows without a `run` answer 501: they stand in docs/conformance.md. */
#include "edge/api/http.h"

const struct http_route rooms_routes[] = {
    { "GET", "/rooms", HTTP_RESOURCE, NULL, NULL, "Rooms_List", "" },
    { "POST", "/rooms", HTTP_RESOURCE, NULL, NULL, "Rooms_Create", "" },
    { "GET", "/rooms/{roomId}", HTTP_RESOURCE, NULL, NULL, "Rooms_Get", "" },
    { "PATCH", "/rooms/{roomId}", HTTP_RESOURCE, NULL, NULL, "Rooms_Update", "" },
    { "DELETE", "/rooms/{roomId}", HTTP_RESOURCE, NULL, NULL, "Rooms_Delete", "" },
    { "GET", "/rooms/{roomId}/participants", HTTP_RESOURCE, NULL, NULL, "Participants_List", "" },
    { "PATCH", "/rooms/{roomId}/participants", HTTP_RESOURCE, NULL, NULL, "Participants_Update", "" },
    { 0 },
};
