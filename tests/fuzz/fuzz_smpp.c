/* Any octets as a stream of PDUs: no crash, and what is read and written reads back to the same octets. */
#include "codec/smpp/smpp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_pdu(const uint8_t *p, size_t n)
{
    static uint8_t first[2 * SMPP_PDU_MAX], second[2 * SMPP_PDU_MAX];
    struct smpp_pdu pdu, again;
    if (smpp_read(&pdu, p, n))
        return;
    struct smpp_receipt receipt;
    if (smpp_is_receipt(&pdu) && !smpp_receipt_read(&receipt, &pdu))
        assert(receipt.id.n > 0);
    struct wr a = wr_of(first, sizeof first), b = wr_of(second, sizeof second);
    if (smpp_write(&a, &pdu))
        return;                             /* the reader takes more than the writer may say */
    assert(!smpp_read(&again, first, wr_len(&a)));
    assert(!smpp_write(&b, &again));
    assert(wr_len(&a) == wr_len(&b) && memcmp(first, second, wr_len(&a)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n;
    while (smpp_frame(data, size, &n) == ERR_NONE && n) {
        one_pdu(data, n);
        data += n;
        size -= n;
    }
    return 0;
}
