#include "domain/directrouting/sip_config.h"
#include "base/str.h"
#include "domain/directrouting/number_pattern.h"
#include "domain/rules.h"

#include <stdio.h>

enum { LABEL_MAX = 63, MEMBERS_MAX = 1000 };   /* of a map of a patch: merging is done on control */

struct trunk_patch {
    struct str fqdn;
    int64_t    port;            /* 0: not said */
    int        enabled;         /* -1: not said */
    bool       remove;
};
struct domain_patch {
    struct str name;
    int        enabled;         /* -1: not said */
    bool       remove;
};
struct sip_patch {
    struct trunk_patch  *trunks;
    struct domain_patch *domains;
    struct sip_route    *routes;
    size_t               n_trunks, n_domains, n_routes;
    bool                 has_routes;
};

/* -- reading: the shape of the body, a 400 ------------------------------------------------------------------------------ */

static enum err shape(struct problem *why, struct str at, const char *said)
{
    enum err err = problem_set(why, ERR_RANGE, "BadRequest", "'" STR_FMT "' %s.", STR_ARG(at), said);
    problem_target(why, STR_FMT, STR_ARG(at));
    return err;
}

static enum err flag_read(const struct json *object, bool newer, int *out, struct str at, struct problem *why)
{
    const struct json *v = newer ? json_member(object, "enabled") : NULL;
    *out = -1;
    if (v && json_kind(v) != JSON_IS_BOOL)
        return shape(why, at, "needs true or false as its 'enabled'");
    if (v)
        *out = json_bool(v, false);
    return ERR_NONE;
}

static enum err trunk_read(struct trunk_patch *t, const struct json *v, bool newer, struct problem *why)
{
    const struct json *port = json_member(v, "sipSignalingPort");
    t->remove = json_kind(v) == JSON_IS_ABSENT;
    if (t->remove)
        return ERR_NONE;
    if (json_kind(v) != JSON_IS_OBJECT)
        return shape(why, t->fqdn, "must be an object with a sipSignalingPort, or null");
    if (port && json_kind(port) != JSON_IS_INTEGER)
        return shape(why, t->fqdn, "needs a whole number as its sipSignalingPort");
    t->port = port ? json_int(port, 0) : 0;
    if (port && !t->port)
        t->port = -1;                   /* 0 was said, and is refused with the other impossible ports */
    return flag_read(v, newer, &t->enabled, t->fqdn, why);
}

static enum err trunks_read(struct sip_patch *p, const struct json *map, bool newer, struct arena *a, struct problem *why)
{
    struct str name;
    const struct json *v;
    enum err err = ERR_NONE;
    if (map && json_kind(map) != JSON_IS_OBJECT)
        return shape(why, STR("trunks"), "must be an object");
    if (json_count(map) > MEMBERS_MAX)
        return shape(why, STR("trunks"), "has more than 1000 members");
    p->trunks = arena_array(a, json_count(map) + 1, sizeof *p->trunks);
    if (!p->trunks)
        return ERR_NOMEM;
    for (void *at = NULL; !err && json_next(map, &at, &name, &v);) {
        struct trunk_patch *t = &p->trunks[p->n_trunks++];
        t->fqdn = arena_str(a, name);
        err = t->fqdn.p ? trunk_read(t, v, newer, why) : ERR_NOMEM;
    }
    return err;
}

static enum err domains_read(struct sip_patch *p, const struct json *map, struct arena *a, struct problem *why)
{
    struct str name;
    const struct json *v;
    enum err err = ERR_NONE;
    if (map && json_kind(map) != JSON_IS_OBJECT)
        return shape(why, STR("domains"), "must be an object");
    if (json_count(map) > MEMBERS_MAX)
        return shape(why, STR("domains"), "has more than 1000 members");
    p->domains = arena_array(a, json_count(map) + 1, sizeof *p->domains);
    if (!p->domains)
        return ERR_NOMEM;
    for (void *at = NULL; !err && json_next(map, &at, &name, &v);) {
        struct domain_patch *d = &p->domains[p->n_domains++];
        *d = (struct domain_patch){ .name = arena_str(a, name), .remove = json_kind(v) == JSON_IS_ABSENT };
        if (!d->name.p)
            return ERR_NOMEM;
        if (!d->remove && json_kind(v) != JSON_IS_OBJECT)
            return shape(why, d->name, "must be an object with 'enabled', or null");
        err = flag_read(v, true, &d->enabled, d->name, why);
    }
    return err;
}

/* Lengths are rules of their own (a 422); here only the kinds. */
static const struct json_field route_fields[] = {
    JSON_TEXT_FIELD(struct sip_route, name, "name", true, 0, INT32_MAX),
    JSON_TEXT_FIELD(struct sip_route, description, "description", false, 0, INT32_MAX),
    JSON_TEXT_FIELD(struct sip_route, pattern, "numberPattern", true, 0, INT32_MAX),
};

static enum err route_read(struct sip_route *r, const struct json *v, struct arena *a, struct problem *why)
{
    const struct json *trunks = json_member(v, "trunks");
    if (json_kind(v) != JSON_IS_OBJECT)
        return shape(why, STR("routes"), "must be a list of objects");
    enum err err = json_fill(v, route_fields, ARRAY_LEN(route_fields), r, a, why);
    if (err)
        return err;
    if (trunks && json_kind(trunks) != JSON_IS_ARRAY)
        return shape(why, STR("routes.trunks"), "must be a list of trunk FQDNs");
    r->trunks = arena_array(a, json_count(trunks) + 1, sizeof *r->trunks);
    if (!r->trunks)
        return ERR_NOMEM;
    for (size_t i = 0; i < json_count(trunks); i++) {
        struct str fqdn = json_text(json_item(trunks, i));
        if (!fqdn.p)
            return shape(why, STR("routes.trunks"), "must be a list of trunk FQDNs");
        r->trunks[r->n_trunks] = arena_str(a, fqdn);
        if (!r->trunks[r->n_trunks++].p)
            return ERR_NOMEM;
    }
    return ERR_NONE;
}

static enum err routes_read(struct sip_patch *p, const struct json *list, struct arena *a, struct problem *why)
{
    enum err err = ERR_NONE;
    if (!list)
        return ERR_NONE;
    if (json_kind(list) != JSON_IS_ARRAY)
        return shape(why, STR("routes"), "must be a list of objects");
    p->has_routes = true;
    p->routes = arena_array(a, json_count(list) + 1, sizeof *p->routes);
    if (!p->routes)
        return ERR_NOMEM;
    for (size_t i = 0; !err && i < json_count(list); i++)
        err = route_read(&p->routes[p->n_routes++], json_item(list, i), a, why);
    return err;
}

enum err sip_patch_read(struct sip_patch **out, const struct json *body, bool newer, struct arena *a, struct problem *why)
{
    struct sip_patch *p = arena_one(a, struct sip_patch);
    if (!p)
        return ERR_NOMEM;
    if (json_kind(body) != JSON_IS_OBJECT)
        return problem_set(why, ERR_SYNTAX, "BadRequest", "A JSON object with trunks or routes is needed as the body.");
    enum err err = trunks_read(p, json_member(body, "trunks"), newer, a, why);
    if (!err)
        err = domains_read(p, newer ? json_member(body, "domains") : NULL, a, why);
    if (!err)
        err = routes_read(p, json_member(body, "routes"), a, why);
    if (!err)
        *out = p;
    return err;
}

/* -- merging -------------------------------------------------------------------------------------------------------------- */

static struct sip_trunk *trunk_find(const struct sip_config *c, struct str fqdn)
{
    for (size_t i = 0; i < c->n_trunks; i++)
        if (str_eq_nocase(c->trunks[i].fqdn, fqdn))
            return &c->trunks[i];
    return NULL;
}

static void trunk_apply(struct sip_config *c, const struct trunk_patch *p)
{
    struct sip_trunk *t = trunk_find(c, p->fqdn);
    if (p->remove) {
        if (t) {
            size_t i = (size_t)(t - c->trunks);
            memmove(t, t + 1, (c->n_trunks - i - 1) * sizeof *t);
            c->n_trunks--;
        }
        return;
    }
    if (!t) {
        t = &c->trunks[c->n_trunks++];
        *t = (struct sip_trunk){ .enabled = true };
    }
    t->fqdn = p->fqdn;                  /* as it was spelled last */
    if (p->port)
        t->port = p->port;
    if (p->enabled >= 0)
        t->enabled = p->enabled;
}

static void domain_apply(struct sip_config *c, const struct domain_patch *p)
{
    size_t i = 0;
    while (i < c->n_domains && !str_eq_nocase(c->domains[i].name, p->name))
        i++;
    if (p->remove) {
        if (i < c->n_domains) {
            memmove(&c->domains[i], &c->domains[i + 1], (c->n_domains - i - 1) * sizeof *c->domains);
            c->n_domains--;
        }
        return;
    }
    if (i == c->n_domains)
        c->domains[c->n_domains++] = (struct sip_domain){ .enabled = true };
    c->domains[i].name = p->name;
    if (p->enabled >= 0)
        c->domains[i].enabled = p->enabled;
}

/* -- the rules: of the result, a 422 ---------------------------------------------------------------------------------------- */

/* Labels of letters, digits and '-', at least two, the last not a number: never an IP address (RFC 1123, 2.1). */
bool sip_is_fqdn(struct str name)
{
    size_t labels = 0;
    struct str label, rest = name;
    bool more = name.n >= 1 && name.n <= SIP_FQDN_MAX, letters = false;
    while (more) {
        more = str_cut(rest, '.', &label, &rest);
        letters = false;
        if (!label.n || label.n > LABEL_MAX || label.p[0] == '-' || label.p[label.n - 1] == '-')
            return false;
        for (size_t i = 0; i < label.n; i++) {
            char c = label.p[i];
            bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
            if (!letter && (c < '0' || c > '9'))
                return false;
            letters |= letter;
        }
        labels++;
    }
    return labels >= 2 && letters;
}

static enum err at_target(struct problem *why, enum err err, const char *list, struct str name)
{
    problem_target(why, "%s." STR_FMT, list, STR_ARG(name));
    return err;
}

static enum err too_many(struct problem *why, enum rule rule, const char *list, size_t n, size_t most)
{
    char have[24], may[24];
    snprintf(have, sizeof have, "%zu", n);
    snprintf(may, sizeof may, "%zu", most);
    enum err err = rule_problem(why, ERR_UNPROCESSABLE, rule, have, may);
    problem_target(why, "%s", list);
    return err;
}

static enum err trunks_check(const struct sip_config *c, struct problem *why)
{
    if (c->n_trunks > SIP_TRUNKS_MAX)
        return too_many(why, RULE_TOO_MANY_TRUNKS, "trunks", c->n_trunks, SIP_TRUNKS_MAX);
    for (size_t i = 0; i < c->n_trunks; i++) {
        const struct sip_trunk *t = &c->trunks[i];
        if (!sip_is_fqdn(t->fqdn))
            return at_target(why, rule_problem(why, ERR_UNPROCESSABLE, RULE_INVALID_TRUNK_FQDN), "trunks", t->fqdn);
        if (t->port < 1 || t->port > 65535)
            return at_target(why, rule_problem(why, ERR_UNPROCESSABLE, RULE_INVALID_TRUNK_PORT, t->fqdn.p), "trunks",
                             t->fqdn);
    }
    return ERR_NONE;
}

static enum err domains_check(const struct sip_config *c, struct problem *why)
{
    if (c->n_domains > SIP_DOMAINS_MAX)
        return too_many(why, RULE_TOO_MANY_DOMAINS, "domains", c->n_domains, SIP_DOMAINS_MAX);
    for (size_t i = 0; i < c->n_domains; i++)
        if (!sip_is_fqdn(c->domains[i].name))
            return at_target(why, rule_problem(why, ERR_UNPROCESSABLE, RULE_INVALID_DOMAIN, c->domains[i].name.p),
                             "domains", c->domains[i].name);
    return ERR_NONE;
}

static enum err route_texts_check(const struct sip_route *r, struct arena *scratch, struct problem *why)
{
    struct number_pattern *pattern;
    char words[96] = "it has 1 to 1024 characters";
    size_t units = utf8_utf16_units(r->name);
    if (units < 1 || units > SIP_NAME_MAX)
        return rule_problem(why, ERR_UNPROCESSABLE, RULE_INVALID_ROUTE_NAME);
    if (utf8_utf16_units(r->description) > SIP_DESCRIPTION_MAX)
        return rule_problem(why, ERR_UNPROCESSABLE, RULE_INVALID_ROUTE_DESCRIPTION, r->name.p);
    units = utf8_utf16_units(r->pattern);
    enum err err = units < 1 || units > SIP_PATTERN_MAX ? ERR_SYNTAX
                                                        : number_pattern_read(&pattern, r->pattern, scratch, words);
    arena_clear(scratch);
    if (err == ERR_NOMEM || !err)
        return err;
    return rule_problem(why, ERR_UNPROCESSABLE, RULE_INVALID_NUMBER_PATTERN, r->name.p, words);
}

static enum err route_trunks_check(const struct sip_config *c, const struct sip_route *r, struct problem *why)
{
    char have[24];
    snprintf(have, sizeof have, "%zu", r->n_trunks);
    if (r->n_trunks > SIP_ROUTE_TRUNKS_MAX)
        return rule_problem(why, ERR_UNPROCESSABLE, RULE_TOO_MANY_ROUTE_TRUNKS, r->name.p, have, "250");
    bool taken[SIP_TRUNKS_MAX] = { false };
    for (size_t i = 0; i < r->n_trunks; i++) {
        const struct sip_trunk *t = trunk_find(c, r->trunks[i]);
        if (!t)
            return rule_problem(why, ERR_UNPROCESSABLE, RULE_MISSING_TRUNK);
        if (taken[t - c->trunks])
            return rule_problem(why, ERR_UNPROCESSABLE, RULE_DUPLICATE_ROUTE_TRUNK, r->name.p, t->fqdn.p);
        taken[t - c->trunks] = true;
    }
    return ERR_NONE;
}

static enum err routes_check(const struct sip_config *c, struct problem *why)
{
    if (c->n_routes > SIP_ROUTES_MAX)
        return too_many(why, RULE_TOO_MANY_ROUTES, "routes", c->n_routes, SIP_ROUTES_MAX);
    scoped(arena) struct arena *scratch = arena_new();
    enum err err = scratch ? ERR_NONE : ERR_NOMEM;
    for (size_t i = 0; !err && i < c->n_routes; i++) {
        const struct sip_route *r = &c->routes[i];
        err = route_texts_check(r, scratch, why);
        for (size_t k = 0; !err && k < i; k++)
            if (str_eq(c->routes[k].name, r->name))
                err = rule_problem(why, ERR_UNPROCESSABLE, RULE_DUPLICATE_ROUTE_NAME, r->name.p);
        if (!err)
            err = route_trunks_check(c, r, why);
        if (err == ERR_UNPROCESSABLE)
            problem_target(why, "routes[%zu]", i);
    }
    return err;
}

/* -- the whole -------------------------------------------------------------------------------------------------------------- */

static bool copy(struct arena *a, struct str *s)
{
    if (s->p)
        *s = arena_str(a, *s);
    return s->p != NULL;
}

/* What the lists point at belongs to the old configuration or to the patch until here. @return false: out of memory */
static bool copy_texts(struct sip_config *c, struct arena *a)
{
    bool good = true;
    for (size_t i = 0; i < c->n_trunks; i++)
        good &= copy(a, &c->trunks[i].fqdn);
    for (size_t i = 0; i < c->n_domains; i++)
        good &= copy(a, &c->domains[i].name);
    for (size_t i = 0; good && i < c->n_routes; i++) {
        struct sip_route *r = &c->routes[i];
        const struct str *from = r->trunks;
        good = copy(a, &r->name) && copy(a, &r->pattern) && (!r->description.p || copy(a, &r->description));
        r->trunks = arena_array(a, r->n_trunks + 1, sizeof *r->trunks);
        good = good && r->trunks;
        for (size_t k = 0; good && k < r->n_trunks; k++) {
            r->trunks[k] = from[k];
            good = copy(a, &r->trunks[k]);
        }
    }
    return good;
}

static void *copy_list(struct arena *a, const void *from, size_t n, size_t room, size_t size)
{
    void *to = arena_array(a, n + room + 1, size);
    if (to && n)
        memcpy(to, from, n * size);
    return to;
}

enum err sip_config_merge(struct sip_config **out, const struct sip_config *base, const struct sip_patch *p,
                          struct arena *a, struct problem *why)
{
    struct sip_config *c = arena_one(a, struct sip_config);
    if (!c)
        return ERR_NOMEM;
    *c = *base;
    if (p->has_routes) {
        c->routes = p->routes;
        c->n_routes = p->n_routes;
    }
    c->trunks = copy_list(a, base->trunks, c->n_trunks, p->n_trunks, sizeof *c->trunks);
    c->domains = copy_list(a, base->domains, c->n_domains, p->n_domains, sizeof *c->domains);
    c->routes = copy_list(a, c->routes, c->n_routes, 0, sizeof *c->routes);
    if (!c->trunks || !c->domains || !c->routes)
        return ERR_NOMEM;
    for (size_t i = 0; i < p->n_trunks; i++)
        trunk_apply(c, &p->trunks[i]);
    for (size_t i = 0; i < p->n_domains; i++)
        domain_apply(c, &p->domains[i]);
    enum err err = trunks_check(c, why);
    if (!err)
        err = domains_check(c, why);
    if (!err)
        err = routes_check(c, why);
    if (!err && !copy_texts(c, a))
        err = ERR_NOMEM;
    if (!err)
        *out = c;
    return err;
}

/* -- writing ---------------------------------------------------------------------------------------------------------------- */

static void status_write(struct jw *w, const char *name)
{
    jw_object(w, name);
    jw_textz(w, "status", "unknown");
    jw_end(w);
}

static void trunk_write(const struct sip_trunk *t, struct jw *w, bool newer, bool health)
{
    jw_object(w, t->fqdn.p);
    jw_int(w, "sipSignalingPort", t->port);
    if (newer)
        jw_bool(w, "enabled", t->enabled);
    if (newer && health) {
        jw_object(w, "health");
        status_write(w, "tls");
        status_write(w, "ping");
        status_write(w, "overall");
        jw_end(w);
    }
    jw_end(w);
}

void sip_route_write(const struct sip_route *r, struct jw *w)
{
    jw_object(w, NULL);
    if (r->description.p)
        jw_text(w, "description", r->description);
    jw_text(w, "name", r->name);
    jw_text(w, "numberPattern", r->pattern);
    jw_array(w, "trunks");
    for (size_t i = 0; i < r->n_trunks; i++)
        jw_text(w, NULL, r->trunks[i]);
    jw_end(w);
    jw_end(w);
}

void sip_config_write(const struct sip_config *c, struct jw *w, bool newer, bool health)
{
    jw_object(w, NULL);
    if (newer) {
        jw_object(w, "domains");
        for (size_t i = 0; i < c->n_domains; i++) {
            jw_object(w, c->domains[i].name.p);
            jw_bool(w, "enabled", c->domains[i].enabled);
            jw_end(w);
        }
        jw_end(w);
    }
    jw_object(w, "trunks");
    for (size_t i = 0; i < c->n_trunks; i++)
        trunk_write(&c->trunks[i], w, newer, health);
    jw_end(w);
    jw_array(w, "routes");
    for (size_t i = 0; i < c->n_routes; i++)
        sip_route_write(&c->routes[i], w);
    jw_end(w);
    jw_end(w);
}

/* -- routing ---------------------------------------------------------------------------------------------------------------- */

enum err sip_config_routes_for(const struct sip_config *c, struct str number, const struct sip_route **out,
                               size_t *n)
{
    scoped(arena) struct arena *scratch = arena_new();
    enum err err = scratch ? ERR_NONE : ERR_NOMEM;
    *n = 0;
    for (size_t i = 0; !err && i < c->n_routes; i++) {
        struct number_pattern *p;
        char words[96];
        bool matched = false;
        err = number_pattern_read(&p, c->routes[i].pattern, scratch, words);
        if (!err)
            err = number_pattern_match(p, number, scratch, &matched);
        if (matched)
            out[(*n)++] = &c->routes[i];
        arena_clear(scratch);
    }
    return err;
}

bool sip_is_in_domain(struct str name, struct str d)
{
    bool below = name.n > d.n && name.p[name.n - d.n - 1] == '.' && str_eq_nocase(str_from(name, name.n - d.n), d);
    return below || str_eq_nocase(name, d);
}

static bool is_usable(const struct sip_config *c, const struct sip_trunk *t)
{
    for (size_t i = 0; i < c->n_domains; i++)
        if (!c->domains[i].enabled && sip_is_in_domain(t->fqdn, c->domains[i].name))
            return false;
    return t->enabled;
}

enum err sip_route_match(const struct sip_config *c, struct str number, const struct sip_trunk **out, size_t *n)
{
    const struct sip_route *routes[SIP_ROUTES_MAX];
    bool taken[SIP_TRUNKS_MAX] = { false };
    size_t n_routes = 0;
    *n = 0;
    enum err err = sip_config_routes_for(c, number, routes, &n_routes);
    for (size_t i = 0; !err && i < n_routes; i++)
        for (size_t k = 0; k < routes[i]->n_trunks; k++) {
            const struct sip_trunk *t = trunk_find(c, routes[i]->trunks[k]);
            if (!t || taken[t - c->trunks] || !is_usable(c, t))
                continue;
            taken[t - c->trunks] = true;
            out[(*n)++] = t;
        }
    return err;
}
