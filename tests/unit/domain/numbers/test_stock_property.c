/* Whatever is done to a few imported numbers in whatever order, what is counted is what is there, and nothing that is available is
 * not offered, nor the reverse. */
#include "base/map.h"
#include "domain/numbers/stock.h"
#include "unit/domain/numbers/import_steps.h"

#include <stdio.h>

enum { LISTS = 4, EACH = 25, STEPS = 600 };

struct model {
    struct world *w;
    uint64_t      random;
    unsigned      generation[LISTS];    /* of each list's import: an id is used once */
    bool          in[LISTS];
};

static uint64_t roll(struct model *m, uint64_t below)
{
    return hash_u64(++m->random * 0x9e3779b97f4a7c15u) % below;
}

static uint64_t digits_of(unsigned list, unsigned i)
{
    return 12067771000 + list * 1000 + i;
}

static const char *id_of(const struct model *m, unsigned list)
{
    static char id[32];
    snprintf(id, sizeof id, "list-%u-%u", list, m->generation[list]);
    return id;
}

static void import_list(struct model *m, unsigned list)
{
    struct heard h;
    struct world *w = m->w;
    m->generation[list]++;
    struct import_slice *s = slice_of(1, digits_of(list, 0), EACH);
    assert_int_equal(import_begin(w, id_of(m, list), "sim", &h), ERR_NONE);
    assert_int_equal(import_give(w, id_of(m, list), s, &h), ERR_NONE);
    assert_int_equal(import_complete(w, id_of(m, list), &h), ERR_NONE);
    import_slice_free(s);
    m->in[list] = true;
}

static void roll_back_list(struct model *m, unsigned list)
{
    struct heard h;
    size_t used = 0;
    for (unsigned i = 0; i < EACH; i++) {
        enum stock_state state = stock_state(m->w, digits_of(list, i));
        struct stock_number x;
        char text[E164_SIZE];
        struct problem why;
        bool own = state != STOCK_STATES
                   && !numbers_stock_of(m->w->numbers, str_of(e164_write(text, digits_of(list, i))), &x, &why) && x.own;
        used += own && state != STOCK_AVAILABLE;
    }
    enum err err = import_roll_back(m->w, id_of(m, list), &h);
    assert_int_equal(err, used ? ERR_CONFLICT : ERR_NONE);
    m->in[list] = used;
}

static void lease_some(struct model *m, bool buy)
{
    struct world *w = m->w;
    struct number_search_new rq = local_in("206", 1 + (int64_t)roll(m, 6));
    if (search(w, w->us, rq) || !buy)
        return;
    assert_int_equal(purchase(w, w->us, w->op.subject), ERR_NONE);
}

static void release_one(struct model *m)
{
    uint64_t digits = digits_of((unsigned)roll(m, LISTS), (unsigned)roll(m, EACH));
    enum err err = release(m->w, m->w->us, digits);
    assert_true(err == ERR_NONE || err == ERR_ABSENT);
}

static void on_stored(void *arg, enum err err, const struct problem *why)
{
    (void)why;
    struct world *w = arg;
    w->err = err;
    w->waiting--;
}

static void withdraw_one(struct model *m)
{
    char text[E164_SIZE];
    struct world *w = m->w;
    uint64_t digits = digits_of((unsigned)roll(m, LISTS), (unsigned)roll(m, EACH));
    enum stock_state before = stock_state(w, digits);
    w->waiting++;
    enum err err = settle(w, numbers_stock_withdraw(w->numbers, str_of(e164_write(text, digits)), on_stored, w, &w->why));
    if (before == STOCK_HELD || before == STOCK_LEASED)
        assert_true(err == ERR_CONFLICT || err == ERR_ABSENT);
    else
        assert_true(err == ERR_NONE || err == ERR_ABSENT);
}

static void step(struct model *m)
{
    unsigned list = (unsigned)roll(m, LISTS);
    switch (roll(m, 12)) {
    case 0:
    case 1:
        if (!m->in[list])
            import_list(m, list);
        break;
    case 2:  if (m->in[list]) roll_back_list(m, list); break;
    case 3:
    case 4:  lease_some(m, false); break;
    case 5:
    case 6:  lease_some(m, true); break;
    case 7:
    case 8:  release_one(m); break;
    case 9:  withdraw_one(m); break;
    case 10: world_sleep(m->w, (int64_t)roll(m, 3) ? 16 * MINUTE : 40 * DAY); break;
    default: world_restart(m->w);
    }
}

/* One by one against what is kept. */
static void check(const struct model *m)
{
    uint64_t seen[STOCK_STATES] = { 0 }, total = 0;
    struct stock_number list[LISTS * EACH];
    struct stock_pool *p = NULL;
    size_t n_pools;
    uint64_t next;
    size_t n = numbers_stock_list(m->w->numbers, &(struct stock_filter){ .own = true }, 0, ARRAY_LEN(list), list, &next);
    for (size_t i = 0; i < n; i++) {
        seen[list[i].state]++;
        total++;
        assert_int_equal(list[i].state == STOCK_LEASED, leased(m->w, list[i].number) != NULL);
    }
    assert_int_equal(numbers_stock_pools(m->w->numbers, &p, &n_pools), ERR_NONE);
    assert_int_equal(n_pools, total ? 1 : 0);
    for (unsigned s = 0; s < STOCK_STATES && n_pools; s++)
        assert_int_equal(p[0].count[s], seen[s]);
    if (n_pools)
        assert_int_equal(p[0].total, total);
    free(p);
    struct number_range r = { digits_of(0, 0), digits_of(LISTS, 0) };
    struct number_browse rq = { .country = STR("US"), .ranges = &r, .n_ranges = 1 };
    struct reserved_number out[NUMBERS_BROWSE_MOST];
    struct problem why;
    assert_int_equal(numbers_browse(m->w->numbers, m->w->us, &rq, out, &n, &why), ERR_NONE);
    assert_int_equal(n, seen[STOCK_AVAILABLE]);
}

static void what_is_counted_is_what_is_there(void **state)
{
    struct model m = { .w = *state, .random = 5 };
    for (int i = 0; i < STEPS; i++) {
        step(&m);
        check(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_counted_is_what_is_there, world_set_up, world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
