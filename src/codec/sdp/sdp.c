#include "codec/sdp/sdp.h"
#include "base/str.h"

#include <arpa/inet.h>

enum { PORT_MAX = 65535, PTIME_MAX_MS = 200, PTIME_DEFAULT_MS = 20, PAYLOAD_MAX = 127, RATE_G711 = 8000 };

static const struct { uint8_t payload; const char *encoding; } g711[] = { { SDP_PCMU, "PCMU" }, { SDP_PCMA, "PCMA" } };
static const char *const direction_words[] = { "sendrecv", "sendonly", "recvonly", "inactive" };

/* -- reading ------------------------------------------------------------------------------------------------------- */

struct reader {
    struct sdp        *sdp;
    struct sdp_stream *stream;          /* the one whose lines follow; NULL: still in the session part */
    struct str         host;            /* the session's c= */
    enum sdp_direction direction;       /* the session's, inherited by streams */
    bool               has_version, has_origin;
};

/* The next word of a line, moving past it and one or more blanks. */
static struct str word(struct str *line)
{
    struct str head, rest;
    str_cut(str_trim(*line), ' ', &head, &rest);
    *line = str_trim(rest);
    return head;
}

static enum err read_origin(struct reader *r, struct str line)
{
    word(&line);                        /* user name */
    struct str id = word(&line), version = word(&line);
    if (!line.n)
        return ERR_SYNTAX;
    /* some peers write ids beyond 64 bits or with letters: we never need theirs, so they read as 0 */
    if (str_u64(id, UINT64_MAX, &r->sdp->id))
        r->sdp->id = 0;
    if (str_u64(version, UINT64_MAX, &r->sdp->version))
        r->sdp->version = 0;
    r->has_origin = true;
    return ERR_NONE;
}

/* "IN IP4 192.0.2.1", with "/ttl" behind a multicast address. */
static enum err read_connection(struct reader *r, struct str line)
{
    struct str net = word(&line), kind = word(&line), host, rest;
    if (!str_eqz(net, "IN") || (!str_eqz(kind, "IP4") && !str_eqz(kind, "IP6")) || !line.n)
        return ERR_SYNTAX;
    str_cut(line, '/', &host, &rest);
    *(r->stream ? &r->stream->host : &r->host) = host;
    return ERR_NONE;
}

static void read_formats(struct sdp_stream *s, struct str line)
{
    while (line.n) {
        uint64_t payload;
        struct str text = word(&line);
        if (s->n_formats < SDP_FORMATS_MAX && !str_u64(text, PAYLOAD_MAX, &payload))
            s->formats[s->n_formats++] = (struct sdp_format){ .payload = (uint8_t)payload };
    }
}

/* "audio 49170 RTP/AVP 0 8 101", the port perhaps "49170/2". */
static enum err read_media(struct reader *r, struct str line)
{
    if (r->sdp->n_streams == SDP_STREAMS_MAX)
        return ERR_SIZE;
    struct sdp_stream *s = &r->sdp->streams[r->sdp->n_streams];
    *s = (struct sdp_stream){ .host = r->host, .direction = r->direction };
    s->kind = word(&line);
    struct str port_text = word(&line), port_head, rest;
    s->proto = word(&line);
    s->formats_text = line;
    uint64_t port;
    str_cut(port_text, '/', &port_head, &rest);
    if (str_u64(port_head, PORT_MAX, &port) || !s->proto.n || !line.n)
        return ERR_SYNTAX;
    s->port = (uint16_t)port;
    read_formats(s, line);
    r->stream = s;
    r->sdp->n_streams++;
    return ERR_NONE;
}

/* "101 telephone-event/8000/1" */
static void read_rtpmap(struct sdp_stream *s, struct str value)
{
    uint64_t payload, rate;
    struct str encoding, rest, rate_text, channels;
    if (str_u64(word(&value), PAYLOAD_MAX, &payload) || !str_cut(value, '/', &encoding, &rest))
        return;
    str_cut(rest, '/', &rate_text, &channels);
    if (str_u64(rate_text, UINT32_MAX, &rate))
        return;
    for (size_t i = 0; i < s->n_formats; i++)
        if (s->formats[i].payload == payload) {
            s->formats[i].encoding = encoding;
            s->formats[i].rate = (uint32_t)rate;
        }
}

static void read_ptime(struct sdp_stream *s, struct str value)
{
    struct str whole, rest;
    uint64_t ms;
    str_cut(value, '.', &whole, &rest);             /* "20.0" is seen in the wild */
    if (!str_u64(str_trim(whole), PTIME_MAX_MS, &ms))
        s->ptime_ms = (uint8_t)ms;
}

/* Attributes that do not parse are skipped like those we do not know (RFC 8866, 5.13). */
static void read_attribute(struct reader *r, struct str line)
{
    struct str name, value;
    str_cut(line, ':', &name, &value);
    name = str_trim(name);
    for (size_t i = 0; i < ARRAY_LEN(direction_words); i++)
        if (str_eqz(name, direction_words[i]))
            *(r->stream ? &r->stream->direction : &r->direction) = (enum sdp_direction)i;
    if (!r->stream)
        return;
    if (str_eqz(name, "rtpmap"))
        read_rtpmap(r->stream, str_trim(value));
    else if (str_eqz(name, "ptime"))
        read_ptime(r->stream, value);
}

/* What we may have to echo in an answer must not carry line breaks or NULs of its own. */
static bool has_control(struct str line)
{
    for (size_t i = 0; i < line.n; i++)
        if ((unsigned char)line.p[i] < ' ' && line.p[i] != '\t')
            return true;
    return false;
}

static enum err read_line(struct reader *r, struct str line)
{
    if (line.n < 2 || line.p[1] != '=' || has_control(line))
        return ERR_SYNTAX;
    struct str value = str_from(line, 2);
    if (!r->has_version && line.p[0] != 'v')
        return ERR_SYNTAX;                          /* RFC 8866, 5: v= comes first */
    switch (line.p[0]) {
    case 'v':
        r->has_version = true;
        return str_eqz(str_trim(value), "0") ? ERR_NONE : ERR_SYNTAX;
    case 'o':
        return read_origin(r, value);
    case 'c':
        return read_connection(r, value);
    case 'm':
        return read_media(r, value);
    case 'a':
        read_attribute(r, value);
        return ERR_NONE;
    default:
        return ERR_NONE;                            /* s, t, b, k, i, u, e, p, r, z say nothing to us */
    }
}

enum err sdp_read(struct sdp *sdp, struct str text)
{
    struct reader r = { .sdp = sdp };
    *sdp = (struct sdp){ 0 };
    while (text.n) {
        struct str line;
        str_cut(text, '\n', &line, &text);
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (!line.n)
            continue;                               /* a blank line at the end is common */
        enum err err = read_line(&r, line);
        if (err)
            return err;
    }
    return r.has_version && r.has_origin ? ERR_NONE : ERR_SYNTAX;
}

/* -- what a description means -------------------------------------------------------------------------------------- */

static bool is_numeric(struct str host, char dst[SDP_HOST_SIZE], int *family)
{
    struct in6_addr any;
    if (host.n >= SDP_HOST_SIZE)
        return false;
    str_copyz(dst, SDP_HOST_SIZE, host);
    *family = inet_pton(AF_INET, dst, &any) == 1 ? AF_INET : inet_pton(AF_INET6, dst, &any) == 1 ? AF_INET6 : 0;
    return *family != 0;
}

/* RFC 3551: 0 and 8 may go without a=rtpmap; if there is one it must agree. */
static bool is_g711(const struct sdp_format *f)
{
    for (size_t i = 0; i < ARRAY_LEN(g711); i++)
        if (f->payload == g711[i].payload)
            return !f->encoding.n || (str_eq_nocase(f->encoding, str_of(g711[i].encoding)) && f->rate == RATE_G711);
    return false;
}

static const struct sdp_format *first_g711(const struct sdp_stream *s)
{
    for (size_t i = 0; i < s->n_formats; i++)
        if (is_g711(&s->formats[i]))
            return &s->formats[i];
    return NULL;
}

static const struct sdp_format *dtmf_of(const struct sdp_stream *s)
{
    for (size_t i = 0; i < s->n_formats; i++)
        if (s->formats[i].payload >= 96 && s->formats[i].rate == RATE_G711
            && str_eq_nocase(s->formats[i].encoding, STR("telephone-event")))
            return &s->formats[i];
    return NULL;
}

static bool is_usable(const struct sdp_stream *s)
{
    char host[SDP_HOST_SIZE];
    int family;
    return s->port && str_eqz(s->kind, "audio") && str_eqz(s->proto, "RTP/AVP") && first_g711(s)
           && is_numeric(s->host, host, &family);
}

static const struct sdp_stream *usable_stream(const struct sdp *sdp)
{
    for (size_t i = 0; i < sdp->n_streams; i++)
        if (is_usable(&sdp->streams[i]))
            return &sdp->streams[i];
    return NULL;
}

static bool sends(enum sdp_direction d)
{
    return d == SDP_SENDRECV || d == SDP_SENDONLY;
}

static bool listens(enum sdp_direction d)
{
    return d == SDP_SENDRECV || d == SDP_RECVONLY;
}

static enum sdp_direction direction_of(bool sending, bool listening)
{
    return sending ? (listening ? SDP_SENDRECV : SDP_SENDONLY) : (listening ? SDP_RECVONLY : SDP_INACTIVE);
}

enum err sdp_audio_of(const struct sdp *peer, struct sdp_audio *remote)
{
    const struct sdp_stream *s = usable_stream(peer);
    if (!s)
        return ERR_ABSENT;
    int family;
    const struct sdp_format *dtmf = dtmf_of(s);
    *remote = (struct sdp_audio){ .port = s->port, .payload = first_g711(s)->payload, .direction = s->direction,
                                  .dtmf_payload = dtmf ? dtmf->payload : 0,
                                  .ptime_ms = s->ptime_ms ? s->ptime_ms : PTIME_DEFAULT_MS };
    is_numeric(s->host, remote->host, &family);
    /* hold as older peers say it: RFC 3264, 8.4 */
    if (!strcmp(remote->host, "0.0.0.0"))
        remote->direction = direction_of(sends(s->direction), false);
    return ERR_NONE;
}

/* -- writing ------------------------------------------------------------------------------------------------------- */

static enum err write_session(struct buf *out, const struct sdp_origin *o, const struct sdp_audio *local)
{
    char host[SDP_HOST_SIZE];
    int family;
    if (!local->port || !is_numeric(str_of(local->host), host, &family))
        return ERR_RANGE;
    const char *kind = family == AF_INET ? "IP4" : "IP6";
    buf_printf(out, "v=0\r\no=- %llu %llu IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n", (unsigned long long)o->id,
               (unsigned long long)o->version, kind, host, kind, host);
    return ERR_NONE;
}

static void write_attributes(struct buf *out, uint8_t dtmf, uint8_t ptime_ms, enum sdp_direction direction)
{
    if (dtmf)
        buf_printf(out, "a=rtpmap:%u telephone-event/%u\r\na=fmtp:%u 0-15\r\n", dtmf, (unsigned)RATE_G711, dtmf);
    buf_printf(out, "a=ptime:%u\r\na=%s\r\n", ptime_ms ? ptime_ms : PTIME_DEFAULT_MS, direction_words[direction]);
}

static void write_rtpmap(struct buf *out, uint8_t payload)
{
    buf_printf(out, "a=rtpmap:%u %s/%u\r\n", payload, g711[payload == SDP_PCMA].encoding, (unsigned)RATE_G711);
}

enum err sdp_offer_write(struct buf *out, const struct sdp_origin *origin, const struct sdp_audio *local)
{
    enum err err = write_session(out, origin, local);
    if (err)
        return err;
    uint8_t first = local->payload == SDP_PCMA ? SDP_PCMA : SDP_PCMU, second = first == SDP_PCMA ? SDP_PCMU : SDP_PCMA;
    uint8_t dtmf = local->dtmf_payload ? local->dtmf_payload : SDP_DTMF_DEFAULT;
    buf_printf(out, "m=audio %u RTP/AVP %u %u %u\r\n", local->port, first, second, dtmf);
    write_rtpmap(out, first);
    write_rtpmap(out, second);
    write_attributes(out, dtmf, local->ptime_ms, local->direction);
    return buf_err(out);
}

/* Our stream of an answer: one codec, their telephone-event number, the direction as both allow it (RFC 3264, 6.1). */
static void write_accepted(struct buf *out, const struct sdp_stream *s, const struct sdp_audio *remote,
                           const struct sdp_audio *local)
{
    enum sdp_direction mine = direction_of(sends(local->direction) && listens(remote->direction),
                                           listens(local->direction) && sends(remote->direction));
    buf_printf(out, "m=" STR_FMT " %u " STR_FMT " %u", STR_ARG(s->kind), local->port, STR_ARG(s->proto),
               remote->payload);
    if (remote->dtmf_payload)
        buf_printf(out, " %u", remote->dtmf_payload);
    buf_putz(out, "\r\n");
    write_rtpmap(out, remote->payload);
    write_attributes(out, remote->dtmf_payload, local->ptime_ms, mine);
}

enum err sdp_answer_write(struct buf *out, const struct sdp *offer, const struct sdp_origin *origin,
                          const struct sdp_audio *local)
{
    struct sdp_audio remote;
    enum err err = sdp_audio_of(offer, &remote);
    if (!err)
        err = write_session(out, origin, local);
    if (err)
        return err;
    const struct sdp_stream *taken = usable_stream(offer);
    for (size_t i = 0; i < offer->n_streams; i++) {
        const struct sdp_stream *s = &offer->streams[i];
        if (s == taken)
            write_accepted(out, s, &remote, local);
        else
            buf_printf(out, "m=" STR_FMT " 0 " STR_FMT " " STR_FMT "\r\n", STR_ARG(s->kind), STR_ARG(s->proto),
                       STR_ARG(s->formats_text));
    }
    return buf_err(out);
}
