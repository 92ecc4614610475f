/* usage.h - what was used and what it costs: one row a charge, written by the unit of what caused it.
 *
 * Thread: control. Amounts are millionths of a US dollar, integers. A charge is decided when its cause happens (a segment
 * was taken, a call ended, a number was purchased) and added to the cause's own unit, so that neither is on disk without the
 * other. Everything takes a NULL usage: nothing is charged then.
 * Spend caps: the most a subscription may spend in a calendar month (UTC). They are decided against memory: what was
 * charged this month, and what is reserved for what is under way. They stop purchases, texts and calls that would be new;
 * emergency calls, what comes in, renewals and calls under way go on (docs/billing.md). */
#pragma once
#include "base/problem.h"
#include "domain/control.h"
#include "domain/numbers/catalogue.h"

struct accounts;
struct usage;

#define CHARGE_KINDS(K)                                 /* enum, word, unit */                                         \
    K(CHARGE_LEASE, "lease", "month")                   /* of a number, charged up front */                            \
    K(CHARGE_SMS_OUT, "smsOut", "segment")              /* that a carrier took; with its surcharge */                  \
    K(CHARGE_SMS_IN, "smsIn", "segment")                                                                               \
    K(CHARGE_CALL_OUT, "callOut", "minute")             /* the phone's leg, each started minute */                     \
    K(CHARGE_CALL_IN, "callIn", "minute")                                                                              \
    K(CHARGE_VOIP_LEG, "voipLeg", "minute")             /* the application's leg of either */                          \
    K(CHARGE_EMERGENCY, "emergency", "minute")          /* always 0 */
#define CHARGE_ENUM(name, word, unit) name,
enum charge_kind { CHARGE_NONE, CHARGE_KINDS(CHARGE_ENUM) CHARGE_KIND_COUNT };
#undef CHARGE_ENUM
const char *charge_word(enum charge_kind kind);
const char *charge_unit(enum charge_kind kind);
/** @return ERR_RANGE: no such word */
MUST_USE enum err charge_read(struct str word, enum charge_kind *out);

MUST_USE enum err usage_new(struct usage **out, struct control *control, const struct accounts *accounts,
                            const char *edition);
void usage_free(struct usage *m);
SCOPED_FREE(usage)
/** Caps, what was spent this month, what leases owe; before the threads start. @return ERR_STORE, ERR_NOMEM with `why` */
MUST_USE enum err usage_load(struct usage *m, struct problem *why);

/* -- pure ----------------------------------------------------------------------------------------------------------- */
/** Each started minute; an answered call has one at least. */
int64_t usage_minutes(int64_t connected_us, int64_t ended_us);
/** @return ERR_RANGE: it does not fit */
MUST_USE enum err usage_amount(int64_t quantity, int64_t unit_micro, int64_t *amount_micro);
int usage_month(int64_t us);                    /* 202611, UTC */
int usage_day(int64_t us);                      /* 20261122 */
int64_t usage_month_begin(int month);           /* of 202611: its first microsecond */
int usage_month_after(int month);
/** What of an amount for from..to falls into begin..end, rounded down. */
int64_t usage_pro_rata(int64_t amount_micro, int64_t from_us, int64_t to_us, int64_t begin_us, int64_t end_us);

/* -- charges -------------------------------------------------------------------------------------------------------- */
/* Our end and the other one. */
struct usage_ends {
    uint64_t            resource;
    const struct lease *lease;      /* of our number; NULL: no longer, its type is guessed */
    struct str          number;     /* ours, E.164 */
    struct str          other;      /* E.164, or what stands in its place */
};
/** The n-th segment of a message was taken by a carrier. Stored once, however often it is told.
 *  @param again  it is counted as spent already  @return its price */
int64_t usage_sms_out(struct usage *m, struct db_unit *u, const struct usage_ends *ends, uint64_t message, unsigned segment,
                      bool again);
void usage_sms_in(struct usage *m, struct db_unit *u, const struct usage_ends *ends, uint64_t message, unsigned segments);
/** An answered call ended: the phone's leg and the application's. */
void usage_call(struct usage *m, struct db_unit *u, const struct usage_ends *ends, uint64_t call, bool outbound,
                bool emergency, int64_t connected_us, int64_t ended_us);
/** A number is purchased by an operation, its first month charged; renewals follow by themselves. @return what is charged */
int64_t usage_purchase(struct usage *m, struct db_unit *u, const struct lease *l, const struct number_operation *op);
/** The unit of purchases failed. */
void usage_purchase_undo(struct usage *m, uint64_t resource, int64_t micro, int64_t at_us);
/** A number is released: no further month is charged. Nothing is given back. */
void usage_release(struct usage *m, struct db_unit *u, uint64_t number, int64_t at_us);

/* -- spend caps ------------------------------------------------------------------------------------------------------ */
/** Would so much more be over the cap of the resource's subscription? @return ERR_FORBIDDEN with `why` (SpendCapReached) */
MUST_USE enum err usage_may_spend(struct usage *m, uint64_t resource, int64_t micro, struct problem *why);
/* Put aside for what is under way; a member of whatever that is. */
struct usage_hold {
    uint64_t subscription;
    int64_t  micro;
};
/** Hold exactly so much from now on; 0 gives all of it back. */
void usage_hold_set(struct usage *m, struct usage_hold *h, uint64_t resource, int64_t micro);
/* What to ask for. A price that nobody set is 0. */
int64_t usage_sms_estimate(const struct usage *m, const struct usage_ends *ends, unsigned segments);
int64_t usage_call_estimate(const struct usage *m, const struct usage_ends *ends, bool outbound, int64_t minutes);

/** below 0: none. */
int64_t usage_cap(const struct usage *m, uint64_t subscription);
int64_t usage_spent(struct usage *m, uint64_t subscription);            /* this month, charged */
typedef void usage_done_fn(void *arg, enum err err);
/** @param micro  below 0: no cap  @return ERR_BUSY, ERR_NOMEM, ERR_RANGE with `why`; then no done */
MUST_USE enum err usage_set_cap(struct usage *m, uint64_t subscription, int64_t micro, usage_done_fn *done, void *arg,
                                struct problem *why);
