/* authority.h - the local certificate authority while the server runs: certificates for host names of resources.
 *
 * Any thread. */
#pragma once
#include "base/base.h"
#include "edge/api/http_tls.h"
#include "net/tls_ca.h"

struct authority;
struct keyring;
/** @param domain  resources are NAME.domain as well as NAME.localhost; static  @return ERR_NOMEM */
MUST_USE enum err authority_new(struct authority **out, const struct keyring *keyring, const char *domain);
void authority_free(struct authority *a);
SCOPED_FREE(authority)
/** Certificates are made with this one from now on; copied. Without a key (a certificate that was given) none are made.
 *  @return ERR_NOMEM */
MUST_USE enum err authority_set(struct authority *a, const struct tls_pems *pems);
/** For struct http_server_conf. */
struct http_name_certs authority_names(struct authority *a);
