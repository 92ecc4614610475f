/* operator_api.c - Carterfone's own API under /carterfone/v1.
 *
 * Rows without a `run` answer 501: they stand in docs/conformance.md. */
#include "edge/api/http.h"

const struct http_route operator_routes[] = {
    { 0 },
};
