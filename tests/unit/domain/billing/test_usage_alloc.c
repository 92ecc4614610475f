/* Listing, invoicing and setting a cap with every allocation of ours failing in turn; and a purchase, whose charge is there exactly
 * when the number is. */
#include "domain/billing/statement.h"
#include "domain/billing/usage_priv.h"
#include "unit/alloc.h"
#include "unit/domain/numbers/world.h"

static struct world *w;
static bool told;
static enum err told_err;

static void on_json(void *arg, enum err err, struct str json)
{
    (void)arg, (void)json;
    told = true;
    told_err = err;
}

static void on_done(void *arg, enum err err)
{
    on_json(arg, err, (struct str){ 0 });
}

static enum err wait_told(enum err err)
{
    if (err)
        return err;
    for (int i = 0; i < 500 && !told; i++) {
        inbox_wait(control_inbox(&w->control), 20);
        inbox_drain(control_inbox(&w->control));
    }
    assert_true(told);
    return told_err;
}

static struct usage_query query(enum usage_view view)
{
    return (struct usage_query){ .account = accounts_resource(w->accounts, w->us)->subscription, .view = view, .most = 2,
                                 .from_us = START_US, .to_us = START_US + 40 * DAY };
}

static enum err list(void)
{
    struct usage_query q = query(USAGE_CHARGES);
    told = false;
    return wait_told(usage_list(w->control.usage, &q, on_json, NULL, NULL));
}

static enum err sum(void)
{
    struct usage_query q = query(USAGE_NUMBERS);
    told = false;
    return wait_told(usage_list(w->control.usage, &q, on_json, NULL, NULL));
}

static enum err invoice(void)
{
    struct usage_query q = query(USAGE_KINDS);
    told = false;
    return wait_told(usage_invoice(w->control.usage, &q, on_json, NULL, NULL));
}

static enum err cap(void)
{
    told = false;
    return wait_told(usage_set_cap(w->control.usage, accounts_resource(w->accounts, w->us)->subscription->key, 90000000, on_done,
                                   NULL, NULL));
}

static size_t charges(void)
{
    scoped(db_rows) struct db_rows *rows = NULL;
    const struct db_val of[] = { DB_I(accounts_resource(w->accounts, w->us)->subscription->key), DB_I(w->us), DB_I(0), DB_I(0),
                                 DB_I(INT64_MAX), DB_I(1000) };
    assert_int_equal(db_load(w->control.db, DB_USAGE_AFTER, of, ARRAY_LEN(of), &rows), ERR_NONE);
    return db_rows_count(rows);
}

static void looking_survives_each_allocation_failing(void **state)
{
    (void)state;
    assert_in_range(alloc_each_failing(list), 1, 400);
    assert_in_range(alloc_each_failing(sum), 1, 400);
    assert_in_range(alloc_each_failing(invoice), 1, 400);
    assert_in_range(alloc_each_failing(cap), 1, 400);
}

static void a_charge_is_there_exactly_when_the_number_is(void **state)
{
    (void)state;
    for (long n = 1; n < 60; n++) {
        size_t had = charges();
        int64_t spent = usage_spent(w->control.usage, usage_payer(w->control.usage, w->us));
        assert_int_equal(search(w, w->us, toll_free_in("833", 1)), ERR_NONE);
        uint64_t key = w->op.subject;
        alloc_countdown = n;
        enum err err = purchase(w, w->us, key);
        alloc_countdown = 0;
        assert_int_equal(charges() - had, err ? 0 : 1);
        assert_int_equal(usage_spent(w->control.usage, usage_payer(w->control.usage, w->us)) - spent, err ? 0 : 2000000);
    }
}

static int set_up(void **state)
{
    (void)state;
    w = world_new();
    if (usage_new(&w->control.usage, &w->control, w->accounts, "2020-10"))
        return -1;
    lease_one(w, w->us, toll_free_in("833", 3));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    usage_free(w->control.usage);
    w->control.usage = NULL;
    world_free(w);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looking_survives_each_allocation_failing),
        cmocka_unit_test(a_charge_is_there_exactly_when_the_number_is),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
