/* Any octets as a run of deliver_sm PDUs: joined texts are UTF-8, and every handle comes back at most once. */
#include "base/str.h"
#include "net/sms_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t given;      /* bit n: handle n came back */

static void take(const struct sms_whole *whole)
{
    if (!whole->parts)
        return;
    assert(whole->parts <= whole->total && whole->n_handles >= whole->parts && utf8_valid(whole->text));
    for (size_t i = 0; i < whole->n_handles; i++) {
        assert(!(given >> whole->handles[i] & 1));
        given |= UINT64_C(1) << whole->handles[i];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sms_joiner *j = NULL;
    struct sms_whole whole;
    size_t n;
    given = 0;
    assert(!sms_joiner_new(&j, 10, 4));
    for (unsigned i = 0; i < 64 && smpp_frame(data, size, &n) == ERR_NONE && n; i++) {
        struct smpp_pdu pdu;
        struct sms_part part;
        if (!smpp_read(&pdu, data, n) && pdu.command == SMPP_deliver_sm && !sms_part_read(&part, &pdu)) {
            part.handle = i;
            if (!sms_joiner_put(j, (struct mono){ i }, &part, &whole))
                take(&whole);
        }
        while (sms_joiner_overdue(j, (struct mono){ i }, &whole))
            take(&whole);
        data += n;
        size -= n;
    }
    sms_joiner_free(j);
    return 0;
}
