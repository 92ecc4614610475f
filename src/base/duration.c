#include "base/duration.h"
#include "base/str.h"

#include <stdio.h>

static const struct { const char *unit; int64_t us; } units[] = {       /* the largest first */
    { "w", 604800000000 }, { "d", 86400000000 }, { "h", 3600000000 }, { "m", 60000000 }, { "s", 1000000 }, { "ms", 1000 },
    { "us", 1 },
};
static const int64_t MAX_US = 100LL * 366 * 86400000000;

/* How many octets of `s` satisfy: digits, or none of them. */
static size_t run(struct str s, bool digits)
{
    size_t n = 0;
    while (n < s.n && (s.p[n] >= '0' && s.p[n] <= '9') == digits)
        n++;
    return n;
}

static int64_t unit_us(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_eqz(name, units[i].unit))
            return units[i].us;
    return 0;
}

enum err duration_read(struct str s, int64_t *us)
{
    int64_t total = 0;
    if (str_eqz(s, "0")) {
        *us = 0;
        return ERR_NONE;
    }
    do {
        uint64_t count;
        size_t digits = run(s, true), letters = run(str_from(s, digits), false);
        int64_t unit = unit_us((struct str){ s.p + digits, letters });
        if (!digits || !unit)
            return ERR_SYNTAX;
        if (str_u64((struct str){ s.p, digits }, (uint64_t)(MAX_US / unit), &count)
            || (total += (int64_t)count * unit) > MAX_US)
            return ERR_RANGE;
        s = str_from(s, digits + letters);
    } while (s.n);
    *us = total;
    return ERR_NONE;
}

const char *duration_write(char dst[DURATION_SIZE], int64_t us)
{
    size_t at = 0;
    dst[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(units) && us > 0; i++) {
        int64_t n = us / units[i].us;
        us %= units[i].us;
        if (n)
            at += (size_t)snprintf(dst + at, DURATION_SIZE - at, "%lld%s", (long long)n, units[i].unit);
    }
    if (!at)
        str_copyz(dst, DURATION_SIZE, STR("0"));
    return dst;
}
