/* courier.h - what the domain asks of the outside HTTP client (webhooks, call callbacks, prompt downloads).
 *
 * The courier lives on the `hooks` thread: ops post there and return at once. The outcome comes by the `done` function,
 * called on the hooks thread exactly once per accepted request; it posts to control's inbox.
 * A batch of events is one request: the asker renders and brackets it, at most 1 MiB (events_priv.h). The courier looks into
 * neither body nor headers, and logs neither: headers may carry a subscriber's secrets. */
#pragma once
#include "base/base.h"

enum { COURIER_HEADERS_MAX = 16 };

struct courier_outcome {
    uint64_t   id;
    enum err   err;             /* ERR_NONE: an HTTP answer came; ERR_IO, ERR_TIMEOUT, ERR_FORBIDDEN (target rule), ERR_SIZE */
    int        status;          /* HTTP status when err is ERR_NONE */
    char       words[160];      /* what went wrong, for explain */
    struct str body;            /* borrowed during the call, at most max_body octets */
    struct str allowed_origin;  /* the answer's WebHook-Allowed-Origin, for the CloudEvents handshake */
    int64_t    took_us;         /* from its start, not from when it was posted, to the answer or the end of the attempt */
};

struct courier_request {
    uint64_t    id;             /* the asker's */
    const char *method;         /* "POST", "GET", "OPTIONS" */
    struct str  url;            /* copied, as all below */
    struct str  body;
    struct str  headers[COURIER_HEADERS_MAX];   /* "Name: value"; unused ones empty */
    struct str  token_for;      /* empty: none. The audience of a bearer token that the courier signs when the request starts */
    int64_t     timeout_us;
    size_t      max_body;       /* answers longer than this give ERR_SIZE */
    void      (*done)(void *arg, const struct courier_outcome *outcome);
    void       *arg;
};

struct courier_ops {
    /** @return ERR_NONE; ERR_BUSY: too many wait; ERR_NOMEM */
    enum err (*send)(void *courier, const struct courier_request *rq);
};
