#include "main/authority.h"
#include "base/str.h"
#include "edge/api/keyring.h"

#include <pthread.h>

struct authority {
    pthread_mutex_t       lock;
    char                 *ca, *ca_key;          /* PEM; NULL: none is ours. Under the lock */
    const struct keyring *keyring;
    const char           *domain;
};

enum err authority_new(struct authority **out, const struct keyring *keyring, const char *domain)
{
    struct authority *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    *a = (struct authority){ .keyring = keyring, .domain = domain };
    pthread_mutex_init(&a->lock, NULL);
    *out = a;
    return ERR_NONE;
}

static void forget(struct authority *a)
{
    if (a->ca_key)
        explicit_bzero(a->ca_key, strlen(a->ca_key));
    free(a->ca_key);
    free(a->ca);
    a->ca = a->ca_key = NULL;
}

void authority_free(struct authority *a)
{
    if (!a)
        return;
    forget(a);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

enum err authority_set(struct authority *a, const struct tls_pems *pems)
{
    bool ours = pems->ca && pems->ca_key;
    pthread_mutex_lock(&a->lock);
    forget(a);
    a->ca = ours ? strdup(pems->ca) : NULL;
    a->ca_key = ours ? strdup(pems->ca_key) : NULL;
    bool good = !ours || (a->ca && a->ca_key);
    if (!good)
        forget(a);
    pthread_mutex_unlock(&a->lock);
    return good ? ERR_NONE : ERR_NOMEM;
}

/* NAME.localhost or NAME.domain, where NAME is a resource's. */
static bool wanted(void *arg, struct str host)
{
    const struct authority *a = arg;
    struct str name, rest;
    return str_cut(host, '.', &name, &rest) && (str_eqz(rest, "localhost") || str_eq_nocase(rest, str_of(a->domain)))
           && keyring_knows(a->keyring, name);
}

static bool make(void *arg, const char *host, char **cert, char **key)
{
    struct authority *a = arg;
    struct tls_pems leaf = { 0 };
    pthread_mutex_lock(&a->lock);
    bool good = a->ca_key && tls_leaf_make(a->ca, a->ca_key, host, &leaf) == ERR_NONE;
    pthread_mutex_unlock(&a->lock);
    *cert = leaf.cert;
    *key = leaf.key;
    return good;
}

struct http_name_certs authority_names(struct authority *a)
{
    return (struct http_name_certs){ .wanted = wanted, .make = make, .arg = a };
}
