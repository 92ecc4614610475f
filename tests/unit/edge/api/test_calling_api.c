/* The handlers of Call Automation, asked without a socket: bodies as the official SDK sends them, answers as it needs them.
 * http_reply() and its like are this file's; calls, numbers, events and the store are real (replay/calls_world.h). */
#include "replay/calls_world.h"

#include "edge/api/api.h"
#include "edge/api/http.h"

/* -- the HTTP edge, as far as handlers see it ---------------------------------------------------------------------- */
struct asked_http {
    struct http_call hc;
    struct json_doc *doc;
    const char      *repeat_id;
    int              status;            /* 0: not answered yet */
    enum err         err;
    char             repeated[16];      /* Repeatability-Result */
};

struct str http_header(struct http_call *hc, const char *name)
{
    struct asked_http *a = container_of(hc, struct asked_http, hc);
    assert_string_equal(name, "Repeatability-Request-ID");
    return str_of(a->repeat_id);
}

void http_answer_header(struct http_call *hc, const char *name, const char *format, ...)
{
    struct asked_http *a = container_of(hc, struct asked_http, hc);
    assert_string_equal(name, "Repeatability-Result");
    str_copyz(a->repeated, sizeof a->repeated, str_of(format));
}

void http_reply(struct http_call *hc, int status)
{
    struct asked_http *a = container_of(hc, struct asked_http, hc);
    assert_int_equal(a->status, 0);
    a->status = status;
}

void http_fail(struct http_call *hc, enum err err)
{
    struct asked_http *a = container_of(hc, struct asked_http, hc);
    assert_int_equal(a->status, 0);
    a->status = 599;
    a->err = err;
}

static const struct http_route *route_of(const char *operation)
{
    for (const struct http_route *r = calling_routes; r->method; r++)
        if (!strcmp(r->operation, operation))
            return r;
    fail_msg("no operation %s", operation);
    return NULL;
}

/* One request; its answer is in the result until the next one. */
static struct asked_http *ask(struct world *w, const char *operation, const char *body, const char *repeat_id,
                              const char *participant)
{
    static struct asked_http a;
    static struct app_api api;
    if (a.hc.arena) {
        arena_free(a.hc.arena);
        json_doc_free(a.doc);
        buf_done(&a.hc.out);
    }
    if (!operation) {
        a = (struct asked_http){ 0 };
        return NULL;
    }
    const struct http_route *r = route_of(operation);
    api = (struct app_api){ .control = &w->control, .calls = w->calls };
    a = (struct asked_http){ .repeat_id = repeat_id };
    a.hc = (struct http_call){ .arena = arena_new(), .api = &api, .resource = w->resource,
                               .params = { str_of(w->id), str_of(participant) } };
    if (body) {
        assert_int_equal(json_read(&a.doc, str_of(body), NULL), ERR_NONE);
        a.hc.json = json_root(a.doc);
    }
    enum err err = r->read ? r->read(&a.hc) : ERR_NONE;
    if (!err)
        err = r->run(&a.hc);
    world_settle(w);
    assert_int_equal(!err, a.status != 0);      /* answered, now or later, or refused: never both */
    if (err)
        a.err = err;
    return &a;
}

static const struct json *answer(struct asked_http *a, struct json_doc **doc)
{
    assert_int_equal(json_read(doc, buf_str(&a->hc.out), NULL), ERR_NONE);
    return json_root(*doc);
}

static int end_and_forget(void **state)
{
    ask(*state, NULL, NULL, NULL, NULL);
    return world_end(state);
}

/* -- createCall ---------------------------------------------------------------------------------------------------- */
static const char *create_body(struct world *w, const char *more)
{
    static char body[2048];
    snprintf(body, sizeof body,
             "{\"targets\":[{\"kind\":\"phoneNumber\",\"rawId\":\"4:+12065550110\",\"phoneNumber\":{\"value\":\"+12065550110\","
             "\"isAnonymous\":false}}],\"sourceCallerIdNumber\":{\"value\":\"%s\",\"isAnonymous\":false},"
             "\"sourceDisplayName\":\"Disp\",\"operationContext\":\"ctx\",\"callbackUri\":\"https://app.test/cb\"%s}",
             w->caller, more);
    return body;
}

static void create(struct world *w)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    struct asked_http *a = ask(w, "CreateCall", create_body(w, ""), NULL, NULL);
    assert_int_equal(a->status, 201);
    str_copyz(w->id, sizeof w->id, json_text_of(answer(a, &doc), "callConnectionId"));
}

static void create_and_connect(struct world *w)
{
    create(w);
    media_opened(w);
    leg_answered(w);
    forget_told(w);
}

static void create_call_answers_the_properties(void **state)
{
    struct world *w = *state;
    scoped(json_doc) struct json_doc *doc = NULL;
    struct asked_http *a = ask(w, "CreateCall", create_body(w, ",\"source\":{\"id\":\"8:acs:me_you\"}"), "rep-1", NULL);
    assert_int_equal(a->status, 201);
    assert_string_equal(a->repeated, "accepted");
    const struct json *p = answer(a, &doc);
    assert_int_equal(json_text_of(p, "callConnectionId").n, 36);
    assert_int_equal(json_text_of(p, "correlationId").n, 36);
    assert_true(str_eqz(json_text_of(p, "callConnectionState"), "connecting"));
    assert_true(str_eqz(json_text_of(p, "callbackUri"), "https://app.test/cb"));
    assert_int_equal(json_kind(json_member(p, "serverCallId")), JSON_IS_ABSENT);
    const struct json *source = json_member(p, "source"), *target = json_item(json_member(p, "targets"), 0);
    assert_true(str_eqz(json_text_of(source, "rawId"), "8:acs:me_you"));
    assert_true(str_eqz(json_text_of(json_member(source, "communicationUser"), "id"), "8:acs:me_you"));
    assert_true(str_eqz(json_text_of(target, "rawId"), "4:+12065550110"));
    assert_true(str_eqz(json_text_of(json_member(target, "phoneNumber"), "value"), "+12065550110"));
    assert_true(str_eqz(json_text_of(json_member(p, "sourceCallerIdNumber"), "value"), w->caller));
}

static void check_create(struct world *w, const char *body, enum err err, const char *code, const char *rule)
{
    struct asked_http *a = ask(w, "CreateCall", body, NULL, NULL);
    assert_int_equal(a->err, err);
    assert_string_equal(a->hc.why.code, code);
    assert_string_equal(a->hc.why.rule, rule);
    assert_string_equal(asked(w), "");
}

static void create_call_refuses_what_it_cannot_do(void **state)
{
    struct world *w = *state;
    check_create(w, "{}", ERR_RANGE, "BadRequest", "");
    check_create(w, "{\"targets\":[{\"kind\":\"phoneNumber\",\"phoneNumber\":{\"value\":\"+12065550110\"}}]}", ERR_RANGE,
                 "BadRequest", "");
    check_create(w, "{\"targets\":[{\"kind\":\"phoneNumber\",\"phoneNumber\":{\"value\":\"+12065550110\"}}],"
                 "\"callbackUri\":\"https://app.test/cb\"}", ERR_FORBIDDEN, "510403", "CallerIdNeeded");
    check_create(w, "{\"targets\":[{\"kind\":\"communicationUser\",\"communicationUser\":{\"id\":\"8:acs:a_b\"}}],"
                 "\"callbackUri\":\"https://app.test/cb\"}", ERR_UNBUILT, "NotImplemented", "UnsupportedTarget");
    check_create(w, create_body(w, ",\"mediaStreamingOptions\":{\"startMediaStreaming\":true}"), ERR_UNBUILT,
                 "NotImplemented", "UnsupportedCallOption");
}

static void a_call_can_be_got_and_ended(void **state)
{
    struct world *w = *state;
    scoped(json_doc) struct json_doc *doc = NULL;
    create_and_connect(w);
    struct asked_http *a = ask(w, "CallConnection_GetCall", NULL, NULL, NULL);
    assert_int_equal(a->status, 200);
    const struct json *p = answer(a, &doc);
    assert_true(str_eqz(json_text_of(p, "callConnectionState"), "connected"));
    assert_true(json_text_of(p, "serverCallId").n > 0);
    assert_int_equal(ask(w, "CallConnection_HangupCall", NULL, NULL, NULL)->status, 204);
    a = ask(w, "CallConnection_GetCall", NULL, NULL, NULL);     /* its BYE is under way */
    assert_int_equal(a->status, 200);
    leg_ended(w, 200, 0, false);
    a = ask(w, "CallConnection_GetCall", NULL, NULL, NULL);
    assert_int_equal(a->err, ERR_ABSENT);
    assert_string_equal(a->hc.why.code, "8522");
    assert_string_equal(a->hc.why.text, "Call not found.");
    a = ask(w, "CallConnection_TerminateCall", NULL, "rep-2", NULL);
    assert_int_equal(a->err, ERR_ABSENT);
    create_and_connect(w);
    assert_int_equal(ask(w, "CallConnection_TerminateCall", NULL, "rep-3", NULL)->status, 204);
}

static void the_phone_is_the_participant(void **state)
{
    struct world *w = *state;
    scoped(json_doc) struct json_doc *doc = NULL;
    scoped(json_doc) struct json_doc *one = NULL;
    create_and_connect(w);
    struct asked_http *a = ask(w, "CallConnection_GetParticipants", NULL, NULL, NULL);
    assert_int_equal(a->status, 200);
    const struct json *value = json_member(answer(a, &doc), "value");
    assert_int_equal(json_count(value), 1);
    assert_true(str_eqz(json_text_of(json_member(json_item(value, 0), "identifier"), "rawId"), "4:+12065550110"));
    a = ask(w, "CallConnection_GetParticipant", NULL, NULL, "4:+12065550110");
    assert_int_equal(a->status, 200);
    assert_int_equal(json_kind(json_member(answer(a, &one), "isMuted")), JSON_IS_BOOL);
    assert_int_equal(ask(w, "CallConnection_GetParticipant", NULL, NULL, "4:+12065550199")->err, ERR_ABSENT);
}

/* -- media --------------------------------------------------------------------------------------------------------- */
#define PLAY(source, more) "{\"playSources\":[" source "],\"playTo\":[]" more ",\"operationContext\":\"p\"}"
#define FILE_SOURCE "{\"kind\":\"file\",\"file\":{\"uri\":\"http://app.test/a.wav\"}}"

static void play_takes_files(void **state)
{
    struct world *w = *state;
    static const char wave[64] = "RIFF....WAVEfmt ";
    w->prompt = (struct str){ wave, sizeof wave };
    create_and_connect(w);
    assert_int_equal(ask(w, "CallMedia_Play", PLAY(FILE_SOURCE, ",\"playOptions\":{\"loop\":true}"), NULL, NULL)->status, 202);
    assert_string_equal(asked(w), "play 64 again and again; ");
    assert_int_equal(ask(w, "CallMedia_CancelAllMediaOperations", NULL, NULL, NULL)->status, 202);
    assert_string_equal(told(w), "PlayStarted PlayCanceled");
    struct asked_http *a = ask(w, "CallMedia_Play", PLAY("{\"kind\":\"text\",\"text\":{\"text\":\"hi\"}}", ""), NULL, NULL);
    assert_int_equal(a->err, ERR_UNBUILT);
    assert_string_equal(a->hc.why.rule, "UnsupportedPlaySource");
    assert_int_equal(ask(w, "CallMedia_Play", PLAY("", ""), NULL, NULL)->err, ERR_RANGE);
    assert_int_equal(ask(w, "CallMedia_Play", PLAY(FILE_SOURCE "," "{\"kind\":\"file\"}", ""), NULL, NULL)->err, ERR_RANGE);
}

static void a_media_operation_names_the_phone_of_the_call(void **state)
{
    struct world *w = *state;
    create_and_connect(w);
    struct asked_http *a = ask(w, "CallMedia_Play",
                               "{\"playSources\":[" FILE_SOURCE "],\"playTo\":[{\"rawId\":\"4:+12065550199\"}]}", NULL, NULL);
    assert_int_equal(a->err, ERR_RANGE);
    assert_string_equal(a->hc.why.rule, "ParticipantNotInCall");
}

#define RECOGNISE(type, options)                                                                            \
    "{\"recognizeInputType\":\"" type "\",\"recognizeOptions\":{\"interruptPrompt\":true,"                  \
    "\"targetParticipant\":{\"rawId\":\"4:+12065550110\",\"phoneNumber\":{\"value\":\"+12065550110\"}}"     \
    options "},\"operationContext\":\"r\"}"

static void recognise_takes_tones(void **state)
{
    struct world *w = *state;
    create_and_connect(w);
    assert_int_equal(ask(w, "CallMedia_Recognize",
                         RECOGNISE("dtmf", ",\"initialSilenceTimeoutInSeconds\":3,\"dtmfOptions\":"
                                   "{\"interToneTimeoutInSeconds\":2,\"maxTonesToCollect\":4,\"stopTones\":[\"pound\"]}"),
                         NULL, NULL)->status, 202);
    tone(w, '1');
    tone(w, '#');
    assert_string_equal(told(w), "RecognizeCompleted");
    expect_result(w, 0, 200, 8514);
    assert_int_equal(ask(w, "CallMedia_Recognize", RECOGNISE("speech", ""), NULL, NULL)->err, ERR_UNBUILT);
    assert_int_equal(ask(w, "CallMedia_Recognize", RECOGNISE("dtmf", ",\"initialSilenceTimeoutInSeconds\":301"), NULL,
                         NULL)->err, ERR_RANGE);
    assert_int_equal(ask(w, "CallMedia_Recognize", RECOGNISE("dtmf", ",\"dtmfOptions\":{\"stopTones\":[\"ten\"]}"), NULL,
                         NULL)->err, ERR_RANGE);
    assert_int_equal(ask(w, "CallMedia_Recognize", RECOGNISE("dtmf", ",\"dtmfOptions\":{\"interToneTimeoutInSeconds\":0}"),
                         NULL, NULL)->err, ERR_RANGE);
}

static void tones_are_sent_and_watched(void **state)
{
    struct world *w = *state;
    scoped(json_doc) struct json_doc *doc = NULL;
    static const char target[] = "{\"targetParticipant\":{\"rawId\":\"4:+12065550110\"},\"operationContext\":\"c\"}";
    create_and_connect(w);
    struct asked_http *a = ask(w, "CallMedia_SendDtmfTones", "{\"tones\":[\"one\",\"asterisk\"],\"targetParticipant\":"
                               "{\"rawId\":\"4:+12065550110\"},\"operationContext\":\"s\"}", "rep-4", NULL);
    assert_int_equal(a->status, 202);
    assert_true(str_eqz(json_text_of(answer(a, &doc), "operationContext"), "s"));
    assert_string_equal(asked(w), "send 1*; ");
    assert_int_equal(ask(w, "CallMedia_StartContinuousDtmfRecognition", target, NULL, NULL)->status, 200);
    tone(w, '3');
    assert_int_equal(ask(w, "CallMedia_StopContinuousDtmfRecognition", target, NULL, NULL)->status, 200);
    assert_string_equal(told(w), "ContinuousDtmfRecognitionToneReceived ContinuousDtmfRecognitionStopped");
}

/* -- incoming ------------------------------------------------------------------------------------------------------ */
static void on_subscribed(void *arg, enum err err, uint64_t key, const struct problem *why)
{
    (void)arg, (void)key, (void)why;
    assert_int_equal(err, ERR_NONE);
}

static const char *incoming(struct world *w, const char *more)
{
    static char body[1024];
    struct event_subscription_new sub = { .resource = w->resource, .url = STR("http://app.test/events"), .cloud = true };
    scoped(json_doc) struct json_doc *doc = NULL;
    if (!events_wanted(w->events, &(struct event_new){ .resource = w->resource, .type = STR("Microsoft.Communication.IncomingCall") }))
        assert_int_equal(events_subscribe(w->events, &sub, on_subscribed, w, &w->why), ERR_NONE);
    world_settle(w);
    forget_told(w);
    w->leg.v = ids_next(w->control.ids);
    leg_says(w, (struct signalling_news){ .kind = LEG_OFFERED, .simulated = true, .from = STR("+12065550110"), .to = str_of(w->caller) });
    assert_int_equal(json_read(&doc, str_of(w->posts[0]), NULL), ERR_NONE);
    const struct json *event = json_kind(json_root(doc)) == JSON_IS_ARRAY ? json_item(json_root(doc), 0) : json_root(doc);
    snprintf(body, sizeof body, "{\"incomingCallContext\":\"" STR_FMT "\"%s}",
             STR_ARG(json_text_of(json_member(event, "data"), "incomingCallContext")), more);
    forget_told(w);
    return body;
}

static void answer_call_gives_the_server_call_id_at_once(void **state)
{
    struct world *w = *state;
    scoped(json_doc) struct json_doc *doc = NULL;
    struct asked_http *a = ask(w, "AnswerCall", incoming(w, ",\"callbackUri\":\"http://app.test/cb\""), "rep-5", NULL);
    assert_int_equal(a->status, 200);
    assert_string_equal(a->repeated, "accepted");
    const struct json *p = answer(a, &doc);
    assert_true(str_eqz(json_text_of(p, "callConnectionState"), "unknown"));
    assert_true(json_text_of(p, "serverCallId").n > 0);
    assert_true(str_eqz(json_text_of(json_member(p, "source"), "rawId"), "4:+12065550110"));
    assert_true(str_eqz(json_text_of(p, "sourceDisplayName"), "+12065550110"));
    assert_int_equal(json_kind(json_member(p, "sourceCallerIdNumber")), JSON_IS_ABSENT);
    assert_int_equal(ask(w, "AnswerCall", "{\"callbackUri\":\"http://app.test/cb\"}", NULL, NULL)->err, ERR_RANGE);
}

static void reject_call_tells_sip_why(void **state)
{
    struct world *w = *state;
    assert_int_equal(ask(w, "RejectCall", incoming(w, ",\"callRejectReason\":\"busy\""), NULL, NULL)->status, 204);
    assert_string_equal(asked(w), "reject 486/17; ");
    assert_int_equal(ask(w, "RejectCall", incoming(w, ",\"callRejectReason\":\"forbidden\""), NULL, NULL)->status, 204);
    assert_string_equal(asked(w), "reject 403/21; ");
    assert_int_equal(ask(w, "RejectCall", incoming(w, ""), NULL, NULL)->status, 204);
    assert_string_equal(asked(w), "reject 603/21; ");
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_make, end_and_forget)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(create_call_answers_the_properties), T(create_call_refuses_what_it_cannot_do), T(a_call_can_be_got_and_ended),
        T(the_phone_is_the_participant), T(play_takes_files), T(a_media_operation_names_the_phone_of_the_call),
        T(recognise_takes_tones), T(tones_are_sent_and_watched), T(answer_call_gives_the_server_call_id_at_once),
        T(reject_call_tells_sip_why),
    };
    return cmocka_run_group_tests_name("calling API", tests, NULL, NULL);
}
