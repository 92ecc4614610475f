#include "domain/numbers/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Walk the events; fails on an impossible one. */
static enum number_state walk(enum number_state from, const enum number_event *events, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!number_rule(from, events[i], &from))
            fail_msg("%s refuses event %d", number_state_word(from), (int)events[i]);
    return from;
}
#define after(from, ...) walk(from, (const enum number_event[]){ __VA_ARGS__ }, \
                              sizeof((const enum number_event[]){ __VA_ARGS__ }) / sizeof(enum number_event))

static void a_whole_life_ends_where_it_began(void **state)
{
    (void)state;
    assert_int_equal(after(NUMBER_AVAILABLE, NUMBER_EV_HOLD, NUMBER_EV_DONE, NUMBER_EV_BUY, NUMBER_EV_DONE), NUMBER_LEASED);
    assert_int_equal(after(NUMBER_LEASED, NUMBER_EV_CHANGE, NUMBER_EV_DONE, NUMBER_EV_RELEASE, NUMBER_EV_DONE),
                     NUMBER_RELEASED);
    assert_int_equal(after(NUMBER_RELEASED, NUMBER_EV_DUE), NUMBER_QUARANTINE);
    assert_int_equal(after(NUMBER_QUARANTINE, NUMBER_EV_DUE), NUMBER_AVAILABLE);
}

static void what_could_not_be_stored_did_not_happen(void **state)
{
    (void)state;
    assert_int_equal(after(NUMBER_HOLDING, NUMBER_EV_UNDONE), NUMBER_AVAILABLE);
    assert_int_equal(after(NUMBER_QUARANTINE, NUMBER_EV_HOLD, NUMBER_EV_UNDONE), NUMBER_QUARANTINE);
    assert_int_equal(after(NUMBER_BUYING, NUMBER_EV_UNDONE), NUMBER_HELD);
    assert_int_equal(after(NUMBER_CHANGING, NUMBER_EV_UNDONE), NUMBER_LEASED);
    assert_int_equal(after(NUMBER_RELEASING, NUMBER_EV_UNDONE), NUMBER_LEASED);
}

static void a_hold_ends_by_time_or_by_hand_and_not_while_it_is_being_bought(void **state)
{
    (void)state;
    assert_int_equal(after(NUMBER_HELD, NUMBER_EV_DUE), NUMBER_AVAILABLE);
    assert_int_equal(after(NUMBER_HELD, NUMBER_EV_CANCEL), NUMBER_AVAILABLE);
    assert_int_equal(after(NUMBER_BUYING, NUMBER_EV_DUE), NUMBER_BUYING);
}

static void only_what_is_free_can_be_held(void **state)
{
    (void)state;
    enum number_state to;
    for (int s = 0; s < NUMBER_STATE_COUNT; s++) {
        bool free_ = s == NUMBER_AVAILABLE || s == NUMBER_QUARANTINE;
        assert_int_equal(number_rule((enum number_state)s, NUMBER_EV_HOLD, &to), free_);
        assert_int_equal(to, s == NUMBER_AVAILABLE ? NUMBER_HOLDING : free_ ? NUMBER_RETAKING : (enum number_state)s);
    }
}

/* From nowhere but BUYING does one become leased for the first time. */
static void only_a_hold_can_be_bought_and_only_a_lease_changed_or_released(void **state)
{
    (void)state;
    enum number_state to;
    for (int s = 0; s < NUMBER_STATE_COUNT; s++) {
        assert_int_equal(number_rule((enum number_state)s, NUMBER_EV_BUY, &to), s == NUMBER_HELD);
        assert_int_equal(number_rule((enum number_state)s, NUMBER_EV_CHANGE, &to), s == NUMBER_LEASED);
        assert_int_equal(number_rule((enum number_state)s, NUMBER_EV_RELEASE, &to), s == NUMBER_LEASED);
    }
}

static void an_impossible_event_changes_nothing(void **state)
{
    (void)state;
    for (int s = 0; s < NUMBER_STATE_COUNT; s++)
        for (int e = 0; e < NUMBER_EVENT_COUNT; e++) {
            enum number_state to;
            if (!number_rule((enum number_state)s, (enum number_event)e, &to))
                assert_int_equal(to, s);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_life_ends_where_it_began),
        cmocka_unit_test(what_could_not_be_stored_did_not_happen),
        cmocka_unit_test(a_hold_ends_by_time_or_by_hand_and_not_while_it_is_being_bought),
        cmocka_unit_test(only_what_is_free_can_be_held),
        cmocka_unit_test(only_a_hold_can_be_bought_and_only_a_lease_changed_or_released),
        cmocka_unit_test(an_impossible_event_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
