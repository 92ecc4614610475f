/* fault: temporary faults of every edge (docs/faults.md). */
#include "base/fault.h"
#include "base/str.h"
#include "main/ctl_priv.h"

static const struct ctl_column columns[] = {
    { ">FAULT", "id" }, { "STATE", "state" }, { ">MATCHED", "matched" }, { ">HITS", "hits" }, { "LEFT", "left" }, { "WHAT", "fault" }, { 0 },
};

/* The words as typed, quoted together or not. */
static int add(struct ctl *c)
{
    scoped_buf text = { 0 }, body = { 0 };
    for (int i = 0; i < c->args_n; i++)
        buf_printf(&text, "%s%s", i ? " " : "", c->args[i]);
    struct jw w = jw_of(&body);
    jw_object(&w, NULL);
    jw_text(&w, "fault", buf_str(&text));
    jw_end(&w);
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", STR("/carterfone/v1/faults"), buf_str(&body), &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, "fault " STR_FMT " armed", STR_ARG(ctl_path_text(c, answer.json, "id")));
    return rc;
}

static int list(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", STR("/carterfone/v1/faults"), (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, "No fault is armed; `fault kinds` says which there are.");
    return rc;
}

static int clear(struct ctl *c)
{
    struct ctl_answer answer;
    struct str target = c->args_n ? ctl_target(c, "/carterfone/v1/faults/%e", c->args[0]) : STR("/carterfone/v1/faults");
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "DELETE", target, (struct str){ 0 }, &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    if (c->args_n)
        ctl_say(c, "cleared");
    else
        ctl_say(c, STR_FMT " cleared", STR_ARG(ctl_path_text(c, answer.json, "cleared")));
    return CTL_OK;
}

/* Needs no server: the table is the program's. */
static int list_kinds(struct ctl *c)
{
    scoped_buf body = { 0 };
    struct jw w = jw_of(&body);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    for (int k = 0; k < FAULT_KIND_COUNT; k++) {
        const char *edge = fault_edge_word(fault_edge_of((enum fault_kind)k)), *word = fault_kind_word((enum fault_kind)k);
        jw_object(&w, NULL);
        jw_textz(&w, "edge", edge);
        jw_textz(&w, "kind", strcmp(word, "#") ? word : "400 to 599");
        jw_textz(&w, "does", fault_kind_words((enum fault_kind)k));
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    static const struct ctl_column shown[] = { { "EDGE", "edge" }, { "KIND", "kind" }, { "WHAT IT DOES", "does" }, { 0 } };
    struct json_doc *doc = NULL;
    struct problem why;
    if (ctl_say_json(c, buf_str(&body)))
        return CTL_OK;
    if (json_read(&doc, buf_str(&body), &why))
        return CTL_REFUSED;
    ctl_table(c, json_root(doc), shown, "");
    json_doc_free(doc);
    return CTL_OK;
}

const struct ctl_command ctl_fault_commands[] = {
    { "fault", "add", "EDGE KIND [KEY=VALUE...]", 1, 16, NULL, add, "arm a fault, such as: api 429 path=/sms count=3" },
    { "fault", "list", "", 0, 0, NULL, list, "the faults there are, and how often they struck" },
    { "fault", "clear", "[ID]", 0, 1, NULL, clear, "forget one, or all" },
    { "fault", "kinds", "", 0, 0, NULL, list_kinds, "which faults can be armed" },
    { 0 },
};
