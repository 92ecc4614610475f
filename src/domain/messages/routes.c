#include "domain/messages/routes.h"
#include "base/map.h"
#include "base/str.h"

#include <math.h>

struct routes {
    struct sms_route **list;            /* in order */
    size_t             n, room;
};

struct routes *routes_new(void)
{
    return calloc(1, sizeof(struct routes));
}

void routes_free(struct routes *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++)
        free(r->list[i]);
    free(r->list);
    free(r);
}

size_t routes_count(const struct routes *r)
{
    return r->n;
}

const struct sms_route *routes_at(const struct routes *r, size_t i)
{
    return r->list[i];
}

const struct sms_route *routes_find(const struct routes *r, struct str name)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eqz(name, r->list[i]->name))
            return r->list[i];
    return NULL;
}

/* -- order ------------------------------------------------------------------------------------------------------------ */

/* Below 0: a is taken before b. 0: they share. */
static int order(const struct sms_route *a, const struct sms_route *b)
{
    size_t na = strlen(a->prefix), nb = strlen(b->prefix);
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    if (na != nb)
        return na > nb ? -1 : 1;
    return (a->cost_micro > b->cost_micro) - (a->cost_micro < b->cost_micro);
}

enum err routes_put(struct routes *r, const struct sms_route *route)
{
    struct sms_route *mine = malloc(sizeof *mine);
    if (!mine)
        return ERR_NOMEM;
    if (r->n == r->room) {
        size_t room = r->room ? 2 * r->room : 16;
        struct sms_route **list = realloc(r->list, room * sizeof *list);
        if (!list) {
            free(mine);
            return ERR_NOMEM;
        }
        r->list = list;
        r->room = room;
    }
    *mine = *route;
    routes_take(r, str_of(route->name));
    size_t at = r->n++;
    for (; at > 0 && order(r->list[at - 1], mine) > 0; at--)
        r->list[at] = r->list[at - 1];
    r->list[at] = mine;
    return ERR_NONE;
}

void routes_take(struct routes *r, struct str name)
{
    for (size_t i = 0; i < r->n; i++) {
        if (!str_eqz(name, r->list[i]->name))
            continue;
        free(r->list[i]);
        memmove(&r->list[i], &r->list[i + 1], (r->n - i - 1) * sizeof r->list[0]);
        r->n--;
        return;
    }
}

/* -- matching --------------------------------------------------------------------------------------------------------- */

static bool is_sender(const char *pattern, struct str from)
{
    size_t n = strlen(pattern);
    if (!n)
        return true;
    if (pattern[n - 1] == '*')
        return from.n >= n - 1 && memcmp(from.p, pattern, n - 1) == 0;
    return str_eqz(from, pattern);
}

static bool matches(const struct sms_route *route, const struct route_ask *ask)
{
    size_t n = strlen(route->prefix), plus = ask->to.n && ask->to.p[0] == '+';
    return ask->to.n >= plus + n && memcmp(ask->to.p + plus, route->prefix, n) == 0 && is_sender(route->sender, ask->from)
           && (!route->pool[0] || (ask->in_pool && ask->in_pool(ask->arg, route->pool)));
}

static uint64_t fnv(uint64_t h, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (uint8_t)s.p[i]) * 0x100000001b3;
    return (h ^ 0xff) * 0x100000001b3;
}

/* The one with the highest of weight / -ln(u), u in (0,1) by pair and route, is the pair's. When a route comes or goes only the pairs
 * that it takes or leaves change theirs. */
static double share(const struct sms_route *route, const struct route_ask *ask)
{
    uint64_t h = hash_u64(fnv(fnv(fnv(0xcbf29ce484222325, ask->from), ask->to), str_of(route->name)));
    double u = ((double)(h >> 11) + 0.5) / 9007199254740992.0;
    return route->weight / -log(u);
}

/* Those that share, the pair's own first. */
static void sort_shares(const struct sms_route **out, size_t n, const struct route_ask *ask)
{
    for (size_t i = 1; i < n; i++) {
        const struct sms_route *one = out[i];
        double mine = share(one, ask);
        size_t at = i;
        for (; at > 0 && share(out[at - 1], ask) < mine; at--)
            out[at] = out[at - 1];
        out[at] = one;
    }
}

static size_t each_carrier_once(const struct sms_route **out, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        size_t j = 0;
        while (j < kept && strcmp(out[j]->carrier, out[i]->carrier) != 0)
            j++;
        if (j == kept)
            out[kept++] = out[i];
    }
    return kept;
}

size_t routes_match(const struct routes *r, const struct route_ask *ask, const struct sms_route **out, size_t most)
{
    size_t n = 0, from = 0;
    for (size_t i = 0; i < r->n && n < most; i++)
        if (matches(r->list[i], ask))
            out[n++] = r->list[i];
    for (size_t i = 1; i <= n; i++)
        if (i == n || order(out[from], out[i])) {
            sort_shares(out + from, i - from, ask);
            from = i;
        }
    return each_carrier_once(out, n);
}
