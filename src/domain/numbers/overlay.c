#include "domain/numbers/overlay.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/nearest.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/accounts/accounts.h"
#include "domain/billing/rate_overlay.h"
#include "domain/numbers/catalogue_priv.h"
#include "domain/sheet.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

/* Rows of one of the tables, the built-in ones first; `lines` says where a row of the overlay stood, 0 a built-in one. */
struct rows { struct buf items, lines; size_t size; };

struct overlay {
    struct arena          *arena;
    const char            *edition;
    struct rows            availability, places, prices, areas;
    struct rate_overlay   *rates;
    struct catalogue_table table;
    bool                   has_rates, has_areas, used;
    struct buf             changes;
    size_t                 n_changes;
};

/* -- a table that grows --------------------------------------------------------------------------------------------- */

static void rows_init(struct rows *r, const void *items, size_t n, size_t size)
{
    static const uint64_t built_in = 0;
    r->size = size;
    buf_put(&r->items, items, n * size);
    for (size_t i = 0; i < n; i++)
        buf_put(&r->lines, &built_in, sizeof built_in);
}

static void rows_done(struct rows *r)
{
    buf_done(&r->items);
    buf_done(&r->lines);
}

static size_t rows_count(const struct rows *r)
{
    return r->items.n / r->size;
}

static void *rows_at(const struct rows *r, size_t i)
{
    return r->items.p + i * r->size;
}

static uint64_t *line_at(const struct rows *r, size_t i)
{
    return (uint64_t *)(void *)r->lines.p + i;
}

static void rows_take_out(struct rows *r, size_t i)
{
    size_t behind = rows_count(r) - i - 1;
    memmove(rows_at(r, i), rows_at(r, i + 1), behind * r->size);
    memmove(line_at(r, i), line_at(r, i + 1), behind * sizeof(uint64_t));
    r->items.n -= r->size;
    r->lines.n -= sizeof(uint64_t);
}

/* Add, replace or take out. @param at  of the row with this key; SIZE_MAX: there is none  @param key  for people */
static enum err rows_change(struct overlay *o, struct rows *r, const struct sheet_row *row, size_t at, const void *item, const char *key,
                            struct problem *why)
{
    bool found = at != SIZE_MAX;
    const char *what = row->removes ? "takes out" : found ? "replaces" : "adds";
    if (found && *line_at(r, at))
        return sheet_fault(row, 0, why, "%s stands in line %llu already", key, (unsigned long long)*line_at(r, at));
    if (!found && row->removes)
        return sheet_fault(row, 0, why, "%s is not there and cannot be taken out", key);
    if (row->removes) {
        rows_take_out(r, at);
    } else if (found) {
        memcpy(rows_at(r, at), item, r->size);
        *line_at(r, at) = row->line;
    } else {
        buf_put(&r->items, item, r->size);
        buf_put(&r->lines, &row->line, sizeof row->line);
    }
    o->n_changes++;
    buf_printf(&o->changes, "%s:%llu: %s %s\n", row->file, (unsigned long long)row->line, what, key);
    return buf_err(&r->items) || buf_err(&r->lines) ? ERR_NOMEM : ERR_NONE;
}

/* -- fields --------------------------------------------------------------------------------------------------------- */

static enum err read_type(const struct sheet_row *row, size_t column, enum number_type *out, struct problem *why)
{
    const char *words[NUMBER_TYPE_COUNT];
    for (int t = 0; t < NUMBER_TYPE_COUNT; t++) {
        words[t] = number_type_word((enum number_type)t);
        if (str_eqz(row->fields[column], words[t])) {
            *out = (enum number_type)t;
            return ERR_NONE;
        }
    }
    return sheet_unknown(row, column, row->fields[column], words, NUMBER_TYPE_COUNT, why);
}

static enum err read_assignment(const struct sheet_row *row, size_t column, enum assignment *out, struct problem *why)
{
    const char *words[] = { assignment_word(ASSIGNED_PERSON), assignment_word(ASSIGNED_APPLICATION) };
    return assignment_read(row->fields[column], out) ? sheet_unknown(row, column, row->fields[column], words, ARRAY_LEN(words), why)
                                                     : ERR_NONE;
}

static enum err read_capability(const struct sheet_row *row, size_t column, enum capability *out, struct problem *why)
{
    const char *words[CAP_BOTH + 1];
    for (int c = 0; c <= CAP_BOTH; c++)
        words[c] = capability_word((enum capability)c);
    return capability_read(row->fields[column], out) ? sheet_unknown(row, column, row->fields[column], words, ARRAY_LEN(words), why)
                                                     : ERR_NONE;
}

/* "US CA PR"; for calls also "rated". */
static enum err read_list(struct overlay *o, const struct sheet_row *row, size_t column, bool rated, const char **out, struct problem *why)
{
    struct str head, rest = str_trim(row->fields[column]);
    *out = arena_str(o->arena, rest).p;
    while (rest.n) {
        str_cut(rest, ' ', &head, &rest);
        if (rated && str_eqz(head, "rated"))
            continue;
        const char *const words[] = { "rated" };
        if (rated && head.n > 2)
            return sheet_unknown(row, column, head, words, 1, why);
        enum err err = sheet_country(row, column, head, why);
        if (err)
            return err;
    }
    return *out ? ERR_NONE : ERR_NOMEM;
}

static enum err read_offers(struct overlay *o, const struct sheet_row *row, size_t column, const char **out, struct problem *why)
{
    const char *words[OFFER_COUNT];
    enum offer offer;
    struct str head, rest = str_trim(row->fields[column]);
    for (int i = 0; i < OFFER_COUNT; i++)
        words[i] = offer_word((enum offer)i);
    *out = arena_str(o->arena, rest).p;
    while (rest.n) {
        str_cut(rest, ' ', &head, &rest);
        if (offer_read(head, &offer))
            return sheet_unknown(row, column, head, words, OFFER_COUNT, why);
    }
    return *out ? ERR_NONE : ERR_NOMEM;
}

/* Empty: `no`. */
static enum err read_flag(const struct sheet_row *row, size_t column, const char *yes, const char *no, bool *out, struct problem *why)
{
    const char *words[] = { yes, no };
    *out = str_eqz(row->fields[column], yes);
    return *out || !row->fields[column].n || str_eqz(row->fields[column], no)
        ? ERR_NONE : sheet_unknown(row, column, row->fields[column], words, *no ? 2 : 1, why);
}

/* -- availability.csv ----------------------------------------------------------------------------------------------- */

enum { A_COUNTRY, A_TYPE, A_ASSIGNMENT, A_CALLING, A_SMS, A_CALLS_TO, A_CALLS_FROM, A_SMS_TO, A_SMS_FROM, A_LEASE, A_OFFERS, A_BILLING,
       A_TERMS, A_STATUS, A_REGISTRATION, A_COLUMNS };
static const char *const availability_columns[] = { "country", "type", "assignment", "calling", "sms", "calls_to", "calls_from", "sms_to",
                                                    "sms_from", "lease_micro", "offers", "billing", "terms", "status", "registration" };

static enum err availability_key(const struct sheet_row *row, struct catalogue_row *x, struct problem *why)
{
    enum err err = sheet_country(row, A_COUNTRY, row->fields[A_COUNTRY], why);
    str_copyz(x->country, sizeof x->country, row->fields[A_COUNTRY]);
    if (!err)
        err = read_type(row, A_TYPE, &x->type, why);
    return err ? err : read_assignment(row, A_ASSIGNMENT, &x->assignment, why);
}

static enum err availability_rest(struct overlay *o, const struct sheet_row *row, struct catalogue_row *x, struct problem *why)
{
    enum err err = read_capability(row, A_CALLING, &x->calling, why);
    if (!err)
        err = read_capability(row, A_SMS, &x->sms, why);
    if (!err)
        err = read_list(o, row, A_CALLS_TO, true, &x->calls_to, why);
    if (!err)
        err = read_list(o, row, A_CALLS_FROM, true, &x->calls_from, why);
    if (!err)
        err = read_list(o, row, A_SMS_TO, false, &x->sms_to, why);
    if (!err)
        err = read_list(o, row, A_SMS_FROM, false, &x->sms_from, why);
    if (!err)
        err = sheet_micro(row, A_LEASE, &x->lease_micro, why);
    if (!err)
        err = read_offers(o, row, A_OFFERS, &x->offers, why);
    if (!err)
        err = read_list(o, row, A_BILLING, false, &x->billing, why);
    if (!err)
        err = read_flag(row, A_TERMS, "ownUse", "", &x->own_use, why);
    if (!err)
        err = read_flag(row, A_STATUS, "preview", "GA", &x->preview, why);
    x->registration = arena_str(o->arena, row->fields[A_REGISTRATION]).p;
    return err ? err : x->registration ? ERR_NONE : ERR_NOMEM;
}

static enum err put_availability(void *arg, const struct sheet_row *row, struct problem *why)
{
    struct overlay *o = arg;
    struct catalogue_row x = { .edition = o->edition };
    enum err err = availability_key(row, &x, why);
    if (!err && !row->removes)
        err = availability_rest(o, row, &x, why);
    if (err)
        return err;
    size_t at = SIZE_MAX;
    for (size_t i = 0; i < rows_count(&o->availability); i++) {
        const struct catalogue_row *old = rows_at(&o->availability, i);
        if (!strcmp(old->edition, x.edition) && !strcmp(old->country, x.country) && old->type == x.type && old->assignment == x.assignment)
            at = i;
    }
    char key[96];
    snprintf(key, sizeof key, "%s %s %s", x.country, number_type_word(x.type), assignment_word(x.assignment));
    return rows_change(o, &o->availability, row, at, &x, key, why);
}

/* -- countries.csv -------------------------------------------------------------------------------------------------- */

static const char *const country_columns[] = { "country", "name", "calling_code" };

static enum err put_country(void *arg, const struct sheet_row *row, struct problem *why)
{
    struct overlay *o = arg;
    enum err err = sheet_country(row, 0, row->fields[0], why);
    if (err)
        return err;
    if (!row->removes && !str_trim(row->fields[1]).n)
        return sheet_fault(row, 1, why, "a name is wanted");
    struct catalogue_place x = { o->edition, arena_str(o->arena, row->fields[0]).p, arena_str(o->arena, row->fields[1]).p };
    if (!x.country || !x.name)
        return ERR_NOMEM;
    size_t at = SIZE_MAX;
    for (size_t i = 0; i < rows_count(&o->places); i++) {
        const struct catalogue_place *old = rows_at(&o->places, i);
        if (!strcmp(old->edition, x.edition) && !strcmp(old->country, x.country))
            at = i;
    }
    return rows_change(o, &o->places, row, at, &x, x.country, why);
}

/* -- usage.csv ------------------------------------------------------------------------------------------------------ */

enum { U_COUNTRY, U_TYPE, U_ITEM, U_OTHER, U_MICRO, U_COLUMNS };
static const char *const usage_columns[] = { "country", "type", "item", "other", "micro" };

static enum err usage_key(struct overlay *o, const struct sheet_row *row, struct catalogue_price *x, struct problem *why)
{
    const char *words[USAGE_ITEMS];
    for (int i = 0; i < USAGE_ITEMS; i++)
        words[i] = usage_item_word((enum usage_item)i);
    enum err err = sheet_country(row, U_COUNTRY, row->fields[U_COUNTRY], why);
    str_copyz(x->country, sizeof x->country, row->fields[U_COUNTRY]);
    if (!err)
        err = read_type(row, U_TYPE, &x->type, why);
    if (!err && usage_item_read(row->fields[U_ITEM], &x->item))
        err = sheet_unknown(row, U_ITEM, row->fields[U_ITEM], words, USAGE_ITEMS, why);
    if (!err && row->fields[U_OTHER].n)
        err = sheet_country(row, U_OTHER, row->fields[U_OTHER], why);
    x->other = arena_str(o->arena, row->fields[U_OTHER]).p;
    return err ? err : x->other ? ERR_NONE : ERR_NOMEM;
}

static enum err put_usage(void *arg, const struct sheet_row *row, struct problem *why)
{
    struct overlay *o = arg;
    struct catalogue_price x = { .edition = o->edition };
    enum err err = usage_key(o, row, &x, why);
    if (!err && !row->removes)
        err = sheet_micro(row, U_MICRO, &x.micro, why);
    if (err)
        return err;
    size_t at = SIZE_MAX;
    for (size_t i = 0; i < rows_count(&o->prices); i++) {
        const struct catalogue_price *old = rows_at(&o->prices, i);
        if (!strcmp(old->edition, x.edition) && !strcmp(old->country, x.country) && old->type == x.type && old->item == x.item
            && !strcmp(old->other, x.other))
            at = i;
    }
    char key[96];
    snprintf(key, sizeof key, "%s %s %s%s%s", x.country, number_type_word(x.type), usage_item_word(x.item), *x.other ? " with " : "", x.other);
    return rows_change(o, &o->prices, row, at, &x, key, why);
}

/* -- areas.csv ------------------------------------------------------------------------------------------------------ */

enum { N_NPA, N_COUNTRY, N_KIND, N_ADMIN, N_ADMIN_NAME, N_PLACE, N_SOURCE, N_COLUMNS };
static const char *const area_columns[] = { "npa", "country", "kind", "admin", "admin_name", "place", "source" };

static enum err area_rest(struct overlay *o, const struct sheet_row *row, struct nanp_area *x, struct problem *why)
{
    static const char *const kinds[] = { [NANP_GEOGRAPHIC] = "geographic", [NANP_TOLL_FREE] = "toll-free", [NANP_OTHER] = "other" };
    enum err err = sheet_country(row, N_COUNTRY, row->fields[N_COUNTRY], why);
    size_t kind = 0;
    while (kind < ARRAY_LEN(kinds) && !str_eqz(row->fields[N_KIND], kinds[kind]))
        kind++;
    if (!err && kind == ARRAY_LEN(kinds))
        err = sheet_unknown(row, N_KIND, row->fields[N_KIND], kinds, ARRAY_LEN(kinds), why);
    x->kind = (enum nanp_kind)kind;
    str_copyz(x->country, sizeof x->country, row->fields[N_COUNTRY]);
    x->admin = arena_str(o->arena, row->fields[N_ADMIN]).p;
    x->admin_name = arena_str(o->arena, row->fields[N_ADMIN_NAME]).p;
    x->place = arena_str(o->arena, row->fields[N_PLACE]).p;
    return err ? err : x->admin && x->admin_name && x->place ? ERR_NONE : ERR_NOMEM;
}

static enum err put_area(void *arg, const struct sheet_row *row, struct problem *why)
{
    struct overlay *o = arg;
    struct nanp_area x = { 0 };
    uint64_t npa;
    if (str_u64(row->fields[N_NPA], 999, &npa) || !nanp_npa_possible((unsigned)npa))
        return sheet_fault(row, N_NPA, why, "'" STR_FMT "' is no area code: 200 to 999, not N11, N9X, 37X or 96X",
                           STR_ARG(row->fields[N_NPA]));
    x.npa = (uint16_t)npa;
    enum err err = row->removes ? ERR_NONE : area_rest(o, row, &x, why);
    size_t at = SIZE_MAX;
    for (size_t i = 0; i < rows_count(&o->areas); i++)
        if (((const struct nanp_area *)rows_at(&o->areas, i))->npa == x.npa)
            at = i;
    char key[32];
    snprintf(key, sizeof key, "area code %u", x.npa);
    return err ? err : rows_change(o, &o->areas, row, at, &x, key, why);
}

static int by_npa(const void *a, const void *b)
{
    return ((const struct nanp_area *)a)->npa - ((const struct nanp_area *)b)->npa;
}

/* -- rates.csv ------------------------------------------------------------------------------------------------------ */

static enum err put_rate(void *arg, const struct sheet_row *row, struct problem *why)
{
    return rate_overlay_put(((struct overlay *)arg)->rates, row, why);
}

/* -- the whole ------------------------------------------------------------------------------------------------------ */

static const char *const files[] = { "availability.csv", "countries.csv", "usage.csv", "rates.csv", "areas.csv" };
enum { F_AVAILABILITY, F_COUNTRIES, F_USAGE, F_RATES, F_AREAS };

/* Which of them are there; a .csv of another name is a slip of the pen. */
static enum err look(const char *dir, bool there[ARRAY_LEN(files)], struct problem *why)
{
    DIR *d = opendir(dir);
    if (!d)
        return problem_set(why, errno == ENOENT ? ERR_ABSENT : ERR_IO, "BadSheet", "catalogue folder %s: %s", dir, strerror(errno));
    enum err err = ERR_NONE;
    bool any = false;
    for (struct dirent *e; !err && (e = readdir(d));) {
        struct str name = str_of(e->d_name);
        size_t f = 0;
        while (f < ARRAY_LEN(files) && !str_eqz(name, files[f]))
            f++;
        if (f < ARRAY_LEN(files)) {
            any = there[f] = true;
        } else if (str_ends(name, STR(".csv"))) {
            const char *close = nearest(name, files, ARRAY_LEN(files));
            err = problem_set(why, ERR_SYNTAX, "BadSheet", "%s/%s: no file of the catalogue has this name%s%s%s", dir, e->d_name,
                              close ? "; did you mean '" : "", close ? close : "", close ? "'?" : "");
        }
    }
    closedir(d);
    return err || any ? err : problem_set(why, ERR_ABSENT, "BadSheet", "catalogue folder %s: it has none of availability.csv, countries.csv, "
                                          "usage.csv, rates.csv, areas.csv", dir);
}

static enum err read_file(struct overlay *o, const char *dir, size_t f, struct problem *why)
{
    static const struct { struct sheet_kind kind; sheet_row_fn *put; } readers[] = {
        [F_AVAILABILITY] = { { availability_columns, A_COLUMNS, A_TERMS, A_CALLING }, put_availability },
        [F_COUNTRIES]    = { { country_columns, 3, 2, 1 }, put_country },
        [F_USAGE]        = { { usage_columns, U_COLUMNS, U_COLUMNS, U_OTHER }, put_usage },
        [F_AREAS]        = { { area_columns, N_COLUMNS, N_ADMIN, N_COUNTRY }, put_area },
    };
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", dir, files[f]);
    if (f != F_RATES)
        return sheet_each(path, &readers[f].kind, readers[f].put, o, why);
    enum err err = sheet_each(path, &rate_overlay_sheet, put_rate, o, why);
    return err ? err : rate_overlay_finish(o->rates, path, &o->changes, &o->n_changes, why);
}

/* -- does it make sense? -------------------------------------------------------------------------------------------- */

static bool has_name(const struct overlay *o, const char *country)
{
    for (size_t i = 0; i < o->table.n_places; i++)
        if (!strcmp(o->table.places[i].edition, o->edition) && !strcmp(o->table.places[i].country, country))
            return true;
    return false;
}

static bool has_price(const struct overlay *o, const struct catalogue_row *row, enum usage_item item, struct str other)
{
    for (size_t i = 0; i < o->table.n_prices; i++) {
        const struct catalogue_price *p = &o->table.prices[i];
        if (p->item == item && p->type == row->type && !strcmp(p->country, row->country) && !strcmp(p->edition, o->edition)
            && (!*p->other || str_eqz(other, p->other)))
            return true;
    }
    return false;
}

static enum err unpriced(const struct catalogue_row *row, enum usage_item item, struct str other, const char *dir, struct problem *why)
{
    return problem_set(why, ERR_SYNTAX, "BadSheet", "%s: %s %s is allowed %s%s" STR_FMT " and has no price: add it to usage.csv, or "
                       "take it out of availability.csv", dir, row->country, number_type_word(row->type), usage_item_word(item),
                       other.n ? " with " : "", STR_ARG(other));
}

static enum err check_list(const struct overlay *o, const struct catalogue_row *row, const char *list, enum usage_item item,
                           const char *dir, struct problem *why)
{
    struct str head, rest = str_of(list);
    while (rest.n) {
        str_cut(rest, ' ', &head, &rest);
        if (!has_price(o, row, item, head))
            return unpriced(row, item, head, dir, why);
    }
    return ERR_NONE;
}

static enum err check_row(const struct overlay *o, const struct catalogue_row *row, const char *dir, struct problem *why)
{
    static const struct str nobody = { "", 0 };
    if (!has_name(o, row->country))
        return problem_set(why, ERR_SYNTAX, "BadSheet", "%s: %s has rows in availability.csv and no name in countries.csv", dir,
                           row->country);
    if (row->calling & CAP_INBOUND && !has_price(o, row, USAGE_CALL_IN, nobody))
        return unpriced(row, USAGE_CALL_IN, nobody, dir, why);
    if (row->calling & CAP_OUTBOUND && !has_price(o, row, USAGE_CALL_OUT_FROM, nobody))
        return unpriced(row, USAGE_CALL_OUT_FROM, nobody, dir, why);
    enum err err = check_list(o, row, row->sms & CAP_OUTBOUND ? row->sms_to : "", USAGE_SMS_OUT, dir, why);
    return err ? err : check_list(o, row, row->sms & CAP_INBOUND ? row->sms_from : "", USAGE_SMS_IN, dir, why);
}

static enum err check(const struct overlay *o, const char *dir, struct problem *why)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; i < o->table.n_rows && !err; i++)
        if (!strcmp(o->table.rows[i].edition, o->edition))
            err = check_row(o, &o->table.rows[i], dir, why);
    return err;
}

/* -- the object ----------------------------------------------------------------------------------------------------- */

static enum err start(struct overlay *o)
{
    const struct catalogue_table *base = catalogue_built_in();
    size_t n_areas;
    const struct nanp_area *areas = nanp_areas(&n_areas);
    o->arena = arena_new();
    o->rates = o->arena ? rate_overlay_new(o->arena) : NULL;
    rows_init(&o->availability, base->rows, base->n_rows, sizeof base->rows[0]);
    rows_init(&o->places, base->places, base->n_places, sizeof base->places[0]);
    rows_init(&o->prices, base->prices, base->n_prices, sizeof base->prices[0]);
    rows_init(&o->areas, areas, n_areas, sizeof areas[0]);
    return !o->rates || o->availability.items.bad || o->places.items.bad || o->prices.items.bad || o->areas.items.bad
           || o->availability.lines.bad || o->places.lines.bad || o->prices.lines.bad || o->areas.lines.bad ? ERR_NOMEM : ERR_NONE;
}

static enum err fill(struct overlay *o, const char *dir, struct problem *why)
{
    bool there[ARRAY_LEN(files)] = { false };
    enum err err = start(o);
    if (!err)
        err = look(dir, there, why);
    for (size_t f = 0; f < ARRAY_LEN(files) && !err; f++)
        if (there[f])
            err = read_file(o, dir, f, why);
    o->has_rates = there[F_RATES];
    o->has_areas = there[F_AREAS];
    if (err)
        return err;
    if (rows_count(&o->areas))
        qsort(o->areas.items.p, rows_count(&o->areas), o->areas.size, by_npa);
    o->table = (struct catalogue_table){ rows_at(&o->availability, 0), rows_at(&o->places, 0), rows_at(&o->prices, 0),
                                         rows_count(&o->availability), rows_count(&o->places), rows_count(&o->prices) };
    buf_putc(&o->changes, 0);
    return buf_err(&o->changes) ? ERR_NOMEM : check(o, dir, why);
}

enum err overlay_load(struct overlay **out, const char *dir, const char *edition, struct problem *why)
{
    struct overlay *o = calloc(1, sizeof *o);
    if (!o)
        return ERR_NOMEM;
    o->edition = edition;
    enum err err = fill(o, dir, why);
    if (err) {
        overlay_free(o);
        return err;
    }
    *out = o;
    return ERR_NONE;
}

void overlay_use(struct overlay *o)
{
    o->used = true;
    catalogue_use(&o->table);
    if (o->has_rates)
        rate_use(rate_overlay_table(o->rates));
    if (o->has_areas)
        nanp_use(rows_at(&o->areas, 0), rows_count(&o->areas));
}

void overlay_free(struct overlay *o)
{
    if (!o)
        return;
    if (o->used) {
        catalogue_use(NULL);
        rate_use(NULL);
        nanp_use(NULL, 0);
    }
    rate_overlay_free(o->rates);
    rows_done(&o->availability);
    rows_done(&o->places);
    rows_done(&o->prices);
    rows_done(&o->areas);
    buf_done(&o->changes);
    arena_free(o->arena);
    free(o);
}

const char *overlay_changes(const struct overlay *o, size_t *n)
{
    *n = o->n_changes;
    return o->changes.p;
}
