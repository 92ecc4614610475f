#include "domain/messages/messages.h"
#include "domain/billing/usage.h"
#include "domain/explain/explain.h"

#include "store/events.h"
#include "store/messages.h"
#include "unit/cm.h"
#include "unit/domain/scripted.h"
#include "unit/tmp.h"

#include <signal.h>
#include <sys/resource.h>

#define HANDSET "+12065550100"
#define OTHER   "+12065550101"
static const int64_t HOUR = 3600 * (int64_t)US_PER_S;

struct stage {
    struct tmp            tmp;
    struct world         *w;
    struct events        *ev;
    struct messages      *m;
    struct courier_script courier;
    struct carrier_script sim, real;
    char                  from[20];
    uint64_t              token;
    /* what was told last */
    int            told;
    enum err       err;
    struct problem why;
    struct sms_result results[SMS_RECIPIENTS_MAX];
    struct sms_refusal refusals[SMS_RECIPIENTS_MAX];       /* copies: the results point at them */
    char words[SMS_REFUSAL_WORDS];
    char           json[65536];
};

static void open_stage(struct stage *s)
{
    struct problem why = { 0 };
    s->w = world_new_at(tmp_file(&s->tmp, "carterfone.db"));
    assert_int_equal(events_new(&s->ev, &s->w->control, &courier_script_ops, &s->courier), ERR_NONE);
    assert_int_equal(events_load(s->ev, &why), ERR_NONE);
    assert_int_equal(messages_new(&s->m, &s->w->control, s->w->accounts, s->w->numbers, s->ev), ERR_NONE);
    assert_int_equal(messages_load(s->m, &why), ERR_NONE);
    s->sim.number = messages_add_carrier(s->m, STR("sim"), true, &carrier_script_ops, &s->sim);
    s->real.number = messages_add_carrier(s->m, STR("acme"), false, &carrier_script_ops, &s->real);
    s->sim.n = s->real.n = s->sim.n_settled = s->courier.n = 0;
    messages_resume(s->m);
    events_resume(s->ev);
}

static void close_stage(struct stage *s)
{
    messages_free(s->m);
    events_free(s->ev);
    world_free(s->w);
}

static void tell(struct stage *s, struct carrier_script *c, struct carrier_news n)
{
    n.carrier = c->number;
    assert_int_equal(messages_tell(s->m, &n), ERR_NONE);
    inbox_drain(control_inbox(&s->w->control));
}

static void both_up(struct stage *s)
{
    tell(s, &s->real, (struct carrier_news){ .kind = CARRIER_UP });
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_UP });
}

static int set_up(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    s->tmp = tmp_new();
    open_stage(s);
    e164_write(s->from, lease_one(s->w, s->w->us, toll_free_in("833", 1)));
    both_up(s);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    close_stage(s);
    tmp_free(&s->tmp);
    free(s);
    return 0;
}

/* The process ends as by kill -9; another begins on the same database. Its carriers are down yet. */
static void restart(struct stage *s)
{
    int64_t now = s->w->now_us;
    close_stage(s);
    open_stage(s);
    s->w->now_us = now;
    clock_freeze(s->w->control.clock, now);
    agenda_catch_up(s->w->control.agenda);
}

/* -- sending ------------------------------------------------------------------------------------------------------------ */

static void on_sent(void *arg, enum err err, const struct sms_result *results, size_t n)
{
    struct stage *s = arg;
    s->told++;
    s->err = err;
    memcpy(s->results, results, n * sizeof *results);
    for (size_t i = 0; i < n; i++)
        if (results[i].refusal) {
            s->refusals[i] = *results[i].refusal;
            s->results[i].refusal = &s->refusals[i];
        }
}

static void wait_told(struct stage *s, int told)
{
    for (int i = 0; i < 100 && s->told < told; i++) {
        inbox_wait(control_inbox(&s->w->control), 100);
        inbox_drain(control_inbox(&s->w->control));
    }
    assert_int_equal(s->told, told);
}

static struct sms_send sms(struct stage *s, const struct sms_recipient *to, size_t n, const char *text)
{
    return (struct sms_send){ .resource = s->w->us, .from = str_of(s->from), .recipients = to, .n = n, .text = str_of(text),
                              .report = true, .tag = STR("t") };
}

static enum err send_rq(struct stage *s, const struct sms_send *rq)
{
    s->told = 0;
    enum err err = messages_send(s->m, rq, on_sent, s, &s->why);
    if (err)
        return err;
    wait_told(s, 1);
    world_settle(s->w);
    return s->err;
}

static const char *send_one(struct stage *s, const char *to, const char *repeat, const char *text)
{
    struct sms_recipient r = { str_of(to), str_of(repeat) };
    struct sms_send rq = sms(s, &r, 1, text);
    if (send_rq(s, &rq))
        fail_msg("%s %s", err_words(s->err), s->why.text);
    return s->results[0].id;
}

static void take(struct stage *s, size_t i, uint32_t segment, uint32_t segments, const char *id)
{
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_SUBMITTED, .message = s->sim.sm[i].message, .segment = segment,
                                            .segments = segments, .remote_id = str_of(id) });
}

static void receipt(struct stage *s, const char *id, enum carrier_state state)
{
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_RECEIPT, .remote_id = str_of(id), .state = state,
                                            .token = ++s->token, .from = STR("12065550100"), .to = str_of(s->from) });
}

static void on_json(void *arg, enum err err, struct str json)
{
    struct stage *s = arg;
    s->told++;
    s->err = err;
    str_copyz(s->json, sizeof s->json, json);
}

/* The message as the API shows it, "" when there is none. */
static const char *shown(struct stage *s, const char *id)
{
    world_settle(s->w);
    s->told = 0;
    s->json[0] = '\0';
    assert_int_equal(messages_show(s->m, s->w->us, str_of(id), on_json, s), ERR_NONE);
    wait_told(s, 1);
    return s->json;
}

static const char *explained(struct stage *s, const char *id)
{
    world_settle(s->w);
    s->told = 0;
    scoped(explain) struct explain *x = NULL;
    struct explain_conf conf = { .control = &s->w->control, .accounts = s->w->accounts };
    assert_int_equal(explain_new(&x, &conf), ERR_NONE);
    assert_int_equal(explain_ask(x, 0, str_of(id), on_json, s, &s->why), ERR_NONE);
    wait_told(s, 1);
    return s->json;
}

#define assert_state(s, id, word) assert_non_null(strstr(shown(s, id), "\"state\":\"" word "\""))

static size_t events_of(struct stage *s, const char *type, char *last, size_t size)
{
    scoped(db_rows) struct db_rows *rows = NULL;
    struct event_row row;
    size_t n = 0;
    world_settle(s->w);
    assert_int_equal(db_load(s->w->control.db, DB_EVENT_AFTER, (struct db_val[]){ DB_I(0) }, 1, &rows), ERR_NONE);
    while (event_row_next(rows, &row))
        if (str_ends(row.type, str_of(type))) {
            n++;
            str_copyz(last, size, row.data);
        }
    return n;
}

static size_t reports(struct stage *s, char last[4096])
{
    return events_of(s, "SMSDeliveryReportReceived", last, 4096);
}

static size_t strays(struct stage *s)
{
    scoped(db_rows) struct db_rows *rows = NULL;
    world_settle(s->w);
    assert_int_equal(db_load(s->w->control.db, DB_STRAY_RECEIPT_ALL, NULL, 0, &rows), ERR_NONE);
    return db_rows_count(rows);
}

static void disk_full(bool full)
{
    struct rlimit lim;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &lim);
    lim.rlim_cur = full ? 0 : lim.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
}

#define assert_settled(s, i, expected)                              \
    do {                                                            \
        assert_true((s)->sim.n_settled > (i));                      \
        assert_int_equal((s)->sim.settled[i].err, expected);        \
    } while (0)

/* -- a message's life --------------------------------------------------------------------------------------------------- */

static void a_message_is_accepted_queued_submitted_delivered(void **state)
{
    struct stage *s = *state;
    char last[4096], id[SMS_ID_SIZE];
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_DOWN });
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    assert_int_equal(strncmp(id, "Outgoing_", 9), 0);
    assert_int_equal(s->sim.n, 0);
    assert_state(s, id, "queued");
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_UP });
    assert_int_equal(s->sim.n, 1);
    assert_string_equal(s->sim.sm[0].from, s->from);
    assert_string_equal(s->sim.sm[0].to, HANDSET);
    assert_string_equal(s->sim.sm[0].text, "hello");
    take(s, 0, 0, 1, "A1");
    assert_state(s, id, "submitted");
    assert_int_equal(reports(s, last), 0);
    receipt(s, "A1", RECEIPT_DELIVERED);
    assert_int_equal(s->sim.n_settled, 0);          /* the receipt is ours once it is on disk, not before */
    assert_state(s, id, "delivered");
    assert_settled(s, 0, ERR_NONE);
    assert_int_equal(s->sim.settled[0].token, s->token);
    assert_int_equal(reports(s, last), 1);
    assert_non_null(strstr(last, "\"deliveryStatus\":\"Delivered\""));
    assert_non_null(strstr(last, "\"segmentsSucceeded\":1,\"segmentsFailed\":0"));
    assert_non_null(strstr(last, id));
    assert_non_null(strstr(last, "\"tag\":\"t\""));
    assert_non_null(strstr(explained(s, id), "stat:DELIVRD"));
}

static void nothing_leaves_before_the_commit(void **state)
{
    struct stage *s = *state;
    struct sms_recipient r = { STR(HANDSET), STR("") };
    struct sms_send rq = sms(s, &r, 1, "x");
    s->told = 0;
    assert_int_equal(messages_send(s->m, &rq, on_sent, s, &s->why), ERR_NONE);
    assert_int_equal(s->told + (int)s->sim.n, 0);
    wait_told(s, 1);
    assert_int_equal(s->sim.n, 1);
}

static void a_refused_message_fails_with_a_report(void **state)
{
    struct stage *s = *state;
    char last[4096], id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_REFUSED, .message = s->sim.sm[0].message, .status = 0xb });
    assert_state(s, id, "failed");
    assert_int_equal(reports(s, last), 1);
    assert_non_null(strstr(last, "\"deliveryStatus\":\"Failed\""));
    assert_non_null(strstr(explained(s, id), "0x0000000b"));
}

static void an_undelivered_message_fails_with_the_services_code(void **state)
{
    struct stage *s = *state;
    char last[4096];
    send_one(s, HANDSET, "", "hello");
    take(s, 0, 0, 1, "A1");
    receipt(s, "A1", RECEIPT_UNDELIVERABLE);
    assert_int_equal(reports(s, last), 1);
    assert_non_null(strstr(last, "4004: "));
}

/* The recipient is blocked for this sender, after a restart too, and START takes it back. */
static void assert_opted_out(struct stage *s, const char *to)
{
    struct sms_recipient r = { str_of(to), STR("") };
    struct sms_send rq = sms(s, &r, 1, "again");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(send_rq(s, &rq), ERR_NONE);
        assert_int_equal(s->results[0].status, 400);
        assert_string_equal(sms_refusal_words(s->results[0].refusal, s->words), "Sender blocked for given recipient.");
        assert_non_null(strstr(s->results[0].refusal->why.text, "said by: carrier sim"));
        restart(s);
        both_up(s);
    }
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_INBOUND, .token = 77, .from = str_of(to), .to = str_of(s->from),
                                            .text = STR("START"), .segments = 1 });
    world_settle(s->w);
    assert_int_equal(send_rq(s, &rq), ERR_NONE);
    assert_int_equal(s->results[0].status, 202);
}

static void a_carriers_refusal_that_says_opted_out_is_an_opt_out(void **state)
{
    struct stage *s = *state;
    char last[4096], id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_REFUSED, .message = s->sim.sm[0].message, .status = 0x407, .opted_out = true });
    assert_state(s, id, "failed");
    assert_int_equal(reports(s, last), 1);
    assert_non_null(strstr(last, "4007: "));
    assert_non_null(strstr(explained(s, id), "command_status 0x00000407, its recipient opted out"));
    assert_opted_out(s, HANDSET);
}

static void the_first_part_that_says_opted_out_is_enough(void **state)
{
    struct stage *s = *state;
    send_one(s, HANDSET, "", "hello");
    for (unsigned i = 0; i < 2; i++)
        tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_SUBMITTED, .message = s->sim.sm[0].message, .segment = i, .segments = 2,
                                                .remote_id = str_of(i ? "part 2" : "part 1") });
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_RECEIPT, .token = ++s->token, .remote_id = STR("part 1"), .opted_out = true,
                                            .state = RECEIPT_UNDELIVERABLE, .from = STR(HANDSET), .to = str_of(s->from) });
    world_settle(s->w);
    assert_opted_out(s, HANDSET);
}

static void a_receipt_that_says_opted_out_is_an_opt_out_early_or_not(void **state)
{
    struct stage *s = *state;
    char last[4096];
    send_one(s, HANDSET, "", "hello");
    send_one(s, OTHER, "", "hello");
    take(s, 0, 0, 1, "A1");
    for (int i = 1; i <= 2; i++)
        tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_RECEIPT, .token = (uint64_t)i, .remote_id = i == 1 ? STR("A1") : STR("A2"),
                                                .state = RECEIPT_UNDELIVERABLE, .status = 407, .opted_out = true,
                                                .from = i == 1 ? STR(HANDSET) : STR(OTHER), .to = str_of(s->from) });
    world_settle(s->w);
    take(s, 1, 0, 1, "A2");
    world_settle(s->w);
    assert_int_equal(reports(s, last), 2);
    assert_non_null(strstr(last, "4007: "));
    assert_opted_out(s, HANDSET);
    assert_opted_out(s, OTHER);
}

static void an_opt_out_whose_end_was_not_stored_is_stored_with_it_later(void **state)
{
    struct stage *s = *state;
    send_one(s, HANDSET, "", "hello");
    disk_full(true);
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_REFUSED, .message = s->sim.sm[0].message, .status = 0x407, .opted_out = true });
    inbox_wait(control_inbox(&s->w->control), 100);
    inbox_drain(control_inbox(&s->w->control));
    disk_full(false);
    world_sleep(s->w, 2 * SECOND);
    world_settle(s->w);
    assert_opted_out(s, HANDSET);
}

static void a_message_that_wants_no_report_gets_none(void **state)
{
    struct stage *s = *state;
    char last[4096];
    struct sms_recipient r = { STR(HANDSET), STR("") };
    struct sms_send rq = sms(s, &r, 1, "x");
    rq.report = false;
    assert_int_equal(send_rq(s, &rq), ERR_NONE);
    take(s, 0, 0, 1, "A1");
    receipt(s, "A1", RECEIPT_DELIVERED);
    assert_int_equal(reports(s, last), 0);
    assert_state(s, s->results[0].id, "delivered");
}

static void a_refusal_for_now_is_tried_again_after_a_wait_that_doubles(void **state)
{
    struct stage *s = *state;
    char id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    int64_t waits[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 256, 256 };
    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_REFUSED, .message = s->sim.sm[i].message, .status = 0x58,
                                                .transient = true });
        world_sleep(s->w, waits[i] * SECOND - 1);
        assert_int_equal(s->sim.n, i + 1);
        world_sleep(s->w, 1);
        assert_int_equal(s->sim.n, i + 2);
        assert_int_equal(s->sim.sm[i + 1].message, s->sim.sm[0].message);
    }
    assert_non_null(strstr(explained(s, id), "0x00000058"));
    assert_state(s, id, "queued");
    /* a day later the next one is the last */
    world_sleep(s->w, DAY);
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_REFUSED, .message = s->sim.sm[0].message, .transient = true });
    assert_state(s, id, "failed");
}

static void ages_are_the_product_clocks(void **state)
{
    struct stage *s = *state;
    world_sleep(s->w, 20000 * DAY);                 /* beyond the wall's clock, from which ids are made */
    world_settle(s->w);
    send_one(s, HANDSET, "", "hello");
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_REFUSED, .message = s->sim.sm[0].message, .transient = true });
    world_sleep(s->w, 2 * SECOND);
    assert_int_equal(s->sim.n, 2);
}

static void a_lost_link_sends_again_when_it_is_back(void **state)
{
    struct stage *s = *state;
    char last[4096];
    send_one(s, HANDSET, "", "hello");
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_DOWN });
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_LOST, .may_have_it = true, .message = s->sim.sm[0].message });
    assert_int_equal(s->sim.n, 1);
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_UP });
    assert_int_equal(s->sim.n, 2);
    take(s, 1, 0, 1, "B1");
    receipt(s, "B1", RECEIPT_DELIVERED);
    assert_int_equal(reports(s, last), 1);
}

static void an_unanswered_submit_on_a_link_that_stands_waits_first(void **state)
{
    struct stage *s = *state;
    send_one(s, HANDSET, "", "hello");
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_LOST, .may_have_it = true, .message = s->sim.sm[0].message });
    assert_int_equal(s->sim.n, 1);
    world_sleep(s->w, 1 * SECOND);
    assert_int_equal(s->sim.n, 2);
}

static void a_full_carrier_gets_the_rest_in_order_when_it_has_room(void **state)
{
    struct stage *s = *state;
    s->sim.full = true;
    for (size_t i = 0; i < 3; i++)
        send_one(s, HANDSET, "", (const char *[]){ "n0", "n1", "n2" }[i]);
    assert_int_equal(s->sim.n, 0);
    s->sim.full = false;
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_ROOM });
    assert_int_equal(s->sim.n, 3);
    assert_string_equal(s->sim.sm[0].text, "n0");
    assert_string_equal(s->sim.sm[2].text, "n2");
}

static void without_a_receipt_for_three_days_it_is_unknown(void **state)
{
    struct stage *s = *state;
    char last[4096], id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    take(s, 0, 0, 1, "A1");
    world_settle(s->w);
    world_sleep(s->w, 36 * HOUR);
    restart(s);                                     /* its patience goes on where it was */
    world_sleep(s->w, 36 * HOUR - SECOND);
    assert_state(s, id, "submitted");
    world_sleep(s->w, SECOND);
    assert_state(s, id, "unknown");
    assert_int_equal(reports(s, last), 1);
    assert_non_null(strstr(last, "5002: "));
    assert_non_null(strstr(shown(s, id), "\"carrier\":\"sim\""));
}

static void without_a_carrier_for_three_days_it_fails(void **state)
{
    struct stage *s = *state;
    char last[4096], id[SMS_ID_SIZE];
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_DOWN });
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    send_one(s, HANDSET, "", "second");
    world_sleep(s->w, 72 * HOUR - SECOND);
    assert_state(s, id, "queued");
    send_one(s, HANDSET, "", "third");
    world_sleep(s->w, SECOND);
    assert_state(s, id, "failed");
    assert_int_equal(reports(s, last), 2);
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_UP });
    assert_int_equal(s->sim.n, 1);
    assert_string_equal(s->sim.sm[0].text, "third");
}

/* -- segments and receipts ------------------------------------------------------------------------------------------------ */

static const char *long_text(void)
{
    static char text[400];
    memset(text, 'a', sizeof text - 1);
    return text;                            /* three parts of 153 */
}

static void a_long_message_is_delivered_with_its_last_segment(void **state)
{
    struct stage *s = *state;
    char last[4096], id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", long_text()));
    take(s, 0, 0, 3, "A1");
    receipt(s, "A1", RECEIPT_DELIVERED);
    take(s, 0, 1, 3, "A2");
    assert_state(s, id, "queued");
    take(s, 0, 2, 3, "A3");
    assert_state(s, id, "submitted");
    receipt(s, "A3", RECEIPT_DELIVERED);
    assert_int_equal(reports(s, last), 0);
    receipt(s, "A2", RECEIPT_DELIVERED);
    assert_int_equal(reports(s, last), 1);
    assert_non_null(strstr(last, "\"segmentsSucceeded\":3,\"segmentsFailed\":0"));
}

static void a_long_message_with_one_segment_undelivered_failed(void **state)
{
    struct stage *s = *state;
    char last[4096];
    send_one(s, HANDSET, "", long_text());
    for (uint32_t i = 0; i < 3; i++)
        take(s, 0, i, 3, (const char *[]){ "A1", "A2", "A3" }[i]);
    receipt(s, "A1", RECEIPT_DELIVERED);
    receipt(s, "A2", RECEIPT_EXPIRED);
    receipt(s, "A3", RECEIPT_DELIVERED);
    assert_int_equal(reports(s, last), 1);
    assert_non_null(strstr(last, "\"deliveryStatus\":\"Failed\""));
    assert_non_null(strstr(last, "\"segmentsSucceeded\":2,\"segmentsFailed\":1"));
}

static void a_restart_does_not_forget_which_segments_had_receipts(void **state)
{
    struct stage *s = *state;
    char last[4096];
    send_one(s, HANDSET, "", long_text());
    for (uint32_t i = 0; i < 3; i++)
        take(s, 0, i, 3, (const char *[]){ "A1", "A2", "A3" }[i]);
    receipt(s, "A2", RECEIPT_DELIVERED);
    world_settle(s->w);
    restart(s);
    both_up(s);
    assert_int_equal(s->sim.n, 0);                  /* it is with the carrier already */
    receipt(s, "A1", RECEIPT_DELIVERED);
    assert_int_equal(reports(s, last), 0);
    receipt(s, "A3", RECEIPT_DELIVERED);
    assert_int_equal(reports(s, last), 1);
    assert_non_null(strstr(last, "\"segmentsSucceeded\":3"));
}

static void a_carrier_may_split_otherwise_than_we_count(void **state)
{
    struct stage *s = *state;
    char last[4096];
    send_one(s, HANDSET, "", "short");
    for (uint32_t i = 0; i < 2; i++)
        take(s, 0, i, 2, i ? "A2" : "A1");
    receipt(s, "A1", RECEIPT_DELIVERED);
    assert_int_equal(reports(s, last), 0);
    receipt(s, "A2", RECEIPT_DELIVERED);
    assert_int_equal(reports(s, last), 1);
    send_one(s, HANDSET, "", long_text());
    take(s, 1, 0, 1, "B1");                         /* whole, as message_payload */
    receipt(s, "B1", RECEIPT_DELIVERED);
    assert_int_equal(reports(s, last), 2);
    assert_non_null(strstr(last, "\"segmentsSucceeded\":1,\"segmentsFailed\":0"));
}

static void ids_of_a_lost_try_are_forgotten(void **state)
{
    struct stage *s = *state;
    char last[4096], id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", long_text()));
    take(s, 0, 0, 3, "A1");
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_DOWN });
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_LOST, .may_have_it = true, .message = s->sim.sm[0].message });
    receipt(s, "A1", RECEIPT_DELIVERED);            /* of the try that counts no more */
    assert_int_equal(strays(s), 1);
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_UP });
    for (uint32_t i = 0; i < 3; i++)
        take(s, 1, i, 3, (const char *[]){ "B1", "B2", "B3" }[i]);
    for (uint32_t i = 0; i < 3; i++)
        receipt(s, (const char *[]){ "B1", "B2", "B3" }[i], RECEIPT_DELIVERED);
    assert_state(s, id, "delivered");
    receipt(s, "A1", RECEIPT_DELIVERED);            /* the message has gone; its old id leads nowhere */
    world_settle(s->w);
    assert_int_equal(reports(s, last), 1);
    assert_int_equal(strays(s), 1);
}

static void a_receipt_before_its_submit_sm_resp_counts(void **state)
{
    struct stage *s = *state;
    char last[4096];
    send_one(s, HANDSET, "", "hello");
    receipt(s, "A1", RECEIPT_DELIVERED);
    world_settle(s->w);
    assert_settled(s, 0, ERR_NONE);                 /* safe among the strays: the SMSC need not wait */
    assert_int_equal(strays(s), 1);
    take(s, 0, 0, 1, "A1");
    assert_int_equal(reports(s, last), 1);
    assert_int_equal(strays(s), 0);
}

static void an_early_final_receipt_is_not_undone_by_an_older_one(void **state)
{
    struct stage *s = *state;
    char last[4096];
    send_one(s, HANDSET, "", "hello");
    receipt(s, "A1", RECEIPT_ENROUTE);
    receipt(s, "A1", RECEIPT_DELIVERED);
    receipt(s, "A1", RECEIPT_ENROUTE);
    take(s, 0, 0, 1, "A1");
    assert_int_equal(reports(s, last), 1);
    assert_int_equal(s->sim.n_settled, 3);
}

static void a_doubled_receipt_counts_once_and_is_acknowledged(void **state)
{
    struct stage *s = *state;
    char last[4096];
    send_one(s, HANDSET, "", "hello");
    take(s, 0, 0, 1, "A1");
    receipt(s, "A1", RECEIPT_DELIVERED);
    receipt(s, "A1", RECEIPT_DELIVERED);
    assert_int_equal(reports(s, last), 1);
    assert_int_equal(s->sim.n_settled, 2);
    assert_settled(s, 0, ERR_NONE);
    assert_settled(s, 1, ERR_NONE);
    assert_int_equal(strays(s), 1);                 /* kept, a week */
    world_sleep(s->w, 9 * DAY);
    assert_int_equal(strays(s), 0);
}

static void a_receipt_on_the_way_ends_nothing(void **state)
{
    struct stage *s = *state;
    char last[4096], id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    take(s, 0, 0, 1, "A1");
    receipt(s, "A1", RECEIPT_ENROUTE);
    assert_state(s, id, "submitted");
    assert_settled(s, 0, ERR_NONE);
    receipt(s, "A1", RECEIPT_DELIVERED);
    assert_int_equal(reports(s, last), 1);
}

static void receipts_without_end_do_not_grow_a_trail_without_end(void **state)
{
    struct stage *s = *state;
    char id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    take(s, 0, 0, 1, "A1");
    for (int i = 0; i < 1000; i++) {
        receipt(s, "A1", RECEIPT_ENROUTE);
        world_settle(s->w);
        assert_settled(s, 0, ERR_NONE);
        s->sim.n_settled = 0;
    }
    size_t lines = 0;
    explained(s, id);
    for (const char *at = s->json; (at = strstr(at, "stat:ENROUTE")); at++)
        lines++;
    assert_in_range(lines, 10, 200);
}

static void a_receipt_that_matches_nothing_is_kept_and_no_longer_waited_for(void **state)
{
    struct stage *s = *state;
    receipt(s, "nobody's", RECEIPT_DELIVERED);
    world_settle(s->w);
    assert_settled(s, 0, ERR_NONE);
    assert_int_equal(strays(s), 1);
}

static void news_of_messages_that_are_not_with_the_carrier_change_nothing(void **state)
{
    struct stage *s = *state;
    char id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    uint64_t message = s->sim.sm[0].message;
    take(s, 0, 0, 1, "A1");
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_REFUSED, .message = message, .status = 1 });
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_LOST, .may_have_it = true, .message = message });
    take(s, 0, 0, 1, "A9");
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_SUBMITTED, .message = 12345, .segments = 1,
                                            .remote_id = STR("C1") });
    assert_state(s, id, "submitted");
    receipt(s, "A1", RECEIPT_DELIVERED);
    assert_state(s, id, "delivered");
}

/* -- durability ------------------------------------------------------------------------------------------------------------ */

static void what_was_not_answered_by_the_carrier_goes_again_after_a_restart(void **state)
{
    struct stage *s = *state;
    char last[4096];
    send_one(s, HANDSET, "", "first");
    send_one(s, OTHER, "", long_text());
    take(s, 1, 0, 3, "A1");
    world_settle(s->w);
    uint64_t first = s->sim.sm[0].message;
    restart(s);
    assert_int_equal(s->sim.n, 0);
    both_up(s);
    assert_int_equal(s->sim.n, 2);                  /* oldest first */
    assert_int_equal(s->sim.sm[0].message, first);
    assert_string_equal(s->sim.sm[1].text, long_text());
    take(s, 0, 0, 1, "B1");
    receipt(s, "B1", RECEIPT_DELIVERED);
    assert_int_equal(reports(s, last), 1);
    assert_non_null(strstr(last, "\"tag\":\"t\""));
}

static void a_receipt_after_a_restart_finds_its_message(void **state)
{
    struct stage *s = *state;
    char last[4096];
    send_one(s, HANDSET, "", "hello");
    take(s, 0, 0, 1, "A1");
    world_settle(s->w);
    restart(s);
    receipt(s, "A1", RECEIPT_DELIVERED);
    assert_int_equal(reports(s, last), 1);
}

static void a_failed_commit_accepts_nothing_and_sends_nothing(void **state)
{
    struct stage *s = *state;
    struct sms_recipient r[2] = { { STR(HANDSET), STR("r1") }, { STR(OTHER), STR("r2") } };
    struct sms_send rq = sms(s, r, 2, "x");
    disk_full(true);
    s->told = 0;
    assert_int_equal(messages_send(s->m, &rq, on_sent, s, &s->why), ERR_NONE);
    wait_told(s, 1);
    disk_full(false);
    assert_int_equal(s->err, ERR_STORE);
    assert_int_equal(s->sim.n, 0);
    assert_int_equal(send_rq(s, &rq), ERR_NONE);    /* the same ids, accepted now */
    assert_int_equal(s->sim.n, 2);
}

static void an_end_that_could_not_be_stored_is_stored_later_with_its_report(void **state)
{
    struct stage *s = *state;
    char last[4096], id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    take(s, 0, 0, 1, "A1");
    world_settle(s->w);
    disk_full(true);
    receipt(s, "A1", RECEIPT_DELIVERED);
    for (int i = 0; i < 100 && !s->sim.n_settled; i++) {
        inbox_wait(control_inbox(&s->w->control), 100);
        inbox_drain(control_inbox(&s->w->control));
    }
    assert_settled(s, 0, ERR_STORE);                /* the SMSC may say it again ... */
    receipt(s, "A1", RECEIPT_DELIVERED);
    assert_settled(s, 1, ERR_BUSY);                 /* ... and again: while the end is nowhere but in memory, nobody takes it */
    disk_full(false);
    assert_int_equal(reports(s, last), 0);
    world_sleep(s->w, 1 * SECOND);                  /* ... but need not */
    assert_state(s, id, "delivered");
    assert_int_equal(reports(s, last), 1);
    assert_int_equal(s->sim.n_settled, 2);
    receipt(s, "A1", RECEIPT_DELIVERED);
    assert_int_equal(reports(s, last), 1);
    assert_settled(s, 2, ERR_NONE);
}

static size_t charges(struct stage *s)
{
    scoped(db_rows) struct db_rows *rows = NULL;
    const struct resource *r = accounts_resource(s->w->accounts, s->w->us);
    const struct db_val of[] = { DB_I(r->subscription->key), DB_I(r->key), DB_I(0), DB_I(0), DB_I(INT64_MAX), DB_I(100) };
    world_settle(s->w);
    assert_int_equal(db_load(s->w->control.db, DB_USAGE_AFTER, of, ARRAY_LEN(of), &rows), ERR_NONE);
    return db_rows_count(rows);
}

static void a_charge_that_could_not_be_stored_is_stored_with_the_end(void **state)
{
    struct stage *s = *state;
    char id[SMS_ID_SIZE];
    assert_int_equal(usage_new(&s->w->control.usage, &s->w->control, s->w->accounts, "2020-10"), ERR_NONE);
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    disk_full(true);
    take(s, 0, 0, 1, "A1");
    for (int i = 0; i < 10; i++) {
        inbox_wait(control_inbox(&s->w->control), 20);
        inbox_drain(control_inbox(&s->w->control));
    }
    disk_full(false);
    assert_int_equal(charges(s), 0);
    receipt(s, "A1", RECEIPT_DELIVERED);
    assert_state(s, id, "delivered");
    assert_int_equal(charges(s), 1);
    usage_free(s->w->control.usage);
    s->w->control.usage = NULL;
}

/* -- a step and the end behind it ------------------------------------------------------------------------------------------- */

/* Both lie in the inbox before either is heard. */
static void taken_and_delivered(struct stage *s, const char *remote_id, enum carrier_state end)
{
    const struct carrier_news took = { .kind = CARRIER_SUBMITTED, .carrier = s->sim.number, .message = s->sim.sm[0].message, .segments = 1,
                                       .remote_id = str_of(remote_id) };
    const struct carrier_news ended = { .kind = CARRIER_RECEIPT, .carrier = s->sim.number, .remote_id = took.remote_id, .state = end,
                                        .token = ++s->token, .from = STR("12065550100"), .to = str_of(s->from) };
    assert_int_equal(messages_tell(s->m, &took), ERR_NONE);
    assert_int_equal(messages_tell(s->m, &ended), ERR_NONE);
    inbox_drain(control_inbox(&s->w->control));
}

static void a_receipt_in_the_same_breath_is_written_with_what_it_ends(void **state)
{
    struct stage *s = *state;
    char last[4096], id[SMS_ID_SIZE];
    assert_int_equal(usage_new(&s->w->control.usage, &s->w->control, s->w->accounts, "2020-10"), ERR_NONE);
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    taken_and_delivered(s, "A1", RECEIPT_DELIVERED);
    assert_state(s, id, "delivered");
    assert_settled(s, 0, ERR_NONE);
    assert_int_equal(reports(s, last), 1);
    assert_int_equal(charges(s), 1);
    const char *story = explained(s, id), *answer = strstr(story, "HTTP 202"), *sent = strstr(story, "submit_sm to"),
               *took = strstr(story, "submit_sm_resp message_id A1"), *end = strstr(story, "stat:DELIVRD");
    assert_true(answer && answer < sent && sent < took && took < end);
    usage_free(s->w->control.usage);
    s->w->control.usage = NULL;
}

static void a_step_without_its_end_is_on_disk_after_a_restart(void **state)
{
    struct stage *s = *state;
    char last[4096], id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    take(s, 0, 0, 1, "A1");                         /* and the process goes at once */
    restart(s);
    both_up(s);
    assert_state(s, id, "submitted");
    assert_int_equal(s->sim.n, 0);
    receipt(s, "A1", RECEIPT_DELIVERED);
    assert_state(s, id, "delivered");
    assert_int_equal(reports(s, last), 1);
}

static void many_steps_without_their_ends_are_all_written(void **state)
{
    struct stage *s = *state;
    struct sms_recipient to[SMS_RECIPIENTS_MAX];
    char phones[SMS_RECIPIENTS_MAX][16];
    for (unsigned i = 0; i < ARRAY_LEN(to); i++) {
        snprintf(phones[i], sizeof phones[i], "+1206555%04u", 100 + i);
        to[i] = (struct sms_recipient){ str_of(phones[i]), STR("") };
    }
    struct sms_send rq = sms(s, to, ARRAY_LEN(to), "hello");
    assert_int_equal(send_rq(s, &rq), ERR_NONE);
    for (unsigned i = 0; i < ARRAY_LEN(to); i++) {
        const struct carrier_news took = { .kind = CARRIER_SUBMITTED, .carrier = s->sim.number, .message = s->sim.sm[i].message,
                                           .segments = 1, .remote_id = str_of(phones[i]) };
        assert_int_equal(messages_tell(s->m, &took), ERR_NONE);
    }
    inbox_drain(control_inbox(&s->w->control));
    inbox_drain(control_inbox(&s->w->control));
    for (unsigned i = 0; i < ARRAY_LEN(to); i++)
        assert_state(s, s->results[i].id, "submitted");
}

static void a_step_and_its_end_that_could_not_be_stored_are_stored_later_and_charged_once(void **state)
{
    struct stage *s = *state;
    char last[4096], id[SMS_ID_SIZE];
    assert_int_equal(usage_new(&s->w->control.usage, &s->w->control, s->w->accounts, "2020-10"), ERR_NONE);
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    disk_full(true);
    taken_and_delivered(s, "A1", RECEIPT_UNDELIVERABLE);
    for (int i = 0; i < 100 && !s->sim.n_settled; i++) {
        inbox_wait(control_inbox(&s->w->control), 100);
        inbox_drain(control_inbox(&s->w->control));
    }
    assert_settled(s, 0, ERR_STORE);
    disk_full(false);
    assert_int_equal(charges(s), 0);
    world_sleep(s->w, 1 * SECOND);
    assert_state(s, id, "failed");
    assert_int_equal(reports(s, last), 1);
    assert_int_equal(charges(s), 1);
    usage_free(s->w->control.usage);
    s->w->control.usage = NULL;
}

/* -- repeatability ---------------------------------------------------------------------------------------------------------- */

static void the_same_repeat_id_is_sent_once(void **state)
{
    struct stage *s = *state;
    char id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "4F2B", "hello"));
    assert_string_equal(send_one(s, HANDSET, "4f2b", "hello"), id);
    restart(s);
    both_up(s);
    assert_int_equal(s->sim.n, 1);
    assert_string_equal(send_one(s, HANDSET, "4F2B", "hello"), id);
    assert_int_equal(s->sim.n, 1);
    assert_string_not_equal(send_one(s, HANDSET, "4F2C", "hello"), id);
    assert_int_equal(s->sim.n, 2);
}

static void the_same_repeat_id_within_a_request_is_sent_once(void **state)
{
    struct stage *s = *state;
    struct sms_recipient r[3] = { { STR(HANDSET), STR("r1") }, { STR(HANDSET), STR("r1") }, { STR(HANDSET), STR("") } };
    struct sms_send rq = sms(s, r, 3, "x");
    assert_int_equal(send_rq(s, &rq), ERR_NONE);
    assert_string_equal(s->results[0].id, s->results[1].id);
    assert_string_not_equal(s->results[0].id, s->results[2].id);
    assert_int_equal(s->sim.n, 2);
}

static void a_repetition_before_the_commit_waits_for_it(void **state)
{
    struct stage *s = *state;
    struct sms_recipient r = { STR(HANDSET), STR("r1") };
    struct sms_send rq = sms(s, &r, 1, "x");
    s->told = 0;
    assert_int_equal(messages_send(s->m, &rq, on_sent, s, &s->why), ERR_NONE);
    assert_int_equal(messages_send(s->m, &rq, on_sent, s, &s->why), ERR_NONE);
    assert_int_equal(s->told, 0);
    wait_told(s, 2);
    assert_int_equal(s->err, ERR_NONE);
    assert_int_equal(s->sim.n, 1);
}

static void a_repetition_of_what_was_not_stored_is_refused_alone(void **state)
{
    struct stage *s = *state;
    struct sms_recipient r[2] = { { STR(HANDSET), STR("r1") }, { STR(OTHER), STR("") } };
    struct sms_send first = sms(s, r, 1, "x"), both = sms(s, r, 2, "x");
    s->told = 0;
    disk_full(true);
    assert_int_equal(messages_send(s->m, &first, on_sent, s, &s->why), ERR_NONE);
    inbox_wait(control_inbox(&s->w->control), 5000);        /* its commit failed; nobody has heard of it yet */
    disk_full(false);
    assert_int_equal(messages_send(s->m, &both, on_sent, s, &s->why), ERR_NONE);
    assert_int_equal(s->told, 0);
    wait_told(s, 2);
    assert_int_equal(s->err, ERR_NONE);
    assert_int_equal(s->results[0].status, 503);
    assert_string_equal(s->results[0].refusal->why.rule, "StoreBusy");
    assert_int_equal(s->results[1].status, 202);
    world_settle(s->w);
    assert_int_equal(s->sim.n, 1);
    assert_int_equal(send_rq(s, &first), ERR_NONE);
    assert_int_equal(s->sim.n, 2);
}

static void a_failed_commit_does_not_forget_what_was_promised_before(void **state)
{
    struct stage *s = *state;
    char id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "r1", "hello"));
    struct sms_recipient r[2] = { { STR(HANDSET), STR("r1") }, { STR(OTHER), STR("r2") } };
    struct sms_send rq = sms(s, r, 2, "hello");
    disk_full(true);
    s->told = 0;
    assert_int_equal(messages_send(s->m, &rq, on_sent, s, &s->why), ERR_NONE);
    wait_told(s, 1);
    disk_full(false);
    assert_int_equal(s->err, ERR_STORE);
    assert_int_equal(send_rq(s, &rq), ERR_NONE);
    assert_string_equal(s->results[0].id, id);
    assert_int_equal(s->sim.n, 2);
}

static void a_repeat_id_is_remembered_for_a_day_at_least_and_two_at_most(void **state)
{
    struct stage *s = *state;
    char id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "r1", "hello"));
    world_sleep(s->w, 23 * HOUR);
    assert_string_equal(send_one(s, HANDSET, "r1", "hello"), id);
    world_sleep(s->w, 13 * HOUR);
    world_sleep(s->w, 13 * HOUR);
    assert_string_not_equal(send_one(s, HANDSET, "r1", "hello"), id);
}

/* One recipient of a request, as it was answered. */
static const struct sms_result *repeated(struct stage *s, struct sms_recipient to, const char *text)
{
    struct sms_send rq = sms(s, &to, 1, text);
    assert_int_equal(send_rq(s, &rq), ERR_NONE);
    return &s->results[0];
}

static void assert_rejected(const struct sms_result *r, int status, const char *words)
{
    assert_int_equal(r->status, status);
    assert_true(r->rejected);
    char said[SMS_REFUSAL_WORDS];
    assert_non_null(strstr(sms_refusal_words(r->refusal, said), words));
}

static void an_id_that_had_another_text_or_recipient_is_rejected_also_after_a_restart(void **state)
{
    struct stage *s = *state;
    struct sms_recipient to = { STR(HANDSET), STR("r1") }, other = { STR(OTHER), STR("r1") };
    assert_int_equal(repeated(s, to, "hello")->status, 202);
    for (int life = 0; life < 2; life++) {
        assert_rejected(repeated(s, to, "hullo"), 400, "another message");
        assert_rejected(repeated(s, other, "hello"), 400, "another message");
        assert_int_equal(repeated(s, to, "hello")->status, 202);
        assert_true(s->results[0].again);
        restart(s);
        both_up(s);
    }
    assert_int_equal(s->sim.n, 1);
}

static void one_id_for_two_recipients_of_a_request_is_rejected_for_the_second(void **state)
{
    struct stage *s = *state;
    struct sms_recipient r[2] = { { STR(HANDSET), STR("r1") }, { STR(OTHER), STR("r1") } };
    struct sms_send rq = sms(s, r, 2, "x");
    assert_int_equal(send_rq(s, &rq), ERR_NONE);
    assert_int_equal(s->results[0].status, 202);
    assert_rejected(&s->results[1], 400, "another message");
    assert_int_equal(s->sim.n, 1);
}

static void an_id_is_no_good_when_its_day_is_over(void **state)
{
    struct stage *s = *state;
    struct sms_recipient to = { STR(HANDSET), STR("r1") };
    assert_int_equal(repeated(s, to, "hello")->status, 202);
    world_sleep(s->w, 24 * HOUR);
    assert_rejected(repeated(s, to, "hello"), 412, "24 hours");
    assert_int_equal(s->sim.n, 1);
}

static void a_date_counts_by_the_wall_or_by_the_product_clock(void **state)
{
    struct stage *s = *state;
    int64_t wall = clock_wall_us(), product = control_now_us(&s->w->control);
    const struct { const char *id; int64_t at_us; int status; } cases[] = {
        { "now", wall, 202 }, { "product", product, 202 }, { "23h", wall - 23 * HOUR, 202 }, { "skew", wall + 600 * (int64_t)US_PER_S, 202 },
        { "25h", (wall < product ? wall : product) - 25 * HOUR, 412 }, { "ahead", (wall > product ? wall : product) + HOUR, 412 }, { "1970", 1, 412 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sms_recipient to = { STR(HANDSET), str_of(cases[i].id), cases[i].at_us, SMS_REPEAT_GOOD };
        if (cases[i].status == 202)
            assert_int_equal(repeated(s, to, "hello")->status, 202);
        else
            assert_rejected(repeated(s, to, "hello"), cases[i].status, "24 hours");
    }
}

static void an_unreadable_id_or_date_is_that_recipients_own_fault(void **state)
{
    struct stage *s = *state;
    struct sms_recipient r[4] = { { STR(HANDSET), STR("r1"), 0, SMS_REPEAT_ID_BAD }, { STR(HANDSET), STR("r2"), 0, SMS_REPEAT_DATE_BAD },
                                  { STR(HANDSET), STR(""), 0, SMS_REPEAT_DATE_BAD }, { STR(HANDSET), STR("r1") } };
    struct sms_send rq = sms(s, r, 4, "x");
    assert_int_equal(send_rq(s, &rq), ERR_NONE);
    assert_rejected(&s->results[0], 400, "not a GUID");
    assert_rejected(&s->results[1], 400, "not an HTTP date");
    assert_int_equal(s->results[2].status, 202);
    assert_int_equal(s->results[3].status, 202);
    assert_int_equal(s->sim.n, 2);
}

static void repeat_ids_of_two_resources_are_different(void **state)
{
    struct stage *s = *state;
    char mine[20], id[SMS_ID_SIZE];
    snprintf(mine, sizeof mine, "%s", s->from);
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "r1", "hello"));
    struct sms_recipient r = { STR(HANDSET), STR("r1") };
    struct sms_send rq = sms(s, &r, 1, "x");
    e164_write(s->from, lease_one(s->w, s->w->other, toll_free_in("844", 1)));
    rq.resource = s->w->other;
    rq.from = str_of(s->from);
    assert_int_equal(send_rq(s, &rq), ERR_NONE);
    assert_string_not_equal(s->results[0].id, id);
}

/* -- who may send, and by what ------------------------------------------------------------------------------------------------ */

static void a_sender_that_is_not_leased_here_is_refused(void **state)
{
    struct stage *s = *state;
    struct sms_recipient r = { STR(HANDSET), STR("") };
    struct sms_send rq = sms(s, &r, 1, "x");
    rq.resource = s->w->other;
    assert_int_equal(send_rq(s, &rq), ERR_UNPROVEN);
    assert_string_equal(s->why.target, "from");
    rq.resource = s->w->us;
    rq.from = STR("+18335559999");
    assert_int_equal(send_rq(s, &rq), ERR_UNPROVEN);
}

static void a_local_number_cannot_send(void **state)
{
    struct stage *s = *state;
    struct sms_recipient r = { STR(HANDSET), STR("") };
    struct sms_send rq = sms(s, &r, 1, "x");
    e164_write(s->from, lease_one(s->w, s->w->us, local_in("206", 1)));
    rq.from = str_of(s->from);
    assert_int_equal(send_rq(s, &rq), ERR_RANGE);
    assert_string_equal(s->why.rule, "SmsNotAvailableForNumberType");
}

static void a_bad_recipient_fails_alone(void **state)
{
    struct stage *s = *state;
    struct sms_recipient r[3] = { { STR("nonsense"), STR("") }, { STR(HANDSET), STR("") }, { STR("+442079460000"), STR("") } };
    struct sms_send rq = sms(s, r, 3, "x");
    assert_int_equal(send_rq(s, &rq), ERR_NONE);
    assert_int_equal(s->results[0].status, 400);
    assert_string_equal(sms_refusal_words(s->results[0].refusal, s->words), "Invalid To phone number format.");
    assert_int_equal(s->results[1].status, 202);
    assert_int_equal(s->results[2].status, 400);
    assert_true(s->results[2].refusal->why.text[0]);
    assert_int_equal(s->sim.n, 1);
}

static void a_simulated_number_leaves_by_a_simulated_carrier_alone(void **state)
{
    struct stage *s = *state;
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_DOWN });
    send_one(s, HANDSET, "", "hello");
    assert_int_equal(s->real.n + s->sim.n, 0);      /* rather not at all than by the real one */
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_UP });
    assert_int_equal(s->sim.n, 1);
    assert_int_equal(s->real.n, 0);
}

static void a_number_released_meanwhile_sends_no_more_by_any_carrier(void **state)
{
    struct stage *s = *state;
    char id[SMS_ID_SIZE];
    uint64_t digits = 0;
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    assert_int_equal(e164_read(str_of(s->from), &digits), ERR_NONE);
    assert_int_equal(release(s->w, s->w->us, digits), ERR_NONE);
    world_sleep(s->w, 40 * DAY);                    /* to the end of the billing cycle and beyond */
    world_settle(s->w);
    assert_null(leased(s->w, digits));
    restart(s);
    both_up(s);
    assert_int_equal(s->sim.n + s->real.n, 0);
    assert_state(s, id, "failed");
}

static void a_later_simulated_carrier_is_used_instead_of_the_built_in(void **state)
{
    struct stage *s = *state;
    static struct carrier_script far;
    far = (struct carrier_script){ 0 };
    far.number = messages_add_carrier(s->m, STR("far"), true, &carrier_script_ops, &far);
    tell(s, &far, (struct carrier_news){ .kind = CARRIER_UP });
    send_one(s, HANDSET, "", "hello");
    assert_int_equal(far.n, 1);
    assert_int_equal(s->sim.n, 0);
}

/* -- in ---------------------------------------------------------------------------------------------------------------------- */

static void arrive(struct stage *s, struct carrier_script *c, const char *from, const char *to, const char *text)
{
    tell(s, c, (struct carrier_news){ .kind = CARRIER_INBOUND, .from = str_of(from), .to = str_of(to), .text = str_of(text),
                                      .segments = 1, .token = ++s->token });
}

static size_t received(struct stage *s, char last[4096])
{
    return events_of(s, "SMSReceived", last, 4096);
}

static void an_inbound_message_is_settled_after_its_commit(void **state)
{
    struct stage *s = *state;
    char last[4096];
    arrive(s, &s->sim, HANDSET, s->from, "hi \"there\"");
    assert_int_equal(s->sim.n_settled, 0);
    assert_int_equal(received(s, last), 1);
    assert_settled(s, 0, ERR_NONE);
    assert_int_equal(s->sim.settled[0].token, s->token);
    assert_non_null(strstr(last, "\"message\":\"hi \\\"there\\\"\""));
    assert_non_null(strstr(last, "\"from\":\"" HANDSET "\""));
}

static void an_inbound_message_that_cannot_be_stored_is_the_carriers_still(void **state)
{
    struct stage *s = *state;
    char last[4096];
    disk_full(true);
    arrive(s, &s->sim, HANDSET, s->from, "hi");
    for (int i = 0; i < 100 && !s->sim.n_settled; i++) {
        inbox_wait(control_inbox(&s->w->control), 100);
        inbox_drain(control_inbox(&s->w->control));
    }
    disk_full(false);
    assert_settled(s, 0, ERR_STORE);
    assert_int_equal(received(s, last), 0);
}

static void part_came(struct stage *s, const char *to, unsigned number)
{
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_PART, .from = STR(HANDSET), .to = str_of(to), .text = STR("body"),
                                            .part = { 700, 3, (uint8_t)number }, .token = ++s->token });
    world_settle(s->w);
}

static size_t recalled(struct stage *s)
{
    restart(s);
    both_up(s);
    s->sim.n_recalled = s->real.n_recalled = 0;
    messages_recall(s->m, s->real.number);
    assert_int_equal(s->real.n_recalled, 0);
    messages_recall(s->m, s->sim.number);
    size_t n = s->sim.n_recalled;
    messages_recall(s->m, s->sim.number);
    assert_int_equal(s->sim.n_recalled, n);
    return n;
}

static void whole_came(struct stage *s, const char *to)
{
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_INBOUND, .from = STR(HANDSET), .to = str_of(to), .text = STR("whole"), .segments = 3,
                                            .part = { 700, 3, 0 }, .token = ++s->token });
    world_settle(s->w);
}

static void parts_are_kept_over_a_restart_until_their_message_is_told(void **state)
{
    struct stage *s = *state;
    char last[4096];
    part_came(s, s->from, 1);
    assert_settled(s, 0, ERR_NONE);
    part_came(s, s->from, 2);
    part_came(s, s->from, 2);
    assert_int_equal(recalled(s), 2);
    assert_string_equal(s->sim.recalled[0].from, HANDSET);
    assert_string_equal(s->sim.recalled[0].body, "body");
    assert_int_equal(s->sim.recalled[0].part.ref, 700);
    assert_int_equal(s->sim.recalled[0].part.total, 3);
    assert_int_equal(s->sim.recalled[0].part.number + s->sim.recalled[1].part.number, 3);
    assert_int_equal(recalled(s), 2);
    whole_came(s, s->from);
    assert_int_equal(received(s, last), 1);
    assert_int_equal(recalled(s), 0);
}

static void parts_of_a_message_that_is_not_taken_are_forgotten(void **state)
{
    struct stage *s = *state;
    part_came(s, "+18335558888", 1);
    assert_int_equal(recalled(s), 1);
    size_t before = s->sim.n_settled;
    whole_came(s, "+18335558888");
    assert_int_equal(s->sim.n_settled, before + 1);
    assert_int_equal(s->sim.settled[before].err, ERR_NONE);
    assert_int_equal(recalled(s), 0);
}

static void a_part_that_cannot_be_kept_is_the_carriers_still(void **state)
{
    struct stage *s = *state;
    disk_full(true);
    tell(s, &s->sim, (struct carrier_news){ .kind = CARRIER_PART, .from = STR(HANDSET), .to = str_of(s->from), .text = STR("body"),
                                            .part = { 700, 3, 1 }, .token = ++s->token });
    for (int i = 0; i < 100 && !s->sim.n_settled; i++) {
        inbox_wait(control_inbox(&s->w->control), 100);
        inbox_drain(control_inbox(&s->w->control));
    }
    disk_full(false);
    assert_settled(s, 0, ERR_STORE);
    assert_int_equal(recalled(s), 0);
}

static void a_message_for_a_number_that_takes_none_is_acknowledged_and_nothing_else(void **state)
{
    struct stage *s = *state;
    char last[4096];
    arrive(s, &s->sim, HANDSET, "+18335558888", "hi");
    assert_settled(s, 0, ERR_NONE);
    arrive(s, &s->real, HANDSET, s->from, "from the real world to a simulated number");
    assert_int_equal(received(s, last), 0);
}

static void stop_blocks_and_start_unblocks_that_sender_for_that_handset(void **state)
{
    struct stage *s = *state;
    char last[4096];
    arrive(s, &s->sim, HANDSET, s->from, " Stop ");
    assert_int_equal(received(s, last), 1);         /* the event always goes out */
    struct sms_recipient r[2] = { { STR(HANDSET), STR("") }, { STR(OTHER), STR("") } };
    struct sms_send rq = sms(s, r, 2, "x");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(send_rq(s, &rq), ERR_NONE);
        assert_int_equal(s->results[0].status, 400);
        assert_string_equal(sms_refusal_words(s->results[0].refusal, s->words), "Sender blocked for given recipient.");
        assert_int_equal(s->results[1].status, 202);
        restart(s);
        both_up(s);
    }
    arrive(s, &s->sim, HANDSET, s->from, "UNSTOP");
    world_settle(s->w);
    assert_int_equal(send_rq(s, &rq), ERR_NONE);
    assert_int_equal(s->results[0].status, 202);
}

static void on_reserved(void *arg, enum err err, const struct number_reservation *r, enum reserved how,
                        const struct problem *why)
{
    (void)r, (void)how;
    world_done(arg, err, NULL, why);
}

/* The same number again, by a reservation. */
static void lease_again(struct stage *s, uint64_t digits)
{
    struct world *w = s->w;
    struct str id = STR("6f1d9a52-3c3e-4a57-9b33-0a4f0a6b7c11");
    struct reservation_wish wish = { .number = digits, .country = STR("US"), .type = NUMBER_TOLL_FREE,
                                     .assignment = ASSIGNED_APPLICATION, .calling = CAP_NONE, .sms = CAP_BOTH };
    w->waiting++;
    assert_int_equal(settle(w, numbers_reserve(w->numbers, w->us, id, &wish, 1, on_reserved, w, &w->why)), ERR_NONE);
    w->waiting++;
    assert_int_equal(settle(w, numbers_buy_reserved(w->numbers, w->us, id, false, world_done, w, &w->why)), ERR_NONE);
}

static void a_released_number_comes_back_without_its_opt_outs(void **state)
{
    struct stage *s = *state;
    uint64_t digits = 0;
    arrive(s, &s->sim, HANDSET, s->from, "STOP");
    world_settle(s->w);
    assert_int_equal(e164_read(str_of(s->from), &digits), ERR_NONE);
    assert_int_equal(release(s->w, s->w->us, digits), ERR_NONE);
    world_sleep(s->w, 100 * DAY);                   /* the billing cycle, then the quarantine */
    world_settle(s->w);
    lease_again(s, digits);
    for (int i = 0; i < 2; i++) {                   /* in memory, and on disk */
        send_one(s, HANDSET, "", "hello");
        assert_int_equal(s->results[0].status, 202);
        restart(s);
        both_up(s);
    }
}

static void stop_within_a_sentence_is_no_opt_out(void **state)
{
    struct stage *s = *state;
    arrive(s, &s->sim, HANDSET, s->from, "please stop");
    world_settle(s->w);
    send_one(s, HANDSET, "", "hello");
    assert_int_equal(s->results[0].status, 202);
}

/* -- looking ------------------------------------------------------------------------------------------------------------------ */

static void another_resources_messages_are_not_there(void **state)
{
    struct stage *s = *state;
    char id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    s->told = 0;
    assert_int_equal(messages_show(s->m, s->w->other, str_of(id), on_json, s), ERR_NONE);
    wait_told(s, 1);
    assert_int_equal(s->err, ERR_ABSENT);
    assert_int_equal(messages_show(s->m, 0, STR("Outgoing_nonsense"), on_json, s), ERR_ABSENT);
    s->told = 0;
    assert_int_equal(messages_list(s->m, &(struct sms_query){ .resource = s->w->other, .top = 100 }, on_json, s), ERR_NONE);
    wait_told(s, 1);
    assert_string_equal(s->json, "{\"value\":[],\"nextLink\":null}");
}

static void a_trail_line_cannot_be_forged_by_a_peer(void **state)
{
    struct stage *s = *state;
    char id[SMS_ID_SIZE];
    snprintf(id, sizeof id, "%s", send_one(s, HANDSET, "", "hello"));
    take(s, 0, 0, 1, "A1\n1 state forged");
    assert_null(strstr(explained(s, id), "\"text\":\"forged\""));
    assert_non_null(strstr(s->json, "A1 1 state forged"));
}

static void all_may_end_with_everything_under_way(void **state)
{
    struct stage *s = *state;
    struct sms_recipient r = { STR(HANDSET), STR("r9") };
    static struct sms_send rq;
    rq = sms(s, &r, 1, "x");
    send_one(s, HANDSET, "", long_text());
    send_one(s, OTHER, "", "a");
    take(s, 0, 0, 3, "A1");
    take(s, 1, 0, 1, "B1");
    receipt(s, "early", RECEIPT_DELIVERED);
    receipt(s, "B1", RECEIPT_DELIVERED);
    arrive(s, &s->sim, HANDSET, s->from, "in");
    s->told = 0;
    assert_int_equal(messages_send(s->m, &rq, on_sent, s, &s->why), ERR_NONE);
    assert_int_equal(messages_list(s->m, &(struct sms_query){ .resource = 0, .top = 100 }, on_json, s), ERR_NONE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_message_is_accepted_queued_submitted_delivered),
        T(nothing_leaves_before_the_commit),
        T(a_refused_message_fails_with_a_report),
        T(an_undelivered_message_fails_with_the_services_code),
        T(a_carriers_refusal_that_says_opted_out_is_an_opt_out),
        T(the_first_part_that_says_opted_out_is_enough),
        T(a_receipt_that_says_opted_out_is_an_opt_out_early_or_not),
        T(an_opt_out_whose_end_was_not_stored_is_stored_with_it_later),
        T(a_message_that_wants_no_report_gets_none),
        T(a_refusal_for_now_is_tried_again_after_a_wait_that_doubles),
        T(ages_are_the_product_clocks),
        T(a_lost_link_sends_again_when_it_is_back),
        T(an_unanswered_submit_on_a_link_that_stands_waits_first),
        T(a_full_carrier_gets_the_rest_in_order_when_it_has_room),
        T(without_a_receipt_for_three_days_it_is_unknown),
        T(without_a_carrier_for_three_days_it_fails),
        T(a_long_message_is_delivered_with_its_last_segment),
        T(a_long_message_with_one_segment_undelivered_failed),
        T(a_restart_does_not_forget_which_segments_had_receipts),
        T(a_carrier_may_split_otherwise_than_we_count),
        T(ids_of_a_lost_try_are_forgotten),
        T(a_receipt_before_its_submit_sm_resp_counts),
        T(an_early_final_receipt_is_not_undone_by_an_older_one),
        T(a_doubled_receipt_counts_once_and_is_acknowledged),
        T(a_receipt_on_the_way_ends_nothing),
        T(receipts_without_end_do_not_grow_a_trail_without_end),
        T(a_receipt_that_matches_nothing_is_kept_and_no_longer_waited_for),
        T(news_of_messages_that_are_not_with_the_carrier_change_nothing),
        T(what_was_not_answered_by_the_carrier_goes_again_after_a_restart),
        T(a_receipt_after_a_restart_finds_its_message),
        T(a_failed_commit_accepts_nothing_and_sends_nothing),
        T(an_end_that_could_not_be_stored_is_stored_later_with_its_report),
        T(a_charge_that_could_not_be_stored_is_stored_with_the_end),
        T(a_receipt_in_the_same_breath_is_written_with_what_it_ends),
        T(a_step_without_its_end_is_on_disk_after_a_restart),
        T(many_steps_without_their_ends_are_all_written),
        T(a_step_and_its_end_that_could_not_be_stored_are_stored_later_and_charged_once),
        T(the_same_repeat_id_is_sent_once),
        T(the_same_repeat_id_within_a_request_is_sent_once),
        T(a_repetition_before_the_commit_waits_for_it),
        T(a_repetition_of_what_was_not_stored_is_refused_alone),
        T(a_failed_commit_does_not_forget_what_was_promised_before),
        T(a_repeat_id_is_remembered_for_a_day_at_least_and_two_at_most),
        T(an_id_that_had_another_text_or_recipient_is_rejected_also_after_a_restart),
        T(one_id_for_two_recipients_of_a_request_is_rejected_for_the_second),
        T(an_id_is_no_good_when_its_day_is_over),
        T(a_date_counts_by_the_wall_or_by_the_product_clock),
        T(an_unreadable_id_or_date_is_that_recipients_own_fault),
        T(repeat_ids_of_two_resources_are_different),
        T(a_sender_that_is_not_leased_here_is_refused),
        T(a_local_number_cannot_send),
        T(a_bad_recipient_fails_alone),
        T(a_simulated_number_leaves_by_a_simulated_carrier_alone),
        T(a_number_released_meanwhile_sends_no_more_by_any_carrier),
        T(a_later_simulated_carrier_is_used_instead_of_the_built_in),
        T(an_inbound_message_is_settled_after_its_commit),
        T(an_inbound_message_that_cannot_be_stored_is_the_carriers_still),
        T(parts_are_kept_over_a_restart_until_their_message_is_told),
        T(parts_of_a_message_that_is_not_taken_are_forgotten),
        T(a_part_that_cannot_be_kept_is_the_carriers_still),
        T(a_message_for_a_number_that_takes_none_is_acknowledged_and_nothing_else),
        T(stop_blocks_and_start_unblocks_that_sender_for_that_handset),
        T(a_released_number_comes_back_without_its_opt_outs),
        T(stop_within_a_sentence_is_no_opt_out),
        T(another_resources_messages_are_not_there),
        T(a_trail_line_cannot_be_forged_by_a_peer),
        T(all_may_end_with_everything_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
