/* The courier against servers on loopback: our own, one that never speaks, and none at all. */
#include "base/clock.h"
#include "base/str.h"
#include "domain/control.h"
#include "edge/api/api.h"
#include "edge/api/http.h"
#include "edge/api/http_server.h"
#include "edge/hooks/hooks.h"
#include "net/tls_ca.h"

#include "unit/tmp.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

/* -- a server that is called --------------------------------------------------------------------------------------- */

static _Atomic int running, most_running;

static enum err on_hook(struct http_call *hc)
{
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_text(&w, "method", str_of(hc->method));
    jw_text(&w, "body", hc->body);
    jw_text(&w, "h", http_header(hc, "X-One"));
    jw_text(&w, "agent", http_header(hc, "Expect"));
    jw_end(&w);
    http_answer_header(hc, "WebHook-Allowed-Origin", "example.com");
    http_reply(hc, 202);
    return ERR_NONE;
}

static enum err on_redirect(struct http_call *hc)
{
    http_answer_header(hc, "Location", "/hook");
    http_reply(hc, 302);
    return ERR_NONE;
}

static enum err on_big(struct http_call *hc)
{
    for (int i = 0; i < 5000; i++)
        buf_putz(&hc->out, "0123456789");
    http_reply_as(hc, 200, "text/plain");
    return ERR_NONE;
}

static enum err on_lazy(struct http_call *hc)
{
    int now = ++running;
    if (now > most_running)
        most_running = now;
    usleep(20000);
    running--;
    http_reply(hc, 200);
    return ERR_NONE;
}

static const struct http_route routes[] = {
    { "POST", "/hook", HTTP_PUBLIC, on_hook, NULL, "Test_Hook", "" },
    { "OPTIONS", "/hook", HTTP_PUBLIC, on_hook, NULL, "Test_HookOptions", "" },
    { "GET", "/hook", HTTP_PUBLIC, on_hook, NULL, "Test_HookGet", "" },
    { "POST", "/redirect", HTTP_PUBLIC, on_redirect, NULL, "Test_Redirect", "" },
    { "GET", "/big", HTTP_PUBLIC, on_big, NULL, "Test_Big", "" },
    { "POST", "/lazy", HTTP_PUBLIC, on_lazy, NULL, "Test_Lazy", "" },
    { 0 },
};
static const struct http_route *const tables[] = { routes, NULL };

/* -- the bench ----------------------------------------------------------------------------------------------------- */

enum { OUTCOMES_MAX = 2000 };
struct told {
    int      times;
    enum err err;
    int      status;
    char     words[160], body[256], origin[64];
    int64_t  at_us;
};

struct bench {
    struct control      control;
    struct app_api      api;
    struct http_server *srv;
    struct tls_pems     pems;
    struct hooks       *hooks;
    int                 silent_fd;      /* listens, accepts nothing */
    char                base[64], tls_base[64], silent[64], closed[64];
    pthread_mutex_t     lock;
    pthread_cond_t      changed;
    size_t              n_told;
    struct told         told[OUTCOMES_MAX];
};

static uint16_t listening(int *fd)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(*fd, 1024), 0);
    getsockname(*fd, (struct sockaddr *)&a, &n);
    return ntohs(a.sin_port);
}

static int set_up(void **state)
{
    static const uint8_t id_key[ID_KEY_OCTETS] = { 1 };
    static const struct http_listen listen_on = { "127.0.0.1", 0, NULL };
    struct bench *b = calloc(1, sizeof *b);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    b->control.ids = ids_new(id_key, 1);
    b->api.control = &b->control;
    assert_int_equal(tls_ca_ensure(NULL, NULL, 0, &b->pems, NULL), ERR_NONE);
    struct http_server_conf conf = { .listens = &listen_on, .n_listens = 1, .api = &b->api, .tables = tables,
                                     .threads = 8, .cert_pem = str_of(b->pems.cert), .key_pem = str_of(b->pems.key) };
    assert_int_equal(http_server_new(&b->srv, &conf, NULL), ERR_NONE);
    assert_int_equal(http_server_start(b->srv, NULL), ERR_NONE);
    snprintf(b->base, sizeof b->base, "http://127.0.0.1:%u", http_server_port(b->srv, 0));
    snprintf(b->tls_base, sizeof b->tls_base, "https://localhost:%u", http_server_port(b->srv, 0));
    snprintf(b->silent, sizeof b->silent, "http://127.0.0.1:%u", listening(&b->silent_fd));
    int closed;
    snprintf(b->closed, sizeof b->closed, "http://127.0.0.1:%u", listening(&closed));
    close(closed);
    struct hooks_conf hooks = { .local_ca_pem = str_of(b->pems.ca), .allow_local = true };
    assert_int_equal(hooks_new(&b->hooks, &hooks, NULL), ERR_NONE);
    assert_int_equal(hooks_start(b->hooks), ERR_NONE);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    hooks_free(b->hooks);
    http_server_free(b->srv);
    close(b->silent_fd);
    ids_free(b->control.ids);
    tls_pems_done(&b->pems);
    free(b);
    return 0;
}

static void on_told(void *arg, const struct courier_outcome *o)
{
    struct bench *b = arg;
    pthread_mutex_lock(&b->lock);
    struct told *t = &b->told[o->id];
    t->times++;
    t->err = o->err;
    t->status = o->status;
    t->at_us = clock_mono().us;
    str_copyz(t->words, sizeof t->words, str_of(o->words));
    str_copyz(t->body, sizeof t->body, o->body);
    str_copyz(t->origin, sizeof t->origin, o->allowed_origin);
    b->n_told++;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

static enum err post(struct bench *b, uint64_t id, const char *method, const char *base, const char *path,
                     const char *body, int64_t timeout_us)
{
    char url[256];
    snprintf(url, sizeof url, "%s%s", base, path);
    struct courier_request rq = { .id = id, .method = method, .url = str_of(url), .body = str_of(body),
                                  .headers = { STR("Content-Type: application/json"), STR("X-One: 1"),
                                               STR("X-Two: a\r\nX-Three: b") },
                                  .timeout_us = timeout_us, .max_body = 4096, .done = on_told, .arg = b };
    return hooks_courier_ops()->send(b->hooks, &rq);
}

static void wait_told(struct bench *b, size_t n)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&b->lock);
    while (b->n_told < n)
        if (pthread_cond_timedwait(&b->changed, &b->lock, &until))
            break;
    assert_int_equal(b->n_told, n);
    pthread_mutex_unlock(&b->lock);
}

static struct told *one(struct bench *b, const char *method, const char *base, const char *path, const char *body)
{
    b->n_told = 0;
    memset(b->told, 0, sizeof b->told);
    assert_int_equal(post(b, 0, method, base, path, body, 2 * US_PER_S), ERR_NONE);
    wait_told(b, 1);
    assert_int_equal(b->told[0].times, 1);
    return &b->told[0];
}

/* -- tests --------------------------------------------------------------------------------------------------------- */

static void a_webhook_is_posted_and_its_answer_comes_back(void **state)
{
    struct bench *b = *state;
    struct told *t = one(b, "POST", b->base, "/hook", "[{\"id\":\"1\"}]");
    assert_int_equal(t->err, ERR_NONE);
    assert_int_equal(t->status, 202);
    assert_string_equal(t->body, "{\"method\":\"POST\",\"body\":\"[{\\\"id\\\":\\\"1\\\"}]\",\"h\":\"1\",\"agent\":\"\"}");
    assert_string_equal(t->origin, "example.com");
    t = one(b, "GET", b->base, "/hook", "");
    assert_non_null(strstr(t->body, "\"method\":\"GET\""));
    assert_int_equal(one(b, "OPTIONS", b->base, "/hook", "")->status, 204);
}

static void the_local_authority_is_trusted_only_while_local_targets_are(void **state)
{
    struct bench *b = *state;
    struct told *t = one(b, "POST", b->tls_base, "/hook", "{}");
    assert_int_equal(t->err, ERR_NONE);
    assert_int_equal(t->status, 202);
    hooks_set_allow_local(b->hooks, false);
    t = one(b, "POST", b->tls_base, "/hook", "{}");     /* the connection of before is still open */
    assert_int_equal(t->err, ERR_FORBIDDEN);
    t = one(b, "POST", b->base, "/hook", "{}");
    assert_int_equal(t->err, ERR_FORBIDDEN);
    assert_non_null(strstr(t->words, "https"));
    hooks_set_allow_local(b->hooks, true);
    assert_int_equal(one(b, "POST", b->base, "/hook", "{}")->err, ERR_NONE);
}

static void restart(struct bench *b, const struct hooks_conf *conf)
{
    hooks_free(b->hooks);
    assert_int_equal(hooks_new(&b->hooks, conf, NULL), ERR_NONE);
    assert_int_equal(hooks_start(b->hooks), ERR_NONE);
}

static void a_certificate_of_nobody_we_trust_is_refused(void **state)
{
    struct bench *b = *state;
    struct tmp folder = tmp_new();
    char name[32];
    restart(b, &(struct hooks_conf){ .allow_local = true, .ca_dir = folder.path });
    struct told *t = one(b, "POST", b->tls_base, "/hook", "{}");
    assert_int_equal(t->err, ERR_IO);
    assert_non_null(strstr(t->words, "certificate"));
    BIO *bio = BIO_new_mem_buf(b->pems.ca, -1);         /* the system's folder: named by the hash of the subject */
    X509 *ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    snprintf(name, sizeof name, "%08lx.0", X509_subject_name_hash(ca));
    FILE *f = fopen(tmp_file(&folder, name), "w");
    fputs(b->pems.ca, f);
    fclose(f);
    X509_free(ca);
    BIO_free(bio);
    restart(b, &(struct hooks_conf){ .allow_local = true, .ca_dir = folder.path });
    assert_int_equal(one(b, "POST", b->tls_base, "/hook", "{}")->status, 202);
    char by_address[64];                                /* trusted, but not for this name */
    snprintf(by_address, sizeof by_address, "https://[::ffff:127.0.0.1]:%u", http_server_port(b->srv, 0));
    t = one(b, "POST", by_address, "/hook", "{}");
    assert_int_equal(t->err, ERR_IO);
    assert_non_null(strstr(t->words, "subject name"));
    tmp_free(&folder);
}

static void link_local_and_strange_addresses_are_never_called(void **state)
{
    struct bench *b = *state;
    static const char *const never[] = { "http://169.254.169.254", "http://0.0.0.0:80", "http://[fe80::1]", "http://224.0.0.1",
                                         "http://[::ffff:169.254.169.254]", "http://255.255.255.255" };
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        assert_int_equal(one(b, "GET", never[i], "/", "")->err, ERR_FORBIDDEN);
    static const char *const strange[] = { "file:///etc/passwd", "ftp://127.0.0.1/", "http://", "", "gopher://x" };
    for (size_t i = 0; i < ARRAY_LEN(strange); i++)
        assert_int_equal(one(b, "GET", strange[i], "", "")->err, ERR_SYNTAX);
}

static void a_redirect_is_an_answer_not_an_order(void **state)
{
    struct bench *b = *state;
    struct told *t = one(b, "POST", b->base, "/redirect", "{}");
    assert_int_equal(t->err, ERR_NONE);
    assert_int_equal(t->status, 302);
}

static void an_answer_too_long_is_cut_off(void **state)
{
    struct bench *b = *state;
    assert_int_equal(one(b, "GET", b->base, "/big", "")->err, ERR_SIZE);
}

static void nobody_there_and_nobody_speaking_differ(void **state)
{
    struct bench *b = *state;
    struct told *t = one(b, "POST", b->closed, "/", "{}");
    assert_int_equal(t->err, ERR_IO);
    assert_true(t->words[0]);
    assert_int_equal(post(b, 1, "POST", b->silent, "/", "{}", 200 * US_PER_MS), ERR_NONE);
    wait_told(b, 2);
    assert_int_equal(b->told[1].err, ERR_TIMEOUT);
}

static void a_dead_host_delays_only_itself(void **state)
{
    struct bench *b = *state;
    struct mono from = clock_mono();
    for (uint64_t i = 0; i < 200; i++)
        assert_int_equal(post(b, i, "POST", b->silent, "/", "{}", 300 * US_PER_MS), ERR_NONE);
    for (uint64_t i = 200; i < 300; i++)
        assert_int_equal(post(b, i, "POST", b->base, "/hook", "{}", 5 * US_PER_S), ERR_NONE);
    struct timespec nap = { .tv_nsec = 1000000 };
    size_t good = 0;
    while (good < 100 && clock_mono().us - from.us < 5 * US_PER_S) {
        nanosleep(&nap, NULL);
        pthread_mutex_lock(&b->lock);
        for (good = 0; good < 100 && b->told[200 + good].times; good++)
            ;
        pthread_mutex_unlock(&b->lock);
    }
    assert_int_equal(good, 100);
    assert_true(clock_mono().us - from.us < 2 * US_PER_S);
    for (int i = 200; i < 300; i++)
        assert_int_equal(b->told[i].status, 202);
    hooks_stop(b->hooks);               /* those that still wait hear that it is over, once each */
    for (int i = 0; i < 200; i++) {
        assert_int_equal(b->told[i].times, 1);
        assert_true(b->told[i].err == ERR_TIMEOUT || b->told[i].err == ERR_CLOSED);
    }
    assert_int_equal(b->told[199].err, ERR_CLOSED);
    assert_int_equal(post(b, 300, "POST", b->base, "/hook", "{}", US_PER_S), ERR_BUSY);
}

static void one_host_gets_a_few_at_once(void **state)
{
    struct bench *b = *state;
    restart(b, &(struct hooks_conf){ .allow_local = true, .local_ca_pem = str_of(b->pems.ca), .per_host = 6 });
    running = most_running = 0;
    for (uint64_t i = 0; i < 60; i++)
        assert_int_equal(post(b, i, "POST", b->base, "/lazy", "{}", 5 * US_PER_S), ERR_NONE);
    wait_told(b, 60);
    for (int i = 0; i < 60; i++)
        assert_int_equal(b->told[i].status, 200);
    assert_in_range(most_running, 2, 6);
}

static void the_queue_is_bounded_and_no_host_may_fill_it(void **state)
{
    struct bench *b = *state;
    hooks_free(b->hooks);
    struct hooks_conf conf = { .allow_local = true, .waiting_max = 80 };
    assert_int_equal(hooks_new(&b->hooks, &conf, NULL), ERR_NONE);
    for (uint64_t i = 0; i < 80; i++)   /* not started: all wait */
        assert_int_equal(post(b, i, "POST", b->silent, "/", "{}", 100 * US_PER_MS), ERR_NONE);
    assert_int_equal(post(b, 80, "POST", b->silent, "/", "{}", US_PER_S), ERR_BUSY);
    assert_int_equal(hooks_start(b->hooks), ERR_NONE);
    struct timespec nap = { .tv_nsec = 50000000 };
    nanosleep(&nap, NULL);
    pthread_mutex_lock(&b->lock);
    size_t busy = 0;
    for (int i = 0; i < 80; i++)
        busy += b->told[i].err == ERR_BUSY;
    pthread_mutex_unlock(&b->lock);
    assert_int_equal(busy, 80 - 1 - 10);        /* one under way, for it never answered yet; an eighth of the queue */
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_webhook_is_posted_and_its_answer_comes_back),
        T(the_local_authority_is_trusted_only_while_local_targets_are),
        T(a_certificate_of_nobody_we_trust_is_refused),
        T(link_local_and_strange_addresses_are_never_called), T(a_redirect_is_an_answer_not_an_order),
        T(an_answer_too_long_is_cut_off), T(nobody_there_and_nobody_speaking_differ), T(a_dead_host_delays_only_itself),
        T(one_host_gets_a_few_at_once), T(the_queue_is_bounded_and_no_host_may_fill_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
