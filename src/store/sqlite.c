/* One SQLite connection (3.40): a group is a transaction, a unit a savepoint in it.
 *
 * WAL with synchronous=FULL: a COMMIT that returned is on disk. Foreign keys are not enforced: guards say what must be
 * there. No memory map: an unreadable sector would then be a signal instead of an error. */
#include "store/store_priv.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

enum { BUSY_WAIT_MS = 5000, PROGRESS_STEPS = 4000 };

struct conn {
    sqlite3      *sql;
    enum conn_use use;
    unsigned      log_pages;
    struct mono   deadline;             /* of the read under way; 0: none */
    char          failure[160];         /* words of the last ERR_STORE of a unit or a read */
    sqlite3_stmt *begin, *commit, *rollback, *save, *undo, *release;
    sqlite3_stmt *stmts[DB_STATEMENTS]; /* prepared when first used */
};

/* -- opening ----------------------------------------------------------------------------------------------------- */
static enum err failed(const struct conn *c, struct problem *why, const char *doing)
{
    return problem_set(why, ERR_STORE, "StoreFailed", "%s: %s", doing, conn_words(c));
}

const char *conn_words(const struct conn *c)
{
    return c->sql ? sqlite3_errmsg(c->sql) : "out of memory";
}

const char *conn_failure(const struct conn *c)
{
    return c->failure;
}

/* At once: the next call of the library forgets them. */
static enum err store_failed(struct conn *c)
{
    snprintf(c->failure, sizeof c->failure, "%s", conn_words(c));
    return ERR_STORE;
}

static int on_log_grown(void *arg, sqlite3 *sql, const char *schema, int pages)
{
    (void)sql, (void)schema;
    struct conn *c = arg;
    c->log_pages = (unsigned)pages;
    return SQLITE_OK;
}

/* A read that goes on for too long would keep the log from being copied back. */
static int on_progress(void *arg)
{
    const struct conn *c = arg;
    return c->deadline.us && clock_mono().us > c->deadline.us;
}

static bool exec(struct conn *c, const char *text)
{
    return sqlite3_exec(c->sql, text, NULL, NULL, NULL) == SQLITE_OK;
}

static bool is_wal(struct conn *c)
{
    sqlite3_stmt *st = NULL;
    bool yes = sqlite3_prepare_v2(c->sql, "PRAGMA journal_mode=WAL", -1, &st, NULL) == SQLITE_OK
            && sqlite3_step(st) == SQLITE_ROW && str_eqz(str_of((const char *)sqlite3_column_text(st, 0)), "wal");
    sqlite3_finalize(st);
    return yes;
}

/* Wal_autocheckpoint goes before the hook, which it would replace. */
static enum err setup(struct conn *c, const char *path, struct problem *why)
{
    static const char common[] = "PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY;"
                                 "PRAGMA mmap_size=0; PRAGMA wal_autocheckpoint=0; PRAGMA foreign_keys=OFF;"
                                 "PRAGMA trusted_schema=OFF;";
    sqlite3_busy_timeout(c->sql, BUSY_WAIT_MS);
    if (path && c->use != CONN_IMAGE && !is_wal(c))
        return failed(c, why, "The database cannot keep a write-ahead log");
    if (!exec(c, common)
        /* the limit: the log grows past LOG_LONG_PAGES (db.c) until all is copied, and cut off each time it would be grown again */
        || !exec(c, c->use == CONN_IMAGE ? "PRAGMA cache_size=-4096;" : c->use == CONN_WRITE ? "PRAGMA cache_size=-4096; PRAGMA journal_size_limit=100663296;"
                                         : "PRAGMA cache_size=-1024; PRAGMA query_only=ON;"))
        return failed(c, why, "The database cannot be set up");
    if (c->use == CONN_WRITE)
        sqlite3_wal_hook(c->sql, on_log_grown, c);
    else if (c->use == CONN_READ)
        sqlite3_progress_handler(c->sql, PROGRESS_STEPS, on_progress, c);
    return ERR_NONE;
}

/* Nobody asks the library what memory it uses, and counting it takes a lock at each allocation. */
static void setup_library(void)
{
    (void)!sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum err conn_open(struct conn **out, const char *path, enum conn_use use, struct problem *why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, setup_library);
    scoped(conn) struct conn *c = calloc(1, sizeof *c);
    if (!c)
        return problem_set(why, ERR_NOMEM, "OutOfMemory", "No memory for a database connection.");
    c->use = use;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (sqlite3_open_v2(path ? path : ":memory:", &c->sql, flags, NULL) != SQLITE_OK)
        return failed(c, why, "The database cannot be opened");
    enum err err = setup(c, path, why);
    if (err)
        return err;
    *out = c;
    c = NULL;
    return ERR_NONE;
}

void conn_free(struct conn *c)
{
    if (!c)
        return;
    sqlite3_stmt *own[] = { c->begin, c->commit, c->rollback, c->save, c->undo, c->release };
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        sqlite3_finalize(own[i]);
    for (size_t i = 0; i < DB_STATEMENTS; i++)
        sqlite3_finalize(c->stmts[i]);
    sqlite3_close_v2(c->sql);
    free(c);
}

/* -- statements -------------------------------------------------------------------------------------------------- */
static bool prepared(struct conn *c, sqlite3_stmt **st, const char *text)
{
    return *st || sqlite3_prepare_v3(c->sql, text, -1, SQLITE_PREPARE_PERSISTENT, st, NULL) == SQLITE_OK;
}

static sqlite3_stmt *named(struct conn *c, enum db_stmt stmt)
{
    return prepared(c, &c->stmts[stmt], statements[stmt].sql) ? c->stmts[stmt] : NULL;
}

static bool command(struct conn *c, sqlite3_stmt **st, const char *text)
{
    if (!prepared(c, st, text))
        return false;
    bool good = sqlite3_step(*st) == SQLITE_DONE;
    if (!good)
        (void)store_failed(c);
    sqlite3_reset(*st);
    return good;
}

enum err conn_prepare_all(struct conn *c, struct problem *why)
{
    for (unsigned i = 0; i < DB_STATEMENTS; i++)
        if (!named(c, (enum db_stmt)i))
            return problem_set(why, ERR_STORE, "StoreFailed", "The statement %s cannot be prepared: %s",
                               statements[i].name, conn_words(c));
    return ERR_NONE;
}

/* Borrowed: the record outlives the step. */
static bool bind(sqlite3_stmt *st, const struct record *r)
{
    for (unsigned i = 0; i < r->count; i++) {
        struct db_val v = record_val(r, i);
        int at = (int)i + 1, rc = SQLITE_OK;
        switch (v.kind) {
        case DB_NULL: rc = sqlite3_bind_null(st, at); break;
        case DB_INT:  rc = sqlite3_bind_int64(st, at, v.i); break;
        case DB_TEXT: rc = sqlite3_bind_text64(st, at, v.s.p, v.s.n, SQLITE_STATIC, SQLITE_UTF8); break;
        case DB_BLOB: rc = sqlite3_bind_blob64(st, at, v.s.p, v.s.n, SQLITE_STATIC); break;
        }
        if (rc != SQLITE_OK)
            return false;
    }
    return true;
}

static void unbind(sqlite3_stmt *st)
{
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
}

/* -- migrations -------------------------------------------------------------------------------------------------- */
static void checksum_of(const struct migration *m, char hex[65])
{
    uint8_t sum[32];
    sha256(sum, str_of(m->sql));
    hex_write(hex, sum, sizeof sum);
}

/* Compare what was applied with what this program has; *done: how many were. */
static enum err check_applied(struct conn *c, const struct migration *list, size_t n, size_t *done,
                              struct problem *why)
{
    sqlite3_stmt *st = NULL;
    enum err err = ERR_NONE;
    int rc = sqlite3_prepare_v2(c->sql, "SELECT number, checksum FROM migration ORDER BY number", -1, &st, NULL);
    for (*done = 0; !err && rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW; rc = SQLITE_OK) {
        int64_t number = sqlite3_column_int64(st, 0);
        char sum[65];
        if (number > (int64_t)n) {
            err = problem_set(why, ERR_STORE, "StoreNewer",
                              "The database is at migration %lld; this program knows %zu. Use a newer program.",
                              (long long)number, n);
            break;
        }
        const struct migration *m = &list[*done];
        checksum_of(m, sum);
        if (number != (int64_t)m->number || !str_eqz(str_of((const char *)sqlite3_column_text(st, 1)), sum))
            err = problem_set(why, ERR_STORE, "StoreEdited",
                              "Migration %u (%s) is not the one that was applied to this database.", m->number,
                              m->name);
        ++*done;
    }
    sqlite3_finalize(st);
    return err ? err : rc == SQLITE_DONE ? ERR_NONE : failed(c, why, "The list of migrations cannot be read");
}

static bool record_applied(struct conn *c, const struct migration *m)
{
    char sum[65];
    sqlite3_stmt *st = NULL;
    checksum_of(m, sum);
    bool good = sqlite3_prepare_v2(c->sql, "INSERT INTO migration VALUES (?1, ?2, ?3, ?4)", -1, &st, NULL) == SQLITE_OK
             && sqlite3_bind_int64(st, 1, m->number) == SQLITE_OK
             && sqlite3_bind_text(st, 2, m->name, -1, SQLITE_STATIC) == SQLITE_OK
             && sqlite3_bind_text(st, 3, sum, -1, SQLITE_STATIC) == SQLITE_OK
             && sqlite3_bind_int64(st, 4, clock_wall_us()) == SQLITE_OK && sqlite3_step(st) == SQLITE_DONE;
    sqlite3_finalize(st);
    return good;
}

static enum err apply(struct conn *c, const struct migration *m, struct problem *why)
{
    if (exec(c, "BEGIN IMMEDIATE") && exec(c, m->sql) && record_applied(c, m) && exec(c, "COMMIT"))
        return ERR_NONE;
    enum err err = problem_set(why, ERR_STORE, "StoreFailed", "Migration %u (%s) failed: %s", m->number, m->name,
                               conn_words(c));
    exec(c, "ROLLBACK");
    return err;
}

enum err conn_migrate(struct conn *c, const struct migration *list, size_t n, struct problem *why)
{
    size_t done = 0;
    if (!exec(c, "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
                 " checksum TEXT NOT NULL, applied_us INTEGER NOT NULL)"))
        return failed(c, why, "The list of migrations cannot be made");
    enum err err = check_applied(c, list, n, &done, why);
    for (; !err && done < n; done++)
        err = apply(c, &list[done], why);
    return err;
}

enum err conn_looks_whole(struct conn *c, struct problem *why)
{
    sqlite3_stmt *st = NULL;
    bool good = sqlite3_prepare_v2(c->sql, "PRAGMA quick_check(1)", -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW
             && str_eqz(str_of((const char *)sqlite3_column_text(st, 0)), "ok");
    sqlite3_finalize(st);
    st = NULL;
    good = good && sqlite3_prepare_v2(c->sql, "SELECT 1 FROM snapshot_part WHERE name = 'product_us'", -1, &st, NULL) == SQLITE_OK
        && sqlite3_step(st) == SQLITE_ROW;
    sqlite3_finalize(st);
    return good ? ERR_NONE : problem_set(why, ERR_STORE, "StoreFailed", "This is no snapshot, or a damaged one.");
}

/* -- writing ----------------------------------------------------------------------------------------------------- */
bool conn_in_group(const struct conn *c)
{
    return !sqlite3_get_autocommit(c->sql);
}

enum err conn_begin(struct conn *c)
{
    return command(c, &c->begin, "BEGIN IMMEDIATE") ? ERR_NONE : ERR_STORE;
}

void conn_abandon(struct conn *c)
{
    if (conn_in_group(c))
        command(c, &c->rollback, "ROLLBACK");
}

enum err conn_commit(struct conn *c)
{
    if (command(c, &c->commit, "COMMIT"))
        return ERR_NONE;
    conn_abandon(c);
    return ERR_STORE;
}

/* Rows returned by a SELECT, not counting on once it cannot fit any more; rows changed by anything else. */
static enum err run_step(struct conn *c, const struct record *r)
{
    sqlite3_stmt *st = named(c, (enum db_stmt)r->stmt);
    if (!st || !bind(st, r))
        return store_failed(c);
    int64_t rows = 0;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW && (!sqlite3_stmt_readonly(st) || rows <= r->rows))
        rows++;
    bool good = rc == SQLITE_DONE || rc == SQLITE_ROW;
    enum err err = good ? ERR_NONE : (rc & 0xff) == SQLITE_CONSTRAINT ? ERR_CONFLICT : store_failed(c);
    if (!sqlite3_stmt_readonly(st))
        rows = sqlite3_changes64(c->sql);
    unbind(st);
    if (err)
        return err;
    return r->rows == DB_ANY_ROWS || rows == r->rows ? ERR_NONE : ERR_CONFLICT;
}

static enum err run_steps(struct conn *c, const struct db_unit *u, size_t *missed)
{
    enum err err = ERR_NONE;
    size_t at = 0, i = 0;
    for (const struct record *r; !err && (r = record_next(&u->steps, &at)); i++) {
        err = run_step(c, r);
        if (err == ERR_CONFLICT)
            *missed = i;
    }
    return err;
}

enum err conn_unit_quickly(struct conn *c, const struct db_unit *u)
{
    size_t missed;
    return run_steps(c, u, &missed);
}

enum err conn_unit(struct conn *c, const struct db_unit *u, size_t *missed)
{
    enum err err = command(c, &c->save, "SAVEPOINT unit") ? run_steps(c, u, missed) : ERR_STORE;
    if (err && conn_in_group(c) && !command(c, &c->undo, "ROLLBACK TO unit"))
        conn_abandon(c);
    if (conn_in_group(c) && !command(c, &c->release, "RELEASE unit"))
        conn_abandon(c);
    return conn_in_group(c) ? err : ERR_STORE;
}

/* -- reading ----------------------------------------------------------------------------------------------------- */
static struct db_val column(sqlite3_stmt *st, int i)
{
    switch (sqlite3_column_type(st, i)) {
    case SQLITE_INTEGER:
    case SQLITE_FLOAT:
        return DB_I(sqlite3_column_int64(st, i));
    case SQLITE_TEXT: {
        const char *p = (const char *)sqlite3_column_text(st, i);
        return DB_T(((struct str){ p ? p : "", (size_t)sqlite3_column_bytes(st, i) }));
    }
    case SQLITE_BLOB: {
        const char *p = sqlite3_column_blob(st, i);
        return DB_B(((struct str){ p, (size_t)sqlite3_column_bytes(st, i) }));
    }
    default:
        return DB_N;
    }
}

enum err conn_read(struct conn *c, const struct record *ask, int64_t limit_us, conn_row_fn *fn, void *arg)
{
    sqlite3_stmt *st = named(c, (enum db_stmt)ask->stmt);
    if (!st || !bind(st, ask))
        return store_failed(c);
    struct db_val vals[COLUMNS_MAX];
    int n = sqlite3_column_count(st), rc;
    assert(n <= COLUMNS_MAX);
    c->deadline.us = limit_us ? clock_mono().us + limit_us : 0;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        for (int i = 0; i < n; i++)
            vals[i] = column(st, i);
        if (!fn(arg, vals, (size_t)n))
            break;
    }
    enum err err = rc == SQLITE_DONE || rc == SQLITE_ROW ? ERR_NONE : store_failed(c);
    c->deadline.us = 0;
    unbind(st);
    return err;
}

/* -- the log ----------------------------------------------------------------------------------------------------- */
unsigned conn_log_pages(const struct conn *c)
{
    return c->log_pages;
}

/* First by itself, so that a failure of the checkpoint's syncs is one of the database. What a failed one may have dropped is behind the
 * last commit, and the next commit writes there. */
static bool sync_log(struct conn *c)
{
    sqlite3_file *log = NULL;
    if (sqlite3_file_control(c->sql, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK || !log || !log->pMethods)
        return true;                    /* not opened yet: there is nothing to copy */
    return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) == SQLITE_OK;
}

enum err conn_checkpoint(struct conn *c, unsigned *copied)
{
    int all = 0, so_far = 0;
    *copied = 0;
    if (!sync_log(c)) {
        snprintf(c->failure, sizeof c->failure, "the log cannot be synced");
        return ERR_STORE;
    }
    int rc = sqlite3_wal_checkpoint_v2(c->sql, NULL, SQLITE_CHECKPOINT_PASSIVE, &all, &so_far);
    if (rc == SQLITE_OK && so_far > 0)
        *copied = (unsigned)so_far;
    if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY)
        return ERR_NONE;
    (void)store_failed(c);
    return (rc & 0xff) == SQLITE_IOERR && rc != SQLITE_IOERR_READ && rc != SQLITE_IOERR_WRITE ? ERR_IO : ERR_STORE;
}

void conn_keep_log(struct conn *c)
{
    (void)!sqlite3_db_config(c->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

/* -- copies ------------------------------------------------------------------------------------------------------ */
void conn_hasten(struct conn *c)
{
    exec(c, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;");
}

enum err conn_copy(struct conn *to, struct conn *from)
{
    sqlite3_backup *backup = sqlite3_backup_init(to->sql, "main", from->sql, "main");
    if (!backup)
        return store_failed(to);
    (void)sqlite3_backup_step(backup, -1);
    return sqlite3_backup_finish(backup) == SQLITE_OK ? ERR_NONE : store_failed(to);
}

enum err db_copy_file(const char *from, const char *to, struct problem *why)
{
    sqlite3 *sql = NULL;
    sqlite3_stmt *copy = NULL;
    bool good = sqlite3_open_v2(from, &sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL) == SQLITE_OK
                && sqlite3_busy_timeout(sql, BUSY_WAIT_MS) == SQLITE_OK
                && sqlite3_prepare_v2(sql, "VACUUM INTO ?1", -1, &copy, NULL) == SQLITE_OK
                && sqlite3_bind_text(copy, 1, to, -1, SQLITE_STATIC) == SQLITE_OK && sqlite3_step(copy) == SQLITE_DONE;
    enum err err = good ? ERR_NONE : problem_set(why, ERR_STORE, "StoreFailed", "%s cannot be copied to %s: %s", from, to,
                                                 sql ? sqlite3_errmsg(sql) : "out of memory");
    sqlite3_finalize(copy);
    sqlite3_close(sql);
    return err;
}
