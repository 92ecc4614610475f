/* snapshot_shelf.h - where snapshots lie: DATA/snapshots/NAME.snapshot, or in memory where the server keeps nothing on disk.
 *
 * Thread: the process's first until anything is asked, then that of the snapshots. Names that begin with a dot are ours: nobody is
 * shown them. */
#pragma once
#include "base/json.h"
#include "main/datadir.h"
#include "store/db.h"

enum { SNAPSHOT_NAME_MAX = 64, SNAPSHOTS_IN_MEMORY = 100, SNAPSHOTS_ON_DISK = 1000 };

struct shelf;
MUST_USE enum err shelf_new(struct shelf **out, const struct datadir *dir);
void shelf_free(struct shelf *s);
SCOPED_FREE(shelf)

bool shelf_on_disk(const struct shelf *s);
/** Of a snapshot's file; it need not be there. */
void shelf_path(const struct shelf *s, const char *name, char path[DATADIR_PATH_SIZE]);
/** The folder, if there is to be one. @return ERR_IO */
MUST_USE enum err shelf_prepare(struct shelf *s);
bool shelf_has(const struct shelf *s, const char *name);
/** For one more of this name: each is a whole database. @param max  set: how many there may be */
bool shelf_has_room(const struct shelf *s, const char *name, int *max);
/** In memory: keep it, in the place of one of that name. @param image  taken on success @return ERR_NOMEM */
MUST_USE enum err shelf_put(struct shelf *s, const char *name, struct db_image *image);
/** In memory: borrowed until it is dropped; NULL: absent. */
struct db_image *shelf_image(const struct shelf *s, const char *name);
/** @return ERR_ABSENT */
MUST_USE enum err shelf_drop(struct shelf *s, const char *name);

/** An object for each, into the array that is open. */
void shelf_list(const struct shelf *s, struct jw *w);
/** The members of one that was just put there, into the object that is open. */
void shelf_write(const struct shelf *s, const char *name, struct jw *w);
