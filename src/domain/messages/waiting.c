/* waiting.c - what a message waits for and when it is likely to leave, as JSON and in words. */
#include "base/str.h"
#include "domain/messages/messages_priv.h"

#include <stdio.h>

static const int64_t SPAN_US = 5 * (int64_t)US_PER_S, SPAN_LEAST_US = US_PER_S;

/* -- a carrier's line ----------------------------------------------------------------------------------------------------- */

/* Counted only while others wait: what it could take, not what there was. */
void waiting_moved(struct carrier_slot *c, bool begins)
{
    c->sending += begins ? 1 : -1u;
    if (begins)
        return;
    int64_t now_us = control_now_us(c->m->control);
    if (!c->waiting || !c->took_us) {
        c->took = 0;
        c->took_us = c->waiting ? now_us : 0;
        return;
    }
    c->took++;
    if (now_us - c->took_us < SPAN_US)
        return;
    c->took_before = c->took;
    c->took_before_us = now_us - c->took_us;
    c->took = 0;
    c->took_us = now_us;
}

/* When it will have taken so many more, as it took them lately; 0: it has not shown. */
static int64_t line_us(const struct carrier_slot *c, int64_t ahead, int64_t now_us)
{
    bool lately = c->took_us && c->took && now_us - c->took_us >= SPAN_LEAST_US;
    int64_t took = lately ? c->took : c->took_before, for_us = lately ? now_us - c->took_us : c->took_before_us;
    return took && c->up && !c->stalled ? now_us + (int64_t)((double)ahead * (double)for_us / (double)took) : 0;
}

/* How far behind the first it is, by their ages; the line is in order of acceptance but for what came from elsewhere. */
static int64_t about_ahead(const struct message *msg, int64_t at_least)
{
    const struct carrier_slot *c = msg->carrier;
    const struct message *last = container_of((struct message **)(uintptr_t)c->tail, struct message, next);
    int64_t first_us = c->head->created_us, span_us = last->created_us - first_us;
    double share = span_us > 0 ? (double)(msg->created_us - first_us) / (double)span_us : 1;
    int64_t ahead = (int64_t)(share * (double)c->waiting);
    return ahead > at_least ? ahead : at_least;
}

/* Places before it in its carrier's line, counted so far only; beyond, when it leaves is a guess by its age. */
static void write_line(const struct message *msg, struct jw *w)
{
    enum { COUNTED_MOST = 10000 };
    const struct carrier_slot *c = msg->carrier;
    int64_t ahead = 0;
    jw_textz(w, "for", "carrier");
    if (!c)
        return;
    jw_textz(w, "carrier", c->name);
    jw_bool(w, "up", c->up && !c->stalled);
    if (!c->up && c->down_us)
        jw_time(w, "downSince", c->down_us);
    for (const struct message *other = c->head; other && other != msg && ahead < COUNTED_MOST; other = other->next)
        ahead++;
    jw_int(w, "ahead", ahead);
    if (ahead == COUNTED_MOST)
        ahead = about_ahead(msg, ahead);
    int64_t likely = line_us(c, ahead + c->sending, control_now_us(msg->m->control));
    if (likely)
        jw_time(w, "expectedAt", likely);
}

/* -- a guard, or its own time -------------------------------------------------------------------------------------------------- */

/* When the stages behind the one that holds it would let it go, as it looks now. */
static int64_t likely_us(const struct message *msg, struct guard_ask *ask)
{
    struct messages *m = msg->m;
    int64_t likely = msg->due.due_us;
    for (int why = msg->held + 1; why <= HELD_CARRIER; why++) {
        const struct sms_guard *g = why < HELD_SENDER || msg->placed & 1u << holds[why].kind ? NULL : holding_limit(m, holds[why].kind, ask);
        int64_t slot = g ? guards_slot(g, guard_owner(holds[why].kind, ask), control_now_us(m->control), 1) : 0;
        likely = slot > likely ? slot : likely;
    }
    return holding_quiet_until(m, ask, likely);
}

static struct guard_ask ask_of(const struct message *msg, const struct lease *lease)
{
    const struct messages *m = msg->m;
    struct guard_ask ask = guard_ask_of(m, msg->resource, lease, msg->texts->from, message_to(msg));
    const struct carrier_slot *c = guards_any(m->guards, GUARD_CARRIER) ? routing_choose((struct message *)(uintptr_t)msg, lease) : NULL;
    ask.carrier = str_of(c ? c->name : "");
    return ask;
}

const struct sms_guard *waiting_holder(const struct message *msg, enum held_why held)
{
    const struct lease *lease = numbers_lease(msg->m->numbers, msg->texts->from);
    if (!lease || held <= HELD_SCHEDULE)
        return NULL;
    const struct guard_ask ask = ask_of(msg, lease);
    return guards_match(msg->m->guards, holds[held].kind, &ask);
}

static void write_held(const struct message *msg, struct jw *w)
{
    const struct lease *lease = numbers_lease(msg->m->numbers, msg->texts->from);
    jw_textz(w, "for", holds[msg->held].word);
    if (!lease)
        return;
    struct guard_ask ask = ask_of(msg, lease);
    const struct sms_guard *g = waiting_holder(msg, (enum held_why)msg->held);
    if (g)
        jw_textz(w, "guard", g->name);
    jw_time(w, "until", msg->due.due_us);
    if (msg->valid_until_us && msg->valid_until_us <= msg->due.due_us)
        jw_bool(w, "expires", true);
    else
        jw_time(w, "expectedAt", likely_us(msg, &ask));
}

/* -- both -------------------------------------------------------------------------------------------------------------------------- */

void waiting_write(const struct messages *m, uint64_t key, struct jw *w)
{
    const struct message *msg = map_find(m->live, key);
    if (!msg || msg->writing || msg->state > MSG_SENDING)
        return;
    jw_object(w, "waiting");
    if (msg->state == MSG_QUEUED) {
        write_line(msg, w);
    } else if (msg->state == MSG_SENDING) {
        jw_textz(w, "for", "answer");
        jw_textz(w, "carrier", msg->carrier ? msg->carrier->name : "");
    } else if (msg->held) {
        write_held(msg, w);
    } else {
        jw_textz(w, "for", "retry");
        jw_time(w, "until", msg->due.due_us);
    }
    jw_end(w);
}

/* A carrier that takes nothing says since when, or that it is busy. */
static void put_carrier(const struct carrier_slot *c, char words[160])
{
    char since[ISO8601_SIZE] = "";
    if (!c->up && c->down_us)
        time_iso8601(since, c->down_us);
    snprintf(words, 160, "%s%s%s%s", c->name, c->up ? "" : ", which is down", since[0] ? " since " : "", since);
    if (c->up && c->stalled)
        snprintf(words, 160, "%s, which is too busy", c->name);
}

static void put_holder(const struct message *msg, char words[160])
{
    const struct sms_guard *g = waiting_holder(msg, (enum held_why)msg->held);
    snprintf(words, 160, "%s%s%s%s", holds[msg->held].noun, g ? " (guard " : "", g ? g->name : "", g ? ")" : "");
}

static void say_held(const struct message *msg, const struct lease *lease, char words[WAITS_WORDS])
{
    struct guard_ask ask = ask_of(msg, lease);
    char holder[160], until[ISO8601_SIZE], likely[ISO8601_SIZE];
    put_holder(msg, holder);
    time_iso8601(until, msg->due.due_us);
    time_iso8601(likely, likely_us(msg, &ask));
    if (msg->valid_until_us && msg->valid_until_us <= msg->due.due_us)
        snprintf(words, WAITS_WORDS, "for its %s; at %s its validity is over, before it may leave", holder, until);
    else
        snprintf(words, WAITS_WORDS, "for its %s until %s; it is expected to leave at %s", holder, until, likely);
}

static void say_line(const struct message *msg, char words[WAITS_WORDS])
{
    char carrier[160];
    if (!msg->carrier) {
        snprintf(words, WAITS_WORDS, "for a carrier: none is there that may take it (`carterfone smsc add`)");
        return;
    }
    put_carrier(msg->carrier, carrier);
    snprintf(words, WAITS_WORDS, "for carrier %s", carrier);
}

bool messages_waits_for(const struct messages *m, uint64_t key, char words[WAITS_WORDS])
{
    const struct message *msg = map_find(m->live, key);
    const struct lease *lease = msg ? numbers_lease(m->numbers, msg->texts->from) : NULL;
    char until[ISO8601_SIZE];
    if (!lease || msg->writing || msg->state > MSG_SENDING)
        return false;
    if (msg->state == MSG_QUEUED) {
        say_line(msg, words);
    } else if (msg->state == MSG_SENDING) {
        snprintf(words, WAITS_WORDS, "for the answer of carrier %s", msg->carrier ? msg->carrier->name : "?");
    } else if (msg->held) {
        say_held(msg, lease, words);
    } else {
        time_iso8601(until, msg->due.due_us);
        snprintf(words, WAITS_WORDS, "for another try at %s", until);
    }
    return true;
}

void waiting_in_vain(const struct message *msg, char words[WAITS_WORDS])
{
    char what[160];
    if (msg->state == MSG_WAITING && msg->held) {
        put_holder(msg, what);
        snprintf(words, WAITS_WORDS, "held until its validity was over, by its %s", what);
    } else if (msg->carrier) {
        put_carrier(msg->carrier, what);
        snprintf(words, WAITS_WORDS, "no carrier took it while it was valid; it waited for %s", what);
    } else {
        snprintf(words, WAITS_WORDS, "no carrier took it while it was valid");
    }
}
