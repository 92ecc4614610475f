/* Any octets as a stream of PDUs: no crash, and what is read and written reads back to the same octets. */
#include "codec/smpp/smpp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a server looks at further: the lists of submit_multi, the times of a submit_sm. */
static void lists_and_times(const struct smpp_pdu *pdu)
{
    bool resp = pdu->command == SMPP_submit_multi_resp;
    struct rd r = rd_of(pdu->dests.p, pdu->dests.n);
    struct smpp_dest dest;
    unsigned n = 0;
    int64_t at_us;
    while (resp ? smpp_unsuccess_next(&r, &dest) : smpp_dest_next(&r, &dest))
        n++;
    assert(n == pdu->n_dests && !r.bad);
    if (pdu->command == SMPP_submit_sm && !smpp_time_read(pdu->sm.validity_period, 0, &at_us)) {
        char text[SMPP_TIME_SIZE];
        smpp_time_write(text, at_us > 0 ? at_us : 0);
        assert(strlen(text) == SMPP_TIME_SIZE - 1);
    }
}

static void one_pdu(const uint8_t *p, size_t n)
{
    static uint8_t first[2 * SMPP_PDU_MAX], second[2 * SMPP_PDU_MAX];
    struct smpp_pdu pdu, again;
    if (smpp_read(&pdu, p, n))
        return;
    struct smpp_receipt receipt;
    if (smpp_is_receipt(&pdu) && !smpp_receipt_read(&receipt, &pdu))
        assert(receipt.id.n > 0);
    lists_and_times(&pdu);
    struct buf words = { 0 };
    smpp_further_words(&words, &pdu);
    for (size_t i = 0; i < words.n; i++)
        assert(words.p[i] >= ' ' && words.p[i] <= '~');
    buf_done(&words);
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
