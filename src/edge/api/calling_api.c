/* calling_api.c - Call Automation (spec call-automation 2026-03-12).
 *
 * `read` functions (http threads) turn bodies into the structs of domain/calls/calls.h; `run` functions (control) ask
 * calls and answer. Rows without a `run` answer 501: they stand in docs/conformance.md. */
#include "base/str.h"
#include "domain/calls/calls.h"
#include "domain/rules.h"
#include "edge/api/api.h"
#include "edge/api/http.h"

enum { URI_MOST = 2048, CONTEXT_MOST = 4096, SILENCE_S = 5, SILENCE_MOST_S = 300, GAP_S = 2, GAP_MOST_S = 60 };

/* -- reading ------------------------------------------------------------------------------------------------------ */
static enum err bad(struct http_call *hc, const char *target, const char *text)
{
    problem_set(&hc->why, ERR_RANGE, "BadRequest", "%s", text);
    problem_target(&hc->why, "%s", target);
    return ERR_RANGE;
}

static enum err needs_body(struct http_call *hc)
{
    return json_kind(hc->json) == JSON_IS_OBJECT ? ERR_NONE : bad(hc, "", "A JSON object is needed as the body.");
}

/* The E.164 of {"phoneNumber":{"value"}}, or of a raw id "4:+1..."; empty when it is no phone number. */
static struct str phone_of(const struct json *identifier)
{
    struct str value = json_text_of(json_member(identifier, "phoneNumber"), "value");
    struct str raw = json_text_of(identifier, "rawId");
    if (!value.n && str_starts(raw, STR("4:")))
        value = str_from(raw, 2);
    return value;
}

static enum err read_uri(struct http_call *hc, const char *name, bool needed, struct str *out)
{
    struct str uri = json_text_of(hc->json, name);
    if (!uri.n && !needed)
        return ERR_NONE;
    if (uri.n > URI_MOST || !(str_starts(uri, STR("https://")) || str_starts(uri, STR("http://"))))
        return bad(hc, name, "An absolute https URI of at most 2048 characters is needed.");
    *out = uri;
    return ERR_NONE;
}

static enum err read_context(struct http_call *hc, struct str *out)
{
    *out = json_text_of(hc->json, "operationContext");
    return out->n <= CONTEXT_MOST ? ERR_NONE : bad(hc, "operationContext", "operationContext is too long.");
}

/* What every media operation may carry. */
static enum err read_operation(struct http_call *hc, struct str *context, struct str *callback_uri)
{
    enum err err = needs_body(hc);
    if (!err)
        err = read_context(hc, context);
    return err ? err : read_uri(hc, "operationCallbackUri", false, callback_uri);
}

/* A participant that must be the phone of the call; users of other kinds come with their own issue. */
static enum err read_participant(struct http_call *hc, const struct json *j, const char *name, struct str *out)
{
    *out = phone_of(j);
    return out->n || json_kind(j) == JSON_IS_ABSENT ? ERR_NONE
        : bad(hc, name, "Only the phone number of the call can be named here.");
}

/* -- answering ---------------------------------------------------------------------------------------------------- */
static void write_number(struct jw *w, const char *name, struct str e164)
{
    jw_object(w, name);
    jw_text(w, "value", e164);
    jw_end(w);
}

static void write_phone(struct jw *w, const char *name, struct str e164)
{
    jw_object(w, name);
    jw_printf(w, "rawId", "4:" STR_FMT, STR_ARG(e164));
    jw_textz(w, "kind", "phoneNumber");
    write_number(w, "phoneNumber", e164);
    jw_end(w);
}

static void write_user(struct jw *w, const char *name, struct str raw_id)
{
    jw_object(w, name);
    jw_text(w, "rawId", raw_id);
    jw_textz(w, "kind", "communicationUser");
    jw_object(w, "communicationUser");
    jw_text(w, "id", raw_id);
    jw_end(w);
    jw_end(w);
}

/* An outbound call is by its caller ID; an answered one by the phone that called. */
static void write_source(struct jw *w, const struct call_view *v)
{
    if (v->outbound) {
        jw_textz(w, "sourceDisplayName", "");
        write_number(w, "sourceCallerIdNumber", v->from);
        write_user(w, "source", v->source);
    } else {
        jw_text(w, "sourceDisplayName", v->from);
        write_phone(w, "source", v->from);
    }
}

/* @param answered  the answer to answerCall: the service gives the serverCallId at once and calls the state unknown */
static void write_properties(struct http_call *hc, const struct call_view *v, bool answered)
{
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_textz(&w, "callConnectionId", v->id);
    if (answered || v->progress != CALL_CONNECTING)
        jw_textz(&w, "serverCallId", v->server_call_id);
    jw_array(&w, "targets");
    write_phone(&w, NULL, v->to);
    jw_end(&w);
    jw_textz(&w, "callConnectionState", answered ? "unknown" : call_progress_word(v->progress));
    jw_text(&w, "callbackUri", v->callback_uri);
    write_source(&w, v);
    jw_textz(&w, "correlationId", v->correlation_id);
    jw_end(&w);
}

static void write_participant(struct jw *w, const struct call_view *v)
{
    jw_object(w, NULL);
    write_phone(w, "identifier", v->phone);
    jw_bool(w, "isMuted", false);
    jw_bool(w, "isOnHold", false);
    jw_end(w);
}

static void write_context(struct http_call *hc, struct str context)
{
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    if (context.n)
        jw_text(&w, "operationContext", context);
    jw_end(&w);
}

static void fail_later(struct http_call *hc, enum err err, const struct problem *why)
{
    if (why)
        hc->why = *why;
    http_fail(hc, err);
}

/* -- createCall --------------------------------------------------------------------------------------------------- */
static const struct json_shape create_shapes[] = {
    { "targets", JSON_IS_ARRAY },               { "source", JSON_IS_OBJECT },         { "source.id", JSON_IS_TEXT },
    { "sourceCallerIdNumber", JSON_IS_OBJECT }, { "sourceCallerIdNumber.value", JSON_IS_TEXT },
    { "sourceDisplayName", JSON_IS_TEXT },      { "operationContext", JSON_IS_TEXT }, { "callbackUri", JSON_IS_TEXT },
    { "callIntelligenceOptions", JSON_IS_OBJECT }, { "customCallingContext", JSON_IS_OBJECT },
    { "mediaStreamingOptions", JSON_IS_OBJECT },   { "mediaStreamingOptions.startMediaStreaming", JSON_IS_BOOL },
    { "transcriptionOptions", JSON_IS_OBJECT },    { "transcriptionOptions.startTranscription", JSON_IS_BOOL },
};
static const struct json_shape target_shapes[] = {
    { "kind", JSON_IS_TEXT }, { "rawId", JSON_IS_TEXT }, { "phoneNumber", JSON_IS_OBJECT },
    { "phoneNumber.value", JSON_IS_TEXT },
};

/* What would need more than is built, so that it is not left out in silence. */
static enum err wants_more(struct http_call *hc)
{
    const struct json *media = json_member(hc->json, "mediaStreamingOptions");
    const struct json *words = json_member(hc->json, "transcriptionOptions");
    if (json_count(json_member(hc->json, "targets")) > 1)
        return rule_problem(&hc->why, ERR_UNBUILT, RULE_UNSUPPORTED_TARGET, "A call to several targets");
    if (json_bool_of(media, "startMediaStreaming", false))
        return rule_problem(&hc->why, ERR_UNBUILT, RULE_UNSUPPORTED_CALL_OPTION, "Media streaming");
    if (json_bool_of(words, "startTranscription", false))
        return rule_problem(&hc->why, ERR_UNBUILT, RULE_UNSUPPORTED_CALL_OPTION, "Transcription");
    return ERR_NONE;
}

static enum err create_target(struct http_call *hc, struct call_new *rq)
{
    const struct json *target = json_item(json_member(hc->json, "targets"), 0);
    if (json_kind(target) != JSON_IS_OBJECT)
        return bad(hc, "targets", "A call needs a target.");
    enum err err = json_expect(target, target_shapes, ARRAY_LEN(target_shapes), &hc->why);
    if (err)
        return err;
    rq->to = phone_of(target);
    if (!rq->to.n && !json_text_of(target, "kind").n && !json_text_of(target, "rawId").n)
        return bad(hc, "targets", "A target is {\"kind\":\"phoneNumber\",\"phoneNumber\":{\"value\":\"+1...\"}}.");
    if (!rq->to.n)
        return rule_problem(&hc->why, ERR_UNBUILT, RULE_UNSUPPORTED_TARGET, "A call to anything but a phone number");
    return ERR_NONE;
}

static enum err create_read(struct http_call *hc)
{
    struct call_new *rq = hc->rq = arena_one(hc->arena, struct call_new);
    if (!rq)
        return ERR_NOMEM;
    enum err err = needs_body(hc);
    if (!err)
        err = json_expect(hc->json, create_shapes, ARRAY_LEN(create_shapes), &hc->why);
    if (!err)
        err = wants_more(hc);
    if (!err)
        err = create_target(hc, rq);
    if (!err)
        err = read_context(hc, &rq->context);
    if (!err)
        err = read_uri(hc, "callbackUri", true, &rq->callback_uri);
    rq->from = json_text_of(json_member(hc->json, "sourceCallerIdNumber"), "value");
    rq->display = json_text_of(hc->json, "sourceDisplayName");
    rq->source = json_text_of(json_member(hc->json, "source"), "id");
    rq->repeat_id = http_header(hc, "Repeatability-Request-ID");
    return err;
}

static void on_created(void *arg, enum err err, const struct call_view *v, const struct problem *why)
{
    struct http_call *hc = arg;
    const struct call_new *rq = hc->rq;
    if (err) {
        fail_later(hc, err, why);
        return;
    }
    if (rq->repeat_id.n)
        http_answer_header(hc, "Repeatability-Result", "accepted");
    write_properties(hc, v, false);
    http_reply(hc, 201);
}

static enum err create_run(struct http_call *hc)
{
    struct call_new *rq = hc->rq;
    rq->resource = hc->resource;
    return calls_create(hc->api->calls, rq, on_created, hc, &hc->why);
}

/* Nothing to say but that it was done. */
static void on_hung_up(void *arg, enum err err, const struct call_view *v, const struct problem *why)
{
    struct http_call *hc = arg;
    (void)v;
    if (err)
        fail_later(hc, err, why);
    else
        http_reply(hc, 204);
}

/* -- answer and reject -------------------------------------------------------------------------------------------- */
static enum err take_read(struct http_call *hc)
{
    struct call_take *rq = hc->rq = arena_one(hc->arena, struct call_take);
    if (!rq)
        return ERR_NOMEM;
    enum err err = needs_body(hc);
    rq->incoming = json_text_of(hc->json, "incomingCallContext");
    rq->repeat_id = http_header(hc, "Repeatability-Request-ID");
    if (!err && !rq->incoming.n)
        err = bad(hc, "incomingCallContext", "The incomingCallContext of an IncomingCall event is needed.");
    return err;
}

static enum err answer_read(struct http_call *hc)
{
    enum err err = take_read(hc);
    struct call_take *rq = hc->rq;
    if (!err)
        err = wants_more(hc);
    if (!err)
        err = read_context(hc, &rq->context);
    return err ? err : read_uri(hc, "callbackUri", true, &rq->callback_uri);
}

static void on_answered(void *arg, enum err err, const struct call_view *v, const struct problem *why)
{
    struct http_call *hc = arg;
    const struct call_take *rq = hc->rq;
    if (err) {
        fail_later(hc, err, why);
        return;
    }
    if (rq->repeat_id.n)
        http_answer_header(hc, "Repeatability-Result", "accepted");
    write_properties(hc, v, true);
    http_reply(hc, 200);
}

static enum err answer_run(struct http_call *hc)
{
    struct call_take *rq = hc->rq;
    rq->resource = hc->resource;
    return calls_answer(hc->api->calls, rq, on_answered, hc, &hc->why);
}

static enum err reject_run(struct http_call *hc)
{
    struct call_take *rq = hc->rq;
    struct str word = json_text_of(hc->json, "callRejectReason");
    rq->resource = hc->resource;
    enum call_decline reason = str_eqz(word, "busy") ? DECLINE_BUSY : str_eqz(word, "forbidden") ? DECLINE_FORBIDDEN
                                                                                               : DECLINE_NONE;
    return calls_decline(hc->api->calls, rq, reason, on_hung_up, hc, &hc->why);
}

/* -- one call ----------------------------------------------------------------------------------------------------- */
static enum err get_run(struct http_call *hc)
{
    struct call_view v;
    enum err err = calls_find(hc->api->calls, hc->resource, hc->params[0], &v, &hc->why);
    if (err)
        return err;
    write_properties(hc, &v, false);
    http_reply(hc, 200);
    return ERR_NONE;
}

static enum err hang_up(struct http_call *hc, bool everyone)
{
    return calls_hang_up(hc->api->calls, hc->resource, hc->params[0], everyone,
                         http_header(hc, "Repeatability-Request-ID"), on_hung_up, hc, &hc->why);
}

static enum err hang_up_run(struct http_call *hc)
{
    return hang_up(hc, false);
}

static enum err terminate_run(struct http_call *hc)
{
    return hang_up(hc, true);
}

static enum err participants_run(struct http_call *hc)
{
    struct call_view v;
    enum err err = calls_find(hc->api->calls, hc->resource, hc->params[0], &v, &hc->why);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    if (v.progress == CALL_CONNECTED)
        write_participant(&w, &v);
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

static enum err participant_run(struct http_call *hc)
{
    struct call_view v;
    enum err err = calls_find(hc->api->calls, hc->resource, hc->params[0], &v, &hc->why);
    if (err)
        return err;
    struct str raw = hc->params[1];
    if (v.progress != CALL_CONNECTED || !str_starts(raw, STR("4:")) || !str_eq(str_from(raw, 2), v.phone))
        return problem_set(&hc->why, ERR_ABSENT, "NotFound", "Participant not found.");
    struct jw w = jw_of(&hc->out);
    write_participant(&w, &v);
    http_reply(hc, 200);
    return ERR_NONE;
}

/* -- play and recognise ------------------------------------------------------------------------------------------- */
static const struct json_shape media_shapes[] = {       /* of :play and :recognize */
    { "playSources", JSON_IS_ARRAY },   { "playTo", JSON_IS_ARRAY },            { "playOptions", JSON_IS_OBJECT },
    { "playOptions.loop", JSON_IS_BOOL }, { "interruptCallMediaOperation", JSON_IS_BOOL },
    { "operationContext", JSON_IS_TEXT }, { "operationCallbackUri", JSON_IS_TEXT },
    { "recognizeInputType", JSON_IS_TEXT }, { "playPrompt", JSON_IS_OBJECT },   { "playPrompts", JSON_IS_ARRAY },
    { "recognizeOptions", JSON_IS_OBJECT }, { "recognizeOptions.interruptPrompt", JSON_IS_BOOL },
    { "recognizeOptions.initialSilenceTimeoutInSeconds", JSON_IS_INTEGER },
    { "recognizeOptions.targetParticipant", JSON_IS_OBJECT }, { "recognizeOptions.dtmfOptions", JSON_IS_OBJECT },
    { "recognizeOptions.dtmfOptions.interToneTimeoutInSeconds", JSON_IS_INTEGER },
    { "recognizeOptions.dtmfOptions.maxTonesToCollect", JSON_IS_INTEGER },
    { "recognizeOptions.dtmfOptions.stopTones", JSON_IS_ARRAY },
};

/* What both carry, and nothing of a wrong type. */
static enum err read_media(struct http_call *hc, struct call_play *rq)
{
    enum err err = read_operation(hc, &rq->context, &rq->callback_uri);
    return err ? err : json_expect(hc->json, media_shapes, ARRAY_LEN(media_shapes), &hc->why);
}

static enum err read_source(struct http_call *hc, const struct json *j, struct call_play *rq)
{
    struct str kind = json_text_of(j, "kind");
    struct str uri = json_text_of(json_member(j, "file"), "uri");
    if (str_eqz(kind, "text") || str_eqz(kind, "ssml"))
        return rule_problem(&hc->why, ERR_UNBUILT, RULE_UNSUPPORTED_PLAY_SOURCE, "text");
    if (!str_eqz(kind, "file") || !uri.n || uri.n > URI_MOST)
        return bad(hc, "playSources", "A play source is a file with a uri of at most 2048 characters.");
    rq->uris[rq->n++] = uri;
    return ERR_NONE;
}

static enum err read_sources(struct http_call *hc, const struct json *list, struct call_play *rq)
{
    size_t n = json_count(list);
    if (n > PLAY_SOURCES_MOST)
        return bad(hc, "playSources", "There are more than 10 play sources.");
    enum err err = ERR_NONE;
    for (size_t i = 0; i < n && !err; i++)
        err = read_source(hc, json_item(list, i), rq);
    return err;
}

static enum err play_read(struct http_call *hc)
{
    struct call_play *rq = hc->rq = arena_one(hc->arena, struct call_play);
    if (!rq)
        return ERR_NOMEM;
    enum err err = read_media(hc, rq);
    const struct json *to = json_member(hc->json, "playTo");
    if (!err && json_count(to) > 1)
        err = bad(hc, "playTo", "There is one participant besides the application.");
    if (!err)
        err = read_participant(hc, json_item(to, 0), "playTo", &rq->to);
    if (!err)
        err = read_sources(hc, json_member(hc->json, "playSources"), rq);
    if (!err && !rq->n)
        err = bad(hc, "playSources", "There is nothing to play.");
    rq->loop = json_bool_of(json_member(hc->json, "playOptions"), "loop", false);
    rq->interrupt = json_bool_of(hc->json, "interruptCallMediaOperation", false);
    return err;
}

static enum err play_run(struct http_call *hc)
{
    enum err err = calls_play(hc->api->calls, hc->resource, hc->params[0], hc->rq, &hc->why);
    if (!err)
        http_reply(hc, 202);
    return err;
}

static enum err read_seconds(struct http_call *hc, const struct json *j, const char *name, int64_t min, int64_t max,
                             int64_t otherwise, int64_t *us)
{
    int64_t s = json_int_of(j, name, otherwise);
    if (s < min || s > max) {
        problem_set(&hc->why, ERR_RANGE, "BadRequest", "%s must be between %lld and %lld seconds.", name,
                    (long long)min, (long long)max);
        problem_target(&hc->why, "%s", name);
        return ERR_RANGE;
    }
    *us = s * US_PER_S;
    return ERR_NONE;
}

static enum err read_tones(struct http_call *hc, const struct json *list, const char *name, char *tones, size_t most)
{
    size_t n = json_count(list);
    if (n > most)
        return bad(hc, name, "There are too many tones.");
    for (size_t i = 0; i < n; i++) {
        tones[i] = call_tone_of(json_text(json_item(list, i)));
        if (!tones[i])
            return bad(hc, name, "A tone is one of zero to nine, a to d, pound, asterisk.");
    }
    tones[n] = 0;
    return ERR_NONE;
}

static enum err read_dtmf(struct http_call *hc, const struct json *options, struct call_recognise *rq)
{
    const struct json *dtmf = json_member(options, "dtmfOptions");
    int64_t most = json_int_of(dtmf, "maxTonesToCollect", 0);
    rq->interruptible = json_bool_of(options, "interruptPrompt", false);
    enum err err = read_seconds(hc, options, "initialSilenceTimeoutInSeconds", 0, SILENCE_MOST_S, SILENCE_S,
                                &rq->silence_us);
    if (!err)
        err = read_seconds(hc, dtmf, "interToneTimeoutInSeconds", 1, GAP_MOST_S, GAP_S, &rq->gap_us);
    if (!err)
        err = read_tones(hc, json_member(dtmf, "stopTones"), "stopTones", rq->stop_tones, STOP_TONES_MOST);
    if (!err && (most < 0 || most > TONES_MOST))
        err = bad(hc, "maxTonesToCollect", "maxTonesToCollect must be between 1 and 64.");
    rq->tones_most = (unsigned)most;
    return err;
}

static bool is_input_type(struct str type)
{
    return str_eqz(type, "dtmf") || str_eqz(type, "speech") || str_eqz(type, "speechOrDtmf") || str_eqz(type, "choices");
}

static enum err recognise_read(struct http_call *hc)
{
    struct call_recognise *rq = hc->rq = arena_one(hc->arena, struct call_recognise);
    if (!rq)
        return ERR_NOMEM;
    enum err err = read_media(hc, &rq->prompt);
    const struct json *options = json_member(hc->json, "recognizeOptions");
    const struct json *prompt = json_member(hc->json, "playPrompt");
    struct str type = json_text_of(hc->json, "recognizeInputType");
    if (!err && !is_input_type(type))
        err = bad(hc, "recognizeInputType", "recognizeInputType is dtmf, speech, speechOrDtmf or choices.");
    else if (!err && !str_eqz(type, "dtmf"))
        err = rule_problem(&hc->why, ERR_UNBUILT, RULE_UNSUPPORTED_RECOGNIZE_INPUT, "anything but tones");
    if (!err)
        err = read_participant(hc, json_member(options, "targetParticipant"), "targetParticipant", &rq->prompt.to);
    if (!err && json_count(json_member(hc->json, "playPrompts")))
        err = read_sources(hc, json_member(hc->json, "playPrompts"), &rq->prompt);
    else if (!err && json_kind(prompt) == JSON_IS_OBJECT)
        err = read_source(hc, prompt, &rq->prompt);
    rq->prompt.interrupt = json_bool_of(hc->json, "interruptCallMediaOperation", false);
    return err ? err : read_dtmf(hc, options, rq);
}

static enum err recognise_run(struct http_call *hc)
{
    enum err err = calls_recognise(hc->api->calls, hc->resource, hc->params[0], hc->rq, &hc->why);
    if (!err)
        http_reply(hc, 202);
    return err;
}

static enum err cancel_run(struct http_call *hc)
{
    enum err err = calls_cancel_media(hc->api->calls, hc->resource, hc->params[0], &hc->why);
    if (!err)
        http_reply(hc, 202);
    return err;
}

/* -- tones -------------------------------------------------------------------------------------------------------- */
static enum err send_read(struct http_call *hc)
{
    struct call_tones *rq = hc->rq = arena_one(hc->arena, struct call_tones);
    if (!rq)
        return ERR_NOMEM;
    enum err err = read_operation(hc, &rq->context, &rq->callback_uri);
    if (!err)
        err = read_participant(hc, json_member(hc->json, "targetParticipant"), "targetParticipant", &rq->to);
    if (!err)
        err = read_tones(hc, json_member(hc->json, "tones"), "tones", rq->tones, TONES_MOST);
    if (!err && !rq->tones[0])
        err = bad(hc, "tones", "There are no tones to send.");
    rq->repeat_id = http_header(hc, "Repeatability-Request-ID");
    return err;
}

static enum err send_run(struct http_call *hc)
{
    const struct call_tones *rq = hc->rq;
    enum err err = calls_send_tones(hc->api->calls, hc->resource, hc->params[0], rq, &hc->why);
    if (err)
        return err;
    write_context(hc, rq->context);
    http_reply(hc, 202);
    return ERR_NONE;
}

struct watch_rq { struct str participant, context, callback_uri; };

static enum err watch_read(struct http_call *hc)
{
    struct watch_rq *rq = hc->rq = arena_one(hc->arena, struct watch_rq);
    if (!rq)
        return ERR_NOMEM;
    enum err err = read_operation(hc, &rq->context, &rq->callback_uri);
    return err ? err
        : read_participant(hc, json_member(hc->json, "targetParticipant"), "targetParticipant", &rq->participant);
}

static enum err watch(struct http_call *hc, bool on)
{
    const struct watch_rq *rq = hc->rq;
    enum err err = calls_watch_tones(hc->api->calls, hc->resource, hc->params[0], on, rq->participant, rq->context,
                                     rq->callback_uri, &hc->why);
    if (!err)
        http_reply(hc, 200);
    return err;
}

static enum err watch_run(struct http_call *hc)
{
    return watch(hc, true);
}

static enum err unwatch_run(struct http_call *hc)
{
    return watch(hc, false);
}

const struct http_route calling_routes[] = {
    { "POST", "/calling/callConnections", HTTP_RESOURCE,
      create_read, create_run, "CreateCall", "tests/unit/edge/api/test_calling_api.c, tests/api/calls.test.mjs" },
    { "POST", "/calling/callConnections:answer", HTTP_RESOURCE,
      answer_read, answer_run, "AnswerCall", "tests/unit/edge/api/test_calling_api.c, tests/api/calls.test.mjs" },
    { "POST", "/calling/callConnections:redirect", HTTP_RESOURCE, NULL, NULL, "RedirectCall", "" },
    { "POST", "/calling/callConnections:reject", HTTP_RESOURCE,
      take_read, reject_run, "RejectCall", "tests/unit/edge/api/test_calling_api.c, tests/api/calls.test.mjs" },
    { "POST", "/calling/callConnections:connect", HTTP_RESOURCE, NULL, NULL, "Connect", "" },
    { "GET", "/calling/callConnections/{callConnectionId}", HTTP_RESOURCE,
      NULL, get_run, "CallConnection_GetCall", "tests/unit/edge/api/test_calling_api.c, tests/api/calls.test.mjs" },
    { "DELETE", "/calling/callConnections/{callConnectionId}", HTTP_RESOURCE, NULL, hang_up_run,
      "CallConnection_HangupCall", "tests/unit/edge/api/test_calling_api.c, tests/api/calls.test.mjs" },
    { "POST", "/calling/callConnections/{callConnectionId}:terminate", HTTP_RESOURCE, NULL, terminate_run,
      "CallConnection_TerminateCall", "tests/unit/edge/api/test_calling_api.c, tests/api/calls.test.mjs" },
    { "POST", "/calling/callConnections/{callConnectionId}:transferToParticipant", HTTP_RESOURCE, NULL, NULL,
      "CallConnection_TransferToParticipant", "" },
    { "POST", "/calling/callConnections/{callConnectionId}:play", HTTP_RESOURCE,
      play_read, play_run, "CallMedia_Play", "tests/unit/edge/api/test_calling_api.c, tests/api/calls.test.mjs" },
    { "POST", "/calling/callConnections/{callConnectionId}:startTranscription", HTTP_RESOURCE, NULL, NULL,
      "CallMedia_StartTranscription", "" },
    { "POST", "/calling/callConnections/{callConnectionId}:stopTranscription", HTTP_RESOURCE, NULL, NULL,
      "CallMedia_StopTranscription", "" },
    { "POST", "/calling/callConnections/{callConnectionId}:updateTranscription", HTTP_RESOURCE, NULL, NULL,
      "CallMedia_UpdateTranscription", "" },
    { "POST", "/calling/callConnections/{callConnectionId}:cancelAllMediaOperations", HTTP_RESOURCE, NULL, cancel_run,
      "CallMedia_CancelAllMediaOperations", "tests/unit/edge/api/test_calling_api.c, tests/api/calls.test.mjs" },
    { "POST", "/calling/callConnections/{callConnectionId}:recognize", HTTP_RESOURCE, recognise_read, recognise_run,
      "CallMedia_Recognize", "tests/unit/edge/api/test_calling_api.c, tests/api/calls.test.mjs" },
    { "POST", "/calling/callConnections/{callConnectionId}:startContinuousDtmfRecognition", HTTP_RESOURCE,
      watch_read, watch_run,
      "CallMedia_StartContinuousDtmfRecognition", "tests/unit/edge/api/test_calling_api.c, tests/api/calls.test.mjs" },
    { "POST", "/calling/callConnections/{callConnectionId}:stopContinuousDtmfRecognition", HTTP_RESOURCE,
      watch_read, unwatch_run,
      "CallMedia_StopContinuousDtmfRecognition", "tests/unit/edge/api/test_calling_api.c, tests/api/calls.test.mjs" },
    { "POST", "/calling/callConnections/{callConnectionId}:sendDtmfTones", HTTP_RESOURCE, send_read, send_run,
      "CallMedia_SendDtmfTones", "tests/unit/edge/api/test_calling_api.c, tests/api/calls.test.mjs" },
    { "POST", "/calling/callConnections/{callConnectionId}:hold", HTTP_RESOURCE, NULL, NULL, "CallMedia_Hold", "" },
    { "POST", "/calling/callConnections/{callConnectionId}:unhold", HTTP_RESOURCE, NULL, NULL, "CallMedia_Unhold", "" },
    { "POST", "/calling/callConnections/{callConnectionId}:startMediaStreaming", HTTP_RESOURCE, NULL, NULL,
      "CallMedia_StartMediaStreaming", "" },
    { "POST", "/calling/callConnections/{callConnectionId}:stopMediaStreaming", HTTP_RESOURCE, NULL, NULL,
      "CallMedia_StopMediaStreaming", "" },
    { "GET", "/calling/callConnections/{callConnectionId}/participants", HTTP_RESOURCE, NULL, participants_run,
      "CallConnection_GetParticipants", "tests/unit/edge/api/test_calling_api.c, tests/api/calls.test.mjs" },
    { "POST", "/calling/callConnections/{callConnectionId}/participants:add", HTTP_RESOURCE, NULL, NULL,
      "CallConnection_AddParticipant", "" },
    { "POST", "/calling/callConnections/{callConnectionId}/participants:remove", HTTP_RESOURCE, NULL, NULL,
      "CallConnection_RemoveParticipant", "" },
    { "POST", "/calling/callConnections/{callConnectionId}/participants:mute", HTTP_RESOURCE, NULL, NULL,
      "CallConnection_Mute", "" },
    { "POST", "/calling/callConnections/{callConnectionId}/participants:cancelAddParticipant", HTTP_RESOURCE,
      NULL, NULL,
      "CallConnection_CancelAddParticipant", "" },
    { "POST", "/calling/callConnections/{callConnectionId}/participants:moveHere", HTTP_RESOURCE, NULL, NULL,
      "CallConnection_MoveParticipants", "" },
    { "GET", "/calling/callConnections/{callConnectionId}/participants/{participantRawId}", HTTP_RESOURCE,
      NULL, participant_run,
      "CallConnection_GetParticipant", "tests/unit/edge/api/test_calling_api.c, tests/api/calls.test.mjs" },
    { "POST", "/calling/recordings", HTTP_RESOURCE, NULL, NULL, "CallRecording_StartRecording", "" },
    { "GET", "/calling/recordings/{recordingId}", HTTP_RESOURCE, NULL, NULL,
      "CallRecording_GetRecordingProperties", "" },
    { "DELETE", "/calling/recordings/{recordingId}", HTTP_RESOURCE, NULL, NULL, "CallRecording_StopRecording", "" },
    { "POST", "/calling/recordings/{recordingId}:pause", HTTP_RESOURCE, NULL, NULL,
      "CallRecording_PauseRecording", "" },
    { "POST", "/calling/recordings/{recordingId}:resume", HTTP_RESOURCE, NULL, NULL,
      "CallRecording_ResumeRecording", "" },
    { 0 },
};
