/* plan.h - the planner: which kind of number does what is wished, where, for how much, and why not.
 *
 * Pure functions over the catalogue and its prices: any thread. It decides nothing of its own: every "no" is the rule that
 * would refuse the search, the call or the text (numbers/catalogue.h), in that rule's words. */
#pragma once
#include "base/arena.h"
#include "base/problem.h"
#include "domain/numbers/catalogue.h"

struct plan_wish {
    const char      *edition;
    enum assignment  assignment;
    char             country[3];        /* where to acquire; empty: anywhere */
    char             home[3];           /* the asker's own country, where the nearest is looked for first; may be empty */
    enum capability  calling, sms;      /* both none: whatever there is */
    int64_t          minutes, messages; /* a month; of calls that wish no calling, minutes ask for outbound; so texts */
    uint64_t         to;                /* a number it must call or text; 0: none in particular */
    const struct subscription *account; /* who would buy; NULL: nobody in particular */
};
enum { PLAN_UNITS_MOST = 1000000000 };  /* minutes, messages */

/* One line of the estimate, millionths of a US dollar. */
struct plan_line {
    const char *what;                   /* "lease", "campaign", "calls out", "calls in", "VoIP leg" (the application's or person's
                                         * end of a call), "texts out", "texts in" */
    int64_t     units, micro_each, micro;
};
enum { PLAN_LINES = 7 };

struct plan_fit {
    const struct catalogue_row *row;
    enum capability       calling, sms; /* what to ask for */
    struct plan_line      lines[PLAN_LINES];
    size_t                lines_n;
    int64_t               micro;        /* a month, all lines */
    int64_t               setup_micro;  /* once, before the first month */
    const struct problem *refused;      /* why the account may not buy it; NULL: it may, or no account was given */
};

struct plan_obstacle {
    char             country[3];
    enum number_type type;
    size_t           more;              /* no country was asked for: as many countries more say the same */
    struct problem   why;               /* text, rule, suggestion: for people */
};

enum { PLAN_PARTS = 2, PLAN_OBSTACLES_MOST = 64 };
struct plan {
    struct plan_wish      wish;         /* with what minutes and messages imply */
    bool                  possible;     /* something fits, and the account, if given, may buy it */
    struct plan_fit      *fits;         /* the cheapest a month first */
    size_t                fits_n;
    struct plan_obstacle *obstacles;    /* each kind of number that does not fit, and its rule */
    size_t                obstacles_n;
    /* when nothing fits, or the account may buy none of it: the nearest wish that can be met, in one number or two; parts_n 0: there is none */
    const char           *change;       /* how it differs: "for an application instead of a person" */
    struct plan_fit       parts[PLAN_PARTS];
    size_t                parts_n;
    const struct problem *blocked;      /* parts_n 0: why the account may not buy what would be nearest; NULL: there is nothing */
};

/** Everything is the arena's. @return ERR_NOMEM */
MUST_USE enum err plan_make(const struct plan_wish *wish, struct arena *arena, const struct plan **out);
