/* tcp.h - a non-blocking TCP connection and listener on a loop.
 *
 * Thread: the loop's. What is sent in one turn of the loop leaves in one system call at the start of the next. Every
 * callback may free the connection it came from. */
#pragma once
#include "base/base.h"
#include "base/problem.h"

struct loop;
struct tcp_conn;
struct tcp_listener;
struct tls_context;

enum { TCP_UNSENT_MAX = 1 << 20 };      /* a peer that does not read is let go beyond this */

struct tcp_ops {
    void (*on_open)(void *arg);         /* connected; not called for adopted sockets */
    /** @return how many octets were used; the others come again, with more behind them */
    size_t (*on_bytes)(void *arg, const uint8_t *p, size_t n);
    /** Once: ERR_CLOSED (the peer ended it), ERR_ABSENT (no such host), ERR_IO, ERR_SIZE (see TCP_UNSENT_MAX). */
    void (*on_gone)(void *arg, enum err why);
};

/** Callbacks come later, never from inside. @return ERR_NONE, ERR_NOMEM, ERR_IO */
MUST_USE enum err tcp_connect(struct tcp_conn **out, struct loop *loop, const char *host, uint16_t port,
                              const struct tcp_ops *ops, void *arg);
/** Take over an accepted socket; it is closed on error too. @return ERR_NONE, ERR_NOMEM, ERR_IO */
MUST_USE enum err tcp_adopt(struct tcp_conn **out, struct loop *loop, int fd, const struct tcp_ops *ops, void *arg);
/** The same under TLS; on_open comes when hands were shaken. on_gone may say ERR_UNPROVEN, ERR_SYNTAX (net/tls.h).
 *  @param tls  outlives the connection  @param name  whom we mean; NULL: the host */
MUST_USE enum err tcp_connect_tls(struct tcp_conn **out, struct loop *loop, const char *host, uint16_t port,
                                  const struct tls_context *tls, const char *name, const struct tcp_ops *ops, void *arg);
/** Nothing may be sent before the peer said something. */
MUST_USE enum err tcp_adopt_tls(struct tcp_conn **out, struct loop *loop, int fd, const struct tls_context *tls,
                                const struct tcp_ops *ops, void *arg);
/** Version and cipher, or why it failed; NULL: no TLS. */
const char *tcp_tls_words(struct tcp_conn *c);
/** The system's words for what ended it (ERR_IO); static. NULL: nothing of that kind did. */
const char *tcp_os_words(const struct tcp_conn *c);
/** Copies. Nothing happens on a connection that is gone. */
void tcp_send(struct tcp_conn *c, const void *p, size_t n);
/** Send what is waiting now, as far as the peer takes it: before tcp_free(), for a last word. */
void tcp_flush(struct tcp_conn *c);
void tcp_free(struct tcp_conn *c);
/** Read nothing more until told to go on: what the peer sends waits in its own buffers. That the peer has gone is heard
 *  after going on, too. What was left of the last octets comes again then. */
void tcp_pause(struct tcp_conn *c, bool paused);

/** `peer` is "address:port" of the other end; the socket is the callback's to keep (tcp_adopt) or close. */
typedef void tcp_accept_fn(void *arg, int fd, const char *peer);
/** @param port 0: a free one  @return ERR_NONE, ERR_CONFLICT (the port is in use), ERR_IO, both with `why`; ERR_NOMEM */
MUST_USE enum err tcp_listen(struct tcp_listener **out, struct loop *loop, const char *host, uint16_t port,
                             tcp_accept_fn *on_accept, void *arg, struct problem *why);
uint16_t tcp_listener_port(const struct tcp_listener *l);
void tcp_listener_free(struct tcp_listener *l);
SCOPED_FREE(tcp_listener)
