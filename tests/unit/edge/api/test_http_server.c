/* A whole server over loopback, asked by a client that writes raw bytes. */
#include "base/clock.h"
#include "base/crypto.h"
#include "base/metric.h"
#include "base/str.h"
#include "domain/control.h"
#include "edge/api/api.h"
#include "edge/api/http.h"
#include "edge/api/http_server.h"
#include "edge/api/keyring.h"
#include "net/tls_ca.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#define KEY "0123456789abcdef0123456789abcdef"

/* -- routes of the test: an echo, a late answer, an error of a handler's own --------------------------------------- */

static struct http_call *held[64];      /* control's: calls that wait for release_held() */
static size_t n_held;
static _Atomic size_t seen_held;

static enum err echo(struct http_call *hc)
{
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_text(&w, "param", hc->params[0]);
    jw_text(&w, "query", http_query(hc, "q"));
    jw_int(&w, "resource", (int64_t)hc->resource);
    jw_bool(&w, "operator", hc->is_operator);
    jw_text(&w, "base", http_base_url(hc));
    if (hc->json)
        jw_json(&w, "json", hc->json);
    jw_end(&w);
    http_answer_header(hc, "X-Test", "%s", "a\r\nb");
    http_reply(hc, 200);
    return ERR_NONE;
}

/* What a call holds beyond its arena is given back once, however it ends: looked at when the server has gone. */
static _Atomic size_t n_taken, n_given_back;

static void give_back(struct http_call *hc)
{
    free(hc->rq);
    n_given_back++;
}

static enum err take(struct http_call *hc)
{
    hc->rq = malloc(16);
    hc->forget = give_back;
    n_taken++;
    return ERR_NONE;
}

static enum err hold(struct http_call *hc)
{
    held[n_held++] = hc;
    seen_held++;
    return ERR_NONE;
}

static enum err refuse(struct http_call *hc)
{
    enum err err = problem_set(&hc->why, ERR_UNPROVEN, "Unauthorized", "Not your number.");
    problem_rule(&hc->why, "SmsSenderNotLeased", "Lease it first.");
    problem_target(&hc->why, "from");
    return err;
}

static enum err empty(struct http_call *hc)
{
    http_reply(hc, 204);
    return ERR_NONE;
}

static const struct http_route test_routes[] = {
    { "POST", "/echo/{p}", HTTP_RESOURCE, NULL, echo, "Test_Echo", "" },
    { "GET", "/echo/{p}", HTTP_RESOURCE, NULL, echo, "Test_EchoGet", "" },
    { "GET", "/open/{p}", HTTP_PUBLIC, NULL, echo, "Test_Open", "" },
    { "POST", "/open", HTTP_PUBLIC, NULL, echo, "Test_OpenPost", "" },
    { "GET", "/hold", HTTP_PUBLIC, take, hold, "Test_Hold", "" },
    { "POST", "/refuse", HTTP_PUBLIC, take, refuse, "Test_Refuse", "" },
    { "POST", "/empty", HTTP_PUBLIC, NULL, empty, "Test_Empty", "" },
    { "GET", "/unbuilt", HTTP_RESOURCE, NULL, NULL, "Test_Unbuilt", "" },
    { "GET", "/sip", HTTP_RESOURCE, NULL, echo, "Test_Versions", "" },
    { "GET", "/own", HTTP_OPERATOR, NULL, echo, "Test_Own", "" },
    { 0 },
};
static const struct http_route *const tables[] = { ops_routes, test_routes, NULL };

/* -- the bench ----------------------------------------------------------------------------------------------------- */

struct bench {
    struct control      control;
    struct app_api      api;
    struct http_server *srv;
    struct tls_pems     pems;
};

static const struct inbox_kind release_kind;

static void release_all(void *owner, struct inbox_item *item)
{
    (void)owner;
    free(item);
    for (size_t i = 0; i < n_held; i++) {
        buf_putz(&held[i]->out, "{\"late\":true}");
        http_reply(held[i], 200);
    }
    n_held = 0;
}
static const struct inbox_kind release_kind = { "release", release_all, NULL };

static void release_held(struct bench *b)
{
    struct inbox_item *item = calloc(1, sizeof *item);
    item->kind = &release_kind;
    inbox_post_always(control_inbox(&b->control), item);
}

static void wait_held(size_t n)
{
    for (int i = 0; i < 5000 && seen_held < n; i++)
        usleep(1000);
    assert_int_equal(seen_held, n);
}

static bool not_ready(void *arg, struct buf *words)
{
    (void)arg;
    buf_putz(words, "the store is away");
    return false;
}

static struct http_server_conf quick_conf(struct bench *b)
{
    static const struct http_listen listen = { "127.0.0.1", 0, NULL };
    return (struct http_server_conf){
        .listens = &listen, .n_listens = 1, .api = &b->api, .tables = tables,
        .cert_pem = str_of(b->pems.cert), .key_pem = str_of(b->pems.key), .ca_pem = str_of(b->pems.ca),
        .max_body = 10000, .head_us = 400 * US_PER_MS, .request_us = 600 * US_PER_MS, .answer_us = 2 * US_PER_S,
        .idle_us = 5 * US_PER_S, .drain_us = 2 * US_PER_S,
    };
}

static void serve(struct bench *b, const struct http_server_conf *conf)
{
    struct problem why = { 0 };
    http_server_free(b->srv);
    assert_int_equal(http_server_new(&b->srv, conf, &why), ERR_NONE);
    assert_int_equal(http_server_start(b->srv, &why), ERR_NONE);
}

static int set_up_sized(void **state, size_t inbox)
{
    static const uint8_t id_key[ID_KEY_OCTETS] = { 1, 2, 3 };
    struct bench *b = calloc(1, sizeof *b);
    n_held = 0;
    seen_held = 0;
    b->control.ids = ids_new(id_key, 1);
    assert_int_equal(loop_new(&b->control.loop, "control", inbox, b), ERR_NONE);
    assert_int_equal(keyring_new(&b->api.keyring), ERR_NONE);
    assert_int_equal(keyring_put(b->api.keyring, 7, STR("default"), STR(KEY), STR("")), ERR_NONE);
    b->api.control = &b->control;
    assert_int_equal(tls_ca_ensure(NULL, NULL, 0, &b->pems, NULL), ERR_NONE);
    struct http_server_conf conf = quick_conf(b);
    serve(b, &conf);
    *state = b;
    return 0;
}

static int set_up(void **state)
{
    set_up_sized(state, 1024);
    struct bench *b = *state;
    return loop_start(b->control.loop);
}

/* Control does not run: its inbox fills up after two. */
static int set_up_stuck(void **state)
{
    return set_up_sized(state, 2);
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    http_server_stop(b->srv);
    loop_stop(b->control.loop);
    loop_free(b->control.loop);
    http_server_free(b->srv);
    keyring_free(b->api.keyring);
    ids_free(b->control.ids);
    tls_pems_done(&b->pems);
    bool whole = n_taken == n_given_back;
    n_taken = n_given_back = 0;
    free(b);
    return whole ? 0 : -1;
}

/* -- a client ------------------------------------------------------------------------------------------------------ */

static int dial(struct bench *b)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(http_server_port(b->srv, 0)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval limit = { .tv_sec = 5 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    size_t n = strlen(text);
    assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* One answer: head and as much body as it declares. Empty when the connection ended first. */
struct answer {
    int  status;
    char text[20000];
    char *body;
};

static void hear(int fd, struct answer *a)
{
    size_t n = 0, want = SIZE_MAX;
    *a = (struct answer){ .body = a->text };
    while (n < want && n < sizeof a->text - 1) {
        ssize_t got = recv(fd, a->text + n, sizeof a->text - 1 - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
        a->text[n] = '\0';
        char *end = strstr(a->text, "\r\n\r\n"), *length = strcasestr(a->text, "\r\nContent-Length: ");
        if (end && want == SIZE_MAX)
            want = (size_t)(end + 4 - a->text) + (length && length < end ? strtoul(length + 18, NULL, 10) : 0);
    }
    if (n)
        a->status = atoi(a->text + 9);
    char *end = strstr(a->text, "\r\n\r\n");
    a->body = end ? end + 4 : a->text + n;
}

static bool has_header(const struct answer *a, const char *line)
{
    char *at = strcasestr(a->text, line);
    return at && at < a->body;
}

static void ask(struct bench *b, struct answer *a, const char *request)
{
    int fd = dial(b);
    say(fd, request);
    hear(fd, a);
    close(fd);
}

/* A signed request as the SDKs make it. */
static const char *signed_request(struct bench *b, const char *method, const char *target, const char *more,
                                  const char *body)
{
    static char text[8192];
    char date[RFC1123_SIZE], hash[BASE64_SIZE(32)], mac[BASE64_SIZE(32)], host[32], to_sign[2048];
    uint8_t octets[32];
    snprintf(host, sizeof host, "localhost:%u", http_server_port(b->srv, 0));
    time_rfc1123(date, clock_wall_us());
    sha256(octets, str_of(body));
    base64_write(hash, octets, 32);
    snprintf(to_sign, sizeof to_sign, "%s\n%s\n%s;%s;%s", method, target, date, host, hash);
    hmac_sha256(octets, KEY, 32, str_of(to_sign));
    base64_write(mac, octets, 32);
    snprintf(text, sizeof text,
             "%s %s HTTP/1.1\r\nHost: %s\r\nx-ms-date: %s\r\nx-ms-content-sha256: %s\r\n"
             "Authorization: HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=%s\r\n%s"
             "Content-Length: %zu\r\n\r\n%s",
             method, target, host, date, hash, mac, more, strlen(body), body);
    return text;
}

static int64_t ms_since(struct mono from)
{
    return (clock_mono().us - from.us) / 1000;
}

#define JSON_TYPE "Content-Type: application/json\r\n"

/* -- tests --------------------------------------------------------------------------------------------------------- */

static void a_signed_request_reaches_its_handler_on_control(void **state)
{
    struct bench *b = *state;
    struct answer a;
    ask(b, &a, signed_request(b, "POST", "/echo/%2B1206?q=San%20Jose&api-version=1",
                              JSON_TYPE "x-ms-client-request-id: abc-1\r\n", "{\"a\":[1,2]}"));
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"param\":\"+1206\",\"query\":\"San Jose\",\"resource\":7,\"operator\":false"));
    assert_non_null(strstr(a.body, "\"base\":\"http://localhost:"));
    assert_non_null(strstr(a.body, "\"json\":{\"a\":[1,2]}"));
    assert_true(has_header(&a, "Content-Type: application/json; charset=utf-8"));
    assert_true(has_header(&a, "x-ms-client-request-id: abc-1"));
    assert_true(has_header(&a, "x-ms-request-id: "));
    assert_true(has_header(&a, "X-Test: a  b"));
}

static void a_connection_serves_many_requests(void **state)
{
    struct bench *b = *state;
    struct answer a;
    int fd = dial(b);
    for (int i = 0; i < 50; i++) {
        say(fd, signed_request(b, "GET", "/echo/x?api-version=1", "", ""));
        hear(fd, &a);
        assert_int_equal(a.status, 200);
    }
    say(fd, "GET /open/1 HTTP/1.1\r\nHost: h\r\n\r\nGET /open/2 HTTP/1.1\r\nHost: h\r\n\r\n");    /* pipelined */
    hear(fd, &a);
    assert_non_null(strstr(a.body, "\"param\":\"1\""));
    if (!strstr(a.body, "\"param\":\"2\""))
        hear(fd, &a);
    assert_non_null(strstr(a.text, "\"param\":\"2\""));
    close(fd);
}

static void an_unsigned_or_wrongly_signed_request_is_denied_with_the_reason_inside(void **state)
{
    struct bench *b = *state;
    struct answer a;
    ask(b, &a, "GET /echo/x?api-version=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(a.body, "{\"error\":{\"code\":\"Denied\",\"message\":\"Denied by the resource provider.\","
                                   "\"innererror\":{\"code\":\"NoCredentials\""));
    char *request = strdup(signed_request(b, "GET", "/echo/x?api-version=1", "", ""));
    memcpy(strstr(request, "/echo/x"), "/echo/y", 7);
    ask(b, &a, request);
    free(request);
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(a.body, "\"BadSignature\""));
}

static void a_handlers_own_words_stand_in_the_envelope(void **state)
{
    struct answer a;
    ask(*state, &a, "POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(a.status, 401);
    assert_string_equal(a.body, "{\"error\":{\"code\":\"Unauthorized\",\"message\":\"Not your number.\",\"target\":\"from\","
                                "\"innererror\":{\"code\":\"SmsSenderNotLeased\",\"message\":\"Lease it first.\"}}}");
}

static void what_is_not_there_and_what_is_not_built_say_so(void **state)
{
    struct bench *b = *state;
    struct answer a;
    ask(b, &a, "GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 404);
    assert_non_null(strstr(a.body, "\"code\":\"NotFound\""));
    ask(b, &a, "DELETE /echo/x HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 405);
    assert_true(has_header(&a, "Allow: POST, GET, HEAD, OPTIONS"));
    ask(b, &a, signed_request(b, "GET", "/unbuilt?api-version=1", "", ""));
    assert_int_equal(a.status, 501);
    assert_non_null(strstr(a.body, "\"code\":\"NotImplemented\""));
    assert_non_null(strstr(a.body, "docs/conformance.md"));
    ask(b, &a, "GET /open/%zz HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 400);
    ask(b, &a, "GET /open/x?q=%zz HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 400);
}

static void an_absent_api_version_is_refused_and_an_unknown_one_is_not(void **state)
{
    struct bench *b = *state;
    struct answer a;
    ask(b, &a, signed_request(b, "GET", "/sip", "", ""));
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.body, "\"ApiVersionUnspecified\""));
    assert_true(has_header(&a, "api-supported-versions: 2021-05-01, 2021-05-01-preview, 2023-03-01"));
    ask(b, &a, signed_request(b, "GET", "/echo/x?api-version=2099-01-01", "", ""));
    assert_int_equal(a.status, 200);
}

static void bodies_are_json_or_nothing(void **state)
{
    struct bench *b = *state;
    struct answer a;
    ask(b, &a, signed_request(b, "POST", "/echo/x?api-version=1", JSON_TYPE, "{\"a\":\n }"));
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.body, "at line 2, column"));
    ask(b, &a, signed_request(b, "POST", "/echo/x?api-version=1", JSON_TYPE, ""));
    assert_int_equal(a.status, 200);
    assert_null(strstr(a.body, "\"json\""));
    ask(b, &a, signed_request(b, "POST", "/echo/x?api-version=1",
                              "Content-Type: application/merge-patch+json; charset=utf-8\r\n", "{}"));
    assert_int_equal(a.status, 200);
    ask(b, &a, signed_request(b, "POST", "/echo/x?api-version=1", "Content-Type: text/plain\r\n", "hello"));
    assert_int_equal(a.status, 415);
    assert_non_null(strstr(a.body, "\"UnsupportedMediaType\""));
}

static void head_and_options_are_answered(void **state)
{
    struct bench *b = *state;
    struct answer a;
    int fd = dial(b);
    say(fd, "HEAD /open/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    hear(fd, &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(strlen(a.body), 0);
    close(fd);
    ask(b, &a, "OPTIONS /open/x HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 204);
    assert_true(has_header(&a, "Allow: GET, HEAD, OPTIONS"));
    ask(b, &a, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 204);
    ask(b, &a, "POST /empty HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(a.status, 204);
    assert_false(has_header(&a, "Content-Type"));
}

static void what_watches_the_server_needs_no_key(void **state)
{
    struct bench *b = *state;
    struct answer a;
    ask(b, &a, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 200);
    ask(b, &a, "GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 200);
    ask(b, &a, "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "carterfone_http_requests_total "));
    assert_true(has_header(&a, "Content-Type: text/plain"));
    ask(b, &a, "GET /carterfone/ca.pem HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, b->pems.ca);
    struct http_server_conf conf = quick_conf(b);
    conf.ready = not_ready;
    serve(b, &conf);
    ask(b, &a, "GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 503);
    assert_non_null(strstr(a.body, "the store is away"));
}

/* A TLS client that trusts one authority and checks the name. */
struct tls_client {
    SSL_CTX *ctx;
    SSL     *ssl;
    int      fd;
};

static bool tls_dial(struct bench *b, struct tls_client *c, const char *ca_pem)
{
    BIO *bio = BIO_new_mem_buf(ca_pem, -1);
    X509 *ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    c->ctx = SSL_CTX_new(TLS_client_method());
    assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(c->ctx), ca), 1);
    SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
    c->ssl = SSL_new(c->ctx);
    c->fd = dial(b);
    SSL_set_fd(c->ssl, c->fd);
    SSL_set1_host(c->ssl, "localhost");
    X509_free(ca);
    BIO_free(bio);
    return SSL_connect(c->ssl) == 1 && SSL_get_verify_result(c->ssl) == X509_V_OK;
}

static void tls_close(struct tls_client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    close(c->fd);
}

static void tls_ask(struct tls_client *c, struct answer *a, const char *request)
{
    int n = 0;
    assert_int_equal(SSL_write(c->ssl, request, (int)strlen(request)), (int)strlen(request));
    *a = (struct answer){ .body = a->text };
    do {                                /* head and body are records of their own */
        int got = SSL_read(c->ssl, a->text + n, (int)sizeof a->text - 1 - n);
        assert_true(got > 0);
        n += got;
        a->text[n] = '\0';
    } while (!strstr(a->text, "\r\n\r\n{"));
    a->status = atoi(a->text + 9);
    a->body = strstr(a->text, "\r\n\r\n") + 4;
}

static void tls_and_plain_share_the_port(void **state)
{
    struct bench *b = *state;
    struct answer a;
    struct tls_client c;
    assert_true(tls_dial(b, &c, b->pems.ca));
    for (int i = 0; i < 3; i++) {
        tls_ask(&c, &a, signed_request(b, "GET", "/echo/x?api-version=1", "", ""));
        assert_int_equal(a.status, 200);
        assert_non_null(strstr(a.text, "\"base\":\"https://localhost:"));
    }
    tls_close(&c);
    ask(b, &a, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 200);
}

static void a_reload_gives_new_connections_the_new_certificate(void **state)
{
    struct bench *b = *state;
    struct answer a;
    struct tls_client old, fresh;
    struct tls_pems pems;
    bool taken = false;
    assert_int_equal(tls_ca_ensure(NULL, NULL, 0, &pems, NULL), ERR_NONE);
    assert_true(tls_dial(b, &old, b->pems.ca));
    assert_int_equal(http_server_reload(b->srv, STR("nonsense"), STR("nonsense")), ERR_NONE);
    assert_int_equal(http_server_reload(b->srv, str_of(pems.cert), str_of(pems.key)), ERR_NONE);
    for (int i = 0; i < 100 && !taken; i++) {
        taken = tls_dial(b, &fresh, pems.ca);
        if (taken)
            tls_ask(&fresh, &a, "GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n");
        tls_close(&fresh);
        usleep(20000);
    }
    assert_true(taken);
    assert_int_equal(a.status, 200);
    tls_ask(&old, &a, "GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 200);    /* what is open is served, and told that this was the last */
    assert_true(has_header(&a, "Connection: close"));
    tls_close(&old);
    usleep(1300000);                    /* the old daemons end meanwhile */
    assert_true(tls_dial(b, &fresh, pems.ca));
    tls_close(&fresh);
    tls_pems_done(&pems);
}

static long refusals_counted(void)
{
    scoped_buf all = { 0 };
    metric_write_all(&all);
    buf_putc(&all, '\0');
    const char *at = strstr(all.p, "\ncarterfone_http_auth_refusals_total ");
    assert_non_null(at);
    return strtol(strchr(at, ' '), NULL, 10);
}

static void many_refusals_are_slowed_and_good_requests_are_not(void **state)
{
    struct bench *b = *state;
    struct answer a;
    struct mono from = clock_mono();
    for (int i = 0; i < 50; i++) {
        ask(b, &a, "GET /echo/x?api-version=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_int_equal(a.status, 401);
    }
    int64_t quick = ms_since(from);
    while (ms_since(from) < quick + 450) {
        struct mono each = clock_mono();
        ask(b, &a, "GET /echo/x?api-version=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_int_equal(a.status, 401);
        if (ms_since(each) >= 450)
            break;
    }
    assert_true(ms_since(from) >= 450);
    int slowed = dial(b);
    long refused = refusals_counted();
    say(slowed, "GET /echo/x?api-version=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for (int ms = 0; ms < 5000 && refusals_counted() == refused; ms++)
        usleep(1000);                   /* else the end may come before it was read */
    from = clock_mono();
    ask(b, &a, signed_request(b, "GET", "/echo/x?api-version=1", "", ""));
    assert_int_equal(a.status, 200);
    assert_true(ms_since(from) < 300);
    http_server_stop(b->srv);           /* what is held is said at the end at the latest */
    hear(slowed, &a);
    assert_int_equal(a.status, 401);
    close(slowed);
}

/* -- limits -------------------------------------------------------------------------------------------------------- */

/* Drip one octet each 20 ms until the server hangs up. @return after how long, ms */
static int64_t drip(struct bench *b, const char *first)
{
    struct mono from = clock_mono();
    int fd = dial(b);
    say(fd, first);
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        char byte;
        if (poll(&p, 1, 20) > 0 && recv(fd, &byte, 1, 0) <= 0)
            break;
        if (send(fd, "x", 1, MSG_NOSIGNAL) < 0 || ms_since(from) > 8000)
            break;
    }
    close(fd);
    return ms_since(from);
}

static void a_slow_drip_is_cut_by_an_absolute_deadline(void **state)
{
    int64_t line = drip(*state, "GET /");
    assert_in_range(line, 300, 2000);
    int64_t head = drip(*state, "GET /open/x HTTP/1.1\r\nX-A: ");
    assert_in_range(head, 500, 2500);
    int64_t body = drip(*state, "POST /open HTTP/1.1\r\nHost: h\r\nContent-Length: 9000\r\n\r\n");
    assert_in_range(body, 500, 2500);
}

static void who_says_nothing_is_closed(void **state)
{
    struct mono from = clock_mono();
    char byte;
    int fd = dial(*state);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    assert_in_range(ms_since(from), 300, 2500);
    close(fd);
}

static void a_body_too_large_is_refused_in_words(void **state)
{
    struct bench *b = *state;
    struct answer a;
    char *big = malloc(50000);
    memset(big, ' ', 50000);
    int fd = dial(b);
    say(fd, "POST /open HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\n");
    assert_int_equal(send(fd, big, 50000, MSG_NOSIGNAL), 50000);
    hear(fd, &a);
    assert_int_equal(a.status, 413);
    assert_non_null(strstr(a.body, "\"RequestEntityTooLarge\""));
    close(fd);
    fd = dial(b);                       /* chunked: the length is not known before */
    say(fd, "POST /open HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nc350\r\n");
    assert_int_equal(send(fd, big, 50000, MSG_NOSIGNAL), 50000);
    say(fd, "\r\n0\r\n\r\n");
    hear(fd, &a);
    assert_int_equal(a.status, 413);
    close(fd);
    ask(b, &a, "POST /open HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999999\r\n\r\n");
    assert_int_equal(a.status, 413);    /* at once, without the body */
    free(big);
}

static void headers_too_large_are_refused(void **state)
{
    struct bench *b = *state;
    struct answer a;
    int fd = dial(b);
    say(fd, "GET /open/x HTTP/1.1\r\nHost: h\r\nX-Big: ");
    char *big = malloc(60000);
    memset(big, 'a', 60000);
    (void)!send(fd, big, 60000, MSG_NOSIGNAL);
    free(big);
    hear(fd, &a);
    assert_true(a.status == 431 || a.status == 413 || a.status == 0);  /* MHD's own words; a reset may overtake them */
    close(fd);
    ask(b, &a, "GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 200);
}

static void nonsense_is_survived(void **state)
{
    struct bench *b = *state;
    struct answer a;
    static const char *const nonsense[] = { "\r\n\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01nonsense that is no handshake",
                                            "GET / HTTP/9.9\r\n\r\n", "GET http:// HTTP/1.1\r\nHost: h\r\n\r\n",
                                            "GET /open/x HTTP/1.1\r\n\x01: y\r\n\r\n" };
    for (size_t i = 0; i < ARRAY_LEN(nonsense); i++) {
        int fd = dial(b);
        say(fd, nonsense[i]);
        shutdown(fd, SHUT_WR);
        hear(fd, &a);
        close(fd);
    }
    ask(b, &a, "GET http://h/open/z HTTP/1.1\r\nHost: h\r\n\r\n");     /* absolute form, as a proxy sends it */
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"param\":\"z\""));
}

/* Read in two ways, the rest of one request would be the beginning of another's: one answer, and the connection ends. */
static void requests_whose_end_or_host_is_in_doubt_are_refused_and_end_their_connection(void **state)
{
    struct bench *b = *state;
    struct answer a, more;
    static const struct { int status; const char *request; } shapes[] = {
        { 400, "POST /open HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n{}" },
        { 400, "POST /open HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
        { 501, "POST /open HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" },
        { 501, "POST /open HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n{}" },
        { 501, "POST /open HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" },
        { 400, "POST /open HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
        { 400, "POST /open HTTP/1.1\r\nHost: h\r\nContent-Length : 2\r\n\r\n{}" },
        { 400, "GET /open/x HTTP/1.1\r\n\r\n" },
        { 400, "GET /open/x HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n" },
        { 400, "GET http://i/open/x HTTP/1.1\r\nHost: h\r\n\r\n" },
    };
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        int fd = dial(b);
        char request[512];
        snprintf(request, sizeof request, "%sGET /open/smuggled HTTP/1.1\r\nHost: h\r\n\r\n", shapes[i].request);
        say(fd, request);
        hear(fd, &a);
        assert_int_equal(a.status, shapes[i].status);
        assert_true(has_header(&a, "Connection: close"));
        assert_non_null(strstr(a.body, "\"message\":\""));
        hear(fd, &more);
        assert_int_equal(more.status, 0);
        close(fd);
    }
    ask(b, &a, "GET /open/x HTTP/1.0\r\n\r\n");
    assert_int_equal(a.status, 200);
    ask(b, &a, "POST /empty HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n");
    assert_int_equal(a.status, 204);
}

static void a_full_inbox_is_429_with_a_time_to_come_back(void **state)
{
    struct bench *b = *state;
    struct answer a;
    int waiting[2];
    for (int i = 0; i < 2; i++) {
        waiting[i] = dial(b);
        say(waiting[i], "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    for (int i = 0; i < 5000 && inbox_depth(control_inbox(&b->control)) < 2; i++)
        usleep(1000);
    ask(b, &a, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 429);
    assert_true(has_header(&a, "Retry-After: 1"));
    http_server_stop(b->srv);           /* control never ran: the two that wait hear 503 */
    for (int i = 0; i < 2; i++) {
        hear(waiting[i], &a);
        assert_int_equal(a.status, 503);
        close(waiting[i]);
    }
}

/* -- ends ---------------------------------------------------------------------------------------------------------- */

static void a_client_that_leaves_early_hurts_nobody(void **state)
{
    struct bench *b = *state;
    struct answer a;
    for (int i = 0; i < 20; i++) {
        int fd = dial(b);
        say(fd, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
        wait_held((size_t)i + 1);
        close(fd);
    }
    release_held(b);
    ask(b, &a, "GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(a.status, 200);
}

static void half_a_request_of_a_client_that_left_does_not_hold_up_the_end(void **state)
{
    struct bench *b = *state;
    struct http_server_conf conf = quick_conf(b);
    conf.head_us = conf.request_us = conf.drain_us = 20 * US_PER_S;
    serve(b, &conf);
    for (int i = 0; i < 40; i++) {
        int fd = dial(b);
        say(fd, i % 2 ? "POST /open HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{" : "POST /open HTTP/1.1\r\nHo");
        close(fd);
    }
    struct mono from = clock_mono();
    http_server_stop(b->srv);
    assert_in_range(ms_since(from), 0, 5000);
}

static void whoever_is_idle_makes_room_when_it_is_full(void **state)
{
    struct bench *b = *state;
    struct answer a;
    struct http_server_conf conf = quick_conf(b);
    conf.max_connections = 4;
    conf.idle_us = 60 * US_PER_S;
    serve(b, &conf);
    int fd[5];
    for (int i = 0; i < 5; i++) {
        fd[i] = dial(b);
        say(fd[i], "GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n");
        hear(fd[i], &a);
        assert_int_equal(a.status, 200);
    }
    for (int i = 0; i < 5; i++)
        close(fd[i]);
}

static void *stop_in_thread(void *srv)
{
    http_server_stop(srv);
    return NULL;
}

static void stopping_lets_running_requests_finish(void **state)
{
    struct bench *b = *state;
    struct answer a;
    pthread_t stopper;
    int running = dial(b), idle = dial(b);
    char byte;
    say(idle, "GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n");
    hear(idle, &a);
    say(running, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_held(1);
    assert_int_equal(pthread_create(&stopper, NULL, stop_in_thread, b->srv), 0);
    assert_int_equal(recv(idle, &byte, 1, 0), 0);               /* idle connections end at once */
    release_held(b);
    hear(running, &a);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"late\":true"));
    assert_true(has_header(&a, "Connection: close"));
    pthread_join(stopper, NULL);
    close(running);
    close(idle);
}

/* What a client sent ahead is looked at while the server ends: nothing may be put to sleep then, nobody would wake it. */
static void a_client_that_sends_ahead_does_not_hurt_the_end(void **state)
{
    struct bench *b = *state;
    static const char two[] = "GET /open/x HTTP/1.1\r\nHost: h\r\n\r\nGET /open/x HTTP/1.1\r\nHost: h\r\n\r\n";
    for (int round = 0; round < 100; round++) {
        struct answer a;
        int fd = dial(b);
        say(fd, two);
        hear(fd, &a);
        assert_int_equal(a.status, 200);
        http_server_stop(b->srv);
        close(fd);
        struct http_server_conf conf = quick_conf(b);
        serve(b, &conf);
    }
}

static void a_handler_that_never_answers_does_not_hold_up_the_end(void **state)
{
    struct bench *b = *state;
    struct answer a;
    struct http_server_conf conf = quick_conf(b);
    conf.drain_us = 100 * US_PER_MS;
    serve(b, &conf);
    int fd = dial(b);
    say(fd, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_held(1);
    struct mono from = clock_mono();
    http_server_stop(b->srv);
    assert_true(ms_since(from) < 2000);
    hear(fd, &a);
    assert_int_equal(a.status, 503);
    assert_non_null(strstr(a.body, "stopping"));
    close(fd);
    release_held(b);                    /* its answer reaches nobody, and is freed */
}

static void a_listener_bound_to_a_resource_means_it(void **state)
{
    struct bench *b = *state;
    struct answer a;
    struct http_listen listens[] = { { "127.0.0.1", 0, NULL }, { "127.0.0.1", 0, "shop" } };
    struct http_server_conf conf = quick_conf(b);
    conf.listens = listens;
    conf.n_listens = 2;
    serve(b, &conf);
    assert_int_equal(keyring_put(b->api.keyring, 9, STR("shop"), STR(KEY), STR("")), ERR_NONE);
    for (size_t i = 0; i < 2; i++) {
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(http_server_port(b->srv, i)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
        say(fd, signed_request(b, "GET", "/own", "", ""));
        hear(fd, &a);
        assert_int_equal(a.status, 200);
        if (i == 1)                     /* both have the same key: only the listener tells them apart */
            assert_non_null(strstr(a.body, "\"resource\":9"));
        close(fd);
    }
}

static void more_connections_than_the_limit_wait_their_turn(void **state)
{
    struct bench *b = *state;
    struct answer a;
    struct http_server_conf conf = quick_conf(b);
    conf.max_connections = 4;
    conf.head_us = 3 * US_PER_S;
    serve(b, &conf);
    int fd[8];
    for (int i = 0; i < 8; i++) {
        fd[i] = dial(b);
        say(fd[i], "GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n");
        if (i >= 4)
            continue;
        hear(fd[i], &a);
        assert_int_equal(a.status, 200);
    }
    struct pollfd p = { .fd = fd[7], .events = POLLIN };
    assert_int_equal(poll(&p, 1, 300), 0);
    for (int i = 0; i < 4; i++)
        close(fd[i]);
    for (int i = 4; i < 8; i++) {
        hear(fd[i], &a);
        assert_int_equal(a.status, 200);
        close(fd[i]);
    }
}

static void an_address_in_use_is_said(void **state)
{
    struct bench *b = *state;
    struct http_server *second = NULL;
    struct problem why = { 0 };
    struct http_listen listen = { "127.0.0.1", http_server_port(b->srv, 0), NULL };
    struct http_server_conf conf = quick_conf(b);
    conf.listens = &listen;
    assert_int_equal(http_server_new(&second, &conf, &why), ERR_CONFLICT);
    assert_non_null(strstr(why.text, "in use"));
    listen.host = "no-such-host.invalid";
    assert_int_equal(http_server_new(&second, &conf, &why), ERR_ABSENT);
}

static void a_certificate_that_is_none_stops_the_start(void **state)
{
    struct bench *b = *state;
    struct http_server *second = NULL;
    struct problem why = { 0 };
    struct http_server_conf conf = quick_conf(b);
    conf.cert_pem = STR("nonsense");
    assert_int_equal(http_server_new(&second, &conf, &why), ERR_NONE);
    assert_int_equal(http_server_start(second, &why), ERR_SYNTAX);
    assert_non_null(strstr(why.text, "certificate"));
    http_server_free(second);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_signed_request_reaches_its_handler_on_control), T(a_connection_serves_many_requests),
        T(an_unsigned_or_wrongly_signed_request_is_denied_with_the_reason_inside),
        T(a_handlers_own_words_stand_in_the_envelope), T(what_is_not_there_and_what_is_not_built_say_so),
        T(an_absent_api_version_is_refused_and_an_unknown_one_is_not), T(bodies_are_json_or_nothing),
        T(head_and_options_are_answered), T(what_watches_the_server_needs_no_key), T(tls_and_plain_share_the_port),
        T(a_reload_gives_new_connections_the_new_certificate), T(many_refusals_are_slowed_and_good_requests_are_not),
        T(a_slow_drip_is_cut_by_an_absolute_deadline), T(who_says_nothing_is_closed),
        T(a_body_too_large_is_refused_in_words), T(headers_too_large_are_refused), T(nonsense_is_survived),
        T(requests_whose_end_or_host_is_in_doubt_are_refused_and_end_their_connection), T(a_client_that_sends_ahead_does_not_hurt_the_end),
        cmocka_unit_test_setup_teardown(a_full_inbox_is_429_with_a_time_to_come_back, set_up_stuck, tear_down),
        T(a_client_that_leaves_early_hurts_nobody), T(half_a_request_of_a_client_that_left_does_not_hold_up_the_end),
        T(whoever_is_idle_makes_room_when_it_is_full), T(stopping_lets_running_requests_finish),
        T(a_handler_that_never_answers_does_not_hold_up_the_end), T(a_listener_bound_to_a_resource_means_it),
        T(more_connections_than_the_limit_wait_their_turn), T(an_address_in_use_is_said),
        T(a_certificate_that_is_none_stops_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
