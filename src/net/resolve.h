/* resolve.h - a host name to an address without blocking the loop (getaddrinfo in a thread that ends by itself).
 *
 * Thread: the loop it was made with. Freeing early is fine: a look-up that is still stuck in the resolver is forgotten. */
#pragma once
#include "base/base.h"
#include "base/loop.h"

#include <sys/socket.h>

struct resolve;
struct resolve_addr {
    struct sockaddr_storage addr;
    socklen_t               n;
};
/** ERR_NONE with the first address, or ERR_ABSENT. The listener may free the look-up. */
typedef void resolve_fn(void *arg, enum err err, const struct resolve_addr *addr);

/** An address in digits, or "localhost" (127.0.0.1), needs no look-up. False: it does. */
bool resolve_at_once(const char *host, uint16_t port, struct resolve_addr *out);
/** `done` is called later, exactly once unless freed first. @return ERR_NONE, ERR_NOMEM, ERR_IO */
MUST_USE enum err resolve_start(struct resolve **out, struct loop *loop, const char *host, uint16_t port,
                                resolve_fn *done, void *arg);
void resolve_free(struct resolve *r);
