/* What the simulated SMSC sends: receipts when their time has come, and SMS from handsets. */
#include "base/clock.h"
#include "base/metric.h"
#include "base/str.h"
#include "sim/smsc_priv.h"

#include <stdio.h>

enum { TRIES_MAX = 60 };
static const int64_t AGAIN_US = US_PER_S;

METRIC_COUNTER(given_up, "carterfone_sim_smsc_given_up_total", "deliver_sm the product kept refusing")

/* -- parcels -------------------------------------------------------------------------------------------------------- */
static void parcels_add(struct parcels *list, struct parcel *p)
{
    p->next = NULL;
    *(list->first ? &list->last->next : &list->first) = p;
    list->last = p;
}

static struct parcel *parcels_take(struct parcels *list)
{
    struct parcel *p = list->first;
    if (p)
        list->first = p->next;
    return p;
}

static void parcels_remove(struct parcels *list, struct parcel *p)
{
    struct parcel *before = NULL, *at = list->first;
    while (at != p) {               /* answers come nearly in order: mostly the first */
        before = at;
        at = at->next;
    }
    *(before ? &before->next : &list->first) = p->next;
    if (list->last == p)
        list->last = before;
}

static struct parcel *parcel_new(struct smsc *s, uint64_t esme, const char *system_id, const char *from, const char *to)
{
    struct parcel *p = s->n_parcels < WAITING_MAX ? calloc(1, sizeof *p) : NULL;
    if (!p)
        return NULL;
    s->n_parcels++;
    p->esme = esme;
    str_copyz(p->system_id, sizeof p->system_id, str_of(system_id));
    str_copyz(p->from, sizeof p->from, str_of(from));
    str_copyz(p->to, sizeof p->to, str_of(to));
    return p;
}

static void parcel_free(struct smsc *s, struct parcel *p)
{
    s->n_parcels--;
    free(p);
}

static void parcels_done(struct smsc *s, struct parcels *list)
{
    for (struct parcel *p; (p = parcels_take(list));)
        parcel_free(s, p);
}

static bool may_take(const struct esme *e)
{
    return e->up && smpp_session_may_deliver(e->session);
}

/* The link it came by, else another of the same ESME, else (a reply) anybody's. */
static struct esme *esme_for(const struct smsc *s, const struct parcel *p)
{
    struct esme *same = NULL, *any = NULL;
    for (struct esme *e = s->esmes; e; e = e->next) {
        if (!may_take(e))
            continue;
        if (e->id == p->esme)
            return e;
        if (p->system_id[0] && strcmp(e->system_id, p->system_id) == 0)
            same = e;
        any = e;
    }
    return same ? same : p->system_id[0] ? NULL : any;
}

static enum err send_parcel(struct esme *e, struct parcel *p)
{
    struct smpp_addr from = smpp_addr_of(str_of(p->from)), to = smpp_addr_of(str_of(p->to));
    struct smpp_pdu pdu = {
        .command = SMPP_deliver_sm,
        .sm = { .source_addr_ton = from.ton, .source_addr_npi = from.npi, .source_addr = from.addr,
                .dest_addr_ton = to.ton, .dest_addr_npi = to.npi, .destination_addr = to.addr, .esm_class = p->esm_class,
                .data_coding = p->data_coding, .short_message = { (char *)p->octets, p->n } },
    };
    const char code[3] = { 3, (char)(p->err >> 8), (char)p->err };     /* 3: a GSM network (5.3.2.31) */
    if (p->message_id[0]) {
        pdu.tlvs.has_receipted_message_id = pdu.tlvs.has_message_state = true;
        pdu.tlvs.receipted_message_id = str_of(p->message_id);
        pdu.tlvs.message_state = p->state;
        pdu.tlvs.has_network_error_code = p->err != 0;
        pdu.tlvs.network_error_code = (struct str){ code, sizeof code };
    }
    return smpp_session_send(e->session, &pdu, (uintptr_t)p);
}

static void pump(struct esme *e)
{
    while (e->queue.first) {
        struct parcel *p = e->queue.first;
        enum err err = send_parcel(e, p);
        if (err == ERR_BUSY || err == ERR_CLOSED)
            return;                 /* an answer, or the end of the link, goes on from here */
        parcels_take(&e->queue);
        if (!err)
            parcels_add(&e->sent, p);
        else
            parcel_free(e->smsc, p);        /* nothing that can be written: a sender's name of over 20 letters */
    }
}

static void route(struct smsc *s, struct parcel *p)
{
    struct esme *e = esme_for(s, p);
    parcels_add(e ? &e->queue : &s->waiting, p);
    if (e)
        pump(e);
}

static void route_all(struct smsc *s, struct parcels *list)
{
    struct parcels taken = *list;
    *list = (struct parcels){ 0 };
    for (struct parcel *p; (p = parcels_take(&taken));)
        route(s, p);
}

void smsc_out_up(struct smsc *s)
{
    route_all(s, &s->waiting);
}

void smsc_out_down(struct esme *e)
{
    for (struct parcel *p; (p = parcels_take(&e->sent));)
        parcels_add(&e->smsc->waiting, p);
    for (struct parcel *p; (p = parcels_take(&e->queue));)
        parcels_add(&e->smsc->waiting, p);
}

void smsc_out_answer(struct esme *e, struct parcel *p, enum err err, uint32_t status)
{
    struct smsc *s = e->smsc;
    parcels_remove(&e->sent, p);
    if (!err && !status) {
        parcel_free(s, p);
    } else if (err == ERR_CLOSED) {
        parcels_add(&s->waiting, p);
    } else if (++p->tries >= TRIES_MAX) {
        metric_add(&given_up, 1);
        parcel_free(s, p);
    } else {
        if (!s->retry.first)
            loop_timer_start(&s->again, AGAIN_US);
        parcels_add(&s->retry, p);
    }
    if (e->up)
        pump(e);
}

static void on_again(void *arg)
{
    struct smsc *s = arg;
    route_all(s, &s->retry);
}

/* -- what is due ---------------------------------------------------------------------------------------------------- */
static bool before(const struct delivery *a, const struct delivery *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void heap_up(struct smsc *s, size_t i)
{
    struct delivery *d = s->heap[i];
    for (; i && before(d, s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = d;
}

static void heap_down(struct smsc *s, size_t i)
{
    struct delivery *d = s->heap[i];
    for (size_t child; (child = 2 * i + 1) < s->n_heap; i = child) {
        if (child + 1 < s->n_heap && before(s->heap[child + 1], s->heap[child]))
            child++;
        if (!before(s->heap[child], d))
            break;
        s->heap[i] = s->heap[child];
    }
    s->heap[i] = d;
}

static struct delivery *heap_take(struct smsc *s)
{
    struct delivery *d = s->heap[0];
    s->heap[0] = s->heap[--s->n_heap];
    if (s->n_heap)
        heap_down(s, 0);
    return d;
}

static void wait_for_next(struct smsc *s)
{
    if (s->n_heap)
        loop_timer_start(&s->due, s->heap[0]->due_us - clock_mono().us);
}

enum err smsc_make_room(struct smsc *s)
{
    if (s->n_heap < s->heap_room)
        return ERR_NONE;
    size_t room = s->heap_room ? 2 * s->heap_room : 256;
    struct delivery **heap = realloc(s->heap, room * sizeof *heap);
    if (!heap)
        return ERR_NOMEM;
    s->heap = heap;
    s->heap_room = room;
    return ERR_NONE;
}

void smsc_schedule(struct smsc *s, struct delivery *d)
{
    assert(s->n_heap < s->heap_room);
    d->order = ++s->last_order;
    s->heap[s->n_heap++] = d;
    heap_up(s, s->n_heap - 1);
    if (s->heap[0] == d)
        wait_for_next(s);
}

void smsc_delivery_free(struct delivery *d)
{
    if (!d)
        return;
    free(d->text);
    free(d);
}

/* registered_delivery 1: whatever happened; 2: failures only. */
static bool wants_receipt(const struct delivery *d)
{
    bool lost = d->outcome.fate == SMSC_LOSES;
    return d->outcome.fate != SMSC_KEEPS_SILENT && (d->registered == 1 || (d->registered == 2 && lost));
}

static void send_receipt(struct smsc *s, const struct delivery *d)
{
    struct parcel *p = parcel_new(s, d->esme, d->system_id, d->to, d->from);
    if (!p)
        return;
    bool lost = d->outcome.fate == SMSC_LOSES;
    scoped_buf text = { 0 };
    snprintf(p->message_id, sizeof p->message_id, "%llu", (unsigned long long)d->message_id);
    p->state = lost ? SMPP_UNDELIVERABLE : SMPP_DELIVERED;
    p->err = lost ? d->outcome.err : 0;
    p->esm_class = ESM_RECEIPT;
    smpp_receipt_text_write(&text, &(struct smpp_receipt){ str_of(p->message_id), p->state, p->err }, d->submitted_us,
                            clock_wall_us(), str_of(d->head));
    p->n = (uint8_t)(text.n < sizeof p->octets ? text.n : sizeof p->octets);
    if (text.p)
        memcpy(p->octets, text.p, p->n);
    route(s, p);
}

static void settle(struct smsc *s, struct delivery *d)
{
    if (d->text && d->outcome.fate != SMSC_LOSES && s->hooks.on_message)
        s->hooks.on_message(s->arg, str_of(d->from), str_of(d->to), str_of(d->text));
    if (wants_receipt(d))
        send_receipt(s, d);
    smsc_delivery_free(d);
}

static void on_due(void *arg)
{
    struct smsc *s = arg;
    int64_t now = clock_mono().us;
    struct sms_whole stale;
    while (s->n_heap && s->heap[0]->due_us <= now)
        settle(s, heap_take(s));
    while (sms_joiner_overdue(s->joiner, clock_mono(), &stale))
        ;                           /* parts whose others never came: a handset shows nothing of them */
    wait_for_next(s);
}

enum err smsc_out_init(struct smsc *s)
{
    enum err err = loop_timer_init(s->loop, &s->due, on_due, s);
    return err ? err : loop_timer_init(s->loop, &s->again, on_again, s);
}

void smsc_out_done(struct smsc *s)
{
    loop_timer_done(&s->due);
    loop_timer_done(&s->again);
    parcels_done(s, &s->waiting);
    parcels_done(s, &s->retry);
    while (s->n_heap)
        smsc_delivery_free(s->heap[--s->n_heap]);
    free(s->heap);
}

/* -- SMS from handsets ---------------------------------------------------------------------------------------------- */
static enum err part_of_reply(struct smsc *s, struct parcel **out, const char *from, const char *to,
                              const struct sms_split *split, struct str text, unsigned i)
{
    uint64_t esme = (uint64_t)(uintptr_t)strmap_find(s->senders, str_of(to));
    struct parcel *p = parcel_new(s, esme, "", from, to);
    struct smpp_sm sm = { 0 };
    if (!p)
        return s->n_parcels < WAITING_MAX ? ERR_NOMEM : ERR_BUSY;
    enum err err = sms_part_fill(&sm, p->octets, split, text, i, s->last_ref);
    if (err) {
        parcel_free(s, p);
        return err;
    }
    p->esm_class = sm.esm_class;
    p->data_coding = sm.data_coding;
    p->n = (uint8_t)sm.short_message.n;
    *out = p;
    return ERR_NONE;
}

enum err smsc_inject(struct smsc *s, struct str from, struct str to, struct str text)
{
    char sender[SMPP_NUMBER_SIZE], receiver[SMPP_NUMBER_SIZE];
    struct sms_split split;
    struct parcels parts = { 0 };
    if (!from.n || from.n >= sizeof sender || !to.n || to.n >= sizeof receiver)
        return ERR_SYNTAX;
    str_copyz(sender, sizeof sender, from);
    str_copyz(receiver, sizeof receiver, to);
    enum err err = sms_split(&split, text);
    s->last_ref++;
    for (unsigned i = 0; !err && i < split.count; i++) {
        struct parcel *p = NULL;
        err = part_of_reply(s, &p, sender, receiver, &split, text, i);
        if (!err)
            parcels_add(&parts, p);
    }
    if (err)
        parcels_done(s, &parts);    /* all of it or nothing */
    else
        route_all(s, &parts);
    return err;
}
