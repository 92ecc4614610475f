/* The messages of the simulated SMSC: their ids, what becomes of them, and what their receipts say. */
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "sim/smsc_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { SENDERS_MAX = 100000 };
/* registered_delivery (5.2.17) */
enum { REGISTERED_BITS = 3, REGISTERED_ALL = 1, REGISTERED_FAILURES = 2, REGISTERED_INTERMEDIATE = 0x10 };

/* -- ids ------------------------------------------------------------------------------------------------------------- */
static void write_number(char dst[MESSAGE_ID_SIZE], uint32_t form, uint32_t digits, uint64_t number)
{
    switch (form) {
    case ID_DEC:        snprintf(dst, MESSAGE_ID_SIZE, "%0*" PRIu64, (int)digits, number); return;
    case ID_HEX:        snprintf(dst, MESSAGE_ID_SIZE, "%0*" PRIx64, (int)digits, number); return;
    case ID_HEX_UPPER:  snprintf(dst, MESSAGE_ID_SIZE, "%0*" PRIX64, (int)digits, number); return;
    default:            snprintf(dst, MESSAGE_ID_SIZE, "Msg-%" PRIx64 "-%" PRIu64 "x", hash_u64(number), number % 1000); return;
    }
}

static void write_receipt_id(const struct smsc *s, const struct message *m, char dst[MESSAGE_ID_SIZE])
{
    const struct smsc_ways *w = &s->ways;
    if (w->receipt_id == RECEIPT_ID_SAME)
        str_copyz(dst, MESSAGE_ID_SIZE, str_of(m->id));
    else
        write_number(dst, w->receipt_id - RECEIPT_ID_DEC + ID_DEC, w->receipt_id_digits, m->number);
}

/* -- the log of what was accepted ------------------------------------------------------------------------------------ */
static void put_word(struct buf *b, const char *word)
{
    for (; *word; word++)
        buf_putc(b, *word == ' ' ? '_' : *word);        /* a sender's name may hold blanks: the log's fields may not */
    buf_putc(b, ' ');
}

/* The line must be with the kernel before the answer leaves: a crash test compares the two. */
static enum err log_accepted(struct smsc *s, const struct sms_part *part, const char *id)
{
    if (s->log_fd < 0)
        return ERR_NONE;
    int64_t now = clock_wall_us();
    scoped_buf text = { 0 }, line = { 0 };
    sms_text_read(&text, part->alphabet, part->octets.p, part->octets.n);
    buf_printf(&line, "%lld.%06lld ", (long long)(now / US_PER_S), (long long)(now % US_PER_S));
    put_word(&line, part->from);
    put_word(&line, part->to);
    put_word(&line, id);
    char *hex = buf_room(&line, 2 * text.n + 2);
    if (!hex || text.bad)
        return ERR_NOMEM;
    hex_write(hex, text.p ? text.p : "", text.n);
    line.n += 2 * text.n;
    buf_putc(&line, '\n');
    return !line.bad && write(s->log_fd, line.p, line.n) == (ssize_t)line.n ? ERR_NONE : ERR_IO;
}

/* -- the end of a message -------------------------------------------------------------------------------------------- */
static void message_free(struct message *m)
{
    free(m->text);
    free(m);
}

static void forget(struct smsc *s, struct message *m)
{
    if (strmap_find(s->messages, str_of(m->id)) == m)
        strmap_take(s->messages, str_of(m->id));
    message_free(m);
}

/* Kept for a while, to be asked for. */
static void keep(struct smsc *s, struct message *m)
{
    free(m->text);
    m->text = NULL;
    m->next_over = NULL;
    *(s->oldest_over ? &s->newest_over->next_over : &s->oldest_over) = m;
    s->newest_over = m;
    s->n_live--;
    if (++s->n_over <= OVER_MAX)
        return;
    struct message *oldest = s->oldest_over;
    s->oldest_over = oldest->next_over;
    s->n_over--;
    forget(s, oldest);
}

void smsc_messages_done(struct smsc *s)
{
    struct message *m;
    while ((m = s->oldest_over)) {
        s->oldest_over = m->next_over;
        message_free(m);
    }
    /* what is left in the heap: messages and answers; each begins with its due */
    for (struct due *d; s->dues && (d = dues_at(s->dues, 0));) {
        dues_remove(s->dues, d);
        d->run(NULL, d);
    }
}

/* -- receipts -------------------------------------------------------------------------------------------------------- */
static bool wants_receipt(struct smsc *s, const struct message *m)
{
    bool lost = m->state != SMPP_DELIVERED;
    unsigned asked = m->registered & REGISTERED_BITS;
    if (m->outcome.fate == SMSC_KEEPS_SILENT || s->ways.receipts == WAY_NEVER)
        return false;
    return s->ways.receipts == WAY_ALWAYS || asked == REGISTERED_ALL || (asked == REGISTERED_FAILURES && lost);
}

static void send_receipt(struct smsc *s, const struct message *m, uint8_t state, uint8_t type)
{
    const struct smsc_ways *w = &s->ways;
    char id[MESSAGE_ID_SIZE];
    scoped_buf text = { 0 };
    struct parcel *p = smsc_parcel_new(s, m->to, m->from);
    if (!p)
        return;
    write_receipt_id(s, m, id);
    p->esme = m->esme;
    p->account = m->account;
    p->other = w->receipt_bind == RECEIPT_OTHER;
    p->state = state;
    p->err = m->err;
    p->esm_class = type;
    if (w->receipt_as != RECEIPT_TEXT)
        str_copyz(p->message_id, sizeof p->message_id, str_of(id));
    if (w->receipt_as != RECEIPT_TLV)
        smpp_receipt_text_write(&text, &(struct smpp_receipt){ str_of(id), (enum smpp_state)state, m->err }, m->submitted_us,
                                clock_wall_us(), str_of(m->head));
    p->n = (uint8_t)(text.n < sizeof p->octets ? text.n : sizeof p->octets);
    if (text.p)
        memcpy(p->octets, text.p, p->n);
    s->counts.receipts += type == ESM_RECEIPT;
    smsc_route(s, p);
}

static bool strikes(const struct message *m, uint64_t kinds, struct fault_hit *hit)
{
    return fault_strikes(kinds, &(struct fault_subject){ .to = str_of(m->to), .from = str_of(m->from),
                                                         .system_id = str_of(m->account->system_id) }, hit);
}

/* Its time has come: the handset has it, or not, and the receipt says which. */
static void settle(struct smsc *s, struct message *m)
{
    struct fault_hit hit;
    m->over_us = clock_wall_us();
    *(m->state == SMPP_DELIVERED ? &s->counts.delivered : &s->counts.undelivered) += 1;
    if (m->text && m->state == SMPP_DELIVERED && s->hooks.on_message)
        s->hooks.on_message(s->arg, str_of(m->from), str_of(m->to), str_of(m->text));
    if (wants_receipt(s, m)) {
        if (smsc_chance(s, s->ways.receipt_missing) || strikes(m, FAULT_BIT(SMSC_NO_RECEIPT), &hit)) {
            s->counts.receipts_kept_back++;
        } else {
            send_receipt(s, m, m->state, ESM_RECEIPT);
            if (smsc_chance(s, s->ways.receipt_twice) || strikes(m, FAULT_BIT(SMSC_TWICE_RECEIPT), &hit))
                send_receipt(s, m, m->state, ESM_RECEIPT);
        }
    }
    keep(s, m);
}

/* What it will have come to: decided when it is taken. */
static uint8_t end_state(const struct message *m)
{
    static const uint8_t losses[] = { [LOSS_UNDELIVERABLE] = SMPP_UNDELIVERABLE, [LOSS_EXPIRED] = SMPP_EXPIRED,
                                      [LOSS_DELETED] = SMPP_DELETED, [LOSS_REJECTED] = SMPP_REJECTED,
                                      [LOSS_UNKNOWN] = SMPP_UNKNOWN };
    return m->outcome.fate == SMSC_LOSES ? losses[m->outcome.status] : SMPP_DELIVERED;
}

static void on_message_due(void *arg, struct due *d)
{
    struct smsc *s = arg;
    struct message *m = container_of(d, struct message, due);
    if (!s) {                       /* the SMSC ends */
        message_free(m);
        return;
    }
    if (m->half_way) {
        m->half_way = false;
        send_receipt(s, m, SMPP_ENROUTE, ESM_INTERMEDIATE);
        m->due.at_us = m->end_us;
        dues_add(s->dues, &m->due);     /* the room it has just left */
        return;
    }
    if (m->state == SMPP_ENROUTE) {
        m->state = end_state(m);
        m->err = m->outcome.fate == SMSC_LOSES ? m->outcome.err : 0;
    }
    settle(s, m);
}

void smsc_settle_early(struct smsc *s, struct message *m)
{
    dues_remove(s->dues, &m->due);
    m->half_way = false;
    on_message_due(s, &m->due);
}

struct message *smsc_message_of_due(struct due *d)
{
    return d->run == on_message_due ? container_of(d, struct message, due) : NULL;
}

void smsc_messages_clear(struct smsc *s)
{
    struct message *m;
    while ((m = s->oldest_over)) {
        s->oldest_over = m->next_over;
        s->n_over--;
        forget(s, m);
    }
    for (size_t i = 0; i < dues_count(s->dues);) {
        m = smsc_message_of_due(dues_at(s->dues, i));
        if (!m) {
            i++;
            continue;
        }
        dues_remove(s->dues, &m->due);
        s->n_live--;
        forget(s, m);
        i = 0;                      /* the heap has another order now */
    }
}

enum err smsc_message_put_back(struct smsc *s, struct message *m)
{
    enum err err = dues_room(s->dues);
    if (!err)
        err = strmap_put(s->messages, str_of(m->id), m);
    if (err) {
        message_free(m);
        return err;
    }
    m->due.run = on_message_due;
    dues_add(s->dues, &m->due);
    s->n_live++;
    return ERR_NONE;
}

/* -- taking one ------------------------------------------------------------------------------------------------------ */
static void decide_outcome(struct smsc *s, struct message *m, const struct smsc_outcome *outcome)
{
    const struct smsc_ways *w = &s->ways;
    struct fault_hit hit;
    m->outcome = *outcome;
    if (!m->outcome.after_us)
        m->outcome.after_us = w->receipt_delay + smsc_jitter(s, w->receipt_jitter);
    m->outcome.status = LOSS_UNDELIVERABLE;
    if (m->outcome.fate == SMSC_DELIVERS && smsc_chance(s, w->loss_percent)) {
        m->outcome.fate = SMSC_LOSES;
        m->outcome.err = w->loss_error;
        m->outcome.status = w->loss_state;
    }
    if (strikes(m, FAULT_BIT(SMSC_UNDELIVERED), &hit)) {
        m->outcome.fate = SMSC_LOSES;
        m->outcome.err = (uint32_t)hit.code;
    }
    if (strikes(m, FAULT_BIT(SMSC_LATE_RECEIPT), &hit))
        m->outcome.after_us += hit.delay_us;
}

/* schedule_delivery_time puts it off, validity_period ends it (4.4.1). @return ESME_ROK, ESME_RINVSCHED, ESME_RINVEXPIRY */
static uint32_t plan(struct message *m, const struct smpp_pdu *pdu)
{
    int64_t wall_us = clock_wall_us(), at_us, ends_us;
    m->end_us = clock_mono().us + m->outcome.after_us;
    if (pdu->command == SMPP_data_sm)           /* has neither */
        return ESME_ROK;
    if (pdu->sm.schedule_delivery_time.n) {
        if (smpp_time_read(pdu->sm.schedule_delivery_time, wall_us, &at_us))
            return ESME_RINVSCHED;
        m->end_us += at_us > wall_us ? at_us - wall_us : 0;
    }
    if (!pdu->sm.validity_period.n)
        return ESME_ROK;
    if (smpp_time_read(pdu->sm.validity_period, wall_us, &at_us) || at_us <= wall_us)
        return ESME_RINVEXPIRY;
    ends_us = clock_mono().us + at_us - wall_us;
    if (ends_us < m->end_us) {
        m->end_us = ends_us;
        m->outcome.fate = SMSC_LOSES;
        m->outcome.status = LOSS_EXPIRED;
    }
    return ESME_ROK;
}

/* An intermediate notification comes half-way. */
static void set_due(struct smsc *s, struct message *m)
{
    int64_t now = clock_mono().us;
    m->half_way = s->ways.intermediate == WAY_ALWAYS
                  || (s->ways.intermediate == WAY_ASKED && (m->registered & REGISTERED_INTERMEDIATE));
    m->due = (struct due){ .at_us = m->half_way ? now + (m->end_us - now) / 2 : m->end_us, .run = on_message_due };
}

static struct message *message_new(struct esme *e, const struct smpp_pdu *pdu, const struct sms_part *part,
                                   const struct smsc_outcome *outcome, uint64_t number, const char *id)
{
    struct message *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    *m = (struct message){ .account = e->account, .esme = e->id, .number = number, .alphabet = part->alphabet,
                           .registered = pdu->sm.registered_delivery, .state = SMPP_ENROUTE,
                           .submitted_us = clock_wall_us() };
    str_copyz(m->id, sizeof m->id, str_of(id));
    str_copyz(m->from, sizeof m->from, str_of(part->from));
    str_copyz(m->to, sizeof m->to, str_of(part->to));
    str_copyz(m->service_type, sizeof m->service_type, pdu->sm.service_type);
    if (part->alphabet == SMS_GSM7)         /* the receipt quotes the first octets of the text */
        str_copyz(m->head, sizeof m->head, part->octets);
    decide_outcome(e->smsc, m, outcome);
    return m;
}

static void remember_sender(struct smsc *s, struct account *account, const char *from)
{
    if (strmap_count(s->senders) < SENDERS_MAX || strmap_find(s->senders, str_of(from)))
        (void)!strmap_put(s->senders, str_of(from), account);       /* without it any link will do */
}

/* Everything that can fail comes before the answer: what is answered ESME_ROK is kept. */
static enum err hold_message(struct smsc *s, struct message *m, const struct sms_part *part)
{
    struct sms_whole whole;
    enum err err = dues_room(s->dues);
    if (!err)
        err = sms_joiner_put(s->joiner, clock_mono(), part, &whole);
    if (!err && whole.parts) {
        m->text = strndup(whole.text.n ? whole.text.p : "", whole.text.n);
        err = m->text ? ERR_NONE : ERR_NOMEM;
    }
    if (!err)
        err = strmap_put(s->messages, str_of(m->id), m);
    if (err)
        return err;
    err = log_accepted(s, part, m->id);
    if (err)
        strmap_take(s->messages, str_of(m->id));
    return err;
}

/* Parts whose others never came: a handset shows nothing of them. */
static void drop_stale_parts(struct smsc *s)
{
    struct sms_whole stale;
    while (sms_joiner_overdue(s->joiner, clock_mono(), &stale))
        ;
}

/* One of the same sender, recipient and service waits yet: this one takes its place (4.4.1, replace_if_present_flag). */
static void replace_present(struct smsc *s, const struct message *by)
{
    for (size_t i = 0; i < dues_count(s->dues); i++) {
        struct due *d = dues_at(s->dues, i);
        struct message *m = container_of(d, struct message, due);
        if (d->run != on_message_due || m->account != by->account || strcmp(m->to, by->to) || strcmp(m->from, by->from)
            || strcmp(m->service_type, by->service_type))
            continue;
        dues_remove(s->dues, d);
        s->n_live--;
        forget(s, m);
        return;
    }
}

static uint32_t read_part(struct sms_part *part, const struct smpp_pdu *pdu)
{
    if (sms_part_read(part, pdu))
        return ESME_RINVMSGLEN;
    return part->to[0] ? ESME_ROK : ESME_RINVDSTADR;
}

uint32_t smsc_take(struct esme *e, const struct smpp_pdu *pdu, uint64_t number, char id[MESSAGE_ID_SIZE],
                   struct message **taken)
{
    struct smsc *s = e->smsc;
    struct sms_part part;
    struct smsc_outcome outcome = { .fate = SMSC_DELIVERS };
    uint32_t status = read_part(&part, pdu);
    if (!status && s->hooks.outcome)
        outcome = s->hooks.outcome(s->arg, str_of(part.to));
    if (!status && outcome.fate == SMSC_REJECTS)
        status = outcome.status ? outcome.status : ESME_RSUBMITFAIL;
    if (status)
        return status;
    drop_stale_parts(s);
    write_number(id, s->ways.answer_id, s->ways.answer_id_digits, number);
    struct message *m = message_new(e, pdu, &part, &outcome, number, id);
    status = m ? plan(m, pdu) : ESME_RSYSERR;
    if (!status) {
        enum err err = hold_message(s, m, &part);
        status = !err ? ESME_ROK : err == ERR_BUSY ? ESME_RMSGQFUL : ESME_RSYSERR;
    }
    if (status) {
        id[0] = '\0';
        if (m)
            message_free(m);
        return status;
    }
    if (pdu->command == SMPP_submit_sm && pdu->sm.replace_if_present_flag)
        replace_present(s, m);
    set_due(s, m);
    dues_add(s->dues, &m->due);
    s->n_live++;
    remember_sender(s, e->account, part.from);
    *taken = m;
    return ESME_ROK;
}

/* -- query_sm, cancel_sm, replace_sm --------------------------------------------------------------------------------- */
static bool same_number(const char *number, uint8_t ton, struct str addr)
{
    char asked[SMPP_NUMBER_SIZE];
    smpp_addr_number(asked, ton, addr);
    return strcmp(number, asked) == 0;
}

/* Of this ESME, by its id and sender. */
static struct message *find(struct esme *e, struct str id, uint8_t ton, struct str source)
{
    struct message *m = strmap_find(e->smsc->messages, id);
    return m && m->account == e->account && same_number(m->from, ton, source) ? m : NULL;
}

uint32_t smsc_query(struct esme *e, const struct smpp_query *q, struct smpp_query_resp *resp, char date[SMPP_TIME_SIZE])
{
    const struct message *m = find(e, q->message_id, q->source_addr_ton, q->source_addr);
    if (!m)
        return ESME_RINVMSGID;
    resp->message_state = m->state;
    resp->error_code = (uint8_t)(m->err < UINT8_MAX ? m->err : UINT8_MAX);
    if (m->over_us)
        smpp_time_write(date, m->over_us);
    return ESME_ROK;
}

static void cancel(struct smsc *s, struct message *m)
{
    m->state = SMPP_DELETED;
    smsc_settle_early(s, m);
}

/* Without an id: everything that waits for this recipient from this sender (4.9.1). */
static uint32_t cancel_all(struct esme *e, const struct smpp_cancel *c)
{
    struct smsc *s = e->smsc;
    unsigned n = 0;
    for (size_t i = 0; i < dues_count(s->dues);) {
        struct due *d = dues_at(s->dues, i);
        struct message *m = container_of(d, struct message, due);
        if (d->run == on_message_due && m->account == e->account && same_number(m->from, c->source_addr_ton, c->source_addr)
            && same_number(m->to, c->dest_addr_ton, c->destination_addr)
            && (!c->service_type.n || str_eqz(c->service_type, m->service_type))) {
            cancel(s, m);
            n++;
            i = 0;                      /* taking it out has moved others */
        } else {
            i++;
        }
    }
    return n ? ESME_ROK : ESME_RCANCELFAIL;
}

uint32_t smsc_cancel(struct esme *e, const struct smpp_cancel *c)
{
    if (!c->message_id.n)
        return cancel_all(e, c);
    struct message *m = find(e, c->message_id, c->source_addr_ton, c->source_addr);
    if (!m)
        return ESME_RINVMSGID;
    if (!m->due.place)
        return ESME_RCANCELFAIL;
    cancel(e->smsc, m);
    return ESME_ROK;
}

static uint32_t put_off(struct smsc *s, struct message *m, const struct smpp_replace *r)
{
    struct smpp_pdu pdu;
    memset(&pdu, 0, sizeof pdu);
    pdu.command = SMPP_replace_sm;
    pdu.sm.schedule_delivery_time = r->schedule_delivery_time;
    pdu.sm.validity_period = r->validity_period;
    int64_t end_us = m->end_us;
    uint32_t status = plan(m, &pdu);
    if (status || !(r->schedule_delivery_time.n || r->validity_period.n))
        m->end_us = end_us;
    if (!status) {
        dues_remove(s->dues, &m->due);
        set_due(s, m);
        dues_add(s->dues, &m->due);
    }
    return status;
}

uint32_t smsc_replace(struct esme *e, const struct smpp_replace *r)
{
    struct smsc *s = e->smsc;
    struct message *m = find(e, r->message_id, r->source_addr_ton, r->source_addr);
    if (!m)
        return ESME_RINVMSGID;
    if (!m->due.place || !m->text)          /* over, or a part of something */
        return ESME_RREPLACEFAIL;
    scoped_buf text = { 0 };
    sms_text_read(&text, m->alphabet, r->short_message.p, r->short_message.n);
    char *copy = text.bad ? NULL : strndup(text.n ? text.p : "", text.n);
    if (!copy)
        return ESME_RSYSERR;
    uint8_t registered = m->registered;
    m->registered = r->registered_delivery;
    uint32_t status = put_off(s, m, r);
    if (status) {
        m->registered = registered;
        free(copy);
        return status;
    }
    free(m->text);
    m->text = copy;
    if (m->alphabet == SMS_GSM7)
        str_copyz(m->head, sizeof m->head, r->short_message);
    return ESME_ROK;
}
