/* lanes.h - what waits for one subscription: keys alone, in lanes whose order is kept.
 *
 * A lane is a subject (or a call's callback address) by its 64-bit hash; two that meet in one hash only wait for each other.
 * One run of a lane's first keys is in hand at a time, so first tries leave in order. Every key costs 32 octets and every
 * lane that is not empty about a hundred; what is to be sent is read from its row when its turn comes. Thread: control. */
#pragma once
#include "base/map.h"
#include "domain/agenda.h"

/* One delivery that waits. */
struct place {
    struct place *next;
    uint64_t      key;
    uint8_t       tries;
    bool          alone;            /* never with others in one POST */
};

struct lane {
    struct place *head, **tail;
    struct lane  *next;             /* among the ready */
    uint64_t      name;
    uint32_t      in_hand;          /* so many of the first are being sent */
    bool          ready;
    struct lane_rest *rest;         /* it waits for a time; NULL: it does not */
};

/* A lane whose first try failed. */
struct lane_rest {
    struct agenda_entry until;
    struct lane        *lane;
    void               *owner;      /* the asker's */
};

struct lanes {
    struct map  *by_name;
    struct lane *ready, **ready_tail;
    size_t       count;             /* keys, in hand or not */
};

MUST_USE enum err lanes_init(struct lanes *l);
/** @param forget  told every key that still waits; NULL: nobody */
void lanes_done(struct lanes *l, struct agenda *agenda, void (*forget)(void *arg, uint64_t key), void *arg);
/** Append a key. @param out  its lane @return ERR_NOMEM */
MUST_USE enum err lanes_add(struct lanes *l, uint64_t lane, const struct place *place, struct lane **out);
/** The next lane that may be sent from, with its first keys; NULL: none. It is the taker's until lanes_back().
 *  @param most  keys  @param n  how many were taken: from lane->head on. One that goes alone is taken by itself */
struct lane *lanes_take(struct lanes *l, uint32_t most, uint32_t *n);
/** Like lanes_take(), but only when the first key does not go alone: to fill a POST. */
struct lane *lanes_take_more(struct lanes *l, uint32_t most, uint32_t *n);
/** Of what was taken only the first `keep` are in hand; with 0 the lane is the first that may be sent from again. */
void lanes_keep(struct lanes *l, struct lane *lane, uint32_t keep);
/** Take a key that is in hand out of its lane. */
void lanes_remove(struct lanes *l, struct lane *lane, uint64_t key);
struct place *lanes_find(struct lane *lane, uint64_t key);     /* among those in hand */
/** The taker has ended: nothing of the lane is in hand. An empty one goes; NULL then. It is not ready unless lanes_wake(). */
struct lane *lanes_back(struct lanes *l, struct lane *lane);
/** It may be sent from, unless it rests, is in hand or is ready already. */
void lanes_wake(struct lanes *l, struct lane *lane);
/** Rest until that product time; `fn` is told then, with the struct lane_rest, and calls lanes_rested(). No memory: no rest. */
void lanes_rest(struct lanes *l, struct lane *lane, struct agenda *agenda, int64_t until_us, agenda_fn *fn, void *owner);
void lanes_rested(struct lanes *l, struct lane *lane);
