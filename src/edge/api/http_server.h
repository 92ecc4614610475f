/* http_server.h - the API's HTTP/1.1 server: plain and TLS on the same ports, libmicrohttpd behind it.
 *
 * Thread: new, start, stop, free on the thread that owns the process; the rest inside. Its own threads: `http-door` accepts
 * and looks at the first byte, 2 x conf.threads more move bytes. Order at the end: http_server_stop() while control still
 * runs (what was accepted is answered), then stop and free control, then http_server_free(). */
#pragma once
#include "base/base.h"
#include "base/buf.h"
#include "base/problem.h"
#include "edge/api/http_tls.h"

struct app_api;
struct http_route;
struct http_server;

struct http_listen {
    const char *host;           /* an address or name; "" is every address */
    uint16_t    port;           /* 0: a free one */
    const char *resource;       /* requests here mean this resource; NULL: see keyring.h */
};

/* Zero means the default in brackets, but for the pointers. */
struct http_server_conf {
    const struct http_listen       *listens;        /* 1..8, copied */
    size_t                          n_listens;
    struct app_api                 *api;
    const struct http_route *const *tables;         /* [http_route_tables] */
    struct str                      cert_pem;       /* chain and key; empty: plain HTTP only. Copied, as is ca_pem */
    struct str                      key_pem;
    struct http_name_certs          name_certs;     /* for names that cert_pem does not carry; make NULL: none */
    struct str                      ca_pem;         /* for GET /carterfone/ca.pem; empty: 404 */
    bool                          (*ready)(void *arg, struct buf *words);   /* for /readyz, any thread; NULL: ready */
    void                           *ready_arg;
    unsigned                        threads;        /* [2] of each kind, 1..16 */
    unsigned                        max_connections;/* [4096] */
    size_t                          max_body;       /* [1 MiB] octets */
    int64_t                         head_us;        /* [15 s] from connecting to the end of the request line */
    int64_t                         request_us;     /* [30 s] from there to the last octet of the body */
    int64_t                         answer_us;      /* [60 s] to take the answer */
    int64_t                         idle_us;        /* [120 s] between requests */
    int64_t                         drain_us;       /* [10 s] for running requests at http_server_stop() */
};

/** Binds and listens; nothing is accepted yet. *out on success only.
 *  @return ERR_CONFLICT (address in use), ERR_ABSENT (no such host), ERR_RANGE, ERR_IO, ERR_NOMEM, with `why` */
MUST_USE enum err http_server_new(struct http_server **out, const struct http_server_conf *conf, struct problem *why);
/** @return ERR_SYNTAX (certificate or key), ERR_NOMEM, ERR_IO, with `why` */
MUST_USE enum err http_server_start(struct http_server *srv, struct problem *why);
/** The port of the i-th listener. */
uint16_t http_server_port(const struct http_server *srv, size_t i);
/** Any thread: another certificate for connections to come; old ones end within half a minute. A pair that does not fit is
 *  logged and the old one stays. @return ERR_NOMEM, ERR_BUSY */
MUST_USE enum err http_server_reload(struct http_server *srv, struct str cert_pem, struct str key_pem);
/** Stop accepting, let running requests finish within drain_us, answer 503 to the rest, close. Twice is fine. */
void http_server_stop(struct http_server *srv);
void http_server_free(struct http_server *srv);
SCOPED_FREE(http_server)

/* While the parts behind it are exchanged (a restore): connections stay, requests that come wait unseen. */
/** Keep requests out and wait until the asker's own is the only one that somebody looks at. Not on control.
 *  @return ERR_TIMEOUT: others are under way still; they are kept out all the same until http_server_let_go() */
MUST_USE enum err http_server_hold(struct http_server *srv, int64_t wait_us);
void http_server_let_go(struct http_server *srv);
