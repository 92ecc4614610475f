/* sdp.h - session descriptions (RFC 8866, which replaces 4566) and the offer/answer rules over them (RFC 3264).
 *
 * Only what telephony needs: v, o, s, c, t, m and the a= lines of one audio stream with G.711 and telephone-event
 * (RFC 4733). Everything else of a description is skipped when read and refused in an answer.
 * Pure functions: any thread. A read struct sdp borrows from the text it was read from; nothing is allocated but by
 * writing into the caller's struct buf. */
#pragma once
#include "base/base.h"
#include "base/buf.h"

enum { SDP_PCMU = 0, SDP_PCMA = 8, SDP_DTMF_DEFAULT = 101, SDP_HOST_SIZE = 46 };

enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

/* One end of an audio stream as both sides agreed on it. By value; crosses threads. */
struct sdp_audio {
    char               host[SDP_HOST_SIZE]; /* numeric IPv4 or IPv6 where this end listens */
    uint16_t           port;                /* 0: none */
    uint8_t            payload;             /* SDP_PCMU or SDP_PCMA */
    uint8_t            dtmf_payload;        /* telephone-event, 96..127; 0: not offered */
    uint8_t            ptime_ms;            /* wished packet time, 20 when not said */
    enum sdp_direction direction;           /* as this end means it: SENDONLY sends and does not listen */
};

enum { SDP_STREAMS_MAX = 8, SDP_FORMATS_MAX = 32 };

struct sdp_format {
    uint8_t    payload;                     /* 0..127 */
    struct str encoding;                    /* of a=rtpmap: "PCMU", "telephone-event"; empty when not mapped */
    uint32_t   rate;                        /* clock rate in Hz; 0 when not mapped */
};

struct sdp_stream {
    struct str         kind, proto;         /* "audio", "RTP/AVP" */
    struct str         formats_text;        /* the formats as written, for refusing the stream in an answer */
    struct str         host;                /* of its own c=, else the session's; empty when neither is there */
    uint16_t           port;                /* 0: refused or disabled */
    struct sdp_format  formats[SDP_FORMATS_MAX];    /* formats beyond the bound are ignored */
    size_t             n_formats;
    uint8_t            ptime_ms;            /* 0 when not said */
    enum sdp_direction direction;
};

struct sdp {
    uint64_t          id, version;          /* o= */
    struct sdp_stream streams[SDP_STREAMS_MAX];
    size_t            n_streams;
};

/** Read a description. Lines may end in CRLF or LF.
 *  @return ERR_NONE, ERR_SYNTAX, ERR_SIZE (more than SDP_STREAMS_MAX streams) */
MUST_USE enum err sdp_read(struct sdp *sdp, struct str text);

/** Which of our own descriptions this is, for o=: the version grows by one with each changed description. */
struct sdp_origin { uint64_t id, version; };

/** Write an offer: PCMU and PCMA, local->payload first, and telephone-event at local->dtmf_payload (0: at 101).
 *  @return ERR_NONE, ERR_NOMEM, ERR_RANGE (local is not numeric, or has no port) */
MUST_USE enum err sdp_offer_write(struct buf *out, const struct sdp_origin *origin, const struct sdp_audio *local);

/** What the peer's description (offer or answer) means to us: its first audio stream with G.711, the first of PCMU and
 *  PCMA in the peer's order.
 *  @return ERR_NONE, ERR_ABSENT (nothing usable: 488 for an offer) */
MUST_USE enum err sdp_audio_of(const struct sdp *peer, struct sdp_audio *remote);

/** Write the answer to an offer: its stream as sdp_audio_of() picks it, every other refused with port 0 (RFC 3264, 6),
 *  the direction turned round. Only host, port, ptime and direction of `local` are used; local->direction narrows.
 *  @return ERR_NONE, ERR_NOMEM, ERR_ABSENT (nothing usable), ERR_RANGE (local) */
MUST_USE enum err sdp_answer_write(struct buf *out, const struct sdp *offer, const struct sdp_origin *origin,
                                   const struct sdp_audio *local);
