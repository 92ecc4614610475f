/* Charges, their sums, renewals and spend caps, on a real store. */
#include "domain/billing/statement.h"
#include "domain/billing/usage_priv.h"
#include "store/numbers.h"
#include "unit/cm.h"
#include "unit/domain/numbers/world.h"
#include "unit/tmp.h"

#include <stdio.h>

/* -- pure ----------------------------------------------------------------------------------------------------------- */

static int64_t at(const char *iso)
{
    int64_t us = 0;
    assert_int_equal(time_iso8601_read(str_of(iso), &us), ERR_NONE);
    return us;
}

static void each_started_minute_counts_and_an_answered_call_has_one(void **state)
{
    (void)state;
    static const struct { int64_t ms, minutes; } calls[] = {
        { 0, 1 }, { 1, 1 }, { 59999, 1 }, { 60000, 1 }, { 60001, 2 }, { 119999, 2 }, { 120000, 2 }, { 120001, 3 }, { -5, 1 },
        { 3600000, 60 }, { 3600001, 61 },
    };
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        assert_int_equal(usage_minutes(START_US, START_US + calls[i].ms * US_PER_MS), calls[i].minutes);
    assert_int_equal(usage_minutes(START_US, START_US + 60 * SECOND + 1), 2);
}

static void an_amount_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    int64_t amount = -1;
    assert_int_equal(usage_amount(3, 13000, &amount), ERR_NONE);
    assert_int_equal(amount, 39000);
    assert_int_equal(usage_amount(INT64_MAX, 1, &amount), ERR_NONE);
    assert_int_equal(usage_amount(INT64_MAX / 2, 3, &amount), ERR_RANGE);
    assert_int_equal(usage_amount(-1, 1, &amount), ERR_RANGE);
    assert_int_equal(usage_amount(1, -1, &amount), ERR_RANGE);
    assert_int_equal(amount, INT64_MAX);
}

static void months_and_days_are_those_of_utc(void **state)
{
    (void)state;
    assert_int_equal(usage_month(at("2026-11-30T23:59:59.999999Z")), 202611);
    assert_int_equal(usage_month(at("2026-12-01T00:00:00Z")), 202612);
    assert_int_equal(usage_day(at("2024-02-29T23:59:59Z")), 20240229);
    assert_int_equal(usage_day(at("2026-03-08T10:30:00Z")), 20260308);      /* clocks change somewhere: not here */
    assert_int_equal(usage_month_after(202612), 202701);
    assert_int_equal(usage_month_after(202601), 202602);
    assert_true(usage_month_begin(202703) == at("2027-03-01T00:00:00Z"));
}

static void the_parts_of_a_month_that_lie_in_two_add_up(void **state)
{
    (void)state;
    int64_t from = at("2026-11-23T00:28:58.4Z"), to = at("2026-12-23T00:28:58.4Z"), turn = at("2026-12-01T00:00:00Z");
    int64_t first = usage_pro_rata(2000000, from, to, usage_month_begin(202611), turn);
    int64_t second = usage_pro_rata(2000000, from, to, turn, usage_month_begin(202701));
    assert_in_range(first + second, 1999999, 2000000);
    assert_int_equal(usage_pro_rata(3000000, at("2024-02-01T00:00:00Z"), at("2024-03-01T00:00:00Z"), at("2024-02-29T00:00:00Z"),
                                    at("2024-03-01T00:00:00Z")), 3000000 / 29);
    assert_int_equal(usage_pro_rata(5, from, to, to, to + DAY), 0);
    assert_int_equal(usage_pro_rata(INT64_MAX, from, to, from, to), INT64_MAX);
}

/* -- a stage -------------------------------------------------------------------------------------------------------- */

struct stage {
    struct tmp    tmp;
    struct world *w;
    struct usage *m;
    bool          told;
    enum err      err;
    char         *json;
    size_t        json_n;
};

static void begin(struct stage *s, int64_t now_us)
{
    struct problem why = { 0 };
    s->w = world_new_at(tmp_file(&s->tmp, "carterfone.db"));
    s->w->now_us = now_us;
    clock_freeze(s->w->control.clock, now_us);
    assert_int_equal(usage_new(&s->m, &s->w->control, s->w->accounts, "2020-10"), ERR_NONE);
    assert_int_equal(usage_load(s->m, &why), ERR_NONE);
    s->w->control.usage = s->m;
}

static void end(struct stage *s)
{
    usage_free(s->m);
    s->w->control.usage = NULL;
    world_free(s->w);
}

/* Until renewals rest and nothing is due. */
static void settle_all(struct stage *s)
{
    for (int i = 0; i < 2000; i++) {
        inbox_drain(control_inbox(&s->w->control));
        if (!agenda_catch_up(s->w->control.agenda) && !agenda_is_held(s->w->control.agenda))
            return;
        inbox_wait(control_inbox(&s->w->control), 20);
    }
    fail_msg("renewals do not end");
}

/* As by kill -9, and later on again. */
static void restart_at(struct stage *s, int64_t now_us)
{
    end(s);
    begin(s, now_us);
    settle_all(s);
}

static void sleep_until(struct stage *s, int64_t now_us)
{
    s->w->now_us = now_us;
    clock_freeze(s->w->control.clock, now_us);
    settle_all(s);
}

static const struct subscription *us_account(struct stage *s)
{
    return accounts_resource(s->w->accounts, s->w->us)->subscription;
}

static int64_t spent(struct stage *s)
{
    return usage_spent(s->m, us_account(s)->key);
}

/* -- what is there -------------------------------------------------------------------------------------------------- */

static void on_json(void *arg, enum err err, struct str json)
{
    struct stage *s = arg;
    s->told = true;
    s->err = err;
    free(s->json);
    s->json = strndup(json.p ? json.p : "", json.n);
    s->json_n = json.n;
}

static void wait_told(struct stage *s)
{
    for (int i = 0; i < 500 && !s->told; i++) {
        inbox_wait(control_inbox(&s->w->control), 20);
        inbox_drain(control_inbox(&s->w->control));
    }
    assert_true(s->told);
    assert_int_equal(s->err, ERR_NONE);
}

struct seen { size_t n; int64_t micro; char after[256]; };

/* What the place in a nextLink is to who is asked for it. */
static void unescape(char *dst, size_t size, struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n && n + 1 < size; i++) {
        unsigned c = (unsigned char)s.p[i];
        if (c == '%' && i + 2 < s.n)
            sscanf(s.p + ++i, "%2x", &c), i++;
        dst[n++] = (char)c;
    }
    dst[n] = '\0';
}

/* One page of `member`: how many, and their sum. */
static struct seen page(struct stage *s, struct usage_query q, bool invoice, const char *member)
{
    struct problem why = { 0 };
    struct seen seen = { 0 };
    q.account = us_account(s);
    if (!q.most)
        q.most = USAGE_PAGE_MOST;
    s->told = false;
    assert_int_equal(invoice ? usage_invoice(s->m, &q, on_json, s, &why) : usage_list(s->m, &q, on_json, s, &why), ERR_NONE);
    wait_told(s);
    scoped(json_doc) struct json_doc *doc = NULL;
    assert_int_equal(json_read(&doc, (struct str){ s->json, s->json_n }, &why), ERR_NONE);
    const struct json *list = json_member(json_root(doc), member);
    if (json_kind(list) == JSON_IS_INTEGER)
        return (struct seen){ 1, json_int(list, 0), "" };
    for (; seen.n < json_count(list); seen.n++)
        seen.micro += json_int_of(json_item(list, seen.n), "microUsd", 0);
    unescape(seen.after, sizeof seen.after, json_text_of(json_root(doc), "nextLink"));
    return seen;
}

/* Every page. */
static struct seen all(struct stage *s, struct usage_query q, bool invoice, const char *member)
{
    struct seen sum = { 0 }, one;
    char after[256] = "";
    do {
        q.after = str_of(after);
        one = page(s, q, invoice, member);
        sum.n += one.n;
        sum.micro += one.micro;
        str_copyz(after, sizeof after, str_of(one.after));
    } while (after[0]);
    return sum;
}

static struct usage_query always(enum usage_view view)
{
    return (struct usage_query){ .view = view, .from_us = at("2019-01-01T00:00:00Z"), .to_us = at("2040-01-01T00:00:00Z") };
}

/* "2021-01-31 2021-02-28 ..." */
static void lease_days(struct stage *s, uint64_t number, char *dst, size_t size)
{
    struct usage_query q = always(USAGE_CHARGES);
    q.kind = CHARGE_LEASE;
    q.number = number;
    struct seen seen = page(s, q, false, "value");
    struct problem why;
    scoped(json_doc) struct json_doc *doc = NULL;
    assert_int_equal(json_read(&doc, (struct str){ s->json, s->json_n }, &why), ERR_NONE);
    dst[0] = 0;
    for (size_t i = 0; i < seen.n; i++)
        snprintf(dst + strlen(dst), size - strlen(dst), "%s%.10s", i ? " " : "",
                 json_text_of(json_item(json_member(json_root(doc), "value"), i), "time").p);
}

static void assert_lease_days(struct stage *s, uint64_t number, const char *want)
{
    char days[512];
    lease_days(s, number, days, sizeof days);
    assert_string_equal(days, want);
}

/* Charges, sums and, where all is of one month, its invoice say the same. */
static void assert_sums(struct stage *s)
{
    int64_t micro = all(s, always(USAGE_CHARGES), false, "value").micro;
    for (int view = USAGE_KINDS; view <= USAGE_DESTINATIONS; view++)
        assert_int_equal(all(s, always((enum usage_view)view), false, "value").micro, micro);
    int64_t invoiced = 0, lines = 0;
    for (int month = usage_month(START_US); month <= usage_month(s->w->now_us); month = usage_month_after(month)) {
        struct usage_query q = { .from_us = usage_month_begin(month), .most = 7 };
        invoiced += page(s, q, true, "microUsd").micro;
        lines += all(s, q, true, "lines").micro;
    }
    assert_int_equal(invoiced, micro);
    assert_int_equal(lines, micro);
}

static int set_up(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    s->tmp = tmp_new();
    begin(s, START_US);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    end(s);
    free(s->json);
    tmp_free(&s->tmp);
    free(s);
    return 0;
}

/* -- numbers -------------------------------------------------------------------------------------------------------- */

static void a_purchase_is_charged_by_its_own_unit(void **state)
{
    struct stage *s = *state;
    assert_int_equal(search(s->w, s->w->us, toll_free_in("833", 3)), ERR_NONE);
    assert_int_equal(purchase(s->w, s->w->us, s->w->op.subject), ERR_NONE);
    assert_int_equal(spent(s), 6000000);
    assert_int_equal(all(s, always(USAGE_CHARGES), false, "value").n, 3);
    assert_int_equal(purchase(s->w, s->w->us, s->w->op.subject), ERR_NONE);     /* again, after an answer that got lost */
    assert_int_equal(spent(s), 6000000);
    assert_int_equal(all(s, always(USAGE_CHARGES), false, "value").micro, 6000000);
    assert_sums(s);
}

static void on_reserved(void *arg, enum err err, const struct number_reservation *r, enum reserved how,
                        const struct problem *why)
{
    (void)r, (void)how, (void)why;
    struct world *w = arg;
    w->err = err;
    w->waiting--;
}

static void reserved_numbers_are_charged_when_they_are_purchased(void **state)
{
    struct stage *s = *state;
    struct world *w = s->w;
    struct reserved_number found[NUMBERS_BROWSE_MOST];
    struct reservation_wish wish = { .country = STR("US"), .type = NUMBER_TOLL_FREE, .assignment = ASSIGNED_APPLICATION,
                                     .calling = CAP_NONE, .sms = CAP_BOTH };
    struct number_browse rq = { .country = wish.country, .type = wish.type, .assignment = wish.assignment, .sms = CAP_BOTH };
    size_t n;
    struct str id = STR("6e0b0e4b-6a35-4d0a-9f5c-0d2a6a1f2c11");
    assert_int_equal(numbers_browse(w->numbers, w->us, &rq, found, &n, &w->why), ERR_NONE);
    wish.number = found[0].number;
    w->waiting++;
    assert_int_equal(numbers_reserve(w->numbers, w->us, id, &wish, 1, on_reserved, w, &w->why), ERR_NONE);
    world_pump(w);
    assert_int_equal(spent(s), 0);
    w->waiting++;
    assert_int_equal(numbers_buy_reserved(w->numbers, w->us, id, false, world_done, w, &w->why), ERR_NONE);
    world_pump(w);
    assert_int_equal(spent(s), 2000000);
    struct usage_query q = always(USAGE_CHARGES);
    q.number = wish.number;
    assert_int_equal(page(s, q, false, "value").n, 1);
    assert_non_null(strstr(s->json, "\"cause\":\"reservationPurchase_"));
    assert_sums(s);
}

static void a_purchase_that_is_not_stored_costs_nothing(void **state)
{
    struct stage *s = *state;
    assert_int_equal(search(s->w, s->w->us, toll_free_in("833", 2)), ERR_NONE);
    uint64_t key = s->w->op.subject;
    struct db_unit *u = db_unit_new();
    number_search_row_end(u, key, SEARCH_CANCELED, 0, true);       /* somebody ends the hold under our hands */
    assert_int_equal(db_run(s->w->control.db, u), ERR_NONE);
    assert_int_equal(purchase(s->w, s->w->us, key), ERR_CONFLICT);
    assert_int_equal(spent(s), 0);
    assert_int_equal(all(s, always(USAGE_CHARGES), false, "value").n, 0);
}

static void months_begin_on_the_day_of_purchase_or_the_last_there_is(void **state)
{
    struct stage *s = *state;
    sleep_until(s, at("2023-10-31T08:00:00Z"));
    uint64_t number = lease_one(s->w, s->w->us, toll_free_in("833", 1));
    sleep_until(s, at("2023-11-30T07:59:59Z"));
    assert_lease_days(s, number, "2023-10-31");
    sleep_until(s, at("2023-11-30T08:00:00Z"));
    assert_lease_days(s, number, "2023-10-31 2023-11-30");
    sleep_until(s, at("2024-04-01T00:00:00Z"));             /* a leap year */
    assert_lease_days(s, number, "2023-10-31 2023-11-30 2023-12-31 2024-01-31 2024-02-29 2024-03-31");
    assert_int_equal(spent(s), 0);                          /* of this month: nothing yet */
    assert_sums(s);
}

static void a_server_that_was_off_for_three_months_charges_each_of_them_once(void **state)
{
    struct stage *s = *state;
    uint64_t first = lease_one(s->w, s->w->us, toll_free_in("833", 1));         /* on 2020-12-01 */
    sleep_until(s, at("2020-12-15T00:00:00Z"));
    uint64_t second = lease_one(s->w, s->w->us, local_in("206", 1));
    restart_at(s, at("2021-03-20T00:00:00Z"));
    assert_lease_days(s, first, "2020-12-01 2021-01-01 2021-02-01 2021-03-01");
    assert_lease_days(s, second, "2020-12-15 2021-01-15 2021-02-15 2021-03-15");
    assert_int_equal(spent(s), 3000000);
    restart_at(s, at("2021-03-21T00:00:00Z"));
    assert_int_equal(all(s, always(USAGE_CHARGES), false, "value").n, 8);
    assert_int_equal(spent(s), 3000000);                    /* read from the store, the same */
    assert_sums(s);
}

static void a_released_number_owes_what_began_before_and_no_more(void **state)
{
    struct stage *s = *state;
    uint64_t number = lease_one(s->w, s->w->us, toll_free_in("833", 1));
    sleep_until(s, at("2021-01-10T00:00:00Z"));
    assert_int_equal(release(s->w, s->w->us, number), ERR_NONE);
    sleep_until(s, at("2021-06-01T00:00:00Z"));
    assert_lease_days(s, number, "2020-12-01 2021-01-01");
    restart_at(s, at("2021-09-01T00:00:00Z"));
    assert_lease_days(s, number, "2020-12-01 2021-01-01");
    assert_sums(s);
}

static void more_leases_than_a_slice_are_renewed_all_the_same(void **state)
{
    struct stage *s = *state;
    assert_int_equal(search(s->w, s->w->us, toll_free_in("833", 1000)), ERR_NONE);
    assert_int_equal(purchase(s->w, s->w->us, s->w->op.subject), ERR_NONE);
    size_t timers = agenda_count(s->w->control.agenda);
    sleep_until(s, at("2021-02-01T00:00:00Z"));
    assert_true(agenda_count(s->w->control.agenda) <= timers);          /* not a timer each */
    struct usage_query q = { .from_us = at("2021-02-01T00:00:00Z") };
    assert_int_equal(page(s, q, true, "microUsd").micro, 2000000000);
    assert_int_equal(all(s, q, true, "lines").n, 1000);
    assert_int_equal(spent(s), 2000000000);
    assert_sums(s);
}

/* -- texts and calls ------------------------------------------------------------------------------------------------- */

static void run(struct stage *s, struct db_unit *u)
{
    assert_int_equal(db_run(s->w->control.db, u), ERR_NONE);
}

static struct usage_ends ends(struct stage *s, const char *ours, const char *other)
{
    return (struct usage_ends){ s->w->us, numbers_lease(s->w->numbers, str_of(ours)), str_of(ours), str_of(other) };
}

static void a_segment_is_charged_once_however_often_it_is_taken(void **state)
{
    struct stage *s = *state;
    struct usage_ends e = ends(s, "+18335550199", "+12065550100");      /* no lease any more: its digits say what it was */
    for (int round = 0; round < 2; round++) {
        struct db_unit *u = db_unit_new();
        usage_sms_out(s->m, u, &e, 7, 0, round > 0);
        usage_sms_out(s->m, u, &e, 7, 1, round > 0);
        run(s, u);
    }
    assert_int_equal(all(s, always(USAGE_CHARGES), false, "value").n, 2);
    assert_int_equal(all(s, always(USAGE_CHARGES), false, "value").micro, 20000);
    assert_int_equal(spent(s), 20000);
    assert_sums(s);
}

static void a_call_is_two_legs_and_one_that_nobody_answered_is_none(void **state)
{
    struct stage *s = *state;
    struct usage_ends e = ends(s, "+12065550155", "+442071838750");
    struct db_unit *u = db_unit_new();
    usage_call(s->m, u, &e, 1, true, false, START_US, START_US + MINUTE + 1);
    usage_call(s->m, u, &e, 2, true, false, 0, START_US);               /* never connected */
    usage_call(s->m, u, &e, 3, false, false, START_US, START_US);
    usage_call(s->m, u, &e, 4, true, true, START_US, START_US + 10 * MINUTE);
    run(s, u);
    struct usage_query q = always(USAGE_CHARGES);
    static const struct { enum charge_kind kind; size_t n; int64_t micro; } want[] = {
        { CHARGE_CALL_OUT, 1, 2 * 15000 }, { CHARGE_CALL_IN, 1, 8500 }, { CHARGE_VOIP_LEG, 2, 3 * 4000 },
        { CHARGE_EMERGENCY, 1, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        q.kind = want[i].kind;
        struct seen seen = all(s, q, false, "value");
        assert_int_equal(seen.n, want[i].n);
        assert_int_equal(seen.micro, want[i].micro);
    }
    assert_sums(s);
}

/* -- spend caps ------------------------------------------------------------------------------------------------------ */

static void on_capped(void *arg, enum err err)
{
    struct stage *s = arg;
    s->told = true;
    s->err = err;
}

static void cap(struct stage *s, int64_t micro)
{
    struct problem why = { 0 };
    s->told = false;
    assert_int_equal(usage_set_cap(s->m, us_account(s)->key, micro, on_capped, s, &why), ERR_NONE);
    wait_told(s);
}

static void a_cap_counts_what_is_charged_and_what_is_under_way(void **state)
{
    struct stage *s = *state;
    struct problem why = { 0 };
    struct usage_hold a = { 0 }, b = { 0 };
    cap(s, 5000000);
    lease_one(s->w, s->w->us, toll_free_in("833", 1));                  /* 2.00 */
    usage_hold_set(s->m, &a, s->w->us, 1000000);
    usage_hold_set(s->m, &b, s->w->us, 500000);
    assert_int_equal(usage_may_spend(s->m, s->w->us, 1500000, &why), ERR_NONE);
    assert_int_equal(usage_may_spend(s->m, s->w->us, 1500001, &why), ERR_FORBIDDEN);
    assert_string_equal(why.rule, "SpendCapReached");
    assert_string_equal(why.text, "Subscription 'us' may spend 5.00 USD in 2020-12; 3.50 USD are spent or under way, and this costs "
                                  "1.500001 USD.");
    assert_non_null(strstr(why.suggestion, "2021-01-01"));
    usage_hold_set(s->m, &a, s->w->us, 0);
    assert_int_equal(usage_may_spend(s->m, s->w->us, 2500000, &why), ERR_NONE);
    assert_int_equal(search(s->w, s->w->us, toll_free_in("833", 2)), ERR_NONE);
    assert_int_equal(purchase(s->w, s->w->us, s->w->op.subject), ERR_FORBIDDEN);
    assert_int_equal(spent(s), 2000000);
    restart_at(s, s->w->now_us);                                        /* the cap and the sum outlive it */
    assert_int_equal(usage_may_spend(s->m, s->w->us, 3000001, &why), ERR_FORBIDDEN);
    sleep_until(s, at("2021-02-15T00:00:00Z"));                         /* a month later there is room; the renewal is counted */
    assert_int_equal(usage_may_spend(s->m, s->w->us, 3000000, &why), ERR_NONE);
    cap(s, -1);
    assert_int_equal(usage_may_spend(s->m, s->w->us, INT64_MAX, &why), ERR_NONE);
    cap(s, 0);
    assert_int_equal(usage_may_spend(s->m, s->w->us, 1, &why), ERR_FORBIDDEN);
    assert_int_equal(usage_may_spend(s->m, s->w->other, 1, &why), ERR_NONE);    /* another account */
}

/* Two purchases at once, both posted before either is stored: the first fills the cap. */
static void purchases_at_once_do_not_pass_a_cap_together(void **state)
{
    struct stage *s = *state;
    uint64_t key[2];
    cap(s, 3000000);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(search(s->w, s->w->us, toll_free_in("833", 1)), ERR_NONE);
        key[i] = s->w->op.subject;
    }
    s->w->waiting++;
    assert_int_equal(numbers_purchase(s->w->numbers, s->w->us, key[0], false, world_done, s->w, &s->w->why), ERR_NONE);
    assert_int_equal(numbers_purchase(s->w->numbers, s->w->us, key[1], false, world_done, s->w, &s->w->why), ERR_FORBIDDEN);
    world_pump(s->w);
    assert_int_equal(spent(s), 2000000);
}

/* -- whatever happens -------------------------------------------------------------------------------------------------- */

static uint32_t roll(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

static void random_step(struct stage *s, uint32_t *seed, uint64_t cause)
{
    static const char *const others[] = { "+12065550100", "+14165550100", "+442071838750", "+3763000000", "+19075550100" };
    struct usage_ends e = ends(s, roll(seed, 2) ? "+18335550199" : "+12065550155", others[roll(seed, ARRAY_LEN(others))]);
    struct db_unit *u = db_unit_new();
    int64_t now = s->w->now_us;
    switch (roll(seed, 4)) {
    case 0: usage_sms_in(s->m, u, &e, cause, 1 + roll(seed, 3)); break;
    case 1: usage_call(s->m, u, &e, cause, roll(seed, 2), !roll(seed, 5), now, now + roll(seed, 400) * SECOND); break;
    default: usage_sms_out(s->m, u, &e, 1000 + roll(seed, 50), roll(seed, 3), false); break;
    }
    run(s, u);
    if (!roll(seed, 10))
        lease_one(s->w, s->w->us, roll(seed, 2) ? toll_free_in("833", 1) : local_in("206", 1));
    if (!roll(seed, 8))
        sleep_until(s, now + roll(seed, 9) * DAY);
}

static void sums_of_charges_equal_the_invoices_whatever_happens(void **state)
{
    struct stage *s = *state;
    uint32_t seed = 20261122;
    for (uint64_t i = 1; i <= 300; i++) {
        random_step(s, &seed, i);
        if (i % 100 == 0)
            assert_sums(s);
    }
    int64_t rows = 0, month = usage_month(s->w->now_us);
    struct usage_query q = { .from_us = usage_month_begin((int)month), .to_us = usage_month_begin(usage_month_after((int)month)) };
    restart_at(s, s->w->now_us);
    rows = all(s, q, false, "value").micro;
    assert_int_equal(spent(s), rows);                       /* what a restart reads is what the rows say */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_started_minute_counts_and_an_answered_call_has_one),
        cmocka_unit_test(an_amount_that_does_not_fit_is_refused),
        cmocka_unit_test(months_and_days_are_those_of_utc),
        cmocka_unit_test(the_parts_of_a_month_that_lie_in_two_add_up),
        cmocka_unit_test_setup_teardown(a_purchase_is_charged_by_its_own_unit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reserved_numbers_are_charged_when_they_are_purchased, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_purchase_that_is_not_stored_costs_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(months_begin_on_the_day_of_purchase_or_the_last_there_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_server_that_was_off_for_three_months_charges_each_of_them_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_released_number_owes_what_began_before_and_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_leases_than_a_slice_are_renewed_all_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_segment_is_charged_once_however_often_it_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_is_two_legs_and_one_that_nobody_answered_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cap_counts_what_is_charged_and_what_is_under_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(purchases_at_once_do_not_pass_a_cap_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sums_of_charges_equal_the_invoices_whatever_happens, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
