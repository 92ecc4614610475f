#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "net/smpp_session.h"
#include "net/sms_parts.h"
#include "sim/smsc.h"

#include <stdio.h>
#include <unistd.h>

/* Two ESMEs of ours and the simulated SMSC on one loop. */
enum { HEARD_MAX = 32 };
struct esme_side {
    struct smpp_session *s;
    bool     up, down;
    unsigned heard, answers;
    uint32_t refuse_next;           /* command_status of the next deliver_sm_resp */
    struct {
        bool              receipt;
        char              id[32], from[32], to[32], text[512];
        struct smpp_receipt receipt_read;
        struct sms_concat concat;
    } deliver[HEARD_MAX];
    struct { uint32_t status; char id[32]; } answer[HEARD_MAX];
};
static struct world {
    struct loop      *loop;
    struct loop_timer tick;
    struct smsc      *smsc;
    struct esme_side  a, b;
    struct smsc_outcome outcome;
    unsigned          messages;
    char              from[32], to[32], text[4096];
    char              log_path[64];
    bool            (*until)(void);
    int64_t           give_up_us;
} w;

static void on_up(void *arg)
{
    ((struct esme_side *)arg)->up = true;
}

static void on_request(void *arg, const struct smpp_pdu *pdu)
{
    struct esme_side *e = arg;
    struct sms_part part;
    scoped_buf text = { 0 };
    unsigned i = e->heard++ % HEARD_MAX;
    assert_int_equal(sms_part_read(&part, pdu), ERR_NONE);
    sms_text_read(&text, part.alphabet, part.octets.p, part.octets.n);
    str_copyz(e->deliver[i].text, sizeof e->deliver[i].text, buf_str(&text));
    str_copyz(e->deliver[i].from, 32, str_of(part.from));
    str_copyz(e->deliver[i].to, 32, str_of(part.to));
    e->deliver[i].concat = part.concat;
    e->deliver[i].receipt = smpp_is_receipt(pdu);
    if (e->deliver[i].receipt) {
        struct smpp_receipt by_text;
        assert_int_equal(smpp_receipt_read(&e->deliver[i].receipt_read, pdu), ERR_NONE);
        assert_int_equal(smpp_receipt_text_read(&by_text, buf_str(&text)), ERR_NONE);
        assert_true(str_eq(by_text.id, e->deliver[i].receipt_read.id));         /* text and TLVs say the same */
        assert_int_equal(by_text.state, e->deliver[i].receipt_read.state);
        assert_int_equal(by_text.err, e->deliver[i].receipt_read.err);
        str_copyz(e->deliver[i].id, 32, by_text.id);
    }
    smpp_session_answer(e->s, pdu->command, pdu->sequence, e->refuse_next, STR(""));
    e->refuse_next = ESME_ROK;
}

static void on_answer(void *arg, uint64_t tag, enum err err, const struct smpp_pdu *answer)
{
    struct esme_side *e = arg;
    (void)tag;
    unsigned i = e->answers++ % HEARD_MAX;
    if (err)
        return;
    e->answer[i].status = answer->status;
    str_copyz(e->answer[i].id, 32, answer->sm_resp.message_id);
}

static void on_down(void *arg, enum err why, uint32_t status)
{
    struct esme_side *e = arg;
    (void)why, (void)status;
    e->down = true;
    e->up = false;
    smpp_session_free(e->s);
    e->s = NULL;
}

static const struct smpp_session_hooks esme_hooks = { .on_up = on_up, .on_request = on_request, .on_answer = on_answer,
                                                      .on_down = on_down };

static struct smsc_outcome outcome(void *arg, struct str to)
{
    (void)arg;
    assert_true(str_starts(to, STR("+1206")));
    return w.outcome;
}

static void on_message(void *arg, struct str from, struct str to, struct str text)
{
    (void)arg;
    w.messages++;
    str_copyz(w.from, sizeof w.from, from);
    str_copyz(w.to, sizeof w.to, to);
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
    w.give_up_us = clock_mono().us + 5 * US_PER_S;
    loop_timer_start(&w.tick, 0);
    loop_run_here(w.loop);
    return until();
}

static int64_t pass_until;
static bool time_is_over(void)
{
    return clock_mono().us > pass_until;
}

static void pass_ms(int64_t ms)
{
    pass_until = clock_mono().us + ms * US_PER_MS;
    assert_true(comes(time_is_over));
}

static struct smsc_conf conf;

static void start(void)
{
    static const struct smsc_hooks hooks = { .outcome = outcome, .on_message = on_message };
    assert_int_equal(smsc_new(&w.smsc, w.loop, &conf, &hooks, NULL, NULL), ERR_NONE);
}

static void bind_as(struct esme_side *e, uint32_t bind, const char *system_id, bool (*up)(void))
{
    struct smpp_session_conf c = { .role = SMPP_ESME, .name = "test", .system_id = system_id, .password = "pw",
                                   .bind = bind, .window = 10 };
    assert_int_equal(smpp_session_connect(&e->s, w.loop, "127.0.0.1", smsc_port(w.smsc), &c, &esme_hooks, e), ERR_NONE);
    assert_true(comes(up));
}

static int set_up(void **state)
{
    (void)state;
    w = (struct world){ .outcome = { .fate = SMSC_DELIVERS, .after_us = US_PER_MS } };
    conf = (struct smsc_conf){ .host = "127.0.0.1" };
    log_setup(LOG_ERROR, LOG_TEXT);
    assert_int_equal(loop_new(&w.loop, "test", 16, NULL), ERR_NONE);
    assert_int_equal(loop_timer_init(w.loop, &w.tick, on_tick, NULL), ERR_NONE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    smpp_session_free(w.a.s);
    smpp_session_free(w.b.s);
    smsc_free(w.smsc);
    loop_timer_done(&w.tick);
    loop_free(w.loop);
    if (w.log_path[0])
        unlink(w.log_path);
    return 0;
}

static bool a_up(void)          { return w.a.up; }
static bool b_up(void)          { return w.b.up; }
static bool a_down(void)        { return w.a.down; }
static bool a_answered(void)    { return w.a.answers >= 1; }
static bool a_hears(void)       { return w.a.heard >= 1; }
static bool a_hears_two(void)   { return w.a.heard >= 2; }
static bool a_hears_three(void) { return w.a.heard >= 3; }
static bool b_hears(void)       { return w.b.heard >= 1; }
static bool delivered(void)     { return w.messages >= 1; }
static bool nobody(void)        { return smsc_bound(w.smsc) == 0; }

static void submit(struct esme_side *e, struct str text)
{
    struct sms_split split;
    assert_int_equal(sms_split(&split, text), ERR_NONE);
    for (unsigned i = 0; i < split.count; i++) {
        uint8_t octets[SMS_SEGMENT_OCTETS];
        struct smpp_pdu pdu = { .command = SMPP_submit_sm,
                                .sm = { .source_addr_ton = 1, .source_addr_npi = 1, .source_addr = STR("18005550100"),
                                        .dest_addr_ton = 1, .dest_addr_npi = 1, .destination_addr = STR("12065550101"),
                                        .registered_delivery = 1 } };
        assert_int_equal(sms_part_fill(&pdu, octets, &split, text, i, 1), ERR_NONE);
        assert_int_equal(smpp_session_send(e->s, &pdu, i), ERR_NONE);
    }
}

static void a_message_is_answered_delivered_and_receipted(void **state)
{
    (void)state;
    start();
    bind_as(&w.a, SMPP_bind_transceiver, "a", a_up);
    assert_int_equal(smsc_bound(w.smsc), 1);
    submit(&w.a, STR("hello €"));
    assert_true(comes(a_hears));
    assert_true(delivered());
    assert_string_equal(w.from, "+18005550100");
    assert_string_equal(w.to, "+12065550101");
    assert_string_equal(w.text, "hello €");
    assert_int_equal(w.a.answer[0].status, ESME_ROK);
    assert_true(w.a.deliver[0].receipt);
    assert_string_equal(w.a.deliver[0].id, w.a.answer[0].id);
    assert_int_equal(w.a.deliver[0].receipt_read.state, SMPP_DELIVERED);
    assert_string_equal(w.a.deliver[0].from, "+12065550101");
    assert_string_equal(w.a.deliver[0].to, "+18005550100");
}

static void ids_are_decimal_and_increase(void **state)
{
    (void)state;
    start();
    bind_as(&w.a, SMPP_bind_transceiver, "a", a_up);
    submit(&w.a, STR("1"));
    submit(&w.a, STR("2"));
    assert_true(comes(a_hears_two));
    uint64_t first, second;
    assert_int_equal(str_u64(str_of(w.a.answer[0].id), UINT64_MAX, &first), ERR_NONE);
    assert_int_equal(str_u64(str_of(w.a.answer[1].id), UINT64_MAX, &second), ERR_NONE);
    assert_int_equal(second, first + 1);
}

static void a_long_message_is_joined_and_receipted_part_by_part(void **state)
{
    (void)state;
    start();
    bind_as(&w.a, SMPP_bind_transceiver, "a", a_up);
    scoped_buf text = { 0 };
    for (int i = 0; i < 40; i++)
        buf_putz(&text, "Grüße an alle! ");
    submit(&w.a, buf_str(&text));
    assert_true(comes(a_hears_three));
    pass_ms(20);
    assert_int_equal(w.messages, 1);
    assert_true(str_eqz(buf_str(&text), w.text));
    assert_int_equal(w.a.heard, 4);
}

static void an_undeliverable_message_says_its_error(void **state)
{
    (void)state;
    w.outcome = (struct smsc_outcome){ .fate = SMSC_LOSES, .after_us = US_PER_MS, .err = 5 };
    start();
    bind_as(&w.a, SMPP_bind_transceiver, "a", a_up);
    submit(&w.a, STR("x"));
    assert_true(comes(a_hears));
    assert_int_equal(w.a.deliver[0].receipt_read.state, SMPP_UNDELIVERABLE);
    assert_int_equal(w.a.deliver[0].receipt_read.err, 5);
    assert_int_equal(w.messages, 0);
}

static void silence_delivers_without_a_receipt(void **state)
{
    (void)state;
    w.outcome = (struct smsc_outcome){ .fate = SMSC_KEEPS_SILENT, .after_us = US_PER_MS };
    start();
    bind_as(&w.a, SMPP_bind_transceiver, "a", a_up);
    submit(&w.a, STR("x"));
    assert_true(comes(delivered));
    pass_ms(20);
    assert_int_equal(w.a.heard, 0);
}

static void a_rejected_submit_gets_its_status(void **state)
{
    (void)state;
    w.outcome = (struct smsc_outcome){ .fate = SMSC_REJECTS, .status = ESME_RTHROTTLED };
    start();
    bind_as(&w.a, SMPP_bind_transceiver, "a", a_up);
    submit(&w.a, STR("x"));
    assert_true(comes(a_answered));
    assert_int_equal(w.a.answer[0].status, ESME_RTHROTTLED);
    pass_ms(20);
    assert_int_equal(w.messages, 0);
    assert_int_equal(w.a.heard, 0);
}

static void a_handset_s_sms_waits_for_a_bind_and_comes_in_parts(void **state)
{
    (void)state;
    start();
    scoped_buf text = { 0 };
    for (int i = 0; i < 20; i++)
        buf_putz(&text, "Привет! ");
    assert_int_equal(smsc_inject(w.smsc, STR("+12065550101"), STR("+18005550100"), buf_str(&text)), ERR_NONE);
    assert_int_equal(smsc_inject(w.smsc, STR(""), STR("+18005550100"), STR("x")), ERR_SYNTAX);
    assert_int_equal(smsc_inject(w.smsc, STR("+1"), STR("+18005550100"), STR("\xff")), ERR_SYNTAX);
    bind_as(&w.a, SMPP_bind_receiver, "a", a_up);
    assert_true(comes(a_hears_three));
    for (unsigned i = 0; i < 3; i++) {
        assert_false(w.a.deliver[i].receipt);
        assert_int_equal(w.a.deliver[i].concat.total, 3);
        assert_int_equal(w.a.deliver[i].concat.part, i + 1);
    }
    assert_string_equal(w.a.deliver[0].from, "+12065550101");
}

static void a_refused_delivery_comes_again(void **state)
{
    (void)state;
    start();
    bind_as(&w.a, SMPP_bind_transceiver, "a", a_up);
    w.a.refuse_next = ESME_RX_T_APPN;
    assert_int_equal(smsc_inject(w.smsc, STR("+12065550101"), STR("+18005550100"), STR("again")), ERR_NONE);
    assert_true(comes(a_hears_two));
    assert_string_equal(w.a.deliver[1].text, "again");
}

static void receipts_go_where_the_message_came_from(void **state)
{
    (void)state;
    start();
    bind_as(&w.a, SMPP_bind_transceiver, "a", a_up);
    bind_as(&w.b, SMPP_bind_transceiver, "b", b_up);
    submit(&w.a, STR("x"));
    assert_true(comes(a_hears));
    assert_int_equal(w.b.heard, 0);
    assert_int_equal(smsc_inject(w.smsc, STR("+12065550101"), STR("+18005550100"), STR("reply")), ERR_NONE);
    assert_true(comes(a_hears_two));                /* the reply follows the message's link, too */
    assert_int_equal(w.b.heard, 0);
}

static void a_transmitter_s_receipts_go_to_its_receiver(void **state)
{
    (void)state;
    start();
    bind_as(&w.a, SMPP_bind_transmitter, "pair", a_up);
    bind_as(&w.b, SMPP_bind_receiver, "pair", b_up);
    submit(&w.a, STR("x"));
    assert_true(comes(b_hears));
    assert_int_equal(w.a.heard, 0);
    assert_string_equal(w.b.deliver[0].id, w.a.answer[0].id);
}

static void a_receipt_waits_for_its_esme_to_come_back(void **state)
{
    (void)state;
    w.outcome.after_us = 50 * US_PER_MS;
    start();
    bind_as(&w.a, SMPP_bind_transceiver, "a", a_up);
    submit(&w.a, STR("x"));
    assert_true(comes(a_answered));
    smpp_session_drop(w.a.s);
    assert_true(comes(a_down) && comes(nobody));
    bind_as(&w.b, SMPP_bind_transceiver, "b", b_up);
    pass_ms(80);
    assert_int_equal(w.b.heard, 0);                 /* somebody else's receipt */
    w.a.down = false;
    bind_as(&w.a, SMPP_bind_transceiver, "a", a_up);
    assert_true(comes(a_hears));
    assert_string_equal(w.a.deliver[0].id, w.a.answer[0].id);
}

static void a_wrong_password_is_refused(void **state)
{
    (void)state;
    struct smsc_ways ways;
    smsc_ways_init(&ways);
    str_copyz(ways.password, sizeof ways.password, STR("other"));
    conf.ways = &ways;
    start();
    struct smpp_session_conf c = { .role = SMPP_ESME, .name = "test", .system_id = "a", .password = "pw",
                                   .bind = SMPP_bind_transceiver, .window = 10 };
    assert_int_equal(smpp_session_connect(&w.a.s, w.loop, "127.0.0.1", smsc_port(w.smsc), &c, &esme_hooks, &w.a), ERR_NONE);
    assert_true(comes(a_down));
    assert_int_equal(smsc_bound(w.smsc), 0);
}

static void what_was_accepted_is_on_record_before_the_answer(void **state)
{
    (void)state;
    snprintf(w.log_path, sizeof w.log_path, "/tmp/test-smsc-%d.log", (int)getpid());
    unlink(w.log_path);
    conf.accepted_log = w.log_path;
    start();
    bind_as(&w.a, SMPP_bind_transceiver, "a", a_up);
    submit(&w.a, STR("h€"));
    assert_true(comes(a_answered));
    char line[256] = "", from[32], to[32], id[32], text[64];
    long long s, us;
    FILE *f = fopen(w.log_path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    fclose(f);
    assert_int_equal(sscanf(line, "%lld.%6lld %31s %31s %31s %63s", &s, &us, from, to, id, text), 6);
    assert_string_equal(from, "+18005550100");
    assert_string_equal(to, "+12065550101");
    assert_string_equal(id, w.a.answer[0].id);
    assert_string_equal(text, "68e282ac");
    assert_true(s > 1700000000);
}

static void a_taken_port_is_said(void **state)
{
    (void)state;
    start();
    struct problem why = { 0 };
    struct smsc *second = NULL;
    conf.port = smsc_port(w.smsc);
    assert_int_equal(smsc_new(&second, w.loop, &conf, NULL, NULL, &why), ERR_CONFLICT);
    assert_null(second);
    assert_string_equal(why.code, "ListenFailed");
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_message_is_answered_delivered_and_receipted),
        T(ids_are_decimal_and_increase),
        T(a_long_message_is_joined_and_receipted_part_by_part),
        T(an_undeliverable_message_says_its_error),
        T(silence_delivers_without_a_receipt),
        T(a_rejected_submit_gets_its_status),
        T(a_handset_s_sms_waits_for_a_bind_and_comes_in_parts),
        T(a_refused_delivery_comes_again),
        T(receipts_go_where_the_message_came_from),
        T(a_transmitter_s_receipts_go_to_its_receiver),
        T(a_receipt_waits_for_its_esme_to_come_back),
        T(a_wrong_password_is_refused),
        T(what_was_accepted_is_on_record_before_the_answer),
        T(a_taken_port_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
