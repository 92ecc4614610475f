/* The operator's inventory over loopback HTTP: lists brought in piece by piece, looked at, changed, written down again. */
#include "base/crypto.h"
#include "domain/numbers/import.h"
#include "edge/api/api.h"
#include "edge/api/http.h"
#include "edge/api/http_server.h"
#include "edge/api/keyring.h"
#include "unit/domain/numbers/world.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEY      "0123456789abcdef0123456789abcdef"
#define OPERATOR "fedcba9876543210fedcba9876543210"
#define V1       "/carterfone/v1/numbers"

static const struct http_route *const tables[] = { inventory_routes, numbers_routes, NULL };

enum { TEXT_MAX = 4 << 20 };
struct bench {
    struct world       *w;
    struct app_api      api;
    struct http_server *srv;
    const char         *key, *type;
    int                 status;
    char               *text, *body;
    struct json_doc    *doc;
};

/* A carrier called acme, real to everybody; "sim" is always there. */
static bool carrier_known(void *arg, struct str name, bool *simulated)
{
    (void)arg;
    *simulated = false;
    return str_eqz(name, "acme");
}

static int set_up(void **state)
{
    static const struct http_listen listen_at = { "127.0.0.1", 0, NULL };
    struct bench *b = calloc(1, sizeof *b);
    struct problem why = { 0 };
    b->w = world_new();
    numbers_set_carriers(b->w->numbers, carrier_known, NULL);
    b->key = OPERATOR;
    b->type = "text/csv";
    b->text = malloc(TEXT_MAX);
    assert_int_equal(keyring_new(&b->api.keyring), ERR_NONE);
    assert_int_equal(keyring_put(b->api.keyring, b->w->us, STR("us"), STR(KEY), STR("")), ERR_NONE);
    assert_int_equal(keyring_set_operator(b->api.keyring, STR(OPERATOR)), ERR_NONE);
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
    json_doc_free(b->doc);
    http_server_stop(b->srv);
    loop_stop(b->w->control.loop);
    world_free(b->w);
    http_server_free(b->srv);
    keyring_free(b->api.keyring);
    free(b->text);
    free(b);
    return 0;
}

/* -- a client ------------------------------------------------------------------------------------------------------- */

static void put_request(struct bench *b, struct buf *out, const char *method, const char *target, struct str body)
{
    char date[RFC1123_SIZE], hash[BASE64_SIZE(32)], mac[BASE64_SIZE(32)];
    uint8_t octets[32];
    scoped_buf to_sign = { 0 };
    time_rfc1123(date, clock_wall_us());
    sha256(octets, body);
    base64_write(hash, octets, 32);
    buf_printf(&to_sign, "%s\n%s\n%s;localhost;%s", method, target, date, hash);
    hmac_sha256(octets, b->key, 32, buf_str(&to_sign));
    base64_write(mac, octets, 32);
    buf_printf(out, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nx-ms-date: %s\r\nx-ms-content-sha256: %s\r\n"
                    "Authorization: HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=%s\r\n"
                    "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
               method, target, date, hash, mac, body.n && body.p[0] == '{' ? "application/json" : b->type, body.n);
    buf_puts(out, body);
}

static void hear(struct bench *b, int fd)
{
    size_t n = 0;
    ssize_t got;
    while (n < TEXT_MAX - 1 && (got = recv(fd, b->text + n, TEXT_MAX - 1 - n, 0)) > 0)
        n += (size_t)got;
    b->text[n] = '\0';
    b->status = n > 9 ? atoi(b->text + 9) : 0;
    char *end = strstr(b->text, "\r\n\r\n");
    b->body = end ? end + 4 : b->text + n;
}

/* @return the answer's JSON, or NULL when it has none */
static const struct json *ask_octets(struct bench *b, const char *method, const char *target, struct str body)
{
    scoped_buf request = { 0 };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(http_server_port(b->srv, 0)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval limit = { .tv_sec = 20 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    put_request(b, &request, method, target, body);
    for (size_t at = 0; at < request.n;) {
        ssize_t n = send(fd, request.p + at, request.n - at, MSG_NOSIGNAL);
        assert_true(n > 0);
        at += (size_t)n;
    }
    hear(b, fd);
    close(fd);
    json_doc_free(b->doc);
    b->doc = NULL;
    if (b->body[0] != '{' || json_read(&b->doc, str_of(b->body), NULL))
        return NULL;
    return json_root(b->doc);
}

static const struct json *ask(struct bench *b, int status, const char *method, const char *target, const char *body)
{
    const struct json *j = ask_octets(b, method, target, str_of(body));
    if (b->status != status)
        fail_msg("%s %s: %.2000s", method, target, b->text);
    return j;
}

static void assert_text(const struct json *object, const char *name, const char *value)
{
    struct str got = json_text_of(object, name);
    if (!str_eqz(got, value))
        fail_msg("%s is '" STR_FMT "', not '%s'", name, STR_ARG(got), value);
}

static void assert_refused(struct bench *b, int status, const char *method, const char *target, const char *body, const char *rule)
{
    const struct json *error = json_member(ask(b, status, method, target, body), "error");
    assert_text(json_member(error, "innererror"), "code", rule);
    assert_true(json_text_of(error, "message").n && json_text_of(json_member(error, "innererror"), "message").n);
}

static void assert_bad(const struct json *bad, size_t i, int64_t line, const char *rule, const char *words)
{
    const struct json *row = json_item(bad, i);
    assert_int_equal(json_int_of(row, "line", 0), line);
    assert_text(row, "rule", rule);
    if (!strstr(json_text_of(row, "reason").p, words))
        fail_msg("'%s' does not say '%s'", json_text_of(row, "reason").p, words);
}

/* An import of this list, complete. */
static void imported(struct bench *b, const char *id, const char *list)
{
    char target[200], body[200];
    snprintf(body, sizeof body, "{\"id\":\"%s\",\"file\":\"list.csv\",\"carrier\":\"sim\"}", id);
    ask(b, 200, "POST", V1 "/imports", body);
    snprintf(target, sizeof target, V1 "/imports/%s/rows?line=1", id);
    ask(b, 200, "POST", target, list);
    assert_int_equal(json_int_of(json_root(b->doc), "badRows", -1), 0);
    snprintf(target, sizeof target, V1 "/imports/%s/:complete", id);
    assert_text(ask(b, 200, "POST", target, ""), "state", "complete");
}

/* -- the tests ------------------------------------------------------------------------------------------------------ */

static void a_list_comes_in_pieces_and_its_bad_rows_are_told_with_line_and_reason(void **state)
{
    struct bench *b = *state;
    const struct json *j = ask(b, 200, "POST", V1 "/imports", "{\"id\":\"first\",\"file\":\"block.csv\",\"carrier\":\"acme\"}");
    assert_text(j, "id", "first");
    assert_text(j, "file", "block.csv");
    assert_text(j, "state", "open");
    assert_int_equal(json_int_of(j, "nextLine", 0), 1);

    j = ask(b, 200, "POST", V1 "/imports/first/rows?line=1",
            "number,carrier,type,capabilities,cost,tags\r\n"
            "+12062000001,,local,calling:both sms:none,1.25,gold;west\r\n"
            "12062000002,acme,,,,\r\n"
            "+12062000003,nobody,,,,\r\n"
            "+1206200000,,,,,\r\n"
            "+12062000004,,toll-free,,,\r\n"
            "+12062000005,,fixed,,,\r\n"
            "+12062000006,,,sms:maybe,,\r\n"
            "+12062000007,,,,1.2.3,\r\n"
            "+12062000008,,,,,two words\r\n"
            "+12062000009,,,,\r\n"
            "+1206\"2000010,,,,,\r\n"
            "+12062000001,,,,,\r\n"
            "+12062000011,,,calling:none sms:none,,\r\n"
            "\xff\xfe,,,,,\r\n");
    assert_int_equal(json_int_of(j, "rows", -1), 2);
    assert_int_equal(json_int_of(j, "badRows", -1), 12);
    assert_int_equal(json_int_of(j, "nextLine", -1), 16);
    const struct json *bad = json_member(j, "bad");
    assert_int_equal(json_count(bad), 12);
    assert_bad(bad, 0, 4, "CarrierUnknown", "nobody");
    assert_bad(bad, 1, 5, "RowNumberInvalid", "+1206200000");
    assert_bad(bad, 2, 6, "RowTypeWrong", "+12062000004");
    assert_bad(bad, 3, 7, "RowTypeUnknown", "+12062000005: 'fixed'");
    assert_bad(bad, 4, 8, "RowCapabilityUnknown", "'sms:maybe'");
    assert_bad(bad, 5, 9, "RowCostInvalid", "'1.2.3'");
    assert_bad(bad, 6, 10, "RowTagsInvalid", "two words");
    assert_bad(bad, 7, 11, "RowMalformed", "fewer fields");
    assert_bad(bad, 8, 12, "RowMalformed", "a quote stands inside an unquoted field");
    assert_bad(bad, 9, 13, "RowDoubled", "+12062000001");
    assert_bad(bad, 10, 14, "RowWithoutCapability", "+12062000011");
    assert_bad(bad, 11, 15, "RowNumberInvalid", "\xef\xbf\xbd\xef\xbf\xbd");

    /* the next piece is told its columns, and must begin where the last one ended */
    assert_refused(b, 409, "POST", V1 "/imports/first/rows?line=15&columns=number", "+12062000020\n", "ImportNotAtLine");
    j = ask(b, 200, "POST", V1 "/imports/first/rows?line=16&columns=number", "+12062000020\n\n+12062000021");
    assert_int_equal(json_int_of(j, "rows", -1), 4);
    assert_int_equal(json_int_of(j, "nextLine", -1), 19);
    assert_false(json_count(json_member(j, "bad")));

    /* nobody sees it before it is complete */
    j = ask(b, 200, "GET", V1 "/inventory?state=available", "");
    assert_int_equal(json_count(json_member(j, "value")), 0);
    j = ask(b, 200, "POST", V1 "/imports/first/:complete", "");
    assert_text(j, "state", "complete");
    assert_int_equal(json_int_of(j, "numbers", -1), 4);
    j = ask(b, 200, "GET", V1 "/inventory?state=available", "");
    assert_int_equal(json_count(json_member(j, "value")), 4);
    assert_refused(b, 409, "POST", V1 "/imports/first/rows?line=19&columns=number", "+12062000022\n", "ImportEnded");

    j = ask(b, 200, "GET", V1 "/imports/first/badRows?after=4&top=2", "");
    assert_bad(json_member(j, "value"), 0, 5, "RowNumberInvalid", "+1206200000");
    assert_int_equal(json_count(json_member(j, "value")), 2);
    assert_text(j, "nextLink", V1 "/imports/first/badRows?top=2&after=6");
    assert_refused(b, 404, "GET", V1 "/imports/second/badRows", "", "ImportNotFound");
}

static void what_is_wrong_with_a_request_is_said_before_anything_is_taken(void **state)
{
    struct bench *b = *state;
    assert_refused(b, 400, "POST", V1 "/imports", "{\"id\":\"no good\"}", "ImportIdInvalid");
    assert_refused(b, 400, "POST", V1 "/imports", "{\"id\":\"x\",\"carrier\":\"nobody\"}", "CarrierUnknown");
    ask(b, 400, "POST", V1 "/imports", "{\"id\":7}");
    assert_refused(b, 404, "GET", V1 "/imports/x", "", "ImportNotFound");
    assert_refused(b, 404, "POST", V1 "/imports/x/rows?line=1", "number\n+12062000001\n", "ImportNotFound");
    assert_refused(b, 400, "POST", V1 "/imports/x/rows?line=1", "numbr\n+12062000001\n", "ColumnUnknown");
    ask(b, 400, "POST", V1 "/imports/x/rows?line=0", "number\n");
    b->key = KEY;                       /* a resource's key opens none of it */
    static const struct { const char *method, *target; } routes[] = {
        { "GET", V1 "/imports" }, { "POST", V1 "/imports" }, { "GET", V1 "/imports/x" }, { "POST", V1 "/imports/x/rows" },
        { "POST", V1 "/imports/x/:complete" }, { "POST", V1 "/imports/x/:rollBack" }, { "GET", V1 "/imports/x/badRows" },
        { "GET", V1 "/inventory" }, { "GET", V1 "/inventory/12062000001" }, { "PATCH", V1 "/inventory/12062000001" },
        { "DELETE", V1 "/inventory/12062000001" }, { "GET", V1 "/inventory/12062000001/history" }, { "GET", V1 "/pools" },
        { "GET", V1 "/export" },
    };
    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        assert_refused(b, 403, routes[i].method, routes[i].target, "", "OperatorOnly");
}

static void an_import_is_found_again_and_rolled_back(void **state)
{
    struct bench *b = *state;
    imported(b, "one", "number\n+12062000001\n+12062000002\n");
    ask(b, 200, "POST", V1 "/imports", "{\"id\":\"two\",\"carrier\":\"sim\"}");
    ask(b, 200, "POST", V1 "/imports/two/rows?line=1", "number\n+12062000003\n");
    const struct json *j = ask(b, 200, "POST", V1 "/imports", "{\"id\":\"two\",\"carrier\":\"sim\"}");
    assert_int_equal(json_int_of(j, "nextLine", -1), 3);
    assert_refused(b, 409, "POST", V1 "/imports", "{\"id\":\"one\",\"carrier\":\"sim\"}", "ImportEnded");

    j = json_member(ask(b, 200, "GET", V1 "/imports", ""), "value");
    assert_int_equal(json_count(j), 2);
    assert_text(json_item(j, 0), "id", "two");
    assert_text(json_item(j, 1), "id", "one");
    j = ask(b, 200, "GET", V1 "/imports?top=1", "");
    assert_int_equal(json_count(json_member(j, "value")), 1);
    assert_text(j, "nextLink", V1 "/imports?top=1&skip=1");

    assert_text(ask(b, 200, "POST", V1 "/imports/two/:rollBack", ""), "state", "rolledBack");
    assert_text(ask(b, 200, "POST", V1 "/imports/one/:rollBack", ""), "state", "rolledBack");
    j = ask(b, 200, "GET", V1 "/inventory", "");
    assert_int_equal(json_count(json_member(j, "value")), 0);
    assert_refused(b, 409, "POST", V1 "/imports/one/:complete", "", "ImportEnded");
}

static const char LIST[] =
    "number,type,capabilities,cost,tags\n"
    "+12062000001,local,calling:both sms:none,1.25,gold;west\n"
    "+12062000002,local,calling:inbound sms:none,0.5,\n"
    "+12122000003,local,calling:both sms:both,1,east\n"
    "+18332000004,toll-free,calling:none sms:outbound,2,gold\n";

static size_t listed(struct bench *b, const char *query)
{
    char target[300];
    snprintf(target, sizeof target, V1 "/inventory?%s", query);
    return json_count(json_member(ask(b, 200, "GET", target, ""), "value"));
}

static void a_type_is_told_by_the_list_or_by_the_number(void **state)
{
    struct bench *b = *state;
    imported(b, "types", "type,number\nGeographic,+12062000001\nLOCAL,+12062000002\n,+12062000003\n,+18332000004\n"
                         "tollFree,+18332000005\ntoll-free,+18332000006\nmobile,+447700900123\n,+442079460018\n");
    assert_int_equal(listed(b, "type=local&country=US"), 3);
    assert_int_equal(listed(b, "type=Toll-Free"), 3);
    assert_int_equal(listed(b, "type=mobile"), 1);
    assert_int_equal(listed(b, "type=geographic&country=GB"), 1);
}

static void the_inventory_is_listed_by_what_is_asked(void **state)
{
    struct bench *b = *state;
    imported(b, "stock", LIST);
    assert_int_equal(listed(b, ""), 4);
    assert_int_equal(listed(b, "prefix=1206"), 2);
    assert_int_equal(listed(b, "prefix=%2B1206,1833"), 3);
    assert_int_equal(listed(b, "pattern=*0003"), 1);
    assert_int_equal(listed(b, "pattern=206200000%3F"), 2);
    assert_int_equal(listed(b, "locality=seattle"), 2);
    assert_int_equal(listed(b, "locality=Seattle,%20WA&prefix=12062000002"), 1);
    assert_int_equal(listed(b, "locality=Seattle&prefix=1833"), 0);
    assert_int_equal(listed(b, "type=toll-free"), 1);
    assert_int_equal(listed(b, "type=geographic"), 3);
    assert_int_equal(listed(b, "carrier=sim"), 4);
    assert_int_equal(listed(b, "carrier=acme"), 0);
    assert_int_equal(listed(b, "tag=gold"), 2);
    assert_int_equal(listed(b, "tag=gold&state=available&country=US&import=stock&type=local"), 1);
    assert_int_equal(listed(b, "state=leased"), 0);
    assert_refused(b, 400, "GET", V1 "/inventory?prefix=12x", "", "PrefixInvalid");
    assert_refused(b, 400, "GET", V1 "/inventory?pattern=x", "", "PatternInvalid");
    assert_refused(b, 400, "GET", V1 "/inventory?locality=Atlantis", "", "LocalityUnknown");
    assert_refused(b, 400, "GET", V1 "/inventory?type=fixed", "", "PhoneNumberTypeUnknown");
    assert_refused(b, 400, "GET", V1 "/inventory?state=gone", "", "StockStateUnknown");
    assert_refused(b, 404, "GET", V1 "/inventory?import=other", "", "ImportNotFound");
    assert_refused(b, 400, "GET", V1 "/inventory?after=x", "", "InvalidPhoneNumber");

    /* page by page, with the same question */
    char link[300] = V1 "/inventory?top=1&tag=gold";
    const char *const wanted[] = { "+12062000001", "+18332000004" };
    size_t n = 0;
    while (*link) {
        const struct json *j = ask(b, 200, "GET", link, ""), *page = json_member(j, "value");
        for (size_t i = 0; i < json_count(page); i++, n++)
            assert_text(json_item(page, i), "phoneNumber", n < 2 ? wanted[n] : "none");
        str_copyz(link, sizeof link, json_text_of(j, "nextLink"));
    }
    assert_int_equal(n, 2);
}

static void one_number_has_facts_tags_a_note_and_a_history(void **state)
{
    struct bench *b = *state;
    imported(b, "stock", LIST);
    const struct json *j = ask(b, 200, "GET", V1 "/inventory/+12062000001", "");
    assert_text(j, "phoneNumber", "+12062000001");
    assert_text(j, "state", "available");
    assert_text(j, "phoneNumberType", "geographic");
    assert_text(j, "locality", "Seattle");
    assert_text(json_member(j, "capabilities"), "calling", "inbound+outbound");
    assert_text(json_member(j, "capabilities"), "sms", "none");
    assert_text(j, "import", "stock");
    assert_true(json_number(json_member(json_member(j, "cost"), "amount"), 0) == 1.25);
    assert_int_equal(json_count(json_member(j, "tags")), 2);

    j = ask(b, 200, "PATCH", V1 "/inventory/+12062000001", "{\"tags\":[\"vip\"],\"note\":\"for the \\\"mayor\\\"\"}");
    assert_int_equal(json_count(json_member(j, "tags")), 3);
    assert_int_equal(json_count(json_member(j, "ownTags")), 1);
    assert_text(j, "note", "for the \"mayor\"");
    assert_int_equal(listed(b, "tag=vip"), 1);
    j = ask(b, 200, "PATCH", V1 "/inventory/+12062000001", "{\"tags\":[]}");
    assert_int_equal(json_count(json_member(j, "ownTags")), 0);
    assert_text(j, "note", "for the \"mayor\"");
    ask(b, 400, "PATCH", V1 "/inventory/+12062000001", "{}");
    ask(b, 400, "PATCH", V1 "/inventory/+12062000001", "{\"tags\":\"vip\"}");
    ask(b, 400, "PATCH", V1 "/inventory/+12062000001", "{\"tags\":[\"a b\"]}");
    assert_refused(b, 404, "PATCH", V1 "/inventory/+12062000009", "{\"note\":\"x\"}", "InventoryHasNoSuch");
    assert_refused(b, 404, "GET", V1 "/inventory/+12062000009", "", "InventoryHasNoSuch");

    j = json_member(ask(b, 200, "GET", V1 "/inventory/+12062000001/history", ""), "value");
    static const char *const told[] = { "tagRemoved", "noteSet", "tagAdded" };     /* the newest first */
    assert_int_equal(json_count(j), ARRAY_LEN(told));
    for (size_t i = 0; i < ARRAY_LEN(told); i++)
        assert_text(json_item(j, i), "what", told[i]);
    assert_text(json_item(j, 0), "detail", "vip");
    assert_text(json_item(j, 0), "by", "operator");
    j = ask(b, 200, "GET", V1 "/inventory/+12062000001/history?top=1", "");
    assert_int_equal(json_count(json_member(j, "value")), 1);
    assert_true(json_text_of(j, "nextLink").n > 0);
}

static void a_number_is_withdrawn(void **state)
{
    struct bench *b = *state;
    imported(b, "stock", LIST);
    ask(b, 204, "DELETE", V1 "/inventory/+12062000002", "");
    assert_int_equal(listed(b, ""), 3);
    assert_refused(b, 404, "DELETE", V1 "/inventory/+12062000002", "", "InventoryHasNoSuch");
}

static void pools_count_each_sort(void **state)
{
    struct bench *b = *state;
    imported(b, "stock", LIST);
    const struct json *j = json_member(ask(b, 200, "GET", V1 "/pools", ""), "value");
    int64_t total = 0, available = 0;
    assert_int_equal(json_count(j), 4);
    for (size_t i = 0; i < json_count(j); i++) {
        assert_text(json_item(j, i), "carrier", "sim");
        assert_text(json_item(j, i), "countryCode", "US");
        total += json_int_of(json_item(j, i), "total", 0);
        available += json_int_of(json_item(j, i), "available", 0);
    }
    assert_int_equal(total, 4);
    assert_int_equal(available, 4);
}

static void an_export_is_what_an_import_reads(void **state)
{
    struct bench *b = *state;
    imported(b, "stock", LIST);
    ask(b, 200, "PATCH", V1 "/inventory/+12062000001", "{\"note\":\"a, \\\"b\\\"\"}");
    ask(b, 200, "GET", V1 "/export", "");
    assert_non_null(strstr(b->text, "Content-Type: text/csv"));
    static const char whole[] =
        "number,carrier,type,country,capabilities,cost,tags,state,resource,note\r\n"
        "+12062000001,sim,local,US,calling:inbound+outbound sms:none,1.25,gold;west,available,,\"a, \"\"b\"\"\"\r\n"
        "+12062000002,sim,local,US,calling:inbound sms:none,0.5,,available,,\r\n"
        "+12122000003,sim,local,US,calling:inbound+outbound sms:inbound+outbound,1,east,available,,\r\n"
        "+18332000004,sim,toll-free,US,calling:none sms:outbound,2,gold,available,,\r\n";
    assert_string_equal(b->body, whole);
    char *text = strdup(b->body);
    ask(b, 200, "POST", V1 "/imports/stock/:rollBack", "");
    imported(b, "again", text);
    free(text);
    ask(b, 200, "GET", V1 "/export?type=toll-free", "");
    assert_string_equal(b->body, "number,carrier,type,country,capabilities,cost,tags,state,resource,note\r\n"
                                 "+18332000004,sim,toll-free,US,calling:none sms:outbound,2,gold,available,,\r\n");
}

static void a_long_export_comes_in_pages_that_are_one_file(void **state)
{
    struct bench *b = *state;
    scoped_buf list = { 0 };
    char link[300] = V1 "/export?carrier=sim";
    size_t lines = 0, pages = 0;
    buf_putz(&list, "number\n");
    for (int i = 0; i < 2500; i++)
        buf_printf(&list, "+1206%07d\n", 2000000 + i);
    buf_putc(&list, 0);
    imported(b, "long", list.p);
    while (*link) {
        ask(b, 200, "GET", link, "");
        char *next = strcasestr(b->text, "\r\nLink: <");
        link[0] = '\0';
        if (next && next < b->body)
            sscanf(next + 9, "%299[^>]", link);
        for (char *p = b->body; (p = strchr(p, '\n')); p++)
            lines++;
        assert_true(++pages < 10);
    }
    assert_int_equal(lines, 2501);
    assert_true(pages >= 3);
}

static void a_piece_of_a_mebibyte_is_taken_and_more_is_refused(void **state)
{
    struct bench *b = *state;
    scoped_buf list = { 0 };
    ask(b, 200, "POST", V1 "/imports", "{\"id\":\"wide\",\"carrier\":\"sim\"}");
    buf_putz(&list, "number,tags\n");
    for (int i = 0; i < 8000; i++)
        buf_printf(&list, "+1206%07d,%0*d\n", 2000000 + i, 110, i);
    assert_true(list.n > 900000 && list.n < (1 << 20));
    const struct json *j = ask_octets(b, "POST", V1 "/imports/wide/rows?line=1", buf_str(&list));
    assert_int_equal(b->status, 200);
    assert_int_equal(json_int_of(j, "rows", -1), 8000);
    while (list.n <= 1 << 20)
        buf_putz(&list, "\n");
    ask_octets(b, "POST", V1 "/imports/wide/rows?line=8002&columns=number,tags", buf_str(&list));
    assert_int_equal(b->status, 413);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_list_comes_in_pieces_and_its_bad_rows_are_told_with_line_and_reason),
        TEST(what_is_wrong_with_a_request_is_said_before_anything_is_taken),
        TEST(an_import_is_found_again_and_rolled_back),
        TEST(a_type_is_told_by_the_list_or_by_the_number),
        TEST(the_inventory_is_listed_by_what_is_asked),
        TEST(one_number_has_facts_tags_a_note_and_a_history),
        TEST(a_number_is_withdrawn),
        TEST(pools_count_each_sort),
        TEST(an_export_is_what_an_import_reads),
        TEST(a_long_export_comes_in_pages_that_are_one_file),
        TEST(a_piece_of_a_mebibyte_is_taken_and_more_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
