/* life.h - the life of one number, as a total table: available, held, leased, released, in quarantine.
 *
 * Thread: control. States ending in -ING wait for a unit's commit: nobody else may take such a number.
 * RETAKING is HOLDING out of quarantine: when that cannot be stored, the quarantine goes on. */
#pragma once
#include "base/base.h"

struct number;

#define NUMBER_STATES(S) \
    S(AVAILABLE) S(HOLDING) S(RETAKING) S(HELD) S(BUYING) S(LEASED) S(CHANGING) S(RELEASING) S(RELEASED) S(QUARANTINE)
#define NUMBER_EVENTS(E)                                                                              \
    E(HOLD)         /* a search or a reservation picked it */                                         \
    E(BUY)          /* its hold is being purchased */                                                 \
    E(CHANGE)       /* its capabilities are being changed */                                          \
    E(RELEASE)      /* it is being given back */                                                      \
    E(DONE)         /* the unit that it waits for committed */                                        \
    E(UNDONE)       /* ... or could not */                                                            \
    E(DUE)          /* the time of its state is over: hold, billing cycle, quarantine */              \
    E(CANCEL)       /* its hold was given back */

#define STATE_ENUM(name) NUMBER_##name,
enum SMALL number_state { NUMBER_STATES(STATE_ENUM) NUMBER_STATE_COUNT };
#undef STATE_ENUM
#define EVENT_ENUM(name) NUMBER_EV_##name,
enum number_event { NUMBER_EVENTS(EVENT_ENUM) NUMBER_EVENT_COUNT };
#undef EVENT_ENUM

const char *number_state_word(enum number_state state);

/** The only place where a number's state changes. The number may be gone afterwards (state AVAILABLE is no row). */
void number_feed(struct number *x, enum number_event ev);

/** What the table says, for tests and docs. @return false: such a pair is impossible (refused, counted) */
bool number_rule(enum number_state in, enum number_event on, enum number_state *to);
