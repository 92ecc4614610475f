#include "sim/smsc.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "sim/smsc_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { JOIN_MAX = 100000, ACCOUNTS_MAX = 10000 };
static const int64_t JOIN_US = 60 * (int64_t)US_PER_S;

/* -- chance ---------------------------------------------------------------------------------------------------------- */
static uint64_t draw(struct smsc *s)
{
    return hash_u64(s->random++);
}

bool smsc_chance(struct smsc *s, uint32_t percent)
{
    return percent && draw(s) % 100 < percent;
}

int64_t smsc_jitter(struct smsc *s, int64_t most_us)
{
    return most_us ? (int64_t)(draw(s) % ((uint64_t)most_us + 1)) : 0;
}

/* -- who may bind ---------------------------------------------------------------------------------------------------- */
struct account *smsc_account(struct smsc *s, struct str system_id)
{
    struct account *a = strmap_find(s->accounts, system_id);
    if (a || strmap_count(s->accounts) >= ACCOUNTS_MAX)
        return a;
    a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    str_copyz(a->system_id, sizeof a->system_id, system_id);
    if (strmap_put(s->accounts, system_id, a)) {
        free(a);
        return NULL;
    }
    return a;
}

static uint32_t bind_status(struct esme *e, const struct smpp_bind *bind)
{
    struct smsc *s = e->smsc;
    const struct smsc_ways *w = &s->ways;
    struct fault_hit hit;
    if (w->bind_status)
        return w->bind_status;
    if (fault_strikes(FAULT_BIT(SMSC_REFUSE_BIND), &(struct fault_subject){ .system_id = bind->system_id }, &hit))
        return (uint32_t)hit.code;
    if (w->system_id[0] && !str_eqz(bind->system_id, w->system_id))
        return ESME_RINVSYSID;
    if (w->password[0] && !str_eqz(bind->password, w->password))
        return ESME_RINVPASWD;
    if (bind->system_id.n >= SYSTEM_ID_SIZE)
        return ESME_RINVSYSID;
    e->account = smsc_account(s, bind->system_id);
    if (!e->account)
        return ESME_RBINDFAIL;
    if (w->binds_most && e->account->binds >= w->binds_most) {
        e->account = NULL;
        return ESME_RALYBND;
    }
    return ESME_ROK;
}

static uint32_t on_bind(void *arg, const struct smpp_pdu *pdu)
{
    struct esme *e = arg;
    uint32_t status = bind_status(e, &pdu->bind);
    e->bind = pdu->command;
    if (status)
        e->smsc->counts.binds_refused++;
    else
        e->account->binds++;
    return status;
}

static void on_up(void *arg)
{
    struct esme *e = arg;
    e->up = true;
    e->up_us = clock_wall_us();
    smsc_out_up(e->smsc);
}

/* -- the pace of reading --------------------------------------------------------------------------------------------- */
void smsc_hold(struct esme *e)
{
    const struct smsc_ways *w = &e->smsc->ways;
    e->stalled = w->window && w->window_full == FULL_STALLS && e->unanswered >= w->window;
    smpp_session_pause(e->session, e->stalled || e->resting);
}

static void on_rested(void *arg)
{
    struct esme *e = arg;
    e->resting = false;
    smsc_hold(e);
}

static bool on_heard(void *arg, const struct smpp_pdu *pdu)
{
    struct esme *e = arg;
    const struct smsc_ways *w = &e->smsc->ways;
    if (w->read_rate) {
        e->resting = true;
        loop_timer_start(&e->rest, US_PER_S / w->read_rate);
        smsc_hold(e);
    }
    return !(pdu->command == SMPP_unbind && w->unbind == WAY_IGNORED)
        && !(pdu->command == SMPP_enquire_link && w->enquire_link == WAY_IGNORED);
}

static void on_request(void *arg, const struct smpp_pdu *pdu)
{
    smsc_request(arg, pdu);
}

static void on_answer(void *arg, uint64_t tag, enum err err, const struct smpp_pdu *answer)
{
    smsc_out_answer(arg, (struct parcel *)(uintptr_t)tag, err, answer ? answer->status : 0);
}

/* -- links ----------------------------------------------------------------------------------------------------------- */
struct esme *smsc_esme(const struct smsc *s, uint64_t id)
{
    struct esme *e = s->esmes;
    while (e && e->id != id)
        e = e->next;
    return e;
}

void smsc_cut_one(struct esme *e)
{
    e->smsc->counts.cuts++;
    log_info("sim", "SMSC: the link from %s is cut", e->peer);
    smpp_session_drop(e->session);
}

static void esme_free(struct esme *e)
{
    struct esme **at = &e->smsc->esmes;
    while (*at && *at != e)
        at = &(*at)->next;
    if (*at)
        *at = e->next;
    if (e->account)
        e->account->binds--;
    loop_timer_done(&e->rest);
    throttle_free(e->throttle);
    smpp_session_free(e->session);
    free(e);
}

static void on_down(void *arg, enum err why, uint32_t status)
{
    struct esme *e = arg;
    struct smsc *s = e->smsc;
    (void)why, (void)status;
    e->up = false;
    smsc_out_down(e);
    esme_free(e);
    smsc_out_up(s);         /* another link of the same ESME may take over */
}

static const struct smpp_session_hooks session_hooks = {
    .on_heard = on_heard, .on_bind = on_bind, .on_up = on_up, .on_request = on_request, .on_answer = on_answer,
    .on_down = on_down,
};

static struct esme *esme_new(struct smsc *s, const char *peer)
{
    struct esme *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    *e = (struct esme){ .smsc = s, .id = ++s->last_esme };
    snprintf(e->peer, sizeof e->peer, "%s", peer);
    if (loop_timer_init(s->loop, &e->rest, on_rested, e)) {
        free(e);
        return NULL;
    }
    return e;
}

static void on_accept(void *arg, int fd, const char *peer)
{
    struct smsc *s = arg;
    char name[96];
    snprintf(name, sizeof name, "simulated SMSC, %s", peer);
    const struct smpp_session_conf conf = { .role = SMPP_SMSC, .name = name, .system_id = "carterfone-sim",
                                            .window = WINDOW_OUT_MAX };
    struct esme *e = s->out_until_us ? NULL : esme_new(s, peer);
    if (!e) {
        close(fd);
        return;
    }
    if (smpp_session_serve(&e->session, s->loop, fd, &conf, &session_hooks, e)) {
        esme_free(e);
        return;
    }
    e->next = s->esmes;
    s->esmes = e;
}

/* -- cuts and outages ------------------------------------------------------------------------------------------------ */
unsigned smsc_cut(struct smsc *s, struct str system_id)
{
    unsigned n = 0;
    for (struct esme *e = s->esmes; e; e = e->next) {
        if (system_id.n && (!e->account || !str_eqz(system_id, e->account->system_id)))
            continue;
        smsc_cut_one(e);
        n++;
    }
    return n;
}

void smsc_outage(struct smsc *s, int64_t for_us)
{
    loop_timer_stop(&s->outage_ends);
    s->out_until_us = 0;
    if (for_us <= 0) {
        log_info("sim", "SMSC: the outage is over");
        return;
    }
    s->out_until_us = clock_wall_us() + for_us;
    s->counts.outages++;
    log_info("sim", "SMSC: an outage of %lld ms begins", (long long)(for_us / US_PER_MS));
    smsc_cut(s, STR(""));
    loop_timer_start(&s->outage_ends, for_us);
}

static void on_outage_ends(void *arg)
{
    smsc_outage(arg, 0);
}

static void on_outage_begins(void *arg)
{
    struct smsc *s = arg;
    loop_timer_start(&s->outage_begins, s->ways.outage_every);
    smsc_outage(s, s->ways.outage_for);
}

/* -- settings -------------------------------------------------------------------------------------------------------- */
const struct smsc_ways *smsc_ways(const struct smsc *s)
{
    return &s->ways;
}

void smsc_set_ways(struct smsc *s, const struct smsc_ways *ways)
{
    bool other_outages = s->ways.outage_every != ways->outage_every;
    s->ways = *ways;
    if (other_outages) {
        loop_timer_stop(&s->outage_begins);
        if (ways->outage_every)
            loop_timer_start(&s->outage_begins, ways->outage_every);
    }
    smsc_inject_ways(s);
    for (struct esme *e = s->esmes; e; e = e->next)
        smsc_hold(e);
    smsc_out_pump(s);
}

/* -- making ---------------------------------------------------------------------------------------------------------- */
static enum err open_log(struct smsc *s, struct problem *why)
{
    s->log_fd = -1;
    if (!s->conf.accepted_log)
        return ERR_NONE;
    s->log_fd = open(s->conf.accepted_log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (s->log_fd < 0)
        return problem_set(why, ERR_IO, "LogFailed", "cannot write %s: %s", s->conf.accepted_log, strerror(errno));
    return ERR_NONE;
}

static enum err make_timers(struct smsc *s)
{
    enum err err = loop_timer_init(s->loop, &s->outage_begins, on_outage_begins, s);
    return err ? err : loop_timer_init(s->loop, &s->outage_ends, on_outage_ends, s);
}

static enum err prepare(struct smsc *s, struct problem *why)
{
    enum err err = open_log(s, why);
    s->senders = strmap_new();
    s->accounts = strmap_new();
    s->messages = strmap_new();
    if (!err && (!s->senders || !s->accounts || !s->messages))
        err = ERR_NOMEM;
    if (!err)
        err = sms_joiner_new(&s->joiner, JOIN_US, JOIN_MAX);
    if (!err)
        err = dues_new(&s->dues, s->loop, s);
    if (!err)
        err = smsc_out_init(s);
    if (!err)
        err = make_timers(s);
    if (!err)
        err = tcp_listen(&s->listener, s->loop, s->conf.host, s->conf.port, on_accept, s, why);
    return err;
}

enum err smsc_new(struct smsc **out, struct loop *loop, const struct smsc_conf *conf, const struct smsc_hooks *hooks,
                  void *arg, struct problem *why)
{
    struct smsc *s = calloc(1, sizeof *s);
    struct smsc_ways ways;
    if (!s)
        return ERR_NOMEM;
    *s = (struct smsc){ .conf = *conf, .hooks = hooks ? *hooks : (struct smsc_hooks){ 0 }, .arg = arg, .loop = loop };
    /* in steps of 10 microseconds: a simulator that starts again never repeats an id of its last run */
    s->last_message = (uint64_t)clock_wall_us() / 10;
    s->random = hash_u64(conf->seed);
    smsc_ways_init(&s->ways);
    enum err err = prepare(s, why);
    if (err) {
        smsc_free(s);
        return err;
    }
    ways = conf->ways ? *conf->ways : s->ways;
    s->conf.ways = NULL;
    s->first_ways = ways;
    smsc_set_ways(s, &ways);
    *out = s;
    return ERR_NONE;
}

static void accounts_free(struct smsc *s)
{
    struct str key;
    void *account;
    for (size_t at = 0; s->accounts && strmap_next(s->accounts, &at, &key, &account);)
        free(account);
    strmap_free(s->accounts);
}

void smsc_free(struct smsc *s)
{
    if (!s)
        return;
    tcp_listener_free(s->listener);
    for (struct esme *e = s->esmes; e; e = e->next)
        smsc_out_down(e);
    while (s->esmes)
        esme_free(s->esmes);
    smsc_inject_done(s);
    smsc_messages_done(s);
    smsc_out_done(s);
    loop_timer_done(&s->outage_begins);
    loop_timer_done(&s->outage_ends);
    dues_free(s->dues);
    sms_joiner_free(s->joiner);
    strmap_free(s->senders);
    strmap_free(s->messages);
    accounts_free(s);
    if (s->log_fd >= 0)
        close(s->log_fd);
    free(s);
}

uint16_t smsc_port(const struct smsc *s)
{
    return tcp_listener_port(s->listener);
}

unsigned smsc_bound(const struct smsc *s)
{
    unsigned n = 0;
    for (const struct esme *e = s->esmes; e; e = e->next)
        n += e->up;
    return n;
}

/* -- what there is --------------------------------------------------------------------------------------------------- */
static void show_bind(const struct esme *e, struct jw *w)
{
    jw_object(w, NULL);
    jw_textz(w, "systemId", e->account->system_id);
    jw_textz(w, "bind", e->bind == SMPP_bind_transceiver ? "transceiver" : e->bind == SMPP_bind_receiver ? "receiver"
                        : "transmitter");
    jw_textz(w, "peer", e->peer);
    jw_time(w, "boundAt", e->up_us);
    jw_int(w, "submits", (int64_t)e->submits);
    jw_int(w, "unanswered", e->unanswered);
    jw_int(w, "queued", e->queued);
    jw_int(w, "underWay", smpp_session_under_way(e->session));
    jw_end(w);
}

static void show_counts(const struct smsc_counts *c, struct jw *w)
{
    jw_object(w, "counts");
    jw_int(w, "accepted", (int64_t)c->accepted);
    jw_int(w, "refused", (int64_t)c->refused);
    jw_int(w, "delivered", (int64_t)c->delivered);
    jw_int(w, "undelivered", (int64_t)c->undelivered);
    jw_int(w, "receipts", (int64_t)c->receipts);
    jw_int(w, "receiptsKeptBack", (int64_t)c->receipts_kept_back);
    jw_int(w, "fromHandsets", (int64_t)c->from_handsets);
    jw_int(w, "givenUp", (int64_t)c->given_up);
    jw_int(w, "bindsRefused", (int64_t)c->binds_refused);
    jw_int(w, "cuts", (int64_t)c->cuts);
    jw_int(w, "outages", (int64_t)c->outages);
    jw_end(w);
}

void smsc_show(const struct smsc *s, struct jw *w)
{
    jw_array(w, "binds");
    for (const struct esme *e = s->esmes; e; e = e->next)
        if (e->up)
            show_bind(e, w);
    jw_end(w);
    if (s->out_until_us)
        jw_time(w, "outageUntil", s->out_until_us);
    jw_int(w, "messages", (int64_t)s->n_live);
    jw_int(w, "waiting", (int64_t)s->n_parcels);
    jw_int(w, "runs", smsc_inject_runs(s));
    show_counts(&s->counts, w);
}
