#include "store/db.h"

#include "base/clock.h"
#include "base/problem.h"
#include "base/str.h"
#include "unit/tmp.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <cmocka.h>

/* Every test runs on a file and in memory. */
struct fixture {
    struct tmp tmp;
    char       path[128];
    bool       in_memory;
    struct db *db;
};

static void open_db(struct fixture *f, size_t bound)
{
    struct db_conf conf = { .path = f->in_memory ? NULL : f->path, .readers = 2, .bound = bound };
    struct problem why = { 0 };
    if (db_open(&f->db, &conf, &why))
        fail_msg("%s", why.text);
}

static int setup(void **state)
{
    bool in_memory = *state;
    struct fixture *f = calloc(1, sizeof *f);
    f->tmp = tmp_new();
    f->in_memory = in_memory;
    snprintf(f->path, sizeof f->path, "%s", tmp_file(&f->tmp, "carterfone.db"));
    open_db(f, 10000);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    db_close(f->db);
    tmp_free(&f->tmp);
    free(f);
    return 0;
}

static struct db_unit *putting(const char *name, const char *value)
{
    struct db_unit *u = db_unit_new();
    db_do(u, DB_META_PUT, 1, DB_Z(name), DB_Z(value));
    return u;
}

static void assert_value(struct db *db, const char *name, const char *value)
{
    scoped(db_rows) struct db_rows *rows = NULL;
    assert_int_equal(db_load(db, DB_META_GET, (struct db_val[]){ DB_Z(name) }, 1, &rows), ERR_NONE);
    if (!value) {
        assert_int_equal(db_rows_count(rows), 0);
        assert_false(db_rows_next(rows));
        return;
    }
    assert_int_equal(db_rows_count(rows), 1);
    assert_true(db_rows_next(rows));
    assert_string_equal(db_text(rows, 0).p, value);
}

static void what_was_written_can_be_read(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(db_run(f->db, putting("a", "1")), ERR_NONE);
    assert_value(f->db, "a", "1");
    assert_value(f->db, "b", NULL);
}

static void what_was_written_is_there_after_reopening(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(db_run(f->db, putting("a", "1")), ERR_NONE);
    db_close(f->db);
    open_db(f, 10);
    assert_value(f->db, "a", "1");
}

static void a_value_keeps_its_bytes(void **state)
{
    struct fixture *f = *state;
    struct str odd = { "a\0b\xe2\x82\xac", 6 };
    struct db_unit *u = db_unit_new();
    db_do(u, DB_META_PUT, 1, DB_Z("odd"), DB_T(odd));
    db_do(u, DB_META_PUT, 1, DB_Z("empty"), DB_T(((struct str){ NULL, 0 })));
    assert_int_equal(db_run(f->db, u), ERR_NONE);
    scoped(db_rows) struct db_rows *rows = NULL;
    assert_int_equal(db_load(f->db, DB_META_LIST, (struct db_val[]){ DB_Z("") }, 1, &rows), ERR_NONE);
    assert_true(db_rows_next(rows));
    assert_string_equal(db_text(rows, 0).p, "empty");
    assert_int_equal(db_text(rows, 1).n, 0);
    assert_int_equal(db_int(rows, 2), 0);
    assert_true(db_is_null(rows, 3));
    assert_int_equal(db_int(rows, 3), 0);
    assert_int_equal(db_text(rows, 3).n, 0);
    assert_true(db_rows_next(rows));
    assert_true(str_eq(db_text(rows, 1), odd));
    assert_false(db_is_null(rows, 3));
    assert_false(db_rows_next(rows));
}

static void a_missed_guard_undoes_its_unit_alone(void **state)
{
    struct fixture *f = *state;
    struct db_unit *u = db_unit_new();
    db_do(u, DB_META_PUT, 1, DB_Z("half"), DB_Z("1"));
    db_do(u, DB_META_SWAP, 1, DB_Z("nothing"), DB_Z("2"), DB_Z("1"));
    assert_int_equal(db_unit_count(u), 2);
    assert_int_equal(db_run(f->db, u), ERR_CONFLICT);
    assert_int_equal(db_run(f->db, putting("whole", "1")), ERR_NONE);
    assert_value(f->db, "half", NULL);
    assert_value(f->db, "whole", "1");
}

static void a_select_guard_counts_rows(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(db_run(f->db, putting("a", "1")), ERR_NONE);
    assert_int_equal(db_run(f->db, putting("b", "1")), ERR_NONE);
    static const struct { const char *name; int64_t rows; enum err err; } cases[] = {
        { "a", 1, ERR_NONE }, { "a", 0, ERR_CONFLICT }, { "x", 0, ERR_NONE }, { "x", 1, ERR_CONFLICT },
        { "a", DB_ANY_ROWS, ERR_NONE }, { "x", DB_ANY_ROWS, ERR_NONE }, { "a", 2, ERR_CONFLICT },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct db_unit *u = db_unit_new();
        db_do(u, DB_META_GET, cases[i].rows, DB_Z(cases[i].name));
        assert_int_equal(db_run(f->db, u), cases[i].err);
    }
    static const int64_t listed[] = { 1, 2, 3 };
    for (size_t i = 0; i < ARRAY_LEN(listed); i++) {
        struct db_unit *u = db_unit_new();
        db_do(u, DB_META_LIST, listed[i], DB_Z(""));
        assert_int_equal(db_run(f->db, u), listed[i] == 2 ? ERR_NONE : ERR_CONFLICT);
    }
}

static void a_row_that_is_there_already_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        struct db_unit *u = db_unit_new();
        db_do(u, DB_META_ADD, 1, DB_Z("once"), DB_Z(i ? "second" : "first"));
        assert_int_equal(db_run(f->db, u), i ? ERR_CONFLICT : ERR_NONE);
    }
    assert_value(f->db, "once", "first");
}

/* -- replies ----------------------------------------------------------------------------------------------------- */
struct told {
    struct db_done done;
    int            number;
};
struct teller {
    struct inbox *inbox;
    int           numbers[4000];
    enum err      errs[4000];
    size_t        missed[4000];
    size_t        n;
};

static void on_told(void *owner, struct inbox_item *item)
{
    struct teller *t = owner;
    struct told *told = container_of(item, struct told, done.item);
    t->numbers[t->n] = told->number;
    t->errs[t->n] = told->done.err;
    t->missed[t->n++] = told->done.missed;
    free(told);
}
static const struct inbox_kind told_kind = { "told", on_told, NULL };

static struct told *told_new(struct teller *t, int number)
{
    struct told *told = calloc(1, sizeof *told);
    told->done.item.kind = &told_kind;
    told->done.to = t->inbox;
    told->number = number;
    return told;
}

static void teller_wait(struct teller *t, size_t n)
{
    while (t->n < n) {
        inbox_wait(t->inbox, 5000);
        assert_true(inbox_drain(t->inbox) > 0);
    }
}

static void replies_come_in_order_and_name_the_missed_guard(void **state)
{
    enum { UNITS = 3000 };
    struct fixture *f = *state;
    struct teller *t = calloc(1, sizeof *t);
    t->inbox = inbox_new("teller", 1, t);
    for (int i = 0; i < UNITS; i++) {
        char name[16];
        struct db_unit *u = db_unit_new();
        snprintf(name, sizeof name, "n%d", i);
        db_do(u, DB_META_ADD, 1, DB_Z(name), DB_Z("1"));
        db_do(u, DB_META_GET, i % 7 == 3 ? 0 : 1, DB_Z(name));
        assert_int_equal(db_post(f->db, u, &told_new(t, i)->done), ERR_NONE);
    }
    teller_wait(t, UNITS);
    for (int i = 0; i < UNITS; i++) {
        assert_int_equal(t->numbers[i], i);
        assert_int_equal(t->errs[i], i % 7 == 3 ? ERR_CONFLICT : ERR_NONE);
        if (i % 7 == 3)
            assert_int_equal(t->missed[i], 1);
    }
    scoped(db_rows) struct db_rows *rows = NULL;
    assert_int_equal(db_load(f->db, DB_META_LIST, (struct db_val[]){ DB_Z("") }, 1, &rows), ERR_NONE);
    int kept = 0;
    for (int i = 0; i < UNITS; i++)
        kept += i % 7 != 3;
    assert_int_equal(db_rows_count(rows), kept);
    inbox_free(t->inbox);
    free(t);
}

static void closing_commits_what_was_posted(void **state)
{
    struct fixture *f = *state;
    struct db_done *nobody = calloc(1, sizeof *nobody);
    assert_int_equal(db_post(f->db, putting("late", "1"), nobody), ERR_NONE);
    assert_int_equal(db_post(f->db, putting("later", "2"), NULL), ERR_NONE);
    db_close(f->db);
    open_db(f, 10);
    assert_value(f->db, "late", "1");
    assert_value(f->db, "later", "2");
}

static void a_full_store_says_busy_and_gives_nothing_away(void **state)
{
    struct fixture *f = *state;
    db_close(f->db);
    open_db(f, 1);
    struct teller *t = calloc(1, sizeof *t);
    t->inbox = inbox_new("teller", 1, t);
    size_t given = 0, refused = 0;
    for (int i = 0; i < 4000 && !refused; i++) {
        struct db_unit *u = putting("x", "1");
        struct told *told = told_new(t, i);
        enum err err = db_post(f->db, u, &told->done);
        if (!err) {
            given++;
            continue;
        }
        assert_int_equal(err, ERR_BUSY);
        refused++;
        db_unit_free(u);
        free(told);
    }
    assert_int_equal(refused, 1);
    teller_wait(t, given);
    for (size_t i = 0; i < given; i++)
        assert_int_equal(t->errs[i], ERR_NONE);
    inbox_free(t->inbox);
    free(t);
}

/* -- reads ------------------------------------------------------------------------------------------------------- */
struct reply {
    struct db_read read;
    struct inbox  *inbox;
    bool           there;
};

static void on_read(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct reply *r = container_of(item, struct reply, read.item);
    r->there = true;
}
static const struct inbox_kind read_kind = { "read", on_read, NULL };

static void a_read_stops_at_its_limit(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%02d", i);
        assert_int_equal(db_run(f->db, putting(name, "1")), ERR_NONE);
    }
    struct reply r = { .inbox = inbox_new("reader", 1, NULL) };
    r.read.item.kind = &read_kind;
    r.read.to = r.inbox;
    assert_int_equal(db_ask(f->db, DB_META_LIST, (struct db_val[]){ DB_Z("n05") }, 1, 10, &r.read), ERR_NONE);
    while (!r.there) {
        inbox_wait(r.inbox, 5000);
        inbox_drain(r.inbox);
    }
    assert_int_equal(r.read.err, ERR_NONE);
    assert_int_equal(db_rows_count(r.read.rows), 10);
    for (int i = 5; db_rows_next(r.read.rows); i++) {
        char name[16];
        snprintf(name, sizeof name, "n%02d", i);
        assert_string_equal(db_text(r.read.rows, 0).p, name);
    }
    db_rows_free(r.read.rows);
    inbox_free(r.inbox);
}

static void a_read_of_too_much_fails(void **state)
{
    struct fixture *f = *state;
    static char big[1 << 20];
    memset(big, 'x', sizeof big);
    for (int i = 0; i < 65; i++) {
        char name[16];
        struct db_unit *u = db_unit_new();
        snprintf(name, sizeof name, "n%02d", i);
        db_do(u, DB_META_PUT, 1, DB_Z(name), DB_T(((struct str){ big, sizeof big })));
        assert_int_equal(db_run(f->db, u), ERR_NONE);
    }
    struct db_rows *rows = NULL;
    assert_int_equal(db_load(f->db, DB_META_LIST, (struct db_val[]){ DB_Z("") }, 1, &rows), ERR_STORE);
    assert_int_equal(db_load(f->db, DB_META_LIST, (struct db_val[]){ DB_Z("n60") }, 1, &rows), ERR_NONE);
    db_rows_free(rows);
}

static bool count_rows(void *arg, const struct db_rows *row)
{
    int *n = arg;
    assert_int_equal(db_text(row, 0).n, 3);
    return ++*n < 7;
}

static void rows_can_be_walked_one_at_a_time(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%02d", i);
        assert_int_equal(db_run(f->db, putting(name, "1")), ERR_NONE);
    }
    int n = 0;
    assert_int_equal(db_each(f->db, DB_META_LIST, (struct db_val[]){ DB_Z("") }, 1, count_rows, &n), ERR_NONE);
    assert_int_equal(n, 7);
}

/* -- many threads ------------------------------------------------------------------------------------------------ */
struct worker {
    struct db *db;
    int        number;
    int        wrong;
};

static void *write_then_read(void *arg)
{
    struct worker *w = arg;
    for (int i = 0; i < 50; i++) {
        char name[32];
        snprintf(name, sizeof name, "w%d-%d", w->number, i);
        struct db_rows *rows = NULL;
        w->wrong += db_run(w->db, putting(name, "1")) != ERR_NONE;
        w->wrong += db_load(w->db, DB_META_GET, (struct db_val[]){ DB_Z(name) }, 1, &rows) != ERR_NONE
                 || db_rows_count(rows) != 1;
        db_rows_free(rows);
    }
    return NULL;
}

static void every_thread_reads_its_own_writes(void **state)
{
    struct fixture *f = *state;
    struct worker w[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        w[i] = (struct worker){ f->db, i, 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, write_then_read, &w[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(w[i].wrong, 0);
    }
}

static void a_second_server_is_refused(void **state)
{
    struct fixture *f = *state;
    struct db_conf conf = { .path = f->path, .readers = 1, .bound = 10 };
    struct problem why;
    struct db *second = NULL;
    assert_int_equal(db_open(&second, &conf, &why), ERR_STORE);
    assert_string_equal(why.code, "StoreInUse");
    assert_null(second);
}

static void the_files_are_the_owners_alone(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(tmp_file(&f->tmp, "carterfone.db-wal"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_folder_that_is_not_there_is_said(void **state)
{
    (void)state;
    struct db_conf conf = { .path = "/nonexistent/folder/x.db", .readers = 1, .bound = 10 };
    struct problem why;
    struct db *db = NULL;
    assert_int_equal(db_open(&db, &conf, &why), ERR_STORE);
    assert_non_null(strstr(why.text, "/nonexistent/folder/x.db"));
}

#define BOTH(fn)                                                                                   \
    { .name = #fn " (file)", .test_func = fn, .setup_func = setup, .teardown_func = teardown },    \
    { .name = #fn " (memory)", .test_func = fn, .setup_func = setup, .teardown_func = teardown, .initial_state = &yes }

int main(void)
{
    static bool yes = true;
    const struct CMUnitTest tests[] = {
        BOTH(what_was_written_can_be_read),
        cmocka_unit_test_setup_teardown(what_was_written_is_there_after_reopening, setup, teardown),
        BOTH(a_value_keeps_its_bytes),
        BOTH(a_missed_guard_undoes_its_unit_alone),
        BOTH(a_select_guard_counts_rows),
        BOTH(a_row_that_is_there_already_is_a_conflict),
        BOTH(replies_come_in_order_and_name_the_missed_guard),
        cmocka_unit_test_setup_teardown(closing_commits_what_was_posted, setup, teardown),
        BOTH(a_full_store_says_busy_and_gives_nothing_away),
        BOTH(a_read_stops_at_its_limit),
        { "a_read_of_too_much_fails (memory)", a_read_of_too_much_fails, setup, teardown, &yes },
        BOTH(rows_can_be_walked_one_at_a_time),
        BOTH(every_thread_reads_its_own_writes),
        cmocka_unit_test_setup_teardown(a_second_server_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(the_files_are_the_owners_alone, setup, teardown),
        cmocka_unit_test(a_folder_that_is_not_there_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
