/* Calls against scripted peers on a clock of our own (calls_world.h). */
#include "domain/explain/explain.h"
#include "replay/calls_world.h"

static const char WAVE[64] = "RIFF....WAVEfmt ";
#define PROMPT ((struct str){ WAVE, sizeof WAVE })
static const struct str PROMPT_URL = { "http://app.test/p.wav", 21 };

static void a_call_is_connected_and_ended(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+12065550110"), .context = STR("ctx") }), ERR_NONE);
    world_settle(w);
    assert_int_equal(w->answers, 1);
    assert_int_equal(w->err, ERR_NONE);
    assert_int_equal(w->view.progress, CALL_CONNECTING);
    assert_true(str_starts(str_of(w->source), STR("8:acs:")));
    assert_string_equal(asked(w), "open; ");
    media_opened(w);
    assert_string_equal(asked(w), "invite sim +12065550110 127.0.0.1:20000; ");
    leg_says(w, (struct signalling_news){ .kind = LEG_RINGING, .status = 180 });
    assert_string_equal(told(w), "");
    leg_answered(w);
    assert_string_equal(asked(w), "connect 127.0.0.1:30000; ");
    assert_string_equal(told(w), "CallConnected ParticipantsUpdated");
    expect_result(w, 0, 200, 0);

    struct call_view v;
    assert_int_equal(calls_find(w->calls, w->resource, str_of(w->id), &v, NULL), ERR_NONE);
    assert_int_equal(v.progress, CALL_CONNECTED);
    assert_int_equal(calls_hang_up(w->calls, w->resource, str_of(w->id), true, (struct str){ 0 }, on_answer, w, &w->why),
                     ERR_NONE);
    world_settle(w);
    assert_int_equal(w->answers, 2);
    assert_string_equal(asked(w), "hangup 16; ");
    leg_ended(w, 200, 0, false);
    assert_string_equal(asked(w), "close; ");
    assert_string_equal(told(w), "CallConnected ParticipantsUpdated CallDisconnected");
    expect_result(w, 2, 0, 7000);
    assert_int_equal(calls_find(w->calls, w->resource, str_of(w->id), &v, &w->why), ERR_ABSENT);
    assert_string_equal(w->why.code, "8522");
    media_says(w, (struct media_news){ .kind = MEDIA_CLOSED, .sent = 100, .received = 90, .lost = 1 });
}

static void callbacks_carry_the_ids_and_the_context(void **state)
{
    struct world *w = *state;
    scoped(json_doc) struct json_doc *doc = NULL;
    connected_call(w);
    const struct json *data = data_of(w, 0, &doc);
    assert_true(str_eqz(json_text_of(data, "callConnectionId"), w->id));
    assert_true(str_eqz(json_text_of(data, "correlationId"), w->view.correlation_id));
    assert_true(str_eqz(json_text_of(data, "serverCallId"), w->view.server_call_id));
    assert_true(str_eqz(json_text_of(data, "operationContext"), "ctx"));
    assert_true(str_eqz(json_text_of(data, "publicEventType"), "Microsoft.Communication.CallConnected"));
}

static void check_refusal(struct world *w, int status, int code, int subcode)
{
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+12065550150") }), ERR_NONE);
    world_settle(w);
    media_opened(w);
    leg_ended(w, status, 17, true);
    assert_string_equal(told(w), "CreateCallFailed");
    expect_result(w, 0, code, subcode);
    scoped(json_doc) struct json_doc *doc = NULL;
    const struct json *result = json_member(data_of(w, 0, &doc), "resultInformation");
    assert_int_equal(json_int_of(json_member(result, "sipDetails"), "code", 0), status);
    assert_int_equal(json_int_of(json_member(result, "q850Details"), "code", 0), 17);
    media_says(w, (struct media_news){ .kind = MEDIA_CLOSED });
    forget_told(w);
}

static void a_refused_call_tells_the_carriers_reason(void **state)
{
    struct world *w = *state;
    check_refusal(w, 486, 486, 560486);
    check_refusal(w, 603, 603, 560603);
    check_refusal(w, 404, 404, 560404);
    check_refusal(w, 480, 480, 560480);
    check_refusal(w, 502, 500, 560500);
}

static void a_call_that_nobody_answers_fails(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+12065550151") }), ERR_NONE);
    world_settle(w);
    media_opened(w);
    leg_says(w, (struct signalling_news){ .kind = LEG_RINGING, .status = 180 });
    leg_ended(w, 408, 19, false);       /* the edge gave up ringing */
    assert_string_equal(told(w), "CreateCallFailed");
    expect_result(w, 0, 480, 560480);
}

static void a_caller_id_that_is_not_leased_is_refused(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_create(w, (struct call_new){ .from = STR("+12065559999"), .to = STR("+12065550110") }), ERR_NONE);
    world_settle(w);
    assert_int_equal(w->err, ERR_FORBIDDEN);
    assert_string_equal(w->why.code, "510403");
    assert_string_equal(w->why.rule, "CallerIdNotLeased");
    assert_true(strlen(w->why.suggestion) > 0);
    assert_string_equal(asked(w), "");
    assert_string_equal(told(w), "");
}

static void another_resources_number_is_no_caller_id(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_create(w, (struct call_new){ .resource = w->resource + 1, .to = STR("+12065550110") }), ERR_NONE);
    world_settle(w);
    assert_int_equal(w->err, ERR_FORBIDDEN);
    assert_string_equal(w->why.rule, "CallerIdNotLeased");
}

static void a_destination_outside_the_edition_is_refused(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+19005550100") }), ERR_NONE);
    world_settle(w);
    assert_int_equal(w->err, ERR_FORBIDDEN);
    assert_string_equal(w->why.rule, "DestinationClosed");
    assert_string_equal(asked(w), "");
}

static void the_third_call_at_once_from_a_number_fails(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 2; i++) {
        connected_call(w);
        forget_told(w);
    }
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+12065550112") }), ERR_NONE);
    world_settle(w);
    assert_int_equal(w->err, ERR_NONE);
    assert_string_equal(asked(w), "");
    assert_string_equal(told(w), "CreateCallFailed");
    expect_result(w, 0, 603, 560603);
    forget_told(w);
    leg_ended(w, 200, 0, true);         /* one of the two ends: there is room again */
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+12065550112") }), ERR_NONE);
    world_settle(w);
    assert_string_equal(told(w), "CallDisconnected");
}

static void an_emergency_call_goes_to_the_simulator_over_any_limit(void **state)
{
    struct world *w = *state;
    connected_call(w);
    connected_call(w);
    forget_told(w);
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+1911") }), ERR_NONE);
    world_settle(w);
    media_opened(w);
    assert_string_equal(asked(w), "open; invite sim 911 127.0.0.1:20000; ");
}

static void hanging_up_before_the_answer_cancels(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+12065550110") }), ERR_NONE);
    world_settle(w);
    media_opened(w);
    forget_told(w);
    assert_int_equal(calls_hang_up(w->calls, w->resource, str_of(w->id), false, (struct str){ 0 }, on_answer, w, NULL),
                     ERR_NONE);
    world_settle(w);
    leg_answered(w);                    /* the answer crosses the CANCEL */
    assert_string_equal(asked(w), "hangup 16; hangup 16; ");
    leg_ended(w, 200, 0, false);
    assert_string_equal(told(w), "CreateCallFailed CallDisconnected");
    expect_result(w, 0, 487, 540487);
}

static void both_sides_hanging_up_at_once_end_it_once(void **state)
{
    struct world *w = *state;
    connected_call(w);
    forget_told(w);
    struct signalling_news bye = { .kind = LEG_ENDED, .leg = w->leg, .status = 200, .by_peer = true };
    assert_int_equal(calls_hang_up(w->calls, w->resource, str_of(w->id), true, (struct str){ 0 }, on_answer, w, NULL),
                     ERR_NONE);
    assert_int_equal(calls_tell_signalling(w->calls, &bye), ERR_NONE);
    world_settle(w);
    leg_ended(w, 200, 0, false);
    assert_string_equal(told(w), "CallDisconnected");
    assert_string_equal(asked(w), "hangup 16; close; ");
    assert_int_equal(calls_hang_up(w->calls, w->resource, str_of(w->id), true, (struct str){ 0 }, on_answer, w, NULL),
                     ERR_NONE);
    world_settle(w);
    assert_int_equal(w->err, ERR_ABSENT);
    assert_string_equal(w->why.code, "8522");
}

static void a_phone_that_hangs_up_ends_the_call(void **state)
{
    struct world *w = *state;
    connected_call(w);
    leg_ended(w, 200, 16, true);
    assert_string_equal(told(w), "CallConnected ParticipantsUpdated CallDisconnected");
    expect_result(w, 2, 0, 560000);
}

static void a_platform_that_stops_ends_its_calls_itself(void **state)
{
    struct world *w = *state;
    connected_call(w);
    leg_ended(w, 200, 0, false);        /* sip_edge_stop(): nobody asked us */
    expect_result(w, 2, 0, 7000);
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+12065550110") }), ERR_NONE);
    world_settle(w);
    media_opened(w);
    leg_ended(w, 487, 0, false);
    expect_result(w, 3, 487, 540487);
}

static void an_edge_that_never_says_the_end_does_not_keep_the_call(void **state)
{
    struct world *w = *state;
    connected_call(w);
    forget_told(w);
    assert_int_equal(calls_hang_up(w->calls, w->resource, str_of(w->id), true, (struct str){ 0 }, on_answer, w, NULL),
                     ERR_NONE);
    world_settle(w);
    assert_string_equal(told(w), "");
    world_pass(w, 11 * US_PER_S);
    assert_string_equal(told(w), "CallDisconnected");
}

static void no_audio_socket_fails_the_call(void **state)
{
    struct world *w = *state;
    w->open_err = ERR_BUSY;
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+12065550110") }), ERR_NONE);
    world_settle(w);
    assert_string_equal(told(w), "CreateCallFailed");
    expect_result(w, 0, 500, 560500);
}

static void a_repeated_request_makes_one_call(void **state)
{
    struct world *w = *state;
    struct call_new rq = { .to = STR("+12065550110"), .repeat_id = STR("d6b0f2d1-1b3f-4b43-9c1d-000000000001") };
    assert_int_equal(world_create(w, rq), ERR_NONE);
    assert_int_equal(world_create(w, rq), ERR_NONE);    /* while the first is being decided */
    world_settle(w);
    assert_int_equal(w->answers, 2);
    char id[GUID_SIZE];
    memcpy(id, w->id, sizeof id);
    media_opened(w);
    leg_ended(w, 486, 0, true);
    assert_int_equal(world_create(w, rq), ERR_NONE);    /* long after */
    world_settle(w);
    assert_int_equal(w->answers, 3);
    assert_string_equal(w->id, id);
    assert_int_equal(w->view.progress, CALL_CONNECTING);
    assert_string_equal(asked(w), "open; invite sim +12065550110 127.0.0.1:20000; close; ");
}

static void a_repeated_terminate_is_answered_again(void **state)
{
    struct world *w = *state;
    struct str id = STR("d6b0f2d1-1b3f-4b43-9c1d-000000000002");
    connected_call(w);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(calls_hang_up(w->calls, w->resource, str_of(w->id), true, id, on_answer, w, NULL), ERR_NONE);
        world_settle(w);
        assert_int_equal(w->err, ERR_NONE);
        leg_ended(w, 200, 0, false);
    }
    assert_string_equal(told(w), "CallConnected ParticipantsUpdated CallDisconnected");
}

/* -- media --------------------------------------------------------------------------------------------------------- */
static enum err play(struct world *w, struct call_play rq)
{
    if (!rq.n)
        rq.uris[rq.n++] = PROMPT_URL;
    enum err err = calls_play(w->calls, w->resource, str_of(w->id), &rq, &w->why);
    world_settle(w);
    return err;
}

static void a_prompt_is_fetched_and_played(void **state)
{
    struct world *w = *state;
    connected_call(w);
    forget_told(w);
    w->prompt = PROMPT;
    assert_int_equal(play(w, (struct call_play){ .context = STR("p") }), ERR_NONE);
    assert_string_equal(asked(w), "play 64; ");
    assert_string_equal(told(w), "PlayStarted");
    media_says(w, (struct media_news){ .kind = MEDIA_PLAYED, .op = w->media_op });
    assert_string_equal(told(w), "PlayStarted PlayCompleted");
    expect_result(w, 1, 200, 0);
    scoped(json_doc) struct json_doc *doc = NULL;
    assert_true(str_eqz(json_text_of(data_of(w, 1, &doc), "operationContext"), "p"));
}

static void several_files_are_played_in_order(void **state)
{
    struct world *w = *state;
    connected_call(w);
    forget_told(w);
    w->prompt = PROMPT;
    assert_int_equal(play(w, (struct call_play){ .n = 2, .uris = { PROMPT_URL, PROMPT_URL } }), ERR_NONE);
    media_says(w, (struct media_news){ .kind = MEDIA_PLAYED, .op = w->media_op });
    assert_string_equal(told(w), "PlayStarted");
    media_says(w, (struct media_news){ .kind = MEDIA_PLAYED, .op = w->media_op });
    assert_string_equal(asked(w), "play 64; play 64; ");
    assert_string_equal(told(w), "PlayStarted PlayCompleted");
}

static void a_prompt_that_cannot_be_used_is_play_failed(void **state)
{
    struct world *w = *state;
    connected_call(w);
    forget_told(w);
    w->prompt_status = 404;
    assert_int_equal(play(w, (struct call_play){ 0 }), ERR_NONE);
    assert_string_equal(told(w), "PlayFailed");
    expect_result(w, 0, 400, 8536);
    w->prompt_status = 200;
    w->prompt = STR("<html>");
    assert_int_equal(play(w, (struct call_play){ 0 }), ERR_NONE);
    expect_result(w, 1, 400, 8535);
    w->prompt = PROMPT;                 /* looks like one, but media cannot read it */
    assert_int_equal(play(w, (struct call_play){ 0 }), ERR_NONE);
    media_says(w, (struct media_news){ .kind = MEDIA_PLAYED, .op = w->media_op, .err = ERR_SYNTAX });
    assert_string_equal(told(w), "PlayFailed PlayFailed PlayStarted PlayFailed");
    expect_result(w, 3, 400, 8535);
    w->prompt_err = ERR_TIMEOUT;
    assert_int_equal(play(w, (struct call_play){ 0 }), ERR_NONE);
    expect_result(w, 4, 400, 8536);
}

static void operations_wait_their_turn_and_are_cancelled_together(void **state)
{
    struct world *w = *state;
    connected_call(w);
    forget_told(w);
    w->prompt = PROMPT;
    assert_int_equal(play(w, (struct call_play){ .loop = true, .context = STR("a") }), ERR_NONE);
    assert_int_equal(play(w, (struct call_play){ .context = STR("b") }), ERR_NONE);
    assert_string_equal(asked(w), "play 64 again and again; ");
    assert_int_equal(calls_cancel_media(w->calls, w->resource, str_of(w->id), NULL), ERR_NONE);
    world_settle(w);
    assert_string_equal(asked(w), "stop; ");
    assert_string_equal(told(w), "PlayStarted PlayCanceled PlayCanceled");
    expect_result(w, 1, 400, 8508);
}

static void an_interrupting_play_takes_over(void **state)
{
    struct world *w = *state;
    connected_call(w);
    forget_told(w);
    w->prompt = PROMPT;
    assert_int_equal(play(w, (struct call_play){ .loop = true }), ERR_NONE);
    assert_int_equal(play(w, (struct call_play){ .interrupt = true }), ERR_NONE);
    assert_string_equal(asked(w), "play 64 again and again; stop; play 64; ");
    assert_string_equal(told(w), "PlayStarted PlayCanceled PlayStarted");
}

static void an_operation_may_name_its_own_callback(void **state)
{
    struct world *w = *state;
    connected_call(w);
    forget_told(w);
    w->prompt_status = 500;
    assert_int_equal(play(w, (struct call_play){ .callback_uri = STR("http://other.test/") }), ERR_NONE);
    assert_string_equal(told(w), "PlayFailed");
    assert_string_equal(w->post_urls[0], "http://other.test/");
}

static void media_needs_a_connected_call(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+12065550110") }), ERR_NONE);
    world_settle(w);
    assert_int_equal(play(w, (struct call_play){ 0 }), ERR_RANGE);
    assert_string_equal(w->why.code, "8501");
}

static struct call_recognise three_tones(void)
{
    return (struct call_recognise){ .silence_us = 5 * US_PER_S, .gap_us = 2 * US_PER_S, .tones_most = 3 };
}

static void recognise(struct world *w, struct call_recognise rq)
{
    assert_int_equal(calls_recognise(w->calls, w->resource, str_of(w->id), &rq, &w->why), ERR_NONE);
    world_settle(w);
}

static void expect_tones(struct world *w, size_t i, const char *words)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    scoped_buf got = { 0 };
    const struct json *data = data_of(w, i, &doc);
    const struct json *tones = json_member(json_member(data, "dtmfResult"), "tones");
    assert_true(str_eqz(json_text_of(data, "recognitionType"), "dtmf"));
    for (size_t k = 0; k < json_count(tones); k++) {
        buf_puts(&got, json_text(json_item(tones, k)));
        buf_putc(&got, ' ');
    }
    buf_putc(&got, 0);
    assert_string_equal(got.p, words);
}

static void three_digits_are_recognised(void **state)
{
    struct world *w = *state;
    connected_call(w);
    forget_told(w);
    recognise(w, three_tones());
    tone(w, '4');
    tone(w, '2');
    assert_string_equal(told(w), "");
    tone(w, '#');
    assert_string_equal(told(w), "RecognizeCompleted");
    expect_result(w, 0, 200, 8531);
    expect_tones(w, 0, "four two pound ");
    world_pass(w, 100 * US_PER_S);
    assert_string_equal(told(w), "RecognizeCompleted");
}

static void a_tone_may_cut_the_prompt_short(void **state)
{
    struct world *w = *state;
    struct call_recognise rq = three_tones();
    rq.prompt.uris[rq.prompt.n++] = PROMPT_URL;
    rq.interruptible = true;
    rq.stop_tones[0] = '*';
    w->prompt = PROMPT;
    connected_call(w);
    forget_told(w);
    recognise(w, rq);
    assert_string_equal(asked(w), "play 64; ");
    tone(w, '7');
    assert_string_equal(asked(w), "stop; ");
    tone(w, '*');
    assert_string_equal(told(w), "RecognizeCompleted");
    expect_result(w, 0, 200, 8514);
    expect_tones(w, 0, "seven ");
}

static void silence_ends_recognition(void **state)
{
    struct world *w = *state;
    connected_call(w);
    forget_told(w);
    recognise(w, three_tones());
    world_pass(w, 5 * US_PER_S - 1);
    assert_string_equal(told(w), "");
    world_pass(w, 1);
    assert_string_equal(told(w), "RecognizeFailed");
    expect_result(w, 0, 400, 8510);
    recognise(w, three_tones());
    tone(w, '1');
    world_pass(w, 2 * US_PER_S);
    assert_string_equal(told(w), "RecognizeFailed RecognizeCompleted");
    expect_result(w, 1, 400, 8532);
    expect_tones(w, 1, "one ");
}

static void a_prompt_that_fails_is_recognize_failed(void **state)
{
    struct world *w = *state;
    struct call_recognise rq = three_tones();
    rq.prompt.uris[rq.prompt.n++] = PROMPT_URL;
    w->prompt_status = 404;
    connected_call(w);
    forget_told(w);
    recognise(w, rq);
    assert_string_equal(told(w), "RecognizeFailed");
    expect_result(w, 0, 500, 8511);
}

static void what_runs_is_cancelled_when_the_call_ends(void **state)
{
    struct world *w = *state;
    connected_call(w);
    forget_told(w);
    w->prompt = PROMPT;
    assert_int_equal(play(w, (struct call_play){ 0 }), ERR_NONE);
    recognise(w, three_tones());
    leg_ended(w, 200, 16, true);
    assert_string_equal(told(w), "PlayStarted PlayCanceled RecognizeCanceled CallDisconnected");
}

static void tones_are_sent_and_told(void **state)
{
    struct world *w = *state;
    connected_call(w);
    forget_told(w);
    struct call_tones rq = { .tones = "12#", .context = STR("s"), .repeat_id = STR("same") };
    for (int i = 0; i < 2; i++)         /* the second is a repetition */
        assert_int_equal(calls_send_tones(w->calls, w->resource, str_of(w->id), &rq, &w->why), ERR_NONE);
    world_settle(w);
    assert_string_equal(asked(w), "send 12#; ");
    media_says(w, (struct media_news){ .kind = MEDIA_SENT, .op = w->media_op });
    assert_string_equal(told(w), "SendDtmfTonesCompleted");
    assert_string_equal(asked(w), "");
}

static void tones_that_were_refused_are_no_repetition(void **state)
{
    struct world *w = *state;
    connected_call(w);
    forget_told(w);
    struct call_tones rq = { .tones = "1" }, last = { .tones = "9", .repeat_id = STR("again") };
    while (!calls_send_tones(w->calls, w->resource, str_of(w->id), &rq, &w->why))
        ;
    assert_int_equal(calls_send_tones(w->calls, w->resource, str_of(w->id), &last, &w->why), ERR_BUSY);
    assert_int_equal(calls_cancel_media(w->calls, w->resource, str_of(w->id), &w->why), ERR_NONE);
    world_settle(w);
    (void)asked(w);
    assert_int_equal(calls_send_tones(w->calls, w->resource, str_of(w->id), &last, &w->why), ERR_NONE);
    assert_string_equal(asked(w), "send 9; ");
}

static void each_tone_is_told_while_watched(void **state)
{
    struct world *w = *state;
    struct str none = { 0 };
    connected_call(w);
    forget_told(w);
    assert_int_equal(calls_watch_tones(w->calls, w->resource, str_of(w->id), true, none, STR("c"), none, NULL), ERR_NONE);
    tone(w, '5');
    tone(w, 'A');
    assert_int_equal(calls_watch_tones(w->calls, w->resource, str_of(w->id), false, none, none, none, NULL), ERR_NONE);
    tone(w, '6');
    assert_string_equal(told(w), "ContinuousDtmfRecognitionToneReceived ContinuousDtmfRecognitionToneReceived "
                                 "ContinuousDtmfRecognitionStopped");
    scoped(json_doc) struct json_doc *doc = NULL;
    const struct json *data = data_of(w, 1, &doc);
    assert_int_equal(json_int_of(data, "sequenceId", 0), 2);
    assert_true(str_eqz(json_text_of(data, "tone"), "a"));
}

/* -- records and restarts ------------------------------------------------------------------------------------------ */
static void on_json(void *arg, enum err err, struct str json)
{
    struct buf *b = arg;
    assert_int_equal(err, ERR_NONE);
    buf_puts(b, json);
    buf_putc(b, 0);
}

static void explain_tells_the_decisions_and_the_protocol(void **state)
{
    struct world *w = *state;
    scoped_buf got = { 0 };
    connected_call(w);
    leg_ended(w, 200, 16, true);
    media_says(w, (struct media_news){ .kind = MEDIA_CLOSED, .sent = 100, .received = 90, .lost = 1 });
    scoped(explain) struct explain *x = NULL;
    struct explain_conf conf = { .control = &w->control, .accounts = w->accounts, .calls = w->calls, .events = w->events };
    assert_int_equal(explain_new(&x, &conf), ERR_NONE);
    assert_int_equal(explain_ask(x, w->resource, str_of(w->id), on_json, &got, &w->why), ERR_NONE);
    for (int i = 0; i < 1000 && !got.n; i++)
        world_settle(w);
    assert_true(got.n);
    const char *const steps[] = { "is leased by this resource", "INVITE by trunk sim", "180, ringing", "answered",
                                  "CallConnected", "0/560000", "100 packets sent" };
    const char *at = got.p;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        at = strstr(at, steps[i]);
        assert_non_null(at);
    }
    assert_int_equal(explain_ask(x, 0, STR("nonsense"), on_json, &got, &w->why), ERR_ABSENT);
}

static void a_restart_ends_the_calls_it_cut_off(void **state)
{
    struct world *w = *state;
    connected_call(w);
    forget_told(w);
    calls_free(w->calls);               /* as if the process had died here */
    world_calls(w);
    world_settle(w);
    assert_string_equal(told(w), "CallDisconnected");
    expect_result(w, 0, 500, 560500);
    struct call_view v;
    assert_int_equal(calls_find(w->calls, w->resource, str_of(w->id), &v, NULL), ERR_ABSENT);
}

static void on_subscribed(void *arg, enum err err, uint64_t key, const struct problem *why)
{
    (void)arg, (void)key, (void)why;
    assert_int_equal(err, ERR_NONE);
}

static void a_call_to_a_number_that_nobody_leases_is_404(void **state)
{
    struct world *w = *state;
    struct signalling_news offer = { .kind = LEG_OFFERED, .simulated = true,
                                     .from = STR("+12065550110"), .to = STR("+12065559998") };
    leg_says(w, offer);
    assert_string_equal(asked(w), "reject 404/1; ");
}

static void a_real_trunk_finds_no_simulated_number(void **state)
{
    struct world *w = *state;
    leg_says(w, (struct signalling_news){ .kind = LEG_OFFERED, .trunk = STR("acme"), .from = STR("+12065550110"),
                                          .to = str_of(w->caller) });
    assert_string_equal(asked(w), "reject 404/1; ");
}

static void a_call_that_nobody_wants_is_480(void **state)
{
    struct world *w = *state;
    leg_says(w, (struct signalling_news){ .kind = LEG_OFFERED, .simulated = true, .from = STR("+12065550110"),
                                          .to = str_of(w->caller) });
    assert_string_equal(asked(w), "reject 480/20; ");
}

static void on_subscribed_to(void *arg, enum err err, uint64_t key, const struct problem *why)
{
    (void)why;
    assert_int_equal(err, ERR_NONE);
    *(uint64_t *)arg = key;
}

/* Wanted by the number as it is leased, however the trunk writes it; and by what the caller is called. */
static void a_call_rings_when_a_filter_lets_it_through(void **state)
{
    struct world *w = *state;
    static const char *const forms[] = {
        "{\"advancedFilters\":[{\"operatorType\":\"StringIn\",\"key\":\"data.to.phoneNumber.value\",\"values\":[\"%s\"]}]}",
        "{\"subjectEndsWith\":\"/recipient/4:%s\"}",
    };
    const char *called[] = { "+18445550199", w->caller };
    uint64_t subscription = 0;
    for (size_t i = 0; i < 2 * ARRAY_LEN(forms); i++) {
        char text[256];
        scoped(json_doc) struct json_doc *doc = NULL;
        snprintf(text, sizeof text, forms[i / 2], called[i % 2]);
        assert_int_equal(json_read(&doc, str_of(text), NULL), ERR_NONE);
        struct event_subscription_new sub = { .resource = w->resource, .url = STR("http://app.test/events"), .cloud = true,
                                              .filter = json_root(doc) };
        assert_int_equal(events_subscribe(w->events, &sub, on_subscribed_to, &subscription, &w->why), ERR_NONE);
        world_settle(w);
        forget_told(w);
        w->leg.v = ids_next(w->control.ids);
        leg_says(w, (struct signalling_news){ .kind = LEG_OFFERED, .simulated = true, .from = STR("+12065550110"),
                                              .to = str_of(w->caller) });
        assert_string_equal(asked(w), i % 2 ? "ring; " : "reject 480/20; ");
        assert_int_equal(events_unsubscribe(w->events, subscription, NULL, NULL), ERR_NONE);
        world_settle(w);
    }
}

/* A subscription, and a call that rings: its incomingCallContext. */
static void ringing_in(struct world *w, char context[256])
{
    struct event_subscription_new sub = { .resource = w->resource, .url = STR("http://app.test/events"), .cloud = true };
    if (!events_wanted(w->events, &(struct event_new){ .resource = w->resource, .type = STR("Microsoft.Communication.IncomingCall") }))
        assert_int_equal(events_subscribe(w->events, &sub, on_subscribed, w, &w->why), ERR_NONE);
    world_settle(w);
    forget_told(w);
    w->leg.v = ids_next(w->control.ids);
    leg_says(w, (struct signalling_news){ .kind = LEG_OFFERED, .from = STR("+12065550110"), .to = str_of(w->caller),
                                          .display = STR("Ann"), .trunk = STR("sim"), .simulated = true,
                                          .remote = { .host = "127.0.0.1", .port = 30000 } });
    assert_string_equal(asked(w), "ring; ");
    assert_int_equal(w->posts_n, 1);
    scoped(json_doc) struct json_doc *doc = NULL;
    assert_int_equal(json_read(&doc, str_of(w->posts[0]), NULL), ERR_NONE);
    const struct json *event = json_kind(json_root(doc)) == JSON_IS_ARRAY ? json_item(json_root(doc), 0) : json_root(doc);
    const struct json *data = json_member(event, "data");
    assert_true(str_eqz(json_text_of(event, "type"), "Microsoft.Communication.IncomingCall"));
    assert_true(str_eqz(json_text_of(json_member(json_member(data, "from"), "phoneNumber"), "value"), "+12065550110"));
    assert_true(str_eqz(json_text_of(json_member(json_member(data, "to"), "phoneNumber"), "value"), w->caller));
    str_copyz(context, 256, json_text_of(data, "incomingCallContext"));
    assert_true(str_starts(str_of(context), STR("eyJ")));
    forget_told(w);
}

static enum err take(struct world *w, uint64_t resource, const char *context)
{
    struct call_take rq = { .resource = resource, .incoming = str_of(context), .callback_uri = STR("http://app.test/cb"),
                            .context = STR("in") };
    assert_int_equal(calls_answer(w->calls, &rq, on_answer, w, &w->why), ERR_NONE);
    world_settle(w);
    return w->err;
}

static void an_incoming_call_is_answered(void **state)
{
    struct world *w = *state;
    char context[256];
    ringing_in(w, context);
    assert_int_equal(take(w, w->resource, context), ERR_NONE);
    assert_string_equal(asked(w), "open; ");
    media_opened(w);
    assert_string_equal(asked(w), "answer 127.0.0.1:20000; ");
    leg_answered(w);
    assert_string_equal(asked(w), "connect 127.0.0.1:30000; ");
    assert_string_equal(told(w), "CallConnected ParticipantsUpdated");
    assert_int_equal(take(w, w->resource, context), ERR_ABSENT);    /* once only */
    leg_ended(w, 200, 16, true);
    assert_string_equal(told(w), "CallConnected ParticipantsUpdated CallDisconnected");
    scoped(json_doc) struct json_doc *doc = NULL;
    assert_true(str_eqz(json_text_of(data_of(w, 0, &doc), "operationContext"), "in"));
}

static void an_incoming_call_is_rejected(void **state)
{
    struct world *w = *state;
    char context[256];
    ringing_in(w, context);
    struct call_take rq = { .resource = w->resource, .incoming = str_of(context) };
    assert_int_equal(calls_decline(w->calls, &rq, DECLINE_BUSY, on_answer, w, &w->why), ERR_NONE);
    world_settle(w);
    assert_int_equal(w->err, ERR_NONE);
    assert_string_equal(asked(w), "reject 486/17; ");
    leg_ended(w, 486, 17, false);
    assert_string_equal(told(w), "");       /* published: no callback */
}

static void an_incoming_call_rings_for_thirty_seconds(void **state)
{
    struct world *w = *state;
    char context[256];
    ringing_in(w, context);
    world_pass(w, 30 * US_PER_S - 1);
    assert_string_equal(asked(w), "");
    world_pass(w, 1);
    assert_string_equal(asked(w), "reject 480/19; ");
    assert_int_equal(take(w, w->resource, context), ERR_ABSENT);
}

static void a_caller_may_give_up(void **state)
{
    struct world *w = *state;
    char context[256];
    ringing_in(w, context);
    leg_ended(w, 487, 0, true);
    assert_int_equal(take(w, w->resource, context), ERR_ABSENT);
    assert_string_equal(told(w), "");
    ringing_in(w, context);
    assert_int_equal(take(w, w->resource, context), ERR_NONE);      /* and now between answer and media */
    leg_ended(w, 487, 0, true);
    assert_string_equal(told(w), "AnswerFailed");
    expect_result(w, 0, 487, 540487);
}

static void another_resource_cannot_answer(void **state)
{
    struct world *w = *state;
    char context[256];
    ringing_in(w, context);
    assert_int_equal(take(w, w->resource + 1, context), ERR_ABSENT);
    assert_int_equal(take(w, w->resource, "eyJjYyI6IiJ9"), ERR_ABSENT);
    assert_string_equal(asked(w), "");
}

static void a_call_placed_with_a_prompt_plays_it(void **state)
{
    struct world *w = *state;
    w->prompt = PROMPT;
    assert_int_equal(world_create(w, (struct call_new){ .to = STR("+12065550110"), .play = PROMPT_URL }), ERR_NONE);
    world_settle(w);
    media_opened(w);
    leg_answered(w);
    assert_string_equal(told(w), "CallConnected ParticipantsUpdated PlayStarted");
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_make, world_end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_call_is_connected_and_ended), T(callbacks_carry_the_ids_and_the_context),
        T(a_refused_call_tells_the_carriers_reason), T(a_call_that_nobody_answers_fails),
        T(a_caller_id_that_is_not_leased_is_refused), T(another_resources_number_is_no_caller_id),
        T(a_destination_outside_the_edition_is_refused), T(the_third_call_at_once_from_a_number_fails),
        T(an_emergency_call_goes_to_the_simulator_over_any_limit), T(hanging_up_before_the_answer_cancels),
        T(both_sides_hanging_up_at_once_end_it_once), T(a_phone_that_hangs_up_ends_the_call),
        T(a_platform_that_stops_ends_its_calls_itself),
        T(an_edge_that_never_says_the_end_does_not_keep_the_call), T(no_audio_socket_fails_the_call),
        T(a_repeated_request_makes_one_call), T(a_repeated_terminate_is_answered_again),
        T(a_prompt_is_fetched_and_played), T(several_files_are_played_in_order),
        T(a_prompt_that_cannot_be_used_is_play_failed), T(operations_wait_their_turn_and_are_cancelled_together),
        T(an_interrupting_play_takes_over), T(an_operation_may_name_its_own_callback), T(media_needs_a_connected_call),
        T(three_digits_are_recognised), T(a_tone_may_cut_the_prompt_short), T(silence_ends_recognition),
        T(a_prompt_that_fails_is_recognize_failed), T(what_runs_is_cancelled_when_the_call_ends),
        T(tones_are_sent_and_told), T(tones_that_were_refused_are_no_repetition),
        T(each_tone_is_told_while_watched), T(explain_tells_the_decisions_and_the_protocol),
        T(a_restart_ends_the_calls_it_cut_off), T(a_call_to_a_number_that_nobody_leases_is_404),
        T(a_real_trunk_finds_no_simulated_number), T(a_call_that_nobody_wants_is_480), T(an_incoming_call_is_answered),
        T(a_call_rings_when_a_filter_lets_it_through),
        T(an_incoming_call_is_rejected), T(an_incoming_call_rings_for_thirty_seconds), T(a_caller_may_give_up),
        T(another_resource_cannot_answer), T(a_call_placed_with_a_prompt_plays_it),
    };
    return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
