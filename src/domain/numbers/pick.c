/* pick.c - which available numbers a search gets and a browse shows. */
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/numbers_priv.h"

/* Lines of an area code in steps of a prime: each once, in an order that another `from` changes. */
enum { LINE_STEP = 7919 };

static bool area_fits(const struct pick *p, const struct nanp_area *a)
{
    enum nanp_kind kind = p->type == NUMBER_TOLL_FREE ? NANP_TOLL_FREE : NANP_GEOGRAPHIC;
    if (a->kind != kind || strcmp(a->country, p->country) || (p->npa && a->npa != p->npa))
        return false;
    uint64_t least = nanp_digits(a->npa, INVENTORY_NXX, 0), most = least + INVENTORY_LINES - 1;
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
static uint64_t line_at(const struct pick *p, unsigned npa, unsigned i)
{
    if (!p->each)
        return inventory_at(p->n->conf.seed, npa, i);
    uint64_t digits = nanp_digits(npa, INVENTORY_NXX, (p->from + i * LINE_STEP) % INVENTORY_LINES);
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
static void pick_own_in(struct pick *p, unsigned kind, struct number_range r, uint64_t random)
{
    bool more = p->each;
    for (unsigned i = 0; more && p->count < p->most; i++) {
        size_t before = p->count;
        pick_own_round(p, kind, r, hash_u64(random + i), p->count + 1);
        more = p->count > before;
    }
    if (!p->each)
        pick_own_round(p, kind, r, random, p->most);
}

static void pick_own(struct pick *p, uint64_t random)
{
    struct number_range all = { 1, UINT64_MAX / 2 };
    if (p->npa)
        all = (struct number_range){ nanp_digits(p->npa, 0, 0), nanp_digits(p->npa, 999, 9999) };
    for (unsigned extra = 0; extra <= CAP_BITS && p->count < p->most; extra++)
        for (unsigned kind = 0; kind < p->n->n_sorts; kind++) {
            const struct sort *s = &p->n->sorts[kind];
            if (!sort_offers(s, p->country, p->type, p->calling, p->sms) || too_much(p, s) != extra)
                continue;
            for (size_t i = 0; i < p->n_ranges; i++)
                pick_own_in(p, kind, p->ranges[i], hash_u64(random + i));
            if (!p->n_ranges)
                pick_own_in(p, kind, all, random);
        }
}

/* -- the simulated ones --------------------------------------------------------------------------------------------- */

static void pick_untouched(struct pick *p, unsigned npa)
{
    size_t most = p->each && p->count + p->each < p->most ? p->count + p->each : p->most;
    if (p->n->pools[npa].touched >= INVENTORY_POOL)
        return;
    for (unsigned i = 0; i < INVENTORY_LINES && p->count < most; i++) {
        uint64_t digits = line_at(p, npa, i);
        if (digits && !number_find(p->n, digits) && !blocks_lot(p->n->blocks, digits))
            p->found[p->count++] = digits;
    }
}

/* Nothing untouched is left: numbers in quarantine are offered again, the simulated carrier being nobody's neighbour. */
static void pick_quarantined(struct pick *p, unsigned npa)
{
    uint64_t least = nanp_digits(npa, INVENTORY_NXX, 0), most = least + INVENTORY_LINES - 1;
    struct blocks_cursor c = { .from = least, .to = most, .given = true };
    struct blocks_number at;
    if (!p->n->pools[npa].quarantined)
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
    struct nanp_number na;
    return x->state == NUMBER_QUARANTINE && number_is_simulated(x) && nanp_read(x->lease.number, &na)
           && n->pools[na.npa].touched >= INVENTORY_POOL;
}

void pick_numbers(struct pick *p)
{
    size_t n_areas;
    const struct nanp_area *areas = nanp_areas(&n_areas);
    uint64_t start = hash_u64(p->n->conf.seed ^ p->n->picks++);
    p->from = (unsigned)(start >> 32) % INVENTORY_LINES;
    pick_own(p, start);
    for (size_t i = 0; p->n->conf.simulator && i < n_areas && p->count < p->most; i++) {
        const struct nanp_area *a = &areas[(start + i) % n_areas];
        if (area_fits(p, a))
            pick_untouched(p, a->npa);
    }
    bool short_of = p->each ? !p->count : p->count < p->most;
    for (size_t i = 0; p->n->conf.simulator && short_of && i < n_areas && p->count < p->most; i++) {
        const struct nanp_area *a = &areas[(start + i) % n_areas];
        if (area_fits(p, a))
            pick_quarantined(p, a->npa);
    }
}

/* -- browse --------------------------------------------------------------------------------------------------------- */

enum err number_range_read(struct str prefix, struct number_range *out)
{
    enum { NANP_DIGITS = 11 };
    uint64_t v;
    struct str digits = prefix.n && prefix.p[0] == '+' ? str_from(prefix, 1) : prefix;
    if (!digits.n || digits.n > E164_MAX_DIGITS || digits.p[0] == '0' || str_u64(digits, UINT64_MAX, &v))
        return ERR_SYNTAX;
    size_t n = digits.n;
    if (digits.p[0] != '1' && digits.p == prefix.p) {      /* "425": what is sold is North American */
        uint64_t one = 1;
        for (size_t i = 0; i < n; i++)
            one *= 10;
        v += one;
        n++;
    }
    *out = (struct number_range){ v, v };
    for (; n < NANP_DIGITS; n++)
        *out = (struct number_range){ out->least * 10, out->most * 10 + 9 };
    return ERR_NONE;
}

static size_t areas_fitting(const struct pick *p)
{
    size_t n_areas, n = 0;
    const struct nanp_area *areas = nanp_areas(&n_areas);
    for (size_t i = 0; i < n_areas; i++)
        n += area_fits(p, &areas[i]);
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
