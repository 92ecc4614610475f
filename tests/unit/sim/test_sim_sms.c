/* The simulated SMS network as an ESME and an operator see it: magic numbers, inboxes, messages from handsets. */
#include "unit/cm.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/str.h"
#include "net/smpp_session.h"
#include "net/sms_parts.h"
#include "sim/sim.h"

/* One ESME on a loop of its own. What it hears is read under the lock. */
enum { HEARD_MAX = 64, PATIENCE_MS = 10000 };
struct heard {
    bool receipt;
    char from[32], to[32], text[512];
    unsigned state;
    struct mono at;
};
static struct {
    pthread_mutex_t lock;
    pthread_cond_t  more;
    struct loop    *loop;
    struct smpp_session *session;
    bool            up;
    struct heard    heard[HEARD_MAX];
    size_t          n_heard;
    uint32_t        answers[HEARD_MAX];
    size_t          n_answers;
} esme;
static struct sim *sim;

static void on_up(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&esme.lock);
    esme.up = true;
    pthread_cond_broadcast(&esme.more);
    pthread_mutex_unlock(&esme.lock);
}

static void on_request(void *arg, const struct smpp_pdu *pdu)
{
    struct sms_part part;
    scoped_buf text = { 0 };
    struct heard h = { .receipt = smpp_is_receipt(pdu), .at = clock_mono() };
    (void)arg;
    assert_int_equal(sms_part_read(&part, pdu), ERR_NONE);
    sms_text_read(&text, part.alphabet, part.octets.p, part.octets.n);
    str_copyz(h.text, sizeof h.text, buf_str(&text));
    str_copyz(h.from, sizeof h.from, str_of(part.from));
    str_copyz(h.to, sizeof h.to, str_of(part.to));
    struct smpp_receipt receipt;
    if (h.receipt && !smpp_receipt_read(&receipt, pdu))
        h.state = receipt.state;
    smpp_session_answer(esme.session, pdu->command, pdu->sequence, ESME_ROK, STR(""));
    pthread_mutex_lock(&esme.lock);
    assert_true(esme.n_heard < HEARD_MAX);
    esme.heard[esme.n_heard++] = h;
    pthread_cond_broadcast(&esme.more);
    pthread_mutex_unlock(&esme.lock);
}

static void on_answer(void *arg, uint64_t tag, enum err err, const struct smpp_pdu *answer)
{
    (void)arg, (void)tag;
    if (err)
        return;
    pthread_mutex_lock(&esme.lock);
    assert_true(esme.n_answers < HEARD_MAX);
    esme.answers[esme.n_answers++] = answer->status;
    pthread_cond_broadcast(&esme.more);
    pthread_mutex_unlock(&esme.lock);
}

static void on_down(void *arg, enum err why, uint32_t status)
{
    (void)arg, (void)why, (void)status;
    smpp_session_free(esme.session);
    esme.session = NULL;
}

static const struct smpp_session_hooks hooks = { .on_up = on_up, .on_request = on_request, .on_answer = on_answer,
                                                 .on_down = on_down };

/* Wait until *n reaches `least`; false when it does not within wait_ms. */
static bool reaches(const size_t *n, size_t least, int wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    int64_t ns = until.tv_nsec + (int64_t)wait_ms * 1000000;
    until.tv_sec += ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&esme.lock);
    bool late = false;
    while (*n < least && !late)
        late = pthread_cond_timedwait(&esme.more, &esme.lock, &until);
    bool there = *n >= least;
    pthread_mutex_unlock(&esme.lock);
    return there;
}

static int set_up(void **state)
{
    (void)state;
    memset(&esme, 0, sizeof esme);
    pthread_mutex_init(&esme.lock, NULL);
    pthread_cond_init(&esme.more, NULL);
    struct sim_conf conf = { .smpp_host = "127.0.0.1", .sip_host = "127.0.0.1" };
    struct problem why = { 0 };
    if (sim_new(&sim, &conf, &why) || sim_start(sim, &why))
        fail_msg("%s", why.text);
    struct smpp_session_conf c = { .role = SMPP_ESME, .name = "test", .system_id = "test", .password = "pw",
                                   .bind = SMPP_bind_transceiver, .window = 10 };
    assert_int_equal(loop_new(&esme.loop, "esme", 64, NULL), ERR_NONE);
    assert_int_equal(smpp_session_connect(&esme.session, esme.loop, "127.0.0.1", sim_smpp_port(sim), &c, &hooks, NULL),
                     ERR_NONE);
    assert_int_equal(loop_start(esme.loop), ERR_NONE);
    pthread_mutex_lock(&esme.lock);
    while (!esme.up)
        pthread_cond_wait(&esme.more, &esme.lock);
    pthread_mutex_unlock(&esme.lock);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    loop_stop(esme.loop);
    smpp_session_free(esme.session);
    loop_free(esme.loop);
    sim_free(sim);
    return 0;
}

/* The session belongs to the ESME's loop: a submit is posted there. */
struct submit {
    struct inbox_item item;
    char to[32], text[256];
};

static void do_submit(void *owner, struct inbox_item *item)
{
    struct submit *s = container_of(item, struct submit, item);
    struct sms_split split;
    uint8_t octets[SMS_SEGMENT_OCTETS];
    struct smpp_pdu pdu = { .command = SMPP_submit_sm,
                            .sm = { .source_addr_ton = 1, .source_addr_npi = 1, .source_addr = STR("18335551000"),
                                    .dest_addr_ton = 1, .dest_addr_npi = 1, .destination_addr = str_of(s->to),
                                    .registered_delivery = 1 } };
    (void)owner;
    assert_int_equal(sms_split(&split, str_of(s->text)), ERR_NONE);
    assert_int_equal(sms_part_fill(&pdu, octets, &split, str_of(s->text), 0, 1), ERR_NONE);
    assert_int_equal(smpp_session_send(esme.session, &pdu, 0), ERR_NONE);
    free(s);
}

static void submit(const char *to, const char *text)
{
    static const struct inbox_kind kind = { "submit", do_submit, NULL };
    struct submit *s = calloc(1, sizeof *s);
    s->item.kind = &kind;
    str_copyz(s->to, sizeof s->to, str_of(to));
    str_copyz(s->text, sizeof s->text, str_of(text));
    inbox_post_always(loop_inbox(esme.loop), &s->item);
}

/* -- the operator --------------------------------------------------------------------------------------------------- */

static struct { pthread_mutex_t lock; pthread_cond_t more; bool done; enum err err; char answer[65536]; } reply = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER,
};

static void on_done(void *arg, enum err err, struct str answer, const struct problem *why)
{
    (void)arg, (void)why;
    pthread_mutex_lock(&reply.lock);
    reply.done = true;
    reply.err = err;
    str_copyz(reply.answer, sizeof reply.answer, answer);
    pthread_cond_signal(&reply.more);
    pthread_mutex_unlock(&reply.lock);
}

static enum err command(const char *verb, const char *args)
{
    pthread_mutex_lock(&reply.lock);
    reply.done = false;
    pthread_mutex_unlock(&reply.lock);
    assert_int_equal(sim_command(sim, str_of(verb), str_of(args), on_done, NULL), ERR_NONE);
    pthread_mutex_lock(&reply.lock);
    while (!reply.done)
        pthread_cond_wait(&reply.more, &reply.lock);
    pthread_mutex_unlock(&reply.lock);
    return reply.err;
}

/* -- what becomes of an SMS ------------------------------------------------------------------------------------------ */

static void an_sms_to_any_number_lies_in_its_inbox_and_is_receipted_within_a_second(void **state)
{
    (void)state;
    struct mono begun = clock_mono();
    submit("12065553333", "Guten Tag, \"Welt\" €");
    assert_true(reaches(&esme.n_heard, 1, PATIENCE_MS));
    assert_true(esme.heard[0].receipt);
    assert_int_equal(esme.heard[0].state, SMPP_DELIVERED);
    assert_in_range(esme.heard[0].at.us - begun.us, 0, 2 * US_PER_S);
    assert_int_equal(command("handset.inbox", "{\"number\":\"+12065553333\"}"), ERR_NONE);
    assert_non_null(strstr(reply.answer, "{\"value\":[{\"from\":\"+18335551000\",\"text\":\"Guten Tag, \\\"Welt\\\" €\","
                                         "\"receivedAt\":\"20"));
    assert_int_equal(command("handset.inbox", "{\"number\":\"+12065554444\"}"), ERR_NONE);
    assert_string_equal(reply.answer, "{\"value\":[]}");
}

static void an_sms_from_a_handset_reaches_the_product(void **state)
{
    (void)state;
    assert_int_equal(command("handset.sms", "{\"number\":\"+12065550101\",\"to\":\"+18335551000\",\"text\":\"hi\"}"),
                     ERR_NONE);
    assert_true(reaches(&esme.n_heard, 1, PATIENCE_MS));
    assert_false(esme.heard[0].receipt);
    assert_string_equal(esme.heard[0].from, "+12065550101");
    assert_string_equal(esme.heard[0].to, "+18335551000");
    assert_string_equal(esme.heard[0].text, "hi");
    assert_int_equal(command("handset.sms", "{\"number\":\"+12065550101\",\"text\":\"hi\"}"), ERR_RANGE);
}

static void the_last_two_digits_choose_what_becomes_of_it(void **state)
{
    (void)state;
    submit("12065550160", "lost");
    assert_true(reaches(&esme.n_heard, 1, PATIENCE_MS));
    assert_int_equal(esme.heard[0].state, SMPP_UNDELIVERABLE);
    command("handset.inbox", "{\"number\":\"+12065550160\"}");
    assert_string_equal(reply.answer, "{\"value\":[]}");

    submit("12065550161", "no receipt");
    submit("12065550162", "late receipt");
    assert_true(reaches(&esme.n_answers, 3, PATIENCE_MS));
    assert_false(reaches(&esme.n_heard, 2, 1000));
    command("handset.inbox", "{\"number\":\"+12065550161\"}");
    assert_non_null(strstr(reply.answer, "\"text\":\"no receipt\""));

    submit("12065550164", "rejected");
    assert_true(reaches(&esme.n_answers, 4, PATIENCE_MS));
    assert_int_equal(esme.answers[3], ESME_RINVDSTADR);
    submit("12065550165", "throttled");
    submit("12065550165", "tried again");
    assert_true(reaches(&esme.n_answers, 6, PATIENCE_MS));
    assert_int_equal(esme.answers[4], ESME_RTHROTTLED);
    assert_int_equal(esme.answers[5], ESME_ROK);
    assert_true(reaches(&esme.n_heard, 2, PATIENCE_MS));
    assert_int_equal(esme.heard[1].state, SMPP_DELIVERED);
    assert_string_equal(esme.heard[1].from, "+12065550165");
}

static void one_number_answers_with_an_echo(void **state)
{
    (void)state;
    submit("18445550163", "are you there?");
    assert_true(reaches(&esme.n_heard, 2, PATIENCE_MS));
    size_t echo = esme.heard[0].receipt ? 1 : 0;
    assert_false(esme.heard[echo].receipt);
    assert_string_equal(esme.heard[echo].text, "echo: are you there?");
    assert_string_equal(esme.heard[echo].from, "+18445550163");
    assert_string_equal(esme.heard[echo].to, "+18335551000");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_sms_to_any_number_lies_in_its_inbox_and_is_receipted_within_a_second),
        TEST(an_sms_from_a_handset_reaches_the_product),
        TEST(the_last_two_digits_choose_what_becomes_of_it),
        TEST(one_number_answers_with_an_echo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
