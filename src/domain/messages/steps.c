/* steps.c - what happens to a message, written to its row; its end with the delivery report, in one unit. */
#include "base/log.h"
#include "domain/messages/messages_priv.h"

#include <stdio.h>

enum { NOTES_MAX = 200 };               /* lines that decide nothing: a peer may repeat itself for ever */

/* -- on the way to disk ------------------------------------------------------------------------------------------------ */

/* A full disk fails every step: a line a second says it, with how many there were. */
static void say_unstored(struct messages *m, enum err err)
{
    int64_t now_us = clock_mono().us;
    m->unstored++;
    if (m->unstored_said_us && now_us - m->unstored_said_us < US_PER_S)
        return;
    log_error("messages", "%llu steps could not be stored so far: %s", (unsigned long long)m->unstored, err_words(err));
    m->unstored_said_us = now_us;
}

static void on_stepped(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct stepping *g = container_of(item, struct stepping, done.item);
    struct message *ended = g->ends ? map_find(g->m->live, g->ends) : NULL;
    events_go(g->m->events, &g->events, g->done.err);
    outbound_stepped(g->m);
    if (g->settle)
        g->settle->ops->settle(g->settle->self, g->token, g->done.err);
    if (g->done.err) {
        struct message *msg = map_find(g->m->live, g->message);
        say_unstored(g->m, g->done.err);
        if (msg)
            msg->uncharged = true;
        if (ended)
            ended->end_unstored = true;
    }
    if (ended && !g->done.err && ended->opted_out)
        carrier_optout_stored(ended);
    if (ended && !g->done.err)
        esme_ended(ended);
    if (ended)
        message_feed(ended, g->done.err ? EV_UNSTORED : EV_STORED, &(struct message_cue){ .segment = -1 });
    free(g);
}

static void drop_step(struct inbox_item *item)
{
    struct stepping *g = container_of(item, struct stepping, done.item);
    events_drop(&g->events);
    free(g);
}

static const struct inbox_kind stepped_kind = { "messages.stepped", on_stepped, drop_step };

static struct stepping *stepping_new(struct messages *m, const struct message *msg, const struct message_cue *cue)
{
    struct stepping *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    *g = (struct stepping){ .done = { .item.kind = &stepped_kind, .to = control_inbox(m->control) }, .m = m, .message = msg->key };
    if (cue->settles) {
        g->settle = cue->from;
        g->token = cue->news->token;
    }
    return g;
}

/* Takes both. On failure the step is lost from the row, not from memory; the peer is asked to say it again. */
static enum err stepping_post(struct messages *m, struct stepping *g, struct db_unit *u, const struct message_cue *cue)
{
    enum err err = g ? db_post(m->control->db, u, &g->done) : ERR_NOMEM;
    if (!err) {
        m->steps++;
        return ERR_NONE;
    }
    db_unit_free(u);
    say_unstored(m, err);
    if (g)
        events_go(m->events, &g->events, err);
    free(g);
    if (cue->settles)
        cue->from->ops->settle(cue->from->self, cue->news->token, err);
    return err;
}

/* -- steps --------------------------------------------------------------------------------------------------------------- */

static void tell_busy(const struct message *msg, const struct carrier_busy *busy, struct buf *trail)
{
    int64_t behind_us = control_now_us(msg->m->control) - clock_mono().us;
    char until[ISO8601_SIZE];
    if (busy->times == 1) {
        trail_line(trail, busy->first_us + behind_us, "smpp", STR_FMT " put it off: command_status 0x%08x", STR_ARG(message_carrier(msg)), busy->status);
    } else {
        time_iso8601(until, busy->last_us + behind_us);
        trail_line(trail, busy->first_us + behind_us, "smpp", STR_FMT " put it off %u times, the last at %s: command_status 0x%08x",
                   STR_ARG(message_carrier(msg)), busy->times, until, busy->status);
    }
}

/* What happened since its last step and needed no row of its own. */
static void tell_since(struct message *msg, const struct message_cue *cue, struct buf *trail)
{
    if (msg->answered_us)
        trail_line(trail, msg->answered_us, "answer", "%s, once it was on disk", msg->esme ? "ESME_ROK" : "HTTP 202");
    if (msg->held_was)
        holding_tell(msg, trail);
    if (msg->taken_us) {
        if (routing_tell_move(msg, trail, msg->taken_us))
            msg->left_why = LEFT_NOT;
        trail_line(trail, msg->taken_us, "smpp", "submit_sm to " STR_FMT, STR_ARG(message_carrier(msg)));
    }
    if (cue->news && cue->news->busy.times)
        tell_busy(msg, &cue->news->busy, trail);
    msg->answered_us = msg->taken_us = 0;
    msg->held_was = HELD_NOT;
}

/* -- held back ------------------------------------------------------------------------------------------------------------ */

/* Leaves its place in the line to the last one. */
static struct held_step take_held(struct message *msg)
{
    struct messages *m = msg->m;
    struct held_step h = m->held_steps[msg->held_step - 1];
    m->held_steps[msg->held_step - 1] = m->held_steps[--m->held_n];
    m->held_steps[msg->held_step - 1].msg->held_step = msg->held_step;
    msg->held_step = 0;
    return h;
}

static const struct message_cue nothing_cue = { .segment = -1 };

static void post_held(struct message *msg)
{
    struct held_step h = take_held(msg);
    struct str carrier = message_carrier(msg);
    segment_row_insert(h.u, &(struct segment_row){ msg->key, 0, carrier, str_of(h.remote_id), -1 });
    message_row_step(h.u, msg->key, message_state_stored(MSG_SUBMITTED), carrier, h.at_us, buf_str(&h.trail));
    if (stepping_post(msg->m, stepping_new(msg->m, msg, &nothing_cue), h.u, &nothing_cue))
        msg->uncharged = true;
    buf_done(&h.trail);
}

void steps_flush(struct messages *m)
{
    while (m->held_n)
        post_held(m->held_steps[m->held_n - 1].msg);
}

/* In control's inbox, behind what was there when the first step was held back. */
struct held_over {
    struct inbox_item item;
    struct messages  *m;
};

static void drop_held_over(struct inbox_item *item)
{
    free(container_of(item, struct held_over, item));
}

static void on_held_over(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct messages *m = container_of(item, struct held_over, item)->m;
    m->held_over = false;
    steps_flush(m);
    drop_held_over(item);
}

static const struct inbox_kind held_over_kind = { "messages.held_over", on_held_over, drop_held_over };

/* One more can be held back, and will be written. */
static bool may_hold(struct messages *m)
{
    if (m->paused)
        return false;
    if (m->held_n == m->held_room) {
        size_t room = m->held_room ? 2 * m->held_room : 64;
        struct held_step *more = realloc(m->held_steps, room * sizeof *more);
        if (!more)
            return false;
        m->held_steps = more;
        m->held_room = room;
    }
    if (!m->held_over) {
        struct held_over *over = calloc(1, sizeof *over);
        if (!over)
            return false;
        *over = (struct held_over){ .item.kind = &held_over_kind, .m = m };
        m->held_over = true;
        inbox_post_always(control_inbox(m->control), &over->item);
    }
    return true;
}

void step_hold(struct message *msg, const struct message_cue *cue, struct db_unit *u)
{
    struct messages *m = msg->m;
    const struct carrier_news *n = cue->news;
    struct held_step h = { .msg = msg, .u = u, .at_us = control_now_us(m->control) };
    if (n->remote_id.n >= sizeof h.remote_id || !may_hold(m)) {
        segment_row_insert(u, &(struct segment_row){ msg->key, n->segment, str_of(cue->from->name), n->remote_id, -1 });
        step_post(msg, cue, u);
        return;
    }
    memcpy(h.remote_id, n->remote_id.p, n->remote_id.n);
    tell_since(msg, cue, &h.trail);
    trail_line(&h.trail, h.at_us, cue->step, "%s", cue->words);
    m->held_steps[m->held_n++] = h;
    msg->held_step = (uint32_t)m->held_n;
}

void step_post(struct message *msg, const struct message_cue *cue, struct db_unit *u)
{
    int64_t now = control_now_us(msg->m->control);
    scoped_buf trail = { 0 };
    if (msg->held_step)
        post_held(msg);
    tell_since(msg, cue, &trail);
    trail_line(&trail, now, cue->step, "%s", cue->words);
    if (cue->starts_over)
        segment_rows_forget(u, msg->key);
    if (cue->segment >= 0)
        segment_row_receipt(u, msg->key, (unsigned)cue->segment, (int)cue->news->state);
    if (cue->was_early)
        stray_receipt_row_take(u, str_of(cue->from->name), cue->news->remote_id);
    if (cue->news && cue->news->opted_out) {
        carrier_optout_add(msg, u);
        carrier_optout_stored(msg);     /* at once: the carrier has said so, whatever becomes of the unit */
    }
    message_row_step(u, msg->key, message_state_stored(msg->state), message_carrier(msg), now, buf_str(&trail));
    if (stepping_post(msg->m, stepping_new(msg->m, msg, cue), u, cue))
        msg->uncharged = true;
}

void step_note(struct message *msg, const struct message_cue *cue)
{
    bool decides = cue->segment >= 0 || cue->was_early || cue->starts_over;
    if (!decides && msg->notes >= NOTES_MAX) {
        if (cue->settles)
            cue->from->ops->settle(cue->from->self, cue->news->token, ERR_NONE);
        return;
    }
    msg->notes += !decides;
    step_post(msg, cue, db_unit_new());
}

/* -- the end -------------------------------------------------------------------------------------------------------------- */

static enum err report_write(const struct message *msg, const struct sms_report *report, struct db_unit *u, struct event_batch *batch)
{
    struct messages *m = msg->m;
    char subject[64];
    scoped_buf data = { 0 };
    struct jw w = jw_of(&data);
    report_json(report, &w);
    snprintf(subject, sizeof subject, "/phonenumber/%.40s", report->from.p + (report->from.n && report->from.p[0] == '+'));
    struct event_new e = { .resource = msg->resource, .type = STR("Microsoft.Communication.SMSDeliveryReportReceived"),
                           .subject = str_of(subject), .data = buf_str(&data), .id = str_of(report->id) };
    return data.bad ? ERR_NOMEM : events_write(m->events, u, &e, batch);
}

enum err step_end(struct message *msg, const struct message_cue *cue)
{
    struct messages *m = msg->m;
    int64_t now = control_now_us(m->control);
    bool was_held = msg->held_step;
    struct held_step h = was_held ? take_held(msg) : (struct held_step){ .u = db_unit_new() };
    struct db_unit *u = h.u;
    struct stepping *g = stepping_new(m, msg, cue);
    struct sms_report report;
    scoped_buf trail = h.trail;
    report_of(&report, msg, now);
    tell_since(msg, cue, &trail);
    trail_line(&trail, now, msg->end_step, "%s", msg->end_words ? msg->end_words : "");
    trail_line(&trail, now, "state", "%s", message_state_word(message_state_stored(msg->state)));
    report_tell(&report, &trail);
    message_row_step(u, msg->key, message_state_stored(msg->state), message_carrier(msg), now, buf_str(&trail));
    message_charge_again(msg, u);
    if (msg->opted_out)
        carrier_optout_add(msg, u);
    esme_end(msg, u);
    if (cue->was_early)
        stray_receipt_row_take(u, str_of(cue->from->name), cue->news->remote_id);
    if (g && msg->report && report_write(msg, &report, u, &g->events)) {
        events_go(m->events, &g->events, ERR_NOMEM);
        free(g);
        g = NULL;                       /* not without its report: later, all of it */
    }
    if (g)
        g->ends = msg->key;
    enum err err = stepping_post(m, g, u, cue);
    msg->uncharged |= err && was_held;
    msg->end_unstored |= err != ERR_NONE;
    return err;
}
