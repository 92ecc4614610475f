/* blocks.h - numbers in memory, by thousands: of which lot each one is, which are offered, who has which.
 *
 * Thread: control (each object: its owner's). Two bytes and a bit a number where a thousand is mostly there, four where it
 * is not; eight more for one that somebody has. A lot is what numbers have in common; its kind is what a search asks for.
 * For each kind and area (ten million numbers: a North American area code) the thousands that still offer something are
 * known, so looking for one is the same work in a small inventory and a large one, in a full and an exhausted one. */
#pragma once
#include "base/base.h"

struct blocks;
enum { BLOCKS_LOTS_MOST = 65535, BLOCKS_KINDS_MOST = 65535, BLOCKS_AREA = 10000000 };

MUST_USE struct blocks *blocks_new(void);
void blocks_free(struct blocks *b);
SCOPED_FREE(blocks)

/** A new lot, counted from 1. @param kind  0..BLOCKS_KINDS_MOST - 1  @return ERR_SIZE (no more lots), ERR_NOMEM */
MUST_USE enum err blocks_lot_new(struct blocks *b, unsigned kind, unsigned *lot);

/** The newest lot goes; no number may be of it. Its number is given again. */
void blocks_lot_drop(struct blocks *b);

/* -- which lot: a number that was put is not offered yet ------------------------------------------------------------ */
/** @return ERR_CONFLICT (it is there), ERR_NOMEM */
MUST_USE enum err blocks_put(struct blocks *b, uint64_t digits, unsigned lot);
/** @return its lot; 0: it was not there */
unsigned blocks_take(struct blocks *b, uint64_t digits);
unsigned blocks_lot(const struct blocks *b, uint64_t digits);           /* 0: none */

/* -- who has it ----------------------------------------------------------------------------------------------------- */
/** @param who  not NULL; nobody has it  @return ERR_NOMEM */
MUST_USE enum err blocks_give(struct blocks *b, uint64_t digits, void *who);
void blocks_free_one(struct blocks *b, uint64_t digits);
void *blocks_who(const struct blocks *b, uint64_t digits);              /* NULL: nobody */

/* -- what is offered: this never needs memory ----------------------------------------------------------------------- */
void blocks_offer(struct blocks *b, uint64_t digits, bool on);          /* one that has no lot is passed over */
bool blocks_offers(const struct blocks *b, uint64_t digits);
size_t blocks_offered(const struct blocks *b, unsigned kind);           /* how many of a kind */
/** The least offered number of a kind from `from` to `to`, both included; 0: none. */
uint64_t blocks_next(const struct blocks *b, unsigned kind, uint64_t from, uint64_t to);
/** Where to begin looking, so that two who look do not meet: in an area that offers some. 0: nothing from..to is offered */
uint64_t blocks_start(const struct blocks *b, unsigned kind, uint64_t from, uint64_t to, uint64_t random);

/* -- all of them, by rising number ---------------------------------------------------------------------------------- */
struct blocks_number {
    uint64_t digits;
    unsigned lot;                       /* 0: none */
    bool     offered;
    void    *who;
};
struct leaf;
struct blocks_cursor {
    uint64_t           from, to;        /* both included; `from` moves */
    bool               given;           /* only those that somebody has */
    const struct leaf *leaf;            /* NULL at first */
};
/** The next number that has a lot or somebody. Nothing is put, taken, given or freed meanwhile. False: that was all. */
bool blocks_walk(const struct blocks *b, struct blocks_cursor *at, struct blocks_number *out);

/** Show fn each number of the lots from..to, which it may offer or take away.
 *  @param at      where to begin, from 0; moved behind what was looked at
 *  @param budget  stop after about so much work: one for a number shown, about one for a thousand passed over
 *  @return false: that was all */
typedef void blocks_fn(void *arg, const struct blocks_number *x);
bool blocks_sweep(struct blocks *b, uint64_t *at, unsigned lot_from, unsigned lot_to, size_t budget, blocks_fn *fn, void *arg);

struct blocks_size { size_t numbers, given, thousands, octets; };       /* octets: about, without the allocator's own */
struct blocks_size blocks_size(const struct blocks *b);
