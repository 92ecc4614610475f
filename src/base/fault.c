/* Faults are few and looked for seldom, so they are a row under one lock; the armed kinds are a word that anybody reads. */
#include "base/fault.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/map.h"
#include "base/nearest.h"
#include "base/str.h"

#include <pthread.h>
#include <stdio.h>

enum { WORDS_MAX = 24, STATUS_MIN = 400, STATUS_MAX = 599, SIP_STATUS_MAX = 699, CODE_MAX = 0x7fffffff, LOSS_MAX = 100 };
static const uint64_t COUNT_MAX = 1000000000, CHANCE_ONE = 1000000000, DRAW_STEP = 0x9e3779b97f4a7c15;
static const int64_t DELAY_MAX_US = 3600LL * US_PER_S;

/* what may be matched: word, member of the subject, on which edges, whether what is below it matches too */
#define EDGE(e) (1u << FAULT_##e)
#define MATCHES(M)                                                          \
    M(number,       "number",       EDGE(SMSC) | EDGE(PHONE), false)        \
    M(to,           "to",           EDGE(SMSC), false)                      \
    M(from,         "from",         EDGE(SMSC) | EDGE(PHONE), false)        \
    M(system_id,    "system-id",    EDGE(SMSC), false)                      \
    M(path,         "path",         EDGE(API), true)                        \
    M(resource,     "resource",     EDGE(API), false)                       \
    M(method,       "method",       EDGE(API), false)                       \
    M(url,          "url",          EDGE(WEBHOOK), true)                    \
    M(subscription, "subscription", EDGE(WEBHOOK), false)                   \
    M(statement,    "statement",    EDGE(STORE), false)
#define MATCH_ENUM(name, ...) ON_##name,
enum { MATCHES(MATCH_ENUM) MATCH_COUNT };
#define MATCH_ROW(name, word, edges, below) { word, edges, below, offsetof(struct fault_subject, name) },
static const struct match { const char *word; unsigned edges; bool below; size_t at; } matches[] = { MATCHES(MATCH_ROW) };

#define EDGE_WORD(name, word) word,
static const char *const edge_words[] = { FAULT_EDGES(EDGE_WORD) };
#define KIND_ROW(edge, name, word, takes, code, delay_ms, does) { FAULT_##edge, word, takes, code, delay_ms, does },
static const struct kind {
    enum fault_edge edge;
    const char     *word;
    unsigned        takes;
    int             code, delay_ms;
    const char     *does;
} kinds[] = { FAULT_KINDS(KIND_ROW) };

struct fault {
    uint32_t        id;
    enum fault_kind kind;
    bool            armed;
    struct str      on[MATCH_COUNT];        /* in text; empty: anything */
    uint64_t        count, every, p;        /* 0: no such word; p of CHANCE_ONE */
    int             code;
    int64_t         delay_us, for_us;       /* for_us 0: no end */
    int64_t         until_us;               /* mono */
    uint64_t        seen, hits, chance;
    char            text[FAULT_TEXT_SIZE];
};

_Atomic uint64_t fault_armed_kinds;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fault *faults[FAULT_MAX];     /* the oldest first */
static size_t n_faults;
static uint32_t last_id;
static uint64_t seed;

/* -- words ----------------------------------------------------------------------------------------------------------- */

const char *fault_edge_word(enum fault_edge edge)
{
    return edge_words[edge];
}

enum fault_edge fault_edge_of(enum fault_kind kind)
{
    return kinds[kind].edge;
}

const char *fault_kind_word(enum fault_kind kind)
{
    return kinds[kind].word;
}

const char *fault_kind_words(enum fault_kind kind)
{
    return kinds[kind].does;
}

/* "'throtle' is no ...; did you mean 'throttle'? It may be ..." */
static enum err unknown(struct problem *why, const char *what, struct str typed, const char *const *words, size_t n)
{
    char known[sizeof why->suggestion];
    size_t at = 0;
    known[0] = '\0';
    for (size_t i = 0; i < n && at < sizeof known; i++)
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", i ? ", " : "", strcmp(words[i], "#") ? words[i] : "400 to 599");
    const char *near = nearest(typed, words, n);
    problem_set(why, ERR_SYNTAX, "BadRequest", "'%.*s' is no %s.", (int)(typed.n < 64 ? typed.n : 64), typed.p, what);
    if (near)
        problem_rule(why, "FaultInvalid", "Did you mean '%s'? It may be: %s.", near, known);
    else
        problem_rule(why, "FaultInvalid", "It may be: %s.", known);
    return ERR_SYNTAX;
}

static enum err bad_value(struct problem *why, struct str key, struct str value, const char *form)
{
    problem_set(why, ERR_SYNTAX, "BadRequest", "'%.*s' is no value of %.*s.", (int)(value.n < 64 ? value.n : 64), value.p,
                (int)(key.n < 32 ? key.n : 32), key.p);
    problem_rule(why, "FaultInvalid", "Give %s.", form);
    return ERR_SYNTAX;
}

/* -- reading --------------------------------------------------------------------------------------------------------- */

static enum err read_edge(struct str word, unsigned edges, enum fault_edge *out, struct problem *why)
{
    const char *here[FAULT_EDGE_COUNT];
    size_t n = 0;
    for (int e = 0; e < FAULT_EDGE_COUNT; e++) {
        if (edges & 1u << e)
            here[n++] = edge_words[e];
        if (!str_eqz(word, edge_words[e]))
            continue;
        *out = (enum fault_edge)e;
        if (edges & 1u << e)
            return ERR_NONE;
        problem_set(why, ERR_FORBIDDEN, "Forbidden", "There is no %s here for a fault to strike.", edge_words[e]);
        return ERR_FORBIDDEN;
    }
    return unknown(why, "edge that a fault may strike", word, here, n);
}

static enum err read_kind(struct fault *f, enum fault_edge edge, struct str word, struct problem *why)
{
    const char *here[FAULT_KIND_COUNT];
    size_t n = 0;
    uint64_t status;
    bool number = !str_u64(word, STATUS_MAX, &status) && status >= STATUS_MIN;
    for (int k = 0; k < FAULT_KIND_COUNT; k++) {
        if (kinds[k].edge != edge)
            continue;
        here[n++] = kinds[k].word;
        bool any = !strcmp(kinds[k].word, "#");
        if (any ? !number : !str_eqz(word, kinds[k].word))
            continue;
        f->kind = (enum fault_kind)k;
        f->code = any ? (int)status : kinds[k].code;
        f->delay_us = kinds[k].delay_ms * (int64_t)US_PER_MS;
        return ERR_NONE;
    }
    char what[64];
    snprintf(what, sizeof what, "kind of %s fault", edge_words[edge]);
    return unknown(why, what, word, here, n);
}

/* A decimal fraction, over 0 and at most 1, as parts of CHANCE_ONE. */
static enum err read_chance(struct str s, uint64_t *out)
{
    struct str whole, part;
    uint64_t one, v = 0, step = CHANCE_ONE;
    str_cut(s, '.', &whole, &part);
    if (str_u64(whole, 1, &one) || (part.n && str_u64(part, UINT64_MAX, &v)))
        return ERR_SYNTAX;
    v = one * CHANCE_ONE;
    for (size_t i = 0; i < part.n && step > 1; i++)
        v += (uint64_t)(part.p[i] - '0') * (step /= 10);
    *out = v;
    return v && v <= CHANCE_ONE ? ERR_NONE : ERR_RANGE;
}

static enum err read_code(const struct fault *f, struct str s, int *out)
{
    uint64_t v = 0;
    if (s.n > 2 && s.n <= 10 && s.p[0] == '0' && (s.p[1] | 32) == 'x') {
        for (size_t i = 2; i < s.n; i++) {
            if (hex_digit(s.p[i]) < 0)
                return ERR_SYNTAX;
            v = v << 4 | (uint64_t)hex_digit(s.p[i]);
        }
    } else if (str_u64(s, CODE_MAX, &v)) {
        return ERR_SYNTAX;
    }
    if (v < 1 || v > CODE_MAX || (kinds[f->kind].edge == FAULT_PHONE && (v < STATUS_MIN || v > SIP_STATUS_MAX)))
        return ERR_RANGE;
    *out = (int)v;
    return ERR_NONE;
}

static enum err read_value(struct fault *f, unsigned which, struct str key, struct str value, struct problem *why)
{
    uint64_t loss;
    switch (which) {
    case FAULT_DELAY:
        if (duration_read(value, &f->delay_us) || f->delay_us > DELAY_MAX_US)
            return bad_value(why, key, value, "a span of time of an hour at most, such as 250ms or 5s");
        return ERR_NONE;
    case FAULT_CODE:
        if (read_code(f, value, &f->code))
            return bad_value(why, key, value, kinds[f->kind].edge == FAULT_PHONE ? "a SIP status, 400 to 699"
                                              : "a number of 1 or more, such as 88 or 0x58");
        return ERR_NONE;
    default:
        if (str_u64(value, LOSS_MAX, &loss) || !loss)
            return bad_value(why, key, value, "per cent, 1 to 100");
        f->code = (int)loss;
        return ERR_NONE;
    }
}

static const struct { const char *word; unsigned value; } values[] = {
    { "delay", FAULT_DELAY }, { "code", FAULT_CODE }, { "loss", FAULT_LOSS },
};

/* count, every, p, for. @return false: none of them */
static bool read_often(struct fault *f, struct str key, struct str value, struct problem *why, enum err *err)
{
    *err = ERR_NONE;
    if (str_eqz(key, "count") || str_eqz(key, "every")) {
        uint64_t *to = str_eqz(key, "count") ? &f->count : &f->every;
        if (str_u64(value, COUNT_MAX, to) || !*to)
            *err = bad_value(why, key, value, "a whole number of 1 or more");
    } else if (str_eqz(key, "p")) {
        if (read_chance(value, &f->p))
            *err = bad_value(why, key, value, "a chance over 0 and at most 1, such as 0.01");
    } else if (str_eqz(key, "for")) {
        if (duration_read(value, &f->for_us) || !f->for_us)
            *err = bad_value(why, key, value, "a span of time, such as 10s or 5m");
    } else {
        return false;
    }
    return true;
}

static struct str bare(struct str number)
{
    return number.n && number.p[0] == '+' ? str_from(number, 1) : number;
}

static enum err read_word(struct fault *f, struct str key, struct str value, struct problem *why)
{
    const struct kind *kind = &kinds[f->kind];
    const char *here[MATCH_COUNT + ARRAY_LEN(values) + 4];
    size_t n = 0;
    enum err err;
    if (read_often(f, key, value, why, &err))
        return err;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if (!(kind->takes & values[i].value))
            continue;
        here[n++] = values[i].word;
        if (str_eqz(key, values[i].word))
            return read_value(f, values[i].value, key, value, why);
    }
    for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
        if (!(matches[i].edges & 1u << kind->edge))
            continue;
        here[n++] = matches[i].word;
        if (!str_eqz(key, matches[i].word))
            continue;
        f->on[i] = value;
        return bare(value).n ? ERR_NONE : bad_value(why, key, value, "what it shall match, or leave the word out");
    }
    static const char *const often[] = { "count", "every", "p", "for" };
    for (size_t i = 0; i < ARRAY_LEN(often); i++)
        here[n++] = often[i];
    char what[96];
    snprintf(what, sizeof what, "word of '%s %s'", edge_words[kind->edge], strcmp(kind->word, "#") ? kind->word : "STATUS");
    return unknown(why, what, key, here, n);
}

/* "slow=50ms": the value that the kind is first of all about. */
static enum err read_kind_word(struct fault *f, enum fault_edge edge, struct str word, struct problem *why)
{
    struct str name, value;
    bool given = str_cut(word, '=', &name, &value);
    enum err err = read_kind(f, edge, name, why);
    if (err || !given)
        return err;
    unsigned takes = kinds[f->kind].takes;
    if (!takes || !strcmp(kinds[f->kind].word, "#"))
        return bad_value(why, name, value, "the kind alone; it takes no value");
    return read_value(f, takes, name, value, why);
}

/* Words with one blank between them, so that members of `on` may borrow from f->text. */
static enum err copy_text(struct fault *f, struct str text, struct problem *why)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!blank && (c < 0x20 || c == 0x7f))
            return problem_set(why, ERR_SYNTAX, "BadRequest", "A fault is written in words; there is a control character in this.");
        if (blank && (!n || f->text[n - 1] == ' '))
            continue;
        if (n + 1 >= sizeof f->text)
            return problem_set(why, ERR_SYNTAX, "BadRequest", "A fault is at most %d octets long.", FAULT_TEXT_SIZE - 1);
        f->text[n++] = blank ? ' ' : (char)c;
    }
    if (n && f->text[n - 1] == ' ')
        n--;
    f->text[n] = '\0';
    return ERR_NONE;
}

static enum err fault_read(struct fault *f, struct str text, unsigned edges, struct problem *why)
{
    enum err err = copy_text(f, text, why);
    struct str rest = str_of(f->text), word, key, value;
    enum fault_edge edge = 0;
    if (err)
        return err;
    str_cut(rest, ' ', &word, &rest);
    err = read_edge(word, edges, &edge, why);
    if (err)
        return err;
    str_cut(rest, ' ', &word, &rest);
    err = read_kind_word(f, edge, word, why);
    while (!err && rest.n) {
        str_cut(rest, ' ', &word, &rest);
        str_cut(word, '=', &key, &value);
        err = read_word(f, key, value, why);
    }
    return err;
}

/* -- striking -------------------------------------------------------------------------------------------------------- */

static bool matches_one(struct str pattern, struct str there, bool below)
{
    pattern = bare(pattern);
    there = bare(there);
    if (pattern.n && pattern.p[pattern.n - 1] == '*')
        return str_starts(there, (struct str){ pattern.p, pattern.n - 1 });
    if (!below)
        return str_eq_nocase(pattern, there);
    return str_starts(there, pattern)
           && (there.n == pattern.n || pattern.p[pattern.n - 1] == '/' || strchr("/:?#", there.p[pattern.n]));
}

/* Is one of the words like that? */
static bool matches_word(struct str pattern, struct str words)
{
    struct str word;
    while (words.n) {
        str_cut(words, ' ', &word, &words);
        if (word.n && matches_one(pattern, word, false))
            return true;
    }
    return false;
}

static bool matches_all(const struct fault *f, const struct fault_subject *s)
{
    if (s->only_path && !f->on[ON_path].n)
        return false;
    for (size_t i = 0; i < MATCH_COUNT; i++) {
        struct str there;
        memcpy(&there, (const char *)s + matches[i].at, sizeof there);
        if (!f->on[i].n || (i == ON_statement ? matches_word(f->on[i], there)
                                           : there.n && matches_one(f->on[i], there, matches[i].below)))
            continue;
        if (i != ON_number || !((s->to.n && matches_one(f->on[i], s->to, false))
                                || (s->from.n && matches_one(f->on[i], s->from, false))))
            return false;
    }
    return true;
}

/* Under the lock. */
static void count_armed(void)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < n_faults; i++)
        if (faults[i]->armed)
            bits |= UINT64_C(1) << faults[i]->kind;
    atomic_store_explicit(&fault_armed_kinds, bits, memory_order_relaxed);
}

static bool is_over(const struct fault *f, int64_t now_us)
{
    return (f->count && f->hits >= f->count) || (f->for_us && now_us >= f->until_us);
}

/* It matches: is it this one's turn? */
static bool is_turn(struct fault *f)
{
    f->seen++;
    if (f->every && f->seen % f->every)
        return false;
    if (f->p) {
        f->chance += DRAW_STEP;
        if (hash_u64(f->chance) % CHANCE_ONE >= f->p)
            return false;
    }
    f->hits++;
    return true;
}

bool fault_look(uint64_t of, const struct fault_subject *subject, struct fault_hit *hit)
{
    static const struct fault_subject anything;
    int64_t now_us = clock_mono().us;
    bool struck = false, ended = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n_faults && !struck; i++) {
        struct fault *f = faults[i];
        if (!f->armed || !(of & UINT64_C(1) << f->kind))
            continue;
        if (!is_over(f, now_us) && matches_all(f, subject ? subject : &anything) && is_turn(f)) {
            *hit = (struct fault_hit){ f->kind, f->id, f->code, f->delay_us };
            struck = true;
        }
        if (is_over(f, now_us)) {
            f->armed = false;
            ended = true;
        }
    }
    if (ended)
        count_armed();
    pthread_mutex_unlock(&lock);
    return struck;
}

/* -- the row --------------------------------------------------------------------------------------------------------- */

/* Under the lock, all these. */
static void take_away(size_t i)
{
    free(faults[i]);
    memmove(faults + i, faults + i + 1, (--n_faults - i) * sizeof *faults);
}

static bool make_room(void)
{
    for (size_t i = 0; n_faults == FAULT_MAX && i < n_faults; i++)
        if (!faults[i]->armed)
            take_away(i);
    return n_faults < FAULT_MAX;
}

static enum err put(struct fault *f)
{
    if (!make_room())
        return ERR_BUSY;
    f->id = ++last_id;
    f->armed = true;
    f->chance = hash_u64(seed + f->id);
    f->until_us = f->for_us ? clock_mono().us + f->for_us : 0;
    faults[n_faults++] = f;
    count_armed();
    return ERR_NONE;
}

enum err fault_add(struct str text, unsigned edges, uint32_t *id, struct problem *why)
{
    struct fault *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    enum err err = fault_read(f, text, edges, why);
    if (!err) {
        pthread_mutex_lock(&lock);
        err = put(f);
        if (!err && id)
            *id = f->id;
        pthread_mutex_unlock(&lock);
        if (err)
            problem_set(why, err, "TooManyRequests", "%d faults are armed, and no more may be; clear some.", FAULT_MAX);
    }
    if (err)
        free(f);
    return err;
}

size_t fault_clear(uint32_t id)
{
    size_t n = 0;
    pthread_mutex_lock(&lock);
    for (size_t i = n_faults; i--;)
        if (!id || faults[i]->id == id) {
            take_away(i);
            n++;
        }
    count_armed();
    pthread_mutex_unlock(&lock);
    return n;
}

void fault_seed(uint64_t value)
{
    pthread_mutex_lock(&lock);
    seed = value;
    pthread_mutex_unlock(&lock);
}

size_t fault_list(struct fault_info *out, size_t room)
{
    int64_t now_us = clock_mono().us;
    pthread_mutex_lock(&lock);
    size_t n = n_faults < room ? n_faults : room;
    for (size_t i = 0; i < n; i++) {
        const struct fault *f = faults[i];
        int64_t left = f->until_us - now_us;
        out[i] = (struct fault_info){ .id = f->id, .kind = f->kind, .armed = f->armed && !is_over(f, now_us), .seen = f->seen,
                                      .hits = f->hits, .left_us = !f->for_us ? -1 : left > 0 ? left : 0, .chance = f->chance };
        memcpy(out[i].text, f->text, sizeof f->text);
    }
    pthread_mutex_unlock(&lock);
    return n;
}

static struct fault *put_back_one(const struct fault_info *info)
{
    struct problem why;
    struct fault *f = calloc(1, sizeof *f);
    if (!f || fault_read(f, str_of(info->text), ~0u, &why)) {
        free(f);
        return NULL;
    }
    f->id = info->id;
    f->armed = info->armed;
    f->seen = info->seen;
    f->hits = info->hits;
    f->chance = info->chance;
    f->until_us = f->for_us ? clock_mono().us + info->left_us : 0;
    return f;
}

enum err fault_put_back(const struct fault_info *infos, size_t n)
{
    struct fault *made[FAULT_MAX];
    size_t done = 0;
    if (n > FAULT_MAX)
        return ERR_RANGE;
    while (done < n && (made[done] = put_back_one(&infos[done])))
        done++;
    fault_clear(0);
    if (done < n) {
        while (done)
            free(made[--done]);
        return ERR_SYNTAX;
    }
    pthread_mutex_lock(&lock);
    memcpy(faults, made, n * sizeof *made);
    n_faults = n;
    for (size_t i = 0; i < n; i++)
        if (made[i]->id > last_id)
            last_id = made[i]->id;
    count_armed();
    pthread_mutex_unlock(&lock);
    return ERR_NONE;
}
