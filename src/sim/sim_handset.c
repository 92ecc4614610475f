/* sim_handset.c - the operator's commands to handsets: "handset.*" of sim.h. */
#include "base/arena.h"
#include "base/str.h"
#include "codec/sip/context.h"
#include "net/audio.h"
#include "sim/handset.h"
#include "sim/manner.h"
#include "sim/phone.h"
#include "sim/sim_priv.h"
#include "sim/smsc.h"
#include "sim/sound.h"

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
    if (c->counted) {
        jw_object(w, "packets");
        jw_int(w, "sent", (int64_t)c->sent);
        jw_int(w, "received", (int64_t)c->received);
        jw_int(w, "lost", (int64_t)c->lost);
        jw_end(w);
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
    if (h->manner)
        manner_write(h->manner, w);
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

/* "headers": {"User-To-User": "...", "X-MS-Custom-Ticket": "..."} */
static enum err read_headers(struct order *o, char context[SIP_CONTEXT_SIZE])
{
    const struct json *headers = json_member(o->args, "headers"), *value;
    struct str name;
    *context = 0;
    if (json_kind(headers) != JSON_IS_ABSENT && json_kind(headers) != JSON_IS_OBJECT)
        return problem_set(o->why, ERR_SYNTAX, "BadHeaders", "'headers' must be an object of names and texts.");
    for (void *at = NULL; json_next(headers, &at, &name, &value);) {
        enum err err = sip_context_add(context, name, json_text(value));
        if (err == ERR_RANGE)
            return problem_set(o->why, err, "BadHeaders", "'" STR_FMT "' is no header for a call: User-To-User and X-MS-Custom-* "
                               "are, each with a text in it.", STR_ARG(name));
        if (err)
            return problem_set(o->why, ERR_RANGE, "BadHeaders", err == ERR_CONFLICT ? "A header is there twice." :
                               "The headers of a call have %d octets at most.", SIP_CONTEXT_SIZE - 1);
    }
    return ERR_NONE;
}

static enum err do_dial(struct order *o)
{
    char context[SIP_CONTEXT_SIZE];
    struct str to = json_text_of(o->args, "to");
    if (!to.n)
        return sim_missing(o, "to");
    enum err err = read_headers(o, context);
    if (!err)
        err = take_record_path(o);
    return err ? err : phones_dial(o->s->phones, o->h, to, str_of(context), o->why);
}

/* A whole number that may be absent. */
static enum err read_number(struct order *o, const char *name, int least, int most, int *out)
{
    const struct json *j = json_member(o->args, name);
    int64_t n = json_int(j, 0);
    bool absent = json_kind(j) == JSON_IS_ABSENT;
    *out = (int)n;
    if (absent || (json_kind(j) == JSON_IS_INTEGER && n >= least && n <= most))
        return ERR_NONE;
    problem_set(o->why, ERR_RANGE, "BadRequest", "'%s' must be a whole number from %d to %d.", name, least, most);
    problem_target(o->why, "%s", name);
    return ERR_RANGE;
}

static enum err do_reject(struct order *o)
{
    int status, q850;
    enum err err = read_number(o, "status", 400, 699, &status);
    if (!err)
        err = read_number(o, "q850", 1, 127, &q850);
    return err ? err : phones_reject(o->s->phones, o->h, status, q850, o->why);
}

static enum err do_say(struct order *o)
{
    struct str name = json_text_of(o->args, "sound");
    struct audio *sound = NULL;
    if (!name.n)
        return sim_missing(o, "sound");
    enum err err = sound_of(&sound, name, o->why);
    if (!err)
        err = phones_say(o->s->phones, o->h, sound, o->why);
    audio_unref(sound);
    return err;
}

static enum err do_record(struct order *o)
{
    struct str path = json_text_of(o->args, "record");
    enum err err = check_path(path, o->why);
    return err ? err : phones_record(o->s->phones, o->h, path);
}

/* -- lasting behaviour: of one, or of "*", which is everybody who was told nothing ------------------------------------- */

static bool is_everybody(const struct order *o)
{
    return str_eqz(json_text_of(o->args, "number"), "*");
}

static void write_manner(struct order *o, const struct manner *m)
{
    jw_text(o->w, "number", json_text_of(o->args, "number"));
    manner_write(m, o->w);
}

static enum err read_words(struct order *o, struct str *words, size_t room, size_t *n)
{
    const struct json *list = json_member(o->args, "behaviour");
    *n = json_count(list);
    bool good = json_kind(list) == JSON_IS_ARRAY && *n && *n <= room;
    for (size_t i = 0; good && i < *n; i++) {
        words[i] = json_text(json_item(list, i));
        good = words[i].p != NULL;
    }
    if (good)
        return ERR_NONE;
    problem_set(o->why, ERR_RANGE, "BadRequest", "'behaviour' must be a list of 1 to %zu texts such as answer-after=2s.", room);
    problem_target(o->why, "behaviour");
    return ERR_RANGE;
}

static void put_manner(struct order *o, struct manner *m)
{
    if (m && manner_is_kind(m)) {
        manner_unref(m);
        m = NULL;
    }
    if (is_everybody(o)) {
        phones_set_others(o->s->phones, m);
        return;
    }
    manner_unref(o->h->manner);
    o->h->manner = m;
}

static enum err do_set(struct order *o)
{
    struct str words[2 * MANNER_N_KEYS];
    size_t n = 0;
    struct manner *m = NULL;
    enum err err = is_everybody(o) ? ERR_NONE : sim_find_handset(o);
    if (!err)
        err = read_words(o, words, ARRAY_LEN(words), &n);
    if (!err)
        err = manner_with(&m, is_everybody(o) ? phones_others(o->s->phones) : o->h->manner, words, n, o->why);
    if (err)
        return err;
    put_manner(o, m);
    write_manner(o, is_everybody(o) ? phones_others(o->s->phones) : o->h->manner);
    return ERR_NONE;
}

/* Without a number: everybody's, each one's too. */
static enum err do_clear(struct order *o)
{
    bool all = !json_text_of(o->args, "number").n;
    enum err err = all || is_everybody(o) ? ERR_NONE : sim_find_handset(o);
    if (err)
        return err;
    if (!all) {
        put_manner(o, NULL);
        write_manner(o, NULL);
        return ERR_NONE;
    }
    phones_set_others(o->s->phones, NULL);
    for (struct handset *h = handsets_newest(o->s->handsets); h; h = h->older) {
        manner_unref(h->manner);
        h->manner = NULL;
    }
    return ERR_NONE;
}

/* "NUMBER KEY=VALUE ...; NUMBER ..." */
enum err sim_tell_handsets(struct sim *s, struct str text, struct problem *why)
{
    struct str one, rest = text, number, words;
    while (rest.n) {
        str_cut(rest, ';', &one, &rest);
        struct manner *m = NULL;
        str_cut(str_trim(one), ' ', &number, &words);
        bool everybody = str_eqz(number, "*");
        struct handset *h = everybody || !handset_number_ok(number) ? NULL : handsets_touch(s->handsets, number);
        if (!everybody && !h)
            return problem_set(why, ERR_RANGE, "BadSetting", "--sim-handsets: '%.*s' begins with no phone number, nor with *",
                               (int)(one.n < 60 ? one.n : 60), one.p);
        struct problem inner = { 0 };
        enum err err = manner_of_text(&m, words, &inner);
        if (err)
            return problem_set(why, err, "BadSetting", "--sim-handsets: %s", inner.text[0] ? inner.text : err_words(err));
        if (everybody) {
            phones_set_others(s->phones, m);
        } else {
            manner_unref(h->manner);
            h->manner = m;
        }
        rest = str_trim(rest);
    }
    return ERR_NONE;
}

static enum err do_behaviours(struct order *o)
{
    struct manner_help help;
    jw_array(o->w, "value");
    for (size_t i = 0; manner_help(i, &help); i++) {
        jw_object(o->w, NULL);
        jw_textz(o->w, "key", help.key);
        jw_textz(o->w, "takes", help.takes);
        jw_textz(o->w, "untold", help.untold);
        jw_textz(o->w, "words", help.words);
        jw_end(o->w);
    }
    jw_end(o->w);
    manner_write(phones_others(o->s->phones), o->w);
    return ERR_NONE;
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
    { "handset.reject",    do_reject,    true },
    { "handset.say",       do_say,       true },
    { "handset.record",    do_record,    true },
    { "handset.set",       do_set,       false },
    { "handset.clear",     do_clear,     false },
    { "handset.behaviours", do_behaviours, false },
    { "handset.dial",      do_dial,      true },
    { "handset.recording", do_recording, true },
    { 0 },
};
