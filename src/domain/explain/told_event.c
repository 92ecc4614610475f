/* told_event.c - events: what caused one, who wants it, what each try met; and the callbacks of calls. */
#include "domain/events/events.h"
#include "domain/explain/explain_priv.h"
#include "store/events.h"
#include "store/explain.h"

#include <stdio.h>

static enum err ask_event(struct asking *a, const struct thing *t)
{
    return event_row_ask_id(a->x->conf.control->db, str_of(t->id), ids_key_in(a->x->conf.control->ids, str_of(t->id)), a->resource, &a->read);
}

/* Its data names what it is about. */
static void tell_cause(struct asking *a, const struct event_row *row)
{
    static const struct { const char *member; enum id_kind of; } calls[] = {
        { "callConnectionId", ID_CALL }, { "correlationId", ID_CORRELATION },
    };
    const struct ids *ids = a->x->conf.control->ids;
    scoped(json_doc) struct json_doc *doc = NULL;
    uint64_t key;
    if (json_read(&doc, row->data, NULL))
        return;
    const struct json *data = json_root(doc);
    if (!sms_id_read(ids, json_text_of(data, "messageId"), &key))
        asking_add(a, EXPLAIN_MESSAGE, key, (struct str){ 0 });
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        if (!ids_guid_read(ids, calls[i].of, json_text_of(data, calls[i].member), &key))
            asking_add(a, EXPLAIN_CALL, key, (struct str){ 0 });
}

static void tell_event(struct asking *a, struct thing *t, struct db_rows *rows)
{
    struct event_row row;
    if (is_first(a, t)) {
        jw_textz(&a->w, "id", t->id);
        jw_textz(&a->w, "kind", "event");
    }
    if (!event_row_next(rows, &row))
        return;
    t->found = true;
    t->key = row.key;
    told_pin(a, row.at_us, row.key);
    told(a, t, row.at_us, "event", STR_FMT, STR_ARG(row.type));
    tell_cause(a, &row);
}

static const char *subscription_name(const struct asking *a, uint64_t key)
{
    const char *name = a->x->conf.events ? events_subscription_name(a->x->conf.events, key) : NULL;
    return name ? name : "a subscription that has ended";
}

/* -- who wants it ---------------------------------------------------------------------------------------------------------- */

static void tell_delivery(struct asking *a, struct thing *t, const struct delivery_row *row)
{
    const char *name = subscription_name(a, row->subscription);
    t->about++;
    if (row->dead)
        told(a, t, row->next_us, "dead", "subscription %s: given up after %d tries, %.*s", name, row->tries, STR_ARG(row->last));
    else if (row->tries)
        told(a, t, row->next_us, "due", "subscription %s: try %d", name, row->tries + 1);
    else
        told(a, t, row->since_us, "match", "subscription %s wants it; it waits for its turn", name);
    if (is_first(a, t))
        a->decision = (struct decision){ .outcome = row->dead ? STR("dead") : STR("waiting"),
                                         .why = arena_str(a->arena, row->last) };
}

static void tell_try(struct asking *a, const struct thing *t, const struct delivery_try_row *row)
{
    char met[64], batch[48] = "";
    snprintf(met, sizeof met, row->status ? "HTTP %d" : "no answer", row->status);
    if (row->events > 1)
        snprintf(batch, sizeof batch, ", %u events in the POST", row->events);
    told(a, t, row->at_us, "try", "%s%s: %s after %lld.%03lld ms (try %d%s)%s" STR_FMT,
         row->subscription ? "subscription " : "callback", row->subscription ? subscription_name(a, row->subscription) : "", met,
         (long long)row->took_us / US_PER_MS, (long long)row->took_us % US_PER_MS, row->n, batch, row->words.n ? ": " : "",
         STR_ARG(row->words));
    told_pin(a, row->at_us, row->key);
}

static enum err ask_story(struct asking *a, const struct thing *t)
{
    return t->found ? delivery_story_ask(a->x->conf.control->db, t->key, &a->read) : ERR_ABSENT;
}

static void tell_story(struct asking *a, struct thing *t, struct db_rows *rows)
{
    struct delivery_story_row row;
    while (delivery_story_next(rows, &row))
        if (row.tried)
            tell_try(a, t, &row.try);
        else
            tell_delivery(a, t, &row.delivery);
    bool any = db_rows_count(rows);
    if (!any)
        told_text(a, t, a->lines ? a->lines[a->n_lines - 1].at_us : 0, STR("match"), STR("no subscription wants it"));
    if (is_first(a, t) && !t->about)
        a->decision.outcome = any ? STR("delivered") : STR("unwanted");
}

/* -- the callbacks of a call ---------------------------------------------------------------------------------------------- */

enum err ask_tries(struct asking *a, const struct thing *t)
{
    return t->found ? delivery_tries_ask(a->x->conf.control->db, t->key, &a->read) : ERR_ABSENT;
}

void tell_tries(struct asking *a, struct thing *t, struct db_rows *rows)
{
    struct delivery_try_row row;
    while (delivery_try_next(rows, &row))
        tell_try(a, t, &row);
}

/* -- a callback is no event: its id is its delivery's --------------------------------------------------------------------- */

static enum err ask_callback(struct asking *a, const struct thing *t)
{
    return !t->found && t->key ? explain_ask_callback(a->x->conf.control->db, t->key, &a->read) : ERR_ABSENT;
}

static void tell_callback(struct asking *a, struct thing *t, struct db_rows *rows)
{
    uint64_t call;
    (void)t;
    if (explain_callback_next(rows, &call))
        asking_add(a, EXPLAIN_CALL, call, (struct str){ 0 });
}

const struct told_part told_event[EXPLAIN_PARTS + 1] = {
    { ask_event, tell_event }, { ask_callback, tell_callback }, { ask_story, tell_story },
};
