/* str.h - comparing, cutting and converting borrowed strings; hex and base64.
 *
 * Pure functions: any thread. Nothing here allocates. */
#pragma once
#include "base/base.h"

struct str str_of(const char *z);                       /* NULL gives the empty string */
bool str_eq(struct str a, struct str b);
bool str_eqz(struct str a, const char *z);
bool str_eq_nocase(struct str a, struct str b);         /* ASCII letters only */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_trim(struct str s);                      /* ASCII blanks at both ends */
struct str str_from(struct str s, size_t offset);       /* the rest from `offset`; empty when beyond the end */
/** Position of `c`, or -1. */
ssize_t str_find(struct str s, char c);
/** Cut at the first `c`: *head before it, *rest behind it. False (head = s, rest empty) when there is none. */
bool str_cut(struct str s, char c, struct str *head, struct str *rest);

/** Decimal digits only, no sign, no blanks. @return ERR_NONE, ERR_SYNTAX, ERR_RANGE (over max) */
MUST_USE enum err str_u64(struct str s, uint64_t max, uint64_t *out);

/** Copy as a C string, cut to fit; always terminated. @return the copied length */
size_t str_copyz(char *dst, size_t size, struct str s);
/** Copy to *at, with a NUL (n + 1 octets), and move *at behind it: for strings that live in one block behind a struct. */
struct str str_put(char **at, struct str s);

/** 0..15, either case; -1: no hex digit. */
int hex_digit(char c);
/** Lower-case hex. dst holds 2*n+1 octets and is terminated. */
void hex_write(char *dst, const void *src, size_t n);
/** @return ERR_SYNTAX for odd length or a strange digit, ERR_SIZE when dst is too small */
MUST_USE enum err hex_read(void *dst, size_t size, struct str s, size_t *n);

/** RFC 4648 with padding. dst holds BASE64_SIZE(n) octets and is terminated. @return length */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)
size_t base64_write(char *dst, const void *src, size_t n);
/** Strict, padded. @return ERR_SYNTAX, ERR_SIZE when dst is too small */
MUST_USE enum err base64_read(void *dst, size_t size, struct str s, size_t *n);
/** RFC 4648 section 5, no padding (JWT, RFC 7515). */
size_t base64url_write(char *dst, const void *src, size_t n);

/** Is it valid UTF-8 (RFC 3629: no surrogates, no overlong forms)? */
bool utf8_valid(struct str s);
/** Length in UTF-16 code units; the text must be valid. */
size_t utf8_utf16_units(struct str s);
/** Next code point of valid text, moving *at. At the end: UINT32_MAX. */
uint32_t utf8_next(struct str s, size_t *at);
/** Write one code point. @return 1..4 octets */
size_t utf8_put(char dst[4], uint32_t cp);
