/* snapshots.h - snapshots of a running server: taken, listed, deleted, restored in place; and its first state, for reset.
 *
 * A snapshot is a copy of the database with what is nowhere else beside it: the product time, the faults, and what the simulated
 * networks hold. In DATA/snapshots/NAME.snapshot, or in memory where the server keeps nothing on disk. A restore commits the
 * copy as one transaction and then starts everything behind the front door again, as a start would; what is beside the rows is
 * cleared out of the database only once it has been taken in, so that a kill in between is made good by the next start.
 * Threads: control asks (snapshots_do); a thread of its own has the files, and waits for a restore. The rest: the process's first.
 * docs/snapshots.md. */
#pragma once
#include "base/base.h"
#include "base/problem.h"

struct app;
struct http_call;
struct snapshots;

MUST_USE enum err snapshots_new(struct snapshots **out, struct app *app);
/** What is being taken or restored comes to its end, with control still running; what is asked later is refused. */
void snapshots_stop(struct snapshots *s);
void snapshots_free(struct snapshots *s);

/** struct app_api.snapshots_do: verb "take", "replace" (take, in the place of one of that name), "list", "delete", "restore" or "reset". Thread: control. hc is answered, now or later.
 *  @return an error with hc->why */
MUST_USE enum err snapshots_do(void *snapshots, const char *verb, struct str name, struct http_call *hc);

/* At a start, once the store is open: clock and ids as the rows say, and the faults of a copy that was just put there. */
MUST_USE enum err snapshots_adopt(struct app *app);
/* ... and before carriers bind: what the copy says of the simulated networks. Then it is an ordinary database. */
MUST_USE enum err snapshots_adopt_networks(struct app *app);
/** Keep the state as it is now for `reset`, unless there is one. */
MUST_USE enum err snapshots_keep_first(struct app *app);
