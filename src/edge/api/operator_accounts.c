/* operator_accounts.c - subscriptions, resources and their keys, as our own API has them. management_api.c is the same through
 * the resource manager's words. */
#include "domain/accounts/smpp_credentials.h"
#include "domain/messages/esmes.h"
#include "domain/messages/mailbox.h"
#include "domain/rules.h"
#include "edge/api/operator_priv.h"
#include "edge/api/resource_host.h"

/* The operator, and nothing of a wrong type in what makes or changes an account or a resource. */
static enum err may_make(struct http_call *hc)
{
    static const struct json_shape shapes[] = {
        { "name", JSON_IS_TEXT }, { "offer", JSON_IS_TEXT }, { "billingCountry", JSON_IS_TEXT }, { "account", JSON_IS_TEXT },
        { "state", JSON_IS_TEXT }, { "group", JSON_IS_TEXT },
    };
    enum err err = operator_only(hc);
    return err ? err : json_expect(hc->json, shapes, ARRAY_LEN(shapes), &hc->why);
}

/* -- accounts ---------------------------------------------------------------------------------------------------- */

static void write_accounts(const struct http_call *hc, struct jw *w)
{
    accounts_write_subscriptions(hc->api->accounts, w);
}

enum err accounts_get(struct http_call *hc)
{
    return operator_answer_all(hc, write_accounts);
}

static enum err answer_account(struct http_call *hc, struct str name, int status)
{
    const struct subscription *s = accounts_subscription_find(hc->api->accounts, name);
    if (!s)
        return rule_problem(&hc->why, ERR_ABSENT, RULE_SUBSCRIPTION_NOT_FOUND, arena_shown(hc->arena, name));
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    accounts_write_subscription(s, &w);
    spend_cap_write(hc, s, &w);
    jw_end(&w);
    http_reply(hc, status);
    return ERR_NONE;
}

enum err account_get(struct http_call *hc)
{
    enum err err = operator_only(hc);
    return err ? err : answer_account(hc, hc->params[0], 200);
}

static void on_account_added(void *arg, enum err err)
{
    struct http_call *hc = arg;
    if (!operator_unstored(hc, err) && (err = answer_account(hc, json_text_of(hc->json, "name"), 201)))
        http_fail(hc, err);
}

enum err accounts_post(struct http_call *hc)
{
    enum err err = may_make(hc);
    if (err)
        return err;
    struct str offer = json_text_of(hc->json, "offer"), country = json_text_of(hc->json, "billingCountry");
    return accounts_subscribe(hc->api->accounts, json_text_of(hc->json, "name"), offer.n ? offer : STR("payg"),
                              country.n ? country : STR("US"), on_account_added, hc, &hc->why);
}

static void on_account_changed(void *arg, enum err err)
{
    struct http_call *hc = arg;
    if (!operator_unstored(hc, err) && (err = answer_account(hc, hc->params[0], 200)))
        http_fail(hc, err);
}

enum err account_patch(struct http_call *hc)
{
    enum err err = may_make(hc);
    struct str state = json_text_of(hc->json, "state");
    bool active = str_eqz(state, "active");
    if (!err && state.n && !active && !str_eqz(state, "suspended")) {
        err = rule_problem(&hc->why, ERR_RANGE, RULE_ACCOUNT_STATE_UNKNOWN, arena_shown(hc->arena, state));
        problem_target(&hc->why, "state");
    }
    if (err)
        return err;
    struct subscription_wish to = { .offer = json_text_of(hc->json, "offer"),
                                    .billing_country = json_text_of(hc->json, "billingCountry"),
                                    .active = state.n ? &active : NULL };
    return accounts_change_subscription(hc->api->accounts, hc->params[0], &to, on_account_changed, hc, &hc->why);
}

/* -- resources --------------------------------------------------------------------------------------------------- */

static void write_resources(const struct http_call *hc, struct jw *w)
{
    accounts_write_resources(hc->api->accounts, w);
}

enum err resources_get(struct http_call *hc)
{
    return operator_answer_all(hc, write_resources);
}

static void answer_resource(struct http_call *hc, const struct resource *r, int status)
{
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    accounts_write_resource(r, &w);
    jw_text(&w, "hostName", resource_host(hc, r));
    jw_end(&w);
    http_reply(hc, status);
}

/* A resource that the operator named; "default" is nobody's default here. */
static enum err named_resource(struct http_call *hc, const struct resource **out)
{
    enum err err = operator_only(hc);
    *out = err ? NULL : accounts_resource_named(hc->api->accounts, hc->params[0]);
    if (err || *out)
        return err;
    err = rule_problem(&hc->why, ERR_ABSENT, RULE_RESOURCE_NOT_FOUND, arena_shown(hc->arena, hc->params[0]));
    problem_target(&hc->why, "resource");
    return err;
}

enum err resource_get(struct http_call *hc)
{
    const struct resource *r;
    enum err err = named_resource(hc, &r);
    if (!err)
        answer_resource(hc, r, 200);
    return err;
}

static void on_resource_added(void *arg, enum err err)
{
    struct http_call *hc = arg;
    const struct resource *r = err ? NULL : accounts_resource_named(hc->api->accounts, json_text_of(hc->json, "name"));
    if (r)
        answer_resource(hc, r, 201);
    else
        operator_unstored(hc, err ? err : ERR_STORE);
}

enum err resources_post(struct http_call *hc)
{
    enum err err = may_make(hc);
    struct str account = json_text_of(hc->json, "account");
    if (err)
        return err;
    struct resource_wish wish = { .name = json_text_of(hc->json, "name"), .subscription = account.n ? account : STR("default"),
                                  .group = json_text_of(hc->json, "group") };
    return accounts_make_resource(hc->api->accounts, &wish, on_resource_added, hc, &hc->why);
}

static void on_resource_deleted(void *arg, enum err err)
{
    struct http_call *hc = arg;
    if (!operator_unstored(hc, err))
        http_reply(hc, 204);
}

/* Answered when all that hung on it has ended. */
enum err resource_delete(struct http_call *hc)
{
    const struct resource *r;
    enum err err = named_resource(hc, &r);
    return err ? err : accounts_delete_resource(hc->api->accounts, r->key, true, on_resource_deleted, hc, &hc->why);
}

/* -- keys -------------------------------------------------------------------------------------------------------- */

static void answer_keys(struct http_call *hc, const struct resource *r)
{
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_textz(&w, "name", r->name);
    accounts_write_keys(r, &w);
    jw_text(&w, "connectionString", resource_connection_string(hc, r, 0));
    jw_object(&w, "smpp");
    if (hc->api->smpp.port)
        jw_printf(&w, "host", strchr(hc->api->smpp.host, ':') ? "[%s]:%u" : "%s:%u", hc->api->smpp.host, hc->api->smpp.port);
    accounts_write_smpp(r, &w);
    mailbox_write(messages_mailbox(hc->api->messages), r->key, &w);
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
}

enum err resource_keys_get(struct http_call *hc)
{
    const struct resource *r = NULL;
    enum err err = operator_resource(hc, hc->params[0], &r);
    if (!err)
        answer_keys(hc, r);
    return err;
}

static void on_rotated(void *arg, enum err err)
{
    struct http_call *hc = arg;
    const struct resource *r = err ? NULL : accounts_resource_named(hc->api->accounts, hc->params[0]);
    if (r)
        answer_keys(hc, r);
    else
        operator_unstored(hc, err ? err : ERR_STORE);
}

enum err resource_rotate_post(struct http_call *hc)
{
    enum err err = operator_only(hc);
    struct str which = json_text_of(hc->json, "key");
    if (!err && !str_eqz(which, "primary") && !str_eqz(which, "secondary")) {
        err = rule_problem(&hc->why, ERR_RANGE, RULE_KEY_TYPE_UNKNOWN, arena_shown(hc->arena, which));
        problem_target(&hc->why, "key");
    }
    if (err)
        return err;
    return accounts_rotate_key(hc->api->accounts, hc->params[0], str_eqz(which, "secondary"), on_rotated, hc, &hc->why);
}
