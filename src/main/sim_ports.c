#include "main/sim_ports.h"
#include "base/log.h"
#include "base/str.h"
#include "main/settings.h"
#include "sim/sim.h"
#include "sim/smsc_ways.h"

enum { PORT_TRIES = 200 };

static uint16_t moved(const struct settings_endpoint *at, unsigned by)
{
    return at->given || !at->port ? at->port : (uint16_t)(at->port + by);
}

enum err sim_new_on_ports(struct sim **out, const struct settings *s, struct sim_conf *conf, struct problem *why)
{
    enum err err = ERR_CONFLICT;
    unsigned tries = s->sim_smpp.given && s->sim_sip.given ? 1 : PORT_TRIES;
    struct smsc_ways ways;
    smsc_ways_init(&ways);
    if (smsc_ways_read(&ways, str_of(s->sim_smsc), why))        /* weighed when the settings were read */
        return ERR_RANGE;
    conf->smsc = &ways;
    conf->smpp_host = s->sim_smpp.host;
    conf->sip_host = s->sim_sip.host;
    conf->handsets = s->sim_handsets[0] ? s->sim_handsets : NULL;
    for (unsigned by = 0; err == ERR_CONFLICT && by < tries; by++) {
        conf->smpp_port = moved(&s->sim_smpp, by);
        conf->sip_port = moved(&s->sim_sip, by);
        err = sim_new(out, conf, why);
        if (!err && by)
            log_warn("sim", "a default port is in use: SMPP listens on %u, SIP on %u", sim_smpp_port(*out), sim_sip_port(*out));
    }
    conf->smsc = NULL;
    return err;
}
