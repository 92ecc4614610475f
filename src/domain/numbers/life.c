#include "domain/numbers/life.h"
#include "base/log.h"
#include "base/metric.h"
#include "domain/numbers/numbers_priv.h"

METRIC_COUNTER(refused, "carterfone_numbers_impossible_total", "Pairs of state and event that cannot be, and were");

typedef void act_fn(struct number *x);

static void stay(struct number *x)
{
    (void)x;
}

static void refuse(struct number *x)
{
    (void)x;
    metric_add(&refused, 1);
    log_error("numbers", "an impossible event came to a number");
}

/* Available is no row and no memory. */
static void drop(struct number *x)
{
    number_drop(x);
}

/* Out of quarantine early (the simulated inventory had nothing else left), or not released after all. */
static void stop_waiting(struct number *x)
{
    number_stop_waiting(x);
}

/* As well, but its hold may not be stored: then the quarantine goes on. */
static void pause_waiting(struct number *x)
{
    agenda_clear(x->n->control->agenda, &x->wait->due);
}

static void take_effect(struct number *x)
{
    x->lease.calling = x->calling;
    x->lease.sms = x->sms;
}

static void go_on_waiting(struct number *x)
{
    if (number_wait(x, x->wait ? x->wait->until_us : numbers_now(x->n)))
        log_error("numbers", "no memory for a timer: a released number comes back at the next start");
}

static void begin_quarantine(struct number *x)
{
    x->wait->until_us += NUMBERS_QUARANTINE_DAYS * (int64_t)24 * 3600 * US_PER_S;
    struct db_unit *u = db_unit_new();
    number_row_quarantine(u, x->lease.number, x->wait->until_us);
    number_audit_row(x->n, u, x->lease.number, AUDIT_QUARANTINED, x->lease.resource, NULL);
    numbers_post_quietly(x->n, u);
    go_on_waiting(x);
}

static void end_quarantine(struct number *x)
{
    struct db_unit *u = db_unit_new();
    number_row_forget(u, x->lease.number, x->wait->until_us);
    number_audit_row(x->n, u, x->lease.number, AUDIT_FREED, x->lease.resource, NULL);
    numbers_post_quietly(x->n, u);
    number_drop(x);
}

#define RULES(R)                /* in state, on event, do, then be */                                                 \
    R(AVAILABLE,  HOLD,    stay,             HOLDING)     R(AVAILABLE,  BUY,     refuse,          AVAILABLE)          \
    R(AVAILABLE,  CHANGE,  refuse,           AVAILABLE)   R(AVAILABLE,  RELEASE, refuse,          AVAILABLE)          \
    R(AVAILABLE,  DONE,    refuse,           AVAILABLE)   R(AVAILABLE,  UNDONE,  refuse,          AVAILABLE)          \
    R(AVAILABLE,  DUE,     refuse,           AVAILABLE)   R(AVAILABLE,  CANCEL,  refuse,          AVAILABLE)          \
    R(HOLDING,    HOLD,    refuse,           HOLDING)     R(HOLDING,    BUY,     refuse,          HOLDING)            \
    R(HOLDING,    CHANGE,  refuse,           HOLDING)     R(HOLDING,    RELEASE, refuse,          HOLDING)            \
    R(HOLDING,    DONE,    stay,             HELD)        R(HOLDING,    UNDONE,  drop,            AVAILABLE)          \
    R(HOLDING,    DUE,     refuse,           HOLDING)     R(HOLDING,    CANCEL,  refuse,          HOLDING)            \
    R(RETAKING,   HOLD,    refuse,           RETAKING)    R(RETAKING,   BUY,     refuse,          RETAKING)           \
    R(RETAKING,   CHANGE,  refuse,           RETAKING)    R(RETAKING,   RELEASE, refuse,          RETAKING)           \
    R(RETAKING,   DONE,    stop_waiting,     HELD)        R(RETAKING,   UNDONE,  go_on_waiting,   QUARANTINE)         \
    R(RETAKING,   DUE,     refuse,           RETAKING)    R(RETAKING,   CANCEL,  refuse,          RETAKING)           \
    R(HELD,       HOLD,    refuse,           HELD)        R(HELD,       BUY,     stay,            BUYING)             \
    R(HELD,       CHANGE,  refuse,           HELD)        R(HELD,       RELEASE, refuse,          HELD)               \
    R(HELD,       DONE,    refuse,           HELD)        R(HELD,       UNDONE,  refuse,          HELD)               \
    R(HELD,       DUE,     drop,             AVAILABLE)   R(HELD,       CANCEL,  drop,            AVAILABLE)          \
    R(BUYING,     HOLD,    refuse,           BUYING)      R(BUYING,     BUY,     refuse,          BUYING)             \
    R(BUYING,     CHANGE,  refuse,           BUYING)      R(BUYING,     RELEASE, refuse,          BUYING)             \
    R(BUYING,     DONE,    stay,             LEASED)      R(BUYING,     UNDONE,  stay,            HELD)               \
    R(BUYING,     DUE,     stay,             BUYING)      R(BUYING,     CANCEL,  refuse,          BUYING)             \
    R(LEASED,     HOLD,    refuse,           LEASED)      R(LEASED,     BUY,     refuse,          LEASED)             \
    R(LEASED,     CHANGE,  stay,             CHANGING)    R(LEASED,     RELEASE, stay,            RELEASING)          \
    R(LEASED,     DONE,    refuse,           LEASED)      R(LEASED,     UNDONE,  refuse,          LEASED)             \
    R(LEASED,     DUE,     refuse,           LEASED)      R(LEASED,     CANCEL,  refuse,          LEASED)             \
    R(CHANGING,   HOLD,    refuse,           CHANGING)    R(CHANGING,   BUY,     refuse,          CHANGING)           \
    R(CHANGING,   CHANGE,  refuse,           CHANGING)    R(CHANGING,   RELEASE, refuse,          CHANGING)           \
    R(CHANGING,   DONE,    take_effect,      LEASED)      R(CHANGING,   UNDONE,  stay,            LEASED)             \
    R(CHANGING,   DUE,     refuse,           CHANGING)    R(CHANGING,   CANCEL,  refuse,          CHANGING)           \
    R(RELEASING,  HOLD,    refuse,           RELEASING)   R(RELEASING,  BUY,     refuse,          RELEASING)          \
    R(RELEASING,  CHANGE,  refuse,           RELEASING)   R(RELEASING,  RELEASE, refuse,          RELEASING)          \
    R(RELEASING,  DONE,    go_on_waiting,    RELEASED)    R(RELEASING,  UNDONE,  stop_waiting,    LEASED)             \
    R(RELEASING,  DUE,     stay,             RELEASING)   R(RELEASING,  CANCEL,  refuse,          RELEASING)          \
    R(RELEASED,   HOLD,    refuse,           RELEASED)    R(RELEASED,   BUY,     refuse,          RELEASED)           \
    R(RELEASED,   CHANGE,  refuse,           RELEASED)    R(RELEASED,   RELEASE, refuse,          RELEASED)           \
    R(RELEASED,   DONE,    refuse,           RELEASED)    R(RELEASED,   UNDONE,  refuse,          RELEASED)           \
    R(RELEASED,   DUE,     begin_quarantine, QUARANTINE)  R(RELEASED,   CANCEL,  refuse,          RELEASED)           \
    R(QUARANTINE, HOLD,    pause_waiting,    RETAKING)    R(QUARANTINE, BUY,     refuse,          QUARANTINE)         \
    R(QUARANTINE, CHANGE,  refuse,           QUARANTINE)  R(QUARANTINE, RELEASE, refuse,          QUARANTINE)         \
    R(QUARANTINE, DONE,    refuse,           QUARANTINE)  R(QUARANTINE, UNDONE,  refuse,          QUARANTINE)         \
    R(QUARANTINE, DUE,     end_quarantine,   AVAILABLE)   R(QUARANTINE, CANCEL,  refuse,          QUARANTINE)
#define R_CELL(in, on, act, to) [NUMBER_##in][NUMBER_EV_##on] = { act, NUMBER_##to },
#define R_ONE(in, on, act, to)  + 1

static const struct {
    act_fn           *act;
    enum number_state to;
} rules[NUMBER_STATE_COUNT][NUMBER_EVENT_COUNT] = { RULES(R_CELL) };
static_assert(0 RULES(R_ONE) == NUMBER_STATE_COUNT * NUMBER_EVENT_COUNT, "a state does not answer every event");

void number_feed(struct number *x, enum number_event ev)
{
    act_fn *act = rules[x->state][ev].act;
    enum number_state from = x->state;
    x->state = rules[from][ev].to;
    number_moved(x, from);
    act(x);                     /* last: x may be gone behind it */
}

bool number_rule(enum number_state in, enum number_event on, enum number_state *to)
{
    *to = rules[in][on].to;
    return rules[in][on].act != refuse;
}

const char *number_state_word(enum number_state state)
{
#define STATE_WORD(name) [NUMBER_##name] = #name,
    static const char *const words[] = { NUMBER_STATES(STATE_WORD) };
#undef STATE_WORD
    return words[state];
}
