/* db.h - the store port: named statements, written in units, read in rows.
 *
 * A write is a *unit*: statements run in order and stand or fall together; each may state how many rows it must touch, and a
 * miss, or a row that a UNIQUE or CHECK forbids, rolls back that unit alone (ERR_CONFLICT). Units run in posted order
 * on the `store` thread; the group commits when its inbox is empty or after 2 ms; the reply goes to the poster's inbox
 * after the commit. If COMMIT fails, every unit of the group answers ERR_STORE. Reads run on read threads and see every
 * unit whose reply has been sent. Tables carry no foreign keys: a guard says what must be there.
 * Statements live in src/store/<thing>.sql and are the same for every engine (`store/statements.h`, generated).
 * Its tables come from src/store/migrations/NNNN_name.sql: forward only, never edited once landed; whoever lands first
 * has the number, the next takes the one after (the build refuses gaps and doubles). */
#pragma once
#include "base/base.h"
#include "base/inbox.h"
#include "store/statements.h"       /* enum db_stmt: DB_<NAME> for each named statement; built from *.sql */

struct db;
struct db_unit;
struct db_rows;

struct db_val {
    enum { DB_NULL, DB_INT, DB_TEXT, DB_BLOB } kind;
    int64_t    i;
    struct str s;
};
#define DB_I(v)  ((struct db_val){ .kind = DB_INT,  .i = (int64_t)(v) })
#define DB_T(v)  ((struct db_val){ .kind = DB_TEXT, .s = (v) })
#define DB_Z(v)  ((struct db_val){ .kind = DB_TEXT, .s = { (v), strlen(v) } })
#define DB_B(v)  ((struct db_val){ .kind = DB_BLOB, .s = (v) })
#define DB_N     ((struct db_val){ .kind = DB_NULL })
enum { DB_ANY_ROWS = -1 };

struct db_conf {
    const char *path;               /* of the SQLite file; NULL: in memory */
    unsigned    readers;            /* read threads, 1..8 */
    size_t      bound;              /* units and reads that may wait */
    struct db_image *image;         /* put in the place of what is there, whole or not at all; borrowed. NULL: none */
};

/** Open, migrate forward, prepare every statement, start the threads. @return ERR_STORE, ERR_NOMEM with `why` filled */
struct problem;
MUST_USE enum err db_open(struct db **out, const struct db_conf *conf, struct problem *why);
/** A copy of the database at `from`, which another process may have open and write to: as it was at one moment. `to` must not be there.
 *  @return ERR_STORE with `why` */
MUST_USE enum err db_copy_file(const char *from, const char *to, struct problem *why);
/** Commits what was posted, stops the threads. */
void db_close(struct db *db);
/** Words for the newest ERR_STORE ("database or disk is full"), for logs and readiness; empty while there was none.
 *  Any thread. @return when that was (mono); 0 while there was none */
int64_t db_failure(struct db *db, char *dst, size_t size);
/** A sync of the database failed, so that nobody knows what the disk has of it: every unit answers ERR_STORE from now on. What was
 *  committed is whole in its log, which the next db_open() reads. Any thread. */
bool db_is_broken(struct db *db);

/* -- writing ------------------------------------------------------------------------------------------------- */
/** Any thread builds a unit; values are copied in. NULL when out of memory (db_unit_add accepts NULL, db_post says so). */
MUST_USE struct db_unit *db_unit_new(void);
void db_unit_free(struct db_unit *u);
SCOPED_FREE(db_unit)
/** @param rows  how many rows it must change (or, for a SELECT guard, return); DB_ANY_ROWS: no matter */
void db_unit_add(struct db_unit *u, enum db_stmt stmt, int64_t rows, const struct db_val *vals, size_t n);
/** db_do(u, DB_MESSAGE_INSERT, 1, DB_I(key), DB_T(to)); */
#define db_do(u, stmt, rows, ...)                                                            \
    db_unit_add((u), (stmt), (rows), (const struct db_val[]){ __VA_ARGS__ },                 \
                sizeof((const struct db_val[]){ __VA_ARGS__ }) / sizeof(struct db_val))
size_t db_unit_count(const struct db_unit *u);

/* The reply, first member of the poster's own struct; `item.kind` is the poster's. The poster owns it again then. */
struct db_done {
    struct inbox_item item;
    struct inbox     *to;           /* where the reply goes; NULL: nobody waits, `done` is freed */
    enum err          err;          /* ERR_NONE, ERR_CONFLICT, ERR_STORE */
    size_t            missed;       /* with ERR_CONFLICT: which statement of the unit, from 0 */
};
/** Gives the unit away on success. @return ERR_BUSY (inbox full), ERR_NOMEM (unit is bad); then nothing was given */
MUST_USE enum err db_post(struct db *db, struct db_unit *u, struct db_done *done);
/** Post and wait, for start-up and tests. Takes the unit. @return as db_done.err, or ERR_BUSY, ERR_NOMEM */
MUST_USE enum err db_run(struct db *db, struct db_unit *u);

/* -- reading ------------------------------------------------------------------------------------------------- */
/* The reply to a read, first member of the asker's own struct. `rows` are the asker's to free. */
struct db_read {
    struct inbox_item item;
    struct inbox     *to;
    enum err          err;          /* ERR_NONE, ERR_STORE (also over 1 s or 64 MiB) */
    struct db_rows   *rows;         /* on ERR_NONE */
};
/** @param limit_rows  stop after this many, 1.. @return ERR_BUSY, ERR_NOMEM */
MUST_USE enum err db_ask(struct db *db, enum db_stmt stmt, const struct db_val *vals, size_t n, size_t limit_rows,
                         struct db_read *read);
/** Ask and wait, for start-up and tests. */
MUST_USE enum err db_load(struct db *db, enum db_stmt stmt, const struct db_val *vals, size_t n, struct db_rows **out);
/** One row at a time without keeping them (start-up, millions of rows); fn returns false to stop. */
typedef bool db_row_fn(void *arg, const struct db_rows *row);
MUST_USE enum err db_each(struct db *db, enum db_stmt stmt, const struct db_val *vals, size_t n, db_row_fn *fn, void *arg);

void db_rows_free(struct db_rows *r);
SCOPED_FREE(db_rows)
/** Move to the next row (the first, when new). */
bool db_rows_next(struct db_rows *r);
size_t db_rows_count(const struct db_rows *r);
/* Of the current row, columns from 0. A NULL is 0 or the empty string. Text ends in NUL and lives as long as the rows. */
int64_t    db_int(const struct db_rows *r, size_t column);
struct str db_text(const struct db_rows *r, size_t column);
bool       db_is_null(const struct db_rows *r, size_t column);

/* -- copies of the whole database, for snapshots ------------------------------------------------------------------ */
/* A consistent copy: a file, or in memory. Thread: one at a time. */
struct db_image;
void db_image_free(struct db_image *image);
SCOPED_FREE(db_image)
/** Open the file of a copy, which must be one that every statement can be prepared on.
 *  @return ERR_ABSENT, ERR_STORE (it is none), ERR_NOMEM, with `why` */
MUST_USE enum err db_image_open(struct db_image **out, const char *path, struct problem *why);

/** Rows of a copy, before anything is made of it. @param out  the caller's; set on success @return ERR_STORE, ERR_NOMEM */
MUST_USE enum err db_image_load(struct db_image *image, enum db_stmt stmt, const struct db_val *vals, size_t n, struct db_rows **out);

/* Asked of the store thread: comes after every unit that was posted before it. First member of the asker's own struct. */
struct db_copy {
    struct inbox_item item;         /* the reply; `kind` is the asker's */
    struct inbox_item ask;          /* ours */
    struct inbox     *to;
    struct db        *db;
    enum err          err;          /* ERR_NONE, ERR_STORE, ERR_IO, ERR_NOMEM */
    const char       *path;         /* of the new file, the asker's to keep; NULL: in memory, then `image` is the asker's */
    struct db_unit   *also;         /* run in the copy alone; given away */
    struct db_image  *image;
};
/** Never refused. */
void db_post_copy(struct db *db, struct db_copy *copy);
