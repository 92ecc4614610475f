/* hold.c - one number held for a search or a reservation: the same marks, the same row, the same table of life. */
#include "base/str.h"
#include "domain/numbers/numbers_priv.h"

#include <stdio.h>

struct number *number_hold(struct numbers *n, uint64_t holder, const struct lease *l)
{
    struct number *x = number_find(n, l->number);
    if (!x && !(x = number_touch(n, l->number)))
        return NULL;
    number_feed(x, NUMBER_EV_HOLD);
    x->holder = holder;
    x->lease = *l;
    return x;
}

void number_held_row(struct db_unit *u, const struct number *x)
{
    if (x->state == NUMBER_RETAKING)
        number_row_retake(u, x->lease.number);
}

enum err number_load_held(struct numbers *n, uint64_t holder, const struct lease *l)
{
    struct number *x = number_find(n, l->number);
    if (x && x->state != NUMBER_RELEASED && x->state != NUMBER_QUARANTINE)
        return ERR_CONFLICT;
    if (x)
        number_stop_waiting(x);
    else if (!(x = number_touch(n, l->number)))
        return ERR_NOMEM;
    enum number_state from = x->state;
    x->state = NUMBER_HELD;
    number_moved(x, from);
    x->holder = holder;
    x->lease = *l;
    return ERR_NONE;
}

void number_feed_held(struct numbers *n, uint64_t digits, uint64_t holder, enum number_event ev)
{
    struct number *x = number_find(n, digits);
    if (x && x->holder == holder)
        number_feed(x, ev);
}

enum err number_busy(const char *what, struct problem *why)
{
    return rule_problem(why, ERR_BUSY, RULE_NUMBER_BUSY, what);
}

void number_terms_row(struct numbers *n, struct db_unit *u, const struct lease *l, enum number_audit what,
                      enum capability calling, enum capability sms)
{
    char detail[96];
    snprintf(detail, sizeof detail, "%s, calling %s, sms %s", assignment_word(l->assignment), capability_word(calling),
             capability_word(sms));
    number_audit_row(n, u, l->number, what, l->resource, detail);
}

void number_leased_row(struct db_unit *u, const struct number *x, int64_t now_us)
{
    const struct lease *l = &x->lease;
    number_row_lease(u, &(struct number_row){
        .digits = l->number, .search = x->holder, .resource = l->resource, .type = (int)l->type,
        .assignment = (int)l->assignment, .calling = (int)l->calling, .sms = (int)l->sms, .country = str_of(l->country),
        .carrier = str_of(l->carrier), .simulated = l->simulated, .purchased_us = now_us });
    number_terms_row(x->n, u, l, AUDIT_LEASED, l->calling, l->sms);
}
