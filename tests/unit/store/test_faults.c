/* A disk that is full, a lock held by another, and a process that dies: what was answered is there, the rest is not. */
#include "store/db.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/problem.h"
#include "base/str.h"
#include "unit/tmp.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <cmocka.h>

enum { ROWS = 3, OUTSTANDING = 64, ROUNDS = 20 };

static struct db *open_at(const char *path)
{
    struct db *db = NULL;
    struct problem why = { 0 };
    struct db_conf conf = { .path = path, .readers = 1, .bound = 1000 };
    if (db_open(&db, &conf, &why)) {
        fprintf(stderr, "%s\n", why.text);
        abort();
    }
    return db;
}

static struct db_unit *rows_named(int64_t number, struct str value)
{
    struct db_unit *u = db_unit_new();
    for (int i = 0; i < ROWS; i++) {
        char name[32];
        snprintf(name, sizeof name, "%012lld-%d", (long long)number, i);
        db_do(u, DB_META_ADD, 1, DB_Z(name), DB_T(value));
    }
    return u;
}

/* Units that are there in whole; a half one fails the test. `seen` marks their numbers. */
static int64_t whole_units(struct db *db, bool *seen, size_t size)
{
    scoped(db_rows) struct db_rows *rows = NULL;
    assert_int_equal(db_load(db, DB_META_LIST, (struct db_val[]){ DB_Z("0") }, 1, &rows), ERR_NONE);
    int64_t n = 0, last = -1;
    int count = 0;
    while (db_rows_next(rows)) {
        int64_t number = strtoll(db_text(rows, 0).p, NULL, 10);
        if (number != last)
            assert_int_equal(count % ROWS, 0);
        count++;
        last = number;
        assert_true((size_t)number < size);
        seen[number] = true;
        n += count % ROWS == 0;
    }
    assert_int_equal(count % ROWS, 0);
    return n;
}

/* -- a full disk ------------------------------------------------------------------------------------------------- */
static void limit_files(rlim_t octets)
{
    struct rlimit lim;
    getrlimit(RLIMIT_FSIZE, &lim);
    lim.rlim_cur = octets < lim.rlim_max ? octets : lim.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
}

static void a_full_disk_is_an_error_until_there_is_room_again(void **state)
{
    (void)state;
    static char big[20000];
    static bool seen[4000];
    struct tmp tmp = tmp_new();
    struct db *db = open_at(tmp_file(&tmp, "x.db"));
    memset(big, 'x', sizeof big);
    signal(SIGXFSZ, SIG_IGN);
    limit_files(2 << 20);
    int64_t written = 0;
    enum err err = ERR_NONE;
    for (int64_t i = 0; i < 1000 && !err; i++) {
        err = db_run(db, rows_named(i, (struct str){ big, sizeof big }));
        written += !err;
    }
    assert_int_equal(err, ERR_STORE);
    char words[160];
    assert_true(clock_mono().us - db_failure(db, words, sizeof words) < 60 * (int64_t)US_PER_S);
    assert_true(words[0]);
    printf("  said: %s\n", words);
    assert_int_equal(db_run(db, rows_named(1001, (struct str){ big, sizeof big })), ERR_STORE);
    limit_files(RLIM_INFINITY);
    assert_int_equal(whole_units(db, seen, ARRAY_LEN(seen)), written);
    assert_int_equal(db_run(db, rows_named(2000, STR("small"))), ERR_NONE);
    assert_int_equal(whole_units(db, seen, ARRAY_LEN(seen)), written + 1);
    db_close(db);
    db = open_at(tmp_file(&tmp, "x.db"));
    assert_int_equal(whole_units(db, seen, ARRAY_LEN(seen)), written + 1);
    db_close(db);
    tmp_free(&tmp);
}

/* -- another process writes -------------------------------------------------------------------------------------- */
static void a_write_waits_for_another_programs_lock(void **state)
{
    (void)state;
    struct tmp tmp = tmp_new();
    struct db *db = open_at(tmp_file(&tmp, "x.db"));
    sqlite3 *other;
    assert_int_equal(sqlite3_open(tmp_file(&tmp, "x.db"), &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(db_post(db, rows_named(1, STR("1")), NULL), ERR_NONE);
    usleep(20000);
    scoped(db_rows) struct db_rows *rows = NULL;
    assert_int_equal(db_load(db, DB_META_LIST, (struct db_val[]){ DB_Z("0") }, 1, &rows), ERR_NONE);
    assert_int_equal(db_rows_count(rows), 0);
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    assert_int_equal(db_run(db, rows_named(2, STR("1"))), ERR_NONE);
    bool seen[3] = { false };
    assert_int_equal(whole_units(db, seen, ARRAY_LEN(seen)), 2);
    db_close(db);
    tmp_free(&tmp);
}

/* -- the log ----------------------------------------------------------------------------------------------------- */
static void the_log_does_not_grow_for_ever(void **state)
{
    (void)state;
    static char big[100000];
    struct tmp tmp = tmp_new();
    struct db *db = open_at(tmp_file(&tmp, "x.db"));
    memset(big, 'x', sizeof big);
    for (int i = 0; i < 400; i++) {         /* 40 MB through the log */
        struct db_unit *u = db_unit_new();
        db_do(u, DB_META_PUT, 1, DB_Z("big"), DB_T(((struct str){ big, sizeof big })));
        assert_int_equal(db_run(db, u), ERR_NONE);
        if (i % 50 == 49)
            usleep(50000);                  /* as a server has pauses */
    }
    struct stat st;
    assert_int_equal(stat(tmp_file(&tmp, "x.db-wal"), &st), 0);
    assert_true(st.st_size < 20 << 20);
    db_close(db);
    tmp_free(&tmp);
}

/* -- sudden death ------------------------------------------------------------------------------------------------ */
struct told {
    struct db_done done;
    int64_t        number;
};
struct victim {
    struct db    *db;
    struct inbox *inbox;
    int           out;
    int64_t       next;
};
static void post_one(struct victim *v);

static void on_told(void *owner, struct inbox_item *item)
{
    struct victim *v = owner;
    struct told *told = container_of(item, struct told, done.item);
    if (told->done.err || write(v->out, &told->number, sizeof told->number) != sizeof told->number)
        _exit(3);
    free(told);
    post_one(v);
}
static const struct inbox_kind told_kind = { "told", on_told, NULL };

static void post_one(struct victim *v)
{
    struct told *told = calloc(1, sizeof *told);
    told->done.item.kind = &told_kind;
    told->done.to = v->inbox;
    told->number = v->next++;
    if (db_post(v->db, rows_named(told->number, STR("some text")), &told->done))
        _exit(4);
}

/* The process that will be killed: keeps OUTSTANDING units going, prints the number of each that is answered. */
static _Noreturn void be_the_victim(const char *path, int64_t first)
{
    struct victim v = { .db = open_at(path), .out = STDOUT_FILENO, .next = first };
    v.inbox = inbox_new("victim", OUTSTANDING, &v);
    for (int i = 0; i < OUTSTANDING; i++)
        post_one(&v);
    for (;;) {
        inbox_wait(v.inbox, -1);
        inbox_drain(v.inbox);
    }
}

static pid_t start_victim(const char *path, int64_t first, int *from)
{
    int ends[2];
    char number[32];
    extern char **environ;
    snprintf(number, sizeof number, "%lld", (long long)first);
    char *argv[] = { "test_faults", (char *)(uintptr_t)path, number, NULL };
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t acts;
    posix_spawn_file_actions_init(&acts);
    posix_spawn_file_actions_adddup2(&acts, ends[1], STDOUT_FILENO);
    pid_t pid;
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &acts, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&acts);
    close(ends[1]);
    *from = ends[0];
    return pid;
}

/* Every number that was answered, until the victim is dead. @return the highest */
static int64_t collect_answers(int from, pid_t pid, bool *answered, size_t size)
{
    int64_t number, highest = -1;
    int64_t until = 0;
    while (read(from, &number, sizeof number) == sizeof number) {
        assert_true((size_t)number < size);
        answered[number] = true;
        highest = number > highest ? number : highest;
        if (!until)
            until = clock_mono().us + (int64_t)(random_u64() % 60000);
        else if (clock_mono().us > until)
            kill(pid, SIGKILL);
    }
    return highest;
}

static void what_was_answered_survives_a_kill_and_nothing_is_half_there(void **state)
{
    (void)state;
    enum { SIZE = 4000000 };
    bool *answered = calloc(SIZE, 1), *seen = calloc(SIZE, 1);
    struct tmp tmp = tmp_new();
    char path[128];
    snprintf(path, sizeof path, "%s", tmp_file(&tmp, "x.db"));
    int64_t first = 0, total = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int from, status;
        pid_t pid = start_victim(path, first, &from);
        int64_t highest = collect_answers(from, pid, answered, SIZE);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        close(from);
        struct db *db = open_at(path);
        total = whole_units(db, seen, SIZE);
        db_close(db);
        for (int64_t i = 0; i <= highest; i++)
            assert_true(!answered[i] || seen[i]);
        first = highest + OUTSTANDING * 40;     /* beyond what was committed but not yet answered */
    }
    assert_true(total > ROUNDS * 10);
    printf("  %lld units over %d kills\n", (long long)total, ROUNDS);
    tmp_free(&tmp);
    free(answered);
    free(seen);
}

int main(int argc, char **argv)
{
    if (argc == 3)
        be_the_victim(argv[1], atoll(argv[2]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_is_an_error_until_there_is_room_again),
        cmocka_unit_test(a_write_waits_for_another_programs_lock),
        cmocka_unit_test(the_log_does_not_grow_for_ever),
        cmocka_unit_test(what_was_answered_survives_a_kill_and_nothing_is_half_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
