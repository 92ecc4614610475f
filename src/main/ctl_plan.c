/* plan, price: what to acquire and what it costs, before anything is bought. */
#include <stdio.h>

#include "base/str.h"
#include "domain/numbers/catalogue.h"
#include "main/ctl_priv.h"

static const char *member(const struct ctl *c, const struct json *object, const char *path)
{
    struct str text = ctl_path_text(c, object, path);
    return text.n ? arena_str(c->arena, text).p : "";
}

/* "local number", "short code": what a person calls it. */
static const char *noun(const struct ctl *c, const struct json *row)
{
    enum number_type type;
    struct str word = json_text_of(row, "phoneNumberType");
    if (catalogue_type_read(word, &type))
        return arena_str(c->arena, word).p;         /* of a newer server */
    return type == NUMBER_GEOGRAPHIC ? "local number" : number_type_as_noun(type);
}

static const char *article(const char *word)
{
    return strchr("aeiou", word[0]) ? "an" : "a";
}

/* "rated" is every priced destination; an empty list is nobody. */
static const char *list_in_words(const struct ctl *c, const struct json *row, const char *name)
{
    const char *list = member(c, row, name);
    return !*list ? "none" : strcmp(list, "rated") == 0 ? "every priced destination" : list;
}

/* The target with an option of the command added to the query, when it was given; "both" is the API's "inbound+outbound". */
static struct str with(const struct ctl *c, struct str target, const char *option, const char *parameter)
{
    const char *value = ctl_option(c, option);
    if (!value)
        return target;
    if (strcmp(value, "both") == 0)
        value = "inbound+outbound";
    struct str pair = ctl_target(c, "%s=%e", parameter, value);
    return arena_printf(c->arena, STR_FMT "%c" STR_FMT, STR_ARG(target), str_find(target, '?') < 0 ? '?' : '&', STR_ARG(pair));
}

/* -- price ---------------------------------------------------------------------------------------------------------- */

static void say_refused(const struct ctl *c, const char *what, const struct json *no)
{
    ctl_say(c, "  %s: no (%s) %s", what, member(c, no, "rule"), member(c, no, "text"));
}

/* What comes in, the application's own leg of a call either way, and the number itself. */
static void say_received(const struct ctl *c, const struct json *row)
{
    const struct json *call = json_member(row, "call"), *sms = json_member(row, "sms");
    int64_t voip = json_int_of(call, "voipLegMicroUsdPerStartedMinute", 0), in = json_int_of(sms, "receiveMicroUsdPerSegment", -1);
    int64_t minute = json_int_of(call, "receiveMicroUsdPerStartedMinute", -1);
    if (minute >= 0)
        ctl_say(c, "  a call received: %s USD for each started minute", ctl_dollars(c, minute));
    if (voip)
        ctl_say(c, "  the application's VoIP leg of a call, out or in: %s USD for each started minute more", ctl_dollars(c, voip));
    if (in >= 0)
        ctl_say(c, "  an SMS received: %s USD a segment", ctl_dollars(c, in));
    ctl_say(c, "  the number: %s USD a month", ctl_dollars(c, json_int_of(row, "monthlyMicroUsd", 0)));
}

static void say_price(const struct ctl *c, const struct json *row)
{
    const struct json *call = json_member(row, "call"), *sms = json_member(row, "sms");
    const char *what = noun(c, row), *who = member(c, row, "assignmentType");
    ctl_say(c, "from %s %s in %s, of %s %s:", article(what), what, member(c, row, "countryCode"), article(who), who);
    if (json_bool_of(call, "allowed", false))
        ctl_say(c, "  call: %s USD for each started minute (%s, prefix %s)",
                ctl_dollars(c, json_int_of(call, "microUsdPerStartedMinute", 0)), member(c, call, "destination"),
                member(c, call, "prefix"));
    else
        say_refused(c, "call", call);
    if (json_bool_of(sms, "allowed", false))
        ctl_say(c, "  SMS:  %s USD a segment, of which %s is the carrier's surcharge",
                ctl_dollars(c, json_int_of(sms, "microUsdPerSegment", 0)), ctl_dollars(c, json_int_of(sms, "surchargeMicroUsd", 0)));
    else
        say_refused(c, "SMS", sms);
    say_received(c, row);
}

static bool price_wanted(const struct ctl *c, const struct json *row)
{
    const char *country = ctl_option(c, "country");
    return !country || str_eq_nocase(json_text_of(row, "countryCode"), str_of(country));
}

/* Many kinds: a line for each that reaches it. */
static void say_prices(const struct ctl *c, const struct json *rows)
{
    size_t others = 0;
    ctl_say(c, "%-4s %-22s %-12s %10s %10s %10s", "IN", "A", "FOR", "CALL/MIN", "SMS/SEG", "A MONTH");
    for (size_t i = 0; i < json_count(rows); i++) {
        const struct json *row = json_item(rows, i), *call = json_member(row, "call"), *sms = json_member(row, "sms");
        bool calls = json_bool_of(call, "allowed", false), texts = json_bool_of(sms, "allowed", false);
        if (!price_wanted(c, row))
            continue;
        others += !calls && !texts;
        if (calls || texts)
            ctl_say(c, "%-4s %-22s %-12s %10s %10s %10s", member(c, row, "countryCode"), noun(c, row),
                    member(c, row, "assignmentType"),
                    calls ? ctl_dollars(c, json_int_of(call, "microUsdPerStartedMinute", 0)) : "-",
                    texts ? ctl_dollars(c, json_int_of(sms, "microUsdPerSegment", 0)) : "-",
                    ctl_dollars(c, json_int_of(row, "monthlyMicroUsd", 0)));
    }
    ctl_say(c, "\nUS dollars. %zu kinds more do not reach it. --from TYPE or NUMBER tells all of one kind, --country CC those acquired there.",
            others);
}

static int price(struct ctl *c)
{
    enum { IN_FULL = 4 };
    struct ctl_answer answer;
    struct str target = with(c, ctl_target(c, "/carterfone/v1/price?to=%e", c->args[0]), "from", "from");
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", target, (struct str){ 0 }, &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    const struct json *rows = json_member(answer.json, "value");
    ctl_say(c, "%s, edition %s", member(c, answer.json, "to"), member(c, answer.json, "edition"));
    size_t wanted = 0;
    for (size_t i = 0; i < json_count(rows); i++)
        wanted += price_wanted(c, json_item(rows, i));
    for (size_t i = 0; i < json_count(rows) && wanted <= IN_FULL; i++)
        if (price_wanted(c, json_item(rows, i)))
            say_price(c, json_item(rows, i));
    if (wanted > IN_FULL)
        say_prices(c, rows);
    return CTL_OK;
}

/* -- plan ----------------------------------------------------------------------------------------------------------- */

static void say_cost(const struct ctl *c, const struct json *fit)
{
    const struct json *lines = json_member(json_member(fit, "monthly"), "lines");
    ctl_say(c, "  a month     %s USD", ctl_dollars(c, json_int_of(json_member(fit, "monthly"), "microUsd", 0)));
    for (size_t i = 0; i < json_count(lines); i++) {
        const struct json *line = json_item(lines, i);
        ctl_say(c, "    %-10s %lld x %s = %s", member(c, line, "what"), (long long)json_int_of(line, "units", 0),
                ctl_dollars(c, json_int_of(line, "microUsdEach", 0)), ctl_dollars(c, json_int_of(line, "microUsd", 0)));
    }
    if (json_int_of(json_member(fit, "monthly"), "setupMicroUsd", 0))
        ctl_say(c, "  once        %s USD to set it up", ctl_dollars(c, json_int_of(json_member(fit, "monthly"), "setupMicroUsd", 0)));
}

static void say_account(const struct ctl *c, const struct json *fit)
{
    const struct json *account = json_member(fit, "account");
    if (json_kind(account) != JSON_IS_OBJECT)
        return;
    if (json_bool_of(account, "mayBuy", false))
        ctl_say(c, "  account     %s may buy it", member(c, account, "name"));
    else
        ctl_say(c, "  account     %s may not buy it (rule: %s): %s\n              %s", member(c, account, "name"),
                member(c, account, "rule"), member(c, account, "text"), member(c, account, "suggestion"));
}

static void say_fit(const struct ctl *c, const struct json *fit)
{
    const char *needs = member(c, fit, "registration"), *offers = member(c, fit, "eligibility.offers");
    const char *what = noun(c, fit), *who = member(c, fit, "assignmentType");
    ctl_say(c, "%s %s for %s %s, %s in %s%s", article(what), what, article(who), who,
            json_bool_of(fit, "leasedBySearch", true) ? "acquired" : "applied for", member(c, fit, "countryCode"),
            str_eqz(json_text_of(fit, "status"), "preview") ? " (a preview)" : "");
    ctl_say(c, "  can         calling %s, SMS %s", member(c, fit, "availableCapabilities.calling"),
            member(c, fit, "availableCapabilities.sms"));
    ctl_say(c, "  calls       to %s; from %s", list_in_words(c, fit, "callsTo"), list_in_words(c, fit, "callsFrom"));
    ctl_say(c, "  SMS         to %s; from %s", list_in_words(c, fit, "smsTo"), list_in_words(c, fit, "smsFrom"));
    say_cost(c, fit);
    ctl_say(c, "  who may buy %s subscriptions, billed in %s%s", offers, member(c, fit, "eligibility.billingCountries"),
            json_bool_of(json_member(fit, "eligibility"), "ownUseOnly", false) ? "; for own use, not to be sold on" : "");
    say_account(c, fit);
    ctl_say(c, "  register    %s", *needs ? needs : "nothing has to be registered");
    if (*member(c, fit, "search"))
        ctl_say(c, "  next        %s", member(c, fit, "search"));
}

/* "" or " and 12 countries more". */
static const char *also_in(const struct ctl *c, const struct json *no)
{
    int64_t more = json_int_of(no, "moreCountries", 0);
    return more ? arena_printf(c->arena, " and %lld countries more", (long long)more).p : "";
}

static void say_obstacles(const struct ctl *c, const struct json *answer)
{
    const struct json *obstacles = json_member(answer, "obstacles");
    ctl_say(c, "Nothing in edition %s does that:", member(c, answer, "edition"));
    for (size_t i = 0; i < json_count(obstacles); i++) {
        const struct json *no = json_item(obstacles, i);
        const char *next = member(c, no, "suggestion");
        ctl_say(c, "- %s in %s%s (rule: %s): %s%s%s", noun(c, no), member(c, no, "countryCode"), also_in(c, no),
                member(c, no, "rule"), member(c, no, "text"), *next ? " " : "", next);
    }
}

/* Nothing is near for the account: what would change that. */
static void say_blocked(const struct ctl *c, const struct json *answer)
{
    const struct json *no = json_member(answer, "blockedBy");
    const char *account = member(c, answer, "wish.account"), *next = member(c, no, "suggestion");
    if (!json_member(no, "rule"))
        ctl_say(c, "\nNothing near it works either: ask for less, or for another country; `carterfone plan --for application` shows what there is.");
    else
        ctl_say(c, "\nNothing near it works for account %s (rule: %s): %s\n  next        %s", account, member(c, no, "rule"),
                member(c, no, "text"), next);
}

static void say_nearest(const struct ctl *c, const struct json *answer)
{
    const struct json *near = json_member(answer, "nearest"), *parts = json_member(near, "parts");
    const char *change = member(c, near, "change");
    if (!json_count(parts)) {
        say_blocked(c, answer);
        return;
    }
    ctl_say(c, "\nThe nearest that works%s%s:", *change ? ", " : "", change);
    for (size_t i = 0; i < json_count(parts); i++)
        say_fit(c, json_item(parts, i));
}

static void say_plan(const struct ctl *c, const struct json *answer)
{
    enum { SHOWN = 5 };
    const struct json *fits = json_member(answer, "fits");
    size_t n = json_count(fits), most = ctl_option(c, "country") || n <= SHOWN ? n : SHOWN;
    for (size_t i = 0; i < most; i++)
        say_fit(c, json_item(fits, i));
    if (most < n)
        ctl_say(c, "and %zu more that cost as much or more: --country CC narrows it, --json lists them all", n - most);
    if (!n)
        say_obstacles(c, answer);
    if (!json_bool_of(answer, "possible", false))
        say_nearest(c, answer);
    ctl_say(c, "\nPrices of edition %s, US dollars. Calls both ways count half each way, texts too; a text counts as one segment.%s",
            member(c, answer, "edition"), ctl_option(c, "to") || !ctl_option(c, "minutes")
            ? "" : "\nWithout --to, calls out count at the price they begin at.");
}

static int plan(struct ctl *c)
{
    static const char *const passed[] = { "country", "calling", "sms", "minutes", "messages", "to", "account" };
    struct ctl_answer answer;
    struct str target = ctl_target(c, "/carterfone/v1/plan?for=%e", ctl_option(c, "for"));
    for (size_t i = 0; i < ARRAY_LEN(passed); i++)
        target = with(c, target, passed[i], passed[i]);
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", target, (struct str){ 0 }, &answer);
    if (rc)
        return rc;
    if (!ctl_say_json(c, answer.body))
        say_plan(c, answer.json);
    return json_bool_of(answer.json, "possible", false) ? CTL_OK : CTL_REFUSED;
}

static const struct ctl_option plan_options[] = {
    { "for",      "person|application", CTL_NEEDED, "who will use the number" },
    { "country",  "CC",                 CTL_MAY,    "where to acquire it; untold: anywhere" },
    { "calling",  "C",                  CTL_MAY,    "none, inbound, outbound or both" },
    { "sms",      "C",                  CTL_MAY,    "none, inbound, outbound or both" },
    { "minutes",  "N",                  CTL_MAY,    "minutes of calls a month" },
    { "messages", "N",                  CTL_MAY,    "texts a month" },
    { "to",       "NUMBER",             CTL_MAY,    "a number it must reach" },
    { "account",  "NAME",               CTL_MAY,    "who would buy" },
    { 0 },
};
static const struct ctl_option price_options[] = {
    { "from", "TYPE|NUMBER", CTL_MAY, "the kind of number to call or text from (local, toll-free, mobile ...), or a number" },
    { "country", "CC", CTL_MAY, "of many kinds, those acquired there" },
    { 0 },
};

const struct ctl_command ctl_plan_commands[] = {
    { "plan", "", "", 0, 0, plan_options, plan, "which kind of number does it, where, for how much; or why none does" },
    { "price", "", "NUMBER", 1, 1, price_options, price, "what a call or a text to it costs" },
    { 0 },
};
