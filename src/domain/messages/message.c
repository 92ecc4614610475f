/* message.c - the struct of an outbound message in memory, and the ids carriers gave its segments. */
#include "domain/messages/messages_priv.h"
#include "base/str.h"

static struct message_texts *texts_new(const struct message_row *row)
{
    struct message_texts *t = malloc(sizeof *t + row->from.n + row->text.n + row->tag.n + row->carrier.n + 4);
    if (!t)
        return NULL;
    char *at = (char *)(t + 1);
    t->refs = 1;
    t->from = str_put(&at, row->from);
    t->text = str_put(&at, row->text);
    t->tag = str_put(&at, row->tag);
    t->via = str_put(&at, row->carrier);
    return t;
}

void message_texts_unref(struct message_texts *t)
{
    if (t && !--t->refs)
        free(t);
}

/* Those of the message before, if they are the same: it was of the same request. */
static struct message_texts *texts_of(struct messages *m, const struct message_row *row)
{
    struct message_texts *t = m->texts;
    if (!t || !str_eq(t->text, row->text) || !str_eq(t->from, row->from) || !str_eq(t->tag, row->tag) || !str_eq(t->via, row->carrier)) {
        t = texts_new(row);
        if (!t)
            return NULL;
        message_texts_unref(m->texts);
        m->texts = t;
    }
    t->refs++;
    return t;
}

struct message *message_make(struct messages *m, const struct message_row *row)
{
    size_t size = offsetof(struct message, to) + row->to.n;
    struct message *msg = row->to.n > UINT8_MAX ? NULL : malloc(size > sizeof *msg ? size : sizeof *msg);
    struct message_texts *t = msg ? texts_of(m, row) : NULL;
    if (!t) {
        free(msg);
        return NULL;
    }
    *msg = (struct message){ .m = m, .texts = t, .key = row->key, .resource = row->resource, .report = row->report,
                             .created_us = row->created_us, .send_at_us = row->send_at_us, .valid_until_us = row->valid_until_us,
                             .state = (uint8_t)message_state_read(row->state), .segments = (uint16_t)row->segments,
                             .parts = (uint16_t)(row->segments ? row->segments : 1), .to_n = (uint8_t)row->to.n, .epoch = m->epoch };
    memcpy(msg->to, row->to.p, row->to.n);
    return msg;
}

struct str message_to(const struct message *msg)
{
    return (struct str){ msg->to, msg->to_n };
}

struct str message_text(const struct message *msg)
{
    return msg->esme && msg->esme->text ? str_of(msg->esme->text) : msg->texts->text;
}

static struct usage_ends ends_of(const struct message *msg)
{
    return (struct usage_ends){ msg->resource, numbers_lease(msg->m->numbers, msg->texts->from), msg->texts->from, message_to(msg) };
}

void message_hold(struct message *msg)
{
    struct usage *usage = msg->m->control->usage;
    unsigned left = msg->segments > msg->charged ? msg->segments - msg->charged : 0;
    struct usage_ends ends = ends_of(msg);
    usage_hold_set(usage, &msg->hold, msg->resource, usage_sms_estimate(usage, &ends, left));
}

/* A message that starts over charges nothing twice: its rows are there, and here it is counted. */
void message_charge(struct message *msg, struct db_unit *u, unsigned segment, unsigned billed)
{
    struct usage_ends ends = ends_of(msg);
    bool again = msg->acked <= msg->charged;
    struct usage *usage = msg->m->control->usage;
    int64_t micro = 0, held = msg->hold.micro;
    for (unsigned i = 0; i < billed; i++)
        micro += usage_sms_out(usage, u, &ends, msg->key, segment + i, again);
    if (again)
        return;
    msg->charged += billed;
    usage_hold_set(usage, &msg->hold, msg->resource, held > micro ? held - micro : 0);
}

void message_charge_again(struct message *msg, struct db_unit *u)
{
    struct usage_ends ends = ends_of(msg);
    for (unsigned i = 0; msg->uncharged && i < msg->charged; i++)
        usage_sms_out(msg->m->control->usage, u, &ends, msg->key, i, true);
}

void message_free(struct message *msg)
{
    if (!msg)
        return;
    usage_hold_set(msg->m->control->usage, &msg->hold, msg->resource, 0);
    agenda_clear(msg->m->control->agenda, &msg->due);
    esme_forget(msg);
    message_forget_remotes(msg);
    free(msg->remote_ids);
    message_texts_unref(msg->texts);
    free(msg->end_words);
    free(msg);
}

struct str message_carrier(const struct message *msg)
{
    return msg->carrier ? str_of(msg->carrier->name) : msg->texts->via;
}

void remote_key(struct buf *b, struct str carrier, struct str remote_id)
{
    char id[RECEIPT_ID_SIZE];
    receipt_id_canonical(id, remote_id);
    buf_printf(b, STR_FMT " %s", STR_ARG(carrier), id);
}

/* Another message may have got the same id from the carrier since: then the key is that one's. */
static void forget_remote(struct message *msg, unsigned segment)
{
    struct str key = msg->remote_ids ? msg->remote_ids[segment] : (struct str){ NULL, 0 };
    if (!key.p)
        return;
    if (msg->m->by_remote && strmap_find(msg->m->by_remote, key) == msg)
        strmap_take(msg->m->by_remote, key);
    free((char *)(uintptr_t)key.p);
    msg->remote_ids[segment] = (struct str){ NULL, 0 };
}

void message_forget_remotes(struct message *msg)
{
    for (unsigned i = 0; i < msg->parts; i++)
        forget_remote(msg, i);
}

int message_find_remote(const struct message *msg, struct str key)
{
    for (unsigned i = 0; msg->remote_ids && i < msg->parts; i++)
        if (msg->remote_ids[i].p && str_eq(msg->remote_ids[i], key))
            return (int)i;
    return -1;
}

int message_take_remote(struct message *msg, struct str key)
{
    int segment = message_find_remote(msg, key);
    if (segment >= 0)
        forget_remote(msg, (unsigned)segment);
    return segment;
}

/* A carrier may split a text into more parts than are billed (its own reference is longer, say). */
static enum err room_for(struct message *msg, unsigned segment)
{
    enum { PARTS_MAX = 255 };           /* 3GPP TS 23.040, 9.2.3.24.1 */
    unsigned there = msg->remote_ids ? msg->parts : 0, wanted = segment < msg->parts ? msg->parts : segment + 1;
    if (segment < there)
        return ERR_NONE;
    if (segment >= msg->parts && segment >= PARTS_MAX)
        return ERR_RANGE;
    struct str *ids = realloc(msg->remote_ids, wanted * sizeof *ids);
    if (!ids)
        return ERR_NOMEM;
    memset(ids + there, 0, (wanted - there) * sizeof *ids);
    msg->remote_ids = ids;
    msg->parts = (uint16_t)wanted;
    return ERR_NONE;
}

enum err message_remember_remote(struct message *msg, unsigned segment, struct str carrier, struct str remote_id)
{
    struct buf key = { 0 };             /* its bytes become the message's */
    remote_key(&key, carrier, remote_id);
    enum err err = key.bad ? ERR_NOMEM : room_for(msg, segment);
    if (!err)
        forget_remote(msg, segment);
    if (!err)
        err = strmap_put(msg->m->by_remote, buf_str(&key), msg);
    if (err)
        buf_done(&key);
    else
        msg->remote_ids[segment] = (struct str){ key.p, key.n };
    return err;
}
