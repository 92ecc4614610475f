/* search.c - searches: what they find and hold, the end of the hold, cancel. */
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

static struct lease search_lease(const struct search *s, size_t i)
{
    struct lease l = { .number = s->numbers[i], .resource = s->pub.resource, .type = s->pub.type,
                       .assignment = s->pub.assignment, .calling = s->pub.calling, .sms = s->pub.sms };
    memcpy(l.country, s->pub.country, sizeof l.country);
    lease_origin(s->n, &l);
    return l;
}

void search_feed(struct search *s, enum number_event ev)
{
    for (size_t i = 0; i < s->pub.count; i++)
        number_feed_held(s->n, s->numbers[i], s->pub.key, ev);
}

static void on_due(void *arg, int64_t due_us);

/* Once it is set, setting it again takes no memory. */
enum err search_keep(struct search *s)
{
    int64_t made = s->pub.expires_us - NUMBERS_HOLD_S * (int64_t)US_PER_S;
    int64_t due = s->pub.state == SEARCH_HELD ? s->pub.expires_us : made + NUMBERS_KEEP_S * (int64_t)US_PER_S;
    return agenda_set(s->n->control->agenda, &s->due, due, on_due, s);
}

void search_keep_on(struct search *s)
{
    if (search_keep(s))
        log_warn("numbers", "no memory for a timer: a search is kept until the next start");
}

static void search_drop(struct search *s)
{
    agenda_clear(s->n->control->agenda, &s->due);
    free(map_take(s->n->searches, s->pub.key));
}

void search_end(struct search *s, enum search_state state, enum number_event ev)
{
    s->pub.state = state;
    search_feed(s, ev);
    search_keep_on(s);
}

/* Only a database that somebody wrote in lets two have a number. */
static enum err load_held(struct search *s)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; i < s->pub.count && !err; i++) {
        struct lease l = search_lease(s, i);
        err = number_load_held(s->n, s->pub.key, &l);
    }
    if (err != ERR_CONFLICT)
        return err;
    log_error("numbers", "a search holds a number that is not free: its hold is ended");
    search_end(s, SEARCH_EXPIRED, NUMBER_EV_DUE);
    return ERR_NONE;
}

enum err searches_load_held(struct numbers *n)
{
    uint64_t key;
    void *value;
    enum err err = ERR_NONE;
    for (size_t at = 0; !err && map_next(n->searches, &at, &key, &value);) {
        struct search *s = value;
        if (s->pub.state == SEARCH_HELD && s->pub.expires_us > numbers_now(n))
            err = load_held(s);
    }
    return err;
}

static void on_due(void *arg, int64_t due_us)
{
    (void)due_us;
    struct search *s = arg;
    if (s->pub.state == SEARCH_HELD && (s->busy || !s->committed))
        return;                         /* what is being stored decides, and sets the timer again if need be */
    struct db_unit *u = db_unit_new();
    if (s->pub.state == SEARCH_HELD) {
        number_search_row_end(u, s->pub.key, SEARCH_EXPIRED, 0, false);
        numbers_post_quietly(s->n, u);
        search_end(s, SEARCH_EXPIRED, NUMBER_EV_DUE);
        return;
    }
    number_search_row_delete(u, s->pub.key);
    numbers_post_quietly(s->n, u);
    search_drop(s);
}

struct search *search_of(const struct numbers *n, uint64_t resource, uint64_t key)
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
static enum err hold_in_memory(struct search *s)
{
    for (size_t i = 0; i < s->pub.count; i++) {
        struct lease l = search_lease(s, i);
        if (!number_hold(s->n, s->pub.key, &l)) {
            search_feed(s, NUMBER_EV_UNDONE);
            return ERR_NOMEM;
        }
    }
    return ERR_NONE;
}

/* The row of a hold; NULL when out of memory. */
static struct db_unit *hold_unit(const struct search *s)
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
        number_held_row(u, number_find(s->n, s->numbers[i]));
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
    s->pub.key = control_key(n->control);
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
    if (search_keep(s) || hold_in_memory(s)) {
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
    return task_post(t, hold_unit(s), why);
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
