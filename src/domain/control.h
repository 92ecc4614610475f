/* control.h - what every domain module is given: the control thread's loop and inbox, the store, clocks and ids.
 *
 * The control thread owns all domain state and touches no socket, file or SQL. app.c makes one of these. */
#pragma once
#include "base/clock.h"
#include "base/id.h"
#include "base/loop.h"
#include "domain/agenda.h"
#include "store/db.h"

struct usage;
struct control {
    struct loop   *loop;            /* its inbox takes every message to the domain */
    struct db     *db;
    struct clock  *clock;
    struct agenda *agenda;
    struct ids    *ids;
    struct usage  *usage;           /* billing/usage.h; NULL: nothing is charged (tests) */
    uint64_t       request;         /* the API request that is being run, until something bears its key; 0: none */
};
static inline struct inbox *control_inbox(const struct control *c) { return loop_inbox(c->loop); }
static inline int64_t control_now_us(const struct control *c) { return clock_product_us(c->clock); }

/** The key of a new thing. What an API request makes first bears the request's own, so that each leads to the other. */
uint64_t control_key(struct control *c);

/** Called on control when a unit is committed, or not: ERR_NONE, ERR_CONFLICT, ERR_STORE. */
typedef void control_written_fn(void *mine, enum err err);
/** Write a unit and hear of it. Takes both in every case; NULL is one that there was no memory for.
 *  @param mine  what then() is told: from malloc(), freed behind it, when the server stops first, and on an error
 *  @return ERR_BUSY, ERR_NOMEM; then no then() */
MUST_USE enum err control_write(const struct control *c, struct db_unit *u, control_written_fn *then, void *mine);
