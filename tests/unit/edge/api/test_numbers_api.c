/* The phone-number routes over loopback HTTP, as the official SDKs' recordings have them: real server, store, control. */
#include "base/crypto.h"
#include "edge/api/api.h"
#include "edge/api/http.h"
#include "edge/api/http_server.h"
#include "edge/api/keyring.h"
#include "unit/domain/numbers/world.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEY  "0123456789abcdef0123456789abcdef"
#define KEY2 "fedcba9876543210fedcba9876543210"
#define V    "api-version=2025-06-01"

static const struct http_route *const tables[] = { numbers_routes, NULL };

struct bench {
    struct world       *w;
    struct app_api      api;
    struct http_server *srv;
    const char         *key;
    struct answer {
        int              status;
        char             text[60000], *body;
        struct json_doc *doc;
    } a;
};

static int set_up(void **state)
{
    static const struct http_listen listen_at = { "127.0.0.1", 0, NULL };
    struct bench *b = calloc(1, sizeof *b);
    struct problem why = { 0 };
    b->w = world_new();
    b->key = KEY;
    assert_int_equal(keyring_new(&b->api.keyring), ERR_NONE);
    assert_int_equal(keyring_put(b->api.keyring, b->w->us, STR("us"), STR(KEY), STR("")), ERR_NONE);
    assert_int_equal(keyring_put(b->api.keyring, b->w->trial, STR("trial"), STR(KEY2), STR("")), ERR_NONE);
    b->api.control = &b->w->control;
    b->api.accounts = b->w->accounts;
    b->api.numbers = b->w->numbers;
    struct http_server_conf conf = { .listens = &listen_at, .n_listens = 1, .api = &b->api, .tables = tables };
    if (http_server_new(&b->srv, &conf, &why) || http_server_start(b->srv, &why))
        fail_msg("%s", why.text);
    *state = b;
    return loop_start(b->w->control.loop);
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    json_doc_free(b->a.doc);
    http_server_stop(b->srv);
    loop_stop(b->w->control.loop);
    world_free(b->w);
    http_server_free(b->srv);
    keyring_free(b->api.keyring);
    free(b);
    return 0;
}

/* -- a client ------------------------------------------------------------------------------------------------------- */

static void put_request(struct bench *b, struct buf *out, const char *method, const char *target, const char *body)
{
    char date[RFC1123_SIZE], hash[BASE64_SIZE(32)], mac[BASE64_SIZE(32)];
    uint8_t octets[32];
    scoped_buf to_sign = { 0 };
    time_rfc1123(date, clock_wall_us());
    sha256(octets, str_of(body));
    base64_write(hash, octets, 32);
    buf_printf(&to_sign, "%s\n%s\n%s;localhost;%s", method, target, date, hash);
    hmac_sha256(octets, b->key, 32, buf_str(&to_sign));
    base64_write(mac, octets, 32);
    buf_printf(out, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nx-ms-date: %s\r\nx-ms-content-sha256: %s\r\n"
                    "Authorization: HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=%s\r\n"
                    "Content-Type: application/json\r\naccept-language: en-US\r\nContent-Length: %zu\r\n\r\n%s",
               method, target, date, hash, mac, strlen(body), body);
}

static void hear(int fd, struct answer *a)
{
    size_t n = 0;
    ssize_t got;
    while (n < sizeof a->text - 1 && (got = recv(fd, a->text + n, sizeof a->text - 1 - n, 0)) > 0)
        n += (size_t)got;
    a->text[n] = '\0';
    a->status = n > 9 ? atoi(a->text + 9) : 0;
    char *end = strstr(a->text, "\r\n\r\n");
    a->body = end ? end + 4 : a->text + n;
}

/* @return the answer's JSON, or NULL when it has none */
static const struct json *ask(struct bench *b, const char *method, const char *target, const char *body)
{
    scoped_buf request = { 0 };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(http_server_port(b->srv, 0)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval limit = { .tv_sec = 5 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    put_request(b, &request, method, target, body ? body : "");
    assert_int_equal(send(fd, request.p, request.n, MSG_NOSIGNAL), (ssize_t)request.n);
    hear(fd, &b->a);
    close(fd);
    json_doc_free(b->a.doc);
    b->a.doc = NULL;
    if (!*b->a.body)
        return NULL;
    if (json_read(&b->a.doc, str_of(b->a.body), NULL))
        fail_msg("not JSON: %s", b->a.body);
    return json_root(b->a.doc);
}

static const struct json *get(struct bench *b, const char *target)
{
    const struct json *j = ask(b, "GET", target, NULL);
    if (b->a.status != 200)
        fail_msg("%s: %s", target, b->a.text);
    return j;
}

/* A header's value, until the next answer; NULL: absent. */
static const char *header(struct bench *b, const char *name)
{
    static char value[300];
    char line[80];
    snprintf(line, sizeof line, "\r\n%s: ", name);
    char *at = strcasestr(b->a.text, line);
    if (!at || at > b->a.body)
        return NULL;
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at + strlen(line), "\r"), at + strlen(line));
    return value;
}

static void assert_text(const struct json *object, const char *name, const char *value)
{
    struct str got = json_text_of(object, name);
    if (!str_eqz(got, value))
        fail_msg("%s is " STR_FMT ", not %s", name, STR_ARG(got), value);
}

static void assert_error(struct bench *b, int status, const char *code, const char *rule, const char *target)
{
    const struct json *error = b->a.doc ? json_member(json_root(b->a.doc), "error") : NULL;
    if (b->a.status != status || !str_eqz(json_text_of(error, "code"), code)
        || !str_eqz(json_text_of(json_member(error, "innererror"), "code"), rule)
        || (target && !str_eqz(json_text_of(error, "target"), target)))
        fail_msg("wanted %d %s %s %s, got %s", status, code, rule, target ? target : "", b->a.text);
    assert_true(json_text_of(error, "message").n && json_text_of(json_member(error, "innererror"), "message").n);
}

#define SEARCH_IN    "/availablePhoneNumbers/countries/US/:search?" V
#define TOLL_FREE    "\"phoneNumberType\":\"tollFree\",\"assignmentType\":\"application\""
#define SMS_BOTH     "\"capabilities\":{\"calling\":\"none\",\"sms\":\"inbound+outbound\"}"

/* Polls as the SDKs do: the operation must have succeeded by the second look. Answers the operation. */
static const struct json *follow(struct bench *b, const char *kind)
{
    char where[300], id[80];
    assert_int_equal(b->a.status, 202);
    snprintf(where, sizeof where, "%s", header(b, "Operation-Location"));
    snprintf(id, sizeof id, "%s", header(b, "operation-id"));
    assert_true(str_starts(str_of(id), str_of(kind)) && id[strlen(kind)] == '_');
    assert_non_null(strstr(where, id));
    assert_true(str_ends(str_of(where), STR("?" V)));
    const struct json *op = get(b, where);
    assert_text(op, "id", id);
    assert_text(op, "status", "succeeded");
    return op;
}

/* Search for one toll-free number and buy it; its digits with '+'. */
static void lease_toll_free(struct bench *b, char number[E164_SIZE])
{
    char where[300], body[200], id[GUID_SIZE];
    ask(b, "POST", SEARCH_IN, "{" TOLL_FREE "," SMS_BOTH ",\"areaCode\":\"833\"}");
    assert_int_equal(b->a.status, 202);
    snprintf(where, sizeof where, "%s", header(b, "Location"));
    const struct json *result = get(b, where);
    str_copyz(number, E164_SIZE, json_text(json_item(json_member(result, "phoneNumbers"), 0)));
    str_copyz(id, sizeof id, json_text_of(result, "searchId"));
    snprintf(body, sizeof body, "{\"searchId\":\"%s\",\"agreeToNotResell\":false}", id);
    ask(b, "POST", "/availablePhoneNumbers/:purchase?" V, body);
    assert_int_equal(b->a.status, 202);
}

/* -- tests ---------------------------------------------------------------------------------------------------------- */

static void a_search_is_an_operation_with_a_result(void **state)
{
    struct bench *b = *state;
    char where[300], guid[80];
    assert_null(ask(b, "POST", SEARCH_IN, "{" TOLL_FREE "," SMS_BOTH ",\"areaCode\":\"833\",\"quantity\":2,\"new\":[1]}"));
    snprintf(guid, sizeof guid, "%s", header(b, "search-id"));
    snprintf(where, sizeof where, "%s", header(b, "Location"));
    assert_non_null(strstr(where, guid));
    assert_string_equal(header(b, "Access-Control-Expose-Headers"), "Location,Operation-Location,operation-id,search-id");
    assert_string_equal(header(b, "Content-Length"), "0");
    const struct json *op = follow(b, "search");
    assert_text(op, "operationType", "search");
    assert_text(op, "resourceLocation", where);
    assert_string_equal(header(b, "Location"), where);
    assert_true(json_text_of(op, "createdDateTime").n && json_text_of(op, "lastActionDateTime").n);
    const struct json *s = get(b, where);
    assert_text(s, "searchId", guid);
    assert_int_equal(json_count(json_member(s, "phoneNumbers")), 2);
    assert_text(s, "phoneNumberType", "tollFree");
    assert_text(s, "assignmentType", "application");
    assert_text(json_member(s, "capabilities"), "sms", "inbound+outbound");
    assert_text(json_member(s, "capabilities"), "calling", "none");
    assert_true(json_number(json_member(json_member(s, "cost"), "amount"), 0) == 2.0);
    assert_text(json_member(s, "cost"), "currencyCode", "USD");
    assert_text(json_member(s, "cost"), "billingFrequency", "monthly");
    assert_text(s, "searchExpiresBy", "2020-12-01T00:15:00.0000000+00:00");
    assert_false(json_bool_of(s, "isAgreementToNotResellRequired", true));
}

static void a_purchase_names_no_result_and_the_number_is_there(void **state)
{
    struct bench *b = *state;
    char number[E164_SIZE], target[100];
    lease_toll_free(b, number);
    assert_null(header(b, "Location"));
    assert_non_null(header(b, "purchase-id"));
    const struct json *op = follow(b, "purchase");
    assert_text(op, "operationType", "purchase");
    assert_int_equal(json_kind(json_member(op, "resourceLocation")), JSON_IS_ABSENT);
    assert_null(header(b, "Location"));
    snprintf(target, sizeof target, "/phoneNumbers/%%2B%s?" V, number + 1);
    const struct json *n = get(b, target);
    assert_text(n, "id", number + 1);
    assert_text(n, "phoneNumber", number);
    assert_text(n, "countryCode", "US");
    assert_text(n, "phoneNumberType", "tollFree");
    assert_text(n, "assignmentType", "application");
    assert_text(n, "purchaseDate", "2020-12-01T00:00:00.0000000+00:00");
    snprintf(target, sizeof target, "/phoneNumbers/%s?" V, number);    /* a raw plus is a plus */
    assert_text(get(b, target), "phoneNumber", number);
}

static void capabilities_change_and_the_result_is_the_number(void **state)
{
    struct bench *b = *state;
    char number[E164_SIZE], target[100], where[300];
    lease_toll_free(b, number);
    snprintf(target, sizeof target, "/phoneNumbers/%%2B%s/capabilities?" V, number + 1);
    const struct json *j = ask(b, "PATCH", target, "{\"calling\":null,\"sms\":\"outbound\"}");
    assert_int_equal(b->a.status, 202);
    assert_text(j, "capabilitiesUpdateId", header(b, "capabilities-id"));
    snprintf(where, sizeof where, "%s", header(b, "Location"));
    const struct json *op = follow(b, "capabilities");
    assert_text(op, "operationType", "updatePhoneNumberCapabilities");
    assert_text(op, "resourceLocation", where);
    j = get(b, where);
    assert_text(json_member(j, "capabilities"), "sms", "outbound");
    assert_text(json_member(j, "capabilities"), "calling", "none");
    ask(b, "PATCH", target, "{}");
    assert_error(b, 400, "BadRequest", "FieldNeeded", "calling");
    ask(b, "PATCH", target, "{\"sms\":\"both\"}");
    assert_error(b, 400, "BadRequest", "CapabilityUnknown", "sms");
}

static void a_released_number_is_gone(void **state)
{
    struct bench *b = *state;
    char number[E164_SIZE], target[100];
    lease_toll_free(b, number);
    snprintf(target, sizeof target, "/phoneNumbers/%%2B%s?" V, number + 1);
    assert_null(ask(b, "DELETE", target, NULL));
    assert_null(header(b, "Location"));
    assert_non_null(header(b, "release-id"));
    const struct json *op = follow(b, "release");
    assert_text(op, "operationType", "releasePhoneNumber");
    assert_int_equal(json_kind(json_member(op, "resourceLocation")), JSON_IS_ABSENT);
    ask(b, "GET", target, NULL);
    assert_error(b, 404, "NotFound", "NumberNotFound", "phonenumber");
    ask(b, "DELETE", target, NULL);
    assert_error(b, 404, "NotFound", "NumberNotFound", "phonenumber");
}

static void numbers_are_listed_in_pages_with_relative_links(void **state)
{
    struct bench *b = *state;
    char number[3][E164_SIZE], link[200];
    for (int i = 0; i < 3; i++)
        lease_toll_free(b, number[i]);
    const struct json *page = get(b, "/phoneNumbers?skip=0&" V "&top=2");
    assert_int_equal(json_count(json_member(page, "phoneNumbers")), 2);
    str_copyz(link, sizeof link, json_text_of(page, "nextLink"));
    assert_int_equal(strncmp(link, "/phoneNumbers?after=1", 21), 0);
    assert_non_null(strstr(link, "&top=2&" V));
    page = get(b, link);
    assert_int_equal(json_count(json_member(page, "phoneNumbers")), 1);
    assert_int_equal(json_kind(json_member(page, "nextLink")), JSON_IS_ABSENT);
    assert_int_equal(json_count(json_member(get(b, "/phoneNumbers?" V), "phoneNumbers")), 3);
    ask(b, "GET", "/phoneNumbers?top=x&" V, NULL);
    assert_int_equal(b->a.status, 400);
}

static void what_is_wrong_with_a_search_is_said_precisely(void **state)
{
    struct bench *b = *state;
    ask(b, "POST", SEARCH_IN, "{\"phoneNumberType\":\"tollFree\",\"assignmentType\":\"person\"," SMS_BOTH "}");
    assert_error(b, 400, "InternalError", "TollFreeNotForPerson", "assignmentType");
    assert_text(json_member(json_root(b->a.doc), "error"), "message", "The server encountered an internal error.");
    ask(b, "POST", SEARCH_IN, "{\"phoneNumberType\":\"geographic\",\"assignmentType\":\"person\"," SMS_BOTH "}");
    assert_error(b, 400, "InternalError", "PlanWithoutSms", "capabilities.sms");
    ask(b, "POST", SEARCH_IN, "{\"phoneNumberType\":\"mobile\",\"assignmentType\":\"application\"," SMS_BOTH "}");
    assert_error(b, 400, "InternalError", "NumberTypeNotOffered", "phoneNumberType");
    ask(b, "POST", SEARCH_IN, "{\"phoneNumberType\":\"landline\",\"assignmentType\":\"application\"," SMS_BOTH "}");
    assert_error(b, 400, "BadRequest", "PhoneNumberTypeUnknown", "phoneNumberType");
    ask(b, "POST", SEARCH_IN, "{" TOLL_FREE "," SMS_BOTH ",\"quantity\":0}");
    assert_error(b, 400, "BadRequest", "QuantityOutOfRange", "quantity");
    ask(b, "POST", SEARCH_IN, "{" TOLL_FREE "," SMS_BOTH ",\"areaCode\":\"206\"}");
    assert_error(b, 400, "BadRequest", "AreaCodeNotOfType", "areaCode");
    ask(b, "POST", SEARCH_IN, "{" TOLL_FREE ",\"capabilities\":{\"sms\":\"outbound\"}}");
    assert_error(b, 400, "BadRequest", "FieldNeeded", "capabilities.calling");
    ask(b, "POST", "/availablePhoneNumbers/countries/GB/:search?" V, "{" TOLL_FREE "," SMS_BOTH "}");
    assert_error(b, 400, "BadRequest", "CountryNotOffered", "countryCode");
}

/* Wrong types and missing members: 400 with the member named; never 500, never taken as something else. */
static void wrong_types_are_refused_with_their_target(void **state)
{
    struct bench *b = *state;
    static const struct { const char *body, *target; } bad[] = {
        { "", "" }, { "{", "" }, { "[]", "" }, { "7", "" }, { "{}", "phoneNumberType" },
        { "{\"phoneNumberType\":7,\"assignmentType\":\"application\"," SMS_BOTH "}", "phoneNumberType" },
        { "{\"phoneNumberType\":null,\"assignmentType\":\"application\"," SMS_BOTH "}", "phoneNumberType" },
        { "{\"phoneNumberType\":\"tollFree\"," SMS_BOTH "}", "assignmentType" },
        { "{" TOLL_FREE "}", "capabilities" },
        { "{" TOLL_FREE ",\"capabilities\":\"sms\"}", "capabilities" },
        { "{" TOLL_FREE ",\"capabilities\":{\"calling\":1,\"sms\":\"none\"}}", "calling" },
        { "{" TOLL_FREE "," SMS_BOTH ",\"quantity\":\"1\"}", "quantity" },
        { "{" TOLL_FREE "," SMS_BOTH ",\"quantity\":1.5}", "quantity" },
        { "{" TOLL_FREE "," SMS_BOTH ",\"areaCode\":833}", "areaCode" },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct json *j = ask(b, "POST", SEARCH_IN, bad[i].body);
        struct str target = json_text_of(json_member(j, "error"), "target");
        if (b->a.status != 400 || !str_eqz(target, bad[i].target))
            fail_msg("%s: %s", bad[i].body, b->a.text);
    }
}

static void who_may_not_acquire_is_told_which_rule(void **state)
{
    struct bench *b = *state;
    b->key = KEY2;
    ask(b, "POST", SEARCH_IN, "{" TOLL_FREE "," SMS_BOTH "}");
    assert_error(b, 403, "Forbidden", "TrialSubscriptionNotEligible", NULL);
}

static void an_expired_hold_is_told_with_its_time(void **state)
{
    struct bench *b = *state;
    char body[100], where[300];
    ask(b, "POST", SEARCH_IN, "{" TOLL_FREE "," SMS_BOTH "}");
    snprintf(body, sizeof body, "{\"searchId\":\"%s\"}", header(b, "search-id"));
    snprintf(where, sizeof where, "%s", header(b, "Location"));
    clock_freeze(b->w->control.clock, START_US + 15 * MINUTE);
    ask(b, "POST", "/availablePhoneNumbers/:purchase?" V, body);
    assert_error(b, 409, "ReservationExpired", "ReservationExpired", NULL);
    assert_non_null(strstr(b->a.body, "2020-12-01T00:15:00"));
    ask(b, "POST", "/availablePhoneNumbers/:purchase?" V, "{\"searchId\":\"00000000-0000-4000-8000-000000000000\"}");
    assert_error(b, 404, "NotFound", "SearchNotFound", "searchId");
    ask(b, "GET", "/availablePhoneNumbers/searchResults/nonsense?" V, NULL);
    assert_error(b, 404, "NotFound", "SearchNotFound", "searchId");
}

static void operations_are_their_resources_own_and_can_be_canceled(void **state)
{
    struct bench *b = *state;
    char where[300], search[300], body[100];
    ask(b, "POST", SEARCH_IN, "{" TOLL_FREE "," SMS_BOTH "}");
    snprintf(where, sizeof where, "%s", header(b, "Operation-Location"));
    snprintf(search, sizeof search, "%s", header(b, "Location"));
    snprintf(body, sizeof body, "{\"searchId\":\"%s\"}", header(b, "search-id"));
    b->key = KEY2;
    ask(b, "GET", where, NULL);
    assert_error(b, 404, "NotFound", "OperationNotFound", "operationId");
    ask(b, "DELETE", where, NULL);
    assert_error(b, 404, "NotFound", "OperationNotFound", "operationId");
    b->key = KEY;
    ask(b, "DELETE", where, NULL);
    assert_int_equal(b->a.status, 204);
    assert_text(get(b, where), "status", "canceled");
    assert_int_equal(json_count(json_member(get(b, search), "phoneNumbers")), 0);
    assert_text(get(b, search), "error", "ReservationExpired");
    ask(b, "POST", "/availablePhoneNumbers/:purchase?" V, body);
    assert_error(b, 409, "ReservationExpired", "SearchCanceled", NULL);
    ask(b, "GET", "/phoneNumbers/operations/search_?" V, NULL);
    assert_error(b, 404, "NotFound", "OperationNotFound", "operationId");
    ask(b, "GET", "/phoneNumbers/operations/other_00000000-0000-4000-8000-000000000000?" V, NULL);
    assert_error(b, 404, "NotFound", "OperationNotFound", "operationId");
}

static void a_bad_number_in_the_path_is_told_in_the_services_words(void **state)
{
    struct bench *b = *state;
    ask(b, "GET", "/phoneNumbers/invalid_phone_number?" V, NULL);
    assert_error(b, 400, "InternalError", "InvalidPhoneNumber", NULL);
    assert_non_null(strstr(b->a.body, "Invalid telephone number 'invalid_phone_number'"));
    ask(b, "GET", "/phoneNumbers/%2B14155550100?" V, NULL);
    assert_error(b, 404, "NotFound", "NumberNotFound", "phonenumber");
    assert_non_null(strstr(b->a.body, "Input phoneNumber +14155550100 cannot be found."));
}

/* How many items of a page have this text in this member. */
static size_t having(const struct json *items, const char *name, const char *value)
{
    size_t n = 0;
    for (size_t i = 0; i < json_count(items); i++)
        n += str_eqz(json_text_of(json_item(items, i), name), value);
    return n;
}

static void countries_and_localities_are_the_editions(void **state)
{
    struct bench *b = *state;
    const struct json *items = json_member(get(b, "/availablePhoneNumbers/countries?" V), "countries");
    assert_int_equal(json_count(items), 1);
    assert_text(json_item(items, 0), "countryCode", "US");
    assert_text(json_item(items, 0), "localizedName", "United States");
    items = json_member(get(b, "/availablePhoneNumbers/countries/us/localities?administrativeDivision=WA&" V),
                        "phoneNumberLocalities");
    assert_int_equal(having(items, "localizedName", "Seattle"), 1);
    assert_int_equal(having(items, "localizedName", "New York"), 0);
    for (size_t i = 0; i < json_count(items); i++)
        assert_text(json_member(json_item(items, i), "administrativeDivision"), "abbreviatedName", "WA");
    ask(b, "GET", "/availablePhoneNumbers/countries/GB/localities?" V, NULL);
    assert_error(b, 400, "BadRequest", "CountryNotOffered", "countryCode");
}

static void localities_come_in_pages_that_join_up(void **state)
{
    struct bench *b = *state;
    char link[300] = "/availablePhoneNumbers/countries/US/localities?maxPageSize=60&" V, last[64] = "";
    size_t pages = 0, total = 0;
    while (link[0]) {
        const struct json *page = get(b, link), *items = json_member(page, "phoneNumberLocalities");
        for (size_t i = 0; i < json_count(items); i++) {
            struct str name = json_text_of(json_item(items, i), "localizedName");
            assert_true(strcmp(last, name.p) <= 0);
            str_copyz(last, sizeof last, name);
        }
        total += json_count(items);
        pages++;
        assert_true(json_count(items) <= 60 && pages < 20);
        str_copyz(link, sizeof link, json_text_of(page, "nextLink"));
    }
    assert_true(total > 200 && pages == (total + 59) / 60);
}

static void area_codes_are_filtered_by_type_and_place(void **state)
{
    struct bench *b = *state;
    const struct json *items = json_member(get(b, "/availablePhoneNumbers/countries/US/areaCodes?phoneNumberType=tollFree&"
                                                  "assignmentType=application&" V), "areaCodes");
    assert_int_equal(json_count(items), 7);
    assert_int_equal(having(items, "areaCode", "833"), 1);
    items = json_member(get(b, "/availablePhoneNumbers/countries/US/areaCodes?phoneNumberType=geographic&locality=Seattle&"
                               "administrativeDivision=WA&" V), "areaCodes");
    assert_int_equal(having(items, "areaCode", "206"), 1);
    assert_int_equal(having(items, "areaCode", "212"), 0);
    items = json_member(get(b, "/availablePhoneNumbers/countries/US/areaCodes?phoneNumberType=geographic&"
                               "locality=New%20York&" V), "areaCodes");
    assert_int_equal(having(items, "areaCode", "212"), 1);
    const struct json *page = get(b, "/availablePhoneNumbers/countries/US/areaCodes?phoneNumberType=geographic&"
                                     "locality=New%20York&maxPageSize=1&" V);
    assert_text(page, "nextLink", "/availablePhoneNumbers/countries/US/areaCodes?skip=1&maxPageSize=1&"
                                  "phoneNumberType=geographic&locality=New%20York&" V);
    ask(b, "GET", "/availablePhoneNumbers/countries/US/areaCodes?" V, NULL);
    assert_error(b, 400, "BadRequest", "FieldNeeded", "phoneNumberType");
    ask(b, "GET", "/availablePhoneNumbers/countries/US/areaCodes?phoneNumberType=x&" V, NULL);
    assert_error(b, 400, "BadRequest", "PhoneNumberTypeUnknown", "phoneNumberType");
    ask(b, "GET", "/availablePhoneNumbers/countries/US/areaCodes?phoneNumberType=tollFree&assignmentType=person&" V, NULL);
    assert_error(b, 400, "InternalError", "TollFreeNotForPerson", NULL);
}

static void offerings_say_what_may_be_had_for_how_much(void **state)
{
    struct bench *b = *state;
    const struct json *items = json_member(get(b, "/availablePhoneNumbers/countries/US/offerings?" V),
                                           "phoneNumberOfferings");
    assert_int_equal(json_count(items), 3);
    assert_int_equal(having(items, "phoneNumberType", "geographic"), 2);
    items = json_member(get(b, "/availablePhoneNumbers/countries/US/offerings?phoneNumberType=tollFree&" V),
                        "phoneNumberOfferings");
    assert_int_equal(json_count(items), 1);
    assert_text(json_member(json_item(items, 0), "availableCapabilities"), "sms", "inbound+outbound");
    assert_true(json_number(json_member(json_member(json_item(items, 0), "cost"), "amount"), 0) == 2.0);
    items = json_member(get(b, "/availablePhoneNumbers/countries/US/offerings?assignmentType=person&" V),
                        "phoneNumberOfferings");
    assert_int_equal(json_count(items), 1);
    assert_text(json_member(json_item(items, 0), "availableCapabilities"), "sms", "none");
}

/* -- reservations --------------------------------------------------------------------------------------------------- */

#define RESERVATIONS "/availablePhoneNumbers/reservations"
#define ID_A         "6e0b0e4b-6a35-4d0a-9f5c-0d2a6a1f2c11"
#define LOCAL        "{\"countryCode\":\"us\",\"phoneNumberType\":\"geographic\",\"assignmentType\":\"application\"," \
                     "\"capabilities\":{\"calling\":\"inbound+outbound\",\"sms\":\"none\"}}"

static const struct json *reserve(struct bench *b, const char *numbers)
{
    char body[2000];
    snprintf(body, sizeof body, "{\"phoneNumbers\":{%s}}", numbers);
    return ask(b, "PATCH", RESERVATIONS "/" ID_A "?" V, body);
}

/* The one whose phoneNumber this is; its key is its id. */
static const struct json *reserved(const struct json *reservation, const char *number)
{
    void *at = NULL;
    struct str id;
    const struct json *x;
    while (json_next(json_member(reservation, "phoneNumbers"), &at, &id, &x))
        if (str_eqz(json_text_of(x, "phoneNumber"), number)) {
            assert_true(str_eq(id, json_text_of(x, "id")));
            return x;
        }
    return NULL;
}

static void a_reservation_is_made_changed_and_bought(void **state)
{
    struct bench *b = *state;
    char again[200], operation[300];
    const struct json *r = reserve(b, "\"12065552001\":" LOCAL ",\"12065552002\":" LOCAL);
    assert_int_equal(b->a.status, 201);
    assert_text(r, "id", ID_A);
    assert_text(r, "status", "active");
    assert_true(str_starts(json_text_of(r, "expiresAt"), STR("2020-12-01T00:15:00")));
    const struct json *x = reserved(r, "+12065552001");
    assert_text(x, "status", "reserved");
    assert_text(x, "countryCode", "US");
    assert_text(json_member(x, "cost"), "billingFrequency", "monthly");
    assert_false(json_bool_of(x, "isAgreementToNotResellRequired", true));
    assert_null(strstr(json_text_of(x, "id").p, "2065552001"));         /* opaque, and taken as a key */
    snprintf(again, sizeof again, "\"%s\":null,\"12065550100\":" LOCAL, json_text_of(x, "id").p);
    r = reserve(b, again);
    assert_int_equal(b->a.status, 207);
    assert_null(reserved(r, "+12065552001"));
    x = reserved(r, "+12065550100");
    assert_text(x, "status", "error");
    assert_text(json_member(x, "error"), "code", "NumberNotAvailable");
    assert_true(json_text_of(json_member(x, "error"), "message").n);
    reserve(b, "\"12065552002\":" LOCAL);
    assert_int_equal(b->a.status, 200);
    assert_null(ask(b, "POST", RESERVATIONS "/" ID_A "/:purchase?" V, NULL));
    assert_non_null(header(b, "reservation-purchase-id"));
    assert_null(header(b, "Location"));
    snprintf(operation, sizeof operation, "%s", header(b, "operation-id"));
    const struct json *op = follow(b, "reservationPurchase");
    assert_text(op, "operationType", "reservationPurchase");
    assert_int_equal(json_kind(json_member(op, "resourceLocation")), JSON_IS_ABSENT);
    r = get(b, RESERVATIONS "/" ID_A "?" V);
    assert_text(r, "status", "completed");
    assert_text(reserved(r, "+12065552002"), "status", "purchased");
    assert_text(reserved(r, "+12065550100"), "status", "error");
    get(b, "/phoneNumbers/%2B12065552002?" V);
    ask(b, "POST", RESERVATIONS "/" ID_A "/:purchase?" V, "{\"agreeToNotResell\":true}");
    assert_string_equal(header(b, "operation-id"), operation);          /* once */
    reserve(b, "\"12065552003\":" LOCAL);
    assert_error(b, 409, "Conflict", "ReservationNotActive", NULL);
}

static void a_reservation_is_given_back(void **state)
{
    struct bench *b = *state;
    ask(b, "DELETE", RESERVATIONS "/" ID_A "?" V, NULL);
    assert_error(b, 404, "NotFound", "ReservationNotFound", "reservationId");
    reserve(b, "");
    assert_int_equal(b->a.status, 201);
    ask(b, "POST", RESERVATIONS "/" ID_A "/:purchase?" V, NULL);
    assert_error(b, 400, "BadRequest", "ReservationEmpty", NULL);
    assert_null(ask(b, "DELETE", RESERVATIONS "/" ID_A "?" V, NULL));
    assert_int_equal(b->a.status, 204);
    ask(b, "GET", RESERVATIONS "/" ID_A "?" V, NULL);
    assert_error(b, 404, "NotFound", "ReservationNotFound", "reservationId");
}

static void reservations_come_in_pages_without_their_numbers(void **state)
{
    struct bench *b = *state;
    char target[200], link[300] = RESERVATIONS "?maxPageSize=2&" V;
    size_t total = 0, pages = 0;
    for (int i = 0; i < 5; i++) {
        snprintf(target, sizeof target, RESERVATIONS "/6e0b0e4b-6a35-4d0a-9f5c-0d2a6a1f2c0%d?" V, i);
        ask(b, "PATCH", target, "{\"phoneNumbers\":{}}");
        assert_int_equal(b->a.status, 201);
    }
    for (; link[0]; pages++) {
        const struct json *page = get(b, link), *items = json_member(page, "reservations");
        for (size_t i = 0; i < json_count(items); i++) {
            assert_text(json_item(items, i), "status", "active");
            assert_null(json_member(json_item(items, i), "phoneNumbers"));
        }
        total += json_count(items);
        str_copyz(link, sizeof link, json_text_of(page, "nextLink"));
    }
    assert_true(total == 5 && pages == 3);
}

static void a_reservation_that_cannot_be_read_is_refused(void **state)
{
    struct bench *b = *state;
    ask(b, "PATCH", RESERVATIONS "/mine?" V, "{}");
    assert_error(b, 400, "BadRequest", "ReservationIdInvalid", "reservationId");
    reserve(b, "\"nonsense\":" LOCAL);
    assert_error(b, 400, "BadRequest", "ReservedNumberUnknown", "phoneNumbers");
    reserve(b, "\"" ID_A "\":null");
    assert_error(b, 400, "BadRequest", "ReservedNumberUnknown", "phoneNumbers");
    static const char *const bad[] = {
        "{\"phoneNumbers\":[]}", "{\"phoneNumbers\":{\"12065552001\":1}}", "{\"phoneNumbers\":{\"12065552001\":{}}}",
        "{\"phoneNumbers\":{\"12065552001\":{\"countryCode\":\"US\",\"phoneNumberType\":\"fax\",\"assignmentType\":"
        "\"person\",\"capabilities\":{\"calling\":\"none\",\"sms\":\"none\"}}}}",
        "{\"phoneNumbers\":{\"12065552001\":{\"countryCode\":\"US\",\"phoneNumberType\":\"geographic\","
        "\"assignmentType\":\"person\",\"capabilities\":[]}}}", "", "7",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        ask(b, "PATCH", RESERVATIONS "/" ID_A "?" V, bad[i]);
        if (b->a.status != 400)
            fail_msg("%s: %s", bad[i], b->a.text);
    }
    ask(b, "POST", RESERVATIONS "/" ID_A "/:purchase?" V, "{\"agreeToNotResell\":7}");
    assert_int_equal(b->a.status, 400);
    b->key = KEY2;
    reserve(b, "\"12065552001\":" LOCAL);
    assert_error(b, 403, "Forbidden", "TrialSubscriptionNotEligible", NULL);
}

#define BROWSE "/availablePhoneNumbers/countries/US/:browse?" V

static void what_a_browse_shows_can_be_reserved(void **state)
{
    struct bench *b = *state;
    char wish[600];
    const struct json *items = json_member(ask(b, "POST", BROWSE, "{\"phoneNumberType\":\"tollFree\",\"capabilities\":{\"sms\":"
                                               "\"outbound\"},\"phoneNumberPrefixes\":[\"1833\",\"844\"]}"), "phoneNumbers");
    assert_int_equal(b->a.status, 200);
    assert_int_equal(json_count(items), 100);
    for (size_t i = 0; i < 100; i++) {
        const struct json *x = json_item(items, i);
        struct str number = json_text_of(x, "phoneNumber");
        assert_true(str_starts(number, STR("+1833555")) || str_starts(number, STR("+1844555")));
        assert_text(x, "status", "available");
        assert_text(x, "assignmentType", "application");
        assert_text(json_member(x, "capabilities"), "sms", "inbound+outbound");
    }
    snprintf(wish, sizeof wish, "\"%s\":{\"countryCode\":\"US\"," TOLL_FREE "," SMS_BOTH "}",
             json_text_of(json_item(items, 0), "id").p);
    reserve(b, wish);
    assert_int_equal(b->a.status, 201);
}

static void a_browse_that_cannot_be_is_refused(void **state)
{
    struct bench *b = *state;
    ask(b, "POST", BROWSE, "{\"phoneNumberType\":\"geographic\",\"phoneNumberPrefixes\":[\"12x\"]}");
    assert_error(b, 400, "BadRequest", "PrefixInvalid", "phoneNumberPrefixes");
    ask(b, "POST", BROWSE, "{\"phoneNumberType\":\"geographic\",\"phoneNumberPrefixes\":\"1206\"}");
    assert_error(b, 400, "BadRequest", "PrefixInvalid", "phoneNumberPrefixes");
    ask(b, "POST", BROWSE, "{\"phoneNumberType\":\"geographic\",\"phoneNumberPrefixes\":[1206]}");
    assert_error(b, 400, "BadRequest", "PrefixInvalid", "phoneNumberPrefixes");
    ask(b, "POST", BROWSE, "{\"phoneNumberType\":\"geographic\",\"capabilities\":{\"sms\":\"outbound\"}}");
    assert_error(b, 400, "InternalError", "PlanWithoutSms", NULL);
    ask(b, "POST", BROWSE, "{}");
    assert_int_equal(b->a.status, 400);
    ask(b, "POST", "/availablePhoneNumbers/countries/GB/:browse?" V, "{\"phoneNumberType\":\"geographic\"}");
    assert_error(b, 400, "BadRequest", "CountryNotOffered", NULL);
    b->key = KEY2;
    ask(b, "POST", BROWSE, "{\"phoneNumberType\":\"geographic\"}");
    assert_error(b, 403, "Forbidden", "TrialSubscriptionNotEligible", NULL);
}

#define OPERATOR "/operatorInformation/:search?" V

static const struct json *operator_of(struct bench *b, const char *number, bool additional)
{
    char body[300];
    snprintf(body, sizeof body, "{\"phoneNumbers\":[\"%s\"],\"options\":{\"includeAdditionalOperatorDetails\":%s}}", number,
             additional ? "true" : "false");
    const struct json *values = json_member(ask(b, "POST", OPERATOR, body), "values");
    if (b->a.status != 200 || json_count(values) != 1)
        fail_msg("%s: %s", number, b->a.text);
    return json_item(values, 0);
}

static void operator_information_is_what_our_tables_know(void **state)
{
    struct bench *b = *state;
    static const struct { const char *number, *national, *international, *country, *type, *carrier; } cases[] = {
        { "+12065552001", "(206) 555-2001", "+1 206-555-2001", "US", "geographic", "sim" },
        { "+18335552001", "(833) 555-2001", "+1 833-555-2001", "US", "other", "sim" },
        { "+12065550100", "(206) 555-0100", "+1 206-555-0100", "US", "unknown", NULL },
        { "+14162345678", "(416) 234-5678", "+1 416-234-5678", "CA", "unknown", NULL },
        { "+19002345678", "(900) 234-5678", "+1 900-234-5678", "US", "other", NULL },
        { "+442079460018", NULL, "+44 2079460018", "GB", "unknown", NULL },
        { "+80012345678", NULL, "+800 12345678", NULL, "unknown", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct json *x = operator_of(b, cases[i].number, false);
        assert_text(x, "phoneNumber", cases[i].number);
        assert_text(x, "internationalFormat", cases[i].international);
        assert_null(json_member(x, "numberType"));
        assert_null(json_member(x, "isoCountryCode"));
        x = operator_of(b, cases[i].number, true);
        assert_text(x, "nationalFormat", cases[i].national ? cases[i].national : "");
        assert_text(x, "isoCountryCode", cases[i].country ? cases[i].country : "");
        assert_text(x, "numberType", cases[i].type);
        assert_int_equal(json_kind(json_member(x, "operatorDetails")), cases[i].carrier ? JSON_IS_OBJECT : JSON_IS_ABSENT);
        if (cases[i].carrier)
            assert_text(json_member(x, "operatorDetails"), "name", cases[i].carrier);
    }
}

static void operator_information_is_for_one_number(void **state)
{
    struct bench *b = *state;
    ask(b, "POST", OPERATOR, "{\"phoneNumbers\":[\"+12065552001\",\"+12065552002\"]}");
    assert_error(b, 400, "BadRequest", "OneNumberOnly", "phoneNumbers");
    assert_text(json_member(json_root(b->a.doc), "error"), "message", "Can only accept one phoneNumber");
    ask(b, "POST", OPERATOR, "{\"phoneNumbers\":[]}");
    assert_error(b, 400, "BadRequest", "FieldNeeded", "phoneNumbers");
    ask(b, "POST", OPERATOR, "{\"phoneNumbers\":[7]}");
    assert_error(b, 400, "BadRequest", "FieldNeeded", "phoneNumbers");
    ask(b, "POST", OPERATOR, "{\"phoneNumbers\":[\"nonsense\"]}");
    assert_error(b, 400, "InternalError", "InvalidPhoneNumber", "phoneNumbers");
    ask(b, "POST", OPERATOR, "{\"phoneNumbers\":[\"+12065552001\"],\"options\":7}");
    assert_int_equal(b->a.status, 400);
    ask(b, "POST", OPERATOR, "{}");
    assert_int_equal(b->a.status, 400);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(what_a_browse_shows_can_be_reserved),
        T(a_browse_that_cannot_be_is_refused),
        T(operator_information_is_what_our_tables_know),
        T(operator_information_is_for_one_number),
        T(a_reservation_is_made_changed_and_bought),
        T(a_reservation_is_given_back),
        T(reservations_come_in_pages_without_their_numbers),
        T(a_reservation_that_cannot_be_read_is_refused),
        T(a_search_is_an_operation_with_a_result),
        T(a_purchase_names_no_result_and_the_number_is_there),
        T(capabilities_change_and_the_result_is_the_number),
        T(a_released_number_is_gone),
        T(numbers_are_listed_in_pages_with_relative_links),
        T(what_is_wrong_with_a_search_is_said_precisely),
        T(wrong_types_are_refused_with_their_target),
        T(who_may_not_acquire_is_told_which_rule),
        T(an_expired_hold_is_told_with_its_time),
        T(operations_are_their_resources_own_and_can_be_canceled),
        T(a_bad_number_in_the_path_is_told_in_the_services_words),
        T(countries_and_localities_are_the_editions),
        T(localities_come_in_pages_that_join_up),
        T(area_codes_are_filtered_by_type_and_place),
        T(offerings_say_what_may_be_had_for_how_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
