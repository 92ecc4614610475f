/* nearest.h - "did you mean ...?": the known word closest to one that a person typed.
 *
 * Pure; any thread. */
#pragma once
#include "base/base.h"

/** How many letters must be added, dropped, changed or swapped with a neighbour to turn a into b (case is ignored, '-'
 *  and '_' are the same). Words over 63 letters are far from everything. */
size_t nearest_distance(struct str a, struct str b);

/** The word of words[0..n) closest to `typed`, or NULL when none is close enough to be worth saying. */
const char *nearest(struct str typed, const char *const *words, size_t n);
