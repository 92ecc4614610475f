#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

enum { FIRST_BLOCK = 4096 - 64, ALIGN = 16 };

struct block {
    struct block *next;
    size_t        used, size;
    _Alignas(ALIGN) char bytes[];
};

struct arena {
    struct block *top;          /* where the next allocation is tried */
    struct block *first;        /* kept by arena_clear() */
};

static struct block *block_new(size_t size)
{
    struct block *b = malloc(sizeof *b + size);
    if (b)
        *b = (struct block){ .size = size };
    return b;
}

struct arena *arena_new(void)
{
    struct arena *a = malloc(sizeof *a);
    struct block *b = block_new(FIRST_BLOCK);
    if (!a || !b) {
        free(a);
        free(b);
        return NULL;
    }
    *a = (struct arena){ .top = b, .first = b };
    return a;
}

/* Blocks are chained from the newest back to the first. */
static void drop_to_first(struct arena *a)
{
    while (a->top != a->first) {
        struct block *old = a->top;
        a->top = old->next;
        free(old);
    }
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    drop_to_first(a);
    free(a->first);
    free(a);
}

void arena_clear(struct arena *a)
{
    drop_to_first(a);
    a->first->used = 0;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > SIZE_MAX / 4)
        return NULL;
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    struct block *b = a->top;
    if (b->size - b->used < size) {
        size_t grow = b->size * 2 < (1u << 20) ? b->size * 2 : (1u << 20);
        b = block_new(size > grow ? size : grow);
        if (!b)
            return NULL;
        b->next = a->top;
        a->top = b;
    }
    void *p = b->bytes + b->used;
    b->used += size;
    memset(p, 0, size);
    return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t total;
    return __builtin_mul_overflow(count, size, &total) ? NULL : arena_alloc(a, total);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);
    if (!p)
        return (struct str){ NULL, 0 };
    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct str){ p, s.n };
}

const char *arena_shown(struct arena *a, struct str s)
{
    enum { SHOWN_MOST = 64 };
    struct str copy = arena_str(a, (struct str){ s.p, s.n < SHOWN_MOST ? s.n : SHOWN_MOST });
    return copy.p ? copy.p : "";
}

struct str arena_printf(struct arena *a, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    char *p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
    if (p)
        vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    return p ? (struct str){ p, (size_t)n } : (struct str){ NULL, 0 };
}
