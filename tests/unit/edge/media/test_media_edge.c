#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "edge/media/media_edge.h"
#include "hear.h"

/* -- calls, as far as media tells them anything --------------------------------------------------------------------------- */

enum { NEWS_MAX = 64, PATIENCE_S = 20, SECOND = 8000 };
struct calls {
    pthread_mutex_t   lock;
    pthread_cond_t    more;
    struct media_news news[NEWS_MAX];
    size_t            n;
};

static enum err hear_news(struct calls *c, const struct media_news *news)
{
    pthread_mutex_lock(&c->lock);
    assert_true(c->n < NEWS_MAX);
    c->news[c->n++] = *news;
    pthread_cond_broadcast(&c->more);
    pthread_mutex_unlock(&c->lock);
    return ERR_NONE;
}

static struct media_news wait_for(struct calls *c, enum media_news_kind kind, uint64_t leg)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&c->lock);
    for (;;) {
        for (size_t i = 0; i < c->n; i++)
            if (c->news[i].kind == kind && c->news[i].leg.v == leg) {
                struct media_news found = c->news[i];
                c->news[i].leg.v = 0;           /* told once */
                pthread_mutex_unlock(&c->lock);
                return found;
            }
        if (pthread_cond_timedwait(&c->more, &c->lock, &until)) {
            pthread_mutex_unlock(&c->lock);
            fail_msg("news %d of leg %d did not come", (int)kind, (int)leg);
        }
    }
}

static struct calls calls;
static struct media_edge *edge;
static const struct media_ops *ops;
static const struct leg_id A = { 1 }, B = { 2 };

static int set_up(void **state)
{
    (void)state;
    memset(&calls, 0, sizeof calls);
    pthread_mutex_init(&calls.lock, NULL);
    pthread_cond_init(&calls.more, NULL);
    struct media_edge_conf conf = { .host = "127.0.0.1", .tell = hear_news, .calls = &calls };
    ops = media_edge_ops();
    return media_edge_new(&edge, &conf, NULL) || media_edge_start(edge);
}

static int tear_down(void **state)
{
    (void)state;
    media_edge_free(edge);
    return 0;
}

static void join_two_legs(void)
{
    assert_int_equal(ops->open(edge, A), ERR_NONE);
    assert_int_equal(ops->open(edge, B), ERR_NONE);
    struct media_news a = wait_for(&calls, MEDIA_OPENED, A.v), b = wait_for(&calls, MEDIA_OPENED, B.v);
    assert_string_equal(a.local.host, "127.0.0.1");
    assert_int_equal(a.local.dtmf_payload, 101);
    assert_int_equal(ops->connect(edge, A, &b.local), ERR_NONE);
    assert_int_equal(ops->connect(edge, B, &a.local), ERR_NONE);
}

/* 16 kHz, mono, 16 bit, laid out by hand. */
static struct str wide_wav(uint8_t *out, size_t samples)
{
    static const uint8_t head[44] = { 'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'A', 'V', 'E', 'f', 'm', 't', ' ', 16, 0, 0, 0,
                                      1, 0, 1, 0, 0x80, 0x3e, 0, 0, 0, 0x7d, 0, 0, 2, 0, 16, 0, 'd', 'a', 't', 'a' };
    uint32_t data = (uint32_t)(2 * samples), riff = 36 + data;
    memcpy(out, head, sizeof head);
    memcpy(out + 4, &riff, 4);              /* x86 and ARM write little endian, as WAV wants */
    memcpy(out + 40, &data, 4);
    hear_make_speech((int16_t *)(out + 44), samples, 2 * SECOND, 4);
    return (struct str){ (char *)out, 44 + data };
}

static void a_file_is_decoded_and_played_to_its_end(void **state)
{
    (void)state;
    static uint8_t file[44 + 2 * SECOND] __attribute__((aligned(4)));
    join_two_legs();
    assert_int_equal(ops->play(edge, A, 9, wide_wav(file, SECOND), false), ERR_NONE);
    struct media_news n = wait_for(&calls, MEDIA_PLAYED, A.v);
    assert_int_equal(n.op, 9);
    assert_int_equal(n.err, ERR_NONE);
    assert_int_equal(ops->close(edge, A), ERR_NONE);
    n = wait_for(&calls, MEDIA_CLOSED, A.v);
    assert_true(n.sent >= 25);              /* half a second of it */
    assert_true(n.received > 0);
    assert_int_equal(n.lost, 0);
}

static void a_bad_file_is_told_as_malformed_and_the_leg_lives_on(void **state)
{
    (void)state;
    join_two_legs();
    assert_int_equal(ops->play(edge, A, 1, STR("not a sound at all, but long enough"), false), ERR_NONE);
    struct media_news n = wait_for(&calls, MEDIA_PLAYED, A.v);
    assert_int_equal(n.op, 1);
    assert_int_equal(n.err, ERR_SYNTAX);
    assert_int_equal(ops->send_dtmf(edge, A, 2, STR("7")), ERR_NONE);
    assert_int_equal(wait_for(&calls, MEDIA_SENT, A.v).err, ERR_NONE);
    assert_int_equal(wait_for(&calls, MEDIA_TONE, B.v).tone, '7');
    assert_int_equal(ops->play(edge, A, 3, (struct str){ "", MEDIA_EDGE_FILE_OCTETS_MAX + 1 }, false), ERR_SIZE);
}

static void stopping_a_play_just_asked_for_tells_it_closed(void **state)
{
    (void)state;
    static uint8_t file[44 + 2 * SECOND] __attribute__((aligned(4)));
    join_two_legs();
    assert_int_equal(ops->play(edge, A, 5, wide_wav(file, SECOND), true), ERR_NONE);
    assert_int_equal(ops->stop(edge, A, 5), ERR_NONE);
    struct media_news n = wait_for(&calls, MEDIA_PLAYED, A.v);
    assert_int_equal(n.op, 5);
    assert_int_equal(n.err, ERR_CLOSED);
}

static void an_address_that_cannot_be_is_told_as_failed(void **state)
{
    (void)state;
    assert_int_equal(ops->open(edge, A), ERR_NONE);
    wait_for(&calls, MEDIA_OPENED, A.v);
    struct media_address nowhere = { .host = "pstn.example", .port = 4000 };
    assert_int_equal(ops->connect(edge, A, &nowhere), ERR_NONE);
    assert_int_equal(wait_for(&calls, MEDIA_FAILED, A.v).err, ERR_RANGE);
}

static void stopping_the_edge_ends_what_plays_and_every_leg(void **state)
{
    (void)state;
    static uint8_t file[44 + 2 * SECOND] __attribute__((aligned(4)));
    join_two_legs();
    assert_int_equal(ops->play(edge, B, 5, wide_wav(file, SECOND), true), ERR_NONE);
    media_edge_stop(edge);
    assert_int_equal(wait_for(&calls, MEDIA_PLAYED, B.v).err, ERR_CLOSED);
    wait_for(&calls, MEDIA_CLOSED, A.v);
    wait_for(&calls, MEDIA_CLOSED, B.v);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_decoded_and_played_to_its_end),
        TEST(a_bad_file_is_told_as_malformed_and_the_leg_lives_on),
        TEST(stopping_a_play_just_asked_for_tells_it_closed),
        TEST(an_address_that_cannot_be_is_told_as_failed),
        TEST(stopping_the_edge_ends_what_plays_and_every_leg),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
