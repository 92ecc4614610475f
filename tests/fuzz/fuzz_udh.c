/* Any octets as a user data header: what comes out is a part of something, or of nothing. */
#include "codec/gsm7/gsm7.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(data, size);
    struct sms_concat c;
    if (udh_read(&r, &c))
        return 0;
    assert(r.p == data + 1 + data[0]);
    assert(c.total == 0 ? c.part == 0 && c.ref == 0 : c.part >= 1 && c.part <= c.total);
    return 0;
}
