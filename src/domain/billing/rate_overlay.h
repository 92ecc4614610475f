/* rate_overlay.h - the price sheet as an operator changes it, put together at start (numbers/overlay.h reads the file).
 *
 * Before the threads start. Strings are the arena's. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "domain/billing/rates_priv.h"
#include "domain/sheet.h"

struct rate_overlay;

MUST_USE struct rate_overlay *rate_overlay_new(struct arena *arena);    /* NULL: out of memory */
void rate_overlay_free(struct rate_overlay *o);
SCOPED_FREE(rate_overlay)
/** data/rates' columns: name, type, country, micro_usd_per_minute, prefixes. */
extern const struct sheet_kind rate_overlay_sheet;
MUST_USE enum err rate_overlay_put(struct rate_overlay *o, const struct sheet_row *row, struct problem *why);
/** Once every row is put.
 *  @param file     the sheet's name, for complaints
 *  @param changes  a line each of what differs from what was built in
 *  @return ERR_SYNTAX (a prefix stands twice, or is taken out and is not there), ERR_NOMEM */
MUST_USE enum err rate_overlay_finish(struct rate_overlay *o, const char *file, struct buf *changes, size_t *n_changes,
                                      struct problem *why);
const struct rate_table *rate_overlay_table(const struct rate_overlay *o);
