/* told_traffic.c - messages and calls: their rows and trails. */
#include "domain/explain/explain_priv.h"
#include "store/calls.h"
#include "store/events.h"
#include "store/messages.h"

/* -- messages ------------------------------------------------------------------------------------------------------------ */

static enum err ask_message(struct asking *a, const struct thing *t)
{
    return message_row_ask(a->x->conf.control->db, t->key, &a->read);
}

/* What to do about a message that failed, by the step that ended it. */
static struct str next_of(struct str step, struct str why)
{
    if (str_eqz(step, "validity") && str_starts(why, STR("held ")))
        return STR("A guard held it for too long: `carterfone guard list` shows them; give it longer, or change the guard.");
    static const struct { const char *step, *next; } table[] = {
        { "smpp", "The carrier's documentation says what its command_status means; `carterfone smsc test` tries the link." },
        { "receipt", "The carrier could not deliver it: check the recipient's number, or send it again later." },
        { "queue", "No carrier took it: `carterfone smsc list` says which are up." },
        { "validity", "No carrier took it in time: `carterfone smsc list` says which are up; give it longer, or send it again." },
        { "opt-out", "The recipient wants no texts of this sender: `carterfone optout list --from` the sender shows who does not." },
        { "number", "Lease the sender again, or send from another number: `carterfone numbers list`." },
        { "registration", "`carterfone registration list` shows what the sender's number still needs." },
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (str_eqz(step, table[i].step))
            return str_of(table[i].next);
    return (struct str){ 0 };
}

/* "Sms_Send by NAME" is the request of its own key; "... as 2 of 3 in <guid>" that of another message. */
static void tell_its_request(struct asking *a, const struct thing *t, struct str text)
{
    uint64_t key = t->key;
    if (!str_starts(text, STR("Sms_Send ")) && !str_starts(text, STR("submit_")) && !str_starts(text, STR("data_sm ")))
        return;                         /* written before requests were known by what they made */
    if (text.n > GUID_SIZE && ids_guid_read(a->x->conf.control->ids, ID_REQUEST, str_from(text, text.n - (GUID_SIZE - 1)), &key))
        key = t->key;
    request_is_known(a, key);
}

/* The other messages of its request, as keys in hexadecimal. */
static void tell_siblings(struct asking *a, struct str text)
{
    struct str one;
    for (bool more = true; more;) {
        uint64_t key = 0;
        more = str_cut(text, ' ', &one, &text);
        for (size_t i = 0; i < one.n; i++)
            key = key << 4 | (uint64_t)(hex_digit(one.p[i]) & 15);
        if (one.n)
            asking_add(a, EXPLAIN_MESSAGE, key, (struct str){ 0 });
    }
}

static void tell_trail_line(struct asking *a, const struct thing *t, struct str line, struct str ended[2])
{
    struct str us_text, step, text;
    uint64_t us = 0;
    str_cut(line, ' ', &us_text, &text);
    str_cut(text, ' ', &step, &text);
    if (str_u64(us_text, INT64_MAX, &us))
        return;
    if (str_eqz(step, "with")) {
        if (a->things[0].kind == EXPLAIN_REQUEST)
            tell_siblings(a, text);
        return;
    }
    if (str_eqz(step, "request"))
        tell_its_request(a, t, text);
    if (!str_eqz(step, "state") && !str_eqz(step, "report")) {       /* these say that it ended, not why */
        ended[0] = step;
        ended[1] = text;
    }
    told_text(a, t, (int64_t)us, step, text);
}

static void decide_message(struct asking *a, const struct message_row *row, const struct str ended[2])
{
    const char *state = row->inbound ? "received" : message_state_word(row->state);
    a->decision = (struct decision){ .outcome = str_of(state), .route = arena_str(a->arena, row->carrier) };
    if (row->inbound || row->state <= 10)
        return;
    a->decision.why = arena_str(a->arena, ended[1]);
    a->decision.next = next_of(ended[0], ended[1]);
    if (str_eqz(ended[0], "registration"))
        str_cut(a->decision.why, ':', &a->decision.rule, &a->decision.why);
}

/* Now: it is not in the trail. */
static void tell_waiting(struct asking *a, const struct thing *t, const struct message_row *row)
{
    const struct explain_conf *conf = &a->x->conf;
    char words[WAITS_WORDS];
    if (conf->messages && !row->inbound && row->state < 10 && messages_waits_for(conf->messages, row->key, words))
        told(a, t, control_now_us(conf->control), "waits", "%s", words);
}

static void tell_message(struct asking *a, struct thing *t, struct db_rows *rows)
{
    struct message_row row;
    struct str ended[2] = { { 0 }, { 0 } };
    if (!message_row_next(rows, &row) || !asking_may_see(a, row.resource))
        return;
    t->found = true;
    sms_id_write(a->x->conf.control->ids, row.key, row.inbound, t->id);
    told_pin(a, row.created_us, row.key);
    for (struct str rest = row.trail, line; rest.n;) {
        str_cut(rest, '\n', &line, &rest);
        tell_trail_line(a, t, line, ended);
    }
    tell_waiting(a, t, &row);
    if (!is_first(a, t))
        return;
    jw_textz(&a->w, "id", t->id);
    jw_textz(&a->w, "kind", "message");
    jw_textz(&a->w, "state", row.inbound ? "received" : message_state_word(row.state));
    decide_message(a, &row, ended);
}

static enum err ask_message_event(struct asking *a, const struct thing *t)
{
    return t->found ? event_row_ask_id(a->x->conf.control->db, str_of(t->id), ids_key_in(a->x->conf.control->ids, str_of(t->id)), a->resource, &a->read) : ERR_ABSENT;
}

static void tell_message_event(struct asking *a, struct thing *t, struct db_rows *rows)
{
    struct event_row row;
    (void)t;
    if (event_row_next(rows, &row))
        asking_add(a, EXPLAIN_EVENT, row.key, row.id);
}

const struct told_part told_message[EXPLAIN_PARTS + 1] = {
    { ask_message, tell_message }, { ask_message_event, tell_message_event },
};

/* -- calls ----------------------------------------------------------------------------------------------------------------- */

static enum err ask_call(struct asking *a, const struct thing *t)
{
    return call_ask(a->x->conf.control->db, t->key, &a->read);
}

static void tell_call(struct asking *a, struct thing *t, struct db_rows *rows)
{
    struct call_row row;
    if (!db_rows_next(rows))
        return;
    call_row_read(rows, &row);
    if (!asking_may_see(a, row.resource))
        return;
    asking_found(a, t, ID_CALL, "");
    told_pin(a, row.created_us, row.key);
    if (row.outbound)
        asking_add(a, EXPLAIN_REQUEST, row.key, (struct str){ 0 });
    if (!is_first(a, t))
        return;
    call_row_write(&a->w, a->x->conf.calls, &row);
    a->decision = (struct decision){ .outcome = row.ended_us ? arena_printf(a->arena, "ended %d/%d", row.code, row.subcode)
                                                             : row.connected_us ? STR("connected") : STR("connecting"),
                                     .why = arena_str(a->arena, row.words), .route = arena_str(a->arena, row.trunk) };
}

static enum err ask_trail(struct asking *a, const struct thing *t)
{
    return t->found ? call_ask_trail(a->x->conf.control->db, t->key, &a->read) : ERR_ABSENT;
}

/* What stands behind "event ": a callback's type, or an event's type and id. */
static void tell_call_event(struct asking *a, struct str text)
{
    struct str type, id;
    uint64_t key;
    if (str_cut(text, ' ', &type, &id) && !ids_guid_read(a->x->conf.control->ids, ID_EVENT, id, &key))
        asking_add(a, EXPLAIN_EVENT, key, id);
}

static void tell_trail(struct asking *a, struct thing *t, struct db_rows *rows)
{
    while (db_rows_next(rows)) {
        int64_t at_us;
        struct str line, step, text;
        call_trail_read(rows, &at_us, &line);
        str_cut(line, ' ', &step, &text);
        if (str_eqz(step, "event"))
            tell_call_event(a, text);
        if (str_eqz(step, "rule") && is_first(a, t)) {
            struct str kept = arena_str(a->arena, text);
            *(str_ends(text, STR("from this number")) ? &a->decision.limit : &a->decision.rule) = kept;
        }
        told_text(a, t, at_us, step, text);
    }
}

const struct told_part told_call[EXPLAIN_PARTS + 1] = {
    { ask_call, tell_call }, { ask_trail, tell_trail }, { ask_tries, tell_tries }, { ask_about, tell_about },
};
