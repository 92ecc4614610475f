/* guard ...: limits, quiet hours and the pumping guard over text messages. */
#include "base/clock.h"
#include "base/duration.h"
#include "base/str.h"
#include "main/ctl_priv.h"

#define GUARDS "/carterfone/v1/smsGuards"

static int counts(const struct ctl *c, struct jw *w)
{
    static const struct { const char *name; int64_t most; } list[] = { { "count", 100000000 }, { "burst", 100000000 }, { "factor", 1000 } };
    for (size_t i = 0; i < ARRAY_LEN(list); i++) {
        int64_t v;
        if (!ctl_option(c, list[i].name))
            continue;
        if (ctl_option_int(c, list[i].name, 1, list[i].most, 1, &v))
            return CTL_USAGE;
        jw_int(w, list[i].name, v);
    }
    return CTL_OK;
}

static int members(const struct ctl *c, struct jw *w)
{
    static const char *const texts[] = { "kind", "match", "from", "until", "handling", "language" };
    const char *per = ctl_option(c, "per");
    int64_t us = 0;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (ctl_option(c, texts[i]))
            jw_textz(w, texts[i], ctl_option(c, texts[i]));
    if (per && (duration_read(str_of(per), &us) || us < US_PER_S))
        return ctl_usage(c, "--per is a time such as 60s or 1d");
    if (per)
        jw_int(w, "windowSeconds", us / US_PER_S);
    if (ctl_option(c, "refuse") || ctl_option(c, "wait"))
        jw_textz(w, "excess", ctl_option(c, "refuse") ? "refuse" : "wait");
    if (ctl_option(c, "on") || ctl_option(c, "off"))
        jw_bool(w, "on", ctl_option(c, "on") != NULL);
    return counts(c, w);
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
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    ctl_say(c, "%s guard %s, which is %s", done, c->args[0], json_bool_of(answer.json, "on", false) ? "on" : "off");
    if (json_text_of(answer.json, "note").n)
        ctl_say(c, "note: " STR_FMT, STR_ARG(json_text_of(answer.json, "note")));
    return CTL_OK;
}

static int add(struct ctl *c)
{
    return tell(c, "POST", STR(GUARDS), true, "added");
}

static int set(struct ctl *c)
{
    return tell(c, "PATCH", ctl_target(c, GUARDS "/%e", c->args[0]), false, "changed");
}

static int take_away(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "DELETE", ctl_target(c, GUARDS "/%e", c->args[0]), (struct str){ 0 }, &answer);
    if (!rc && !c->json)
        ctl_say(c, "removed guard %s", c->args[0]);
    return rc;
}

static int list(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "GUARD", "name" }, { "KIND", "kind" }, { "FOR", "match" }, { "ON", "on" }, { ">COUNT", "count" }, { ">SECONDS", "windowSeconds" },
        { ">BURST", "burst" }, { ">FACTOR", "factor" }, { "EXCESS", "excess" }, { "FROM", "from" }, { "UNTIL", "until" }, { "HANDLING", "handling" }, { 0 },
    };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", STR(GUARDS), (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, "No guard.");
    return rc;
}

/* What is not said is that of a new guard, or stays. */
#define GUARD_OPTIONS(per, burst, factor) \
    { "match",  "WHOM", CTL_MAY, "a number, its beginning and '*', a type such as toll-free; a resource, account:NAME; a prefix; a carrier; '*'" }, \
    { "count",  "N",    CTL_MAY, "so many messages in the time of --per" },                                  \
    { "per",    "TIME", CTL_MAY, "such as 1s, 60s or 1d" per },                                              \
    { "burst",  "N",    CTL_MAY, "so many at once" burst },                                                  \
    { "factor", "N",    CTL_MAY, "pumping: so many times what is usual" factor },                            \
    { "wait",   NULL,   CTL_MAY, "what is over a limit waits" },                                             \
    { "refuse", NULL,   CTL_MAY, "what is over the limit of a sender or a resource is refused: 429" },       \
    { "handling", "WHO", CTL_MAY, "optout: carrier, platform or none answers STOP, START and HELP" },               \
    { "language", "XX", CTL_MAY, "optout: of the words and answers, such as es" },                           \
    { "from",   "TIME", CTL_MAY, "quiet: from this time of the recipient's day, such as 21:00" },            \
    { "until",  "TIME", CTL_MAY, "quiet: until then, such as 08:00" },                                       \
    { "on",     NULL,   CTL_MAY, "switch it on" },                                                           \
    { "off",    NULL,   CTL_MAY, "switch it off" }
static const struct ctl_option add_options[] = {
    { "kind", "KIND", CTL_NEEDED, "sender, resource, prefix or carrier (limits); pumping; quiet; optout; reply" },
    GUARD_OPTIONS(" [60s]", " [as many as --count]", " [5]"), { 0 },
};
static const struct ctl_option set_options[] = { GUARD_OPTIONS("", "", ""), { 0 } };

const struct ctl_command ctl_guard_commands[] = {
    { "guard", "list", "", 0, 0, NULL, list, "limits, quiet hours and pumping guards over texts, those built in and off too" },
    { "guard", "add", "NAME", 1, 1, add_options, add, "hold texts back, or refuse them; it is on at once" },
    { "guard", "set", "NAME", 1, 1, set_options, set, "change a guard; what is not said stays" },
    { "guard", "remove", "NAME", 1, 1, NULL, take_away, "take a guard away; a built-in one is as it was, off" },
    { 0 },
};
