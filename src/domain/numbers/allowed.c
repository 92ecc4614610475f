/* allowed.c - the catalogue's answers with their reasons: who may acquire, what fits, what a leased number may reach. */
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/billing/rates.h"
#include "domain/numbers/numbers_priv.h"

#include <stdio.h>
#include <time.h>

/* A borrowed text as a C string, cut: for messages. */
struct shown { char z[64]; };
static struct shown shown(struct str s)
{
    struct shown out;
    str_copyz(out.z, sizeof out.z, s);
    return out;
}

static enum err at(const char *target, struct problem *why, enum err err)
{
    problem_target(why, "%s", target);
    return err;
}

/* -- who may acquire what ------------------------------------------------------------------------------------------- */

enum err catalogue_eligible(const struct catalogue_row *row, const struct subscription *s, struct problem *why)
{
    if (!s || !s->active)
        return rule_problem(why, ERR_FORBIDDEN, RULE_SUBSCRIPTION_NOT_ACTIVE, s ? s->name : "");
    const char *offer = offer_word(s->offer);
    if (!catalogue_lists(row->offers, offer) && !offer_is_paid(s->offer))
        return rule_problem(why, ERR_FORBIDDEN, RULE_TRIAL_SUBSCRIPTION_NOT_ELIGIBLE, s->name, offer);
    if (!catalogue_lists(row->offers, offer))
        return rule_problem(why, ERR_FORBIDDEN, RULE_OFFER_NOT_ELIGIBLE, s->name, offer, number_type_as_noun(row->type),
                            row->country, row->offers, row->own_use ? ", for own use only" : "");
    if (!catalogue_lists(row->billing, s->billing_country))
        return rule_problem(why, ERR_FORBIDDEN, RULE_BILLING_COUNTRY_NOT_ELIGIBLE, s->name, s->billing_country,
                            row->country, row->billing);
    return ERR_NONE;
}

enum err catalogue_agreed(const struct catalogue_row *row, bool agrees_not_to_resell, struct problem *why)
{
    if (!row->own_use || agrees_not_to_resell)
        return ERR_NONE;
    return at("agreeToNotResell", why, rule_problem(why, ERR_RANGE, RULE_AGREEMENT_NOT_TO_RESELL_NEEDED,
                                                    number_type_as_noun(row->type), row->country));
}

enum err numbers_eligible(const struct numbers *n, uint64_t resource, const struct catalogue_row *row, struct problem *why)
{
    const struct resource *r = accounts_resource(n->accounts, resource);
    return catalogue_eligible(row, r ? r->subscription : NULL, why);
}

static enum err not_offered(const char *edition, struct str country, struct problem *why)
{
    char all[256] = "";
    const char *name, *code;
    size_t at_end = 0;
    for (size_t i = 0; (code = catalogue_country(edition, i, &name)) && at_end + 4 < sizeof all; i++)
        if (catalogue_sells_in(edition, str_of(code)))
            at_end += (size_t)snprintf(all + at_end, sizeof all - at_end, "%s%s", at_end ? " " : "", code);
    return at("countryCode", why,
              rule_problem(why, ERR_RANGE, RULE_COUNTRY_NOT_OFFERED, shown(country).z, edition, all));
}

enum err numbers_country(const struct numbers *n, struct str country, struct problem *why)
{
    return catalogue_sells_in(edition_of(n), country) ? ERR_NONE : not_offered(edition_of(n), country, why);
}

/* The edition has no such row: is it the type, or who it would be for? */
static enum err no_row(const char *edition, struct str country, enum number_type type, enum assignment assignment,
                       struct problem *why)
{
    bool for_application = assignment == ASSIGNED_PERSON && catalogue_find(edition, country, type, ASSIGNED_APPLICATION);
    if (for_application && type == NUMBER_TOLL_FREE)
        return at("assignmentType", why, rule_problem(why, ERR_RANGE, RULE_TOLL_FREE_NOT_FOR_PERSON));
    if (for_application)
        return at("assignmentType", why, rule_problem(why, ERR_RANGE, RULE_NUMBER_TYPE_NOT_FOR_PERSON, number_type_as_noun(type)));
    return at("phoneNumberType", why, rule_problem(why, ERR_RANGE, RULE_NUMBER_TYPE_NOT_OFFERED, number_type_word(type),
                                                   assignment_word(assignment), edition, shown(country).z));
}

/* What has more SMS than `row`, first among the numbers of its country. NULL: nothing of the edition. */
static const struct catalogue_row *texting(const char *edition, const char *country)
{
    const struct catalogue_row *best = NULL, *row;
    int best_score = -1;
    for (size_t i = 0; (row = catalogue_row(edition, i)); i++) {
        int score = 2 * !strcmp(row->country, country) + number_type_is_leased(row->type);
        if (row->sms & CAP_OUTBOUND && score > best_score) {
            best = row;
            best_score = score;
        }
    }
    return best;
}

/* "sms 'none', or for phoneNumberType 'tollFree' with assignmentType 'application'" */
static enum err too_much_sms(const struct catalogue_row *row, struct problem *why)
{
    char instead[160] = "";
    const struct catalogue_row *other = texting(row->edition, row->country);
    if (other && other->type != row->type && number_type_is_leased(other->type))
        snprintf(instead, sizeof instead, ", or for phoneNumberType '%s' with assignmentType '%s'%s%s", number_type_word(other->type),
                 assignment_word(other->assignment), strcmp(other->country, row->country) ? " in " : "",
                 strcmp(other->country, row->country) ? other->country : "");
    else if (other && other->type != row->type)
        snprintf(instead, sizeof instead, ", or send from one %s of %s, which is not leased by a search", number_type_as_noun(other->type),
                 other->country);
    return at("capabilities.sms", why,
              rule_problem(why, ERR_RANGE, RULE_PLAN_WITHOUT_SMS, number_type_as_noun(row->type), row->country, row->edition,
                           capability_word(row->sms), instead));
}

enum err catalogue_offer(const char *edition, struct str country, enum number_type type, enum assignment assignment,
                         enum capability calling, enum capability sms, const struct catalogue_row **out,
                         struct problem *why)
{
    const struct catalogue_row *row = catalogue_find(edition, country, type, assignment);
    if (!row && !catalogue_serves(edition, country))
        return not_offered(edition, country, why);
    if (!row)
        return no_row(edition, country, type, assignment, why);
    if (sms & ~row->sms)
        return too_much_sms(row, why);
    if (calling & ~row->calling)
        return at("capabilities.calling", why,
                  rule_problem(why, ERR_RANGE, RULE_PLAN_WITHOUT_CALLING, capability_word(row->calling)));
    *out = row;
    return ERR_NONE;
}

enum err numbers_plan(const struct numbers *n, struct str country, enum number_type type, enum assignment assignment,
                      enum capability calling, enum capability sms, const struct catalogue_row **out, struct problem *why)
{
    return catalogue_offer(edition_of(n), country, type, assignment, calling, sms, out, why);
}

/* -- what a leased number may reach --------------------------------------------------------------------------------- */

static const struct catalogue_row *row_of(const struct numbers *n, const struct lease *l)
{
    return catalogue_find(edition_of(n), str_of(l->country), l->type, l->assignment);
}

enum err catalogue_may_call(const struct catalogue_row *row, const char *who, uint64_t to, struct problem *why)
{
    char text[E164_SIZE];
    e164_write(text, to);
    if (nanp_is_premium(to))
        return rule_problem(why, ERR_FORBIDDEN, RULE_DESTINATION_CLOSED, text);
    if (!(row->calling & CAP_OUTBOUND))
        return rule_problem(why, ERR_FORBIDDEN, RULE_CALLING_NOT_AVAILABLE_FOR_NUMBER_TYPE, number_type_as_noun(row->type),
                            row->country, row->edition);
    if (!catalogue_lists(row->calls_to, "rated") && !catalogue_reaches(row->calls_to, to))
        return rule_problem(why, ERR_FORBIDDEN, RULE_CALL_DESTINATION_NOT_ALLOWED, who, text,
                            number_type_in_words(row->type), row->calls_to, row->edition);
    if (!rate_find(to))
        return rule_problem(why, ERR_FORBIDDEN, RULE_NO_RATE_FOR_DESTINATION, text);
    return ERR_NONE;
}

enum err numbers_may_call(const struct numbers *n, const struct lease *from, struct str to, struct problem *why)
{
    char text[E164_SIZE];
    uint64_t digits;
    const struct catalogue_row *row = row_of(n, from);
    if (!(from->calling & CAP_OUTBOUND))
        return rule_problem(why, ERR_FORBIDDEN, RULE_CALLING_NOT_OUTBOUND, e164_write(text, from->number));
    if (e164_read_plus(to, &digits))
        return rule_problem(why, ERR_RANGE, RULE_CALL_DESTINATION_INVALID, shown(to).z);
    if (!row)
        return rule_problem(why, ERR_FORBIDDEN, RULE_NO_RATE_FOR_DESTINATION, e164_write(text, digits));
    return catalogue_may_call(row, e164_write(text, from->number), digits, why);
}

enum err numbers_may_be_called(const struct numbers *n, const struct lease *to, struct str from, struct problem *why)
{
    char us[E164_SIZE], text[E164_SIZE];
    uint64_t digits;
    const struct catalogue_row *row = row_of(n, to);
    if (!(to->calling & CAP_INBOUND))
        return rule_problem(why, ERR_FORBIDDEN, RULE_CALLING_NOT_INBOUND, e164_write(text, to->number));
    if (e164_read(from, &digits))
        return ERR_NONE;                /* withheld, or a name: nothing says it is from elsewhere */
    if (row && !catalogue_reaches(row->calls_from, digits))
        return rule_problem(why, ERR_FORBIDDEN, RULE_CALL_ORIGIN_NOT_ALLOWED, e164_write(us, to->number),
                            e164_write(text, digits), number_type_in_words(to->type),
                            catalogue_lists(row->calls_from, "rated") ? "priced destinations" : row->calls_from, edition_of(n));
    return ERR_NONE;
}

/* Which number would: "a toll-free number for an application with sms ..." */
static enum err no_sms(const char *edition, enum number_type type, const char *country, struct problem *why)
{
    char instead[192] = "Nothing in this edition sends SMS.";
    const struct catalogue_row *row = texting(edition, country);
    bool abroad = row && strcmp(row->country, country);
    if (row && number_type_is_leased(row->type))
        snprintf(instead, sizeof instead, "Lease a %s number%s%s for an %s with sms 'outbound' or 'inbound+outbound' and send from it.",
                 number_type_in_words(row->type), abroad ? " of " : "", abroad ? row->country : "", assignment_word(row->assignment));
    else if (row)
        snprintf(instead, sizeof instead, "`carterfone plan --for application --country %s --sms outbound` says what sends SMS there.",
                 row->country);
    return at("from", why, rule_problem(why, ERR_RANGE, RULE_SMS_NOT_AVAILABLE_FOR_NUMBER_TYPE, number_type_as_noun(type), edition,
                                        instead));
}

enum err numbers_may_send_texts(const struct numbers *n, const struct lease *from, struct problem *why)
{
    char text[E164_SIZE];
    const struct catalogue_row *row = row_of(n, from);
    if (!row || row->sms == CAP_NONE)
        return no_sms(edition_of(n), from->type, from->country, why);
    if (!(from->sms & CAP_OUTBOUND))
        return at("from", why, rule_problem(why, ERR_RANGE, RULE_SMS_NOT_OUTBOUND, e164_write(text, from->number)));
    return ERR_NONE;
}

enum err catalogue_may_text(const struct catalogue_row *row, uint64_t to, struct problem *why)
{
    char text[E164_SIZE];
    if (row->sms == CAP_NONE)
        return no_sms(row->edition, row->type, row->country, why);
    if (!catalogue_reaches(row->sms_to, to))
        return at("to", why, rule_problem(why, ERR_FORBIDDEN, RULE_SMS_DESTINATION_NOT_ALLOWED, e164_write(text, to),
                                          number_type_in_words(row->type), row->sms_to, row->edition));
    if (nanp_is_premium(to))
        return at("to", why, rule_problem(why, ERR_FORBIDDEN, RULE_DESTINATION_CLOSED, e164_write(text, to)));
    return ERR_NONE;
}

enum err numbers_may_text(const struct numbers *n, const struct lease *from, struct str to, struct problem *why)
{
    uint64_t digits;
    enum err err = numbers_may_send_texts(n, from, why);
    if (err)
        return err;
    if (e164_read_plus(to, &digits))
        return at("to", why, rule_problem(why, ERR_RANGE, RULE_SMS_DESTINATION_INVALID));
    return catalogue_may_text(row_of(n, from), digits, why);
}

enum err numbers_may_be_texted(const struct numbers *n, const struct lease *to, struct str from, struct problem *why)
{
    char text[E164_SIZE];
    uint64_t digits;
    const struct catalogue_row *row = row_of(n, to);
    if (!row || !(to->sms & CAP_INBOUND))
        return rule_problem(why, ERR_FORBIDDEN, RULE_SMS_NOT_INBOUND, e164_write(text, to->number));
    if (e164_read(from, &digits))
        return ERR_NONE;                /* a short code or a name */
    if (!catalogue_reaches(row->sms_from, digits))
        return rule_problem(why, ERR_FORBIDDEN, RULE_SMS_ORIGIN_NOT_ALLOWED, e164_write(text, digits),
                            number_type_in_words(to->type), row->sms_from, edition_of(n));
    return ERR_NONE;
}

/* -- billing cycle -------------------------------------------------------------------------------------------------- */

static int64_t month_day_us(int months, int day, int64_t within_us)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year = months / 12, month = months % 12;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int last = lengths[month] + (month == 1 && leap);
    struct tm tm = { .tm_year = year - 1900, .tm_mon = month, .tm_mday = day < last ? day : last };
    return (int64_t)timegm(&tm) * US_PER_S + within_us;
}

int64_t billing_cycle_end(int64_t purchased_us, int64_t now_us)
{
    static const int64_t DAY_US = 24 * 3600 * (int64_t)US_PER_S;
    time_t bought_s = purchased_us / US_PER_S, now_s = now_us / US_PER_S;
    struct tm bought, now;
    gmtime_r(&bought_s, &bought);
    gmtime_r(&now_s, &now);
    int month = (now.tm_year + 1900) * 12 + now.tm_mon, first = (bought.tm_year + 1900) * 12 + bought.tm_mon + 1;
    month = month < first ? first : month;
    int64_t end = month_day_us(month, bought.tm_mday, purchased_us % DAY_US);
    return end > now_us ? end : month_day_us(month + 1, bought.tm_mday, purchased_us % DAY_US);
}
