#include "base/loop.h"
#include "base/clock.h"
#include "unit/cm.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* Everything a test's loop does, seen by the test after loop_stop() or when the loop stopped itself. */
struct bench {
    struct loop      *loop;
    struct loop_timer timer, other;
    struct loop_io    io;
    int               ends[2];
    int               fired, other_fired, reads, writes;
    int64_t           started_us, fired_us;
    bool              was_here;
    char              got[16];
    _Atomic int       handled;
};

static void on_note(void *owner, struct inbox_item *item)
{
    struct bench *b = owner;
    b->was_here = loop_is_here(b->loop);
    b->handled++;
    free(item);
}
static const struct inbox_kind note_kind = { "note", on_note, NULL };

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_int_equal(loop_new(&b->loop, "test", 1000, b), ERR_NONE);
    assert_int_equal(pipe2(b->ends, O_NONBLOCK | O_CLOEXEC), 0);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    loop_timer_done(&b->timer);
    loop_timer_done(&b->other);
    loop_io_done(&b->io);
    loop_free(b->loop);
    close(b->ends[0]);
    close(b->ends[1]);
    free(b);
    return 0;
}

static void post(struct bench *b)
{
    struct inbox_item *item = calloc(1, sizeof *item);
    item->kind = &note_kind;
    assert_int_equal(inbox_post(loop_inbox(b->loop), item), ERR_NONE);
}

static void a_loop_handles_its_inbox_before_it_stops(void **state)
{
    struct bench *b = *state;
    assert_int_equal(loop_start(b->loop), ERR_NONE);
    for (int i = 0; i < 500; i++)
        post(b);
    assert_false(loop_is_here(b->loop));
    loop_stop(b->loop);
    assert_int_equal(b->handled, 500);
    assert_true(b->was_here);
}

static void a_loop_that_was_not_started_can_be_freed(void **state)
{
    post(*state);
}

static void a_loop_can_be_stopped_at_once(void **state)
{
    struct bench *b = *state;
    assert_int_equal(loop_start(b->loop), ERR_NONE);
    loop_stop(b->loop);
}

static void fire_and_stop(void *arg)
{
    struct bench *b = arg;
    b->fired++;
    b->fired_us = clock_mono().us;
    loop_stop(b->loop);
}

static void a_timer_fires_once_and_never_early(void **state)
{
    struct bench *b = *state;
    assert_int_equal(loop_timer_init(b->loop, &b->timer, fire_and_stop, b), ERR_NONE);
    b->started_us = clock_mono().us;
    loop_timer_start(&b->timer, 5500);
    loop_run_here(b->loop);
    assert_int_equal(b->fired, 1);
    assert_in_range(b->fired_us - b->started_us, 5000, 2000000);
}

static void fire_other(void *arg)
{
    struct bench *b = arg;
    b->other_fired++;
}

static void a_stopped_timer_stays_silent_and_a_restarted_one_moves(void **state)
{
    struct bench *b = *state;
    assert_int_equal(loop_timer_init(b->loop, &b->timer, fire_and_stop, b), ERR_NONE);
    assert_int_equal(loop_timer_init(b->loop, &b->other, fire_other, b), ERR_NONE);
    loop_timer_start(&b->other, 1000);
    loop_timer_stop(&b->other);
    b->started_us = clock_mono().us;
    loop_timer_start(&b->timer, 0);
    loop_timer_start(&b->timer, 20000);
    loop_run_here(b->loop);
    assert_int_equal(b->other_fired, 0);
    assert_int_equal(b->fired, 1);
    assert_true(b->fired_us - b->started_us >= 19000);
    struct loop_timer none = { 0 };
    loop_timer_stop(&none);
    loop_timer_done(&none);
    loop_timer_done(&none);
}

static void end_self(void *arg)
{
    struct bench *b = arg;
    b->fired++;
    loop_timer_done(&b->timer);         /* its own end, from within */
    loop_timer_start(&b->other, 1000);
}

static void a_timer_may_end_itself(void **state)
{
    struct bench *b = *state;
    assert_int_equal(loop_timer_init(b->loop, &b->timer, end_self, b), ERR_NONE);
    assert_int_equal(loop_timer_init(b->loop, &b->other, fire_and_stop, b), ERR_NONE);
    loop_timer_start(&b->timer, 0);
    loop_run_here(b->loop);
    assert_int_equal(b->fired, 2);
}

static void on_readable(void *arg, bool can_read, bool can_write)
{
    struct bench *b = arg;
    (void)can_write;
    if (!can_read)
        return;
    b->reads++;
    ssize_t n = read(b->ends[0], b->got, sizeof b->got);
    loop_io_watch(&b->io, false, false);
    if (n == 0)
        loop_stop(b->loop);
    else
        loop_timer_start(&b->timer, 3000);
}

static void watch_again(void *arg)
{
    struct bench *b = arg;
    assert_int_equal(b->reads, 1);      /* paused: the second octet went unseen */
    loop_io_watch(&b->io, true, false);
    close(b->ends[1]);
    b->ends[1] = -1;
}

static void a_paused_descriptor_is_not_told_and_an_ended_one_is(void **state)
{
    struct bench *b = *state;
    assert_int_equal(loop_io_init(b->loop, &b->io, b->ends[0], on_readable, b), ERR_NONE);
    assert_int_equal(loop_timer_init(b->loop, &b->timer, watch_again, b), ERR_NONE);
    loop_io_watch(&b->io, true, false);
    assert_int_equal(write(b->ends[1], "x", 1), 1);
    loop_run_here(b->loop);
    assert_int_equal(b->reads, 2);
    assert_int_equal(b->got[0], 'x');
}

static void on_writable(void *arg, bool can_read, bool can_write)
{
    struct bench *b = arg;
    (void)can_read;
    b->writes += can_write;
    loop_io_done(&b->io);
    loop_stop(b->loop);
}

static void a_descriptor_with_room_is_writable(void **state)
{
    struct bench *b = *state;
    assert_int_equal(loop_io_init(b->loop, &b->io, b->ends[1], on_writable, b), ERR_NONE);
    loop_io_watch(&b->io, false, true);
    loop_run_here(b->loop);
    assert_int_equal(b->writes, 1);
}

static void a_descriptor_that_is_none_is_refused(void **state)
{
    struct bench *b = *state;
    assert_int_equal(loop_io_init(b->loop, &b->io, 100000, on_writable, b), ERR_IO);
    assert_null(b->io.priv);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_loop_handles_its_inbox_before_it_stops),
        T(a_loop_that_was_not_started_can_be_freed),
        T(a_loop_can_be_stopped_at_once),
        T(a_timer_fires_once_and_never_early),
        T(a_stopped_timer_stays_silent_and_a_restarted_one_moves),
        T(a_timer_may_end_itself),
        T(a_paused_descriptor_is_not_told_and_an_ended_one_is),
        T(a_descriptor_with_room_is_writable),
        T(a_descriptor_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
