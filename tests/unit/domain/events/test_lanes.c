#include "domain/events/lanes.h"

#include "unit/cm.h"

static struct lane *add(struct lanes *l, uint64_t lane, uint64_t key, bool alone)
{
    struct lane *out = NULL;
    assert_int_equal(lanes_add(l, lane, &(struct place){ .key = key, .alone = alone }, &out), ERR_NONE);
    return out;
}

static void a_lane_is_taken_from_its_head_and_by_one_taker_at_a_time(void **state)
{
    (void)state;
    struct lanes l;
    assert_int_equal(lanes_init(&l), ERR_NONE);
    uint32_t n = 0;
    for (uint64_t key = 1; key <= 5; key++)
        add(&l, 7, key, false);
    struct lane *lane = lanes_take(&l, 3, &n);
    assert_int_equal(n, 3);
    assert_int_equal(lane->head->key, 1);
    add(&l, 7, 6, false);
    assert_null(lanes_take(&l, 3, &n));
    for (uint64_t key = 1; key <= 3; key++)
        lanes_remove(&l, lane, key);
    lanes_wake(&l, lanes_back(&l, lane));
    lane = lanes_take(&l, 100, &n);
    assert_int_equal(n, 3);
    assert_int_equal(lane->head->key, 4);
    assert_int_equal(l.count, 3);
    lanes_done(&l, NULL, NULL, NULL);
}

static void lanes_take_turns(void **state)
{
    (void)state;
    struct lanes l;
    assert_int_equal(lanes_init(&l), ERR_NONE);
    uint32_t n = 0;
    add(&l, 1, 10, false);
    add(&l, 2, 20, false);
    add(&l, 1, 11, false);
    struct lane *one = lanes_take(&l, 1, &n);
    lanes_remove(&l, one, 10);
    lanes_wake(&l, lanes_back(&l, one));
    assert_int_equal(lanes_take(&l, 1, &n)->head->key, 20);
    assert_int_equal(lanes_take(&l, 1, &n)->head->key, 11);
    lanes_done(&l, NULL, NULL, NULL);
}

static void one_that_goes_alone_is_in_nobodys_run(void **state)
{
    (void)state;
    struct lanes l;
    assert_int_equal(lanes_init(&l), ERR_NONE);
    uint32_t n = 0;
    add(&l, 1, 10, false);
    add(&l, 1, 11, true);
    add(&l, 1, 12, false);
    struct lane *lane = lanes_take(&l, 100, &n);
    assert_int_equal(n, 1);
    lanes_remove(&l, lane, 10);
    lanes_wake(&l, lanes_back(&l, lane));
    assert_null(lanes_take_more(&l, 100, &n));
    lane = lanes_take(&l, 100, &n);
    assert_int_equal(n, 1);
    assert_int_equal(lane->head->key, 11);
    lanes_done(&l, NULL, NULL, NULL);
}

static void what_is_given_back_is_the_first_to_be_taken_again(void **state)
{
    (void)state;
    struct lanes l;
    assert_int_equal(lanes_init(&l), ERR_NONE);
    uint32_t n = 0;
    add(&l, 1, 10, false);
    add(&l, 2, 20, false);
    struct lane *lane = lanes_take(&l, 9, &n);
    lanes_keep(&l, lane, 0);
    assert_int_equal(lanes_take(&l, 9, &n)->head->key, 10);
    assert_int_equal(lanes_take(&l, 9, &n)->head->key, 20);
    lanes_done(&l, NULL, NULL, NULL);
}

static void a_lane_that_is_empty_takes_no_memory(void **state)
{
    (void)state;
    struct lanes l;
    assert_int_equal(lanes_init(&l), ERR_NONE);
    uint32_t n = 0;
    for (uint64_t key = 1; key <= 1000; key++) {
        add(&l, key, key, false);
        struct lane *lane = lanes_take(&l, 1, &n);
        lanes_remove(&l, lane, key);
        assert_null(lanes_back(&l, lane));
    }
    assert_int_equal(map_count(l.by_name), 0);
    assert_int_equal(l.count, 0);
    lanes_done(&l, NULL, NULL, NULL);
}

static void count_one(void *arg, uint64_t key)
{
    *(uint64_t *)arg += key;
}

static void the_end_tells_of_every_key_that_waits(void **state)
{
    (void)state;
    struct lanes l;
    assert_int_equal(lanes_init(&l), ERR_NONE);
    uint64_t sum = 0;
    uint32_t n = 0;
    add(&l, 1, 10, false);
    add(&l, 1, 11, false);
    add(&l, 2, 20, false);
    assert_non_null(lanes_take(&l, 1, &n));
    lanes_done(&l, NULL, count_one, &sum);
    assert_int_equal(sum, 41);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_is_taken_from_its_head_and_by_one_taker_at_a_time),
        cmocka_unit_test(lanes_take_turns),
        cmocka_unit_test(one_that_goes_alone_is_in_nobodys_run),
        cmocka_unit_test(what_is_given_back_is_the_first_to_be_taken_again),
        cmocka_unit_test(a_lane_that_is_empty_takes_no_memory),
        cmocka_unit_test(the_end_tells_of_every_key_that_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
