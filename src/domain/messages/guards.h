/* guards.h - what may hold a text message back or refuse it: the operator's rules, as data, and how far each has been used up.
 *
 * A table of its own, without messages or carriers. Thread: its owner's (control). Times are of the product clock and passed in.
 * A guard has a kind and says by `match` whom it means; of the guards of a kind that match, the most particular one is asked.
 * Limits are token buckets: `burst` may go at once, and each window gives `count` back, evenly. What a bucket has given away can be
 * read (guards_levels) and put back (guards_restore), so that a restart forgets nothing. */
#pragma once
#include "base/base.h"
#include "base/problem.h"
#include "domain/messages/keywords.h"

#define GUARD_KIND_LIST(G)                                                                                      \
    G(SENDER,   "sender")       /* limit; match: a number, its beginning and '*', a type of number, or '*' */   \
    G(RESOURCE, "resource")     /* limit; match: a resource's name, or '*' */                                   \
    G(PREFIX,   "prefix")       /* limit; match: digits that recipients begin with; one bucket for them all */  \
    G(CARRIER,  "carrier")      /* limit; match: a carrier's name, or '*' */                                    \
    G(PUMPING,  "pumping")      /* match: digits that recipients begin with; none: all */                       \
    G(QUIET,    "quiet")        /* match: a resource's name, account:NAME, or '*' */                            \
    G(OPTOUT,   "optout")       /* who answers STOP; match: our number as a sender's, or CARRIER/TYPE */       \
    G(REPLY,    "reply")        /* limit of what we answer by ourselves to one phone; match: as a sender's */
#define GUARD_ENUM(id, word) GUARD_##id,
enum guard_kind { GUARD_KIND_LIST(GUARD_ENUM) GUARD_KINDS };
#undef GUARD_ENUM
enum { GUARD_COUNT_MOST = 100000000, GUARD_WINDOW_MOST_S = 31 * 86400, GUARD_FACTOR_MOST = 1000, GUARD_QUIET_MOST = 16 * 60 };

struct sms_guard {
    char            name[64];
    enum guard_kind kind;
    char            match[64];
    bool            on, known;          /* known: built in; it can be changed and not removed */
    bool            refuses;            /* else what is over the limit waits */
    uint32_t        count, window_s;    /* limits; pumping: up to so many in a window are never refused */
    uint32_t        burst;              /* limits; 0: count */
    uint32_t        factor;             /* pumping: so many times the rolling mean are refused */
    uint16_t        from, until;        /* quiet: minutes of the recipient's local day */
    enum optout_handling handling;      /* optout */
    char            language[4];        /* optout: of words and answers; empty: as the data say */
};
const char *guard_kind_word(enum guard_kind kind);
MUST_USE enum err guard_kind_read(struct str word, enum guard_kind *out);

struct guards;
MUST_USE struct guards *guards_new(void);               /* with the known ones, off; NULL: out of memory */
void guards_free(struct guards *g);
SCOPED_FREE(guards)
/** Copied; in the place of one of its name, whose buckets are then forgotten. @return ERR_NOMEM */
MUST_USE enum err guards_put(struct guards *g, const struct sms_guard *guard);
void guards_take(struct guards *g, struct str name);    /* a known one is as it was built in */
const struct sms_guard *guards_find(const struct guards *g, struct str name);      /* until the next change, here and below */
const struct sms_guard *guards_at(const struct guards *g, size_t i);               /* NULL behind the last */
bool guards_any(const struct guards *g, enum guard_kind kind);                      /* is one on? */
bool guards_hold(const struct guards *g);                                           /* is one on that makes messages wait? */

/* What is known of a message; what a kind does not ask for may be empty. */
struct guard_ask { struct str from, to, type, resource, account, carrier; };
/** The one that is on and means it; NULL: none. */
const struct sms_guard *guards_match(const struct guards *g, enum guard_kind kind, const struct guard_ask *ask);

/* -- buckets: `owner` is whose of the guard's buckets; a guard here and below is one that guards_match() or guards_find() gave ---- */
/** When n more may go, now_us at the earliest; INT64_MAX: never, they are more than it holds. Nothing is taken. */
int64_t guards_slot(const struct sms_guard *guard, struct str owner, int64_t now_us, size_t n);
/** Give n the next places. @return when the last of them may go. Out of memory: now */
int64_t guards_reserve(const struct sms_guard *guard, struct str owner, int64_t now_us, size_t n);
/** One that had a place has gone: from now on it counts behind a restart too. */
void guards_gone(struct guards *g, const struct sms_guard *guard, struct str owner, int64_t now_us);
/** n that were counted (reserved and gone) did not go after all. */
void guards_return(struct guards *g, const struct sms_guard *guard, struct str owner, size_t n);
/** As if only what has gone had been given a place: those that wait ask again. */
void guards_forget_places(struct guards *g);

/* -- pumping: how many went to a range of numbers in this window, and in those before ----------------------------------------- */
/* With this one; rolling, by twelve windows; what may go in this window. first: of those refused in this window. */
struct guard_flow { uint32_t now, mean, most; bool first; };
/** Count one more if it may go. False: it would be too many. Out of memory: true */
bool guards_flow(struct guards *g, const struct sms_guard *guard, struct str owner, int64_t now_us, struct guard_flow *out);
/** One that was counted did not go after all. */
void guards_flow_back(struct guards *g, const struct sms_guard *guard, struct str owner);

/* -- for the store ------------------------------------------------------------------------------------------------------------- */
struct guard_level { struct str guard, owner; int64_t a, b, at_us; };
bool guards_dirty(const struct guards *g);
/** Each level that changed since it was last asked for. */
void guards_levels(struct guards *g, void (*fn)(void *arg, const struct guard_level *level), void *arg);
/** A level that came from guards_levels(). One of a guard that is gone is passed over. @return ERR_NOMEM */
MUST_USE enum err guards_restore(struct guards *g, const struct guard_level *level);

/* -- those of the server (messages) -------------------------------------------------------------------------------------- */
struct jw;
struct messages;
/** After the commit, or when it failed. */
typedef void messages_guard_fn(void *arg, enum err err, const struct problem *why);
/** @return ERR_RANGE, ERR_CONFLICT (a built-in name), ERR_BUSY, ERR_NOMEM with `why`; then no done. ERR_CONFLICT (taken) by done */
MUST_USE enum err messages_guard_add(struct messages *m, const struct sms_guard *g, messages_guard_fn *done, void *arg,
                                     struct problem *why);
/** All of it but its name; its buckets begin anew, and what waits for it asks again. As above */
MUST_USE enum err messages_guard_change(struct messages *m, const struct sms_guard *g, messages_guard_fn *done, void *arg,
                                        struct problem *why);
/** A built-in one is as it was, off. ERR_ABSENT too */
MUST_USE enum err messages_guard_remove(struct messages *m, struct str name, messages_guard_fn *done, void *arg, struct problem *why);
/** ERR_ABSENT with `why` */
MUST_USE enum err messages_guard_get(const struct messages *m, struct str name, struct sms_guard *out, struct problem *why);
void sms_guard_write(const struct sms_guard *g, struct jw *w);                  /* members of an open object */
/** `note`, when it names a resource, an account or a carrier that is not there. */
void messages_guard_note(const struct messages *m, const struct sms_guard *g, struct jw *w);
void messages_write_guards(const struct messages *m, struct jw *w);             /* elements of an open array, by name */
