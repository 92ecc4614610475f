/* sip ...: a resource's direct routing, and whose its domains are. */
#include "base/str.h"
#include "main/ctl_priv.h"

#define VERSION "api-version=2023-04-01-preview"

static int sip_show(struct ctl *c)
{
    static const struct ctl_column routes[] = {
        { "ROUTE", "name" }, { "PATTERN", "numberPattern" }, { "TRUNKS", "trunks" }, { "DESCRIPTION", "description", CTL_BRIEF }, { 0 },
    };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_RESOURCE, "GET", STR("/sip?expand=trunks%2Fhealth&" VERSION), (struct str){ 0 }, &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    const struct json *v, *trunks = json_member(answer.json, "trunks"), *domains = json_member(answer.json, "domains");
    struct str name;
    for (void *at = NULL; json_next(domains, &at, &name, &v);)
        ctl_say(c, "domain  " STR_FMT "%s", STR_ARG(name), json_bool_of(v, "enabled", true) ? "" : "  (disabled)");
    for (void *at = NULL; json_next(trunks, &at, &name, &v);)
        ctl_say(c, "trunk   " STR_FMT ":%lld%s  health " STR_FMT, STR_ARG(name), (long long)json_int_of(v, "sipSignalingPort", 0),
                json_bool_of(v, "enabled", true) ? "" : "  (disabled)", STR_ARG(ctl_path_text(c, v, "health.overall.status")));
    ctl_table(c, json_member(answer.json, "routes"), routes, "No routes.");
    return CTL_OK;
}

static int sip_test(struct ctl *c)
{
    static const struct ctl_column routes[] = { { "ROUTE", "name" }, { "PATTERN", "numberPattern" }, { "TRUNKS", "trunks" }, { 0 } };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_RESOURCE, "POST", ctl_target(c, "/sip:testRoutesWithNumber?targetPhoneNumber=%e&" VERSION, c->args[0]),
                     (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, json_member(answer.json, "matchingRoutes"), routes, "No route matches.");
    return rc;
}

static int sip_domains(struct ctl *c)
{
    static const struct ctl_column columns[] = { { "DOMAIN", "domain" }, { "RESOURCE", "resource" }, { "SINCE", "since" }, { 0 } };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", STR("/carterfone/v1/sipDomains"), (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, "No domain is confirmed as anybody's.");
    return rc;
}

static int change(struct ctl *c, const char *verb, const char *said)
{
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    if (c->resource)
        jw_textz(&w, "resource", c->resource);
    jw_end(&w);
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", ctl_target(c, "/carterfone/v1/sipDomains/%e/:%s", c->args[0], verb), buf_str(&body),
                     &answer);
    if (!rc)
        ctl_say(c, "%s %s %s", c->args[0], said, c->resource ? c->resource : "default");
    return rc;
}

static int sip_verify(struct ctl *c)   { return change(c, "verify", "is confirmed as a domain of"); }
static int sip_unverify(struct ctl *c) { return change(c, "unverify", "is no longer a confirmed domain of"); }

const struct ctl_command ctl_sip_commands[] = {
    { "sip", "show", "", 0, 0, NULL, sip_show, "direct routing: domains, trunks with their health, routes in order" },
    { "sip", "test", "NUMBER", 1, 1, NULL, sip_test, "which routes a number would take" },
    { "sip", "domains", "", 0, 0, NULL, sip_domains, "domains that are confirmed as a resource's" },
    { "sip", "verify", "DOMAIN", 1, 1, NULL, sip_verify, "it is the resource's: no other may have trunks in it" },
    { "sip", "unverify", "DOMAIN", 1, 1, NULL, sip_unverify, "anybody may" },
    { 0 },
};
