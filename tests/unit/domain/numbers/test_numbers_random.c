/* Whatever runs at once, no number ever has two owners: random searches, reservations, purchases, changes, releases, cancels and
 * passing time over one small pool, several units under way at any moment, checked against a model that only listens to
 * outcomes; from time to time the server is started again from its store. */
#include "unit/domain/numbers/world.h"

#include <stdio.h>

enum { ROUNDS = 8000, LINES = 10000, SEARCHES = 64, RESERVATIONS = 16 };

/* What an outside observer knows of a line of the pool. */
struct line {
    enum { FREE, HELD, LEASED, RELEASED } state;
    uint64_t resource, search;
    int64_t  until_us;                      /* HELD: end of the hold; RELEASED: not before this */
};

struct model {
    struct world *w;
    uint64_t      random;
    uint64_t      era;                      /* which ids are used for reservations */
    uint64_t      crowd;                    /* leases all but about a hundred numbers, for ever */
    struct line   lines[LINES];
    struct { uint64_t key, resource; } searches[SEARCHES];     /* the latest, to buy or cancel */
    size_t        n_searches;
    size_t        held, bought, released, expired_buys, refused, canceled, changed, reserved, reserved_bought;
};

static uint64_t roll(struct model *m, uint64_t below)
{
    m->random = m->random * 6364136223846793005u + 1442695040888963407u;
    return (m->random >> 33) % below;
}

static struct line *line_of(struct model *m, uint64_t digits)
{
    assert_int_equal(digits / LINES, 1307555);
    return &m->lines[digits % LINES];
}

static bool is_free(const struct model *m, const struct line *l)
{
    return l->state == FREE || ((l->state == HELD || l->state == RELEASED) && l->until_us <= m->w->now_us);
}

static void on_search(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)why;
    struct model *m = arg;
    m->w->waiting--;
    assert_int_equal(err, ERR_NONE);
    const struct number_search *s = numbers_search_find(m->w->numbers, op->resource, op->subject);
    for (size_t i = 0; s && i < s->count; i++) {
        struct line *l = line_of(m, s->numbers[i]);
        assert_true(is_free(m, l));
        *l = (struct line){ HELD, op->resource, s->key, s->expires_us };
    }
    m->held++;
    m->searches[m->n_searches % SEARCHES].key = op->subject;
    m->searches[m->n_searches++ % SEARCHES].resource = op->resource;
}

static void on_purchase(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)why;
    struct model *m = arg;
    m->w->waiting--;
    assert_int_equal(err, ERR_NONE);
    const struct number_search *s = numbers_search_find(m->w->numbers, op->resource, op->subject);
    for (size_t i = 0; s && i < s->count; i++) {
        struct line *l = line_of(m, s->numbers[i]);
        if (l->search != s->key)
            continue;                       /* bought before (asked twice), and since then another's */
        assert_true(l->state != FREE && l->resource == op->resource);
        if (l->state == HELD)
            *l = (struct line){ LEASED, op->resource, s->key, 0 };
    }
    m->bought++;
}

static void on_release(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)why;
    struct model *m = arg;
    m->w->waiting--;
    assert_int_equal(err, ERR_NONE);
    struct line *l = line_of(m, op->subject);
    assert_true(l->state == LEASED && l->resource == op->resource);
    l->state = RELEASED;
    l->until_us = op->created_us + 1;       /* its cycle may end at any moment after now */
    m->released++;
}

static void on_change(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)why;
    struct model *m = arg;
    m->w->waiting--;
    assert_int_equal(err, ERR_NONE);
    assert_true(line_of(m, op->subject)->resource == op->resource);
    m->changed++;
}

static void on_cancel(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)why;
    struct model *m = arg;
    m->w->waiting--;
    assert_int_equal(err, ERR_NONE);
    if (op->status != OPERATION_CANCELED)
        return;
    for (size_t i = 0; i < LINES; i++)
        if (m->lines[i].search == op->subject && m->lines[i].state == HELD)
            m->lines[i].state = FREE;
    m->canceled++;
}

static uint64_t somebody(struct model *m)
{
    return roll(m, 2) ? m->w->us : m->w->other;
}

/* A number that is not in the reservation any more was given back; one that is, was free or its own before. */
static void on_reserved(void *arg, enum err err, const struct number_reservation *r, enum reserved how,
                        const struct problem *why)
{
    (void)how;
    (void)why;
    struct model *m = arg;
    m->w->waiting--;
    assert_int_equal(err, ERR_NONE);
    for (size_t i = 0; i < LINES; i++)
        if (m->lines[i].search == r->key && m->lines[i].state == HELD)
            m->lines[i].state = FREE;
    for (size_t i = 0; i < r->count; i++) {
        struct line *l = line_of(m, r->numbers[i].number);
        if (r->numbers[i].error_code[0])
            continue;
        assert_true(is_free(m, l));
        *l = (struct line){ HELD, r->resource, r->key, r->expires_us };
    }
    m->reserved++;
}

static void on_unreserved(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)op;
    (void)why;
    struct model *m = arg;
    m->w->waiting--;
    assert_int_equal(err, ERR_NONE);        /* which one is not said: whoever waits behind it sees */
}

static void on_reserved_bought(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)why;
    struct model *m = arg;
    m->w->waiting--;
    assert_int_equal(err, ERR_NONE);
    for (size_t i = 0; i < LINES; i++)
        if (m->lines[i].search == op->subject && m->lines[i].state == HELD) {
            assert_true(m->lines[i].resource == op->resource);
            m->lines[i] = (struct line){ LEASED, op->resource, op->subject, 0 };
        }
    m->reserved_bought++;
}

/* What was refused at once tells nobody later. */
static void posted(struct model *m, enum err err)
{
    if (!err)
        return;
    m->w->waiting--;
    m->refused++;
    m->expired_buys += !strcmp(m->w->why.rule, "ReservationExpired");
    assert_true(m->w->why.rule[0]);
}

static bool is_ours(const struct model *m, size_t i)
{
    return m->lines[i].state == LEASED && m->lines[i].resource != m->crowd;
}

static void some_lease(struct model *m, bool give_back)
{
    struct world *w = m->w;
    char text[E164_SIZE];
    size_t start = roll(m, LINES), i = start;
    while (!is_ours(m, i) && (i = (i + 1) % LINES) != start)
        continue;
    if (!is_ours(m, i))
        return;
    e164_write(text, 13075550000 + i);
    w->waiting++;
    if (give_back)
        posted(m, numbers_release(w->numbers, m->lines[i].resource, str_of(text), on_release, m, &w->why));
    else
        posted(m, numbers_change(w->numbers, m->lines[i].resource, str_of(text), &(enum capability){ roll(m, 4) }, NULL,
                                 on_change, m, &w->why));
}

static void some_search(struct model *m, bool buy)
{
    struct world *w = m->w;
    if (!m->n_searches)
        return;
    size_t at = roll(m, m->n_searches < SEARCHES ? m->n_searches : SEARCHES);
    uint64_t key = m->searches[at].key, resource = m->searches[at].resource;
    w->waiting++;
    posted(m, buy ? numbers_purchase(w->numbers, resource, key, false, on_purchase, m, &w->why)
                  : numbers_cancel(w->numbers, resource, OPERATION_SEARCH, key, on_cancel, m, &w->why));
}

static void reservation_id(char id[40], uint64_t i)
{
    snprintf(id, 40, "6e0b0e4b-6a35-4d0a-9f5c-%012u", (unsigned)i);
}

static void some_reservation(struct model *m, bool buy)
{
    struct world *w = m->w;
    struct reservation_wish wishes[12];
    const struct number_reservation *r;
    char id[40];
    uint64_t resource = somebody(m), start = roll(m, LINES);
    size_t count = 1 + roll(m, ARRAY_LEN(wishes));
    reservation_id(id, m->era * RESERVATIONS + roll(m, RESERVATIONS));
    for (size_t i = 0; i < count; i++) {    /* mostly of what is not leased for ever */
        uint64_t at = start + i;
        while (m->lines[at % LINES].resource == m->crowd && m->lines[at % LINES].state == LEASED)
            at++;
        start = at - i;
        wishes[i] = (struct reservation_wish){ .number = 13075550000 + at % LINES, .out = !roll(m, 4), .country = STR("US"),
                                               .type = NUMBER_GEOGRAPHIC, .assignment = ASSIGNED_PERSON,
                                               .calling = CAP_BOTH };
    }
    if (buy && numbers_reservation_of(w->numbers, resource, str_of(id), &r, &w->why))
        return;
    w->waiting++;
    posted(m, buy ? numbers_buy_reserved(w->numbers, resource, str_of(id), false, on_reserved_bought, m, &w->why)
                  : numbers_reserve(w->numbers, resource, str_of(id), wishes, count, on_reserved, m, &w->why));
}

/* Outcomes are heard before and behind it: the model must know whose holds these were. */
static void give_a_reservation_back(struct model *m)
{
    struct world *w = m->w;
    const struct number_reservation *r;
    char id[40];
    uint64_t resource = somebody(m);
    world_pump(w);
    reservation_id(id, m->era * RESERVATIONS + roll(m, RESERVATIONS));
    if (numbers_reservation_of(w->numbers, resource, str_of(id), &r, &w->why))
        return;
    uint64_t key = r->key;
    w->waiting++;
    enum err err = numbers_unreserve(w->numbers, resource, str_of(id), on_unreserved, m, &w->why);
    posted(m, err);
    world_pump(w);
    for (size_t i = 0; i < LINES && !err; i++)
        if (m->lines[i].search == key && m->lines[i].state == HELD)
            m->lines[i].state = FREE;
}

static void step(struct model *m)
{
    struct world *w = m->w;
    struct number_search_new rq = local_in("307", 1 + (int64_t)roll(m, 12));
    switch (roll(m, 26)) {
    case 0: case 1: case 2: case 3: case 4: case 5:
        w->waiting++;
        posted(m, numbers_search(w->numbers, somebody(m), &rq, on_search, m, &w->why));
        break;
    case 6: case 7: case 8: case 9:
        some_search(m, true);
        break;
    case 10:
        some_search(m, false);
        break;
    case 11: case 12: case 13: case 14:
        some_lease(m, true);
        break;
    case 15:
        some_lease(m, false);
        break;
    case 16:                                /* outcomes are heard before time moves: the model needs to know when */
        world_pump(w);
        world_sleep(w, (int64_t)roll(m, 10) * MINUTE);
        break;
    case 17:
        world_pump(w);
        if (!roll(m, 4))
            world_sleep(w, (int64_t)roll(m, 40) * DAY);
        break;
    case 20: case 21: case 22:
        some_reservation(m, false);
        break;
    case 23: case 24:
        some_reservation(m, true);
        break;
    case 25:
        give_a_reservation_back(m);
        m->era += !roll(m, 8);              /* other ids: the old ones are completed or expired */
        break;
    case 18:
        inbox_drain(control_inbox(&w->control));
        break;
    default:
        world_pump(w);
        if (!roll(m, 20))
            world_restart(w);
    }
}

/* The product and the model agree on every line. */
static void compare(struct model *m)
{
    for (uint64_t i = 0; i < LINES; i++) {
        const struct lease *l = leased(m->w, 13075550000 + i);
        if ((l != NULL) != (m->lines[i].state == LEASED) || (l && l->resource != m->lines[i].resource))
            fail_msg("+1307555%04u is %sleased, the model says otherwise", (unsigned)i, l ? "" : "not ");
    }
}

static void make_the_pool_small(struct model *m)
{
    struct world *w = m->w;
    m->crowd = world_resource(w, "crowd", "payg", "US");
    for (int i = 0; i < 10; i++) {
        assert_int_equal(search(w, m->crowd, local_in("307", i < 9 ? 1000 : 798)), ERR_NONE);
        const struct number_search *s = numbers_search_find(w->numbers, m->crowd, w->op.subject);
        for (size_t k = 0; k < s->count; k++)
            *line_of(m, s->numbers[k]) = (struct line){ LEASED, m->crowd, s->key, 0 };
        assert_int_equal(purchase(w, m->crowd, w->op.subject), ERR_NONE);
    }
}

static void no_number_ever_has_two_owners(void **state)
{
    struct model *m = calloc(1, sizeof *m);
    m->w = *state;
    const char *seed = getenv("SEED");
    m->random = seed ? strtoull(seed, NULL, 10) : 20201001;
    make_the_pool_small(m);
    for (int i = 0; i < ROUNDS; i++) {
        step(m);
        if (i % 500 == 0) {
            world_pump(m->w);
            compare(m);
        }
    }
    world_pump(m->w);
    compare(m);
    world_restart(m->w);
    compare(m);
    printf("reserved %zu, bought %zu so; ", m->reserved, m->reserved_bought);
    printf("held %zu, bought %zu, changed %zu, released %zu, canceled %zu, refused %zu (%zu expired)\n", m->held, m->bought,
           m->changed, m->released, m->canceled, m->refused, m->expired_buys);
    assert_true(m->held > 200 && m->bought > 100 && m->released > 100 && m->canceled > 10 && m->expired_buys > 10);
    assert_true(m->reserved > 100 && m->reserved_bought > 20);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_number_ever_has_two_owners, world_set_up, world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
