/* numbers_catalogue_api.c - countries, localities, area codes and offerings, read from the catalogue and the area codes. */
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/country_names.h"
#include "domain/numbers/inventory.h"
#include "domain/rules.h"
#include "edge/api/languages.h"
#include "edge/api/numbers_priv.h"

#include <inttypes.h>
#include <stdio.h>

enum { PAGE_DEFAULT = 100, PAGE_MOST = 1000 };

struct page { int64_t skip, size, at; };        /* at: items seen so far */

static enum err page_read(struct http_call *hc, struct page *p)
{
    *p = (struct page){ 0 };
    enum err err = http_query_int(hc, "skip", 0, INT32_MAX, 0, &p->skip);
    return err ? err : http_query_int(hc, "maxPageSize", 1, PAGE_MOST, PAGE_DEFAULT, &p->size);
}

/* Is the next item on this page? */
static bool page_takes(struct page *p)
{
    int64_t at = p->at++;
    return at >= p->skip && at < p->skip + p->size;
}

void numbers_write_next(struct http_call *hc, struct jw *w, bool more, const char *path, int64_t skip, const char *size_name,
                        int64_t size, const char *const *keep)
{
    if (!more) {
        jw_null(w, "nextLink");
        return;
    }
    scoped_buf link = { 0 };
    buf_printf(&link, "%s?skip=%" PRId64 "&%s=%" PRId64, path, skip + size, size_name, size);
    for (; keep && *keep; keep++) {
        struct str v = http_query(hc, *keep);
        if (!v.p)
            continue;
        buf_printf(&link, "&%s=", *keep);
        buf_put_escaped(&link, v);
    }
    buf_putz(&link, "&api-version=");
    buf_put_escaped(&link, hc->api_version);
    jw_text(w, "nextLink", buf_str(&link));
}

static void page_end(struct http_call *hc, struct jw *w, const struct page *p, struct str country, const char *what,
                     const char *const *keep)
{
    char path[96];
    snprintf(path, sizeof path, "/availablePhoneNumbers/countries%s" STR_FMT "%s", country.n ? "/" : "",
             STR_ARG(country), what);
    jw_end(w);
    numbers_write_next(hc, w, p->at > p->skip + p->size, path, p->skip, "maxPageSize", p->size, keep);
    jw_end(w);
    http_reply(hc, 200);
}

enum err numbers_country_of(struct http_call *hc, struct str *country)
{
    struct str given = arena_str(hc->arena, hc->params[0]);
    if (!given.p)
        return ERR_NOMEM;
    for (char *c = (char *)(uintptr_t)given.p; *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    *country = given;
    return numbers_country(hc->api->numbers, given, &hc->why);
}

void numbers_write_cost(struct jw *w, int64_t micro)
{
    jw_object(w, "cost");
    jw_micro(w, "amount", micro);
    jw_textz(w, "currencyCode", "USD");
    jw_textz(w, "billingFrequency", "monthly");
    jw_end(w);
}

void numbers_write_capabilities(struct jw *w, const char *name, enum capability calling, enum capability sms)
{
    jw_object(w, name);
    jw_textz(w, "calling", capability_word(calling));
    jw_textz(w, "sms", capability_word(sms));
    jw_end(w);
}

/* -- countries ------------------------------------------------------------------------------------------------------ */

enum err numbers_countries(struct http_call *hc)
{
    struct page p;
    enum err err = page_read(hc, &p);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "countries");
    const char *name, *code, *language = language_choose(http_header(hc, "accept-language"), country_languages);
    http_answer_header(hc, "Content-Language", "%s", language);
    for (size_t i = 0; (code = catalogue_country(numbers_edition(hc->api->numbers), i, &name)); i++)
        if (catalogue_sells_in(numbers_edition(hc->api->numbers), str_of(code)) && page_takes(&p)) {
            jw_object(&w, NULL);
            const char *localized = country_name(code, language);
            jw_textz(&w, "localizedName", localized ? localized : name);
            jw_textz(&w, "countryCode", code);
            jw_end(&w);
        }
    page_end(hc, &w, &p, STR(""), "", NULL);
    return ERR_NONE;
}

static enum err query_type(struct http_call *hc, bool needed, bool *given, enum number_type *type)
{
    struct str word = http_query(hc, "phoneNumberType");
    *given = word.p != NULL;
    if (word.p ? !numbers_type_of(hc, word, type) : !needed)
        return ERR_NONE;
    enum err err = word.p ? rule_problem(&hc->why, ERR_RANGE, RULE_PHONE_NUMBER_TYPE_UNKNOWN, word.p)
                          : rule_problem(&hc->why, ERR_RANGE, RULE_FIELD_NEEDED, "phoneNumberType",
                                         http_is_since(hc, NUMBERS_MOBILE_SINCE)
                                             ? "'geographic', 'tollFree' or 'mobile', as a query parameter"
                                             : "'geographic' or 'tollFree', as a query parameter");
    problem_target(&hc->why, "phoneNumberType");
    return err;
}

static enum err query_assignment(struct http_call *hc, bool *given, enum assignment *assignment)
{
    struct str word = http_query(hc, "assignmentType");
    *given = word.p != NULL;
    if (!word.p || !assignment_read(word, assignment))
        return ERR_NONE;
    enum err err = rule_problem(&hc->why, ERR_RANGE, RULE_ASSIGNMENT_TYPE_UNKNOWN, word.p);
    problem_target(&hc->why, "assignmentType");
    return err;
}

/* -- localities ----------------------------------------------------------------------------------------------------- */

/* "WA" or "Washington"; an absent filter fits all. */
static bool division_fits(struct str wanted, const struct inventory_area *a)
{
    return !wanted.p || str_eq_nocase(wanted, str_of(a->admin)) || str_eq_nocase(wanted, str_of(a->admin_name));
}

static int by_place(const void *a, const void *b)
{
    const struct inventory_area *x = a, *y = b;
    int order = strcmp(x->place, y->place);
    return order ? order : strcmp(x->admin, y->admin);
}

/* Area codes that have a place, in order of places. NULL: out of memory. */
static const struct inventory_area *places(struct http_call *hc, struct str country, struct str division, size_t *n)
{
    struct inventory_area *list = arena_array(hc->arena, inventory_areas(), sizeof *list);
    *n = 0;
    for (size_t i = 0; list && i < inventory_areas(); i++)
        if (inventory_area(i, &list[*n]) && inventory_area_is(&list[*n], country, NUMBER_GEOGRAPHIC) && list[*n].place[0]
            && division_fits(division, &list[*n]))
            ++*n;
    if (list)
        qsort(list, *n, sizeof *list, by_place);
    return list;
}

static void write_locality(struct jw *w, const struct inventory_area *a)
{
    jw_object(w, NULL);
    jw_textz(w, "localizedName", a->place);
    if (a->admin[0]) {
        jw_object(w, "administrativeDivision");
        jw_textz(w, "localizedName", a->admin);
        jw_textz(w, "abbreviatedName", a->admin);
        jw_end(w);
    }
    jw_end(w);
}

enum err numbers_localities(struct http_call *hc)
{
    static const char *const keep[] = { "administrativeDivision", "phoneNumberType", NULL };
    struct str country;
    struct page p;
    size_t n;
    bool by_type = false;
    enum number_type type = NUMBER_GEOGRAPHIC;
    enum err err = numbers_country_of(hc, &country);
    if (!err && http_is_since(hc, NUMBERS_MOBILE_SINCE))
        err = query_type(hc, false, &by_type, &type);
    if (!err)
        err = page_read(hc, &p);
    if (err)
        return err;
    const struct inventory_area *list = places(hc, country, http_query(hc, "administrativeDivision"), &n);
    if (!list)
        return ERR_NOMEM;
    if (by_type && type != NUMBER_GEOGRAPHIC)
        n = 0;                          /* only local numbers belong to a place */
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "phoneNumberLocalities");
    for (size_t i = 0; i < n; i++)
        if ((!i || by_place(&list[i - 1], &list[i])) && page_takes(&p))
            write_locality(&w, &list[i]);
    page_end(hc, &w, &p, country, "/localities", keep);
    return ERR_NONE;
}

/* -- area codes ----------------------------------------------------------------------------------------------------- */

struct area_filter {
    struct str       country, locality, division;
    enum number_type type;
};

static bool area_fits(const struct area_filter *f, const struct inventory_area *a)
{
    if (!inventory_area_is(a, f->country, f->type))
        return false;
    return f->type != NUMBER_GEOGRAPHIC
           || (division_fits(f->division, a) && (!f->locality.p || str_eq_nocase(f->locality, str_of(a->place))));
}

static enum err area_filter_read(struct http_call *hc, struct area_filter *f)
{
    bool given;
    enum assignment assignment;
    enum err err = numbers_country_of(hc, &f->country);
    if (!err)
        err = query_type(hc, true, &given, &f->type);
    if (!err)
        err = query_assignment(hc, &given, &assignment);
    const struct catalogue_row *row;
    if (!err && given)
        err = catalogue_offer(numbers_edition(hc->api->numbers), f->country, f->type, assignment, CAP_NONE, CAP_NONE, &row, &hc->why);
    f->locality = http_query(hc, "locality");
    f->division = http_query(hc, "administrativeDivision");
    return err;
}

enum err numbers_area_codes(struct http_call *hc)
{
    static const char *const keep[] = { "phoneNumberType", "assignmentType", "locality", "administrativeDivision", NULL };
    struct area_filter f;
    struct page p;
    enum err err = area_filter_read(hc, &f);
    if (!err)
        err = page_read(hc, &p);
    if (err)
        return err;
    struct inventory_area a;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "areaCodes");
    for (size_t i = 0; i < inventory_areas(); i++)
        if (inventory_area(i, &a) && area_fits(&f, &a) && page_takes(&p)) {
            jw_object(&w, NULL);
            jw_textz(&w, "areaCode", a.code);
            jw_end(&w);
        }
    page_end(hc, &w, &p, f.country, "/areaCodes", keep);
    return ERR_NONE;
}

/* -- offerings ------------------------------------------------------------------------------------------------------ */

static void write_offering(struct jw *w, const struct catalogue_row *row)
{
    jw_object(w, NULL);
    jw_textz(w, "phoneNumberType", number_type_word(row->type));
    jw_textz(w, "assignmentType", assignment_word(row->assignment));
    numbers_write_capabilities(w, "availableCapabilities", row->calling, row->sms);
    numbers_write_cost(w, row->lease_micro);
    jw_end(w);
}

enum err numbers_offerings(struct http_call *hc)
{
    static const char *const keep[] = { "phoneNumberType", "assignmentType", NULL };
    struct str country;
    struct page p;
    bool by_type = false, by_assignment = false;
    enum number_type type = NUMBER_GEOGRAPHIC;
    enum assignment assignment = ASSIGNED_PERSON;
    enum err err = numbers_country_of(hc, &country);
    if (!err)
        err = query_type(hc, false, &by_type, &type);
    if (!err)
        err = query_assignment(hc, &by_assignment, &assignment);
    if (!err)
        err = page_read(hc, &p);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "phoneNumberOfferings");
    const struct catalogue_row *row;
    for (size_t i = 0; (row = catalogue_row(numbers_edition(hc->api->numbers), i)); i++)
        if (number_type_is_leased(row->type) && str_eqz(country, row->country) && (!by_type || row->type == type)
            && (row->type != NUMBER_MOBILE || http_is_since(hc, NUMBERS_MOBILE_SINCE)) && (!by_assignment || row->assignment == assignment) && page_takes(&p))
            write_offering(&w, row);
    page_end(hc, &w, &p, country, "/offerings", keep);
    return ERR_NONE;
}
