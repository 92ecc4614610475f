/* A file handed to the server by HTTP/1.1, once, on a loopback port: prompts are fetched, and a person who tries one has no
 * web server at hand. The first thread waits in poll; a peer that says no GET is turned away. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "main/ctl_priv.h"

enum { WAIT_MS = 10000 };

struct ctl_lend {
    int         fd;
    struct str  bytes;          /* in the arena */
    const char *path;
};

static int listen_somewhere(uint16_t *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          size = sizeof at;
    int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&at, size) != 0 || listen(fd, 4) != 0
        || getsockname(fd, (struct sockaddr *)&at, &size) != 0) {
        close(fd);
        return -1;
    }
    *port = ntohs(at.sin_port);
    return fd;
}

int ctl_lend_new(struct ctl *c, const char *path, struct ctl_lend **out, const char **url)
{
    int rc = ctl_find(c);
    if (rc)
        return rc;
    if (!ctl_is_local(c))
        return ctl_usage(NULL, "the server is on another machine: put %s where it can fetch it, and give the URL", path);
    struct ctl_lend *lend = arena_one(c->arena, struct ctl_lend);
    uint16_t         port;
    struct str       bytes = ctl_file(c, path);
    if (!lend || !bytes.p)
        return ctl_usage(NULL, "%s: %s", path, errno ? strerror(errno) : "cannot be read, or is over 1 MiB");
    *lend = (struct ctl_lend){ .fd = listen_somewhere(&port), .bytes = bytes, .path = path };
    if (lend->fd < 0)
        return ctl_usage(NULL, "no port to lend %s from: %s", path, strerror(errno));
    *out = lend;
    *url = arena_printf(c->arena, "http://127.0.0.1:%u/prompt.wav", port).p;
    return CTL_OK;
}

static bool send_all(int fd, struct str s)
{
    while (s.n) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        s = str_from(s, (size_t)n);
    }
    return true;
}

/* One guest. @return it asked for the file and has it */
static bool serve_guest(struct ctl *c, const struct ctl_lend *lend, int fd)
{
    struct timeval patience = { .tv_sec = 2 };
    char           head[2048];
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    ssize_t n = recv(fd, head, sizeof head, 0);
    if (n <= 0 || !str_starts((struct str){ head, (size_t)n }, STR("GET /prompt.wav ")))
        return false;
    return send_all(fd, arena_printf(c->arena, "HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: %zu\r\n"
                                               "Connection: close\r\n\r\n", lend->bytes.n))
           && send_all(fd, lend->bytes);
}

int ctl_lend_wait(struct ctl *c, struct ctl_lend *lend)
{
    int64_t end_us = clock_mono().us + (int64_t)WAIT_MS * US_PER_MS, left_us;
    while ((left_us = end_us - clock_mono().us) > 0) {
        struct pollfd ready = { .fd = lend->fd, .events = POLLIN };
        if (poll(&ready, 1, (int)(left_us / US_PER_MS) + 1) <= 0)
            continue;
        int guest = accept4(lend->fd, NULL, NULL, SOCK_CLOEXEC);
        if (guest < 0)
            continue;
        bool served = serve_guest(c, lend, guest);
        close(guest);
        if (served)
            return CTL_OK;
    }
    fprintf(stderr, "carterfone: the server did not fetch %s; `carterfone explain` on the call says why\n", lend->path);
    return CTL_REFUSED;
}

void ctl_lend_free(struct ctl_lend *lend)
{
    if (lend)
        close(lend->fd);
}
