/* statement.h - what was charged, as JSON of our own API: charges, sums of them, a month's invoice.
 *
 * Thread: control. Everything is read from the store: charges from the rows, sums and invoices from the sums by day. Answers
 * are pages; "nextLink" of one asks for the next, null ends. */
#pragma once
#include "domain/billing/usage.h"

struct subscription;

enum usage_view { USAGE_CHARGES, USAGE_KINDS, USAGE_DAYS, USAGE_NUMBERS, USAGE_DESTINATIONS };
/** "charge", "kind", "day", "number", "destination". @return ERR_RANGE */
MUST_USE enum err usage_view_read(struct str word, enum usage_view *out);

enum { USAGE_PAGE_MOST = 1000 };
struct usage_query {
    const struct subscription *account;
    uint64_t                   resource, number;    /* 0: all */
    enum charge_kind           kind;                /* CHARGE_NONE: all */
    int64_t                    from_us, to_us;      /* to is not in it; sums are of whole days */
    enum usage_view            view;
    struct str                 after;               /* what followed `link` in the page before, or empty */
    struct str                 link;                /* nextLink but for its end; lives until done */
    size_t                     most;                /* 1..USAGE_PAGE_MOST */
};
/** Called once, on control. */
typedef void usage_json_fn(void *arg, enum err err, struct str json);
/** @return ERR_RANGE (after), ERR_BUSY, ERR_NOMEM with `why`; then no done */
MUST_USE enum err usage_list(struct usage *m, const struct usage_query *q, usage_json_fn *done, void *arg, struct problem *why);
/** The invoice of the month in which q->from_us lies. view, number, kind and to_us are not looked at. Returns as above. */
MUST_USE enum err usage_invoice(struct usage *m, const struct usage_query *q, usage_json_fn *done, void *arg,
                                struct problem *why);
