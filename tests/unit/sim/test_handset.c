#include "unit/cm.h"

#include "base/str.h"
#include "sim/handset.h"

static struct handset *touch(struct handsets *hs, const char *number)
{
    return handsets_touch(hs, str_of(number));
}

static void a_number_is_made_when_first_touched_and_found_again(void **state)
{
    (void)state;
    scoped(handsets) struct handsets *hs = handsets_new();
    assert_null(handsets_find(hs, STR("+12065550100")));
    struct handset *h = touch(hs, "+12065550100");
    assert_string_equal(h->number, "+12065550100");
    assert_ptr_equal(handsets_find(hs, STR("+12065550100")), h);
    assert_ptr_equal(touch(hs, "+12065550100"), h);
    assert_int_equal(handsets_count(hs), 1);
}

static void what_is_no_number_is_not_made(void **state)
{
    (void)state;
    scoped(handsets) struct handsets *hs = handsets_new();
    static const char *const bad[] = { "", "+", "alice", "+1206x", "1+206", "+120655501001234567890" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_null(touch(hs, bad[i]));
    assert_non_null(touch(hs, "911"));
    assert_non_null(touch(hs, "+1206555010012345678"));
}

static void the_one_touched_last_comes_first(void **state)
{
    (void)state;
    scoped(handsets) struct handsets *hs = handsets_new();
    struct handset *a = touch(hs, "1"), *b = touch(hs, "2"), *c = touch(hs, "3");
    touch(hs, "1");
    assert_ptr_equal(handsets_newest(hs), a);
    assert_ptr_equal(a->older, c);
    assert_ptr_equal(c->older, b);
    assert_null(b->older);
}

static void an_inbox_keeps_the_last_hundred_in_order(void **state)
{
    (void)state;
    scoped(handsets) struct handsets *hs = handsets_new();
    struct handset *h = touch(hs, "+12065550100");
    char text[16];
    for (int i = 0; i < HANDSET_MESSAGES_MAX + 7; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_true(handset_keep(h, STR("+18335551000"), str_of(text), i));
    }
    assert_int_equal(h->n_messages, HANDSET_MESSAGES_MAX);
    assert_string_equal(handset_message(h, 0)->text, "7");
    assert_string_equal(handset_message(h, 0)->from, "+18335551000");
    assert_string_equal(handset_message(h, HANDSET_MESSAGES_MAX - 1)->text, "106");
    assert_null(handset_message(h, HANDSET_MESSAGES_MAX));
    assert_true(handset_keep(h, STR(""), STR(""), 0));      /* an empty SMS is one, too */
    assert_string_equal(handset_message(h, HANDSET_MESSAGES_MAX - 1)->text, "");
}

static void beyond_the_bound_the_longest_untouched_is_forgotten_unless_in_use(void **state)
{
    (void)state;
    scoped(handsets) struct handsets *hs = handsets_new();
    char number[24];
    touch(hs, "+10")->attached = true;
    touch(hs, "+11")->n_calls = 1;
    for (int i = 12; i < 10 + HANDSETS_MAX; i++) {
        snprintf(number, sizeof number, "+1%d", i);
        assert_non_null(touch(hs, number));
    }
    assert_int_equal(handsets_count(hs), HANDSETS_MAX);
    assert_non_null(touch(hs, "+2"));
    assert_int_equal(handsets_count(hs), HANDSETS_MAX);
    assert_non_null(handsets_find(hs, STR("+10")));
    assert_non_null(handsets_find(hs, STR("+11")));
    assert_null(handsets_find(hs, STR("+112")));
    for (struct handset *h = handsets_newest(hs); h; h = h->older)
        h->attached = true;
    assert_null(touch(hs, "+3"));                           /* nobody may go */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_made_when_first_touched_and_found_again),
        cmocka_unit_test(what_is_no_number_is_not_made),
        cmocka_unit_test(the_one_touched_last_comes_first),
        cmocka_unit_test(an_inbox_keeps_the_last_hundred_in_order),
        cmocka_unit_test(beyond_the_bound_the_longest_untouched_is_forgotten_unless_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
