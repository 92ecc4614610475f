/* operator_plan.c - what may be acquired, what it costs, and what to acquire: availability, price and plan. */
#include "edge/api/operator_priv.h"

#include "codec/e164/e164.h"
#include "domain/billing/price.h"
#include "domain/calls/calls.h"
#include "domain/numbers/catalogue.h"
#include "domain/numbers/numbers.h"
#include "domain/numbers/plan.h"
#include "domain/rules.h"

#include <inttypes.h>

static const char *edition(const struct http_call *hc)
{
    return numbers_edition(hc->api->numbers);
}

/* -- the query ------------------------------------------------------------------------------------------------------ */

static enum err query_country(struct http_call *hc, char country[3])
{
    struct str given = http_query(hc, "country");
    country[0] = 0;
    if (given.n != 0 && given.n != 2) {
        rule_problem(&hc->why, ERR_RANGE, RULE_FIELD_NEEDED, "country", "two letters (ISO 3166-1), such as US");
        problem_target(&hc->why, "country");
        return ERR_RANGE;
    }
    for (size_t i = 0; i < given.n; i++)
        country[i] = given.p[i] >= 'a' && given.p[i] <= 'z' ? (char)(given.p[i] - 'a' + 'A') : given.p[i];
    country[given.n] = 0;
    return ERR_NONE;
}

/* *type stays as it was when absent. Takes the API's words, and people's: local, toll-free. */
static enum err query_type(struct http_call *hc, const char *name, bool *given, enum number_type *type)
{
    struct str word = http_query(hc, name);
    *given = word.n > 0;
    if (!word.n || !catalogue_type_read(word, type))
        return ERR_NONE;
    rule_problem(&hc->why, ERR_RANGE, RULE_PHONE_NUMBER_TYPE_UNKNOWN, word.p);
    problem_target(&hc->why, "%s", name);
    return ERR_RANGE;
}

static enum err query_for(struct http_call *hc, bool needed, bool *given, enum assignment *assignment)
{
    struct str word = http_query(hc, "for");
    *given = word.n > 0;
    if (word.n ? !assignment_read(word, assignment) : !needed)
        return ERR_NONE;
    if (word.n)
        rule_problem(&hc->why, ERR_RANGE, RULE_ASSIGNMENT_TYPE_UNKNOWN, word.p);
    else
        rule_problem(&hc->why, ERR_RANGE, RULE_FIELD_NEEDED, "for", "'person' or 'application', as a query parameter");
    problem_target(&hc->why, "for");
    return ERR_RANGE;
}

/* A '+' that was not escaped arrives as a blank; "both" is people's word. */
static enum err query_capability(struct http_call *hc, const char *name, enum capability *cap)
{
    struct str word = http_query(hc, name);
    *cap = CAP_NONE;
    if (!word.n || !capability_read(word, cap))
        return ERR_NONE;
    if (str_eqz(word, "both") || str_eqz(word, "inbound outbound")) {
        *cap = CAP_BOTH;
        return ERR_NONE;
    }
    rule_problem(&hc->why, ERR_RANGE, RULE_CAPABILITY_UNKNOWN, word.p, name);
    problem_target(&hc->why, "%s", name);
    return ERR_RANGE;
}

/* A '+' that was not escaped arrives as a blank. */
static enum err query_to(struct http_call *hc, bool needed, uint64_t *to)
{
    struct str text = str_trim(http_query(hc, "to"));
    *to = 0;
    if (text.n ? !e164_read(text, to) : !needed)
        return ERR_NONE;
    if (calls_is_emergency(text))
        rule_problem(&hc->why, ERR_RANGE, RULE_EMERGENCY_HAS_NO_PRICE, arena_str(hc->arena, text).p);
    else if (text.n)
        rule_problem(&hc->why, ERR_RANGE, RULE_CALL_DESTINATION_INVALID, arena_str(hc->arena, text).p);
    else
        rule_problem(&hc->why, ERR_RANGE, RULE_FIELD_NEEDED, "to", "a phone number such as +442071838750");
    problem_target(&hc->why, "to");
    return ERR_RANGE;
}

/* -- words of a row ------------------------------------------------------------------------------------------------- */

static void write_list(struct jw *w, const char *name, const char *list)
{
    struct str head, rest = str_of(list);
    jw_array(w, name);
    while (rest.n) {
        str_cut(rest, ' ', &head, &rest);
        jw_text(w, NULL, head);
    }
    jw_end(w);
}

static void write_capabilities(struct jw *w, const char *name, enum capability calling, enum capability sms)
{
    jw_object(w, name);
    jw_textz(w, "calling", capability_word(calling));
    jw_textz(w, "sms", capability_word(sms));
    jw_end(w);
}

static void write_who_may_buy(struct jw *w, const struct catalogue_row *row)
{
    jw_object(w, "eligibility");
    jw_bool(w, "paidOnly", catalogue_is_paid_only(row));
    write_list(w, "offers", row->offers);
    write_list(w, "billingCountries", row->billing);
    jw_bool(w, "ownUseOnly", row->own_use);
    jw_end(w);
}

static void write_row(struct jw *w, const struct catalogue_row *row)
{
    jw_textz(w, "countryCode", row->country);
    jw_textz(w, "phoneNumberType", number_type_word(row->type));
    jw_textz(w, "assignmentType", assignment_word(row->assignment));
    jw_textz(w, "status", row->preview ? "preview" : "GA");
    jw_bool(w, "leasedBySearch", number_type_is_leased(row->type));
    write_capabilities(w, "availableCapabilities", row->calling, row->sms);
    write_list(w, "callsTo", row->calls_to);
    write_list(w, "callsFrom", row->calls_from);
    write_list(w, "smsTo", row->sms_to);
    write_list(w, "smsFrom", row->sms_from);
    jw_int(w, "monthlyMicroUsd", row->lease_micro);
    write_who_may_buy(w, row);
    jw_textz(w, "registration", *row->registration ? row->registration : NULL);
}

static void write_refusal(struct jw *w, const struct problem *why)
{
    jw_textz(w, "rule", why->rule);
    jw_textz(w, "text", why->text);
    jw_textz(w, "suggestion", why->suggestion[0] ? why->suggestion : NULL);
}

/* -- GET /availability?country=&for=&type= -------------------------------------------------------------------------- */

enum err availability_get(struct http_call *hc)
{
    char country[3];
    bool by_type, by_for;
    enum number_type type = NUMBER_GEOGRAPHIC;
    enum assignment assignment = ASSIGNED_PERSON;
    enum err err = http_query_only(hc, "country", "for", "type");
    if (!err)
        err = query_country(hc, country);
    if (!err)
        err = query_type(hc, "type", &by_type, &type);
    if (!err)
        err = query_for(hc, false, &by_for, &assignment);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_textz(&w, "edition", edition(hc));
    jw_array(&w, "value");
    const struct catalogue_row *row;
    for (size_t i = 0; (row = catalogue_row(edition(hc), i)); i++)
        if ((!country[0] || !strcmp(country, row->country)) && (!by_type || row->type == type)
            && (!by_for || row->assignment == assignment)) {
            jw_object(&w, NULL);
            write_row(&w, row);
            jw_end(&w);
        }
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

/* -- GET /price?to=&from= ------------------------------------------------------------------------------------------- */

static void write_call_price(struct jw *w, const struct catalogue_row *row, enum err err, const struct call_price *p,
                             const struct problem *why)
{
    jw_object(w, "call");
    jw_bool(w, "allowed", !err);
    if (err) {
        write_refusal(w, why);
    } else {
        jw_printf(w, "prefix", "%" PRIu64, p->prefix);
        jw_textz(w, "destination", p->rate->name);
        jw_textz(w, "destinationType", p->rate->type);
        jw_int(w, "microUsdPerStartedMinute", p->micro_a_minute);
    }
    int64_t in = catalogue_usage(row, USAGE_CALL_IN, "");
    if (in >= 0)
        jw_int(w, "receiveMicroUsdPerStartedMinute", in);
    int64_t voip = catalogue_usage(row, USAGE_VOIP_LEG, "");
    jw_int(w, "voipLegMicroUsdPerStartedMinute", voip < 0 ? 0 : voip);
    jw_end(w);
}

static void write_sms_price(struct jw *w, const struct catalogue_row *row, uint64_t to, enum err err,
                            const struct sms_price *p, const struct problem *why)
{
    jw_object(w, "sms");
    jw_bool(w, "allowed", !err);
    if (err) {
        write_refusal(w, why);
    } else {
        jw_int(w, "microUsdPerSegment", p->micro_a_segment);
        jw_int(w, "surchargeMicroUsd", p->surcharge_micro);
    }
    int64_t in = price_sms_in(row, e164_country(to));
    if (in >= 0)
        jw_int(w, "receiveMicroUsdPerSegment", in);
    jw_end(w);
}

/* @return may anything of it reach the number? The refusal of the call, when not, is in *why. */
static bool write_price(struct jw *w, const struct catalogue_row *row, uint64_t to, struct problem *why)
{
    struct call_price call;
    struct sms_price sms;
    struct problem no_sms = { 0 };
    enum err no = price_call(row, to, &call, why), no_text = price_sms(row, to, &sms, &no_sms);
    jw_object(w, NULL);
    jw_textz(w, "countryCode", row->country);
    jw_textz(w, "phoneNumberType", number_type_word(row->type));
    jw_textz(w, "assignmentType", assignment_word(row->assignment));
    jw_int(w, "monthlyMicroUsd", row->lease_micro);
    write_call_price(w, row, no, &call, why);
    write_sms_price(w, row, to, no_text, &sms, &no_sms);
    jw_end(w);
    return !no || !no_text;
}

/* Which kinds of numbers are asked for: of one type, or those that a number is of; all without `from`. */
struct asked_from {
    bool                by_type, by_number;
    enum number_type    type;
    char                country[3];
    const struct lease *lease;          /* NULL: not leased; its digits say its type and country */
};

/* A type, or a number. */
static enum err query_from(struct http_call *hc, struct asked_from *from)
{
    struct str text = str_trim(http_query(hc, "from"));
    uint64_t digits;
    struct nanp_number n;
    *from = (struct asked_from){ .type = NUMBER_GEOGRAPHIC };
    from->by_number = text.n && !e164_read(text, &digits);
    if (!from->by_number)
        return query_type(hc, "from", &from->by_type, &from->type);
    char e164[E164_SIZE];
    bool toll_free = nanp_read(digits, &n) && nanp_is_toll_free(n.npa);
    from->lease = numbers_lease(hc->api->numbers, str_of(e164_write(e164, digits)));
    if (from->lease && !hc->is_operator && from->lease->resource != hc->resource)
        from->lease = NULL;
    from->type = from->lease ? from->lease->type : toll_free ? NUMBER_TOLL_FREE : NUMBER_GEOGRAPHIC;
    str_copyz(from->country, sizeof from->country, from->lease ? str_of(from->lease->country)
                                                 : toll_free ? STR("US") : str_of(e164_country(digits)));
    return ERR_NONE;
}

static bool is_asked_for(const struct asked_from *from, const struct catalogue_row *row)
{
    if (!from->by_number)
        return !from->by_type || row->type == from->type;
    return row->type == from->type && !strcmp(row->country, from->country)
           && (!from->lease || row->assignment == from->lease->assignment);
}

/* From a number, or from each kind of number; with what holding it costs. */
enum err price_get(struct http_call *hc)
{
    uint64_t to;
    bool reached = false, asked = false;
    struct asked_from from;
    enum err err = http_query_only(hc, "to", "from");
    if (!err)
        err = query_to(hc, true, &to);
    if (!err)
        err = query_from(hc, &from);
    if (err)
        return err;
    char text[E164_SIZE];
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_textz(&w, "edition", edition(hc));
    jw_textz(&w, "to", e164_write(text, to));
    jw_textz(&w, "countryCode", *e164_country(to) ? e164_country(to) : NULL);
    jw_array(&w, "value");
    const struct catalogue_row *row;
    for (size_t i = 0; (row = catalogue_row(edition(hc), i)); i++) {
        struct problem no = { 0 };
        if (!is_asked_for(&from, row))
            continue;
        reached |= write_price(&w, row, to, &no);
        if (!asked)
            hc->why = no;               /* the first kind of number speaks for all */
        asked = true;
    }
    jw_end(&w);
    jw_end(&w);
    if (!reached) {
        buf_clear(&hc->out);
        return asked ? ERR_FORBIDDEN : rule_problem(&hc->why, ERR_RANGE, RULE_PHONE_NUMBER_TYPE_UNKNOWN,
                                                    number_type_word(from.type));
    }
    hc->why = (struct problem){ 0 };
    http_reply(hc, 200);
    return ERR_NONE;
}

/* -- GET /plan ------------------------------------------------------------------------------------------------------ */

/* The account named, which the operator may choose freely; else the caller's own; else, for the operator, none. */
static enum err query_account(struct http_call *hc, const struct subscription **out)
{
    struct str name = http_query(hc, "account");
    const struct resource *own = hc->is_operator ? NULL : accounts_resource(hc->api->accounts, hc->resource);
    *out = own ? own->subscription : NULL;
    if (!name.n || (own && str_eqz(name, own->subscription->name)))
        return ERR_NONE;
    *out = own ? NULL : accounts_subscription_named(hc->api->accounts, name);
    if (*out)
        return ERR_NONE;
    problem_set(&hc->why, ERR_ABSENT, "NotFound", "There is no account named '" STR_FMT "' for this key.", STR_ARG(name));
    problem_target(&hc->why, "account");
    return ERR_ABSENT;
}

static enum err wish_read(struct http_call *hc, struct plan_wish *wish)
{
    bool given;
    *wish = (struct plan_wish){ .edition = edition(hc) };
    enum err err = query_for(hc, true, &given, &wish->assignment);
    if (!err)
        err = query_country(hc, wish->country);
    if (!err)
        err = query_capability(hc, "calling", &wish->calling);
    if (!err)
        err = query_capability(hc, "sms", &wish->sms);
    if (!err)
        err = http_query_int(hc, "minutes", 0, PLAN_UNITS_MOST, 0, &wish->minutes);
    if (!err)
        err = http_query_int(hc, "messages", 0, PLAN_UNITS_MOST, 0, &wish->messages);
    if (!err)
        err = query_to(hc, false, &wish->to);
    if (!err)
        err = query_account(hc, &wish->account);
    const struct subscription *home = wish->account ? wish->account : accounts_subscription_named(hc->api->accounts, STR("default"));
    if (!err && home)
        str_copyz(wish->home, sizeof wish->home, str_of(home->billing_country));
    return err;
}

static void write_wish(struct jw *w, const struct plan_wish *wish)
{
    char to[E164_SIZE];
    jw_object(w, "wish");
    jw_textz(w, "for", assignment_word(wish->assignment));
    jw_textz(w, "countryCode", wish->country[0] ? wish->country : NULL);
    write_capabilities(w, "capabilities", wish->calling, wish->sms);
    jw_int(w, "minutes", wish->minutes);
    jw_int(w, "messages", wish->messages);
    jw_textz(w, "to", wish->to ? e164_write(to, wish->to) : NULL);
    jw_textz(w, "account", wish->account ? wish->account->name : NULL);
    jw_end(w);
}

static void write_monthly(struct jw *w, const struct plan_fit *f)
{
    jw_object(w, "monthly");
    jw_int(w, "microUsd", f->micro);
    jw_int(w, "setupMicroUsd", f->setup_micro);
    jw_array(w, "lines");
    for (size_t i = 0; i < f->lines_n; i++) {
        jw_object(w, NULL);
        jw_textz(w, "what", f->lines[i].what);
        jw_int(w, "units", f->lines[i].units);
        jw_int(w, "microUsdEach", f->lines[i].micro_each);
        jw_int(w, "microUsd", f->lines[i].micro);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

static void write_fit(struct jw *w, const struct plan_wish *wish, const struct plan_fit *f)
{
    jw_object(w, NULL);
    write_row(w, f->row);
    write_capabilities(w, "capabilities", f->calling, f->sms);
    write_monthly(w, f);
    if (wish->account) {
        jw_object(w, "account");
        jw_textz(w, "name", wish->account->name);
        jw_bool(w, "mayBuy", !f->refused);
        if (f->refused)
            write_refusal(w, f->refused);
        jw_end(w);
    }
    if (!number_type_is_leased(f->row->type))
        jw_null(w, "search");
    else
        jw_printf(w, "search", "carterfone numbers search --type %s --for %s --country %s --calling %s --sms %s",
              number_type_in_words(f->row->type), assignment_word(f->row->assignment), f->row->country,
                  capability_word(f->calling), capability_word(f->sms));
    jw_end(w);
}

static void write_nearest(struct jw *w, const struct plan *p)
{
    if (!p->parts_n) {
        jw_null(w, "nearest");
        if (p->blocked) {
            jw_object(w, "blockedBy");
            write_refusal(w, p->blocked);
            jw_end(w);
        }
        return;
    }
    jw_object(w, "nearest");
    jw_textz(w, "change", p->change);
    jw_array(w, "parts");
    for (size_t i = 0; i < p->parts_n; i++)
        write_fit(w, &p->wish, &p->parts[i]);
    jw_end(w);
    jw_end(w);
}

enum err plan_get(struct http_call *hc)
{
    struct plan_wish wish;
    const struct plan *p;
    enum err err = http_query_only(hc, "for", "country", "calling", "sms", "minutes", "messages", "to", "account");
    if (!err)
        err = wish_read(hc, &wish);
    if (!err)
        err = plan_make(&wish, hc->arena, &p);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_textz(&w, "edition", edition(hc));
    write_wish(&w, &p->wish);
    jw_bool(&w, "possible", p->possible);
    jw_array(&w, "fits");
    for (size_t i = 0; i < p->fits_n; i++)
        write_fit(&w, &p->wish, &p->fits[i]);
    jw_end(&w);
    jw_array(&w, "obstacles");
    for (size_t i = 0; i < p->obstacles_n; i++) {
        jw_object(&w, NULL);
        jw_textz(&w, "countryCode", p->obstacles[i].country);
        jw_textz(&w, "phoneNumberType", number_type_word(p->obstacles[i].type));
        jw_int(&w, "moreCountries", (int64_t)p->obstacles[i].more);
        write_refusal(&w, &p->obstacles[i].why);
        jw_end(&w);
    }
    jw_end(&w);
    write_nearest(&w, p);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}
