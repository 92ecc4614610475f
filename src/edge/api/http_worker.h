/* http_worker.h - the part of the server that moves bytes, private to http_server.c and http_worker.c.
 *
 * A worker is one libmicrohttpd daemon with one thread: its connections, its calls, their deadlines. Callbacks run on that
 * thread; the rest on the thread its comment names. Workers are made and ended on the server's loop, or before and after it. */
#pragma once
#include "base/inbox.h"
#include "base/loop.h"
#include "base/throttle.h"
#include "edge/api/http_door.h"
#include "edge/api/http_priv.h"

#include <pthread.h>
#include <sys/socket.h>

struct MHD_Daemon;
enum { WORKERS_MAX = 64, THREADS_MAX = 16, LISTENS_MAX = 8 };

/* NEW until its first request line, READING to the last octet of a request, then ANSWERING, then IDLE. */
enum conn_phase { CONN_NEW, CONN_READING, CONN_ANSWERING, CONN_IDLE };

/* One connection, from MHD's notification to the next. The phase and its deadline are set by its http thread. */
struct conn {
    struct conn           *prev, *next;
    struct worker         *worker;
    const struct listener *listener;
    int                    fd;
    _Atomic int64_t        until_us;    /* INT64_MAX while the handler has the request */
    _Atomic int            phase;       /* enum conn_phase; NEW and IDLE are the first to go when we stop */
    unsigned               deserted;    /* the sweep's: how often it saw that the peer has gone */
};

/* One MHD daemon: one thread, its connections, its calls. */
struct worker {
    struct http_server *srv;
    struct MHD_Daemon  *mhd;
    bool                tls;
    struct http_tls    *certs;          /* which certificate for which name; NULL: one for all */
    _Atomic bool        retired;        /* an older certificate's: takes no new connections, ends when empty */
    struct mono         retired_at;
    pthread_mutex_t     lock;           /* conns, calls, and every call's claims */
    pthread_cond_t      quiet;          /* a call ended, or a resume is over */
    struct conn        *conns;
    struct call        *calls;
    bool                ending;         /* under the lock: no call may be put to sleep any more */
    size_t              n_served;       /* calls with http_claim */
    size_t              n_resuming;     /* resumes under way in other threads */
};

struct http_server {
    struct http_server_conf conf;
    struct http_router     *router;
    struct listener         listeners[LISTENS_MAX];
    size_t                  n_listeners;
    struct worker          *workers[WORKERS_MAX];
    size_t                  n_workers;
    struct worker          *plain[THREADS_MAX], *tls[THREADS_MAX];
    size_t                  n_plain, n_tls, next_plain, next_tls;
    pthread_mutex_t         refusals_lock;
    struct throttle        *refusals;   /* under the lock: how many 401 may leave at once */
    bool                    no_holding; /* under the lock: the loop ends, nothing may be posted to it */
    struct call            *held_back;  /* the loop's: refusals that wait, latest first */
    pthread_mutex_t         gate_lock;
    pthread_cond_t          gate_quiet; /* somebody left */
    bool                    gate_shut;  /* under gate_lock, as the two below: requests wait before they are looked at */
    size_t                  n_inside;   /* requests that somebody looks at */
    struct call            *at_gate;    /* the latest first */
    struct loop            *loop;       /* the door and the sweep */
    struct http_door       *door;
    struct loop_timer       sweep;
    char                   *pem[3];     /* copies: certificate, key, CA */
    _Atomic unsigned        n_conns;
    _Atomic bool            draining;
    bool                    started;
};

/** @param cert  PEM; NULL: plain HTTP  @return ERR_SYNTAX (certificate or key), ERR_IO, ERR_NOMEM */
MUST_USE enum err worker_new(struct worker **out, struct http_server *srv, const char *cert, const char *key);
/** Ends the daemon if it runs still; no connection may be suspended. */
void worker_free(struct worker *w);
/** The socket is the worker's, or closed. The loop's thread. */
void worker_enter(struct worker *w, int fd, const struct sockaddr *peer, socklen_t peer_n);
/** Cut who is too slow, who left in the middle of a request, and who is idle while the server stops or is full. */
void worker_sweep(struct worker *w, int64_t now_us);
/** Take no more connections, tell the open ones that their next answer is the last. */
void worker_retire(struct worker *w);
/** Retired, and nothing is left of it? */
bool worker_is_over(struct worker *w);
/** Wait until nobody is being served or the time is over, cutting idle connections meanwhile. */
void worker_wait_quiet(struct worker *w, int64_t until_us);
/** Whoever still waits for control gets 503, and its handler answers nobody. Then end the daemon. */
void worker_stop(struct worker *w);

/** Let in whoever waits at the gate, and everybody from now on. */
void gate_open(struct http_server *srv);

/* Refusals that are held back: the loop's. */
void refusals_release(struct http_server *srv, int64_t now_us);
