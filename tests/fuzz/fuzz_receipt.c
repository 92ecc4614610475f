/* Any octets as the text of a receipt: what is read stays inside the text. */
#include "codec/smpp/smpp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = { (const char *)data, size };
    struct smpp_receipt r;
    if (smpp_receipt_text_read(&r, text))
        return 0;
    assert(r.id.n && r.id.p >= text.p && r.id.p + r.id.n <= text.p + text.n);
    assert(r.state >= SMPP_ENROUTE && r.state <= SMPP_REJECTED);
    scoped_buf b = { 0 };
    struct smpp_receipt again;
    smpp_receipt_text_write(&b, &r, 0, 0, text);
    assert(!smpp_receipt_text_read(&again, buf_str(&b)));
    assert(again.id.n == r.id.n && memcmp(again.id.p, r.id.p, r.id.n) == 0 && again.state == r.state && again.err == r.err);
    return 0;
}
