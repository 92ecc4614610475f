/* Making and changing subscriptions and resources with every allocation of ours failing in turn: an error or success, never a
 * crash or a leak. */
#include "unit/alloc.h"
#include "unit/cm.h"

#include "base/log.h"
#include "base/str.h"
#include "domain/accounts/accounts.h"

static struct control control;
static struct accounts *accounts;
static struct problem why;
static int waiting;
static enum err outcome;

static void on_resource(void *arg, const struct resource *r)
{
    (void)arg, (void)r;
}

static void on_done(void *arg, enum err err)
{
    (void)arg;
    outcome = err;
    waiting--;
}

static enum err settle(enum err err)
{
    if (err)
        return err;
    for (waiting++; waiting > 0;) {
        inbox_wait(control_inbox(&control), 100);
        inbox_drain(control_inbox(&control));
    }
    return outcome;
}

static enum err through_a_life(void)
{
    static unsigned tries;
    char name[16];
    bool no = false;
    snprintf(name, sizeof name, "n%u", ++tries);
    enum err err = settle(accounts_subscribe(accounts, str_of(name), STR("payg"), STR("US"), on_done, NULL, &why));
    struct resource_wish wish = { .name = str_of(name), .subscription = str_of(name), .tags = STR("{}"), .identity = STR("{}") };
    if (!err)
        err = settle(accounts_make_resource(accounts, &wish, on_done, NULL, &why));
    const struct resource *r = err ? NULL : accounts_resource_named(accounts, str_of(name));
    if (!err)
        err = settle(accounts_change_resource(accounts, r->key, &wish, on_done, NULL, &why));
    if (!err)
        err = settle(accounts_rotate_key(accounts, str_of(name), 0, on_done, NULL, &why));
    if (!err)
        err = settle(accounts_change_subscription(accounts, str_of(name), &(struct subscription_wish){ .active = &no }, on_done,
                                                  NULL, &why));
    return err;
}

static void a_life_survives_each_allocation_failing(void **state)
{
    (void)state;
    static const uint8_t id_key[ID_KEY_OCTETS] = { 9 };
    log_setup(LOG_ERROR, LOG_TEXT);
    control.clock = clock_new(0);
    control.ids = ids_new(id_key, 1);
    assert_int_equal(loop_new(&control.loop, "control", 1000, NULL), ERR_NONE);
    assert_int_equal(agenda_new(&control.agenda, NULL, control.clock), ERR_NONE);
    assert_int_equal(db_open(&control.db, &(struct db_conf){ .readers = 1, .bound = 100 }, &why), ERR_NONE);
    assert_int_equal(accounts_new(&accounts, &control, (struct accounts_listener){ on_resource, NULL, NULL }), ERR_NONE);
    assert_in_range(alloc_each_failing(through_a_life), 10, 200);
    accounts_free(accounts);
    db_close(control.db);
    loop_free(control.loop);
    agenda_free(control.agenda);
    clock_free(control.clock);
    ids_free(control.ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_life_survives_each_allocation_failing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
