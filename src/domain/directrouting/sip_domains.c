#include "domain/directrouting/sip_domains.h"
#include "base/map.h"
#include "base/str.h"
#include "domain/rules.h"
#include "store/sip_routing.h"

struct sip_domains {
    struct control *control;
    struct strmap  *names;              /* lower case -> struct domain, owned */
};

struct domain {
    char     name[SIP_FQDN_MAX + 1];
    uint64_t resource;
    int64_t  since_us;
    bool     busy;                      /* being confirmed or taken back */
    bool     committed;
};

struct change {
    struct sip_domains  *d;
    char                 name[SIP_FQDN_MAX + 1];
    bool                 confirms;
    sip_domains_done_fn *then;
    void                *arg;
};

enum err sip_domains_new(struct sip_domains **out, struct control *control)
{
    struct sip_domains *d = calloc(1, sizeof *d);
    struct strmap *names = strmap_new();
    if (!d || !names) {
        strmap_free(names);
        free(d);
        return ERR_NOMEM;
    }
    *d = (struct sip_domains){ control, names };
    *out = d;
    return ERR_NONE;
}

void sip_domains_free(struct sip_domains *d)
{
    struct str name;
    void *value;
    if (!d)
        return;
    for (size_t at = 0; strmap_next(d->names, &at, &name, &value);)
        free(value);
    strmap_free(d->names);
    free(d);
}

/* Lower case, NUL-terminated; cut names are no names. */
static struct str lower(struct str name, char dst[SIP_FQDN_MAX + 1])
{
    size_t n = str_copyz(dst, SIP_FQDN_MAX + 1, name);
    for (size_t i = 0; i < n; i++)
        dst[i] = (char)(dst[i] >= 'A' && dst[i] <= 'Z' ? dst[i] | 0x20 : dst[i]);
    return (struct str){ dst, n };
}

static struct domain *add(struct sip_domains *d, struct str name, uint64_t resource, int64_t since_us)
{
    struct domain *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    *x = (struct domain){ .resource = resource, .since_us = since_us };
    str_copyz(x->name, sizeof x->name, name);
    if (!strmap_put(d->names, name, x))
        return x;
    free(x);
    return NULL;
}

static enum err load_one(void *arg, struct str name, uint64_t resource, int64_t since_us)
{
    struct domain *x = add(arg, name, resource, since_us);
    if (x)
        x->committed = true;
    return x ? ERR_NONE : ERR_NOMEM;
}

enum err sip_domains_load(struct sip_domains *d)
{
    return sip_domain_rows_each(d->control->db, load_one, d);
}

/* -- looking ---------------------------------------------------------------------------------------------------------------- */

/* The nearest confirmed domain that the name is, or is below; one that is being confirmed counts already. */
static const struct domain *owner_of(const struct sip_domains *d, struct str name)
{
    char low[SIP_FQDN_MAX + 1];
    struct str head, rest = lower(name, low);
    const struct domain *x = NULL;
    while (rest.n && !(x = strmap_find(d->names, rest)))
        if (!str_cut(rest, '.', &head, &rest))
            break;
    return x;
}

enum err sip_domains_check(const struct sip_domains *d, uint64_t resource, const struct sip_config *c, struct problem *why)
{
    for (size_t i = 0; i < c->n_trunks; i++) {
        const struct domain *x = owner_of(d, c->trunks[i].fqdn);
        if (!x || x->resource == resource)
            continue;
        enum err err = rule_problem(why, ERR_UNPROCESSABLE, RULE_TRUNK_DOMAIN_OF_ANOTHER, c->trunks[i].fqdn.p, x->name);
        problem_target(why, "trunks." STR_FMT, STR_ARG(c->trunks[i].fqdn));
        return err;
    }
    return ERR_NONE;
}

bool sip_domains_owns(const struct sip_domains *d, uint64_t resource, struct str name)
{
    const struct domain *x = owner_of(d, name);
    return x && x->committed && x->resource == resource;
}

bool sip_domains_next(const struct sip_domains *d, size_t *at, struct sip_owned *out)
{
    struct str name;
    void *value;
    while (strmap_next(d->names, at, &name, &value)) {
        const struct domain *x = value;
        if (!x->committed)
            continue;
        *out = (struct sip_owned){ x->name, x->resource, x->since_us };
        return true;
    }
    return false;
}

void sip_domains_drop_of(struct sip_domains *d, uint64_t resource)
{
    struct str name;
    void *value;
    for (size_t at = 0; strmap_next(d->names, &at, &name, &value);) {
        struct domain *x = value;
        if (x->resource != resource || x->busy)
            continue;
        free(strmap_take(d->names, name));
        at = 0;                         /* taking one out may move others */
    }
}

/* -- changing --------------------------------------------------------------------------------------------------------------- */

static void on_changed(void *mine, enum err err)
{
    struct change *c = mine;
    struct domain *x = strmap_find(c->d->names, str_of(c->name));
    struct problem why = { 0 };
    if (err)
        rule_problem(&why, err, RULE_STORE_BUSY);
    x->busy = false;
    x->committed = true;
    if (c->confirms ? err : !err)
        free(strmap_take(c->d->names, str_of(c->name)));
    c->then(c->arg, err, &why);
}

static enum err post(struct sip_domains *d, struct domain *x, bool confirms, sip_domains_done_fn *done, void *arg,
                     struct problem *why)
{
    struct change *c = malloc(sizeof *c);
    struct db_unit *u = db_unit_new();
    if (c) {
        *c = (struct change){ .d = d, .confirms = confirms, .then = done, .arg = arg };
        memcpy(c->name, x->name, sizeof c->name);
    }
    if (confirms)
        sip_domain_row_insert(u, str_of(x->name), x->resource, x->since_us);
    else
        sip_domain_row_delete(u, str_of(x->name), x->resource);
    enum err err = control_write(d->control, u, on_changed, c);
    if (err)
        return rule_problem(why, err, RULE_STORE_BUSY);
    x->busy = true;
    return ERR_NONE;
}

static enum err busy(const struct domain *x, struct problem *why)
{
    return rule_problem(why, ERR_BUSY, RULE_SIP_DOMAIN_BUSY, x->name);
}

static bool is_below(const char *name, struct str above)
{
    size_t n = strlen(name);
    return n > above.n + 1 && name[n - above.n - 1] == '.' && !memcmp(name + n - above.n, above.p, above.n);
}

/* Another's domain that is this one, above it or below it. */
static const struct domain *in_the_way(const struct sip_domains *d, uint64_t resource, struct str name)
{
    struct str key;
    void *value;
    const struct domain *x = owner_of(d, name);
    if (x && x->resource != resource)
        return x;
    for (size_t at = 0; strmap_next(d->names, &at, &key, &value);) {
        const struct domain *y = value;
        if (y->resource != resource && is_below(y->name, name))
            return y;
    }
    return NULL;
}

enum err sip_domains_confirm(struct sip_domains *d, uint64_t resource, struct str given, sip_domains_done_fn *done, void *arg,
                             struct problem *why)
{
    char low[SIP_FQDN_MAX + 1];
    if (!sip_is_fqdn(given)) {
        struct str shown = lower((struct str){ given.p, given.n < 64 ? given.n : 64 }, low);
        return rule_problem(why, ERR_RANGE, RULE_SIP_DOMAIN_INVALID, shown.p);
    }
    struct str name = lower(given, low);
    const struct domain *other = in_the_way(d, resource, name);
    if (other)
        return rule_problem(why, ERR_CONFLICT, RULE_SIP_DOMAIN_TAKEN, name.p, other->name);
    struct domain *x = strmap_find(d->names, name);
    if (x && x->busy)
        return busy(x, why);
    if (x) {
        done(arg, ERR_NONE, NULL);
        return ERR_NONE;
    }
    x = add(d, name, resource, control_now_us(d->control));
    enum err err = x ? post(d, x, true, done, arg, why) : ERR_NOMEM;
    if (err && x)
        free(strmap_take(d->names, name));
    return err;
}

enum err sip_domains_take_back(struct sip_domains *d, uint64_t resource, struct str given, sip_domains_done_fn *done, void *arg,
                               struct problem *why)
{
    char low[SIP_FQDN_MAX + 1];
    struct str name = lower(given, low);
    struct domain *x = strmap_find(d->names, name);
    if (!x || x->resource != resource)
        return rule_problem(why, ERR_ABSENT, RULE_SIP_DOMAIN_ABSENT, name.p);
    return x->busy ? busy(x, why) : post(d, x, false, done, arg, why);
}
