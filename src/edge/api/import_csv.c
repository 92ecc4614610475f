#include "edge/api/import_csv.h"

#include "base/nearest.h"
#include "base/str.h"
#include "codec/csv/csv.h"
#include "domain/numbers/catalogue.h"
#include "domain/rules.h"

#include <inttypes.h>

static const int64_t DOLLAR = 1000000, COST_MOST = 1000000 * DOLLAR;

/* A row while its fields are read; the first thing wrong with it is kept. */
struct row {
    struct import_row r;
    char              tags[IMPORT_TAGS_SIZE];
    bool              bad;
    enum rule         rule;
    struct str        detail;
};

static void refuse(struct row *row, enum rule rule, struct str detail)
{
    if (row->bad)
        return;
    row->bad = true;
    row->rule = rule;
    row->detail = detail;
}

/* -- values --------------------------------------------------------------------------------------------------------- */

static enum err one_capability(struct str word, enum capability *out)
{
    if (!capability_read(word, out))
        return ERR_NONE;
    *out = CAP_BOTH;
    return str_eq_nocase(word, STR("both")) ? ERR_NONE : ERR_SYNTAX;
}

enum err import_capabilities_read(struct str words, enum capability *calling, enum capability *sms)
{
    struct str one, name, value, rest = str_trim(words);
    *calling = *sms = CAP_NONE;
    while (rest.n) {
        str_cut(rest, ' ', &one, &rest);
        if (!one.n)
            continue;
        if (!str_cut(one, ':', &name, &value))
            return ERR_SYNTAX;
        bool voice = str_eq_nocase(name, STR("calling"));
        if ((!voice && !str_eq_nocase(name, STR("sms"))) || one_capability(value, voice ? calling : sms))
            return ERR_SYNTAX;
    }
    return ERR_NONE;
}

enum err import_cost_read(struct str text, int64_t *micro)
{
    struct str whole, part;
    uint64_t dollars = 0, decimals = 0;
    bool point = str_cut(text, '.', &whole, &part);
    if ((!whole.n && !part.n) || part.n > 6 || (point && !part.n))
        return ERR_SYNTAX;
    if (whole.n && str_u64(whole, (uint64_t)(COST_MOST / DOLLAR), &dollars))
        return ERR_RANGE;
    if (part.n && str_u64(part, (uint64_t)DOLLAR, &decimals))
        return ERR_SYNTAX;
    for (size_t i = part.n; i < 6; i++)
        decimals *= 10;
    *micro = (int64_t)(dollars * (uint64_t)DOLLAR + decimals);
    return *micro <= COST_MOST ? ERR_NONE : ERR_RANGE;
}

void import_cost_put(struct buf *b, int64_t micro)
{
    buf_printf(b, "%" PRId64 ".%06" PRId64, micro / DOLLAR, micro % DOLLAR);
    while (!b->bad && b->p[b->n - 1] == '0')
        b->n--;
    if (!b->bad && b->p[b->n - 1] == '.')
        b->n--;
}

/* -- columns: each takes one field that is not empty into the row --------------------------------------------------- */

static void take_number(struct row *row, struct str v)
{
    row->r.number = v;
}

static void take_carrier(struct row *row, struct str v)
{
    row->r.carrier = v;
}

static void take_country(struct row *row, struct str v)
{
    row->r.country = v;
}

static void take_type(struct row *row, struct str v)
{
    row->r.has_type = true;
    if (catalogue_type_read(v, &row->r.type))
        refuse(row, RULE_ROW_TYPE_UNKNOWN, v);
}

static void take_capabilities(struct row *row, struct str v)
{
    if (import_capabilities_read(v, &row->r.calling, &row->r.sms))
        refuse(row, RULE_ROW_CAPABILITY_UNKNOWN, v);
}

static void take_calling(struct row *row, struct str v)
{
    if (one_capability(v, &row->r.calling))
        refuse(row, RULE_ROW_CAPABILITY_UNKNOWN, v);
}

static void take_sms(struct row *row, struct str v)
{
    if (one_capability(v, &row->r.sms))
        refuse(row, RULE_ROW_CAPABILITY_UNKNOWN, v);
}

static void take_cost(struct row *row, struct str v)
{
    if (import_cost_read(v, &row->r.cost_micro))
        refuse(row, RULE_ROW_COST_INVALID, v);
}

/* "gold; west" in the list is "gold west" in the inventory. */
static void take_tags(struct row *row, struct str v)
{
    struct str tag, rest = v;
    size_t n = 0;
    while (rest.n) {
        str_cut(rest, ';', &tag, &rest);
        tag = str_trim(tag);
        if (!tag.n)
            continue;
        if (str_find(tag, ' ') >= 0 || n + 1 + tag.n > sizeof row->tags) {
            refuse(row, RULE_ROW_TAGS_INVALID, v);
            return;
        }
        if (n)
            row->tags[n++] = ' ';
        memcpy(row->tags + n, tag.p, tag.n);
        n += tag.n;
    }
    row->r.tags = (struct str){ row->tags, n };
}

/* name, how its fields are taken; NULL: passed over (an export has it) */
static const struct column {
    const char *name;
    void      (*take)(struct row *row, struct str v);
} columns[] = {
    { "number", take_number }, { "carrier", take_carrier }, { "type", take_type }, { "country", take_country },
    { "capabilities", take_capabilities }, { "calling", take_calling }, { "sms", take_sms }, { "cost", take_cost },
    { "tags", take_tags }, { "state", NULL }, { "resource", NULL }, { "note", NULL },
};
enum { NUMBER_COLUMN = 0 };

struct layout {
    const struct column *at[CSV_FIELDS_MAX];
    size_t               n, number;
};

static enum err column_unknown(struct str name, struct problem *why)
{
    const char *names[ARRAY_LEN(columns)], *close;
    char typed[64];
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        names[i] = columns[i].name;
    close = nearest(name, names, ARRAY_LEN(columns));
    str_copyz(typed, sizeof typed, name);
    return close ? rule_problem(why, ERR_RANGE, RULE_COLUMN_UNKNOWN, typed, ": did you mean '", close, "'?")
                 : rule_problem(why, ERR_RANGE, RULE_COLUMN_UNKNOWN, typed, ".", "", "");
}

static enum err header_broken(const char *fault, struct problem *why)
{
    return rule_problem(why, ERR_RANGE, RULE_ROW_MALFORMED, "", fault);
}

static enum err layout_read(struct layout *l, const struct csv_record *header, struct problem *why)
{
    bool seen[ARRAY_LEN(columns)] = { false };
    l->n = header->n;
    for (size_t i = 0; i < header->n; i++) {
        struct str name = str_trim(header->fields[i]);
        size_t c = 0;
        if (!utf8_valid(name) || str_find(name, '\0') >= 0)     /* UTF-16, something compressed: no name worth repeating */
            return header_broken("it is not UTF-8 text", why);
        while (c < ARRAY_LEN(columns) && !str_eq_nocase(name, str_of(columns[c].name)))
            c++;
        if (c == ARRAY_LEN(columns))
            return column_unknown(name, why);
        if (seen[c])
            return rule_problem(why, ERR_RANGE, RULE_COLUMN_DOUBLED, columns[c].name);
        seen[c] = true;
        l->at[i] = &columns[c];
        if (c == NUMBER_COLUMN)
            l->number = i;
    }
    return seen[NUMBER_COLUMN] ? ERR_NONE : rule_problem(why, ERR_RANGE, RULE_COLUMN_NEEDED, columns[NUMBER_COLUMN].name);
}

/* -- rows ----------------------------------------------------------------------------------------------------------- */

static enum err row_add(struct import_slice *s, const struct layout *l, const struct csv_record *rec)
{
    struct row row;
    row.bad = false;
    row.r = (struct import_row){ .line = rec->line, .calling = CAP_BOTH, .sms = CAP_BOTH };
    if (rec->n != l->n)
        return import_slice_bad(s, rec->line, RULE_ROW_MALFORMED, STR(""),
                                rec->n < l->n ? STR("it has fewer fields than the header")
                                              : STR("it has more fields than the header"));
    for (size_t i = 0; i < rec->n; i++) {
        struct str v = str_trim(rec->fields[i]);
        if (v.n && l->at[i]->take)
            l->at[i]->take(&row, v);
    }
    return row.bad ? import_slice_bad(s, rec->line, row.rule, row.r.number, row.detail) : import_slice_add(s, &row.r);
}

/* The columns of a piece that does not begin with them. */
static enum err told_layout(struct layout *l, struct str text, struct problem *why)
{
    scoped_csv c;
    struct csv_record header;
    csv_init(&c, 1);
    csv_feed(&c, text, true);
    switch (csv_next(&c, &header)) {
    case CSV_RECORD: return layout_read(l, &header, why);
    case CSV_NOMEM:  return ERR_NOMEM;
    case CSV_FAULT:  return header_broken(header.fault, why);
    default:         return rule_problem(why, ERR_RANGE, RULE_COLUMN_NEEDED, columns[NUMBER_COLUMN].name);
    }
}

/* @param l  n = 0: the first record is the header */
static enum err rows_read(struct import_slice *s, struct csv *c, struct layout *l, struct problem *why)
{
    struct csv_record rec;
    uint64_t last = 0;
    enum csv_step step;
    enum err err = ERR_NONE;
    while (!err && (step = csv_next(c, &rec)) != CSV_END) {
        last = rec.line;
        if (step == CSV_NOMEM)
            err = ERR_NOMEM;
        else if (!l->n)
            err = step == CSV_RECORD ? layout_read(l, &rec, why) : header_broken(rec.fault, why);
        else if (step == CSV_FAULT)
            err = import_slice_bad(s, rec.line, RULE_ROW_MALFORMED, STR(""), str_of(rec.fault));
        else
            err = row_add(s, l, &rec);
    }
    /* the last line may have no end */
    import_slice_end(s, c->line > last ? c->line : last + 1);
    return err;
}

enum err import_csv_read(struct import_slice **out, struct str text, struct str told, uint64_t first_line, struct problem *why)
{
    scoped(import_slice) struct import_slice *s = NULL;
    struct layout l = { .n = 0 };
    enum err err = import_slice_new(&s, first_line);
    if (!err && told.n)
        err = told_layout(&l, told, why);
    if (err)
        return err;
    scoped_csv c;
    csv_init(&c, first_line);
    csv_feed(&c, text, true);
    err = rows_read(s, &c, &l, why);
    if (!err && !l.n)
        err = rule_problem(why, ERR_RANGE, RULE_COLUMN_NEEDED, columns[NUMBER_COLUMN].name);
    if (err == ERR_SIZE)
        err = rule_problem(why, err, RULE_SLICE_TOO_LARGE);
    if (err)
        return err;
    *out = s;
    s = NULL;
    return ERR_NONE;
}
