#include "domain/requests.h"
#include "domain/explain/explain.h"
#include "store/requests.h"

#include "unit/cm.h"
#include "unit/domain/scripted.h"

struct stage {
    struct world    *w;
    struct requests *r;
    struct explain  *x;
    int              told;
    enum err         err;
    char             json[4096];
};

static int set_up(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    s->w = world_new();
    struct explain_conf conf = { .control = &s->w->control, .accounts = s->w->accounts };
    assert_int_equal(requests_new(&s->r, &s->w->control, 7 * DAY, 0), ERR_NONE);
    conf.requests = s->r;
    assert_int_equal(explain_new(&s->x, &conf), ERR_NONE);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    explain_free(s->x);
    requests_free(s->r);
    world_free(s->w);
    free(s);
    return 0;
}

static void all_kept(struct stage *s)
{
    assert_int_equal(requests_settle(s->r, calloc(1, sizeof(struct db_done))), ERR_NONE);
    world_settle(s->w);
}

static uint64_t keep(struct stage *s, uint64_t resource)
{
    struct problem why;
    problem_set(&why, ERR_RANGE, "BadRequest", "It cannot be.");
    problem_rule(&why, "SomeRule", "Do it otherwise.");
    uint64_t request = ids_next(s->w->control.ids);
    requests_keep(s->r, &(struct request_done){ .key = request, .resource = resource, .operation = "Sms_Send", .status = 400,
                                                .took_us = 1500 }, &why);
    inbox_drain(control_inbox(&s->w->control));
    return request;
}

static void on_json(void *arg, enum err err, struct str json)
{
    struct stage *s = arg;
    s->told++;
    s->err = err;
    str_copyz(s->json, sizeof s->json, json);
}

static enum err explain(struct stage *s, uint64_t resource, uint64_t request)
{
    struct problem why;
    char guid[GUID_SIZE];
    ids_guid(s->w->control.ids, ID_REQUEST, request, guid);
    s->told = 0;
    enum err err = explain_ask(s->x, resource, str_of(guid), on_json, s, &why);
    for (int i = 0; !err && i < 100 && !s->told; i++) {
        inbox_wait(control_inbox(&s->w->control), 100);
        inbox_drain(control_inbox(&s->w->control));
    }
    return err ? err : s->err;
}

static void a_refusal_is_explained_under_its_request_id(void **state)
{
    struct stage *s = *state;
    struct problem why;
    uint64_t request = keep(s, s->w->us);
    assert_int_equal(explain(s, s->w->us, request), ERR_NONE);
    const char *words[] = { "\"kind\":\"refusal\"", "Sms_Send", "It cannot be.", "SomeRule", "Do it otherwise.", "HTTP 400 after 1.500 ms" };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        assert_non_null(strstr(s->json, words[i]));
    assert_int_equal(explain(s, 0, request), ERR_NONE);
    assert_int_equal(explain(s, s->w->other, request), ERR_ABSENT);
    assert_int_equal(explain(s, 0, request + 1), ERR_ABSENT);
    assert_int_equal(explain_ask(s->x, 0, STR("nonsense"), on_json, s, &why), ERR_ABSENT);
}

static void a_flood_of_them_is_not_a_flood_of_writes(void **state)
{
    struct stage *s = *state;
    struct mono began = clock_mono();
    size_t kept = 0;
    uint64_t requests[1000];
    for (size_t i = 0; i < ARRAY_LEN(requests); i++)
        requests[i] = keep(s, s->w->us);
    int64_t seconds = (clock_mono().us - began.us) / US_PER_S + 2;
    for (size_t i = 0; i < ARRAY_LEN(requests); i += 10)
        kept += explain(s, 0, requests[i]) == ERR_NONE;
    assert_true(kept >= 20 && (int64_t)kept <= 20 * seconds);
}

static void they_are_kept_for_seven_days_of_the_product_clock(void **state)
{
    struct stage *s = *state;           /* whose clock is years behind the wall's, from which request ids are made */
    uint64_t old = keep(s, s->w->us);
    world_sleep(s->w, 6 * DAY);
    uint64_t young = keep(s, s->w->us);
    assert_int_equal(explain(s, 0, old), ERR_NONE);
    world_sleep(s->w, 2 * DAY);
    world_settle(s->w);                 /* the purge's slices */
    assert_int_equal(explain(s, 0, old), ERR_ABSENT);
    assert_int_equal(explain(s, 0, young), ERR_NONE);
}

static void after_the_clock_moved_ahead_new_ones_still_stay(void **state)
{
    struct stage *s = *state;
    world_sleep(s->w, 20000 * DAY);     /* far beyond the wall's clock */
    uint64_t request = keep(s, s->w->us);
    world_sleep(s->w, DAY);
    assert_int_equal(explain(s, 0, request), ERR_NONE);
}

static uint64_t changed(struct stage *s, uint64_t subject)
{
    uint64_t request = ids_next(s->w->control.ids);
    requests_keep(s->r, &(struct request_done){ .key = request, .resource = s->w->us, .operation = "Call_Play", .status = 202,
                                                .subject = subject }, &(struct problem){ 0 });
    inbox_drain(control_inbox(&s->w->control));
    return request;
}

static void what_was_just_done_is_explained_though_it_waits_for_its_neighbours(void **state)
{
    struct stage *s = *state;
    for (int i = 0; i < 20; i++) {
        uint64_t request = changed(s, 0);
        assert_int_equal(explain(s, 0, request), ERR_NONE);
        assert_non_null(strstr(s->json, "\"kind\":\"request\""));
    }
}

static int64_t rows_of(struct stage *s)
{
    int64_t n = 0;
    all_kept(s);
    assert_int_equal(request_rows_count(s->w->control.db, &n), ERR_NONE);
    return n;
}

static void there_are_never_many_more_than_there_may_be(void **state)
{
    struct stage *s = *state;
    requests_free(s->r);
    assert_int_equal(requests_new(&s->r, &s->w->control, 7 * DAY, 100), ERR_NONE);
    for (int i = 0; i < 300; i++) {
        changed(s, 0);
        if (i % 10 == 9)
            assert_in_range(rows_of(s), 1, 120);
    }
    assert_in_range(rows_of(s), 85, 120);
}

static void those_about_one_thing_are_found_by_it(void **state)
{
    struct stage *s = *state;
    scoped(db_rows) struct db_rows *rows = NULL;
    struct request_row row;
    uint64_t thing = ids_next(s->w->control.ids), first = changed(s, thing);
    for (int i = 0; i < 20; i++)
        changed(s, thing + 1);
    uint64_t second = changed(s, thing);
    all_kept(s);
    assert_int_equal(db_load(s->w->control.db, DB_REQUEST_ABOUT, (struct db_val[]){ DB_I(thing), DB_I(50) }, 2, &rows), ERR_NONE);
    assert_true(request_row_next(rows, &row) && row.key == first);
    assert_true(request_row_next(rows, &row) && row.key == second);
    assert_false(request_row_next(rows, &row));
}

static void a_question_under_way_outlives_the_module(void **state)
{
    struct stage *s = *state;
    char guid[GUID_SIZE];
    struct problem why;
    uint64_t request = keep(s, s->w->us);
    world_settle(s->w);
    ids_guid(s->w->control.ids, ID_REQUEST, request, guid);
    s->told = 0;
    assert_int_equal(explain_ask(s->x, 0, str_of(guid), on_json, s, &why), ERR_NONE);
    assert_int_equal(s->told, 0);       /* tear_down ends everything with its rows unread */
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_refusal_is_explained_under_its_request_id),
        T(a_flood_of_them_is_not_a_flood_of_writes),
        T(they_are_kept_for_seven_days_of_the_product_clock),
        T(after_the_clock_moved_ahead_new_ones_still_stay),
        T(there_are_never_many_more_than_there_may_be),
        T(what_was_just_done_is_explained_though_it_waits_for_its_neighbours),
        T(those_about_one_thing_are_found_by_it),
        T(a_question_under_way_outlives_the_module),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
