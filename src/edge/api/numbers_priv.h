/* numbers_priv.h - what the two files of the phone-number routes share. */
#pragma once
#include "domain/numbers/catalogue.h"
#include "edge/api/api.h"
#include "edge/api/http.h"

/* What may be acquired (numbers_catalogue_api.c); `run` handlers. */
enum err numbers_countries(struct http_call *hc);
enum err numbers_localities(struct http_call *hc);
enum err numbers_area_codes(struct http_call *hc);
enum err numbers_offerings(struct http_call *hc);

/** {country} of the path in capital letters, when the edition sells there. @return ERR_RANGE with hc->why */
MUST_USE enum err numbers_country_of(struct http_call *hc, struct str *country);
void numbers_write_cost(struct jw *w, int64_t micro);
void numbers_write_capabilities(struct jw *w, const char *name, enum capability calling, enum capability sms);
/** The rest of a page: relative, with the api-version, as the SDKs want it (nothing is added to a nextLink). */
void numbers_write_next(struct http_call *hc, struct jw *w, bool more, const char *path, int64_t skip, const char *size_name,
                        int64_t size, const char *const *keep);
