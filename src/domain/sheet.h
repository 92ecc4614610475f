/* sheet.h - a CSV file that an operator wrote: its rows one by one, and complaints that name file, line, column and nearest word.
 *
 * Before the threads start, and in `check-config`: it blocks. Lines that begin with '#' are comments; a first row that names the
 * columns is passed over. A row whose first field begins with '-' takes a row out: only its key need stand there. */
#pragma once
#include "base/problem.h"

enum { SHEET_COLUMNS_MAX = 16, SHEET_SIZE_MAX = 64 << 20 };

struct sheet_row {
    const char        *file;
    uint64_t           line;
    const char *const *columns;
    size_t             n;
    bool               removes;                         /* the '-' is cut off */
    struct str         fields[SHEET_COLUMNS_MAX];       /* empty from the n-th on; good during the call */
};

struct sheet_kind {
    const char *const *columns;
    size_t             n_columns, n_needed, n_key;      /* a row has n_needed..n_columns fields, one that removes n_key or more */
};

typedef enum err sheet_row_fn(void *arg, const struct sheet_row *row, struct problem *why);
/** Every row through fn, until it refuses one. @return ERR_ABSENT (no such file), ERR_IO, ERR_SIZE, ERR_SYNTAX, what fn said */
MUST_USE enum err sheet_each(const char *path, const struct sheet_kind *kind, sheet_row_fn *fn, void *arg, struct problem *why);

/** "FILE:3: column 2 (type): ..." @return ERR_SYNTAX */
enum err sheet_fault(const struct sheet_row *row, size_t column, struct problem *why, const char *format, ...) PRINTF(4, 5);
/** The field is none of these words: says so with the nearest. @return ERR_SYNTAX */
enum err sheet_unknown(const struct sheet_row *row, size_t column, struct str given, const char *const *words, size_t n,
                       struct problem *why);
/** @return ERR_SYNTAX with `why` */
MUST_USE enum err sheet_micro(const struct sheet_row *row, size_t column, int64_t *out, struct problem *why);
/** Two capital letters (ISO 3166-1 alpha-2). @return ERR_SYNTAX with `why` */
MUST_USE enum err sheet_country(const struct sheet_row *row, size_t column, struct str given, struct problem *why);
