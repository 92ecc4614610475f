#include "net/jwt_signer.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/str.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdio.h>

enum { KEY_BITS = 2048, KEY_OCTETS = KEY_BITS / 8, GOOD_FOR_S = 300, EARLY_S = 30, PEM_MAX = 16384, THUMB_SIZE = 44,
       MODULUS_SIZE = KEY_OCTETS * 4 / 3 + 3 };

struct jwt_signer {
    pthread_mutex_t lock;
    char           *file;               /* owned; NULL: none */
    EVP_PKEY       *key;                /* NULL until first needed */
    char            issuer[256];
    char            modulus[MODULUS_SIZE], id[THUMB_SIZE];
};

/* -- the key ------------------------------------------------------------------------------------------------------- */

static enum err key_keep(const char *file, EVP_PKEY *key)
{
    char *text;
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio || !PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)) {
        BIO_free(bio);
        return ERR_NOMEM;
    }
    long n = BIO_get_mem_data(bio, &text);
    enum err err = file_write_whole(file, (struct str){ text, (size_t)n }, 0600, NULL);
    explicit_bzero(text, (size_t)n);
    BIO_free(bio);
    return err;
}

static enum err key_read(const char *file, EVP_PKEY **out)
{
    char *text = NULL;
    size_t n = 0;
    enum err err = file_read_whole(file, PEM_MAX, &text, &n);
    if (err)
        return err;
    BIO *bio = BIO_new_mem_buf(text, (int)n);
    *out = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;
    BIO_free(bio);
    explicit_bzero(text, n);
    free(text);
    if (*out && EVP_PKEY_get_base_id(*out) == EVP_PKEY_RSA && EVP_PKEY_get_bits(*out) == KEY_BITS)
        return ERR_NONE;
    EVP_PKEY_free(*out);
    *out = NULL;
    return ERR_SYNTAX;
}

/* RFC 7638, 3: the hash of these members in this order. The exponent is always 65537 (AQAB). */
static enum err name_key(struct jwt_signer *s, EVP_PKEY *key)
{
    BIGNUM *n = NULL;
    uint8_t octets[KEY_OCTETS], hash[32];
    char text[MODULUS_SIZE + 64];
    bool good = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) && BN_bn2binpad(n, octets, KEY_OCTETS) == KEY_OCTETS;
    BN_free(n);
    if (!good)
        return ERR_NOMEM;
    base64url_write(s->modulus, octets, KEY_OCTETS);
    snprintf(text, sizeof text, "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"%s\"}", s->modulus);
    sha256(hash, str_of(text));
    base64url_write(s->id, hash, sizeof hash);
    return ERR_NONE;
}

/* Under the lock. */
static enum err need_key(struct jwt_signer *s)
{
    EVP_PKEY *key = NULL;
    if (s->key)
        return ERR_NONE;
    enum err err = s->file ? key_read(s->file, &key) : ERR_ABSENT;
    if (err == ERR_ABSENT) {
        key = EVP_RSA_gen(KEY_BITS);
        err = !key ? ERR_NOMEM : s->file ? key_keep(s->file, key) : ERR_NONE;
    }
    if (!err)
        err = name_key(s, key);
    if (err)
        EVP_PKEY_free(key);
    else
        s->key = key;
    return err;
}

/* -- tokens -------------------------------------------------------------------------------------------------------- */

static void put_base64url(struct buf *out, struct str s)
{
    char *room = buf_room(out, BASE64_SIZE(s.n));
    if (room)
        out->n += base64url_write(room, s.p, s.n);
}

static void put_claims(const struct jwt_signer *s, struct str audience, int64_t now_us, struct buf *out)
{
    scoped_buf text = { 0 };
    int64_t now_s = now_us / 1000000;
    struct jw w = jw_of(&text);
    jw_object(&w, NULL);
    jw_textz(&w, "iss", s->issuer);
    jw_text(&w, "aud", audience);
    jw_int(&w, "iat", now_s);
    jw_int(&w, "nbf", now_s - EARLY_S);     /* the receiver's clock may be behind */
    jw_int(&w, "exp", now_s + GOOD_FOR_S);
    jw_end(&w);
    put_base64url(out, buf_str(&text));
    out->bad |= text.bad;
}

static void put_head(const struct jwt_signer *s, struct buf *out)
{
    char head[128];
    snprintf(head, sizeof head, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"%s\"}", s->id);
    put_base64url(out, str_of(head));
}

static enum err put_signature(EVP_PKEY *key, struct str what, struct buf *out)
{
    uint8_t octets[KEY_OCTETS];
    size_t n = sizeof octets;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1
                && EVP_DigestSign(ctx, octets, &n, (const uint8_t *)what.p, what.n) == 1;
    EVP_MD_CTX_free(ctx);
    if (!good)
        return ERR_NOMEM;
    buf_putc(out, '.');
    put_base64url(out, (struct str){ (const char *)octets, n });
    return buf_err(out);
}

enum err jwt_sign(struct jwt_signer *s, struct str audience, int64_t now_us, struct buf *out)
{
    scoped_buf token = { 0 };
    pthread_mutex_lock(&s->lock);
    enum err err = need_key(s);
    if (!err) {
        put_head(s, &token);
        buf_putc(&token, '.');
        put_claims(s, audience, now_us, &token);
        err = buf_err(&token);
    }
    EVP_PKEY *key = s->key;             /* never replaced */
    pthread_mutex_unlock(&s->lock);
    if (!err)
        err = put_signature(key, buf_str(&token), &token);
    if (err)
        return err;
    buf_puts(out, buf_str(&token));
    return buf_err(out);
}

enum err jwt_write_keys(struct jwt_signer *s, struct jw *w)
{
    pthread_mutex_lock(&s->lock);
    enum err err = need_key(s);
    if (!err) {
        jw_array(w, "keys");
        jw_object(w, NULL);
        jw_textz(w, "kty", "RSA");
        jw_textz(w, "use", "sig");
        jw_textz(w, "alg", "RS256");
        jw_textz(w, "kid", s->id);
        jw_textz(w, "n", s->modulus);
        jw_textz(w, "e", "AQAB");
        jw_end(w);
        jw_end(w);
    }
    pthread_mutex_unlock(&s->lock);
    return err;
}

/* -- life ---------------------------------------------------------------------------------------------------------- */

enum err jwt_signer_new(struct jwt_signer **out, const char *key_file)
{
    struct jwt_signer *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->file = key_file ? strdup(key_file) : NULL;
    if (key_file && !s->file) {
        free(s);
        return ERR_NOMEM;
    }
    pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return ERR_NONE;
}

void jwt_signer_free(struct jwt_signer *s)
{
    if (!s)
        return;
    EVP_PKEY_free(s->key);
    pthread_mutex_destroy(&s->lock);
    free(s->file);
    free(s);
}

void jwt_signer_set_issuer(struct jwt_signer *s, struct str issuer)
{
    pthread_mutex_lock(&s->lock);
    str_copyz(s->issuer, sizeof s->issuer, issuer);
    pthread_mutex_unlock(&s->lock);
}

void jwt_signer_issuer(struct jwt_signer *s, char issuer[256])
{
    pthread_mutex_lock(&s->lock);
    str_copyz(issuer, 256, str_of(s->issuer));
    pthread_mutex_unlock(&s->lock);
}
