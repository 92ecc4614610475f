/* tls.h - TLS over octets that somebody else carries (OpenSSL behind it): tcp.h puts it on a connection.
 *
 * A context is made once and shared by connections, from any thread; a struct tls belongs to its connection's thread.
 * 1.2 and later; a client proves the server's chain and name, always. (RFC 8446, RFC 6125) */
#pragma once
#include "base/base.h"
#include "base/buf.h"
#include "base/problem.h"

struct tls_context;
/** @param ca_pem  authorities to trust; NULL or empty: the system's  @return ERR_SYNTAX (no certificate in it), ERR_NOMEM */
MUST_USE enum err tls_context_client(struct tls_context **out, const char *ca_pem, struct problem *why);
/** @param cert_pem  the chain  @return ERR_SYNTAX, ERR_NOMEM */
MUST_USE enum err tls_context_server(struct tls_context **out, const char *cert_pem, const char *key_pem, struct problem *why);
/** Connections made from now on show this chain; those there are keep theirs. Any thread, any time. @return as tls_context_server(); then all is as it was */
MUST_USE enum err tls_context_renew(struct tls_context *c, const char *cert_pem, const char *key_pem, struct problem *why);
void tls_context_free(struct tls_context *c);
SCOPED_FREE(tls_context)

struct tls;
/** One connection. @param name  whom a client means: a DNS name or an address; NULL for a server. @return ERR_NOMEM */
MUST_USE enum err tls_new(struct tls **out, const struct tls_context *c, const char *name);
void tls_free(struct tls *t);
/** What the peer sent; none to begin with, as a client. Text is appended to `plain`, what must go back to `cipher`.
 *  @return ERR_NONE, ERR_CLOSED (the peer ended it), ERR_UNPROVEN (not whom we meant), ERR_SYNTAX (no TLS), ERR_NOMEM */
MUST_USE enum err tls_read(struct tls *t, const void *p, size_t n, struct buf *plain, struct buf *cipher);
/** Only once it is open. @return ERR_NOMEM, ERR_CLOSED */
MUST_USE enum err tls_write(struct tls *t, const void *p, size_t n, struct buf *cipher);
/** Say that nothing more comes (close_notify; RFC 8446, 6.1). Only once it is open. @return ERR_NOMEM */
MUST_USE enum err tls_end(struct tls *t, struct buf *cipher);
bool tls_is_open(const struct tls *t);      /* hands were shaken */
/** "TLSv1.3, TLS_AES_256_GCM_SHA384", or why it failed; lives as long as t. */
const char *tls_words(struct tls *t);
