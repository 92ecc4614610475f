/* requests.h - the API's requests that changed something or were refused, kept under the id that was answered, for
 * `explain`.
 *
 * requests_keep() may be called from any thread; the rest on control. What was done waits up to 10 ms for its neighbours, so that
 * not each request is a commit more; a refusal, which is asked about at once, does not. What a request makes bears its key
 * (control_key()), so the row is only told how it was answered; a POST /sms that was accepted whole has none.
 * Bounded: by age; at most REFUSALS_A_SECOND refusals (a flood of bad requests must not become a flood of writes); at
 * most REQUESTS_MOST rows, the oldest go. What is not kept is counted. */
#pragma once
#include "base/problem.h"
#include "domain/control.h"

struct requests;
enum { REFUSALS_A_SECOND = 200, REQUESTS_MOST = 1000000, REQUEST_OF_SMPP = 0x10000 };

/** @param keep_us  age at which they go, product time
 *  @param most     rows at most; 0: REQUESTS_MOST */
MUST_USE enum err requests_new(struct requests **out, struct control *control, int64_t keep_us, int64_t most);
void requests_free(struct requests *r);
SCOPED_FREE(requests)

struct request_done {
    uint64_t    key, resource;          /* resource 0: the operator */
    uint64_t    subject;                /* key or digits of what it was about; 0: nothing, or what it made */
    const char *operation;              /* as in docs/conformance.md; never a path with a number in it */
    int         status;                 /* HTTP; of an ESME's: REQUEST_OF_SMPP and its command_status */
    int64_t     took_us;
};
/** What was done is written some milliseconds later with its neighbours, a refusal at once. The reply comes when all that
 *  was kept until now is on disk, for who asks about it. @param done  its kind and inbox are the asker's
 *  @return ERR_BUSY, ERR_NOMEM: no reply comes, what waits goes on waiting */
MUST_USE enum err requests_settle(struct requests *r, struct db_done *done);
/** @param why  of a refusal, or what else there is to say; borrowed */
void requests_keep(struct requests *r, const struct request_done *d, const struct problem *why);
