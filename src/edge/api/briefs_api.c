/* briefs_api.c - toll-free verification (spec toll-free-verification 2023-01-10-preview1) and short-code program briefs (spec
 * short-codes 2021-10-25-preview). What a brief may say: domain/registrations/brief_fields.h. */
#include "base/str.h"
#include "domain/registrations/registrations.h"
#include "domain/rules.h"
#include "edge/api/briefs_priv.h"
#include "edge/api/numbers_priv.h"

#include <stdio.h>

enum { PAGE_MOST = 1000 };

/* -- writing ---------------------------------------------------------------------------------------------------------------- */

static void write_numbers(struct jw *w, const struct json *content)
{
    const struct json *numbers = json_member(content, "phoneNumbers");
    if (numbers)
        jw_json(w, "phoneNumbers", numbers);
}

static void write_attachments(struct jw *w, const struct brief *b)
{
    if (b->kind != BRIEF_CAMPAIGN)
        return;
    jw_array(w, "attachments");
    for (size_t i = 0; i < b->n_attachments; i++) {
        jw_object(w, NULL);
        jw_textz(w, "id", b->attachments[i].id);
        jw_textz(w, "type", b->attachments[i].type);
        jw_textz(w, "fileName", b->attachments[i].name);
        jw_end(w);
    }
    jw_end(w);
}

static void write_cost(struct jw *w, int64_t micro, const char *frequency)
{
    if (micro < 0)
        return;
    jw_object(w, NULL);
    jw_micro(w, "amount", micro);
    jw_textz(w, "currencyCode", "USD");
    jw_textz(w, "billingFrequency", frequency);
    jw_end(w);
}

/* Of its short code, where the edition prices such; without the supplement of a vanity code, which it does not have. */
static void write_costs(const struct http_call *hc, struct jw *w, const struct brief *b)
{
    const struct catalogue_row *row = catalogue_find(numbers_edition(hc->api->numbers), str_of(b->country), SENDER_SHORT_CODE,
                                                     ASSIGNED_APPLICATION);
    if (!row || !b->number[0])
        return;
    jw_array(w, "costs");
    write_cost(w, row->lease_micro, "monthly");
    write_cost(w, catalogue_usage(row, USAGE_SETUP, ""), "once");
    jw_end(w);
}

/* What the service itself says of it, in an open object. */
static void write_own(const struct http_call *hc, struct jw *w, const struct brief *b)
{
    jw_textz(w, "id", b->id);
    jw_textz(w, "status", brief_state_word(b->kind, b->state));
    if (b->kind == BRIEF_PROGRAM && b->number[0])
        jw_textz(w, "number", b->number);
    jw_raw(w, b->kind == BRIEF_CAMPAIGN ? "reviewNotes" : "notes", str_of(b->notes));
    if (b->kind == BRIEF_PROGRAM)
        write_costs(hc, w, b);
    if (b->submitted_us)
        jw_time(w, "submissionDate", b->submitted_us);
    jw_time(w, "statusUpdatedDate", b->updated_us);
    if (b->kind == BRIEF_CAMPAIGN)
        jw_textz(w, "countryCode", b->country);
}

void brief_write(const struct http_call *hc, struct jw *w, const char *name, const struct brief *b)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    struct str key;
    const struct json *value;
    jw_object(w, name);
    write_own(hc, w, b);
    if (!json_read(&doc, str_of(b->content), NULL))
        for (void *at = NULL; json_next(json_root(doc), &at, &key, &value);)
            jw_json(w, key.p, value);
    write_attachments(w, b);
    jw_end(w);
}

static void write_summary(const struct http_call *hc, struct jw *w, const struct brief *b)
{
    (void)hc;
    scoped(json_doc) struct json_doc *doc = NULL;
    jw_object(w, NULL);
    jw_textz(w, "id", b->id);
    jw_textz(w, "countryCode", b->country);
    jw_textz(w, "briefType", "tollfreeVerification");
    jw_textz(w, "status", brief_state_word(b->kind, b->state));
    if (!json_read(&doc, str_of(b->content), NULL))
        write_numbers(w, json_root(doc));
    jw_end(w);
}

static void write_short_code(const struct http_call *hc, struct jw *w, const struct brief *b)
{
    (void)hc;
    jw_object(w, NULL);
    jw_textz(w, "number", b->number);
    jw_textz(w, "numberType", "shortCode");
    jw_textz(w, "countryCode", b->country);
    jw_array(w, "programBriefIds");
    jw_textz(w, NULL, b->id);
    jw_end(w);
    jw_time(w, "purchaseDate", b->updated_us);
    jw_end(w);
}

/* -- which brief is meant ---------------------------------------------------------------------------------------------------- */

/* {countryCode} stands before the id in campaigns' paths, and is in capitals everywhere. */
static enum err ref_of(struct http_call *hc, enum brief_kind kind, struct brief_ref *out)
{
    *out = (struct brief_ref){ .resource = hc->resource, .kind = kind,
                               .country = kind == BRIEF_CAMPAIGN ? arena_str(hc->arena, hc->params[0]) : STR("US"),
                               .id = hc->params[kind == BRIEF_CAMPAIGN ? 1 : 0] };
    if (!out->country.p)
        return ERR_NOMEM;
    for (char *c = (char *)(uintptr_t)out->country.p; kind == BRIEF_CAMPAIGN && *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    return ERR_NONE;
}

static void on_brief(void *arg, enum err err, const struct brief *b, bool created, const struct problem *why)
{
    struct http_call *hc = arg;
    if (err) {
        hc->why = *why;
        http_fail(hc, err);
        return;
    }
    if (!b) {
        http_reply(hc, 204);
        return;
    }
    struct jw w = jw_of(&hc->out);
    brief_write(hc, &w, NULL, b);
    http_reply(hc, created ? 201 : 200);
}

/* -- one brief ----------------------------------------------------------------------------------------------------------------- */

static enum err put_read(struct http_call *hc, enum brief_kind kind)
{
    struct str id = json_text_of(hc->json, "id"), path = hc->params[kind == BRIEF_CAMPAIGN ? 1 : 0];
    enum err err = brief_patch_check(kind, hc->json, &hc->why);
    if (err || !id.n || str_eq_nocase(id, path))
        return err;
    err = rule_problem(&hc->why, ERR_RANGE, RULE_BRIEF_ID_MISMATCH, arena_shown(hc->arena, id));
    problem_target(&hc->why, "id");
    return err;
}

static enum err put_run(struct http_call *hc, enum brief_kind kind)
{
    struct brief_ref ref;
    enum err err = ref_of(hc, kind, &ref);
    return err ? err : registrations_put(hc->api->registrations, &ref, hc->json, on_brief, hc, &hc->why);
}

static enum err submit(struct http_call *hc, enum brief_kind kind)
{
    struct brief_ref ref;
    enum err err = ref_of(hc, kind, &ref);
    return err ? err : registrations_submit(hc->api->registrations, &ref, on_brief, hc, &hc->why);
}

static enum err delete(struct http_call *hc, enum brief_kind kind)
{
    struct brief_ref ref;
    enum err err = ref_of(hc, kind, &ref);
    return err ? err : registrations_delete(hc->api->registrations, &ref, on_brief, hc, &hc->why);
}

static enum err get(struct http_call *hc, enum brief_kind kind)
{
    struct brief_ref ref;
    const struct brief *b;
    enum err err = ref_of(hc, kind, &ref);
    if (!err)
        err = registrations_find(hc->api->registrations, hc->resource, kind, ref.country, ref.id, &b, &hc->why);
    if (!err)
        on_brief(hc, ERR_NONE, b, false, NULL);
    return err;
}

static enum err campaign_put_read(struct http_call *hc) { return put_read(hc, BRIEF_CAMPAIGN); }
static enum err campaign_put(struct http_call *hc)      { return put_run(hc, BRIEF_CAMPAIGN); }
static enum err campaign_submit(struct http_call *hc)   { return submit(hc, BRIEF_CAMPAIGN); }
static enum err campaign_delete(struct http_call *hc)   { return delete(hc, BRIEF_CAMPAIGN); }
static enum err campaign_get(struct http_call *hc)      { return get(hc, BRIEF_CAMPAIGN); }
static enum err program_put_read(struct http_call *hc)  { return put_read(hc, BRIEF_PROGRAM); }
static enum err program_put(struct http_call *hc)       { return put_run(hc, BRIEF_PROGRAM); }
static enum err program_submit(struct http_call *hc)    { return submit(hc, BRIEF_PROGRAM); }
static enum err program_delete(struct http_call *hc)    { return delete(hc, BRIEF_PROGRAM); }
static enum err program_get(struct http_call *hc)       { return get(hc, BRIEF_PROGRAM); }

/* -- lists ------------------------------------------------------------------------------------------------------------------------ */

struct page { int64_t skip, top; };

static enum err page_read(struct http_call *hc, struct page *p)
{
    enum err err = http_query_int(hc, "skip", 0, INT32_MAX, 0, &p->skip);
    return err ? err : http_query_int(hc, "top", 1, PAGE_MOST, 100, &p->top);
}

static void write_element(const struct http_call *hc, struct jw *w, const struct brief *b)
{
    brief_write(hc, w, NULL, b);
}

static enum err list(struct http_call *hc, const struct brief_filter *filter, const char *path, const char *items,
                     void (*write)(const struct http_call *hc, struct jw *w, const struct brief *b))
{
    struct page p;
    bool more;
    enum err err = page_read(hc, &p);
    if (err)
        return err;
    const struct brief **found = arena_array(hc->arena, (size_t)p.top, sizeof(const struct brief *));
    if (!found)
        return ERR_NOMEM;
    size_t n = registrations_list(hc->api->registrations, filter, (size_t)p.skip, (size_t)p.top, found, &more);
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, items);
    for (size_t i = 0; i < n; i++)
        write(hc, &w, found[i]);
    jw_end(&w);
    numbers_write_next(hc, &w, more, path, p.skip, "top", p.top, NULL);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

static enum err campaigns_list(struct http_call *hc)
{
    struct brief_ref ref;
    enum err err = ref_of(hc, BRIEF_CAMPAIGN, &ref);
    if (err)
        return err;
    struct str path = arena_printf(hc->arena, "/tollfreeVerification/countries/%s/campaignBriefs", ref.country.p);
    return path.p ? list(hc, &(struct brief_filter){ hc->resource, BRIEF_CAMPAIGN, ref.country, false }, path.p,
                         "campaignBriefs", write_element)
                  : ERR_NOMEM;
}

static enum err summaries_list(struct http_call *hc)
{
    return list(hc, &(struct brief_filter){ .resource = hc->resource, .kind = BRIEF_CAMPAIGN },
                "/tollfreeVerification/campaignBriefs", "campaignBriefSummaries", write_summary);
}

static enum err programs_list(struct http_call *hc)
{
    return list(hc, &(struct brief_filter){ .resource = hc->resource, .kind = BRIEF_PROGRAM },
                "/shortCodes/countries/US/programBriefs", "programBriefs", write_element);
}

static enum err short_codes_list(struct http_call *hc)
{
    return list(hc, &(struct brief_filter){ .resource = hc->resource, .kind = BRIEF_PROGRAM, .with_number = true },
                "/shortCodes", "shortCodes", write_short_code);
}

/* -- attachments --------------------------------------------------------------------------------------------------------------------- */

struct attachment_body {
    struct str              id, type, name, file_type, content;
    int64_t                 size;
    struct brief_attachment made;
};
static const struct json_field attachment_fields[] = {
    JSON_TEXT_FIELD(struct attachment_body, id, "id", true, 1, 64),
    JSON_TEXT_FIELD(struct attachment_body, type, "type", true, 1, 64),
    JSON_TEXT_FIELD(struct attachment_body, name, "fileName", true, 1, 200),
    JSON_TEXT_FIELD(struct attachment_body, file_type, "fileType", true, 1, 8),
    JSON_TEXT_FIELD(struct attachment_body, content, "fileContentBase64", true, 1, 2 * BRIEF_ATTACHMENT_OCTETS_MAX),
    JSON_INT_FIELD(struct attachment_body, size, "fileSizeInBytes", false, 0, INT32_MAX),
};
static const char *const attachment_types[] = {
    "optInSmsKeyword", "optInIVR", "optInPointOfSale", "optInWebsite", "optInPaperForm", "optInOther", "optInDescription", NULL,
};
static const char *const file_types[] = { "png", "jpg", "jpeg", "pdf", NULL };

static enum err wrong(struct http_call *hc, const char *field, const char *must)
{
    enum err err = rule_problem(&hc->why, ERR_RANGE, RULE_BRIEF_FIELD_INVALID, field, must);
    problem_target(&hc->why, "%s", field);
    return err;
}

static enum err word_read(struct http_call *hc, const char *field, struct str given, const char *const *words, char *dst,
                          size_t size)
{
    struct str must = STR("one of");
    for (const char *const *word = words; *word; word++) {
        if (str_eq_nocase(given, str_of(*word))) {
            str_copyz(dst, size, str_of(*word));
            return ERR_NONE;
        }
        must = arena_printf(hc->arena, STR_FMT "%s %s", STR_ARG(must), word == words ? "" : ",", *word);
    }
    return wrong(hc, field, must.p ? must.p : "a known word");
}

static enum err content_check(struct http_call *hc, const struct attachment_body *b, int64_t *size)
{
    size_t n = 0;
    char have[24], most[24];
    uint8_t *octets = arena_alloc(hc->arena, b->content.n);
    if (!octets)
        return ERR_NOMEM;
    if (base64_read(octets, b->content.n, b->content, &n) || !n)
        return wrong(hc, "fileContentBase64", "the file in base64");
    *size = (int64_t)n;
    if (n > BRIEF_ATTACHMENT_OCTETS_MAX) {
        snprintf(have, sizeof have, "%zu", n);
        snprintf(most, sizeof most, "%d", BRIEF_ATTACHMENT_OCTETS_MAX);
        enum err err = rule_problem(&hc->why, ERR_SIZE, RULE_ATTACHMENT_TOO_LARGE, have, most);
        problem_target(&hc->why, "fileContentBase64");
        return err;
    }
    return b->size && b->size != *size ? wrong(hc, "fileSizeInBytes", "the size of the file, or left out") : ERR_NONE;
}

static enum err attachment_read(struct http_call *hc)
{
    struct attachment_body *b = arena_one(hc->arena, struct attachment_body);
    if (!b)
        return ERR_NOMEM;
    hc->rq = b;
    enum err err = numbers_body_fill(hc, attachment_fields, ARRAY_LEN(attachment_fields), b);
    if (!err && guid_lower(hc->params[2], b->made.id))
        err = wrong(hc, "attachmentId", "a GUID");
    if (!err && !str_eq_nocase(b->id, hc->params[2])) {
        err = rule_problem(&hc->why, ERR_RANGE, RULE_BRIEF_ID_MISMATCH, b->id.p);
        problem_target(&hc->why, "id");
    }
    if (!err)
        err = word_read(hc, "type", b->type, attachment_types, b->made.type, sizeof b->made.type);
    if (!err)
        err = word_read(hc, "fileType", b->file_type, file_types, b->made.file_type, sizeof b->made.file_type);
    if (!err)
        err = content_check(hc, b, &b->made.size);
    if (!err && b->name.n >= sizeof b->made.name)
        err = wrong(hc, "fileName", "of at most 255 octets");
    if (!err)
        str_copyz(b->made.name, sizeof b->made.name, b->name);
    return err;
}

static void write_attachment(struct jw *w, const struct brief_attachment_row *a)
{
    jw_object(w, NULL);
    jw_text(w, "id", a->guid);
    jw_text(w, "type", a->type);
    jw_text(w, "fileName", a->name);
    jw_int(w, "fileSizeInBytes", a->size);
    jw_text(w, "fileType", a->file_type);
    jw_text(w, "fileContentBase64", a->content);
    jw_end(w);
}

static void on_attached(void *arg, enum err err, const struct brief *brief, bool created, const struct problem *why)
{
    struct http_call *hc = arg;
    const struct attachment_body *b = hc->rq;
    (void)brief;
    if (err) {
        hc->why = *why;
        http_fail(hc, err);
        return;
    }
    struct jw w = jw_of(&hc->out);
    write_attachment(&w, &(struct brief_attachment_row){ .guid = str_of(b->made.id), .type = str_of(b->made.type),
                                                         .name = b->name, .file_type = str_of(b->made.file_type),
                                                         .size = b->made.size, .content = b->content });
    http_reply(hc, created ? 201 : 200);
}

static enum err attachment_put(struct http_call *hc)
{
    struct brief_ref ref;
    const struct attachment_body *b = hc->rq;
    enum err err = ref_of(hc, BRIEF_CAMPAIGN, &ref);
    return err ? err : registrations_attach(hc->api->registrations, &ref, &b->made, b->content, on_attached, hc, &hc->why);
}

static void on_detached(void *arg, enum err err, const struct brief *b, bool created, const struct problem *why)
{
    (void)b, (void)created;
    on_brief(arg, err, NULL, false, why);
}

static enum err attachment_delete(struct http_call *hc)
{
    struct brief_ref ref;
    enum err err = ref_of(hc, BRIEF_CAMPAIGN, &ref);
    return err ? err : registrations_detach(hc->api->registrations, &ref, hc->params[2], on_detached, hc, &hc->why);
}

struct reading {
    struct db_read    read;
    struct http_call *hc;
    struct page       page;
    struct str        country, brief;
    bool              one;
};

static void write_attachment_page(const struct reading *g, struct db_rows *rows)
{
    struct http_call *hc = g->hc;
    size_t n = 0, all = db_rows_count(rows);
    struct str path = arena_printf(hc->arena, "/tollfreeVerification/countries/" STR_FMT "/campaignBriefs/" STR_FMT "/attachments",
                                   STR_ARG(g->country), STR_ARG(g->brief));
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "attachments");
    while (n++ < (size_t)g->page.top && db_rows_next(rows)) {
        struct brief_attachment_row a = brief_attachment_row_of(rows);
        write_attachment(&w, &a);
    }
    jw_end(&w);
    numbers_write_next(hc, &w, all > (size_t)g->page.top, path.p ? path.p : "", g->page.skip, "top", g->page.top, NULL);
    jw_end(&w);
    http_reply(hc, 200);
}

static void on_attachments(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct reading *g = container_of(item, struct reading, read.item);
    struct http_call *hc = g->hc;
    scoped(db_rows) struct db_rows *rows = g->read.err ? NULL : g->read.rows;
    if (!rows) {
        http_fail(hc, rule_problem(&hc->why, ERR_STORE, RULE_STORE_BUSY));
    } else if (!g->one) {
        write_attachment_page(g, rows);
    } else if (db_rows_next(rows)) {
        struct jw w = jw_of(&hc->out);
        struct brief_attachment_row a = brief_attachment_row_of(rows);
        write_attachment(&w, &a);
        http_reply(hc, 200);
    } else {                            /* deleted while it was asked for */
        http_fail(hc, rule_problem(&hc->why, ERR_ABSENT, RULE_ATTACHMENT_NOT_FOUND, "asked for"));
    }
    free(g);
}

static void drop_attachments(struct inbox_item *item)
{
    struct reading *g = container_of(item, struct reading, read.item);
    if (!g->read.err)
        db_rows_free(g->read.rows);
    free(g);
}

static const struct inbox_kind attachments_kind = { "briefs.attachments", on_attachments, drop_attachments };

static enum err attachments_ask(struct http_call *hc, bool one)
{
    struct brief_ref ref;
    struct page p = { 0, 1 };
    enum err err = ref_of(hc, BRIEF_CAMPAIGN, &ref);
    if (!err && !one)
        err = page_read(hc, &p);
    if (err)
        return err;
    struct reading *g = calloc(1, sizeof *g);
    if (!g)
        return ERR_NOMEM;
    *g = (struct reading){ .read = { .item.kind = &attachments_kind, .to = control_inbox(hc->api->control) }, .hc = hc, .page = p,
                           .country = ref.country, .brief = ref.id, .one = one };
    err = registrations_attachments(hc->api->registrations, &ref, one ? hc->params[2] : STR(""), p.skip, p.top + !one, &g->read,
                                    &hc->why);
    if (err)
        free(g);
    return err;
}

static enum err attachment_get(struct http_call *hc)   { return attachments_ask(hc, true); }
static enum err attachments_list(struct http_call *hc) { return attachments_ask(hc, false); }

/* -- routes ---------------------------------------------------------------------------------------------------------------------------- */

#define TEST_API "tests/api/registrations.test.mjs"
#define CAMPAIGNS "/tollfreeVerification/countries/{countryCode}/campaignBriefs"
#define CAMPAIGN CAMPAIGNS "/{campaignBriefId}"
#define ATTACHMENT CAMPAIGN "/attachments/{attachmentId}"
#define PROGRAMS "/shortCodes/countries/US/programBriefs"
#define PROGRAM PROGRAMS "/{programBriefId}"

const struct http_route briefs_routes[] = {
    { "GET", "/shortCodes", HTTP_RESOURCE, NULL, short_codes_list, "ShortCodes_GetShortCodes", TEST_API },
    { "PATCH", PROGRAM, HTTP_RESOURCE, program_put_read, program_put, "ShortCodes_UpsertUSProgramBrief", TEST_API },
    { "DELETE", PROGRAM, HTTP_RESOURCE, NULL, program_delete, "ShortCodes_DeleteUSProgramBrief", TEST_API },
    { "GET", PROGRAM, HTTP_RESOURCE, NULL, program_get, "ShortCodes_GetUSProgramBrief", TEST_API },
    { "POST", PROGRAM "/:submit", HTTP_RESOURCE, NULL, program_submit, "ShortCodes_SubmitUSProgramBrief", TEST_API },
    { "GET", PROGRAMS, HTTP_RESOURCE, NULL, programs_list, "ShortCodes_GetUSProgramBriefs", TEST_API },
    { "PATCH", CAMPAIGN, HTTP_RESOURCE, campaign_put_read, campaign_put, "TollFreeVerification_UpsertCampaignBrief", TEST_API },
    { "DELETE", CAMPAIGN, HTTP_RESOURCE, NULL, campaign_delete, "TollFreeVerification_DeleteCampaignBrief", TEST_API },
    { "GET", CAMPAIGN, HTTP_RESOURCE, NULL, campaign_get, "TollFreeVerification_GetCampaignBrief", TEST_API },
    { "POST", CAMPAIGN "/:submit", HTTP_RESOURCE, NULL, campaign_submit, "TollFreeVerification_SubmitCampaignBrief", TEST_API },
    { "GET", CAMPAIGNS, HTTP_RESOURCE, NULL, campaigns_list, "TollFreeVerification_GetAllCampaignBriefsByCountryCode", TEST_API },
    { "GET", "/tollfreeVerification/campaignBriefs", HTTP_RESOURCE, NULL, summaries_list,
      "TollFreeVerification_GetAllCampaignBriefSummaries", TEST_API },
    { "PUT", ATTACHMENT, HTTP_RESOURCE, attachment_read, attachment_put,
      "TollFreeVerification_CreateOrReplaceCampaignBriefAttachment", TEST_API },
    { "DELETE", ATTACHMENT, HTTP_RESOURCE, NULL, attachment_delete, "TollFreeVerification_DeleteCampaignBriefAttachment",
      TEST_API },
    { "GET", ATTACHMENT, HTTP_RESOURCE, NULL, attachment_get, "TollFreeVerification_GetCampaignBriefAttachment", TEST_API },
    { "GET", CAMPAIGN "/attachments", HTTP_RESOURCE, NULL, attachments_list,
      "TollFreeVerification_GetCampaignBriefAttachments", TEST_API },
    { 0 },
};
