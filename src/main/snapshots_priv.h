/* snapshots_priv.h - what snapshots.c (asking, taking, restoring) wants of snapshot_parts.c. */
#pragma once
#include "main/app_priv.h"
#include "main/snapshots.h"
#include "store/db.h"

/** The rows of a copy alone that say what is in no other: they are run in it, and taken in by who starts from it.
 *  @param product_us  0: the clock of a first start, which is not ahead
 *  @param networks    what the simulated networks said of themselves; empty: as they begin
 *  @param faults      keep those that are armed */
struct db_unit *snapshot_parts(const struct app *app, int64_t product_us, struct str networks, bool faults);
/** Can these parts be taken in? Asked while the old state is still there. @return ERR_STORE with `why`, ERR_NOMEM */
MUST_USE enum err snapshot_parts_prove(struct db_image *image, struct problem *why);
