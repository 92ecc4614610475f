/* http_framing.c - where a request ends and which host it is for: what two readers could understand in two ways is refused.
 *
 * libmicrohttpd takes the last of two Content-Length, keeps a connection open behind Content-Length with Transfer-Encoding, reads a
 * coding it does not know until the peer closes, and leaves Host to us. Behind a proxy that reads otherwise, the rest of one
 * client's request would be the beginning of the next one's (RFC 9112, 11.2). */
#include "base/str.h"
#include "edge/api/http_priv.h"

/* RFC 9110, 5.6.2: nothing else may stand before the colon, no blank either. */
static bool is_token(struct str name)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (!c || !strchr(others, c)))
            return false;
    }
    return name.n > 0;
}

static size_t count(const struct call *c, struct str name)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_headers; i++)
        n += str_eq_nocase(c->headers[i].name, name);
    return n;
}

static enum err broken(struct call *c, enum err err, const char *words)
{
    return problem_set(&c->hc.why, err, err == ERR_UNBUILT ? "NotImplemented" : "BadRequest", "%s", words);
}

/* RFC 9112, 6.1 and 6.3 */
static enum err check_length(struct call *c, bool old)
{
    size_t lengths = count(c, STR("content-length")), codings = count(c, STR("transfer-encoding"));
    if (lengths > 1)
        return broken(c, ERR_SYNTAX, "Content-Length stands more than once.");
    if (!codings)
        return ERR_NONE;
    if (lengths || old)
        return broken(c, ERR_SYNTAX, lengths ? "Content-Length and Transfer-Encoding do not go together."
                                             : "HTTP/1.0 has no Transfer-Encoding.");
    return codings == 1 && str_eq_nocase(call_header(c, STR("transfer-encoding")), STR("chunked"))
        ? ERR_NONE : broken(c, ERR_UNBUILT, "The only Transfer-Encoding taken is chunked.");
}

/* RFC 9112, 3.2. @param authority  of a target in absolute form, else empty */
static enum err check_host(struct call *c, bool old, struct str authority)
{
    size_t hosts = count(c, STR("host"));
    if (hosts > 1 || (!hosts && !old))
        return broken(c, ERR_SYNTAX, hosts ? "Host stands more than once." : "There is no Host header.");
    if (authority.n && hosts && !str_eq_nocase(authority, call_header(c, STR("host"))))
        return broken(c, ERR_SYNTAX, "The target names another host than the Host header.");
    return ERR_NONE;
}

enum err front_framing(struct call *c, const char *version)
{
    bool old = strcmp(version, "HTTP/1.1") < 0;
    for (size_t i = 0; i < c->n_headers; i++)
        if (!is_token(c->headers[i].name))
            return broken(c, ERR_SYNTAX, "The name of a header has a blank or another character that no name has.");
    enum err err = check_length(c, old);
    return err ? err : check_host(c, old, c->authority);
}
