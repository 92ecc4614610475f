#include "base/metric.h"
#include "base/str.h"
#include "domain/calls/calls_priv.h"

#include <stdarg.h>
#include <stdio.h>

enum { LATE_US = 10 * US_PER_MS, STEP_SIZE = 400, TRAIL_MOST = 2000 };
METRIC_COUNTER(late_steps, "carterfone_calls_late_steps_total", "Steps of calls that waited because the store was full.");
METRIC_COUNTER(lost_steps, "carterfone_calls_lost_steps_total", "Steps of calls that could not be stored.");

struct call_step *call_step_begin(struct calls *c, uint64_t call)
{
    struct call_step *s = calloc(1, sizeof *s);
    assert(s);      /* a call that cannot say how it goes cannot go on */
    s->calls = c;
    s->call = call;
    s->unit = db_unit_new();
    return s;
}

void call_trail(struct call_step *s, struct call *call, const char *format, ...)
{
    char text[STEP_SIZE];
    va_list args;
    if (call->trail >= TRAIL_MOST && call->state < CALL_ST_ENDING)
        return;                         /* keys pressed all day: what follows is how it ends */
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    call_trail_insert(s->unit, call->key, call->trail++, control_now_us(s->calls->control), str_of(text));
}

/* After the commit: what the step caused may leave the process now. */
static void step_settle(struct call_step *s, enum err err)
{
    if (err) {
        metric_add(&lost_steps, 1);
        log_error("calls", "a step of a call was not stored: %s", err_words(err));
    }
    events_go(s->calls->conf.events, &s->events, err);
    if (s->then)
        s->then(s->arg, s->calls, s->call, err);
    free(s);
}

static void on_stored(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct call_step *s = container_of(item, struct call_step, done.item);
    step_settle(s, s->done.err);
}

/* The process ends before the answer was read: the rows are there, the next start goes on from them. */
static void drop_stored(struct inbox_item *item)
{
    struct call_step *s = container_of(item, struct call_step, done.item);
    events_drop(&s->events);
    free(s);
}

static const struct inbox_kind stored_kind = { "calls.stored", on_stored, drop_stored };

static enum err step_offer(struct call_step *s)
{
    s->done.item.kind = &stored_kind;
    s->done.to = control_inbox(s->calls->control);
    return db_post(s->calls->control->db, s->unit, &s->done);
}

void call_step_post(struct call_step *s)
{
    struct calls *c = s->calls;
    enum err err = c->late_first ? ERR_BUSY : step_offer(s);    /* steps keep their order */
    if (err == ERR_BUSY) {
        metric_add(&late_steps, 1);
        if (c->late_last)
            c->late_last->next = s;
        else
            c->late_first = s;
        c->late_last = s;
        call_time_start(c, &c->late_timer, LATE_US);
    } else if (err) {
        db_unit_free(s->unit);
        step_settle(s, err);
    }
}

void call_step_retry(void *calls)
{
    struct calls *c = calls;
    while (c->late_first) {
        struct call_step *s = c->late_first, *next = s->next;
        enum err err = step_offer(s);
        if (err == ERR_BUSY) {
            call_time_start(c, &c->late_timer, LATE_US);
            return;
        }
        c->late_first = next;
        if (!next)
            c->late_last = NULL;
        if (err) {
            db_unit_free(s->unit);
            step_settle(s, err);
        }
    }
}

enum err call_step_try(struct call_step *s)
{
    enum err err = s->calls->late_first ? ERR_BUSY : step_offer(s);
    if (err) {
        events_go(s->calls->conf.events, &s->events, err);
        db_unit_free(s->unit);
        free(s);
    }
    return err;
}

void call_step_drop_late(struct calls *c)
{
    for (struct call_step *s = c->late_first, *next; s; s = next) {
        next = s->next;
        events_go(c->conf.events, &s->events, ERR_CLOSED);
        db_unit_free(s->unit);
        free(s);
    }
    c->late_first = c->late_last = NULL;
}
