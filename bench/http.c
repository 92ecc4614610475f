/* How many signed JSON POSTs a second go through the API's edge, to control and back, with the load on the same machine.
 *
 * usage: http [FOLDER [SECONDS [CONNECTIONS]]]   FOLDER is not used */
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/str.h"
#include "domain/control.h"
#include "edge/api/api.h"
#include "edge/api/http.h"
#include "edge/api/http_server.h"
#include "edge/api/keyring.h"
#include "machine.h"
#include "net/tls_ca.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define KEY "0123456789abcdef0123456789abcdef"
enum { REPEATS = 5, SAMPLES = 1 << 20 };

static enum err answer(struct http_call *hc)
{
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_text(&w, "to", json_text_of(hc->json, "to"));
    jw_textz(&w, "messageId", "Outgoing_20261122192514d45488f1-5fa4-4718-a69a-a6d1ea713f95_noam");
    jw_int(&w, "httpStatusCode", 202);
    jw_bool(&w, "successful", true);
    jw_end(&w);
    http_reply(hc, 202);
    return ERR_NONE;
}
static const struct http_route routes[] = {
    { "POST", "/sms", HTTP_RESOURCE, NULL, answer, "Bench_Send", "" },
    { 0 },
};
static const struct http_route *const tables[] = { routes, NULL };

struct client {
    int     fd;
    SSL    *ssl;                /* NULL: plain */
    int64_t sent_us;
    size_t  got;
};

struct load {
    const char    *request;
    size_t         request_n;
    struct client *clients;
    int            n, epoll;
    SSL_CTX       *tls;
    uint16_t       port;
    double        *waits_ms;
    size_t         answered, n_waits;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void ask(struct load *l, struct client *c)
{
    c->sent_us = clock_mono().us;
    c->got = 0;
    ssize_t n = c->ssl ? SSL_write(c->ssl, l->request, (int)l->request_n) : send(c->fd, l->request, l->request_n, 0);
    if (n != (ssize_t)l->request_n)
        die("send");
}

static void dial(struct load *l, struct client *c)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(l->port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to))
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->ssl = l->tls ? SSL_new(l->tls) : NULL;
    if (c->ssl && (!SSL_set_fd(c->ssl, c->fd) || SSL_connect(c->ssl) != 1))
        die("TLS");
    epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = c });
}

/* Head and body may come in one piece or two: an answer ends with its closing brace. */
static void hear(struct load *l, struct client *c)
{
    char text[4096];
    do {
        ssize_t n = c->ssl ? SSL_read(c->ssl, text, sizeof text) : recv(c->fd, text, sizeof text, 0);
        if (n <= 0 || (!c->got && memcmp(text + 9, "202", 3))) {
            fprintf(stderr, "not an answer: %.*s\n", (int)(n > 0 ? n : 0), text);
            exit(1);
        }
        c->got += (size_t)n;
        if (text[n - 1] == '}') {
            l->answered++;
            if (l->n_waits < SAMPLES)
                l->waits_ms[l->n_waits++] = (double)(clock_mono().us - c->sent_us) / 1000;
            ask(l, c);
            return;
        }
    } while (c->ssl && SSL_pending(c->ssl));
}

static double run_once(struct load *l, double seconds)
{
    struct epoll_event ready[256];
    int64_t from = clock_mono().us, until = from + (int64_t)(seconds * US_PER_S);
    l->answered = 0;
    while (clock_mono().us < until) {
        int n = epoll_wait(l->epoll, ready, 256, 1000);
        for (int i = 0; i < n; i++)
            hear(l, ready[i].data.ptr);
    }
    return (double)l->answered * US_PER_S / (double)(clock_mono().us - from);
}

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void measure(struct load *l, const char *name, double seconds)
{
    double rates[REPEATS], cpu = cpu_seconds(), total = 0;
    l->epoll = epoll_create1(0);
    l->clients = calloc((size_t)l->n, sizeof *l->clients);
    l->n_waits = 0;
    for (int i = 0; i < l->n; i++) {
        dial(l, &l->clients[i]);
        ask(l, &l->clients[i]);
    }
    run_once(l, seconds / 4);           /* warm */
    cpu = cpu_seconds();
    l->n_waits = 0;
    for (int i = 0; i < REPEATS; i++) {
        rates[i] = run_once(l, seconds);
        total += (double)l->answered;
    }
    cpu = cpu_seconds() - cpu;
    double middle = median(rates, REPEATS), p50 = median(l->waits_ms, l->n_waits);
    printf("%-6s %8.0f requests/s (median of %d; %.0f to %.0f), %.1f us CPU each with the load, p50 %.2f ms, p99 %.2f ms\n",
           name, middle, REPEATS, rates[0], rates[REPEATS - 1], cpu * 1e6 / total, p50,
           l->waits_ms[l->n_waits * 99 / 100]);
    for (int i = 0; i < l->n; i++) {
        SSL_free(l->clients[i].ssl);
        close(l->clients[i].fd);
    }
    free(l->clients);
    close(l->epoll);
}

static char *signed_request(uint16_t port)
{
    static const char body[] = "{\"from\":\"+18445550001\",\"to\":\"+14255550123\",\"smsRecipients\":[{\"to\":\"+14255550123\","
                               "\"repeatabilityRequestId\":\"07a2d345-26c5-4c1a-a00a-082d5ae76372\"}],\"message\":\"hello\"}";
    static char text[2048];
    char date[RFC1123_SIZE], hash[BASE64_SIZE(32)], mac[BASE64_SIZE(32)], to_sign[512];
    uint8_t octets[32];
    time_rfc1123(date, clock_wall_us());
    sha256(octets, str_of(body));
    base64_write(hash, octets, 32);
    snprintf(to_sign, sizeof to_sign, "POST\n/sms?api-version=2026-01-23\n%s;localhost:%u;%s", date, port, hash);
    hmac_sha256(octets, KEY, 32, str_of(to_sign));
    base64_write(mac, octets, 32);
    snprintf(text, sizeof text,
             "POST /sms?api-version=2026-01-23 HTTP/1.1\r\nHost: localhost:%u\r\nx-ms-date: %s\r\n"
             "x-ms-content-sha256: %s\r\nAuthorization: HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256"
             "&Signature=%s\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
             "x-ms-client-request-id: 5a4a5a3e-3b5e-4f43-8f6d-0f3d7c4a1b2c\r\nContent-Length: %zu\r\n\r\n%s",
             port, date, hash, mac, sizeof body - 1, body);
    return text;
}

int main(int argc, char **argv)
{
    double seconds = argc > 2 ? atof(argv[2]) : 2;
    static const uint8_t id_key[ID_KEY_OCTETS] = { 1 };
    static const struct http_listen listen_on = { "127.0.0.1", 0, NULL };
    struct control control = { .ids = ids_new(id_key, 1) };
    struct app_api api = { .control = &control };
    struct tls_pems pems;
    struct http_server *srv;
    log_setup(LOG_WARN, LOG_TEXT);
    if (loop_new(&control.loop, "control", 8192, NULL) || loop_start(control.loop) || keyring_new(&api.keyring)
        || keyring_put(api.keyring, 1, STR("default"), STR(KEY), STR("")) || tls_ca_ensure(NULL, NULL, 0, &pems, NULL))
        return 1;
    struct http_server_conf conf = { .listens = &listen_on, .n_listens = 1, .api = &api, .tables = tables, .threads = 1,
                                     .cert_pem = str_of(pems.cert), .key_pem = str_of(pems.key) };
    if (http_server_new(&srv, &conf, NULL) || http_server_start(srv, NULL))
        return 1;
    machine_print("signed JSON POSTs through the API's edge to control and back (nothing stored)",
                  "keep-alive connections, one request outstanding on each; load generator in the same process");
    struct load load = { .n = argc > 3 ? atoi(argv[3]) : 32, .port = http_server_port(srv, 0),
                         .waits_ms = calloc(SAMPLES, sizeof(double)) };
    load.request = signed_request(load.port);
    load.request_n = strlen(load.request);
    measure(&load, "plain", seconds);
    load.tls = SSL_CTX_new(TLS_client_method());
    measure(&load, "TLS", seconds);
    http_server_stop(srv);
    loop_stop(control.loop);
    loop_free(control.loop);
    http_server_free(srv);
    SSL_CTX_free(load.tls);
    keyring_free(api.keyring);
    ids_free(control.ids);
    tls_pems_done(&pems);
    free(load.waits_ms);
    return 0;
}
