#include "domain/billing/rates.h"

static const struct rate groups[] = {
#include "domain/rate_groups.inc"
};

/* A prefix never begins with 0, so its integer value names it; the table rises by that value. */
static const struct row {
    uint64_t prefix;
    uint16_t group;
} rows[] = {
#include "domain/rate_prefixes.inc"
};

static const struct row *row_find(uint64_t prefix)
{
    for (size_t low = 0, high = ARRAY_LEN(rows); low < high;) {
        size_t middle = (low + high) / 2;
        if (rows[middle].prefix == prefix)
            return &rows[middle];
        if (rows[middle].prefix < prefix)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct rate *rate_find_prefix(uint64_t digits, uint64_t *prefix)
{
    for (; digits; digits /= 10) {
        const struct row *row = row_find(digits);
        if (row) {
            *prefix = digits;
            return &groups[row->group];
        }
    }
    return NULL;
}

const struct rate *rate_find(uint64_t digits)
{
    uint64_t prefix;
    return rate_find_prefix(digits, &prefix);
}

size_t rate_count(void)
{
    return ARRAY_LEN(rows);
}

uint64_t rate_prefix(size_t i, const struct rate **rate)
{
    *rate = &groups[rows[i].group];
    return rows[i].prefix;
}
