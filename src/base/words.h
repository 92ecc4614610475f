/* words.h - short texts put together on the hot path: what snprintf() does with the plainest of its conversions, several times faster.
 *
 * Pure functions: any thread. */
#pragma once
#include "base/base.h"

#include <stdarg.h>

/** As vsnprintf(): the length it would have; at most size - 1 octets and a NUL are written. %s, %.*s, %.Ns, %u, %d, %lld, %llu, %zu, %0Nu and %%
 *  are done here, a format with anything else is vsnprintf()'s. */
size_t words_vput(char *dst, size_t size, const char *format, va_list ap) __attribute__((format(printf, 3, 0)));
size_t words_put(char *dst, size_t size, const char *format, ...) PRINTF(3, 4);
/** Decimal. @return how many octets, at most 20; no NUL */
size_t words_int(char *dst, int64_t v);
