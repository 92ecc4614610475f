/* base.h - what every file may use: errors, borrowed strings, attributes, scoped cleanup.
 *
 * No product words here. Nothing in this header allocates, locks or blocks. */
#pragma once
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* name, words for logs. Each edge turns these into its own language in one place, by a switch without default. */
#define ERRS(E)                                                                       \
    E(ERR_NONE,        "no error")                                                    \
    E(ERR_NOMEM,       "out of memory")                                               \
    E(ERR_RANGE,       "a value is outside what is allowed")                          \
    E(ERR_SYNTAX,      "malformed")                                                   \
    E(ERR_SIZE,        "too large")                                                   \
    E(ERR_ABSENT,      "no such thing")                                               \
    E(ERR_CONFLICT,    "something else was there first")                              \
    E(ERR_UNPROVEN,    "the caller did not prove who it is")                          \
    E(ERR_FORBIDDEN,   "a rule forbids it")                                           \
    E(ERR_UNPROCESSABLE, "well formed, but contradicts itself or what is there")      \
    E(ERR_BUSY,        "too much at once")                                            \
    E(ERR_STORE,       "the database failed")                                         \
    E(ERR_IO,          "input or output failed")                                      \
    E(ERR_CLOSED,      "the other end has gone, or this part is stopping")            \
    E(ERR_TIMEOUT,     "no answer in time")                                           \
    E(ERR_UNBUILT,     "not built yet")                                               \
    E(ERR_METHOD,      "that method is not offered here")

#define ERR_ENUM(name, words) name,
enum err { ERRS(ERR_ENUM) };
#undef ERR_ENUM

/** The words of the list above; never NULL. */
const char *err_words(enum err err);

#define MUST_USE     __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define NONSTRING    __attribute__((nonstring))
#define SMALL        __attribute__((packed))      /* an enum in one octet */

/** Makes `scoped(thing) struct thing *t = NULL;` free itself when its block ends. */
#define SCOPED_FREE(thing)                                          \
    static inline void thing##_free_scoped(struct thing **p)        \
    {                                                               \
        thing##_free(*p);                                           \
    }
#define scoped(thing) __attribute__((cleanup(thing##_free_scoped)))

#define ARRAY_LEN(a)  (sizeof(a) / sizeof *(a))
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

/** The monotonic clock: SIP, SMPP, RTP and HTTP deadlines. Microseconds from an arbitrary start. */
struct mono { int64_t us; };

/** Bytes borrowed from somewhere; lives as long as the buffer its user names. Not NUL-terminated unless said. */
struct str {
    const char *p;
    size_t      n;
};
#define STR(literal)  ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_FMT       "%.*s"
#define STR_ARG(s)    (int)(s).n, (s).p
