/* digest.h - answering a digest challenge (RFC 7616 with RFC 8760 for SIP; RFC 2617 and 2069 for older peers).
 *
 * MD5 and SHA-256, qop "auth" or none. Pure functions: any thread. Strings are borrowed, quotes already taken off. */
#pragma once
#include "base/base.h"
#include "base/buf.h"

struct digest_challenge {
    struct str realm, nonce;        /* needed */
    struct str opaque, algorithm, qop;  /* empty when absent; qop may be a list */
};

struct digest_answer {
    struct str user, password;
    struct str method, uri;         /* "INVITE", the Request-URI as sent */
    struct str cnonce;              /* random; used with qop only */
    uint32_t   count;               /* nc: uses of this nonce, 1.. */
};

/** Append `Digest username="...", ...`: the value of Authorization or Proxy-Authorization.
 *  @return ERR_NONE, ERR_NOMEM, ERR_SYNTAX (no realm or nonce), ERR_UNBUILT (another algorithm or qop: try the next
 *  challenge) */
MUST_USE enum err digest_write(struct buf *out, const struct digest_challenge *challenge, const struct digest_answer *answer);
