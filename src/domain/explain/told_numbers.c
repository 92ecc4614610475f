/* told_numbers.c - searches, operations, reservations, and the life of a number. */
#include "codec/e164/e164.h"
#include "domain/explain/explain_priv.h"
#include "domain/numbers/numbers.h"
#include "store/explain.h"
#include "store/inventory.h"

enum { AUDIT_MOST = 100 };

static struct db *db_of(const struct asking *a)
{
    return a->x->conf.control->db;
}

static void begin(struct asking *a, const struct thing *t, const char *state)
{
    jw_textz(&a->w, "id", t->id);
    jw_textz(&a->w, "kind", explain_kind_word(t->kind));
    jw_textz(&a->w, "state", state);
    a->decision.outcome = str_of(state);
}

/* -- searches ------------------------------------------------------------------------------------------------------------ */

static enum err ask_search(struct asking *a, const struct thing *t)
{
    return explain_ask_search(db_of(a), t->key, &a->read);
}

static void tell_search(struct asking *a, struct thing *t, struct db_rows *rows)
{
    static const char *const states[] = { "held", "bought", "expired", "canceled" };
    struct explain_search_row row;
    char until[ISO8601_SIZE];
    bool there = explain_search_next(rows, &row);
    asking_add(a, EXPLAIN_REQUEST, t->key, (struct str){ 0 });
    if (there && !asking_may_see(a, row.resource))
        return;
    asking_found(a, t, ID_SEARCH, "");
    t->found = there;                   /* its row is kept for a day; its request for longer */
    const char *state = !there ? "over" : row.state >= 0 && row.state < (int)ARRAY_LEN(states) ? states[row.state] : "?";
    if (is_first(a, t))
        begin(a, t, state);
    if (!there)
        return;
    int64_t made_us = row.expires_us - NUMBERS_HOLD_S * (int64_t)US_PER_S;
    time_iso8601(until, row.expires_us);
    told_pin(a, made_us, t->key);
    told(a, t, made_us, "held", "until %s: " STR_FMT, until, STR_ARG(row.numbers));
    if (row.state > 1)
        told(a, t, row.expires_us, "state", "%s", state);
    if (row.purchase)
        asking_add(a, EXPLAIN_OPERATION, row.purchase, (struct str){ 0 });
}

const struct told_part told_search[EXPLAIN_PARTS + 1] = { { ask_search, tell_search }, { ask_about, tell_about } };

/* -- operations ------------------------------------------------------------------------------------------------------------ */

static const struct { const char *prefix, *word; enum id_kind of; enum explain_kind about; } operations[OPERATION_KINDS] = {
    [OPERATION_SEARCH]       = { "search_", "search", ID_SEARCH, EXPLAIN_SEARCH },
    [OPERATION_PURCHASE]     = { "purchase_", "purchase", ID_OPERATION_PURCHASE, EXPLAIN_SEARCH },
    [OPERATION_RELEASE]      = { "release_", "release of", ID_OPERATION_RELEASE, EXPLAIN_NUMBER },
    [OPERATION_CAPABILITIES] = { "capabilities_", "capabilities of", ID_OPERATION_CAPABILITIES, EXPLAIN_NUMBER },
    [OPERATION_RESERVATION]  = { "reservationPurchase_", "purchase of a reservation", ID_RESERVATION_PURCHASE,
                                 EXPLAIN_RESERVATION },
};

static enum err ask_operation(struct asking *a, const struct thing *t)
{
    return explain_ask_operation(db_of(a), t->key, &a->read);
}

static void tell_operation(struct asking *a, struct thing *t, struct db_rows *rows)
{
    static const char *const statuses[] = { "succeeded", "failed", "canceled" };
    struct explain_operation_row row;
    char number[E164_SIZE] = "";
    bool there = explain_operation_next(rows, &row) && row.kind >= 0 && row.kind < OPERATION_KINDS && row.status >= 0
                 && row.status < (int)ARRAY_LEN(statuses);
    asking_add(a, EXPLAIN_REQUEST, t->key, (struct str){ 0 });
    if (!there || !asking_may_see(a, row.resource)) {
        if (is_first(a, t)) {           /* its row is kept for a day; its request for longer */
            jw_text(&a->w, "id", a->asked);
            jw_textz(&a->w, "kind", "operation");
        }
        return;
    }
    asking_found(a, t, operations[row.kind].of, operations[row.kind].prefix);
    if (is_first(a, t))
        begin(a, t, statuses[row.status]);
    if (operations[row.kind].about == EXPLAIN_NUMBER)
        e164_write(number, row.subject);
    else
        asking_add(a, operations[row.kind].about, row.subject, (struct str){ 0 });
    told_pin(a, row.created_us, t->key);
    told(a, t, row.changed_us, "operation", "%s%s%s %s", operations[row.kind].word, number[0] ? " " : "", number,
         statuses[row.status]);
}

const struct told_part told_operation[EXPLAIN_PARTS + 1] = { { ask_operation, tell_operation }, { ask_about, tell_about } };

/* -- reservations ---------------------------------------------------------------------------------------------------------- */

static enum err ask_named(struct asking *a, const struct thing *t)
{
    return t->key ? ERR_ABSENT : explain_ask_reservation_named(db_of(a), str_of(t->id), a->resource, &a->read);
}

static void tell_named(struct asking *a, struct thing *t, struct db_rows *rows)
{
    (void)a;
    if (!explain_reservation_named_next(rows, &t->key))
        t->key = 0;
}

static enum err ask_reservation(struct asking *a, const struct thing *t)
{
    return t->key ? explain_ask_reservation(db_of(a), t->key, &a->read) : ERR_ABSENT;
}

static void tell_reservation(struct asking *a, struct thing *t, struct db_rows *rows)
{
    static const char *const states[] = { "active", "submitted", "completed", "expired" };
    struct explain_reservation_row row;
    char until[ISO8601_SIZE];
    if (!explain_reservation_next(rows, &row) || !asking_may_see(a, row.resource) || row.state < 0
        || row.state >= (int)ARRAY_LEN(states))
        return;
    t->found = true;
    str_copyz(t->id, sizeof t->id, row.guid);
    if (is_first(a, t))
        begin(a, t, states[row.state]);
    time_iso8601(until, row.expires_us);
    told_pin(a, row.created_us, t->key);
    told(a, t, row.created_us, "reservation", "%s, its numbers held until %s", states[row.state], until);
    asking_add(a, EXPLAIN_REQUEST, t->key, (struct str){ 0 });
    if (row.purchase)
        asking_add(a, EXPLAIN_OPERATION, row.purchase, (struct str){ 0 });
}

const struct told_part told_reservation[EXPLAIN_PARTS + 1] = {
    { ask_named, tell_named }, { ask_reservation, tell_reservation }, { ask_about, tell_about },
};

/* -- a number ---------------------------------------------------------------------------------------------------------------- */

static enum err ask_number(struct asking *a, const struct thing *t)
{
    return explain_ask_number(db_of(a), t->key, &a->read);
}

static void tell_number(struct asking *a, struct thing *t, struct db_rows *rows)
{
    static const char *const states[] = { [2] = "leased", [3] = "released", [4] = "quarantine" };
    struct explain_number_row row;
    bool there = explain_number_next(rows, &row) && row.state >= 2 && row.state < (int)ARRAY_LEN(states)
                 && asking_may_see(a, row.resource);
    e164_write(t->id, t->key);
    if (is_first(a, t))
        begin(a, t, there ? states[row.state] : "available");
    if (!there)
        return;
    t->found = true;
    a->decision.route = arena_str(a->arena, row.carrier);
    told(a, t, row.purchased_us, "number", "leased to %s by carrier " STR_FMT, asking_name(a, row.resource), STR_ARG(row.carrier));
    if (row.until_us)
        told(a, t, row.until_us, "state", row.state == 3 ? "its billing cycle ends: quarantine" : "its quarantine ends");
    if (row.search)
        asking_add(a, EXPLAIN_SEARCH, row.search, (struct str){ 0 });
}

static enum err ask_leases(struct asking *a, const struct thing *t)
{
    return explain_ask_leases(db_of(a), t->key, &a->read);
}

static void tell_leases(struct asking *a, struct thing *t, struct db_rows *rows)
{
    struct explain_lease_row row;
    while (explain_lease_next(rows, &row)) {
        if (!asking_may_see(a, row.resource))
            continue;
        t->found = true;
        told(a, t, row.since_us, "lease", "to %s, %u month%s charged", asking_name(a, row.resource), row.cycles,
             row.cycles == 1 ? "" : "s");
        if (row.ended_us)
            told(a, t, row.ended_us, "lease", "ended");
        asking_add(a, row.cause_kind == ID_SEARCH ? EXPLAIN_SEARCH : EXPLAIN_OPERATION, row.cause, (struct str){ 0 });
    }
}

static enum err ask_audit(struct asking *a, const struct thing *t)
{
    return number_audit_ask(db_of(a), t->key, INT64_MAX, AUDIT_MOST, &a->read);
}

static void tell_audit(struct asking *a, struct thing *t, struct db_rows *rows)
{
    struct number_audit_row row;
    while (db_rows_next(rows)) {
        number_audit_row_read(rows, &row);
        if (!asking_may_see(a, row.resource))
            continue;
        t->found = true;
        told(a, t, row.at_us, "audit", STR_FMT "%s" STR_FMT, STR_ARG(row.what), row.detail.n ? ": " : "", STR_ARG(row.detail));
    }
}

const struct told_part told_number[EXPLAIN_PARTS + 1] = {
    { ask_number, tell_number }, { ask_leases, tell_leases }, { ask_audit, tell_audit }, { ask_about_last, tell_about },
};
