/* number_pattern.h - the regular expressions of routes, over digits with an optional '+'.
 *
 * The part of .NET's language that can say something about such texts: literals, escapes, '.', classes, groups,
 * alternatives, counted and lazy repetition, ^ $ \A \z \Z. A '+' with nothing before it to repeat is the character '+', as
 * the service takes `^+[1-9]`. Look-around, back-references, options and \b \p are refused, never misread.
 * Matching is a walk over all states at once: its time is states x length, whatever the pattern.
 * Pure: any thread; memory from an arena. */
#pragma once
#include "base/arena.h"
#include "base/base.h"
#include "base/problem.h"

struct number_pattern;          /* in the arena it was read into */
enum { NUMBER_PATTERN_STATES_MAX = 2048 };

/** @param words  why it is not one, of at least 96 octets; filled on ERR_SYNTAX and ERR_SIZE  @return ERR_NOMEM too */
MUST_USE enum err number_pattern_read(struct number_pattern **out, struct str text, struct arena *a, char words[96]);

/** Does any part of `number` match? (^ and $ anchor it.) @return ERR_NOMEM */
MUST_USE enum err number_pattern_match(const struct number_pattern *p, struct str number, struct arena *a, bool *out);
