/* call_create.c - starting and ending calls: may this call be made, and by which trunk? */
#include "base/str.h"
#include "domain/accounts/accounts.h"
#include "domain/calls/calls_priv.h"
#include "domain/numbers/numbers.h"
#include "domain/rules.h"

#include <stdio.h>

enum { NUMBER_TEXT = 48 };

/* -- rules -------------------------------------------------------------------------------------------------------- */
/* Emergency and emergency test numbers, bare or after their country's code (data: emergency numbers by country). */
bool calls_is_emergency(struct str to)
{
    static const char *const numbers[] = { "911", "933", "112", "999", "+1911", "+1933", "+44112", "+44999" };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (str_eqz(to, numbers[i]))
            return true;
    return false;
}

/* What is dialled: emergency numbers without their country's code. */
static struct str emergency_digits(struct str to)
{
    return str_from(to, to.n - 3);
}

static enum err caller_check(const struct lease *lease, const struct call_new *rq, struct problem *why)
{
    char from[NUMBER_TEXT];
    str_copyz(from, sizeof from, rq->from);
    if (lease && (!rq->resource || lease->resource == rq->resource) && lease->calling & CAP_OUTBOUND)
        return ERR_NONE;
    if (!rq->from.n)
        rule_problem(why, ERR_FORBIDDEN, RULE_CALLER_ID_NEEDED);
    else if (!lease || (rq->resource && lease->resource != rq->resource))
        rule_problem(why, ERR_FORBIDDEN, RULE_CALLER_ID_NOT_LEASED, from);
    else
        rule_problem(why, ERR_FORBIDDEN, RULE_CALLER_ID_WITHOUT_CALLING, from);
    return ERR_FORBIDDEN;
}

/* The wall: a simulated number leaves by the simulator alone, a real one never. */
static struct str route(const struct calls *c, const struct lease *lease)
{
    return str_of(lease->simulated ? c->sim_trunk : lease->carrier);
}

static enum err emergency_check(const struct lease *lease, struct str to, struct problem *why)
{
    char digits[NUMBER_TEXT];
    if (lease->simulated)
        return ERR_NONE;        /* the simulator answers as the emergency desk; nothing leaves the machine */
    log_error("calls", "an emergency call was refused: no trunk is marked for them");
    str_copyz(digits, sizeof digits, emergency_digits(to));
    return rule_problem(why, ERR_FORBIDDEN, RULE_EMERGENCY_TRUNK_MISSING, digits);
}

/* -- creating ----------------------------------------------------------------------------------------------------- */
static struct str source_of(struct call *call, struct str given)
{
    char user[GUID_SIZE];
    const struct resource *r = accounts_resource(call->calls->conf.accounts, call->resource);
    if (given.n)
        return arena_str(call->arena, given);
    ids_guid(call->calls->control->ids, ID_USER, call->key, user);
    return arena_printf(call->arena, "8:acs:%s_%s", r ? r->guid : "", user);
}

static struct call *call_of_request(struct call_request *r, const struct lease *lease)
{
    const struct call_new *rq = &r->create;
    struct call *call = call_new(r->calls, lease->resource);
    if (!call)
        return NULL;
    call->outbound = true;
    call->unlimited = calls_is_emergency(rq->to);
    call->from = arena_printf(call->arena, "+%llu", (unsigned long long)lease->number);
    call->to = arena_str(call->arena, call->unlimited ? emergency_digits(rq->to) : rq->to);
    call->display = arena_str(call->arena, rq->display);
    call->callback_uri = arena_str(call->arena, rq->callback_uri);
    call->context = arena_str(call->arena, rq->context);
    call->trunk = arena_str(call->arena, route(r->calls, lease));
    call->source = source_of(call, rq->source);
    call->play = arena_str(call->arena, rq->play);
    if (!call->from.p || !call->to.p || !call->display.p || !call->callback_uri.p || !call->context.p || !call->trunk.p
        || !call->source.p || !call->play.p || call_enter(call)) {
        call_free(call);
        return NULL;
    }
    return call;
}

static void on_created(void *arg, struct calls *c, uint64_t key, enum err err)
{
    struct call_request *r = arg;
    struct call *call = map_find(c->by_key, key);
    struct problem why = { 0 };
    struct call_view v;
    if (err) {
        if (call)
            call_feed(call, CALL_EV_UNSTORED, NULL);
        problem_set(&why, err, "", "The call could not be stored.");
        call_request_answer(r, err, NULL, &why);
        return;
    }
    call_view_of_row(c, &(struct call_row){ .key = key, .outbound = true, .caller = r->create.from,
                                            .callee = r->create.to, .display = r->create.display,
                                            .source = r->create.source, .callback_uri = r->create.callback_uri }, &v);
    call_request_answer(r, ERR_NONE, &v, NULL);
}

static enum err create_post(struct call_request *r, struct call *call, unsigned busy)
{
    struct call_row row = call_row_of(call);
    struct call_step *s = call_step_begin(r->calls, call->key);
    call_row_insert(s->unit, &row);
    call_request_note(r, s, call->key);
    call_trail(s, call, "rule caller ID " STR_FMT " is leased by this resource with outbound calling", STR_ARG(call->from));
    call_trail(s, call, call->unlimited ? "rule emergency number " STR_FMT ": limits do not apply"
                                        : "rule destination " STR_FMT " is allowed", STR_ARG(call->to));
    if (!call->unlimited)
        call_trail(s, call, "rule %u of %u outbound calls at once from this number", busy + 1, r->calls->conf.outbound_most);
    call_trail(s, call, "route trunk " STR_FMT, STR_ARG(call->trunk));
    s->then = on_created;
    s->arg = r;
    return call_step_try(s);
}

static enum err create_go(struct call_request *r, struct problem *why)
{
    struct calls *c = r->calls;
    struct call_new *rq = &r->create;
    const struct lease *lease = rq->from.n ? numbers_lease(c->conf.numbers, rq->from) : NULL;
    enum err err = caller_check(lease, rq, why);
    if (!err)
        err = calls_is_emergency(rq->to) ? emergency_check(lease, rq->to, why)
                                   : numbers_may_call(c->conf.numbers, lease, rq->to, why);
    if (!err && !calls_is_emergency(rq->to))
        err = accounts_may_spend(c->conf.accounts, lease->resource, why);
    struct usage_ends ends = { lease ? lease->resource : 0, lease, rq->from, rq->to };
    if (!err && !calls_is_emergency(rq->to))
        err = usage_may_spend(c->control->usage, ends.resource, usage_call_estimate(c->control->usage, &ends, true, 1), why);
    if (err)
        return err;
    unsigned busy = call_busy(c, rq->from);
    struct call *call = call_of_request(r, lease);
    if (!call)
        return problem_set(why, ERR_NOMEM, "", "No memory for a call.");
    r->call = call->key;
    rq->from = arena_str(r->arena, call->from);     /* the answer outlives the call */
    rq->to = arena_str(r->arena, call->to);
    rq->source = arena_str(r->arena, call->source);
    call_hold(call, 1);
    err = create_post(r, call, busy);
    if (err) {
        call_free(call);
        return problem_set(why, err, "", "Too much at once; the call was not made.");
    }
    call_feed(call, call->unlimited || busy < c->conf.outbound_most ? CALL_EV_OPEN : CALL_EV_OVER_LIMIT, NULL);
    return ERR_NONE;
}

static bool create_copy(struct arena *a, struct call_new *to, const struct call_new *rq)
{
    *to = (struct call_new){ .resource = rq->resource, .from = arena_str(a, rq->from), .to = arena_str(a, rq->to),
                             .display = arena_str(a, rq->display), .source = arena_str(a, rq->source),
                             .context = arena_str(a, rq->context), .callback_uri = arena_str(a, rq->callback_uri),
                             .play = arena_str(a, rq->play) };
    return to->from.p && to->to.p && to->display.p && to->source.p && to->context.p && to->callback_uri.p && to->play.p;
}

enum err calls_create(struct calls *c, const struct call_new *rq, calls_done_fn *done, void *arg, struct problem *why)
{
    struct call_request *r = call_request_new(c, rq->resource, rq->repeat_id, create_go);
    if (!r)
        return problem_set(why, ERR_NOMEM, "", "No memory for the request.");
    if (!create_copy(r->arena, &r->create, rq)) {
        call_request_free(r);
        return problem_set(why, ERR_NOMEM, "", "No memory for the request.");
    }
    return call_request_start(r, done, arg, why);
}

/* -- ending ------------------------------------------------------------------------------------------------------- */
static void on_hung_up(void *arg, struct calls *c, uint64_t key, enum err err)
{
    (void)c, (void)key;
    struct problem why = { 0 };
    if (err)
        problem_set(&why, err, "", "The hang-up could not be stored; the call ends all the same.");
    call_request_answer(arg, err, NULL, &why);
}

static enum err hang_up_go(struct call_request *r, struct problem *why)
{
    struct call *call = map_find(r->calls->by_key, r->call);
    if (!call || call->state == CALL_ST_ENDED || call->state == CALL_ST_ENDING)
        return call_absent(why);
    struct call_step *s = call_step_begin(r->calls, call->key);
    call_trail(s, call, r->everyone ? "api the application ends the call for everyone" : "api the application hangs up");
    call_request_note(r, s, call->key);
    s->then = on_hung_up;
    s->arg = r;
    call_step_post(s);
    call_feed(call, CALL_EV_HANG_UP, &(struct call_cause){ .everyone = r->everyone });
    return ERR_NONE;
}

enum err calls_hang_up(struct calls *c, uint64_t resource, struct str id, bool everyone, struct str repeat_id,
                       calls_done_fn *done, void *arg, struct problem *why)
{
    struct call *call;
    struct call_request *r = call_request_new(c, resource, repeat_id, hang_up_go);
    if (!r)
        return problem_set(why, ERR_NOMEM, "", "No memory for the request.");
    /* an unknown id may belong to a repetition of what ended it */
    if (!call_find(c, resource, id, &call, NULL))
        r->call = call->key;
    r->everyone = everyone;
    return call_request_start(r, done, arg, why);
}

/* -- after a restart ---------------------------------------------------------------------------------------------- */
enum { RESTART_TRAIL = 1000000 };       /* later than any step the last process wrote */

static void end_cut_off(struct calls *c, struct call *call, const struct call_row *row, int64_t alive_us)
{
    call->key = row->key;
    call->leg.v = row->leg;
    call->outbound = row->outbound;
    call->from = row->caller, call->to = row->callee, call->display = row->display, call->source = row->source;
    call->callback_uri = row->callback_uri, call->context = row->context;
    call->created_us = row->created_us;
    call->connected_us = row->connected_us;
    if (row->connected_us)
        call->cut_us = alive_us > row->connected_us ? alive_us : row->connected_us;
    call->unlimited = calls_is_emergency(row->callee);
    call->asked_to_end = true;      /* CallDisconnected in any case */
    call->trail = RESTART_TRAIL;
    call_end_set(&call->end, CALL_RESTARTED);
    struct call_step *s = call_step_begin(c, call->key);
    call_write_end(s, call);
    call_step_post(s);
}

enum err calls_load(struct calls *c, struct problem *why)
{
    scoped(db_rows) struct db_rows *rows = NULL;
    enum err err = call_load_open(c->control->db, &rows);
    int64_t alive_us = 0;
    size_t n = 0;
    if (!err)
        err = call_load_alive(c, &alive_us);
    for (; !err && db_rows_next(rows); n++) {
        struct call_row row;
        call_row_read(rows, &row);
        struct call *call = call_new(c, row.resource);
        if (call)
            end_cut_off(c, call, &row, alive_us);
        err = call ? ERR_NONE : ERR_NOMEM;
        call_free(call);
    }
    if (n)
        log_info("calls", "%zu calls were cut off by the restart", n);
    return err ? problem_set(why, err, "", "The calls in progress could not be read.") : ERR_NONE;
}
