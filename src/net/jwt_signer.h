/* jwt_signer.h - tokens that others can check without asking us: JWTs signed with a key of this server's own (RS256).
 *
 * Any thread: a lock is inside. The key, RSA of 2,048 bits, is made when it is first needed (a fifth of a second, once) and
 * kept in a file of mode 0600. Forms: RFC 7515 (JWS, compact), RFC 7517 (keys), RFC 7638 (a key's id is its thumbprint). */
#pragma once
#include "base/base.h"
#include "base/buf.h"
#include "base/json.h"

struct jwt_signer;

/** @param key_file  NULL: the key lives in memory alone. Copied @return ERR_NOMEM */
MUST_USE enum err jwt_signer_new(struct jwt_signer **out, const char *key_file);
void jwt_signer_free(struct jwt_signer *s);
SCOPED_FREE(jwt_signer)
/** Who makes these tokens: an address where its keys are told. Copied, cut at 255 octets. */
void jwt_signer_set_issuer(struct jwt_signer *s, struct str issuer);
/** The issuer as a C string of at most 256 octets. */
void jwt_signer_issuer(struct jwt_signer *s, char issuer[256]);
/** Append a token about `audience`, good for five minutes from `now_us` (wall clock).
 *  @return ERR_NOMEM, ERR_IO (the key cannot be read or kept), ERR_SYNTAX (the file holds no such key) */
MUST_USE enum err jwt_sign(struct jwt_signer *s, struct str audience, int64_t now_us, struct buf *out);
/** The member "keys" of an open JSON object. @return as jwt_sign() */
MUST_USE enum err jwt_write_keys(struct jwt_signer *s, struct jw *w);
