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

enum { COUNTED = 4, HAS_PLACE = 0x0f };         /* of message.placed, whose halves have a bit for each kind of limit */
static_assert((int)GUARD_CARRIER < (int)COUNTED, "places are bits of an octet");
static const int64_t LEVELS_AFTER_US = US_PER_S;

const struct held_stage holds[HELD_CARRIER + 1] = {
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

struct guard_ask guard_ask_of(const struct messages *m, uint64_t resource, const struct lease *lease, struct str from, struct str to)
{
    const struct resource *r = accounts_resource(m->accounts, resource);
    return (struct guard_ask){ .from = from, .to = to, .type = str_of(number_type_in_words(lease->type)),
                               .resource = str_of(r ? r->name : ""), .account = str_of(r ? r->subscription->name : "") };
}

struct str guard_owner(enum guard_kind kind, const struct guard_ask *ask)
{
    return kind == GUARD_SENDER ? ask->from : kind == GUARD_RESOURCE ? ask->resource : kind == GUARD_CARRIER ? ask->carrier : STR("");
}

const struct sms_guard *holding_limit(const struct messages *m, enum guard_kind kind, const struct guard_ask *ask)
{
    const struct sms_guard *g = guards_match(m->guards, kind, ask);
    return g && !g->refuses ? g : NULL;
}

/* -- the stages: until when, or now ----------------------------------------------------------------------------------------------- */

int64_t holding_quiet_until(const struct messages *m, const struct guard_ask *ask, int64_t now_us)
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
    const struct sms_guard *g = msg->placed & 1u << kind ? NULL : holding_limit(m, kind, ask);
    msg->placed |= (uint8_t)(1u << kind);
    return g ? guards_reserve(g, guard_owner(kind, ask), now_us, 1) : now_us;
}

static int64_t stage(struct message *msg, enum held_why why, struct guard_ask *ask, const struct lease *lease, int64_t now_us)
{
    const struct messages *m = msg->m;
    if (why == HELD_SCHEDULE)
        return msg->send_at_us > now_us ? msg->send_at_us : now_us;
    if (!guards_any(m->guards, holds[why].kind))
        return now_us;
    if (why == HELD_QUIET)
        return holding_quiet_until(m, ask, now_us);
    if (why == HELD_CARRIER) {
        const struct carrier_slot *c = msg->at ? msg->carrier : routing_choose(msg, lease);
        ask->carrier = str_of(c ? c->name : "");
    }
    return take_place(msg, holds[why].kind, ask, now_us);
}

/* It passed all stages; what was counted before a guard of another kind changed stays counted. */
static void count_gone(struct message *msg, const struct guard_ask *ask, int64_t now_us)
{
    struct messages *m = msg->m;
    for (int why = HELD_SENDER; why <= HELD_CARRIER; why++) {
        enum guard_kind kind = holds[why].kind;
        const struct sms_guard *g = msg->placed & 1u << (kind + COUNTED) ? NULL : holding_limit(m, kind, ask);
        if (g)
            guards_gone(m->guards, g, guard_owner(kind, ask), now_us);
        msg->placed |= (uint8_t)(1u << (kind + COUNTED));
    }
    holding_levels_changed(m);
}

/* Places in buckets that began anew are gone. */
static void catch_up(struct message *msg)
{
    const struct messages *m = msg->m;
    for (unsigned kind = 0; kind < ARRAY_LEN(m->guards_changed); kind++)
        if (m->guards_changed[kind] > msg->epoch)
            msg->placed &= (uint8_t)~(1u << kind | 1u << (kind + COUNTED));
    msg->epoch = m->epoch;
}

static bool opted_out(struct message *msg)
{
    if (!optouts_has(msg->m->optouts, msg->texts->from, message_to(msg)))
        return false;
    message_feed(msg, EV_STRANDED, &(struct message_cue){ .step = "opt-out", .segment = -1,
                                                          .words = "its recipient opted out while it waited" });
    return true;
}

bool holding_doubts(const struct message *msg)
{
    return msg->epoch != msg->m->epoch || guards_any(msg->m->guards, GUARD_QUIET);
}

bool holding_keeps(struct message *msg)
{
    struct messages *m = msg->m;
    bool other = msg->epoch != m->epoch;
    if (msg->automatic || (!other && !msg->held && !msg->send_at_us && !guards_hold(m->guards)))
        return false;
    if ((other || msg->held || msg->send_at_us) && opted_out(msg))
        return true;
    catch_up(msg);
    int64_t now = control_now_us(m->control), until = now;
    const struct lease *lease = numbers_lease(m->numbers, msg->texts->from);
    struct guard_ask ask = guard_ask_of(m, msg->resource, lease, msg->texts->from, message_to(msg));
    for (int why = HELD_SCHEDULE; why <= HELD_CARRIER; why++) {
        until = stage(msg, (enum held_why)why, &ask, lease, now);
        if (until <= now)
            continue;
        msg->held = (uint8_t)why;
        metric_add(&held_total, 1);
        message_feed(msg, EV_HELD, &(struct message_cue){ .until_us = until, .segment = -1 });
        return true;
    }
    if (guards_hold(m->guards))
        count_gone(msg, &ask, now);
    if (msg->held)
        msg->send_at_us = now, msg->held_was = msg->held;
    msg->held = HELD_NOT;
    return false;
}

void holding_tell(const struct message *msg, struct buf *trail)
{
    const struct sms_guard *g = waiting_holder(msg, (enum held_why)msg->held_was);
    trail_line(trail, msg->send_at_us, "guard", "%s%s%s%s", holds[msg->held_was].was, g ? " (guard " : "", g ? g->name : "", g ? ")" : "");
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

void holding_changed(struct messages *m, enum guard_kind kind)
{
    size_t n = 0, at = 0;
    m->epoch++;
    if (kind < ARRAY_LEN(m->guards_changed))
        m->guards_changed[kind] = m->epoch;
    if (guards_hold(m->guards))
        messages_call_back(m, STR(""), STR(""));
    uint64_t key;
    void *value;
    struct message **list = calloc(map_count(m->live) + 1, sizeof *list);
    guards_forget_places(m->guards);
    while (list && map_next(m->live, &at, &key, &value))
        if (asks_again(value))
            list[n++] = value;
    for (size_t i = 0; i < n; i++)
        list[i]->placed = (uint8_t)((list[i]->placed & ~HAS_PLACE) | list[i]->placed >> COUNTED);
    if (list)
        qsort(list, n, sizeof(struct message *), by_key);
    for (size_t i = 0; i < n; i++)
        outbound_wake(list[i]);
    free(list);
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
