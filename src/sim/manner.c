#include "sim/manner.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/str.h"
#include "codec/rtp/rtp.h"
#include "net/audio.h"
#include "sim/sound.h"

#include <stdio.h>

enum { MS_PER_S = 1000, RING_MOST_MS = 180 * MS_PER_S, DAY_MS = 86400 * MS_PER_S, LINE_MOST_MS = 1000, EARLY_REFUSE_MS = 3000 };
enum { STATUS_LEAST = 400, STATUS_MOST = 699, CAUSE_MOST = 127, PERMILLE = 1000 };

typedef enum err read_fn(struct manner *m, struct str value, struct problem *why);

/* -- values ------------------------------------------------------------------------------------------------------------ */

static enum err unfit(struct str value, const char *wanted, struct problem *why)
{
    return problem_set(why, ERR_RANGE, "BadRequest", "'%.*s' is not %s.", (int)(value.n < 100 ? value.n : 100), value.p, wanted);
}

static enum err read_ms(struct str value, int most_ms, int *out, struct problem *why)
{
    int64_t us;
    char most[DURATION_SIZE], wanted[DURATION_SIZE + 48];
    if (!duration_read(value, &us) && us <= (int64_t)most_ms * US_PER_MS) {
        *out = (int)(us / US_PER_MS);
        return ERR_NONE;
    }
    snprintf(wanted, sizeof wanted, "a time such as 500ms or 2s, %s at most", duration_write(most, (int64_t)most_ms * US_PER_MS));
    return unfit(value, wanted, why);
}

/* A time, or this word, which is `instead`. */
static enum err read_ms_or(struct str value, int most_ms, const char *word, int instead, int *out, struct problem *why)
{
    if (!str_eqz(value, word))
        return read_ms(value, most_ms, out, why);
    *out = instead;
    return ERR_NONE;
}

static enum err read_answer_after(struct manner *m, struct str value, struct problem *why)
{
    return read_ms_or(value, RING_MOST_MS, "never", MANNER_NEVER, &m->answer_ms, why);
}

static enum err read_refuse(struct manner *m, struct str value, struct problem *why)
{
    struct str first, second;
    uint64_t status = 0, cause = 0;
    bool both = str_cut(value, '/', &first, &second), no = str_eqz(value, "no");
    if (!no && (str_u64(first, STATUS_MOST, &status) || status < STATUS_LEAST))
        return unfit(value, "a SIP status of 400 to 699, such as 486 or 486/17", why);
    if (both && str_u64(second, CAUSE_MOST, &cause))
        return unfit(value, "a SIP status and a Q.850 cause of 0 to 127, such as 486/17", why);
    m->refuse_status = (int)status;
    m->refuse_q850 = both ? (int)cause : manner_cause_of((int)status);
    return ERR_NONE;
}

static enum err read_refuse_after(struct manner *m, struct str value, struct problem *why)
{
    return read_ms(value, RING_MOST_MS, &m->refuse_ms, why);
}

static enum err read_sound(struct audio **at, struct str value, struct problem *why)
{
    struct audio *a = NULL;
    enum err err = str_eqz(value, "none") ? ERR_NONE : sound_of(&a, value, why);
    if (err)
        return err;
    audio_unref(*at);
    *at = a;
    return ERR_NONE;
}

static enum err read_early_media(struct manner *m, struct str value, struct problem *why)
{
    return read_sound(&m->early, value, why);
}

static enum err read_say(struct manner *m, struct str value, struct problem *why)
{
    return read_sound(&m->say, value, why);
}

static enum err read_press(struct manner *m, struct str value, struct problem *why)
{
    bool none = str_eqz(value, "none"), caller = str_eqz(value, "caller");
    for (size_t i = 0; !none && !caller && i < value.n; i++)
        if (rtp_tone_event(value.p[i]) < 0)
            return unfit(value, "keys: 0-9 * # A-D, or caller", why);
    if (value.n > MANNER_KEYS_MAX)
        return unfit(value, "keys: 32 at most", why);
    m->press_caller = caller;
    str_copyz(m->press, sizeof m->press, none || caller ? STR("") : value);
    return ERR_NONE;
}

static enum err read_press_after(struct manner *m, struct str value, struct problem *why)
{
    m->press_heard = str_eqz(value, "heard");
    return read_ms_or(value, DAY_MS, "heard", MANNER_DEAF_MS, &m->press_ms, why);
}

static enum err read_drop_after(struct manner *m, struct str value, struct problem *why)
{
    return read_ms_or(value, DAY_MS, "never", MANNER_NEVER, &m->drop_ms, why);
}

/* The place of `value` among the words. */
static enum err read_word(struct str value, const char *const words[], size_t n, const char *wanted, unsigned *out,
                          struct problem *why)
{
    for (size_t i = 0; i < n; i++)
        if (str_eqz(value, words[i])) {
            *out = (unsigned)i;
            return ERR_NONE;
        }
    return unfit(value, wanted, why);
}

static enum err read_one_way(struct manner *m, struct str value, struct problem *why)
{
    static const char *const words[] = { [MANNER_BOTH_WAYS] = "no", [MANNER_SENDS] = "send", [MANNER_RECEIVES] = "receive" };
    unsigned way = 0;
    enum err err = read_word(value, words, ARRAY_LEN(words), "send, receive or no", &way, why);
    m->way = (enum manner_way)way;
    return err;
}

static enum err read_echo(struct manner *m, struct str value, struct problem *why)
{
    static const char *const words[] = { [MANNER_NO_ECHO] = "no", [MANNER_ECHO_DTMF] = "dtmf", [MANNER_ECHO_AUDIO] = "audio" };
    unsigned echo = 0;
    enum err err = read_word(value, words, ARRAY_LEN(words), "dtmf, audio or no", &echo, why);
    m->echo = (enum manner_echo)echo;
    return err;
}

static enum err read_record(struct manner *m, struct str value, struct problem *why)
{
    bool no = str_eqz(value, "no"), on = str_eqz(value, "on");
    if (!no && !on && !str_starts(value, STR("/")))
        return unfit(value, "the absolute path of a file, on or no", why);
    char *copy = no ? NULL : strndup(value.p, on ? 0 : value.n);
    if (!no && !copy)
        return ERR_NOMEM;
    free(m->record);
    m->record = copy;
    return ERR_NONE;
}

/* "5%", "0.5%" */
static enum err read_loss(struct manner *m, struct str value, struct problem *why)
{
    struct str whole, tenths;
    uint64_t percent = 0, tenth = 0;
    bool unit = str_ends(value, STR("%"));
    bool both = str_cut((struct str){ value.p, value.n - unit }, '.', &whole, &tenths);
    if (!unit || str_u64(whole, 100, &percent) || (both && (tenths.n != 1 || str_u64(tenths, 9, &tenth)))
        || percent * 10 + tenth > PERMILLE)
        return unfit(value, "a percentage such as 5% or 0.5%", why);
    m->loss_permille = (int)(percent * 10 + tenth);
    return ERR_NONE;
}

static enum err read_delay(struct manner *m, struct str value, struct problem *why)
{
    return read_ms(value, LINE_MOST_MS, &m->delay_ms, why);
}

static enum err read_jitter(struct manner *m, struct str value, struct problem *why)
{
    return read_ms(value, LINE_MOST_MS, &m->jitter_ms, why);
}

static enum err read_transport(struct manner *m, struct str value, struct problem *why)
{
    static const char *const words[] = { "udp", "tcp" };
    unsigned tcp = 0;
    enum err err = read_word(value, words, ARRAY_LEN(words), "udp or tcp", &tcp, why);
    m->tcp = tcp;
    return err;
}

/* -- the list ------------------------------------------------------------------------------------------------------------ */

#define MANNER_ROW(key_, takes_, untold_, words_) { #key_, read_##key_, takes_, untold_, words_ },
static const struct {
    const char *key;            /* with '_', where people write '-' */
    read_fn    *read;
    const char *takes, *untold, *words;
} keys[] = { MANNERS(MANNER_ROW) };

enum { KEY_SIZE = sizeof(((struct manner_help *)0)->key) };

static void key_write(char dst[KEY_SIZE], size_t key)
{
    size_t n = str_copyz(dst, KEY_SIZE, str_of(keys[key].key));
    for (size_t i = 0; i < n; i++)
        if (dst[i] == '_')
            dst[i] = '-';
}

bool manner_help(size_t i, struct manner_help *out)
{
    if (i >= ARRAY_LEN(keys))
        return false;
    *out = (struct manner_help){ .takes = keys[i].takes, .untold = keys[i].untold, .words = keys[i].words };
    key_write(out->key, i);
    return true;
}

static enum err find_key(struct str name, size_t *out, struct problem *why)
{
    const char *known[ARRAY_LEN(keys)];
    char close[KEY_SIZE] = "";
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        known[i] = keys[i].key;
        if (name.n == strlen(keys[i].key) && nearest_distance(name, str_of(keys[i].key)) == 0) {
            *out = i;
            return ERR_NONE;
        }
    }
    const char *near = nearest(name, known, ARRAY_LEN(known));
    for (size_t i = 0; near && i < ARRAY_LEN(keys); i++)
        if (keys[i].key == near)
            key_write(close, i);
    return problem_set(why, ERR_RANGE, "BadRequest", "A handset has no behaviour '%.*s'%s%s%s", (int)(name.n < 60 ? name.n : 60),
                       name.p, near ? "; did you mean '" : "; `carterfone handset behaviours` lists them", close, near ? "'?" : "");
}

/* -- a manner -------------------------------------------------------------------------------------------------------------- */

void manner_unref(struct manner *m)
{
    if (!m || --m->refs)
        return;
    for (size_t i = 0; i < MANNER_N_KEYS; i++)
        free(m->given[i]);
    audio_unref(m->early);
    audio_unref(m->say);
    free(m->record);
    free(m);
}

struct manner *manner_ref(struct manner *m)
{
    m->refs++;
    return m;
}

static enum err put(struct manner *m, size_t key, struct str value, struct problem *why)
{
    struct problem inner = { 0 };
    char name[KEY_SIZE];
    enum err err = keys[key].read(m, value.n ? value : str_of(keys[key].untold), &inner);
    key_write(name, key);
    if (err)
        return problem_set(why, err, "BadRequest", "%s: %s", name, inner.text[0] ? inner.text : err_words(err));
    char *copy = value.n ? strndup(value.p, value.n) : NULL;
    if (value.n && !copy)
        return ERR_NOMEM;
    free(m->given[key]);
    m->given[key] = copy;
    return ERR_NONE;
}

/* Like `old` in everything. Sounds are shared, not read again: their files may have gone. */
static enum err copy(struct manner *m, const struct manner *old)
{
    *m = *old;
    m->refs = 1;
    m->record = NULL;
    memset(m->given, 0, sizeof m->given);
    if (m->early)
        audio_ref(m->early);
    if (m->say)
        audio_ref(m->say);
    bool whole = !old->record || (m->record = strdup(old->record));
    for (size_t i = 0; whole && i < MANNER_N_KEYS; i++)
        whole = !old->given[i] || (m->given[i] = strdup(old->given[i]));
    return whole ? ERR_NONE : ERR_NOMEM;
}

static enum err begin(struct manner *m, const struct manner *old)
{
    enum err err = ERR_NONE;
    if (old)
        return copy(m, old);
    m->refs = 1;
    for (size_t i = 0; !err && i < MANNER_N_KEYS; i++)
        err = put(m, i, (struct str){ "", 0 }, NULL);
    return err;
}

static enum err change(struct manner *m, struct str word, struct problem *why)
{
    struct str name, value;
    size_t key = 0;
    if (!str_cut(word, '=', &name, &value))
        return problem_set(why, ERR_RANGE, "BadRequest", "'%.*s' is not KEY=VALUE, such as answer-after=2s.",
                           (int)(word.n < 100 ? word.n : 100), word.p);
    enum err err = find_key(name, &key, why);
    return err ? err : put(m, key, value, why);
}

enum err manner_with(struct manner **out, const struct manner *old, const struct str *words, size_t n, struct problem *why)
{
    struct manner *m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    enum err err = begin(m, old);
    for (size_t i = 0; !err && i < n; i++)
        err = change(m, words[i], why);
    if (err) {
        manner_unref(m);
        return err;
    }
    if (!m->given[MANNER_KEY_refuse_after])
        m->refuse_ms = m->early ? EARLY_REFUSE_MS : 0;
    *out = m;
    return ERR_NONE;
}

enum err manner_of_text(struct manner **out, struct str text, struct problem *why)
{
    struct str words[2 * MANNER_N_KEYS], one, rest = str_trim(text);
    size_t n = 0;
    while (rest.n) {
        if (n == ARRAY_LEN(words))
            return problem_set(why, ERR_RANGE, "BadRequest", "That are more words than there are behaviours.");
        str_cut(rest, ' ', &one, &rest);
        words[n++] = one;
        rest = str_trim(rest);
    }
    return manner_with(out, NULL, words, n, why);
}

bool manner_is_kind(const struct manner *m)
{
    for (size_t i = 0; i < MANNER_N_KEYS; i++)
        if (m->given[i])
            return false;
    return true;
}

void manner_write(const struct manner *m, struct jw *w)
{
    char name[KEY_SIZE];
    jw_array(w, "behaviour");
    for (size_t i = 0; m && i < MANNER_N_KEYS; i++) {
        if (!m->given[i])
            continue;
        key_write(name, i);
        jw_printf(w, NULL, "%s=%s", name, m->given[i]);
    }
    jw_end(w);
}

int manner_cause_of(int status)
{
    static const struct { int status, cause; } causes[] = {
        { 400, 41 }, { 401, 21 }, { 402, 21 }, { 403, 21 }, { 404, 1 },  { 405, 63 }, { 406, 79 }, { 408, 102 }, { 410, 22 },
        { 480, 18 }, { 484, 28 }, { 486, 17 }, { 488, 88 }, { 500, 41 }, { 501, 79 }, { 502, 38 }, { 503, 41 },  { 504, 102 },
        { 600, 17 }, { 603, 21 }, { 604, 1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(causes); i++)
        if (causes[i].status == status)
            return causes[i].cause;
    return 0;
}
