/* map.h - hash maps from a 64-bit key or from bytes to a pointer.
 *
 * Open addressing; growth doubles. Keys of bytes are copied. Thread: its owner. Values are borrowed, never freed. */
#pragma once
#include "base/base.h"

struct map;                                         /* uint64_t -> void * */
MUST_USE struct map *map_new(void);
void map_free(struct map *m);
SCOPED_FREE(map)
/** Put or replace; value not NULL. @return ERR_NOMEM (then nothing changed) */
MUST_USE enum err map_put(struct map *m, uint64_t key, void *value);
void *map_find(const struct map *m, uint64_t key);  /* NULL: absent */
void *map_take(struct map *m, uint64_t key);        /* removes; the value, or NULL */
size_t map_count(const struct map *m);
/** Walk in no order: start with *at = 0; false at the end. The map must not grow meanwhile. */
bool map_next(const struct map *m, size_t *at, uint64_t *key, void **value);

struct strmap;                                      /* bytes -> void * */
MUST_USE struct strmap *strmap_new(void);
void strmap_free(struct strmap *m);
SCOPED_FREE(strmap)
MUST_USE enum err strmap_put(struct strmap *m, struct str key, void *value);
void *strmap_find(const struct strmap *m, struct str key);
void *strmap_take(struct strmap *m, struct str key);
size_t strmap_count(const struct strmap *m);
bool strmap_next(const struct strmap *m, size_t *at, struct str *key, void **value);

/** A good 64-bit mix of an integer (splitmix64's finaliser). */
uint64_t hash_u64(uint64_t v);
/** FNV-1a, mixed; keyed by a per-process random value so that outsiders cannot aim collisions. */
uint64_t hash_str(struct str s);
