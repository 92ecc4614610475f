/* What an ESME asks of the simulated SMSC, and the answers: when, and what (SMPP 3.4, 4.4, 4.5, 4.7 to 4.10). */
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "sim/smsc_priv.h"

METRIC_COUNTER(accepted, "carterfone_sim_smsc_accepted_total", "Messages the simulated SMSC accepted")
METRIC_COUNTER(rejected, "carterfone_sim_smsc_rejected_total", "Messages the simulated SMSC rejected")

enum { DESTS_OCTETS = SMPP_DESTS_MAX * 32, BURST_SECONDS_MAX = 10 };

/* -- answers --------------------------------------------------------------------------------------------------------- */

/* An answer that waits for its time. */
struct answer {
    struct due      due;
    uint64_t        esme;
    struct smpp_pdu pdu;                    /* its texts are the ones below */
    char            id[MESSAGE_ID_SIZE];
    char            dests[];
};

static void answered(struct esme *e, const struct smpp_pdu *pdu)
{
    if (e->unanswered)
        e->unanswered--;
    smpp_session_reply(e->session, pdu);
    smsc_hold(e);
}

static void on_answer_due(void *arg, struct due *d)
{
    struct answer *a = container_of(d, struct answer, due);
    struct esme *e = arg ? smsc_esme(arg, a->esme) : NULL;      /* none: the SMSC ends */
    if (e)
        answered(e, &a->pdu);
    free(a);
}

/* Without memory it is answered at once. */
static void answer_after(struct esme *e, const struct smpp_pdu *pdu, int64_t wait_us)
{
    struct smsc *s = e->smsc;
    struct answer *a = wait_us > 0 && !dues_room(s->dues) ? malloc(sizeof *a + pdu->dests.n) : NULL;
    if (!a) {
        answered(e, pdu);
        return;
    }
    *a = (struct answer){ .due = { .at_us = clock_mono().us + wait_us, .run = on_answer_due }, .esme = e->id, .pdu = *pdu };
    str_copyz(a->id, sizeof a->id, pdu->sm_resp.message_id);
    a->pdu.sm_resp.message_id = str_of(a->id);
    if (pdu->dests.n)
        memcpy(a->dests, pdu->dests.p, pdu->dests.n);
    a->pdu.dests = (struct str){ a->dests, pdu->dests.n };
    dues_add(s->dues, &a->due);
}

static struct smpp_pdu response_to(const struct smpp_pdu *request, uint32_t status)
{
    struct smpp_pdu resp;
    memset(&resp, 0, sizeof resp);
    resp.command = smpp_resp_to(request->command);
    resp.sequence = request->sequence;
    resp.status = status;
    return resp;
}

/* -- may it come in? ------------------------------------------------------------------------------------------------- */
static bool too_fast(struct esme *e)
{
    const struct smsc_ways *w = &e->smsc->ways;
    int64_t wait_us;
    uint32_t burst = w->burst ? w->burst : w->rate;
    if (!w->rate)
        return false;
    if (burst > BURST_SECONDS_MAX * w->rate)
        burst = BURST_SECONDS_MAX * w->rate;
    if (!e->throttle || e->throttle_rate != w->rate || e->throttle_burst != burst) {
        throttle_free(e->throttle);
        e->throttle = NULL;
        if (throttle_new(&e->throttle, &(struct throttle_conf){ .rate = w->rate, .burst = burst }, clock_mono()))
            return false;
        e->throttle_rate = w->rate;
        e->throttle_burst = burst;
    }
    return throttle_take(e->throttle, clock_mono(), &wait_us) != ERR_NONE;
}

/* What the settings refuse, whatever the message says. */
static uint32_t admit(struct esme *e)
{
    struct smsc *s = e->smsc;
    const struct smsc_ways *w = &s->ways;
    if (w->window && w->window_full == FULL_THROTTLES && e->unanswered >= w->window)
        return ESME_RTHROTTLED;
    if (too_fast(e))
        return ESME_RTHROTTLED;
    if (s->n_live >= (w->queue ? w->queue : MESSAGES_MAX))
        return ESME_RMSGQFUL;
    if (smsc_chance(s, w->refuse_percent))
        return w->refuse_status;
    return ESME_ROK;
}

/* What faults do to one submit. */
struct struck {
    bool     drop, disconnect, silent;      /* not taken; not taken and cut; taken and not answered */
    uint32_t status;
    int64_t  delay_us;
};

static struct struck strike(struct esme *e, const struct smpp_pdu *pdu)
{
    static const uint64_t kinds = FAULT_BIT(SMSC_DROP_SUBMIT) | FAULT_BIT(SMSC_DROP_RESPONSE) | FAULT_BIT(SMSC_DELAY)
                                | FAULT_BIT(SMSC_THROTTLE) | FAULT_BIT(SMSC_QUEUE_FULL) | FAULT_BIT(SMSC_REJECT)
                                | FAULT_BIT(SMSC_DISCONNECT);
    struct struck r = { 0 };
    struct fault_hit hit;
    if (!fault_armed(kinds))
        return r;
    const struct fault_subject subject = { .to = pdu->sm.destination_addr, .from = pdu->sm.source_addr,
                                           .system_id = str_of(e->account->system_id) };
    if (!fault_strikes(kinds, &subject, &hit))
        return r;
    switch ((int)hit.kind) {
    case FAULT_SMSC_DROP_SUBMIT:    r.drop = true; break;
    case FAULT_SMSC_DISCONNECT:     r.disconnect = true; break;
    case FAULT_SMSC_DROP_RESPONSE:  r.silent = true; break;
    case FAULT_SMSC_DELAY:          r.delay_us = hit.delay_us; break;
    default:                        r.status = (uint32_t)hit.code; break;
    }
    return r;
}

/* -- submit_sm, data_sm, submit_multi -------------------------------------------------------------------------------- */

/* What the answer needs of what was taken. */
struct taking {
    struct smpp_pdu resp;
    char            id[MESSAGE_ID_SIZE];
    uint8_t         dests[DESTS_OCTETS];
    struct message *last;                   /* taken now; of several the last */
};

static void refuse_dest(struct taking *t, struct wr *w, const struct smpp_dest *dest, uint32_t status)
{
    struct smpp_dest failed = *dest;
    failed.status = status;
    smpp_unsuccess_put(w, &failed);
    t->resp.n_dests++;
}

/* One id for all; those that could not be taken are listed (4.5.2). A distribution list is none of ours. */
static uint32_t take_multi(struct esme *e, const struct smpp_pdu *pdu, struct taking *t)
{
    struct rd r = rd_of(pdu->dests.p, pdu->dests.n);
    struct wr w = wr_of(t->dests, sizeof t->dests);
    struct smpp_dest dest;
    unsigned taken = 0;
    uint32_t status = pdu->n_dests && pdu->n_dests <= SMPP_DESTS_MAX ? ESME_RSUBMITFAIL : ESME_RINVNUMDESTS;
    uint64_t number = ++e->smsc->last_message;
    while (status != ESME_RINVNUMDESTS && smpp_dest_next(&r, &dest)) {
        struct smpp_pdu one = *pdu;
        one.sm.dest_addr_ton = dest.addr.ton;
        one.sm.dest_addr_npi = dest.addr.npi;
        one.sm.destination_addr = dest.addr.addr;
        uint32_t why = dest.list.n ? ESME_RINVDLNAME : smsc_take(e, &one, number, t->id, &t->last);
        taken += !why;
        if (why)
            refuse_dest(t, &w, &dest, why);
    }
    t->resp.dests = (struct str){ (const char *)t->dests, wr_len(&w) };
    return taken ? ESME_ROK : status;
}

static uint32_t take(struct esme *e, const struct smpp_pdu *pdu, struct taking *t)
{
    if (pdu->command == SMPP_submit_multi)
        return take_multi(e, pdu, t);
    return smsc_take(e, pdu, ++e->smsc->last_message, t->id, &t->last);
}

static void count(struct esme *e, uint32_t status)
{
    metric_add(status ? &rejected : &accepted, 1);
    *(status ? &e->smsc->counts.refused : &e->smsc->counts.accepted) += 1;
}

static bool receipt_first(struct esme *e, const struct message *m)
{
    struct fault_hit hit;
    return m && (e->smsc->ways.receipt_order == RECEIPT_BEFORE
                 || fault_strikes(FAULT_BIT(SMSC_EARLY_RECEIPT),
                                  &(struct fault_subject){ .to = str_of(m->to), .from = str_of(m->from),
                                                           .system_id = str_of(e->account->system_id) }, &hit));
}

static void refuse(struct esme *e, const struct smpp_pdu *pdu, uint32_t status)
{
    struct smpp_pdu resp = response_to(pdu, status);
    count(e, status);
    smpp_session_reply(e->session, &resp);
}

static void submit(struct esme *e, const struct smpp_pdu *pdu)
{
    struct smsc *s = e->smsc;
    const struct smsc_ways *w = &s->ways;
    struct taking t;
    struct struck struck = strike(e, pdu);
    bool cut = ++e->submits && w->cut_every && e->submits % w->cut_every == 0;
    if (struck.disconnect || (cut && w->cut_when == CUT_UNTAKEN)) {
        smsc_cut_one(e);
        return;
    }
    if (struck.drop) {
        smpp_session_pass(e->session);
        return;
    }
    uint32_t status = struck.status ? struck.status : admit(e);
    if (status) {
        refuse(e, pdu, status);
    } else {
        t = (struct taking){ .resp = response_to(pdu, ESME_ROK) };
        t.resp.status = take(e, pdu, &t);
        t.resp.sm_resp.message_id = str_of(t.id);
        count(e, t.resp.status);
        if (receipt_first(e, t.last))
            smsc_settle_early(s, t.last);
        if (struck.silent || (cut && w->cut_when == CUT_UNANSWERED)) {
            smpp_session_pass(e->session);
        } else {
            e->unanswered++;
            answer_after(e, &t.resp, cut ? 0 : w->answer_delay + smsc_jitter(s, w->answer_jitter) + struck.delay_us);
            smsc_hold(e);
        }
    }
    if (cut)
        smsc_cut_one(e);
}

/* -- the others ------------------------------------------------------------------------------------------------------ */
static void query(struct esme *e, const struct smpp_pdu *pdu)
{
    struct smpp_pdu resp = response_to(pdu, ESME_ROK);
    char date[SMPP_TIME_SIZE] = "";
    resp.status = smsc_query(e, &pdu->query, &resp.query_resp, date);
    resp.query_resp.message_id = pdu->query.message_id.n < MESSAGE_ID_SIZE - 1 ? pdu->query.message_id : STR("");
    resp.query_resp.final_date = str_of(date);
    smpp_session_reply(e->session, &resp);
}

void smsc_request(struct esme *e, const struct smpp_pdu *pdu)
{
    struct smpp_pdu resp = response_to(pdu, ESME_ROK);
    switch (pdu->command) {
    case SMPP_submit_sm: case SMPP_data_sm: case SMPP_submit_multi:
        submit(e, pdu);
        return;
    case SMPP_query_sm:
        query(e, pdu);
        return;
    case SMPP_cancel_sm:    resp.status = smsc_cancel(e, &pdu->cancel); break;
    case SMPP_replace_sm:   resp.status = smsc_replace(e, &pdu->replace); break;
    default:                resp.status = ESME_RINVCMDID; break;
    }
    smpp_session_reply(e->session, &resp);
}
