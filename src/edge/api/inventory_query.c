/* inventory_query.c - what a query asks of the inventory: which numbers, from where on. */
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/import.h"
#include "domain/numbers/stock.h"
#include "edge/api/inventory_priv.h"
#include "edge/api/numbers_priv.h"

#include <inttypes.h>

enum { RANGES_MOST = 256 };

/* What a page's successor asks again, and at last what it does not. */
static const char *const asked[] = {
    "prefix", "pattern", "country", "locality", "type", "carrier", "tag", "state", "import", "all", "top", "after",
};

static enum err at_fault(struct http_call *hc, const char *parameter, enum err err)
{
    problem_target(&hc->why, "%s", parameter);
    return err;
}

/* "Seattle" or "Seattle, WA": the area codes of the place. */
static enum err locality_ranges(struct http_call *hc, struct str locality, struct number_range *ranges, size_t *n)
{
    struct str place, division;
    size_t areas_n;
    const struct nanp_area *areas = nanp_areas(&areas_n);
    str_cut(locality, ',', &place, &division);
    place = str_trim(place);
    division = str_trim(division);
    for (size_t i = 0; i < areas_n && *n < RANGES_MOST; i++) {
        const struct nanp_area *a = &areas[i];
        if (a->kind != NANP_GEOGRAPHIC || !str_eq_nocase(place, str_of(a->place))
            || (division.n && !str_eq_nocase(division, str_of(a->admin))))
            continue;
        ranges[(*n)++] = (struct number_range){ nanp_digits(a->npa, 0, 0), nanp_digits(a->npa, 999, 9999) };
    }
    return *n ? ERR_NONE : at_fault(hc, "locality", rule_problem(&hc->why, ERR_RANGE, RULE_LOCALITY_UNKNOWN, locality.p));
}

/* Prefixes, separated by commas. */
static enum err prefix_ranges(struct http_call *hc, struct str prefixes, struct number_range *ranges, size_t *n)
{
    struct str one;
    while (prefixes.n) {
        str_cut(prefixes, ',', &one, &prefixes);
        size_t more = *n + NUMBER_RANGES_MOST <= RANGES_MOST ? number_ranges_read(str_trim(one), &ranges[*n]) : 0;
        if (!more)
            return at_fault(hc, "prefix", rule_problem(&hc->why, ERR_RANGE, RULE_PREFIX_INVALID,
                                                       arena_shown(hc->arena, one), "16"));
        *n += more;
    }
    return ERR_NONE;
}

/* Of two lists of ranges what is in both: a place's area codes and a prefix. */
static size_t both_ranges(struct number_range *out, const struct number_range *a, size_t a_n, const struct number_range *b,
                          size_t b_n)
{
    size_t n = 0;
    for (size_t i = 0; i < a_n; i++)
        for (size_t k = 0; k < b_n && n < RANGES_MOST; k++) {
            struct number_range r = { a[i].least > b[k].least ? a[i].least : b[k].least,
                                      a[i].most < b[k].most ? a[i].most : b[k].most };
            if (r.least <= r.most)
                out[n++] = r;
        }
    return n;
}

static enum err ranges_read(struct http_call *hc, struct stock_filter *f)
{
    struct str prefix = http_query(hc, "prefix"), locality = http_query(hc, "locality");
    struct number_range by_place[RANGES_MOST], by_prefix[RANGES_MOST];
    size_t n_place = 0, n_prefix = 0;
    struct number_range *ranges = arena_array(hc->arena, RANGES_MOST, sizeof *ranges);
    if (!ranges)
        return ERR_NOMEM;
    enum err err = locality.n ? locality_ranges(hc, locality, by_place, &n_place) : ERR_NONE;
    if (!err && prefix.n)
        err = prefix_ranges(hc, prefix, by_prefix, &n_prefix);
    if (err || (!n_place && !n_prefix))
        return err;
    const struct number_range whole = { 0, UINT64_MAX };
    f->ranges = ranges;
    f->n_ranges = both_ranges(ranges, n_place ? by_place : &whole, n_place ? n_place : 1, n_prefix ? by_prefix : &whole,
                              n_prefix ? n_prefix : 1);
    if (!f->n_ranges) {                 /* nothing is in both; no ranges would mean every number */
        ranges[0] = (struct number_range){ 1, 0 };
        f->n_ranges = 1;
    }
    return ERR_NONE;
}

static enum err state_read(struct http_call *hc, struct stock_filter *f)
{
    struct str word = http_query(hc, "state");
    if (!word.n)
        return ERR_NONE;
    for (int s = 0; s < STOCK_STATES; s++)
        if (str_eq_nocase(word, str_of(stock_state_word((enum stock_state)s)))) {
            f->has_state = true;
            f->state = (enum stock_state)s;
            return ERR_NONE;
        }
    return at_fault(hc, "state", rule_problem(&hc->why, ERR_RANGE, RULE_STOCK_STATE_UNKNOWN, word.p));
}

static enum err type_read(struct http_call *hc, struct stock_filter *f)
{
    struct str word = http_query(hc, "type");
    f->has_type = word.n > 0;
    if (!word.n || !catalogue_type_read(word, &f->type))
        return ERR_NONE;
    return at_fault(hc, "type", rule_problem(&hc->why, ERR_RANGE, RULE_PHONE_NUMBER_TYPE_UNKNOWN, word.p));
}

/* By its name, which its import knows. */
static enum err import_read(struct http_call *hc, struct stock_filter *f)
{
    const struct number_import *im = NULL;
    struct str id = http_query(hc, "import");
    enum err err = id.n ? numbers_import_of(hc->api->numbers, id, &im, &hc->why) : ERR_NONE;
    if (im)
        f->import = im->key;
    return err;
}

enum err inventory_filter_read(struct http_call *hc, struct stock_filter *f)
{
    *f = (struct stock_filter){ .pattern = http_query(hc, "pattern"), .country = http_query(hc, "country"),
                                .carrier = http_query(hc, "carrier"), .tag = http_query(hc, "tag"),
                                .own = !str_eqz(http_query(hc, "all"), "true") };
    enum err err = http_query_known(hc, asked, ARRAY_LEN(asked));
    if (!err)
        err = ranges_read(hc, f);
    if (!err && f->pattern.n && stock_pattern_check(f->pattern))
        err = at_fault(hc, "pattern", rule_problem(&hc->why, ERR_RANGE, RULE_PATTERN_INVALID, f->pattern.p));
    if (!err)
        err = type_read(hc, f);
    if (!err)
        err = state_read(hc, f);
    return err ? err : import_read(hc, f);
}

/* A '+' that was not escaped arrives as a blank. */
enum err inventory_after_read(struct http_call *hc, uint64_t *after)
{
    struct str given = str_trim(http_query(hc, "after"));
    *after = 0;
    if (!given.n || !str_u64(str_from(given, given.p[0] == '+'), INT64_MAX, after))
        return ERR_NONE;
    enum err err = rule_problem(&hc->why, ERR_RANGE, RULE_INVALID_PHONE_NUMBER, given.p);
    return at_fault(hc, "after", err);
}

