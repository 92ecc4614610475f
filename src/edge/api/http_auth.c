#include "edge/api/http_auth.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"
#include "edge/api/http_token.h"

enum { HASH_OCTETS = 32, SKEW_MINUTES = 15 };

static enum err denied(struct problem *why, const char *rule, const char *words)
{
    enum err err = problem_set(why, ERR_UNPROVEN, "Denied", "Denied by the resource provider.");
    problem_rule(why, rule, "%s", words);
    return err;
}

/* -- the query as JS signs it -------------------------------------------------------------------------------------- */

static bool form_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '*' || c == '-' || c == '.'
           || c == '_';
}

static void form_put(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789ABCDEF";
    if (c == ' ')
        buf_putc(b, '+');
    else if (form_plain(c))
        buf_putc(b, (char)c);
    else
        buf_put(b, (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
}

/* One name or value, decoded and encoded in one walk. A % that starts no escape is itself (WHATWG URL, 5.1). */
static void form_again(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        int hi = c == '%' && i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
        int lo = hi >= 0 ? hex_digit(s.p[i + 2]) : -1;
        if (lo >= 0) {
            c = (unsigned char)(hi << 4 | lo);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        form_put(b, c);
    }
}

struct str http_auth_form_target(struct arena *arena, struct str target)
{
    struct str path, query, pair, name, value;
    if (!str_cut(target, '?', &path, &query))
        return target;
    scoped_buf b = { 0 };
    buf_puts(&b, path);
    char before = '?';
    while (query.n) {
        str_cut(query, '&', &pair, &query);
        if (!pair.n)
            continue;
        str_cut(pair, '=', &name, &value);
        buf_putc(&b, before);
        form_again(&b, name);
        buf_putc(&b, '=');
        form_again(&b, value);
        before = '&';
    }
    return b.bad ? (struct str){ NULL, 0 } : arena_str(arena, buf_str(&b));
}

/* -- the spellings ------------------------------------------------------------------------------------------------- */

static struct str without_port(struct str host)
{
    size_t n = host.n;
    while (n && host.p[n - 1] >= '0' && host.p[n - 1] <= '9')
        n--;
    return n && n < host.n && host.p[n - 1] == ':' ? (struct str){ host.p, n - 1 } : host;
}

static struct str without_query(struct str target)
{
    struct str path, query;
    str_cut(target, '?', &path, &query);
    return path;
}

/* In order of how often they are met. */
enum spelling {
    RAW,                /* Python, Java, .NET; JS when nothing needs escaping */
    FORM,               /* JS: the query through URLSearchParams */
    RAW_NO_PORT,        /* hand-written clients: the host's name without its port */
    FORM_NO_PORT,
    NO_SLASH,           /* Python over http: the path without its first slash */
    CONTENT_BARE,       /* JS downloading a recording: the path alone, and x-ms-host */
    CONTENT_RAW,
    SPELLINGS,
};

/* The string to sign as this sort of client spells it. {"", 0}: not spelled so here; {NULL, 0}: out of memory. */
static struct str spell(enum spelling how, const struct http_signed *rq, struct arena *arena)
{
    static const struct str unlike = { "", 0 };
    bool form = how == FORM || how == FORM_NO_PORT, no_port = how == RAW_NO_PORT || how == FORM_NO_PORT;
    bool content = how == CONTENT_BARE || how == CONTENT_RAW;
    struct str target = rq->target, host = rq->host;
    if (form && str_find(target, '?') < 0)
        return unlike;
    if (content && (!rq->content || !rq->ms_host.n))
        return unlike;
    if (form)
        target = http_auth_form_target(arena, target);
    if (how == NO_SLASH)
        target = str_from(target, 1);
    if (how == CONTENT_BARE)
        target = without_query(target);
    if (no_port)
        host = without_port(host);
    if (content)
        host = rq->ms_host;
    if (!target.p)
        return target;
    if (no_port && host.n == rq->host.n)
        return unlike;
    return arena_printf(arena, STR_FMT "\n" STR_FMT "\n" STR_FMT ";" STR_FMT ";" STR_FMT, STR_ARG(rq->method),
                        STR_ARG(target), STR_ARG(rq->date), STR_ARG(host), STR_ARG(rq->content_hash));
}

/* -- the proof ----------------------------------------------------------------------------------------------------- */

struct attempt {
    struct str text;                    /* the string to sign */
    uint8_t    signature[HASH_OCTETS];  /* the caller's */
};

static bool attempt_fits(void *arg, struct str key)
{
    const struct attempt *at = arg;
    uint8_t made[HASH_OCTETS];
    hmac_sha256(made, key.p, key.n, at->text);
    return equal_constant_time(made, at->signature, sizeof made);
}

/* "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=..." */
static enum err signature_read(struct str header, uint8_t signature[HASH_OCTETS], struct problem *why)
{
    static const struct str scheme = { "HMAC-SHA256 ", 12 };
    static const struct str list = { "SignedHeaders=x-ms-date;host;x-ms-content-sha256", 48 };
    static const struct str value = { "Signature=", 10 };
    struct str names, proof;
    uint8_t octets[HASH_OCTETS + 3];
    size_t n;
    if (!header.n)
        return denied(why, "NoCredentials", "There is no Authorization header; sign the request with an access key.");
    if (header.n < scheme.n || !str_eq_nocase((struct str){ header.p, scheme.n }, scheme))
        return denied(why, "MalformedCredentials", "Authorization is neither HMAC-SHA256 nor Bearer.");
    if (!str_cut(str_trim(str_from(header, scheme.n)), '&', &names, &proof) || !str_eq_nocase(names, list)
        || !str_starts(proof, value))
        return denied(why, "MalformedCredentials",
                      "Expected HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=BASE64.");
    if (base64_read(octets, sizeof octets, str_from(proof, value.n), &n) || n != HASH_OCTETS)
        return denied(why, "MalformedCredentials", "The signature is not base64 of 32 octets.");
    memcpy(signature, octets, HASH_OCTETS);
    return ERR_NONE;
}

static enum err date_check(const struct http_signed *rq, struct problem *why)
{
    int64_t date, off;
    if (!rq->date.n)
        return denied(why, "DateMissing", "There is no x-ms-date header.");
    if (time_rfc1123_read(rq->date, &date))
        return denied(why, "DateMalformed", "x-ms-date is not of the form 'Sun, 22 Nov 2026 19:23:56 GMT'.");
    off = rq->now_us > date ? rq->now_us - date : date - rq->now_us;
    if (off > (int64_t)SKEW_MINUTES * 60 * US_PER_S)
        return denied(why, "DateSkew", "x-ms-date is more than 15 minutes from this server's clock.");
    return ERR_NONE;
}

static enum err hash_check(const struct http_signed *rq, struct problem *why)
{
    uint8_t hash[HASH_OCTETS];
    char text[BASE64_SIZE(HASH_OCTETS)];
    if (!rq->content_hash.n)
        return denied(why, "HashMissing", "There is no x-ms-content-sha256 header.");
    sha256(hash, rq->body.n ? rq->body : STR(""));
    size_t n = base64_write(text, hash, sizeof hash);
    if (rq->content_hash.n != n || !equal_constant_time(text, rq->content_hash.p, n))
        return denied(why, "HashMismatch", "x-ms-content-sha256 is not the hash of the body that arrived.");
    return ERR_NONE;
}

static enum err try_spellings(struct keyring *ring, const struct http_signed *rq, struct keyring_question *q,
                              struct attempt *at, struct arena *arena, struct keyring_proof *out)
{
    enum err err = ERR_UNPROVEN;
    for (enum spelling how = RAW; how < SPELLINGS && err == ERR_UNPROVEN; how++) {
        at->text = spell(how, rq, arena);
        if (!at->text.p)
            return ERR_NOMEM;
        if (at->text.n)
            err = keyring_prove(ring, q, out);
    }
    return err;
}

/* -- bearer tokens ------------------------------------------------------------------------------------------------- */

static bool is_bearer(struct str header, struct str *token)
{
    static const struct str bearer = { "Bearer ", 7 };
    *token = str_trim(str_from(header, bearer.n));
    return header.n >= bearer.n && str_eq_nocase((struct str){ header.p, bearer.n }, bearer);
}

/* The keyring asks with the development key only where that may be used. */
static bool is_development_key(struct str key)
{
    char text[BASE64_SIZE(HASH_OCTETS)];
    return key.n == HASH_OCTETS && base64_write(text, key.p, key.n) && !strcmp(text, KEYRING_DEVELOPMENT_KEY);
}

static bool token_fits(void *arg, struct str key)
{
    const struct str *token = arg;
    return str_eqz(*token, KEYRING_DEVELOPMENT_KEY) ? is_development_key(key) : http_token_fits(*token, key);
}

static enum err prove_bearer(struct keyring *ring, const struct http_signed *rq, struct str token,
                             struct keyring_question *q, struct keyring_proof *out, struct problem *why)
{
    if (!rq->tls && !q->loopback)
        return denied(why, "TokenNeedsTls", "A bearer token came over plain HTTP, where anybody may read it: call https.");
    enum err err = str_eqz(token, KEYRING_DEVELOPMENT_KEY) ? ERR_NONE : http_token_check(token, rq->now_us / US_PER_S);
    if (err == ERR_TIMEOUT)
        return denied(why, "TokenExpired", "The bearer token has expired: `carterfone token` makes another.");
    if (err)
        return denied(why, "TokenMalformed", "This is no token that `carterfone token` makes; tokens of other issuers are "
                      "not built.");
    q->fits = token_fits;
    q->arg = &token;
    err = keyring_prove(ring, q, out);
    if (err == ERR_ABSENT)
        return denied(why, "UnknownResource", "No resource answers to this host, and there is no default one.");
    return err ? denied(why, "BadToken", "The bearer token was made with no key that may do this.") : ERR_NONE;
}

enum err http_auth_prove(struct keyring *ring, const struct http_signed *rq, struct keyring_question *q,
                         struct arena *arena, struct keyring_proof *out, struct problem *why)
{
    struct attempt at;
    struct str token;
    if (is_bearer(rq->authorization, &token))
        return prove_bearer(ring, rq, token, q, out, why);
    enum err err = signature_read(rq->authorization, at.signature, why);
    if (!err)
        err = date_check(rq, why);
    if (!err)
        err = hash_check(rq, why);
    if (err)
        return err;
    q->fits = attempt_fits;
    q->arg = &at;
    err = try_spellings(ring, rq, q, &at, arena, out);
    if (err == ERR_ABSENT)
        return denied(why, "UnknownResource", "No resource answers to this host, and there is no default one.");
    if (err == ERR_UNPROVEN)
        return denied(why, "BadSignature", "The signature fits no key of the resource: check the access key, and that "
                      "METHOD, path with query, x-ms-date, host and x-ms-content-sha256 are signed as sent.");
    return err;
}
