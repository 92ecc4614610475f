/* call_inbound.c - a leg comes in: whose number is it, does anybody want it, and who takes it? */
#include "base/str.h"
#include "codec/sip/context.h"
#include "domain/calls/calls_priv.h"
#include "domain/numbers/numbers.h"
#include "domain/rules.h"

#include <stdio.h>

enum { SIP_FORBIDDEN = 403, SIP_NOT_FOUND = 404, SIP_UNAVAILABLE = 480, SIP_BUSY = 486, SIP_SHED = 503, SIP_DECLINE = 603 };
enum { Q850_UNALLOCATED = 1, Q850_BUSY = 17, Q850_SUBSCRIBER_ABSENT = 20, Q850_REJECTED = 21, Q850_TEMPORARY = 41 };
enum { CONTEXT_OCTETS_MOST = 96 };
static const char CONTEXT_HEAD[] = "{\"cc\":\"";      /* so that it looks like what clients know: eyJ... */

/* -- offered ------------------------------------------------------------------------------------------------------ */
static void turn_away(struct calls *c, const struct signalling_news *n, int status, int q850, const char *why)
{
    char shown[24];
    log_info("calls", "inbound call to %s refused with %d: %s", log_number(shown, n->to), status, why);
    if (c->signalling->reject(c->signalling_arg, n->leg, status, q850))
        log_warn("calls", "the signalling edge has no room for a refusal");
}

static struct call *call_of_offer(struct calls *c, const struct signalling_news *n, const struct lease *lease)
{
    struct call *call = call_new(c, lease->resource);
    if (!call)
        return NULL;
    call->leg = n->leg;
    call->leg_lives = true;
    call->from = arena_str(call->arena, n->from);
    call->to = arena_printf(call->arena, "+%llu", (unsigned long long)lease->number);
    call->display = arena_str(call->arena, n->display);
    call->trunk = arena_str(call->arena, n->trunk);
    if (!call->from.p || !call->to.p || !call->display.p || !call->trunk.p || call_enter(call)) {
        call_free(call);
        return NULL;
    }
    return call;
}

/* What answerCall gives back to us: the call's id in a coat that clients do not look into. */
static void context_write(const struct call_view *v, char dst[BASE64_SIZE(CONTEXT_OCTETS_MOST)])
{
    char text[CONTEXT_OCTETS_MOST];
    int n = snprintf(text, sizeof text, "%s%s\"}", CONTEXT_HEAD, v->id);
    base64_write(dst, text, (size_t)n);
}

static void incoming_subject(char subject[128], struct str from, struct str to)
{
    snprintf(subject, 128, "/caller/4:" STR_FMT "/recipient/4:" STR_FMT, STR_ARG(from), STR_ARG(to));
}

static void write_custom(struct jw *w, struct str context)
{
    struct str name, value;
    jw_object(w, "customContext");
    jw_object(w, "sipHeaders");
    while (sip_context_next(&context, &name, &value)) {
        char key[SIP_CONTEXT_NAME_MAX + 1];
        str_copyz(key, sizeof key, name);
        jw_text(w, key, value);
    }
    jw_end(w);
    jw_object(w, "voipHeaders");
    jw_end(w);
    jw_end(w);
}

static void write_incoming(struct jw *w, const struct call_view *v, struct str custom)
{
    char context[BASE64_SIZE(CONTEXT_OCTETS_MOST)];
    context_write(v, context);
    jw_object(w, NULL);
    call_write_phone(w, "to", v->to);
    call_write_phone(w, "from", v->from);
    jw_textz(w, "serverCallId", v->server_call_id);
    jw_text(w, "callerDisplayName", v->display);
    write_custom(w, custom);
    jw_textz(w, "incomingCallContext", context);
    jw_textz(w, "correlationId", v->correlation_id);
    jw_end(w);
}

/* Who wants an incoming call is asked before the call is made: by its parties and the name shown, all that is known. */
static bool wanted(struct calls *c, const struct signalling_news *n, const struct lease *lease)
{
    char subject[128], called[24];
    scoped_buf data = { 0 };
    struct jw w = jw_of(&data);
    snprintf(called, sizeof called, "+%llu", (unsigned long long)lease->number);
    incoming_subject(subject, n->from, str_of(called));
    jw_object(&w, NULL);
    call_write_phone(&w, "to", str_of(called));
    call_write_phone(&w, "from", n->from);
    jw_text(&w, "callerDisplayName", n->display);
    write_custom(&w, n->context);
    jw_end(&w);
    return data.bad
        || events_wanted(c->conf.events, &(struct event_new){ .resource = lease->resource, .type = CALL_INCOMING,
                                                               .subject = str_of(subject), .data = buf_str(&data) });
}

static enum err tell_incoming(struct call_step *s, struct call *call, struct str custom)
{
    struct call_view v;
    char subject[128];
    scoped_buf data = { 0 };
    struct jw w = jw_of(&data);
    call_view_fill(call, &v);
    write_incoming(&w, &v, custom);
    incoming_subject(subject, call->from, call->to);
    if (data.bad)
        return ERR_NOMEM;
    enum err err = events_write(s->calls->conf.events, s->unit,
                                &(struct event_new){ .resource = call->resource, .type = CALL_INCOMING,
                                                     .subject = str_of(subject), .data = buf_str(&data) }, &s->events);
    char guid[GUID_SIZE];
    ids_guid(s->calls->control->ids, ID_EVENT, s->events.newest, guid);
    call_trail(s, call, "event IncomingCall %s", guid);
    return err;
}

/* The event is on disk: the caller may hear ringing. */
static void on_offer_stored(void *arg, struct calls *c, uint64_t key, enum err err)
{
    (void)arg;
    struct call *call = map_find(c->by_key, key);
    if (!call)
        return;
    if (err)
        call_feed(call, CALL_EV_UNSTORED, NULL);
    else if (call->state == CALL_ST_OFFERED && c->signalling->ring(c->signalling_arg, call->leg))
        log_warn("calls", "the signalling edge has no room to ring");
}

static void offer(struct calls *c, const struct signalling_news *n, const struct lease *lease)
{
    struct call *call = call_of_offer(c, n, lease);
    if (!call) {
        turn_away(c, n, SIP_SHED, Q850_TEMPORARY, "no memory");
        return;
    }
    struct call_row row = call_row_of(call);
    struct call_step *s = call_step_begin(c, call->key);
    call_row_insert(s->unit, &row);
    call_trail(s, call, "sip INVITE from trunk " STR_FMT ", " STR_FMT " calls " STR_FMT, STR_ARG(call->trunk),
               STR_ARG(call->from), STR_ARG(call->to));
    if (tell_incoming(s, call, n->context))
        log_error("calls", "no memory for the event of an incoming call");
    s->then = on_offer_stored;
    if (call_step_try(s)) {
        call_free(call);
        turn_away(c, n, SIP_SHED, Q850_TEMPORARY, "too much at once");
        return;
    }
    call_feed(call, CALL_EV_OFFER, NULL);
}

void call_offered(struct calls *c, const struct signalling_news *n)
{
    struct problem why = { 0 };
    const struct lease *lease = numbers_lease(c->conf.numbers, n->to);
    if (!lease || lease->simulated != n->simulated)     /* the wall: on the trunk's side there is no such number */
        turn_away(c, n, SIP_NOT_FOUND, Q850_UNALLOCATED, "the number is not leased");
    else if (numbers_may_be_called(c->conf.numbers, lease, n->from, &why))
        turn_away(c, n, SIP_FORBIDDEN, Q850_REJECTED, why.rule);        /* its text names numbers: not for the log */
    else if (!wanted(c, n, lease))
        turn_away(c, n, SIP_UNAVAILABLE, Q850_SUBSCRIBER_ABSENT, "nobody is subscribed to this IncomingCall");
    else
        offer(c, n, lease);
}

/* -- taken or declined -------------------------------------------------------------------------------------------- */
static struct call *call_of_context(struct calls *c, uint64_t resource, struct str context)
{
    char text[CONTEXT_OCTETS_MOST];
    size_t n = 0, head = sizeof CONTEXT_HEAD - 1;
    uint64_t key = 0;
    if (base64_read(text, sizeof text, context, &n) || n != head + GUID_SIZE - 1 + 2
        || ids_guid_read(c->control->ids, ID_CALL, (struct str){ text + head, GUID_SIZE - 1 }, &key))
        return NULL;
    struct call *call = map_find(c->by_key, key);
    return call && (!resource || call->resource == resource) ? call : NULL;
}

static struct call *call_ringing(struct call_request *r)
{
    struct call *call = map_find(r->calls->by_key, r->call);
    return call && call->state == CALL_ST_OFFERED ? call : NULL;
}

static void on_taken(void *arg, struct calls *c, uint64_t key, enum err err)
{
    struct call_request *r = arg;
    struct call *call = map_find(c->by_key, key);
    struct problem why = { 0 };
    struct call_view v;
    if (!err && !call)
        err = call_absent(&why);        /* the caller gave up meanwhile */
    else if (err)
        problem_set(&why, err, "", "The answer could not be stored.");
    if (err && call)
        call_feed(call, CALL_EV_UNSTORED, NULL);
    else if (call)
        call_view_fill(call, &v);
    call_request_answer(r, err, err ? NULL : &v, &why);
}

static enum err take_go(struct call_request *r, struct problem *why)
{
    struct call *call = call_ringing(r);
    if (!call)
        return call_absent(why);
    call->callback_uri = arena_str(call->arena, r->create.callback_uri);
    call->context = arena_str(call->arena, r->create.context);
    if (!call->callback_uri.p || !call->context.p)
        return problem_set(why, ERR_NOMEM, "", "No memory to answer.");
    struct call_step *s = call_step_begin(r->calls, call->key);
    call_row_accept(s->unit, call->key, call->callback_uri, call->context);
    call_request_note(r, s, call->key);
    call_trail(s, call, "api the application answers");
    s->then = on_taken;
    s->arg = r;
    call_step_post(s);
    call_feed(call, CALL_EV_TAKE, NULL);
    return ERR_NONE;
}

static void on_declined(void *arg, struct calls *c, uint64_t key, enum err err)
{
    (void)c, (void)key;
    struct problem why = { 0 };
    if (err)
        problem_set(&why, err, "", "The rejection could not be stored; the call is refused all the same.");
    call_request_answer(arg, err, NULL, &why);
}

static enum err decline_go(struct call_request *r, struct problem *why)
{
    struct call *call = call_ringing(r);
    if (!call)
        return call_absent(why);
    struct call_step *s = call_step_begin(r->calls, call->key);
    call_request_note(r, s, call->key);
    call_trail(s, call, "api the application rejects");
    s->then = on_declined;
    s->arg = r;
    call_step_post(s);
    call_feed(call, CALL_EV_DECLINE, &(struct call_cause){ .status = r->status, .q850 = r->q850 });
    return ERR_NONE;
}

static struct call_request *take_request(struct calls *c, const struct call_take *rq, call_request_go_fn *go)
{
    struct call_request *r = call_request_new(c, rq->resource, rq->repeat_id, go);
    if (!r)
        return NULL;
    struct call *call = call_of_context(c, rq->resource, rq->incoming);
    r->call = call ? call->key : 0;
    r->create.callback_uri = arena_str(r->arena, rq->callback_uri);
    r->create.context = arena_str(r->arena, rq->context);
    if (r->create.callback_uri.p && r->create.context.p)
        return r;
    call_request_free(r);
    return NULL;
}

enum err calls_answer(struct calls *c, const struct call_take *rq, calls_done_fn *done, void *arg, struct problem *why)
{
    struct call_request *r = take_request(c, rq, take_go);
    if (!r)
        return problem_set(why, ERR_NOMEM, "", "No memory for the request.");
    return call_request_start(r, done, arg, why);
}

enum err calls_decline(struct calls *c, const struct call_take *rq, enum call_decline reason, calls_done_fn *done,
                       void *arg, struct problem *why)
{
    static const struct { int status, q850; } answers[] = {
        [DECLINE_NONE]      = { SIP_DECLINE, Q850_REJECTED },
        [DECLINE_BUSY]      = { SIP_BUSY, Q850_BUSY },
        [DECLINE_FORBIDDEN] = { SIP_FORBIDDEN, Q850_REJECTED },
    };
    struct call_request *r = take_request(c, rq, decline_go);
    if (!r)
        return problem_set(why, ERR_NOMEM, "", "No memory for the request.");
    r->status = answers[reason].status;
    r->q850 = answers[reason].q850;
    return call_request_start(r, done, arg, why);
}
