#include "net/sip_stack_priv.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/str.h"
#include "codec/sip/digest.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

const char sip_allow[] = "INVITE, ACK, CANCEL, BYE, OPTIONS";

void sip_uri_write(char *dst, const char *user, const char *host, uint16_t port, enum sip_transport transport, bool phone)
{
    const char *open = strchr(host, ':') ? "[" : "", *close = *open ? "]" : "";
    snprintf(dst, SIP_URI_SIZE, "sip:%s%s%s%s%s:%u%s%s", user, *user ? "@" : "", open, host, close, port,
             phone ? ";user=phone" : "", transport == SIP_TCP ? ";transport=tcp" : "");
}

void sip_name_addr_write(char *dst, size_t size, const char *display, const char *uri)
{
    size_t n = 0;
    if (*display && size > 4) {
        dst[n++] = '"';
        for (const char *c = display; *c && n + 4 < size; c++) {
            if (*c == '"' || *c == '\\')
                dst[n++] = '\\';
            dst[n++] = (unsigned char)*c < ' ' ? ' ' : *c;
        }
        dst[n++] = '"';
        dst[n++] = ' ';
    }
    snprintf(dst + n, size - n, "<%s>", uri);
}

const char *sip_reason_write(char dst[SIP_REASON_SIZE], int q850)
{
    if (!q850)
        return NULL;
    snprintf(dst, SIP_REASON_SIZE, "Q.850;cause=%d", q850);
    return dst;
}

int sip_reason_read(const sip_reason_t *reason)
{
    for (; reason; reason = reason->re_next) {
        uint64_t cause;
        if (reason->re_protocol && !strcasecmp(reason->re_protocol, "Q.850") && reason->re_cause
            && !str_u64(str_of(reason->re_cause), 127, &cause))
            return (int)cause;
    }
    return 0;
}

void sip_user_read(char *dst, const url_t *url)
{
    *dst = 0;
    /* of a tel: URI the number stands where a sip: URI has its user, or its host */
    const char *from = !url ? NULL : url->url_user ? url->url_user : url->url_type == url_tel ? url->url_host : NULL;
    if (!from)
        return;
    char *plain = strdup(from);
    if (!plain)
        return;
    url_unescape(plain, plain);
    size_t n = 0;
    for (const char *c = plain; *c && *c != ';' && n + 1 < SIP_USER_SIZE; c++) {
        bool phone = n ? *dst == '+' || isdigit((unsigned char)*dst) : false;
        if ((unsigned char)*c > ' ' && !(phone && strchr("-.()", *c)))
            dst[n++] = *c;
    }
    dst[n] = 0;
    free(plain);
}

void sip_display_read(char dst[SIP_DISPLAY_SIZE], const char *quoted)
{
    size_t n = 0;
    for (const char *c = quoted ? quoted : ""; *c && n + 1 < SIP_DISPLAY_SIZE; c++) {
        if (*c == '\\' && c[1])
            c++;
        else if (*c == '"')
            continue;
        dst[n++] = (unsigned char)*c < ' ' ? ' ' : *c;
    }
    dst[n] = 0;
}

bool sip_user_valid(struct str user)
{
    if (!user.n || user.n >= SIP_USER_SIZE)
        return false;
    for (size_t i = 0; i < user.n; i++)
        if (!isalnum((unsigned char)user.p[i]) && !memchr("+*-_.", user.p[i], 5))
            return false;
    return true;
}

struct str sip_body(const sip_t *sip)
{
    const sip_payload_t *p = sip ? sip->sip_payload : NULL;
    return p && p->pl_data ? (struct str){ p->pl_data, p->pl_len } : (struct str){ "", 0 };
}

void sip_asserted_read(char *dst, const sip_t *sip)
{
    *dst = 0;
    for (const sip_unknown_t *u = sip->sip_unknown; u && !*dst; u = u->un_next) {
        if (!u->un_name || !u->un_value || strcasecmp(u->un_name, "P-Asserted-Identity"))
            continue;
        su_home_t home[1] = { SU_HOME_INIT(home) };
        su_home_init(home);
        const sip_from_t *who = sip_from_make(home, u->un_value);
        sip_user_read(dst, who ? who->a_url : NULL);
        su_home_deinit(home);
    }
}

void sip_context_read(char *dst, const sip_t *sip)
{
    *dst = 0;
    for (const sip_unknown_t *u = sip->sip_unknown; u; u = u->un_next)
        if (u->un_name && u->un_value)
            (void)!sip_context_add(dst, str_of(u->un_name), str_of(u->un_value));
}

void sip_source(msg_t *msg, char host[SDP_HOST_SIZE], uint16_t *port)
{
    const su_sockaddr_t *su = msg_addr(msg);
    static const char mapped[] = "::ffff:";
    *host = 0;
    *port = 0;
    if (!su)
        return;
    inet_ntop(su->su_family, SU_ADDR(su), host, SDP_HOST_SIZE);
    *port = ntohs(su->su_port);
    if (!strncmp(host, mapped, sizeof mapped - 1) && strchr(host, '.'))
        memmove(host, host + sizeof mapped - 1, strlen(host + sizeof mapped - 1) + 1);
}

bool sip_credentials_valid(struct str user, struct str password)
{
    if (user.n >= SIP_USER_SIZE || password.n >= SIP_USER_SIZE)
        return false;
    for (size_t i = 0; i < user.n; i++)
        if ((unsigned char)user.p[i] < ' ' || user.p[i] == '"' || user.p[i] == '\\')
            return false;
    return true;
}

/* A challenge's parameter without its quotes. Escapes stay: they are sent back as they came. */
static struct str parameter(const msg_auth_t *auth, const char *name)
{
    struct str value = str_of(msg_params_find(auth->au_params, name));
    if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        value = (struct str){ value.p + 1, value.n - 2 };
    return value;
}

static enum err answer_one(struct buf *out, const msg_auth_t *auth, const struct digest_answer *answer)
{
    struct digest_challenge c = { parameter(auth, "realm="), parameter(auth, "nonce="), parameter(auth, "opaque="),
                                  parameter(auth, "algorithm="), parameter(auth, "qop=") };
    return !auth->au_scheme || strcasecmp(auth->au_scheme, "Digest") ? ERR_UNBUILT : digest_write(out, &c, answer);
}

enum err sip_credentials_write(struct buf *out, const sip_t *response, nta_outgoing_t *request,
                               const struct sip_invite_plan *plan)
{
    bool proxy = response->sip_proxy_authenticate != NULL;
    char uri[SIP_URI_SIZE], cnonce[2 * sizeof(uint64_t) + 1];
    uint64_t random = random_u64();
    hex_write(cnonce, &random, sizeof random);
    const url_t *target = nta_outgoing_request_uri(request);
    if (!target || url_e(uri, sizeof uri, target) >= (issize_t)sizeof uri)
        return ERR_ABSENT;
    struct digest_answer answer = { .user = str_of(plan->user), .password = str_of(plan->password), .count = 1,
                                    .method = str_of(nta_outgoing_method_name(request)), .uri = str_of(uri),
                                    .cnonce = str_of(cnonce) };
    const msg_auth_t *auth = proxy ? response->sip_proxy_authenticate : response->sip_www_authenticate;
    buf_putz(out, proxy ? "Proxy-Authorization: " : "Authorization: ");
    enum err err = ERR_ABSENT;
    for (; auth && err && err != ERR_NOMEM; auth = auth->au_next)       /* the first that we can: RFC 8760, 2.4 */
        err = answer_one(out, auth, &answer);
    buf_putc(out, 0);
    return !err ? buf_err(out) : err == ERR_NOMEM ? err : ERR_ABSENT;
}
