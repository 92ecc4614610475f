/* sms_history.h - a long past for a database: what was really sent, copied to earlier times until there is enough of it.
 *
 * Rows of messages with all that belongs to them; keys and times are moved together, ids of events are made anew. The server must
 * not run. */
#pragma once
#include "base/base.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Its columns that are keys of messages, events or rows of their own. */
struct history_table { const char *name, *order, *keys; };
static const struct history_table history_tables[] = {
    { "message", "key", " key " },           { "segment", "message", " message " },
    { "usage", "cause", " cause key " },     { "event", "key", " key " },
    { "delivery_try", "key", " key cause delivery " },
};

static inline void history_die(sqlite3 *sql, const char *what)
{
    fprintf(stderr, "history: %s: %s\n", what, sqlite3_errmsg(sql));
    exit(1);
}

static inline int64_t history_number(sqlite3 *sql, const char *text)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(sql, text, -1, &st, NULL) || sqlite3_step(st) != SQLITE_ROW)
        history_die(sql, text);
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return n;
}

static inline bool history_is_key(const struct history_table *t, const char *column)
{
    char word[80];
    snprintf(word, sizeof word, " %s ", column);
    return strstr(t->keys, word);
}

/* INSERT INTO t SELECT each column, ?1 earlier by key, ?2 by time FROM t WHERE its key is of those that were really sent. */
static inline sqlite3_stmt *history_copy_of(sqlite3 *sql, const struct history_table *t)
{
    char ask[160], text[4096];
    sqlite3_stmt *columns = NULL, *copy = NULL;
    size_t n = (size_t)snprintf(text, sizeof text, "INSERT INTO %s SELECT ", t->name);
    snprintf(ask, sizeof ask, "SELECT name FROM pragma_table_info('%s') ORDER BY cid", t->name);
    sqlite3_prepare_v2(sql, ask, -1, &columns, NULL);
    for (bool first = true; sqlite3_step(columns) == SQLITE_ROW; first = false) {
        const char *c = (const char *)sqlite3_column_text(columns, 0);
        size_t at = strlen(c);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s", first ? "" : ", ");
        if (history_is_key(t, c))
            n += (size_t)snprintf(text + n, sizeof text - n, "CASE WHEN %s = 0 THEN 0 ELSE %s - ?1 END", c, c);
        else if (at > 3 && !strcmp(c + at - 3, "_us") && strcmp(c, "took_us"))
            n += (size_t)snprintf(text + n, sizeof text - n, "%s - ?2", c);
        else if (!strcmp(c, "id"))
            n += (size_t)snprintf(text + n, sizeof text - n, "substr(id, 1, 23) || lower(hex(randomblob(16))) || '_noam'");
        else
            n += (size_t)snprintf(text + n, sizeof text - n, "\"%s\"", c);
    }
    sqlite3_finalize(columns);
    snprintf(text + n, sizeof text - n, " FROM %s WHERE %s >= ?3 ORDER BY %s", t->name, t->order, t->order);
    if (sqlite3_prepare_v2(sql, text, -1, &copy, NULL))
        history_die(sql, text);
    return copy;
}

static inline void history_copy(sqlite3 *sql, int64_t ms, int64_t from_key)
{
    for (size_t i = 0; i < ARRAY_LEN(history_tables); i++) {
        sqlite3_stmt *copy = history_copy_of(sql, &history_tables[i]);
        sqlite3_bind_int64(copy, 1, ms << 22);
        sqlite3_bind_int64(copy, 2, ms * 1000);
        sqlite3_bind_int64(copy, 3, from_key);
        if (sqlite3_step(copy) != SQLITE_DONE)
            history_die(sql, history_tables[i].name);
        sqlite3_finalize(copy);
    }
}

/** @return how many messages there are then: at least `wanted` */
static inline uint64_t history_grow(const char *path, uint64_t wanted)
{
    sqlite3 *sql = NULL;
    if (sqlite3_open(path, &sql))
        history_die(sql, path);
    sqlite3_exec(sql, "PRAGMA synchronous=OFF; PRAGMA cache_size=-200000; BEGIN", NULL, NULL, NULL);
    int64_t first = history_number(sql, "SELECT min(key) FROM message"), last = history_number(sql, "SELECT max(key) FROM message");
    int64_t there = history_number(sql, "SELECT count(*) FROM message"), ms = (last >> 22) - (first >> 22) + 60000;
    uint64_t n = (uint64_t)there;
    if (!there)
        history_die(sql, "no message was sent");
    for (int64_t i = 1; n < wanted; i++, n += (uint64_t)there)
        history_copy(sql, ms * i, first);
    if (sqlite3_exec(sql, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL))
        history_die(sql, "the copies");
    sqlite3_close(sql);
    return n;
}
