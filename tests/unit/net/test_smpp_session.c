#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "net/smpp_session.h"
#include "net/tcp.h"

enum { LOG_MAX = 64 };

/* One loop with a listening SMSC, an ESME of ours, and a raw peer that says whatever a test wants. */
struct side {
    struct smpp_session *s;
    bool                 up, down;
    enum err             why;
    uint32_t             why_status;
    unsigned             requests, answers;
    uint32_t             sequence[LOG_MAX], status[LOG_MAX];
    uint64_t             tag[LOG_MAX];
    enum err             err[LOG_MAX];
};
static struct world {
    struct loop         *loop;
    struct loop_timer    tick;
    struct tcp_listener *listener;
    struct tcp_conn     *raw;
    bool                 raw_open, raw_gone;
    uint8_t              raw_in[4096];
    size_t               raw_n;
    struct side          smsc, esme;
    uint32_t             bind_status;
    bool                 smsc_answers;
    bool               (*until)(void);
    int64_t              give_up_us;
} w;

/* -- hooks ---------------------------------------------------------------------------------------------------------- */
static void on_up(void *arg)
{
    ((struct side *)arg)->up = true;
}

static uint32_t on_bind(void *arg, const struct smpp_pdu *bind)
{
    (void)arg;
    assert_true(str_eqz(bind->bind.system_id, "esme") || str_eqz(bind->bind.system_id, "raw"));
    return w.bind_status;
}

static void on_request(void *arg, const struct smpp_pdu *pdu)
{
    struct side *side = arg;
    side->sequence[side->requests++ % LOG_MAX] = pdu->sequence;
    if (w.smsc_answers)
        smpp_session_answer(side->s, pdu->command, pdu->sequence, ESME_ROK, STR("77"));
}

static void on_answer(void *arg, uint64_t tag, enum err err, const struct smpp_pdu *answer)
{
    struct side *side = arg;
    unsigned i = side->answers++ % LOG_MAX;
    assert_true((err == ERR_NONE) == (answer != NULL));
    side->tag[i] = tag;
    side->err[i] = err;
    side->status[i] = answer ? answer->status : 0;
}

static void on_down(void *arg, enum err why, uint32_t status)
{
    struct side *side = arg;
    side->down = true;
    side->why = why;
    side->why_status = status;
    smpp_session_free(side->s);
    side->s = NULL;
}

static const struct smpp_session_hooks hooks = {
    .on_bind = on_bind, .on_up = on_up, .on_request = on_request, .on_answer = on_answer, .on_down = on_down,
};

/* -- the world ------------------------------------------------------------------------------------------------------ */
static struct smpp_session_conf smsc_conf, esme_conf;

static void on_accept(void *arg, int fd, const char *peer)
{
    (void)arg, (void)peer;
    assert_null(w.smsc.s);
    assert_int_equal(smpp_session_serve(&w.smsc.s, w.loop, fd, &smsc_conf, &hooks, &w.smsc), ERR_NONE);
}

static void on_tick(void *arg)
{
    (void)arg;
    if (w.until() || clock_mono().us > w.give_up_us)
        loop_stop(w.loop);
    else
        loop_timer_start(&w.tick, US_PER_MS);
}

/* Turn the loop until it holds; false after 5 s. */
static bool comes(bool (*until)(void))
{
    w.until = until;
    w.give_up_us = clock_mono().us + 5 * US_PER_S;
    loop_timer_start(&w.tick, 0);
    loop_run_here(w.loop);
    return until();
}

static int set_up(void **state)
{
    (void)state;
    w = (struct world){ .smsc_answers = true };
    smsc_conf = (struct smpp_session_conf){ .role = SMPP_SMSC, .name = "test smsc", .system_id = "smsc", .window = 10 };
    esme_conf = (struct smpp_session_conf){ .role = SMPP_ESME, .name = "test esme", .system_id = "esme", .password = "pw",
                                            .bind = SMPP_bind_transceiver, .window = 4 };
    log_setup(LOG_ERROR, LOG_TEXT);
    assert_int_equal(loop_new(&w.loop, "test", 16, NULL), ERR_NONE);
    assert_int_equal(loop_timer_init(w.loop, &w.tick, on_tick, NULL), ERR_NONE);
    assert_int_equal(tcp_listen(&w.listener, w.loop, "127.0.0.1", 0, on_accept, NULL, NULL), ERR_NONE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    smpp_session_free(w.esme.s);
    smpp_session_free(w.smsc.s);
    tcp_free(w.raw);
    tcp_listener_free(w.listener);
    loop_timer_done(&w.tick);
    loop_free(w.loop);
    return 0;
}

static bool both_up(void)      { return w.smsc.up && w.esme.up; }
static bool both_down(void)    { return w.smsc.down && w.esme.down; }
static bool esme_down(void)    { return w.esme.down; }
static bool smsc_down(void)    { return w.smsc.down; }
static bool four_answers(void) { return w.esme.answers >= 4; }
static bool one_answer(void)   { return w.esme.answers >= 1; }
static bool three_asked(void)  { return w.smsc.requests >= 3; }
static bool one_delivered(void) { return w.smsc.answers >= 1; }

static void bind_both(void)
{
    assert_int_equal(smpp_session_connect(&w.esme.s, w.loop, "127.0.0.1", tcp_listener_port(w.listener), &esme_conf, &hooks,
                                          &w.esme), ERR_NONE);
    assert_true(comes(both_up));
}

static enum err submit(uint64_t tag)
{
    return smpp_session_send(w.esme.s, &(struct smpp_pdu){ .command = SMPP_submit_sm,
                             .sm = { .source_addr = STR("1"), .destination_addr = STR("2"), .short_message = STR("x") } },
                             tag);
}

/* -- between two of ours -------------------------------------------------------------------------------------------- */
static void a_bound_session_carries_messages_both_ways(void **state)
{
    (void)state;
    bind_both();
    assert_true(smpp_session_is_up(w.esme.s) && smpp_session_may_submit(w.esme.s) && smpp_session_may_deliver(w.smsc.s));
    for (uint64_t tag = 1; tag <= 4; tag++)
        assert_int_equal(submit(tag), ERR_NONE);
    assert_int_equal(submit(5), ERR_BUSY);              /* a window of 4 */
    assert_true(comes(four_answers));
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(w.esme.tag[i], i + 1);
        assert_int_equal(w.esme.err[i], ERR_NONE);
    }
    assert_int_equal(submit(5), ERR_NONE);
    assert_int_equal(smpp_session_send(w.smsc.s, &(struct smpp_pdu){ .command = SMPP_deliver_sm,
                     .sm = { .source_addr = STR("2"), .destination_addr = STR("1") } }, 9), ERR_NONE);
    assert_true(comes(one_delivered));
    assert_int_equal(w.smsc.tag[0], 9);
    assert_int_equal(w.esme.requests, 1);
}

static void unbinding_waits_for_what_is_under_way(void **state)
{
    (void)state;
    w.smsc_answers = false;
    bind_both();
    for (uint64_t tag = 1; tag <= 3; tag++)
        assert_int_equal(submit(tag), ERR_NONE);
    smpp_session_unbind(w.esme.s);
    assert_int_equal(submit(4), ERR_CLOSED);
    assert_true(comes(three_asked));
    assert_false(w.esme.down);
    for (unsigned i = 0; i < 3; i++)
        smpp_session_answer(w.smsc.s, SMPP_submit_sm, w.smsc.sequence[i], ESME_ROK, STR("1"));
    assert_true(comes(both_down));
    assert_int_equal(w.esme.answers, 3);
    assert_int_equal(w.esme.why, ERR_NONE);
}

static void a_lost_link_loses_each_request_in_order(void **state)
{
    (void)state;
    w.smsc_answers = false;
    bind_both();
    for (uint64_t tag = 1; tag <= 3; tag++)
        assert_int_equal(submit(tag), ERR_NONE);
    assert_true(comes(three_asked));
    smpp_session_drop(w.smsc.s);
    assert_true(comes(both_down));
    assert_int_equal(w.esme.answers, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(w.esme.tag[i], i + 1);
        assert_int_equal(w.esme.err[i], ERR_CLOSED);
    }
    assert_int_equal(w.esme.why, ERR_CLOSED);
}

static void an_answer_that_never_comes_times_out(void **state)
{
    (void)state;
    w.smsc_answers = false;
    esme_conf.answer_us = 30 * US_PER_MS;
    bind_both();
    assert_int_equal(submit(1), ERR_NONE);
    assert_true(comes(one_answer));
    assert_int_equal(w.esme.err[0], ERR_TIMEOUT);
    assert_true(smpp_session_is_up(w.esme.s));
    assert_int_equal(smpp_session_under_way(w.esme.s), 0);
}

static void a_refused_bind_says_why(void **state)
{
    (void)state;
    w.bind_status = ESME_RINVPASWD;
    assert_int_equal(smpp_session_connect(&w.esme.s, w.loop, "127.0.0.1", tcp_listener_port(w.listener), &esme_conf, &hooks,
                                          &w.esme), ERR_NONE);
    assert_true(comes(esme_down));
    assert_int_equal(w.esme.why, ERR_UNPROVEN);
    assert_int_equal(w.esme.why_status, ESME_RINVPASWD);
    assert_false(w.esme.up);
}

static void nobody_listening_is_told_later_not_at_once(void **state)
{
    (void)state;
    uint16_t port = tcp_listener_port(w.listener);
    tcp_listener_free(w.listener);
    w.listener = NULL;
    assert_int_equal(smpp_session_connect(&w.esme.s, w.loop, "127.0.0.1", port, &esme_conf, &hooks, &w.esme), ERR_NONE);
    assert_false(w.esme.down);
    assert_true(comes(esme_down));
    assert_int_equal(w.esme.why, ERR_IO);
    assert_int_equal(tcp_listen(&w.listener, w.loop, "127.0.0.1", 0, on_accept, NULL, NULL), ERR_NONE);
}

static void a_name_is_looked_up_off_the_loop(void **state)
{
    (void)state;
    assert_int_equal(smpp_session_connect(&w.esme.s, w.loop, "no-such-host.invalid", 2775, &esme_conf, &hooks, &w.esme),
                     ERR_NONE);
    assert_true(comes(esme_down));
    assert_int_equal(w.esme.why, ERR_ABSENT);
}

static void sizes_beyond_the_specification_are_refused(void **state)
{
    (void)state;
    struct smpp_session *s = NULL;
    esme_conf.password = "123456789";
    assert_int_equal(smpp_session_connect(&s, w.loop, "127.0.0.1", 1, &esme_conf, &hooks, &w.esme), ERR_RANGE);
    esme_conf.password = "12345678";
    esme_conf.window = 0;
    assert_int_equal(smpp_session_connect(&s, w.loop, "127.0.0.1", 1, &esme_conf, &hooks, &w.esme), ERR_RANGE);
    assert_null(s);
}

/* -- a raw peer ----------------------------------------------------------------------------------------------------- */
static void raw_opened(void *arg)
{
    (void)arg;
    w.raw_open = true;
}

static size_t raw_bytes(void *arg, const uint8_t *p, size_t n)
{
    (void)arg;
    assert_true(w.raw_n + n <= sizeof w.raw_in);
    memcpy(w.raw_in + w.raw_n, p, n);
    w.raw_n += n;
    return n;
}

static void raw_went(void *arg, enum err why)
{
    (void)arg, (void)why;
    w.raw_gone = true;
}

static const struct tcp_ops raw_ops = { .on_open = raw_opened, .on_bytes = raw_bytes, .on_gone = raw_went };
static bool raw_is_open(void)   { return w.raw_open && w.smsc.s; }
static bool raw_is_told(void)   { return w.raw_n >= 16; }
static bool raw_is_gone(void)   { return w.raw_gone; }

static void raw_connect(void)
{
    assert_int_equal(tcp_connect(&w.raw, w.loop, "localhost", tcp_listener_port(w.listener), &raw_ops, NULL), ERR_NONE);
    assert_true(comes(raw_is_open));
}

static void raw_say(const char *hex)
{
    uint8_t octets[512];
    size_t n;
    assert_int_equal(hex_read(octets, sizeof octets, str_of(hex), &n), ERR_NONE);
    tcp_send(w.raw, octets, n);
}

/* The next PDU the raw peer hears must be this one. */
static void assert_raw_hears(uint32_t command, uint32_t status, uint32_t sequence)
{
    size_t n = 0;
    struct smpp_pdu pdu;
    assert_true(comes(raw_is_told));
    assert_int_equal(smpp_frame(w.raw_in, w.raw_n, &n), ERR_NONE);
    assert_int_not_equal(n, 0);
    assert_int_equal(smpp_read(&pdu, w.raw_in, n), ERR_NONE);
    assert_int_equal(pdu.command, command);
    assert_int_equal(pdu.status, status);
    assert_int_equal(pdu.sequence, sequence);
    memmove(w.raw_in, w.raw_in + n, w.raw_n -= n);
}

#define RAW_BIND "0000001c" "00000009" "00000000" "00000001" "72617700" "707700" "00" "34" "00" "00" "00"

static void raw_bind(void)
{
    raw_connect();
    raw_say(RAW_BIND);
    assert_raw_hears(SMPP_bind_transceiver_resp, 0, 1);
}

static void a_malformed_pdu_is_nacked_and_the_link_lives(void **state)
{
    (void)state;
    raw_bind();
    raw_say("00000014" "00000004" "00000000" "00000007" "41414141");        /* submit_sm without its end */
    assert_raw_hears(SMPP_generic_nack, ESME_RINVCMDLEN, 7);
    raw_say("00000010" "00000102" "00000000" "00000008");                   /* alert_notification */
    assert_raw_hears(SMPP_generic_nack, ESME_RINVCMDID, 8);
    raw_say("00000010" "00000015" "00000000" "00000009");
    assert_raw_hears(SMPP_enquire_link_resp, 0, 9);
}

static void on_raw_accept(void *arg, int fd, const char *peer)
{
    (void)arg, (void)peer;
    assert_int_equal(tcp_adopt(&w.raw, w.loop, fd, &raw_ops, NULL), ERR_NONE);
}

/* We connect to a peer of raw octets. */
static void raw_smsc(void)
{
    tcp_listener_free(w.listener);
    assert_int_equal(tcp_listen(&w.listener, w.loop, "127.0.0.1", 0, on_raw_accept, NULL, NULL), ERR_NONE);
    assert_int_equal(smpp_session_connect(&w.esme.s, w.loop, "127.0.0.1", tcp_listener_port(w.listener), &esme_conf, &hooks,
                                          &w.esme), ERR_NONE);
    assert_raw_hears(SMPP_bind_transceiver, 0, 1);
}

#define RAW_SUBMIT(sequence) "00000025" "00000004" "00000000" sequence "00" "0000" "3100" "0000" "3200" "000000" "0000" "00000000" "0178" "00"
static bool two_asked(void)     { return w.smsc.requests >= 2; }
static bool esme_is_up(void)    { return w.esme.up; }

static void a_peer_that_unbinds_gets_the_answers_it_is_owed_first(void **state)
{
    (void)state;
    w.smsc_answers = false;
    raw_bind();
    raw_say(RAW_SUBMIT("00000002") RAW_SUBMIT("00000003"));
    raw_say("00000010" "00000006" "00000000" "00000004");
    assert_true(comes(two_asked));
    raw_say(RAW_SUBMIT("00000005"));
    assert_raw_hears(SMPP_submit_sm_resp, ESME_RINVBNDSTS, 5);
    assert_false(w.smsc.down);
    assert_false(smpp_session_is_up(w.smsc.s));
    for (unsigned i = 0; i < 2; i++)
        smpp_session_answer(w.smsc.s, SMPP_submit_sm, w.smsc.sequence[i], ESME_ROK, STR(""));
    assert_raw_hears(SMPP_submit_sm_resp, 0, 2);
    assert_raw_hears(SMPP_submit_sm_resp, 0, 3);
    assert_raw_hears(SMPP_unbind_resp, 0, 4);
    assert_true(comes(smsc_down));
}

static void the_answer_of_another_bind_is_none(void **state)
{
    (void)state;
    raw_smsc();
    raw_say("00000011" "80000001" "00000000" "00000001" "00");
    raw_say("00000011" "80000009" "00000000" "00000002" "00");
    raw_say("00000010" "00000015" "00000000" "00000007");
    assert_raw_hears(SMPP_enquire_link_resp, 0, 7);
    assert_false(smpp_session_is_up(w.esme.s));
    raw_say("00000011" "80000009" "00000000" "00000001" "00");
    assert_true(comes(esme_is_up));
}

static unsigned wanted_answers;
static bool has_answers(void)
{
    return w.esme.answers >= wanted_answers;
}

static bool esme_is_down(void)
{
    return w.esme.down;
}

static void a_generic_nack_answers_whatever_we_ask(void **state)
{
    (void)state;
    static const uint32_t commands[] = { SMPP_submit_sm, SMPP_data_sm, SMPP_query_sm, SMPP_cancel_sm, SMPP_replace_sm };
    raw_smsc();
    raw_say("00000012" "80000009" "00000000" "00000001" "7300");
    raw_say("00000010" "00000015" "00000000" "00000009");
    assert_raw_hears(SMPP_enquire_link_resp, 0, 9);
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        char nack[33];
        struct smpp_pdu pdu;
        memset(&pdu, 0, sizeof pdu);
        pdu.command = commands[i];
        assert_int_equal(smpp_session_send(w.esme.s, &pdu, 100 + i), ERR_NONE);
        assert_raw_hears(commands[i], 0, 2 + i);
        snprintf(nack, sizeof nack, "00000010" "80000000" "00000003" "%08x", 2 + i);
        raw_say(nack);
        wanted_answers = i + 1;
        assert_true(comes(has_answers));
        assert_int_equal(w.esme.tag[i], 100 + i);
        assert_int_equal(w.esme.err[i], ERR_NONE);
        assert_int_equal(w.esme.status[i], ESME_RINVCMDID);
    }
    smpp_session_unbind(w.esme.s);
    assert_raw_hears(SMPP_unbind, 0, 7);
    raw_say("00000010" "80000000" "00000003" "00000007");
    assert_true(comes(esme_is_down));
    assert_int_equal(w.esme.why, ERR_NONE);
}

static void a_generic_nack_to_a_bind_refuses_it(void **state)
{
    (void)state;
    raw_smsc();
    raw_say("00000010" "80000000" "00000003" "00000001");
    assert_true(comes(esme_is_down));
    assert_int_equal(w.esme.why, ERR_UNPROVEN);
    assert_int_equal(w.esme.why_status, ESME_RINVCMDID);
}

static void a_nack_that_says_rok_is_no_welcome(void **state)
{
    (void)state;
    raw_smsc();
    raw_say("00000010" "80000000" "00000000" "00000001");
    assert_true(comes(esme_is_down));
    assert_int_equal(w.esme.why, ERR_UNPROVEN);
    assert_int_equal(w.esme.why_status, ESME_RUNKNOWNERR);
}

static void an_smsc_may_alert_us_and_its_outbind_is_refused(void **state)
{
    (void)state;
    raw_smsc();
    raw_say("00000012" "80000009" "00000000" "00000001" "7300");
    raw_say("00000018" "00000102" "00000000" "00000005" "0101" "3100" "0101" "3200");      /* alert_notification: no answer */
    raw_say("00000014" "0000000b" "00000000" "00000006" "73007000");                       /* outbind */
    assert_raw_hears(SMPP_generic_nack, ESME_RINVCMDID, 6);
    raw_say("00000010" "00000015" "00000000" "00000009");
    assert_raw_hears(SMPP_enquire_link_resp, 0, 9);
    assert_true(w.esme.up);
}

static void an_impossible_length_ends_the_link(void **state)
{
    (void)state;
    raw_bind();
    raw_say("7fffffff" "00000004" "00000000" "00000007");
    assert_raw_hears(SMPP_generic_nack, ESME_RINVCMDLEN, 0);
    assert_true(comes(raw_is_gone));
    assert_true(w.smsc.down);
    assert_int_equal(w.smsc.why, ERR_SYNTAX);
}

static void nothing_is_served_before_the_bind(void **state)
{
    (void)state;
    raw_connect();
    raw_say("00000025" "00000004" "00000000" "00000003" "00" "0000" "3100" "0000" "3200" "000000" "0000" "00000000" "0178" "00");
    assert_raw_hears(SMPP_submit_sm_resp, ESME_RINVBNDSTS, 3);
    assert_int_equal(w.smsc.requests, 0);
    raw_say("00000010" "00000015" "00000000" "00000004");
    assert_raw_hears(SMPP_enquire_link_resp, 0, 4);
}

static void a_second_bind_is_refused(void **state)
{
    (void)state;
    raw_bind();
    raw_say(RAW_BIND);
    assert_raw_hears(SMPP_bind_transceiver_resp, ESME_RALYBND, 1);
    raw_say("00000010" "00000006" "00000000" "00000002");
    assert_raw_hears(SMPP_unbind_resp, 0, 2);
    assert_true(comes(smsc_down));
}

static void octets_one_by_one_make_the_same_pdus(void **state)
{
    (void)state;
    raw_connect();
    uint8_t octets[32];
    size_t n;
    assert_int_equal(hex_read(octets, sizeof octets, str_of(RAW_BIND), &n), ERR_NONE);
    for (size_t i = 0; i < n; i++) {
        tcp_send(w.raw, octets + i, 1);
        tcp_flush(w.raw);
    }
    assert_raw_hears(SMPP_bind_transceiver_resp, 0, 1);
}

static void silence_is_probed_and_then_given_up(void **state)
{
    (void)state;
    smsc_conf.enquire_us = 30 * US_PER_MS;
    smsc_conf.answer_us = 60 * US_PER_MS;
    raw_bind();
    assert_raw_hears(SMPP_enquire_link, 0, 1);
    raw_say("00000010" "80000015" "00000000" "00000001");
    assert_raw_hears(SMPP_enquire_link, 0, 2);          /* it lived; now nothing is answered */
    assert_true(comes(smsc_down));
    assert_int_equal(w.smsc.why, ERR_TIMEOUT);
}

static void a_peer_that_never_binds_is_let_go(void **state)
{
    (void)state;
    smsc_conf.bind_us = 30 * US_PER_MS;
    raw_connect();
    assert_true(comes(raw_is_gone));
    assert_int_equal(w.smsc.why, ERR_TIMEOUT);
}

static void an_smsc_that_never_answers_the_bind_is_given_up(void **state)
{
    (void)state;
    w.bind_status = SMPP_BIND_LATER;
    esme_conf.bind_us = 50 * US_PER_MS;
    assert_int_equal(smpp_session_connect(&w.esme.s, w.loop, "127.0.0.1", tcp_listener_port(w.listener), &esme_conf, &hooks,
                                          &w.esme), ERR_NONE);
    assert_true(comes(esme_down));
    assert_false(w.esme.up);
    assert_int_equal(w.esme.why, ERR_TIMEOUT);
}

static void half_a_pdu_is_waited_for_as_long_as_silence(void **state)
{
    (void)state;
    smsc_conf.enquire_us = 30 * US_PER_MS;
    smsc_conf.answer_us = 60 * US_PER_MS;
    raw_bind();
    raw_say("00000020" "00000015" "00000000");
    assert_raw_hears(SMPP_enquire_link, 0, 1);          /* its answer would be the other half */
    assert_true(comes(smsc_down));
    assert_int_equal(w.smsc.why, ERR_TIMEOUT);
    assert_int_equal(w.smsc.requests, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_bound_session_carries_messages_both_ways),
        T(unbinding_waits_for_what_is_under_way),
        T(a_peer_that_unbinds_gets_the_answers_it_is_owed_first),
        T(the_answer_of_another_bind_is_none),
        T(a_lost_link_loses_each_request_in_order),
        T(an_answer_that_never_comes_times_out),
        T(a_refused_bind_says_why),
        T(nobody_listening_is_told_later_not_at_once),
        T(a_name_is_looked_up_off_the_loop),
        T(sizes_beyond_the_specification_are_refused),
        T(a_malformed_pdu_is_nacked_and_the_link_lives),
        T(an_impossible_length_ends_the_link),
        T(a_generic_nack_answers_whatever_we_ask),
        T(a_generic_nack_to_a_bind_refuses_it),
        T(a_nack_that_says_rok_is_no_welcome),
        T(an_smsc_may_alert_us_and_its_outbind_is_refused),
        T(nothing_is_served_before_the_bind),
        T(a_second_bind_is_refused),
        T(octets_one_by_one_make_the_same_pdus),
        T(silence_is_probed_and_then_given_up),
        T(a_peer_that_never_binds_is_let_go),
        T(an_smsc_that_never_answers_the_bind_is_given_up),
        T(half_a_pdu_is_waited_for_as_long_as_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
