/* Any SIP message, parsed as a datagram is: what we take out of it must stay inside its bounds, and a user that we accept
 * must come back the same through a URI that we write. */
#include "base/str.h"
#include "net/sip_stack_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void user(const url_t *url)
{
    char name[SIP_USER_SIZE], again[SIP_USER_SIZE], uri[SIP_URI_SIZE];
    sip_user_read(name, url);
    assert(memchr(name, 0, sizeof name));
    if (!sip_user_valid(str_of(name)))
        return;
    sip_uri_write(uri, name, "2001:db8::1", 5060, SIP_TCP, true);
    su_home_t home[1] = { SU_HOME_INIT(home) };
    su_home_init(home);
    url_t *back = url_make(home, uri);
    assert(back);
    sip_user_read(again, back);
    assert(!strcmp(name, again));
    su_home_deinit(home);
}

static void name_addr(const sip_from_t *from)
{
    char display[SIP_DISPLAY_SIZE], text[SIP_URI_SIZE + 2 * SIP_DISPLAY_SIZE];
    sip_display_read(display, from->a_display);
    assert(memchr(display, 0, sizeof display));
    sip_name_addr_write(text, sizeof text, display, "sip:x");
    assert(!strchr(text, '\r') && !strchr(text, '\n'));
    user(from->a_url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    msg_t *msg = n && n < 8192 ? msg_make(sip_default_mclass(), 0, data, (ssize_t)n) : NULL;
    sip_t *sip = msg ? sip_object(msg) : NULL;
    if (sip) {
        char asserted[SIP_USER_SIZE];
        struct sdp sdp;
        struct sdp_audio remote;
        if (sip->sip_request)
            user(sip->sip_request->rq_url);
        if (sip->sip_from)
            name_addr(sip->sip_from);
        sip_asserted_read(asserted, sip);
        assert(sip_reason_read(sip->sip_reason) <= 127);
        if (!sdp_read(&sdp, sip_body(sip)) && !sdp_audio_of(&sdp, &remote))
            assert(remote.port);
    }
    msg_destroy(msg);
    return 0;
}
