/* buckets.c - how far guards have been used up.
 *
 * A bucket is one number: when it will be full again. A place is then a sum, whether it is free now or in an hour; who waits needs no
 * queue, and the estimate is exact. (The generic cell rate algorithm: ITU-T I.371, A.) */
#include "base/clock.h"
#include "base/buf.h"
#include "base/str.h"
#include "domain/messages/guards_priv.h"

enum { LEVELS_MOST = 200000, MEAN_WINDOWS = 12, THOUSANDTHS = 1000 };
static const int64_t NS = 1000, NS_PER_S = 1000000000;

static void key_of(struct buf *b, struct str guard, struct str owner)
{
    buf_printf(b, STR_FMT " " STR_FMT, STR_ARG(guard), STR_ARG(owner));
}

static void mark(struct guards *g, struct level *l)
{
    if (l->dirty)
        return;
    l->dirty = true;
    l->next_dirty = g->dirty;
    g->dirty = l;
}

/* Out with all that this is true of. Collected first: taking one out of a map moves the others. */
typedef bool level_test(const struct level *l, const void *arg);
static void drop_where(struct guards *g, level_test *test, const void *arg)
{
    struct str key;
    void *value;
    size_t n = 0;
    struct level **list = calloc(strmap_count(g->levels) + 1, sizeof *list);
    if (!list)
        return;                         /* they stay until the next time */
    for (struct level **at = &g->dirty; *at;)
        if (test(*at, arg))
            *at = (*at)->next_dirty;
        else
            at = &(*at)->next_dirty;
    for (size_t at = 0; strmap_next(g->levels, &at, &key, &value);)
        if (test(value, arg))
            list[n++] = value;
    for (size_t i = 0; i < n; i++) {
        strmap_take(g->levels, str_of(list[i]->key));
        free(list[i]);
    }
    free(list);
}

void levels_free(struct guards *g)
{
    struct str key;
    void *value;
    for (size_t at = 0; g->levels && strmap_next(g->levels, &at, &key, &value);)
        free(value);
    strmap_free(g->levels);
}

static bool is_of(const struct level *l, const void *arg)
{
    struct str guard, owner;
    str_cut(str_of(l->key), ' ', &guard, &owner);
    return str_eq(guard, *(const struct str *)arg);
}

void levels_drop(struct guards *g, struct str guard)
{
    drop_where(g, is_of, &guard);
}

static bool is_idle(const struct level *l, const void *arg)
{
    int64_t now_us = *(const int64_t *)arg;
    return l->at_us ? now_us - l->at_us > GUARD_WINDOW_MOST_S * (int64_t)US_PER_S : l->full_ns <= now_us * NS;
}

static struct level *level_of(struct guards *g, struct str guard, struct str owner, int64_t now_us)
{
    scoped_buf key = { 0 };
    key_of(&key, guard, owner);
    struct level *l = key.bad ? NULL : strmap_find(g->levels, buf_str(&key));
    if (l || key.bad)
        return l;
    if (strmap_count(g->levels) >= LEVELS_MOST)
        drop_where(g, is_idle, &now_us);        /* those that say nothing any more */
    if (strmap_count(g->levels) >= LEVELS_MOST)
        return NULL;
    l = calloc(1, sizeof *l + key.n + 1);
    if (!l || strmap_put(g->levels, buf_str(&key), l)) {
        free(l);
        return NULL;
    }
    memcpy(l->key, key.p, key.n);
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

int64_t guards_slot(struct guards *g, const struct sms_guard *guard, struct str owner, int64_t now_us, size_t n)
{
    const struct level *l = level_of(g, str_of(guard->name), owner, now_us);
    if ((int64_t)n > burst_of(guard))
        return INT64_MAX;
    return l ? us_of(place_ns(guard, l->full_ns, now_us * NS, (int64_t)n)) : now_us;
}

int64_t guards_reserve(struct guards *g, const struct sms_guard *guard, struct str owner, int64_t now_us, size_t n)
{
    struct level *l = level_of(g, str_of(guard->name), owner, now_us);
    if (!l)
        return now_us;
    int64_t at = place_ns(guard, l->full_ns, now_us * NS, (int64_t)n);
    int64_t from = l->full_ns > now_us * NS ? l->full_ns : now_us * NS;
    l->full_ns = from + (int64_t)n * step_ns(guard);
    return us_of(at);
}

void guards_gone(struct guards *g, const struct sms_guard *guard, struct str owner, int64_t now_us)
{
    struct level *l = level_of(g, str_of(guard->name), owner, now_us);
    if (!l)
        return;
    l->a = (l->a > now_us * NS ? l->a : now_us * NS) + step_ns(guard);
    mark(g, l);
}

void guards_forget_places(struct guards *g)
{
    struct str key;
    void *value;
    for (size_t at = 0; strmap_next(g->levels, &at, &key, &value);)
        ((struct level *)value)->full_ns = ((struct level *)value)->a;
}

/* -- pumping ------------------------------------------------------------------------------------------------------------------- */

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

bool guards_flow(struct guards *g, const struct sms_guard *guard, struct str owner, int64_t now_us, struct guard_flow *out)
{
    struct level *l = level_of(g, str_of(guard->name), owner, now_us);
    *out = (struct guard_flow){ 0 };
    if (!l)
        return true;
    if (!l->at_us)
        l->at_us = now_us;
    turn(l, guard, now_us);
    int64_t most = l->b * guard->factor / THOUSANDTHS;
    *out = (struct guard_flow){ (uint32_t)l->a + 1, (uint32_t)(l->b / THOUSANDTHS), (uint32_t)(most > guard->count ? most : guard->count), false };
    if (out->now > out->most) {
        out->first = !l->told;
        l->told = true;
        return false;
    }
    l->a++;
    mark(g, l);
    return true;
}

/* -- for the store ------------------------------------------------------------------------------------------------------------- */

bool guards_dirty(const struct guards *g)
{
    return g->dirty != NULL;
}

void guards_levels(struct guards *g, void (*fn)(void *arg, const struct guard_level *level), void *arg)
{
    for (struct level *l = g->dirty; l; l = l->next_dirty) {
        struct guard_level out = { .a = l->a, .b = l->b, .at_us = l->at_us };
        str_cut(str_of(l->key), ' ', &out.guard, &out.owner);
        l->dirty = false;
        fn(arg, &out);
    }
    g->dirty = NULL;
}

enum err guards_restore(struct guards *g, const struct guard_level *level)
{
    if (!guards_find(g, level->guard))
        return ERR_NONE;
    struct level *l = level_of(g, level->guard, level->owner, 0);
    if (!l)
        return ERR_NOMEM;
    l->a = l->full_ns = level->a;
    l->b = level->b;
    l->at_us = level->at_us;
    return ERR_NONE;
}
