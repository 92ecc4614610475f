/* sim_smsc.c - the operator's commands to the simulated SMSC: "smsc.*" of sim.h. */
#include "base/clock.h"
#include "base/duration.h"
#include "base/str.h"
#include "sim/sim_priv.h"
#include "sim/smsc.h"

static enum err do_show(struct order *o)
{
    jw_object(o->w, "settings");
    smsc_ways_write(smsc_ways(o->s->smsc), o->w);
    jw_end(o->w);
    smsc_show(o->s->smsc, o->w);
    return ERR_NONE;
}

static enum err do_set(struct order *o)
{
    struct smsc_ways ways = *smsc_ways(o->s->smsc);
    enum err err = smsc_ways_patch(&ways, o->args, o->why);
    if (err)
        return err == ERR_ABSENT ? ERR_RANGE : err;     /* a setting's name in a body: the request is wrong, not its path */
    smsc_set_ways(o->s->smsc, &ways);
    return do_show(o);
}

static enum err do_reset(struct order *o)
{
    struct smsc_ways ways;
    smsc_ways_init(&ways);
    smsc_set_ways(o->s->smsc, &ways);
    return do_show(o);
}

static enum err do_cut(struct order *o)
{
    jw_int(o->w, "cut", smsc_cut(o->s->smsc, json_text_of(o->args, "systemId")));
    return ERR_NONE;
}

static enum err do_outage(struct order *o)
{
    static const int64_t most_us = INT64_C(86400) * US_PER_S;
    int64_t us;
    struct str text = json_text_of(o->args, "for");
    if (duration_read(text, &us) || us > most_us) {
        problem_set(o->why, ERR_RANGE, "BadRequest", "'for' must be a time up to a day, such as 10s; 0 ends an outage.");
        problem_target(o->why, "for");
        return ERR_RANGE;
    }
    smsc_outage(o->s->smsc, us);
    return ERR_NONE;
}

static enum err read_count(struct order *o, const char *name, uint32_t otherwise, uint32_t *out)
{
    const struct json *j = json_member(o->args, name);
    enum json_kind kind = json_kind(j);
    int64_t n = json_int(j, otherwise);
    *out = (uint32_t)n;
    if ((kind != JSON_IS_ABSENT && kind != JSON_IS_INTEGER) || n < 0 || n > INT32_MAX) {
        problem_set(o->why, ERR_RANGE, "BadRequest", "'%s' is not a whole number.", name);
        problem_target(o->why, "%s", name);
        return ERR_RANGE;
    }
    return ERR_NONE;
}

static enum err do_inject(struct order *o)
{
    struct smsc_run run = { .from = json_text_of(o->args, "from"), .to = json_text_of(o->args, "to"),
                            .text = json_text_of(o->args, "text") };
    if (!run.from.n)
        return sim_missing(o, "from");
    if (!run.to.n)
        return sim_missing(o, "to");
    if (!run.text.p)
        return sim_missing(o, "text");
    enum err err = read_count(o, "count", 1, &run.count);
    if (!err)
        err = read_count(o, "rate", 0, &run.rate);
    if (!err)
        err = read_count(o, "senders", 1, &run.senders);
    return err ? err : smsc_inject_run(o->s->smsc, &run, o->why);
}

const struct sim_verb sim_smsc_verbs[] = {
    { "smsc.show",   do_show,   false },
    { "smsc.set",    do_set,    false },
    { "smsc.reset",  do_reset,  false },
    { "smsc.cut",    do_cut,    false },
    { "smsc.outage", do_outage, false },
    { "smsc.inject", do_inject, false },
    { 0 },
};
