/* How many searches and purchases a subscription gets. */
#include "domain/numbers/quotas.h"
#include "unit/domain/numbers/world.h"

struct bench {
    struct world  *w;
    struct quotas *q;
};

static struct quotas *loaded(struct bench *b, const char *text)
{
    struct quotas_conf conf;
    struct quotas *q;
    struct problem why = { 0 };
    if (quotas_read(&conf, str_of(text), &why))
        fail_msg("%s", why.text);
    assert_int_equal(quotas_new(&q, &b->w->control, &conf), ERR_NONE);
    assert_int_equal(quotas_load(q), ERR_NONE);
    numbers_set_quotas(b->w->numbers, q);
    return q;
}

/* What is in memory is gone. */
static void restart(struct bench *b, const char *text)
{
    quotas_free(b->q);
    world_restart(b->w);
    b->q = loaded(b, text);
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    b->w = world_new();
    b->q = loaded(b, "service");
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    world_free(b->w);
    quotas_free(b->q);
    free(b);
    return 0;
}

static void limits_are_read_as_they_are_written(void **state)
{
    static const struct { const char *text; int64_t search, search_s, purchase, purchase_s; } good[] = {
        { "", 0, 0, 0, 0 }, { "off", 0, 0, 0, 0 }, { "service", 5, 7 * 86400, 1, 0 }, { "search=5/7d,purchase=1", 5, 7 * 86400, 1, 0 },
        { "purchase=3/90s,sms=7/60s", 0, 0, 3, 90 }, { "search=10/2h, purchase=7/15m", 10, 7200, 7, 900 }, { "search=0", 0, 0, 0, 0 },
    };
    static const char *const bad[] = { "on", "search", "search=", "search=x", "search=5/", "search=5/7", "search=5/7w", "search=5/0d",
                                       "search=5/d", "calls=2", "search=5/7d,", "search=-1", "sms=5", "search=5/99999999d", "search=5/316224000d", "search=100001" };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct quotas_conf c;
        assert_int_equal(quotas_read(&c, str_of(good[i].text), NULL), ERR_NONE);
        assert_int_equal(c.limits[QUOTA_SEARCH].count, good[i].search);
        assert_int_equal(c.limits[QUOTA_SEARCH].window_us, good[i].search_s * SECOND);
        assert_int_equal(c.limits[QUOTA_PURCHASE].count, good[i].purchase);
        assert_int_equal(c.limits[QUOTA_PURCHASE].window_us, good[i].purchase_s * SECOND);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct quotas_conf c;
        struct problem why = { 0 };
        if (!quotas_read(&c, str_of(bad[i]), &why))
            fail_msg("%s was read", bad[i]);
        assert_true(why.text[0]);
    }
}

static void the_sixth_search_of_a_week_waits_for_the_first_to_be_a_week_old(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_NONE);
        world_sleep(b->w, DAY);
    }
    assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_BUSY);
    assert_string_equal(b->w->why.rule, "QuotaExceeded");
    assert_string_equal(b->w->why.text, "Subscription 'us' has had its 5 searches for 7 days.");
    assert_non_null(strstr(b->w->why.suggestion, "2020-12-08T00:00:00"));
    assert_int_equal(b->w->why.retry_after_s, 2 * 86400);
    assert_int_equal(search(b->w, b->w->other, local_in("206", 1)), ERR_NONE);      /* another subscription's */
    world_sleep(b->w, 2 * DAY - SECOND);
    assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_BUSY);
    assert_int_equal(b->w->why.retry_after_s, 1);
    world_sleep(b->w, SECOND);
    assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_NONE);
    assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_BUSY);
}

static void what_is_refused_takes_no_place(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 7; i++)
        assert_int_equal(search(b->w, b->w->us, local_in("833", 1)), ERR_RANGE);
    for (int i = 0; i < 5; i++)
        assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_NONE);
    assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_BUSY);
    assert_int_equal(search(b->w, b->w->us, local_in("833", 1)), ERR_RANGE);        /* and what is wrong is said first */
}

static void one_purchase_is_all_and_asking_again_is_the_same(void **state)
{
    struct bench *b = *state;
    assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_NONE);
    uint64_t first = b->w->op.subject;
    assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_NONE);
    uint64_t second = b->w->op.subject;
    assert_int_equal(purchase(b->w, b->w->us, first), ERR_NONE);
    assert_int_equal(purchase(b->w, b->w->us, first), ERR_NONE);
    assert_int_equal(purchase(b->w, b->w->us, second), ERR_BUSY);
    assert_string_equal(b->w->why.text, "Subscription 'us' has had its 1 purchase for all its time.");
    assert_int_equal(b->w->why.retry_after_s, 0);
    world_sleep(b->w, 400 * DAY);
    assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_NONE);
    assert_int_equal(purchase(b->w, b->w->us, b->w->op.subject), ERR_BUSY);
}

static void counts_survive_a_restart_and_a_lower_limit(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_NONE);
    restart(b, "service");
    for (int i = 0; i < 2; i++)
        assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_NONE);
    assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_BUSY);
    restart(b, "search=2/1h");
    assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_BUSY);
    world_sleep(b->w, 60 * MINUTE);
    assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_NONE);
    restart(b, "off");
    for (int i = 0; i < 9; i++)
        assert_int_equal(search(b->w, b->w->us, local_in("206", 1)), ERR_NONE);
}

static void on_reserved(void *arg, enum err err, const struct number_reservation *r, enum reserved how, const struct problem *why)
{
    struct world *w = arg;
    (void)r, (void)how, (void)why;
    w->err = err;
    w->waiting--;
}

static void a_reservation_s_purchase_counts_too(void **state)
{
    static const struct str ids[] = { STR("00000000-0000-4000-8000-000000000001"), STR("00000000-0000-4000-8000-000000000002") };
    struct bench *b = *state;
    struct world *w = b->w;
    for (size_t i = 0; i < 2; i++) {
        struct reserved_number offered[NUMBERS_BROWSE_MOST];
        struct number_browse rq = { .country = STR("US"), .type = NUMBER_TOLL_FREE, .assignment = ASSIGNED_APPLICATION };
        size_t count = 0;
        assert_int_equal(numbers_browse(w->numbers, w->us, &rq, offered, &count, &w->why), ERR_NONE);
        struct reservation_wish wish = { .number = offered[0].number, .country = STR("US"), .type = NUMBER_TOLL_FREE,
                                         .assignment = ASSIGNED_APPLICATION, .sms = CAP_BOTH };
        w->waiting++;
        assert_int_equal(settle(w, numbers_reserve(w->numbers, w->us, ids[i], &wish, 1, on_reserved, w, &w->why)), ERR_NONE);
    }
    w->waiting++;
    assert_int_equal(settle(w, numbers_buy_reserved(w->numbers, w->us, ids[0], false, world_done, w, &w->why)), ERR_NONE);
    w->waiting++;
    assert_int_equal(settle(w, numbers_buy_reserved(w->numbers, w->us, ids[1], false, world_done, w, &w->why)), ERR_BUSY);
    assert_string_equal(w->why.rule, "QuotaExceeded");
}

/* A number's texts are counted by messages/sending.c; here, that several places are taken at once and found again. */
static void several_places_fit_or_none(void **state)
{
    struct bench *b = *state;
    struct problem why = { 0 };
    restart(b, "sms=5/60s");
    assert_int_equal(quotas_check(b->q, 18335550123, "+18335550123", QUOTA_SMS, 5, &why), ERR_NONE);
    for (uint64_t key = 1; key <= 3; key++) {
        quotas_take(b->q, 18335550123, QUOTA_SMS, key, NULL);
        world_sleep(b->w, 10 * SECOND);
    }
    assert_int_equal(quotas_check(b->q, 18335550123, "+18335550123", QUOTA_SMS, 2, &why), ERR_NONE);
    assert_int_equal(quotas_check(b->q, 18335550123, "+18335550123", QUOTA_SMS, 4, &why), ERR_BUSY);
    assert_string_equal(why.text, "+18335550123 has had its 5 texts for 1 minute.");
    assert_int_equal(why.retry_after_s, 40);            /* the first two must be over: of 0 s and of 10 s, at 30 s */
    assert_int_equal(quotas_check(b->q, 18335550123, "+18335550123", QUOTA_SMS, 6, &why), ERR_BUSY);
    assert_int_equal(why.retry_after_s, 0);             /* never */
    assert_int_equal(quotas_check(b->q, 18335550124, "another", QUOTA_SMS, 5, &why), ERR_NONE);
    quotas_give_back(b->q, 18335550123, QUOTA_SMS, 2);
    quotas_give_back(b->q, 18335550123, QUOTA_SMS, 2);
    assert_int_equal(quotas_check(b->q, 18335550123, "+18335550123", QUOTA_SMS, 3, &why), ERR_NONE);
    assert_int_equal(quotas_check(b->q, 18335550123, "+18335550123", QUOTA_SMS, 4, &why), ERR_BUSY);
    assert_int_equal(quotas_window_us(b->q, QUOTA_SMS), 60 * SECOND);
    assert_int_equal(quotas_recall(b->q, 7, QUOTA_SMS, 9, b->w->now_us), ERR_NONE);
    assert_int_equal(quotas_check(b->q, 7, "7", QUOTA_SMS, 5, &why), ERR_BUSY);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(limits_are_read_as_they_are_written),
        TEST(the_sixth_search_of_a_week_waits_for_the_first_to_be_a_week_old),
        TEST(what_is_refused_takes_no_place),
        TEST(one_purchase_is_all_and_asking_again_is_the_same),
        TEST(counts_survive_a_restart_and_a_lower_limit),
        TEST(a_reservation_s_purchase_counts_too),
        TEST(several_places_fit_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
