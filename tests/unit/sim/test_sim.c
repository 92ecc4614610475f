/* The simulated phone network, called and heard by a product of a SIP stack and an RTP loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "hear.h"
#include "net/audio.h"
#include "net/rtp_loop.h"
#include "net/sip_stack.h"
#include "sim/sim.h"

/* -- a product --------------------------------------------------------------- */

enum kind { INCOMING, PROGRESS, ANSWERED, ENDED, OPENED, PLAYED, TONE, CLOSED };
struct told {
    enum kind kind;
    uint64_t  call;
    int       status, q850;
    bool      by_peer;
    uint16_t  port;
    char      tone;
    char      to[32], from[32];
    struct sdp_audio audio;
    struct mono at;
};

enum { TOLD_MAX = 512, PATIENCE_S = 20, SECOND = 8000 };
enum { UNTOLD = 101, UNANSWERED, PRESSER, LEAVER, THEIRS = 1000 };      /* calls */
static struct {
    struct sip_stack *sip;
    struct rtp_loop  *rtp;
    pthread_mutex_t   lock;
    pthread_cond_t    more;
    struct told       told[TOLD_MAX];
    size_t            n;
    uint64_t          next_incoming;
} product;
static struct sim *sim;
static char folder[] = "/tmp/carterfone-sim-XXXXXX";

static void tell(struct told t)
{
    t.at = clock_mono();
    pthread_mutex_lock(&product.lock);
    assert_true(product.n < TOLD_MAX);
    product.told[product.n++] = t;
    pthread_cond_broadcast(&product.more);
    pthread_mutex_unlock(&product.lock);
}

/* The nth news of this kind about the call, 0 the first; NULL when it does not come within wait_ms. */
static const struct told *find(enum kind kind, uint64_t call, size_t nth, int wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    const struct told *found = NULL;
    pthread_mutex_lock(&product.lock);
    for (bool late = false; !found && !late;) {
        size_t seen = 0;
        for (size_t i = 0; i < product.n && !found; i++)
            if (product.told[i].kind == kind && product.told[i].call == call && seen++ == nth)
                found = &product.told[i];
        if (!found)
            late = pthread_cond_timedwait(&product.more, &product.lock, &until);
    }
    pthread_mutex_unlock(&product.lock);
    return found;
}

static const struct told *wait_for(enum kind kind, uint64_t call)
{
    const struct told *t = find(kind, call, 0, PATIENCE_S * 1000);
    if (!t)
        fail_msg("news %d of call %d did not come", (int)kind, (int)call);
    return t;
}

static struct sip_verdict on_incoming(void *user, const struct sip_incoming *in)
{
    struct told t = { .kind = INCOMING, .call = product.next_incoming++, .audio = in->remote };
    (void)user;
    str_copyz(t.to, sizeof t.to, in->to);
    str_copyz(t.from, sizeof t.from, in->from);
    tell(t);
    return (struct sip_verdict){ .call = t.call };
}
static void on_progress(void *user, uint64_t call, int status, const struct sdp_audio *early)
{
    (void)user, (void)early;
    tell((struct told){ .kind = PROGRESS, .call = call, .status = status });
}
static void on_answered(void *user, uint64_t call, const struct sdp_audio *remote)
{
    (void)user;
    tell((struct told){ .kind = ANSWERED, .call = call, .audio = *remote });
}
static void on_ended(void *user, uint64_t call, const struct sip_end *end)
{
    (void)user;
    tell((struct told){ .kind = ENDED, .call = call, .status = end->status, .q850 = end->q850, .by_peer = end->by_peer });
}
static void on_opened(void *arg, uint64_t leg, enum err err, const char *host, uint16_t port)
{
    (void)arg, (void)host;
    tell((struct told){ .kind = OPENED, .call = leg, .status = (int)err, .port = port });
}
static void on_played(void *arg, uint64_t leg, uint64_t op, enum err err)
{
    (void)arg, (void)op;
    tell((struct told){ .kind = PLAYED, .call = leg, .status = (int)err });
}
static void on_tone(void *arg, uint64_t leg, char tone)
{
    (void)arg;
    tell((struct told){ .kind = TONE, .call = leg, .tone = tone });
}
static const struct rtp_loop_events rtp_events = { .opened = on_opened, .played = on_played, .tone = on_tone };



static struct sdp_audio open_leg(uint64_t call)
{
    assert_int_equal(rtp_loop_open(product.rtp, call), ERR_NONE);
    struct sdp_audio local = { .host = "127.0.0.1", .port = wait_for(OPENED, call)->port, .dtmf_payload = 101,
                               .ptime_ms = 20 };
    return local;
}

static void call_number(uint64_t call, const char *to)
{
    struct sip_invite plan = { .call = call, .peer = { "127.0.0.1", sim_sip_port(sim), SIP_UDP }, .to = str_of(to),
                               .from = STR("+12065551000"), .local = open_leg(call) };
    assert_int_equal(sip_stack_invite(product.sip, &plan), ERR_NONE);
}

static void connect_sound(uint64_t call, const struct sdp_audio *remote)
{
    struct rtp_loop_peer peer = { .port = remote->port, .payload = remote->payload, .dtmf_payload = remote->dtmf_payload };
    snprintf(peer.host, sizeof peer.host, "%s", remote->host);
    assert_int_equal(rtp_loop_connect(product.rtp, call, &peer), ERR_NONE);
}

static void play(uint64_t call, const int16_t *samples, size_t n)
{
    struct audio *a = NULL;
    assert_int_equal(audio_of(&a, samples, n), ERR_NONE);
    assert_int_equal(rtp_loop_play(product.rtp, call, 1, a, false), ERR_NONE);
    audio_unref(a);
}

static int set_up(void **state)
{
    (void)state;
    memset(&product, 0, sizeof product);
    pthread_mutex_init(&product.lock, NULL);
    pthread_cond_init(&product.more, NULL);
    product.next_incoming = THEIRS;
    struct sip_stack_conf sip = { .name = "product-sip", .host = "127.0.0.1",
                                  .events = { on_incoming, on_progress, on_answered, NULL, on_ended, NULL } };
    struct rtp_loop_conf rtp = { .name = "product-rtp", .host = "127.0.0.1", .events = &rtp_events };
    struct problem why = { 0 };
    if (sip_stack_new(&product.sip, &sip, &why) || sip_stack_start(product.sip) || rtp_loop_new(&product.rtp, &rtp, &why)
        || rtp_loop_start(product.rtp))
        fail_msg("%s", why.text);
    struct sim_conf conf = { .smpp_host = "127.0.0.1", .sip_host = "127.0.0.1", .inbound_host = "127.0.0.1",
                             .inbound_port = sip_stack_port(product.sip) };
    if (sim_new(&sim, &conf, &why) || sim_start(sim, &why))
        fail_msg("%s", why.text);
    call_number(UNTOLD, "+12065553333");        /* their timers run while the tests look at each in turn */
    call_number(UNANSWERED, "+12065550151");
    call_number(PRESSER, "+12065550154");
    call_number(LEAVER, "+12065550155");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sim_free(sim);
    sip_stack_stop(product.sip, 0);
    rtp_loop_free(product.rtp);
    sip_stack_free(product.sip);
    return 0;
}

/* -- the operator --------------------------------------------------------------- */

static struct { pthread_mutex_t lock; pthread_cond_t more; bool done; enum err err; char answer[65536], why[512]; } reply = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER,
};

static void on_done(void *arg, enum err err, struct str answer, const struct problem *why)
{
    (void)arg;
    pthread_mutex_lock(&reply.lock);
    reply.done = true;
    reply.err = err;
    str_copyz(reply.answer, sizeof reply.answer, answer);
    str_copyz(reply.why, sizeof reply.why, str_of(why->text));
    pthread_cond_signal(&reply.more);
    pthread_mutex_unlock(&reply.lock);
}

static enum err command(const char *verb, const char *args)
{
    reply.done = false;
    assert_int_equal(sim_command(sim, str_of(verb), str_of(args), on_done, NULL), ERR_NONE);
    pthread_mutex_lock(&reply.lock);
    while (!reply.done)
        pthread_cond_wait(&reply.more, &reply.lock);
    pthread_mutex_unlock(&reply.lock);
    return reply.err;
}

static void order(const char *verb, const char *args)
{
    if (command(verb, args))
        fail_msg("%s: %s", verb, reply.why);
}

static void expect_listed(const char *number, const char *text)
{
    char args[64];
    snprintf(args, sizeof args, "{\"number\":\"%s\"}", number);
    for (int tries = 0; tries < 200; tries++) {         /* the handset may hear of it a little later than we did */
        order("handset.list", args);
        if (strstr(reply.answer, text))
            return;
        usleep(10000);
    }
    fail_msg("%s does not say %s", reply.answer, text);
}

/* -- calls to phones --------------------------------------------------------------- */

static void an_untold_number_answers_after_a_second_and_hears_the_call_out(void **state)
{
    (void)state;
    assert_int_equal(wait_for(PROGRESS, UNTOLD)->status, 180);
    const struct told *answered = wait_for(ANSWERED, UNTOLD);
    assert_in_range(answered->at.us - wait_for(PROGRESS, UNTOLD)->at.us, 900000, 5000000);
    assert_int_equal(answered->audio.payload, 0);
    assert_int_equal(answered->audio.dtmf_payload, 101);
    expect_listed("+12065553333", "\"state\":\"connected\"");
    assert_null(find(ENDED, UNTOLD, 0, 200));
    assert_int_equal(sip_stack_hangup(product.sip, UNTOLD, 16), ERR_NONE);
    assert_false(wait_for(ENDED, UNTOLD)->by_peer);
    expect_listed("+12065553333", "\"lastCall\":{\"peer\":\"+12065551000\",\"direction\":\"incoming\"");
    expect_listed("+12065553333", "\"sipStatus\":200");
}

static void the_last_two_digits_choose_how_a_call_is_refused(void **state)
{
    (void)state;
    static const struct { const char *to; int status, q850; } refusals[] = {
        { "+12065550150", 486, 17 }, { "+14165550152", 603, 21 }, { "+12125550153", 404, 1 }, { "+18335550157", 503, 34 },
    };
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        call_number(10 + i, refusals[i].to);
        const struct told *end = wait_for(ENDED, 10 + i);
        assert_int_equal(end->status, refusals[i].status);
        assert_int_equal(end->q850, refusals[i].q850);
        assert_true(end->by_peer);
    }
}

static void one_number_rings_and_nobody_answers(void **state)
{
    (void)state;
    assert_int_equal(wait_for(PROGRESS, UNANSWERED)->status, 180);
    int64_t rung_us = clock_mono().us - find(PROGRESS, UNANSWERED, 0, 0)->at.us;
    assert_null(find(ANSWERED, UNANSWERED, 0, rung_us < 1500000 ? (int)(1500 - rung_us / 1000) : 0));
    expect_listed("+12065550151", "\"state\":\"ringing\"");
    assert_int_equal(sip_stack_hangup(product.sip, UNANSWERED, 16), ERR_NONE);
    wait_for(ENDED, UNANSWERED);
    expect_listed("+12065550151", "\"state\":\"idle\"");
}

static void one_number_presses_1_2_3_when_it_has_heard_half_a_second(void **state)
{
    (void)state;
    static int16_t speech[SECOND];
    hear_make_speech(speech, SECOND, SECOND, 2);
    connect_sound(PRESSER, &wait_for(ANSWERED, PRESSER)->audio);
    assert_null(find(TONE, PRESSER, 0, 300));                /* silence is no sound */
    play(PRESSER, speech, SECOND);
    for (size_t i = 0; i < 3; i++) {
        const struct told *t = find(TONE, PRESSER, i, PATIENCE_S * 1000);
        assert_non_null(t);
        assert_int_equal(t->tone, "123"[i]);
    }
    assert_null(find(TONE, PRESSER, 3, 300));
}

static void one_number_hangs_up_after_two_seconds(void **state)
{
    (void)state;
    wait_for(ANSWERED, LEAVER);
    const struct told *end = wait_for(ENDED, LEAVER);
    assert_true(end->by_peer);
    assert_int_equal(end->status, 200);
    assert_in_range(end->at.us - wait_for(ANSWERED, LEAVER)->at.us, 1800000, 5000000);
}

/* -- handsets --------------------------------------------------------------- */

static void a_handset_rings_until_told_and_records_what_it_hears(void **state)
{
    (void)state;
    static int16_t speech[SECOND];
    static char bytes[1 << 20];
    char args[128], path[64];
    hear_make_speech(speech, SECOND, SECOND, 11);
    snprintf(path, sizeof path, "%s/heard.wav", folder);
    snprintf(args, sizeof args, "{\"number\":\"+12065550101\",\"record\":\"%s\"}", path);

    order("handset.attach", "{\"number\":\"+12065550101\"}");
    call_number(1, "+12065550101");
    wait_for(PROGRESS, 1);
    assert_null(find(ANSWERED, 1, 0, 1200));
    order("handset.answer", args);
    connect_sound(1, &wait_for(ANSWERED, 1)->audio);
    play(1, speech, SECOND);
    wait_for(PLAYED, 1);
    assert_int_equal(command("handset.recording", args), ERR_ABSENT);
    order("handset.press", "{\"number\":\"+12065550101\",\"digits\":\"42#\"}");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(find(TONE, 1, i, PATIENCE_S * 1000)->tone, "42#"[i]);
    assert_int_equal(rtp_loop_send_tones(product.rtp, 1, 2, STR("9D")), ERR_NONE);
    expect_listed("+12065550101", "\"keysHeard\":\"9D\"");
    order("handset.hangup", "{\"number\":\"+12065550101\"}");
    assert_true(wait_for(ENDED, 1)->by_peer);

    expect_listed("+12065550101", "\"recording\":");
    order("handset.recording", args);
    assert_non_null(strstr(reply.answer, path));
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t size = fread(bytes, 1, sizeof bytes, f), n = 0;
    fclose(f);
    unlink(path);
    int16_t *heard = NULL;
    assert_int_equal(audio_decode((struct str){ bytes, size }, &heard, &n, NULL), ERR_NONE);
    double r = hear_correlate(speech, SECOND, heard, n, NULL);
    print_message("correlation %.4f\n", r);
    assert_true(r >= 0.9);
    free(heard);
}

static void a_handset_told_beforehand_answers_what_rings_next(void **state)
{
    (void)state;
    order("handset.answer", "{\"number\":\"+12065550102\"}");
    call_number(2, "+12065550102");
    wait_for(ANSWERED, 2);
    assert_int_equal(command("handset.answer", "{\"number\":\"+12065550102\"}"), ERR_CONFLICT);
    call_number(3, "+12065550102");                     /* it has one line */
    assert_int_equal(wait_for(ENDED, 3)->status, 486);
    expect_listed("+12065550102", "\"state\":\"connected\"");
    assert_int_equal(sip_stack_hangup(product.sip, 2, 16), ERR_NONE);
    wait_for(ENDED, 2);
    expect_listed("+12065550102", "\"state\":\"idle\"");
    call_number(4, "+12065550102");                     /* told once: the next one rings */
    wait_for(PROGRESS, 4);
    assert_null(find(ANSWERED, 4, 0, 1200));
    order("handset.reject", "{\"number\":\"+12065550102\"}");
    assert_int_equal(wait_for(ENDED, 4)->status, 603);
}

static void a_handset_calls_the_product(void **state)
{
    (void)state;
    order("handset.dial", "{\"number\":\"+12065550103\",\"to\":\"+12065551000\"}");
    const struct told *in = wait_for(INCOMING, THEIRS);
    assert_string_equal(in->to, "+12065551000");
    assert_string_equal(in->from, "+12065550103");
    assert_int_equal(command("handset.dial", "{\"number\":\"+12065550103\",\"to\":\"+12065551000\"}"), ERR_CONFLICT);
    struct sdp_audio local = open_leg(THEIRS);
    connect_sound(THEIRS, &in->audio);
    assert_int_equal(sip_stack_answer(product.sip, THEIRS, &local), ERR_NONE);
    wait_for(ANSWERED, THEIRS);
    expect_listed("+12065550103", "\"state\":\"connected\"");
    order("handset.press", "{\"number\":\"+12065550103\",\"digits\":\"5\"}");
    assert_int_equal(wait_for(TONE, THEIRS)->tone, '5');
    order("handset.hangup", "{\"number\":\"+12065550103\"}");
    assert_true(wait_for(ENDED, THEIRS)->by_peer);
    expect_listed("+12065550103", "\"direction\":\"outgoing\"");

    order("handset.dial", "{\"number\":\"+12065550103\",\"to\":\"+12065551000\"}");
    wait_for(INCOMING, THEIRS + 1);
    assert_int_equal(sip_stack_reject(product.sip, THEIRS + 1, 480, 20), ERR_NONE);
    wait_for(ENDED, THEIRS + 1);
    expect_listed("+12065550103", "\"sipStatus\":480,\"q850\":20");
}

static void orders_that_cannot_be_say_why(void **state)
{
    (void)state;
    assert_int_equal(command("handset.juggle", "{}"), ERR_ABSENT);
    assert_int_equal(command("handset.answer", "{}"), ERR_RANGE);
    assert_int_equal(command("handset.answer", "[]"), ERR_SYNTAX);
    assert_int_equal(command("handset.answer", "{\"number\":\"alice\"}"), ERR_RANGE);
    assert_int_equal(command("handset.answer", "{\"number\":\"+12065550104\",\"record\":\"here.wav\"}"), ERR_RANGE);
    assert_int_equal(command("handset.answer", "{\"number\":\"+12065550104\",\"record\":\"/no/such/folder/x.wav\"}"),
                     ERR_RANGE);
    assert_int_equal(command("handset.press", "{\"number\":\"+12065550104\",\"digits\":\"1\"}"), ERR_CONFLICT);
    assert_non_null(strstr(reply.why, "idle"));
    assert_int_equal(command("handset.hangup", "{\"number\":\"+12065550104\"}"), ERR_CONFLICT);
    assert_int_equal(command("handset.dial", "{\"number\":\"+12065550104\",\"to\":\"bob\"}"), ERR_RANGE);
    sim_set_inbound(sim, "127.0.0.1", 0);
    assert_int_equal(command("handset.dial", "{\"number\":\"+12065550104\",\"to\":\"+12065551000\"}"), ERR_CONFLICT);
}

static void the_networks_stop_in_the_middle_of_a_call_and_keep_its_recording(void **state)
{
    (void)state;
    char args[128], path[64];
    snprintf(path, sizeof path, "%s/cut.wav", folder);
    snprintf(args, sizeof args, "{\"number\":\"+12065550105\",\"record\":\"%s\"}", path);
    order("handset.answer", args);
    call_number(5, "+12065550105");
    connect_sound(5, &wait_for(ANSWERED, 5)->audio);
    usleep(300000);
    sim_free(sim);
    sim = NULL;
    assert_true(wait_for(ENDED, 5)->by_peer);
    assert_int_equal(access(path, R_OK), 0);
    unlink(path);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_untold_number_answers_after_a_second_and_hears_the_call_out),
        cmocka_unit_test(the_last_two_digits_choose_how_a_call_is_refused),
        cmocka_unit_test(one_number_rings_and_nobody_answers),
        cmocka_unit_test(one_number_presses_1_2_3_when_it_has_heard_half_a_second),
        cmocka_unit_test(one_number_hangs_up_after_two_seconds),
        cmocka_unit_test(a_handset_rings_until_told_and_records_what_it_hears),
        cmocka_unit_test(a_handset_told_beforehand_answers_what_rings_next),
        cmocka_unit_test(a_handset_calls_the_product),
        cmocka_unit_test(orders_that_cannot_be_say_why),
        cmocka_unit_test(the_networks_stop_in_the_middle_of_a_call_and_keep_its_recording),
    };
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    rmdir(folder);
    return failed;
}
