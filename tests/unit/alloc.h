/* alloc.h - a function run again and again, with its first, second, ... n-th allocation failing.
 *
 * For tests named *_alloc.c: their link wraps malloc, calloc and realloc of our own code (Makefile). Libraries
 * keep the real ones. The function must end well either way: no crash, no leak (the sanitizer looks), and an error
 * exactly when something was refused to it. */
#pragma once
#include "base/base.h"

#include <stdatomic.h>
#include <stdio.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *p, size_t n);

static _Atomic long alloc_countdown;        /* 1: the next one fails; 0: none will */
static _Atomic bool alloc_failed;

static inline bool alloc_refused(void)
{
    if (atomic_load(&alloc_countdown) <= 0 || atomic_fetch_sub(&alloc_countdown, 1) != 1)
        return false;
    alloc_failed = true;
    return true;
}
void *__wrap_malloc(size_t n)                { return alloc_refused() ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t count, size_t n)  { return alloc_refused() ? NULL : __real_calloc(count, n); }
void *__wrap_realloc(void *p, size_t n)      { return alloc_refused() ? NULL : __real_realloc(p, n); }

/** @param fn  returns ERR_NONE when it had all it wanted, or the error it was given
 *  @return how many allocations it makes when all succeed; -1 when an error was lost or invented */
static inline long alloc_each_failing(enum err (*fn)(void))
{
    for (long n = 1;; n++) {
        alloc_failed = false;
        alloc_countdown = n;
        enum err err = fn();
        alloc_countdown = 0;
        if (!alloc_failed)
            return err ? -1 : n - 1;
        if (!err) {
            fprintf(stderr, "allocation %ld failed and nobody noticed\n", n);
            return -1;
        }
    }
}
