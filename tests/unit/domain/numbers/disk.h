/* disk.h - a disk that the test turns by hand: units wait in posted order until the test lets some of them through, makes them
 * fail, or pulls the plug. So what runs at once, and in which order, is the seed's choice and not the scheduler's.
 *
 * For tests named *_random.c: their link wraps db_post() (Makefile). What goes through goes to the real store. */
#pragma once
#include "store/numbers.h"
#include "unit/domain/numbers/world.h"

enum err __real_db_post(struct db *db, struct db_unit *u, struct db_done *done);
enum err __wrap_db_post(struct db *db, struct db_unit *u, struct db_done *done);

enum disk_fate { DISK_WRITES, DISK_REFUSES, DISK_FAILS };     /* committed; a guard missed; COMMIT failed */
enum { DISK_ROOM = 4096 };

static struct {
    bool   held;                        /* false: everything goes through at once */
    bool   full;                        /* the queue takes no more: ERR_BUSY */
    bool   forgets;                     /* failures also hit units that nobody waits for */
    size_t first, next;
    struct { struct db *db; struct db_unit *unit; struct db_done *done; } jobs[DISK_ROOM];
} disk;

enum err __wrap_db_post(struct db *db, struct db_unit *u, struct db_done *done)
{
    if (!disk.held || !u)
        return __real_db_post(db, u, done);
    if (disk.full && (done->to || disk.forgets))
        return ERR_BUSY;
    size_t at = disk.next++ % DISK_ROOM;
    assert_true(disk.next - disk.first <= DISK_ROOM);
    disk.jobs[at].db = db;
    disk.jobs[at].unit = u;
    disk.jobs[at].done = done;
    return ERR_NONE;
}

static inline size_t disk_waiting(void) { return disk.next - disk.first; }

/* The oldest unit meets its fate, and whoever waits for it has been told when this returns. */
static inline void disk_turn(struct world *w, enum disk_fate fate)
{
    size_t at = disk.first++ % DISK_ROOM, heard = 0;
    struct db_unit *u = disk.jobs[at].unit;
    struct db_done *done = disk.jobs[at].done;
    bool told = done->to;
    if (!told && !disk.forgets)
        fate = DISK_WRITES;
    if (fate == DISK_REFUSES)
        number_row_change(u, 0, 0, 0, 0);       /* there is no such number: this guard misses */
    if (fate == DISK_FAILS) {
        db_unit_free(u);
        done->err = ERR_STORE;
        if (told)
            inbox_post_always(done->to, &done->item);
        else
            free(done);
    } else if (__real_db_post(disk.jobs[at].db, u, done)) {
        fail_msg("the store takes no units");
    }
    for (int i = 0; told && !heard && i < 100; i++) {
        inbox_wait(control_inbox(&w->control), 100);
        heard = inbox_drain(control_inbox(&w->control));
    }
    assert_true(!told || heard);
}

/* The plug is pulled: the `kept` oldest units were on disk, the rest were not, and nobody is told of any. What was in memory is
 * gone; world_restart() reads it again. */
static inline void disk_crash(struct world *w, size_t kept)
{
    numbers_free(w->numbers);               /* before the answers are dropped: as in a server that stops */
    w->numbers = NULL;
    for (; disk_waiting(); kept -= kept > 0) {
        size_t at = disk.first++ % DISK_ROOM;
        struct db_done *done = disk.jobs[at].done;
        if (done->to && done->item.kind->drop)
            done->item.kind->drop(&done->item);
        else
            free(done);
        if (!kept)
            db_unit_free(disk.jobs[at].unit);
        else if (__real_db_post(disk.jobs[at].db, disk.jobs[at].unit, calloc(1, sizeof *done)))
            fail_msg("the store takes no units");
    }
    w->waiting = 0;
    assert_int_equal(db_run(w->control.db, db_unit_new()), ERR_NONE);     /* behind all of them */
}
