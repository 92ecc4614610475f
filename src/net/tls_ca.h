/* tls_ca.h - the server's certificate: given, or made here with a certificate authority of this machine's own.
 *
 * Any thread, at start. Files live in DATA/tls, mode 0600: ca.pem, ca.key, server.pem (leaf, then CA), server.key. Keys are
 * EC P-256; the authority lasts 10 years, the leaf 2 and is made again 30 days before its end or when a name is missing. */
#pragma once
#include "base/base.h"
#include "base/problem.h"

struct tls_pems {
    char *cert, *key;           /* PEM text, NUL-terminated: the chain and its key */
    char *ca;                   /* the authority that clients must trust; NULL when the certificate was given */
};
void tls_pems_done(struct tls_pems *pems);

/** Load what is in the folder, making what is missing, stale or does not fit together.
 *  The leaf is for localhost, *.localhost, default.localhost, 127.0.0.1, ::1 and these names (DNS or IP). OpenSSL and
 *  browsers do not honour *.localhost: give each resource's name.localhost that shall be called so.
 *  @param dir  is made when absent; NULL: keep nothing on disk
 *  @return ERR_NONE, ERR_IO, ERR_RANGE (a name), ERR_NOMEM, with `why` */
MUST_USE enum err tls_ca_ensure(const char *dir, const char *const *names, size_t n_names, struct tls_pems *out,
                                struct problem *why);
/** A certificate chain and key somebody else made. @return ERR_IO, ERR_SYNTAX (not PEM, or not of each other) */
MUST_USE enum err tls_pems_load(const char *cert_file, const char *key_file, struct tls_pems *out,
                                struct problem *why);
