/* receipts.c - delivery receipts: matched with segments by carrier and id, whether they come before the submit_sm_resp,
 * doubled, or for nothing we know.
 *
 * One that matches nothing is kept among the strays and acknowledged at once, so that it does not hold up the SMSC's other
 * receipts; for 30 s it also waits in memory for its submit_sm_resp. */
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "base/words.h"
#include "domain/messages/messages_priv.h"

#include <stdio.h>

METRIC_COUNTER(stray_total, "carterfone_sms_stray_receipts_total", "Receipts that matched no message within 30 s")

static const int64_t EARLY_WAITS_US = 30 * (int64_t)US_PER_S;
enum { EARLY_MAX = 100000 };

static const struct {
    const char *word;
    bool        final, delivered;
} receipts[] = {
    [RECEIPT_DELIVERED] = { "DELIVRD", true, true },      [RECEIPT_EXPIRED] = { "EXPIRED", true, false },
    [RECEIPT_DELETED] = { "DELETED", true, false },       [RECEIPT_UNDELIVERABLE] = { "UNDELIV", true, false },
    [RECEIPT_ACCEPTED] = { "ACCEPTD", false, false },     [RECEIPT_UNKNOWN] = { "UNKNOWN", true, false },
    [RECEIPT_REJECTED] = { "REJECTD", true, false },      [RECEIPT_ENROUTE] = { "ENROUTE", false, false },
};

/* -- matched ------------------------------------------------------------------------------------------------------------ */

static bool is_ended(const struct message *msg)
{
    return msg->state == MSG_DELIVERED || msg->state == MSG_FAILED || msg->state == MSG_UNKNOWN;
}

/* Counts once: a final receipt takes the id away, but for the last one, which may come again until the end is on disk.
 *  @return the segment, -1: nothing is decided by it */
static int count(struct message *msg, const struct carrier_news *n, const char *key)
{
    if (!receipts[n->state].final || is_ended(msg))
        return -1;
    bool last = msg->state == MSG_SUBMITTED && msg->delivered + msg->failed + 1 >= msg->acked;
    int segment = last ? message_find_remote(msg, str_of(key)) : message_take_remote(msg, str_of(key));
    if (segment < 0)
        return -1;
    msg->last_receipt = n->state;
    msg->last_status = n->status;
    msg->opted_out |= n->opted_out;
    *(receipts[n->state].delivered ? &msg->delivered : &msg->failed) += 1;
    return segment;
}

static enum message_event event_of(const struct message *msg, int segment)
{
    if (segment < 0 || msg->state != MSG_SUBMITTED || msg->delivered + msg->failed < msg->acked)
        return EV_RECEIPT_PART;
    return msg->failed ? EV_RECEIPT_BAD : EV_RECEIPT_GOOD;
}

/* -- whose it is: receipt_ids.h -------------------------------------------------------------------------------------------- */

enum { KEY_SIZE = 64 + RECEIPT_ID_SIZE, DIGITS_LEAST = 6, BY_PAIR_MOST = 50000 };
/* A message that a receipt may mean, and how its id is read for that; form AUTO: by its numbers alone. */
struct reading {
    struct message      *msg;
    enum carrier_id_form form;
    char                 key[KEY_SIZE];
};

static struct str digits_of(struct str number)
{
    while (number.n && (number.p[0] == '+' || number.p[0] == '0'))
        number = str_from(number, 1);
    return number;
}

/* Is one the end of the other, as a number at home is of the international one? */
static bool is_same_number(struct str a, struct str b)
{
    a = digits_of(a), b = digits_of(b);
    return (a.n >= DIGITS_LEAST && str_ends(b, a)) || (b.n >= DIGITS_LEAST && str_ends(a, b));
}

/* Some SMSCs turn the addresses of a receipt round; some leave them out. */
static bool agrees(const struct message *msg, struct str from, struct str to)
{
    return (!from.n && !to.n) || is_same_number(from, message_to(msg)) || is_same_number(to, message_to(msg));
}

static bool is_same_smsc(const struct carrier_slot *a, const struct carrier_slot *b)
{
    return a->smsc == b->smsc;
}

/* Those that the id means in this form, on every bind of the SMSC.  how many are there now, 2 being enough */
static size_t read_as(struct carrier_slot *c, const struct carrier_news *n, enum carrier_id_form form, bool strictly,
                      struct reading *out, size_t count)
{
    struct reading r = { .form = form };
    char id[RECEIPT_ID_SIZE];
    if (receipt_id_read(id, n->remote_id, form))
        return count;
    for (struct carrier_slot *s = c->m->carriers; s && count < 2; s = s->next) {
        if (!is_same_smsc(s, c))
            continue;
        snprintf(r.key, sizeof r.key, "%s %s", s->name, id);
        r.msg = strmap_find(c->m->by_remote, str_of(r.key));
        if (r.msg && !(count && out[0].msg == r.msg) && (!strictly || agrees(r.msg, n->from, n->to)))
            out[count++] = r;
    }
    return count;
}

/* While nobody knows how this SMSC writes its ids, one counts when it means one message alone and the numbers agree. */
static bool find(struct carrier_slot *c, const struct carrier_news *n, struct reading *out)
{
    struct id_learner *l = &c->smsc->ids;
    struct reading found[2];
    size_t count = l->form != CARRIER_ID_AUTO ? read_as(c, n, l->form, false, found, 0) : 0;
    for (int form = CARRIER_ID_SAME; !count && l->told == CARRIER_ID_AUTO && form <= CARRIER_ID_DEC_HEX; form++)
        if (form != (int)l->form)
            count = read_as(c, n, (enum carrier_id_form)form, true, found, count);
    if (l->form == CARRIER_ID_AUTO && count == 1)       /* the other forms, too: it must be the only one */
        for (int form = (int)found[0].form + 1; form <= CARRIER_ID_DEC_HEX; form++)
            count = read_as(c, n, (enum carrier_id_form)form, true, found, count);
    if (count != 1)
        return false;
    id_learner_saw(l, found[0].form);
    *out = found[0];
    return true;
}

static void take(struct carrier_slot *c, const struct carrier_news *n, const struct reading *r, bool was_early)
{
    static const char *const how[] = { " by its numbers alone: this SMSC's ids match nothing", "", " (decimal of the answer's hex)",
                                       " (hex of the answer's decimal)" };
    char words[256 + CARRIER_TLVS_SHOWN];
    words_put(words, sizeof words, "receipt of %s: id %.64s%s stat:%s err:%03u%s%s%.*s", c->name, n->remote_id.p, how[r->form],
             receipts[n->state].word, n->status, n->opted_out ? ", its recipient opted out" : "", n->tlvs.n ? ", TLVs " : "",
             CARRIER_TLVS_SHOWN, n->tlvs.n ? n->tlvs.p : "");
    int segment = count(r->msg, n, r->key);
    message_feed(r->msg, event_of(r->msg, segment), &(struct message_cue){ .step = n->opted_out ? "opt-out" : "receipt", .words = words, .from = c, .news = n,
                                                                           .settles = !was_early, .segment = segment,
                                                                           .was_early = was_early });
}

const char *receipt_word(enum carrier_state state)
{
    return receipts[state].word;
}

bool receipt_by_answer(struct carrier_slot *c, const struct carrier_news *n, const char *step, const char *how)
{
    struct carrier_news said = *n;
    char key[KEY_SIZE], id[RECEIPT_ID_SIZE], words[320];
    receipt_id_canonical(id, n->remote_id);
    snprintf(key, sizeof key, "%s %s", c->name, id);
    struct message *msg = strmap_find(c->m->by_remote, str_of(key));
    if (!msg || msg->key != n->message || !receipts[n->state].final)
        return false;
    said.status = n->error;
    snprintf(words, sizeof words, "%.120s %s: id %.64s stat:%s err:%03u%s", how, c->name, n->remote_id.p, receipts[n->state].word, n->error,
             n->opted_out ? ", its recipient opted out" : "");
    int segment = count(msg, &said, key);
    message_feed(msg, event_of(msg, segment), &(struct message_cue){ .step = n->opted_out ? "opt-out" : step, .words = words, .from = c,
                                                                     .news = &said, .segment = segment });
    return true;
}

static bool match(struct carrier_slot *c, const struct carrier_news *n)
{
    struct reading r;
    if (!find(c, n, &r) || (is_ended(r.msg) && !r.msg->end_unstored))      /* its end is on its way to disk: a repetition */
        return false;
    take(c, n, &r, false);
    return true;
}

/* -- early, or stray ------------------------------------------------------------------------------------------------------ */

enum { SMPP_ADDRESS = 32 };
struct early {
    struct early        *next, **at;        /* in order of arrival */
    struct carrier_slot *carrier;
    uint32_t             status;
    enum carrier_state   state;
    bool                 opted_out;
    char                *tlvs;              /* owned; NULL: none */
    struct mono          until;
    char                 from[SMPP_ADDRESS], to[SMPP_ADDRESS], id[RECEIPT_ID_SIZE], key[KEY_SIZE];    /* id: as it came */
};

static void early_remove(struct messages *m, struct early *e)
{
    strmap_take(m->early, str_of(e->key));
    *e->at = e->next;
    *(e->next ? &e->next->at : &m->early_tail) = e->at;
    free(e->tlvs);
    free(e);
}

void early_free(struct messages *m)
{
    while (m->early_first)
        early_remove(m, m->early_first);
    strmap_free(m->early);
    loop_timer_done(&m->early_timer);
}

static struct carrier_news early_news(const struct early *e)
{
    return (struct carrier_news){ .kind = CARRIER_RECEIPT, .carrier = e->carrier->number, .remote_id = str_of(e->id), .status = e->status,
                                  .tlvs = str_of(e->tlvs ? e->tlvs : ""), .state = e->state, .opted_out = e->opted_out, .from = str_of(e->from), .to = str_of(e->to) };
}

/* Removes it. */
static void early_take(struct early *e, const struct reading *r)
{
    struct early mine = *e;
    e->tlvs = NULL;
    early_remove(e->carrier->m, e);
    struct carrier_news n = early_news(&mine);
    take(mine.carrier, &n, r, true);
    free(mine.tlvs);
}

static bool may_be_of(const struct message *msg, const struct early *e)
{
    return msg->state == MSG_SUBMITTED && msg->acked == 1 && !msg->delivered && !msg->failed && msg->carrier
           && is_same_smsc(msg->carrier, e->carrier) && is_same_number(str_of(e->from), message_to(msg)) && is_same_number(str_of(e->to), msg->texts->from);
}

/* The last resort, for an SMSC none of whose ids ever matched: the one message of this sender to this recipient that waits for its
 * receipt. Where ids match, a stray one is a repetition, and would be taken for the next message's. */
static bool by_numbers(struct early *e)
{
    struct messages *m = e->carrier->m;
    struct reading r = { .msg = NULL };
    uint64_t key;
    void *value;
    if (e->carrier->smsc->ids.last != CARRIER_ID_AUTO || e->carrier->smsc->ids.told != CARRIER_ID_AUTO || !receipts[e->state].final
        || map_count(m->live) > BY_PAIR_MOST)
        return false;
    for (size_t at = 0; map_next(m->live, &at, &key, &value);) {
        if (!may_be_of(value, e))
            continue;
        if (r.msg)
            return false;
        r.msg = value;
    }
    for (unsigned i = 0; r.msg && r.msg->remote_ids && i < r.msg->parts; i++)
        if (r.msg->remote_ids[i].p)
            str_copyz(r.key, sizeof r.key, r.msg->remote_ids[i]);
    if (!r.msg || !r.key[0])
        return false;
    early_take(e, &r);
    return true;
}

void on_early_over(void *messages)
{
    struct messages *m = messages;
    int64_t now = clock_mono().us;
    while (m->early_first && m->early_first->until.us <= now) {
        struct early *e = m->early_first;
        if (by_numbers(e))
            continue;
        metric_add(&stray_total, 1);
        log_warn("messages", "a receipt matched no message: %s", e->key);
        early_remove(m, e);
    }
    if (m->early_first)
        loop_timer_start(&m->early_timer, m->early_first->until.us - now);
}

void early_hurry(struct messages *m)
{
    for (struct early *e = m->early_first; e; e = e->next)
        e->until.us = 0;
}

static struct early *early_new(struct carrier_slot *c, const struct carrier_news *n, struct str key)
{
    struct messages *m = c->m;
    struct early *e = strmap_count(m->early) < EARLY_MAX ? calloc(1, sizeof *e) : NULL;
    if (!e || strmap_put(m->early, key, e)) {
        free(e);
        return NULL;
    }
    e->carrier = c;
    str_copyz(e->key, sizeof e->key, key);
    str_copyz(e->id, sizeof e->id, n->remote_id);
    str_copyz(e->from, sizeof e->from, n->from);
    str_copyz(e->to, sizeof e->to, n->to);
    e->until = (struct mono){ clock_mono().us + EARLY_WAITS_US };
    if (!m->early_first)
        loop_timer_start(&m->early_timer, EARLY_WAITS_US);
    e->at = m->early_tail;
    *m->early_tail = e;
    m->early_tail = &e->next;
    return e;
}

struct straying {
    struct carrier_slot *carrier;
    uint64_t             token;
};

static void on_strayed(void *mine, enum err err)
{
    const struct straying *g = mine;
    g->carrier->ops->settle(g->carrier->self, g->token, err);
}

static enum err stray_post(struct carrier_slot *c, const struct carrier_news *n)
{
    const struct control *control = c->m->control;
    struct straying *g = malloc(sizeof *g);
    struct db_unit *u = db_unit_new();
    if (g)
        *g = (struct straying){ .carrier = c, .token = n->token };
    stray_receipt_row_put(u, str_of(c->name), n->remote_id, (int)n->state, n->status, control_now_us(control));
    return control_write(control, u, on_strayed, g);
}

/* A second one of the same id takes the first one's place, unless the first was final and it is not. */
static void early_keep(struct carrier_slot *c, const struct carrier_news *n)
{
    scoped_buf key = { 0 };
    remote_key(&key, str_of(c->name), n->remote_id);
    struct early *e = key.bad ? NULL : strmap_find(c->m->early, buf_str(&key));
    enum err err = key.bad ? ERR_NOMEM : ERR_NONE;
    if (e && receipts[e->state].final && !receipts[n->state].final) {
        c->ops->settle(c->self, n->token, ERR_NONE);
        return;
    }
    bool fresh = !e;
    if (!err && fresh && !(e = early_new(c, n, buf_str(&key))))
        err = ERR_BUSY;
    if (!err && (err = stray_post(c, n)) && fresh)
        early_remove(c->m, e);
    if (err) {                          /* the SMSC keeps it, and sends it again */
        c->ops->settle(c->self, n->token, err);
        return;
    }
    e->status = n->status;
    e->state = n->state;
    e->opted_out = n->opted_out;
    free(e->tlvs);
    e->tlvs = n->tlvs.n ? strndup(n->tlvs.p, n->tlvs.n) : NULL;
}

/* Is there an early receipt of this id, by any bind of the SMSC, written so? */
static struct early *early_find(struct carrier_slot *c, struct str remote_id, enum carrier_id_form form)
{
    char id[RECEIPT_ID_SIZE], key[KEY_SIZE];
    if (receipt_id_write(id, remote_id, form))
        return NULL;
    for (struct carrier_slot *s = c->m->carriers; s; s = s->next) {
        snprintf(key, sizeof key, "%s %s", s->name, id);
        struct early *e = is_same_smsc(s, c) ? strmap_find(c->m->early, str_of(key)) : NULL;
        if (e)
            return e;
    }
    return NULL;
}

void early_match(struct carrier_slot *c, struct str remote_id)
{
    const struct id_learner *l = &c->smsc->ids;
    struct reading r;
    for (int form = CARRIER_ID_SAME; strmap_count(c->m->early) && form <= CARRIER_ID_DEC_HEX; form++) {
        struct early *e = l->told == CARRIER_ID_AUTO || form == (int)l->told ? early_find(c, remote_id, (enum carrier_id_form)form) : NULL;
        if (!e)
            continue;
        struct carrier_news n = early_news(e);
        if (!find(e->carrier, &n, &r))
            continue;
        early_take(e, &r);
        return;
    }
}

void outbound_receipt(struct carrier_slot *c, const struct carrier_news *n)
{
    if (!match(c, n))
        early_keep(c, n);
}
