/* registration ...: what resources registered, and the operator's decision of it. */
#include "base/str.h"
#include "main/ctl_priv.h"

static struct str with_resource(const struct ctl *c, struct str target)
{
    return c->resource ? arena_printf(c->arena, STR_FMT "?resource=" STR_FMT, STR_ARG(target),
                                      STR_ARG(ctl_target(c, "%e", c->resource)))
                       : target;
}

static int registration_list(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "ID", "id" }, { "KIND", "kind" }, { "RESOURCE", "resource" }, { "STATUS", "status" }, { "COUNTRY", "countryCode" },
        { "NUMBERS", "numbers", CTL_BRIEF }, { "SINCE", "statusUpdatedDate" }, { 0 },
    };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", with_resource(c, STR("/carterfone/v1/registrations")), (struct str){ 0 },
                     &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, "Nothing is registered; docs/registrations.md says how a client does.");
    return rc;
}

static int tell(struct ctl *c, const struct ctl_answer *answer)
{
    static const struct ctl_column facts[] = {
        { "id", "id" }, { "kind", "kind" }, { "resource", "resource" }, { "status", "status" }, { "country", "countryCode" },
        { "numbers", "numbers", CTL_IF_ANY }, { "company", "brief.businessInformation.companyName", CTL_IF_ANY },
        { "company", "brief.companyInformation.name", CTL_IF_ANY }, { "use case", "brief.useCaseInfo.useCase", CTL_IF_ANY },
        { "summary", "brief.useCaseInfo.useCaseSummary", CTL_IF_ANY }, { "program", "brief.programDetails.name", CTL_IF_ANY },
        { "monthly volume", "brief.estimatedMonthlyVolume", CTL_IF_ANY }, { "submitted", "submissionDate", CTL_IF_ANY },
        { "status since", "statusUpdatedDate" }, { 0 },
    };
    if (ctl_say_json(c, answer->body))
        return CTL_OK;
    ctl_facts(c, answer->json, facts);
    const struct json *brief = json_member(answer->json, "brief"), *notes = json_member(brief, "reviewNotes");
    if (!notes)
        notes = json_member(brief, "notes");
    for (size_t i = 0; i < json_count(notes); i++)
        ctl_say(c, "note            " STR_FMT "  " STR_FMT, STR_ARG(json_text_of(json_item(notes, i), "date")),
                STR_ARG(json_text_of(json_item(notes, i), "message")));
    return CTL_OK;
}

static int registration_show(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", with_resource(c, ctl_target(c, "/carterfone/v1/registrations/%e", c->args[0])),
                     (struct str){ 0 }, &answer);
    return rc ? rc : tell(c, &answer);
}

static int decide(struct ctl *c, const char *decision)
{
    static const struct { const char *option, *member; } said[] = {
        { "code", "code" }, { "note", "note" }, { "short-code", "shortCode" },
    };
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "decision", decision);
    for (size_t i = 0; i < ARRAY_LEN(said); i++)
        if (ctl_option(c, said[i].option))
            jw_textz(&w, said[i].member, ctl_option(c, said[i].option));
    if (c->resource)
        jw_textz(&w, "resource", c->resource);
    jw_end(&w);
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", ctl_target(c, "/carterfone/v1/registrations/%e/:decide", c->args[0]),
                     buf_str(&body), &answer);
    return rc ? rc : tell(c, &answer);
}

static int registration_approve(struct ctl *c) { return decide(c, "approve"); }
static int registration_reject(struct ctl *c)  { return decide(c, "reject"); }
static int registration_cancel(struct ctl *c)  { return decide(c, "cancel"); }
static int registration_return(struct ctl *c)
{
    return decide(c, ctl_option(c, "vanity") ? "newVanityNumbers" : "return");
}

static const struct ctl_option approve_options[] = {
    { "note",       "TEXT",   CTL_MAY, "told to the client" },
    { "short-code", "DIGITS", CTL_MAY, "the code of a short-code brief; untold, a simulated one" },
    { 0 },
};
static const struct ctl_option reject_options[] = {
    { "code", "CODE", CTL_MAY, "the reason's code, told to the client before the note" },
    { "note", "TEXT", CTL_MAY, "told to the client" },
    { 0 },
};
static const struct ctl_option return_options[] = {
    { "code",   "CODE", CTL_MAY, "the reason's code, told to the client before the note" },
    { "note",   "TEXT", CTL_MAY, "what is missing" },
    { "vanity", NULL,   CTL_MAY, "of a short-code brief: other vanity numbers are needed" },
    { 0 },
};

const struct ctl_command ctl_registration_commands[] = {
    { "registration", "list", "", 0, 0, NULL, registration_list, "toll-free verifications and short-code programs" },
    { "registration", "show", "ID", 1, 1, NULL, registration_show, "one of them, with its notes" },
    { "registration", "approve", "ID", 1, 1, approve_options, registration_approve, "its numbers are verified, or it gets its short code" },
    { "registration", "reject", "ID", 1, 1, reject_options, registration_reject, "for good" },
    { "registration", "return", "ID", 1, 1, return_options, registration_return, "more information is needed: the client may change it" },
    { "registration", "cancel", "ID", 1, 1, reject_options, registration_cancel, "a toll-free verification comes to nothing" },
    { 0 },
};
