#include "base/map.h"
#include "base/crypto.h"
#include "base/str.h"

#include <pthread.h>

/* A slot is free when its value is NULL. Removal shifts the following run back, so there are no tombstones. */
struct slot {
    uint64_t key;
    void    *value;
};

struct map {
    struct slot *slots;
    size_t       mask, count;       /* mask + 1 slots, a power of two */
};

uint64_t hash_u64(uint64_t v)
{
    v ^= v >> 30;
    v *= 0xbf58476d1ce4e5b9u;
    v ^= v >> 27;
    v *= 0x94d049bb133111ebu;
    return v ^ v >> 31;
}

static uint64_t seed;
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void seed_draw(void)
{
    random_bytes(&seed, sizeof seed);
}

uint64_t hash_str(struct str s)
{
    pthread_once(&seed_once, seed_draw);
    uint64_t h = 0xcbf29ce484222325u ^ seed;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return hash_u64(h ^ s.n);
}

struct map *map_new(void)
{
    struct map *m = calloc(1, sizeof *m);
    struct slot *slots = calloc(16, sizeof *slots);
    if (!m || !slots) {
        free(m);
        free(slots);
        return NULL;
    }
    m->slots = slots;
    m->mask = 15;
    return m;
}

void map_free(struct map *m)
{
    if (!m)
        return;
    free(m->slots);
    free(m);
}

/* The slot that holds key, or the free one where it belongs. */
static struct slot *map_slot(const struct map *m, uint64_t key)
{
    size_t i = hash_u64(key) & m->mask;
    while (m->slots[i].value && m->slots[i].key != key)
        i = (i + 1) & m->mask;
    return &m->slots[i];
}

static enum err map_grow(struct map *m)
{
    struct map bigger = { .mask = m->mask * 2 + 1, .count = m->count };
    bigger.slots = calloc(bigger.mask + 1, sizeof *bigger.slots);
    if (!bigger.slots)
        return ERR_NOMEM;
    for (size_t i = 0; i <= m->mask; i++)
        if (m->slots[i].value)
            *map_slot(&bigger, m->slots[i].key) = m->slots[i];
    free(m->slots);
    *m = bigger;
    return ERR_NONE;
}

enum err map_put(struct map *m, uint64_t key, void *value)
{
    assert(value);
    struct slot *s = map_slot(m, key);
    if (!s->value) {
        if ((m->count + 1) * 4 > (m->mask + 1) * 3) {
            enum err err = map_grow(m);
            if (err)
                return err;
            s = map_slot(m, key);
        }
        m->count++;
    }
    *s = (struct slot){ key, value };
    return ERR_NONE;
}

void *map_find(const struct map *m, uint64_t key)
{
    return map_slot(m, key)->value;
}

void *map_take(struct map *m, uint64_t key)
{
    struct slot *s = map_slot(m, key);
    void *value = s->value;
    if (!value)
        return NULL;
    size_t hole = (size_t)(s - m->slots);
    for (size_t i = (hole + 1) & m->mask; m->slots[i].value; i = (i + 1) & m->mask) {
        size_t home = hash_u64(m->slots[i].key) & m->mask;
        if (((i - home) & m->mask) >= ((i - hole) & m->mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole].value = NULL;
    m->count--;
    return value;
}

size_t map_count(const struct map *m)
{
    return m->count;
}

bool map_next(const struct map *m, size_t *at, uint64_t *key, void **value)
{
    for (; *at <= m->mask; ++*at) {
        struct slot *s = &m->slots[*at];
        if (s->value) {
            *key = s->key;
            *value = s->value;
            ++*at;
            return true;
        }
    }
    return false;
}

/* A strmap is a map from the hash to a chain of entries that own their key bytes. */
struct entry {
    struct entry *next;
    void         *value;
    size_t        n;
    char          key[];
};

struct strmap {
    struct map *by_hash;
    size_t      count;
};

struct strmap *strmap_new(void)
{
    struct strmap *m = calloc(1, sizeof *m);
    struct map *by_hash = map_new();
    if (!m || !by_hash) {
        free(m);
        map_free(by_hash);
        return NULL;
    }
    m->by_hash = by_hash;
    return m;
}

void strmap_free(struct strmap *m)
{
    if (!m)
        return;
    uint64_t hash;
    void *chain;
    for (size_t at = 0; map_next(m->by_hash, &at, &hash, &chain);)
        for (struct entry *e = chain, *next; e; e = next) {
            next = e->next;
            free(e);
        }
    map_free(m->by_hash);
    free(m);
}

static struct entry *entry_find(struct entry *e, struct str key)
{
    while (e && !str_eq((struct str){ e->key, e->n }, key))
        e = e->next;
    return e;
}

enum err strmap_put(struct strmap *m, struct str key, void *value)
{
    assert(value);
    uint64_t hash = hash_str(key);
    struct entry *chain = map_find(m->by_hash, hash), *e = entry_find(chain, key);
    if (e) {
        e->value = value;
        return ERR_NONE;
    }
    e = malloc(sizeof *e + key.n);
    if (!e)
        return ERR_NOMEM;
    *e = (struct entry){ .next = chain, .value = value, .n = key.n };
    if (key.n)
        memcpy(e->key, key.p, key.n);
    enum err err = map_put(m->by_hash, hash, e);
    if (err)
        free(e);
    else
        m->count++;
    return err;
}

void *strmap_find(const struct strmap *m, struct str key)
{
    struct entry *e = entry_find(map_find(m->by_hash, hash_str(key)), key);
    return e ? e->value : NULL;
}

void *strmap_take(struct strmap *m, struct str key)
{
    uint64_t hash = hash_str(key);
    struct entry *chain = map_find(m->by_hash, hash), **link = &chain;
    while (*link && !str_eq((struct str){ (*link)->key, (*link)->n }, key))
        link = &(*link)->next;
    struct entry *e = *link;
    if (!e)
        return NULL;
    *link = e->next;
    if (!chain)
        map_take(m->by_hash, hash);
    else
        (void)!map_put(m->by_hash, hash, chain);    /* the key is there: this cannot fail */
    void *value = e->value;
    free(e);
    m->count--;
    return value;
}

size_t strmap_count(const struct strmap *m)
{
    return m->count;
}

bool strmap_next(const struct strmap *m, size_t *at, struct str *key, void **value)
{
    /* chains longer than one are a 64-bit collision; the walk packs the slot in the high part, the depth below */
    for (;;) {
        size_t slot = *at >> 8, depth = *at & 255;
        uint64_t hash;
        void *chain;
        if (!map_next(m->by_hash, &slot, &hash, &chain))
            return false;
        struct entry *e = chain;
        for (size_t i = 0; e && i < depth; i++)
            e = e->next;
        if (!e) {
            *at = slot << 8;
            continue;
        }
        *key = (struct str){ e->key, e->n };
        *value = e->value;
        *at = e->next ? (slot - 1) << 8 | (depth + 1) : slot << 8;
        return true;
    }
}
