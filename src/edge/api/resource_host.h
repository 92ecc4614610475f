/* resource_host.h - the host name of a resource, and what a program needs to connect to it.
 *
 * Thread: control. A resource is NAME.DOMAIN (--domain); the first label of Host selects it (keyring.h). */
#pragma once
#include "edge/api/http.h"

struct resource;

/** "shop.localhost", in the call's arena. */
struct str resource_host(struct http_call *hc, const struct resource *r);
/** "endpoint=https://HOST:PORT/;accesskey=KEY". HOST is the resource's own where a domain was set. Without one it is the host
 *  by which the caller reached us: the key says which resource is meant, and not every resolver knows NAME.localhost.
 *  @param slot  which key, 0 or 1 */
struct str resource_connection_string(struct http_call *hc, const struct resource *r, unsigned slot);
