/* numbers inventory, pools, export, tag, note, history, withdraw: the operator's view of the numbers. */
#include <errno.h>

#include "base/str.h"
#include "main/ctl_priv.h"

#define INVENTORY "/carterfone/v1/numbers/inventory"

enum { PAGE_MOST = 1000 };

/* option, what the query calls it */
static const struct { const char *option, *query; } filters[] = {
    { "prefix", "prefix" }, { "pattern", "pattern" }, { "country", "country" }, { "locality", "locality" }, { "type", "type" },
    { "carrier", "carrier" }, { "tag", "tag" }, { "state", "state" }, { "import", "import" },
};

/* "?type=local&..." of what was asked; "?" is there in any case. */
static struct str filtered(struct ctl *c, const char *path)
{
    struct str target = arena_printf(c->arena, "%s?all=%s", path, ctl_option(c, "all") ? "true" : "false");
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        const char *value = ctl_option(c, filters[i].option);
        if (value)
            target = ctl_target(c, "%s&%s=%e", target.p, filters[i].query, value);
    }
    return target;
}

static const struct ctl_column inventory_columns[] = {
    { "NUMBER", "phoneNumber" }, { "STATE", "state" }, { "TYPE", "phoneNumberType", CTL_TYPE }, { "PLACE", "locality" },
    { "CALLING", "capabilities.calling" }, { "SMS", "capabilities.sms" }, { "CARRIER", "carrier" }, { ">COST", "cost.amount", CTL_MONEY },
    { "TAGS", "tags", CTL_BRIEF }, { "RESOURCE", "resource" }, { "NOTE", "note", CTL_BRIEF }, { 0 },
};

/* Pages until there are as many as wanted: a page may be short where few numbers fit. */
static int inventory(struct ctl *c)
{
    int64_t top;
    size_t  n = 0;
    const char *after = ctl_option(c, "after");
    scoped_buf all = { 0 };
    struct jw  w = jw_of(&all);
    int rc = ctl_option_int(c, "top", 1, 100000, 100, &top);
    if (rc)
        return rc;
    struct str target = filtered(c, INVENTORY);
    if (after)
        target = ctl_target(c, "%s&after=%e", target.p, after);
    target = arena_printf(c->arena, STR_FMT "&top=%d", STR_ARG(target), (int)(top < PAGE_MOST ? top : PAGE_MOST));
    jw_object(&w, NULL);
    jw_array(&w, "value");
    while (target.n && n < (size_t)top) {
        struct ctl_answer answer;
        rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", target, (struct str){ 0 }, &answer);
        if (rc)
            return rc;
        const struct json *page = json_member(answer.json, "value");
        for (size_t i = 0; i < json_count(page) && n < (size_t)top; i++, n++)
            jw_json(&w, NULL, json_item(page, i));
        target = json_text_of(answer.json, "nextLink");
    }
    jw_end(&w);
    if (target.n)
        jw_text(&w, "nextLink", target);
    jw_end(&w);
    struct json_doc *doc = NULL;
    if (ctl_say_json(c, buf_str(&all)))
        return CTL_OK;
    if (json_read(&doc, buf_str(&all), NULL))
        return ctl_usage(NULL, "%s", err_words(ERR_NOMEM));
    const struct json *list = json_member(json_root(doc), "value");
    ctl_table(c, list, inventory_columns, "No number fits; `carterfone numbers import FILE.csv` brings some in.");
    if (target.n && n)
        ctl_say(c, "There are more: --top N, or --after " STR_FMT, STR_ARG(json_text_of(json_item(list, n - 1), "phoneNumber")));
    json_doc_free(doc);
    return CTL_OK;
}

static int pools(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "CARRIER", "carrier" }, { "COUNTRY", "countryCode" }, { "TYPE", "phoneNumberType", CTL_TYPE },
        { "CALLING", "capabilities.calling" }, { "SMS", "capabilities.sms" }, { ">AVAILABLE", "available" }, { ">HELD", "held" },
        { ">LEASED", "leased" }, { ">RELEASED", "released" }, { ">QUARANTINE", "quarantine" }, { ">IMPORTING", "importing" },
        { ">TOTAL", "total" }, { 0 },
    };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", STR("/carterfone/v1/numbers/pools"), (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, "The inventory has no numbers of your own; `carterfone numbers import` brings some in.");
    return rc;
}

/* -- export: pages one after the other are the file ------------------------------------------------------------------ */

static int export_page(struct ctl *c, struct str target, FILE *to, struct str *next, size_t *octets)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", target, (struct str){ 0 }, &answer);
    if (rc)
        return rc;
    *octets += answer.body.n;
    *next = answer.next;
    if (fwrite(answer.body.p, 1, answer.body.n, to) != answer.body.n)
        return ctl_usage(NULL, "it cannot be written: %s", strerror(errno));
    return CTL_OK;
}

static int export_pages(struct ctl *c, FILE *to, size_t *octets)
{
    char target[4096];
    struct str next = filtered(c, "/carterfone/v1/numbers/export");
    int rc = ctl_find(c);
    while (!rc && next.n) {
        struct ctl_part part;
        str_copyz(target, sizeof target, next);
        if (!ctl_part_begin(c, &part))
            return ctl_usage(NULL, "%s", err_words(ERR_NOMEM));
        rc = export_page(c, str_of(target), to, &next, octets);
        str_copyz(target, sizeof target, next);
        ctl_part_end(c, &part);
        next = str_of(target);
    }
    return rc;
}

static int export(struct ctl *c)
{
    const char *path = c->args_n && strcmp(c->args[0], "-") != 0 ? c->args[0] : NULL;
    size_t octets = 0;
    if (c->json)
        return ctl_usage(c, "an export is CSV; `numbers inventory --json` gives objects");
    FILE *to = path ? fopen(path, "we") : stdout;
    if (!to)
        return ctl_usage(NULL, "%s cannot be written: %s", path, strerror(errno));
    int rc = export_pages(c, to, &octets);
    if (path && fclose(to) != 0 && !rc)
        rc = ctl_usage(NULL, "%s cannot be written: %s", path, strerror(errno));
    if (path && !rc)
        ctl_say(c, "exported %zu octets to %s", octets, path);
    return rc;
}

/* -- one number ------------------------------------------------------------------------------------------------------ */

static const struct ctl_column facts[] = {
    { "number", "phoneNumber" }, { "state", "state" }, { "country", "countryCode" }, { "type", "phoneNumberType", CTL_TYPE },
    { "place", "locality", CTL_IF_ANY }, { "calling", "capabilities.calling" }, { "sms", "capabilities.sms" },
    { "carrier", "carrier" }, { "cost a month", "cost.amount", CTL_MONEY }, { "tags", "tags", CTL_IF_ANY },
    { "note", "note", CTL_IF_ANY }, { "import", "import", CTL_IF_ANY }, { "resource", "resource", CTL_IF_ANY },
    { "for", "assignmentType", CTL_IF_ANY }, { "leased since", "leasedSince", CTL_IF_ANY }, { "until", "until", CTL_IF_ANY },
    { 0 },
};

static int set(struct ctl *c, struct str body)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "PATCH", ctl_target(c, INVENTORY "/%e", c->args[0]), body, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_facts(c, answer.json, facts);
    return rc;
}

static int tag(struct ctl *c)
{
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    if ((c->args_n == 1) == !ctl_option(c, "none"))
        return ctl_usage(c, "either tags, or --none to take them away");
    jw_object(&w, NULL);
    jw_array(&w, "tags");
    for (int i = 1; i < c->args_n; i++)
        jw_textz(&w, NULL, c->args[i]);
    jw_end(&w);
    jw_end(&w);
    return set(c, buf_str(&body));
}

static int note(struct ctl *c)
{
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "note", c->args[1]);
    jw_end(&w);
    return set(c, buf_str(&body));
}

static int history(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "AT", "at" }, { "WHAT", "what", CTL_WORDS }, { "BY", "by" }, { "DETAIL", "detail" }, { 0 },
    };
    struct ctl_answer  answer;
    const struct json *lines;
    struct str         text;
    int rc = ctl_ask_this(c, &(struct ctl_question){ .as = CTL_AS_OPERATOR, .method = "GET", .quiet = true,
                                                     .target = ctl_target(c, INVENTORY "/%e", c->args[0]) }, &answer);
    bool there = !rc;
    if (!rc || (rc == CTL_REFUSED && answer.status == 404))     /* withdrawn, or simulated and free again: its past is kept */
        rc = ctl_ask_pages_as(c, CTL_AS_OPERATOR, ctl_target(c, INVENTORY "/%e/history", c->args[0]), "value", &lines, &text);
    else if (rc == CTL_REFUSED)
        return ctl_tell_refusal(c, &answer);
    if (!rc && !there && !json_count(lines))
        return ctl_tell_refusal(c, &answer);
    if (rc || ctl_say_json(c, text))
        return rc;
    if (there)
        ctl_facts(c, answer.json, facts);
    else
        ctl_say(c, "number  %s is not in the inventory now, and not in use", c->args[0]);
    ctl_say(c, "%s", "");
    ctl_table(c, lines, columns, "Nothing happened to it yet.");
    return CTL_OK;
}

static int withdraw(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "DELETE", ctl_target(c, INVENTORY "/%e", c->args[0]), (struct str){ 0 }, &answer);
    if (!rc)
        ctl_say(c, "withdrawn %s", c->args[0]);
    return rc;
}

/* -- what each takes -------------------------------------------------------------------------------------------------- */

#define FILTERS                                                                                                             \
    { "prefix",   "P",    CTL_MAY, "numbers that begin so: 1206, +4420; several with commas" },                             \
    { "pattern",  "P",    CTL_MAY, "? is a digit, * any number of them: 206*9?" },                                           \
    { "country",  "CC",   CTL_MAY, "such as US" },                                                                          \
    { "locality", "L",    CTL_MAY, "such as Seattle or 'Portland, ME'" },                                                   \
    { "type",     "T",    CTL_MAY, "local, toll-free or mobile" },                                                          \
    { "carrier",  "C",    CTL_MAY, "of this carrier" },                                                                     \
    { "tag",      "T",    CTL_MAY, "with this tag" },                                                                       \
    { "state",    "S",    CTL_MAY, "available, held, leased, released, quarantine or importing" },                          \
    { "import",   "ID",   CTL_MAY, "that came by this import" },                                                            \
    { "all",      NULL,   CTL_MAY, "simulated numbers in use as well" }

static const struct ctl_option inventory_options[] = {
    FILTERS,
    { "top",      "N",      CTL_MAY, "how many [100]" },
    { "after",    "NUMBER", CTL_MAY, "those behind this one" },
    { 0 },
};
static const struct ctl_option export_options[] = { FILTERS, { 0 } };
static const struct ctl_option tag_options[] = { { "none", NULL, CTL_MAY, "take its tags away" }, { 0 } };

const struct ctl_command ctl_inventory_commands[] = {
    { "numbers", "inventory", "", 0, 0, inventory_options, inventory, "the operator's numbers and where each one stands" },
    { "numbers", "pools", "", 0, 0, NULL, pools, "how many there are of each sort, in which state" },
    { "numbers", "export", "[FILE.csv|-]", 0, 1, export_options, export, "write them down as CSV, as import reads it" },
    { "numbers", "tag", "NUMBER [TAG...]", 1, CTL_GIVEN_MAX, tag_options, tag, "set its own tags, beside those of its import" },
    { "numbers", "note", "NUMBER TEXT", 2, 2, NULL, note, "set a note on one of them; an empty text takes it away" },
    { "numbers", "history", "NUMBER", 1, 1, NULL, history, "what one of them is, and what happened to it" },
    { "numbers", "withdraw", "NUMBER", 1, 1, NULL, withdraw, "take one out of the inventory" },
    { 0 },
};
