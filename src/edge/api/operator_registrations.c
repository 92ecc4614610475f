/* operator_registrations.c - what resources registered, and the operator's decision of it. */
#include "codec/e164/e164.h"
#include "domain/numbers/numbers.h"
#include "domain/registrations/registrations.h"
#include "domain/rules.h"
#include "edge/api/briefs_priv.h"
#include "edge/api/operator_priv.h"

#include <inttypes.h>

enum { LISTED_MOST = 1000 };

/* An operator may name the resource that is meant; others mean their own. 0: any. */
static enum err resource_meant(struct http_call *hc, struct str name, uint64_t *out)
{
    const struct resource *r = NULL;
    *out = operator_sees(hc);
    if (!name.n)
        return ERR_NONE;
    enum err err = operator_resource(hc, name, &r);
    if (!err)
        *out = r->key;
    return err;
}

static void write_one(struct http_call *hc, struct jw *w, const struct brief *b, bool whole)
{
    char number[E164_SIZE];
    const struct resource *r = accounts_resource(hc->api->accounts, b->resource);
    jw_object(w, NULL);
    jw_textz(w, "id", b->id);
    jw_textz(w, "kind", b->kind == BRIEF_CAMPAIGN ? "tollFreeVerification" : "shortCode");
    jw_textz(w, "resource", r ? r->name : NULL);
    jw_textz(w, "status", brief_state_word(b->kind, b->state));
    jw_textz(w, "countryCode", b->country);
    jw_array(w, "numbers");
    for (size_t i = 0; i < b->n_numbers; i++)
        jw_textz(w, NULL, e164_write(number, b->numbers[i]));
    if (b->number[0])
        jw_textz(w, NULL, b->number);
    jw_end(w);
    if (b->submitted_us)
        jw_time(w, "submissionDate", b->submitted_us);
    jw_time(w, "statusUpdatedDate", b->updated_us);
    if (whole)
        brief_write(hc, w, "brief", b);
    jw_end(w);
}

enum err registrations_get_all(struct http_call *hc)
{
    int64_t skip, top;
    bool more;
    struct brief_filter filter = { .kind = -1 };
    enum err err = http_query_only(hc, "resource", "skip", "top");
    if (!err)
        err = resource_meant(hc, http_query(hc, "resource"), &filter.resource);
    if (!err)
        err = http_query_int(hc, "skip", 0, INT32_MAX, 0, &skip);
    if (!err)
        err = http_query_int(hc, "top", 1, LISTED_MOST, 100, &top);
    if (err)
        return err;
    const struct brief **found = arena_array(hc->arena, (size_t)top, sizeof(const struct brief *));
    if (!found)
        return ERR_NOMEM;
    size_t n = registrations_list(hc->api->registrations, &filter, (size_t)skip, (size_t)top, found, &more);
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    for (size_t i = 0; i < n; i++)
        write_one(hc, &w, found[i], false);
    jw_end(&w);
    if (more)
        jw_text(&w, "nextLink", http_next_link(hc, "skip", arena_printf(hc->arena, "%" PRId64, skip + top)));
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

static enum err brief_meant(struct http_call *hc, struct str resource, const struct brief **out)
{
    uint64_t whose;
    enum err err = resource_meant(hc, resource, &whose);
    if (err)
        return err;
    err = registrations_named(hc->api->registrations, whose, hc->params[0], out, &hc->why);
    if (err != ERR_RANGE && err != ERR_ABSENT)
        return err;                     /* the words for clients are of briefs that they choose the ids of */
    rule_problem(&hc->why, ERR_ABSENT, RULE_REGISTRATION_NOT_FOUND, arena_shown(hc->arena, hc->params[0]));
    return ERR_ABSENT;
}

enum err registrations_get_one(struct http_call *hc)
{
    const struct brief *b;
    enum err err = brief_meant(hc, http_query(hc, "resource"), &b);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    write_one(hc, &w, b, true);
    http_reply(hc, 200);
    return ERR_NONE;
}

static void on_decided(void *arg, enum err err, const struct brief *b, bool created, const struct problem *why)
{
    (void)created;
    struct http_call *hc = arg;
    if (err) {
        hc->why = *why;
        http_fail(hc, err);
        return;
    }
    struct jw w = jw_of(&hc->out);
    write_one(hc, &w, b, true);
    http_reply(hc, 200);
}

static enum err decision_read(struct http_call *hc, enum brief_event *out)
{
    static const struct { const char *word; enum brief_event event; } words[] = {
        { "approve", BRIEF_EV_APPROVE }, { "reject", BRIEF_EV_DENY }, { "return", BRIEF_EV_RETURN },
        { "newVanityNumbers", BRIEF_EV_NEW_VANITY }, { "cancel", BRIEF_EV_CANCEL },
    };
    struct str given = json_text_of(hc->json, "decision");
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eqz(given, words[i].word)) {
            *out = words[i].event;
            return ERR_NONE;
        }
    enum err err = rule_problem(&hc->why, ERR_RANGE, RULE_DECISION_UNKNOWN, arena_shown(hc->arena, given));
    problem_target(&hc->why, "decision");
    return err;
}

struct decision_body { struct str decision, code, note, short_code, resource; };
static const struct json_field decision_fields[] = {
    JSON_TEXT_FIELD(struct decision_body, decision, "decision", true, 1, 32),
    JSON_TEXT_FIELD(struct decision_body, code, "code", false, 0, 64),
    JSON_TEXT_FIELD(struct decision_body, note, "note", false, 0, BRIEF_NOTE_MAX),
    JSON_TEXT_FIELD(struct decision_body, short_code, "shortCode", false, 0, 16),
    JSON_TEXT_FIELD(struct decision_body, resource, "resource", false, 0, 64),
};

enum err registrations_post_decide(struct http_call *hc)
{
    const struct brief *b;
    struct decision_body body = { 0 };
    struct brief_decision d = { 0 };
    enum err err = operator_only(hc);
    if (!err && !hc->json)
        err = problem_set(&hc->why, ERR_SYNTAX, "BadRequest", "A JSON body is needed.");
    if (!err)
        err = json_fill(hc->json, decision_fields, ARRAY_LEN(decision_fields), &body, hc->arena, &hc->why);
    if (!err)
        err = decision_read(hc, &d.event);
    if (!err)
        err = brief_meant(hc, body.resource, &b);
    if (err)
        return err;
    d.code = body.code;
    d.note = body.note;
    d.short_code = body.short_code;
    return registrations_decide(hc->api->registrations, b, &d, on_decided, hc, &hc->why);
}

/* Of one leased number: what `numbers show` adds to what the published API says. */
enum err number_registration_get(struct http_call *hc)
{
    char text[E164_SIZE];
    const struct lease *l = numbers_lease(hc->api->numbers, hc->params[0]);
    if (!l || (operator_sees(hc) && l->resource != hc->resource))
        return rule_problem(&hc->why, ERR_ABSENT, RULE_NUMBER_NOT_FOUND, arena_shown(hc->arena, hc->params[0]));
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_textz(&w, "phoneNumber", e164_write(text, l->number));
    jw_textz(&w, "registration", number_registration_word(numbers_registration(hc->api->numbers, l)));
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}
