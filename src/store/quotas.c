#include "store/quotas.h"

void quota_row_insert(struct db_unit *u, uint64_t operation, uint64_t subscription, int what, int64_t at_us)
{
    db_do(u, DB_QUOTA_INSERT, 1, DB_I(operation), DB_I(subscription), DB_I(what), DB_I(at_us));
}

void quota_rows_forget(struct db_unit *u, uint64_t subscription, int what, int64_t before_us)
{
    db_do(u, DB_QUOTA_FORGET, DB_ANY_ROWS, DB_I(subscription), DB_I(what), DB_I(before_us));
}

struct walk {
    enum err err;
    enum err (*fn)(void *arg, uint64_t operation, uint64_t subscription, int what, int64_t at_us);
    void *arg;
};

static bool on_row(void *arg, const struct db_rows *r)
{
    struct walk *w = arg;
    w->err = w->fn(w->arg, (uint64_t)db_int(r, 0), (uint64_t)db_int(r, 1), (int)db_int(r, 2), db_int(r, 3));
    return !w->err;
}

enum err quota_rows_each(struct db *db,
                         enum err (*fn)(void *arg, uint64_t operation, uint64_t subscription, int what, int64_t at_us),
                         void *arg)
{
    struct walk w = { .fn = fn, .arg = arg };
    enum err err = db_each(db, DB_QUOTA_ALL, NULL, 0, on_row, &w);
    return err ? err : w.err;
}
