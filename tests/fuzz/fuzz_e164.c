/* Any text as a phone number: what reads is possible, and written and read again is the same. */
#include "codec/e164/e164.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = { (const char *)data, n };
    uint64_t digits = 0, again = 0;
    char written[E164_SIZE];
    if (e164_read(text, &digits))
        return 0;
    assert(!e164_check(digits) && e164_count(digits) <= E164_MAX_DIGITS);
    assert(strlen(e164_country(digits)) == 0 || strlen(e164_country(digits)) == 2);
    e164_write(written, digits);
    assert(!e164_read_plus((struct str){ written, strlen(written) }, &again) && again == digits);
    struct nanp_number na;
    if (nanp_read(digits, &na))
        assert(nanp_digits(na.npa, na.nxx, na.line) == digits && nanp_npa_possible(na.npa));
    (void)nanp_is_premium(digits);
    return 0;
}
