/* brief_fields.h - what a brief says: the fields of toll-free campaign briefs (spec toll-free-verification
 * 2023-01-10-preview1) and of US short-code program briefs (spec short-codes 2021-10-25-preview), as one table for the shape
 * of a patch, for merging it (RFC 7396) and for what a submission needs.
 *
 * What the service itself writes (id, status, notes, dates, number, costs, attachments) is not in the table: in a patch it is
 * passed over, as are members that no version knows. Pure functions: any thread. */
#pragma once
#include "base/buf.h"
#include "base/json.h"
#include "base/problem.h"

enum brief_kind { BRIEF_CAMPAIGN, BRIEF_PROGRAM };

enum {
    BRIEF_CONTENT_MAX = 65536,          /* octets of the whole as JSON */
    BRIEF_NUMBERS_MAX = 50, BRIEF_TEXT_MAX = 4000, BRIEF_LIST_MAX = 50,
};

/** Is every value of the patch of the right kind? null is fine everywhere: it takes out.
 *  @return ERR_SYNTAX (no object), ERR_RANGE with `why` (target: "businessInformation.address.country") */
MUST_USE enum err brief_patch_check(enum brief_kind kind, const struct json *body, struct problem *why);

/** `base` (NULL: nothing) with a patch that was checked, in the order of the spec, words spelled as there. */
void brief_merge(enum brief_kind kind, const struct json *base, const struct json *patch, struct buf *out);

/** Is all there that a submission needs? @return ERR_RANGE with `why`: the text names what is missing, target the first */
MUST_USE enum err brief_complete(enum brief_kind kind, const struct json *content, struct problem *why);
