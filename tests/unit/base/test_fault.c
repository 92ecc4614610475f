#include "unit/cm.h"

#include "base/fault.h"
#include "base/clock.h"
#include "base/str.h"

#include <pthread.h>

static const unsigned ALL = ~0u;

static uint32_t arm(const char *text)
{
    struct problem why = { 0 };
    uint32_t id = 0;
    if (fault_add(str_of(text), ALL, &id, &why))
        fail_msg("%s: %s", text, why.text);
    return id;
}

static int clear_all(void **state)
{
    (void)state;
    fault_clear(0);
    return 0;
}

static bool sms(uint64_t kinds, const char *to, const char *from, struct fault_hit *hit)
{
    struct fault_subject s = { .to = str_of(to), .from = str_of(from), .system_id = STR("carterfone") };
    return fault_strikes(kinds, &s, hit);
}

static bool api(uint64_t kinds, const char *path, struct fault_hit *hit)
{
    return fault_strikes(kinds, &(struct fault_subject){ .path = str_of(path), .method = STR("POST"), .resource = STR("shop") }, hit);
}

static void nothing_strikes_while_nothing_is_armed(void **state)
{
    (void)state;
    struct fault_hit hit = { .code = 7 };
    assert_false(fault_armed(~UINT64_C(0)));
    assert_false(api(~UINT64_C(0), "/sms", &hit));
    assert_int_equal(hit.code, 7);
}

static void a_fault_strikes_its_kind_as_often_as_it_says(void **state)
{
    (void)state;
    struct fault_hit hit;
    uint32_t id = arm("api 429 path=/sms count=3 delay=7s");
    assert_false(api(FAULT_BIT(API_DROP), "/sms", &hit));
    assert_false(api(FAULT_BIT(API_STATUS), "/smses", &hit));
    for (int i = 0; i < 3; i++) {
        assert_true(api(FAULT_BIT(API_STATUS) | FAULT_BIT(API_DROP), i ? "/sms" : "/sms/streams", &hit));
        assert_int_equal(hit.kind, FAULT_API_STATUS);
        assert_int_equal(hit.code, 429);
        assert_int_equal(hit.delay_us, 7 * US_PER_S);
        assert_int_equal(hit.id, id);
    }
    assert_false(fault_armed(FAULT_BIT(API_STATUS)));
    assert_false(api(FAULT_BIT(API_STATUS), "/sms", &hit));
}

static void each_nth_is_counted_among_what_matches(void **state)
{
    (void)state;
    struct fault_hit hit;
    arm("smsc throttle every=3 to=+1206*");
    int struck = 0;
    for (int i = 1; i <= 9; i++) {
        assert_false(sms(FAULT_BIT(SMSC_THROTTLE), "13125550100", "18005550199", &hit));
        bool now = sms(FAULT_BIT(SMSC_THROTTLE), i % 2 ? "12065550100" : "+12065550100", "18005550199", &hit);
        assert_int_equal(now, i % 3 == 0);
        struck += now;
    }
    assert_int_equal(struck, 3);
    assert_int_equal(hit.code, 0x58);
}

static void number_means_either_end(void **state)
{
    (void)state;
    struct fault_hit hit;
    arm("smsc reject number=+12065550100 code=0x0000000b");
    assert_true(sms(FAULT_BIT(SMSC_REJECT), "12065550100", "18005550199", &hit));
    assert_int_equal(hit.code, 11);
    assert_true(sms(FAULT_BIT(SMSC_REJECT), "18005550199", "12065550100", &hit));
    assert_false(sms(FAULT_BIT(SMSC_REJECT), "18005550199", "12065550101", &hit));
    struct fault_subject handset = { .number = STR("+12065550100") };
    arm("phone busy number=12065550100");
    assert_true(fault_strikes(FAULT_BIT(PHONE_BUSY), &handset, &hit));
    assert_int_equal(hit.code, 486);
}

static void chance_repeats_with_its_seed(void **state)
{
    (void)state;
    struct fault_hit hit;
    char first[2001] = "", again[2001] = "";
    int struck = 0;
    for (int round = 0; round < 2; round++) {
        fault_clear(0);
        fault_seed(round ? 42 : 41);
        uint32_t id = arm("smsc drop-submit p=0.1");
        struct fault_info info;
        assert_int_equal(fault_list(&info, 1), 1);
        for (int i = 0; i < 2000; i++)
            first[i] = sms(FAULT_BIT(SMSC_DROP_SUBMIT), "1", "2", &hit) ? 'x' : '.';
        assert_int_equal(fault_put_back(&info, 1), ERR_NONE);
        for (int i = 0; i < 2000; i++)
            again[i] = sms(FAULT_BIT(SMSC_DROP_SUBMIT), "1", "2", &hit) ? 'x' : '.';
        assert_string_equal(first, again);
        assert_int_equal(hit.id, id);
    }
    for (const char *p = again; *p; p++)
        struck += *p == 'x';
    assert_in_range(struck, 140, 260);
}

static void a_time_ends_it_and_it_stays_listed(void **state)
{
    (void)state;
    struct fault_hit hit;
    struct fault_info info[2];
    arm("store slow=20ms for=1us");
    while (fault_strikes(FAULT_BIT(STORE_SLOW), NULL, &hit))
        assert_int_equal(hit.delay_us, 20 * US_PER_MS);
    assert_int_equal(fault_list(info, 2), 1);
    assert_false(info[0].armed);
    assert_int_equal(info[0].left_us, 0);
    assert_string_equal(info[0].text, "store slow=20ms for=1us");
    assert_int_equal(fault_clear(info[0].id), 1);
    assert_int_equal(fault_clear(info[0].id), 0);
}

static void what_is_put_back_goes_on_where_it_was(void **state)
{
    (void)state;
    struct fault_hit hit;
    struct fault_info info[3];
    arm("webhook   503 url=https://shop.test/hook\tcount=2");
    struct fault_subject s = { .url = STR("https://shop.test/hook?x=1") };
    assert_true(fault_strikes(FAULT_BIT(WEBHOOK_STATUS), &s, &hit));
    assert_int_equal(fault_list(info, 3), 1);
    assert_string_equal(info[0].text, "webhook 503 url=https://shop.test/hook count=2");
    assert_int_equal(info[0].left_us, -1);
    arm("api drop");
    assert_int_equal(fault_put_back(info, 1), ERR_NONE);
    assert_false(fault_armed(FAULT_BIT(API_DROP)));
    assert_true(fault_strikes(FAULT_BIT(WEBHOOK_STATUS), &s, &hit));
    assert_false(fault_strikes(FAULT_BIT(WEBHOOK_STATUS), &s, &hit));
}

static void a_word_that_is_none_is_refused_with_the_nearest(void **state)
{
    (void)state;
    static const struct { const char *text, *says, *suggests; } rows[] = {
        { "", "''", "api" }, { "smcs throttle", "'smcs'", "'smsc'" }, { "smsc throtle", "'throtle'", "'throttle'" },
        { "smsc", "''", "drop-submit" }, { "smsc throttle ever=3", "'ever'", "'every'" }, { "api 399", "'399'", "400 to 599" },
        { "api 600", "'600'", "400 to 599" }, { "api 429 number=+1", "'number'", "path" }, { "store slow=fast", "'fast'", "250ms" },
        { "store error=1", "'1'", "alone" }, { "phone reject=200", "'200'", "400 to 699" }, { "api drop count=0", "'0'", "1 or more" },
        { "smsc throttle p=1.1", "'1.1'", "0.01" }, { "smsc throttle p=0", "'0'", "0.01" }, { "smsc throttle p=.x", "'.x'", "0.01" },
        { "phone bad-audio=101", "'101'", "1 to 100" }, { "api delay=2h", "'2h'", "an hour" }, { "phone busy number=", "''", "match" },
        { "webhook 503 for=0", "'0'", "10s" }, { "api 429 path=+", "'+'", "match" }, { "smsc reject code=0x", "'0x'", "0x58" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct problem why = { 0 };
        if (fault_add(str_of(rows[i].text), ALL, NULL, &why) != ERR_SYNTAX || !strstr(why.text, rows[i].says)
            || !strstr(why.suggestion, rows[i].suggests))
            fail_msg("%s: \"%s\" \"%s\"", rows[i].text, why.text, why.suggestion);
    }
    struct problem why;
    assert_int_equal(fault_add(STR("api drop"), 1u << FAULT_SMSC, NULL, &why), ERR_FORBIDDEN);
    assert_int_equal(fault_add(STR("smsc throttle system-id=\x01"), ALL, NULL, &why), ERR_SYNTAX);
    assert_false(fault_armed(~UINT64_C(0)));
}

static void used_up_ones_give_way_when_the_row_is_full(void **state)
{
    (void)state;
    struct fault_hit hit;
    struct problem why;
    for (int i = 0; i < FAULT_MAX; i++)
        arm(i == 5 ? "api drop count=1" : "api 500 path=/x");
    assert_int_equal(fault_add(STR("api drop"), ALL, NULL, &why), ERR_BUSY);
    assert_true(api(FAULT_BIT(API_DROP), "/y", &hit));
    arm("api drop-answer");
    assert_int_equal(fault_add(STR("api drop"), ALL, NULL, &why), ERR_BUSY);
    assert_int_equal(fault_clear(0), FAULT_MAX);
}

static void *ask_much(void *arg)
{
    struct fault_hit hit;
    for (int i = 0; i < 20000; i++)
        *(int *)arg += sms(FAULT_BIT(SMSC_THROTTLE), "1", "2", &hit);
    return NULL;
}

static void a_count_is_kept_among_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    int struck[4] = { 0 };
    arm("smsc throttle count=777");
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_much, &struck[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(struck[0] + struck[1] + struck[2] + struck[3], 777);
}

#define T(name) cmocka_unit_test_setup_teardown(name, clear_all, clear_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(nothing_strikes_while_nothing_is_armed), T(a_fault_strikes_its_kind_as_often_as_it_says),
        T(each_nth_is_counted_among_what_matches), T(number_means_either_end), T(chance_repeats_with_its_seed),
        T(a_time_ends_it_and_it_stays_listed), T(what_is_put_back_goes_on_where_it_was),
        T(a_word_that_is_none_is_refused_with_the_nearest), T(used_up_ones_give_way_when_the_row_is_full),
        T(a_count_is_kept_among_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
