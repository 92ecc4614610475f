#include "net/sip_stack_priv.h"
#include "base/inbox.h"
#include "base/log.h"
#include "base/map.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport_tag.h>
#include <stdio.h>

enum { INBOX_DEFAULT = 4096, CALLS_DEFAULT = 20000, T1_MS = 500, T1_MIN_MS = 5, T1_MAX_MS = 10000, T2_MS = 4000, T4_MS = 5000,
       T1_TIMES = 64, T2_TIMES = 8, T4_TIMES = 10 };
enum { MESSAGE_MAX = 65536, UDP_RMEM = 4 << 20, SHED_RETRY_S = 5, STATUS_FAILED = 500, STATUS_SHED = 503 };

/* -- sofia's own globals: its log goes to ours, once for the process ----------------------------------------------- */

static void PRINTF(2, 0) sofia_says(void *stream, char const *format, va_list ap)
{
    char line[512];
    (void)stream;
    vsnprintf(line, sizeof line, format, ap);
    log_debug("sofia", "%s", line);
}

static void sofia_setup(void)
{
    su_init();
    su_log_redirect(NULL, sofia_says, NULL);
    su_log_set_level(NULL, 1);
}

/* -- commands: any thread posts, the stack's thread looks the call up and feeds it --------------------------------- */

struct command {
    struct inbox_item item;
    uint64_t          call;
    bool              has_local;
    struct sdp_audio  local;
    int               status, q850;
};

struct invite_command {
    struct inbox_item      item;
    struct sip_invite_plan plan;
};

struct stop_command {
    struct inbox_item item;
    int               grace_ms;
};

struct run_command {
    struct inbox_item item;
    void            (*fn)(void *user, void *arg);
    void             *arg;
};

static void obey(struct sip_stack *s, struct inbox_item *item, enum sip_cue_kind kind)
{
    struct command *cmd = container_of(item, struct command, item);
    struct sip_call *c = map_find(s->by_id, cmd->call);
    if (c)
        sip_call_command(c, kind, cmd->has_local ? &cmd->local : NULL, cmd->status, cmd->q850);
    else
        atomic_fetch_add(&s->count.missed_commands, 1);
    free(cmd);
}

static void on_ring(void *owner, struct inbox_item *item)
{
    obey(owner, item, CUE_RING);
}

static void on_answer(void *owner, struct inbox_item *item)
{
    obey(owner, item, CUE_ANSWER);
}

static void on_reject(void *owner, struct inbox_item *item)
{
    obey(owner, item, CUE_REJECT);
}

static void on_hangup(void *owner, struct inbox_item *item)
{
    obey(owner, item, CUE_HANGUP);
}

static void on_abandon(void *owner, struct inbox_item *item)
{
    obey(owner, item, CUE_ABANDON);
}

static void on_invite(void *owner, struct inbox_item *item)
{
    struct invite_command *cmd = container_of(item, struct invite_command, item);
    sip_call_start(owner, &cmd->plan);
    free(cmd);
}

static void on_grace_over(su_root_magic_t *magic, su_timer_t *timer, void *arg)
{
    struct sip_stack *s = arg;
    (void)magic;
    (void)timer;
    su_root_break(s->root);
}

static void on_stop(void *owner, struct inbox_item *item)
{
    struct sip_stack *s = owner;
    int grace_ms = container_of(item, struct stop_command, item)->grace_ms;
    free(item);
    s->stopping = true;
    for (struct sip_call *c = s->calls, *next; c; c = next) {
        next = c->next;                 /* a hung-up call is freed by its timer, never here */
        sip_call_command(c, CUE_HANGUP, NULL, 0, 0);
    }
    if (!s->calls || grace_ms <= 0)
        su_root_break(s->root);
    else
        su_timer_set_interval(s->grace, on_grace_over, s, grace_ms);
}

/* nta counts what it could not parse; its numbers may be read on this thread only. */
static void on_count(void *owner, struct inbox_item *item)
{
    struct sip_stack *s = owner;
    usize_t bad = 0;
    nta_agent_get_stats(s->agent, NTATAG_S_BAD_MESSAGE_REF(bad), TAG_END());
    atomic_store(&s->count.malformed, bad);
    free(item);
}

static void on_run(void *owner, struct inbox_item *item)
{
    struct sip_stack *s = owner;
    struct run_command *cmd = container_of(item, struct run_command, item);
    cmd->fn(s->conf.user, cmd->arg);
    free(cmd);
}

static void drop_run(struct inbox_item *item)
{
    struct run_command *cmd = container_of(item, struct run_command, item);
    cmd->fn(NULL, cmd->arg);
    free(cmd);
}

static const struct inbox_kind kind_run = { "run", on_run, drop_run };
static const struct inbox_kind kind_invite = { "invite", on_invite, NULL }, kind_ring = { "ring", on_ring, NULL },
                               kind_answer = { "answer", on_answer, NULL }, kind_reject = { "reject", on_reject, NULL },
                               kind_hangup = { "hangup", on_hangup, NULL }, kind_stop = { "stop", on_stop, NULL },
                               kind_count = { "count", on_count, NULL }, kind_abandon = { "abandon", on_abandon, NULL };

static enum err command_post(struct sip_stack *s, const struct inbox_kind *kind, const struct command *what)
{
    if (atomic_load(&s->closed))
        return ERR_CLOSED;
    struct command *cmd = malloc(sizeof *cmd);
    if (!cmd)
        return ERR_NOMEM;
    *cmd = *what;
    cmd->item.kind = kind;
    inbox_post_always(s->inbox, &cmd->item);
    return ERR_NONE;
}

static struct command about(uint64_t call, const struct sdp_audio *local)
{
    struct command cmd = { .call = call, .has_local = local != NULL };
    if (local)
        cmd.local = *local;
    return cmd;
}

enum err sip_stack_ring(struct sip_stack *s, uint64_t call, const struct sdp_audio *local)
{
    struct command cmd = about(call, local);
    return command_post(s, &kind_ring, &cmd);
}

enum err sip_stack_answer(struct sip_stack *s, uint64_t call, const struct sdp_audio *local)
{
    struct command cmd = about(call, local);
    return command_post(s, &kind_answer, &cmd);
}

enum err sip_stack_reject(struct sip_stack *s, uint64_t call, int status, int q850)
{
    struct command cmd = about(call, NULL);
    cmd.status = status >= 400 && status <= 699 ? status : STATUS_FAILED;
    cmd.q850 = q850;
    return command_post(s, &kind_reject, &cmd);
}

enum err sip_stack_hangup(struct sip_stack *s, uint64_t call, int q850)
{
    struct command cmd = about(call, NULL);
    cmd.q850 = q850;
    return command_post(s, &kind_hangup, &cmd);
}

enum err sip_stack_abandon(struct sip_stack *s, uint64_t call)
{
    struct command cmd = about(call, NULL);
    return command_post(s, &kind_abandon, &cmd);
}

static bool numeric_host(const char *host)
{
    struct in6_addr any;
    return host && (inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1);
}

static enum err plan_copy(struct sip_invite_plan *p, const struct sip_invite *plan)
{
    if (!numeric_host(plan->peer.host) || !plan->peer.port || !sip_user_valid(plan->to)
        || (plan->from.n && !sip_user_valid(plan->from)) || !sip_credentials_valid(plan->user, plan->password)
        || !plan->local.port || !numeric_host(plan->local.host) || plan->context.n >= SIP_CONTEXT_SIZE)
        return ERR_RANGE;
    *p = (struct sip_invite_plan){ .call = plan->call, .port = plan->peer.port, .transport = plan->peer.transport,
                                   .local = plan->local, .ring_us = plan->ring_us };
    str_copyz(p->host, sizeof p->host, str_of(plan->peer.host));
    str_copyz(p->to, sizeof p->to, plan->to);
    str_copyz(p->from, sizeof p->from, plan->from);
    str_copyz(p->display, sizeof p->display, plan->display);
    str_copyz(p->context, sizeof p->context, plan->context);
    str_copyz(p->user, sizeof p->user, plan->user);
    str_copyz(p->password, sizeof p->password, plan->password);
    return ERR_NONE;
}

enum err sip_stack_invite(struct sip_stack *s, const struct sip_invite *plan)
{
    if (atomic_load(&s->closed))
        return ERR_CLOSED;
    struct invite_command *cmd = malloc(sizeof *cmd);
    if (!cmd)
        return ERR_NOMEM;
    cmd->item.kind = &kind_invite;
    enum err err = plan_copy(&cmd->plan, plan);
    if (!err)
        err = inbox_post(s->inbox, &cmd->item);
    if (err)
        free(cmd);
    return err;
}

enum err sip_stack_invite_here(struct sip_stack *s, const struct sip_invite *plan)
{
    struct sip_invite_plan copy;
    enum err err = plan_copy(&copy, plan);
    if (!err)
        sip_call_start(s, &copy);
    return err;
}

enum err sip_stack_run(struct sip_stack *s, void (*fn)(void *user, void *arg), void *arg)
{
    if (atomic_load(&s->closed))
        return ERR_CLOSED;
    struct run_command *cmd = malloc(sizeof *cmd);
    if (!cmd)
        return ERR_NOMEM;
    *cmd = (struct run_command){ .item.kind = &kind_run, .fn = fn, .arg = arg };
    enum err err = inbox_post(s->inbox, &cmd->item);
    if (err)
        free(cmd);
    return err;
}

void sip_stack_counts(const struct sip_stack *s, struct sip_counts *out)
{
#define COUNT(name) .name = atomic_load(&s->count.name)
    *out = (struct sip_counts){ COUNT(malformed), COUNT(unknown_dialog), COUNT(unknown_method), COUNT(shed),
                                COUNT(refused), COUNT(missed_commands), COUNT(impossible), COUNT(calls) };
#undef COUNT
    /* `malformed` is as of the last question: ask again now, for the next one */
    struct inbox_item *ask = atomic_load(&s->closed) ? NULL : malloc(sizeof *ask);
    if (ask) {
        *ask = (struct inbox_item){ .kind = &kind_count };
        inbox_post_always(s->inbox, ask);
    }
}

/* -- requests outside of calls: nta's stateless callback ----------------------------------------------------------- */

static void refuse_new(struct sip_stack *s, msg_t *msg, const struct sip_verdict *v)
{
    char reason[SIP_REASON_SIZE], wait[12];
    snprintf(wait, sizeof wait, "%d", v->retry_after_s);
    nta_msg_treply(s->agent, msg, v->status, sip_status_phrase(v->status), SIPTAG_SERVER_STR(s->conf.user_agent),
                   SIPTAG_REASON_STR(sip_reason_write(reason, v->q850)),
                   TAG_IF(v->retry_after_s, SIPTAG_RETRY_AFTER_STR(wait)), TAG_END());
}

/* What keeps an INVITE from being asked about at all. @return 0, or the status to answer */
static int unfit(const sip_t *sip, struct sdp_audio *remote)
{
    const char *type = sip->sip_content_type ? sip->sip_content_type->c_type : NULL;
    struct str body = sip_body(sip);
    if (sip->sip_require)
        return 420;
    if (body.n && type && strcasecmp(type, "application/sdp"))
        return 415;
    struct sdp *sdp = malloc(sizeof *sdp);
    if (!sdp)
        return STATUS_FAILED;
    enum err err = sdp_read(sdp, body);
    bool unread = body.n && err == ERR_SYNTAX;
    if (!err)
        err = sdp_audio_of(sdp, remote);
    free(sdp);
    /* 488 also when there is no description at all: we do not make offers in a 200 */
    return !err ? 0 : unread ? 400 : 488;
}

static void refuse_unfit(struct sip_stack *s, msg_t *msg, const sip_t *sip, int status)
{
    bool extension = status == 420;
    const char *const *wants = extension ? sip->sip_require->k_items : NULL;
    nta_msg_treply(s->agent, msg, status, status == 400 ? "Bad Session Description" : sip_status_phrase(status),
                   SIPTAG_SERVER_STR(s->conf.user_agent),
                   TAG_IF(extension && wants, SIPTAG_UNSUPPORTED_STR(wants ? wants[0] : NULL)),
                   TAG_IF(!extension, SIPTAG_ACCEPT_STR("application/sdp")),
                   TAG_IF(status == 488, SIPTAG_WARNING_STR("305 carterfone \"PCMU or PCMA over RTP/AVP is needed\"")),
                   TAG_END());
}

static bool is_anonymous(const sip_t *sip)
{
    const url_t *url = sip->sip_from->a_url;
    if ((url->url_user && !strcasecmp(url->url_user, "anonymous"))
        || (url->url_host && !strcasecmp(url->url_host, "anonymous.invalid")))
        return true;
    const sip_privacy_t *p = sip->sip_privacy;
    for (size_t i = 0; p && p->priv_values && p->priv_values[i]; i++)
        if (!strcasecmp(p->priv_values[i], "id") || !strcasecmp(p->priv_values[i], "user"))
            return true;
    return false;
}

static struct sip_verdict ask_owner(struct sip_stack *s, msg_t *msg, const sip_t *sip, const struct sdp_audio *remote)
{
    char host[SDP_HOST_SIZE], to[SIP_USER_SIZE], from[SIP_USER_SIZE], asserted[SIP_USER_SIZE], display[SIP_DISPLAY_SIZE];
    char context[SIP_CONTEXT_SIZE];
    struct sip_incoming in = { .source_host = host, .remote = *remote, .anonymous = is_anonymous(sip) };
    sip_source(msg, host, &in.source_port);
    sip_user_read(to, sip->sip_request->rq_url);
    sip_user_read(from, sip->sip_from->a_url);
    sip_asserted_read(asserted, sip);
    sip_display_read(display, sip->sip_from->a_display);
    sip_context_read(context, sip);
    in.to = str_of(to);
    in.from = str_of(from);
    in.asserted = str_of(asserted);
    in.display = str_of(display);
    in.context = str_of(context);
    return s->conf.events.on_incoming(s->conf.user, &in);
}

static void on_new_invite(struct sip_stack *s, msg_t *msg, sip_t *sip)
{
    const struct sip_verdict shed = { .status = STATUS_SHED, .retry_after_s = SHED_RETRY_S }, failed = { .status = STATUS_FAILED };
    struct sdp_audio remote;
    if (s->stopping || s->n_calls >= s->conf.calls_bound) {
        atomic_fetch_add(&s->count.shed, 1);
        refuse_new(s, msg, &shed);
        return;
    }
    int status = unfit(sip, &remote);
    if (status) {
        atomic_fetch_add(&s->count.refused, 1);
        refuse_unfit(s, msg, sip, status);
        return;
    }
    struct sip_verdict v = ask_owner(s, msg, sip, &remote);
    if (v.silent) {
        nta_msg_discard(s->agent, msg);
    } else if (v.status) {
        atomic_fetch_add(v.status == STATUS_SHED ? &s->count.shed : &s->count.refused, 1);
        refuse_new(s, msg, &v);
    } else if (map_find(s->by_id, v.call)) {
        refuse_new(s, msg, &failed);
    } else if (sip_call_take(s, v.call, msg, sip, sip_body(sip), &remote)) {
        const struct sip_end end = { .status = STATUS_FAILED, .words = err_words(ERR_NOMEM) };
        s->conf.events.on_ended(s->conf.user, v.call, &end);
    }
}

static void on_new_options(struct sip_stack *s, msg_t *msg)
{
    char host[SDP_HOST_SIZE];
    uint16_t port;
    sip_source(msg, host, &port);
    int status = s->conf.events.on_options ? s->conf.events.on_options(s->conf.user, host, port) : 200;
    nta_msg_treply(s->agent, msg, status, sip_status_phrase(status), SIPTAG_ALLOW_STR(sip_allow),
                   SIPTAG_ACCEPT_STR("application/sdp"), SIPTAG_SERVER_STR(s->conf.user_agent), TAG_END());
}

/* Everything that belongs to no transaction and no call. msg is ours to consume. */
static int on_message(struct sip_stack *s, nta_agent_t *agent, msg_t *msg, sip_t *sip)
{
    sip_method_t method = sip->sip_request ? sip->sip_request->rq_method : sip_method_invalid;
    if (!sip->sip_request || method == sip_method_ack) {
        nta_msg_discard(agent, msg);            /* late responses, ACKs to our stateless refusals */
    } else if (sip->sip_to->a_tag || method == sip_method_bye || method == sip_method_cancel) {
        atomic_fetch_add(&s->count.unknown_dialog, 1);
        nta_msg_treply(agent, msg, SIP_481_NO_CALL, SIPTAG_SERVER_STR(s->conf.user_agent), TAG_END());
    } else if (method == sip_method_invite) {
        on_new_invite(s, msg, sip);
    } else if (method == sip_method_options) {
        on_new_options(s, msg);
    } else {
        atomic_fetch_add(&s->count.unknown_method, 1);
        bool known = method != sip_method_unknown;
        nta_msg_treply(agent, msg, known ? 405 : 501, known ? sip_405_Method_not_allowed : sip_501_Not_implemented,
                       SIPTAG_ALLOW_STR(sip_allow), SIPTAG_SERVER_STR(s->conf.user_agent), TAG_END());
    }
    return 0;
}

/* -- life of a stack ----------------------------------------------------------------------------------------------- */

static int on_inbox(su_root_magic_t *magic, su_wait_t *wait, struct sip_stack *s)
{
    (void)magic;
    (void)wait;
    inbox_drain(s->inbox);
    return 0;
}

static uint16_t bound_port(const nta_agent_t *agent)
{
    const sip_via_t *via = nta_agent_via(agent);
    uint64_t port = 5060;
    if (via && via->v_port && str_u64(str_of(via->v_port), UINT16_MAX, &port))
        return 0;
    return via ? (uint16_t)port : 0;
}

static enum err agent_new(struct sip_stack *s, struct problem *why)
{
    const char *open = strchr(s->host, ':') ? "[" : "", *close = *open ? "]" : "";
    char url[SIP_URI_SIZE + SIP_NAME_SIZE], port[8];
    uint32_t t1 = s->conf.t1_ms;
    snprintf(port, sizeof port, s->conf.port ? "%u" : "*", s->conf.port);
    if (strcmp(s->host, s->advertise))
        snprintf(url, sizeof url, "sip:%s:%s;maddr=%s%s%s", s->advertise, port, open, s->host, close);
    else
        snprintf(url, sizeof url, "sip:%s%s%s:%s", open, s->host, close, port);
    s->agent = nta_agent_create(s->root, URL_STRING_MAKE(url), on_message, s, NTATAG_UA(1), NTATAG_SIP_T1(t1),
                                NTATAG_SIP_T1X64(t1 * T1_TIMES), NTATAG_SIP_T2(t1 == T1_MS ? T2_MS : t1 * T2_TIMES),
                                NTATAG_SIP_T4(t1 == T1_MS ? T4_MS : t1 * T4_TIMES), NTATAG_UDP_MTU(MESSAGE_MAX - 1),
                                NTATAG_MAXSIZE(MESSAGE_MAX), NTATAG_USE_NAPTR(0), NTATAG_USE_SRV(0),
                                NTATAG_CANCEL_487(0), TPTAG_UDP_RMEM(UDP_RMEM), TPTAG_PONG2PING(1),
                                TPTAG_STUN_SERVER(0), TAG_END());
    if (!s->agent)              /* why, nta does not keep */
        return problem_set(why, ERR_CONFLICT, "SipAddressInUse", "cannot listen for SIP on %s port %u, UDP and TCP: "
                           "it is in use, or no address of this machine", s->host, s->conf.port);
    s->port = bound_port(s->agent);
    return s->port ? ERR_NONE : problem_set(why, ERR_IO, "SipAddress", "cannot tell the SIP port");
}

static enum err root_new(struct sip_stack *s)
{
    su_wait_t wait[1] = { SU_WAIT_INIT };
    s->root = su_root_create(s);
    s->grace = s->root ? su_timer_create(su_root_task(s->root), 0) : NULL;
    if (!s->grace)
        return ERR_NOMEM;
    su_root_threading(s->root, 0);
    if (su_wait_create(wait, inbox_fd(s->inbox), SU_WAIT_IN) < 0)
        return ERR_IO;
    s->inbox_wait = su_root_register(s->root, wait, on_inbox, s, 0);
    return s->inbox_wait > 0 ? ERR_NONE : ERR_IO;
}

static enum err conf_copy(struct sip_stack *s, const struct sip_stack_conf *conf)
{
    s->conf = *conf;
    str_copyz(s->name, sizeof s->name, str_of(conf->name ? conf->name : "sip"));
    str_copyz(s->host, sizeof s->host, str_of(conf->host));
    str_copyz(s->advertise, sizeof s->advertise, str_of(conf->advertise ? conf->advertise : conf->host));
    str_copyz(s->user_agent, sizeof s->user_agent, str_of(conf->user_agent));
    s->conf.name = s->name;
    s->conf.host = s->host;
    s->conf.advertise = s->advertise;
    s->conf.user_agent = *s->user_agent ? s->user_agent : NULL;
    s->conf.t1_ms = conf->t1_ms ? conf->t1_ms : T1_MS;
    s->conf.inbox_bound = conf->inbox_bound ? conf->inbox_bound : INBOX_DEFAULT;
    s->conf.calls_bound = conf->calls_bound ? conf->calls_bound : CALLS_DEFAULT;
    const struct sip_events *e = &conf->events;
    assert(e->on_incoming && e->on_progress && e->on_answered && e->on_ended);
    return s->conf.t1_ms < T1_MIN_MS || s->conf.t1_ms > T1_MAX_MS || !numeric_host(conf->host) ? ERR_RANGE : ERR_NONE;
}

enum err sip_stack_new(struct sip_stack **out, const struct sip_stack_conf *conf, struct problem *why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, sofia_setup);
    struct sip_stack *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    enum err err = conf_copy(s, conf);
    if (err) {
        free(s);
        return problem_set(why, err, "SipAddress", "SIP needs a numeric address to listen on");
    }
    s->inbox = inbox_new(s->name, s->conf.inbox_bound, s);
    s->by_id = map_new();
    err = s->inbox && s->by_id ? root_new(s) : ERR_NOMEM;
    if (!err)
        err = agent_new(s, why);
    if (err) {
        sip_stack_free(s);
        return err;
    }
    su_root_release(s->root);           /* its thread takes it over */
    *out = s;
    return ERR_NONE;
}

/* On the thread that owns the root. */
static void end_here(struct sip_stack *s)
{
    atomic_store(&s->closed, true);
    sip_call_free_all(s);
    nta_agent_destroy(s->agent);
    s->agent = NULL;
    su_timer_destroy(s->grace);
    if (s->inbox_wait > 0)
        su_root_deregister(s->root, s->inbox_wait);
    if (s->root)
        su_root_destroy(s->root);
    s->grace = NULL;
    s->root = NULL;
}

static void *stack_thread(void *arg)
{
    struct sip_stack *s = arg;
    pthread_setname_np(pthread_self(), s->name);
    su_root_obtain(s->root);
    su_root_run(s->root);
    end_here(s);
    return NULL;
}

enum err sip_stack_start(struct sip_stack *s)
{
    if (pthread_create(&s->thread, NULL, stack_thread, s))
        return ERR_IO;
    s->running = true;
    return ERR_NONE;
}

void sip_stack_stop(struct sip_stack *s, int grace_ms)
{
    if (!s->running)
        return;
    struct stop_command *cmd = malloc(sizeof *cmd);
    assert(cmd);
    *cmd = (struct stop_command){ .item.kind = &kind_stop, .grace_ms = grace_ms };
    inbox_post_always(s->inbox, &cmd->item);
    pthread_join(s->thread, NULL);
    s->running = false;
}

void sip_stack_free(struct sip_stack *s)
{
    if (!s)
        return;
    sip_stack_stop(s, 0);
    if (s->root) {                      /* never started */
        if (s->agent)
            su_root_obtain(s->root);
        end_here(s);
    }
    map_free(s->by_id);
    inbox_free(s->inbox);
    free(s);
}

uint16_t sip_stack_port(const struct sip_stack *s)
{
    return s->port;
}
