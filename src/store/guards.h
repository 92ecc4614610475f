/* guards.h - rows of the guards over text messages. As store/messages.h: writing adds to a unit, *_each blocks and is for start-up. */
#pragma once
#include "store/db.h"

struct sms_guard_row {
    struct str name, kind, match;
    int64_t    on, refuses, count, window_s, burst, factor, from_minute, until_minute;
    struct str handling, language;
};
struct sms_guard_level_row { struct str guard, owner; int64_t a, b, at_us; };

/** The unit fails with ERR_CONFLICT when the name is taken. */
void sms_guard_row_insert(struct db_unit *u, const struct sms_guard_row *row);
void sms_guard_row_put(struct db_unit *u, const struct sms_guard_row *row);     /* new, or in its place */
void sms_guard_row_delete(struct db_unit *u, struct str name);                  /* if it is there */
MUST_USE enum err sms_guard_rows_each(struct db *db, enum err (*fn)(void *arg, const struct sms_guard_row *row), void *arg);

void sms_guard_level_row_put(struct db_unit *u, const struct sms_guard_level_row *row);
void sms_guard_level_rows_drop(struct db_unit *u, struct str guard);
/** Buckets that are full again at now_us, flows that began before before_us. */
void sms_guard_level_rows_purge(struct db_unit *u, int64_t now_us, int64_t before_us);
MUST_USE enum err sms_guard_level_rows_each(struct db *db, enum err (*fn)(void *arg, const struct sms_guard_level_row *row), void *arg);
