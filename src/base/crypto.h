/* crypto.h - random bytes, hashes, comparison in constant time (OpenSSL 3, libcrypto).
 *
 * Any thread. Failure of the random source or of a hash aborts: nothing sensible can go on without them. */
#pragma once
#include "base/base.h"

void random_bytes(void *dst, size_t n);
uint64_t random_u64(void);
void sha256(uint8_t out[32], struct str data);
/* The SHA-256 of what comes piece by piece; one thread. */
struct sha256_run;
struct sha256_run *sha256_run_new(void);            /* never NULL */
void sha256_run_free(struct sha256_run *run);
SCOPED_FREE(sha256_run)
void sha256_run_add(struct sha256_run *run, struct str data);
/** Of all so far; more may be added. */
void sha256_run_now(const struct sha256_run *run, uint8_t out[32]);
/** Only where an old protocol asks for it (SIP digest: RFC 3261, 22.4). */
void md5(uint8_t out[16], struct str data);
/** HMAC-SHA256 (RFC 2104). */
void hmac_sha256(uint8_t out[32], const void *key, size_t key_n, struct str data);
/** Equal? Takes as long for a difference at the start as at the end. */
bool equal_constant_time(const void *a, const void *b, size_t n);
/** SipHash-2-4 of one 64-bit word: a fast keyed function for ids. */
uint64_t siphash_u64(const uint64_t key[2], uint64_t word);
