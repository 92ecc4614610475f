/* Any octets as PDUs of a customer's ESME: what is taken of a submit is UTF-8 of a bounded length, or a part of bounded octets, for
 * 1 to 100 recipients; what is refused says why. */
#include "base/str.h"
#include "edge/smpp/esme_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_one(const struct smpp_pdu *pdu)
{
    static struct esme_submitted g;
    memset(&g, 0, offsetof(struct esme_submitted, failed));
    struct esme_fault f = esme_read(&g, pdu, 1795305600 * (int64_t)1000000);
    assert(!f.status == !f.text && g.failed_n <= sizeof g.failed);
    if (!f.status) {
        assert(g.send.n >= 1 && g.send.n + g.n_failed <= SMS_RECIPIENTS_MAX);
        if (g.part.concat.total)
            assert(g.part.concat.total > 1 && g.part.concat.part >= 1 && g.part.concat.part <= g.part.concat.total
                   && g.part.octets.n <= SMPP_SHORT_MESSAGE_MAX);
        else
            assert(utf8_valid(g.send.text) && utf8_utf16_units(g.send.text) <= SMS_TEXT_MAX_UNITS);
    }
    buf_done(&g.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n;
    for (unsigned i = 0; i < 64 && smpp_frame(data, size, &n) == ERR_NONE && n; i++) {
        struct smpp_pdu pdu;
        if (!smpp_read(&pdu, data, n) && (pdu.command == SMPP_submit_sm || pdu.command == SMPP_data_sm || pdu.command == SMPP_submit_multi))
            read_one(&pdu);
        data += n;
        size -= n;
    }
    return 0;
}
