/* routes.h - rows of the routes of text messages. As store/messages.h: writing adds to a unit, *_each blocks and is for start-up. */
#pragma once
#include "store/db.h"

struct sms_route_row {
    uint64_t   key;
    struct str name, prefix, sender, pool, carrier;
    int64_t    weight, priority, cost_micro;
};

/** The unit fails with ERR_CONFLICT when the name is taken. */
void sms_route_row_insert(struct db_unit *u, const struct sms_route_row *row);
/** By its name; ERR_CONFLICT when there is none. */
void sms_route_row_update(struct db_unit *u, const struct sms_route_row *row);
void sms_route_row_delete(struct db_unit *u, struct str name);
MUST_USE enum err sms_route_rows_each(struct db *db, enum err (*fn)(void *arg, const struct sms_route_row *row), void *arg);
