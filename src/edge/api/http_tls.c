#include "edge/api/http_tls.h"
#include "base/map.h"
#include "base/str.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

enum { CHAIN_MOST = 4, HOST_SIZE = 256 };

struct pair {
    char *cert, *key;           /* PEM */
};

struct http_tls {
    struct pair            main;
    struct strmap         *made;        /* host -> struct pair, owned */
    struct http_name_certs names;
};

/* MHD gives no argument with its callback, but each worker has one thread of its own. */
static _Thread_local struct http_tls *here;

static void pair_done(struct pair *p)
{
    if (p->key)
        explicit_bzero(p->key, strlen(p->key));
    free(p->cert);
    free(p->key);
}

static void pair_free(struct pair *p)
{
    if (p)
        pair_done(p);
    free(p);
}

enum err http_tls_new(struct http_tls **out, const char *cert, const char *key, const struct http_name_certs *names)
{
    struct http_tls *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    *t = (struct http_tls){ .main = { strdup(cert), strdup(key) }, .made = strmap_new(), .names = *names };
    if (!t->main.cert || !t->main.key || !t->made) {
        http_tls_free(t);
        return ERR_NOMEM;
    }
    *out = t;
    return ERR_NONE;
}

void http_tls_free(struct http_tls *t)
{
    if (!t)
        return;
    struct str host;
    void *value;
    for (size_t at = 0; t->made && strmap_next(t->made, &at, &host, &value);)
        pair_free(value);
    strmap_free(t->made);
    pair_done(&t->main);
    free(t);
}

void http_tls_enter(struct http_tls *t)
{
    here = t;
}

/* The name asked for, in lower case; empty when there is none. */
static struct str asked_for(gnutls_session_t session, char host[HOST_SIZE])
{
    size_t n = HOST_SIZE - 1;
    unsigned type;
    if (gnutls_server_name_get(session, host, &n, &type, 0) != GNUTLS_E_SUCCESS || type != GNUTLS_NAME_DNS)
        n = 0;
    while (n && !host[n - 1])           /* some versions count the NUL */
        n--;
    host[n] = '\0';
    for (size_t i = 0; i < n; i++)
        host[i] = (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] | 32 : host[i]);
    return (struct str){ host, n };
}

static struct pair *make(struct http_tls *t, struct str host)
{
    struct pair *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    if (!t->names.make(t->names.arg, host.p, &p->cert, &p->key) || strmap_put(t->made, host, p)) {
        pair_free(p);
        return NULL;
    }
    return p;
}

static const struct pair *pair_for(struct http_tls *t, struct str host)
{
    if (!host.n)
        return &t->main;
    if (!t->names.wanted(t->names.arg, host)) {
        pair_free(strmap_take(t->made, host));          /* its resource is gone */
        return &t->main;
    }
    struct pair *p = strmap_find(t->made, host);
    if (!p)
        p = make(t, host);
    return p ? p : &t->main;
}

/* Copies for this handshake alone, which GnuTLS frees: nothing of ours is shared with it. */
static int hand_over(const struct pair *p, gnutls_pcert_st **certs, unsigned *n, gnutls_privkey_t *key)
{
    gnutls_datum_t cert_pem = { (unsigned char *)p->cert, (unsigned)strlen(p->cert) };
    gnutls_datum_t key_pem = { (unsigned char *)p->key, (unsigned)strlen(p->key) };
    *n = CHAIN_MOST;
    *certs = gnutls_calloc(CHAIN_MOST, sizeof **certs);
    if (!*certs)
        return -1;
    if (gnutls_pcert_list_import_x509_raw(*certs, n, &cert_pem, GNUTLS_X509_FMT_PEM, 0) < 0) {
        gnutls_free(*certs);
        return -1;
    }
    if (gnutls_privkey_init(key) >= 0) {
        if (gnutls_privkey_import_x509_raw(*key, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0) >= 0)
            return 0;
        gnutls_privkey_deinit(*key);
    }
    for (unsigned i = 0; i < *n; i++)
        gnutls_pcert_deinit(&(*certs)[i]);
    gnutls_free(*certs);
    return -1;
}

static int on_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **certs,
                       unsigned *certs_n, gnutls_ocsp_data_st **ocsp, unsigned *ocsp_n, gnutls_privkey_t *key, unsigned *flags)
{
    (void)info, (void)ocsp;
    char host[HOST_SIZE];
    *ocsp_n = 0;
    if (!here || hand_over(pair_for(here, asked_for(session, host)), certs, certs_n, key))
        return -1;
    *flags = GNUTLS_CERT_RETR_DEINIT_ALL;
    return 0;
}

void *http_tls_callback(void)
{
    gnutls_certificate_retrieve_function3 *f = on_retrieve;
    return (void *)(uintptr_t)f;
}
