#include "edge/api/resource_host.h"
#include "base/str.h"
#include "domain/accounts/accounts.h"
#include "edge/api/api.h"

static const char DEFAULT_DOMAIN[] = "localhost";

struct str resource_host(struct http_call *hc, const struct resource *r)
{
    const char *domain = hc->api->domain;
    return arena_printf(hc->arena, "%s.%s", r->name, domain && *domain ? domain : DEFAULT_DOMAIN);
}

/* ":4500" of "localhost:4500"; empty when there is none. */
static struct str port_of(struct str host)
{
    size_t n = host.n;
    while (n && host.p[n - 1] >= '0' && host.p[n - 1] <= '9')
        n--;
    return n && n < host.n && host.p[n - 1] == ':' ? str_from(host, n - 1) : STR("");
}

struct str resource_connection_string(struct http_call *hc, const struct resource *r, unsigned slot)
{
    char key[BASE64_SIZE(ACCESS_KEY_OCTETS)];
    const char *domain = hc->api->domain;
    struct str base = http_base_url(hc), host = resource_host(hc, r), port = port_of(http_header(hc, "host"));
    bool named = domain && *domain && strcmp(domain, DEFAULT_DOMAIN);
    base64_write(key, r->access_key[slot], ACCESS_KEY_OCTETS);
    struct str text = named ? arena_printf(hc->arena, "endpoint=https://" STR_FMT STR_FMT "/;accesskey=%s", STR_ARG(host),
                                           STR_ARG(port), key)
                            : arena_printf(hc->arena, "endpoint=" STR_FMT "/;accesskey=%s", STR_ARG(base), key);
    explicit_bzero(key, sizeof key);
    return text;
}
