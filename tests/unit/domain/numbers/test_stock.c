#include "domain/numbers/stock.h"

#include "domain/numbers/blocks.h"
#include "unit/domain/numbers/import_steps.h"

#include <stdio.h>

static const uint64_t FIRST = 12062000000;

#define assert_refused(w, expression, error, rule_name)         \
    do {                                                        \
        assert_int_equal(expression, error);                    \
        assert_string_equal((w)->why.rule, rule_name);          \
    } while (0)

static struct stock_number stock_of(struct world *w, uint64_t digits)
{
    char text[E164_SIZE];
    struct stock_number x;
    assert_int_equal(numbers_stock_of(w->numbers, str_of(e164_write(text, digits)), &x, &w->why), ERR_NONE);
    return x;
}

/* `count` numbers of one import with these capabilities. */
static void import_with(struct world *w, const char *id, const char *carrier, uint64_t first, size_t count,
                        enum capability calling, enum capability sms, const char *tags)
{
    struct heard h;
    assert_int_equal(import_begin(w, id, carrier, &h), ERR_NONE);
    struct import_slice *s = slice_new(1);
    for (size_t i = 0; i < count; i++) {
        char text[E164_SIZE];
        struct import_row row = row_of(e164_write(text, first + i));
        row.calling = calling;
        row.sms = sms;
        row.tags = str_of(tags);
        row.cost_micro = 850000;
        slice_add(s, 1 + i, row);
    }
    assert_int_equal(import_give(w, id, s, &h), ERR_NONE);
    assert_int_equal(h.n_bad, 0);
    import_slice_free(s);
    assert_int_equal(import_complete(w, id, &h), ERR_NONE);
}

/* -- search, browse, reservations, purchase, release ------------------------------------------------------------------ */

static void the_operators_own_go_before_the_simulated_ones_and_come_back(void **state)
{
    struct world *w = *state;
    import_all(w, "one", "sim", FIRST, 3);
    assert_int_equal(search(w, w->us, local_in("206", 5)), ERR_NONE);
    uint64_t held = w->op.subject;
    const struct number_search *s = numbers_search_find(w->numbers, w->us, held);
    assert_int_equal(s->count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(s->numbers[i] / 1000 == FIRST / 1000, i < 3);
    assert_int_equal(stock_of(w, FIRST).state, STOCK_HELD);
    assert_int_equal(stock_of(w, FIRST).until_us, s->expires_us);
    assert_int_equal(purchase(w, w->us, held), ERR_NONE);
    assert_int_equal(stock_of(w, FIRST + 1).state, STOCK_LEASED);
    assert_int_equal(stock_of(w, FIRST + 1).resource, w->us);
    assert_int_equal(release(w, w->us, FIRST + 1), ERR_NONE);
    assert_int_equal(stock_of(w, FIRST + 1).state, STOCK_RELEASED);
    world_sleep(w, 31 * DAY);
    assert_int_equal(stock_of(w, FIRST + 1).state, STOCK_QUARANTINE);
    assert_true(stock_of(w, FIRST + 1).until_us > w->now_us);
    world_restart(w);
    assert_int_equal(stock_of(w, FIRST + 1).state, STOCK_QUARANTINE);
    assert_int_equal(stock_of(w, FIRST).state, STOCK_LEASED);
    assert_int_equal(lease_one(w, w->us, local_in("206", 1)) / 10000, 1206555);     /* none of its own is left */
    world_sleep(w, 46 * DAY);
    assert_int_equal(stock_of(w, FIRST + 1).state, STOCK_AVAILABLE);
    assert_int_equal(lease_one(w, w->us, local_in("206", 1)), FIRST + 1);
}

static void a_hold_that_ends_offers_them_again(void **state)
{
    struct world *w = *state;
    import_all(w, "one", "sim", FIRST, 2);
    assert_int_equal(search(w, w->us, local_in("206", 2)), ERR_NONE);
    assert_int_equal(stock_of(w, FIRST).state, STOCK_HELD);
    world_sleep(w, 15 * MINUTE);
    assert_int_equal(stock_of(w, FIRST).state, STOCK_AVAILABLE);
    assert_int_equal(search(w, w->us, local_in("206", 2)), ERR_NONE);
    assert_int_equal(stock_of(w, FIRST + 1).state, STOCK_HELD);
}

static void two_searches_at_once_never_get_the_same_one(void **state)
{
    struct world *w = *state;
    import_all(w, "one", "sim", FIRST, 500);
    struct number_search_new rq = local_in("206", 100);
    for (int i = 0; i < 5; i++) {
        w->waiting++;
        assert_int_equal(numbers_search(w->numbers, w->us, &rq, world_done, w, &w->why), ERR_NONE);
    }
    world_pump(w);
    assert_int_equal(w->err, ERR_NONE);
    for (uint64_t i = 0; i < 500; i++)
        assert_int_equal(stock_of(w, FIRST + i).state, STOCK_HELD);
}

static void a_number_does_no_more_than_its_carrier_sold_with_it(void **state)
{
    struct world *w = *state;
    import_with(w, "out", "sim", FIRST, 1, CAP_OUTBOUND, CAP_NONE, "");
    import_with(w, "both", "sim", FIRST + 5000, 1, CAP_BOTH, CAP_BOTH, "");
    struct number_search_new rq = local_in("206", 1);
    assert_int_equal(lease_one(w, w->us, rq), FIRST + 5000);
    rq.calling = CAP_OUTBOUND;
    assert_int_equal(lease_one(w, w->us, rq), FIRST);
    enum capability both = CAP_BOTH;
    assert_refused(w, change(w, w->us, FIRST, &both, NULL), ERR_RANGE, "CapabilityNotOfNumber");
    assert_int_equal(leased(w, FIRST)->calling, CAP_OUTBOUND);
    rq.calling = CAP_INBOUND;
    assert_int_equal(lease_one(w, w->us, rq) / 10000, 1206555);
}

static void what_can_do_no_more_than_asked_for_is_taken_first(void **state)
{
    struct world *w = *state;
    import_with(w, "both", "sim", FIRST, 3, CAP_BOTH, CAP_BOTH, "");
    import_with(w, "calls", "sim", FIRST + 5000, 2, CAP_BOTH, CAP_NONE, "");
    assert_int_equal(lease_one(w, w->us, local_in("206", 1)) / 1000, (FIRST + 5000) / 1000);
    assert_int_equal(lease_one(w, w->us, local_in("206", 1)) / 1000, (FIRST + 5000) / 1000);
    assert_int_equal(lease_one(w, w->us, local_in("206", 1)) / 1000, FIRST / 1000);
}

static void numbers_keep_to_their_carriers_side_of_the_wall(void **state)
{
    struct world *w = *state;
    numbers_set_carriers(w->numbers, real_carriers, NULL);
    import_all(w, "real", "acme", FIRST, 1);
    import_all(w, "practice", "rehearsal", 14252000000, 1);
    uint64_t real = lease_one(w, w->us, local_in("206", 1)), practice = lease_one(w, w->us, local_in("425", 1));
    assert_int_equal(real, FIRST);
    assert_false(leased(w, real)->simulated);
    assert_string_equal(leased(w, real)->carrier, "acme");
    assert_true(leased(w, practice)->simulated);
    assert_string_equal(leased(w, practice)->carrier, "rehearsal");
    world_restart(w);
    assert_false(leased(w, real)->simulated);
    assert_string_equal(leased(w, real)->carrier, "acme");
}

static void without_the_simulator_there_are_only_the_operators_own(void **state)
{
    struct world *w = *state;
    import_all(w, "one", "sim", FIRST, 1);
    numbers_free(w->numbers);
    struct numbers_conf conf = { .edition = "2020-10", .seed = 7 };
    assert_int_equal(numbers_new(&w->numbers, &w->control, w->accounts, &conf, &w->why), ERR_NONE);
    assert_int_equal(numbers_load(w->numbers, &w->why), ERR_NONE);
    assert_int_equal(search(w, w->us, local_in("206", 10)), ERR_NONE);
    assert_int_equal(numbers_search_find(w->numbers, w->us, w->op.subject)->count, 1);
    assert_refused(w, search(w, w->us, local_in("206", 1)), ERR_RANGE, "OutOfStock");
}

static void an_own_number_hides_the_simulated_one_of_the_same_digits(void **state)
{
    struct world *w = *state;
    import_with(w, "one", "sim", 13075550200, 700, CAP_OUTBOUND, CAP_NONE, "");
    size_t all = 0;
    while (!search(w, w->us, local_in("307", 1000)))        /* asks for calls both ways: the simulated ones alone */
        all += numbers_search_find(w->numbers, w->us, w->op.subject)->count;
    assert_int_equal(all, 9898 - 700);
    struct heard h;
    world_sleep(w, 15 * MINUTE);
    assert_int_equal(import_roll_back(w, "one", &h), ERR_NONE);
    for (all = 0; !search(w, w->us, local_in("307", 1000));)
        all += numbers_search_find(w->numbers, w->us, w->op.subject)->count;
    assert_int_equal(all, 9898);
}

static void browsing_shows_own_ones_of_a_prefix_with_what_they_can_do(void **state)
{
    struct world *w = *state;
    import_with(w, "one", "sim", FIRST, 300, CAP_BOTH, CAP_NONE, "");
    struct number_range r[NUMBER_RANGES_MOST];
    assert_int_equal(number_ranges_read(STR("120620001"), r), 1);
    struct number_browse rq = { .country = STR("US"), .calling = CAP_OUTBOUND, .ranges = r, .n_ranges = 1 };
    struct reserved_number out[NUMBERS_BROWSE_MOST];
    size_t n;
    assert_int_equal(numbers_browse(w->numbers, w->us, &rq, out, &n, &w->why), ERR_NONE);
    assert_int_equal(n, 100);
    bool seen[300] = { false };
    for (size_t i = 0; i < n; i++) {
        assert_in_range(out[i].number, FIRST + 100, FIRST + 199);
        assert_false(seen[out[i].number - FIRST]);
        seen[out[i].number - FIRST] = true;
        assert_int_equal(out[i].calling, CAP_BOTH);
        assert_int_equal(out[i].sms, CAP_NONE);
    }
}

static void browsing_two_prefixes_shows_both_and_other_countries_have_theirs(void **state)
{
    struct world *w = *state;
    import_with(w, "one", "sim", FIRST, 300, CAP_BOTH, CAP_NONE, "");
    import_with(w, "two", "sim", 14252000000, 300, CAP_BOTH, CAP_NONE, "");
    struct number_range r[2 * NUMBER_RANGES_MOST];
    size_t n = number_ranges_read(STR("1206"), r), seattle = 0;
    n += number_ranges_read(STR("1425"), r + n);
    struct number_browse rq = { .country = STR("US"), .calling = CAP_OUTBOUND, .ranges = r, .n_ranges = n };
    struct reserved_number out[NUMBERS_BROWSE_MOST];
    assert_int_equal(numbers_browse(w->numbers, w->us, &rq, out, &n, &w->why), ERR_NONE);
    for (size_t i = 0; i < n; i++)
        seattle += out[i].number / BLOCKS_AREA == 1206;
    assert_int_equal(n, 100);
    assert_int_equal(seattle, 50);
    import_with(w, "uk", "sim", 442079460000, 5, CAP_BOTH, CAP_NONE, "");
    n = number_ranges_read(STR("+4420"), r);
    struct stock_filter f = { .ranges = r, .n_ranges = n };
    struct stock_number one[10];
    uint64_t next;
    assert_int_equal(numbers_stock_list(w->numbers, &f, 0, 10, one, &next), 5);
    assert_string_equal(one[0].country, "GB");
}

static void on_reserved(void *arg, enum err err, const struct number_reservation *r, enum reserved how,
                        const struct problem *why)
{
    (void)why;
    struct world *w = arg;
    w->err = err;
    assert_int_equal(how, RESERVED_PARTLY);
    assert_int_equal(r->count, 2);
    assert_int_equal(r->numbers[0].number, FIRST);
    assert_string_equal(r->numbers[0].error_code, "");
    assert_string_equal(r->numbers[1].error_code, "NumberNotAvailable");
    w->waiting--;
}

static void an_own_number_is_reserved_on_its_own_terms(void **state)
{
    struct world *w = *state;
    import_with(w, "one", "sim", FIRST, 2, CAP_OUTBOUND, CAP_NONE, "");
    struct reservation_wish wishes[] = {
        { .number = FIRST, .country = STR("US"), .assignment = ASSIGNED_PERSON, .calling = CAP_OUTBOUND },
        { .number = FIRST + 1, .country = STR("US"), .assignment = ASSIGNED_PERSON, .calling = CAP_BOTH },
    };
    w->waiting++;
    assert_int_equal(numbers_reserve(w->numbers, w->us, STR("6e0b0e4b-6a35-4d0a-9f5c-0d2a6a1f2c11"), wishes, 2, on_reserved,
                                     w, &w->why), ERR_NONE);
    world_pump(w);
    assert_int_equal(stock_of(w, FIRST).state, STOCK_HELD);
    assert_int_equal(stock_of(w, FIRST + 1).state, STOCK_AVAILABLE);
}

/* -- the operator's view -------------------------------------------------------------------------------------------- */

static size_t list_all(struct world *w, struct stock_filter f, uint64_t *out, size_t most)
{
    struct stock_number some[7];
    size_t n = 0;
    uint64_t next = 0;
    do {
        size_t got = numbers_stock_list(w->numbers, &f, next, ARRAY_LEN(some), some, &next);
        for (size_t i = 0; i < got && n < most; i++)
            out[n++] = some[i].number;
    } while (next);
    return n;
}

static size_t listed(struct world *w, struct stock_filter f)
{
    static uint64_t out[2000];
    size_t n = list_all(w, f, out, ARRAY_LEN(out));
    for (size_t i = 1; i < n; i++)
        assert_true(out[i - 1] < out[i]);
    return n;
}

static void a_listing_narrows_by_all_that_is_known(void **state)
{
    struct world *w = *state;
    numbers_set_carriers(w->numbers, real_carriers, NULL);
    import_with(w, "one", "sim", FIRST, 100, CAP_BOTH, CAP_NONE, "gold west");
    import_with(w, "two", "acme", 18332000000, 50, CAP_BOTH, CAP_BOTH, "silver");
    struct heard h;
    assert_int_equal(import_begin(w, "open", "sim", &h), ERR_NONE);
    struct import_slice *s = slice_of(1, 14252000000, 10);
    assert_int_equal(import_give(w, "open", s, &h), ERR_NONE);
    import_slice_free(s);
    lease_one(w, w->us, local_in("206", 1));
    lease_one(w, w->us, local_in("212", 1));                /* a simulated one */
    assert_int_equal(listed(w, (struct stock_filter){ .own = true }), 160);
    assert_int_equal(listed(w, (struct stock_filter){ 0 }), 161);
    assert_int_equal(listed(w, (struct stock_filter){ .carrier = STR("acme") }), 50);
    assert_int_equal(listed(w, (struct stock_filter){ .tag = STR("west") }), 100);
    assert_int_equal(listed(w, (struct stock_filter){ .tag = STR("wes") }), 0);
    assert_int_equal(listed(w, (struct stock_filter){ .has_type = true, .type = NUMBER_TOLL_FREE }), 50);
    assert_int_equal(listed(w, (struct stock_filter){ .has_state = true, .state = STOCK_LEASED }), 2);
    assert_int_equal(listed(w, (struct stock_filter){ .has_state = true, .state = STOCK_AVAILABLE }), 149);
    assert_int_equal(listed(w, (struct stock_filter){ .has_state = true, .state = STOCK_IMPORTING }), 10);
    assert_int_equal(listed(w, (struct stock_filter){ .country = STR("us") }), 161);
    assert_int_equal(listed(w, (struct stock_filter){ .pattern = STR("206*0?") }), 10);
    assert_int_equal(listed(w, (struct stock_filter){ .pattern = STR("+1833*") }), 50);
    assert_int_equal(listed(w, (struct stock_filter){ .pattern = STR("*99") }), 1);
    struct number_range r[2 * NUMBER_RANGES_MOST];
    size_t n = number_ranges_read(STR("1833"), r);
    n += number_ranges_read(STR("206200000"), r + n);
    assert_int_equal(listed(w, (struct stock_filter){ .ranges = r, .n_ranges = n }), 60);
    assert_int_equal(listed(w, (struct stock_filter){ .import = stock_of(w, FIRST).import }), 100);
}

static void prefixes_of_countries_are_ranges_of_every_length(void **state)
{
    (void)state;
    struct number_range r[NUMBER_RANGES_MOST];
    assert_int_equal(number_ranges_read(STR("+1206"), r), 1);
    assert_true(r[0].least == 12060000000 && r[0].most == 12069999999);
    size_t n = number_ranges_read(STR("+44"), r);
    bool uk = false;
    for (size_t i = 0; i < n; i++)
        uk |= r[i].least <= 442079460018 && 442079460018 <= r[i].most;
    assert_true(uk);
    assert_int_equal(number_ranges_read(STR("+0"), r), 0);
    assert_int_equal(number_ranges_read(STR("x"), r), 0);
    assert_int_equal(stock_pattern_check(STR("206?*")), ERR_NONE);
    assert_int_equal(stock_pattern_check(STR("")), ERR_SYNTAX);
    assert_int_equal(stock_pattern_check(STR("+")), ERR_SYNTAX);
    assert_int_equal(stock_pattern_check(STR("20a")), ERR_SYNTAX);
}

static void pools_count_what_there_is_of_each_sort(void **state)
{
    struct world *w = *state;
    numbers_set_carriers(w->numbers, real_carriers, NULL);
    import_with(w, "one", "sim", FIRST, 20, CAP_BOTH, CAP_NONE, "a");
    import_with(w, "two", "sim", FIRST + 1000, 20, CAP_BOTH, CAP_NONE, "b");
    import_with(w, "three", "acme", 18332000000, 5, CAP_BOTH, CAP_BOTH, "");
    uint64_t back = lease_one(w, w->us, local_in("206", 1));
    lease_one(w, w->us, local_in("206", 1));
    assert_int_equal(search(w, w->us, local_in("206", 3)), ERR_NONE);
    assert_int_equal(release(w, w->us, back), ERR_NONE);
    for (int round = 0; round < 2; round++) {
        struct stock_pool *p;
        size_t n;
        assert_int_equal(numbers_stock_pools(w->numbers, &p, &n), ERR_NONE);
        assert_int_equal(n, 2);
        assert_string_equal(p[0].carrier, "acme");
        assert_false(p[0].simulated);
        assert_int_equal(p[0].count[STOCK_AVAILABLE], 5);
        assert_string_equal(p[1].carrier, "sim");
        assert_int_equal(p[1].total, 40);
        assert_int_equal(p[1].count[STOCK_AVAILABLE], 35);
        assert_int_equal(p[1].count[STOCK_HELD], 3);
        assert_int_equal(p[1].count[STOCK_LEASED], 1);
        assert_int_equal(p[1].count[STOCK_RELEASED], 1);
        free(p);
        world_restart(w);
    }
}

static void on_stored(void *arg, enum err err, const struct problem *why)
{
    struct world *w = arg;
    w->err = err;
    if (why)
        w->why = *why;
    w->waiting--;
}

static enum err note(struct world *w, uint64_t digits, const struct str *text, const struct str *tags)
{
    char number[E164_SIZE];
    w->waiting++;
    return settle(w, numbers_stock_note(w->numbers, str_of(e164_write(number, digits)), text, tags, on_stored, w, &w->why));
}

static void a_note_and_tags_stay_with_one_number(void **state)
{
    struct world *w = *state;
    import_all(w, "one", "sim", FIRST, 2);
    struct str text = STR("the mayor's"), tags = STR("vip"), none = STR("");
    assert_int_equal(note(w, FIRST, &text, NULL), ERR_NONE);
    assert_int_equal(note(w, FIRST, NULL, &tags), ERR_NONE);
    char number[E164_SIZE];
    w->waiting++;                       /* a second one beside it would undo it: what it does not give it would take as it was */
    assert_int_equal(numbers_stock_note(w->numbers, str_of(e164_write(number, FIRST)), &text, NULL, on_stored, w, &w->why), ERR_NONE);
    assert_int_equal(numbers_stock_note(w->numbers, str_of(number), NULL, &none, on_stored, w, &w->why), ERR_BUSY);
    world_pump(w);
    world_restart(w);
    assert_string_equal(stock_of(w, FIRST).note, "the mayor's");
    assert_string_equal(stock_of(w, FIRST).own_tags, "vip");
    assert_string_equal(stock_of(w, FIRST + 1).note, "");
    assert_int_equal(listed(w, (struct stock_filter){ .tag = STR("vip") }), 1);
    assert_int_equal(note(w, FIRST, &none, &none), ERR_NONE);
    assert_string_equal(stock_of(w, FIRST).note, "");
    world_restart(w);
    assert_string_equal(stock_of(w, FIRST).own_tags, "");
    char many[STOCK_NOTE_SIZE];
    memset(many, 'x', sizeof many);
    struct str longer = { many, sizeof many };
    assert_refused(w, note(w, FIRST, &longer, NULL), ERR_RANGE, "NoteTooLong");
    assert_refused(w, note(w, FIRST + 2, &text, NULL), ERR_ABSENT, "InventoryHasNoSuch");
}

static enum err withdraw(struct world *w, uint64_t digits)
{
    char number[E164_SIZE];
    w->waiting++;
    return settle(w, numbers_stock_withdraw(w->numbers, str_of(e164_write(number, digits)), on_stored, w, &w->why));
}

static void a_withdrawn_number_is_gone_and_may_be_imported_again(void **state)
{
    struct world *w = *state;
    import_all(w, "one", "sim", FIRST, 2);
    assert_int_equal(withdraw(w, FIRST), ERR_NONE);
    assert_int_equal(stock_state(w, FIRST), STOCK_STATES);
    assert_refused(w, withdraw(w, FIRST), ERR_ABSENT, "InventoryHasNoSuch");
    world_restart(w);
    assert_int_equal(stock_state(w, FIRST), STOCK_STATES);
    assert_int_equal(stock_state(w, FIRST + 1), STOCK_AVAILABLE);
    import_all(w, "two", "sim", FIRST, 1);
    world_restart(w);
    assert_int_equal(stock_state(w, FIRST), STOCK_AVAILABLE);
    lease_one(w, w->us, local_in("206", 1));
    lease_one(w, w->us, local_in("206", 1));
    assert_refused(w, withdraw(w, FIRST), ERR_CONFLICT, "NumberInUse");
    assert_int_equal(release(w, w->us, FIRST), ERR_NONE);
    assert_int_equal(withdraw(w, FIRST), ERR_NONE);
    assert_int_equal(stock_of(w, FIRST).state, STOCK_RELEASED);         /* it still waits, and then it is gone */
    world_sleep(w, 80 * DAY);
    assert_int_equal(stock_state(w, FIRST), STOCK_STATES);
}

struct audits { struct world *w; size_t n; bool more; char what[16][16], detail[16][96]; };

static void on_audit(void *arg, enum err err, const struct number_audit_line *lines, size_t count, bool more)
{
    struct audits *a = arg;
    assert_int_equal(err, ERR_NONE);
    a->n = count;
    a->more = more;
    for (size_t i = 0; i < count; i++) {
        snprintf(a->what[i], sizeof a->what[i], "%s", lines[i].what);
        str_copyz(a->detail[i], sizeof a->detail[i], lines[i].detail);
    }
    a->w->waiting--;
}

static void what_happened_to_a_number_is_told_the_newest_first(void **state)
{
    struct world *w = *state;
    import_all(w, "one", "sim", FIRST, 1);
    struct str text = STR("mind this one");
    enum capability out = CAP_OUTBOUND;
    lease_one(w, w->us, local_in("206", 1));
    assert_int_equal(change(w, w->us, FIRST, &out, NULL), ERR_NONE);
    assert_int_equal(note(w, FIRST, &text, NULL), ERR_NONE);
    assert_int_equal(release(w, w->us, FIRST), ERR_NONE);
    world_sleep(w, 80 * DAY);
    assert_int_equal(withdraw(w, FIRST), ERR_NONE);
    struct audits a = { .w = w };
    char number[E164_SIZE];
    w->waiting++;
    assert_int_equal(numbers_audit(w->numbers, str_of(e164_write(number, FIRST)), 0, 16, on_audit, &a, &w->why), ERR_NONE);
    world_pump(w);
    static const char *const told[] = { "withdrawn", "freed", "quarantined", "released", "noteSet", "changed", "leased" };
    assert_int_equal(a.n, ARRAY_LEN(told));
    assert_false(a.more);
    for (size_t i = 0; i < a.n; i++)
        assert_string_equal(a.what[i], told[i]);
    assert_string_equal(a.detail[6], "person, calling inbound+outbound, sms none");
    assert_string_equal(a.detail[5], "person, calling outbound, sms none");
    assert_string_equal(a.detail[4], "mind this one");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(the_operators_own_go_before_the_simulated_ones_and_come_back),
        T(a_hold_that_ends_offers_them_again),
        T(two_searches_at_once_never_get_the_same_one),
        T(a_number_does_no_more_than_its_carrier_sold_with_it),
        T(what_can_do_no_more_than_asked_for_is_taken_first),
        T(numbers_keep_to_their_carriers_side_of_the_wall),
        T(without_the_simulator_there_are_only_the_operators_own),
        T(an_own_number_hides_the_simulated_one_of_the_same_digits),
        T(browsing_shows_own_ones_of_a_prefix_with_what_they_can_do),
        T(browsing_two_prefixes_shows_both_and_other_countries_have_theirs),
        T(an_own_number_is_reserved_on_its_own_terms),
        T(a_listing_narrows_by_all_that_is_known),
        cmocka_unit_test(prefixes_of_countries_are_ranges_of_every_length),
        T(pools_count_what_there_is_of_each_sort),
        T(a_note_and_tags_stay_with_one_number),
        T(a_withdrawn_number_is_gone_and_may_be_imported_again),
        T(what_happened_to_a_number_is_told_the_newest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
