/* The vectors are those of captured SDK requests; see docs on the wire format. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"
#include "edge/api/http_auth.h"
#include "edge/api/http_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define KEY      "0123456789abcdef0123456789abcdef"
#define DATE     "Sun, 22 Nov 2026 19:23:56 GMT"
#define NO_BODY  "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define SIGNED(s) STR("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=" s)

struct bench {
    struct arena           *arena;
    struct keyring         *ring;
    struct http_signed      rq;
    struct keyring_question q;
    struct keyring_proof    proof;
    struct problem          why;
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    b->arena = arena_new();
    assert_int_equal(keyring_new(&b->ring), ERR_NONE);
    assert_int_equal(keyring_put(b->ring, 7, STR("default"), STR(KEY), STR("")), ERR_NONE);
    b->rq = (struct http_signed){ .method = STR("GET"), .date = STR(DATE), .content_hash = STR(NO_BODY),
                                  .host = STR("localhost:8443") };
    assert_int_equal(time_rfc1123_read(STR(DATE), &b->rq.now_us), ERR_NONE);
    b->q = (struct keyring_question){ .host = b->rq.host, .loopback = true };
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    arena_free(b->arena);
    keyring_free(b->ring);
    free(b);
    return 0;
}

static enum err prove(struct bench *b)
{
    b->why = (struct problem){ 0 };
    b->q.host = b->rq.host;
    return http_auth_prove(b->ring, &b->rq, &b->q, b->arena, &b->proof, &b->why);
}

/* Sign what a client says it signed. */
static void sign_with(struct bench *b, struct str key, struct str target, struct str host)
{
    uint8_t mac[32];
    char text[64];
    struct str to_sign = arena_printf(b->arena, STR_FMT "\n" STR_FMT "\n" STR_FMT ";" STR_FMT ";" STR_FMT,
                                      STR_ARG(b->rq.method), STR_ARG(target), STR_ARG(b->rq.date), STR_ARG(host),
                                      STR_ARG(b->rq.content_hash));
    hmac_sha256(mac, key.p, key.n, to_sign);
    base64_write(text, mac, sizeof mac);
    b->rq.authorization = arena_printf(
        b->arena, "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=%s", text);
}

static void a_captured_get_is_proven(void **state)
{
    struct bench *b = *state;
    b->rq.target = STR("/phoneNumbers/%2B18005550004?api-version=2025-06-01");
    b->rq.authorization = SIGNED("KC6BSbOz+ypsf3sEipKJro1MFyFhGBlXHmsBiuHO5Fw=");
    assert_int_equal(prove(b), ERR_NONE);
    assert_int_equal(b->proof.resource, 7);
    assert_false(b->proof.is_operator);
}

static void a_captured_post_is_proven_with_its_body(void **state)
{
    struct bench *b = *state;
    b->rq.method = STR("POST");
    b->rq.target = STR("/sms?api-version=2021-03-07");
    b->rq.body = STR("{\"from\":\"+18005550004\"}");
    b->rq.content_hash = STR("A6fNLhgjaRajW4TsBafOBOdwk8DtlFRuNjvc0gKKbZc=");
    b->rq.authorization = SIGNED("SVw69Jlwkw7tyfjQbjBfiMc2o4QgsimpbQ+yFLCT0eI=");
    assert_int_equal(prove(b), ERR_NONE);
    b->rq.body = STR("{\"from\":\"+18005550005\"}");
    assert_int_equal(prove(b), ERR_UNPROVEN);
    assert_string_equal(b->why.rule, "HashMismatch");
}

static void the_js_query_is_signed_form_encoded_but_sent_percent_encoded(void **state)
{
    struct bench *b = *state;
    b->rq.target = STR("/availablePhoneNumbers/countries/US/areaCodes?phoneNumberType=geographic&locality=San%20Jose"
                       "&api-version=2025-06-01");
    b->rq.authorization = SIGNED("JaRYy2m06owalLaS0z90KduRTADBO43z72IOJ/1tbQM=");
    assert_int_equal(prove(b), ERR_NONE);
}

static void a_query_is_encoded_again_as_the_url_standard_says(void **state)
{
    struct bench *b = *state;
    static const char *const pairs[][2] = {
        { "/p?a=b%20c", "/p?a=b+c" },         { "/p?a=~!'()*", "/p?a=%7E%21%27%28%29*" },
        { "/p?a&b=", "/p?a=&b=" },            { "/p?&&a=1&", "/p?a=1" },
        { "/p?a=%zz", "/p?a=%25zz" },         { "/p?a=%2b+", "/p?a=%2B+" },
        { "/%2B1?x=1=2", "/%2B1?x=1%3D2" },   { "/p", "/p" },
        { "/p?", "/p" },                      { "/p?a=%c3%bc%", "/p?a=%C3%BC%25" },
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct str got = http_auth_form_target(b->arena, str_of(pairs[i][0]));
        assert_string_equal(arena_str(b->arena, got).p, pairs[i][1]);
    }
}

static void odd_clients_are_understood(void **state)
{
    struct bench *b = *state;
    b->rq.target = STR("/phoneNumbers/%2B1?locality=San%20Jose&api-version=1");
    sign_with(b, STR(KEY), b->rq.target, STR("localhost"));                                 /* host without its port */
    assert_int_equal(prove(b), ERR_NONE);
    sign_with(b, STR(KEY), STR("/phoneNumbers/%2B1?locality=San+Jose&api-version=1"), STR("localhost"));
    assert_int_equal(prove(b), ERR_NONE);
    sign_with(b, STR(KEY), str_from(b->rq.target, 1), b->rq.host);                          /* Python over http */
    assert_int_equal(prove(b), ERR_NONE);
    sign_with(b, STR(KEY), STR("/phoneNumbers/%2B1"), b->rq.host);                          /* nobody does this */
    assert_int_equal(prove(b), ERR_UNPROVEN);
    assert_string_equal(b->why.rule, "BadSignature");
}

static void a_recording_may_be_signed_over_its_bare_path_and_another_host(void **state)
{
    struct bench *b = *state;
    b->rq.target = STR("/v1/objects/1/content?x=1");
    b->rq.ms_host = STR("contoso.example");
    sign_with(b, STR(KEY), STR("/v1/objects/1/content"), b->rq.ms_host);
    assert_int_equal(prove(b), ERR_UNPROVEN);       /* not everywhere: a query must be signed elsewhere */
    b->rq.content = true;
    assert_int_equal(prove(b), ERR_NONE);
}

static void both_keys_work_and_a_replaced_key_ends(void **state)
{
    struct bench *b = *state;
    struct str second = STR("fedcba9876543210fedcba9876543210");
    b->rq.target = STR("/sip?api-version=1");
    sign_with(b, second, b->rq.target, b->rq.host);
    assert_int_equal(prove(b), ERR_UNPROVEN);
    assert_int_equal(keyring_put(b->ring, 7, STR("default"), STR(KEY), second), ERR_NONE);
    assert_int_equal(prove(b), ERR_NONE);
    assert_int_equal(keyring_put(b->ring, 7, STR("default"), STR(KEY), STR("another key of another length!")), ERR_NONE);
    assert_int_equal(prove(b), ERR_UNPROVEN);
}

static void each_refusal_names_the_part_that_is_wrong(void **state)
{
    struct bench *b = *state;
    static const struct { const char *authorization, *rule; } cases[] = {
        { "", "NoCredentials" },
        { "Bearer eyJ.a.b", "TokenMalformed" },
        { "Basic Zm9v", "MalformedCredentials" },
        { "HMAC-SHA256 ", "MalformedCredentials" },
        { "HMAC-SHA256 SignedHeaders=host&Signature=AAAA", "MalformedCredentials" },
        { "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=AAAA", "MalformedCredentials" },
        { "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="
          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "BadSignature" },
    };
    b->rq.target = STR("/sip?api-version=1");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        b->rq.authorization = str_of(cases[i].authorization);
        assert_int_equal(prove(b), ERR_UNPROVEN);
        assert_string_equal(b->why.code, "Denied");
        assert_string_equal(b->why.rule, cases[i].rule);
    }
}

static void the_date_may_be_fifteen_minutes_off_and_no_more(void **state)
{
    struct bench *b = *state;
    int64_t minute = (int64_t)60 * US_PER_S;
    b->rq.target = STR("/sip?api-version=1");
    sign_with(b, STR(KEY), b->rq.target, b->rq.host);
    b->rq.now_us += 15 * minute;
    assert_int_equal(prove(b), ERR_NONE);
    b->rq.now_us -= 30 * minute;
    assert_int_equal(prove(b), ERR_NONE);
    b->rq.now_us -= 1;
    assert_int_equal(prove(b), ERR_UNPROVEN);
    assert_string_equal(b->why.rule, "DateSkew");
    b->rq.date = STR("yesterday");
    assert_int_equal(prove(b), ERR_UNPROVEN);
    assert_string_equal(b->why.rule, "DateMalformed");
}

static void the_same_signature_may_come_again(void **state)
{
    struct bench *b = *state;
    b->rq.target = STR("/sip?api-version=1");
    sign_with(b, STR(KEY), b->rq.target, b->rq.host);
    for (int i = 0; i < 4; i++)
        assert_int_equal(prove(b), ERR_NONE);
}

/* -- whose request is it? ------------------------------------------------------------------------------------------ */

static void signed_by(struct bench *b, struct str key, const char *host)
{
    b->rq.target = STR("/sip?api-version=1");
    b->rq.host = str_of(host);
    sign_with(b, key, b->rq.target, b->rq.host);
}

static void the_host_label_names_the_resource(void **state)
{
    struct bench *b = *state;
    struct str shop = STR("shop key shop key shop key shop!");
    assert_int_equal(keyring_put(b->ring, 9, STR("shop"), shop, STR("")), ERR_NONE);
    signed_by(b, shop, "Shop.localhost:4500");
    assert_int_equal(prove(b), ERR_NONE);
    assert_int_equal(b->proof.resource, 9);
    signed_by(b, STR(KEY), "shop.localhost:4500");
    assert_int_equal(prove(b), ERR_UNPROVEN);       /* another resource's key does not open this one */
}

static void an_address_names_no_resource(void **state)
{
    struct bench *b = *state;
    assert_int_equal(keyring_put(b->ring, 9, STR("127"), STR("a key of the resource named 127!"), STR("")), ERR_NONE);
    signed_by(b, STR(KEY), "127.0.0.1:4500");
    assert_int_equal(prove(b), ERR_NONE);
    assert_int_equal(b->proof.resource, 7);
    signed_by(b, STR("a key of the resource named 127!"), "127.localhost:4500");
    assert_int_equal(prove(b), ERR_NONE);
    assert_int_equal(b->proof.resource, 9);
}

static void the_listener_names_the_resource_when_the_host_does_not(void **state)
{
    struct bench *b = *state;
    struct str shop = STR("shop key shop key shop key shop!");
    assert_int_equal(keyring_put(b->ring, 9, STR("shop"), shop, STR("")), ERR_NONE);
    b->q.bound = STR("shop");
    signed_by(b, STR(KEY), "localhost:4501");
    assert_int_equal(prove(b), ERR_UNPROVEN);
    signed_by(b, shop, "localhost:4501");
    assert_int_equal(prove(b), ERR_NONE);
    assert_int_equal(b->proof.resource, 9);
    b->q.bound = STR("gone");
    assert_int_equal(prove(b), ERR_UNPROVEN);
    assert_string_equal(b->why.rule, "UnknownResource");
}

static void on_loopback_alone_the_key_itself_tells_the_resource(void **state)
{
    struct bench *b = *state;
    struct str shop = STR("shop key shop key shop key shop!");
    assert_int_equal(keyring_put(b->ring, 9, STR("shop"), shop, STR("")), ERR_NONE);
    signed_by(b, shop, "localhost:4500");
    assert_int_equal(prove(b), ERR_NONE);
    assert_int_equal(b->proof.resource, 9);
    b->q.loopback = false;
    assert_int_equal(prove(b), ERR_UNPROVEN);
    signed_by(b, STR(KEY), "api.example.com");
    assert_int_equal(prove(b), ERR_NONE);           /* the default */
    assert_int_equal(b->proof.resource, 7);
}

static void with_more_resources_than_are_worth_trying_there_is_no_guess(void **state)
{
    struct bench *b = *state;
    struct str shop = STR("shop key shop key shop key shop!");
    for (uint64_t i = 0; i < KEYRING_GUESSES_MAX; i++)
        assert_int_equal(keyring_put(b->ring, 100 + i, arena_printf(b->arena, "r%d", (int)i), shop, STR("")), ERR_NONE);
    signed_by(b, shop, "localhost:4500");
    assert_int_equal(prove(b), ERR_UNPROVEN);
    keyring_remove(b->ring, 100);
    assert_int_equal(prove(b), ERR_NONE);
}

static struct str development_key(struct bench *b)
{
    char octets[33];
    size_t n;
    assert_int_equal(base64_read(octets, sizeof octets, STR(KEYRING_DEVELOPMENT_KEY), &n), ERR_NONE);
    assert_int_equal(n, 32);
    return arena_str(b->arena, (struct str){ octets, n });
}

static void the_development_key_needs_loopback_a_local_host_and_no_proxy(void **state)
{
    struct bench *b = *state;
    struct str key = development_key(b);
    signed_by(b, key, "localhost:4500");
    assert_int_equal(prove(b), ERR_UNPROVEN);       /* not allowed until someone says so */
    keyring_set_development(b->ring, true);
    assert_int_equal(prove(b), ERR_NONE);
    assert_int_equal(b->proof.resource, 7);
    static const char *const local[] = { "127.0.0.1:1", "[::1]:1", "default.localhost", "LOCALHOST" };
    for (size_t i = 0; i < ARRAY_LEN(local); i++) {
        signed_by(b, key, local[i]);
        assert_int_equal(prove(b), ERR_NONE);
    }
    static const char *const strange[] = { "example.com", "localhost.example.com", "notlocalhost", "10.0.0.1", "" };
    for (size_t i = 0; i < ARRAY_LEN(strange); i++) {
        signed_by(b, key, strange[i]);
        assert_int_equal(prove(b), ERR_UNPROVEN);
    }
    signed_by(b, key, "localhost:4500");
    b->q.forwarded = true;
    assert_int_equal(prove(b), ERR_UNPROVEN);
    b->q.forwarded = false;
    b->q.loopback = false;
    assert_int_equal(prove(b), ERR_UNPROVEN);
    b->q.loopback = true;
    keyring_set_development(b->ring, false);
    assert_int_equal(prove(b), ERR_UNPROVEN);       /* a real carrier came */
}

static void the_operators_key_opens_the_operators_paths_only(void **state)
{
    struct bench *b = *state;
    struct str key = STR("operator operator operator opera");
    assert_int_equal(keyring_set_operator(b->ring, key), ERR_NONE);
    signed_by(b, key, "localhost:4500");
    assert_int_equal(prove(b), ERR_UNPROVEN);
    b->q.operator_too = true;
    assert_int_equal(prove(b), ERR_NONE);
    assert_true(b->proof.is_operator);
    assert_int_equal(b->proof.resource, 0);
    signed_by(b, STR(KEY), "localhost:4500");
    assert_int_equal(prove(b), ERR_NONE);           /* a resource, for its own objects */
    assert_false(b->proof.is_operator);
    assert_int_equal(b->proof.resource, 7);
    keyring_set_development(b->ring, true);
    signed_by(b, development_key(b), "localhost:4500");
    assert_int_equal(prove(b), ERR_NONE);
    assert_true(b->proof.is_operator);
}

static void an_empty_key_proves_nothing(void **state)
{
    struct bench *b = *state;
    assert_int_equal(keyring_put(b->ring, 7, STR("default"), STR(""), STR("")), ERR_NONE);
    b->q.operator_too = true;
    signed_by(b, STR(""), "localhost:4500");
    assert_int_equal(prove(b), ERR_UNPROVEN);
}

/* -- bearer tokens ------------------------------------------------------------------------------------------------- */

/* The request brings a token of this key, that ends in so many seconds. */
static enum err bring_token(struct bench *b, const char *key, int64_t in_s)
{
    static char text[HTTP_TOKEN_SIZE + 8] = "Bearer ";
    http_token_write(text + 7, str_of(key), b->rq.now_us / US_PER_S + in_s);
    b->rq.authorization = str_of(text);
    return prove(b);
}

static void a_token_proves_the_key_it_was_made_of_until_it_ends(void **state)
{
    struct bench *b = *state;
    b->rq.tls = true;
    assert_int_equal(bring_token(b, KEY, 1), ERR_NONE);
    assert_int_equal(b->proof.resource, 7);
    assert_int_equal(bring_token(b, KEY, 0), ERR_UNPROVEN);
    assert_string_equal(b->why.rule, "TokenExpired");
    assert_int_equal(bring_token(b, KEY, HTTP_TOKEN_LONGEST_S + 1), ERR_UNPROVEN);
    assert_string_equal(b->why.rule, "TokenExpired");
    assert_int_equal(bring_token(b, "another key", 60), ERR_UNPROVEN);
    assert_string_equal(b->why.rule, "BadToken");
    assert_int_equal(keyring_put(b->ring, 7, STR("default"), STR(""), STR("")), ERR_NONE);
    assert_int_equal(bring_token(b, KEY, 60), ERR_UNPROVEN);
    assert_int_equal(bring_token(b, "", 60), ERR_UNPROVEN);
}

static void the_operators_token_opens_the_operators_paths_only(void **state)
{
    struct bench *b = *state;
    assert_int_equal(keyring_set_operator(b->ring, STR("the operator")), ERR_NONE);
    b->rq.tls = true;
    assert_int_equal(bring_token(b, "the operator", 60), ERR_UNPROVEN);
    b->q.operator_too = true;
    assert_int_equal(bring_token(b, "the operator", 60), ERR_NONE);
    assert_true(b->proof.is_operator);
}

static void a_token_comes_over_tls_or_from_this_machine(void **state)
{
    struct bench *b = *state;
    assert_int_equal(bring_token(b, KEY, 60), ERR_NONE);
    b->q.loopback = false;
    b->rq.host = STR("default.example.com");
    assert_int_equal(bring_token(b, KEY, 60), ERR_UNPROVEN);
    assert_string_equal(b->why.rule, "TokenNeedsTls");
    b->rq.tls = true;
    assert_int_equal(bring_token(b, KEY, 60), ERR_NONE);
}

static void the_development_key_is_a_token_where_it_is_a_key(void **state)
{
    struct bench *b = *state;
    b->rq.tls = true;
    b->q.operator_too = true;
    b->rq.authorization = STR("Bearer " KEYRING_DEVELOPMENT_KEY);
    assert_int_equal(prove(b), ERR_UNPROVEN);
    keyring_set_development(b->ring, true);
    assert_int_equal(prove(b), ERR_NONE);
    assert_true(b->proof.is_operator);
    b->q.forwarded = true;
    assert_int_equal(prove(b), ERR_UNPROVEN);
    b->q.forwarded = false;
    b->rq.host = STR("example.com");
    assert_int_equal(prove(b), ERR_UNPROVEN);
}

static void no_key_is_a_token_as_it_is(void **state)
{
    struct bench *b = *state;
    b->rq.tls = true;
    b->rq.authorization = STR("Bearer MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    assert_int_equal(prove(b), ERR_UNPROVEN);
    assert_string_equal(b->why.rule, "TokenMalformed");
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_captured_get_is_proven), T(a_captured_post_is_proven_with_its_body),
        T(the_js_query_is_signed_form_encoded_but_sent_percent_encoded),
        T(a_query_is_encoded_again_as_the_url_standard_says), T(odd_clients_are_understood),
        T(a_recording_may_be_signed_over_its_bare_path_and_another_host), T(both_keys_work_and_a_replaced_key_ends),
        T(each_refusal_names_the_part_that_is_wrong), T(the_date_may_be_fifteen_minutes_off_and_no_more),
        T(the_same_signature_may_come_again), T(the_host_label_names_the_resource), T(an_address_names_no_resource),
        T(the_listener_names_the_resource_when_the_host_does_not),
        T(on_loopback_alone_the_key_itself_tells_the_resource),
        T(with_more_resources_than_are_worth_trying_there_is_no_guess),
        T(the_development_key_needs_loopback_a_local_host_and_no_proxy),
        T(the_operators_key_opens_the_operators_paths_only), T(an_empty_key_proves_nothing),
        T(a_token_proves_the_key_it_was_made_of_until_it_ends), T(the_operators_token_opens_the_operators_paths_only),
        T(a_token_comes_over_tls_or_from_this_machine), T(the_development_key_is_a_token_where_it_is_a_key),
        T(no_key_is_a_token_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
