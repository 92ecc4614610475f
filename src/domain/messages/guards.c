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
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < ARRAY_LEN(known); i++)
        err = guards_put(g, &known[i]);
    if (err) {
        guards_free(g);
        return NULL;
    }
    return g;
}

static void slot_free(struct guard_slot *slot)
{
    levels_drop(slot);
    free(slot);
}

void guards_free(struct guards *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->n; i++)
        slot_free(g->list[i]);
    free(g->list);
    free(g);
}

static struct guard_slot *find(const struct guards *g, struct str name)
{
    for (size_t i = 0; i < g->n; i++)
        if (str_eqz(name, g->list[i]->guard.name))
            return g->list[i];
    return NULL;
}

static void count_on(struct guards *g)
{
    memset(g->on, 0, sizeof g->on);
    g->holds = 0;
    for (size_t i = 0; i < g->n; i++) {
        const struct sms_guard *guard = &g->list[i]->guard;
        g->on[guard->kind] += guard->on;
        g->holds += guard->on && !guard->refuses && (guard->kind <= GUARD_CARRIER || guard->kind == GUARD_QUIET);
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
    const struct guard_slot *x = *(struct guard_slot *const *)a, *y = *(struct guard_slot *const *)b;
    return strcmp(x->guard.name, y->guard.name);
}

/* Room for one more; it is not in its place yet. */
static struct guard_slot *slot_add(struct guards *g)
{
    struct guard_slot *slot = calloc(1, sizeof *slot);
    struct guard_slot **list = realloc(g->list, (g->n + 1) * sizeof(struct guard_slot *));
    if (list)
        g->list = list;
    if (!list || !slot) {
        free(slot);
        return NULL;
    }
    return list[g->n++] = slot;
}

enum err guards_put(struct guards *g, const struct sms_guard *guard)
{
    struct guard_slot *slot = find(g, str_of(guard->name));
    if (!slot && !(slot = slot_add(g)))
        return ERR_NOMEM;
    slot->guard = *guard;
    slot->guard.known = known_named(str_of(guard->name)) != NULL;
    levels_drop(slot);
    qsort(g->list, g->n, sizeof(struct guard_slot *), by_name);
    count_on(g);
    return ERR_NONE;
}

void guards_take(struct guards *g, struct str name)
{
    struct guard_slot *slot = find(g, name);
    const struct sms_guard *built_in = known_named(name);
    if (!slot)
        return;
    levels_drop(slot);
    if (built_in) {
        slot->guard = *built_in;
    } else {
        size_t at = 0;
        while (g->list[at] != slot)
            at++;
        memmove(&g->list[at], &g->list[at + 1], (--g->n - at) * sizeof(struct guard_slot *));
        slot_free(slot);
    }
    count_on(g);
}

const struct sms_guard *guards_find(const struct guards *g, struct str name)
{
    const struct guard_slot *slot = find(g, name);
    return slot ? &slot->guard : NULL;
}

const struct sms_guard *guards_at(const struct guards *g, size_t i)
{
    return i < g->n ? &g->list[i]->guard : NULL;
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
        const struct sms_guard *guard = &g->list[i]->guard;
        int how = guard->on && guard->kind == kind ? particular[kind](str_of(guard->match), ask) : 0;
        if (how > most)
            most = how, best = guard;
    }
    return best;
}
