/* sim_main.c - `carterfone sim`: the simulated networks alone, for crash tests and for other people's gateways. */
#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "main/datadir.h"
#include "main/server.h"
#include "main/settings.h"
#include "main/signals.h"
#include "main/sim_ports.h"
#include "sim/sim.h"
#include "sim/smsc_ways.h"

#include <stdio.h>
#include <unistd.h>

enum { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static enum err arm_faults(const struct settings *s, struct problem *why)
{
    struct str text, rest = str_of(s->fault);
    struct problem said = { 0 };
    enum err err = ERR_NONE;
    fault_seed(s->seed);
    while (!err && rest.n) {
        str_cut(rest, '\n', &text, &rest);
        err = fault_add(text, 1u << FAULT_SMSC | 1u << FAULT_PHONE, NULL, &said);
    }
    return err ? problem_set(why, err, "", "--fault: %s %s", said.text, said.suggestion) : err;
}

static enum err start(const struct settings *s, struct sim **out, struct problem *why)
{
    char folder[SETTINGS_PATH_SIZE + 16];
    snprintf(folder, sizeof folder, "%s/handsets", s->data);
    enum err err = arm_faults(s, why);
    if (err)
        return err;
    struct sim_conf conf = { .inbound_host = s->inbound.host[0] ? s->inbound.host : NULL, .inbound_port = s->inbound.port,
                             .rtp_min = s->rtp_ports.min, .rtp_max = s->rtp_ports.max,
                             .accepted_log = s->accepted_log[0] ? s->accepted_log : NULL, .seed = s->seed,
                             .folder = folder };
    err = sim_new_on_ports(out, s, &conf, why);
    return err ? err : sim_start(*out, why);
}

static enum err ready_write(const struct sim *sim, const struct settings *s, struct problem *why)
{
    if (!s->ready_file[0])
        return ERR_NONE;
    scoped_buf text = { 0 };
    struct jw w = jw_of(&text);
    jw_object(&w, NULL);
    jw_int(&w, "pid", getpid());
    jw_printf(&w, "simSip", "%s:%u", s->sim_sip.host, sim_sip_port(sim));
    jw_printf(&w, "simSmpp", "%s:%u", s->sim_smpp.host, sim_smpp_port(sim));
    jw_end(&w);
    return text.bad ? ERR_NOMEM : file_write_whole(s->ready_file, buf_str(&text), 0600, why);
}

/* What SIGHUP needs to read the settings again. */
struct again {
    struct sim   *sim;
    int           argc;
    char *const  *argv, *const *env;
};

/* Flags, environment and the config file again: how the SMSC behaves may have changed, nothing else does. */
static void reload(void *arg)
{
    static struct settings s;
    const struct again *a = arg;
    struct problem why = { 0 };
    struct smsc_ways ways;
    smsc_ways_init(&ways);
    enum err err = settings_read(&s, SETTINGS_SIM, a->argc, a->argv, a->env, &why);
    if (!err)
        err = smsc_ways_read(&ways, str_of(s.sim_smsc), &why);
    if (err) {
        log_error("sim", "SIGHUP: %s; everything stays as it was", why.text);
        return;
    }
    sim_set_smsc(a->sim, &ways);
    log_info("sim", "SIGHUP: the SMSC's settings were read again");
}

int sim_main(const struct settings *s, int argc, char *const *argv, char *const *env)
{
    sigset_t signals;
    struct problem why = { 0 };
    scoped(sim) struct sim *sim = NULL;
    log_setup(s->quiet ? LOG_WARN : LOG_INFO, s->log_format);
    signals_block(&signals);
    enum err err = start(s, &sim, &why);
    if (!err)
        err = ready_write(sim, s, &why);
    if (err) {
        fprintf(stderr, "carterfone sim: %s\n", why.text[0] ? why.text : err_words(err));
        return err == ERR_CONFLICT || err == ERR_SYNTAX || err == ERR_FORBIDDEN ? EXIT_USAGE : EXIT_FAILED;
    }
    if (!s->quiet) {
        printf("The simulated networks are ready: SMPP %s:%u, SIP %s:%u\n", s->sim_smpp.host, sim_smpp_port(sim),
               s->sim_sip.host, sim_sip_port(sim));
        fflush(stdout);
    }
    signals_wait(&signals, reload, &(struct again){ sim, argc, argv, env });
    if (s->ready_file[0])
        unlink(s->ready_file);
    return EXIT_GOOD;
}
