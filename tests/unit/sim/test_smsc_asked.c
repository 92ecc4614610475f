/* The simulated SMSC as ESMEs see it: what its settings make it do, who may bind, and the PDUs beyond submit_sm. */
#include "unit/cm.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "net/smpp_session.h"
#include "net/sms_parts.h"
#include "sim/smsc.h"

enum { HEARD_MAX = 64 };
struct heard {                          /* a deliver_sm */
    uint8_t  esm_class;
    bool     tlvs, sar, payload;
    char     text[2048], receipted[80];
    uint8_t  state;
    int64_t  at_us;
};
struct answer {
    enum err err;
    uint32_t command, status;
    char     id[80], date[20];
    uint8_t  state;
    unsigned n_failed;
    uint32_t failed_status;
    int64_t  at_us;
};
struct side {
    struct smpp_session *s;
    bool     up, down;
    uint32_t refused;                   /* the bind */
    unsigned heard, answers;
    struct heard  deliver[HEARD_MAX];
    struct answer answer[HEARD_MAX];
};
static struct world {
    struct loop      *loop;
    struct loop_timer tick;
    struct smsc      *smsc;
    struct side       a, b;
    unsigned          messages;
    char              text[4096];
    bool            (*until)(void);
    int64_t           give_up_us;
} w;

static void on_up(void *arg)
{
    ((struct side *)arg)->up = true;
}

static void on_request(void *arg, const struct smpp_pdu *pdu)
{
    struct side *e = arg;
    struct sms_part part;
    scoped_buf text = { 0 };
    struct heard *h = &e->deliver[e->heard++ % HEARD_MAX];
    assert_int_equal(sms_part_read(&part, pdu), ERR_NONE);
    sms_text_read(&text, part.alphabet, part.octets.p, part.octets.n);
    *h = (struct heard){ .esm_class = pdu->sm.esm_class, .tlvs = pdu->tlvs.has_receipted_message_id,
                         .sar = pdu->tlvs.has_sar_msg_ref_num, .payload = pdu->tlvs.has_message_payload,
                         .state = (uint8_t)pdu->tlvs.message_state, .at_us = clock_mono().us };
    str_copyz(h->text, sizeof h->text, buf_str(&text));
    str_copyz(h->receipted, sizeof h->receipted, pdu->tlvs.receipted_message_id);
    smpp_session_answer(e->s, pdu->command, pdu->sequence, ESME_ROK, STR(""));
}

static void on_answer(void *arg, uint64_t tag, enum err err, const struct smpp_pdu *pdu)
{
    struct side *e = arg;
    struct answer *a = &e->answer[e->answers++ % HEARD_MAX];
    struct smpp_dest dest;
    (void)tag;
    *a = (struct answer){ .err = err, .at_us = clock_mono().us };
    if (err)
        return;
    a->command = pdu->command;
    a->status = pdu->status;
    if (pdu->command == SMPP_query_sm_resp) {
        a->state = pdu->query_resp.message_state;
        str_copyz(a->date, sizeof a->date, pdu->query_resp.final_date);
    } else if (pdu->command == SMPP_submit_sm_resp || pdu->command == SMPP_data_sm_resp
               || pdu->command == SMPP_submit_multi_resp) {
        str_copyz(a->id, sizeof a->id, pdu->sm_resp.message_id);
    }
    struct rd r = rd_of(pdu->dests.p, pdu->dests.n);
    while (smpp_unsuccess_next(&r, &dest)) {
        a->n_failed++;
        a->failed_status = dest.status;
    }
}

static void on_down(void *arg, enum err why, uint32_t status)
{
    struct side *e = arg;
    (void)why;
    e->down = true;
    e->up = false;
    e->refused = status;
    smpp_session_free(e->s);
    e->s = NULL;
}

static const struct smpp_session_hooks hooks = { .on_up = on_up, .on_request = on_request, .on_answer = on_answer,
                                                 .on_down = on_down };

static void on_message(void *arg, struct str from, struct str to, struct str text)
{
    (void)arg, (void)from, (void)to;
    w.messages++;
    str_copyz(w.text, sizeof w.text, text);
}

static void on_tick(void *arg)
{
    (void)arg;
    if (w.until() || clock_mono().us > w.give_up_us)
        loop_stop(w.loop);
    else
        loop_timer_start(&w.tick, US_PER_MS);
}

static bool comes(bool (*until)(void))
{
    w.until = until;
    w.give_up_us = clock_mono().us + 10 * US_PER_S;
    loop_timer_start(&w.tick, 0);
    loop_run_here(w.loop);
    return until();
}

static unsigned wanted;
static bool a_answers(void)  { return w.a.answers >= wanted; }
static bool a_hears(void)    { return w.a.heard >= wanted; }
static bool b_hears(void)    { return w.b.heard >= wanted; }
static bool a_settled(void)  { return w.a.up || w.a.down; }
static bool b_settled(void)  { return w.b.up || w.b.down; }
static bool a_down(void)     { return w.a.down; }
static bool delivered(void)  { return w.messages >= wanted; }
static int64_t pass_until;
static bool time_is_over(void) { return clock_mono().us > pass_until; }

static bool n_times(bool (*until)(void), unsigned n)
{
    wanted = n;
    return comes(until);
}

static void pass_ms(int64_t ms)
{
    pass_until = clock_mono().us + ms * US_PER_MS;
    assert_true(comes(time_is_over));
}

static void behave(const char *settings)
{
    struct smsc_ways ways;
    struct problem why = { 0 };
    smsc_ways_init(&ways);
    if (smsc_ways_read(&ways, str_of(settings), &why))
        fail_msg("%s", why.text);
    smsc_set_ways(w.smsc, &ways);
}

static void bind_as(struct side *e, uint32_t command, const char *system_id, const char *password)
{
    struct smpp_session_conf c = { .role = SMPP_ESME, .name = "test", .system_id = system_id, .password = password,
                                   .bind = command, .window = 50 };
    *e = (struct side){ 0 };
    assert_int_equal(smpp_session_connect(&e->s, w.loop, "127.0.0.1", smsc_port(w.smsc), &c, &hooks, e), ERR_NONE);
    assert_true(comes(e == &w.a ? a_settled : b_settled));
}

static void bound(struct side *e, uint32_t command)
{
    bind_as(e, command, "esme", "pw");
    assert_true(e->up);
}

static void ask(struct side *e, struct smpp_pdu pdu)
{
    assert_int_equal(smpp_session_send(e->s, &pdu, 0), ERR_NONE);
}

static struct smpp_pdu a_submit(const char *text)
{
    return (struct smpp_pdu){ .command = SMPP_submit_sm,
                              .sm = { .source_addr_ton = 1, .source_addr_npi = 1, .source_addr = STR("18005550100"),
                                      .dest_addr_ton = 1, .dest_addr_npi = 1, .destination_addr = STR("12065550101"),
                                      .registered_delivery = 1, .short_message = str_of(text) } };
}

static int set_up(void **state)
{
    static const struct smsc_conf conf = { .host = "127.0.0.1", .seed = 7 };
    static const struct smsc_hooks smsc_hooks = { .on_message = on_message };
    (void)state;
    w = (struct world){ 0 };
    log_setup(LOG_ERROR, LOG_TEXT);
    assert_int_equal(loop_new(&w.loop, "test", 16, NULL), ERR_NONE);
    assert_int_equal(loop_timer_init(w.loop, &w.tick, on_tick, NULL), ERR_NONE);
    assert_int_equal(smsc_new(&w.smsc, w.loop, &conf, &smsc_hooks, NULL, NULL), ERR_NONE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fault_clear(0);
    smpp_session_free(w.a.s);
    smpp_session_free(w.b.s);
    smsc_free(w.smsc);
    loop_timer_done(&w.tick);
    loop_free(w.loop);
    return 0;
}

/* -- who may bind ---------------------------------------------------------------------------------------------------- */
static void a_bind_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const struct { const char *settings, *id, *password; uint32_t status; } cases[] = {
        { "systemId=esme,password=pw", "other", "pw", ESME_RINVSYSID },
        { "systemId=esme,password=pw", "esme", "no", ESME_RINVPASWD },
        { "systemId=esme,password=pw", "esme", "pw", ESME_ROK },
        { "bindStatus=ESME_RBINDFAIL", "esme", "pw", ESME_RBINDFAIL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        behave(cases[i].settings);
        bind_as(&w.a, SMPP_bind_transceiver, cases[i].id, cases[i].password);
        assert_int_equal(w.a.refused, cases[i].status);
        assert_int_equal(w.a.up, !cases[i].status);
        smpp_session_free(w.a.s);
        w.a.s = NULL;
    }
}

static void one_bind_too_many_is_already_bound(void **state)
{
    (void)state;
    behave("bindsPerSystemId=1");
    bound(&w.a, SMPP_bind_transceiver);
    bind_as(&w.b, SMPP_bind_transceiver, "esme", "pw");
    assert_int_equal(w.b.refused, ESME_RALYBND);
    bind_as(&w.b, SMPP_bind_transceiver, "another", "pw");
    assert_true(w.b.up);
    smpp_session_unbind(w.a.s);
    assert_true(comes(a_down));
    smpp_session_free(w.b.s);
    bind_as(&w.b, SMPP_bind_transceiver, "esme", "pw");
    assert_true(w.b.up);
}

static void a_receiver_may_not_submit_nor_ask(void **state)
{
    (void)state;
    bound(&w.a, SMPP_bind_receiver);
    ask(&w.a, a_submit("x"));
    ask(&w.a, (struct smpp_pdu){ .command = SMPP_query_sm, .query = { .message_id = STR("1") } });
    assert_true(n_times(a_answers, 2));
    assert_int_equal(w.a.answer[0].status, ESME_RINVBNDSTS);
    assert_int_equal(w.a.answer[1].status, ESME_RINVBNDSTS);
    assert_int_equal(w.a.answer[1].command, SMPP_query_sm_resp);
}

/* -- submits ---------------------------------------------------------------------------------------------------------- */
static void answers_wait_and_a_full_window_is_throttled(void **state)
{
    (void)state;
    behave("window=3,answerDelay=80ms");
    bound(&w.a, SMPP_bind_transceiver);
    int64_t begun = clock_mono().us;
    for (int i = 0; i < 5; i++)
        ask(&w.a, a_submit("x"));
    assert_true(n_times(a_answers, 5));
    assert_int_equal(w.a.answer[0].status, ESME_RTHROTTLED);        /* the two too many are told at once */
    assert_int_equal(w.a.answer[1].status, ESME_RTHROTTLED);
    for (int i = 2; i < 5; i++) {
        assert_int_equal(w.a.answer[i].status, ESME_ROK);
        assert_true(w.a.answer[i].at_us - begun >= 80 * US_PER_MS);
    }
}

static void a_full_window_that_stalls_takes_all_one_after_another(void **state)
{
    (void)state;
    behave("window=2,windowFull=stalled,answerDelay=30ms");
    bound(&w.a, SMPP_bind_transceiver);
    int64_t begun = clock_mono().us;
    for (int i = 0; i < 6; i++)
        ask(&w.a, a_submit("x"));
    assert_true(n_times(a_answers, 6));
    for (int i = 0; i < 6; i++)
        assert_int_equal(w.a.answer[i].status, ESME_ROK);
    assert_true(w.a.answer[5].at_us - begun >= 90 * US_PER_MS);     /* two at a time: three rounds */
}

static void beyond_the_burst_submits_are_throttled(void **state)
{
    (void)state;
    behave("rate=2,burst=4");
    bound(&w.a, SMPP_bind_transceiver);
    for (int i = 0; i < 6; i++)
        ask(&w.a, a_submit("x"));
    assert_true(n_times(a_answers, 6));
    for (int i = 0; i < 6; i++)
        assert_int_equal(w.a.answer[i].status, i < 4 ? ESME_ROK : ESME_RTHROTTLED);
}

static void a_full_queue_and_chance_refuse(void **state)
{
    (void)state;
    behave("queue=2,receiptDelay=1m");
    bound(&w.a, SMPP_bind_transceiver);
    for (int i = 0; i < 3; i++)
        ask(&w.a, a_submit("x"));
    assert_true(n_times(a_answers, 3));
    assert_int_equal(w.a.answer[1].status, ESME_ROK);
    assert_int_equal(w.a.answer[2].status, ESME_RMSGQFUL);
    behave("refusePercent=100,refuseStatus=ESME_RSYSERR");
    ask(&w.a, a_submit("x"));
    assert_true(n_times(a_answers, 4));
    assert_int_equal(w.a.answer[3].status, ESME_RSYSERR);
}

static void reading_slowly_takes_its_time(void **state)
{
    (void)state;
    behave("readRate=50");
    bound(&w.a, SMPP_bind_transceiver);
    int64_t begun = clock_mono().us;
    for (int i = 0; i < 6; i++)
        ask(&w.a, a_submit("x"));
    assert_true(n_times(a_answers, 6));
    assert_true(w.a.answer[5].at_us - begun >= 80 * US_PER_MS);
}

static void a_link_is_cut_before_or_after_the_answer(void **state)
{
    (void)state;
    static const struct { const char *settings; unsigned answered, arrived; } cases[] = {
        { "cutEvery=3,receiptDelay=1ms", 3, 3 }, { "cutEvery=3,cutWhen=unanswered,receiptDelay=1ms", 2, 3 },
        { "cutEvery=3,cutWhen=untaken,receiptDelay=1ms", 2, 2 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        behave(cases[i].settings);
        bound(&w.a, SMPP_bind_transmitter);
        w.messages = 0;
        for (int k = 0; k < 3; k++)
            ask(&w.a, a_submit("x"));
        assert_true(comes(a_down));
        unsigned good = 0;
        for (unsigned k = 0; k < w.a.answers; k++)
            good += !w.a.answer[k].err && w.a.answer[k].status == ESME_ROK;
        assert_int_equal(good, cases[i].answered);
        assert_true(n_times(delivered, cases[i].arrived));
        pass_ms(10);
        assert_int_equal(w.messages, cases[i].arrived);
    }
}

static void an_outage_lets_nobody_in_until_it_is_over(void **state)
{
    (void)state;
    bound(&w.a, SMPP_bind_transceiver);
    smsc_outage(w.smsc, 100 * US_PER_MS);
    assert_true(comes(a_down));
    bind_as(&w.b, SMPP_bind_transceiver, "esme", "pw");
    assert_false(w.b.up);
    pass_ms(120);
    bound(&w.b, SMPP_bind_transceiver);
}

static void an_unbind_may_stay_unanswered(void **state)
{
    (void)state;
    behave("unbind=ignored");
    bound(&w.a, SMPP_bind_transceiver);
    smpp_session_unbind(w.a.s);
    pass_ms(50);
    assert_false(w.a.down);
}

/* -- receipts --------------------------------------------------------------------------------------------------------- */
static void receipts_come_as_the_settings_say(void **state)
{
    (void)state;
    static const struct { const char *settings; bool text, tlvs; } cases[] = {
        { "receiptDelay=1ms", true, true }, { "receiptDelay=1ms,receiptAs=text", true, false },
        { "receiptDelay=1ms,receiptAs=tlv", false, true },
    };
    bound(&w.a, SMPP_bind_transceiver);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        behave(cases[i].settings);
        ask(&w.a, a_submit("hello"));
        assert_true(n_times(a_hears, i + 1));
        assert_int_equal(w.a.deliver[i].esm_class, ESM_RECEIPT);
        assert_int_equal(w.a.deliver[i].text[0] != 0, cases[i].text);
        assert_int_equal(w.a.deliver[i].tlvs, cases[i].tlvs);
        if (cases[i].tlvs) {
            assert_string_equal(w.a.deliver[i].receipted, w.a.answer[i].id);
            assert_int_equal(w.a.deliver[i].state, SMPP_DELIVERED);
        }
    }
}

static void ids_take_the_form_they_are_told(void **state)
{
    (void)state;
    static const struct { const char *settings, *answer, *receipt; } cases[] = {
        { "answerId=hex,receiptId=dec", "%llx", "%llu" },       { "receiptId=hex,receiptIdDigits=16", "%llu", "%016llx" },
        { "answerId=HEX,receiptId=hex", "%llX", "%llx" },       { "answerIdDigits=20", "%020llu", "%020llu" },
        { "answerIdDigits=20,receiptId=dec", "%020llu", "%llu" },
    };
    bound(&w.a, SMPP_bind_transceiver);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        char settings[128], want[64], *end;
        snprintf(settings, sizeof settings, "receiptDelay=1ms,%s", cases[i].settings);
        behave(settings);
        ask(&w.a, a_submit("hello"));
        assert_true(n_times(a_hears, i + 1));
        const char *id = w.a.answer[i].id;
        unsigned long long number = strtoull(id, &end, strstr(cases[i].answer, "x") || strstr(cases[i].answer, "X") ? 16 : 10);
        assert_int_equal(*end, 0);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(want, sizeof want, cases[i].answer, number);
        assert_string_equal(id, want);
        snprintf(want, sizeof want, cases[i].receipt, number);
#pragma GCC diagnostic pop
        assert_string_equal(w.a.deliver[i].receipted, want);
        assert_memory_equal(w.a.deliver[i].text + 3, want, strlen(want));       /* "id:..." */
    }
}

static void a_receipt_may_come_before_its_answer(void **state)
{
    (void)state;
    behave("receiptOrder=before,answerDelay=40ms");
    bound(&w.a, SMPP_bind_transceiver);
    ask(&w.a, a_submit("x"));
    assert_true(n_times(a_answers, 1) && n_times(a_hears, 1));
    assert_true(w.a.deliver[0].at_us < w.a.answer[0].at_us);
    assert_string_equal(w.a.deliver[0].receipted, w.a.answer[0].id);
}

static void receipts_may_be_doubled_missing_unasked_or_announced(void **state)
{
    (void)state;
    struct smpp_pdu unasked = a_submit("x");
    unasked.sm.registered_delivery = 0;
    bound(&w.a, SMPP_bind_transceiver);
    behave("receiptDelay=1ms,receiptTwicePercent=100");
    ask(&w.a, a_submit("x"));
    assert_true(n_times(a_hears, 2));
    assert_string_equal(w.a.deliver[0].receipted, w.a.deliver[1].receipted);
    behave("receiptDelay=1ms,receipts=always");
    ask(&w.a, unasked);
    assert_true(n_times(a_hears, 3));
    behave("receiptDelay=20ms,intermediate=always");
    ask(&w.a, a_submit("x"));
    assert_true(n_times(a_hears, 5));
    assert_int_equal(w.a.deliver[3].esm_class, ESM_INTERMEDIATE);
    assert_int_equal(w.a.deliver[3].state, SMPP_ENROUTE);
    assert_int_equal(w.a.deliver[4].state, SMPP_DELIVERED);
    behave("receiptDelay=1ms,receiptMissingPercent=100");
    ask(&w.a, a_submit("x"));
    assert_true(n_times(delivered, 4));
    pass_ms(20);
    assert_int_equal(w.a.heard, 5);
}

static void a_loss_says_its_state_and_error(void **state)
{
    (void)state;
    static const struct { const char *word; uint8_t state; } cases[] = {
        { "undeliverable", SMPP_UNDELIVERABLE }, { "expired", SMPP_EXPIRED }, { "deleted", SMPP_DELETED },
        { "rejected", SMPP_REJECTED }, { "unknown", SMPP_UNKNOWN },
    };
    bound(&w.a, SMPP_bind_transceiver);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        char settings[128];
        snprintf(settings, sizeof settings, "receiptDelay=1ms,lossPercent=100,lossError=77,lossState=%s", cases[i].word);
        behave(settings);
        ask(&w.a, a_submit("x"));
        assert_true(n_times(a_hears, i + 1));
        assert_int_equal(w.a.deliver[i].state, cases[i].state);
        assert_non_null(strstr(w.a.deliver[i].text, "err:077"));
    }
    assert_int_equal(w.messages, 0);
}

static void a_receipt_may_take_another_bind_of_the_same_esme(void **state)
{
    (void)state;
    behave("receiptDelay=1ms,receiptBind=other");
    bound(&w.a, SMPP_bind_transceiver);
    ask(&w.a, a_submit("x"));
    assert_true(n_times(a_hears, 1));                   /* there is no other yet */
    bound(&w.b, SMPP_bind_receiver);
    ask(&w.a, a_submit("x"));
    assert_true(n_times(b_hears, 1));
    assert_int_equal(w.a.heard, 1);
}

/* -- query_sm, cancel_sm, replace_sm, submit_multi, data_sm ------------------------------------------------------------ */
static struct smpp_pdu a_query(const char *id)
{
    return (struct smpp_pdu){ .command = SMPP_query_sm, .query = { .message_id = str_of(id), .source_addr_ton = 1,
                                                                   .source_addr = STR("18005550100") } };
}

static struct smpp_pdu a_cancel(const char *id)
{
    return (struct smpp_pdu){ .command = SMPP_cancel_sm,
                              .cancel = { .message_id = str_of(id), .source_addr_ton = 1, .source_addr = STR("18005550100"),
                                          .dest_addr_ton = 1, .destination_addr = STR("12065550101") } };
}

static void a_message_can_be_asked_for_until_long_after_its_end(void **state)
{
    (void)state;
    behave("receiptDelay=50ms");
    bound(&w.a, SMPP_bind_transceiver);
    ask(&w.a, a_submit("x"));
    assert_true(n_times(a_answers, 1));
    const char *id = w.a.answer[0].id;
    ask(&w.a, a_query(id));
    assert_true(n_times(a_answers, 2));
    assert_int_equal(w.a.answer[1].state, SMPP_ENROUTE);
    assert_string_equal(w.a.answer[1].date, "");
    assert_true(n_times(a_hears, 1));
    ask(&w.a, a_query(id));
    ask(&w.a, a_query("12"));
    struct smpp_pdu foreign = a_query(id);
    foreign.query.source_addr = STR("18005550199");
    ask(&w.a, foreign);
    assert_true(n_times(a_answers, 5));
    assert_int_equal(w.a.answer[2].state, SMPP_DELIVERED);
    assert_int_equal(strlen(w.a.answer[2].date), 16);
    assert_int_equal(w.a.answer[3].status, ESME_RINVMSGID);
    assert_int_equal(w.a.answer[4].status, ESME_RINVMSGID);
}

static void a_message_that_waits_can_be_cancelled(void **state)
{
    (void)state;
    behave("receiptDelay=30ms");
    bound(&w.a, SMPP_bind_transceiver);
    for (int i = 0; i < 3; i++)
        ask(&w.a, a_submit("x"));
    assert_true(n_times(a_answers, 3));
    ask(&w.a, a_cancel(w.a.answer[0].id));
    assert_true(n_times(a_answers, 4) && n_times(a_hears, 1));
    assert_int_equal(w.a.answer[3].status, ESME_ROK);
    assert_int_equal(w.a.deliver[0].state, SMPP_DELETED);
    ask(&w.a, a_cancel(""));                            /* the two others */
    assert_true(n_times(a_answers, 5) && n_times(a_hears, 3));
    assert_int_equal(w.a.answer[4].status, ESME_ROK);
    ask(&w.a, a_cancel(w.a.answer[0].id));
    ask(&w.a, a_cancel(""));
    ask(&w.a, a_cancel("1"));
    assert_true(n_times(a_answers, 8));
    assert_int_equal(w.a.answer[5].status, ESME_RCANCELFAIL);
    assert_int_equal(w.a.answer[6].status, ESME_RCANCELFAIL);
    assert_int_equal(w.a.answer[7].status, ESME_RINVMSGID);
    pass_ms(40);
    assert_int_equal(w.messages, 0);
}

static void a_message_that_waits_can_be_replaced(void **state)
{
    (void)state;
    behave("receiptDelay=30ms");
    bound(&w.a, SMPP_bind_transceiver);
    ask(&w.a, a_submit("first"));
    assert_true(n_times(a_answers, 1));
    struct smpp_pdu replace = { .command = SMPP_replace_sm,
                                .replace = { .message_id = str_of(w.a.answer[0].id), .source_addr_ton = 1,
                                             .source_addr = STR("18005550100"), .registered_delivery = 1,
                                             .short_message = STR("second") } };
    ask(&w.a, replace);
    assert_true(n_times(a_answers, 2) && n_times(a_hears, 1));
    assert_int_equal(w.a.answer[1].status, ESME_ROK);
    assert_int_equal(w.messages, 1);
    assert_string_equal(w.text, "second");
    assert_non_null(strstr(w.a.deliver[0].text, "text:second"));
    ask(&w.a, replace);
    assert_true(n_times(a_answers, 3));
    assert_int_equal(w.a.answer[2].status, ESME_RREPLACEFAIL);
    struct smpp_pdu next = a_submit("old");
    ask(&w.a, next);
    next = a_submit("new");
    next.sm.replace_if_present_flag = 1;
    ask(&w.a, next);
    assert_true(n_times(a_hears, 2));
    pass_ms(40);
    assert_int_equal(w.messages, 2);
    assert_string_equal(w.text, "new");
}

static void schedule_and_validity_are_kept(void **state)
{
    (void)state;
    bound(&w.a, SMPP_bind_transceiver);
    behave("receiptDelay=5s");
    struct smpp_pdu pdu = a_submit("x");
    pdu.sm.validity_period = STR("000000000001000R");
    ask(&w.a, pdu);
    assert_true(n_times(a_hears, 1));
    assert_int_equal(w.a.deliver[0].state, SMPP_EXPIRED);
    assert_true(w.a.deliver[0].at_us - w.a.answer[0].at_us >= 900 * US_PER_MS);
    behave("receiptDelay=1ms");
    pdu = a_submit("x");
    pdu.sm.schedule_delivery_time = STR("000000000001000R");
    ask(&w.a, pdu);
    assert_true(n_times(a_hears, 2));
    assert_int_equal(w.a.deliver[1].state, SMPP_DELIVERED);
    assert_true(w.a.deliver[1].at_us - w.a.answer[1].at_us >= 900 * US_PER_MS);
    pdu.sm.schedule_delivery_time = STR("soon");
    ask(&w.a, pdu);
    pdu = a_submit("x");
    pdu.sm.validity_period = STR("200101000000000+");            /* long over */
    ask(&w.a, pdu);
    assert_true(n_times(a_answers, 4));
    assert_int_equal(w.a.answer[2].status, ESME_RINVSCHED);
    assert_int_equal(w.a.answer[3].status, ESME_RINVEXPIRY);
}

static void one_submit_multi_reaches_many_and_lists_who_it_cannot(void **state)
{
    (void)state;
    uint8_t dests[256];
    struct wr out = wr_of(dests, sizeof dests);
    behave("receiptDelay=1ms");
    smpp_dest_put(&out, &(struct smpp_dest){ .addr = { 1, 1, STR("12065550101") } });
    smpp_dest_put(&out, &(struct smpp_dest){ .list = STR("friends") });
    smpp_dest_put(&out, &(struct smpp_dest){ .addr = { 1, 1, STR("12065550102") } });
    smpp_dest_put(&out, &(struct smpp_dest){ .addr = { 1, 1, STR("") } });
    struct smpp_pdu pdu = a_submit("to all");
    pdu.command = SMPP_submit_multi;
    pdu.n_dests = 4;
    pdu.dests = (struct str){ (const char *)dests, wr_len(&out) };
    bound(&w.a, SMPP_bind_transceiver);
    ask(&w.a, pdu);
    assert_true(n_times(a_answers, 1) && n_times(a_hears, 2));
    assert_int_equal(w.a.answer[0].status, ESME_ROK);
    assert_int_equal(w.a.answer[0].n_failed, 2);
    assert_int_equal(w.a.answer[0].failed_status, ESME_RINVDSTADR);
    assert_int_equal(w.messages, 2);
    assert_string_equal(w.a.deliver[0].receipted, w.a.answer[0].id);
    assert_string_equal(w.a.deliver[1].receipted, w.a.answer[0].id);
    pdu.n_dests = 0;
    pdu.dests.n = 0;
    ask(&w.a, pdu);
    assert_true(n_times(a_answers, 2));
    assert_int_equal(w.a.answer[1].status, ESME_RINVNUMDESTS);
}

static void data_sm_carries_a_message_too(void **state)
{
    (void)state;
    behave("receiptDelay=1ms");
    struct smpp_pdu pdu = a_submit("");
    pdu.command = SMPP_data_sm;
    pdu.tlvs.has_message_payload = true;
    pdu.tlvs.message_payload = STR("in the payload");
    bound(&w.a, SMPP_bind_transceiver);
    ask(&w.a, pdu);
    assert_true(n_times(a_answers, 1) && n_times(a_hears, 1));
    assert_int_equal(w.a.answer[0].command, SMPP_data_sm_resp);
    assert_string_equal(w.text, "in the payload");
}

/* -- from handsets ---------------------------------------------------------------------------------------------------- */
static void long_messages_from_handsets_take_each_form(void **state)
{
    (void)state;
    scoped_buf text = { 0 };
    for (int i = 0; i < 30; i++)
        buf_putz(&text, "Grüße! ");
    bound(&w.a, SMPP_bind_receiver);
    behave("longAs=sar");
    assert_int_equal(smsc_inject(w.smsc, STR("+12065550101"), STR("+18005550100"), buf_str(&text)), ERR_NONE);
    assert_true(n_times(a_hears, 2));
    assert_true(w.a.deliver[0].sar && w.a.deliver[1].sar && !(w.a.deliver[0].esm_class & ESM_UDHI));
    behave("longAs=payload");
    assert_int_equal(smsc_inject(w.smsc, STR("+12065550101"), STR("+18005550100"), buf_str(&text)), ERR_NONE);
    assert_true(n_times(a_hears, 3));
    assert_true(w.a.deliver[2].payload);
    assert_true(str_eqz(buf_str(&text), w.a.deliver[2].text));
    assert_int_equal(smsc_inject(w.smsc, STR("+12065550101"), STR("+18005550100"), STR("short")), ERR_NONE);
    assert_true(n_times(a_hears, 4));
    assert_false(w.a.deliver[3].payload);
}

static void many_messages_come_at_their_rate_from_many_handsets(void **state)
{
    (void)state;
    struct problem why = { 0 };
    bound(&w.a, SMPP_bind_receiver);
    int64_t begun = clock_mono().us;
    const struct smsc_run run = { .from = STR("+12065550109"), .to = STR("+18005550100"), .text = STR("n {n}"), .count = 10,
                                  .senders = 3, .rate = 100 };
    assert_int_equal(smsc_inject_run(w.smsc, &run, &why), ERR_NONE);
    assert_true(n_times(a_hears, 10));
    assert_true(w.a.deliver[9].at_us - begun >= 80 * US_PER_MS);
    assert_string_equal(w.a.deliver[0].text, "n 1");
    assert_string_equal(w.a.deliver[9].text, "n 10");
    behave("moRate=200,moFrom=+12065550101,moTo=+18005550100");
    assert_true(n_times(a_hears, 20));
    assert_string_equal(w.a.deliver[10].text, "message 1");
    behave("");
    pass_ms(10);
    unsigned before = w.a.heard;
    pass_ms(30);
    assert_int_equal(w.a.heard, before);
}

static void one_deliver_sm_at_a_time_when_told(void **state)
{
    (void)state;
    behave("deliverWindow=1");
    bound(&w.a, SMPP_bind_receiver);
    for (int i = 0; i < 5; i++)
        assert_int_equal(smsc_inject(w.smsc, STR("+12065550101"), STR("+18005550100"), STR("x")), ERR_NONE);
    assert_true(n_times(a_hears, 5));
}

/* -- faults ----------------------------------------------------------------------------------------------------------- */
static void fault(const char *text)
{
    struct problem why = { 0 };
    if (fault_add(str_of(text), 1u << FAULT_SMSC, NULL, &why))
        fail_msg("%s", why.text);
}

static void faults_strike_where_they_may(void **state)
{
    (void)state;
    behave("receiptDelay=1ms");
    fault("smsc refuse-bind count=1");
    bind_as(&w.a, SMPP_bind_transceiver, "esme", "pw");
    assert_int_equal(w.a.refused, ESME_RBINDFAIL);
    bound(&w.a, SMPP_bind_transceiver);
    fault("smsc throttle to=+1206555* count=1");
    fault("smsc queue-full count=1");
    fault("smsc undelivered=9 count=1");
    fault("smsc no-receipt count=1");
    for (int i = 0; i < 4; i++)
        ask(&w.a, a_submit("x"));
    assert_true(n_times(a_answers, 4) && n_times(a_hears, 1));
    assert_int_equal(w.a.answer[0].status, ESME_RTHROTTLED);
    assert_int_equal(w.a.answer[1].status, ESME_RMSGQFUL);
    assert_int_equal(w.a.answer[2].status, ESME_ROK);
    assert_true(n_times(delivered, 1));
    assert_int_equal(w.a.heard, 1);                     /* one lost, told or not; one delivered, told or not: one receipt */
    fault("smsc drop-response count=1");
    fault("smsc twice-receipt count=1");
    ask(&w.a, a_submit("x"));
    assert_true(n_times(a_hears, 3));
    assert_int_equal(w.a.answers, 4);
    fault("smsc disconnect count=1");
    ask(&w.a, a_submit("x"));
    assert_true(comes(a_down));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_bind_is_refused_with_its_reason),
        T(one_bind_too_many_is_already_bound),
        T(a_receiver_may_not_submit_nor_ask),
        T(answers_wait_and_a_full_window_is_throttled),
        T(a_full_window_that_stalls_takes_all_one_after_another),
        T(beyond_the_burst_submits_are_throttled),
        T(a_full_queue_and_chance_refuse),
        T(reading_slowly_takes_its_time),
        T(a_link_is_cut_before_or_after_the_answer),
        T(an_outage_lets_nobody_in_until_it_is_over),
        T(an_unbind_may_stay_unanswered),
        T(receipts_come_as_the_settings_say),
        T(ids_take_the_form_they_are_told),
        T(a_receipt_may_come_before_its_answer),
        T(receipts_may_be_doubled_missing_unasked_or_announced),
        T(a_loss_says_its_state_and_error),
        T(a_receipt_may_take_another_bind_of_the_same_esme),
        T(a_message_can_be_asked_for_until_long_after_its_end),
        T(a_message_that_waits_can_be_cancelled),
        T(a_message_that_waits_can_be_replaced),
        T(schedule_and_validity_are_kept),
        T(one_submit_multi_reaches_many_and_lists_who_it_cannot),
        T(data_sm_carries_a_message_too),
        T(long_messages_from_handsets_take_each_form),
        T(many_messages_come_at_their_rate_from_many_handsets),
        T(one_deliver_sm_at_a_time_when_told),
        T(faults_strike_where_they_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
