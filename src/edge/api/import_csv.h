/* import_csv.h - a list of numbers written as CSV, read into a slice of an import.
 *
 * A piece of a list is whole lines of it. The first piece begins with the header; a later one is told the columns. Columns are
 * known by their names, in any order and case (docs/numbers.md). Thread: any; it belongs to the caller. */
#pragma once
#include "base/buf.h"
#include "base/problem.h"
#include "domain/numbers/import.h"

/** @param columns     the header's text for a piece that does not begin with it; empty: the first line is the header
 *  @param first_line  of this piece within the list: 1..
 *  @param out         rows, and those that could not be read; the caller frees it
 *  @return ERR_RANGE (columns), ERR_SIZE (over IMPORT_SLICE_MOST rows), ERR_NOMEM, with `why` */
MUST_USE enum err import_csv_read(struct import_slice **out, struct str text, struct str columns, uint64_t first_line,
                                  struct problem *why);

/** "calling:inbound sms:none"; what is not named is none. "both" is inbound+outbound. @return ERR_SYNTAX */
MUST_USE enum err import_capabilities_read(struct str words, enum capability *calling, enum capability *sms);
/** US dollars with at most six decimals, as millionths. @return ERR_SYNTAX, ERR_RANGE (over a million dollars) */
MUST_USE enum err import_cost_read(struct str text, int64_t *micro);
/** The same back: 1.25. */
void import_cost_put(struct buf *b, int64_t micro);
