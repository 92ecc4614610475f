/* numbers ...: the phone-number API of ACS, with its long-running operations. */
#include "base/str.h"
#include "domain/numbers/catalogue.h"
#include "main/ctl_priv.h"

static const struct ctl_column number_columns[] = {
    { "NUMBER", "phoneNumber" }, { "TYPE", "phoneNumberType", CTL_TYPE }, { "FOR", "assignmentType" },
    { "CALLING", "capabilities.calling" }, { "SMS", "capabilities.sms" }, { ">MONTHLY", "cost.amount", CTL_MONEY },
    { "CURRENCY", "cost.currencyCode" }, { "SINCE", "purchaseDate" }, { 0 },
};

/* The API's word for a type; people may also say local and toll-free. */
static const char *type_word(const char *typed)
{
    enum number_type type;
    bool known = !catalogue_type_read(str_of(typed), &type) && number_type_is_leased(type);
    return known ? number_type_word(type) : NULL;
}

static void write_capability(const struct ctl *c, struct jw *w, const char *name, const char *otherwise)
{
    const char *given = ctl_option(c, name);
    if (given && strcmp(given, "both") == 0)
        given = "inbound+outbound";
    if (given || otherwise)
        jw_textz(w, name, given ? given : otherwise);
}

/* What a number of this type has at most, as the server offers it; none when it does not, for the search to say why. */
static int most_of(struct ctl *c, const char *country, const char *type, const char **calling, const char **sms)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_RESOURCE, "GET",
                     ctl_target(c, "/availablePhoneNumbers/countries/%e/offerings?phoneNumberType=%e&assignmentType=%e", country, type,
                                ctl_option(c, "for")), (struct str){ 0 }, &answer);
    if (rc)
        return rc;
    const struct json *most = json_item(json_member(answer.json, "phoneNumberOfferings"), 0);
    *calling = *sms = "none";
    if (json_kind(most) != JSON_IS_OBJECT)
        return CTL_OK;
    *calling = arena_str(c->arena, ctl_path_text(c, most, "availableCapabilities.calling")).p;
    *sms = arena_str(c->arena, ctl_path_text(c, most, "availableCapabilities.sms")).p;
    return CTL_OK;
}

/* Find numbers by the options and hold them. */
static int hold(struct ctl *c, struct ctl_answer *held)
{
    const char *type = type_word(ctl_option(c, "type")), *country = ctl_option(c, "country"), *calling = "none", *sms = "none";
    int64_t     quantity;
    if (!type)
        return ctl_usage(c, "--type is local, toll-free or mobile, not '%s'", ctl_option(c, "type"));
    country = country ? country : "US";
    int rc = ctl_option_int(c, "quantity", 1, 1000000, 1, &quantity);
    if (!rc && !ctl_option(c, "calling") && !ctl_option(c, "sms"))
        rc = most_of(c, country, type, &calling, &sms);         /* untold, a number gets all that its type offers */
    if (rc)
        return rc;

    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "phoneNumberType", type);
    jw_textz(&w, "assignmentType", ctl_option(c, "for"));
    jw_object(&w, "capabilities");
    write_capability(c, &w, "calling", calling);
    write_capability(c, &w, "sms", sms);
    jw_end(&w);
    if (ctl_option(c, "area-code"))
        jw_textz(&w, "areaCode", ctl_option(c, "area-code"));
    jw_int(&w, "quantity", quantity);
    jw_end(&w);

    return ctl_ask_long(c, "POST", ctl_target(c, "/availablePhoneNumbers/countries/%e/:search", country),
                        buf_str(&body), held);
}

static int search(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = hold(c, &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    static const struct ctl_column facts[] = {
        { "search", "searchId" }, { "numbers", "phoneNumbers" }, { "type", "phoneNumberType", CTL_TYPE }, { "for", "assignmentType" },
        { "calling", "capabilities.calling" }, { "sms", "capabilities.sms" }, { "monthly", "cost.amount", CTL_MONEY },
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
    jw_bool(&w, "agreeToNotResell", ctl_option(c, "agree-not-to-resell"));
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

static const struct ctl_column number_facts[] = {
    { "number", "phoneNumber" }, { "type", "phoneNumberType", CTL_TYPE }, { "for", "assignmentType" },
    { "calling", "capabilities.calling" }, { "sms", "capabilities.sms" }, { "monthly", "cost.amount", CTL_MONEY },
    { "since", "purchaseDate" }, { 0 },
};

static int tell_number(struct ctl *c, const struct ctl_answer *answer)
{
    if (!ctl_say_json(c, answer->body))
        ctl_facts(c, answer->json, number_facts);
    return CTL_OK;
}

/* What the published API does not say of it. */
static int tell_registration(struct ctl *c)
{
    static const struct ctl_column facts[] = { { "registration", "registration" }, { 0 } };
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

static int number_areas(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "AREA CODE", "areaCode" }, { "COUNTRY", "countryCode" }, { "TYPE", "phoneNumberType", CTL_TYPE }, { "PLACE", "locality" },
        { "STATE", "administrativeDivision" }, { 0 },
    };
    const char *locality = ctl_option(c, "locality"), *type = ctl_option(c, "type");
    const struct json *list;
    struct str text;
    struct str target = ctl_target(c, "/carterfone/v1/numbers/areas?country=%e", ctl_option(c, "country") ? ctl_option(c, "country") : "US");
    if (locality)
        target = ctl_target(c, "%s&locality=%e", target.p, locality);
    if (type)
        target = ctl_target(c, "%s&type=%e", target.p, type);
    int rc = ctl_ask_pages_as(c, CTL_AS_OPERATOR, target, "value", &list, &text);
    if (!rc && !ctl_say_json(c, text))
        ctl_table(c, list, columns, "No area codes are known there.");
    return rc;
}

static const struct ctl_option area_options[] = {
    { "country",  "CC", CTL_MAY, "where [US]" },
    { "locality", "L",  CTL_MAY, "such as Seattle or 'Portland, ME'" },
    { "type",     "T",  CTL_MAY, "local, toll-free or mobile" },
    { 0 },
};
static const struct ctl_option search_options[] = {
    { "type",      "local|toll-free|mobile", CTL_NEEDED, "which type of number" },
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
    { "type",      "local|toll-free|mobile", CTL_MAY, "without a SEARCHID: which type of number" },
    { "for",       "person|application", CTL_MAY, "who will use it" },
    { "country",   "CC",                 CTL_MAY, "where [US]" },
    { "area-code", "N",                  CTL_MAY, "such as 206 or 833" },
    { "calling",   "C",                  CTL_MAY, "none, inbound, outbound or both" },
    { "sms",       "C",                  CTL_MAY, "none, inbound, outbound or both; untold: all the type offers" },
    { "quantity",  "N",                  CTL_MAY, "how many [1]" },
    { "agree-not-to-resell", NULL,        CTL_MAY, "they are for own use (some countries ask for that)" },
    { 0 },
};
static const struct ctl_option capability_options[] = {
    { "calling", "C", CTL_MAY, "none, inbound, outbound or both" },
    { "sms",     "C", CTL_MAY, "none, inbound, outbound or both" },
    { 0 },
};

const struct ctl_command ctl_numbers_commands[] = {
    { "numbers", "search", "", 0, 0, search_options, search, "find numbers and hold them for 15 minutes" },
    { "numbers", "areas", "", 0, 0, area_options, number_areas, "area codes and the places they belong to" },
    { "numbers", "buy", "[SEARCHID]", 0, 1, buy_options, buy, "lease what a search holds, or search and lease at once" },
    { "numbers", "list", "", 0, 0, NULL, list, "the numbers leased here" },
    { "numbers", "show", "NUMBER", 1, 1, NULL, show, "one of them" },
    { "numbers", "capabilities", "NUMBER", 1, 1, capability_options, capabilities, "what it may do, or change that" },
    { "numbers", "release", "NUMBER", 1, 1, NULL, release, "give it back" },
    { 0 },
};
