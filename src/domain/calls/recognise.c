#include "domain/calls/recognise.h"

#define STATES(S)  S(PROMPTING) S(LISTENING) S(COLLECTING) S(OVER)
#define EVENTS(E)                                                                                   \
    E(PROMPTED) E(UNPROMPTED) E(TONE) E(LAST_TONE) E(STOP_TONE) E(TIME) E(CANCEL)
#define RULES(R)                            /* in state, on event, do, then be */                   \
    R(PROMPTING, PROMPTED, await_first, LISTENING)  R(PROMPTING, UNPROMPTED, end_unprompted, OVER)  \
    R(PROMPTING, TONE, barge, COLLECTING)           R(PROMPTING, LAST_TONE, barge_most, OVER)       \
    R(PROMPTING, STOP_TONE, barge_stop, OVER)       R(PROMPTING, TIME, ignore, PROMPTING)           \
    R(PROMPTING, CANCEL, barge_cancel, OVER)                                                        \
    R(LISTENING, PROMPTED, ignore, LISTENING)       R(LISTENING, UNPROMPTED, ignore, LISTENING)     \
    R(LISTENING, TONE, await_next, COLLECTING)      R(LISTENING, LAST_TONE, end_most, OVER)         \
    R(LISTENING, STOP_TONE, end_stop, OVER)         R(LISTENING, TIME, end_silence, OVER)           \
    R(LISTENING, CANCEL, end_cancelled, OVER)                                                       \
    R(COLLECTING, PROMPTED, ignore, COLLECTING)     R(COLLECTING, UNPROMPTED, ignore, COLLECTING)   \
    R(COLLECTING, TONE, await_next, COLLECTING)     R(COLLECTING, LAST_TONE, end_most, OVER)        \
    R(COLLECTING, STOP_TONE, end_stop, OVER)        R(COLLECTING, TIME, end_gap, OVER)              \
    R(COLLECTING, CANCEL, end_cancelled, OVER)                                                      \
    R(OVER, PROMPTED, ignore, OVER)                 R(OVER, UNPROMPTED, ignore, OVER)               \
    R(OVER, TONE, ignore, OVER)                     R(OVER, LAST_TONE, ignore, OVER)                \
    R(OVER, STOP_TONE, ignore, OVER)                R(OVER, TIME, ignore, OVER)                     \
    R(OVER, CANCEL, ignore, OVER)

#define STATE_ENUM(name) ST_##name,
enum state { STATES(STATE_ENUM) N_STATES };
#define EVENT_ENUM(name) EV_##name,
enum event { EVENTS(EVENT_ENUM) N_EVENTS };

typedef void act_fn(struct recognise *r);

static void ignore(struct recognise *r)
{
    (void)r;
}

static void await_first(struct recognise *r)    { r->ops->wait(r->arg, r->conf.silence_us); }
static void await_next(struct recognise *r)     { r->ops->wait(r->arg, r->conf.gap_us); }
static void end_most(struct recognise *r)       { r->ops->over(r->arg, RECOGNISED_MOST); }
static void end_stop(struct recognise *r)       { r->ops->over(r->arg, RECOGNISED_STOP); }
static void end_gap(struct recognise *r)        { r->ops->over(r->arg, RECOGNISED_GAP); }
static void end_silence(struct recognise *r)    { r->ops->over(r->arg, UNRECOGNISED_SILENCE); }
static void end_unprompted(struct recognise *r) { r->ops->over(r->arg, UNRECOGNISED_PROMPT); }
static void end_cancelled(struct recognise *r)  { r->ops->over(r->arg, UNRECOGNISED_CANCELLED); }

static void barge(struct recognise *r)
{
    r->ops->stop_prompt(r->arg);
    await_next(r);
}

static void barge_most(struct recognise *r)
{
    r->ops->stop_prompt(r->arg);
    end_most(r);
}

static void barge_stop(struct recognise *r)
{
    r->ops->stop_prompt(r->arg);
    end_stop(r);
}

static void barge_cancel(struct recognise *r)
{
    r->ops->stop_prompt(r->arg);
    end_cancelled(r);
}

#define R_CELL(in, on, act, to) [ST_##in][EV_##on] = { act, ST_##to },
#define R_ONE(in, on, act, to)  + 1
static const struct { act_fn *act; enum state to; } rules[N_STATES][N_EVENTS] = { RULES(R_CELL) };
static_assert(0 RULES(R_ONE) == N_STATES * N_EVENTS, "a state does not answer every event");

static void feed(struct recognise *r, enum event ev)
{
    act_fn *act = rules[r->state][ev].act;
    r->state = (int)rules[r->state][ev].to;
    act(r);
}

void recognise_init(struct recognise *r, const struct recognise_conf *conf, const struct recognise_ops *ops, void *arg)
{
    *r = (struct recognise){ .conf = *conf, .ops = ops, .arg = arg, .state = ST_PROMPTING };
    if (!conf->prompted)
        feed(r, EV_PROMPTED);
}

void recognise_prompted(struct recognise *r)   { feed(r, EV_PROMPTED); }
void recognise_unprompted(struct recognise *r) { feed(r, EV_UNPROMPTED); }
void recognise_time(struct recognise *r)       { feed(r, EV_TIME); }
void recognise_cancel(struct recognise *r)     { feed(r, EV_CANCEL); }

void recognise_tone(struct recognise *r, char tone)
{
    if (r->state == ST_OVER || (r->state == ST_PROMPTING && !r->conf.interruptible))
        return;
    if (strchr(r->conf.stop_tones, tone)) {
        feed(r, EV_STOP_TONE);
        return;
    }
    r->tones[r->n++] = tone;
    feed(r, r->n == r->conf.tones_most ? EV_LAST_TONE : EV_TONE);
}
