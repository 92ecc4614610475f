#include "base/words.h"

#include <stdio.h>
#include <string.h>

struct out {
    char  *dst;
    size_t size, n;                     /* n: as long as it would be */
};

static void put(struct out *o, const char *p, size_t n)
{
    if (n && o->n < o->size)
        memcpy(o->dst + o->n, p, n < o->size - o->n ? n : o->size - o->n);
    o->n += n;
}

static size_t digits(char *dst, uint64_t v)
{
    char back[20];
    size_t n = 0;
    do
        back[n++] = (char)('0' + v % 10);
    while (v /= 10);
    for (size_t i = 0; i < n; i++)
        dst[i] = back[n - 1 - i];
    return n;
}

size_t words_int(char *dst, int64_t v)
{
    if (v >= 0)
        return digits(dst, (uint64_t)v);
    *dst = '-';
    return 1 + digits(dst + 1, 0 - (uint64_t)v);
}

static void put_unsigned(struct out *o, uint64_t v, size_t width)
{
    char text[20];
    size_t n = digits(text, v);
    for (; n < width; width--)
        put(o, "0", 1);
    put(o, text, n);
}

static void put_signed(struct out *o, int64_t v)
{
    char text[21];
    put(o, text, words_int(text, v));
}

/* What stands behind '%'. */
struct conversion {
    char   what;                        /* 's', 'u', 'd'; 'U', 'D': of a long long; 'Z': of a size_t; '%'; 0: none of ours */
    bool   star;
    size_t most, width;                 /* of a text; of a number, filled with zeros */
};

static const char *number_of(const char *f, size_t *out)
{
    *out = 0;
    while (*f >= '0' && *f <= '9' && *out < 100000)
        *out = *out * 10 + (size_t)(*f++ - '0');
    return f;
}

static const char *conversion_read(const char *f, struct conversion *c)
{
    *c = (struct conversion){ .most = SIZE_MAX };
    if (f[0] == '.' && f[1] == '*') {
        c->star = true;
        f += 2;
    } else if (f[0] == '.') {
        f = number_of(f + 1, &c->most);
    } else if (f[0] == '0') {
        f = number_of(f + 1, &c->width);
    }
    bool of_text = c->star || c->most != SIZE_MAX;
    char what = *f ? *f++ : 0;
    if (what == 's' || (!of_text && (what == 'u' || (!c->width && (what == 'd' || what == '%')))))
        c->what = what;
    else if (!of_text && !c->width && what == 'l' && f[0] == 'l' && (f[1] == 'u' || f[1] == 'd'))
        c->what = f[1] == 'u' ? 'U' : 'D', f += 2;
    else if (!of_text && !c->width && what == 'z' && f[0] == 'u')
        c->what = 'Z', f++;
    if (what == 's' && c->width)
        c->what = 0;
    return f;
}

static void convert(struct out *o, const struct conversion *c, va_list *ap)
{
    if (c->what == '%') {
        put(o, "%", 1);
    } else if (c->what == 's') {
        int star = c->star ? va_arg(*ap, int) : 0;
        const char *text = va_arg(*ap, const char *);
        size_t most = c->star && star >= 0 ? (size_t)star : c->most;
        if (most && !text)
            text = "(null)";            /* as glibc has it */
        put(o, text, !most ? 0 : most == SIZE_MAX ? strlen(text) : strnlen(text, most));
    } else if (c->what == 'u') {
        put_unsigned(o, va_arg(*ap, unsigned), c->width);
    } else if (c->what == 'd') {
        put_signed(o, va_arg(*ap, int));
    } else if (c->what == 'U') {
        put_unsigned(o, va_arg(*ap, unsigned long long), 0);
    } else if (c->what == 'D') {
        put_signed(o, va_arg(*ap, long long));
    } else {
        put_unsigned(o, va_arg(*ap, size_t), 0);
    }
}

size_t words_vput(char *dst, size_t size, const char *format, va_list given)
{
    struct out o = { dst, size ? size - 1 : 0, 0 };
    va_list ap;
    va_copy(ap, given);
    for (const char *f = format; *f;) {
        const char *at = strchr(f, '%');
        put(&o, f, at ? (size_t)(at - f) : strlen(f));
        if (!at)
            break;
        struct conversion c;
        f = conversion_read(at + 1, &c);
        if (!c.what) {
            va_end(ap);
            int n = vsnprintf(dst, size, format, given);
            return n < 0 ? 0 : (size_t)n;
        }
        convert(&o, &c, &ap);
    }
    va_end(ap);
    if (size)
        dst[o.n < o.size ? o.n : o.size] = '\0';
    return o.n;
}

size_t words_put(char *dst, size_t size, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    size_t n = words_vput(dst, size, format, ap);
    va_end(ap);
    return n;
}
