/* account, resource, connection-string, trust: who may ask, and with what. */
#include <stdio.h>

#include "base/str.h"
#include "main/ctl_priv.h"

static int account_add(struct ctl *c)
{
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "name", c->args[0]);
    jw_textz(&w, "offer", ctl_option(c, "offer") ? ctl_option(c, "offer") : "payg");
    jw_textz(&w, "billingCountry", ctl_option(c, "billing-country") ? ctl_option(c, "billing-country") : "US");
    jw_end(&w);
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", STR("/carterfone/v1/accounts"), buf_str(&body), &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, "added account %s; give it a resource: carterfone resource add NAME --account %s", c->args[0],
                c->args[0]);
    return rc;
}

static int account_list(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "ACCOUNT", "name" }, { "OFFER", "offer" }, { "PAID", "paid" }, { "BILLING COUNTRY", "billingCountry" },
        { "STATE", "state" }, { 0 },
    };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", STR("/carterfone/v1/accounts"), (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, "No accounts; `carterfone account add NAME` makes one.");
    return rc;
}

static int resource_add(struct ctl *c)
{
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "name", c->args[0]);
    jw_textz(&w, "account", ctl_option(c, "account") ? ctl_option(c, "account") : "default");
    jw_end(&w);
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", STR("/carterfone/v1/resources"), buf_str(&body), &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, "added resource %s; its keys: carterfone resource keys %s", c->args[0], c->args[0]);
    return rc;
}

static int resource_list(struct ctl *c)
{
    static const struct ctl_column columns[] = { { "RESOURCE", "name" }, { "ACCOUNT", "account" }, { "ID", "id" }, { 0 } };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", STR("/carterfone/v1/resources"), (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, "No resources; `carterfone resource add NAME` makes one.");
    return rc;
}

static int ask_keys(struct ctl *c, const char *resource, struct ctl_answer *answer)
{
    return ctl_ask(c, CTL_AS_OPERATOR, "GET", ctl_target(c, "/carterfone/v1/resources/%e/keys", resource),
                   (struct str){ 0 }, answer);
}

/* As programs write it: the name the certificate carries first, then the key. */
static struct str connection_string(const struct ctl *c, struct str key)
{
    static const struct str local = { "https://127.0.0.1:", 18 };
    struct str endpoint = c->api;
    if (str_starts(endpoint, local))
        endpoint = arena_printf(c->arena, "https://localhost:" STR_FMT, STR_ARG(str_from(endpoint, local.n)));
    return arena_printf(c->arena, "endpoint=" STR_FMT "/;accesskey=" STR_FMT, STR_ARG(endpoint), STR_ARG(key));
}

static int resource_keys(struct ctl *c)
{
    static const struct ctl_column columns[] = { { "primary", "primaryKey" }, { "secondary", "secondaryKey" }, { 0 } };
    struct ctl_answer answer;
    int rc = ask_keys(c, c->args[0], &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    ctl_facts(c, answer.json, columns);
    ctl_say(c, "\n" STR_FMT, STR_ARG(connection_string(c, json_text_of(answer.json, "primaryKey"))));
    return CTL_OK;
}

static int tell_connection_string(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ask_keys(c, c->resource ? c->resource : "default", &answer);
    if (rc)
        return rc;
    struct str text = connection_string(c, json_text_of(answer.json, "primaryKey"));
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_text(&w, "connectionString", text);
    jw_end(&w);
    if (!ctl_say_json(c, buf_str(&body)))
        ctl_say(c, STR_FMT, STR_ARG(text));
    return CTL_OK;
}

/* Nothing is installed: each program is told where the certificate is, in the way it listens to. */
static int trust(struct ctl *c)
{
    int rc = ctl_find(c);
    if (rc)
        return rc;
    struct ctl_answer answer;
    if (ctl_option(c, "pem") || !c->ca_file) {
        rc = ctl_ask(c, CTL_AS_NOBODY, "GET", STR("/carterfone/ca.pem"), (struct str){ 0 }, &answer);
        if (!rc)
            fwrite(answer.body.p, 1, answer.body.n, stdout);
        return rc;
    }
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "caFile", c->ca_file);
    jw_end(&w);
    if (ctl_say_json(c, buf_str(&body)))
        return CTL_OK;
    printf("# The server's local certificate authority; for this shell: eval \"$(carterfone trust)\"\n"
           "# Node.js trusts it as well as all others; Python and OpenSSL then trust nothing else in this shell.\n"
           "export NODE_EXTRA_CA_CERTS='%s'     # Node.js\n"
           "export REQUESTS_CA_BUNDLE='%s'      # Python\n"
           "export SSL_CERT_FILE='%s'           # OpenSSL, Go, .NET\n", c->ca_file, c->ca_file, c->ca_file);
    return CTL_OK;
}

static const struct ctl_option account_options[] = {
    { "offer", "payg|ea|csp|trial|free-credit", CTL_MAY, "how it pays [payg]" },
    { "billing-country", "CC", CTL_MAY, "where it is billed [US]" },
    { 0 },
};
static const struct ctl_option resource_options[] = { { "account", "NAME", CTL_MAY, "whose it is [default]" }, { 0 } };
static const struct ctl_option trust_options[] = { { "pem", NULL, CTL_MAY, "print the certificate itself" }, { 0 } };

const struct ctl_command ctl_account_commands[] = {
    { "account", "add", "NAME", 1, 1, account_options, account_add, "a subscription: who pays, and from where" },
    { "account", "list", "", 0, 0, NULL, account_list, "all of them" },
    { "resource", "add", "NAME", 1, 1, resource_options, resource_add, "a resource under an account: what holds numbers" },
    { "resource", "list", "", 0, 0, NULL, resource_list, "all of them" },
    { "resource", "keys", "NAME", 1, 1, NULL, resource_keys, "its two keys and connection string" },
    { "connection-string", "", "", 0, 0, NULL, tell_connection_string, "what a program needs to connect" },
    { "trust", "", "", 0, 0, trust_options, trust, "how programs come to trust the local certificate" },
    { 0 },
};
