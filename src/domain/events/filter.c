#include "domain/events/filter.h"
#include "base/str.h"
#include "domain/rules.h"

#include <stdio.h>

static const struct str DATA = { "data.", 5 };

/* -- reading ------------------------------------------------------------------------------------------------------- */

static enum err bad(struct problem *why, const char *field, const char *must)
{
    enum err err = rule_problem(why, ERR_RANGE, RULE_EVENT_FILTER_INVALID, field, must);
    problem_target(why, "filter.%s", field);
    return err;
}

static enum err members_check(const struct json *object, const char *const *known, const char *within, struct problem *why)
{
    void *at = NULL;
    struct str name;
    const struct json *value;
    while (json_next(object, &at, &name, &value)) {
        bool found = false;
        for (size_t i = 0; known[i] && !found; i++)
            found = str_eqz(name, known[i]);
        if (!found) {
            char field[96];
            snprintf(field, sizeof field, "%s%.64s", within, name.p);
            return bad(why, field, "left out: filters have no such member");
        }
    }
    return ERR_NONE;
}

static bool is_text(const struct json *j, size_t most)
{
    struct str s = json_text(j);
    return json_kind(j) == JSON_IS_TEXT && s.n >= 1 && s.n <= most;
}

/* "data." and names with dots between, none of them empty. */
static bool is_key(const struct json *j)
{
    struct str s = json_text(j), name, rest = str_from(s, DATA.n);
    bool good = is_text(j, FILTER_KEY_MAX) && str_starts(s, DATA) && rest.n && rest.p[rest.n - 1] != '.';
    for (bool more = true; good && more;) {
        more = str_cut(rest, '.', &name, &rest);
        good = name.n > 0;
    }
    return good;
}

static bool is_operator(const struct json *j)
{
    return str_eq_nocase(json_text(j), STR("StringIn"));
}

static bool are_values(const struct json *j)
{
    bool good = json_kind(j) == JSON_IS_ARRAY && json_count(j) >= 1 && json_count(j) <= FILTER_VALUES_MAX;
    for (size_t i = 0; good && i < json_count(j); i++)
        good = is_text(json_item(j, i), FILTER_TEXT_MAX);
    return good;
}

/* What is no object has none of the members, and is told so. */
static enum err condition_check(const struct json *condition, size_t i, struct problem *why)
{
    static const char *const known[] = { "operatorType", "key", "values", NULL };
    static const struct {
        bool      (*good)(const struct json *j);
        const char *must;
    } demands[] = {
        { is_operator, "StringIn" },
        { is_key, "a field of the data, such as data.to.phoneNumber.value" },
        { are_values, "a list of 1 to 25 texts of 1 to 512 octets" },
    };
    char within[40], field[64];
    snprintf(within, sizeof within, "advancedFilters[%zu].", i);
    enum err err = members_check(condition, known, within, why);
    for (size_t m = 0; !err && m < ARRAY_LEN(demands); m++) {
        snprintf(field, sizeof field, "%s%s", within, known[m]);
        if (!demands[m].good(json_member(condition, known[m])))
            err = bad(why, field, demands[m].must);
    }
    return err;
}

enum err filter_check(const struct json *filter, struct problem *why)
{
    static const char *const known[] = { "subjectBeginsWith", "subjectEndsWith", "isSubjectCaseSensitive", "advancedFilters", NULL };
    if (json_kind(filter) == JSON_IS_ABSENT)
        return ERR_NONE;
    if (json_kind(filter) != JSON_IS_OBJECT) {
        enum err err = rule_problem(why, ERR_RANGE, RULE_EVENT_FILTER_INVALID, "filter", "an object");
        problem_target(why, "filter");
        return err;
    }
    enum err err = members_check(filter, known, "", why);
    for (size_t i = 0; !err && i < 2; i++) {
        const struct json *text = json_member(filter, known[i]);
        if (json_kind(text) != JSON_IS_ABSENT && !is_text(text, FILTER_TEXT_MAX))
            err = bad(why, known[i], "a text of 1 to 512 octets");
    }
    enum json_kind exact = json_kind(json_member(filter, known[2]));
    if (!err && exact != JSON_IS_ABSENT && exact != JSON_IS_BOOL)
        err = bad(why, known[2], "true or false");
    const struct json *list = json_member(filter, known[3]);
    if (!err && json_kind(list) != JSON_IS_ABSENT
        && (json_kind(list) != JSON_IS_ARRAY || json_count(list) > FILTER_CONDITIONS_MAX))
        err = bad(why, known[3], "a list of at most 25 conditions");
    for (size_t i = 0; !err && i < json_count(list); i++)
        err = condition_check(json_item(list, i), i, why);
    return err;
}

/* -- judging ------------------------------------------------------------------------------------------------------- */

bool filter_looks_at_data(const struct json *filter)
{
    return json_count(json_member(filter, "advancedFilters")) > 0;
}

static bool same(struct str a, struct str b, bool exact)
{
    return exact ? str_eq(a, b) : str_eq_nocase(a, b);
}

static bool subject_fits(const struct json *filter, struct str subject)
{
    struct str begins = json_text_of(filter, "subjectBeginsWith"), ends = json_text_of(filter, "subjectEndsWith");
    bool exact = json_bool_of(filter, "isSubjectCaseSensitive", false);
    return subject.n >= begins.n && subject.n >= ends.n && same((struct str){ subject.p, begins.n }, begins, exact)
        && same(str_from(subject, subject.n - ends.n), ends, exact);
}

/* What stands at data.a.b; NULL when nothing does. */
static const struct json *at_key(const struct json *data, struct str key)
{
    char name[FILTER_KEY_MAX + 1];
    struct str one, rest = str_from(key, DATA.n);
    for (bool more = true; more;) {
        more = str_cut(rest, '.', &one, &rest);
        str_copyz(name, sizeof name, one);
        data = json_member(data, name);
    }
    return data;
}

static bool condition_holds(const struct json *condition, const struct json *data)
{
    const struct json *values = json_member(condition, "values"), *is = at_key(data, json_text_of(condition, "key"));
    bool found = false;
    for (size_t i = 0; !found && json_kind(is) == JSON_IS_TEXT && i < json_count(values); i++)
        found = str_eq_nocase(json_text(is), json_text(json_item(values, i)));
    return found;
}

bool filter_admits(const struct json *filter, struct str subject, const struct json *data)
{
    const struct json *list = json_member(filter, "advancedFilters");
    bool fits = subject_fits(filter, subject);
    for (size_t i = 0; fits && i < json_count(list); i++)
        fits = condition_holds(json_item(list, i), data);
    return fits;
}
