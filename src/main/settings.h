/* settings.h - what can be set: one list gives the flags, CARTERFONE_<FLAG>, the YAML keys, --help and the man page.
 *
 * By value, no pointers inside; read once at start by the first thread, then only read. Weakest first: default, config
 * file, environment, flag. */
#pragma once
#include <stdio.h>

#include "base/base.h"
#include "base/log.h"
#include "base/problem.h"

enum { SETTINGS_PATH_SIZE = 1024, SETTINGS_HOST_SIZE = 128, SETTINGS_LISTEN_MAX = 16 };

/* Who understands a setting. */
enum settings_for { SETTINGS_SERVE = 1, SETTINGS_SIM = 2 };

enum settings_edition { EDITION_2020_10, EDITION_CURRENT };
enum settings_clock   { SETTINGS_CLOCK_REAL, SETTINGS_CLOCK_VIRTUAL };
enum settings_faults  { SETTINGS_FAULTS_AUTO, SETTINGS_FAULTS_ON, SETTINGS_FAULTS_OFF };

/* HOST:PORT. `given` tells a port a person chose (in use: exit 2) from a default one (in use: take the next free). */
struct settings_endpoint {
    char     host[SETTINGS_HOST_SIZE];      /* a name or an address, IPv6 without brackets; "" when not set */
    uint16_t port;                          /* 0: any free one */
    bool     given;
};

struct settings_listen {
    struct settings_endpoint at;
    char resource[64];                      /* the resource this listener stands for; "" for none */
};

/* "0" in words is any free port: min and max are then 0. */
struct settings_ports {
    uint16_t min, max;
    bool     given;
};

struct settings {
    char data[SETTINGS_PATH_SIZE];
    struct settings_listen listen[SETTINGS_LISTEN_MAX];
    size_t listen_n;                        /* at least 1 */
    char config[SETTINGS_PATH_SIZE];        /* "" when there is none */
    char store[SETTINGS_PATH_SIZE];         /* "sqlite" or a postgres:// URL */
    enum settings_edition edition;
    char quotas[128];                       /* "off", "service", or limits (domain/numbers/quotas.h) */
    char catalogue[SETTINGS_PATH_SIZE];     /* folder of the overlay; "" when there is none */
    bool simulator;
    enum settings_clock clock;
    enum settings_faults faults;            /* may faults be armed? */
    struct settings_endpoint sip, sips, smpp, smpps, sim_sip, sim_smpp;
    char smpp_limits[256];                  /* edge/smpp/esme_limits.h */
    struct settings_ports rtp_ports;
    char tls_cert[SETTINGS_PATH_SIZE], tls_key[SETTINGS_PATH_SIZE];     /* both or neither */
    char advertise_sip[SETTINGS_HOST_SIZE], advertise_rtp[SETTINGS_HOST_SIZE];
    char trusted_proxy[SETTINGS_HOST_SIZE];
    char retention[256];                    /* domain/retention.h */
    char recording_host[SETTINGS_HOST_SIZE];
    char domain[SETTINGS_HOST_SIZE];        /* resources are NAME.domain */
    char ready_file[SETTINGS_PATH_SIZE];
    bool in_memory, quiet;
    enum log_format log_format;
    struct settings_endpoint inbound;       /* sim: where calls of handsets go */
    char sim_handsets[4096];                /* how simulated handsets behave (sim/manner.h) */
    char sim_smsc[2048];                    /* how the simulated SMSC behaves (sim/smsc_ways.h) */
    char accepted_log[SETTINGS_PATH_SIZE];  /* sim: a line for each submit_sm it accepts */
    char fault[2048];                       /* sim: armed from the start, one a line */
    uint64_t seed;                          /* of the simulated networks' choices */
    bool help;                              /* --help was asked; nothing else was checked */
};

/** Read flags (argv without program and command), the environment and the config file over the defaults.
 *  @param env   "NAME=value" strings ended by NULL, as `environ`
 *  @param why   text names the flag, variable or file line at fault, and the nearest name there is
 *  @return ERR_NONE; ERR_ABSENT (no such setting), ERR_SYNTAX, ERR_RANGE, ERR_IO (config file), ERR_UNBUILT */
MUST_USE enum err settings_read(struct settings *out, enum settings_for who, int argc, char *const *argv,
                                char *const *env, struct problem *why);

/** The same for a config file's text alone (over the defaults): what `check-config` and the fuzz target use. */
MUST_USE enum err settings_read_yaml(struct settings *out, enum settings_for who, struct str text, const char *name,
                                     struct problem *why);

const char *settings_edition_word(const struct settings *s);    /* "2020-10"; static */

/** One line a setting: flag, what it takes, help, default. */
void settings_help(FILE *to, enum settings_for who);

/** "HOST:PORT" or "[ADDRESS]:PORT". @return ERR_SYNTAX or ERR_RANGE with `why` */
MUST_USE enum err settings_endpoint_read(struct settings_endpoint *out, struct str text, struct problem *why);
