/* catalogue.h - what may be acquired where, by whom, for how much, and what it may reach: one table in memory.
 *
 * Thread: any. Compiled in from data/catalogue/<edition>/; an operator's overlay (numbers/overlay.h) may change it once, before
 * the threads start. Everything that asks "is it allowed?" asks here: offerings, search, purchase, capability changes, calls,
 * messages, the planner. */
#pragma once
#include "domain/numbers/numbers.h"

/* (edition, country, type, assignment) -> the rest. Lists are separated by blanks; "rated": every priced destination. */
struct catalogue_row {
    const char      *edition;
    char             country[3];
    enum number_type type;
    enum assignment  assignment;
    enum capability  calling, sms;                  /* the most a number may have */
    const char      *calls_to, *calls_from, *sms_to, *sms_from;
    int64_t          lease_micro;                   /* millionths of a US dollar a month */
    const char      *offers;                        /* of subscriptions that may acquire it: words of accounts.h */
    const char      *billing;                       /* countries a subscription may be billed in */
    bool             own_use;                       /* may not be sold on: the purchase must agree to that */
    bool             preview;                       /* else generally available */
    const char      *registration;                  /* what must be registered before SMS works; empty: nothing */
};

bool catalogue_has_edition(const char *edition);
/** The i-th row of the edition; NULL after the last. */
const struct catalogue_row *catalogue_row(const char *edition, size_t i);
/** NULL: not offered. */
const struct catalogue_row *catalogue_find(const char *edition, struct str country, enum number_type type,
                                           enum assignment assignment);
/** The i-th country of the edition: its code, and its name in English; NULL after the last. */
const char *catalogue_country(const char *edition, size_t i, const char **name);
/** Can numbers of it be searched for and leased? A country may have sender types alone. */
bool catalogue_sells_in(const char *edition, struct str country);
/** Has it any row, if only of a sender type? */
bool catalogue_serves(const char *edition, struct str country);
/** Has the edition this type anywhere? */
bool catalogue_has_type(const char *edition, enum number_type type);
/** Do subscriptions without a paid offer get it? */
bool catalogue_is_paid_only(const struct catalogue_row *row);

/* What use costs, millionths of a US dollar a started minute or a segment (data/catalogue/<edition>/usage.csv). */
enum usage_item {
    USAGE_CALL_OUT_FROM,                            /* the cheapest destination; billing/rates.h has each */
    USAGE_CALL_IN, USAGE_SMS_OUT, USAGE_SMS_OUT_SURCHARGE, USAGE_SMS_IN, USAGE_SMS_IN_SURCHARGE,
    USAGE_SETUP,                                    /* once */
    USAGE_MONTHLY,                                  /* with the lease: a campaign */
    USAGE_VOIP_LEG,                                 /* the application's leg of a call with a phone, either way */
    USAGE_ITEMS
};
/** @param other  country at the other end  @return -1: not priced */
int64_t catalogue_usage(const struct catalogue_row *row, enum usage_item item, const char *other);

/* -- the same as rules that refuse (allowed.c): `why` gets code, rule and what to do instead ---------------------------- */
struct problem;
struct subscription;
/** The row a wish means, when it exists and has the capabilities. @return ERR_RANGE with `why` */
MUST_USE enum err catalogue_offer(const char *edition, struct str country, enum number_type type,
                                  enum assignment assignment, enum capability calling, enum capability sms,
                                  const struct catalogue_row **out, struct problem *why);
/** May this subscription acquire it? NULL: there is none. @return ERR_FORBIDDEN with `why` */
MUST_USE enum err catalogue_eligible(const struct catalogue_row *row, const struct subscription *s, struct problem *why);
/** Has the buyer agreed to what the row asks for? @return ERR_RANGE with `why` */
MUST_USE enum err catalogue_agreed(const struct catalogue_row *row, bool agrees_not_to_resell, struct problem *why);
/** May such a number call / text these digits?  @param who  our end, for the text: "+12065550100"
 *  @return ERR_FORBIDDEN, ERR_RANGE with `why` */
MUST_USE enum err catalogue_may_call(const struct catalogue_row *row, const char *who, uint64_t to, struct problem *why);
MUST_USE enum err catalogue_may_text(const struct catalogue_row *row, uint64_t to, struct problem *why);

/** Is the word in a list of the table ("US CA")? An empty one is in none. */
bool catalogue_lists(const char *list, const char *word);
/** Does a list reach this number? "rated" reaches whatever has a price. */
bool catalogue_reaches(const char *list, uint64_t digits);

/* Words of the wire. */
const char *number_type_word(enum number_type type);        /* geographic, tollFree, mobile; shortCode ... in our own API */
const char *number_type_in_words(enum number_type type);    /* local, toll-free, mobile, short code ... */
const char *number_type_as_noun(enum number_type type);     /* "local number", "short code" */
static inline bool number_type_is_leased(enum number_type type) { return type <= NUMBER_MOBILE; }
const char *assignment_word(enum assignment assignment);    /* person, application */
const char *capability_word(enum capability cap);           /* none, inbound, outbound, inbound+outbound */
const char *usage_item_word(enum usage_item item);          /* callIn ..., as in usage.csv */
/** Letters of any case, as the service takes them: the types that are leased. @return ERR_RANGE */
MUST_USE enum err number_type_read(struct str word, enum number_type *out);
/** The same for every type of the table; takes people's words too. @return ERR_RANGE */
MUST_USE enum err catalogue_type_read(struct str word, enum number_type *out);
MUST_USE enum err assignment_read(struct str word, enum assignment *out);
MUST_USE enum err capability_read(struct str word, enum capability *out);
MUST_USE enum err usage_item_read(struct str word, enum usage_item *out);
