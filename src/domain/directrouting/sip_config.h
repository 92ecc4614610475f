/* sip_config.h - one direct-routing configuration: trunks, domains and an ordered list of routes (spec sip-routing
 * 2023-03-01 and 2023-04-01-preview).
 *
 * A value that never changes: a patch (RFC 7396 for the two maps, a whole new list for the routes) makes another one.
 * Pure functions: any thread; everything lives in the arena it was made in. The order of all lists is kept. */
#pragma once
#include "base/arena.h"
#include "base/json.h"
#include "base/problem.h"

enum {
    SIP_TRUNKS_MAX = 250, SIP_DOMAINS_MAX = 250, SIP_ROUTES_MAX = 250, SIP_ROUTE_TRUNKS_MAX = 250,
    SIP_FQDN_MAX = 249, SIP_NAME_MAX = 256, SIP_DESCRIPTION_MAX = 1024, SIP_PATTERN_MAX = 1024,
};

struct sip_trunk {
    struct str fqdn;
    int64_t    port;            /* in a configuration 1..65535 */
    bool       enabled;
};
struct sip_domain {
    struct str name;
    bool       enabled;
};
struct sip_route {
    struct str  name, description, pattern;     /* description.p NULL: none */
    struct str *trunks;                         /* FQDNs of the configuration's trunks, first choice first */
    size_t      n_trunks;
};
struct sip_config {
    struct sip_trunk  *trunks;
    struct sip_domain *domains;
    struct sip_route  *routes;
    size_t             n_trunks, n_domains, n_routes;
};

struct sip_patch;               /* what a PATCH asks for */

/** The shape of a PATCH's body. Unknown members are ignored; null for a whole list leaves it.
 *  @param newer  `domains` and `enabled` of 2023-04-01-preview count; otherwise they are unknown members
 *  @return ERR_SYNTAX, ERR_RANGE with `why` (a 400), ERR_NOMEM */
MUST_USE enum err sip_patch_read(struct sip_patch **out, const struct json *body, bool newer, struct arena *a,
                                 struct problem *why);
/** `base` with the patch, if the result is a valid configuration. Texts are copied into `a`.
 *  @return ERR_UNPROCESSABLE with `why`, ERR_NOMEM */
MUST_USE enum err sip_config_merge(struct sip_config **out, const struct sip_config *base, const struct sip_patch *patch,
                                   struct arena *a, struct problem *why);

/** Labels of letters, digits and '-', at least two, the last not a number (RFC 1123, 2.1); at most SIP_FQDN_MAX octets. */
bool sip_is_fqdn(struct str name);
/** Is it that domain, or below it? Letters of any case. */
bool sip_is_in_domain(struct str name, struct str domain);

/** How the API shows it. @param newer  as above  @param health  each trunk's (nobody watches these trunks: unknown) */
void sip_config_write(const struct sip_config *c, struct jw *w, bool newer, bool health);
void sip_route_write(const struct sip_route *route, struct jw *w);     /* an element of an open array */

/** The routes whose pattern the number matches, in their order; *out has room for n_routes.
 *  @return ERR_NOMEM */
MUST_USE enum err sip_config_routes_for(const struct sip_config *c, struct str number, const struct sip_route **out,
                                        size_t *n);
/** Where a call to the number goes: the trunks of those routes, in order, each once, without the disabled ones and those
 *  of a disabled domain. Nobody asks yet: calls leave by the operator's trunks (docs/sip-routing.md).
 *  @param out  room for SIP_TRUNKS_MAX  @return ERR_NOMEM */
MUST_USE enum err sip_route_match(const struct sip_config *c, struct str number, const struct sip_trunk **out, size_t *n);
