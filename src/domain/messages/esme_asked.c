/* esme_asked.c - query, cancel and replace: a customer's ESME asks about a message by the id it was answered. */
#include "domain/messages/messages_priv.h"
#include "base/str.h"
#include "codec/gsm7/gsm7.h"
#include "codec/smpp/smpp.h"
#include "store/esmes.h"

/* -- which ---------------------------------------------------------------------------------------------------------- */

static bool is_named(const struct sms_named *n, uint64_t resource, struct str from, struct str to)
{
    return (!n->resource || n->resource == resource) && (!n->from.n || str_eq(n->from, from)) && (!n->to.n || str_eq(n->to, to));
}

/* Among those on their way. NULL with ERR_NONE: it may be one that has ended. */
static enum err find(const struct messages *m, const struct sms_named *n, uint64_t *key, struct message **out)
{
    enum err err = sms_id_read(m->control->ids, n->id, key);
    struct message *msg = err ? NULL : map_find(m->live, *key);
    if (!err && !msg)
        msg = map_find(m->of_part, *key);
    if (msg && !is_named(n, msg->resource, msg->texts->from, message_to(msg)))
        return ERR_ABSENT;
    *out = msg;
    return err;
}

/* -- query ---------------------------------------------------------------------------------------------------------- */

struct querying {
    struct db_read       read;
    uint64_t             resource;
    char                 from[32];
    messages_queried_fn *done;
    void                *arg;
};

static bool trail_has(struct str trail, const char *words)
{
    return memmem(trail.p, trail.n, words, strlen(words)) != NULL;
}

/* The row keeps how it ended in its trail. */
static int state_of(const struct message_row *row)
{
    enum { DELIVERED = 10, UNKNOWN = 12 };
    if (row->state < DELIVERED)
        return SMPP_ENROUTE;
    if (row->state == DELIVERED)
        return SMPP_DELIVERED;
    if (row->state == UNKNOWN)
        return SMPP_UNKNOWN;
    if (trail_has(row->trail, " cancel "))
        return SMPP_DELETED;
    if (trail_has(row->trail, "stat:EXPIRED") || trail_has(row->trail, "within 72 hours") || trail_has(row->trail, "while it was valid"))
        return SMPP_EXPIRED;
    return trail_has(row->trail, "stat:UNDELIV") ? SMPP_UNDELIVERABLE : SMPP_REJECTED;
}

static void on_row(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct querying *q = container_of(item, struct querying, read.item);
    const struct sms_named named = { .resource = q->resource, .from = str_of(q->from) };
    struct message_row row;
    if (q->read.err)
        q->done(q->arg, q->read.err, 0, 0, 0);
    else if (!message_row_next(q->read.rows, &row) || row.inbound || !is_named(&named, row.resource, row.from, row.to))
        q->done(q->arg, ERR_ABSENT, 0, 0, 0);
    else
        q->done(q->arg, ERR_NONE, state_of(&row), row.state < 10 ? 0 : row.updated_us, 0);
    db_rows_free(q->read.rows);
    free(q);
}

static void drop_row(struct inbox_item *item)
{
    struct querying *q = container_of(item, struct querying, read.item);
    db_rows_free(q->read.rows);
    free(q);
}

static const struct inbox_kind row_kind = { "messages.queried", on_row, drop_row };

enum err messages_query(struct messages *m, const struct sms_named *named, messages_queried_fn *done, void *arg)
{
    uint64_t key;
    struct message *msg = NULL;
    enum err err = find(m, named, &key, &msg);
    if (err)
        return err;
    if (msg) {
        int state = esme_state(msg);
        done(arg, ERR_NONE, state, state == SMPP_ENROUTE ? 0 : control_now_us(m->control), msg->last_status);
        return ERR_NONE;
    }
    struct querying *q = calloc(1, sizeof *q);
    if (!q)
        return ERR_NOMEM;
    *q = (struct querying){ .read = { .item.kind = &row_kind, .to = control_inbox(m->control) }, .resource = named->resource,
                            .done = done, .arg = arg };
    str_copyz(q->from, sizeof q->from, named->from);
    err = message_row_ask(m->control->db, key, &q->read);
    if (err)
        free(q);
    return err;
}

/* -- cancel --------------------------------------------------------------------------------------------------------- */

static bool is_at_carrier(const struct message *msg)
{
    return msg->state == MSG_SUBMITTED && !msg->writing;
}

/* No carrier has it, and none gets it while this is decided; or one has it whole, and can be asked. */
static enum err find_changeable(struct messages *m, const struct sms_named *named, struct message **out)
{
    uint64_t key;
    struct message *msg = NULL;
    enum err err = find(m, named, &key, &msg);
    if (err)
        return err;
    if (!msg || (!is_at_carrier(msg) && (message_state_stored(msg->state) != 0 || msg->writing)))
        return ERR_CONFLICT;            /* over, under way, or being changed */
    *out = msg;
    return ERR_NONE;
}

struct changing {
    struct messages     *m;
    uint64_t             message;
    unsigned             segments;
    int64_t              due_us;        /* replace: when it was to be woken */
    char                *text;          /* replace: the new one, owned; NULL: it is cancelled */
    int                  registered;
    messages_changed_fn *done;
    void                *arg;
};

static void on_cancelled(void *mine, enum err err)
{
    const struct changing *g = mine;
    g->done(g->arg, err);
}

static struct changing *changing_new(struct messages *m, const struct message *msg, messages_changed_fn *done, void *arg)
{
    struct changing *g = calloc(1, sizeof *g);
    if (g)
        *g = (struct changing){ .m = m, .message = msg->key, .registered = -1, .done = done, .arg = arg };
    return g;
}

/* Its end is written by the table's own unit; a unit that does nothing comes after it. */
enum err messages_cancel(struct messages *m, const struct sms_named *named, messages_changed_fn *done, void *arg)
{
    struct message *msg = NULL;
    enum err err = find_changeable(m, named, &msg);
    if (!err && is_at_carrier(msg))
        return asked_cancel(msg, named->by, done, arg);
    struct changing *g = err ? NULL : changing_new(m, msg, done, arg);
    if (err || !g)
        return err ? err : ERR_NOMEM;
    msg->cancelled = true;
    message_feed(msg, EV_STRANDED, &(struct message_cue){ .step = "cancel", .words = named->by ? named->by : "its ESME wants it no more: cancel_sm", .segment = -1 });
    struct db_unit *u = db_unit_new();
    message_row_nothing(u);
    return control_write(m->control, u, on_cancelled, g);
}

/* -- replace -------------------------------------------------------------------------------------------------------- */

void esme_take_text(struct message *msg, char **text, unsigned segments, int registered)
{
    struct message_esme *e = msg->esme;
    free(e->text);
    e->text = *text;
    *text = NULL;
    msg->segments = segments;
    for (unsigned i = 0; registered >= 0 && i < e->n; i++)
        e->ids[i].registered = registered;
    message_hold(msg);
}

static void on_replaced(void *mine, enum err err)
{
    struct changing *g = mine;
    struct message *msg = map_find(g->m->live, g->message);
    if (msg) {
        msg->writing = false;
        if (!err)
            esme_take_text(msg, &g->text, g->segments, g->registered);
        outbound_return(msg, g->due_us);
    }
    free(g->text);
    g->done(g->arg, err);
}

static enum err may_cost(struct messages *m, const struct message *msg, unsigned segments)
{
    struct usage_ends ends = { msg->resource, numbers_lease(m->numbers, msg->texts->from), msg->texts->from, message_to(msg) };
    struct problem why = { 0 };
    unsigned more = segments > msg->segments ? segments - msg->segments : 0;
    return more ? usage_may_spend(m->control->usage, msg->resource, usage_sms_estimate(m->control->usage, &ends, more), &why) : ERR_NONE;
}

enum err messages_replace(struct messages *m, const struct sms_named *named, struct str text, int registered,
                          messages_changed_fn *done, void *arg)
{
    struct message *msg = NULL;
    unsigned segments = sms_segments(text);
    scoped_buf trail = { 0 };
    enum err err = find_changeable(m, named, &msg);
    if (!err && !msg->esme)
        err = ERR_CONFLICT;
    if (!err && is_at_carrier(msg))
        return segments ? asked_replace(msg, text, registered, done, arg) : ERR_SIZE;
    if (!err)
        err = segments ? may_cost(m, msg, segments) : ERR_SIZE;
    struct changing *g = err ? NULL : changing_new(m, msg, done, arg);
    if (err || !g || !(g->text = strndup(text.p, text.n))) {
        free(g);
        return err ? err : ERR_NOMEM;
    }
    g->segments = segments;
    g->registered = registered;
    trail_line(&trail, control_now_us(m->control), "replace", "another text by replace_sm, %u segments", segments);
    struct db_unit *u = db_unit_new();
    esme_message_row_replace(u, msg->key, text, segments, registered, buf_str(&trail));
    char *copy = g->text;
    err = control_write(m->control, u, on_replaced, g);
    if (err) {
        free(copy);
        return err;
    }
    g->due_us = outbound_leave(msg);    /* g lives until its unit is answered, on this thread */
    msg->writing = true;
    return ERR_NONE;
}
