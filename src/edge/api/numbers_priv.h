/* numbers_priv.h - what the files of the phone-number routes share. */
#pragma once
#include "domain/numbers/catalogue.h"
#include "edge/api/api.h"
#include "edge/api/http.h"

/* What an api-version has; docs/numbers.md has the table. */
#define NUMBERS_RESERVED_SINCE "2025-04-01"     /* browse, reservations, agreements not to resell */
#define NUMBERS_MOBILE_SINCE   "2025-06-01"     /* the type, and localities by type */

/* What may be acquired (numbers_catalogue_api.c); `run` handlers. */
enum err numbers_countries(struct http_call *hc);
enum err numbers_localities(struct http_call *hc);
enum err numbers_area_codes(struct http_call *hc);
enum err numbers_offerings(struct http_call *hc);

/* Browse and reservations (reservations_api.c). */
enum err browse_read(struct http_call *hc);
enum err browse_run(struct http_call *hc);
enum err reservation_list(struct http_call *hc);
enum err reservation_get(struct http_call *hc);
enum err reservation_delete(struct http_call *hc);
enum err reservation_change_read(struct http_call *hc);
enum err reservation_change_run(struct http_call *hc);
enum err reservation_purchase_read(struct http_call *hc);
enum err reservation_purchase_run(struct http_call *hc);

/* Operator information (operator_info_api.c). */
enum err operator_info_read(struct http_call *hc);
enum err operator_info_run(struct http_call *hc);

/** One AvailablePhoneNumber; `named`: a member under its id, else an element. */
void numbers_write_available(struct http_call *hc, struct jw *w, bool named, const struct reserved_number *x,
                             const char *status);
/** 202 with everything that a poller of the operation looks for: a numbers_done_fn whose `arg` is the call. */
void numbers_on_started(void *arg, enum err err, const struct number_operation *op, const struct problem *why);
/** Fill a struct from the body, which must be there. @return as json_fill(), ERR_SYNTAX */
MUST_USE enum err numbers_body_fill(struct http_call *hc, const struct json_field *fields, size_t n, void *into);
/** A type that the request's api-version knows. @return ERR_RANGE */
MUST_USE enum err numbers_type_of(const struct http_call *hc, struct str word, enum number_type *out);
/** The wire's words of an offer; terminated. @return ERR_RANGE with hc->why */
MUST_USE enum err numbers_offer_of(struct http_call *hc, struct str type, struct str assignment, enum number_type *to_type,
                                   enum assignment *to_assignment);
/** {"calling","sms"}; `needed`: both must be there, else an absent one is none. @return ERR_RANGE with hc->why */
MUST_USE enum err numbers_capabilities_of(struct http_call *hc, const struct json *given, bool needed,
                                          enum capability *calling, enum capability *sms);

/** {country} of the path in capital letters, when the edition sells there. @return ERR_RANGE with hc->why */
MUST_USE enum err numbers_country_of(struct http_call *hc, struct str *country);
void numbers_write_cost(struct jw *w, int64_t micro);
void numbers_write_capabilities(struct jw *w, const char *name, enum capability calling, enum capability sms);
/** The rest of a page: relative, with the api-version, as the SDKs want it (nothing is added to a nextLink). */
void numbers_write_next(struct http_call *hc, struct jw *w, bool more, const char *path, int64_t skip, const char *size_name,
                        int64_t size, const char *const *keep);
