/* What a carrier is asked about a message that it holds. */
#include "domain/explain/explain.h"
#include "domain/messages/esmes.h"
#include "domain/messages/messages.h"
#include "unit/cm.h"
#include "unit/domain/scripted.h"
#include "unit/tmp.h"

#define HANDSET "+12065550100"
static const int64_t HOUR = 3600 * (int64_t)US_PER_S;

/* A carrier that may be asked. */
struct asked_of {
    enum carrier_verb verb;
    uint64_t          message;
    uint32_t          segment;
    char              id[32], from[32], to[32], text[64];
};
struct holder {
    struct carrier_script script;       /* first: its ops are asked with it */
    struct asked_of       asked[32];
    size_t                n, most;      /* most: it takes no more asks; 0: any */
    int64_t               query_after_us;
    bool                  busy;
};

struct stage {
    struct tmp            tmp;
    struct world         *w;
    struct events        *ev;
    struct messages      *m;
    struct courier_script courier;
    struct holder         sim;
    char                  from[20], id[SMS_ID_SIZE];
    int                   told;
    enum err              err;
    char                  json[16384];
    struct problem        why;
};

static enum err on_ask(void *self, const struct carrier_ask *ask)
{
    struct holder *h = self;
    if (h->busy || (h->most && h->n >= h->most))
        return ERR_BUSY;
    assert_true(h->n < ARRAY_LEN(h->asked));
    struct asked_of *a = &h->asked[h->n++];
    *a = (struct asked_of){ .verb = ask->verb, .message = ask->message, .segment = ask->segment };
    str_copyz(a->id, sizeof a->id, ask->remote_id);
    str_copyz(a->from, sizeof a->from, ask->from);
    str_copyz(a->to, sizeof a->to, ask->to);
    str_copyz(a->text, sizeof a->text, ask->text);
    return ERR_NONE;
}

static void on_profile(void *self, struct carrier_profile *out)
{
    *out = (struct carrier_profile){ .smsc = STR("sim"), .query_after_us = ((const struct holder *)self)->query_after_us };
}

static const struct carrier_ops ops = { .submit = carrier_script_submit, .settle = carrier_script_settle, .profile = on_profile, .ask = on_ask };

static void open_stage(struct stage *s)
{
    struct problem why = { 0 };
    s->w = world_new_at(tmp_file(&s->tmp, "carterfone.db"));
    assert_int_equal(events_new(&s->ev, &s->w->control, &courier_script_ops, &s->courier), ERR_NONE);
    assert_int_equal(events_load(s->ev, &why), ERR_NONE);
    assert_int_equal(messages_new(&s->m, &s->w->control, s->w->accounts, s->w->numbers, s->ev), ERR_NONE);
    assert_int_equal(messages_load(s->m, &why), ERR_NONE);
    s->sim.script.number = messages_add_carrier(s->m, STR("sim"), true, &ops, &s->sim);
    s->sim.script.n = s->sim.n = s->courier.n = 0;
    messages_resume(s->m);
    events_resume(s->ev);
}

static void close_stage(struct stage *s)
{
    messages_free(s->m);
    events_free(s->ev);
    world_free(s->w);
}

static void tell(struct stage *s, struct carrier_news n)
{
    n.carrier = s->sim.script.number;
    assert_int_equal(messages_tell(s->m, &n), ERR_NONE);
    inbox_drain(control_inbox(&s->w->control));
    world_settle(s->w);
}

static int set_up_with(void **state, int64_t query_after_us)
{
    struct stage *s = calloc(1, sizeof *s);
    s->tmp = tmp_new();
    s->sim.query_after_us = query_after_us;
    open_stage(s);
    e164_write(s->from, lease_one(s->w, s->w->us, toll_free_in("833", 1)));
    tell(s, (struct carrier_news){ .kind = CARRIER_UP });
    *state = s;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, 0);
}

static int set_up_asking(void **state)
{
    return set_up_with(state, 10 * MINUTE);
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    close_stage(s);
    tmp_free(&s->tmp);
    free(s);
    return 0;
}

static void restart(struct stage *s)
{
    int64_t now = s->w->now_us;
    close_stage(s);
    open_stage(s);
    s->w->now_us = now;
    clock_freeze(s->w->control.clock, now);
    agenda_catch_up(s->w->control.agenda);
    tell(s, (struct carrier_news){ .kind = CARRIER_UP });
}

static void on_sent(void *arg, enum err err, const struct sms_result *results, size_t n)
{
    struct stage *s = arg;
    assert_int_equal(err, ERR_NONE);
    assert_int_equal(n, 1);
    snprintf(s->id, sizeof s->id, "%s", results[0].id);
}

static void sent(struct stage *s, const char *text, const struct sms_esme *esme)
{
    struct sms_recipient to = { STR(HANDSET), STR("") };
    struct sms_send rq = { .resource = s->w->us, .from = str_of(s->from), .recipients = &to, .n = 1, .text = str_of(text), .esme = esme };
    assert_int_equal(messages_send(s->m, &rq, on_sent, s, &s->why), ERR_NONE);
    world_settle(s->w);
}

/* By the carrier in so many segments: ids 00A0, 00A1, ... */
static void taken(struct stage *s, unsigned segments)
{
    assert_int_equal(s->sim.script.n, 1);
    for (unsigned i = 0; i < segments; i++) {
        char id[16];
        snprintf(id, sizeof id, "00A%u", i);
        tell(s, (struct carrier_news){ .kind = CARRIER_SUBMITTED, .message = s->sim.script.sm[0].message, .segment = i, .segments = segments,
                                       .remote_id = str_of(id) });
    }
}

static void submitted(struct stage *s, const char *text, const struct sms_esme *esme, unsigned segments)
{
    sent(s, text, esme);
    taken(s, segments);
}

static void on_json(void *arg, enum err err, struct str json)
{
    struct stage *s = arg;
    s->told++;
    s->err = err;
    str_copyz(s->json, sizeof s->json, json);
}

static const char *heard(struct stage *s)
{
    for (int i = 0; i < 100 && !s->told; i++) {
        inbox_wait(control_inbox(&s->w->control), 100);
        inbox_drain(control_inbox(&s->w->control));
    }
    assert_int_equal(s->told, 1);
    s->told = 0;
    return s->json;
}

static void assert_has(const char *json, const char *text)
{
    if (!strstr(json, text))
        fail_msg("%s is not in %s", text, json);
}

/* The message itself. */
static void assert_shown(struct stage *s, const char *text)
{
    s->told = 0;
    assert_int_equal(messages_show(s->m, s->w->us, str_of(s->id), on_json, s), ERR_NONE);
    assert_has(heard(s), text);
}

/* Its story. */
static void assert_told(struct stage *s, const char *text)
{
    scoped(explain) struct explain *x = NULL;
    struct explain_conf conf = { .control = &s->w->control, .accounts = s->w->accounts };
    s->told = 0;
    assert_int_equal(explain_new(&x, &conf), ERR_NONE);
    assert_int_equal(explain_ask(x, 0, str_of(s->id), on_json, s, &s->why), ERR_NONE);
    assert_has(heard(s), text);
}

static void on_changed(void *arg, enum err err)
{
    struct stage *s = arg;
    s->told++;
    s->err = err;
}

/* The ids are read from the database before the carrier is asked. */
static void wait_asked(struct stage *s, size_t n)
{
    for (int i = 0; i < 100 && s->sim.n < n && !s->told; i++) {
        inbox_wait(control_inbox(&s->w->control), 100);
        inbox_drain(control_inbox(&s->w->control));
    }
    world_settle(s->w);
    assert_int_equal(s->sim.n, n);
}

static enum err cancel(struct stage *s)
{
    struct sms_named named = { .id = str_of(s->id), .by = "it was taken back" };
    s->told = 0;
    return messages_cancel(s->m, &named, on_changed, s);
}

static void says(struct stage *s, size_t i, uint32_t status, enum carrier_state state)
{
    const struct asked_of *a = &s->sim.asked[i];
    tell(s, (struct carrier_news){ .kind = CARRIER_ANSWERED, .message = a->message, .segment = a->segment, .verb = a->verb,
                                   .remote_id = str_of(a->id), .status = status, .state = state });
}

static void receipt(struct stage *s, const char *id, enum carrier_state state)
{
    tell(s, (struct carrier_news){ .kind = CARRIER_RECEIPT, .token = 9, .remote_id = str_of(id), .state = state, .from = STR(HANDSET),
                                   .to = str_of(s->from) });
}

static void a_carrier_is_asked_by_its_own_ids_to_cancel_each_segment(void **state)
{
    struct stage *s = *state;
    submitted(s, "hello", NULL, 2);
    assert_int_equal(cancel(s), ERR_NONE);
    wait_asked(s, 2);
    assert_string_equal(s->sim.asked[1].id, "00A1");
    assert_string_equal(s->sim.asked[1].from, s->from);
    assert_string_equal(s->sim.asked[1].to, HANDSET);
    assert_int_equal(s->sim.asked[1].verb, CARRIER_CANCEL);
    assert_int_equal(cancel(s), ERR_BUSY);              /* once at a time */
    says(s, 0, 0, 0);
    assert_int_equal(s->told, 0);
    assert_shown(s, "\"state\":\"submitted\"");
    s->told = 0;
    says(s, 1, 0, 0);
    assert_int_equal(s->told, 1);
    assert_int_equal(s->err, ERR_NONE);
    assert_shown(s, "\"state\":\"failed\"");
    assert_told(s, "it was taken back, cancelled by sim: id 00A1 stat:DELETED");
    assert_int_equal(cancel(s), ERR_CONFLICT);
}

static void what_is_cancelled_in_part_waits_for_the_receipts_of_the_others(void **state)
{
    struct stage *s = *state;
    submitted(s, "hello", NULL, 2);
    assert_int_equal(cancel(s), ERR_NONE);
    wait_asked(s, 2);
    says(s, 0, 0, 0);
    says(s, 1, 0x11, 0);
    assert_int_equal(s->told, 1);
    assert_int_equal(s->err, ERR_CONFLICT);
    assert_told(s, "ESME_RCANCELFAIL");
    restart(s);
    receipt(s, "00A1", RECEIPT_DELIVERED);
    assert_shown(s, "\"state\":\"failed\"");
}

static void what_could_not_be_asked_about_whole_is_not_cancelled(void **state)
{
    struct stage *s = *state;
    submitted(s, "hello", NULL, 2);
    s->sim.most = 1;
    assert_int_equal(cancel(s), ERR_NONE);
    wait_asked(s, 1);
    says(s, 0, 0, 0);
    assert_int_equal(s->told, 1);
    assert_int_equal(s->err, ERR_CONFLICT);
    assert_shown(s, "\"state\":\"submitted\"");
}

static void a_receipt_that_comes_before_the_answer_decides(void **state)
{
    struct stage *s = *state;
    submitted(s, "hello", NULL, 1);
    assert_int_equal(cancel(s), ERR_NONE);
    wait_asked(s, 1);
    receipt(s, "00A0", RECEIPT_DELIVERED);
    says(s, 0, 0x11, 0);
    assert_int_equal(s->err, ERR_CONFLICT);
    assert_shown(s, "\"state\":\"delivered\"");
}

static void a_carrier_that_is_down_or_too_busy_is_not_asked(void **state)
{
    struct stage *s = *state;
    submitted(s, "hello", NULL, 1);
    s->sim.busy = true;
    assert_int_equal(cancel(s), ERR_NONE);
    wait_asked(s, 0);
    assert_int_equal(s->told, 1);
    assert_int_equal(s->err, ERR_CONFLICT);
    s->sim.busy = false;
    tell(s, (struct carrier_news){ .kind = CARRIER_DOWN });
    assert_int_equal(cancel(s), ERR_CONFLICT);
    tell(s, (struct carrier_news){ .kind = CARRIER_UP });
    assert_int_equal(cancel(s), ERR_NONE);
    wait_asked(s, 1);
    says(s, 0, CARRIER_NO_ANSWER, 0);
    assert_int_equal(s->err, ERR_CONFLICT);
    assert_told(s, "no answer came");
    assert_shown(s, "\"state\":\"submitted\"");
}

static const struct sms_esme by_esme = { .command = "submit_sm", .registered = 1, .reference = -1 };

static enum err replace(struct stage *s, const char *text)
{
    struct sms_named named = { .resource = s->w->us, .id = str_of(s->id), .from = str_of(s->from) };
    s->told = 0;
    return messages_replace(s->m, &named, str_of(text), -1, on_changed, s);
}

static void a_carrier_puts_another_text_in_the_place_of_an_esmes(void **state)
{
    struct stage *s = *state;
    submitted(s, "hello", &by_esme, 1);
    assert_int_equal(replace(s, "d\xc3\xad\xc3\xa9j\xc4\x85"), ERR_CONFLICT);       /* another alphabet: replace_sm cannot say so */
    assert_int_equal(replace(s, "good bye"), ERR_NONE);
    wait_asked(s, 1);
    assert_int_equal(s->sim.asked[0].verb, CARRIER_REPLACE);
    assert_string_equal(s->sim.asked[0].text, "good bye");
    says(s, 0, 0, 0);
    assert_int_equal(s->told, 1);
    assert_int_equal(s->err, ERR_NONE);
    assert_shown(s, "good bye");
    assert_told(s, "another text by replace_sm, which sim took");
    assert_int_equal(replace(s, "no more"), ERR_NONE);
    wait_asked(s, 2);
    says(s, 1, 0x13, 0);
    assert_int_equal(s->err, ERR_CONFLICT);
    restart(s);
    assert_shown(s, "good bye");
    receipt(s, "00A0", RECEIPT_DELIVERED);
    assert_shown(s, "\"state\":\"delivered\"");
}

static void without_a_receipt_it_is_asked_again_and_again_and_later_each_time(void **state)
{
    struct stage *s = *state;
    submitted(s, "hello", NULL, 1);
    world_sleep(s->w, 9 * MINUTE);
    wait_asked(s, 0);
    world_sleep(s->w, 1 * MINUTE);
    wait_asked(s, 1);
    says(s, 0, 0, RECEIPT_ENROUTE);
    assert_told(s, "query_sm of 00A0: ESME_ROK (0x00000000), stat:ENROUTE");
    world_sleep(s->w, 10 * MINUTE);
    wait_asked(s, 2);
    says(s, 1, 0x67, 0);                                /* ESME_RQUERYFAIL decides nothing */
    world_sleep(s->w, 10 * MINUTE);
    wait_asked(s, 2);
    world_sleep(s->w, 10 * MINUTE);
    wait_asked(s, 3);
    says(s, 2, 0, RECEIPT_EXPIRED);
    assert_shown(s, "\"state\":\"failed\"");
    assert_told(s, "query_sm_resp of sim: id 00A0 stat:EXPIRED");
    world_sleep(s->w, 72 * HOUR);
    wait_asked(s, 3);
}

static void that_a_carrier_does_not_know_it_decides_nothing(void **state)
{
    struct stage *s = *state;
    submitted(s, "hello", NULL, 1);
    world_sleep(s->w, 10 * MINUTE);
    wait_asked(s, 1);
    says(s, 0, 0, RECEIPT_UNKNOWN);
    assert_shown(s, "\"state\":\"submitted\"");
    receipt(s, "00A0", RECEIPT_DELIVERED);
    assert_shown(s, "\"state\":\"delivered\"");
}

static void patience_with_a_receipt_begins_when_it_was_taken(void **state)
{
    struct stage *s = *state;
    tell(s, (struct carrier_news){ .kind = CARRIER_DOWN });
    sent(s, "hello", NULL);
    world_sleep(s->w, 71 * HOUR + 55 * MINUTE);
    tell(s, (struct carrier_news){ .kind = CARRIER_UP });
    world_settle(s->w);
    taken(s, 1);
    world_sleep(s->w, 10 * MINUTE);
    wait_asked(s, 1);
    says(s, 0, 0, RECEIPT_ENROUTE);
    world_sleep(s->w, 70 * HOUR);
    assert_shown(s, "\"state\":\"submitted\"");
    world_sleep(s->w, 3 * HOUR);
    world_settle(s->w);
    assert_shown(s, "\"state\":\"unknown\"");
}

static void one_that_is_never_known_ends_as_it_would_have_without(void **state)
{
    struct stage *s = *state;
    submitted(s, "hello", NULL, 1);
    for (int i = 0; i < 20 && s->sim.n < 8; i++) {
        world_sleep(s->w, 8 * HOUR);
        world_settle(s->w);
        for (size_t k = s->sim.n; k > 0 && k == s->sim.n; k--)
            says(s, k - 1, 0, RECEIPT_ENROUTE);
    }
    world_sleep(s->w, 72 * HOUR);
    assert_shown(s, "\"state\":\"unknown\"");
}

static void a_restart_asks_again(void **state)
{
    struct stage *s = *state;
    submitted(s, "hello", NULL, 2);
    receipt(s, "00A0", RECEIPT_DELIVERED);
    restart(s);
    world_sleep(s->w, 10 * MINUTE);
    wait_asked(s, 1);
    assert_string_equal(s->sim.asked[0].id, "00A1");
    says(s, 0, 0, RECEIPT_DELIVERED);
    assert_shown(s, "\"state\":\"delivered\"");
}

static void nonsense_answers_change_nothing(void **state)
{
    struct stage *s = *state;
    submitted(s, "hello", NULL, 1);
    tell(s, (struct carrier_news){ .kind = CARRIER_ANSWERED, .message = s->sim.script.sm[0].message, .verb = CARRIER_CANCEL });
    assert_int_equal(cancel(s), ERR_NONE);
    wait_asked(s, 1);
    tell(s, (struct carrier_news){ .kind = CARRIER_ANSWERED, .message = s->sim.asked[0].message, .verb = CARRIER_QUERY });
    tell(s, (struct carrier_news){ .kind = CARRIER_ANSWERED, .message = 1, .verb = CARRIER_CANCEL });
    assert_int_equal(s->told, 0);
    assert_shown(s, "\"state\":\"submitted\"");
}

static void all_may_end_while_it_is_asked(void **state)
{
    struct stage *s = *state;
    submitted(s, "hello", NULL, 1);
    assert_int_equal(cancel(s), ERR_NONE);              /* the read is on its way, or done */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define A(name) cmocka_unit_test_setup_teardown(name, set_up_asking, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_carrier_is_asked_by_its_own_ids_to_cancel_each_segment),
        T(what_is_cancelled_in_part_waits_for_the_receipts_of_the_others),
        T(what_could_not_be_asked_about_whole_is_not_cancelled),
        T(a_receipt_that_comes_before_the_answer_decides),
        T(a_carrier_that_is_down_or_too_busy_is_not_asked),
        T(a_carrier_puts_another_text_in_the_place_of_an_esmes),
        A(without_a_receipt_it_is_asked_again_and_again_and_later_each_time),
        A(that_a_carrier_does_not_know_it_decides_nothing),
        A(patience_with_a_receipt_begins_when_it_was_taken),
        A(one_that_is_never_known_ends_as_it_would_have_without),
        A(a_restart_asks_again),
        T(nonsense_answers_change_nothing),
        T(all_may_end_while_it_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
