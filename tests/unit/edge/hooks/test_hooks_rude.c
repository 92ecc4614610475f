/* The courier against endpoints that misbehave, each in its own way: every request ends as it should by its deadline, and an
 * endpoint that behaves is served meanwhile as if they were not there. */
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "edge/hooks/hooks.h"

#include "unit/cm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EACH = 5, GOOD = 200, LONG_BODY = 4 << 20, ANSWER_MAX = 65536 };
static const int64_t DEADLINE_US = 500 * US_PER_MS;

enum manner { POLITE, SILENT, DRIPS, DRIPS_BODY, RESETS, HANGS_UP, HEADERS, INTERIM, BODY, DEAF, NO_HTTP, NO_TLS, MANNERS };
static const struct { const char *scheme; enum err err, or_err; } expected[MANNERS] = {
    [POLITE] = { "http", ERR_NONE, ERR_NONE },      [SILENT] = { "http", ERR_TIMEOUT, ERR_TIMEOUT },
    [DRIPS] = { "http", ERR_TIMEOUT, ERR_TIMEOUT }, [DRIPS_BODY] = { "http", ERR_TIMEOUT, ERR_TIMEOUT },
    [RESETS] = { "http", ERR_IO, ERR_IO },          [HANGS_UP] = { "http", ERR_IO, ERR_IO },
    [HEADERS] = { "http", ERR_SIZE, ERR_SIZE },     [INTERIM] = { "http", ERR_SIZE, ERR_SIZE },
    [BODY] = { "http", ERR_SIZE, ERR_SIZE },        [DEAF] = { "http", ERR_TIMEOUT, ERR_TIMEOUT },
    [NO_HTTP] = { "http", ERR_IO, ERR_IO },         [NO_TLS] = { "https", ERR_IO, ERR_TIMEOUT },
};

/* -- an endpoint: a door, and a thread a connection ------------------------------------------------------------------ */

static _Atomic bool over;
static _Atomic int  guests;
struct door { int fd; enum manner manner; uint16_t port; pthread_t thread; };
static struct door doors[MANNERS];

/* @return false: the peer has gone, or the test is over */
static bool say(int fd, const char *text)
{
    return !over && send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static bool hear_request(int fd)
{
    char text[65536];
    size_t n = 0;
    while (!over && n < sizeof text - 1) {
        ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
        text[n] = '\0';
        if (strstr(text, "\r\n\r\n{}"))
            return true;
    }
    return false;
}

static void drip(int fd, const char *before)
{
    struct timespec nap = { .tv_nsec = 10 * 1000000 };
    while (say(fd, before)) {
        before = "x";
        nanosleep(&nap, NULL);
    }
}

static void pour(int fd, const char *before, const char *again)
{
    for (bool good = say(fd, before); good; good = say(fd, again))
        ;
}

static void behave(int fd, enum manner manner)
{
    static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    struct linger now = { .l_onoff = 1 };
    if (manner == DEAF || manner == NO_TLS) {
        while (!over && poll(&(struct pollfd){ .fd = fd, .events = POLLRDHUP }, 1, 20) == 0)
            ;
        return;
    }
    while (hear_request(fd)) {
        switch (manner) {
        case POLITE:     if (!say(fd, good)) return; break;
        case DRIPS:      drip(fd, "HTTP/1.1 200 OK\r\nX-Slow: "); return;
        case DRIPS_BODY: drip(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"); return;
        case RESETS:     setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now); return;
        case HANGS_UP:   return;
        case HEADERS:    pour(fd, "HTTP/1.1 200 OK\r\n", "X-Many: 0123456789012345678901234567890123456789\r\n"); return;
        case INTERIM:    pour(fd, "", "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"); return;
        case BODY:       pour(fd, "HTTP/1.1 200 OK\r\n\r\n", "0123456789012345678901234567890123456789"); return;
        case NO_HTTP:    say(fd, "SSH-2.0-OpenSSH_9.2\r\n\r\n"); return;
        case SILENT: case DEAF: case NO_TLS: case MANNERS: break;
        }
    }
}

struct guest { int fd; enum manner manner; };
static void *serve(void *arg)
{
    struct guest g = *(struct guest *)arg;
    free(arg);
    behave(g.fd, g.manner);
    close(g.fd);
    guests--;
    return NULL;
}

static void *welcome(void *arg)
{
    struct door *d = arg;
    for (int fd; (fd = accept(d->fd, NULL, NULL)) >= 0;) {
        struct guest *g = malloc(sizeof *g);
        struct timeval soon = { .tv_usec = 100000 };
        pthread_t t;
        int small = 4096;
        *g = (struct guest){ fd, d->manner };
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
        guests++;
        if (over || pthread_create(&t, NULL, serve, g)) {
            free(g);
            close(fd);
            guests--;
            continue;
        }
        pthread_detach(t);
    }
    return NULL;
}

static void open_door(struct door *d, enum manner manner)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    d->manner = manner;
    d->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(d->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(d->fd, 256), 0);
    getsockname(d->fd, (struct sockaddr *)&a, &n);
    d->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&d->thread, NULL, welcome, d), 0);
}

static void close_doors(void)
{
    struct timespec nap = { .tv_nsec = 1000000 };
    over = true;
    for (int i = 0; i < MANNERS; i++) {
        shutdown(doors[i].fd, SHUT_RDWR);
        pthread_join(doors[i].thread, NULL);
        close(doors[i].fd);
    }
    while (guests)
        nanosleep(&nap, NULL);
}

/* -- the test -------------------------------------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t  changed = PTHREAD_COND_INITIALIZER;
static struct { int times; enum err err; int64_t at_us; char words[160]; } told[MANNERS * 1000];
static size_t n_told;

static void on_told(void *arg, const struct courier_outcome *o)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    told[o->id].times++;
    told[o->id].err = o->err;
    told[o->id].at_us = clock_mono().us;
    str_copyz(told[o->id].words, sizeof told[o->id].words, str_of(o->words));
    n_told++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void post(struct hooks *h, enum manner manner, int n, int64_t timeout_us, struct str body)
{
    char url[64];
    snprintf(url, sizeof url, "%s://localhost:%u/%d", expected[manner].scheme, doors[manner].port, n);
    struct courier_request rq = { .id = (uint64_t)(manner * 1000 + n), .method = "POST", .url = str_of(url), .body = body,
                                  .timeout_us = timeout_us, .max_body = ANSWER_MAX, .done = on_told };
    assert_int_equal(hooks_courier_ops()->send(h, &rq), ERR_NONE);
}

static void rude_endpoints_fail_by_their_deadline_and_delay_nobody(void **state)
{
    (void)state;
    scoped(hooks) struct hooks *h = NULL;
    /* its connections are few, so that the rude ones could take them all */
    struct hooks_conf conf = { .allow_local = true, .at_once = 32, .late_us = 100 * US_PER_MS, .octets_max = (size_t)4 << 30 };
    char *text = calloc(1, LONG_BODY);
    struct str body = { text, LONG_BODY };
    assert_non_null(text);
    log_setup(LOG_ERROR, LOG_TEXT);
    for (int i = 0; i < MANNERS; i++)
        open_door(&doors[i], (enum manner)i);
    assert_int_equal(hooks_new(&h, &conf, NULL), ERR_NONE);
    assert_int_equal(hooks_start(h), ERR_NONE);
    for (int n = 0; n < EACH; n++)
        for (enum manner m = SILENT; m < MANNERS; m++)
            post(h, m, n, DEADLINE_US, m == DEAF ? body : STR("{}"));
    struct mono from = clock_mono();
    for (int n = 0; n < GOOD; n++)
        post(h, POLITE, n, 5 * US_PER_S, STR("{}"));
    pthread_mutex_lock(&lock);
    while (n_told < (MANNERS - 1) * EACH + GOOD) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 30;
        assert_int_equal(pthread_cond_timedwait(&changed, &lock, &until), 0);
    }
    pthread_mutex_unlock(&lock);
    for (int n = 0; n < GOOD; n++) {
        assert_int_equal(told[n].times, 1);
        assert_int_equal(told[n].err, ERR_NONE);
        assert_true(told[n].at_us - from.us < US_PER_S);        /* each rude one alone takes 2.5 s */
    }
    for (int m = SILENT; m < MANNERS; m++)
        for (int n = 0; n < EACH; n++) {
            enum err err = told[m * 1000 + n].err;
            assert_int_equal(told[m * 1000 + n].times, 1);
            if (err != expected[m].err && err != expected[m].or_err)
                print_message("manner %d, request %d: %s: %s\n", m, n, err_words(err), told[m * 1000 + n].words);
            assert_true(err == expected[m].err || err == expected[m].or_err);
        }
    hooks_stop(h);
    close_doors();
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rude_endpoints_fail_by_their_deadline_and_delay_nobody) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
