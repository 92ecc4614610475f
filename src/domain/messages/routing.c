/* routing.c - which carrier a message lines up at, and what becomes of it there when that carrier is lost.
 *
 * With routes (routes.h): the first of them whose carrier is up and takes messages. What waits for a carrier that is lost is moved to
 * the next one, in order and in slices; while that goes on new messages line up behind what is to be moved, so that none overtakes.
 * A message that its carrier may have is kept for it longer: it could reach its recipient twice. Without a route nothing is moved. */
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "domain/messages/messages_priv.h"
#include "domain/numbers/stock.h"
#include "store/routes.h"

#include <stdio.h>

METRIC_COUNTER(moved_total, "carterfone_sms_moved_total", "Messages that went to another carrier than the one they waited for")
METRIC_COUNTER(detour_total, "carterfone_sms_detours_total", "Messages that a carrier refused for now and another was given")

enum { CANDIDATES_MAX = 16, SLICE = 1000 };
static const int64_t SOON_US = 50 * US_PER_MS;              /* what it gives back comes first */
static const int64_t START_US = 10 * (int64_t)US_PER_S;     /* for the first bind */
static const int64_t UNSURE_US = 120 * (int64_t)US_PER_S;   /* docs/messages.md */

struct candidate {
    struct carrier_slot    *carrier;
    const struct sms_route *route;      /* NULL: none, it is the number's own carrier */
};

/* -- who could take it -------------------------------------------------------------------------------------------------- */

struct pool_ask {
    const struct numbers *numbers;
    struct str            from;
    struct stock_number   number;
    bool                  known, asked;
};

static bool has_tag(const char *tags, const char *tag)
{
    struct str head, rest = str_of(tags);
    while (rest.n) {
        str_cut(rest, ' ', &head, &rest);
        if (str_eqz(head, tag))
            return true;
    }
    return false;
}

static bool in_pool(void *arg, const char *pool)
{
    struct pool_ask *p = arg;
    struct problem why;
    if (!p->asked)
        p->known = !numbers_stock_of(p->numbers, p->from, &p->number, &why);
    p->asked = true;
    return p->known && (has_tag(p->number.tags, pool) || has_tag(p->number.own_tags, pool));
}

/* By the routes, within the wall. None: no route says anything of it. */
static size_t by_routes(const struct messages *m, const struct lease *lease, struct str from, struct str to,
                        struct candidate out[CANDIDATES_MAX])
{
    const struct sms_route *routes[CANDIDATES_MAX];
    struct pool_ask pool = { .numbers = m->numbers, .from = from };
    const struct route_ask ask = { .from = from, .to = to, .in_pool = in_pool, .arg = &pool };
    size_t n = 0, found = routes_count(m->routes) ? routes_match(m->routes, &ask, routes, CANDIDATES_MAX) : 0;
    for (size_t i = 0; i < found; i++) {
        struct carrier_slot *c = slot_named(m, str_of(routes[i]->carrier));
        if (c && c->simulated == lease->simulated && c->ops->submit)
            out[n++] = (struct candidate){ c, routes[i] };
    }
    return n;
}

/* The wall: a simulated number leaves by a simulated carrier and by no other. Later carriers go before earlier ones, so
 * that a network an operator added is used instead of the built-in. */
static struct carrier_slot *own_carrier(const struct messages *m, const struct lease *lease)
{
    struct carrier_slot *best = NULL;
    for (struct carrier_slot *c = m->carriers; c; c = c->next) {
        if (c->simulated != lease->simulated || !c->ops->submit)
            continue;
        if (!c->simulated && lease->carrier[0] && strcmp(lease->carrier, c->name) != 0)
            continue;
        if (!best || c->up || !best->up)
            best = c;
    }
    return best;
}

/* -- the choice --------------------------------------------------------------------------------------------------------- */

static bool takes(const struct carrier_slot *c)
{
    return c->up && !c->stalled;
}

static size_t count_taking(const struct candidate *c, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += takes(c[i].carrier);
    return count;
}

/* The first that takes messages, or whose line is being moved in order; after detours a later one. Else the first that is bound. */
static size_t pick(const struct candidate *c, size_t n, unsigned detours, bool sweeping)
{
    size_t taking = count_taking(c, n), skip = taking ? detours % taking : 0, bound = n;
    for (size_t i = 0; i < n; i++) {
        if (!sweeping && !detours && c[i].carrier->moving)
            return i;
        if (takes(c[i].carrier) && skip-- == 0)
            return i;
        if (c[i].carrier->up && bound == n)
            bound = i;
    }
    return bound < n ? bound : 0;
}

static bool is_kept(const struct message *msg, int64_t now_us)
{
    const struct carrier_slot *c = msg->carrier;
    return msg->unsure && c && !c->gone && !(c->down_us && now_us - c->down_us >= UNSURE_US);
}

struct carrier_slot *routing_choose(struct message *msg, const struct lease *lease)
{
    struct candidate c[CANDIDATES_MAX];
    struct messages *m = msg->m;
    if (is_kept(msg, control_now_us(m->control)))
        return msg->carrier;
    size_t n = by_routes(m, lease, msg->texts->from, message_to(msg), c);
    return n ? c[pick(c, n, msg->detours, false)].carrier : own_carrier(m, lease);
}

bool routing_detour(struct message *msg)
{
    struct candidate c[CANDIDATES_MAX];
    const struct lease *lease = numbers_lease(msg->m->numbers, msg->texts->from);
    size_t n = lease && !msg->unsure ? by_routes(msg->m, lease, msg->texts->from, message_to(msg), c) : 0;
    size_t taking = count_taking(c, n);
    if (taking < 2)
        return false;
    msg->left = (uint16_t)msg->carrier->number;
    msg->left_why = LEFT_REFUSED;
    msg->detours = (uint8_t)(msg->detours + 1);
    metric_add(&detour_total, 1);
    return msg->detours % taking != 0;          /* else all refused it: wait, then begin anew */
}

/* -- a carrier is lost --------------------------------------------------------------------------------------------------- */

/* One that waits at c, if another takes it. */
static void move(struct carrier_slot *c, struct message *msg)
{
    struct candidate list[CANDIDATES_MAX];
    const struct lease *lease = numbers_lease(c->m->numbers, msg->texts->from);
    size_t n = lease ? by_routes(c->m, lease, msg->texts->from, message_to(msg), list) : 0;
    struct carrier_slot *to = n ? list[pick(list, n, msg->detours, true)].carrier : NULL;
    if (!to || to == c || !takes(to))
        return;
    msg->left = (uint16_t)c->number;
    msg->left_why = c->up ? LEFT_STALLED : LEFT_DOWN;
    msg->unsure = false;
    metric_add(&moved_total, 1);
    outbound_move(msg, to);
}

static void on_sweep(void *arg, int64_t due_us)
{
    struct carrier_slot *c = arg;
    if (!c->sweep)
        c->sweep = c->head;
    for (int i = 0; i < SLICE && c->sweep; i++) {
        struct message *msg = c->sweep;
        c->sweep = msg->next;
        if (!is_kept(msg, due_us))
            move(c, msg);
    }
    c->moving = c->sweep != NULL && agenda_set(c->m->control->agenda, &c->sweep_due, due_us, on_sweep, c) == ERR_NONE;
    if (!c->moving)
        c->sweep = NULL;
    for (struct carrier_slot *other = c->m->carriers; other; other = other->next)
        outbound_pump(other);
}

static void sweep_after(struct carrier_slot *c, int64_t wait_us)
{
    c->sweep = NULL;
    c->moving = agenda_set(c->m->control->agenda, &c->sweep_due, control_now_us(c->m->control) + wait_us, on_sweep, c) == ERR_NONE;
}

static void on_unsure(void *arg, int64_t due_us)
{
    (void)due_us;
    sweep_after(arg, 0);
}

static bool have_routes(const struct carrier_slot *c)
{
    return routes_count(c->m->routes) > 0;
}

void routing_added(struct carrier_slot *c)
{
    struct agenda *agenda = c->m->control->agenda;
    c->down_us = control_now_us(c->m->control);
    if (!have_routes(c))
        return;
    sweep_after(c, START_US);
    (void)!agenda_set(agenda, &c->unsure_due, c->down_us + UNSURE_US, on_unsure, c);
}

void routing_down(struct carrier_slot *c)
{
    struct agenda *agenda = c->m->control->agenda;
    if (!c->down_us && !c->up)
        c->down_us = control_now_us(c->m->control);
    if (!have_routes(c))
        return;
    sweep_after(c, SOON_US);
    if (!c->up)
        (void)!agenda_set(agenda, &c->unsure_due, c->down_us + UNSURE_US, on_unsure, c);
}

void routing_forget(struct carrier_slot *c)
{
    agenda_clear(c->m->control->agenda, &c->sweep_due);
    agenda_clear(c->m->control->agenda, &c->unsure_due);
    c->moving = false;
    c->sweep = NULL;
}

void routing_up(struct carrier_slot *c)
{
    routing_forget(c);
    c->down_us = 0;
    for (struct carrier_slot *other = c->m->carriers; other && have_routes(c); other = other->next)
        if (other != c && !takes(other) && other->waiting && !other->moving)
            sweep_after(other, 0);
}

void routing_changed(struct messages *m)
{
    for (struct carrier_slot *c = m->carriers; c; c = c->next)
        if (!takes(c) && c->waiting && !c->moving)
            sweep_after(c, 0);
}

/* -- what is told -------------------------------------------------------------------------------------------------------- */

static const char *state_word(const struct carrier_slot *c)
{
    return takes(c) ? "up" : c->up ? "busy" : "down";
}

static void tell_one(const struct candidate *c, char *words, size_t size)
{
    const struct sms_route *r = c->route;
    snprintf(words, size, "%s (route %s, %s%.15s, priority %u, cost %.6g, weight %u; %s)", c->carrier->name, r->name,
             r->prefix[0] ? "+" : "any", r->prefix, r->priority, (double)r->cost_micro / 1e6, r->weight, state_word(c->carrier));
}

void routing_tell(const struct messages *m, const struct lease *lease, struct str from, struct str to, struct buf *trail,
                  int64_t now_us)
{
    struct candidate c[CANDIDATES_MAX];
    char words[448] = "", one[320];
    size_t n = by_routes(m, lease, from, to, c), chosen = n ? pick(c, n, 0, false) : 0;
    if (!n) {
        const struct carrier_slot *own = routes_count(m->routes) ? own_carrier(m, lease) : NULL;
        if (own)
            trail_line(trail, now_us, "route", "%s: no route matches, it is the carrier of the sender", own->name);
        return;
    }
    tell_one(&c[chosen], one, sizeof one);
    size_t used = (size_t)snprintf(words, sizeof words, "%s", one);
    for (size_t i = 0; i < n && i < 4; i++) {
        if (i == chosen)
            continue;
        tell_one(&c[i], one, sizeof one);
        if (used + strlen(one) + 9 < sizeof words)
            used += (size_t)snprintf(words + used, sizeof words - used, "; %s %s", i < chosen ? "not" : "then", one);
    }
    trail_line(trail, now_us, "route", "%s", words);
}

void routing_write(const struct messages *m, const struct lease *lease, struct str from, struct str to, struct jw *w)
{
    struct candidate c[CANDIDATES_MAX];
    size_t n = by_routes(m, lease, from, to, c);
    if (!n && (c[0].carrier = own_carrier(m, lease)))
        c[0].route = NULL, n = 1;
    size_t chosen = n ? pick(c, n, 0, false) : 0;
    jw_array(w, "value");
    for (size_t i = 0; i < n; i++) {
        jw_object(w, NULL);
        jw_textz(w, "carrier", c[i].carrier->name);
        jw_textz(w, "state", state_word(c[i].carrier));
        jw_bool(w, "chosen", i == chosen);
        if (c[i].route) {
            jw_object(w, "route");
            sms_route_write(c[i].route, w);
            jw_end(w);
        }
        jw_end(w);
    }
    jw_end(w);
}

bool routing_tell_move(const struct message *msg, struct buf *trail, int64_t now_us)
{
    static const char *const why[] = { [LEFT_NOT] = "", [LEFT_DOWN] = "its link was lost", [LEFT_STALLED] = "it is too busy",
                                       [LEFT_REFUSED] = "it refused for now" };
    const struct carrier_slot *c = msg->m->carriers;
    while (c && c->number != msg->left)
        c = c->next;
    if (!msg->left_why || !c || c == msg->carrier)
        return false;
    trail_line(trail, now_us, "route", "from %s to " STR_FMT ": %s", c->name, STR_ARG(message_carrier(msg)), why[msg->left_why]);
    return true;
}

/* -- start-up ------------------------------------------------------------------------------------------------------------ */

static enum err load_route(void *arg, const struct sms_route_row *row)
{
    struct messages *m = arg;
    struct sms_route r = { .weight = (uint32_t)row->weight, .priority = (uint32_t)row->priority, .cost_micro = row->cost_micro };
    str_copyz(r.name, sizeof r.name, row->name);
    str_copyz(r.prefix, sizeof r.prefix, row->prefix);
    str_copyz(r.sender, sizeof r.sender, row->sender);
    str_copyz(r.pool, sizeof r.pool, row->pool);
    str_copyz(r.carrier, sizeof r.carrier, row->carrier);
    ids_after(m->control->ids, row->key);
    return routes_put(m->routes, &r);
}

enum err routing_load(struct messages *m)
{
    return sms_route_rows_each(m->control->db, load_route, m);
}
