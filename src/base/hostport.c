#include "base/hostport.h"
#include "base/str.h"

enum err hostport_read(struct hostport *out, struct str text)
{
    struct str host, port;
    uint64_t value;
    if (text.n && text.p[0] == '[') {
        struct str rest;
        if (!str_cut(str_from(text, 1), ']', &host, &rest) || !rest.n || rest.p[0] != ':')
            return ERR_SYNTAX;
        port = str_from(rest, 1);
    } else if (!str_cut(text, ':', &host, &port) || str_find(port, ':') >= 0) {
        return ERR_SYNTAX;
    }
    if (!host.n)
        return ERR_SYNTAX;
    if (!port.n || str_u64(port, UINT16_MAX, &value))
        return ERR_RANGE;
    *out = (struct hostport){ host, (uint16_t)value };
    return ERR_NONE;
}
