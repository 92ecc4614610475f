#include "edge/api/keyring.h"
#include "base/map.h"
#include "base/str.h"
#include "domain/accounts/accounts.h"
#include "net/target.h"

#include <pthread.h>

struct secret {
    size_t  n;                          /* 0: none */
    uint8_t octets[KEYRING_KEY_OCTETS_MAX];
};

struct holder {
    uint64_t      resource;
    char          name[64];
    struct secret key[2];
};

struct keyring {
    pthread_rwlock_t lock;
    struct map      *by_resource;       /* to struct holder, which it owns */
    struct strmap   *by_name;           /* to the same */
    struct secret    operator_key, development_key;
    bool             development;
};

static const char DEFAULT_NAME[] = "default";

enum err keyring_new(struct keyring **out)
{
    struct keyring *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    k->by_resource = map_new();
    k->by_name = strmap_new();
    if (!k->by_resource || !k->by_name || pthread_rwlock_init(&k->lock, NULL)) {
        map_free(k->by_resource);
        strmap_free(k->by_name);
        free(k);
        return ERR_NOMEM;
    }
    enum err err = base64_read(k->development_key.octets, sizeof k->development_key.octets,
                               STR(KEYRING_DEVELOPMENT_KEY), &k->development_key.n);
    assert(!err);
    (void)err;
    *out = k;
    return ERR_NONE;
}

static void holder_free(struct holder *h)
{
    if (h)
        explicit_bzero(h, sizeof *h);
    free(h);
}

void keyring_free(struct keyring *k)
{
    if (!k)
        return;
    uint64_t key;
    void *holder;
    for (size_t at = 0; map_next(k->by_resource, &at, &key, &holder);)
        holder_free(holder);
    map_free(k->by_resource);
    strmap_free(k->by_name);
    pthread_rwlock_destroy(&k->lock);
    explicit_bzero(k, sizeof *k);
    free(k);
}

static void secret_set(struct secret *s, struct str key)
{
    explicit_bzero(s, sizeof *s);
    s->n = key.n;
    if (key.n)
        memcpy(s->octets, key.p, key.n);
}

/* Under the lock. Takes the holder out of both maps and frees it. */
static void forget(struct keyring *k, uint64_t resource)
{
    struct holder *h = map_take(k->by_resource, resource);
    if (h && strmap_find(k->by_name, str_of(h->name)) == h)
        strmap_take(k->by_name, str_of(h->name));
    holder_free(h);
}

static enum err remember(struct keyring *k, struct holder *h)
{
    forget(k, h->resource);
    enum err err = map_put(k->by_resource, h->resource, h);
    if (err)
        return err;
    err = strmap_put(k->by_name, str_of(h->name), h);
    if (err)
        map_take(k->by_resource, h->resource);
    return err;
}

enum err keyring_put(struct keyring *k, uint64_t resource, struct str name, struct str key1, struct str key2)
{
    if (key1.n > KEYRING_KEY_OCTETS_MAX || key2.n > KEYRING_KEY_OCTETS_MAX || name.n > 63)
        return ERR_SIZE;
    struct holder *h = calloc(1, sizeof *h);
    if (!h)
        return ERR_NOMEM;
    h->resource = resource;
    str_copyz(h->name, sizeof h->name, name);
    secret_set(&h->key[0], key1);
    secret_set(&h->key[1], key2);
    pthread_rwlock_wrlock(&k->lock);
    enum err err = remember(k, h);
    pthread_rwlock_unlock(&k->lock);
    if (err)
        holder_free(h);
    return err;
}

void keyring_remove(struct keyring *k, uint64_t resource)
{
    pthread_rwlock_wrlock(&k->lock);
    forget(k, resource);
    pthread_rwlock_unlock(&k->lock);
}

void keyring_remove_all(struct keyring *k)
{
    uint64_t resource;
    void *holder;
    pthread_rwlock_wrlock(&k->lock);
    for (size_t at = 0; map_next(k->by_resource, &at, &resource, &holder); at = 0)
        forget(k, resource);
    pthread_rwlock_unlock(&k->lock);
}

void keyring_resource_changed(void *keyring, const struct resource *r)
{
    size_t n = r->keys_off ? 0 : ACCESS_KEY_OCTETS;
    struct str key1 = { (const char *)r->access_key[0], n };
    struct str key2 = { (const char *)r->access_key[1], n };
    /* out of memory: callers get 401 until the next change; better than an old key that works */
    if (keyring_put(keyring, r->key, str_of(r->name), key1, key2))
        keyring_remove(keyring, r->key);
}

void keyring_resource_gone(void *keyring, uint64_t resource)
{
    keyring_remove(keyring, resource);
}

enum err keyring_set_operator(struct keyring *k, struct str key)
{
    if (key.n > KEYRING_KEY_OCTETS_MAX)
        return ERR_SIZE;
    pthread_rwlock_wrlock(&k->lock);
    secret_set(&k->operator_key, key);
    pthread_rwlock_unlock(&k->lock);
    return ERR_NONE;
}

void keyring_set_development(struct keyring *k, bool allowed)
{
    pthread_rwlock_wrlock(&k->lock);
    k->development = allowed;
    pthread_rwlock_unlock(&k->lock);
}

/* Names are in lower case. */
static const struct holder *named(const struct keyring *k, struct str label)
{
    char lower[64];
    if (label.n >= sizeof lower)
        return NULL;
    for (size_t i = 0; i < label.n; i++)
        lower[i] = (char)(label.p[i] >= 'A' && label.p[i] <= 'Z' ? label.p[i] | 32 : label.p[i]);
    return strmap_find(k->by_name, (struct str){ lower, label.n });
}

bool keyring_knows(const struct keyring *k, struct str name)
{
    pthread_rwlock_t *lock = (pthread_rwlock_t *)(uintptr_t)&k->lock;   /* looking changes nothing but who waits */
    pthread_rwlock_rdlock(lock);
    bool known = named(k, name) != NULL;
    pthread_rwlock_unlock(lock);
    return known;
}

const char *keyring_name(const struct keyring *k, uint64_t resource, char dst[KEYRING_NAME_SIZE])
{
    pthread_rwlock_t *lock = (pthread_rwlock_t *)(uintptr_t)&k->lock;
    pthread_rwlock_rdlock(lock);
    const struct holder *h = map_find(k->by_resource, resource);
    str_copyz(dst, KEYRING_NAME_SIZE, str_of(h ? h->name : NULL));
    pthread_rwlock_unlock(lock);
    return dst;
}

/* 127.0.0.1: were a resource named 127, it would take all who call by that address for its own. */
static bool is_address(struct str host)
{
    size_t i = 0;
    while (i < host.n && (host.p[i] == '.' || (host.p[i] >= '0' && host.p[i] <= '9')))
        i++;
    return i == host.n;
}

/* "shop" of shop.example.com. */
static const struct holder *named_by_host(const struct keyring *k, struct str authority)
{
    struct str label, rest, host = target_host_of(authority);
    return !is_address(host) && str_cut(host, '.', &label, &rest) ? named(k, label) : NULL;
}

static bool secret_fits(const struct secret *s, const struct keyring_question *q)
{
    return s->n && q->fits(q->arg, (struct str){ (const char *)s->octets, s->n });
}

static bool holder_fits(const struct holder *h, const struct keyring_question *q)
{
    return secret_fits(&h->key[0], q) || secret_fits(&h->key[1], q);
}

static bool development_fits(const struct keyring *k, const struct keyring_question *q)
{
    return k->development && q->loopback && !q->forwarded && target_names_loopback(q->host)
           && secret_fits(&k->development_key, q);
}

static const struct holder *guess(const struct keyring *k, const struct keyring_question *q)
{
    if (!q->loopback || map_count(k->by_resource) > KEYRING_GUESSES_MAX)
        return NULL;
    uint64_t key;
    void *holder;
    for (size_t at = 0; map_next(k->by_resource, &at, &key, &holder);)
        if (holder_fits(holder, q))
            return holder;
    return NULL;
}

static enum err prove(const struct keyring *k, const struct keyring_question *q, struct keyring_proof *out)
{
    if (q->operator_too && (secret_fits(&k->operator_key, q) || development_fits(k, q))) {
        *out = (struct keyring_proof){ .is_operator = true };
        return ERR_NONE;
    }
    const struct holder *meant = named_by_host(k, q->host);
    if (!meant && q->bound.n && !(meant = strmap_find(k->by_name, q->bound)))
        return ERR_ABSENT;
    const struct holder *found = meant ? (holder_fits(meant, q) ? meant : NULL) : guess(k, q);
    if (!meant)
        meant = strmap_find(k->by_name, str_of(DEFAULT_NAME));
    if (!found && meant && (holder_fits(meant, q) || development_fits(k, q)))
        found = meant;
    if (!found)
        return meant ? ERR_UNPROVEN : ERR_ABSENT;
    *out = (struct keyring_proof){ .resource = found->resource };
    return ERR_NONE;
}

enum err keyring_prove(struct keyring *k, const struct keyring_question *q, struct keyring_proof *out)
{
    pthread_rwlock_rdlock(&k->lock);
    enum err err = prove(k, q, out);
    pthread_rwlock_unlock(&k->lock);
    return err;
}
