/* Sound files and the RTP loop with every allocation of ours failing in turn. */
#include "net/audio.h"
#include "net/rtp_loop.h"
#include "unit/alloc.h"
#include "unit/cm.h"

#include <pthread.h>
#include <unistd.h>

/* 16 kHz, mono, 16 bit, two samples; by hand. */
static const char wav[] = "RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\4\0\0\0\1\0\2";

static enum err prompt(void)
{
    struct audio *a = NULL;
    enum err err = audio_read(&a, (struct str){ wav, sizeof wav }, NULL);
    if (!err)
        assert_int_equal(audio_octets(a).n, 1);
    audio_unref(a);
    return err;
}

static void a_prompt_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    assert_true(alloc_each_failing(prompt) >= 3);
}

/* What the loop's thread could not have is told by its callbacks. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t  more = PTHREAD_COND_INITIALIZER;
static enum err opened_with, played_with;
static unsigned opened, played;

static void on_opened(void *arg, uint64_t leg, enum err err, const char *host, uint16_t port)
{
    (void)arg, (void)leg, (void)host, (void)port;
    pthread_mutex_lock(&lock);
    opened++;
    opened_with = err;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&lock);
}

static void on_played(void *arg, uint64_t leg, uint64_t op, enum err err)
{
    (void)arg, (void)leg, (void)op;
    pthread_mutex_lock(&lock);
    played++;
    played_with = err;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&lock);
}

static void wait_until(const unsigned *n)
{
    pthread_mutex_lock(&lock);
    while (!*n)
        pthread_cond_wait(&more, &lock);
    pthread_mutex_unlock(&lock);
}

static enum err play_nothing(struct rtp_loop *rl)
{
    static const int16_t none[1];
    struct audio *a = NULL;
    enum err err = audio_of(&a, none, 0);
    if (!err)
        err = rtp_loop_play(rl, 1, 1, a, false);
    audio_unref(a);
    if (err)
        return err;
    wait_until(&played);
    return opened_with ? ERR_NONE : played_with;        /* to a leg that never was: ERR_CLOSED, and right so */
}

static enum err one_leg(void)
{
    static const struct rtp_loop_events events = { .opened = on_opened, .played = on_played };
    struct rtp_loop_conf conf = { .name = "rtp", .host = "127.0.0.1", .events = &events };
    scoped(rtp_loop) struct rtp_loop *rl = NULL;
    opened = played = 0;
    enum err err = rtp_loop_new(&rl, &conf, NULL);
    if (!err)
        err = rtp_loop_start(rl);
    if (!err)
        err = rtp_loop_open(rl, 1);
    if (err)
        return err;
    wait_until(&opened);
    err = play_nothing(rl);
    if (!err)
        err = rtp_loop_close(rl, 1);
    return err ? err : opened_with;
}

static void a_leg_opens_and_plays_or_says_why_not(void **state)
{
    (void)state;
    assert_true(alloc_each_failing(one_leg) >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prompt_is_read_whole_or_not_at_all),
        cmocka_unit_test(a_leg_opens_and_plays_or_says_why_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
