#include "domain/billing/price.h"
#include "codec/e164/e164.h"
#include "domain/rules.h"

#include <stdio.h>

enum err price_call(const struct catalogue_row *from, uint64_t to, struct call_price *out, struct problem *why)
{
    char who[48];
    snprintf(who, sizeof who, "A %s", number_type_as_noun(from->type));
    struct call_price p;
    enum err err = catalogue_may_call(from, who, to, why);
    if (err)
        return err;
    p.rate = rate_find_prefix(to, &p.prefix);       /* there is one: what has none may not be called */
    p.micro_a_minute = p.rate->micro_a_minute;
    *out = p;
    return ERR_NONE;
}

/* An item and its surcharge; a surcharge that is not listed is none. */
static int64_t segment(const struct catalogue_row *row, enum usage_item item, enum usage_item surcharge, const char *country,
                       int64_t *extra)
{
    int64_t base = catalogue_usage(row, item, country);
    *extra = catalogue_usage(row, surcharge, country);
    if (*extra < 0)
        *extra = 0;
    return base < 0 ? -1 : base + *extra;
}

int64_t price_sms_out(const struct catalogue_row *from, const char *country, int64_t *surcharge_micro)
{
    return segment(from, USAGE_SMS_OUT, USAGE_SMS_OUT_SURCHARGE, country, surcharge_micro);
}

int64_t price_sms_in(const struct catalogue_row *to, const char *country)
{
    int64_t extra;
    return segment(to, USAGE_SMS_IN, USAGE_SMS_IN_SURCHARGE, country, &extra);
}

enum err price_sms(const struct catalogue_row *from, uint64_t to, struct sms_price *out, struct problem *why)
{
    char text[E164_SIZE];
    struct sms_price p;
    enum err err = catalogue_may_text(from, to, why);
    if (err)
        return err;
    p.micro_a_segment = price_sms_out(from, e164_country(to), &p.surcharge_micro);
    if (p.micro_a_segment < 0)
        return rule_problem(why, ERR_FORBIDDEN, RULE_NO_RATE_FOR_DESTINATION, e164_write(text, to));
    *out = p;
    return ERR_NONE;
}
