#include "domain/messages/mailbox.h"
#include "domain/messages/messages_priv.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/e164/e164.h"

#include <stdio.h>

static const int64_t REPEATS_KEPT_US = 24 * 3600 * (int64_t)US_PER_S;
static const int64_t STRAYS_KEPT_US = 7 * 24 * 3600 * (int64_t)US_PER_S;

static const struct {
    int         stored;
    const char *word;
} states[MESSAGE_STATE_COUNT] = {
#define STATE_ROW(name, stored, word) [MSG_##name] = { stored, word },
    MESSAGE_STATES(STATE_ROW)
};

int message_state_stored(enum message_state s)
{
    return states[s].stored;
}

enum message_state message_state_read(int stored)
{
    for (int s = 0; s < MESSAGE_STATE_COUNT; s++)
        if (states[s].stored == stored)
            return (enum message_state)s;
    return MSG_UNKNOWN;
}

const char *message_state_word(int stored)
{
    return states[message_state_read(stored)].word;
}

/* -- a number is given back: its list of opt-outs ends with it --------------------------------------------------------- */

static void add_release_rows(void *arg, struct db_unit *u, uint64_t number)
{
    (void)arg;
    char sender[E164_SIZE];
    optout_rows_drop(u, str_of(e164_write(sender, number)));
}

static void on_released(void *arg, uint64_t number)
{
    struct messages *m = arg;
    char sender[E164_SIZE];
    optouts_drop_sender(m->optouts, str_of(e164_write(sender, number)));
    m->epoch++;
}

enum err optout_known(struct messages *m, struct str sender, struct str recipient, struct str source)
{
    enum err err = optouts_put(m->optouts, sender, recipient, source);
    m->epoch++;
    messages_call_back(m, sender, recipient);
    return err;
}

void messages_call_back(struct messages *m, struct str from, struct str to)
{
    for (struct carrier_slot *c = m->carriers; c; c = c->next)
        if (c->up && c->ops->call_back)
            c->ops->call_back(c->self, from, to);
}

enum err messages_new(struct messages **out, struct control *control, struct accounts *accounts, struct numbers *numbers,
                      struct events *events)
{
    struct messages *m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    *m = (struct messages){ .control = control, .accounts = accounts, .numbers = numbers, .events = events };
    m->carriers_tail = &m->carriers;
    m->live = map_new();
    m->by_remote = strmap_new();
    m->repeats = repeats_new();
    m->early = strmap_new();
    m->asked = map_new();
    m->routes = routes_new();
    m->guards = guards_new();
    m->early_tail = &m->early_first;
    if (!m->live || !m->by_remote || !m->repeats || optouts_new(&m->optouts) || !m->early || !m->asked || !m->routes || !m->guards || esme_new(m)
        || loop_timer_init(control->loop, &m->early_timer, on_early_over, m)) {
        messages_free(m);
        return ERR_NOMEM;
    }
    numbers_on_release(numbers, (struct numbers_leaver){ add_release_rows, on_released, m });
    *out = m;
    return ERR_NONE;
}

void messages_free(struct messages *m)
{
    if (!m)
        return;
    uint64_t key;
    void *value;
    steps_flush(m);
    free(m->held_steps);
    agenda_clear(m->control->agenda, &m->repeats_turn);
    early_free(m);
    asked_free_all(m);
    strmap_free(m->by_remote);
    m->by_remote = NULL;
    for (size_t at = 0; m->live && map_next(m->live, &at, &key, &value);)
        message_free(value);
    map_free(m->live);
    message_texts_unref(m->texts);
    esme_parts_free(m);
    map_free(m->of_part);
    inbound_parts_free(m);
    mailbox_free(m->mailbox);
    repeats_free(m->repeats);
    optouts_free(m->optouts);
    slots_free(m);
    routes_free(m->routes);
    guards_free(m->guards);
    agenda_clear(m->control->agenda, &m->levels_due);
    free(m);
}

/* -- start-up ------------------------------------------------------------------------------------------------------- */

static enum err load_message(void *arg, const struct message_row *row)
{
    struct messages *m = arg;
    struct message *msg = message_make(m, row);
    if (!msg || map_put(m->live, msg->key, msg)) {
        message_free(msg);
        return ERR_NOMEM;
    }
    ids_after(m->control->ids, msg->key);
    /* what was on the wire when the process ended goes again: at least once */
    if (msg->state == MSG_SENDING)
        msg->state = MSG_QUEUED;
    message_hold(msg);
    return msg->state == MSG_SUBMITTED ? outbound_patience(msg, row->updated_us) : ERR_NONE;
}

static enum err load_segment(void *arg, const struct segment_row *row)
{
    struct messages *m = arg;
    struct message *msg = map_find(m->live, row->message);
    if (!msg || msg->state != MSG_SUBMITTED)
        return ERR_NONE;
    msg->acked++;
    msg->charged++;
    message_hold(msg);
    if (row->receipt < 0)
        return message_remember_remote(msg, row->segment, row->carrier, row->remote_id);
    *(row->receipt == RECEIPT_DELIVERED ? &msg->delivered : &msg->failed) += 1;
    msg->last_receipt = (enum carrier_state)row->receipt;
    return ERR_NONE;
}

static enum err load_optout(void *arg, struct str sender, struct str recipient, struct str source)
{
    struct messages *m = arg;
    return optout_known(m, sender, recipient, source);
}

static void purge_strays(struct messages *m, int64_t before_us)
{
    struct db_done *done = calloc(1, sizeof *done);
    struct db_unit *u = db_unit_new();
    stray_receipt_rows_purge(u, before_us);
    inbound_part_rows_purge(u, before_us);
    holding_purge(m, u);
    if (!done || db_post(m->control->db, u, done)) {
        free(done);
        db_unit_free(u);
    }
}

/* Two generations of a day each: an id is remembered for 24 to 48 hours, and forgetting costs nothing per id. */
static void on_repeats_turn(void *arg, int64_t due_us)
{
    struct messages *m = arg;
    purge_strays(m, due_us - STRAYS_KEPT_US);
    repeats_turn(m->repeats);
    (void)!agenda_set(m->control->agenda, &m->repeats_turn, due_us + REPEATS_KEPT_US, on_repeats_turn, m);
}

enum err messages_load(struct messages *m, struct problem *why)
{
    struct db *db = m->control->db;
    enum err err = message_rows_unfinished(db, load_message, m);
    if (!err)
        err = segment_rows_unfinished(db, load_segment, m);
    if (!err)
        err = esme_load(m);
    if (!err)
        err = optout_rows_each(db, load_optout, m);
    if (!err)
        err = routing_load(m);
    if (!err)
        err = holding_load(m);
    if (!err)
        err = repeats_load(m);
    if (!err)
        err = inbound_parts_load(m);
    if (!err)
        err = texts_recall(m);
    if (!err)
        err = agenda_set(m->control->agenda, &m->repeats_turn, control_now_us(m->control) + REPEATS_KEPT_US,
                         on_repeats_turn, m);
    if (err)
        return problem_set(why, err, "InternalError", "The messages in the database cannot be read: %s.", err_words(err));
    m->epoch++;                         /* those that were loaded ask whether they may leave still */
    if (map_count(m->live))
        log_info("messages", "%zu messages of an earlier run go on", map_count(m->live));
    return ERR_NONE;
}

/* -- carriers -------------------------------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    uint64_t x = (*(struct message *const *)a)->key, y = (*(struct message *const *)b)->key;
    return (x > y) - (x < y);
}

/* Messages loaded at start wait without a carrier until one is added that may take them, oldest first. */
void adopt_waiting(struct messages *m)
{
    size_t n = 0, count = map_count(m->live);
    uint64_t key;
    void *value;
    struct message **waiting = calloc(count ? count : 1, sizeof *waiting);
    if (!waiting)
        return;
    for (size_t at = 0; map_next(m->live, &at, &key, &value);) {
        struct message *msg = value;
        if ((msg->state == MSG_QUEUED && !msg->carrier && !msg->writing) || msg->state == MSG_SUBMITTED)
            waiting[n++] = msg;
    }
    qsort(waiting, n, sizeof *waiting, by_key);     /* the map's order is random; a key is a time */
    for (size_t i = 0; i < n; i++)
        outbound_resume(waiting[i]);
    free(waiting);
}

void messages_resume(struct messages *m)
{
    m->resumed = true;
    adopt_waiting(m);
}

void messages_pause(struct messages *m, bool paused)
{
    m->paused = paused;
    steps_flush(m);                     /* and none is held back while it lasts: a copy has every step */
    for (struct carrier_slot *c = m->carriers; c && !paused; c = c->next)
        outbound_pump(c);
}

size_t messages_under_way(const struct messages *m)
{
    size_t at = 0, n = 0;
    uint64_t key;
    void *msg;
    while (map_next(m->live, &at, &key, &msg))
        n += ((const struct message *)msg)->state == MSG_SENDING;
    return n;
}

void messages_recall(struct messages *m, unsigned carrier)
{
    struct carrier_slot *c = slot_numbered(m, carrier);
    if (c)
        inbound_parts_recall(c);
}

/* -- news ------------------------------------------------------------------------------------------------------------ */

struct news_item {
    struct inbox_item   item;
    struct messages    *m;
    struct carrier_news news;           /* its strings point behind the struct */
    char                bytes[];
};

static void up(struct carrier_slot *c, const struct carrier_news *n)
{
    (void)n;
    if (!c->stalled)
        log_info("messages", "carrier %s is up, %zu messages wait", c->name, c->waiting);
    c->up = true;
    c->full = c->stalled = false;
    routing_up(c);
    outbound_pump(c);
}

static void down(struct carrier_slot *c, const struct carrier_news *n)
{
    (void)n;
    if (c->up)
        log_warn("messages", "carrier %s is down", c->name);
    c->up = c->stalled = false;
    routing_down(c);
}

static void stalled(struct carrier_slot *c, const struct carrier_news *n)
{
    (void)n;
    c->stalled = c->up;
    routing_down(c);
}

static void room(struct carrier_slot *c, const struct carrier_news *n)
{
    (void)n;
    c->full = false;
    outbound_pump(c);
}

static void (*const on_news[])(struct carrier_slot *c, const struct carrier_news *n) = {
    [CARRIER_UP] = up,
    [CARRIER_DOWN] = down,
    [CARRIER_ROOM] = room,
    [CARRIER_STALLED] = stalled,
    [CARRIER_SUBMITTED] = outbound_submitted,
    [CARRIER_REFUSED] = outbound_refused,
    [CARRIER_LOST] = outbound_lost,
    [CARRIER_RECEIPT] = outbound_receipt,
    [CARRIER_PART] = inbound_part_came,
    [CARRIER_INBOUND] = inbound_arrived,
    [CARRIER_ANSWERED] = asked_answered,
};

static void on_item(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct news_item *i = container_of(item, struct news_item, item);
    struct carrier_slot *c = slot_numbered(i->m, i->news.carrier);
    if (c)
        on_news[i->news.kind](c, &i->news);
    free(i);
}

static const struct inbox_kind news_kind = { "messages.news", on_item, NULL };

enum err messages_tell(struct messages *m, const struct carrier_news *n)
{
    size_t bytes = n->remote_id.n + n->from.n + n->to.n + n->text.n + n->tlvs.n + 5;
    struct news_item *i = malloc(sizeof *i + bytes);
    if (!i)
        return ERR_NOMEM;
    *i = (struct news_item){ .item.kind = &news_kind, .m = m, .news = *n };
    char *at = i->bytes;
    i->news.remote_id = str_put(&at, n->remote_id);
    i->news.from = str_put(&at, n->from);
    i->news.to = str_put(&at, n->to);
    i->news.text = str_put(&at, n->text);
    i->news.tlvs = str_put(&at, n->tlvs);
    inbox_post_always(control_inbox(m->control), &i->item);
    return ERR_NONE;
}
