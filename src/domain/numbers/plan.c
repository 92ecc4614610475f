#include "domain/numbers/plan.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/accounts/accounts.h"
#include "domain/billing/price.h"
#include "domain/billing/usage.h"
#include "domain/rules.h"

#include <stdio.h>

/* -- what a month costs --------------------------------------------------------------------------------------------- */

/* An overlay's prices may be such that a thousand million minutes are more than can be counted: then it is the most there is. */
static void add_line(struct plan_fit *f, const char *what, int64_t units, int64_t micro_each)
{
    int64_t micro;
    if (units <= 0 || micro_each < 0)
        return;
    if (usage_amount(units, micro_each, &micro))
        micro = INT64_MAX;
    f->lines[f->lines_n++] = (struct plan_line){ what, units, micro_each, micro };
    if (__builtin_add_overflow(f->micro, micro, &f->micro))
        f->micro = INT64_MAX;
}

/* Traffic both ways is taken as half and half, the odd one going out. */
static int64_t outward(int64_t units, enum capability cap)
{
    return cap == CAP_BOTH ? (units + 1) / 2 : cap & CAP_OUTBOUND ? units : 0;
}

/* Without a destination: the cheapest price of a call, and texts within the country. A text is one segment here. */
static void estimate(const struct plan_wish *w, struct plan_fit *f)
{
    const struct catalogue_row *row = f->row;
    const struct rate *rate = w->to ? rate_find(w->to) : NULL;
    const char *other = w->to ? e164_country(w->to) : row->country;
    int64_t surcharge, calls_out = outward(w->minutes, f->calling), texts_out = outward(w->messages, f->sms);
    add_line(f, "lease", 1, row->lease_micro);
    add_line(f, "campaign", 1, catalogue_usage(row, USAGE_MONTHLY, other));
    add_line(f, "calls out", calls_out, rate ? rate->micro_a_minute : catalogue_usage(row, USAGE_CALL_OUT_FROM, other));
    add_line(f, "calls in", f->calling & CAP_INBOUND ? w->minutes - calls_out : 0, catalogue_usage(row, USAGE_CALL_IN, other));
    add_line(f, "VoIP leg", f->calling ? w->minutes : 0, catalogue_usage(row, USAGE_VOIP_LEG, other));
    add_line(f, "texts out", texts_out, price_sms_out(row, other, &surcharge));
    add_line(f, "texts in", f->sms & CAP_INBOUND ? w->messages - texts_out : 0,
             price_sms_in(row, f->sms & CAP_OUTBOUND ? other : row->country));
}

/* -- does it fit ---------------------------------------------------------------------------------------------------- */

static enum err reaches(const struct plan_wish *w, const struct catalogue_row *row, struct problem *why)
{
    struct call_price call;
    struct sms_price sms;
    enum err err = ERR_NONE;
    if (w->to && (w->calling & CAP_OUTBOUND))
        err = price_call(row, w->to, &call, why);
    if (!err && w->to && (w->sms & CAP_OUTBOUND))
        err = price_sms(row, w->to, &sms, why);
    return err;
}

/* One kind of number against the wish: ERR_NONE with *row, or the rule that stands in the way. */
static enum err check(const struct plan_wish *w, const char *country, enum number_type type, const struct catalogue_row **row,
                      struct problem *why)
{
    enum err err = catalogue_offer(w->edition, str_of(country), type, w->assignment, w->calling, w->sms, row, why);
    return err ? err : reaches(w, *row, why);
}

/* Some rules answer programs with the service's own opaque words and tell people in the suggestion: here it is all people. */
static void for_people(struct problem *why)
{
    static const char opaque[] = "We are unable to find phone plans to match your requested capabilities. ";
    if (!str_starts(str_of(why->suggestion), str_of(opaque)))
        return;
    struct str rest = str_from(str_of(why->suggestion), sizeof opaque - 1);
    char text[sizeof why->text];
    str_copyz(text, sizeof text, rest);
    memcpy(why->text, text, sizeof text);
    why->suggestion[0] = 0;
}

static struct plan_fit fit_for(const struct plan_wish *w, const struct catalogue_row *row)
{
    bool any = !w->calling && !w->sms;
    int64_t setup = catalogue_usage(row, USAGE_SETUP, "");
    struct plan_fit f = { .row = row, .calling = any ? row->calling : w->calling, .sms = any ? row->sms : w->sms,
                          .setup_micro = setup > 0 ? setup : 0 };
    estimate(w, &f);
    return f;
}

static enum err fit_of(const struct plan_wish *w, const struct catalogue_row *row, struct arena *arena, struct plan_fit *f)
{
    *f = fit_for(w, row);
    struct problem why = { 0 };
    if (!w->account || !catalogue_eligible(row, w->account, &why))
        return ERR_NONE;
    struct problem *kept = arena_one(arena, struct problem);
    if (!kept)
        return ERR_NOMEM;
    *kept = why;
    f->refused = kept;
    return ERR_NONE;
}

/* -- every kind of number ------------------------------------------------------------------------------------------- */

/* The i-th country that the wish means; NULL after the last. One that is not sold in is asked too: its rule is the answer. */
static const char *wished_country(const struct plan_wish *w, size_t i)
{
    const char *name;
    return !w->country[0] ? catalogue_country(w->edition, i, &name) : i == 0 ? w->country : NULL;
}

/* Is it worth an answer? What a country does not have, for whomever, is said of local and toll-free numbers alone, and only
 * when the country was asked for; trial numbers are for those who can have nothing else. */
static bool is_asked(const struct plan_wish *w, const char *country, enum number_type type)
{
    const struct catalogue_row *row = catalogue_find(w->edition, str_of(country), type, ASSIGNED_APPLICATION);
    if (type == NUMBER_TRIAL)
        return row && w->account && catalogue_lists(row->offers, offer_word(w->account->offer));
    return row || catalogue_find(w->edition, str_of(country), type, ASSIGNED_PERSON)
           || (w->country[0] && (type == NUMBER_GEOGRAPHIC || type == NUMBER_TOLL_FREE));
}

/* What one kind of number says to the wish: `row` when it fits, else `why`. */
typedef enum err plan_hear_fn(void *arg, const char *country, enum number_type type, const struct catalogue_row *row,
                              const struct problem *why);

static enum err ask_country(const struct plan_wish *w, const char *country, plan_hear_fn *hear, void *arg)
{
    enum err err = ERR_NONE;
    bool served = catalogue_serves(w->edition, str_of(country));
    for (int t = 0; t < NUMBER_TYPE_COUNT && !err; t++) {
        const struct catalogue_row *row = NULL;
        struct problem why = { 0 };
        if (!is_asked(w, country, (enum number_type)t))
            continue;
        if (check(w, country, (enum number_type)t, &row, &why))
            row = NULL;
        err = hear(arg, country, (enum number_type)t, row, &why);
        if (!served)
            return err;                 /* where nothing is sold, one kind of number says it for all */
    }
    return err;
}

static enum err ask_all(const struct plan_wish *w, plan_hear_fn *hear, void *arg)
{
    const char *country;
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && (country = wished_country(w, i)); i++)
        err = ask_country(w, country, hear, arg);
    return err;
}

/* Cheaper ones first; equals stay in the order of the catalogue. */
static void put_fit(struct plan *p, struct plan_fit fit)
{
    size_t i = p->fits_n++;
    for (; i > 0 && p->fits[i - 1].micro > fit.micro; i--)
        p->fits[i] = p->fits[i - 1];
    p->fits[i] = fit;
}

/* With no country asked for, one rule of one type stands once, and counts the countries. */
static void put_obstacle(struct plan *p, const char *country, enum number_type type, const struct problem *why)
{
    for (size_t i = 0; i < p->obstacles_n; i++)
        if (p->obstacles[i].type == type && !strcmp(p->obstacles[i].why.rule, why->rule)) {
            p->obstacles[i].more++;
            return;
        }
    if (p->obstacles_n == PLAN_OBSTACLES_MOST)
        return;
    struct plan_obstacle *no = &p->obstacles[p->obstacles_n++];
    *no = (struct plan_obstacle){ .type = type, .why = *why };
    for_people(&no->why);
    str_copyz(no->country, sizeof no->country, str_of(country));
}

struct gathering { struct plan *p; const struct plan_wish *w; struct arena *arena; };

static enum err gather(void *arg, const char *country, enum number_type type, const struct catalogue_row *row,
                       const struct problem *why)
{
    struct gathering *g = arg;
    struct plan_fit fit;
    if (!row) {
        put_obstacle(g->p, country, type, why);
        return ERR_NONE;
    }
    enum err err = fit_of(g->w, row, g->arena, &fit);
    if (!err)
        put_fit(g->p, fit);
    return err;
}

static enum err gather_all(struct plan *p, struct arena *arena)
{
    size_t n = 0;
    while (wished_country(&p->wish, n))
        n++;
    p->fits = arena_array(arena, n * NUMBER_TYPE_COUNT + 1, sizeof *p->fits);
    p->obstacles = arena_array(arena, PLAN_OBSTACLES_MOST, sizeof *p->obstacles);
    if (!p->fits || !p->obstacles)
        return ERR_NOMEM;
    return ask_all(&p->wish, gather, &(struct gathering){ p, &p->wish, arena });
}

/* -- the nearest thing that works ----------------------------------------------------------------------------------- */

/* Ways to change a wish, nearest first. False: it makes no sense for this wish. */
struct changed { struct plan_wish parts[PLAN_PARTS]; size_t n; };

static bool unchanged(const struct plan_wish *w, struct changed *c)
{
    *c = (struct changed){ { *w }, 1 };
    return true;
}

/* The choosing guide: a person and calls of all kinds take a local number, texts are an application's. */
static bool two_numbers(const struct plan_wish *w, struct changed *c)
{
    *c = (struct changed){ { *w, *w }, 2 };
    c->parts[0].sms = CAP_NONE;
    c->parts[0].messages = 0;
    c->parts[1].calling = CAP_NONE;
    c->parts[1].minutes = 0;
    c->parts[1].assignment = ASSIGNED_APPLICATION;
    return w->calling && w->sms;
}

static bool for_application(const struct plan_wish *w, struct changed *c)
{
    *c = (struct changed){ { *w }, 1 };
    c->parts[0].assignment = ASSIGNED_APPLICATION;
    return w->assignment == ASSIGNED_PERSON;
}

static bool without_sms(const struct plan_wish *w, struct changed *c)
{
    *c = (struct changed){ { *w }, 1 };
    c->parts[0].sms = CAP_NONE;
    c->parts[0].messages = 0;
    return w->calling && w->sms;
}

static bool without_calling(const struct plan_wish *w, struct changed *c)
{
    *c = (struct changed){ { *w }, 1 };
    c->parts[0].calling = CAP_NONE;
    c->parts[0].minutes = 0;
    return w->calling && w->sms;
}

static const struct change {
    bool      (*make)(const struct plan_wish *w, struct changed *c);
    const char *words;
} changes[] = {
    { unchanged, "" },
    { two_numbers, "with two numbers: one to call with, and one of an application to text with" },
    { for_application, "for an application instead of a person" },
    { without_sms, "without SMS" },
    { without_calling, "without calling" },
};

/* Of what a search leases, else of what is applied for. */
struct cheapest { const struct plan_wish *w; bool found; struct plan_fit fit; };

static enum err keep_cheapest(void *arg, const char *country, enum number_type type, const struct catalogue_row *row,
                              const struct problem *why)
{
    (void)country;
    (void)type;
    (void)why;
    struct cheapest *c = arg;
    struct problem no;
    bool leased = row && number_type_is_leased(row->type);
    if (!row || (!leased && !c->w->country[0]) || (c->w->account && catalogue_eligible(row, c->w->account, &no)))
        return ERR_NONE;                /* what the account may not buy is not near, nor a sender to apply for in another country */
    struct plan_fit fit = fit_for(c->w, row);
    bool was_leased = c->found && number_type_is_leased(c->fit.row->type);
    if (!c->found || (leased && !was_leased) || (leased == was_leased && fit.micro < c->fit.micro))
        c->fit = fit;
    c->found = true;
    return ERR_NONE;
}

/* Does every part fit somewhere? Then p has them. */
static enum err try_change(struct plan *p, const struct changed *c)
{
    struct plan_fit parts[PLAN_PARTS];
    for (size_t i = 0; i < c->n; i++) {
        struct cheapest best = { .w = &c->parts[i] };
        enum err err = ask_all(&c->parts[i], keep_cheapest, &best);
        if (err || !best.found)
            return err;
        parts[i] = best.fit;
    }
    memcpy(p->parts, parts, c->n * sizeof *parts);
    p->parts_n = c->n;
    return ERR_NONE;
}

/* "in US, for an application instead of a person" */
static enum err say_change(struct plan *p, const struct plan_wish *base, const char *words, struct arena *arena)
{
    char place[24] = "", reach[64] = "", to[E164_SIZE];
    const char *here = p->parts[0].row->country, *there = p->parts[p->parts_n - 1].row->country;
    if (p->wish.country[0] && (strcmp(here, p->wish.country) != 0 || strcmp(there, p->wish.country) != 0))
        snprintf(place, sizeof place, strcmp(here, there) ? "in %s and %s" : "in %s", here, there);
    if (p->wish.to && !base->to)
        snprintf(reach, sizeof reach, "without reaching %s", e164_write(to, p->wish.to));
    struct str all = arena_printf(arena, "%s%s%s%s%s", place, *place && (*words || *reach) ? ", " : "", words,
                                  *words && *reach ? ", " : "", reach);
    p->change = all.p;
    return all.p ? ERR_NONE : ERR_NOMEM;
}

static enum err nearest_to(struct plan *p, const struct plan_wish *base, struct arena *arena)
{
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        struct changed c;
        if (!changes[i].make(base, &c))
            continue;
        enum err err = try_change(p, &c);
        if (err)
            return err;
        if (p->parts_n)
            return say_change(p, base, changes[i].words, arena);
    }
    return ERR_NONE;
}

/* The country that was wished first, then the asker's own, then any; in each the fewest changes first, and the number to reach goes
 * last. */
static enum err nearest_anywhere(struct plan *p, const struct subscription *account, struct arena *arena)
{
    const char *const countries[] = { p->wish.country, p->wish.home, "" };
    enum err err = ERR_NONE;
    for (size_t i = 0; i < ARRAY_LEN(countries) && !err && !p->parts_n; i++) {
        if (i + 1 < ARRAY_LEN(countries) && !*countries[i])
            continue;
        struct plan_wish base = p->wish;
        base.account = account;
        str_copyz(base.country, sizeof base.country, str_of(countries[i]));
        err = nearest_to(p, &base, arena);
        if (!err && !p->parts_n && base.to) {
            base.to = 0;
            err = nearest_to(p, &base, arena);
        }
    }
    return err;
}

/* What the account may buy. When that is nothing: why it may not buy what is nearest. */
static enum err nearest(struct plan *p, struct arena *arena)
{
    enum err err = nearest_anywhere(p, p->wish.account, arena);
    if (err || p->parts_n || !p->wish.account)
        return err;
    err = nearest_anywhere(p, NULL, arena);
    if (!err && p->parts_n) {
        struct problem *why = arena_one(arena, struct problem);
        if (!why)
            return ERR_NOMEM;
        p->blocked = catalogue_eligible(p->parts[0].row, p->wish.account, why) ? why : NULL;
    }
    p->parts_n = 0;
    p->change = NULL;
    return err;
}

/* -- the plan ------------------------------------------------------------------------------------------------------- */

static bool can_buy(const struct plan *p)
{
    for (size_t i = 0; i < p->fits_n; i++)
        if (!p->fits[i].refused)
            return true;
    return false;
}

enum err plan_make(const struct plan_wish *wish, struct arena *arena, const struct plan **out)
{
    struct plan *p = arena_one(arena, struct plan);
    if (!p)
        return ERR_NOMEM;
    p->wish = *wish;
    if (p->wish.minutes && !p->wish.calling)
        p->wish.calling = CAP_OUTBOUND;
    if (p->wish.messages && !p->wish.sms)
        p->wish.sms = CAP_OUTBOUND;
    enum err err = gather_all(p, arena);
    p->possible = !err && can_buy(p);
    if (!err && !p->possible)
        err = nearest(p, arena);
    if (err)
        return err;
    *out = p;
    return ERR_NONE;
}
