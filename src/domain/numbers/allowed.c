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
    if (row->paid_only && !offer_is_paid(s->offer))
        return rule_problem(why, ERR_FORBIDDEN, RULE_TRIAL_SUBSCRIPTION_NOT_ELIGIBLE, s->name, offer_word(s->offer));
    if (!catalogue_lists(row->billing, s->billing_country))
        return rule_problem(why, ERR_FORBIDDEN, RULE_BILLING_COUNTRY_NOT_ELIGIBLE, s->name, s->billing_country,
                            row->country, row->billing);
    return ERR_NONE;
}

enum err numbers_eligible(const struct numbers *n, uint64_t resource, const struct catalogue_row *row, struct problem *why)
{
    const struct resource *r = accounts_resource(n->accounts, resource);
    return catalogue_eligible(row, r ? r->subscription : NULL, why);
}

static enum err sold_in(const char *edition, struct str country, struct problem *why)
{
    if (catalogue_sells_in(edition, country))
        return ERR_NONE;
    char all[64] = "";
    const char *name, *code;
    for (size_t i = 0; (code = catalogue_country(edition, i, &name)) && strlen(all) + 4 < sizeof all; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? " " : "", code);
    return at("countryCode", why,
              rule_problem(why, ERR_RANGE, RULE_COUNTRY_NOT_OFFERED, shown(country).z, edition, all));
}

enum err numbers_country(const struct numbers *n, struct str country, struct problem *why)
{
    return sold_in(edition_of(n), country, why);
}

enum err catalogue_offer(const char *edition, struct str country, enum number_type type, enum assignment assignment,
                         enum capability calling, enum capability sms, const struct catalogue_row **out,
                         struct problem *why)
{
    enum err err = sold_in(edition, country, why);
    if (err)
        return err;
    const struct catalogue_row *row = catalogue_find(edition, country, type, assignment);
    if (!row && type == NUMBER_TOLL_FREE && assignment == ASSIGNED_PERSON)
        return at("assignmentType", why, rule_problem(why, ERR_RANGE, RULE_TOLL_FREE_NOT_FOR_PERSON));
    if (!row)
        return at("phoneNumberType", why, rule_problem(why, ERR_RANGE, RULE_NUMBER_TYPE_NOT_OFFERED,
                                                       number_type_word(type), assignment_word(assignment), edition));
    if (sms & ~row->sms)
        return at("capabilities.sms", why, rule_problem(why, ERR_RANGE, RULE_PLAN_WITHOUT_SMS, edition));
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

enum err numbers_may_send_texts(const struct numbers *n, const struct lease *from, struct problem *why)
{
    char text[E164_SIZE];
    const struct catalogue_row *row = row_of(n, from);
    if (!row || row->sms == CAP_NONE)
        return at("from", why, rule_problem(why, ERR_RANGE, RULE_SMS_NOT_AVAILABLE_FOR_NUMBER_TYPE, edition_of(n)));
    if (!(from->sms & CAP_OUTBOUND))
        return at("from", why, rule_problem(why, ERR_RANGE, RULE_SMS_NOT_OUTBOUND, e164_write(text, from->number)));
    return ERR_NONE;
}

enum err catalogue_may_text(const struct catalogue_row *row, uint64_t to, struct problem *why)
{
    char text[E164_SIZE];
    if (row->sms == CAP_NONE)
        return at("from", why, rule_problem(why, ERR_RANGE, RULE_SMS_NOT_AVAILABLE_FOR_NUMBER_TYPE, row->edition));
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
