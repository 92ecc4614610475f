#include "base/clock.h"

#include "base/str.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct clock {
    _Atomic int64_t offset_us;
    _Atomic int64_t frozen_us;      /* 0: running */
};

struct mono clock_mono(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (struct mono){ ts.tv_sec * (int64_t)US_PER_S + ts.tv_nsec / 1000 };
}

int64_t clock_wall_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec * (int64_t)US_PER_S + ts.tv_nsec / 1000;
}

struct clock *clock_new(int64_t offset_us)
{
    struct clock *c = calloc(1, sizeof *c);
    if (c)
        c->offset_us = offset_us;
    return c;
}

void clock_free(struct clock *c)
{
    free(c);
}

int64_t clock_product_us(const struct clock *c)
{
    int64_t frozen = c->frozen_us;
    return frozen ? frozen : clock_wall_us() + c->offset_us;
}

int64_t clock_offset_us(const struct clock *c)
{
    return c->offset_us;
}

void clock_set_offset_us(struct clock *c, int64_t offset_us)
{
    c->offset_us = offset_us;
}

void clock_freeze(struct clock *c, int64_t product_us)
{
    c->frozen_us = product_us;
}

static struct tm utc(int64_t us, int64_t *fraction_us)
{
    int64_t s = us / US_PER_S, f = us % US_PER_S;
    if (f < 0)
        s--, f += US_PER_S;
    time_t t = (time_t)s;
    struct tm tm;
    gmtime_r(&t, &tm);
    *fraction_us = f;
    return tm;
}

static void number(char *dst, size_t n, unsigned v)
{
    while (n--) {
        dst[n] = (char)('0' + v % 10);
        v /= 10;
    }
}

/* "YYYYMMDDhhmmss": a day is seldom another than the one before. @return microseconds of that second */
static unsigned stamp(char dst[TIME_STAMP_SIZE - 1], int64_t us)
{
    enum { DAY_S = 86400 };
    static _Thread_local struct { int64_t day; char date[8]; bool known; } last;
    int64_t f_us = us % US_PER_S, s = us / US_PER_S - (f_us < 0), day = s / DAY_S - (s % DAY_S < 0);
    if (!last.known || last.day != day) {
        int64_t f;
        struct tm tm = utc(us, &f);
        number(last.date, 4, (unsigned)(tm.tm_year + 1900) % 10000);
        number(last.date + 4, 2, (unsigned)tm.tm_mon + 1);
        number(last.date + 6, 2, (unsigned)tm.tm_mday);
        last.day = day;
        last.known = true;
    }
    unsigned of_day = (unsigned)(s - day * DAY_S);
    memcpy(dst, last.date, sizeof last.date);
    number(dst + 8, 2, of_day / 3600);
    number(dst + 10, 2, of_day / 60 % 60);
    number(dst + 12, 2, of_day % 60);
    return (unsigned)(f_us < 0 ? f_us + US_PER_S : f_us);
}

void time_stamp(char dst[TIME_STAMP_SIZE], int64_t us)
{
    (void)stamp(dst, us);
    dst[TIME_STAMP_SIZE - 1] = '\0';
}

void time_iso8601(char *dst, int64_t us)
{
    static const char form[ISO8601_SIZE] = "YYYY-MM-DDThh:mm:ss.uuuuuu0+00:00";
    char at[TIME_STAMP_SIZE];
    unsigned f = stamp(at, us);
    memcpy(dst, form, sizeof form);
    memcpy(dst, at, 4);
    for (size_t i = 0; i < 5; i++)
        memcpy(dst + 5 + 3 * i, at + 4 + 2 * i, 2);
    number(dst + 20, 6, f);
}

/* Exactly n digits at s.p[*at]. */
static bool digits(struct str s, size_t *at, size_t n, int *out)
{
    int v = 0;
    if (s.n - *at < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = s.p[*at + i];
        if (c < '0' || c > '9')
            return false;
        v = v * 10 + (c - '0');
    }
    *at += n;
    *out = v;
    return true;
}

static bool literal(struct str s, size_t *at, char c)
{
    if (*at >= s.n || s.p[*at] != c)
        return false;
    ++*at;
    return true;
}

static bool in_calendar(const struct tm *tm)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year = tm->tm_year + 1900;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return year >= 1970 && tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1
        && tm->tm_mday <= days[tm->tm_mon] + (leap && tm->tm_mon == 1)
        && tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

enum err time_iso8601_read(struct str s, int64_t *us)
{
    struct tm tm = { 0 };
    size_t at = 0;
    if (!digits(s, &at, 4, &tm.tm_year) || !literal(s, &at, '-') || !digits(s, &at, 2, &tm.tm_mon)
        || !literal(s, &at, '-') || !digits(s, &at, 2, &tm.tm_mday)
        || !(literal(s, &at, 'T') || literal(s, &at, 't')) || !digits(s, &at, 2, &tm.tm_hour)
        || !literal(s, &at, ':') || !digits(s, &at, 2, &tm.tm_min) || !literal(s, &at, ':')
        || !digits(s, &at, 2, &tm.tm_sec))
        return ERR_SYNTAX;
    int64_t f = 0, unit = US_PER_S / 10;
    if (literal(s, &at, '.')) {
        size_t from = at;
        for (; at < s.n && s.p[at] >= '0' && s.p[at] <= '9'; at++, unit /= 10)
            f += (s.p[at] - '0') * unit;
        if (at == from)
            return ERR_SYNTAX;
    }
    int zone_h = 0, zone_m = 0, sign = 1;
    if (!literal(s, &at, 'Z') && !literal(s, &at, 'z')) {
        if (literal(s, &at, '-'))
            sign = -1;
        else if (!literal(s, &at, '+'))
            return ERR_SYNTAX;
        if (!digits(s, &at, 2, &zone_h) || !literal(s, &at, ':') || !digits(s, &at, 2, &zone_m))
            return ERR_SYNTAX;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    if (at != s.n || !in_calendar(&tm) || zone_h > 23 || zone_m > 59)
        return ERR_SYNTAX;
    *us = (timegm(&tm) - sign * (zone_h * 3600 + zone_m * 60)) * (int64_t)US_PER_S + f;
    return ERR_NONE;
}

static const char day_names[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char month_names[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

void time_rfc1123(char *dst, int64_t us)
{
    int64_t f;
    struct tm tm = utc(us, &f);
    snprintf(dst, RFC1123_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT", day_names[tm.tm_wday % 7],
             (unsigned)tm.tm_mday % 100, month_names[tm.tm_mon % 12], (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

static int month_of(struct str s)
{
    for (int m = 0; m < 12; m++)
        if (str_eq_nocase(s, str_of(month_names[m])))
            return m;
    return -1;
}

enum err time_rfc1123_read(struct str s, int64_t *us)
{
    struct tm tm = { 0 };
    size_t at = 5;
    if (s.n != 29 || s.p[3] != ',' || s.p[4] != ' ' || !digits(s, &at, 2, &tm.tm_mday) || !literal(s, &at, ' '))
        return ERR_SYNTAX;
    tm.tm_mon = month_of((struct str){ s.p + at, 3 });
    at += 3;
    if (!literal(s, &at, ' ') || !digits(s, &at, 4, &tm.tm_year) || !literal(s, &at, ' ')
        || !digits(s, &at, 2, &tm.tm_hour) || !literal(s, &at, ':') || !digits(s, &at, 2, &tm.tm_min)
        || !literal(s, &at, ':') || !digits(s, &at, 2, &tm.tm_sec)
        || memcmp(s.p + at, " GMT", 4) != 0)
        return ERR_SYNTAX;
    tm.tm_year -= 1900;
    if (!in_calendar(&tm))
        return ERR_SYNTAX;
    *us = timegm(&tm) * (int64_t)US_PER_S;
    return ERR_NONE;
}
