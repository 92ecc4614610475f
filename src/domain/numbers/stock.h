/* stock.h - the operator's view of the numbers: what there is, where each one stands, what happened to it.
 *
 * Thread: control. The operator's own numbers came by imports (import.h); numbers of the simulated inventory are shown while
 * somebody holds or leases them. Counts are kept, not counted; a listing looks at a bounded number of them and says where to
 * go on. */
#pragma once
#include "domain/numbers/numbers.h"

enum stock_state {
    STOCK_AVAILABLE, STOCK_HELD, STOCK_LEASED, STOCK_RELEASED, STOCK_QUARANTINE,
    STOCK_IMPORTING,                    /* of an import that is not complete */
    STOCK_STATES,
};
const char *stock_state_word(enum stock_state state);           /* available, held, leased, released, quarantine, importing */

/* Text is borrowed until control returns to its loop; never NULL. */
struct stock_number {
    uint64_t         number;
    enum stock_state state;
    char             country[3];
    enum number_type type;
    enum capability  calling, sms;      /* what it can do at most; of a simulated one: what its lease may */
    const char      *carrier;
    bool             simulated;         /* the wall */
    bool             own;               /* came by an import */
    int64_t          cost_micro;
    const char      *tags;              /* its lot's */
    const char      *own_tags, *note;   /* set for this number */
    uint64_t         import;            /* key; 0: none */
    const char      *import_id;
    /* held, leased, released, in quarantine: */
    uint64_t         resource;
    int64_t          since_us;          /* leased: when it was purchased; else 0 */
    int64_t          until_us;          /* end of the hold, the billing cycle, the quarantine; 0: none */
    const struct lease *lease;          /* NULL: not leased now */
};

/** One number, whoever has it. @return ERR_RANGE (no phone number), ERR_ABSENT (neither imported nor in use), with `why` */
MUST_USE enum err numbers_stock_of(const struct numbers *n, struct str e164, struct stock_number *out, struct problem *why);

/* -- listing -------------------------------------------------------------------------------------------------------- */
enum { STOCK_LIST_MOST = 1000, STOCK_LOOKED_AT_MOST = 20000 };

/* What is empty, NULL or 0 leaves all. */
struct stock_filter {
    const struct number_range *ranges;      /* any of these (number_ranges_read() makes them of prefixes, area codes) */
    size_t                     n_ranges;
    struct str                 pattern;     /* '?' one digit, '*' any: over the E.164 digits ('+' may lead), or those of a
                                             * North American number without the 1 */
    struct str                 country, carrier, tag;
    bool                       has_type, has_state;
    enum number_type           type;
    enum stock_state           state;
    uint64_t                   import;
    bool                       own;         /* imported ones only */
};
/** Is a pattern one? @return ERR_SYNTAX */
MUST_USE enum err stock_pattern_check(struct str pattern);

/** By rising number, from behind `after`, at most `most` into `out`.
 *  @param next  what to give as `after` for the rest; 0: that was all. It may be set though nothing was found yet */
size_t numbers_stock_list(const struct numbers *n, const struct stock_filter *f, uint64_t after, size_t most,
                          struct stock_number *out, uint64_t *next);

/* -- pools: what there is of each sort ------------------------------------------------------------------------------ */
struct stock_pool {
    const char      *carrier;
    bool             simulated;
    char             country[3];
    enum number_type type;
    enum capability  calling, sms;
    uint64_t         count[STOCK_STATES];
    uint64_t         total;
};
/** Those of the operator's own numbers, by carrier, country, type, capabilities. @param out  the caller frees it
 *  @return ERR_NOMEM */
MUST_USE enum err numbers_stock_pools(const struct numbers *n, struct stock_pool **out, size_t *count);

/* -- changes -------------------------------------------------------------------------------------------------------- */
enum { STOCK_NOTE_SIZE = 512, STOCK_TAGS_SIZE = 128 };
/** The outcome, on control, once committed. */
typedef void stock_done_fn(void *arg, enum err err, const struct problem *why);

/** Set note and tags of one number (NULL leaves one as it is, the empty string takes it away).
 *  @return ERR_RANGE (no phone number, too long, not UTF-8), ERR_ABSENT, ERR_BUSY, ERR_NOMEM */
MUST_USE enum err numbers_stock_note(struct numbers *n, struct str e164, const struct str *note, const struct str *tags,
                                     stock_done_fn *done, void *arg, struct problem *why);
/** Take one number out of the inventory: one that is available, released or in quarantine.
 *  @return ERR_RANGE, ERR_ABSENT, ERR_CONFLICT (in use), ERR_BUSY, ERR_NOMEM */
MUST_USE enum err numbers_stock_withdraw(struct numbers *n, struct str e164, stock_done_fn *done, void *arg,
                                         struct problem *why);

/* -- what happened to a number -------------------------------------------------------------------------------------- */
#define NUMBER_AUDITS(A) \
    A(LEASED, "leased") A(CHANGED, "changed") A(RELEASED, "released") A(QUARANTINED, "quarantined") A(FREED, "freed") \
    A(WITHDRAWN, "withdrawn") \
    A(TAG_ADDED, "tagAdded") A(TAG_REMOVED, "tagRemoved") A(NOTE_SET, "noteSet") A(NOTE_REMOVED, "noteRemoved")
#define AUDIT_ENUM(name, word) AUDIT_##name,
enum number_audit { NUMBER_AUDITS(AUDIT_ENUM) AUDIT_COUNT };
#undef AUDIT_ENUM

struct number_audit_line {
    uint64_t    key;                    /* rises with time */
    int64_t     at_us;                  /* product time */
    const char *what;                   /* a word of the list above */
    uint64_t    resource;               /* 0: the operator */
    struct str  detail;
};
/** The newest first, before `before` (0: from the newest). Its import is not among them: that is in numbers_stock_of().
 *  @return ERR_RANGE, ERR_BUSY, ERR_NOMEM */
typedef void number_audit_fn(void *arg, enum err err, const struct number_audit_line *lines, size_t count, bool more);
MUST_USE enum err numbers_audit(struct numbers *n, struct str e164, uint64_t before, size_t most, number_audit_fn *done,
                                void *arg, struct problem *why);
