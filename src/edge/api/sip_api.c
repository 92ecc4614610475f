/* sip_api.c - direct routing: a resource's own trunks and routes (spec sip-routing 2023-03-01, 2023-04-01-preview; the
 * shapes of 2021-05-01-preview are those of the first). */
#include "base/str.h"
#include "domain/directrouting/sip_routing.h"
#include "edge/api/api.h"
#include "edge/api/http.h"

/* Domains, `enabled` and health came with this version. */
#define NEWER "2023-04-01"
static bool is_newer(const struct http_call *hc)
{
    return http_is_since(hc, NEWER);
}

static void answer(struct http_call *hc, const struct sip_config *config, bool health)
{
    struct jw w = jw_of(&hc->out);
    sip_config_write(config, &w, is_newer(hc), health);
    http_reply(hc, 200);
}

static enum err config_get(struct http_call *hc)
{
    struct str expand = is_newer(hc) ? http_query(hc, "expand") : (struct str){ NULL, 0 };
    if (expand.n && !str_eqz(expand, "trunks/health")) {
        problem_set(&hc->why, ERR_RANGE, "BadRequest", "expand can be 'trunks/health'.");
        problem_target(&hc->why, "expand");
        return ERR_RANGE;
    }
    answer(hc, sip_routing_find(hc->api->sip_routing, hc->resource), expand.n > 0);
    return ERR_NONE;
}

static enum err patch_read(struct http_call *hc)
{
    struct sip_patch *patch;
    enum err err = sip_patch_read(&patch, hc->json, is_newer(hc), hc->arena, &hc->why);
    if (!err)
        hc->rq = patch;
    return err;
}

static void on_changed(void *arg, enum err err, const struct sip_config *config, const struct problem *why)
{
    struct http_call *hc = arg;
    if (err) {
        hc->why = *why;
        http_fail(hc, err);
        return;
    }
    answer(hc, config, false);
}

static enum err config_patch(struct http_call *hc)
{
    return sip_routing_change(hc->api->sip_routing, hc->resource, hc->rq, on_changed, hc, &hc->why);
}

/* -- which routes a number would take ------------------------------------------------------------------------------------ */

static enum err routes_answer(struct http_call *hc, const struct sip_config *config)
{
    const struct sip_route *routes[SIP_ROUTES_MAX];
    size_t n;
    enum err err = sip_config_routes_for(config, http_query(hc, "targetPhoneNumber"), routes, &n);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "matchingRoutes");
    for (size_t i = 0; i < n; i++)
        sip_route_write(routes[i], &w);
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

static enum err number_check(struct http_call *hc)
{
    struct str number = http_query(hc, "targetPhoneNumber");
    bool good = number.n >= 1 && number.n <= 32;
    for (size_t i = 0; good && i < number.n; i++)
        good = (number.p[i] >= '0' && number.p[i] <= '9') || (i == 0 && number.p[i] == '+' && number.n > 1);
    if (good)
        return ERR_NONE;
    problem_set(&hc->why, ERR_RANGE, "BadRequest", "targetPhoneNumber must be 1 to 31 digits, with or without '+' (%%2B).");
    problem_target(&hc->why, "targetPhoneNumber");
    return ERR_RANGE;
}

/* With a body, that configuration is tested, here on the http thread; without one, the resource's own, on control. */
static enum err test_read(struct http_call *hc)
{
    static const struct sip_config nothing;
    struct sip_patch *patch;
    struct sip_config *config;
    enum err err = number_check(hc);
    if (err || !hc->json)
        return err;
    err = sip_patch_read(&patch, hc->json, true, hc->arena, &hc->why);
    if (!err)
        err = sip_config_merge(&config, &nothing, patch, hc->arena, &hc->why);
    return err ? err : routes_answer(hc, config);
}

static enum err test_run(struct http_call *hc)
{
    return routes_answer(hc, sip_routing_find(hc->api->sip_routing, hc->resource));
}

#define TEST_API    "tests/api/sip-routing.test.mjs"

const struct http_route sip_routes[] = {
    { "GET", "/sip", HTTP_RESOURCE, NULL, config_get, "SipRouting_Get", TEST_API },
    { "PATCH", "/sip", HTTP_RESOURCE, patch_read, config_patch, "SipRouting_Update", TEST_API },
    { "POST", "/sip:testRoutesWithNumber", HTTP_RESOURCE, test_read, test_run, "SipRouting_TestRoutesWithNumber", TEST_API,
      NEWER },
    { 0 },
};
