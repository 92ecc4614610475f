/* registration.c - does a leased number need a registration before it texts, and has it got one? */
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/numbers_priv.h"

const char *number_registration_word(enum number_registration state)
{
    switch (state) {
    case REGISTRATION_NOT_NEEDED: return "notNeeded";
    case REGISTRATION_UNVERIFIED: return "unverified";
    case REGISTRATION_REJECTED:   return "rejected";
    case REGISTRATION_RETURNED:   return "moreInformationNeeded";
    case REGISTRATION_PENDING:    return "pending";
    case REGISTRATION_VERIFIED:   return "verified";
    }
    return "unverified";
}

void numbers_set_registrations(struct numbers *n, numbers_registration_fn *fn, void *arg)
{
    n->registration = fn;
    n->registration_arg = arg;
}

enum number_registration numbers_registration(const struct numbers *n, const struct lease *l)
{
    const struct catalogue_row *row = catalogue_find(edition_of(n), str_of(l->country), l->type, l->assignment);
    if (!row || !row->registration[0] || l->type != NUMBER_TOLL_FREE || !l->simulated || !n->registration)
        return REGISTRATION_NOT_NEEDED;
    return n->registration(n->registration_arg, l);
}

enum err numbers_is_registered(const struct numbers *n, const struct lease *l, struct problem *why)
{
    char text[E164_SIZE];
    enum number_registration state = numbers_registration(n, l);
    if (state == REGISTRATION_NOT_NEEDED || state == REGISTRATION_VERIFIED)
        return ERR_NONE;
    return rule_problem(why, ERR_FORBIDDEN, RULE_TOLL_FREE_NOT_VERIFIED, e164_write(text, l->number),
                        number_registration_word(state));
}
