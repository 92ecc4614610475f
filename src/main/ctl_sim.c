/* sim ...: how the simulated networks inside a server behave. (`sim` alone runs them without one: sim_main.c.) */
#include "base/str.h"
#include "main/ctl_priv.h"
#include "sim/smsc_ways.h"

#define SMSC_PATH "/carterfone/v1/sim/smsc"

static int ask_smsc(struct ctl *c, const char *method, const char *verb, const struct buf *body, struct ctl_answer *answer)
{
    return ctl_ask(c, CTL_AS_OPERATOR, method, ctl_target(c, SMSC_PATH "%s", verb), body ? buf_str(body) : (struct str){ 0 },
                   answer);
}

/* -- looking --------------------------------------------------------------------------------------------------------- */
static void say_settings(struct ctl *c, const struct json *settings, bool all)
{
    struct smsc_way way;
    unsigned said = 0;
    for (size_t i = 0; smsc_way_row(i, &way); i++) {
        struct str value = ctl_path_text(c, settings, way.name);
        if (!all && str_eqz(value, way.otherwise))
            continue;
        said++;
        if (all)
            ctl_say(c, "%-22s %-14s %s; %s%s%s", way.name, value.p, way.words, way.takes,
                    *way.otherwise ? "; default " : "", way.otherwise);
        else
            ctl_say(c, "  %s=" STR_FMT, way.name, STR_ARG(value));
    }
    if (!all && !said)
        ctl_say(c, "  all at their defaults; `carterfone sim smsc settings` lists them");
}

static int say_smsc(struct ctl *c, const struct ctl_answer *answer)
{
    static const struct ctl_column binds[] = {
        { "SYSTEM-ID", "systemId" }, { "BIND", "bind" }, { "PEER", "peer" }, { "SINCE", "boundAt" }, { ">SUBMITS", "submits" },
        { ">UNANSWERED", "unanswered" }, { ">QUEUED", "queued" }, { ">UNDER WAY", "underWay" }, { 0 },
    };
    static const struct ctl_column facts[] = {
        { "outage until", "outageUntil", CTL_IF_ANY }, { "messages not delivered yet", "messages" },
        { "waiting to be taken", "waiting" }, { "series from handsets", "runs", CTL_IF_ANY },
        { "accepted", "counts.accepted" }, { "refused", "counts.refused" }, { "delivered", "counts.delivered" },
        { "undelivered", "counts.undelivered" }, { "receipts", "counts.receipts" },
        { "receipts kept back", "counts.receiptsKeptBack" }, { "from handsets", "counts.fromHandsets" },
        { "links cut", "counts.cuts" }, { "binds refused", "counts.bindsRefused" }, { 0 },
    };
    if (ctl_say_json(c, answer->body))
        return CTL_OK;
    ctl_table(c, json_member(answer->json, "binds"), binds, "Nobody is bound.");
    ctl_say(c, "%s", "");
    ctl_facts(c, answer->json, facts);
    ctl_say(c, "settings");
    say_settings(c, json_member(answer->json, "settings"), false);
    return CTL_OK;
}

static int show(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ask_smsc(c, "GET", "", NULL, &answer);
    return rc ? rc : say_smsc(c, &answer);
}

static int list_settings(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ask_smsc(c, "GET", "", NULL, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        say_settings(c, json_member(answer.json, "settings"), true);
    return rc;
}

/* -- changing -------------------------------------------------------------------------------------------------------- */
static int set(struct ctl *c)
{
    struct ctl_answer answer;
    struct str name, value;
    scoped_buf body = { 0 };
    struct jw w = jw_of(&body);
    jw_object(&w, NULL);
    for (int i = 0; i < c->args_n; i++) {
        if (!str_cut(str_of(c->args[i]), '=', &name, &value))
            return ctl_usage(c, "'%s' is not NAME=VALUE", c->args[i]);
        jw_text(&w, arena_str(c->arena, name).p, value);
    }
    jw_end(&w);
    int rc = ask_smsc(c, "PATCH", "", &body, &answer);
    if (!rc && !ctl_say_json(c, answer.body)) {
        ctl_say(c, "settings");
        say_settings(c, json_member(answer.json, "settings"), false);
    }
    return rc;
}

static int post(struct ctl *c, const char *verb, const struct buf *body, const char *said)
{
    struct ctl_answer answer;
    int rc = ask_smsc(c, "POST", verb, body, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, "%s", said);
    return rc;
}

static int reset(struct ctl *c)
{
    scoped_buf body = { 0 };
    buf_putz(&body, "{}");
    return post(c, "/:reset", &body, "every setting is at its default");
}

/* {"name":"value"}, or {} */
static void write_one(struct buf *body, const char *name, const char *value)
{
    struct jw w = jw_of(body);
    jw_object(&w, NULL);
    if (value)
        jw_textz(&w, name, value);
    jw_end(&w);
}

static int cut(struct ctl *c)
{
    struct ctl_answer answer;
    scoped_buf body = { 0 };
    write_one(&body, "systemId", c->args_n ? c->args[0] : NULL);
    int rc = ask_smsc(c, "POST", "/:cut", &body, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, "links cut: %lld", (long long)json_int_of(answer.json, "cut", 0));
    return rc;
}

static int outage(struct ctl *c)
{
    scoped_buf body = { 0 };
    write_one(&body, "for", c->args[0]);
    return post(c, "/:outage", &body, strcmp(c->args[0], "0") ? "every link is cut, nobody is let in" : "the outage is over");
}

static int inject(struct ctl *c)
{
    int64_t count, rate, senders;
    scoped_buf body = { 0 };
    struct jw w = jw_of(&body);
    int rc = ctl_option_int(c, "count", 1, 1000000, 1, &count);
    if (!rc)
        rc = ctl_option_int(c, "rate", 0, 10000, 0, &rate);
    if (!rc)
        rc = ctl_option_int(c, "senders", 1, 1000000, 1, &senders);
    if (rc)
        return rc;
    jw_object(&w, NULL);
    jw_textz(&w, "from", ctl_option(c, "from"));
    jw_textz(&w, "to", ctl_option(c, "to"));
    jw_textz(&w, "text", c->args[0]);
    jw_int(&w, "count", count);
    jw_int(&w, "rate", rate);
    jw_int(&w, "senders", senders);
    jw_end(&w);
    return post(c, "/:inject", &body, "on their way");
}

static const struct ctl_option inject_options[] = {
    { "from", "NUMBER", CTL_NEEDED, "the handset" },
    { "to", "NUMBER", CTL_NEEDED, "whom it writes to" },
    { "count", "N", CTL_MAY, "so many messages [1]; {n} in the text is the number of each" },
    { "rate", "N", CTL_MAY, "so many a second [as fast as they are taken]" },
    { "senders", "N", CTL_MAY, "from so many handsets in turn, the numbers after --from [1]" },
    { 0 },
};

const struct ctl_command ctl_sim_commands[] = {
    { "sim", "smsc", "", 0, 0, NULL, show, "the simulated SMSC: who is bound, what went through, settings" },
    { "sim", "smsc settings", "", 0, 0, NULL, list_settings, "every setting, what it takes and does" },
    { "sim", "smsc set", "NAME=VALUE...", 1, CTL_GIVEN_MAX, NULL, set, "behave so; an empty value is the default" },
    { "sim", "smsc reset", "", 0, 0, NULL, reset, "all settings to their defaults" },
    { "sim", "smsc cut", "[SYSTEM-ID]", 0, 1, NULL, cut, "cut the links, of one ESME or of all" },
    { "sim", "smsc outage", "TIME", 1, 1, NULL, outage, "cut the links and let nobody in for so long; 0 ends it" },
    { "sim", "smsc inject", "TEXT", 1, 1, inject_options, inject, "messages from handsets" },
    { 0 },
};
