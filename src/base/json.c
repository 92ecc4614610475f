#include "base/json.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/words.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

/* struct json and struct json_doc are json_t: only this file knows. */
static json_t *jt(const struct json *j)
{
    return (json_t *)(uintptr_t)j;
}

static const struct json *js(const json_t *t)
{
    return (const struct json *)t;
}

enum err json_read(struct json_doc **out, struct str text, struct problem *why)
{
    json_error_t at;
    json_t *t = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
                           &at);
    if (!t)
        return problem_set(why, ERR_SYNTAX, "BadRequest", "The body is not valid JSON: %s at line %d, column %d.",
                           at.text, at.line, at.column);
    *out = (struct json_doc *)t;
    return ERR_NONE;
}

void json_doc_free(struct json_doc *doc)
{
    json_decref((json_t *)doc);
}

const struct json *json_root(const struct json_doc *doc)
{
    return (const struct json *)doc;
}

enum json_kind json_kind(const struct json *j)
{
    if (!j)
        return JSON_IS_ABSENT;
    switch (json_typeof(jt(j))) {
    case JSON_OBJECT:  return JSON_IS_OBJECT;
    case JSON_ARRAY:   return JSON_IS_ARRAY;
    case JSON_STRING:  return JSON_IS_TEXT;
    case JSON_INTEGER: return JSON_IS_INTEGER;
    case JSON_REAL:    return JSON_IS_REAL;
    case JSON_TRUE:
    case JSON_FALSE:   return JSON_IS_BOOL;
    case JSON_NULL:    return JSON_IS_ABSENT;
    }
    return JSON_IS_ABSENT;
}

const struct json *json_member(const struct json *object, const char *name)
{
    json_t *v = object ? json_object_get(jt(object), name) : NULL;
    return json_is_null(v) ? NULL : js(v);
}

const struct json *json_item(const struct json *array, size_t i)
{
    json_t *v = array ? json_array_get(jt(array), i) : NULL;
    return json_is_null(v) ? NULL : js(v);
}

size_t json_count(const struct json *j)
{
    switch (json_kind(j)) {
    case JSON_IS_ARRAY:  return json_array_size(jt(j));
    case JSON_IS_OBJECT: return json_object_size(jt(j));
    default:             return 0;
    }
}

struct str json_text(const struct json *j)
{
    if (json_kind(j) != JSON_IS_TEXT)
        return (struct str){ NULL, 0 };
    return (struct str){ json_string_value(jt(j)), json_string_length(jt(j)) };
}

int64_t json_int(const struct json *j, int64_t otherwise)
{
    return json_kind(j) == JSON_IS_INTEGER ? json_integer_value(jt(j)) : otherwise;
}

bool json_bool(const struct json *j, bool otherwise)
{
    return json_kind(j) == JSON_IS_BOOL ? json_is_true(jt(j)) : otherwise;
}

double json_number(const struct json *j, double otherwise)
{
    return j && json_is_number(jt(j)) ? json_number_value(jt(j)) : otherwise;
}

bool json_next(const struct json *object, void **at, struct str *name, const struct json **value)
{
    if (json_kind(object) != JSON_IS_OBJECT)
        return false;
    *at = *at ? json_object_iter_next(jt(object), *at) : json_object_iter(jt(object));
    if (!*at)
        return false;
    *name = str_of(json_object_iter_key(*at));
    *value = js(json_object_iter_value(*at));
    return true;
}

struct str json_text_of(const struct json *object, const char *name)
{
    return json_text(json_member(object, name));
}

int64_t json_int_of(const struct json *object, const char *name, int64_t otherwise)
{
    return json_int(json_member(object, name), otherwise);
}

bool json_bool_of(const struct json *object, const char *name, bool otherwise)
{
    return json_bool(json_member(object, name), otherwise);
}

static enum err field_problem(struct problem *why, const struct json_field *f, const char *said)
{
    enum err err = problem_set(why, ERR_RANGE, "BadRequest", "The field '%s' %s.", f->name, said);
    problem_target(why, "%s", f->name);
    return err;
}

static enum err fill_text(const struct json_field *f, const struct json *v, char *at, struct arena *a,
                          struct problem *why)
{
    if (json_kind(v) != JSON_IS_TEXT)
        return field_problem(why, f, "must be text");
    struct str text = json_text(v);
    int64_t units = (int64_t)utf8_utf16_units(text);
    char said[96];
    snprintf(said, sizeof said, "must have %lld to %lld characters, not %lld", (long long)f->min, (long long)f->max,
             (long long)units);
    if (units < f->min || units > f->max)
        return field_problem(why, f, said);
    struct str copy = arena_str(a, text);
    memcpy(at, &copy, sizeof copy);
    return copy.p ? ERR_NONE : ERR_NOMEM;
}

static enum err fill_int(const struct json_field *f, const struct json *v, char *at, struct problem *why)
{
    if (json_kind(v) != JSON_IS_INTEGER)
        return field_problem(why, f, "must be a whole number");
    int64_t n = json_int(v, 0);
    char said[96];
    snprintf(said, sizeof said, "must be %lld to %lld, not %lld", (long long)f->min, (long long)f->max, (long long)n);
    if (n < f->min || n > f->max)
        return field_problem(why, f, said);
    memcpy(at, &n, sizeof n);
    return ERR_NONE;
}

static enum err fill_one(const struct json_field *f, const struct json *v, void *into, struct arena *a,
                         struct problem *why)
{
    char *at = (char *)into + f->offset;
    switch (f->kind) {
    case JF_TEXT:
        return fill_text(f, v, at, a, why);
    case JF_INT:
        return fill_int(f, v, at, why);
    case JF_BOOL:
        if (json_kind(v) != JSON_IS_BOOL)
            return field_problem(why, f, "must be true or false");
        *(bool *)at = json_bool(v, false);
        return ERR_NONE;
    case JF_JSON:
        memcpy(at, &v, sizeof v);
        return ERR_NONE;
    }
    return ERR_NONE;
}

enum err json_fill(const struct json *object, const struct json_field *fields, size_t n, void *into,
                   struct arena *a, struct problem *why)
{
    if (json_kind(object) != JSON_IS_OBJECT)
        return problem_set(why, ERR_SYNTAX, "BadRequest", "The body must be a JSON object.");
    for (size_t i = 0; i < n; i++) {
        const struct json *v = json_member(object, fields[i].name);
        if (!v && fields[i].needed)
            return field_problem(why, &fields[i], "is required");
        enum err err = v ? fill_one(&fields[i], v, into, a, why) : ERR_NONE;
        if (err)
            return err;
    }
    return ERR_NONE;
}

static const struct json *at_path(const struct json *j, const char *path)
{
    char name[64];
    while (*path) {
        size_t n = strcspn(path, ".");
        str_copyz(name, sizeof name, (struct str){ path, n });
        j = json_member(j, name);
        path += n + (path[n] == '.');
    }
    return j;
}

enum err json_expect(const struct json *object, const struct json_shape *shapes, size_t n, struct problem *why)
{
    static const char *const words[] = {
        [JSON_IS_ABSENT] = "null", [JSON_IS_OBJECT] = "an object", [JSON_IS_ARRAY] = "a list", [JSON_IS_TEXT] = "text",
        [JSON_IS_INTEGER] = "a whole number", [JSON_IS_REAL] = "a number", [JSON_IS_BOOL] = "true or false",
    };
    for (size_t i = 0; i < n; i++) {
        enum json_kind is = json_kind(at_path(object, shapes[i].path)), wanted = shapes[i].kind;
        if (is == JSON_IS_ABSENT || is == wanted || (wanted == JSON_IS_REAL && is == JSON_IS_INTEGER))
            continue;
        problem_set(why, ERR_RANGE, "BadRequest", "The field '%s' must be %s.", shapes[i].path, words[wanted]);
        problem_target(why, "%s", shapes[i].path);
        return ERR_RANGE;
    }
    return ERR_NONE;
}

struct jw jw_of(struct buf *b)
{
    return (struct jw){ .b = b };
}

static void escaped_one(struct buf *b, unsigned char c)
{
    switch (c) {
    case '"':  buf_putz(b, "\\\""); break;
    case '\\': buf_putz(b, "\\\\"); break;
    case '\n': buf_putz(b, "\\n"); break;
    case '\r': buf_putz(b, "\\r"); break;
    case '\t': buf_putz(b, "\\t"); break;
    default:
        if (c < ' ')
            buf_printf(b, "\\u%04x", c);
        else
            buf_putz(b, "\xef\xbf\xbd");
    }
}

/* ASCII that a JSON text has as it is (RFC 8259, 7). */
static const bool as_is[256] = { [' ' ... '!'] = true, ['#' ... '['] = true, [']' ... 0x7f] = true };

/* An octet that is no UTF-8 (a text cut in the middle, a peer's mistake) becomes U+FFFD: an answer is always JSON. */
static void escaped(struct buf *b, struct str v)
{
    buf_putc(b, '"');
    size_t from = 0, i = 0;
    for (;;) {
        while (i < v.n && as_is[(unsigned char)v.p[i]])
            i++;
        if (i >= v.n)
            break;
        unsigned char c = (unsigned char)v.p[i];
        if (c >= 0x80 && utf8_next(v, &i) != UINT32_MAX)
            continue;
        buf_put(b, v.p + from, i - from);
        escaped_one(b, c);
        from = ++i;
    }
    if (v.n > from)
        buf_put(b, v.p + from, v.n - from);
    buf_putc(b, '"');
}

static void member(struct jw *w, const char *name)
{
    uint64_t bit = (uint64_t)1 << w->depth;
    if (w->depth && (w->filled & bit))
        buf_putc(w->b, ',');
    w->filled |= bit;
    if (name && !(w->arrays & bit)) {
        escaped(w->b, str_of(name));
        buf_putc(w->b, ':');
    }
}

static void open_container(struct jw *w, const char *name, bool array)
{
    member(w, name);
    assert(w->depth < 63);
    w->depth++;
    uint64_t bit = (uint64_t)1 << w->depth;
    w->filled &= ~bit;
    w->arrays = array ? w->arrays | bit : w->arrays & ~bit;
    buf_putc(w->b, array ? '[' : '{');
}

void jw_object(struct jw *w, const char *name)
{
    open_container(w, name, false);
}

void jw_array(struct jw *w, const char *name)
{
    open_container(w, name, true);
}

void jw_end(struct jw *w)
{
    assert(w->depth);
    buf_putc(w->b, w->arrays & ((uint64_t)1 << w->depth) ? ']' : '}');
    w->depth--;
}

void jw_text(struct jw *w, const char *name, struct str v)
{
    member(w, name);
    escaped(w->b, v);
}

void jw_textz(struct jw *w, const char *name, const char *v)
{
    if (v)
        jw_text(w, name, str_of(v));
    else
        jw_null(w, name);
}

void jw_int(struct jw *w, const char *name, int64_t v)
{
    member(w, name);
    buf_put_int(w->b, v);
}

void jw_bool(struct jw *w, const char *name, bool v)
{
    member(w, name);
    buf_putz(w->b, v ? "true" : "false");
}

void jw_null(struct jw *w, const char *name)
{
    member(w, name);
    buf_putz(w->b, "null");
}

void jw_micro(struct jw *w, const char *name, int64_t micro)
{
    member(w, name);
    char text[32];
    uint64_t size = micro < 0 ? 0 - (uint64_t)micro : (uint64_t)micro;
    int n = snprintf(text, sizeof text, "%s%llu.%06llu", micro < 0 ? "-" : "", (unsigned long long)size / 1000000,
                     (unsigned long long)size % 1000000);
    while (text[n - 1] == '0' && text[n - 2] != '.')
        n--;
    buf_put(w->b, text, (size_t)n);
}

void jw_time(struct jw *w, const char *name, int64_t us)
{
    char text[ISO8601_SIZE];
    time_iso8601(text, us);
    jw_textz(w, name, text);
}

void jw_raw(struct jw *w, const char *name, struct str json)
{
    member(w, name);
    buf_puts(w->b, json);
}

void jw_printf(struct jw *w, const char *name, const char *format, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, format);
    words_vput(text, sizeof text, format, ap);
    va_end(ap);
    jw_textz(w, name, text);
}

static int dump_to_buf(const char *bytes, size_t n, void *b)
{
    buf_put(b, bytes, n);
    return 0;
}

void jw_json(struct jw *w, const char *name, const struct json *v)
{
    member(w, name);
    /* 15 digits: the most that every decimal keeps on its way through a double; 17 would show 0.35 as 0.34999999999999998 */
    if (!v || json_dump_callback(jt(v), dump_to_buf, w->b, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)))
        buf_putz(w->b, "null");
}
