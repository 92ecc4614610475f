/* The simulated networks made with every allocation of ours failing in turn: all of them, or none and a reason. */
#include "base/log.h"
#include "sim/handset.h"
#include "sim/sim.h"
#include "unit/alloc.h"
#include "unit/cm.h"

static enum err made(void)
{
    struct sim_conf conf = { .smpp_host = "127.0.0.1", .sip_host = "127.0.0.1", .inbound_host = "127.0.0.1" };
    struct problem why = { 0 };
    scoped(sim) struct sim *s = NULL;
    enum err err = sim_new(&s, &conf, &why);
    assert_true(!err == (s != NULL));
    return err;
}

static void the_networks_are_made_whole_or_not_at_all(void **state)
{
    (void)state;
    assert_true(alloc_each_failing(made) >= 10);
}

static enum err kept(void)
{
    scoped(handsets) struct handsets *hs = handsets_new();
    struct handset *h = hs ? handsets_touch(hs, STR("+12065550100")) : NULL;
    if (!h || !handset_keep(h, STR("+18335551000"), STR("hello"), 1))
        return ERR_NOMEM;
    assert_string_equal(handset_message(h, 0)->text, "hello");
    return ERR_NONE;
}

static void a_handset_keeps_a_message_or_says_that_it_cannot(void **state)
{
    (void)state;
    assert_true(alloc_each_failing(kept) >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_networks_are_made_whole_or_not_at_all),
        cmocka_unit_test(a_handset_keeps_a_message_or_says_that_it_cannot),
    };
    log_setup(LOG_ERROR, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
