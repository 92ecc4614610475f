/* duration.h - spans of time in words: "250ms", "2s", "1h30m", "45d".
 *
 * Pure; any thread. */
#pragma once
#include "base/base.h"

enum { DURATION_SIZE = 48 };

/** Whole numbers, each with its unit: us, ms, s, m, h, d or w; "0" alone. A century at most.
 *  @return ERR_SYNTAX, ERR_RANGE (too long) */
MUST_USE enum err duration_read(struct str s, int64_t *us);
/** The same words, as few as will do; negative counts as 0. dst holds DURATION_SIZE. @return dst */
const char *duration_write(char dst[DURATION_SIZE], int64_t us);
