/* price.h - what one destination costs from a kind of number: a started minute of a call, a segment of a text.
 *
 * Pure functions over the catalogue and the rate sheet: any thread. Prices are millionths of a US dollar, integers. */
#pragma once
#include "domain/billing/rates.h"
#include "domain/numbers/catalogue.h"

struct call_price {
    const struct rate *rate;
    uint64_t           prefix;              /* of the rate sheet: the longest that fits */
    int64_t            micro_a_minute;      /* each started one */
};
struct sms_price {
    int64_t micro_a_segment;                /* with the surcharge */
    int64_t surcharge_micro;                /* the carrier's part of it */
};

/** @param to  E.164 digits  @return ERR_FORBIDDEN with `why` (the rule that would refuse the call) */
MUST_USE enum err price_call(const struct catalogue_row *from, uint64_t to, struct call_price *out, struct problem *why);
/** @return ERR_RANGE, ERR_FORBIDDEN with `why` (the rule that would refuse the text) */
MUST_USE enum err price_sms(const struct catalogue_row *from, uint64_t to, struct sms_price *out, struct problem *why);
/** A segment to a country; with its surcharge. @return -1: not priced */
int64_t price_sms_out(const struct catalogue_row *from, const char *country, int64_t *surcharge_micro);
/** A segment from a country; with its surcharge. @return -1: not priced */
int64_t price_sms_in(const struct catalogue_row *to, const char *country);
