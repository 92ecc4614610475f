/* sending.c - POST /sms decided: who may send from what to whom, what is a repetition, then stored in one unit. */
#include "base/metric.h"
#include "codec/e164/e164.h"
#include "codec/gsm7/gsm7.h"
#include "domain/messages/messages_priv.h"
#include "domain/numbers/quotas.h"
#include "domain/rules.h"

#include <stdio.h>

METRIC_COUNTER(accepted_total, "carterfone_sms_accepted_total", "Recipients accepted by POST /sms")
METRIC_COUNTER(repeated_total, "carterfone_sms_repeated_total", "Recipients that were a repetition")

static const int64_t REPEATS_LOADED_US = 24 * 3600 * (int64_t)US_PER_S;
static const int64_t CLOCK_SKEW_US = 900 * (int64_t)US_PER_S;           /* as signatures have it */
static const int64_t REQUEST_ARRIVES_US = 600 * (int64_t)US_PER_S;      /* a key is made when a request begins */

/* One request on its way to disk. */
struct sending {
    struct db_done         done;
    struct messages       *m;
    const struct sms_send *send;
    messages_sent_fn      *then;
    void                  *arg;
    int64_t                now_us;                          /* when all of it is decided */
    uint64_t               number;                          /* the sender's digits */
    uint64_t               text_hash;                       /* 0: not needed so far */
    const struct lease    *lease;                           /* until messages_send() returns */
    uint64_t               keys[SMS_RECIPIENTS_MAX];        /* of those to come; the first bears the request's */
    struct message        *made[SMS_RECIPIENTS_MAX];        /* new ones, in request order */
    size_t                 made_n, admitted;                /* counted by limits that refuse */
    bool                   flowed[SMS_RECIPIENTS_MAX];      /* counted by the pumping guard */
    size_t                 n;                               /* of results: `send` is not there any more when they are freed */
    struct sms_result      results[];
};

static struct sending *sending_new(struct messages *m, const struct sms_send *s)
{
    struct sending *g = calloc(1, sizeof *g + s->n * sizeof g->results[0]);
    if (g)
        *g = (struct sending){ .m = m, .send = s, .n = s->n, .now_us = control_now_us(m->control) };
    return g;
}

static void sending_free(struct sending *g)
{
    refusals_free(g->results, g->n);
    free(g);
}

/* A text that retention took away says no more what was asked. */
static enum err load_repeat(void *arg, const struct message_row *row)
{
    struct repeat was = { .message = row->key, .at_s = (uint32_t)(row->created_us / US_PER_S) };
    if (row->text.n)
        was.print = repeats_print(row->from, row->to, hash_str(row->text), row->tag, row->report);
    return repeats_put(((struct messages *)arg)->repeats, row->resource, row->repeat_id, was, true);
}

enum err repeats_load(struct messages *m)
{
    /* a message is at least as old by the product clock as its key is by the wall's, but for the time its request took to arrive */
    return message_rows_repeats(m->control->db, id_floor(clock_wall_us() - REPEATS_LOADED_US - REQUEST_ARRIVES_US),
                                control_now_us(m->control) - REPEATS_LOADED_US, load_repeat, m);
}

static enum err recall_text(void *arg, const struct message_row *row)
{
    uint64_t digits;
    if (e164_read(row->from, &digits))
        return ERR_NONE;
    return quotas_recall(numbers_quotas(((struct messages *)arg)->numbers), digits, QUOTA_SMS, row->key, row->created_us);
}

enum err texts_recall(struct messages *m)
{
    const struct quotas *q = numbers_quotas(m->numbers);
    int64_t window_us = q ? quotas_window_us(q, QUOTA_SMS) : 0;
    return window_us ? message_rows_sent(m->control->db, id_floor(clock_wall_us() - window_us - REQUEST_ARRIVES_US), control_now_us(m->control) - window_us,
                                         recall_text, m)
                     : ERR_NONE;
}

static bool is_made_here(const struct sending *g, uint64_t message)
{
    for (size_t i = 0; i < g->made_n; i++)
        if (g->made[i]->key == message)
            return true;
    return false;
}

static const struct repeat *repeat_find(const struct messages *m, const struct sms_send *s, size_t i)
{
    struct str id = s->recipients[i].repeat_id;
    return id.n ? repeats_find(m->repeats, s->resource, id) : NULL;
}

/* The message that a recipient with an id was answered; false: it has none. */
static bool answered_with(const struct sending *g, size_t i, uint64_t *message)
{
    return g->send->recipients[i].repeat_id.n && g->results[i].status == 202
           && !sms_id_read(g->m->control->ids, str_of(g->results[i].id), message);
}

/* What guards counted of a request that is not accepted. */
static void uncount(struct sending *g)
{
    for (size_t i = 0; i < g->send->n; i++)
        if (g->flowed[i])
            admission_flow_back(g->m, g->send, g->send->recipients[i].to);
    admission_limits_back(g->m, g->send, g->admitted);
}

/* Not accepted: the same ids may come again. What an earlier request was promised stays. */
static void sending_forget(struct sending *g)
{
    struct quotas *quotas = numbers_quotas(g->m->numbers);
    uncount(g);
    for (size_t i = 0; i < g->send->n; i++) {
        uint64_t message = 0;
        if (!answered_with(g, i, &message) || !is_made_here(g, message))
            continue;
        const struct repeat *known = repeat_find(g->m, g->send, i);
        if (known && known->message == message)
            repeats_take(g->m->repeats, g->send->resource, g->send->recipients[i].repeat_id);
    }
    for (size_t i = 0; i < g->made_n; i++) {
        if (quotas)
            quotas_give_back(quotas, g->number, QUOTA_SMS, g->made[i]->key);
        map_take(g->m->live, g->made[i]->key);
        message_free(g->made[i]);
    }
    g->made_n = 0;
}

/* A repetition is only good when what it repeats was stored: the two may have been on their way together. Of a request that has other
 * recipients only that one is refused, or they would be sent twice. */
static enum err repeats_stand(struct sending *g)
{
    struct sms_refusal refusal = { .service = NULL };
    size_t fallen = 0;
    for (size_t i = 0; i < g->n; i++) {
        uint64_t message = 0;
        if (!answered_with(g, i, &message))
            continue;
        const struct repeat *known = repeat_find(g->m, g->send, i);
        if (known && known->message == message)
            continue;
        (void)rule_problem(&refusal.why, ERR_STORE, RULE_STORE_BUSY);
        refuse_recipient(&g->results[i], 503, &refusal);
        g->results[i].again = false;
        fallen++;
    }
    return fallen == g->n ? ERR_STORE : ERR_NONE;
}

static void on_stored(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct sending *g = container_of(item, struct sending, done.item);
    enum err err = g->done.err ? g->done.err : repeats_stand(g);
    if (g->done.err)
        sending_forget(g);
    for (size_t i = 0; i < g->made_n; i++)
        g->made[i]->writing = false, g->made[i]->answered_us = control_now_us(g->m->control);
    g->then(g->arg, err, g->results, g->send->n);
    for (size_t i = 0; i < g->made_n; i++)
        outbound_queue(g->made[i]);
    sending_free(g);
}

static const struct inbox_kind stored_kind = { "messages.stored", on_stored, NULL };

static enum err sender_check(const struct messages *m, const struct sms_send *s, const struct lease **out,
                             struct problem *why)
{
    const struct lease *lease = numbers_lease(m->numbers, s->from);
    if (!lease || lease->resource != s->resource) {
        enum err err = rule_problem(why, ERR_UNPROVEN, RULE_SENDER_NOT_LEASED);
        problem_target(why, "from");
        return err;
    }
    *out = lease;
    enum err err = numbers_may_send_texts(m->numbers, lease, why);
    return err ? err : accounts_may_spend(m->accounts, s->resource, why);
}

/* The real service's words where they are known. */
static void judge_recipient(const struct messages *m, const struct lease *from, const struct sms_send *s,
                            struct str to, struct sms_result *r)
{
    struct sms_refusal refusal = { .service = NULL };
    enum err err = numbers_may_text(m->numbers, from, to, &refusal.why);
    const char *by = err ? NULL : optouts_source(m->optouts, s->from, to);
    r->to = to;
    r->status = 202;
    if (err == ERR_RANGE || err == ERR_SYNTAX)
        refusal.service = "Invalid To phone number format.";
    if (by) {
        char from_words[E164_SIZE], to_words[E164_SIZE];
        str_copyz(from_words, sizeof from_words, s->from);
        str_copyz(to_words, sizeof to_words, to);
        err = rule_problem(&refusal.why, ERR_FORBIDDEN, RULE_RECIPIENT_OPTED_OUT, to_words, from_words, by);
        refusal.service = "Sender blocked for given recipient.";
        refusal.opted_out = true;
    }
    if (err)
        refuse_recipient(r, 400, &refusal);
}

/* Which request it is of. One with many recipients is known by its first message, whose trail names the others by their keys:
 * one that comes to nothing has no row, and is passed over by who reads this. */
static void trail_open(struct buf *trail, const struct sending *g)
{
    const struct messages *m = g->m;
    int64_t now = g->now_us;
    const struct resource *r = accounts_resource(m->accounts, g->send->resource);
    const char *name = r ? r->name : "?";
    const char *operation = g->send->esme ? g->send->esme->command : "Sms_Send";
    char guid[GUID_SIZE];
    if (g->made_n) {
        ids_guid(m->control->ids, ID_REQUEST, g->keys[0], guid);
        trail_line(trail, now, "request", "%s by %s, one of several in %s", operation, name, guid);
        return;
    }
    trail_line(trail, now, "request", "%s by %s", operation, name);
    if (g->send->n == 1)
        return;
    buf_printf(trail, "%lld with", (long long)now);
    for (size_t i = 1; i < g->send->n; i++)
        buf_printf(trail, " %llx", (unsigned long long)g->keys[i]);
    buf_putc(trail, '\n');
}

static void tell_time(struct buf *trail, int64_t now_us, const char *step, const char *words, int64_t at_us)
{
    char when[ISO8601_SIZE];
    time_iso8601(when, at_us);
    trail_line(trail, now_us, step, "%s %s", words, when);
}

/* A recipient that is not a repetition: its message, in memory and in the unit. */
static enum err add_one(struct sending *g, struct db_unit *u, size_t i, struct str trail, unsigned segments)
{
    struct messages *m = g->m;
    const struct sms_send *s = g->send;
    scoped_buf whole = { 0 };
    trail_open(&whole, g);
    buf_puts(&whole, trail);
    int64_t send_at_us = s->send_at_us > g->now_us ? s->send_at_us : 0;
    if (send_at_us)
        tell_time(&whole, g->now_us, "schedule", "not before", send_at_us);
    if (s->partner.n)
        trail_line(&whole, g->now_us, "partner", "%.64s is named as messaging-connect partner: here carriers and routes decide", s->partner.p);
    if (s->valid_until_us)
        tell_time(&whole, g->now_us, "validity", "until", s->valid_until_us);
    routing_tell(m, g->lease, s->from, s->recipients[i].to, &whole, g->now_us);
    struct message_row row = { .key = g->keys[g->made_n], .resource = s->resource, .report = s->report,
                               .from = s->from, .to = s->recipients[i].to, .text = s->text, .tag = s->tag,
                               .repeat_id = s->recipients[i].repeat_id, .state = message_state_stored(MSG_QUEUED),
                               .segments = segments, .created_us = g->now_us, .send_at_us = send_at_us, .valid_until_us = s->valid_until_us, .trail = buf_str(&whole) };
    struct message *msg = whole.bad ? NULL : message_make(m, &row);
    if (!msg || (s->esme && esme_add(msg, u, s->esme, g->keys[0])) || map_put(m->live, msg->key, msg)) {
        message_free(msg);
        return ERR_NOMEM;
    }
    msg->writing = true;
    message_hold(msg);
    g->made[g->made_n++] = msg;
    if (numbers_quotas(m->numbers))
        quotas_take(numbers_quotas(m->numbers), g->number, QUOTA_SMS, msg->key, NULL);
    message_row_insert(u, &row);
    if (send_at_us)
        message_row_send_at(u, row.key, send_at_us);
    if (s->valid_until_us)
        message_row_valid_until(u, row.key, s->valid_until_us);
    message_public_id(m, row.key, false, g->results[i].id);
    metric_add(&accepted_total, 1);
    return ERR_NONE;
}

static uint32_t print_of(struct sending *g, size_t i)
{
    const struct sms_send *s = g->send;
    if (!g->text_hash)
        g->text_hash = hash_str(s->text);
    return repeats_print(s->from, s->recipients[i].to, g->text_hash, s->tag, s->report);
}

/* @return true */
static bool reject_repeat(struct sending *g, size_t i, int status, enum rule rule)
{
    struct sms_refusal refusal = { .service = NULL };
    (void)rule_problem(&refusal.why, ERR_RANGE, rule);
    refuse_recipient(&g->results[i], status, &refusal);
    g->results[i].rejected = true;
    return true;
}

static bool differs(struct sending *g, size_t i, const struct repeat *earlier, uint32_t print)
{
    return earlier->print && earlier->print != print && reject_repeat(g, i, 400, RULE_REPEATABILITY_MISMATCH);
}

static enum err add_or_repeat(struct sending *g, struct db_unit *u, size_t i, struct str trail, unsigned segments)
{
    struct str id = g->send->recipients[i].repeat_id;
    if (!id.n)
        return add_one(g, u, i, trail, segments);
    struct repeat this = { .print = print_of(g, i), .at_s = (uint32_t)(g->now_us / US_PER_S) };
    const struct repeat *earlier = repeat_find(g->m, g->send, i);
    if (earlier && differs(g, i, earlier, this.print))          /* from another recipient of this request: the rest was judged */
        return ERR_NONE;
    if (earlier) {
        metric_add(&repeated_total, 1);
        message_public_id(g->m, earlier->message, false, g->results[i].id);
        g->results[i].again = true;
        return ERR_NONE;
    }
    enum err err = add_one(g, u, i, trail, segments);
    if (err)
        return err;
    this.message = g->made[g->made_n - 1]->key;
    return repeats_put(g->m->repeats, g->send->resource, id, this, false);
}

static bool is_far(int64_t first_sent_us, int64_t now_us)
{
    return first_sent_us < now_us - REPEATS_LOADED_US || first_sent_us > now_us + CLOCK_SKEW_US;
}

/* What is wrong with its id or date, or with using that id again. The date is of the client's clock, which follows the wall or, in
 * tests, the product clock. */
static bool rejected_as_repeat(struct sending *g, size_t i)
{
    const struct sms_recipient *to = &g->send->recipients[i];
    if (!to->repeat_id.n)
        return false;
    if (to->repeat_flaw == SMS_REPEAT_ID_BAD)
        return reject_repeat(g, i, 400, RULE_REPEATABILITY_ID_INVALID);
    if (to->repeat_flaw == SMS_REPEAT_DATE_BAD)
        return reject_repeat(g, i, 400, RULE_REPEATABILITY_DATE_INVALID);
    if (to->first_sent_us && is_far(to->first_sent_us, g->now_us) && is_far(to->first_sent_us, clock_wall_us()))
        return reject_repeat(g, i, 412, RULE_REPEATABILITY_OUTSIDE);
    const struct repeat *earlier = repeat_find(g->m, g->send, i);
    if (!earlier)
        return false;
    if (g->now_us / US_PER_S - earlier->at_s >= REPEATS_LOADED_US / US_PER_S)
        return reject_repeat(g, i, 412, RULE_REPEATABILITY_OUTSIDE);
    return differs(g, i, earlier, print_of(g, i));
}

static bool refused_by_flow(struct sending *g, size_t i)
{
    struct sms_refusal refusal = { .service = NULL };
    g->flowed[i] = !admission_flow(g->m, g->send, g->send->recipients[i].to, &refusal.why);
    if (!g->flowed[i])
        refuse_recipient(&g->results[i], 400, &refusal);
    return !g->flowed[i];
}

/* Decide on each recipient, and on what all that would be new may cost: the request stands or falls as a whole with that. */
static enum err judge_all(struct sending *g, const struct lease *lease, unsigned segments, int64_t *cost, struct problem *why)
{
    const struct sms_send *s = g->send;
    struct usage *usage = g->m->control->usage;
    int64_t micro = 0;
    size_t fresh = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct usage_ends ends = { s->resource, lease, s->from, s->recipients[i].to };
        judge_recipient(g->m, lease, s, ends.other, &g->results[i]);
        if (g->results[i].status != 202 || rejected_as_repeat(g, i) || repeat_find(g->m, s, i))
            continue;
        if (guards_any(g->m->guards, GUARD_PUMPING) && refused_by_flow(g, i))
            continue;
        int64_t one = usage_sms_estimate(usage, &ends, segments);
        if (cost)
            cost[i] = one;
        micro += one;
        fresh++;
    }
    char from[E164_SIZE];
    struct quotas *quotas = numbers_quotas(g->m->numbers);
    enum err err = quotas ? quotas_check(quotas, lease->number, e164_write(from, lease->number), QUOTA_SMS, fresh, why) : ERR_NONE;
    if (!err)
        err = usage_may_spend(usage, s->resource, micro, why);
    if (!err)
        err = admission_limits(g->m, s, lease, fresh, why);
    g->admitted = err ? 0 : fresh;
    return err;
}

static void trail_begin(struct buf *trail, const struct messages *m, const struct sms_send *s, const struct lease *from,
                        unsigned segments, int64_t now)
{
    enum number_registration registration = numbers_registration(m->numbers, from);
    trail_line(trail, now, "sender", "leased here with outbound SMS");
    if (registration != REGISTRATION_NOT_NEEDED)
        trail_line(trail, now, "registration", "toll-free verification: %s", number_registration_word(registration));
    trail_line(trail, now, "recipient", "possible number, in a country this sender may text, not opted out");
    trail_line(trail, now, "encoding", "%s, %u segment%s", gsm7_fits(s->text) ? "GSM-7" : "UCS-2", segments,
               segments == 1 ? "" : "s");
}

enum err messages_preview(struct messages *m, const struct sms_send *s, struct sms_forecast *out, struct problem *why)
{
    const struct lease *lease = NULL;
    int64_t micro[SMS_RECIPIENTS_MAX] = { 0 };
    enum err err = sender_check(m, s, &lease, why);
    struct sending *g = err ? NULL : sending_new(m, s);
    if (!g)
        return err ? err : ERR_NOMEM;
    if (s->n)
        err = judge_all(g, lease, sms_segments(s->text), micro, why);
    uncount(g);
    for (size_t i = 0; !err && i < s->n; i++) {
        out[i] = (struct sms_forecast){ .to = s->recipients[i].to, .micro = micro[i], .refused = g->results[i].status != 202 };
        if (out[i].refused)
            out[i].refusal = *g->results[i].refusal;
    }
    sending_free(g);
    return err;
}

static enum err time_check(const struct messages *m, const struct sms_send *s, struct problem *why)
{
    char days[16];
    if (s->send_at_us - control_now_us(m->control) <= SMS_SCHEDULE_MOST_S * (int64_t)US_PER_S)
        return ERR_NONE;
    snprintf(days, sizeof days, "%d", SMS_SCHEDULE_MOST_S / 86400);
    return rule_problem(why, ERR_RANGE, RULE_SCHEDULE_TOO_FAR, days);
}

enum err messages_send(struct messages *m, const struct sms_send *s, messages_sent_fn *then, void *arg,
                       struct problem *why)
{
    const struct lease *lease = NULL;
    enum err err = sender_check(m, s, &lease, why);
    if (!err && s->send_at_us)
        err = time_check(m, s, why);
    if (err)
        return err;
    assert(s->n >= 1 && s->n <= SMS_RECIPIENTS_MAX);
    struct sending *g = sending_new(m, s);
    struct db_unit *u = db_unit_new();
    if (!g || !u) {
        free(g);
        db_unit_free(u);
        return ERR_NOMEM;
    }
    g->done = (struct db_done){ .item.kind = &stored_kind, .to = control_inbox(m->control) };
    g->then = then;
    g->arg = arg;
    unsigned segments = sms_segments(s->text);
    scoped_buf trail = { 0 };
    trail_begin(&trail, m, s, lease, segments, g->now_us);
    err = judge_all(g, lease, segments, NULL, why);
    if (err) {
        uncount(g);
        sending_free(g);
        db_unit_free(u);
        return err;
    }
    g->number = lease->number;
    g->lease = lease;
    g->keys[0] = control_key(m->control);
    for (size_t i = 1; i < s->n; i++)
        g->keys[i] = ids_next(m->control->ids);
    for (size_t i = 0; !err && i < s->n; i++)
        if (g->results[i].status == 202)
            err = add_or_repeat(g, u, i, buf_str(&trail), segments);
    if (!g->made_n && !err)
        message_row_nothing(u);         /* only repetitions: they answer when the first of them is safe */
    if (!err)
        err = db_post(m->control->db, u, &g->done);
    if (err) {
        sending_forget(g);
        sending_free(g);
        db_unit_free(u);
        return problem_set(why, err, err == ERR_BUSY ? "TooManyRequests" : "ServiceUnavailable",
                           "Nothing was accepted: %s. Send the same request again.", err_words(err));
    }
    return ERR_NONE;
}
