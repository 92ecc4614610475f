/* usage, invoice: what was used and what it costs. */
#include <stdio.h>

#include "base/str.h"
#include "main/ctl_priv.h"

/* "--account A --resource R --month M" and the rest, as a query. */
static struct str with_options(const struct ctl *c, struct str target, const char *const *names)
{
    char sep = '?';
    for (; *names; names++) {
        const char *value = ctl_option(c, *names);
        if (!value)
            continue;
        target = arena_printf(c->arena, STR_FMT "%c" STR_FMT, STR_ARG(target), sep,
                              STR_ARG(ctl_target(c, "%s=%e", *names, value)));
        sep = '&';
    }
    return arena_printf(c->arena, STR_FMT "%climit=1000", STR_ARG(target), sep);
}

/* The table as comma-separated values (RFC 4180): a header, then a line a row; prices as in the API, in millionths. */
static void put_field(struct str s, bool last)
{
    bool quoted = str_find(s, ',') >= 0 || str_find(s, '"') >= 0 || str_find(s, '\n') >= 0 || str_find(s, '\r') >= 0;
    if (quoted)
        putchar('"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            putchar('"');
        putchar(s.p[i]);
    }
    fputs(quoted ? "\"" : "", stdout);
    fputs(last ? "\n" : ",", stdout);
}

static void put_csv(const struct ctl *c, const struct json *rows, const char *const *paths)
{
    for (size_t k = 0; paths[k]; k++)
        put_field(str_of(paths[k]), !paths[k + 1]);
    for (size_t i = 0; i < json_count(rows); i++)
        for (size_t k = 0; paths[k]; k++)
            put_field(ctl_path_text(c, json_item(rows, i), paths[k]), !paths[k + 1]);
}

/* -- usage ------------------------------------------------------------------------------------------------------------- */

static const struct ctl_column charge_columns[] = {
    { "WHEN", "time" }, { "NUMBER", "number" }, { "KIND", "kind" }, { "CC", "countryCode" }, { "WHERETO", "destination", CTL_BRIEF },
    { ">QUANTITY", "quantity" }, { "UNIT", "unit" }, { ">EACH", "unitMicroUsd", CTL_MICRO }, { ">USD", "microUsd", CTL_MICRO },
    { "CAUSE", "cause" }, { 0 },
};
static const struct ctl_column kind_columns[] = {
    { "KIND", "kind" }, { ">QUANTITY", "quantity" }, { "UNIT", "unit" }, { ">SURCHARGE", "surchargeMicroUsd", CTL_MICRO },
    { ">USD", "microUsd", CTL_MICRO }, { 0 },
};
static const struct ctl_column day_columns[] = {
    { "DAY", "day" }, { "KIND", "kind" }, { ">QUANTITY", "quantity" }, { "UNIT", "unit" },
    { ">SURCHARGE", "surchargeMicroUsd", CTL_MICRO }, { ">USD", "microUsd", CTL_MICRO }, { 0 },
};
static const struct ctl_column number_columns[] = {
    { "NUMBER", "number" }, { "KIND", "kind" }, { ">QUANTITY", "quantity" }, { "UNIT", "unit" },
    { ">SURCHARGE", "surchargeMicroUsd", CTL_MICRO }, { ">USD", "microUsd", CTL_MICRO }, { 0 },
};
static const struct ctl_column destination_columns[] = {
    { "CC", "countryCode" }, { "WHERETO", "destination" }, { "KIND", "kind" }, { ">QUANTITY", "quantity" }, { "UNIT", "unit" },
    { ">SURCHARGE", "surchargeMicroUsd", CTL_MICRO }, { ">USD", "microUsd", CTL_MICRO }, { 0 },
};
static const char *const charge_fields[] = {
    "time", "until", "resource", "number", "kind", "countryCode", "destination", "quantity", "unit", "unitMicroUsd",
    "surchargeMicroUsd", "microUsd", "cause", "part", NULL,
};
static const char *const kind_fields[] = { "kind", "quantity", "unit", "surchargeMicroUsd", "microUsd", NULL };
static const char *const day_fields[] = { "day", "kind", "quantity", "unit", "surchargeMicroUsd", "microUsd", NULL };
static const char *const number_fields[] = { "number", "kind", "quantity", "unit", "surchargeMicroUsd", "microUsd", NULL };
static const char *const destination_fields[] = {
    "countryCode", "destination", "kind", "quantity", "unit", "surchargeMicroUsd", "microUsd", NULL,
};

static const struct view {
    const char              *by;
    const struct ctl_column *columns;
    const char *const       *fields;
} views[] = {
    { "charge", charge_columns, charge_fields }, { "kind", kind_columns, kind_fields }, { "day", day_columns, day_fields },
    { "number", number_columns, number_fields }, { "destination", destination_columns, destination_fields },
};

static int usage(struct ctl *c)
{
    static const char *const query[] = { "account", "resource", "month", "from", "to", "number", "kind", "by", NULL };
    struct ctl_answer whole;
    int rc = ctl_ask_own_pages(c, with_options(c, STR("/carterfone/v1/usage"), query), "value", &whole);
    if (rc)
        return rc;
    const struct json *rows = json_member(whole.json, "value");
    const struct view *v = views;
    while (!str_eqz(json_text_of(whole.json, "by"), v->by) && v + 1 < views + ARRAY_LEN(views))
        v++;
    if (ctl_option(c, "csv"))
        put_csv(c, rows, v->fields);
    else if (!ctl_say_json(c, whole.body))
        ctl_table(c, rows, v->columns, "Nothing was charged then.");
    return CTL_OK;
}

/* -- invoice ------------------------------------------------------------------------------------------------------------ */

static const struct ctl_column line_columns[] = {
    { "NUMBER", "number" }, { "KIND", "kind" }, { "CC", "countryCode" }, { "WHERETO", "destination", CTL_BRIEF },
    { ">QUANTITY", "quantity" }, { "UNIT", "unit" }, { ">EACH", "unitMicroUsd", CTL_MICRO }, { ">USD", "microUsd", CTL_MICRO },
    { ">OF THIS MONTH", "proRataMicroUsd", CTL_MICRO, "" }, { ">UNUSED", "unusedMicroUsd", CTL_MICRO, "" }, { 0 },
};
static const char *const line_fields[] = {
    "number", "kind", "countryCode", "destination", "quantity", "unit", "unitMicroUsd", "surchargeMicroUsd", "microUsd",
    "period.from", "period.to", "proRataMicroUsd", "releasedAt", "unusedMicroUsd", NULL,
};
static const struct ctl_column total_columns[] = {
    { "total USD", "microUsd", CTL_MICRO }, { "spend cap USD", "spendCapMicroUsd", CTL_MICRO, "none" }, { 0 },
};

static int invoice(struct ctl *c)
{
    static const char *const query[] = { "account", "resource", "month", NULL };
    struct ctl_answer whole;
    int rc = ctl_ask_own_pages(c, with_options(c, STR("/carterfone/v1/invoice"), query), "lines", &whole);
    if (rc)
        return rc;
    const struct json *lines = json_member(whole.json, "lines");
    if (ctl_option(c, "csv")) {
        put_csv(c, lines, line_fields);
        return CTL_OK;
    }
    if (ctl_say_json(c, whole.body))
        return CTL_OK;
    ctl_say(c, "account " STR_FMT ", " STR_FMT " (" STR_FMT ")\n", STR_ARG(json_text_of(whole.json, "account")),
            STR_ARG(json_text_of(whole.json, "month")), STR_ARG(json_text_of(whole.json, "state")));
    ctl_table(c, lines, line_columns, "Nothing was charged in this month.");
    ctl_say(c, "%s", "");
    ctl_facts(c, whole.json, total_columns);
    return CTL_OK;
}

/* -- account set --spend-cap --------------------------------------------------------------------------------------------- */

/* "25", "25.5", "0.000001": whole millionths. */
static bool micro_read(const char *text, int64_t *micro)
{
    enum { DECIMALS = 6, WHOLE_MOST = 1000000000 };
    struct str whole, rest;
    char padded[DECIMALS + 1] = "000000";
    uint64_t units, parts = 0;
    bool dot = str_cut(str_of(text), '.', &whole, &rest);
    if (str_u64(whole, WHOLE_MOST, &units) || (dot && !rest.n) || rest.n > DECIMALS)
        return false;
    memcpy(padded, rest.p ? rest.p : "", rest.n);
    if (str_u64(str_of(padded), 999999, &parts))
        return false;
    *micro = (int64_t)(units * 1000000 + parts);
    return true;
}

int ctl_set_spend_cap(struct ctl *c, const char *account, const char *usd)
{
    int64_t micro = -1;
    if (strcmp(usd, "none") != 0 && !micro_read(usd, &micro))
        return ctl_usage(c, "--spend-cap: '%s' is neither an amount such as 25.50 nor none", usd);
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    if (micro < 0)
        jw_null(&w, "microUsd");
    else
        jw_int(&w, "microUsd", micro);
    jw_end(&w);
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", ctl_target(c, "/carterfone/v1/accounts/%e/:spendCap", account), buf_str(&body),
                     &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    if (micro < 0)
        ctl_say(c, "%s has no spend cap", account);
    else
        ctl_say(c, "%s may spend %s USD a month; it spent %s in this one", account, ctl_dollars(c, micro),
                ctl_dollars(c, json_int_of(answer.json, "spentMicroUsd", 0)));
    return CTL_OK;
}

/* -- the table ------------------------------------------------------------------------------------------------------------ */

static const struct ctl_option usage_options[] = {
    { "account", "NAME", CTL_MAY, "whose [default]" },
    { "month", "YYYY-MM", CTL_MAY, "which month, UTC [this one]" },
    { "from", "DAY|TIME", CTL_MAY, "from then on, instead of a month" },
    { "to", "DAY|TIME", CTL_MAY, "until before then [end of the month of --from]" },
    { "number", "NUMBER", CTL_MAY, "of one number of ours" },
    { "kind", "KIND", CTL_MAY, "lease, smsOut, smsIn, callOut, callIn, voipLeg or emergency" },
    { "by", "WHAT", CTL_MAY, "sums by kind, day, number or destination [charge: each one]" },
    { "csv", NULL, CTL_MAY, "comma-separated values; amounts in millionths of a US dollar" },
    { 0 },
};
static const struct ctl_option invoice_options[] = {
    { "account", "NAME", CTL_MAY, "whose [default]" },
    { "month", "YYYY-MM", CTL_MAY, "which month, UTC [this one]" },
    { "csv", NULL, CTL_MAY, "its lines as comma-separated values; amounts in millionths of a US dollar" },
    { 0 },
};

const struct ctl_command ctl_money_commands[] = {
    { "usage", "", "", 0, 0, usage_options, usage, "what was charged: each charge, or sums" },
    { "invoice", "", "", 0, 0, invoice_options, invoice, "a month's invoice, line by line" },
    { 0 },
};
