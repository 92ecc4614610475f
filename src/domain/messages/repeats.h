/* repeats.h - which repeatability ids were seen, and what came with each (OASIS Repeatable Requests 1.0; docs/messages.md, "Repetition").
 *
 * Thread: control. An id is remembered for 24 to 48 hours, by resource and without regard to case; 53 to 107 octets each, no allocation but when
 * a table doubles, which moves all of them at once (138 ms at 1.6 million). Rebuilt from rows at start. */
#pragma once
#include "base/str.h"

struct repeats;
struct repeat {
    uint64_t id[2], resource;       /* repeats_put() fills these */
    uint64_t message;               /* key; 0: a free place */
    uint32_t print;                 /* of what was asked, repeats_print(); 0: not known any more */
    uint32_t at_s;                  /* product time of its acceptance */
};

MUST_USE struct repeats *repeats_new(void);
void repeats_free(struct repeats *r);
SCOPED_FREE(repeats)
/** A day is over: forget what is older than that. */
void repeats_turn(struct repeats *r);

/** Borrowed until the next change; NULL: not seen, or forgotten. */
const struct repeat *repeats_find(const struct repeats *r, uint64_t resource, struct str id);
/** @param old  it is of the day before: forgotten with the next turn  @return ERR_NOMEM */
MUST_USE enum err repeats_put(struct repeats *r, uint64_t resource, struct str id, struct repeat what, bool old);
void repeats_take(struct repeats *r, uint64_t resource, struct str id);

/** What makes two requests for one recipient the same; never 0. Good in this process only. @param text  its hash_str() */
uint32_t repeats_print(struct str from, struct str to, uint64_t text, struct str tag, bool report);
