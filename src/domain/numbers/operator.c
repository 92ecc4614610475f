/* operator.c - whose number is it: what is leased here, the simulated inventory, area codes and country codes. */
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/numbers_priv.h"

/* Area codes tell toll-free and special services apart; fixed from mobile they do not. */
static enum operator_type type_of(uint64_t digits)
{
    struct nanp_number na;
    const struct nanp_area *a = nanp_read(digits, &na) ? nanp_area(na.npa) : NULL;
    return nanp_is_premium(digits) || (a && a->kind != NANP_GEOGRAPHIC) ? OPERATOR_OTHER : OPERATOR_UNKNOWN;
}

/* Of a number of ours: what it is leased as, or offered as. */
static bool local(const struct lease *l, uint64_t digits)
{
    struct inventory_area a;
    return l ? l->type == NUMBER_GEOGRAPHIC : inventory_area_of(digits, &a) && a.type == NUMBER_GEOGRAPHIC;
}

enum err numbers_operator(const struct numbers *n, struct str e164, struct operator_info *out, struct problem *why)
{
    uint64_t digits;
    if (e164_read(e164, &digits)) {
        char shown[64];
        str_copyz(shown, sizeof shown, e164);
        enum err err = rule_problem(why, ERR_RANGE, RULE_INVALID_PHONE_NUMBER, shown);
        problem_target(why, "phoneNumbers");
        return err;
    }
    *out = (struct operator_info){ .number = digits, .country = e164_country(digits), .type = type_of(digits) };
    const struct lease *l = lease_in_use(number_find(n, digits));
    const struct lot *lot = lot_of(n, digits);
    if (l)
        str_copyz(out->carrier, sizeof out->carrier, str_of(l->carrier));
    else if (lot && lot->import->pub.state == IMPORT_COMPLETE)
        str_copyz(out->carrier, sizeof out->carrier, str_of(lot->carrier));
    else if (!lot && n->conf.simulator && inventory_has(digits))
        str_copyz(out->carrier, sizeof out->carrier, STR("sim"));
    if (out->carrier[0] && out->type == OPERATOR_UNKNOWN)
        out->type = local(l, digits) ? OPERATOR_GEOGRAPHIC : OPERATOR_UNKNOWN;
    return ERR_NONE;
}
