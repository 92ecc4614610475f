/* The same calls over the real edges: our SIP and RTP to the simulated phone network, on loopback sockets and real time.
 * Slow beside the scripted ones (seconds), so only what scripts cannot show: that both sides mean the same. */
#include "replay/calls_world.h"

#include "edge/media/media_edge.h"
#include "edge/sip/sip_edge.h"
#include "hear.h"
#include "sim/sim.h"

#include <stdatomic.h>
#include <unistd.h>

enum { RATE = 8000, PROMPT_SAMPLES = 2 * RATE, PATIENCE_MS = 20000, STEP_MS = 5 };

struct wires {
    struct world       *w;
    struct sip_edge    *sip;
    struct media_edge  *media;
    struct sim         *sim;
    int16_t             prompt[PROMPT_SAMPLES];
    char                record[128];
    struct buf          file;
    _Atomic int         commanded;      /* outcomes of sim_command */
    enum err            command_err;
};
static struct wires wires;

static void put_le(struct buf *b, uint32_t v, int octets)
{
    for (; octets--; v >>= 8)
        buf_putc(b, (char)(v & 0xff));
}

/* RIFF/WAVE, PCM 16 bit mono 8 kHz. */
static void wave_write(struct buf *b, const int16_t *x, size_t n)
{
    uint32_t octets = (uint32_t)(2 * n);
    buf_putz(b, "RIFF");
    put_le(b, 36 + octets, 4);
    buf_putz(b, "WAVEfmt ");
    put_le(b, 16, 4);
    put_le(b, 1, 2);
    put_le(b, 1, 2);
    put_le(b, RATE, 4);
    put_le(b, 2 * RATE, 4);
    put_le(b, 2, 2);
    put_le(b, 16, 2);
    buf_putz(b, "data");
    put_le(b, octets, 4);
    for (size_t i = 0; i < n; i++)
        put_le(b, (uint16_t)x[i], 2);
}

static void on_command(void *arg, enum err err, struct str answer, const struct problem *why)
{
    struct wires *v = arg;
    (void)answer, (void)why;
    v->command_err = err;
    atomic_fetch_add(&v->commanded, 1);
}

static void handset(struct wires *v, const char *verb, const char *args)
{
    int before = atomic_load(&v->commanded);
    assert_int_equal(sim_command(v->sim, str_of(verb), str_of(args), on_command, v), ERR_NONE);
    for (int ms = 0; atomic_load(&v->commanded) == before; ms++) {
        assert_true(ms < PATIENCE_MS);
        usleep(1000);
    }
    assert_int_equal(v->command_err, ERR_NONE);
}

/* Run control until the callbacks told end with this one. */
static void until_told(struct wires *v, const char *type)
{
    for (int ms = 0;; ms += STEP_MS) {
        world_settle(v->w);
        struct str all = str_of(told(v->w));
        if (str_ends(all, str_of(type)))
            return;
        if (ms >= PATIENCE_MS)
            fail_msg("told only: %s", all.p);
        usleep(STEP_MS * 1000);
    }
}

/* Real timers would need control's loop to run; calls need none in these scripts. */
static int wires_make(void **state)
{
    struct wires *v = &wires;
    struct problem why = { 0 };
    void *world;
    memset(v, 0, sizeof *v);
    world_make(&world);
    v->w = world;
    struct sim_conf sim = { .smpp_host = "127.0.0.1", .sip_host = "127.0.0.1", .inbound_host = "127.0.0.1", .seed = 1 };
    assert_int_equal(sim_new(&v->sim, &sim, &why), ERR_NONE);
    assert_int_equal(sim_start(v->sim, &why), ERR_NONE);
    struct media_edge_conf media = { .host = "127.0.0.1", .tell = calls_tell_media, .calls = v->w->calls };
    assert_int_equal(media_edge_new(&v->media, &media, &why), ERR_NONE);
    assert_int_equal(media_edge_start(v->media), ERR_NONE);
    struct sip_edge_conf sip = { .host = "127.0.0.1", .tell = calls_tell_signalling };
    assert_int_equal(sip_edge_new(&v->sip, v->w->calls, v->w->control.ids, &sip, &why), ERR_NONE);
    assert_int_equal(sip_edge_start(v->sip), ERR_NONE);
    struct sip_trunk_conf trunk = { .name = STR("sim"), .host = STR("127.0.0.1"), .port = sim_sip_port(v->sim),
                                    .simulated = true };
    assert_int_equal(sip_edge_trunk_add(v->sip, &trunk, &why), ERR_NONE);
    sim_set_inbound(v->sim, "127.0.0.1", sip_edge_port(v->sip));
    calls_set_signalling(v->w->calls, sip_edge_ops(), v->sip);
    calls_set_media(v->w->calls, media_edge_ops(), v->media);
    hear_make_speech(v->prompt, PROMPT_SAMPLES, RATE, 7);
    wave_write(&v->file, v->prompt, PROMPT_SAMPLES);
    v->w->prompt = buf_str(&v->file);
    snprintf(v->record, sizeof v->record, "/tmp/calls-wires-%d.wav", (int)getpid());
    *state = v;
    return 0;
}

static int wires_end(void **state)
{
    struct wires *v = *state;
    void *world = v->w;
    sip_edge_stop(v->sip, 1000);
    media_edge_stop(v->media);
    sim_free(v->sim);
    world_settle(v->w);
    sip_edge_free(v->sip);
    media_edge_free(v->media);
    calls_set_signalling(v->w->calls, &fake_signalling, v->w);
    calls_set_media(v->w->calls, &fake_media, v->w);
    buf_done(&v->file);
    unlink(v->record);
    return world_end(&world);
}

static void create(struct wires *v, struct str to)
{
    assert_int_equal(world_create(v->w, (struct call_new){ .to = to }), ERR_NONE);
    world_settle(v->w);
    assert_int_equal(v->w->err, ERR_NONE);
}

static void hang_up(struct wires *v)
{
    assert_int_equal(calls_hang_up(v->w->calls, v->w->resource, str_of(v->w->id), true, (struct str){ 0 }, on_answer, v->w,
                                   NULL), ERR_NONE);
    until_told(v, "CallDisconnected");
}

/* What the handset wrote down: 16-bit samples behind a 44-octet head. */
static double likeness(struct wires *v)
{
    static int16_t heard[60 * RATE];
    static char head[44];
    size_t n = 0;
    for (int ms = 0; ms < PATIENCE_MS && n < PROMPT_SAMPLES; ms += STEP_MS) {
        FILE *f = fopen(v->record, "rb");
        if (f && fread(head, 1, sizeof head, f) == sizeof head)
            n = fread(heard, 2, ARRAY_LEN(heard), f);
        if (f)
            fclose(f);
        usleep(STEP_MS * 1000);
    }
    return hear_correlate(v->prompt, PROMPT_SAMPLES, heard, n, NULL);
}

static void a_phone_hears_the_prompt_and_presses_three_digits(void **state)
{
    struct wires *v = *state;
    char args[256];
    handset(v, "handset.attach", "{\"number\":\"+12065550110\"}");
    create(v, STR("+12065550110"));
    snprintf(args, sizeof args, "{\"number\":\"+12065550110\",\"record\":\"%s\"}", v->record);
    handset(v, "handset.answer", args);
    until_told(v, "CallConnected ParticipantsUpdated");
    struct call_play play = { .uris = { STR("http://app.test/p.wav") }, .n = 1 };
    assert_int_equal(calls_play(v->w->calls, v->w->resource, str_of(v->w->id), &play, NULL), ERR_NONE);
    until_told(v, "PlayStarted PlayCompleted");
    struct call_recognise rq = { .silence_us = 10 * US_PER_S, .gap_us = 5 * US_PER_S, .tones_most = 3 };
    assert_int_equal(calls_recognise(v->w->calls, v->w->resource, str_of(v->w->id), &rq, NULL), ERR_NONE);
    handset(v, "handset.press", "{\"number\":\"+12065550110\",\"digits\":\"42#\"}");
    until_told(v, "RecognizeCompleted");
    scoped(json_doc) struct json_doc *doc = NULL;
    const struct json *tones = json_member(json_member(data_of(v->w, v->w->posts_n - 1, &doc), "dtmfResult"), "tones");
    assert_int_equal(json_count(tones), 3);
    assert_true(str_eqz(json_text(json_item(tones, 0)), "four"));
    assert_true(str_eqz(json_text(json_item(tones, 2)), "pound"));
    hang_up(v);
    double heard = likeness(v);
    print_message("correlation with the prompt: %.4f\n", heard);
    assert_true(heard >= 0.9);
}

static void a_phone_that_hangs_up_ends_the_call(void **state)
{
    struct wires *v = *state;
    handset(v, "handset.attach", "{\"number\":\"+12065550111\"}");
    create(v, STR("+12065550111"));
    handset(v, "handset.answer", "{\"number\":\"+12065550111\"}");
    until_told(v, "ParticipantsUpdated");
    handset(v, "handset.hangup", "{\"number\":\"+12065550111\"}");
    until_told(v, "CallDisconnected");
    expect_result(v->w, 2, 0, 560000);
}

static void busy_and_declined_are_told_as_such(void **state)
{
    struct wires *v = *state;
    create(v, STR("+12065550150"));
    until_told(v, "CreateCallFailed");
    expect_result(v->w, 0, 486, 560486);
    create(v, STR("+12065550152"));
    until_told(v, "CreateCallFailed CreateCallFailed");
    expect_result(v->w, 1, 603, 560603);
}

static void a_phone_that_nobody_answers_is_given_up(void **state)
{
    struct wires *v = *state;
    create(v, STR("+12065550151"));
    until_told(v, "CreateCallFailed");
    expect_result(v->w, 0, 480, 560480);
}

static void a_call_cancelled_while_it_rings_ends(void **state)
{
    struct wires *v = *state;
    handset(v, "handset.attach", "{\"number\":\"+12065550112\"}");
    create(v, STR("+12065550112"));
    for (int i = 0; i < 60; i++) {      /* let it ring a little */
        world_settle(v->w);
        usleep(STEP_MS * 1000);
    }
    hang_up(v);
    assert_string_equal(told(v->w), "CreateCallFailed CallDisconnected");
    expect_result(v->w, 0, 487, 540487);
}

static void on_subscribed(void *arg, enum err err, uint64_t key, const struct problem *why)
{
    (void)arg, (void)key, (void)why;
    assert_int_equal(err, ERR_NONE);
}

static void a_handset_calls_in_and_is_answered(void **state)
{
    struct wires *v = *state;
    struct event_subscription_new sub = { .resource = v->w->resource, .url = STR("http://app.test/events"), .cloud = true };
    char args[256];
    assert_int_equal(events_subscribe(v->w->events, &sub, on_subscribed, v->w, &v->w->why), ERR_NONE);
    world_settle(v->w);
    forget_told(v->w);
    snprintf(args, sizeof args, "{\"number\":\"+12065550113\",\"to\":\"%s\"}", v->w->caller);
    handset(v, "handset.dial", args);
    for (int ms = 0; !v->w->posts_n; ms += STEP_MS) {
        assert_true(ms < PATIENCE_MS);
        world_settle(v->w);
        usleep(STEP_MS * 1000);
    }
    scoped(json_doc) struct json_doc *doc = NULL;
    assert_int_equal(json_read(&doc, str_of(v->w->posts[0]), NULL), ERR_NONE);
    const struct json *event = json_kind(json_root(doc)) == JSON_IS_ARRAY ? json_item(json_root(doc), 0) : json_root(doc);
    struct call_take rq = { .resource = v->w->resource, .callback_uri = STR("http://app.test/cb"),
                            .incoming = json_text_of(json_member(event, "data"), "incomingCallContext") };
    forget_told(v->w);
    assert_int_equal(calls_answer(v->w->calls, &rq, on_answer, v->w, &v->w->why), ERR_NONE);
    world_settle(v->w);
    assert_int_equal(v->w->err, ERR_NONE);
    until_told(v, "CallConnected ParticipantsUpdated");
    handset(v, "handset.hangup", "{\"number\":\"+12065550113\"}");
    until_told(v, "CallDisconnected");
}

#define T(name) cmocka_unit_test_setup_teardown(name, wires_make, wires_end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_phone_hears_the_prompt_and_presses_three_digits), T(a_phone_that_hangs_up_ends_the_call),
        T(busy_and_declined_are_told_as_such), T(a_phone_that_nobody_answers_is_given_up),
        T(a_call_cancelled_while_it_rings_ends),
        T(a_handset_calls_in_and_is_answered),
    };
    return cmocka_run_group_tests_name("calls over wires", tests, NULL, NULL);
}
