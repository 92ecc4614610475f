/* numbers_api.c - phone numbers: search, buy, change, release (spec phone-numbers 2025-06-01).
 *
 * Rows without a `run` answer 501: they stand in docs/conformance.md. */
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/rules.h"
#include "edge/api/numbers_priv.h"

#include <inttypes.h>

/* -- operations on the wire ----------------------------------------------------------------------------------------- */

/* prefix of the id, header with the bare guid, operationType, kind of the guid */
static const struct {
    const char  *prefix, *header, *type;
    enum id_kind id;
} kinds[OPERATION_KINDS] = {
    [OPERATION_SEARCH]       = { "search_",       "search-id",       "search",                        ID_SEARCH },
    [OPERATION_PURCHASE]     = { "purchase_",     "purchase-id",     "purchase",                      ID_OPERATION_PURCHASE },
    [OPERATION_RELEASE]      = { "release_",      "release-id",      "releasePhoneNumber",            ID_OPERATION_RELEASE },
    [OPERATION_CAPABILITIES] = { "capabilities_", "capabilities-id", "updatePhoneNumberCapabilities", ID_OPERATION_CAPABILITIES },
    [OPERATION_RESERVATION]  = { "reservationPurchase_", "reservation-purchase-id", "reservationPurchase",
                                 ID_RESERVATION_PURCHASE },
};

static const char *status_word(enum operation_status status)
{
    switch (status) {
    case OPERATION_SUCCEEDED: return "succeeded";
    case OPERATION_FAILED:    return "failed";
    case OPERATION_CANCELED:  return "canceled";
    }
    return "failed";
}

static void operation_guid(const struct http_call *hc, const struct number_operation *op, char *guid)
{
    ids_guid(hc->api->control->ids, kinds[op->kind].id, op->key, guid);
}

/* Where the result is; empty for purchase and release: the SDKs would fetch what they find. */
static struct str result_location(struct http_call *hc, const struct number_operation *op)
{
    char guid[GUID_SIZE], number[E164_SIZE];
    operation_guid(hc, op, guid);
    if (op->kind == OPERATION_SEARCH)
        return arena_printf(hc->arena, "/availablePhoneNumbers/searchResults/%s?api-version=" STR_FMT, guid,
                            STR_ARG(hc->api_version));
    if (op->kind == OPERATION_CAPABILITIES)
        return arena_printf(hc->arena, "/phoneNumbers/%s?api-version=" STR_FMT, e164_write(number, op->subject),
                            STR_ARG(hc->api_version));
    return (struct str){ NULL, 0 };
}

/* 202 with everything that a poller looks for. */
void numbers_on_started(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    struct http_call *hc = arg;
    if (err) {
        hc->why = *why;
        http_fail(hc, err);
        return;
    }
    char guid[GUID_SIZE];
    operation_guid(hc, op, guid);
    struct str location = result_location(hc, op);
    http_answer_header(hc, "Operation-Location", "/phoneNumbers/operations/%s%s?api-version=" STR_FMT,
                       kinds[op->kind].prefix, guid, STR_ARG(hc->api_version));
    http_answer_header(hc, "operation-id", "%s%s", kinds[op->kind].prefix, guid);
    http_answer_header(hc, kinds[op->kind].header, "%s", guid);
    if (location.n)
        http_answer_header(hc, "Location", "%s", location.p);
    http_answer_header(hc, "Access-Control-Expose-Headers", "%sOperation-Location,operation-id,%s",
                       location.n ? "Location," : "", kinds[op->kind].header);
    if (op->kind == OPERATION_CAPABILITIES) {
        struct jw w = jw_of(&hc->out);
        jw_object(&w, NULL);
        jw_textz(&w, "capabilitiesUpdateId", guid);
        jw_end(&w);
    }
    http_reply(hc, 202);
}

static enum err operation_id_read(struct http_call *hc, enum operation_kind *kind, uint64_t *key)
{
    struct str id = hc->params[0];
    for (int k = 0; k < OPERATION_KINDS; k++) {
        struct str prefix = str_of(kinds[k].prefix);
        if (!str_starts(id, prefix) || ids_guid_read(hc->api->control->ids, kinds[k].id, str_from(id, prefix.n), key))
            continue;
        *kind = (enum operation_kind)k;
        return ERR_NONE;
    }
    return ERR_ABSENT;
}

static enum err operation_missing(struct http_call *hc)
{
    struct str id = arena_str(hc->arena, hc->params[0]);
    enum err err = rule_problem(&hc->why, ERR_ABSENT, RULE_OPERATION_NOT_FOUND, id.p ? id.p : "");
    problem_target(&hc->why, "operationId");
    return err;
}

static enum err operation_get(struct http_call *hc)
{
    enum operation_kind kind;
    uint64_t key;
    if (operation_id_read(hc, &kind, &key))
        return operation_missing(hc);
    const struct number_operation *op = numbers_operation_find(hc->api->numbers, hc->resource, kind, key);
    if (!op)
        return operation_missing(hc);
    struct str location = result_location(hc, op);
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_textz(&w, "operationType", kinds[kind].type);
    jw_textz(&w, "status", status_word(op->status));
    jw_textz(&w, "resourceLocation", location.p);
    jw_time(&w, "createdDateTime", op->created_us);
    jw_text(&w, "id", hc->params[0]);
    jw_time(&w, "lastActionDateTime", op->changed_us);
    jw_end(&w);
    if (location.n)                     /* older clients follow it from the poll */
        http_answer_header(hc, "Location", "%s", location.p);
    http_answer_header(hc, "Retry-After", "1");
    http_reply(hc, 200);
    return ERR_NONE;
}

static void on_canceled(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)op;
    struct http_call *hc = arg;
    if (err) {
        hc->why = *why;
        http_fail(hc, err);
    } else {
        http_reply(hc, 204);
    }
}

static enum err operation_cancel(struct http_call *hc)
{
    enum operation_kind kind;
    uint64_t key;
    if (operation_id_read(hc, &kind, &key)
        || !numbers_operation_find(hc->api->numbers, hc->resource, kind, key))
        return operation_missing(hc);
    return numbers_cancel(hc->api->numbers, hc->resource, kind, key, on_canceled, hc, &hc->why);
}

/* -- search --------------------------------------------------------------------------------------------------------- */

struct search_body {
    struct str         type, assignment, area_code;
    const struct json *capabilities;
    int64_t            quantity;
};
static const struct json_field search_fields[] = {
    JSON_TEXT_FIELD(struct search_body, type, "phoneNumberType", true, 1, 32),
    JSON_TEXT_FIELD(struct search_body, assignment, "assignmentType", true, 1, 32),
    JSON_ANY_FIELD(struct search_body, capabilities, "capabilities", true),
    JSON_TEXT_FIELD(struct search_body, area_code, "areaCode", false, 0, 16),
    JSON_INT_FIELD(struct search_body, quantity, "quantity", false, INT64_MIN, INT64_MAX),
};

struct capabilities_body { struct str calling, sms; };
static const struct json_field capabilities_fields[] = {
    JSON_TEXT_FIELD(struct capabilities_body, calling, "calling", false, 1, 32),
    JSON_TEXT_FIELD(struct capabilities_body, sms, "sms", false, 1, 32),
};

enum err numbers_body_fill(struct http_call *hc, const struct json_field *fields, size_t n, void *into)
{
    if (!hc->json)
        return problem_set(&hc->why, ERR_SYNTAX, "BadRequest", "A JSON body is needed.");
    return json_fill(hc->json, fields, n, into, hc->arena, &hc->why);
}

static enum err target(struct http_call *hc, const char *field, enum err err)
{
    problem_target(&hc->why, "%s", field);
    return err;
}

static enum err capability_of(struct http_call *hc, struct str word, const char *field, enum capability *out)
{
    static const char words[] = "'none', 'inbound', 'outbound' or 'inbound+outbound'";
    if (!word.p)
        return target(hc, field, rule_problem(&hc->why, ERR_RANGE, RULE_FIELD_NEEDED, field, words));
    if (capability_read(word, out))
        return target(hc, field, rule_problem(&hc->why, ERR_RANGE, RULE_CAPABILITY_UNKNOWN, word.p, field));
    return ERR_NONE;
}

enum err numbers_type_of(const struct http_call *hc, struct str word, enum number_type *out)
{
    enum err err = number_type_read(word, out);
    return !err && *out == NUMBER_MOBILE && !http_is_since(hc, NUMBERS_MOBILE_SINCE) ? ERR_RANGE : err;
}

enum err numbers_offer_of(struct http_call *hc, struct str type, struct str assignment, enum number_type *to_type,
                          enum assignment *to_assignment)
{
    if (numbers_type_of(hc, type, to_type))
        return target(hc, "phoneNumberType",
                      rule_problem(&hc->why, ERR_RANGE, RULE_PHONE_NUMBER_TYPE_UNKNOWN, type.p));
    if (assignment_read(assignment, to_assignment))
        return target(hc, "assignmentType",
                      rule_problem(&hc->why, ERR_RANGE, RULE_ASSIGNMENT_TYPE_UNKNOWN, assignment.p));
    return ERR_NONE;
}

enum err numbers_capabilities_of(struct http_call *hc, const struct json *given, bool needed, enum capability *calling,
                                 enum capability *sms)
{
    struct capabilities_body c = { 0 };
    if (!needed)
        c = (struct capabilities_body){ STR("none"), STR("none") };
    if (!needed && json_kind(given) == JSON_IS_ABSENT)
        return ERR_NONE;
    if (json_kind(given) != JSON_IS_OBJECT)
        return target(hc, "capabilities", problem_set(&hc->why, ERR_RANGE, "BadRequest",
                                                      "capabilities must be an object with calling and sms."));
    enum err err = json_fill(given, capabilities_fields, ARRAY_LEN(capabilities_fields), &c, hc->arena, &hc->why);
    if (!err)
        err = capability_of(hc, c.calling, "capabilities.calling", calling);
    return err ? err : capability_of(hc, c.sms, "capabilities.sms", sms);
}

static enum err search_read(struct http_call *hc)
{
    struct number_search_new *rq = arena_one(hc->arena, struct number_search_new);
    struct search_body b = { .quantity = 1 };
    if (!rq)
        return ERR_NOMEM;
    enum err err = numbers_body_fill(hc, search_fields, ARRAY_LEN(search_fields), &b);
    if (!err)
        err = numbers_offer_of(hc, b.type, b.assignment, &rq->type, &rq->assignment);
    if (!err)
        err = numbers_capabilities_of(hc, b.capabilities, true, &rq->calling, &rq->sms);
    rq->area_code = b.area_code;
    rq->quantity = b.quantity;
    hc->rq = rq;
    return err;
}

static enum err search_run(struct http_call *hc)
{
    struct number_search_new *rq = hc->rq;
    enum err err = numbers_country_of(hc, &rq->country);
    return err ? err : numbers_search(hc->api->numbers, hc->resource, rq, numbers_on_started, hc, &hc->why);
}

static enum err search_missing(struct http_call *hc, struct str given)
{
    struct str id = arena_str(hc->arena, given);
    return target(hc, "searchId", rule_problem(&hc->why, ERR_ABSENT, RULE_SEARCH_NOT_FOUND, id.p ? id.p : ""));
}

static void write_search(struct http_call *hc, struct jw *w, const char *guid, const struct number_search *s)
{
    const struct catalogue_row *row = catalogue_find(numbers_edition(hc->api->numbers), str_of(s->country), s->type, s->assignment);
    bool over = s->state == SEARCH_EXPIRED || s->state == SEARCH_CANCELED;
    char number[E164_SIZE];
    jw_object(w, NULL);
    jw_textz(w, "searchId", guid);
    jw_array(w, "phoneNumbers");
    for (size_t i = 0; i < s->count && !over; i++)      /* what is no longer held is not shown as available */
        jw_textz(w, NULL, e164_write(number, s->numbers[i]));
    jw_end(w);
    jw_textz(w, "phoneNumberType", number_type_word(s->type));
    jw_textz(w, "assignmentType", assignment_word(s->assignment));
    numbers_write_capabilities(w, "capabilities", s->calling, s->sms);
    numbers_write_cost(w, s->lease_micro);
    jw_time(w, "searchExpiresBy", s->expires_us);
    if (http_is_since(hc, NUMBERS_RESERVED_SINCE))
        jw_bool(w, "isAgreementToNotResellRequired", row && row->own_use);
    if (over)
        jw_textz(w, "error", "ReservationExpired");
    jw_end(w);
}

static enum err search_result(struct http_call *hc)
{
    uint64_t key;
    char guid[GUID_SIZE];
    if (ids_guid_read(hc->api->control->ids, ID_SEARCH, hc->params[0], &key))
        return search_missing(hc, hc->params[0]);
    const struct number_search *s = numbers_search_find(hc->api->numbers, hc->resource, key);
    if (!s)
        return search_missing(hc, hc->params[0]);
    ids_guid(hc->api->control->ids, ID_SEARCH, key, guid);
    struct jw w = jw_of(&hc->out);
    write_search(hc, &w, guid, s);
    http_reply(hc, 200);
    return ERR_NONE;
}

/* -- purchase ------------------------------------------------------------------------------------------------------- */

struct purchase_body {
    struct str search;
    bool       agree;
    uint64_t   key;
};
static const struct json_field purchase_fields[] = {
    JSON_TEXT_FIELD(struct purchase_body, search, "searchId", true, 1, 64),
    JSON_BOOL_FIELD(struct purchase_body, agree, "agreeToNotResell", false),
};

static enum err purchase_read(struct http_call *hc)
{
    struct purchase_body *b = arena_one(hc->arena, struct purchase_body);
    if (!b)
        return ERR_NOMEM;
    enum err err = numbers_body_fill(hc, purchase_fields, ARRAY_LEN(purchase_fields), b);
    if (!err && ids_guid_read(hc->api->control->ids, ID_SEARCH, b->search, &b->key))
        err = search_missing(hc, b->search);
    hc->rq = b;
    return err;
}

static enum err purchase_run(struct http_call *hc)
{
    const struct purchase_body *b = hc->rq;
    return numbers_purchase(hc->api->numbers, hc->resource, b->key, b->agree, numbers_on_started, hc, &hc->why);
}

/* -- leased numbers ------------------------------------------------------------------------------------------------- */

static void write_lease(struct http_call *hc, struct jw *w, const struct lease *l)
{
    char number[E164_SIZE];
    e164_write(number, l->number);
    jw_object(w, NULL);
    jw_textz(w, "id", number + 1);
    jw_textz(w, "phoneNumber", number);
    jw_textz(w, "countryCode", l->country);
    jw_textz(w, "phoneNumberType", number_type_word(l->type));
    numbers_write_capabilities(w, "capabilities", l->calling, l->sms);
    jw_textz(w, "assignmentType", assignment_word(l->assignment));
    jw_time(w, "purchaseDate", l->purchased_us);
    numbers_write_cost(w, numbers_lease_micro(hc->api->numbers, l));
    jw_end(w);
}

static enum err number_get(struct http_call *hc)
{
    const struct lease *l;
    enum err err = numbers_lease_of(hc->api->numbers, hc->resource, hc->params[0], &l, &hc->why);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    write_lease(hc, &w, l);
    http_reply(hc, 200);
    return ERR_NONE;
}

/* The next page begins behind the last number of this one, wherever that is then. */
static void write_next(struct http_call *hc, struct jw *w, uint64_t next)
{
    const struct number_page *p = hc->user;
    if (!next) {
        jw_null(w, "nextLink");
        return;
    }
    scoped_buf link = { 0 };
    buf_printf(&link, "/phoneNumbers?after=%" PRIu64 "&top=%" PRId64 "&api-version=", next, p->top);
    buf_put_escaped(&link, hc->api_version);
    jw_text(w, "nextLink", buf_str(&link));
}

static void on_list(void *arg, enum err err, const struct lease *const *leases, size_t count, uint64_t next)
{
    struct http_call *hc = arg;
    if (err) {
        http_fail(hc, err);
        return;
    }
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "phoneNumbers");
    for (size_t i = 0; i < count; i++)
        write_lease(hc, &w, leases[i]);
    jw_end(&w);
    write_next(hc, &w, next);
    jw_end(&w);
    http_reply(hc, 200);
}

static enum err number_list(struct http_call *hc)
{
    struct number_page *p = arena_one(hc->arena, struct number_page);
    int64_t after = 0;
    if (!p)
        return ERR_NOMEM;
    enum err err = http_query_int(hc, "skip", 0, INT32_MAX, 0, &p->skip);
    if (!err)
        err = http_query_int(hc, "top", 1, 1000, 100, &p->top);
    if (!err)
        err = http_query_int(hc, "after", 0, INT64_MAX, 0, &after);
    p->after = (uint64_t)after;
    hc->user = p;
    return err ? err : numbers_list(hc->api->numbers, hc->resource, p, on_list, hc, &hc->why);
}

struct change_rq {
    bool            has_calling, has_sms;
    enum capability calling, sms;
};

static enum err change_read(struct http_call *hc)
{
    struct change_rq *rq = arena_one(hc->arena, struct change_rq);
    struct capabilities_body b = { 0 };
    if (!rq)
        return ERR_NOMEM;
    enum err err = numbers_body_fill(hc, capabilities_fields, ARRAY_LEN(capabilities_fields), &b);
    rq->has_calling = b.calling.p != NULL;
    rq->has_sms = b.sms.p != NULL;
    if (!err && (rq->has_calling || !rq->has_sms))      /* neither: say that calling (or sms) is needed */
        err = capability_of(hc, b.calling, "calling", &rq->calling);
    if (!err && rq->has_sms)
        err = capability_of(hc, b.sms, "sms", &rq->sms);
    hc->rq = rq;
    return err;
}

static enum err change_run(struct http_call *hc)
{
    const struct change_rq *rq = hc->rq;
    return numbers_change(hc->api->numbers, hc->resource, hc->params[0], rq->has_calling ? &rq->calling : NULL,
                          rq->has_sms ? &rq->sms : NULL, numbers_on_started, hc, &hc->why);
}

static enum err number_release(struct http_call *hc)
{
    return numbers_release(hc->api->numbers, hc->resource, hc->params[0], numbers_on_started, hc, &hc->why);
}

/* -- routes --------------------------------------------------------------------------------------------------------- */

#define TEST_API    "tests/unit/edge/api/test_numbers_api.c"
#define CATALOGUE_SINCE "2022-12-01"

const struct http_route numbers_routes[] = {
    { "GET", "/availablePhoneNumbers/countries/{countryCode}/areaCodes", HTTP_RESOURCE, NULL, numbers_area_codes,
      "PhoneNumbers_ListAreaCodes", TEST_API, CATALOGUE_SINCE },
    { "GET", "/availablePhoneNumbers/countries", HTTP_RESOURCE, NULL, numbers_countries,
      "PhoneNumbers_ListAvailableCountries", TEST_API, CATALOGUE_SINCE },
    { "POST", "/availablePhoneNumbers/countries/{countryCode}/:browse", HTTP_RESOURCE, browse_read, browse_run,
      "PhoneNumbers_BrowseAvailableNumbers", TEST_API, NUMBERS_RESERVED_SINCE },
    { "GET", "/availablePhoneNumbers/countries/{countryCode}/localities", HTTP_RESOURCE, NULL, numbers_localities,
      "PhoneNumbers_ListAvailableLocalities", TEST_API, CATALOGUE_SINCE },
    { "GET", "/availablePhoneNumbers/countries/{countryCode}/offerings", HTTP_RESOURCE, NULL, numbers_offerings,
      "PhoneNumbers_ListOfferings", TEST_API, CATALOGUE_SINCE },
    { "GET", "/availablePhoneNumbers/reservations", HTTP_RESOURCE, NULL, reservation_list,
      "PhoneNumbers_ListReservations", TEST_API, NUMBERS_RESERVED_SINCE },
    { "PATCH", "/availablePhoneNumbers/reservations/{reservationId}", HTTP_RESOURCE, reservation_change_read,
      reservation_change_run, "PhoneNumbers_CreateOrUpdateReservation", TEST_API, NUMBERS_RESERVED_SINCE },
    { "GET", "/availablePhoneNumbers/reservations/{reservationId}", HTTP_RESOURCE, NULL, reservation_get,
      "PhoneNumbers_GetReservation", TEST_API, NUMBERS_RESERVED_SINCE },
    { "DELETE", "/availablePhoneNumbers/reservations/{reservationId}", HTTP_RESOURCE, NULL, reservation_delete,
      "PhoneNumbers_DeleteReservation", TEST_API, NUMBERS_RESERVED_SINCE },
    { "POST", "/availablePhoneNumbers/reservations/{reservationId}/:purchase", HTTP_RESOURCE,
      reservation_purchase_read, reservation_purchase_run, "PhoneNumbers_PurchaseReservation", TEST_API, NUMBERS_RESERVED_SINCE },
    { "POST", "/availablePhoneNumbers/countries/{countryCode}/:search", HTTP_RESOURCE, search_read, search_run,
      "PhoneNumbers_SearchAvailablePhoneNumbers", TEST_API },
    { "GET", "/availablePhoneNumbers/searchResults/{searchId}", HTTP_RESOURCE, NULL, search_result,
      "PhoneNumbers_GetSearchResult", TEST_API },
    { "POST", "/availablePhoneNumbers/:purchase", HTTP_RESOURCE, purchase_read, purchase_run,
      "PhoneNumbers_PurchasePhoneNumbers", TEST_API },
    { "GET", "/phoneNumbers/operations/{operationId}", HTTP_RESOURCE, NULL, operation_get, "PhoneNumbers_GetOperation",
      TEST_API },
    { "DELETE", "/phoneNumbers/operations/{operationId}", HTTP_RESOURCE, NULL, operation_cancel,
      "PhoneNumbers_CancelOperation", TEST_API },
    { "PATCH", "/phoneNumbers/{phoneNumber}/capabilities", HTTP_RESOURCE, change_read, change_run,
      "PhoneNumbers_UpdateCapabilities", TEST_API },
    { "GET", "/phoneNumbers/{phoneNumber}", HTTP_RESOURCE, NULL, number_get, "PhoneNumbers_GetByNumber", TEST_API },
    { "DELETE", "/phoneNumbers/{phoneNumber}", HTTP_RESOURCE, NULL, number_release, "PhoneNumbers_ReleasePhoneNumber",
      TEST_API },
    { "GET", "/phoneNumbers", HTTP_RESOURCE, NULL, number_list, "PhoneNumbers_ListPhoneNumbers", TEST_API },
    { "POST", "/operatorInformation/:search", HTTP_RESOURCE, operator_info_read, operator_info_run,
      "PhoneNumbers_OperatorInformationSearch", TEST_API, "2024-03-01" },
    { 0 },
};
