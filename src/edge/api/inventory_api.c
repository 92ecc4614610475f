/* inventory_api.c - the operator's inventory: its numbers, pools of them, one number's facts and history, tags and notes. */
#include "codec/e164/e164.h"
#include "domain/numbers/stock.h"
#include "domain/rules.h"
#include "edge/api/inventory_priv.h"
#include "edge/api/numbers_priv.h"

#include <inttypes.h>

enum { LISTED = 100, HISTORY_SHOWN = 100 };

/* -- one number as JSON --------------------------------------------------------------------------------------------- */

static void write_tags(struct jw *w, const char *words)
{
    struct str one, rest = str_of(words);
    while (rest.n) {
        str_cut(rest, ' ', &one, &rest);
        if (one.n)
            jw_text(w, NULL, one);
    }
}

static void write_place(struct jw *w, const struct stock_number *x)
{
    struct nanp_number na;
    const struct nanp_area *a = nanp_read(x->number, &na) ? nanp_area(na.npa) : NULL;
    if (!a || a->kind != NANP_GEOGRAPHIC)
        return;
    jw_textz(w, "locality", a->place);
    jw_textz(w, "administrativeDivision", a->admin);
}

/* Who has it, since when and until when. */
static void write_holder(const struct http_call *hc, struct jw *w, const struct stock_number *x)
{
    const struct resource *r = x->resource ? accounts_resource(hc->api->accounts, x->resource) : NULL;
    if (r)
        jw_textz(w, "resource", r->name);
    if (x->lease)
        jw_textz(w, "assignmentType", assignment_word(x->lease->assignment));
    if (x->since_us)
        jw_time(w, "leasedSince", x->since_us);
    if (x->until_us)
        jw_time(w, "until", x->until_us);
}

static void write_number(const struct http_call *hc, struct jw *w, const struct stock_number *x)
{
    char text[E164_SIZE];
    jw_object(w, NULL);
    jw_textz(w, "phoneNumber", e164_write(text, x->number));
    jw_textz(w, "state", stock_state_word(x->state));
    jw_textz(w, "countryCode", x->country);
    jw_textz(w, "phoneNumberType", number_type_word(x->type));
    write_place(w, x);
    numbers_write_capabilities(w, "capabilities", x->calling, x->sms);
    jw_textz(w, "carrier", x->carrier);
    jw_bool(w, "simulated", x->simulated);
    jw_bool(w, "imported", x->own);
    if (x->own)
        numbers_write_cost(w, x->cost_micro);
    jw_array(w, "tags");
    write_tags(w, x->tags);
    write_tags(w, x->own_tags);
    jw_end(w);
    jw_array(w, "ownTags");
    write_tags(w, x->own_tags);
    jw_end(w);
    jw_textz(w, "note", x->note);
    if (*x->import_id)
        jw_textz(w, "import", x->import_id);
    write_holder(hc, w, x);
    jw_end(w);
}

static enum err answer_number(struct http_call *hc)
{
    struct stock_number x;
    enum err err = numbers_stock_of(hc->api->numbers, hc->params[0], &x, &hc->why);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    write_number(hc, &w, &x);
    http_reply(hc, 200);
    return ERR_NONE;
}

/* -- lists ---------------------------------------------------------------------------------------------------------- */

static enum err inventory_get(struct http_call *hc)
{
    struct stock_filter f;
    int64_t top = 0;
    uint64_t after = 0, next = 0;
    enum err err = operator_only(hc);
    if (!err)
        err = inventory_filter_read(hc, &f);
    if (!err)
        err = inventory_after_read(hc, &after);
    if (!err)
        err = http_query_int(hc, "top", 1, STOCK_LIST_MOST, LISTED, &top);
    if (err)
        return err;
    struct stock_number *list = arena_array(hc->arena, (size_t)top, sizeof *list);
    if (!list)
        return ERR_NOMEM;
    size_t n = numbers_stock_list(hc->api->numbers, &f, after, (size_t)top, list, &next);
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    for (size_t i = 0; i < n; i++)
        write_number(hc, &w, &list[i]);
    jw_end(&w);
    if (next)
        jw_text(&w, "nextLink", http_next_link(hc, "after", arena_printf(hc->arena, "%" PRIu64, next)));
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

static void write_pool(struct jw *w, const struct stock_pool *p)
{
    jw_object(w, NULL);
    jw_textz(w, "carrier", p->carrier);
    jw_bool(w, "simulated", p->simulated);
    jw_textz(w, "countryCode", p->country);
    jw_textz(w, "phoneNumberType", number_type_word(p->type));
    numbers_write_capabilities(w, "capabilities", p->calling, p->sms);
    for (int s = 0; s < STOCK_STATES; s++)
        jw_int(w, stock_state_word((enum stock_state)s), (int64_t)p->count[s]);
    jw_int(w, "total", (int64_t)p->total);
    jw_end(w);
}

static enum err pools_get(struct http_call *hc)
{
    struct stock_pool *pools = NULL;
    size_t n = 0;
    enum err err = operator_only(hc);
    if (!err)
        err = http_query_known(hc, NULL, 0);
    if (!err)
        err = numbers_stock_pools(hc->api->numbers, &pools, &n);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    for (size_t i = 0; i < n; i++)
        write_pool(&w, &pools[i]);
    jw_end(&w);
    jw_end(&w);
    free(pools);
    http_reply(hc, 200);
    return ERR_NONE;
}

/* -- one number ----------------------------------------------------------------------------------------------------- */

static enum err number_get(struct http_call *hc)
{
    enum err err = operator_only(hc);
    return err ? err : answer_number(hc);
}

static void on_audited(void *arg, enum err err, const struct number_audit_line *lines, size_t count, bool more)
{
    struct http_call *hc = arg;
    if (operator_unstored(hc, err))
        return;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    for (size_t i = 0; i < count; i++) {
        const struct resource *r = lines[i].resource ? accounts_resource(hc->api->accounts, lines[i].resource) : NULL;
        jw_object(&w, NULL);
        jw_time(&w, "at", lines[i].at_us);
        jw_textz(&w, "what", lines[i].what);
        jw_textz(&w, "by", r ? r->name : lines[i].resource ? "(a resource that has gone)" : "operator");
        jw_text(&w, "detail", lines[i].detail);
        jw_end(&w);
    }
    jw_end(&w);
    if (more && count)
        jw_text(&w, "nextLink", http_next_link(hc, "before", arena_printf(hc->arena, "%" PRIu64, lines[count - 1].key)));
    jw_end(&w);
    http_reply(hc, 200);
}

static enum err history_get(struct http_call *hc)
{
    int64_t before = 0, top = 0;
    enum err err = operator_only(hc);
    if (!err)
        err = http_query_only(hc, "before", "top");
    if (!err)
        err = http_query_int(hc, "before", 0, INT64_MAX, 0, &before);
    if (!err)
        err = http_query_int(hc, "top", 1, HISTORY_SHOWN, HISTORY_SHOWN, &top);
    return err ? err : numbers_audit(hc->api->numbers, hc->params[0], (uint64_t)before, (size_t)top, on_audited, hc, &hc->why);
}

/* A stock_done_fn: the number as it is now. */
static void on_noted(void *arg, enum err err, const struct problem *why)
{
    struct http_call *hc = arg;
    if (err)
        hc->why = *why;
    else
        err = answer_number(hc);
    if (err)
        http_fail(hc, err);
}

/* ["gold","west"] as the inventory has it; "" takes the tags away. */
static enum err tags_of(struct http_call *hc, const struct json *list, struct str *tags)
{
    scoped_buf words = { 0 };
    for (size_t i = 0; i < json_count(list); i++) {
        struct str tag = json_text(json_item(list, i));
        if (!tag.n || str_find(tag, ' ') >= 0) {
            rule_problem(&hc->why, ERR_RANGE, RULE_FIELD_NEEDED, "tags", "an array of words without blanks, such as [\"gold\"]");
            problem_target(&hc->why, "tags");
            return ERR_RANGE;
        }
        if (i)
            buf_putc(&words, ' ');
        buf_puts(&words, tag);
    }
    *tags = arena_str(hc->arena, words.n ? buf_str(&words) : STR(""));
    return words.bad || !tags->p ? ERR_NOMEM : ERR_NONE;
}

static enum err number_patch(struct http_call *hc)
{
    static const struct json_shape shapes[] = { { "tags", JSON_IS_ARRAY }, { "note", JSON_IS_TEXT } };
    struct str note = { 0 }, tags = { 0 };
    enum err err = operator_only(hc);
    if (!err)
        err = json_expect(hc->json, shapes, ARRAY_LEN(shapes), &hc->why);
    bool has_note = !err && json_kind(json_member(hc->json, "note")) == JSON_IS_TEXT;
    bool has_tags = !err && json_kind(json_member(hc->json, "tags")) == JSON_IS_ARRAY;
    if (has_note)
        note = json_text_of(hc->json, "note");
    if (has_tags)
        err = tags_of(hc, json_member(hc->json, "tags"), &tags);
    if (err)
        return err;
    if (!has_note && !has_tags)
        return rule_problem(&hc->why, ERR_RANGE, RULE_FIELD_NEEDED, "tags or note", "what is to be set");
    return numbers_stock_note(hc->api->numbers, hc->params[0], has_note ? &note : NULL, has_tags ? &tags : NULL, on_noted, hc,
                              &hc->why);
}

static void on_withdrawn(void *arg, enum err err, const struct problem *why)
{
    struct http_call *hc = arg;
    if (!err) {
        http_reply(hc, 204);
        return;
    }
    hc->why = *why;
    http_fail(hc, err);
}

static enum err number_delete(struct http_call *hc)
{
    enum err err = operator_only(hc);
    return err ? err : numbers_stock_withdraw(hc->api->numbers, hc->params[0], on_withdrawn, hc, &hc->why);
}

#define STOCK "unit/edge/api/test_inventory_api.c, cli/test_import.sh"

const struct http_route inventory_routes[] = {
    { "GET", V1 "/numbers/imports", HTTP_OPERATOR, NULL, imports_get, "Carterfone_ListImports", STOCK },
    { "POST", V1 "/numbers/imports", HTTP_OPERATOR, NULL, imports_post, "Carterfone_BeginImport", STOCK },
    { "GET", V1 "/numbers/imports/{id}", HTTP_OPERATOR, NULL, import_get, "Carterfone_GetImport", STOCK },
    { "POST", V1 "/numbers/imports/{id}/rows", HTTP_OPERATOR, import_rows_read, import_rows_run, "Carterfone_ImportRows", STOCK },
    { "GET", V1 "/numbers/imports/{id}/badRows", HTTP_OPERATOR, NULL, import_bad_get, "Carterfone_ListBadRows", STOCK },
    { "POST", V1 "/numbers/imports/{id}/:complete", HTTP_OPERATOR, NULL, import_complete_post, "Carterfone_CompleteImport", STOCK },
    { "POST", V1 "/numbers/imports/{id}/:rollBack", HTTP_OPERATOR, NULL, import_roll_back_post, "Carterfone_RollBackImport", STOCK },
    { "GET", V1 "/numbers/inventory", HTTP_OPERATOR, NULL, inventory_get, "Carterfone_ListInventory", STOCK },
    { "GET", V1 "/numbers/inventory/{number}", HTTP_OPERATOR, NULL, number_get, "Carterfone_GetInventoryNumber", STOCK },
    { "PATCH", V1 "/numbers/inventory/{number}", HTTP_OPERATOR, NULL, number_patch, "Carterfone_NoteInventoryNumber", STOCK },
    { "DELETE", V1 "/numbers/inventory/{number}", HTTP_OPERATOR, NULL, number_delete, "Carterfone_WithdrawInventoryNumber", STOCK },
    { "GET", V1 "/numbers/inventory/{number}/history", HTTP_OPERATOR, NULL, history_get, "Carterfone_GetNumberHistory", STOCK },
    { "GET", V1 "/numbers/areas", HTTP_OPERATOR, NULL, areas_get, "Carterfone_ListAreas", STOCK },
    { "GET", V1 "/numbers/pools", HTTP_OPERATOR, NULL, pools_get, "Carterfone_ListPools", STOCK },
    { "GET", V1 "/numbers/export", HTTP_OPERATOR, NULL, export_get, "Carterfone_ExportInventory", STOCK },
    { 0 },
};
