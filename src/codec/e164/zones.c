#include "codec/e164/zones.h"
#include "base/clock.h"

#include <stdlib.h>

enum { DAY_MINUTES = 24 * 60, HOUR = 60 };
static const int64_t MINUTE_US = 60 * (int64_t)US_PER_S;

static const struct nanp_clock clocks[] = {
#include "codec/e164/zones.inc"
};

static int by_npa(const void *key, const void *element)
{
    return (int)*(const unsigned *)key - (int)((const struct nanp_clock *)element)->npa;
}

const struct nanp_clock *nanp_clock(unsigned npa)
{
    return bsearch(&npa, clocks, ARRAY_LEN(clocks), sizeof clocks[0], by_npa);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* -- the calendar: days since 1970-01-01 ----------------------------------------------------------------------------------- */

/* The first day of a month; years begin in March here, so that the leap day is their last. */
static int64_t month_begin(int64_t year, int month)
{
    int64_t y = year - (month <= 2), era = floor_div(y, 400), of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t year_of(int64_t day)
{
    int64_t year = 1970 + floor_div(day, 366);
    while (month_begin(year + 1, 1) <= day)
        year++;
    return year;
}

/* The n-th Sunday of a month; 1970-01-01 was a Thursday. */
static int64_t sunday(int64_t year, int month, int n)
{
    int64_t first = month_begin(year, month), weekday = ((first + 4) % 7 + 7) % 7;
    return first + (7 - weekday) % 7 + 7 * (n - 1);
}

/* By standard time all the while: summer begins at 2:00 and ends at 1:00 of it. */
static bool is_summer(int64_t standard_minute)
{
    int64_t year = year_of(floor_div(standard_minute, DAY_MINUTES));
    return standard_minute >= sunday(year, 3, 2) * DAY_MINUTES + 2 * HOUR
           && standard_minute < sunday(year, 11, 1) * DAY_MINUTES + 1 * HOUR;
}

int nanp_offset(const struct nanp_zone *z, int64_t utc_us)
{
    int64_t standard = floor_div(utc_us, MINUTE_US) + z->minutes;
    return z->minutes + (z->summer && is_summer(standard) ? HOUR : 0);
}

/* -- a part of the day ------------------------------------------------------------------------------------------------------ */

static bool is_in(struct day_part p, int64_t minute)
{
    return p.from <= p.until ? minute >= p.from && minute < p.until : minute >= p.from || minute < p.until;
}

static int64_t minute_of_day(const struct nanp_zone *z, int64_t utc_us)
{
    int64_t local = floor_div(utc_us, MINUTE_US) + nanp_offset(z, utc_us);
    return local - floor_div(local, DAY_MINUTES) * DAY_MINUTES;
}

/* Until the part ends by a clock that nobody changes, from a minute within it. */
static int64_t rest_of(struct day_part part, int64_t minute)
{
    return part.until - minute + (part.until <= minute ? DAY_MINUTES : 0);
}

/* The first minute behind `from` that is not by its offset; at `to` it is another. */
static int64_t change_between(const struct nanp_zone *z, int64_t from, int64_t to)
{
    int before = nanp_offset(z, from * MINUTE_US);
    while (to - from > 1) {
        int64_t middle = from + (to - from) / 2;
        *(nanp_offset(z, middle * MINUTE_US) == before ? &from : &to) = middle;
    }
    return to;
}

/* When the part ends in one zone. In a night in which the clocks are changed it ends at the change, or is looked at anew from there. */
static int64_t after_in(const struct nanp_zone *z, struct day_part part, int64_t utc_us)
{
    int64_t minute = minute_of_day(z, utc_us), now = floor_div(utc_us, MINUTE_US);
    if (!is_in(part, minute))
        return utc_us;
    int64_t then = now + rest_of(part, minute);
    if (nanp_offset(z, then * MINUTE_US) == nanp_offset(z, utc_us))
        return then * MINUTE_US;
    int64_t change = change_between(z, now, then);
    minute = minute_of_day(z, change * MINUTE_US);
    return (change + (is_in(part, minute) ? rest_of(part, minute) : 0)) * MINUTE_US;
}

int64_t nanp_after(const struct nanp_clock *c, struct day_part part, int64_t utc_us)
{
    bool moved = true;                  /* bounded: with many zones a long part may leave no time that is free in all */
    for (int tries = 0; moved && tries < 8 && part.from != part.until; tries++) {
        moved = false;
        for (unsigned i = 0; i < c->n; i++) {
            int64_t then = after_in(&c->zones[i], part, utc_us);
            moved |= then > utc_us;
            utc_us = then > utc_us ? then : utc_us;
        }
    }
    return utc_us;
}
