/* http_token.h - bearer tokens made from a key: for SDKs that take a TokenCredential (the management API always does).
 *
 * Pure functions: any thread. A token is "cf1.EXPIRY.PROOF": EXPIRY in seconds since 1970, PROOF the base64url (RFC 4648, 5)
 * HMAC-SHA256 of what stands before it, with the key. So it proves the key it was made with, for a time, without telling it;
 * nothing is kept of it, and it ends with its key. */
#pragma once
#include "base/base.h"

enum { HTTP_TOKEN_SIZE = 96, HTTP_TOKEN_LONGEST_S = 366 * 24 * 3600 };

/** dst holds HTTP_TOKEN_SIZE and is terminated. @return the length */
size_t http_token_write(char *dst, struct str key, int64_t expires_s);
/** Its form alone. @return ERR_SYNTAX; ERR_TIMEOUT (it has expired, or is said to last longer than any that we make) */
MUST_USE enum err http_token_check(struct str token, int64_t now_s);
/** Was it made with this key? In constant time. Ask http_token_check() first. */
bool http_token_fits(struct str token, struct str key);
