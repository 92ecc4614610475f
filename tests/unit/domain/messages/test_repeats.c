/* Repeatability ids: what is remembered, by whom, and for how long. */
#include "base/map.h"
#include "domain/messages/repeats.h"
#include "unit/cm.h"

#include <stdio.h>

static struct str guid_of(char text[40], unsigned n)
{
    snprintf(text, 40, "%08x-9c5f-4e6b-8d3a-00000000%04x", n * 2654435761u, n & 0xffff);
    return str_of(text);
}

static void what_was_put_is_found_without_regard_to_case_and_by_its_resource_alone(void **state)
{
    (void)state;
    scoped(repeats) struct repeats *r = repeats_new();
    struct str lower = STR("07a2d345-26c5-4c1a-a00a-082d5ae76372"), upper = STR("07A2D345-26C5-4C1A-A00A-082D5AE76372");
    assert_int_equal(repeats_put(r, 1, lower, (struct repeat){ .message = 7, .print = 9, .at_s = 11 }, false), ERR_NONE);
    const struct repeat *found = repeats_find(r, 1, upper);
    assert_non_null(found);
    assert_int_equal(found->message, 7);
    assert_int_equal(found->print, 9);
    assert_int_equal(found->at_s, 11);
    assert_null(repeats_find(r, 2, lower));
    repeats_take(r, 1, upper);
    assert_null(repeats_find(r, 1, lower));
}

static void a_text_that_is_no_guid_is_an_id_too(void **state)
{
    (void)state;
    scoped(repeats) struct repeats *r = repeats_new();
    assert_int_equal(repeats_put(r, 1, STR("Order 17"), (struct repeat){ .message = 7 }, false), ERR_NONE);
    assert_non_null(repeats_find(r, 1, STR("oRDER 17")));
    assert_null(repeats_find(r, 1, STR("Order 18")));
    assert_null(repeats_find(r, 1, STR("")));
}

static void two_turns_forget(void **state)
{
    (void)state;
    scoped(repeats) struct repeats *r = repeats_new();
    assert_int_equal(repeats_put(r, 1, STR("new"), (struct repeat){ .message = 7 }, false), ERR_NONE);
    assert_int_equal(repeats_put(r, 1, STR("old"), (struct repeat){ .message = 8 }, true), ERR_NONE);
    repeats_turn(r);
    assert_non_null(repeats_find(r, 1, STR("new")));
    assert_null(repeats_find(r, 1, STR("old")));
    repeats_turn(r);
    assert_null(repeats_find(r, 1, STR("new")));
}

static void thousands_come_and_go_and_none_is_lost_or_found_twice(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    char text[40];
    scoped(repeats) struct repeats *r = repeats_new();
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(repeats_put(r, i % 3, guid_of(text, i), (struct repeat){ .message = i + 1 }, i % 2), ERR_NONE);
    for (unsigned i = 0; i < MANY; i += 3)
        repeats_take(r, i % 3, guid_of(text, i));
    for (unsigned i = 0; i < MANY; i++) {
        const struct repeat *found = repeats_find(r, i % 3, guid_of(text, i));
        assert_true(i % 3 ? found && found->message == i + 1 : !found);
    }
}

static void a_print_tells_each_part_of_what_was_asked(void **state)
{
    (void)state;
    struct str from = STR("+18335550100"), to = STR("+12065550100"), tag = STR("tag");
    uint64_t text = hash_str(STR("hello"));
    uint32_t one = repeats_print(from, to, text, tag, true);
    assert_int_equal(one, repeats_print(from, to, hash_str(STR("hello")), tag, true));
    assert_int_not_equal(one, 0);
    assert_int_not_equal(one, repeats_print(to, from, text, tag, true));
    assert_int_not_equal(one, repeats_print(from, from, text, tag, true));
    assert_int_not_equal(one, repeats_print(from, to, hash_str(STR("hullo")), tag, true));
    assert_int_not_equal(one, repeats_print(from, to, text, STR(""), true));
    assert_int_not_equal(one, repeats_print(from, to, text, tag, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_without_regard_to_case_and_by_its_resource_alone),
        cmocka_unit_test(a_text_that_is_no_guid_is_an_id_too),
        cmocka_unit_test(two_turns_forget),
        cmocka_unit_test(thousands_come_and_go_and_none_is_lost_or_found_twice),
        cmocka_unit_test(a_print_tells_each_part_of_what_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
