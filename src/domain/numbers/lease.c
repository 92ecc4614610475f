/* lease.c - purchase, change, release. */
#include "base/map.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/numbers_priv.h"

#include <stdio.h>

/* -- purchase ------------------------------------------------------------------------------------------------------- */

static enum err hold_over(const struct search *s, struct problem *why)
{
    char when[ISO8601_SIZE];
    time_iso8601(when, s->pub.expires_us);
    if (s->pub.state == SEARCH_CANCELED)
        return rule_problem(why, ERR_CONFLICT, RULE_SEARCH_CANCELED);
    return rule_problem(why, ERR_CONFLICT, RULE_RESERVATION_EXPIRED, when);
}

static enum err search_missing(const struct numbers *n, uint64_t key, struct problem *why)
{
    char guid[GUID_SIZE];
    ids_guid(n->control->ids, ID_SEARCH, key, guid);
    enum err err = rule_problem(why, ERR_ABSENT, RULE_SEARCH_NOT_FOUND, guid);
    problem_target(why, "searchId");
    return err;
}

static void settle_purchase(struct task *t, enum err err)
{
    struct search *s = t->search;
    s->busy = false;
    if (err) {
        usage_purchase_undo(t->n->control->usage, s->pub.resource, t->charged_micro, t->op->pub.created_us);
        search_feed(s, NUMBER_EV_UNDONE);
        search_keep_on(s);              /* its hold may have ended meanwhile: then it is due at once */
        return;
    }
    for (size_t i = 0; i < s->pub.count; i++)
        number_find(s->n, s->numbers[i])->lease.purchased_us = t->op->pub.created_us;
    s->purchase = t->op->pub.key;
    search_end(s, SEARCH_BOUGHT, NUMBER_EV_DONE);
    log_info("numbers", "leased %zu %s numbers", s->pub.count, number_type_word(s->pub.type));
}

static enum err purchase_start(struct search *s, numbers_done_fn *done, void *arg, struct problem *why)
{
    struct numbers *n = s->n;
    struct task *t;
    enum err err = task_new(n, OPERATION_PURCHASE, s->pub.resource, control_key(n->control), s->pub.key,
                            settle_purchase, done, arg, &t);
    if (err)
        return err;
    t->search = s;
    s->busy = true;
    search_feed(s, NUMBER_EV_BUY);
    struct db_unit *u = db_unit_new();
    for (size_t i = 0; i < s->pub.count; i++)
        number_leased_row(u, number_find(n, s->numbers[i]), t->op->pub.created_us);
    number_search_row_end(u, s->pub.key, SEARCH_BOUGHT, t->op->pub.key, true);
    for (size_t i = 0; i < s->pub.count; i++)
        t->charged_micro += usage_purchase(n->control->usage, u, &number_find(n, s->numbers[i])->lease, &t->op->pub);
    return task_post(t, u, why);
}

enum err numbers_purchase(struct numbers *n, uint64_t resource, uint64_t key, bool agrees, numbers_done_fn *done, void *arg,
                          struct problem *why)
{
    struct search *s = search_of(n, resource, key);
    if (!s)
        return search_missing(n, key, why);
    if (s->busy)
        return number_busy("this search", why);
    const struct number_operation *first = s->pub.state == SEARCH_BOUGHT
        ? numbers_operation_find(n, resource, OPERATION_PURCHASE, s->purchase) : NULL;
    if (first) {                        /* asked again, after an answer that did not arrive */
        done(arg, ERR_NONE, first, NULL);
        return ERR_NONE;
    }
    if (s->pub.state != SEARCH_HELD || numbers_now(n) >= s->pub.expires_us)
        return hold_over(s, why);
    const struct catalogue_row *row = catalogue_find(edition_of(n), str_of(s->pub.country), s->pub.type,
                                                     s->pub.assignment);
    if (!row)
        return rule_problem(why, ERR_RANGE, RULE_NUMBER_TYPE_NOT_OFFERED, number_type_word(s->pub.type),
                            assignment_word(s->pub.assignment), edition_of(n), s->pub.country);
    enum err err = numbers_eligible(n, resource, row, why);
    if (!err)
        err = catalogue_agreed(row, agrees, why);
    if (!err)
        err = task_allowed(n, resource, OPERATION_PURCHASE, why);
    if (!err)
        err = usage_may_spend(n->control->usage, resource, row->lease_micro * (int64_t)s->pub.count, why);
    return err ? err : purchase_start(s, done, arg, why);
}

/* -- change and release --------------------------------------------------------------------------------------------- */

static enum err leased_number(struct numbers *n, uint64_t resource, struct str e164, struct number **out,
                              struct problem *why)
{
    char text[E164_SIZE];
    const struct lease *l;
    enum err err = numbers_lease_of(n, resource, e164, &l, why);
    if (err)
        return err;
    struct number *x = number_find(n, l->number);
    if (x->state != NUMBER_LEASED)
        return number_busy(e164_write(text, l->number), why);
    *out = x;
    return ERR_NONE;
}

static void settle_number(struct task *t, enum err err)
{
    number_feed(t->number, err ? NUMBER_EV_UNDONE : NUMBER_EV_DONE);
}

static enum err number_task(struct number *x, enum operation_kind kind, numbers_done_fn *done, void *arg,
                            struct task **out)
{
    struct numbers *n = x->n;
    enum err err = task_new(n, kind, x->lease.resource, control_key(n->control), x->lease.number, settle_number, done,
                            arg, out);
    if (!err)
        (*out)->number = x;
    return err;
}

/* What its carrier sold with it bounds an imported number, whatever the catalogue says. */
static enum err check_lot(const struct numbers *n, const struct lease *l, enum capability calling, enum capability sms,
                          struct problem *why)
{
    char text[E164_SIZE];
    const struct lot *lot = lot_of(n, l->number);
    const struct sort *s = lot ? sort_of(n, lot) : NULL;
    if (!s || (!(calling & ~s->calling) && !(sms & ~s->sms)))
        return ERR_NONE;
    return rule_problem(why, ERR_RANGE, RULE_CAPABILITY_NOT_OF_NUMBER, e164_write(text, l->number),
                        capability_word(s->calling), capability_word(s->sms));
}

enum err numbers_change(struct numbers *n, uint64_t resource, struct str e164, const enum capability *calling,
                        const enum capability *sms, numbers_done_fn *done, void *arg, struct problem *why)
{
    struct number *x = NULL;
    const struct catalogue_row *row = NULL;
    enum err err = leased_number(n, resource, e164, &x, why);
    if (err)
        return err;
    const struct lease *l = &x->lease;
    enum capability to_calling = calling ? *calling : l->calling, to_sms = sms ? *sms : l->sms;
    err = numbers_plan(n, str_of(l->country), l->type, l->assignment, to_calling, to_sms, &row, why);
    if (!err)
        err = check_lot(n, l, to_calling, to_sms, why);
    struct task *t = NULL;
    if (!err)
        err = number_task(x, OPERATION_CAPABILITIES, done, arg, &t);
    if (err)
        return err;
    x->calling = to_calling;
    x->sms = to_sms;
    number_feed(x, NUMBER_EV_CHANGE);
    struct db_unit *u = db_unit_new();
    number_row_change(u, l->number, resource, (int)to_calling, (int)to_sms);
    number_terms_row(n, u, l, AUDIT_CHANGED, to_calling, to_sms);
    return task_post(t, u, why);
}

static void settle_release(struct task *t, enum err err)
{
    struct numbers *n = t->n;
    uint64_t number = t->number->lease.number;
    settle_number(t, err);
    for (size_t i = 0; !err && i < n->n_leavers; i++)
        n->leavers[i].gone(n->leavers[i].arg, number);
}

enum err numbers_release(struct numbers *n, uint64_t resource, struct str e164, numbers_done_fn *done, void *arg,
                         struct problem *why)
{
    struct number *x = NULL;
    struct task *t = NULL;
    enum err err = leased_number(n, resource, e164, &x, why);
    if (err)
        return err;
    /* while there is memory to be had: giving back must not fail later */
    err = number_wait(x, billing_cycle_end(x->lease.purchased_us, numbers_now(n)));
    if (!err)
        err = number_task(x, OPERATION_RELEASE, done, arg, &t);
    if (err) {
        number_stop_waiting(x);
        return err;
    }
    number_feed(x, NUMBER_EV_RELEASE);
    struct db_unit *u = db_unit_new();
    number_row_release(u, x->lease.number, resource, x->wait->until_us);
    number_audit_row(n, u, x->lease.number, AUDIT_RELEASED, resource, NULL);
    for (size_t i = 0; i < n->n_leavers; i++)
        n->leavers[i].rows(n->leavers[i].arg, u, x->lease.number);
    t->settle = settle_release;
    usage_release(n->control->usage, u, x->lease.number, numbers_now(n));
    return task_post(t, u, why);
}
