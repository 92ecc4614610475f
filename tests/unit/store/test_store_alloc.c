/* The store with every allocation of ours failing in turn: errors, no crash, and nothing half written. */
#include "store/db.h"

#include "base/problem.h"
#include "base/str.h"
#include "unit/alloc.h"
#include "unit/cm.h"
#include "unit/tmp.h"

static char path[128];

static enum err write_and_read(struct db *db)
{
    struct db_unit *u = db_unit_new();
    static char value[2000];
    memset(value, 'v', sizeof value);
    db_do(u, DB_META_PUT, 1, DB_Z("a"), DB_T(((struct str){ value, sizeof value })));
    db_do(u, DB_META_PUT, 1, DB_Z("b"), DB_Z("2"));
    enum err err = db_run(db, u);
    if (err)
        return err;
    scoped(db_rows) struct db_rows *rows = NULL;
    err = db_load(db, DB_META_LIST, (struct db_val[]){ DB_Z("") }, 1, &rows);
    if (!err)
        assert_int_equal(db_rows_count(rows), 2);
    return err;
}

static bool count(void *arg, const struct db_rows *row)
{
    int *n = arg;
    *n += (int)db_text(row, 0).n;
    return true;
}

static enum err whole_life(void)
{
    struct db *db = NULL;
    struct problem why = { 0 };
    struct db_conf conf = { .path = path[0] ? path : NULL, .readers = 1, .bound = 10 };
    int n = 0;
    enum err err = db_open(&db, &conf, &why);
    if (err) {
        assert_true(why.text[0]);
        return err;
    }
    err = write_and_read(db);
    if (!err)
        err = db_each(db, DB_META_LIST, (struct db_val[]){ DB_Z("") }, 1, count, &n);
    db_close(db);
    return err;
}

static void a_store_in_memory_survives_each_allocation_failing(void **state)
{
    (void)state;
    path[0] = '\0';
    assert_in_range(alloc_each_failing(whole_life), 8, 60);
}

static void a_store_in_a_file_survives_each_allocation_failing(void **state)
{
    (void)state;
    struct tmp tmp = tmp_new();
    snprintf(path, sizeof path, "%s", tmp_file(&tmp, "x.db"));
    assert_in_range(alloc_each_failing(whole_life), 8, 60);
    tmp_free(&tmp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_in_memory_survives_each_allocation_failing),
        cmocka_unit_test(a_store_in_a_file_survives_each_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
