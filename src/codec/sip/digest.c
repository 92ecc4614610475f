#include "codec/sip/digest.h"
#include "base/crypto.h"
#include "base/str.h"

enum { HEX_MAX = 65 };

struct algorithm {
    const char *name;
    size_t      octets;
    void      (*hash)(uint8_t *out, struct str data);
};
static const struct algorithm algorithms[] = { { "MD5", 16, md5 }, { "SHA-256", 32, sha256 } };

static const struct algorithm *algorithm_of(struct str name)
{
    if (!name.n)
        return &algorithms[0];
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
        if (str_eq_nocase(name, str_of(algorithms[i].name)))
            return &algorithms[i];
    return NULL;
}

static bool offers_auth(struct str list)
{
    for (struct str item; list.n;) {
        str_cut(list, ',', &item, &list);
        if (str_eq_nocase(str_trim(item), STR("auth")))
            return true;
    }
    return false;
}

/* hash(text), as lower-case hex; clears the text. */
static enum err hash_hex(const struct algorithm *a, struct buf *text, char hex[HEX_MAX])
{
    uint8_t raw[32];
    if (text->bad)
        return ERR_NOMEM;
    a->hash(raw, buf_str(text));
    hex_write(hex, raw, a->octets);
    buf_clear(text);
    return ERR_NONE;
}

enum err digest_write(struct buf *out, const struct digest_challenge *c, const struct digest_answer *w)
{
    const struct algorithm *a = algorithm_of(c->algorithm);
    bool qop = c->qop.n > 0;
    char secret[HEX_MAX], request[HEX_MAX], response[HEX_MAX];
    if (!c->realm.n || !c->nonce.n)
        return ERR_SYNTAX;
    if (!a || (qop && !offers_auth(c->qop)))
        return ERR_UNBUILT;

    scoped_buf text = { 0 };
    buf_printf(&text, STR_FMT ":" STR_FMT ":" STR_FMT, STR_ARG(w->user), STR_ARG(c->realm), STR_ARG(w->password));
    enum err err = hash_hex(a, &text, secret);
    buf_printf(&text, STR_FMT ":" STR_FMT, STR_ARG(w->method), STR_ARG(w->uri));
    if (!err)
        err = hash_hex(a, &text, request);
    if (err)
        return err;
    buf_printf(&text, "%s:" STR_FMT ":", secret, STR_ARG(c->nonce));
    if (qop)
        buf_printf(&text, "%08x:" STR_FMT ":auth:", (unsigned)w->count, STR_ARG(w->cnonce));
    buf_putz(&text, request);
    err = hash_hex(a, &text, response);
    if (err)
        return err;

    buf_printf(out, "Digest username=\"" STR_FMT "\", realm=\"" STR_FMT "\", nonce=\"" STR_FMT "\", uri=\"" STR_FMT
               "\", response=\"%s\", algorithm=%s", STR_ARG(w->user), STR_ARG(c->realm), STR_ARG(c->nonce),
               STR_ARG(w->uri), response, a->name);
    if (c->opaque.n)
        buf_printf(out, ", opaque=\"" STR_FMT "\"", STR_ARG(c->opaque));
    if (qop)
        buf_printf(out, ", qop=auth, nc=%08x, cnonce=\"" STR_FMT "\"", (unsigned)w->count, STR_ARG(w->cnonce));
    return buf_err(out);
}
