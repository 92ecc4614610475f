#include "store/usage.h"
#include "store/store_priv.h"

/* -- writing -------------------------------------------------------------------------------------------------------- */

void usage_row_add(struct db_unit *u, const struct usage_row *row)
{
    db_do(u, DB_USAGE_ADD, DB_ANY_ROWS, DB_I(row->cause), DB_I(row->kind), DB_I(row->number), DB_I(row->part), DB_I(row->key),
          DB_I(row->at_us), DB_I(row->until_us), DB_I(row->resource), DB_I(row->subscription), DB_T(row->country),
          DB_T(row->destination), DB_I(row->quantity), DB_I(row->unit_micro), DB_I(row->surcharge_micro),
          DB_I(row->amount_micro), DB_I(row->cause_kind));
    db_do(u, DB_USAGE_SUM, DB_ANY_ROWS, DB_I(row->cause), DB_I(row->kind), DB_I(row->number), DB_I(row->part), DB_I(row->key),
          DB_I(row->month), DB_I(row->day));
}

void lease_row_add(struct db_unit *u, const struct lease_row *row)
{
    db_do(u, DB_LEASE_ADD, 1, DB_I(row->number), DB_I(row->since_us), DB_I(row->resource), DB_I(row->subscription),
          DB_I(row->cause), DB_T(row->country), DB_I(row->type), DB_I(row->assignment), DB_I(row->unit_micro),
          DB_I(row->next_us), DB_I(row->cause_kind));
}

void lease_row_end(struct db_unit *u, uint64_t number, int64_t at_us)
{
    db_do(u, DB_LEASE_END, DB_ANY_ROWS, DB_I(number), DB_I(at_us));
}

void lease_row_step(struct db_unit *u, const struct lease_row *row, int64_t next_us, int64_t unit_micro)
{
    db_do(u, DB_LEASE_STEP, 1, DB_I(row->number), DB_I(row->since_us), DB_I(row->cycles), DB_I(next_us), DB_I(unit_micro));
}

void lease_row_over(struct db_unit *u, const struct lease_row *row)
{
    db_do(u, DB_LEASE_OVER, 1, DB_I(row->number), DB_I(row->since_us), DB_I(row->cycles));
}

void spend_cap_row_put(struct db_unit *u, uint64_t subscription, int64_t micro)
{
    if (micro < 0)
        db_do(u, DB_SPEND_CAP_DROP, DB_ANY_ROWS, DB_I(subscription));
    else
        db_do(u, DB_SPEND_CAP_PUT, 1, DB_I(subscription), DB_I(micro));
}

/* -- asking --------------------------------------------------------------------------------------------------------- */

enum err usage_rows_ask(struct db *db, const struct usage_row *after, int64_t before_us, size_t most, struct db_read *read)
{
    const struct db_val vals[] = { DB_I(after->subscription), DB_I(after->resource), DB_I(after->at_us), DB_I(after->key),
                                   DB_I(before_us), DB_I(most) };
    return db_ask(db, DB_USAGE_AFTER, vals, ARRAY_LEN(vals), most, read);
}

enum err usage_resource_ask(struct db *db, uint64_t subscription, uint64_t after, struct db_read *read)
{
    return db_ask(db, DB_USAGE_RESOURCE_AFTER, (const struct db_val[]){ DB_I(subscription), DB_I(after) }, 2, 1, read);
}

enum err usage_sums_ask(struct db *db, enum usage_group by, const struct usage_range *range, const struct usage_sum *after,
                        size_t most, struct db_read *read)
{
    struct db_val vals[12] = { DB_I(range->subscription), DB_I(range->first_month), DB_I(range->last_month),
                               DB_I(range->first_day), DB_I(range->last_day), DB_I(range->resource), DB_I(range->number),
                               DB_I(range->kind), DB_I(after->day), DB_I(after->kind), DB_I(most) };
    switch (by) {
    case USAGE_BY_KIND:
        return db_ask(db, DB_USAGE_BY_KIND, vals, 8, most, read);
    case USAGE_BY_DAY:
        return db_ask(db, DB_USAGE_BY_DAY, vals, 11, most, read);
    case USAGE_BY_NUMBER:
        vals[8] = DB_I(after->number);
        return db_ask(db, DB_USAGE_BY_NUMBER, vals, 11, most, read);
    case USAGE_BY_DESTINATION:
        break;
    }
    vals[8] = DB_T(after->country);
    vals[9] = DB_T(after->destination);
    vals[10] = DB_I(after->kind);
    vals[11] = DB_I(most);
    return db_ask(db, DB_USAGE_BY_DESTINATION, vals, 12, most, read);
}

enum err usage_lines_ask(struct db *db, const struct usage_range *range, int64_t end_us, const struct usage_sum *after, size_t most,
                         struct db_read *read)
{
    const struct db_val vals[] = { DB_I(range->subscription), DB_I(range->first_month), DB_I(range->resource),
                                   DB_I(after->number), DB_I(after->kind), DB_T(after->country), DB_T(after->destination),
                                   DB_I(after->unit_micro), DB_I(most), DB_I(end_us) };
    return db_ask(db, DB_USAGE_LINES, vals, ARRAY_LEN(vals), most, read);
}

enum err lease_rows_ask_owing(struct db *db, int64_t now_us, size_t most, struct db_read *read)
{
    return db_ask(db, DB_LEASE_OWING, (const struct db_val[]){ DB_I(now_us), DB_I(most) }, 2, most, read);
}

enum err lease_rows_ask_next(struct db *db, struct db_read *read)
{
    return db_ask(db, DB_LEASE_NEXT, NULL, 0, 1, read);
}

/* -- reading -------------------------------------------------------------------------------------------------------- */

bool usage_row_next(struct db_rows *r, struct usage_row *row)
{
    if (!db_rows_next(r))
        return false;
    *row = (struct usage_row){
        .cause = key_at(r, 0),
        .kind = (int)db_int(r, 1),
        .number = key_at(r, 2),
        .part = (int)db_int(r, 3),
        .key = key_at(r, 4),
        .at_us = db_int(r, 5),
        .until_us = db_int(r, 6),
        .resource = key_at(r, 7),
        .subscription = key_at(r, 8),
        .country = db_text(r, 9),
        .destination = db_text(r, 10),
        .quantity = db_int(r, 11),
        .unit_micro = db_int(r, 12),
        .surcharge_micro = db_int(r, 13),
        .amount_micro = db_int(r, 14),
        .cause_kind = (int)db_int(r, 15),
    };
    return true;
}

bool usage_sum_next(struct db_rows *r, struct usage_sum *sum)
{
    if (!db_rows_next(r))
        return false;
    *sum = (struct usage_sum){
        .day = (int)db_int(r, 0),
        .kind = (int)db_int(r, 1),
        .number = key_at(r, 2),
        .country = db_text(r, 3),
        .destination = db_text(r, 4),
        .quantity = db_int(r, 5),
        .surcharge_micro = db_int(r, 6),
        .amount_micro = db_int(r, 7),
    };
    return true;
}

bool usage_line_next(struct db_rows *r, struct usage_sum *line)
{
    if (!db_rows_next(r))
        return false;
    *line = (struct usage_sum){
        .number = key_at(r, 0),
        .kind = (int)db_int(r, 1),
        .country = db_text(r, 2),
        .destination = db_text(r, 3),
        .unit_micro = db_int(r, 4),
        .quantity = db_int(r, 5),
        .surcharge_micro = db_int(r, 6),
        .amount_micro = db_int(r, 7),
        .since_us = db_int(r, 8),
        .ended_us = db_int(r, 9),
    };
    return true;
}

uint64_t usage_resource_read(struct db_rows *r)
{
    return db_rows_next(r) ? key_at(r, 0) : 0;
}

bool lease_row_next(struct db_rows *r, struct lease_row *row)
{
    if (!db_rows_next(r))
        return false;
    *row = (struct lease_row){
        .number = key_at(r, 0),
        .since_us = db_int(r, 1),
        .resource = key_at(r, 2),
        .subscription = key_at(r, 3),
        .cause = key_at(r, 4),
        .country = db_text(r, 5),
        .type = (int)db_int(r, 6),
        .assignment = (int)db_int(r, 7),
        .unit_micro = db_int(r, 8),
        .cycles = (int)db_int(r, 9),
        .next_us = db_int(r, 10),
        .ended_us = db_int(r, 11),
        .cause_kind = (int)db_int(r, 12),
    };
    return true;
}

enum err lease_rows_load_next(struct db *db, int64_t *next_us)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, DB_LEASE_NEXT, NULL, 0, &r);
    *next_us = !err && db_rows_next(r) ? db_int(r, 0) : 0;
    return err;
}

static enum err pairs(struct db *db, enum db_stmt stmt, const struct db_val *vals, size_t n,
                      enum err (*fn)(void *arg, uint64_t subscription, int64_t micro), void *arg)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, stmt, vals, n, &r);
    while (!err && db_rows_next(r))
        err = fn(arg, key_at(r, 0), db_int(r, 1));
    return err;
}

enum err usage_spent_each(struct db *db, int month, enum err (*fn)(void *arg, uint64_t subscription, int64_t micro), void *arg)
{
    return pairs(db, DB_USAGE_SPENT, (const struct db_val[]){ DB_I(month) }, 1, fn, arg);
}

enum err spend_cap_rows_each(struct db *db, enum err (*fn)(void *arg, uint64_t subscription, int64_t micro), void *arg)
{
    return pairs(db, DB_SPEND_CAP_ALL, NULL, 0, fn, arg);
}
