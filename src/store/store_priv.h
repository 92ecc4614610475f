/* store_priv.h - what the files of store/ share: how values are packed, and one connection of an engine.
 *
 * db.c has the threads and queues and knows no SQL; sqlite.c has one connection and knows no thread. Another engine
 * is another file that offers the conn_*() below. */
#pragma once
#include "base/buf.h"
#include "base/problem.h"
#include "store/db.h"

enum { COLUMNS_MAX = 64 };

/* -- values in memory: a list of records in one buffer, each a head, its cells, then the bytes of its texts ------ */
struct cell {
    int64_t  i;                 /* DB_INT: the value; DB_TEXT, DB_BLOB: where its bytes are, from the record's start */
    uint32_t n;                 /* octets; texts are followed by a NUL that is not counted */
    uint32_t kind;
};
struct record {
    size_t      octets;         /* to the next record */
    int64_t     rows;           /* in a unit: the guard */
    uint32_t    stmt;           /* in a unit: enum db_stmt */
    uint32_t    count;          /* of cells */
    struct cell cells[];
};
/** Append; a failed allocation or an impossible size makes the buffer bad. */
void record_put(struct buf *b, enum db_stmt stmt, int64_t rows, const struct db_val *vals, size_t n);
/** The record at *at, which moves on; NULL at the end. */
const struct record *record_next(const struct buf *b, size_t *at);
/** What was put, borrowed from the record. */
struct db_val record_val(const struct record *r, size_t i);

/* -- statements and migrations, from src/store/ *.sql ------------------------------------------------------------ */
struct statement {
    const char *name, *sql;
    unsigned    params;         /* the highest ?N */
};
extern const struct statement statements[DB_STATEMENTS];
/** Abort with the statement's name when the caller gives it another number of values: a fault of the program. */
void statement_check(enum db_stmt stmt, size_t n);

struct migration {
    unsigned    number;         /* 1.., no gaps */
    const char *name, *sql;
};
extern const struct migration migrations[];
extern const size_t           migration_count;

/* -- a unit or a read on its way --------------------------------------------------------------------------------- */
struct waiter;                  /* db.c: somebody blocked in db_run() or db_load() */
struct db_unit {
    struct inbox_item item;
    struct buf        steps;    /* records */
    size_t            count;
    struct db_done   *done;     /* who is told, or waiter, or nobody */
    struct waiter    *waiter;
    enum err          err;
    bool              struck;   /* by a fault that was asked for: it is not run */
    size_t            missed;
};

struct db_rows {
    struct buf           records;
    size_t               count, at;
    const struct record *row;   /* the current one, NULL before the first */
};
/* How the files of things read what is no plain integer. */
static inline uint64_t key_at(const struct db_rows *r, size_t column) { return (uint64_t)db_int(r, column); }
static inline int int_at(const struct db_rows *r, size_t column) { return (int)db_int(r, column); }
MUST_USE struct db_rows *rows_new(void);
void rows_put(struct db_rows *r, const struct db_val *vals, size_t n);

/* -- one connection: a thread's own ------------------------------------------------------------------------------ */
struct conn;
enum conn_use { CONN_WRITE, CONN_READ, CONN_IMAGE /* a copy: no log */ };
/** @param path  NULL: in memory  @return ERR_STORE, ERR_NOMEM, with `why` */
MUST_USE enum err conn_open(struct conn **out, const char *path, enum conn_use use, struct problem *why);
void conn_free(struct conn *c);
SCOPED_FREE(conn)
/** Bring the schema up to the last of the list. Refuses a newer database and an edited migration. */
MUST_USE enum err conn_migrate(struct conn *c, const struct migration *list, size_t n, struct problem *why);
/** Is it a database of ours that can be read to its end? @return ERR_STORE with `why` */
MUST_USE enum err conn_looks_whole(struct conn *c, struct problem *why);
MUST_USE enum err conn_prepare_all(struct conn *c, struct problem *why);

MUST_USE enum err conn_begin(struct conn *c);
/** Run one unit in a savepoint of its own. After an error the group goes on without it, unless conn_in_group() says
 *  that the engine gave the whole group up. @return ERR_CONFLICT (*missed says where), ERR_STORE */
MUST_USE enum err conn_unit(struct conn *c, const struct db_unit *u, size_t *missed);
/** The same without a savepoint, which costs as much as a row or two. After an error nothing of the group can be kept:
 *  conn_abandon(), then all of it again with conn_unit(). */
MUST_USE enum err conn_unit_quickly(struct conn *c, const struct db_unit *u);
void conn_abandon(struct conn *c);
bool conn_in_group(const struct conn *c);
/** @return ERR_STORE: nothing of the group is there */
MUST_USE enum err conn_commit(struct conn *c);

/** fn sees each row's values, borrowed until it returns; false stops. @param limit_us  of the whole read; 0: none */
typedef bool conn_row_fn(void *arg, const struct db_val *vals, size_t n);
MUST_USE enum err conn_read(struct conn *c, const struct record *ask, int64_t limit_us, conn_row_fn *fn, void *arg);

/** Pages in the write-ahead log after the last commit of this connection. */
unsigned conn_log_pages(const struct conn *c);
/** Copy what can be copied from the log to the database without waiting for anybody.
 *  @param copied  how many pages of the log are copied now; 0 when nobody knows
 *  @return ERR_STORE: not now; ERR_IO: a sync of the database failed: the log must stay as it is until it is opened anew */
MUST_USE enum err conn_checkpoint(struct conn *c, unsigned *copied);
/** Closing this connection leaves the log as it is. */
void conn_keep_log(struct conn *c);
/** Words for what the library did last on this connection. */
const char *conn_words(const struct conn *c);
/** Words for the last unit or read that failed; empty while none did. */
const char *conn_failure(const struct conn *c);

/** Put a copy of all of `from` in the place of what `to` has: one transaction. @return ERR_STORE, words by conn_words(to) */
MUST_USE enum err conn_copy(struct conn *to, struct conn *from);
/** A new file is its maker's: no log, and not synced. */
void conn_hasten(struct conn *c);
