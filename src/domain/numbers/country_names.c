#include "domain/numbers/country_names.h"

/* In the order of the columns. */
const char *const country_languages[] = { "en", "de", "es", "fr", "it", "ja", "ko", "nl", "pt", "sv", "zh", "zh-Hant", NULL };
enum { COLUMNS = ARRAY_LEN(country_languages) - 2 };

struct row { char code[3]; const char *names[COLUMNS]; };
static const struct row rows[] = {
#include "domain/country_names.inc"
};

static int by_code(const void *code, const void *row)
{
    return strcmp(code, ((const struct row *)row)->code);
}

const char *country_name(const char *code, const char *language)
{
    const struct row *row = bsearch(code, rows, ARRAY_LEN(rows), sizeof rows[0], by_code);
    for (int i = 0; row && i < COLUMNS; i++)
        if (!strcmp(country_languages[i + 1], language))
            return row->names[i];
    return NULL;
}
