#include "sim/smsc_ways.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/nearest.h"
#include "base/str.h"
#include "codec/smpp/smpp.h"

#include <stdio.h>

enum kind { KIND_SPAN, KIND_COUNT, KIND_CHOICE, KIND_STATUS, KIND_TEXT };
struct row {
    enum kind   kind;
    const char *name, *choices, *words;
    int64_t     otherwise, least, most;     /* KIND_TEXT: most is the size */
    size_t      at;
};

#define AT(member) .at = offsetof(struct smsc_ways, member)
#define ROW_SPAN(member, name_, default_, most_, words_) \
    { KIND_SPAN, name_, .words = words_, .otherwise = default_, .most = most_, AT(member) },
#define ROW_COUNT(member, name_, default_, least_, most_, words_) \
    { KIND_COUNT, name_, .words = words_, .otherwise = default_, .least = least_, .most = most_, AT(member) },
#define ROW_CHOICE(member, name_, choices_, words_) { KIND_CHOICE, name_, .choices = choices_, .words = words_, AT(member) },
#define ROW_STATUS(member, name_, default_, words_) { KIND_STATUS, name_, .words = words_, .otherwise = default_, AT(member) },
#define ROW_TEXT(member, name_, size_, words_)      { KIND_TEXT, name_, .words = words_, .most = size_, AT(member) },
static const struct row rows[] = { SMSC_WAYS(ROW_SPAN, ROW_COUNT, ROW_CHOICE, ROW_STATUS, ROW_TEXT) };

static int64_t *span_of(struct smsc_ways *w, const struct row *row)    { return (int64_t *)((char *)w + row->at); }
static uint32_t *number_of(struct smsc_ways *w, const struct row *row) { return (uint32_t *)((char *)w + row->at); }
static char *text_of(struct smsc_ways *w, const struct row *row)       { return (char *)w + row->at; }

static void put_default(struct smsc_ways *w, const struct row *row)
{
    switch (row->kind) {
    case KIND_SPAN:     *span_of(w, row) = row->otherwise; return;
    case KIND_COUNT: case KIND_CHOICE: case KIND_STATUS:
        *number_of(w, row) = (uint32_t)row->otherwise;
        return;
    case KIND_TEXT:     text_of(w, row)[0] = '\0'; return;
    }
}

void smsc_ways_init(struct smsc_ways *w)
{
    *w = (struct smsc_ways){ 0 };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        put_default(w, &rows[i]);
}

/* -- values from text ------------------------------------------------------------------------------------------------ */
static enum err bad(const struct row *row, struct str value, struct problem *why)
{
    struct smsc_way way = { 0 };
    (void)smsc_way_row((size_t)(row - rows), &way);
    enum err err = problem_set(why, ERR_RANGE, "BadRequest", "%s: '%.*s' is not %s.", row->name,
                               (int)(value.n < 64 ? value.n : 64), value.p, way.takes);
    problem_target(why, "%s", row->name);
    return err;
}

static bool choose(const char *choices, struct str value, uint32_t *out)
{
    struct str one, rest = str_of(choices);
    uint32_t i = 0;
    for (bool more = true; more; i++) {
        more = str_cut(rest, '|', &one, &rest);
        if (str_eq(one, value)) {
            *out = i;
            return true;
        }
    }
    return false;
}

static enum err put_row(struct smsc_ways *w, const struct row *row, struct str value, struct problem *why)
{
    int64_t us;
    uint64_t number = 0;
    bool good = false;
    if (!value.n) {
        put_default(w, row);
        return ERR_NONE;
    }
    switch (row->kind) {
    case KIND_SPAN:
        good = !duration_read(value, &us) && us <= row->most;
        if (good)
            *span_of(w, row) = us;
        break;
    case KIND_COUNT:
        good = !str_u64(value, (uint64_t)row->most, &number) && (int64_t)number >= row->least;
        if (good)
            *number_of(w, row) = (uint32_t)number;
        break;
    case KIND_CHOICE:
        good = choose(row->choices, value, number_of(w, row));
        break;
    case KIND_STATUS:
        good = !smpp_status_read(value, number_of(w, row));
        break;
    case KIND_TEXT:
        good = value.n < (size_t)row->most && utf8_valid(value) && str_find(value, '\0') < 0;
        if (good)
            str_copyz(text_of(w, row), (size_t)row->most, value);
        break;
    }
    return good ? ERR_NONE : bad(row, value, why);
}

static const struct row *find(struct str name, struct problem *why)
{
    const char *known[ARRAY_LEN(rows)];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        known[i] = rows[i].name;
        if (str_eqz(name, rows[i].name))
            return &rows[i];
    }
    const char *close = nearest(name, known, ARRAY_LEN(rows));
    problem_set(why, ERR_ABSENT, "BadRequest", "The simulated SMSC has no setting '%.*s'%s%s%s.",
                (int)(name.n < 64 ? name.n : 64), name.p, close ? " (did you mean '" : "", close ? close : "", close ? "'?)" : "");
    problem_target(why, "%.*s", (int)(name.n < 64 ? name.n : 64), name.p);
    return NULL;
}

enum err smsc_ways_put(struct smsc_ways *w, struct str name, struct str value, struct problem *why)
{
    const struct row *row = find(name, why);
    return row ? put_row(w, row, value, why) : ERR_ABSENT;
}

enum err smsc_ways_read(struct smsc_ways *w, struct str text, struct problem *why)
{
    struct smsc_ways next = *w;
    struct str one, rest = text, name, value;
    enum err err = ERR_NONE;
    for (bool more = text.n > 0; more && !err;) {
        more = str_cut(rest, ',', &one, &rest);
        if (str_cut(str_trim(one), '=', &name, &value))
            err = smsc_ways_put(&next, name, value, why);
        else
            err = problem_set(why, ERR_SYNTAX, "BadRequest", "'%.*s' is not NAME=VALUE.",
                              (int)(one.n < 64 ? one.n : 64), one.p);
    }
    if (!err)
        *w = next;
    return err;
}

static enum err put_json(struct smsc_ways *w, struct str name, const struct json *value, struct problem *why)
{
    char digits[24] = "";
    const struct row *row = find(name, why);
    if (!row)
        return ERR_ABSENT;
    switch (json_kind(value)) {
    case JSON_IS_ABSENT:
        put_default(w, row);
        return ERR_NONE;
    case JSON_IS_INTEGER:
        snprintf(digits, sizeof digits, "%lld", (long long)json_int(value, 0));
        return put_row(w, row, str_of(digits), why);
    case JSON_IS_TEXT:
        return put_row(w, row, json_text(value), why);
    case JSON_IS_OBJECT: case JSON_IS_ARRAY: case JSON_IS_REAL: case JSON_IS_BOOL:
        break;
    }
    return bad(row, STR("that"), why);
}

enum err smsc_ways_patch(struct smsc_ways *w, const struct json *object, struct problem *why)
{
    struct smsc_ways next = *w;
    struct str name;
    const struct json *value;
    enum err err = ERR_NONE;
    for (void *at = NULL; !err && json_next(object, &at, &name, &value);)
        err = put_json(&next, name, value, why);
    if (!err)
        *w = next;
    return err;
}

/* -- and back -------------------------------------------------------------------------------------------------------- */
static struct str choice_word(const struct row *row, uint32_t i)
{
    struct str one = { 0 }, rest = str_of(row->choices);
    for (i++; i; i--)
        str_cut(rest, '|', &one, &rest);
    return one;
}

static void write_status(char *dst, size_t size, uint32_t status)
{
    const char *name = smpp_status_name(status);
    if (*name == '?')
        snprintf(dst, size, "0x%08x", status);
    else
        snprintf(dst, size, "%s", name);
}

void smsc_ways_write(const struct smsc_ways *ways, struct jw *out)
{
    struct smsc_ways w = *ways;
    char words[DURATION_SIZE];
    if (w.password[0])
        str_copyz(w.password, sizeof w.password, STR("***"));
    for (const struct row *row = rows; row < rows + ARRAY_LEN(rows); row++) {
        switch (row->kind) {
        case KIND_SPAN:     jw_textz(out, row->name, duration_write(words, *span_of(&w, row))); break;
        case KIND_COUNT:    jw_int(out, row->name, *number_of(&w, row)); break;
        case KIND_CHOICE:   jw_text(out, row->name, choice_word(row, *number_of(&w, row))); break;
        case KIND_TEXT:     jw_textz(out, row->name, text_of(&w, row)); break;
        case KIND_STATUS:
            write_status(words, sizeof words, *number_of(&w, row));
            jw_textz(out, row->name, words);
            break;
        }
    }
}

bool smsc_way_row(size_t i, struct smsc_way *out)
{
    char words[DURATION_SIZE];
    if (i >= ARRAY_LEN(rows))
        return false;
    const struct row *row = &rows[i];
    *out = (struct smsc_way){ .name = row->name, .words = row->words };
    switch (row->kind) {
    case KIND_SPAN:
        snprintf(out->takes, sizeof out->takes, "a time up to %s", duration_write(words, row->most));
        str_copyz(out->otherwise, sizeof out->otherwise, str_of(duration_write(words, row->otherwise)));
        break;
    case KIND_COUNT:
        snprintf(out->takes, sizeof out->takes, "%lld to %lld", (long long)row->least, (long long)row->most);
        snprintf(out->otherwise, sizeof out->otherwise, "%lld", (long long)row->otherwise);
        break;
    case KIND_CHOICE:
        snprintf(out->takes, sizeof out->takes, "one of %s", row->choices);
        str_copyz(out->otherwise, sizeof out->otherwise, choice_word(row, 0));
        break;
    case KIND_STATUS:
        snprintf(out->takes, sizeof out->takes, "a command_status");
        write_status(out->otherwise, sizeof out->otherwise, (uint32_t)row->otherwise);
        break;
    case KIND_TEXT:
        snprintf(out->takes, sizeof out->takes, "up to %lld octets of text", (long long)row->most - 1);
        break;
    }
    return true;
}
