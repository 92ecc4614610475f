/* loop.h - an event loop in a thread of its own: timers, file descriptors, one inbox (libuv behind it).
 *
 * Everything but loop_new(), loop_stop() and loop_inbox() is called on the loop's own thread, or before loop_start().
 * Timers and io are members of the user's structs and belong to the loop from init to done. */
#pragma once
#include "base/base.h"
#include "base/inbox.h"

struct loop;
typedef void loop_timer_fn(void *arg);
typedef void loop_io_fn(void *arg, bool readable, bool writable);

struct loop_timer { void *priv; };
struct loop_io    { void *priv; };

/** @param name of the thread, up to 15 characters  @param owner handed to the inbox's handlers */
MUST_USE enum err loop_new(struct loop **out, const char *name, size_t inbox_bound, void *owner);
/** Start the thread. @return ERR_NOMEM, ERR_IO */
MUST_USE enum err loop_start(struct loop *loop);
/** Or run in the calling thread until loop_stop(). */
void loop_run_here(struct loop *loop);
/** Any thread: handle what is in the inbox, then stop and join (when loop_start() was used). */
void loop_stop(struct loop *loop);
void loop_free(struct loop *loop);                      /* after loop_stop(); every timer and io is done */
SCOPED_FREE(loop)
struct inbox *loop_inbox(const struct loop *loop);
bool loop_is_here(const struct loop *loop);             /* called on the loop's thread? */

MUST_USE enum err loop_timer_init(struct loop *loop, struct loop_timer *t, loop_timer_fn *fn, void *arg);
void loop_timer_start(struct loop_timer *t, int64_t wait_us);   /* once; starting again moves it */
void loop_timer_stop(struct loop_timer *t);
void loop_timer_done(struct loop_timer *t);                     /* zeroed is fine, twice is fine */

/** Watch a descriptor, level-triggered; it stays its owner's, who calls loop_io_done() before closing it. */
MUST_USE enum err loop_io_init(struct loop *loop, struct loop_io *io, int fd, loop_io_fn *fn, void *arg);
void loop_io_watch(struct loop_io *io, bool readable, bool writable);  /* both false: pause */
void loop_io_done(struct loop_io *io);
