/* Any body of a SIP message: what reads must, when it offers usable audio, be answerable; the answer must read again, with
 * as many streams, and mean what we said. */
#include "base/str.h"
#include "codec/sdp/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct sdp_audio local = { .host = "192.0.2.9", .port = 4000, .payload = SDP_PCMU };
static const struct sdp_origin origin = { 42, 1 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sdp offer, answer;
    struct sdp_audio theirs, ours;
    if (sdp_read(&offer, (struct str){ (const char *)data, n }))
        return 0;
    scoped_buf out = { 0 };
    bool usable = !sdp_audio_of(&offer, &theirs);
    enum err err = sdp_answer_write(&out, &offer, &origin, &local);
    assert(err == (usable ? ERR_NONE : ERR_ABSENT));
    if (!usable)
        return 0;
    assert(!memchr(out.p, 0, out.n));
    assert(!sdp_read(&answer, buf_str(&out)) && !sdp_audio_of(&answer, &ours));
    assert(answer.n_streams == offer.n_streams && answer.id == origin.id);
    assert(ours.port == local.port && ours.payload == theirs.payload && ours.dtmf_payload == theirs.dtmf_payload);
    assert(!strcmp(ours.host, local.host));
    return 0;
}
