#include "edge/api/languages.h"
#include "base/str.h"

enum { WISHES_MAX = 32, TAG_MAX = 35 };         /* RFC 5646, 4.4.1 */

/* 0..1000; -1: no weight at all. "1", "0.75" */
static int weight_read(struct str s)
{
    struct str whole, part;
    uint64_t v;
    int scale = 100, q;
    if (!str_cut(s, '.', &whole, &part))
        part = STR("");
    if (whole.n != 1 || part.n > 3 || (whole.p[0] != '0' && whole.p[0] != '1') || (part.n && str_u64(part, 999, &v)))
        return -1;
    q = whole.p[0] == '1' ? 1000 : 0;
    for (size_t i = 0; i < part.n; i++, scale /= 10)
        q += (part.p[i] - '0') * scale;
    return q <= 1000 ? q : -1;
}

/* "de-AT;q=0.5": the tag and its weight. False: not one. */
static bool wish_read(struct str text, struct str *tag, int *q)
{
    struct str weight;
    bool weighed = str_cut(text, ';', tag, &weight);
    *tag = str_trim(*tag);
    weight = str_trim(weight);
    *q = 1000;
    if (weighed)
        *q = weight.n > 2 && (weight.p[0] | 0x20) == 'q' && weight.p[1] == '=' ? weight_read(str_from(weight, 2)) : -1;
    return tag->n && tag->n <= TAG_MAX && *q > 0;
}

static const char *find(struct str tag, const char *const *offered)
{
    for (; *offered; offered++)
        if (str_eq_nocase(tag, str_of(*offered)))
            return *offered;
    return NULL;
}

static bool is_traditional(struct str tag)
{
    static const struct str regions[] = { STR("zh-TW"), STR("zh-HK"), STR("zh-MO") };
    for (size_t i = 0; i < ARRAY_LEN(regions); i++)
        if (str_eq_nocase(tag, regions[i]))
            return true;
    return false;
}

static const char *look_up(struct str tag, const char *const *offered)
{
    const char *found = NULL;
    if (str_eqz(tag, "*"))
        return offered[0];
    if (is_traditional(tag))
        found = find(STR("zh-Hant"), offered);
    while (!found && tag.n) {
        found = find(tag, offered);
        while (tag.n && tag.p[--tag.n] != '-')
            ;
    }
    return found;
}

const char *language_choose(struct str accept, const char *const *offered)
{
    const char *best = offered[0];
    struct str one, tag;
    bool more = accept.n > 0;
    for (int n = 0, q, best_q = 0; more && n < WISHES_MAX; n++) {
        more = str_cut(accept, ',', &one, &accept);
        const char *found = wish_read(one, &tag, &q) && q > best_q ? look_up(tag, offered) : NULL;
        if (found) {
            best = found;
            best_q = q;
        }
    }
    return best;
}
