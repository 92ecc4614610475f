#include "domain/calls/call_player.h"

#include "base/str.h"

#define STATES(S)  S(READY) S(FETCHING) S(PLAYING) S(OVER)
#define EVENTS(E)  E(GO) E(FETCHED) E(UNFETCHED) E(PLAYED_ONE) E(PLAYED_LAST) E(UNPLAYABLE) E(STOP)
#define RULES(R)                                /* in state, on event, do, then be */                   \
    R(READY, GO, fetch, FETCHING)                   R(READY, FETCHED, ignore, READY)                    \
    R(READY, UNFETCHED, ignore, READY)              R(READY, PLAYED_ONE, ignore, READY)                 \
    R(READY, PLAYED_LAST, ignore, READY)            R(READY, UNPLAYABLE, ignore, READY)                 \
    R(READY, STOP, tell_stopped, OVER)                                                                  \
    R(FETCHING, GO, ignore, FETCHING)               R(FETCHING, FETCHED, play, PLAYING)                 \
    R(FETCHING, UNFETCHED, tell_unreachable, OVER)  R(FETCHING, PLAYED_ONE, ignore, FETCHING)           \
    R(FETCHING, PLAYED_LAST, ignore, FETCHING)      R(FETCHING, UNPLAYABLE, tell_unplayable, OVER)      \
    R(FETCHING, STOP, tell_stopped, OVER)                                                               \
    R(PLAYING, GO, ignore, PLAYING)                 R(PLAYING, FETCHED, ignore, PLAYING)                \
    R(PLAYING, UNFETCHED, ignore, PLAYING)          R(PLAYING, PLAYED_ONE, fetch_next, FETCHING)        \
    R(PLAYING, PLAYED_LAST, tell_done, OVER)        R(PLAYING, UNPLAYABLE, tell_unplayable, OVER)       \
    R(PLAYING, STOP, silence, OVER)                                                                     \
    R(OVER, GO, ignore, OVER)                       R(OVER, FETCHED, ignore, OVER)                      \
    R(OVER, UNFETCHED, ignore, OVER)                R(OVER, PLAYED_ONE, ignore, OVER)                   \
    R(OVER, PLAYED_LAST, ignore, OVER)              R(OVER, UNPLAYABLE, ignore, OVER)                   \
    R(OVER, STOP, ignore, OVER)

#define STATE_ENUM(name) ST_##name,
enum state { STATES(STATE_ENUM) N_STATES };
#define EVENT_ENUM(name) EV_##name,
enum event { EVENTS(EVENT_ENUM) N_EVENTS };

typedef void act_fn(struct player *p);

/* -- fetching ----------------------------------------------------------------------------------------------------- */
/* What came, on its way from the hooks thread to control. */
struct fetched {
    struct inbox_item item;
    struct calls     *calls;
    uint64_t          call, media_op;
    enum err          err;
    int               status;
    char              words[160];
    size_t            n;
    char              body[];
};

static void on_fetched(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct fetched *f = container_of(item, struct fetched, item);
    struct call *call = map_find(f->calls->by_key, f->call);
    if (call)
        call_media_fetched(call, f->media_op, f->err ? f->err : f->status / 100 == 2 ? ERR_NONE : ERR_IO, f->status,
                           f->words, (struct str){ f->body, f->n });
    free(f);
}

static const struct inbox_kind fetched_kind = { "calls.fetched", on_fetched, NULL };

/* Where an answer goes: all that the hooks thread knows of us. */
struct fetch {
    struct calls *calls;
    struct inbox *to;
    uint64_t      call, media_op;
};

static void fetch_tell(const struct fetch *f, const struct courier_outcome *o)
{
    size_t n = o->err ? 0 : o->body.n;
    struct fetched *item = malloc(sizeof *item + n);
    if (!item) {
        log_error("calls", "no memory for a prompt of %zu octets", n);
        return;         /* the operation ends with its call, or when it is cancelled */
    }
    *item = (struct fetched){ .item.kind = &fetched_kind, .calls = f->calls, .call = f->call, .media_op = f->media_op,
                              .err = o->err, .status = o->status, .n = n };
    str_copyz(item->words, sizeof item->words, str_of(o->words));
    if (n)
        memcpy(item->body, o->body.p, n);
    inbox_post_always(f->to, &item->item);
}

static void on_outcome(void *arg, const struct courier_outcome *o)     /* hooks thread */
{
    fetch_tell(arg, o);
    free(arg);
}

static void fetch(struct player *p)
{
    struct calls *c = p->call->calls;
    p->media_op = ids_next(c->control->ids);
    struct fetch *f = malloc(sizeof *f);
    struct fetch where = { c, control_inbox(c->control), p->call->key, p->media_op };
    enum err err = f ? ERR_NONE : ERR_NOMEM;
    if (f) {
        *f = where;
        struct courier_request rq = { .id = p->media_op, .method = "GET", .url = p->uris[p->at],
                                      .timeout_us = (int64_t)PROMPT_FETCH_S * US_PER_S,
                                      .max_body = PROMPT_OCTETS_MOST, .done = on_outcome, .arg = f };
        err = c->conf.courier->send(c->conf.courier_arg, &rq);
    }
    if (err) {
        free(f);
        fetch_tell(&where, &(struct courier_outcome){ .id = p->media_op, .err = err });
    }
}

static void fetch_next(struct player *p)
{
    p->at = (p->at + 1) % p->n;
    fetch(p);
}

/* -- playing ------------------------------------------------------------------------------------------------------ */
static void play(struct player *p)
{
    struct calls *c = p->call->calls;
    enum err err = c->media->play(c->media_arg, p->call->leg, p->media_op, p->file, p->loop && p->n == 1);
    if (err) {          /* heard of like any other end */
        struct media_news news = { .kind = MEDIA_PLAYED, .leg = p->call->leg, .op = p->media_op, .err = err };
        if (calls_tell_media(c, &news))
            log_error("calls", "no memory to end a prompt");
    }
    if (!p->told_start && p->started)
        p->started(p->arg);
    p->told_start = true;
}

static void silence(struct player *p)
{
    struct calls *c = p->call->calls;
    if (c->media->stop(c->media_arg, p->call->leg, p->media_op))
        log_warn("calls", "the media loop has no room to stop a prompt");
    p->over(p->arg, PLAYER_STOPPED);
}

static void tell_done(struct player *p)        { p->over(p->arg, PLAYER_DONE); }
static void tell_unreachable(struct player *p) { p->over(p->arg, PLAYER_UNREACHABLE); }
static void tell_unplayable(struct player *p)  { p->over(p->arg, PLAYER_UNPLAYABLE); }
static void tell_stopped(struct player *p)     { p->over(p->arg, PLAYER_STOPPED); }

static void ignore(struct player *p)
{
    (void)p;
}

#define R_CELL(in, on, act, to) [ST_##in][EV_##on] = { act, ST_##to },
#define R_ONE(in, on, act, to)  + 1
static const struct { act_fn *act; enum state to; } rules[N_STATES][N_EVENTS] = { RULES(R_CELL) };
static_assert(0 RULES(R_ONE) == N_STATES * N_EVENTS, "a state does not answer every event");

static void feed(struct player *p, enum event ev)
{
    act_fn *act = rules[p->state][ev].act;
    p->state = (int)rules[p->state][ev].to;
    act(p);
}

void player_go(struct player *p)
{
    feed(p, EV_GO);
}

void player_stop(struct player *p)
{
    feed(p, EV_STOP);
}

/* Anything but a RIFF/WAVE file is refused before it is said to have started; media reads the rest. */
static bool looks_like_wave(struct str file)
{
    return file.n > 44 && !memcmp(file.p, "RIFF", 4) && !memcmp(file.p + 8, "WAVE", 4);
}

void player_fetched(struct player *p, enum err err, struct str file)
{
    p->file = file;
    p->err = err ? err : ERR_SYNTAX;
    feed(p, err ? EV_UNFETCHED : looks_like_wave(file) ? EV_FETCHED : EV_UNPLAYABLE);
}

void player_played(struct player *p, enum err err)
{
    p->err = err;
    bool last = p->at + 1 == p->n && !p->loop;
    feed(p, err ? EV_UNPLAYABLE : last ? EV_PLAYED_LAST : EV_PLAYED_ONE);
}
