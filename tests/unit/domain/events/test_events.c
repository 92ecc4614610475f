#include "domain/events/events.h"

#include "store/events.h"
#include "unit/domain/scripted.h"
#include "unit/cm.h"
#include "unit/tmp.h"

#define HOOK "https://hooks.example.net/in"
#define RECEIVED "Microsoft.Communication.SMSReceived"

struct stage {
    struct tmp            tmp;
    struct world         *w;
    struct events        *ev;
    struct courier_script courier;
    /* what was told last */
    int            told;
    enum err       err;
    uint64_t       key;
    struct problem why;
    char           json[65536];
};

static void open_stage(struct stage *s)
{
    struct problem why = { 0 };
    s->w = world_new_at(tmp_file(&s->tmp, "carterfone.db"));
    assert_int_equal(events_new(&s->ev, &s->w->control, &courier_script_ops, &s->courier), ERR_NONE);
    assert_int_equal(events_load(s->ev, &why), ERR_NONE);
    events_resume(s->ev);
}

static void close_stage(struct stage *s)
{
    events_free(s->ev);
    world_free(s->w);
}

static int set_up(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    s->tmp = tmp_new();
    open_stage(s);
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

/* Until what became due was read and sent. */
static void pass_time(struct stage *s, int64_t us)
{
    world_sleep(s->w, us);
    while (agenda_is_held(s->w->control.agenda)) {
        inbox_wait(control_inbox(&s->w->control), 1000);
        inbox_drain(control_inbox(&s->w->control));
    }
    world_settle(s->w);
}

/* Until so many have left. */
static void wait_sent(struct stage *s, size_t n)
{
    for (int i = 0; i < 500 && s->courier.n < n; i++) {
        inbox_wait(control_inbox(&s->w->control), 10);
        inbox_drain(control_inbox(&s->w->control));
    }
    assert_int_equal(s->courier.n, n);
}

/* The process ends as by kill -9 and another begins on the same database. */
static void restart(struct stage *s)
{
    int64_t now = s->w->now_us;
    close_stage(s);
    s->courier.n = 0;
    open_stage(s);
    s->w->now_us = now;
    clock_freeze(s->w->control.clock, now);
    agenda_catch_up(s->w->control.agenda);
}

static void on_subscribed(void *arg, enum err err, uint64_t key, const struct problem *why)
{
    struct stage *s = arg;
    s->told++;
    s->err = err;
    s->key = key;
    s->why = *why;
}

static void on_changed(void *arg, enum err err)
{
    struct stage *s = arg;
    s->told++;
    s->err = err;
}

/* Stored, and the handshake's question has left. */
static void subscribe(struct stage *s, const char *url, const char *types, bool cloud)
{
    struct problem why = { 0 };
    struct event_subscription_new n = { .resource = s->w->us, .url = str_of(url), .types = str_of(types), .cloud = cloud };
    s->told = 0;
    size_t asked = s->courier.n;
    assert_int_equal(events_subscribe(s->ev, &n, on_subscribed, s, &why), ERR_NONE);
    assert_int_equal(s->courier.n, asked);
    world_settle(s->w);
    assert_int_equal(s->courier.n, asked + 1);
    assert_int_equal(s->told, 0);
}

static void prove(struct stage *s)
{
    char body[128];
    struct sent *q = &s->courier.sent[s->courier.n - 1];
    snprintf(body, sizeof body, "{\"validationResponse\":\"%.60s\"}", sent_member(q, "validationCode"));
    courier_answer_as(s->w, &s->courier, s->courier.n - 1, ERR_NONE, 200, body, "");
    assert_int_equal(s->told, 1);
    assert_int_equal(s->err, ERR_NONE);
}

static void subscribed(struct stage *s)
{
    subscribe(s, HOOK, "", false);
    prove(s);
    s->courier.n = 0;
}

static void cause(struct stage *s, const char *subject, const char *id, enum err commit)
{
    struct event_batch batch = { 0 };
    struct db_unit *u = db_unit_new();
    assert_int_equal(events_write(s->ev, u, &(struct event_new){ .resource = s->w->us, .type = STR(RECEIVED),
                                                                .subject = str_of(subject), .data = STR("{\"n\":1}"),
                                                                .id = str_of(id) }, &batch), ERR_NONE);
    size_t sent = s->courier.n;
    if (commit)
        db_unit_free(u);
    else
        assert_int_equal(db_run(s->w->control.db, u), ERR_NONE);
    assert_int_equal(s->courier.n, sent);           /* nothing leaves before the commit */
    events_go(s->ev, &batch, commit);
    assert_null(batch.chain);
}

static void call_back(struct stage *s, uint64_t call, const char *url, const char *type)
{
    struct event_batch batch = { 0 };
    struct db_unit *u = db_unit_new();
    assert_int_equal(events_write_callback(s->ev, u, &(struct callback_new){ .resource = s->w->us, .call = call,
                                                                            .url = str_of(url), .type = str_of(type),
                                                                            .subject = STR("s"), .source = STR("o"),
                                                                            .data = STR("{}") }, &batch), ERR_NONE);
    assert_int_equal(db_run(s->w->control.db, u), ERR_NONE);
    events_go(s->ev, &batch, ERR_NONE);
}

static size_t rows_undelivered(struct stage *s)
{
    scoped(db_rows) struct db_rows *line = NULL, *due = NULL;
    const struct db_val of_it[] = { DB_I(s->key), DB_I(0), DB_I(0), DB_I(100000) };
    assert_int_equal(db_load(s->w->control.db, DB_DELIVERY_IN_LINE, NULL, 0, &line), ERR_NONE);
    assert_int_equal(db_load(s->w->control.db, DB_DELIVERY_DUE_AFTER, of_it, ARRAY_LEN(of_it), &due), ERR_NONE);
    return db_rows_count(line) + db_rows_count(due);
}

#define assert_sent(s, i, word) assert_non_null(strstr((s)->courier.sent[i].body, word))

static bool wanted(struct stage *s, uint64_t resource, struct str type)
{
    return events_wanted(s->ev, &(struct event_new){ .resource = resource, .type = type });
}

/* -- the handshakes --------------------------------------------------------------------------------------------------- */

static void an_endpoint_that_returns_the_code_is_subscribed(void **state)
{
    struct stage *s = *state;
    subscribe(s, HOOK, "", false);
    struct sent *q = &s->courier.sent[0];
    assert_string_equal(q->method, "POST");
    assert_string_equal(q->url, HOOK);
    assert_string_equal(q->headers[1], "aeg-event-type: SubscriptionValidation");
    assert_false(wanted(s, s->w->us, STR(RECEIVED)));
    prove(s);
    assert_true(wanted(s, s->w->us, STR(RECEIVED)));
    assert_false(wanted(s, s->w->other, STR(RECEIVED)));
    assert_int_equal(events_subscription_resource(s->ev, s->key), s->w->us);
}

static void what_was_proved_is_active_after_a_restart(void **state)
{
    struct stage *s = *state;
    subscribed(s);
    restart(s);
    assert_true(wanted(s, s->w->us, STR(RECEIVED)));
}

static void an_endpoint_without_the_code_awaits_its_validation_address(void **state)
{
    struct stage *s = *state;
    subscribe(s, HOOK, "", false);
    char url[512];
    snprintf(url, sizeof url, "%s", sent_member(&s->courier.sent[0], "validationUrl"));
    courier_answer(s->w, &s->courier, 0, 200);
    assert_int_equal(s->told, 1);
    assert_int_equal(s->err, ERR_NONE);
    assert_false(wanted(s, s->w->us, STR(RECEIVED)));
    const char *code = strstr(url, "code=") + 5;
    assert_int_equal(events_validate(s->ev, s->key, STR("0"), on_changed, s), ERR_UNPROVEN);
    assert_int_equal(events_validate(s->ev, s->key + 1, str_of(code), on_changed, s), ERR_ABSENT);
    assert_int_equal(events_validate(s->ev, s->key, str_of(code), on_changed, s), ERR_NONE);
    assert_int_equal(s->told, 1);
    assert_false(wanted(s, s->w->us, STR(RECEIVED)));    /* not before it is safe */
    world_settle(s->w);
    assert_int_equal(s->told, 2);
    assert_true(wanted(s, s->w->us, STR(RECEIVED)));
}

static void a_validation_address_is_good_for_ten_minutes(void **state)
{
    struct stage *s = *state;
    subscribe(s, HOOK, "", false);
    char url[512];
    snprintf(url, sizeof url, "%s", sent_member(&s->courier.sent[0], "validationUrl"));
    courier_answer(s->w, &s->courier, 0, 200);
    pass_time(s, 10 * MINUTE);
    assert_int_equal(events_validate(s->ev, s->key, str_of(strstr(url, "code=") + 5), on_changed, s), ERR_UNPROVEN);
}

static void a_cloud_events_endpoint_allows_our_origin(void **state)
{
    struct stage *s = *state;
    subscribe(s, HOOK, "", true);
    assert_string_equal(s->courier.sent[0].method, "OPTIONS");
    assert_string_equal(s->courier.sent[0].headers[0], "WebHook-Request-Origin: carterfone.local");
    courier_answer_as(s->w, &s->courier, 0, ERR_NONE, 200, "", "*");
    assert_int_equal(s->err, ERR_NONE);
    assert_true(wanted(s, s->w->us, STR(RECEIVED)));
    cause(s, "/a", "e1", ERR_NONE);
    assert_sent(s, 1, "\"specversion\":\"1.0\"");
    assert_string_equal(s->courier.sent[1].headers[0], "Content-Type: application/cloudevents+json; charset=utf-8");
}

static void a_cloud_events_endpoint_that_allows_another_origin_is_refused(void **state)
{
    struct stage *s = *state;
    subscribe(s, HOOK, "", true);
    courier_answer_as(s->w, &s->courier, 0, ERR_NONE, 200, "", "elsewhere.example.net");
    assert_int_equal(s->err, ERR_RANGE);
    assert_string_equal(s->why.rule, "EndpointMustProveItself");
    assert_int_equal(events_subscription_resource(s->ev, s->key), 0);
}

static void an_endpoint_that_refuses_or_is_not_there_is_forgotten(void **state)
{
    struct stage *s = *state;
    subscribe(s, HOOK, "", false);
    courier_answer(s->w, &s->courier, 0, 404);
    assert_int_equal(s->err, ERR_RANGE);
    assert_string_equal(s->why.target, "endpointUrl");
    subscribe(s, HOOK, "", false);
    courier_answer_as(s->w, &s->courier, 1, ERR_IO, 0, "", "");
    assert_int_equal(s->err, ERR_RANGE);
    restart(s);
    scoped_buf out = { 0 };
    struct jw w = jw_of(&out);
    jw_array(&w, NULL);
    events_write_subscriptions(s->ev, 0, &w);
    jw_end(&w);
    assert_str(buf_str(&out), "[]");
}

static void a_full_courier_at_the_handshake_is_told_to_the_caller(void **state)
{
    struct stage *s = *state;
    struct problem why = { 0 };
    s->courier.refuse = ERR_BUSY;
    struct event_subscription_new n = { .resource = s->w->us, .url = str_of(HOOK) };
    assert_int_equal(events_subscribe(s->ev, &n, on_subscribed, s, &why), ERR_NONE);
    world_settle(s->w);
    assert_int_equal(s->told, 1);
    assert_int_equal(s->err, ERR_STORE);
    assert_int_equal(events_subscription_resource(s->ev, s->key), 0);
}

static void what_cannot_be_an_endpoint_or_a_name_is_refused(void **state)
{
    struct stage *s = *state;
    const char *urls[] = { "", "ftp://x", "https://a b", "https://a\nb" };
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct problem why = { 0 };
        struct event_subscription_new n = { .resource = s->w->us, .url = str_of(urls[i]) };
        assert_int_equal(events_subscribe(s->ev, &n, on_subscribed, s, &why), ERR_RANGE);
        assert_string_equal(why.target, "endpointUrl");
    }
    struct problem why = { 0 };
    struct event_subscription_new n = { .resource = s->w->us, .url = str_of(HOOK), .name = STR("a\r\nX-Evil: 1") };
    assert_int_equal(events_subscribe(s->ev, &n, on_subscribed, s, &why), ERR_RANGE);
    assert_string_equal(why.target, "name");
}

static void unsubscribing_during_the_handshake_ends_it_when_the_answer_comes(void **state)
{
    struct stage *s = *state;
    struct problem why = { 0 };
    struct event_subscription_new n = { .resource = s->w->us, .url = str_of(HOOK), .name = STR("mine") };
    assert_int_equal(events_subscribe(s->ev, &n, on_subscribed, s, &why), ERR_NONE);
    world_settle(s->w);
    uint64_t key = s->courier.sent[0].id;
    assert_int_equal(events_unsubscribe(s->ev, key, on_changed, s), ERR_NONE);
    assert_int_equal(events_unsubscribe(s->ev, key, on_changed, s), ERR_ABSENT);
    world_settle(s->w);
    assert_int_equal(s->told, 1);                                   /* the unsubscriber */
    char body[128];
    snprintf(body, sizeof body, "{\"validationResponse\":\"%.60s\"}", sent_member(&s->courier.sent[0], "validationCode"));
    courier_answer_as(s->w, &s->courier, 0, ERR_NONE, 200, body, "");
    assert_int_equal(s->told, 2);
    assert_int_equal(s->err, ERR_CLOSED);
    assert_false(wanted(s, s->w->us, STR(RECEIVED)));
}

/* -- deliveries -------------------------------------------------------------------------------------------------------- */

static void an_event_leaves_after_its_commit_in_the_event_grid_schema(void **state)
{
    struct stage *s = *state;
    subscribed(s);
    cause(s, "/phonenumber/18005550100", "e1", ERR_NONE);
    assert_int_equal(s->courier.n, 1);
    struct sent *p = &s->courier.sent[0];
    assert_string_equal(p->url, HOOK);
    assert_int_equal(p->body[0], '[');
    assert_string_equal(sent_member(p, "id"), "e1");
    assert_string_equal(sent_member(p, "eventType"), RECEIVED);
    assert_string_equal(sent_member(p, "dataVersion"), "1.0");
    assert_string_equal(sent_member(p, "eventTime"), "2020-12-01T00:00:00.0000000+00:00");
    assert_string_equal(p->headers[1], "aeg-event-type: Notification");
    assert_string_equal(p->headers[3], "aeg-delivery-count: 0");
    assert_int_equal(rows_undelivered(s), 1);
    courier_answer(s->w, &s->courier, 0, 200);
    assert_int_equal(rows_undelivered(s), 0);
}

static void an_event_whose_commit_failed_is_forgotten(void **state)
{
    struct stage *s = *state;
    subscribed(s);
    cause(s, "/a", "e1", ERR_STORE);
    assert_int_equal(s->courier.n, 0);
}

static void a_type_that_was_not_asked_for_is_not_delivered(void **state)
{
    struct stage *s = *state;
    subscribe(s, HOOK, "A.B, Microsoft.Communication.IncomingCall", false);
    prove(s);
    s->courier.n = 0;
    cause(s, "/a", "e1", ERR_NONE);
    assert_int_equal(s->courier.n, 0);
    assert_true(wanted(s, s->w->us, STR("microsoft.communication.incomingcall")));
}

static void filtered(struct stage *s, const char *text)
{
    struct problem why = { 0 };
    scoped(json_doc) struct json_doc *doc = NULL;
    assert_int_equal(json_read(&doc, str_of(text), NULL), ERR_NONE);
    struct event_subscription_new n = { .resource = s->w->us, .url = STR(HOOK), .filter = json_root(doc) };
    s->told = 0;
    assert_int_equal(events_subscribe(s->ev, &n, on_subscribed, s, &why), ERR_NONE);
    world_settle(s->w);
    prove(s);
    s->courier.n = 0;
}

static void an_event_that_its_filter_keeps_out_is_not_delivered(void **state)
{
    struct stage *s = *state;
    filtered(s, "{\"subjectBeginsWith\":\"/a\"}");
    cause(s, "/b", "e1", ERR_NONE);
    assert_int_equal(s->courier.n, 0);
    assert_int_equal(rows_undelivered(s), 0);
    cause(s, "/A/1", "e2", ERR_NONE);
    assert_int_equal(s->courier.n, 1);
    assert_sent(s, 0, "\"e2\"");
}

static void a_filter_is_the_same_after_a_restart(void **state)
{
    struct stage *s = *state;
    filtered(s, "{\"advancedFilters\":[{\"operatorType\":\"StringIn\",\"key\":\"data.to.value\",\"values\":[\"+1\",\"+2\"]}]}");
    restart(s);
    const char *data[] = { "{\"to\":{\"value\":\"+1\"}}", "{\"to\":{\"value\":\"+2\"}}", "{\"to\":{\"value\":\"+3\"}}", "{}" };
    for (size_t i = 0; i < ARRAY_LEN(data); i++) {
        struct event_new e = { .resource = s->w->us, .type = STR(RECEIVED), .data = str_of(data[i]) };
        assert_int_equal(events_wanted(s->ev, &e), i < 2);
    }
    cause(s, "/a", "e1", ERR_NONE);
    assert_int_equal(s->courier.n, 0);
    scoped_buf out = { 0 };
    struct jw w = jw_of(&out);
    jw_array(&w, NULL);
    events_write_subscriptions(s->ev, 0, &w);
    jw_end(&w);
    assert_non_null(strstr(out.p, "\"filter\":{\"advancedFilters\":"));
}

static void what_is_no_filter_is_not_subscribed(void **state)
{
    struct stage *s = *state;
    struct problem why = { 0 };
    scoped(json_doc) struct json_doc *doc = NULL;
    assert_int_equal(json_read(&doc, STR("{\"subject\":\"/a\"}"), NULL), ERR_NONE);
    struct event_subscription_new n = { .resource = s->w->us, .url = STR(HOOK), .filter = json_root(doc) };
    assert_int_equal(events_subscribe(s->ev, &n, on_subscribed, s, &why), ERR_RANGE);
    assert_string_equal(why.target, "filter.subject");
    assert_int_equal(s->courier.n, 0);
}

static void events_of_one_subject_leave_one_at_a_time_in_order(void **state)
{
    struct stage *s = *state;
    subscribed(s);
    cause(s, "/a", "a1", ERR_NONE);
    cause(s, "/a", "a2", ERR_NONE);
    cause(s, "/b", "b1", ERR_NONE);
    cause(s, "/a", "a3", ERR_NONE);
    assert_int_equal(s->courier.n, 2);              /* the first of each subject */
    assert_sent(s, 0, "\"a1\"");
    assert_sent(s, 1, "\"b1\"");
    courier_answer(s->w, &s->courier, 0, 204);
    assert_int_equal(s->courier.n, 3);
    assert_sent(s, 2, "\"a2\"");
    courier_answer(s->w, &s->courier, 2, 200);
    assert_sent(s, 3, "\"a3\"");
}

static void an_event_that_failed_twice_lets_its_successors_pass(void **state)
{
    struct stage *s = *state;
    subscribed(s);
    cause(s, "/a", "a1", ERR_NONE);
    cause(s, "/a", "a2", ERR_NONE);
    courier_answer(s->w, &s->courier, 0, 500);
    assert_int_equal(s->courier.n, 1);              /* holds its line for the first retry */
    pass_time(s, 9 * SECOND);
    assert_int_equal(s->courier.n, 1);
    pass_time(s, 2 * SECOND);                  /* 10 s and up to a tenth more */
    assert_int_equal(s->courier.n, 2);
    assert_sent(s, 1, "\"a1\"");
    assert_string_equal(s->courier.sent[1].headers[3], "aeg-delivery-count: 1");
    courier_answer(s->w, &s->courier, 1, 503);
    assert_int_equal(s->courier.n, 3);
    assert_sent(s, 2, "\"a2\"");
    courier_answer(s->w, &s->courier, 2, 200);
    pass_time(s, 33 * SECOND);
    assert_int_equal(s->courier.n, 4);
    assert_sent(s, 3, "\"a1\"");
    courier_answer(s->w, &s->courier, 3, 200);
    assert_int_equal(rows_undelivered(s), 0);
}

static void an_event_is_tried_for_a_day_of_the_product_clock_and_then_dead(void **state)
{
    struct stage *s = *state;
    subscribed(s);
    cause(s, "/a", "a1", ERR_NONE);
    size_t tries = 0;
    for (int hour = 0; hour < 40; hour++) {
        while (s->courier.n > tries)
            courier_answer_as(s->w, &s->courier, tries++, ERR_TIMEOUT, 0, "", "");
        for (int i = 0; i < 60 && s->courier.n == tries; i++)
            pass_time(s, MINUTE);
        if (tries >= 10)
            world_run(s->w, 30);                    /* an endpoint that keeps failing is given a pause */
    }
    assert_in_range(tries, 9, 11);
    assert_int_equal(rows_undelivered(s), 0);
    for (size_t i = 1; i < tries; i++)
        assert_string_equal(s->courier.sent[i].body, s->courier.sent[0].body);
}

static void after_the_clock_moved_ahead_a_failed_event_is_still_tried_again(void **state)
{
    struct stage *s = *state;
    pass_time(s, 20000 * DAY);                 /* beyond the wall's clock, from which keys are made */
    subscribed(s);
    cause(s, "/a", "a1", ERR_NONE);
    courier_answer(s->w, &s->courier, 0, 500);
    pass_time(s, 11 * SECOND);
    assert_int_equal(s->courier.n, 2);
}

static void an_answer_that_cannot_get_better_is_the_last(void **state)
{
    struct stage *s = *state;
    subscribed(s);
    cause(s, "/a", "a1", ERR_NONE);
    cause(s, "/a", "a2", ERR_NONE);
    courier_answer(s->w, &s->courier, 0, 400);
    assert_int_equal(rows_undelivered(s), 1);
    assert_sent(s, 1, "\"a2\"");
}

/* One host's full line is nobody else's business. */
static void what_a_full_line_gave_back_holds_up_nobody_and_is_no_try(void **state)
{
    struct stage *s = *state;
    subscribed(s);
    cause(s, "/a", "a1", ERR_NONE);
    courier_answer_as(s->w, &s->courier, 0, ERR_BUSY, 0, "", "");
    cause(s, "/b", "b1", ERR_NONE);
    assert_int_equal(s->courier.n, 2);          /* at once */
    assert_sent(s, 1, "\"b1\"");
    world_run(s->w, 400);
    assert_int_equal(s->courier.n, 3);
    assert_sent(s, 2, "\"a1\"");
    assert_string_equal(s->courier.sent[2].headers[3], "aeg-delivery-count: 0");
    courier_answer(s->w, &s->courier, 1, 200);
    courier_answer(s->w, &s->courier, 2, 200);
    assert_int_equal(rows_undelivered(s), 0);
}

static void what_a_full_courier_refused_is_offered_again_in_order(void **state)
{
    struct stage *s = *state;
    subscribed(s);
    s->courier.refuse = ERR_BUSY;
    cause(s, "/a", "a1", ERR_NONE);
    cause(s, "/b", "b1", ERR_NONE);
    cause(s, "/c", "c1", ERR_NONE);
    size_t refused = s->courier.refused;
    pass_time(s, 3 * DAY);                     /* its patience is not the product clock's */
    assert_int_equal(s->courier.refused, refused);
    world_run(s->w, 120);
    assert_true(s->courier.refused > refused && s->courier.refused < refused + 5);
    s->courier.refuse = ERR_NONE;
    world_run(s->w, 120);
    assert_int_equal(s->courier.n, 3);
    assert_sent(s, 0, "\"a1\"");
    assert_sent(s, 1, "\"b1\"");
    assert_sent(s, 2, "\"c1\"");
}

static void after_a_restart_the_undelivered_goes_again_with_its_id(void **state)
{
    struct stage *s = *state;
    subscribed(s);
    cause(s, "/a", "", ERR_NONE);
    cause(s, "/a", "a2", ERR_NONE);
    char id[64];
    snprintf(id, sizeof id, "%.60s", sent_member(&s->courier.sent[0], "id"));
    assert_int_equal(strlen(id), 36);
    restart(s);
    wait_sent(s, 1);
    assert_string_equal(sent_member(&s->courier.sent[0], "id"), id);
    courier_answer(s->w, &s->courier, 0, 200);
    assert_sent(s, 1, "\"a2\"");
}

static void after_a_restart_what_failed_waits_for_its_time(void **state)
{
    struct stage *s = *state;
    subscribed(s);
    cause(s, "/a", "a1", ERR_NONE);
    courier_answer(s->w, &s->courier, 0, 500);
    pass_time(s, 11 * SECOND);
    courier_answer(s->w, &s->courier, 1, 500);
    restart(s);
    assert_int_equal(s->courier.n, 0);
    pass_time(s, 33 * SECOND);
    assert_int_equal(s->courier.n, 1);
}

static void unsubscribing_ends_what_is_on_its_way_and_what_waits(void **state)
{
    struct stage *s = *state;
    subscribed(s);
    uint64_t key = s->key;
    cause(s, "/a", "a1", ERR_NONE);
    cause(s, "/a", "a2", ERR_NONE);
    cause(s, "/b", "b1", ERR_NONE);
    assert_int_equal(events_unsubscribe(s->ev, key, on_changed, s), ERR_NONE);
    assert_int_equal(s->told, 1);
    world_settle(s->w);
    assert_int_equal(s->told, 2);
    assert_int_equal(rows_undelivered(s), 0);
    courier_answer(s->w, &s->courier, 0, 500);
    courier_answer(s->w, &s->courier, 1, 200);
    pass_time(s, DAY);
    assert_int_equal(s->courier.n, 2);
}

static void what_was_written_before_an_end_and_is_safe_after_it_goes_nowhere(void **state)
{
    struct stage *s = *state;
    subscribed(s);
    struct event_batch batch = { 0 };
    struct db_unit *u = db_unit_new();
    assert_int_equal(events_write(s->ev, u, &(struct event_new){ .resource = s->w->us, .type = STR(RECEIVED),
                                                                .subject = STR("/a"), .data = STR("{}") }, &batch), ERR_NONE);
    assert_int_equal(events_unsubscribe(s->ev, s->key, on_changed, s), ERR_NONE);
    world_settle(s->w);
    assert_int_equal(db_run(s->w->control.db, u), ERR_NONE);
    events_go(s->ev, &batch, ERR_NONE);
    assert_int_equal(s->courier.n, 0);
    assert_int_equal(rows_undelivered(s), 1);
    pass_time(s, 2 * 60 * MINUTE);             /* swept */
    world_settle(s->w);
    assert_int_equal(rows_undelivered(s), 0);
}

static void ten_thousand_waiting_deliveries_end_at_once(void **state)
{
    struct stage *s = *state;
    subscribed(s);
    s->courier.refuse = ERR_BUSY;
    for (int i = 0; i < 10000; i++) {
        char subject[32];
        struct event_batch batch = { 0 };
        scoped(db_unit) struct db_unit *u = db_unit_new();
        snprintf(subject, sizeof subject, "/%d", i);
        assert_int_equal(events_write(s->ev, u, &(struct event_new){ .resource = s->w->us, .type = STR(RECEIVED),
                                                                    .subject = str_of(subject), .data = STR("{}") },
                                      &batch), ERR_NONE);
        events_go(s->ev, &batch, ERR_NONE);
    }
    struct mono began = clock_mono();
    assert_int_equal(events_unsubscribe(s->ev, s->key, on_changed, s), ERR_NONE);
    world_settle(s->w);
    assert_true(clock_mono().us - began.us < 2 * SECOND);
}

static void a_batch_may_be_dropped_when_the_module_has_gone(void **state)
{
    struct stage *s = *state;
    subscribed(s);
    struct event_batch batch = { 0 };
    scoped(db_unit) struct db_unit *u = db_unit_new();
    assert_int_equal(events_write(s->ev, u, &(struct event_new){ .resource = s->w->us, .type = STR(RECEIVED),
                                                                .subject = STR("/a"), .data = STR("{}") }, &batch), ERR_NONE);
    events_free(s->ev);
    s->ev = NULL;
    events_drop(&batch);
}

/* -- callbacks --------------------------------------------------------------------------------------------------------- */

static void callbacks_of_a_call_leave_strictly_one_at_a_time(void **state)
{
    struct stage *s = *state;
    call_back(s, 7, "https://app.example.net/a", "CallConnected");
    call_back(s, 7, "https://app.example.net/a", "PlayCompleted");
    call_back(s, 7, "https://app.example.net/b", "Elsewhere");
    call_back(s, 8, "https://app.example.net/a", "OtherCall");
    assert_int_equal(s->courier.n, 3);
    assert_sent(s, 0, "CallConnected");
    assert_sent(s, 1, "Elsewhere");
    assert_sent(s, 2, "OtherCall");
    /* fails until dead: 0.5, 1, 2, 4, 8 s, and only then the next */
    const int64_t waits_ms[] = { 500, 1000, 2000, 4000, 8000 };
    size_t last = 0;
    for (size_t i = 0; i < ARRAY_LEN(waits_ms); i++) {
        courier_answer(s->w, &s->courier, last, 500);
        size_t n = s->courier.n;
        pass_time(s, waits_ms[i] * US_PER_MS - 1);
        assert_int_equal(s->courier.n, n);
        pass_time(s, 1);
        assert_int_equal(s->courier.n, n + 1);
        assert_sent(s, n, "CallConnected");
        assert_string_equal(s->courier.sent[n].body, s->courier.sent[0].body);
        last = n;
    }
    courier_answer(s->w, &s->courier, last, 500);
    assert_sent(s, s->courier.n - 1, "PlayCompleted");
    assert_int_equal(rows_undelivered(s), 3);
}

static void a_callback_undelivered_goes_again_after_a_restart(void **state)
{
    struct stage *s = *state;
    call_back(s, 7, "https://app.example.net/a", "CallConnected");
    call_back(s, 7, "https://app.example.net/a", "CallDisconnected");
    char body[4096];
    snprintf(body, sizeof body, "%s", s->courier.sent[0].body);
    restart(s);
    wait_sent(s, 1);
    assert_string_equal(s->courier.sent[0].body, body);
    courier_answer(s->w, &s->courier, 0, 202);
    assert_sent(s, 1, "CallDisconnected");
}

/* -- reading back ------------------------------------------------------------------------------------------------------ */

static void on_listed(void *arg, enum err err, struct str json)
{
    struct stage *s = arg;
    s->told++;
    s->err = err;
    str_copyz(s->json, sizeof s->json, json);
}

static void list(struct stage *s, const char *after, int64_t wait_us)
{
    struct problem why = { 0 };
    struct events_query q = { .resource = s->w->us, .after = str_of(after), .wait_us = wait_us };
    s->told = 0;
    assert_int_equal(events_list(s->ev, &q, on_listed, s, &why), ERR_NONE);
}

static void wait_told(struct stage *s)
{
    for (int i = 0; i < 300 && !s->told; i++)
        world_run(s->w, 10);
    assert_int_equal(s->told, 1);
}

static void events_are_listed_and_the_next_one_awaited(void **state)
{
    struct stage *s = *state;
    cause(s, "/a", "first", ERR_NONE);
    list(s, "all", 0);
    wait_told(s);
    assert_non_null(strstr(s->json, "\"first\""));
    list(s, "", MINUTE);
    world_run(s->w, 50);
    assert_int_equal(s->told, 0);
    cause(s, "/a", "second", ERR_NONE);
    wait_told(s);
    assert_null(strstr(s->json, "\"first\""));
    assert_non_null(strstr(s->json, "\"second\""));
}

static void events_are_listed_behind_one_of_them_by_its_id(void **state)
{
    struct stage *s = *state;
    cause(s, "/a", "first", ERR_NONE);
    cause(s, "/a", "second", ERR_NONE);
    list(s, "first", 0);
    wait_told(s);
    assert_int_equal(s->err, ERR_NONE);
    assert_null(strstr(s->json, "\"first\""));
    assert_non_null(strstr(s->json, "\"second\""));
    list(s, "yesterday", 0);
    wait_told(s);
    assert_int_equal(s->err, ERR_ABSENT);
}

static void events_are_listed_by_a_filter(void **state)
{
    struct stage *s = *state;
    struct problem why = { 0 };
    scoped(json_doc) struct json_doc *doc = NULL;
    cause(s, "/a", "first", ERR_NONE);
    cause(s, "/b", "second", ERR_NONE);
    assert_int_equal(json_read(&doc, STR("{\"subjectEndsWith\":\"B\"}"), NULL), ERR_NONE);
    const struct events_query q = { .resource = s->w->us, .after = STR("all"), .filter = json_root(doc) };
    s->told = 0;
    assert_int_equal(events_list(s->ev, &q, on_listed, s, &why), ERR_NONE);
    wait_told(s);
    assert_null(strstr(s->json, "\"first\""));
    assert_non_null(strstr(s->json, "\"second\""));
}

static void old_events_go_by_the_product_clock_and_then_nobody_asks_in_circles(void **state)
{
    struct stage *s = *state;
    cause(s, "/a", "old", ERR_NONE);
    pass_time(s, 3 * DAY);
    cause(s, "/a", "young", ERR_NONE);
    pass_time(s, 5 * DAY);
    for (int i = 0; i < 5; i++)
        world_settle(s->w);
    list(s, "all", 0);
    wait_told(s);
    assert_null(strstr(s->json, "\"old\""));
    assert_non_null(strstr(s->json, "\"young\""));
    pass_time(s, 5 * DAY);
    for (int i = 0; i < 5; i++)
        world_settle(s->w);
    list(s, "all", MINUTE);
    size_t answers = 0;
    for (int i = 0; i < 20; i++) {
        inbox_wait(control_inbox(&s->w->control), 10);
        answers += inbox_drain(control_inbox(&s->w->control));
    }
    assert_int_equal(s->told, 0);
    assert_int_equal(answers, 1);                   /* nothing is left: one question, then patience */
}

static void a_question_under_way_outlives_the_module(void **state)
{
    struct stage *s = *state;
    cause(s, "/a", "e", ERR_NONE);
    list(s, "all", 0);
    list(s, "", MINUTE);
    assert_int_equal(s->told, 0);                   /* tear_down frees the module with both of them out */
}

static void on_replayed(void *arg, enum err err, size_t n)
{
    struct stage *s = arg;
    s->err = err;
    s->told++;
    s->key = n;
}

static void a_dead_callback_is_listed_with_its_id_and_sent_again_by_it(void **state)
{
    struct stage *s = *state;
    char id[GUID_SIZE];
    call_back(s, ids_next(s->w->control.ids), "https://app.example.net/a", "CallConnected");
    for (size_t i = 0; i < 6; i++) {                /* the first try and five more */
        courier_answer(s->w, &s->courier, i, 500);
        pass_time(s, 10 * US_PER_S);
    }
    assert_int_equal(s->courier.n, 6);
    s->told = 0;
    assert_int_equal(events_dead(s->ev, &(struct events_dead_query){ .limit = 10 }, on_listed, s), ERR_NONE);
    wait_told(s);
    const char *at = strstr(s->json, "\"eventId\":\"");
    assert_non_null(at);
    str_copyz(id, sizeof id, (struct str){ at + 11, GUID_SIZE - 1 });
    assert_non_null(strstr(s->courier.sent[0].body, id));
    assert_non_null(strstr(s->json, "callConnectionId"));
    struct events_replay_query q = { .resource = s->w->other, .id = str_of(id) };
    s->told = 0;
    assert_int_equal(events_replay(s->ev, &q, on_replayed, s), ERR_NONE);
    wait_told(s);
    assert_int_equal(s->err, ERR_ABSENT);           /* another's */
    q.resource = s->w->us;
    s->told = 0;
    assert_int_equal(events_replay(s->ev, &q, on_replayed, s), ERR_NONE);
    wait_told(s);
    assert_int_equal(s->key, 1);
    world_run(s->w, 50);                            /* its row is read again */
    assert_int_equal(s->courier.n, 7);
    assert_string_equal(s->courier.sent[6].body, s->courier.sent[0].body);
    assert_string_equal(s->courier.sent[6].url, s->courier.sent[0].url);
    courier_answer(s->w, &s->courier, 6, 200);
    s->told = 0;
    assert_int_equal(events_replay(s->ev, &q, on_replayed, s), ERR_NONE);
    wait_told(s);
    assert_int_equal(s->err, ERR_ABSENT);           /* acknowledged: it has gone */
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_endpoint_that_returns_the_code_is_subscribed),
        T(what_was_proved_is_active_after_a_restart),
        T(an_endpoint_without_the_code_awaits_its_validation_address),
        T(a_validation_address_is_good_for_ten_minutes),
        T(a_cloud_events_endpoint_allows_our_origin),
        T(a_cloud_events_endpoint_that_allows_another_origin_is_refused),
        T(an_endpoint_that_refuses_or_is_not_there_is_forgotten),
        T(a_full_courier_at_the_handshake_is_told_to_the_caller),
        T(what_cannot_be_an_endpoint_or_a_name_is_refused),
        T(unsubscribing_during_the_handshake_ends_it_when_the_answer_comes),
        T(an_event_leaves_after_its_commit_in_the_event_grid_schema),
        T(an_event_whose_commit_failed_is_forgotten),
        T(a_type_that_was_not_asked_for_is_not_delivered),
        T(an_event_that_its_filter_keeps_out_is_not_delivered),
        T(a_filter_is_the_same_after_a_restart),
        T(what_is_no_filter_is_not_subscribed),
        T(events_of_one_subject_leave_one_at_a_time_in_order),
        T(an_event_that_failed_twice_lets_its_successors_pass),
        T(an_event_is_tried_for_a_day_of_the_product_clock_and_then_dead),
        T(after_the_clock_moved_ahead_a_failed_event_is_still_tried_again),
        T(an_answer_that_cannot_get_better_is_the_last),
        T(what_a_full_line_gave_back_holds_up_nobody_and_is_no_try),
        T(what_a_full_courier_refused_is_offered_again_in_order),
        T(after_a_restart_the_undelivered_goes_again_with_its_id),
        T(after_a_restart_what_failed_waits_for_its_time),
        T(unsubscribing_ends_what_is_on_its_way_and_what_waits),
        T(what_was_written_before_an_end_and_is_safe_after_it_goes_nowhere),
        T(ten_thousand_waiting_deliveries_end_at_once),
        T(a_batch_may_be_dropped_when_the_module_has_gone),
        T(callbacks_of_a_call_leave_strictly_one_at_a_time),
        T(a_dead_callback_is_listed_with_its_id_and_sent_again_by_it),
        T(a_callback_undelivered_goes_again_after_a_restart),
        T(events_are_listed_and_the_next_one_awaited),
        T(events_are_listed_behind_one_of_them_by_its_id),
        T(events_are_listed_by_a_filter),
        T(old_events_go_by_the_product_clock_and_then_nobody_asks_in_circles),
        T(a_question_under_way_outlives_the_module),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
