/* filter.h - which events a subscription wants beside its types: by how the subject begins and ends, and by texts in the data.
 *
 * The filter is JSON in the words of Event Grid's event subscriptions: subjectBeginsWith, subjectEndsWith,
 * isSubjectCaseSensitive, and advancedFilters with the operator StringIn alone. Every condition must hold; of a condition's
 * values one. Letters (ASCII) compare without case, but for a subject when it says so. Pure functions: any thread. */
#pragma once
#include "base/json.h"

enum { FILTER_CONDITIONS_MAX = 25, FILTER_VALUES_MAX = 25, FILTER_KEY_MAX = 200, FILTER_TEXT_MAX = 512 };

/** Is it a filter? A member it does not know is refused: misspelt, it would let everything pass.
 *  @param filter  NULL or null: none, which is fine
 *  @return ERR_NONE, ERR_RANGE with `why` (rule EventFilterInvalid, target the member) */
MUST_USE enum err filter_check(const struct json *filter, struct problem *why);
/** Must the data be read to know? */
bool filter_looks_at_data(const struct json *filter);
/** @param filter  checked before; NULL wants all
 *  @param data    the event's data, NULL when there is none: then no condition on it holds */
bool filter_admits(const struct json *filter, struct str subject, const struct json *data);
