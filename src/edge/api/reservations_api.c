/* reservations_api.c - browsing and reservations of available numbers (spec phone-numbers 2025-06-01, PhoneNumbersReservation).
 *
 * A number's id on the wire is opaque: its digits through the keyed permutation of base/id.h. Digits are taken too, as the
 * specification describes the key. */
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/rules.h"
#include "edge/api/numbers_priv.h"

#include <stdio.h>

/* -- reading -------------------------------------------------------------------------------------------------------- */

struct reservation_rq {
    struct reservation_wish *wishes;
    size_t                   count;
};

struct change_body { const struct json *numbers; };
static const struct json_field change_fields[] = {
    JSON_ANY_FIELD(struct change_body, numbers, "phoneNumbers", false),
};

/* AvailablePhoneNumber, as far as a client decides it. */
struct available_body {
    struct str         country, type, assignment;
    const struct json *capabilities;
};
static const struct json_field available_fields[] = {
    JSON_TEXT_FIELD(struct available_body, country, "countryCode", true, 2, 2),
    JSON_TEXT_FIELD(struct available_body, type, "phoneNumberType", true, 1, 32),
    JSON_TEXT_FIELD(struct available_body, assignment, "assignmentType", true, 1, 32),
    JSON_ANY_FIELD(struct available_body, capabilities, "capabilities", true),
};

static enum err number_of(struct http_call *hc, struct str id, uint64_t *number)
{
    if (!ids_guid_read(hc->api->control->ids, ID_AVAILABLE_NUMBER, id, number) || !e164_read(id, number))
        return ERR_NONE;
    enum err err = rule_problem(&hc->why, ERR_RANGE, RULE_RESERVED_NUMBER_UNKNOWN, arena_shown(hc->arena, id));
    problem_target(&hc->why, "phoneNumbers");
    return err;
}

static enum err wish_read(struct http_call *hc, struct str id, const struct json *value, struct reservation_wish *wish)
{
    struct available_body b = { 0 };
    enum err err = number_of(hc, id, &wish->number);
    wish->out = json_kind(value) == JSON_IS_ABSENT;
    if (err || wish->out)
        return err;
    err = json_fill(value, available_fields, ARRAY_LEN(available_fields), &b, hc->arena, &hc->why);
    if (!err)
        err = numbers_offer_of(hc, b.type, b.assignment, &wish->type, &wish->assignment);
    if (!err)
        err = numbers_capabilities_of(hc, b.capabilities, true, &wish->calling, &wish->sms);
    for (char *c = (char *)(uintptr_t)b.country.p; !err && *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    wish->country = b.country;
    return err;
}

static enum err wishes_read(struct http_call *hc, const struct json *numbers, struct reservation_rq *rq)
{
    struct str id;
    const struct json *value;
    void *at = NULL;
    if (json_kind(numbers) == JSON_IS_ABSENT)
        return ERR_NONE;
    if (json_kind(numbers) != JSON_IS_OBJECT || json_count(numbers) > 2 * NUMBERS_RESERVED_MOST) {
        enum err err = problem_set(&hc->why, ERR_RANGE, "BadRequest",
                                   "phoneNumbers must be an object: ids of available phone numbers and what they are, or null; "
                                   "%d at most.", 2 * NUMBERS_RESERVED_MOST);
        problem_target(&hc->why, "phoneNumbers");
        return err;
    }
    rq->wishes = arena_array(hc->arena, json_count(numbers) + 1, sizeof rq->wishes[0]);
    enum err err = rq->wishes ? ERR_NONE : ERR_NOMEM;
    while (!err && json_next(numbers, &at, &id, &value))
        err = wish_read(hc, id, value, &rq->wishes[rq->count++]);
    return err;
}

enum err reservation_change_read(struct http_call *hc)
{
    struct change_body b = { 0 };
    struct reservation_rq *rq = arena_one(hc->arena, struct reservation_rq);
    if (!rq)
        return ERR_NOMEM;
    hc->rq = rq;
    enum err err = numbers_body_fill(hc, change_fields, ARRAY_LEN(change_fields), &b);
    return err ? err : wishes_read(hc, b.numbers, rq);
}

struct purchase_body { bool agree; };
static const struct json_field purchase_fields[] = {
    JSON_BOOL_FIELD(struct purchase_body, agree, "agreeToNotResell", false),
};

/* The official SDK sends no body at all when there is nothing to agree to. */
enum err reservation_purchase_read(struct http_call *hc)
{
    struct purchase_body *b = arena_one(hc->arena, struct purchase_body);
    if (!b)
        return ERR_NOMEM;
    hc->rq = b;
    return hc->json ? json_fill(hc->json, purchase_fields, ARRAY_LEN(purchase_fields), b, hc->arena, &hc->why) : ERR_NONE;
}

/* -- writing -------------------------------------------------------------------------------------------------------- */

static const char *state_word(enum reservation_state state)
{
    switch (state) {
    case RESERVATION_ACTIVE:    return "active";
    case RESERVATION_SUBMITTED: return "submitted";
    case RESERVATION_COMPLETED: return "completed";
    case RESERVATION_EXPIRED:   return "expired";
    }
    return "expired";
}

static const char *number_word(const struct number_reservation *r, const struct reserved_number *x)
{
    if (x->error_code[0])
        return "error";
    switch (r->state) {
    case RESERVATION_ACTIVE:
    case RESERVATION_SUBMITTED: return "reserved";
    case RESERVATION_COMPLETED: return "purchased";
    case RESERVATION_EXPIRED:   return "expired";
    }
    return "expired";
}

void numbers_write_available(struct http_call *hc, struct jw *w, bool named, const struct reserved_number *x,
                             const char *status)
{
    const struct catalogue_row *row = catalogue_find(numbers_edition(hc->api->numbers), str_of(x->country), x->type, x->assignment);
    char id[GUID_SIZE], text[E164_SIZE];
    ids_guid(hc->api->control->ids, ID_AVAILABLE_NUMBER, x->number, id);
    jw_object(w, named ? id : NULL);
    jw_textz(w, "id", id);
    jw_textz(w, "countryCode", x->country);
    jw_textz(w, "phoneNumber", e164_write(text, x->number));
    numbers_write_capabilities(w, "capabilities", x->calling, x->sms);
    jw_textz(w, "phoneNumberType", number_type_word(x->type));
    jw_textz(w, "assignmentType", assignment_word(x->assignment));
    numbers_write_cost(w, x->lease_micro);
    jw_textz(w, "status", status);
    jw_bool(w, "isAgreementToNotResellRequired", row && row->own_use);
    if (x->error_code[0]) {
        jw_object(w, "error");
        jw_textz(w, "code", x->error_code);
        jw_textz(w, "message", x->error_text);
        jw_end(w);
    }
    jw_end(w);
}

static void write_reservation(struct http_call *hc, struct jw *w, const struct number_reservation *r, bool whole)
{
    jw_object(w, NULL);
    jw_textz(w, "id", r->id);
    jw_time(w, "expiresAt", r->expires_us);
    if (whole) {
        jw_object(w, "phoneNumbers");
        for (size_t i = 0; i < r->count; i++)
            numbers_write_available(hc, w, true, &r->numbers[i], number_word(r, &r->numbers[i]));
        jw_end(w);
    }
    jw_textz(w, "status", state_word(r->state));
    jw_end(w);
}

/* -- the operations ------------------------------------------------------------------------------------------------- */

static void on_changed(void *arg, enum err err, const struct number_reservation *r, enum reserved how,
                       const struct problem *why)
{
    static const int statuses[] = { [RESERVED_NEW] = 201, [RESERVED_CHANGED] = 200, [RESERVED_PARTLY] = 207 };
    struct http_call *hc = arg;
    if (err) {
        hc->why = *why;
        http_fail(hc, err);
        return;
    }
    struct jw w = jw_of(&hc->out);
    write_reservation(hc, &w, r, true);
    http_reply(hc, statuses[how]);
}

enum err reservation_change_run(struct http_call *hc)
{
    const struct reservation_rq *rq = hc->rq;
    return numbers_reserve(hc->api->numbers, hc->resource, hc->params[0], rq->wishes, rq->count, on_changed, hc, &hc->why);
}

enum err reservation_get(struct http_call *hc)
{
    const struct number_reservation *r;
    enum err err = numbers_reservation_of(hc->api->numbers, hc->resource, hc->params[0], &r, &hc->why);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    write_reservation(hc, &w, r, true);
    http_reply(hc, 200);
    return ERR_NONE;
}

enum err reservation_list(struct http_call *hc)
{
    int64_t skip, most;
    size_t count;
    bool more;
    enum err err = http_query_int(hc, "skip", 0, INT32_MAX, 0, &skip);
    if (!err)
        err = http_query_int(hc, "maxPageSize", 1, 1000, 100, &most);
    if (err)
        return err;
    const struct number_reservation **list = arena_array(hc->arena, (size_t)most, sizeof(const struct number_reservation *));
    if (!list)
        return ERR_NOMEM;
    numbers_reservations(hc->api->numbers, hc->resource, (size_t)skip, (size_t)most, list, &count, &more);
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "reservations");
    for (size_t i = 0; i < count; i++)
        write_reservation(hc, &w, list[i], false);
    jw_end(&w);
    numbers_write_next(hc, &w, more, "/availablePhoneNumbers/reservations", skip, "maxPageSize", most, NULL);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

static void on_deleted(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
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

enum err reservation_delete(struct http_call *hc)
{
    return numbers_unreserve(hc->api->numbers, hc->resource, hc->params[0], on_deleted, hc, &hc->why);
}

enum err reservation_purchase_run(struct http_call *hc)
{
    const struct purchase_body *b = hc->rq;
    return numbers_buy_reserved(hc->api->numbers, hc->resource, hc->params[0], b->agree, numbers_on_started, hc, &hc->why);
}

/* -- browse --------------------------------------------------------------------------------------------------------- */

struct browse_body {
    struct str         type, assignment;
    const struct json *capabilities, *prefixes;
};
static const struct json_field browse_fields[] = {
    JSON_TEXT_FIELD(struct browse_body, type, "phoneNumberType", true, 1, 32),
    JSON_TEXT_FIELD(struct browse_body, assignment, "assignmentType", false, 1, 32),
    JSON_ANY_FIELD(struct browse_body, capabilities, "capabilities", false),
    JSON_ANY_FIELD(struct browse_body, prefixes, "phoneNumberPrefixes", false),
};

static enum err prefix_invalid(struct http_call *hc, struct str prefix)
{
    char most[16];
    snprintf(most, sizeof most, "%d", NUMBERS_PREFIXES_MOST);
    enum err err = rule_problem(&hc->why, ERR_RANGE, RULE_PREFIX_INVALID, arena_shown(hc->arena, prefix), most);
    problem_target(&hc->why, "phoneNumberPrefixes");
    return err;
}

static enum err prefixes_read(struct http_call *hc, const struct json *prefixes, struct number_browse *rq)
{
    size_t count = json_count(prefixes);
    if (json_kind(prefixes) == JSON_IS_ABSENT)
        return ERR_NONE;
    if (json_kind(prefixes) != JSON_IS_ARRAY || count > NUMBERS_PREFIXES_MOST)
        return prefix_invalid(hc, STR("phoneNumberPrefixes"));
    struct number_range *ranges = arena_array(hc->arena, (count + 1) * NUMBER_RANGES_MOST, sizeof *ranges);
    if (!ranges)
        return ERR_NOMEM;
    for (size_t i = 0; i < count; i++) {
        size_t more = number_ranges_of_country(hc->params[0], json_text(json_item(prefixes, i)), &ranges[rq->n_ranges]);
        if (!more)
            return prefix_invalid(hc, json_text(json_item(prefixes, i)));
        rq->n_ranges += more;
    }
    rq->ranges = ranges;
    return ERR_NONE;
}

/* Untold, a number is for an application: every type is offered for one. */
enum err browse_read(struct http_call *hc)
{
    struct browse_body b = { .assignment = STR("application") };
    struct number_browse *rq = arena_one(hc->arena, struct number_browse);
    if (!rq)
        return ERR_NOMEM;
    hc->rq = rq;
    enum err err = numbers_body_fill(hc, browse_fields, ARRAY_LEN(browse_fields), &b);
    if (!err)
        err = numbers_offer_of(hc, b.type, b.assignment, &rq->type, &rq->assignment);
    if (!err)
        err = numbers_capabilities_of(hc, b.capabilities, false, &rq->calling, &rq->sms);
    return err ? err : prefixes_read(hc, b.prefixes, rq);
}

enum err browse_run(struct http_call *hc)
{
    size_t count;
    struct number_browse *rq = hc->rq;
    struct reserved_number *list = arena_array(hc->arena, NUMBERS_BROWSE_MOST, sizeof *list);
    enum err err = list ? numbers_country_of(hc, &rq->country) : ERR_NOMEM;
    if (!err)
        err = numbers_browse(hc->api->numbers, hc->resource, rq, list, &count, &hc->why);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "phoneNumbers");
    for (size_t i = 0; i < count; i++)
        numbers_write_available(hc, &w, false, &list[i], "available");
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}
