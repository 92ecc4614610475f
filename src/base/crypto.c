#include "base/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

void random_bytes(void *dst, size_t n)
{
    if (RAND_bytes(dst, (int)n) != 1)
        abort();
}

uint64_t random_u64(void)
{
    uint64_t v;
    random_bytes(&v, sizeof v);
    return v;
}

void sha256(uint8_t out[32], struct str data)
{
    if (EVP_Digest(data.p, data.n, out, NULL, EVP_sha256(), NULL) != 1)
        abort();
}

struct sha256_run { EVP_MD_CTX *context, *copy; };

struct sha256_run *sha256_run_new(void)
{
    struct sha256_run *run = malloc(sizeof *run);
    if (!run)
        abort();
    run->context = EVP_MD_CTX_new();
    run->copy = EVP_MD_CTX_new();
    if (!run->context || !run->copy || EVP_DigestInit_ex(run->context, EVP_sha256(), NULL) != 1)
        abort();
    return run;
}

void sha256_run_free(struct sha256_run *run)
{
    if (!run)
        return;
    EVP_MD_CTX_free(run->context);
    EVP_MD_CTX_free(run->copy);
    free(run);
}

void sha256_run_add(struct sha256_run *run, struct str data)
{
    if (EVP_DigestUpdate(run->context, data.p, data.n) != 1)
        abort();
}

void sha256_run_now(const struct sha256_run *run, uint8_t out[32])
{
    if (EVP_MD_CTX_copy_ex(run->copy, run->context) != 1 || EVP_DigestFinal_ex(run->copy, out, NULL) != 1)
        abort();
}

void md5(uint8_t out[16], struct str data)
{
    if (EVP_Digest(data.p, data.n, out, NULL, EVP_md5(), NULL) != 1)
        abort();
}

void hmac_sha256(uint8_t out[32], const void *key, size_t key_n, struct str data)
{
    unsigned n = 32;
    if (!HMAC(EVP_sha256(), key, (int)key_n, (const unsigned char *)data.p, data.n, out, &n))
        abort();
}

bool equal_constant_time(const void *a, const void *b, size_t n)
{
    const volatile uint8_t *x = a, *y = b;
    uint8_t diff = 0;
    for (size_t i = 0; i < n; i++)
        diff |= (uint8_t)(x[i] ^ y[i]);
    return diff == 0;
}

#define ROTL(v, k) ((v) << (k) | (v) >> (64 - (k)))
#define SIPROUND                                                                  \
    do {                                                                          \
        v0 += v1; v1 = ROTL(v1, 13); v1 ^= v0; v0 = ROTL(v0, 32);                 \
        v2 += v3; v3 = ROTL(v3, 16); v3 ^= v2;                                    \
        v0 += v3; v3 = ROTL(v3, 21); v3 ^= v0;                                    \
        v2 += v1; v1 = ROTL(v1, 17); v1 ^= v2; v2 = ROTL(v2, 32);                 \
    } while (0)

uint64_t siphash_u64(const uint64_t key[2], uint64_t word)
{
    uint64_t v0 = key[0] ^ 0x736f6d6570736575u, v1 = key[1] ^ 0x646f72616e646f6du;
    uint64_t v2 = key[0] ^ 0x6c7967656e657261u, v3 = key[1] ^ 0x7465646279746573u;
    const uint64_t tail = (uint64_t)8 << 56;
    v3 ^= word;
    SIPROUND; SIPROUND;
    v0 ^= word;
    v3 ^= tail;
    SIPROUND; SIPROUND;
    v0 ^= tail;
    v2 ^= 0xff;
    SIPROUND; SIPROUND; SIPROUND; SIPROUND;
    return v0 ^ v1 ^ v2 ^ v3;
}
