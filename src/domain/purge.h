/* purge.h - what has been kept long enough goes, every hour, in slices between other writes.
 *
 * Thread: control. One purge of a kind at a time: a clock moved by years must not fill the store with them. Hours are of
 * the product clock. */
#pragma once
#include "domain/control.h"

struct purge;

/** Add the statements that delete at most one slice of what is older than before_us.
 *  @param whole  true: the slice must be a full one, stated by its row count; a miss (ERR_CONFLICT) says that fewer are
 *                left, and then the rest is asked for once with whole = false */
typedef void purge_slice_fn(struct db_unit *u, int64_t before_us, bool whole);

MUST_USE enum err purge_new(struct purge **out, struct control *control, int64_t keep_us, purge_slice_fn *slice);
/** Keep for another time from the next hour on. */
void purge_keep(struct purge *p, int64_t keep_us);
void purge_free(struct purge *p);
SCOPED_FREE(purge)
/** The first one is due in an hour. @return ERR_NOMEM */
MUST_USE enum err purge_start(struct purge *p);
