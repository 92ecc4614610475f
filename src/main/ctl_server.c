/* explain, clock, status, check-config: the server itself. */
#include <errno.h>
#include <stdio.h>

#include "base/str.h"
#include "domain/numbers/overlay.h"
#include "main/ctl_priv.h"
#include "main/settings.h"

/* -- explain ------------------------------------------------------------------------------------------------------------- */

int ctl_explain(struct ctl *c)
{
    static const struct ctl_column facts[] = {
        { "id", "id" }, { "kind", "kind" }, { "state", "state", CTL_IF_ANY }, { "outcome", "decision.outcome", CTL_IF_ANY },
        { "rule", "decision.rule", CTL_IF_ANY }, { "why", "decision.why", CTL_IF_ANY }, { "limit", "decision.limit", CTL_IF_ANY },
        { "route", "decision.route", CTL_IF_ANY }, { "next", "decision.next", CTL_IF_ANY }, { 0 },
    };
    static const struct ctl_column lines[] = {
        { "TIME", "time", CTL_FINE }, { ">+MS", "offsetMs" }, { "OF", "of" }, { "STEP", "step" }, { "WHAT", "text" }, { 0 },
    };
    static const struct ctl_column things[] = { { "BELONGS TO IT", "kind" }, { "ID", "id" }, { 0 } };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", ctl_target(c, "/carterfone/v1/explain/%e", c->args[0]), (struct str){ 0 },
                     &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    ctl_facts(c, answer.json, facts);
    ctl_say(c, "%s", "");
    ctl_table(c, json_member(answer.json, "lines"), lines, "Nothing is recorded.");
    if (json_bool_of(answer.json, "cut", false))
        ctl_say(c, "%s", "There is more than is shown: ask for one of the things below.");
    ctl_say(c, "%s", "");
    ctl_table(c, json_member(answer.json, "things"), things, "Nothing belongs to it.");
    return CTL_OK;
}

/* -- clock --------------------------------------------------------------------------------------------------------------- */

static int tell_clock(struct ctl *c, const struct ctl_answer *answer)
{
    static const struct ctl_column facts[] = {
        { "product time", "productTime" }, { "ahead by (s)", "offsetSeconds" }, { "clock", "clock" }, { 0 },
    };
    if (!ctl_say_json(c, answer->body))
        ctl_facts(c, answer->json, facts);
    return CTL_OK;
}

static int clock_show(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", STR("/carterfone/v1/clock"), (struct str){ 0 }, &answer);
    return rc ? rc : tell_clock(c, &answer);
}

/* "45d", "1h30m", "90s", "90": seconds. @return -1 when it is none of these */
static int64_t read_duration(const char *text)
{
    static const struct { char unit; int64_t seconds; } units[] = {
        { 'w', 604800 }, { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 },
    };
    static const int64_t MAX = 100LL * 366 * 86400;
    int64_t total = 0;
    for (const char *p = text; *p;) {
        int64_t n = 0;
        if (*p < '0' || *p > '9')
            return -1;
        for (; *p >= '0' && *p <= '9'; p++)
            n = n > MAX ? MAX : n * 10 + (*p - '0');
        int64_t seconds = *p ? 0 : 1;
        for (size_t i = 0; i < ARRAY_LEN(units); i++)
            if (*p == units[i].unit)
                seconds = units[i].seconds;
        if (!seconds || n > MAX / seconds)
            return -1;
        total += n * seconds;
        p += *p != 0;
    }
    return *text && total <= MAX ? total : -1;
}

static int clock_advance(struct ctl *c)
{
    int64_t seconds = read_duration(c->args[0]);
    if (seconds < 0)
        return ctl_usage(c, "'%s' is no duration such as 45d, 16m or 1h30m", c->args[0]);
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", STR("/carterfone/v1/clock/:advance"),
                     arena_printf(c->arena, "{\"seconds\":%lld}", (long long)seconds), &answer);
    if (!rc)
        rc = tell_clock(c, &answer);
    if (!rc)
        ctl_say(c, "fell due      " STR_FMT, STR_ARG(ctl_path_text(c, answer.json, "fired")));
    return rc;
}

/* -- status, settings ------------------------------------------------------------------------------------------------------ */

static int status(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", STR("/carterfone/v1/status"), (struct str){ 0 }, &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    static const struct ctl_column facts[] = { { "product time", "productTime" }, { "simulator", "simulator" }, { 0 } };
    static const struct ctl_column carriers[] = {
        { "CARRIER", "name" }, { "UP", "up" }, { "SIMULATED", "simulated" }, { ">WAITING", "waiting" }, { 0 },
    };
    ctl_say(c, "server        " STR_FMT, STR_ARG(c->api));
    ctl_facts(c, answer.json, facts);
    ctl_say(c, "%s", "");
    ctl_table(c, json_member(answer.json, "carriers"), carriers, "No carriers.");
    return CTL_OK;
}

static int check_config(struct ctl *c)
{
    struct str text = ctl_file(c, c->args[0]);
    if (!text.p) {
        fprintf(stderr, "carterfone: %s: %s\n", c->args[0], errno ? strerror(errno) : "cannot be read");
        return CTL_USAGE;
    }
    static struct settings settings;
    struct problem why = { 0 };
    enum err       err = settings_read_yaml(&settings, SETTINGS_SERVE, text, c->args[0], &why);
    if (err) {
        fprintf(stderr, "carterfone: %s\n", why.text[0] ? why.text : err_words(err));
        return CTL_USAGE;
    }
    scoped(overlay) struct overlay *overlay = NULL;
    size_t changes = 0;
    if (settings.catalogue[0])
        err = overlay_load(&overlay, settings.catalogue, settings_edition_word(&settings), &why);
    if (err) {
        fprintf(stderr, "carterfone: %s\n", why.text[0] ? why.text : err_words(err));
        return CTL_USAGE;
    }
    const char *lines = overlay ? overlay_changes(overlay, &changes) : "";
    if (c->json)
        return ctl_say_json(c, arena_printf(c->arena, "{\"good\":true,\"listen\":\"%s:%u\",\"edition\":\"%s\",\"catalogueChanges\":%zu}",
                                            settings.listen[0].at.host, settings.listen[0].at.port, settings_edition_word(&settings),
                                            changes)) ? CTL_OK : CTL_REFUSED;
    ctl_say(c, "%s: good; data in %s, the API on %s:%u", c->args[0], settings.data, settings.listen[0].at.host,
            settings.listen[0].at.port);
    if (overlay)
        ctl_say(c, "%s changes edition %s in %zu places:\n%s", settings.catalogue, settings_edition_word(&settings), changes, lines);
    return CTL_OK;
}

const struct ctl_command ctl_server_commands[] = {
    { "explain", "", "ID", 1, 1, NULL, ctl_explain,
      "why: the time line of a request, message, call, event, search, operation, reservation or number" },
    { "clock", "show", "", 0, 0, NULL, clock_show, "the product clock" },
    { "clock", "advance", "DURATION", 1, 1, NULL, clock_advance, "move it on, such as 16m or 45d (serve --clock virtual)" },
    { "status", "", "", 0, 0, NULL, status, "what the server says of itself" },
    { "check-config", "", "FILE", 1, 1, NULL, check_config, "read a config file without starting" },
    { 0 },
};
