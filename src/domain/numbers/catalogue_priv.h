/* catalogue_priv.h - the table itself, for catalogue.c, which reads it, and overlay.c, which makes another one of it. */
#pragma once
#include "domain/numbers/catalogue.h"

struct catalogue_place { const char *edition, *country, *name; };
struct catalogue_price {
    const char      *edition;
    char             country[3];
    enum number_type type;
    enum usage_item  item;
    const char      *other;                         /* country at the other end; empty: any */
    int64_t          micro;
};
struct catalogue_table {
    const struct catalogue_row   *rows;
    const struct catalogue_place *places;
    const struct catalogue_price *prices;
    size_t                        n_rows, n_places, n_prices;
};

const struct catalogue_table *catalogue_built_in(void);
/** What everybody reads from now on; NULL: what was built in. Before the threads start; the table stays the caller's. */
void catalogue_use(const struct catalogue_table *table);
