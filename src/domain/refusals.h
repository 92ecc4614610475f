/* refusals.h - why a request was refused, kept under the request id that was answered, for `explain`.
 *
 * refusals_keep() may be called from any thread; the rest on control. Bounded: 7 days, and at most RATE a second are kept
 * (a flood of bad requests must not become a flood of writes); what is not kept is counted. */
#pragma once
#include "base/json.h"
#include "base/problem.h"
#include "domain/control.h"

struct refusals;

MUST_USE enum err refusals_new(struct refusals **out, struct control *control);
void refusals_free(struct refusals *r);
SCOPED_FREE(refusals)

/** @param what  the operation, as in docs/conformance.md; never a path with a number in it */
void refusals_keep(struct refusals *r, uint64_t request, uint64_t resource, const char *what, int status,
                   const struct problem *why);

typedef void refusals_json_fn(void *arg, enum err err, struct str json);
/** {"id","kind":"refusal","lines":[…]}. @return ERR_ABSENT, ERR_BUSY, ERR_NOMEM; then no done */
MUST_USE enum err refusals_explain(struct refusals *r, uint64_t resource, struct str request_guid, refusals_json_fn *done,
                                   void *arg);
