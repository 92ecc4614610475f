/* The courier with every allocation of ours failing in turn: it is made whole or not at all, and each request that was
 * accepted is answered once. */
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "edge/hooks/hooks.h"
#include "unit/alloc.h"
#include "unit/cm.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static enum err make(void)
{
    scoped(hooks) struct hooks *h = NULL;
    struct hooks_conf conf = { .local_ca_pem = STR("pem"), .allow_local = true };
    return hooks_new(&h, &conf, NULL);
}

static void a_courier_is_made_whole_or_not_at_all(void **state)
{
    (void)state;
    assert_true(alloc_each_failing(make) >= 5);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t  told = PTHREAD_COND_INITIALIZER;
static unsigned        n_told;
static enum err        told_err;

static void on_done(void *arg, const struct courier_outcome *o)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    n_told++;
    told_err = o->err;
    pthread_cond_signal(&told);
    pthread_mutex_unlock(&lock);
}

/* A port where nobody listens: each request ends at once with ERR_IO. */
static uint16_t closed_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_false(bind(fd, (struct sockaddr *)&a, sizeof a));
    getsockname(fd, (struct sockaddr *)&a, &n);
    close(fd);
    return ntohs(a.sin_port);
}

static enum err send_one(struct hooks *h, const char *url)
{
    struct courier_request rq = { .method = "POST", .url = str_of(url), .body = STR("{}"),
                                  .headers = { STR("Content-Type: application/json") }, .timeout_us = 2 * US_PER_S,
                                  .max_body = 100, .done = on_done };
    pthread_mutex_lock(&lock);
    n_told = 0;
    pthread_mutex_unlock(&lock);
    enum err err = hooks_courier_ops()->send(h, &rq);
    if (err)
        return err;
    pthread_mutex_lock(&lock);
    while (!n_told)
        pthread_cond_wait(&told, &lock);
    err = told_err;
    pthread_mutex_unlock(&lock);
    return err;
}

static void a_request_without_memory_is_answered_once_and_the_next_is_sent(void **state)
{
    (void)state;
    struct hooks *h = NULL;
    struct hooks_conf conf = { .allow_local = true };
    char url[64];
    int refused = 0;
    assert_false(hooks_new(&h, &conf, NULL));
    assert_false(hooks_start(h));
    for (long n = 1; n < 40; n++) {
        snprintf(url, sizeof url, "http://127.0.0.1:%u/", closed_port());     /* another host each time */
        alloc_failed = false;
        alloc_countdown = n;
        enum err err = send_one(h, url);
        alloc_countdown = 0;
        assert_true(err == ERR_IO || (err == ERR_NOMEM && alloc_failed));
        refused += err == ERR_NOMEM;
        assert_int_equal(n_told, err == ERR_NOMEM && n == 1 ? 0 : 1);
        assert_int_equal(send_one(h, url), ERR_IO);
        if (!alloc_failed)
            break;
    }
    assert_true(refused >= 3);
    hooks_free(h);
}

int main(void)
{
    log_setup(LOG_ERROR, LOG_TEXT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_courier_is_made_whole_or_not_at_all),
        cmocka_unit_test(a_request_without_memory_is_answered_once_and_the_next_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
