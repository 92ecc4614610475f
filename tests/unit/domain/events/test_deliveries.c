/* Batches, what fails in them, who wants what, settings, dead letters and replay: events with many deliveries. */
#include "domain/events/events_priv.h"
#include "base/crypto.h"

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
    uint64_t              key;
    int                   told;
    enum err              err;
    size_t                replayed;
    struct problem        why;
    char                  json[65536];
};

static void open_stage(struct stage *s)
{
    struct problem why = { 0 };
    s->w = world_new_at(tmp_file(&s->tmp, "carterfone.db"));
    assert_int_equal(events_new(&s->ev, &s->w->control, &courier_script_ops, &s->courier), ERR_NONE);
    assert_int_equal(events_load(s->ev, &why), ERR_NONE);
    events_resume(s->ev);
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
    events_free(s->ev);
    world_free(s->w);
    tmp_free(&s->tmp);
    free(s);
    return 0;
}

static void drain(struct stage *s)
{
    inbox_wait(control_inbox(&s->w->control), 10);
    inbox_drain(control_inbox(&s->w->control));
}

static void restart(struct stage *s)
{
    int64_t now = s->w->now_us;
    events_free(s->ev);
    world_free(s->w);
    s->courier.n = 0;
    open_stage(s);
    s->w->now_us = now;
    clock_freeze(s->w->control.clock, now);
    agenda_catch_up(s->w->control.agenda);
}

static void pass_time(struct stage *s, int64_t us)
{
    world_sleep(s->w, us);
    while (agenda_is_held(s->w->control.agenda))
        drain(s);
    world_settle(s->w);
}

static void wait_sent(struct stage *s, size_t n)
{
    for (int i = 0; i < 500 && s->courier.n < n; i++)
        drain(s);
    assert_int_equal(s->courier.n, n);
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

static void subscribed(struct stage *s, unsigned batch, bool cloud, const char *types, const char *settings)
{
    char body[128];
    struct problem why = { 0 };
    scoped(json_doc) struct json_doc *doc = NULL;
    assert_int_equal(json_read(&doc, str_of(settings), NULL), ERR_NONE);
    struct event_subscription_new n = { .resource = s->w->us, .url = STR(HOOK), .types = str_of(types), .cloud = cloud,
                                        .batch = batch, .settings = json_root(doc) };
    size_t i = s->courier.n;
    assert_int_equal(events_subscribe(s->ev, &n, on_subscribed, s, &why), ERR_NONE);
    world_settle(s->w);
    snprintf(body, sizeof body, "{\"validationResponse\":\"%.60s\"}", sent_member(&s->courier.sent[i], "validationCode"));
    courier_answer_as(s->w, &s->courier, i, ERR_NONE, 200, body, "*");
    assert_int_equal(s->err, ERR_NONE);
    s->courier.n = 0;
}

static void cause_of(struct stage *s, const char *subject, const char *id, const char *data)
{
    struct event_batch batch = { 0 };
    struct db_unit *u = db_unit_new();
    assert_int_equal(events_write(s->ev, u, &(struct event_new){ .resource = s->w->us, .type = STR(RECEIVED),
                                                                .subject = str_of(subject), .data = str_of(data),
                                                                .id = str_of(id) }, &batch), ERR_NONE);
    assert_int_equal(db_run(s->w->control.db, u), ERR_NONE);
    events_go(s->ev, &batch, ERR_NONE);
}

static void cause(struct stage *s, const char *subject, const char *id)
{
    cause_of(s, subject, id, "{\"n\":1}");
}

/* How many events a POST has. */
static size_t events_in(const struct sent *p)
{
    size_t n = 0;
    for (const char *at = p->body; (at = strstr(at, "\"id\":")); at++)
        n++;
    return n;
}

/* While the eight POSTs that a batching subscription may have at once are out, a hundred more wait. */
static void fill_line(struct stage *s, int n)
{
    char subject[32], id[32];
    for (int i = 0; i < 8; i++) {
        snprintf(subject, sizeof subject, "/first%d", i);
        cause(s, subject, subject);
    }
    assert_int_equal(s->courier.n, 8);
    for (int i = 0; i < n; i++) {
        snprintf(id, sizeof id, "e%03d", i);
        cause(s, "/a", id);
    }
    assert_int_equal(s->courier.n, 8);
}

/* -- batches ----------------------------------------------------------------------------------------------------------- */

static void what_waits_goes_together_up_to_the_batch_and_in_order(void **state)
{
    struct stage *s = *state;
    subscribed(s, 5, false, "", "{}");
    fill_line(s, 12);
    courier_answer(s->w, &s->courier, 0, 200);
    assert_int_equal(s->courier.n, 9);
    assert_int_equal(events_in(&s->courier.sent[8]), 5);
    const char *first = strstr(s->courier.sent[8].body, "e000"), *last = strstr(s->courier.sent[8].body, "e004");
    assert_true(first && last && first < last);
    courier_answer(s->w, &s->courier, 1, 200);
    assert_int_equal(s->courier.n, 9);              /* one run of a subject at a time */
    courier_answer(s->w, &s->courier, 8, 200);
    assert_non_null(strstr(s->courier.sent[9].body, "e005"));
    courier_answer(s->w, &s->courier, 9, 200);
    assert_int_equal(events_in(&s->courier.sent[10]), 2);
}

static void a_batch_of_cloud_events_is_an_array_of_its_own_media_type(void **state)
{
    struct stage *s = *state;
    subscribed(s, 5, true, "", "{}");
    cause(s, "/a", "one");
    assert_string_equal(s->courier.sent[0].headers[0], "Content-Type: application/cloudevents-batch+json; charset=utf-8");
    assert_int_equal(s->courier.sent[0].body[0], '[');
}

static void of_a_batch_that_was_refused_each_goes_alone_and_the_poison_alone_stays_behind(void **state)
{
    struct stage *s = *state;
    subscribed(s, 100, false, "", "{}");
    fill_line(s, 3);
    courier_answer(s->w, &s->courier, 0, 200);
    assert_int_equal(events_in(&s->courier.sent[8]), 3);
    courier_answer(s->w, &s->courier, 8, 400);      /* not final: it may be about one of them */
    pass_time(s, 12 * SECOND);
    wait_sent(s, 10);
    assert_int_equal(events_in(&s->courier.sent[9]), 1);
    assert_non_null(strstr(s->courier.sent[9].body, "e000"));
    courier_answer(s->w, &s->courier, 9, 200);
    wait_sent(s, 11);
    assert_non_null(strstr(s->courier.sent[10].body, "e001"));
    courier_answer(s->w, &s->courier, 10, 500);     /* the poison: it failed twice and leaves the line */
    wait_sent(s, 12);
    assert_non_null(strstr(s->courier.sent[11].body, "e002"));
    courier_answer(s->w, &s->courier, 11, 200);
    pass_time(s, 34 * SECOND);
    wait_sent(s, 13);
    assert_non_null(strstr(s->courier.sent[12].body, "e001"));
}

static void what_nobody_answered_goes_in_batches_again(void **state)
{
    struct stage *s = *state;
    subscribed(s, 100, false, "", "{}");
    fill_line(s, 3);
    courier_answer(s->w, &s->courier, 0, 200);
    courier_answer_as(s->w, &s->courier, 8, ERR_TIMEOUT, 0, "", "");
    pass_time(s, 12 * SECOND);
    wait_sent(s, 10);
    assert_int_equal(events_in(&s->courier.sent[9]), 3);
    courier_answer_as(s->w, &s->courier, 9, ERR_IO, 0, "", "");
    pass_time(s, 34 * SECOND);                      /* out of line now, and together still */
    wait_sent(s, 11);
    assert_int_equal(events_in(&s->courier.sent[10]), 3);
    restart(s);
    wait_sent(s, 2);                                /* these, and the seven of the first eight that nobody acknowledged */
    assert_int_equal(events_in(&s->courier.sent[0]) + events_in(&s->courier.sent[1]), 10);
}

static void a_post_is_at_most_a_mebibyte(void **state)
{
    struct stage *s = *state;
    static char data[300 * 1024];
    snprintf(data, sizeof data, "{\"m\":\"%0*d\"}", (int)sizeof data - 16, 7);
    subscribed(s, 100, false, "", "{}");
    fill_line(s, 0);
    for (int i = 0; i < 5; i++)
        cause_of(s, "/a", "big", data);
    courier_answer(s->w, &s->courier, 0, 200);
    assert_int_equal(s->courier.n, 9);
    courier_answer(s->w, &s->courier, 8, 200);
    wait_sent(s, 10);                               /* three, then the two that had no room */
    courier_answer(s->w, &s->courier, 9, 200);
    assert_int_equal(s->courier.n, 10);
}

static void after_a_restart_a_backlog_leaves_in_order_from_its_rows(void **state)
{
    struct stage *s = *state;
    subscribed(s, 10, false, "", "{}");
    fill_line(s, 30);
    restart(s);
    wait_sent(s, 1);                                /* eight subjects and two of the ninth, whose others wait for these */
    assert_int_equal(events_in(&s->courier.sent[0]), 10);
    assert_non_null(strstr(s->courier.sent[0].body, "e001"));
    courier_answer(s->w, &s->courier, 0, 200);
    wait_sent(s, 2);
    assert_int_equal(events_in(&s->courier.sent[1]), 10);
    assert_non_null(strstr(s->courier.sent[1].body, "e002"));
}

/* -- who wants what ---------------------------------------------------------------------------------------------------- */

static void every_subscription_of_the_type_gets_its_copy_and_no_other(void **state)
{
    struct stage *s = *state;
    subscribed(s, 1, false, RECEIVED "," RECEIVED, "{}");
    subscribed(s, 1, false, "", "{}");
    subscribed(s, 1, false, "Microsoft.Communication.IncomingCall", "{}");
    cause(s, "/a", "one");
    assert_int_equal(s->courier.n, 2);
}

static void a_change_is_what_the_next_event_meets(void **state)
{
    struct stage *s = *state;
    struct problem why = { 0 };
    const struct str types = STR("Microsoft.Communication.IncomingCall");
    subscribed(s, 1, false, "", "{}");
    const struct event_subscription_change to_calls = { .types = &types, .batch = 3 };
    assert_int_equal(events_change(s->ev, s->key, &to_calls, on_changed, s, &why), ERR_NONE);
    world_settle(s->w);
    cause(s, "/a", "one");
    assert_int_equal(s->courier.n, 0);
    restart(s);
    cause(s, "/a", "two");
    assert_int_equal(s->courier.n, 0);
    const struct event_subscription_change too_many = { .batch = 101 };
    assert_int_equal(events_change(s->ev, s->key, &too_many, on_changed, s, &why), ERR_RANGE);
    assert_string_equal(why.target, "batch");
    assert_int_equal(events_change(s->ev, 1, &to_calls, on_changed, s, &why), ERR_ABSENT);
}

static void a_change_under_way_outlives_the_module(void **state)
{
    struct stage *s = *state;
    struct problem why = { 0 };
    const struct str types = STR("Microsoft.Communication.IncomingCall");
    subscribed(s, 1, false, "", "{\"subjectBeginsWith\":\"/a\"}");
    const struct event_subscription_change change = { .types = &types };
    assert_int_equal(events_change(s->ev, s->key, &change, on_changed, s, &why), ERR_NONE);
}                                                   /* tear_down frees the module with it on its way */

/* -- settings ------------------------------------------------------------------------------------------------------------ */

static const char *header(const struct sent *p, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(p->headers); i++)
        if (!strncmp(p->headers[i], name, strlen(name)))
            return p->headers[i] + strlen(name);
    return NULL;
}

static void a_delivery_is_signed_over_what_is_sent(void **state)
{
    struct stage *s = *state;
    uint8_t mac[32];
    char text[5000], base64[BASE64_SIZE(sizeof mac)];
    subscribed(s, 1, false, "", "{\"hmacKey\":\"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\",\"bearerToken\":\"t\",\"deliveryHeaders\":{\"X-A\":\"b\"}}");
    restart(s);
    cause(s, "/a", "one");
    const struct sent *p = &s->courier.sent[0];
    snprintf(text, sizeof text, "%s.%s.%s", header(p, "webhook-id: "), header(p, "webhook-timestamp: "), p->body);
    hmac_sha256(mac, "012345678901234567890123", 24, str_of(text));
    base64_write(base64, mac, sizeof mac);
    assert_string_equal(header(p, "webhook-signature: v1,"), base64);
    assert_string_equal(header(p, "Authorization: "), "Bearer t");
    assert_string_equal(header(p, "X-A: "), "b");
}

static void settings_that_would_break_a_request_are_refused(void **state)
{
    struct stage *s = *state;
    static const char *const bad[][2] = {
        { "{\"hmacKey\":\"whsec_c2hvcnQ=\"}", "hmacKey" },
        { "{\"hmacKey\":\"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\"}", "hmacKey" },
        { "{\"bearerToken\":\"a b\"}", "bearerToken" },
        { "{\"bearerToken\":\"a\\r\\nX: y\"}", "bearerToken" },
        { "{\"deliveryHeaders\":{\"Content-Length\":\"1\"}}", "deliveryHeaders" },
        { "{\"deliveryHeaders\":{\"Webhook-Signature\":\"1\"}}", "deliveryHeaders" },
        { "{\"deliveryHeaders\":{\"X Y\":\"1\"}}", "deliveryHeaders" },
        { "{\"deliveryHeaders\":{\"X\":\"1\\n2\"}}", "deliveryHeaders" },
        { "{\"deliveryHeaders\":{\"a\":\"1\",\"b\":\"1\",\"c\":\"1\",\"d\":\"1\",\"e\":\"1\",\"f\":\"1\"}}", "deliveryHeaders" },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct problem why = { 0 };
        scoped(json_doc) struct json_doc *doc = NULL;
        assert_int_equal(json_read(&doc, str_of(bad[i][0]), NULL), ERR_NONE);
        struct event_subscription_new n = { .resource = s->w->us, .url = STR(HOOK), .settings = json_root(doc) };
        assert_int_equal(events_subscribe(s->ev, &n, on_subscribed, s, &why), ERR_RANGE);
        assert_string_equal(why.target, bad[i][1]);
    }
}

/* -- dead letters, replay ------------------------------------------------------------------------------------------------ */

static void on_json(void *arg, enum err err, struct str json)
{
    struct stage *s = arg;
    s->told++;
    s->err = err;
    str_copyz(s->json, sizeof s->json, json);
}

static void on_replayed(void *arg, enum err err, size_t n)
{
    struct stage *s = arg;
    s->told++;
    s->err = err;
    s->replayed = n;
}

static void wait_told(struct stage *s)
{
    for (int i = 0; i < 500 && !s->told; i++)
        drain(s);
    assert_int_equal(s->told, 1);
}

static void dead(struct stage *s, uint64_t before, size_t limit)
{
    s->told = 0;
    const struct events_dead_query q = { .resource = s->w->us, .before = before, .limit = limit };
    assert_int_equal(events_dead(s->ev, &q, on_json, s), ERR_NONE);
    wait_told(s);
}

static void replay(struct stage *s, struct events_replay_query q)
{
    s->told = 0;
    assert_int_equal(events_replay(s->ev, &q, on_replayed, s), ERR_NONE);
    wait_told(s);
}

static void dead_letters_are_listed_newest_first_page_by_page_and_sent_again_in_order(void **state)
{
    struct stage *s = *state;
    char id[32];
    subscribed(s, 1, false, "", "{}");
    for (size_t i = 0; i < 5; i++) {
        snprintf(id, sizeof id, "dead-%zu", i);
        cause(s, "/a", id);
        courier_answer(s->w, &s->courier, i, 403);
    }
    dead(s, 0, 3);
    assert_non_null(strstr(s->json, "dead-4"));
    assert_null(strstr(s->json, "dead-1"));
    assert_non_null(strstr(s->json, "\"deadLetterReason\":\"NotRetriable\""));
    assert_non_null(strstr(s->json, "\"lastDeliveryOutcome\":\"HTTP 403\""));
    const char *next = strstr(s->json, "\"nextLink\":\"");
    assert_non_null(next);
    dead(s, strtoull(next + 12, NULL, 10), 3);
    assert_non_null(strstr(s->json, "dead-1"));
    assert_null(strstr(s->json, "dead-4"));
    assert_null(strstr(s->json, "nextLink"));
    replay(s, (struct events_replay_query){ .subscription = s->key, .dead = true, .until_us = INT64_MAX });
    assert_int_equal(s->replayed, 5);
    for (size_t i = 0; i < 5; i++) {
        wait_sent(s, 6 + i);
        snprintf(id, sizeof id, "dead-%zu", i);
        assert_string_equal(sent_member(&s->courier.sent[5 + i], "id"), id);
        courier_answer(s->w, &s->courier, 5 + i, 200);
    }
    dead(s, 0, 3);
    assert_string_equal(s->json, "{\"value\":[]}");
}

static void a_replayed_letter_is_tried_for_another_day(void **state)
{
    struct stage *s = *state;
    subscribed(s, 1, false, "", "{}");
    cause(s, "/a", "one");
    courier_answer(s->w, &s->courier, 0, 401);
    pass_time(s, 2 * DAY);
    replay(s, (struct events_replay_query){ .id = STR("one") });
    assert_int_equal(s->replayed, 1);
    wait_sent(s, 2);
    courier_answer(s->w, &s->courier, 1, 500);
    pass_time(s, 12 * SECOND);
    wait_sent(s, 3);
}

static void events_of_a_time_go_again_but_not_what_is_on_its_way(void **state)
{
    struct stage *s = *state;
    subscribed(s, 1, false, "", "{}");
    cause(s, "/a", "early");
    courier_answer(s->w, &s->courier, 0, 200);
    pass_time(s, 60 * SECOND);
    int64_t since = s->w->now_us;
    cause(s, "/a", "late");
    courier_answer(s->w, &s->courier, 1, 200);
    cause(s, "/b", "under way");
    assert_int_equal(s->courier.n, 3);
    replay(s, (struct events_replay_query){ .subscription = s->key, .since_us = since, .until_us = INT64_MAX });
    assert_int_equal(s->replayed, 1);
    wait_sent(s, 4);
    assert_string_equal(sent_member(&s->courier.sent[3], "id"), "late");
    replay(s, (struct events_replay_query){ .id = STR("nobody knows it") });
    assert_int_equal(s->err, ERR_ABSENT);
    replay(s, (struct events_replay_query){ .id = STR("early"), .resource = s->w->other });
    assert_int_equal(s->err, ERR_ABSENT);
}

static void an_event_shows_its_tries_and_where_it_waits(void **state)
{
    struct stage *s = *state;
    subscribed(s, 1, false, "", "{}");
    cause(s, "/a", "one");
    courier_answer_as(s->w, &s->courier, 0, ERR_NONE, 503, "come\r\nback  later\x01", "");
    s->told = 0;
    assert_int_equal(events_show(s->ev, STR("one"), s->w->us, on_json, s), ERR_NONE);
    wait_told(s);
    assert_non_null(strstr(s->json, "\"state\":\"retrying\""));
    assert_non_null(strstr(s->json, "\"httpStatus\":503,\"answer\":\"comeback later\""));
    s->told = 0;
    assert_int_equal(events_show(s->ev, STR("one"), s->w->other, on_json, s), ERR_NONE);
    wait_told(s);
    assert_int_equal(s->err, ERR_ABSENT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_waits_goes_together_up_to_the_batch_and_in_order),
        T(a_batch_of_cloud_events_is_an_array_of_its_own_media_type),
        T(of_a_batch_that_was_refused_each_goes_alone_and_the_poison_alone_stays_behind),
        T(what_nobody_answered_goes_in_batches_again),
        T(a_post_is_at_most_a_mebibyte),
        T(after_a_restart_a_backlog_leaves_in_order_from_its_rows),
        T(every_subscription_of_the_type_gets_its_copy_and_no_other),
        T(a_change_is_what_the_next_event_meets),
        T(a_change_under_way_outlives_the_module),
        T(a_delivery_is_signed_over_what_is_sent),
        T(settings_that_would_break_a_request_are_refused),
        T(dead_letters_are_listed_newest_first_page_by_page_and_sent_again_in_order),
        T(a_replayed_letter_is_tried_for_another_day),
        T(events_of_a_time_go_again_but_not_what_is_on_its_way),
        T(an_event_shows_its_tries_and_where_it_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
