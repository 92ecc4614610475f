#include "store/db.h"
#include "store/store_priv.h"

#include "base/problem.h"
#include "base/str.h"
#include "unit/tmp.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <cmocka.h>

struct fixture {
    struct tmp tmp;
    char       path[128];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->tmp = tmp_new();
    snprintf(f->path, sizeof f->path, "%s", tmp_file(&f->tmp, "x.db"));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    tmp_free(&f->tmp);
    free(f);
    return 0;
}

static enum err try_open(const struct fixture *f, struct problem *why)
{
    struct db *db = NULL;
    struct db_conf conf = { .path = f->path, .readers = 1, .bound = 10 };
    enum err err = db_open(&db, &conf, why);
    if (!err)
        db_close(db);
    return err;
}

/* What somebody else's hand does to the file. */
static void meddle(const struct fixture *f, const char *sql)
{
    sqlite3 *raw;
    assert_int_equal(sqlite3_open(f->path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(raw);
}

static void a_database_opens_again_and_again(void **state)
{
    struct problem why;
    for (int i = 0; i < 3; i++)
        assert_int_equal(try_open(*state, &why), ERR_NONE);
}

static void a_newer_database_is_refused(void **state)
{
    struct problem why;
    assert_int_equal(try_open(*state, &why), ERR_NONE);
    meddle(*state, "INSERT INTO migration VALUES (9999, 'later', 'x', 0)");
    assert_int_equal(try_open(*state, &why), ERR_STORE);
    assert_string_equal(why.code, "StoreNewer");
    assert_non_null(strstr(why.text, "9999"));
}

static void a_migration_edited_after_it_was_applied_is_refused(void **state)
{
    struct problem why;
    assert_int_equal(try_open(*state, &why), ERR_NONE);
    meddle(*state, "UPDATE migration SET checksum = 'other' WHERE number = 1");
    assert_int_equal(try_open(*state, &why), ERR_STORE);
    assert_string_equal(why.code, "StoreEdited");
    assert_non_null(strstr(why.text, "Migration 1 ("));
}

static void a_gap_in_what_was_applied_is_refused(void **state)
{
    static const struct migration two[] = { { 1, "one", "CREATE TABLE a (x)" }, { 2, "two", "CREATE TABLE b (x)" } };
    const struct fixture *f = *state;
    struct problem why;
    scoped(conn) struct conn *c = NULL;
    assert_int_equal(conn_open(&c, f->path, CONN_WRITE, &why), ERR_NONE);
    assert_int_equal(conn_migrate(c, two, 2, &why), ERR_NONE);
    meddle(f, "DELETE FROM migration WHERE number = 1");
    assert_int_equal(conn_migrate(c, two, 2, &why), ERR_STORE);
    assert_string_equal(why.code, "StoreEdited");
}

static int64_t ask_int(const struct fixture *f, const char *sql)
{
    sqlite3 *raw;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(f->path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(raw, sql, -1, &st, NULL), SQLITE_OK);
    int64_t v = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
    sqlite3_finalize(st);
    sqlite3_close(raw);
    return v;
}

static void what_was_leased_before_there_was_money_is_renewed_too(void **state)
{
    enum { BEFORE_MONEY = 8 };
    const struct fixture *f = *state;
    struct problem why;
    scoped(conn) struct conn *c = NULL;
    assert_int_equal(conn_open(&c, f->path, CONN_WRITE, &why), ERR_NONE);
    assert_int_equal(conn_migrate(c, migrations, BEFORE_MONEY, &why), ERR_NONE);
    meddle(f, "INSERT INTO resource VALUES (2, 'r', 1, '', '');"
              "INSERT INTO number VALUES (12065557890, 2, 7, 2, 0, 0, 3, 0, 'US', 'sim', 1, 1000000, 0),"
              " (12065557891, 1, 8, 2, 0, 0, 3, 0, 'US', 'sim', 1, 0, 5), (12065557892, 3, 7, 2, 0, 0, 3, 0, 'US', 'sim', 1, 1, 5)");
    assert_int_equal(conn_migrate(c, migrations, migration_count, &why), ERR_NONE);
    assert_int_equal(ask_int(f, "SELECT COUNT(*) FROM lease"), 1);
    assert_int_equal(ask_int(f, "SELECT next_us FROM lease WHERE number = 12065557890 AND subscription = 1 AND cause = 7"),
                     1000000 + 31 * 24 * 3600 * (int64_t)1000000);
}

static void a_failing_migration_leaves_nothing_behind(void **state)
{
    static const struct migration list[] = {
        { 1, "good", "CREATE TABLE a (x)" },
        { 2, "bad", "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)" },
    };
    static const struct migration mended[] = {
        { 1, "good", "CREATE TABLE a (x)" },
        { 2, "bad", "CREATE TABLE b (x)" },
    };
    const struct fixture *f = *state;
    struct problem why;
    scoped(conn) struct conn *c = NULL;
    assert_int_equal(conn_open(&c, f->path, CONN_WRITE, &why), ERR_NONE);
    assert_int_equal(conn_migrate(c, list, 2, &why), ERR_STORE);
    assert_non_null(strstr(why.text, "2 (bad)"));
    assert_non_null(strstr(why.text, "nowhere"));
    assert_int_equal(conn_migrate(c, mended, 2, &why), ERR_NONE);
}

static void write_one(struct conn *c, int number)
{
    char name[16];
    size_t missed;
    scoped(db_unit) struct db_unit *u = db_unit_new();
    snprintf(name, sizeof name, "n%d", number);
    db_do(u, DB_META_PUT, 1, DB_Z(name), DB_Z("x"));
    assert_int_equal(conn_begin(c), ERR_NONE);
    assert_int_equal(conn_unit(c, u, &missed), ERR_NONE);
    assert_true(conn_in_group(c));
    assert_int_equal(conn_commit(c), ERR_NONE);
    assert_false(conn_in_group(c));
}

static void a_read_connection_copies_the_log_back(void **state)
{
    const struct fixture *f = *state;
    struct problem why;
    scoped(conn) struct conn *writer = NULL, *reader = NULL;
    assert_int_equal(try_open(f, &why), ERR_NONE);
    assert_int_equal(conn_open(&writer, f->path, CONN_WRITE, &why), ERR_NONE);
    assert_int_equal(conn_open(&reader, f->path, CONN_READ, &why), ERR_NONE);
    for (int i = 0; i < 200; i++)
        write_one(writer, i);
    assert_in_range(conn_log_pages(writer), 200, 2000);
    unsigned copied;
    assert_int_equal(conn_checkpoint(reader, &copied), ERR_NONE);
    assert_in_range(copied, 200, 2000);
    write_one(writer, 200);
    assert_in_range(conn_log_pages(writer), 1, 20);     /* the log began anew */
}

static void a_read_connection_cannot_write(void **state)
{
    const struct fixture *f = *state;
    struct problem why;
    size_t missed;
    scoped(conn) struct conn *reader = NULL;
    assert_int_equal(try_open(f, &why), ERR_NONE);
    assert_int_equal(conn_open(&reader, f->path, CONN_READ, &why), ERR_NONE);
    scoped(db_unit) struct db_unit *u = db_unit_new();
    db_do(u, DB_META_PUT, 1, DB_Z("x"), DB_Z("x"));
    assert_int_equal(conn_unit(reader, u, &missed), ERR_STORE);
}

static bool dawdle(void *arg, const struct db_val *vals, size_t n)
{
    (void)vals, (void)n;
    int *rows = arg;
    if (++*rows % 100 == 0)
        usleep(2000);
    return true;
}

static void a_read_that_takes_too_long_is_ended(void **state)
{
    enum { ROWS = 3000 };
    const struct fixture *f = *state;
    struct problem why;
    assert_int_equal(try_open(f, &why), ERR_NONE);
    meddle(f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
              " INSERT INTO meta SELECT 'n' || i, 'x' FROM n");
    scoped(conn) struct conn *c = NULL;
    scoped_buf ask = { 0 };
    assert_int_equal(conn_open(&c, f->path, CONN_READ, &why), ERR_NONE);
    record_put(&ask, DB_META_LIST, 0, (struct db_val[]){ DB_Z("") }, 1);
    const struct record *r = record_next(&ask, &(size_t){ 0 });
    int rows = 0;
    assert_int_equal(conn_read(c, r, 10000, dawdle, &rows), ERR_STORE);
    assert_in_range(rows, 100, ROWS - 1);
    assert_string_equal(conn_failure(c), "interrupted");
    rows = 0;
    assert_int_equal(conn_read(c, r, 0, dawdle, &rows), ERR_NONE);
    assert_int_equal(rows, ROWS);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    const struct fixture *f = *state;
    struct problem why;
    FILE *out = fopen(f->path, "w");
    for (int i = 0; i < 500; i++)
        fputs("this is not a database\n", out);
    fclose(out);
    assert_int_equal(try_open(f, &why), ERR_STORE);
    assert_non_null(strstr(why.text, "not a database"));
}

/* Opening prepares them all; here: each is one statement, and its values are counted rightly. */
static void every_statement_is_one_and_takes_what_it_says(void **state)
{
    const struct fixture *f = *state;
    struct problem why;
    assert_int_equal(try_open(f, &why), ERR_NONE);
    sqlite3 *raw;
    assert_int_equal(sqlite3_open(f->path, &raw), SQLITE_OK);
    for (size_t i = 0; i < DB_STATEMENTS; i++) {
        sqlite3_stmt *st = NULL;
        const char *rest = NULL;
        if (sqlite3_prepare_v2(raw, statements[i].sql, -1, &st, &rest) != SQLITE_OK)
            fail_msg("%s: %s", statements[i].name, sqlite3_errmsg(raw));
        if (*rest)
            fail_msg("%s is more than one statement", statements[i].name);
        if ((unsigned)sqlite3_bind_parameter_count(st) != statements[i].params)
            fail_msg("%s: miscounted parameters", statements[i].name);
        if (sqlite3_column_count(st) > COLUMNS_MAX)
            fail_msg("%s returns too many columns", statements[i].name);
        sqlite3_finalize(st);
    }
    sqlite3_close(raw);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_database_opens_again_and_again),
        T(a_newer_database_is_refused),
        T(a_migration_edited_after_it_was_applied_is_refused),
        T(a_gap_in_what_was_applied_is_refused),
        T(what_was_leased_before_there_was_money_is_renewed_too),
        T(a_failing_migration_leaves_nothing_behind),
        T(a_read_connection_copies_the_log_back),
        T(a_read_connection_cannot_write),
        T(a_read_that_takes_too_long_is_ended),
        T(a_file_that_is_no_database_is_refused),
        T(every_statement_is_one_and_takes_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
