/* http_client.h - outbound HTTP on a loop (libcurl behind it): many requests at once, none blocks.
 *
 * Thread: the loop it was made for. HTTP/1.1 over TCP or TLS with keep-alive, one request at a time on a connection; redirects are not followed, proxies and
 * netrc of the environment are not looked at. Whom it may call is asked of `may_connect` for each resolved address, and
 * again for each reused connection. */
#pragma once
#include "base/base.h"
#include "base/loop.h"

struct http_client;

struct http_client_conf {
    bool      (*may_connect)(void *arg, const char *address, bool tls);     /* NULL: anybody */
    void       *arg;
    struct str  extra_ca_pem;           /* trusted beside the system's store; copied; empty: none */
    const char *ca_dir;                 /* hashed certificates of the system [/etc/ssl/certs] */
    unsigned    kept;                   /* [128] connections kept for the next request, for a minute at most */
};
MUST_USE enum err http_client_new(struct http_client **out, struct loop *loop, const struct http_client_conf *conf);
/** After the loop has stopped, before it is freed. Requests under way end with ERR_CLOSED; their done()
 *  begins no other. */
void http_client_free(struct http_client *c);
SCOPED_FREE(http_client)
/** Is the extra CA trusted in connections opened from now on? True when new. */
void http_client_trust_extra(struct http_client *c, bool trusted);

struct http_client_answer {
    enum err   err;             /* ERR_NONE: an answer came; ERR_IO, ERR_TIMEOUT, ERR_FORBIDDEN, ERR_SIZE, ERR_NOMEM,
                                   ERR_SYNTAX (the URL), ERR_CLOSED (stopping) */
    int        status;
    char       words[160];      /* what went wrong */
    struct str body;            /* borrowed during the call, as is the header */
    struct str header;          /* value of the wanted header; {NULL,0}: absent */
    int64_t    took_us;
};

/* Borrowed until done() is called, which may free it. */
struct http_client_ask {
    const char        *method, *url;            /* http:// or https:// */
    struct str         body;
    const char *const *headers;                 /* "Name: value", ended by NULL */
    const char        *wanted_header;           /* NULL: none */
    int64_t            timeout_us;              /* in all, from here to the last octet, whatever the peer does meanwhile */
    size_t             max_body;                /* ERR_SIZE beyond it, or beyond 64 KiB of headers */
    struct http_client_site *site;              /* NULL: nothing is remembered */
    void             (*done)(void *arg, const struct http_client_answer *answer);
    void              *arg;
};
/** Begin. done() is called exactly once per request that was begun, later, on the loop. @return ERR_NOMEM */
MUST_USE enum err http_client_begin(struct http_client *c, const struct http_client_ask *ask);
size_t http_client_count(const struct http_client *c);

/* What is remembered of one scheme, host and port between requests: TLS sessions, which a new connection takes up again. */
struct http_client_site;
MUST_USE struct http_client_site *http_client_site_new(void);       /* NULL: out of memory */
void http_client_site_free(struct http_client_site *site);          /* no request of it is under way */
