/* numbers ...: the phone-number API of ACS, with its long-running operations. */
#include "base/str.h"
#include "main/ctl_priv.h"

static const struct ctl_column number_columns[] = {
    { "NUMBER", "phoneNumber" }, { "TYPE", "phoneNumberType" }, { "FOR", "assignmentType" },
    { "CALLING", "capabilities.calling" }, { "SMS", "capabilities.sms" }, { ">MONTHLY", "cost.amount" },
    { "CURRENCY", "cost.currencyCode" }, { "SINCE", "purchaseDate" }, { 0 },
};

/* The API's words for a type; people may also say local and toll-free. */
static const char *type_word(const char *typed)
{
    static const struct { const char *typed, *word; } words[] = {
        { "local", "geographic" }, { "geographic", "geographic" }, { "toll-free", "tollFree" }, { "tollFree", "tollFree" },
        { "tollfree", "tollFree" }, { "mobile", "mobile" },
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(typed, words[i].typed) == 0)
            return words[i].word;
    return NULL;
}

static void write_capability(const struct ctl *c, struct jw *w, const char *name, const char *otherwise)
{
    const char *given = ctl_option(c, name);
    if (given && strcmp(given, "both") == 0)
        given = "inbound+outbound";
    if (given || otherwise)
        jw_textz(w, name, given ? given : otherwise);
}

/* Find numbers by the options and hold them. */
static int hold(struct ctl *c, struct ctl_answer *held)
{
    const char *type = type_word(ctl_option(c, "type")), *country = ctl_option(c, "country");
    int64_t     quantity;
    if (!type)
        return ctl_usage(c, "--type is local or toll-free, not '%s'", ctl_option(c, "type"));
    int rc = ctl_option_int(c, "quantity", 1, 1000000, 1, &quantity);
    if (rc)
        return rc;

    /* untold, a number gets all that its type offers in the default edition */
    bool untold = !ctl_option(c, "calling") && !ctl_option(c, "sms");
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "phoneNumberType", type);
    jw_textz(&w, "assignmentType", ctl_option(c, "for"));
    jw_object(&w, "capabilities");
    write_capability(c, &w, "calling", untold ? "inbound+outbound" : "none");
    write_capability(c, &w, "sms", untold && strcmp(type, "tollFree") == 0 ? "inbound+outbound" : "none");
    jw_end(&w);
    if (ctl_option(c, "area-code"))
        jw_textz(&w, "areaCode", ctl_option(c, "area-code"));
    jw_int(&w, "quantity", quantity);
    jw_end(&w);

    return ctl_ask_long(c, "POST", ctl_target(c, "/availablePhoneNumbers/countries/%e/:search", country ? country : "US"),
                        buf_str(&body), held);
}

static int search(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = hold(c, &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    static const struct ctl_column facts[] = {
        { "search", "searchId" }, { "numbers", "phoneNumbers" }, { "type", "phoneNumberType" }, { "for", "assignmentType" },
        { "calling", "capabilities.calling" }, { "sms", "capabilities.sms" }, { "monthly", "cost.amount" },
        { "currency", "cost.currencyCode" }, { "held until", "searchExpiresBy" }, { 0 },
    };
    ctl_facts(c, answer.json, facts);
    ctl_say(c, "\nBuy with: carterfone numbers buy " STR_FMT, STR_ARG(json_text_of(answer.json, "searchId")));
    return CTL_OK;
}

/* What a search holds: SEARCHID, or a search made now from the options. */
static int held_for(struct ctl *c, struct ctl_answer *held)
{
    bool sought = ctl_option(c, "type") && ctl_option(c, "for");
    if (!c->args_n && !sought)
        return ctl_usage(c, "it wants the SEARCHID of a search, or --type and --for to search now");
    if (c->args_n && c->given_n && (ctl_option(c, "type") || ctl_option(c, "for")))
        return ctl_usage(c, "either a SEARCHID, or what to search for");
    if (!c->args_n)
        return hold(c, held);
    return ctl_ask(c, CTL_AS_RESOURCE, "GET", ctl_target(c, "/availablePhoneNumbers/searchResults/%e", c->args[0]),
                   (struct str){ 0 }, held);
}

static int buy(struct ctl *c)
{
    struct ctl_answer held, answer;
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    int rc = held_for(c, &held);
    jw_object(&w, NULL);
    jw_text(&w, "searchId", rc ? (struct str){ "", 0 } : json_text_of(held.json, "searchId"));
    jw_bool(&w, "agreeToNotResell", true);
    jw_end(&w);
    if (!rc)
        rc = ctl_ask_long(c, "POST", STR("/availablePhoneNumbers/:purchase"), buf_str(&body), &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    const struct json *numbers = json_member(held.json, "phoneNumbers");
    for (size_t i = 0; i < json_count(numbers); i++)
        ctl_say(c, "bought " STR_FMT, STR_ARG(json_text(json_item(numbers, i))));
    return CTL_OK;
}

static int list(struct ctl *c)
{
    const struct json *numbers;
    struct str         text;
    int rc = ctl_ask_pages(c, STR("/phoneNumbers?skip=0&top=100"), "phoneNumbers", &numbers, &text);
    if (rc || ctl_say_json(c, text))
        return rc;
    ctl_table(c, numbers, number_columns, "No numbers are leased; `carterfone numbers search` finds some.");
    return CTL_OK;
}

static int tell_number(struct ctl *c, const struct ctl_answer *answer)
{
    if (!ctl_say_json(c, answer->body))
        ctl_facts(c, answer->json, number_columns);
    return CTL_OK;
}

/* What the published API does not say of it. */
static int tell_registration(struct ctl *c)
{
    static const struct ctl_column facts[] = { { "REGISTRATION", "registration" }, { 0 } };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", ctl_target(c, "/carterfone/v1/phoneNumbers/%e/registration", c->args[0]),
                     (struct str){ 0 }, &answer);
    if (!rc && !str_eqz(json_text_of(answer.json, "registration"), "notNeeded"))
        ctl_facts(c, answer.json, facts);
    return rc;
}

static int show(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_RESOURCE, "GET", ctl_target(c, "/phoneNumbers/%e", c->args[0]), (struct str){ 0 }, &answer);
    if (!rc)
        rc = tell_number(c, &answer);
    return rc || c->json ? rc : tell_registration(c);
}

static int capabilities(struct ctl *c)
{
    if (!ctl_option(c, "calling") && !ctl_option(c, "sms"))
        return show(c);
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    write_capability(c, &w, "calling", NULL);
    write_capability(c, &w, "sms", NULL);
    jw_end(&w);
    struct ctl_answer answer;
    int rc = ctl_ask_long(c, "PATCH", ctl_target(c, "/phoneNumbers/%e/capabilities", c->args[0]), buf_str(&body), &answer);
    return rc ? rc : tell_number(c, &answer);
}

static int release(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask_long(c, "DELETE", ctl_target(c, "/phoneNumbers/%e", c->args[0]), (struct str){ 0 }, &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    ctl_say(c, "released %s", c->args[0]);
    return CTL_OK;
}

static const struct ctl_option search_options[] = {
    { "type",      "local|toll-free",    CTL_NEEDED, "which type of number" },
    { "for",       "person|application", CTL_NEEDED, "who will use it" },
    { "country",   "CC",                 CTL_MAY,    "where [US]" },
    { "area-code", "N",                  CTL_MAY,    "such as 206 or 833" },
    { "calling",   "C",                  CTL_MAY,    "none, inbound, outbound or both" },
    { "sms",       "C",                  CTL_MAY,    "none, inbound, outbound or both; untold: all the type offers" },
    { "quantity",  "N",                  CTL_MAY,    "how many [1]" },
    { 0 },
};
/* the same, for a search made now */
static const struct ctl_option buy_options[] = {
    { "type",      "local|toll-free",    CTL_MAY, "without a SEARCHID: which type of number" },
    { "for",       "person|application", CTL_MAY, "who will use it" },
    { "country",   "CC",                 CTL_MAY, "where [US]" },
    { "area-code", "N",                  CTL_MAY, "such as 206 or 833" },
    { "calling",   "C",                  CTL_MAY, "none, inbound, outbound or both" },
    { "sms",       "C",                  CTL_MAY, "none, inbound, outbound or both; untold: all the type offers" },
    { "quantity",  "N",                  CTL_MAY, "how many [1]" },
    { 0 },
};
static const struct ctl_option capability_options[] = {
    { "calling", "C", CTL_MAY, "none, inbound, outbound or both" },
    { "sms",     "C", CTL_MAY, "none, inbound, outbound or both" },
    { 0 },
};

const struct ctl_command ctl_numbers_commands[] = {
    { "numbers", "search", "", 0, 0, search_options, search, "find numbers and hold them for 15 minutes" },
    { "numbers", "buy", "[SEARCHID]", 0, 1, buy_options, buy, "lease what a search holds, or search and lease at once" },
    { "numbers", "list", "", 0, 0, NULL, list, "the numbers leased here" },
    { "numbers", "show", "NUMBER", 1, 1, NULL, show, "one of them" },
    { "numbers", "capabilities", "NUMBER", 1, 1, capability_options, capabilities, "what it may do, or change that" },
    { "numbers", "release", "NUMBER", 1, 1, NULL, release, "give it back" },
    { 0 },
};
