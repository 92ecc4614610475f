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
};
static inline struct inbox *control_inbox(const struct control *c) { return loop_inbox(c->loop); }
static inline int64_t control_now_us(const struct control *c) { return clock_product_us(c->clock); }
