/* The API's edge with every allocation of ours failing in turn: proofs, routes, the server's start, a whole request. */
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/str.h"
#include "domain/control.h"
#include "edge/api/api.h"
#include "edge/api/http_auth.h"
#include "edge/api/http_route.h"
#include "edge/api/http_server.h"
#include "unit/alloc.h"
#include "unit/cm.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEY "0123456789abcdef0123456789abcdef"

static enum err ring(void)
{
    scoped(keyring) struct keyring *k = NULL;
    enum err err = keyring_new(&k);
    if (!err)
        err = keyring_put(k, 7, STR("default"), STR(KEY), STR(""));
    if (!err)
        err = keyring_put(k, 7, STR("other"), STR(KEY), STR(KEY));
    return err;
}

static void a_keyring_is_made_and_filled_or_says_so(void **state)
{
    (void)state;
    assert_true(alloc_each_failing(ring) >= 5);
}

static enum err proof(void)
{
    static struct keyring *k;
    if (!k) {
        long left = alloc_countdown;        /* the ring is not what is tried here */
        alloc_countdown = 0;
        assert_false(keyring_new(&k));
        assert_false(keyring_put(k, 7, STR("default"), STR(KEY), STR("")));
        alloc_countdown = left;
    }
    scoped(arena) struct arena *a = arena_new();
    if (!a)
        return ERR_NOMEM;
    struct http_signed rq = {
        .method = STR("GET"), .target = STR("/availablePhoneNumbers/countries/US/areaCodes?phoneNumberType=geographic"
                                      "&locality=San%20Jose&api-version=2025-06-01"),
        .authorization = STR("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256"
                             "&Signature=JaRYy2m06owalLaS0z90KduRTADBO43z72IOJ/1tbQM="),
        .date = STR("Sun, 22 Nov 2026 19:23:56 GMT"), .host = STR("localhost:8443"),
        .content_hash = STR("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
    };
    assert_false(time_rfc1123_read(rq.date, &rq.now_us));
    struct keyring_question q = { .host = rq.host, .loopback = true };
    struct keyring_proof out;
    return http_auth_prove(k, &rq, &q, a, &out, NULL);
}

static void a_proof_without_memory_is_no_refusal(void **state)
{
    (void)state;
    assert_true(alloc_each_failing(proof) >= 3);
}

static enum err route(void)
{
    scoped(http_router) struct http_router *r = NULL;
    scoped(arena) struct arena *a = arena_new();
    struct http_match m;
    enum err err = a ? http_router_new(&r, http_route_tables) : ERR_NOMEM;
    return err ? err : http_router_find(r, "GET", STR("/calling/callConnections/c1/participants/4%3A1"), a, &m);
}

static void routes_are_found_or_memory_is_asked_for(void **state)
{
    (void)state;
    assert_true(alloc_each_failing(route) >= 3);
}

/* -- a server ------------------------------------------------------------------------------------------------------ */

static enum err echo(struct http_call *hc)
{
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_text(&w, "q", http_query(hc, "q"));
    jw_end(&w);
    http_answer_header(hc, "X-One", "1");
    http_reply(hc, 200);
    return ERR_NONE;
}
static const struct http_route routes[] = {
    { "POST", "/echo", HTTP_RESOURCE, NULL, echo, "Test_Echo", "" },
    { 0 },
};
static const struct http_route *const tables[] = { routes, NULL };
static struct control control;
static struct app_api api = { .control = &control };
static const struct http_listen listen_on = { "127.0.0.1", 0, NULL };

static struct http_server_conf conf_of(void)
{
    return (struct http_server_conf){ .listens = &listen_on, .n_listens = 1, .api = &api, .tables = tables,
                                      .threads = 1, .drain_us = US_PER_S };
}

static enum err server(void)
{
    scoped(http_server) struct http_server *srv = NULL;
    struct http_server_conf conf = conf_of();
    conf.ca_pem = STR("ca");
    enum err err = http_server_new(&srv, &conf, NULL);
    return err ? err : http_server_start(srv, NULL);
}

static void a_server_starts_or_leaves_nothing_behind(void **state)
{
    (void)state;
    assert_true(alloc_each_failing(server) >= 6);
}

static const char *request(uint16_t port)
{
    static char text[1024];
    char date[RFC1123_SIZE], hash[BASE64_SIZE(32)], mac[BASE64_SIZE(32)], to_sign[512];
    uint8_t octets[32];
    time_rfc1123(date, clock_wall_us());
    sha256(octets, STR("{\"a\":1}"));
    base64_write(hash, octets, 32);
    snprintf(to_sign, sizeof to_sign, "POST\n/echo?q=a+b&api-version=1\n%s;localhost:%u;%s", date, port, hash);
    hmac_sha256(octets, KEY, 32, str_of(to_sign));
    base64_write(mac, octets, 32);
    snprintf(text, sizeof text,
             "POST /echo?q=a%%20b&api-version=1 HTTP/1.1\r\nHost: localhost:%u\r\nx-ms-date: %s\r\n"
             "x-ms-content-sha256: %s\r\nAuthorization: HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256"
             "&Signature=%s\r\nConnection: close\r\nContent-Length: 7\r\n\r\n{\"a\":1}", port, date, hash, mac);
    return text;
}

/* @return the status, 0 when the connection ended without one */
static int ask(uint16_t port, const char *text)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval limit = { .tv_sec = 5 };
    char answer[4096];
    size_t n = 0;
    ssize_t got;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
    while (n < sizeof answer - 1 && (got = recv(fd, answer + n, sizeof answer - 1 - n, 0)) > 0)
        n += (size_t)got;
    answer[n] = '\0';
    close(fd);
    return n > 12 ? atoi(answer + 9) : 0;
}

static void a_request_without_memory_is_503_or_a_closed_connection_and_the_next_is_served(void **state)
{
    (void)state;
    static const uint8_t id_key[ID_KEY_OCTETS] = { 1 };
    struct http_server *srv = NULL;
    struct http_server_conf conf = conf_of();
    control.ids = ids_new(id_key, 1);
    assert_false(loop_new(&control.loop, "control", 64, NULL));
    assert_false(loop_start(control.loop));
    assert_false(keyring_new(&api.keyring));
    assert_false(keyring_put(api.keyring, 7, STR("default"), STR(KEY), STR("")));
    assert_false(http_server_new(&srv, &conf, NULL));
    assert_false(http_server_start(srv, NULL));
    uint16_t port = http_server_port(srv, 0);
    const char *text = request(port);
    int refused = 0;
    for (long n = 1; n < 60; n++) {
        alloc_failed = false;
        alloc_countdown = n;
        int status = ask(port, text);
        alloc_countdown = 0;
        assert_true(status == 0 || status == 200 || status == 503);
        assert_true(status == 200 || alloc_failed);
        refused += status != 200;
        assert_int_equal(ask(port, text), 200);
        if (!alloc_failed)
            break;
    }
    assert_true(refused >= 3);
    http_server_stop(srv);
    loop_stop(control.loop);
    loop_free(control.loop);
    http_server_free(srv);
    keyring_free(api.keyring);
    ids_free(control.ids);
}

int main(void)
{
    log_setup(LOG_ERROR, LOG_TEXT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_keyring_is_made_and_filled_or_says_so),
        cmocka_unit_test(a_proof_without_memory_is_no_refusal),
        cmocka_unit_test(routes_are_found_or_memory_is_asked_for),
        cmocka_unit_test(a_server_starts_or_leaves_nothing_behind),
        cmocka_unit_test(a_request_without_memory_is_503_or_a_closed_connection_and_the_next_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
