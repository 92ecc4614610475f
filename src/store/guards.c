#include "store/guards.h"

#define GUARD_VALUES(r)                                                                                                    \
    DB_T((r)->name), DB_T((r)->kind), DB_T((r)->match), DB_I((r)->on), DB_I((r)->refuses), DB_I((r)->count), DB_I((r)->window_s), \
    DB_I((r)->burst), DB_I((r)->factor), DB_I((r)->from_minute), DB_I((r)->until_minute), DB_T((r)->handling), DB_T((r)->language)

void sms_guard_row_insert(struct db_unit *u, const struct sms_guard_row *row)
{
    db_do(u, DB_SMS_GUARD_INSERT, 1, GUARD_VALUES(row));
}

void sms_guard_row_put(struct db_unit *u, const struct sms_guard_row *row)
{
    db_do(u, DB_SMS_GUARD_PUT, 1, GUARD_VALUES(row));
}

void sms_guard_row_delete(struct db_unit *u, struct str name)
{
    db_do(u, DB_SMS_GUARD_DELETE, DB_ANY_ROWS, DB_T(name));
}

enum err sms_guard_rows_each(struct db *db, enum err (*fn)(void *arg, const struct sms_guard_row *row), void *arg)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, DB_SMS_GUARD_ALL, NULL, 0, &r);
    while (!err && db_rows_next(r)) {
        struct sms_guard_row row = { db_text(r, 0), db_text(r, 1), db_text(r, 2), db_int(r, 3), db_int(r, 4), db_int(r, 5), db_int(r, 6),
                                     db_int(r, 7), db_int(r, 8), db_int(r, 9), db_int(r, 10), db_text(r, 11), db_text(r, 12) };
        err = fn(arg, &row);
    }
    return err;
}

void sms_guard_level_row_put(struct db_unit *u, const struct sms_guard_level_row *row)
{
    db_do(u, DB_SMS_GUARD_LEVEL_PUT, 1, DB_T(row->guard), DB_T(row->owner), DB_I(row->a), DB_I(row->b), DB_I(row->at_us));
}

void sms_guard_level_rows_drop(struct db_unit *u, struct str guard)
{
    db_do(u, DB_SMS_GUARD_LEVEL_DROP, DB_ANY_ROWS, DB_T(guard));
}

void sms_guard_level_rows_purge(struct db_unit *u, int64_t now_us, int64_t before_us)
{
    db_do(u, DB_SMS_GUARD_LEVEL_PURGE, DB_ANY_ROWS, DB_I(now_us), DB_I(before_us));
}

enum err sms_guard_level_rows_each(struct db *db, enum err (*fn)(void *arg, const struct sms_guard_level_row *row), void *arg)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = db_load(db, DB_SMS_GUARD_LEVEL_ALL, NULL, 0, &r);
    while (!err && db_rows_next(r)) {
        struct sms_guard_level_row row = { db_text(r, 0), db_text(r, 1), db_int(r, 2), db_int(r, 3), db_int(r, 4) };
        err = fn(arg, &row);
    }
    return err;
}
