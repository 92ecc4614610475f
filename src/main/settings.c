#include "main/settings_priv.h"

#include <errno.h>
#include <limits.h>

#include "base/buf.h"
#include "base/hostport.h"
#include "base/nearest.h"
#include "base/str.h"
#include "domain/numbers/quotas.h"
#include "domain/retention.h"
#include "edge/smpp/esme_limits.h"
#include "sim/smsc_ways.h"

enum kind { KIND_TEXT, KIND_PATH, KIND_ENDPOINT, KIND_LISTEN, KIND_PORTS, KIND_CHOICE, KIND_SWITCH, KIND_PLAIN, KIND_U64, KIND_FAULT };
enum { SERVE = SETTINGS_SERVE, SIM = SETTINGS_SIM, BOTH = SERVE | SIM };
enum { NOT_YET = 0, BUILT = 1 };

/* member, kind, who understands it, built?, default, what it takes, help.
 * The flag is the member with '-' for '_'. KIND_CHOICE takes one of the words between '|'; KIND_PLAIN stands alone as a
 * flag and takes on/off elsewhere. A default of "" leaves the member empty. */
#define SETTINGS(S)                                                                                                    \
    S(data,         PATH,     BOTH,  BUILT,   "./carterfone-data", "DIR",        "folder of the database, keys and certificates") \
    S(listen,       LISTEN,   SERVE, BUILT,   "127.0.0.1:4500",  "HOST:PORT[=RESOURCE]", "HTTP and TLS: the API and the console; repeatable") \
    S(config,       PATH,     BOTH,  BUILT,   "",                "FILE",         "YAML file whose keys are these names") \
    S(store,        TEXT,     SERVE, BUILT,   "sqlite",          "sqlite|URL",   "where everything is kept")           \
    S(edition,      CHOICE,   SERVE, BUILT,   "2020-10",         "2020-10|current", "the catalogue of numbers, rules and prices") \
    S(quotas,       TEXT,     SERVE, BUILT,   "off",             "off|service|LIMITS", "limits of numbers: the service's own, or search=5/7d,purchase=1,sms=200/60s") \
    S(catalogue,    PATH,     SERVE, BUILT,   "",                "DIR",          "the operator's changes to catalogue and rates: a folder of CSV files") \
    S(simulator,    SWITCH,   SERVE, BUILT,   "on",              "on|off",       "run the simulated carrier inside")   \
    S(clock,        CHOICE,   SERVE, BUILT,   "real",            "real|virtual", "virtual: `clock advance` may move product time") \
    S(faults,       CHOICE,   SERVE, BUILT,   "auto",            "auto|on|off",  "may faults be armed? auto: while every carrier is simulated") \
    S(sip,          ENDPOINT, SERVE, BUILT,   "127.0.0.1:5060",  "HOST:PORT",    "SIP over UDP and TCP")               \
    S(sips,         ENDPOINT, SERVE, NOT_YET, "",                "HOST:PORT",    "SIP over TLS")                       \
    S(rtp_ports,    PORTS,    BOTH,  BUILT,   "20000-24999",     "A-B",          "UDP ports for media; 0: any free")   \
    S(smpp,         ENDPOINT, SERVE, BUILT,   "127.0.0.1:2775",  "HOST:PORT",    "SMPP server for customers' ESMEs")   \
    S(smpps,        ENDPOINT, SERVE, BUILT,   "",                "HOST:PORT",    "the same over TLS, with the certificate of the API") \
    S(smpp_limits,  TEXT,     SERVE, BUILT,   "",                "NAME=VALUE,...", "limits of ESMEs; untold binds=32,links=1000,window=10,submits=1000,bind=10s,enquire=30s,answer=30s,idle=off") \
    S(sim_sip,      ENDPOINT, BOTH,  BUILT,   "127.0.0.1:15060", "HOST:PORT",    "the simulated phone network's SIP")  \
    S(sim_smpp,     ENDPOINT, BOTH,  BUILT,   "127.0.0.1:12775", "HOST:PORT",    "the simulated SMSC")                 \
    S(sim_smsc,     TEXT,     BOTH,  BUILT,   "",                "NAME=VALUE,...", "how the simulated SMSC behaves; `sim smsc settings` lists the names") \
    S(sim_handsets, TEXT,     BOTH,  BUILT,   "",                "NUMBER KEY=VALUE...;...", "how simulated handsets take calls, * for all; `handset behaviours` lists the keys") \
    S(inbound,      ENDPOINT, SIM,   BUILT,   "127.0.0.1:5060",  "HOST:PORT",    "where calls of simulated handsets go") \
    S(accepted_log, PATH,     BOTH,  BUILT,   "",                "FILE",         "a line for each submit_sm the simulated SMSC accepts") \
    S(fault,        FAULT,    SIM,   BUILT,   "",                "FAULT",        "a fault from the start, such as 'smsc throttle every=100'; repeatable") \
    S(seed,         U64,      BOTH,  BUILT,   "1",               "N",            "of the simulated networks' choices") \
    S(tls_cert,     PATH,     SERVE, BUILT,   "",                "FILE",         "PEM chain instead of the local CA's") \
    S(tls_key,      PATH,     SERVE, BUILT,   "",                "FILE",         "its key")                            \
    S(domain,       TEXT,     SERVE, BUILT,   "localhost",       "DOMAIN",       "resources are reached as NAME.DOMAIN; their certificates say so") \
    S(advertise_sip, TEXT,    SERVE, BUILT,   "",                "HOST",         "name or address peers reach SIP by") \
    S(advertise_rtp, TEXT,    SERVE, BUILT,   "",                "HOST",         "address peers send media to")        \
    S(trusted_proxy, TEXT,    SERVE, NOT_YET, "",                "CIDR",         "whose Forwarded headers are believed") \
    S(retention,    TEXT,     SERVE, BUILT,   "",                "KIND=AGE,...", "how long things are kept; untold messages=90d,bodies=30d,calls=90d,recordings=48h,events=7d,audit=2y") \
    S(recording_host, TEXT,   SERVE, NOT_YET, "",                "NAME",         "host name of recording downloads")   \
    S(ready_file,   PATH,     BOTH,  BUILT,   "",                "FILE",         "JSON written when everything accepts") \
    S(in_memory,    PLAIN,    SERVE, BUILT,   "off",             "",             "keep nothing on disk but keys and certificates") \
    S(quiet,        PLAIN,    BOTH,  BUILT,   "off",             "",             "say nothing on standard output")     \
    S(log_format,   CHOICE,   BOTH,  BUILT,   "text",            "text|json",    "of the log on standard error")

struct setting {
    const char *name;       /* as the member: rtp_ports */
    enum kind   kind;
    int         who;
    bool        built;
    const char *otherwise;
    const char *takes;
    const char *help;
    size_t      offset, size;
};
#define SETTING_ROW(member, kind_, who_, built_, default_, takes_, help_)                                               \
    { #member, KIND_##kind_, who_, built_, default_, takes_, help_, offsetof(struct settings, member),                  \
      sizeof(((struct settings *)0)->member) },
static const struct setting settings[] = { SETTINGS(SETTING_ROW) };

enum { NAME_SIZE = 48 };

/* rtp_ports -> rtp-ports */
static const char *flag_name(char dst[NAME_SIZE], const struct setting *setting)
{
    size_t n = str_copyz(dst, NAME_SIZE, str_of(setting->name));
    for (size_t i = 0; i < n; i++)
        if (dst[i] == '_')
            dst[i] = '-';
    return dst;
}

const struct setting *setting_find(struct str name, enum settings_for who, struct problem *why)
{
    const char *known[ARRAY_LEN(settings)];
    size_t      n = 0;
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        if (!(settings[i].who & who))
            continue;
        if (name.n == strlen(settings[i].name) && nearest_distance(name, str_of(settings[i].name)) == 0)
            return &settings[i];
        known[n++] = settings[i].name;
    }

    char        flag[NAME_SIZE] = "";
    const char *close = nearest(name, known, n);
    for (size_t i = 0; close && i < ARRAY_LEN(settings); i++)
        if (settings[i].name == close)
            flag_name(flag, &settings[i]);
    problem_set(why, ERR_ABSENT, "UnknownSetting", "there is no setting '" STR_FMT "'%s%s%s", STR_ARG(name),
                close ? "; did you mean '" : "", flag, close ? "'?" : "");
    return NULL;
}

bool setting_is_list(const struct setting *setting)
{
    return setting->kind == KIND_LISTEN || setting->kind == KIND_FAULT;
}

/* -- values -------------------------------------------------------------------------------------------------------- */

static enum err read_port(struct str text, uint16_t *out, struct problem *why)
{
    uint64_t port;
    if (!text.n || str_u64(text, UINT16_MAX, &port) != ERR_NONE)
        return problem_set(why, ERR_RANGE, "BadSetting", "'" STR_FMT "' is not a port (0..65535)", STR_ARG(text));
    *out = (uint16_t)port;
    return ERR_NONE;
}

enum err settings_endpoint_read(struct settings_endpoint *out, struct str text, struct problem *why)
{
    struct hostport at;
    enum err err = hostport_read(&at, text);
    if (err == ERR_RANGE)
        return problem_set(why, err, "BadSetting", "'" STR_FMT "' ends in no port (0..65535)", STR_ARG(text));
    if (err || at.host.n >= sizeof out->host)
        return problem_set(why, ERR_SYNTAX, "BadSetting", "'" STR_FMT "' is not HOST:PORT, such as 127.0.0.1:5060 or [::1]:5060",
                           STR_ARG(text));
    *out = (struct settings_endpoint){ .port = at.port, .given = true };
    str_copyz(out->host, sizeof out->host, at.host);
    return ERR_NONE;
}

static bool is_resource_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '-')
            return false;
    return s.n > 0;
}

static enum err put_listen(struct settings *s, struct str text, bool first, struct problem *why)
{
    struct settings_listen one = { 0 };
    struct str             at, resource;
    if (str_cut(text, '=', &at, &resource)) {
        if (!is_resource_name(resource) || resource.n >= sizeof one.resource)
            return problem_set(why, ERR_SYNTAX, "BadSetting", "'" STR_FMT "' is not a resource's name (a-z, 0-9, -)",
                               STR_ARG(resource));
        str_copyz(one.resource, sizeof one.resource, resource);
    }
    enum err err = settings_endpoint_read(&one.at, at, why);
    if (err)
        return err;
    if (first)
        s->listen_n = 0;
    if (s->listen_n == SETTINGS_LISTEN_MAX)
        return problem_set(why, ERR_SIZE, "BadSetting", "more than %d listeners", SETTINGS_LISTEN_MAX);
    s->listen[s->listen_n++] = one;
    return ERR_NONE;
}

static enum err put_ports(struct settings_ports *out, struct str text, struct problem *why)
{
    struct settings_ports ports = { .given = true };
    struct str            low, high;
    if (!str_eqz(text, "0")) {
        if (!str_cut(text, '-', &low, &high))
            return problem_set(why, ERR_SYNTAX, "BadSetting",
                               "'" STR_FMT "' is not a range such as 20000-24999, nor 0 for any free port", STR_ARG(text));
        enum err err = read_port(str_trim(low), &ports.min, why);
        if (!err)
            err = read_port(str_trim(high), &ports.max, why);
        if (err)
            return err;
        if (!ports.min || ports.max <= ports.min)
            return problem_set(why, ERR_RANGE, "BadSetting", "'" STR_FMT "' must rise and not start at 0", STR_ARG(text));
    }
    *out = ports;
    return ERR_NONE;
}

/* The position of `text` among "a|b|c". */
static enum err read_choice(const char *words, struct str text, unsigned *out, struct problem *why)
{
    struct str one, rest = str_of(words);
    unsigned   i = 0;
    bool       more;
    do {
        more = str_cut(rest, '|', &one, &rest);
        if (str_eq(one, text)) {
            *out = i;
            return ERR_NONE;
        }
        i++;
    } while (more);
    return problem_set(why, ERR_RANGE, "BadSetting", "'" STR_FMT "' is not one of %s", STR_ARG(text), words);
}

static enum err read_bool(struct str text, bool *out, struct problem *why)
{
    static const char *const yes[] = { "on", "true", "yes", "1" }, *const no[] = { "off", "false", "no", "0" };
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (str_eqz(text, yes[i]) || str_eqz(text, no[i])) {
            *out = str_eqz(text, yes[i]);
            return ERR_NONE;
        }
    }
    return problem_set(why, ERR_RANGE, "BadSetting", "'" STR_FMT "' is neither on nor off", STR_ARG(text));
}

static enum err put_text(char *dst, size_t size, struct str text, struct problem *why)
{
    if (text.n >= size || memchr(text.p, 0, text.n))
        return problem_set(why, ERR_SIZE, "BadSetting", "at most %zu octets of text", size - 1);
    str_copyz(dst, size, text);
    return ERR_NONE;
}

/* One a line; read when the networks start (base/fault.h). */
static enum err put_fault(struct settings *s, struct str text, bool first, struct problem *why)
{
    size_t n = first ? 0 : strlen(s->fault);
    if (n + text.n + 2 > sizeof s->fault || memchr(text.p, 0, text.n))
        return problem_set(why, ERR_SIZE, "BadSetting", "at most %zu octets of faults", sizeof s->fault - 2);
    n += str_copyz(s->fault + n, sizeof s->fault - n, text);
    str_copyz(s->fault + n, sizeof s->fault - n, STR("\n"));
    return ERR_NONE;
}

static enum err put_value(struct settings *s, const struct setting *setting, struct str text, bool first,
                          struct problem *why)
{
    void    *member = (char *)s + setting->offset;
    unsigned choice = 0;
    enum err err;
    switch (setting->kind) {
    case KIND_TEXT:
    case KIND_PATH:     return put_text(member, setting->size, text, why);
    case KIND_ENDPOINT: return settings_endpoint_read(member, text, why);
    case KIND_LISTEN:   return put_listen(s, text, first, why);
    case KIND_FAULT:    return put_fault(s, text, first, why);
    case KIND_PORTS:    return put_ports(member, text, why);
    case KIND_SWITCH:
    case KIND_PLAIN:    return read_bool(text, member, why);
    case KIND_U64:
        err = str_u64(text, UINT64_MAX, member);
        return err ? problem_set(why, err, "BadSetting", "'" STR_FMT "' is not a whole number", STR_ARG(text)) : err;
    case KIND_CHOICE:
        err = read_choice(setting->takes, text, &choice, why);
        if (!err)
            memcpy(member, &choice, sizeof choice);
        return err;
    }
    return ERR_NONE;
}

enum err setting_put(struct settings *s, const struct setting *setting, struct str value, bool first, const char *where,
                     struct problem *why)
{
    struct problem inner = { 0 };
    enum err       err = ERR_NONE;
    if (!setting->built)
        err = problem_set(&inner, ERR_UNBUILT, "NotBuilt", "this setting is not built yet");
    if (!err)
        err = put_value(s, setting, value, first, &inner);
    return err ? problem_set(why, err, inner.code, "%s: %s", where, inner.text) : ERR_NONE;
}

/* -- sources, weakest first ---------------------------------------------------------------------------------------- */

static void put_defaults(struct settings *s)
{
    *s = (struct settings){ 0 };
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        if (!*settings[i].otherwise)
            continue;
        enum err err = put_value(s, &settings[i], str_of(settings[i].otherwise), true, NULL);
        assert(err == ERR_NONE);        /* the list above is ours */
        if (settings[i].kind == KIND_ENDPOINT)
            ((struct settings_endpoint *)((char *)s + settings[i].offset))->given = false;
    }
    s->listen[0].at.given = false;
    s->rtp_ports.given = false;
}

/* The file is named before it is read: by --config, else by CARTERFONE_CONFIG. */
static const char *config_path(int argc, char *const *argv, char *const *env)
{
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--config=", 9) == 0)
            return argv[i] + 9;
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            return argv[i + 1];
    }
    for (; *env; env++)
        if (strncmp(*env, "CARTERFONE_CONFIG=", 18) == 0)
            return *env + 18;
    return NULL;
}

static enum err apply_file(struct settings *s, enum settings_for who, const char *path, struct problem *why)
{
    enum { FILE_MAX = 1 << 20 };
    FILE *f = fopen(path, "re");
    if (!f)
        return problem_set(why, ERR_IO, "NoConfig", "config file %s: %s", path, strerror(errno));

    scoped_buf text = { 0 };
    char       piece[4096];
    size_t     n;
    while (text.n <= FILE_MAX && (n = fread(piece, 1, sizeof piece, f)) > 0)
        buf_put(&text, piece, n);
    bool failed = ferror(f);
    fclose(f);
    if (failed || buf_err(&text))
        return problem_set(why, ERR_IO, "NoConfig", "config file %s cannot be read", path);
    if (text.n > FILE_MAX)
        return problem_set(why, ERR_SIZE, "NoConfig", "config file %s is over 1 MiB", path);
    return settings_apply_yaml(s, who, buf_str(&text), path, why);
}

/* Names that are not ours are left alone: container platforms put CARTERFONE_SERVICE_HOST and the like there. */
static enum err apply_env(struct settings *s, enum settings_for who, char *const *env, struct problem *why)
{
    static const struct str prefix = { "CARTERFONE_", 11 };
    for (; *env; env++) {
        struct str name, value;
        if (!str_starts(str_of(*env), prefix) || !str_cut(str_of(*env), '=', &name, &value))
            continue;
        const struct setting *setting = setting_find(str_from(name, prefix.n), who, NULL);
        if (!setting || (setting->kind == KIND_PATH && !value.n))
            continue;
        char where[96];
        snprintf(where, sizeof where, STR_FMT, STR_ARG(name));
        bool more, first = true;
        do {                                    /* a list is separated by commas here */
            struct str one = value, rest = { 0 };
            more = setting_is_list(setting) && str_cut(value, ',', &one, &rest);
            enum err err = setting_put(s, setting, str_trim(one), first, where, why);
            if (err)
                return err;
            value = rest;
            first = false;
        } while (more);
    }
    return ERR_NONE;
}

/* --name VALUE, --name=VALUE, or --name alone for KIND_PLAIN. Moves *i past what it used. */
static enum err apply_flag(struct settings *s, enum settings_for who, int argc, char *const *argv, int *i, bool *listened,
                           struct problem *why)
{
    struct str arg = str_of(argv[(*i)++]), name, value;
    if (!str_starts(arg, STR("--")) || arg.n < 3)
        return problem_set(why, ERR_SYNTAX, "Usage", "'" STR_FMT "' is not a flag; --help lists them", STR_ARG(arg));

    bool inline_value = str_cut(str_from(arg, 2), '=', &name, &value);
    const struct setting *setting = setting_find(name, who, why);
    if (!setting)
        return ERR_ABSENT;
    char flag[NAME_SIZE], where[NAME_SIZE + 2];
    snprintf(where, sizeof where, "--%s", flag_name(flag, setting));
    if (!inline_value && setting->kind == KIND_PLAIN)
        value = STR("on");
    else if (!inline_value && *i < argc)
        value = str_of(argv[(*i)++]);
    else if (!inline_value)
        return problem_set(why, ERR_SYNTAX, "Usage", "%s wants %s", where, setting->takes);

    bool first = !setting_is_list(setting) || !*listened;
    *listened |= setting_is_list(setting);
    return setting_put(s, setting, value, first, where, why);
}

static enum err check_together(const struct settings *s, struct problem *why)
{
    if (!*s->tls_cert != !*s->tls_key)
        return problem_set(why, ERR_RANGE, "BadSetting", "--tls-cert and --tls-key go together");
    if (strcmp(s->store, "sqlite") != 0 && strncmp(s->store, "postgres", 8) == 0)
        return problem_set(why, ERR_UNBUILT, "NotBuilt", "--store: PostgreSQL is not built yet; use sqlite");
    if (strcmp(s->store, "sqlite") != 0)
        return problem_set(why, ERR_RANGE, "BadSetting", "--store: '%s' is neither sqlite nor a postgres:// URL", s->store);
    struct smsc_ways ways;
    struct problem   inner = { 0 };
    smsc_ways_init(&ways);
    enum err err = smsc_ways_read(&ways, str_of(s->sim_smsc), &inner);
    if (err)
        return problem_set(why, err, "BadSetting", "--sim-smsc: %s", inner.text);
    struct retention keep;
    struct problem   of_it = { 0 };
    if ((err = retention_read(&keep, str_of(s->retention), &of_it)))
        return problem_set(why, err, "BadSetting", "--retention: %.300s", of_it.text);
    struct esme_limits limits;
    if ((err = esme_limits_read(&limits, str_of(s->smpp_limits), &of_it)))
        return problem_set(why, err, "BadSetting", "--smpp-limits: %.300s", of_it.text);
    struct quotas_conf ignored;
    return quotas_read(&ignored, str_of(s->quotas), why);
}

const char *settings_edition_word(const struct settings *s)
{
    return s->edition == EDITION_CURRENT ? "current" : "2020-10";
}

enum err settings_read(struct settings *out, enum settings_for who, int argc, char *const *argv, char *const *env,
                       struct problem *why)
{
    put_defaults(out);
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            out->help = true;
            return ERR_NONE;
        }
    }

    const char *path = config_path(argc, argv, env);
    enum err    err = path && *path ? apply_file(out, who, path, why) : ERR_NONE;
    if (!err)
        err = apply_env(out, who, env, why);
    bool listened = false;
    for (int i = 0; !err && i < argc;)
        err = apply_flag(out, who, argc, argv, &i, &listened, why);
    return err ? err : check_together(out, why);
}

enum err settings_read_yaml(struct settings *out, enum settings_for who, struct str text, const char *name,
                            struct problem *why)
{
    put_defaults(out);
    enum err err = settings_apply_yaml(out, who, text, name, why);
    return err ? err : check_together(out, why);
}

void settings_help(FILE *to, enum settings_for who)
{
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        const struct setting *setting = &settings[i];
        if (!(setting->who & who))
            continue;
        char name[NAME_SIZE], left[2 * NAME_SIZE];
        snprintf(left, sizeof left, "--%s %s", flag_name(name, setting), setting->takes);
        fprintf(to, "  %-32s %s%s%s%s%s\n", left, setting->help, *setting->otherwise ? " [" : "", setting->otherwise,
                *setting->otherwise ? "]" : "", setting->built ? "" : " (not built yet)");
    }
}
