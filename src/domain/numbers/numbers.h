/* numbers.h - the numbers a resource leases: search, hold, purchase, change, release, look-up.
 *
 * Thread: control. The catalogue (numbers/catalogue.h) says what is allowed; this says who holds what. A contested fact
 * (hold, buy) is decided against memory that control owns and marks pending while its unit is being committed. */
#pragma once
#include "base/problem.h"
#include "domain/control.h"

struct numbers;
struct accounts;

enum number_type { NUMBER_GEOGRAPHIC, NUMBER_TOLL_FREE };
enum assignment  { ASSIGNED_PERSON, ASSIGNED_APPLICATION };
/* Bits: a capability is none, inbound, outbound, or both. */
enum capability  { CAP_NONE = 0, CAP_INBOUND = 1, CAP_OUTBOUND = 2, CAP_BOTH = 3 };

struct lease {
    uint64_t         number;            /* E.164 digits as an integer: 12065550100 */
    uint64_t         resource;
    enum number_type type;
    enum assignment  assignment;
    enum capability  calling, sms;
    char             country[3];
    bool             simulated;         /* belongs to the simulated carrier (the wall: ARCHITECTURE.md) */
    char             carrier[32];       /* name of the carrier or trunk it came with; "sim" */
    int64_t          purchased_us;
};

/** The lease of a number now in use, or NULL. `e164` with or without '+'. Borrowed until control returns to its loop. */
const struct lease *numbers_lease(const struct numbers *n, struct str e164);

/** May a lease call / text this destination, under the edition?  @return ERR_NONE, ERR_FORBIDDEN or ERR_RANGE with `why`
 *  (rule, suggestion). The destination is E.164 with '+'. */
MUST_USE enum err numbers_may_call(const struct numbers *n, const struct lease *from, struct str to, struct problem *why);
MUST_USE enum err numbers_may_text(const struct numbers *n, const struct lease *from, struct str to, struct problem *why);
