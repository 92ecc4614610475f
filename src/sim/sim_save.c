/* sim_save.c - the state of the simulated networks for snapshots: "sim.save", "sim.load" and "sim.clear" of sim.h. Calls are no part
 * of it. What is not in what was saved is as at the start. */
#include "base/log.h"
#include "base/str.h"
#include "sim/handset.h"
#include "sim/manner.h"
#include "sim/phone.h"
#include "sim/sim_priv.h"
#include "sim/smsc.h"

static void save_handset(struct jw *w, const struct handset *h)
{
    jw_object(w, NULL);
    jw_textz(w, "number", h->number);
    jw_bool(w, "attached", h->attached);
    jw_bool(w, "willAnswer", h->will_answer);
    jw_bool(w, "throttled", h->throttled);
    manner_write(h->manner, w);
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
    jw_object(o->w, "others");
    manner_write(phones_others(o->s->phones), o->w);
    jw_end(o->w);
    smsc_save(o->s->smsc, o->w);
    return ERR_NONE;
}

/* NULL: untold; or it was told of a file that has gone since, which is said. */
static struct manner *load_manner(const struct json *j)
{
    const struct json *list = json_member(j, "behaviour");
    struct str words[MANNER_N_KEYS];
    size_t n = json_count(list) < ARRAY_LEN(words) ? json_count(list) : ARRAY_LEN(words);
    struct manner *m = NULL;
    struct problem why = { 0 };
    for (size_t i = 0; i < n; i++)
        words[i] = json_text(json_item(list, i));
    if (n && manner_with(&m, NULL, words, n, &why))
        log_warn("sim", "a handset of the snapshot has lost its behaviour: %s", why.text);
    return m;
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
    manner_unref(h->manner);
    h->manner = load_manner(j);
    for (size_t i = 0; i < json_count(messages); i++) {
        const struct json *m = json_item(messages, i);
        if (!handset_keep(h, json_text_of(m, "from"), json_text_of(m, "text"), json_int_of(m, "receivedUs", 0)))
            return ERR_NOMEM;
    }
    return ERR_NONE;
}

static enum err do_clear(struct order *o)
{
    handsets_clear(o->s->handsets);
    smsc_clear(o->s->smsc);
    phones_set_others(o->s->phones, NULL);
    return o->s->handsets_told ? sim_tell_handsets(o->s, str_of(o->s->handsets_told), o->why) : ERR_NONE;
}

static enum err do_load(struct order *o)
{
    const struct json *list = json_member(o->args, "handsets"), *others = json_member(o->args, "others");
    enum err err = do_clear(o);
    if (!err)
        err = smsc_load(o->s->smsc, o->args);
    if (!err && json_kind(others) == JSON_IS_OBJECT)
        phones_set_others(o->s->phones, load_manner(others));
    for (size_t i = json_count(list); !err && i; i--)
        err = load_handset(o, json_item(list, i - 1));
    return err ? problem_set(o->why, err, "BadRequest", "The saved state of the simulated networks cannot be read.") : err;
}

const struct sim_verb sim_save_verbs[] = {
    { "sim.save",  do_save,  false },
    { "sim.load",  do_load,  false },
    { "sim.clear", do_clear, false },
    { 0 },
};
