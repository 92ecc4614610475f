#include "domain/refusals.h"

#include "unit/cm.h"
#include "unit/domain/scripted.h"

struct stage {
    struct world    *w;
    struct refusals *r;
    int              told;
    enum err         err;
    char             json[4096];
};

static int set_up(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    s->w = world_new();
    assert_int_equal(refusals_new(&s->r, &s->w->control), ERR_NONE);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    refusals_free(s->r);
    world_free(s->w);
    free(s);
    return 0;
}

static uint64_t keep(struct stage *s, uint64_t resource)
{
    struct problem why;
    problem_set(&why, ERR_RANGE, "BadRequest", "It cannot be.");
    problem_rule(&why, "SomeRule", "Do it otherwise.");
    uint64_t request = ids_next(s->w->control.ids);
    refusals_keep(s->r, request, resource, "Sms_Send", 400, &why);
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
    char guid[GUID_SIZE];
    ids_guid(s->w->control.ids, ID_REQUEST, request, guid);
    world_settle(s->w);
    s->told = 0;
    enum err err = refusals_explain(s->r, resource, str_of(guid), on_json, s);
    for (int i = 0; !err && i < 100 && !s->told; i++) {
        inbox_wait(control_inbox(&s->w->control), 100);
        inbox_drain(control_inbox(&s->w->control));
    }
    return err ? err : s->err;
}

static void a_refusal_is_explained_under_its_request_id(void **state)
{
    struct stage *s = *state;
    uint64_t request = keep(s, s->w->us);
    assert_int_equal(explain(s, s->w->us, request), ERR_NONE);
    const char *words[] = { "\"kind\":\"refusal\"", "Sms_Send", "It cannot be.", "SomeRule", "Do it otherwise.", "HTTP 400" };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        assert_non_null(strstr(s->json, words[i]));
    assert_int_equal(explain(s, 0, request), ERR_NONE);
    assert_int_equal(explain(s, s->w->other, request), ERR_ABSENT);
    assert_int_equal(explain(s, 0, request + 1), ERR_ABSENT);
    assert_int_equal(refusals_explain(s->r, 0, STR("nonsense"), on_json, s), ERR_ABSENT);
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

static void a_question_under_way_outlives_the_module(void **state)
{
    struct stage *s = *state;
    char guid[GUID_SIZE];
    uint64_t request = keep(s, s->w->us);
    world_settle(s->w);
    ids_guid(s->w->control.ids, ID_REQUEST, request, guid);
    s->told = 0;
    assert_int_equal(refusals_explain(s->r, 0, str_of(guid), on_json, s), ERR_NONE);
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
        T(a_question_under_way_outlives_the_module),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
