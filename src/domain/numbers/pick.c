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

static void pick_untouched(struct pick *p, unsigned npa)
{
    size_t most = p->each && p->count + p->each < p->most ? p->count + p->each : p->most;
    if (p->n->pools[npa].touched >= INVENTORY_POOL)
        return;
    for (unsigned i = 0; i < INVENTORY_LINES && p->count < most; i++) {
        uint64_t digits = line_at(p, npa, i);
        if (digits && !number_find(p->n, digits))
            p->found[p->count++] = digits;
    }
}

/* Nothing untouched is left: numbers in quarantine are offered again, the simulated carrier being nobody's neighbour. */
static void pick_quarantined(struct pick *p, unsigned npa)
{
    uint64_t least = nanp_digits(npa, INVENTORY_NXX, 0), most = least + INVENTORY_LINES - 1;
    struct blocks_number at;
    if (!p->n->pools[npa].quarantined)
        return;
    for (; p->count < p->most && blocks_at_least(p->n->blocks, least, most, &at); least = at.digits + 1) {
        const struct number *x = at.who;
        if (x && number_is_simulated(x) && x->state == NUMBER_QUARANTINE && in_ranges(p, at.digits)
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
    struct pick p = { .n = n, .type = rq->type, .country = row->country, .found = found, .most = NUMBERS_BROWSE_MOST,
                      .ranges = rq->ranges, .n_ranges = rq->n_ranges };
    p.each = (NUMBERS_BROWSE_MOST - 1) / areas_fitting(&p) + 1;
    pick_numbers(&p);
    for (size_t i = 0; i < p.count; i++) {
        out[i] = (struct reserved_number){ .number = found[i], .type = row->type, .assignment = row->assignment,
                                           .calling = row->calling, .sms = row->sms, .lease_micro = row->lease_micro };
        memcpy(out[i].country, row->country, sizeof out[i].country);
    }
    *count = p.count;
    return ERR_NONE;
}
