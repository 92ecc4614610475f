/* http_door.h - listening sockets: accepts, looks at the first byte, hands the socket on.
 *
 * Thread: http_door_new/free on the owner's, the rest on the loop given. A TLS client speaks first with 0x16 (RFC 8446,
 * 5.1: handshake), an HTTP client with a letter; who says nothing within the deadline is closed. */
#pragma once
#include "base/loop.h"
#include "base/problem.h"

#include <sys/socket.h>

struct http_door;
struct listener;

struct http_door_conf {
    int64_t first_byte_us;
    size_t  waiting_max;            /* sockets that have said nothing yet; more are closed at once */
    /** A socket whose first byte is here, now the callee's; on the loop's thread. */
    void  (*enter)(void *arg, int fd, bool tls, const struct sockaddr *peer, socklen_t peer_n);
    bool  (*full)(void *arg);       /* true: leave them in the kernel's queue for now */
    void   *arg;
};
/** Nothing listens yet. @return ERR_NOMEM */
MUST_USE enum err http_door_new(struct http_door **out, struct loop *loop, const struct http_door_conf *conf);
/** Bind and listen; before the loop starts. *port is the one bound, *loopback whether only this machine can reach it.
 *  @return ERR_CONFLICT (in use), ERR_ABSENT (no such host), ERR_IO, ERR_NOMEM, with `why` */
MUST_USE enum err http_door_listen(struct http_door *door, const char *host, uint16_t *port, bool *loopback,
                                   struct problem *why);
/** Begin to accept; before the loop starts. @return ERR_NOMEM, ERR_IO */
MUST_USE enum err http_door_open(struct http_door *door);
/** After the loop has stopped, before it is freed: closes all. */
void http_door_free(struct http_door *door);
SCOPED_FREE(http_door)
/** Port of an IPv4 or IPv6 address. */
uint16_t http_door_port_of(const struct sockaddr_storage *a);
