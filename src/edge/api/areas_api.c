/* areas_api.c - GET /numbers/areas: area codes and the places they belong to. */
#include "base/str.h"
#include "domain/numbers/catalogue.h"
#include "domain/numbers/inventory.h"
#include "domain/numbers/numbers.h"
#include "domain/rules.h"
#include "edge/api/inventory_priv.h"

#include <inttypes.h>

enum { LISTED = 500, LISTED_MOST = 1000 };

struct wanted {
    struct str       country, place, division;  /* empty: any */
    bool             by_type;
    enum number_type type;
};

static bool fits(const struct wanted *f, const struct inventory_area *a)
{
    return (!f->by_type || a->type == f->type) && (!f->country.n || inventory_area_is(a, f->country, a->type))
           && (!f->place.n || str_eq_nocase(f->place, str_of(a->place)))
           && (!f->division.n || str_eq_nocase(f->division, str_of(a->admin)) || str_eq_nocase(f->division, str_of(a->admin_name)));
}

static enum err wanted_read(struct http_call *hc, struct wanted *f)
{
    struct str type = http_query(hc, "type");
    *f = (struct wanted){ .country = http_query(hc, "country"), .by_type = type.n > 0 };
    str_cut(http_query(hc, "locality"), ',', &f->place, &f->division);
    f->place = str_trim(f->place);
    f->division = str_trim(f->division);
    if (!type.n || !catalogue_type_read(type, &f->type))
        return ERR_NONE;
    rule_problem(&hc->why, ERR_RANGE, RULE_PHONE_NUMBER_TYPE_UNKNOWN, arena_shown(hc->arena, type));
    problem_target(&hc->why, "type");
    return ERR_RANGE;
}

static void write_area(struct jw *w, const struct inventory_area *a)
{
    jw_object(w, NULL);
    jw_textz(w, "areaCode", a->code);
    jw_textz(w, "countryCode", a->country);
    jw_textz(w, "phoneNumberType", number_type_word(a->type));
    jw_textz(w, "locality", a->place[0] ? a->place : NULL);
    jw_textz(w, "administrativeDivision", a->admin[0] ? a->admin : NULL);
    jw_end(w);
}

/* Behind area number `skip`; the next page's link is of the same query. */
enum err areas_get(struct http_call *hc)
{
    static const char *const known[] = { "country", "locality", "type", "skip", "top" };
    int64_t skip = 0, top = 0, n = 0;
    struct wanted f;
    enum err err = http_query_known(hc, known, ARRAY_LEN(known));
    if (!err)
        err = wanted_read(hc, &f);
    if (!err)
        err = http_query_int(hc, "skip", 0, INT32_MAX, 0, &skip);
    if (!err)
        err = http_query_int(hc, "top", 1, LISTED_MOST, LISTED, &top);
    if (err)
        return err;
    struct inventory_area a;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    for (size_t i = 0; i < inventory_areas() && n <= skip + top; i++)
        if (inventory_area(i, &a) && fits(&f, &a) && n++ >= skip && n <= skip + top)
            write_area(&w, &a);
    jw_end(&w);
    if (n > skip + top)
        jw_text(&w, "nextLink", http_next_link(hc, "skip", arena_printf(hc->arena, "%" PRId64, skip + top)));
    jw_end(&w);
    if (!n && f.place.n) {
        buf_clear(&hc->out);
        rule_problem(&hc->why, ERR_RANGE, RULE_LOCALITY_UNKNOWN, arena_shown(hc->arena, http_query(hc, "locality")));
        problem_target(&hc->why, "locality");
        return ERR_RANGE;
    }
    http_reply(hc, 200);
    return ERR_NONE;
}
