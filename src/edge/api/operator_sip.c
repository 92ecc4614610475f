/* operator_sip.c - whose domains of direct routing are: the operator's word stands for the service's proof of ownership. */
#include "domain/directrouting/sip_domains.h"
#include "domain/directrouting/sip_routing.h"
#include "domain/rules.h"
#include "edge/api/operator_priv.h"

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sip_owned *)a)->name, ((const struct sip_owned *)b)->name);
}

enum err sip_domains_get(struct http_call *hc)
{
    const struct sip_domains *d = sip_routing_domains(hc->api->sip_routing);
    struct sip_owned one, *all;
    size_t n = 0;
    enum err err = http_query_known(hc, NULL, 0);
    if (err)
        return err;
    for (size_t at = 0; sip_domains_next(d, &at, &one);)
        n++;
    all = arena_array(hc->arena, n + 1, sizeof *all);
    if (!all)
        return ERR_NOMEM;
    n = 0;
    for (size_t at = 0; sip_domains_next(d, &at, &one);)
        if (!operator_sees(hc) || one.resource == hc->resource)
            all[n++] = one;
    qsort(all, n, sizeof *all, by_name);
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    for (size_t i = 0; i < n; i++) {
        const struct resource *r = accounts_resource(hc->api->accounts, all[i].resource);
        jw_object(&w, NULL);
        jw_textz(&w, "domain", all[i].name);
        jw_textz(&w, "resource", r ? r->name : NULL);
        jw_time(&w, "since", all[i].since_us);
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

static void on_changed(void *arg, enum err err, const struct problem *why)
{
    struct http_call *hc = arg;
    if (err) {
        hc->why = *why;
        http_fail(hc, err);
    } else {
        http_reply(hc, 204);
    }
}

static enum err whose(struct http_call *hc, const struct resource **out)
{
    enum err err = operator_only(hc);
    return err ? err : operator_resource(hc, json_text_of(hc->json, "resource"), out);
}

enum err sip_domain_verify_post(struct http_call *hc)
{
    const struct resource *r;
    struct str name = hc->params[0];
    enum err err = whose(hc, &r);
    if (err)
        return err;
    if (sip_is_fqdn(name) && sip_routing_uses(hc->api->sip_routing, r->key, name))
        return rule_problem(&hc->why, ERR_CONFLICT, RULE_SIP_DOMAIN_IN_USE, arena_shown(hc->arena, name));
    return sip_domains_confirm(sip_routing_domains(hc->api->sip_routing), r->key, name, on_changed, hc, &hc->why);
}

enum err sip_domain_unverify_post(struct http_call *hc)
{
    const struct resource *r;
    enum err err = whose(hc, &r);
    return err ? err : sip_domains_take_back(sip_routing_domains(hc->api->sip_routing), r->key, hc->params[0], on_changed, hc, &hc->why);
}
