/* Messages between carriers: what a lost or busy one gives back, in which order, and to whom. */
#include "domain/messages/messages.h"
#include "domain/messages/routes.h"
#include "unit/cm.h"
#include "unit/domain/scripted.h"
#include "unit/tmp.h"

static const int64_t MS = US_PER_MS;
enum { UNSURE_S = 120 };

struct stage {
    struct world         *w;
    struct events        *ev;
    struct messages      *m;
    struct courier_script courier;
    struct carrier_script east, west;
    char                  from[20];
    int                   told;
    enum err              err;
    struct problem        why;
};

static void tell(struct stage *s, const struct carrier_script *c, struct carrier_news n)
{
    n.carrier = c->number;
    assert_int_equal(messages_tell(s->m, &n), ERR_NONE);
    inbox_drain(control_inbox(&s->w->control));
}

static void up(struct stage *s, const struct carrier_script *c)
{
    tell(s, c, (struct carrier_news){ .kind = CARRIER_UP });
}

static void down(struct stage *s, const struct carrier_script *c)
{
    tell(s, c, (struct carrier_news){ .kind = CARRIER_DOWN });
}

static void on_changed(void *arg, enum err err, const struct problem *why)
{
    struct stage *s = arg;
    s->told++;
    s->err = err;
    s->why = *why;
}

static void route(struct stage *s, const char *name, const char *carrier, uint32_t priority)
{
    struct sms_route r = { .weight = 1, .priority = priority };
    str_copyz(r.name, sizeof r.name, str_of(name));
    str_copyz(r.carrier, sizeof r.carrier, str_of(carrier));
    assert_int_equal(messages_route_add(s->m, &r, on_changed, s, &s->why), ERR_NONE);
    world_settle(s->w);
    assert_int_equal(s->err, ERR_NONE);
}

static int set_up(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    struct problem why = { 0 };
    s->w = world_new_at(NULL);
    assert_int_equal(events_new(&s->ev, &s->w->control, &courier_script_ops, &s->courier), ERR_NONE);
    assert_int_equal(events_load(s->ev, &why), ERR_NONE);
    assert_int_equal(messages_new(&s->m, &s->w->control, s->w->accounts, s->w->numbers, s->ev), ERR_NONE);
    assert_int_equal(messages_load(s->m, &why), ERR_NONE);
    s->east.number = messages_add_carrier(s->m, STR("east"), true, &carrier_script_ops, &s->east);
    s->west.number = messages_add_carrier(s->m, STR("west"), true, &carrier_script_ops, &s->west);
    messages_resume(s->m);
    e164_write(s->from, lease_one(s->w, s->w->us, toll_free_in("833", 1)));
    route(s, "first", "east", 1);
    route(s, "second", "west", 2);
    up(s, &s->east);
    up(s, &s->west);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    messages_free(s->m);
    events_free(s->ev);
    world_free(s->w);
    free(s);
    return 0;
}

static void on_sent(void *arg, enum err err, const struct sms_result *results, size_t n)
{
    (void)results, (void)n;
    on_changed(arg, err, &(struct problem){ 0 });
}

static void send(struct stage *s, const char *text)
{
    struct sms_recipient to = { STR("+12065550100"), STR("") };
    struct sms_send rq = { .resource = s->w->us, .from = str_of(s->from), .recipients = &to, .n = 1, .text = str_of(text) };
    assert_int_equal(messages_send(s->m, &rq, on_sent, s, &s->why), ERR_NONE);
    world_settle(s->w);
    assert_int_equal(s->err, ERR_NONE);
}

/* The texts a carrier was given from the i-th on, "a b c". */
static const char *given(const struct carrier_script *c, size_t i)
{
    static char words[1024];
    words[0] = '\0';
    for (; i < c->n; i++)
        snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s", words[0] ? " " : "", c->sm[i].text);
    return words;
}

static void lost(struct stage *s, const struct carrier_script *c, size_t i, bool may_have_it)
{
    tell(s, c, (struct carrier_news){ .kind = CARRIER_LOST, .message = c->sm[i].message, .may_have_it = may_have_it });
}

static void what_was_given_back_goes_before_what_had_not_left(void **state)
{
    struct stage *s = *state;
    struct sms_route only = { .weight = 1, .priority = 1, .name = "first", .carrier = "east" };
    assert_int_equal(messages_route_remove(s->m, STR("second"), on_changed, s, &s->why), ERR_NONE);
    assert_int_equal(messages_route_change(s->m, &only, on_changed, s, &s->why), ERR_NONE);
    world_settle(s->w);
    send(s, "a");
    send(s, "b");
    s->east.full = true;
    send(s, "c");
    send(s, "d");
    assert_string_equal(given(&s->east, 0), "a b");
    down(s, &s->east);
    lost(s, &s->east, 0, true);
    lost(s, &s->east, 1, false);
    s->east.full = false;
    world_sleep(s->w, 1 * SECOND);
    up(s, &s->east);
    assert_string_equal(given(&s->east, 2), "a b c d");
    assert_int_equal(s->west.n, 0);
}

static void what_had_not_left_is_moved_in_order_and_none_overtakes(void **state)
{
    struct stage *s = *state;
    send(s, "a");
    send(s, "b");
    s->east.full = true;
    send(s, "c");
    send(s, "d");
    down(s, &s->east);
    lost(s, &s->east, 0, false);
    lost(s, &s->east, 1, false);
    send(s, "e");                       /* behind what is to be moved */
    assert_int_equal(s->west.n, 0);
    world_sleep(s->w, 60 * MS);
    assert_string_equal(given(&s->west, 0), "a b c d e");
    send(s, "f");
    assert_string_equal(given(&s->west, 5), "f");
    up(s, &s->east);
    s->east.full = false;
    tell(s, &s->east, (struct carrier_news){ .kind = CARRIER_ROOM });
    send(s, "g");
    assert_string_equal(given(&s->east, 2), "g");
}

static void what_a_carrier_may_have_waits_for_it_before_it_is_moved(void **state)
{
    struct stage *s = *state;
    send(s, "a");
    send(s, "b");
    down(s, &s->east);
    lost(s, &s->east, 0, true);
    lost(s, &s->east, 1, false);
    world_sleep(s->w, 60 * MS);
    assert_string_equal(given(&s->west, 0), "b");
    world_sleep(s->w, (UNSURE_S - 2) * SECOND);
    assert_int_equal(s->west.n, 1);
    world_sleep(s->w, 3 * SECOND);
    assert_string_equal(given(&s->west, 1), "a");
}

static void its_own_carrier_gets_it_again_when_that_is_back_in_time(void **state)
{
    struct stage *s = *state;
    send(s, "a");
    down(s, &s->east);
    lost(s, &s->east, 0, true);
    world_sleep(s->w, 30 * SECOND);
    up(s, &s->east);
    assert_string_equal(given(&s->east, 1), "a");
    world_sleep(s->w, 2 * UNSURE_S * SECOND);
    assert_int_equal(s->west.n, 0);
}

static void a_carrier_that_takes_nothing_counts_as_lost_until_it_does(void **state)
{
    struct stage *s = *state;
    send(s, "a");
    tell(s, &s->east, (struct carrier_news){ .kind = CARRIER_STALLED });
    lost(s, &s->east, 0, false);
    world_sleep(s->w, 60 * MS);
    send(s, "b");
    assert_string_equal(given(&s->west, 0), "a b");
    up(s, &s->east);
    send(s, "c");
    assert_string_equal(given(&s->east, 1), "c");
}

static void refuse(struct stage *s, const struct carrier_script *c, size_t i, bool transient)
{
    tell(s, c, (struct carrier_news){ .kind = CARRIER_REFUSED, .message = c->sm[i].message, .status = 0x64, .transient = transient });
    world_settle(s->w);
}

static void refused_for_now_goes_elsewhere_at_once_and_waits_when_all_refused(void **state)
{
    struct stage *s = *state;
    send(s, "a");
    refuse(s, &s->east, 0, true);
    assert_string_equal(given(&s->west, 0), "a");
    refuse(s, &s->west, 0, true);
    assert_int_equal(s->east.n, 1);
    world_sleep(s->w, 10 * SECOND);
    assert_string_equal(given(&s->east, 1), "a");
}

static void refused_for_good_is_asked_of_nobody_else(void **state)
{
    struct stage *s = *state;
    send(s, "a");
    refuse(s, &s->east, 0, false);
    world_sleep(s->w, UNSURE_S * SECOND);
    assert_int_equal(s->east.n, 1);
    assert_int_equal(s->west.n, 0);
}

static void a_line_that_nobody_else_takes_stays_until_somebody_does(void **state)
{
    struct stage *s = *state;
    down(s, &s->east);
    down(s, &s->west);
    world_sleep(s->w, 1 * SECOND);
    send(s, "a");
    send(s, "b");
    world_sleep(s->w, UNSURE_S * SECOND);
    assert_int_equal(s->east.n + s->west.n, 0);
    up(s, &s->west);
    world_sleep(s->w, 1 * MS);
    assert_string_equal(given(&s->west, 0), "a b");
}

static void many_are_moved_in_slices_and_in_order(void **state)
{
    enum { MANY = 2500 };
    struct stage *s = *state;
    static char texts[MANY][16];
    static struct sms_send rq[MANY];
    static struct sms_recipient to = { STR("+12065550100"), STR("") };
    s->east.full = true;
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "%d", i);
        rq[i] = (struct sms_send){ .resource = s->w->us, .from = str_of(s->from), .recipients = &to, .n = 1, .text = str_of(texts[i]) };
        assert_int_equal(messages_send(s->m, &rq[i], on_sent, s, &s->why), ERR_NONE);
    }
    world_settle(s->w);
    down(s, &s->east);
    world_sleep(s->w, 60 * MS);
    assert_int_equal(s->west.n, MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(atoi(s->west.sm[i].text), i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_given_back_goes_before_what_had_not_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_had_not_left_is_moved_in_order_and_none_overtakes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_carrier_may_have_waits_for_it_before_it_is_moved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_own_carrier_gets_it_again_when_that_is_back_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_carrier_that_takes_nothing_counts_as_lost_until_it_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_for_now_goes_elsewhere_at_once_and_waits_when_all_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_for_good_is_asked_of_nobody_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_that_nobody_else_takes_stays_until_somebody_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_are_moved_in_slices_and_in_order, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
