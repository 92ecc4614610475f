#include "edge/api/http_worker.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "domain/control.h"
#include "edge/api/api.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>

METRIC_COUNTER(requests, "carterfone_http_requests_total", "Requests answered");
METRIC_COUNTER(answers_2xx, "carterfone_http_answers_2xx_total", "Answers of status 200 to 299");
METRIC_COUNTER(answers_4xx, "carterfone_http_answers_4xx_total", "Answers of status 400 to 499");
METRIC_COUNTER(answers_5xx, "carterfone_http_answers_5xx_total", "Answers of status 500 to 599");
METRIC_COUNTER(took_us, "carterfone_http_request_duration_us_total", "Microseconds between first line and answer sent");
METRIC_COUNTER(full_inbox, "carterfone_http_inbox_full_total", "Requests refused because control's inbox was full");
METRIC_COUNTER(cut, "carterfone_http_deadlines_total", "Connections cut because they were too slow");
METRIC_GAUGE(connections, "carterfone_http_connections", "Open connections");

enum { POOL_OCTETS = 32 * 1024, DISCARD_TIMES = 8, HOLD_MIN_US = 500 * US_PER_MS, RETIRED_IDLE_US = 30 * US_PER_S,
       CROWDED_IDLE_US = US_PER_S, DESERTED_TWICE = 2 };

const struct http_server_conf *call_conf(const struct call *c)
{
    return &c->worker->srv->conf;
}

const struct http_router *call_router(const struct call *c)
{
    return c->worker->srv->router;
}

/* -- the gate: http_server_hold() keeps requests out while the parts behind are exchanged ---------------------------- */

static void gate_leave(struct call *c)
{
    struct http_server *srv = c->worker->srv;
    pthread_mutex_lock(&srv->gate_lock);
    if (c->inside) {
        c->inside = false;
        srv->n_inside--;
        pthread_cond_signal(&srv->gate_quiet);
    }
    pthread_mutex_unlock(&srv->gate_lock);
}

/* -- a call's life ------------------------------------------------------------------------------------------------- */

static void call_free(struct call *c)
{
    if (c->hc.forget)
        c->hc.forget(&c->hc);
    json_doc_free(c->doc);
    buf_done(&c->body);
    buf_done(&c->hc.out);
    arena_free(c->hc.arena);
    free(c);
}

/* Under the lock. */
static void call_unlink(struct call *c)
{
    struct worker *w = c->worker;
    if (c->prev)
        c->prev->next = c->next;
    else
        w->calls = c->next;
    if (c->next)
        c->next->prev = c->prev;
}

static struct call *call_new(struct worker *w, struct MHD_Connection *mhd, struct conn *conn, const char *uri)
{
    struct call *c = calloc(1, sizeof *c);
    struct arena *arena = arena_new();
    if (!c || !arena) {
        free(c);
        arena_free(arena);
        return NULL;
    }
    c->hc.arena = arena;
    c->hc.api = w->srv->conf.api;
    c->hc.request_id = ids_next(c->hc.api->control->ids);
    c->target = arena_str(arena, str_of(uri));
    c->worker = w;
    c->mhd = mhd;
    c->tls = w->tls;
    c->listener = conn->listener;
    c->began = clock_mono();
    c->http_claim = true;
    pthread_mutex_lock(&w->lock);
    c->next = w->calls;
    if (c->next)
        c->next->prev = c;
    w->calls = c;
    w->n_served++;
    pthread_mutex_unlock(&w->lock);
    return c;
}

/* The connection is through with the call. */
static void call_leave(struct call *c)
{
    struct worker *w = c->worker;
    pthread_mutex_lock(&w->lock);
    c->http_claim = false;
    c->mhd = NULL;
    w->n_served--;
    bool over = !c->handler_claim;      /* else it waits among w->calls for its handler's answer to nobody */
    if (over)
        call_unlink(c);
    pthread_cond_broadcast(&w->quiet);
    pthread_mutex_unlock(&w->lock);
    if (over) {
        gate_leave(c);              /* a request that ended without an answer */
        call_free(c);
    }
}

static void resume(struct worker *w, struct MHD_Connection *mhd)
{
    MHD_resume_connection(mhd);
    pthread_mutex_lock(&w->lock);
    w->n_resuming--;
    pthread_cond_broadcast(&w->quiet);
    pthread_mutex_unlock(&w->lock);
}

void call_answered(struct call *c)
{
    struct worker *w = c->worker;
    gate_leave(c);
    struct MHD_Connection *mhd = NULL;
    pthread_mutex_lock(&w->lock);
    c->answered = true;
    c->handler_claim = false;
    bool over = !c->http_claim;
    if (over)
        call_unlink(c);
    else if (c->suspended) {
        c->suspended = false;
        w->n_resuming++;
        mhd = c->mhd;
    }
    pthread_mutex_unlock(&w->lock);
    if (over)
        call_free(c);
    if (mhd)
        resume(w, mhd);
}

/* -- control's side ------------------------------------------------------------------------------------------------ */

static void on_control(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct call *c = container_of(item, struct call, item);
    struct control *control = c->hc.api->control;
    control->request = c->hc.request_id;
    enum err err = c->route->run(&c->hc);
    control->request = 0;
    if (err)
        http_fail(&c->hc, err);
}

static void on_control_gone(struct inbox_item *item)
{
    http_fail(&container_of(item, struct call, item)->hc, ERR_CLOSED);
}

static const struct inbox_kind call_kind = { "http call", on_control, on_control_gone };

/* -- the http thread's side ---------------------------------------------------------------------------------------- */

static struct conn *conn_of(struct MHD_Connection *mhd)
{
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void conn_until(struct conn *conn, int64_t wait_us, enum conn_phase phase)
{
    conn->until_us = wait_us == INT64_MAX ? INT64_MAX : clock_mono().us + wait_us;
    conn->phase = (int)phase;
}

struct header_walk {
    struct call *c;
    size_t       max;
};

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_n,
                                 const char *value, size_t value_n)
{
    (void)kind;
    struct header_walk *walk = cls;
    struct call *c = walk->c;
    if (c->n_headers == walk->max)
        return MHD_NO;
    struct header *h = &c->headers[c->n_headers++];
    h->name = arena_str(c->hc.arena, (struct str){ name, name_n });
    h->value = arena_str(c->hc.arena, (struct str){ value ? value : "", value ? value_n : 0 });
    return MHD_YES;
}

/* Copied: the handler may look at them after the connection has gone. */
static bool copy_headers(struct call *c, const char *method)
{
    int n = MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, NULL, NULL);
    struct header_walk walk = { c, n > 0 ? (size_t)n : 0 };
    c->hc.method = arena_str(c->hc.arena, str_of(method)).p;
    c->headers = arena_array(c->hc.arena, walk.max + 1, sizeof *c->headers);
    if (!c->hc.method || !c->headers || !c->target.p)
        return false;
    MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, on_header, &walk);
    return true;
}

static void add_header(struct MHD_Response *r, const char *name, const char *value)
{
    (void)!MHD_add_response_header(r, name, value);     /* refuses what is no header value; then it stays unsaid */
}

static void add_headers(struct MHD_Response *r, struct call *c)
{
    char guid[GUID_SIZE];
    struct str theirs = call_header(c, STR("x-ms-client-request-id"));
    ids_guid(c->hc.api->control->ids, ID_REQUEST, c->hc.request_id, guid);
    add_header(r, "x-ms-request-id", guid);
    if (theirs.n && theirs.n <= 256)
        add_header(r, "x-ms-client-request-id", theirs.p);
    if (c->worker->srv->draining || c->worker->retired || c->last)
        add_header(r, "Connection", "close");
    if (c->forced) {
        add_header(r, "Content-Type", "application/json; charset=utf-8");
        return;
    }
    if (c->hc.out.n)
        add_header(r, "Content-Type", c->content_type);
    c->hc.out.n = 0;
    for (const struct answer_header *h = c->answers; h; h = h->next)
        add_header(r, h->name.p, h->value.p);
}

static struct MHD_Response *make_response(struct call *c)
{
    static char stopping[] = "{\"error\":{\"code\":\"ServiceUnavailable\",\"message\":\"The server is stopping.\"}}";
    if (c->forced)
        return MHD_create_response_from_buffer(sizeof stopping - 1, stopping, MHD_RESPMEM_PERSISTENT);
    if (!c->hc.out.n)
        return MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *r = MHD_create_response_from_buffer(c->hc.out.n, c->hc.out.p, MHD_RESPMEM_MUST_FREE);
    if (r)
        c->hc.out = (struct buf){ .n = c->hc.out.n };   /* the bytes are MHD's now; n stays for the log */
    return r;
}

static enum MHD_Result send_answer(struct call *c)
{
    if ((c->dropped || c->answer_dropped) && !c->forced)
        return MHD_NO;                  /* a fault: the connection ends */
    /* forced: the handler may be writing its answer this moment; nothing of it is touched */
    int status = c->forced ? 503 : c->status;
    struct MHD_Response *r = make_response(c);
    c->stage = CALL_SENT;
    if (!r)
        return MHD_NO;
    add_headers(r, c);
    enum MHD_Result queued = MHD_queue_response(c->mhd, (unsigned)status, r);
    MHD_destroy_response(r);
    conn_until(conn_of(c->mhd), c->worker->srv->conf.answer_us, CONN_ANSWERING);
    return queued;
}

/* -- refusals that wait: whoever guesses keys is slowed, whoever is right is not ----------------------------------- */

static void on_held_back(void *owner, struct inbox_item *item)
{
    struct http_server *srv = owner;
    struct call *c = container_of(item, struct call, item);
    c->held_next = srv->held_back;
    srv->held_back = c;
}

static void on_held_dropped(struct inbox_item *item)
{
    (void)item;                         /* the call is in its worker's list, and ends with it */
}
static const struct inbox_kind held_kind = { "held refusal", on_held_back, on_held_dropped };

void refusals_release(struct http_server *srv, int64_t now_us)
{
    struct call **at = &srv->held_back;
    while (*at) {
        struct call *c = *at;
        if (c->held_until.us > now_us) {
            at = &c->held_next;
            continue;
        }
        *at = c->held_next;
        call_answered(c);
    }
}

/* @return false: the worker ends, and nobody would wake it (MHD aborts when it is stopped with a sleeper) */
static bool sleep_now(struct call *c)
{
    struct worker *w = c->worker;
    c->stage = CALL_WAIT;
    conn_until(conn_of(c->mhd), INT64_MAX, CONN_ANSWERING);
    pthread_mutex_lock(&w->lock);
    bool sleeps = c->suspended = !w->ending;
    pthread_mutex_unlock(&w->lock);
    if (sleeps)
        MHD_suspend_connection(c->mhd);
    return sleeps;
}

/* @return true: it sleeps, and is answered later */
static bool hold_back(struct call *c)
{
    struct http_server *srv = c->worker->srv;
    int64_t wait_us = 0;
    pthread_mutex_lock(&srv->refusals_lock);
    bool hold = throttle_take(srv->refusals, clock_mono(), &wait_us) && !srv->no_holding && sleep_now(c);
    if (hold) {
        c->held_until.us = clock_mono().us + (wait_us > HOLD_MIN_US ? wait_us : HOLD_MIN_US);
        c->item.kind = &held_kind;
        if (inbox_post(loop_inbox(srv->loop), &c->item))
            call_answered(c);           /* too many are held already: at once, then */
    }
    pthread_mutex_unlock(&srv->refusals_lock);
    return hold;
}

/* A fault wants the request to wait before its handler hears of it. @return false: it cannot */
static bool delay(struct call *c)
{
    struct http_server *srv = c->worker->srv;
    pthread_mutex_lock(&srv->refusals_lock);
    bool may = !srv->no_holding;
    if (may) {
        sleep_now(c);
        c->held_until.us = clock_mono().us + c->delay_us;
        c->item.kind = &held_kind;
        if (inbox_post(loop_inbox(srv->loop), &c->item))
            call_answered(c);           /* too many are held already */
    }
    pthread_mutex_unlock(&srv->refusals_lock);
    return may;
}

/* -- to control ---------------------------------------------------------------------------------------------------- */

/* Give the call to control. The connection sleeps before the post: the answer may come before this returns. */
static enum MHD_Result ask_control(struct call *c)
{
    c->item.kind = &call_kind;
    c->handler_claim = true;
    if (!sleep_now(c)) {
        c->handler_claim = false;
        c->forced = true;
        return send_answer(c);
    }
    if (inbox_post(control_inbox(c->hc.api->control), &c->item)) {
        metric_add(&full_inbox, 1);
        http_fail(&c->hc, ERR_BUSY);    /* resumes; the answer goes out on the next turn */
    }
    return MHD_YES;
}

/* @return false: it waits, and comes again when the gate opens */
static bool gate_enter(struct call *c)
{
    struct http_server *srv = c->worker->srv;
    pthread_mutex_lock(&srv->gate_lock);
    bool in = !srv->gate_shut;
    c->at_gate = !in;
    c->inside = in;
    if (in) {
        srv->n_inside++;
    } else {
        c->held_next = srv->at_gate;
        srv->at_gate = c;
        sleep_now(c);
    }
    pthread_mutex_unlock(&srv->gate_lock);
    return in;
}

void gate_open(struct http_server *srv)
{
    pthread_mutex_lock(&srv->gate_lock);
    srv->gate_shut = false;
    struct call *c = srv->at_gate, *next;
    srv->at_gate = NULL;
    pthread_mutex_unlock(&srv->gate_lock);
    for (; c; c = next) {
        next = c->held_next;
        call_answered(c);               /* wakes it; it is asked again from the start */
    }
}

static enum MHD_Result on_whole(struct call *c)
{
    if (!gate_enter(c))
        return MHD_YES;
    if (front_whole(c))
        return c->delay_us && delay(c) ? MHD_YES : ask_control(c);
    return c->refused && hold_back(c) ? MHD_YES : send_answer(c);
}

static enum MHD_Result after_delay(struct call *c)
{
    return gate_enter(c) ? ask_control(c) : MHD_YES;
}

/* Refused without its body; it goes by the gate like every other: the records of requests are behind it. */
static enum MHD_Result on_unread(struct call *c)
{
    if (!gate_enter(c))
        return MHD_YES;
    (void)front_whole(c);
    return send_answer(c);
}

static enum MHD_Result on_head(struct call *c, const char *method, const char *version)
{
    if (!copy_headers(c, method))
        return MHD_NO;
    front_head(c);
    enum err err = front_framing(c, version);
    if (err) {
        c->last = true;
        http_fail(&c->hc, err);
        return send_answer(c);
    }
    c->stage = CALL_BODY;
    /* a body far too long is not read to its end: the refusal may be lost with the connection then */
    uint64_t length = 0;
    struct str declared = call_header(c, STR("content-length"));
    size_t max = c->worker->srv->conf.max_body;
    if (declared.n && !str_u64(declared, UINT64_MAX, &length) && length > max)
        c->too_large = true;
    c->unread = c->too_large && length > (uint64_t)max * DISCARD_TIMES;
    return c->unread ? on_unread(c) : MHD_YES;
}

static void take_body(struct call *c, const char *data, size_t n)
{
    if (c->body.n + n > c->worker->srv->conf.max_body)
        c->too_large = true;
    if (!c->too_large)
        buf_put(&c->body, data, n);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_n, void **request)
{
    (void)cls, (void)mhd, (void)url;
    struct call *c = *request;
    if (!c)
        return MHD_NO;                  /* no memory when the request began */
    switch (c->stage) {
    case CALL_HEAD:
        return on_head(c, method, version);
    case CALL_BODY:
        if (*upload_n) {
            take_body(c, upload, *upload_n);
            *upload_n = 0;
            return MHD_YES;
        }
        return on_whole(c);
    case CALL_WAIT:
        if (c->at_gate && !c->forced) {
            c->answered = false;
            return c->delayed ? after_delay(c) : c->unread ? on_unread(c) : on_whole(c);
        }
        if (c->delay_us && !c->forced) {
            c->delay_us = 0;            /* the wait that a fault wanted is over */
            c->delayed = true;
            c->answered = false;
            return after_delay(c);
        }
        return send_answer(c);
    case CALL_SENT:
        return MHD_YES;
    }
    return MHD_NO;
}

static void *on_target(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    struct worker *w = cls;
    struct conn *conn = conn_of(mhd);
    if (!conn)
        return NULL;
    conn_until(conn, w->srv->conf.request_us, CONN_READING);
    return call_new(w, mhd, conn, uri);
}

static void count_answer(int status, int64_t us)
{
    metric_add(&requests, 1);
    metric_add(&took_us, us);
    if (status >= 500)
        metric_add(&answers_5xx, 1);
    else if (status >= 400)
        metric_add(&answers_4xx, 1);
    else if (status < 300)
        metric_add(&answers_2xx, 1);
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **request,
                         enum MHD_RequestTerminationCode how)
{
    (void)cls;
    struct call *c = *request;
    if (!c)
        return;
    *request = NULL;
    struct conn *conn = conn_of(mhd);
    if (conn)
        conn_until(conn, c->worker->srv->conf.idle_us, CONN_IDLE);
    int64_t us = clock_mono().us - c->began.us;
    int status = c->forced ? 503 : c->stage == CALL_SENT ? c->status : 0;
    if (status)
        count_answer(status, us);
    if (log_wants(LOG_INFO)) {          /* the template, not the path: paths hold numbers */
        char guid[GUID_SIZE];
        ids_guid(c->hc.api->control->ids, ID_REQUEST, c->hc.request_id, guid);
        log_info("http", "%s %s %d in %lld us%s request=%s", c->hc.method ? c->hc.method : "-",
                 c->route ? c->route->path : "(no route)", status, (long long)us,
                 how == MHD_REQUEST_TERMINATED_COMPLETED_OK ? "" : ", client gone", guid);
    }
    call_leave(c);
}

/* -- connections --------------------------------------------------------------------------------------------------- */

/* Which listener took this socket? Its own address says so. */
static const struct listener *listener_of(const struct http_server *srv, int fd)
{
    struct sockaddr_storage a = { 0 };
    socklen_t n = sizeof a;
    char host[INET6_ADDRSTRLEN] = "";
    getsockname(fd, (struct sockaddr *)&a, &n);
    bool v6 = a.ss_family == AF_INET6;
    uint16_t port = http_door_port_of(&a);
    inet_ntop(a.ss_family, v6 ? (void *)&((struct sockaddr_in6 *)&a)->sin6_addr
                              : (void *)&((struct sockaddr_in *)&a)->sin_addr, host, sizeof host);
    const struct listener *found = &srv->listeners[0];
    for (size_t i = 0; i < srv->n_listeners; i++)
        if (srv->listeners[i].port == port) {
            found = &srv->listeners[i];
            if (strcmp(found->host, host) == 0)
                break;
        }
    return found;
}

static void conn_open(struct worker *w, struct MHD_Connection *mhd, void **context)
{
    struct conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        return;                         /* its requests will be refused */
    conn->worker = w;
    conn->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    conn->listener = listener_of(w->srv, conn->fd);
    conn_until(conn, w->srv->conf.head_us, CONN_NEW);
    *context = conn;
    pthread_mutex_lock(&w->lock);
    conn->next = w->conns;
    if (conn->next)
        conn->next->prev = conn;
    w->conns = conn;
    pthread_mutex_unlock(&w->lock);
    w->srv->n_conns++;
    metric_add(&connections, 1);
}

static void conn_close(struct worker *w, struct conn *conn)
{
    pthread_mutex_lock(&w->lock);
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        w->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    pthread_mutex_unlock(&w->lock);
    free(conn);
    w->srv->n_conns--;
    metric_add(&connections, -1);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        http_tls_enter(((struct worker *)cls)->certs);
        conn_open(cls, mhd, context);
    } else if (*context) {
        conn_close(cls, *context);
        *context = NULL;
    }
}

static bool is_idle(const struct conn *conn)
{
    return conn->phase == CONN_NEW || conn->phase == CONN_IDLE;
}

/* The peer closed or reset before its request was whole. MHD may miss that when it comes with the octets before it. Twice,
 * because what MHD (or TLS) has taken from the socket and not looked at yet may be the rest of the request. */
static bool is_deserted(struct conn *conn)
{
    char octet;
    if (conn->phase != CONN_NEW && conn->phase != CONN_READING)
        return false;
    ssize_t n = recv(conn->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
    bool gone = n == 0 || (n < 0 && errno == ECONNRESET);
    conn->deserted = gone ? conn->deserted + 1 : 0;
    return conn->deserted >= DESERTED_TWICE;
}

/* Others wait at the door: who has been idle for a while makes room. */
static bool is_in_the_way(const struct conn *conn, int64_t now_us)
{
    const struct http_server *srv = conn->worker->srv;
    return srv->n_conns >= srv->conf.max_connections && conn->phase == CONN_IDLE
           && conn->until_us <= now_us + srv->conf.idle_us - CROWDED_IDLE_US;
}

/* Cut who is too slow: MHD's own time-out counts idle time, which a slow drip of bytes evades. Only the socket is shut
 * down, under the lock that MHD's closing notification needs too: the descriptor cannot be another's yet. */
void worker_sweep(struct worker *w, int64_t now_us)
{
    bool draining = w->srv->draining;
    pthread_mutex_lock(&w->lock);
    for (struct conn *conn = w->conns; conn; conn = conn->next) {
        bool late = conn->until_us <= now_us;
        if (!late && !(draining && is_idle(conn)) && !is_deserted(conn) && !is_in_the_way(conn, now_us))
            continue;
        shutdown(conn->fd, SHUT_RDWR);
        conn->until_us = INT64_MAX;
        conn->phase = CONN_ANSWERING;
        if (late)
            metric_add(&cut, 1);
    }
    pthread_mutex_unlock(&w->lock);
}

void worker_enter(struct worker *w, int fd, const struct sockaddr *peer, socklen_t peer_n)
{
    if (MHD_add_connection(w->mhd, fd, peer, peer_n) != MHD_YES)
        log_warn("http", "a connection could not be taken on: %s", strerror(errno));    /* MHD has closed it */
}

/* -- a worker's life ----------------------------------------------------------------------------------------------- */

void worker_free(struct worker *w)
{
    if (w->mhd)
        MHD_stop_daemon(w->mhd);
    for (struct call *c = w->calls, *next; c; c = next) {   /* never answered, and control has gone */
        next = c->next;
        call_free(c);
    }
    http_tls_free(w->certs);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->quiet);
    free(w);
}

static size_t keep_escapes(void *cls, struct MHD_Connection *mhd, char *text)
{
    (void)cls, (void)mhd;
    return strlen(text);                /* the path is split before it is decoded; see http_route.h */
}

static void on_mhd_words(void *cls, const char *format, va_list ap)
{
    (void)cls;
    char text[256];
    vsnprintf(text, sizeof text, format, ap);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http", "%s", text);
}

static struct MHD_Daemon *daemon_start(struct worker *w, const char *cert, const char *key)
{
    struct http_server *srv = w->srv;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME
                     | MHD_USE_ITC | MHD_USE_ERROR_LOG | (cert ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)cert },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key },
        { MHD_OPTION_HTTPS_PRIORITIES, 0, "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1" },
        { w->certs ? MHD_OPTION_HTTPS_CERT_CALLBACK2 : MHD_OPTION_END, 0, w->certs ? http_tls_callback() : NULL },
        { MHD_OPTION_END, 0, NULL },
    };
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, w,
                            MHD_OPTION_EXTERNAL_LOGGER, on_mhd_words, NULL,
                            MHD_OPTION_URI_LOG_CALLBACK, on_target, w,
                            MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, w,
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, w,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_OCTETS,
                            MHD_OPTION_CONNECTION_LIMIT, srv->conf.max_connections + 64,
                            MHD_OPTION_ARRAY, cert ? tls : tls + ARRAY_LEN(tls) - 1,
                            MHD_OPTION_END);
}

enum err worker_new(struct worker **out, struct http_server *srv, const char *cert, const char *key)
{
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    w->srv = srv;
    w->tls = cert != NULL;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->quiet, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&w->lock, NULL);
    enum err err = cert && srv->conf.name_certs.make ? http_tls_new(&w->certs, cert, key, &srv->conf.name_certs) : ERR_NONE;
    w->mhd = err ? NULL : daemon_start(w, cert, key);
    if (err) {
        worker_free(w);
        return err;
    }
    if (!w->mhd) {
        worker_free(w);
        return cert ? ERR_SYNTAX : ERR_IO;
    }
    *out = w;
    return ERR_NONE;
}

/* Its idle connections get a while to be used up; each answer says that it is the last. */
void worker_retire(struct worker *w)
{
    int64_t now = clock_mono().us;
    w->retired_at.us = now;
    w->retired = true;
    pthread_mutex_lock(&w->lock);
    for (struct conn *conn = w->conns; conn; conn = conn->next)
        if (is_idle(conn) && conn->until_us > now + RETIRED_IDLE_US)
            conn->until_us = now + RETIRED_IDLE_US;
    pthread_mutex_unlock(&w->lock);
}

/* A connection that was just handed over is in nobody's list yet, so a retired worker lives a while. */
bool worker_is_over(struct worker *w)
{
    if (!w->retired || clock_mono().us < w->retired_at.us + US_PER_S)
        return false;
    pthread_mutex_lock(&w->lock);
    bool empty = !w->conns && !w->calls && !w->n_resuming;
    pthread_mutex_unlock(&w->lock);
    return empty;
}

void worker_wait_quiet(struct worker *w, int64_t until_us)
{
    for (;;) {
        worker_sweep(w, clock_mono().us);
        int64_t next = clock_mono().us + 20 * US_PER_MS;
        struct timespec at = { .tv_sec = next / US_PER_S, .tv_nsec = next % US_PER_S * 1000 };
        pthread_mutex_lock(&w->lock);
        bool over = !w->n_served && !w->n_resuming;
        if (!over)
            pthread_cond_timedwait(&w->quiet, &w->lock, &at);
        pthread_mutex_unlock(&w->lock);
        if (over || clock_mono().us >= until_us)
            return;
    }
}

/* Under the lock: a call that waits for control, now forced; NULL: none. */
static struct call *force_one(struct worker *w)
{
    struct call *c = w->calls;
    while (c && !c->suspended)
        c = c->next;
    if (c) {
        c->suspended = false;
        c->forced = true;
        w->n_resuming++;
    }
    return c;
}

/* No connection stays suspended. */
static void force_answers(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    for (struct call *c; (c = force_one(w));) {
        struct MHD_Connection *mhd = c->mhd;
        pthread_mutex_unlock(&w->lock);
        resume(w, mhd);
        pthread_mutex_lock(&w->lock);
    }
    while (w->n_resuming)
        pthread_cond_wait(&w->quiet, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

void worker_stop(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_mutex_unlock(&w->lock);
    force_answers(w);
    worker_wait_quiet(w, clock_mono().us + US_PER_S);
    MHD_stop_daemon(w->mhd);
    w->mhd = NULL;
}
