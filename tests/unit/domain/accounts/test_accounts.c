#include "domain/accounts/accounts.h"

#include "base/str.h"
#include "store/meta.h"
#include "unit/cm.h"
#include "unit/tmp.h"

#include <signal.h>
#include <sys/resource.h>

struct stage {
    struct tmp       tmp;
    struct control   control;
    struct accounts *accounts;
    int              told, heard, ended;        /* outcomes; changes, ends of keys the listener was told of */
    enum err         err;
    uint8_t          key[2][ACCESS_KEY_OCTETS];     /* as the listener saw them last */
    struct problem   why;
};

static void on_resource(void *arg, const struct resource *r)
{
    struct stage *s = arg;
    s->heard++;
    memcpy(s->key, r->access_key, sizeof s->key);
}

static void on_resource_gone(void *arg, uint64_t resource)
{
    (void)resource;
    ((struct stage *)arg)->ended++;
}

static void open_stage(struct stage *s)
{
    static const uint8_t id_key[ID_KEY_OCTETS] = { 9 };
    struct db_conf db = { .path = tmp_file(&s->tmp, "carterfone.db"), .readers = 1, .bound = 100 };
    s->control.clock = clock_new(0);
    s->control.ids = ids_new(id_key, 1);
    assert_int_equal(loop_new(&s->control.loop, "control", 1000, s), ERR_NONE);
    assert_int_equal(agenda_new(&s->control.agenda, NULL, s->control.clock), ERR_NONE);
    if (db_open(&s->control.db, &db, &s->why))
        fail_msg("%s", s->why.text);
    assert_int_equal(accounts_new(&s->accounts, &s->control, (struct accounts_listener){ on_resource, s, on_resource_gone }), ERR_NONE);
    assert_int_equal(accounts_load(s->accounts, &s->why), ERR_NONE);
}

static void close_stage(struct stage *s)
{
    accounts_free(s->accounts);
    db_close(s->control.db);
    loop_free(s->control.loop);
    agenda_free(s->control.agenda);
    clock_free(s->control.clock);
    ids_free(s->control.ids);
}

static int set_up(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    s->tmp = tmp_new();
    open_stage(s);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    close_stage(s);
    tmp_free(&s->tmp);
    free(s);
    return 0;
}

static void restart(struct stage *s)
{
    close_stage(s);
    s->heard = 0;
    open_stage(s);
}

static void on_done(void *arg, enum err err)
{
    struct stage *s = arg;
    s->told++;
    s->err = err;
}

static void wait_told(struct stage *s, int told)
{
    for (int i = 0; i < 100 && s->told < told; i++) {
        inbox_wait(control_inbox(&s->control), 100);
        inbox_drain(control_inbox(&s->control));
    }
    assert_int_equal(s->told, told);
}

static enum err settle(struct stage *s, enum err err)
{
    if (err)
        return err;
    wait_told(s, s->told + 1);
    return s->err;
}

static enum err subscribe(struct stage *s, const char *name, const char *offer, const char *country)
{
    return settle(s, accounts_subscribe(s->accounts, str_of(name), str_of(offer), str_of(country), on_done, s, &s->why));
}

static enum err add_resource(struct stage *s, const char *name, const char *subscription)
{
    return settle(s, accounts_add_resource(s->accounts, str_of(name), str_of(subscription), on_done, s, &s->why));
}

static void disk_full(bool full)
{
    struct rlimit lim;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &lim);
    lim.rlim_cur = full ? 0 : lim.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
}

static void a_subscription_and_a_resource_outlive_a_restart(void **state)
{
    struct stage *s = *state;
    assert_int_equal(subscribe(s, "acme", "ea", "US"), ERR_NONE);
    assert_int_equal(add_resource(s, "shop", "acme"), ERR_NONE);
    assert_int_equal(s->heard, 1);
    const struct resource *r = accounts_resource_named(s->accounts, STR("shop"));
    uint64_t key = r->key;
    uint8_t first[ACCESS_KEY_OCTETS];
    memcpy(first, r->access_key[0], sizeof first);
    assert_memory_not_equal(r->access_key[0], r->access_key[1], ACCESS_KEY_OCTETS);
    restart(s);
    assert_int_equal(s->heard, 1);
    r = accounts_resource_named(s->accounts, STR("shop"));
    assert_int_equal(r->key, key);
    assert_ptr_equal(r, accounts_resource(s->accounts, key));
    assert_memory_equal(r->access_key[0], first, sizeof first);
    assert_string_equal(r->subscription->name, "acme");
    assert_int_equal(r->subscription->offer, OFFER_EA);
    assert_string_equal(r->subscription->billing_country, "US");
    assert_int_equal(strlen(r->guid), 36);
}

static void the_default_is_made_once(void **state)
{
    struct stage *s = *state;
    assert_int_equal(accounts_make_default(s->accounts), ERR_NONE);
    assert_int_equal(accounts_make_default(s->accounts), ERR_NONE);
    assert_int_equal(s->heard, 1);
    const struct resource *r = accounts_resource_named(s->accounts, STR("default"));
    assert_true(offer_is_paid(r->subscription->offer));
    restart(s);
    assert_int_equal(accounts_make_default(s->accounts), ERR_NONE);
    assert_int_equal(s->heard, 1);
}

static void what_cannot_be_is_refused_naming_the_field(void **state)
{
    struct stage *s = *state;
    static const struct { const char *name, *offer, *country, *target; } bad[] = {
        { "", "payg", "US", "name" },       { "Acme", "payg", "US", "name" },   { "-a", "payg", "US", "name" },
        { "a-", "payg", "US", "name" },     { "a.b", "payg", "US", "name" },    { "a", "gold", "US", "offer" },
        { "a", "payg", "us", "billingCountry" },                                { "a", "payg", "USA", "billingCountry" },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(subscribe(s, bad[i].name, bad[i].offer, bad[i].country), ERR_RANGE);
        assert_string_equal(s->why.target, bad[i].target);
    }
    char long_name[65];
    memset(long_name, 'a', 64);
    long_name[64] = '\0';
    assert_int_equal(subscribe(s, long_name, "payg", "US"), ERR_RANGE);
    assert_int_equal(subscribe(s, long_name + 1, "payg", "US"), ERR_NONE);
    assert_int_equal(add_resource(s, "r", "nobody"), ERR_ABSENT);
    assert_int_equal(subscribe(s, long_name + 1, "payg", "US"), ERR_CONFLICT);
}

static void a_name_under_way_is_taken_but_not_there_yet(void **state)
{
    struct stage *s = *state;
    assert_int_equal(accounts_subscribe(s->accounts, STR("a"), STR("payg"), STR("US"), on_done, s, &s->why), ERR_NONE);
    assert_null(accounts_subscription_named(s->accounts, STR("a")));
    assert_int_equal(accounts_subscribe(s->accounts, STR("a"), STR("payg"), STR("US"), on_done, s, &s->why), ERR_CONFLICT);
    assert_int_equal(accounts_add_resource(s->accounts, STR("r"), STR("a"), on_done, s, &s->why), ERR_ABSENT);
    scoped_buf out = { 0 };
    struct jw w = jw_of(&out);
    jw_array(&w, NULL);
    accounts_write_subscriptions(s->accounts, &w);
    jw_end(&w);
    assert_str(buf_str(&out), "[]");
    wait_told(s, 1);
    assert_non_null(accounts_subscription_named(s->accounts, STR("a")));
}

static void a_change_that_could_not_be_stored_is_undone(void **state)
{
    struct stage *s = *state;
    assert_int_equal(subscribe(s, "acme", "payg", "US"), ERR_NONE);
    disk_full(true);
    enum err subscribed = subscribe(s, "b", "payg", "US"), added = add_resource(s, "r", "acme");
    disk_full(false);
    assert_int_equal(subscribed, ERR_STORE);
    assert_int_equal(added, ERR_STORE);
    assert_int_equal(s->heard, 0);
    assert_null(accounts_resource_named(s->accounts, STR("r")));
    assert_int_equal(subscribe(s, "b", "payg", "US"), ERR_NONE);
    assert_int_equal(add_resource(s, "r", "acme"), ERR_NONE);
}

static void a_rotated_key_ends_with_the_commit_and_the_other_stays(void **state)
{
    struct stage *s = *state;
    uint8_t before[2][ACCESS_KEY_OCTETS];
    assert_int_equal(accounts_make_default(s->accounts), ERR_NONE);
    memcpy(before, s->key, sizeof before);
    assert_int_equal(accounts_rotate_key(s->accounts, STR("default"), 1, on_done, s, &s->why), ERR_NONE);
    assert_memory_equal(accounts_resource_named(s->accounts, STR("default"))->access_key, before, sizeof before);
    wait_told(s, 1);
    assert_int_equal(s->heard, 2);
    assert_memory_equal(s->key[0], before[0], ACCESS_KEY_OCTETS);
    assert_memory_not_equal(s->key[1], before[1], ACCESS_KEY_OCTETS);
    uint8_t after[2][ACCESS_KEY_OCTETS];
    memcpy(after, s->key, sizeof after);
    restart(s);
    assert_memory_equal(s->key, after, sizeof after);
    assert_int_equal(accounts_rotate_key(s->accounts, STR("default"), 2, on_done, s, &s->why), ERR_ABSENT);
    assert_int_equal(accounts_rotate_key(s->accounts, STR("none"), 0, on_done, s, &s->why), ERR_ABSENT);
}

static void a_rotation_that_could_not_be_stored_leaves_the_old_key(void **state)
{
    struct stage *s = *state;
    assert_int_equal(accounts_make_default(s->accounts), ERR_NONE);
    uint8_t before[2][ACCESS_KEY_OCTETS];
    memcpy(before, s->key, sizeof before);
    disk_full(true);
    enum err err = settle(s, accounts_rotate_key(s->accounts, STR("default"), 0, on_done, s, &s->why));
    disk_full(false);
    assert_int_equal(err, ERR_STORE);
    assert_int_equal(s->heard, 1);
    assert_memory_equal(accounts_resource_named(s->accounts, STR("default"))->access_key, before, sizeof before);
}

/* -- changing and deleting ------------------------------------------------------------------------------------------- */

static void a_suspended_subscription_may_not_spend_until_it_is_resumed(void **state)
{
    struct stage *s = *state;
    bool no = false, yes = true;
    assert_int_equal(accounts_make_default(s->accounts), ERR_NONE);
    uint64_t key = accounts_resource_named(s->accounts, STR("default"))->key;
    assert_int_equal(accounts_may_spend(s->accounts, key, &s->why), ERR_NONE);
    struct subscription_wish suspend = { .active = &no }, resume = { .active = &yes };
    assert_int_equal(settle(s, accounts_change_subscription(s->accounts, STR("default"), &suspend, on_done, s, &s->why)), ERR_NONE);
    assert_int_equal(accounts_may_spend(s->accounts, key, &s->why), ERR_FORBIDDEN);
    assert_string_equal(s->why.rule, "SubscriptionNotActive");
    restart(s);
    assert_int_equal(accounts_may_spend(s->accounts, key, &s->why), ERR_FORBIDDEN);
    assert_int_equal(settle(s, accounts_change_subscription(s->accounts, STR("default"), &resume, on_done, s, &s->why)), ERR_NONE);
    assert_int_equal(accounts_may_spend(s->accounts, key, &s->why), ERR_NONE);
    assert_int_equal(accounts_may_spend(s->accounts, key + 1, &s->why), ERR_FORBIDDEN);
}

static void an_offer_and_a_billing_country_change_and_the_rest_stays(void **state)
{
    struct stage *s = *state;
    assert_int_equal(subscribe(s, "acme", "payg", "US"), ERR_NONE);
    struct subscription_wish to = { .offer = STR("trial"), .billing_country = STR("DE") };
    assert_int_equal(settle(s, accounts_change_subscription(s->accounts, STR("acme"), &to, on_done, s, &s->why)), ERR_NONE);
    restart(s);
    const struct subscription *sub = accounts_subscription_named(s->accounts, STR("acme"));
    assert_int_equal(sub->offer, OFFER_TRIAL);
    assert_string_equal(sub->billing_country, "DE");
    assert_true(sub->active);
    assert_ptr_equal(accounts_subscription_find(s->accounts, str_of(sub->guid)), sub);
    to.offer = STR("gold");
    assert_int_equal(accounts_change_subscription(s->accounts, STR("acme"), &to, on_done, s, &s->why), ERR_RANGE);
    assert_int_equal(accounts_change_subscription(s->accounts, STR("nobody"), &to, on_done, s, &s->why), ERR_ABSENT);
}

static void what_the_management_api_keeps_of_a_resource_outlives_a_restart(void **state)
{
    struct stage *s = *state;
    assert_int_equal(accounts_make_default(s->accounts), ERR_NONE);
    struct resource_wish wish = { .name = STR("shop"), .subscription = STR("default"), .group = STR("rg"), .location = STR("Global"),
                                  .data_location = STR("Europe"), .tags = STR("{\"env\":\"test\"}") };
    assert_int_equal(settle(s, accounts_make_resource(s->accounts, &wish, on_done, s, &s->why)), ERR_NONE);
    uint64_t key = accounts_resource_named(s->accounts, STR("shop"))->key;
    struct resource_wish to = { .tags = STR("{}"), .identity = STR("{\"type\":\"None\"}"), .keys_off = true };
    assert_int_equal(settle(s, accounts_change_resource(s->accounts, key, &to, on_done, s, &s->why)), ERR_NONE);
    restart(s);
    const struct resource *r = accounts_resource(s->accounts, key);
    assert_string_equal(r->group, "rg");
    assert_string_equal(r->location, "Global");
    assert_string_equal(r->data_location, "Europe");
    assert_string_equal(r->tags, "{}");
    assert_string_equal(r->identity, "{\"type\":\"None\"}");
    assert_true(r->keys_off);
    assert_true(r->created_us > 0 && r->changed_us >= r->created_us);
}

static void resources_are_listed_oldest_first_in_pages(void **state)
{
    struct stage *s = *state;
    const struct resource *page[2];
    bool more;
    assert_int_equal(accounts_make_default(s->accounts), ERR_NONE);
    assert_int_equal(add_resource(s, "b", "default"), ERR_NONE);
    assert_int_equal(add_resource(s, "a", "default"), ERR_NONE);
    assert_int_equal(accounts_resources(s->accounts, NULL, STR(""), 0, page, 2, &more), 2);
    assert_true(more);
    assert_string_equal(page[0]->name, "default");
    assert_string_equal(page[1]->name, "b");
    assert_int_equal(accounts_resources(s->accounts, page[0]->subscription, STR("DEFAULT"), page[1]->key, page, 2, &more), 1);
    assert_false(more);
    assert_string_equal(page[0]->name, "a");
    assert_int_equal(accounts_resources(s->accounts, NULL, STR("other"), 0, page, 2, &more), 0);
}

/* Something that hangs on resources: told how often, and how it answers. */
struct hanger {
    int              asked;
    uint64_t         resource;
    enum err         answer;
    bool             at_once;
    accounts_done_fn *done;
    void            *arg;
};

static enum err hanger_end(void *self, uint64_t resource, accounts_done_fn *done, void *arg)
{
    struct hanger *h = self;
    h->asked++;
    h->resource = resource;
    h->done = done;
    h->arg = arg;
    if (h->answer || !h->at_once)
        return h->answer;
    done(arg, ERR_NONE);
    return ERR_NONE;
}

static void a_deleted_resource_has_no_keys_at_once_and_is_gone_when_all_that_hangs_on_it_has_ended(void **state)
{
    struct stage *s = *state;
    struct hanger first = { 0 }, second = { .at_once = true };
    assert_int_equal(accounts_make_default(s->accounts), ERR_NONE);
    uint64_t key = accounts_resource_named(s->accounts, STR("default"))->key;
    accounts_add_ender(s->accounts, (struct accounts_ender){ "first", hanger_end, &first });
    accounts_add_ender(s->accounts, (struct accounts_ender){ "second", hanger_end, &second });
    assert_int_equal(settle(s, accounts_delete_resource(s->accounts, key, false, on_done, s, &s->why)), ERR_NONE);
    assert_int_equal(s->ended, 1);
    assert_null(accounts_resource(s->accounts, key));
    assert_int_equal(first.asked, 1);
    assert_int_equal(second.asked, 0);
    assert_int_equal(add_resource(s, "default", "default"), ERR_CONFLICT);
    assert_string_equal(s->why.rule, "ResourceBeingDeleted");
    assert_int_equal(accounts_rotate_key(s->accounts, STR("default"), 0, on_done, s, &s->why), ERR_ABSENT);
    assert_int_equal(accounts_delete_resource(s->accounts, key, false, on_done, s, &s->why), ERR_ABSENT);
    first.done(first.arg, ERR_NONE);
    for (int i = 0; i < 100 && accounts_resource_taken(s->accounts, STR("default")); i++) {
        inbox_wait(control_inbox(&s->control), 100);
        inbox_drain(control_inbox(&s->control));
    }
    assert_int_equal(second.asked, 1);
    assert_true(accounts_resource_ever(s->accounts, key)->gone);
    assert_int_equal(add_resource(s, "default", "default"), ERR_NONE);
    restart(s);
    assert_int_equal(s->heard, 1);
    assert_string_equal(accounts_resource_ever(s->accounts, key)->name, "default");
    assert_true(accounts_resource_named(s->accounts, STR("default"))->key != key);
}

static void a_deletion_goes_on_after_a_restart(void **state)
{
    struct stage *s = *state;
    struct hanger never = { 0 }, now = { .at_once = true };
    assert_int_equal(accounts_make_default(s->accounts), ERR_NONE);
    uint64_t key = accounts_resource_named(s->accounts, STR("default"))->key;
    accounts_add_ender(s->accounts, (struct accounts_ender){ "first", hanger_end, &never });
    assert_int_equal(settle(s, accounts_delete_resource(s->accounts, key, false, on_done, s, &s->why)), ERR_NONE);
    restart(s);
    assert_int_equal(s->heard, 0);
    assert_null(accounts_resource(s->accounts, key));
    assert_true(accounts_resource_taken(s->accounts, STR("default")));
    accounts_add_ender(s->accounts, (struct accounts_ender){ "first", hanger_end, &now });
    accounts_resume(s->accounts);
    for (int i = 0; i < 100 && accounts_resource_taken(s->accounts, STR("default")); i++) {
        inbox_wait(control_inbox(&s->control), 100);
        inbox_drain(control_inbox(&s->control));
    }
    assert_int_equal(now.asked, 1);
    assert_int_equal(now.resource, key);
    assert_false(accounts_resource_taken(s->accounts, STR("default")));
}

static void a_deletion_that_could_not_be_stored_changes_nothing(void **state)
{
    struct stage *s = *state;
    assert_int_equal(accounts_make_default(s->accounts), ERR_NONE);
    uint64_t key = accounts_resource_named(s->accounts, STR("default"))->key;
    disk_full(true);
    enum err err = settle(s, accounts_delete_resource(s->accounts, key, true, on_done, s, &s->why));
    disk_full(false);
    assert_int_equal(err, ERR_STORE);
    assert_int_equal(s->ended, 0);
    assert_non_null(accounts_resource(s->accounts, key));
    assert_int_equal(settle(s, accounts_delete_resource(s->accounts, key, true, on_done, s, &s->why)), ERR_NONE);
    assert_false(accounts_resource_taken(s->accounts, STR("default")));
}

static void offers_know_who_pays(void **state)
{
    (void)state;
    enum offer o;
    assert_int_equal(offer_read(STR("csp"), &o), ERR_NONE);
    assert_true(offer_is_paid(o));
    assert_int_equal(offer_read(STR("trial"), &o), ERR_NONE);
    assert_false(offer_is_paid(o));
    assert_string_equal(offer_word(OFFER_FREE_CREDIT), "free-credit");
    assert_int_equal(offer_read(STR("Trial"), &o), ERR_RANGE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void a_change_beside_another_one_does_not_undo_it(void **state)
{
    struct stage *s = *state;
    bool off = false;
    struct subscription_wish suspend = { .active = &off }, move = { .offer = STR("ea") };
    assert_int_equal(accounts_make_default(s->accounts), ERR_NONE);
    const struct subscription *account = accounts_subscription_find(s->accounts, STR("default"));
    int told = s->told;
    assert_int_equal(accounts_change_subscription(s->accounts, STR("default"), &suspend, on_done, s, &s->why), ERR_NONE);
    assert_int_equal(accounts_change_subscription(s->accounts, STR("default"), &move, on_done, s, &s->why), ERR_BUSY);
    assert_string_equal(s->why.rule, "StoreBusy");
    wait_told(s, told + 1);
    assert_int_equal(settle(s, accounts_change_subscription(s->accounts, STR("default"), &move, on_done, s, &s->why)), ERR_NONE);
    assert_true(!account->active && account->offer == OFFER_EA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_subscription_and_a_resource_outlive_a_restart),
        T(the_default_is_made_once),
        T(what_cannot_be_is_refused_naming_the_field),
        T(a_name_under_way_is_taken_but_not_there_yet),
        T(a_change_that_could_not_be_stored_is_undone),
        T(a_rotated_key_ends_with_the_commit_and_the_other_stays),
        T(a_rotation_that_could_not_be_stored_leaves_the_old_key),
        T(a_suspended_subscription_may_not_spend_until_it_is_resumed),
        T(an_offer_and_a_billing_country_change_and_the_rest_stays),
        T(what_the_management_api_keeps_of_a_resource_outlives_a_restart),
        T(resources_are_listed_oldest_first_in_pages),
        T(a_deleted_resource_has_no_keys_at_once_and_is_gone_when_all_that_hangs_on_it_has_ended),
        T(a_deletion_goes_on_after_a_restart),
        T(a_deletion_that_could_not_be_stored_changes_nothing),
        cmocka_unit_test(offers_know_who_pays),
        T(a_change_beside_another_one_does_not_undo_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
