#include "net/http_client.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#include <curl/curl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECT_MS_MAX = 10000, KEPT_CONNECTIONS = 128, HEADERS_OCTETS_MAX = 65536 };

struct http_client_site {
    CURLSH *share;                      /* TLS sessions: an easy handle, which lives for one request, has none of its own */
};

struct exchange {
    struct exchange        *prev, *next;
    struct http_client     *client;
    struct http_client_ask  ask;
    CURL                   *easy;
    struct curl_slist      *headers;
    struct buf              body, header;
    size_t                  headers_octets;
    bool                    forbidden, too_large, no_memory, has_header, tls, asked;
    struct mono             began;
    char                    words[CURL_ERROR_SIZE];
};

/* A socket of curl's that the loop watches. Ours are made when they are opened, where a refusal ends one transfer; a
 * failure in curl's socket callback would end them all. */
struct sock {
    struct http_client *client;
    struct loop_io      io;
    curl_socket_t       fd;
    bool                ours;           /* else a pipe of curl's resolver: it has a timer as well */
};

struct http_client {
    struct loop            *loop;
    struct http_client_conf conf;
    char                   *ca_pem;
    bool                    trust_extra;
    CURLM                  *multi;
    struct loop_timer       timer;
    struct exchange        *exchanges;
    struct sock           **socks;          /* by descriptor */
    size_t                  socks_room;
    size_t                  n;
};

/* -- curl's sockets and timer on our loop -------------------------------------------------------------------------- */

static void collect(struct http_client *c);

static void on_ready(void *arg, bool readable, bool writable)
{
    struct sock *s = arg;               /* may be gone after the action */
    struct http_client *c = s->client;
    int running;
    curl_multi_socket_action(c->multi, s->fd, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0),
                             &running);
    collect(c);
}

static void sock_free(struct sock *s)
{
    s->client->socks[s->fd] = NULL;
    loop_io_done(&s->io);
    free(s);
}

static enum err socks_reach(struct http_client *c, curl_socket_t fd)
{
    size_t room = c->socks_room ? c->socks_room : 64;
    if ((size_t)fd < c->socks_room)
        return ERR_NONE;
    while (room <= (size_t)fd)
        room *= 2;
    struct sock **more = realloc(c->socks, room * sizeof *more);
    if (!more)
        return ERR_NOMEM;
    memset(more + c->socks_room, 0, (room - c->socks_room) * sizeof *more);
    c->socks = more;
    c->socks_room = room;
    return ERR_NONE;
}

static struct sock *sock_new(struct http_client *c, curl_socket_t fd, bool ours)
{
    struct sock *s = calloc(1, sizeof *s);
    if (!s || socks_reach(c, fd) || loop_io_init(c->loop, &s->io, fd, on_ready, s)) {
        free(s);
        return NULL;
    }
    s->client = c;
    s->fd = fd;
    s->ours = ours;
    c->socks[fd] = s;
    return s;
}

static struct sock *sock_find(const struct http_client *c, curl_socket_t fd)
{
    return (size_t)fd < c->socks_room ? c->socks[fd] : NULL;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
    (void)easy;
    struct http_client *c = arg;
    struct sock *s = assigned ? assigned : sock_find(c, fd);
    if (what == CURL_POLL_REMOVE) {
        curl_multi_assign(c->multi, fd, NULL);
        if (s && s->ours)
            loop_io_watch(&s->io, false, false);    /* kept alive, perhaps; on_close() ends it */
        else if (s)
            sock_free(s);
        return 0;
    }
    if (!s && !(s = sock_new(c, fd, false)))
        return 0;
    curl_multi_assign(c->multi, fd, s);
    loop_io_watch(&s->io, what & CURL_POLL_IN, what & CURL_POLL_OUT);
    return 0;
}

static int on_close(void *arg, curl_socket_t fd)
{
    struct sock *s = sock_find(arg, fd);
    if (s)
        sock_free(s);
    return close(fd);
}

static int on_timer_change(CURLM *multi, long wait_ms, void *arg)
{
    (void)multi;
    struct http_client *c = arg;
    if (wait_ms < 0)
        loop_timer_stop(&c->timer);
    else
        loop_timer_start(&c->timer, (int64_t)wait_ms * US_PER_MS);
    return 0;
}

static void on_timer(void *arg)
{
    struct http_client *c = arg;
    int running;
    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(c);
}

/* -- an exchange --------------------------------------------------------------------------------------------------- */

static void exchange_free(struct exchange *x)
{
    struct http_client *c = x->client;
    if (x->prev)
        x->prev->next = x->next;
    else
        c->exchanges = x->next;
    if (x->next)
        x->next->prev = x->prev;
    c->n--;
    curl_multi_remove_handle(c->multi, x->easy);
    curl_easy_cleanup(x->easy);
    curl_slist_free_all(x->headers);
    buf_done(&x->body);
    buf_done(&x->header);
    free(x);
}

static enum err err_of(const struct exchange *x, CURLcode code)
{
    if (x->forbidden)
        return ERR_FORBIDDEN;
    if (x->too_large)
        return ERR_SIZE;
    if (code && (x->no_memory || x->body.bad))
        return ERR_NOMEM;
    switch (code) {
    case CURLE_OK:                    return ERR_NONE;
    case CURLE_OPERATION_TIMEDOUT:    return ERR_TIMEOUT;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:  return x->asked ? ERR_IO : ERR_SYNTAX;    /* asked: the answer is no HTTP */
    case CURLE_OUT_OF_MEMORY:         return ERR_NOMEM;
    default:                          return ERR_IO;    /* refused, reset, not TLS, not HTTP, not trusted: see the words */
    }
}

static void finish(struct exchange *x, enum err err, CURLcode code)
{
    struct http_client_answer a = { .err = err, .took_us = clock_mono().us - x->began.us };
    long status = 0;
    if (!err) {
        curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
        a.status = (int)status;
        a.body = buf_str(&x->body);
        if (x->has_header)
            a.header = buf_str(&x->header);
    } else if (err == ERR_FORBIDDEN) {
        snprintf(a.words, sizeof a.words, "the address may not be called: it is local or not public, or not https");
    } else if (err == ERR_SIZE) {
        if (x->headers_octets > HEADERS_OCTETS_MAX)
            snprintf(a.words, sizeof a.words, "the answer has more than %d octets of headers", HEADERS_OCTETS_MAX);
        else
            snprintf(a.words, sizeof a.words, "the answer is longer than %zu octets", x->ask.max_body);
    } else if (err == ERR_CLOSED) {
        snprintf(a.words, sizeof a.words, "the server is stopping");
    } else {
        snprintf(a.words, sizeof a.words, "%.150s", x->words[0] ? x->words : curl_easy_strerror(code));
    }
    x->ask.done(x->ask.arg, &a);
    exchange_free(x);
}

static void collect(struct http_client *c)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left));) {
        struct exchange *x = NULL;
        CURLcode code = m->data.result;     /* m itself does not outlive the next call */
        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x);
        finish(x, err_of(x, code), code);
    }
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct exchange *x = arg;
    n *= size;
    if (x->body.n + n > x->ask.max_body) {
        x->too_large = true;
        return 0;
    }
    buf_put(&x->body, bytes, n);
    return x->body.bad ? 0 : n;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
    struct exchange *x = arg;
    struct str name, value;
    x->headers_octets += n * size;
    if (x->headers_octets > HEADERS_OCTETS_MAX) {
        x->too_large = true;
        return 0;
    }
    if (x->ask.wanted_header && str_cut((struct str){ bytes, n * size }, ':', &name, &value)
        && str_eq_nocase(name, str_of(x->ask.wanted_header))) {
        buf_clear(&x->header);
        buf_puts(&x->header, str_trim(value));
        x->has_header = true;
    }
    return n * size;
}

/* Each address the name resolved to, before a connection to it is tried. */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    (void)purpose;
    struct exchange *x = arg;
    const struct http_client_conf *conf = &x->client->conf;
    x->asked = true;
    char address[64] = "";
    getnameinfo(&to->addr, to->addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST);
    if (conf->may_connect && !conf->may_connect(conf->arg, address, x->tls)) {
        x->forbidden = true;
        return CURL_SOCKET_BAD;
    }
    x->forbidden = false;               /* an earlier address was refused, this one is not */
    int fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    if (fd >= 0 && !sock_new(x->client, fd, true)) {
        x->no_memory = true;
        close(fd);
        return CURL_SOCKET_BAD;
    }
    return fd;
}

/* A kept connection may have been opened under other rules. */
static int on_before_request(void *arg, char *address, char *own_address, int port, int own_port)
{
    (void)own_address, (void)port, (void)own_port;
    struct exchange *x = arg;
    const struct http_client_conf *conf = &x->client->conf;
    if (!conf->may_connect || conf->may_connect(conf->arg, address, x->tls))
        return CURL_PREREQFUNC_OK;
    x->forbidden = true;
    return CURL_PREREQFUNC_ABORT;
}

static bool add_header(struct exchange *x, const char *line)
{
    struct curl_slist *more = curl_slist_append(x->headers, line);
    if (more)
        x->headers = more;
    return more != NULL;
}

static void set_method(CURL *e, const struct http_client_ask *ask)
{
    if (ask->body.n || strcmp(ask->method, "POST") == 0) {
        curl_easy_setopt(e, CURLOPT_POST, 1L);
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.n);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, ask->body.n ? ask->body.p : "");
    }
    if (strcmp(ask->method, "HEAD") == 0)
        curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    else if (strcmp(ask->method, "GET") && strcmp(ask->method, "POST"))
        curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, ask->method);
}

static void set_limits(CURL *e, const struct http_client_ask *ask)
{
    long ms = (long)(ask->timeout_us / US_PER_MS);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, ms > 0 ? ms : 1L);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, ms > 0 && ms < CONNECT_MS_MAX ? ms : (long)CONNECT_MS_MAX);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_PROXY, "");             /* not the environment's: the target rules would be void */
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);        /* a name server that hangs is not waited for */
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, 60L);
}

static void set_trust(CURL *e, const struct http_client *c)
{
    /* the folder is looked into by name, one file a chain; the bundle would be parsed anew for each connection */
    curl_easy_setopt(e, CURLOPT_CAPATH, c->conf.ca_dir);
    curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
    if (c->ca_pem && c->trust_extra) {
        struct curl_blob blob = { c->ca_pem, strlen(c->ca_pem), CURL_BLOB_NOCOPY };
        curl_easy_setopt(e, CURLOPT_CAINFO_BLOB, &blob);
    }
    curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

static void set_callbacks(struct exchange *x)
{
    CURL *e = x->easy;
    curl_easy_setopt(e, CURLOPT_PRIVATE, x);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->words);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, x);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, x->client);    /* a connection outlives its first exchange */
    curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_before_request);
    curl_easy_setopt(e, CURLOPT_PREREQDATA, x);
}

enum err http_client_begin(struct http_client *c, const struct http_client_ask *ask)
{
    struct exchange *x = calloc(1, sizeof *x);
    if (!x)
        return ERR_NOMEM;
    x->client = c;
    x->ask = *ask;
    x->began = clock_mono();
    x->tls = str_starts(str_of(ask->url), STR("https:"));
    x->easy = curl_easy_init();
    bool good = x->easy && add_header(x, "Expect:");    /* no waiting for 100 before a long body */
    for (size_t i = 0; good && ask->headers && ask->headers[i]; i++)
        good = add_header(x, ask->headers[i]);
    if (good) {
        set_callbacks(x);
        set_method(x->easy, ask);
        set_limits(x->easy, ask);
        set_trust(x->easy, c);
        if (ask->site)
            curl_easy_setopt(x->easy, CURLOPT_SHARE, ask->site->share);
        good = !curl_easy_setopt(x->easy, CURLOPT_URL, ask->url)
               && !curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers)
               && !curl_multi_add_handle(c->multi, x->easy);
    }
    if (!good) {
        curl_easy_cleanup(x->easy);
        curl_slist_free_all(x->headers);
        free(x);
        return ERR_NOMEM;
    }
    x->next = c->exchanges;
    if (x->next)
        x->next->prev = x;
    c->exchanges = x;
    c->n++;
    return ERR_NONE;
}

/* -- the client ---------------------------------------------------------------------------------------------------- */

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static enum err set_up(struct http_client *c)
{
    c->multi = curl_multi_init();
    if (!c->multi || loop_timer_init(c->loop, &c->timer, on_timer, c))
        return ERR_NOMEM;
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)(c->conf.kept ? c->conf.kept : KEPT_CONNECTIONS));
    curl_multi_setopt(c->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return ERR_NONE;
}

enum err http_client_new(struct http_client **out, struct loop *loop, const struct http_client_conf *conf)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    struct http_client *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->loop = loop;
    c->conf = *conf;
    if (!c->conf.ca_dir)
        c->conf.ca_dir = "/etc/ssl/certs";
    c->trust_extra = true;
    c->ca_pem = conf->extra_ca_pem.n ? strndup(conf->extra_ca_pem.p, conf->extra_ca_pem.n) : NULL;
    enum err err = conf->extra_ca_pem.n && !c->ca_pem ? ERR_NOMEM : set_up(c);
    if (err)
        http_client_free(c);
    else
        *out = c;
    return err;
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    for (struct exchange *x = c->exchanges, *next; x; x = next) {
        next = x->next;
        finish(x, ERR_CLOSED, CURLE_OK);
    }
    if (c->multi)
        curl_multi_cleanup(c->multi);
    for (size_t fd = 0; fd < c->socks_room; fd++)       /* none of ours: curl has closed them */
        if (c->socks[fd])
            sock_free(c->socks[fd]);
    free(c->socks);
    loop_timer_done(&c->timer);
    free(c->ca_pem);
    free(c);
}

void http_client_trust_extra(struct http_client *c, bool trusted)
{
    c->trust_extra = trusted;
}

size_t http_client_count(const struct http_client *c)
{
    return c->n;
}

/* -- what is remembered of a place ---------------------------------------------------------------------------------- */

struct http_client_site *http_client_site_new(void)
{
    struct http_client_site *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->share = curl_share_init();
    if (!s->share || curl_share_setopt(s->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION)) {
        http_client_site_free(s);
        return NULL;
    }
    return s;                           /* one thread: no locks */
}

void http_client_site_free(struct http_client_site *s)
{
    if (!s)
        return;
    curl_share_cleanup(s->share);
    free(s);
}
