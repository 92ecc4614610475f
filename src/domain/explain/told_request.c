/* told_request.c - what a request of the API was answered; what it made bears its key. */
#include "codec/smpp/smpp.h"
#include "domain/explain/explain_priv.h"
#include "domain/requests.h"
#include "store/explain.h"
#include "store/requests.h"

#include <stdio.h>

enum { ABOUT_MOST = 50 };

static enum err ask_request(struct asking *a, const struct thing *t)
{
    return request_row_ask(a->x->conf.control->db, t->key, &a->read);
}

/* "The server encountered an internal error" tells nobody why: there the rule's own sentence stands alone. */
static bool is_worded_as_ours(const struct request_row *row)
{
    return row->suggestion.n && str_eqz(row->code, "InternalError");
}

static void tell_refusal(struct asking *a, const struct thing *t, const struct request_row *row)
{
    told_text(a, t, row->at_us, STR("refused"), row->text);
    told_text(a, t, row->at_us, STR("rule"), row->rule);
    told_text(a, t, row->at_us, STR("do"), row->suggestion);
}

static void decide(struct asking *a, const struct request_row *row)
{
    enum { TOO_MANY = 429, THROTTLED = REQUEST_OF_SMPP | ESME_RTHROTTLED };
    bool limit = row->status == TOO_MANY || row->status == THROTTLED || str_ends(row->rule, STR("Cap")) || str_ends(row->rule, STR("Limit"))
                 || str_ends(row->rule, STR("Quota"));
    bool ours = is_worded_as_ours(row);
    bool none = str_eqz(row->code, "RecipientsRefused"), some = str_eqz(row->code, "SomeRecipientsRefused");
    a->decision = (struct decision){ .outcome = row->status >= 400 || none ? STR("refused") : some ? STR("accepted for some") : STR("accepted"),
                                     .rule = arena_str(a->arena, row->rule), .why = ours ? (struct str){ 0 } : arena_str(a->arena, row->text),
                                     .limit = limit ? arena_str(a->arena, row->text) : (struct str){ 0 },
                                     .next = arena_str(a->arena, row->suggestion) };
}

static void begin(struct asking *a, const struct thing *t, bool refused)
{
    char guid[GUID_SIZE];
    ids_guid(a->x->conf.control->ids, ID_REQUEST, t->key, guid);
    jw_textz(&a->w, "id", guid);
    jw_textz(&a->w, "kind", refused ? "refusal" : "request");
}

static void tell_answer(struct asking *a, const struct thing *t, const struct request_row *row)
{
    char what[48];
    if (row->status & REQUEST_OF_SMPP)
        snprintf(what, sizeof what, "%s", smpp_status_name((uint32_t)row->status & 0xffff));
    else
        snprintf(what, sizeof what, "HTTP %d", row->status);
    told(a, t, row->at_us, "answer", "%s after %lld.%03lld ms", what, (long long)row->took_us / US_PER_MS,
         (long long)row->took_us % US_PER_MS);
}

static void tell_request(struct asking *a, struct thing *t, struct db_rows *rows)
{
    struct request_row row;
    bool there = request_row_next(rows, &row) && asking_may_see(a, row.resource);
    if (is_first(a, t))
        begin(a, t, there && row.status >= 400);
    if (!there)
        return;
    asking_found(a, t, ID_REQUEST, "");
    told_pin(a, row.at_us - row.took_us, row.key);
    told(a, t, row.at_us - row.took_us, "request", STR_FMT " by %s", STR_ARG(row.operation), asking_name(a, row.resource));
    if (row.status >= 400 || row.rule.n)
        tell_refusal(a, t, &row);
    else
        told_text(a, t, row.at_us, STR("note"), row.text);
    tell_answer(a, t, &row);
    told_text(a, t, row.at_us, STR("code"), row.code);
    t->about = row.subject;
    if (is_first(a, t))
        decide(a, &row);
}

void request_is_known(struct asking *a, uint64_t key)
{
    struct thing *t = asking_add(a, EXPLAIN_REQUEST, key, (struct str){ 0 });
    if (!t)
        return;
    asking_found(a, t, ID_REQUEST, "");
    if (is_first(a, t) && !a->decision.outcome.n)
        a->decision.outcome = STR("accepted");
}

/* -- what it made, or was about ---------------------------------------------------------------------------------------- */

static enum err ask_made(struct asking *a, const struct thing *t)
{
    return is_first(a, t) ? explain_ask_made(a->x->conf.control->db, t->key, &a->read) : ERR_ABSENT;
}

static void add_made(struct asking *a, uint64_t key, struct db_rows *rows)
{
    static const enum explain_kind kinds[] = {
        [EXPLAIN_MADE_MESSAGE] = EXPLAIN_MESSAGE, [EXPLAIN_MADE_CALL] = EXPLAIN_CALL, [EXPLAIN_MADE_SEARCH] = EXPLAIN_SEARCH,
        [EXPLAIN_MADE_OPERATION] = EXPLAIN_OPERATION, [EXPLAIN_MADE_RESERVATION] = EXPLAIN_RESERVATION,
    };
    enum explain_made what;
    bool search = false;
    while (explain_made_next(rows, &what)) {
        search = search || what == EXPLAIN_MADE_SEARCH;
        if (what != EXPLAIN_MADE_OPERATION || !search)      /* a search is its own operation */
            asking_add(a, kinds[what], key, (struct str){ 0 });
    }
}

static void tell_made(struct asking *a, struct thing *t, struct db_rows *rows)
{
    add_made(a, t->key, rows);
}

static bool is_number(uint64_t subject)
{
    return subject < 1000000000000000;      /* E.164 has fifteen digits, a key has more */
}

static enum err ask_subject(struct asking *a, const struct thing *t)
{
    if (!is_first(a, t) || !t->about || is_number(t->about))
        return ERR_ABSENT;
    return explain_ask_made(a->x->conf.control->db, t->about, &a->read);
}

static void tell_subject(struct asking *a, struct thing *t, struct db_rows *rows)
{
    add_made(a, t->about, rows);
}

const struct told_part told_request[EXPLAIN_PARTS + 1] = {
    { ask_request, tell_request }, { ask_made, tell_made }, { ask_subject, tell_subject },
};

/* -- the requests about a thing ------------------------------------------------------------------------------------------ */

static enum err ask_requests(struct asking *a, const struct thing *t, bool last)
{
    return request_rows_ask_about(a->x->conf.control->db, t->key, last, ABOUT_MOST, &a->read);
}

enum err ask_about(struct asking *a, const struct thing *t)
{
    return ask_requests(a, t, false);
}

enum err ask_about_last(struct asking *a, const struct thing *t)
{
    return ask_requests(a, t, true);
}

void tell_about(struct asking *a, struct thing *t, struct db_rows *rows)
{
    (void)t;
    struct request_row row;
    while (request_row_next(rows, &row))
        if (asking_may_see(a, row.resource))
            asking_add(a, EXPLAIN_REQUEST, row.key, (struct str){ 0 });
}
