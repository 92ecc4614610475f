/* zones.h - what o'clock it is where a North American area code is.
 *
 * Pure functions over a generated table (data/nanp/zones.csv, data/nanp/offsets.csv): any thread. Times are microseconds UTC. An area
 * code that spans zones has them all; a telephone may have moved since it got its number. */
#pragma once
#include "base/base.h"

enum { NANP_ZONES_MOST = 4 };
struct nanp_zone {
    int         minutes;                /* of its standard time, east of UTC */
    bool        summer;                 /* an hour ahead in summer, by the rule of the US since 2007 */
    const char *name;                   /* "America/New_York" */
};
struct nanp_clock {
    uint16_t         npa;
    uint8_t          n;
    struct nanp_zone zones[NANP_ZONES_MOST];
};

/** NULL: not in the table (toll-free, not in use). Static. */
const struct nanp_clock *nanp_clock(unsigned npa);
/** The offset from UTC at a moment, in minutes. */
int nanp_offset(const struct nanp_zone *z, int64_t utc_us);

/* A part of the day that may go over midnight: [from, until), in minutes of the local day, 0..1439; both equal: no time at all. */
struct day_part { uint16_t from, until; };
/** While it is in that part of the day in any of the zones: when that is over in all of them. Else `utc_us` itself. */
int64_t nanp_after(const struct nanp_clock *c, struct day_part part, int64_t utc_us);
