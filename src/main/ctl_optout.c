/* optout ...: who wants no texts from a number: the application's own changes by the ACS API, the list by our own. */
#include "base/str.h"
#include "main/ctl_priv.h"

static const struct ctl_column result_columns[] = {
    { "TO", "to" }, { ">STATUS", "httpStatusCode" }, { "OPTED OUT", "isOptedOut" }, { "WHY NOT", "errorMessage" }, { 0 },
};
static const struct ctl_column list_columns[] = { { "TO", "to" }, { "SINCE", "optedOutOn" }, { "SAID BY", "source" }, { "ABOUT", "messageId" }, { 0 } };

static int change(struct ctl *c, const char *target)
{
    scoped_buf body = { 0 };
    struct jw w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "from", ctl_option(c, "from"));
    jw_array(&w, "recipients");
    for (int i = 0; i < c->args_n; i++) {
        jw_object(&w, NULL);
        jw_textz(&w, "to", c->args[i]);
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_RESOURCE, "POST", str_of(target), buf_str(&body), &answer);
    if (rc)
        return rc;
    const struct json *results = json_member(answer.json, "value");
    if (!ctl_say_json(c, answer.body))
        ctl_table(c, results, result_columns, "The answer names no recipient.");
    for (size_t i = 0; i < json_count(results); i++)
        if (json_int_of(json_item(results, i), "httpStatusCode", 0) != 200)
            rc = CTL_REFUSED;
    return rc;
}

static int add(struct ctl *c)
{
    return change(c, "/sms/optouts:add");
}

static int take_away(struct ctl *c)
{
    return change(c, "/sms/optouts:remove");
}

static int check(struct ctl *c)
{
    return change(c, "/sms/optouts:check");
}

static int list(struct ctl *c)
{
    const struct json *items;
    struct str text;
    int rc = ctl_ask_pages_as(c, CTL_AS_OPERATOR, ctl_target(c, "/carterfone/v1/optouts?from=%e", ctl_option(c, "from")), "value",
                              &items, &text);
    if (rc || ctl_say_json(c, text))
        return rc;
    ctl_table(c, items, list_columns, "Nobody opted out of texts from this number.");
    return CTL_OK;
}

static const struct ctl_option from_option[] = { { "from", "NUMBER", CTL_NEEDED, "a leased number with outbound SMS" }, { 0 } };

const struct ctl_command ctl_optout_commands[] = {
    { "optout", "list", "", 0, 0, from_option, list, "who wants no texts from a number" },
    { "optout", "check", "NUMBER...", 1, CTL_GIVEN_MAX, from_option, check, "did these opt out?" },
    { "optout", "add", "NUMBER...", 1, CTL_GIVEN_MAX, from_option, add, "no more texts to these" },
    { "optout", "remove", "NUMBER...", 1, CTL_GIVEN_MAX, from_option, take_away, "texts to these again" },
    { 0 },
};
