/* import_api.c - the operator's numbers brought in: an import begins, takes a list piece by piece as CSV, and ends.
 *
 * A piece is read and its rows are checked on the http thread; control takes the slice that comes of it as one unit. */
#include "domain/numbers/import.h"
#include "edge/api/import_csv.h"
#include "edge/api/inventory_priv.h"

#include <inttypes.h>

enum { IMPORTS_SHOWN = 100, BAD_SHOWN = 1000 };

/* -- words ---------------------------------------------------------------------------------------------------------- */

static void write_bad(struct jw *w, const struct import_bad *bad)
{
    struct problem why = { 0 };
    import_bad_problem(bad, &why);
    jw_object(w, NULL);
    jw_int(w, "line", (int64_t)bad->line);
    jw_textz(w, "number", bad->number);
    jw_textz(w, "rule", why.rule);
    jw_textz(w, "reason", why.text);
    jw_textz(w, "suggestion", why.suggestion);
    jw_end(w);
}

static void write_members(const struct http_call *hc, struct jw *w, const struct number_import *im)
{
    jw_textz(w, "id", im->id);
    jw_textz(w, "file", im->file);
    jw_textz(w, "carrier", im->carrier);
    jw_textz(w, "state", import_state_word(im->state));
    jw_bool(w, "busy", im->busy);
    jw_bool(w, "dryRun", im->dry_run);
    jw_int(w, "nextLine", (int64_t)im->next_line);
    jw_textz(w, "mark", *im->mark ? im->mark : NULL);
    jw_int(w, "rows", (int64_t)im->rows);
    jw_int(w, "badRows", (int64_t)im->bad);
    jw_int(w, "numbers", (int64_t)im->numbers);
    jw_int(w, "inUse", (int64_t)im->touched);
    jw_time(w, "startedOn", im->started_us);
    if (im->ended_us)
        jw_time(w, "endedOn", im->ended_us);
    jw_array(w, "unoffered");
    numbers_import_write_unoffered(hc->api->numbers, im, w);
    jw_end(w);
}

/* An import_done_fn whose `arg` is the call. */
static void on_done(void *arg, enum err err, const struct number_import *im, const struct import_bad *bad, size_t n_bad,
                    const struct problem *why)
{
    struct http_call *hc = arg;
    if (err) {
        if (why)
            hc->why = *why;
        http_fail(hc, err);
        return;
    }
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    write_members(hc, &w, im);
    if (n_bad) {
        jw_array(&w, "bad");
        for (size_t i = 0; i < n_bad; i++)
            write_bad(&w, &bad[i]);
        jw_end(&w);
    }
    jw_end(&w);
    http_reply(hc, 200);
}

/* -- begin, show, end ----------------------------------------------------------------------------------------------- */

enum err imports_post(struct http_call *hc)
{
    static const struct json_shape shapes[] = {
        { "id", JSON_IS_TEXT }, { "file", JSON_IS_TEXT }, { "carrier", JSON_IS_TEXT }, { "dryRun", JSON_IS_BOOL },
    };
    enum err err = operator_only(hc);
    if (!err)
        err = json_expect(hc->json, shapes, ARRAY_LEN(shapes), &hc->why);
    if (err)
        return err;
    struct import_new rq = { .id = json_text_of(hc->json, "id"), .file = json_text_of(hc->json, "file"),
                             .carrier = json_text_of(hc->json, "carrier"),
                             .dry_run = json_bool_of(hc->json, "dryRun", false) };
    return numbers_import_begin(hc->api->numbers, &rq, on_done, hc, &hc->why);
}

enum err imports_get(struct http_call *hc)
{
    const struct number_import *list[IMPORTS_SHOWN];
    int64_t skip = 0, top = 0;
    bool more = false;
    enum err err = operator_only(hc);
    if (!err)
        err = http_query_only(hc, "skip", "top");
    if (!err)
        err = http_query_int(hc, "skip", 0, INT32_MAX, 0, &skip);
    if (!err)
        err = http_query_int(hc, "top", 1, IMPORTS_SHOWN, IMPORTS_SHOWN, &top);
    if (err)
        return err;
    size_t n = numbers_imports(hc->api->numbers, (size_t)skip, (size_t)top, list, &more);
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    for (size_t i = 0; i < n; i++) {
        jw_object(&w, NULL);
        write_members(hc, &w, list[i]);
        jw_end(&w);
    }
    jw_end(&w);
    if (more)
        jw_text(&w, "nextLink", http_next_link(hc, "skip", arena_printf(hc->arena, "%" PRId64, skip + top)));
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

enum err import_get(struct http_call *hc)
{
    const struct number_import *im = NULL;
    enum err err = operator_only(hc);
    if (!err)
        err = numbers_import_of(hc->api->numbers, hc->params[0], &im, &hc->why);
    if (!err)
        on_done(hc, ERR_NONE, im, NULL, 0, NULL);
    return err;
}

enum err import_complete_post(struct http_call *hc)
{
    enum err err = operator_only(hc);
    return err ? err : numbers_import_complete(hc->api->numbers, hc->params[0], on_done, hc, &hc->why);
}

enum err import_roll_back_post(struct http_call *hc)
{
    enum err err = operator_only(hc);
    return err ? err : numbers_import_roll_back(hc->api->numbers, hc->params[0], on_done, hc, &hc->why);
}

/* -- rows ----------------------------------------------------------------------------------------------------------- */

static void forget_slice(struct http_call *hc)
{
    import_slice_free(hc->rq);
}

enum err import_rows_read(struct http_call *hc)
{
    int64_t line = 0;
    struct import_slice *slice = NULL;
    enum err err = operator_only(hc);
    if (!err)
        err = http_query_int(hc, "line", 1, INT64_MAX, 1, &line);
    if (!err)
        err = import_csv_read(&slice, hc->body, http_query(hc, "columns"), (uint64_t)line, &hc->why);
    if (!err && import_slice_mark(slice, http_query(hc, "mark"))) {
        import_slice_free(slice);
        rule_problem(&hc->why, ERR_RANGE, RULE_FIELD_NEEDED, "mark", "at most 63 octets, or nothing");
        problem_target(&hc->why, "mark");
        return ERR_RANGE;
    }
    if (err)
        return err;
    hc->rq = slice;
    hc->forget = forget_slice;
    return ERR_NONE;
}

enum err import_rows_run(struct http_call *hc)
{
    return numbers_import_slice(hc->api->numbers, hc->params[0], hc->rq, on_done, hc, &hc->why);
}

static void on_bad(void *arg, enum err err, const struct import_bad *bad, size_t count, bool more)
{
    struct http_call *hc = arg;
    if (operator_unstored(hc, err))
        return;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    for (size_t i = 0; i < count; i++)
        write_bad(&w, &bad[i]);
    jw_end(&w);
    if (more && count)
        jw_text(&w, "nextLink", http_next_link(hc, "after", arena_printf(hc->arena, "%" PRIu64, bad[count - 1].line)));
    jw_end(&w);
    http_reply(hc, 200);
}

enum err import_bad_get(struct http_call *hc)
{
    int64_t after = 0, top = 0;
    enum err err = operator_only(hc);
    if (!err)
        err = http_query_only(hc, "after", "top");
    if (!err)
        err = http_query_int(hc, "after", 0, INT64_MAX, 0, &after);
    if (!err)
        err = http_query_int(hc, "top", 1, BAD_SHOWN, BAD_SHOWN, &top);
    if (!err)
        err = numbers_import_bad(hc->api->numbers, hc->params[0], (uint64_t)after, (size_t)top, on_bad, hc, &hc->why);
    return err;
}
