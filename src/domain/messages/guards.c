/* guards.c - which guard means a message; their buckets are in buckets.c. */
#include "domain/messages/guards_priv.h"
#include "base/str.h"

static const struct sms_guard known[] = {
#include "domain/sms_guards.inc"
};
#define GUARD_WORD(id, word) [GUARD_##id] = word,
static const char *const words[GUARD_KINDS] = { GUARD_KIND_LIST(GUARD_WORD) };

const char *guard_kind_word(enum guard_kind kind)
{
    return words[kind];
}

enum err guard_kind_read(struct str word, enum guard_kind *out)
{
    for (int k = 0; k < GUARD_KINDS; k++)
        if (str_eqz(word, words[k])) {
            *out = (enum guard_kind)k;
            return ERR_NONE;
        }
    return ERR_RANGE;
}

struct guards *guards_new(void)
{
    struct guards *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->levels = strmap_new();
    enum err err = g->levels ? ERR_NONE : ERR_NOMEM;
    for (size_t i = 0; !err && i < ARRAY_LEN(known); i++)
        err = guards_put(g, &known[i]);
    if (err) {
        guards_free(g);
        return NULL;
    }
    return g;
}

void guards_free(struct guards *g)
{
    if (!g)
        return;
    levels_free(g);
    free(g->list);
    free(g);
}

static struct sms_guard *find(const struct guards *g, struct str name)
{
    for (size_t i = 0; i < g->n; i++)
        if (str_eqz(name, g->list[i].name))
            return &g->list[i];
    return NULL;
}

static void count_on(struct guards *g)
{
    memset(g->on, 0, sizeof g->on);
    g->holds = 0;
    for (size_t i = 0; i < g->n; i++) {
        g->on[g->list[i].kind] += g->list[i].on;
        g->holds += g->list[i].on && !g->list[i].refuses && (g->list[i].kind <= GUARD_CARRIER || g->list[i].kind == GUARD_QUIET);
    }
}

static const struct sms_guard *known_named(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eqz(name, known[i].name))
            return &known[i];
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sms_guard *)a)->name, ((const struct sms_guard *)b)->name);
}

enum err guards_put(struct guards *g, const struct sms_guard *guard)
{
    struct sms_guard *at = find(g, str_of(guard->name));
    if (!at) {
        struct sms_guard *list = realloc(g->list, (g->n + 1) * sizeof *list);
        if (!list)
            return ERR_NOMEM;
        g->list = list;
        at = &list[g->n++];
    }
    *at = *guard;
    at->known = known_named(str_of(guard->name)) != NULL;
    levels_drop(g, str_of(at->name));
    qsort(g->list, g->n, sizeof g->list[0], by_name);
    count_on(g);
    return ERR_NONE;
}

void guards_take(struct guards *g, struct str name)
{
    struct sms_guard *at = find(g, name);
    const struct sms_guard *built_in = known_named(name);
    if (!at)
        return;
    levels_drop(g, name);
    if (built_in)
        *at = *built_in;
    else
        memmove(at, at + 1, (size_t)(&g->list[--g->n] - at) * sizeof *at);
    count_on(g);
}

const struct sms_guard *guards_find(const struct guards *g, struct str name)
{
    return find(g, name);
}

const struct sms_guard *guards_at(const struct guards *g, size_t i)
{
    return i < g->n ? &g->list[i] : NULL;
}

bool guards_any(const struct guards *g, enum guard_kind kind)
{
    return g->on[kind] > 0;
}

bool guards_hold(const struct guards *g)
{
    return g->holds > 0;
}

/* -- whom it means: how particular it is, 0: not this one --------------------------------------------------------------------- */

enum { ANYBODY = 1, OF_A_SORT, BEGINS_SO, EXACTLY = 1000 };

static int by_sender(struct str match, const struct guard_ask *ask)
{
    if (str_eqz(match, "*"))
        return ANYBODY;
    if (str_eq_nocase(match, ask->type))
        return OF_A_SORT;
    if (str_eq(match, ask->from))
        return EXACTLY;
    if (!match.n || match.p[match.n - 1] != '*' || !str_starts(ask->from, (struct str){ match.p, match.n - 1 }))
        return 0;
    return BEGINS_SO + (int)match.n;
}

static int by_prefix(struct str match, const struct guard_ask *ask)
{
    struct str digits = str_from(ask->to, ask->to.n && ask->to.p[0] == '+');
    return str_starts(digits, match) ? ANYBODY + (int)match.n : 0;
}

static int by_name_or_any(struct str match, struct str name)
{
    return str_eqz(match, "*") ? ANYBODY : str_eq(match, name) ? EXACTLY : 0;
}

static int by_resource(struct str match, const struct guard_ask *ask)
{
    return by_name_or_any(match, ask->resource);
}

static int by_carrier(struct str match, const struct guard_ask *ask)
{
    return by_name_or_any(match, ask->carrier);
}

static int by_account_too(struct str match, const struct guard_ask *ask)
{
    struct str account = STR("account:");
    if (str_starts(match, account))
        return str_eq(str_from(match, account.n), ask->account) ? OF_A_SORT : 0;
    return by_name_or_any(match, ask->resource);
}

/* Our number is `from`, its carrier may be named before its type. */
static int by_carrier_too(struct str match, const struct guard_ask *ask)
{
    struct str carrier, type;
    if (!str_cut(match, '/', &carrier, &type))
        return by_sender(match, ask);
    if (!str_eq(carrier, ask->carrier))
        return 0;
    return str_eq_nocase(type, ask->type) ? BEGINS_SO + 1 : str_eqz(type, "*") ? BEGINS_SO : 0;
}

static int (*const particular[GUARD_KINDS])(struct str match, const struct guard_ask *ask) = {
    [GUARD_SENDER] = by_sender,   [GUARD_RESOURCE] = by_resource, [GUARD_PREFIX] = by_prefix,
    [GUARD_CARRIER] = by_carrier, [GUARD_PUMPING] = by_prefix,    [GUARD_QUIET] = by_account_too,
    [GUARD_OPTOUT] = by_carrier_too, [GUARD_REPLY] = by_sender,
};

const struct sms_guard *guards_match(const struct guards *g, enum guard_kind kind, const struct guard_ask *ask)
{
    const struct sms_guard *best = NULL;
    int most = 0;
    for (size_t i = 0; g->on[kind] && i < g->n; i++) {
        const struct sms_guard *guard = &g->list[i];
        int how = guard->on && guard->kind == kind ? particular[kind](str_of(guard->match), ask) : 0;
        if (how > most)
            most = how, best = guard;
    }
    return best;
}
