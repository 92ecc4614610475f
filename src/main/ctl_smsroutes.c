/* smsc route ...: which SMSC carries which text messages. */
#include "base/str.h"
#include "main/ctl_priv.h"

#include <math.h>

#define ROUTES "/carterfone/v1/smsRoutes"

/* "0.0065", in dollars a segment. */
static int cost_of(const struct ctl *c, struct jw *w)
{
    const char *text = ctl_option(c, "cost");
    char *end;
    if (!text)
        return CTL_OK;
    double usd = strtod(text, &end);
    if (end == text || *end || !(usd >= 0 && usd <= 1000))
        return ctl_usage(c, "--cost is what a segment costs in US dollars, such as 0.0065");
    jw_int(w, "costMicro", llround(usd * 1e6));
    return CTL_OK;
}

static int members(const struct ctl *c, struct jw *w)
{
    static const char *const texts[] = { "carrier", "prefix", "sender", "pool" };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (ctl_option(c, texts[i]))
            jw_textz(w, texts[i], ctl_option(c, texts[i]));
    static const char *const counts[] = { "weight", "priority" };
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        int64_t v;
        if (!ctl_option(c, counts[i]))
            continue;
        if (ctl_option_int(c, counts[i], 1, 1000, 1, &v))
            return CTL_USAGE;
        jw_int(w, counts[i], v);
    }
    return cost_of(c, w);
}

static int tell(struct ctl *c, const char *method, struct str target, bool named, const char *done)
{
    scoped_buf body = { 0 };
    struct jw w = jw_of(&body);
    struct ctl_answer answer;
    jw_object(&w, NULL);
    if (named)
        jw_textz(&w, "name", c->args[0]);
    int rc = members(c, &w);
    jw_end(&w);
    if (!rc)
        rc = ctl_ask(c, CTL_AS_OPERATOR, method, target, buf_str(&body), &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, "%s route %s", done, c->args[0]);
    return rc;
}

static int add(struct ctl *c)
{
    return tell(c, "POST", STR(ROUTES), true, "added");
}

static int set(struct ctl *c)
{
    return tell(c, "PATCH", ctl_target(c, ROUTES "/%e", c->args[0]), false, "changed");
}

static int take_away(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "DELETE", ctl_target(c, ROUTES "/%e", c->args[0]), (struct str){ 0 }, &answer);
    if (!rc && !c->json)
        ctl_say(c, "removed route %s", c->args[0]);
    return rc;
}

static int list(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "ROUTE", "name" }, { "PREFIX", "prefix", .none = "any" }, { "SENDER", "sender", .none = "any" }, { "POOL", "pool", .none = "any" },
        { "SMSC", "carrier" }, { ">PRIORITY", "priority" }, { ">COST", "costMicro", CTL_MICRO }, { ">WEIGHT", "weight" }, { 0 },
    };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", STR(ROUTES), (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, "No route: each message leaves by its sender's own carrier. `carterfone smsc route add` makes one.");
    return rc;
}

static int why(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "SMSC", "carrier" }, { "STATE", "state" }, { "CHOSEN", "chosen" }, { "ROUTE", "route.name" }, { "PREFIX", "route.prefix", .none = "any" },
        { ">PRIORITY", "route.priority" }, { ">COST", "route.costMicro", CTL_MICRO }, { ">WEIGHT", "route.weight" }, { 0 },
    };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", ctl_target(c, ROUTES "/:why?from=%e&to=%e", ctl_option(c, "from"), ctl_option(c, "to")),
                     (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, "No SMSC on this side of the wall.");
    return rc;
}

#define ROUTE_OPTIONS \
    { "prefix",   "DIGITS", CTL_MAY, "recipients that begin so, such as +44 or +1206 [all]" },               \
    { "sender",   "NUMBER", CTL_MAY, "this sender, or with '*' at the end those that begin so [all]" },      \
    { "pool",     "TAG",    CTL_MAY, "senders whose number has this tag [all]" },                            \
    { "priority", "N",      CTL_MAY, "1 to 1000, the lowest is taken first [100]" },                         \
    { "cost",     "USD",    CTL_MAY, "of a segment; among equals the cheapest is taken [0]" },               \
    { "weight",   "N",      CTL_MAY, "share among equals, 1 to 1000 [1]" }
static const struct ctl_option add_options[] = { { "carrier", "SMSC", CTL_NEEDED, "which carries them" }, ROUTE_OPTIONS, { 0 } };
static const struct ctl_option set_options[] = { { "carrier", "SMSC", CTL_MAY, "which carries them" }, ROUTE_OPTIONS, { 0 } };
static const struct ctl_option why_options[] = {
    { "from", "NUMBER", CTL_NEEDED, "a leased number" }, { "to", "NUMBER", CTL_NEEDED, "the recipient" }, { 0 },
};

const struct ctl_command ctl_smsroutes_commands[] = {
    { "smsc", "route list", "", 0, 0, NULL, list, "which SMSC carries which texts, in order" },
    { "smsc", "route add", "NAME", 1, 1, add_options, add, "texts to, or from, these numbers go by this SMSC" },
    { "smsc", "route set", "NAME", 1, 1, set_options, set, "change a route; what is not said stays" },
    { "smsc", "route remove", "NAME", 1, 1, NULL, take_away, "take a route away" },
    { "smsc", "route why", "", 0, 0, why_options, why, "which SMSCs could carry a text, and which would" },
    { 0 },
};
