#include "domain/billing/rate_overlay.h"
#include "base/str.h"

static const char *const columns[] = { "name", "type", "country", "micro_usd_per_minute", "prefixes" };
enum { NAME, TYPE, COUNTRY, MICRO, PREFIXES, COLUMNS };
const struct sheet_kind rate_overlay_sheet = { columns, COLUMNS, COLUMNS, COLUMNS };

enum { REMOVED = UINT32_MAX };

struct wish { uint64_t prefix, line; uint32_t group; };     /* group: in the new table; REMOVED: take it out */

struct rate_overlay {
    struct arena     *arena;
    struct buf        groups, wishes;       /* of struct rate, the built-in ones first; of struct wish */
    struct rate_row  *rows;
    struct rate_table table;
};

struct rate_overlay *rate_overlay_new(struct arena *arena)
{
    struct rate_overlay *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    const struct rate_table *base = rate_built_in();
    o->arena = arena;
    buf_put(&o->groups, base->groups, base->n_groups * sizeof base->groups[0]);
    if (buf_err(&o->groups)) {
        rate_overlay_free(o);
        return NULL;
    }
    return o;
}

void rate_overlay_free(struct rate_overlay *o)
{
    if (!o)
        return;
    buf_done(&o->groups);
    buf_done(&o->wishes);
    free(o->rows);
    free(o);
}

const struct rate_table *rate_overlay_table(const struct rate_overlay *o)
{
    return &o->table;
}

/* -- one row -------------------------------------------------------------------------------------------------------- */

static enum err group_read(struct rate_overlay *o, const struct sheet_row *row, struct rate *g, struct problem *why)
{
    static const char *const types[] = { "landline", "mobile", "mixed", "non-geographic" };
    *g = (struct rate){ 0 };
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eqz(row->fields[TYPE], types[i]))
            g->type = types[i];
    if (!g->type)
        return sheet_unknown(row, TYPE, row->fields[TYPE], types, ARRAY_LEN(types), why);
    if (row->fields[COUNTRY].n) {           /* satellite networks have none */
        enum err err = sheet_country(row, COUNTRY, row->fields[COUNTRY], why);
        if (err)
            return err;
    }
    str_copyz(g->country, sizeof g->country, row->fields[COUNTRY]);
    g->name = arena_str(o->arena, row->fields[NAME]).p;
    enum err err = sheet_micro(row, MICRO, &g->micro_a_minute, why);
    return err ? err : g->name ? ERR_NONE : ERR_NOMEM;
}

enum err rate_overlay_put(struct rate_overlay *o, const struct sheet_row *row, struct problem *why)
{
    uint32_t group = REMOVED;
    if (!row->removes) {
        struct rate g;
        enum err err = group_read(o, row, &g, why);
        if (err)
            return err;
        group = (uint32_t)(o->groups.n / sizeof g);
        buf_put(&o->groups, &g, sizeof g);
    }
    struct str head, rest = str_trim(row->fields[PREFIXES]);
    if (!rest.n)
        return sheet_fault(row, PREFIXES, why, "digits are wanted, from the country code on, such as 4420");
    while (rest.n) {
        struct wish w = { .line = row->line, .group = group };
        str_cut(rest, ' ', &head, &rest);
        rest = str_trim(rest);
        if (head.n > 15 || head.p[0] == '0' || str_u64(head, UINT64_MAX, &w.prefix))
            return sheet_fault(row, PREFIXES, why, "'" STR_FMT "' is no prefix: digits from the country code on, without '+'",
                               STR_ARG(head));
        buf_put(&o->wishes, &w, sizeof w);
    }
    return o->wishes.bad || o->groups.bad ? ERR_NOMEM : ERR_NONE;
}

/* -- both together -------------------------------------------------------------------------------------------------- */

static int by_prefix(const void *a, const void *b)
{
    const struct wish *x = a, *y = b;
    return x->prefix != y->prefix ? (x->prefix > y->prefix) - (x->prefix < y->prefix) : (x->line > y->line) - (x->line < y->line);
}

static bool says_the_same(const struct rate *a, const struct rate *b)
{
    return a->micro_a_minute == b->micro_a_minute && !strcmp(a->name, b->name) && !strcmp(a->type, b->type)
           && !strcmp(a->country, b->country);
}

static void tell(struct buf *changes, size_t *n, const char *file, const struct wish *w, const struct rate *old, const struct rate *now)
{
    if (old && now && says_the_same(old, now))
        return;
    ++*n;
    buf_printf(changes, "%s:%llu: ", file, (unsigned long long)w->line);
    if (!now)
        buf_printf(changes, "takes out the price of %llu (%s)\n", (unsigned long long)w->prefix, old->name);
    else if (!old)
        buf_printf(changes, "prices %llu (%s) at %lld\n", (unsigned long long)w->prefix, now->name, (long long)now->micro_a_minute);
    else
        buf_printf(changes, "prices %llu (%s) at %lld instead of %lld\n", (unsigned long long)w->prefix, now->name,
                   (long long)now->micro_a_minute, (long long)old->micro_a_minute);
}

static enum err check_wishes(const struct wish *w, size_t n, const char *file, struct problem *why)
{
    for (size_t i = 1; i < n; i++)
        if (w[i].prefix == w[i - 1].prefix)
            return problem_set(why, ERR_SYNTAX, "BadSheet", "%s:%llu: column 5 (prefixes): %llu stands in line %llu already", file,
                               (unsigned long long)w[i].line, (unsigned long long)w[i].prefix, (unsigned long long)w[i - 1].line);
    return ERR_NONE;
}

enum err rate_overlay_finish(struct rate_overlay *o, const char *file, struct buf *changes, size_t *n_changes, struct problem *why)
{
    const struct rate_table *base = rate_built_in();
    struct wish *w = (struct wish *)(void *)o->wishes.p;
    const struct rate *groups = (const struct rate *)(const void *)o->groups.p;
    size_t n_wishes = o->wishes.n / sizeof *w, n = 0, b = 0;
    if (n_wishes)
        qsort(w, n_wishes, sizeof *w, by_prefix);
    enum err err = check_wishes(w, n_wishes, file, why);
    o->rows = calloc(base->n_rows + n_wishes, sizeof o->rows[0]);
    if (err || !o->rows)
        return err ? err : ERR_NOMEM;
    for (size_t i = 0; i < n_wishes; i++) {
        while (b < base->n_rows && base->rows[b].prefix < w[i].prefix)
            o->rows[n++] = base->rows[b++];
        const struct rate *old = NULL;
        if (b < base->n_rows && base->rows[b].prefix == w[i].prefix)
            old = &base->groups[base->rows[b++].group];
        if (!old && w[i].group == REMOVED)
            return problem_set(why, ERR_SYNTAX, "BadSheet", "%s:%llu: column 5 (prefixes): %llu has no price that could be taken out",
                               file, (unsigned long long)w[i].line, (unsigned long long)w[i].prefix);
        tell(changes, n_changes, file, &w[i], old, w[i].group == REMOVED ? NULL : &groups[w[i].group]);
        if (w[i].group != REMOVED)
            o->rows[n++] = (struct rate_row){ w[i].prefix, w[i].group };
    }
    while (b < base->n_rows)
        o->rows[n++] = base->rows[b++];
    o->table = (struct rate_table){ o->rows, n, groups, o->groups.n / sizeof groups[0] };
    return ERR_NONE;
}
