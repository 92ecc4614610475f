/* ops_api.c - what watches the server: health, readiness, metrics, and the local certificate authority. */
#include "edge/api/http.h"

const struct http_route ops_routes[] = {
    { 0 },
};
