/* asked.c - what a carrier is asked about a message that it holds: to cancel it, what became of it, to give it another text.
 *
 * One asking a message at a time, about every segment without a receipt; the ids are read from their rows, where they stand as the
 * carrier wrote them. What it agrees to, or knows, counts as a receipt does. Askings live in memory alone: after a restart who asked is
 * gone, and a query is asked again. */
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "codec/gsm7/gsm7.h"
#include "codec/smpp/smpp.h"
#include "domain/messages/messages_priv.h"
#include "store/esmes.h"

#include <stdio.h>

METRIC_COUNTER(cancelled_total, "carterfone_sms_cancelled_at_carriers_total", "Messages that a carrier cancelled when asked")
METRIC_COUNTER(queried_total, "carterfone_sms_queried_total", "Messages whose carrier was asked because no receipt came")
METRIC_COUNTER(found_total, "carterfone_sms_receipts_by_query_total", "Segments whose end a carrier told when asked")

enum { AT_ONCE = 200, QUERIES_AT_ONCE = 150, SEGMENTS_MOST = 255, TEXT_SIZE = 224 };
static const int64_t CROWDED_US = 5 * (int64_t)US_PER_S;

static const char *const words_of[] = {
#define VERB_WORD(name, word) word,
    CARRIER_VERBS(VERB_WORD)
#undef VERB_WORD
};

/* -- the table -------------------------------------------------------------------------------------------------------- */

#define STATES(S) S(READING) S(ASKING) S(OVER)
#define EVENTS(E)                                                                                                       \
    E(FOUND)            /* the ids are read, and its carrier was asked about each */                                    \
    E(NOTHING)          /* there are none, or none could be asked about */                                              \
    E(ANSWER)           /* one of several */                                                                            \
    E(AGREED)           /* the last one, and it did so to every segment */                                              \
    E(REFUSED)          /* the last one, and to some it did not */
#define RULES(R)        /* in state, on event, do, then be */                                                           \
    R(READING, FOUND, stay, ASKING)       R(READING, NOTHING, not_done, OVER)   R(READING, ANSWER, refuse, READING)      \
    R(READING, AGREED, refuse, READING)   R(READING, REFUSED, refuse, READING)                                          \
    R(ASKING, FOUND, refuse, ASKING)      R(ASKING, NOTHING, refuse, ASKING)    R(ASKING, ANSWER, stay, ASKING)         \
    R(ASKING, AGREED, done, OVER)         R(ASKING, REFUSED, not_done, OVER)                                            \
    R(OVER, FOUND, refuse, OVER)          R(OVER, NOTHING, refuse, OVER)        R(OVER, ANSWER, refuse, OVER)           \
    R(OVER, AGREED, refuse, OVER)         R(OVER, REFUSED, refuse, OVER)

#define S_ENUM(name) ASKED_##name,
enum asked_state { STATES(S_ENUM) N_STATES };
#define E_ENUM(name) EV_ASKED_##name,
enum asked_event { EVENTS(E_ENUM) N_EVENTS };

struct asked {
    struct messages     *m;
    uint64_t             message;
    enum carrier_verb    verb;
    enum asked_state     state;
    unsigned             segments, asked, answered, agreed;     /* segments: without a receipt */
    int                  registered;    /* REPLACE */
    const char          *by;            /* CANCEL: for the trail */
    messages_changed_fn *then;          /* NULL: nobody waits */
    void                *arg;
    char                 text[];        /* REPLACE; else empty */
};

/* Its ids are being read, once what was posted before is on disk. */
struct asked_read {
    struct db_read   read;
    struct messages *m;
    uint64_t         message;
};
struct asked_order {
    struct messages *m;
    uint64_t         message;
};

typedef void act_fn(struct asked *a);
static act_fn stay, refuse, done, not_done;
#define R_CELL(in, on, act, to) [ASKED_##in][EV_ASKED_##on] = { act, ASKED_##to },
#define R_ONE(in, on, act, to)  + 1
static const struct { act_fn *act; enum asked_state to; } rules[N_STATES][N_EVENTS] = { RULES(R_CELL) };
static_assert(0 RULES(R_ONE) == N_STATES * N_EVENTS, "a state does not answer every event");

static void feed(struct asked *a, enum asked_event event)
{
    act_fn *act = rules[a->state][event].act;
    a->state = rules[a->state][event].to;
    act(a);                             /* last: it may be gone */
}

static void stay(struct asked *a)
{
    (void)a;
}

static void refuse(struct asked *a)
{
    log_info("messages", "an asking by %s heard what it has no use for", words_of[a->verb]);
}

/* The message while its carrier has it; NULL: it has ended meanwhile. */
static struct message *held_by_carrier(const struct asked *a)
{
    struct message *msg = map_find(a->m->live, a->message);
    return msg && msg->state == MSG_SUBMITTED && !msg->writing ? msg : NULL;
}

static void say(struct message *msg, const char *words)
{
    step_note(msg, &(struct message_cue){ .step = "smpp", .words = words, .segment = -1 });
}

/* -- its end -------------------------------------------------------------------------------------------------------------- */

static void answer(const struct asked *a, enum err err)
{
    if (a->then)
        a->then(a->arg, err);
}

static void on_written(void *mine, enum err err)
{
    const struct asked *a = mine;
    struct message *msg = a->verb == CARRIER_REPLACE ? map_find(a->m->live, a->message) : NULL;
    char *text = msg && msg->esme && !err ? strdup(a->text) : NULL;
    if (text)
        esme_take_text(msg, &text, 1, a->registered);
    answer(a, err);
}

/* What has been posted so far is on disk when this unit is. */
static void answer_after(struct asked *a, struct db_unit *u)
{
    const struct asked was = *a;
    enum err err = control_write(a->m->control, u, on_written, a);
    if (err)
        answer(&was, err);
}

static void done(struct asked *a)
{
    struct messages *m = a->m;
    struct message *msg = held_by_carrier(a);
    scoped_buf trail = { 0 };
    map_take(m->asked, a->message);
    if (a->verb == CARRIER_QUERY) {
        answer(a, ERR_NONE);
        free(a);
        return;
    }
    metric_add(&cancelled_total, a->verb == CARRIER_CANCEL);
    struct db_unit *u = db_unit_new();
    if (a->verb == CARRIER_REPLACE && msg) {
        trail_line(&trail, control_now_us(m->control), "replace", "another text by replace_sm, which " STR_FMT " took",
                   STR_ARG(message_carrier(msg)));
        esme_message_row_replace(u, a->message, str_of(a->text), 1, a->registered, buf_str(&trail));
    } else {
        message_row_nothing(u);
    }
    answer_after(a, u);
}

static void not_done(struct asked *a)
{
    map_take(a->m->asked, a->message);
    answer(a, ERR_CONFLICT);
    free(a);
}

/* -- answers -------------------------------------------------------------------------------------------------------------- */

/* What it says of the segment decides on it. That it does not know it says nothing of what becomes of it. */
static void decide(struct carrier_slot *c, struct asked *a, const struct carrier_news *n)
{
    struct message *msg = held_by_carrier(a);
    char words[TEXT_SIZE];
    if (a->verb == CARRIER_QUERY && n->state != RECEIPT_UNKNOWN)
        metric_add(&found_total, receipt_by_answer(c, n, "receipt", "query_sm_resp of"));
    if (a->verb != CARRIER_CANCEL || !msg)
        return;                         /* not, or its receipt was first */
    struct carrier_news cancelled = *n;
    cancelled.state = RECEIPT_DELETED;
    snprintf(words, sizeof words, "%s, cancelled by", a->by ? a->by : "its ESME wants it no more");
    bool was = msg->cancelled;
    msg->cancelled = true;              /* first: the message may be gone behind it */
    if (!receipt_by_answer(c, &cancelled, "cancel", words))
        msg->cancelled = was;
}

void asked_answered(struct carrier_slot *c, const struct carrier_news *n)
{
    struct asked *a = map_find(c->m->asked, n->message);
    struct message *msg = a ? held_by_carrier(a) : NULL;
    char words[TEXT_SIZE + CARRIER_TLVS_SHOWN];
    if (!a || a->verb != n->verb)
        return;
    bool tells_state = !n->status && n->verb == CARRIER_QUERY;
    const char *said = n->status == CARRIER_NO_ANSWER ? "no answer came" : smpp_status_name(n->status);
    snprintf(words, sizeof words, "%s, %s of %.64s: %s (0x%08x)%s%s%s%.*s", c->name, words_of[n->verb], n->remote_id.p, said, n->status,
             tells_state ? ", stat:" : "", tells_state ? receipt_word(n->state) : "",
             n->tlvs.n ? ", TLVs " : "", CARRIER_TLVS_SHOWN, n->tlvs.n ? n->tlvs.p : "");
    if (msg)
        say(msg, words);
    if (!n->status)
        decide(c, a, n);
    a->agreed += !n->status;
    a->answered++;
    feed(a, a->answered < a->asked ? EV_ASKED_ANSWER : a->agreed == a->segments ? EV_ASKED_AGREED : EV_ASKED_REFUSED);
}

/* -- asking --------------------------------------------------------------------------------------------------------------- */

static bool can_be_asked(const struct carrier_slot *c)
{
    return c && c->up && c->ops->ask;
}

/* The answers come by the inbox, so not before all are asked. */
static void ask_all(struct asked *a, const struct message *msg, struct db_rows *rows)
{
    struct segment_row row;
    while (segment_row_next(rows, &row)) {
        struct carrier_slot *c = slot_named(a->m, row.carrier);
        const struct carrier_ask ask = { .verb = a->verb, .message = a->message, .segment = row.segment, .remote_id = row.remote_id,
                                         .from = msg->texts->from, .to = message_to(msg), .text = str_of(a->text) };
        if (can_be_asked(c))
            a->asked += c->ops->ask(c->self, &ask) == ERR_NONE;
    }
}

static void on_read(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct asked_read *r = container_of(item, struct asked_read, read.item);
    struct asked *a = map_find(r->m->asked, r->message);
    struct message *msg = held_by_carrier(a);
    scoped(db_rows) struct db_rows *rows = r->read.err ? NULL : r->read.rows;
    char words[TEXT_SIZE];
    free(r);
    a->segments = rows ? (unsigned)db_rows_count(rows) : 0;
    if (msg && rows)
        ask_all(a, msg, rows);
    if (a->asked) {
        snprintf(words, sizeof words, "%s to " STR_FMT " for %u of %zu segments", words_of[a->verb], STR_ARG(message_carrier(msg)), a->asked,
                 db_rows_count(rows));
        say(msg, words);
    }
    feed(a, a->asked ? EV_ASKED_FOUND : EV_ASKED_NOTHING);
}

static void drop_read(struct inbox_item *item)
{
    struct asked_read *r = container_of(item, struct asked_read, read.item);
    if (!r->read.err)
        db_rows_free(r->read.rows);
    free(r);
}

static const struct inbox_kind read_kind = { "messages.asked", on_read, drop_read };

static enum err read_ids(struct messages *m, uint64_t message)
{
    struct asked_read *r = malloc(sizeof *r);
    if (!r)
        return ERR_NOMEM;
    *r = (struct asked_read){ .read = { .item.kind = &read_kind, .to = control_inbox(m->control) }, .m = m, .message = message };
    enum err err = segment_rows_ask(m->control->db, message, SEGMENTS_MOST, &r->read);
    if (err)
        free(r);
    return err;
}

static void on_steps_written(void *mine, enum err err)
{
    const struct asked_order *o = mine;
    struct asked *a = map_find(o->m->asked, o->message);
    if (err || read_ids(o->m, o->message))
        feed(a, EV_ASKED_NOTHING);
}

/* Takes a, on success. */
static enum err begin(struct asked *a)
{
    struct messages *m = a->m;
    if (map_find(m->asked, a->message) || map_count(m->asked) >= (size_t)(a->verb == CARRIER_QUERY ? QUERIES_AT_ONCE : AT_ONCE))
        return ERR_BUSY;                /* a query leaves places for what people ask */
    struct asked_order *o = malloc(sizeof *o);
    enum err err = o ? map_put(m->asked, a->message, a) : ERR_NOMEM;
    if (err) {
        free(o);
        return err;
    }
    *o = (struct asked_order){ m, a->message };
    steps_flush(m);
    struct db_unit *u = db_unit_new();
    message_row_nothing(u);
    err = control_write(m->control, u, on_steps_written, o);
    if (err)
        map_take(m->asked, a->message);
    return err;
}

/* As `like` says. */
static enum err begin_as(const struct asked *like, struct str text)
{
    struct asked *a = calloc(1, sizeof *a + text.n + 1);
    if (!a)
        return ERR_NOMEM;
    *a = *like;
    memcpy(a->text, text.p, text.n);
    enum err err = begin(a);
    if (err)
        free(a);
    return err;
}

enum err asked_cancel(struct message *msg, const char *by, messages_changed_fn *then, void *arg)
{
    if (!can_be_asked(slot_named(msg->m, message_carrier(msg))))
        return ERR_CONFLICT;
    return begin_as(&(struct asked){ .m = msg->m, .message = msg->key, .verb = CARRIER_CANCEL, .by = by, .then = then, .arg = arg }, STR(""));
}

enum err asked_replace(struct message *msg, struct str text, int registered, messages_changed_fn *then, void *arg)
{
    bool alike = msg->parts == 1 && sms_segments(text) == 1 && gsm7_fits(text) == gsm7_fits(message_text(msg));
    if (!alike || !can_be_asked(slot_named(msg->m, message_carrier(msg))))
        return ERR_CONFLICT;            /* replace_sm has no data_coding and no parts (4.10) */
    return begin_as(&(struct asked){ .m = msg->m, .message = msg->key, .verb = CARRIER_REPLACE, .registered = registered, .then = then,
                                     .arg = arg }, text);
}

/* -- no receipt came -------------------------------------------------------------------------------------------------------- */

bool asked_instead(struct message *msg)
{
    enum { DOUBLINGS = 16 };
    const struct carrier_slot *c = slot_named(msg->m, message_carrier(msg));
    int64_t now = control_now_us(msg->m->control), end = msg->patience_s * (int64_t)US_PER_S;
    if (!c || !c->query_after_us || now >= end)
        return false;
    int64_t next = now + (c->query_after_us << (msg->queries < DOUBLINGS ? msg->queries : DOUBLINGS));
    enum err err = can_be_asked(c) ? begin_as(&(struct asked){ .m = msg->m, .message = msg->key, .verb = CARRIER_QUERY }, STR("")) : ERR_NONE;
    if (err)                            /* others are being asked about: soon, and not all at once */
        next = now + CROWDED_US + (int64_t)(msg->key % CROWDED_US);
    else if (can_be_asked(c))
        metric_add(&queried_total, 1), msg->queries += msg->queries < UINT8_MAX;
    (void)!outbound_due(msg, next < end ? next : end);
    return true;
}

void asked_resume(struct message *msg)
{
    const struct carrier_slot *c = slot_named(msg->m, message_carrier(msg));
    int64_t first = control_now_us(msg->m->control) + (c ? c->query_after_us : 0);
    if (c && c->query_after_us && !msg->queries && first < msg->due.due_us)
        (void)!outbound_due(msg, first);
}

void asked_free_all(struct messages *m)
{
    uint64_t key;
    void *a;
    for (size_t at = 0; m->asked && map_next(m->asked, &at, &key, &a);)
        free(a);
    map_free(m->asked);
}
