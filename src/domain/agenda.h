/* agenda.h - what is due at which product time: holds, quarantine, retries, validity.
 *
 * Thread: control. Entries are members of their owners' structs. Advancing the clock fires everything that became due,
 * in order of due time, before agenda_catch_up() returns; an entry set by a firing one joins the order. */
#pragma once
#include "base/base.h"
#include "base/clock.h"
#include "base/loop.h"

struct agenda;
typedef void agenda_fn(void *arg, int64_t due_us);
struct agenda_entry {
    int64_t    due_us;              /* product time */
    uint64_t   order;               /* ties in order of setting */
    size_t     at;                  /* 1 + index in the heap; 0: not set */
    agenda_fn *fn;
    void      *arg;
};

MUST_USE enum err agenda_new(struct agenda **out, struct loop *loop, struct clock *clock);
void agenda_free(struct agenda *a);
SCOPED_FREE(agenda)
/** Set or move. @return ERR_NOMEM */
MUST_USE enum err agenda_set(struct agenda *a, struct agenda_entry *e, int64_t due_us, agenda_fn *fn, void *arg);
void agenda_clear(struct agenda *a, struct agenda_entry *e);    /* an entry not set is fine */
/** Fire all that is due now by the product clock. @return how many */
size_t agenda_catch_up(struct agenda *a);
/** Move the product clock to `to_us` (not backwards), firing in due order, each at its own product time. */
size_t agenda_advance(struct agenda *a, int64_t to_us);
int64_t agenda_now_us(const struct agenda *a);
size_t agenda_count(const struct agenda *a);

/* Work that an entry began and that goes on by itself, through the store: who moves the clock waits for it. */
void agenda_hold(struct agenda *a);
void agenda_release(struct agenda *a);
bool agenda_is_held(const struct agenda *a);
