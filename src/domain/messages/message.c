/* message.c - the struct of an outbound message in memory, and the ids carriers gave its segments. */
#include "domain/messages/messages_priv.h"
#include "base/str.h"

struct message *message_make(struct messages *m, const struct message_row *row)
{
    unsigned parts = row->segments ? row->segments : 1;
    struct message *msg = malloc(sizeof *msg + row->from.n + row->to.n + row->text.n + row->tag.n + row->carrier.n + 5);
    struct str *ids = calloc(parts, sizeof *ids);
    if (!msg || !ids) {
        free(msg);
        free(ids);
        return NULL;
    }
    *msg = (struct message){ .m = m, .key = row->key, .resource = row->resource, .report = row->report,
                             .created_us = row->created_us, .send_at_us = row->send_at_us, .valid_until_us = row->valid_until_us, .state = message_state_read(row->state),
                             .segments = row->segments, .parts = parts, .remote_ids = ids };
    char *at = (char *)(msg + 1);
    msg->from = str_put(&at, row->from);
    msg->to = str_put(&at, row->to);
    msg->text = str_put(&at, row->text);
    msg->tag = str_put(&at, row->tag);
    msg->via = str_put(&at, row->carrier);
    return msg;
}

static struct usage_ends ends_of(const struct message *msg)
{
    return (struct usage_ends){ msg->resource, numbers_lease(msg->m->numbers, msg->from), msg->from, msg->to };
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
    free(msg->end_words);
    free(msg);
}

struct str message_carrier(const struct message *msg)
{
    return msg->carrier ? str_of(msg->carrier->name) : msg->via;
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
    struct str key = msg->remote_ids[segment];
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

int message_take_remote(struct message *msg, struct str key)
{
    for (unsigned i = 0; i < msg->parts; i++)
        if (msg->remote_ids[i].p && str_eq(msg->remote_ids[i], key)) {
            forget_remote(msg, i);
            return (int)i;
        }
    return -1;
}

/* A carrier may split a text into more parts than are billed (its own reference is longer, say). */
static enum err room_for(struct message *msg, unsigned segment)
{
    enum { PARTS_MAX = 255 };           /* 3GPP TS 23.040, 9.2.3.24.1 */
    if (segment < msg->parts)
        return ERR_NONE;
    if (segment >= PARTS_MAX)
        return ERR_RANGE;
    struct str *ids = realloc(msg->remote_ids, (segment + 1) * sizeof *ids);
    if (!ids)
        return ERR_NOMEM;
    memset(ids + msg->parts, 0, (segment + 1 - msg->parts) * sizeof *ids);
    msg->remote_ids = ids;
    msg->parts = segment + 1;
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
