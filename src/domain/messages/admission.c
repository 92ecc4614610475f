/* admission.c - whether guards let a request in: limits that refuse, and ranges of numbers that get too much.
 *
 * What is counted for a request that comes to nothing after all is given back. */
#include "base/duration.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/messages/messages_priv.h"
#include "domain/rules.h"

#include <stdio.h>

METRIC_COUNTER(limited_total, "carterfone_sms_over_limit_total", "Requests refused because of a limit")
METRIC_COUNTER(pumped_total, "carterfone_sms_pumping_total", "Recipients refused because too many went to their range of numbers")

/* -- limits ----------------------------------------------------------------------------------------------------------- */

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

enum err admission_limits(struct messages *m, const struct sms_send *s, const struct lease *lease, size_t n, struct problem *why)
{
    static const enum guard_kind kinds[] = { GUARD_SENDER, GUARD_RESOURCE };
    const struct sms_guard *g[ARRAY_LEN(kinds)] = { NULL };
    if (!n || (!guards_any(m->guards, GUARD_SENDER) && !guards_any(m->guards, GUARD_RESOURCE)))
        return ERR_NONE;
    int64_t now = control_now_us(m->control);
    struct guard_ask ask = guard_ask_of(m, s->resource, lease, s->from, STR(""));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        g[i] = guards_match(m->guards, kinds[i], &ask);
        int64_t slot = g[i] && g[i]->refuses ? guards_slot(g[i], guard_owner(kinds[i], &ask), now, n) : now;
        if (slot > now)
            return over_limit(m, g[i], n, slot, why);
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct str owner = guard_owner(kinds[i], &ask);
        if (!g[i] || !g[i]->refuses)
            continue;
        (void)guards_reserve(g[i], owner, now, n);
        for (size_t k = 0; k < n; k++)
            guards_gone(m->guards, g[i], owner, now);
    }
    holding_levels_changed(m);
    return ERR_NONE;
}

void admission_limits_back(struct messages *m, const struct sms_send *s, size_t n)
{
    static const enum guard_kind kinds[] = { GUARD_SENDER, GUARD_RESOURCE };
    const struct lease *lease = numbers_lease(m->numbers, s->from);
    if (!lease || !n)
        return;
    struct guard_ask ask = guard_ask_of(m, s->resource, lease, s->from, STR(""));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct sms_guard *g = guards_match(m->guards, kinds[i], &ask);
        if (g && g->refuses)
            guards_return(m->guards, g, guard_owner(kinds[i], &ask), n);
    }
    holding_levels_changed(m);
}

/* -- pumping ---------------------------------------------------------------------------------------------------------- */

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

static const char *flow_owner(char owner[128], const char *resource, struct str to)
{
    snprintf(owner, 128, "%s " STR_FMT, resource, STR_ARG(range_of(to)));
    return owner;
}

void admission_flow_back(struct messages *m, const struct sms_send *s, struct str to)
{
    const struct sms_guard *g = guards_match(m->guards, GUARD_PUMPING, &(struct guard_ask){ .to = to });
    const struct resource *r = accounts_resource(m->accounts, s->resource);
    char owner[128];
    if (!g)
        return;
    guards_flow_back(m->guards, g, str_of(flow_owner(owner, r ? r->name : "?", to)));
    holding_levels_changed(m);
}

enum err admission_flow(struct messages *m, const struct sms_send *s, struct str to, struct problem *why)
{
    struct guard_ask ask = { .to = to };
    const struct sms_guard *g = guards_match(m->guards, GUARD_PUMPING, &ask);
    const struct resource *r = accounts_resource(m->accounts, s->resource);
    struct guard_flow flow;
    char owner[128], range[20], now_n[16], most[16], factor[16], window[DURATION_SIZE];
    if (!g)
        return ERR_NONE;
    str_copyz(range, sizeof range, range_of(to));
    bool fits = guards_flow(m->guards, g, str_of(flow_owner(owner, r ? r->name : "?", to)), control_now_us(m->control), &flow);
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
