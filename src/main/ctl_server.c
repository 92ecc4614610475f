/* explain, clock, status, check-config, doctor, completion: the server itself, and this machine. */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

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

/* -- doctor ---------------------------------------------------------------------------------------------------------------- */

static int64_t file_number(struct ctl *c, const char *path)
{
    struct str text = ctl_file(c, path);
    uint64_t   n;
    return text.p && str_u64(str_trim(text), INT64_MAX, &n) == ERR_NONE ? (int64_t)n : -1;
}

/* One finding a line: good, or worth a look and what to do. @return 1 when it is worth a look */
static int finding(const struct ctl *c, struct jw *w, bool good, const char *what, int64_t figure, const char *advice)
{
    jw_object(w, NULL);
    jw_textz(w, "what", what);
    jw_int(w, "figure", figure);
    jw_bool(w, "good", good);
    if (!good)
        jw_textz(w, "advice", advice);
    jw_end(w);
    ctl_say(c, "%-4s %-32s %lld%s%s", good ? "ok" : "LOOK", what, (long long)figure, good ? "" : ": ", good ? "" : advice);
    return !good;
}

static int doctor(struct ctl *c)
{
    enum { RMEM_GOOD = 2 << 20, FILES_GOOD = 4096 };
    int           looks = 0;
    struct rlimit files = { 0 };
    scoped_buf    body = { 0 };
    struct jw     w = jw_of(&body);
    getrlimit(RLIMIT_NOFILE, &files);
    jw_object(&w, NULL);
    jw_array(&w, "findings");
    int64_t rmem = file_number(c, "/proc/sys/net/core/rmem_max");
    looks += finding(c, &w, rmem < 0 || rmem >= RMEM_GOOD, "net.core.rmem_max (octets)", rmem,
                     "bursts of SIP over UDP may be lost; sysctl -w net.core.rmem_max=4194304");
    looks += finding(c, &w, files.rlim_max >= FILES_GOOD, "open files a process may have", (int64_t)files.rlim_max,
                     "each connection takes one, each call two; ulimit -Hn 65536");
    looks += finding(c, &w, sysconf(_SC_NPROCESSORS_ONLN) >= 2, "processors", sysconf(_SC_NPROCESSORS_ONLN),
                     "media and SIP share one; fine for trying out");
    jw_end(&w);
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_NOBODY, "GET", STR("/readyz"), (struct str){ 0 }, &answer);
    jw_bool(&w, "serverReady", rc == CTL_OK);
    jw_end(&w);
    ctl_say_json(c, buf_str(&body));
    if (rc)
        return rc;
    ctl_say(c, "%-4s %-32s " STR_FMT, "ok", "the server is ready at", STR_ARG(c->api));
    ctl_say(c, "%s", looks ? "It runs; the lines marked LOOK say what to mend for load." : "Nothing to mend.");
    return CTL_OK;
}

/* -- completion -------------------------------------------------------------------------------------------------------------- */

/* "--type --for " of each command, behind its one or two words. */
static void complete_options(void)
{
    for (const struct ctl_command *command = ctl_next(NULL); command; command = ctl_next(command)) {
        if (!command->options)
            continue;
        printf("    '%s%s%s'*) words+='", command->family, *command->verb ? " " : "", command->verb);
        for (const struct ctl_option *o = command->options; o->name; o++)
            printf(" --%s", o->name);
        printf("' ;;\n");
    }
}

static int completion(struct ctl *c)
{
    (void)c;
    printf("# bash: eval \"$(carterfone completion)\"\n"
           "_carterfone() {\n    local cur=${COMP_WORDS[COMP_CWORD]} words='--server --data --resource --json --help'\n"
           "    case \"${COMP_WORDS[*]:1:2} \" in\n");
    complete_options();
    printf("    esac\n    case $COMP_CWORD:${COMP_WORDS[1]} in\n    1:*) words='serve");
    const char *family = "";
    for (const struct ctl_command *command = ctl_next(NULL); command; command = ctl_next(command)) {
        if (strcmp(command->family, family) != 0)
            printf(" %s", command->family);
        family = command->family;
    }
    printf("' ;;\n");
    for (const struct ctl_command *command = ctl_next(NULL); command;) {
        family = command->family;
        bool verbs = *command->verb;
        if (verbs)
            printf("    2:%s) words='", family);
        for (; command && strcmp(command->family, family) == 0; command = ctl_next(command))
            if (verbs)
                printf("%s ", command->verb);
        if (verbs)
            printf("' ;;\n");
    }
    printf("    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _carterfone carterfone\n");
    return CTL_OK;
}

const struct ctl_command ctl_server_commands[] = {
    { "explain", "", "ID", 1, 1, NULL, ctl_explain,
      "why: the time line of a request, message, call, event, search, operation, reservation or number" },
    { "clock", "show", "", 0, 0, NULL, clock_show, "the product clock" },
    { "clock", "advance", "DURATION", 1, 1, NULL, clock_advance, "move it on, such as 16m or 45d (serve --clock virtual)" },
    { "status", "", "", 0, 0, NULL, status, "what the server says of itself" },
    { "doctor", "", "", 0, 0, NULL, doctor, "what on this machine is worth mending" },
    { "check-config", "", "FILE", 1, 1, NULL, check_config, "read a config file without starting" },
    { "completion", "", "", 0, 0, NULL, completion, "command completion for bash" },
    { 0 },
};
