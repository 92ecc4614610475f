#include "base/inbox.h"
#include "unit/cm.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

enum { POSTERS = 4, EACH = 20000 };

struct note {
    struct inbox_item item;
    int poster, number;
};
struct owner {
    int    next[POSTERS];
    size_t handled, out_of_order;
};

static void on_note(void *arg, struct inbox_item *item)
{
    struct owner *o = arg;
    struct note *n = container_of(item, struct note, item);
    o->out_of_order += n->number != o->next[n->poster]++;
    o->handled++;
    free(n);
}
static const struct inbox_kind note_kind = { "note", on_note, NULL };

static struct note *note_new(int poster, int number)
{
    struct note *n = malloc(sizeof *n);
    *n = (struct note){ .item.kind = &note_kind, .poster = poster, .number = number };
    return n;
}

static bool readable(const struct inbox *in)
{
    struct pollfd p = { .fd = inbox_fd(in), .events = POLLIN };
    return poll(&p, 1, 0) == 1;
}

static void what_is_posted_is_handled_in_order(void **state)
{
    (void)state;
    struct owner o = { 0 };
    scoped(inbox) struct inbox *in = inbox_new("test", 10, &o);
    assert_false(readable(in));
    for (int i = 0; i < 10; i++)
        assert_int_equal(inbox_post(in, &note_new(0, i)->item), ERR_NONE);
    assert_true(readable(in));
    assert_int_equal(inbox_depth(in), 10);
    assert_int_equal(inbox_drain(in), 10);
    assert_int_equal(o.handled, 10);
    assert_int_equal(o.out_of_order, 0);
    assert_false(readable(in));
    assert_int_equal(inbox_drain(in), 0);
}

static void a_full_inbox_refuses_and_counts_but_takes_answers(void **state)
{
    (void)state;
    struct owner o = { 0 };
    scoped(inbox) struct inbox *in = inbox_new("test", 2, &o);
    assert_int_equal(inbox_post(in, &note_new(0, 0)->item), ERR_NONE);
    assert_int_equal(inbox_post(in, &note_new(0, 1)->item), ERR_NONE);
    struct note *extra = note_new(0, 2);
    assert_int_equal(inbox_post(in, &extra->item), ERR_BUSY);
    assert_int_equal(inbox_refused(in), 1);
    assert_int_equal(inbox_depth(in), 2);
    inbox_post_always(in, &extra->item);
    assert_int_equal(inbox_drain(in), 3);
    assert_int_equal(o.out_of_order, 0);
    assert_int_equal(inbox_post(in, &note_new(0, 3)->item), ERR_NONE);
}

static int dropped;
static void count_drop(struct inbox_item *item)
{
    dropped++;
    free(item);
}

static void an_ending_inbox_drops_what_waits(void **state)
{
    (void)state;
    static const struct inbox_kind counted = { "counted", on_note, count_drop };
    struct inbox *in = inbox_new("test", 10, NULL);
    for (int i = 0; i < 3; i++) {
        struct note *n = note_new(0, i);
        if (i)
            n->item.kind = &counted;
        assert_int_equal(inbox_post(in, &n->item), ERR_NONE);
    }
    inbox_free(in);
    assert_int_equal(dropped, 2);
    inbox_free(NULL);
}

struct poster { struct inbox *in; int number; _Atomic size_t *busy; };

static void *post_many(void *arg)
{
    struct poster *p = arg;
    for (int i = 0; i < EACH; i++) {
        struct note *n = note_new(p->number, i);
        while (inbox_post(p->in, &n->item)) {       /* full: try again, as no poster of ours would */
            ++*p->busy;
            sched_yield();
        }
    }
    return NULL;
}

static void many_threads_keep_each_ones_order_and_the_bound(void **state)
{
    (void)state;
    struct owner o = { 0 };
    _Atomic size_t busy = 0;
    scoped(inbox) struct inbox *in = inbox_new("test", 100, &o);
    pthread_t threads[POSTERS];
    struct poster p[POSTERS];
    for (int i = 0; i < POSTERS; i++) {
        p[i] = (struct poster){ in, i, &busy };
        pthread_create(&threads[i], NULL, post_many, &p[i]);
    }
    while (o.handled < POSTERS * EACH) {
        inbox_wait(in, 1000);
        assert_true(inbox_drain(in) <= 100 + POSTERS);
    }
    for (int i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(o.out_of_order, 0);
    assert_int_equal(inbox_refused(in), busy);
    assert_int_equal(inbox_depth(in), 0);
}

static void waiting_ends_at_its_time(void **state)
{
    (void)state;
    scoped(inbox) struct inbox *in = inbox_new("test", 1, NULL);
    inbox_wait(in, 1);
    inbox_wait(in, 0);
    assert_int_equal(inbox_drain(in), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_posted_is_handled_in_order),
        cmocka_unit_test(a_full_inbox_refuses_and_counts_but_takes_answers),
        cmocka_unit_test(an_ending_inbox_drops_what_waits),
        cmocka_unit_test(many_threads_keep_each_ones_order_and_the_bound),
        cmocka_unit_test(waiting_ends_at_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
