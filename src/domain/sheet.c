#include "domain/sheet.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/str.h"
#include "codec/csv/csv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const int64_t MICRO_MOST = INT64_C(1000000000000000);        /* a thousand million dollars */

enum err sheet_fault(const struct sheet_row *row, size_t column, struct problem *why, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return problem_set(why, ERR_SYNTAX, "BadSheet", "%s:%llu: column %zu (%s): %s", row->file, (unsigned long long)row->line,
                       column + 1, row->columns[column], text);
}

enum err sheet_unknown(const struct sheet_row *row, size_t column, struct str given, const char *const *words, size_t n,
                       struct problem *why)
{
    const char *close = nearest(given, words, n);
    char shown[64];
    str_copyz(shown, sizeof shown, given);
    return sheet_fault(row, column, why, "'%s' is no %s%s%s%s", shown, row->columns[column], close ? "; did you mean '" : "",
                       close ? close : "", close ? "'?" : "");
}

enum err sheet_micro(const struct sheet_row *row, size_t column, int64_t *out, struct problem *why)
{
    uint64_t v;
    if (str_u64(row->fields[column], (uint64_t)MICRO_MOST, &v))
        return sheet_fault(row, column, why, "'" STR_FMT "' is no whole number of millionths of a US dollar",
                           STR_ARG(row->fields[column]));
    *out = (int64_t)v;
    return ERR_NONE;
}

enum err sheet_country(const struct sheet_row *row, size_t column, struct str given, struct problem *why)
{
    bool good = given.n == 2;
    for (size_t i = 0; good && i < 2; i++)
        good = given.p[i] >= 'A' && given.p[i] <= 'Z';
    return good ? ERR_NONE : sheet_fault(row, column, why, "'" STR_FMT "' is no country: two capital letters, such as GB", STR_ARG(given));
}

/* Comments are emptied where they stand: lines keep their numbers, and quotes in them do not matter. */
static void empty_comments(char *text, size_t size)
{
    bool comment = false, at_start = true;
    for (size_t i = 0; i < size; i++) {
        if (at_start)
            comment = text[i] == '#';
        at_start = text[i] == '\n';
        if (comment && !at_start && text[i] != '\r')
            text[i] = ' ';
    }
}

static bool is_blank(const struct csv_record *rec)
{
    return rec->n == 1 && !str_trim(rec->fields[0]).n;
}

static bool is_header(const struct csv_record *rec, const struct sheet_kind *kind)
{
    for (size_t i = 0; i < rec->n && i < kind->n_columns; i++)
        if (!str_eqz(rec->fields[i], kind->columns[i]))
            return false;
    return rec->n > 1;
}

/* A first line that has some names of columns, and others. */
static enum err header_fault(const char *path, const struct csv_record *rec, const struct sheet_kind *kind, struct problem *why)
{
    size_t same = 0, other = SIZE_MAX;
    for (size_t i = 0; i < rec->n && i < kind->n_columns; i++) {
        bool equal = str_eqz(rec->fields[i], kind->columns[i]);
        same += equal;
        if (!equal && other == SIZE_MAX)
            other = i;
    }
    if (same < 2 || other == SIZE_MAX)
        return ERR_NONE;
    struct sheet_row row = { .file = path, .line = rec->line, .columns = kind->columns, .n = rec->n };
    char shown[64];
    str_copyz(shown, sizeof shown, rec->fields[other]);
    return sheet_fault(&row, other, why, "the header says '%s' here; leave the header out, or write '%s'", shown, kind->columns[other]);
}

/* Text on one line: what is cut at a NUL or breaks a line would stand in prices, answers and the list of changes. */
static bool is_text(struct str field)
{
    for (size_t i = 0; i < field.n; i++)
        if ((unsigned char)field.p[i] < ' ' || field.p[i] == 0x7f)
            return false;
    return utf8_valid(field);
}

static enum err put_row(const char *path, const struct sheet_kind *kind, const struct csv_record *rec, sheet_row_fn *fn, void *arg,
                        struct problem *why)
{
    struct sheet_row row = { .file = path, .line = rec->line, .columns = kind->columns, .n = rec->n };
    row.removes = rec->fields[0].n && rec->fields[0].p[0] == '-';
    size_t least = row.removes ? kind->n_key : kind->n_needed;
    if (rec->n < least || rec->n > kind->n_columns)
        return problem_set(why, ERR_SYNTAX, "BadSheet", "%s:%llu: %zu columns, %zu are wanted%s%s", path,
                           (unsigned long long)rec->line, rec->n, least, rec->n < least ? "; missing: " : "",
                           rec->n < least ? kind->columns[rec->n] : "");
    for (size_t i = 0; i < rec->n; i++) {
        row.fields[i] = rec->fields[i];
        if (!is_text(row.fields[i]))
            return sheet_fault(&row, i, why, "this is no text: not UTF-8, or with characters that cannot be seen");
    }
    if (row.removes)
        row.fields[0] = str_from(row.fields[0], 1);
    return fn(arg, &row, why);
}

static enum err each_row(const char *path, const struct sheet_kind *kind, struct csv *c, sheet_row_fn *fn, void *arg,
                         struct problem *why)
{
    struct csv_record rec;
    bool first = true;
    for (;;) {
        enum err err = ERR_NONE;
        switch (csv_next(c, &rec)) {
        case CSV_RECORD:
            if (first && !is_header(&rec, kind))
                err = header_fault(path, &rec, kind, why);
            if (!err && !is_blank(&rec) && !(first && is_header(&rec, kind)))
                err = put_row(path, kind, &rec, fn, arg, why);
            first &= is_blank(&rec);
            break;
        case CSV_FAULT:
            err = problem_set(why, ERR_SYNTAX, "BadSheet", "%s:%llu: %s", path, (unsigned long long)rec.line, rec.fault);
            break;
        case CSV_MORE:
        case CSV_END:
            return ERR_NONE;
        case CSV_NOMEM:
            return ERR_NOMEM;
        }
        if (err)
            return err;
    }
}

enum err sheet_each(const char *path, const struct sheet_kind *kind, sheet_row_fn *fn, void *arg, struct problem *why)
{
    char *text = NULL;
    size_t size;
    enum err err = file_read_whole(path, SHEET_SIZE_MAX, &text, &size);
    if (err == ERR_SIZE)
        return problem_set(why, err, "BadSheet", "%s: more than %d MiB", path, SHEET_SIZE_MAX >> 20);
    if (err)
        return problem_set(why, err, "BadSheet", "%s: %s", path, err == ERR_ABSENT ? "there is no such file"
                           : err != ERR_IO ? err_words(err) : errno == EINVAL ? "it is no plain file" : strerror(errno));
    scoped_csv c;
    csv_init(&c, 1);
    empty_comments(text, size);
    csv_feed(&c, (struct str){ text, size }, true);
    err = each_row(path, kind, &c, fn, arg, why);
    free(text);
    return err;
}
