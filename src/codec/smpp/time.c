/* Times of schedule_delivery_time, validity_period and final_date (SMPP 3.4, 7.1.1): "YYMMDDhhmmsstnnp". */
#include "codec/smpp/smpp.h"

#include <stdio.h>
#include <time.h>

enum { TIME_LETTERS = 16, TENTHS_AT = 12, QUARTERS_AT = 13, SIGN_AT = 15, QUARTERS_MAX = 48 };
static const int64_t S = 1000000;

static int two(const char *p)
{
    return (p[0] - '0') * 10 + p[1] - '0';
}

/* A year of 365 days and a month of 30: the specification does not say, and nobody asks for that long. */
static int64_t span_us(const char *p)
{
    int64_t days = two(p) * 365 + two(p + 2) * 30 + two(p + 4);
    return (((days * 24 + two(p + 6)) * 60 + two(p + 8)) * 60 + two(p + 10)) * S;
}

static enum err absolute_us(const char *p, int64_t *at_us)
{
    struct tm tm = { .tm_year = 100 + two(p), .tm_mon = two(p + 2) - 1, .tm_mday = two(p + 4), .tm_hour = two(p + 6),
                     .tm_min = two(p + 8), .tm_sec = two(p + 10) };
    int quarters = two(p + QUARTERS_AT);
    if (tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59
        || tm.tm_sec > 59 || quarters > QUARTERS_MAX)
        return ERR_SYNTAX;
    int64_t ahead_us = quarters * 15 * 60 * S;          /* of UTC */
    int day = tm.tm_mday;
    int64_t s = timegm(&tm);
    if (tm.tm_mday != day)              /* it made 3 March of 31 February */
        return ERR_SYNTAX;
    *at_us = s * S + (p[TENTHS_AT] - '0') * (S / 10) - (p[SIGN_AT] == '+' ? ahead_us : -ahead_us);
    return ERR_NONE;
}

enum err smpp_time_read(struct str text, int64_t now_us, int64_t *at_us)
{
    if (text.n != TIME_LETTERS)
        return ERR_SYNTAX;
    for (size_t i = 0; i < SIGN_AT; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return ERR_SYNTAX;
    switch (text.p[SIGN_AT]) {
    case 'R':
        *at_us = now_us + span_us(text.p);
        return ERR_NONE;
    case '+': case '-':
        return absolute_us(text.p, at_us);
    }
    return ERR_SYNTAX;
}

void smpp_time_write(char dst[SMPP_TIME_SIZE], int64_t at_us)
{
    time_t s = (time_t)(at_us / S);
    struct tm tm;
    gmtime_r(&s, &tm);
    snprintf(dst, SMPP_TIME_SIZE, "%02u%02u%02u%02u%02u%02u%u00+", (unsigned)tm.tm_year % 100, ((unsigned)tm.tm_mon + 1) % 100,
             (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100,
             (unsigned)(at_us % S / (S / 10)) % 10);
}
