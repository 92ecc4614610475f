/* world.h - a control thread without a thread: real store in memory, a clock that stands still, accounts, numbers. */
#pragma once
#include "base/log.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/accounts/accounts.h"
#include "domain/numbers/numbers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const int64_t SECOND = US_PER_S, MINUTE = 60 * (int64_t)US_PER_S, DAY = 24 * 3600 * (int64_t)US_PER_S;
static const int64_t START_US = 1606780800 * (int64_t)US_PER_S;        /* 2020-12-01T00:00:00Z */

static const char *world_edition __attribute__((unused)) = "2020-10";     /* of the worlds made from now on */

struct world {
    struct control   control;
    struct accounts *accounts;
    struct numbers  *numbers;
    uint64_t         us;                /* resources: paid and billed in the US ... */
    uint64_t         other;             /* ... another such one */
    uint64_t         trial, canadian;
    int64_t          now_us;
    bool             own_only;          /* no simulated inventory */
    size_t           waiting;           /* outcomes not yet told */
    /* the last outcome */
    enum err                err;
    struct number_operation op;
    struct problem          why;
};

static inline void world_hears_nothing(void *arg, const struct resource *r)
{
    (void)arg;
    (void)r;
}

static inline void world_pump(struct world *w)
{
    for (int i = 0; w->waiting && i < 1000; i++) {
        inbox_wait(control_inbox(&w->control), 100);
        inbox_drain(control_inbox(&w->control));
    }
    assert_int_equal(w->waiting, 0);
}

static inline void world_on_account(void *arg, enum err err)
{
    struct world *w = arg;
    w->err = err;
    w->waiting--;
}

static inline void world_done(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    struct world *w = arg;
    w->err = err;
    if (op)
        w->op = *op;
    if (why)
        w->why = *why;
    w->waiting--;
}

static inline uint64_t world_resource(struct world *w, const char *name, const char *offer, const char *country)
{
    const struct resource *r = accounts_resource_named(w->accounts, str_of(name));
    if (r)
        return r->key;
    struct problem why = { 0 };
    w->waiting++;
    assert_int_equal(accounts_subscribe(w->accounts, str_of(name), str_of(offer), str_of(country), world_on_account, w,
                                        &why), ERR_NONE);
    world_pump(w);
    w->waiting++;
    assert_int_equal(accounts_add_resource(w->accounts, str_of(name), str_of(name), world_on_account, w, &why), ERR_NONE);
    world_pump(w);
    assert_int_equal(w->err, ERR_NONE);
    return accounts_resource_named(w->accounts, str_of(name))->key;
}

static inline struct numbers *world_numbers(struct world *w)
{
    struct numbers *n = NULL;
    struct problem why = { 0 };
    assert_int_equal(numbers_new(&n, &w->control, w->accounts,
                                 &(struct numbers_conf){ .edition = world_edition, .seed = 7, .simulator = !w->own_only }, &why),
                     ERR_NONE);
    assert_int_equal(numbers_load(n, &why), ERR_NONE);
    return n;
}

/* As after a restart: what was in memory is gone, what is in the store is read. */
static inline void world_restart(struct world *w)
{
    numbers_free(w->numbers);
    w->numbers = world_numbers(w);
    agenda_catch_up(w->control.agenda);
}

static inline void world_sleep(struct world *w, int64_t us)
{
    w->now_us += us;
    clock_freeze(w->control.clock, w->now_us);
    agenda_catch_up(w->control.agenda);
}

/** @param path  of the database file; NULL: in memory. One that exists goes on where it was. */
static inline struct world *world_new_at(const char *path)
{
    static const uint8_t id_key[ID_KEY_OCTETS] = { 9 };
    struct world *w = calloc(1, sizeof *w);
    struct problem why = { 0 };
    log_setup(LOG_ERROR, LOG_TEXT);     /* and a line that cannot be written is no error */
    w->now_us = START_US;
    w->control.clock = clock_new(0);
    clock_freeze(w->control.clock, w->now_us);
    w->control.ids = ids_new(id_key, 1);
    assert_int_equal(loop_new(&w->control.loop, "control", 100000, w), ERR_NONE);
    assert_int_equal(agenda_new(&w->control.agenda, NULL, w->control.clock), ERR_NONE);
    if (db_open(&w->control.db, &(struct db_conf){ .path = path, .readers = 1, .bound = 100000 }, &why))
        fail_msg("%s", why.text);
    assert_int_equal(accounts_new(&w->accounts, &w->control, (struct accounts_listener){ world_hears_nothing, NULL }),
                     ERR_NONE);
    assert_int_equal(accounts_load(w->accounts, &why), ERR_NONE);
    w->us = world_resource(w, "us", "payg", "US");
    w->other = world_resource(w, "other", "ea", "US");
    w->trial = world_resource(w, "trial", "trial", "US");
    w->canadian = world_resource(w, "canadian", "payg", "CA");
    w->numbers = world_numbers(w);
    return w;
}

static inline struct world *world_new(void)
{
    return world_new_at(NULL);
}

static inline void world_free(struct world *w)
{
    db_close(w->control.db);            /* its last answers wait in the inbox and are dropped with it */
    numbers_free(w->numbers);
    accounts_free(w->accounts);
    loop_free(w->control.loop);
    agenda_free(w->control.agenda);
    clock_free(w->control.clock);
    ids_free(w->control.ids);
    free(w);
}

static inline int world_set_up(void **state)
{
    *state = world_new();
    return 0;
}

static inline int world_tear_down(void **state)
{
    world_free(*state);
    return 0;
}

/* -- one step each; what is refused at once leaves `why` ---------------------------------------------------------------- */

static inline struct number_search_new local_in(const char *area_code, int64_t quantity)
{
    return (struct number_search_new){ .country = STR("US"), .type = NUMBER_GEOGRAPHIC, .assignment = ASSIGNED_PERSON,
                                       .calling = CAP_BOTH, .sms = CAP_NONE, .area_code = str_of(area_code),
                                       .quantity = quantity };
}

static inline struct number_search_new toll_free_in(const char *area_code, int64_t quantity)
{
    return (struct number_search_new){ .country = STR("US"), .type = NUMBER_TOLL_FREE,
                                       .assignment = ASSIGNED_APPLICATION, .calling = CAP_NONE, .sms = CAP_BOTH,
                                       .area_code = str_of(area_code), .quantity = quantity };
}

static inline enum err settle(struct world *w, enum err err)
{
    if (err) {
        w->waiting--;
        return err;
    }
    world_pump(w);
    return w->err;
}

static inline enum err search(struct world *w, uint64_t resource, struct number_search_new rq)
{
    w->why = (struct problem){ 0 };
    w->waiting++;
    return settle(w, numbers_search(w->numbers, resource, &rq, world_done, w, &w->why));
}

static inline enum err purchase(struct world *w, uint64_t resource, uint64_t key)
{
    w->why = (struct problem){ 0 };
    w->waiting++;
    return settle(w, numbers_purchase(w->numbers, resource, key, false, world_done, w, &w->why));
}

static inline enum err release(struct world *w, uint64_t resource, uint64_t digits)
{
    char text[E164_SIZE];
    w->why = (struct problem){ 0 };
    w->waiting++;
    return settle(w, numbers_release(w->numbers, resource, str_of(e164_write(text, digits)), world_done, w, &w->why));
}

static inline enum err change(struct world *w, uint64_t resource, uint64_t digits, const enum capability *calling,
                              const enum capability *sms)
{
    char text[E164_SIZE];
    w->why = (struct problem){ 0 };
    w->waiting++;
    return settle(w, numbers_change(w->numbers, resource, str_of(e164_write(text, digits)), calling, sms, world_done, w,
                                    &w->why));
}

static inline const struct lease *leased(struct world *w, uint64_t digits)
{
    char text[E164_SIZE];
    return numbers_lease(w->numbers, str_of(e164_write(text, digits)));
}

/* Found, bought: the first of them. */
static inline uint64_t lease_one(struct world *w, uint64_t resource, struct number_search_new rq)
{
    if (search(w, resource, rq))
        fail_msg("search: %s %s", w->why.rule, w->why.text);
    uint64_t key = w->op.subject, digits = numbers_search_find(w->numbers, resource, key)->numbers[0];
    if (purchase(w, resource, key))
        fail_msg("purchase: %s %s", w->why.rule, w->why.text);
    return digits;
}
