/* Addresses, and a UDP socket of a leg: bound to a port of the range, or to any. */
#include "net/rtp_loop_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

bool endpoint_of(struct endpoint *e, const char *host, uint16_t port)
{
    struct sockaddr_in  *v4 = (struct sockaddr_in *)&e->addr;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&e->addr;
    *e = (struct endpoint){ 0 };
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        e->n = sizeof *v4;
    } else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        e->n = sizeof *v6;
    }
    return e->n != 0;
}

static uint16_t endpoint_port(const struct endpoint *e)
{
    return ntohs(e->addr.ss_family == AF_INET ? ((const struct sockaddr_in *)&e->addr)->sin_port
                                              : ((const struct sockaddr_in6 *)&e->addr)->sin6_port);
}

bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    if (a->ss_family != b->ss_family)
        return false;
    if (a->ss_family == AF_INET)
        return ((const struct sockaddr_in *)a)->sin_addr.s_addr == ((const struct sockaddr_in *)b)->sin_addr.s_addr;
    return !memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr, &((const struct sockaddr_in6 *)b)->sin6_addr, 16);
}

bool same_port(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    /* the port is at the same place in both families */
    return ((const struct sockaddr_in *)a)->sin_port == ((const struct sockaddr_in *)b)->sin_port;
}

static enum err bind_port(struct rtp_loop *rl, int fd, uint16_t port, uint16_t *bound)
{
    struct endpoint e;
    if (!endpoint_of(&e, rl->host, port))
        return ERR_RANGE;
    if (bind(fd, (struct sockaddr *)&e.addr, e.n))
        return errno == EADDRINUSE ? ERR_BUSY : ERR_IO;
    if (getsockname(fd, (struct sockaddr *)&e.addr, &e.n))
        return ERR_IO;
    *bound = endpoint_port(&e);
    return ERR_NONE;
}

/* Round the range once, from where the last search ended: a port just closed rests. */
enum err bind_any(struct rtp_loop *rl, int fd, uint16_t *bound)
{
    const struct rtp_loop_conf *c = &rl->conf;
    if (!c->port_min)
        return bind_port(rl, fd, 0, bound);
    enum err err = ERR_BUSY;
    for (int tries = (c->port_max - c->port_min) / 2 + 1; tries > 0 && err == ERR_BUSY; tries--) {
        uint16_t port = rl->next_port;
        rl->next_port = port + 2 > c->port_max ? c->port_min : (uint16_t)(port + 2);
        err = bind_port(rl, fd, port, bound);
    }
    return err;
}

