#include "codec/e164/e164.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

static const struct nanp_area built_in_areas[] = {
#include "codec/e164/npa.inc"
};

static const struct nanp_area *areas = built_in_areas;      /* set before the threads start, then only read */
static size_t n_areas = ARRAY_LEN(built_in_areas);

static const struct country_code {
    unsigned code;                      /* rising */
    char     country[3];
    unsigned least, most;               /* digits of the national number */
} codes[] = {
#include "codec/e164/codes.inc"
};

enum { CODE_MAX_DIGITS = 3 };
static const uint64_t TEN7 = 10000000, TEN10 = 10000000000;

/* -- any country ---------------------------------------------------------------------------------------------------- */

unsigned e164_count(uint64_t digits)
{
    unsigned n = 1;
    while (digits /= 10)
        n++;
    return n;
}

static int compare_code(const void *key, const void *row)
{
    unsigned code = *(const unsigned *)key, other = ((const struct country_code *)row)->code;
    return code < other ? -1 : code > other;
}

static const struct country_code *code_of(uint64_t digits, unsigned *code_digits)
{
    unsigned len = e164_count(digits);
    while (len > CODE_MAX_DIGITS) {
        digits /= 10;
        len--;
    }
    for (unsigned head = (unsigned)digits; len; head /= 10, len--) {
        const struct country_code *c = bsearch(&head, codes, ARRAY_LEN(codes), sizeof codes[0], compare_code);
        if (c) {
            *code_digits = len;
            return c;
        }
    }
    return NULL;
}

enum err e164_check(uint64_t digits)
{
    unsigned code_digits, n = e164_count(digits);
    const struct country_code *c = code_of(digits, &code_digits);
    if (!c || n > E164_MAX_DIGITS || n - code_digits < c->least || n - code_digits > c->most)
        return ERR_RANGE;
    struct nanp_number na;
    if (c->code == 1 && (!nanp_read(digits, &na) || !nanp_npa_possible(na.npa) || !nanp_nxx_possible(na.npa, na.nxx)))
        return ERR_RANGE;
    return ERR_NONE;
}

static enum err read_digits(struct str text, uint64_t *digits)
{
    if (text.n < 1 || text.n > E164_MAX_DIGITS || text.p[0] == '0')
        return ERR_SYNTAX;
    uint64_t v = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return ERR_SYNTAX;
        v = v * 10 + (uint64_t)(text.p[i] - '0');
    }
    enum err err = e164_check(v);
    if (!err)
        *digits = v;
    return err;
}

enum err e164_read(struct str text, uint64_t *digits)
{
    bool plus = text.n && text.p[0] == '+';
    return read_digits(plus ? (struct str){ text.p + 1, text.n - 1 } : text, digits);
}

enum err e164_read_plus(struct str text, uint64_t *digits)
{
    return text.n && text.p[0] == '+' ? e164_read(text, digits) : ERR_SYNTAX;
}

char *e164_write(char *dst, uint64_t digits)
{
    snprintf(dst, E164_SIZE, "+%llu", (unsigned long long)digits);
    return dst;
}

char *e164_write_international(char *dst, uint64_t digits)
{
    struct nanp_number na;
    unsigned code_digits;
    const struct country_code *c = code_of(digits, &code_digits);
    if (nanp_read(digits, &na)) {
        snprintf(dst, E164_SIZE, "+1 %03u-%03u-%04u", na.npa, na.nxx, na.line);
        return dst;
    }
    char plain[E164_SIZE];
    e164_write(plain, digits);
    size_t head = !c ? strlen(plain) : plain[1] == '7' ? 2 : 1 + code_digits;  /* 76 and 77 tell countries, the code is 7 */
    snprintf(dst, E164_SIZE, "%.*s%s%s", (int)head, plain, plain[head] ? " " : "", plain + head);
    return dst;
}

bool e164_write_national(char *dst, uint64_t digits)
{
    struct nanp_number na;
    dst[0] = '\0';
    if (!nanp_read(digits, &na))
        return false;
    snprintf(dst, E164_SIZE, "(%03u) %03u-%04u", na.npa, na.nxx, na.line);
    return true;
}

const char *e164_country(uint64_t digits)
{
    struct nanp_number na;
    if (nanp_read(digits, &na)) {
        const struct nanp_area *a = nanp_area(na.npa);
        return a ? a->country : "";
    }
    unsigned code_digits;
    const struct country_code *c = code_of(digits, &code_digits);
    return c && c->code != 1 ? c->country : "";
}

unsigned e164_calling_code(struct str country)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (codes[i].country[0] && str_eqz(country, codes[i].country))
            return codes[i].code == 76 || codes[i].code == 77 ? 7 : codes[i].code;
    for (size_t i = 0; i < n_areas; i++)
        if (str_eqz(country, areas[i].country))
            return 1;
    return 0;
}

/* -- North America -------------------------------------------------------------------------------------------------- */

bool nanp_read(uint64_t digits, struct nanp_number *out)
{
    if (digits / TEN10 != 1)
        return false;
    out->npa = (unsigned)(digits / TEN7 % 1000);
    out->nxx = (unsigned)(digits / 10000 % 1000);
    out->line = (unsigned)(digits % 10000);
    return true;
}

uint64_t nanp_digits(unsigned npa, unsigned nxx, unsigned line)
{
    return TEN10 + npa * TEN7 + nxx * (uint64_t)10000 + line;
}

static bool is_n11(unsigned three)
{
    return three % 100 == 11;
}

bool nanp_npa_possible(unsigned npa)
{
    return npa >= 200 && npa <= 999 && !is_n11(npa) && npa / 10 % 10 != 9 && npa / 10 != 37 && npa / 10 != 96;
}

bool nanp_nxx_possible(unsigned npa, unsigned nxx)
{
    return nxx >= 200 && nxx <= 999 && (!is_n11(nxx) || nanp_is_toll_free(npa));
}

bool nanp_is_toll_free(unsigned npa)
{
    switch (npa) {
    case 800: case 833: case 844: case 855: case 866: case 877: case 888:
        return true;
    default:
        return false;
    }
}

bool nanp_is_premium(uint64_t digits)
{
    struct nanp_number na;
    return nanp_read(digits, &na) && (na.npa == 900 || (na.nxx == 976 && !nanp_is_toll_free(na.npa)));
}

const struct nanp_area *nanp_area(unsigned npa)
{
    for (size_t low = 0, high = n_areas; low < high;) {
        size_t middle = (low + high) / 2;
        if (areas[middle].npa == npa)
            return &areas[middle];
        if (areas[middle].npa < npa)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct nanp_area *nanp_areas(size_t *n)
{
    *n = n_areas;
    return areas;
}

void nanp_use(const struct nanp_area *with, size_t n)
{
    areas = with ? with : built_in_areas;
    n_areas = with ? n : ARRAY_LEN(built_in_areas);
}
