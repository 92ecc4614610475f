/* operator_faults.c - arming faults, looking at them, clearing them (base/fault.h, docs/faults.md). */
#include "base/clock.h"
#include "base/duration.h"
#include "base/fault.h"
#include "domain/rules.h"
#include "edge/api/operator_priv.h"

static void fault_write(struct jw *w, const struct fault_info *f)
{
    char left[DURATION_SIZE];
    jw_object(w, NULL);
    jw_int(w, "id", f->id);
    jw_textz(w, "fault", f->text);
    jw_textz(w, "edge", fault_edge_word(fault_edge_of(f->kind)));
    jw_textz(w, "state", f->armed ? "armed" : "over");
    jw_int(w, "matched", (int64_t)f->seen);
    jw_int(w, "hits", (int64_t)f->hits);
    jw_textz(w, "left", f->left_us < 0 ? NULL : duration_write(left, f->left_us / US_PER_MS * US_PER_MS));
    jw_end(w);
}

/* All of them, or one. @return whether there was any */
static bool faults_write(struct jw *w, uint32_t only)
{
    bool found = false;
    struct fault_info *infos = calloc(FAULT_MAX, sizeof *infos);
    size_t n = infos ? fault_list(infos, FAULT_MAX) : 0;
    for (size_t i = 0; i < n; i++)
        if (!only || infos[i].id == only) {
            fault_write(w, &infos[i]);
            found = true;
        }
    free(infos);
    return found;
}

static void write_all(const struct http_call *hc, struct jw *w)
{
    (void)hc;
    faults_write(w, 0);
}

enum err faults_get(struct http_call *hc)
{
    return operator_answer_all(hc, write_all);
}

static enum err invalid(struct http_call *hc, enum err err)
{
    char text[sizeof hc->why.text], suggestion[sizeof hc->why.suggestion];
    memcpy(text, hc->why.text, sizeof text);
    memcpy(suggestion, hc->why.suggestion, sizeof suggestion);
    if (err == ERR_FORBIDDEN)
        return rule_problem(&hc->why, ERR_ABSENT, RULE_SIMULATOR_OFF);
    rule_problem(&hc->why, err, RULE_FAULT_INVALID, text, suggestion);
    problem_target(&hc->why, "fault");
    return err;
}

enum err faults_post(struct http_call *hc)
{
    uint32_t id = 0;
    const struct json *text = json_member(hc->json, "fault");
    unsigned edges = 1u << FAULT_API | 1u << FAULT_STORE | 1u << FAULT_WEBHOOK;
    if (hc->api->sim_command)
        edges |= 1u << FAULT_SMSC | 1u << FAULT_PHONE;
    enum err err = operator_only(hc);
    if (!err && !hc->api->faults)
        err = rule_problem(&hc->why, ERR_FORBIDDEN, RULE_FAULTS_OFF);
    if (!err && json_kind(text) != JSON_IS_TEXT) {
        err = problem_set(&hc->why, ERR_RANGE, "BadRequest", "fault must be a text such as 'api 429 path=/sms count=3'.");
        problem_target(&hc->why, "fault");
    }
    if (err)
        return err;
    err = fault_add(json_text_of(hc->json, "fault"), edges, &id, &hc->why);
    if (err == ERR_BUSY || err == ERR_NOMEM)
        return err;
    if (err)
        return invalid(hc, err);
    struct jw w = jw_of(&hc->out);
    faults_write(&w, id);
    http_reply(hc, 201);
    return ERR_NONE;
}

enum err faults_delete(struct http_call *hc)
{
    enum err err = operator_only(hc);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_int(&w, "cleared", (int64_t)fault_clear(0));
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

enum err fault_delete(struct http_call *hc)
{
    uint64_t id = 0;
    enum err err = operator_only(hc);
    if (!err && (str_u64(hc->params[0], UINT32_MAX, &id) || !id || !fault_clear((uint32_t)id)))
        err = problem_set(&hc->why, ERR_ABSENT, "NotFound", "There is no fault of this id.");
    if (err)
        return err;
    http_reply(hc, 204);
    return ERR_NONE;
}
