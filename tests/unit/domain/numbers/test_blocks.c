#include "domain/numbers/blocks.h"
#include "base/map.h"

#include "unit/cm.h"

enum { KINDS = 3, MANY = 4000 };

static int set_up(void **state)
{
    struct blocks *b = blocks_new();
    for (unsigned kind = 0; kind < KINDS; kind++) {
        unsigned lot;
        assert_int_equal(blocks_lot_new(b, kind, &lot), ERR_NONE);
        assert_int_equal(lot, kind + 1);
    }
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    blocks_free(*state);
    return 0;
}

static void put(struct blocks *b, uint64_t digits, unsigned lot)
{
    assert_int_equal(blocks_put(b, digits, lot), ERR_NONE);
    blocks_offer(b, digits, true);
}

static void a_number_is_of_one_lot_and_comes_out_again(void **state)
{
    struct blocks *b = *state;
    assert_int_equal(blocks_lot(b, 12065550100), 0);
    assert_int_equal(blocks_put(b, 12065550100, 2), ERR_NONE);
    assert_int_equal(blocks_put(b, 12065550100, 1), ERR_CONFLICT);
    assert_int_equal(blocks_lot(b, 12065550100), 2);
    assert_false(blocks_offers(b, 12065550100));
    assert_int_equal(blocks_take(b, 12065550100), 2);
    assert_int_equal(blocks_take(b, 12065550100), 0);
    assert_int_equal(blocks_size(b).numbers, 0);
    assert_int_equal(blocks_size(b).thousands, 0);
}

static void what_is_offered_is_found_by_its_kind_and_range_alone(void **state)
{
    struct blocks *b = *state;
    put(b, 12065550100, 1);
    put(b, 14255550100, 1);
    put(b, 442079460018, 2);
    assert_int_equal(blocks_next(b, 0, 1, UINT64_MAX / 2), 12065550100);
    assert_int_equal(blocks_next(b, 0, 12065550101, UINT64_MAX / 2), 14255550100);
    assert_int_equal(blocks_next(b, 0, 12065550101, 14255550099), 0);
    assert_int_equal(blocks_next(b, 1, 1, UINT64_MAX / 2), 442079460018);
    assert_int_equal(blocks_next(b, 2, 1, UINT64_MAX / 2), 0);
    assert_int_equal(blocks_next(b, 99, 1, UINT64_MAX / 2), 0);
    blocks_offer(b, 12065550100, false);
    assert_int_equal(blocks_next(b, 0, 1, UINT64_MAX / 2), 14255550100);
    assert_int_equal(blocks_offered(b, 0), 1);
}

static void looking_begins_at_different_places_of_what_is_offered(void **state)
{
    struct blocks *b = *state;
    assert_int_equal(blocks_start(b, 0, 1, UINT64_MAX / 2, 5), 0);
    put(b, 12065550100, 1);
    put(b, 14255550100, 1);
    bool seattle = false, bellevue = false;
    for (uint64_t i = 0; i < 64; i++) {
        uint64_t at = blocks_start(b, 0, 1, UINT64_MAX / 2, hash_u64(i));
        seattle |= at / BLOCKS_AREA == 1206;
        bellevue |= at / BLOCKS_AREA == 1425;
        at = blocks_start(b, 0, 12065550000, 12065559999, hash_u64(i));
        assert_in_range(at, 12065550000, 12065559999);
    }
    assert_true(seattle && bellevue);
    assert_int_equal(blocks_start(b, 0, 13000000000, 13999999999, 5), 0);
}

static void lots_run_out_and_say_so(void **state)
{
    struct blocks *b = *state;
    unsigned lot = 0;
    for (unsigned i = KINDS; i < BLOCKS_LOTS_MOST; i++)
        assert_int_equal(blocks_lot_new(b, i % KINDS, &lot), ERR_NONE);
    assert_int_equal(lot, BLOCKS_LOTS_MOST);
    assert_int_equal(blocks_lot_new(b, 0, &lot), ERR_SIZE);
    put(b, 12065550100, BLOCKS_LOTS_MOST);
    assert_int_equal(blocks_lot(b, 12065550100), BLOCKS_LOTS_MOST);
}

static void a_mostly_full_thousand_takes_little_over_two_octets_a_number(void **state)
{
    struct blocks *b = *state;
    for (uint64_t i = 0; i < 100000; i++)
        put(b, 12065500000 + i, 1);
    struct blocks_size size = blocks_size(b);
    assert_int_equal(size.numbers, 100000);
    assert_int_equal(size.thousands, 100);
    assert_in_range(size.octets, 200000, 230000);
}

struct swept { struct blocks *b; size_t n; uint64_t last; };

static void on_swept(void *arg, const struct blocks_number *x)
{
    struct swept *s = arg;
    assert_true(x->digits > s->last);
    assert_int_equal(x->lot, 2);
    s->last = x->digits;
    s->n++;
    assert_int_equal(blocks_take(s->b, x->digits), 2);
}

static void a_sweep_shows_all_of_its_lots_in_slices_and_nothing_else(void **state)
{
    struct blocks *b = *state;
    for (uint64_t i = 0; i < 5000; i++)
        put(b, 12065500000 + i * 7, 1 + i % 3);
    struct swept s = { .b = b };
    uint64_t at = 0;
    size_t slices = 1;
    for (; blocks_sweep(b, &at, 2, 2, 100, on_swept, &s); slices++)
        ;
    assert_int_equal(s.n, 1667);
    assert_true(slices >= 5);
    assert_int_equal(blocks_size(b).numbers, 5000 - 1667);
    assert_int_equal(blocks_offered(b, 1), 0);
}

/* -- against the obvious way -------------------------------------------------------------------------------------- */

struct naive {
    struct { unsigned lot; bool offered; void *who; } at[MANY];
};

/* Some thousands mostly there, some hardly, in three areas. */
static uint64_t digits_of(size_t i)
{
    if (i < 2000)
        return 12065551000 + i;
    if (i < 3000)
        return 12069990000 + (i - 2000) * 13;
    return 14250000000 + (uint64_t)(i - 3000) * 24989;
}

static uint64_t naive_next(const struct naive *v, unsigned kind, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < MANY; i++)       /* digits_of() rises */
        if (digits_of(i) >= from && digits_of(i) <= to && v->at[i].offered && v->at[i].lot == kind + 1)
            return digits_of(i);
    return 0;
}

static void check_walk(const struct blocks *b, const struct naive *v)
{
    struct blocks_cursor c = { .to = UINT64_MAX / 2 };
    struct blocks_number x;
    size_t offered[KINDS] = { 0 };
    for (size_t i = 0; i < MANY; i++) {
        if (!v->at[i].lot && !v->at[i].who)
            continue;
        assert_true(blocks_walk(b, &c, &x));
        assert_int_equal(x.digits, digits_of(i));
        assert_int_equal(x.lot, v->at[i].lot);
        assert_int_equal(x.offered, v->at[i].offered);
        assert_ptr_equal(x.who, v->at[i].who);
        if (x.offered)
            offered[x.lot - 1]++;
    }
    assert_false(blocks_walk(b, &c, &x));
    for (unsigned k = 0; k < KINDS; k++)
        assert_int_equal(blocks_offered(b, k), offered[k]);
}

static void step(struct blocks *b, struct naive *v, uint64_t r)
{
    size_t i = (r >> 8) % MANY;
    uint64_t d = digits_of(i);
    switch (r % 7) {
    case 0:
    case 1:
    case 2:
        assert_int_equal(blocks_put(b, d, 1 + (r >> 32) % KINDS), v->at[i].lot ? ERR_CONFLICT : ERR_NONE);
        if (!v->at[i].lot)
            v->at[i].lot = 1 + (r >> 32) % KINDS;
        break;
    case 3:
        if ((r >> 40) % 2)
            break;
        assert_int_equal(blocks_take(b, d), v->at[i].lot);
        v->at[i].lot = 0;
        v->at[i].offered = false;
        break;
    case 4:
    case 5:
        blocks_offer(b, d, r % 7 == 4);
        v->at[i].offered = v->at[i].lot && r % 7 == 4;
        break;
    default:
        if (v->at[i].who) {
            blocks_free_one(b, d);
            v->at[i].who = NULL;
        } else {
            assert_int_equal(blocks_give(b, d, v), ERR_NONE);
            v->at[i].who = v;
        }
    }
}

static void it_agrees_with_a_list_whatever_is_done(void **state)
{
    struct blocks *b = *state;
    struct naive *v = calloc(1, sizeof *v);
    for (uint64_t n = 0; n < 60000; n++) {
        uint64_t r = hash_u64(n + 77);
        step(b, v, r);
        if (n % 50 == 0) {
            uint64_t from = digits_of(hash_u64(r) % MANY) + r % 3 - 1, to = from + hash_u64(r + 1) % 40000000;
            assert_int_equal(blocks_next(b, r % KINDS, from, to), naive_next(v, r % KINDS, from, to));
        }
        if (n % 10000 == 0)
            check_walk(b, v);
    }
    check_walk(b, v);
    for (size_t i = 0; i < MANY; i++) {
        blocks_take(b, digits_of(i));
        blocks_free_one(b, digits_of(i));
    }
    assert_int_equal(blocks_size(b).thousands, 0);
    free(v);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_number_is_of_one_lot_and_comes_out_again),
        T(what_is_offered_is_found_by_its_kind_and_range_alone),
        T(looking_begins_at_different_places_of_what_is_offered),
        T(lots_run_out_and_say_so),
        T(a_mostly_full_thousand_takes_little_over_two_octets_a_number),
        T(a_sweep_shows_all_of_its_lots_in_slices_and_nothing_else),
        T(it_agrees_with_a_list_whatever_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
