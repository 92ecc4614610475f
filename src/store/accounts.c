#include "store/accounts.h"

void subscription_row_insert(struct db_unit *u, const struct subscription_row *row)
{
    db_do(u, DB_SUBSCRIPTION_INSERT, 1, DB_I(row->key), DB_T(row->name), DB_T(row->offer), DB_T(row->billing_country));
}

void subscription_row_set(struct db_unit *u, const struct subscription_row *row)
{
    db_do(u, DB_SUBSCRIPTION_SET, 1, DB_I(row->key), DB_T(row->offer), DB_T(row->billing_country), DB_I(row->active));
}

void resource_row_insert(struct db_unit *u, const struct resource_row *row)
{
    db_do(u, DB_RESOURCE_INSERT, 1, DB_I(row->key), DB_T(row->name), DB_I(row->subscription), DB_T(row->access_key[0]),
          DB_T(row->access_key[1]), DB_T(row->group), DB_T(row->location), DB_T(row->data_location), DB_T(row->tags),
          DB_T(row->identity), DB_I(row->keys_off), DB_I(row->created_us));
}

void resource_row_set(struct db_unit *u, const struct resource_row *row)
{
    db_do(u, DB_RESOURCE_SET, 1, DB_I(row->key), DB_T(row->tags), DB_T(row->identity), DB_I(row->keys_off),
          DB_I(row->changed_us));
}

void resource_row_set_key(struct db_unit *u, uint64_t resource, unsigned slot, struct str access_key)
{
    db_do(u, slot ? DB_RESOURCE_SET_KEY1 : DB_RESOURCE_SET_KEY0, 1, DB_I(resource), DB_T(access_key));
}

void resource_row_end(struct db_unit *u, uint64_t resource, int64_t now_us)
{
    db_do(u, DB_RESOURCE_END, 1, DB_I(resource), DB_I(now_us));
}

void resource_row_gone(struct db_unit *u, uint64_t resource, int64_t now_us)
{
    db_do(u, DB_RESOURCE_GONE, 1, DB_I(resource), DB_I(now_us));
}

enum err subscription_rows_each(struct db *db, enum err (*fn)(void *arg, const struct subscription_row *row), void *arg)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, DB_SUBSCRIPTION_ALL, NULL, 0, &r);
    while (!err && db_rows_next(r)) {
        struct subscription_row row = {
            .key = (uint64_t)db_int(r, 0),
            .name = db_text(r, 1),
            .offer = db_text(r, 2),
            .billing_country = db_text(r, 3),
            .active = db_int(r, 4) != 0,
        };
        err = fn(arg, &row);
    }
    return err;
}

enum err resource_rows_each(struct db *db, enum err (*fn)(void *arg, const struct resource_row *row), void *arg)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, DB_RESOURCE_ALL, NULL, 0, &r);
    while (!err && db_rows_next(r)) {
        struct resource_row row = {
            .key = (uint64_t)db_int(r, 0),
            .name = db_text(r, 1),
            .subscription = (uint64_t)db_int(r, 2),
            .access_key = { db_text(r, 3), db_text(r, 4) },
            .state = (enum resource_row_state)db_int(r, 5),
            .group = db_text(r, 6),
            .location = db_text(r, 7),
            .data_location = db_text(r, 8),
            .tags = db_text(r, 9),
            .identity = db_text(r, 10),
            .keys_off = db_int(r, 11) != 0,
            .created_us = db_int(r, 12),
            .changed_us = db_int(r, 13),
        };
        err = fn(arg, &row);
    }
    return err;
}
