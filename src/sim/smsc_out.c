/* What the simulated SMSC sends: receipts and messages from handsets, each by a link that may take it, within its window. */
#include "base/metric.h"
#include "base/str.h"
#include "base/clock.h"
#include "sim/smsc_priv.h"

enum { TRIES_MAX = 60 };
static const int64_t AGAIN_US = US_PER_S;

METRIC_COUNTER(given_up, "carterfone_sim_smsc_given_up_total", "deliver_sm the product kept refusing")

/* -- parcels --------------------------------------------------------------------------------------------------------- */
void smsc_parcels_add(struct parcels *list, struct parcel *p)
{
    p->next = NULL;
    *(list->first ? &list->last->next : &list->first) = p;
    list->last = p;
}

struct parcel *smsc_parcels_take(struct parcels *list)
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

struct parcel *smsc_parcel_new(struct smsc *s, const char *from, const char *to)
{
    struct parcel *p = s->n_parcels < WAITING_MAX ? calloc(1, sizeof *p) : NULL;
    if (!p)
        return NULL;
    s->n_parcels++;
    str_copyz(p->from, sizeof p->from, str_of(from));
    str_copyz(p->to, sizeof p->to, str_of(to));
    return p;
}

void smsc_parcel_free(struct smsc *s, struct parcel *p)
{
    s->n_parcels--;
    free(p->payload);
    free(p);
}

static void parcels_done(struct smsc *s, struct parcels *list)
{
    for (struct parcel *p; (p = smsc_parcels_take(list));)
        smsc_parcel_free(s, p);
}

/* -- which link ------------------------------------------------------------------------------------------------------ */
static bool may_take(const struct esme *e)
{
    return e->up && smpp_session_may_deliver(e->session);
}

/* The link it belongs to, else another of the same ESME, else (not a receipt) anybody's. A receipt that should go by another
 * link goes by its own when there is none. */
static struct esme *esme_for(const struct smsc *s, const struct parcel *p)
{
    struct esme *own = NULL, *same = NULL, *any = NULL;
    for (struct esme *e = s->esmes; e; e = e->next) {
        if (!may_take(e))
            continue;
        if (e->id == p->esme)
            own = e;
        else if (e->account == p->account)
            same = e;
        else
            any = e;
    }
    if (p->other && same)
        return same;
    bool receipt = p->esm_class & ESM_TYPE_BITS;
    return own ? own : same ? same : receipt ? NULL : any;
}

/* -- sending --------------------------------------------------------------------------------------------------------- */
static void fill_tlvs(struct smpp_tlvs *t, const struct parcel *p, const char *code, size_t code_n)
{
    if (p->message_id[0]) {
        t->has_receipted_message_id = t->has_message_state = true;
        t->receipted_message_id = str_of(p->message_id);
        t->message_state = p->state;
        t->has_network_error_code = p->err != 0;
        t->network_error_code = (struct str){ code, code_n };
    }
    if (p->sar.total) {
        t->has_sar_msg_ref_num = t->has_sar_total_segments = t->has_sar_segment_seqnum = true;
        t->sar_msg_ref_num = p->sar.ref;
        t->sar_total_segments = p->sar.total;
        t->sar_segment_seqnum = p->sar.part;
    }
    t->has_message_payload = p->payload != NULL;
    t->message_payload = (struct str){ p->payload, p->payload_n };
}

static enum err send_parcel(struct esme *e, struct parcel *p)
{
    struct smpp_addr from = smpp_addr_of(str_of(p->from)), to = smpp_addr_of(str_of(p->to));
    const char code[3] = { 3, (char)(p->err >> 8), (char)p->err };     /* 3: a GSM network (5.3.2.31) */
    struct smpp_pdu pdu = {
        .command = SMPP_deliver_sm,
        .sm = { .source_addr_ton = from.ton, .source_addr_npi = from.npi, .source_addr = from.addr,
                .dest_addr_ton = to.ton, .dest_addr_npi = to.npi, .destination_addr = to.addr, .esm_class = p->esm_class,
                .data_coding = p->data_coding, .short_message = { (char *)p->octets, p->n } },
    };
    fill_tlvs(&pdu.tlvs, p, code, sizeof code);
    if (e->smsc->ways.deliver_as == DELIVER_DATA_SM) {
        pdu.command = SMPP_data_sm;     /* its text is a message_payload (SMPP 3.4, 4.7.1) */
        pdu.tlvs.message_payload = smpp_sm_octets(&pdu);
        pdu.tlvs.has_message_payload = true;
    }
    return smpp_session_send(e->session, &pdu, (uintptr_t)p);
}

static void pump(struct esme *e)
{
    while (e->queue.first && smpp_session_under_way(e->session) < e->smsc->ways.deliver_window) {
        struct parcel *p = e->queue.first;
        enum err err = send_parcel(e, p);
        if (err == ERR_BUSY || err == ERR_CLOSED)
            return;                 /* an answer, or the end of the link, goes on from here */
        smsc_parcels_take(&e->queue);
        e->queued--;
        if (!err)
            smsc_parcels_add(&e->sent, p);
        else
            smsc_parcel_free(e->smsc, p);   /* nothing that can be written: a sender's name of over 20 letters */
    }
}

void smsc_out_pump(struct smsc *s)
{
    for (struct esme *e = s->esmes; e; e = e->next)
        if (e->up)
            pump(e);
}

void smsc_route(struct smsc *s, struct parcel *p)
{
    struct esme *e = esme_for(s, p);
    if (!e) {
        smsc_parcels_add(&s->waiting, p);
        return;
    }
    smsc_parcels_add(&e->queue, p);
    e->queued++;
    pump(e);
}

static void route_all(struct smsc *s, struct parcels *list)
{
    struct parcels taken = *list;
    *list = (struct parcels){ 0 };
    for (struct parcel *p; (p = smsc_parcels_take(&taken));)
        smsc_route(s, p);
}

void smsc_out_up(struct smsc *s)
{
    route_all(s, &s->waiting);
}

void smsc_out_down(struct esme *e)
{
    for (struct parcel *p; (p = smsc_parcels_take(&e->sent));)
        smsc_parcels_add(&e->smsc->waiting, p);
    for (struct parcel *p; (p = smsc_parcels_take(&e->queue));)
        smsc_parcels_add(&e->smsc->waiting, p);
    e->queued = 0;
}

void smsc_out_answer(struct esme *e, struct parcel *p, enum err err, uint32_t status)
{
    struct smsc *s = e->smsc;
    parcels_remove(&e->sent, p);
    if (!err && !status) {
        smsc_parcel_free(s, p);
    } else if (err == ERR_CLOSED) {
        smsc_parcels_add(&s->waiting, p);
    } else if (++p->tries >= TRIES_MAX) {
        metric_add(&given_up, 1);
        s->counts.given_up++;
        smsc_parcel_free(s, p);
    } else {
        if (!s->retry.first)
            loop_timer_start(&s->again, AGAIN_US);
        smsc_parcels_add(&s->retry, p);
    }
    if (e->up)
        pump(e);
}

static void on_again(void *arg)
{
    struct smsc *s = arg;
    route_all(s, &s->retry);
}

enum err smsc_out_init(struct smsc *s)
{
    return loop_timer_init(s->loop, &s->again, on_again, s);
}

void smsc_out_clear(struct smsc *s)
{
    parcels_done(s, &s->waiting);
    parcels_done(s, &s->retry);
    for (struct esme *e = s->esmes; e; e = e->next) {       /* what is under way ends with its answer */
        parcels_done(s, &e->queue);
        e->queued = 0;
    }
}

void smsc_out_done(struct smsc *s)
{
    loop_timer_done(&s->again);
    parcels_done(s, &s->waiting);
    parcels_done(s, &s->retry);
}
