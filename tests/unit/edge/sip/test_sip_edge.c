/* The edge against a bare sip_stack that plays the carrier; control is a list of the news it was told. */
#include "edge/sip/sip_edge.h"
#include "base/id.h"
#include "base/str.h"
#include "net/sip_stack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum { NEWS_MAX = 32, WAIT_S = 8, T1_TEST_MS = 40 };

struct copy { struct signalling_news news; char trunk[64], from[80], to[80], display[96]; };
struct calls {                          /* in the place of domain/calls */
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    struct copy     news[NEWS_MAX];
    size_t          n, looked;
    enum err        answer;             /* to the next LEG_OFFERED */
};

struct bed {
    struct calls      calls;
    struct ids       *ids;
    struct sip_edge  *edge;
    struct sip_stack *carrier;
    struct sip_edge_conf conf;
    /* of the carrier's thread, under calls.lock */
    struct sip_verdict verdict;
    uint64_t          carrier_call;
    char              carrier_from[80];
    struct sip_end    carrier_end;
    int               carrier_ends, carrier_answers;
};

static enum err tell(struct calls *c, const struct signalling_news *n)
{
    pthread_mutex_lock(&c->lock);
    enum err err = n->kind == LEG_OFFERED ? c->answer : ERR_NONE;
    if (!err && c->n < NEWS_MAX) {
        struct copy *to = &c->news[c->n++];
        to->news = *n;
        str_copyz(to->trunk, sizeof to->trunk, n->trunk);
        str_copyz(to->from, sizeof to->from, n->from);
        str_copyz(to->to, sizeof to->to, n->to);
        str_copyz(to->display, sizeof to->display, n->display);
    }
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return err;
}

static struct timespec deadline(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    return until;
}

static const struct copy *next_any(struct bed *b)
{
    struct calls *c = &b->calls;
    struct timespec until = deadline();
    pthread_mutex_lock(&c->lock);
    while (c->looked == c->n && !pthread_cond_timedwait(&c->changed, &c->lock, &until))
        continue;
    const struct copy *got = c->looked < c->n ? &c->news[c->looked++] : NULL;
    pthread_mutex_unlock(&c->lock);
    assert_non_null(got);
    return got;
}

static const struct copy *next(struct bed *b, enum signalling_news_kind kind)
{
    const struct copy *got = next_any(b);
    assert_int_equal(got->news.kind, kind);
    return got;
}

static void wait_for(struct bed *b, const int *count, int least)
{
    struct timespec until = deadline();
    pthread_mutex_lock(&b->calls.lock);
    while (*count < least && !pthread_cond_timedwait(&b->calls.changed, &b->calls.lock, &until))
        continue;
    int got = *count;
    pthread_mutex_unlock(&b->calls.lock);
    assert_true(got >= least);
}

/* -- the carrier: answers or refuses at once ----------------------------------------------------------------------- */

static struct sip_verdict carrier_incoming(void *user, const struct sip_incoming *in)
{
    struct bed *b = user;
    pthread_mutex_lock(&b->calls.lock);
    struct sip_verdict v = b->verdict;
    v.call = ++b->carrier_call;
    snprintf(b->carrier_from, sizeof b->carrier_from, STR_FMT ">" STR_FMT, STR_ARG(in->from), STR_ARG(in->to));
    pthread_mutex_unlock(&b->calls.lock);
    struct sdp_audio local = { .host = "127.0.0.1", .port = 7000 };
    if (!v.status) {
        assert_int_equal(sip_stack_ring(b->carrier, v.call, NULL), ERR_NONE);
        assert_int_equal(sip_stack_answer(b->carrier, v.call, &local), ERR_NONE);
    }
    return v;
}

static void carrier_progress(void *user, uint64_t call, int status, const struct sdp_audio *early)
{
    (void)user, (void)call, (void)status, (void)early;
}

static void carrier_answered(void *user, uint64_t call, const struct sdp_audio *remote)
{
    struct bed *b = user;
    (void)call, (void)remote;
    pthread_mutex_lock(&b->calls.lock);
    b->carrier_answers++;
    pthread_cond_broadcast(&b->calls.changed);
    pthread_mutex_unlock(&b->calls.lock);
}

static void carrier_ended(void *user, uint64_t call, const struct sip_end *end)
{
    struct bed *b = user;
    (void)call;
    pthread_mutex_lock(&b->calls.lock);
    b->carrier_end = *end;
    b->carrier_end.words = "";
    b->carrier_ends++;
    pthread_cond_broadcast(&b->calls.changed);
    pthread_mutex_unlock(&b->calls.lock);
}

static void add_trunk(struct bed *b, const char *name, const char *host, uint16_t port, const char *transport)
{
    struct problem why = { 0 };
    struct sip_trunk_conf trunk = { .name = str_of(name), .host = str_of(host), .port = port,
                                    .transport = str_of(transport), .simulated = true };
    assert_int_equal(sip_edge_trunk_add(b->edge, &trunk, &why), ERR_NONE);
}

static int setup(void **state)
{
    static const uint8_t key[ID_KEY_OCTETS] = { 7 };
    struct bed *b = calloc(1, sizeof *b);
    struct problem why = { 0 };
    pthread_mutex_init(&b->calls.lock, NULL);
    pthread_cond_init(&b->calls.changed, NULL);
    b->ids = ids_new(key, 0);
    b->conf = (struct sip_edge_conf){ .host = "127.0.0.1", .t1_ms = T1_TEST_MS, .offered_bound = 1, .tell = tell };
    struct sip_stack_conf carrier = { .name = "carrier", .host = "127.0.0.1", .t1_ms = T1_TEST_MS, .user = b,
                                      .events = { .on_incoming = carrier_incoming, .on_progress = carrier_progress,
                                                  .on_answered = carrier_answered, .on_ended = carrier_ended } };
    assert_int_equal(sip_edge_new(&b->edge, &b->calls, b->ids, &b->conf, &why), ERR_NONE);
    assert_int_equal(sip_edge_start(b->edge), ERR_NONE);
    assert_int_equal(sip_stack_new(&b->carrier, &carrier, &why), ERR_NONE);
    assert_int_equal(sip_stack_start(b->carrier), ERR_NONE);
    add_trunk(b, "sim", "127.0.0.1", sip_stack_port(b->carrier), "");
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bed *b = *state;
    sip_edge_free(b->edge);
    sip_stack_free(b->carrier);
    ids_free(b->ids);
    pthread_cond_destroy(&b->calls.changed);
    pthread_mutex_destroy(&b->calls.lock);
    free(b);
    return 0;
}

static struct signalling_invite plan_of(uint64_t leg, const char *trunk)
{
    return (struct signalling_invite){ .leg = { leg }, .trunk = str_of(trunk), .from = STR("+12065550199"),
                                       .to = STR("+18335550100"), .ring_us = 5000000,
                                       .local = { .host = "127.0.0.1", .port = 7100, .dtmf_payload = 101 } };
}

static void invite(struct bed *b, uint64_t leg, const char *trunk)
{
    struct signalling_invite plan = plan_of(leg, trunk);
    assert_int_equal(sip_edge_ops()->invite(b->edge, &plan), ERR_NONE);
}

/* The carrier calls the edge. */
static void call_in(struct bed *b, uint64_t call, const char *from, const char *to)
{
    struct sip_invite plan = { .call = call, .peer = { "127.0.0.1", sip_edge_port(b->edge), SIP_UDP }, .to = str_of(to),
                               .from = str_of(from), .local = { .host = "127.0.0.1", .port = 7200, .payload = SDP_PCMA } };
    assert_int_equal(sip_stack_invite(b->carrier, &plan), ERR_NONE);
}

static void a_call_out_is_ringing_then_answered_then_ended_by_us(void **state)
{
    struct bed *b = *state;
    invite(b, 11, "sim");
    assert_int_equal(next(b, LEG_RINGING)->news.status, 180);
    const struct copy *up = next(b, LEG_ANSWERED);
    assert_int_equal(up->news.leg.v, 11);
    assert_int_equal(up->news.remote.port, 7000);
    assert_string_equal(up->news.remote.host, "127.0.0.1");
    assert_int_equal(up->news.remote.dtmf_payload, 101);
    assert_string_equal(b->carrier_from, "+12065550199>+18335550100");
    assert_int_equal(sip_edge_ops()->hangup(b->edge, (struct leg_id){ 11 }, 16), ERR_NONE);
    const struct copy *end = next(b, LEG_ENDED);
    assert_int_equal(end->news.status, 200);
    assert_false(end->news.by_peer);
    wait_for(b, &b->carrier_ends, 1);
    assert_int_equal(b->carrier_end.q850, 16);
}

static void a_refused_call_out_brings_status_and_cause(void **state)
{
    struct bed *b = *state;
    b->verdict = (struct sip_verdict){ .status = 486, .q850 = 17 };
    invite(b, 12, "sim");
    const struct copy *end = next(b, LEG_ENDED);
    assert_int_equal(end->news.status, 486);
    assert_int_equal(end->news.q850, 17);
    assert_true(end->news.by_peer);
    assert_string_equal(end->news.words, "Busy Here");
}

static void an_unknown_trunk_ends_the_leg(void **state)
{
    struct bed *b = *state;
    invite(b, 13, "nosuch");
    const struct copy *end = next(b, LEG_ENDED);
    assert_int_equal(end->news.leg.v, 13);
    assert_int_equal(end->news.status, 503);
    assert_string_equal(end->news.words, "no such trunk");
}

static void a_hangup_right_behind_the_invite_is_not_lost(void **state)
{
    struct bed *b = *state;
    invite(b, 14, "sim");
    assert_int_equal(sip_edge_ops()->hangup(b->edge, (struct leg_id){ 14 }, 0), ERR_NONE);
    /* on a busy machine the carrier may have answered before we asked */
    const struct copy *last = next_any(b);
    while (last->news.kind != LEG_ENDED)
        last = next_any(b);
    assert_true(last->news.status == 487 || last->news.status == 200);
    assert_false(last->news.by_peer);
}

static void a_call_in_is_offered_with_its_trunk_and_answered(void **state)
{
    struct bed *b = *state;
    call_in(b, 901, "2065550111", "18335550100");
    const struct copy *in = next(b, LEG_OFFERED);
    assert_string_equal(in->trunk, "sim");
    assert_true(in->news.simulated);
    assert_string_equal(in->from, "+12065550111");
    assert_string_equal(in->to, "+18335550100");
    assert_int_equal(in->news.remote.port, 7200);
    assert_int_equal(in->news.remote.payload, SDP_PCMA);
    assert_true(in->news.leg.v != 0);
    struct media_address local = { .host = "127.0.0.1", .port = 7300 };
    assert_int_equal(sip_edge_ops()->ring(b->edge, in->news.leg), ERR_NONE);
    assert_int_equal(sip_edge_ops()->answer(b->edge, in->news.leg, &local), ERR_NONE);
    next(b, LEG_ANSWERED);
    wait_for(b, &b->carrier_answers, 1);
    assert_int_equal(sip_stack_hangup(b->carrier, 901, 16), ERR_NONE);
    const struct copy *end = next(b, LEG_ENDED);
    assert_true(end->news.by_peer);
    assert_int_equal(end->news.q850, 16);
}

/* The wall: whoever shares an address with the simulator is not taken for it. */
static void an_unknown_port_of_a_shared_address_is_the_real_trunk(void **state)
{
    struct bed *b = *state;
    struct problem why = { 0 };
    struct sip_trunk_conf real = { .name = STR("acme"), .host = STR("127.0.0.1"), .port = 10 };
    add_trunk(b, "sim", "127.0.0.1", 9, "");
    assert_int_equal(sip_edge_trunk_add(b->edge, &real, &why), ERR_NONE);
    call_in(b, 904, "2065550111", "18335550100");
    const struct copy *in = next(b, LEG_OFFERED);
    assert_string_equal(in->trunk, "acme");
    assert_false(in->news.simulated);
    assert_int_equal(sip_edge_ops()->reject(b->edge, in->news.leg, 404, 1), ERR_NONE);
    wait_for(b, &b->carrier_ends, 1);
}

static void a_hidden_caller_is_anonymous(void **state)
{
    struct bed *b = *state;
    call_in(b, 902, "", "+18335550100");
    const struct copy *in = next(b, LEG_OFFERED);
    assert_string_equal(in->from, "anonymous");
    assert_string_equal(in->display, "");
    assert_int_equal(sip_edge_ops()->reject(b->edge, in->news.leg, 480, 20), ERR_NONE);
    wait_for(b, &b->carrier_ends, 1);
    assert_int_equal(b->carrier_end.status, 480);
    assert_int_equal(b->carrier_end.q850, 20);
    assert_false(next(b, LEG_ENDED)->news.by_peer);
}

static void a_stranger_is_forbidden(void **state)
{
    struct bed *b = *state;
    assert_int_equal(sip_edge_trunk_remove(b->edge, STR("sim")), ERR_NONE);
    call_in(b, 903, "+12065550111", "+18335550100");
    wait_for(b, &b->carrier_ends, 1);
    assert_int_equal(b->carrier_end.status, 403);
    assert_int_equal(b->calls.n, 0);
}

static void a_busy_control_sheds_with_503(void **state)
{
    struct bed *b = *state;
    b->calls.answer = ERR_BUSY;
    call_in(b, 904, "+12065550111", "+18335550100");
    wait_for(b, &b->carrier_ends, 1);
    assert_int_equal(b->carrier_end.status, 503);
}

static void more_offers_than_the_bound_are_shed_until_one_is_decided(void **state)
{
    struct bed *b = *state;
    call_in(b, 905, "+12065550111", "+18335550100");
    const struct copy *first = next(b, LEG_OFFERED);
    call_in(b, 906, "+12065550111", "+18335550100");
    wait_for(b, &b->carrier_ends, 1);
    assert_int_equal(b->carrier_end.status, 503);
    assert_int_equal(sip_edge_ops()->reject(b->edge, first->news.leg, 486, 0), ERR_NONE);
    next(b, LEG_ENDED);
    wait_for(b, &b->carrier_ends, 2);
    call_in(b, 907, "+12065550111", "+18335550100");
    const struct copy *third = next(b, LEG_OFFERED);
    assert_int_equal(sip_edge_ops()->reject(b->edge, third->news.leg, 486, 0), ERR_NONE);
    next(b, LEG_ENDED);
    wait_for(b, &b->carrier_ends, 3);
}

static void a_replaced_trunk_goes_to_its_new_address(void **state)
{
    struct bed *b = *state;
    add_trunk(b, "sim", "127.0.0.1", 9, "udp");
    add_trunk(b, "sim", "localhost", sip_stack_port(b->carrier), "tcp");
    invite(b, 15, "sim");
    next(b, LEG_RINGING);
    next(b, LEG_ANSWERED);
}

static void a_bad_trunk_is_refused_with_words(void **state)
{
    struct bed *b = *state;
    const struct { struct sip_trunk_conf conf; enum err err; } cases[] = {
        { { .name = STR(""), .host = STR("127.0.0.1"), .port = 5060 }, ERR_RANGE },
        { { .name = STR("a"), .host = STR("sip.example.org"), .port = 5060 }, ERR_RANGE },
        { { .name = STR("a"), .host = STR("127.0.0.1"), .port = 0 }, ERR_RANGE },
        { { .name = STR("a"), .host = STR("127.0.0.1"), .port = 5060, .transport = STR("sctp") }, ERR_RANGE },
        { { .name = STR("a"), .host = STR("127.0.0.1"), .port = 5061, .transport = STR("tls") }, ERR_UNBUILT },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct problem why = { 0 };
        assert_int_equal(sip_edge_trunk_add(b->edge, &cases[i].conf, &why), cases[i].err);
        assert_true(strlen(why.text) > 0);
    }
}

static void stopping_tells_the_end_of_every_leg(void **state)
{
    struct bed *b = *state;
    invite(b, 16, "sim");
    next(b, LEG_RINGING);
    next(b, LEG_ANSWERED);
    sip_edge_stop(b->edge, 2000);
    assert_int_equal(next(b, LEG_ENDED)->news.leg.v, 16);
    struct signalling_invite plan = plan_of(17, "sim");
    assert_int_equal(sip_edge_ops()->invite(b->edge, &plan), ERR_CLOSED);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_call_out_is_ringing_then_answered_then_ended_by_us), CASE(a_refused_call_out_brings_status_and_cause),
        CASE(an_unknown_trunk_ends_the_leg), CASE(a_hangup_right_behind_the_invite_is_not_lost),
        CASE(a_call_in_is_offered_with_its_trunk_and_answered),
        CASE(an_unknown_port_of_a_shared_address_is_the_real_trunk), CASE(a_hidden_caller_is_anonymous),
        CASE(a_stranger_is_forbidden), CASE(a_busy_control_sheds_with_503),
        CASE(more_offers_than_the_bound_are_shed_until_one_is_decided), CASE(a_replaced_trunk_goes_to_its_new_address),
        CASE(a_bad_trunk_is_refused_with_words), CASE(stopping_tells_the_end_of_every_leg),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
