/* What a codec writes into a growing buffer, with each of its allocations failing in turn. */
#include "base/str.h"
#include "codec/sdp/sdp.h"
#include "unit/alloc.h"
#include "unit/cm.h"

static const struct sdp_origin ORIGIN = { 42, 1 };
static const struct sdp_audio LOCAL = { .host = "192.0.2.9", .port = 4000, .payload = SDP_PCMU };

static enum err offer_and_answer(void)
{
    scoped_buf offer = { 0 }, answer = { 0 };
    struct sdp sdp;
    enum err err = sdp_offer_write(&offer, &ORIGIN, &LOCAL);
    if (!err)
        err = sdp_read(&sdp, buf_str(&offer));
    return err ? err : sdp_answer_write(&answer, &sdp, &ORIGIN, &LOCAL);
}

static void an_offer_that_found_no_memory_is_an_error(void **state)
{
    (void)state;
    assert_in_range(alloc_each_failing(offer_and_answer), 2, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(an_offer_that_found_no_memory_is_an_error) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
