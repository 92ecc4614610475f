/* import.h - the operator's numbers, brought in from a list: an import begins, takes slices of rows, and ends complete,
 * rolled back, or failed: nothing in its list could be taken.
 *
 * Thread: control, but for struct import_slice, which whoever reads the list fills on a thread of its own. Numbers of an
 * open import are in memory and on disk, and nobody can find them; they can be had once it is complete. A slice is one
 * unit of the store: all of it, or nothing, and the line where the next one begins moves with it. So an import that was cut
 * off goes on at next_line, and a slice that comes twice is refused. */
#pragma once
#include "domain/numbers/numbers.h"
#include "domain/rules.h"

struct jw;

/* -- slices: any one thread ----------------------------------------------------------------------------------------- */
enum { IMPORT_SLICE_MOST = 8192, IMPORT_TAGS_SIZE = 128, IMPORT_BAD_KEPT = 10000, IMPORT_MARK_SIZE = 64 };

/* One row, as its list tells it. Text is copied. */
struct import_row {
    uint64_t         line;              /* from 1 */
    struct str       number;            /* E.164, with or without '+' */
    struct str       carrier;           /* of the server's carriers, or "sim"; empty: the import's */
    struct str       country;           /* ISO 3166-1 alpha-2; empty: the number's own */
    bool             has_type;          /* false: what its digits say it is */
    enum number_type type;
    enum capability  calling, sms;      /* the most that it can do */
    int64_t          cost_micro;        /* what it costs the operator a month, millionths of a US dollar, 0.. */
    struct str       tags;              /* separated by blanks, IMPORT_TAGS_SIZE - 1 octets at most */
};

/* A row that was left out. The text is the rule's, with number and detail in it. */
struct import_bad {
    uint64_t  line;
    enum rule rule;
    char      number[24], detail[48];
};
/** Say it as every other refusal is said. */
void import_bad_problem(const struct import_bad *bad, struct problem *why);

struct import_slice;
/** @param first_line  of this slice: the import's next_line */
MUST_USE enum err import_slice_new(struct import_slice **out, uint64_t first_line);
void import_slice_free(struct import_slice *s);
SCOPED_FREE(import_slice)
/** Check a row by itself, and take it or note why not. @return ERR_SIZE (IMPORT_SLICE_MOST are in it), ERR_NOMEM */
MUST_USE enum err import_slice_add(struct import_slice *s, const struct import_row *row);
/** A row that its reader could not make anything of. @param number, detail  fill {0} and {1} of the rule's text, cut to fit
 *  @return as import_slice_add() */
MUST_USE enum err import_slice_bad(struct import_slice *s, uint64_t line, enum rule rule, struct str number,
                                   struct str detail);
/** The line behind the last one that was read, which may have been empty. Without it: the one behind the last row. */
void import_slice_end(struct import_slice *s, uint64_t next_line);
/** What the client says of all it has sent with this one, to know its list again when it goes on: stored with it.
 *  @return ERR_SIZE (IMPORT_MARK_SIZE - 1 octets at most) */
MUST_USE enum err import_slice_mark(struct import_slice *s, struct str mark);
size_t import_slice_count(const struct import_slice *s);        /* rows, good and bad */

/* -- the life of an import ------------------------------------------------------------------------------------------ */
enum import_state { IMPORT_OPEN, IMPORT_COMPLETE, IMPORT_ROLLED_BACK, IMPORT_FAILED };
const char *import_state_word(enum import_state state);         /* open, complete, rolledBack, failed */
/** Rolled back or failed: none of its numbers are in the inventory. */
bool import_has_nothing(enum import_state state);

struct number_import {
    uint64_t          key;
    char              id[64];           /* the client's choice: letters, digits, '.', '_', '-' */
    char              file[128];        /* name of the list, for people */
    char              carrier[64];      /* of rows that name none; may be empty */
    char              mark[IMPORT_MARK_SIZE];       /* how far the list was sent, in the client's own words; may be empty */
    bool              dry_run;          /* it looks at rows and never has numbers; left alone, it is rolled back */
    enum import_state state;
    bool              busy;             /* something of it is being stored, shown or taken away */
    uint64_t          next_line;        /* 1: nothing was taken yet */
    uint64_t          rows, bad;        /* taken, left out */
    uint64_t          numbers;          /* in the inventory now */
    uint64_t          touched;          /* of these, not available: held, leased, released, in quarantine */
    int64_t           started_us, ended_us;     /* product time; ended_us 0: open */
};

struct import_new {
    struct str id;                      /* empty: one is made */
    struct str file, carrier;
    bool       dry_run;
};

/** The outcome, on control, once committed. `bad`: what a slice left out, by line (else none). Borrowed during the call. */
typedef void import_done_fn(void *arg, enum err err, const struct number_import *im, const struct import_bad *bad,
                            size_t n_bad, const struct problem *why);

/* Each answers an error at once (with `why`, and then no done), or ERR_NONE and done later or at once. */
/** Begin; or, with the id of an open import, find it again: its next_line says where to go on.
 *  @return ERR_RANGE (id, carrier unknown), ERR_CONFLICT (it has ended), ERR_BUSY, ERR_NOMEM */
MUST_USE enum err numbers_import_begin(struct numbers *n, const struct import_new *rq, import_done_fn *done, void *arg,
                                       struct problem *why);
/** Take a slice, which stays the caller's to free.
 *  @return ERR_ABSENT, ERR_CONFLICT (not open, or not at its next_line), ERR_BUSY, ERR_NOMEM */
MUST_USE enum err numbers_import_slice(struct numbers *n, struct str id, const struct import_slice *s, import_done_fn *done,
                                       void *arg, struct problem *why);
/** Done when its numbers can be had. Again for a complete one: done at once. One whose rows were all left out ends as failed, and
 *  done hears ERR_CONFLICT. @return ERR_ABSENT, ERR_CONFLICT (it has ended otherwise; a dry run), ERR_BUSY, ERR_NOMEM */
MUST_USE enum err numbers_import_complete(struct numbers *n, struct str id, import_done_fn *done, void *arg,
                                          struct problem *why);
/** Take everything of it away: an open one always, a complete one while all its numbers are available. Again for one that
 *  was rolled back: done at once. @return ERR_ABSENT, ERR_CONFLICT (some are in use: `why` names them), ERR_BUSY, ERR_NOMEM */
MUST_USE enum err numbers_import_roll_back(struct numbers *n, struct str id, import_done_fn *done, void *arg,
                                           struct problem *why);

/** @return ERR_ABSENT with `why`. Borrowed until control returns to its loop */
MUST_USE enum err numbers_import_of(const struct numbers *n, struct str id, const struct number_import **out,
                                    struct problem *why);
/** The newest first, from the skip-th, at most `most`. @return how many */
size_t numbers_imports(const struct numbers *n, size_t skip, size_t most, const struct number_import **out, bool *more);

/** What an import left out, by line, behind `after_line`; the first IMPORT_BAD_KEPT of an import are kept.
 *  @return ERR_ABSENT, ERR_BUSY, ERR_NOMEM */
typedef void import_bad_fn(void *arg, enum err err, const struct import_bad *bad, size_t count, bool more);
MUST_USE enum err numbers_import_bad(struct numbers *n, struct str id, uint64_t after_line, size_t most, import_bad_fn *done,
                                     void *arg, struct problem *why);
/** What of it the edition offers to nobody, as elements of an open array: countryCode, phoneNumberType, numbers. Such numbers lie idle. */
void numbers_import_write_unoffered(const struct numbers *n, const struct number_import *im, struct jw *w);
