/* number.c - one number that is not simply available: found, made, counted, let go. */
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/numbers_priv.h"

METRIC_GAUGE(touched, "carterfone_numbers_touched", "Numbers that are held, leased, released or in quarantine");

struct number *number_find(const struct numbers *n, uint64_t digits)
{
    return blocks_who(n->blocks, digits);
}

bool number_is_simulated(const struct number *x)
{
    return inventory_has(x->lease.number) && !blocks_lot(x->n->blocks, x->lease.number);
}

/* -- what is counted ------------------------------------------------------------------------------------------------ */

static struct pool *pool_of(struct numbers *n, uint64_t digits)
{
    struct inventory_area a;
    return inventory_area_of(digits, &a) ? &n->pools[a.id] : NULL;
}

/* A pool of the simulated inventory that is all touched need not be walked, one without quarantine neither. */
void number_moved(struct number *x, enum number_state from)
{
    own_moved(x, from);
    if (from == x->state || (from != NUMBER_QUARANTINE && x->state != NUMBER_QUARANTINE) || !number_is_simulated(x))
        return;
    struct pool *p = pool_of(x->n, x->lease.number);
    p->quarantined += x->state == NUMBER_QUARANTINE;
    p->quarantined -= from == NUMBER_QUARANTINE;
}

static void pool_count(struct number *x, int by)
{
    if (number_is_simulated(x))
        pool_of(x->n, x->lease.number)->touched += (uint32_t)by;
}

/* -- making and letting go ------------------------------------------------------------------------------------------ */

struct number *number_touch(struct numbers *n, uint64_t digits)
{
    struct number *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    *x = (struct number){ .lease.number = digits, .n = n, .state = NUMBER_AVAILABLE };
    if (blocks_give(n->blocks, digits, x)) {
        free(x);
        return NULL;
    }
    pool_count(x, 1);
    blocks_offer(n->blocks, digits, false);
    metric_add(&touched, 1);
    return x;
}

static void number_free(struct number *x)
{
    number_stop_waiting(x);
    free(x);
}

void number_drop(struct number *x)
{
    struct numbers *n = x->n;
    const struct lot *l = lot_of(n, x->lease.number);
    pool_count(x, -1);
    metric_add(&touched, -1);
    blocks_free_one(n->blocks, x->lease.number);
    if (l && l->import->pub.state == IMPORT_COMPLETE && !map_find(n->withdrawing, x->lease.number))
        blocks_offer(n->blocks, x->lease.number, true);
    number_free(x);
}

void numbers_free_all(struct numbers *n)
{
    struct blocks_number at;
    for (struct blocks_cursor c = { .to = UINT64_MAX, .given = true }; n->blocks && blocks_walk(n->blocks, &c, &at);)
        number_free(at.who);
    blocks_free(n->blocks);
    struct str name;
    void *text;
    for (size_t at_name = 0; n->carriers && strmap_next(n->carriers, &at_name, &name, &text);)
        free(text);
    strmap_free(n->carriers);
}

const char *number_carrier(struct numbers *n, struct str name)
{
    char *text = strmap_find(n->carriers, name);
    if (text)
        return text;
    text = strndup(name.n ? name.p : "", name.n);
    if (text && !strmap_put(n->carriers, name, text))
        return text;
    free(text);
    return NULL;
}

/* -- time ----------------------------------------------------------------------------------------------------------- */

static void on_number_due(void *arg, int64_t due_us)
{
    (void)due_us;
    number_feed(arg, NUMBER_EV_DUE);
}

enum err number_wait(struct number *x, int64_t until_us)
{
    if (!x->wait && !(x->wait = calloc(1, sizeof *x->wait)))
        return ERR_NOMEM;
    x->wait->until_us = until_us;
    return agenda_set(x->n->control->agenda, &x->wait->due, until_us, on_number_due, x);
}

void number_stop_waiting(struct number *x)
{
    if (!x->wait)
        return;
    agenda_clear(x->n->control->agenda, &x->wait->due);
    free(x->wait);
    x->wait = NULL;
}
