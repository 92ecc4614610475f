/* sim_handset.c - the operator's commands to handsets: "handset.*" of sim.h. */
#include "base/arena.h"
#include "base/str.h"
#include "sim/handset.h"
#include "sim/phone.h"
#include "sim/sim_priv.h"
#include "sim/smsc.h"

#include <unistd.h>

enum { LIST_MAX = 1000 };

/* Files are written when a call ends: what can be known to be wrong is said now. */
static enum err check_path(struct str path, struct problem *why)
{
    char folder[4096];
    if (!path.n || path.p[0] != '/' || path.n >= sizeof folder)
        return problem_set(why, ERR_RANGE, "BadRequest", "'record' must be an absolute path.");
    str_copyz(folder, sizeof folder, path);
    char *slash = strrchr(folder, '/');
    slash[slash == folder] = '\0';
    if (access(folder, W_OK | X_OK))
        return problem_set(why, ERR_RANGE, "BadRequest", "The recording cannot be written: %.200s is no folder we may "
                           "write in.", folder);
    return ERR_NONE;
}

/* "record", when there: for the next answered call. */
static enum err take_record_path(struct order *o)
{
    struct str path = json_text_of(o->args, "record");
    if (json_kind(json_member(o->args, "record")) == JSON_IS_ABSENT)
        return ERR_NONE;
    enum err err = check_path(path, o->why);
    if (err)
        return err;
    char *copy = strndup(path.p, path.n);
    if (!copy)
        return ERR_NOMEM;
    free(o->h->record_path);
    o->h->record_path = copy;
    return ERR_NONE;
}

static void write_last_call(struct jw *w, const struct handset *h)
{
    const struct handset_call *c = &h->last;
    if (!c->begun_us)
        return;
    jw_object(w, h->state == HANDSET_IDLE ? "lastCall" : "call");
    jw_textz(w, "peer", c->peer);
    jw_textz(w, "direction", c->outgoing ? "outgoing" : "incoming");
    jw_time(w, "begunAt", c->begun_us);
    if (c->keys[0])
        jw_textz(w, "keysHeard", c->keys);
    if (c->ended_us) {
        jw_time(w, "endedAt", c->ended_us);
        jw_int(w, "sipStatus", c->status);
        jw_int(w, "q850", c->q850);
    }
    jw_end(w);
}

static void write_handset(struct jw *w, const struct handset *h)
{
    jw_object(w, NULL);
    jw_textz(w, "number", h->number);
    jw_bool(w, "attached", h->attached);
    jw_textz(w, "state", handset_state_name(h->state));
    if (h->state != HANDSET_IDLE)
        jw_textz(w, "peer", h->last.peer);
    jw_int(w, "messages", (int64_t)h->n_messages);
    write_last_call(w, h);
    if (h->recording)
        jw_textz(w, "recording", h->recording);
    jw_end(w);
}

/* The ones touched last come first; with "number" that one alone. */
static enum err do_list(struct order *o)
{
    struct str number = json_text_of(o->args, "number");
    const struct handset *h = number.n ? handsets_find(o->s->handsets, number) : handsets_newest(o->s->handsets);
    jw_array(o->w, "value");
    for (int i = 0; h && i < (number.n ? 1 : LIST_MAX); h = h->older, i++)
        write_handset(o->w, h);
    jw_end(o->w);
    jw_int(o->w, "count", (int64_t)handsets_count(o->s->handsets));
    return ERR_NONE;
}

static enum err do_sms(struct order *o)
{
    struct str to = json_text_of(o->args, "to"), text = json_text_of(o->args, "text");
    if (!to.n)
        return sim_missing(o, "to");
    if (!text.p)
        return sim_missing(o, "text");
    enum err err = smsc_inject(o->s->smsc, str_of(o->h->number), to, text);
    return err ? problem_set(o->why, err, "SmsNotSent", "The SMS cannot be sent: %s.", err_words(err)) : ERR_NONE;
}

static enum err do_inbox(struct order *o)
{
    const struct handset_message *m;
    jw_array(o->w, "value");
    for (size_t i = 0; (m = handset_message(o->h, i)); i++) {
        jw_object(o->w, NULL);
        jw_textz(o->w, "from", m->from);
        jw_textz(o->w, "text", m->text);
        jw_time(o->w, "receivedAt", m->received_us);
        jw_end(o->w);
    }
    jw_end(o->w);
    return ERR_NONE;
}

static enum err do_attach(struct order *o)
{
    enum err err = take_record_path(o);
    if (!err)
        o->h->attached = true;
    return err;
}

static enum err do_detach(struct order *o)
{
    o->h->attached = o->h->will_answer = false;
    return ERR_NONE;
}

static enum err do_answer(struct order *o)
{
    enum err err = take_record_path(o);
    return err ? err : phones_answer(o->s->phones, o->h, o->why);
}

static enum err do_press(struct order *o)
{
    return phones_press(o->s->phones, o->h, json_text_of(o->args, "digits"), o->why);
}

static enum err do_hangup(struct order *o)
{
    return phones_hang_up(o->s->phones, o->h, o->why);
}

static enum err do_dial(struct order *o)
{
    struct str to = json_text_of(o->args, "to");
    if (!to.n)
        return sim_missing(o, "to");
    enum err err = take_record_path(o);
    return err ? err : phones_dial(o->s->phones, o->h, to, o->why);
}

static enum err do_recording(struct order *o)
{
    if (!o->h->recording)
        return problem_set(o->why, ERR_ABSENT, "NoRecording", "%s has no finished recording.", o->h->number);
    jw_textz(o->w, "path", o->h->recording);
    return ERR_NONE;
}

const struct sim_verb sim_handset_verbs[] = {
    { "handset.list",      do_list,      false },
    { "handset.sms",       do_sms,       true },
    { "handset.inbox",     do_inbox,     true },
    { "handset.attach",    do_attach,    true },
    { "handset.detach",    do_detach,    true },
    { "handset.answer",    do_answer,    true },
    { "handset.press",     do_press,     true },
    { "handset.hangup",    do_hangup,    true },
    { "handset.reject",    do_hangup,    true },
    { "handset.dial",      do_dial,      true },
    { "handset.recording", do_recording, true },
    { 0 },
};
