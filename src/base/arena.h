/* arena.h - memory that is given back all at once: a request's, a PDU's, a call's.
 *
 * Thread: whoever owns it; never shared. Pointers stay good until arena_free() or arena_clear(). */
#pragma once
#include "base/base.h"

struct arena;

MUST_USE struct arena *arena_new(void);             /* NULL when out of memory */
void arena_free(struct arena *a);
SCOPED_FREE(arena)
void arena_clear(struct arena *a);                  /* forget everything, keep the first block */

/** Zeroed memory, aligned for anything. NULL when out of memory. */
void *arena_alloc(struct arena *a, size_t size);
/** Zeroed array; NULL also when count*size overflows. */
void *arena_array(struct arena *a, size_t count, size_t size);
#define arena_one(a, type) ((type *)arena_alloc((a), sizeof(type)))

/** A copy that ends in NUL (not counted in .n). {NULL,0} when out of memory. */
struct str arena_str(struct arena *a, struct str s);
/** The beginning of it, ending in NUL, for words to people; "" when out of memory. Never NULL. */
const char *arena_shown(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *format, ...) PRINTF(2, 3);
