#include "sim/phone_priv.h"

#include "base/fault.h"
#include "base/str.h"
#include "codec/rtp/rtp.h"

#include <stdio.h>

enum { STOP_GRACE_MS = 300, STATUS_DECLINED = 603 };

/* -- the SIP thread --------------------------------------------------------------- */

/* "+1206..." as it is; a bare North American number gets its '+'; what is no number will be refused. */
static void number_copy(char dst[HANDSET_NUMBER_MAX + 1], struct str user)
{
    bool bare = user.n == 11 && user.p[0] == '1' && handset_number_ok(user);
    size_t at = 0;
    if (bare)
        dst[at++] = '+';
    str_copyz(dst + at, HANDSET_NUMBER_MAX + 1 - at, user.n <= HANDSET_NUMBER_MAX ? user : (struct str){ "", 0 });
}

static struct sip_verdict sip_on_incoming(void *user, const struct sip_incoming *in)
{
    struct phones *p = user;
    struct fault_hit hit;
    struct news values = { .kind = NEWS_INCOMING, .call = atomic_fetch_add(&p->last_id, 1) + 1, .audio = in->remote };
    number_copy(values.to, in->to);
    number_copy(values.from, in->asserted.n ? in->asserted : in->from);
    if (!handset_number_ok(str_of(values.to)))
        return (struct sip_verdict){ .status = 404, .q850 = 1 };
    if (fault_strikes(FAULT_BIT(PHONE_SILENT), &(struct fault_subject){ .number = str_of(values.to), .from = str_of(values.from) },
                      &hit))
        return (struct sip_verdict){ .silent = true };
    struct news *n = phone_news_of(p, &values);
    if (n && !inbox_post(loop_inbox(p->conf.loop), &n->item))
        return (struct sip_verdict){ .call = values.call };
    free(n);
    return (struct sip_verdict){ .status = 503, .retry_after_s = 1 };
}

static void sip_on_progress(void *user, uint64_t call, int status, const struct sdp_audio *early)
{
    (void)user, (void)call, (void)status, (void)early;      /* a handset that dials just waits */
}

static void sip_on_answered(void *user, uint64_t call, const struct sdp_audio *remote)
{
    phone_tell(user, &(struct news){ .kind = NEWS_JOINED, .call = call, .audio = *remote });
}

static void sip_on_changed(void *user, uint64_t call, const struct sdp_audio *remote)
{
    phone_tell(user, &(struct news){ .kind = NEWS_CHANGED, .call = call, .audio = *remote });
}

static void sip_on_ended(void *user, uint64_t call, const struct sip_end *end)
{
    phone_tell(user, &(struct news){ .kind = NEWS_ENDED, .call = call, .status = end->status, .q850 = end->q850 });
}

/* -- the RTP thread --------------------------------------------------------------- */

static void rtp_on_opened(void *arg, uint64_t leg, enum err err, const char *host, uint16_t port)
{
    struct news n = { .kind = NEWS_OPENED, .call = leg, .err = err };
    n.audio = (struct sdp_audio){ .port = port, .payload = SDP_PCMU, .dtmf_payload = RTP_LOOP_DTMF_PAYLOAD,
                                  .ptime_ms = 20 };
    snprintf(n.audio.host, sizeof n.audio.host, "%s", host);
    phone_tell(arg, &n);
}

static void rtp_on_tone(void *arg, uint64_t leg, char tone)
{
    phone_tell(arg, &(struct news){ .kind = NEWS_TONE, .call = leg, .tone = tone });
}

static void rtp_on_heard(void *arg, uint64_t leg)
{
    phone_tell(arg, &(struct news){ .kind = NEWS_HEARD, .call = leg });
}

static void rtp_on_recorded(void *arg, uint64_t leg, int16_t *samples, size_t n)
{
    phone_tell(arg, &(struct news){ .kind = NEWS_RECORDED, .call = leg, .samples = samples, .n = n });
}

static void rtp_on_closed(void *arg, uint64_t leg, const struct rtp_loop_counters *counters)
{
    phone_tell(arg, &(struct news){ .kind = NEWS_CLOSED, .call = leg, .counters = *counters });
}

static const struct rtp_loop_events rtp_events = {
    .opened = rtp_on_opened, .tone = rtp_on_tone, .heard = rtp_on_heard, .recorded = rtp_on_recorded,
    .closed = rtp_on_closed,
};

/* -- orders --------------------------------------------------------------- */

static struct call *call_of(const struct phones *p, const struct handset *h)
{
    return h->call ? map_find(p->calls, h->call) : NULL;
}

static enum err no_call(const struct handset *h, const char *what, struct problem *why)
{
    return problem_set(why, ERR_CONFLICT, "HandsetHasNoCall", "%s has no call to %s: it is %s.", h->number, what,
                       handset_state_name(h->state));
}

enum err phones_answer(struct phones *p, struct handset *h, struct problem *why)
{
    struct call *c = call_of(p, h);
    h->attached = true;
    if (c && (c->outgoing || h->state == HANDSET_CONNECTED))
        return problem_set(why, ERR_CONFLICT, "HandsetInCall", "%s is %s already.", h->number,
                           handset_state_name(h->state));
    h->will_answer = true;
    if (c)
        phone_feed(c, EV_PICK_UP);
    return ERR_NONE;
}

enum err phones_press(struct phones *p, struct handset *h, struct str keys, struct problem *why)
{
    struct call *c = call_of(p, h);
    if (!c || c->state != ST_TALKING)
        return no_call(h, "press keys in", why);
    for (size_t i = 0; i < keys.n; i++)
        if (rtp_tone_event(keys.p[i]) < 0)
            return problem_set(why, ERR_RANGE, "BadKeys", "Keys are 0-9 * # A-D.");
    if (!keys.n || keys.n > RTP_LOOP_TONES_MAX)
        return problem_set(why, ERR_RANGE, "BadKeys", "1 to %d keys can be pressed at once.", RTP_LOOP_TONES_MAX);
    return rtp_loop_send_tones(p->rtp, c->id, 0, keys);
}

enum err phones_hang_up(struct phones *p, struct handset *h, struct problem *why)
{
    struct call *c = call_of(p, h);
    if (!c || h->state == HANDSET_IDLE)
        return no_call(h, "end", why);
    phone_feed(c, EV_HANG_UP);
    return ERR_NONE;
}

enum err phones_reject(struct phones *p, struct handset *h, int status, int q850, struct problem *why)
{
    struct call *c = call_of(p, h);
    if (!c || h->state != HANDSET_RINGING)
        return no_call(h, "refuse", why);
    c->status = status ? status : STATUS_DECLINED;
    c->q850 = q850 ? q850 : manner_cause_of(c->status);
    phone_feed(c, EV_HANG_UP);
    return ERR_NONE;
}

enum err phones_say(struct phones *p, struct handset *h, struct audio *sound, struct problem *why)
{
    struct call *c = call_of(p, h);
    if (!c || c->state != ST_TALKING)
        return no_call(h, "say it in", why);
    return rtp_loop_play(p->rtp, c->id, 0, sound, false);
}

enum err phones_record(struct phones *p, struct handset *h, struct str path)
{
    struct call *c = call_of(p, h);
    char *copy = strndup(path.p, path.n);
    bool now = c && c->state == ST_TALKING && !c->record_path;
    if (!copy)
        return ERR_NOMEM;
    char **at = now ? &c->record_path : &h->record_path;
    free(*at);
    *at = copy;
    return now ? rtp_loop_record(p->rtp, c->id) : ERR_NONE;
}

enum err phones_dial(struct phones *p, struct handset *h, struct str to, struct str context, struct problem *why)
{
    struct call *c = NULL;
    if (!p->inbound_port)
        return problem_set(why, ERR_CONFLICT, "NowhereToCall", "The simulated networks have not been told where the "
                           "product takes its calls.");
    if (!handset_number_ok(to))
        return problem_set(why, ERR_RANGE, "BadNumber", "'" STR_FMT "' is not a number to dial.", STR_ARG(to));
    if (h->state != HANDSET_IDLE)
        return problem_set(why, ERR_CONFLICT, "HandsetInCall", "%s is %s already.", h->number,
                           handset_state_name(h->state));
    char peer[HANDSET_NUMBER_MAX + 1];
    str_copyz(peer, sizeof peer, to);
    char *own = context.n ? strndup(context.p, context.n) : NULL;
    enum err err = context.n && !own ? ERR_NOMEM : phone_call_new(&c, p, atomic_fetch_add(&p->last_id, 1) + 1, h, peer, true);
    if (err)
        free(own);
    else
        c->context = own;
    return err;
}

void phones_set_others(struct phones *p, struct manner *m)
{
    manner_unref(p->others);
    p->others = m;
}

const struct manner *phones_others(const struct phones *p)
{
    return p->others;
}

void phones_set_inbound(struct phones *p, struct str host, uint16_t port)
{
    str_copyz(p->inbound_host, sizeof p->inbound_host, host);
    p->inbound_port = port;
}

/* -- life --------------------------------------------------------------- */

static enum err make_nets(struct phones *p, struct problem *why)
{
    struct sip_stack_conf sip = {
        .name = "sim-sip", .host = p->host, .port = p->conf.sip_port, .user_agent = "Carterfone simulator",
        .events = { .on_incoming = sip_on_incoming, .on_progress = sip_on_progress, .on_answered = sip_on_answered,
                    .on_changed = sip_on_changed, .on_ended = sip_on_ended },
        .user = p,
    };
    struct rtp_loop_conf rtp = { .name = "sim-rtp", .host = p->host, .port_min = p->conf.rtp_min,
                                 .port_max = p->conf.rtp_max, .events = &rtp_events, .arg = p };
    p->calls = map_new();
    if (!p->calls)
        return ERR_NOMEM;
    enum err err = rtp_loop_new(&p->rtp, &rtp, why);
    if (!err)
        err = sip_stack_new(&p->sip, &sip, why);
    return err;
}

enum err phones_new(struct phones **out, const struct phones_conf *conf, struct problem *why)
{
    struct phones *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    p->conf = *conf;
    snprintf(p->host, sizeof p->host, "%s", conf->host);
    p->conf.folder = p->folder = conf->folder ? strdup(conf->folder) : NULL;
    enum err err = conf->folder && !p->folder ? ERR_NOMEM : manner_with(&p->kind, NULL, NULL, 0, why);
    if (!err)
        err = make_nets(p, why);
    if (err) {
        phones_free(p);
        return err;
    }
    *out = p;
    return ERR_NONE;
}

enum err phones_start(struct phones *p)
{
    enum err err = rtp_loop_start(p->rtp);
    return err ? err : sip_stack_start(p->sip);
}

void phones_stop_sip(struct phones *p)
{
    if (p->sip)
        sip_stack_stop(p->sip, STOP_GRACE_MS);
}

void phones_stop_rtp(struct phones *p)
{
    rtp_loop_free(p->rtp);
    p->rtp = NULL;
}

void phones_free(struct phones *p)
{
    if (!p)
        return;
    sip_stack_free(p->sip);
    phones_stop_rtp(p);
    size_t at = 0;
    uint64_t id;
    void *call;
    while (p->calls && map_next(p->calls, &at, &id, &call)) {
        phone_call_free(call);
    }
    map_free(p->calls);
    for (size_t i = 0; i < MAGIC_ROWS_MAX; i++)
        manner_unref(p->magic[i]);
    manner_unref(p->kind);
    manner_unref(p->others);
    free(p->folder);
    free(p);
}

uint16_t phones_sip_port(const struct phones *p)
{
    return sip_stack_port(p->sip);
}
