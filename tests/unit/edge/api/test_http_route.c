#include "base/arena.h"
#include "base/str.h"
#include "edge/api/http_route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

struct bench {
    struct arena       *arena;
    struct http_router *router;
    struct http_match   m;
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    b->arena = arena_new();
    assert_int_equal(http_router_new(&b->router, http_route_tables), ERR_NONE);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    arena_free(b->arena);
    http_router_free(b->router);
    free(b);
    return 0;
}

static enum err find(struct bench *b, const char *method, const char *path)
{
    return http_router_find(b->router, method, str_of(path), b->arena, &b->m);
}

static void expect(struct bench *b, const char *method, const char *path, const char *operation, const char *param)
{
    assert_int_equal(find(b, method, path), ERR_NONE);
    assert_string_equal(b->m.route->operation, operation);
    assert_string_equal(b->m.params[0].p ? b->m.params[0].p : "", param);
}

static void paths_find_their_operations(void **state)
{
    struct bench *b = *state;
    expect(b, "GET", "/phoneNumbers", "PhoneNumbers_ListPhoneNumbers", "");
    expect(b, "GET", "/phoneNumbers/%2B18005550004", "PhoneNumbers_GetByNumber", "+18005550004");
    expect(b, "GET", "/phoneNumbers/+18005550004", "PhoneNumbers_GetByNumber", "+18005550004");
    expect(b, "GET", "/phoneNumbers/operations/search_1", "PhoneNumbers_GetOperation", "search_1");
    expect(b, "POST", "/availablePhoneNumbers/countries/US/:search", "PhoneNumbers_SearchAvailablePhoneNumbers", "US");
    expect(b, "POST", "/availablePhoneNumbers/:purchase", "PhoneNumbers_PurchasePhoneNumbers", "");
    expect(b, "POST", "/sms/optouts:add", "OptOuts_Add", "");
    expect(b, "POST", "/calling/callConnections:answer", "AnswerCall", "");
    expect(b, "GET", "/healthz", "Carterfone_Health", "");
}

static void verbs_are_cut_off_before_anything_is_decoded(void **state)
{
    struct bench *b = *state;
    expect(b, "POST", "/calling/callConnections/ab-1:play", "CallMedia_Play", "ab-1");
    expect(b, "GET", "/calling/callConnections/ab-1", "CallConnection_GetCall", "ab-1");
    expect(b, "POST", "/calling/callConnections/a%3Aplay:hold", "CallMedia_Hold", "a:play");
    expect(b, "DELETE", "/calling/callConnections/a%3Aplay", "CallConnection_HangupCall", "a:play");
    expect(b, "DELETE", "/identities/8%3Aacs%3A1_2", "IdentityOperations_Delete", "8:acs:1_2");
    expect(b, "DELETE", "/identities/8:acs:1_2", "IdentityOperations_Delete", "8:acs:1_2");
    expect(b, "POST", "/identities/8:acs:1_2/:issueAccessToken", "IdentityOperations_IssueAccessToken", "8:acs:1_2");
}

static void several_parameters_come_in_order(void **state)
{
    struct bench *b = *state;
    expect(b, "GET", "/calling/callConnections/c1/participants/4%3A%2B1", "CallConnection_GetParticipant", "c1");
    assert_string_equal(b->m.params[1].p, "4:+1");
}

static void an_unknown_path_and_another_method_differ(void **state)
{
    struct bench *b = *state;
    static const char *const nowhere[] = { "/nope", "/", "", "*", "phoneNumbers", "/phoneNumbers/", "//", "/sms/x",
                                           "/calling/callConnections/:play",
                                           "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r" };
    for (size_t i = 0; i < ARRAY_LEN(nowhere); i++)
        assert_int_equal(find(b, "GET", nowhere[i]), ERR_ABSENT);
    assert_int_equal(find(b, "PUT", "/sip"), ERR_METHOD);
    assert_string_equal(b->m.allow, "GET, HEAD, PATCH, OPTIONS");
    assert_int_equal(find(b, "GET", "/calling/callConnections/c1:terminate"), ERR_METHOD);
    assert_string_equal(b->m.allow, "POST, OPTIONS");
    assert_int_equal(find(b, "HEAD", "/sip"), ERR_NONE);
}

static void bad_escapes_are_refused(void **state)
{
    struct bench *b = *state;
    static const char *const bad[] = { "/phoneNumbers/%", "/phoneNumbers/%2", "/phoneNumbers/%zz", "/phoneNumbers/%00",
                                       "/phoneNumbers/%ff", "/phoneNumbers/%c0%80", "/phoneNumbers/%ed%a0%80" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(find(b, "GET", bad[i]), ERR_SYNTAX);
}

static void query_parameters_are_form_decoded(void **state)
{
    struct bench *b = *state;
    struct str v, q = STR("skip=0&locality=San%20Jose&other=San+Jose&flag&%61pi=1&a=%2B1&a=2&=x");
    assert_int_equal(http_query_find(b->arena, q, STR("locality"), &v), ERR_NONE);
    assert_string_equal(v.p, "San Jose");
    assert_int_equal(http_query_find(b->arena, q, STR("other"), &v), ERR_NONE);
    assert_string_equal(v.p, "San Jose");
    assert_int_equal(http_query_find(b->arena, q, STR("flag"), &v), ERR_NONE);
    assert_int_equal(v.n, 0);
    assert_int_equal(http_query_find(b->arena, q, STR("api"), &v), ERR_NONE);
    assert_string_equal(v.p, "1");
    assert_int_equal(http_query_find(b->arena, q, STR("a"), &v), ERR_NONE);
    assert_string_equal(v.p, "+1");
    assert_int_equal(http_query_find(b->arena, q, STR("absent"), &v), ERR_ABSENT);
}

/* Each route of each table must be the one found for its own path: no pattern hides another. */
static void every_route_is_reachable(void **state)
{
    struct bench *b = *state;
    size_t n = 0;
    for (size_t t = 0; http_route_tables[t]; t++)
        for (const struct http_route *r = http_route_tables[t]; r->method; r++, n++) {
            char path[256], *to = path;
            for (const char *p = r->path; *p; p++) {
                if (*p == '{') {
                    *to++ = 'x';
                    p = strchr(p, '}');
                } else {
                    *to++ = *p;
                }
            }
            *to = '\0';
            assert_int_equal(find(b, r->method, path), ERR_NONE);
            assert_ptr_equal(b->m.route, r);
        }
    assert_true(n > 90);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(paths_find_their_operations), T(verbs_are_cut_off_before_anything_is_decoded),
        T(several_parameters_come_in_order), T(an_unknown_path_and_another_method_differ), T(bad_escapes_are_refused),
        T(query_parameters_are_form_decoded), T(every_route_is_reachable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
