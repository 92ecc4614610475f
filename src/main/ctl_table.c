/* Tables and facts for people. A column is as wide as its widest cell, counted in code points. */
#include <stdarg.h>
#include <math.h>
#include <stdio.h>

#include "base/str.h"
#include "domain/numbers/catalogue.h"
#include "main/ctl_priv.h"

enum { COLUMNS_MAX = 16, BRIEF_MAX = 40 };

static size_t width_of(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += (s.p[i] & 0xC0) != 0x80;
    return n;
}

static struct str object_text(const struct ctl *c, const struct json *j)
{
    scoped_buf text = { 0 };
    struct jw  w = jw_of(&text);
    jw_json(&w, NULL, j);
    return arena_str(c->arena, buf_str(&text));
}

static struct str text_of(const struct ctl *c, const struct json *j)
{
    switch (json_kind(j)) {
    case JSON_IS_ABSENT:  return (struct str){ "", 0 };
    case JSON_IS_TEXT:    return json_text(j);
    case JSON_IS_INTEGER: return arena_printf(c->arena, "%lld", (long long)json_int(j, 0));
    case JSON_IS_REAL:    return arena_printf(c->arena, json_number(j, 0) < 1e6 ? "%g" : "%.0f", json_number(j, 0));
    case JSON_IS_BOOL:    return json_bool(j, false) ? STR("yes") : STR("no");
    case JSON_IS_OBJECT:  return object_text(c, j);
    case JSON_IS_ARRAY:   break;
    }
    scoped_buf list = { 0 };
    for (size_t i = 0; i < json_count(j); i++) {
        buf_putz(&list, i ? ", " : "");
        buf_puts(&list, text_of(c, json_item(j, i)));
    }
    return arena_str(c->arena, buf_str(&list));
}

struct str ctl_path_text(const struct ctl *c, const struct json *object, const char *path)
{
    struct str name, rest = str_of(path);
    bool       more;
    do {
        more = str_cut(rest, '.', &name, &rest);
        object = json_member(object, arena_str(c->arena, name).p);
    } while (more);
    return text_of(c, object);
}

/* C0, DEL and C1 (U+009B begins what ESC [ does), and what turns the direction of all that follows. */
static bool commands_a_terminal(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || (cp >= 0x202A && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069);
}

/* "2026-11-22T19:25:14.1230000+00:00" is for programs; people get "2026-11-22 19:25:14", or 14.123. Control characters in what
 * others wrote (an SMS, a display name) do not reach the terminal. */
static struct str for_people(const struct ctl *c, struct str s, enum ctl_show show)
{
    if (s.n >= 19 && s.p[4] == '-' && s.p[7] == '-' && s.p[10] == 'T' && s.p[13] == ':' && s.p[16] == ':')
        return arena_printf(c->arena, "%.10s %.*s", s.p, show == CTL_FINE && s.n >= 23 ? 12 : 8, s.p + 11);
    scoped_buf clean = { 0 };
    uint32_t cp;
    for (size_t i = 0, from = 0; (cp = utf8_next(s, &i)) != UINT32_MAX; from = i)
        buf_puts(&clean, commands_a_terminal(cp) ? STR(" ") : (struct str){ s.p + from, i - from });
    return arena_str(c->arena, buf_str(&clean));
}

const char *ctl_dollars(const struct ctl *c, int64_t micro)
{
    struct str text = arena_printf(c->arena, "%lld.%06lld", (long long)(micro / 1000000), (long long)(micro % 1000000));
    char *z = (char *)(uintptr_t)text.p;
    for (size_t n = text.n; n > 0 && z[n - 1] == '0' && z[n - 3] != '.'; n--)
        z[n - 1] = 0;
    return z;
}

/* "tagAdded" is "tag added". */
static struct str in_words(const struct ctl *c, struct str word)
{
    scoped_buf words = { 0 };
    for (size_t i = 0; i < word.n; i++) {
        bool upper = word.p[i] >= 'A' && word.p[i] <= 'Z';
        if (upper && i)
            buf_putc(&words, ' ');
        buf_putc(&words, upper ? (char)(word.p[i] - 'A' + 'a') : word.p[i]);
    }
    return arena_str(c->arena, buf_str(&words));
}

static struct str shown(const struct ctl *c, struct str s, enum ctl_show show)
{
    enum number_type type;
    switch (show) {
    case CTL_MICRO: return str_of(ctl_dollars(c, strtoll(s.p, NULL, 10)));
    case CTL_MONEY: return str_of(ctl_dollars(c, llround(strtod(s.p, NULL) * 1e6)));
    case CTL_TYPE:  return catalogue_type_read(s, &type) ? s : str_of(number_type_in_words(type));
    case CTL_WORDS: return in_words(c, s);
    default:        return s;
    }
}

static struct str cell(const struct ctl *c, const struct json *row, const struct ctl_column *column)
{
    struct str s = for_people(c, ctl_path_text(c, row, column->path), column->show);
    if (s.n)
        s = shown(c, s, column->show);
    return s.n ? s : str_of(column->none ? column->none : "-");
}

/* A cell of a table: a text that nobody can read in a line is cut, between code points. */
static struct str table_cell(const struct ctl *c, const struct json *row, const struct ctl_column *column)
{
    struct str s = cell(c, row, column);
    if (column->show != CTL_BRIEF || width_of(s) <= BRIEF_MAX)
        return s;
    size_t n = 0, end = 0;
    while (end < s.n && ((s.p[end] & 0xC0) == 0x80 || n++ < BRIEF_MAX - 3))
        end++;
    return arena_printf(c->arena, "%.*s...", (int)end, s.p);
}

static void put_cell(struct str s, size_t width, bool right, bool last)
{
    int pad = (int)(width - width_of(s));
    printf("%*s" STR_FMT "%*s", right ? pad : 0, "", STR_ARG(s), right || last ? 0 : pad, "");
    fputs(last ? "\n" : "  ", stdout);
}

static const char *title_of(const struct ctl_column *column)
{
    return column->title + (*column->title == '>');
}

void ctl_table(const struct ctl *c, const struct json *array, const struct ctl_column *columns, const char *none)
{
    if (c->json)
        return;
    if (json_kind(array) == JSON_IS_OBJECT)
        array = json_member(array, "value");
    if (!json_count(array)) {
        puts(none);
        return;
    }
    size_t n = 0, width[COLUMNS_MAX];
    for (; n < COLUMNS_MAX && columns[n].title; n++) {
        width[n] = strlen(title_of(&columns[n]));
        for (size_t i = 0; i < json_count(array); i++) {
            size_t w = width_of(table_cell(c, json_item(array, i), &columns[n]));
            width[n] = w > width[n] ? w : width[n];
        }
    }
    for (size_t k = 0; k < n; k++)
        put_cell(str_of(title_of(&columns[k])), width[k], *columns[k].title == '>', k + 1 == n);
    for (size_t i = 0; i < json_count(array); i++)
        for (size_t k = 0; k < n; k++)
            put_cell(table_cell(c, json_item(array, i), &columns[k]), width[k], *columns[k].title == '>', k + 1 == n);
}

void ctl_facts(const struct ctl *c, const struct json *object, const struct ctl_column *columns)
{
    if (c->json)
        return;
    size_t width = 0;
    for (size_t k = 0; columns[k].title; k++) {
        size_t w = strlen(title_of(&columns[k]));
        width = w > width ? w : width;
    }
    for (size_t k = 0; columns[k].title; k++) {
        struct str s = cell(c, object, &columns[k]);
        if (columns[k].show == CTL_IF_ANY && !ctl_path_text(c, object, columns[k].path).n)
            continue;
        printf("%-*s  " STR_FMT "\n", (int)width, title_of(&columns[k]), STR_ARG(s));
    }
}

bool ctl_say_json(const struct ctl *c, struct str json)
{
    if (!c->json)
        return false;
    fwrite(json.p, 1, json.n, stdout);
    if (json.n && json.p[json.n - 1] != '\n')
        putchar('\n');
    return true;
}

void ctl_say(const struct ctl *c, const char *format, ...)
{
    if (c->json)
        return;
    va_list ap;
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    putchar('\n');
}
