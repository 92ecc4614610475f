/* http_priv.h - what the files of the HTTP edge share: a call with its private half.
 *
 * http_worker.c moves bytes for http_server.c (MHD, connections, deadlines); http_front.c decides what a request is, until
 * control has it; http_answer.c makes answers. One call belongs to its connection's http thread until it is posted to
 * control, then to the handler until it is answered, then to the http thread again; the claims say who still needs it. */
#pragma once
#include "base/inbox.h"
#include "edge/api/http.h"
#include "edge/api/http_route.h"
#include "edge/api/http_server.h"

#include <stdatomic.h>

struct worker;                          /* http_worker.h */
struct MHD_Connection;

struct header {
    struct str name, value;
};
struct answer_header {
    struct answer_header *next;
    struct str            name, value;
};

struct call {
    struct inbox_item        item;      /* to control */
    struct http_call         hc;
    /* what came; set on the http thread before control sees it */
    struct str               target;    /* raw, as signed */
    struct str               query;
    struct str               authority; /* of a target in absolute form; else empty */
    struct header           *headers;
    size_t                   n_headers;
    const struct http_route *route;     /* NULL: unknown path */
    struct http_match        match;
    enum err                 found;     /* of the route lookup */
    struct buf               body;
    bool                     too_large;
    struct json_doc         *doc;
    bool                     tls;
    const struct listener   *listener;
    struct mono              began;
    /* the answer */
    int                      status;
    const char              *content_type;
    struct answer_header    *answers;
    /* whose it is: under the worker's lock once control has it */
    struct worker           *worker;
    struct MHD_Connection   *mhd;
    struct call             *prev, *next;
    bool                     http_claim, handler_claim;
    bool                     inside;    /* counted at the gate; under its lock */
    bool                     at_gate;   /* waits there; nobody has looked at it */
    bool                     suspended; /* MHD waits for us to resume */
    bool                     forced;    /* the server stopped before the handler answered: say 503, touch nothing else */
    bool                     answered;
    bool                     refused;   /* for want of a proof: may be held back */
    bool                     dropped, answer_dropped;   /* faults: the connection ends instead of an answer */
    int64_t                  delay_us;  /* a fault: wait so long before the handler hears of it */
    bool                     delayed;   /* ... and has waited: its handler is next */
    bool                     unread;    /* its body is far too long: refused without it */
    bool                     last;      /* nobody knows where the next request would begin: the connection ends with the answer */
    struct mono              held_until;
    struct call             *held_next;
    enum { CALL_HEAD, CALL_BODY, CALL_WAIT, CALL_SENT } stage;
};
static inline struct call *call_of(struct http_call *hc)
{
    return container_of(hc, struct call, hc);
}

struct listener {
    char     host[64];
    uint16_t port;
    char     resource[64];
    bool     loopback;
};

/* http_worker.c */
const struct http_server_conf *call_conf(const struct call *c);
const struct http_router *call_router(const struct call *c);
/** The answer is ready: wake whoever sends it. Any thread; the call may be gone afterwards. */
void call_answered(struct call *c);

/* http_front.c: the http thread's part of a request. */
void front_head(struct call *c);        /* method, headers, target are known */
/** http_framing.c. After front_head().  version  "HTTP/1.1"  @return ERR_SYNTAX, ERR_UNBUILT, with hc->why: the last of its connection */
MUST_USE enum err front_framing(struct call *c, const char *version);
/** The whole body is here. True: run has to be asked on control; false: it is answered already. */
bool front_whole(struct call *c);

/* http_fault.c */
/** True: a fault has answered it, or wants its connection cut. */
bool http_fault_strikes(struct call *c);

/* http_answer.c */
struct str call_header(const struct call *c, struct str name);
int http_status_of(enum err err);
