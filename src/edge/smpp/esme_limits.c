#include "edge/smpp/esme_limits.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/nearest.h"
#include "base/str.h"

enum kind { KIND_COUNT, KIND_TIME, KIND_TIME_OR_OFF };
enum { COUNT_MOST = 1000 };
static const int64_t TIME_LEAST_US = US_PER_S, TIME_MOST_US = 3600 * (int64_t)US_PER_S, IDLE_MOST_US = 7 * 24 * 3600 * (int64_t)US_PER_S;

/* name, kind, member, untold (times in seconds) */
#define LIMITS(L)                                                                                           \
    L("binds",   COUNT,       binds,      32)                                                               \
    L("links",   COUNT,       links,      1000)                                                             \
    L("window",  COUNT,       window,     10)                                                               \
    L("submits", COUNT,       submits,    1000)                                                             \
    L("bind",    TIME,        bind_us,    10)                                                               \
    L("enquire", TIME,        enquire_us, 30)                                                               \
    L("answer",  TIME,        answer_us,  30)                                                               \
    L("idle",    TIME_OR_OFF, idle_us,    0)

static const struct limit {
    const char *name;
    enum kind   kind;
    size_t      offset;
    int64_t     otherwise;
} limits[] = {
#define LIMIT_ROW(name, kind, member, otherwise) { name, KIND_##kind, offsetof(struct esme_limits, member), otherwise },
    LIMITS(LIMIT_ROW)
};

static const struct limit *find(struct str name, struct problem *why)
{
    const char *names[ARRAY_LEN(limits)];
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        names[i] = limits[i].name;
        if (str_eqz(name, names[i]))
            return &limits[i];
    }
    const char *close = nearest(name, names, ARRAY_LEN(limits));
    problem_set(why, ERR_ABSENT, "BadSetting",
                "there is no limit '" STR_FMT "'%s%s%s; there are binds, links, window, submits, bind, enquire, answer, idle",
                STR_ARG(name), close ? "; did you mean '" : "", close ? close : "", close ? "'?" : "");
    return NULL;
}

static enum err put_count(void *member, struct str text, const char *name, struct problem *why)
{
    uint64_t n;
    if (str_u64(text, COUNT_MOST, &n) || !n)
        return problem_set(why, ERR_RANGE, "BadSetting", "%s: '" STR_FMT "' is not 1 to %d", name, STR_ARG(text), COUNT_MOST);
    *(unsigned *)member = (unsigned)n;
    return ERR_NONE;
}

static enum err put_time(void *member, struct str text, const struct limit *l, struct problem *why)
{
    bool may_be_off = l->kind == KIND_TIME_OR_OFF;
    int64_t us = 0, most = may_be_off ? IDLE_MOST_US : TIME_MOST_US;
    bool off = may_be_off && (str_eqz(text, "off") || str_eqz(text, "0"));
    if (!off && (duration_read(text, &us) || us < TIME_LEAST_US || us > most))
        return problem_set(why, ERR_RANGE, "BadSetting", "%s: '" STR_FMT "' is no time of 1s to %s%s", l->name, STR_ARG(text),
                           may_be_off ? "7d" : "1h", may_be_off ? ", nor off" : "");
    *(int64_t *)member = us;
    return ERR_NONE;
}

static enum err read_one(struct esme_limits *into, struct str one, struct problem *why)
{
    struct str name, value;
    if (!str_cut(one, '=', &name, &value) || !value.n)
        return problem_set(why, ERR_SYNTAX, "BadSetting", "'" STR_FMT "' is not NAME=VALUE, such as binds=4", STR_ARG(one));
    const struct limit *l = find(str_trim(name), why);
    if (!l)
        return ERR_ABSENT;
    void *member = (char *)into + l->offset;
    return l->kind == KIND_COUNT ? put_count(member, str_trim(value), l->name, why) : put_time(member, str_trim(value), l, why);
}

enum err esme_limits_read(struct esme_limits *out, struct str text, struct problem *why)
{
    struct esme_limits read = { 0 };
    struct str one;
    enum err err = ERR_NONE;
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        void *member = (char *)&read + limits[i].offset;
        if (limits[i].kind == KIND_COUNT)
            *(unsigned *)member = (unsigned)limits[i].otherwise;
        else
            *(int64_t *)member = limits[i].otherwise * (int64_t)US_PER_S;
    }
    while (!err && text.n) {
        str_cut(text, ',', &one, &text);
        err = read_one(&read, str_trim(one), why);
    }
    if (!err)
        *out = read;
    return err;
}
