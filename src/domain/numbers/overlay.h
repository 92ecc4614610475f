/* overlay.h - an operator's changes to the catalogue, the price sheet and the area codes: a folder of CSV files.
 *
 * Before the threads start, and in `check-config`: it blocks. The files have the columns of what they change: availability.csv,
 * countries.csv and usage.csv (data/catalogue/<edition>), rates.csv (data/rates), areas.csv (data/nanp/npa.csv). A row replaces the
 * one with its key or adds one; a row that begins with '-' takes one out. What comes of it must make sense as a whole: every country
 * has a name, everything that is allowed has a price. Nothing is in use before overlay_use(). */
#pragma once
#include "base/problem.h"

struct overlay;

/** @param edition  which one is changed; static
 *  @return ERR_ABSENT, ERR_IO, ERR_SYNTAX, ERR_NOMEM with `why`: file, line, column, nearest word */
MUST_USE enum err overlay_load(struct overlay **out, const char *dir, const char *edition, struct problem *why);
void overlay_free(struct overlay *o);                   /* what was in use goes back to what was built in */
SCOPED_FREE(overlay)
/** Everybody reads it from now on. One at a time. */
void overlay_use(struct overlay *o);
/** What it changes, a line each with file and line number; and how many there are. Borrowed. */
const char *overlay_changes(const struct overlay *o, size_t *n);
