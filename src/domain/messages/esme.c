/* esme.c - messages that customers' ESMEs submitted: which ids they were answered, and the receipts at their end. */
#include "domain/messages/mailbox.h"
#include "domain/messages/messages_priv.h"
#include "base/str.h"
#include "codec/smpp/smpp.h"
#include "store/esmes.h"

enum { RECEIPT_ASKED = 3, ON_FAILURE_ONLY = 2, RECEIPT_TEXT_OCTETS = 20, ERROR_MAX = 1000 };

struct mailbox *messages_mailbox(const struct messages *m)
{
    return m->mailbox;
}

static struct message_esme *grown(struct message *msg, unsigned by)
{
    unsigned had = msg->esme ? msg->esme->n : 0;
    char *text = msg->esme ? msg->esme->text : NULL;
    struct message_esme *e = realloc(msg->esme, sizeof *e + (had + by) * sizeof e->ids[0]);
    if (!e)
        return NULL;
    e->n = had;
    e->text = text;
    msg->esme = e;
    return e;
}

static void add_id(struct message *msg, struct db_unit *u, const struct sms_answered *id)
{
    struct message_esme *e = msg->esme;
    e->ids[e->n++] = *id;
    esme_message_row_put(u, &(struct esme_message_row){ msg->key, id->key, msg->resource, id->registered, id->reference });
}

enum err esme_add(struct message *msg, struct db_unit *u, const struct sms_esme *from, uint64_t answered)
{
    if (!grown(msg, (unsigned)from->parts_n + 1))
        return ERR_NOMEM;
    for (size_t i = 0; i < from->parts_n; i++) {
        add_id(msg, u, &from->parts[i]);
        esme_part_row_drop(u, from->parts[i].key);
        if (map_put(msg->m->of_part, from->parts[i].key, msg))
            return ERR_NOMEM;
    }
    add_id(msg, u, &(struct sms_answered){ answered, from->registered, from->reference });
    return ERR_NONE;
}

void esme_forget(struct message *msg)
{
    for (unsigned i = 0; msg->esme && i < msg->esme->n; i++)
        if (msg->m->of_part && map_find(msg->m->of_part, msg->esme->ids[i].key) == msg)
            map_take(msg->m->of_part, msg->esme->ids[i].key);
    if (msg->esme)
        free(msg->esme->text);
    free(msg->esme);
    msg->esme = NULL;
}

/* -- the end -------------------------------------------------------------------------------------------------------- */

int esme_state(const struct message *msg)
{
    static const int of_receipt[] = {
        [RECEIPT_DELIVERED] = SMPP_UNDELIVERABLE, [RECEIPT_EXPIRED] = SMPP_EXPIRED, [RECEIPT_DELETED] = SMPP_DELETED,
        [RECEIPT_UNDELIVERABLE] = SMPP_UNDELIVERABLE, [RECEIPT_ACCEPTED] = SMPP_UNDELIVERABLE, [RECEIPT_UNKNOWN] = SMPP_UNKNOWN,
        [RECEIPT_REJECTED] = SMPP_REJECTED, [RECEIPT_ENROUTE] = SMPP_UNDELIVERABLE,
    };
    if (message_state_stored(msg->state) < 10)
        return SMPP_ENROUTE;
    if (msg->state == MSG_DELIVERED)
        return SMPP_DELIVERED;
    if (msg->state == MSG_UNKNOWN)
        return SMPP_UNKNOWN;
    if (msg->cancelled)
        return SMPP_DELETED;
    if (msg->failed)
        return of_receipt[msg->last_receipt];
    if (msg->end_step && (strcmp(msg->end_step, "queue") == 0 || strcmp(msg->end_step, "validity") == 0))
        return SMPP_EXPIRED;            /* no carrier took it */
    return SMPP_REJECTED;
}

/* What a receipt repeats of the message: whole characters, at most 20 octets. */
static struct str begin_of(struct str text)
{
    size_t n = text.n;
    if (n > RECEIPT_TEXT_OCTETS)
        for (n = RECEIPT_TEXT_OCTETS; n && ((unsigned char)text.p[n] & 0xc0) == 0x80;)
            n--;
    return (struct str){ text.p, n };
}

static bool is_wanted(int registered, bool delivered)
{
    int asked = registered & RECEIPT_ASKED;
    return asked == ON_FAILURE_ONLY ? !delivered : asked != 0;
}

void esme_end(struct message *msg, struct db_unit *u)
{
    if (!msg->esme)
        return;
    struct letter l = { .resource = msg->resource, .receipt = true, .message = msg->key, .from = message_to(msg), .to = msg->texts->from,
                        .text = begin_of(message_text(msg)), .state = esme_state(msg), .error = msg->last_status % ERROR_MAX,
                        .submitted_us = msg->created_us, .at_us = control_now_us(msg->m->control) };
    bool there = accounts_resource(msg->m->accounts, msg->resource) != NULL;
    for (unsigned i = 0; i < msg->esme->n; i++) {
        l.answered = msg->esme->ids[i].key;
        l.reference = msg->esme->ids[i].reference;
        if (there && is_wanted(msg->esme->ids[i].registered, msg->state == MSG_DELIVERED))
            mailbox_put(msg->m->mailbox, u, &l);
    }
    esme_message_rows_drop(u, msg->key);
}

void esme_ended(const struct message *msg)
{
    if (msg->esme)
        mailbox_go(msg->m->mailbox, msg->resource);
}

/* -- start-up ------------------------------------------------------------------------------------------------------- */

enum err esme_new(struct messages *m)
{
    m->of_part = map_new();
    m->part_groups = strmap_new();
    return m->of_part && m->part_groups ? mailbox_new(&m->mailbox, m->control) : ERR_NOMEM;
}

static void load_id(void *arg, const struct esme_message_row *row)
{
    struct messages *m = arg;
    struct message *msg = map_find(m->live, row->message);
    ids_after(m->control->ids, row->answered);
    if (!msg || !grown(msg, 1))
        return;
    msg->esme->ids[msg->esme->n++] = (struct sms_answered){ row->answered, row->registered, row->reference };
    if (row->answered != row->message && !map_find(m->live, row->answered))
        (void)!map_put(m->of_part, row->answered, msg);
}

enum err esme_load(struct messages *m)
{
    enum err err = esme_message_rows_each(m->control->db, load_id, m);
    if (!err)
        err = esme_parts_load(m);
    return err ? err : mailbox_load(m->mailbox);
}
