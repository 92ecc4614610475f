#include "domain/billing/rates.h"
#include "domain/billing/rates_priv.h"

static const struct rate built_in_groups[] = {
#include "domain/rate_groups.inc"
};

static const struct rate_row built_in_rows[] = {
#include "domain/rate_prefixes.inc"
};
static const struct rate_table built_in = { built_in_rows, ARRAY_LEN(built_in_rows), built_in_groups, ARRAY_LEN(built_in_groups) };

static const struct rate_table *table = &built_in;     /* set before the threads start, then only read */

const struct rate_table *rate_built_in(void)
{
    return &built_in;
}

void rate_use(const struct rate_table *with)
{
    table = with ? with : &built_in;
}

static const struct rate_row *row_find(uint64_t prefix)
{
    for (size_t low = 0, high = table->n_rows; low < high;) {
        size_t middle = (low + high) / 2;
        if (table->rows[middle].prefix == prefix)
            return &table->rows[middle];
        if (table->rows[middle].prefix < prefix)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct rate *rate_find_prefix(uint64_t digits, uint64_t *prefix)
{
    for (; digits; digits /= 10) {
        const struct rate_row *row = row_find(digits);
        if (row) {
            *prefix = digits;
            return &table->groups[row->group];
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
    return table->n_rows;
}

uint64_t rate_prefix(size_t i, const struct rate **rate)
{
    *rate = &table->groups[table->rows[i].group];
    return table->rows[i].prefix;
}
