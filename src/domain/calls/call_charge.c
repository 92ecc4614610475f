/* call_charge.c - what a call costs: put aside while it lasts, charged when it ends.
 *
 * A call is charged by the unit of its end. So that one that a crash cut off is charged for the time it is known to have
 * lasted, and not for the time until the next start, the store is told every few seconds that calls go on. */
#include "domain/calls/calls_priv.h"
#include "domain/numbers/numbers.h"
#include "store/meta.h"

static const int64_t ALIVE_EVERY_US = 10 * (int64_t)US_PER_S;
static const struct str ALIVE = { "calls_alive_us", 14 };

static struct usage_ends ends_of(const struct call *call)
{
    struct str ours = call->outbound ? call->from : call->to;
    return (struct usage_ends){ call->resource, numbers_lease(call->calls->conf.numbers, ours), ours,
                                call->outbound ? call->to : call->from };
}

void call_hold(struct call *call, int64_t minutes)
{
    struct usage *usage = call->calls->control->usage;
    struct usage_ends ends = ends_of(call);
    if (!call->unlimited)
        usage_hold_set(usage, &call->hold, call->resource, usage_call_estimate(usage, &ends, call->outbound, minutes));
}

void call_let_go(struct call *call)
{
    usage_hold_set(call->calls->control->usage, &call->hold, call->resource, 0);
}

/* How long the other end takes to hear that we hung up is not the caller's to pay. */
void call_charge(struct call_step *s, struct call *call, int64_t ended_us)
{
    struct usage_ends ends = ends_of(call);
    if (call->hung_up_us)
        ended_us = call->hung_up_us;
    usage_call(call->calls->control->usage, s->unit, &ends, call->key, call->outbound, call->unlimited, call->connected_us,
               ended_us);
    call_let_go(call);
}

/* -- calls that go on -------------------------------------------------------------------------------------------------- */

static void write_alive(struct calls *c, int64_t now_us)
{
    struct db_done *done = calloc(1, sizeof *done);
    struct db_unit *u = db_unit_new();
    meta_row_put_int(u, ALIVE, now_us);
    if (!done || db_post(c->control->db, u, done)) {
        free(done);
        db_unit_free(u);                /* the next one says it */
    }
}

void call_alive_start(struct calls *c)
{
    if (!c->alive_runs)
        call_time_start(c, &c->alive_timer, ALIVE_EVERY_US);
    c->alive_runs = true;
}

void call_on_alive(void *calls)
{
    struct calls *c = calls;
    int64_t now = control_now_us(c->control);
    uint64_t key;
    void *call;
    bool any = false;
    c->alive_runs = false;
    for (size_t at = 0; map_next(c->by_key, &at, &key, &call);) {
        struct call *one = call;
        if (one->state != CALL_ST_CONNECTED)
            continue;
        any = true;
        call_hold(one, usage_minutes(one->connected_us, now));
    }
    if (!any)
        return;
    write_alive(c, now);
    call_alive_start(c);
}

enum err call_load_alive(struct calls *c, int64_t *alive_us)
{
    *alive_us = 0;
    return meta_load_int(c->control->db, ALIVE, alive_us);
}
