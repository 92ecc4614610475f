#include "base/str.h"

#include <strings.h>

#define ERR_WORDS(name, words) [name] = words,
static const char *const words_of[] = { ERRS(ERR_WORDS) };

const char *err_words(enum err err)
{
    return (size_t)err < ARRAY_LEN(words_of) ? words_of[err] : "unknown error";
}

struct str str_of(const char *z)
{
    return z ? (struct str){ z, strlen(z) } : (struct str){ "", 0 };
}

bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_eqz(struct str a, const char *z)
{
    return str_eq(a, str_of(z));
}

bool str_eq_nocase(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq((struct str){ s.p, prefix.n }, prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq(str_from(s, s.n - suffix.n), suffix);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.n && is_blank(s.p[0]))
        s.p++, s.n--;
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

struct str str_from(struct str s, size_t offset)
{
    if (offset >= s.n)
        return (struct str){ "", 0 };
    return (struct str){ s.p + offset, s.n - offset };
}

ssize_t str_find(struct str s, char c)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
    return hit ? hit - s.p : -1;
}

bool str_cut(struct str s, char c, struct str *head, struct str *rest)
{
    ssize_t at = str_find(s, c);
    if (at < 0) {
        *head = s;
        *rest = (struct str){ "", 0 };
        return false;
    }
    *head = (struct str){ s.p, (size_t)at };
    *rest = str_from(s, (size_t)at + 1);
    return true;
}

enum err str_u64(struct str s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    if (!s.n)
        return ERR_SYNTAX;
    for (size_t i = 0; i < s.n; i++) {
        unsigned d = (unsigned char)s.p[i] - '0';
        if (d > 9)
            return ERR_SYNTAX;
        if (v > (UINT64_MAX - d) / 10)
            return ERR_RANGE;
        v = v * 10 + d;
    }
    if (v > max)
        return ERR_RANGE;
    *out = v;
    return ERR_NONE;
}

size_t str_copyz(char *dst, size_t size, struct str s)
{
    if (!size)
        return 0;
    size_t n = s.n < size - 1 ? s.n : size - 1;
    if (n)
        memcpy(dst, s.p, n);
    dst[n] = '\0';
    return n;
}

struct str str_put(char **at, struct str s)
{
    struct str copy = { *at, s.n };
    if (s.n)
        memcpy(*at, s.p, s.n);
    (*at)[s.n] = '\0';
    *at += s.n + 1;
    return copy;
}

void hex_write(char *dst, const void *src, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *b = src;
    for (size_t i = 0; i < n; i++) {
        dst[2 * i] = digits[b[i] >> 4];
        dst[2 * i + 1] = digits[b[i] & 15];
    }
    dst[2 * n] = '\0';
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum err hex_read(void *dst, size_t size, struct str s, size_t *n)
{
    unsigned char *out = dst;
    if (s.n % 2)
        return ERR_SYNTAX;
    if (s.n / 2 > size)
        return ERR_SIZE;
    for (size_t i = 0; i < s.n; i += 2) {
        int hi = hex_digit(s.p[i]), lo = hex_digit(s.p[i + 1]);
        if (hi < 0 || lo < 0)
            return ERR_SYNTAX;
        out[i / 2] = (unsigned char)(hi << 4 | lo);
    }
    *n = s.n / 2;
    return ERR_NONE;
}

static size_t base64_put(char *dst, const unsigned char *b, size_t n, const char *abc, bool pad)
{
    char *d = dst;
    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)b[i] << 16;
        if (i + 1 < n)
            v |= (unsigned)b[i + 1] << 8;
        if (i + 2 < n)
            v |= b[i + 2];
        *d++ = abc[v >> 18];
        *d++ = abc[v >> 12 & 63];
        if (i + 1 < n || pad)
            *d++ = i + 1 < n ? abc[v >> 6 & 63] : '=';
        if (i + 2 < n || pad)
            *d++ = i + 2 < n ? abc[v & 63] : '=';
    }
    *d = '\0';
    return (size_t)(d - dst);
}

size_t base64_write(char *dst, const void *src, size_t n)
{
    return base64_put(dst, src, n, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
}

size_t base64url_write(char *dst, const void *src, size_t n)
{
    return base64_put(dst, src, n, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

enum err base64_read(void *dst, size_t size, struct str s, size_t *n)
{
    unsigned char *out = dst;
    size_t at = 0;
    if (s.n % 4)
        return ERR_SYNTAX;
    for (size_t i = 0; i < s.n; i += 4) {
        bool last = i + 4 == s.n;
        size_t pads = last && s.p[i + 3] == '=' ? (s.p[i + 2] == '=' ? 2 : 1) : 0;
        unsigned v = 0;
        for (size_t k = 0; k < 4; k++) {
            int d = k >= 4 - pads ? 0 : base64_digit(s.p[i + k]);
            if (d < 0)
                return ERR_SYNTAX;
            v = v << 6 | (unsigned)d;
        }
        if (v & ((1u << 8 * pads) - 1))
            return ERR_SYNTAX;      /* bits that no encoder sets (RFC 4648, 3.5) */
        if (at + 3 - pads > size)
            return ERR_SIZE;
        for (size_t k = 0; k < 3 - pads; k++)
            out[at++] = (unsigned char)(v >> (16 - 8 * k));
    }
    *n = at;
    return ERR_NONE;
}

/* One code point at s.p[*at]; false when it is not valid UTF-8 (RFC 3629). */
static bool utf8_take(struct str s, size_t *at, uint32_t *cp)
{
    const unsigned char *b = (const unsigned char *)s.p + *at;
    size_t left = s.n - *at, len;
    uint32_t v, least;
    if (b[0] < 0x80)      { *cp = b[0]; ++*at; return true; }
    else if (b[0] < 0xc2) return false;
    else if (b[0] < 0xe0) { len = 2; v = b[0] & 0x1f; least = 0x80; }
    else if (b[0] < 0xf0) { len = 3; v = b[0] & 0x0f; least = 0x800; }
    else if (b[0] < 0xf5) { len = 4; v = b[0] & 0x07; least = 0x10000; }
    else return false;
    if (left < len)
        return false;
    for (size_t i = 1; i < len; i++) {
        if ((b[i] & 0xc0) != 0x80)
            return false;
        v = v << 6 | (b[i] & 0x3f);
    }
    if (v < least || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
        return false;
    *cp = v;
    *at += len;
    return true;
}

bool utf8_valid(struct str s)
{
    uint32_t cp;
    for (size_t at = 0; at < s.n;)
        if (!utf8_take(s, &at, &cp))
            return false;
    return true;
}

uint32_t utf8_next(struct str s, size_t *at)
{
    uint32_t cp;
    if (*at >= s.n || !utf8_take(s, at, &cp))
        return UINT32_MAX;
    return cp;
}

size_t utf8_utf16_units(struct str s)
{
    size_t units = 0, at = 0;
    for (uint32_t cp; (cp = utf8_next(s, &at)) != UINT32_MAX;)
        units += cp > 0xffff ? 2 : 1;
    return units;
}

size_t utf8_put(char dst[4], uint32_t cp)
{
    if (cp < 0x80) {
        dst[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        dst[0] = (char)(0xc0 | cp >> 6);
        dst[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        dst[0] = (char)(0xe0 | cp >> 12);
        dst[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        dst[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    dst[0] = (char)(0xf0 | cp >> 18);
    dst[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    dst[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    dst[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}
