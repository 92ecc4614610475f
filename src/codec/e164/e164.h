/* e164.h - phone numbers in international form (ITU-T E.164) and what the North American plan says of them.
 *
 * Pure functions over generated tables (data/e164, data/nanp), which nanp_use() may change once: any thread. A number is its digits as an integer,
 * 12065550100 for +1 206 555 0100. "Not possible" (country code, length, NANP form) is refused; "not assigned" is not
 * decided here. */
#pragma once
#include "base/base.h"

enum { E164_MAX_DIGITS = 15, E164_SIZE = 24 };      /* E164_SIZE: '+', the digits of any uint64_t, NUL */

/** "+12065550100", or without '+'. Nothing else: no blanks, no dashes.
 *  @return ERR_SYNTAX (not digits, leading zero, too long), ERR_RANGE (no such country code, impossible length or form) */
MUST_USE enum err e164_read(struct str text, uint64_t *digits);
/** The same, but '+' must be there: what an API takes. */
MUST_USE enum err e164_read_plus(struct str text, uint64_t *digits);
/** Is it possible?  @return ERR_RANGE */
MUST_USE enum err e164_check(uint64_t digits);
/** "+" and the digits; dst holds E164_SIZE. @return dst */
char *e164_write(char *dst, uint64_t digits);
unsigned e164_count(uint64_t digits);               /* how many digits */

/** As people write it after the country code: "+1 206-555-0100"; elsewhere than in North America the rest stays in one piece,
 *  "+44 2079460018". The number is possible; dst holds E164_SIZE. @return dst */
char *e164_write_international(char *dst, uint64_t digits);
/** As people write it at home: "(206) 555-0100". False: not known for this country, and dst is empty. */
bool e164_write_national(char *dst, uint64_t digits);

/** ISO 3166-1 alpha-2, by longest country code; +1 by area code, territories as themselves. Empty: not known. */
const char *e164_country(uint64_t digits);
/** Its country code, 44 of "GB"; 1 for all of North America. 0: not known. */
unsigned e164_calling_code(struct str country);

/* -- North America -------------------------------------------------------------------------------------------------- */
enum nanp_kind { NANP_GEOGRAPHIC, NANP_TOLL_FREE, NANP_OTHER };
struct nanp_area {
    uint16_t       npa;
    char           country[3];
    enum nanp_kind kind;
    const char    *admin, *admin_name;              /* "WA", "Washington"; empty outside US and CA */
    const char    *place;                           /* "Seattle"; the state's name where no city is known */
};
struct nanp_number { unsigned npa, nxx, line; };    /* 206, 555, 100 */

/** Cut +1 NPA NXX XXXX. False when it is not eleven digits that begin with 1. */
bool nanp_read(uint64_t digits, struct nanp_number *out);
uint64_t nanp_digits(unsigned npa, unsigned nxx, unsigned line);
/** [2-9]XX, not N11, N9X, 37X, 96X. */
bool nanp_npa_possible(unsigned npa);
/** [2-9]XX, and not N11 behind a geographic area code (toll-free 8YY-N11 is real). */
bool nanp_nxx_possible(unsigned npa, unsigned nxx);
bool nanp_is_toll_free(unsigned npa);               /* 800 833 844 855 866 877 888 */
/** 900 NXX XXXX and NPA 976 XXXX. */
bool nanp_is_premium(uint64_t digits);
/** NULL: not in the table. Static. */
const struct nanp_area *nanp_area(unsigned npa);
/** All of them, by rising area code. */
const struct nanp_area *nanp_areas(size_t *n);
/** Other area codes than the built-in ones, by rising code; NULL: those again. Before the threads start; they stay the caller's. */
void nanp_use(const struct nanp_area *areas, size_t n);
