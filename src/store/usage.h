/* usage.h - rows of charges, of their sums by day, of what leases owe, and of spend caps.
 *
 * Writing adds to a unit; *_each and *_load block and are for start-up; text borrows. Amounts are millionths of a US
 * dollar. Enumerations of the domain are stored as their integers. */
#pragma once
#include "store/db.h"

struct usage_row {
    uint64_t   cause, number, key, resource, subscription;
    int        kind, part, cause_kind;
    int        month, day;          /* 202611, 20261122: of at_us, for writing */
    int64_t    at_us, until_us;
    struct str country, destination;
    int64_t    quantity, unit_micro, surcharge_micro, amount_micro;
};
/** A repetition of (cause, kind, number, part) changes nothing. */
void usage_row_add(struct db_unit *u, const struct usage_row *row);

/* Which sums are meant; resource, number and kind 0: of all. */
struct usage_range {
    uint64_t subscription, resource, number;
    int      kind;
    int      first_month, last_month, first_day, last_day;
};
struct usage_sum {
    int        day, kind;
    uint64_t   number;
    struct str country, destination;
    int64_t    unit_micro;              /* of a line only, as the lease's times; 0: no lease, not released */
    int64_t    since_us, ended_us;
    int64_t    quantity, surcharge_micro, amount_micro;
};
enum usage_group { USAGE_BY_KIND, USAGE_BY_DAY, USAGE_BY_NUMBER, USAGE_BY_DESTINATION };

/* Each of these asks for at most `most` rows behind `after`, in its order. @return as db_ask() */
MUST_USE enum err usage_rows_ask(struct db *db, const struct usage_row *after, int64_t before_us, size_t most,
                                 struct db_read *read);    /* after: subscription, resource, at_us, key */
MUST_USE enum err usage_resource_ask(struct db *db, uint64_t subscription, uint64_t after, struct db_read *read);
MUST_USE enum err usage_sums_ask(struct db *db, enum usage_group by, const struct usage_range *range,
                                 const struct usage_sum *after, size_t most, struct db_read *read);
/** Lines of the range's first month, which ends at end_us: by number, kind, country, destination, unit. */
MUST_USE enum err usage_lines_ask(struct db *db, const struct usage_range *range, int64_t end_us, const struct usage_sum *after,
                                  size_t most, struct db_read *read);
bool usage_row_next(struct db_rows *r, struct usage_row *row);
bool usage_sum_next(struct db_rows *r, struct usage_sum *sum);
bool usage_line_next(struct db_rows *r, struct usage_sum *line);
uint64_t usage_resource_read(struct db_rows *r);                    /* 0: there is none */
MUST_USE enum err usage_spent_each(struct db *db, int month, enum err (*fn)(void *arg, uint64_t subscription, int64_t micro),
                                   void *arg);

struct lease_row {
    uint64_t   number, resource, subscription, cause;
    struct str country;
    int        type, assignment, cycles, cause_kind;
    int64_t    since_us, next_us, ended_us, unit_micro;
};
void lease_row_add(struct db_unit *u, const struct lease_row *row);
/** Released: the newest lease of a number, if it has not ended. */
void lease_row_end(struct db_unit *u, uint64_t number, int64_t at_us);
/** Charged once more; misses unless it was charged row->cycles times. */
void lease_row_step(struct db_unit *u, const struct lease_row *row, int64_t next_us, int64_t unit_micro);
void lease_row_over(struct db_unit *u, const struct lease_row *row);
MUST_USE enum err lease_rows_ask_owing(struct db *db, int64_t now_us, size_t most, struct db_read *read);
bool lease_row_next(struct db_rows *r, struct lease_row *row);
/** *next_us: when the first lease owes its next month; 0: none does. Blocks. */
MUST_USE enum err lease_rows_load_next(struct db *db, int64_t *next_us);
MUST_USE enum err lease_rows_ask_next(struct db *db, struct db_read *read);

/** @param micro  below 0: no cap */
void spend_cap_row_put(struct db_unit *u, uint64_t subscription, int64_t micro);
MUST_USE enum err spend_cap_rows_each(struct db *db, enum err (*fn)(void *arg, uint64_t subscription, int64_t micro),
                                      void *arg);
