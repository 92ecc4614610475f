#include "domain/numbers/quotas.h"
#include "base/map.h"
#include "base/str.h"
#include "domain/rules.h"
#include "store/quotas.h"

#include <stdio.h>

static const char *const names[QUOTA_COUNT] = { "search", "purchase", "sms" };
static const struct quotas_conf service = { { { 5, 7 * 86400 * (int64_t)US_PER_S }, { 1, 0 }, { 200, 60 * (int64_t)US_PER_S } } };

static const int64_t WINDOW_MOST_S = 3660 * 86400;      /* ten years */

struct use { uint64_t key; int64_t at_us; };
/* Of one owner: never more than the limit's count, the oldest first. */
struct uses { size_t n; struct use list[]; };

struct quotas {
    struct control    *control;
    struct quotas_conf conf;
    struct map        *uses[QUOTA_COUNT];       /* owner -> struct uses, owned */
};

/* -- reading the setting ---------------------------------------------------------------------------------------------------- */

static enum err unreadable(struct problem *why, struct str text)
{
    return problem_set(why, ERR_SYNTAX, "BadSetting",
                       "'" STR_FMT "' is no quota: off, service, or such as search=5/7d,purchase=1,sms=200/60s", STR_ARG(text));
}

static enum err time_read(struct str text, int64_t *us)
{
    static const struct { char unit; int64_t s; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    uint64_t v;
    for (size_t i = 0; text.n > 1 && i < ARRAY_LEN(units); i++)
        if (text.p[text.n - 1] == units[i].unit) {
            enum err err = str_u64((struct str){ text.p, text.n - 1 }, (uint64_t)(WINDOW_MOST_S / units[i].s), &v);
            if (!err)
                *us = (int64_t)v * units[i].s * US_PER_S;
            return err ? err : v ? ERR_NONE : ERR_RANGE;
        }
    return ERR_SYNTAX;
}

static enum err limit_read(struct quotas_conf *out, struct str text, struct problem *why)
{
    struct str name, value, count, window;
    struct quota_limit limit = { 0 };
    uint64_t v = 0;
    if (!str_cut(text, '=', &name, &value))
        return unreadable(why, text);
    bool timed = str_cut(value, '/', &count, &window);
    enum err err = str_u64(count, QUOTA_MOST, &v);
    limit.count = (int64_t)v;
    if (!err && timed)
        err = time_read(window, &limit.window_us);
    for (int q = 0; !err && q < QUOTA_COUNT; q++)
        if (str_eqz(name, names[q]) && (limit.window_us || q != QUOTA_SMS || !limit.count)) {
            out->limits[q] = limit;
            return ERR_NONE;
        }
    return unreadable(why, text);
}

enum err quotas_read(struct quotas_conf *out, struct str text, struct problem *why)
{
    struct str one, rest = text;
    *out = (struct quotas_conf){ 0 };
    if (!text.n || str_eqz(text, "off"))
        return ERR_NONE;
    if (str_eqz(text, "service")) {
        *out = service;
        return ERR_NONE;
    }
    enum err err = ERR_NONE;
    for (bool more = true; !err && more;) {
        more = str_cut(rest, ',', &one, &rest);
        err = limit_read(out, str_trim(one), why);
    }
    return err;
}

/* -- the object --------------------------------------------------------------------------------------------------------------- */

enum err quotas_new(struct quotas **out, struct control *control, const struct quotas_conf *conf)
{
    struct quotas *q = calloc(1, sizeof *q);
    bool good = q != NULL;
    for (int i = 0; q && i < QUOTA_COUNT; i++)
        good &= (q->uses[i] = map_new()) != NULL;
    if (!good) {
        quotas_free(q);
        return ERR_NOMEM;
    }
    q->control = control;
    q->conf = *conf;
    *out = q;
    return ERR_NONE;
}

void quotas_free(struct quotas *q)
{
    uint64_t key;
    void *value;
    if (!q)
        return;
    for (int i = 0; i < QUOTA_COUNT; i++) {
        for (size_t at = 0; q->uses[i] && map_next(q->uses[i], &at, &key, &value);)
            free(value);
        map_free(q->uses[i]);
    }
    free(q);
}

static struct uses *uses_of(struct quotas *q, uint64_t owner, enum quota what)
{
    struct uses *u = map_find(q->uses[what], owner);
    if (u)
        return u;
    u = calloc(1, sizeof *u + (size_t)q->conf.limits[what].count * sizeof u->list[0]);
    if (!u || map_put(q->uses[what], owner, u)) {
        free(u);
        return NULL;
    }
    return u;
}

static void drop_first(struct uses *u)
{
    memmove(u->list, u->list + 1, --u->n * sizeof u->list[0]);
}

enum err quotas_recall(struct quotas *q, uint64_t owner, enum quota what, uint64_t key, int64_t at_us)
{
    if (!q->conf.limits[what].count)
        return ERR_NONE;
    struct uses *u = uses_of(q, owner, what);
    if (!u)
        return ERR_NOMEM;
    if (u->n == (size_t)q->conf.limits[what].count)
        drop_first(u);                  /* the limit is lower than it was */
    u->list[u->n++] = (struct use){ key, at_us };
    return ERR_NONE;
}

static enum err load_one(void *arg, uint64_t key, uint64_t subscription, int what, int64_t at_us)
{
    return what == QUOTA_SEARCH || what == QUOTA_PURCHASE ? quotas_recall(arg, subscription, (enum quota)what, key, at_us)
                                                          : ERR_NONE;
}

int64_t quotas_window_us(const struct quotas *q, enum quota what)
{
    return q->conf.limits[what].count ? q->conf.limits[what].window_us : 0;
}

enum err quotas_load(struct quotas *q)
{
    return quota_rows_each(q->control->db, load_one, q);
}

/* -- counting ----------------------------------------------------------------------------------------------------------------- */

/* "7 days": of the largest unit that fits. */
static void window_words(int64_t us, char dst[48])
{
    static const struct { int64_t s; const char *name; } units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
    int64_t s = us / US_PER_S;
    size_t i = 0;
    if (!s) {
        snprintf(dst, 48, "all its time");
        return;
    }
    while (s % units[i].s)
        i++;
    snprintf(dst, 48, "%lld %s%s", (long long)(s / units[i].s), units[i].name, s / units[i].s == 1 ? "" : "s");
}

static enum err exceeded(const struct quotas *q, const struct uses *u, const char *name, enum quota what, size_t n,
                         struct problem *why)
{
    static const char *const things[QUOTA_COUNT] = { "searches", "purchases", "texts" };
    const char *thing = q->conf.limits[what].count == 1 ? names[what] : things[what];
    const struct quota_limit *limit = &q->conf.limits[what];
    char count[24], window[48], when[ISO8601_SIZE + 16] = "never";
    /* so many must be over first; what is more than the whole limit never fits */
    size_t over = u->n + n - (size_t)limit->count;
    int64_t free_us = limit->window_us && over <= u->n ? u->list[over - 1].at_us + limit->window_us : 0;
    snprintf(count, sizeof count, "%lld", (long long)limit->count);
    window_words(limit->window_us, window);
    if (free_us)
        time_iso8601(when, free_us);
    enum err err = rule_problem(why, ERR_BUSY, RULE_QUOTA_EXCEEDED, name, count, thing, window, when);
    if (why)
        why->retry_after_s = free_us ? (int)((free_us - control_now_us(q->control) + US_PER_S - 1) / US_PER_S) : 0;
    return err;
}

enum err quotas_check(struct quotas *q, uint64_t owner, const char *name, enum quota what, size_t n, struct problem *why)
{
    const struct quota_limit *limit = &q->conf.limits[what];
    if (!limit->count)
        return ERR_NONE;
    struct uses *u = uses_of(q, owner, what);
    if (!u)
        return ERR_NOMEM;
    while (u->n && limit->window_us && u->list[0].at_us + limit->window_us <= control_now_us(q->control))
        drop_first(u);
    return u->n + n <= (size_t)limit->count ? ERR_NONE : exceeded(q, u, name, what, n, why);
}

void quotas_take(struct quotas *q, uint64_t owner, enum quota what, uint64_t key, struct db_unit *u)
{
    const struct quota_limit *limit = &q->conf.limits[what];
    struct uses *uses = limit->count ? map_find(q->uses[what], owner) : NULL;
    int64_t now = control_now_us(q->control);
    if (!uses || uses->n == (size_t)limit->count)
        return;
    uses->list[uses->n++] = (struct use){ key, now };
    if (!u)
        return;
    if (limit->window_us)
        quota_rows_forget(u, owner, (int)what, now - limit->window_us);
    quota_row_insert(u, key, owner, (int)what, now);
}

void quotas_give_back(struct quotas *q, uint64_t owner, enum quota what, uint64_t key)
{
    struct uses *u = map_find(q->uses[what], owner);
    for (size_t i = 0; u && i < u->n; i++)
        if (u->list[i].key == key) {
            memmove(&u->list[i], &u->list[i + 1], (--u->n - i) * sizeof u->list[0]);
            return;
        }
}
