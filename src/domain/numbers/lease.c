/* lease.c - search and hold, purchase, change, release, cancel. */
#include "base/buf.h"
#include "base/map.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/numbers_priv.h"

#include <stdio.h>

/* -- searches and the end of their holds ---------------------------------------------------------------------------- */

struct search *search_new(struct numbers *n, size_t count)
{
    struct search *s = calloc(1, sizeof *s + count * sizeof s->numbers[0]);
    if (!s)
        return NULL;
    s->n = n;
    s->pub.count = count;
    s->pub.numbers = s->numbers;
    return s;
}

/* Tell each number that the search holds: after a crash one of them may be another's already. */
static void search_feed(struct search *s, enum number_event ev)
{
    for (size_t i = 0; i < s->pub.count; i++)
        number_feed_held(s->n, s->numbers[i], s->pub.key, ev);
}

/* Once it is set, setting it again takes no memory. */
enum err search_keep(struct search *s)
{
    int64_t made = s->pub.expires_us - NUMBERS_HOLD_S * (int64_t)US_PER_S;
    int64_t due = s->pub.state == SEARCH_HELD ? s->pub.expires_us : made + NUMBERS_KEEP_S * (int64_t)US_PER_S;
    return agenda_set(s->n->control->agenda, &s->due, due, search_on_due, s);
}

static void search_keep_on(struct search *s)
{
    if (search_keep(s))
        log_warn("numbers", "no memory for a timer: a search is kept until the next start");
}

static void search_drop(struct search *s)
{
    agenda_clear(s->n->control->agenda, &s->due);
    free(map_take(s->n->searches, s->pub.key));
}

static void search_end(struct search *s, enum search_state state, enum number_event ev)
{
    s->pub.state = state;
    search_feed(s, ev);
    search_keep_on(s);
}

void search_on_due(void *arg, int64_t due_us)
{
    (void)due_us;
    struct search *s = arg;
    if (s->pub.state == SEARCH_HELD && (s->busy || !s->committed))
        return;                         /* what is being stored decides, and sets the timer again if need be */
    struct db_unit *u = db_unit_new();
    if (s->pub.state == SEARCH_HELD) {
        number_rows_drop(u, s->pub.key);
        number_search_row_end(u, s->pub.key, SEARCH_EXPIRED, 0, false);
        numbers_post_quietly(s->n, u);
        search_end(s, SEARCH_EXPIRED, NUMBER_EV_DUE);
        return;
    }
    number_search_row_delete(u, s->pub.key);
    numbers_post_quietly(s->n, u);
    search_drop(s);
}

static struct search *search_of(const struct numbers *n, uint64_t resource, uint64_t key)
{
    struct search *s = map_find(n->searches, key);
    return s && s->committed && s->pub.resource == resource ? s : NULL;
}

const struct number_search *numbers_search_find(const struct numbers *n, uint64_t resource, uint64_t key)
{
    const struct search *s = search_of(n, resource, key);
    return s ? &s->pub : NULL;
}

/* -- search --------------------------------------------------------------------------------------------------------- */

/* Some area of the country has the code, for another type. */
static bool code_of_another_type(struct str country, struct str code)
{
    struct inventory_area a;
    for (int t = NUMBER_GEOGRAPHIC; t <= NUMBER_MOBILE; t++)
        if (inventory_area_coded(country, (enum number_type)t, code, &a))
            return true;
    uint64_t npa;                       /* 900 and the like are of no type */
    const struct nanp_area *special = code.n == 3 && !str_u64(code, 999, &npa) ? nanp_area((unsigned)npa) : NULL;
    return special && str_eqz(country, special->country);
}

/* Has the operator numbers there that such a search could get? Their area codes are in no table of ours. */
static bool area_has_own(const struct numbers *n, const struct number_search_new *rq, const char *country,
                         const struct number_range *ranges, size_t count)
{
    for (unsigned kind = 0; kind < n->n_sorts; kind++)
        for (size_t i = 0; i < count && sort_offers(&n->sorts[kind], country, rq->type, rq->calling, rq->sms); i++)
            if (blocks_next(n->blocks, kind, ranges[i].least, ranges[i].most))
                return true;
    return false;
}

/* The numbers that the area code leaves; none: any. */
static enum err check_area_code(const struct numbers *n, const struct number_search_new *rq, const char *country,
                                struct number_range *ranges, size_t *count, struct problem *why)
{
    *count = 0;
    if (!rq->area_code.n)
        return ERR_NONE;
    char code[16];
    enum err err = ERR_NONE;
    struct inventory_area a;
    str_copyz(code, sizeof code, rq->area_code);
    *count = number_ranges_of_country(str_of(country), rq->area_code, ranges);
    bool known = inventory_area_coded(str_of(country), rq->type, rq->area_code, &a);
    if (!known && code_of_another_type(str_of(country), rq->area_code))
        err = rule_problem(why, ERR_RANGE, RULE_AREA_CODE_NOT_OF_TYPE, code, number_type_word(rq->type), country);
    else if (!*count || (!known && !area_has_own(n, rq, country, ranges, *count)))
        err = rule_problem(why, ERR_RANGE, RULE_AREA_CODE_UNKNOWN, code, country, number_type_word(rq->type));
    if (err)
        problem_target(why, "areaCode");
    return err;
}

static enum err check_quantity(int64_t quantity, struct problem *why)
{
    if (quantity >= 1 && quantity <= NUMBERS_SEARCH_MOST)
        return ERR_NONE;
    char got[24], most[24];
    snprintf(got, sizeof got, "%lld", (long long)quantity);
    snprintf(most, sizeof most, "%d", NUMBERS_SEARCH_MOST);
    enum err err = rule_problem(why, ERR_RANGE, RULE_QUANTITY_OUT_OF_RANGE, got, most);
    problem_target(why, "quantity");
    return err;
}

/* Mark them all in memory, or none. */
static enum err hold_in_memory(struct search *s, const struct number_search_new *rq)
{
    struct numbers *n = s->n;
    for (size_t i = 0; i < s->pub.count; i++) {
        struct lease l = { .number = s->numbers[i], .resource = s->pub.resource, .type = rq->type,
                           .assignment = rq->assignment, .calling = rq->calling, .sms = rq->sms };
        str_copyz(l.country, sizeof l.country, rq->country);
        lease_origin(n, &l);
        if (!number_hold(n, s->pub.key, &l)) {
            search_feed(s, NUMBER_EV_UNDONE);
            return ERR_NOMEM;
        }
    }
    return ERR_NONE;
}

/* The rows of a hold; NULL when out of memory. */
static struct db_unit *hold_unit(const struct search *s, int64_t now)
{
    scoped_buf list = { 0 };
    struct db_unit *u = db_unit_new();
    for (size_t i = 0; i < s->pub.count; i++)
        buf_printf(&list, "%s%llu", i ? " " : "", (unsigned long long)s->numbers[i]);
    number_search_row_insert(u, &(struct number_search_row){
        .key = s->pub.key, .resource = s->pub.resource, .country = str_of(s->pub.country), .numbers = buf_str(&list),
        .type = (int)s->pub.type, .assignment = (int)s->pub.assignment, .calling = (int)s->pub.calling,
        .sms = (int)s->pub.sms, .expires_us = s->pub.expires_us, .lease_micro = s->pub.lease_micro });
    for (size_t i = 0; i < s->pub.count; i++)
        number_hold_row(u, number_find(s->n, s->numbers[i]), s->pub.expires_us, now);
    if (buf_err(&list)) {
        db_unit_free(u);
        return NULL;
    }
    return u;
}

static void settle_search(struct task *t, enum err err)
{
    struct search *s = t->search;
    search_feed(s, err ? NUMBER_EV_UNDONE : NUMBER_EV_DONE);
    if (err) {
        search_drop(s);
        return;
    }
    s->committed = true;
    search_keep_on(s);                  /* its time may have come meanwhile */
    log_info("numbers", "held %zu %s numbers", s->pub.count, number_type_word(s->pub.type));
}

static enum err search_make(struct numbers *n, uint64_t resource, const struct number_search_new *rq,
                            const struct catalogue_row *row, const struct pick *p, struct search **out)
{
    struct search *s = search_new(n, p->count);
    if (!s)
        return ERR_NOMEM;
    s->pub.key = ids_next(n->control->ids);
    s->pub.resource = resource;
    memcpy(s->pub.country, row->country, sizeof s->pub.country);
    s->pub.type = rq->type;
    s->pub.assignment = rq->assignment;
    s->pub.calling = rq->calling;
    s->pub.sms = rq->sms;
    s->pub.expires_us = numbers_now(n) + NUMBERS_HOLD_S * (int64_t)US_PER_S;
    s->pub.lease_micro = row->lease_micro;
    memcpy(s->numbers, p->found, p->count * sizeof p->found[0]);
    if (map_put(n->searches, s->pub.key, s)) {
        free(s);
        return ERR_NOMEM;
    }
    if (search_keep(s) || hold_in_memory(s, rq)) {
        search_drop(s);
        return ERR_NOMEM;
    }
    *out = s;
    return ERR_NONE;
}

/* Everything is checked and `p` filled: mark and post. */
static enum err search_start(struct numbers *n, uint64_t resource, const struct number_search_new *rq,
                             const struct catalogue_row *row, const struct pick *p, numbers_done_fn *done, void *arg,
                             struct problem *why)
{
    struct search *s;
    struct task *t;
    enum err err = search_make(n, resource, rq, row, p, &s);
    if (err)
        return err;
    err = task_new(n, OPERATION_SEARCH, resource, s->pub.key, s->pub.key, settle_search, done, arg, &t);
    if (err) {
        search_feed(s, NUMBER_EV_UNDONE);
        search_drop(s);
        return err;
    }
    t->search = s;
    return task_post(t, hold_unit(s, numbers_now(n)), why);
}

enum err numbers_search(struct numbers *n, uint64_t resource, const struct number_search_new *rq, numbers_done_fn *done,
                        void *arg, struct problem *why)
{
    const struct catalogue_row *row = NULL;
    struct number_range ranges[NUMBER_RANGES_MOST];
    struct pick p = { .n = n, .type = rq->type, .calling = rq->calling, .sms = rq->sms , .ranges = ranges };
    enum err err = check_quantity(rq->quantity, why);
    if (!err)
        err = numbers_plan(n, rq->country, rq->type, rq->assignment, rq->calling, rq->sms, &row, why);
    if (!err)
        err = check_area_code(n, rq, row->country, ranges, &p.n_ranges, why);
    if (!err)
        err = numbers_eligible(n, resource, row, why);
    if (!err)
        err = task_allowed(n, resource, OPERATION_SEARCH, why);
    if (err)
        return err;
    p.country = row->country;
    p.most = (size_t)rq->quantity;
    p.found = calloc(p.most, sizeof p.found[0]);
    if (!p.found)
        return ERR_NOMEM;
    pick_numbers(&p);
    err = p.count ? search_start(n, resource, rq, row, &p, done, arg, why)
                  : rule_problem(why, ERR_RANGE, RULE_OUT_OF_STOCK);
    free(p.found);
    return err;
}

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
    enum err err = task_new(n, OPERATION_PURCHASE, s->pub.resource, ids_next(n->control->ids), s->pub.key,
                            settle_purchase, done, arg, &t);
    if (err)
        return err;
    t->search = s;
    s->busy = true;
    search_feed(s, NUMBER_EV_BUY);
    struct db_unit *u = db_unit_new();
    number_rows_buy(u, s->pub.key, s->pub.count, t->op->pub.created_us);
    for (size_t i = 0; i < s->pub.count; i++)
        number_leased_row(n, u, &number_find(n, s->numbers[i])->lease);
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
    enum err err = task_new(n, kind, x->lease.resource, ids_next(n->control->ids), x->lease.number, settle_number, done,
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

/* -- cancel --------------------------------------------------------------------------------------------------------- */

static void settle_cancel(struct task *t, enum err err)
{
    struct search *s = t->search;
    s->busy = false;
    if (err) {
        search_keep_on(s);
        return;
    }
    t->op->pub.status = OPERATION_CANCELED;
    t->op->pub.changed_us = numbers_now(t->n);
    search_end(s, SEARCH_CANCELED, NUMBER_EV_CANCEL);
}

static enum err cancel_hold(struct search *s, struct operation *op, numbers_done_fn *done, void *arg, struct problem *why)
{
    struct task *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    *t = (struct task){ .n = s->n, .settle = settle_cancel, .search = s, .op = op, .then = done, .arg = arg };
    s->busy = true;
    struct db_unit *u = db_unit_new();
    number_rows_drop(u, s->pub.key);
    number_search_row_end(u, s->pub.key, SEARCH_CANCELED, 0, true);
    number_operation_row_status(u, op->pub.key, OPERATION_CANCELED, numbers_now(s->n));
    return task_post(t, u, why);
}

enum err numbers_cancel(struct numbers *n, uint64_t resource, enum operation_kind kind, uint64_t key,
                        numbers_done_fn *done, void *arg, struct problem *why)
{
    if (!numbers_operation_find(n, resource, kind, key))
        return rule_problem(why, ERR_ABSENT, RULE_OPERATION_NOT_FOUND, "");
    struct operation *op = map_find(n->operations, key);
    struct search *s = kind == OPERATION_SEARCH ? search_of(n, resource, op->pub.subject) : NULL;
    if (s && s->busy)
        return number_busy("this search", why);
    if (s && s->pub.state == SEARCH_HELD)
        return cancel_hold(s, op, done, arg, why);
    done(arg, ERR_NONE, &op->pub, NULL);        /* it is done already: nothing is left to cancel */
    return ERR_NONE;
}
