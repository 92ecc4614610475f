#include "base/buf.h"

#include "base/words.h"

#include <stdarg.h>

void buf_done(struct buf *b)
{
    free(b->p);
    *b = (struct buf){ 0 };
}

void buf_clear(struct buf *b)
{
    b->n = 0;
}

char *buf_room(struct buf *b, size_t n)
{
    if (b->bad)
        return NULL;
    if (b->cap - b->n < n) {
        size_t need = b->n + n, cap = b->cap ? b->cap : 256;
        bool absurd = n >= (size_t)1 << 38;          /* at the end of the scale doubling comes round to 0 */
        while (!absurd && cap < need)
            cap *= 2;
        char *p = absurd ? NULL : realloc(b->p, cap);
        if (!p) {
            b->bad = true;
            return NULL;
        }
        b->p = p;
        b->cap = cap;
    }
    return b->p + b->n;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
    char *to = n ? buf_room(b, n) : NULL;
    if (!to)
        return;
    memcpy(to, p, n);
    b->n += n;
}

void buf_put_int(struct buf *b, int64_t v)
{
    enum { MOST = 20 };
    char *to = buf_room(b, MOST);
    if (to)
        b->n += words_int(to, v);
}

void buf_puts(struct buf *b, struct str s)
{
    buf_put(b, s.p, s.n);
}

void buf_putz(struct buf *b, const char *z)
{
    buf_put(b, z, strlen(z));
}

void buf_putc(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}

void buf_put_escaped(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.'
                     || c == '_' || c == '~';
        if (plain)
            buf_putc(b, (char)c);
        else
            buf_printf(b, "%%%02X", c);
    }
}

void buf_printf(struct buf *b, const char *format, ...)
{
    enum { MOSTLY = 64 };               /* what is printed is seldom longer: one pass */
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    char *to = buf_room(b, MOSTLY);
    size_t room = to ? b->cap - b->n : 0;
    size_t n = words_vput(to, room, format, ap);
    va_end(ap);
    if (n >= room) {
        to = buf_room(b, n + 1);
        if (to)
            words_vput(to, n + 1, format, again);
    }
    if (to)
        b->n += n;
    va_end(again);
}

struct str buf_str(const struct buf *b)
{
    return (struct str){ b->n ? b->p : "", b->n };
}
