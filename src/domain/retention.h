/* retention.h - how long things are kept: --retention messages=90d,bodies=30d,...
 *
 * Ages are of the product clock. Reading: any thread. The purges of what no module holds in memory (ended messages, their
 * texts, ended calls, the numbers' audit) live here: thread control, hourly, in slices between other writes
 * (domain/purge.h). */
#pragma once
#include "base/problem.h"
#include "domain/control.h"

/* kind, kept for (days), at least (hours), why so long */
#define RETENTIONS(R)                                                                                              \
    R(MESSAGES, "messages", 90, 7 * 24, "a message may be on its way for six days")                                \
    R(BODIES, "bodies", 30, 7 * 24, "a message may be on its way for six days")                                    \
    R(CALLS, "calls", 90, 24, "a repeated request is recognised for a day")                                        \
    R(RECORDINGS, "recordings", 2, 1, "they must be fetched")                                                      \
    R(EVENTS, "events", 7, 24, "an event is tried for a day")                                                      \
    R(AUDIT, "audit", 730, 24, "a day is the least")
#define RETENTION_ENUM(name, word, days, least, why) RETAIN_##name,
enum retained { RETENTIONS(RETENTION_ENUM) RETAINED_KINDS };
#undef RETENTION_ENUM

struct retention {
    int64_t keep_us[RETAINED_KINDS];
};

/** "messages=90d,events=12h": what is not named stays as it is untold; "" is all of that.
 *  @return ERR_ABSENT (no such kind: `why` names the nearest), ERR_SYNTAX, ERR_RANGE (too short, or over a century) */
MUST_USE enum err retention_read(struct retention *out, struct str text, struct problem *why);

struct retention_purges;
/** @return ERR_NOMEM */
MUST_USE enum err retention_start(struct retention_purges **out, struct control *control, const struct retention *keep);
void retention_purges_free(struct retention_purges *p);
