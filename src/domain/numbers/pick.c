/* pick.c - which available numbers a search gets and a browse shows. */
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/numbers_priv.h"

#include <stdio.h>

/* Lines of an area code in steps of a prime: each once, in an order that another `from` changes. */
enum { LINE_STEP = 7919 };

static bool area_fits(const struct pick *p, const struct inventory_area *a)
{
    uint64_t least = a->prefix * INVENTORY_LINES, most = least + INVENTORY_LINES - 1;
    if (!inventory_area_is(a, str_of(p->country), p->type))
        return false;
    for (size_t i = 0; i < p->n_ranges; i++)
        if (p->ranges[i].least <= most && p->ranges[i].most >= least)
            return true;
    return !p->n_ranges;
}

static bool in_ranges(const struct pick *p, uint64_t digits)
{
    for (size_t i = 0; i < p->n_ranges; i++)
        if (p->ranges[i].least <= digits && digits <= p->ranges[i].most)
            return true;
    return !p->n_ranges;
}

/* 0: not this one. A search takes the seed's order, the same at each start; a browse is random. */
static uint64_t line_at(const struct pick *p, unsigned area, unsigned i)
{
    if (!p->each)
        return inventory_at(p->n->conf.seed, area, i);
    uint64_t digits = inventory_digits(area, (p->from + i * LINE_STEP) % INVENTORY_LINES);
    return in_ranges(p, digits) && inventory_has(digits) ? digits : 0;
}

/* -- the operator's own: before the simulated ones, those first that can do no more than was asked for ---------------- */

enum { OWN_SKIPPED_MOST = 1000, CAP_BITS = 4 };

static bool is_found(const struct pick *p, uint64_t digits)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->found[i] == digits)
            return true;
    return false;
}

/* From..to of one kind; in a browse what was found already is passed over, and so is what is being rolled back. */
static void pick_own_between(struct pick *p, unsigned kind, uint64_t from, uint64_t to, size_t most)
{
    const struct blocks *b = p->n->blocks;
    unsigned skipped = 0;
    for (uint64_t at; p->count < most && from <= to && (at = blocks_next(b, kind, from, to)); from = at + 1) {
        if (own_is_available(p->n, at) && !(p->each && is_found(p, at)))
            p->found[p->count++] = at;
        else if (++skipped == OWN_SKIPPED_MOST)
            break;
    }
}

/* From a place of its own and round, so that two searches do not meet. */
static void pick_own_round(struct pick *p, unsigned kind, struct number_range r, uint64_t random, size_t most)
{
    uint64_t start = blocks_start(p->n->blocks, kind, r.least, r.most, random);
    if (!start)
        return;
    pick_own_between(p, kind, start, r.most, most);
    pick_own_between(p, kind, r.least, start - 1, most);
}

/* How many capabilities such numbers have that nobody asked for. */
static unsigned too_much(const struct pick *p, const struct sort *s)
{
    return (unsigned)__builtin_popcount((s->calling & ~p->calling) | (s->sms & ~p->sms) << 2);
}

/* `each` in a browse: one number from each of many places, until there is nothing new. */
static void pick_own_in(struct pick *p, unsigned kind, struct number_range r, uint64_t random, size_t most)
{
    bool more = p->each;
    for (unsigned i = 0; more && p->count < most; i++) {
        size_t before = p->count;
        pick_own_round(p, kind, r, hash_u64(random + i), p->count + 1);
        more = p->count > before;
    }
    if (!p->each)
        pick_own_round(p, kind, r, random, most);
}

/* In a browse each of several ranges gives its share, and then whichever has more. Those of a search have no number in common, and
 * nothing looks for doubles there: each is gone through once. */
static void pick_own_ranges(struct pick *p, unsigned kind, uint64_t random)
{
    size_t share = (p->most - 1) / p->n_ranges + 1;
    for (unsigned pass = p->each ? 0 : 1; pass < 2; pass++)
        for (size_t i = 0; i < p->n_ranges && p->count < p->most; i++) {
            bool all = pass || p->count + share > p->most;
            pick_own_in(p, kind, p->ranges[i], hash_u64(random + i), all ? p->most : p->count + share);
        }
}

static void pick_own(struct pick *p, uint64_t random)
{
    struct number_range all = { 1, UINT64_MAX / 2 };
    for (unsigned extra = 0; extra <= CAP_BITS && p->count < p->most; extra++)
        for (unsigned kind = 0; kind < p->n->n_sorts; kind++) {
            const struct sort *s = &p->n->sorts[kind];
            if (!sort_offers(s, p->country, p->type, p->calling, p->sms) || too_much(p, s) != extra)
                continue;
            if (p->n_ranges)
                pick_own_ranges(p, kind, random);
            else
                pick_own_in(p, kind, all, random, p->most);
        }
}

/* -- the simulated ones --------------------------------------------------------------------------------------------- */

static void pick_untouched(struct pick *p, unsigned area)
{
    size_t most = p->each && p->count + p->each < p->most ? p->count + p->each : p->most;
    if (p->n->pools[area].touched >= inventory_pool(area))
        return;
    for (unsigned i = 0; i < INVENTORY_LINES && p->count < most; i++) {
        uint64_t digits = line_at(p, area, i);
        if (digits && !number_find(p->n, digits) && !blocks_lot(p->n->blocks, digits))
            p->found[p->count++] = digits;
    }
}

/* Nothing untouched is left: numbers in quarantine are offered again, the simulated carrier being nobody's neighbour. */
static void pick_quarantined(struct pick *p, unsigned area)
{
    uint64_t least = inventory_digits(area, 0), most = least + INVENTORY_LINES - 1;
    struct blocks_cursor c = { .from = least, .to = most, .given = true };
    struct blocks_number at;
    if (!p->n->pools[area].quarantined)
        return;
    while (p->count < p->most && blocks_walk(p->n->blocks, &c, &at)) {
        const struct number *x = at.who;
        if (number_is_simulated(x) && x->state == NUMBER_QUARANTINE && in_ranges(p, at.digits)
            && (!p->each || number_is_last(p->n, x)))
            p->found[p->count++] = at.digits;
    }
}

/* A reservation may take one out of quarantine when its own area code has nothing else. */
bool number_is_last(const struct numbers *n, const struct number *x)
{
    struct inventory_area a;
    return x->state == NUMBER_QUARANTINE && number_is_simulated(x) && inventory_area_of(x->lease.number, &a)
           && n->pools[a.id].touched >= inventory_pool(a.id);
}

void pick_numbers(struct pick *p)
{
    struct inventory_area a;
    size_t n_areas = inventory_areas();
    uint64_t start = hash_u64(p->n->conf.seed ^ p->n->picks++);
    p->from = (unsigned)(start >> 32) % INVENTORY_LINES;
    pick_own(p, start);
    for (size_t i = 0; p->n->conf.simulator && i < n_areas && p->count < p->most; i++) {
        if (inventory_area((start + i) % n_areas, &a) && area_fits(p, &a))
            pick_untouched(p, a.id);
    }
    bool short_of = p->each ? !p->count : p->count < p->most;
    for (size_t i = 0; p->n->conf.simulator && short_of && i < n_areas && p->count < p->most; i++) {
        if (inventory_area((start + i) % n_areas, &a) && area_fits(p, &a))
            pick_quarantined(p, a.id);
    }
}

/* -- browse --------------------------------------------------------------------------------------------------------- */

static uint64_t power_of_ten(size_t n)
{
    uint64_t v = 1;
    while (n--)
        v *= 10;
    return v;
}

static struct number_range range_of(uint64_t first_digits, size_t more)
{
    uint64_t scale = power_of_ten(more);
    return (struct number_range){ first_digits * scale, first_digits * scale + scale - 1 };
}

size_t number_ranges_read(struct str prefix, struct number_range out[NUMBER_RANGES_MOST])
{
    enum { NANP_DIGITS = 11, SHORTEST = 7 };
    uint64_t v;
    size_t n = 0;
    struct str p = prefix.n && prefix.p[0] == '+' ? str_from(prefix, 1) : prefix;
    if (!p.n || p.n > E164_MAX_DIGITS || p.p[0] == '0' || str_u64(p, UINT64_MAX, &v))
        return 0;
    bool nanp = p.p[0] == '1';
    if (!nanp && p.n == prefix.n && p.n < NANP_DIGITS)          /* "425" */
        out[n++] = range_of(v + power_of_ten(p.n), NANP_DIGITS - 1 - p.n);
    size_t shortest = nanp ? NANP_DIGITS : SHORTEST, longest = nanp && p.n <= NANP_DIGITS ? NANP_DIGITS : E164_MAX_DIGITS;
    for (size_t length = p.n > shortest ? p.n : shortest; length <= longest; length++)
        out[n++] = range_of(v, length - p.n);
    return n;
}

/* "44" and "121" of "121", "44121" or "+44121": the digits from the country code on. */
static size_t whole_prefix(struct str country, struct str prefix, char *to, size_t size)
{
    char upper[8], code[8];
    str_copyz(upper, sizeof upper, country);
    for (char *c = upper; *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    snprintf(code, sizeof code, "%u", e164_calling_code(str_of(upper)));
    bool plus = prefix.n && prefix.p[0] == '+', whole = plus || str_starts(prefix, str_of(code));
    struct str digits = plus ? str_from(prefix, 1) : prefix;
    if (!digits.n || digits.n + strlen(code) + 1 >= size || (whole && digits.p[0] == '0') || (!whole && *code == '1' && digits.p[0] == '0'))
        return 0;
    return (size_t)snprintf(to, size, "+%s" STR_FMT, whole ? "" : code, STR_ARG(digits));
}

size_t number_ranges_of_country(struct str country, struct str prefix, struct number_range out[NUMBER_RANGES_MOST])
{
    char text[32];
    size_t n = whole_prefix(country, prefix, text, sizeof text);
    return n ? number_ranges_read((struct str){ text, n }, out) : 0;
}

static size_t areas_fitting(const struct pick *p)
{
    struct inventory_area a;
    size_t n = 0;
    for (size_t i = 0; i < inventory_areas(); i++)
        n += inventory_area(i, &a) && area_fits(p, &a);
    return n ? n : 1;
}

enum err numbers_browse(struct numbers *n, uint64_t resource, const struct number_browse *rq, struct reserved_number *out,
                        size_t *count, struct problem *why)
{
    const struct catalogue_row *row;
    uint64_t found[NUMBERS_BROWSE_MOST];
    enum err err = numbers_plan(n, rq->country, rq->type, rq->assignment, rq->calling, rq->sms, &row, why);
    if (!err)
        err = numbers_eligible(n, resource, row, why);
    if (err)
        return err;
    struct pick p = { .n = n, .type = rq->type, .country = row->country, .calling = rq->calling,
                      .sms = rq->sms, .found = found, .most = NUMBERS_BROWSE_MOST,
                      .ranges = rq->ranges, .n_ranges = rq->n_ranges };
    p.each = (NUMBERS_BROWSE_MOST - 1) / areas_fitting(&p) + 1;
    pick_numbers(&p);
    for (size_t i = 0; i < p.count; i++) {
        out[i] = (struct reserved_number){ .number = found[i], .type = row->type, .assignment = row->assignment,
                                           .calling = row->calling, .sms = row->sms, .lease_micro = row->lease_micro };
        memcpy(out[i].country, row->country, sizeof out[i].country);
        const struct lot *l = lot_of(n, found[i]);
        if (l) {
            out[i].calling &= sort_of(n, l)->calling;
            out[i].sms &= sort_of(n, l)->sms;
        }
    }
    *count = p.count;
    return ERR_NONE;
}
