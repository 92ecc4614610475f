/* Merging and its rules, without a server. tests/api/sip-routing.test.mjs shows the same through the SDK. */
#include "domain/directrouting/sip_config.h"
#include "base/str.h"
#include "unit/cm.h"

static const struct sip_config nothing;
static struct arena *a;
static struct problem why;

static int set_up(void **state)
{
    (void)state;
    a = arena_new();
    return !a;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static enum err merge(struct sip_config **out, const struct sip_config *base, const char *json)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    struct sip_patch *patch;
    why = (struct problem){ 0 };
    assert_int_equal(json_read(&doc, str_of(json), &why), ERR_NONE);
    enum err err = sip_patch_read(&patch, json_root(doc), true, a, &why);
    return err ? err : sip_config_merge(out, base, patch, a, &why);
}

static struct sip_config *made(const struct sip_config *base, const char *json)
{
    struct sip_config *c = NULL;
    if (merge(&c, base, json))
        fail_msg("%s: %s %s", json, why.text, why.suggestion);
    return c;
}

static void assert_written(const struct sip_config *c, bool newer, bool health, const char *want)
{
    scoped_buf out = { 0 };
    struct jw w = jw_of(&out);
    sip_config_write(c, &w, newer, health);
    assert_str(buf_str(&out), want);
}

#define TWO "{\"trunks\":{\"b.x.com\":{\"sipSignalingPort\":5061},\"a.x.com\":{\"sipSignalingPort\":5062}}," \
            "\"routes\":[{\"name\":\"z\",\"numberPattern\":\"^+1\",\"trunks\":[\"a.x.com\",\"b.x.com\"]}," \
            "{\"description\":\"d\",\"name\":\"a\",\"numberPattern\":\"^+[1-9][0-9]{3,23}$\"}]}"

static void order_is_kept_and_empty_lists_are_shown(void **state)
{
    (void)state;
    assert_written(&nothing, false, false, "{\"trunks\":{},\"routes\":[]}");
    assert_written(made(&nothing, TWO), false, false,
                   "{\"trunks\":{\"b.x.com\":{\"sipSignalingPort\":5061},\"a.x.com\":{\"sipSignalingPort\":5062}},"
                   "\"routes\":[{\"name\":\"z\",\"numberPattern\":\"^+1\",\"trunks\":[\"a.x.com\",\"b.x.com\"]},"
                   "{\"description\":\"d\",\"name\":\"a\",\"numberPattern\":\"^+[1-9][0-9]{3,23}$\",\"trunks\":[]}]}");
}

static void trunks_merge_and_routes_are_replaced(void **state)
{
    (void)state;
    const struct sip_config *c = made(&nothing, TWO);
    assert_written(made(c, "{\"trunks\":{\"c.x.com\":{\"sipSignalingPort\":1},\"B.x.com\":{\"sipSignalingPort\":9},"
                           "\"absent.x.com\":null,\"a.x.com\":null},\"routes\":[]}"), false, false,
                   "{\"trunks\":{\"B.x.com\":{\"sipSignalingPort\":9},\"c.x.com\":{\"sipSignalingPort\":1}},\"routes\":[]}");
    assert_int_equal(made(c, "{}")->n_routes, 2);
    assert_int_equal(made(c, "{\"trunks\":null,\"routes\":null,\"newer\":1}")->n_trunks, 2);
}

static void the_preview_has_domains_and_health(void **state)
{
    (void)state;
    const struct sip_config *c = made(&nothing, "{\"domains\":{\"x.com\":{\"enabled\":true}},\"trunks\":{\"a.x.com\":"
                                                "{\"sipSignalingPort\":5061,\"enabled\":false,\"directTransfer\":true}}}");
    assert_written(c, true, true,
                   "{\"domains\":{\"x.com\":{\"enabled\":true}},\"trunks\":{\"a.x.com\":{\"sipSignalingPort\":5061,"
                   "\"enabled\":false,\"health\":{\"tls\":{\"status\":\"unknown\"},\"ping\":{\"status\":\"unknown\"},"
                   "\"overall\":{\"status\":\"unknown\"}}}},\"routes\":[]}");
    assert_false(made(c, "{\"trunks\":{\"a.x.com\":{\"sipSignalingPort\":1}}}")->trunks[0].enabled);
}

#define TRUNK(name, port) "{\"trunks\":{\"" name "\":{\"sipSignalingPort\":" port "}}}"
#define ROUTE(rest)       "{\"routes\":[{" rest "}]}"

static void each_refusal_has_its_rule(void **state)
{
    (void)state;
    static const struct { const char *patch; enum err err; const char *code, *rule; } rows[] = {
#define REFUSED(patch, rule) { patch, ERR_UNPROCESSABLE, "UnprocessableConfiguration", rule }
#define MALFORMED(patch)     { patch, ERR_RANGE, "BadRequest", "" }
        REFUSED(TRUNK("localhost", "5061"), "InvalidTrunkFqdn"),
        REFUSED(TRUNK("10.0.0.1", "5061"), "InvalidTrunkFqdn"),
        REFUSED(TRUNK("a_b.x.com", "5061"), "InvalidTrunkFqdn"),
        REFUSED(TRUNK("-a.x.com", "5061"), "InvalidTrunkFqdn"),
        REFUSED(TRUNK("a..com", "5061"), "InvalidTrunkFqdn"),
        REFUSED(TRUNK("", "5061"), "InvalidTrunkFqdn"),
        REFUSED(TRUNK("n.x.com", "0"), "InvalidTrunkPort"),
        REFUSED(TRUNK("n.x.com", "65536"), "InvalidTrunkPort"),
        REFUSED(TRUNK("n.x.com", "-1"), "InvalidTrunkPort"),
        REFUSED("{\"trunks\":{\"n.x.com\":{}}}", "InvalidTrunkPort"),
        REFUSED("{\"trunks\":{\"a.x.com\":null}}", "MissingTrunk"),
        REFUSED(ROUTE("\"name\":\"r\",\"numberPattern\":\"1\",\"trunks\":[\"no.x.com\"]"), "MissingTrunk"),
        REFUSED(ROUTE("\"name\":\"r\",\"numberPattern\":\"1\",\"trunks\":[\"a.x.com\",\"A.x.com\"]"), "DuplicateRouteTrunk"),
        REFUSED(ROUTE("\"name\":\"r\",\"numberPattern\":\"1\"},{\"name\":\"r\",\"numberPattern\":\"2\""), "DuplicateRouteName"),
        REFUSED(ROUTE("\"name\":\"\",\"numberPattern\":\"1\""), "InvalidRouteName"),
        REFUSED(ROUTE("\"name\":\"r\",\"numberPattern\":\"\""), "InvalidNumberPattern"),
        REFUSED(ROUTE("\"name\":\"r\",\"numberPattern\":\"[\""), "InvalidNumberPattern"),
        REFUSED("{\"domains\":{\"x\":{\"enabled\":true}}}", "InvalidDomain"),
        MALFORMED("{\"trunks\":[]}"), MALFORMED("{\"routes\":{}}"), MALFORMED("{\"routes\":[1]}"),
        MALFORMED("{\"trunks\":{\"n.x.com\":5061}}"), MALFORMED(TRUNK("n.x.com", "\"5061\"")),
        MALFORMED(ROUTE("\"numberPattern\":\"1\"")), MALFORMED(ROUTE("\"name\":\"r\"")),
        MALFORMED(ROUTE("\"name\":\"r\",\"numberPattern\":\"1\",\"trunks\":[1]")),
    };
    const struct sip_config *base = made(&nothing, TWO);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sip_config *out;
        enum err err = merge(&out, base, rows[i].patch);
        if (err != rows[i].err || strcmp(why.code, rows[i].code) || strcmp(why.rule, rows[i].rule))
            fail_msg("%s: %d %s %s", rows[i].patch, err, why.code, why.rule);
    }
}

static void lists_and_texts_have_the_published_limits(void **state)
{
    (void)state;
    struct sip_config *c;
    for (size_t n = 250; n <= 251; n++) {
        scoped_buf trunks = { 0 }, routes = { 0 };
        buf_putz(&trunks, "{\"trunks\":{");
        buf_putz(&routes, "{\"routes\":[");
        for (size_t i = 0; i < n; i++) {
            buf_printf(&trunks, "%s\"t%zu.x.com\":{\"sipSignalingPort\":5061}", i ? "," : "", i);
            buf_printf(&routes, "%s{\"name\":\"r%zu\",\"numberPattern\":\"1\"}", i ? "," : "", i);
        }
        buf_put(&trunks, "}}", 3);
        buf_put(&routes, "]}", 3);
        assert_int_equal(merge(&c, &nothing, trunks.p), n == 250 ? ERR_NONE : ERR_UNPROCESSABLE);
        assert_string_equal(why.rule, n == 250 ? "" : "TooManyTrunks");
        assert_int_equal(merge(&c, &nothing, routes.p), n == 250 ? ERR_NONE : ERR_UNPROCESSABLE);
        assert_string_equal(why.rule, n == 250 ? "" : "TooManyRoutes");
    }
    static const struct { int name, description, pattern; const char *rule; } rows[] = {
        { 256, 1024, 1024, "" }, { 257, 1, 1, "InvalidRouteName" }, { 1, 1025, 1, "InvalidRouteDescription" },
        { 1, 1, 1025, "InvalidNumberPattern" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        scoped_buf json = { 0 };
        buf_printf(&json, "{\"routes\":[{\"name\":\"%0*d\",\"description\":\"%0*d\",\"numberPattern\":\"%0*d\"}]}", rows[i].name, 0,
                   rows[i].description, 0, rows[i].pattern, 0);
        buf_putc(&json, '\0');
        (void)!merge(&c, &nothing, json.p);
        assert_string_equal(why.rule, rows[i].rule);
    }
}

static void a_number_finds_its_trunks_in_order(void **state)
{
    (void)state;
    const struct sip_config *c = made(&nothing,
        "{\"domains\":{\"off.com\":{\"enabled\":false}},\"trunks\":{\"a.x.com\":{\"sipSignalingPort\":1},\"b.x.com\":{\"sipSignalingPort\":2},"
        "\"c.off.com\":{\"sipSignalingPort\":3},\"d.x.com\":{\"sipSignalingPort\":4,\"enabled\":false}},\"routes\":["
        "{\"name\":\"us\",\"numberPattern\":\"^+1\",\"trunks\":[\"d.x.com\",\"b.x.com\",\"c.off.com\"]},"
        "{\"name\":\"all\",\"numberPattern\":\"^+\",\"trunks\":[\"a.x.com\",\"b.x.com\"]}]}");
    const struct sip_trunk *found[SIP_TRUNKS_MAX];
    size_t n;
    assert_int_equal(sip_route_match(c, STR("+14255550100"), found, &n), ERR_NONE);
    assert_int_equal(n, 2);
    assert_str(found[0]->fqdn, "b.x.com");
    assert_str(found[1]->fqdn, "a.x.com");
    assert_int_equal(sip_route_match(c, STR("+442079460000"), found, &n), ERR_NONE);
    assert_int_equal(n, 2);
    assert_str(found[0]->fqdn, "a.x.com");
    assert_int_equal(sip_route_match(c, STR("911"), found, &n), ERR_NONE);
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        TEST(order_is_kept_and_empty_lists_are_shown), TEST(trunks_merge_and_routes_are_replaced),
        TEST(the_preview_has_domains_and_health), TEST(each_refusal_has_its_rule),
        TEST(lists_and_texts_have_the_published_limits), TEST(a_number_finds_its_trunks_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
