/* rates_priv.h - the sheet itself, for rates.c, which reads it, and rate_overlay.c, which makes another one of it. */
#pragma once
#include "domain/billing/rates.h"

/* A prefix never begins with 0, so its integer value names it; the table rises by that value. */
struct rate_row { uint64_t prefix; uint32_t group; };
struct rate_table {
    const struct rate_row *rows;
    size_t                 n_rows;
    const struct rate     *groups;
    size_t                 n_groups;
};

const struct rate_table *rate_built_in(void);
/** What everybody reads from now on; NULL: what was built in. Before the threads start; the table stays the caller's. */
void rate_use(const struct rate_table *table);
