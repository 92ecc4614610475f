#include "domain/messages/routes.h"
#include "base/str.h"
#include "unit/cm.h"

#include <stdio.h>

static struct sms_route route(const char *name, const char *prefix, const char *carrier)
{
    struct sms_route r = { .weight = 1, .priority = ROUTE_PRIORITY };
    str_copyz(r.name, sizeof r.name, str_of(name));
    str_copyz(r.prefix, sizeof r.prefix, str_of(prefix));
    str_copyz(r.carrier, sizeof r.carrier, str_of(carrier));
    return r;
}

static void put(struct routes *r, struct sms_route one)
{
    assert_int_equal(routes_put(r, &one), ERR_NONE);
}

/* The carriers in order: "a b c". */
static const char *order_for(const struct routes *r, const char *from, const char *to)
{
    static char words[512];
    const struct sms_route *out[16];
    const struct route_ask ask = { .from = str_of(from), .to = str_of(to) };
    size_t n = routes_match(r, &ask, out, ARRAY_LEN(out));
    words[0] = '\0';
    for (size_t i = 0; i < n; i++)
        snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s", i ? " " : "", out[i]->carrier);
    return words;
}

static void the_longest_prefix_comes_first_and_the_rest_follow(void **state)
{
    (void)state;
    scoped(routes) struct routes *r = routes_new();
    put(r, route("any", "", "world"));
    put(r, route("us", "1", "america"));
    put(r, route("seattle", "1206", "coast"));
    assert_string_equal(order_for(r, "+18335550100", "+12065550123"), "coast america world");
    assert_string_equal(order_for(r, "+18335550100", "+13105550123"), "america world");
    assert_string_equal(order_for(r, "+18335550100", "+442071838750"), "world");
}

static void priority_goes_before_prefix_and_cost_behind_it(void **state)
{
    (void)state;
    scoped(routes) struct routes *r = routes_new();
    struct sms_route dear = route("dear", "1", "dear"), cheap = route("cheap", "1", "cheap"), first = route("first", "", "first");
    dear.cost_micro = 9000;
    cheap.cost_micro = 4000;
    first.priority = 1;
    put(r, dear);
    put(r, cheap);
    put(r, first);
    assert_string_equal(order_for(r, "x", "+12065550123"), "first cheap dear");
}

static void a_sender_is_told_whole_or_by_its_beginning(void **state)
{
    (void)state;
    scoped(routes) struct routes *r = routes_new();
    struct sms_route one = route("one", "", "one"), some = route("some", "", "some");
    strcpy(one.sender, "+18335550100");
    strcpy(some.sender, "+1833*");
    one.priority = 1;
    put(r, one);
    put(r, some);
    assert_string_equal(order_for(r, "+18335550100", "+12065550123"), "one some");
    assert_string_equal(order_for(r, "+18335550101", "+12065550123"), "some");
    assert_string_equal(order_for(r, "+18445550100", "+12065550123"), "");
}

static bool has_gold(void *arg, const char *pool)
{
    ++*(int *)arg;
    return strcmp(pool, "gold") == 0;
}

static void a_pool_is_asked_only_where_it_decides(void **state)
{
    (void)state;
    scoped(routes) struct routes *r = routes_new();
    struct sms_route gold = route("gold", "1", "gold"), tin = route("tin", "1", "tin");
    strcpy(gold.pool, "gold");
    strcpy(tin.pool, "tin");
    put(r, gold);
    put(r, tin);
    int asked = 0;
    const struct sms_route *out[4];
    struct route_ask ask = { STR("+18335550100"), STR("+12065550123"), has_gold, &asked };
    assert_int_equal(routes_match(r, &ask, out, 4), 1);
    assert_string_equal(out[0]->name, "gold");
    assert_int_equal(asked, 2);
    ask.to = STR("+442071838750");
    assert_int_equal(routes_match(r, &ask, out, 4), 0);
    assert_int_equal(asked, 2);
}

enum { PAIRS = 20000 };

static int first_of(const struct routes *r, int i)
{
    char to[24];
    snprintf(to, sizeof to, "+1206%07d", i);
    return order_for(r, "+18335550100", to)[0];
}

static void weights_are_shares_and_a_pair_keeps_its_own(void **state)
{
    (void)state;
    scoped(routes) struct routes *r = routes_new();
    struct sms_route a = route("a", "1", "a"), b = route("b", "1", "b"), c = route("c", "1", "c");
    static char was[PAIRS];
    int count[3] = { 0 };
    a.weight = 6, b.weight = 3, c.weight = 1;
    put(r, a);
    put(r, b);
    put(r, c);
    for (int i = 0; i < PAIRS; i++)
        count[(was[i] = (char)first_of(r, i)) - 'a']++;
    assert_in_range(count[0], PAIRS * 58 / 100, PAIRS * 62 / 100);
    assert_in_range(count[1], PAIRS * 28 / 100, PAIRS * 32 / 100);
    assert_in_range(count[2], PAIRS * 8 / 100, PAIRS * 12 / 100);
    /* the order in which they were told changes nothing */
    routes_take(r, STR("a"));
    put(r, a);
    for (int i = 0; i < PAIRS; i += 7)
        assert_int_equal(first_of(r, i), was[i]);
    /* one that goes is missed by its own pairs alone */
    routes_take(r, STR("b"));
    for (int i = 0; i < PAIRS; i++)
        if (was[i] != 'b')
            assert_int_equal(first_of(r, i), was[i]);
}

static void a_carrier_of_two_routes_is_there_once(void **state)
{
    (void)state;
    scoped(routes) struct routes *r = routes_new();
    put(r, route("us", "1", "acme"));
    put(r, route("any", "", "acme"));
    put(r, route("spare", "", "beta"));
    assert_string_equal(order_for(r, "x", "+12065550123")[0] == 'a' ? "ok" : "no", "ok");
    const struct sms_route *out[16];
    const struct route_ask ask = { .from = STR("x"), .to = STR("+12065550123") };
    assert_int_equal(routes_match(r, &ask, out, 16), 2);
}

static void a_route_of_the_same_name_takes_the_place(void **state)
{
    (void)state;
    scoped(routes) struct routes *r = routes_new();
    put(r, route("us", "1", "acme"));
    put(r, route("us", "44", "beta"));
    assert_int_equal(routes_count(r), 1);
    assert_string_equal(routes_find(r, STR("us"))->carrier, "beta");
    assert_null(routes_find(r, STR("uk")));
    assert_string_equal(routes_at(r, 0)->prefix, "44");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_prefix_comes_first_and_the_rest_follow),
        cmocka_unit_test(priority_goes_before_prefix_and_cost_behind_it),
        cmocka_unit_test(a_sender_is_told_whole_or_by_its_beginning),
        cmocka_unit_test(a_pool_is_asked_only_where_it_decides),
        cmocka_unit_test(weights_are_shares_and_a_pair_keeps_its_own),
        cmocka_unit_test(a_carrier_of_two_routes_is_there_once),
        cmocka_unit_test(a_route_of_the_same_name_takes_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
