/* holding.c - when a message may leave: not before its time, not in the night of its recipient, not faster than its limits.
 *
 * It passes the stages below one after another, always in this order; in each bucket it takes a place once, so that those of one
 * sender leave in the order of acceptance. What passes the last stage lines up at a carrier. While no guard is on and no time was
 * given nothing of this is asked. Levels of buckets are written a second later at most; what waits is rows, and asks again at start. */
#include "base/duration.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "codec/e164/zones.h"
#include "domain/messages/messages_priv.h"
#include "domain/numbers/catalogue.h"
#include "domain/rules.h"
#include "store/guards.h"

#include <stdio.h>

METRIC_COUNTER(held_total, "carterfone_sms_held_total", "Times a message waited for a guard or its own time")
METRIC_COUNTER(limited_total, "carterfone_sms_over_limit_total", "Requests refused because of a limit")
METRIC_COUNTER(pumped_total, "carterfone_sms_pumping_total", "Recipients refused because too many went to their range of numbers")

enum { GONE_BIT = 7 };                  /* of message.placed: it has passed all stages, and was counted */
static_assert((int)GUARD_CARRIER < (int)GONE_BIT, "places are bits of an octet");
static const int64_t LEVELS_AFTER_US = US_PER_S;

static const struct {
    enum guard_kind kind;
    const char     *word, *noun, *was;
} holds[] = {
    [HELD_SCHEDULE] = { GUARD_KINDS,    "schedule", "time", "its time came" },
    [HELD_QUIET]    = { GUARD_QUIET,    "quietHours", "recipient's quiet hours", "the quiet hours where its recipient is were over" },
    [HELD_SENDER]   = { GUARD_SENDER,   "sender", "sender's limit", "the limit of its sender let it go" },
    [HELD_RESOURCE] = { GUARD_RESOURCE, "resource", "resource's limit", "the limit of its resource let it go" },
    [HELD_PREFIX]   = { GUARD_PREFIX,   "prefix", "recipient's prefix's limit", "the limit of its recipient's prefix let it go" },
    [HELD_CARRIER]  = { GUARD_CARRIER,  "carrier", "carrier's limit", "the limit of its carrier let it go" },
};

/* -- how far guards are used up, written ------------------------------------------------------------------------------------ */

static void add_level(void *arg, const struct guard_level *l)
{
    sms_guard_level_row_put(arg, &(struct sms_guard_level_row){ l->guard, l->owner, l->a, l->b, l->at_us });
}

static void on_levels(void *arg, int64_t due_us)
{
    (void)due_us;
    struct messages *m = arg;
    struct db_done *done = calloc(1, sizeof *done);
    struct db_unit *u = db_unit_new();
    if (u)
        guards_levels(m->guards, add_level, u);
    if (done && u && !db_post(m->control->db, u, done))
        return;
    free(done);
    db_unit_free(u);
    log_error("messages", "how far the guards are used up could not be stored");
}

void holding_levels_changed(struct messages *m)
{
    if (guards_dirty(m->guards) && !m->levels_due.at)
        (void)!agenda_set(m->control->agenda, &m->levels_due, control_now_us(m->control) + LEVELS_AFTER_US, on_levels, m);
}

void holding_purge(const struct messages *m, struct db_unit *u)
{
    int64_t now = control_now_us(m->control);
    sms_guard_level_rows_purge(u, now, now - GUARD_WINDOW_MOST_S * (int64_t)US_PER_S);
}

/* -- whom a guard means ------------------------------------------------------------------------------------------------------- */

static struct guard_ask ask_of(const struct messages *m, uint64_t resource, const struct lease *lease, struct str from, struct str to)
{
    const struct resource *r = accounts_resource(m->accounts, resource);
    return (struct guard_ask){ .from = from, .to = to, .type = str_of(number_type_in_words(lease->type)),
                               .resource = str_of(r ? r->name : ""), .account = str_of(r ? r->subscription->name : "") };
}

/* Whose of the guard's buckets. */
static struct str owner_of(enum guard_kind kind, const struct guard_ask *ask)
{
    return kind == GUARD_SENDER ? ask->from : kind == GUARD_RESOURCE ? ask->resource : kind == GUARD_CARRIER ? ask->carrier : STR("");
}

static const struct sms_guard *limit_of(const struct messages *m, enum guard_kind kind, const struct guard_ask *ask)
{
    const struct sms_guard *g = guards_match(m->guards, kind, ask);
    return g && !g->refuses ? g : NULL;
}

/* -- the stages: until when, or now ----------------------------------------------------------------------------------------------- */

static int64_t quiet_until(const struct messages *m, const struct guard_ask *ask, int64_t now_us)
{
    const struct sms_guard *g = guards_match(m->guards, GUARD_QUIET, ask);
    struct nanp_number n;
    uint64_t digits;
    if (!g || e164_read(ask->to, &digits) || !nanp_read(digits, &n))
        return now_us;
    const struct nanp_clock *clock = nanp_clock(n.npa);
    return clock ? nanp_after(clock, (struct day_part){ g->from, g->until }, now_us) : now_us;
}

/* A bucket it has no place in yet. */
static int64_t take_place(struct message *msg, enum guard_kind kind, const struct guard_ask *ask, int64_t now_us)
{
    struct messages *m = msg->m;
    const struct sms_guard *g = msg->placed & 1u << kind ? NULL : limit_of(m, kind, ask);
    msg->placed |= (uint8_t)(1u << kind);
    return g ? guards_reserve(m->guards, g, owner_of(kind, ask), now_us, 1) : now_us;
}

static int64_t stage(struct message *msg, enum held_why why, struct guard_ask *ask, const struct lease *lease, int64_t now_us)
{
    const struct messages *m = msg->m;
    if (why == HELD_SCHEDULE)
        return msg->send_at_us > now_us ? msg->send_at_us : now_us;
    if (!guards_any(m->guards, holds[why].kind))
        return now_us;
    if (why == HELD_QUIET)
        return quiet_until(m, ask, now_us);
    if (why == HELD_CARRIER) {
        const struct carrier_slot *c = routing_choose(msg, lease);
        ask->carrier = str_of(c ? c->name : "");
    }
    return take_place(msg, holds[why].kind, ask, now_us);
}

static void count_gone(struct message *msg, const struct guard_ask *ask, int64_t now_us)
{
    struct messages *m = msg->m;
    for (int why = HELD_SENDER; why <= HELD_CARRIER; why++) {
        const struct sms_guard *g = limit_of(m, holds[why].kind, ask);
        if (g)
            guards_gone(m->guards, g, owner_of(holds[why].kind, ask), now_us);
    }
    holding_levels_changed(m);
}

static bool opted_out(struct message *msg)
{
    if (!optouts_has(msg->m->optouts, msg->texts->from, message_to(msg)))
        return false;
    message_feed(msg, EV_STRANDED, &(struct message_cue){ .step = "opt-out", .segment = -1,
                                                          .words = "its recipient opted out while it waited" });
    return true;
}

bool holding_keeps(struct message *msg)
{
    struct messages *m = msg->m;
    if (msg->automatic || (!msg->held && !msg->send_at_us && !guards_hold(m->guards)))
        return false;
    if ((msg->held || msg->send_at_us) && opted_out(msg))
        return true;
    int64_t now = control_now_us(m->control), until = now;
    const struct lease *lease = numbers_lease(m->numbers, msg->texts->from);
    struct guard_ask ask = ask_of(m, msg->resource, lease, msg->texts->from, message_to(msg));
    bool counted = msg->placed & 1u << GONE_BIT;
    for (int why = HELD_SCHEDULE; why <= HELD_CARRIER; why++) {
        until = stage(msg, (enum held_why)why, &ask, lease, now);
        if (until <= now)
            continue;
        msg->held = (uint8_t)why;
        metric_add(&held_total, 1);
        message_feed(msg, EV_HELD, &(struct message_cue){ .until_us = until, .segment = -1 });
        return true;
    }
    if (!counted && guards_hold(m->guards))
        count_gone(msg, &ask, now);
    msg->placed |= (uint8_t)(1u << GONE_BIT);
    if (msg->held)
        msg->send_at_us = now, msg->held_was = msg->held;
    msg->held = HELD_NOT;
    return false;
}

void holding_tell(const struct message *msg, struct buf *trail)
{
    trail_line(trail, msg->send_at_us, "guard", "%s", holds[msg->held_was].was);
}

/* -- before it is accepted ------------------------------------------------------------------------------------------------------------ */

static enum err over_limit(const struct messages *m, const struct sms_guard *g, size_t n, int64_t slot_us, struct problem *why)
{
    char count[16], brought[24], burst[16], window[DURATION_SIZE], when[ISO8601_SIZE];
    metric_add(&limited_total, 1);
    snprintf(brought, sizeof brought, "%zu", n);
    snprintf(burst, sizeof burst, "%u", g->burst ? g->burst : g->count);
    if (slot_us == INT64_MAX)
        return rule_problem(why, ERR_BUSY, RULE_SMS_REQUEST_OVER_LIMIT, g->name, brought, burst);
    snprintf(count, sizeof count, "%u", g->count);
    duration_write(window, g->window_s * (int64_t)US_PER_S);
    time_iso8601(when, slot_us);
    enum err err = rule_problem(why, ERR_BUSY, RULE_SMS_LIMIT_REACHED, g->name, count, window, brought, when);
    why->retry_after_s = (int)((slot_us - control_now_us(m->control) + US_PER_S - 1) / US_PER_S);
    return err;
}

enum err holding_admit(struct messages *m, const struct sms_send *s, const struct lease *lease, size_t n, struct problem *why)
{
    static const enum guard_kind kinds[] = { GUARD_SENDER, GUARD_RESOURCE };
    const struct sms_guard *g[ARRAY_LEN(kinds)] = { NULL };
    if (!n || (!guards_any(m->guards, GUARD_SENDER) && !guards_any(m->guards, GUARD_RESOURCE)))
        return ERR_NONE;
    int64_t now = control_now_us(m->control);
    struct guard_ask ask = ask_of(m, s->resource, lease, s->from, STR(""));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        g[i] = guards_match(m->guards, kinds[i], &ask);
        int64_t slot = g[i] && g[i]->refuses ? guards_slot(m->guards, g[i], owner_of(kinds[i], &ask), now, n) : now;
        if (slot > now)
            return over_limit(m, g[i], n, slot, why);
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct str owner = owner_of(kinds[i], &ask);
        if (!g[i] || !g[i]->refuses)
            continue;
        (void)guards_reserve(m->guards, g[i], owner, now, n);
        for (size_t k = 0; k < n; k++)
            guards_gone(m->guards, g[i], owner, now);
    }
    holding_levels_changed(m);
    return ERR_NONE;
}

/* The range a number is one of: in North America its exchange, else its country code and four digits more. */
static struct str range_of(struct str to)
{
    enum { NANP_DIGITS = 7, MORE = 4 };
    uint64_t digits;
    if (e164_read(to, &digits))
        return to;
    unsigned code = e164_calling_code(str_of(e164_country(digits)));
    size_t n = 1 + (code == 1 ? (size_t)NANP_DIGITS : e164_count(code) + MORE);
    return (struct str){ to.p, n < to.n ? n : to.n };
}

enum err holding_flow(struct messages *m, const struct sms_send *s, struct str to, struct problem *why)
{
    struct guard_ask ask = { .to = to };
    const struct sms_guard *g = guards_match(m->guards, GUARD_PUMPING, &ask);
    const struct resource *r = accounts_resource(m->accounts, s->resource);
    struct guard_flow flow;
    char owner[128], range[20], now_n[16], most[16], factor[16], window[DURATION_SIZE];
    if (!g)
        return ERR_NONE;
    str_copyz(range, sizeof range, range_of(to));
    snprintf(owner, sizeof owner, "%s %s", r ? r->name : "?", range);
    bool fits = guards_flow(m->guards, g, str_of(owner), control_now_us(m->control), &flow);
    holding_levels_changed(m);
    if (fits)
        return ERR_NONE;
    metric_add(&pumped_total, 1);
    if (flow.first)
        log_warn("messages", "pumping suspected: resource %s, range %s, %u in this window, %u are the most, guard %s",
                 r ? r->name : "?", range, flow.now, flow.most, g->name);
    snprintf(now_n, sizeof now_n, "%u", flow.now);
    snprintf(most, sizeof most, "%u", flow.most);
    snprintf(factor, sizeof factor, "%u", g->factor);
    duration_write(window, g->window_s * (int64_t)US_PER_S);
    return rule_problem(why, ERR_FORBIDDEN, RULE_PUMPING_SUSPECTED, range, now_n, window, most, factor, g->name);
}

/* -- the guards are others now ---------------------------------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    uint64_t x = (*(struct message *const *)a)->key, y = (*(struct message *const *)b)->key;
    return (x > y) - (x < y);
}

static bool asks_again(const struct message *msg)
{
    return msg->state == MSG_WAITING && msg->held > HELD_SCHEDULE;
}

void holding_changed(struct messages *m)
{
    size_t n = 0, at = 0;
    uint64_t key;
    void *value;
    struct message **list = calloc(map_count(m->live) + 1, sizeof *list);
    guards_forget_places(m->guards);
    while (list && map_next(m->live, &at, &key, &value))
        if (asks_again(value))
            list[n++] = value;
    for (size_t i = 0; i < n; i++)
        list[i]->placed = 0;
    if (list)
        qsort(list, n, sizeof(struct message *), by_key);
    for (size_t i = 0; i < n; i++)
        outbound_wake(list[i]);
    free(list);
}

/* -- looking ------------------------------------------------------------------------------------------------------------------------------ */

/* When the stages behind the one that holds it would let it go, as it looks now. */
static int64_t likely_us(const struct message *msg, struct guard_ask *ask)
{
    struct messages *m = msg->m;
    int64_t likely = msg->due.due_us;
    for (int why = msg->held + 1; why <= HELD_PREFIX; why++) {
        const struct sms_guard *g = why < HELD_SENDER || msg->placed & 1u << holds[why].kind ? NULL : limit_of(m, holds[why].kind, ask);
        int64_t slot = g ? guards_slot(m->guards, g, owner_of(holds[why].kind, ask), control_now_us(m->control), 1) : 0;
        likely = slot > likely ? slot : likely;
    }
    return quiet_until(m, ask, likely);
}

/* The guard that holds it now, and what is asked of guards for it. NULL: its own time. */
static const struct sms_guard *holder_of(const struct message *msg, const struct lease *lease, struct guard_ask *ask)
{
    const struct messages *m = msg->m;
    *ask = ask_of(m, msg->resource, lease, msg->texts->from, message_to(msg));
    const struct carrier_slot *c = msg->held == HELD_CARRIER ? routing_choose((struct message *)(uintptr_t)msg, lease) : NULL;
    ask->carrier = str_of(c ? c->name : "");
    return msg->held > HELD_SCHEDULE ? guards_match(m->guards, holds[msg->held].kind, ask) : NULL;
}

static void write_held(const struct message *msg, struct jw *w)
{
    struct guard_ask ask;
    const struct lease *lease = numbers_lease(msg->m->numbers, msg->texts->from);
    jw_textz(w, "for", holds[msg->held].word);
    if (!lease)
        return;
    const struct sms_guard *g = holder_of(msg, lease, &ask);
    if (g)
        jw_textz(w, "guard", g->name);
    jw_time(w, "until", msg->due.due_us);
    if (msg->valid_until_us && msg->valid_until_us <= msg->due.due_us)
        jw_bool(w, "expires", true);
    else
        jw_time(w, "expectedAt", likely_us(msg, &ask));
}

/* Places before it in its carrier's line, counted so far only. */
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
    for (const struct message *other = c->head; other && other != msg && ahead < COUNTED_MOST; other = other->next)
        ahead++;
    jw_int(w, "ahead", ahead);
}

void holding_write(const struct messages *m, uint64_t key, struct jw *w)
{
    const struct message *msg = map_find(m->live, key);
    if (!msg || msg->writing || (msg->state != MSG_WAITING && msg->state != MSG_QUEUED))
        return;
    jw_object(w, "waiting");
    if (msg->state == MSG_QUEUED) {
        write_line(msg, w);
    } else if (msg->held) {
        write_held(msg, w);
    } else {
        jw_textz(w, "for", "retry");
        jw_time(w, "until", msg->due.due_us);
    }
    jw_end(w);
}

bool messages_waits_for(const struct messages *m, uint64_t key, char words[256])
{
    const struct message *msg = map_find(m->live, key);
    const struct lease *lease = msg ? numbers_lease(m->numbers, msg->texts->from) : NULL;
    char until[ISO8601_SIZE], likely[ISO8601_SIZE];
    if (!lease || msg->writing || msg->state != MSG_WAITING)
        return false;
    time_iso8601(until, msg->due.due_us);
    if (!msg->held) {
        snprintf(words, 256, "for another try at %s", until);
        return true;
    }
    struct guard_ask ask;
    const struct sms_guard *g = holder_of(msg, lease, &ask);
    time_iso8601(likely, likely_us(msg, &ask));
    snprintf(words, 256, "for its %s%s%s%s until %s; it is expected to leave at %s", holds[msg->held].noun, g ? " (guard " : "", g ? g->name : "",
             g ? ")" : "", until, likely);
    return true;
}

/* -- start-up ------------------------------------------------------------------------------------------------------------------------------ */

static enum err load_guard(void *arg, const struct sms_guard_row *row)
{
    struct messages *m = arg;
    struct sms_guard g = { .on = row->on, .refuses = row->refuses, .count = (uint32_t)row->count, .window_s = (uint32_t)row->window_s,
                           .burst = (uint32_t)row->burst, .factor = (uint32_t)row->factor, .from = (uint16_t)row->from_minute,
                           .until = (uint16_t)row->until_minute };
    str_copyz(g.name, sizeof g.name, row->name);
    str_copyz(g.match, sizeof g.match, row->match);
    str_copyz(g.language, sizeof g.language, row->language);
    if (guard_kind_read(row->kind, &g.kind) || (row->handling.n && optout_handling_read(row->handling, &g.handling))) {
        log_warn("messages", "the guard %s is of a kind this version does not know", g.name);
        return ERR_NONE;
    }
    return guards_put(m->guards, &g);
}

static enum err load_level(void *arg, const struct sms_guard_level_row *row)
{
    struct messages *m = arg;
    return guards_restore(m->guards, &(struct guard_level){ row->guard, row->owner, row->a, row->b, row->at_us });
}

enum err holding_load(struct messages *m)
{
    enum err err = sms_guard_rows_each(m->control->db, load_guard, m);
    return err ? err : sms_guard_level_rows_each(m->control->db, load_level, m);
}
