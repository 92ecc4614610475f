/* A brief from nothing to its end, and a domain confirmed and taken back, with every allocation of ours failing in turn: an error
 * or success, never a crash, a leak or a brief that stays busy. */
#include "domain/directrouting/sip_domains.h"
#include "domain/registrations/registrations.h"
#include "unit/alloc.h"
#include "unit/domain/numbers/world.h"

#include <stdio.h>

static struct world *w;
static struct registrations *r;
static struct sip_domains *d;
static unsigned tries;

#define PROGRAM                                                                                                             \
    "{\"programDetails\":{\"numberType\":\"shortCode\",\"name\":\"N\",\"description\":\"D\",\"url\":\"https://c.example\"," \
    "\"signUpTypes\":[\"sms\"],\"termsOfServiceUrl\":\"https://c.example/t\",\"privacyPolicyUrl\":\"https://c.example/p\"}," \
    "\"companyInformation\":{\"name\":\"C\",\"url\":\"https://c.example\",\"address\":\"1 S\",\"contactInformation\":"      \
    "{\"name\":\"A\",\"phone\":\"+12065550100\",\"email\":\"a@b.co\"},\"customerCareInformation\":{\"email\":\"a@b.co\"}}," \
    "\"messageDetails\":{\"types\":[\"sms\"],\"recurrence\":\"transaction\",\"directionality\":\"twoWay\",\"useCases\":[{}]}," \
    "\"trafficDetails\":{\"estimatedVolume\":1}}"

static void on_brief(void *arg, enum err err, const struct brief *b, bool created, const struct problem *why)
{
    (void)arg, (void)b, (void)created, (void)why;
    w->err = err;
    w->waiting--;
}

static void on_done(void *arg, enum err err, const struct problem *why)
{
    (void)arg, (void)why;
    w->err = err;
    w->waiting--;
}

static void on_ended(void *arg, enum err err)
{
    on_done(arg, err, NULL);
}

static enum err put(const struct brief_ref *ref, const char *patch)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    enum err err = json_read(&doc, str_of(patch), NULL);
    if (err)
        return err;
    w->waiting++;
    return settle(w, registrations_put(r, ref, json_root(doc), on_brief, NULL, &w->why));
}

static enum err through_a_brief(void)
{
    char id[64];
    const struct brief *b;
    snprintf(id, sizeof id, "6e0b0e4b-6a35-4d0a-9f5c-%012u", ++tries);
    struct brief_ref ref = { w->us, BRIEF_PROGRAM, STR("US"), str_of(id) };
    struct brief_decision yes = { .event = BRIEF_EV_APPROVE, .note = STR("fine") }, no = { .event = BRIEF_EV_DENY };
    enum err err = put(&ref, PROGRAM);
    if (!err)
        err = put(&ref, "{\"programDetails\":{\"name\":\"M\"}}");
    if (err)
        return err;
    w->waiting++;
    err = settle(w, registrations_submit(r, &ref, on_brief, NULL, &w->why));
    for (int i = 0; !err && i < 2; i++) {
        err = registrations_find(r, w->us, BRIEF_PROGRAM, STR("US"), str_of(id), &b, &w->why);
        if (err)
            return err;
        w->waiting++;
        err = settle(w, registrations_decide(r, b, i ? &no : &yes, on_brief, NULL, &w->why));
    }
    if (err)
        return err;
    w->waiting++;
    return settle(w, registrations_delete(r, &ref, on_brief, NULL, &w->why));
}

static enum err through_a_campaign(void)
{
    char id[64];
    struct brief_attachment a = { .type = "optInWebsite", .name = "f", .file_type = "png", .size = 3, .id = "6e0b0e4b-6a35-4d0a-9f5c-000000000001" };
    snprintf(id, sizeof id, "6e0b0e4b-6a35-4d0a-9f5c-%012u", ++tries);
    struct brief_ref ref = { w->us, BRIEF_CAMPAIGN, STR("US"), str_of(id) };
    enum err err = put(&ref, "{\"phoneNumbers\":[\"18335550123\"]}");
    if (err)
        return err;
    w->waiting++;
    err = settle(w, registrations_attach(r, &ref, &a, STR("AAAA"), on_brief, NULL, &w->why));
    if (err)
        return err;
    w->waiting++;
    err = settle(w, registrations_detach(r, &ref, str_of(a.id), on_brief, NULL, &w->why));
    if (err)
        return err;
    w->waiting++;
    return settle(w, registrations_end(r, w->us, on_ended, NULL));
}

static enum err through_a_domain(void)
{
    char name[64];
    snprintf(name, sizeof name, "d%u.example.com", ++tries);
    w->waiting++;
    enum err err = settle(w, sip_domains_confirm(d, w->us, str_of(name), on_done, NULL, &w->why));
    if (err)
        return err;
    w->waiting++;
    return settle(w, sip_domains_take_back(d, w->us, str_of(name), on_done, NULL, &w->why));
}

static int set_up(void **state)
{
    *state = w = world_new();
    tries = 0;
    assert_int_equal(registrations_new(&r, &w->control, w->numbers), ERR_NONE);
    assert_int_equal(sip_domains_new(&d, &w->control), ERR_NONE);
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    registrations_free(r);
    sip_domains_free(d);
    return 0;
}

/* What is left can still be ended: nothing stayed busy, and the store and memory agree. */
static void assert_nothing_is_stuck(void)
{
    const struct brief *found[4];
    struct brief_filter all = { .kind = -1 };
    bool more;
    w->waiting++;
    assert_int_equal(settle(w, registrations_end(r, w->us, on_ended, NULL)), ERR_NONE);
    assert_int_equal(registrations_list(r, &all, 0, 4, found, &more), 0);
    registrations_free(r);
    assert_int_equal(registrations_new(&r, &w->control, w->numbers), ERR_NONE);
    assert_int_equal(registrations_load(r, &w->why), ERR_NONE);
    assert_int_equal(registrations_list(r, &all, 0, 4, found, &more), 0);
}

static void a_program_survives_each_allocation_failing(void **state)
{
    (void)state;
    assert_in_range(alloc_each_failing(through_a_brief), 20, 400);
    assert_nothing_is_stuck();
}

static void a_campaign_survives_each_allocation_failing(void **state)
{
    (void)state;
    assert_in_range(alloc_each_failing(through_a_campaign), 10, 400);
    assert_nothing_is_stuck();
}

static void a_domain_survives_each_allocation_failing(void **state)
{
    struct sip_owned one;
    size_t at = 0;
    (void)state;
    assert_in_range(alloc_each_failing(through_a_domain), 4, 100);
    while (sip_domains_next(d, &at, &one)) {            /* one whose end failed is still the resource's, and can be ended */
        char name[SIP_FQDN_MAX + 1];
        snprintf(name, sizeof name, "%s", one.name);
        w->waiting++;
        assert_int_equal(settle(w, sip_domains_take_back(d, w->us, str_of(name), on_done, NULL, &w->why)), ERR_NONE);
        at = 0;
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_program_survives_each_allocation_failing),
        TEST(a_campaign_survives_each_allocation_failing),
        TEST(a_domain_survives_each_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
