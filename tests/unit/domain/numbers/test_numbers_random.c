/* Whatever runs at once, no number ever has two owners: random searches, reservations, purchases, changes, releases, cancels and
 * passing time over one small pool, many units under way at any moment, some of which fail, checked against a model that only
 * listens to outcomes. Memory, store and model must tell the same of every number whenever nothing is under way, and again
 * after a restart; now and then the plug is pulled.
 *
 * A run is its seed's alone. Each prints it first; SEED=n runs that one. */
#include "domain/numbers/numbers_priv.h"
#include "unit/domain/numbers/disk.h"
#include "unit/domain/numbers/import_steps.h"

#include <stdio.h>

enum { ROUNDS = 1000, LINES = 10000, SEARCHES = 8, RESERVATIONS = 4, ASKS = 64, LEFT_FREE = 64,
       OWN = 200, OWN_AT_FIRST = 48, IMPORTS = 8 };
static const uint64_t SIMULATED = 13075550000, OWN_FIRST = 13074440000;
static const int64_t QUARANTINE = NUMBERS_QUARANTINE_DAYS * (int64_t)24 * 3600 * US_PER_S;

/* What an outside observer knows of a line of the pool. */
struct line {
    enum { FREE, HELD, LEASED, RELEASED } state;
    uint64_t resource, holder;
    int64_t  until_us;                      /* HELD: end of the hold; RELEASED: of the billing cycle */
    int64_t  purchased_us;
    uint64_t import;                        /* of an own one: which brought it; 0: it is not there */
};

/* One request that was taken and not yet answered. */
struct ask {
    struct model *m;                        /* NULL: this place is free */
    uint64_t      resource, subject;        /* whose numbers it may change: a search, a reservation; a number */
    int64_t       at_us;
    bool          asking;                   /* the call that asks has not returned */
};

struct counts {
    size_t held, bought, canceled, reserved, reserved_bought, unreserved, changed, released, refused, expired_buys, failed,
           restarts, crashes, most_at_once, withdrawn, imported, rolled_back;
};

struct model {
    struct world  *w;
    uint64_t       first;                   /* number of line 0 */
    bool           own;                     /* the operator's numbers; else simulated ones */
    uint64_t       random;
    uint64_t       era;                     /* which ids are used for reservations */
    uint64_t       crowd;                   /* leases all but LEFT_FREE numbers, for ever */
    enum disk_fate fate;                    /* of the unit that is being answered */
    struct line    lines[LINES];
    struct ask     asks[ASKS];
    struct { uint64_t key, resource; } searches[SEARCHES];     /* the latest, to buy or cancel */
    size_t         n_searches;
    uint64_t       imports;                 /* how many were begun */
    struct counts *c;
};

static uint64_t roll(struct model *m, uint64_t below)
{
    m->random = m->random * 6364136223846793005u + 1442695040888963407u;
    return (m->random >> 33) % below;
}

/* -- the model ------------------------------------------------------------------------------------------------------ */

static size_t lines(const struct model *m)
{
    return m->own ? OWN : LINES;
}

static struct line *line_of(struct model *m, uint64_t digits)
{
    assert_int_equal(digits / LINES, m->first / LINES);
    return &m->lines[digits % LINES];
}

static bool asked_of(const struct model *m, uint64_t subject)
{
    for (size_t i = 0; i < ASKS; i++)
        if (m->asks[i].m && m->asks[i].subject == subject)
            return true;
    return false;
}

/* May somebody else have it now? A hold whose time is over lasts while what was asked in time is being stored. */
static bool is_free(const struct model *m, const struct line *l)
{
    bool over = l->until_us <= m->w->now_us;
    if (m->own && (!l->import || (l->state == RELEASED && l->until_us + QUARANTINE > m->w->now_us)))
        return false;                       /* a real one waits: its last owner's callers still ring */
    return l->state == FREE || (l->state == HELD && over && !asked_of(m, l->holder)) || (l->state == RELEASED && over);
}

static void hold(struct model *m, uint64_t digits, uint64_t resource, uint64_t holder, int64_t until_us)
{
    struct line *l = line_of(m, digits);
    if (!is_free(m, l))
        fail_msg("+%llu was given to somebody while it was another's, or in quarantine, or withdrawn", (unsigned long long)digits);
    *l = (struct line){ .state = HELD, .resource = resource, .holder = holder, .until_us = until_us, .import = l->import };
}

static void free_holds(struct model *m, uint64_t holder)
{
    for (size_t i = 0; i < lines(m); i++)
        if (m->lines[i].state == HELD && m->lines[i].holder == holder)
            m->lines[i] = (struct line){ .import = m->lines[i].import };
}

static void lease(struct model *m, uint64_t digits, const struct number_operation *op)
{
    struct line *l = line_of(m, digits);
    if (l->state != HELD || l->holder != op->subject || l->resource != op->resource)
        fail_msg("+%llu was sold and not held by its buyer", (unsigned long long)digits);
    *l = (struct line){ .state = LEASED, .resource = op->resource, .holder = op->subject, .purchased_us = op->created_us,
                         .import = l->import };
}

/* -- asking and hearing --------------------------------------------------------------------------------------------- */

static struct ask *ask_new(struct model *m, uint64_t resource, uint64_t subject)
{
    for (size_t i = 0; i < ASKS; i++)
        if (!m->asks[i].m) {
            m->asks[i] = (struct ask){ m, resource, subject, m->w->now_us, true };
            m->w->waiting++;
            m->w->why = (struct problem){ 0 };
            return &m->asks[i];
        }
    fail_msg("more is under way than there is room for");
    return NULL;
}

/* What was refused at once tells nobody later. */
static void asked(struct ask *a, enum err err)
{
    struct model *m = a->m;
    if (!m)
        return;                             /* answered at once */
    a->asking = false;
    if (!err)
        return;
    a->m = NULL;
    m->w->waiting--;
    m->c->refused++;
    m->c->expired_buys += !strcmp(m->w->why.rule, "ReservationExpired");
    assert_true(m->w->why.rule[0]);
}

/* Its place is free again. Fails when the outcome is not what the disk did. @return NULL: it failed, and changed nothing */
static struct model *heard(struct ask *a, enum err err)
{
    static const enum err told[] = { [DISK_WRITES] = ERR_NONE, [DISK_REFUSES] = ERR_CONFLICT, [DISK_FAILS] = ERR_STORE };
    struct model *m = a->m;
    assert_int_equal(err, a->asking ? ERR_NONE : told[m->fate]);
    a->m = NULL;
    m->w->waiting--;
    m->c->failed += err != ERR_NONE;
    return err ? NULL : m;
}

static void on_search(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)why;
    struct model *m = heard(arg, err);
    if (!m)
        return;
    const struct number_search *s = numbers_search_find(m->w->numbers, op->resource, op->subject);
    for (size_t i = 0; i < s->count; i++)
        hold(m, s->numbers[i], op->resource, s->key, s->expires_us);
    m->c->held++;
    m->searches[m->n_searches % SEARCHES].key = op->subject;
    m->searches[m->n_searches++ % SEARCHES].resource = op->resource;
}

static void on_purchase(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)why;
    bool again = ((struct ask *)arg)->asking;       /* bought before, asked twice */
    struct model *m = heard(arg, err);
    if (!m || again)
        return;
    const struct number_search *s = numbers_search_find(m->w->numbers, op->resource, op->subject);
    for (size_t i = 0; i < s->count; i++)
        lease(m, s->numbers[i], op);
    m->c->bought++;
}

static void on_cancel(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)why;
    struct ask *a = arg;
    bool again = a->asking;
    struct model *m = heard(a, err);
    if (!m || again)
        return;
    assert_int_equal(op->status, OPERATION_CANCELED);
    free_holds(m, a->subject);
    m->c->canceled++;
}

static void on_release(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)why;
    struct ask *a = arg;
    struct model *m = heard(a, err);
    if (!m)
        return;
    struct line *l = line_of(m, op->subject);
    assert_true(l->state == LEASED && l->resource == op->resource);
    l->state = RELEASED;
    l->until_us = billing_cycle_end(l->purchased_us, a->at_us);
    m->c->released++;
}

static void on_change(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)why;
    struct model *m = heard(arg, err);
    if (!m)
        return;
    assert_true(line_of(m, op->subject)->resource == op->resource);
    m->c->changed++;
}

/* A number that is not in the reservation any more was given back; one that is, was free or its own before. */
static void on_reserved(void *arg, enum err err, const struct number_reservation *r, enum reserved how,
                        const struct problem *why)
{
    (void)how;
    (void)why;
    bool again = ((struct ask *)arg)->asking;       /* nothing to change */
    struct model *m = heard(arg, err);
    if (!m || again)
        return;
    free_holds(m, r->key);
    for (size_t i = 0; i < r->count; i++)
        if (!r->numbers[i].error_code[0])
            hold(m, r->numbers[i].number, r->resource, r->key, r->expires_us);
    m->c->reserved++;
}

static void on_withdrawn(void *arg, enum err err, const struct problem *why)
{
    (void)why;
    struct ask *a = arg;
    struct model *m = heard(a, err);
    if (!m)
        return;
    struct line *l = line_of(m, a->subject);
    assert_true(l->import && l->state != LEASED && (l->state != HELD || is_free(m, l)));
    l->import = 0;                          /* one that was released waits on, should it come back */
    m->c->withdrawn++;
}

static void on_unreserved(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)op;
    (void)why;
    struct ask *a = arg;
    struct model *m = heard(a, err);
    if (!m)
        return;
    free_holds(m, a->subject);
    m->c->unreserved++;
}

static void on_reserved_bought(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)why;
    bool again = ((struct ask *)arg)->asking;
    struct model *m = heard(arg, err);
    if (!m || again)
        return;
    for (size_t i = 0; i < lines(m); i++)
        if (m->lines[i].state == HELD && m->lines[i].holder == op->subject)
            lease(m, m->first + i, op);
    m->c->reserved_bought++;
}

/* -- requests ------------------------------------------------------------------------------------------------------- */

static uint64_t somebody(struct model *m)
{
    return roll(m, 2) ? m->w->us : m->w->other;
}

static void a_search(struct model *m)
{
    struct number_search_new rq = local_in("307", 1 + (int64_t)roll(m, 12));
    uint64_t resource = somebody(m);
    struct ask *a = ask_new(m, resource, 0);
    asked(a, numbers_search(m->w->numbers, resource, &rq, on_search, a, &m->w->why));
}

static void some_search(struct model *m, bool buy)
{
    struct world *w = m->w;
    if (!m->n_searches)
        return;
    size_t at = roll(m, m->n_searches < SEARCHES ? m->n_searches : SEARCHES);
    uint64_t key = m->searches[at].key, resource = m->searches[at].resource;
    struct ask *a = ask_new(m, resource, key);
    asked(a, buy ? numbers_purchase(w->numbers, resource, key, false, on_purchase, a, &w->why)
                 : numbers_cancel(w->numbers, resource, OPERATION_SEARCH, key, on_cancel, a, &w->why));
}

static bool is_ours(const struct model *m, size_t i)
{
    return m->lines[i].state == LEASED && m->lines[i].resource != m->crowd;
}

static void some_lease(struct model *m, bool give_back)
{
    struct world *w = m->w;
    char text[E164_SIZE];
    size_t start = roll(m, lines(m)), i = start;
    while (!is_ours(m, i) && (i = (i + 1) % lines(m)) != start)
        continue;
    if (!is_ours(m, i))
        return;
    e164_write(text, m->first + i);
    struct ask *a = ask_new(m, m->lines[i].resource, m->first + i);
    enum capability calling = (enum capability)roll(m, 4);
    asked(a, give_back ? numbers_release(w->numbers, a->resource, str_of(text), on_release, a, &w->why)
                       : numbers_change(w->numbers, a->resource, str_of(text), &calling, NULL, on_change, a, &w->why));
}

static void reservation_id(char id[40], uint64_t i)
{
    snprintf(id, 40, "6e0b0e4b-6a35-4d0a-9f5c-%012u", (unsigned)i);
}

/* @return its key, 0: there is none */
static uint64_t some_reservation_id(struct model *m, uint64_t resource, char id[40])
{
    const struct number_reservation *r;
    struct problem why;
    reservation_id(id, m->era * RESERVATIONS + roll(m, RESERVATIONS));
    return numbers_reservation_of(m->w->numbers, resource, str_of(id), &r, &why) ? 0 : r->key;
}

static size_t some_wishes(struct model *m, struct reservation_wish *wishes, size_t most)
{
    uint64_t at = roll(m, lines(m));
    size_t count = 1 + roll(m, most);
    for (size_t i = 0; i < count; i++, at++) {      /* mostly of what is not leased for ever */
        while (roll(m, 100) && m->lines[at % lines(m)].state == LEASED && m->lines[at % lines(m)].resource == m->crowd)
            at++;
        wishes[i] = (struct reservation_wish){ .number = m->first + at % lines(m), .out = !roll(m, 4), .country = STR("US"),
                                               .type = NUMBER_GEOGRAPHIC, .assignment = ASSIGNED_PERSON,
                                               .calling = CAP_BOTH };
    }
    return count;
}

static void a_reservation(struct model *m)
{
    struct reservation_wish wishes[12];
    char id[40];
    uint64_t resource = somebody(m), key = some_reservation_id(m, resource, id);
    size_t count = some_wishes(m, wishes, ARRAY_LEN(wishes));
    struct ask *a = ask_new(m, resource, key);
    asked(a, numbers_reserve(m->w->numbers, resource, str_of(id), wishes, count, on_reserved, a, &m->w->why));
}

static void some_reservation(struct model *m, bool buy)
{
    struct world *w = m->w;
    char id[40];
    uint64_t resource = somebody(m), key = some_reservation_id(m, resource, id);
    if (!key)
        return;
    struct ask *a = ask_new(m, resource, key);
    asked(a, buy ? numbers_buy_reserved(w->numbers, resource, str_of(id), false, on_reserved_bought, a, &w->why)
                 : numbers_unreserve(w->numbers, resource, str_of(id), on_unreserved, a, &w->why));
}

static void a_withdrawal(struct model *m)
{
    char text[E164_SIZE];
    size_t i = roll(m, lines(m));
    for (size_t tries = 0; tries < lines(m) && roll(m, 100) && !m->lines[i].import; tries++)
        i = (i + 1) % lines(m);             /* mostly of what is there */
    struct ask *a = ask_new(m, 0, m->first + i);
    e164_write(text, a->subject);
    asked(a, numbers_stock_withdraw(m->w->numbers, str_of(text), on_withdrawn, a, &m->w->why));
}

/* -- memory, store and model ---------------------------------------------------------------------------------------- */

/* What the product's memory says of a line. Nothing is under way. */
static enum number_state seen(struct model *m, size_t i, const struct number **out)
{
    const struct number *x = number_find(m->w->numbers, m->first + i);
    *out = x;
    return x ? x->state : NUMBER_AVAILABLE;
}

static int64_t waits_until(const struct number *x)
{
    return x->wait ? x->wait->until_us : 0;
}

/* What it must be, of what the observer knows. */
static enum number_state expected(const struct model *m, const struct line *l)
{
    int64_t now = m->w->now_us;
    switch (l->state) {
    case FREE:     return NUMBER_AVAILABLE;
    case HELD:     return l->until_us > now ? NUMBER_HELD : NUMBER_AVAILABLE;
    case LEASED:   return NUMBER_LEASED;
    case RELEASED: return l->until_us > now ? NUMBER_RELEASED
                          : l->until_us + QUARANTINE > now ? NUMBER_QUARANTINE : NUMBER_AVAILABLE;
    }
    return NUMBER_STATE_COUNT;
}

/* Is it in the operator's inventory? */
static bool is_own(struct model *m, size_t i)
{
    char text[E164_SIZE];
    struct stock_number x;
    struct problem why;
    return !numbers_stock_of(m->w->numbers, str_of(e164_write(text, m->first + i)), &x, &why) && x.own;
}

/* The operator's counts, which are kept and not counted. */
static void compare_pools(struct model *m)
{
    struct stock_pool *pools = NULL;
    size_t n = 0, sum[NUMBER_STATE_COUNT] = { 0 }, counts[STOCK_STATES] = { 0 };
    for (size_t i = 0; i < lines(m); i++) {
        const struct line *l = &m->lines[i];
        assert_int_equal(is_own(m, i), l->import != 0);
        sum[expected(m, l)] += l->import != 0;
    }
    assert_int_equal(numbers_stock_pools(m->w->numbers, &pools, &n), ERR_NONE);
    for (size_t i = 0; i < n; i++)
        for (size_t s = 0; s < STOCK_STATES; s++)
            counts[s] += pools[i].count[s];
    free(pools);
    assert_int_equal(counts[STOCK_AVAILABLE], sum[NUMBER_AVAILABLE]);
    assert_int_equal(counts[STOCK_HELD], sum[NUMBER_HELD]);
    assert_int_equal(counts[STOCK_LEASED], sum[NUMBER_LEASED]);
    assert_int_equal(counts[STOCK_RELEASED], sum[NUMBER_RELEASED]);
    assert_int_equal(counts[STOCK_QUARANTINE], sum[NUMBER_QUARANTINE]);
    assert_int_equal(counts[STOCK_IMPORTING], 0);
}

static void compare_model(struct model *m)
{
    size_t sum[NUMBER_STATE_COUNT] = { 0 }, total = 0;
    for (size_t i = 0; i < lines(m); i++) {
        const struct line *l = &m->lines[i];
        const struct number *x;
        enum number_state is = seen(m, i, &x), should = expected(m, l);
        bool same = is == should && (is == NUMBER_AVAILABLE || is == NUMBER_QUARANTINE || x->lease.resource == l->resource)
                    && (is != NUMBER_HELD || x->holder == l->holder)
                    && (is != NUMBER_LEASED || x->lease.purchased_us == l->purchased_us)
                    && (is != NUMBER_RELEASED || waits_until(x) == l->until_us)
                    && (is != NUMBER_QUARANTINE || waits_until(x) == l->until_us + QUARANTINE);
        if (!same)
            fail_msg("+%llu is %s, the model says %s", (unsigned long long)(m->first + i), number_state_word(is),
                     number_state_word(should));
        sum[is]++;
    }
    for (size_t s = 0; s < NUMBER_STATE_COUNT; s++)
        total += sum[s];
    assert_int_equal(total, lines(m));
    if (m->own)
        compare_pools(m);
    else
        assert_int_equal(m->w->numbers->pools[307].touched, LINES - sum[NUMBER_AVAILABLE]);
}

struct stored {
    struct model     *m;
    struct number_row rows[LINES];
    uint64_t          holders[LINES];       /* 0: no hold that lasts is stored */
    struct map       *active;               /* reservations whose hold lasts */
};

static enum err on_row(void *arg, const struct number_row *row)
{
    struct stored *s = arg;
    line_of(s->m, row->digits);
    s->rows[row->digits % LINES] = *row;
    return ERR_NONE;
}

static void stored_held(struct stored *s, uint64_t digits, uint64_t holder)
{
    line_of(s->m, digits);
    if (s->holders[digits % LINES])
        fail_msg("+%llu is in two holds of the store", (unsigned long long)digits);
    s->holders[digits % LINES] = holder;
}

static enum err on_search_row(void *arg, const struct number_search_row *row)
{
    struct stored *s = arg;
    uint64_t digits;
    for (struct str head, rest = row->numbers; row->state == 0 && row->expires_us > s->m->w->now_us && rest.n;) {
        str_cut(rest, ' ', &head, &rest);
        assert_int_equal(str_u64(head, UINT64_MAX, &digits), ERR_NONE);
        stored_held(s, digits, row->key);
    }
    return ERR_NONE;
}

static enum err on_reservation_row(void *arg, const struct reservation_row *row)
{
    struct stored *s = arg;
    bool lasts = row->state == 0 && row->expires_us > s->m->w->now_us;
    return lasts ? map_put(s->active, row->key, s) : ERR_NONE;
}

static enum err on_item_row(void *arg, const struct reservation_item_row *row)
{
    struct stored *s = arg;
    if (!row->error_code.n && map_find(s->active, row->reservation))
        stored_held(s, row->digits, row->reservation);
    return ERR_NONE;
}

static void read_store(struct stored *s)
{
    struct db *db = s->m->w->control.db;
    s->active = map_new();
    assert_int_equal(db_run(db, db_unit_new()), ERR_NONE);      /* behind what nobody waits for */
    assert_int_equal(number_rows_each(db, on_row, s), ERR_NONE);
    assert_int_equal(number_search_rows_each(db, on_search_row, s), ERR_NONE);
    assert_int_equal(reservation_rows_each(db, on_reservation_row, s), ERR_NONE);
    assert_int_equal(reservation_item_rows_each(db, on_item_row, s), ERR_NONE);
    map_free(s->active);
}

/* What a lost unit would have taken away: nothing that a start, or the next holder, would mind. */
static bool is_left_over(const struct model *m, const struct number_row *row, const struct number *x)
{
    bool over = disk.forgets && row->state != NUMBER_ROW_LEASED && row->until_us <= m->w->now_us;
    return over && (!x || x->state == NUMBER_HELD || (row->state == NUMBER_ROW_RELEASED && x->state == NUMBER_QUARANTINE
                           && waits_until(x) == row->until_us + QUARANTINE));
}

static void compare_store(struct model *m)
{
    static const enum number_state states[] = { [0] = NUMBER_AVAILABLE, [NUMBER_ROW_LEASED] = NUMBER_LEASED, [NUMBER_ROW_RELEASED] = NUMBER_RELEASED,
        [NUMBER_ROW_QUARANTINE] = NUMBER_QUARANTINE };
    struct stored *s = calloc(1, sizeof *s);
    s->m = m;
    read_store(s);
    for (size_t i = 0; i < lines(m); i++) {
        const struct number_row *row = &s->rows[i];
        const struct number *x;
        enum number_state is = seen(m, i, &x);
        bool own = x && x->lease.resource == row->resource && x->holder == row->search
                   && x->lease.purchased_us == row->purchased_us && (int)x->lease.calling == row->calling
                   && (int)x->lease.sms == row->sms;
        bool time = x && (is == NUMBER_LEASED || waits_until(x) == row->until_us);
        bool same = is == NUMBER_HELD ? !row->state : is == states[row->state] && (!x || ((is == NUMBER_QUARANTINE || own) && time));
        assert_int_equal(s->holders[i], is == NUMBER_HELD ? x->holder : 0);
        if (!same && !is_left_over(m, row, x))
            fail_msg("+%llu is %s in memory and %s in the store, or is not the same there", (unsigned long long)(m->first + i),
                     number_state_word(is), number_state_word(states[row->state]));
    }
    free(s);
}

static void turn(struct model *m, bool fine)
{
    m->fate = fine || roll(m, 8) ? DISK_WRITES : roll(m, 2) ? DISK_REFUSES : DISK_FAILS;
    disk_turn(m->w, m->fate);
}

/* Nothing is under way any more. */
static void hear_all(struct model *m)
{
    while (disk_waiting())
        turn(m, false);
    while (agenda_catch_up(m->w->control.agenda) || disk_waiting())     /* a hold that ended while it was being bought */
        while (disk_waiting())
            turn(m, false);
    assert_int_equal(m->w->waiting, 0);
}

static void compare(struct model *m)
{
    hear_all(m);
    compare_model(m);
    compare_store(m);
}

static void restart(struct model *m)
{
    world_restart(m->w);
    hear_all(m);
    m->c->restarts++;
}

/* The observer reads again what became of the requests that nobody answered. */
static void look_again(struct model *m, const struct ask *pending)
{
    for (size_t i = 0; i < lines(m); i++) {
        struct line *l = &m->lines[i];
        const struct number *x;
        enum number_state is = seen(m, i, &x);
        bool alone = true;                  /* no request that may have changed it */
        for (size_t k = 0; k < ASKS; k++)
            alone &= !pending[k].m || (pending[k].subject && pending[k].subject != l->holder && pending[k].subject != m->first + i
                                       && (!x || pending[k].subject != x->holder));
        bool gone = m->own && l->import && !is_own(m, i);
        if (alone || (is == expected(m, l) && !gone))
            continue;
        l->state = is == NUMBER_HELD ? HELD : is == NUMBER_LEASED ? LEASED : is == NUMBER_AVAILABLE ? FREE : RELEASED;
        l->resource = x ? x->lease.resource : 0;
        l->holder = x ? x->holder : 0;
        l->purchased_us = x ? x->lease.purchased_us : 0;
        if (m->own && !is_own(m, i))
            l->import = 0;
        l->until_us = x ? waits_until(x) - (is == NUMBER_QUARANTINE ? QUARANTINE : 0) : 0;
    }
}

/* Ends of holds are their holders' to tell. */
static void learn_holds(struct model *m)
{
    for (size_t i = 0; i < lines(m); i++) {
        struct line *l = &m->lines[i];
        const struct search *s = l->state == HELD ? map_find(m->w->numbers->searches, l->holder) : NULL;
        const struct reservation *r = l->state == HELD ? map_find(m->w->numbers->reservations, l->holder) : NULL;
        if (s || r)
            l->until_us = s ? s->pub.expires_us : r->pub.expires_us;
    }
}

static void pull_the_plug(struct model *m)
{
    struct ask pending[ASKS];
    memcpy(pending, m->asks, sizeof pending);
    disk_crash(m->w, roll(m, disk_waiting() + 1));
    memset(m->asks, 0, sizeof m->asks);
    restart(m);
    look_again(m, pending);
    learn_holds(m);
    m->c->crashes++;
    compare(m);
}

/* -- lists: one at a time, while nothing else is under way -------------------------------------------------------------- */

static void import_id(char id[40], uint64_t i)
{
    snprintf(id, 40, "list-%u", (unsigned)i);
}

/* Neither in the inventory nor, withdrawn from it, still waiting for the end of its quarantine. */
static bool may_come(const struct model *m, size_t i)
{
    return !m->lines[i].import && expected(m, &m->lines[i]) == NUMBER_AVAILABLE;
}

/* What may not come is left out. It may be cut off by a restart, and it may be given up. */
static void import_lines(struct model *m, size_t from, size_t count)
{
    char id[40];
    size_t left_out = 0;
    struct heard h;
    import_id(id, ++m->imports);
    hear_all(m);
    disk.held = false;
    assert_int_equal(import_begin(m->w, id, "sim", &h), ERR_NONE);
    struct import_slice *s = slice_of(1, m->first + from, count);
    assert_int_equal(import_give(m->w, id, s, &h), ERR_NONE);
    import_slice_free(s);
    for (size_t i = from; i < from + count; i++)
        left_out += !may_come(m, i);
    assert_int_equal(h.n_bad, left_out);
    if (!roll(m, 4))
        world_restart(m->w);
    bool kept = roll(m, 4) || m->imports == 1;
    if (kept)                               /* with not one row it has failed */
        assert_int_equal(import_complete(m->w, id, &h), left_out == count ? ERR_CONFLICT : ERR_NONE);
    else
        assert_int_equal(import_roll_back(m->w, id, &h), ERR_NONE);
    for (size_t i = from; i < from + count && kept; i++)
        if (may_come(m, i))
            m->lines[i].import = m->imports;
    disk.held = true;
    m->c->imported += kept;
}

static void a_list(struct model *m)
{
    size_t count = 1 + roll(m, 8);
    import_lines(m, roll(m, OWN - count), count);
}

/* All of it or nothing: while one is in use, nothing. */
static void a_list_is_taken_away(struct model *m)
{
    char id[40];
    struct heard h;
    uint64_t import = 1 + roll(m, m->imports);
    bool used = false;
    import_id(id, import);
    compare(m);
    for (size_t i = 0; i < OWN; i++)
        used |= m->lines[i].import == import && expected(m, &m->lines[i]) != NUMBER_AVAILABLE;
    disk.held = false;
    enum err err = import_roll_back(m->w, id, &h);
    disk.held = true;
    assert_int_equal(err, used ? ERR_CONFLICT : ERR_NONE);
    for (size_t i = 0; i < OWN; i++)
        if (m->lines[i].import == import && !used)
            m->lines[i].import = 0;
    m->c->rolled_back += !used;
}

/* -- a run ---------------------------------------------------------------------------------------------------------- */

static void some_time(struct model *m)
{
    static const int64_t units[] = { US_PER_S, 60 * (int64_t)US_PER_S, 60 * (int64_t)US_PER_S, 3600 * (int64_t)US_PER_S };
    world_sleep(m->w, (int64_t)roll(m, 10) * units[roll(m, ARRAY_LEN(units))]);
    if (!roll(m, 3))
        world_sleep(m->w, (int64_t)roll(m, 40) * DAY);
}

static void some_disk(struct model *m)
{
    bool outage = !roll(m, 12);
    for (size_t n = roll(m, disk_waiting() + 1); n; n--) {
        if (outage)
            disk_turn(m->w, m->fate = DISK_FAILS);
        else
            turn(m, false);
    }
    disk.full = !roll(m, 16);
}

static void some_stock(struct model *m)
{
    uint64_t what = roll(m, 10);
    if (m->own && what < 5)
        a_withdrawal(m);
    else if (m->own && what < 7)
        a_list(m);
    else if (m->own && what < 8)
        a_list_is_taken_away(m);
    else
        compare(m);
}

static void step(struct model *m)
{
    size_t now = 0;
    for (size_t i = 0; i < ASKS; i++)
        now += m->asks[i].m != NULL;
    m->c->most_at_once = now > m->c->most_at_once ? now : m->c->most_at_once;
    if (now > ASKS - 4)
        hear_all(m);
    switch (roll(m, 32)) {
    case 0: case 1: case 2: case 3: case 4: case 5: a_search(m);                    break;
    case 6: case 7: case 8: case 9:                 some_search(m, true);           break;
    case 10:                                        some_search(m, false);          break;
    case 11: case 12: case 13: case 14: case 15:    some_lease(m, true);            break;
    case 16:                                        some_lease(m, false);           break;
    case 17: case 18: case 19:                      a_reservation(m);               break;
    case 20: case 21: case 22:                      some_reservation(m, true);      break;
    case 23:                                        some_reservation(m, false);     break;
    case 24: m->era += !roll(m, 8);                 break;      /* other ids: the old ones are completed or expired */
    case 25: case 26: some_time(m);                 break;
    case 27: case 28: case 29:                      some_disk(m);                   break;
    case 30: some_stock(m);                         break;
    default:
        if (!roll(m, 6))
            pull_the_plug(m);
        else if (!roll(m, 4)) {
            compare(m);
            restart(m);
            compare(m);
        }
    }
}

static void make_the_pool_small(struct model *m)
{
    struct world *w = m->w;
    m->crowd = world_resource(w, "crowd", "payg", "US");
    for (int64_t rest = inventory_pool(307) - LEFT_FREE, n; rest; rest -= n) {
        n = rest < NUMBERS_SEARCH_MOST ? rest : NUMBERS_SEARCH_MOST;
        assert_int_equal(search(w, m->crowd, local_in("307", n)), ERR_NONE);
        const struct number_search *s = numbers_search_find(w->numbers, m->crowd, w->op.subject);
        assert_int_equal(s->count, n);
        for (size_t k = 0; k < s->count; k++)
            hold(m, s->numbers[k], m->crowd, s->key, s->expires_us);
        assert_int_equal(purchase(w, m->crowd, s->key), ERR_NONE);
        for (size_t k = 0; k < s->count; k++)
            lease(m, s->numbers[k], &w->op);
    }
}

static void run(uint64_t seed, bool own, struct counts *c)
{
    struct model *m = calloc(1, sizeof *m);
    printf("SEED=%llu%s%s\n", (unsigned long long)seed, own ? " (own)" : "", disk.forgets ? " (forgets)" : "");
    fflush(stdout);
    disk.held = disk.full = false;
    disk.first = disk.next = 0;
    m->w = world_new();
    log_setup((enum log_level)(LOG_ERROR + 1), LOG_TEXT);       /* failures are what this is about */
    m->random = seed;
    m->c = c;
    m->own = m->w->own_only = own;
    m->first = own ? OWN_FIRST : SIMULATED;
    world_restart(m->w);
    if (own)
        import_lines(m, 0, OWN_AT_FIRST);
    else
        make_the_pool_small(m);
    disk.held = true;
    for (int i = 0; i < ROUNDS; i++)
        step(m);
    disk.full = false;
    compare(m);
    restart(m);
    compare(m);
    disk.held = false;
    world_free(m->w);
    free(m);
}

static void runs(bool own, bool forgets, size_t seeds)
{
    const char *seed = getenv("SEED");
    struct counts c = { 0 };
    disk.forgets = forgets;
    for (uint64_t i = 0; i < (seed ? 1 : seeds); i++)
        run(seed ? strtoull(seed, NULL, 10) : 20201001 + i, own, &c);
    printf("at most %zu at once; held %zu, bought %zu, canceled %zu; reserved %zu, bought %zu, given back %zu; changed %zu, "
           "released %zu; refused %zu (%zu expired), failed %zu; restarted %zu times, %zu of them without warning; withdrawn %zu, lists %zu, taken away %zu\n",
           c.most_at_once, c.held, c.bought, c.canceled, c.reserved, c.reserved_bought, c.unreserved, c.changed, c.released,
           c.refused, c.expired_buys, c.failed, c.restarts, c.crashes, c.withdrawn, c.imported, c.rolled_back);
    assert_true(seed || (c.held > 80 && c.bought > 10 && c.canceled > 1 && c.released > 60 && c.changed > 10));
    assert_true(seed || (c.reserved > 30 && (c.reserved_bought || own) && c.unreserved && c.expired_buys > 5 && c.failed > 50));
    assert_true(seed || (c.crashes > 5 && c.restarts > c.crashes + 3 && c.most_at_once > 8));
    assert_true(seed || !own || (c.withdrawn && c.imported > 3 && c.rolled_back));
}

static void no_number_ever_has_two_owners_and_none_is_lost(void **state)
{
    (void)state;
    runs(false, false, 2);
}

static void nor_when_the_disk_loses_what_nobody_waits_for(void **state)
{
    (void)state;
    runs(false, true, 2);
}

static void nor_of_the_operators_own_while_lists_come_and_go(void **state)
{
    (void)state;
    runs(true, false, 2);
    runs(true, true, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_number_ever_has_two_owners_and_none_is_lost),
        cmocka_unit_test(nor_when_the_disk_loses_what_nobody_waits_for),
        cmocka_unit_test(nor_of_the_operators_own_while_lists_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
