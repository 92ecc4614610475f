/* buckets.c - how far guards have been used up.
 *
 * A bucket is one number: when it will be full again. A place is then a sum, whether it is free now or in an hour; who waits needs no
 * queue, and the estimate is exact. (The generic cell rate algorithm: ITU-T I.371, A.) */
#include "base/clock.h"
#include "base/metric.h"
#include "base/str.h"
#include "domain/messages/guards_priv.h"

METRIC_COUNTER(forgotten_total, "carterfone_sms_guard_levels_forgotten_total", "Buckets in use that made room for others: a guard has 200,000")

enum { LEVELS_MOST = 200000, SWEPT = 2, MEAN_WINDOWS = 12, THOUSANDTHS = 1000 };
static const int64_t NS = 1000, NS_PER_S = 1000000000;

/* -- levels of a guard, by their last use --------------------------------------------------------------------------------------- */

static void mark(struct guards *g, struct level *l)
{
    if (l->at_dirty)
        return;
    l->next_dirty = g->dirty;
    l->at_dirty = &g->dirty;
    if (g->dirty)
        g->dirty->at_dirty = &l->next_dirty;
    g->dirty = l;
}

static void unmark(struct level *l)
{
    if (!l->at_dirty)
        return;
    *l->at_dirty = l->next_dirty;
    if (l->next_dirty)
        l->next_dirty->at_dirty = l->at_dirty;
    l->at_dirty = NULL;
}

static void unlink_level(struct level *l)
{
    *(l->newer ? &l->newer->older : &l->of->newest) = l->older;
    *(l->older ? &l->older->newer : &l->of->oldest) = l->newer;
}

static void link_newest(struct level *l)
{
    struct guard_slot *slot = l->of;
    l->newer = NULL;
    l->older = slot->newest;
    *(slot->newest ? &slot->newest->newer : &slot->oldest) = l;
    slot->newest = l;
}

static void drop(struct level *l)
{
    unmark(l);
    unlink_level(l);
    strmap_take(l->of->levels, str_of(l->owner));
    free(l);
}

void levels_drop(struct guard_slot *slot)
{
    for (struct level *l = slot->newest, *older; l; l = older) {
        older = l->older;
        unmark(l);
        free(l);
    }
    slot->newest = slot->oldest = NULL;
    strmap_free(slot->levels);
    slot->levels = NULL;
}

/* The window is over, and maybe others behind it in which nothing went. */
static void turn(struct level *l, const struct sms_guard *guard, int64_t now_us)
{
    int64_t window_us = guard->window_s * (int64_t)US_PER_S;
    int64_t passed = window_us && now_us > l->at_us ? (now_us - l->at_us) / window_us : 0;
    if (!passed)
        return;
    l->b += (l->a * THOUSANDTHS - l->b) / MEAN_WINDOWS;
    for (int64_t i = 1; i < passed && l->b; i++)
        l->b -= (l->b + MEAN_WINDOWS - 1) / MEAN_WINDOWS;
    l->a = 0;
    l->told = false;
    l->at_us += passed * window_us;
}

static int64_t most_of(const struct level *l, const struct sms_guard *guard)
{
    int64_t most = l->b * guard->factor / THOUSANDTHS;
    return most > guard->count ? most : guard->count;
}

/* It says no more than a new one would. */
static bool is_idle(struct level *l, int64_t now_us)
{
    const struct sms_guard *guard = &l->of->guard;
    if (l->at_dirty)
        return false;
    if (guard->kind != GUARD_PUMPING)
        return l->full_ns <= now_us * NS;
    turn(l, guard, now_us);
    return !l->a && most_of(l, guard) <= guard->count;
}

/* Whom it counts is picked by strangers: who is texted, who texts. The numbers, resources and carriers of others are the operator's. */
static bool is_bounded(enum guard_kind kind)
{
    return kind == GUARD_PUMPING || kind == GUARD_REPLY;
}

/* Some of the oldest go for each new one, so that none has to look at all. */
static void make_room(struct guard_slot *slot, int64_t now_us)
{
    for (int i = 0; i < SWEPT && slot->oldest && is_idle(slot->oldest, now_us); i++)
        drop(slot->oldest);
    if (!is_bounded(slot->guard.kind) || !slot->levels || strmap_count(slot->levels) < LEVELS_MOST)
        return;
    metric_add(&forgotten_total, 1);
    drop(slot->oldest);
}

static struct level *level_new(struct guard_slot *slot, struct str owner)
{
    struct level *l = calloc(1, sizeof *l + owner.n + 1);
    if (!slot->levels)
        slot->levels = strmap_new();
    if (l)
        memcpy(l->owner, owner.p, owner.n);
    if (!l || !slot->levels || strmap_put(slot->levels, owner, l)) {
        free(l);
        return NULL;
    }
    l->of = slot;
    link_newest(l);
    return l;
}

/* A guard of the table. */
static struct guard_slot *slot_of(const struct sms_guard *guard)
{
    return container_of((struct sms_guard *)(uintptr_t)guard, struct guard_slot, guard);
}

static struct level *level_find(const struct guard_slot *slot, struct str owner)
{
    return slot->levels ? strmap_find(slot->levels, owner) : NULL;
}

/* @return NULL: no memory */
static struct level *level_of(const struct sms_guard *guard, struct str owner, int64_t now_us)
{
    struct guard_slot *slot = slot_of(guard);
    struct level *l = level_find(slot, owner);
    if (!l) {
        make_room(slot, now_us);
        return level_new(slot, owner);
    }
    if (l->newer) {
        unlink_level(l);
        link_newest(l);
    }
    return l;
}

/* -- buckets ------------------------------------------------------------------------------------------------------------------ */

static int64_t step_ns(const struct sms_guard *guard)
{
    int64_t ns = guard->window_s * NS_PER_S / (guard->count ? guard->count : 1);
    return ns ? ns : 1;
}

static int64_t burst_of(const struct sms_guard *guard)
{
    return guard->burst ? guard->burst : guard->count ? guard->count : 1;
}

/* When the n-th from now may go, if it is full at full_ns. */
static int64_t place_ns(const struct sms_guard *guard, int64_t full_ns, int64_t now_ns, int64_t n)
{
    int64_t from = full_ns > now_ns ? full_ns : now_ns;
    int64_t at = from + (n - burst_of(guard)) * step_ns(guard);
    return at > now_ns ? at : now_ns;
}

static int64_t us_of(int64_t ns)
{
    return (ns + NS - 1) / NS;
}

int64_t guards_slot(const struct sms_guard *guard, struct str owner, int64_t now_us, size_t n)
{
    const struct level *l = level_find(slot_of(guard), owner);
    if ((int64_t)n > burst_of(guard))
        return INT64_MAX;
    return l ? us_of(place_ns(guard, l->full_ns, now_us * NS, (int64_t)n)) : now_us;
}

int64_t guards_reserve(const struct sms_guard *guard, struct str owner, int64_t now_us, size_t n)
{
    struct level *l = level_of(guard, owner, now_us);
    if (!l)
        return now_us;
    int64_t at = place_ns(guard, l->full_ns, now_us * NS, (int64_t)n);
    int64_t from = l->full_ns > now_us * NS ? l->full_ns : now_us * NS;
    l->full_ns = from + (int64_t)n * step_ns(guard);
    return us_of(at);
}

void guards_gone(struct guards *g, const struct sms_guard *guard, struct str owner, int64_t now_us)
{
    struct level *l = level_of(guard, owner, now_us);
    if (!l)
        return;
    l->a = (l->a > now_us * NS ? l->a : now_us * NS) + step_ns(guard);
    mark(g, l);
}

void guards_return(struct guards *g, const struct sms_guard *guard, struct str owner, size_t n)
{
    struct level *l = level_find(slot_of(guard), owner);
    if (!l)
        return;
    l->full_ns -= (int64_t)n * step_ns(guard);
    l->a -= (int64_t)n * step_ns(guard);
    mark(g, l);
}

void guards_forget_places(struct guards *g)
{
    for (size_t i = 0; i < g->n; i++)
        for (struct level *l = g->list[i]->newest; l; l = l->older)
            l->full_ns = l->a;
}

/* -- pumping ------------------------------------------------------------------------------------------------------------------- */

bool guards_flow(struct guards *g, const struct sms_guard *guard, struct str owner, int64_t now_us, struct guard_flow *out)
{
    struct level *l = level_of(guard, owner, now_us);
    *out = (struct guard_flow){ 0 };
    if (!l)
        return true;
    if (!l->at_us)
        l->at_us = now_us;
    turn(l, guard, now_us);
    *out = (struct guard_flow){ (uint32_t)l->a + 1, (uint32_t)(l->b / THOUSANDTHS), (uint32_t)most_of(l, guard), false };
    if (out->now > out->most) {
        out->first = !l->told;
        l->told = true;
        return false;
    }
    l->a++;
    mark(g, l);
    return true;
}

void guards_flow_back(struct guards *g, const struct sms_guard *guard, struct str owner)
{
    struct level *l = level_find(slot_of(guard), owner);
    if (!l || !l->a)
        return;
    l->a--;
    mark(g, l);
}

/* -- for the store ------------------------------------------------------------------------------------------------------------- */

bool guards_dirty(const struct guards *g)
{
    return g->dirty != NULL;
}

void guards_levels(struct guards *g, void (*fn)(void *arg, const struct guard_level *level), void *arg)
{
    for (struct level *l; (l = g->dirty);) {
        struct guard_level out = { str_of(l->of->guard.name), str_of(l->owner), l->a, l->b, l->at_us };
        unmark(l);
        fn(arg, &out);
    }
}

enum err guards_restore(struct guards *g, const struct guard_level *level)
{
    const struct sms_guard *guard = guards_find(g, level->guard);
    struct level *l = guard ? level_of(guard, level->owner, level->at_us) : NULL;
    if (!l)
        return guard ? ERR_NOMEM : ERR_NONE;
    l->a = l->full_ns = level->a;
    l->b = level->b;
    l->at_us = level->at_us;
    return ERR_NONE;
}
