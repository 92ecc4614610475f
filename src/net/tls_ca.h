/* tls_ca.h - the server's certificate: given, or made here with a certificate authority of this machine's own.
 *
 * Any thread, at start but for tls_leaf_make(). Files live in DATA/tls, mode 0600: ca.pem, ca.key, server.pem (leaf, then CA), server.key. Keys are
 * EC P-256; the authority lasts 10 years, the leaf 2 and is made again 30 days before its end or when a name is missing. */
#pragma once
#include "base/base.h"
#include "base/problem.h"

struct tls_pems {
    char *cert, *key;           /* PEM text, NUL-terminated: the chain and its key */
    char *ca;                   /* the authority that clients must trust; NULL when the certificate was given */
    char *ca_key;               /* its key; NULL as well */
};
void tls_pems_done(struct tls_pems *pems);

/** Load what is in the folder, making what is missing, stale or does not fit together.
 *  The leaf is for localhost, *.localhost, default.localhost, 127.0.0.1, ::1 and these names (DNS or IP). OpenSSL and
 *  browsers do not honour *.localhost: a resource's name.localhost gets one of its own, by tls_leaf_make().
 *  @param dir  is made when absent; NULL: keep nothing on disk
 *  @return ERR_NONE, ERR_IO, ERR_RANGE (a name), ERR_NOMEM, with `why` */
MUST_USE enum err tls_ca_ensure(const char *dir, const char *const *names, size_t n_names, struct tls_pems *out,
                                struct problem *why);
/** A certificate for one more host name, by an authority that tls_ca_ensure() gave: out->cert and out->key, nothing on disk.
 *  Any thread, any time. @return ERR_RANGE (the name), ERR_SYNTAX (the authority), ERR_NOMEM */
MUST_USE enum err tls_leaf_make(const char *ca_pem, const char *ca_key_pem, const char *name, struct tls_pems *out);
/** A certificate chain and key somebody else made. @return ERR_IO, ERR_SYNTAX (not PEM, or not of each other) */
MUST_USE enum err tls_pems_load(const char *cert_file, const char *key_file, struct tls_pems *out,
                                struct problem *why);
