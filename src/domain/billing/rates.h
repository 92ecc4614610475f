/* rates.h - what a minute of a call costs, by longest prefix of the destination (data/rates).
 *
 * Any thread. The table is generated; an overlay (numbers/overlay.h) may change it once, before the threads start. Prices are
 * millionths of a US dollar a minute. */
#pragma once
#include "base/base.h"

struct rate {
    const char *name;           /* "Germany - Mobile" */
    const char *type;           /* landline | mobile | mixed | non-geographic */
    char        country[3];
    int64_t     micro_a_minute;
};

/** @param digits  E.164 digits as an integer  @return static; NULL: nobody priced it */
const struct rate *rate_find(uint64_t digits);
/** The same, and the prefix that set it. */
const struct rate *rate_find_prefix(uint64_t digits, uint64_t *prefix);
/** How many prefixes are priced; the i-th of them, by rising value, with its rate. */
size_t rate_count(void);
uint64_t rate_prefix(size_t i, const struct rate **rate);
