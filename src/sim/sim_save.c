/* sim_save.c - the state of the simulated networks for snapshots: "sim.save", "sim.load" and "sim.clear" of sim.h. Calls are no part
 * of it. */
#include "base/str.h"
#include "sim/handset.h"
#include "sim/sim_priv.h"
#include "sim/smsc.h"

static void save_handset(struct jw *w, const struct handset *h)
{
    jw_object(w, NULL);
    jw_textz(w, "number", h->number);
    jw_bool(w, "attached", h->attached);
    jw_bool(w, "willAnswer", h->will_answer);
    jw_bool(w, "throttled", h->throttled);
    jw_array(w, "messages");
    const struct handset_message *m;
    for (size_t i = 0; (m = handset_message(h, i)); i++) {
        jw_object(w, NULL);
        jw_textz(w, "from", m->from);
        jw_textz(w, "text", m->text);
        jw_int(w, "receivedUs", m->received_us);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

static enum err do_save(struct order *o)
{
    jw_array(o->w, "handsets");         /* the one touched last comes first */
    for (const struct handset *h = handsets_newest(o->s->handsets); h; h = h->older)
        save_handset(o->w, h);
    jw_end(o->w);
    smsc_save(o->s->smsc, o->w);
    return ERR_NONE;
}

static enum err load_handset(struct order *o, const struct json *j)
{
    struct handset *h = handsets_touch(o->s->handsets, json_text_of(j, "number"));
    const struct json *messages = json_member(j, "messages");
    if (!h)
        return ERR_RANGE;
    h->attached = json_bool_of(j, "attached", false);
    h->will_answer = json_bool_of(j, "willAnswer", false);
    h->throttled = json_bool_of(j, "throttled", false);
    for (size_t i = 0; i < json_count(messages); i++) {
        const struct json *m = json_item(messages, i);
        if (!handset_keep(h, json_text_of(m, "from"), json_text_of(m, "text"), json_int_of(m, "receivedUs", 0)))
            return ERR_NOMEM;
    }
    return ERR_NONE;
}

static enum err do_load(struct order *o)
{
    const struct json *list = json_member(o->args, "handsets");
    handsets_clear(o->s->handsets);
    enum err err = smsc_load(o->s->smsc, o->args);
    for (size_t i = json_count(list); !err && i; i--)
        err = load_handset(o, json_item(list, i - 1));
    return err ? problem_set(o->why, err, "BadRequest", "The saved state of the simulated networks cannot be read.") : err;
}

static enum err do_clear(struct order *o)
{
    handsets_clear(o->s->handsets);
    smsc_clear(o->s->smsc);
    return ERR_NONE;
}

const struct sim_verb sim_save_verbs[] = {
    { "sim.save",  do_save,  false },
    { "sim.load",  do_load,  false },
    { "sim.clear", do_clear, false },
    { 0 },
};
