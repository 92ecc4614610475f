/* account, resource, connection-string, token, trust: who may ask, and with what. */
#include <stdio.h>

#include "base/clock.h"
#include "base/str.h"
#include "edge/api/http_token.h"
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

static const struct ctl_column account_columns[] = {
    { "account", "name" }, { "id", "id" }, { "offer", "offer" }, { "paid", "paid" }, { "billing country", "billingCountry" },
    { "state", "state" }, { "spend cap USD", "spendCapMicroUsd", CTL_MICRO, "none" },
    { "spent this month", "spentMicroUsd", CTL_MICRO }, { 0 },
};

static int account_show(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", ctl_target(c, "/carterfone/v1/accounts/%e", c->args[0]), (struct str){ 0 },
                     &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_facts(c, answer.json, account_columns);
    return rc;
}

/* One member or two; what is not given stays. */
static int account_change(struct ctl *c, const char *state, const char *said)
{
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    if (state)
        jw_textz(&w, "state", state);
    if (!state && ctl_option(c, "offer"))
        jw_textz(&w, "offer", ctl_option(c, "offer"));
    if (!state && ctl_option(c, "billing-country"))
        jw_textz(&w, "billingCountry", ctl_option(c, "billing-country"));
    jw_end(&w);
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "PATCH", ctl_target(c, "/carterfone/v1/accounts/%e", c->args[0]), buf_str(&body),
                     &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, said, c->args[0]);
    return rc;
}

static int account_suspend(struct ctl *c)
{
    return account_change(c, "suspended", "suspended %s: its resources buy, send and call nothing more; what they lease stays");
}

static int account_resume(struct ctl *c)
{
    return account_change(c, "active", "resumed %s");
}

static int account_set(struct ctl *c)
{
    const char *cap = ctl_option(c, "spend-cap");
    bool pays = ctl_option(c, "offer") || ctl_option(c, "billing-country");
    if (!pays && !cap)
        return ctl_usage(c, "say what shall change: --offer, --billing-country or --spend-cap");
    int rc = cap ? ctl_set_spend_cap(c, c->args[0], cap) : CTL_OK;
    return rc || !pays ? rc : account_change(c, NULL, "changed %s");
}

static int resource_add(struct ctl *c)
{
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "name", c->args[0]);
    jw_textz(&w, "account", ctl_option(c, "account") ? ctl_option(c, "account") : "default");
    if (ctl_option(c, "group"))
        jw_textz(&w, "group", ctl_option(c, "group"));
    jw_end(&w);
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", STR("/carterfone/v1/resources"), buf_str(&body), &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, "added resource %s; its keys: carterfone resource keys %s", c->args[0], c->args[0]);
    return rc;
}

static int resource_list(struct ctl *c)
{
    static const struct ctl_column columns[] = { { "RESOURCE", "name" }, { "ACCOUNT", "account" }, { "GROUP", "group" },
                                                 { "STATE", "state" }, { "ID", "id" }, { 0 } };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", STR("/carterfone/v1/resources"), (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, "No resources; `carterfone resource add NAME` makes one.");
    return rc;
}

static int resource_show(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "resource", "name" }, { "id", "id" }, { "account", "account" }, { "group", "group" }, { "host name", "hostName" },
        { "state", "state" }, { "access keys", "accessKeys" }, { "location", "location" },
        { "data location", "dataLocation" }, { "created", "created" }, { 0 },
    };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", ctl_target(c, "/carterfone/v1/resources/%e", c->args[0]), (struct str){ 0 },
                     &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_facts(c, answer.json, columns);
    return rc;
}

static int resource_delete(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "DELETE", ctl_target(c, "/carterfone/v1/resources/%e", c->args[0]),
                     (struct str){ 0 }, &answer);
    if (!rc)
        ctl_say(c, "deleted %s: its keys have ended, its numbers are released", c->args[0]);
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
    static const struct ctl_column smpp[] = {
        { "SMPP server", "host", CTL_IF_ANY }, { "SMPP system_id", "systemId" }, { "SMPP password", "password" }, { "of the secondary", "secondaryPassword" },
        { "receivers bound", "receivers" }, { 0 },
    };
    ctl_facts(c, answer.json, columns);
    ctl_say(c, "\n" STR_FMT "\n", STR_ARG(connection_string(c, json_text_of(answer.json, "primaryKey"))));
    ctl_facts(c, json_member(answer.json, "smpp"), smpp);
    return CTL_OK;
}

static int resource_rotate_key(struct ctl *c)
{
    const char *which = c->args_n > 1 ? c->args[1] : "primary";
    if (strcmp(which, "primary") && strcmp(which, "secondary"))
        return ctl_usage(c, "'%s' is neither primary nor secondary", which);
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "key", which);
    jw_end(&w);
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", ctl_target(c, "/carterfone/v1/resources/%e/:rotateKey", c->args[0]),
                     buf_str(&body), &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    struct str key = json_text_of(answer.json, strcmp(which, "primary") ? "secondaryKey" : "primaryKey");
    ctl_say(c, "the old %s key has ended; the new one:\n" STR_FMT "\n\n" STR_FMT, which, STR_ARG(key),
            STR_ARG(connection_string(c, key)));
    return CTL_OK;
}

/* Made here, of a key that this command line has: nothing is asked of the server but where it is. */
static int token(struct ctl *c)
{
    enum { DAY_H = 24, MOST_H = HTTP_TOKEN_LONGEST_S / 3600 - 1 };
    int64_t hours;
    int rc = ctl_option_int(c, "hours", 1, MOST_H, DAY_H, &hours);
    if (!rc)
        rc = ctl_find(c);
    if (rc)
        return rc;
    bool operator = ctl_option(c, "operator") != NULL;
    struct str key = operator && c->operator_key_n ? (struct str){ (const char *)c->operator_key, c->operator_key_n }
                                                   : (struct str){ (const char *)c->key, c->key_n };
    if (!key.n) {
        fprintf(stderr, "carterfone: no key is known here to make a token of\n");
        return CTL_REFUSED;
    }
    char text[HTTP_TOKEN_SIZE];
    int64_t expires_s = clock_wall_us() / US_PER_S + hours * 3600;
    http_token_write(text, key, expires_s);
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "token", text);
    jw_time(&w, "expiresOn", expires_s * US_PER_S);
    jw_end(&w);
    if (!ctl_say_json(c, buf_str(&body)))
        ctl_say(c, "%s", text);
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
static const struct ctl_option account_set_options[] = {
    { "offer", "payg|ea|csp|trial|free-credit", CTL_MAY, "how it pays from now on" },
    { "billing-country", "CC", CTL_MAY, "where it is billed from now on" },
    { "spend-cap", "USD|none", CTL_MAY, "the most it may spend in a calendar month" },
    { 0 },
};
static const struct ctl_option resource_options[] = {
    { "account", "NAME", CTL_MAY, "whose it is [default]" },
    { "group", "NAME", CTL_MAY, "resource group, as the management API has it [default]" },
    { 0 },
};
static const struct ctl_option token_options[] = {
    { "operator", NULL, CTL_MAY, "of the operator's key: for the management API and /carterfone/v1" },
    { "hours", "N", CTL_MAY, "how long it lasts [24]" },
    { 0 },
};
static const struct ctl_option trust_options[] = { { "pem", NULL, CTL_MAY, "print the certificate itself" }, { 0 } };

const struct ctl_command ctl_account_commands[] = {
    { "account", "add", "NAME", 1, 1, account_options, account_add, "a subscription: who pays, and from where" },
    { "account", "list", "", 0, 0, NULL, account_list, "all of them" },
    { "account", "show", "NAME", 1, 1, NULL, account_show, "one of them, with the id that the management API calls it by" },
    { "account", "suspend", "NAME", 1, 1, NULL, account_suspend, "stop its searches, purchases, messages and calls out" },
    { "account", "resume", "NAME", 1, 1, NULL, account_resume, "let it go on" },
    { "account", "set", "NAME", 1, 1, account_set_options, account_set, "change how it pays, where it is billed, how much it may spend" },
    { "resource", "add", "NAME", 1, 1, resource_options, resource_add, "a resource under an account: what holds numbers" },
    { "resource", "list", "", 0, 0, NULL, resource_list, "all of them" },
    { "resource", "show", "NAME", 1, 1, NULL, resource_show, "one of them, with its host name" },
    { "resource", "keys", "NAME", 1, 1, NULL, resource_keys, "its two keys, connection string and SMPP credentials" },
    { "resource", "rotate-key", "NAME [primary|secondary]", 1, 2, NULL, resource_rotate_key, "a fresh key; the old one ends at once" },
    { "resource", "delete", "NAME", 1, 1, NULL, resource_delete, "end its keys, release its numbers" },
    { "token", "", "", 0, 0, token_options, token, "a bearer token, for SDKs that take a TokenCredential" },
    { "connection-string", "", "", 0, 0, NULL, tell_connection_string, "what a program needs to connect" },
    { "trust", "", "", 0, 0, trust_options, trust, "how programs come to trust the local certificate" },
    { 0 },
};
