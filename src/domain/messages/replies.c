/* replies.c - STOP, START and HELP: recorded and, where it is ours to do, answered in the unit that stores them.
 *
 * Who answers is said by the operator's guards of kind optout, else by data/optout/policies.csv. An answer is a message like any other,
 * but that no guard holds it. It is never a keyword itself, and to one phone only so many go in an hour (the guard `auto-reply`): two
 * machines that answer each other come to rest. */
#include "base/metric.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "codec/gsm7/gsm7.h"
#include "domain/messages/messages_priv.h"
#include "domain/numbers/catalogue.h"

#include <stdio.h>

METRIC_COUNTER(replies_total, "carterfone_sms_auto_replies_total", "Answers to STOP, START and HELP")
METRIC_COUNTER(capped_total, "carterfone_sms_auto_replies_capped_total", "Answers that were not sent: too many to one phone")

static const char *const words[] = { [KEYWORD_STOP] = "STOP", [KEYWORD_START] = "START", [KEYWORD_HELP] = "HELP" };

struct policy {
    enum optout_handling handling;
    struct str           language;
    bool                 help;
};

static struct guard_ask ask_of(const struct arrival *a)
{
    return (struct guard_ask){ .from = a->number, .type = str_of(number_type_in_words(a->lease->type)), .carrier = str_of(a->carrier->name) };
}

static struct policy policy_of(const struct arrival *a)
{
    const struct guard_ask ask = ask_of(a);
    const struct optout_policy *p = optout_policy_of(numbers_edition(a->m->numbers), a->lease->country, number_type_word(a->lease->type));
    const struct sms_guard *g = guards_match(a->m->guards, GUARD_OPTOUT, &ask);
    return (struct policy){ g ? g->handling : p->handling, str_of(g && g->language[0] ? g->language : p->language), g || p->help };
}

void reply_judge(struct arrival *a, struct buf *trail)
{
    struct policy p = policy_of(a);
    if (p.handling == OPTOUT_BY_NONE)
        return;
    bool ours = p.handling == OPTOUT_BY_PLATFORM;
    bool was_out = optouts_has(a->m->optouts, a->number, a->phone);
    a->keyword = ours ? keyword_of(a->text, p.language) : keyword_of_carrier(a->text);
    a->opts_out = a->keyword == KEYWORD_STOP;
    a->opts_in = a->keyword == KEYWORD_START;
    if (a->opts_out || a->opts_in)
        trail_line(trail, a->now_us, "opt-out", "%s %s: %s", words[a->keyword], a->opts_out ? "recorded" : "takes back an opt-out",
                   ours ? "this number's own handling" : "the carrier answers on this number");
    if (!ours || (a->keyword == KEYWORD_HELP && !p.help) || (a->opts_out && was_out) || (a->opts_in && !was_out))
        a->keyword = KEYWORD_NONE;          /* nothing to answer, or it was answered before */
}

/* -- the answer ----------------------------------------------------------------------------------------------------------- */

/* Its place in the hour is taken when there is one. */
static bool too_many(const struct arrival *a)
{
    struct guards *guards = a->m->guards;
    const struct guard_ask ask = ask_of(a);
    const struct sms_guard *g = guards_match(guards, GUARD_REPLY, &ask);
    char owner[96];
    snprintf(owner, sizeof owner, STR_FMT " " STR_FMT, STR_ARG(a->number), STR_ARG(a->phone));
    if (!g)
        return false;
    if (guards_slot(g, str_of(owner), a->now_us, 1) > a->now_us)
        return true;
    (void)guards_reserve(g, str_of(owner), a->now_us, 1);
    guards_gone(guards, g, str_of(owner), a->now_us);
    holding_levels_changed(a->m);
    return false;
}

/* NULL: it may go. */
static const char *why_not(const struct arrival *a, unsigned segments)
{
    struct usage *usage = a->m->control->usage;
    struct usage_ends ends = { a->lease->resource, a->lease, a->number, a->phone };
    struct problem why = { 0 };
    if (numbers_may_send_texts(a->m->numbers, a->lease, &why) || numbers_may_text(a->m->numbers, a->lease, a->phone, &why))
        return "this number may not text that phone";
    if (usage_may_spend(usage, a->lease->resource, usage_sms_estimate(usage, &ends, segments), &why))
        return "the spend cap is reached";
    if (!too_many(a))
        return NULL;
    metric_add(&capped_total, 1);
    return "too many answers went to that phone within the hour";
}

static struct message *reply_make(const struct arrival *a, struct db_unit *u, struct str text, unsigned segments)
{
    struct messages *m = a->m;
    scoped_buf trail = { 0 };
    trail_line(&trail, a->now_us, "reply", "answers %s, by itself", words[a->keyword]);
    struct message_row row = { .key = ids_next(m->control->ids), .resource = a->lease->resource, .from = a->number, .to = a->phone,
                               .text = text, .state = message_state_stored(MSG_QUEUED), .segments = segments,
                               .created_us = a->now_us, .trail = buf_str(&trail) };
    struct message *msg = trail.bad ? NULL : message_make(m, &row);
    if (!msg || map_put(m->live, msg->key, msg)) {
        message_free(msg);
        return NULL;
    }
    msg->writing = msg->automatic = true;
    message_hold(msg);
    message_row_insert(u, &row);
    return msg;
}

struct message *reply_add(const struct arrival *a, struct db_unit *u, struct buf *trail)
{
    if (a->keyword == KEYWORD_NONE)
        return NULL;
    struct str text = str_of(keyword_text(a->keyword, policy_of(a).language));
    unsigned segments = sms_segments(text);
    const char *why = why_not(a, segments);
    struct message *msg = why ? NULL : reply_make(a, u, text, segments);
    if (!msg) {
        trail_line(trail, a->now_us, "reply", "none: %s", why ? why : "out of memory");
        return NULL;
    }
    char id[SMS_ID_SIZE];
    message_public_id(a->m, msg->key, false, id);
    trail_line(trail, a->now_us, "reply", "%s is answered by %s", words[a->keyword], id);
    metric_add(&replies_total, 1);
    return msg;
}

void reply_go(struct message *reply, enum err err)
{
    reply->writing = false;
    if (!err) {
        outbound_queue(reply);
        return;
    }
    map_take(reply->m->live, reply->key);
    message_free(reply);
}
