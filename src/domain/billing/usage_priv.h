/* usage_priv.h - what the files of usage share. Thread: control. */
#pragma once
#include "base/map.h"
#include "domain/accounts/accounts.h"
#include "domain/billing/usage.h"
#include "store/usage.h"

/* Of one subscription. */
struct spend {
    int64_t cap;                        /* below 0: none */
    int64_t spent;                      /* charged in usage->month */
    int64_t held;                       /* put aside for what is under way */
};

struct usage {
    struct control        *control;
    const struct accounts *accounts;
    const char            *edition;
    struct map            *spends;      /* subscription -> struct spend, owned */
    int                    month;       /* of the sums in memory */
    struct agenda_entry    renewal;     /* when the first lease owes its next month */
    bool                   renewing;    /* that is being worked on */
};

/** Of a subscription; made when it is not there. NULL: out of memory. */
struct spend *usage_spend_of(struct usage *m, uint64_t subscription);
/** The row and its sums into the unit, the amount into memory. Fills what follows from the rest: key, month, day, amount.
 *  @return the amount */
int64_t usage_charge(struct usage *m, struct db_unit *u, struct usage_row *row);
/** It was not stored after all, or was counted before: out of memory. */
void usage_undo(struct usage *m, uint64_t subscription, int64_t micro, int64_t at_us);
/** Sums that would not fit stay at the most there is. */
int64_t usage_plus(int64_t a, int64_t b);
uint64_t usage_payer(const struct usage *m, uint64_t resource);     /* the resource's subscription; 0: none */

/* renewals.c */
/** When the first month is owed, if that is earlier than what was known. */
void usage_renew_at(struct usage *m, int64_t us);
MUST_USE enum err usage_renewals_load(struct usage *m);
