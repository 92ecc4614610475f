#include "main/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/nearest.h"
#include "base/str.h"
#include "main/ctl_priv.h"

#define CTL_VERSION "0.1 (unreleased; see CHANGELOG.md)"

static const struct ctl_command *const tables[] = {
    ctl_plan_commands, ctl_money_commands, ctl_numbers_commands, ctl_import_commands, ctl_inventory_commands,
    ctl_registration_commands, ctl_sms_commands, ctl_optout_commands, ctl_call_commands,
    ctl_handset_commands, ctl_sim_commands, ctl_events_commands,
    ctl_account_commands, ctl_carrier_commands, ctl_smsroutes_commands, ctl_guard_commands, ctl_sip_commands, ctl_fault_commands, ctl_snapshot_commands, ctl_server_commands,
    ctl_routes_commands, ctl_doctor_commands, ctl_backup_commands, ctl_completion_commands,
};

/* Understood by every command. */
static const struct ctl_option common[] = {
    { "server",   "URL",  CTL_MAY, "the server, such as https://127.0.0.1:4500" },
    { "data",     "DIR",  CTL_MAY, "its data folder [./carterfone-data]" },
    { "resource", "NAME", CTL_MAY, "act as this resource instead of the default one" },
    { "json",     NULL,   CTL_MAY, "print the API's own objects" },
    { "help",     NULL,   CTL_MAY, "this text" },
    { 0 },
};

/* -- looking up what was typed --------------------------------------------------------------------------------------- */

const struct ctl_command *ctl_next(const struct ctl_command *before)
{
    bool passed = !before;
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        for (const struct ctl_command *command = tables[i]; command->family; command++) {
            if (passed)
                return command;
            passed = command == before;
        }
    }
    return NULL;
}

const char *ctl_option_at(const struct ctl *c, const char *name, int i)
{
    for (int g = 0; g < c->given_n; g++)
        if (strcmp(c->given[g].option->name, name) == 0 && i-- == 0)
            return c->given[g].value;
    return NULL;
}

const char *ctl_option(const struct ctl *c, const char *name)
{
    return ctl_option_at(c, name, 0);
}

int ctl_option_int(const struct ctl *c, const char *name, int64_t min, int64_t max, int64_t otherwise, int64_t *out)
{
    const char *value = ctl_option(c, name);
    uint64_t    number;
    *out = otherwise;
    if (!value)
        return CTL_OK;
    if (str_u64(str_of(value), (uint64_t)max, &number) != ERR_NONE || (int64_t)number < min)
        return ctl_usage(c, "--%s: '%s' is not a whole number in %lld..%lld", name, value, (long long)min, (long long)max);
    *out = (int64_t)number;
    return CTL_OK;
}

/* -- help ---------------------------------------------------------------------------------------------------------------- */

static void help_options(FILE *to, const struct ctl_option *options)
{
    int width = 24;
    for (const struct ctl_option *o = options; o && o->name; o++) {
        int w = (int)(strlen(o->name) + (o->takes ? strlen(o->takes) : 0)) + 3;
        width = w > width ? w : width;
    }
    for (const struct ctl_option *o = options; o && o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->takes ? " " : "", o->takes ? o->takes : "");
        fprintf(to, "  %-*s %s%s%s\n", width, left, o->help, o->need == CTL_NEEDED ? " (needed)" : "",
                o->need == CTL_MANY ? " (repeatable)" : "");
    }
}

static void help_command(FILE *to, const struct ctl_command *command)
{
    fprintf(to, "carterfone %s%s%s%s%s\n  %s\n", command->family, *command->verb ? " " : "", command->verb,
            *command->args ? " " : "", command->args, command->help);
    help_options(to, command->options);
}

static void help_lines(FILE *to, const char *family)
{
    for (const struct ctl_command *command = ctl_next(NULL); command; command = ctl_next(command)) {
        if (family && strcmp(command->family, family) != 0)
            continue;
        char left[80];
        snprintf(left, sizeof left, "%s%s%s%s%s", command->family, *command->verb ? " " : "", command->verb,
                 *command->args ? " " : "", command->args);
        fprintf(to, "  %-42s %s\n", left, command->help);
    }
}

/* What there is, by what one wants to do. A family that no line has stands under the last title. */
static const struct { const char *title, *family, *help; } areas[] = {
    { "Run it", "serve", "run the platform (serve --help lists its settings)" },
    { "Run it", "sim", "run the simulated networks alone; with a word behind it, steer them" },
    { "Run it", "check-config", "read a config file without starting" },
    { "Run it", "doctor", "what on this machine is worth mending" },
    { "Run it", "backup", "copy the data of a server, running or not, into a new folder" },
    { "Run it", "status", "what the server says of itself" },
    { "Connect to it", "connection-string", "what a program needs to connect" },
    { "Connect to it", "trust", "how programs come to trust the local certificate" },
    { "Connect to it", "token", "a bearer token, for SDKs that take a TokenCredential" },
    { "Numbers", "plan", "which kind of number does it, where, for how much; or why none does" },
    { "Numbers", "price", "what a call or a text to a number costs" },
    { "Numbers", "numbers", "search, buy, list, release; import and keep your own" },
    { "Numbers", "registration", "toll-free verifications and short-code programs" },
    { "Texts and calls", "sms", "send, preview, list and show texts" },
    { "Texts and calls", "optout", "who wants no texts from a number" },
    { "Texts and calls", "call", "place, list, show, play into and end calls" },
    { "Texts and calls", "events", "subscribe endpoints, follow events, what could not be delivered" },
    { "Texts and calls", "explain", "why: the story of a message, a call or a refused request" },
    { "The other end", "handset", "handsets of the simulated network: read, write, answer, dial" },
    { "The other end", "fault", "arm faults" },
    { "The other end", "clock", "the product clock, and moving it" },
    { "The other end", "snapshot", "keep the whole state of the running server" },
    { "The other end", "restore", "put a snapshot in the place of the state there is" },
    { "The other end", "reset", "back to the state of the first start" },
    { "Who pays", "account", "subscriptions: who pays, and from where" },
    { "Who pays", "resource", "resources under an account, and their keys" },
    { "Who pays", "usage", "what was charged: each charge, or sums" },
    { "Who pays", "invoice", "a month's invoice, line by line" },
    { "Carriers", "smsc", "binds to SMSCs over SMPP" },
    { "Carriers", "guard", "limits, quiet hours and the pumping guard over texts" },
    { "Carriers", "trunk", "SIP trunks" },
    { "Carriers", "sip", "direct routing: domains, trunks, routes" },
    { "More", "routes", "every operation of the API, and what is built" },
    { "More", "completion", "command completion for bash, zsh or fish" },
};

static bool has_area(const char *family)
{
    for (size_t i = 0; i < ARRAY_LEN(areas); i++)
        if (strcmp(areas[i].family, family) == 0)
            return true;
    return false;
}

static void help_areas(FILE *to)
{
    const char *title = "", *family = "";
    for (size_t i = 0; i < ARRAY_LEN(areas); i++) {
        if (strcmp(title, areas[i].title) != 0)
            fprintf(to, "\n%s\n", areas[i].title);
        title = areas[i].title;
        fprintf(to, "  %-18s %s\n", areas[i].family, areas[i].help);
    }
    for (const struct ctl_command *command = ctl_next(NULL); command; command = ctl_next(command)) {
        if (!has_area(command->family) && strcmp(family, command->family) != 0)
            fprintf(to, "  %-18s %s\n", command->family, command->help);
        family = command->family;
    }
}

static void help_family(FILE *to, const char *family)
{
    help_lines(to, family);
    fprintf(to, "\nWith each of them; `carterfone %s VERB --help` says what else one takes:\n", family);
    help_options(to, common);
}

/* The first screen. */
static void help_first(FILE *to)
{
    fprintf(to, "carterfone - telephony and SMS of your own, behind the Azure Communication Services API\n");
    help_areas(to);
    fprintf(to, "\n`carterfone help AREA` lists the commands of one, `carterfone help all` every command, `carterfone COMMAND --help` all\n"
                "that one takes. --server URL, --data DIR, --resource NAME and --json go with each.\n"
                "Exit code: 0 done, 1 refused, 2 usage, 3 no server reached.\n");
}

static void help_each(FILE *to)
{
    help_lines(to, NULL);
    fprintf(to, "\nWith each of them:\n");
    help_options(to, common);
}

int ctl_usage(const struct ctl *c, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fprintf(stderr, "carterfone: ");
    vfprintf(stderr, format, ap);
    fprintf(stderr, "\n");
    va_end(ap);
    if (c && c->command)
        help_command(stderr, c->command);
    return CTL_USAGE;
}

/* -- reading the command line --------------------------------------------------------------------------------------------- */

/* How many words of argv are the verb, which may have none, one or two ("smsc set"); -1: it is another one. */
static int verb_words(const char *verb, int argc, char **argv)
{
    struct str word, rest = str_of(verb);
    int words = 0;
    for (bool more = *verb; more; words++) {
        more = str_cut(rest, ' ', &word, &rest);
        if (words >= argc || !str_eqz(word, argv[words]))
            return -1;
    }
    return words;
}

/* The command that the first words name; of two that both fit the longer. *used says how many they are. */
static const struct ctl_command *find_command(int argc, char **argv, int *used)
{
    const struct ctl_command *found = NULL;
    int most = 0;
    for (const struct ctl_command *command = ctl_next(NULL); command; command = ctl_next(command)) {
        if (strcmp(command->family, argv[0]) != 0)
            continue;
        int words = verb_words(command->verb, argc - 1, argv + 1);
        if (words < most)
            continue;
        most = words;
        found = command;
    }
    *used = 1 + most;
    return found;
}

static bool asks_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

static int unknown_command(int argc, char **argv)
{
    const char *families[512] = { "serve", "sim" }, *verbs[128];
    size_t      families_n = 2, verbs_n = 0;
    for (const struct ctl_command *command = ctl_next(NULL); command; command = ctl_next(command)) {
        if (strcmp(command->family, argv[0]) == 0 && verbs_n < ARRAY_LEN(verbs))
            verbs[verbs_n++] = command->verb;
        if (families_n < ARRAY_LEN(families))
            families[families_n++] = command->family;
    }
    if (verbs_n && (argc < 2 || argv[1][0] == '-' || asks_help(argv[1]))) {
        bool asked = argc > 1 && asks_help(argv[1]);
        help_family(asked ? stdout : stderr, argv[0]);
        return asked ? CTL_OK : CTL_USAGE;
    }
    const char *typed = verbs_n ? argv[1] : argv[0];
    const char *close = verbs_n ? nearest(str_of(typed), verbs, verbs_n) : nearest(str_of(typed), families, families_n);
    return ctl_usage(NULL, "there is no command '%s%s%s'%s%s%s; `carterfone help all` lists them", argv[0], verbs_n ? " " : "",
                     verbs_n ? typed : "", close ? ", did you mean '" : "", close ? close : "", close ? "'?" : "");
}

static const struct ctl_option *option_in(const struct ctl_option *options, struct str name)
{
    for (const struct ctl_option *o = options; o && o->name; o++)
        if (str_eqz(name, o->name))
            return o;
    return NULL;
}

static int unknown_option(const struct ctl *c, struct str name)
{
    const char *known[64];
    size_t      n = 0;
    for (const struct ctl_option *o = c->command->options; o && o->name && n < ARRAY_LEN(known); o++)
        known[n++] = o->name;
    for (const struct ctl_option *o = common; o->name && n < ARRAY_LEN(known); o++)
        known[n++] = o->name;
    const char *close = nearest(name, known, n);
    return ctl_usage(c, "there is no option --" STR_FMT "%s%s%s", STR_ARG(name), close ? "; did you mean --" : "",
                     close ? close : "", close ? "?" : "");
}

/* --name VALUE, --name=VALUE, or --name. Moves *i past what it used. */
static int read_option(struct ctl *c, int argc, char **argv, int *i)
{
    struct str name, value;
    bool       inline_value = str_cut(str_from(str_of(argv[*i]), 2), '=', &name, &value);
    const struct ctl_option *option = option_in(c->command->options, name);
    if (!option)
        option = option_in(common, name);
    if (!option)
        return unknown_option(c, name);
    const char *text = inline_value ? value.p : "";
    if (option->takes && !inline_value) {
        if (*i + 1 >= argc)
            return ctl_usage(c, "--%s wants %s", option->name, option->takes);
        text = argv[++*i];
    } else if (!option->takes && inline_value) {
        return ctl_usage(c, "--%s takes no value", option->name);
    }
    if (option->need != CTL_MANY && ctl_option(c, option->name))
        return ctl_usage(c, "--%s stands twice", option->name);
    if (c->given_n == CTL_GIVEN_MAX)
        return ctl_usage(c, "more than %d options", CTL_GIVEN_MAX);
    c->given[c->given_n++] = (struct ctl_given){ option, text };
    return CTL_OK;
}

static int read_words(struct ctl *c, int argc, char **argv)
{
    bool only_words = false;            /* after "--" */
    for (int i = 0; i < argc; i++) {
        int rc = CTL_OK;
        if (!only_words && strcmp(argv[i], "--") == 0)
            only_words = true;
        else if (!only_words && strcmp(argv[i], "-h") == 0 && c->given_n < CTL_GIVEN_MAX)
            c->given[c->given_n++] = (struct ctl_given){ option_in(common, STR("help")), "" };
        else if (!only_words && argv[i][0] == '-' && argv[i][1] == '-')
            rc = read_option(c, argc, argv, &i);
        else if (c->args_n == CTL_GIVEN_MAX)
            rc = ctl_usage(c, "more than %d words", CTL_GIVEN_MAX);
        else
            c->args[c->args_n++] = argv[i];
        if (rc)
            return rc;
    }
    return CTL_OK;
}

/* "CALLID FILE.wav|URL" was promised and less was typed: the first word that is missing. */
static int word_missing(const struct ctl *c)
{
    struct str word = str_of("a word"), rest = str_of(c->command->args);
    for (int i = 0; i <= c->args_n && !strstr(c->command->args, "--"); i++)
        str_cut(rest, ' ', &word, &rest);
    return ctl_usage(c, STR_FMT " is missing", STR_ARG(word));
}

static int check_words(const struct ctl *c)
{
    if (c->args_n < c->command->args_min)
        return word_missing(c);
    if (c->args_n > c->command->args_max)
        return ctl_usage(c, "'%s' is one word too many; quote a text that has blanks", c->args[c->command->args_max]);
    for (const struct ctl_option *o = c->command->options; o && o->name; o++)
        if (o->need == CTL_NEEDED && !ctl_option(c, o->name))
            return ctl_usage(c, "--%s %s is needed", o->name, o->takes);
    return CTL_OK;
}

static int run_command(struct ctl *c, int argc, char **argv)
{
    int rc = read_words(c, argc, argv);
    if (!rc && ctl_option(c, "help")) {
        help_command(stdout, c->command);
        printf("With each command:\n");
        help_options(stdout, common);
        return CTL_OK;
    }
    if (!rc)
        rc = check_words(c);
    if (rc)
        return rc;
    c->json = ctl_option(c, "json") != NULL;
    c->server = ctl_option(c, "server");
    c->data = ctl_option(c, "data");
    c->resource = ctl_option(c, "resource");
    rc = c->command->run(c);
    if (fflush(stdout) != 0 && rc == CTL_OK)
        rc = CTL_REFUSED;               /* nobody read the answer: a closed pipe, a full disk */
    return rc;
}

/* `--server URL numbers list` means `numbers list --server URL`: how many words of options stand in front. */
static int leading_options(int argc, char **argv)
{
    int leading = 0;
    while (leading < argc && argv[leading][0] == '-' && argv[leading][1] == '-') {
        struct str name, value;
        bool       inline_value = str_cut(str_from(str_of(argv[leading]), 2), '=', &name, &value);
        const struct ctl_option *option = option_in(common, name);
        if (!option)
            break;
        leading += option->takes && !inline_value ? 2 : 1;
    }
    return leading < argc ? leading : 0;
}

/* `help numbers buy` is `numbers buy --help`. */
static int help_on(int argc, char **argv)
{
    int used = 0;
    const struct ctl_command *command = argc ? find_command(argc, argv, &used) : NULL;
    char *family_help[] = { argc ? argv[0] : NULL, "help", NULL };
    if (!argc)
        help_first(stdout);
    else if (strcmp(argv[0], "all") == 0)
        help_each(stdout);
    else if (command)
        help_command(stdout, command);
    else
        return unknown_command(2, family_help);
    return CTL_OK;
}

int ctl_main(int argc, char **argv)
{
    if (argc > 0 && asks_help(argv[0]))
        return help_on(argc - 1, argv + 1);
    if (argc < 1) {
        help_first(stderr);
        return CTL_USAGE;
    }
    if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "version") == 0) {
        puts("carterfone " CTL_VERSION);
        return CTL_OK;
    }
    int leading = leading_options(argc, argv), used = 0;
    const struct ctl_command *command = find_command(argc - leading, argv + leading, &used);
    if (!command)
        return unknown_command(argc - leading, argv + leading);

    struct ctl *c = calloc(1, sizeof *c);
    scoped(arena) struct arena *arena = arena_new();
    if (!c || !arena) {
        free(c);
        return ctl_usage(NULL, "%s", err_words(ERR_NOMEM));
    }
    c->arena = arena;
    c->command = command;
    int rc = read_words(c, leading, argv);
    if (!rc)
        rc = run_command(c, argc - leading - used, argv + leading + used);
    ctl_http_done(c);
    free(c);
    return rc;
}
