/* lots.c - the operator's numbers: of which lot each one is, what of it is in use. */
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/numbers_priv.h"

/* -- sorts and lots ------------------------------------------------------------------------------------------------- */

static enum err sort_find(struct numbers *n, const struct sort *sort, unsigned *out)
{
    for (*out = 0; *out < n->n_sorts; ++*out) {
        const struct sort *s = &n->sorts[*out];
        if (!strcmp(s->country, sort->country) && s->type == sort->type && s->calling == sort->calling && s->sms == sort->sms)
            return ERR_NONE;
    }
    struct sort *more = realloc(n->sorts, (n->n_sorts + 1) * sizeof *more);
    if (!more)
        return ERR_NOMEM;
    n->sorts = more;
    n->sorts[n->n_sorts++] = *sort;
    return ERR_NONE;
}

static void lot_free(struct lot *l)
{
    if (!l)
        return;
    free((void *)(uintptr_t)l->tags);
    free(l);
}

static enum err lots_room(struct numbers *n)
{
    if (n->n_lots + 1 < n->cap_lots)
        return ERR_NONE;
    size_t cap = n->cap_lots ? n->cap_lots * 2 : 64;
    struct lot **more = realloc(n->lots, cap * sizeof(struct lot *));
    if (!more)
        return ERR_NOMEM;
    n->lots = more;
    n->cap_lots = cap;
    n->lots[0] = NULL;
    return ERR_NONE;
}

enum err lot_make(struct numbers *n, const struct lot *like, const struct sort *sort, unsigned *out)
{
    unsigned kind;
    if (lots_room(n) || sort_find(n, sort, &kind))
        return ERR_NOMEM;
    struct lot *l = malloc(sizeof *l);
    size_t n_tags = strlen(like->tags) + 1;
    char *tags = malloc(n_tags);
    enum err err = l && tags ? blocks_lot_new(n->blocks, kind, out) : ERR_NOMEM;
    if (err) {
        free(tags);
        free(l);
        return err;
    }
    *l = *like;
    l->sort = (uint16_t)kind;
    l->tags = memcpy(tags, like->tags, n_tags);
    n->lots[*out] = l;
    n->n_lots = *out;
    struct import *im = l->import;
    im->lot_from = im->lot_to ? im->lot_from : *out;
    im->lot_to = *out;
    return ERR_NONE;
}

void lots_give_back(struct numbers *n)
{
    for (struct lot *l; n->n_lots && (l = n->lots[n->n_lots]); n->n_lots--) {
        struct import *im = l->import;
        if (!import_has_nothing(im->pub.state) || im->pub.busy || l->total)
            return;
        im->lot_to = n->n_lots > im->lot_from ? (unsigned)n->n_lots - 1 : 0;
        im->lot_from = im->lot_to ? im->lot_from : 0;
        lot_free(l);
        blocks_lot_drop(n->blocks);
    }
}

void lots_free(struct numbers *n)
{
    for (size_t i = 1; i <= n->n_lots; i++)
        lot_free(n->lots[i]);
    free(n->lots);
    free(n->sorts);
}

struct lot *lot_of(const struct numbers *n, uint64_t digits)
{
    unsigned lot = blocks_lot(n->blocks, digits);
    return lot ? n->lots[lot] : NULL;
}

/* -- numbers -------------------------------------------------------------------------------------------------------- */

enum stock_state stock_state_of(enum number_state state)
{
    switch (state) {
    case NUMBER_AVAILABLE:   return STOCK_AVAILABLE;
    case NUMBER_HOLDING:
    case NUMBER_RETAKING:
    case NUMBER_HELD:
    case NUMBER_BUYING:      return STOCK_HELD;
    case NUMBER_LEASED:
    case NUMBER_CHANGING:
    case NUMBER_RELEASING:   return STOCK_LEASED;
    case NUMBER_RELEASED:    return STOCK_RELEASED;
    case NUMBER_QUARANTINE:  return STOCK_QUARANTINE;
    case NUMBER_STATE_COUNT: break;
    }
    return STOCK_AVAILABLE;
}

static void count(struct lot *l, enum stock_state state, int by)
{
    if (state != STOCK_AVAILABLE)
        l->used[state] += (uint32_t)by;
}

void own_moved(struct number *x, enum number_state from)
{
    enum stock_state was = stock_state_of(from), is = stock_state_of(x->state);
    struct lot *l = was == is ? NULL : lot_of(x->n, x->lease.number);
    if (!l)
        return;
    count(l, was, -1);
    count(l, is, 1);
}

/* A number of the simulated inventory that comes in as the operator's own is not offered as a simulated one. */
static struct pool *shadowed(struct numbers *n, uint64_t digits)
{
    struct nanp_number na;
    return inventory_has(digits) && nanp_read(digits, &na) ? &n->pools[na.npa] : NULL;
}

enum err own_put(struct numbers *n, uint64_t digits, unsigned lot)
{
    enum err err = blocks_put(n->blocks, digits, lot);
    if (err)
        return err;
    n->lots[lot]->total++;
    struct pool *p = shadowed(n, digits);
    if (p && !blocks_who(n->blocks, digits))
        p->touched++;
    return ERR_NONE;
}

void own_take(struct numbers *n, uint64_t digits)
{
    unsigned lot = blocks_take(n->blocks, digits);
    if (!lot)
        return;
    const struct number *x = number_find(n, digits);
    struct pool *p = shadowed(n, digits);
    n->lots[lot]->total--;
    if (x)
        count(n->lots[lot], stock_state_of(x->state), -1);
    if (p && !x)
        p->touched--;
    if (p && x && x->state == NUMBER_QUARANTINE)
        p->quarantined++;
}

bool own_is_available(const struct numbers *n, uint64_t digits)
{
    return blocks_offers(n->blocks, digits) && !lot_of(n, digits)->import->closing;
}

bool sort_offers(const struct sort *s, const char *country, enum number_type type, enum capability calling,
                 enum capability sms)
{
    return s->type == type && !strcmp(s->country, country) && !(calling & ~s->calling) && !(sms & ~s->sms);
}

void lease_origin(const struct numbers *n, struct lease *l)
{
    const struct lot *lot = lot_of(n, l->number);
    l->carrier = lot ? lot->carrier : "sim";
    l->simulated = lot ? lot->simulated : true;
}

size_t numbers_of_carrier(const struct numbers *n, struct str carrier)
{
    size_t count = 0;
    for (size_t i = 1; i <= n->n_lots; i++)
        if (n->lots[i] && str_eqz(carrier, n->lots[i]->carrier))
            count += n->lots[i]->total;
    return count;
}
