#include "sim/sim.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "sim/handset.h"
#include "sim/magic.h"
#include "sim/phone.h"
#include "sim/sim_priv.h"
#include "sim/smsc.h"

enum { INBOX_BOUND = 16384 };

/* -- short messages --------------------------------------------------------------- */

static struct smsc_outcome outcome(void *arg, struct str to)
{
    struct sim *s = arg;
    const struct magic *m = magic_of(to);
    struct smsc_outcome o = { .fate = SMSC_DELIVERS };
    if (!m)
        return o;
    if (m->receipt_ms)
        o.after_us = (int64_t)m->receipt_ms * US_PER_MS;
    if (m->every_other) {
        struct handset *h = handsets_touch(s->handsets, to);
        if (h)
            h->throttled = !h->throttled;
        if (h && !h->throttled)
            return o;
    }
    o.fate   = m->sms;
    o.err    = m->receipt_err;
    o.status = m->command_status;
    return o;
}

static void reply_to(struct sim *s, const struct magic *m, struct str from, struct str to, struct str text)
{
    scoped_buf reply = { 0 };
    buf_putz(&reply, m->reply);
    buf_puts(&reply, text);
    enum err err = buf_err(&reply);
    if (!err)
        err = smsc_inject(s->smsc, to, from, buf_str(&reply));
    if (err)
        log_warn("sim", "a reply is lost: %s", err_words(err));
}

static void on_message(void *arg, struct str from, struct str to, struct str text)
{
    struct sim *s = arg;
    struct handset *h = handsets_touch(s->handsets, to);
    const struct magic *m = magic_of(to);
    if (!h || !handset_keep(h, from, text, clock_wall_us()))
        log_warn("sim", "an SMS reached a handset that cannot keep it");
    if (m && m->reply)
        reply_to(s, m, from, to, text);
}

/* -- commands --------------------------------------------------------------- */

enum err sim_missing(struct order *o, const char *name)
{
    return problem_set(o->why, ERR_RANGE, "BadRequest", "'%s' is missing or not a text.", name);
}

enum err sim_find_handset(struct order *o)
{
    struct str number = json_text_of(o->args, "number");
    if (!number.n)
        return sim_missing(o, "number");
    if ((number.p[0] != '+' && !magic_is_emergency(number)) || !handset_number_ok(number))
        return problem_set(o->why, ERR_RANGE, "BadRequest", "'number' is not a phone number: '+' and up to %d digits.",
                           HANDSET_NUMBER_MAX - 1);
    o->h = handsets_touch(o->s->handsets, number);
    return o->h ? ERR_NONE : problem_set(o->why, ERR_BUSY, "TooManyHandsets", "All %d handsets are in use.", HANDSETS_MAX);
}

static const struct sim_verb *find_verb(struct str verb)
{
    static const struct sim_verb *const areas[] = { sim_handset_verbs, sim_smsc_verbs, sim_save_verbs };
    for (size_t i = 0; i < ARRAY_LEN(areas); i++)
        for (const struct sim_verb *v = areas[i]; v->verb; v++)
            if (str_eqz(verb, v->verb))
                return v;
    return NULL;
}

static enum err carry_out(struct order *o, struct str verb)
{
    const struct sim_verb *v = find_verb(verb);
    if (!v)
        return problem_set(o->why, ERR_ABSENT, "UnknownCommand", "The simulated networks know no '" STR_FMT "'.",
                           STR_ARG(verb));
    enum err err = v->of_handset ? sim_find_handset(o) : ERR_NONE;
    return err ? err : v->run(o);
}

struct command {
    struct inbox_item item;
    struct str   verb, args;        /* behind the struct */
    sim_done_fn *done;
    void        *arg;
};

static void on_command(void *owner, struct inbox_item *item)
{
    struct command *c = container_of(item, struct command, item);
    struct problem why = { 0 };
    scoped(json_doc) struct json_doc *doc = NULL;
    scoped_buf answer = { 0 };
    struct jw w = jw_of(&answer);
    enum err err = json_read(&doc, c->args, &why);
    if (!err && json_kind(json_root(doc)) != JSON_IS_OBJECT)
        err = problem_set(&why, ERR_SYNTAX, "BadRequest", "The arguments are not a JSON object.");
    if (!err) {
        struct order o = { .s = owner, .args = json_root(doc), .w = &w, .why = &why };
        jw_object(&w, NULL);
        err = carry_out(&o, c->verb);
        jw_end(&w);
    }
    if (!err)
        err = buf_err(&answer);
    if (err && !why.text[0])
        problem_set(&why, err, "", "%s", err_words(err));
    c->done(c->arg, err, err ? (struct str){ "", 0 } : buf_str(&answer), &why);
    free(c);
}

/* The simulator ends with the command undone. */
static void drop_command(struct inbox_item *item)
{
    struct command *c = container_of(item, struct command, item);
    struct problem why = { 0 };
    problem_set(&why, ERR_CLOSED, "", "The simulated networks are stopping.");
    c->done(c->arg, ERR_CLOSED, (struct str){ "", 0 }, &why);
    free(c);
}

static const struct inbox_kind command_kind = { "sim.command", on_command, drop_command };

enum err sim_command(struct sim *s, struct str verb, struct str args, sim_done_fn *done, void *arg)
{
    struct command *c = malloc(sizeof *c + verb.n + args.n + 1);
    if (!c)
        return ERR_NOMEM;
    char *bytes = (char *)(c + 1);
    *c = (struct command){ .item.kind = &command_kind, .verb = { bytes, verb.n }, .args = { bytes + verb.n, args.n },
                           .done = done, .arg = arg };
    memcpy(bytes, verb.p, verb.n);
    if (args.n)
        memcpy(bytes + verb.n, args.p, args.n);
    enum err err = inbox_post(loop_inbox(s->loop), &c->item);
    if (err)
        free(c);
    return err;
}

/* -- where the product is --------------------------------------------------------------- */

struct inbound {
    struct inbox_item item;
    char     host[46];
    uint16_t port;
};

static void on_inbound(void *owner, struct inbox_item *item)
{
    struct sim *s = owner;
    struct inbound *in = container_of(item, struct inbound, item);
    phones_set_inbound(s->phones, str_of(in->host), in->port);
    free(in);
}

static const struct inbox_kind inbound_kind = { "sim.inbound", on_inbound, NULL };

void sim_set_inbound(struct sim *s, const char *host, uint16_t port)
{
    struct inbound *in = calloc(1, sizeof *in);
    if (!in) {
        log_error("sim", "out of memory: handsets cannot call the product");
        return;
    }
    in->item.kind = &inbound_kind;
    in->port = port;
    str_copyz(in->host, sizeof in->host, str_of(host));
    inbox_post_always(loop_inbox(s->loop), &in->item);
}

/* -- settings, from outside --------------------------------------------------------------- */

struct ways_item {
    struct inbox_item item;
    struct smsc_ways  ways;
};

static void on_ways(void *owner, struct inbox_item *item)
{
    struct sim *s = owner;
    struct ways_item *w = container_of(item, struct ways_item, item);
    smsc_set_ways(s->smsc, &w->ways);
    free(w);
}

static const struct inbox_kind ways_kind = { "sim.ways", on_ways, NULL };

void sim_set_smsc(struct sim *s, const struct smsc_ways *ways)
{
    struct ways_item *w = calloc(1, sizeof *w);
    if (!w) {
        log_error("sim", "out of memory: the SMSC's settings stay as they were");
        return;
    }
    *w = (struct ways_item){ .item.kind = &ways_kind, .ways = *ways };
    inbox_post_always(loop_inbox(s->loop), &w->item);
}

/* -- life --------------------------------------------------------------- */

static enum err make_parts(struct sim *s, const struct sim_conf *conf, struct problem *why)
{
    static const struct smsc_hooks hooks = { .outcome = outcome, .on_message = on_message };
    struct smsc_conf smsc = { .host = conf->smpp_host, .port = conf->smpp_port, .accepted_log = conf->accepted_log,
                              .ways = conf->smsc, .seed = conf->seed };
    enum err err = loop_new(&s->loop, "sim", INBOX_BOUND, s);
    if (err)
        return err;
    s->handsets = handsets_new();
    if (!s->handsets)
        return ERR_NOMEM;
    err = smsc_new(&s->smsc, s->loop, &smsc, &hooks, s, why);
    if (err)
        return err;
    s->smpp_port = smsc_port(s->smsc);
    struct phones_conf phones = { .loop = s->loop, .handsets = s->handsets, .host = conf->sip_host,
                                  .sip_port = conf->sip_port, .rtp_min = conf->rtp_min, .rtp_max = conf->rtp_max,
                                  .folder = conf->folder, .seed = conf->seed };
    err = phones_new(&s->phones, &phones, why);
    if (!err && conf->handsets && !(s->handsets_told = strdup(conf->handsets)))
        err = ERR_NOMEM;
    if (!err && conf->handsets)
        err = sim_tell_handsets(s, str_of(conf->handsets), why);
    if (!err && conf->inbound_host)
        phones_set_inbound(s->phones, str_of(conf->inbound_host), conf->inbound_port);
    return err;
}

enum err sim_new(struct sim **out, const struct sim_conf *conf, struct problem *why)
{
    struct sim *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    enum err err = make_parts(s, conf, why);
    if (err) {
        sim_free(s);
        return err;
    }
    *out = s;
    return ERR_NONE;
}

enum err sim_start(struct sim *s, struct problem *why)
{
    enum err err = loop_start(s->loop);
    s->started = !err;
    if (!err)
        err = phones_start(s->phones);
    return err ? problem_set(why, err, "", "The simulated networks cannot start: %s", err_words(err)) : ERR_NONE;
}

/* Phones hang up, the loop hears of it and closes their sound, what was recorded is written, then all goes. */
static void stop(struct sim *s)
{
    if (s->phones)
        phones_stop_sip(s->phones);
    if (!s->started)
        return;
    loop_stop(s->loop);
    phones_stop_rtp(s->phones);
    inbox_drain(loop_inbox(s->loop));
}

void sim_free(struct sim *s)
{
    if (!s)
        return;
    stop(s);
    smsc_free(s->smsc);
    phones_free(s->phones);
    loop_free(s->loop);
    handsets_free(s->handsets);
    free(s->handsets_told);
    free(s);
}

uint16_t sim_smpp_port(const struct sim *s)
{
    return s->smpp_port;
}

uint16_t sim_sip_port(const struct sim *s)
{
    return phones_sip_port(s->phones);
}
