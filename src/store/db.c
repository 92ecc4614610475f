/* The threads of the store: one that writes groups of units, and N that read.
 *
 * Writing: units come by an inbox, so the group grows while the disk is busy with the one before. Reading: several
 * threads take from one queue under a lock, so that a slow list does not hold up what came after it on one of them.
 * In memory there is one connection only, and `memory_lock` says whose turn it is. */
#include "store/image.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/metric.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

enum {
    READERS_MAX = 8,
    GROUP_US = 6000,                    /* a group takes no more units after this: under load alone, else it is all there is (docs/store.md) */
    READ_US = 1000000,                  /* the longest read that was asked for; loading at start may take longer */
    READ_OCTETS_MAX = 64 << 20,
    LOG_COPY_PAGES = 1000,              /* a read thread copies the log back whenever so much has come to it: 4 MB, behind which a commit waits little */
    LOG_LONG_PAGES = 16000,             /* 64 MB: it is to begin anew, which only the writer can do, once all of it is copied */
    LOG_REST_PAGES = 128,               /* so little of it is copied by the writer itself, while nothing else is written */
    LOG_STALL_PAGES = 48000,            /* ... or whatever is left, when the read thread does not get that far */
    CAREFUL_GROUPS = 16,                /* have savepoints after a unit failed: where one does, others may */
    IDLE_MS = 500,
};

METRIC_COUNTER(units_total, "carterfone_store_units_total", "Units of writing that were run.")
METRIC_COUNTER(groups_total, "carterfone_store_groups_total", "Commits: each holds one or more units.")
METRIC_COUNTER(again_total, "carterfone_store_groups_again_total", "Groups that were run once more, with savepoints: a unit had failed.")
METRIC_COUNTER(conflicts_total, "carterfone_store_conflicts_total", "Units refused by a guard of theirs.")
METRIC_COUNTER(failures_total, "carterfone_store_failures_total", "Units and reads that the database failed.")
METRIC_COUNTER(reads_total, "carterfone_store_reads_total", "Reads answered.")
METRIC_GAUGE(log_pages, "carterfone_store_log_pages", "Pages in the write-ahead log after the last commit.")

/* Somebody blocked until one answer is there. */
struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t  told;
    bool            ready;
    enum err        err;
    struct db_rows *rows;
};

/* A read on its way; or, without `unit`, db.copy_order: copy the log back. */
struct ask {
    struct ask     *next;
    struct db_unit *unit;               /* holds the one statement and its values */
    size_t          limit_rows;
    struct db_read *read;               /* who is told, or waiter */
    struct waiter  *waiter;
};

struct reader {
    struct db   *db;
    struct conn *conn;
    pthread_t    thread;
    bool         started;
};

struct db {
    char            *path;              /* NULL: in memory */
    int              lock_fd;
    struct conn     *conn;              /* the writer's */
    struct inbox    *units;
    pthread_t        writer;
    bool             writer_started, stopping;      /* stopping: the writer's own */
    struct db_unit  *group, **group_end;            /* run, not yet committed, in order */
    struct mono      group_until;
    unsigned         careful;           /* so many groups are run with a savepoint a unit: one of the last had a unit that failed */
    bool             savepoints;        /* this group is */
    unsigned         log_ordered;       /* pages in the log when copying was last ordered: not after each commit */
    unsigned         log_stalled;       /* ... and when the writer last copied it itself */
    _Atomic unsigned log_copied;        /* so many of its pages were, when a read thread last looked */
    pthread_mutex_t  copy_lock;         /* held by whoever copies it: nobody waits for it */
    _Atomic bool     broken;            /* a sync of what was copied failed, see copy_back() */
    struct inbox_item stop_order;
    pthread_mutex_t  memory_lock;
    pthread_mutex_t  failure_lock;
    char             failure[160];
    int64_t          failed_us;         /* mono; 0: never */

    struct reader    readers[READERS_MAX];
    unsigned         reader_count;
    pthread_mutex_t  asks_lock;
    pthread_cond_t   asks_there;
    struct ask      *asks, **asks_end;
    size_t           asks_waiting, asks_bound;
    struct ask       copy_order;
    bool             asks_stop, copying;            /* copying: the order is in the queue or under way */
};

/* -- waiting ----------------------------------------------------------------------------------------------------- */
static void waiter_tell(struct waiter *w, enum err err, struct db_rows *rows)
{
    pthread_mutex_lock(&w->lock);
    w->ready = true;
    w->err = err;
    w->rows = rows;
    pthread_cond_signal(&w->told);
    pthread_mutex_unlock(&w->lock);
}

static enum err waiter_wait(struct waiter *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->ready)
        pthread_cond_wait(&w->told, &w->lock);
    pthread_mutex_unlock(&w->lock);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->told);
    return w->err;
}

#define WAITER { .lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER }

/* -- the writer -------------------------------------------------------------------------------------------------- */
static void turn_take(struct db *db)
{
    if (!db->path)
        pthread_mutex_lock(&db->memory_lock);
}

static void turn_give(struct db *db)
{
    if (!db->path)
        pthread_mutex_unlock(&db->memory_lock);
}

static void unit_answer(struct db_unit *u)
{
    struct db_done *done = u->done;
    if (u->err)
        metric_add(u->err == ERR_CONFLICT ? &conflicts_total : &failures_total, 1);
    if (u->waiter) {
        waiter_tell(u->waiter, u->err, NULL);
    } else if (done && done->to) {
        done->err = u->err;
        done->missed = u->missed;
        inbox_post_always(done->to, &done->item);
    } else {
        free(done);
    }
    db_unit_free(u);
}

static void note_failure(struct db *db, const char *words)
{
    pthread_mutex_lock(&db->failure_lock);
    snprintf(db->failure, sizeof db->failure, "%s", words);
    db->failed_us = clock_mono().us;
    pthread_mutex_unlock(&db->failure_lock);
}

int64_t db_failure(struct db *db, char *dst, size_t size)
{
    pthread_mutex_lock(&db->failure_lock);
    snprintf(dst, size, "%s", db->failure);
    int64_t at_us = db->failed_us;
    pthread_mutex_unlock(&db->failure_lock);
    return at_us;
}

/* -- faults that were asked for (base/fault.h) -------------------------------------------------------------------- */
static bool unit_struck(struct db *db, struct db_unit *u)
{
    static const uint64_t kinds = FAULT_BIT(STORE_ERROR) | FAULT_BIT(STORE_FULL);
    struct fault_hit hit;
    if (!fault_armed(kinds))
        return false;
    scoped_buf names = { 0 };
    size_t at = 0;
    for (const struct record *r; (r = record_next(&u->steps, &at));)
        buf_printf(&names, "%s ", statements[r->stmt].name);
    if (!fault_strikes(kinds, &(struct fault_subject){ .statement = buf_str(&names) }, &hit))
        return false;
    u->err = ERR_STORE;
    note_failure(db, hit.kind == FAULT_STORE_FULL ? "database or disk is full (a fault that was asked for)"
                                                  : "disk I/O error (a fault that was asked for)");
    return true;
}

/* The writer alone waits, as for a slow disk. */
static void strike_slow(void)
{
    struct fault_hit hit;
    if (fault_strikes(FAULT_BIT(STORE_SLOW), NULL, &hit))
        usleep((useconds_t)hit.delay_us);
}

/* The outcome of the whole group is known. */
static void group_answer(struct db *db, enum err err)
{
    struct db_unit *u = db->group, *next;
    db->group = NULL;
    db->group_end = &db->group;
    for (; u; u = next) {
        next = (struct db_unit *)u->item.next;
        if (err)
            u->err = err;
        unit_answer(u);
    }
}

static void group_end(struct db *db)
{
    if (!db->group)
        return;
    strike_slow();
    enum err err = conn_in_group(db->conn) ? conn_commit(db->conn) : ERR_STORE;
    if (err && !db->broken)
        note_failure(db, conn_failure(db->conn));
    turn_give(db);
    metric_add(&groups_total, 1);
    metric_set(&log_pages, conn_log_pages(db->conn));
    group_answer(db, err);
}

/* Each unit by itself: one that fails takes nothing else with it. */
static void run_with_care(struct db *db, struct db_unit *u)
{
    u->err = conn_in_group(db->conn) ? conn_unit(db->conn, u, &u->missed) : ERR_STORE;
    if (u->err == ERR_STORE)
        note_failure(db, conn_failure(db->conn));
}

/* A unit failed and has no savepoint: all of the group once more, with them. */
static void run_again(struct db *db)
{
    metric_add(&again_total, 1);
    conn_abandon(db->conn);
    db->savepoints = true;
    db->careful = CAREFUL_GROUPS;
    enum err err = conn_begin(db->conn);
    for (struct db_unit *u = db->group; u; u = (struct db_unit *)u->item.next) {
        if (u->struck)
            continue;
        u->err = err;
        if (!err)
            run_with_care(db, u);
    }
}

static void group_begin(struct db *db, struct db_unit *u)
{
    turn_take(db);
    db->group_until.us = clock_mono().us + GROUP_US;
    db->savepoints = db->careful > 0;
    db->careful -= db->savepoints;
    u->err = db->broken ? ERR_STORE : conn_begin(db->conn);
}

static void on_unit(void *owner, struct inbox_item *item)
{
    struct db *db = owner;
    struct db_unit *u = container_of(item, struct db_unit, item);
    if (!db->group)
        group_begin(db, u);
    if (u->err && !db->broken)
        note_failure(db, conn_failure(db->conn));
    metric_add(&units_total, 1);
    u->item.next = NULL;
    *db->group_end = u;
    db->group_end = (struct db_unit **)(void *)&u->item.next;
    u->struck = !u->err && unit_struck(db, u);
    if (!u->err && db->savepoints)
        run_with_care(db, u);
    else if (!u->err && conn_unit_quickly(db->conn, u))
        run_again(db);
    if (!conn_in_group(db->conn) || clock_mono().us >= db->group_until.us)
        group_end(db);
}

/* -- copies ------------------------------------------------------------------------------------------------------ */
static void copy_answer(struct db_copy *copy)
{
    db_unit_free(copy->also);
    copy->also = NULL;
    inbox_post_always(copy->to, &copy->item);
}

static void on_copy(void *owner, struct inbox_item *item)
{
    struct db *db = owner;
    struct db_copy *copy = container_of(item, struct db_copy, ask);
    group_end(db);
    turn_take(db);
    copy->err = image_make(db->conn, copy->path, copy->also, &copy->image);
    turn_give(db);
    copy_answer(copy);
}

static void drop_copy(struct inbox_item *item)
{
    struct db_copy *copy = container_of(item, struct db_copy, ask);
    copy->err = ERR_CLOSED;
    copy_answer(copy);
}
static const struct inbox_kind copy_kind = { "copy", on_copy, drop_copy };

void db_post_copy(struct db *db, struct db_copy *copy)
{
    copy->db = db;
    copy->image = NULL;
    copy->ask.kind = &copy_kind;
    inbox_post_always(db->units, &copy->ask);
}

static void drop_unit(struct inbox_item *item)
{
    struct db_unit *u = container_of(item, struct db_unit, item);
    u->err = ERR_STORE;
    unit_answer(u);
}
static const struct inbox_kind unit_kind = { "unit", on_unit, drop_unit };

static void on_stop(void *owner, struct inbox_item *item)
{
    (void)item;
    struct db *db = owner;
    db->stopping = true;
}
static void drop_stop(struct inbox_item *item)
{
    (void)item;         /* a member of the db */
}
static const struct inbox_kind stop_kind = { "stop", on_stop, drop_stop };

/* Any thread that has a connection. After a sync that failed, Linux takes pages for written that are not, and SQLite takes them for
 * copied: the log, begun anew, would lose them at a power cut. So it stays whole, and nothing is written any more: who opens the
 * database next copies all of it. */
static void copy_back(struct db *db, struct conn *conn)
{
    unsigned copied = 0;
    if (pthread_mutex_trylock(&db->copy_lock))
        return;                         /* another does */
    enum err err = db->broken ? ERR_NONE : conn_checkpoint(conn, &copied);
    if (err)
        note_failure(db, conn_failure(conn));
    if (err == ERR_IO)
        db->broken = true;
    else
        db->log_copied = copied;
    pthread_mutex_unlock(&db->copy_lock);
}

bool db_is_broken(struct db *db)
{
    return db->broken;
}

static void order_copying(struct db *db);

/* Between groups: keep the log short, by a read thread where possible. */
static void tend_log(struct db *db, bool idle)
{
    unsigned pages = conn_log_pages(db->conn);
    if (!db->path || !pages)
        return;
    if (pages < db->log_ordered)
        db->log_ordered = db->log_stalled = 0;      /* it began anew */
    unsigned copied = db->log_copied, left = copied < pages ? pages - copied : pages;
    bool too_long = pages >= LOG_LONG_PAGES && pages >= db->log_stalled + LOG_COPY_PAGES;
    if (too_long && (left <= LOG_REST_PAGES || pages >= LOG_STALL_PAGES)) {
        db->log_ordered = db->log_stalled = pages;  /* a reader may have held it up: not again at each commit */
        copy_back(db, db->conn);
    } else if (idle || too_long || pages >= db->log_ordered + LOG_COPY_PAGES) {
        db->log_ordered = pages;
        order_copying(db);
    }
}

static void *writer_main(void *arg)
{
    struct db *db = arg;
    bool copied = true;             /* nothing was written since the log was last tended while idle */
    while (!db->stopping) {
        inbox_wait(db->units, copied ? -1 : IDLE_MS);
        size_t n = inbox_drain(db->units);
        while (db->group && inbox_depth(db->units))
            inbox_drain(db->units);
        group_end(db);
        tend_log(db, !n);
        copied = !n;
    }
    return NULL;
}

enum err db_post(struct db *db, struct db_unit *u, struct db_done *done)
{
    if (!u || u->steps.bad)
        return ERR_NOMEM;
    u->done = done;
    u->item.kind = &unit_kind;
    return inbox_post(db->units, &u->item);
}

enum err db_run(struct db *db, struct db_unit *u)
{
    struct waiter w = WAITER;
    if (u)
        u->waiter = &w;
    enum err err = db_post(db, u, NULL);
    if (err) {
        db_unit_free(u);
        return err;
    }
    return waiter_wait(&w);
}

/* -- the readers ------------------------------------------------------------------------------------------------- */
/* Appends under the lock. `always`: not counted against the bound. */
static enum err asks_put(struct db *db, struct ask *a, bool always)
{
    pthread_mutex_lock(&db->asks_lock);
    bool room = always || db->asks_waiting < db->asks_bound;
    if (room) {
        *db->asks_end = a;
        db->asks_end = &a->next;
        db->asks_waiting++;
        pthread_cond_signal(&db->asks_there);
    }
    pthread_mutex_unlock(&db->asks_lock);
    return room ? ERR_NONE : ERR_BUSY;
}

static struct ask *asks_take(struct db *db)
{
    pthread_mutex_lock(&db->asks_lock);
    while (!db->asks && !db->asks_stop)
        pthread_cond_wait(&db->asks_there, &db->asks_lock);
    struct ask *a = db->asks;
    if (a) {
        db->asks = a->next;
        if (!db->asks)
            db->asks_end = &db->asks;
        db->asks_waiting--;
    }
    pthread_mutex_unlock(&db->asks_lock);
    return a;
}

static void order_copying(struct db *db)
{
    pthread_mutex_lock(&db->asks_lock);
    bool already = db->copying;
    db->copying = true;
    pthread_mutex_unlock(&db->asks_lock);
    if (already)
        return;                         /* it stands in line: its link is part of the line */
    db->copy_order.next = NULL;
    (void)!asks_put(db, &db->copy_order, true);         /* never refused */
}

static void copy_log(struct reader *rd)
{
    copy_back(rd->db, rd->conn);
    pthread_mutex_lock(&rd->db->asks_lock);
    rd->db->copying = false;
    pthread_mutex_unlock(&rd->db->asks_lock);
}

struct collecting {
    struct db_rows *rows;
    size_t          limit;
    bool            too_much;
};

static bool collect(void *arg, const struct db_val *vals, size_t n)
{
    struct collecting *c = arg;
    rows_put(c->rows, vals, n);
    c->too_much = c->rows->records.bad || c->rows->records.n > READ_OCTETS_MAX;
    return !c->too_much && c->rows->count < c->limit;
}

/* The rows of one statement; NULL when it failed. */
static struct db_rows *rows_of(struct db *db, struct conn *conn, const struct db_unit *u, size_t limit, int64_t limit_us)
{
    struct collecting c = { rows_new(), limit, false };
    size_t at = 0;
    if (!c.rows)
        return NULL;
    turn_take(db);
    enum err err = conn_read(conn, record_next(&u->steps, &at), limit_us, collect, &c);
    if (err)
        note_failure(db, conn_failure(conn));
    turn_give(db);
    if (err || c.too_much) {
        db_rows_free(c.rows);
        return NULL;
    }
    return c.rows;
}

static void ask_free(struct ask *a)
{
    if (!a)
        return;
    db_unit_free(a->unit);
    free(a);
}
SCOPED_FREE(ask)

static void ask_answer(struct ask *a, struct db_rows *rows)
{
    enum err err = rows ? ERR_NONE : ERR_STORE;
    metric_add(rows ? &reads_total : &failures_total, 1);
    if (a->waiter) {
        waiter_tell(a->waiter, err, rows);
    } else {
        a->read->err = err;
        a->read->rows = rows;
        inbox_post_always(a->read->to, &a->read->item);
    }
    ask_free(a);
}

/* Reads at start are spared: who waits for them cannot go on without. */
static struct db_rows *read_rows(struct reader *rd, const struct ask *a)
{
    struct fault_hit hit;
    size_t at = 0;
    if (fault_armed(FAULT_BIT(STORE_READ_ERROR)) && a->read) {
        struct fault_subject s = { .statement = str_of(statements[record_next(&a->unit->steps, &at)->stmt].name) };
        if (fault_strikes(FAULT_BIT(STORE_READ_ERROR), &s, &hit)) {
            note_failure(rd->db, "disk I/O error (a fault that was asked for)");
            return NULL;
        }
    }
    return rows_of(rd->db, rd->conn, a->unit, a->limit_rows, a->read ? READ_US : 0);
}

static void *reader_main(void *arg)
{
    struct reader *rd = arg;
    for (struct ask *a; (a = asks_take(rd->db));) {
        if (a->unit) {
            ask_answer(a, read_rows(rd, a));
        } else {
            copy_log(rd);
        }
    }
    return NULL;
}

static struct ask *ask_new(enum db_stmt stmt, const struct db_val *vals, size_t n, size_t limit_rows)
{
    scoped(ask) struct ask *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->unit = db_unit_new();
    a->limit_rows = limit_rows;
    db_unit_add(a->unit, stmt, 0, vals, n);
    if (!a->unit || a->unit->steps.bad)
        return NULL;
    struct ask *good = a;
    a = NULL;
    return good;
}

enum err db_ask(struct db *db, enum db_stmt stmt, const struct db_val *vals, size_t n, size_t limit_rows,
                struct db_read *read)
{
    struct ask *a = ask_new(stmt, vals, n, limit_rows);
    if (!a)
        return ERR_NOMEM;
    a->read = read;
    enum err err = asks_put(db, a, false);
    if (err)
        ask_free(a);
    return err;
}

enum err db_load(struct db *db, enum db_stmt stmt, const struct db_val *vals, size_t n, struct db_rows **out)
{
    struct waiter w = WAITER;
    struct ask *a = ask_new(stmt, vals, n, SIZE_MAX);
    if (!a)
        return ERR_NOMEM;
    a->waiter = &w;
    enum err err = asks_put(db, a, false);
    if (err) {
        ask_free(a);
        return err;
    }
    err = waiter_wait(&w);
    if (!err)
        *out = w.rows;
    return err;
}

enum err db_image_load(struct db_image *image, enum db_stmt stmt, const struct db_val *vals, size_t n, struct db_rows **out)
{
    scoped(ask) struct ask *a = ask_new(stmt, vals, n, SIZE_MAX);
    struct collecting c = { a ? rows_new() : NULL, SIZE_MAX, false };
    size_t at = 0;
    if (!c.rows)
        return ERR_NOMEM;
    enum err err = conn_read(image_conn(image), record_next(&a->unit->steps, &at), 0, collect, &c);
    if (err || c.too_much) {
        db_rows_free(c.rows);
        return ERR_STORE;
    }
    *out = c.rows;
    return ERR_NONE;
}

/* -- row by row -------------------------------------------------------------------------------------------------- */
struct each {
    struct db_rows *row;                /* its one record is the row at hand */
    db_row_fn      *fn;
    void           *arg;
    bool            bad;
};

static bool each_row(void *arg, const struct db_val *vals, size_t n)
{
    struct each *e = arg;
    buf_clear(&e->row->records);
    e->row->at = 0;
    rows_put(e->row, vals, n);
    e->bad = e->row->records.bad;
    return !e->bad && db_rows_next(e->row) && e->fn(e->arg, e->row);
}

/* In memory: everything first, so that fn may use the store. */
static enum err each_in_memory(struct db *db, const struct ask *a, db_row_fn *fn, void *arg)
{
    scoped(db_rows) struct db_rows *rows = rows_of(db, db->conn, a->unit, SIZE_MAX, 0);
    if (!rows)
        return ERR_STORE;
    while (db_rows_next(rows) && fn(arg, rows))
        ;
    return ERR_NONE;
}

enum err db_each(struct db *db, enum db_stmt stmt, const struct db_val *vals, size_t n, db_row_fn *fn, void *arg)
{
    scoped(ask) struct ask *a = ask_new(stmt, vals, n, SIZE_MAX);
    scoped(db_rows) struct db_rows *row = rows_new();
    scoped(conn) struct conn *conn = NULL;
    if (!a || !row)
        return ERR_NOMEM;
    if (!db->path)
        return each_in_memory(db, a, fn, arg);
    struct each e = { row, fn, arg, false };
    size_t at = 0;
    enum err err = conn_open(&conn, db->path, CONN_READ, NULL);
    if (!err)
        err = conn_read(conn, record_next(&a->unit->steps, &at), 0, each_row, &e);
    return err ? err : e.bad ? ERR_NOMEM : ERR_NONE;
}

/* -- opening and closing ----------------------------------------------------------------------------------------- */
/* The file and its lock, readable by nobody else: two servers on one database would each trust their own memory. */
static enum err claim(struct db *db, struct problem *why)
{
    char lock_path[4096];
    int n = snprintf(lock_path, sizeof lock_path, "%s.lock", db->path);
    if (n < 0 || (size_t)n >= sizeof lock_path)
        return problem_set(why, ERR_STORE, "StoreFailed", "The path of the database is too long.");
    db->lock_fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (db->lock_fd < 0)
        return problem_set(why, ERR_STORE, "StoreFailed", "%s cannot be opened: %s", lock_path, strerror(errno));
    if (flock(db->lock_fd, LOCK_EX | LOCK_NB))
        return problem_set(why, ERR_STORE, "StoreInUse", "Another process uses the database %s.", db->path);
    int fd = open(db->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return problem_set(why, ERR_STORE, "StoreFailed", "%s cannot be opened: %s", db->path, strerror(errno));
    close(fd);
    return ERR_NONE;
}

static enum err open_writer(struct db *db, struct db_image *image, struct problem *why)
{
    enum err err = db->path ? claim(db, why) : ERR_NONE;
    if (!err)
        err = conn_open(&db->conn, db->path, CONN_WRITE, why);
    if (!err && image && conn_copy(db->conn, image_conn(image)))
        err = problem_set(why, ERR_STORE, "StoreFailed", "The snapshot cannot be taken in: %s", conn_words(db->conn));
    if (!err)
        err = conn_migrate(db->conn, migrations, migration_count, why);
    if (!err)
        err = conn_prepare_all(db->conn, why);
    return err;
}

static enum err start_reader(struct db *db, struct problem *why)
{
    struct reader *rd = &db->readers[db->reader_count++];
    char name[16];
    rd->db = db;
    rd->conn = db->conn;
    enum err err = db->path ? conn_open(&rd->conn, db->path, CONN_READ, why) : ERR_NONE;
    if (err) {
        rd->conn = NULL;
        return err;
    }
    if (pthread_create(&rd->thread, NULL, reader_main, rd))
        return problem_set(why, ERR_NOMEM, "OutOfMemory", "No memory for a read thread.");
    rd->started = true;
    snprintf(name, sizeof name, "read%u", db->reader_count);
    pthread_setname_np(rd->thread, name);
    return ERR_NONE;
}

static enum err start_writer(struct db *db, struct problem *why)
{
    if (pthread_create(&db->writer, NULL, writer_main, db))
        return problem_set(why, ERR_NOMEM, "OutOfMemory", "No memory for the store thread.");
    db->writer_started = true;
    pthread_setname_np(db->writer, "store");
    return ERR_NONE;
}

static struct db *db_new(const struct db_conf *conf)
{
    struct db *db = calloc(1, sizeof *db);
    if (!db)
        return NULL;
    *db = (struct db){ .lock_fd = -1, .asks_bound = conf->bound, .path = conf->path ? strdup(conf->path) : NULL,
                       .units = inbox_new("store", conf->bound, db) };
    db->group_end = &db->group;
    db->asks_end = &db->asks;
    db->stop_order.kind = &stop_kind;
    pthread_mutex_init(&db->memory_lock, NULL);
    pthread_mutex_init(&db->failure_lock, NULL);
    pthread_mutex_init(&db->copy_lock, NULL);
    pthread_mutex_init(&db->asks_lock, NULL);
    pthread_cond_init(&db->asks_there, NULL);
    if (!db->units || (conf->path && !db->path)) {
        db_close(db);
        return NULL;
    }
    return db;
}

enum err db_open(struct db **out, const struct db_conf *conf, struct problem *why)
{
    struct db *db = db_new(conf);
    if (!db)
        return problem_set(why, ERR_NOMEM, "OutOfMemory", "No memory for the store.");
    unsigned readers = conf->readers < 1 ? 1 : conf->readers > READERS_MAX ? READERS_MAX : conf->readers;
    enum err err = open_writer(db, conf->image, why);
    while (!err && db->reader_count < readers)
        err = start_reader(db, why);
    if (!err)
        err = start_writer(db, why);
    if (err) {
        db_close(db);
        return err;
    }
    *out = db;
    return ERR_NONE;
}

static void stop_writer(struct db *db)
{
    inbox_post_always(db->units, &db->stop_order);      /* comes after all that was posted before it */
    pthread_join(db->writer, NULL);
}

static void conn_end(struct db *db, struct conn *conn)
{
    if (conn && db->broken)
        conn_keep_log(conn);
    conn_free(conn);
}

static void stop_readers(struct db *db)
{
    pthread_mutex_lock(&db->asks_lock);
    db->asks_stop = true;
    pthread_cond_broadcast(&db->asks_there);
    pthread_mutex_unlock(&db->asks_lock);
    for (unsigned i = 0; i < db->reader_count; i++) {
        struct reader *rd = &db->readers[i];
        if (rd->started)
            pthread_join(rd->thread, NULL);
        if (rd->conn != db->conn)
            conn_end(db, rd->conn);
    }
}

void db_close(struct db *db)
{
    if (!db)
        return;
    if (db->writer_started)
        stop_writer(db);
    stop_readers(db);
    inbox_free(db->units);
    conn_end(db, db->conn);     /* the last connection copies the log back and removes it */
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    pthread_mutex_destroy(&db->memory_lock);
    pthread_mutex_destroy(&db->failure_lock);
    pthread_mutex_destroy(&db->copy_lock);
    pthread_mutex_destroy(&db->asks_lock);
    pthread_cond_destroy(&db->asks_there);
    free(db->path);
    free(db);
}
