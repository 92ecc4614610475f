#include "codec/sip/context.h"
#include "base/str.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool is_token(struct str s)      /* RFC 3261, 25.1 */
{
    for (size_t i = 0; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && !memchr("-.!%*_+`'~", s.p[i], 10))
            return false;
    return s.n;
}

bool sip_context_name(struct str name)
{
    const struct str own = STR("X-MS-Custom-"), user = STR("User-To-User");
    if (str_eq_nocase(name, user))
        return true;
    return name.n > own.n && name.n <= SIP_CONTEXT_NAME_MAX && str_eq_nocase((struct str){ name.p, own.n }, own) && is_token(name);
}

static bool is_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return s.n && utf8_valid(s);
}

static bool has(struct str context, struct str wanted)
{
    struct str name, value;
    while (sip_context_next(&context, &name, &value))
        if (str_eq_nocase(name, wanted))
            return true;
    return false;
}

enum err sip_context_add(char *context, struct str name, struct str value)
{
    if (!sip_context_name(name) || !is_value(value))
        return ERR_RANGE;
    size_t n = strlen(context);
    if (has((struct str){ context, n }, name))
        return ERR_CONFLICT;
    if (n + name.n + value.n + 5 > SIP_CONTEXT_SIZE)
        return ERR_BUSY;
    snprintf(context + n, SIP_CONTEXT_SIZE - n, STR_FMT ": " STR_FMT "\r\n", STR_ARG(name), STR_ARG(value));
    return ERR_NONE;
}

bool sip_context_next(struct str *context, struct str *name, struct str *value)
{
    while (context->n) {
        const char *end = memchr(context->p, '\n', context->n);
        size_t n = end ? (size_t)(end - context->p) : context->n;
        struct str line = { context->p, n };
        *context = str_from(*context, end ? n + 1 : n);
        while (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
        if (!colon)
            continue;
        *name = (struct str){ line.p, (size_t)(colon - line.p) };
        *value = str_from(line, name->n + 1);
        while (value->n && *value->p == ' ')
            *value = str_from(*value, 1);
        if (sip_context_name(*name) && value->n)
            return true;
    }
    return false;
}
