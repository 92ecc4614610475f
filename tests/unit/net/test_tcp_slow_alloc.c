#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "net/tcp.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a peer that reads slowly, or not at all, costs: the link's (Makefile) realloc is ours and says how much was wanted. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *p, size_t n);

static size_t largest;
void *__wrap_malloc(size_t n)               { return __real_malloc(n); }
void *__wrap_calloc(size_t count, size_t n) { return __real_calloc(count, n); }
void *__wrap_realloc(void *p, size_t n)
{
    largest = n > largest ? n : largest;
    return __real_realloc(p, n);
}

enum { PIECE = 16384, BEHIND = 20, TOTAL = 2000 * PIECE };
static struct world {
    struct loop      *loop;
    struct loop_timer tick;
    struct tcp_conn  *conn;
    int               peer;
    bool              gone;
    enum err          why;
    size_t            sent, read;       /* octets */
    bool              wrong;            /* what was read is not what was sent */
} w;

static size_t on_bytes(void *arg, const uint8_t *p, size_t n)
{
    (void)arg, (void)p;
    return n;
}

static void on_gone(void *arg, enum err why)
{
    (void)arg;
    w.gone = true;
    w.why = why;
    loop_stop(w.loop);
}

static const struct tcp_ops ops = { .on_bytes = on_bytes, .on_gone = on_gone };

/* So that a lost or doubled octet shows. */
static uint8_t octet_at(size_t at)
{
    return (uint8_t)(at * 31 + at / 251);
}

static void send_piece(void)
{
    uint8_t octets[PIECE];
    for (size_t i = 0; i < PIECE; i++)
        octets[i] = octet_at(w.sent + i);
    tcp_send(w.conn, octets, PIECE);
    w.sent += PIECE;
}

static void read_piece(void)
{
    uint8_t octets[PIECE];
    ssize_t n = recv(w.peer, octets, sizeof octets, 0);
    for (ssize_t i = 0; i < n; i++)
        w.wrong |= octets[i] != octet_at(w.read + (size_t)i);
    w.read += n > 0 ? (size_t)n : 0;
}

static int set_up(void **state)
{
    (void)state;
    int ends[2], little = 65536;
    w = (struct world){ 0 };
    log_setup(LOG_ERROR, LOG_TEXT);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    w.peer = ends[1];
    assert_int_equal(loop_new(&w.loop, "test", 16, NULL), ERR_NONE);
    assert_int_equal(tcp_adopt(&w.conn, w.loop, ends[0], &ops, NULL), ERR_NONE);
    largest = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tcp_free(w.conn);
    close(w.peer);
    loop_timer_done(&w.tick);
    loop_free(w.loop);
    return 0;
}

/* The peer is always BEHIND pieces behind, until all was sent. */
static void stay_behind(void *arg)
{
    (void)arg;
    for (int i = 0; i < 8; i++) {
        while (w.sent < TOTAL && w.sent - w.read < (size_t)PIECE * BEHIND)
            send_piece();
        tcp_flush(w.conn);
        read_piece();
    }
    if (w.read == TOTAL)
        loop_stop(w.loop);
    else
        loop_timer_start(&w.tick, US_PER_MS);
}

static void a_peer_that_is_always_a_little_behind_costs_what_it_is_behind(void **state)
{
    (void)state;
    assert_int_equal(loop_timer_init(w.loop, &w.tick, stay_behind, NULL), ERR_NONE);
    loop_timer_start(&w.tick, US_PER_MS);
    loop_run_here(w.loop);
    assert_false(w.gone);
    assert_false(w.wrong);
    assert_int_equal(w.read, TOTAL);           /* 32 MB */
    assert_true(largest <= 2 * TCP_UNSENT_MAX);
}

static void pour(void *arg)
{
    (void)arg;
    send_piece();
    loop_timer_start(&w.tick, US_PER_MS);
}

static void a_peer_that_reads_nothing_is_let_go(void **state)
{
    (void)state;
    assert_int_equal(loop_timer_init(w.loop, &w.tick, pour, NULL), ERR_NONE);
    loop_timer_start(&w.tick, US_PER_MS);
    loop_run_here(w.loop);
    assert_true(w.gone);
    assert_int_equal(w.why, ERR_SIZE);
    assert_true(w.sent <= 2 * TCP_UNSENT_MAX);                  /* what waits here, and what the socket itself took */
    assert_true(largest <= 2 * TCP_UNSENT_MAX);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_peer_that_is_always_a_little_behind_costs_what_it_is_behind),
        T(a_peer_that_reads_nothing_is_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
