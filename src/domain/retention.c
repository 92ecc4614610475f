#include "domain/retention.h"
#include "base/duration.h"
#include "base/nearest.h"
#include "base/str.h"
#include "domain/purge.h"
#include "store/retention.h"

static const int64_t HOUR_US = 3600 * (int64_t)US_PER_S, YEAR_US = 365 * 24 * 3600 * (int64_t)US_PER_S;
enum { LONGEST_YEARS = 100 };

static const struct {
    const char *word;
    int64_t     days, least_hours;
    const char *why;
} kinds[] = {
#define RETENTION_ROW(name, word, days, least, why) [RETAIN_##name] = { word, days, least, why },
    RETENTIONS(RETENTION_ROW)
};

static enum err find(struct str word, size_t *kind, struct problem *why)
{
    const char *words[RETAINED_KINDS];
    for (size_t i = 0; i < RETAINED_KINDS; i++) {
        words[i] = kinds[i].word;
        if (str_eqz(word, words[i])) {
            *kind = i;
            return ERR_NONE;
        }
    }
    const char *close = nearest(word, words, RETAINED_KINDS);
    return problem_set(why, ERR_ABSENT, "BadSetting",
                       "retention knows no '" STR_FMT "'%s%s%s; there are messages, bodies, calls, recordings, events, audit",
                       STR_ARG(word), close ? "; did you mean '" : "", close ? close : "", close ? "'?" : "");
}

/* "2y", or what base/duration.h reads. */
static enum err read_age(struct str text, int64_t *us)
{
    uint64_t years;
    if (!str_ends(text, STR("y")))
        return duration_read(text, us);
    enum err err = str_u64((struct str){ text.p, text.n - 1 }, LONGEST_YEARS, &years);
    if (!err)
        *us = (int64_t)years * YEAR_US;
    return err;
}

static enum err read_one(struct retention *r, struct str one, struct problem *why)
{
    struct str word, age;
    size_t kind = 0;
    int64_t us;
    if (!str_cut(one, '=', &word, &age) || !age.n)
        return problem_set(why, ERR_SYNTAX, "BadSetting", "'" STR_FMT "' is not KIND=AGE, such as messages=90d", STR_ARG(one));
    enum err err = find(str_trim(word), &kind, why);
    if (err)
        return err;
    err = read_age(str_trim(age), &us);
    if (err || us > LONGEST_YEARS * YEAR_US)
        return problem_set(why, err ? err : ERR_RANGE, "BadSetting",
                           "'" STR_FMT "' is no age of at most 100 years, such as 48h, 90d or 2y", STR_ARG(age));
    if (us < kinds[kind].least_hours * HOUR_US)
        return problem_set(why, ERR_RANGE, "BadSetting", "%s are kept for at least %lld hours: %s", kinds[kind].word,
                           (long long)kinds[kind].least_hours, kinds[kind].why);
    r->keep_us[kind] = us;
    return ERR_NONE;
}

enum err retention_read(struct retention *out, struct str text, struct problem *why)
{
    struct retention r;
    struct str one;
    for (size_t i = 0; i < RETAINED_KINDS; i++)
        r.keep_us[i] = kinds[i].days * 24 * HOUR_US;
    enum err err = ERR_NONE;
    while (!err && text.n) {
        str_cut(text, ',', &one, &text);
        err = read_one(&r, str_trim(one), why);
    }
    if (!err)
        *out = r;
    return err;
}

/* -- purges ---------------------------------------------------------------------------------------------------------- */

static const struct {
    enum retained   kind;
    purge_slice_fn *slice;
} purges[] = {
    { RETAIN_MESSAGES, retain_messages_slice },
    { RETAIN_BODIES, retain_bodies_slice },
    { RETAIN_CALLS, retain_calls_slice },
    { RETAIN_AUDIT, retain_audit_slice },
};

struct retention_purges {
    struct purge *each[ARRAY_LEN(purges)];
};

enum err retention_start(struct retention_purges **out, struct control *control, const struct retention *keep)
{
    struct retention_purges *p = calloc(1, sizeof *p);
    enum err err = p ? ERR_NONE : ERR_NOMEM;
    for (size_t i = 0; !err && i < ARRAY_LEN(purges); i++) {
        err = purge_new(&p->each[i], control, keep->keep_us[purges[i].kind], purges[i].slice);
        if (!err)
            err = purge_start(p->each[i]);
    }
    if (err)
        retention_purges_free(p);
    else
        *out = p;
    return err;
}

void retention_purges_free(struct retention_purges *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < ARRAY_LEN(p->each); i++)
        purge_free(p->each[i]);
    free(p);
}
