#include "store/store_priv.h"

#include <stdio.h>

enum { ALIGN = 8, TEXT_MAX = 256 << 20 };

static bool has_bytes(const struct db_val *v)
{
    return v->kind == DB_TEXT || v->kind == DB_BLOB;
}

/* Octets of a record, or 0 when a value is beyond all sense. */
static size_t record_octets(const struct db_val *vals, size_t n)
{
    size_t octets = sizeof(struct record) + n * sizeof(struct cell);
    for (size_t i = 0; i < n; i++) {
        if (!has_bytes(&vals[i]))
            continue;
        if (vals[i].s.n > TEXT_MAX)
            return 0;
        octets += vals[i].s.n + 1;
    }
    return (octets + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

void record_put(struct buf *b, enum db_stmt stmt, int64_t rows, const struct db_val *vals, size_t n)
{
    size_t octets = record_octets(vals, n);
    char *p = octets ? buf_room(b, octets) : NULL;
    if (!p) {
        b->bad = true;
        return;
    }
    struct record *r = (struct record *)(void *)p;
    *r = (struct record){ .octets = octets, .rows = rows, .stmt = (uint32_t)stmt, .count = (uint32_t)n };
    size_t at = sizeof *r + n * sizeof(struct cell);
    for (size_t i = 0; i < n; i++) {
        r->cells[i] = (struct cell){ .i = vals[i].i, .kind = (uint32_t)vals[i].kind };
        if (!has_bytes(&vals[i]))
            continue;
        r->cells[i].i = (int64_t)at;
        r->cells[i].n = (uint32_t)vals[i].s.n;
        if (vals[i].s.n)
            memcpy(p + at, vals[i].s.p, vals[i].s.n);
        at += vals[i].s.n;
        p[at++] = '\0';
    }
    b->n += octets;
}

const struct record *record_next(const struct buf *b, size_t *at)
{
    if (*at >= b->n)
        return NULL;
    const struct record *r = (const struct record *)(const void *)(b->p + *at);
    *at += r->octets;
    return r;
}

struct db_val record_val(const struct record *r, size_t i)
{
    assert(i < r->count);
    const struct cell *c = &r->cells[i];
    switch (c->kind) {
    case DB_INT:
        return DB_I(c->i);
    case DB_TEXT:
    case DB_BLOB:
        return (struct db_val){ .kind = c->kind == DB_TEXT ? DB_TEXT : DB_BLOB,
                                .s = { (const char *)r + c->i, c->n } };
    default:
        return DB_N;
    }
}

struct db_unit *db_unit_new(void)
{
    return calloc(1, sizeof(struct db_unit));
}

void db_unit_free(struct db_unit *u)
{
    if (!u)
        return;
    buf_done(&u->steps);
    free(u);
}

void db_unit_add(struct db_unit *u, enum db_stmt stmt, int64_t rows, const struct db_val *vals, size_t n)
{
    statement_check(stmt, n);
    if (!u)
        return;
    record_put(&u->steps, stmt, rows, vals, n);
    u->count++;
}

size_t db_unit_count(const struct db_unit *u)
{
    return u ? u->count : 0;
}

struct db_rows *rows_new(void)
{
    return calloc(1, sizeof(struct db_rows));
}

void rows_put(struct db_rows *r, const struct db_val *vals, size_t n)
{
    record_put(&r->records, 0, 0, vals, n);
    r->count++;
}

void db_rows_free(struct db_rows *r)
{
    if (!r)
        return;
    buf_done(&r->records);
    free(r);
}

bool db_rows_next(struct db_rows *r)
{
    r->row = record_next(&r->records, &r->at);
    return r->row;
}

size_t db_rows_count(const struct db_rows *r)
{
    return r->count;
}

static struct db_val value(const struct db_rows *r, size_t column)
{
    assert(r->row);
    return record_val(r->row, column);
}

int64_t db_int(const struct db_rows *r, size_t column)
{
    struct db_val v = value(r, column);
    return v.kind == DB_INT ? v.i : 0;
}

struct str db_text(const struct db_rows *r, size_t column)
{
    struct db_val v = value(r, column);
    return v.kind == DB_TEXT || v.kind == DB_BLOB ? v.s : STR("");
}

bool db_is_null(const struct db_rows *r, size_t column)
{
    return value(r, column).kind == DB_NULL;
}

const struct statement statements[DB_STATEMENTS] = {
#include "store/statements.inc"
};

void statement_check(enum db_stmt stmt, size_t n)
{
    assert(stmt < DB_STATEMENTS);
    if (n == statements[stmt].params)
        return;
    fprintf(stderr, "statement %s takes %u values, not %zu\n", statements[stmt].name, statements[stmt].params, n);
    abort();
}

const struct migration migrations[] = {
#include "store/migrations.inc"
};
const size_t migration_count = ARRAY_LEN(migrations);
