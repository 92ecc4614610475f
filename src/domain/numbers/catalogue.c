#include "domain/numbers/catalogue.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/billing/rates.h"

static const struct catalogue_row rows[] = {
#include "domain/catalogue_rows.inc"
};

static const struct {
    const char *edition, *country, *name;
} countries[] = {
#include "domain/catalogue_countries.inc"
};

static const struct {
    const char      *edition, *country;
    enum number_type type;
    enum usage_item  item;
    const char      *other;             /* empty: any */
    int64_t          micro;
} usage[] = {
#include "domain/catalogue_usage.inc"
};

bool catalogue_has_edition(const char *edition)
{
    return catalogue_row(edition, 0) != NULL;
}

const struct catalogue_row *catalogue_row(const char *edition, size_t i)
{
    for (size_t r = 0; r < ARRAY_LEN(rows); r++)
        if (!strcmp(rows[r].edition, edition) && !i--)
            return &rows[r];
    return NULL;
}

const struct catalogue_row *catalogue_find(const char *edition, struct str country, enum number_type type,
                                           enum assignment assignment)
{
    for (size_t r = 0; r < ARRAY_LEN(rows); r++)
        if (rows[r].type == type && rows[r].assignment == assignment && str_eqz(country, rows[r].country)
            && !strcmp(rows[r].edition, edition))
            return &rows[r];
    return NULL;
}

int64_t catalogue_usage(const struct catalogue_row *row, enum usage_item item, const char *other)
{
    for (size_t u = 0; u < ARRAY_LEN(usage); u++)
        if (usage[u].item == item && usage[u].type == row->type && !strcmp(usage[u].country, row->country)
            && !strcmp(usage[u].edition, row->edition) && (!*usage[u].other || !strcmp(usage[u].other, other)))
            return usage[u].micro;
    return -1;
}

const char *catalogue_country(const char *edition, size_t i, const char **name)
{
    for (size_t c = 0; c < ARRAY_LEN(countries); c++)
        if (!strcmp(countries[c].edition, edition) && !i--) {
            *name = countries[c].name;
            return countries[c].country;
        }
    return NULL;
}

bool catalogue_sells_in(const char *edition, struct str country)
{
    const char *name, *code;
    for (size_t i = 0; (code = catalogue_country(edition, i, &name)); i++)
        if (str_eqz(country, code))
            return true;
    return false;
}

bool catalogue_lists(const char *list, const char *country)
{
    struct str head, rest = str_of(list);
    while (rest.n) {
        str_cut(rest, ' ', &head, &rest);
        if (*country && str_eqz(head, country))
            return true;
    }
    return false;
}

bool catalogue_reaches(const char *list, uint64_t digits)
{
    return catalogue_lists(list, "rated") ? rate_find(digits) != NULL : catalogue_lists(list, e164_country(digits));
}

/* -- words ---------------------------------------------------------------------------------------------------------- */

static const char *const type_words[] = { [NUMBER_GEOGRAPHIC] = "geographic", [NUMBER_TOLL_FREE] = "tollFree" };
static const char *const assignment_words[] = { [ASSIGNED_PERSON] = "person", [ASSIGNED_APPLICATION] = "application" };
static const char *const capability_words[] = {
    [CAP_NONE] = "none", [CAP_INBOUND] = "inbound", [CAP_OUTBOUND] = "outbound", [CAP_BOTH] = "inbound+outbound",
};

const char *number_type_word(enum number_type type)
{
    return type_words[type];
}

const char *number_type_in_words(enum number_type type)
{
    return type == NUMBER_TOLL_FREE ? "toll-free" : "local";
}

const char *assignment_word(enum assignment assignment)
{
    return assignment_words[assignment];
}

const char *capability_word(enum capability cap)
{
    return capability_words[cap];
}

static int word_at(struct str word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(word, str_of(words[i])))
            return (int)i;
    return -1;
}

enum err number_type_read(struct str word, enum number_type *out)
{
    int i = word_at(word, type_words, ARRAY_LEN(type_words));
    if (i < 0)
        return ERR_RANGE;
    *out = (enum number_type)i;
    return ERR_NONE;
}

enum err assignment_read(struct str word, enum assignment *out)
{
    int i = word_at(word, assignment_words, ARRAY_LEN(assignment_words));
    if (i < 0)
        return ERR_RANGE;
    *out = (enum assignment)i;
    return ERR_NONE;
}

enum err capability_read(struct str word, enum capability *out)
{
    int i = word_at(word, capability_words, ARRAY_LEN(capability_words));
    if (i < 0)
        return ERR_RANGE;
    *out = (enum capability)i;
    return ERR_NONE;
}
