/* http_tls.h - which certificate a TLS client gets: the one of the name it asks for (SNI, RFC 6066, 3), else the main one.
 *
 * A resource made while the server runs has a host name that the main certificate does not carry. Wildcards do not help:
 * *.localhost is right below a top-level name, which OpenSSL and browsers refuse. So a certificate for one name is made
 * when it is first asked for, and kept.
 * Thread: made and freed with its worker; the rest on the worker's own thread, which never shares it. */
#pragma once
#include "base/base.h"

/* Asked from the workers' threads. */
struct http_name_certs {
    bool  (*wanted)(void *arg, struct str host);        /* is it a name of ours? At each handshake: quick */
    /** PEM text, the callee's to free(). Once a name and worker. */
    bool  (*make)(void *arg, const char *host, char **cert, char **key);
    void   *arg;
};

struct http_tls;
/** @param cert, key  the main ones, PEM  @return ERR_NOMEM */
MUST_USE enum err http_tls_new(struct http_tls **out, const char *cert, const char *key, const struct http_name_certs *names);
void http_tls_free(struct http_tls *t);
SCOPED_FREE(http_tls)
/** From now on handshakes on this thread are answered from it. */
void http_tls_enter(struct http_tls *t);
/** The function that GnuTLS asks, for MHD_OPTION_HTTPS_CERT_CALLBACK2. */
void *http_tls_callback(void);
