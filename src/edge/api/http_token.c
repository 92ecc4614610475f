#include "edge/api/http_token.h"
#include "base/crypto.h"
#include "base/str.h"

#include <stdio.h>

enum { PROOF_OCTETS = 32, PROOF_TEXT = 43 };    /* base64url without padding */

static const struct str prefix = { "cf1.", 4 };

static void prove(char proof[PROOF_TEXT + 5], struct str said, struct str key)
{
    uint8_t mac[PROOF_OCTETS];
    hmac_sha256(mac, key.p, key.n, said);
    base64url_write(proof, mac, sizeof mac);
    explicit_bzero(mac, sizeof mac);
}

size_t http_token_write(char *dst, struct str key, int64_t expires_s)
{
    char proof[PROOF_TEXT + 5];
    snprintf(dst, HTTP_TOKEN_SIZE, "cf1.%lld", (long long)expires_s);
    size_t n = strlen(dst);
    prove(proof, (struct str){ dst, n }, key);
    snprintf(dst + n, HTTP_TOKEN_SIZE - n, ".%s", proof);
    return strlen(dst);
}

/* What is said, and its proof. */
static bool cut(struct str token, struct str *said, struct str *seconds, struct str *proof)
{
    struct str rest = str_from(token, prefix.n);
    if (!str_starts(token, prefix) || !str_cut(rest, '.', seconds, proof) || proof->n != PROOF_TEXT)
        return false;
    *said = (struct str){ token.p, token.n - proof->n - 1 };
    return true;
}

enum err http_token_check(struct str token, int64_t now_s)
{
    struct str said, seconds, proof;
    uint64_t expires;
    if (!cut(token, &said, &seconds, &proof) || str_u64(seconds, INT64_MAX, &expires))
        return ERR_SYNTAX;
    return (int64_t)expires <= now_s || (int64_t)expires > now_s + HTTP_TOKEN_LONGEST_S ? ERR_TIMEOUT : ERR_NONE;
}

bool http_token_fits(struct str token, struct str key)
{
    struct str said, seconds, proof;
    char made[PROOF_TEXT + 5];
    if (!cut(token, &said, &seconds, &proof))
        return false;
    prove(made, said, key);
    return equal_constant_time(made, proof.p, PROOF_TEXT);
}
