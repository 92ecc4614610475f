#include "net/tls.h"
#include "base/str.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>

struct tls_context {
    SSL_CTX         *ctx;               /* under the lock: tls_context_renew() puts another in its place */
    bool             server;
    pthread_mutex_t *lock;
};
struct tls {
    SSL  *ssl;
    BIO  *in, *out;                     /* the SSL's own */
    char  words[160];
};

/* -- contexts ---------------------------------------------------------------------------------------------------------- */

static enum err fail(struct problem *why, enum err err, const char *what)
{
    ERR_clear_error();
    return problem_set(why, err, "BadRequest", "%s", what);
}

static struct tls_context *context_new(bool server)
{
    struct tls_context *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->server = server;
    c->lock = malloc(sizeof *c->lock);
    if (c->lock)
        pthread_mutex_init(c->lock, NULL);
    c->ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    if (!c->lock || !c->ctx || !SSL_CTX_set_min_proto_version(c->ctx, TLS1_2_VERSION)) {
        tls_context_free(c);
        return NULL;
    }
    SSL_CTX_set_mode(c->ctx, SSL_MODE_RELEASE_BUFFERS);
    return c;
}

void tls_context_free(struct tls_context *c)
{
    if (!c)
        return;
    SSL_CTX_free(c->ctx);
    if (c->lock)
        pthread_mutex_destroy(c->lock);
    free(c->lock);
    free(c);
}

static size_t trust(SSL_CTX *ctx, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    size_t n = 0;
    X509 *x;
    while (bio && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        n += X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x) == 1;
        X509_free(x);
    }
    BIO_free(bio);
    ERR_clear_error();                  /* the end of the text is one */
    return n;
}

enum err tls_context_client(struct tls_context **out, const char *ca_pem, struct problem *why)
{
    scoped(tls_context) struct tls_context *c = context_new(false);
    if (!c)
        return fail(why, ERR_NOMEM, "out of memory");
    SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
    if (ca_pem && *ca_pem ? !trust(c->ctx, ca_pem) : !SSL_CTX_set_default_verify_paths(c->ctx))
        return fail(why, ERR_SYNTAX, "There is no certificate in PEM to trust.");
    *out = c;
    c = NULL;
    return ERR_NONE;
}

static bool use_chain(SSL_CTX *ctx, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    bool good = x && SSL_CTX_use_certificate(ctx, x) == 1;
    X509_free(x);
    while (good && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        if (!SSL_CTX_add_extra_chain_cert(ctx, x)) {    /* takes it */
            X509_free(x);
            good = false;
        }
    BIO_free(bio);
    ERR_clear_error();
    return good;
}

static bool use_key(SSL_CTX *ctx, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    bool good = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return good;
}

enum err tls_context_server(struct tls_context **out, const char *cert_pem, const char *key_pem, struct problem *why)
{
    scoped(tls_context) struct tls_context *c = context_new(true);
    if (!c)
        return fail(why, ERR_NOMEM, "out of memory");
    if (!use_chain(c->ctx, cert_pem) || !use_key(c->ctx, key_pem))
        return fail(why, ERR_SYNTAX, "The certificate and its key do not fit together.");
    *out = c;
    c = NULL;
    return ERR_NONE;
}

enum err tls_context_renew(struct tls_context *c, const char *cert_pem, const char *key_pem, struct problem *why)
{
    scoped(tls_context) struct tls_context *next = NULL;
    enum err err = tls_context_server(&next, cert_pem, key_pem, why);
    if (err)
        return err;
    pthread_mutex_lock(c->lock);
    SSL_CTX *was = c->ctx;
    c->ctx = next->ctx;
    pthread_mutex_unlock(c->lock);
    next->ctx = was;                    /* goes with it; connections of it hold it as long as they live */
    return ERR_NONE;
}

/* -- one connection ------------------------------------------------------------------------------------------------------ */

static bool means(SSL *ssl, const char *name)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1)
        return true;                    /* an address; it is no SNI (RFC 6066, 3) */
    ERR_clear_error();
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

enum err tls_new(struct tls **out, const struct tls_context *c, const char *name)
{
    struct tls *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    pthread_mutex_lock(c->lock);
    t->ssl = SSL_new(c->ctx);
    pthread_mutex_unlock(c->lock);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    if (!t->ssl || !t->in || !t->out || (!c->server && !means(t->ssl, name))) {
        BIO_free(t->in);
        BIO_free(t->out);
        SSL_free(t->ssl);
        free(t);
        return ERR_NOMEM;
    }
    BIO_set_mem_eof_return(t->in, -1);  /* empty is not over */
    SSL_set_bio(t->ssl, t->in, t->out);
    if (c->server)
        SSL_set_accept_state(t->ssl);
    else
        SSL_set_connect_state(t->ssl);
    *out = t;
    return ERR_NONE;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);                   /* and both BIOs */
    free(t);
}

bool tls_is_open(const struct tls *t)
{
    return SSL_is_init_finished(t->ssl);
}

static enum err hand_on(struct tls *t, struct buf *cipher)
{
    char *p;
    long n = BIO_get_mem_data(t->out, &p);
    if (n > 0)
        buf_put(cipher, p, (size_t)n);
    (void)BIO_reset(t->out);
    return buf_err(cipher);
}

static enum err why_of(struct tls *t, int rc)
{
    int error = SSL_get_error(t->ssl, rc);
    long verified = SSL_get_verify_result(t->ssl);
    enum err err = ERR_SYNTAX;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return ERR_NONE;
    if (error == SSL_ERROR_ZERO_RETURN)
        return ERR_CLOSED;
    if (verified != X509_V_OK) {
        snprintf(t->words, sizeof t->words, "%s", X509_verify_cert_error_string(verified));
        err = ERR_UNPROVEN;
    } else {
        ERR_error_string_n(ERR_peek_error(), t->words, sizeof t->words);
    }
    ERR_clear_error();
    return err;
}

static enum err take_text(struct tls *t, struct buf *plain)
{
    enum { PIECE = 16384 };
    for (;;) {
        char *room = buf_room(plain, PIECE);
        if (!room)
            return ERR_NOMEM;
        int n = SSL_read(t->ssl, room, PIECE);
        if (n <= 0)
            return why_of(t, n);
        plain->n += (size_t)n;
    }
}

enum err tls_read(struct tls *t, const void *p, size_t n, struct buf *plain, struct buf *cipher)
{
    enum err err = ERR_NONE;
    ERR_clear_error();
    if (n && BIO_write(t->in, p, (int)n) != (int)n)
        return ERR_NOMEM;
    if (!tls_is_open(t)) {
        int rc = SSL_do_handshake(t->ssl);
        err = rc == 1 ? ERR_NONE : why_of(t, rc);
    }
    if (!err && tls_is_open(t))
        err = take_text(t, plain);
    enum err sent = hand_on(t, cipher);         /* an alert, too, when it failed */
    return err ? err : sent;
}

enum err tls_write(struct tls *t, const void *p, size_t n, struct buf *cipher)
{
    ERR_clear_error();
    if (n && SSL_write(t->ssl, p, (int)n) != (int)n)
        return ERR_CLOSED;
    return hand_on(t, cipher);
}

enum err tls_end(struct tls *t, struct buf *cipher)
{
    ERR_clear_error();
    (void)SSL_shutdown(t->ssl);
    return hand_on(t, cipher);
}

const char *tls_words(struct tls *t)
{
    if (tls_is_open(t))
        snprintf(t->words, sizeof t->words, "%s, %s", SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl));
    return t->words;
}
