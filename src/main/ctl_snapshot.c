/* snapshot, restore, reset: a running server's whole state (docs/snapshots.md). */
#include "base/str.h"
#include "main/ctl_priv.h"

static int tell(struct ctl *c, const struct ctl_answer *answer, const char *what)
{
    if (!ctl_say_json(c, answer->body))
        ctl_say(c, "%s in " STR_FMT " ms; product time " STR_FMT, what, STR_ARG(ctl_path_text(c, answer->json, "tookMs")),
                STR_ARG(ctl_path_text(c, answer->json, "productTime")));
    return CTL_OK;
}

static int take(struct ctl *c)
{
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    struct ctl_answer answer;
    jw_object(&w, NULL);
    if (c->args_n)
        jw_textz(&w, "name", c->args[0]);
    if (ctl_option(c, "force"))
        jw_bool(&w, "force", true);
    jw_end(&w);
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", STR("/carterfone/v1/snapshots"), buf_str(&body), &answer);
    if (rc)
        return rc;
    return tell(c, &answer, arena_printf(c->arena, "snapshot " STR_FMT " taken", STR_ARG(ctl_path_text(c, answer.json, "name"))).p);
}

static int list(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "SNAPSHOT", "name" }, { "TAKEN", "takenAt" }, { ">OCTETS", "octets", CTL_WHOLE, "in memory" }, { 0 },
    };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", STR("/carterfone/v1/snapshots"), (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, "No snapshot; `carterfone snapshot [NAME]` takes one.");
    return rc;
}

static int delete(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "DELETE", ctl_target(c, "/carterfone/v1/snapshots/%e", c->args[0]), (struct str){ 0 },
                     &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, "deleted");
    return rc;
}

static struct str forced(const struct ctl *c)
{
    return ctl_option(c, "force") ? STR("{\"force\":true}") : (struct str){ 0 };
}

static int restore(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", ctl_target(c, "/carterfone/v1/snapshots/%e/:restore", c->args[0]), forced(c), &answer);
    return rc ? rc : tell(c, &answer, "restored");
}

static int reset(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", STR("/carterfone/v1/:reset"), forced(c), &answer);
    return rc ? rc : tell(c, &answer, "reset");
}

static const struct ctl_option take_options[] = {
    { "force", NULL, CTL_MAY, "in the place of a snapshot of that name" },
    { 0 },
};

static const struct ctl_option replace_options[] = {
    { "force", NULL, CTL_MAY, "although there is a real carrier" },
    { 0 },
};

const struct ctl_command ctl_snapshot_commands[] = {
    { "snapshot", "list", "", 0, 0, NULL, list, "the snapshots there are" },
    { "snapshot", "delete", "NAME", 1, 1, NULL, delete, "remove one" },
    { "snapshot", "", "[NAME]", 0, 1, take_options, take, "keep the whole state of the running server; `snapshot list` and `snapshot delete NAME` look after them" },
    { "restore", "", "NAME", 1, 1, replace_options, restore, "put a snapshot in the place of the state there is" },
    { "reset", "", "", 0, 0, replace_options, reset, "back to the state of the first start" },
    { 0 },
};
