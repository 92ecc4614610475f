/* quotas.h - how many searches and purchases a subscription, and how many texts a number, may have in a time; off unless
 * switched on.
 *
 * Thread: control. What is counted is what was accepted, in the unit that stored it (texts: in their own rows); so a count
 * survives a restart and a request that came to nothing takes no place. Times are of the product clock. The service's own values
 * (its limits page, printed 2023-03-31): 5 searches a week; 1 purchase, without a time; 200 texts a minute. */
#pragma once
#include "base/problem.h"
#include "domain/control.h"

struct quotas;

enum quota { QUOTA_SEARCH, QUOTA_PURCHASE, QUOTA_SMS, QUOTA_COUNT };    /* of a subscription, but the last: of a number */
enum { QUOTA_MOST = 100000 };
struct quota_limit {
    int64_t count;                      /* 0: no limit */
    int64_t window_us;                  /* 0: for ever */
};
struct quotas_conf { struct quota_limit limits[QUOTA_COUNT]; };

/** "off", "service", or "search=5/7d,purchase=1,sms=200/60s": COUNT[/TIME], a time being a number and s, m, h or d.
 *  @return ERR_SYNTAX, ERR_RANGE with `why` */
MUST_USE enum err quotas_read(struct quotas_conf *out, struct str text, struct problem *why);

MUST_USE enum err quotas_new(struct quotas **out, struct control *control, const struct quotas_conf *conf);
void quotas_free(struct quotas *q);
SCOPED_FREE(quotas)
/** Before the threads start; it blocks. @return ERR_STORE, ERR_NOMEM */
MUST_USE enum err quotas_load(struct quotas *q);

/** Is there room for n more? @param owner  a subscription's key, or a number's digits  @param name  for the text
 *  @return ERR_BUSY with `why` (when there will be room: retry_after_s), ERR_NOMEM */
MUST_USE enum err quotas_check(struct quotas *q, uint64_t owner, const char *name, enum quota what, size_t n, struct problem *why);
/** Take a place that was found: in memory, and as rows of the unit that stores the operation `key` (NULL: it is found again
 *  otherwise). */
void quotas_take(struct quotas *q, uint64_t owner, enum quota what, uint64_t key, struct db_unit *u);
/** That unit was not stored. A key that took no place is fine. */
void quotas_give_back(struct quotas *q, uint64_t owner, enum quota what, uint64_t key);
/** How far back it is worth to look at start; 0: not at all. */
int64_t quotas_window_us(const struct quotas *q, enum quota what);
/** What was taken before the start, the oldest first. @return ERR_NOMEM */
MUST_USE enum err quotas_recall(struct quotas *q, uint64_t owner, enum quota what, uint64_t key, int64_t at_us);
