/* The configuration of resources over a real store: durable, in order, one change after another; and whose domains are. */
#include "domain/directrouting/sip_domains.h"
#include "domain/directrouting/sip_routing.h"
#include "unit/domain/numbers/world.h"

#include <stdio.h>

struct bench {
    struct world       *w;
    struct sip_routing *s;
    struct arena       *a;
    enum err            err;
    struct problem      why;
};

static struct sip_routing *loaded(struct bench *b)
{
    struct sip_routing *s;
    assert_int_equal(sip_routing_new(&s, &b->w->control), ERR_NONE);
    if (sip_routing_load(s, &b->why))
        fail_msg("%s", b->why.text);
    return s;
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    b->w = world_new();
    b->a = arena_new();
    b->s = loaded(b);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    struct sip_routing *s = b->s;
    world_free(b->w);
    sip_routing_free(s);
    arena_free(b->a);
    free(b);
    return 0;
}

static void restart(struct bench *b)
{
    sip_routing_free(b->s);
    b->s = loaded(b);
}

static void on_changed(void *arg, enum err err, const struct sip_config *config, const struct problem *why)
{
    struct bench *b = arg;
    assert_true(!config == !!err);
    b->err = err;
    if (err)
        b->why = *why;
    b->w->waiting--;
}

/* Begun, not waited for. */
static enum err begin(struct bench *b, uint64_t resource, const char *json)
{
    struct json_doc *doc;
    struct sip_patch *patch;
    b->why = (struct problem){ 0 };
    assert_int_equal(json_read(&doc, str_of(json), NULL), ERR_NONE);
    assert_int_equal(sip_patch_read(&patch, json_root(doc), true, b->a, &b->why), ERR_NONE);
    json_doc_free(doc);
    b->w->waiting++;
    enum err err = sip_routing_change(b->s, resource, patch, on_changed, b, &b->why);
    if (err)
        b->w->waiting--;
    return err;
}

static enum err changed(struct bench *b, uint64_t resource, const char *json)
{
    enum err err = begin(b, resource, json);
    if (err)
        return err;
    world_pump(b->w);
    return b->err;
}

static void assert_config(struct bench *b, uint64_t resource, const char *want)
{
    scoped_buf out = { 0 };
    struct jw w = jw_of(&out);
    sip_config_write(sip_routing_find(b->s, resource), &w, true, false);
    buf_putc(&out, '\0');
    assert_string_equal(out.p, want);
}

#define CONFIG "{\"domains\":{\"z.com\":{\"enabled\":false}}," \
               "\"trunks\":{\"b.x.com\":{\"sipSignalingPort\":5061,\"enabled\":true},\"a.x.com\":{\"sipSignalingPort\":5062,\"enabled\":false}}," \
               "\"routes\":[{\"description\":\"\xc3\xa9\",\"name\":\"z\",\"numberPattern\":\"^\\\\+1\",\"trunks\":[\"b.x.com\",\"a.x.com\"]}," \
               "{\"name\":\"a\",\"numberPattern\":\"^\\\\+44\",\"trunks\":[]},{\"name\":\"m\",\"numberPattern\":\".*\",\"trunks\":[\"a.x.com\"]}]}"

static void a_configuration_and_its_order_survive_a_restart(void **state)
{
    struct bench *b = *state;
    assert_int_equal(changed(b, b->w->us, CONFIG), ERR_NONE);
    assert_int_equal(changed(b, b->w->other, "{\"trunks\":{\"c.y.com\":{\"sipSignalingPort\":1}}}"), ERR_NONE);
    assert_config(b, b->w->us, CONFIG);
    restart(b);
    assert_config(b, b->w->us, CONFIG);
    assert_config(b, b->w->other, "{\"domains\":{},\"trunks\":{\"c.y.com\":{\"sipSignalingPort\":1,\"enabled\":true}},\"routes\":[]}");
    assert_config(b, b->w->trial, "{\"domains\":{},\"trunks\":{},\"routes\":[]}");
    assert_int_equal(changed(b, b->w->us, "{\"trunks\":{\"b.x.com\":{\"sipSignalingPort\":7}},\"domains\":{\"z.com\":null},\"routes\":[]}"),
                     ERR_NONE);
    restart(b);
    assert_config(b, b->w->us, "{\"domains\":{},\"trunks\":{\"b.x.com\":{\"sipSignalingPort\":7,\"enabled\":true},"
                               "\"a.x.com\":{\"sipSignalingPort\":5062,\"enabled\":false}},\"routes\":[]}");
}

static void changes_at_once_are_made_one_after_another(void **state)
{
    struct bench *b = *state;
    assert_int_equal(begin(b, b->w->us, "{\"trunks\":{\"a.x.com\":{\"sipSignalingPort\":1}}}"), ERR_NONE);
    assert_int_equal(begin(b, b->w->us, "{\"routes\":[{\"name\":\"r\",\"numberPattern\":\"1\",\"trunks\":[\"a.x.com\"]}]}"), ERR_NONE);
    assert_config(b, b->w->us, "{\"domains\":{},\"trunks\":{},\"routes\":[]}");      /* nothing is seen before it is on disk */
    world_pump(b->w);
    assert_int_equal(b->err, ERR_NONE);
    assert_int_equal(changed(b, b->w->us, "{\"trunks\":{\"a.x.com\":null}}"), ERR_UNPROCESSABLE);
    assert_string_equal(b->why.rule, "MissingTrunk");
    restart(b);
    assert_config(b, b->w->us, "{\"domains\":{},\"trunks\":{\"a.x.com\":{\"sipSignalingPort\":1,\"enabled\":true}},"
                               "\"routes\":[{\"name\":\"r\",\"numberPattern\":\"1\",\"trunks\":[\"a.x.com\"]}]}");
}

static void a_number_takes_the_routes_in_their_order_and_each_trunk_once(void **state)
{
    struct bench *b = *state;
    const struct sip_trunk *trunks[SIP_TRUNKS_MAX];
    size_t n;
    assert_int_equal(changed(b, b->w->us, "{\"trunks\":{\"a.x.com\":{\"sipSignalingPort\":1},\"b.x.com\":{\"sipSignalingPort\":2},"
                                         "\"c.x.com\":{\"sipSignalingPort\":3},\"d.off.com\":{\"sipSignalingPort\":4}},"
                                         "\"domains\":{\"off.com\":{\"enabled\":false}},\"routes\":["
                                         "{\"name\":\"uk\",\"numberPattern\":\"^\\\\+44\",\"trunks\":[\"a.x.com\"]},"
                                         "{\"name\":\"us\",\"numberPattern\":\"^\\\\+1\",\"trunks\":[\"c.x.com\",\"d.off.com\",\"b.x.com\"]},"
                                         "{\"name\":\"all\",\"numberPattern\":\"^\\\\+\",\"trunks\":[\"b.x.com\",\"a.x.com\"]}]}"), ERR_NONE);
    restart(b);
    assert_int_equal(sip_route_match(sip_routing_find(b->s, b->w->us), STR("+14255550100"), trunks, &n), ERR_NONE);
    assert_int_equal(n, 3);
    const char *want[] = { "c.x.com", "b.x.com", "a.x.com" };
    for (size_t i = 0; i < n; i++)
        assert_string_equal(trunks[i]->fqdn.p, want[i]);
    assert_int_equal(sip_route_match(sip_routing_find(b->s, b->w->other), STR("+14255550100"), trunks, &n), ERR_NONE);
    assert_int_equal(n, 0);
}

/* -- whose domains are ------------------------------------------------------------------------------------------------------ */

static void on_domain(void *arg, enum err err, const struct problem *why)
{
    struct bench *b = arg;
    b->err = err;
    if (err)
        b->why = *why;
    b->w->waiting--;
}

static enum err confirm(struct bench *b, uint64_t resource, const char *name)
{
    b->why = (struct problem){ 0 };
    b->w->waiting++;
    enum err err = sip_domains_confirm(sip_routing_domains(b->s), resource, str_of(name), on_domain, b, &b->why);
    if (err) {
        b->w->waiting--;
        return err;
    }
    world_pump(b->w);
    return b->err;
}

static enum err take_back(struct bench *b, uint64_t resource, const char *name)
{
    b->w->waiting++;
    enum err err = sip_domains_take_back(sip_routing_domains(b->s), resource, str_of(name), on_domain, b, &b->why);
    if (err) {
        b->w->waiting--;
        return err;
    }
    world_pump(b->w);
    return b->err;
}

static void a_confirmed_domain_is_one_resource_s_alone(void **state)
{
    struct bench *b = *state;
    const struct sip_domains *d = sip_routing_domains(b->s);
    assert_int_equal(confirm(b, b->w->us, "Contoso.com"), ERR_NONE);
    assert_int_equal(confirm(b, b->w->us, "contoso.com"), ERR_NONE);
    assert_true(sip_domains_owns(d, b->w->us, STR("sbc.CONTOSO.com")));
    assert_false(sip_domains_owns(d, b->w->us, STR("notcontoso.com")));
    assert_false(sip_domains_owns(d, b->w->other, STR("contoso.com")));
    assert_int_equal(changed(b, b->w->us, "{\"trunks\":{\"sbc.contoso.com\":{\"sipSignalingPort\":1}}}"), ERR_NONE);
    restart(b);
    assert_int_equal(changed(b, b->w->other, "{\"trunks\":{\"sbc2.contoso.com\":{\"sipSignalingPort\":1}}}"), ERR_UNPROCESSABLE);
    assert_string_equal(b->why.rule, "TrunkDomainOfAnother");
    assert_string_equal(b->why.target, "trunks.sbc2.contoso.com");
    assert_int_equal(changed(b, b->w->other, "{\"trunks\":{\"sbc.xcontoso.com\":{\"sipSignalingPort\":1}}}"), ERR_NONE);
    assert_true(sip_routing_uses(b->s, b->w->us, STR("xcontoso.com")));
    assert_false(sip_routing_uses(b->s, b->w->other, STR("xcontoso.com")));
    assert_int_equal(begin(b, b->w->other, "{\"trunks\":{\"sbc.soon.com\":{\"sipSignalingPort\":1}}}"), ERR_NONE);
    assert_true(sip_routing_uses(b->s, b->w->us, STR("soon.com")));         /* not on disk yet */
    world_pump(b->w);
    assert_int_equal(take_back(b, b->w->other, "contoso.com"), ERR_ABSENT);
    assert_int_equal(take_back(b, b->w->us, "contoso.COM"), ERR_NONE);
    assert_int_equal(changed(b, b->w->other, "{\"trunks\":{\"sbc2.contoso.com\":{\"sipSignalingPort\":1}}}"), ERR_NONE);
    restart(b);
    assert_false(sip_domains_owns(sip_routing_domains(b->s), b->w->us, STR("contoso.com")));
}

static void a_domain_above_or_below_another_resource_s_is_in_its_way(void **state)
{
    struct bench *b = *state;
    static const char *const bad[] = { "eu.contoso.com", "a.eu.contoso.com", "contoso.com", "localhost", "10.0.0.1", "" };
    assert_int_equal(confirm(b, b->w->us, "eu.contoso.com"), ERR_NONE);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        enum err err = sip_domains_confirm(sip_routing_domains(b->s), b->w->other, str_of(bad[i]), on_domain, b, &b->why);
        assert_int_equal(err, i < 3 ? ERR_CONFLICT : ERR_RANGE);
        assert_string_equal(b->why.rule, i < 3 ? "SipDomainTaken" : "SipDomainInvalid");
    }
    assert_int_equal(confirm(b, b->w->other, "us.contoso.com"), ERR_NONE);
    assert_int_equal(confirm(b, b->w->us, "a.eu.contoso.com"), ERR_NONE);
}

static void on_ended(void *arg, enum err err)
{
    struct bench *b = arg;
    b->err = err;
    b->w->waiting--;
}

static void a_deleted_resource_leaves_no_routing_and_frees_its_domains(void **state)
{
    struct bench *b = *state;
    assert_int_equal(confirm(b, b->w->us, "contoso.com"), ERR_NONE);
    assert_int_equal(confirm(b, b->w->us, "fabrikam.com"), ERR_NONE);
    assert_int_equal(confirm(b, b->w->other, "tailspin.com"), ERR_NONE);
    assert_int_equal(changed(b, b->w->us, "{\"trunks\":{\"a.contoso.com\":{\"sipSignalingPort\":1}}}"), ERR_NONE);
    assert_int_equal(begin(b, b->w->us, "{\"routes\":[]}"), ERR_NONE);
    assert_int_equal(sip_routing_end(b->s, b->w->us, on_ended, b), ERR_BUSY);
    world_pump(b->w);
    b->w->waiting++;
    assert_int_equal(sip_routing_end(b->s, b->w->us, on_ended, b), ERR_NONE);
    world_pump(b->w);
    assert_int_equal(b->err, ERR_NONE);
    for (int again = 0; again < 2; again++) {
        assert_config(b, b->w->us, "{\"domains\":{},\"trunks\":{},\"routes\":[]}");
        assert_false(sip_domains_owns(sip_routing_domains(b->s), b->w->us, STR("contoso.com")));
        assert_false(sip_domains_owns(sip_routing_domains(b->s), b->w->us, STR("fabrikam.com")));
        assert_true(sip_domains_owns(sip_routing_domains(b->s), b->w->other, STR("tailspin.com")));
        restart(b);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_configuration_and_its_order_survive_a_restart),
        TEST(changes_at_once_are_made_one_after_another),
        TEST(a_number_takes_the_routes_in_their_order_and_each_trunk_once),
        TEST(a_confirmed_domain_is_one_resource_s_alone),
        TEST(a_domain_above_or_below_another_resource_s_is_in_its_way),
        TEST(a_deleted_resource_leaves_no_routing_and_frees_its_domains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
